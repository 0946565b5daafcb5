import { TerraformResourceLifecycle } from "cdktf";

/** A `lifecycle` of what is set in it, or none at all: an empty one, or an empty list, would stand in the synthesized JSON. */
export function lifecycle(settings: TerraformResourceLifecycle): TerraformResourceLifecycle | undefined {
  const set = Object.entries(settings).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value));
  return set.length > 0 ? Object.fromEntries(set) : undefined;
}
