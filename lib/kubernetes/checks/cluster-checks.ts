import { RESERVED_HOLDERS } from "../../terraform/names";
import { Token } from "cdktf";
import * as ipaddr from "ipaddr.js";
import { Problems, Words } from "../../errors";
import { canonicalIp, isMistake, parseHost, RFC_1123_SUBDOMAIN } from "../../x509/host";
import { checkAltNames } from "../../x509/subject-alt-names";
import { checkText, eachText } from "../../terraform/text-values";
import { checkEndpointRange, checkReachable } from "./address-checks";
import { ambiguousAddress, endpointFix } from "./endpoint-advice";
import {
  API_SERVER_PORT,
  Cluster,
  ControlPlane,
  Endpoint,
  etcdTopology,
  hostAndPort,
  PlacedMachine,
  placedMachines,
} from "../cluster";
import { ANY_WORKER, CLUSTER, OPERATOR, REQUESTS } from "../cluster-file";
import { fillText } from "../holders";
import { filesByRow } from "./table-checks";
import type { DistributionTable, FileRow } from "../table";

/** `system:node:` takes 12 of the 64 bytes that a common name may have. */
const MAX_NODE_NAME_BYTES = 52;

/** RFC 1123 allows no longer one: what was meant by it is not worth looking for. */
const MAX_NAME_LENGTH = 253;

/** Words that stand where a machine's name would in a Terraform address or in the file map. */
const RESERVED_NAMES = [ANY_WORKER, OPERATOR, REQUESTS, CLUSTER, ...RESERVED_HOLDERS];

/** kubeadm asks for ten: the API server has the first, the DNS service the tenth. */
const MIN_SERVICE_ADDRESSES = 10;

/**
 * Finds everything that is wrong with a cluster description.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/apis/kubeadm/validation/validation.go
 */
export function checkCluster(
  cluster: Cluster,
  table: DistributionTable,
  problems: Problems,
  textOf: TextOf = (value) => value,
): void {
  // Nobody looks at a value that is no text before that was told.
  const before = new Problems();
  checkTextsOf(cluster, before);
  if (!before.none) {
    problems.addAll(before);
    return;
  }
  const machines = placedMachines(cluster);
  checkConcrete(cluster, problems);
  checkNameAndEndpoint(cluster, problems);
  checkClusterDomain(cluster.clusterDomain, problems);
  checkRequired(cluster, table, machines, problems);
  machines.forEach((placed) => checkMachine(placed, problems));
  checkUnique(machines, problems, textOf);
  const files = filesByRow(table).flatMap(([, ofRow]) => ofRow);
  machines.forEach((placed) => checkOwnPaths(placed, cluster, files, problems));
  checkAltNames(cluster.extraSans ?? [], "cluster.extraSans", problems);
  checkSingleHosts(cluster, table, problems);
  checkServiceCidrs(cluster, machines, table, problems);
  checkReachable(cluster, problems);
}

/** What a value is known by: two readings of one variable are one. */
export type TextOf = (value: string) => string;

/** Finds values that cdktf lets stand where text is wanted. */
function checkTextsOf(cluster: Cluster, problems: Problems): void {
  checkUnresolved(cluster.serviceCidrs, "cluster.serviceCidrs", problems);
  checkEndpointText(cluster.endpoint, problems);
  for (const { machine, at } of placedMachines(cluster)) {
    eachText(machine.addresses ?? [], `${at}.addresses`, problems, ADDRESS_TEXT, () => undefined);
  }
}

const ADDRESS_TEXT = { allowed: "an IP address, as text" };

function checkEndpointText(endpoint: Endpoint, problems: Problems): boolean {
  const at = "cluster.endpoint";
  const allowed = "host:port, or { dns, port } or { ip, port } where the host is unresolved";
  const written = (value: string) => `{ dns: ${value} } or { ip: ${value} }`;
  if (!checkText(endpoint, at, problems, { allowed, written })) {
    return false;
  }
  return (
    typeof endpoint === "string" ||
    Object.entries(endpoint)
      .filter(([field]) => field !== "port")
      .every(([field, value]) => checkText(value, `${at}.${field}`, problems, { allowed: "a host, as text" }))
  );
}

