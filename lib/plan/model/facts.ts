import { requestedNames, requestedSubject, requestsIn, valuesRequested } from "../../x509/certificate-request";
import type { PlannedResource, Side } from "../../terraform-json/plan";
import { LATER } from "../read/inventory";
import { holdsPlaceholder, NOT_SHOWN, visible, visibleList } from "../read/visible";
import { roleOf, subjectsOf } from "./grants";
import { certificatePem, Identity, isSignedElsewhere, issuerPem, parsedCertificate, requestPem } from "./identity";
import type { PlanModel } from "./model";
import { ruleTexts } from "./rules";
import { tokenFacts } from "./tokens";

/** What is known of a thing on one side of the plan, as far as it may be shown. */
export interface Facts {
  /** `CN=…, O=…`. */
  readonly subject?: string;
  /** Sorted. */
  readonly sans?: readonly string[];
  /** The provider's words: `server_auth`. Sorted. */
  readonly usages?: readonly string[];
  /** Who signs it, e.g. `kubernetes g1`; `itself`. */
  readonly issuer?: string;
  /** `ECDSA-P256`, `RSA-2048`. */
  readonly keyAlgorithm?: string;
  /** RFC 3339; missing where the certificate is still to be made. */
  readonly notAfter?: string;
  /** How long it is valid from the apply on that makes it. */
  readonly validityHours?: number;
  /** Before its end, from when on an apply renews it. */
  readonly earlyRenewalHours?: number;
  /** `ClusterRole/cluster-admin`. */
  readonly role?: string;
  /** `Group/system:nodes`, `User/jane`, `ServiceAccount/ns/name`. Sorted. */
  readonly subjects?: readonly string[];
  /** What a role lets somebody do: `get,list secrets`. Sorted. */
  readonly rules?: readonly string[];
  /** Of whoever authenticates with a bootstrap token, beside `system:bootstrappers`. Sorted. */
  readonly groups?: readonly string[];
  /** When a bootstrap token ends: RFC 3339. */
  readonly expires?: string;
  /** A Secret's `<namespace>/<name>`; a bootstrap token's is not shown, since it holds the token's id. */
  readonly object?: string;
}

/** Every rule asks for them. */
const KNOWN: Readonly<Record<Side, WeakMap<Identity, Facts>>> = { before: new WeakMap(), after: new WeakMap() };

/** What may be shown of a thing on one side; undefined where it is not there. */
export function factsOf(identity: Identity, side: Side, model: PlanModel): Facts | undefined {
  if (!identity.anchor[side]) {
    return undefined;
  }
  let facts = KNOWN[side].get(identity);
  if (!facts) {
    facts = readFacts(identity, side, model);
    KNOWN[side].set(identity, facts);
  }
  return facts;
}

function readFacts(identity: Identity, side: Side, model: PlanModel): Facts {
  const { anchor, kind } = identity;
  switch (kind) {
    case "authority":
    case "certificate":
      return defined(certificateFacts(identity, side, model));
    case "key pair":
      return defined({ keyAlgorithm: algorithmOf(identity.key[side], side) });
    case "binding":
      return defined({ role: roleOf(anchor, side), subjects: subjectsOf(anchor, side) });
    case "role":
      return defined({ rules: ruleTexts(anchor, side) });
    case "secret":
      return defined({ object: objectName(anchor, side) });
    case "token":
      return defined(tokenFacts(identity, side));
  }
}

/** `<namespace>/<name>` of a Kubernetes object. */
export function objectName(resource: PlannedResource, side: Side): string {
  const [namespace, name] = ["metadata.namespace", "metadata.name"].map((path) => visible(resource, side, path));
  return `${namespace ?? "default"}/${name ?? LATER}`;
}

/** The organization of a certificate's subject: the group of who shows it. */
export function organizationsOf(identity: Identity, side: Side): string[] {
  const request = identity.request[side];
  if (request) {
    return visibleList(request, side, "subject.organization");
  }
  return subjectPartsOf(identity, side, "O");
}

/** The common name of a certificate's subject: the user who shows it. */
export function commonNamesOf(identity: Identity, side: Side): string[] {
  const request = identity.request[side];
  return request ? visibleList(request, side, "subject.common_name") : subjectPartsOf(identity, side, "CN");
}

/** Of a request that comes from elsewhere: what is issued has all that it asks for. */
function subjectPartsOf({ anchor }: Identity, side: Side, field: "CN" | "O"): string[] {
  const certificate = parsedCertificate(certificatePem(anchor, side));
  const issued = certificate?.subject?.split("\n") ?? [];
  const own = issued.flatMap((line) => (line.startsWith(`${field}=`) ? [line.slice(field.length + 1)] : []));
  const asked = requestsIn(requestPem(anchor, side) ?? "").flatMap((request) =>
    request ? valuesRequested(request, field) : [],
  );
  return [...new Set([...own, ...asked])].map(printable);
}

