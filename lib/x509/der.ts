/** A value of DER, the one way in which certificates may be written. */
export interface DerValue {
  /** Its first byte: class, form and number. */
  readonly tag: number;
  /** What stands in it. */
  readonly value: Buffer;
  /** Tag, length and value. */
  readonly whole: Buffer;
}

/** What is read is not what it should be. Says no more: the text may be a secret. */
export class NotDer extends Error {}

/** Tags that certificates are made of. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag `[number]` of a value in a certificate: one that holds others, or one that holds bytes. */
export const tagged = (number: number, holds: "values" | "bytes"): number =>
  (holds === "values" ? 0xa0 : 0x80) | number;

/** No certificate nests as deep. */
const MAX_DEPTH = 32;

const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

/** Bytes of each type, where not all are allowed. Of texts Go's `crypto/x509` is the measure, which Terraform and Kubernetes read with. */
const CONTENTS: ReadonlyMap<number, (bytes: Buffer) => boolean> = new Map([
  [TAG.boolean, ([byte, ...more]) => (byte === 0x00 || byte === 0xff) && more.length === 0],
  [TAG.integer, isShortest],
  [TAG.bitString, isBitString],
  [TAG.octetString, () => true],
  [TAG.null, ({ length }) => length === 0],
  [TAG.objectIdentifier, isObjectIdentifier],
  [TAG.utf8String, isUtf8],
  [TAG.numericString, (bytes) => /^[0-9 ]*$/.test(bytes.toString("latin1"))],
  [TAG.printableString, (bytes) => /^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(bytes.toString("latin1"))],
  [TAG.t61String, () => true],
  [TAG.ia5String, isAscii],
  [TAG.utcTime, (bytes) => timeOf({ tag: TAG.utcTime, value: bytes }) !== undefined],
  [TAG.generalizedTime, (bytes) => timeOf({ tag: TAG.generalizedTime, value: bytes }) !== undefined],
  [TAG.visibleString, isAscii],
  [TAG.bmpString, isBmp],
]);

/**
 * The values in DER, one after the other, each with what it holds checked down to the last byte.
 *
 * @throws NotDer
 */
export function valuesIn(der: Buffer, depth = 0): DerValue[] {
  const values = partsIn(der);
  values.forEach((value) => checkContent(value, depth));
  return values;
}

/**
 * The same, with nothing that they hold looked at: of what others made, and somebody else already took for right.
 *
 * @throws NotDer
 */
export function partsIn(der: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < der.length;) {
    const value = valueAt(der, at);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** What is read, or undefined where it is no DER. */
export function readDer<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotDer) {
      return undefined;
    }
    throw error;
  }
}

/** Takes values in the order of a definition. */
export class DerReader {
  private readonly values: DerValue[];

  /** @throws NotDer where the bytes are no DER */
  public constructor(der: Buffer) {
    this.values = valuesIn(der);
  }

  /**
   * The next value, which has to be there.
   *
   * @throws NotDer
   */
  public next(...tags: readonly number[]): DerValue {
    return this.optional(...tags) ?? fail();
  }

  /** The next value where it has one of the tags. */
  public optional(...tags: readonly number[]): DerValue | undefined {
    return this.values.length > 0 && tags.includes(this.values[0]!.tag) ? this.values.shift() : undefined;
  }

  /**
   * All that are left: at least one, each with one of the tags; any where none is named.
   *
   * @throws NotDer
   */
  public rest(...tags: readonly number[]): DerValue[] {
    const rest = this.values.splice(0);
    const isOne = ({ tag }: DerValue) => tags.length === 0 || tags.includes(tag);
    return rest.length > 0 && rest.every(isOne) ? rest : fail();
  }

  /**
   * Says that nothing more may follow.
   *
   * @throws NotDer
   */
  public end(): void {
    if (this.values.length > 0) {
      fail();
    }
  }
}

/** An object identifier with dots. */
export function objectIdentifierOf({ value }: Pick<DerValue, "value">): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of value) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [both = 0n, ...others] = arcs;
  const first = both < 80n ? both / 40n : 2n;
  return [first, both - first * 40n, ...others].join(".");
}

/** A time to the second, in UTC: nothing else may stand in a certificate. */
export function timeOf({ tag, value }: Pick<DerValue, "tag" | "value">): Date | undefined {
  const text = value.toString("latin1");
  const years = tag === TAG.generalizedTime ? 4 : 2;
  if (text.length !== years + 11 || !/^[0-9]+Z$/.test(text)) {
    return undefined;
  }
  // RFC 5280, 4.1.2.5.1: two digits stand for 1950 to 2049.
  const year = years === 4 ? text.slice(0, 4) : `${text < "50" ? "20" : "19"}${text.slice(0, 2)}`;
  const [month, day, hour, minute, second] = text.slice(years).match(/\d\d/g)!;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  // Of a thirtieth of February a Date makes the first or second of March.
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso ? time : undefined;
}

/**
 * Ends reading.
 *
 * @throws NotDer always
 */
export function fail(): never {
  throw new NotDer("not DER");
}

function valueAt(der: Buffer, at: number): DerValue {
  const [tag = 0x1f, first = 0x80] = der.subarray(at, at + 2);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  // Neither tags of several bytes nor lengths that are not known before their end stand in a certificate.
  if ((tag & 0x1f) === 0x1f || first === 0x80 || lengthBytes > 4 || start > der.length) {
    return fail();
  }
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const isShortest = lengthBytes === 0 || (length >= 0x80 && length >= 2 ** (8 * (lengthBytes - 1)));
  const end = start + length;
  return isShortest && end <= der.length
    ? { tag, value: der.subarray(start, end), whole: der.subarray(at, end) }
    : fail();
}

function checkContent({ tag, value }: DerValue, depth: number): void {
  if (tag & CONSTRUCTED) {
    if (depth > MAX_DEPTH || (!(tag & CONTEXT) && tag !== TAG.sequence && tag !== TAG.set)) {
      fail();
    }
    valuesIn(value, depth + 1);
  } else if (!(tag & CONTEXT) && !CONTENTS.get(tag)?.(value)) {
    fail();
  }
}

function isShortest(bytes: Buffer): boolean {
  const [first, second = 0] = bytes;
  const isPadded = (first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80);
  return first !== undefined && (bytes.length === 1 || !isPadded);
}

function isBitString(bytes: Buffer): boolean {
  const [unused, ...bits] = bytes;
  const last = bits.at(-1);
  return unused !== undefined && unused < 8 && (last === undefined ? unused === 0 : (last & ((1 << unused) - 1)) === 0);
}

/** Longer than any that somebody has. */
const MAX_IDENTIFIER = 128;

/** Each number as short as it can be, and no longer than 31 bits: Go reads no other. */
function isObjectIdentifier(bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes.length > MAX_IDENTIFIER || bytes.at(-1)! >= 0x80) {
    return false;
  }
  const starts = [...bytes].filter((_, index) => index === 0 || bytes[index - 1]! < 0x80);
  const numbers = objectIdentifierOf({ value: bytes }).split(".");
  return !starts.includes(0x80) && numbers.every((number) => Number(number) < 2 ** 31 - 80);
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString("utf8"), "utf8").equals(bytes);
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function isBmp(bytes: Buffer): boolean {
  const points = Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readUInt16BE(index * 2));
  const isCharacter = (point: number) =>
    !(point >= 0xd800 && point <= 0xdfff) && !(point >= 0xfdd0 && point <= 0xfdef) && point < 0xfffe;
  return bytes.length % 2 === 0 && points.every(isCharacter);
}
