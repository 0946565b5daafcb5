import { Token } from "cdktf";
import { type KeyObject, verify } from "node:crypto";
import { Problems, Words } from "../errors";
import {
  ALT_NAME,
  type CertificateRequestFields,
  requestedNames,
  requestedSubject,
  requestsIn,
  subjectText,
} from "./certificate-request";
import { DerReader, objectIdentifierOf, readDer, TAG } from "./der";
import { KeyAlgorithm } from "./key-algorithm";
import type { KeyUsage } from "./key-usage";
import { readPublicKey } from "./strict-keys";
import type { Subject } from "./subject";
import { type AltName, SubjectAltNames } from "./subject-alt-names";

/** What a request may ask for: this, and nothing else. */
export interface Described {
  readonly subject: Subject;
  readonly moreOrganizations?: readonly string[];
  readonly sans?: readonly AltName[];
  readonly usage: KeyUsage;
  readonly keyAlgorithm?: KeyAlgorithm;
}

/** Algorithms of a signature that nobody can forge: its key's, and the digest's. */
const SIGNATURES: Readonly<Record<string, readonly [key: string, digest: string]>> = {
  "1.2.840.113549.1.1.11": ["rsa", "sha256"],
  "1.2.840.113549.1.1.12": ["rsa", "sha384"],
  "1.2.840.113549.1.1.13": ["rsa", "sha512"],
  "1.2.840.10045.4.3.2": ["ec", "sha256"],
  "1.2.840.10045.4.3.3": ["ec", "sha384"],
  "1.2.840.10045.4.3.4": ["ec", "sha512"],
};

/** OpenSSL's names of curves, and kubeadm's. */
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P256", secp384r1: "P384", secp521r1: "P521" };

/** The algorithm of a request's key, which a certificate's uses depend on; undefined where it cannot be read. */
export function requestedAlgorithm(pem: string): KeyAlgorithm | undefined {
  const [request] = requestsIn(pem);
  const key = request && readPublicKey(request.publicKey);
  return key && algorithmOf(key);
}

/** The algorithm of a key, by kubeadm's names. */
export function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): KeyAlgorithm {
  const { modulusLength, namedCurve = "" } = asymmetricKeyDetails;
  const size = asymmetricKeyType === "rsa" ? modulusLength : (CURVES[namedCurve] ?? namedCurve);
  const name = asymmetricKeyType === "ec" ? "ECDSA" : (asymmetricKeyType ?? "").toUpperCase();
  return KeyAlgorithm.of([name, size].filter(Boolean).join("-"));
}

/**
 * Finds what is wrong with a request: the tls provider copies subject and names from whatever it is given, and looks at no signature. So
 * it has to ask for exactly what is described. Never shows the text.
 *
 * @param before empty, or what stands before `request`, with a dot
 */
export function checkRequest(pem: string, described: Described, problems: Problems, before = ""): void {
  const at = `${before}request`;
  if (Token.isUnresolved(pem)) {
    const allowed = "text that is known at synth: Terraform cannot read a request";
    const fix = 'write readFileSync("jane.csr", "utf8")';
    problems.add({ code: "unresolved", at, given: "an unresolved value", allowed, fix });
    return;
  }
  if (pem.includes("PRIVATE KEY-----")) {
    const given = new Words("text with a private key");
    const fix = "give the request alone, and make a new key: this one may have been seen";
    problems.add({ code: "request-secret", at, given, allowed: "a request, and no key", fix });
    return;
  }
  const requests = requestsIn(pem);
  const [request] = requests;
  const key = request && readPublicKey(request.publicKey);
  if (requests.length !== 1 || !request || !key || pem.split("-----BEGIN ").length !== 2) {
    const given = new Words(requests.length > 1 ? `${requests.length} requests` : "text that is no request");
    const fix = "write what openssl req -new prints";
    problems.add({ code: "request-pem", at, given, allowed: "one PEM CERTIFICATE REQUEST, and nothing else", fix });
    return;
  }
  checkKey(request, key, described, at, problems);
  checkSubject(request, described, at, problems);
  checkExtensions(request, described, at, problems);
}

function checkKey(
  request: CertificateRequestFields,
  key: KeyObject,
  { keyAlgorithm }: Described,
  at: string,
  problems: Problems,
): void {
  const algorithm = algorithmOf(key);
  if (keyAlgorithm !== undefined && keyAlgorithm.name !== algorithm.name) {
    const fix = "have it made with such a key, or describe the one that it has";
    problems.add({ code: "request-key", at, given: algorithm.name, allowed: keyAlgorithm.name, fix });
  } else {
    algorithm.check(at, problems);
  }
  const [type, digest] = SIGNATURES[request.algorithm] ?? [];
  const isSigned = type === key.asymmetricKeyType && digest !== undefined && isRight(digest, request, key);
  if (!isSigned) {
    const given = new Words(digest === undefined ? `the algorithm ${request.algorithm}` : "another one");
    const allowed = "the signature of its own key, with SHA-256, SHA-384 or SHA-512";
    const fix = "have it made again by who has the key";
    problems.add({ code: "request-signature", at, given, allowed, fix });
  }
}

