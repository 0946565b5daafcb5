/** Numbers that look random, and are the same for the same seed. */
export class Random {
  /** @param seed where it starts */
  public constructor(private seed: number) {}

  public below(limit: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * limit);
  }

  public of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** A value in a document: what holds it, and under which key. */
interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** How many levels something is nested. */
const LEVELS = [1, 2, 20, 400, 5000, 100_000];

/** What may stand where something else should. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  0.5,
  "",
  "x",
  "true",
  "__proto__",
  "constructor",
  "2026-99-99T99:99:99Z",
  "2026-02-30T00:00:00Z",
  "9999999999999999",
  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
  "tls_private_key.pki__cp-1__apiserver",
  'module.m["a.b[0]"].tls_private_key.x[0]',
  "[".repeat(9000),
  "`".repeat(9000),
  '["\\"'.repeat(3000),
  "\u202e\u0000\ud800",
  [],
  {},
  [[]],
  [null],
  [{}],
  { references: ["module.m.x", "var.x", "local.x", "each.value", "[", "."] },
  { constant_value: { a: [] } },
  { toString: 1, valueOf: 1 },
  { length: 3, includes: 1, map: 1 },
  ["create", "delete"],
  ["forget"],
  Array.from({ length: 3000 }, (_, index) => `item-${index}`),
];

type Edit = (place: Place, random: Random, others: readonly Place[], levels: readonly number[]) => void;

const EDITS: readonly Edit[] = [
  ({ holder, key }) => (Array.isArray(holder) ? holder.splice(Number(key), 1) : Reflect.deleteProperty(holder, key)),
  ({ holder, key }, random) => (holder[key] = random.of(VALUES)),
  ({ holder, key }, random, _, levels) => (holder[key] = nested(holder[key], random.of(levels), random)),
  ({ holder, key }, random, others) => {
    const other = random.of(others);
    holder[key] = other.holder[other.key];
  },
  ({ holder, key }, random) => {
    if (Array.isArray(holder)) {
      holder.push(...Array.from({ length: random.of([1, 50]) }, () => holder[Number(key)] as unknown));
    } else {
      holder[`${key}${random.below(3)}`] = holder[key];
    }
  },
  ({ holder, key }, random) => {
    const value = holder[key];
    holder[key] =
      typeof value === "string" ? random.of([`${value}[0]`, `${value}.`, [value], value.slice(1)]) : [value];
  },
];

function nested(value: unknown, levels: number, random: Random): unknown {
  const inList = random.below(2) === 0;
  let result = value;
  for (let level = 0; level < levels; level++) {
    result = inList ? [result] : { a: result };
  }
  return result;
}

/**
 * Makes copies of a document with a few of its values removed, moved, doubled, nested, or made something else.
 *
 * @param mostLevels that something is nested: what is to be JSON text must not be deep
 */
export function mutations(document: object, mostLevels = Infinity): (random: Random) => object {
  const text = JSON.stringify(document);
  const levels = LEVELS.filter((number) => number <= mostLevels);
  const originals = placesIn(document); // What is nested already is not copied once more: that would have no end.
  return (random) => {
    const copy = JSON.parse(text) as object;
    const places = placesIn(copy);
    for (let edits = 1 + random.below(3); edits > 0; edits--) {
      random.of(EDITS)(random.of(places), random, originals, levels);
    }
    return copy;
  };
}

function placesIn(document: object): Place[] {
  const found: Place[] = [];
  const ahead: unknown[] = [document];
  for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
    if (typeof value === "object" && value !== null) {
      const holder = value as Record<string, unknown>;
      for (const key of Object.keys(holder)) {
        found.push({ holder, key });
        ahead.push(holder[key]);
      }
    }
  }
  return found;
}
