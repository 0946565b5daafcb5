import { type Content, published, readPublished } from "./content";
import type { Consumer, FileKind } from "./table";

/** A file of a holder: a machine, any `worker`, the `operator`. */
export interface ClusterFile extends PublishedFile {
  /** Absolute path on the machine. */
  readonly path: string;
  /** What it holds; a configuration is text that names other files, a join token is what a machine joins with. */
  readonly kind: FileKind | "configuration" | "join token";
  /** Who reads it. */
  readonly consumers: readonly Consumer[];
}

/** What a file is made of, and how it has to stand on its machine. */
export interface PublishedFile {
  /** Octal, e.g. `0600`. */
  readonly mode: string;
  /** `user:group`. */
  readonly owner: string;
  /** What stands in it, as data that refers to the state. */
  readonly content: Content;
}

/** What goes without saying of a file: nobody but root reads it. */
const STRICTEST = { mode: "0600", owner: "root:root" };

/** A file as it is published under its path; mode and owner are left out where they are the strictest. */
export function publishedFile({ mode, owner, content }: PublishedFile): unknown {
  return {
    ...(mode === STRICTEST.mode ? {} : { mode }),
    ...(owner === STRICTEST.owner ? {} : { owner }),
    content: published(content),
  };
}

/**
 * Reads what {@link publishedFile} wrote.
 *
 * @returns undefined where it is something else
 */
export function readPublishedFile(value: unknown): PublishedFile | undefined {
  const given = (value ?? {}) as Partial<Record<keyof PublishedFile, unknown>>;
  const { mode, owner } = { ...STRICTEST, ...given };
  const content = readPublished(given.content);
  return typeof mode === "string" && /^0[0-7]{3}$/.test(mode) && typeof owner === "string" && content !== undefined
    ? { mode, owner, content }
    : undefined;
}

/** The public map of all files: machine, or `worker`, or `operator` → path → file. Names secrets, never holds one. */
export type FileMap = Readonly<Record<string, Readonly<Record<string, PublishedFile>>>>;

/** The holder of what any worker needs, named or not. */
export const ANY_WORKER = "worker";
/** The holder of what no machine may have. */
export const OPERATOR = "operator";
/** The holder of what the cluster has as a whole. */
export const CLUSTER = "cluster";
