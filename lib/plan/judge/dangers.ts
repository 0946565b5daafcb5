import { SIDES } from "../../terraform-json/plan";
import { factsOf, organizationsOf } from "../model/facts";
import type { GenerationChange } from "../model/generations";
import { exists, Identity } from "../model/identity";
import { isChanged, PlanModel } from "../model/model";
import { unreadableOf } from "../model/unreadable";
import { grantsOf, isKeyReplaced, isPromoted, isReplacedInPlace, isStale } from "../model/verbs";
import type { Danger, DangerCode } from "./danger";

/** What is looked at: the model, and what the caller knows of the pipeline. */
export interface Judged {
  readonly model: PlanModel;
  /** Hours until the plan is made again; undefined where nobody said. */
  readonly nextRunHours?: number;
}

/** A kind of danger that things of one sort may be in. */
interface Rule<T> {
  /**
   * What `--help` says of it, for all of them.
   * @default - another rule of the row says it
   */
  readonly help?: string;
  /** True where the thing is in danger. */
  readonly when: (thing: T, judged: Judged) => boolean;
  readonly message: string | ((thing: T, judged: Judged) => string);
  readonly fix: string | ((thing: T, judged: Judged) => string);
  /**
   * Titles of what it reaches.
   * @default - nothing else
   */
  readonly reaches?: (thing: T, judged: Judged) => readonly string[];
  /**
   * What of it cannot be read.
   * @default - that is not what is wrong
   */
  readonly attributes?: (thing: T, judged: Judged) => readonly string[];
}

/** A row of {@link DANGERS}. */
interface Row {
  readonly help: string;
  readonly find: (judged: Judged) => readonly Omit<Danger, "code">[];
}

/** A generation of an authority or a key pair. */
interface Generation extends Pick<GenerationChange, "identity" | "before" | "after"> {
  /** Of the same set. */
  readonly others: () => readonly GenerationChange[];
}

function ofGenerations(rule: Rule<Generation>): Row {
  return row(
    rule,
    ({ sets }) =>
      sets.flatMap((set) =>
        set.generations.map((change) => {
          const { identity, before, after } = change;
          // Only where somebody asks: of many generations, each would have a list of all others.
          const others = () => set.generations.filter((other) => other !== change);
          return { identity, before, after, others };
        }),
      ),
    ({ identity }) => identity,
  );
}

function ofIdentities(rule: Rule<Identity>): Row {
  return row(
    rule,
    ({ identities }) => identities,
    (identity) => identity,
  );
}

function ofThePlan(rule: Rule<PlanModel>): Row {
  return row(
    rule,
    (model) => [model],
    () => undefined,
  );
}

/** A danger that things of several sorts may be in. */
function either(first: Row, ...more: readonly Row[]): Row {
  return { help: first.help, find: (judged) => [first, ...more].flatMap(({ find }) => find(judged)) };
}

/**
 * @param things what the rule is asked of
 * @param about whose title the danger has
 */
function row<T>(
  { help = "", when, message, fix, reaches, attributes }: Rule<T>,
  things: (model: PlanModel) => readonly T[],
  about: (thing: T) => Identity | undefined,
): Row {
  const find = (judged: Judged) =>
    things(judged.model)
      .filter((thing) => when(thing, judged))
      .map((thing) => {
        const identity = about(thing);
        return {
          ...(identity === undefined ? {} : { name: judged.model.title(identity) }),
          message: typeof message === "string" ? message : message(thing, judged),
          fix: typeof fix === "string" ? fix : fix(thing, judged),
          reaches: reaches?.(thing, judged) ?? [],
          ...(attributes ? { attributes: attributes(thing, judged) } : {}),
        };
      });
  return { help, find };
}

const signedBefore = ({ identity }: Generation, { model }: Judged) => model.titles(model.signedBy.before.get(identity));
const signedAfter = ({ identity }: Generation, { model }: Judged) => model.titles(model.signedBy.after.get(identity));

