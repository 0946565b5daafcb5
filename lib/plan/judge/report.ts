import { counted, Plan, PlannedResource } from "../../terraform-json/plan";
import { Difference, differences } from "../model/differences";
import { type ComponentEffect, componentsOf } from "../../terraform-json/components";
import { Effects, FileEffect, mergedFiles } from "../model/effects";
import { Facts, factsOf } from "../model/facts";
import type { GenerationSet, GenerationStanding } from "../model/generations";
import { identitiesOf, Identity } from "../model/identity";
import { isChanged, PlanModel } from "../model/model";
import type { IdentityKind } from "../model/names";
import { Reason, reasonsOf } from "../model/reasons";
import { Verb, verbsOf } from "../model/verbs";
import type { Inventory } from "../read/inventory";
import { acknowledge, Acknowledgement, withoutDanger } from "./acknowledge";
import type { Danger } from "./danger";
import { dangersOf } from "./dangers";
import { besides } from "./only";
import { RefusedPin, refusedPins } from "./pins";

/** Rises when a reader of the last version would misread the report. */
export const REPORT_SCHEMA_VERSION = 3;

/** What a plan does to a PKI. Nothing in it is secret; texts may hold any printable character. */
export interface PlanReport {
  /** Rises when a reader of the last version would misread the report. */
  readonly schemaVersion: typeof REPORT_SCHEMA_VERSION;
  /** Names of the stacks whose inventories were given. */
  readonly stacks: readonly string[];
  /** Of the program that made the plan. */
  readonly terraformVersion?: string;
  /** `danger` where there is one that nobody acknowledged, whatever a pipeline stops at. */
  readonly verdict: "nothing" | "changes" | "danger";
  /** True when planning failed: changes with `planned: false` are worked out, and nothing can be applied. */
  readonly errored: boolean;
  /** False when resources were left out on purpose, e.g. for `-target` or `-exclude`; `unknown` where nothing tells that. */
  readonly complete: boolean | "unknown";
  /** How often each verb stands in `changes`; those that never do are missing. */
  readonly counts: Readonly<Partial<Record<Verb, number>>>;
  /** In the order of their codes, then by name. */
  readonly dangers: readonly Danger[];
  /** Authorities and key pairs whose generations come, go or stand elsewhere afterwards. */
  readonly generations: readonly GenerationsReport[];
  /** By kind, then by name. */
  readonly changes: readonly IdentityChange[];
  /** Every file and Secret that comes, goes, moves or has another content, mode or owner afterwards. */
  readonly files: readonly FileEffect[];
  /** Who has to notice that; empty without an inventory. */
  readonly components: readonly ComponentEffect[];
  /** What was changed outside Terraform. */
  readonly drift: readonly DriftReport[];
  /** Addresses of checks and conditions that fail. */
  readonly failedChecks: readonly string[];
  /** Pinned fingerprints that refuse the plan or its apply. */
  readonly refusedPins: readonly RefusedPin[];
  /**
   * What else changes, by resource type, sorted: what is no part of a PKI, or nobody knows which part. `output` counts outputs that are
   * not read here. With the addresses of `changes`, this is every change of the plan.
   */
  readonly otherChanges: Readonly<Record<string, number>>;
  /** Names of all outputs that change, sorted. */
  readonly outputs: readonly string[];
  /** What is in the plan besides what it may hold; missing where it may hold anything. */
  readonly notAllowed?: readonly string[];
  /** What was acknowledged, and is no danger of this plan. */
  readonly acknowledgedInVain: readonly Acknowledgement[];
  /** True where lists are empty because the report would have been too long. */
  readonly truncated?: true;
}

/** What happens to one thing. */
export interface IdentityChange {
  /** What kind of thing it is. */
  readonly kind: IdentityKind;
  /** `kubernetes g2`, `cp-1/apiserver`; the cluster stands before it where the plan has several: `prod: cp-1/apiserver`. */
  readonly name: string;
  /** What it is for: `certificate for the API server to connect to kubelet`; missing without an inventory. */
  readonly purpose?: string;
  /** Its cluster, by `addressPrefix`; missing for what is in none. */
  readonly cluster?: string;
  /** Who holds a certificate: a machine, `operator`, `cluster`. */
  readonly holder?: string;
  /** Of an authority or key pair: `g1`. */
  readonly generation?: string;
  /** What happens to it; one at least. */
  readonly verbs: readonly Verb[];
  /** Why, as far as the plan tells. */
  readonly reasons: readonly Reason[];
  /** What it is before; missing where it is new. */
  readonly before?: Facts;
  /** What it is afterwards; missing where it goes. */
  readonly after?: Facts;
  /** What differs between the two; empty where only one is there, or the plan failed before it. */
  readonly differences: readonly Difference[];
  /** Files and Secrets that have another content because of it. */
  readonly files: readonly FileEffect[];
  /** Terraform addresses of what changes, sorted. */
  readonly addresses: readonly string[];
  /** False for what a failed plan leaves out. */
  readonly planned: boolean;
}

/** Where the generations of an authority or key pair stand. */
export interface GenerationsReport {
  /** Which of the two it is. */
  readonly kind: "authority" | "key pair";
  /** Its cluster, by `addressPrefix`; missing for what is in none. */
  readonly cluster?: string;
  /** `kubernetes`, `service-account`. */
  readonly name: string;
  /** All of them, those that stay where they are, too. */
  readonly generations: readonly {
    /** `g1` */
    readonly id: string;
    /** Missing where it is new. */
    readonly before?: GenerationStanding;
    /** Missing where it goes. */
    readonly after?: GenerationStanding;
  }[];
}

