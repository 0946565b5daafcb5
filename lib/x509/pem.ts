import { Token } from "cdktf";
import { createPublicKey, KeyObject, X509Certificate } from "node:crypto";
import { Problems } from "../errors";
import { type CertificateFields, readCertificate } from "./certificate-fields";
import { readPrivateKey, readPublicKey } from "./strict-keys";

/** An authority from outside. */
export interface GenerationPem {
  /**
   * Certificate, PEM. May be unresolved, e.g. a variable. With more than one, the first is the authority and each of the others
   * issued the one before it. The root may be left out: what stands here is trusted by every verifier. A chain that changes later
   * makes Terraform issue all leaves again.
   */
  readonly certificatePem: string;
  /**
   * Private key, PEM, unencrypted. Give a sensitive variable: a literal would stand in the synthesized JSON. Either way it lands in
   * the Terraform state; that of a variable twice.
   * @default - none: the key stays where it is, and what the generation signs is signed there: Terraform makes keys and requests. The
   * certificate has to be literal text then
   */
  readonly privateKeyPem?: string;
}

/** A key pair from outside. */
export interface GenerationKeyPem {
  /** Public key, PEM, as `openssl pkey -pubout` writes it. May be unresolved, e.g. a variable. */
  readonly publicKeyPem: string;
  /**
   * Private key, PEM, unencrypted. Give a sensitive variable: a literal would stand in the synthesized JSON. Either way it lands in
   * the Terraform state; that of a variable twice.
   * @default - none: the key stays where it is, and the generation, trusted or retired, signs nothing
   */
  readonly privateKeyPem?: string;
}

// What is looked for has no `-` inside: neither a block that lacks its end nor one with the headers of encryption is found. Each
// stands here once, for the literal text here and for Terraform's regexall.
/** A certificate. */
export const CERTIFICATE = "-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----";
/** A private key that is not encrypted: PKCS #8, PKCS #1 or SEC 1. */
export const PRIVATE_KEY = "-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[^-]+-----END (?:RSA |EC )?PRIVATE KEY-----";
/** A public key, as SubjectPublicKeyInfo. */
export const PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----";

/** What is wrong with PEM, in the words of both who find it: synth for literal text, Terraform for the rest. */
export const FAULTS = {
  "pem-certificate": ["one PEM certificate, or more in the order of issue", "give its PEM"],
  "pem-key-in-certificate": ["certificates alone", "give the key as privateKeyPem: certificates are public"],
  "pem-not-ca": [
    "a certificate authority: basic constraints that say CA, and certificate signing in its key usage where it has one",
    "give the authority's certificate",
  ],
  "pem-path-length": [
    "an authority whose path length leaves room for every authority below it",
    "have it signed again with a longer path length, or without one",
  ],
  "pem-extended-key-usage": [
    "an authority without extended key usages, or with those of every certificate below it",
    "have it signed again without extended key usages: a verifier refuses what it signed for another use",
  ],
  "pem-constraints": [
    "an authority that leaves names and policies to whom it signs",
    "have it signed again without name and policy constraints: a verifier refuses the names of a cluster and of machines that join later",
  ],
  "pem-critical-extension": [
    "critical extensions of RFC 5280 alone",
    "have it signed again without that extension, or with one that is not critical: verifiers refuse what they do not know",
  ],
  "pem-subject": [
    "an authority with a subject",
    "have it signed again with a common name: verifiers find an issuer by its name",
  ],
  "pem-key-algorithm": ["RSA from 2048 bits on, ECDSA on P-256, P-384 or P-521", "make a new authority or key"],
  "pem-chain-order": [
    "the authority, then each issuer of the one before it",
    "sort them; an authority that none of them issued is a generation of its own",
  ],
  "pem-key": ["one unencrypted PEM key", "give the key alone"],
  "pem-key-encrypted": ["an unencrypted PEM key", "decrypt it: openssl pkey -in encrypted.key -out plain.key"],
  "pem-key-missing": [
    "the private key of the active generation; or, of an authority that signs elsewhere, literal text of its certificate",
    "give privateKeyPem, or make the generation trusted; certificates are public, so that they may stand in the code",
  ],
  "pem-mismatch": ["the certificate's own key", "pair them"],
  "pem-public-key": ["one PEM public key", "give what openssl pkey -pubout writes"],
  "pem-public-mismatch": ["the private key's own public key", "pair them: openssl pkey -pubout"],
} as const;