/** Finds what is wrong with what a kubeconfig says of a cluster. */
export function checkNameAndEndpoint(cluster: Pick<Cluster, "name" | "endpoint">, problems: Problems): void {
  checkUnresolved(cluster.name, "cluster.name", problems);
  checkLabel(cluster.name, "cluster.name", problems);
  if (checkEndpointText(cluster.endpoint, problems)) {
    checkEndpoint(cluster.endpoint, problems);
    checkEndpointRange(cluster.endpoint, problems);
  }
}

/** Names end up in addresses and CIDRs in arithmetic: neither can wait for Terraform. */
function checkConcrete(cluster: Cluster, problems: Problems): void {
  checkUnresolved(cluster.clusterDomain, "cluster.clusterDomain", problems);
  cluster.serviceCidrs.forEach((cidr, i) => checkUnresolved(cidr, `cluster.serviceCidrs[${i}]`, problems));
  placedMachines(cluster).forEach(({ machine, at }) => checkUnresolved(machine.name, `${at}.name`, problems));
}

/** Finds what cannot wait for Terraform: what there is to make depends on it. */
export function checkUnresolved(value: unknown, at: string, problems: Problems): void {
  if (value !== undefined && Token.isUnresolved(value)) {
    problems.add({
      code: "unresolved",
      at,
      given: "an unresolved value",
      allowed: "a value that is known at synth",
      fix: "write it in the code",
    });
  }
}

function checkLabel(name: string, at: string, problems: Problems): void {
  if (!Token.isUnresolved(name) && (!RFC_1123_SUBDOMAIN.test(name) || name.includes("."))) {
    problems.add({
      code: "cluster-name",
      at,
      given: name,
      allowed: "an RFC 1123 label in lower case, at most 63 bytes",
      fix: suggestName(name),
    });
  }
}

function checkEndpoint(endpoint: Endpoint, problems: Problems): void {
  const at = "cluster.endpoint";
  const allowed = "host:port, where host is a DNS name or an IP address";
  const { host, kind, port } = hostAndPort(endpoint);
  if (typeof endpoint === "string" && Token.isUnresolved(endpoint)) {
    const fix = "write { dns: value, port } or { ip: value, port }";
    problems.add({
      code: "endpoint-kind",
      at,
      given: "an unresolved value",
      allowed: "a host whose kind is said",
      fix,
    });
  } else if (host === "") {
    const given = typeof endpoint === "string" ? endpoint : host;
    problems.add({ code: "endpoint-host", at, given, allowed, fix: "put a host before the port" });
  } else if (host.startsWith("*.") && !isMistake(parseHost(host))) {
    problems.add({
      code: "endpoint-host",
      at,
      given: host,
      allowed,
      fix: "name one host: a wildcard belongs into cluster.extraSans",
    });
  } else if (!Token.isUnresolved(host)) {
    const found = parseHost(host);
    const ambiguous = ambiguousAddress(endpoint);
    if (isMistake(found)) {
      problems.add({ code: found.code, at, given: host, allowed, fix: endpointFix(endpoint, found) });
    } else if (ambiguous !== undefined) {
      problems.add({
        code: "endpoint-ambiguous",
        at,
        given: String(endpoint),
        allowed: "an IPv6 address in brackets where a port follows",
        fix: ambiguous,
      });
    } else if (kind && found.kind !== kind) {
      problems.add({
        code: "endpoint-kind",
        at,
        given: host,
        allowed: `a host that is ${kind}`,
        fix: `write { ${found.kind}: ${JSON.stringify(host)} }`,
      });
    }
  }
  checkPort(port, at, problems);
}

