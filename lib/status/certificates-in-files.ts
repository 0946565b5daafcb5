import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expectedIn, keysBeside } from "./file-names";
import { EmbeddedPem, KubeconfigContent, readKubeconfig } from "./kubeconfig";
import { PemContent, readCertificate, readPem } from "./pem";
import type { CertificateSource, NamedCertificate, StatusProblem } from "./source";
import { FoundFile, walk } from "./walk";
import { pairProblem, problemsOfPem } from "./pairs";
import { reason, UnusableError } from "../terraform-json/unusable";

/** Kubernetes' own files have a few kB. */
const LARGEST_FILE = 1024 * 1024;

/** More certificates than this in one file are the trust store of a browser or of a system. */
const MOST_IN_A_FILE = 32;

/** A certificate in DER begins so, and no text does. */
const DER = 0x30;

/**
 * Finds certificates in PEM files and kubeconfigs below a folder, and what cannot be looked at there.
 *
 * @param root stands for `/` of the machine
 * @throws UnusableError when the folder cannot be read, or holds too much to look at
 */
export function certificatesInFiles(root: string): CertificateSource {
  const problems: StatusProblem[] = [];
  const { files, links } = walk(root, (name, message) => void problems.push({ name, kind: "unreadable", message }));
  const read = files.flatMap((found) => readCandidate(found, problems));
  const stores = read.filter(({ pem }) => pem.certificates.length > MOST_IN_A_FILE);
  const candidates = read.filter((file) => !stores.includes(file));
  const byPath = new Map(candidates.map((file) => [file.path, file]));
  // A link is another name of a file, and has another key beside it.
  const named = [
    ...candidates.map(({ path }) => ({ path, content: byPath.get(path)! })),
    ...[...links].flatMap(([path, target]) => ({ path, content: byPath.get(target) })),
  ];
  const byName = new Map(named.map(({ path, content }) => [path, content]));
  const ofPairs = [...byName].flatMap(([path, content]) => (content ? pairsBeside(path, content, byName) : []));
  return {
    found: candidates.flatMap(certificatesIn).sort(byRank),
    keys: new Set(candidates.flatMap(({ pem }) => pem.keys)),
    problems: [...problems, ...candidates.flatMap(problemsIn), ...ofPairs],
    notes: stores.map(({ path, pem }) => `${path}: ${pem.certificates.length} certificates, a trust store, left out`),
  };
}

/**
 * Reads a file with authorities that are elsewhere.
 *
 * @param file as the user named it
 * @param path where it is
 * @throws UnusableError when it cannot be read, or holds something else
 */
export function authoritiesIn(file: string, path: string): NamedCertificate[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UnusableError(`cannot read ${file}: ${reason(error)}`);
  }
  const { certificates, brokenCertificates } = readPem(text);
  if (certificates.length === 0 || brokenCertificates > 0 || certificates.some(({ ca }) => !ca)) {
    throw new UnusableError(`${file} holds something else than authorities in PEM: name a file with these alone`);
  }
  return certificates.map((certificate, index) => ({ name: numbered(file, index), certificate }));
}

interface Ranked extends NamedCertificate {
  /** A file of its own says better whose a certificate is than a kubeconfig, and the shorter of two paths than the longer. */
  readonly rank: readonly [isEmbedded: number, length: number];
}

interface Candidate {
  readonly path: string;
  readonly isBlank: boolean;
  readonly pem: PemContent;
  readonly kubeconfig: KubeconfigContent;
}

function readCandidate({ path, file }: FoundFile, problems: StatusProblem[]): Candidate[] {
  const expected = expectedIn(basename(path));
  const bytes = readBytes(file, expected !== undefined, (message) => {
    problems.push({ name: path, kind: "unreadable", message });
  });
  if (bytes === undefined) {
    return [];
  }
  const text = bytes.toString("utf8");
  const pem = readPem(text);
  const der = pem.blocks === 0 && bytes[0] === DER ? readCertificate(bytes) : undefined;
  return [
    {
      path,
      isBlank: text.trim() === "",
      pem: der ? { ...pem, certificates: [der], blocks: 1 } : pem,
      kubeconfig: readKubeconfig(text, expected === undefined && /\.(ya?ml|json)$/.test(path)),
    },
  ];
}

