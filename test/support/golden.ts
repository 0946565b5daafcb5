import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "../..");

/** Compares with a committed file of test/contract/golden. A difference is a change of the contract: see {@link expectFile}. */
export function expectGolden(name: string, text: string): void {
  expectFile(`test/contract/golden/${name}`, text);
}

/** Compares with a committed file that is made from the code. Look at a difference, then run `npm run golden` and commit the file. */
export function expectFile(path: string, text: string): void {
  const file = join(ROOT, path);
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
