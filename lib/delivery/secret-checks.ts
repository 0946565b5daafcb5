import { Token } from "cdktf";
import { Problems } from "../errors";
import { RFC_1123_SUBDOMAIN } from "../x509/host";

/** Finds a name that no Secret may have. */
export function checkSecretName(name: string, problems: Problems): void {
  if (!Token.isUnresolved(name) && !RFC_1123_SUBDOMAIN.test(name)) {
    problems.add({
      code: "secret-name",
      at: "name",
      given: name,
      allowed: "an RFC 1123 subdomain in lower case",
      fix: "use letters, digits, '-' and '.'",
    });
  }
}
