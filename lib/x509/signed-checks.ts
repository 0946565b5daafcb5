import { Token } from "cdktf";
import { Problems, Words } from "../errors";
import { attributesIn, KEY_USAGE_BITS } from "./certificate-fields";
import { ALT_NAME, requestedNames, requestedSubject, requestsIn } from "./certificate-request";
import { readDer } from "./der";
import { KeyAlgorithm } from "./key-algorithm";
import type { KeyUsage } from "./key-usage";
import { addFault, isIssuedBy, type LiteralCertificate, literalCertificates, nameOf } from "./pem";
import { algorithmOf, type Described, describedSubject, PURPOSES } from "./request-checks";
import { SubjectAltNames } from "./subject-alt-names";
import type { Validity } from "./validity";

/** What a certificate that comes back from its authority may say: this, and nothing else. */
export interface DescribedSigned extends Described {
  readonly validity: Validity;
  /**
   * The request that it was signed for, where that is text.
   * @default - Terraform makes it, and compares the keys
   */
  readonly request?: string;
  /** PEM of the authority's own certificate. */
  readonly issuer: string;
  /** The end of the authority, or of the first of those above it. */
  readonly end?: Date;
}

/** Finds what is not known at synth although a certificate that is signed elsewhere is compared with it there. */
export function checkComparable(
  { subject, sans = [] }: Pick<Described, "subject" | "sans">,
  before: string,
  problems: Problems,
): void {
  const { dns, ips } = SubjectAltNames.of(...sans);
  const unresolved: readonly (readonly [string, readonly string[]])[] = [
    ["subject", [describedSubject({ subject })]],
    ["sans", [...dns, ...ips]],
  ];
  for (const [at] of unresolved.filter(([, values]) => values.some((value) => Token.isUnresolved(value)))) {
    problems.add({
      code: "unresolved",
      at: `${before}${at}`,
      given: "an unresolved value",
      allowed: "what is known at synth, where the certificate that is signed elsewhere is compared with it",
      fix: "write it in the code, or give the authority's private key",
    });
  }
}

/**
 * Finds what is wrong with a certificate that was signed elsewhere: whoever signs may change names, subject and uses, and what a
 * certificate says is who its holder is. That it is one for the key that Terraform made is seen by Terraform. Never shows the text.
 */
export function checkSigned(pem: string, described: DescribedSigned, at: string, problems: Problems): void {
  const one = onlyOne(pem, at, problems);
  if (!one) {
    return;
  }
  const add = (code: string, given: string, allowed: string, fix: string) =>
    problems.add({ code, at, given, allowed, fix });
  const { certificate, fields } = one;
  const again = "have the request signed again";
  const name = nameOf(certificate);
  if (fields.isAuthority) {
    add("signed-authority", `${name}, an authority`, "a certificate that signs nothing", `${again}, with CA:FALSE`);
  }
  const [issuer] = literalCertificates(described.issuer);
  if (issuer && !isIssuedBy(one, issuer)) {
    const given = `${name}, which another authority signed`;
    add("signed-issuer", given, `one that ${nameOf(issuer.certificate)} signed`, `${again} by that authority`);
  }
  const wanted = describedSubject(described);
  const said = readDer(() => requestedSubject({ subject: attributesIn(fields.subject) })) ?? "one that cannot be read";
  if (said !== wanted && !Token.isUnresolved(wanted)) {
    add("signed-subject", said || "none", wanted, `${again} as it is, or describe the subject that is meant`);
  }
  checkNames(one, described, (given, allowed) =>
    add("signed-names", given, allowed, `${again} with its names (openssl: -copy_extensions copy)`),
  );
  checkUses(one, described.usage, (given, allowed) =>
    add("signed-usage", given, allowed, `${again} with the extensions of the file beside it (openssl: -extfile)`),
  );
  if (fields.unknownCritical.length > 0) {
    addFault("pem-critical-extension", at, `${name} with ${fields.unknownCritical.join(", ")}`, problems);
  }
  checkKey(one, described, (given, allowed) =>
    add("signed-key", given, allowed, `${again}: this is one of another key`),
  );
  checkTimes(one, described, (given, allowed, fix) => add("signed-validity", given, allowed, `${again} ${fix}`));
}

