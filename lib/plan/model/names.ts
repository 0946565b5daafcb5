import type { PlannedResource } from "../../terraform-json/plan";
import { parseName } from "../../terraform/names";
import type { InventoryEntry } from "../read/inventory";

/** What an identity is called. */
export interface Name {
  /** `addressPrefix` of its cluster. */
  readonly cluster?: string;
  /** `kubernetes`, `apiserver`, `workers`, … or the Terraform name of what is not this library's. */
  readonly name: string;
  /** Who holds a certificate: a machine, `operator`, `cluster`. */
  readonly holder?: string;
  /** `g1`, of an authority or key pair; `b`, of the second of two tokens. */
  readonly generation?: string;
}

/** Kinds of things that a plan changes. */
export type IdentityKind = "authority" | "key pair" | "certificate" | "token" | "binding" | "role" | "secret";

/** The name that the inventory gives, else what the address says by the contract of this library, else the address itself. */
export function nameOf(kind: IdentityKind, anchor: PlannedResource, entry: InventoryEntry | undefined): Name {
  const byAddress = nameByAddress(kind, anchor);
  if (!entry || (entry.cluster === undefined && byAddress)) {
    // What stands in no cluster has its Terraform name in the inventory, of which the contract tells more.
    return byAddress ?? { name: localName(anchor) };
  }
  return {
    cluster: entry.cluster,
    name: entry.name,
    holder: "holder" in entry ? entry.holder : undefined,
    generation: "generation" in entry ? entry.generation : undefined,
  };
}

function nameByAddress(kind: IdentityKind, { name, keys }: PlannedResource): Name | undefined {
  const parsed = keys ? undefined : parseName(name);
  if (parsed?.kind !== kind) {
    return undefined;
  }
  const { prefix, holder, generation } = parsed;
  const isGeneration = kind === "authority" || kind === "key pair";
  // Of two tokens that are replaced in turn, the second has one.
  if (kind !== "token" && isGeneration !== (generation !== undefined)) {
    return undefined;
  }
  return { cluster: prefix, name: parsed.name, holder, generation };
}

/** `<type>.x` is just `x`, and what is in a module or has several instances keeps all that tells it apart. */
function localName({ address, type, name }: PlannedResource): string {
  return address === `${type}.${name}` ? name : address.replace(`${type}.`, "");
}
