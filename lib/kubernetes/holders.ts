import type { Content } from "./content";
import type { Consumer, FileKind } from "./table";

/** A file of a machine. */
export interface ClusterFile extends PublishedFile {
  /** Absolute path on the machine. */
  readonly path: string;
  /** What it holds; a configuration is text that names other files, a join token is what a machine joins with. */
  readonly kind: FileKind | "configuration" | "join token";
  /** Who reads it. */
  readonly consumers: readonly Consumer[];
}

/** What is published of a file, under its path. */
export interface PublishedFile {
  /** Octal, e.g. `0600`. */
  readonly mode: string;
  /** `user:group`. */
  readonly owner: string;
  /** What stands in it, as data that refers to the state. */
  readonly content: Content;
}

/** The public map of all files: machine, or `worker`, or `operator` → path → file. Names secrets, never holds one. */
export type FileMap = Readonly<Record<string, Readonly<Record<string, PublishedFile>>>>;

/** The holder of what any worker needs, named or not. */
export const ANY_WORKER = "worker";
/** The holder of what no machine may have. */
export const OPERATOR = "operator";
/** The holder of what the cluster has as a whole. */
export const CLUSTER = "cluster";
