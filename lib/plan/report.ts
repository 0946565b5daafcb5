import { title } from "../terraform/names";
import type { Inventory } from "../inventory-schema";
import { Context, differences, Difference, Reason, reasonsOf, Verb, verbsOf, isChanged } from "./changes";
import { Danger, DangerCode, DANGERS, dangersOf } from "./dangers";
import { ComponentEffect, componentsOf, Effects, FileEffect, mergedFiles } from "./effects";
import { Facts, factsOf } from "./facts";
import { PublishedFiles } from "./files";
import { GenerationSet, generationSets, GenerationStanding } from "./generations";
import { identitiesOf, Identity } from "./identity";
import { Entries, IdentityKind } from "./names";
import { Plan, PlannedResource } from "../terraform-json/plan";

/** Rises when a reader of the last version would misread the report. */
export const REPORT_SCHEMA_VERSION = 1;

/** What a plan does to a PKI. Nothing in it is secret; texts may hold any printable character. */
export interface PlanReport {
  readonly schemaVersion: typeof REPORT_SCHEMA_VERSION;
  /** Names of the stacks whose inventories were given. */
  readonly stacks: readonly string[];
  readonly terraformVersion?: string;
  readonly verdict: "nothing" | "changes" | "danger";
  /** True when planning failed: changes with `planned: false` are worked out, and nothing can be applied. */
  readonly errored: boolean;
  /** False when Terraform left resources out on purpose, e.g. for `-target`. */
  readonly complete: boolean;
  /** How often each verb stands in `changes`; those that never do are missing. */
  readonly counts: Readonly<Partial<Record<Verb, number>>>;
  readonly dangers: readonly Danger[];
  /** Authorities and key pairs whose generations come, go or stand elsewhere afterwards. */
  readonly generations: readonly GenerationsReport[];
  /** By kind, then by name. */
  readonly changes: readonly IdentityChange[];
  /** Every file and Secret that has another content afterwards. */
  readonly files: readonly FileEffect[];
  /** Who has to notice that; empty without an inventory. */
  readonly components: readonly ComponentEffect[];
  /** What was changed outside Terraform. */
  readonly drift: readonly DriftReport[];
  /** Addresses of checks and conditions that fail. */
  readonly failedChecks: readonly string[];
  /** Changes of resources that are no part of a PKI. */
  readonly otherChanges: number;
  /** True where lists are empty because the report would have been too long. */
  readonly truncated?: true;
}

/** What happens to one thing. */
export interface IdentityChange {
  readonly kind: IdentityKind;
  /** `kubernetes g2`, `cp-1/apiserver`; the cluster stands before it where the plan has several: `prod: cp-1/apiserver`. */
  readonly name: string;
  readonly cluster?: string;
  readonly machine?: string;
  readonly generation?: string;
  readonly verbs: readonly Verb[];
  readonly reasons: readonly Reason[];
  readonly before?: Facts;
  readonly after?: Facts;
  readonly differences: readonly Difference[];
  readonly files: readonly FileEffect[];
  /** Terraform addresses of what changes, sorted. */
  readonly addresses: readonly string[];
  /** False for what a failed plan leaves out. */
  readonly planned: boolean;
}

/** Where the generations of an authority or key pair stand. */
export interface GenerationsReport {
  readonly kind: "authority" | "key pair";
  readonly cluster?: string;
  readonly name: string;
  readonly generations: readonly {
    readonly id: string;
    readonly before?: GenerationStanding;
    readonly after?: GenerationStanding;
  }[];
}

/** Something that is not as Terraform left it. */
export interface DriftReport {
  readonly name: string;
  readonly what: "changed" | "deleted";
  readonly differences: readonly Difference[];
}

/** What may be chosen for a report. */
export interface ReportOptions {
  /** @default - none: names and files come from the plan alone, and nobody knows who restarts */
  readonly inventories?: readonly Inventory[];
  /**
   * Hours until the plan is made again; certificates that may expire before are a danger.
   * @default - not looked at
   */
  readonly nextRunHours?: number;
}

const KINDS: readonly IdentityKind[] = ["authority", "key pair", "certificate", "token", "binding", "secret"];

/** Reads a plan as certificates. */
export function planReport(plan: Plan, { inventories = [], nextRunHours }: ReportOptions = {}): PlanReport {
  const entries = new Entries(inventories);
  const identities = identitiesOf(plan, entries);
  const files = new PublishedFiles(plan);
  const sets = generationSets(identities, files);
  const isBlocked = blockedIn(plan);
  const context = contextOf(plan, identities, sets, isBlocked);
  const effects = new Effects(plan, files, entries, identities, isBlocked);
  const changes = identities.flatMap((identity) => changeOf(identity, context, effects) ?? []).sort(byKindAndName);
  const dangers = dangersOf({ ...context, plan, identities, sets, nextRunHours });
  const allFiles = mergedFiles(changes.map((change) => change.files));
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    stacks: inventories.map(({ stack }) => stack).sort(),
    ...(plan.terraformVersion === undefined ? {} : { terraformVersion: plan.terraformVersion }),
    verdict: dangers.length > 0 ? "danger" : changes.length > 0 ? "changes" : "nothing",
    errored: plan.errored,
    complete: plan.complete || plan.errored,
    counts: countsOf(changes),
    dangers,
    generations: sets.flatMap((set) => generationsReport(set) ?? []).sort(byClusterAndName),
    changes,
    files: allFiles,
    components: componentsOf(allFiles),
    drift: driftOf(plan, entries, context),
    failedChecks: plan.failedChecks,
    otherChanges: plan.otherChanges,
  };
}

