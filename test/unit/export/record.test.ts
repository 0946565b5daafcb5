import fs, { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CA_CERT_REFERENCE,
  CA_KEY_REFERENCE,
  expectOneLine,
  exportState,
  file,
  filesBelow,
  folder,
  kubernetesPki,
  pkiState,
  put,
  recordsBelow,
  Result,
  SECRET,
  unprivileged,
} from "../cli/command";

const root = (path = ""): string => join(folder, "root", path);
const FILES = {
  "/etc/pki/a.crt": file(CA_CERT_REFERENCE),
  "/etc/pki/b.key": file(CA_KEY_REFERENCE, "0600"),
  "/etc/pki/c.crt": file(CA_CERT_REFERENCE),
};

/** A stack's state: of a PKI, when it has fingerprints of keys. */
function stateOf(
  files: object,
  { prefix = "prod", holder = "cp-1", keys = [] as string[] } = {},
): Record<string, unknown> {
  const state = pkiState({ [holder]: files }, prefix) as { values: { outputs: Record<string, unknown> } };
  if (keys.length > 0) {
    const fingerprints = keys.map((key, index) => [`kubernetes g${index + 1}`, key]);
    state.values.outputs[`${prefix}_certificates`] = { value: {} };
    state.values.outputs[`${prefix}_fingerprints`] = { value: Object.fromEntries(fingerprints) };
  }
  return state;
}

/** The files of the map but for some of them. */
const without = (...paths: string[]): object =>
  Object.fromEntries(Object.entries(FILES).filter(([path]) => !paths.includes(path)));
const B = "/etc/pki/b.key";
const C = "/etc/pki/c.crt";
/** What is said on stderr, but for the owners that only root can set. */
const notes = ({ err }: Result): string => err.replace(/^kubernetes-pki: owner .* was not set .*\n/m, "");
const obsolete = ({ out }: Result): string[] => out.split("\n").filter((line) => line.startsWith("- - "));

afterEach(() => jest.restoreAllMocks());

