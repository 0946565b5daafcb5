import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "../../lib/cli/main";

// A machine at night, and openssl, which says what is wrong without having read a line of ours.

const PKI = "/etc/kubernetes/pki";

let folder: string;
/** Certificates and keys that openssl made. */
let made: string;
let root: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kubernetes-pki-"));
  made = path.join(folder, "made");
  mkdirSync(made);
  authority("root", "/CN=root");
  authority("g1", "/CN=kubernetes");
  authority("g2", "/CN=kubernetes");
  authority("g3", "/OU=g3/CN=kubernetes");
  authority("below", "/CN=below", "root");
  leaf(
    "apiserver",
    "g1",
    "serverAuth",
    "DNS:kubernetes,DNS:*.example.com,IP:10.96.0.1,IP:fd00::1,URI:spiffe://prod/api",
  );
  leaf("retired", "g3", "serverAuth", "DNS:kubernetes");
  leaf("front", "below", "serverAuth", "DNS:front");
  leaf("admin", "g1", "clientAuth", "email:me@example.com");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  root = mkdtempSync(path.join(folder, "root-"));
  place("g1.crt", `${PKI}/ca.crt`);
  place("g1.key", `${PKI}/ca.key`);
  place("apiserver.crt", `${PKI}/apiserver.crt`);
  place("apiserver.key", `${PKI}/apiserver.key`);
});

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { cwd: made, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Nobody outlives who signed, also when that was made in the second before. */
const DAYS = { root: "40", below: "30", leaf: "20" };

function signed(
  name: string,
  subject: string,
  issuer: string | undefined,
  days: string,
  extensions: readonly string[],
): void {
  const by = issuer === undefined ? [] : ["-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    "-days",
    days,
    "-subj",
    subject,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
    ...by,
    ...added,
  );
}

function authority(name: string, subject: string, issuer?: string): void {
  signed(name, subject, issuer, issuer === undefined ? DAYS.root : DAYS.below, [
    "keyUsage=critical,keyCertSign,cRLSign",
  ]);
}

function leaf(name: string, issuer: string, use: string, names: string): void {
  const uses = ["keyUsage=critical,digitalSignature,keyEncipherment", `extendedKeyUsage=${use}`];
  signed(name, `/CN=${name}`, issuer, DAYS.leaf, [
    "basicConstraints=critical,CA:FALSE",
    ...uses,
    `subjectAltName=${names}`,
  ]);
}

function place(from: string, to: string): string {
  const target = path.join(root, to);
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(path.join(made, from), target);
  return target;
}

function write(to: string, text: string): string {
  const target = path.join(root, to);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
  return target;
}

async function kubernetesPki(...args: string[]): Promise<{ code: number; out: string }> {
  let out = "";
  const stream = { write: (text: string) => void (out += text) };
  const io = { stdin: process.stdin, stdout: stream, stderr: stream, cwd: folder, env: process.env };
  return { code: await run(["status", "--root", root, ...args], io as never), out };
}

/** `name: kind` of every problem. */
async function problems(): Promise<string[]> {
  const { code, out } = await kubernetesPki("-o", "json");
  const found = (JSON.parse(out) as { problems: { name: string; kind: string }[] }).problems;
  expect(code).toBe(found.length > 0 ? 4 : 0);
  return found.map(({ name, kind }) => `${name}: ${kind}`);
}

/** What openssl says to a chain. */
function verifies(certificate: string, ...authorities: string[]): boolean {
  const bundle = authorities.map((name) => openssl("x509", "-in", path.join(root, name))).join("");
  const args = ["verify", "-partial_chain", "-CAfile", write("/tmp/bundle", bundle), path.join(root, certificate)];
  return spawnSync("openssl", args).status === 0;
}

/** What openssl says to a pair. */
function arePair(certificate: string, key: string): boolean {
  const ofKey = spawnSync("openssl", ["pkey", "-pubout", "-in", path.join(root, key)], { encoding: "utf8" }).stdout;
  return openssl("x509", "-noout", "-pubkey", "-in", path.join(root, certificate)) === ofKey;
}

test("a machine on which all is well", async () => {
  place("admin.crt", `${PKI}/admin.crt`);
  place("admin.key", `${PKI}/admin.key`);
  expect(await problems()).toEqual([]);
  expect(verifies(`${PKI}/apiserver.crt`, `${PKI}/ca.crt`)).toBe(true);
  expect(arePair(`${PKI}/apiserver.crt`, `${PKI}/apiserver.key`)).toBe(true);
});

test("a key that is of another certificate", async () => {
  place("admin.key", `${PKI}/apiserver.key`);
  expect(await problems()).toEqual([`${PKI}/apiserver.crt: key-mismatch`]);
  expect(arePair(`${PKI}/apiserver.crt`, `${PKI}/apiserver.key`)).toBe(false);
});

test("an authority that was made anew, with the old name", async () => {
  place("g2.crt", `${PKI}/ca.crt`);
  place("g2.key", `${PKI}/ca.key`);
  expect(await problems()).toEqual([`${PKI}/apiserver.crt: chain-mismatch`]);
  expect(verifies(`${PKI}/apiserver.crt`, `${PKI}/ca.crt`)).toBe(false);
});

test("a certificate that a retired generation signed", async () => {
  place("retired.crt", `${PKI}/apiserver.crt`);
  place("retired.key", `${PKI}/apiserver.key`);
  expect(await problems()).toEqual([`${PKI}/apiserver.crt: issuer-missing`]);
  expect(verifies(`${PKI}/apiserver.crt`, `${PKI}/ca.crt`)).toBe(false);
});

test("a user's certificate that a retired generation signed", async () => {
  place("g3.crt", `${PKI}/ca.crt`);
  place("g3.key", `${PKI}/ca.key`);
  place("retired.crt", `${PKI}/apiserver.crt`);
  place("retired.key", `${PKI}/apiserver.key`);
  place("admin.crt", `${PKI}/admin.crt`);
  place("admin.key", `${PKI}/admin.key`);
  expect(await problems()).toEqual([`${PKI}/admin.crt: issuer-missing`]);
  expect(verifies(`${PKI}/admin.crt`, `${PKI}/ca.crt`)).toBe(false);
});

test("an authority whose root is elsewhere is trusted by itself, but not behind a certificate of one's own", async () => {
  place("below.crt", `${PKI}/front-ca.crt`);
  place("front.crt", `${PKI}/front.crt`);
  place("front.key", `${PKI}/front.key`);
  expect(await problems()).toEqual([]);
  expect(verifies(`${PKI}/front.crt`, `${PKI}/front-ca.crt`)).toBe(true);
  rmSync(path.join(root, `${PKI}/front-ca.crt`));
  write(`${PKI}/front.crt`, openssl("x509", "-in", "front.crt") + openssl("x509", "-in", "below.crt"));
  expect(await problems()).toEqual([`${PKI}/front.crt#2: issuer-missing`]);
});

test("an authority that is kept elsewhere is named", async () => {
  place("front.crt", `${PKI}/front.crt`);
  place("front.key", `${PKI}/front.key`);
  expect(await problems()).toEqual([`${PKI}/front.crt: issuer-missing`]);
  const { code, out } = await kubernetesPki("--authority", "made/below.crt");
  expect(code).toBe(0);
  expect(out).toMatch(/front\.crt .* made\/below\.crt +yes$/m);
  expect(await kubernetesPki("--authority", "made/front.crt")).toMatchObject({
    code: 1,
    out: expect.stringContaining("made/front.crt holds something else than authorities"),
  });
});

test("a client's certificate whose authority only servers have", async () => {
  place("g3.crt", `${PKI}/ca.crt`);
  place("g3.key", `${PKI}/ca.key`);
  leaf("etcd-client", "below", "clientAuth", "DNS:etcd-client");
  place("etcd-client.crt", `${PKI}/apiserver.crt`);
  place("etcd-client.key", `${PKI}/apiserver.key`);
  expect(await problems()).toEqual([]);
});

/** The last bit of a certificate is one of its signature. */
function changed(name: string, to: string): void {
  const der = execFileSync("openssl", ["x509", "-in", `${name}.crt`, "-outform", "DER"], { cwd: made });
  der[der.length - 1]! ^= 1;
  const target = write(to, "");
  writeFileSync(target, der);
  openssl("x509", "-inform", "DER", "-in", target, "-out", target);
}

test("a certificate that was changed by a bit", async () => {
  changed("apiserver", `${PKI}/apiserver.crt`);
  expect(await problems()).toEqual([`${PKI}/apiserver.crt: chain-mismatch`]);
  expect(verifies(`${PKI}/apiserver.crt`, `${PKI}/ca.crt`)).toBe(false);
});

test("an authority that was changed by a bit", async () => {
  changed("g1", `${PKI}/ca.crt`);
  const { code, out } = await kubernetesPki();
  expect(code).toBe(4);
  expect(out).toMatch(/^\/etc\/kubernetes\/pki\/ca.crt +says that it signed itself, and has not$/m);
});

test("a list of authorities that is half written, a folder nobody may read, a circle of links, a kubeconfig of garbage", async () => {
  const whole = openssl("x509", "-in", "g1.crt");
  write(`${PKI}/ca.crt`, whole + openssl("x509", "-in", "g2.crt").slice(0, 400));
  symlinkSync("b.crt", path.join(root, `${PKI}/a.crt`));
  symlinkSync("a.crt", path.join(root, `${PKI}/b.crt`));
  write("/etc/kubernetes/admin.conf", "users:\n- user:\n    client-certificate-data: !!garbage\n");
  chmodSync(place("admin.crt", "/etc/closed/admin.crt"), 0o644);
  chmodSync(path.join(root, "/etc/closed"), 0o000);
  // Nothing is closed to root.
  const closed = process.getuid?.() === 0 ? [] : ["/etc/closed: unreadable"];
  expect(await problems()).toEqual([
    ...closed,
    "/etc/kubernetes/admin.conf: broken",
    `${PKI}/a.crt: unreadable`,
    `${PKI}/b.crt: unreadable`,
    `${PKI}/ca.crt: broken`,
  ]);
  chmodSync(path.join(root, "/etc/closed"), 0o755);
});

/** openssl's words. */
const USAGES: Readonly<Record<string, string>> = {
  "Digital Signature": "digital_signature",
  "Key Encipherment": "key_encipherment",
  "Certificate Sign": "cert_signing",
  "CRL Sign": "crl_signing",
  "TLS Web Server Authentication": "server_auth",
  "TLS Web Client Authentication": "client_auth",
};

/** Values of extensions in the text that openssl prints of a certificate. */
function extensions(name: string, ...wanted: string[]): string[] {
  const lines = openssl("x509", "-noout", "-ext", wanted.join(), "-in", `${name}.crt`).split("\n");
  return lines.filter((line) => /^ {4}/.test(line)).flatMap((line) => line.trim().split(", "));
}

test("-o wide shows the usages and names that openssl x509 shows", async () => {
  place("admin.crt", `${PKI}/admin.crt`);
  const rows = (await kubernetesPki("-o", "wide")).out.split("\n").map((line) => line.split(/ {2,}/));
  for (const [name, certificate] of [
    ["apiserver", "apiserver"],
    ["admin", "admin"],
    ["ca", "g1"],
  ] as const) {
    const row = rows.find(([first]) => first === `${PKI}/${name}.crt`)!;
    const [usages, names] = row.slice(name === "ca" ? 4 : 5);
    const theirs = extensions(certificate, "keyUsage", "extendedKeyUsage").map((usage) => USAGES[usage]);
    expect(usages!.split(",")).toEqual(theirs);
    const theirNames = name === "ca" ? [] : extensions(certificate, "subjectAltName");
    const shown = theirNames.map((text) =>
      text.replace(/^(DNS|IP Address):/, "").replace("FD00:0:0:0:0:0:0:1", "fd00::1"),
    );
    expect(names?.split(",") ?? []).toEqual(shown);
  }
  expect(rows[0]).toEqual([
    "CERTIFICATE",
    "EXPIRES",
    "RESIDUAL TIME",
    "CERTIFICATE AUTHORITY",
    "EXTERNALLY MANAGED",
    "USAGES",
    "ALTERNATIVE NAMES",
  ]);
});
