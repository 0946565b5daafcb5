import type { Drawn } from "./descriptions";
import { AUTHORITIES, expectedOf, type Expected } from "./upstream";
import { addressBytes, canonical } from "./values";

/* eslint-disable @typescript-eslint/no-explicit-any -- it looks anywhere into the JSON */

/** What is asked of a certificate, and what one is found to be: in code, or in DER. */
export interface Facts {
  /** Fields, sorted: Go writes them in an order of its own, which is another with another version, and nobody looks at it. */
  readonly subject: readonly (readonly [field: string, value: string])[];
  /** Alternative names with their kind, an address by its bytes; sorted. One that stands there twice does so here. */
  readonly names: readonly string[];
  /** Key usages and extended ones by the tls provider's names, sorted. */
  readonly uses: readonly string[];
  /** Seconds from its beginning to its end. */
  readonly seconds: number;
  readonly isAuthority: boolean;
  readonly algorithm: string;
  /** Name of the certificate that signed it: its own where it signed itself. */
  readonly issuer: string;
}

/** What is asked, and names beside those that it may have. */
export interface Asked extends Facts {
  readonly mayHave: readonly string[];
}

/** A year and ten of them, kubeadm's defaults, in hours. */
const [LEAF_HOURS, AUTHORITY_HOURS] = [8760, 87_600];

const HOUR = 3600;

/** Every certificate that a description asks for, by its Terraform name. */
export function askedOf(drawn: Drawn): Map<string, Asked> {
  const authorities = Object.entries(AUTHORITIES[drawn.distribution]!)
    // etcd that somebody else runs has its own.
    .filter(([name]) => drawn.etcd !== "external" || name !== "etcd")
    .flatMap(([name, [commonName, organization]]) =>
      Object.keys(drawn.generations[name] ?? { g1: "active" }).map((id): [string, Asked] => {
        const own = authorityName(drawn, name, id);
        return [
          own,
          {
            // Generations are told apart by it, since Kubernetes looks at the CN.
            subject: subjectOf(drawn, commonName, organization, id === "g1" ? undefined : id),
            // client-go's NewSelfSignedCACert, with which kubeadm makes it.
            names: drawn.distribution === "kubeadm" ? kindsOf([commonName]) : [],
            uses: ["cert_signing", "crl_signing", "digital_signature"],
            seconds: AUTHORITY_HOURS * HOUR,
            isAuthority: true,
            algorithm: "ECDSA-P256",
            issuer: own,
            mayHave: [],
          },
        ];
      }),
    );
  const leaves = isIssued(drawn) ? expectedOf(drawn) : [];
  return new Map([...authorities, ...leaves.map((leaf) => [leafName(drawn, leaf), askedOfLeaf(drawn, leaf)] as const)]);
}

/** Whether Terraform issues certificates that are no authorities: k0s, K3s and RKE2 issue their own. */
function isIssued({ distribution, issueLeaves }: Drawn): boolean {
  return ["kubeadm", "single-ca", "cluster-api"].includes(distribution) || issueLeaves;
}

function askedOfLeaf(drawn: Drawn, leaf: Expected): Asked {
  const { keyAlgorithm = "ECDSA_P256", validityHours = LEAF_HOURS } = drawn;
  const states = drawn.generations[leaf.authority] ?? { g1: "active" };
  const [active] = Object.entries(states).find(([, state]) => state === "active")!;
  // RFC 8813, 3: an ECDSA key enciphers nothing. RFC 5280, 4.2.1.12: with a client's purpose alone, an RSA key need not.
  const enciphers = keyAlgorithm.startsWith("RSA") && leaf.ends.includes("server");
  return {
    subject: subjectOf(drawn, leaf.commonName, leaf.organization),
    names: kindsOf(leaf.names),
    uses: [
      "digital_signature",
      ...(enciphers ? ["key_encipherment"] : []),
      ...leaf.ends.map((end) => `${end}_auth`),
    ].sort(),
    seconds: validityHours * HOUR,
    isAuthority: false,
    algorithm: keyAlgorithm.replace("_", "-"),
    issuer: authorityName(drawn, leaf.authority, active),
    mayHave: kindsOf(leaf.mayHave ?? []),
  };
}

