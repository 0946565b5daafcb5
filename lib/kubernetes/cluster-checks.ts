import { Token } from "cdktf";
import * as ipaddr from "ipaddr.js";
import { Problems } from "../errors";
import { canonicalIp, isMistake, parseHost, RFC_1123_SUBDOMAIN } from "../x509/host";
import { checkAltNames, checkHost } from "../x509/subject-alt-names";
import {
  API_SERVER_PORT,
  Cluster,
  ControlPlane,
  Endpoint,
  etcdTopology,
  hostAndPort,
  PlacedMachine,
  placedMachines,
} from "./cluster";
import { ANY_WORKER, OPERATOR } from "./holders";
import type { DistributionTable } from "./table";

/** `system:node:` takes 12 of the 64 bytes that a common name may have. */
const MAX_NODE_NAME_BYTES = 52;

/** Words that stand where a machine's name would in a Terraform address or in the file map. */
const RESERVED_NAMES = [ANY_WORKER, OPERATOR, "cluster", "ca", "keys", "token", "binding", "secret"];

/** kubeadm asks for ten: the API server has the first, the DNS service the tenth. */
const MIN_SERVICE_ADDRESSES = 10;

/**
 * Finds everything that is wrong with a cluster description.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/apis/kubeadm/validation/validation.go
 */
export function checkCluster(cluster: Cluster, table: DistributionTable, problems: Problems): void {
  const machines = placedMachines(cluster);
  checkConcrete(cluster, problems);
  checkNameAndEndpoint(cluster, problems);
  checkClusterDomain(cluster.clusterDomain, problems);
  checkRequired(cluster, table, machines, problems);
  machines.forEach((placed) => checkMachine(placed, problems));
  checkUnique(machines, problems);
  checkAltNames(cluster.extraSans ?? [], "cluster.extraSans", problems);
  checkServiceCidrs(cluster, machines, problems);
}

/** Finds what is wrong with what a kubeconfig says of a cluster. */
export function checkNameAndEndpoint(cluster: Pick<Cluster, "name" | "endpoint">, problems: Problems): void {
  checkUnresolved(cluster.name, "cluster.name", problems);
  checkLabel(cluster.name, "cluster.name", problems);
  checkEndpoint(cluster.endpoint, problems);
}

/** Names end up in addresses and CIDRs in arithmetic: neither can wait for Terraform. */
function checkConcrete(cluster: Cluster, problems: Problems): void {
  checkUnresolved(cluster.clusterDomain, "cluster.clusterDomain", problems);
  cluster.serviceCidrs.forEach((cidr, i) => checkUnresolved(cidr, `cluster.serviceCidrs[${i}]`, problems));
  placedMachines(cluster).forEach(({ machine, at }) => checkUnresolved(machine.name, `${at}.name`, problems));
}

function checkUnresolved(value: string | undefined, at: string, problems: Problems): void {
  if (value !== undefined && Token.isUnresolved(value)) {
    problems.add("unresolved", at, "an unresolved value", "a value that is known at synth", "write it in the code");
  }
}

function checkLabel(name: string, at: string, problems: Problems): void {
  if (!Token.isUnresolved(name) && (!RFC_1123_SUBDOMAIN.test(name) || name.includes("."))) {
    problems.add("cluster-name", at, name, "an RFC 1123 label in lower case, at most 63 bytes", suggestName(name));
  }
}

function checkEndpoint(endpoint: Endpoint, problems: Problems): void {
  const at = "cluster.endpoint";
  const allowed = "host:port, where host is a DNS name or an IP address";
  const { host, kind, port } = hostAndPort(endpoint);
  if (typeof endpoint === "string" && Token.isUnresolved(endpoint)) {
    const fix = "write { dns: value, port } or { ip: value, port }";
    problems.add("endpoint-kind", at, "an unresolved value", "a host whose kind is said", fix);
  } else if (host === "") {
    const given = typeof endpoint === "string" ? endpoint : host;
    problems.add("endpoint-host", at, given, allowed, "put a host before the port");
  } else if (host.startsWith("*.") && !isMistake(parseHost(host))) {
    problems.add("endpoint-host", at, host, allowed, "name one host: a wildcard belongs into cluster.extraSans");
  } else if (!Token.isUnresolved(host)) {
    checkHost(host, at, problems, allowed);
    const found = parseHost(host);
    if (kind && !isMistake(found) && found.kind !== kind) {
      problems.add(
        "endpoint-kind",
        at,
        host,
        `a host that is ${kind}`,
        `write { ${found.kind}: ${JSON.stringify(host)} }`,
      );
    }
  }
  checkPort(port, at, problems);
}

