import { Token } from "cdktf";
import * as ipaddr from "ipaddr.js";
import { type Condition, condition } from "../../terraform/condition";
import { quoted } from "../../terraform/expression";
import { type AddressRange, UNNAMEABLE } from "../../x509/address-range";
import { canonicalHost, canonicalIp } from "../../x509/host";
import { canonicalIpOperand, isHostOperand, isIpOperand, isOutsideOperand } from "../../x509/host-conditions";
import { LOOPBACK_NAMES, rangesFor } from "./address-checks";
import { type Cluster, type Endpoint, hostAndPort, placedMachines } from "../cluster";

/**
 * What Terraform checks of a cluster's hosts that synth does not know, by the rules of those that it knows: also where the distribution
 * issues the certificates itself, and no request has a condition.
 */
export function hostConditions(cluster: Cluster): Condition[] {
  const ranges = rangesFor(cluster);
  const rules = { ranges, serviceCidrs: cluster.serviceCidrs };
  const addresses = placedMachines(cluster).flatMap(({ machine, at, kinds }) =>
    (machine.addresses ?? []).map((ip, index) => ({
      ip,
      at: `${at}.addresses[${index}]`,
      isApiServer: kinds.includes("control-plane"),
    })),
  );
  const unresolved = addresses.filter(({ ip }) => Token.isUnresolved(ip));
  return [
    ...endpointConditions(cluster.endpoint, rules),
    ...namedLikeEndpoint(cluster),
    ...unresolved.flatMap(({ ip, at }) => ipConditions(ip, at, rules)),
    ...(unresolved.length > 0 && addresses.length > 1 ? [distinct(addresses.map(({ ip }) => ip))] : []),
    ...addresses
      .filter(({ isApiServer }) => !isApiServer)
      .flatMap(({ ip, at }) => atEndpoint(ip, at, hostAndPort(cluster.endpoint))),
  ];
}

/** Rules of addresses that depend on the description. */
interface AddressRules {
  readonly ranges: readonly AddressRange[];
  readonly serviceCidrs: readonly string[];
}

/** What Terraform checks of an endpoint alone. */
export function endpointConditions(
  endpoint: Endpoint,
  rules: AddressRules = { ranges: UNNAMEABLE, serviceCidrs: [] },
): Condition[] {
  const { host, kind } = hostAndPort(endpoint);
  const at = "cluster.endpoint";
  if (!Token.isUnresolved(host)) {
    return [];
  }
  return kind === "ip" ? ipConditions(host, at, rules) : [dns(host, at), ...notLoopback(host, at, rules)];
}

function notLoopback(host: string, at: string, { ranges }: AddressRules): Condition[] {
  return ranges.includes("loopback")
    ? [
        condition(`!contains(${JSON.stringify(LOOPBACK_NAMES)}, lower(${quoted(host)}))`, {
          ...UNREACHED,
          at,
          given: host,
        }),
      ]
    : [];
}

/** Where the endpoint's name is not known, it may turn out to be that of a machine which runs no API server. */
function namedLikeEndpoint(cluster: Cluster): Condition[] {
  const { host, kind } = hostAndPort(cluster.endpoint);
  const others = placedMachines(cluster).filter(({ kinds }) => !kinds.includes("control-plane"));
  const names = others.map(({ machine }) => machine.name);
  return kind === "dns" && Token.isUnresolved(host) && names.length > 0
    ? [
        condition(`!contains(${JSON.stringify(names)}, lower(${quoted(host)}))`, {
          ...PROTECTED,
          at: "cluster.endpoint",
          given: host,
        }),
      ]
    : [];
}

/** Where one of two addresses is not known, they may turn out to be one. */
function atEndpoint(ip: string, at: string, { host, kind }: ReturnType<typeof hostAndPort>): Condition[] {
  return kind === "ip" && [ip, host].some(Token.isUnresolved)
    ? [condition(`${canonical(ip)} != ${canonical(host)}`, { ...PROTECTED, at, given: ip })]
    : [];
}

const UNREACHED = {
  code: "address-range",
  allowed: "an address at which other machines reach it",
  fix: "write the address in the machines' network",
} as const;

const PROTECTED = {
  code: "protected-name",
  allowed:
    "an endpoint that is none of the machines without an API server: their certificates would be valid for it, too",
  fix: "give the machine a name and an address of its own",
} as const;

function dns(host: string, at: string): Condition {
  return condition(isHostOperand(host), {
    code: "host-name",
    at,
    given: host,
    allowed: "a DNS name without scheme, port or path",
    fix: "write the host alone, and an IP address as { ip: value }",
  });
}

function ipConditions(ip: string, at: string, { ranges, serviceCidrs }: AddressRules): Condition[] {
  return [
    condition(isIpOperand(ip), {
      code: "host-ip",
      at,
      given: ip,
      allowed: "an IPv4 or IPv6 address without a prefix length, a port or leading zeros",
      fix: "write the address alone",
    }),
    condition(isOutsideOperand(ip, ranges), { ...UNREACHED, at, given: ip }),
    ...serviceCidrs.map((cidr) =>
      condition(`!${isInOperand(ip, cidr)}`, {
        code: "service-cidr-overlap",
        at,
        given: ip,
        allowed: `an address outside the service CIDR ${cidr}`,
        fix: "use a service CIDR that no machine is in",
      }),
    ),
  ];
}

/** True for an address in a network: the network of that many bits that has the address is the same. */
function isInOperand(ip: string, cidr: string): string {
  const [network, bits] = ipaddr.parseCIDR(cidr);
  const address = canonicalIpOperand(ip);
  const inFamily = `strcontains(${address}, ":") == ${network.kind() === "ipv6"}`;
  const around = `cidrhost(format("%s/${bits}", ${address}), 0)`;
  return `try(${inFamily} && ${around} == "${canonicalIp(network.toString())!}", false)`;
}

function distinct(ips: readonly string[]): Condition {
  return condition(`length(distinct([${ips.map(canonical).join(", ")}])) == ${ips.length}`, {
    code: "machine-address-twice",
    at: "cluster",
    allowed: "addresses of which no two are the same",
    fix: "no two machines share one",
  });
}

/** The one spelling of an address, to be compared with others; what is none is told of by its own condition. */
function canonical(ip: string): string {
  return Token.isUnresolved(ip) ? `try(${canonicalIpOperand(ip)}, ${quoted(ip)})` : quoted(canonicalHost(ip));
}
