import { at, isObject, Json, object } from "./json";
import { MANIFEST, ResourceType } from "./resource-types";

/** What a manifest calls it, by how the provider's own resources do. Fields of blocks, which are lists in both. */
const BLOCKS: Readonly<Record<string, { readonly field: string; readonly names: Readonly<Record<string, string>> }>> = {
  metadata: { field: "metadata", names: { name: "name", namespace: "namespace" } },
  role_ref: { field: "roleRef", names: { kind: "kind", name: "name" } },
  subject: { field: "subjects", names: { kind: "kind", name: "name", namespace: "namespace" } },
  rule: {
    field: "rules",
    names: {
      verbs: "verbs",
      api_groups: "apiGroups",
      resources: "resources",
      resource_names: "resourceNames",
      non_resource_urls: "nonResourceURLs",
    },
  },
  aggregation_rule: { field: "aggregationRule", names: {} },
};

/** What an object is to a PKI, by its kind before and after; undefined where it is nothing to it. */
export function manifestRow(entry: Json): ResourceType | undefined {
  const sides = [at(entry, "change.after"), at(entry, "change.before"), entry.values];
  return sides.map((values) => MANIFEST.kinds.get(at(values, "manifest.kind"))).find((row) => row !== undefined);
}

/** A change, or what is known of a resource, with the object's fields as if they were blocks of a resource of its own. */
export function asBlocks(change: Json): Json {
  const sides = ["before", "after", "after_unknown", "before_sensitive", "after_sensitive"];
  return { ...change, ...Object.fromEntries(sides.map((side) => [side, blocksIn(change[side])])) };
}

/** The same for values and for masks: one that is `true` covers all below it. */
function blocksIn(values: unknown): unknown {
  if (!isObject(values)) {
    return values;
  }
  const { manifest } = values;
  return Object.fromEntries(
    Object.entries(BLOCKS).map(([block, { field, names }]) => [block, renamed(below(manifest, field), names)]),
  );
}

function below(value: unknown, field: string): unknown {
  return value === true ? true : object(value)[field];
}

function renamed(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => fields(item, names));
  }
  return isObject(value) ? [fields(value, names)] : value;
}

function fields(item: unknown, names: Readonly<Record<string, string>>): unknown {
  return isObject(item) ? Object.fromEntries(Object.entries(names).map(([own, field]) => [own, item[field]])) : item;
}
