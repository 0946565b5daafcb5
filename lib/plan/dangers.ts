import { Context, grantsOf, isChanged, isKeyReplaced, isPromoted, isReplacedInPlace, isStale } from "./changes";
import { factsOf, organizationsOf } from "./facts";
import type { GenerationChange, GenerationSet } from "./generations";
import { exists, Identity } from "./identity";
import type { Plan } from "../terraform-json/plan";
import type { Side } from "./visible";

/** What a reviewer must not miss, and a pipeline can stop. The codes are stable. */
export const DANGERS = {
  "plan-failed": "The plan failed: nothing of it can be applied.",
  "authority-replaced":
    "An authority becomes another one at the same address: all it signed stops being trusted at once.",
  "generation-not-retired":
    "A generation that was not retired in an earlier apply is removed, with its key: there is no way back.",
  "introduced-and-promoted":
    "A generation is introduced and promoted in one change: nobody trusts it when it starts to sign.",
  "trust-removed": "Trust in a generation is removed while something still chains to it.",
  "key-destroyed": "The private key of an authority or of a key pair is destroyed.",
  "stale-certificate": "A certificate is kept although what it is made from changes: it is not what the code says.",
  "system-masters": "A certificate is in system:masters, which no authorizer limits and nothing revokes.",
  "cluster-admin": "Somebody becomes cluster-admin.",
  "renewal-window":
    "A certificate's renewal window is shorter than the time to the next run: it may expire before it is renewed.",
} as const;

/** Code of a danger. */
export type DangerCode = keyof typeof DANGERS;

/** One danger. */
export interface Danger {
  readonly code: DangerCode;
  /** What it is about; missing where it is the plan. */
  readonly name?: string;
  readonly message: string;
  /** What to do instead. */
  readonly fix: string;
  /** Names of what it reaches: certificates that chain to an authority, say. Sorted. */
  readonly reaches: readonly string[];
}

/** What else dangers depend on. */
export interface DangerContext extends Context {
  readonly plan: Plan;
  readonly identities: readonly Identity[];
  readonly sets: readonly GenerationSet[];
  /** Hours until the plan is made again; undefined where nobody said. */
  readonly nextRunHours?: number;
}

/** The same with what is worked out once. */
interface Known extends DangerContext {
  readonly signed: Readonly<Record<Side, ReadonlyMap<Identity, readonly Identity[]>>>;
}