/** A code of {@link FAULTS}. */
export type Fault = keyof typeof FAULTS;

/** True for text that is known at synth. */
export function isLiteral(pem: string | undefined): pem is string {
  return pem !== undefined && !Token.isUnresolved(pem);
}

/**
 * The blocks of a kind in literal text, each ending with one newline, as the tls provider writes them: it looks at the text, and
 * would re-issue for another line end. Text around them, as `openssl x509 -text` writes it, is left out.
 */
export function blocksOf(kind: string, text: string): string[] {
  return (normalised(text).match(new RegExp(kind, "g")) ?? []).map((block) => `${block}\n`);
}

/** Without indentation, empty lines, and line ends that are not a newline. */
function normalised(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").join("\n");
}

/** A block from one label to the same, and base64 between them. */
const BLOCK = /^-----BEGIN ([A-Z ]+)-----\n([A-Za-z0-9+/\n]+={0,2})\n-----END \1-----\n$/;

/** The bytes of a block, where its base64 is what is made of them. */
function bytesOf(block: string): { readonly label: string; readonly der: Buffer } | undefined {
  const [, label = "", body = ""] = BLOCK.exec(block) ?? [];
  const base64 = body.replaceAll("\n", "");
  const der = Buffer.from(base64, "base64");
  return base64 !== "" && der.toString("base64") === base64 ? { label, der } : undefined;
}

/** A certificate of literal text: what Node.js tells of it, and what it does not. */
export interface LiteralCertificate {
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
}

/** The certificates of literal text, without what cannot be read. */
export function literalCertificates(text: string): LiteralCertificate[] {
  return blocksOf(CERTIFICATE, text).flatMap((block) => literalCertificate(block) ?? []);
}

/** The same, without what Node.js does not tell. */
export function certificatesOf(text: string): X509Certificate[] {
  return literalCertificates(text).map(({ certificate }) => certificate);
}

function literalCertificate(block: string): LiteralCertificate | undefined {
  const bytes = bytesOf(block);
  const fields = bytes && readCertificate(bytes.der);
  if (!fields || !readPublicKey(fields.publicKey)) {
    return undefined;
  }
  const certificate = parsed(() => new X509Certificate(block));
  // OpenSSL takes no authority for one where it cannot read an extension that nobody here looks into.
  const isRead = certificate?.ca === (fields.isAuthority && fields.signsCertificates);
  return certificate && isRead ? { certificate, fields } : undefined;
}

/** DER of the public key in literal PEM of a public or private key; undefined where that cannot be read, or is not literal. */
export function literalPublicKey(pem: string | undefined): Buffer | undefined {
  if (!isLiteral(pem)) {
    return undefined;
  }
  const [block = ""] = [...blocksOf(PUBLIC_KEY, pem), ...blocksOf(PRIVATE_KEY, pem)];
  const bytes = bytesOf(block);
  const key = bytes && (readPublicKey(bytes.der) ?? readPrivateKey(bytes.label, bytes.der));
  return key && (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "der" });
}

/** The one private key of literal text. */
function literalKey(block: string): KeyObject | undefined {
  const bytes = bytesOf(block);
  return bytes && readPrivateKey(bytes.label, bytes.der);
}

/** PEM of the public key of a literal private key, as the tls provider writes it. */
export function publicKeyOf(privateKeyPem: string): string {
  return publicPem(literalKey(blocksOf(PRIVATE_KEY, privateKeyPem)[0]!)!);
}

/** PEM of a public key, as the tls provider writes it. */
export function publicPem(key: KeyObject): string {
  return (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "pem" }) as string;
}

/** Finds what is wrong with the literal parts of an authority from outside, which signs or is only trusted. */
export function checkPem(pem: GenerationPem, signs: boolean, at: string, problems: Problems): void {
  // What is signed elsewhere is compared at synth with the certificate that signed it.
  checkPresent(pem.privateKeyPem, signs && !isLiteral(pem.certificatePem), at, problems);
  const finder = (prop: string) => (fault: Fault, given: string) => addFault(fault, `${at}.${prop}`, given, problems);
  const found = isLiteral(pem.certificatePem) ? checkCertificates(pem.certificatePem, finder("certificatePem")) : [];
  const isAlone = !isLiteral(pem.certificatePem);
  const key = isLiteral(pem.privateKeyPem) ? checkKey(pem.privateKeyPem, isAlone, finder("privateKeyPem")) : undefined;
  const owner = key && found.findIndex((certificate) => certificate.checkPrivateKey(key));
  // A key of one of the others belongs to the authority that should have come first.
  if (owner === -1 && found.length > 0) {
    addFault("pem-mismatch", `${at}.privateKeyPem`, "the key of another certificate", problems);
  } else if (owner !== undefined && owner > 0) {
    addFault(
      "pem-mismatch",
      `${at}.privateKeyPem`,
      `the key of ${nameOf(found[owner]!)}, which does not come first`,
      problems,
    );
  }
}

