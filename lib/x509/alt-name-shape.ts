import { either, fields, Fields, host, hosts, optional } from "../terraform/shape";
import type { TypedNames } from "./subject-alt-names";

const NAME = { ...host("api.example.com", 'a DNS name or an IP address, { dns: ["…"] } or { ips: ["…"] }') };

const TYPED_NAMES = fields({
  dns: optional(hosts(host("api.example.com", "a DNS name"))),
  ips: optional(hosts(host("10.0.0.10", "an IP address"))),
} satisfies Fields<TypedNames>);

/** A name of a certificate, where one is expected. What the names may be is looked at by `checkAltNames`, unresolved values included. */
export const ALT_NAME = {
  ...either(NAME.allowed, NAME.example, (value) => (typeof value === "string" ? NAME : namesIn(value)), true),
  passesUnresolved: true,
};

function namesIn(value: unknown) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? TYPED_NAMES : undefined;
}

/** Names of a certificate, where they are expected. */
export const ALT_NAMES = hosts(ALT_NAME);
