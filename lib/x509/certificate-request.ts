// Nothing in here needs cdktf: the plan report reads requests, too.
import { attributesIn, type NameAttribute } from "./certificate-fields";
import { DerReader, fail, objectIdentifierOf, readDer, TAG, tagged } from "./der";

/** What a request for a certificate asks for. */
export interface CertificateRequestFields {
  /** Its subject, one attribute each, in its order. */
  readonly subject: readonly NameAttribute[];
  /** DER of its public key, as SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** Extensions that it asks for. */
  readonly extensions: readonly RequestedExtension[];
  /** DER of all that is signed. */
  readonly signed: Buffer;
  /** Object identifier of the algorithm that it is signed with. */
  readonly algorithm: string;
  /** The signature, of its own key. */
  readonly signature: Buffer;
}

/** An extension that a request asks for. */
export interface RequestedExtension {
  /** Its object identifier. */
  readonly id: string;
  /** DER of what it says. */
  readonly value: Buffer;
}

/** The attribute of a request that holds extensions. */
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** Kinds of text that every reader takes for the same. */
const TEXTS = [TAG.utf8String, TAG.printableString, TAG.ia5String];

/** A request, for a regular expression. */
export const REQUEST = "-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----";

/** The requests in PEM, each with what can be read of it. */
export function requestsIn(pem: string): (CertificateRequestFields | undefined)[] {
  return (pem.match(new RegExp(REQUEST, "g")) ?? []).map((block) => {
    const base64 = block.replace(/-----[A-Z ]+-----|\s/g, "");
    const der = Buffer.from(base64, "base64");
    return der.toString("base64") === base64 ? readDer(() => requestIn(der)) : undefined;
  });
}

/** @see https://www.rfc-editor.org/rfc/rfc2986#section-4 */
function requestIn(der: Buffer): CertificateRequestFields {
  const whole = new DerReader(der);
  const request = within(whole);
  whole.end();
  const signed = request.next(TAG.sequence);
  const algorithm = within(request);
  const [unused, ...signature] = request.next(TAG.bitString).value;
  request.end();
  const info = new DerReader(signed.value);
  const version = info.next(TAG.integer).value;
  const subject = info.next(TAG.sequence);
  const publicKey = info.next(TAG.sequence);
  const attributes = info.optional(tagged(0, "values"));
  info.end();
  if (!version.equals(Buffer.from([0])) || unused !== 0) {
    return fail();
  }
  return {
    subject: attributesIn(subject.whole, TEXTS),
    publicKey: publicKey.whole,
    extensions: attributes && attributes.value.length > 0 ? extensionsIn(attributes.value) : [],
    signed: signed.whole,
    algorithm: objectIdentifierOf(algorithm.next(TAG.objectIdentifier)),
    signature: Buffer.from(signature),
  };
}

function extensionsIn(attributes: Buffer): RequestedExtension[] {
  return new DerReader(attributes).rest(TAG.sequence).flatMap(({ value }) => {
    const attribute = new DerReader(value);
    const id = objectIdentifierOf(attribute.next(TAG.objectIdentifier));
    const values = attribute.next(TAG.set);
    attribute.end();
    // A challenge password, say, which nobody here is asked for.
    return id === EXTENSION_REQUEST ? within(new DerReader(values.value)).rest(TAG.sequence).map(extensionIn) : [];
  });
}

function extensionIn({ value }: { readonly value: Buffer }): RequestedExtension {
  const parts = new DerReader(value);
  const id = objectIdentifierOf(parts.next(TAG.objectIdentifier));
  parts.optional(TAG.boolean);
  const extension = { id, value: parts.next(TAG.octetString).value };
  parts.end();
  return extension;
}

/** The values in the sequence that comes next. */
function within(reader: DerReader): DerReader {
  return new DerReader(reader.next(TAG.sequence).value);
}

/** Fields of a subject in the order in which they are written here, with their names and object identifiers. */
const FIELDS = {
  commonName: ["CN", "2.5.4.3"],
  organization: ["O", "2.5.4.10"],
  organizationalUnit: ["OU", "2.5.4.11"],
  country: ["C", "2.5.4.6"],
  province: ["ST", "2.5.4.8"],
  locality: ["L", "2.5.4.7"],
} as const;

type Field = keyof typeof FIELDS;

/** `CN=…, O=…, O=…`, the values of a field in the order of the alphabet: who shows it is in groups, whatever their order. */
export function subjectText(values: Readonly<Partial<Record<Field, string | readonly string[]>>>): string {
  const parts = (Object.keys(FIELDS) as Field[]).flatMap((field) =>
    [values[field] ?? []]
      .flat()
      .sort()
      .map((value) => `${FIELDS[field][0]}=${value}`),
  );
  return parts.join(", ");
}

/** The same of a request; of a field that is none of these, the object identifier that it has. */
export function requestedSubject({ subject }: Pick<CertificateRequestFields, "subject">): string {
  const known = Object.entries(FIELDS).map(([field, [, id]]) => [field, textsOf(subject, id)] as const);
  const ids = known.map(([field]) => FIELDS[field as Field][1]) as readonly string[];
  const others = subject.filter(({ type }) => !ids.includes(type)).map(({ type }) => `${type}=…`);
  return [subjectText(Object.fromEntries(known)), ...others].filter(Boolean).join(", ");
}

function textsOf(subject: readonly NameAttribute[], id: string): string[] {
  return subject.flatMap(({ type, text }) => (type === id ? [text] : []));
}

/** What a request has in a field of its subject. */
export function valuesRequested({ subject }: CertificateRequestFields, field: "CN" | "O"): string[] {
  const [, id] = Object.values(FIELDS).find(([name]) => name === field)!;
  return textsOf(subject, id);
}

/** Groups of whoever shows what is issued for the requests in PEM: their O's. */
export function organizationsRequested(pem: string): string[] {
  return requestsIn(pem).flatMap((request) => textsOf(request?.subject ?? [], FIELDS.organization[1]));
}

/** The extension that has alternative names. */
export const ALT_NAME = "2.5.29.17";

/** DNS names and addresses that a request asks for, sorted; for a name of another kind, which nobody describes, words. */
export function requestedNames({ extensions }: Pick<CertificateRequestFields, "extensions">): string[] {
  const found = extensions.filter(({ id }) => id === ALT_NAME).map(({ value }) => readDer(() => namesIn(value)));
  return found.flatMap((names) => names ?? ["names that cannot be read"]).sort();
}

function namesIn(der: Buffer): string[] {
  const whole = new DerReader(der);
  const names = new DerReader(whole.next(TAG.sequence).value).rest();
  whole.end();
  return names.map(({ tag, value }) => {
    if (tag === tagged(2, "bytes")) {
      return value.toString("latin1");
    }
    return (tag === tagged(7, "bytes") && addressOf(value)) || "a name of another kind";
  });
}

/** An address in its canonical text (RFC 5952). */
function addressOf(bytes: Buffer): string | undefined {
  if (bytes.length === 4) {
    return [...bytes].join(".");
  }
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  return groups.length === 8 ? new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1) : undefined;
}
