import { object, own } from "../../../terraform-json/json";
import { SIDES } from "../../../terraform-json/plan";
import { fingerprintsOutput, title } from "../../../terraform/names";
import { factsOf } from "../../model/facts";
import { certificatePem, exists, Identity, issuerPem, parsedCertificate } from "../../model/identity";
import type { PlanModel } from "../../model/model";
import { isKeyReplaced, isPromoted, isReplacedInPlace } from "../../model/verbs";
import { visible } from "../../read/visible";
import type { DangerCode } from "../danger";
import { Evidence, Generation, ofGenerations, ofTableRows, Row, TableRow } from "./row";

const signedBefore = ({ identity }: Generation, { model }: Evidence) =>
  model.titles(model.signedBy.before.get(identity));
const signedAfter = ({ identity }: Generation, { model }: Evidence) => model.titles(model.signedBy.after.get(identity));

/** Dangers of authorities and key pairs, and of what keeps them from being lost. */
export const GENERATION_DANGERS = {
  "authority-replaced": ofGenerations({
    help: "An authority becomes another one at the same address: all it signed stops being trusted at once.",
    when: (generation) => wasAuthority(generation) && becomesAnother(generation),
    message: ({ identity }, { model }) =>
      keepsSubjectAndKey(identity, model)
        ? "The authority gets another certificate at the same address, and all it signed is signed again in the same apply."
        : "The authority becomes another one at the same address: all it signed stops being trusted at once, with no overlap.",
    fix: "leave this generation as it is, introduce another one, deliver, then promote that",
    reaches: signedBefore,
  }),
  "generation-not-retired": ofGenerations({
    help: "A generation that was not retired in an earlier apply is removed, with its key: there is no way back.",
    when: (generation) => isRemovedInUse(generation) && hasState(generation),
    message: ({ before }) =>
      `The generation is removed although it was ${before}, not retired in an earlier apply: its key is gone, and there is no way back.`,
    fix: "mark it retired, apply and deliver; remove it from the code after that",
    reaches: signedBefore,
  }),
  "introduced-and-promoted": ofGenerations({
    help: "A generation is introduced, or comes back, and is promoted in one change: nobody trusts it when it starts to sign.",
    when: isIntroducedAndPromoted,
    message: ({ before }) =>
      `The generation ${before === "retired" ? "comes back from retirement" : "is introduced"} and is promoted in one change: ` +
      "who has not got it yet refuses what it signs.",
    fix: "introduce it as trusted, deliver everywhere, and promote it in a later change",
    reaches: signedAfter,
  }),
  "issuer-not-delivered": ofGenerations({
    help: "What exists is signed by an authority that this plan makes, or one that existed is made anew: nobody trusts it yet.",
    when: (generation, evidence) =>
      isMade(generation) &&
      !isIntroducedAndPromoted(generation) &&
      (existedBefore(generation, evidence) || signedAnew(generation, evidence).length > 0),
    message: (generation, evidence) =>
      existedBefore(generation, evidence)
        ? "It is made anew although it existed, as where a state was lost: what it signed before is refused, and what it signs is trusted by nobody."
        : "The authority is made in this plan and signs what exists at once: who has not got its certificate yet refuses all of it.",
    fix: (generation, evidence) =>
      existedBefore(generation, evidence)
        ? "restore the state from its backup; for a new one on purpose, introduce another generation"
        : "make the authority first, deliver its certificate, and let it sign in a later change",
    reaches: (generation, { model }) => model.titles(model.signedBy.after.get(generation.identity)),
  }),
  "trust-removed": ofGenerations({
    help: "Trust in a generation is removed while something it signed is still in use.",
    when: (generation, evidence) => isRetiredInUse(generation, evidence) || isForgottenInUse(generation, evidence),
    message: ({ identity }) =>
      identity.kind === "key pair"
        ? "The key pair is retired in the change in which another starts to sign: what it signed, tokens of service accounts say, is refused at once."
        : "Trust in the generation is removed while what it signed is still in use: until all of that is delivered anew, it is refused.",
    fix: "promote the next generation and deliver first; retire this one in a later change",
    reaches: signedBefore,
  }),
  "retired-too-soon": ofGenerations({
    help: "A generation is retired while a node may still have a certificate that the cluster itself signed with it.",
    when: (generation, evidence) => nodesUntil(generation, evidence) !== undefined,
    message: (generation, evidence) =>
      `The cluster itself signs nodes' certificates with the authority, and ${nodesUntil(generation, evidence)}: ` +
      "such a node is refused from the delivery on, and needs somebody who lets it join again.",
    fix: "wait until every node's certificate is of the next generation, or let each node renew it: kubernetes-pki verify --kubeconfig says whose is; then acknowledge this, and say how that was seen",
  }),
  "key-destroyed": ofGenerations({
    help: "The private key of an authority or of a key pair is destroyed.",
    when: (generation) =>
      (generation.identity.kind === "key pair" && becomesAnother(generation)) ||
      (isRemovedInUse(generation) && !hasState(generation)),
    message: (generation) =>
      becomesAnother(generation)
        ? "The key pair becomes another one at the same address: what it signed does not verify any more."
        : "Its private key is destroyed: nothing can be signed with it any more, and there is no way back.",
    fix: (generation) =>
      becomesAnother(generation)
        ? "leave this generation as it is, introduce another one, deliver, then promote that"
        : "keep it until nothing uses it",
    reaches: signedBefore,
  }),
  "protection-removed": ofGenerations({
    help: "Nothing keeps a generation from being destroyed any more, or its fingerprint is no longer in the code.",
    when: (generation, evidence) => guardsTakenAway(generation, evidence).length > 0,
    message: (generation, evidence) => `From now on, ${guardsTakenAway(generation, evidence).join(", and ")}.`,
    fix: "leave deletionProtection and fingerprints as they are; to destroy a generation, retire it first",
  }),
  "exception-added": ofTableRows({
    help: "A distribution's table may break a rule that it kept until now: exceptions or breakGlass of a row.",
    when: (row, evidence) => exceptionsAdded(row, evidence).length > 0,
    message: (row, evidence) =>
      `The table allows this row what it did not allow before: ${exceptionsAdded(row, evidence).join(", ")}.`,
    fix: "change a table in a change of its own, and read the reason that the row gives",
  }),
} satisfies Partial<Record<DangerCode, Row>>;