function checkPort(port: number, at: string, problems: Problems): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    problems.add({
      code: "port",
      at,
      given: Token.isUnresolved(port) ? "an unresolved value" : port,
      allowed: "a port from 1 to 65535",
      fix: "the API server's usual one is 6443",
    });
  }
}

function checkClusterDomain(domain: string | undefined, problems: Problems): void {
  if (domain === undefined || Token.isUnresolved(domain)) {
    return;
  }
  // The longest name in it, as the API server's certificate has it.
  if (!RFC_1123_SUBDOMAIN.test(domain) || isMistake(parseHost(`kubernetes.default.svc.${domain}`))) {
    const allowed = "an RFC 1123 subdomain in lower case, without a last dot";
    problems.add({
      code: "cluster-domain",
      at: "cluster.clusterDomain",
      given: domain,
      allowed,
      fix: suggestName(domain),
    });
  }
}

/** Finds what is no place of an etcd that runs somewhere else. */
function checkEtcdEndpoints(
  endpoints: readonly string[],
  { name, requires }: DistributionTable,
  problems: Problems,
): void {
  const at = "cluster.etcd.endpoints";
  const allowed = "https://host:port, of each member's client port";
  if (endpoints.length === 0 && requires.etcdEndpoints) {
    problems.add({
      code: "no-etcd-endpoint",
      at,
      given: "none",
      allowed: `at least one, for ${name}: its configuration names them`,
      fix: 'add one: "https://etcd-1.example.com:2379"',
    });
  }
  endpoints.forEach((endpoint, index) => {
    if (!Token.isUnresolved(endpoint) && !isEtcdEndpoint(endpoint)) {
      const fix = "write it with its scheme and port, and nothing after that";
      // Between the scheme and the host a password may stand.
      const given = endpoint.includes("@") ? new Words("text with an @") : endpoint;
      problems.add({ code: "etcd-endpoint", at: `${at}[${index}]`, given, allowed, fix });
    }
  });
}

function isEtcdEndpoint(endpoint: string): boolean {
  const [, ipv6, name, port] = /^https:\/\/(?:\[([^\]]*:[^\]]*)\]|([^:*]*)):([0-9]{1,5})$/.exec(endpoint) ?? [];
  return !isMistake(parseHost(ipv6 ?? name ?? "")) && Number(port) > 0 && Number(port) < 65536;
}

function checkRequired(
  cluster: Cluster,
  table: DistributionTable,
  machines: PlacedMachine[],
  problems: Problems,
): void {
  if (table.requires.controlPlanes && !cluster.controlPlanes?.length) {
    const fix = 'add one: { name: "cp-1", addresses: ["10.0.0.11"] }';
    problems.add({
      code: "no-control-plane",
      at: "cluster.controlPlanes",
      given: "none",
      allowed: `at least one control plane, for ${table.name}`,
      fix,
    });
  }
  const topology = etcdTopology(cluster);
  if (table.requires.etcd && !table.requires.etcd.includes(topology)) {
    const allowed = `${table.requires.etcd.join(" or ")}, for ${table.name}`;
    problems.add({
      code: "etcd-topology",
      at: "cluster.etcd.topology",
      given: topology,
      allowed,
      fix: "choose one of these",
    });
  }
  if (cluster.etcd?.topology === "members" && cluster.etcd.members.length === 0) {
    problems.add({
      code: "no-etcd-member",
      at: "cluster.etcd.members",
      given: "none",
      allowed: "at least one member",
      fix: "add one, or use the stacked topology",
    });
  }
  if (cluster.etcd?.topology === "external") {
    checkEtcdEndpoints(cluster.etcd.endpoints ?? [], table, problems);
  }
  const servers = machines.filter(({ kinds }) => !kinds.includes("worker"));
  for (const { machine, at } of table.requires.addresses ? servers : []) {
    if (!machine.addresses?.length) {
      problems.add({
        code: "no-address",
        at: `${at}.addresses`,
        given: "none",
        allowed: "at least one IP address",
        fix: "add the address it is reached at",
      });
    }
  }
}

