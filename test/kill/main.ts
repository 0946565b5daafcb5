import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { EngineName } from "../campaign/engine";
import { Random } from "../campaign/random";
import { campaign } from "./campaign";
import { ExportOutcome, killExports } from "./killed-export";
import { printed, Row } from "./printed";
import { BackendName, Stand } from "./stand";

// npm run kill -- --points 20 --engine terraform --backend local --seed 1

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      points: { type: "string", default: "20" },
      engine: { type: "string", default: "terraform,tofu" },
      backend: { type: "string", default: "local,http" },
      seed: { type: "string", default: "1" },
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "kill-"));
  const stop = () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const seed = Number(values.seed);
  const rows: Row[] = [];
  let exported: ExportOutcome | undefined;
  try {
    for (const engine of values.engine.split(",") as EngineName[]) {
      for (const backend of values.backend.split(",") as BackendName[]) {
        const stand = await Stand.create(path.join(folder, `${engine}-${backend}`), engine, backend);
        try {
          await stand.undisturbed();
          const outcomes = await campaign(stand, backend, {
            points: Number(values.points),
            random: new Random(seed),
            seen: ({ step, moment, left, saved, unsaved, faults }) => {
              const when = `${moment.kind} ${moment.at}`;
              console.error(
                `${engine} ${backend} ${step} ${when}: ${left}, saved ${saved}, unsaved ${unsaved} ${faults.join("; ")}`,
              );
            },
          });
          rows.push({ engine, backend, outcomes });
          if (rows.length === 1) {
            exported = await killExports(stand, path.join(folder, "export"), Number(values.points), new Random(seed));
          }
        } finally {
          await stand.stop();
        }
      }
    }
    console.log(printed(rows));
    console.log("exports:", exported);
    const isGood =
      exported?.faults.length === 0 &&
      rows.every(({ outcomes }) => outcomes.every(({ faults }) => faults.length === 0));
    process.exitCode = isGood && rows.every(({ outcomes }) => outcomes.length >= Number(values.points)) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
