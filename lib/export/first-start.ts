import type { FirstStartOnly } from "../kubernetes/table";
import { UnusableError } from "../terraform-json/unusable";
import type { FinishedFile } from "./finished-file";
import type { Exported } from "./published-files";
import { attempt, Tree } from "./tree";

// What a distribution reads before its first start alone, and what takes it afterwards.

/** A file that will be written. */
export interface Written extends FinishedFile {
  /** True where something else stands in its place. */
  readonly replaces: boolean;
}

/** Refuses to write files, before any of them is written. */
export type Guard = (tree: Tree, written: readonly Written[]) => void;

/** A file that only a first start reads. */
type Restricted<F extends FinishedFile> = F & { readonly firstStartOnly: FirstStartOnly };

/** True for a file that only a first start reads. */
export function isRestricted<F extends FinishedFile>(file: F): file is Restricted<F> {
  return file.firstStartOnly !== undefined;
}

/**
 * Lets a file that only a first start reads be written where nothing says that the distribution was started: what it makes then is not
 * there, and neither is another file. A folder from which files are copied has no more to show than that.
 *
 * @param isFirst true where the user says so: then another file is replaced
 * @throws UnusableError with the command that takes the files
 */
export function firstStartGuard(isFirst: boolean): Guard {
  return (tree, written) => {
    for (const file of written.filter(isRestricted)) {
      const { firstStartOnly, path, replaces } = file;
      const { madeAtStart } = firstStartOnly;
      if (isThere(tree, madeAtStart)) {
        throw refused(file, tree, `${tree.shown(madeAtStart)} says that it was started`);
      }
      if (replaces && !isFirst) {
        const sure = "if it was never started, say so with --first-start";
        throw refused(file, tree, `another file stands at ${tree.shown(path)}`, sure);
      }
    }
  };
}

function refused({ firstStartOnly }: Restricted<Written>, tree: Tree, why: string, ...more: string[]): UnusableError {
  const { command } = firstStartOnly;
  const [program = command] = command.split(" ");
  return new UnusableError(
    [
      `${program} reads files below ${tree.shown(firstStartOnly.folder)} before its first start alone, ` +
        "and does not start with one that changed later",
      why,
      `export with --rotate-ca into another folder, and run ${command} --path <that folder> on the machine`,
      ...more,
      "nothing was written",
    ].join("; "),
  );
}

/**
 * The folder that `certificate rotate-ca --path` takes: the same files, each where it is below the program's own folder.
 *
 * @throws UnusableError when the holder has none of them
 */
export function rotationFolder({ files, origins }: Exported, holder: string): Exported {
  const restricted = files.filter(isRestricted);
  if (restricted.length === 0) {
    throw new UnusableError(
      `no file of ${holder} is taken by a command like k3s certificate rotate-ca: leave out --rotate-ca`,
    );
  }
  const places = new Map(restricted.map((file) => [file.path, placeOf(file)]));
  return {
    files: restricted.map((file) => ({ ...file, path: places.get(file.path)!, readAt: file.path })),
    origins: origins.map((origin) => ({
      ...origin,
      paths: origin.paths.flatMap((path) => places.get(path) ?? []),
    })),
  };
}

function placeOf({ path, firstStartOnly: { folder } }: Restricted<FinishedFile>): string {
  if (!path.startsWith(`${folder}/`)) {
    throw new UnusableError(`the file map has ${path} below ${folder}, where it is not: deploy the stack again`);
  }
  return path.slice(folder.length);
}

/**
 * Keeps a rotation out of the program's own folder.
 *
 * @throws UnusableError when that is what the root is
 */
export const rotationGuard: Guard = (tree, written) => {
  for (const { firstStartOnly } of written.filter(isRestricted)) {
    const made = firstStartOnly.madeAtStart.slice(firstStartOnly.folder.length);
    if (isThere(tree, made)) {
      throw new UnusableError(
        `--root is the folder that the program itself uses, as ${tree.shown(made)} says: ` +
          "choose an empty folder; nothing was written",
      );
    }
  }
};

/** Whatever stands there; what cannot be looked at is an error. */
function isThere(tree: Tree, path: string): boolean {
  return attempt(
    tree.shown(path),
    () => {
      const place = tree.find(path);
      return place?.folder.stats(place.name) !== undefined;
    },
    "read",
  );
}
