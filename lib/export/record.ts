import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { isObject, parseJson } from "../terraform-json/json";
import { UnusableError } from "../terraform-json/unusable";
import { isPlainPath } from "./finished-file";
import { StagedFile } from "./staged-file";
import { attempt, Tree } from "./tree";

/** What files came from, as far as it stays the same from one export to the next. */
export interface Origin {
  /** `addressPrefix` of the cluster. */
  readonly prefix: string;
  /** Which of a cluster's stacks it is: as a rule they share a prefix. */
  readonly stack: "pki" | "access";
  readonly holder: string;
  /** Fingerprints of the cluster's public keys. Of two clusters that share a prefix, none is the same. */
  readonly fingerprints: readonly string[];
}

/** An origin, and the paths that it has now. */
export interface ExportedOrigin extends Origin {
  readonly paths: readonly string[];
}

/** Where a machine keeps the records: every distribution has it, and no component looks into it. */
export const MACHINE_RECORDS = "/var/lib/kubernetes-pki";
/** Where an operator's folder keeps them, which is no system. */
export const OPERATOR_RECORDS = "/.kubernetes-pki";

/** Written into each record. Another version is refused. */
const VERSION = 1;
const FILE_NAME = /^([^.].*-([0-9a-f]{12}))\.json$/;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** What was written for one origin, and not deleted since. */
interface ExportRecord extends Origin {
  /** Of its file, and in the names of its temporary files. */
  readonly id: string;
  /** Its file, as a path on the machine. */
  readonly path: string;
  /** Paths on the machine: names, no contents. */
  readonly files: ReadonlySet<string>;
  /** Those that a run is about to write, or wrote and was killed before it could say so. */
  readonly untold: readonly string[];
}

/** A record of this run, before it is saved. */
interface OwnRecord extends ExportRecord {
  readonly files: Set<string>;
  untold: readonly string[];
  /** What its origin has now. */
  readonly paths: Set<string>;
}

/** The records beside the exported files: those of this run, and those of others, which this run leaves as they are. */
export class Records {
  private readonly own = new Map<string, OwnRecord>();
  private readonly others: readonly ExportRecord[];

  /** @throws UnusableError when a record cannot be read: nobody knows what was written */
  public constructor(
    private readonly tree: Tree,
    folder: string,
    origins: readonly ExportedOrigin[],
  ) {
    const all = readRecords(tree, folder);
    for (const origin of origins) {
      const found = all.find((record) => isOf(record, origin)) ?? newRecord(folder, origin);
      const { files, paths } = this.own.get(found.id) ?? { files: found.files, paths: [] };
      this.own.set(found.id, {
        ...found,
        ...origin,
        files: new Set(files),
        paths: new Set([...paths, ...origin.paths]),
      });
    }
    this.others = all.filter(({ id }) => !this.own.has(id));
  }

  /** Ids in the names of temporary files that are this run's, or were an earlier one's. */
  public get ids(): string[] {
    return [...this.own.keys()];
  }

  /** Files of the records, as paths on the machine. */
  public get recordPaths(): string[] {
    return [...this.own.values()].map(({ path }) => path);
  }

  /** What was written. */
  public get files(): string[] {
    return [...new Set([...this.own.values()].flatMap(({ files }) => [...files]))].sort();
  }

  /** What was written, and nobody was told. */
  public get untold(): string[] {
    return [...this.own.values()].flatMap(({ untold }) => untold);
  }

  /** What was written and is wanted by nobody any more. */
  public get unwanted(): string[] {
    const wanted = new Set([
      ...[...this.own.values()].flatMap(({ paths }) => [...paths]),
      ...this.others.flatMap(({ files }) => [...files]),
    ]);
    return this.files.filter((path) => !wanted.has(path));
  }

  /** Notes a file in the record of each origin that has it. */
  public add(path: string): void {
    [...this.own.values()].filter(({ paths }) => paths.has(path)).forEach(({ files }) => files.add(path));
  }

