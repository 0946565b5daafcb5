import {
  ConsumerEntry,
  FileEntry,
  Inventory,
  INVENTORY_SCHEMA_VERSION,
  InventoryEntry,
  LATER,
} from "../../inventory-schema";
import { isObject, list, parseJson } from "../../terraform-json/json";
import { UnusableError } from "../../terraform-json/unusable";

// The one place where the plan report knows of the inventory's file.
export { type ConsumerEntry, type FileEntry, type Inventory, type InventoryEntry, LATER };

/**
 * Reads `pki-inventory.json`.
 *
 * @param origin where it came from, as the user named it
 * @throws UnusableError when it is something else, or of another version
 */
export function parseInventory(text: string, origin: string): Inventory {
  const inventory = parseJson(text);
  if (!isObject(inventory) || !areEntries(inventory.entries)) {
    throw new UnusableError(
      `${origin} is no inventory: give pki-inventory.json, as it lies beside a stack's cdk.tf.json`,
    );
  }
  if (inventory.schemaVersion !== INVENTORY_SCHEMA_VERSION) {
    throw new UnusableError(
      `${origin} has another schemaVersion than ${INVENTORY_SCHEMA_VERSION}: use the version that wrote it`,
    );
  }
  return inventory as unknown as Inventory;
}

function areEntries(entries: unknown): boolean {
  return Array.isArray(entries) && list(entries).every((entry) => isObject(entry) && Array.isArray(entry.addresses));
}

/** Entries of inventories by the addresses of their resources. */
export class Entries {
  private readonly byAddress = new Map<string, InventoryEntry>();

  /** @param inventories of all stacks in the plan; none is fine */
  public constructor(public readonly inventories: readonly Inventory[]) {
    for (const entry of inventories.flatMap(({ entries }) => entries)) {
      entry.addresses.forEach((address) => this.byAddress.set(address, entry));
    }
  }

  /** The entry that one of the addresses belongs to. */
  public of(addresses: readonly string[]): InventoryEntry | undefined {
    for (const address of addresses) {
      const entry = this.byAddress.get(address);
      if (entry) {
        return entry;
      }
    }
    return undefined;
  }
}

/** The files that an entry stands in; none for what stands in no file. */
export function filesOfEntry(entry: InventoryEntry | undefined): readonly FileEntry[] {
  return entry && "files" in entry ? entry.files : [];
}
