import { holdsPlaceholder } from "../read/visible";
import { Facts, factsOf } from "./facts";
import { certificatePem, exists, Identity, publicKeyPem } from "./identity";
import { isChanged, PlanModel } from "./model";
import { undecidedOf } from "./undecided";

/** What decides who somebody is, and what they may do: by the names of facts, and as a reader calls it. */
const DECISIVE: Readonly<Partial<Record<keyof Facts, string>>> = {
  subject: "subject",
  sans: "alternative names",
  usages: "usages",
  issuer: "issuer",
  role: "role",
  subjects: "subjects",
};

/** What cannot be read of an identity that the plan changes, though it decides who somebody is or what they may do. */
export function unreadableOf(identity: Identity, model: PlanModel): string[] {
  const { anchor, request } = identity;
  const changes = [anchor, request.after].some((part) => part && (isChanged(part) || part.imported));
  if (!changes || !exists(identity, "after")) {
    return undecidedOf(identity);
  }
  const facts = factsOf(identity, "after", model) ?? {};
  const hidden = Object.entries(DECISIVE).flatMap(([fact, label]) =>
    [facts[fact as keyof Facts] ?? []].flat().some((value) => holdsPlaceholder(String(value))) ? [label] : [],
  );
  return [...new Set([...hidden, ...unreadablePem(identity), ...undecidedOf(identity)])];
}

/** An authority or a key pair from outside whose text is still to come. */
function unreadablePem({ kind, anchor }: Identity): string[] {
  if (anchor.row.role !== "adopted") {
    return [];
  }
  const pem = kind === "authority" ? certificatePem : publicKeyPem;
  return pem(anchor, "after") === undefined ? [kind === "authority" ? "certificate" : "public key"] : [];
}
