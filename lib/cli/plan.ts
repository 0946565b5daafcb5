import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Command } from "commander";
import { INVENTORY_SCHEMA_VERSION, type Inventory } from "../inventory-schema";
import { parseDuration } from "../status/duration";
import { CliError, Io, Outcome, reason } from "./io";
import { readAll } from "./read-all";
import { DANGERS, DangerCode } from "../plan/dangers";
import { PlanReport, isDangerCode, planReport } from "../plan/report";
import { PlanError, readPlan } from "../terraform-json/plan";
import { renderJson } from "../plan/render-json";
import { renderMarkdown } from "../plan/markdown";
import { renderText } from "../plan/text";

interface Options {
  readonly inventory?: readonly string[];
  readonly format: Format;
  readonly out?: string;
  readonly failOn: string;
  readonly nextRun?: string;
  readonly maxBytes?: string;
}

type Format = "text" | "markdown" | "json";
const FORMATS: readonly Format[] = ["text", "markdown", "json"];

/** Nothing to do, changes, a danger. An error is 1, as everywhere. */
const EXIT = { nothing: 0, changes: 2, danger: 3 } as const;

/** V8 cannot hold a text of more than 512 MB; a plan of 10,000 changes has 8. */
const LIMIT_MB = 256;
/** Room for the verdict and a few dangers. */
const LEAST_BYTES = 1000;

const NOTES = `
PLAN is a file with the output of \`terraform show -json <plan>\`, or - for stdin.
A plan that failed has a file as well if it was made with -out: report that, too.
The inventory is pki-inventory.json beside a stack's cdk.tf.json; without it
names and files come from the plan alone, and nobody knows which component
restarts. The report holds no key, password or token.

Exit codes:
  0  nothing changes
  2  something changes
  3  there is something that --fail-on names
  1  an error

--fail-on takes a list: danger (each of them), change, codes of dangers, or none
alone. A code with - before it is left out: --fail-on danger,-cluster-admin

${Object.entries(DANGERS).map(dangerHelp).join("\n")}

Examples:
  terraform plan -out=plan; terraform show -json plan | kubernetes-pki plan
  kubernetes-pki plan --inventory pki-inventory.json --format markdown plan.json`;

function dangerHelp([code, text]: [string, string]): string {
  const lines = text.match(/.{1,54}(?:\s|$)/g)!;
  return lines.map((line, index) => `  ${(index === 0 ? code : "").padEnd(23)} ${line.trimEnd()}`).join("\n");
}

/** Adds the command that reads a plan as certificates. */
export function addPlan(program: Command, io: Io, outcome: Outcome): void {
  program
    .command("plan")
    .description("Tell what a Terraform plan does to certificates, keys and access, and what is dangerous in it.")
    .argument("[PLAN]", "file with a plan as JSON, or - for stdin", "-")
    .option("--inventory <file>", "what the stack issues; may be repeated", collect)
    .option("--format <format>", "text, markdown or json", "text")
    .option("--out <file>", "write the report there instead of to stdout")
    .option("--fail-on <list>", "what leads to exit code 3", "danger")
    .option("--next-run <time>", "time until the next plan is made, e.g. 24h or 7d")
    .option("--max-bytes <number>", "size of the report, e.g. 65000: details are left out first")
    .addHelpText("after", NOTES)
    .action(async (source: string, options: Options) => {
      outcome.exitCode = await reportPlan(source, options, io);
    });
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

async function reportPlan(source: string, options: Options, io: Io): Promise<number> {
  const { format, out } = options;
  if (!FORMATS.includes(format)) {
    throw new CliError(`--format ${format} is not known: use ${FORMATS.join(", ")}`);
  }
  const gate = gateOf(options.failOn);
  const maxBytes = maxBytesOf(options.maxBytes);
  const nextRunHours = options.nextRun === undefined ? undefined : hoursOf(options.nextRun);
  const inventories = (options.inventory ?? []).map((file) => readInventory(file, io));
  const origin = source === "-" ? "stdin" : source;
  const plan = planOf(await readDocument(source, origin, io), origin);
  const report = planReport(plan, { inventories, nextRunHours });
  const colour = out === undefined && io.stdout.isTTY === true && !io.env["NO_COLOR"];
  const text = {
    text: () => renderText(report, { maxBytes, colour }),
    markdown: () => renderMarkdown(report, { maxBytes }),
    json: () => renderJson(report, { maxBytes }),
  }[format]();
  if (out === undefined) {
    io.stdout.write(text);
  } else {
    writeReport(resolve(io.cwd, out), out, text);
  }
  return gate(report);
}

/** From a report to the exit code. */
function gateOf(failOn: string): (report: PlanReport) => number {
  const words = failOn.split(",").map((word) => word.trim());
  const codes = new Set<DangerCode>();
  let failOnChange = false;
  for (const word of words) {
    const code = word.replace(/^-/, "");
    if (word === "danger") {
      Object.keys(DANGERS).forEach((danger) => codes.add(danger as DangerCode));
    } else if (word === "change") {
      failOnChange = true;
    } else if (isDangerCode(code)) {
      codes[word === code ? "add" : "delete"](code);
    } else if (word !== "none" || words.length > 1) {
      const known = Object.keys(DANGERS).join(", ");
      throw new CliError(
        `--fail-on ${JSON.stringify(word)} is not known: use danger, change or none alone, or ${known}`,
      );
    }
  }
  return ({ dangers, changes }) => {
    const failed = dangers.some(({ code }) => codes.has(code)) || (failOnChange && changes.length > 0);
    return failed ? EXIT.danger : changes.length > 0 || dangers.length > 0 ? EXIT.changes : EXIT.nothing;
  };
}

function maxBytesOf(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (!/^\d{1,9}$/.test(text) || Number(text) < LEAST_BYTES) {
    throw new CliError(`--max-bytes ${text} is not possible: give a whole number, at least ${LEAST_BYTES}`);
  }
  return Number(text);
}

/** Hours of `90m`, `24h`, `7d`. */
function hoursOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    throw new CliError(`--next-run ${JSON.stringify(text)} is no time: give e.g. 90m, 24h, 7d or 1h30m`);
  }
  return Math.round(milliseconds / 36_000) / 100;
}