/** What is no signature at all may throw in OpenSSL's words. */
function isRight(digest: string, { signed, signature }: CertificateRequestFields, key: KeyObject): boolean {
  try {
    return verify(digest, signed, key, signature);
  } catch {
    return false;
  }
}

/** `CN=…, O=…` of what is described, as it is read in a request and in a certificate. */
export function describedSubject({
  subject,
  moreOrganizations = [],
}: Pick<Described, "subject" | "moreOrganizations">): string {
  const { organization } = subject.fields;
  const organizations = [...(organization === undefined ? [] : [organization]), ...moreOrganizations];
  return subjectText({ ...subject.fields, organization: organizations });
}

function checkSubject(
  request: CertificateRequestFields,
  { subject, moreOrganizations }: Described,
  at: string,
  problems: Problems,
): void {
  const wanted = describedSubject({ subject, moreOrganizations });
  const asked = requestedSubject(request);
  if (Token.isUnresolved(wanted)) {
    const allowed = "a subject that is known at synth, as the request has it";
    problems.add({
      code: "unresolved",
      at: at.replace(/request$/, "subject"),
      given: "an unresolved value",
      allowed,
      fix: "write it in the code",
    });
  } else if (asked !== wanted) {
    const fix = "have it made for that subject, or describe the one that is meant";
    problems.add({ code: "request-subject", at, given: asked, allowed: wanted, fix });
  }
}

/** Object identifiers of extended key usages. */
export const PURPOSES: Readonly<Record<string, string>> = {
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
};

/** Bits of a key usage by which certificates, and lists of them, are signed. */
const SIGNS = 0x06;

/** What a request may ask for beside names, each with whether it is more than was described. The provider writes none of it. */
const MORE: Readonly<Record<string, (value: DerReader, usage: KeyUsage) => boolean>> = {
  "2.5.29.14": () => false,
  "2.5.29.15": (value) => ((value.next(TAG.bitString).value[1] ?? 0) & SIGNS) !== 0,
  "2.5.29.19": (value) => {
    const constraints = new DerReader(value.next(TAG.sequence).value);
    return constraints.optional(TAG.boolean)?.value[0] === 0xff;
  },
  "2.5.29.37": (value, { purposes }) => {
    const allowed = purposes.map((purpose) => PURPOSES[purpose]);
    const asked = new DerReader(value.next(TAG.sequence).value).rest(TAG.objectIdentifier).map(objectIdentifierOf);
    return asked.some((purpose) => !allowed.includes(purpose));
  },
};

function checkExtensions(
  request: CertificateRequestFields,
  described: Described,
  at: string,
  problems: Problems,
): void {
  const { extensions } = request;
  const refused = extensions.filter(({ id, value }, index) => {
    const isMore = Object.hasOwn(MORE, id)
      ? (readDer(() => MORE[id]!(new DerReader(value), described.usage)) ?? true)
      : id !== ALT_NAME;
    return isMore || extensions.findIndex((other) => other.id === id) < index;
  });
  if (refused.length > 0) {
    const given = refused.map(({ id }) => id).join(", ");
    const allowed = "names, and uses that are described, each once; nothing of an authority";
    const fix = "have it made without these extensions";
    problems.add({ code: "request-extension", at, given, allowed, fix });
  }
  checkNames(request, described, at, problems);
}

function checkNames(request: CertificateRequestFields, { sans = [] }: Described, at: string, problems: Problems): void {
  const { dns, ips } = SubjectAltNames.of(...sans);
  const described = [...dns, ...ips];
  const asked = requestedNames(request);
  const list = (names: readonly string[]) => [...names].sort().join(", ") || "none";
  if (described.some((name) => Token.isUnresolved(name))) {
    const allowed = "names that are known at synth, as the request has them";
    problems.add({
      code: "unresolved",
      at: at.replace(/request$/, "sans"),
      given: "an unresolved value",
      allowed,
      fix: "write them in the code",
    });
  } else if (list(asked) !== list(described)) {
    const fix = "have it made for these names, or describe those that are meant";
    problems.add({ code: "request-names", at, given: list(asked), allowed: list(described), fix });
  }
}
