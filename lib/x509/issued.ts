import { TerraformResource } from "cdktf";
import { LATER } from "../inventory-schema";
import { isExpression, resolvedIn, synthesized } from "../terraform/synthesized";
import { organizationsRequested, requestedNames, requestedSubject, requestsIn } from "./certificate-request";
import { Subject, SubjectFields } from "./subject";

/** What Terraform will put into a certificate: read from the synthesized resources, so that an Aspect or an escape hatch is seen. */
export interface Issued {
  /** `CN=…, O=…` */
  readonly subject: string;
  /** DNS names, then IP addresses; unresolved ones as `(known after apply)`. */
  readonly sans: readonly string[];
  /** `server`, `client`, `server, client`; other uses by the provider's names. */
  readonly usage: string;
  /** Undefined where Terraform fills it in. */
  readonly validityHours?: number;
  readonly earlyRenewalHours?: number;
}

/** Names of a subject's fields in Terraform. */
const SUBJECT_FIELDS: Readonly<Record<keyof SubjectFields, string>> = {
  commonName: "common_name",
  organization: "organization",
  organizationalUnit: "organizational_unit",
  country: "country",
  province: "province",
  locality: "locality",
};

/** Uses by the words of the documentation; those of keys go without saying. */
const USES: Readonly<Record<string, string | undefined>> = {
  server_auth: "server",
  client_auth: "client",
  digital_signature: undefined,
  key_encipherment: undefined,
};

/**
 * @param request the resource that has subject and names: a request, or a self-signed certificate itself; undefined where the request is text
 * @param certificate the resource that has validity and uses
 */
export function issued(request: TerraformResource | undefined, certificate: TerraformResource): Issued {
  const certified = argumentsOf(certificate);
  const names = request ? namesOf(request) : namesRequested(certificate);
  return {
    ...names,
    usage: textsOf(certificate, certified["allowed_uses"])
      .flatMap((use) => (use in USES ? (USES[use] ?? []) : [use]))
      .join(", "),
    ...hoursOf("validityHours", certified["validity_period_hours"]),
    ...hoursOf("earlyRenewalHours", certified["early_renewal_hours"]),
  };
}

/** What a certificate is made of; of one that is signed elsewhere, that is kept as data. */
function argumentsOf(certificate: TerraformResource): Readonly<Record<string, unknown>> {
  const { input, ...own } = synthesized(certificate);
  return typeof input === "object" && input !== null ? { ...own, ...input } : own;
}

/** Names in a certificate: DNS names, then IP addresses. */
export function sansOf(request: TerraformResource | undefined, certificate: TerraformResource): readonly string[] {
  return issued(request, certificate).sans;
}

function namesOf(request: TerraformResource): Pick<Issued, "subject" | "sans"> {
  const named = synthesized(request);
  const sans = [...textsOf(request, named["dns_names"]), ...textsOf(request, named["ip_addresses"])];
  return { subject: subjectOf(request, named), sans };
}

/** What a request from elsewhere asks for: the provider copies all of it. */
function namesRequested(certificate: TerraformResource): Pick<Issued, "subject" | "sans"> {
  const pem = argumentsOf(certificate)["cert_request_pem"];
  const [request] = typeof pem === "string" ? requestsIn(pem) : [];
  return request
    ? { subject: requestedSubject(request), sans: requestedNames(request) }
    : { subject: LATER, sans: [LATER] };
}

/** Hours that a certificate will be valid, as Terraform is told: a number, or an expression. */
export function validityOf(certificate: TerraformResource): number | string {
  const hours = resolvedIn(certificate, synthesized(certificate)["validity_period_hours"]);
  return typeof hours === "number" ? hours : String(hours);
}

/** Each O of a certificate's subject, the groups of who shows it; expressions where Terraform fills them in. */
export function organizationsOf(request: TerraformResource | undefined, certificate: TerraformResource): string[] {
  if (!request) {
    return organizationsRequested(String(argumentsOf(certificate)["cert_request_pem"]));
  }
  const { subject } = synthesized(request);
  // An escape hatch adds a block to those that are there.
  return blocksOf(subject).flatMap(
    ({ organization }) => (resolvedIn(request, organization) as string | undefined) ?? [],
  );
}

/** Algorithm and size of a key, by kubeadm's names: `ECDSA-P256`, `RSA-2048`. */
export function issuedKeyAlgorithm(key: TerraformResource): string {
  const { algorithm, rsa_bits, ecdsa_curve } = synthesized(key);
  return `${String(algorithm)}-${String(rsa_bits ?? ecdsa_curve)}`;
}

function subjectOf(request: TerraformResource, { subject }: Readonly<Record<string, unknown>>): string {
  const [block = {}] = blocksOf(subject);
  const fields = Object.entries(SUBJECT_FIELDS).map(([field, name]) => [
    field,
    shown(resolvedIn(request, block[name])),
  ]);
  return new Subject(Object.fromEntries(fields) as unknown as SubjectFields).toString();
}

function blocksOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? value : [value ?? {}]) as Readonly<Record<string, unknown>>[];
}

function textsOf(resource: TerraformResource, list: unknown): string[] {
  const values = resolvedIn(resource, list) ?? [];
  return Array.isArray(values) ? values.map((value) => shown(value) as string) : [LATER];
}

function shown(value: unknown): unknown {
  return isExpression(value) ? LATER : value;
}

function hoursOf<K extends string>(name: K, hours: unknown): Partial<Record<K, number>> {
  return typeof hours === "number" ? ({ [name]: hours } as Partial<Record<K, number>>) : {};
}
