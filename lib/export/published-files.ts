import { Content } from "../kubernetes/content";
import { ANY_WORKER, OPERATOR, REQUESTS } from "../kubernetes/cluster-file";
import { FilesByHolder, Published, publishedFiles } from "../terraform-json/outputs";
import type { State } from "../terraform-json/state";
import { UnusableError } from "../terraform-json/unusable";
import type { FinishedFile } from "./finished-file";
import type { ExportedOrigin } from "./record";
import { evaluate, referencesIn, unsignedIn } from "../kubernetes/content-readers";
import { certificatesOutput, fingerprintsOutput } from "../terraform/names";
import { object } from "../terraform-json/json";

/** Whose files are exported. */
export interface RequestedHolder {
  /** A machine's name, `worker` or `operator`. */
  readonly name: string;
  /** True when it was given as the name of a machine. */
  readonly isMachine: boolean;
}

/** Files that one part of a stack published. */
interface Part extends Published<FilesByHolder> {
  readonly state: State;
}

/** A file that is exported. */
export interface ExportedFile extends FinishedFile {
  /** `addressPrefix` of the cluster that it is of. */
  readonly cluster: string;
  /** True where nothing in it comes from the state. */
  readonly isLiteral: boolean;
  /**
   * Where it is read, of a copy for a command that takes it.
   * @default - its path
   */
  readonly readAt?: string;
}

/** Files that are exported, and what they come from. */
export interface Exported {
  /** Sorted by path. */
  readonly files: readonly ExportedFile[];
  /** All that were read, also those without files of the holder. */
  readonly origins: readonly ExportedOrigin[];
}

/**
 * Collects the files of one holder, each filled in from the state that published it.
 *
 * @param prefixes parts to take them from; all, when none is given and no state has several
 * @throws UnusableError when there are none, or when a value is missing
 */
export function filesOfHolder(
  holder: RequestedHolder,
  states: readonly State[],
  prefixes: readonly string[],
): Exported {
  const parts = chosenParts(states, prefixes);
  refuseUnsigned(holder, parts);
  const merged = new Map<string, Found>();
  for (const found of parts.flatMap((part) => filesIn(part, holder))) {
    const { path } = found.file;
    const other = merged.get(path);
    if (other && !alike(other.file, found.file)) {
      throw new UnusableError(
        `${other.origin} and ${found.origin} differ in ${path}: leave out the one that does not apply`,
      );
    }
    merged.set(path, found);
  }
  if (merged.size === 0) {
    throw nothingFor(holder, parts);
  }
  return {
    files: [...merged.values()].map(({ file }) => file).sort((a, b) => (a.path < b.path ? -1 : 1)),
    origins: parts.map((part) => originOf(part, holder)),
  };
}

/** Without a certificate, its reader would not start, and would still find the key of another one: nothing is written. */
function refuseUnsigned(holder: RequestedHolder, parts: readonly Part[]): void {
  const contents = parts.flatMap((part) => Object.values(mapOf(part, holder)).flatMap(({ content }) => content ?? []));
  const names = [...new Set(contents.flatMap(unsignedIn))].sort();
  if (names.length > 0) {
    throw new UnusableError(
      `${holder.name} needs certificates that are signed elsewhere, and not back yet: ${names.join(", ")}; ` +
        "nothing was written: export --requests, have them signed, give what comes back to signedCertificates, and deploy",
    );
  }
}

/** What stays of a part from one export to the next: its cluster's keys change one after the other. */
function originOf(part: Part, holder: RequestedHolder): ExportedOrigin {
  const { prefix, state } = part;
  const fingerprints = Object.values(object(state.outputs.get(fingerprintsOutput(prefix))));
  return {
    prefix,
    stack: state.outputs.has(certificatesOutput(prefix)) ? "pki" : "access",
    holder: holder.name,
    fingerprints: fingerprints.filter((fingerprint) => typeof fingerprint === "string").sort(),
    paths: pathsIn(part, holder),
  };
}

/** A file, and the state it came from as the user named it. */
interface Found {
  readonly file: ExportedFile;
  readonly origin: string;
}

