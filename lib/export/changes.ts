import { clusterOf, type ComponentEffect, componentsOf, KnownFiles } from "../terraform-json/components";
import type { ConsumerEntry, FileEntry, Inventory } from "../terraform-json/inventory";
import { UnusableError } from "../terraform-json/unusable";
import type { ExportedFile } from "./published-files";
import type { Done, Obsolete, Outcome } from "./write-files";

/** Version of {@link Changes}. */
const CHANGES_SCHEMA_VERSION = 1;

/** What became of a file. */
export type FileOutcome =
  /** As {@link Outcome} says. */
  | Exclude<Outcome, "unchanged">
  /** As {@link Obsolete} says. */
  | Obsolete["outcome"]
  /** In no archive, since nobody said that it is for a first start. */
  | "left out";

/** A file that is not as it was, or not as it should be. */
export interface ChangedFile {
  /** Its cluster, by `addressPrefix`; missing for what was deleted and is in no inventory. */
  readonly cluster?: string;
  /** Where the machine has it, absolute; in a folder for a command that takes it, it stands elsewhere. */
  readonly path: string;
  /** What became of it. */
  readonly change: FileOutcome;
  /** True where an earlier run wrote it, which was killed before it could say so. Missing where this one did. */
  readonly earlier?: true;
  /** By the distribution's table: `bundle`, `kubeconfig`, …; missing where no inventory has the file. */
  readonly kind?: string;
  /** Who reads it; missing where no inventory has the file. */
  readonly consumers?: readonly ConsumerEntry[];
}

/** What an export changed, and who has to notice. No content. */
export interface Changes {
  /** Version of this schema. */
  readonly schemaVersion: typeof CHANGES_SCHEMA_VERSION;
  /** A machine, `worker` or `operator`. */
  readonly holder: string;
  /** True for an archive: nobody knows what was there before, and every file counts as written. Missing for a folder. */
  readonly withoutBefore?: true;
  /** How many files were right already. */
  readonly unchanged: number;
  /** All others, in the order of their paths. */
  readonly files: readonly ChangedFile[];
  /** Components that read a file of another content: those that must be restarted, then those that notice it by themselves. */
  readonly components: readonly ComponentEffect[];
}

/** Who reads the files of a holder. */
export class Readers {
  private readonly known: KnownFiles;
  private readonly clusters: readonly string[];

  /**
   * @param inventories what the stacks issue
   * @throws UnusableError when they do not know the files: a restart that nobody hears of would be missed
   */
  public constructor(
    private readonly holder: string,
    files: readonly ExportedFile[],
    inventories: readonly Inventory[],
  ) {
    this.known = new KnownFiles(inventories);
    this.clusters = [...new Set(files.map(({ cluster }) => cluster))];
    // What comes from no state has no entry, and is read only when somebody uses it.
    const unknown = files.filter((file) => !file.isLiteral && !this.entryOf(file.cluster, placeOf(file)));
    if (unknown.length > 0) {
      throw unknownReaders(holder, unknown.map(placeOf), inventories);
    }
  }

  /** What became of the files that were written to a folder. */
  public changes(files: readonly ExportedFile[], { outcomes, untold, obsolete }: Done): Changes {
    const earlier = new Set(untold);
    const changed = files.flatMap((file, index): ChangedFile[] => {
      const outcome = outcomes[index]!;
      const place = placeOf(file);
      if (outcome !== "written" && earlier.has(file.path)) {
        return [{ ...this.changed(file.cluster, place, "written"), earlier: true }];
      }
      return outcome === "unchanged" ? [] : [this.changed(file.cluster, place, outcome)];
    });
    const gone = obsolete.map(({ path, outcome }) => {
      const cluster = this.clusters.find((name) => this.entryOf(name, path));
      return this.changed(cluster, path, outcome);
    });
    return this.report(files.length - changed.length, [...changed, ...gone]);
  }

  /** What an archive will change, as far as anybody knows. */
  public archived(files: readonly ExportedFile[], leftOut: readonly ExportedFile[]): Changes {
    const changed = files.map((file) => this.changed(file.cluster, placeOf(file), "written"));
    const others = leftOut.map((file) => this.changed(file.cluster, placeOf(file), "left out"));
    return { ...this.report(0, [...changed, ...others]), withoutBefore: true };
  }

  private entryOf(cluster: string, path: string): FileEntry | undefined {
    return this.known.of(cluster, { holder: this.holder, path });
  }

  private changed(cluster: string | undefined, path: string, change: FileOutcome): ChangedFile {
    const known = this.entryOf(cluster ?? "", path);
    return {
      ...clusterOf(cluster),
      path,
      change,
      ...(known ? { kind: known.kind, consumers: known.consumers } : {}),
    };
  }

  private report(unchanged: number, files: readonly ChangedFile[]): Changes {
    const { holder } = this;
    const read = files
      .filter(({ change }) => CONTENT_CHANGES[change])
      .map(({ consumers = [], ...file }) => ({ ...file, holder, consumers, isGone: file.change === "deleted" }));
    return {
      schemaVersion: CHANGES_SCHEMA_VERSION,
      holder,
      unchanged,
      files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)),
      components: componentsOf(read),
    };
  }
}

/** Whether a component reads something else afterwards. Another mode or owner is nothing that it could notice. */
const CONTENT_CHANGES: Readonly<Record<FileOutcome, boolean>> = {
  written: true,
  corrected: false,
  deleted: true,
  obsolete: false,
  kept: false,
  "left out": false,
};

function unknownReaders(holder: string, paths: readonly string[], inventories: readonly Inventory[]): UnusableError {
  const stacks = inventories.map(({ stack }) => stack).join(", ");
  const said = stacks ? `the inventory of ${stacks} does not say` : "without an inventory nobody knows";
  const more = paths.length > 1 ? `, and ${paths.length - 1} more` : "";
  return new UnusableError(
    `--changes: ${said} who reads ${paths[0]} of ${holder}${more}; give --inventory for each stack: ` +
      "its pki-inventory.json, as it lay beside the cdk.tf.json that was deployed; nothing was written",
  );
}

function placeOf({ path, readAt = path }: ExportedFile): string {
  return readAt;
}
