import { keysOf, withoutKeys } from "./address";
import { Completeness, completenessOf } from "./completeness";
import { checkedDocument, parseDocument } from "./document";
import { isObject, Json, list, object, text } from "./json";
import { asBlocks, manifestRow } from "./manifest";
import { References } from "./references";
import { MANIFEST, ResourceType, resourceType } from "./resource-types";

/** Before or after the plan is applied. */
export type Side = "before" | "after";

/** Both of them, in this order. */
export const SIDES: readonly [Side, Side] = ["before", "after"];

/** What a plan wants to do with a managed resource, or what is known of one that it leaves out. */
export interface PlannedResource {
  readonly address: string;
  /** Address before a `moved` block. */
  readonly previousAddress?: string;
  /** Address in the configuration: without the keys of `count` and `for_each`. */
  readonly configured: string;
  readonly type: string;
  /** What the type is to a PKI, and what may be shown of it. */
  readonly row: ResourceType;
  readonly name: string;
  /** Keys of `count` and `for_each`, those of its modules included: instances with equal ones belong together. */
  readonly keys: string;
  readonly change: "none" | "create" | "update" | "replace" | "delete" | "forget" | "read";
  readonly reason?: string;
  /** First steps of the paths that force a replacement: names of attributes. */
  readonly replacePaths: readonly string[];
  readonly imported: boolean;
  /** False for what is only in the state before: a failed or a targeted plan leaves it out. */
  readonly planned: boolean;
  readonly before?: Json;
  readonly after?: Json;
  readonly unknown: unknown;
  readonly beforeSensitive: unknown;
  readonly afterSensitive: unknown;
}

/** An output that is not sensitive. */
export interface PlannedOutput {
  readonly before: unknown;
  readonly after: unknown;
}

/** What the report needs of `terraform show -json`. It holds secrets: nothing of it is shown but what the rows of `resource-types.ts` list. */
export interface Plan {
  readonly terraformVersion?: string;
  /** True when planning failed: what comes after the failure is not in it. */
  readonly errored: boolean;
  /** When it was made, RFC 3339; missing where it does not say, or says no date. */
  readonly plannedAt?: string;
  /** False when something was left out on purpose, e.g. for `-target` or `-exclude`. */
  readonly complete: Completeness;
  /** Managed resources of the types that make up an identity. */
  readonly resources: readonly PlannedResource[];
  /** Of the same types, what was changed outside. */
  readonly drift: readonly PlannedResource[];
  /** Changes of all other resources, by type: `data.` before that of what is only read. */
  readonly otherChanges: Readonly<Record<string, number>>;
  /**
   * What `terraform plan -detailed-exitcode` goes by: whether there is anything to apply.
   * @default - Terraform is too old to say it
   */
  readonly applyable?: boolean;
  /** Names of the outputs that change, also of those that are sensitive. */
  readonly changedOutputs: readonly string[];
  /** Those that are not sensitive. */
  readonly outputs: ReadonlyMap<string, PlannedOutput>;
  readonly references: References;
  /** Addresses of the checks and conditions that fail. */
  readonly failedChecks: readonly string[];
  /** Conditions of this library on a resource that fail, or that are known during the apply alone. */
  readonly conditions: readonly OwnCondition[];
  /** True where objects may stand in several API servers: equal ones need not be one. */
  readonly hasSeveralServers: boolean;
}

/** A condition of a resource, as far as this library wrote it. What it says is not held: it may quote a value. */
export interface OwnCondition {
  readonly address: string;
  /** The code in its message, e.g. `fingerprint`; missing where it is not known yet whether it holds. */
  readonly code?: string;
}

/**
 * Reads the output of `terraform show -json` or `tofu show -json` of a plan, format 1.x. Fields that are not known are left alone.
 *
 * @param text the output
 * @param origin where it came from, as the user named it
 * @throws UnusableError when it is something else
 */
