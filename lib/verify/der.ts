import { type DerValue, fail, objectIdentifierOf, partsIn, readDer, TAG, tagged } from "../x509/der";

// Names alone: what is no DER is no name, however it is broken.

/** Encodings of the strings that a name may have. */
const STRINGS: Readonly<Record<number, BufferEncoding>> = {
  [TAG.utf8String]: "utf8",
  [TAG.printableString]: "latin1",
  [TAG.t61String]: "latin1",
  [TAG.ia5String]: "latin1",
};

/** @see https://www.rfc-editor.org/rfc/rfc4514#section-3 */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.5": "serialNumber",
};

/**
 * A distinguished name as text, `CN=…, O=…`, in the order in which it is written.
 *
 * @returns undefined where it is no DER of a name
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.4
 */
export function nameText(name: Buffer): string | undefined {
  return readDer(() => {
    const [sequence, ...more] = partsIn(name);
    return more.length === 0 ? within(sequence, TAG.sequence).map(attributesText).join(", ") : fail();
  });
}

/** Attributes that stand together, mostly one. */
function attributesText(set: DerValue): string {
  const attributes = within(set, TAG.set);
  return attributes.length > 0 ? attributes.map(attributeText).join(" + ") : fail();
}

function attributeText(attribute: DerValue): string {
  const [type, value, ...more] = within(attribute, TAG.sequence);
  // An identifier that is cut off would have lost its last number.
  if (type?.tag !== TAG.objectIdentifier || !isWhole(type) || value === undefined || more.length > 0) {
    return fail();
  }
  const id = objectIdentifierOf(type);
  const encoding = STRINGS[value.tag];
  return `${ATTRIBUTES[id] ?? id}=${encoding ? value.value.toString(encoding) : `#${value.value.toString("hex")}`}`;
}

/** Whether an identifier has all of its last number, and none that no registry has. */
function isWhole(type: DerValue): boolean {
  const isEnded = type.value.length > 0 && type.value.at(-1)! < 0x80;
  return (
    isEnded &&
    objectIdentifierOf(type)
      .split(".")
      .every((number) => Number(number) <= 0xffffffff)
  );
}

/** The subject of a certificate, as its bytes stand in it; undefined where it is no certificate. */
export function subjectOf(certificate: Buffer): Buffer | undefined {
  return readDer(() => {
    const [signed] = within(partsIn(certificate)[0], TAG.sequence);
    const fields = within(signed, TAG.sequence).filter(({ tag }) => tag !== tagged(0, "values"));
    return fields[FIELDS.indexOf("subject")]?.whole;
  });
}

/** Fields of a certificate that come after one another, the version before them. */
const FIELDS = ["serial number", "signature", "issuer", "validity", "subject"] as const;

function within(value: DerValue | undefined, tag: number): DerValue[] {
  return value?.tag === tag ? partsIn(value.value) : fail();
}
