import { pinnedName } from "../../terraform-json/address";
import {
  GenerationState,
  Guards,
  PublishedCertificates,
  publishedFiles,
  publishedCertificates,
} from "../../terraform-json/outputs";
import { own } from "../../terraform-json/json";
import { Plan, PlannedOutput, Side, SIDES } from "../../terraform-json/plan";
import { fingerprintsOutput, parseName, prefixOfCertificates, prefixOfFiles } from "../../terraform/names";
import type { Reference } from "../../terraform/reference";
import { referencesIn } from "../../kubernetes/content-readers";

/** A file of a holder on one side of the plan. */
export interface PlannedFile {
  /** `addressPrefix` of the part that published it, as it is after the plan. */
  readonly cluster: string;
  readonly holder: string;
  readonly path: string;
  /** Permissions in octal digits. */
  readonly mode: string;
  /** `<user>:<group>`. */
  readonly owner: string;
  /** What stands in it, in its order. */
  readonly references: readonly Reference[];
  /** Equal where the content is made of the same things in the same way. */
  readonly form: string;
}

/** What is different of a file, by the map of files alone. */
export type FileDifference = "added" | "removed" | "moved" | "content" | "mode" | "owner";

/** A file of which the map says something else after the plan. */
export interface FileChange {
  /** As it was; missing for one that is added. */
  readonly before?: PlannedFile;
  /** As it will be; missing for one that is removed. */
  readonly after?: PlannedFile;
  /** What is different; one at least. */
  readonly what: readonly FileDifference[];
}

/** Addresses, or prefixes, after a move by those before it. */
type Moves = ReadonlyMap<string, string>;

const NONE: Moves = new Map();

/** What outputs say of clusters, before and after the plan: which file is made of what, and where each generation stands. No secret. */
export class Published {
  /** Names of the outputs that were read. */
  public readonly outputs: ReadonlySet<string>;
  /** Names of those that are hidden, or of which one side was read and the other is something else. */
  public readonly unreadable: readonly string[];
  private readonly files: Readonly<Record<Side, ReadonlyMap<string, PlannedFile>>>;
  private readonly certificates: Readonly<Record<Side, ReadonlyMap<string, PublishedCertificates>>>;
  private readonly byAddress = new Map<string, Set<string>>();

  /** Reads the outputs `<prefix>_files` and `<prefix>_certificates`. */
  public constructor(plan: Plan) {
    const moves = new Map(
      plan.resources.flatMap(({ previousAddress, address }) => (previousAddress ? [[previousAddress, address]] : [])),
    );
    const read = [...plan.outputs].filter(([name, output]) => isRead(name, output)).map(([name]) => name);
    const published = read.flatMap((name) => prefixOfCertificates(name) ?? prefixOfFiles(name) ?? []);
    this.unreadable = plan.changedOutputs.filter((name) => isUnreadable(name, plan.outputs.get(name), published));
    this.outputs = new Set([...read, ...published.map(fingerprintsOutput)]);
    const prefixes = movedPrefixes(moves);
    this.files = { before: filesOf(plan, "before", moves, prefixes), after: filesOf(plan, "after", NONE, NONE) };
    this.certificates = {
      before: certificatesOf(plan, "before", prefixes),
      after: certificatesOf(plan, "after", NONE),
    };
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
    const states = own(this.generationsOf(side, kind, cluster) ?? {}, name);
    return states && own(states, generation);
  }

  /** Where all generations of a cluster stand, by what has them and by id; undefined where the cluster does not say. */
  public generationsOf(
    side: Side,
    kind: "authority" | "key pair",
    cluster: string,
  ): Readonly<Record<string, Readonly<Record<string, GenerationState>>>> | undefined {
    const known = this.certificates[side].get(cluster);
    return kind === "authority" ? known?.authorities : known?.keyPairs;
  }

  /** Alternative names of a certificate; undefined where its cluster does not say. */
  public namesOf(side: Side, cluster: string, holder: string, name: string): readonly string[] | undefined {
    const certificates = own(this.certificates[side].get(cluster)?.names ?? {}, holder);
    return certificates && own(certificates, name);
  }

  /** Clusters that say where their generations stand. */
  public clustersOn(side: Side): readonly string[] {
    return [...this.certificates[side].keys()];
  }

