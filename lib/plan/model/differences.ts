import type { Facts } from "./facts";

/** What is different, as far as it may be shown. */
export interface Difference {
  /** Which fact is another one. */
  readonly what: keyof Facts;
  /** Missing where it was not set; of lists, see below. */
  readonly before?: string;
  /** Missing where it is no longer set. */
  readonly after?: string;
  /** Of lists: what is new. */
  readonly added?: readonly string[];
  /** Of lists: what is gone. */
  readonly removed?: readonly string[];
}

/** Differences between both sides of a thing that is on both. */
export function differences(before: Facts | undefined, after: Facts | undefined): Difference[] {
  if (!before || !after) {
    return [];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Facts)[]);
  return [...names].flatMap((what) => difference(what, before[what], after[what]) ?? []);
}

function difference(what: keyof Facts, before: Facts[keyof Facts], after: Facts[keyof Facts]): Difference | undefined {
  if (typeof before === "object" || typeof after === "object") {
    const [old, now] = [(before ?? []) as readonly string[], (after ?? []) as readonly string[]];
    const [inOld, inNow] = [new Set(old), new Set(now)];
    const added = now.filter((value) => !inOld.has(value));
    const removed = old.filter((value) => !inNow.has(value));
    return added.length + removed.length > 0 ? { what, added, removed } : undefined;
  }
  return before === after
    ? undefined
    : {
        what,
        ...(before === undefined ? {} : { before: String(before) }),
        ...(after === undefined ? {} : { after: String(after) }),
      };
}
