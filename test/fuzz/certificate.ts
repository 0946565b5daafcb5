import { X509Certificate } from "node:crypto";
import type { Facts } from "./asked";

// A certificate's DER, read by nothing of the library.

/** A value of DER: its tag, what is in it, and both. */
interface Value {
  readonly tag: number;
  readonly content: Buffer;
}

/** A certificate, as its bytes have it. */
export interface Certificate extends Omit<Facts, "issuer"> {
  readonly x509: X509Certificate;
  readonly issuerName: Buffer;
  readonly subjectName: Buffer;
  readonly end: number;
  /** Object identifiers of its extensions. */
  readonly extensions: readonly string[];
  readonly subjectKey?: string;
  readonly authorityKey?: string;
}

function valuesIn(bytes: Buffer): Value[] {
  const values: Value[] = [];
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1]!;
    const more = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + more;
    const end = start + (more === 0 ? short : bytes.readUIntBE(at + 2, more));
    if (end > bytes.length) {
      throw new Error("a value that is cut off");
    }
    values.push({ tag: bytes[at]!, content: bytes.subarray(start, end) });
    at = end;
  }
  return values;
}

const within = ({ content }: Value) => valuesIn(content);

/** By hand: two arcs in the first byte, then seven bits in each. Nothing here has an arc above 2^31. */
function identifier({ content: [first = 0, ...rest] }: Value): string {
  const arcs = [Math.trunc(first / 40), first % 40];
  let arc = 0;
  for (const byte of rest) {
    arc = arc * 0x80 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  return arcs.join(".");
}

/** @see https://www.rfc-editor.org/rfc/rfc4519#section-2 */
const FIELDS: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
};

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3 */
const KEY_USAGES = [
  ...["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"],
  ...["cert_signing", "crl_signing", "encipher_only"],
];

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 */
const EXTENDED: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "server_auth",
  "1.3.6.1.5.5.7.3.2": "client_auth",
};

const KINDS: Readonly<Record<number, (content: Buffer) => string>> = {
  0x82: (content) => `dns ${content.toString("latin1")}`,
  0x87: (content) => `ip ${content.toString("hex")}`,
};

const CURVES: Readonly<Record<string, string>> = { prime256v1: "P256", secp384r1: "P384", secp521r1: "P521" };

/** Reads one. */
export function certificateIn(pem: string): Certificate {
  const x509 = new X509Certificate(pem);
  const [whole] = valuesIn(x509.raw);
  const [signed] = within(whole!);
  // The version, the serial number and the algorithm, then what is looked for.
  const [, , , issuer, validity, subject, , extensions] = within(signed!);
  const [begin, end] = within(validity!).map(timeOf) as [number, number];
  const found = new Map(
    valuesIn(within(extensions!)[0]!.content).map((extension) => {
      const parts = within(extension);
      return [identifier(parts[0]!), valuesIn(parts.at(-1)!.content)[0]!];
    }),
  );
  const { asymmetricKeyType, asymmetricKeyDetails: { modulusLength, namedCurve = "" } = {} } = x509.publicKey;
  const list = (id: string) => (found.has(id) ? within(found.get(id)!) : []);
  const [isAuthority] = list("2.5.29.19");
  const authorityKey = list("2.5.29.35").find(({ tag }) => tag === 0x80);
  return {
    x509,
    issuerName: issuer!.content,
    subjectName: subject!.content,
    subject: within(subject!)
      .map((set) => {
        const [type, value] = within(within(set)[0]!);
        return [FIELDS[identifier(type!)] ?? identifier(type!), value!.content.toString("utf8")] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    names: list("2.5.29.17")
      .map(({ tag, content }) => KINDS[tag]?.(content) ?? `${tag} ${content.toString("hex")}`)
      .sort(),
    uses: [
      ...keyUsages(found.get("2.5.29.15")),
      ...list("2.5.29.37").map((use) => EXTENDED[identifier(use)] ?? identifier(use)),
    ].sort(),
    seconds: (end - begin) / 1000,
    end,
    isAuthority: isAuthority?.content[0] === 0xff,
    algorithm: asymmetricKeyType === "rsa" ? `RSA-${modulusLength}` : `ECDSA-${CURVES[namedCurve] ?? namedCurve}`,
    extensions: [...found.keys()],
    subjectKey: found.get("2.5.29.14")?.content.toString("hex"),
    authorityKey: authorityKey?.content.toString("hex"),
  };
}

/** `240131235959Z`, or with four digits for the year. */
function timeOf({ content }: Value): number {
  const digits = content.toString("latin1").padStart(15, "20");
  const [, year, ...rest] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits)!.map(Number);
  const [month, day, hour, minute, second] = rest as [number, number, number, number, number];
  return Date.UTC(year!, month - 1, day, hour, minute, second);
}

/** The number of unused bits, then bits from the highest of the first byte on. */
function keyUsages(value: Value | undefined): string[] {
  const bits = value?.content[1] ?? 0;
  return KEY_USAGES.filter((_, bit) => (bits & (0x80 >> bit)) !== 0);
}

/** The certificate of a set that signed one: by name and by signature. */
export function issuerOf(one: Certificate, all: ReadonlyMap<string, Certificate>): string | undefined {
  const isIssuer = ({ subjectName, x509 }: Certificate) =>
    subjectName.equals(one.issuerName) && one.x509.verify(x509.publicKey);
  return [...all].find(([, other]) => isIssuer(other))?.[0];
}
