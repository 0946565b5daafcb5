import type { Apply, ApplyResult } from "./apply";
import type { PlanResult, PlanRun } from "./plan";
import { isHandWritten, type Run } from "./program";
import { Summary, summary } from "./statistics";
import type { SynthResult } from "./synth";

type Measure<T> = (measured: T) => number;

const constructSeconds: Measure<Run> = (run) => run.constructSeconds;
const synthSeconds: Measure<Run> = (run) => run.synthSeconds;
const bothSeconds: Measure<Run> = (run) => run.constructSeconds + run.synthSeconds;
const processSeconds: Measure<Run> = (run) => run.processSeconds;
const megabytes: Measure<Run> = (run) => run.megabytes;
const applySeconds: Measure<Apply> = (apply) => apply.seconds;
const planSeconds: Measure<PlanRun> = (run) => run.seconds;
const planMegabytes: Measure<PlanRun> = (run) => run.megabytes;
const stateBytes: Measure<Apply> = (apply) => apply.stateBytes;

/** What construct + synth took: ratios first, since they hold on other machines too. */
export function synthTables(results: readonly SynthResult[]): string {
  const ratios = table(
    ["Clusters", "Construct + synth", "Construct", "Synth", "Whole process", "Memory"],
    results.map(({ clusters, library, handWritten }) => [
      clusters,
      ...[bothSeconds, constructSeconds, synthSeconds, processSeconds, megabytes].map((measure) =>
        ratio(library, handWritten, measure),
      ),
    ]),
  );
  const absolute = table(
    ["Clusters", "Side", "Runs", "Construct + synth", "Per cluster", "Construct", "Whole process", "Memory"],
    results.flatMap(({ clusters, library, handWritten }) =>
      Object.entries({ library, "hand-written": handWritten }).map(([side, runs]) => [
        clusters,
        side,
        runs.length,
        seconds(runs, bothSeconds),
        `${((1000 * median(runs, bothSeconds)) / clusters).toFixed(1)} ms`,
        seconds(runs, constructSeconds),
        seconds(runs, processSeconds),
        `${median(runs, megabytes).toFixed(0)} MB`,
      ]),
    ),
  );
  return `${ratios}\n\n${absolute}`;
}

/** What `terraform apply` took; the stack of one key is the floor. */
export function applyTables(results: readonly ApplyResult[]): string {
  const floor = results.find(({ program }) => program.side === "one key")!;
  const handWrittenOf = ({ program }: ApplyResult) => results.find((other) => isHandWritten(other.program, program))!;
  const ratios = table(
    ["Stack", "Time ÷ hand-written", "State ÷ hand-written", "Time ÷ one key"],
    results
      .filter(({ program }) => program.side === "library")
      .map((result) => [
        nameOf(result),
        ratio(result.applies, handWrittenOf(result).applies, applySeconds),
        ratio(result.applies, handWrittenOf(result).applies, stateBytes),
        ratio(result.applies, floor.applies, applySeconds),
      ]),
  );
  const absolute = table(
    ["Stack", "Runs", "Resources", "terraform apply", "State"],
    results.map((result) => [
      nameOf(result),
      result.applies.length,
      result.applies[0].resources,
      seconds(result.applies, applySeconds),
      `${(median(result.applies, stateBytes) / 1000).toFixed(0)} kB`,
    ]),
  );
  return `${ratios}\n\n${absolute}`;
}

/** What `kubernetes-pki plan` took as a whole process, next to one that only parses the file. */
export function planTables(results: readonly PlanResult[]): string {
  return table(
    [
      "Plan",
      "Size",
      "Runs",
      "Time ÷ parse",
      "Memory ÷ parse",
      "kubernetes-pki plan",
      "Memory",
      "JSON.parse",
      "Its memory",
    ],
    results.map(({ name, planBytes, report, parse }) => [
      name,
      `${(planBytes / 1e6).toFixed(planBytes < 1e5 ? 3 : 1)} MB`,
      report.length,
      ratio(report, parse, planSeconds),
      ratio(report, parse, planMegabytes),
      seconds(report, planSeconds),
      `${median(report, planMegabytes).toFixed(0)} MB`,
      seconds(parse, planSeconds),
      `${median(parse, planMegabytes).toFixed(0)} MB`,
    ]),
  );
}

function nameOf({ program: { side, controlPlanes, workers } }: ApplyResult): string {
  const count = controlPlanes === 1 ? "1 control plane" : `${controlPlanes} control planes`;
  const named = workers > 0 ? `, ${workers} named workers` : "";
  return side === "one key" ? "one `tls_private_key`" : `${side}, ${count}${named}`;
}

function summarize<T>(all: readonly T[], measure: Measure<T>): Summary {
  return summary(all.map(measure));
}

function median<T>(all: readonly T[], measure: Measure<T>): number {
  return summarize(all, measure).median;
}

function ratio<T>(ours: readonly T[], theirs: readonly T[], measure: Measure<T>): string {
  return `${(median(ours, measure) / median(theirs, measure)).toFixed(2)} ×`;
}

function seconds<T>(all: readonly T[], measure: Measure<T>): string {
  const { median: middle, min, max } = summarize(all, measure);
  const digits = middle < 1 ? 3 : 2;
  return `${middle.toFixed(digits)} s (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const alignments = head.map((title) => (["Side", "Stack", "Plan"].includes(title) ? "---" : "---:"));
  return [line(head), line(alignments), ...rows.map(line)].join("\n");
}