describe("a file that was exported once and is in the map no more", () => {
  beforeEach(() => exportState(stateOf(FILES)));

  test("is listed by every export, and stays", async () => {
    for (let turn = 0; turn < 2; turn++) {
      const result = await exportState(stateOf(without(B, C)));
      expect(result).toMatchObject({
        code: 0,
        out: `0644 root:root /etc/pki/a.crt unchanged\n- - ${B} obsolete\n- - ${C} obsolete\n`,
      });
      expect(notes(result)).toBe(
        "kubernetes-pki: 2 files written once, in the map no more: --prune deletes what is obsolete\n",
      );
    }
    expect(filesBelow(root())).toEqual(Object.keys(FILES));
  });

  test("is deleted by --prune, and then nobody speaks of it any more", async () => {
    const result = await exportState(stateOf(without(B, C)), "--prune");
    expect([result.code, notes(result)]).toEqual([0, ""]);
    expect(obsolete(result)).toEqual([`- - ${B} deleted`, `- - ${C} deleted`]);
    expect(filesBelow(root())).toEqual(["/etc/pki/a.crt"]);
    put(`root${B}`, "somebody's");
    expect(obsolete(await exportState(stateOf(without(B, C)), "--prune"))).toEqual([]);
    expect(readFileSync(root(B), "utf8")).toBe("somebody's");
  });

  test("is not listed when somebody has deleted it", async () => {
    rmSync(root(B));
    expect(obsolete(await exportState(stateOf(without(B, C))))).toEqual([`- - ${C} obsolete`]);
    put(`root${B}`, "somebody's");
    expect(obsolete(await exportState(stateOf(without(B, C)), "--prune"))).toEqual([`- - ${C} deleted`]);
    expect(filesBelow(root())).toContain(B);
  });

  test("is its own again when it comes back", async () => {
    await exportState(stateOf(without(B)));
    expect(obsolete(await exportState(stateOf(FILES), "--prune"))).toEqual([]);
    expect(filesBelow(root())).toEqual(Object.keys(FILES));
  });

  test("is listed when the stack has nothing for the holder any more, but for another stack's", async () => {
    put("other.json", stateOf({ "/other": file("other") }, { prefix: "other" }));
    const stdin = JSON.stringify(stateOf(FILES, { holder: "cp-2" }));
    const result = await kubernetesPki(["export", "--machine", "cp-1", "--root", "root", "other.json", "-"], { stdin });
    expect(obsolete(result)).toEqual(Object.keys(FILES).map((path) => `- - ${path} obsolete`));
  });

  test("is kept by --prune when a link has its place: what it leads to is somebody's", async () => {
    const elsewhere = put("elsewhere", "x");
    rmSync(root(B));
    symlinkSync(elsewhere, root(B));
    const result = await exportState(stateOf(without(B)), "--prune");
    expect(obsolete(result)).toEqual([`- - ${B} kept`]);
    expect(notes(result)).toBe(`kubernetes-pki: kept what --prune may not delete: ${root(B)} is no file any more\n`);
    expect(result.code).toBe(0);
    expect(fs.readlinkSync(root(B))).toBe(elsewhere);
  });

  test("is kept by --prune when a folder has its place", async () => {
    rmSync(root(B));
    put(`root${B}/inside`, "x");
    expect(obsolete(await exportState(stateOf(without(B)), "--prune"))).toEqual([`- - ${B} kept`]);
    expect(filesBelow(root())).toContain(`${B}/inside`);
  });

  test("is kept by --prune when it stands behind a link", async () => {
    renameSync(root("etc/pki"), join(folder, "elsewhere"));
    symlinkSync(join(folder, "elsewhere"), root("etc/pki"));
    const result = await exportState(stateOf({ "/a": file("a") }), "--prune");
    expect(obsolete(result)).toEqual(Object.keys(FILES).map((path) => `- - ${path} kept`));
    expect(result.err).toContain(`kept what --prune may not delete: ${root("etc/pki")} is a link to`);
    expect(filesBelow(join(folder, "elsewhere"))).toEqual(["/a.crt", "/b.key", "/c.crt"]);
  });

  test("is told when the system refuses to delete it", async () => {
    jest.spyOn(fs, "unlinkSync").mockImplementation((path) => {
      throw Object.assign(new Error(), { code: /b\.key$/.test(String(path)) ? "EPERM" : "ENOENT" });
    });
    expectOneLine(await exportState(stateOf(without(B)), "--prune"), `cannot delete ${root(B)}: not permitted`);
    jest.restoreAllMocks();
    expect(obsolete(await exportState(stateOf(without(B))))).toEqual([`- - ${B} obsolete`]);
  });
});

