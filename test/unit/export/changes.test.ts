import fs, { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Changes } from "../../../lib/export/changes";
import {
  CA_CERT_REFERENCE,
  CA_KEY_REFERENCE,
  CP_1,
  expectOneLine,
  exportState,
  file,
  filesBelow,
  folder,
  kubernetesPki,
  pkiState,
  put,
  recordsBelow,
} from "../cli/command";

const CRT = "/etc/kubernetes/pki/ca.crt";
const KEY = "/etc/kubernetes/pki/ca.key";
const CONFIG = "/etc/kubernetes/cluster-configuration.yaml";
const root = (path = ""): string => join(folder, "root", path);

type Consumer = readonly [component: string, via: string, onChange: string];

/** An inventory in which a file of cp-1 is read by somebody. */
function inventory(files: Readonly<Record<string, readonly Consumer[]>>, more: object = {}): object {
  return {
    schemaVersion: 2,
    stack: "prod-pki",
    entries: Object.entries(files).map(([path, consumers]) => ({
      kind: "authority",
      cluster: "pki",
      name: "kubernetes",
      generation: "g1",
      state: "active",
      path: "prod-pki/pki",
      addresses: [],
      sans: [],
      files: [
        {
          holder: "cp-1",
          path,
          kind: path.endsWith("crt") ? "bundle" : "private key",
          consumers: consumers.map(([component, via, onChange]) => ({ component, via, onChange })),
        },
      ],
      ...more,
    })),
  };
}

const READERS = {
  [CRT]: [
    ["kube-apiserver", "--client-ca-file", "reload"],
    ["kube-controller-manager", "--root-ca-file", "restart"],
    ["kubectl", "--certificate-authority", "next-use"],
  ],
  [KEY]: [["kube-controller-manager", "--cluster-signing-key-file", "reload"]],
} as const;

const ARGV = ["--changes", "json", "--inventory", "pki-inventory.json"];

async function changesOf(state: unknown, ...more: string[]): Promise<Changes> {
  const { code, out, err } = await exportState(state, ...ARGV, ...more);
  expect({ code, err }).toMatchObject({ code: 0 });
  return JSON.parse(out) as Changes;
}

const acted = ({ components }: Changes) =>
  components.map(
    ({ action, component, holders, files }) => `${action} ${component} on ${holders.join()}: ${files.join()}`,
  );
const became = ({ files }: Changes) => files.map(({ path, change }) => `${path} ${change}`);

beforeEach(() => put("pki-inventory.json", inventory(READERS)));

