// Strict, and for names alone: what is no DER is refused, however it is broken.

/** A DER value, and what is in it. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_IDENTIFIER = 0x06;

/** Encodings of the strings that a name may have. */
const STRINGS: Readonly<Record<number, (content: Buffer) => string>> = {
  0x0c: (content) => content.toString("utf8"), // UTF8String
  0x13: (content) => content.toString("latin1"), // PrintableString
  0x14: (content) => content.toString("latin1"), // TeletexString
  0x16: (content) => content.toString("latin1"), // IA5String
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
 * The values that stand one after the other.
 *
 * @returns undefined where they do not fill the bytes exactly, or one is not written as DER wants it
 */
export function derValues(bytes: Buffer): DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = headAt(bytes, at);
    if (head === undefined || head.start + head.length > bytes.length) {
      return undefined;
    }
    const end = head.start + head.length;
    values.push({ tag: bytes[at]!, content: bytes.subarray(head.start, end) });
    at = end;
  }
  return values;
}

/** Where a value begins and how long it is; undefined for what no name needs: long tags, lengths above 64 kB or written too long. */
function headAt(bytes: Buffer, at: number): { readonly start: number; readonly length: number } | undefined {
  const [tag, short] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || short === undefined || (tag & 0x1f) === 0x1f) {
    return undefined;
  }
  if (short < 0x80) {
    return { start: at + 2, length: short };
  }
  const count = short - 0x80;
  if (count < 1 || count > 2 || at + 2 + count > bytes.length) {
    return undefined;
  }
  const length = bytes.readUIntBE(at + 2, count);
  const least = count === 1 ? 0x80 : 0x100;
  return length < least ? undefined : { start: at + 2 + count, length };
}

/**
 * A distinguished name as text, `CN=…, O=…`, in the order in which it is written.
 *
 * @returns undefined where it is no DER of a name
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.4
 */
export function nameText(name: Buffer): string | undefined {
  const [sequence, ...more] = derValues(name) ?? [];
  if (sequence?.tag !== SEQUENCE || more.length > 0) {
    return undefined;
  }
  const relative = derValues(sequence.content)?.map(attributesText);
  return relative?.every((part) => part !== undefined) ? relative.join(", ") : undefined;
}

/** Attributes that stand together, mostly one. */
function attributesText({ tag, content }: DerValue): string | undefined {
  const attributes = tag === SET ? derValues(content)?.map(attributeText) : undefined;
  return attributes && attributes.length > 0 && attributes.every((text) => text !== undefined)
    ? attributes.join(" + ")
    : undefined;
}

function attributeText({ tag, content }: DerValue): string | undefined {
  const [type, value, ...more] = tag === SEQUENCE ? (derValues(content) ?? []) : [];
  if (type?.tag !== OBJECT_IDENTIFIER || value === undefined || more.length > 0) {
    return undefined;
  }
  const id = identifierText(type.content);
  const read = STRINGS[value.tag];
  const text = read ? read(value.content) : `#${value.content.toString("hex")}`;
  return id === undefined ? undefined : `${ATTRIBUTES[id] ?? id}=${text}`;
}

/** `2.5.4.3`; undefined where it is cut off, or has numbers that no registry has. */
function identifierText(bytes: Buffer): string | undefined {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 0x80 + (byte & 0x7f);
    if (number > 0xffffffff) {
      return undefined;
    }
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first, ...rest] = numbers;
  if (first === undefined || bytes[bytes.length - 1]! >= 0x80) {
    return undefined;
  }
  const root = Math.min(Math.trunc(first / 40), 2);
  return [root, first - root * 40, ...rest].join(".");
}

/** The subject of a certificate, as its bytes stand in it; undefined where it is no certificate. */
export function subjectOf(certificate: Buffer): Buffer | undefined {
  return nameIn(certificate, "subject");
}

/** Fields of a certificate that come after one another, the version before them. */
const FIELDS = ["serial number", "signature", "issuer", "validity", "subject"] as const;
const VERSION = 0xa0;

function nameIn(certificate: Buffer, field: (typeof FIELDS)[number]): Buffer | undefined {
  // A certificate may be longer than a name: its outer parts are opened without their ends being looked for.
  const inner = opened(opened(certificate));
  const fields: Buffer[] = [];
  for (let at = 0; inner !== undefined && at < inner.length && fields.length < FIELDS.length;) {
    const head = headAt(inner, at);
    if (head === undefined || head.start + head.length > inner.length) {
      return undefined;
    }
    const end = head.start + head.length;
    if (inner[at] !== VERSION) {
      fields.push(inner.subarray(at, end));
    }
    at = end;
  }
  return fields[FIELDS.indexOf(field)];
}

function opened(bytes: Buffer | undefined): Buffer | undefined {
  const head = bytes?.[0] === SEQUENCE ? headAt(bytes, 0) : undefined;
  return head && bytes?.subarray(head.start, head.start + head.length);
}