function onlyOne(pem: string, at: string, problems: Problems): LiteralCertificate | undefined {
  const refuse = (given: string, fix: string) =>
    problems.add({
      code: "signed-pem",
      at,
      given: new Words(given),
      allowed: "one PEM certificate, known at synth, and nothing else",
      fix,
    });
  if (Token.isUnresolved(pem)) {
    refuse("an unresolved value", 'write signedCertificatesIn("signed"), or readFileSync("signed/name.crt", "utf8")');
    return undefined;
  }
  if (pem.includes("PRIVATE KEY-----")) {
    refuse("text with a private key", "give the certificate alone");
    return undefined;
  }
  const certificates = literalCertificates(pem);
  const blocks = pem.split("-----BEGIN ").length - 1;
  if (certificates.length !== 1 || blocks !== 1) {
    const given = blocks > 1 ? `${blocks} PEM blocks` : "text that is no certificate, or one that cannot be read";
    refuse(given, "give what was signed alone: the certificates above it stand in the authority's certificatePem");
    return undefined;
  }
  return certificates[0];
}

type Found = (given: string, allowed: string) => void;

function listed(names: readonly string[]): string {
  return [...names].sort().join(", ") || "none";
}

function checkNames({ fields: { altNames } }: LiteralCertificate, { sans = [] }: DescribedSigned, found: Found): void {
  const { dns, ips } = SubjectAltNames.of(...sans);
  const described = [...new Set([...dns, ...ips])];
  const said = requestedNames({ extensions: altNames ? [{ id: ALT_NAME, value: altNames }] : [] });
  if (!described.some((name) => Token.isUnresolved(name)) && listed(said) !== listed(described)) {
    found(listed(said), listed(described));
  }
}

function checkUses({ fields }: LiteralCertificate, { purposes }: KeyUsage, found: Found): void {
  const names = new Map(Object.entries(PURPOSES).map(([name, id]) => [id, name]));
  const said = fields.extendedKeyUsages?.map((id) => names.get(id) ?? id);
  if (said === undefined || listed(said) !== listed(purposes)) {
    found(said === undefined ? "any use: no extended key usage" : listed(said), `${listed(purposes)}, and no more`);
  }
  const { keyUsage = KEY_USAGE_BITS.signs } = fields;
  if ((keyUsage & KEY_USAGE_BITS.signs) === 0 || (keyUsage & KEY_USAGE_BITS.authority) !== 0) {
    found("a key usage that is none of a TLS server or client", "digitalSignature, and nothing of an authority");
  }
}

function checkKey(
  { certificate: { publicKey }, fields }: LiteralCertificate,
  { keyAlgorithm, request }: DescribedSigned,
  found: Found,
): void {
  const algorithm = algorithmOf(publicKey).name;
  const requested = request === undefined ? undefined : requestsIn(request)[0];
  const wanted = requested ? undefined : (keyAlgorithm ?? KeyAlgorithm.ECDSA_P256).name;
  if (requested && !requested.publicKey.equals(fields.publicKey)) {
    found(`${algorithm}, of another key`, "the key of the request");
  } else if (wanted !== undefined && wanted !== algorithm) {
    found(algorithm, wanted);
  }
}

const HOUR = 3_600_000;

function checkTimes(
  { fields: { notBefore, notAfter } }: LiteralCertificate,
  { validity: { validityHours }, end }: DescribedSigned,
  found: (given: string, allowed: string, fix: string) => void,
): void {
  const hours = Math.ceil((notAfter.getTime() - notBefore.getTime()) / HOUR);
  if (hours > validityHours) {
    const fix = `for less, or describe validity: Validity.hours(${hours})`;
    found(`${hours} hours`, `at most the ${validityHours} hours of its validity`, fix);
  }
  if (end && notAfter > end) {
    const allowed = `at most ${end.toISOString()}, when its authority, or one above it, ends`;
    found(`until ${notAfter.toISOString()}`, allowed, "for less");
  }
}
