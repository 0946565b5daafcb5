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

function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}
