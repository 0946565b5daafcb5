import { PlannedResource, SIDES } from "../../terraform-json/plan";
import type { GenerationChange } from "./generations";
import { grantsOf } from "./grants";
import { certificatePem, exists, Identity, isSignedElsewhere, publicKeyPem } from "./identity";
import { isChanged, PlanModel } from "./model";
import { ruleTexts } from "./rules";

/** What happens to a thing, in the words of PKI and RBAC. */
export const VERBS = [
  // A key and a request, of which somebody else makes the certificate.
  "request",
  // Made where there was none: a certificate, the first generation of an authority, a token.
  "issue",
  // The same certificate with a later end, or a token whose time has come; a certificate keeps its key.
  "renew",
  // A new private key, or a new token before its time.
  "re-key",
  // The same key, another certificate: other names, usages, validity or issuer, or one that was signed again elsewhere.
  "re-issue",
  // Another generation of an authority or key pair that exists; or one that comes back from retirement.
  "introduce",
  // The generation signs from now on.
  "promote",
  // The generation leaves every bundle and file; its key is kept.
  "retire",
  // Gone, with its key.
  "remove",
  // A token that stops working.
  "revoke",
  "grant",
  "ungrant",
  // Another Terraform address, nothing else.
  "move",
  // Taken over from what exists.
  "import",
  // Changed in place, with the same key and certificate.
  "update",
] as const;

/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number];

/** Verbs of an identity in the order of the report; none where nothing happens to it. */
export function verbsOf(identity: Identity, model: PlanModel): Verb[] {
  const { parts } = identity;
  const verbs = VERBS_OF[identity.kind](identity, model);
  if (parts.some(({ previousAddress }) => previousAddress !== undefined)) {
    verbs.push("move");
  }
  if (parts.some(({ imported }) => imported)) {
    verbs.push("import");
  }
  return [...new Set(verbs)];
}

const VERBS_OF: Readonly<Record<Identity["kind"], (identity: Identity, model: PlanModel) => Verb[]>> = {
  authority: generationVerbs,
  "key pair": generationVerbs,
  certificate: certificateVerbs,
  token: tokenVerbs,
  binding: bindingVerbs,
  role: roleVerbs,
  secret: secretVerbs,
};

/** True where the private key after the plan is not the one before. */
export function isKeyReplaced({ key, request, anchor }: Identity): boolean {
  const { before, after } = key;
  if (before && after && before !== after) {
    return true;
  }
  const made = after?.change === "replace" || (after?.change === "create" && anchor.before !== undefined);
  return made || (request.after?.change === "replace" && request.after.replacePaths.includes("private_key_pem"));
}

/** True for a certificate that keeps its content although what it is made from changes: Terraform would not make it again. */
export function isStale({ anchor, request }: Identity): boolean {
  const { change, before, after } = anchor;
  if (anchor.row.role === "adopted") {
    return false;
  }
  if (change === "update") {
    const made = anchor.unknown as Record<string, unknown> | undefined;
    return made?.cert_pem !== true && SOURCES.some((name) => made?.[name] === true || before?.[name] !== after?.[name]);
  }
  const renamed = request.after !== anchor && request.after?.change === "replace";
  return change === "none" && anchor.planned && renamed;
}

const SOURCES = ["ca_cert_pem", "ca_private_key_pem", "cert_request_pem", "private_key_pem"];

/** True for an authority whose certificate or key is another one afterwards, at the same address. */
export function isReplacedInPlace(identity: Identity): boolean {
  const { anchor } = identity;
  if (anchor.row.role === "adopted" && anchor.change === "update") {
    const [before, after] = SIDES.map((side) => certificatePem(anchor, side) ?? publicKeyPem(anchor, side));
    return before !== undefined && before !== after;
  }
  return (
    anchor.change === "replace" || (exists(identity, "before") && exists(identity, "after") && isKeyReplaced(identity))
  );
}

function madeAgain(identity: Identity): Verb {
  if (isKeyReplaced(identity)) {
    return "re-key";
  }
  return identity.anchor.replacePaths.join() === "ready_for_renewal" ? "renew" : "re-issue";
}

/** One that is signed elsewhere comes back into what keeps its place. */
function verbsElsewhere(identity: Identity, { isBlocked }: PlanModel): Verb[] {
  const { anchor, parts } = identity;
  const [before, after] = SIDES.map((side) => certificatePem(anchor, side));
  if (anchor.change === "delete" || anchor.change === "forget") {
    return ["remove"];
  }
  if (before !== after) {
    return after === undefined ? ["request"] : before === undefined ? ["issue"] : [madeAgain(identity)];
  }
  if (!parts.some(isChanged) && !isBlocked(anchor)) {
    return [];
  }
  return after === undefined ? ["request"] : ["update"];
}