/** Finds names that the distribution's own configuration does not take. */
function checkSingleHosts(cluster: Cluster, { name, requires }: DistributionTable, problems: Problems): void {
  const { extraSans = [], controlPlanes = [] } = cluster;
  const lists = [
    { names: extraSans, at: "cluster.extraSans" },
    ...controlPlanes.map((machine, i) => ({
      names: machine.extraSans ?? [],
      at: `cluster.controlPlanes[${i}].extraSans`,
    })),
  ];
  for (const { names, at } of requires.singleHosts ? lists : []) {
    const texts = names.flatMap((given) => (typeof given === "string" ? [given] : (given?.dns ?? [])));
    for (const given of texts.filter((text) => typeof text === "string" && text.startsWith("*."))) {
      const allowed = `a name of one host, for ${name}: it does not start with a wildcard in its configuration`;
      problems.add({ code: "host-wildcard", at, given, allowed, fix: "name each host" });
    }
  }
}

/** Finds a machine whose name makes two of its files one: the second would silently be the only one. */
function checkOwnPaths(
  { machine: { name }, at, kinds }: PlacedMachine,
  cluster: Cluster,
  files: readonly Pick<FileRow, "path" | "on">[],
  problems: Problems,
): void {
  const here = files.filter(({ on }) => kinds.some((kind) => on.includes(kind)));
  const named = new Set(here.map(({ path }) => path).filter((path) => path.includes("{machine}")));
  for (const path of named) {
    const filled = fillText(path, cluster, name);
    if (here.some((other) => other.path !== path && fillText(other.path, cluster, name) === filled)) {
      const allowed = `a name by which no two of its files are ${filled}`;
      problems.add({ code: "machine-name-file", at: `${at}.name`, given: name, allowed, fix: `call it ${name}-1` });
    }
  }
}

function checkMachine({ machine, at }: PlacedMachine, problems: Problems): void {
  const { name } = machine;
  if (!Token.isUnresolved(name)) {
    const bytes = Buffer.byteLength(name);
    if (RESERVED_NAMES.includes(name)) {
      problems.add({
        code: "machine-name-reserved",
        at: `${at}.name`,
        given: name,
        allowed: `a name other than ${RESERVED_NAMES.join(", ")}`,
        fix: `call it ${name}-1`,
      });
    } else if (!RFC_1123_SUBDOMAIN.test(name) || canonicalIp(name)) {
      const allowed = "the node's name: an RFC 1123 subdomain in lower case";
      problems.add({ code: "machine-name", at: `${at}.name`, given: name, allowed, fix: suggestName(name) });
    } else if (/(^|\.)[0-9]+$/.test(name)) {
      const allowed = "a name that does not end in a label of digits, which in a certificate would be an IPv4 address";
      const meant = JSON.stringify(name.replace(/[0-9]+$/, "n$&"));
      problems.add({ code: "machine-name", at: `${at}.name`, given: name, allowed, fix: `did you mean ${meant}?` });
    } else if (bytes > MAX_NODE_NAME_BYTES) {
      const allowed = `at most ${MAX_NODE_NAME_BYTES} bytes (it has ${bytes}), for "system:node:" and a name fit in 64`;
      problems.add({
        code: "machine-name-length",
        at: `${at}.name`,
        given: name,
        allowed,
        fix: "use a shorter host name",
      });
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
    problems.add({ code: host.code, at, given: address, allowed: "an IP address", fix: host.fix });
  } else if (host.kind !== "ip") {
    problems.add({
      code: "host-ip",
      at,
      given: address,
      allowed: "an IP address",
      fix: "put names into cluster.extraSans",
    });
  }
}

function checkUnique(machines: PlacedMachine[], problems: Problems, textOf: TextOf): void {
  const names = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const { machine, at } of machines) {
    claim(names, machine.name, machine.name, `${at}.name`, "machine-name-twice", problems);
    machine.addresses?.forEach((address, i) => {
      const text = canonicalIp(address) ?? textOf(address);
      claim(addresses, text, address, `${at}.addresses[${i}]`, "machine-address-twice", problems);
    });
  }
}

