import { DerReader, type DerValue, fail, objectIdentifierOf, readDer, TAG, tagged, timeOf, valuesIn } from "./der";

/** What a certificate says and Node.js does not tell. */
export interface CertificateFields {
  /** DER of its issuer's name. */
  readonly issuer: Buffer;
  /** DER of its own name. */
  readonly subject: Buffer;
  /** True where its own name is empty. */
  readonly isNameless: boolean;
  /** The beginning of its validity. */
  readonly notBefore: Date;
  /** The end of its validity. */
  readonly notAfter: Date;
  /** DER of its public key, as SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** What basic constraints say. */
  readonly isAuthority: boolean;
  /**
   * How many authorities may stand between it and a certificate that is none.
   * @default - any number
   */
  readonly pathLength?: number;
  /** Whether its key usage, where it has one, lets it sign certificates. */
  readonly signsCertificates: boolean;
  /**
   * The first bits of its key usage, `digitalSignature` the highest.
   * @default - it has none: any use
   */
  readonly keyUsage?: number;
  /**
   * DER of its alternative names.
   * @default - none
   */
  readonly altNames?: Buffer;
  /**
   * Object identifiers of its extended key usages.
   * @default - any use
   */
  readonly extendedKeyUsages?: readonly string[];
  /** Object identifiers of extensions by which it limits the names, or the policies, of what is below it. */
  readonly constraints: readonly string[];
  /** Object identifiers of critical extensions that no verifier of Kubernetes knows. */
  readonly unknownCritical: readonly string[];
  /**
   * Identifier of its own key.
   * @default - none
   */
  readonly subjectKeyIdentifier?: Buffer;
  /**
   * Identifier of the key that signed it.
   * @default - none
   */
  readonly authorityKeyIdentifier?: Buffer;
}

/** Extensions, each with what it adds. */
type ExtensionFields = Partial<
  Pick<
    CertificateFields,
    | "isAuthority"
    | "pathLength"
    | "signsCertificates"
    | "keyUsage"
    | "altNames"
    | "extendedKeyUsages"
    | "subjectKeyIdentifier"
    | "authorityKeyIdentifier"
  >
>;

/** Extensions that limit what is below. */
const CONSTRAINTS: readonly string[] = ["2.5.29.30", "2.5.29.36"];

/** Extensions that RFC 5280 never wants critical; Go refuses to read a certificate where one is. */
const NEVER_CRITICAL: readonly string[] = ["2.5.29.14", "2.5.29.35", "1.3.6.1.5.5.7.1.1"];

/** `keyCertSign` in the first byte of a key usage. */
const CERT_SIGN = 0x04;

/** `digitalSignature`, with which both ends of TLS sign their handshake; `keyCertSign` and `cRLSign`, which are an authority's. */
export const KEY_USAGE_BITS = { signs: 0x80, authority: 0x06 } as const;

/**
 * Extensions that Go knows, by their object identifiers, with what each adds.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2
 */