  /** Strikes a file. */
  public remove(path: string): void {
    this.own.forEach(({ files }) => files.delete(path));
  }

  /** Notes of which files nobody was told yet. */
  public tell(untold: Iterable<string>): void {
    const all = new Set(untold);
    this.own.forEach((record) => {
      record.untold = [...all].filter((path) => record.paths.has(path)).sort();
    });
  }

  /** Saves what has changed. */
  public save(): void {
    this.own.forEach((record) => attempt(this.tree.shown(record.path), () => this.saveOne(record)));
  }

  private saveOne(record: OwnRecord): void {
    const place = this.tree.find(record.path);
    const isThere = place?.folder.stats(place.name) !== undefined;
    const text = recordText(record);
    if (isThere && readText(this.tree, record.path) === text) {
      return;
    }
    if (record.files.size > 0 || record.untold.length > 0) {
      const target = this.tree.make(record.path, FOLDER_MODE);
      const staged = StagedFile.write(target, { bytes: Buffer.from(text), mode: FILE_MODE, id: record.id });
      try {
        staged.publish();
      } finally {
        staged.discard();
      }
    } else if (isThere) {
      place?.folder.remove(place.name);
    }
    this.tree.sync();
  }
}

function isOf(record: ExportRecord, { prefix, stack, holder, fingerprints }: Origin): boolean {
  const isNamedAlike = record.prefix === prefix && record.stack === stack && record.holder === holder;
  const hasNone = record.fingerprints.length === 0 && fingerprints.length === 0;
  return isNamedAlike && (hasNone || record.fingerprints.some((fingerprint) => fingerprints.includes(fingerprint)));
}

function newRecord(folder: string, { prefix, stack, holder, fingerprints }: Origin): ExportRecord {
  const hash = createHash("sha256").update(JSON.stringify([prefix, stack, holder, [...fingerprints].sort()]));
  const id = hash.digest("hex").slice(0, 12);
  const path = `${folder}/${prefix}-${encodeURIComponent(holder)}-${id}.json`;
  return { prefix, stack, holder, fingerprints, id, path, files: new Set(), untold: [] };
}

function recordText({ prefix, stack, holder, fingerprints, files, untold }: ExportRecord): string {
  const record = {
    ...{ version: VERSION, prefix, stack, holder, fingerprints, files: [...files].sort() },
    ...(untold.length > 0 ? { untold } : {}),
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}

function readRecords(tree: Tree, folder: string): ExportRecord[] {
  const place = attempt(tree.shown(folder), () => tree.find(`${folder}/-`));
  return (place?.folder.names() ?? []).sort().flatMap((name) => {
    const path = `${folder}/${name}`;
    const id = FILE_NAME.exec(name)?.[2];
    return id === undefined ? [] : [attempt(tree.shown(path), () => readRecord(tree, path, id))];
  });
}

function readRecord(tree: Tree, path: string, id: string): ExportRecord {
  const value = parseJson(readText(tree, path));
  const read = isObject(value) && value.version === VERSION ? originIn(value) : undefined;
  const files = isObject(value) ? texts(value.files) : undefined;
  const untold = isObject(value) ? texts(value.untold ?? []) : undefined;
  if (!read || !untold || !files?.every(isPlainPath)) {
    throw new UnusableError(
      "it should list what was exported, and is not as this version writes it: use the version that did, or remove it",
    );
  }
  return { ...read, id, path, files: new Set(files), untold };
}

function originIn({ prefix, stack, holder, fingerprints }: Readonly<Record<string, unknown>>): Origin | undefined {
  const found = texts(fingerprints);
  return typeof prefix === "string" && (stack === "pki" || stack === "access") && typeof holder === "string" && found
    ? { prefix, stack, holder, fingerprints: found }
    : undefined;
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}

function readText(tree: Tree, path: string): string {
  const place = tree.find(path);
  return place ? place.folder.read(place.name, (file) => fs.readFileSync(file, "utf8")) : "";
}
