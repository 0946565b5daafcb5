import { execFile } from "node:child_process";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, Stats } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Json, object, parseJson } from "./json";
import { parsePlan, Plan } from "./plan";
import { readAll, tooLarge } from "./read-all";
import { parseState, State } from "./state";
import { reason, UnusableError } from "./unusable";

/** Where sources are looked for. */
export interface Place {
  readonly stdin: Readable;
  /** Folder that relative paths start at. */
  readonly cwd: string;
  /** Of the program that is run for a stack's folder; `TERRAFORM_BINARY_NAME` names it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** V8 cannot hold a text of more than 512 MB; a plan of 10,000 changes has 8. */
const PLAN_LIMIT_MB = 256;
/** A state of 200 certificates has 2 MB. */
const STATE_LIMIT_MB = 64;
const ONE_STACK = "give the output of `terraform show -json` of one stack";

/**
 * Reads a plan.
 *
 * @param source a file with the output of `terraform show -json <plan>`, or `-` for stdin
 * @throws UnusableError when it cannot be read
 */
export async function readPlanFrom(source: string, { stdin, cwd }: Place): Promise<Plan> {
  const origin = source === "-" ? "stdin" : source;
  const stream = source === "-" ? stdin : createReadStream(resolve(cwd, source), { highWaterMark: 1 << 20 });
  // The beginning comes first: what is no JSON object is not read to its end, however long it is.
  let isText = false;
  const look = (chunk: Buffer) => {
    isText ||= startsObject(chunk, origin);
  };
  const text = await readAll(stream, origin, { limitMb: PLAN_LIMIT_MB, hint: "give the plan of one stack", look });
  if (!isText) {
    throw new UnusableError(
      `${origin} is empty: give the output of \`terraform show -json <plan>\`, and see whether that command failed`,
    );
  }
  return parsePlan(text, origin);
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const SPACE = [0x20, 0x09, 0x0a, 0x0d];

/** False while there is nothing but space. */
function startsObject(chunk: Buffer, origin: string): boolean {
  const first = chunk.find((byte) => !SPACE.includes(byte) && !BYTE_ORDER_MARK.includes(byte));
  if (first === undefined || first === 0x7b) {
    return first !== undefined;
  }
  if (chunk.subarray(0, 2).toString("latin1") === "PK") {
    throw new UnusableError(`${origin} is a saved plan: give the output of \`terraform show -json\` with its name`);
  }
  throw new UnusableError(`${origin} is not JSON of a plan: give the output of \`terraform show -json <plan>\``);
}

/**
 * Reads states, in the order given.
 *
 * @param sources each a stack's folder, a file with the output of `terraform show -json`, or `-` for stdin
 * @throws UnusableError when one cannot be read
 */
export async function readStates(sources: readonly string[], place: Place): Promise<State[]> {
  if (sources.filter((source) => source === "-").length > 1) {
    throw new UnusableError("stdin (-) can be read only once: name it once");
  }
  const states: State[] = [];
  for (const source of sources) {
    states.push(await readState(source, place));
  }
  return states;
}

async function readState(source: string, place: Place): Promise<State> {
  if (source === "-") {
    return parseState(await readText(place.stdin, "stdin"), "stdin");
  }
  const path = resolve(place.cwd, source);
  const stats = status(path);
  if (!stats) {
    throw new UnusableError(
      `${source} does not exist: name a stack's folder, as \`cdktf synth\` makes it under cdktf.out/stacks`,
    );
  }
  return parseState(
    stats.isDirectory() ? await showFolder(path, source, place) : await readFile(path, source, place),
    source,
  );
}

async function readFile(path: string, source: string, place: Place): Promise<string> {
  if (path.endsWith(".tfstate")) {
    refuseTruncated(path, place);
  }
  return readText(createReadStream(path), source);
}

async function readText(stream: Readable, origin: string): Promise<string> {
  const text = await readAll(stream, origin, { limitMb: STATE_LIMIT_MB, hint: ONE_STACK });
  if (text === "") {
    throw new UnusableError(
      `${origin} is empty: give the output of \`terraform show -json\`, and see whether that command failed`,
    );
  }
  return text;
}

async function showFolder(folder: string, source: string, place: Place): Promise<string> {
  if (!namesIn(folder).some((name) => /\.(tf|tofu)(\.json)?$/.test(name))) {
    throw new UnusableError(`${source} holds no Terraform configuration: ${suggestStacks(folder, place)}`);
  }
  const state = localState(folder);
  if (state) {
    refuseTruncated(state, place);
  }
  return show(folder, source, place);
}

/** Runs terraform without a terminal, as nothing here may wait for an answer. */
async function show(folder: string, source: string, place: Place): Promise<string> {
  const binary = place.env["TERRAFORM_BINARY_NAME"] || "terraform";
  const running = promisify(execFile)(binary, ["show", "-json", "-no-color"], {
    cwd: folder,
    env: { ...place.env },
    maxBuffer: STATE_LIMIT_MB * 1024 * 1024,
  });
  running.child.stdin?.end();
  try {
    return (await running).stdout;
  } catch (error) {
    throw showFailed(error as { code?: unknown; stderr?: string }, binary, source);
  }
}

/** Keeps to stderr: what was printed to stdout until then is a state. */
function showFailed(
  { code, stderr = "" }: { code?: unknown; stderr?: string },
  binary: string,
  source: string,
): UnusableError {
  if (code === "ENOENT" || code === "EACCES") {
    return new UnusableError(`cannot run ${binary}: put it on the PATH, or its name into TERRAFORM_BINARY_NAME`);
  }
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return tooLarge(`the state of ${source}`, STATE_LIMIT_MB, ONE_STACK);
  }
  const text = stderr.replace(/[│╷╵]/g, " ");
  if (/\b(terraform|tofu)\s+init\b/.test(text)) {
    return new UnusableError(
      `${source} is not initialised: run \`cdktf deploy\`, or \`${binary} init\` in that folder`,
    );
  }
  const summary = /^\s*Error: (.*\S)/m.exec(text)?.[1] ?? `exit code ${String(code)}`;
  return new UnusableError(`\`${binary} show -json\` failed in ${source}: ${summary}; run it there to see more`);
}

/** Where Terraform keeps the folder's state, if in a file. */
function localState(folder: string): string | undefined {
  const terraform = object(readConfiguration(folder).terraform);
  const backend = object(terraform.backend);
  if ("cloud" in terraform || (Object.keys(backend).length > 0 && !("local" in backend))) {
    return undefined;
  }
  const path = object(backend.local).path ?? "terraform.tfstate";
  return typeof path === "string" ? resolve(folder, path) : undefined;
}

/** What cdktf wrote. Terraform itself tells what is wrong with one that cannot be read. */
function readConfiguration(folder: string): Json {
  try {
    return object(parseJson(readFileSync(join(folder, "cdk.tf.json"), "utf8")));
  } catch {
    return {};
  }
}

/**
 * Terraform, killed while it writes a local state, can leave 0 bytes of it, and takes them for a new stack from then
 * on: the next apply would issue new authorities without a word, and overwrite the backup.
 */
function refuseTruncated(path: string, place: Place): void {
  const stats = status(path);
  if (!stats?.isFile() || stats.size > 0) {
    return;
  }
  const state = quoted(relative(place.cwd, path) || path);
  const backup = `${path}.backup`;
  const restore = status(backup)?.size
    ? `restore it with: cp ${quoted(relative(place.cwd, backup))} ${state}`
    : "its backup is missing or empty too: restore it from a backup of your own";
  throw new UnusableError(
    `the state file ${state} has 0 bytes, a write to it was cut short; do not deploy before it is back; ${restore}`,
  );
}

/** Names the stacks that `cdktf synth` left near by. */
function suggestStacks(folder: string, place: Place): string {
  const stacks = ["cdktf.out/stacks", "stacks", "."].flatMap((under) => stacksIn(join(folder, under)));
  const names = stacks.map((path) => quoted(relative(place.cwd, path))).join(", ");
  return `name a stack's folder, ${names ? `here ${names}` : "e.g. cdktf.out/stacks/prod-pki"}, or - for stdin`;
}

function stacksIn(folder: string): string[] {
  const paths = status(folder)?.isDirectory() ? namesIn(folder).map((name) => join(folder, name)) : [];
  return paths.filter((path) => existsSync(join(path, "cdk.tf.json")));
}

function namesIn(folder: string): string[] {
  return attempt(folder, () => readdirSync(folder).sort());
}

function status(path: string): Stats | undefined {
  return attempt(path, () => (existsSync(path) ? statSync(path) : undefined));
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UnusableError(`cannot read ${path}: ${reason(error)}`);
  }
}

/** A path as one would type it in a shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
