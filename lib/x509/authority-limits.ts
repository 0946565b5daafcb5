import type { Problems } from "../errors";
import { addFault, literalCertificates } from "./pem";

/** What literal certificates from outside let an authority sign: its own, and those above it. */
export interface AuthorityLimits {
  /**
   * How many authorities may stand below it, one under the other.
   * @default - any number
   */
  readonly pathLength?: number;
  /**
   * Purposes of what is below it, by the tls provider's names: `server_auth`, `client_auth`.
   * @default - any
   */
  readonly purposes?: readonly string[];
  /** When the first of the certificates ends. */
  readonly end: Date;
  /** Whole hours in which all of them are valid. */
  readonly validityHours: number;
}

/** Extended key usages that certificates of a cluster have, by object identifier. */
const PURPOSES: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "server_auth",
  "1.3.6.1.5.5.7.3.2": "client_auth",
};

const ANY_PURPOSE = "2.5.29.37.0";

const HOUR = 3_600_000;

/** Limits in literal text; undefined where no certificate can be read in it. */
export function limitsIn(certificatePem: string): AuthorityLimits | undefined {
  const read = literalCertificates(certificatePem).map(({ fields }) => fields);
  if (read.length === 0) {
    return undefined;
  }
  const end = Math.min(...read.map(({ notAfter }) => notAfter.getTime()));
  const begin = Math.max(...read.map(({ notBefore }) => notBefore.getTime()));
  const lengths = read.flatMap(({ pathLength }, above) => (pathLength === undefined ? [] : [pathLength - above]));
  const usages = read.flatMap(({ extendedKeyUsages: own }) => (own && !own.includes(ANY_PURPOSE) ? [own] : []));
  const common = usages[0]?.filter((usage) => usages.every((own) => own.includes(usage)));
  return {
    ...(lengths.length > 0 ? { pathLength: Math.min(...lengths) } : {}),
    ...(common ? { purposes: common.flatMap((usage) => PURPOSES[usage] ?? []) } : {}),
    end: new Date(end),
    validityHours: Math.floor((end - begin) / HOUR),
  };
}

/** Limits of an authority below one that has some. */
export function limitsBelow(limits: AuthorityLimits | undefined): AuthorityLimits | undefined {
  return limits?.pathLength === undefined ? limits : { ...limits, pathLength: limits.pathLength - 1 };
}

/**
 * Finds purposes for which a verifier would refuse what an authority signs.
 *
 * @param generation of the authority
 */
export function checkPurposes(
  purposes: readonly string[],
  { limits, generation }: { readonly limits?: AuthorityLimits; readonly generation: string },
  at: string,
  problems: Problems,
): void {
  const refused = purposes.filter((purpose) => limits?.purposes?.includes(purpose) === false);
  if (refused.length > 0) {
    const given = `${refused.join(", ")}, which the extended key usages of generation ${generation} leave out`;
    addFault("pem-extended-key-usage", at, given, problems);
  }
}

/** Finds an authority below one that may have none below it. */
export function checkPathLength(
  { limits, generation }: { readonly limits?: AuthorityLimits; readonly generation: string },
  at: string,
  problems: Problems,
): void {
  if (limits?.pathLength !== undefined && limits.pathLength < 1) {
    addFault(
      "pem-path-length",
      at,
      `an authority below generation ${generation}, which may have none below it`,
      problems,
    );
  }
}
