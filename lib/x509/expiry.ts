import { problemText } from "../errors";
import { X509Certificate } from "node:crypto";
import { literalCertificates, nameOf } from "./pem";

/**
 * What to tell of literal certificates that are not valid today.
 *
 * With those below the one place of the constructs that reads a clock. It only refuses, in a validation, after everything was built: equal input
 * still gives equal output. A precondition of Terraform could not do it, since it runs where nothing changes, too.
 *
 * @param path of the authority
 */
export function invalidToday(certificates: readonly X509Certificate[], path: string): string[] {
  const now = today();
  return certificates.flatMap((certificate) => {
    const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    const problem = (code: string, given: string) =>
      problemText({
        code,
        at: path,
        given: `${nameOf(certificate)}, ${given}`,
        allowed: "certificates that are valid now",
        fix: "make another generation active",
      });
    if (to.getTime() < now) {
      return [problem("pem-expired", `which ended ${to.toISOString()}`)];
    }
    return from.getTime() > now ? [problem("pem-not-yet-valid", `which begins ${from.toISOString()}`)] : [];
  });
}

/**
 * What to tell of a certificate that would outlive a literal authority if it was issued today.
 *
 * Refused like one that has expired: the authority will not change, and whatever needs the certificate would stop with it.
 *
 * @param hours of the certificate
 * @param end of its authority, or of the first of those above it
 */
export function outlivesToday(hours: number, end: Date, path: string): string[] {
  const left = Math.floor((end.getTime() - today()) / 3_600_000);
  // One that has ended is told once, of the authority.
  return left < 0 || hours <= left
    ? []
    : [
        problemText({
          code: "leaf-outlives-authority",
          at: path,
          given: `${hours} hours`,
          allowed: `less than the ${left} hours until its authority, or one above it, ends: ${end.toISOString()}`,
          fix: "shorten it, or make another generation of the authority active",
        }),
      ];
}

/** What to tell of a certificate that was signed elsewhere and is not valid today, as of an authority. */
export function signedInvalidToday(pem: string, path: string): string[] {
  const now = today();
  const problem = (code: string, given: string) =>
    problemText({
      code,
      at: path,
      given,
      allowed: "a certificate that is valid now",
      fix: "have its request signed again, and give what comes back",
    });
  return literalCertificates(pem).flatMap(({ fields: { notBefore, notAfter } }) => {
    if (notAfter.getTime() < now) {
      return [problem("signed-expired", `one that ended ${notAfter.toISOString()}`)];
    }
    return notBefore.getTime() > now
      ? [problem("signed-not-yet-valid", `one that begins ${notBefore.toISOString()}`)]
      : [];
  });
}

function today(): number {
  return Date.now();
}
