import { X509Certificate } from "node:crypto";
import type { State } from "./engine";
import { addressesOf } from "./engine";
import type { World } from "./world";

/** What a certificate that was really made says, in the words of the world. */
export interface Real {
  readonly commonName?: string;
  readonly organization?: string;
  readonly sans: readonly string[];
  readonly uses: readonly string[];
  readonly hours: number;
  readonly isAuthority: boolean;
  readonly algorithm: string;
  readonly x509: X509Certificate;
}

const EXTENDED: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "server_auth",
  "1.3.6.1.5.5.7.3.2": "client_auth",
  "2.5.29.37.0": "any_extended",
};
/** By bit, see RFC 5280, 4.2.1.3. */
const USAGES: readonly (readonly [bit: number, use: string])[] = [
  [0, "digital_signature"],
  [2, "key_encipherment"],
  [5, "cert_signing"],
  [6, "crl_signing"],
];
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P256", secp224r1: "P224", secp384r1: "P384" };

/** Reads a certificate. */
export function real(pem: string): Real {
  const x509 = new X509Certificate(pem);
  const field = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(x509.subject)?.[1];
  const { asymmetricKeyType, asymmetricKeyDetails } = x509.publicKey;
  const { modulusLength, namedCurve = "" } = asymmetricKeyDetails ?? {};
  const sans = (x509.subjectAltName ?? "").split(", ").filter((name) => name !== "");
  return {
    commonName: field("CN"),
    organization: field("O"),
    sans: sans.map((name) => address(name.replace(/^(DNS|IP Address):/, ""))),
    uses: [...keyUsages(x509.raw), ...(x509.keyUsage ?? []).map((oid) => EXTENDED[oid] ?? oid)],
    hours: Math.round((Date.parse(x509.validTo) - Date.parse(x509.validFrom)) / 3_600_000),
    isAuthority: isAuthority(x509.raw),
    algorithm: asymmetricKeyType === "rsa" ? `RSA-${modulusLength}` : `ECDSA-${CURVES[namedCurve]}`,
    x509,
  };
}

/** IPv6 in its shortest form. */
function address(name: string): string {
  return name.includes(":") ? new URL(`http://[${name}]/`).hostname.slice(1, -1) : name;
}

/** The extension's identifier, perhaps that it is critical, then a bit string in an octet string. */
function keyUsages(der: Buffer): string[] {
  const at = der.indexOf(Buffer.from("0603551d0f", "hex"));
  if (at < 0) {
    return [];
  }
  const value = der.subarray(at + 5 + (der[at + 5] === 1 ? 3 : 0));
  const bits = value[5]!;
  return USAGES.flatMap(([bit, use]) => ((bits & (0x80 >> bit)) === 0 ? [] : [use]));
}

/** By its basic constraints alone: `X509Certificate.ca` is false, too, where the key usage is without `cert_signing`. */
function isAuthority(der: Buffer): boolean {
  const at = der.indexOf(Buffer.from("0603551d13", "hex"));
  return at >= 0 && der.subarray(at, at + 20).includes(Buffer.from("30030101ff", "hex"));
}

/** All certificates of a state by address. */
export function certificatesIn(state: State): Map<string, Real> {
  const found = new Map<string, Real>();
  for (const resource of state.resources) {
    addressesOf(resource).forEach((at, index) => {
      const pem = resource.instances[index]!.attributes.cert_pem;
      if (typeof pem === "string") {
        found.set(at, real(pem));
      }
    });
  }
  return found;
}

/**
 * Compares what the code says with what was really made.
 *
 * @returns a line for each difference; none where the world is true
 */
export function differencesFromReal(world: World, state: State): string[] {
  const certificates = certificatesIn(state);
  const made = new Map<string, Real>();
  for (const [name, { addresses }] of world.things) {
    const found = addresses.map((one) => certificates.get(one)).find((one) => one !== undefined);
    if (found) {
      made.set(name, found);
    }
  }
  return [...world.things].flatMap(([name, thing]) => {
    // What only an apply can tell is not known here, and what is kept is not what its code says.
    if (thing.kind !== "certificate" || thing.isKept || (thing.hidden ?? []).length > 0) {
      return [];
    }
    const found = made.get(name);
    if (!found) {
      return [`${name}: no certificate was made`];
    }
    const { commonName, organization, sans, uses, hours, isAuthority, key, issuer } = thing;
    const { x509, ...facts } = found;
    const said = { commonName, organization, sans, uses, hours, isAuthority, algorithm: key.algorithm };
    const lines = Object.entries(said).flatMap(([fact, value]) => {
      const actual = facts[fact as keyof typeof facts];
      return sorted(value) === sorted(actual) ? [] : [`${name}: ${fact} is ${sorted(actual)}, not ${sorted(value)}`];
    });
    const above = issuer === undefined ? x509 : made.get(issuer)?.x509;
    return above && x509.verify(above.publicKey) ? lines : [...lines, `${name}: not signed by ${issuer ?? "itself"}`];
  });
}

function sorted(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? [...(value as string[])].sort() : value);
}
