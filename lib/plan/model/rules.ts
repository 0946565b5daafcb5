import { list, object } from "../../terraform-json/json";
import type { PlannedResource, Side } from "../../terraform-json/plan";
import { occurrences, visibleFieldList, visibleList } from "../read/visible";

/** What a role lets somebody do. An empty group is that of `pods` and `secrets`. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  /** Of single objects; none for all of them. */
  readonly names: readonly string[];
  readonly urls: readonly string[];
}

/** Stands for the rules of other roles, which Kubernetes adds up. */
export const AGGREGATED = "(the rules of other roles, by their labels)";

const WHOLE = "(unreadable rules)";

/** The rules of a role; what of one cannot be read is what stands for it. */
export function rulesOf(role: PlannedResource, side: Side): Rule[] {
  if (!isThere(role, side)) {
    return [];
  }
  const count = occurrences(role, side, "rule");
  if (count === 0) {
    // All of them may be still to come, or hidden.
    const hidden = visibleList(role, side, "rule.verbs");
    return hidden.length > 0 ? [{ verbs: hidden, groups: [], resources: [WHOLE], names: [], urls: [] }] : [];
  }
  return Array.from({ length: count }, (_, index) => {
    const field = (name: string) => visibleFieldList(role, side, `rule.${name}`, index);
    const groups = list(object(list(role[side]!.rule)[index]).api_groups);
    return {
      verbs: field("verbs"),
      groups: [...(groups.includes("") ? [""] : []), ...field("api_groups")],
      resources: field("resources"),
      names: field("resource_names"),
      urls: field("non_resource_urls"),
    };
  });
}

/** True where a role takes the rules of others, too: which these are, no plan tells. */
export function isAggregated(role: PlannedResource, side: Side): boolean {
  return isThere(role, side) && occurrences(role, side, "aggregation_rule") > 0;
}

function isThere(role: PlannedResource, side: Side): boolean {
  return role[side] !== undefined && (side === "before" || role.change !== "forget");
}

/** All that a role lets somebody do, a text each: `get,list secrets`. Sorted. */
export function ruleTexts(role: PlannedResource, side: Side): string[] {
  const texts = rulesOf(role, side).map(ruleText);
  return [...new Set([...texts, ...(isAggregated(role, side) ? [AGGREGATED] : [])])].sort();
}

/** `get,list secrets`, `* deployments.apps`, `get /healthz`. */
function ruleText({ verbs, groups, resources, names, urls }: Rule): string {
  const of = resources.flatMap((resource) =>
    (groups.length > 0 ? groups : [""]).map((group) => (group === "" ? resource : `${resource}.${group}`)),
  );
  const only = names.length > 0 ? ` named ${sorted(names)}` : "";
  return `${sorted(verbs)} ${sorted([...of, ...urls])}${only}`;
}

function sorted(words: readonly string[]): string {
  return [...new Set(words)].sort().join(",");
}
