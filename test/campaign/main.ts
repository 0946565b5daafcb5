import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { campaign, Outcome } from "./campaign";
import type { EngineName } from "./engine";
import { FRONTS } from "./fronts";
import { printed } from "./printed";

// npm run campaign -- --edits 1000 --engine terraform --only weak-key

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      edits: { type: "string", default: "1000" },
      engine: { type: "string", default: "terraform,tofu" },
      only: { type: "string" },
      front: { type: "string" },
      seed: { type: "string", default: "20" },
      show: { type: "string", default: "8" },
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "campaign-"));
  const stop = () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const fronts = FRONTS.filter(({ front }) => values.front === undefined || front.name === values.front);
    const total = fronts.reduce((sum, { share }) => sum + share, 0);
    const engines = values.engine.split(",") as EngineName[];
    const outcomes: (Outcome & { readonly engine: EngineName })[] = [];
    for (const engine of engines) {
      const results = fronts.map(async ({ front, share }) => {
        const edits = Math.ceil((Number(values.edits) * share) / total / engines.length);
        const { only } = values;
        const where = { engine, seed: Number(values.seed), edits, folder: path.join(folder, engine) };
        const outcome = await campaign(front, { ...where, ...(only === undefined ? {} : { only }) });
        console.error(`${engine} ${front.name}: ${outcome.found.length} edits in ${outcome.plans} plans, ${Math.round(outcome.seconds)} s`);
        return { engine, ...outcome };
      });
      outcomes.push(...(await Promise.all(results)));
    }
    const { text, isGood } = printed(outcomes, Number(values.show));
    console.log(text);
    process.exitCode = isGood ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
