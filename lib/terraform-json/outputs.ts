import { PublishedFile, readPublishedFile } from "../kubernetes/cluster-file";
import { GUARDS, prefixOfCertificates, prefixOfFiles } from "../terraform/names";
import { isObject, Json, list, object, parseJson } from "./json";

// What this library publishes of a cluster. A user's own outputs may end alike: what has another form is none of these.

/** A file as it was read; without its content where a later version wrote that in a way that is not known here. */
export type ReadFile = Pick<PublishedFile, "mode" | "owner"> & Partial<PublishedFile>;

/** Files by holder and path. */
export type FilesByHolder = Readonly<Record<string, Readonly<Record<string, ReadFile>>>>;

/** An output that was read, and the cluster's prefix in its name. */
export interface Published<T> {
  readonly prefix: string;
  readonly value: T;
}

/** The output `<prefix>_files`, or `<prefix>__token__<name>_files` of a join password; undefined for all others. */
export function publishedFiles(output: string, value: unknown): Published<FilesByHolder> | undefined {
  const prefix = prefixOfFiles(output);
  const holders = prefix === undefined ? undefined : jsonTexts(value);
  const files = holders && allOf(holders, (files) => allOf(object(files), readFile));
  return prefix !== undefined && files ? { prefix, value: files } : undefined;
}

function readFile(value: unknown): ReadFile | undefined {
  if (!isObject(value) || !("content" in value)) {
    return undefined;
  }
  const known = readPublishedFile(value);
  const read = known ?? readPublishedFile({ ...value, content: "", firstStartOnly: undefined });
  if (!read || !/^[\w.-]+:[\w.-]+$/.test(read.owner)) {
    return undefined;
  }
  const { mode, owner } = read;
  return known ?? { mode, owner };
}

/** More than a thousand years is no validity, and no date could be worked out with it. */
const MAX_HOURS = 10_000_000;

/** Where a generation stands: it signs, it is in every bundle, or it is in no bundle and no file. */
export type GenerationState = "active" | "trusted" | "retired";

const STATES: ReadonlySet<unknown> = new Set<GenerationState>(["active", "trusted", "retired"]);

/** States of generations by what has them and by id. */
type States = Readonly<Record<string, Readonly<Record<string, GenerationState>>>>;

/** What keeps generations from being lost, by their titles: `kubernetes g1`; and which rules the rows of a table break. */
export interface Guards {
  /** Neither retired nor protected from being destroyed. */
  readonly unprotected: readonly string[];
  /** The code names their fingerprints. */
  readonly pinned: readonly string[];
  /** Codes by row. */
  readonly exceptions: Readonly<Record<string, readonly string[]>>;
  /** Hours that the cluster's own signatures for nodes are valid, by authority. */
  readonly signsNodesFor: Readonly<Record<string, number>>;
}

/** Where the generations of a cluster stand, and what names its certificates have. */
export interface PublishedCertificates {
  readonly authorities: States;
  readonly keyPairs: States;
  /** Alternative names by holder and certificate. */
  readonly names: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Missing where nobody wrote any. */
  readonly guards?: Guards;
}

/** What is in the output `<prefix>_certificates`; undefined for all others. */
export function publishedCertificates(output: string, value: unknown): Published<PublishedCertificates> | undefined {
  const prefix = prefixOfCertificates(output);
  const texts = prefix === undefined ? undefined : jsonTexts(value);
  if (prefix === undefined || !texts) {
    return undefined;
  }
  const { ca, keys, [GUARDS]: guards, ...holders } = texts;
  const names = Object.fromEntries(
    Object.entries(holders).map(([holder, certificates]) => [holder, namesIn(certificates)]),
  );
  return { prefix, value: { authorities: statesIn(ca), keyPairs: statesIn(keys), names, ...guardsIn(guards) } };
}

function namesIn(certificates: Json): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(certificates).map(([name, sans]) => [name, list(sans).filter((san) => typeof san === "string")]),
  );
}

function guardsIn(guards: Json | undefined): Pick<PublishedCertificates, "guards"> {
  if (guards === undefined) {
    return {};
  }
  const { unprotected, pinned, exceptions, signsNodesFor } = guards;
  const codes = Object.entries(object(exceptions)).map(([row, list]) => [row, textsIn(list)] as const);
  return {
    guards: {
      unprotected: textsIn(unprotected),
      pinned: textsIn(pinned),
      exceptions: Object.fromEntries(codes),
      signsNodesFor: Object.fromEntries(
        Object.entries(object(signsNodesFor)).filter((entry): entry is [string, number] => isHours(entry[1])),
      ),
    },
  };
}

function isHours(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < MAX_HOURS;
}

function textsIn(values: unknown): string[] {
  return list(values).filter((value) => typeof value === "string");
}

function statesIn(parts: unknown): States {
  return Object.fromEntries(
    Object.entries(object(parts)).map(([name, generations]) => [
      name,
      Object.fromEntries(Object.entries(object(generations)).filter(([, state]) => STATES.has(state))),
    ]),
  ) as States;
}

/** Objects, each written as JSON text; undefined where one is something else. */
function jsonTexts(value: unknown): Readonly<Record<string, Json>> | undefined {
  return isObject(value) ? allOf(value, parsedObject) : undefined;
}

function parsedObject(json: unknown): Json | undefined {
  const value = typeof json === "string" ? parseJson(json) : undefined;
  return isObject(value) ? value : undefined;
}

/** What every field reads as; undefined where one cannot be read. */
function allOf<T>(fields: Json, read: (value: unknown) => T | undefined): Readonly<Record<string, T>> | undefined {
  const found = Object.entries(fields).map(([key, value]) => [key, read(value)] as const);
  return found.every(([, value]) => value !== undefined)
    ? (Object.fromEntries(found) as Readonly<Record<string, T>>)
    : undefined;
}
