import { conditional, Fn, Token } from "cdktf";
import { quoted } from "../terraform/expression";
import { type AddressRange, rangePattern } from "./address-range";

// What Terraform checks of a host that synth does not know: the same as `parseHost`. Its `&&` does not stop at the first that is false,
// and so what follows may fail where the first does: `try` makes that false, too.

/** Canonical text of an address, an expression; it fails where there is none. An IPv4 address written as IPv6 becomes IPv4. */
export function canonicalIpOperand(ip: string): string {
  return `cidrhost(format("%s/%d", ${quoted(ip)}, strcontains(${quoted(ip)}, ":") ? 128 : 32), 0)`;
}

/** The same as a token; what is no address stays as it is, and a condition tells of it. */
export function canonicalIpToken(ip: string): string {
  const bits = conditional(Fn.strcontains(ip, ":"), 128, 32);
  return Token.asString(Fn.try([Fn.cidrhost(Fn.format("%s/%d", [ip, bits]), 0), ip]));
}

/** A DNS name in lower case, as a token. */
export function canonicalDnsToken(dns: string): string {
  return Token.asString(Fn.lower(dns));
}

/** True for an address. Terraform reads `010.0.0.1` as 10.0.0.1, others as 8.0.0.1, and Go not at all; `::1.2.3.4` is IPv4 to some. */
export function isIpOperand(ip: string): string {
  const [text, canonical] = [quoted(ip), canonicalIpOperand(ip)];
  return `try((strcontains(${text}, ":") || ${canonical} == ${text}) && ${canonical} != "" && !can(regex("^::[0-9]+[.]", ${text})), false)`;
}

/** True for what is no address of these ranges. */
export function isOutsideOperand(ip: string, ranges: readonly AddressRange[]): string {
  return `!can(regex("${rangePattern(ranges)}", try(${canonicalIpOperand(ip)}, "")))`;
}

// One character class instead of escapes, which would have to survive JSON and a nested template.
const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const DNS_NAME = `${LABEL}([.]${LABEL})*$`;

/** True for the name of one host, in any case. A last label of digits alone is a mistyped address. */
export function isHostOperand(dns: string): string {
  return named(dns, `^${DNS_NAME}`);
}

/** The same, and for the names of all hosts in a domain: `*.example.com`. */
export function isDnsOperand(dns: string): string {
  return named(dns, `^([*][.])?${DNS_NAME}`);
}

function named(dns: string, pattern: string): string {
  const name = `lower(${quoted(dns)})`;
  return `can(regex("${pattern}", ${name})) && !can(regex("(^|[.])[0-9]+$", ${name})) && length(${quoted(dns)}) <= 253`;
}
