import { createPublicKey, KeyObject, X509Certificate } from "node:crypto";

/** What a text holds of PEM. */
export interface PemContent {
  readonly certificates: readonly X509Certificate[];
  /** The public part of each private key, to be compared with that of a certificate. */
  readonly keys: readonly string[];
  /** How many certificates could not be read, those that are cut off included. */
  readonly brokenCertificates: number;
  /** How many private keys could not be read, likewise. */
  readonly brokenKeys: number;
  /** How many private keys need a password. */
  readonly encryptedKeys: number;
  /** How many blocks there are of any kind. */
  readonly blocks: number;
}

/** A block ends where the next one begins, and with the text: what lost its last line is cut off, and counts. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----[^]*?(?:-----END \1-----|(?=^-----BEGIN )|(?![^]))/gm;
/** The first line of a block, when the text ends within it. */
const CUT_OFF = /^-----B(E(G(I(N( [A-Z0-9 ]*-{0,4})?)?)?)?)?$(?![^])/m;
const PRIVATE_KEY = /^(EC |RSA |ENCRYPTED )?PRIVATE KEY$/;
const ENCRYPTED = /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m;

/** Reads certificates and keys. Of a private key nothing is kept. */
export function readPem(text: string): PemContent {
  const blocks = [...text.matchAll(BLOCK)].map(([pem, label]) => ({ pem, label: label! }));
  const pems = blocks.filter(({ label }) => label === "CERTIFICATE").map(({ pem }) => pem);
  const certificates = pems.flatMap((pem) => readCertificate(pem) ?? []);
  const privateKeys = blocks.filter(({ label }) => PRIVATE_KEY.test(label)).map(({ pem }) => pem);
  const open = privateKeys.filter((pem) => !ENCRYPTED.test(pem));
  const keys = open.flatMap((pem) => orNothing(() => publicPart(createPublicKey(pem))) ?? []);
  return {
    certificates,
    keys,
    brokenCertificates: pems.length - certificates.length + Number(CUT_OFF.test(text)),
    brokenKeys: open.length - keys.length,
    encryptedKeys: privateKeys.length - open.length,
    blocks: blocks.length,
  };
}

/** Reads one certificate, PEM or DER; undefined where something of it that is needed here cannot be read. */
export function readCertificate(encoded: string | Buffer): X509Certificate | undefined {
  return orNothing(() => {
    const certificate = new X509Certificate(encoded);
    const times = [certificate.validFrom, certificate.validTo].map((time) => Date.parse(time));
    return publicPart(certificate.publicKey) && !times.some(Number.isNaN) ? certificate : undefined;
  });
}

/** A public key, in a form that is compared. */
export function publicPart(key: KeyObject): string {
  return key.export({ type: "spki", format: "der" }).toString("base64");
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
