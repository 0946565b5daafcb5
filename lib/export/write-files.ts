import * as fs from "node:fs";
import { UnusableError } from "../terraform-json/unusable";
import { checkPaths, FinishedFile } from "./finished-file";
import type { Guard } from "./first-start";
import { FindOwner, Owner, ownersIn } from "./owners";
import { ExportedOrigin, Records } from "./record";
import { giveTo, StagedFile } from "./staged-file";
import { attempt, Place, Tree } from "./tree";
import { deleteUnwanted, findUnwanted, removeLeftovers } from "./unwanted-files";

/** What was done: the whole file, its mode or owner only, or nothing. */
export type Outcome = "written" | "corrected" | "unchanged";

/** What is written, and where. */
export interface Order {
  /** Stands for `/` of the machine. */
  readonly root: string;
  readonly files: readonly FinishedFile[];
  /** All that were read, also those without files: what they had once is in the map no more. */
  readonly origins: readonly ExportedOrigin[];
  /** Mode of folders that are missing. */
  readonly directoryMode: number;
  /** Folder of the records, as a path on the machine. */
  readonly records: string;
  /** Deletes what was written once and is in the map no more. */
  readonly prune: boolean;
  /**
   * Looks at what will be written, and where, before any of it is.
   * @default - all may be written
   */
  readonly guard?: Guard;
  /**
   * Tells of what was done: before that, it counts as untold.
   * @default - whoever gets what is returned
   */
  readonly tell?: (done: Done) => void;
  /**
   * True where it tells of what earlier runs did and told nobody of, too.
   * @default false
   */
  readonly tellsEarlier?: boolean;
}

/** A file that was written once and is in the map no more. */
export interface Obsolete {
  readonly path: string;
  readonly outcome: "obsolete" | "deleted" | "kept";
  /** Why it was kept, though it was to be deleted. */
  readonly obstacle?: string;
}

/** What {@link writeFiles} did. */
export interface Done {
  /** One for each file. */
  readonly outcomes: readonly Outcome[];
  /** Files that an earlier run wrote, which was killed before it could say so. */
  readonly untold: readonly string[];
  readonly obsolete: readonly Obsolete[];
  /** Owners that were not given to the files: only root can give, and only to who is known. */
  readonly ownersLeft: readonly string[];
  /** How many temporary files of a run that was killed were removed. */
  readonly leftovers: number;
}

/**
 * Writes files under a folder, each with one rename, after all of them stand beside their places: a reader never sees
 * half of a file, nor, but for an instant, a key without its certificate; and neither does a machine that lost its power, since a file
 * is on the disk before it is renamed, and its folder afterwards. A file that is right already is left alone, so that nothing that
 * watches it reloads. No link below the root is followed, whoever puts one there meanwhile.
 *
 * What is written is noted before, in records beside the files, so that the next run knows what one that was killed has left.
 *
 * @throws UnusableError when the system refuses; whatever can be known before the first rename leaves all files as they were
 */
export function writeFiles(order: Order): Done {
  checkPaths(order.files);
  const tree = new Tree(order.root, order.directoryMode);
  try {
    return new Writing(order, tree).run();
  } finally {
    tree.close();
  }
}

interface Plan {
  readonly path: string;
  readonly mode: number;
  /** Undefined where it is left as it is. */
  readonly owner: Owner | undefined;
  readonly bytes: Buffer;
  readonly outcome: Outcome;
  /** True where it replaces something that stands there. */
  readonly replaces: boolean;
}

/** One run: what it found, and what it has done so far. */
class Writing {
  private readonly findOwner: FindOwner;
  private readonly plans: readonly Plan[];
  private readonly records: Records;
  /** What earlier runs wrote. */
  private readonly known: ReadonlySet<string>;
  /** What they wrote and told nobody of. */
  private readonly untold: ReadonlySet<string>;
  private readonly written = new Set<string>();
  private readonly deleted = new Set<string>();

  public constructor(
    private readonly order: Order,
    private readonly tree: Tree,
  ) {
    this.findOwner = ownersIn(tree);
    this.plans = order.files.map((file) => planOf(tree, file, this.findOwner(file.owner)));
    this.guard();
    this.records = new Records(tree, order.records, order.origins);
    this.known = new Set(this.records.files);
    this.untold = new Set(this.records.untold);
  }

  public run(): Done {
    const { files } = this.order;
    this.announce();
    const paths = [...files.map(({ path }) => path), ...this.known, ...this.records.recordPaths];
    const leftovers = removeLeftovers(this.tree, this.records.ids, paths);
    const obsolete = this.writeAndPrune();
    const done: Done = {
      outcomes: this.plans.map(({ outcome }) => outcome),
      untold: files.map(({ path }) => path).filter((path) => this.untold.has(path)),
      obsolete,
      ownersLeft: [...new Set(files.map(({ owner }) => owner))].filter((owner) => !this.findOwner(owner)),
      leftovers,
    };
    this.order.tell?.(done);
    this.records.tell(this.order.tellsEarlier ? [] : this.untold);
    this.records.save();
    return done;
  }