function claim(
  owners: Map<string, string>,
  value: string,
  shown: string,
  at: string,
  code: string,
  problems: Problems,
): void {
  const owner = owners.get(value);
  if (owner) {
    const given = Token.isUnresolved(shown) ? "the same unresolved value" : value;
    problems.add({ code, at, given, allowed: `one that ${owner} does not have`, fix: "no two machines share one" });
  } else {
    owners.set(value, at);
  }
}

function checkServiceCidrs(
  cluster: Cluster,
  machines: PlacedMachine[],
  { requires }: DistributionTable,
  problems: Problems,
): void {
  const at = "cluster.serviceCidrs";
  if (cluster.serviceCidrs.length < 1 || cluster.serviceCidrs.length > 2) {
    const given = `${cluster.serviceCidrs.length} CIDRs`;
    problems.add({
      code: "service-cidr-count",
      at,
      given,
      allowed: "one, or one of each IP family",
      fix: 'kubeadm\'s default is ["10.96.0.0/12"]',
    });
  }
  const parsed = cluster.serviceCidrs.flatMap((text, i) =>
    Token.isUnresolved(text)
      ? []
      : (checkServiceCidr(text, `${at}[${i}]`, problems, requires.maxServiceCidrBits) ?? []),
  );
  if (parsed.length === 2 && parsed[0]!.address.kind() === parsed[1]!.address.kind()) {
    const fix = "give one IPv4 and one IPv6 CIDR";
    problems.add({
      code: "service-cidr-family",
      at,
      given: cluster.serviceCidrs.join(", "),
      allowed: "two CIDRs of different IP families",
      fix,
    });
  }
  checkOverlaps(cluster, machines, parsed, problems);
}

interface ServiceCidr {
  readonly text: string;
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}

function checkServiceCidr(text: string, at: string, problems: Problems, maxBits?: number): ServiceCidr | undefined {
  const match = /^([^/]+)\/([0-9]{1,3})$/.exec(text);
  const base = match && canonicalIp(match[1]!);
  const width = base?.includes(":") ? 128 : 32;
  const bits = Number(match?.[2]);
  // An IPv4 address written as IPv6 has no prefix length that would mean the same to everybody.
  const mapped = base && base.includes(":") !== text.includes(":");
  if (!base || mapped || bits > width) {
    problems.add({
      code: "service-cidr",
      at,
      given: text,
      allowed: "an IPv4 or IPv6 CIDR",
      fix: 'write it as "10.96.0.0/12"',
    });
    return undefined;
  }
  const network = networkOf(base, bits);
  if (network !== base) {
    problems.add({
      code: "service-cidr-host-bits",
      at,
      given: text,
      allowed: "the CIDR's own first address",
      fix: `did you mean "${network}/${bits}"?`,
    });
  }
  if (2 ** (width - bits) < MIN_SERVICE_ADDRESSES) {
    const allowed = `at least ${MIN_SERVICE_ADDRESSES} addresses (/${width - 4} or larger)`;
    problems.add({
      code: "service-cidr-size",
      at,
      given: text,
      allowed,
      fix: "the API server takes its first address, DNS its tenth",
    });
  }
  if (maxBits !== undefined && width - bits > maxBits) {
    const least = width - maxBits;
    problems.add({
      code: "service-cidr-size",
      at,
      given: text,
      allowed: `at most 2^${maxBits} addresses (/${least} or smaller)`,
      fix: `write ${networkOf(base, least)}/${least}: a larger one is refused when the cluster is made`,
    });
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
      problems.add({
        code: "service-cidr-overlap",
        at,
        given: text,
        allowed: `an address outside the service CIDR ${around.text}`,
        fix,
      });
    }
  }
}

function suggestName(name: string): string {
  if (name.length > MAX_NAME_LENGTH) {
    return `use at most ${MAX_NAME_LENGTH} characters`;
  }
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
