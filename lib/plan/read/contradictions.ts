import { LATER } from "../../inventory-schema";
import { withoutKeys } from "../../terraform-json/address";
import type { Plan, PlannedResource } from "../../terraform-json/plan";
import { UnusableError } from "../../terraform-json/unusable";
import { title } from "../../terraform/names";
import type { Inventory, InventoryEntry } from "./inventory";
import type { Published } from "./published";

/** So many are told; one would do. */
const FEW = 3;

/** What inventories say of code and outputs that the plan itself says otherwise, each with both values. */
export function contradictionsOf(inventories: readonly Inventory[], plan: Plan, published: Published): string[] {
  const hasPlace = placesIn(plan);
  return [
    ...missingEntries(inventories, published),
    ...inventories.flatMap(({ stack, entries }) =>
      entries.flatMap((entry) => entryContradictions(entry, hasPlace, published).map((text) => `${stack}: ${text}`)),
    ),
  ];
}

/**
 * Refuses inventories that are of another synth, or of another stack, than the plan.
 *
 * @param found what contradicts it
 * @throws UnusableError where there is any
 */
export function refuseContradictions(found: readonly string[]): void {
  if (found.length > 0) {
    const more = found.length > FEW ? `; and ${found.length - FEW} more` : "";
    throw new UnusableError(
      `the inventory is not of this plan: ${found.slice(0, FEW).join("; ")}${more}; give the pki-inventory.json of the synth that the plan was made from`,
    );
  }
}

/** True for an address that the plan's code has, or that stays in the state for another reason. */
type Places = (address: string) => boolean;

function placesIn({ resources, references }: Plan): Places {
  const staying = new Set(resources.filter(({ change }) => !GOES.has(change)).map(({ address }) => address));
  return (address) => staying.has(address) || references.has(withoutKeys(address));
}

const GOES: ReadonlySet<PlannedResource["change"]> = new Set(["delete", "forget"]);

function entryContradictions(entry: InventoryEntry, hasPlace: Places, published: Published): string[] {
  const foreign = entry.addresses.filter((address) => !hasPlace(address));
  const name = title({ ...entry });
  return [
    ...foreign.map((address) => `it has ${address}, and the plan's code has no such resource`),
    ...stateContradictions(entry, name, published),
    ...namesContradictions(entry, name, published),
  ];
}

function stateContradictions(entry: InventoryEntry, name: string, published: Published): string[] {
  if (entry.kind !== "authority" && entry.kind !== "key pair") {
    return [];
  }
  const { kind, cluster, state } = entry;
  const all = cluster === undefined ? undefined : published.generationsOf("after", kind, cluster);
  const planned = all && (all[entry.name]?.[entry.generation] ?? "missing");
  return planned === undefined || planned === state ? [] : [`${name} is ${state} there, and ${planned} in the plan`];
}

function namesContradictions(entry: InventoryEntry, name: string, published: Published): string[] {
  if (entry.kind !== "certificate" || entry.issuedBy !== "terraform" || entry.cluster === undefined) {
    return [];
  }
  const planned = published.namesOf("after", entry.cluster, entry.holder ?? "", entry.name);
  const sans: readonly string[] = (entry as Partial<typeof entry>).sans ?? [];
  if (!planned || [...planned, ...sans].some((san) => san.includes(LATER) || san.includes("${"))) {
    return [];
  }
  const [there, here] = [sans, planned].map((names) => [...names].sort().join(", "));
  return there === here ? [] : [`${name} has the names ${there || "none"} there, and ${here || "none"} in the plan`];
}

/** A cluster, or a generation, that the plan publishes and no inventory has. */
function missingEntries(inventories: readonly Inventory[], published: Published): string[] {
  const entries = inventories.flatMap(({ entries }) => entries);
  const clusters = inventories.length === 0 ? [] : published.clustersOn("after");
  return clusters.flatMap((cluster) => {
    const own = entries.filter((entry) => entry.cluster === cluster);
    if (own.length === 0) {
      return [`it has nothing of ${cluster}, which the plan publishes`];
    }
    const there = new Set(own.map((entry) => `${entry.kind}\n${title({ ...entry, cluster: undefined })}`));
    return (["authority", "key pair"] as const).flatMap((kind) =>
      Object.entries(published.generationsOf("after", kind, cluster) ?? {}).flatMap(([name, states]) =>
        Object.entries(states)
          .map(([generation, state]) => [title({ name, generation }), state] as const)
          .filter(([name]) => !there.has(`${kind}\n${name}`))
          .map(([name, state]) => `${name} is missing there, and ${state} in the plan`),
      ),
    );
  });
}
