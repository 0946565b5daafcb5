// Nothing in here needs cdktf: the command line reads the same data.
import { PkiError } from "../errors";

/**
 * Refuses to make something of a certificate that is signed elsewhere, and not back yet.
 *
 * @param path construct path, or what was asked
 * @param name of the request
 * @throws PkiError always
 */
export function refuseUnsigned(path: string, name: string): never {
  const problem = {
    code: "unsigned",
    at: name,
    given: "a certificate that is signed elsewhere, and not back yet",
    allowed: "one that is there: Terraform has its key and its request",
    fix: "export --requests, have it signed, and give what comes back; leave out what needs it until then",
  };
  throw new PkiError(path, [problem]);
}
