/**
 * What was given cannot be used: a document, a folder, an option. Its message says in one line what to do, and quotes no value of a
 * plan or state.
 */
export class UnusableError extends Error {
  /** @param message one line that a command prints as it stands */
  public constructor(message: string) {
    super(message);
    this.name = "UnusableError";
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "a file stands where a folder is needed",
  EISDIR: "a folder stands where a file is needed",
  ELOOP: "a link stands there, which is not followed",
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
