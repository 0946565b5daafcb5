import { isIP, isIPv6 } from "node:net";
import type { Drawn, Text } from "./descriptions";

// What stands in a description, and what it becomes.

/** A text as Terraform will know it. */
export function plain(text: Text): string {
  return typeof text === "string" ? text : text.later;
}

/** Names of a list, whatever their kind. */
export function namesIn(names: Drawn["extraSans"] = []): string[] {
  return names.flatMap((name) =>
    typeof name === "string" ? [name] : [...(name.dns ?? []), ...(name.ips ?? [])].map(plain),
  );
}

/** A name or an address in one spelling: an address by its bytes. */
export function canonical(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]/`).hostname.slice(1, -1) : name.toLowerCase();
}

/** An address as four or sixteen bytes in hexadecimal digits; undefined for a name. */
export function addressBytes(name: string): string | undefined {
  if (isIP(name) === 4) {
    return Buffer.from(name.split(".").map(Number)).toString("hex");
  }
  if (isIP(name) !== 6) {
    return undefined;
  }
  const [before = "", after = ""] = canonical(name).split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const [left, right] = [groups(before), groups(after)];
  const middle = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...middle, ...right].map((group) => group.padStart(4, "0")).join("");
}

/** The first address after a network's own: that of the `kubernetes` Service. */
export function firstAddress(cidr: string): string {
  return cidr.split("/")[0]!.replace(/\.0$/, ".1").replace(/::$/, "::1");
}
