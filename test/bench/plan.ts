import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { attempt } from "../sandbox/command";
import { ModuleChain } from "./module-chain";
import { planFile } from "./plan-file";
import { compile } from "./program";
import { alternate } from "./statistics";

/** A plan that is measured. */
interface Measured {
  readonly name: string;
  readonly make: () => string;
  /** How often. */
  readonly rounds: number;
}

const MEASURED: readonly Measured[] = [
  ...[1_000, 10_000, 80_000].map((changes) => {
    const name = `${changes.toLocaleString("en")} changes`;
    return { name, make: () => planFile(changes), rounds: changes > 10_000 ? 5 : 15 };
  }),
  { name: "16 modules in a row", make: () => new ModuleChain(16, 4).plan(), rounds: 15 },
];

/** What one process took. */
export interface PlanRun {
  readonly seconds: number;
  /** The most memory that the process had at any time. */
  readonly megabytes: number;
}

/** What both took for a plan. */
export interface PlanResult {
  readonly name: string;
  readonly planBytes: number;
  /** `kubernetes-pki plan`. */
  readonly report: readonly PlanRun[];
  /** A program that reads the file and calls `JSON.parse`, nothing else. */
  readonly parse: readonly PlanRun[];
}

/** `kubernetes-pki plan` next to `JSON.parse` of the same file, each in processes of its own. */
export async function measurePlan(
  folder: string,
  quick: boolean,
  progress: (line: string) => void,
): Promise<PlanResult[]> {
  await mkdir(folder);
  const command = path.join(await compile(folder, ["lib/cli/main.ts"]), "lib/cli/main.js");
  const parse = path.join(folder, "parse.js");
  await writeFile(parse, 'JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));\n');
  // Tells its memory by itself: what a process had at most is known to nobody else in time.
  const probe = path.join(folder, "probe.js");
  const memory = path.join(folder, "memory");
  const written = `require("node:fs").writeFileSync(${JSON.stringify(memory)}, String(process.resourceUsage().maxRSS))`;
  await writeFile(probe, `process.on("exit", () => ${written});\n`);

  const results: PlanResult[] = [];
  for (const { name, make, ...measured } of MEASURED.slice(0, quick ? 1 : undefined)) {
    const rounds = quick ? 1 : measured.rounds;
    progress(`kubernetes-pki plan of ${name}, ${rounds} times`);
    const file = path.join(folder, "plan.json");
    await writeFile(file, make());
    const sides: readonly (readonly string[])[] = [
      [command, "plan", file],
      [parse, file],
    ];
    const [report, parsed] = await alternate(sides, rounds, async (args): Promise<PlanRun> => {
      const start = performance.now();
      const { code, stderr } = await attempt(process.execPath, ["--require", probe, ...args]);
      const seconds = (performance.now() - start) / 1000;
      if (code === 1 || stderr !== "") throw new Error(`${args.join(" ")}: ${stderr}`);
      return { seconds, megabytes: (Number(await readFile(memory, "utf8")) * 1024) / 1e6 };
    });
    results.push({ name, planBytes: (await stat(file)).size, report, parse: parsed });
  }
  return results;
}
