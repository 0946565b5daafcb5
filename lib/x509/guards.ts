import type { TerraformResource } from "cdktf";
import type { AuthorityEntry } from "../inventory-schema";
import { preventsDestroy } from "../terraform/synthesized";
import type { GenerationState } from "./generation";

/**
 * What keeps a generation from being lost, as Terraform will see it: an Aspect or an escape hatch may have changed it.
 *
 * @param resources its certificate and its key
 * @param pinned whether the code names its fingerprint
 */
export function guardsOf(
  state: GenerationState,
  resources: readonly TerraformResource[],
  pinned = false,
): Pick<AuthorityEntry, "unprotected" | "pinned"> {
  // A retired one may be removed.
  const unprotected = state !== "retired" && !resources.every(preventsDestroy);
  return { ...(unprotected ? { unprotected } : {}), ...(pinned ? { pinned } : {}) };
}