describe("--prune never deletes what this export did not write", () => {
  /** Expects that an export deletes and lists nothing that another one wrote before. */
  async function expectApart(
    first: Record<string, unknown>,
    second: Record<string, unknown>,
    who = ["--machine", "cp-1"],
  ): Promise<void> {
    const argv = ["export", ...who, "--root", "root", "--prune", "-"];
    await kubernetesPki(argv, { stdin: JSON.stringify(first) });
    const before = filesBelow(root());
    const result = await kubernetesPki(argv, { stdin: JSON.stringify(second) });
    expect([result.code, notes(result)]).toEqual([0, ""]);
    expect(obsolete(result)).toEqual([]);
    expect(filesBelow(root())).toEqual(expect.arrayContaining(before));
  }

  test("what stood there before", async () => {
    put("root/etc/pki/mine.crt", "mine");
    await exportState(stateOf(FILES), "--prune");
    expect(filesBelow(root())).toContain("/etc/pki/mine.crt");
  });

  test("of another cluster", () => expectApart(stateOf(FILES), stateOf({ "/x": file("x") }, { prefix: "staging" })));

  test("of another cluster of the same prefix, which has other keys", () =>
    expectApart(stateOf(FILES, { keys: ["k1", "k2"] }), stateOf({ "/x": file("x") }, { keys: ["k3"] })));

  test("of the same cluster's other stack, which has the same prefix", () =>
    expectApart(stateOf(FILES), stateOf({ "/x": file("x") }, { keys: ["k1"] })));

  test("of that stack, though the PKI publishes no fingerprints", () => {
    const pki = stateOf({ "/x": file("x") }, { keys: ["k1"] }) as { values: { outputs: Record<string, unknown> } };
    delete pki.values.outputs["prod_fingerprints"];
    return expectApart(stateOf(FILES), { ...pki });
  });

  test("of another holder", async () => {
    await exportState(stateOf(FILES));
    const stdin = JSON.stringify(stateOf({ "/x": file("x") }, { holder: "worker" }));
    const result = await kubernetesPki(["export", "--worker", "--root", "root", "--prune", "-"], { stdin });
    expect(result).toMatchObject({ code: 0, out: "0644 root:root /x written\n" });
    expect(notes(result)).toBe("");
    expect(filesBelow(root())).toEqual([...Object.keys(FILES), "/x"]);
  });

  test("and that of another holder which both wrote", async () => {
    await exportState(stateOf(FILES));
    const argv = ["export", "--worker", "--root", "root", "--prune", "-"];
    await kubernetesPki(argv, { stdin: JSON.stringify(stateOf(FILES, { holder: "worker" })) });
    const stdin = JSON.stringify(stateOf(without(B), { holder: "worker" }));
    expect(obsolete(await kubernetesPki(argv, { stdin }))).toEqual([]);
    // The last who has it deletes it.
    expect(obsolete(await exportState(stateOf(without(B)), "--prune"))).toEqual([]);
    expect(filesBelow(root())).toEqual(Object.keys(FILES));
  });

  test("what a failed export did not come to write, though it is there later", async () => {
    const { renameSync } = fs;
    jest.spyOn(fs, "renameSync").mockImplementation((from, to) => {
      if (/b\.key$/.test(String(to))) {
        throw Object.assign(new Error(), { code: "EPERM" });
      }
      renameSync(from, to);
    });
    expectOneLine(await exportState(stateOf(FILES)), `cannot write ${root(B)}: not permitted`);
    jest.restoreAllMocks();
    put(`root${B}`, "somebody's");
    expect(obsolete(await exportState(stateOf({ "/x": file("x") }), "--prune"))).toEqual([
      "- - /etc/pki/a.crt deleted",
    ]);
    expect(filesBelow(root())).toEqual([B, "/x"]);
  });
});

describe("the keys of a cluster change, and it is the same cluster", () => {
  test("while one of them stays from one export to the next", async () => {
    await exportState(stateOf(FILES, { keys: ["k1", "k2"] }));
    await exportState(stateOf(FILES, { keys: ["k2", "k3"] }));
    const result = await exportState(stateOf(without(B), { keys: ["k3", "k4"] }), "--prune");
    expect(obsolete(result)).toEqual([`- - ${B} deleted`]);
    expect(recordsBelow(root())).toHaveLength(1);
  });
});

