import { posix } from "node:path";
import type { FirstStartOnly } from "../kubernetes/table";
import { UnusableError } from "../terraform-json/unusable";

/** A file with everything filled in. */
export interface FinishedFile {
  /** Absolute path on the machine. */
  readonly path: string;
  /** Octal, e.g. `0600`. */
  readonly mode: string;
  /** `user:group`. */
  readonly owner: string;
  readonly text: string;
  /** Missing where it may be written at any time. */
  readonly firstStartOnly?: FirstStartOnly;
}

/** True for a path that stays below the root, and on its line of the report. */
export function isPlainPath(path: string): boolean {
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  return path.startsWith("/") && !path.endsWith("/") && posix.normalize(path) === path && !/[\x00-\x1f\x7f]/.test(path);
}

/** Refuses files at other paths, before any of them is written. */
export function checkPaths(files: readonly FinishedFile[]): void {
  const stray = files.find(({ path }) => !isPlainPath(path));
  if (stray) {
    throw new UnusableError(
      `the file map has the path ${JSON.stringify(stray.path)}, which is not a plain absolute path: nothing was written`,
    );
  }
}