/** Whether it was destroyed by the plan; what Terraform lets go of is still there. */
export function isDestroyed({ parts }: Identity): boolean {
  return parts.some(({ change }) => change === "delete" || change === "replace");
}

/** What becomes one is no authority that anybody trusts. */
function wasAuthority({ identity: { kind, anchor } }: Generation): boolean {
  const said = visible(anchor, "before", "is_ca_certificate");
  return kind === "authority" && (anchor.row.role === "adopted" || said !== "false");
}

function becomesAnother({ identity, before, after }: Generation): boolean {
  return before !== undefined && after !== undefined && isReplacedInPlace(identity);
}

function isRemovedInUse({ identity, before, after }: Generation): boolean {
  return before !== undefined && after === undefined && before !== "retired" && isDestroyed(identity);
}

/** A user's own key or authority may have no generations, and where one stands may not be known. */
function hasState({ identity, before }: Generation): boolean {
  return identity.name.generation !== undefined && before !== "present";
}

/** The same subject and key still verify what was signed with them, once the new certificate is delivered. */
function keepsSubjectAndKey(identity: Identity, model: PlanModel): boolean {
  const [before, after] = SIDES.map((side) => factsOf(identity, side, model)?.subject);
  return !isKeyReplaced(identity) && before === after && identity.anchor.row.role !== "adopted";
}

function isIntroducedAndPromoted(generation: Generation): boolean {
  const { before, after, others } = generation;
  return (before === undefined || before === "retired") && after === "active" && isPromoted(generation, others());
}

/** Made by this plan, and not brought from outside. */
function isMade({ identity, before, after }: Generation): boolean {
  return before === undefined && after !== undefined && !exists(identity, "before");
}

/**
 * Its fingerprint is in the code or in the state's outputs, or somebody deleted it: there was one. What an apply did not come to has none.
 * What is from outside is made nowhere.
 */
function existedBefore({ identity }: Generation, { model }: Evidence): boolean {
  const { name, parts, anchor, entry } = identity;
  if (anchor.row.role === "adopted") {
    return false;
  }
  const isPinned =
    (entry !== undefined && "pinned" in entry && entry.pinned) || guarded("pinned", "after", identity, model);
  const fingerprints = object(model.plan.outputs.get(fingerprintsOutput(name.cluster ?? ""))?.before);
  const wasThere = fingerprints[title({ ...name, cluster: undefined })] !== undefined;
  return isPinned || wasThere || parts.some((part) => model.isGone(part));
}

/** What exists and gets another issuer: this one. */
function signedAnew({ identity }: Generation, { model }: Evidence): Identity[] {
  const own = certificatePem(identity.anchor, "after");
  const signed = model.signedBy.after.get(identity) ?? [];
  return signed.filter(
    (leaf) => exists(leaf, "before") && (own === undefined || issuerPem(leaf.anchor, "before") !== own),
  );
}

