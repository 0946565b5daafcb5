import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { UnusableError } from "../terraform-json/unusable";
import type { Owner } from "./owners";
import type { Place } from "./tree";

/** How a file will be. */
export interface Staging {
  readonly bytes: Buffer;
  readonly mode: number;
  /** Left to whoever runs this, where it is undefined. */
  readonly owner?: Owner | undefined;
  /** Whose temporary file it is, in hexadecimal digits. */
  readonly id: string;
}

/** A file that was written beside its place, and is on the disk. */
export class StagedFile {
  /** Its name starts with a dot: a kubelet skips those in its folder of manifests. */
  public static write(place: Place, { bytes, mode, owner, id }: Staging): StagedFile {
    const staged = new StagedFile(place, `.${place.name}.${id}-${randomUUID()}.tmp`);
    const file = fs.openSync(place.folder.at(staged.temporary), "wx", mode);
    try {
      fs.fchmodSync(file, mode);
      giveTo(owner, file);
      fs.writeFileSync(file, bytes);
      fs.fsyncSync(file);
    } catch (error) {
      staged.discard();
      throw error;
    } finally {
      fs.closeSync(file);
    }
    return staged;
  }

  private isPublished = false;

  private constructor(
    private readonly place: Place,
    private readonly temporary: string,
  ) {}

  /** Puts it in its place, where nobody ever sees half of it. */
  public publish(): void {
    const { folder, name } = this.place;
    try {
      fs.renameSync(folder.at(this.temporary), folder.at(name));
      this.isPublished = true;
    } catch (error) {
      // The next run of the same kind takes it for one that was left.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && !folder.stats(this.temporary)) {
        throw new UnusableError("another export for the same holder runs at the same time: run this one again");
      }
      throw error;
    }
  }

  /** Removes it, where it was not published. */
  public discard(): void {
    if (this.isPublished) {
      return;
    }
    try {
      this.place.folder.remove(this.temporary);
    } catch {
      // The next run finds it.
    }
  }
}

/** The id of a temporary file; undefined for the name of any other file. */
export function idOfTemporary(name: string): string | undefined {
  return /^\..+\.([0-9a-f]+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/.exec(name)?.[1];
}

/** Gives an open file to its owner, where it is not that one's already. */
export function giveTo(owner: Owner | undefined, file: number): void {
  const { uid, gid } = fs.fstatSync(file);
  if (owner && (owner.uid !== uid || owner.gid !== gid)) {
    fs.fchownSync(file, owner.uid, owner.gid);
  }
}
