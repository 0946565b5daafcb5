import { withoutKeys } from "./address";
import { Json, list, object, text } from "./json";

/** Whether all of the code and of the state was planned; `unknown` where the plan does not say, and nothing tells it. */
export type Completeness = boolean | "unknown";

/**
 * Terraform says since 1.8 whether it left something out. OpenTofu does not: there, `-target` and `-exclude` are seen by what is
 * missing. A whole plan has every resource of the state, every output of the code, and every check.
 */
export function completenessOf(plan: Json): Completeness {
  if (typeof plan.complete === "boolean") {
    return plan.complete;
  }
  if (plan.errored === true) {
    return false;
  }
  return new Evidence(plan).judge();
}

class Evidence {
  private readonly code: Json;
  private readonly state: Json;
  private readonly outputs: Json;
  /** Planned instances, by their address in the code. */
  private readonly planned = new Map<string, number>();
  private readonly addresses = new Set<string>();
  private readonly hasKeys: ReadonlySet<string>;
  private readonly onlyDeletes: boolean;

  public constructor(private readonly plan: Json) {
    this.code = object(object(plan.configuration).root_module);
    this.state = object(object(plan.prior_state).values);
    this.outputs = object(plan.output_changes);
    const changes = list(plan.resource_changes).map(object).filter(isManaged);
    const hasKeys = new Set<string>();
    for (const { address, change } of changes) {
      const configured = withoutKeys(String(address));
      this.addresses.add(String(address));
      if (configured !== address) {
        hasKeys.add(configured);
      }
      if (!isDelete(change)) {
        this.planned.set(configured, (this.planned.get(configured) ?? 0) + 1);
      }
    }
    this.hasKeys = hasKeys;
    this.onlyDeletes = changes.length > 0 && changes.every(({ change }) => isDelete(change));
  }

  public judge(): Completeness {
    const before = Object.keys(object(this.state.outputs));
    // A plan that destroys has nothing of outputs that never were in the state.
    const expected = [...before, ...(this.onlyDeletes ? [] : Object.keys(object(this.code.outputs)))];
    if (expected.some((name) => !Object.hasOwn(this.outputs, name))) {
      return false;
    }
    const left = addressesIn(this.state.root_module).some((address) => !this.addresses.has(address));
    // A plan with -refresh-only has no resources at all.
    if (left && this.addresses.size > 0) {
      return false;
    }
    if (this.isWhole()) {
      return true;
    }
    if (left || this.plan.configuration === undefined) {
      return "unknown";
    }
    return this.destroys(before.length > 0) || this.resources(this.code, "");
  }

  /** True for a plan that destroys all: it has nothing of what is in the code alone. */
  private destroys(hadOutputs: boolean): boolean {
    const single = list(this.code.resources).map((resource) => text(object(resource).address) ?? "");
    return this.onlyDeletes && (hadOutputs || single.some((address) => this.addresses.has(address)));
  }

  /** What no plan has that was limited: an output made of nothing that could be left out, one that is removed, or a check. */
  private isWhole(): boolean {
    const code = object(this.code.outputs);
    return (
      Object.keys(this.outputs).some((name) => !Object.hasOwn(code, name) || isFixed(object(code[name]).expression)) ||
      list(this.plan.checks)
        .map(object)
        .some(({ address, instances }) => object(address).kind === "check" && list(instances).length > 0)
    );
  }

  /** Looks for what is in the code of a module, and not in the plan. */
  private resources(module: Json, prefix: string): Completeness {
    const own = list(module.resources)
      .map(object)
      .filter(isManaged)
      .map((resource) => this.resource(resource, `${prefix}${text(resource.address) ?? ""}`));
    const below = Object.entries(object(module.module_calls)).map(([name, value]) => {
      const call = object(value);
      return instancesOf(call) === 0 ? true : this.resources(object(call.module), `${prefix}module.${name}.`);
    });
    const all = [...own, ...below];
    return all.includes(false) ? false : all.includes("unknown") ? "unknown" : true;
  }

  private resource(resource: Json, configured: string): Completeness {
    const found = this.planned.get(configured) ?? 0;
    const expected = instancesOf(resource);
    if (configured.startsWith("module.") && expected !== 0 && this.hasKeys.has(configured)) {
      return "unknown";
    }
    if (typeof expected === "number") {
      return found >= expected;
    }
    // `enabled = false`, and a `for_each` with neither reference nor constant, do not stand in the JSON.
    return expected === undefined && found > 0 && !this.hasKeys.has(configured) ? true : "unknown";
  }
}

/** How many instances the code asks for; undefined where it has no `count` and no `for_each`. */
function instancesOf({ count_expression: count, for_each_expression: each }: Json): number | "unknown" | undefined {
  const constant = object(count).constant_value;
  return typeof constant === "number" ? constant : count === undefined && each === undefined ? undefined : "unknown";
}

/** True where an expression is made of literals and variables alone. */
function isFixed(expression: unknown): boolean {
  return list(object(expression).references).every((name) => /^(var|path|terraform)\./.test(String(name)));
}

function isDelete(change: unknown): boolean {
  const [action, second] = list(object(change).actions);
  return second === undefined && (action === "delete" || action === "forget");
}

function isManaged({ mode, deposed, deposed_key: key }: Json): boolean {
  return (mode === undefined || mode === "managed") && deposed === undefined && key === undefined;
}

function addressesIn(module: unknown): string[] {
  const { resources, child_modules: children } = object(module);
  const own = list(resources).map(object).filter(isManaged);
  return [...own.map(({ address }) => String(address)), ...list(children).flatMap(addressesIn)];
}
