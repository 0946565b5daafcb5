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

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