const EXTENSIONS: Readonly<Record<string, (value: DerReader) => ExtensionFields>> = {
  "2.5.29.14": (value) => ({ subjectKeyIdentifier: value.next(TAG.octetString).value }),
  "2.5.29.15": (value) => {
    const [, bits = 0] = value.next(TAG.bitString).value;
    return { signsCertificates: (bits & CERT_SIGN) !== 0, keyUsage: bits };
  },
  "2.5.29.17": (value) => {
    const names = value.next(TAG.sequence);
    new DerReader(names.value).rest().forEach(checkAltName);
    return { altNames: names.whole };
  },
  "2.5.29.19": (value) => {
    const constraints = within(value);
    const isAuthority = constraints.optional(TAG.boolean)?.value[0] === 0xff;
    const pathLength = constraints.optional(TAG.integer);
    constraints.end();
    return { isAuthority, ...(pathLength ? { pathLength: smallNumber(pathLength) } : {}) };
  },
  "2.5.29.30": (value) => {
    within(value).rest(tagged(0, "values"), tagged(1, "values"));
    return {};
  },
  "2.5.29.31": (value) => {
    for (const point of within(value).rest(TAG.sequence)) {
      const name = new DerReader(point.value).optional(tagged(0, "values"));
      if (name) {
        new DerReader(name.value).next(tagged(0, "values"));
      }
    }
    return {};
  },
  "2.5.29.32": (value) => {
    const policies = within(value).rest(TAG.sequence);
    const names = policies.map((policy) => objectIdentifierOf(new DerReader(policy.value).next(TAG.objectIdentifier)));
    return new Set(names).size === names.length ? {} : fail();
  },
  "2.5.29.33": (value) => {
    for (const mapping of within(value).rest(TAG.sequence)) {
      const pair = new DerReader(mapping.value);
      pair.next(TAG.objectIdentifier);
      pair.next(TAG.objectIdentifier);
      pair.end();
    }
    return {};
  },
  "2.5.29.35": (value) => ({ authorityKeyIdentifier: within(value).optional(tagged(0, "bytes"))?.value }),
  "2.5.29.36": (value) => {
    within(value).rest(tagged(0, "bytes"), tagged(1, "bytes"));
    return {};
  },
  "2.5.29.37": (value) => ({ extendedKeyUsages: within(value).rest(TAG.objectIdentifier).map(objectIdentifierOf) }),
  "2.5.29.54": (value) => {
    smallNumber(value.next(TAG.integer));
    return {};
  },
  "1.3.6.1.5.5.7.1.1": (value) => {
    for (const access of within(value).rest(TAG.sequence)) {
      const parts = new DerReader(access.value);
      parts.next(TAG.objectIdentifier);
      parts.rest();
    }
    return {};
  },
};

/**
 * Reads the DER of a certificate as strictly as Go, with which Terraform's tls provider and Kubernetes read it: what is damaged, and
 * still is something to OpenSSL, ends here.
 *
 * @returns undefined where it is no certificate
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function readCertificate(der: Buffer): CertificateFields | undefined {
  return readDer(() => certificateIn(der));
}

function certificateIn(der: Buffer): CertificateFields {
  const whole = new DerReader(der);
  const certificate = within(whole);
  whole.end();
  const signed = within(certificate);
  const algorithm = certificate.next(TAG.sequence);
  checkWholeBytes(certificate.next(TAG.bitString));
  certificate.end();

  const version = versionOf(signed.optional(tagged(0, "values")));
  if (signed.next(TAG.integer).value[0]! >= 0x80 || !signed.next(TAG.sequence).whole.equals(algorithm.whole)) {
    return fail();
  }
  const issuer = nameIn(signed);
  const { notBefore, notAfter } = validityIn(signed);
  const subject = nameIn(signed);
  const publicKey = signed.next(TAG.sequence);
  checkPublicKey(publicKey);
  const identifiers = [signed.optional(tagged(1, "bytes")), signed.optional(tagged(2, "bytes"))];
  const extensions = signed.optional(tagged(3, "values"));
  signed.end();
  if ((identifiers.some(Boolean) && version === 1) || (extensions && version !== 3)) {
    return fail();
  }
  return {
    issuer: issuer.whole,
    subject: subject.whole,
    isNameless: subject.value.length === 0,
    notBefore,
    notAfter,
    publicKey: publicKey.whole,
    ...extensionFields(extensions),
  };
}

function extensionFields(extensions: DerValue | undefined) {
  const list = extensions ? extensionsIn(new DerReader(extensions.value)) : [];
  const ids = list.map(({ id }) => id);
  if (new Set(ids).size < ids.length) {
    return fail();
  }
  const read = list.map(({ id, value }) => {
    const reader = Object.hasOwn(EXTENSIONS, id) ? new DerReader(value) : undefined;
    const fields = reader && EXTENSIONS[id]!(reader);
    reader?.end();
    return fields;
  });
  return {
    isAuthority: false,
    signsCertificates: true,
    ...(Object.assign({}, ...read) as ExtensionFields),
    constraints: ids.filter((id) => CONSTRAINTS.includes(id)),
    unknownCritical: list.filter(({ id, critical }) => critical && !Object.hasOwn(EXTENSIONS, id)).map(({ id }) => id),
  };
}

function extensionsIn(reader: DerReader) {
  const list = within(reader).rest(TAG.sequence).map(extensionIn);
  reader.end();
  return list;
}

function extensionIn({ value }: DerValue) {
  const parts = new DerReader(value);
  const id = objectIdentifierOf(parts.next(TAG.objectIdentifier));
  const critical = parts.optional(TAG.boolean)?.value[0] === 0xff;
  const content = parts.next(TAG.octetString).value;
  parts.end();
  return critical && NEVER_CRITICAL.includes(id) ? fail() : { id, critical, value: content };
}

/** The values in the sequence that comes next. */
function within(reader: DerReader): DerReader {
  return new DerReader(reader.next(TAG.sequence).value);
}

