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
  /** What stands in it, as data: it names secrets and holds none. */
  readonly content: Content;
}

/** Owner of what has none of its own. */
const ROOT = "root:root";

/** A file as it is published under its path: the owner is left out where it is root. */
export function publishedFile({ mode, owner, content }: PublishedFile): unknown {
  return { mode, ...(owner === ROOT ? {} : { owner }), content: published(content) };
}

/**
 * Reads what {@link publishedFile} wrote.
 *
 * @returns undefined where it is something else
 */
export function readPublishedFile(value: unknown): PublishedFile | undefined {
  const { mode, owner = ROOT, content: made } = (value ?? {}) as Partial<Record<keyof PublishedFile, unknown>>;
  const content = readPublished(made);
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
