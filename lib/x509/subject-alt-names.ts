import { Token } from "cdktf";
import { Problems } from "../errors";
import { isMistake, parseHost } from "./host";
import { Condition, condition } from "../terraform/condition";
import { quoted } from "../terraform/expression";
import { checkShape } from "../terraform/shape";
import { ALT_NAMES } from "./alt-name-shape";

/** Names whose kind is said by the field, since a value that Terraform fills in later cannot be looked at. */
export interface TypedNames {
  /**
   * DNS names; each may be an unresolved token.
   * @default - none
   */
  readonly dns?: readonly string[];
  /**
   * IP addresses; each may be an unresolved token.
   * @default - none
   */
  readonly ips?: readonly string[];
}

/** A DNS name or IP address, or names whose kind is said. */
export type AltName = string | TypedNames;

/**
 * The DNS names and IP addresses a certificate is valid for: canonical, sorted, each once, because the tls provider
 * re-issues a certificate when only their order changes. Unresolved values follow the others in the order given.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
 */
export class SubjectAltNames {
  /** No names at all, as client certificates have. */
  public static readonly NONE = new SubjectAltNames([], []);

  /** Sorts and canonicalises what {@link checkAltNames} found nothing wrong with; anything else is left as it is. */
  public static of(...names: readonly AltName[]): SubjectAltNames {
    checkShape("SubjectAltNames.of", names, ALT_NAMES, "names");
    const dns: string[] = [];
    const ips: string[] = [];
    for (const name of names) {
      if (typeof name === "string") {
        const host = parseHost(name);
        (isMistake(host) || host.kind === "dns" ? dns : ips).push(isMistake(host) ? name : host.value);
      } else {
        dns.push(...(name.dns ?? []).map(canonical));
        ips.push(...(name.ips ?? []).map(canonical));
      }
    }
    return new SubjectAltNames(ordered(dns), ordered(ips));
  }

  private constructor(
    /** DNS names, sorted. */
    public readonly dns: readonly string[],
    /** IP addresses in canonical text, sorted. */
    public readonly ips: readonly string[],
  ) {}

  /** What Terraform must check because the values are not known at synth. */
  public get preconditions(): Condition[] {
    const isIp = (ip: string) => `can(cidrhost(${quoted(`${ip}/32`)}, 0))`;
    const isDns = (dns: string) => `can(regex("${TERRAFORM_DNS_NAME}", ${quoted(dns)})) && !${isIp(dns)}`;
    return [
      ...this.dns.filter(Token.isUnresolved).map((dns) => {
        const allowed = "a DNS name without scheme, port or path";
        const fix = "write the host alone, and give IP addresses as ips";
        return condition(isDns(dns), { code: "host-name", at: "sans", given: dns, allowed, fix });
      }),
      ...this.ips.filter(Token.isUnresolved).map((ip) => {
        const allowed = "an IPv4 or IPv6 address without a prefix length or port";
        const fix = "write the address alone, and give DNS names as dns";
        return condition(isIp(ip), { code: "host-ip", at: "sans", given: ip, allowed, fix });
      }),
    ];
  }
}

/** Finds names that no certificate can hold, and unresolved ones whose kind is not said. */
export function checkAltNames(names: readonly AltName[], at: string, problems: Problems): void {
  names.forEach((name, index) => {
    const here = `${at}[${index}]`;
    if (typeof name !== "string") {
      checkKind(name.dns ?? [], "dns", `${here}.dns`, problems);
      checkKind(name.ips ?? [], "ip", `${here}.ips`, problems);
    } else if (Token.isUnresolved(name)) {
      const fix = "write { dns: [value] } or { ips: [value] }: it cannot be told from an unresolved value";
      problems.add({
        code: "alt-name-kind",
        at: here,
        given: "an unresolved value",
        allowed: "a value whose kind is said",
        fix,
      });
    } else {
      checkHost(name, here, problems);
    }
  });
}

/** Finds what is wrong with one concrete host. */
export function checkHost(text: string, at: string, problems: Problems, allowed = "a DNS name or an IP address"): void {
  const host = parseHost(text);
  if (isMistake(host)) {
    problems.add({ code: host.code, at, given: text, allowed, fix: host.fix });
  }
}

// One character class instead of escapes, which would have to survive JSON and a nested template.
const TERRAFORM_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const TERRAFORM_DNS_NAME = `^([*][.])?${TERRAFORM_LABEL}([.]${TERRAFORM_LABEL})*$`;

function checkKind(names: readonly string[], kind: "dns" | "ip", at: string, problems: Problems): void {
  const allowed = kind === "dns" ? "a DNS name" : "an IP address";
  names.forEach((name, index) => {
    if (Token.isUnresolved(name)) {
      return;
    }
    const here = `${at}[${index}]`;
    const host = parseHost(name);
    if (isMistake(host)) {
      problems.add({ code: host.code, at: here, given: name, allowed, fix: host.fix });
    } else if (host.kind !== kind) {
      problems.add({
        code: "alt-name-kind",
        at: here,
        given: name,
        allowed,
        fix: `move it to ${kind === "dns" ? "ips" : "dns"}`,
      });
    }
  });
}

function canonical(name: string): string {
  const host = Token.isUnresolved(name) ? undefined : parseHost(name);
  return host && !isMistake(host) ? host.value : name;
}

function ordered(names: readonly string[]): string[] {
  const unique = [...new Set(names)];
  const concrete = unique.filter((name) => !Token.isUnresolved(name)).sort();
  return [...concrete, ...unique.filter((name) => Token.isUnresolved(name))];
}
