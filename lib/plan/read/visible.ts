import { PlannedResource, Side } from "../../terraform-json/plan";
import { RESOURCE_TYPES } from "../../terraform-json/resource-types";
import { LATER } from "./inventory";

/** What stands for a value that Terraform marks as sensitive. */
export const SENSITIVE = "(sensitive value)";
/** What stands for a value that is not what its attribute should hold. */
export const NOT_SHOWN = "(not shown)";

/** What may be shown of one attribute: an entry of `shown` in the table of resource types, taken apart. */
interface Rule {
  readonly attribute: string;
  /** Of the blocks in the attribute. */
  readonly field?: string;
  readonly form: RegExp;
}

const RULES: ReadonlyMap<string, ReadonlyMap<string, Rule>> = new Map(
  Object.entries(RESOURCE_TYPES).map(([type, { shown = {} }]) => [
    type,
    new Map(
      Object.entries(shown).map(([path, form]) => {
        const [attribute, field] = path.split(".") as [string, string?];
        return [path, { attribute, field, form }];
      }),
    ),
  ]),
);

/**
 * One value as it may be shown.
 *
 * @param path an attribute, or `<block>.<attribute>` of a block's first occurrence
 * @returns undefined where it is not set or may not be shown
 */
export function visible(resource: PlannedResource, side: Side, path: string): string | undefined {
  return visibleList(resource, side, path)[0];
}

/** The values of a list, or of an attribute in every occurrence of a block; a single one as a list of one. */
export function visibleList(resource: PlannedResource, side: Side, path: string): string[] {
  return shownAt(resource, side, path);
}

/** How often a block is there. */
export function occurrences(resource: PlannedResource, side: Side, block: string): number {
  const value = resource[side]?.[block];
  return Array.isArray(value) ? value.length : 0;
}

/** The field of one occurrence of a block. */
export function visibleField(resource: PlannedResource, side: Side, path: string, index: number): string | undefined {
  return shownAt(resource, side, path, index)[0];
}

function shownAt(resource: PlannedResource, side: Side, path: string, index?: number): string[] {
  const rule = RULES.get(resource.type)?.get(path);
  const values = resource[side];
  if (!rule || !values) {
    return [];
  }
  const { attribute } = rule;
  let value = values[attribute];
  let unknown = side === "after" && resource.change !== "none" ? step(resource.unknown, attribute) : false;
  let sensitive = step(side === "before" ? resource.beforeSensitive : resource.afterSensitive, attribute);
  if (index !== undefined) {
    value = step(value, index);
    unknown = step(unknown, index);
    sensitive = step(sensitive, index);
  }
  const shown: string[] = [];
  show(value, unknown, sensitive, rule, shown);
  return shown;
}

/** Adds what may be shown of a value and of all in it. */
function show(
  value: unknown,
  unknown: unknown,
  sensitive: unknown,
  rule: Rule,
  shown: string[],
  inField = false,
): void {
  const { field, form } = rule;
  if (sensitive === true) {
    shown.push(SENSITIVE);
  } else if (unknown === true) {
    shown.push(LATER);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      show(value[index], step(unknown, index), step(sensitive, index), rule, shown, inField);
    }
  } else if (typeof value === "object" && value !== null) {
    if (field === undefined || inField) {
      shown.push(NOT_SHOWN);
    } else {
      show(step(value, field), step(unknown, field), step(sensitive, field), rule, shown, true);
    }
  } else if (value !== null && value !== undefined && value !== "") {
    const text = String(value);
    shown.push(form.test(text) ? text : NOT_SHOWN);
  }
}

/** What is below a value, or below a mask: one that is `true` covers all below it. */
function step(value: unknown, key: string | number): unknown {
  if (value === true) {
    return true;
  }
  return typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}
