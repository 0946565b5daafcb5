import { pinnedName } from "../../terraform-json/address";
import { parseName, title } from "../../terraform/names";
import type { PlannedResource } from "../../terraform-json/plan";
import type { Identity } from "../model/identity";
import type { PlanModel } from "../model/model";

/** A generation whose key is not the one that the code pins. */
export interface RefusedPin {
  /** `kubernetes g1`; the Terraform address where the key has no such name. */
  readonly name: string;
  /** Its cluster, by `addressPrefix`; missing for what is in none. */
  readonly cluster?: string;
  /** What happens, in a sentence or two. */
  readonly message: string;
  /** What to restore. */
  readonly fix: string;
  /** Terraform address of the key. */
  readonly address: string;
}

const MESSAGES = {
  refused:
    "The key in the state is not the one that is pinned, most likely because the state was lost: nothing was signed with it.",
  made: "Its key is not in the state. A new one would be made, which the pinned fingerprint refuses: the apply stops there.",
  replaced: "Its key would be replaced by a new one, which the pinned fingerprint refuses: the apply stops there.",
};

const FIX =
  "restore the state that holds the pinned key, from its backup or an earlier version, before the next apply; remove the pin only to begin anew";

/** Pinned fingerprints that refuse the plan or its apply: they tell that a state was lost. */
export function refusedPins(model: PlanModel): RefusedPin[] {
  const { conditions, resources } = model.plan;
  if (conditions.length === 0) {
    return [];
  }
  const keys = new Map(resources.filter(({ row }) => row.role === "key").map((key) => [key.address, key]));
  const owners = new Map(model.identities.map((identity) => [identity.key.after?.address, identity]));
  const found = new Map<string, RefusedPin>();
  for (const { address, code } of conditions) {
    const key = keys.get(address);
    const named = key && nameOf(key, owners.get(address));
    const message = named && messageOf(key, named.isGeneration, code);
    if (message !== undefined) {
      const { name, cluster } = named!;
      found.set(address, { name, ...(cluster === undefined ? {} : { cluster }), message, fix: FIX, address });
    }
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function messageOf({ change }: PlannedResource, isGeneration: boolean, code: string | undefined): string | undefined {
  if (code === "fingerprint") {
    return MESSAGES.refused;
  }
  // Nothing else is asked of the key of a generation. One that is still to be made cannot be the one that was pinned.
  const isPending = code === undefined && isGeneration;
  return isPending && change === "create"
    ? MESSAGES.made
    : isPending && change === "replace"
      ? MESSAGES.replaced
      : undefined;
}

/** After a refused apply, the certificate of an authority is in no plan: then its key alone tells whose it is. */
function nameOf(
  { address }: PlannedResource,
  owner: Identity | undefined,
): { name: string; cluster?: string; isGeneration: boolean } {
  const parsed = parseName(pinnedName(address) ?? "");
  if (parsed?.generation !== undefined && (parsed.kind === "authority" || parsed.kind === "key pair")) {
    const { prefix: cluster, name, generation } = parsed;
    return { name: title({ name, generation }), cluster, isGeneration: true };
  }
  const name = owner?.name;
  return name?.generation === undefined
    ? { name: address, isGeneration: false }
    : {
        name: title({ ...name, cluster: undefined }),
        cluster: name.cluster,
        isGeneration: owner?.kind !== "certificate",
      };
}