  private guard(): void {
    const written = this.order.files.flatMap((file, index) => {
      const { outcome, replaces } = this.plans[index]!;
      return outcome === "written" ? [{ ...file, replaces }] : [];
    });
    this.order.guard?.(this.tree, written);
  }

  /** Notes what will be written. Not yet what replaces somebody's file: if this is killed before, that stays somebody's. */
  private announce(): void {
    this.plans
      .filter(({ outcome, replaces }) => outcome !== "written" || !replaces)
      .forEach(({ path }) => this.records.add(path));
    this.records.tell([...this.untold, ...this.toWrite().map(({ path }) => path)]);
    this.records.save();
  }

  private writeAndPrune(): Obsolete[] {
    try {
      this.replaceAll();
      this.plans.filter(({ outcome }) => outcome === "corrected").forEach((plan) => correct(this.tree, plan));
      const obsolete = this.obsolete();
      this.tree.sync();
      this.settle();
      this.records.save();
      return obsolete;
    } catch (error) {
      this.settle();
      try {
        this.records.save();
      } catch {
        // What went wrong first is what is told.
      }
      throw error;
    }
  }

  private replaceAll(): void {
    const id = this.records.ids[0] ?? "0";
    const staged: { readonly plan: Plan; readonly file: StagedFile }[] = [];
    try {
      for (const plan of this.toWrite()) {
        const file = attempt(this.tree.shown(plan.path), () =>
          StagedFile.write(this.tree.make(plan.path), { ...plan, id }),
        );
        staged.push({ plan, file });
      }
      this.tree.expectInPlace();
      for (const { plan, file } of staged) {
        attempt(this.tree.shown(plan.path), () => file.publish());
        this.written.add(plan.path);
      }
      this.tree.expectInPlace();
    } finally {
      staged.forEach(({ file }) => file.discard());
    }
  }

  private toWrite(): Plan[] {
    return this.plans.filter(({ outcome }) => outcome === "written");
  }

  private obsolete(): Obsolete[] {
    const paths = this.records.unwanted;
    const found = findUnwanted(this.tree, paths);
    const isThere = new Set(found.map(({ path }) => path));
    paths.filter((path) => !isThere.has(path)).forEach((path) => this.deleted.add(path));
    return found.map((file) => {
      const { path, obstacle } = file;
      if (!this.order.prune) {
        return { path, outcome: "obsolete" };
      }
      if (!deleteUnwanted(this.tree, file)) {
        return { path, outcome: "kept", obstacle };
      }
      this.deleted.add(path);
      return { path, outcome: "deleted" };
    });
  }

  /** Notes what was really done. */
  private settle(): void {
    for (const { path, outcome } of this.plans) {
      if (outcome !== "written" || this.written.has(path)) {
        this.records.add(path);
      } else if (!this.known.has(path)) {
        this.records.remove(path);
      }
    }
    this.deleted.forEach((path) => this.records.remove(path));
    this.records.tell([...this.untold, ...this.written]);
  }
}

function planOf(tree: Tree, file: FinishedFile, owner: Owner | undefined): Plan {
  const wanted = { path: file.path, mode: parseInt(file.mode, 8), owner, bytes: Buffer.from(file.text) };
  return { ...wanted, ...attempt(tree.shown(file.path), () => compared(tree, wanted)) };
}

function compared(
  tree: Tree,
  { path, mode, owner, bytes }: Omit<Plan, "outcome" | "replaces">,
): Pick<Plan, "outcome" | "replaces"> {
  const place = tree.find(path);
  const stats = place?.folder.stats(place.name);
  if (!place || !stats) {
    return { outcome: "written", replaces: false };
  }
  if (stats.isDirectory()) {
    throw new UnusableError("a folder stands there; remove it or choose another --root");
  }
  if (!stats.isFile() || stats.size !== bytes.length || !contentOf(place)?.equals(bytes)) {
    return { outcome: "written", replaces: true };
  }
  const right = (stats.mode & 0o7777) === mode && (!owner || (stats.uid === owner.uid && stats.gid === owner.gid));
  return { outcome: right ? "unchanged" : "corrected", replaces: true };
}

/** A file of somebody else's may not be readable, and can be replaced all the same. */
function contentOf({ folder, name }: Place): Buffer | undefined {
  try {
    return folder.read(name, (file) => fs.readFileSync(file));
  } catch {
    return undefined;
  }
}

function correct(tree: Tree, { path, mode, owner, bytes }: Plan): void {
  attempt(tree.shown(path), () => {
    const place = tree.find(path);
    place?.folder.read(place.name, (file) => {
      // Another file that took the name meanwhile is not given away.
      if (!fs.readFileSync(file).equals(bytes)) {
        throw new UnusableError("it was replaced meanwhile: see who does that, and run again");
      }
      fs.fchmodSync(file, mode);
      giveTo(owner, file);
    });
  });
}
