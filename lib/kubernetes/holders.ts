import type { Content } from "./content";

/** A file of a machine. */
export interface MachineFile {
  /** Absolute path on the machine. */
  readonly path: string;
  /** Octal, e.g. `0600`. */
  readonly mode: string;
  /** `user:group`. */
  readonly owner: string;
  readonly content: Content;
}

/** The public map of all files: machine, or `worker`, or `operator` → path → file. Names secrets, never holds one. */
export type FileMap = Readonly<Record<string, Readonly<Record<string, Omit<MachineFile, "path">>>>>;

/** The holder of what any worker needs, named or not. */
export const ANY_WORKER = "worker";
/** The holder of what no machine may have. */
export const OPERATOR = "operator";
/** The holder of what the cluster has as a whole. */
export const CLUSTER = "cluster";
