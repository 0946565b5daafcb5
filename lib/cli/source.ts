import { execFile } from "node:child_process";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, Stats } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { CliError, Io, quoted, reason } from "./io";
import { readAll, tooLarge } from "./read-all";
import { fields, parseState, State } from "../terraform-json/state";

/** A state of 200 certificates has 2 MB. */
const LIMIT_MB = 64;
const ONE_STACK = "give the output of `terraform show -json` of one stack";

/**
 * Reads states, in the order given.
 *
 * @param sources each a stack's folder, a file with the output of `terraform show -json`, or `-` for stdin
 * @throws CliError when one cannot be read
 */
export async function readStates(sources: readonly string[], io: Io): Promise<State[]> {
  if (sources.filter((source) => source === "-").length > 1) {
    throw new CliError("stdin (-) can be read only once: name it once");
  }
  const states: State[] = [];
  for (const source of sources) {
    states.push(await readState(source, io));
  }
  return states;
}

async function readState(source: string, io: Io): Promise<State> {
  if (source === "-") {
    return parseState(await readText(io.stdin, "stdin"), "stdin");
  }
  const path = resolve(io.cwd, source);
  const stats = status(path);
  if (!stats) {
    throw new CliError(
      `${source} does not exist: name a stack's folder, as \`cdktf synth\` makes it under cdktf.out/stacks`,
    );
  }
  return parseState(
    stats.isDirectory() ? await showFolder(path, source, io) : await readFile(path, source, io),
    source,
  );
}

async function readFile(path: string, source: string, io: Io): Promise<string> {
  if (path.endsWith(".tfstate")) {
    refuseTruncated(path, io);
  }
  return readText(createReadStream(path), source);
}

async function readText(stream: Readable, origin: string): Promise<string> {
  const text = await readAll(stream, origin, { limitMb: LIMIT_MB, hint: ONE_STACK });
  if (text === "") {
    throw new CliError(
      `${origin} is empty: give the output of \`terraform show -json\`, and see whether that command failed`,
    );
  }
  return text;
}

async function showFolder(folder: string, source: string, io: Io): Promise<string> {
  if (!namesIn(folder).some((name) => /\.(tf|tofu)(\.json)?$/.test(name))) {
    throw new CliError(`${source} holds no Terraform configuration: ${suggestStacks(folder, io)}`);
  }
  const state = localState(folder);
  if (state) {
    refuseTruncated(state, io);
  }
  return show(folder, source, io);
}

/** Runs terraform without a terminal, as nothing here may wait for an answer. */
async function show(folder: string, source: string, io: Io): Promise<string> {
  const binary = io.env["TERRAFORM_BINARY_NAME"] || "terraform";
  const running = promisify(execFile)(binary, ["show", "-json", "-no-color"], {
    cwd: folder,
    env: { ...io.env },
    maxBuffer: LIMIT_MB * 1024 * 1024,
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
): CliError {
  if (code === "ENOENT" || code === "EACCES") {
    return new CliError(`cannot run ${binary}: put it on the PATH, or its name into TERRAFORM_BINARY_NAME`);
  }
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return tooLarge(`the state of ${source}`, LIMIT_MB, ONE_STACK);
  }
  const text = stderr.replace(/[│╷╵]/g, " ");
  if (/\b(terraform|tofu)\s+init\b/.test(text)) {
    return new CliError(`${source} is not initialised: run \`cdktf deploy\`, or \`${binary} init\` in that folder`);
  }
  const summary = /^\s*Error: (.*\S)/m.exec(text)?.[1] ?? `exit code ${String(code)}`;
  return new CliError(`\`${binary} show -json\` failed in ${source}: ${summary}; run it there to see more`);
}

/** Where Terraform keeps the folder's state, if in a file. */
function localState(folder: string): string | undefined {
  const terraform = fields(fields(readConfiguration(folder)).get("terraform"));
  const backend = fields(terraform.get("backend"));
  if (terraform.has("cloud") || (backend.size > 0 && !backend.has("local"))) {
    return undefined;
  }
  const path = fields(backend.get("local")).get("path") ?? "terraform.tfstate";
  return typeof path === "string" ? resolve(folder, path) : undefined;
}

/** What cdktf wrote. Terraform itself tells what is wrong with one that cannot be read. */
function readConfiguration(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Terraform, killed while it writes a local state, can leave 0 bytes of it, and takes them for a new stack from then
 * on: the next apply would issue new authorities without a word, and overwrite the backup.
 */
function refuseTruncated(path: string, io: Io): void {
  const stats = status(path);
  if (!stats?.isFile() || stats.size > 0) {
    return;
  }
  const state = quoted(relative(io.cwd, path) || path);
  const backup = `${path}.backup`;
  const restore = status(backup)?.size
    ? `restore it with: cp ${quoted(relative(io.cwd, backup))} ${state}`
    : "its backup is missing or empty too: restore it from a backup of your own";
  throw new CliError(
    `the state file ${state} has 0 bytes, a write to it was cut short; do not deploy before it is back; ${restore}`,
  );
}

/** Names the stacks that `cdktf synth` left near by. */
function suggestStacks(folder: string, io: Io): string {
  const stacks = ["cdktf.out/stacks", "stacks", "."].flatMap((under) => stacksIn(join(folder, under)));
  const names = stacks.map((path) => quoted(relative(io.cwd, path))).join(", ");
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
    throw new CliError(`cannot read ${path}: ${reason(error)}`);
  }
}
