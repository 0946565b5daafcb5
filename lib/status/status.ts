import { createPublicKey, X509Certificate } from "node:crypto";
import { parseDuration } from "./duration";

/** Rises when a reader of the last version would misread the JSON. */
export const STATUS_SCHEMA_VERSION = 1;

/** A certificate, and what it is called where it was found. */
export interface NamedCertificate {
  readonly name: string;
  readonly certificate: X509Certificate;
}

/** What certificates are read from: files of a machine, or states. */
export interface CertificateSource {
  /** The best name of a certificate first, where it is there several times. */
  readonly found: readonly NamedCertificate[];
  /** The public part of each private key. */
  readonly keys: ReadonlySet<string>;
  /** What could not be looked at, and why. */
  readonly notes: readonly string[];
}

/**
 * How long a certificate still lasts, in kubeadm's words.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/apis/output/v1alpha3/types.go
 */
export interface CertificateStatus {
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly expirationDate: string;
  /** Seconds, negative after the end. */
  readonly residualTime: number;
  /** Name of the authority that signed it, or its subject where it was not found; missing when self-signed. */
  readonly caName?: string;
  /** True where the key that could renew it, the authority's, was not found. */
  readonly externallyManaged: boolean;
  /** Always false: what is not there has no name here. */
  readonly missing: boolean;
}

/** What is wrong with a certificate, or soon will be. */
export interface StatusProblem {
  readonly name: string;
  readonly kind: "expired" | "not-yet-valid" | "expiring" | "outlives-authority";
  readonly message: string;
}

/** How long everything still lasts: the document that `-o json` prints. */
export interface Status {
  readonly schemaVersion: typeof STATUS_SCHEMA_VERSION;
  /** Sorted by name, as all lists here. */
  readonly certificates: readonly CertificateStatus[];
  readonly certificateAuthorities: readonly CertificateStatus[];
  readonly problems: readonly StatusProblem[];
}

/** When a certificate counts as expiring. */
export interface ExpiresIn {
  /** As it was given. */
  readonly text: string;
  /** Milliseconds since 1970, all three. */
  isDue(notBefore: number, notAfter: number, now: number): boolean;
}

/**
 * Reads `30d`, `720h`, `1h30m`: the time that is left at most; or `66%`: the part of the lifetime that has passed at
 * least, as smallstep's `needs-renewal` counts.
 *
 * @returns undefined when it is neither
 * @see https://smallstep.com/docs/step-cli/reference/certificate/needs-renewal
 */
export function parseExpiresIn(text: string): ExpiresIn | undefined {
  const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]);
  if (percent <= 100) {
    return { text, isDue: (from, to, now) => (now - from) * 100 >= (to - from) * percent };
  }
  const left = parseDuration(text);
  return left === undefined ? undefined : { text, isDue: (_, to, now) => to - now <= left };
}

/** What a text holds of PEM. */
export interface PemContent {
  readonly certificates: readonly X509Certificate[];
  /** How many certificates could not be read. */
  readonly broken: number;
  /** The public part of each private key, to be compared with that of an authority. */
  readonly keys: readonly string[];
}

/** Reads certificates and keys. Of a private key nothing is kept. */
export function readPem(text: string): PemContent {
  const blocks = [...text.matchAll(/^-----BEGIN (CERTIFICATE|(?:EC |RSA )?PRIVATE KEY)-----[^]*?-----END \1-----/gm)];
  const pems = blocks.filter(([, label]) => label === "CERTIFICATE").map(([pem]) => pem);
  const certificates = pems.flatMap((pem) => orNone(() => new X509Certificate(pem)));
  const keys = blocks
    .filter(([, label]) => label !== "CERTIFICATE")
    .flatMap(([pem]) => orNone(() => publicPart(createPublicKey(pem))));
  return { certificates, broken: pems.length - certificates.length, keys };
}

/**
 * Tells how long certificates still last.
 *
 * @param found the first name of a certificate that has several stands
 * @param keys as {@link readPem} gives them
 * @param expiresIn when to call a certificate expiring; never, if undefined
 */
export function statusOf(
  found: readonly NamedCertificate[],
  keys: ReadonlySet<string>,
  now: Date,
  expiresIn?: ExpiresIn,
): Status {
  const all = distinct(found).sort((a, b) => compare(a.name, b.name));
  const authorities = all.filter(({ certificate }) => certificate.ca);
  const rows = all.map((entry) => ({ ...entry, issuer: issuerOf(entry.certificate, authorities) }));
  const statuses = (ca: boolean) =>
    rows.filter(({ certificate }) => certificate.ca === ca).map((row) => statusOfRow(row, keys, now));
  return {
    schemaVersion: STATUS_SCHEMA_VERSION,
    certificates: statuses(false),
    certificateAuthorities: statuses(true),
    problems: rows.flatMap((row) => problemsOf(row, now, expiresIn)),
  };
}

/** 0 when all is fine, 2 when something is expiring, 3 when something is not valid now. */
export function exitCodeOf({ problems }: Status): number {
  const kinds = new Set(problems.map(({ kind }) => kind));
  if (kinds.has("expired") || kinds.has("not-yet-valid")) {
    return 3;
  }
  return kinds.has("expiring") ? 2 : 0;
}

