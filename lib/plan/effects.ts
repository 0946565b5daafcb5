import type { ConsumerEntry, FileEntry } from "../inventory-schema";
import { isChanged, Verb } from "./changes";
import { objectName } from "./facts";
import type { PublishedFiles } from "./files";
import type { Identity } from "./identity";
import type { Entries } from "./names";
import type { Plan, PlannedResource } from "../terraform-json/plan";

/** A file, or a Secret, that has another content after the plan. */
export interface FileEffect {
  /** A machine, `worker` for any of them, `operator`, `cluster` for what stands in the API server. */
  readonly machine: string;
  /** Absolute path, or `Secret/<namespace>/<name>`. */
  readonly path: string;
  /** By the distribution's table: `bundle`, `kubeconfig`, …; missing without an inventory. */
  readonly kind?: string;
  /** Who reads it; none without an inventory. */
  readonly consumers: readonly ConsumerEntry[];
}

/** A component that has to notice a change. */
export interface ComponentEffect {
  readonly component: string;
  /** `restart` where one of the files is read at its start alone. */
  readonly action: "reload" | "restart";
  /** Sorted. */
  readonly machines: readonly string[];
  /** The files that make it so, sorted. */
  readonly files: readonly string[];
}

/** Finds what a change of an identity reaches. */
export class Effects {
  private readonly known = new Map<string, FileEntry>();
  private readonly secrets: ReadonlyMap<string, readonly PlannedResource[]>;

  public constructor(
    plan: Plan,
    private readonly files: PublishedFiles,
    entries: Entries,
    identities: readonly Identity[],
    private readonly isBlocked: (resource: PlannedResource) => boolean,
  ) {
    for (const entry of entries.inventories.flatMap((inventory) => inventory.entries)) {
      for (const file of "files" in entry ? entry.files : []) {
        const key = keyOf(entry.cluster ?? "", file);
        const consumers = [...(this.known.get(key)?.consumers ?? []), ...file.consumers];
        this.known.set(key, { ...file, consumers: once(consumers) });
      }
    }
    this.secrets = secretsByAddress(plan, identities);
  }

  /** Files and Secrets that have another content because of what happens to the identity, sorted. */
  public of(identity: Identity, verbs: readonly Verb[]): FileEffect[] {
    if (verbs.every((verb) => verb === "move" || verb === "import")) {
      return [];
    }
    const { parts, name, entry } = identity;
    const cluster = name.cluster ?? "";
    const changing = parts.filter((part) => isChanged(part) || this.isBlocked(part));
    const published = this.files
      .affected(
        parts.map(({ address }) => address),
        new Set(changing.map(({ address }) => address)),
      )
      .map((file) => this.effect(file.cluster, file));
    const told = (entry && "files" in entry ? entry.files : [])
      .filter((file) => !this.files.has(cluster, file.machine, file.path))
      .map((file) => this.effect(cluster, file));
    const secrets = this.secretsOf(identity, changing).filter(
      (secret) => !told.some(({ path }) => path.startsWith(`${secret.path}#`)),
    );
    return [...published, ...told, ...secrets].sort(byMachineAndPath);
  }

  private secretsOf({ parts, kind, anchor }: Identity, changing: readonly PlannedResource[]): FileEffect[] {
    const found =
      kind === "secret" ? [anchor] : changing.flatMap(({ configured }) => this.secrets.get(configured) ?? []);
    return [...new Set(found)]
      .filter((secret) => kind === "secret" || !parts.includes(secret))
      .map((secret) => {
        const path = `Secret/${objectName(secret, secret.after ? "after" : "before")}`;
        return { machine: "cluster", path, consumers: [] };
      });
  }

  private effect(cluster: string, { machine, path }: Pick<FileEntry, "machine" | "path">): FileEffect {
    // What stands in no cluster has none in the inventory; the contract of addresses knows one.
    const file = { machine, path };
    const known = this.known.get(keyOf(cluster, file)) ?? this.known.get(keyOf("", file));
    return { machine, path, ...(known ? { kind: known.kind } : {}), consumers: known?.consumers ?? [] };
  }
}

/** Who has to notice that these files change, and where: those that restart first. */
export function componentsOf(files: readonly FileEffect[]): ComponentEffect[] {
  const found = new Map<string, { readonly machines: Set<string>; readonly files: Set<string> }>();
  const restarting = new Set(
    files.flatMap(({ machine, consumers }) =>
      consumers.filter(({ onChange }) => onChange === "restart").map(({ component }) => `${component}\n${machine}`),
    ),
  );
  for (const { machine, path, consumers } of files) {
    for (const { component, onChange } of consumers) {
      const action = restarting.has(`${component}\n${machine}`) ? "restart" : "reload";
      if (action === onChange) {
        // Of what restarts only that is told which makes it restart.
        const effect = found.get(`${action}\n${component}`) ?? { machines: new Set(), files: new Set() };
        effect.machines.add(machine);
        effect.files.add(path);
        found.set(`${action}\n${component}`, effect);
      }
    }
  }
  const effects = [...found].map(([key, effect]): ComponentEffect => {
    const [action, component] = key.split("\n") as [ComponentEffect["action"], string];
    return { component, action, machines: [...effect.machines].sort(), files: [...effect.files].sort() };
  });
  // "restart" is later in the alphabet than "reload", and comes first.
  return effects.sort((a, b) => compare(b.action, a.action) || compare(a.component, b.component));
}

/** Each file once. */
export function mergedFiles(lists: readonly (readonly FileEffect[])[]): FileEffect[] {
  return [...new Map(lists.flat().map((file) => [keyOf("", file), file])).values()].sort(byMachineAndPath);
}

function secretsByAddress(plan: Plan, identities: readonly Identity[]): Map<string, PlannedResource[]> {
  const found = new Map<string, PlannedResource[]>();
  for (const { anchor } of identities.filter(({ kind }) => kind === "secret")) {
    for (const { address } of plan.references.of(anchor.configured)) {
      found.set(address, [...(found.get(address) ?? []), anchor]);
    }
  }
  return found;
}

function keyOf(cluster: string, { machine, path }: { readonly machine: string; readonly path: string }): string {
  return `${cluster}\n${machine}\n${path}`;
}

function once(consumers: readonly ConsumerEntry[]): ConsumerEntry[] {
  return [
    ...new Map(consumers.map((entry) => [`${entry.component}\n${entry.via}\n${entry.onChange}`, entry])).values(),
  ];
}

function byMachineAndPath(a: FileEffect, b: FileEffect): number {
  return a.machine === b.machine ? compare(a.path, b.path) : compare(a.machine, b.machine);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
