import { closeSync, Dirent, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { basename, join, posix, sep } from "node:path";
import { CertificateSource, NamedCertificate, readPem } from "./status";
import { reason, UnusableError } from "../terraform-json/unusable";

/** A machine that runs containers has some 30,000 outside of {@link ELSEWHERE}. */
const MOST_ENTRIES = 200_000;

/** Kubernetes' own files have a few kB. */
const LARGEST_FILE = 1024 * 1024;

/** More certificates than this in one file are the trust store of a browser or of a system. */
const MOST_IN_A_FILE = 32;

const NAMES = /\.(crt|cer|cert|pem|key|conf|config|kubeconfig|ya?ml|json)$|^kubeconfig$|^config$/;

/** Where a machine keeps what is no identity of a cluster: the system, the public trust store, containers and their volumes. */
const ELSEWHERE = new RegExp(
  "^/(" +
    "proc|sys|dev|run|boot|usr|lib|lib32|lib64|bin|sbin|snap|tmp|lost\\+found|nix/store|etc/ssl/certs|" +
    "etc/ca-certificates|etc/pki/ca-trust|var/(run|tmp|log|cache|spool|snap|lock)|" +
    "var/lib/(docker|containerd|containers|etcd|snapd|dpkg|apt|kubelet/(pods|plugins|plugins_registry))|" +
    "var/lib/rancher/(k3s|rke2)/(data|storage|agent/containerd)|var/lib/k0s/(containerd|bin|kubelet/pods)" +
    ")$|/(node_modules|\\.git|\\.terraform|cdktf\\.out)$",
);

/** The kubelet keeps every certificate it ever had, and a link to the one it uses. */
const OF_THE_KUBELET = /^(.+)-\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}\.pem$/;

/**
 * Finds certificates in PEM files and kubeconfigs below a folder. Links are not followed: what they lead to is found at
 * its own place, and where that is outside of the folder they are noted.
 *
 * @param root stands for `/` of the machine
 * @throws UnusableError when the folder cannot be read, or holds too much to look at
 */
export function certificatesInFiles(root: string): CertificateSource {
  const notes: string[] = [];
  const note = (path: string, what: string) => void notes.push(`${shown(path)}: ${what}`);
  const files = walk(realRoot(root), note).flatMap((path) => readCandidate(root, path, note));
  const found = files.flatMap((file) => file.found);
  return {
    found: found.sort(byRank).map(({ name, certificate }) => ({ name, certificate })),
    keys: new Set(files.flatMap(({ keys }) => keys)),
    notes,
  };
}

type Note = (path: string, what: string) => void;

interface Ranked extends NamedCertificate {
  /** A file of its own says better whose a certificate is than a kubeconfig, and the shorter of two paths than the longer. */
  readonly rank: readonly [isEmbedded: number, length: number];
}

interface Candidate {
  readonly found: readonly Ranked[];
  readonly keys: readonly string[];
}

function realRoot(root: string): string {
  try {
    const real = realpathSync(root);
    readdirSync(real);
    return real;
  } catch (error) {
    throw new UnusableError(`cannot read the folder ${root}: ${reason(error)}`);
  }
}

/** Paths of the files to look at, as on the machine, in order. */
function walk(root: string, note: Note): string[] {
  const files: string[] = [];
  const folders = ["/"];
  let entries = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const names = namesIn(root, folder, note);
    entries += names.length;
    if (entries > MOST_ENTRIES) {
      throw new UnusableError(
        `${root} holds more than ${MOST_ENTRIES} files: name a folder nearer to the certificates`,
      );
    }
    for (const entry of names.filter((name) => !isEarlier(name, names, root, folder!))) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory() && !ELSEWHERE.test(path)) {
        folders.push(path);
      } else if (entry.isFile() && NAMES.test(entry.name)) {
        files.push(path);
      } else if (entry.isSymbolicLink() && !ELSEWHERE.test(path)) {
        noteLink(root, path, names, note);
      }
    }
  }
  return files.sort();
}