function checkPort(port: number, at: string, problems: Problems): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    problems.add("port", at, port, "a port from 1 to 65535", "the API server's usual one is 6443");
  }
}

function checkClusterDomain(domain: string | undefined, problems: Problems): void {
  if (domain === undefined || Token.isUnresolved(domain)) {
    return;
  }
  // The longest name in it, as the API server's certificate has it.
  if (!RFC_1123_SUBDOMAIN.test(domain) || isMistake(parseHost(`kubernetes.default.svc.${domain}`))) {
    const allowed = "an RFC 1123 subdomain in lower case, without a last dot";
    problems.add("cluster-domain", "cluster.clusterDomain", domain, allowed, suggestName(domain));
  }
}

function checkRequired(
  cluster: Cluster,
  table: DistributionTable,
  machines: PlacedMachine[],
  problems: Problems,
): void {
  if (table.requires.controlPlanes && !cluster.controlPlanes?.length) {
    const fix = 'add one: { name: "cp-1", addresses: ["10.0.0.11"] }';
    problems.add(
      "no-control-plane",
      "cluster.controlPlanes",
      "none",
      `at least one control plane, for ${table.name}`,
      fix,
    );
  }
  const topology = etcdTopology(cluster);
  if (table.requires.etcd && !table.requires.etcd.includes(topology)) {
    const allowed = `${table.requires.etcd.join(" or ")}, for ${table.name}`;
    problems.add("etcd-topology", "cluster.etcd.topology", topology, allowed, "choose one of these");
  }
  if (cluster.etcd?.topology === "members" && cluster.etcd.members.length === 0) {
    problems.add(
      "no-etcd-member",
      "cluster.etcd.members",
      "none",
      "at least one member",
      "add one, or use the stacked topology",
    );
  }
  const servers = machines.filter(({ roles }) => !roles.includes("worker"));
  for (const { machine, at } of table.requires.addresses ? servers : []) {
    if (!machine.addresses?.length) {
      problems.add(
        "no-address",
        `${at}.addresses`,
        "none",
        "at least one IP address",
        "add the address it is reached at",
      );
    }
  }
}

function checkMachine({ machine, at }: PlacedMachine, problems: Problems): void {
  const { name } = machine;
  if (!Token.isUnresolved(name)) {
    const bytes = Buffer.byteLength(name);
    if (RESERVED_NAMES.includes(name)) {
      problems.add(
        "machine-name-reserved",
        `${at}.name`,
        name,
        `a name other than ${RESERVED_NAMES.join(", ")}`,
        `call it ${name}-1`,
      );
    } else if (!RFC_1123_SUBDOMAIN.test(name) || canonicalIp(name)) {
      const allowed = "the node's name: an RFC 1123 subdomain in lower case";
      problems.add("machine-name", `${at}.name`, name, allowed, suggestName(name));
    } else if (/(^|\.)[0-9]+$/.test(name)) {
      const allowed = "a name that does not end in a label of digits, which in a certificate would be an IPv4 address";
      const meant = JSON.stringify(name.replace(/[0-9]+$/, "n$&"));
      problems.add("machine-name", `${at}.name`, name, allowed, `did you mean ${meant}?`);
    } else if (bytes > MAX_NODE_NAME_BYTES) {
      const allowed = `at most ${MAX_NODE_NAME_BYTES} bytes (it has ${bytes}), for "system:node:" and a name fit in 64`;
      problems.add("machine-name-length", `${at}.name`, name, allowed, "use a shorter host name");
    }
  }
  (machine.addresses ?? []).forEach((address, i) => checkAddress(address, `${at}.addresses[${i}]`, problems));
  const { bindPort = API_SERVER_PORT, extraSans = [] } = machine as ControlPlane;
  checkPort(bindPort, `${at}.bindPort`, problems);
  checkAltNames(extraSans, `${at}.extraSans`, problems);
}

function checkAddress(address: string, at: string, problems: Problems): void {
  if (Token.isUnresolved(address)) {
    return;
  }
  const host = parseHost(address);
  if (isMistake(host)) {
    problems.add(host.code, at, address, "an IP address", host.fix);
  } else if (host.kind !== "ip") {
    problems.add("host-ip", at, address, "an IP address", "put names into cluster.extraSans");
  }
}

