import { posix } from "node:path";
import { reason, UnusableError } from "../terraform-json/unusable";
import { LinkRefused } from "./folder";
import { idOfTemporary } from "./staged-file";
import { attempt, Place, Tree } from "./tree";

/** A file that was written once and that is in the map no more. */
export interface Unwanted {
  readonly path: string;
  /** Undefined where it may not be deleted. */
  readonly place: Place | undefined;
  /** Why it may not be. */
  readonly obstacle: string | undefined;
}

/** Looks up files that nobody wants any more; those that are gone are left out. */
export function findUnwanted(tree: Tree, paths: readonly string[]): Unwanted[] {
  return paths.flatMap((path): Unwanted[] => {
    try {
      const place = tree.find(path);
      const stats = place?.folder.stats(place.name);
      if (!place || !stats) {
        return [];
      }
      return stats.isFile()
        ? [{ path, place, obstacle: undefined }]
        : [{ path, place: undefined, obstacle: `${tree.shown(path)} is no file any more` }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOTDIR") {
        return [];
      }
      const obstacle = error instanceof UnusableError ? error.message : `${tree.shown(path)}: ${reason(error)}`;
      return [{ path, place: undefined, obstacle }];
    }
  });
}

/** Deletes a file, if it may be. */
export function deleteUnwanted(tree: Tree, { path, place }: Unwanted): boolean {
  attempt(tree.shown(path), () => place?.folder.remove(place.name), "delete");
  return place !== undefined;
}

/**
 * Removes the temporary files of runs that were killed: in the folders of these paths, those with one of these ids.
 *
 * @returns how many there were
 */
export function removeLeftovers(tree: Tree, ids: readonly string[], paths: readonly string[]): number {
  const folders = new Set(paths.map((path) => posix.dirname(path)));
  return [...folders]
    .flatMap((folder) => leftoversIn(tree, folder, ids))
    .filter(({ folder, name }) => {
      folder.remove(name);
      return true;
    }).length;
}

function leftoversIn(tree: Tree, path: string, ids: readonly string[]): Place[] {
  try {
    const folder = tree.find(posix.join(path, "-"))?.folder;
    return (folder?.names() ?? []).flatMap((name) => {
      const isOurs = ids.includes(idOfTemporary(name) ?? "");
      return folder && isOurs && folder.stats(name)?.isFile() ? [{ folder, name }] : [];
    });
  } catch (error) {
    if (error instanceof LinkRefused || (error as NodeJS.ErrnoException).code === "ENOTDIR") {
      return []; // A folder of earlier files: what stands there now is not looked at.
    }
    throw error;
  }
}
