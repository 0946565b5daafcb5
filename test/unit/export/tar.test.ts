import { execFileSync } from "node:child_process";
import fs, { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../lib/cli/main";
import { tarOf } from "../../../lib/export/tar";
import { LATE } from "../../support/chain";
import { CA_CERTIFICATE } from "../../support/pem";
import {
  CA_CERT,
  CA_KEY,
  CP_1,
  expectOneLine,
  file,
  filesBelow,
  folder,
  kubernetesPki,
  pkiState,
  put,
  SECRET,
} from "../cli/command";

const isRoot = process.getuid?.() === 0;
const CRT = "/etc/kubernetes/pki/ca.crt";
const KEY = "/etc/kubernetes/pki/ca.key";

/** The system's own tar, which is what a machine has. */
function tar(...args: string[]): string {
  return execFileSync("tar", args, { encoding: "utf8", env: { ...process.env, TZ: "UTC", LC_ALL: "C.UTF-8" } });
}

/** Exports into an archive, which is secret: it goes by no text that the tests look through. */
async function archive(files: object, ...who: string[]): Promise<string> {
  const state = put("show.json", pkiState({ "cp-1": files, operator: files }));
  const chunks: Buffer[] = [];
  const err: string[] = [];
  const code = await run(["export", ...(who.length > 0 ? who : ["--machine", "cp-1"]), "--tar", state], {
    stdin: process.stdin,
    stdout: { write: (chunk: string | Uint8Array) => chunks.push(Buffer.from(chunk)) },
    stderr: { write: (text: string) => err.push(text) },
    cwd: folder,
    env: {},
  });
  expect({ code, err }).toEqual({ code: 0, err: [] });
  const path = join(folder, "files.tar");
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

/** Unpacks it as `ssh root@machine tar -x -C /` does. */
function unpack(path: string, name = "machine"): (file?: string) => string {
  const machine = join(folder, name);
  mkdirSync(machine, { recursive: true });
  execFileSync("tar", ["-x", "-C", machine], { input: readFileSync(path), stdio: ["pipe", "pipe", "inherit"] });
  return (file = "") => join(machine, file);
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
let umask: number;
beforeEach(() => (umask = process.umask(0o022)));
afterEach(() => void process.umask(umask));

test("tar lists the files of a machine with their modes and owners, and no folder", async () => {
  const files = { ...CP_1, "/var/lib/etcd.key": file("x", "0640", "etcd:kube") };
  const lines = tar("-tvf", await archive(files))
    .trim()
    .split("\n");
  expect(lines.map((line) => line.replace(/ +/g, " "))).toEqual([
    `-rw-r--r-- root/root ${CA_CERT.length} 2000-01-01 00:00 etc/kubernetes/pki/ca.crt`,
    `-rw------- root/root ${CA_KEY.length} 2000-01-01 00:00 etc/kubernetes/pki/ca.key`,
    "-rw-r----- etcd/kube 1 2000-01-01 00:00 var/lib/etcd.key",
  ]);
});

test("tar unpacks them byte for byte, into folders that are there and folders that are not", async () => {
  mkdirSync(join(folder, "machine/etc/kubernetes"), { recursive: true });
  chmodSync(join(folder, "machine/etc/kubernetes"), 0o700);
  put(`machine${CRT}`, "old");
  put("machine/etc/kubernetes/pki/mine", "mine");
  const machine = unpack(await archive(CP_1));
  expect(filesBelow(machine())).toEqual([CRT, KEY, "/etc/kubernetes/pki/mine"]);
  expect([CRT, KEY].map((path) => readFileSync(machine(path), "utf8"))).toEqual([CA_CERT, CA_KEY]);
  expect([CRT, KEY, "etc/kubernetes"].map((path) => mode(machine(path)))).toEqual(["644", "600", "700"]);
});

test("folders of the operator are in the archive, and are the operator's alone", async () => {
  const path = await archive({ "/prod/deep/admin.conf": file("x", "0600"), "/prod/a": file("y") }, "--operator");
  expect(tar("-tf", path)).toBe("prod/\nprod/deep/\nprod/a\nprod/deep/admin.conf\n");
  const machine = unpack(path);
  expect(["prod", "prod/deep", "prod/deep/admin.conf"].map((name) => mode(machine(name)))).toEqual([
    "700",
    "700",
    "600",
  ]);
});

describe("paths that are longer than a name in a header", () => {
  const part = "a".repeat(60);
  const paths = [
    `/${"n".repeat(99)}`,
    `/${"n".repeat(100)}`,
    `/${"n".repeat(101)}`,
    `/${"n".repeat(250)}`,
    `/${part}/${part}/x`,
    `/${"p".repeat(155)}/${"n".repeat(100)}`,
    `/${"p".repeat(156)}/${"n".repeat(100)}`,
    `/${"p".repeat(155)}/${"n".repeat(101)}`,
    `/${part}/${part}/${part}/${part}/${part}/${part}/x`,
    "/etc/schlüssel/ключ.key",
  ];

  test.each(paths.map((path) => [path.length, path]))("(%d) are whole", async (_, path) => {
    const machine = unpack(await archive({ [path]: file("long", "0640"), "/z": file("after") }));
    expect(filesBelow(machine())).toEqual([path, "/z"].sort());
    expect([readFileSync(machine(path as string), "utf8"), mode(machine(path as string))]).toEqual(["long", "640"]);
  });

  test("so are those of folders", async () => {
    const path = `/${part}/${part}/${part}/${part}/${part}/x`;
    const machine = unpack(await archive({ [path]: file("x") }, "--operator"));
    expect(mode(machine(`${part}/${part}/${part}/${part}/${part}`))).toBe("700");
  });
});

test.each([0, 1, 511, 512, 513, 10_240, 70_000])("a file of %d bytes keeps its length", async (length) => {
  const text = "x".repeat(length);
  const path = await archive({ "/a": file(text), "/b": file("after") });
  const machine = unpack(path);
  expect([readFileSync(machine("a"), "utf8") === text, readFileSync(machine("b"), "utf8")]).toEqual([true, "after"]);
  expect(statSync(path).size % 10_240).toBe(0);
});

test("equal states give equal archives, wherever and by whom they are made", async () => {
  const first = readFileSync(await archive(CP_1));
  process.umask(0o077);
  expect(readFileSync(await archive(CP_1)).equals(first)).toBe(true);
});

/** When a certificate became valid, as openssl says it. */
function startOf(pem: string): string {
  const out = execFileSync("openssl", ["x509", "-noout", "-startdate"], { input: pem, encoding: "utf8" });
  return new Date(out.trim().replace("notBefore=", "")).toISOString().replace("T", " ").slice(0, 19);
}

describe("the time of an archive is that of its newest certificate, so that a renewed one is newer for who compares,", () => {
  const kubeconfig = `certificate-data: ${Buffer.from(LATE).toString("base64")}\n`;

  test.each([
    ["in a file", CA_CERTIFICATE, CA_CERTIFICATE],
    ["in a bundle", `token\n${CA_CERTIFICATE}${LATE}${CA_CERT}`, LATE],
    ["in a kubeconfig", `ca: ${CA_CERTIFICATE}${kubeconfig}`, LATE],
  ])("%s", (_, text, newest) => {
    const path = put("files.tar", "");
    writeFileSync(path, tarOf([{ path: "/a.pem", mode: "0644", owner: "root:root", text }]));
    expect(tar("--full-time", "-tvf", path)).toContain(`${startOf(newest)} a.pem`);
  });
});

describe("owners", () => {
  test("that are numbers are numbers, however large, and long names are whole", async () => {
    const name = `n${"a".repeat(40)}`;
    const files = {
      "/a": file("x", "0600", "2097152:4294967294"),
      "/b": file("x", "0600", `${name}:${name}`),
      "/c": file("x"),
    };
    const path = await archive(files);
    expect(tar("--numeric-owner", "-tvf", path)).toMatch(
      /^-rw------- 2097152\/4294967294 .* a\n-rw------- 0\/0 .* b\n.* 0\/0 .* c\n$/,
    );
    expect(tar("-tvf", path)).toContain(`${name}/${name}`);
  });

  (isRoot ? test : test.skip)("are those of the machine by name; who is unknown there is root", async () => {
    const files = {
      "/known": file("x", "0600", "daemon:daemon"),
      "/unknown": file("x", "0600", "no-such-user:no-such-group"),
    };
    const machine = unpack(await archive(files));
    expect(statSync(machine("known"))).toMatchObject({ uid: 1, gid: 1 });
    expect(statSync(machine("unknown"))).toMatchObject({ uid: 0, gid: 0 });
  });
});

test("a terminal gets no archive", async () => {
  const state = put("show.json", pkiState({ "cp-1": CP_1 }));
  let out = "";
  let err = "";
  const code = await run(["export", "--machine", "cp-1", "--tar", state], {
    stdin: process.stdin,
    stdout: { isTTY: true, write: (chunk) => (out += String(chunk)) },
    stderr: { write: (text) => (err += text) },
    cwd: folder,
    env: {},
  });
  expectOneLine({ code, out, err }, "--tar writes keys to stdout, which is a terminal: give it a pipe or a file");
});

test.each(["/etc/../../x", "/a\nb", "x"])("the path %j is refused, and nothing is written", async (path) => {
  const stdin = JSON.stringify(pkiState({ "cp-1": { ...CP_1, [path]: file("text") } }));
  const result = await kubernetesPki(["export", "--machine", "cp-1", "--tar", "-"], { stdin });
  expectOneLine(result, "which is not a plain absolute path: nothing was written");
  expect(result.err).not.toContain(SECRET);
  expect(existsSync(join(folder, "root")) || fs.readdirSync(folder).length > 0).toBe(false);
});
