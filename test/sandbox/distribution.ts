import { gunzipSync } from "node:zlib";
import { CertificateRow, Distribution, DistributionTable, FileRow, HolderKind, JoinFormat, TokenRow } from "../../lib";
import { SYSTEM_MASTERS } from "../../lib/x509/system-masters";

/** Distributions whose options make another PKI of them. */
const WITH_OPTIONS: Readonly<Record<string, Distribution>> = {
  "kubeadm-kubelet-serving": Distribution.kubeadm({ kubeletServing: true }),
  "single-ca-own-authorities": Distribution.singleCa({
    ownAuthorities: [
      "etcd-server",
      "etcd-peer",
      "etcd-client",
      "apiserver",
      "apiserver-client",
      "apiserver-kubelet-client",
      "front-proxy-client",
      "kubelet-server",
      "kubelet-client",
    ],
  }),
};

/** By name, those whose tables say what an API server serves: the others only hand files over to somebody else. */
const RUNNABLE: ReadonlyMap<string, Distribution> = new Map([
  ...Object.values(Distribution)
    .filter((value: unknown): value is Distribution => value instanceof Distribution && servesApi(value.table))
    .map((distribution) => [distribution.table.name, distribution] as const),
  ...Object.entries(WITH_OPTIONS),
]);

function servesApi({ certificates }: DistributionTable): boolean {
  const consumers = Object.values(certificates).flatMap(({ files }) => files.flatMap((file) => file.consumers));
  return consumers.some(({ component, via }) => {
    return component === "kube-apiserver" && "flag" in via && via.flag === "--tls-cert-file";
  });
}

/** Names of the distributions that a sandbox can run. */
export const distributionNames: readonly string[] = [...RUNNABLE.keys()];

/** @throws Error when no sandbox can run one of that name */
export function distributionNamed(name = "kubeadm"): Distribution {
  const found = RUNNABLE.get(name);
  if (!found) {
    throw new Error(`--distribution: given ${name}; allowed: ${distributionNames.join(", ")}`);
  }
  return found;
}

/**
 * Whether etcd may have machines of its own. Members on one machine come to each other from 127.0.0.1, which their certificates would have to
 * name, so that no more than one of those stands here that are on control planes.
 */
export function hasEtcdMembers({ requires }: DistributionTable): boolean {
  return requires.etcd?.includes("members") ?? true;
}

/** A kubeconfig of the operator. */
export interface OperatorKubeconfig {
  readonly row: CertificateRow;
  readonly path: string;
}

/** The operator's kubeconfigs: that of everyday, and that of `system:masters`, with which everything begins. They may be one. */
export function operatorKubeconfigs({ name, certificates }: DistributionTable): {
  readonly everyday: OperatorKubeconfig;
  readonly first: OperatorKubeconfig;
} {
  const all = Object.values(certificates).flatMap((row) =>
    kubeconfigs(row, "operator").map((file): OperatorKubeconfig => ({ row, path: file.path })),
  );
  const first = all.find(({ row }) => row.organization === SYSTEM_MASTERS);
  if (!first) {
    throw new Error(`distribution ${name} gives its operator no kubeconfig in ${SYSTEM_MASTERS}`);
  }
  return { everyday: all.find(({ row }) => !row.breakGlass) ?? first, first };
}

function kubeconfigs({ files }: CertificateRow, holder: HolderKind): FileRow[] {
  return files.filter((file) => file.kind === "kubeconfig" && file.on.includes(holder));
}

/** With which token a worker joins by TLS bootstrap; nothing where it needs a certificate before it joins. */
export function bootstrapToken({ access }: DistributionTable): TokenRow | undefined {
  const { worker } = access.tokens;
  return access.nodeBootstrapping && worker && worker.format !== "secure token" ? worker : undefined;
}

/** Where a kubelet finds the token. What it cannot read as it is, it finds where its distribution would unpack it. */
export function bootstrapKubeconfig({ file }: TokenRow): string {
  return isReadWith("--bootstrap-kubeconfig", file) ? file.path : "/var/lib/kubelet/bootstrap-kubeconfig";
}

/** What is in a file with which a machine joins. */
export function unpacked(format: JoinFormat, text: string): string {
  const isPacked = format !== "secure token" && format.encoding === "base64gzip";
  return isPacked ? gunzipSync(Buffer.from(text, "base64")).toString() : text;
}

/** Where a worker's kubelet keeps its kubeconfig. A table says so only of workers that get one. */
export function kubeletKubeconfig({ certificates }: DistributionTable): string {
  const files = Object.values(certificates).flatMap((row) => kubeconfigs(row, "named-worker"));
  return files.find((file) => isReadWith("--kubeconfig", file))?.path ?? "/var/lib/kubelet/kubeconfig";
}

function isReadWith(flag: string, { consumers }: Pick<FileRow, "consumers">): boolean {
  return consumers.some(({ component, via }) => component === "kubelet" && "flag" in via && via.flag === flag);
}
