import { Token } from "cdktf";
import * as ipaddr from "ipaddr.js";
import { canonicalIp } from "../x509/host";
import { API_SERVER_PORT, Cluster, ControlPlane, hostAndPort, hostPort, placedMachines, serverUrl } from "./cluster";
import { ANY_WORKER, CLUSTER, OPERATOR } from "./cluster-file";
import type { HolderKind } from "./table";
import type { AltName } from "../x509/subject-alt-names";

/** A machine, any worker, the operator or the cluster as a whole, and what it is. */
export interface Holder {
  /** The machine's name, `worker`, `operator` or `cluster`. */
  readonly name: string;
  /** What it is a holder as: a control plane that runs etcd is of two kinds. */
  readonly kinds: readonly HolderKind[];
  /** False for any worker, the operator and the cluster as a whole. */
  readonly isMachine: boolean;
  /** Its IP addresses; none where it is no machine. */
  readonly addresses: readonly string[];
  /** More names for its own API server. */
  readonly extraSans: readonly AltName[];
  /** URL of the API server on the same machine; the endpoint where there is none. */
  readonly localServer: string;
}

/** Everybody who may hold files of the cluster. */
export function holdersOf(cluster: Cluster): Holder[] {
  const endpoint = serverUrl(cluster.endpoint);
  const machines = placedMachines(cluster).map(({ machine, kinds }): Holder => {
    const addresses = machine.addresses ?? [];
    const { bindPort = API_SERVER_PORT, extraSans = [] } = machine as ControlPlane;
    const local = kinds.includes("control-plane") && addresses.length > 0;
    const localServer = local ? `https://${hostPort({ host: addresses[0]!, kind: "ip", port: bindPort })}` : endpoint;
    return { name: machine.name, kinds, isMachine: true, addresses, extraSans, localServer };
  });
  const nobody = { isMachine: false, addresses: [], extraSans: [], localServer: endpoint };
  return [
    ...machines,
    { name: ANY_WORKER, kinds: ["worker"], ...nobody },
    { name: OPERATOR, kinds: ["operator"], ...nobody },
    { name: CLUSTER, kinds: ["cluster"], ...nobody },
  ];
}

/** True when the holder is of one of the kinds. */
export function holds(holder: Holder, kinds: readonly HolderKind[]): boolean {
  return kinds.some((kind) => holder.kinds.includes(kind));
}

/** What stands for itself in a template. Values are worked out where they are asked for: most templates are plain text. */
const TEXTS: Readonly<Record<string, (cluster: Cluster, machine: string, address: string) => string>> = {
  machine: (_, machine) => machine,
  address: (_cluster, _machine, address) => address,
  clusterName: ({ name }) => name,
  clusterDomain: ({ clusterDomain = "cluster.local" }) => clusterDomain,
  endpoint: ({ endpoint }) => hostPort(hostAndPort(endpoint)),
  serviceCidrs: ({ serviceCidrs }) => serviceCidrs.join(","),
};

/** Templates that stand for several names. */
const NAMES: Readonly<Record<string, (cluster: Cluster, holder: Holder) => readonly AltName[]>> = {
  "{addresses}": (_, { addresses }) => [{ ips: addresses }],
  "{endpoint}": (cluster) => [endpointName(cluster)],
  "{serviceIps}": ({ serviceCidrs }) => serviceCidrs.map(firstAddress),
  "{extraSans}": ({ extraSans = [] }, holder) => [...extraSans, ...holder.extraSans],
};

/** Fills a text in: `{machine}`, `{address}`, `{clusterName}`, `{clusterDomain}`, `{endpoint}` (host:port), `{serviceCidrs}`. */
export function fillText(template: string, cluster: Cluster, machine = "", address = ""): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => TEXTS[name]?.(cluster, machine, address) ?? whole);
}

/** Fills the templates of alternative names in; `{addresses}`, `{endpoint}`, `{serviceIps}` and `{extraSans}` stand for several each. */
export function fillNames(templates: readonly string[], cluster: Cluster, holder: Holder): AltName[] {
  return templates.flatMap(
    (template) => NAMES[template]?.(cluster, holder) ?? [fillText(template, cluster, holder.name)],
  );
}

function endpointName({ endpoint }: Cluster): AltName {
  const { host, kind } = hostAndPort(endpoint);
  if (Token.isUnresolved(host)) {
    return kind === "ip" ? { ips: [host] } : { dns: [host] };
  }
  return host;
}

/** The address of the `kubernetes` Service: index 1 of a service CIDR. */
function firstAddress(cidr: string): string {
  const [network] = ipaddr.parseCIDR(cidr);
  const bytes = network.toByteArray();
  bytes[bytes.length - 1]! |= 1;
  return canonicalIp(ipaddr.fromByteArray(bytes).toString())!;
}
