/** An object of a document that nobody checked: any field may be missing, or anything. */
export type Json = Readonly<Record<string, unknown>>;

const EMPTY: Json = Object.freeze(Object.create(null) as Json);

/** The value where it is an object, else one without fields. */
export function object(value: unknown): Json {
  return isObject(value) ? value : EMPTY;
}

/** The value where it is a list, else an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value where it is text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** True for an object that is neither a list nor null. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a table has under a key that a document gives: what every object inherits, `constructor`, is none of it. */
export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** What stands at a path with dots, `output.certificate_pem`, `certs.0.pem`: in objects and lists, and nowhere else. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null && Object.hasOwn(inner, key) ? (inner as Json)[key] : undefined,
      value,
    );
}

/** The value of a JSON text; undefined where it is none. The parser's own message quotes the text around the error, which may be a key. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/** Levels that objects and lists of a document may nest, so that whoever walks through them comes to an end: real ones have a few dozen. */
export const MAX_NESTING = 500;

/** True where objects and lists nest deeper than so many levels. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (!isNested(value)) {
    return false;
  }
  if (levels === 0) {
    return true;
  }
  // Every value of a document comes by here: loops without a closure, and no call for what nests nothing.
  if (Array.isArray(value)) {
    for (const inner of value as readonly unknown[]) {
      if (isNested(inner) && isDeeperThan(levels - 1, inner)) {
        return true;
      }
    }
    return false;
  }
  for (const key in value) {
    const inner = (value as Json)[key];
    if (isNested(inner) && isDeeperThan(levels - 1, inner)) {
      return true;
    }
  }
  return false;
}

function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
