import { TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { checkShape, made } from "../terraform/shape";
import {
  type FileEntry,
  type Inventory,
  INVENTORY_SCHEMA_VERSION,
  type InventoryEntry,
  type Issuer,
} from "../inventory-schema";
import { labelOf, type OwnEntry, saidBy } from "../terraform/inventoried";

const STACK = made("a TerraformStack", "the stack", (value) => TerraformStack.isStack(value));

/**
 * Everything that a stack issues and grants, wherever its constructs are nested: what each of them says of itself, and which files that
 * is in. Equal stacks have equal inventories. It names secrets and holds none.
 *
 * Call it after `app.synth()`: what Aspects change is in it then.
 *
 * @throws PkiError when it is no stack
 */
export function inventoryOf(stack: TerraformStack): Inventory {
  checkShape("inventoryOf", stack, STACK, "stack");
  const nodes = stack.node.findAll();
  const said = nodes.flatMap((node) => (saidBy(node).entries?.() ?? []).map((entry) => ({ node, entry })));
  const files = filesByAddress(nodes);
  const issuers = issuersByAddress(said);
  const entries = said.map(({ node, entry }) => complete(node, entry, files, issuers));
  const machines = nodes.flatMap((node) => saidBy(node).machines?.() ?? []);
  return {
    schemaVersion: INVENTORY_SCHEMA_VERSION,
    stack: stack.node.id,
    entries: entries.sort(byWhatItIs),
    ...(machines.length > 0 ? { machines } : {}),
  };
}

interface Said {
  readonly node: IConstruct;
  readonly entry: OwnEntry;
}

/** Files by the addresses of what stands in them. */
function filesByAddress(nodes: readonly IConstruct[]): Map<string, Set<FileEntry>> {
  const found = new Map<string, Set<FileEntry>>();
  for (const { addresses, ...file } of nodes.flatMap((node) => saidBy(node).files?.() ?? [])) {
    for (const address of addresses) {
      found.set(address, (found.get(address) ?? new Set()).add(file));
    }
  }
  return found;
}

/** The authority's generation behind each address. */
function issuersByAddress(said: readonly Said[]): Map<string, Issuer> {
  return new Map(
    said.flatMap(({ node, entry }) =>
      entry.kind === "authority"
        ? entry.addresses.map(
            (address) =>
              [address, { authority: labelOf(node)?.name ?? entry.name, generation: entry.generation }] as const,
          )
        : [],
    ),
  );
}

function complete(
  node: IConstruct,
  { issuerAddress, ...entry }: OwnEntry,
  files: ReadonlyMap<string, ReadonlySet<FileEntry>>,
  issuers: ReadonlyMap<string, Issuer>,
): InventoryEntry {
  const standsIn = [...new Set(entry.addresses.flatMap((address) => [...(files.get(address) ?? [])]))];
  // An authority that is not made in this stack has no name here.
  const unknown = issuerAddress === undefined ? undefined : { authority: issuerAddress, generation: "" };
  const issuer = issuers.get(issuerAddress ?? "") ?? unknown;
  const { subjectInTable, subjectsInTable = [], ...label } = labelOf(node) ?? {};
  return {
    ...entry,
    // What its table calls it says more than its own id.
    ...label,
    ...(entry.kind === "certificate" && isInTable(entry.subject, subjectInTable) ? { asInTable: true } : {}),
    ...(subjectsInTable.length > 0 ? { asInTable: subjectsInTable } : {}),
    path: node.node.path,
    ...(issuer ? { issuer } : {}),
    ...(entry.kind === "binding" ? {} : { files: [...(entry.files ?? standsIn)].sort(byHolderAndPath) }),
  } as InventoryEntry;
}

/** Fields beside CN and O are the user's to choose. */
function isInTable(subject: string, inTable: string | undefined): boolean {
  return (
    inTable !== undefined && subject.startsWith(inTable) && /^($|, (OU|C|ST|L)=)/.test(subject.slice(inTable.length))
  );
}

function byHolderAndPath(a: FileEntry, b: FileEntry): number {
  return compare(a.holder, b.holder) || compare(a.path, b.path);
}

function byWhatItIs(a: InventoryEntry, b: InventoryEntry): number {
  const keys = (entry: InventoryEntry) => [
    entry.kind,
    entry.cluster ?? "",
    entry.name,
    "generation" in entry ? entry.generation : "",
    ("holder" in entry ? entry.holder : "") ?? "",
    entry.path,
  ];
  const [left, right] = [keys(a), keys(b)];
  return left.map((key, index) => compare(key, right[index]!)).find((order) => order !== 0) ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