function subjectOf(
  { subject = {} }: Drawn,
  commonName: string,
  organization?: string,
  generation?: string,
): Facts["subject"] {
  const { country, locality, province, organizationalUnit } = subject;
  return fieldsOf({
    country,
    organization,
    organizationalUnit: generation ?? organizationalUnit,
    locality,
    province,
    commonName,
  });
}

/** Those that are there, by the names that they have in text. */
function fieldsOf(fields: Readonly<Record<keyof typeof FIELDS, string | undefined>>): Facts["subject"] {
  return Object.entries(FIELDS).flatMap(([field, name]) => {
    const value = fields[field as keyof typeof FIELDS];
    return value === undefined ? [] : [[name, value] as const];
  });
}

const FIELDS = {
  country: "C",
  commonName: "CN",
  locality: "L",
  organization: "O",
  organizationalUnit: "OU",
  province: "ST",
} as const;

/** Names with their kinds, each once. */
function kindsOf(names: readonly string[]): string[] {
  const kinds = names.map((name) => {
    const bytes = addressBytes(name);
    return bytes === undefined ? `dns ${canonical(name)}` : `ip ${bytes}`;
  });
  return [...new Set(kinds)].sort();
}

function authorityName({ name }: Drawn, authority: string, generation: string): string {
  return `${name}__ca__${authority}__${generation}`;
}

function leafName({ name }: Drawn, leaf: Expected): string {
  return `${name}__${leaf.holder.replaceAll(".", "_")}__${leaf.name}`;
}

/** What the code says of each certificate of it. */
export function saidIn({ resource }: any): Map<string, Facts> {
  const signed = Object.entries<any>(resource.tls_locally_signed_cert ?? {}).map(
    ([name, certificate]) => [name, certificate, resource.tls_cert_request[name], certificate.ca_cert_pem] as const,
  );
  const selfSigned = Object.entries<any>(resource.tls_self_signed_cert ?? {}).map(
    ([name, certificate]) => [name, certificate, certificate, undefined] as const,
  );
  return new Map(
    [...signed, ...selfSigned].map(([name, certificate, request, above]) => [
      name,
      {
        subject: saidSubject(request.subject[0] ?? request.subject),
        names: [
          ...(request.dns_names ?? []).map((text: string) => `dns ${canonical(text)}`),
          ...(request.ip_addresses ?? []).map((text: string) => `ip ${addressBytes(text) ?? text}`),
        ].sort(),
        uses: [...certificate.allowed_uses].sort(),
        seconds: certificate.validity_period_hours * HOUR,
        isAuthority: certificate.is_ca_certificate ?? false,
        algorithm: saidAlgorithm(resource.tls_private_key[referred(request.private_key_pem)]),
        issuer: above === undefined ? name : referred(above),
      },
    ]),
  );
}

function saidSubject(block: any): Facts["subject"] {
  const { common_name: commonName, organization, organizational_unit: organizationalUnit, ...others } = block;
  const { country, locality, province } = others;
  return fieldsOf({ country, organization, organizationalUnit, locality, province, commonName });
}

function saidAlgorithm({ algorithm, rsa_bits: bits, ecdsa_curve: curve }: any): string {
  return `${algorithm}-${bits ?? curve}`;
}

/** The Terraform name in a reference. */
function referred(reference: string): string {
  return /^\$\{\w+\.([\w-]+)\.\w+\}$/.exec(reference)?.[1] ?? reference;
}

/** A line for each certificate that is missing or not asked for, and for each fact that is another than was asked. */
export function differences(asked: ReadonlyMap<string, Asked>, found: ReadonlyMap<string, Facts>): string[] {
  const surplus = [...found.keys()].filter((name) => !asked.has(name));
  return [
    ...surplus.map((name) => `${name}: nobody asked for it`),
    ...[...asked].flatMap(([name, { mayHave, ...wanted }]) => {
      const has = found.get(name);
      if (has === undefined) {
        return [`${name}: it is missing`];
      }
      const names = has.names.filter((one) => wanted.names.includes(one) || !mayHave.includes(one));
      const facts = { ...has, names };
      return (Object.keys(wanted) as (keyof Facts)[]).flatMap((key) => {
        const [is, should] = [JSON.stringify(facts[key]), JSON.stringify(wanted[key])];
        return is === should ? [] : [`${name}: ${key} is ${is}, not ${should}`];
      });
    }),
  ];
}
