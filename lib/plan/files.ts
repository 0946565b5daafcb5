import { type FileMap } from "../kubernetes/holders";
import { isObject, object } from "../terraform-json/json";
import type { Plan } from "../terraform-json/plan";
import type { Side } from "./visible";
import { prefixOfFiles } from "../terraform/names";
import type { Reference } from "../terraform/reference";

/** A file of a machine on one side of the plan. */
export interface PlannedFile {
  /** `addressPrefix` of the part that published it, as it is after the plan. */
  readonly cluster: string;
  readonly machine: string;
  readonly path: string;
  /** What stands in it, in its order. */
  readonly references: readonly Reference[];
  /** Equal where the file is made of the same things in the same way. */
  readonly form: string;
}

/** The outputs `<prefix>_files` of a plan: which file is made of what, before and after. They hold no secret. */
export class PublishedFiles {
  public readonly clusters: Readonly<Record<Side, ReadonlySet<string>>>;
  private readonly files: Readonly<Record<Side, ReadonlyMap<string, PlannedFile>>>;
  private readonly byAddress = new Map<string, Set<string>>();

  public constructor(plan: Plan) {
    const moved = new Map(
      plan.resources.flatMap(({ previousAddress, address }) => (previousAddress ? [[previousAddress, address]] : [])),
    );
    const read = (side: Side) => readFiles(plan, side, side === "before" ? moved : new Map());
    this.files = { before: read("before"), after: read("after") };
    this.clusters = { before: clustersOf(this.files.before), after: clustersOf(this.files.after) };
    for (const [key, { references }] of [...this.files.before, ...this.files.after]) {
      for (const { address } of references) {
        const keys = this.byAddress.get(address) ?? new Set();
        this.byAddress.set(address, keys.add(key));
      }
    }
  }

  /** Files of one side. */
  public of(side: Side): Iterable<PlannedFile> {
    return this.files[side].values();
  }

  /** True where a file of that path is published for that machine, on either side. */
  public has(cluster: string, machine: string, path: string): boolean {
    const key = keyOf(cluster, machine, path);
    return this.files.before.has(key) || this.files.after.has(key);
  }

  /**
   * Files made of one of the resources that will have another content: because of what they are made of, or of a value that changes.
   *
   * @param addresses the resources of one identity
   * @param changing those of them that get another value
   */
  public affected(addresses: readonly string[], changing: ReadonlySet<string>): PlannedFile[] {
    const keys = new Set(addresses.flatMap((address) => [...(this.byAddress.get(address) ?? [])]));
    return [...keys].flatMap((key) => {
      const before = this.files.before.get(key);
      const after = this.files.after.get(key);
      const refers = [...(before?.references ?? []), ...(after?.references ?? [])];
      const same = before?.form === after?.form && !refers.some(({ address }) => changing.has(address));
      return same ? [] : [(after ?? before)!];
    });
  }
}

function readFiles(plan: Plan, side: Side, moved: ReadonlyMap<string, string>): Map<string, PlannedFile> {
  const found = new Map<string, PlannedFile>();
  const newAddresses = (key: string, value: unknown) =>
    key === "address" ? (moved.get(value as string) ?? value) : value;
  for (const [name, output] of plan.outputs) {
    const prefix = prefixOfFiles(name);
    const map = output[side];
    if (prefix === undefined || !isFileMap(map)) {
      continue;
    }
    const cluster = movedPrefix(prefix, moved);
    for (const [machine, files] of Object.entries(map)) {
      for (const [path, file] of Object.entries(files)) {
        const references = referencesIn(file.content, moved);
        const form = JSON.stringify(file, moved.size > 0 ? newAddresses : undefined);
        found.set(keyOf(cluster, machine, path), { cluster, machine, path, references, form });
      }
    }
  }
  return found;
}

function keyOf(cluster: string, machine: string, path: string): string {
  return `${cluster}\n${machine}\n${path}`;
}

/** The prefix that the resources of a part have after a move. */
function movedPrefix(prefix: string, moved: ReadonlyMap<string, string>): string {
  for (const [from, to] of moved) {
    const [before, after] = [from, to].map((address) => /^[a-z_]+\.([a-z][a-z0-9-]*)__/.exec(address)?.[1]);
    if (before === prefix && after !== undefined) {
      return after;
    }
  }
  return prefix;
}

/** Outputs that end alike and hold something else are the user's own. */
function isFileMap(map: unknown): map is FileMap {
  const isFile = (file: unknown) => isObject(file) && /^0[0-7]{3}$/.test(String(file.mode)) && "content" in file;
  return isObject(map) && Object.values(map).every((files) => isObject(files) && Object.values(files).every(isFile));
}

function referencesIn(content: unknown, moved: ReadonlyMap<string, string>): Reference[] {
  if (typeof content !== "object" || content === null) {
    return [];
  }
  const { address, attribute } = object(content);
  if (typeof address === "string" && typeof attribute === "string") {
    return [{ address: moved.get(address) ?? address, attribute }];
  }
  return Object.values(content).flatMap((part) => referencesIn(part, moved));
}

function clustersOf(files: ReadonlyMap<string, PlannedFile>): Set<string> {
  return new Set([...files.values()].map(({ cluster }) => cluster));
}