/** All dangers, a row each, in the order of a report. */
export const DANGERS: Readonly<Record<DangerCode, Row>> = {
  "plan-failed": ofThePlan({
    help: "The plan failed: nothing of it can be applied.",
    when: ({ plan }) => plan.errored,
    message: (model) =>
      refusedBy(model).length === 0
        ? "The plan failed: nothing of it can be applied, and what comes after the failure is not in it."
        : `The plan failed, as it should where prevent_destroy protects what would be destroyed: ${refusedBy(model).join(", ")}. ` +
          "Nothing of it can be applied. What comes after is not in Terraform's plan: it is worked out here from the code and the state.",
    fix: (model) =>
      refusedBy(model).length === 0
        ? "see what Terraform printed"
        : "add a generation instead of changing or removing one; to destroy it all, apply deletionProtection: false first",
    reaches: (model) =>
      refusedBy(model).length === 0
        ? model.titles(model.identities.filter(({ parts }) => parts.some(model.isBlocked)))
        : [],
  }),
  unreadable: either(
    ofThePlan({
      help: "What decides who somebody is, or what they may do, cannot be read: known after the apply, sensitive, or of an unknown form.",
      when: ({ published }) => published.unreadable.length > 0,
      message: ({ published }) => `What changes in these outputs cannot be read: ${published.unreadable.join(", ")}.`,
      fix: "publish them as this library does, and not as sensitive",
      attributes: ({ published }) => published.unreadable,
    }),
    ofIdentities({
      when: (identity, { model }) => unreadableOf(identity, model).length > 0,
      message: (identity, { model }) =>
        `It changes, and this of it cannot be read: ${unreadableOf(identity, model).join(", ")}.`,
      fix: "write it in the code, or as a variable that is not sensitive; what comes from another resource, apply that first",
      attributes: (identity, { model }) => unreadableOf(identity, model),
    }),
  ),
  "authority-replaced": ofGenerations({
    help: "An authority becomes another one at the same address: all it signed stops being trusted at once.",
    when: (generation) => generation.identity.kind === "authority" && becomesAnother(generation),
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
    help: "A generation is introduced and promoted in one change: nobody trusts it when it starts to sign.",
    when: (generation) =>
      generation.before === undefined && generation.after === "active" && isPromoted(generation, generation.others()),
    message:
      "The generation is introduced and promoted in one change: who has not got its certificate yet refuses what it signs.",
    fix: "introduce it as trusted, deliver everywhere, and promote it in a later change",
    reaches: signedAfter,
  }),
  "trust-removed": ofGenerations({
    help: "Trust in a generation is removed while something still chains to it.",
    when: ({ identity, before, after }, { model }) =>
      (before === "active" || before === "trusted") && after === "retired" && model.signedBy.before.has(identity),
    message:
      "Trust in the generation is removed while what it signed is still in use: until all of that is delivered anew, it is refused.",
    fix: "promote the next generation and deliver first; retire this one in a later change",
    reaches: signedBefore,
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
  "key-exposed": ofIdentities({
    help: "A private key that exists moves to another file or machine, or more people may read it.",
    when: (identity, { model }) => model.exposuresOf(identity).length > 0,
    message: (identity, { model }) =>
      `Its private key will stand where it does not today: ${model.exposuresOf(identity).join("; ")}.`,
    fix: "give what is new a key of its own, and keep mode and owner as they are",
  }),
  "stale-certificate": ofIdentities({
    help: "A certificate is kept although what it is made from changes: it is not what the code says.",
    when: isStale,
    message: "The certificate is kept although what it is made from changes: it stays what it was.",
    fix: ({ anchor }) =>
      `replace it: terraform apply -replace='${anchor.address}', with PEM inputs that end in exactly one newline`,
  }),
  "system-masters": ofIdentities({
    help: "A certificate is in system:masters, which no authorizer limits and nothing revokes.",
    when: joinsMasters,
    message: "The certificate is in system:masters: no authorizer limits it, and nothing revokes it before its end.",
    fix: "use a group of its own and bind that; keep system:masters to a break-glass identity",
  }),
  "cluster-admin": ofIdentities({
    help: "Somebody becomes cluster-admin.",
    when: (identity) => newAdmins(identity).length > 0,
    message: (identity) => `Becomes cluster-admin: ${newAdmins(identity).join(", ")}.`,
    fix: "make sure that these are meant to do everything, or bind a smaller role",
  }),
  "renewal-window": ofThePlan({
    help: "A certificate's renewal window is shorter than the time to the next run: it may expire before it is renewed.",
    when: (_, judged) => renewedTooLate(judged).length > 0,
    message: (_, { nextRunHours }) =>
      `The next run is in ${nextRunHours} hours, and a certificate is renewed only by a run in its last hours: these may expire before.`,
    fix: "run more often, or give them a longer early renewal",
    // One danger for all of them: they mostly have one window.
    reaches: (model, judged) => model.titles(renewedTooLate(judged)),
  }),
};

/** All codes, in the order of a report. */
export const DANGER_CODES = Object.keys(DANGERS) as readonly DangerCode[];

/** All dangers of a plan, in the order of the codes, then by name. */
export function dangersOf(judged: Judged): Danger[] {
  return DANGER_CODES.flatMap((code) =>
    DANGERS[code]
      .find(judged)
      .map((found): Danger => ({ code, ...found }))
      .sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1)),
  );
}

/** What a failed plan would destroy of what `prevent_destroy` protects. */
function refusedBy(model: PlanModel): string[] {
  return model.titles(
    model.sets.flatMap(({ generations }) => generations.map(({ identity }) => identity)).filter(isDestroyed),
  );
}

function isDestroyed({ parts }: Identity): boolean {
  return parts.some(({ change }) => change === "delete" || change === "replace" || change === "forget");
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

const MASTERS = "system:masters";
const CLUSTER_ADMIN = "ClusterRole/cluster-admin ";

/** Becomes a member: not one that is renewed, and not one whose distribution needs it and says why. */
function joinsMasters(identity: Identity): boolean {
  const isMember = (side: "before" | "after") => organizationsOf(identity, side).includes(MASTERS);
  return (
    identity.kind === "certificate" &&
    isChanged(identity.anchor) &&
    !identity.entry?.exceptions?.some(({ code }) => code === "system-masters") &&
    isMember("after") &&
    !isMember("before")
  );
}

function newAdmins({ kind, anchor }: Identity): string[] {
  if (kind !== "binding" || !isChanged(anchor)) {
    return [];
  }
  const before = new Set(grantsOf(anchor, "before"));
  return grantsOf(anchor, "after")
    .filter((grant) => grant.startsWith(CLUSTER_ADMIN) && !before.has(grant))
    .map((grant) => grant.slice(CLUSTER_ADMIN.length));
}

/** Certificates whose renewal window is over before the next run. */
function renewedTooLate({ model, nextRunHours = 0 }: Judged): Identity[] {
  return model.identities.filter((identity) => {
    if (nextRunHours === 0 || identity.kind !== "certificate" || !exists(identity, "after")) {
      return false;
    }
    const facts = factsOf(identity, "after", model);
    return facts?.validityHours !== undefined && (facts.earlyRenewalHours ?? 0) < nextRunHours;
  });
}