describe("the record", () => {
  const record = (): string => root(recordsBelow(root())[0]);
  const changed = (change: object): void => {
    const value = JSON.parse(readFileSync(record(), "utf8")) as object;
    writeFileSync(record(), JSON.stringify({ ...value, ...change }));
  };

  test("holds names, for who ran the export alone, beside the files of a machine", async () => {
    process.umask(0);
    await exportState(stateOf(FILES, { keys: ["k1"] }));
    process.umask(0o022);
    expect(recordsBelow(root())).toEqual([
      expect.stringMatching(/^\/var\/lib\/kubernetes-pki\/prod-cp-1-[0-9a-f]{12}\.json$/),
    ]);
    expect((statSync(record()).mode & 0o777).toString(8)).toBe("600");
    expect((statSync(root("var/lib/kubernetes-pki")).mode & 0o777).toString(8)).toBe("700");
    const text = readFileSync(record(), "utf8");
    expect(JSON.parse(text)).toEqual({
      version: 1,
      prefix: "prod",
      stack: "pki",
      holder: "cp-1",
      fingerprints: ["k1"],
      files: Object.keys(FILES),
    });
    expect(text).not.toContain(SECRET);
  });

  test("stands in a folder of the operator's own, whose root is no machine's", async () => {
    const stdin = JSON.stringify(stateOf({ "/admin.conf": file("x", "0600") }, { holder: "operator" }));
    await kubernetesPki(["export", "--operator", "--root", "root", "-"], { stdin });
    expect(recordsBelow(root())).toEqual([
      expect.stringMatching(/^\/\.kubernetes-pki\/prod-operator-[0-9a-f]{12}\.json$/),
    ]);
  });

  test("is left as it is when nothing has changed", async () => {
    await exportState(stateOf(FILES));
    const before = statSync(record());
    await exportState(stateOf(FILES));
    expect(statSync(record())).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  test("stays in its folder whatever a machine is called in a state", async () => {
    const holder = "../../../evil";
    const stdin = JSON.stringify(stateOf(FILES, { holder }));
    expect(await kubernetesPki(["export", "--machine", holder, "--root", "root", "-"], { stdin })).toMatchObject({
      code: 0,
    });
    expect(recordsBelow(root())).toHaveLength(1);
    expect(filesBelow(folder)).toEqual(Object.keys(FILES).map((path) => `/root${path}`));
  });

  test("is gone with the last file that it names", async () => {
    await unprivileged(async () => {
      mkdirSync(root("etc"), { recursive: true });
      fs.chmodSync(root("etc"), 0o555);
      expectOneLine(await exportState(stateOf(FILES)), "permission denied");
    });
    expect(recordsBelow(root())).toEqual([]);
  });

  test.each([
    ["is no JSON", () => writeFileSync(record(), "{")],
    ["is of a later version", () => changed({ version: 2 })],
    ["names no files", () => changed({ files: "x" })],
    ["names something else than paths", () => changed({ files: [7] })],
    ["names a path out of the root", () => changed({ files: ["/../elsewhere"] })],
    ["is of an unknown stack", () => changed({ stack: "x" })],
    ["has no holder", () => changed({ holder: 1 })],
  ])("is refused when it %s, and nothing is written or deleted", async (_, change) => {
    put("elsewhere", "x");
    await exportState(stateOf(FILES));
    change();
    const result = await exportState(stateOf({ "/x": file("x") }), "--prune");
    expectOneLine(result, `cannot write ${record()}: it should list what was exported`);
    expect(filesBelow(folder)).toEqual(["/elsewhere", ...Object.keys(FILES).map((path) => `/root${path}`)]);
  });
});

test("of temporary files, only those are removed that an export for the same holder left", async () => {
  await exportState(stateOf(FILES));
  const id = /-([0-9a-f]{12})\.json$/.exec(recordsBelow(root())[0]!)![1]!;
  const uuid = "0f0f0f0f-1111-4222-8333-444444444444";
  const named = (owner: string): string => `/etc/pki/.a.crt.${owner}-${uuid}.tmp`;
  const others = [
    named("0123456789ab"),
    `/etc/pki/.a.crt.${uuid}.tmp`,
    `/etc/pki/a.crt.${id}-${uuid}.tmp`,
    `/elsewhere${named(id)}`,
  ];
  [...others, named(id)].forEach((path) => put(`root${path}`, "x"));
  symlinkSync("/etc/passwd", root(named(id).replace("a.crt", "b.key")));
  mkdirSync(root(named(id).replace("a.crt", "c.crt")));
  expect(notes(await exportState(stateOf(FILES)))).toBe(
    "kubernetes-pki: removed 1 temporary file of a run that did not end\n",
  );
  expect(filesBelow(root())).toEqual([...Object.keys(FILES), ...others].sort());
  expect(fs.readlinkSync(root(named(id).replace("a.crt", "b.key")))).toBe("/etc/passwd");
});

test("an export whose temporary files another one for the same holder took for left ones says so", async () => {
  const { renameSync } = fs;
  jest.spyOn(fs, "renameSync").mockImplementation((from, to) => {
    if (/a\.crt$/.test(String(to))) {
      fs.rmSync(from);
    }
    renameSync(from, to);
  });
  expectOneLine(
    await exportState(stateOf(FILES)),
    "another export for the same holder runs at the same time: run this one again",
  );
});
