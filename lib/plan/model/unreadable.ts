import { holdsPlaceholder } from "../read/visible";
import { Facts, factsOf } from "./facts";
import { certificatePem, exists, Identity, publicKeyPem } from "./identity";
import { isChanged, PlanModel } from "./model";
import { undecidedOf } from "./undecided";

/** What decides who somebody is, and what they may do: by the names of facts, and as a reader calls it. */
const DECISIVE = Object.entries({
  subject: "subject",
  sans: "alternative names",
  usages: "usages",
  issuer: "issuer",
  role: "role",
  subjects: "subjects",
} satisfies Partial<Record<keyof Facts, string>>) as readonly (readonly [keyof Facts, string])[];

/** What cannot be read of an identity that the plan changes, though it decides who somebody is or what they may do. */
export function unreadableOf(identity: Identity, model: PlanModel): string[] {
  const { anchor, request } = identity;
  const changes = [anchor, request.after].some((part) => part && (isChanged(part) || part.imported));
  if (!changes || !exists(identity, "after")) {
    return undecidedOf(identity);
  }
  const facts = factsOf(identity, "after", model) ?? {};
  const hidden = DECISIVE.filter(([fact]) => isHidden(facts[fact])).map(([, label]) => label);
  return [...new Set([...hidden, ...unreadablePem(identity), ...undecidedOf(identity)])];
}

function isHidden(fact: Facts[keyof Facts]): boolean {
  return Array.isArray(fact) ? fact.some(holdsPlaceholder) : typeof fact === "string" && holdsPlaceholder(fact);
}

/** An authority or a key pair from outside whose text is still to come. */
function unreadablePem({ kind, anchor }: Identity): string[] {
  if (anchor.row.role !== "adopted" || kind === "certificate") {
    return [];
  }
  const pem = kind === "authority" ? certificatePem : publicKeyPem;
  return pem(anchor, "after") === undefined ? [kind === "authority" ? "certificate" : "public key"] : [];
}
