import type { Readable } from "node:stream";

/** What a command sees of its process. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  /** Folder that relative paths start at. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default - the system's clock */
  readonly now?: () => Date;
}

/** How a command ended, where it did not fail: it sets the exit code here. An error makes it 1, whatever stands here. */
export interface Outcome {
  exitCode: number;
}

/**
 * Something that the user can put right: shown as one line.
 *
 * Its message says what to do, and never holds a value of a state.
 */
export class CliError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "CliError";
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "a file stands where a folder is needed",
  EISDIR: "a folder stands where a file is needed",
  ENOENT: "there is no such file or folder",
  ENOSPC: "no space is left",
  ENOTDIR: "a file stands where a folder is needed",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
};

/** Why the system refused, in words. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  return REASONS[code] ?? code;
}

/** A path as one would type it in a shell. */
export function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
