import { parseArgs } from "node:util";
import { applied } from "./applied";
import { fuzz } from "./fuzz";

// npm run fuzz -- --runs 5000 --apply 40 --seed 1 --show 10

const { values } = parseArgs({
  options: {
    apply: { type: "string", default: "40" },
    runs: { type: "string", default: "5000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    show: { type: "string", default: "10" },
  },
});
async function main(): Promise<void> {
  const start = Date.now();
  const { accepted, refused, byDistribution, longest, findings } = fuzz(Number(values.runs), Number(values.seed));
  const kinds = new Map<string, { count: number; first: (typeof findings)[number] }>();
  for (const finding of findings) {
    const kind = finding.what.replace(/\d+/g, "0").slice(0, 90) + finding.planted.join();
    const known = kinds.get(kind) ?? { count: 0, first: finding };
    known.count += 1;
    kinds.set(kind, known);
  }
  for (const { count, first } of [...kinds.values()].sort((a, b) => b.count - a.count).slice(0, Number(values.show))) {
    console.log(
      `${count} × ${first.what}\n    planted: ${first.planted.join("; ") || "nothing"}\n    ${JSON.stringify(first.drawn)}`,
    );
  }
  console.log(
    `seed ${values.seed}: ${values.runs} descriptions that are right, ${accepted.length} made; ${refused} with mistakes refused`,
  );
  console.log(
    Object.entries(byDistribution)
      .map(([name, count]) => `${name} ${count}`)
      .join(", "),
  );
  console.log(`the longest synth: ${longest.toFixed(2)} s of CPU time`);
  console.log(`${findings.length} findings of ${kinds.size} kinds, ${Math.round((Date.now() - start) / 1000)} s`);
  const made = await applied(accepted.slice(0, Number(values.apply)));
  made.faults.slice(0, Number(values.show)).forEach((fault) => console.log(fault));
  console.log(
    `${made.descriptions} applied: ${made.certificates} certificates, ${made.files} files, ${made.kubeconfigs} of them kubeconfigs, ${made.faults.length} not as described`,
  );
  process.exitCode = findings.length + made.faults.length === 0 ? 0 : 1;
}

void main();
