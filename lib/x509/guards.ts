import type { TerraformResource } from "cdktf";
import type { GuardedGeneration } from "../terraform/inventoried";
import { preventsDestroy } from "../terraform/synthesized";
import type { GenerationState } from "./generation";

/** What keeps a generation from being lost, as Terraform will see it: an Aspect or an escape hatch may have changed it. */
export function guardsOf({ id, state, resource, key, pinned }: Guarded): GuardedGeneration {
  // A retired one may be removed.
  const unprotected = state !== "retired" && !(preventsDestroy(resource) && (!key || preventsDestroy(key.resource)));
  return { generation: id, ...(unprotected ? { unprotected } : {}), ...(pinned ? { pinned } : {}) };
}

/** A generation of an authority or a key pair, as it was made. */
interface Guarded {
  readonly id: string;
  readonly state: GenerationState;
  /** What stands for it in the state. */
  readonly resource: TerraformResource;
  readonly key?: { readonly resource: TerraformResource };
  /** True where the code names its fingerprint. */
  readonly pinned?: boolean;
}
