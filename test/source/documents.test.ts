import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];

test.each(DOCUMENTS)("every file of this repository that %s names is there", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");
  const named = [...text.matchAll(/`((?:lib|test|stacks|docs|\.ci)\/[^`\s]*)`/g)]
    .map(([, path]) => path!.replace(/\/$/, ""))
    .filter((path) => !/[<*…]/.test(path));
  const missing = named.filter((path) => ![path, `${path}.test.ts`].some(exists));
  expect(missing).toEqual([]);
});

test("every command of npm that CONTRIBUTING.md names is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
  const named = [...readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8").matchAll(/`npm run ([a-z0-9:-]+)/g)];
  expect(named.length).toBeGreaterThan(5);
  expect(named.map(([, name]) => name!).filter((name) => !(name in scripts))).toEqual([]);
});

test("every name that CHANGELOG.md announces is one of the package", () => {
  const [, unreleased] = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8").split(/^## /m);
  const prose = unreleased!.replace(/^ *```[\s\S]*?```$/gm, "");
  const named = [
    ...prose.matchAll(/`([A-Z][a-z]+(?:[A-Z][A-Za-z]*)?|[a-z]+[A-Z][A-Za-z]*)(?:\([^`]*\)|\.[^`]*)?`/g),
  ].map(([, name]) => name!);
  const api = readFileSync(join(ROOT, "test/contract/golden/api.d.ts"), "utf8");
  // Names of classes, functions and members; and columns of tables, which stand in members of types.
  const missing = named.filter((name) => !new RegExp(`\\b${name}\\b`).test(api));
  expect(named).toEqual(expect.arrayContaining(["ClusterPki", "Generation", "writeInventories", "movedFrom"]));
  expect(missing).toEqual([]);
});

function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}
