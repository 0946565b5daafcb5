import { problemText } from "../errors";
import { X509Certificate } from "node:crypto";
import { nameOf } from "./pem";

/**
 * What to tell of literal certificates that are not valid today.
 *
 * The one place of the constructs that reads a clock. It only refuses, in a validation, after everything was built: equal input
 * still gives equal output. A precondition of Terraform could not do it, since it runs where nothing changes, too.
 *
 * @param path of the authority
 */
export function invalidToday(certificates: readonly X509Certificate[], path: string): string[] {
  const now = Date.now();
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
