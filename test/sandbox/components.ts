import path from "node:path";
import { Cluster, Consumer, DistributionTable, HolderKind } from "../../lib";
import { PlacedMachine, placedMachines } from "../../lib/kubernetes/cluster";
import { fillText } from "../../lib/kubernetes/holders";

/** What a control plane runs here. */
export type Component = "etcd" | "kube-apiserver" | "kube-controller-manager";

/** What runs on a machine, in the order in which it starts. */
export function componentsOf({ kinds }: PlacedMachine): Component[] {
  return [
    ...(kinds.includes("etcd-member") ? (["etcd"] as const) : []),
    ...(kinds.includes("control-plane") ? (["kube-apiserver", "kube-controller-manager"] as const) : []),
  ];
}

/** Where a sandbox listens, on each machine that runs it. All on loopback. */
export interface Ports {
  readonly apiServer: number;
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly controllerManager: number;
}

/**
 * Addresses that API servers may advertise: they refuse loopback, and nobody connects to them here.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5737
 */
const ADVERTISED_ADDRESS = "192.0.2.1";

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

/**
 * Of several controller-managers one leads. It keeps that while its API server starts again, and hands it over at its end.
 *
 * @see https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/
 */
const LEADER_ELECTION = [
  "--leader-elect=true",
  "--leader-elect-lease-duration=60s",
  "--leader-elect-renew-deadline=50s",
  "--leader-elect-retry-period=1s",
  "--feature-gates=ControllerManagerReleaseLeaderElectionLockOnExit=true",
];

/** The machine of a cluster on which a component is to run. */
export interface Stand {
  readonly cluster: Cluster;
  readonly machine: string;
  readonly ports: Ports;
  /** Folder in which etcd keeps its data. */
  readonly data: string;
}

/** Flags that make a component run. None may name a PKI file: those come from the distribution's table. */
export function baseFlags(component: Component, { cluster, machine: name, ports, data }: Stand): string[] {
  const address = addressOf(cluster, name);
  const members = placedMachines(cluster).filter(({ kinds }) => kinds.includes("etcd-member"));
  const [client, peer] = [ports.etcdClient, ports.etcdPeer].map((port) => `https://${address}:${port}`);
  const eachMember = (fill: (name: string, address: string) => string) =>
    members.map(({ machine }) => fill(machine.name, addressOf(cluster, machine.name))).join(",");
  const { serviceCidrs, controlPlanes = [] } = cluster;
  switch (component) {
    case "etcd":
      return [
        `--name=${name}`,
        `--data-dir=${data}`,
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=${eachMember((member, at) => `${member}=https://${at}:${ports.etcdPeer}`)}`,
        "--unsafe-no-fsync",
      ];
    case "kube-apiserver":
      return [
        `--etcd-servers=${eachMember((_, at) => `https://${at}:${ports.etcdClient}`)}`,
        `--bind-address=${address}`,
        `--secure-port=${ports.apiServer}`,
        `--advertise-address=${ADVERTISED_ADDRESS}${controlPlanes.findIndex((machine) => machine.name === name)}`,
        `--service-cluster-ip-range=${serviceCidrs.join(",")}`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
      ];
    case "kube-controller-manager":
      return [
        `--bind-address=${address}`,
        `--secure-port=${ports.controllerManager}`,
        ...(controlPlanes.length > 1 ? LEADER_ELECTION : ["--leader-elect=false"]),
        "--use-service-account-credentials=true",
        `--controllers=${CONTROLLERS.join(",")}`,
      ];
  }
}

/** Where a machine of the description is. */
export function addressOf(cluster: Cluster, name: string): string {
  return placedMachines(cluster).find(({ machine }) => machine.name === name)!.machine.addresses![0]!;
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
export function pkiFlags(component: string, site: Site): string[] {
  const flags = readBy(component, site).flatMap(({ consumer, file }) => flagsOf(consumer, file));
  return unambiguous([...new Set(flags.map((flag) => fillText(flag, site.cluster, site.machine)))], component);
}

/** The same by fields of the component's configuration: which file each of them names. */
export function pkiFields(component: string, site: Site): Record<string, string> {
  const fields = readBy(component, site).flatMap(({ consumer: { via }, file }) =>
    "configField" in via ? [[via.configField, fillText(file, site.cluster, site.machine)] as const] : [],
  );
  return Object.fromEntries(fields);
}

/** Every file of the table that a component reads, in whatever way. */
export function filesReadBy(component: string, site: Site): string[] {
  return readBy(component, site).map(({ file }) => file);
}

function readBy(component: string, { table, root, holders }: Site): { consumer: Consumer; file: string }[] {
  const rows = [table.authorities, table.keyPairs, table.certificates].flatMap((part) => Object.values(part));
  const joins = Object.values(table.access.tokens).map(({ file }) => ({ ...file, on: [file.on] }));
  const files = [...rows.flatMap((row) => row.files), ...joins].filter((file) =>
    file.on.some((holder) => holders.includes(holder)),
  );
  return files.flatMap(({ path: file, consumers }) =>
    consumers
      .filter((consumer) => consumer.component === component)
      .map((consumer) => ({ consumer, file: path.join(root, file) })),
  );
}

/** The flags by which a kubelet reads its files; of one without containers, all that it knows. */
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