export function parsePlan(text: string, origin: string): Plan {
  return planIn(parseDocument(text, origin, "plan"));
}

/**
 * The same of JSON that was parsed.
 *
 * @param document parsed JSON
 * @throws UnusableError when it is something else
 */
export function readPlan(document: unknown): Plan {
  return planIn(checkedDocument(document, "the document", "plan"));
}

function planIn(plan: Json): Plan {
  const planned: PlannedResource[] = [];
  const others: string[] = [];
  for (const change of list(plan.resource_changes).map(object)) {
    const resource = resourceOf(change);
    if (resource) {
      planned.push(resource);
    } else if (isChange(change)) {
      others.push(typeOfChange(change));
    }
  }
  const before = stateResources(object(object(plan.prior_state).values).root_module);
  const known = new Set(before.length > 0 ? planned.map(({ address }) => address) : []);
  const left = before.filter(({ address }) => !known.has(address));
  return {
    terraformVersion: text(plan.terraform_version),
    errored: plan.errored === true,
    ...(Number.isNaN(Date.parse(text(plan.timestamp) ?? "")) ? {} : { plannedAt: text(plan.timestamp) }),
    complete: completenessOf(plan),
    resources: [...planned, ...left],
    drift: list(plan.resource_drift).flatMap((change) => resourceOf(object(change)) ?? []),
    otherChanges: counted(others),
    ...(typeof plan.applyable === "boolean" ? { applyable: plan.applyable } : {}),
    changedOutputs: Object.entries(object(plan.output_changes))
      .filter(([, change]) => actionsOf(change).join() !== "no-op")
      .map(([name]) => name),
    outputs: outputsOf(object(plan.output_changes)),
    references: new References(object(plan.configuration).root_module),
    failedChecks: failedChecks(list(plan.checks)),
    conditions: list(plan.checks).flatMap(ownConditions),
    hasSeveralServers: hasSeveralServers(object(object(plan.configuration).provider_config)),
  };
}

/** One provider under another name may be several: OpenTofu has `for_each` for them. */
function hasSeveralServers(providers: Json): boolean {
  const servers = Object.values(providers).map(object).filter(isKubernetes);
  return servers.length > 1 || servers.some(({ alias }) => alias !== undefined);
}

function isKubernetes({ name }: Json): boolean {
  return name === "kubernetes";
}

/** Nothing for what is only read, and for what an interrupted replacement left behind. */
function resourceOf(entry: Json): PlannedResource | undefined {
  const named = entry.mode === "data" || entry.deposed !== undefined ? undefined : nameOf(entry);
  if (!named) {
    return undefined;
  }
  const change = entry.type === MANIFEST.type ? asBlocks(object(entry.change)) : object(entry.change);
  // Each field by its name: of a spread object, V8 would make a table of its own for every resource.
  const { address, configured, type, row, name, keys } = named;
  return {
    address,
    configured,
    type,
    row,
    name,
    keys,
    previousAddress: text(entry.previous_address),
    change: actionOf(entry),
    reason: text(entry.action_reason),
    replacePaths: change.replace_paths ? replacePaths(change.replace_paths) : [],
    imported: isObject(change.importing),
    planned: true,
    before: isObject(change.before) ? change.before : undefined,
    after: isObject(change.after) ? change.after : undefined,
    unknown: change.after_unknown,
    beforeSensitive: change.before_sensitive,
    afterSensitive: change.after_sensitive,
  };
}

type Named = Pick<PlannedResource, "address" | "configured" | "keys" | "type" | "row" | "name">;

/** What a resource is called: a change of a plan and a resource of a state say it alike. Nothing of a type that is not ours. */
function nameOf(entry: Json): Named | undefined {
  const type = text(entry.type);
  const row = type === MANIFEST.type ? manifestRow(entry) : resourceType(type);
  const address = text(entry.address);
  return type && row && address
    ? { address, configured: withoutKeys(address), keys: keysOf(address), type, row, name: text(entry.name) ?? address }
    : undefined;
}

