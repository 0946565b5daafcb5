import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { parseArgs } from "node:util";
import { applied } from "./applied";
import type { Finding, Fuzzed } from "./fuzz";

// npm run fuzz -- --runs 5000 --apply 40 --seed 1 --show 10

/**
 * Descriptions of one process: cdktf keeps every token, and collecting the garbage of a process that has some gigabytes of them takes longer
 * than any synth.
 */
const PART = 650;

const { values } = parseArgs({
  options: {
    apply: { type: "string", default: "40" },
    runs: { type: "string", default: "5000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    show: { type: "string", default: "10" },
  },
});
const runs = Number(values.runs);
const show = Number(values.show);

async function main(): Promise<void> {
  const start = Date.now();
  const parts: Fuzzed[] = [];
  for (let from = 0; from < runs; from += PART) {
    parts.push(await fuzzed(Math.min(PART, runs - from), Number(values.seed) + from));
  }
  const findings = parts.flatMap((part) => part.findings);
  const kinds = new Map<string, { count: number; first: Finding }>();
  for (const finding of findings) {
    const kind = finding.what.replace(/\d+/g, "0").slice(0, 90) + finding.planted.join();
    const known = kinds.get(kind) ?? { count: 0, first: finding };
    known.count += 1;
    kinds.set(kind, known);
  }
  for (const { count, first } of [...kinds.values()].sort((a, b) => b.count - a.count).slice(0, show)) {
    console.log(
      `${count} × ${first.what}\n    planted: ${first.planted.join("; ") || "nothing"}\n    ${JSON.stringify(first.drawn)}`,
    );
  }
  const accepted = parts.flatMap((part) => part.accepted);
  const refused = sum(parts.map((part) => part.refused));
  console.log(
    `seed ${values.seed}: ${runs} descriptions that are right, ${accepted.length} made; ${refused} with mistakes refused`,
  );
  const distributions = [...new Set(parts.flatMap((part) => Object.keys(part.byDistribution)))];
  console.log(
    distributions
      .map((name) => `${name} ${sum(parts.map(({ byDistribution }) => byDistribution[name] ?? 0))}`)
      .join(", "),
  );
  console.log(`the longest synth: ${Math.max(...parts.map(({ longest }) => longest)).toFixed(2)} s of CPU time`);
  console.log(`${findings.length} findings of ${kinds.size} kinds, ${Math.round((Date.now() - start) / 1000)} s`);
  const made = await applied(accepted.slice(0, Number(values.apply)));
  made.faults.slice(0, show).forEach((fault) => console.log(fault));
  console.log(
    `${made.descriptions} applied: ${made.certificates} certificates, ${made.files} files, ${made.kubeconfigs} of them kubeconfigs, ${made.faults.length} not as described`,
  );
  process.exitCode = findings.length + made.faults.length === 0 ? 0 : 1;
}

/** A part in a process of its own. What does not come back ends all. */
async function fuzzed(count: number, seed: number): Promise<Fuzzed> {
  const part = fork(path.join(__dirname, "part.ts"), [`${count}`, `${seed}`]);
  const ended = once(part, "disconnect").then(() => {
    throw new Error(`the part of seed ${seed} ended without a word`);
  });
  const [result] = (await Promise.race([once(part, "message"), ended])) as [Fuzzed];
  return result;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

void main();
