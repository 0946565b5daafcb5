import { ChainedCertificate, chain, isSelfSigned, subjectText } from "./chain";
import { dateText } from "./date-text";
import { parseDuration } from "./duration";
import { publicPart } from "./pem";
import { CertificateSource, EXIT_CODES, StatusProblem, UNCHECKED } from "./source";
import { alternativeNamesOf, usagesOf } from "./usages";

/** Rises when a reader of the last version would misread the JSON. */
export const STATUS_SCHEMA_VERSION = 2;

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
  /** What it may be used for: key usage and extended key usage, by the tls provider's names. */
  readonly usages: readonly string[];
  /** Names and addresses that it is for. */
  readonly alternativeNames: readonly string[];
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

/**
 * Tells how long certificates still last, and what could not be checked.
 *
 * @param expiresIn when to call a certificate expiring; never, if undefined
 */
export function statusOf(source: CertificateSource, now: Date, expiresIn?: ExpiresIn): Status {
  const rows = chain(source).sort(byName);
  const statuses = (ca: boolean) =>
    rows.filter(({ certificate }) => certificate.ca === ca).map((row) => statusOfRow(row, source.keys, now));
  return {
    schemaVersion: STATUS_SCHEMA_VERSION,
    certificates: statuses(false),
    certificateAuthorities: statuses(true),
    problems: [...source.problems, ...rows.flatMap((row) => problemsOf(row, now, expiresIn))].sort(byName),
  };
}

/** The same, of the time alone; and what was taken out, a line each. */
export function withoutChecks(status: Status): { readonly status: Status; readonly notes: readonly string[] } {
  const isCheck = ({ kind }: StatusProblem) => EXIT_CODES[kind] === UNCHECKED;
  return {
    status: { ...status, problems: status.problems.filter((problem) => !isCheck(problem)) },
    notes: status.problems.filter(isCheck).map(({ name, message }) => `${name}: ${message}`),
  };
}

/**
 * 0 when all is fine, 3 when something is not valid now, 4 when something could not be checked or does not belong together, 2 when
 * something is expiring: the gravest of them, in this order.
 */
export function exitCodeOf({ problems }: Status): number {
  const kinds = new Set<string>(problems.map(({ kind }) => kind));
  return Object.entries(EXIT_CODES).find(([kind]) => kinds.has(kind))?.[1] ?? 0;
}

function statusOfRow(
  { name, certificate, issuer }: ChainedCertificate,
  keys: ReadonlySet<string>,
  now: Date,
): CertificateStatus {
  const end = new Date(certificate.validTo);
  const caName = isSelfSigned(certificate) ? undefined : (issuer?.name ?? subjectText(certificate.issuer));
  return {
    name,
    expirationDate: end.toISOString().replace(".000Z", "Z"),
    residualTime: Math.trunc((end.getTime() - now.getTime()) / 1000),
    ...(caName === undefined ? {} : { caName }),
    externallyManaged: !issuer || !keys.has(publicPart(issuer.certificate.publicKey)),
    missing: false,
    usages: usagesOf(certificate),
    alternativeNames: alternativeNamesOf(certificate),
  };
}

function problemsOf(
  { name, certificate, issuer, chainProblem }: ChainedCertificate,
  now: Date,
  expiresIn?: ExpiresIn,
): StatusProblem[] {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const issuerEnd = issuer ? Date.parse(issuer.certificate.validTo) : to;
  const problems: StatusProblem[] = chainProblem ? [chainProblem] : [];
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

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}
