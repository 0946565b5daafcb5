import { Token } from "cdktf";
import { isIPv4 } from "node:net";

/** A host as a certificate can name it. */
export interface Host {
  readonly kind: "dns" | "ip";
  /** Canonical text: DNS names in lower case, IPv6 by RFC 5952. */
  readonly value: string;
}

/** Why a text is no host, and which host was probably meant. */
export interface HostMistake {
  readonly code: "host-url" | "host-cidr" | "host-port" | "host-ip" | "host-name";
  readonly fix: string;
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const DNS_NAME = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`);
/** An RFC 1123 label in lower case, the shape of a namespace's name. */
export const RFC_1123_LABEL = new RegExp(`^${LABEL}$`);
/** An RFC 1123 subdomain in lower case, the shape of a Kubernetes node name. */
export const RFC_1123_SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** No text that is longer is a host, or a URL of one, that anybody wrote: it is not looked into for what was meant. */
const MAX_LENGTH = 1000;

/** The same few names and addresses are asked for again and again, and reading one costs more than a certificate's other checks. */
const HOSTS = new Map<string, Host | HostMistake>();

/** Canonical text of a host; what is none, or is unresolved, as it is. */
export function canonicalHost(text: string): string {
  const host = Token.isUnresolved(text) ? undefined : parseHost(text);
  return host && !isMistake(host) ? host.value : text;
}

/** The canonical text of an IP address, or undefined. An IPv4 address written as IPv6 is IPv4, as it is to Go. */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) {
    return text;
  }
  // `::1.2.3.4`, which was to be IPv4 once, is IPv4 to some and IPv6 to Go.
  if (!text.includes(":") || !/^[0-9a-f:.]{2,45}$/i.test(text) || /^::[0-9]+\./.test(text)) {
    return undefined;
  }
  const url = `http://[${text}]`;
  if (!URL.canParse(url)) {
    return undefined;
  }
  // A URL's host has the one canonical text of an IPv6 address (RFC 5952), but for IPv4 inside of it.
  const ipv6 = new URL(url).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(ipv6) ?? [];
  return high === undefined || low === undefined ? ipv6 : [...bytesOf(high), ...bytesOf(low)].join(".");
}

function bytesOf(group: string): [number, number] {
  const value = parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

/**
 * Reads a DNS name or an IP address.
 *
 * @returns the host, or what is wrong with the text: a CIDR, a port and a URL are what people write by mistake
 */
export function parseHost(text: string): Host | HostMistake {
  const known = HOSTS.get(text) ?? readHost(text);
  if (text.length <= MAX_LENGTH) {
    HOSTS.set(text, known);
  }
  return known;
}

function readHost(text: string): Host | HostMistake {
  if (text.length > MAX_LENGTH) {
    return { code: "host-name", fix: "use a name of at most 253 bytes" };
  }
  const ip = canonicalIp(text);
  if (ip) {
    return { kind: "ip", value: ip };
  }
  const name = text.toLowerCase();
  // A last label of digits alone is a mistyped IPv4 address, never a host name (RFC 1123, 2.1).
  const looksLikeIp = /(^|\.)[0-9]+$/.test(name);
  if (!looksLikeIp && name.length <= 253 && DNS_NAME.test(name)) {
    return { kind: "dns", value: name };
  }
  return mistake(text, looksLikeIp);
}

/** True when {@link parseHost} found a mistake. */
export function isMistake(host: Host | HostMistake): host is HostMistake {
  return "fix" in host;
}

function mistake(text: string, looksLikeIp: boolean): HostMistake {
  const meant = (host: string) =>
    isMistake(parseHost(host)) ? "write the host alone" : `did you mean ${JSON.stringify(host)}?`;
  const url = /^[a-z][a-z0-9+.-]*:\/\/(\[[^\]]*\]|[^/:]*)/i.exec(text);
  if (url) {
    return { code: "host-url", fix: `it is a URL; ${meant(url[1]!.replace(/[[\]]/g, ""))}` };
  }
  const [address, prefix] = text.split("/");
  if (prefix !== undefined && canonicalIp(address!)) {
    return { code: "host-cidr", fix: `it is a CIDR; ${meant(canonicalIp(address!)!)}` };
  }
  const port = /^(?:\[([^\]]+)\]|([^:]+)):[0-9]*$/.exec(text);
  if (port) {
    return { code: "host-port", fix: `it has a port; ${meant((port[1] ?? port[2])!)}` };
  }
  if (looksLikeIp) {
    return {
      code: "host-ip",
      fix: "it is no valid IPv4 address; each of its four numbers is 0 to 255 without leading zeros",
    };
  }
  if (text.endsWith(".") && text.length > 1) {
    return { code: "host-name", fix: `leave the last dot out; ${meant(text.slice(0, -1))}` };
  }
  return { code: "host-name", fix: "use letters, digits and '-' in labels of at most 63, separated by dots" };
}
