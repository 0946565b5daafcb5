import * as ipaddr from "ipaddr.js";
import { perObject } from "../terraform/memo";
import { type Host, isMistake, parseHost } from "./host";

/** Addresses that are no machine's own: nobody can dial the one that is meant by them, or everybody reaches another by them. */
export type AddressRange = "unspecified" | "broadcast" | "multicast" | "link-local" | "loopback";

interface RangeWords {
  /** What ipaddr.js calls it. */
  readonly range: string;
  /** What it is, to a reader. */
  readonly words: string;
  /** The canonical text of its addresses, as a regular expression of Terraform's that has no backslash. */
  readonly pattern: string;
}

/**
 * By range. `0.0.0.0/8` is "this network"; IPv6 has no broadcast.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const RANGES: Readonly<Record<AddressRange, RangeWords>> = {
  unspecified: { range: "unspecified", words: "the unspecified address", pattern: "^(0[.]|::$)" },
  broadcast: { range: "broadcast", words: "the broadcast address", pattern: "^255[.]255[.]255[.]255$" },
  multicast: { range: "multicast", words: "a multicast address", pattern: "^(22[4-9][.]|23[0-9][.]|ff[0-9a-f]{2}:)" },
  "link-local": { range: "linkLocal", words: "a link-local address", pattern: "^(169[.]254[.]|fe[89ab][0-9a-f]:)" },
  loopback: { range: "loopback", words: "a loopback address", pattern: "^(127[.]|::1$)" },
};

/** What no certificate names: a name for these would be one for nobody, or for many. */
export const UNNAMEABLE: readonly AddressRange[] = ["unspecified", "broadcast", "multicast", "link-local"];

/** What no machine is reached at by others. */
export const UNREACHABLE: readonly AddressRange[] = [...UNNAMEABLE, "loopback"];

/** The range of an address; undefined for one that may be a machine's, and for what is no address. */
export function rangeOf(text: string): AddressRange | undefined {
  const host = parseHost(text);
  return isMistake(host) ? undefined : rangeOfHost(host);
}

const rangeOfHost = perObject(({ kind, value }: Host) => {
  const range = kind === "ip" ? ipaddr.parse(value).range() : undefined;
  return UNREACHABLE.find((name) => RANGES[name].range === range);
});

/** `the unspecified address`, `a multicast address`, … */
export function rangeWords(range: AddressRange): string {
  return RANGES[range].words;
}

/** A regular expression of Terraform's that canonical addresses of these ranges match. */
export function rangePattern(ranges: readonly AddressRange[]): string {
  return ranges.map((range) => RANGES[range].pattern).join("|");
}
