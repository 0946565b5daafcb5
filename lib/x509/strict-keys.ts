import { createECDH, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { DerReader, fail, objectIdentifierOf, TAG } from "./der";

// OpenSSL takes much for a key that Go, with which Terraform and Kubernetes read it, does not, and takes the public half of a private key
// as it stands. A bit that is not what it was is found here, before somebody signs with it.

/** Labels of private keys in PEM, and what each holds. */
const PRIVATE_KEYS = { "PRIVATE KEY": "pkcs8", "RSA PRIVATE KEY": "pkcs1", "EC PRIVATE KEY": "sec1" } as const;

const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const UNCOMPRESSED = 0x04;

/**
 * Reads a public key in its one usual form.
 *
 * @param der SubjectPublicKeyInfo
 * @returns undefined where it is none, or is written as nobody else writes it
 */
export function readPublicKey(der: Buffer): KeyObject | undefined {
  return read(() => {
    checkPoint(der);
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return key.export({ format: "der", type: "spki" }).equals(der) && hasUsualExponent(key) ? key : undefined;
  });
}

/**
 * Reads a private key whose parts belong together.
 *
 * @param label of its PEM
 * @returns undefined where it is none, or a part of it is not what the others say
 */
export function readPrivateKey(label: string, der: Buffer): KeyObject | undefined {
  const type = Object.hasOwn(PRIVATE_KEYS, label) ? PRIVATE_KEYS[label as keyof typeof PRIVATE_KEYS] : undefined;
  return (
    type &&
    read(() => {
      const key = createPrivateKey({ key: der, format: "der", type });
      // Node.js writes PKCS #1 and SEC 1 of a key of their algorithm alone.
      const written = key.export({ format: "der", type: type as "pkcs8" });
      return written.equals(der) && isConsistent(key) && (type !== "pkcs8" || hasVersion(key, der)) ? key : undefined;
    })
  );
}

/** What is no key, or is none of the label's kind, throws in OpenSSL's words. */
function read<T>(reader: () => T | undefined): T | undefined {
  try {
    return reader();
  } catch {
    return undefined;
  }
}

/** Versions of PKCS #1 and SEC 1 inside PKCS #8, which OpenSSL passes over. */
const VERSIONS: ReadonlyMap<string | undefined, number> = new Map([
  ["rsa", 0],
  ["ec", 1],
]);

function hasVersion({ asymmetricKeyType }: KeyObject, der: Buffer): boolean {
  const version = VERSIONS.get(asymmetricKeyType);
  if (version === undefined) {
    return true;
  }
  const key = new DerReader(new DerReader(der).next(TAG.sequence).value);
  key.next(TAG.integer);
  key.next(TAG.sequence);
  const own = new DerReader(new DerReader(key.next(TAG.octetString).value).next(TAG.sequence).value);
  return own.next(TAG.integer).value.equals(Buffer.from([version]));
}

/** A point has both coordinates, and its curve a name. */
function checkPoint(der: Buffer): void {
  const key = new DerReader(new DerReader(der).next(TAG.sequence).value);
  const algorithm = new DerReader(key.next(TAG.sequence).value);
  const point = key.next(TAG.bitString);
  if (objectIdentifierOf(algorithm.next(TAG.objectIdentifier)) === EC_PUBLIC_KEY) {
    algorithm.next(TAG.objectIdentifier);
    if (point.value[1] !== UNCOMPRESSED) {
      fail();
    }
  }
}

/** Go verifies nothing with another. */
function hasUsualExponent({ asymmetricKeyDetails: { publicExponent: e } = {} }: KeyObject): boolean {
  return e === undefined || (e % 2n === 1n && e > 2n && e < 2n ** 31n);
}

/** Whether the public half of a private key is that of its private half. Of other algorithms than RSA and ECDSA nothing is said. */
function isConsistent(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve = "" } = {} } = key;
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" });
  if (type === "rsa") {
    return isConsistentRsa(key.export({ format: "jwk" })) && readPublicKey(publicKey) !== undefined;
  }
  return type !== "ec" || (readPublicKey(publicKey) !== undefined && isConsistentEc(key, namedCurve, publicKey));
}

/** @see https://www.rfc-editor.org/rfc/rfc8017#section-3.2 */
function isConsistentRsa(key: JsonWebKey): boolean {
  const number = (text: unknown) => BigInt(`0x${Buffer.from(String(text), "base64url").toString("hex")}`);
  const { n, e, d, p, q, dp, dq, qi } = key;
  const [modulus, exponent, own, one, other, ownOfOne, ownOfOther, inverse] = [n, e, d, p, q, dp, dq, qi].map(
    number,
  ) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  return (
    modulus === one * other &&
    (own * exponent) % (one - 1n) === 1n &&
    (own * exponent) % (other - 1n) === 1n &&
    own < modulus &&
    ownOfOne === own % (one - 1n) &&
    ownOfOther === own % (other - 1n) &&
    (inverse * other) % one === 1n
  );
}

/** @see https://www.rfc-editor.org/rfc/rfc5915 */
function isConsistentEc(key: KeyObject, curve: string, publicKey: Buffer): boolean {
  const written = new DerReader(new DerReader(key.export({ format: "der", type: "sec1" })).next(TAG.sequence).value);
  written.next(TAG.integer);
  const pair = createECDH(curve);
  pair.setPrivateKey(written.next(TAG.octetString).value);
  const point = pair.getPublicKey();
  return publicKey.subarray(-point.length).equals(point);
}
