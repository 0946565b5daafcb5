import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Changes } from "../../../lib/export/changes";
import {
  CA_CERT,
  CA_CERT_REFERENCE,
  CA_KEY,
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
} from "../cli/command";

const SERVER = "/var/lib/rancher/k3s/server";
const CRT = `${SERVER}/tls/server-ca.crt`;
const KEY = `${SERVER}/tls/etcd/peer-ca.key`;
const TOKEN = "/etc/rancher/k3s/token";
const START = { command: "k3s certificate rotate-ca", folder: SERVER, madeAtStart: `${SERVER}/cred` };

/** What a server of K3s has: two files for its first start, and one that may change. */
const FILES = {
  [TOKEN]: file({ ref: "tls_self_signed_cert.pki__ca.cert_pem" }, "0600"),
  [CRT]: { ...file(CA_CERT_REFERENCE), firstStartOnly: START },
  [KEY]: { ...file(CA_KEY_REFERENCE, "0600"), firstStartOnly: START },
};
const STATE = pkiState({ "cp-1": FILES, worker: { [TOKEN]: FILES[TOKEN] } });

const root = (path = ""): string => join(folder, "root", path);
const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const written = (...paths: string[]) => paths.map((path) => expect.stringContaining(`${path} written`) as string);
const linesOf = (text: string) => text.trim().split("\n");

describe("a file that a first start alone reads", () => {
  test("is written where there is nothing, and may be there already", async () => {
    const first = await exportState(STATE);
    expect(linesOf(first.out)).toEqual(written(TOKEN, KEY, CRT));
    expect(await exportState(STATE)).toMatchObject({ code: 0, err: "" });
  });

  test("is written after a run that was killed before it", async () => {
    put(`root${CRT}`, CA_CERT);
    expect(await exportState(STATE)).toMatchObject({ code: 0 });
    expect(read(`root${KEY}`)).toBe(CA_KEY);
  });

  test("that is right may stand beside a server that was started, and other files go there", async () => {
    await exportState(STATE);
    mkdirSync(root(START.madeAtStart));
    put(`root${TOKEN}`, "older");
    expect(linesOf((await exportState(STATE)).out)).toEqual([
      expect.stringContaining(`${TOKEN} written`),
      expect.stringContaining(`${KEY} unchanged`),
      expect.stringContaining(`${CRT} unchanged`),
    ]);
  });

  test("gets another mode and keeps its time, by which the server compares it", async () => {
    await exportState(STATE);
    mkdirSync(root(START.madeAtStart));
    const before = statSync(root(KEY));
    execFileSync("chmod", ["640", root(KEY)]);
    expect((await exportState(STATE)).out).toContain(`${KEY} corrected`);
    const { mode, mtimeMs } = statSync(root(KEY));
    expect({ mode: mode & 0o777, mtimeMs }).toEqual({ mode: 0o600, mtimeMs: before.mtimeMs });
  });
});