/** True where a word is the code of a danger. */
export function isDangerCode(word: string): word is DangerCode {
  return Object.hasOwn(DANGERS, word);
}

function contextOf(
  plan: Plan,
  identities: readonly Identity[],
  sets: readonly GenerationSet[],
  isBlocked: Context["isBlocked"],
): Context {
  const generations = new Map(
    sets.flatMap((set) => set.generations.map((change) => [change.identity, { change, set }] as const)),
  );
  const clusters = new Set(identities.flatMap(({ name }) => name.cluster ?? []));
  const gone = new Set(plan.drift.filter(({ change }) => change === "delete").map(({ address }) => address));
  return {
    isBlocked,
    isGone: ({ address }) => gone.has(address),
    generationOf: (identity) => generations.get(identity),
    title: (identity) => titleOf(identity, clusters.size > 1),
  };
}

function titleOf({ name: { cluster, machine, ...own } }: Identity, withCluster: boolean): string {
  return title({ ...own, holder: machine, cluster: withCluster ? cluster : undefined });
}

/** What a failed plan leaves out because of what it wanted to do: all that is made, directly or not, of what changes. */
function blockedIn(plan: Plan): Context["isBlocked"] {
  if (!plan.errored) {
    return () => false;
  }
  const changing = new Set(plan.resources.filter(isChanged).map(({ configured }) => configured));
  const known = new Map<string, boolean>();
  const depends = (configured: string): boolean => {
    let result = known.get(configured);
    if (result === undefined) {
      known.set(configured, false); // Nothing depends on itself; a broken document may say so.
      const references = plan.references.of(configured);
      result = references.some(({ address }) => changing.has(address) || depends(address));
      known.set(configured, result);
    }
    return result;
  };
  return ({ planned, configured }) => !planned && depends(configured);
}

function changeOf(identity: Identity, context: Context, effects: Effects): IdentityChange | undefined {
  const verbs = verbsOf(identity, context);
  if (verbs.length === 0) {
    return undefined;
  }
  const { kind, parts, name } = identity;
  const [before, after] = [factsOf(identity, "before", context.title), factsOf(identity, "after", context.title)];
  const touched = parts.filter(
    (part) => isChanged(part) || context.isBlocked(part) || part.previousAddress !== undefined || part.imported,
  );
  const { cluster, machine, generation } = name;
  const planned = parts.every((part) => !context.isBlocked(part));
  return {
    kind,
    name: context.title(identity),
    ...(cluster === undefined ? {} : { cluster }),
    ...(machine === undefined ? {} : { machine }),
    ...(generation === undefined ? {} : { generation }),
    verbs,
    reasons: reasonsOf(identity, context),
    ...(before ? { before } : {}),
    ...(after ? { after } : {}),
    differences: planned ? differences(before, after) : [],
    files: effects.of(identity, verbs),
    addresses: touched.map(({ address }) => address),
    planned,
  };
}

function generationsReport({ kind, cluster, name, generations }: GenerationSet): GenerationsReport | undefined {
  if (generations.every(({ before, after }) => before === after)) {
    return undefined;
  }
  return {
    kind,
    ...(cluster === undefined ? {} : { cluster }),
    name,
    generations: generations.map(({ id, before, after }) => ({
      id,
      ...(before ? { before } : {}),
      ...(after ? { after } : {}),
    })),
  };
}

function countsOf(changes: readonly IdentityChange[]): Partial<Record<Verb, number>> {
  const counts: Partial<Record<Verb, number>> = {};
  for (const verb of changes.flatMap(({ verbs }) => verbs)) {
    counts[verb] = (counts[verb] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What was changed outside. That a renewal window is reached is no such change, though Terraform tells of it there. */
function driftOf(plan: Plan, entries: Entries, { title }: Context): DriftReport[] {
  const changed = plan.drift.filter((resource) => resource.change === "delete" || !isRenewalAlone(resource));
  if (changed.length === 0) {
    return [];
  }
  const identities = identitiesOf({ ...plan, resources: changed }, entries);
  const found = identities.map((identity): DriftReport => {
    const gone = identity.anchor.change === "delete";
    const [before, after] = [factsOf(identity, "before", title), factsOf(identity, "after", title)];
    return { name: title(identity), what: gone ? "deleted" : "changed", differences: differences(before, after) };
  });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isRenewalAlone({ type, before = {}, after = {} }: PlannedResource): boolean {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return type === "time_rotating" || names.join() === "ready_for_renewal";
}

function byKindAndName(a: IdentityChange, b: IdentityChange): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : 1);
}

function byClusterAndName(a: GenerationsReport, b: GenerationsReport): number {
  const [first, second] = [a, b].map(({ cluster = "", name }) => `${cluster}\n${name}`);
  return first! < second! ? -1 : 1;
}
