import type { X509Certificate } from "node:crypto";
import { SocketAddress } from "node:net";
import { type DerValue, objectIdentifierOf, partsIn, readDer, tagged } from "../x509/der";

/**
 * What each bit of a key usage is called, by the tls provider's names.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
 */
const KEY_USAGES = [
  "digital_signature",
  "content_commitment",
  "key_encipherment",
  "data_encipherment",
  "key_agreement",
  "cert_signing",
  "crl_signing",
  "encipher_only",
  "decipher_only",
];

/**
 * Extended ones, likewise.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12
 */
const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  "2.5.29.37.0": "any_extended",
  "1.3.6.1.5.5.7.3.1": "server_auth",
  "1.3.6.1.5.5.7.3.2": "client_auth",
  "1.3.6.1.5.5.7.3.3": "code_signing",
  "1.3.6.1.5.5.7.3.4": "email_protection",
  "1.3.6.1.5.5.7.3.5": "ipsec_end_system",
  "1.3.6.1.5.5.7.3.6": "ipsec_tunnel",
  "1.3.6.1.5.5.7.3.7": "ipsec_user",
  "1.3.6.1.5.5.7.3.8": "timestamping",
  "1.3.6.1.5.5.7.3.9": "ocsp_signing",
};

const KEY_USAGE = "2.5.29.15";

/** Key usage and extended key usage together; an extended one that has no name here as its number. */
export function usagesOf(certificate: X509Certificate): string[] {
  // Node.js calls the extended ones `keyUsage`, and has no word for the others.
  const extended: readonly string[] | undefined = certificate.keyUsage;
  return [...keyUsagesOf(certificate.raw), ...(extended ?? []).map((id) => EXTENDED_KEY_USAGES[id] ?? id)];
}

/** Names and addresses; what is neither with its kind before it: `URI:spiffe://prod/admin`. */
export function alternativeNamesOf({ subjectAltName }: X509Certificate): string[] {
  // A name that could be taken for several is written as a JSON text.
  const names = subjectAltName?.matchAll(/(?:^|, )([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g) ?? [];
  return [...names].map(([, kind, name]) => {
    const value = name!.startsWith('"') ? String(JSON.parse(name!)) : name!;
    return kind === "DNS" ? value : kind === "IP Address" ? addressText(value) : `${kind}:${value}`;
  });
}

function addressText(address: string): string {
  return address.includes(":") ? new SocketAddress({ address, family: "ipv6" }).address : address;
}

function keyUsagesOf(der: Buffer): string[] {
  const bits = readDer(() => {
    const [certificate] = partsIn(der);
    const [signed] = partsIn(certificate!.value);
    const list = partsIn(signed!.value).find(({ tag }) => tag === tagged(3, "values"));
    const extension =
      list &&
      partsIn(partsIn(list.value)[0]!.value)
        .map(({ value }) => partsIn(value))
        .find(isKeyUsage);
    return extension && partsIn(extension.at(-1)!.value)[0]?.value;
  });
  // A string of bits, the first the highest of its byte, after the count of those that are not used.
  return KEY_USAGES.filter((_, bit) => ((bits?.[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function isKeyUsage([id]: readonly DerValue[]): boolean {
  return id !== undefined && objectIdentifierOf(id) === KEY_USAGE;
}