/** All dangers of a plan, in the order of the codes, then by name. */
export function dangersOf(given: DangerContext): Danger[] {
  const { identities } = given;
  const context: Known = {
    ...given,
    signed: { before: signedBy(identities, "before"), after: signedBy(identities, "after") },
  };
  const found = [
    ...planFailed(context),
    ...context.sets.flatMap((set) => set.generations.flatMap((change) => generationDangers(change, set, context))),
    ...context.identities.flatMap((identity) => identityDangers(identity, context)),
    ...renewalWindows(context),
  ];
  const rank = (danger: Danger) => Object.keys(DANGERS).indexOf(danger.code);
  return found.sort((a, b) => rank(a) - rank(b) || ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
}

function planFailed({ plan, identities, isBlocked, title }: DangerContext): Danger[] {
  if (!plan.errored) {
    return [];
  }
  const refused = identities.filter(
    (identity) => (identity.kind === "authority" || identity.kind === "key pair") && identity.parts.some(isDestroyed),
  );
  if (refused.length === 0) {
    const message = "The plan failed: nothing of it can be applied, and what comes after the failure is not in it.";
    const reaches = identities.filter(({ parts }) => parts.some(isBlocked)).map(title);
    return [{ code: "plan-failed", message, fix: "see what Terraform printed", reaches: reaches.sort() }];
  }
  const names = refused.map(title).sort().join(", ");
  const message =
    `The plan failed, as it should where prevent_destroy protects what would be destroyed: ${names}. Nothing of it can be ` +
    "applied. What comes after is not in Terraform's plan: it is worked out here from the code and the state.";
  const fix =
    "add a generation instead of changing or removing one; to destroy it all, apply deletionProtection: false first";
  return [{ code: "plan-failed", message, fix, reaches: [] }];
}

function isDestroyed({ change }: { readonly change: string }): boolean {
  return change === "delete" || change === "replace" || change === "forget";
}

function generationDangers(change: GenerationChange, set: GenerationSet, context: Known): Danger[] {
  const { identity, before, after } = change;
  const { title, signed } = context;
  const name = title(identity);
  const chained = (signed.before.get(identity) ?? []).map(title).sort();
  const others = set.generations.filter((other) => other !== change);
  const found: Danger[] = [];
  const add = (code: DangerCode, message: string, fix: string, reaches: readonly string[] = chained) =>
    found.push({ code, name, message, fix, reaches });
  if (before !== undefined && after !== undefined && isReplacedInPlace(identity)) {
    const fix = "leave this generation as it is, introduce another one, deliver, then promote that";
    if (identity.kind === "authority") {
      add("authority-replaced", replacedText(identity, context), fix);
    } else {
      add(
        "key-destroyed",
        "The key pair becomes another one at the same address: what it signed does not verify any more.",
        fix,
      );
    }
  }
  if (before !== undefined && after === undefined && before !== "retired" && identity.parts.some(isDestroyed)) {
    if (identity.name.generation !== undefined && before !== "present") {
      add(
        "generation-not-retired",
        `The generation is removed although it was ${before}, not retired in an earlier apply: its key is gone, and there is no way back.`,
        "mark it retired, apply and deliver; remove it from the code after that",
      );
    } else {
      add(
        "key-destroyed",
        "Its private key is destroyed: nothing can be signed with it any more, and there is no way back.",
        "keep it until nothing uses it",
      );
    }
  }
  if (before === undefined && isPromoted(change, others)) {
    add(
      "introduced-and-promoted",
      "The generation is introduced and promoted in one change: who has not got its certificate yet refuses what it signs.",
      "introduce it as trusted, deliver everywhere, and promote it in a later change",
      (signed.after.get(identity) ?? []).map(title).sort(),
    );
  }
  if ((before === "active" || before === "trusted") && after === "retired" && chained.length > 0) {
    add(
      "trust-removed",
      "Trust in the generation is removed while what it signed is still in use: until all of that is delivered anew, it is refused.",
      "promote the next generation and deliver first; retire this one in a later change",
    );
  }
  return found;
}

/** The same subject and key still verify what was signed with them, once the new certificate is delivered. */
function replacedText(identity: Identity, { title }: DangerContext): string {
  const [before, after] = (["before", "after"] as const).map((side) => factsOf(identity, side, title)?.subject);
  return isKeyReplaced(identity) || before !== after || identity.anchor.type === "terraform_data"
    ? "The authority becomes another one at the same address: all it signed stops being trusted at once, with no overlap."
    : "The authority gets another certificate at the same address, and all it signed is signed again in the same apply.";
}

/** What each authority signs, as far as it is there. */
function signedBy(identities: readonly Identity[], side: Side): Map<Identity, Identity[]> {
  const found = new Map<Identity, Identity[]>();
  for (const identity of identities) {
    const issuer = exists(identity, side) ? identity.issuer[side] : undefined;
    if (issuer) {
      const others = found.get(issuer) ?? [];
      others.push(identity);
      found.set(issuer, others);
    }
  }
  return found;
}

const MASTERS = "system:masters";
const CLUSTER_ADMIN = "ClusterRole/cluster-admin ";

function identityDangers(identity: Identity, context: DangerContext): Danger[] {
  const name = context.title(identity);
  const found: Danger[] = [];
  if (isStale(identity)) {
    const message = "The certificate is kept although what it is made from changes: it stays what it was.";
    const fix = `replace it: terraform apply -replace='${identity.anchor.address}', with PEM inputs that end in exactly one newline`;
    found.push({ code: "stale-certificate", name, message, fix, reaches: [] });
  }
  if (identity.kind === "certificate" && joinsMasters(identity)) {
    const message =
      "The certificate is in system:masters: no authorizer limits it, and nothing revokes it before its end.";
    const fix = "use a group of its own and bind that; keep system:masters to a break-glass identity";
    found.push({ code: "system-masters", name, message, fix, reaches: [] });
  }
  if (identity.kind === "binding" && isChanged(identity.anchor)) {
    const before = grantsOf(identity.anchor, "before");
    const added = grantsOf(identity.anchor, "after").filter((grant) => !before.includes(grant));
    const admins = added
      .filter((grant) => grant.startsWith(CLUSTER_ADMIN))
      .map((grant) => grant.slice(CLUSTER_ADMIN.length));
    if (admins.length > 0) {
      const message = `Becomes cluster-admin: ${admins.join(", ")}.`;
      const fix = "make sure that these are meant to do everything, or bind a smaller role";
      found.push({ code: "cluster-admin", name, message, fix, reaches: [] });
    }
  }
  return found;
}

/** Becomes a member: not one that is renewed, and not one whose distribution needs it and says why. */
function joinsMasters(identity: Identity): boolean {
  if (!isChanged(identity.anchor) || identity.entry?.exceptions?.some(({ code }) => code === "system-masters")) {
    return false;
  }
  return organizationsOf(identity, "after").includes(MASTERS) && !organizationsOf(identity, "before").includes(MASTERS);
}

/** One danger for all of them: they mostly have one window. */
function renewalWindows({ nextRunHours, identities, title }: DangerContext): Danger[] {
  if (nextRunHours === undefined) {
    return [];
  }
  const short = identities.filter((identity) => {
    const hours =
      identity.kind === "certificate" && exists(identity, "after") ? factsOf(identity, "after", title) : undefined;
    return hours?.validityHours !== undefined && (hours.earlyRenewalHours ?? 0) < nextRunHours;
  });
  if (short.length === 0) {
    return [];
  }
  const message = `The next run is in ${nextRunHours} hours, and a certificate is renewed only by a run in its last hours: these may expire before.`;
  const fix = "run more often, or give them a longer early renewal";
  return [{ code: "renewal-window", message, fix, reaches: short.map(title).sort() }];
}
