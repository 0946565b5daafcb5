import type { ClusterFile } from "./holders";

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
