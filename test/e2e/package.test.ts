import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { attempt, run } from "../sandbox/command";

jest.setTimeout(600_000);

const ROOT = path.join(__dirname, "..", "..");
const README = readFileSync(path.join(ROOT, "README.md"), "utf8");
const EXAMPLES = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

const PAGE = readFileSync(path.join(ROOT, "docs", "projects.md"), "utf8");
const PAGES = ["projects", "people", "tokens"].map((page) =>
  readFileSync(path.join(ROOT, "docs", `${page}.md`), "utf8"),
);
const PROGRAMS = [...PAGES.join("\n").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

const folder = mkdtempSync(path.join(tmpdir(), "package-"));
const project = path.join(folder, "project");
let packed: string[];
let tarball: string;
const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--silent"];

// A project with nothing in it but what the README tells to install.
beforeAll(async () => {
  const [{ filename, files }] = JSON.parse(
    await run("npm", ["pack", "--json", "--silent", "--pack-destination", folder], { cwd: ROOT }),
  ) as [{ filename: string; files: { path: string }[] }];
  packed = files.map((file) => file.path);
  tarball = filename;
  const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const versions = ["cdktf", "constructs", "typescript", "@types/node", ...PROVIDERS].map(
    (name) => `${name}@${manifest.devDependencies[name]}`,
  );
  mkdirSync(project);
  writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "blank", private: true }));
  await run("npm", ["install", ...QUIET, path.join(folder, filename), ...versions], { cwd: project });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROVIDERS = ["tls", "kubernetes", "random", "time"].map((name) => `@cdktf/provider-${name}`);

test("holds the library and its types, and neither tests nor sources", () => {
  expect(packed).toEqual(
    expect.arrayContaining(["LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "package.json"]),
  );
  expect(packed).toEqual(expect.arrayContaining(["dist/lib/index.js", "dist/lib/index.d.ts", "dist/lib/cli/main.js"]));
  expect(packed.filter((file) => /test|stacks|\.tsx?$/.test(file.replace(/\.d\.ts$/, "")))).toEqual([]);
});

test("every link of a packed page leads to a heading or a file that is packed, too", () => {
  const pages = packed.filter((file) => file.endsWith(".md"));
  expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/distributions.md", "docs/errors.md"]));
  const installed = path.join(project, "node_modules", "cdktf-kubernetes-pki");
  const textOf = (page: string) => readFileSync(path.join(installed, page), "utf8").replace(/```[\s\S]*?```/g, "");
  const links = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ page, target: target! })),
  );
  const broken = links.filter(({ page, target }) => {
    if (/^https?:/.test(target)) {
      return false;
    }
    const [file, anchor] = target.split("#");
    const found = file ? path.posix.join(path.posix.dirname(page), file) : page;
    return !packed.includes(found) || (anchor !== undefined && !anchorsOf(textOf(found)).includes(anchor));
  });
  expect(links.length).toBeGreaterThan(10);
  expect(broken).toEqual([]);
});

/** The anchors of a page's headings, as code hosts make them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** Writes programs into a folder of the project, of modules of that type, and has them compiled. */
async function compile(name: string, programs: readonly string[], type = "commonjs"): Promise<string> {
  mkdirSync(path.join(project, name), { recursive: true });
  if (type === "module") {
    writeFileSync(path.join(project, name, "package.json"), JSON.stringify({ type }));
  }
  const files = programs.map((code, index) => {
    const file = path.join(name, `example-${index}.ts`);
    writeFileSync(path.join(project, file), code);
    return file;
  });
  const options = [
    "--strict",
    "--module",
    "nodenext",
    "--moduleResolution",
    "nodenext",
    "--target",
    "es2022",
    "--skipLibCheck",
  ];
  return (await attempt("npx", ["tsc", ...options, ...files], { cwd: project })).stdout;
}

test("every example of the README compiles as it stands", async () => {
  expect(EXAMPLES.length).toBeGreaterThanOrEqual(4);
  expect(await compile(".", EXAMPLES)).toBe("");
});

test("every program of docs/projects.md, docs/people.md and docs/tokens.md compiles and runs as it stands", async () => {
  expect(PROGRAMS.length).toBeGreaterThanOrEqual(8);
  expect(await compile("programs", PROGRAMS)).toBe("");
  for (const index of PROGRAMS.keys()) {
    await run("node", [`example-${index}.js`], { cwd: path.join(project, "programs") });
  }
});

test("the program for ECMAScript modules runs as one, and one without the whole names of files does not compile", async () => {
  const modules = PROGRAMS.filter((code) => code.includes("/index.js"));
  expect(modules).toHaveLength(1);
  expect(await compile("modules", modules, "module")).toBe("");
  await run("node", ["example-0.js"], { cwd: path.join(project, "modules") });
  expect(existsSync(path.join(project, "modules/cdktf.out/stacks/prod-pki/pki-inventory.json"))).toBe(true);
  const bare = modules.map((code) => code.replace("/index.js", ""));
  expect(await compile("bare", bare, "module")).toContain("error TS2307");
});

test("with the package.json for CDK Terrain the same programs run on it", async () => {
  const terrain = path.join(folder, "terrain");
  const [, text] = /```json\n([\s\S]*?)```/.exec(PAGE)!;
  const manifest = JSON.parse(text!) as { dependencies: Record<string, string> };
  manifest.dependencies["cdktf-kubernetes-pki"] = `file:${path.join(folder, tarball)}`;
  mkdirSync(terrain);
  writeFileSync(path.join(terrain, "package.json"), JSON.stringify({ ...manifest, private: true }));
  await run("npm", ["install", ...QUIET], { cwd: terrain });
  const core = readFileSync(path.join(terrain, "node_modules/cdktf/package.json"), "utf8");
  expect(JSON.parse(core)).toMatchObject({ name: "cdktn" });
  expect(await compile("for-terrain", PROGRAMS)).toBe("");
  for (const index of PROGRAMS.keys()) {
    const file = `example-${index}.js`;
    copyFileSync(path.join(project, "for-terrain", file), path.join(terrain, file));
    await run("node", [file], { cwd: terrain });
  }
});

test("the first example synthesizes as it stands", async () => {
  await run("node", ["example-0.js"], { cwd: project });
  const file = path.join(project, "cdktf.out", "stacks", "prod-pki", "cdk.tf.json");
  const { resource, terraform } = JSON.parse(readFileSync(file, "utf8")) as {
    resource: Record<string, object>;
    terraform: { backend: unknown };
  };
  expect(Object.keys(resource["tls_self_signed_cert"]!)).toEqual([
    "prod__ca__etcd__g1",
    "prod__ca__front-proxy__g1",
    "prod__ca__kubernetes__g1",
  ]);
  expect(Object.keys(resource["tls_locally_signed_cert"]!)).toHaveLength(13);
  expect(terraform.backend).toEqual({ local: { path: "../../../prod-pki.tfstate" } });
});

test("the example of a platform synthesizes as it stands", async () => {
  await run("node", ["example-1.js"], { cwd: project });
  expect(existsSync(path.join(project, "cdktf.out", "stacks", "prod-access", "cdk.tf.json"))).toBe(true);
});

test("the command is installed", async () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  expect((await run("npx", ["--no-install", "kubernetes-pki", "--version"], { cwd: project })).trim()).toBe(version);
});
