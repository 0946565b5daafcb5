/** `npm run bench [-- --write] [-- --quick]`: what the library costs next to the same resources written by hand. */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { findTools, providerEnvironment } from "../sandbox/tools";
import { Applied, measureApply } from "./apply";
import { Fleet } from "./clusters";
import { writeDocument } from "./document";
import { describeMachine } from "./machine";
import { measurePlan } from "./plan";
import { isHandWritten, Program, Programs, readConfiguration } from "./program";
import { assertSameResources } from "./same-resources";
import { measureSynth } from "./synth";
import { applyTables, planTables, synthTables } from "./tables";

const SIZES: readonly Fleet[] = [
  { clusters: 1, controlPlanes: 1, workers: 0 },
  { clusters: 1, controlPlanes: 3, workers: 0 },
  { clusters: 1, controlPlanes: 3, workers: 100 },
];

const STACKS: readonly Program[] = [
  { side: "one key", clusters: 1, controlPlanes: 0, workers: 0 },
  ...SIZES.flatMap((size): Program[] => [
    { side: "library", ...size },
    { side: "hand-written", ...size },
  ]),
];

function progress(line: string): void {
  console.error(line);
}

async function bench(folder: string, quick: boolean): Promise<string> {
  const { terraform } = await findTools(["terraform"], { progress });
  const provided = await providerEnvironment({ terraform, progress });
  const env = { ...process.env, ...provided.env, CHECKPOINT_DISABLE: "1", TF_DATA_DIR: "", TF_WORKSPACE: "" };

  progress("compiling");
  const compiled = path.join(folder, "compiled");
  await mkdir(compiled);
  const programs = await Programs.compile(compiled);
  const stacks: Applied[] = [];
  for (const [index, program] of STACKS.entries()) {
    const own = path.join(folder, String(index));
    await programs.synthesize(program, own);
    stacks.push({ program, folder: own });
  }
  await assertComparable(stacks);

  const synth = await measureSynth(programs, quick, progress);
  const applies = await measureApply(stacks, terraform, env, quick, progress);
  const plans = await measurePlan(path.join(folder, "plans"), quick, progress);
  const date = new Date().toISOString().slice(0, 10);
  return [
    `${date}. ${await describeMachine(terraform, env)}.`,
    "### Construct and synth, library ÷ hand-written",
    synthTables(synth),
    "### `terraform apply` from an empty state",
    applyTables(applies),
    "### `kubernetes-pki plan`, report ÷ `JSON.parse` of the same file",
    planTables(plans),
  ].join("\n\n");
}

async function assertComparable(stacks: readonly Applied[]): Promise<void> {
  for (const library of stacks.filter(({ program }) => program.side === "library")) {
    const handWritten = stacks.find(({ program }) => isHandWritten(program, library.program))!;
    const [ours, theirs] = await Promise.all([library, handWritten].map(({ folder }) => readConfiguration(folder)));
    assertSameResources(ours, theirs);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { write: { type: "boolean" }, quick: { type: "boolean" } } });
  const folder = await mkdtemp(path.join(tmpdir(), "bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  process.once("SIGINT", () => process.exit(130));
  const measured = await bench(folder, values.quick ?? false);
  console.log(measured);
  if (values.write) await writeDocument(measured);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
