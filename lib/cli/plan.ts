import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { DangerCode } from "../plan/judge/danger";
import { DANGER_CODES, DANGERS } from "../plan/judge/dangers";
import { parseAcknowledgement, parseGate, parseOnly, Verdict, verdictOf } from "../plan/judge/gate";
import { planReport } from "../plan/judge/report";
import { parseInventory } from "../plan/read/inventory";
import { renderJson } from "../plan/render/json";
import { renderMarkdown } from "../plan/render/markdown";
import { renderText } from "../plan/render/text";
import { parseDuration } from "../status/duration";
import { readPlanFrom } from "../terraform-json/sources";
import { reason, UnusableError } from "../terraform-json/unusable";
import type { Io, SetExitCode } from "./io";
import { collect, formatOption } from "./options";

interface Options {
  readonly inventory?: readonly string[];
  readonly format: "text" | "markdown" | "json";
  readonly out?: string;
  readonly failOn?: readonly string[];
  readonly only?: readonly string[];
  readonly acknowledge?: readonly string[];
  readonly acknowledgedBy?: string;
  readonly nextRun?: string;
  readonly maxBytes?: string;
}

/** An error is 1, as everywhere. */
const EXIT_CODES: Readonly<Record<Verdict, number>> = { nothing: 0, changes: 2, failed: 3 };

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
  3  there is a danger, or what --fail-on adds, or what --only does not allow
  1  an error
Nothing changes where \`terraform plan -detailed-exitcode\` says so: no resource
and no output.

--fail-on changes the list of what leads to exit code 3, which are all dangers:
-cluster-admin takes one away, change adds any change, none takes all away that
stand before it: --fail-on none,key-destroyed

--acknowledge CODE=REASON, or CODE=NAME=REASON for one of several, says that a
danger is meant. It stays in the report, with the reason and with who said so
(--acknowledged-by, else GITHUB_ACTOR or GITLAB_USER_LOGIN), and does not lead to
exit code 3. Nobody can acknowledge plan-failed.

--only VERBS is for pipelines that nobody watches: whatever else the plan holds,
outputs, other providers' resources, drift and failed checks included, leads to
exit code 3. --only renew allows what the clock makes due.

${DANGER_CODES.map(dangerHelp).join("\n")}

Examples:
  terraform plan -out=plan; terraform show -json plan | kubernetes-pki plan
  kubernetes-pki plan --inventory pki-inventory.json --format markdown plan.json`;

function dangerHelp(code: DangerCode): string {
  const lines = DANGERS[code].help.match(/.{1,54}(?:\s|$)/g)!;
  return lines.map((line, index) => `  ${(index === 0 ? code : "").padEnd(23)} ${line.trimEnd()}`).join("\n");
}

/** Adds the command that reads a plan as certificates. */
export function addPlan(program: Command, io: Io, setExitCode: SetExitCode): void {
  program
    .command("plan")
    .description("Tell what a Terraform plan does to certificates, keys and access, and what is dangerous in it.")
    .argument("[PLAN]", "file with a plan as JSON, or - for stdin", "-")
    .option("--inventory <file>", "what the stack issues; may be repeated", collect)
    .addOption(formatOption("text", "markdown", "json"))
    .option("--out <file>", "write the report there instead of to stdout")
    .option("--fail-on <list>", "what leads to exit code 3, besides all dangers; may be repeated", collect)
    .option("--only <verbs>", "what the plan may hold, and nothing else, e.g. renew", collect)
    .option("--acknowledge <danger>", "a danger that is meant: CODE=REASON, CODE=NAME=REASON; may be repeated", collect)
    .option("--acknowledged-by <name>", "who says so")
    .option("--next-run <time>", "time until the next plan is made, e.g. 24h or 7d")
    .option("--max-bytes <number>", "size of the report, e.g. 65000: details are left out first")
    .addHelpText("after", NOTES)
    .action(async (source: string, options: Options) => {
      setExitCode(await reportPlan(source, options, io));
    });
}

async function reportPlan(source: string, options: Options, io: Io): Promise<number> {
  const { format, out } = options;
  const gate = parseGate(options.failOn ?? []);
  const by = options.acknowledgedBy ?? io.env["GITHUB_ACTOR"] ?? io.env["GITLAB_USER_LOGIN"];
  const acknowledgements = (options.acknowledge ?? []).map((text) => parseAcknowledgement(text, by));
  const only = options.only && parseOnly(options.only);
  const maxBytes = maxBytesOf(options.maxBytes);
  const nextRunHours = options.nextRun === undefined ? undefined : hoursOf(options.nextRun);
  const inventories = (options.inventory ?? []).map((file) => {
    return parseInventory(
      attempt(`read ${file}`, () => readFileSync(resolve(io.cwd, file), "utf8")),
      file,
    );
  });
  const report = planReport(await readPlanFrom(source, io), {
    inventories,
    nextRunHours,
    acknowledgements,
    only,
  });
  const colour = out === undefined && io.stdout.isTTY === true && !io.env["NO_COLOR"];
  const text = {
    text: () => renderText(report, { maxBytes, colour }),
    markdown: () => renderMarkdown(report, { maxBytes }),
    json: () => renderJson(report, { maxBytes }),
  }[format]();
  if (out === undefined) {
    io.stdout.write(text);
  } else {
    attempt(`write ${out}`, () => writeFileSync(resolve(io.cwd, out), text));
  }
  return EXIT_CODES[verdictOf(report, gate)];
}

function maxBytesOf(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (!/^\d{1,9}$/.test(text) || Number(text) < LEAST_BYTES) {
    throw new UnusableError(`--max-bytes ${text} is not possible: give a whole number, at least ${LEAST_BYTES}`);
  }
  return Number(text);
}

/** Hours of `90m`, `24h`, `7d`. */
function hoursOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    throw new UnusableError(`--next-run ${JSON.stringify(text)} is no time: give e.g. 90m, 24h, 7d or 1h30m`);
  }
  return Math.round(milliseconds / 36_000) / 100;
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UnusableError(`cannot ${what}: ${reason(error)}`);
  }
}
