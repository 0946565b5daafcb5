import { Token } from "cdktf";
import { createPrivateKey, createPublicKey, KeyObject, X509Certificate } from "node:crypto";
import { Problems } from "../errors";

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
   * @default - none: the key stays where it is, and the generation, trusted or retired, signs nothing
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
  "pem-key-algorithm": ["RSA from 2048 bits on, ECDSA on P-256, P-384 or P-521", "make a new authority or key"],
  "pem-chain-order": [
    "the authority, then each issuer of the one before it",
    "sort them; an authority that none of them issued is a generation of its own",
  ],
  "pem-key": ["one unencrypted PEM key", "give the key alone"],
  "pem-key-encrypted": ["an unencrypted PEM key", "decrypt it: openssl pkey -in encrypted.key -out plain.key"],
  "pem-key-missing": ["the private key of the active generation", "give privateKeyPem, or make the generation trusted"],
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
  return (text.replace(/[ \t\r]*\n[ \t]*/g, "\n").match(new RegExp(kind, "g")) ?? []).map((block) => `${block}\n`);
}

/** The certificates of literal text, without what cannot be read. */
export function certificatesOf(text: string): X509Certificate[] {
  return blocksOf(CERTIFICATE, text).flatMap((block) => parsed(() => readWhole(block)) ?? []);
}

/** Node reads a part of a certificate when it is asked for: a damaged key throws then, and a date that is none shows nowhere. */
function readWhole(block: string): X509Certificate | undefined {
  const certificate = new X509Certificate(block);
  const dates = [certificate.validFrom, certificate.validTo].map(Date.parse);
  return certificate.publicKey && !dates.some(Number.isNaN) ? certificate : undefined;
}

/** PEM of the public key of a literal private key, as the tls provider writes it. */
export function publicKeyOf(privateKeyPem: string): string {
  return publicPem(createPrivateKey(blocksOf(PRIVATE_KEY, privateKeyPem)[0]!));
}

/** PEM of a public key, as the tls provider writes it. */
export function publicPem(key: KeyObject): string {
  return (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "pem" }) as string;
}

/** Finds what is wrong with the literal parts of an authority from outside, which signs or is only trusted. */
export function checkPem(pem: GenerationPem, signs: boolean, at: string, problems: Problems): void {
  checkPresent(pem.privateKeyPem, signs, at, problems);
  const finder = (prop: string) => (fault: Fault, given: string) => add(fault, `${at}.${prop}`, given, problems);
  const found = isLiteral(pem.certificatePem) ? checkCertificates(pem.certificatePem, finder("certificatePem")) : [];
  const isAlone = !isLiteral(pem.certificatePem);
  const key = isLiteral(pem.privateKeyPem) ? checkKey(pem.privateKeyPem, isAlone, finder("privateKeyPem")) : undefined;
  const owner = key && found.findIndex((certificate) => certificate.checkPrivateKey(key));
  // A key of one of the others belongs to the authority that should have come first.
  if (owner === -1 && found.length > 0) {
    add("pem-mismatch", `${at}.privateKeyPem`, "the key of another certificate", problems);
  } else if (owner !== undefined && owner > 0) {
    add(
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
        add(fault, `${at}.privateKeyPem`, given, problems),
      )
    : undefined;
  if (!isLiteral(publicKeyPem)) {
    return;
  }
  const here = `${at}.publicKeyPem`;
  const blocks = blocksOf(PUBLIC_KEY, publicKeyPem);
  const publicKey = blocks.length === 1 ? parsed(() => createPublicKey(blocks[0]!)) : undefined;
  if (!publicKey) {
    add("pem-public-key", here, countOf(blocks, "public key"), problems);
    return;
  }
  checkAlgorithm(publicKey, "a key", (fault, given) => add(fault, here, given, problems));
  if (key && publicPem(key) !== publicPem(publicKey)) {
    add("pem-public-mismatch", here, "the public key of another key", problems);
  }
}

type Found = (fault: Fault, given: string) => void;

/** OpenSSL's names of P-256, P-384 and P-521. */
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

function add(fault: Fault, at: string, given: string, problems: Problems): void {
  const [allowed, fix] = FAULTS[fault];
  problems.add({ code: fault, at, given, allowed, fix });
}

function checkPresent(privateKeyPem: string | undefined, signs: boolean, at: string, problems: Problems): void {
  if (privateKeyPem === undefined && signs) {
    add("pem-key-missing", `${at}.privateKeyPem`, "nothing", problems);
  }
}

function checkCertificates(text: string, found: Found): X509Certificate[] {
  if (text.includes("PRIVATE KEY-----")) {
    found("pem-key-in-certificate", "a private key beside a certificate");
  }
  const certificates = certificatesOf(text);
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) {
    found("pem-certificate", "text that is no certificate");
  } else if (certificates.length < begun.length) {
    found("pem-certificate", `${begun.length} certificates, of which ${certificates.length} can be read`);
  }
  certificates.forEach((certificate, index) => {
    if (!certificate.ca) {
      found("pem-not-ca", nameOf(certificate));
    }
    checkAlgorithm(certificate.publicKey, nameOf(certificate), found);
    const next = certificates[index + 1];
    // Not checkIssued, which also looks at the key usage: that has a problem of its own.
    if (next && !(certificate.issuer === next.subject && certificate.verify(next.publicKey))) {
      found("pem-chain-order", `${nameOf(certificate)} before ${nameOf(next)}, which did not issue it`);
    } else if (!next && certificate.issuer === certificate.subject && !certificate.verify(certificate.publicKey)) {
      found("pem-certificate", `${nameOf(certificate)}, which its own key did not sign`);
    }
  });
  return certificates;
}

/** @param isAlone whether what belongs to it is unresolved, so that its algorithm is seen here only */
function checkKey(text: string, isAlone: boolean, found: Found): KeyObject | undefined {
  if (text.includes("ENCRYPTED")) {
    found("pem-key-encrypted", "an encrypted private key");
    return undefined;
  }
  const blocks = blocksOf(PRIVATE_KEY, text);
  const key = blocks.length === 1 ? parsed(() => createPrivateKey(blocks[0]!)) : undefined;
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
