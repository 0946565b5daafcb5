import { basename } from "node:path";
import { authorityName, generationName, parseName, title } from "../terraform/names";
import { pinnedName, typeOf } from "../terraform-json/address";
import { publishedCertificates } from "../terraform-json/outputs";
import { pemAt, PemKind, resourceType } from "../terraform-json/resource-types";
import type { State } from "../terraform-json/state";
import { CertificateSource, PemContent, readPem } from "./status";

/**
 * Finds the certificates and keys of states. Generations that are retired are left out: they stand in no file and nobody trusts them, so
 * that one which has ended is no news.
 */
export function certificatesInStates(states: readonly State[]): CertificateSource {
  const read = states.flatMap(readState);
  const withCertificate = read.filter(({ content }) => content.certificates.length > 0);
  const names = namesOf(withCertificate);
  return {
    found: withCertificate.flatMap(({ content }, row) =>
      content.certificates.map((certificate, index) => {
        return { name: index === 0 ? names[row]! : `${names[row]}#${index + 1}`, certificate };
      }),
    ),
    keys: new Set(read.flatMap(({ keys }) => keys)),
    notes: read
      .filter(({ content }) => content.broken > 0)
      .map(({ origin, address }) => `${address} of ${origin} holds a certificate that cannot be read`),
  };
}

interface InState {
  readonly origin: string;
  readonly address: string;
  readonly content: PemContent;
  readonly keys: readonly string[];
}

function readState(state: State): InState[] {
  const retired = retiredIn(state);
  return state.addresses
    .filter((address) => !retired.has(pinnedName(address) ?? ""))
    .map((address) => {
      const row = resourceType(typeOf(address));
      const pem = (kind: PemKind) => readPem(pemAt(row, state.values(address), kind) ?? "");
      return { origin: state.origin, address, content: pem("certificate"), keys: pem("privateKey").keys };
    });
}

/** Terraform names of the generations that are retired. */
function retiredIn({ outputs }: State): Set<string> {
  const names = [...outputs].flatMap(([output, value]) => {
    const { prefix = "", value: { authorities = {} } = {} } = publishedCertificates(output, value) ?? {};
    return Object.entries(authorities).flatMap(([authority, generations]) =>
      Object.entries(generations)
        .filter(([, generation]) => generation === "retired")
        .map(([id]) => generationName(authorityName(prefix, authority), id)),
    );
  });
  return new Set(names);
}

/** `cp-1/apiserver`, `kubernetes g1`; with its prefix and its state, where there are several; or else the address. */
function namesOf(entries: readonly InState[]): string[] {
  const parsed = entries.map(({ address }) => parseName(pinnedName(address) ?? ""));
  const hasSeveral = (values: readonly (string | undefined)[]) => new Set(values.filter(Boolean)).size > 1;
  const severalOrigins = hasSeveral(entries.map(({ origin }) => origin));
  const severalPrefixes = hasSeveral(parsed.map((name) => name?.prefix));
  const names = entries.map(({ origin, address }, row) => {
    const own = parsed[row] ?? { name: pinnedName(address) ?? address, prefix: undefined };
    const cluster = [severalOrigins && basename(origin), severalPrefixes && own.prefix].filter(Boolean).join("/");
    return title({ ...own, cluster: cluster || undefined });
  });
  const count = new Map<string, number>();
  names.forEach((name) => count.set(name, (count.get(name) ?? 0) + 1));
  return names.map((name, row) => (count.get(name) === 1 ? name : `${entries[row]!.origin} ${entries[row]!.address}`));
}
