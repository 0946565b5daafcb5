import { PlannedResource, Side } from "../../terraform-json/plan";
import { MANIFEST, RESOURCE_TYPES, ResourceType } from "../../terraform-json/resource-types";
import { LATER } from "./inventory";

/** What stands for a value that Terraform marks as sensitive. */
export const SENSITIVE = "(sensitive value)";
/** What stands for a value that is not what its attribute should hold. */
export const NOT_SHOWN = "(not shown)";

const PLACEHOLDERS = [LATER, SENSITIVE, NOT_SHOWN];

/** True for text in which something stands for a value that cannot be read. */
export function holdsPlaceholder(text: string): boolean {
  // Nearly no text has a bracket, and every placeholder has.
  return text.includes("(") && PLACEHOLDERS.some((placeholder) => text.includes(placeholder));
}

/** What may be shown of one attribute: an entry of `shown` in the table of resource types, taken apart. */
interface Rule {
  readonly attribute: string;
  /** Of the blocks in the attribute. */
  readonly field?: string;
  readonly form: RegExp;
}

const RULES: ReadonlyMap<ResourceType, ReadonlyMap<string, Rule>> = new Map(
  [...Object.values(RESOURCE_TYPES), ...MANIFEST.kinds.values()].map((row) => [
    row,
    new Map(
      Object.entries(row.shown ?? {}).map(([path, form]) => {
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

/** The values of a list in one occurrence of a block. */
export function visibleFieldList(resource: PlannedResource, side: Side, path: string, index: number): string[] {
  return shownAt(resource, side, path, index);
}

/** An entry of `data` that is public by nature, though Terraform marks all of it as sensitive; undefined where it is not set. */
export function visibleDatum(resource: PlannedResource, side: Side, name: string): string | undefined {
  const form = resource.row.publicData?.[name];
  if (!form) {
    return undefined;
  }
  const later = side === "after" && resource.change !== "none" ? step(resource.unknown, "data") : false;
  if (step(later, name) === true) {
    return LATER;
  }
  const value = step(resource[side]?.data, name);
  return value === undefined || value === null ? undefined : form.test(String(value)) ? String(value) : NOT_SHOWN;
}

function shownAt(resource: PlannedResource, side: Side, path: string, index?: number): string[] {
  const rule = RULES.get(resource.row)?.get(path);
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
