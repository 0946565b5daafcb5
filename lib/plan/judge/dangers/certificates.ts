import { createPublicKey, KeyObject } from "node:crypto";
import { text } from "../../../terraform-json/json";
import type { Side } from "../../../terraform-json/plan";
import { factsOf } from "../../model/facts";
import { certificatePem, exists, Identity, parsedCertificate, publicKeyPem } from "../../model/identity";
import { isChanged, PlanModel } from "../../model/model";
import { isStale } from "../../model/verbs";
import { visible } from "../../read/visible";
import type { DangerCode } from "../danger";
import { ofIdentities, Row } from "./row";

/** Dangers of what a certificate says, and of keys. */
export const CERTIFICATE_DANGERS = {
  "stale-certificate": ofIdentities({
    help: "A certificate is kept although what it is made from changes: it is not what the code says.",
    when: isStale,
    message: "The certificate is kept although what it is made from changes: it stays what it was.",
    fix: "replace it (terraform apply -replace=<address of the certificate>), with PEM inputs that end in exactly one newline",
  }),
  "usages-widened": ofIdentities({
    help: "A certificate that exists may be used for more: by a client, by a server, to sign.",
    when: (identity, { model }) => usagesGained(identity, model).length > 0,
    message: (identity, { model }) =>
      `From now on the certificate may be used for what it could not be: ${usagesGained(identity, model).join(", ")}.`,
    fix: "issue another certificate for that, with a key of its own",
  }),
  "new-signer": ofIdentities({
    help: "A certificate becomes an authority, or a new one is made below an authority that exists.",
    when: (identity, { model }) => becomesAuthority(identity) || isNewBelow(identity, model),
    message: (identity) =>
      becomesAuthority(identity)
        ? "The certificate becomes an authority: whoever has its key signs whatever is trusted where it is."
        : "A new authority is made below one that is trusted: whoever has its key signs whatever that one may.",
    fix: "let authorities sign certificates alone; if it is needed, make it an authority of the distribution's table",
    reaches: (identity, { model }) => model.titles(model.signedBy.after.get(identity)),
  }),
  "wildcard-name": ofIdentities({
    help: "A certificate is valid for every host of a zone, or for any address.",
    when: (identity, { model }) => wildcardsGained(identity, model).length > 0,
    message: (identity, { model }) =>
      `The certificate is valid for more than one host: ${wildcardsGained(identity, model).join(", ")}.`,
    fix: "name each host and each address",
  }),
  "long-validity": ofIdentities({
    help: `A certificate is valid for more than twice as long as before, or for more than two years.`,
    when: (identity, { model }) => isLonger(identity, model),
    message: (identity, { model }) => {
      const [before, after] = hoursOf(identity, model);
      return `It will be valid for ${after} hours${before === undefined ? "" : ` instead of ${before}`}: nothing revokes it before its end.`;
    },
    fix: "let it be valid for a year or less, and renew it by an apply",
  }),
  "weak-key": ofIdentities({
    help: "A key or a signature is weak: RSA below 2048 bits, a curve below P-256, SHA-1, MD5.",
    when: (identity, { model }) => isWeakened(identity, model),
    message: (identity, { model }) =>
      `It gets what can be broken: ${weaknessesOf(identity, "after", model).join(", ")}.`,
    fix: "use ECDSA P-256 or RSA with 2048 bits at least, and SHA-256",
  }),
} satisfies Partial<Record<DangerCode, Row>>;

/** Uses that every key has, and that open no door. */
const PLAIN_USES: ReadonlySet<string> = new Set([
  "digital_signature",
  "content_commitment",
  "key_encipherment",
  "data_encipherment",
  "key_agreement",
  "encipher_only",
  "decipher_only",
]);

/** What signs certificates and lists of them: an authority has both. */
const SIGNING: ReadonlySet<string> = new Set(["cert_signing", "crl_signing"]);

function usagesGained(identity: Identity, model: PlanModel): string[] {
  if (!exists(identity, "before") || !exists(identity, "after") || !isCertificate(identity)) {
    return [];
  }
  const [before, after] = [factsOf(identity, "before", model), factsOf(identity, "after", model)];
  return (after?.usages ?? []).filter(
    (usage) =>
      !PLAIN_USES.has(usage) &&
      !before?.usages?.includes(usage) &&
      !(identity.kind === "authority" && SIGNING.has(usage)),
  );
}

function isCertificate({ kind }: Identity): boolean {
  return kind === "certificate" || kind === "authority";
}

function isAuthority({ anchor }: Identity, side: Side): boolean {
  return visible(anchor, side, "is_ca_certificate") === "true";
}

function becomesAuthority(identity: Identity): boolean {
  return (
    exists(identity, "before") &&
    exists(identity, "after") &&
    isAuthority(identity, "after") &&
    !isAuthority(identity, "before")
  );
}

/** A new authority that is signed by one that exists, and that no table has. */
function isNewBelow(identity: Identity, model: PlanModel): boolean {
  const { kind, anchor, issuer } = identity;
  const isNew = !exists(identity, "before") && exists(identity, "after");
  if (kind !== "authority" || anchor.row.role !== "certificate" || !isNew) {
    return false;
  }
  // Whose authority is not in the plan, that one exists.
  const isFirst = issuer.after !== undefined && !exists(issuer.after, "before");
  return !isFirst && !isKnownSigner(identity, model);
}

