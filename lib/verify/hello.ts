import { isIP } from "node:net";

// A ClientHello of TLS 1.2, whose server answers in clear.

/** With these a server signs what it says, so that it shows that it has the key: no RSA key exchange. */
const CIPHER_SUITES = [
  0xc02b, // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  0xc02c, // TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
  0xcca9, // TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
  0xc009, // TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
  0xc00a, // TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
  0xc02f, // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  0xc030, // TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
  0xcca8, // TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  0xc013, // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
  0xc014, // TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
];

const GROUPS = [
  0x001d, // x25519
  0x0017, // secp256r1
  0x0018, // secp384r1
  0x0019, // secp521r1
];

/** How a server may sign, and how that is checked. */
export const SIGNATURES: Readonly<Record<number, { readonly hash: string | null; readonly isPss?: true }>> = {
  0x0403: { hash: "sha256" }, // ecdsa_secp256r1_sha256
  0x0503: { hash: "sha384" }, // ecdsa_secp384r1_sha384
  0x0603: { hash: "sha512" }, // ecdsa_secp521r1_sha512
  0x0807: { hash: null }, // ed25519
  0x0804: { hash: "sha256", isPss: true }, // rsa_pss_rsae_sha256
  0x0805: { hash: "sha384", isPss: true }, // rsa_pss_rsae_sha384
  0x0806: { hash: "sha512", isPss: true }, // rsa_pss_rsae_sha512
  0x0401: { hash: "sha256" }, // rsa_pkcs1_sha256
  0x0501: { hash: "sha384" }, // rsa_pkcs1_sha384
  0x0601: { hash: "sha512" }, // rsa_pkcs1_sha512
};

const EXTENSIONS = {
  serverName: 0,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  renegotiation: 0xff01,
};

const TLS_1_0 = 0x0301;
const TLS_1_2 = 0x0303;

/**
 * The first bytes that a client sends.
 *
 * @param random 32 bytes
 * @param host named to the server where it is a name: of an address, nothing is said
 * @see https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.2
 */
export function clientHello(random: Buffer, host: string): Buffer {
  const body = Buffer.concat([
    uint16(TLS_1_2),
    random,
    Buffer.from([0]), // no session
    withLength(2, numbers(CIPHER_SUITES)),
    Buffer.from([1, 0]), // no compression
    withLength(2, extensions(host)),
  ]);
  const message = Buffer.concat([Buffer.from([1]), withLength(3, body)]);
  return Buffer.concat([Buffer.from([22]), uint16(TLS_1_0), withLength(2, message)]);
}

function extensions(host: string): Buffer {
  const name = withLength(2, Buffer.concat([Buffer.from([0]), withLength(2, Buffer.from(host, "latin1"))]));
  return Buffer.concat([
    ...(isIP(host) === 0 ? [extension(EXTENSIONS.serverName, name)] : []),
    extension(EXTENSIONS.supportedGroups, withLength(2, numbers(GROUPS))),
    extension(EXTENSIONS.pointFormats, Buffer.from([1, 0])),
    extension(EXTENSIONS.signatureAlgorithms, withLength(2, numbers(Object.keys(SIGNATURES).map(Number)))),
    extension(EXTENSIONS.renegotiation, Buffer.from([0])),
  ]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([uint16(type), withLength(2, content)]);
}

function numbers(values: readonly number[]): Buffer {
  return Buffer.concat(values.map(uint16));
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function withLength(size: number, content: Buffer): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(content.length, 0, size);
  return Buffer.concat([length, content]);
}
