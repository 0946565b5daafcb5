import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const root = join(__dirname, "../..");

/** Folders of constructs, in the order of the design: each imports only from those before it. */
const LAYERS = ["x509", "kubernetes", "access", "delivery", "inventory", "report"];

/** The command line, which knows of all of them. */
const COMMAND_LINE = "cli";

function sources(folder: string): { file: string; text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => posix.join(folder, file.replaceAll("\\", "/")))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
}

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import|require\()\s*"([^"\s]+)"/g)].map((match) => match[1]!);
}

/** `file: text` of every line that matches. */
function linesWith(pattern: RegExp, folders: readonly string[]): string[] {
  return folders
    .flatMap(sources)
    .flatMap(({ file, text }) => text.split("\n").map((line) => ({ file, line })))
    .filter(({ line }) => pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
    .map(({ file, line }) => `${file}: ${line.trim()}`);
}

const layersOfLib = LAYERS.map((layer) => `lib/${layer}`);

test("there is something to look at", () => {
  expect(sources("lib").length).toBeGreaterThan(25);
  expect(sources("stacks").length).toBeGreaterThan(4);
});

test("bindings of providers are imported by subpath, since a barrel costs 414 MB", () => {
  const barrels = ["lib", "stacks", "test"]
    .flatMap(sources)
    .flatMap(({ file, text }) => importsOf(text).map((module) => `${file}: ${module}`))
    .filter((entry) => /: @cdktf\/provider-[a-z]+(\/?$|\/lib\/?$|\/lib\/index$)/.test(entry));
  expect(barrels).toEqual([]);
});

test("the second core is never imported: it stands in for cdktf", () => {
  const strays = ["lib", "stacks"]
    .flatMap(sources)
    .flatMap(({ file, text }) => importsOf(text).map((module) => `${file}: ${module}`))
    .filter((entry) => /: (cdktn|@cdktn\/)/.test(entry));
  expect(strays).toEqual([]);
});

test.each(LAYERS.map((layer, rank) => ({ layer, rank })))(
  "lib/$layer imports from no later folder",
  ({ layer, rank }) => {
    const allowed = new Set([...LAYERS.slice(0, rank + 1), "errors"]);
    const strays = sources(`lib/${layer}`).flatMap(({ file, text }) =>
      importsOf(text)
        .filter((module) => module.startsWith("."))
        .map((module) => posix.join(posix.dirname(file), module))
        .filter((target) => !target.startsWith("lib/") || !allowed.has(target.split("/")[1]!))
        .map((target) => `${file} imports ${target}`),
    );
    expect(strays).toEqual([]);
  },
);

test("the report needs no cdktf: of the rest of the library it takes types, and how outputs and inventories look", () => {
  const strays = sources("lib/report").flatMap(({ file, text }) => {
    const kept = text.replace(/import type [^;]+;/g, "");
    return importsOf(kept)
      .filter((module) => !/^(node:|\.\/|\.\.\/(inventory\/schema|kubernetes\/holders)$)/.test(module))
      .map((module) => `${file} imports ${module}`);
  });
  expect(strays).toEqual([]);
});

test("nothing that a construct is made of needs the command line", () => {
  const strays = ["lib/index.ts", ...layersOfLib.flatMap(sources).map(({ file }) => file)]
    .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }))
    .filter(({ text }) => importsOf(text).some((module) => module.includes(`/${COMMAND_LINE}`)))
    .map(({ file }) => file);
  expect(strays).toEqual([]);
});

test("lib needs neither stacks nor tests", () => {
  const strays = sources("lib")
    .filter(({ text }) => importsOf(text).some((module) => /\.\.\/(stacks|test)\b/.test(module)))
    .map(({ file }) => file);
  expect(strays).toEqual([]);
});

test("constructs read no environment, clock or randomness, so that equal input gives equal output", () => {
  expect(
    linesWith(/process\.(env|cwd|hrtime)|Date\.now|new Date\(\)|Math\.random|randomBytes|randomUUID/, layersOfLib),
  ).toEqual([
    // A validation, which refuses an authority that has expired and changes nothing of the output.
    "lib/x509/expiry.ts: const now = Date.now();",
  ]);
});

test("a fact of a distribution is a row of its table, not a condition", () => {
  const condition =
    /(if|\?|&&|\|\|).*(distribution(\.table)?(\.name)?\s*(===|!==)|Distribution\.[A-Z0-9]+|table\.name\s*(===|!==))/;
  expect(linesWith(condition, layersOfLib)).toEqual([]);
  expect(linesWith(/switch\s*\(.*(distribution|table\.name)/i, layersOfLib)).toEqual([]);
});

test("a table of a distribution is data: it imports types and usages", () => {
  const imports = sources("lib/kubernetes/distributions").flatMap(({ file, text }) =>
    importsOf(text).map((module) => `${file}: ${module}`),
  );
  expect(imports.filter((entry) => !/: (\.\.\/table|\.\/[a-z0-9-]+|\.\.\/\.\.\/(x509|errors))$/.test(entry))).toEqual(
    [],
  );
});
