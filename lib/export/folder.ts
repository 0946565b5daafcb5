import * as fs from "node:fs";
import { join } from "node:path";
import { UnusableError } from "../terraform-json/unusable";

/** Linux' O_PATH, which Node does not name: a folder is opened by who may pass through it, though not read it. */
const O_PATH = process.platform === "linux" ? 0o10000000 : 0;

/**
 * A folder at or below the root, and no link: what is done in it is done there, whatever takes its name meanwhile. Linux reaches a name in
 * an open folder by way of /proc/self/fd, as openat2 would with RESOLVE_NO_SYMLINKS. Elsewhere the whole way is looked at again
 * before every step, which leaves a moment.
 */
export class Folder {
  /**
   * Opens the root. Only here a link is followed: the user named it.
   *
   * @returns undefined where there is none
   */
  public static root(path: string): Folder | undefined {
    return openFolder(path, path, 0, undefined);
  }

  /** A path to this very folder, where the system has one that does not go by names. */
  private readonly opened: string | undefined;

  /** @param path as a message shows it */
  public constructor(
    public readonly path: string,
    private readonly descriptor: number,
    private readonly parent: Parent | undefined,
  ) {
    const opened = `/proc/self/fd/${descriptor}`;
    this.opened = fs.existsSync(opened) ? opened : undefined;
  }

  /** Where the system finds a name in this folder. */
  public at(name: string): string {
    if (this.opened === undefined) {
      this.expectInPlace();
    }
    return join(this.opened ?? this.path, name);
  }

  /**
   * Opens a folder in this one.
   *
   * @returns undefined where there is none
   * @throws UnusableError when a link has its name
   */
  public child(name: string): Folder | undefined {
    const path = join(this.path, name);
    const place = this.at(name);
    try {
      return openFolder(place, path, fs.constants.O_NOFOLLOW, { folder: this, name });
    } catch (error) {
      if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw linkRefused(path, place);
      }
      throw error;
    }
  }

  /** Makes a folder in this one, and opens it; it may have been made meanwhile. */
  public make(name: string, mode: number): Folder {
    try {
      fs.mkdirSync(this.at(name), { mode });
    } catch (error) {
      // Exports for two machines may run at the same time, and start with the same missing folder.
      const other = this.child(name);
      if (!other) {
        throw error;
      }
      return other;
    }
    const made = this.child(name);
    if (!made) {
      throw replaced(join(this.path, name));
    }
    return made;
  }

  /** What stands at a name itself, not where a link there leads. */
  public stats(name: string): fs.Stats | undefined {
    return fs.lstatSync(this.at(name), { throwIfNoEntry: false });
  }

  /**
   * Opens a file to read it.
   *
   * @throws an error of the system, also when a link has its name
   */
  public read<T>(name: string, action: (file: number, stats: fs.Stats) => T): T {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    // Without waiting, should it be a pipe by now.
    const file = fs.openSync(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      return action(file, fs.fstatSync(file));
    } finally {
      fs.closeSync(file);
    }
  }

  /** Removes a file, or a link itself; nothing where it is gone. */
  public remove(name: string): void {
    try {
      fs.unlinkSync(this.at(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw error;
      }
    }
  }

  /** Names of all that stands here. None where they may not be listed. */
  public names(): string[] {
    try {
      return fs.readdirSync(this.at("."));
    } catch {
      return [];
    }
  }

  /** Puts the names in this folder on the disk. What was renamed stands there for every reader, whether or not that can be done. */
  public sync(): void {
    let folder: number | undefined;
    try {
      folder = fs.openSync(this.at("."), "r");
      fs.fsyncSync(folder);
    } catch {
      // Not every system opens a folder or syncs it, and one in which somebody may write need not be readable.
    } finally {
      if (folder !== undefined) {
        fs.closeSync(folder);
      }
    }
  }

  /** Refuses to go on when this folder no longer stands where it was opened: what is written would go elsewhere. */
  public expectInPlace(): void {
    if (!this.parent) {
      return;
    }
    const { folder, name } = this.parent;
    const place = join(folder.opened ?? folder.path, name);
    const now = fs.lstatSync(place, { throwIfNoEntry: false });
    if (now?.isSymbolicLink()) {
      throw linkRefused(this.path, place);
    }
    const opened = fs.fstatSync(this.descriptor);
    if (now?.ino !== opened.ino || now.dev !== opened.dev) {
      throw replaced(this.path);
    }
    folder.expectInPlace();
  }

  /** Ends the use of this folder. */
  public close(): void {
    fs.closeSync(this.descriptor);
  }
}

interface Parent {
  readonly folder: Folder;
  readonly name: string;
}

function openFolder(place: string, path: string, flags: number, parent: Parent | undefined): Folder | undefined {
  try {
    return new Folder(path, fs.openSync(place, O_PATH | fs.constants.O_DIRECTORY | flags), parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

/** A link on the way was found, of which nobody knows whether it leads out of the root. */
export class LinkRefused extends UnusableError {}

function linkRefused(path: string, place: string): LinkRefused {
  return new LinkRefused(
    `${path} is a link${leadsTo(place)}, and export follows none below --root: put a folder there, ` +
      "or mount the one that is meant (mount --bind)",
  );
}

/** As JSON, which keeps it on its line. */
function leadsTo(place: string): string {
  try {
    return ` to ${JSON.stringify(fs.readlinkSync(place))}`;
  } catch {
    return "";
  }
}

function replaced(path: string): UnusableError {
  return new UnusableError(
    `${path} was moved or replaced while files were written into it: see who does that, and run again`,
  );
}
