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
    const phases = await phasesOfStart(path.join(folder, "whole"));
    console.log(`a whole start, beside ${loops.length} busy loops:\n${phases.map(nameOf).join("\n")}`);
    const rounds = Math.ceil(count / phases.length);
    const moments = Array.from({ length: count }, (_, index): Interruption => {
      const [phase, round] = [phases[index % phases.length]!, Math.floor(index / phases.length)];
      const seconds = (phase.seconds * (round + 0.5)) / rounds;
      return { ...phase, seconds, signal: SIGNALS[(index + round) % SIGNALS.length]! };
    });
    const left: string[] = [];
    const worker = async () => {
      for (let moment = moments.shift(); moment; moment = moments.shift()) {
        left.push(...(await interrupted(path.join(folder, String(count - moments.length)), moment)));
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

/** A moment of a start: so long after this line of its progress. Of a whole phase, how long it lasts. */
interface Moment {
  readonly line: string;
  readonly seconds: number;
}

interface Interruption extends Moment {
  readonly signal: NodeJS.Signals;
}

function nameOf({ line, seconds }: Moment): string {
  return `${seconds.toFixed(1).padStart(6)} s of ${line}`;
}

/** A phase begins with a line of progress. Starts differ in length on a busy machine, and the short phases matter as much as the long ones. */
async function phasesOfStart(folder: string): Promise<Moment[]> {
  const run = await start(folder);
  await run.prints("until Ctrl-C");
  run.signal("SIGINT");
  await run.ended;
  const lines = [...run.printed.matchAll(/^ *([\d.]+) s {2}([^(\n]+)/gm)].map(([, at, line]) => ({
    at: Number(at),
    line: line!,
  }));
  return lines.map(({ at, line }, index) => ({ line, seconds: (lines[index + 1]?.at ?? at + 10) - at }));
}

/** Interrupts a start and prints one line about it. @returns what is left */
async function interrupted(folder: string, moment: Interruption): Promise<string[]> {
  const run = await start(folder);
  await run.prints(moment.line);
  await sleep(moment.seconds * 1000);
  const before = run.processes().length;
  run.signal(moment.signal);
  const end = await run.ended;
  const ended = Date.now();
  const left = await run.left();
  const gone = left.length === 0 ? `none left after ${Date.now() - ended} ms` : `LEFT:\n  ${left.join("\n  ")}`;
  console.log(`${nameOf(moment)}: ${moment.signal} → ${end}; ${before} processes, ${gone}`);
  return left;
}

void main().then((code) => (process.exitCode = code));
