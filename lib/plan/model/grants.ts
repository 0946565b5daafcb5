import type { PlannedResource, Side } from "../../terraform-json/plan";
import { LATER } from "../read/inventory";
import { holdsPlaceholder, occurrences, visible, visibleField, visibleList } from "../read/visible";

/** A role that somebody has. */
export interface Grant {
  /** `ClusterRole/cluster-admin`. */
  readonly role: string;
  /** `Group/system:nodes`. */
  readonly subject: string;
  /** Equal for equal grants in one place: the whole cluster, or a namespace. */
  readonly key: string;
}

/** `ClusterRole/<name>` of a binding. */
export function roleOf(binding: PlannedResource, side: Side): string | undefined {
  const name = visible(binding, side, "role_ref.name");
  return name && `${visible(binding, side, "role_ref.kind") ?? "ClusterRole"}/${name}`;
}

/** Subjects of a binding, sorted. */
export function subjectsOf(binding: PlannedResource, side: Side): string[] {
  const count = occurrences(binding, side, "subject");
  if (count === 0) {
    // All of them may be still to come, or hidden.
    return visibleList(binding, side, "subject.name");
  }
  return Array.from({ length: count }, (_, index) => {
    const field = (name: string) => visibleField(binding, side, `subject.${name}`, index);
    const kind = field("kind") ?? LATER;
    const namespace = kind === "ServiceAccount" ? `${field("namespace") ?? "default"}/` : "";
    return `${kind}/${namespace}${field("name") ?? LATER}`;
  }).sort();
}

/** What a binding gives, for each of its subjects; nothing of one that Terraform lets go of. */
export function grantsOf(binding: PlannedResource, side: Side): Grant[] {
  const gone = side === "after" && binding.change === "forget";
  if (gone || !binding[side]) {
    return [];
  }
  const role = roleOf(binding, side) ?? LATER;
  // Only what is bound in a namespace has one.
  const place = visible(binding, side, "metadata.namespace") ?? "";
  return subjectsOf(binding, side).map((subject) => ({ role, subject, key: `${place} ${role} ${subject}` }));
}

/** Bindings that come by those that go, where both give the same: the object has another name, and nobody can do more than before. */
export function renamedBindings(bindings: readonly PlannedResource[]): Map<PlannedResource, PlannedResource> {
  const gone = new Map<string, PlannedResource[]>();
  for (const old of bindings.filter(({ change }) => change === "delete")) {
    const grants = allOf(old, "before");
    gone.set(grants, [...(gone.get(grants) ?? []), old]);
  }
  const found = new Map<PlannedResource, PlannedResource>();
  for (const made of gone.size > 0 ? bindings.filter(({ change }) => change === "create") : []) {
    const grants = allOf(made, "after");
    const old = grants === "" ? undefined : gone.get(grants)?.shift();
    if (old) {
      found.set(made, old);
    }
  }
  return found;
}

/** Empty where a part of it cannot be read: what is not known is equal to nothing. */
function allOf(binding: PlannedResource, side: Side): string {
  const keys = grantsOf(binding, side).map(({ key }) => key);
  return keys.some(holdsPlaceholder) ? "" : keys.join("\n");
}
