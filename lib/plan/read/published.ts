import { pinnedName } from "../../terraform-json/address";
import {
  GenerationState,
  Guards,
  PublishedGenerations,
  publishedFiles,
  publishedGenerations,
} from "../../terraform-json/outputs";
import type { Plan, Side } from "../../terraform-json/plan";
import { parseName } from "../../terraform/names";
import type { Reference } from "../../terraform/reference";
import { referencesIn } from "../../kubernetes/content-readers";

/** A file of a holder on one side of the plan. */
export interface PlannedFile {
  /** `addressPrefix` of the part that published it, as it is after the plan. */
  readonly cluster: string;
  readonly holder: string;
  readonly path: string;
  /** What stands in it, in its order. */
  readonly references: readonly Reference[];
  /** Equal where the file is made of the same things in the same way. */
  readonly form: string;
}

/** Addresses after a move by those before it. */
type Moves = ReadonlyMap<string, string>;

/** What outputs say of clusters, before and after the plan: which file is made of what, and where each generation stands. No secret. */
export class Published {
  private readonly files: Readonly<Record<Side, ReadonlyMap<string, PlannedFile>>>;
  private readonly generations: Readonly<Record<Side, ReadonlyMap<string, PublishedGenerations>>>;
  private readonly byAddress = new Map<string, Set<string>>();

  /** Reads the outputs `<prefix>_files` and `<prefix>_certificates`. */
  public constructor(plan: Plan) {
    const moves = new Map(
      plan.resources.flatMap(({ previousAddress, address }) => (previousAddress ? [[previousAddress, address]] : [])),
    );
    this.files = { before: filesOf(plan, "before", moves), after: filesOf(plan, "after", new Map()) };
    this.generations = { before: generationsOf(plan, "before", moves), after: generationsOf(plan, "after", new Map()) };
    for (const [key, { references }] of [...this.files.before, ...this.files.after]) {
      for (const { address } of references) {
        const keys = this.byAddress.get(address) ?? new Set();
        this.byAddress.set(address, keys.add(key));
      }
    }
  }

  /** Where a generation stands; undefined where its cluster does not say. */
  public stateOf(
    side: Side,
    kind: "authority" | "key pair",
    { cluster = "", name, generation = "" }: { cluster?: string; name: string; generation?: string },
  ): GenerationState | undefined {
    const known = this.generations[side].get(cluster);
    const states = (kind === "authority" ? known?.authorities : known?.keyPairs)?.[name];
    return states?.[generation];
  }

  /** Clusters of which generations are published, by their prefixes, on either side. */
  public get clusters(): string[] {
    return [...new Set([...this.generations.before.keys(), ...this.generations.after.keys()])].sort();
  }

  /** What keeps a cluster's generations from being lost; undefined where it does not say. */
  public guardsOf(side: Side, cluster: string): Guards | undefined {
    return this.generations[side].get(cluster)?.guards;
  }

  /** True where a file of that path is published for that holder, on either side. */
  public has(cluster: string, holder: string, path: string): boolean {
    const key = keyOf(cluster, holder, path);
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

function filesOf({ outputs }: Plan, side: Side, moves: Moves): Map<string, PlannedFile> {
  const found = new Map<string, PlannedFile>();
  const newAddresses = (key: string, value: unknown) =>
    key === "address" ? (moves.get(value as string) ?? value) : value;
  for (const [name, output] of outputs) {
    const published = publishedFiles(name, output[side]);
    const cluster = published && movedPrefix(published.prefix, moves);
    for (const [holder, files] of Object.entries(published?.value ?? {})) {
      for (const [path, file] of Object.entries(files)) {
        const references = referencesIn(file.content ?? "").map(({ address, attribute }) => {
          return { address: moves.get(address) ?? address, attribute };
        });
        const form = JSON.stringify(file, moves.size > 0 ? newAddresses : undefined);
        found.set(keyOf(cluster!, holder, path), { cluster: cluster!, holder, path, references, form });
      }
    }
  }
  return found;
}

function generationsOf({ outputs }: Plan, side: Side, moves: Moves): Map<string, PublishedGenerations> {
  const found = [...outputs].flatMap(([name, output]) => publishedGenerations(name, output[side]) ?? []);
  return new Map(found.map(({ prefix, value }) => [movedPrefix(prefix, moves), value]));
}

function keyOf(cluster: string, holder: string, path: string): string {
  return `${cluster}\n${holder}\n${path}`;
}

/** The prefix that the resources of a part have after a move. */
function movedPrefix(prefix: string, moves: Moves): string {
  for (const [from, to] of moves) {
    const [before, after] = [from, to].map((address) => parseName(pinnedName(address) ?? "")?.prefix);
    if (before === prefix && after !== undefined) {
      return after;
    }
  }
  return prefix;
}