function mapOf({ value }: Part, { name, isMachine }: RequestedHolder): FilesByHolder[string] {
  return (isMachine && isReserved(name)) || !Object.hasOwn(value, name) ? {} : value[name]!;
}

function pathsIn(part: Part, holder: RequestedHolder): string[] {
  return Object.keys(mapOf(part, holder));
}

function filesIn(part: Part, holder: RequestedHolder): Found[] {
  const { state, prefix } = part;
  return Object.entries(mapOf(part, holder)).map(([path, { content, ...access }]) => {
    const text = fill(content, path, state);
    const isLiteral = content !== undefined && referencesIn(content).length === 0;
    return { file: { ...access, path, text, cluster: prefix, isLiteral }, origin: state.origin };
  });
}

/** What to export from: all that was published, or what has the prefixes that were chosen. */
function chosenParts(states: readonly State[], prefixes: readonly string[]): Part[] {
  const chosen = states.flatMap((state) => {
    const parts = partsOf(state);
    const wanted = parts.filter(({ prefix }) => prefixes.length === 0 || prefixes.includes(prefix));
    const known = prefixesOf(parts).join(", ");
    if (wanted.length === 0) {
      throw new UnusableError(
        `${state.origin} has no files of the prefix ${prefixes.join(" or ")}: it has those of ${known}`,
      );
    }
    if (prefixes.length === 0 && prefixesOf(wanted).length > 1) {
      throw new UnusableError(`${state.origin} has files of several prefixes: choose with --prefix from ${known}`);
    }
    return wanted;
  });
  const missing = prefixes.find((wanted) => !chosen.some(({ prefix }) => prefix === wanted));
  if (missing !== undefined) {
    throw new UnusableError(
      `no state has files of the prefix ${missing}: leave it out, or name the stack that has them`,
    );
  }
  return chosen;
}

function prefixesOf(parts: readonly Part[]): string[] {
  return [...new Set(parts.map(({ prefix }) => prefix))];
}

/** All that a state publishes: files of clusters, and of their join passwords. A machine needs both to start. */
function partsOf(state: State): Part[] {
  const parts = [...state.outputs].flatMap(([output, value]) => {
    const published = publishedFiles(output, value);
    return published ? [{ state, ...published }] : [];
  });
  if (parts.length === 0) {
    throw new UnusableError(
      `${state.origin} has no output <prefix>_files that is known here: name a stack made with cdktf-kubernetes-pki, ` +
        "and deploy it again if that was another version",
    );
  }
  return parts;
}

function alike(a: FinishedFile, b: FinishedFile): boolean {
  const isStartAlike = JSON.stringify(a.firstStartOnly) === JSON.stringify(b.firstStartOnly);
  return a.mode === b.mode && a.owner === b.owner && a.text === b.text && isStartAlike;
}

/** Fills the content of a file in from the state that published it. */
function fill(content: Content | undefined, path: string, state: State): string {
  if (content === undefined) {
    throw new UnusableError(
      `${state.origin} describes ${path} in a way that is not known here: use the version that deployed it`,
    );
  }
  return evaluate(content, (reference) => {
    const value = state.value(reference);
    if (value === undefined) {
      const name = `${reference.address}.${reference.attribute}`;
      throw new UnusableError(
        `${state.origin} lacks ${name}, which ${path} needs: the state is older than its file map, deploy again`,
      );
    }
    return value;
  });
}

function nothingFor({ name, isMachine }: RequestedHolder, parts: readonly Part[]): UnusableError {
  const where = [...new Set(parts.map(({ state }) => state.origin))].join(", ");
  const holders = parts.flatMap(({ value }) =>
    Object.entries(value).flatMap(([holder, files]) => (Object.keys(files).length > 0 ? [holder] : [])),
  );
  const machines = [...new Set(holders)].filter((holder) => !isReserved(holder)).sort();
  const asked = isMachine ? `no machine ${JSON.stringify(name)}` : `no files for --${name}`;
  return new UnusableError(`${asked} in ${where}; the machines are: ${machines.join(", ") || "none"}`);
}

function isReserved(holder: string): boolean {
  return holder === ANY_WORKER || holder === OPERATOR || holder === REQUESTS;
}
