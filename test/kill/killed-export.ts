import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Changes } from "../../lib/export/changes";
import { TYPESCRIPT } from "../sandbox/command";
import { tied } from "../sandbox/tied";
import type { Random } from "../campaign/random";
import type { Stand } from "./stand";
import { Victim } from "./victim";

const MAIN = path.join(__dirname, "../../lib/cli/main.ts");
const MACHINE = "cp-1";

/** Kills the program before the call with that number by which an export changes something on the disk, or when half of a file is written. */
const PROBE = `
const fs = require("node:fs");
let calls = 0;
for (const name of ["mkdirSync", "openSync", "writeFileSync", "fsyncSync", "fchmodSync", "renameSync", "unlinkSync"]) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (/lib.export/.test(new Error().stack) && (name !== "openSync" || args[1] === "wx")) {
      calls++;
      if (calls === Number(process.env.KILL_AT)) {
        if (name === "writeFileSync") original(args[0], args[1].subarray(0, args[1].length / 2));
        process.kill(process.pid, "SIGKILL");
      }
    }
    return original(...args);
  };
}
process.on("exit", () => fs.writeSync(2, "calls " + calls + "\\n"));
`;

type Tree = Readonly<Record<string, string>>;

/** What exports that were killed left, and what the next one made of it. */
export interface ExportOutcome {
  /** Calls that an export makes which nobody kills. */
  readonly calls: number;
  readonly killed: number;
  /** Files that were of the step before when it was killed, and of the new one. */
  readonly old: number;
  readonly written: number;
  /** Files that the next export told of which the killed one had written. */
  readonly earlier: number;
  readonly faults: readonly string[];
}

/** Delivers a promotion to a machine that has the step before, and kills that at moments; then again, to its end. */
export async function killExports(
  stand: Stand,
  folder: string,
  points: number,
  random: Random,
): Promise<ExportOutcome> {
  const probe = path.join(folder, "probe.cjs");
  mkdirSync(folder, { recursive: true });
  writeFileSync(probe, PROBE);
  const run = async (root: string, state: string, killAt: number) => {
    const argv = ["export", "--machine", MACHINE, "--root", root, "--changes", "json"];
    const inventory = ["--inventory", path.join(folder, `${state}.inventory.json`)];
    const args = ["--require", probe, ...TYPESCRIPT, MAIN, ...argv, ...inventory, path.join(folder, `${state}.json`)];
    // Not in a namespace of its own: its first process is safe from a SIGKILL that it sends itself.
    return new Victim(tied(process.execPath, args), { env: { ...stand.env, KILL_AT: String(killAt) } }).ended;
  };
  for (const [state, step] of Object.entries({ before: "introduce", after: "promote" } as const)) {
    stand.reset(stand.course(step).after);
    stand.synthesize(step);
    writeFileSync(path.join(folder, `${state}.json`), await stand.must("show", "-json"));
    cpSync(path.join(stand.stack, "pki-inventory.json"), path.join(folder, `${state}.inventory.json`));
  }
  const [base, whole] = ["base", "whole"].map((name) => path.join(folder, name)) as [string, string];
  await run(base, "before", 0);
  cpSync(base, whole, { recursive: true });
  const undisturbed = await run(whole, "after", 0);
  const calls = Number(/calls (\d+)/.exec(undisturbed.stderr)![1]);
  const expected = JSON.parse(undisturbed.stdout) as Changes;
  const [before, after] = [treeOf(base), treeOf(whole)];

  const outcome = { calls, killed: 0, old: 0, written: 0, earlier: 0, faults: [] as string[] };
  for (let point = 0; point < points; point += 1) {
    // One in each part of the way.
    const killAt = 1 + Math.floor(((point + random.below(1000) / 1000) * calls) / points);
    const root = path.join(folder, `root-${point}`);
    cpSync(base, root, { recursive: true });
    const killed = await run(root, "after", killAt);
    outcome.killed += Number(killed.code === undefined);
    const left = treeOf(root);
    const fault = (text: string) => outcome.faults.push(`export killed at call ${killAt} of ${calls}: ${text}`);
    for (const [file, content] of Object.entries(left).filter(([name]) => !name.endsWith(".tmp"))) {
      if (content !== before[file] && content !== after[file]) {
        fault(`${file} is neither what it was nor what it will be`);
      }
    }
    const changed = Object.keys(after).filter((file) => after[file] !== before[file]);
    outcome.written += changed.filter((file) => left[file] === after[file]).length;
    outcome.old += changed.filter((file) => left[file] !== after[file]).length;

    const again = await run(root, "after", 0);
    if (again.code !== 0) {
      fault(`the next export ends with ${again.code}: ${again.stderr}`);
      continue;
    }
    if (JSON.stringify(treeOf(root)) !== JSON.stringify(after)) {
      fault("the next export does not come to the same files");
    }
    const told = [killed.stdout, again.stdout].filter((text) => text !== "").map((text) => JSON.parse(text) as Changes);
    const restarts = (changes: readonly Changes[]) =>
      [
        ...new Set(
          changes.flatMap(({ components }) => components.map(({ component, action }) => `${action} ${component}`)),
        ),
      ].sort();
    if (restarts(told).join() !== restarts([expected]).join()) {
      fault(`told of ${restarts(told).join()} instead of ${restarts([expected]).join()}`);
    }
    outcome.earlier += told.at(-1)!.files.filter(({ earlier }) => earlier).length;
    rmSync(root, { recursive: true });
  }
  return outcome;
}

/** Files by their names, without the records of what was exported. */
function treeOf(root: string): Tree {
  const files = (existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }) : [])
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("var/lib/kubernetes-pki/"))
    .sort();
  return Object.fromEntries(
    files.map((file) => {
      const at = path.join(root, file);
      return [file, `${(statSync(at).mode & 0o7777).toString(8)} ${readFileSync(at, "utf8")}`];
    }),
  );
}
