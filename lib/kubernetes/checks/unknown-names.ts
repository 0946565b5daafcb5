import { PkiError, type Problem, type Problems } from "../../errors";
import { didYouMean } from "../../terraform/closest";
import { checkShape, member, name } from "../../terraform/shape";

/** What is asked for by a name. */
export type Named = "authority" | "key-pair" | "certificate" | "kubeconfig" | "holder";

const NAME = name("apiserver");

/**
 * Refuses a name that nothing here has.
 *
 * @param path construct path of what was asked
 * @throws PkiError always
 */
export function refuseName(path: string, kind: Named, given: string, known: readonly string[]): never {
  checkShape(path, given, NAME, kind);
  throw new PkiError(path, [unknown(`unknown-${kind}`, kind, given, known)]);
}

function unknown(code: `unknown-${Named}`, at: Named, given: string, known: readonly string[]): Problem {
  return {
    code,
    at,
    given: JSON.stringify(given),
    allowed: known.join(", ") || "none: there is no such thing here",
    fix: didYouMean(given, known) ?? "use one of these names",
  };
}

/**
 * Refuses to guess whose of several is meant.
 *
 * @throws PkiError always
 */
export function refuseToChoose(path: string, given: string, holders: readonly string[]): never {
  throw new PkiError(path, [
    {
      code: "holder-needed",
      at: "holder",
      given: "none",
      allowed: holders.join(", "),
      fix: `each of these has one of its own: say whose is meant, ("${given}", "${holders[0]}")`,
    },
  ]);
}

/** Finds names that a table does not have. */
export function checkNames(given: object = {}, known: object, at: string, problems: Problems): void {
  const names = Object.keys(known);
  for (const key of Object.keys(given).sort()) {
    if (!Object.hasOwn(known, key)) {
      const fix = didYouMean(key, names) ?? "use one of the distribution's names";
      problems.add({ code: "unknown-name", at: member(at, key), given: key, allowed: names.join(", "), fix });
    }
  }
}
