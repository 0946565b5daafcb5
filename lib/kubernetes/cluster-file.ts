import { type Content } from "./content";
import type { Consumer, FileKind, FirstStartOnly } from "./table";
import { published, readPublished } from "./content-readers";

/** A file of a holder: a machine, any `worker`, the `operator`. */
export interface ClusterFile extends PublishedFile {
  /** Absolute path on the machine. */
  readonly path: string;
  /**
   * What it holds; a configuration is text that names other files, a join token is what a machine joins with, a certificate request is for
   * who signs elsewhere.
   */
  readonly kind: FileKind | "configuration" | "join token" | "certificate request";
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
  /**
   * Set where nothing may write it once the distribution runs.
   * @default - it may be written at any time
   */
  readonly firstStartOnly?: FirstStartOnly;
}

/** Mode of a file with which somebody could be somebody else. */
export const SECRET_MODE = "0600";
/** Mode of any other file. */
export const PUBLIC_MODE = "0644";
/** Owner of a file of which a table says nothing else. */
export const OWNER = "root:root";

const SECRET: readonly ClusterFile["kind"][] = ["private key", "private keys", "kubeconfig", "join token"];

/** The mode and owner of a file: its row's, or the usual ones of what it holds. */
export function accessOf({ kind, mode, owner = OWNER }: Pick<ClusterFile, "kind"> & Partial<ClusterFile>): {
  readonly mode: string;
  readonly owner: string;
} {
  return { mode: mode ?? (SECRET.includes(kind) ? SECRET_MODE : PUBLIC_MODE), owner };
}

/** What goes without saying of a published file: nobody but root reads it. */
const STRICTEST = { mode: SECRET_MODE, owner: OWNER };

/** A file as it is published under its path; mode and owner are left out where they are the strictest. */
export function publishedFile({ mode, owner, content, firstStartOnly }: PublishedFile): unknown {
  return {
    ...(mode === STRICTEST.mode ? {} : { mode }),
    ...(owner === STRICTEST.owner ? {} : { owner }),
    ...(firstStartOnly === undefined ? {} : { firstStartOnly }),
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
  const start = given.firstStartOnly === undefined ? {} : readFirstStart(given.firstStartOnly);
  return typeof mode === "string" &&
    /^0[0-7]{3}$/.test(mode) &&
    typeof owner === "string" &&
    content !== undefined &&
    start
    ? { mode, owner, content, ...start }
    : undefined;
}

/** One that cannot be read is no reason to write a file at any time. */
function readFirstStart(value: unknown): Pick<PublishedFile, "firstStartOnly"> | undefined {
  const { command, folder, madeAtStart } = (value ?? {}) as Partial<Record<keyof FirstStartOnly, unknown>>;
  return typeof command === "string" && /^[\w-]+( [\w-]+)*$/.test(command) && isFolder(folder) && isFolder(madeAtStart)
    ? { firstStartOnly: { command, folder, madeAtStart } }
    : undefined;
}

function isFolder(path: unknown): path is string {
  return typeof path === "string" && path.startsWith("/") && !path.endsWith("/");
}

/** The public map of all files: machine, or `worker`, or `operator` → path → file. Names secrets, never holds one. */
export type FileMap = Readonly<Record<string, Readonly<Record<string, PublishedFile>>>>;

/** The holder of what any worker needs, named or not. */
export const ANY_WORKER = "worker";
/** The holder of what no machine may have. */
export const OPERATOR = "operator";
/** The holder of the requests for certificates that are signed elsewhere. */
export const REQUESTS = "requests";
/** The holder of what the cluster has as a whole. */
export const CLUSTER = "cluster";
