import type { Inventory, InventoryEntry } from "../../terraform-json/inventory";

export {
  type ConsumerEntry,
  type FileEntry,
  filesOfEntry,
  type Inventory,
  type InventoryEntry,
  LATER,
  parseInventory,
} from "../../terraform-json/inventory";

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
