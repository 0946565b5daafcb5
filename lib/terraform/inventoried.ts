import type { IConstruct } from "constructs";
import type { AuthorityEntry, FileEntry, InventoryEntry, MachineEntry } from "../inventory-schema";

const INVENTORIED = Symbol.for("cdktf-kubernetes-pki/inventoried");
const LABEL = Symbol.for("cdktf-kubernetes-pki/label");

/** What a construct says of itself, for the inventory. Asked for after synth, when everything is final. */
export interface Inventoried {
  /** What it issues or grants. @default - nothing */
  readonly entries?: () => readonly OwnEntry[];
  /** What keeps its generations from being lost. @default - it has none */
  readonly guards?: () => readonly GuardedGeneration[];
  /** Files, and keys of Secrets, that it makes of what others issue. @default - none */
  readonly files?: () => readonly MadeFile[];
  /** Machines of its cluster. @default - none */
  readonly machines?: () => readonly MachineEntry[];
}

/** An entry without what others know of it: which files it stands in, and what its issuer is called. */
export type OwnEntry = InventoryEntry extends infer Entry
  ? Entry extends InventoryEntry
    ? Omit<Entry, "files" | "issuer" | "path"> & {
        /** Address of the certificate that signed it. */
        readonly issuerAddress?: string;
        readonly issuer?: Extract<Entry, { issuer?: unknown }>["issuer"];
        /** Of what has no resource, and so stands in no file that is made here. */
        readonly files?: readonly FileEntry[];
      }
    : never
  : never;

/** A generation, and what keeps it from being lost. */
export type GuardedGeneration = Pick<AuthorityEntry, "generation" | "unprotected" | "pinned">;

/** A file, and the addresses of what stands in it. */
export interface MadeFile extends FileEntry {
  readonly addresses: readonly string[];
}

/** What a thing is called by those who made it: whose it is, and for what. */
export type Label = Pick<InventoryEntry, "cluster" | "name" | "purpose" | "exceptions"> & {
  readonly holder?: string;
  /** Of an authority. */
  readonly signsNodesForHours?: number;
  /** `CN=…, O=…` that its distribution's table gives a certificate. */
  readonly subjectInTable?: string;
  /** Subjects to whom its distribution's table gives the role of a binding. */
  readonly subjectsInTable?: readonly string[];
};

/** Lets a construct say what the inventory holds of it. */
export function inventoried(construct: IConstruct, says: Inventoried): void {
  Object.defineProperty(construct, INVENTORIED, { value: says });
}

/** Says what a construct is, where it does not know itself. */
export function label(construct: IConstruct, says: Label): void {
  Object.defineProperty(construct, LABEL, { value: says });
}

/** What a construct says of itself; nothing where it is no construct of this library. */
export function saidBy(construct: IConstruct): Inventoried {
  return (construct as { [INVENTORIED]?: Inventoried })[INVENTORIED] ?? {};
}

/** What others say of a construct; undefined where nobody says anything. */
export function labelOf(construct: IConstruct): Label | undefined {
  return (construct as { [LABEL]?: Label })[LABEL];
}
