import type { PlanReport } from "../judge/report";
import type { RenderOptions } from "./text";

/** What is left out of a report that is too long, step by step. Verdict and counts stay, and codes of dangers as long as they fit. */
const STEPS: readonly ((report: PlanReport) => Partial<PlanReport>)[] = [
  () => ({ changes: [], files: [], components: [], drift: [], truncated: true }),
  ({ notAllowed }) => ({
    ...{ generations: [], failedChecks: [], outputs: [], acknowledgedInVain: [] },
    // One stays: without any, the plan would hold nothing but what it may.
    ...(notAllowed ? { notAllowed: notAllowed.slice(0, 1) } : {}),
  }),
  ({ dangers }) => ({ dangers: dangers.map((danger) => ({ ...danger, reaches: [] })) }),
  () => ({ dangers: [] }),
];

/** The report as data; `truncated` where it would have more bytes than it may. */
export function renderJson(report: PlanReport, { maxBytes = Infinity }: RenderOptions = {}): string {
  let kept = report;
  let text = write(kept);
  for (const step of STEPS) {
    if (Buffer.byteLength(text) <= maxBytes) {
      break;
    }
    kept = { ...kept, ...step(kept) };
    text = write(kept);
  }
  return text;
}

function write(report: PlanReport): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
