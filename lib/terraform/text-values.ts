import { Token } from "cdktf";
import type { Problems } from "../errors";

/** Values that a reader of text would drop, or stop at. */
const GIVEN = {
  list: "an unresolved list",
  number: "an unresolved number",
  other: "an unresolved value that is no text",
} as const;

/** What was wanted, and how it is written. */
export interface Wanted {
  /** What is allowed there. */
  readonly allowed: string;
  /**
   * How an unresolved value is written.
   * @default - as it is
   */
  readonly written?: (value: string) => string;
}

/** Tells of such a value. */
function tell(
  kind: keyof typeof GIVEN,
  at: string,
  { allowed, written = (value) => value }: Wanted,
  problems: Problems,
) {
  const fix =
    kind === "list"
      ? `write each element, ${written("Token.asString(Fn.element(list, 0))")}: how many there are has to be known at synth`
      : `write ${written("Token.asString(value)")}`;
  problems.add({ code: "unresolved-kind", at, given: GIVEN[kind], allowed, fix });
}

/**
 * Finds values that cdktf lets stand where text is wanted, because their type is `any`: `resource.output.lookup("ip")`, a number, a
 * list. As text, `Token.asString(value)`, they are names like others.
 *
 * @returns whether it is none of these
 */
export function checkText(value: unknown, at: string, problems: Problems, wanted: Wanted): boolean {
  const kind = kindOf(value);
  if (kind !== undefined) {
    tell(kind, at, wanted, problems);
  }
  return kind === undefined;
}

/**
 * The same of each element, and hands on those that are none of these values. A list that is one token, as `variable.listValue` is, is
 * told of once.
 */
export function eachText<T>(
  values: readonly T[],
  at: string,
  problems: Problems,
  wanted: Wanted,
  check: (value: T, at: string) => void,
): void {
  if (kindOf(values) !== undefined) {
    tell("list", at, wanted, problems);
    return;
  }
  values.forEach((value, index) => {
    const here = `${at}[${index}]`;
    if (checkText(value, here, problems, wanted)) {
      check(value, here);
    }
  });
}

/** What it is instead of text; undefined for text, and for what is no token at all. */
function kindOf(value: unknown): keyof typeof GIVEN | undefined {
  if (typeof value === "string") {
    return value.includes("#{TfToken[") ? "list" : undefined;
  }
  if (typeof value === "number") {
    return Token.isUnresolved(value) ? "number" : undefined;
  }
  if (typeof value !== "object" || value === null || !Token.isUnresolved(value)) {
    return undefined;
  }
  return Array.isArray(value) ? "list" : "other";
}