/** Nothing of what is no small file any more, or not there any more. */
function readBytes(file: string, isExpected: boolean, unreadable: (why: string) => void): Buffer | undefined {
  try {
    // A pipe would never open.
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor);
      if (stats.size > LARGEST_FILE) {
        return isExpected ? void unreadable("it is larger than 1 MiB, and was not looked at") : undefined;
      }
      return stats.isFile() ? readFileSync(descriptor) : Buffer.alloc(0);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isGone ? undefined : void unreadable(reason(error));
  }
}

function certificatesIn({ path, pem, kubeconfig }: Candidate): Ranked[] {
  // A file that begins with an authority is a list of what is trusted; one that does not may have the chain of its certificate.
  const standing = pem.certificates[0]?.ca ? "trusted" : "own";
  const own = pem.certificates.map((certificate, index): Ranked => {
    return { name: numbered(path, index), certificate, standing, rank: [0, path.length] };
  });
  return [...own, ...kubeconfig.embedded.flatMap((part) => ofKubeconfig(path, part))];
}

function ofKubeconfig(path: string, { field, content }: EmbeddedPem): Ranked[] {
  const isClient = field === "client-certificate-data";
  const name = isClient ? path : `${path} ${field}`;
  const standing = isClient ? "kubeconfig's user" : "trusted";
  return (content?.certificates ?? []).map((certificate, index) => {
    return { name: numbered(name, index), certificate, standing, rank: [1, path.length] };
  });
}

function problemsIn({ path, isBlank, pem, kubeconfig }: Candidate): StatusProblem[] {
  const expected = expectedIn(basename(path));
  const isConfig = expected === "kubeconfig";
  const missing =
    (expected === "certificate" && pem.certificates.length + pem.brokenCertificates === 0) ||
    (expected === "PEM" && pem.blocks + pem.brokenCertificates === 0) ||
    (isConfig && isBlank);
  return [
    ...problemsOfPem(path, pem),
    ...(missing ? [{ name: path, kind: "empty", message: emptyText(isBlank, expected) } as const] : []),
    ...(isConfig && !isBlank && !kubeconfig.hasUsers ? [problemWith(path, "a kubeconfig without users")] : []),
    ...kubeconfig.embedded.flatMap((part) => problemsOfField(path, part)),
    ...kubeconfig.users.flatMap(({ certificate, key, hasKeyFile }) => {
      const isAlone = key === undefined && !hasKeyFile && certificate.certificates.length > 0;
      return [
        ...(key ? pairProblem(path, certificate, "client-key-data", key) : []),
        ...(isAlone ? [problemWith(path, "a user's certificate has no key")] : []),
      ];
    }),
  ];
}

function problemsOfField(path: string, { field, content }: EmbeddedPem): StatusProblem[] {
  if (!content) {
    return [problemWith(path, `${field} is no base64 of PEM`)];
  }
  const { certificates, brokenCertificates, keys, brokenKeys, encryptedKeys } = content;
  const [count, what] =
    field === "client-key-data"
      ? [keys.length + brokenKeys + encryptedKeys, "private key"]
      : [certificates.length + brokenCertificates, "certificate"];
  return count === 0 ? [problemWith(path, `${field} holds no ${what}`)] : problemsOfPem(path, content, ` in ${field}`);
}

function problemWith(name: string, message: string): StatusProblem {
  return { name, kind: "broken", message };
}

function emptyText(isBlank: boolean, expected: ReturnType<typeof expectedIn>): string {
  return isBlank ? "the file is empty" : `holds no ${expected === "PEM" ? "PEM" : "certificate"}`;
}

/** A certificate's key is in the same file, or beside it. */
function pairsBeside(
  path: string,
  { pem }: Candidate,
  byName: ReadonlyMap<string, Candidate | undefined>,
): StatusProblem[] {
  if (pem.certificates.length === 0) {
    return [];
  }
  if (pem.keys.length > 0) {
    return pairProblem(path, pem, "the same file", pem);
  }
  const beside = keysBeside(path).find((name) => byName.get(name));
  const key = beside === undefined ? undefined : byName.get(beside);
  if (!key || beside === undefined) {
    return [];
  }
  const { keys, brokenKeys, encryptedKeys } = key.pem;
  const isEmpty = keys.length + brokenKeys + encryptedKeys === 0;
  return isEmpty
    ? [{ name: beside, kind: "empty", message: key.isBlank ? "the file is empty" : "holds no private key" }]
    : pairProblem(path, pem, beside, key.pem);
}

function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}#${index + 1}`;
}

function byRank(a: Ranked, b: Ranked): number {
  return a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || (a.name < b.name ? -1 : 1);
}
