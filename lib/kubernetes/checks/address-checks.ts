import { Token } from "cdktf";
import type { Problems } from "../../errors";
import { type AddressRange, rangeOf, rangeWords, UNNAMEABLE, UNREACHABLE } from "../../x509/address-range";
import { type Cluster, type Endpoint, hostAndPort, placedMachines } from "../cluster";

/** Names that are each machine's own, whoever asks. */
export const LOOPBACK_NAMES: readonly string[] = ["localhost", "ip6-localhost", "ip6-loopback"];

/** A host that others have to reach. */
interface Reached {
  readonly host: string;
  readonly at: string;
}

/** Every host of a description that others have to reach: the endpoint's, and the machines' addresses. */
export function reachedHosts(cluster: Cluster): Reached[] {
  return [
    { host: hostAndPort(cluster.endpoint).host, at: "cluster.endpoint" },
    ...placedMachines(cluster).flatMap(({ machine, at }) =>
      (machine.addresses ?? []).map((host, index) => ({ host, at: `${at}.addresses[${index}]` })),
    ),
  ];
}

/** Finds hosts at which nobody, or somebody else, would be reached. */
export function checkReachable(cluster: Cluster, problems: Problems): void {
  const ranges = rangesFor(cluster);
  reachedHosts(cluster).forEach((reached) => checkRange(reached, ranges, problems));
}

/** Finds an endpoint at which nobody would be reached from anywhere. */
export function checkEndpointRange(endpoint: Endpoint, problems: Problems): void {
  checkRange({ host: hostAndPort(endpoint).host, at: "cluster.endpoint" }, UNNAMEABLE, problems);
}

function checkRange({ host, at }: Reached, ranges: readonly AddressRange[], problems: Problems): void {
  const range = Token.isUnresolved(host) ? undefined : rangeOfHost(host);
  if (range !== undefined && ranges.includes(range)) {
    problems.add({
      code: "address-range",
      at,
      given: `${host}, ${rangeWords(range)}`,
      allowed: "an address at which other machines reach it",
      fix: FIXES[range],
    });
  }
}

/** What no host of a cluster may be: a cluster of one machine, all of whose hosts are loopback, is one to itself alone. */
export function rangesFor(cluster: Cluster): readonly AddressRange[] {
  const isOneMachine = reachedHosts(cluster).every(({ host }) => rangeOfHost(host) === "loopback");
  return isOneMachine ? UNNAMEABLE : UNREACHABLE;
}

function rangeOfHost(host: string): AddressRange | undefined {
  return LOOPBACK_NAMES.includes(host) ? "loopback" : rangeOf(host);
}

const FIXES: Readonly<Record<AddressRange, string>> = {
  unspecified: "write the machine's own address: this one is where a server listens, not where it is found",
  broadcast: "write the machine's own address",
  multicast: "write the machine's own address",
  "link-local": "write an address that is routed: this one says nothing without an interface",
  loopback: "write the address in the machines' network: this one is each machine itself",
};