function replacePaths(paths: unknown): string[] {
  return [...new Set(list(paths).flatMap((path) => text(list(path)[0]) ?? []))];
}

/** How often each word is there. */
export function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of [...words].sort()) {
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

function isChange(entry: Json): boolean {
  return (
    actionOf(entry) !== "none" || text(entry.previous_address) !== undefined || isObject(object(entry.change).importing)
  );
}

function typeOfChange(entry: Json): string {
  const type = text(entry.type) ?? "(unknown type)";
  return entry.mode === "data" ? `data.${type}` : type;
}

function actionsOf(change: unknown): string[] {
  return list(object(change).actions).map((action) => text(action) ?? "of another kind");
}

function actionOf(entry: Json): PlannedResource["change"] {
  const actions = actionsOf(entry.change);
  if (actions.length === 2) {
    // [create, forget] makes a new object and lets go of the old one: for who uses it, it is replaced.
    return "replace";
  }
  const [action = "no-op"] = actions;
  return ACTIONS.get(action) ?? "update";
}

const ACTIONS: ReadonlyMap<string, PlannedResource["change"]> = new Map([
  ["no-op", "none"],
  ["create", "create"],
  ["read", "read"],
  ["update", "update"],
  ["delete", "delete"],
  ["forget", "forget"],
]);

/** Resources of a module and of all modules in it, as they are before. */
function stateResources(module: unknown): PlannedResource[] {
  const { resources, child_modules: children } = object(module);
  const own = list(resources).map(object);
  return [
    ...own
      .filter((resource) => resource.mode !== "data" && resource.deposed_key === undefined)
      .flatMap((resource) => stateResource(resource) ?? []),
    ...list(children).flatMap(stateResources),
  ];
}

function stateResource(resource: Json): PlannedResource | undefined {
  const named = nameOf(resource);
  if (!named) {
    return undefined;
  }
  const stored = { before: resource.values, before_sensitive: resource.sensitive_values };
  const { before, before_sensitive: marks } = named.type === MANIFEST.type ? asBlocks(stored) : stored;
  const values = object(before);
  const { address, configured, type, row, name, keys } = named;
  return {
    address,
    configured,
    type,
    row,
    name,
    keys,
    previousAddress: undefined,
    change: "none",
    reason: undefined,
    replacePaths: [],
    imported: false,
    planned: false,
    before: values,
    after: values,
    unknown: false,
    beforeSensitive: marks,
    afterSensitive: marks,
  };
}

function outputsOf(changes: Json): Map<string, PlannedOutput> {
  return new Map(
    Object.entries(changes)
      .map(([name, change]) => [name, object(change)] as const)
      .filter(([, change]) => !isMasked(change.before_sensitive) && !isMasked(change.after_sensitive))
      .map(([name, { before, after }]) => [name, { before, after }]),
  );
}

function isMasked(mask: unknown): boolean {
  return mask !== undefined && mask !== false;
}

function failedChecks(checks: readonly unknown[]): string[] {
  return checks
    .map(object)
    .filter(({ status }) => status === "fail" || status === "error")
    .map(({ address }) => text(object(address).to_display) ?? "a check")
    .sort();
}

const CODE = /^\[([a-z][a-z-]{0,40})\] /;

function ownConditions(check: unknown): OwnCondition[] {
  const { address: about, instances } = object(check);
  if (object(about).kind !== "resource") {
    return [];
  }
  return list(instances)
    .map(object)
    .flatMap((instance): OwnCondition[] => {
      const address = text(object(instance.address).to_display);
      if (address === undefined) {
        return [];
      }
      if (instance.status === "unknown") {
        return [{ address }];
      }
      const messages = list(instance.problems).map((problem) => text(object(problem).message) ?? "");
      return messages.flatMap((message) => {
        const code = CODE.exec(message)?.[1];
        return code === undefined ? [] : [{ address, code }];
      });
    });
}
