import { text } from "../../terraform-json/json";
import { holdsPlaceholder, visible } from "../read/visible";
import { exists, Identity } from "./identity";
import { isChanged } from "./model";
import { ruleTexts } from "./rules";
import { hiddenOfToken } from "./tokens";

/** Attributes of a certificate beside its names and usages by which it is judged, and as a reader calls them. */
const OF_CERTIFICATES = Object.entries({
  is_ca_certificate: "whether it is an authority",
  validity_period_hours: "validity",
});

/** What rules of dangers need of an identity that the plan changes, and cannot read: nothing that is judged passes for being hidden. */
export function undecidedOf(identity: Identity): string[] {
  const { anchor, kind, parts } = identity;
  if (!exists(identity, "after") || !parts.some((part) => isChanged(part) || part.imported)) {
    return [];
  }
  const isHidden = (path: string) => holdsPlaceholder(visible(anchor, "after", path) ?? "");
  switch (kind) {
    case "authority":
    case "certificate": {
      const hidden = OF_CERTIFICATES.filter(([path]) => isHidden(path)).map(([, label]) => label);
      return [...hidden, ...hiddenKey(identity)];
    }
    case "key pair":
      return hiddenKey(identity);
    case "binding":
      return isHidden("metadata.namespace") ? ["namespace"] : [];
    case "role":
      return ruleTexts(anchor, "after").some(holdsPlaceholder) ? ["rules"] : [];
    case "token":
      return hiddenOfToken(identity);
    case "secret":
      return [];
  }
}

/** A key whose algorithm is not known, whether a resource of the plan makes it or it comes from elsewhere. */
function hiddenKey({ anchor, kind, key, request }: Identity): string[] {
  if (anchor.row.role === "adopted" && kind !== "certificate") {
    return [];
  }
  const made = key.after;
  if (!made) {
    return request.after && text(request.after.after?.private_key_pem) === undefined ? ["key algorithm"] : [];
  }
  const algorithm = visible(made, "after", "algorithm") ?? "";
  const size = visible(made, "after", algorithm === "RSA" ? "rsa_bits" : "ecdsa_curve") ?? "";
  return holdsPlaceholder(algorithm) || holdsPlaceholder(size) ? ["key algorithm"] : [];
}
