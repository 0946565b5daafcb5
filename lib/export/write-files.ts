import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { reason, UnusableError } from "../terraform-json/unusable";

/** A file with everything filled in. */
export interface FinishedFile {
  /** Absolute path on the machine. */
  readonly path: string;
  /** Octal, e.g. `0600`. */
  readonly mode: string;
  /** `user:group`. */
  readonly owner: string;
  readonly text: string;
}

/** What was done: the whole file, its mode or owner only, or nothing. */
export type Outcome = "written" | "corrected" | "unchanged";

/**
 * Writes files under a folder, each with one rename, after all of them stand beside their places: a reader never sees
 * half of a file, nor, but for an instant, a key without its certificate; and neither does a machine that lost its power, since a file
 * is on the disk before it is renamed, and its folder afterwards. A file that is right already is left alone, so that nothing that
 * watches it reloads.
 *
 * @param root stands for `/` of the machine
 * @param directoryMode mode of folders that are missing
 * @returns one outcome for each file
 * @throws UnusableError when the system refuses; whatever can be known before the first rename leaves all files as they were
 */
export function writeFiles(root: string, files: readonly FinishedFile[], directoryMode: number): Outcome[] {
  const plans = files.map((file) => planOf(root, file));
  const staged: Staged[] = [];
  try {
    for (const plan of plans.filter(({ outcome }) => outcome === "written")) {
      staged.push(stage(plan, directoryMode));
    }
    staged.forEach(({ temporary, target }) => attempt(target, () => fs.renameSync(temporary, target)));
    new Set(staged.flatMap(({ changedFolders }) => changedFolders)).forEach(syncFolder);
    plans.filter(({ outcome }) => outcome === "corrected").forEach(correct);
  } finally {
    staged.forEach(({ temporary }) => fs.rmSync(temporary, { force: true }));
  }
  return plans.map(({ outcome }) => outcome);
}

/** Owners that {@link writeFiles} cannot give to the files: only root can give, and only to who is known here. */
export function ownersLeft(files: readonly FinishedFile[]): string[] {
  return [...new Set(files.map(({ owner }) => owner))].filter((owner) => !ownerOf(owner));
}

interface Plan {
  readonly target: string;
  readonly mode: number;
  /** Undefined where it is left as it is. */
  readonly owner: Owner | undefined;
  readonly bytes: Buffer;
  readonly outcome: Outcome;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Staged {
  readonly temporary: string;
  readonly target: string;
  /** The folder of the file, and those that got a new folder. */
  readonly changedFolders: readonly string[];
}

function planOf(root: string, file: FinishedFile): Plan {
  const target = join(root, checkedPath(file.path));
  const mode = parseInt(file.mode, 8);
  const owner = ownerOf(file.owner);
  const bytes = Buffer.from(file.text);
  return { target, mode, owner, bytes, outcome: outcomeOf(target, mode, owner, bytes) };
}

/** A path that stays below the root, and on its line of the report. */
function checkedPath(path: string): string {
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (!path.startsWith("/") || path.endsWith("/") || posix.normalize(path) !== path || /[\x00-\x1f\x7f]/.test(path)) {
    throw new UnusableError(
      `the file map has the path ${JSON.stringify(path)}, which is not a plain absolute path: nothing was written`,
    );
  }
  return path;
}

function outcomeOf(target: string, mode: number, owner: Owner | undefined, bytes: Buffer): Outcome {
  const stats = attempt(target, () => existing(target));
  if (stats?.isDirectory()) {
    throw new UnusableError(`cannot write ${target}: a folder stands there; remove it or choose another --root`);
  }
  if (!stats?.isFile() || !attempt(target, () => holds(target, stats, bytes))) {
    return "written";
  }
  const right = (stats.mode & 0o7777) === mode && (!owner || isOwner(stats, owner));
  return right ? "unchanged" : "corrected";
}

/** What stands at a path itself, not where a link there leads. */
function existing(path: string): fs.Stats | undefined {
  return fs.lstatSync(path, { throwIfNoEntry: false });
}

function holds(path: string, { size }: fs.Stats, bytes: Buffer): boolean {
  return size === bytes.length && readable(path) && bytes.equals(fs.readFileSync(path));
}

/** A file of somebody else's may not be readable, and can be replaced all the same. */
function readable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function isOwner(stats: fs.Stats, { uid, gid }: Owner): boolean {
  return stats.uid === uid && stats.gid === gid;
}

/** Writes a file beside its place. Its name starts with a dot: a kubelet skips those in its folder of manifests. */
function stage({ target, mode, owner, bytes }: Plan, directoryMode: number): Staged {
  const folder = dirname(target);
  const temporary = join(folder, `.${basename(target)}.${randomUUID()}.tmp`);
  const changedFolders = [folder];
  attempt(target, () => {
    changedFolders.push(...makeFolder(folder, directoryMode));
    const file = fs.openSync(temporary, "wx", mode);
    try {
      fs.fchmodSync(file, mode);
      giveTo(owner, fs.fstatSync(file), (uid, gid) => fs.fchownSync(file, uid, gid));
      fs.writeFileSync(file, bytes);
      fs.fsyncSync(file);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    } finally {
      fs.closeSync(file);
    }
  });
  return { temporary, target, changedFolders };
}

/** Puts the names in a folder on the disk. What was renamed stands there for every reader, whether or not that can be done. */
function syncFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = fs.openSync(path, "r");
    fs.fsyncSync(folder);
  } catch {
    // Not every system opens a folder or syncs it, and one in which somebody may write need not be readable.
  } finally {
    if (folder !== undefined) {
      fs.closeSync(folder);
    }
  }
}

/**
 * Not `recursive: true`, which never ends where the system refuses a new folder with ENOENT, as /proc does.
 *
 * @returns the folders in which one was made
 */
function makeFolder(path: string, mode: number): string[] {
  if (isFolder(path)) {
    return [];
  }
  const parent = dirname(path);
  const changed = makeFolder(parent, mode);
  try {
    fs.mkdirSync(path, { mode });
  } catch (error) {
    // Exports for two machines may run at the same time, and start with the same missing folder.
    if (!isFolder(path)) {
      throw error;
    }
  }
  return [...changed, parent];
}

function isFolder(path: string): boolean {
  return fs.existsSync(path) && fs.statSync(path).isDirectory();
}

function correct({ target, mode, owner }: Plan): void {
  attempt(target, () => {
    fs.chmodSync(target, mode);
    giveTo(owner, fs.statSync(target), (uid, gid) => fs.chownSync(target, uid, gid));
  });
}

function giveTo(owner: Owner | undefined, stats: fs.Stats, chown: (uid: number, gid: number) => void): void {
  if (owner && !isOwner(stats, owner)) {
    chown(owner.uid, owner.gid);
  }
}

/** Looks up `user:group` for root. Undefined where this machine does not know it: the files may be for another one. */
function ownerOf(owner: string): Owner | undefined {
  if (process.geteuid?.() !== 0) {
    return undefined;
  }
  const [user = "", group = ""] = owner.split(":");
  const uid = idOf(user, "/etc/passwd");
  const gid = idOf(group, "/etc/group");
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function idOf(name: string, database: string): number | undefined {
  if (name === "root") {
    return 0;
  }
  const entries = fs.existsSync(database) ? fs.readFileSync(database, "utf8").split("\n") : [];
  const id = entries.map((entry) => entry.split(":")).find(([entryName]) => entryName === name)?.[2];
  return id === undefined ? undefined : Number(id);
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UnusableError(
      `cannot write ${path}: ${reason(error)}; choose another --root, or run as a user who may write there`,
    );
  }
}
