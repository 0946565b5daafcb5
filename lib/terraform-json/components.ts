import { type ConsumerEntry, type FileEntry, filesOfEntry, type Inventory } from "./inventory";

// Who has to notice that a file changed: what the plan report says of a plan, and export of what it wrote.

/** A component that has to notice a change. */
export interface ComponentEffect {
  /** The cluster that it is of, by `addressPrefix`; missing for what is in none. */
  readonly cluster?: string;
  /** `kube-apiserver` */
  readonly component: string;
  /** `restart` where one of the files is read at its start alone. */
  readonly action: "reload" | "restart";
  /** Where it runs, sorted. */
  readonly holders: readonly string[];
  /** The files that make it so, sorted. */
  readonly files: readonly string[];
  /** Files of its own to remove first, sorted: as long as they are there, it uses them rather than these. Missing where there are none. */
  readonly remove?: readonly string[];
}

/** A file that is another one, and who reads it. */
export interface ReadFileEffect {
  readonly cluster?: string;
  readonly holder: string;
  readonly path: string;
  readonly consumers: readonly ConsumerEntry[];
}

/** The files of inventories, each with all who read it. */
export class KnownFiles {
  private readonly known = new Map<string, FileEntry>();

  /** @param inventories what each stack issues; none is fine */
  public constructor(inventories: readonly Inventory[]) {
    for (const entry of inventories.flatMap(({ entries }) => entries)) {
      for (const file of filesOfEntry(entry)) {
        const key = keyOf(entry.cluster ?? "", file);
        const consumers = [...(this.known.get(key)?.consumers ?? []), ...file.consumers];
        this.known.set(key, { ...file, consumers: once(consumers) });
      }
    }
  }

  /** What the inventories say of a file; undefined where they have none. */
  public of(cluster: string, file: Pick<FileEntry, "holder" | "path">): FileEntry | undefined {
    // What stands in no cluster has none in the inventory; the contract of addresses knows one.
    return this.known.get(keyOf(cluster, file)) ?? this.known.get(keyOf("", file));
  }
}

/** Who has to notice that these files change, and where: those that restart first. */
export function componentsOf(files: readonly ReadFileEffect[]): ComponentEffect[] {
  const found = new Map<string, { effect: ComponentEffect; holders: Set<string>; files: Set<string> }>();
  const restarting = new Set<string>();
  const removals = new Map<string, Set<string>>();
  for (const file of files) {
    for (const { component, onChange, prefers } of file.consumers) {
      const running = runningKey(component, file);
      if (onChange === "restart") {
        restarting.add(running);
      }
      if (prefers !== undefined) {
        removals.set(running, (removals.get(running) ?? new Set()).add(prefers));
      }
    }
  }
  for (const file of files) {
    for (const { component, onChange } of file.consumers) {
      const running = runningKey(component, file);
      const action = restarting.has(running) ? "restart" : "reload";
      if (action === onChange) {
        // What one machine has to remove is no advice for another, which may have nothing else to be known by.
        const remove = [...(removals.get(running) ?? [])].sort();
        // Of what restarts, only the files count that make it restart.
        const key = [action, component, file.cluster ?? "", ...remove].join("\n");
        const known = found.get(key) ?? {
          effect: {
            ...clusterOf(file.cluster),
            component,
            action,
            holders: [],
            files: [],
            ...(remove.length > 0 ? { remove } : {}),
          },
          holders: new Set<string>(),
          files: new Set<string>(),
        };
        known.holders.add(file.holder);
        known.files.add(file.path);
        found.set(key, known);
      }
    }
  }
  const effects = [...found.values()].map(({ effect, holders, files }): ComponentEffect => {
    return { ...effect, holders: [...holders].sort(), files: [...files].sort() };
  });
  // "restart" is later in the alphabet than "reload", and comes first.
  return effects.sort(
    (a, b) =>
      compare(b.action, a.action) ||
      compare(a.component, b.component) ||
      compare(a.cluster ?? "", b.cluster ?? "") ||
      compare(`${a.remove?.join("\n")}`, `${b.remove?.join("\n")}`),
  );
}

function runningKey(component: string, { cluster = "", holder }: ReadFileEffect): string {
  return [component, cluster, holder].join("\n");
}

function once(consumers: readonly ConsumerEntry[]): ConsumerEntry[] {
  return [
    ...new Map(consumers.map((entry) => [`${entry.component}\n${entry.via}\n${entry.onChange}`, entry])).values(),
  ];
}

/** Where a file is, of which cluster. */
export function keyOf(cluster: string, { holder, path }: { readonly holder: string; readonly path: string }): string {
  return `${cluster}\n${holder}\n${path}`;
}

/** A cluster, where there is one. */
export function clusterOf(cluster: string | undefined): { readonly cluster?: string } {
  return cluster === undefined || cluster === "" ? {} : { cluster };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
