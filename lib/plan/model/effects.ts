import type { PlannedResource } from "../../terraform-json/plan";
import { CLUSTER } from "../../kubernetes/cluster-file";
import { clusterOf, keyOf, KnownFiles } from "../../terraform-json/components";
import { ConsumerEntry, FileEntry, filesOfEntry } from "../read/inventory";
import type { FileChange, FileDifference } from "../read/published";
import { objectName } from "./facts";
import type { Identity } from "./identity";
import { isChanged, PlanModel } from "./model";
import type { Verb } from "./verbs";

/** A file, or a Secret, that is another one after the plan. */
export interface FileEffect {
  /** Its cluster, by `addressPrefix`; missing for what is in none. */
  readonly cluster?: string;
  /** A machine, `worker` for any of them, `operator`, `cluster` for what stands in the API server. */
  readonly holder: string;
  /** Absolute path, or `Secret/<namespace>/<name>`. */
  readonly path: string;
  /** By the distribution's table: `bundle`, `kubeconfig`, …; missing without an inventory. */
  readonly kind?: string;
  /** Who reads it; none without an inventory. */
  readonly consumers: readonly ConsumerEntry[];
  /** What is different of it: nothing but its content where a certificate in it changes. */
  readonly what: readonly FileDifference[];
  /** Where it was before, for one that moves: `<holder> <path>`. */
  readonly from?: string;
}

/** Finds what a change of an identity reaches. */
export class Effects {
  private readonly known: KnownFiles;
  /** What the map of files says anew, by cluster, holder and path. */
  private readonly changes: ReadonlyMap<string, FileChange>;
  private readonly secrets: ReadonlyMap<string, readonly PlannedResource[]>;

  /** @param model the plan, with the inventories that tell who reads a file */
  public constructor(private readonly model: PlanModel) {
    this.known = new KnownFiles(model.entries.inventories);
    this.changes = new Map(
      model.published.changes().map((change) => {
        const file = (change.after ?? change.before)!;
        return [keyOf(file.cluster, file), change];
      }),
    );
    this.secrets = secretsByAddress(model);
  }

  /** Files and Secrets that have another content because of what happens to the identity, sorted. */
  public of(identity: Identity, verbs: readonly Verb[]): FileEffect[] {
    if (verbs.every((verb) => verb === "move" || verb === "import")) {
      return [];
    }
    const { parts, name, entry } = identity;
    const { published } = this.model;
    const cluster = name.cluster ?? "";
    const changing = parts.filter((part) => isChanged(part) || this.model.isBlocked(part));
    const changed = published
      .affected(
        parts.map(({ address }) => address),
        new Set(changing.map(({ address }) => address)),
      )
      .map((file) => this.effect(file.cluster, file));
    const fromInventory = filesOfEntry(entry)
      .filter((file) => !published.has(cluster, file.holder, file.path))
      .map((file) => this.effect(cluster, file));
    const secrets = this.secretsOf(identity, changing).filter(
      (secret) => !fromInventory.some(({ path }) => path.startsWith(`${secret.path}#`)),
    );
    return [...changed, ...fromInventory, ...secrets].sort(byPlace);
  }

  /** Files of which the map says something else afterwards, whatever it is that changes. */
  public ofTheMap(): FileEffect[] {
    return [...this.changes.values()].map(({ before, after }) => {
      const file = (after ?? before)!;
      return this.effect(file.cluster, file);
    });
  }

  private secretsOf({ parts, kind, anchor, name }: Identity, changing: readonly PlannedResource[]): FileEffect[] {
    const found =
      kind === "secret" ? [anchor] : changing.flatMap(({ configured }) => this.secrets.get(configured) ?? []);
    return [...new Set(found)]
      .filter((secret) => kind === "secret" || !parts.includes(secret))
      .map((secret) => {
        const path = `Secret/${objectName(secret, secret.after ? "after" : "before")}`;
        return { ...clusterOf(name.cluster), holder: CLUSTER, path, consumers: [], what: ["content"] };
      });
  }

  private effect(cluster: string, { holder, path }: Pick<FileEntry, "holder" | "path">): FileEffect {
    const file = { holder, path };
    const known = this.known.of(cluster, file);
    const { what = ["content"], before } = this.changes.get(keyOf(cluster, file)) ?? {};
    return {
      ...clusterOf(cluster),
      holder,
      path,
      ...(known ? { kind: known.kind } : {}),
      consumers: known?.consumers ?? [],
      what,
      ...(what.includes("moved") ? { from: `${before!.holder} ${before!.path}` } : {}),
    };
  }
}

/** Each file once. */
export function mergedFiles(files: readonly FileEffect[]): FileEffect[] {
  return [...new Map(files.map((file) => [keyOf(file.cluster ?? "", file), file])).values()].sort(byPlace);
}

function secretsByAddress({ plan, identities }: PlanModel): Map<string, PlannedResource[]> {
  const found = new Map<string, PlannedResource[]>();
  for (const { anchor } of identities.filter(({ kind }) => kind === "secret")) {
    for (const { address } of plan.references.of(anchor.configured)) {
      const others = found.get(address) ?? [];
      others.push(anchor);
      found.set(address, others);
    }
  }
  return found;
}

function byPlace(a: FileEffect, b: FileEffect): number {
  return compare(a.cluster ?? "", b.cluster ?? "") || compare(a.holder, b.holder) || compare(a.path, b.path);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
