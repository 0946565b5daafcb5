import { Dirent, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, isAbsolute, join, posix, sep } from "node:path";
import { isLookedAt, mustHoldCertificate } from "./file-names";
import { reason, UnusableError } from "../terraform-json/unusable";

/** A machine that runs containers has some 30,000 outside of {@link ELSEWHERE}. */
const MOST_ENTRIES = 200_000;

/** Where everybody's authorities are, who are no identity of a cluster. */
const PUBLIC_TRUST =
  "etc/ssl/certs|etc/ca-certificates|etc/pki/ca-trust|usr/share/ca-certificates|var/lib/ca-certificates";

/** The system itself. */
const SYSTEM = "proc|sys|dev|run|boot|usr|lib|lib32|lib64|bin|sbin|nix/store";

/** Where a link out of the folder may lead without hiding an identity. */
const OF_THE_SYSTEM = new RegExp(`^/(${SYSTEM}|${PUBLIC_TRUST})(/|$)`);

/** Where a machine keeps what is no identity of a cluster: the system, the public trust store, containers and their volumes. */
const ELSEWHERE = new RegExp(
  "^/(" +
    `${SYSTEM}|${PUBLIC_TRUST}|snap|tmp|lost\\+found|var/(run|tmp|log|cache|spool|snap|lock)|` +
    "var/lib/(docker|containerd|containers|etcd|snapd|dpkg|apt|kubelet/(pods|plugins|plugins_registry))|" +
    "var/lib/rancher/(k3s|rke2)/(data|storage|agent/containerd)|var/lib/k0s/(containerd|bin|kubelet/pods)" +
    ")(/|$)|/(node_modules|\\.git|\\.terraform|cdktf\\.out)(/|$)",
);

/** The kubelet keeps every certificate it ever had, and a link to the one it uses. */
const OF_THE_KUBELET = /^(.+)-\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}\.pem$/;

/** Folders that a cluster's certificates are in, when they are links. */
const OF_A_CLUSTER = /^(pki|kubernetes|kubelet|etcd|rancher|k3s|rke2|k0s)$/;

/** A file to look at. */
export interface FoundFile {
  /** As on the machine. */
  readonly path: string;
  /** Where it is to be read. */
  readonly file: string;
}

/** What a walk has found. */
export interface Walk {
  /** In order of their paths. */
  readonly files: readonly FoundFile[];
  /** Links to files, by their own path: the path of the file. */
  readonly links: ReadonlyMap<string, string>;
}

/** Told of what cannot be looked at. What is gone since its folder was read is no such thing. */
export type Unreadable = (path: string, why: string) => void;

/**
 * Finds the files to look at below a folder. Links to folders are not followed: what they lead to is found at its own place.
 *
 * @param root stands for `/` of the machine
 * @throws UnusableError when the folder cannot be read, or holds too much to look at
 */
export function walk(root: string, unreadable: Unreadable): Walk {
  const real = realRoot(root);
  const files: FoundFile[] = [];
  const linked: Linked[] = [];
  const folders = ["/"];
  let entries = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const names = namesIn(real, folder, unreadable);
    entries += names.length;
    if (entries > MOST_ENTRIES) {
      throw new UnusableError(
        `${root} holds more than ${MOST_ENTRIES} files: name a folder nearer to the certificates`,
      );
    }
    for (const entry of names.filter((name) => !isEarlier(name, names, real, folder!))) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory() && !ELSEWHERE.test(path)) {
        folders.push(path);
      } else if (entry.isFile() && isLookedAt(entry.name)) {
        files.push({ path, file: join(real, path) });
      } else if (entry.isSymbolicLink() && !ELSEWHERE.test(path)) {
        linked.push(...follow(real, path, names, unreadable));
      }
    }
  }
  return withLinks(files, linked);
}

interface Linked {
  readonly path: string;
  readonly target: FoundFile;
}

