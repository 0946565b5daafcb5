import type { CertificateAndKey } from "../components";
import type { Consumer, EtcdTopology, FileKind, FileRow, HolderKind } from "../table";

export const CONTROL_PLANE: readonly HolderKind[] = ["control-plane"];
export const ETCD_MEMBER: readonly HolderKind[] = ["etcd-member"];
export const NAMED_WORKER: readonly HolderKind[] = ["named-worker"];
/** What goes with the certificate that the controller-manager signs with, where the distribution lets it be told. */
export const SIGNING_DURATION = { "--cluster-signing-duration": "{clusterSigningDuration}" };

/** Every worker, the ones that join by token without a name included. */
export const WORKER: readonly HolderKind[] = ["worker"];
export const OPERATOR: readonly HolderKind[] = ["operator"];

/** Where etcd has certificates from here. */
export const ETCD_HERE: readonly EtcdTopology[] = ["stacked", "members"];

/** Usage of a bootstrap token that the API server knows its bearer by. */
export const AUTHENTICATION = "usage-bootstrap-authentication";

/**
 * What identities are for that every distribution has, in kubeadm's words where it has any.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/certs/certlist.go
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/cmd/phases/init/kubeconfig.go
 */
export const PURPOSES = {
  kubernetes: "CA to provision identities for other Kubernetes components",
  "front-proxy": "CA to provision identities for front proxy",
  etcd: "CA to provision identities for etcd",
  "service-account": "key pair for signing service account tokens",
  apiserver: "certificate for serving the Kubernetes API",
  "apiserver-kubelet-client": "certificate for the API server to connect to kubelet",
  "front-proxy-client": "certificate for the front proxy client",
  "etcd-server": "certificate for serving etcd",
  "etcd-peer": "certificate for etcd nodes to communicate with each other",
  "etcd-healthcheck-client": "certificate for liveness probes to healthcheck etcd",
  "apiserver-etcd-client": "certificate the apiserver uses to access etcd",
  admin: "certificate for the admin to connect to the API server",
  "super-admin": "certificate for the super-admin, whom no authorizer limits, to connect to the API server",
  "controller-manager": "certificate for the controller manager to connect to the API server",
  scheduler: "certificate for the scheduler to connect to the API server",
  kubelet: "certificate for the kubelet to connect to the API server",
  "kubelet-server": "certificate for serving the kubelet API",
  "kube-proxy": "certificate for kube-proxy to connect to the API server",
  worker: "bootstrap token for a kubelet to request its certificate",
} as const;

/** A file, who holds it and who reads it. */
export function file(
  path: string,
  kind: FileKind,
  holders: readonly HolderKind[],
  consumers: readonly Consumer[],
  more: Partial<FileRow> = {},
): FileRow {
  return { path, kind, on: holders, consumers, ...more };
}

/** A kubeconfig that points at the cluster's endpoint, or at the API server on the same machine. */
export function kubeconfig(
  path: string,
  server: "endpoint" | "local",
  holders: readonly HolderKind[],
  consumers: readonly Consumer[],
  more: Partial<FileRow> = {},
): FileRow {
  return file(path, "kubeconfig", holders, consumers, { server, ...more });
}

/** Readers that do not run on all of a file's holders. */
export function on(holders: readonly HolderKind[], ...readers: readonly Consumer[]): Consumer[] {
  return readers.map((reader) => ({ ...reader, on: holders }));
}

/** A reader that a distribution tells more than the flags that always go with a file. */
export function withFlags(reader: Consumer, flags: Readonly<Record<string, string>>): Consumer {
  return { ...reader, with: { ...reader.with, ...flags } };
}

/** A reader whose port is not the usual one, and is not the description's either. */
export function onPort({ port, ...reader }: Consumer, number: number): Consumer {
  return { ...reader, port: { number, setBy: port!.setBy } };
}

/** How a distribution names and keeps a certificate and its key. */
interface PairStyle {
  /** The ends of their names. */
  readonly endings: readonly [certificate: string, key: string];
  /** @default certificate */
  readonly kind?: FileKind;
  /** Mode of the key. */
  readonly mode?: string;
}

/** Makes the files of a certificate and its key, with all who read both. */
export function pairsOf({ endings, kind = "certificate", mode }: PairStyle) {
  return (
    base: string,
    holders: readonly HolderKind[],
    readers: readonly CertificateAndKey[],
    more: Partial<FileRow> = {},
  ): FileRow[] => [
    file(base + endings[0], kind, holders, certificatesOf(readers), more),
    file(base + endings[1], "private key", holders, keysOf(readers), { mode, ...more }),
  ];
}

/** What takes the certificates of pairs. */
export function certificatesOf(readers: readonly CertificateAndKey[]): Consumer[] {
  return readers.map(({ certificate }) => certificate);
}

/** What takes their keys. */
export function keysOf(readers: readonly CertificateAndKey[]): Consumer[] {
  return readers.map(({ key }) => key);
}

/** A path as a YAML scalar: plain where it is one of those that everybody has. */
export function pathScalar(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : JSON.stringify(path);
}