function isRetiredInUse({ identity, before, after, others }: Generation, { model }: Evidence): boolean {
  if (after !== "retired" || (before !== "active" && before !== "trusted")) {
    return false;
  }
  // Who signed last has signed what is in use, though nobody knows what that is: tokens, or what a distribution issues.
  const isReplaced = before === "active" && others().some((other) => other.after === "active");
  return isReplaced || (identity.kind === "authority" && model.signedBy.before.has(identity));
}

/**
 * Until when a node may have a certificate of a generation that is retired, in words; undefined where none can. Its successor has signed
 * since the oldest certificate that is in use was issued: on that day, all of them were signed anew.
 */
function nodesUntil({ identity, before, after, others }: Generation, { model }: Evidence): string | undefined {
  const hours = identity.kind === "authority" ? hoursForNodes(identity, model) : undefined;
  if (hours === undefined || before !== "trusted" || after !== "retired") {
    return undefined;
  }
  const signing = others().find((other) => other.before === "active");
  const signed = (signing && model.signedBy.before.get(signing.identity)) ?? [];
  const starts = signed.flatMap((leaf) => startOf(leaf) ?? []);
  if (starts.length === 0 || starts.length < signed.length || model.plan.plannedAt === undefined) {
    return `nothing here tells since when another one signs: it has to be ${hours} hours`;
  }
  const promoted = Math.min(...starts);
  const isNext = (startOf(identity) ?? 0) > promoted;
  const end = promoted + hours * 3_600_000;
  // One that was introduced after all that is in use was signed has never signed anything.
  return isNext || end <= Date.parse(model.plan.plannedAt)
    ? undefined
    : `one that this generation signed may be valid until ${new Date(end).toISOString().replace(/\.\d+/, "")}`;
}

/** Hours that the cluster's own signatures for nodes are valid: the longest that is known. */
function hoursForNodes({ name: { cluster = "", name } }: Identity, { published }: PlanModel): number | undefined {
  const known = SIDES.flatMap((side) => own(published.guardsOf(side, cluster)?.signsNodesFor ?? {}, name) ?? []);
  return known.length > 0 ? Math.max(...known) : undefined;
}

/** When a certificate that is in use began to be valid; undefined where it cannot be read. */
function startOf({ anchor }: Identity): number | undefined {
  const certificate = parsedCertificate(certificatePem(anchor, "before"));
  return certificate && Date.parse(certificate.validFrom);
}

/** Terraform lets go of it, and what stays in the plan no longer trusts it. */
function isForgottenInUse({ identity, before, after }: Generation, { model }: Evidence): boolean {
  const { anchor, kind, name } = identity;
  const wasTrusted = before === "active" || before === "trusted";
  if (anchor.change !== "forget" || !wasTrusted || after !== undefined || kind !== "authority") {
    return false;
  }
  const isPublished =
    model.published.stateOf("before", kind, name) !== undefined &&
    model.published.stateOf("after", kind, name) === undefined;
  return isPublished && (model.signedBy.before.get(identity) ?? []).some((leaf) => exists(leaf, "after"));
}

/** What kept a generation that stays from being lost, and no longer does, in words. */
function guardsTakenAway({ identity, before, after }: Generation, { model }: Evidence): string[] {
  if (before === undefined || after === undefined || after === "retired") {
    return [];
  }
  const is = (guard: "unprotected" | "pinned") => SIDES.map((side) => guarded(guard, side, identity, model));
  const [[wasUnprotected, isUnprotected], [wasPinned, isPinned]] = [is("unprotected"), is("pinned")];
  return [
    // A retired one may be destroyed, and is never said to be protected.
    ...(wasUnprotected === false && isUnprotected && before !== "retired" ? ["a plan may destroy it"] : []),
    ...(wasPinned && isPinned === false
      ? ["nothing notices that it is another one: its fingerprint is not in the code"]
      : []),
  ];
}

/** Undefined where its cluster does not say. */
function guarded(
  guard: "unprotected" | "pinned",
  side: (typeof SIDES)[number],
  { name: { cluster = "", name, generation } }: Identity,
  { published }: PlanModel,
): boolean | undefined {
  return published.guardsOf(side, cluster)?.[guard].includes(title({ name, generation }));
}

/** Codes of rules that a row may break from now on; none where nobody said before what it may. */
function exceptionsAdded({ cluster, name }: TableRow, { model }: Evidence): string[] {
  const [before, after] = SIDES.map((side) => model.published.guardsOf(side, cluster)?.exceptions);
  const inventoried = model.entries.inventories
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.cluster === cluster && entry.name === name)
    .flatMap(({ exceptions = [] }) => exceptions.map(({ code }) => code));
  const codes = [...new Set([...(after?.[name] ?? []), ...inventoried])];
  return before === undefined ? [] : codes.filter((code) => !before[name]?.includes(code)).sort();
}
