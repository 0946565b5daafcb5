import type { X509Certificate } from "node:crypto";
import type { CertificateSource, NamedCertificate, StatusProblem } from "./source";
import { usagesOf } from "./usages";

/** A certificate with the one that signed it. */
export interface ChainedCertificate extends NamedCertificate {
  /** Itself where it is self-signed; undefined where its authority was not found. */
  readonly issuer: NamedCertificate | undefined;
  /** Why nobody who looks at what was found would accept it. */
  readonly chainProblem: StatusProblem | undefined;
}

/**
 * Finds who signed what. The signature decides: an authority that was made anew has the subject of the one before it.
 *
 * @returns every certificate that was found, once
 */
export function chain({ found, retired = [], elsewhere = [] }: CertificateSource): ChainedCertificate[] {
  const standings = new Map<string, Set<NamedCertificate["standing"]>>();
  const distinct = new Map<string, NamedCertificate>();
  for (const entry of found) {
    const { fingerprint256 } = entry.certificate;
    const own = standings.get(fingerprint256) ?? new Set();
    standings.set(fingerprint256, own.add(entry.standing));
    distinct.set(fingerprint256, distinct.get(fingerprint256) ?? entry);
  }
  const all = [...distinct.values()];
  // An authority of the first version of X.509 does not say that it is one.
  const isAuthority = ({ certificate }: NamedCertificate) =>
    certificate.ca || certificate.subject === certificate.issuer;
  const authorities = [...all, ...elsewhere].filter(isAuthority);
  return all.map((entry) => {
    const issuer = issuerOf(entry.certificate, authorities);
    const places = [...standings.get(entry.certificate.fingerprint256)!];
    return { ...entry, issuer, chainProblem: issuer ? undefined : problemOf(entry, places, authorities, retired) };
  });
}

/** Tells whether a certificate is signed with its own key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return isSignedBy(certificate, certificate);
}

/** A subject or issuer in one line. */
export function subjectText(subject: string): string {
  return subject.replaceAll("\n", ", ");
}

function issuerOf(
  certificate: X509Certificate,
  authorities: readonly NamedCertificate[],
): NamedCertificate | undefined {
  return authorities
    .filter((authority) => isSignedBy(certificate, authority.certificate))
    .sort((a, b) => Date.parse(b.certificate.validTo) - Date.parse(a.certificate.validTo))[0];
}

function problemOf(
  { name, certificate }: NamedCertificate,
  places: readonly NamedCertificate["standing"][],
  authorities: readonly NamedCertificate[],
  retired: readonly NamedCertificate[],
): StatusProblem | undefined {
  const namesake = authorities.find((authority) => authority.certificate.subject === certificate.issuer);
  if (namesake?.certificate === certificate) {
    return { name, kind: "chain-mismatch", message: "says that it signed itself, and has not" };
  }
  if (namesake && !issuerOf(certificate, retired)) {
    return { name, kind: "chain-mismatch", message: `names ${namesake.name} as its authority, which did not sign it` };
  }
  // What is trusted needs nobody above it: the root of an intermediate may be elsewhere.
  if (certificate.ca && places.includes("trusted")) {
    return undefined;
  }
  const past = issuerOf(certificate, retired);
  if (past) {
    return { name, kind: "issuer-missing", message: `is signed by ${past.name}, which is retired: nobody trusts it` };
  }
  // Who shows it to a server need not have what the server trusts; where another generation of that is, its own should be.
  const isClient = places.every((place) => place === "kubeconfig's user") || isForClientsAlone(certificate);
  if (isClient && !authorities.some((authority) => hasCommonName(authority.certificate, certificate))) {
    return undefined;
  }
  return { name, kind: "issuer-missing", message: `its authority is not there: ${subjectText(certificate.issuer)}` };
}

function isForClientsAlone(certificate: X509Certificate): boolean {
  const usages = usagesOf(certificate);
  return usages.includes("client_auth") && !usages.includes("server_auth") && !usages.includes("any_extended");
}

/** Generations of an authority differ in another part of their subjects. */
function hasCommonName(authority: X509Certificate, { issuer }: X509Certificate): boolean {
  const commonName = (subject: string) => /^CN=.*$/m.exec(subject)?.[0];
  return commonName(issuer) !== undefined && commonName(authority.subject) === commonName(issuer);
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  if (certificate.issuer !== authority.subject) {
    return false;
  }
  try {
    return certificate.verify(authority.publicKey);
  } catch {
    return false;
  }
}