describe("what an export says of its changes", () => {
  test("is each file that was written, who reads it, and what that has to do", async () => {
    expect(await changesOf(pkiState({ "cp-1": CP_1 }))).toEqual({
      schemaVersion: 1,
      holder: "cp-1",
      unchanged: 0,
      files: [
        {
          cluster: "pki",
          path: CRT,
          change: "written",
          kind: "bundle",
          consumers: [
            { component: "kube-apiserver", via: "--client-ca-file", onChange: "reload" },
            { component: "kube-controller-manager", via: "--root-ca-file", onChange: "restart" },
            { component: "kubectl", via: "--certificate-authority", onChange: "next-use" },
          ],
        },
        {
          cluster: "pki",
          path: KEY,
          change: "written",
          kind: "private key",
          consumers: [{ component: "kube-controller-manager", via: "--cluster-signing-key-file", onChange: "reload" }],
        },
      ],
      components: [
        {
          cluster: "pki",
          component: "kube-controller-manager",
          action: "restart",
          holders: ["cp-1"],
          files: [CRT],
        },
        { cluster: "pki", component: "kube-apiserver", action: "reload", holders: ["cp-1"], files: [CRT] },
      ],
    });
  });

  test("is nothing where all was right", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    expect(await changesOf(pkiState({ "cp-1": CP_1 }))).toEqual({
      schemaVersion: 1,
      holder: "cp-1",
      unchanged: 2,
      files: [],
      components: [],
    });
  });

  test("is the one file that was another", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    writeFileSync(root(KEY), "another");
    const changes = await changesOf(pkiState({ "cp-1": CP_1 }));
    expect(became(changes)).toEqual([`${KEY} written`]);
    expect(changes.unchanged).toBe(1);
    expect(acted(changes)).toEqual([`reload kube-controller-manager on cp-1: ${KEY}`]);
  });

  test("a file of another mode has nobody restarted", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    fs.chmodSync(root(CRT), 0o600);
    const changes = await changesOf(pkiState({ "cp-1": CP_1 }));
    expect(became(changes)).toEqual([`${CRT} corrected`]);
    expect(acted(changes)).toEqual([]);
  });

  test("a file that is gone from the map is obsolete, then deleted; an inventory that still has it tells who read it", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    const less = pkiState({ "cp-1": { [KEY]: file(CA_KEY_REFERENCE, "0600") } });
    put("pki-inventory.json", inventory({ [KEY]: READERS[KEY] }));
    const obsolete = await changesOf(less);
    expect(obsolete).toMatchObject({ unchanged: 1, files: [{ path: CRT, change: "obsolete" }], components: [] });
    put("before.json", inventory({ [CRT]: READERS[CRT] }));
    const deleted = await changesOf(less, "--prune", "--inventory", "before.json");
    expect(became(deleted)).toEqual([`${CRT} deleted`]);
    expect(acted(deleted)).toEqual([
      `restart kube-controller-manager on cp-1: ${CRT}`,
      `reload kube-apiserver on cp-1: ${CRT}`,
    ]);
  });

  test("a deleted file that no inventory has is told without readers", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    put("pki-inventory.json", inventory({ [KEY]: READERS[KEY] }));
    const changes = await changesOf(pkiState({ "cp-1": { [KEY]: file(CA_KEY_REFERENCE, "0600") } }), "--prune");
    expect(changes.files).toEqual([{ path: CRT, change: "deleted" }]);
  });

  test("a file of literal text needs no inventory: nothing of the state is in it", async () => {
    const changes = await changesOf(pkiState({ "cp-1": { ...CP_1, [CONFIG]: file("kind: ClusterConfiguration\n") } }));
    expect(changes.files.find(({ path }) => path === CONFIG)).toEqual({
      cluster: "pki",
      path: CONFIG,
      change: "written",
    });
  });

  test("goes to a file where one is named, and the list to stdout", async () => {
    const argv = [...ARGV, "--changes-file", "changes.json"];
    const { code, out } = await exportState(pkiState({ "cp-1": CP_1 }), ...argv);
    expect({ code, out }).toEqual({
      code: 0,
      out: `0644 root:root ${CRT} written\n0600 root:root ${KEY} written\n`,
    });
    expect(JSON.parse(readFileSync(join(folder, "changes.json"), "utf8"))).toMatchObject({ holder: "cp-1" });
  });

  test("of an archive: every file counts as written", async () => {
    const argv = ["export", "--machine", "cp-1", "--tar", "-", ...ARGV, "--changes-file", "changes.json"];
    // What goes to stdout is an archive of keys, and no text.
    const archive: Buffer[] = [];
    const result = await kubernetesPki(argv, {
      stdin: JSON.stringify(pkiState({ "cp-1": CP_1 })),
      stdout: (output) => archive.push(Buffer.from(output)),
    });
    expect(result).toMatchObject({ code: 0, err: "" });
    expect(Buffer.concat(archive).subarray(0, 26).toString()).toBe("etc/kubernetes/pki/ca.crt\0");
    const changes = JSON.parse(readFileSync(join(folder, "changes.json"), "utf8")) as Changes;
    expect(changes).toMatchObject({ withoutBefore: true, unchanged: 0 });
    expect(became(changes)).toEqual([`${CRT} written`, `${KEY} written`]);
    expect(acted(changes)).toEqual([
      `restart kube-controller-manager on cp-1: ${CRT}`,
      `reload kube-apiserver on cp-1: ${CRT}`,
    ]);
  });
});

describe("an export that cannot say who reads a file writes nothing", () => {
  afterEach(() => expect(existsSync(root())).toBe(false));

  test("without an inventory", async () => {
    const result = await exportState(pkiState({ "cp-1": CP_1 }), "--changes", "json");
    expectOneLine(result, `without an inventory nobody knows who reads ${CRT} of cp-1, and 1 more`);
    expect(result.err).toContain("give --inventory for each stack");
  });

  test.each([
    ["another cluster", { cluster: "other" }],
    ["another machine", { files: [{ holder: "cp-2", path: CRT, kind: "bundle", consumers: [] }] }],
  ])("with the inventory of %s", async (_, more) => {
    put("pki-inventory.json", inventory(READERS, more));
    const result = await exportState(pkiState({ "cp-1": CP_1 }), ...ARGV);
    expectOneLine(result, `the inventory of prod-pki does not say who reads ${CRT} of cp-1, and 1 more`);
  });

  test("with one that lacks a file", async () => {
    put("pki-inventory.json", inventory({ [CRT]: [] }));
    expectOneLine(await exportState(pkiState({ "cp-1": CP_1 }), ...ARGV), `who reads ${KEY} of cp-1;`);
  });

  test.each([
    ["one that is missing", undefined, "cannot read pki-inventory.json: "],
    ["one that is cut short", '{"schemaVersion": 2, "entries": [', "is no inventory"],
    ["a state", pkiState({}), "is no inventory"],
    ["one of another version", { ...inventory(READERS), schemaVersion: 1 }, "another schemaVersion"],
    ["one that knows of another change", inventory({ [CRT]: [["kubelet", "--x", "never"]] }), "is no inventory"],
  ])("with %s", async (_, content, text) => {
    rmSync(join(folder, "pki-inventory.json"));
    if (content !== undefined) {
      put("pki-inventory.json", content);
    }
    expectOneLine(await exportState(pkiState({ "cp-1": CP_1 }), ...ARGV), text);
  });

  test.each([
    [["--inventory", "pki-inventory.json"], "--inventory is for --changes json"],
    [["--changes-file", "changes.json"], "--changes-file is for --changes json"],
    [["--changes", "json", "--changes-file", ""], "--changes-file is empty"],
    [["--changes", "yaml"], "Allowed choices are json"],
  ])("with %j", async (argv, text) => {
    expectOneLine(await exportState(pkiState({ "cp-1": CP_1 }), ...argv), text);
  });

  test("with an archive on stdout and no file for the rest", async () => {
    const argv = ["export", "--machine", "cp-1", "--tar", "-", ...ARGV];
    const result = await kubernetesPki(argv, { stdin: JSON.stringify(pkiState({ "cp-1": CP_1 })) });
    expectOneLine(result, "give --changes a file with --changes-file");
  });
});