/** A row of a table has a purpose; without an inventory, the next generation of what is there counts for one. */
function isKnownSigner(identity: Identity, model: PlanModel): boolean {
  if (model.entries.inventories.length > 0) {
    const { entry } = identity;
    return entry?.kind === "authority" && entry.purpose !== undefined;
  }
  return model.generationOf(identity).set.generations.some(({ before }) => before !== undefined);
}

function wildcardsGained(identity: Identity, model: PlanModel): string[] {
  if (!isCertificate(identity)) {
    return [];
  }
  const wildcards = (factsOf(identity, "after", model)?.sans ?? []).filter(isWildcard);
  const before = wildcards.length > 0 ? (factsOf(identity, "before", model)?.sans ?? []) : [];
  return wildcards.filter((name) => !before.includes(name));
}

function isWildcard(name: string): boolean {
  return name.includes("*") || name === "0.0.0.0" || (name.includes(":") && UNSPECIFIED.has(shortest(name)));
}

/** `::`, and that of IPv4 in it. */
const UNSPECIFIED: ReadonlySet<string> = new Set(["[::]", "[::ffff:0:0]"]);

/** An IPv6 address in its shortest form; other text as it is. */
function shortest(name: string): string {
  const url = `http://[${name}]/`;
  return URL.canParse(url) ? new URL(url).hostname : name;
}

/** Two years, one of them a leap year. */
const TWO_YEARS = 17_544;

function hoursOf(identity: Identity, model: PlanModel): [before: number | undefined, after: number | undefined] {
  return [factsOf(identity, "before", model)?.validityHours, factsOf(identity, "after", model)?.validityHours];
}

function isLonger(identity: Identity, model: PlanModel): boolean {
  const [before, after] = identity.kind === "certificate" ? hoursOf(identity, model) : [];
  if (after === undefined || after <= (before ?? 0)) {
    return false;
  }
  return after > TWO_YEARS || (before !== undefined && after > 2 * before);
}

function isWeakened(identity: Identity, model: PlanModel): boolean {
  if (!(isCertificate(identity) || identity.kind === "key pair") || !exists(identity, "after")) {
    return false;
  }
  // What nothing happens to stays what it was.
  if (!identity.parts.some((part) => isChanged(part) || part.imported)) {
    return false;
  }
  const weaknesses = weaknessesOf(identity, "after", model);
  const before = weaknesses.length > 0 ? weaknessesOf(identity, "before", model) : [];
  return weaknesses.some((weakness) => !before.includes(weakness));
}

/** What of a key, or of the signature in a certificate from outside, can be broken. */
function weaknessesOf(identity: Identity, side: Side, model: PlanModel): string[] {
  if (!exists(identity, side)) {
    return [];
  }
  const { anchor, key, request } = identity;
  if (anchor.row.role === "adopted") {
    const certificate = parsedCertificate(certificatePem(anchor, side));
    const found = certificate?.publicKey ?? parsedKey(publicKeyPem(anchor, side));
    const asked = key[side] ? factsOf(identity, side, model)?.keyAlgorithm : undefined;
    const words = [weakKey(algorithmOf(found) ?? asked), certificate && weakSignature(certificate.raw)];
    return words.filter((word) => word !== undefined);
  }
  // A key that no resource of the plan makes stands where it is used.
  const algorithm = key[side]
    ? factsOf(identity, side, model)?.keyAlgorithm
    : algorithmOf(parsedKey(text(request[side]?.[side]?.private_key_pem)));
  return [weakKey(algorithm)].filter((word) => word !== undefined);
}

function parsedKey(pem: string | undefined): KeyObject | undefined {
  try {
    return pem === undefined ? undefined : createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** As the inventory writes it: `RSA-2048`. */
function algorithmOf(key: KeyObject | undefined): string | undefined {
  const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {};
  return modulusLength === undefined ? namedCurve && `ECDSA-${namedCurve}` : `RSA-${modulusLength}`;
}

/** By the names of Terraform and of openssl. */
const STRONG_CURVES = /^ECDSA-(P(256|384|521)|prime256v1|secp256k1|secp384r1|secp521r1)$/;

function weakKey(algorithm: string | undefined): string | undefined {
  const bits = /^RSA-(\d+)$/.exec(algorithm ?? "")?.[1];
  const isWeak =
    bits === undefined ? algorithm?.startsWith("ECDSA-") && !STRONG_CURVES.test(algorithm) : Number(bits) < 2048;
  return isWeak ? algorithm : undefined;
}

/** Object identifiers of signature algorithms, as they stand in a certificate. */
const WEAK_SIGNATURES: Readonly<Record<string, string>> = {
  "2a864886f70d010102": "MD2",
  "2a864886f70d010104": "MD5",
  "2a864886f70d010105": "SHA-1",
  "2a8648ce3d0401": "SHA-1",
  "2a8648ce380403": "SHA-1",
  "2b0e03021d": "SHA-1",
};

/** The algorithm that stands behind what is signed. */
function weakSignature(der: Buffer): string | undefined {
  const signed = content(der, 0);
  const algorithm = content(der, content(der, signed.start).end);
  const identifier = content(der, algorithm.start);
  return WEAK_SIGNATURES[der.subarray(identifier.start, identifier.end).toString("hex")];
}

/** Where the content of an element of DER is. */
function content(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const length = der[at + 1] ?? 0;
  const more = length < 0x80 ? 0 : length - 0x80;
  const start = at + 2 + more;
  const size = more === 0 ? length : Number(`0x${der.subarray(at + 2, start).toString("hex") || "0"}`);
  return { start, end: start + size };
}
