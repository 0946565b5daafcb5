// Nothing in here needs cdktf: whatever builds, reads or shows a name does it with these.
import type { Problems } from "../errors";

/**
 * Between the parts of a Terraform name. No part has an underscore of its own but for the dots of a machine's name, so two things never
 * share a name.
 */
const SEPARATOR = "__";

/** Parts that say what kind of thing a name is of, where a certificate's name has its holder. */
const KINDS = {
  ca: "authority",
  keys: "key pair",
  token: "token",
  binding: "binding",
  role: "role",
  secret: "secret",
} as const;

type Marker = keyof typeof KINDS;

/** What keeps generations from being lost, where an output has certificates by who holds them. */
export const GUARDS = "guards";

/** Words that nobody may be called who holds certificates: they mark other things. */
export const RESERVED_HOLDERS: readonly string[] = [...Object.keys(KINDS), GUARDS];

/** `<prefix>__ca__<authority>`: an authority, and its `check`. */
export function authorityName(prefix: string, authority: string): string {
  return marked(prefix, "ca", authority);
}

/** `<prefix>__keys__<key pair>` */
export function keyPairName(prefix: string, keyPair: string): string {
  return marked(prefix, "keys", keyPair);
}

/** `<authority or key pair>__<generation>` */
export function generationName(of: string, generation: string): string {
  return `${of}${SEPARATOR}${generation}`;
}

/** `<prefix>__<holder>__<certificate>`: a certificate that is no authority, its request and its key. */
export function leafName(prefix: string, holder: string, certificate: string): string {
  return [prefix, withoutDots(holder), certificate].join(SEPARATOR);
}

/** The name of a certificate's key: the certificate's own, and a later one's with its generation. */
export function leafKeyName(leaf: string, keyGeneration?: string): string {
  return keyGeneration === undefined ? leaf : generationName(leaf, keyGeneration);
}

/** `<prefix>__token__<token>` */
export function tokenName(prefix: string, token: string): string {
  return marked(prefix, "token", token);
}

/** `<token>__b`: the second of two tokens that are replaced in turn. */
export function secondTokenName(token: string): string {
  return generationName(token, "b");
}

/** `<prefix>__binding__<binding>` */
export function bindingName(prefix: string, binding: string): string {
  return marked(prefix, "binding", binding);
}

/** `<prefix>__role__<role>` */
export function roleName(prefix: string, role: string): string {
  return marked(prefix, "role", role);
}

/** `<prefix>__kube-root-ca`: the authorities that a cluster publishes itself. */
export function publishedAuthorityName(prefix: string): string {
  return [prefix, "kube-root-ca"].join(SEPARATOR);
}

/** `<prefix>__cluster-info`: what machines find a cluster by. */
export function clusterInfoName(prefix: string): string {
  return [prefix, "cluster-info"].join(SEPARATOR);
}

/** `<prefix>__secret__<Secret>` */
export function secretName(prefix: string, secret: string): string {
  return marked(prefix, "secret", withoutDots(secret));
}

function marked(prefix: string, marker: Marker, name: string): string {
  return [prefix, marker, name].join(SEPARATOR);
}

function withoutDots(name: string): string {
  return name.replaceAll(".", "_");
}

/** What a name is of. */
export interface ParsedName {
  readonly prefix: string;
  readonly kind: (typeof KINDS)[Marker] | "certificate";
  /** `kubernetes`, `apiserver`, `workers`, …; a Secret's with `_` for its dots. */
  readonly name: string;
  /** Who holds a certificate: a machine, `operator`, `cluster`. */
  readonly holder?: string;
  /** `g1` of an authority or key pair, `k2` of a certificate's key, `b` of the second of two tokens. */
  readonly generation?: string;
}

/** Takes a Terraform name apart; undefined for one that is not built here. */
export function parseName(name: string): ParsedName | undefined {
  const [prefix, second, third, generation, more] = name.split(SEPARATOR);
  if (!prefix || !second || !third || generation === "" || more !== undefined || !isNamePart(prefix)) {
    return undefined;
  }
  const known = { prefix, name: third, ...(generation === undefined ? {} : { generation }) };
  return Object.hasOwn(KINDS, second)
    ? { ...known, kind: KINDS[second as Marker] }
    : { ...known, kind: "certificate", holder: second.replaceAll("_", ".") };
}

/** The same name under another prefix. */
export function withPrefix(name: string, from: string, to: string): string {
  return `${to}${name.slice(from.length)}`;
}

/** `<prefix>_files`: which file is made of what. Its prefix is that of a cluster, or the name of a join password. */
export function filesOutput(prefix: string): string {
  return `${prefix}_files`;
}

/** The cluster's prefix of an output that {@link filesOutput} named; undefined for other outputs. */
export function prefixOfFiles(output: string): string | undefined {
  return /^([a-z][a-z0-9-]*)(?:__token__[a-z][a-z0-9-]*)?_files$/.exec(output)?.[1];
}

/** `<prefix>_certificates`: what is known at plan of generations and certificates. */
export function certificatesOutput(prefix: string): string {
  return `${prefix}_certificates`;
}

/** The cluster's prefix of an output that {@link certificatesOutput} named; undefined for other outputs. */
export function prefixOfCertificates(output: string): string | undefined {
  return /^([a-z][a-z0-9-]*)_certificates$/.exec(output)?.[1];
}

/** `<prefix>_fingerprints`: of public keys. */
export function fingerprintsOutput(prefix: string): string {
  return `${prefix}_fingerprints`;
}

/** What a reader calls a thing: `kubernetes g1`, `cp-1/apiserver`; with its cluster `prod: cp-1/apiserver`. */
export function title({
  cluster,
  holder,
  name,
  generation,
}: {
  readonly cluster?: string;
  readonly holder?: string;
  readonly name: string;
  readonly generation?: string;
}): string {
  const own = `${holder === undefined ? "" : `${holder}/`}${name}${generation === undefined ? "" : ` ${generation}`}`;
  return cluster === undefined ? own : `${cluster}: ${own}`;
}

const NAME_PART = /^[a-z][a-z0-9-]*$/;

function isNamePart(text: string): boolean {
  return NAME_PART.test(text);
}

/** Finds a name that could not be part of a Terraform name. */
export function checkNamePart(
  code: string,
  at: string,
  name: string,
  problems: Problems,
  fix = "choose such a name",
): void {
  if (!isNamePart(name)) {
    problems.add({ code, at, given: name, allowed: "lower-case letters, digits and '-', a letter first", fix });
  }
}

/** Finds an address prefix that Terraform names could not start with. */
export function checkAddressPrefix(prefix: string, problems: Problems, at = "addressPrefix"): void {
  checkNamePart("address-prefix", at, prefix, problems, `set ${at} to such a name`);
}

/** Finds a former prefix that no name could have started with, or that is the present one. */
export function checkMovedFrom(before: string | undefined, prefix: string, problems: Problems): void {
  if (before === undefined) {
    return;
  }
  checkAddressPrefix(before, problems, "movedFrom");
  if (before === prefix) {
    problems.add({
      code: "moved-from",
      at: "movedFrom",
      given: prefix,
      allowed: "another prefix than addressPrefix",
      fix: "leave it out",
    });
  }
}
