import { isDeepStrictEqual } from "node:util";

/**
 * One thing that is wrong with what was described.
 *
 * Never holds a secret: `given` names a key or a token, it does not quote it.
 */
export interface Problem {
  /** Stable, searchable name of the rule, e.g. `host-cidr`: docs/errors.md has them all. */
  readonly code: string;
  /** Where the value stands, as written in the code: `cluster.controlPlanes[0].name`. */
  readonly at: string;
  /** The value that was given, as text. */
  readonly given: string;
  /** What would have been accepted. */
  readonly allowed: string;
  /** The change to make. */
  readonly fix: string;
}

/** A problem on its way to a text of its own: that of a validation, or of a condition of Terraform, which prints what was given itself. */
export type ValidationProblem = Omit<Problem, "given"> & { readonly given?: unknown };

/** One problem in one line, the same wherever it is found. */
export function problemText({ given, ...problem }: ValidationProblem): string {
  return line({ ...problem, given: given === undefined ? undefined : show(given) });
}

/** Collects every problem of a description, so that a user hears of all of them at once. */
export class Problems {
  private readonly found: Problem[] = [];

  /** Adds one problem, once; `given` is shown quoted when it is a string. */
  public add(found: Omit<Problem, "given"> & { readonly given: unknown }): void {
    const problem = { ...found, given: show(readable(found.given)) };
    if (!this.found.some((known) => isDeepStrictEqual(known, problem))) {
      this.found.push(problem);
    }
  }

  /** Adds all that others found. */
  public addAll({ found }: Problems): void {
    this.found.push(...found);
  }

  /** True when nothing was found so far. */
  public get none(): boolean {
    return this.found.length === 0;
  }

  /**
   * Stops synth with all that was found.
   *
   * @param path construct path the problems belong to
   * @throws PkiError when there is at least one problem
   */
  public throwIfAny(path: string): void {
    if (!this.none) {
      throw new PkiError(path, this.found);
    }
  }
}

/** Thrown at synth when a description breaks a rule. Carries all problems that were found. */
export class PkiError extends Error {
  /**
   * @param path construct path, e.g. `prod-pki/pki`
   * @param problems what is wrong, at least one
   */
  public constructor(
    public readonly path: string,
    public readonly problems: readonly Problem[],
  ) {
    super(render(path, problems));
    this.name = "PkiError";
  }
}

/** What is put in front of a reader: more of a value than this is told by its length. */
const MAX_GIVEN = 300;

/** cdktf writes a number that Terraform alone knows as one far below all that anybody means. */
const LEAST_NUMBER = -1e280;

/** Words for what Terraform alone knows, whose text is cdktf's own, and a beginning for what nobody would read to its end. */
function readable(value: unknown): unknown {
  if (isToken(value)) {
    return "an unresolved value";
  }
  const isLong = typeof value === "string" && value.length > MAX_GIVEN;
  return isLong ? `${value.slice(0, MAX_GIVEN)}… (${value.length} characters)` : value;
}

function isToken(value: unknown): boolean {
  if (typeof value === "number") {
    return value < LEAST_NUMBER;
  }
  return Array.isArray(value) ? value.some(isToken) : typeof value === "string" && /[$#&]\{TfToken\[/.test(value);
}

function show(value: unknown): string {
  if (typeof value !== "string") {
    return wordsFor(value);
  }
  return value.includes("PRIVATE KEY-----") ? "text with a private key" : JSON.stringify(value);
}

/** What a problem shows as it is, without quotes. */
export class Words {
  public constructor(public readonly text: string) {}
}

/**
 * What a value is, in words: `a list`, `null`, `90`. Never what is in it, but for numbers, and for text where that is wanted.
 *
 * @param shown whether text may be shown
 */
export function wordsFor(value: unknown, shown = false): string {
  switch (typeof value) {
    case "string":
      return shown || value === "" ? show(readable(value)) : "text";
    case "undefined":
      return "nothing";
    case "number":
      return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "a number that is none" : "infinity";
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      return value === null ? "null" : value instanceof Words ? value.text : kindOf(value);
    default:
      return `a ${typeof value}`;
  }
}

/** `a list`, `an object`, `a Map`. */
function kindOf(value: object): string {
  if (Array.isArray(value)) {
    return "a list";
  }
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: { readonly name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  const isNamed = typeof name === "string" && name !== "Object" && /^[A-Za-z]\w*$/.test(name);
  return isNamed ? `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}` : "an object";
}

function render(path: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`${count} at ${path}`, ...problems.map((problem) => `  ${line(problem)}`)].join("\n");
}

function line({ code, at, given, allowed, fix }: Omit<Problem, "given"> & { readonly given?: string }): string {
  return `[${code}] ${at}: ${given === undefined ? "" : `given ${given}; `}allowed: ${allowed}; fix: ${fix}`;
}
