import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Compares with a committed file. A difference is a change of the contract: look at it, then run the tests once with
 * `UPDATE_GOLDEN=1` and commit the file.
 */
export function expectGolden(name: string, text: string): void {
  const file = join(__dirname, "../contract/golden", name);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, "utf8"));
}

/** Lines as a file of text. */
export function lines(list: readonly string[]): string {
  return `${list.join("\n")}\n`;
}

/** JSON with the keys of every object sorted, so that a difference shows what changed. */
export function sortedJson(value: unknown): string {
  const sorted = (inner: unknown): unknown => {
    if (Array.isArray(inner)) {
      return inner.map(sorted);
    }
    return typeof inner === "object" && inner !== null
      ? Object.fromEntries(
          Object.entries(inner)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, entry]) => [key, sorted(entry)]),
        )
      : inner;
  };
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}