/** Something that is not as Terraform left it. */
export interface DriftReport {
  /** As changes have it. */
  readonly name: string;
  /** What somebody did to it. */
  readonly what: "changed" | "deleted";
  /** What is different from how Terraform left it. */
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
  /**
   * Dangers that are meant. They stay in the report.
   * @default - none
   */
  readonly acknowledgements?: readonly Acknowledgement[];
  /**
   * All that the plan may hold.
   * @default - anything
   */
  readonly only?: readonly Verb[];
}

const KINDS: readonly IdentityKind[] = ["authority", "key pair", "certificate", "token", "binding", "role", "secret"];

/** Reads a plan as certificates, and judges it. */
export function planReport(
  plan: Plan,
  { inventories = [], nextRunHours, acknowledgements = [], only }: ReportOptions = {},
): PlanReport {
  const model = new PlanModel(plan, inventories);
  const effects = new Effects(model);
  const changes = model.identities.flatMap((identity) => changeOf(identity, model, effects) ?? []).sort(byKindAndName);
  const dangers = acknowledge(dangersOf({ model, nextRunHours }), acknowledgements);
  const files = mergedFiles([...changes.flatMap((change) => change.files), ...effects.ofTheMap()]);
  const report: PlanReport = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    stacks: inventories.map(({ stack }) => stack).sort(),
    ...(plan.terraformVersion === undefined ? {} : { terraformVersion: plan.terraformVersion }),
    verdict: "nothing",
    errored: plan.errored,
    complete: plan.errored || plan.complete,
    counts: countsOf(changes),
    dangers,
    generations: model.sets.flatMap((set) => generationsReport(set) ?? []).sort(byClusterAndName),
    changes,
    files,
    components: componentsOf(files.map((file) => ({ ...file, isGone: file.what.includes("removed") }))),
    drift: driftOf(model),
    failedChecks: plan.failedChecks,
    refusedPins: refusedPins(model),
    otherChanges: otherChangesOf(model, changes),
    outputs: [...plan.changedOutputs].sort(),
    acknowledgedInVain: withoutDanger(dangers, acknowledgements),
  };
  const isDangerous = dangers.some(({ acknowledged }) => !acknowledged);
  return {
    ...report,
    verdict: isDangerous ? "danger" : changesNothing(report) ? "nothing" : "changes",
    ...(only ? { notAllowed: besides(only, report, model) } : {}),
  };
}

/** True where there is nothing to apply: no resource and no output changes. */
export function changesNothing({ changes, outputs, otherChanges }: PlanReport): boolean {
  return changes.length + outputs.length + Object.keys(otherChanges).length === 0;
}

/** Every change that is in no identity's. */
function otherChangesOf(
  { plan, published }: PlanModel,
  changes: readonly IdentityChange[],
): Readonly<Record<string, number>> {
  const claimed = new Set(changes.flatMap(({ addresses }) => addresses));
  const left = plan.resources.filter((resource) => isTouched(resource) && !claimed.has(resource.address));
  const outputs = plan.changedOutputs.filter((name) => !published.outputs.has(name));
  const others = Object.entries(plan.otherChanges)
    // What is only read changes nothing by itself.
    .filter(([type]) => plan.applyable !== false || !type.startsWith("data."))
    .flatMap(([type, count]) => Array<string>(count).fill(type));
  const found = [...others, ...left.map(({ type }) => type), ...outputs.map(() => "output")];
  const isUnknown = plan.applyable === true && found.length + changes.length + plan.changedOutputs.length === 0;
  return counted(isUnknown ? ["(unknown)"] : found);
}

/** True where the plan does something with the resource. */
function isTouched(resource: PlannedResource): boolean {
  return isChanged(resource) || resource.previousAddress !== undefined || resource.imported;
}

function changeOf(identity: Identity, model: PlanModel, effects: Effects): IdentityChange | undefined {
  const verbs = verbsOf(identity, model);
  if (verbs.length === 0) {
    return undefined;
  }
  const { kind, parts, name, entry } = identity;
  const [before, after] = [factsOf(identity, "before", model), factsOf(identity, "after", model)];
  const touched = parts.filter((part) => isTouched(part) || model.isBlocked(part));
  const { cluster, holder, generation } = name;
  const planned = parts.every((part) => !model.isBlocked(part));
  return {
    kind,
    name: model.title(identity),
    ...(entry?.purpose === undefined ? {} : { purpose: entry.purpose }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(holder === undefined ? {} : { holder }),
    ...(generation === undefined ? {} : { generation }),
    verbs,
    reasons: reasonsOf(identity, model),
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
function driftOf(model: PlanModel): DriftReport[] {
  const { plan, entries } = model;
  const changed = plan.drift.filter((resource) => resource.change === "delete" || !isRenewalAlone(resource));
  if (changed.length === 0) {
    return [];
  }
  const identities = identitiesOf({ ...plan, resources: changed }, entries);
  const found = identities.map((identity): DriftReport => {
    const gone = identity.anchor.change === "delete";
    const [before, after] = [factsOf(identity, "before", model), factsOf(identity, "after", model)];
    return { name: model.title(identity), what: gone ? "deleted" : "changed", differences: differences(before, after) };
  });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isRenewalAlone({ row, before = {}, after = {} }: PlannedResource): boolean {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return row.role === "rotation" || names.join() === "ready_for_renewal";
}

function byKindAndName(a: IdentityChange, b: IdentityChange): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : 1);
}

function byClusterAndName(a: GenerationsReport, b: GenerationsReport): number {
  const [first, second] = [a, b].map(({ cluster = "", name }) => `${cluster}\n${name}`);
  return first! < second! ? -1 : 1;
}
