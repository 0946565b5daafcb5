import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { RESOURCE_TYPES } from "../../lib/terraform-json/resource-types";

const root = join(__dirname, "../..");

/** Folders of constructs, in the order of the design: each imports only from those before it. */
const CONSTRUCTS = ["terraform", "x509", "kubernetes", "access", "delivery", "inventory"];

/** What reads Terraform's JSON, and a wing for each verb: none of them needs another. */
const READER = "terraform-json";
const VERBS = ["plan", "status", "export", "verify", "tokens"];

/** The command line, which knows of all of them. */
const COMMAND_LINE = "cli";

/** The steps of `plan`, in their order: each imports only from those before it. */
const STEPS = ["read", "model", "judge", "render"];

/** What the verbs share with the constructs: names, references, DER and how outputs and inventories look. Nothing in them needs cdktf. */
const SHARED =
  /^\.\.\/(terraform\/(names|reference|expression)|kubernetes\/(content|content-readers|cluster-file)|x509\/(der|certificate-request)|inventory-schema|terraform-json\/[a-z-]+)$/;

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

const layersOfLib = CONSTRUCTS.map((layer) => `lib/${layer}`);

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

test.each(CONSTRUCTS.map((layer, rank) => ({ layer, rank })))(
  "lib/$layer imports from no later folder",
  ({ layer, rank }) => {
    const allowed = new Set([...CONSTRUCTS.slice(0, rank + 1), "errors", "inventory-schema"]);
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

test.each([READER, ...VERBS])("lib/%s needs no cdktf and no other verb, only what the constructs write", (wing) => {
  const strays = sources(`lib/${wing}`).flatMap(({ file, text }) => {
    const kept = text.replace(/import type [^;]+;/g, "");
    return importsOf(kept)
      .filter((module) => !/^(node:|\.\/)/.test(module) && !SHARED.test(module.replace(/^(\.\.\/)+/, "../")))
      .filter((module) => !posix.join(posix.dirname(file), module).startsWith(`lib/${wing}/`))
      .map((module) => `${file} imports ${module}`);
  });
  expect(strays).toEqual([]);
});

test.each(STEPS.map((step, rank) => ({ step, rank })))(
  "lib/plan/$step imports from no later step",
  ({ step, rank }) => {
    const strays = sources(`lib/plan/${step}`).flatMap(({ file, text }) =>
      importsOf(text)
        .map((module) => posix.join(posix.dirname(file), module))
        .filter((target) => target.startsWith("lib/plan/"))
        .filter((target) => !STEPS.slice(0, rank + 1).includes(target.split("/")[2]!))
        .map((target) => `${file} imports ${target}`),
    );
    expect(strays).toEqual([]);
    expect(sources("lib/plan").every(({ file }) => STEPS.includes(file.split("/")[2]!))).toBe(true);
  },
);

test("a resource type that the commands read is named in one place: its row", () => {
  const types = new RegExp(`\\b(${Object.keys(RESOURCE_TYPES).join("|")})\\b`);
  const readers = [READER, ...VERBS, COMMAND_LINE].map((folder) => `lib/${folder}`);
  const files = linesWith(types, readers).map((line) => line.split(":")[0]);
  expect([...new Set(files)]).toEqual(["lib/terraform-json/resource-types.ts"]);
});

test("there is one index, the package's face: inside, an import names the file that has a thing", () => {
  expect(
    sources("lib")
      .map(({ file }) => file)
      .filter((file) => file.endsWith("/index.ts")),
  ).toEqual(["lib/index.ts"]);
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
    // Validations, which refuse an authority that has expired, or ends too soon, and change nothing of the output.
    "lib/x509/expiry.ts: return Date.now();",
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
  expect(
    imports.filter(
      (entry) => !/: (\.\.\/(table|components)|\.\/[a-z0-9-]+|\.\.\/\.\.\/(x509\/key-usage|errors))$/.test(entry),
    ),
  ).toEqual([]);
});