describe("an export that would overwrite one writes nothing at all", () => {
  let before: readonly string[];
  const texts = () => filesBelow(root()).map((path) => `${path}: ${readFileSync(root(path), "utf8")}`);

  beforeEach(() => put(`root${TOKEN}`, "older"));

  async function expectRefused(text: string, ...more: string[]): Promise<void> {
    before = texts();
    const result = await exportState(STATE, ...more);
    expectOneLine(result, text);
    expect(result.err).toContain("export with --rotate-ca into another folder");
    expect(result.err).toContain("run k3s certificate rotate-ca --path");
    expect(result.err).toContain("nothing was written");
    expect(texts()).toEqual(before);
    expect(existsSync(root("/var/lib/kubernetes-pki"))).toBe(false);
  }

  test("where another file stands, in a folder from which files are copied, too", async () => {
    put(`root${CRT}`, "another generation");
    await expectRefused(`another file stands at ${root(CRT)}`);
  });

  test("where the server was started, whatever its datastore is", async () => {
    put(`root${CRT}`, "another generation");
    mkdirSync(root(START.madeAtStart));
    await expectRefused(`${root(START.madeAtStart)} says that it was started`);
  });

  test("where it was started and the file is gone, though the user says otherwise", async () => {
    put(`root${START.madeAtStart}/passwd`, "");
    await expectRefused(`${root(START.madeAtStart)} says that it was started`, "--first-start");
  });

  test("where a link stands in the place of the folder", async () => {
    mkdirSync(root(SERVER), { recursive: true });
    symlinkSync("/nowhere", root(START.madeAtStart));
    await expectRefused(`${root(START.madeAtStart)} says that it was started`);
  });

  test("where a link stands in the file's own place", async () => {
    mkdirSync(root(`${SERVER}/tls`), { recursive: true });
    symlinkSync("elsewhere.crt", root(CRT));
    await expectRefused(`another file stands at ${root(CRT)}`);
  });

  test("and it says how to go on where no server was ever started", async () => {
    put(`root${CRT}`, "another generation");
    await expectRefused("if it was never started, say so with --first-start");
    expect(await exportState(STATE, "--first-start")).toMatchObject({ code: 0 });
    expect(read(`root${CRT}`)).toBe(CA_CERT);
  });

  test.each([
    ["no object", "k3s"],
    ["a part", { command: START.command, folder: SERVER }],
    ["a command of a shell", { ...START, command: "k3s; rm -rf /" }],
    ["a relative folder", { ...START, folder: "server" }],
  ])("where the map says it in a way that is not known: %s", async (_, firstStartOnly) => {
    const state = pkiState({ "cp-1": { [CRT]: { ...file(CA_CERT_REFERENCE), firstStartOnly } } });
    expectOneLine(await exportState(state), `${CRT} in a way that is not known here`);
  });
});

