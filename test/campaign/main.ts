import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { campaign, Outcome } from "./campaign";
import type { EngineName } from "./engine";
import { FRONTS } from "./fronts";
import { printed } from "./printed";

// npm run campaign -- --edits 1000 --engine terraform --only weak-key

/** Plans at once. */
const WORKERS = 2;

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
    const engines = values.engine.split(",") as EngineName[];
    const fronts = FRONTS.filter(({ name }) => values.front === undefined || name.startsWith(values.front));
    const total = engines.length * fronts.reduce((sum, { share }) => sum + share, 0);
    const tasks = engines.flatMap((engine) => fronts.map((front) => ({ engine, front })));
    const outcomes: (Outcome & { readonly engine: EngineName })[] = [];
    const errors: string[] = [];
    const work = async () => {
      for (let task = tasks.shift(); task; task = tasks.shift()) {
        const { engine, front } = task;
        const { only } = values;
        const edits = Math.ceil((Number(values.edits) * front.share) / total);
        const setting = { engine, seed: Number(values.seed), edits, folder: path.join(folder, engine) };
        const outcome = await campaign(front, { ...setting, ...(only === undefined ? {} : { only }) }).catch(
          (error: Error) => void errors.push(`${engine} ${front.name}: ${error.message}`),
        );
        if (!outcome) {
          continue;
        }
        const { found, plans, seconds } = outcome;
        console.error(`${engine} ${front.name}: ${found.length} edits in ${plans} plans, ${Math.round(seconds)} s`);
        outcomes.push({ engine, ...outcome });
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    const { text, isGood } = printed(outcomes, Number(values.show));
    console.log(text);
    errors.forEach((error) => console.error(error));
    process.exitCode = isGood && errors.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
