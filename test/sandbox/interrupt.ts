import { ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freePorts } from "./ports";
import { Run } from "./run";
import { tied } from "./tied";

/** Those that end the sandbox: Ctrl-C, a service manager, and one that nobody can answer. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL"] as const;

/**
 * `npm run sandbox:interrupt`: starts the sandbox again and again beside busy loops, each time interrupted at another moment of the start, and
 * looks for what it left.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      moments: { type: "string", default: "50" },
      load: { type: "string", default: "4" },
      "at-once": { type: "string", default: "2" },
    },
  });
  const count = Number(values.moments);
  const loops = Array.from({ length: Number(values.load) }, busyLoop);
  const folder = mkdtempSync(path.join(tmpdir(), "sandbox-interrupt-"));
  try {
    const length = await lengthOfStart(path.join(folder, "whole"));
    console.log(`a whole start: ${length.toFixed(1)} s beside ${loops.length} busy loops`);
    const moments = Array.from({ length: count }, (_, index) => ((index + 0.5) / count) * length);
    const left: string[] = [];
    const worker = async () => {
      for (let at = moments.shift(); at !== undefined; at = moments.shift()) {
        const number = count - moments.length;
        left.push(...(await interrupted(path.join(folder, String(number)), at, SIGNALS[number % SIGNALS.length]!)));
      }
    };
    await Promise.all(Array.from({ length: Number(values["at-once"]) }, worker));
    console.log(`${count} starts interrupted, ${left.length} processes left`);
    return left.length === 0 ? 0 : 1;
  } finally {
    loops.forEach((loop) => loop.kill("SIGKILL"));
    rmSync(folder, { recursive: true, force: true });
  }
}

function busyLoop(): ChildProcess {
  return spawn(...tied(process.execPath, ["--eval", "for (;;);"]), { stdio: "ignore" });
}

async function start(folder: string): Promise<Run> {
  const [port] = await freePorts(1);
  return Run.sandbox(folder, ["--port", String(port)]);
}

/** In seconds. */
async function lengthOfStart(folder: string): Promise<number> {
  const started = Date.now();
  const run = await start(folder);
  await run.prints("until Ctrl-C");
  run.signal("SIGINT");
  await run.ended;
  return (Date.now() - started) / 1000;
}

/** Interrupts a start after some seconds and prints one line about it. @returns what is left */
async function interrupted(folder: string, seconds: number, signal: NodeJS.Signals): Promise<string[]> {
  const run = await start(folder);
  await sleep(seconds * 1000);
  const { lastLine } = run;
  const before = run.processes().length;
  run.signal(signal);
  const end = await run.ended;
  const ended = Date.now();
  const left = await run.left();
  const gone = left.length === 0 ? `none left after ${Date.now() - ended} ms` : `LEFT:\n  ${left.join("\n  ")}`;
  console.log(
    `${seconds.toFixed(1).padStart(5)} s  ${signal.padEnd(7)} → ${end}; ${before} processes, ${gone}; ${lastLine}`,
  );
  return left;
}

void main().then((code) => (process.exitCode = code));