function readInventory(file: string, io: Io): Inventory {
  const text = attempt(`read ${file}`, () => readFileSync(resolve(io.cwd, file), "utf8"));
  const inventory = parsed(text) as Partial<Inventory> | undefined | null;
  if (typeof inventory !== "object" || inventory === null || !isEntries(inventory.entries)) {
    throw new CliError(`${file} is no inventory: give pki-inventory.json, as it lies beside a stack's cdk.tf.json`);
  }
  if (inventory.schemaVersion !== INVENTORY_SCHEMA_VERSION) {
    throw new CliError(
      `${file} has another schemaVersion than ${INVENTORY_SCHEMA_VERSION}: use the version that wrote it`,
    );
  }
  return inventory as Inventory;
}

function isEntries(entries: unknown): boolean {
  return (
    Array.isArray(entries) &&
    entries.every((entry) => Array.isArray((entry as { addresses?: unknown } | null)?.addresses))
  );
}

async function readDocument(source: string, origin: string, io: Io): Promise<unknown> {
  const stream = source === "-" ? io.stdin : createReadStream(resolve(io.cwd, source), { highWaterMark: 1 << 20 });
  const document = parsed(await readText(stream, origin));
  if (document === undefined) {
    throw new CliError(`${origin} is not JSON, or was cut short: give the output of \`terraform show -json <plan>\``);
  }
  return document;
}

/** Looks at the beginning first: what is no JSON object is not read to its end, however long it is. */
async function readText(stream: Readable, origin: string): Promise<string> {
  let isText = false;
  const look = (chunk: Buffer) => {
    isText ||= startsObject(chunk, origin);
  };
  const text = await readAll(stream, origin, { limitMb: LIMIT_MB, hint: "give the plan of one stack", look });
  if (!isText) {
    throw new CliError(
      `${origin} is empty: give the output of \`terraform show -json <plan>\`, and see whether that command failed`,
    );
  }
  return text;
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
    throw new CliError(`${origin} is a saved plan: give the output of \`terraform show -json\` with its name`);
  }
  throw new CliError(`${origin} is not JSON of a plan: give the output of \`terraform show -json <plan>\``);
}

/** Undefined where it is no JSON. The parser's own message quotes the text around the error, which may be a key. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

function planOf(document: unknown, origin: string) {
  try {
    return readPlan(document);
  } catch (error) {
    throw error instanceof PlanError ? new CliError(`${origin} ${error.message}`) : error;
  }
}

function writeReport(path: string, name: string, text: string): void {
  attempt(`write ${name}`, () => writeFileSync(path, text));
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new CliError(`cannot ${what}: ${reason(error)}`);
  }
}
