import { Token } from "cdktf";
import * as ipaddr from "ipaddr.js";
import { type Condition, condition } from "../terraform/condition";
import { quoted } from "../terraform/expression";
import { canonicalIp } from "../x509/host";
import { canonicalIpOperand, isHostOperand, isIpOperand, isOutsideOperand } from "../x509/host-conditions";
import { rangesFor } from "./address-checks";
import { type Cluster, hostAndPort, placedMachines } from "./cluster";

/**
 * What Terraform checks of a cluster's hosts that synth does not know, by the rules of those that it knows: also where the distribution
 * issues the certificates itself, and no request has a condition.
 */
export function hostConditions(cluster: Cluster): Condition[] {
  const { host, kind } = hostAndPort(cluster.endpoint);
  const at = "cluster.endpoint";
  const endpoint = Token.isUnresolved(host) ? (kind === "ip" ? ipConditions(host, at, cluster) : [dns(host, at)]) : [];
  const addresses = placedMachines(cluster).flatMap(({ machine, at: machineAt }) =>
    (machine.addresses ?? []).map((ip, index) => ({ ip, at: `${machineAt}.addresses[${index}]` })),
  );
  const unresolved = addresses.filter(({ ip }) => Token.isUnresolved(ip));
  return [
    ...endpoint,
    ...unresolved.flatMap(({ ip, at: here }) => ipConditions(ip, here, cluster)),
    ...(unresolved.length > 0 && addresses.length > 1 ? [distinct(addresses.map(({ ip }) => ip))] : []),
  ];
}

function dns(host: string, at: string): Condition {
  return condition(isHostOperand(host), {
    code: "host-name",
    at,
    given: host,
    allowed: "a DNS name without scheme, port or path",
    fix: "write the host alone, and an IP address as { ip: value }",
  });
}

function ipConditions(ip: string, at: string, cluster: Cluster): Condition[] {
  return [
    condition(isIpOperand(ip), {
      code: "host-ip",
      at,
      given: ip,
      allowed: "an IPv4 or IPv6 address without a prefix length, a port or leading zeros",
      fix: "write the address alone",
    }),
    condition(isOutsideOperand(ip, rangesFor(cluster)), {
      code: "address-range",
      at,
      given: ip,
      allowed: "an address at which other machines reach it",
      fix: "write the address in the machines' network",
    }),
    ...cluster.serviceCidrs.map((cidr) =>
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
  const canonical = ips.map((ip) => `try(${canonicalIpOperand(ip)}, ${quoted(ip)})`).join(", ");
  return condition(`length(distinct([${canonical}])) == ${ips.length}`, {
    code: "machine-address-twice",
    at: "cluster",
    allowed: "addresses of which no two are the same",
    fix: "no two machines share one",
  });
}
