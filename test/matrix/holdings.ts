import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A certificate with its key, as somebody holds it who may come with it. */
export interface Holding {
  /** Where it was found: `cp-1/etc/kubernetes/pki/apiserver.crt`. */
  readonly place: string;
  readonly certificate: X509Certificate;
  /** The whole file: the certificate, and those above it. */
  readonly cert: string;
  readonly key: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^]*?-----END (?:EC |RSA )?PRIVATE KEY-----/g;

/** Every leaf of a machine whose key is there as well, each once: found by looking at the files, whatever they are called. */
export function holdingsIn(folder: string, machine: string): Holding[] {
  const texts = filesOf(folder).map(
    (file) => [path.join(machine, file), withDecoded(readFileSync(path.join(folder, file), "utf8"))] as const,
  );
  const keys = new Map<string, string>();
  for (const [, text] of texts) {
    for (const [key] of text.matchAll(KEY)) {
      keys.set(spki(createPublicKey(createPrivateKey(key))), key);
    }
  }
  const found = new Map<string, Holding>();
  for (const [place, text] of texts) {
    for (const [index, pem] of (text.match(CERTIFICATE) ?? []).entries()) {
      const certificate = new X509Certificate(pem);
      const key = keys.get(spki(certificate.publicKey));
      if (!certificate.ca && key !== undefined && !found.has(certificate.fingerprint256)) {
        const cert = text.match(CERTIFICATE)!.slice(index).join("\n");
        found.set(certificate.fingerprint256, { place, certificate, cert, key });
      }
    }
  }
  return [...found.values()];
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  // A kubelet keeps its certificates by date, and a link to the current one.
  const files = entries.filter(
    (entry) => !/^kubelet-client-\d/.test(entry.name) && (entry.isFile() || entry.isSymbolicLink()),
  );
  return files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))).sort();
}

/** A kubeconfig, with what stands in it as base64 in plain. */
function withDecoded(text: string): string {
  return text.replaceAll(/(?:client-certificate|client-key)-data: (\S+)/g, (_, data: string) =>
    Buffer.from(data, "base64").toString(),
  );
}

function spki(key: ReturnType<typeof createPublicKey>): string {
  return key.export({ type: "spki", format: "der" }).toString("base64");
}

/** Values of one field of a subject, in order. */
export function namesOf({ subject }: X509Certificate, field: "CN" | "O"): string[] {
  return subject.split("\n").flatMap((line) => (line.startsWith(`${field}=`) ? [line.slice(field.length + 1)] : []));
}
