import { Token } from "cdktf";
import type { IConstruct } from "constructs";
import { Problems } from "../errors";
import { rangeOf, rangeWords, UNNAMEABLE } from "./address-range";
import { canonicalHost, isMistake, parseHost } from "./host";
import { canonicalDnsToken, canonicalIpToken, isDnsOperand, isIpOperand, isOutsideOperand } from "./host-conditions";
import { eachText, type Wanted } from "../terraform/text-values";
import { Condition, condition } from "../terraform/condition";
import { checkShape } from "../terraform/shape";
import { ALT_NAMES } from "./alt-name-shape";
import { tokenText } from "../terraform/token-text";

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
 * re-issues a certificate when only their order changes. Unresolved values follow the others.
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
        dns.push(...(name.dns ?? []).map(canonicalHost));
        ips.push(...(name.ips ?? []).map(canonicalHost));
      }
    }
    return new SubjectAltNames(ordered(dns), ordered(ips));
  }

  /**
   * The same with each unresolved name once, whichever tokens stand for it, and sorted by what it is to Terraform: in which order they
   * are written means nothing.
   */
  public distinctIn(scope: IConstruct): SubjectAltNames {
    const distinct = (names: readonly string[]) => {
      const unresolved = names.filter((name) => Token.isUnresolved(name));
      // Of several readings of one variable, the first stays.
      const byText = new Map([...unresolved].reverse().map((name) => [tokenText(scope, name), name]));
      const texts = [...byText.keys()].sort();
      return [...names.filter((name) => !Token.isUnresolved(name)), ...texts.map((text) => byText.get(text)!)];
    };
    return new SubjectAltNames(distinct(this.dns), distinct(this.ips));
  }

  private constructor(
    /** DNS names, sorted. */
    public readonly dns: readonly string[],
    /** IP addresses in canonical text, sorted. */
    public readonly ips: readonly string[],
  ) {}

  /** What Terraform must check because the values are not known at synth. */
  public get preconditions(): Condition[] {
    return [
      ...this.dns.filter(Token.isUnresolved).map((dns) => {
        const allowed = "a DNS name without scheme, port or path";
        const fix = "write the host alone, and give IP addresses as ips";
        return condition(isDnsOperand(dns), { code: "host-name", at: "sans", given: dns, allowed, fix });
      }),
      ...this.ips.filter(Token.isUnresolved).flatMap((ip) => {
        const allowed = "an IPv4 or IPv6 address without a prefix length, a port or leading zeros";
        const fix = "write the address alone, and give DNS names as dns";
        return [
          condition(isIpOperand(ip), { code: "host-ip", at: "sans", given: ip, allowed, fix }),
          condition(isOutsideOperand(ip, UNNAMEABLE), { ...UNNAMEABLE_ADDRESS, at: "sans", given: ip }),
        ];
      }),
    ];
  }

  /** DNS names as the tls provider is given them: in lower case, those that Terraform fills in, too. */
  public get dnsArgument(): string[] | undefined {
    return argument(this.dns, canonicalDnsToken);
  }

  /** IP addresses as the tls provider is given them: canonical, those that Terraform fills in, too. */
  public get ipsArgument(): string[] | undefined {
    return argument(this.ips, canonicalIpToken);
  }
}

/** An address for nobody, or for many. */
const UNNAMEABLE_ADDRESS = {
  code: "address-range",
  allowed: "an address that is one machine's, or loopback",
  fix: "write the address at which clients reach the server, or leave it out",
} as const;

function argument(names: readonly string[], unresolved: (name: string) => string): string[] | undefined {
  return names.length > 0 ? names.map((name) => (Token.isUnresolved(name) ? unresolved(name) : name)) : undefined;
}

const ALT_NAME: Wanted = {
  allowed: "a DNS name or an IP address, as text",
  written: (value) => `{ dns: [${value}] } or { ips: [${value}] }`,
};

/** Finds names that no certificate can hold, and unresolved ones whose kind is not said. */
export function checkAltNames(names: readonly AltName[], at: string, problems: Problems): void {
  eachText(names, at, problems, ALT_NAME, (name, here) => {
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
  } else {
    checkNameable(text, at, problems);
  }
}

/** Finds an address that is no machine's own. */
function checkNameable(text: string, at: string, problems: Problems): void {
  const range = rangeOf(text);
  if (range !== undefined && UNNAMEABLE.includes(range)) {
    problems.add({ ...UNNAMEABLE_ADDRESS, at, given: `${text}, ${rangeWords(range)}` });
  }
}

function checkKind(names: readonly string[], kind: "dns" | "ip", at: string, problems: Problems): void {
  const allowed = kind === "dns" ? "a DNS name" : "an IP address";
  eachText(names, at, problems, { allowed: `${allowed}, as text` }, (name, here) => {
    if (Token.isUnresolved(name)) {
      return;
    }
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
    } else {
      checkNameable(name, here, problems);
    }
  });
}

function ordered(names: readonly string[]): string[] {
  const unique = [...new Set(names)];
  const concrete = unique.filter((name) => !Token.isUnresolved(name)).sort();
  return [...concrete, ...unique.filter((name) => Token.isUnresolved(name))];
}
