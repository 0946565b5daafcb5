import path from "node:path";
import { Cluster, Consumer, DistributionTable, HolderKind } from "../../lib";
import { fillText } from "../../lib/kubernetes/holders";

/** What a control plane runs here. */
export type Component = "etcd" | "kube-apiserver" | "kube-controller-manager";

/** Where a sandbox listens. All on loopback. */
export interface Ports {
  readonly apiServer: number;
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly controllerManager: number;
}

/**
 * An address that the API server may advertise: it refuses loopback, and nobody connects to it here.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5737
 */
const ADVERTISED_ADDRESS = "192.0.2.10";

const CONTROLLERS = [
  "certificatesigningrequest-signing-controller",
  "certificatesigningrequest-approving-controller",
  "certificatesigningrequest-cleaner-controller",
  "bootstrap-signer-controller",
  "token-cleaner-controller",
  "serviceaccount-controller",
  "serviceaccount-token-controller",
  "root-ca-certificate-publisher-controller",
  "clusterrole-aggregation-controller",
];

/** Flags that make the components run on one machine. None may name a PKI file: those come from the distribution's table. */
export function baseFlags(folder: string, ports: Ports, serviceCidrs: readonly string[]): Record<Component, string[]> {
  const client = `https://127.0.0.1:${ports.etcdClient}`;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  return {
    etcd: [
      "--name=cp-1",
      `--data-dir=${path.join(folder, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=cp-1=${peer}`,
      "--unsafe-no-fsync",
    ],
    "kube-apiserver": [
      `--etcd-servers=${client}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${ports.apiServer}`,
      `--advertise-address=${ADVERTISED_ADDRESS}`,
      `--service-cluster-ip-range=${serviceCidrs.join(",")}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--enable-bootstrap-token-auth=true",
      "--allow-privileged=true",
    ],
    "kube-controller-manager": [
      "--bind-address=127.0.0.1",
      `--secure-port=${ports.controllerManager}`,
      "--leader-elect=false",
      "--use-service-account-credentials=true",
      `--controllers=${CONTROLLERS.join(",")}`,
    ],
  };
}

/** What a kubelet without containers is told of its files; of the rest it knows no flag. */
const HOLLOW_KUBELET: readonly string[] = ["--kubeconfig", "--bootstrap-kubeconfig"];

/** Flags that make a kubelet without containers run beside others. */
export function hollowFlags(name: string, port: number, certificates: string): string[] {
  return [
    "--morph=kubelet",
    "--use-host-image-service=false",
    `--name=${name}`,
    `--cert-dir=${certificates}`,
    `--kubelet-port=${port}`,
    "--kubelet-read-only-port=0",
  ];
}

/** Flags that a component takes several times: it uses them all. Of any other it would use the last without a word. */
const REPEATABLE: readonly string[] = ["--service-account-key-file", "--service-account-issuer"];

/** Whose files a component reads. */
export interface Site {
  readonly table: DistributionTable;
  readonly cluster: Cluster;
  readonly machine: string;
  /** Folder that stands for `/` of the machine. */
  readonly root: string;
  readonly holders: readonly HolderKind[];
}

/**
 * The flags by which a component reads its PKI files: the consumer column of the distribution's table.
 *
 * @throws Error when the table gives a component two files for one flag
 */
export function pkiFlags(component: string, { table, cluster, machine, root, holders }: Site): string[] {
  const rows = [table.authorities, table.keyPairs, table.certificates].flatMap((part) => Object.values(part));
  const joins = Object.values(table.access.tokens).map(({ file }) => ({ ...file, on: [file.on] }));
  const files = [...rows.flatMap((row) => row.files), ...joins].filter((file) =>
    file.on.some((holder) => holders.includes(holder)),
  );
  const flags = files.flatMap(({ path: file, consumers }) =>
    consumers
      .filter((consumer) => consumer.component === component)
      .flatMap((consumer) => flagsOf(consumer, path.join(root, file)))
      .map((flag) => fillText(flag, cluster, machine)),
  );
  return unambiguous([...new Set(flags)], component);
}

/** The flags by which a kubelet without containers reads its files. */
export function kubeletFlags(site: Site): string[] {
  return pkiFlags("kubelet", site).filter((flag) => HOLLOW_KUBELET.includes(nameOf(flag)));
}

function flagsOf({ via, with: others = {} }: Consumer, file: string): string[] {
  return "flag" in via
    ? [`${via.flag}=${file}`, ...Object.entries(others).map(([flag, value]) => `${flag}=${value}`)]
    : [];
}

function nameOf(flag: string): string {
  return flag.split("=")[0]!;
}

function unambiguous(flags: string[], component: string): string[] {
  const names = flags.map(nameOf);
  const twice = names.find((name, index) => !REPEATABLE.includes(name) && names.indexOf(name) !== index);
  if (twice !== undefined) {
    const values = flags.filter((flag) => nameOf(flag) === twice);
    throw new Error(`the table gives ${component} several values of one flag: ${values.join(" ")}`);
  }
  return flags;
}
