import * as fs from "node:fs";
import { dirname, join, posix } from "node:path";
import { reason, UnusableError } from "../terraform-json/unusable";
import { Folder } from "./folder";

/** Where a file stands, or would. */
export interface Place {
  readonly folder: Folder;
  readonly name: string;
}

/** The folders below a root that stands for `/` of a machine, each opened once and without following a link. */
export class Tree {
  private readonly opened = new Map<string, Folder>();
  private readonly changed = new Set<Folder>();

  /**
   * @param root may be a link, and may be missing
   * @param directoryMode mode of folders that are missing
   */
  public constructor(
    private readonly root: string,
    private readonly directoryMode: number,
  ) {}

  /** A path of the machine as the user finds it. */
  public shown(path: string): string {
    return join(this.root, path);
  }

  /**
   * Finds the folder of a file.
   *
   * @returns undefined where there is none
   * @throws UnusableError when a link is on the way
   */
  public find(path: string): Place | undefined {
    const folder = this.folder(posix.dirname(path));
    return folder && { folder, name: posix.basename(path) };
  }

  /**
   * Finds the folder of a file that will be written, and makes what is missing.
   *
   * @param mode of the folder, where it is not that of all others
   */
  public make(path: string, mode = this.directoryMode): Place {
    const folder = this.makeFolder(posix.dirname(path), mode);
    this.changed.add(folder);
    return { folder, name: posix.basename(path) };
  }

  /** Refuses to go on when a folder in which something was made ready no longer stands in its place. */
  public expectInPlace(): void {
    this.changed.forEach((folder) => folder.expectInPlace());
  }

  /** Puts the names of what was made or changed on the disk. */
  public sync(): void {
    this.changed.forEach((folder) => folder.sync());
    this.changed.clear();
  }

  /** Ends the use of all folders. */
  public close(): void {
    this.opened.forEach((folder) => folder.close());
    this.opened.clear();
  }

  private folder(path: string): Folder | undefined {
    const known = this.opened.get(path);
    if (known) {
      return known;
    }
    const found = path === "/" ? Folder.root(this.root) : this.folder(posix.dirname(path))?.child(posix.basename(path));
    if (found) {
      this.opened.set(path, found);
    }
    return found;
  }

  private makeFolder(path: string, mode: number): Folder {
    const known = this.folder(path);
    if (known) {
      return known;
    }
    if (path === "/") {
      makeRoot(this.root, this.directoryMode).forEach(syncPath);
      return this.folder(path) ?? fail(this.root);
    }
    const parent = this.makeFolder(posix.dirname(path), this.directoryMode);
    const made = parent.make(posix.basename(path), mode);
    this.changed.add(parent);
    this.opened.set(path, made);
    return made;
  }
}

/**
 * Does something for a file.
 *
 * @param verb what is done
 * @throws UnusableError with the file's name and what to do, when the system refuses
 */
export function attempt<T>(path: string, action: () => T, verb: "read" | "write" | "delete" = "write"): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof UnusableError) {
      throw new UnusableError(`cannot ${verb} ${path}: ${error.message}`);
    }
    throw new UnusableError(
      `cannot ${verb} ${path}: ${reason(error)}; choose another --root, or run as a user who may ${verb} there`,
    );
  }
}

/**
 * Not `recursive: true`, which never ends where the system refuses a new folder with ENOENT, as /proc does.
 *
 * @returns the folders in which one was made
 */
function makeRoot(path: string, mode: number): string[] {
  if (isFolder(path)) {
    return [];
  }
  const parent = dirname(path);
  const changed = makeRoot(parent, mode);
  try {
    fs.mkdirSync(path, { mode });
  } catch (error) {
    if (!isFolder(path)) {
      throw error;
    }
  }
  return [...changed, parent];
}

function isFolder(path: string): boolean {
  return fs.existsSync(path) && fs.statSync(path).isDirectory();
}

function syncPath(path: string): void {
  const folder = Folder.root(path);
  folder?.sync();
  folder?.close();
}

function fail(path: string): never {
  throw new UnusableError(`${path} is gone again: see who removes it, and run again`);
}
