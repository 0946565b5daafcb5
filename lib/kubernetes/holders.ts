import { Token } from "cdktf";
import type { IConstruct } from "constructs";
import * as ipaddr from "ipaddr.js";
import { canonicalHost, canonicalIp } from "../x509/host";
import { canonicalDnsToken, canonicalIpToken } from "../x509/host-conditions";
import {
  API_SERVER_PORT,
  Cluster,
  clusterSigningHours,
  ControlPlane,
  etcdEndpoints,
  hostAndPort,
  hostPort,
  placedMachines,
  type HostAndPort,
  serverUrl,
  urlHost,
} from "./cluster";
import { ANY_WORKER, CLUSTER, OPERATOR } from "./cluster-file";
import type { HolderKind } from "./table";
import { scalar } from "./yaml";
import { type AltName, SubjectAltNames } from "../x509/subject-alt-names";

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
  /** Port of its own API server; Kubernetes' own where it has none. */
  readonly bindPort: number;
  /** URL of the API server on the same machine; the endpoint where there is none. */
  readonly localServer: string;
}

/** Everybody who may hold files of the cluster. */
export function holdersOf(cluster: Cluster): Holder[] {
  const endpoint = serverUrl(cluster.endpoint);
  const machines = placedMachines(cluster).map(({ machine, kinds }): Holder => {
    const addresses = (machine.addresses ?? []).map(canonicalHost);
    const { bindPort = API_SERVER_PORT, extraSans = [] } = machine as ControlPlane;
    const local = kinds.includes("control-plane") && addresses.length > 0;
    const localServer = local ? `https://${hostPort({ host: addresses[0]!, kind: "ip", port: bindPort })}` : endpoint;
    return { name: machine.name, kinds, isMachine: true, addresses, extraSans, bindPort, localServer };
  });
  const nobody = { isMachine: false, addresses: [], extraSans: [], bindPort: API_SERVER_PORT, localServer: endpoint };
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
  endpointHost: ({ endpoint }) => urlHost(hostAndPort(endpoint)),
  serviceCidrs: ({ serviceCidrs }) => serviceCidrs.map(canonicalCidr).join(","),
  clusterSigningDuration: (cluster) => `${clusterSigningHours(cluster)}h0m0s`,
};

/** What {@link fillText} fills in. */
export const TEMPLATES: readonly string[] = Object.keys(TEXTS).map((name) => `{${name}}`);

/** Templates that stand for several names. */
const NAMES: Readonly<Record<string, (cluster: Cluster, holder: Holder) => readonly AltName[]>> = {
  "{addresses}": (_, { addresses }) => [{ ips: addresses }],
  "{endpoint}": (cluster) => [endpointName(cluster)],
  "{serviceIps}": ({ serviceCidrs }) => serviceCidrs.map(firstAddress),
  "{extraSans}": ({ extraSans = [] }, holder) => [...extraSans, ...holder.extraSans],
};

/** Fills a text in: `{machine}`, `{address}`, `{clusterName}`, `{clusterDomain}`, `{endpoint}` (host:port), `{serviceCidrs}`, `{clusterSigningDuration}`. */
export function fillText(template: string, cluster: Cluster, machine = "", address = ""): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(TEXTS, name) ? TEXTS[name]!(cluster, machine, address) : whole,
  );
}

/** What stands in YAML alone: text, a number, a truth value or a list of text. */
type YamlValue = string | number | boolean | readonly string[];

const YAML: Readonly<
  Record<string, (cluster: Cluster, holder: Holder, scope: IConstruct, sans: readonly string[]) => YamlValue>
> = {
  bindPort: (_, { bindPort }) => bindPort,
  // The endpoint; its host alone where the API server has the same port itself.
  externalAddress: ({ endpoint }, { bindPort }) => {
    const { host, kind, port } = hostAndPort(endpoint);
    return port === bindPort ? bareHost({ host, kind }) : hostPort({ host, kind, port });
  },
  // The IPv4 one, where there are two.
  serviceCidr: ({ serviceCidrs }) => canonicalCidr(serviceCidrs.find(isIpv4) ?? serviceCidrs[0]!),
  secondServiceCidr: ({ serviceCidrs }) => {
    const second = serviceCidrs.length > 1 ? serviceCidrs.find((cidr) => !isIpv4(cidr)) : undefined;
    return second === undefined ? "" : canonicalCidr(second);
  },
  isDualStack: ({ serviceCidrs }) => serviceCidrs.length > 1,
  primaryAddressFamily: ({ serviceCidrs }) => (isIpv4(serviceCidrs[0]!) ? "IPv4" : "IPv6"),
  etcdEndpoints: ({ etcd }) => etcdEndpoints(etcd),
  // The first family's address of the `kubernetes` Service is what kubeadm names by itself.
  clusterSans: ({ serviceCidrs, extraSans = [] }, _, scope) =>
    listed([...serviceCidrs.slice(1).map(firstAddress), ...extraSans], scope),
  sans: (cluster, holder, scope, sans) => listed(fillNames(sans, cluster, holder), scope),
};

/** A host as it is given where no port follows. */
function bareHost({ host, kind }: Omit<HostAndPort, "port">): string {
  if (!Token.isUnresolved(host)) {
    return host;
  }
  return kind === "ip" ? canonicalIpToken(host) : canonicalDnsToken(host);
}

function isIpv4(cidr: string): boolean {
  return !cidr.includes(":");
}

function listed(names: readonly AltName[], scope: IConstruct): string[] {
  const { dnsArgument = [], ipsArgument = [] } = SubjectAltNames.of(...names).distinctIn(scope);
  return [...dnsArgument, ...ipsArgument];
}

/**
 * Fills a text of YAML in. A value becomes a scalar that is text to its reader, whatever it looks like: `123`, `true`, `null`. In quotes
 * it becomes what stands in them, alone or with more. What {@link ConfigurationRow.text} says is a number, a truth value or a list becomes that.
 *
 * @param scope in which unresolved names are told apart
 * @param sans templates of the names in `{sans}`
 */
export function fillYaml(
  template: string,
  cluster: Cluster,
  holder: Holder,
  scope: IConstruct,
  sans: readonly string[] = [],
): string {
  const { name: machine, addresses } = holder;
  const fill = (text: string) => fillText(text, cluster, machine, addresses[0]);
  return template.replace(/"([^"\n]*\{\w+\}[^"\n]*)"|\{(\w+)\}/g, (whole, quoted?: string, name = "") => {
    if (quoted !== undefined) {
      return JSON.stringify(fill(quoted));
    }
    if (Object.hasOwn(YAML, name)) {
      return yamlText(YAML[name]!(cluster, holder, scope, sans));
    }
    return Object.hasOwn(TEXTS, name) ? scalar(fill(whole)) : whole;
  });
}

function yamlText(value: YamlValue): string {
  if (typeof value === "object") {
    return `[${value.map((text) => JSON.stringify(text)).join(", ")}]`;
  }
  return typeof value === "string" ? scalar(value) : `${value}`;
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

function canonicalCidr(cidr: string): string {
  const [network = cidr, bits] = cidr.split("/");
  return `${canonicalHost(network)}/${bits}`;
}
