import { constants, verify, X509Certificate } from "node:crypto";
import { nameText } from "./der";
import { SIGNATURES } from "./hello";

// What a server of TLS 1.2 says before it knows who asks, in clear: RFC 5246, section 7.4. Nobody vouches for the bytes: every length is
// checked before it is used, and what is longer than any server's is refused.

/** What a server shows to somebody without a credential. */
export interface Shown {
  /** The certificate that it serves, then those that it sends with it. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /**
   * DER of the names of the authorities whose clients it lets in; none where it asks for a certificate and names nobody; undefined where
   * it asks for none.
   */
  readonly authorities: readonly Buffer[] | undefined;
}

/** What a server said does not fit TLS 1.2. */
export class FlightError extends Error {
  /** @param isOtherVersion whether another version may do */
  public constructor(
    message: string,
    public readonly isOtherVersion = false,
  ) {
    super(message);
  }
}

/** A record holds 16 kB, and what encryption may add. */
const MOST_IN_RECORD = 16_384 + 2048;
/** 2000 authorities have names of 120 kB; Go refuses longer handshake messages than this, too. */
const MOST_IN_MESSAGE = 262_144;
const MOST_BYTES = 524_288;
/** Warnings are allowed, but not without end. */
const MOST_WARNINGS = 4;
const MOST_CERTIFICATES = 32;

const RECORDS = { alert: 21, handshake: 22 };
const MESSAGES = {
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  status: 22,
};

/** Messages that may come after each other, in their order: of each at most one. */
const ORDER: readonly number[] = [
  MESSAGES.serverHello,
  MESSAGES.certificate,
  MESSAGES.status,
  MESSAGES.serverKeyExchange,
  MESSAGES.certificateRequest,
  MESSAGES.serverHelloDone,
];

/** Refusals by which a server says that it wants another version, or other cipher suites than 1.2 has here. */
const OTHER_VERSION: readonly number[] = [40, 47, 70, 71, 86];

const ALERTS: Readonly<Record<number, string>> = {
  0: "close_notify",
  10: "unexpected_message",
  40: "handshake_failure",
  47: "illegal_parameter",
  50: "decode_error",
  70: "protocol_version",
  71: "insufficient_security",
  80: "internal_error",
  86: "inappropriate_fallback",
  112: "unrecognized_name",
};

/** Reads the bytes of a server, as they come. */
export class Flight {
  private readonly records = new Bytes();
  private readonly messages = new Bytes();
  private readonly found = new Map<number, Buffer>();
  private received = 0;
  private warnings = 0;

  /** @param clientRandom the 32 bytes of the ClientHello */
  public constructor(private readonly clientRandom: Buffer) {}

  /**
   * Takes what came.
   *
   * @returns what the server shows, once that is complete
   * @throws FlightError when it is something else
   */
  public push(chunk: Buffer): Shown | undefined {
    this.received += chunk.length;
    if (this.received > MOST_BYTES) {
      throw new FlightError(`more than ${MOST_BYTES} bytes`);
    }
    this.records.add(chunk);
    for (let record = this.nextRecord(); record !== undefined; record = this.nextRecord()) {
      if (record.type === RECORDS.alert) {
        this.alert(record.content);
      } else {
        this.messages.add(record.content);
        this.readMessages();
      }
    }
    return this.found.has(MESSAGES.serverHelloDone) ? this.shown() : undefined;
  }

  private nextRecord(): { readonly type: number; readonly content: Buffer } | undefined {
    const head = this.found.has(MESSAGES.serverHelloDone) ? undefined : this.records.peek(5);
    if (head === undefined) {
      return undefined;
    }
    const [type, major, length] = [head[0]!, head[1]!, head.readUInt16BE(3)];
    if ((type !== RECORDS.alert && type !== RECORDS.handshake) || major !== 3) {
      throw new FlightError(`no TLS: it begins with ${printable(head)}`);
    }
    if (length === 0 || length > MOST_IN_RECORD) {
      throw new FlightError(`a record of ${length} bytes`);
    }
    const record = this.records.take(5 + length);
    return record && { type, content: record.subarray(5) };
  }

  private alert(content: Buffer): void {
    const [level, description] = content;
    if (content.length !== 2 || level === undefined || description === undefined) {
      throw new FlightError("an alert that is broken");
    }
    if (level === 1 && description !== 0 && ++this.warnings <= MOST_WARNINGS) {
      return;
    }
    throw new FlightError(`TLS alert ${ALERTS[description] ?? description}`, OTHER_VERSION.includes(description));
  }

  private readMessages(): void {
    for (let head = this.messages.peek(4); head !== undefined; head = this.messages.peek(4)) {
      const [type, length] = [head[0]!, head.readUIntBE(1, 3)];
      if (length > MOST_IN_MESSAGE) {
        throw new FlightError(`a message of ${length} bytes`);
      }
      const latest = Math.max(-1, ...[...this.found.keys()].map((known) => ORDER.indexOf(known)));
      if (ORDER.indexOf(type) <= latest || (latest < 0 && type !== MESSAGES.serverHello)) {
        throw new FlightError(`message ${type} where none is due`);
      }
      const message = this.messages.take(4 + length);
      if (message === undefined) {
        return;
      }
      this.found.set(type, message.subarray(4));
      if (type === MESSAGES.serverHello) {
        checkVersion(message.subarray(4));
      }
    }
  }