function checkUnique(machines: PlacedMachine[], problems: Problems): void {
  const names = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const { machine, at } of machines) {
    claim(names, machine.name, `${at}.name`, "machine-name-twice", problems);
    machine.addresses?.forEach((address, i) => {
      claim(addresses, canonicalIp(address) ?? address, `${at}.addresses[${i}]`, "machine-address-twice", problems);
    });
  }
}

function claim(owners: Map<string, string>, value: string, at: string, code: string, problems: Problems): void {
  const owner = owners.get(value);
  if (owner) {
    const given = Token.isUnresolved(value) ? "the same unresolved value" : value;
    problems.add(code, at, given, `one that ${owner} does not have`, "no two machines share one");
  } else {
    owners.set(value, at);
  }
}

function checkServiceCidrs(cluster: Cluster, machines: PlacedMachine[], problems: Problems): void {
  const at = "cluster.serviceCidrs";
  if (cluster.serviceCidrs.length < 1 || cluster.serviceCidrs.length > 2) {
    const given = `${cluster.serviceCidrs.length} CIDRs`;
    problems.add(
      "service-cidr-count",
      at,
      given,
      "one, or one of each IP family",
      'kubeadm\'s default is ["10.96.0.0/12"]',
    );
  }
  const parsed = cluster.serviceCidrs.flatMap((text, i) =>
    Token.isUnresolved(text) ? [] : (checkServiceCidr(text, `${at}[${i}]`, problems) ?? []),
  );
  if (parsed.length === 2 && parsed[0]!.address.kind() === parsed[1]!.address.kind()) {
    const fix = "give one IPv4 and one IPv6 CIDR";
    problems.add("service-cidr-family", at, cluster.serviceCidrs.join(", "), "two CIDRs of different IP families", fix);
  }
  checkOverlaps(cluster, machines, parsed, problems);
}

interface ServiceCidr {
  readonly text: string;
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}

function checkServiceCidr(text: string, at: string, problems: Problems): ServiceCidr | undefined {
  const match = /^([^/]+)\/([0-9]{1,3})$/.exec(text);
  const base = match && canonicalIp(match[1]!);
  const width = base?.includes(":") ? 128 : 32;
  const bits = Number(match?.[2]);
  // An IPv4 address written as IPv6 has no prefix length that would mean the same to everybody.
  const mapped = base && base.includes(":") !== text.includes(":");
  if (!base || mapped || bits > width) {
    problems.add("service-cidr", at, text, "an IPv4 or IPv6 CIDR", 'write it as "10.96.0.0/12"');
    return undefined;
  }
  const network = networkOf(base, bits);
  if (network !== base) {
    problems.add(
      "service-cidr-host-bits",
      at,
      text,
      "the CIDR's own first address",
      `did you mean "${network}/${bits}"?`,
    );
  }
  if (2 ** (width - bits) < MIN_SERVICE_ADDRESSES) {
    const allowed = `at least ${MIN_SERVICE_ADDRESSES} addresses (/${width - 4} or larger)`;
    problems.add("service-cidr-size", at, text, allowed, "the API server takes its first address, DNS its tenth");
  }
  return { text, address: ipaddr.parse(base), bits };
}

function networkOf(base: string, bits: number): string {
  const cidr = `${base}/${bits}`;
  const network = base.includes(":")
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr);
  return canonicalIp(network.toString())!;
}

function checkOverlaps(cluster: Cluster, machines: PlacedMachine[], cidrs: ServiceCidr[], problems: Problems): void {
  const endpoint = hostAndPort(cluster.endpoint).host;
  const used = [
    { text: endpoint, at: "cluster.endpoint" },
    ...machines.flatMap(({ machine, at }) =>
      (machine.addresses ?? []).map((text, i) => ({ text, at: `${at}.addresses[${i}]` })),
    ),
  ];
  for (const { text, at } of used) {
    const ip = Token.isUnresolved(text) ? undefined : canonicalIp(text);
    const address = ip ? ipaddr.parse(ip) : undefined;
    const around = cidrs.find(
      (cidr) => address && cidr.address.kind() === address.kind() && address.match(cidr.address, cidr.bits),
    );
    if (around) {
      const fix = "use a service CIDR that no machine is in";
      problems.add("service-cidr-overlap", at, text, `an address outside the service CIDR ${around.text}`, fix);
    }
  }
}

function suggestName(name: string): string {
  const host = parseHost(name);
  if (isMistake(host) && (host.code === "host-url" || host.code === "host-port")) {
    return host.fix;
  }
  const meant = name
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return meant && meant !== name ? `did you mean ${JSON.stringify(meant)}?` : "use letters, digits and '-'";
}