/** The two tables of `kubeadm certs check-expiration`, and what is wrong below them. */
export function statusText({ certificates, certificateAuthorities, problems }: Status): string {
  const cells = (row: CertificateStatus) => [row.name, dateText(row.expirationDate), shortDuration(row.residualTime)];
  const tables = [
    table(
      ["CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "CERTIFICATE AUTHORITY", "EXTERNALLY MANAGED"],
      certificates.map((row) => [...cells(row), row.caName ?? "", yesNo(row.externallyManaged)]),
    ),
    table(
      ["CERTIFICATE AUTHORITY", "EXPIRES", "RESIDUAL TIME", "EXTERNALLY MANAGED"],
      certificateAuthorities.map((row) => [...cells(row), yesNo(row.externallyManaged)]),
    ),
  ];
  const wrong = problems.map(({ name, message }) => [name, message]);
  return [...tables, ...(wrong.length > 0 ? [table(["PROBLEM WITH", "WHAT"], wrong)] : [])].join("\n");
}

interface Row extends NamedCertificate {
  /** Itself where it is self-signed; undefined where its authority was not found. */
  readonly issuer: NamedCertificate | undefined;
}

function statusOfRow({ name, certificate, issuer }: Row, keys: ReadonlySet<string>, now: Date): CertificateStatus {
  const end = new Date(certificate.validTo);
  const caName = isSelfSigned(certificate) ? undefined : (issuer?.name ?? printable(certificate.issuer));
  return {
    name,
    expirationDate: end.toISOString().replace(".000Z", "Z"),
    residualTime: Math.trunc((end.getTime() - now.getTime()) / 1000),
    ...(caName === undefined ? {} : { caName }),
    externallyManaged: !issuer || !keys.has(publicPart(issuer.certificate.publicKey)),
    missing: false,
  };
}

function problemsOf({ name, certificate, issuer }: Row, now: Date, expiresIn?: ExpiresIn): StatusProblem[] {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const issuerEnd = issuer ? Date.parse(issuer.certificate.validTo) : to;
  const problems: StatusProblem[] = [];
  if (now.getTime() > to) {
    problems.push({ name, kind: "expired", message: `expired on ${dateText(to)}` });
  } else if (now.getTime() < from) {
    problems.push({ name, kind: "not-yet-valid", message: `is not valid before ${dateText(from)}` });
  } else if (expiresIn?.isDue(from, to, now.getTime())) {
    const isPercent = expiresIn.text.endsWith("%");
    const message = isPercent ? `has used ${expiresIn.text} of its lifetime` : `expires within ${expiresIn.text}`;
    problems.push({ name, kind: "expiring", message });
  }
  if (issuer && issuerEnd < to) {
    const message = `ends after its authority ${issuer.name}, which ends on ${dateText(issuerEnd)}`;
    problems.push({ name, kind: "outlives-authority", message });
  }
  return problems;
}

function distinct(found: readonly NamedCertificate[]): NamedCertificate[] {
  const byFingerprint = new Map<string, NamedCertificate>();
  for (const entry of found) {
    const { fingerprint256 } = entry.certificate;
    if (!byFingerprint.has(fingerprint256)) {
      byFingerprint.set(fingerprint256, entry);
    }
  }
  return [...byFingerprint.values()];
}

/** The signature decides: an authority that was made anew has the subject of the one before it. */
function issuerOf(
  certificate: X509Certificate,
  authorities: readonly NamedCertificate[],
): NamedCertificate | undefined {
  return authorities
    .filter((authority) => isSignedBy(certificate, authority.certificate))
    .sort((a, b) => Date.parse(b.certificate.validTo) - Date.parse(a.certificate.validTo))[0];
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return isSignedBy(certificate, certificate);
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.issuer === authority.subject && certificate.verify(authority.publicKey);
}

function publicPart(key: X509Certificate["publicKey"]): string {
  return key.export({ type: "spki", format: "der" }).toString("base64");
}

/** Columns as Go's text/tabwriter makes them for kubeadm: at least 10 wide, 3 apart. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(7, ...lines.map((cells) => cells[column]!.length)) + 3);
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join("");
  return lines.map((cells) => `${line(cells).trimEnd()}\n`).join("");
}

/** `Jan 02, 2006 15:04 UTC` */
function dateText(date: string | number): string {
  const [, day, month, year, time] = new Date(date).toUTCString().split(" ");
  return `${month} ${day}, ${year} ${time!.slice(0, 5)} UTC`;
}

/**
 * One unit, the largest, as kubeadm rounds.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/util/duration/duration.go
 */
function shortDuration(seconds: number): string {
  const [hours, days] = [Math.trunc(seconds / 3600), Math.trunc(seconds / 86_400)];
  if (seconds < -1) {
    return "<invalid>";
  }
  if (seconds < 60) {
    return `${Math.max(seconds, 0)}s`;
  }
  if (seconds < 3600) {
    return `${Math.trunc(seconds / 60)}m`;
  }
  if (hours < 24) {
    return `${hours}h`;
  }
  return days < 365 ? `${days}d` : `${Math.trunc(days / 365)}y`;
}

/** A subject in one line. */
function printable(subject: string): string {
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  return subject.replace(/\n/g, ", ").replace(/[\x00-\x1f\x7f]/g, "?");
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function orNone<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch {
    return [];
  }
}
