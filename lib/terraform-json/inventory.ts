import {
  ConsumerEntry,
  FileEntry,
  Inventory,
  INVENTORY_SCHEMA_VERSION,
  InventoryEntry,
  LATER,
} from "../inventory-schema";
import { isDeeperThan, isObject, MAX_NESTING, parseJson } from "./json";
import { UnusableError } from "./unusable";

// The one place where the commands know of the inventory's file.
export { type ConsumerEntry, type FileEntry, type Inventory, type InventoryEntry, LATER };

/**
 * Reads `pki-inventory.json`.
 *
 * @param origin where it came from, as the user named it
 * @throws UnusableError when it is something else, or of another version
 */
export function parseInventory(text: string, origin: string): Inventory {
  const inventory = parseJson(text);
  if (!isObject(inventory) || !Array.isArray(inventory.entries)) {
    throw noInventory(origin);
  }
  if (inventory.schemaVersion !== INVENTORY_SCHEMA_VERSION) {
    throw new UnusableError(
      `${origin} has another schemaVersion than ${INVENTORY_SCHEMA_VERSION}: use the version that wrote it`,
    );
  }
  if (!isInventory(inventory) || isDeeperThan(MAX_NESTING, inventory)) {
    throw noInventory(origin);
  }
  return inventory;
}

function noInventory(origin: string): UnusableError {
  return new UnusableError(
    `${origin} is no inventory: give pki-inventory.json, as it lies beside a stack's cdk.tf.json`,
  );
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isTrue: Check = (value) => value === true;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.some((word) => word === value);
const having =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

/** The form of all that the commands read of an inventory; fields that they do not read may hold anything. */
const FILE = having({
  holder: isText,
  path: isText,
  kind: isText,
  consumers: listOf(
    having({
      component: isText,
      via: isText,
      onChange: oneOf("reload", "restart", "next-use"),
      prefers: optional(isText),
    }),
  ),
});
const ENTRY = having({
  kind: isText,
  name: isText,
  cluster: optional(isText),
  holder: optional(isText),
  generation: optional(isText),
  state: optional(oneOf("active", "trusted", "retired")),
  purpose: optional(isText),
  subject: optional(isText),
  usage: optional(isText),
  keyAlgorithm: optional(isText),
  validityHours: optional(isNumber),
  earlyRenewalHours: optional(isNumber),
  signsNodesForHours: optional(isNumber),
  role: optional(isText),
  addresses: listOf(isText),
  exceptions: optional(listOf(having({ code: isText, reason: isText }))),
  sans: optional(listOf(isText)),
  groups: optional(listOf(isText)),
  usages: optional(listOf(isText)),
  subjects: optional(listOf(isText)),
  expireAfterHours: optional(isNumber),
  expires: optional(isText),
  asInTable: optional((value) => value === true || listOf(isText)(value)),
  pinned: optional(isTrue),
  unprotected: optional(isTrue),
  files: optional(listOf(FILE)),
});
const isPort: Check = (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
const SHOWN = having({ via: isText, path: isText });
const PORT = having({ component: isText, number: isPort, setBy: isText, files: listOf(SHOWN) });
const MACHINE = having({ cluster: isText, name: isText, addresses: listOf(isText), ports: listOf(PORT) });
const INVENTORY = having({ stack: isText, entries: listOf(ENTRY), machines: optional(listOf(MACHINE)) });

function isInventory(value: unknown): value is Inventory {
  return INVENTORY(value);
}

/** The files that an entry stands in; none for what stands in no file. */
export function filesOfEntry(entry: InventoryEntry | undefined): readonly FileEntry[] {
  return (entry && "files" in entry ? entry.files : undefined) ?? [];
}
