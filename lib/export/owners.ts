import * as fs from "node:fs";
import { UnusableError } from "../terraform-json/unusable";
import { attempt, Tree } from "./tree";

/** Who a file is given to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Finds the ids of `user:group`; undefined where it is not known. */
export type FindOwner = (owner: string) => Owner | undefined;

/**
 * Looks up owners in the passwd and group files below the root, which are those of the machine; where it has none, in those of this one.
 * For a user who is not root, who cannot give files away, nobody is known.
 */
export function ownersIn(tree: Tree): FindOwner {
  if (process.geteuid?.() !== 0) {
    return () => undefined;
  }
  const read = new Map<string, string>();
  const idOf = (name: string, path: string): number | undefined => {
    const own = idOfItself(name);
    if (own === undefined && !read.has(path)) {
      read.set(path, databaseAt(tree, path));
    }
    return own ?? idIn(read.get(path) ?? "", name);
  };
  return (owner) => {
    const [user = "", group = ""] = owner.split(":");
    const uid = idOf(user, "/etc/passwd");
    const gid = idOf(group, "/etc/group");
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  };
}

/** The id that a name is of itself: root's, or one that is written as a number. */
export function idOfItself(name: string): number | undefined {
  if (name === "root") {
    return 0;
  }
  return /^\d{1,10}$/.test(name) ? Number(name) : undefined;
}

function idIn(database: string, name: string): number | undefined {
  const entries = database.split("\n").map((line) => line.split(":"));
  const id = entries.find(([entryName]) => entryName === name)?.[2];
  return id !== undefined && /^\d+$/.test(id) ? Number(id) : undefined;
}

function databaseAt(tree: Tree, path: string): string {
  const below = attempt(tree.shown(path), () => textBelow(tree, path), "read");
  return below ?? (fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "");
}

/** The text of a file below the root; undefined where there is none. */
function textBelow(tree: Tree, path: string): string | undefined {
  const place = tree.find(path);
  const stats = place?.folder.stats(place.name);
  if (!place || !stats) {
    return undefined;
  }
  if (!stats.isFile()) {
    throw new UnusableError(
      "owners are looked up in it, and it is no file: put one there, or remove what stands there",
    );
  }
  return place.folder.read(place.name, (file) => fs.readFileSync(file, "utf8"));
}