describe("--rotate-ca", () => {
  const rotate = (state: unknown, ...more: string[]) => {
    const argv = ["export", "--machine", "cp-1", "--rotate-ca", "--root", "rotate", ...more, "-"];
    return kubernetesPki(argv, { stdin: JSON.stringify(state) });
  };

  test("writes those files alone, each where the command looks for it, for root's eyes", async () => {
    const { code, out } = await rotate(STATE);
    expect({ code, lines: linesOf(out) }).toEqual({
      code: 0,
      lines: written("/tls/etcd/peer-ca.key", "/tls/server-ca.crt"),
    });
    expect(filesBelow(join(folder, "rotate"))).toEqual(["/tls/etcd/peer-ca.key", "/tls/server-ca.crt"]);
    expect(read("rotate/tls/server-ca.crt")).toBe(CA_CERT);
    expect(["rotate", "rotate/tls"].map((path) => statSync(join(folder, path)).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  test("replaces what an earlier rotation left there, and prunes what is gone", async () => {
    await rotate(STATE);
    writeFileSync(join(folder, "rotate/tls/server-ca.crt"), "another generation");
    const less = pkiState({ "cp-1": { [CRT]: FILES[CRT] } });
    expect(linesOf((await rotate(less, "--prune")).out)).toEqual([
      expect.stringContaining("/tls/server-ca.crt written"),
      "- - /tls/etcd/peer-ca.key deleted",
    ]);
  });

  test("writes an archive of them", async () => {
    const chunks: Buffer[] = [];
    const argv = ["export", "--machine", "cp-1", "--rotate-ca", "--tar", "-"];
    const stdout = (output: string | Uint8Array) => void chunks.push(Buffer.from(output));
    expect(await kubernetesPki(argv, { stdin: JSON.stringify(STATE), stdout })).toMatchObject({ code: 0, err: "" });
    expect(
      execFileSync("tar", ["-t"], { input: Buffer.concat(chunks), encoding: "utf8" })
        .trim()
        .split("\n"),
    ).toEqual(["tls/", "tls/etcd/", "tls/etcd/peer-ca.key", "tls/server-ca.crt"]);
  });

  test("tells which component reads the files once the command took them, by the places that it has for them", async () => {
    const consumers = [{ component: "k3s", via: "--data-dir", onChange: "restart" }];
    const files = [CRT, KEY].map((path) => ({ holder: "cp-1", path, kind: "bundle", consumers }));
    const entry = { kind: "authority", cluster: "pki", name: "server", path: "pki", addresses: [], files };
    put("inventory.json", { schemaVersion: 2, stack: "pki", entries: [entry] });
    const { out } = await rotate(STATE, "--changes", "json", "--inventory", "inventory.json");
    const { files: changed, components } = JSON.parse(out) as Changes;
    expect(changed.map(({ path, change }) => `${path} ${change}`)).toEqual([`${KEY} written`, `${CRT} written`]);
    expect(components).toMatchObject([{ component: "k3s", action: "restart", holders: ["cp-1"], files: [KEY, CRT] }]);
  });

  test("refuses the folder that the server itself uses", async () => {
    put(`rotate/cred/passwd`, "");
    put("rotate/tls/server-ca.crt", "in use");
    expectOneLine(
      await rotate(STATE),
      `--root is the folder that the program itself uses, as ${join(folder, "rotate/cred")} says`,
    );
    expect(read("rotate/tls/server-ca.crt")).toBe("in use");
  });

  test("refuses a holder that has none of them", async () => {
    expectOneLine(await rotate(pkiState({ "cp-1": CP_1 })), "no file of cp-1 is taken by a command like");
    const argv = ["export", "--worker", "--rotate-ca", "--root", "rotate", "-"];
    expectOneLine(await kubernetesPki(argv, { stdin: JSON.stringify(STATE) }), "no file of worker is taken");
    expect(existsSync(join(folder, "rotate"))).toBe(false);
  });

  test("refuses a map whose folder is not above its file", async () => {
    const elsewhere = { ...FILES[CRT], firstStartOnly: { ...START, folder: "/srv/k3s/server" } };
    expectOneLine(await rotate(pkiState({ "cp-1": { [CRT]: elsewhere } })), "below /srv/k3s/server, where it is not");
  });

  test("is not for a first start", async () => {
    expectOneLine(await rotate(STATE, "--first-start"), "leave out one of them");
  });
});

test("--first-start is refused where no file is for that", async () => {
  expectOneLine(await exportState(pkiState({ "cp-1": CP_1 }), "--first-start"), "leave out --first-start");
});

describe("an archive", () => {
  async function listed(...more: string[]): Promise<{ readonly names: string[]; readonly err: string }> {
    const chunks: Buffer[] = [];
    const argv = ["export", "--machine", "cp-1", "--tar", ...more, "-"];
    const stdout = (output: string | Uint8Array) => void chunks.push(Buffer.from(output));
    const { code, err } = await kubernetesPki(argv, { stdin: JSON.stringify(STATE), stdout });
    expect(code).toBe(0);
    const names = execFileSync("tar", ["-t"], { input: Buffer.concat(chunks), encoding: "utf8" });
    return { names: linesOf(names), err };
  }

  test("leaves them out, and says so: nobody knows whether the server was started", async () => {
    const { names, err } = await listed();
    expect(names).toEqual([TOKEN.slice(1)]);
    expect(linesOf(err)).toEqual([
      `kubernetes-pki: left out 2 files that a first start alone reads (${KEY}, …): ` +
        "give --first-start before that, or --rotate-ca for k3s certificate rotate-ca",
    ]);
  });

  test("for a first start has them", async () => {
    expect(await listed("--first-start")).toEqual({
      names: [TOKEN, KEY, CRT].map((path) => path.slice(1)),
      err: "",
    });
  });

  test("tells what was left out among the changes, and has nobody restarted for it", async () => {
    const consumers = [{ component: "k3s", via: "--data-dir", onChange: "restart" }];
    const files = [CRT, KEY, TOKEN].map((path) => ({ holder: "cp-1", path, kind: "bundle", consumers }));
    const entry = { kind: "authority", cluster: "pki", name: "server", path: "pki", addresses: [], files };
    put("inventory.json", { schemaVersion: 2, stack: "pki", entries: [entry] });
    await listed("--changes", "json", "--inventory", "inventory.json", "--changes-file", "changes.json");
    const changes = JSON.parse(read("changes.json")) as Changes;
    expect(changes.files.map(({ path, change }) => `${path} ${change}`)).toEqual([
      `${TOKEN} written`,
      `${KEY} left out`,
      `${CRT} left out`,
    ]);
    expect(changes.components).toMatchObject([{ files: [TOKEN] }]);
    rmSync(join(folder, "changes.json"));
  });
});
