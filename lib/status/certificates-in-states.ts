import { basename } from "node:path";
import { authorityName, generationName, leafKeyName, parseName, title } from "../terraform/names";
import { pinnedName, typeOf } from "../terraform-json/address";
import { publishedCertificates } from "../terraform-json/outputs";
import { at, type Json, text } from "../terraform-json/json";
import { pemAt, PemKind, type ResourceType, resourceType, Role } from "../terraform-json/resource-types";
import type { State } from "../terraform-json/state";
import { pairProblem, problemsOfPem } from "./pairs";
import { PemContent, readPem } from "./pem";
import type { CertificateSource, NamedCertificate, StatusProblem } from "./source";

/**
 * Finds the certificates and keys of states, and what cannot be read or does not belong together. Generations that are retired are left
 * out: they stand in no file and nobody trusts them, so that one which has ended is no news.
 */
export function certificatesInStates(states: readonly State[]): CertificateSource {
  const all = states.flatMap(readState);
  const names = namesOf(all.filter(({ content }) => content.certificates.length > 0));
  const read = all.filter(({ isRetired }) => !isRetired);
  return {
    found: certificatesOf(read, names),
    retired: certificatesOf(
      all.filter(({ isRetired }) => isRetired),
      names,
    ),
    keys: new Set(read.flatMap(({ key }) => key.keys)),
    problems: read.flatMap((entry) => problemsOf(entry, names.get(entry), read)),
    notes: [],
  };
}

interface InState {
  readonly origin: string;
  readonly address: string;
  readonly role: Role | undefined;
  readonly isRetired: boolean;
  /** Whether it has text for a certificate. */
  readonly hasText: boolean;
  /** Whether it has a request, and nothing that was made of it. */
  readonly isUnsigned: boolean;
  readonly content: PemContent;
  readonly key: PemContent;
}

function readState(state: State): InState[] {
  const retired = retiredIn(state);
  return state.addresses.map((address) => {
    const row = resourceType(typeOf(address));
    const values = state.values(address);
    const textOf = (kind: PemKind) => pemAt(row, values, kind);
    return {
      origin: state.origin,
      address,
      role: row?.role,
      isRetired: retired.has(pinnedName(address) ?? ""),
      hasText: textOf("certificate") !== undefined,
      isUnsigned: row?.role === "adopted" && isAsked(row, values) && textOf("certificate") === undefined,
      content: readPem(textOf("certificate") ?? ""),
      key: readPem(textOf("privateKey") ?? ""),
    };
  });
}

function isAsked({ madeOf }: ResourceType, values: Json): boolean {
  return madeOf !== undefined && text(at(values, madeOf.request)) !== undefined;
}

function certificatesOf(entries: readonly InState[], names: ReadonlyMap<InState, string>): NamedCertificate[] {
  return entries.flatMap((entry) =>
    entry.content.certificates.map((certificate, index) => {
      const name = names.get(entry)!;
      // Every authority of a state is in the bundles that are made of it.
      const standing = certificate.ca ? "trusted" : "own";
      return { name: index === 0 ? name : `${name}#${index + 1}`, certificate, standing };
    }),
  );
}

/** Certificates of a resource, or keys, that were found, readable or not. */
const CERTIFICATES = [
  "certificate",
  ({ content }: InState) => content.certificates.length + content.brokenCertificates,
] as const;
const KEYS = ["private key", ({ key }: InState) => key.keys.length + key.brokenKeys + key.encryptedKeys] as const;

/** What must be in a resource that has such a role; in one that was adopted, where it has text for it. */
const EXPECTED: Partial<Record<Role, typeof CERTIFICATES | typeof KEYS>> = {
  certificate: CERTIFICATES,
  "self-signed certificate": CERTIFICATES,
  adopted: CERTIFICATES,
  key: KEYS,
};

function problemsOf(entry: InState, name: string | undefined, all: readonly InState[]): StatusProblem[] {
  const { origin, address, role, content, key } = entry;
  const place = `${address} of ${origin}`;
  const [what, count] = (role && EXPECTED[role]) ?? [];
  return [
    ...(count?.(entry) === 0 && (role !== "adopted" || entry.hasText)
      ? [{ name: place, kind: "empty", message: `holds no ${what}` } as const]
      : []),
    ...(entry.isUnsigned
      ? [{ name: place, kind: "unsigned", message: "is signed elsewhere, and not back yet" } as const]
      : []),
    ...[content, key].flatMap((pem) => problemsOfPem(place, pem)),
    ...(name === undefined ? [] : pairsOf(entry, name, all)),
  ];
}

/** A certificate's key is in its own resource, or in one that this library has named after it. */
function pairsOf(entry: InState, name: string, all: readonly InState[]): StatusProblem[] {
  const own = pairProblem(name, entry.content, entry.address, entry.key);
  const pinned = pinnedName(entry.address);
  if (own.length > 0 || pinned === undefined || !parseName(pinned)) {
    return own;
  }
  const keys = all.filter(({ origin, address, role }) => {
    const other = pinnedName(address) ?? "";
    return origin === entry.origin && role === "key" && (other === pinned || isKeyGeneration(other, pinned));
  });
  const together = { ...entry.key, keys: keys.flatMap(({ key }) => key.keys) };
  return pairProblem(name, entry.content, keys.map(({ address }) => address).join(", "), together);
}

/** A certificate's later key has its generation behind the certificate's name. */
function isKeyGeneration(name: string, certificate: string): boolean {
  const generation = parseName(name)?.generation;
  return generation !== undefined && name === leafKeyName(certificate, generation);
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
function namesOf(entries: readonly InState[]): Map<InState, string> {
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
  const unique = (entry: InState, name: string) => (count.get(name) === 1 ? name : `${entry.origin} ${entry.address}`);
  return new Map(entries.map((entry, row) => [entry, unique(entry, names[row]!)]));
}