  private shown(): Shown {
    const message = (type: number) => this.found.get(type);
    const serverRandom = message(MESSAGES.serverHello)!.subarray(2, 34);
    const chain = chainIn(message(MESSAGES.certificate));
    checkSignature(message(MESSAGES.serverKeyExchange), chain[0], Buffer.concat([this.clientRandom, serverRandom]));
    const request = message(MESSAGES.certificateRequest);
    return { chain, authorities: request && authoritiesIn(request) };
  }
}

function checkVersion(hello: Buffer): void {
  if (hello.length < 38) {
    throw new FlightError("a ServerHello that is cut off");
  }
  const version = hello.readUInt16BE(0);
  if (version !== 0x0303) {
    throw new FlightError(`version ${version.toString(16)} where TLS 1.2 was asked for`, true);
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2 */
function chainIn(message: Buffer | undefined): Shown["chain"] {
  const fields = new Fields(message ?? Buffer.alloc(0), "Certificate");
  const list = new Fields(fields.vector(3), "Certificate");
  fields.end();
  const chain: X509Certificate[] = [];
  while (!list.isEmpty) {
    if (chain.length === MOST_CERTIFICATES) {
      throw new FlightError(`more than ${MOST_CERTIFICATES} certificates`);
    }
    chain.push(certificateOf(list.vector(3)));
  }
  const [first, ...rest] = chain;
  if (first === undefined) {
    throw new FlightError("no certificate");
  }
  return [first, ...rest];
}

function certificateOf(der: Buffer): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    // What is behind it would not be looked at.
    if (certificate.raw.length === der.length && certificate.publicKey && Date.parse(certificate.validTo)) {
      return certificate;
    }
  } catch {
    // The parser's own words say nothing to who runs a cluster.
  }
  throw new FlightError("a certificate that cannot be read");
}

/** The server has the key of its certificate: it has signed what both sides made up. */
function checkSignature(message: Buffer | undefined, { publicKey }: X509Certificate, randoms: Buffer): void {
  const fields = new Fields(message ?? Buffer.alloc(0), "ServerKeyExchange");
  const NAMED_CURVE = 3;
  if (fields.number(1) !== NAMED_CURVE) {
    throw new FlightError("a key exchange that was not asked for");
  }
  fields.number(2);
  fields.vector(1);
  const parameters = (message ?? Buffer.alloc(0)).subarray(0, fields.at);
  const { hash, isPss } = SIGNATURES[fields.number(2)] ?? {};
  const signature = fields.vector(2);
  fields.end();
  const padding = isPss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  const signed = Buffer.concat([randoms, parameters]);
  if (hash === undefined || !isValid(() => verify(hash, signed, { key: publicKey, ...padding }, signature))) {
    throw new FlightError("it does not have the key of the certificate that it shows");
  }
}

/** A key that does not fit the algorithm throws. */
function isValid(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc5246#section-7.4.4 */
function authoritiesIn(message: Buffer): Buffer[] {
  const fields = new Fields(message, "CertificateRequest");
  fields.vector(1);
  fields.vector(2);
  const list = new Fields(fields.vector(2), "CertificateRequest");
  fields.end();
  const names: Buffer[] = [];
  while (!list.isEmpty) {
    const name = list.vector(2);
    if (nameText(name) === undefined) {
      throw new FlightError("the name of an authority cannot be read");
    }
    names.push(name);
  }
  return names;
}

/** The fields of a message, one after the other. */
class Fields {
  /** Where the next one begins. */
  public at = 0;

  public constructor(
    private readonly bytes: Buffer,
    private readonly message: string,
  ) {}

  public get isEmpty(): boolean {
    return this.at === this.bytes.length;
  }

  /** A number of so many bytes. */
  public number(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  /** Bytes, after their length of so many bytes. */
  public vector(size: number): Buffer {
    return this.take(this.number(size));
  }

  /** @throws FlightError when something is left */
  public end(): void {
    if (!this.isEmpty) {
      throw new FlightError(`a ${this.message} with more in it than there should be`);
    }
  }

  private take(length: number): Buffer {
    if (this.at + length > this.bytes.length) {
      throw new FlightError(`a ${this.message} that is cut off`);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** Bytes that come in pieces: however small these are, none is copied more than a few times. */
class Bytes {
  private pieces: Buffer[] = [];
  private length = 0;

  public add(piece: Buffer): void {
    this.pieces.push(piece);
    this.length += piece.length;
  }

  /** The first bytes, which stay; undefined while there are fewer. */
  public peek(count: number): Buffer | undefined {
    if (this.length < count) {
      return undefined;
    }
    if (this.pieces[0]!.length < count) {
      this.pieces = [Buffer.concat(this.pieces)];
    }
    return this.pieces[0]!.subarray(0, count);
  }

  /** The first bytes, which go; undefined while there are fewer. */
  public take(count: number): Buffer | undefined {
    if (this.length < count) {
      return undefined;
    }
    const all = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    this.pieces = all.length > count ? [all.subarray(count)] : [];
    this.length -= count;
    return all.subarray(0, count);
  }
}

function printable(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1").replace(/[^\x20-\x7e]/g, "."));
}