/** Finds what is wrong with the literal parts of a key pair from outside. */
export function checkKeyPem(pem: GenerationKeyPem, signs: boolean, at: string, problems: Problems): void {
  checkPresent(pem.privateKeyPem, signs, at, problems);
  const { publicKeyPem, privateKeyPem } = pem;
  const key = isLiteral(privateKeyPem)
    ? checkKey(privateKeyPem, !isLiteral(publicKeyPem), (fault, given) =>
        addFault(fault, `${at}.privateKeyPem`, given, problems),
      )
    : undefined;
  if (!isLiteral(publicKeyPem)) {
    return;
  }
  const here = `${at}.publicKeyPem`;
  const blocks = blocksOf(PUBLIC_KEY, publicKeyPem);
  const bytes = blocks.length === 1 ? bytesOf(blocks[0]!) : undefined;
  const publicKey = bytes && readPublicKey(bytes.der);
  if (!publicKey) {
    addFault("pem-public-key", here, countOf(blocks, "public key"), problems);
    return;
  }
  checkAlgorithm(publicKey, "a key", (fault, given) => addFault(fault, here, given, problems));
  if (key && publicPem(key) !== publicPem(publicKey)) {
    addFault("pem-public-mismatch", here, "the public key of another key", problems);
  }
}

type Found = (fault: Fault, given: string) => void;

/** OpenSSL's names of P-256, P-384 and P-521. */
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/** Adds what is wrong with PEM. */
export function addFault(fault: Fault, at: string, given: string, problems: Problems): void {
  const [allowed, fix] = FAULTS[fault];
  problems.add({ code: fault, at, given, allowed, fix });
}

function checkPresent(privateKeyPem: string | undefined, signs: boolean, at: string, problems: Problems): void {
  if (privateKeyPem === undefined && signs) {
    addFault("pem-key-missing", `${at}.privateKeyPem`, "nothing", problems);
  }
}

function checkCertificates(text: string, found: Found): X509Certificate[] {
  const certificates = certificatesAlone(text, found);
  certificates.forEach((one, index) => {
    checkAuthority(one, found);
    checkPlace(one, certificates[index + 1], index, found);
  });
  return certificates.map(({ certificate }) => certificate);
}

/** Finds what is wrong with literal text of authorities that are trusted together, in whatever order. */
export function checkBundle(text: string, found: (fault: Fault, given: string) => void): void {
  for (const one of certificatesAlone(text, found)) {
    checkAuthority(one, found);
    checkOwnSignature(one, found);
  }
}

/** The certificates of literal text in which nothing else may stand that is meant for somebody, and none twice. */
function certificatesAlone(text: string, found: Found): LiteralCertificate[] {
  if (text.includes("PRIVATE KEY-----")) {
    found("pem-key-in-certificate", "a private key beside a certificate");
  }
  const certificates = literalCertificates(text);
  const begun = text.match(/-----BEGIN [^-]*-----/g) ?? [];
  const others = begun.filter((line) => !/ (?:CERTIFICATE|PRIVATE KEY|EC PARAMETERS)-----$/.test(line));
  const whole = begun.filter((line) => line.endsWith(" CERTIFICATE-----")).length;
  if (certificates.length === 0) {
    found("pem-certificate", whole > 0 ? "a certificate that cannot be read" : "text that is no certificate");
  } else if (certificates.length < whole) {
    found("pem-certificate", `${whole} certificates, of which ${certificates.length} can be read`);
  } else if (others.length > 0) {
    found("pem-certificate", `a certificate beside ${others.length} PEM of another kind`);
  }
  const isAgain = ({ certificate }: LiteralCertificate, index: number) =>
    certificates.findIndex((other) => other.certificate.raw.equals(certificate.raw)) < index;
  certificates
    .filter(isAgain)
    .forEach(({ certificate }) => found("pem-certificate", `${nameOf(certificate)} more than once`));
  return certificates;
}

