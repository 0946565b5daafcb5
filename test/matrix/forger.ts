import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../sandbox/command";
import type { Holding } from "./holdings";

/** An authority, or who passes for one. */
export interface Signer {
  readonly cert: string;
  readonly key: string;
}

/** What is made of somebody's certificate. */
export interface Forgery {
  readonly by: Signer;
  /** Seconds from now. @default - an hour ago, and an hour from now */
  readonly from?: number;
  readonly to?: number;
  /** @default clientAuth */
  readonly usage?: "clientAuth" | "serverAuth";
}

/** Certificates that nobody issued, made with `openssl ca`: it can sign what is not yet valid, and whatever else nobody should. */
export class Forger {
  private readonly folder: string;
  private count = 0;

  public constructor(parent: string) {
    this.folder = mkdtempSync(path.join(parent, "forged-"));
  }

  /** A certificate with the subject and the names of somebody else's, on a key of its own. */
  public async issue(
    { certificate }: Holding,
    { by, from = -HOUR, to = HOUR, usage = "clientAuth" }: Forgery,
  ): Promise<Signer> {
    const folder = path.join(this.folder, String(this.count++));
    mkdirSync(folder);
    const write = (name: string, text: string) => {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
      return path.join(folder, name);
    };
    const key = newKey();
    const names = certificate.subjectAltName?.replaceAll("IP Address", "IP");
    const extensions = [
      "basicConstraints=critical,CA:FALSE",
      `extendedKeyUsage=${usage}`,
      ...(names ? [`subjectAltName=${names}`] : []),
    ];
    const request = path.join(folder, "csr");
    await run("openssl", [
      ...["req", "-new", "-key", write("key", key), "-subj", subjectOf(certificate), "-out", request],
      ...["-config", write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n")],
    ]);
    write("index.txt", "");
    const issued = path.join(folder, "crt");
    await run("openssl", [
      ...["ca", "-batch", "-notext", "-preserveDN", "-md", "sha256", "-in", request, "-out", issued],
      ...["-cert", write("ca.crt", by.cert), "-keyfile", write("ca.key", by.key)],
      ...["-startdate", time(from), "-enddate", time(to), "-extfile", write("ext", extensions.join("\n"))],
      ...["-config", write("ca.cnf", CONFIGURATION(folder))],
    ]);
    return { cert: readFileSync(issued, "utf8"), key };
  }

  /** An authority with the name of another, and a key of its own. */
  public async stranger({ cert }: Signer): Promise<Signer> {
    const folder = path.join(this.folder, String(this.count++));
    mkdirSync(folder);
    const [key, file] = [newKey(), path.join(folder, "key")];
    writeFileSync(file, key, { mode: 0o600 });
    writeFileSync(
      path.join(folder, "req.cnf"),
      "[req]\ndistinguished_name=dn\n[dn]\n[v3]\nbasicConstraints=critical,CA:TRUE\n",
    );
    const subject = subjectOf(new X509Certificate(cert));
    const args = ["-x509", "-key", file, "-subj", subject, "-days", "1", "-extensions", "v3"];
    return { cert: await run("openssl", ["req", ...args, "-config", path.join(folder, "req.cnf")]), key };
  }
}

const HOUR = 3600;

/** All that `openssl ca` asks for. */
const CONFIGURATION = (folder: string) => `[ca]
default_ca = all
[all]
database = ${folder}/index.txt
new_certs_dir = ${folder}
unique_subject = no
rand_serial = yes
policy = any
[any]
commonName = optional
organizationName = optional
organizationalUnitName = optional
`;

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

function time(seconds: number): string {
  return `${new Date(Date.now() + seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, "")}`;
}

/** As `-subj` takes it. */
function subjectOf({ subject }: X509Certificate): string {
  return subject
    .split("\n")
    .map((line) => `/${line.replaceAll("/", "\\/")}`)
    .join("");
}