describe("what nobody was told of", () => {
  /** An export that fails when it renames the key, or cannot write what it says. */
  async function interrupted(...more: string[]): Promise<void> {
    const rename = fs.renameSync;
    const spy = jest.spyOn(fs, "renameSync").mockImplementation((from, to) => {
      if (String(to).endsWith("/ca.key")) {
        throw Object.assign(new Error(), { code: "EIO" });
      }
      rename(from, to);
    });
    const { code } = await exportState(pkiState({ "cp-1": CP_1 }), ...more);
    spy.mockRestore();
    expect(code).toBe(1);
    expect(filesBelow(root())).toEqual([CRT]);
  }

  test.each([[[]], [ARGV]])("by a run with %j that did not end, the next one tells", async (more) => {
    await interrupted(...more);
    const changes = await changesOf(pkiState({ "cp-1": CP_1 }));
    expect(changes.files).toMatchObject([
      { path: CRT, change: "written", earlier: true },
      { path: KEY, change: "written" },
    ]);
    expect(changes.files[1]).not.toHaveProperty("earlier");
    expect(acted(changes)[0]).toBe(`restart kube-controller-manager on cp-1: ${CRT}`);
    expect(await changesOf(pkiState({ "cp-1": CP_1 }))).toMatchObject({ files: [], components: [], unchanged: 2 });
  });

  test("a run in between that tells of no components leaves it to one that does", async () => {
    await interrupted();
    expect(await exportState(pkiState({ "cp-1": CP_1 }))).toMatchObject({ code: 0 });
    const changes = await changesOf(pkiState({ "cp-1": CP_1 }));
    expect(changes.files).toMatchObject([{ path: CRT, change: "written", earlier: true }]);
    expect(changes.unchanged).toBe(1);
  });

  test("is told again where the file for it could not be written", async () => {
    const argv = [...ARGV, "--changes-file", "missing/changes.json"];
    expectOneLine(await exportState(pkiState({ "cp-1": CP_1 }), ...argv), "cannot write missing/changes.json: ");
    const changes = await changesOf(pkiState({ "cp-1": CP_1 }));
    expect(changes.files).toMatchObject([{ earlier: true }, { earlier: true }]);
  });

  test("nothing, once it was told: the record names no such file", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    const [record] = recordsBelow(root());
    expect(JSON.parse(readFileSync(root(record), "utf8"))).not.toHaveProperty("untold");
  });

  test("a record whose list of them is no list is refused", async () => {
    await changesOf(pkiState({ "cp-1": CP_1 }));
    const [record] = recordsBelow(root());
    const text = JSON.parse(readFileSync(root(record), "utf8")) as object;
    writeFileSync(root(record), JSON.stringify({ ...text, untold: 1 }));
    expectOneLine(await exportState(pkiState({ "cp-1": CP_1 }), ...ARGV), "it should list what was exported");
  });
});

test("the inventory that lies beside a stack's cdk.tf.json needs not be named", async () => {
  put("stack/pki.json", pkiState({ "cp-1": { [CRT]: file(CA_CERT_REFERENCE) } }));
  put("stack/cdk.tf.json", {});
  put("stack/pki-inventory.json", inventory({ [CRT]: READERS[CRT] }));
  put("bin/terraform", `#!/bin/sh\ncat pki.json\n`);
  fs.chmodSync(join(folder, "bin/terraform"), 0o755);
  const argv = ["export", "--machine", "cp-1", "--root", "root", "--changes", "json", "stack"];
  const env = { TERRAFORM_BINARY_NAME: join(folder, "bin/terraform") };
  const { code, out } = await kubernetesPki(argv, { env });
  expect(code).toBe(0);
  expect(became(JSON.parse(out) as Changes)).toEqual([`${CRT} written`]);
});
