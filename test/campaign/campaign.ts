import path from "node:path";
import { Writable } from "node:stream";
import { run } from "../../lib/cli/main";
import type { EngineName, PlanDocument } from "./engine";
import type { Random } from "./random";
import { Edited, findings, Found, Report, unclaimed } from "./judged";

/** A number of plans of one kind of code. */
export interface Front {
  readonly name: string;
  /** How many of all edits are its own, beside those of others. */
  readonly share: number;
  /** Makes the state that edits begin with. */
  readonly prepare: (setting: Setting) => Rounds;
}

/** What is asked for. */
export interface Setting {
  readonly engine: EngineName;
  readonly seed: number;
  /** At least, of this front. */
  readonly edits: number;
  /**
   * Only edits of this kind.
   * @default - all
   */
  readonly only?: string;
  /** A folder that can be deleted afterwards. */
  readonly folder: string;
}

/** One plan with many edits. */
export interface Round {
  readonly edits: readonly Edited[];
  readonly planFile: string;
  readonly planCode: number;
  readonly document: PlanDocument;
  readonly inventories: readonly string[];
}

/** Plans, one after the other. */
export type Rounds = AsyncGenerator<Round>;

/** What was found in all. */
export interface Outcome {
  readonly front: string;
  readonly plans: number;
  readonly found: readonly Found[];
  /** What of the rule that everything is claimed once is broken. */
  readonly broken: readonly string[];
  readonly seconds: number;
}

/** Plans all edits of a front and compares what is reported. */
export async function campaign(front: Front, setting: Setting): Promise<Outcome> {
  const start = Date.now();
  const found: Found[] = [];
  const broken: string[] = [];
  let plans = 0;
  const seed = setting.seed + seedOf(`${setting.engine} ${front.name}`);
  const rounds = front.prepare({ ...setting, seed, folder: path.join(setting.folder, front.name) });
  for await (const round of rounds) {
    const { code, report, hasTables } = await reportOf(round);
    plans += 1;
    found.push(...findings(report, round.edits, { hasVerbs: round.planCode !== 1, hasTables }));
    if (round.edits.length === 0 && round.planCode !== 0) {
      const changes = round.document.resource_changes?.filter(({ change }) => change.actions.join() !== "no-op");
      const first = JSON.stringify(changes?.[0] ?? round.document.output_changes)?.slice(0, 600);
      throw new Error(`${front.name}: the base is not quiet: ${first}`);
    }
    broken.push(...(round.planCode === 1 ? [] : unclaimed(report, round.document, round.planCode, code)));
    if (code !== { nothing: 0, changes: 2, danger: 3 }[report.verdict]) {
      broken.push(`verdict ${report.verdict} with exit code ${code}`);
    }
  }
  return { front: front.name, plans, found, broken, seconds: (Date.now() - start) / 1000 };
}

interface Reported {
  readonly code: number;
  readonly report: Report;
  /** False where an edit contradicts the inventory, so that the report knows no table. */
  readonly hasTables: boolean;
}

/** What the command says, as a pipeline reads it. */
async function reportOf({ planFile, inventories }: Pick<Round, "planFile" | "inventories">): Promise<Reported> {
  const printed = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") =>
    new Writable({ write: (chunk, _, done) => done(void (printed[name] += String(chunk))) });
  const io = {
    stdin: process.stdin,
    stdout: into("stdout"),
    stderr: into("stderr"),
    cwd: path.dirname(planFile),
    env: {},
  };
  const files = inventories.flatMap((file) => ["--inventory", file]);
  const code = await run(["plan", planFile, ...files, "--format", "json"], io as never);
  if (inventories.length > 0 && printed.stderr.includes("the inventory is not of this plan")) {
    // What an edit changed after the synth is in no inventory: nothing of such a plan passes. Judged is what is left without one.
    return { ...(await reportOf({ planFile, inventories: [] })), hasTables: false };
  }
  if (printed.stdout === "") {
    throw new Error(`no report of ${planFile}: ${printed.stderr}`);
  }
  return { code, report: JSON.parse(printed.stdout) as Report, hasTables: true };
}

/** Edits in the order in which they are dealt: each kind of danger once, then each again, and every third is harmless. */
export function dealt<E extends { readonly kind: string }>(edits: readonly E[], random: Random): E[] {
  const kinds = new Map<string, E[]>();
  for (const edit of random.shuffled(edits)) {
    kinds.set(edit.kind, [...(kinds.get(edit.kind) ?? []), edit]);
  }
  const { harmless = [], ...dangers } = Object.fromEntries(kinds);
  const passes = Math.max(0, ...Object.values(dangers).map((list) => list.length));
  const inTurn = Array.from({ length: passes }, (_, pass) =>
    Object.values(dangers).flatMap((list) => list[pass] ?? []),
  );
  const twoOfThree = inTurn.flat().flatMap((edit, index) => [edit, ...(index % 2 === 1 ? harmless.splice(0, 1) : [])]);
  return [...twoOfThree, ...harmless];
}

/** A seed of its own for each front and engine: they do not all make the same edits. */
function seedOf(words: string): number {
  return [...words].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
}

/**
 * Deals edits to copies so that each style gets every edit before it gets one again.
 *
 * @param isPossible false where an edit cannot be made of that copy: it is dealt later
 */
export class Deck<E> {
  private rest: E[] = [];

  public constructor(private readonly shuffled: () => E[]) {}

  /** The next edit that can be made; undefined where there is none. */
  public deal<T>(attempt: (edit: E) => T | undefined): T | undefined {
    for (let refills = 0; refills < 2; refills++) {
      for (let index = 0; index < this.rest.length; index++) {
        const made = attempt(this.rest[index]!);
        if (made !== undefined) {
          this.rest.splice(index, 1);
          return made;
        }
      }
      this.rest = [...this.rest, ...this.shuffled()];
    }
    return undefined;
  }
}