function versionOf(given: DerValue | undefined): number {
  if (!given) {
    return 1;
  }
  const reader = new DerReader(given.value);
  const version = smallNumber(reader.next(TAG.integer)) + 1;
  reader.end();
  return version <= 3 ? version : fail();
}

/** Texts that may stand in a name. */
const TEXTS = [TAG.utf8String, TAG.numericString, TAG.printableString, TAG.t61String, TAG.ia5String, TAG.bmpString];

function nameIn(reader: DerReader): DerValue {
  const name = reader.next(TAG.sequence);
  for (const set of name.value.length > 0 ? new DerReader(name.value).rest(TAG.set) : []) {
    for (const attribute of new DerReader(set.value).rest(TAG.sequence)) {
      const parts = new DerReader(attribute.value);
      parts.next(TAG.objectIdentifier);
      parts.next(...TEXTS);
      parts.end();
    }
  }
  return name;
}

/** The parts of a name as texts, `2.5.4.3=test-ca`. */
export function namePartsIn(name: Buffer): string[] {
  return attributesIn(name).map(({ type, text }) => `${type}=${text}`);
}

/** A part of a name. */
export interface NameAttribute {
  /** Its object identifier. */
  readonly type: string;
  readonly text: string;
}

/**
 * The parts of a name.
 *
 * @param texts kinds of text that may stand in it
 * @throws NotDer
 */
export function attributesIn(name: Buffer, texts: readonly number[] = TEXTS): NameAttribute[] {
  const { value } = nameIn(new DerReader(name));
  return valuesIn(value).flatMap((set) =>
    valuesIn(set.value).map((attribute) => {
      const [type, text] = valuesIn(attribute.value);
      return texts.includes(text!.tag) ? { type: objectIdentifierOf(type!), text: textOf(text!) } : fail();
    }),
  );
}

function textOf({ tag, value }: DerValue): string {
  if (tag === TAG.bmpString) {
    return Buffer.from(value).swap16().toString("utf16le");
  }
  return value.toString(tag === TAG.utf8String ? "utf8" : "latin1");
}

function validityIn(reader: DerReader): { readonly notBefore: Date; readonly notAfter: Date } {
  const times = within(reader);
  const [notBefore, notAfter] = [0, 1].map(() => timeOf(times.next(TAG.utcTime, TAG.generalizedTime))!) as [Date, Date];
  times.end();
  return notBefore <= notAfter ? { notBefore, notAfter } : fail();
}

/** Node.js reads the key itself; what it lets pass is looked at here. */
function checkPublicKey({ value }: DerValue): void {
  const parts = new DerReader(value);
  parts.next(TAG.sequence);
  checkWholeBytes(parts.next(TAG.bitString));
  parts.end();
}

/** A signature or a key is a string of bits that is one of bytes. */
function checkWholeBytes({ value }: DerValue): void {
  if (value.length < 2 || value[0] !== 0) {
    fail();
  }
}

function smallNumber({ value }: DerValue): number {
  return value.length <= 4 && value[0]! < 0x80 ? value.readUIntBE(0, value.length) : fail();
}

/** Alternative names that have a shape of their own, by tag. */
const ALT_NAMES: Readonly<Record<number, RegExp>> = {
  [tagged(1, "bytes")]: /^\p{ASCII}*$/u,
  [tagged(2, "bytes")]: /^\p{ASCII}*$/u,
  // A scheme; a host, where there is one, that is a domain name; then whatever needs no escaping.
  [tagged(6, "bytes")]:
    /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/[\w-]+(?:\.[\w-]+)*(?::[0-9]+)?(?=$|[/?#])|(?!\/\/))[\w\-.~:/?#@!$&'()*+,;=]*$/,
  [tagged(7, "bytes")]: /^(?:[^]{4}|[^]{16})$/,
};

function checkAltName({ tag, value }: DerValue): void {
  if (ALT_NAMES[tag]?.test(value.toString("latin1")) === false) {
    fail();
  }
}