function namesIn(root: string, folder: string, note: Note): Dirent[] {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    note(folder, reason(error));
    return [];
  }
}

/** A certificate that the kubelet does not use any more. */
function isEarlier({ name }: Dirent, names: readonly Dirent[], root: string, folder: string): boolean {
  const prefix = OF_THE_KUBELET.exec(name)?.[1];
  if (prefix === undefined) {
    return false;
  }
  const current = `${prefix}-current.pem`;
  const link = names.find((entry) => entry.name === current && entry.isSymbolicLink());
  return link !== undefined && basename(readlinkSync(join(root, folder, current))) !== name;
}

/** A link into the folder itself leads to what is found without it. */
function noteLink(root: string, path: string, names: readonly Dirent[], note: Note): void {
  const file = join(root, path);
  // In the copy of a machine, an absolute link of the kubelet's leads out of the copy, and what it means is beside it.
  const beside = basename(readlinkSync(file));
  if (names.some(({ name }) => name === beside && OF_THE_KUBELET.test(name))) {
    return;
  }
  try {
    const target = realpathSync(file);
    const inside = root === sep || target === root || target.startsWith(root + sep);
    if (!inside) {
      note(path, "a link that leads out of the folder, not followed");
    }
  } catch (error) {
    if (NAMES.test(path)) {
      note(
        path,
        (error as NodeJS.ErrnoException).code === "ELOOP" ? "a link in a circle" : "a link that leads nowhere",
      );
    }
  }
}

function readCandidate(root: string, path: string, note: Note): Candidate[] {
  const text = readText(join(root, path), (what) => note(path, what));
  const pem = readPem(text);
  const embedded = embeddedIn(text);
  const broken = [pem, ...embedded.map(({ content }) => content)].reduce((sum, { broken }) => sum + broken, 0);
  if (broken > 0) {
    note(path, broken === 1 ? "a certificate in it is broken" : `${broken} certificates in it are broken`);
  }
  if (pem.certificates.length > MOST_IN_A_FILE) {
    note(path, `${pem.certificates.length} certificates, a trust store, left out`);
    return [];
  }
  const own = pem.certificates.map((certificate, index) => ({
    name: numbered(shown(path), index),
    certificate,
    rank: [0, path.length] as const,
  }));
  return [{ found: [...own, ...embedded.flatMap((part) => ofKubeconfig(path, part))], keys: pem.keys }];
}

/** Nothing of what is no small file any more: a pipe would never end. */
function readText(file: string, note: (what: string) => void): string {
  try {
    const descriptor = openSync(file, "r");
    try {
      const stats = fstatSync(descriptor);
      return stats.isFile() && stats.size <= LARGEST_FILE ? readFileSync(descriptor, "utf8") : "";
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    note(reason(error));
    return "";
  }
}

interface Embedded {
  readonly field: string;
  readonly content: ReturnType<typeof readPem>;
}

/** Certificates in the fields of a kubeconfig, YAML or JSON. */
function embeddedIn(text: string): Embedded[] {
  const matches = text.matchAll(
    /\b(client-certificate-data|certificate-authority-data)["']?\s*:\s*["']?([A-Za-z0-9+/]{64,}=*)/g,
  );
  return [...matches].map(([, field, base64]) => {
    return { field: field!, content: readPem(Buffer.from(base64!, "base64").toString("latin1")) };
  });
}

function ofKubeconfig(path: string, { field, content }: Embedded): Ranked[] {
  const name = field === "client-certificate-data" ? shown(path) : `${shown(path)} ${field}`;
  return content.certificates.map((certificate, index) => {
    return { name: numbered(name, index), certificate, rank: [1, path.length] };
  });
}

function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}#${index + 1}`;
}

function byRank(a: Ranked, b: Ranked): number {
  return a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || (a.name < b.name ? -1 : 1);
}

/** A path that stays on its line. */
function shown(path: string): string {
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  return path.replace(/[\x00-\x1f\x7f]/g, "?");
}