function certificateVerbs(identity: Identity, model: PlanModel): Verb[] {
  const { anchor, parts } = identity;
  if (isSignedElsewhere(anchor)) {
    return verbsElsewhere(identity, model);
  }
  const { isBlocked } = model;
  switch (anchor.change) {
    case "create":
      return ["issue"];
    case "delete":
    case "forget":
      return ["remove"];
    case "replace":
      return [madeAgain(identity)];
    default:
      if (isBlocked(anchor)) {
        return [madeAgain(identity)];
      }
      return parts.some(isChanged) ? ["update"] : [];
  }
}

function generationVerbs(identity: Identity, model: PlanModel): Verb[] {
  const { change, set } = model.generationOf(identity)!;
  const verbs: Verb[] = [];
  if (change.before === undefined && change.after !== undefined) {
    verbs.push(set.before.size > 0 ? "introduce" : "issue");
  } else if (change.after === undefined) {
    verbs.push(...(identity.parts.some(isChanged) ? (["remove"] as const) : []));
  } else if (isReplacedInPlace(identity)) {
    verbs.push(identity.kind === "key pair" ? "re-key" : madeAgain(identity));
  } else if (change.before === "retired" && change.after !== "retired") {
    verbs.push("introduce");
  } else if (model.isBlocked(identity.anchor)) {
    verbs.push(madeAgain(identity));
  } else if (identity.parts.some(isChanged)) {
    verbs.push("update");
  }
  if (isPromoted(change, set.generations)) {
    verbs.push("promote");
  }
  if (change.after === "retired" && change.before !== undefined && change.before !== "retired") {
    verbs.push("retire");
  }
  return verbs;
}

/** True where the generation signs afterwards instead of another one. */
export function isPromoted(
  change: Pick<GenerationChange, "before" | "after">,
  others: readonly GenerationChange[],
): boolean {
  return change.after === "active" && change.before !== "active" && others.some(({ before }) => before === "active");
}

function tokenVerbs({ anchor, parts }: Identity): Verb[] {
  if (anchor.before === undefined) {
    return anchor.after === undefined ? [] : ["issue"];
  }
  if (anchor.change === "delete" || anchor.change === "forget") {
    return ["revoke"];
  }
  const made = parts.some(
    ({ row, change }) =>
      row.role !== "rotation" && row.role !== "secret" && (change === "replace" || change === "create"),
  );
  if (made) {
    return [isRotated(parts) ? "renew" : "re-key"];
  }
  return parts.some(isChanged) ? ["update"] : [];
}

/** A rotation whose time has come is gone from the state, and made anew. */
export function isRotated(parts: readonly PlannedResource[]): boolean {
  return parts.some(({ row, change }) => row.role === "rotation" && (change === "create" || change === "replace"));
}

function bindingVerbs({ anchor, parts }: Identity): Verb[] {
  if (parts.length > 1) {
    return ["move"]; // It has another name, and what it was is gone.
  }
  const [before, after] = SIDES.map((side) => grantsOf(anchor, side).map(({ key }) => key));
  return accessVerbs(anchor, before!, after!);
}

function roleVerbs({ anchor }: Identity): Verb[] {
  const [before, after] = SIDES.map((side) => ruleTexts(anchor, side));
  return accessVerbs(anchor, before!, after!);
}

function accessVerbs(anchor: PlannedResource, before: readonly string[], after: readonly string[]): Verb[] {
  if (anchor.change === "none") {
    return [];
  }
  const [old, now] = [new Set(before), new Set(after)];
  const verbs: Verb[] = [
    ...(after.some((text) => !old.has(text)) ? (["grant"] as const) : []),
    ...(before.some((text) => !now.has(text)) ? (["ungrant"] as const) : []),
  ];
  return verbs.length > 0 || anchor.imported ? verbs : ["update"];
}

function secretVerbs({ anchor }: Identity, { isBlocked }: PlanModel): Verb[] {
  switch (anchor.change) {
    case "create":
      return ["issue"];
    case "delete":
    case "forget":
      return ["remove"];
    case "none":
      return isBlocked(anchor) ? ["update"] : [];
    default:
      return ["update"];
  }
}