/** A link whose file was found is another name of it; one to what was not is the only way there. */
function withLinks(files: readonly FoundFile[], linked: readonly Linked[]): Walk {
  const found = new Set(files.map(({ path }) => path));
  const [known, others] = [true, false].map((is) => linked.filter(({ target }) => found.has(target.path) === is));
  return {
    files: [...files, ...others!.map(({ path, target }) => ({ path, file: target.file }))].sort((a, b) =>
      a.path < b.path ? -1 : 1,
    ),
    links: new Map(known!.map(({ path, target }) => [path, target.path])),
  };
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

function namesIn(root: string, folder: string, unreadable: Unreadable): Dirent[] {
  try {
    const names = readdirSync(join(root, folder), { withFileTypes: true });
    if (names.length === 0 && mustHoldCertificate(basename(folder))) {
      unreadable(folder, "a folder stands where a file is needed");
    }
    return names;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") {
      unreadable(folder, reason(error));
    }
    return [];
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** A certificate that the kubelet does not use any more. */
function isEarlier({ name }: Dirent, names: readonly Dirent[], root: string, folder: string): boolean {
  const prefix = OF_THE_KUBELET.exec(name)?.[1];
  if (prefix === undefined) {
    return false;
  }
  const current = `${prefix}-current.pem`;
  const link = names.find((entry) => entry.name === current && entry.isSymbolicLink());
  const used = link && basename(linkText(join(root, folder, current)));
  return used !== undefined && used !== name && names.some((entry) => entry.name === used);
}

/** Nothing where the link is not there any more. */
function linkText(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

/** What is to be looked at where a link leads; nothing where that is found without it. */
function follow(root: string, path: string, names: readonly Dirent[], unreadable: Unreadable): Linked[] {
  const file = join(root, path);
  const name = basename(path);
  const text = linkText(file);
  // In the copy of a machine, an absolute link of the kubelet's leads out of the copy, and what it means is beside it.
  if (names.some((entry) => entry.name === basename(text) && OF_THE_KUBELET.test(entry.name))) {
    return [];
  }
  try {
    const target = (isAbsolute(text) && realPathWithin(root, join(root, text))) || realpathSync(file);
    const stats = statSync(target);
    const place = placeWithin(root, target);
    const why = whyNotThere(path, target, place, stats.isDirectory());
    if (why !== undefined) {
      unreadable(path, why);
    } else if (place !== undefined && isLookedAt(name) && (stats.isFile() || mustHoldCertificate(name))) {
      return stats.isDirectory() ? [] : [{ path, target: { path: place, file: target } }];
    }
  } catch (error) {
    const code = codeOf(error);
    const isGone = code === "ELOOP" || code === "ENOENT";
    if (isWanted(name) || (!isGone && isLookedAt(name))) {
      unreadable(path, isGone ? GONE[code] : reason(error));
    }
  }
  return [];
}

const GONE = { ELOOP: "a link in a circle", ENOENT: "a link that leads nowhere" };

/** Why nothing is looked at where a link leads, though certificates may be there. */
function whyNotThere(path: string, target: string, place: string | undefined, isFolder: boolean): string | undefined {
  const name = basename(path);
  if (place !== undefined) {
    const isHidden = isFolder && OF_A_CLUSTER.test(name) && ELSEWHERE.test(place);
    return isHidden ? `a link to ${place}, where nothing is looked at: use --root for it` : undefined;
  }
  const mayHold = isWanted(name) || ((isFolder || isLookedAt(name)) && !OF_THE_SYSTEM.test(target));
  return mayHold ? "a link that leads out of the folder, not followed" : undefined;
}

/** Whether a name promises certificates: of a file, or of a folder of them. */
function isWanted(name: string): boolean {
  return mustHoldCertificate(name) || OF_A_CLUSTER.test(name);
}

function realPathWithin(root: string, file: string): string | undefined {
  try {
    const real = realpathSync(file);
    return placeWithin(root, real) === undefined ? undefined : real;
  } catch {
    return undefined;
  }
}

/** The path on the machine; undefined outside of the folder. */
function placeWithin(root: string, real: string): string | undefined {
  if (root === sep) {
    return real;
  }
  return real === root || real.startsWith(root + sep) ? real.slice(root.length) || "/" : undefined;
}
