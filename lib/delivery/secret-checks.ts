import { Token } from "cdktf";
import { Problems } from "../errors";
import { RFC_1123_SUBDOMAIN } from "../x509/host";

/** Finds a namespace that the API server would refuse. */
export function checkNamespace(namespace: string, problems: Problems): void {
  if (!Token.isUnresolved(namespace) && (!RFC_1123_SUBDOMAIN.test(namespace) || namespace.includes("."))) {
    const allowed = "an RFC 1123 label in lower case, at most 63 bytes";
    problems.add({
      code: "namespace",
      at: "namespace",
      given: namespace,
      allowed,
      fix: "use the namespace's own name",
    });
  }
}

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