function certificateFacts(identity: Identity, side: Side, model: PlanModel): Facts {
  const { anchor, request, issuer } = identity;
  const signed = issuer[side];
  const { subject, sans } = request[side] ? namesOf(request[side], side) : parsedNames(identity, side);
  return {
    subject,
    sans,
    usages: sorted(visibleList(anchor, side, anchor.row.madeOf?.uses ?? "allowed_uses")),
    issuer: signed ? model.title(signed) : issuerOutside(identity, side),
    keyAlgorithm: algorithmOf(identity.key[side], side),
    notAfter: notAfter(identity, side),
    validityHours: number(visible(anchor, side, "validity_period_hours")) ?? hoursElsewhere(anchor, side),
    earlyRenewalHours: number(visible(anchor, side, "early_renewal_hours")),
  };
}

/** How long what came back is valid, however much of that has passed. */
function hoursElsewhere(anchor: PlannedResource, side: Side): number | undefined {
  const certificate = isSignedElsewhere(anchor) ? parsedCertificate(certificatePem(anchor, side)) : undefined;
  const hours = certificate && (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 3_600_000;
  return hours === undefined || Number.isNaN(hours) ? undefined : Math.ceil(hours);
}

/** Who signs what no authority of the plan signs. */
function issuerOutside({ anchor }: Identity, side: Side): string | undefined {
  switch (anchor.row.role) {
    case "self-signed certificate":
      return "itself";
    case "adopted":
      return isSignedElsewhere(anchor) ? subjectOfIssuer(anchor, side) : undefined;
    case "certificate":
      return subjectOfIssuer(anchor, side);
    default:
      return undefined;
  }
}

function subjectOfIssuer(anchor: PlannedResource, side: Side): string | undefined {
  const pem = issuerPem(anchor, side);
  const issuer = parsedCertificate(pem)?.subject.split("\n").join(", ");
  return issuer ? printable(issuer) : missing(pem);
}

/** In UTC: the provider writes the local time of whoever applied. */
function notAfter({ anchor }: Identity, side: Side): string | undefined {
  const time = visible(anchor, side, "validity_end_time");
  if (time !== undefined) {
    return holdsPlaceholder(time) ? undefined : utc(time);
  }
  const pem = anchor.row.role === "adopted" ? certificatePem(anchor, side) : undefined;
  const end = parsedCertificate(pem)?.validTo;
  return end === undefined ? undefined : utc(end);
}

/** A day or an hour that no calendar has is no time. */
function utc(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? NOT_SHOWN : date.toISOString().replace(/\.\d+Z$/, "Z");
}

const FIELDS = [
  ["CN", "subject.common_name"],
  ["O", "subject.organization"],
  ["OU", "subject.organizational_unit"],
  ["C", "subject.country"],
  ["ST", "subject.province"],
  ["L", "subject.locality"],
] as const;

const NAMES = ["dns_names", "ip_addresses", "uris"];

function namesOf(request: PlannedResource, side: Side): Facts {
  const parts: string[] = [];
  for (const [short, path] of FIELDS) {
    for (const value of visibleList(request, side, path)) {
      parts.push(`${short}=${value}`);
    }
  }
  const sans = NAMES.flatMap((attribute) => visibleList(request, side, attribute));
  return { subject: parts.length > 0 ? parts.join(", ") : undefined, sans: sorted(sans) };
}

/** For a request that comes from elsewhere, and an authority from outside. */
function parsedNames({ anchor }: Identity, side: Side): Facts {
  const pem = certificatePem(anchor, side);
  const certificate = parsedCertificate(pem);
  const [request] = certificate ? [] : requestsIn(requestPem(anchor, side) ?? "");
  if (request) {
    return { subject: printable(requestedSubject(request)), sans: sorted(requestedNames(request).map(printable)) };
  }
  if (!certificate) {
    return anchor.row.role === "certificate" ? { subject: missing(pem) } : {};
  }
  const subject = certificate.subject?.split("\n").join(", ");
  const sans = certificate.subjectAltName?.split(", ").map((name) => name.replace(/^(DNS|IP Address|URI):/, ""));
  return { subject: subject && printable(subject), sans: sans && sorted(sans.map(printable)) };
}

/** Stands for what would be read of a certificate that is not there yet, or is none. */
function missing(pem: string | undefined): string {
  return pem === undefined ? LATER : NOT_SHOWN;
}

function printable(value: string): string {
  return /^[^\p{C}\p{Zl}\p{Zp}]{1,400}$/u.test(value) ? value : NOT_SHOWN;
}

/** `ECDSA-P256`, as the inventory writes it. */
function algorithmOf(key: PlannedResource | undefined, side: Side): string | undefined {
  const algorithm = key && visible(key, side, "algorithm");
  const size = key && algorithm && visible(key, side, algorithm === "RSA" ? "rsa_bits" : "ecdsa_curve");
  return algorithm && size && (algorithm === "RSA" || algorithm === "ECDSA") ? `${algorithm}-${size}` : algorithm;
}

function number(value: string | undefined): number | undefined {
  return value === undefined || holdsPlaceholder(value) ? undefined : Number(value);
}

function sorted(values: readonly string[]): string[] {
  return values.length < 2 ? [...values] : [...new Set(values)].sort();
}

/** Without fields that are not set. */
function defined(facts: Facts): Facts {
  const names = Object.keys(facts) as (keyof Facts)[];
  return names.every((name) => facts[name] !== undefined)
    ? facts
    : Object.fromEntries(names.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]]));
}
