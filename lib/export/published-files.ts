import { Content, evaluate } from "../kubernetes/content";
import { ANY_WORKER, FileMap, OPERATOR } from "../kubernetes/holders";
import { CliError } from "../cli/io";
import { fields, State } from "../terraform-json/state";
import type { FinishedFile } from "./write-files";
import { prefixOfFiles } from "../terraform/names";

/** Files that one part of a stack published. */
interface Published {
  readonly state: State;
  readonly prefix: string;
  readonly map: FileMap;
}

/** Who the files are for. */
export interface Recipient {
  /** A machine's name, `worker` or `operator`. */
  readonly holder: string;
  /** True when the holder was given as the name of a machine. */
  readonly isMachine: boolean;
}

/**
 * Collects the files of one holder, sorted by path, each filled in from the state that published it.
 *
 * @param prefixes parts to take them from; all, when none is given and no state has several
 * @throws CliError when there are none, or when a value is missing
 */
export function publishedFiles(
  recipient: Recipient,
  states: readonly State[],
  prefixes: readonly string[],
): FinishedFile[] {
  const parts = chosenParts(states, prefixes);
  const merged = new Map<string, Found>();
  for (const found of parts.flatMap((part) => filesIn(part, recipient))) {
    const { path } = found.file;
    const other = merged.get(path);
    if (other && !alike(other.file, found.file)) {
      throw new CliError(
        `${other.origin} and ${found.origin} differ in ${path}: leave out the one that does not apply`,
      );
    }
    merged.set(path, found);
  }
  if (merged.size === 0) {
    throw nothingFor(recipient, parts);
  }
  return [...merged.values()].map(({ file }) => file).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A file, and the state it came from as the user named it. */
interface Found {
  readonly file: FinishedFile;
  readonly origin: string;
}

function filesIn({ state, map }: Published, { holder, isMachine }: Recipient): Found[] {
  if (isMachine && isReserved(holder)) {
    return [];
  }
  const files = Object.entries(map[holder] ?? {});
  return files.map(([path, { mode, owner, content }]) => {
    return { file: { path, mode, owner, text: fill(content, path, state) }, origin: state.origin };
  });
}

/** What to export from: all that was published, or what has the prefixes that were chosen. */
function chosenParts(states: readonly State[], prefixes: readonly string[]): Published[] {
  const chosen = states.flatMap((state) => {
    const parts = partsOf(state);
    const wanted = parts.filter(({ prefix }) => prefixes.length === 0 || prefixes.includes(prefix));
    const known = prefixesOf(parts).join(", ");
    if (wanted.length === 0) {
      throw new CliError(
        `${state.origin} has no files of the prefix ${prefixes.join(" or ")}: it has those of ${known}`,
      );
    }
    if (prefixes.length === 0 && prefixesOf(wanted).length > 1) {
      throw new CliError(`${state.origin} has files of several prefixes: choose with --prefix from ${known}`);
    }
    return wanted;
  });
  const missing = prefixes.find((wanted) => !chosen.some(({ prefix }) => prefix === wanted));
  if (missing !== undefined) {
    throw new CliError(`no state has files of the prefix ${missing}: leave it out, or name the stack that has them`);
  }
  return chosen;
}

function prefixesOf(parts: readonly Published[]): string[] {
  return [...new Set(parts.map(({ prefix }) => prefix))];
}

/**
 * The outputs `<prefix>_files` of a state, and `<prefix>__token__<name>_files` of what belongs to the same cluster: a machine needs both
 * to start. Others that end alike and hold something else are the user's own.
 */
function partsOf(state: State): Published[] {
  const parts = [...state.outputs].flatMap(([name, map]) => {
    const prefix = prefixOfFiles(name);
    return prefix !== undefined && isFileMap(map) ? [{ state, prefix, map }] : [];
  });
  if (parts.length === 0) {
    throw new CliError(
      `${state.origin} has no output <prefix>_files that is known here: name a stack made with cdktf-kubernetes-pki, ` +
        "and deploy it again if that was another version",
    );
  }
  return parts;
}

function isFileMap(map: unknown): map is FileMap {
  return isObject(map) && Object.values(map).every((files) => isObject(files) && Object.values(files).every(isFile));
}

function isFile(file: unknown): boolean {
  const { mode, owner, content } = Object.fromEntries(fields(file));
  return /^0[0-7]{3}$/.test(String(mode)) && /^[\w.-]+:[\w.-]+$/.test(String(owner)) && content !== undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function alike(a: FinishedFile, b: FinishedFile): boolean {
  return a.mode === b.mode && a.owner === b.owner && a.text === b.text;
}

/** Fills the content of a file in from the state that published it. */
function fill(content: Content, path: string, state: State): string {
  try {
    return evaluate(content, (reference) => {
      const value = state.value(reference);
      if (value === undefined) {
        const name = `${reference.address}.${reference.attribute}`;
        throw new CliError(
          `${state.origin} lacks ${name}, which ${path} needs: the state is older than its file map, deploy again`,
        );
      }
      return value;
    });
  } catch (error) {
    if (error instanceof CliError) {
      throw error;
    }
    throw new CliError(
      `${state.origin} describes ${path} in a way that is not known here: use the version that deployed it`,
    );
  }
}

function nothingFor({ holder, isMachine }: Recipient, parts: readonly Published[]): CliError {
  const where = [...new Set(parts.map(({ state }) => state.origin))].join(", ");
  const holders = parts.flatMap(({ map }) => Object.keys(map).filter((name) => Object.keys(map[name]!).length > 0));
  const machines = [...new Set(holders)].filter((name) => !isReserved(name)).sort();
  const asked = isMachine ? `no machine ${JSON.stringify(holder)}` : `no files for --${holder}`;
  return new CliError(`${asked} in ${where}; the machines are: ${machines.join(", ") || "none"}`);
}

function isReserved(holder: string): boolean {
  return holder === ANY_WORKER || holder === OPERATOR;
}