  /** Every file that comes, goes, moves, or is another one, whether or not a certificate changes with it. */
  public changes(): FileChange[] {
    const { before, after } = this.files;
    const added = [...after.values()].filter((file) => !before.has(keyOfFile(file)));
    const removed = [...before.values()].filter((file) => !after.has(keyOfFile(file)));
    // What has one content and is no longer where it was has moved; of several alike, nobody can tell which.
    const places = new Map(removed.map((file) => [`${file.cluster}\n${file.form}`, file]));
    const moved = new Map<PlannedFile, PlannedFile>();
    for (const file of added) {
      const place = `${file.cluster}\n${file.form}`;
      const from = places.get(place);
      if (from) {
        moved.set(file, from);
        places.delete(place);
      }
    }
    const gone = new Set(moved.values());
    return [
      ...added.map((file): FileChange => changeOf(moved.get(file), file, moved.has(file) ? "moved" : "added")),
      ...removed.filter((file) => !gone.has(file)).map((file) => changeOf(file, undefined, "removed")),
      ...[...after.values()]
        .flatMap((file) => {
          const old = before.get(keyOfFile(file));
          return old ? [changeOf(old, file)] : [];
        })
        .filter(({ what }) => what.length > 0),
    ];
  }

  /** Files of one side. */
  public filesOn(side: Side): readonly PlannedFile[] {
    return [...this.files[side].values()];
  }

  /** Clusters of which generations are published, by their prefixes, on either side. */
  public get clusters(): string[] {
    return [...new Set([...this.certificates.before.keys(), ...this.certificates.after.keys()])].sort();
  }

  /** What keeps a cluster's generations from being lost; undefined where it does not say. */
  public guardsOf(side: Side, cluster: string): Guards | undefined {
    return this.certificates[side].get(cluster)?.guards;
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

/** True where each side is what this library publishes, or not there. */
function isRead(name: string, output: PlannedOutput): boolean {
  const sides = SIDES.map((side) => readingOf(name, output[side]));
  return sides.includes("ours") && !sides.includes("something else");
}

/** What a part of a cluster published before, or publishes from now on, and cannot be compared. */
function isUnreadable(name: string, output: PlannedOutput | undefined, prefixes: readonly string[]): boolean {
  if (!output) {
    return prefixes.includes(prefixOfFiles(name) ?? prefixOfCertificates(name) ?? "");
  }
  const sides = SIDES.map((side) => readingOf(name, output[side]));
  return sides.includes("ours") && sides.includes("something else");
}

function readingOf(name: string, value: unknown): "missing" | "ours" | "something else" {
  if (value === undefined || value === null) {
    return "missing";
  }
  return (publishedFiles(name, value) ?? publishedCertificates(name, value)) ? "ours" : "something else";
}

function filesOf({ outputs }: Plan, side: Side, moves: Moves, prefixes: Moves): Map<string, PlannedFile> {
  const found = new Map<string, PlannedFile>();
  const newAddresses = (key: string, value: unknown) =>
    key === "address" ? (moves.get(value as string) ?? value) : value;
  for (const [name, output] of outputs) {
    const published = publishedFiles(name, output[side]);
    const cluster = published && (prefixes.get(published.prefix) ?? published.prefix);
    for (const [holder, files] of Object.entries(published?.value ?? {})) {
      for (const [path, file] of Object.entries(files)) {
        const references = referencesIn(file.content ?? "").map(({ address, attribute }) => {
          return { address: moves.get(address) ?? address, attribute };
        });
        const form = JSON.stringify(file.content ?? "", moves.size > 0 ? newAddresses : undefined);
        const { mode, owner } = file;
        found.set(keyOf(cluster!, holder, path), { cluster: cluster!, holder, path, mode, owner, references, form });
      }
    }
  }
  return found;
}

function keyOfFile({ cluster, holder, path }: PlannedFile): string {
  return keyOf(cluster, holder, path);
}

function changeOf(
  before: PlannedFile | undefined,
  after: PlannedFile | undefined,
  ...what: readonly FileDifference[]
): FileChange {
  const differs = (field: "mode" | "owner" | "form") => before && after && before[field] !== after[field];
  return {
    ...(before ? { before } : {}),
    ...(after ? { after } : {}),
    what: [
      ...what,
      ...(differs("form") ? (["content"] as const) : []),
      ...(differs("mode") ? (["mode"] as const) : []),
      ...(differs("owner") ? (["owner"] as const) : []),
    ],
  };
}

function certificatesOf({ outputs }: Plan, side: Side, prefixes: Moves): Map<string, PublishedCertificates> {
  const found = [...outputs].flatMap(([name, output]) => publishedCertificates(name, output[side]) ?? []);
  return new Map(found.map(({ prefix, value }) => [prefixes.get(prefix) ?? prefix, value]));
}

function keyOf(cluster: string, holder: string, path: string): string {
  return `${cluster}\n${holder}\n${path}`;
}

/** The prefixes that the resources of parts have after a move, by those before it. */
function movedPrefixes(moves: Moves): Moves {
  const found = new Map<string, string>();
  for (const [from, to] of moves) {
    const [before, after] = [from, to].map((address) => parseName(pinnedName(address) ?? "")?.prefix);
    if (before !== undefined && after !== undefined && !found.has(before)) {
      found.set(before, after);
    }
  }
  return found;
}