/** Finds what keeps a certificate from being a verifier's authority. */
function checkAuthority({ certificate, fields }: LiteralCertificate, found: Found): void {
  const name = nameOf(certificate);
  if (!fields.isAuthority || !fields.signsCertificates) {
    found("pem-not-ca", name);
  }
  if (fields.isNameless) {
    found("pem-subject", name);
  }
  if (fields.constraints.length > 0) {
    found("pem-constraints", `${name} with the extensions ${fields.constraints.join(", ")}`);
  }
  if (fields.unknownCritical.length > 0) {
    found("pem-critical-extension", `${name} with the extensions ${fields.unknownCritical.join(", ")}`);
  }
  checkAlgorithm(certificate.publicKey, name, found);
}

/** @param below how many authorities of the text are below it */
function checkPlace(one: LiteralCertificate, next: LiteralCertificate | undefined, below: number, found: Found): void {
  const name = nameOf(one.certificate);
  const { pathLength } = one.fields;
  if (pathLength !== undefined && pathLength < below) {
    found("pem-path-length", `${name} with the path length ${pathLength} above ${authoritiesText(below)}`);
  }
  if (next && !isIssuedBy(one, next)) {
    found("pem-chain-order", `${name} before ${nameOf(next.certificate)}, which did not issue it`);
  } else if (!next) {
    checkOwnSignature(one, found);
  }
}

/** How many, in words. */
export function authoritiesText(count: number): string {
  return count === 1 ? "an authority" : `${count} authorities`;
}

function checkOwnSignature({ certificate, fields }: LiteralCertificate, found: Found): void {
  if (saysThatItSignedItself(fields) && !verifies(certificate, certificate.publicKey)) {
    found("pem-certificate", `${nameOf(certificate)}, which its own key did not sign`);
  }
}

/** By its names, or by the identifiers of keys. */
function saysThatItSignedItself({ issuer, subject, authorityKeyIdentifier, subjectKeyIdentifier }: CertificateFields) {
  const isOwnKey = subjectKeyIdentifier !== undefined && authorityKeyIdentifier?.equals(subjectKeyIdentifier);
  return issuer.equals(subject) || isOwnKey === true;
}

/**
 * Whether one certificate is signed by another. It is not Node's `checkIssued`, which also looks at the key usage: that has a problem
 * of its own. Go finds an issuer by its name, byte for byte; OpenSSL by the identifiers of the keys, too.
 */
export function isIssuedBy({ certificate, fields }: LiteralCertificate, issuer: LiteralCertificate): boolean {
  const { authorityKeyIdentifier: named } = fields;
  const { subjectKeyIdentifier: own } = issuer.fields;
  const isNamed = named === undefined || own === undefined || named.equals(own);
  return fields.issuer.equals(issuer.fields.subject) && isNamed && verifies(certificate, issuer.certificate.publicKey);
}

/** A signature that is none of the key's algorithm throws in some versions of OpenSSL. */
function verifies(certificate: X509Certificate, key: KeyObject): boolean {
  return parsed(() => certificate.verify(key)) ?? false;
}

/** @param isAlone whether what belongs to it is unresolved, so that its algorithm is seen here only */
function checkKey(text: string, isAlone: boolean, found: Found): KeyObject | undefined {
  if (text.includes("ENCRYPTED")) {
    found("pem-key-encrypted", "an encrypted private key");
    return undefined;
  }
  const blocks = blocksOf(PRIVATE_KEY, text);
  const key = blocks.length === 1 ? literalKey(blocks[0]!) : undefined;
  if (!key) {
    found("pem-key", countOf(blocks, "private key"));
  } else if (isAlone) {
    checkAlgorithm(key, "a key", found);
  }
  return key;
}

function checkAlgorithm(key: KeyObject, owner: string, found: Found): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = "" } = {} } = key;
  if (!(type === "rsa" && modulusLength >= 2048) && !(type === "ec" && CURVES.includes(namedCurve))) {
    const size = modulusLength || namedCurve;
    found("pem-key-algorithm", `${owner} with ${type}${size ? ` ${size}` : ""}`);
  }
}

function countOf(blocks: readonly string[], kind: string): string {
  return blocks.length > 1 ? `${blocks.length} ${kind}s` : `text that is no ${kind}`;
}

/** A subject on one line; Node has none for one that is empty. */
export function nameOf(certificate: X509Certificate): string {
  return (certificate.subject as string | undefined)?.replaceAll("\n", ", ") ?? "a certificate without a subject";
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
