import { existsSync, FSWatcher, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineName } from "../campaign/engine";
import { attempt, Ended } from "../sandbox/command";
import { tiedTree } from "../sandbox/tied";
import { findTools, providerEnvironment } from "../sandbox/tools";
import { Pins, STACK, Step, STEPS, synthesize } from "./rotation";
import { StateServer } from "./state-server";
import { faultsOf, Held, heldIn } from "./states";
import { Victim } from "./victim";

export type BackendName = "local" | "http";

/** When an apply is killed. */
export interface Moment {
  /** After so many milliseconds, after so many resources are said to be complete, or when the state is written for the n-th time. */
  readonly kind: "time" | "line" | "write";
  readonly at: number;
  /** Milliseconds more. */
  readonly delay: number;
}

/** What an apply that nobody kills does. */
interface Undisturbed {
  readonly before: string;
  readonly after: string;
  readonly touched: ReadonlySet<string>;
  readonly milliseconds: number;
  /** How many resources it says to be complete. */
  readonly lines: number;
}

/** What became of an apply that was killed, and of the state that it left. */
export interface Outcome {
  readonly step: Step;
  readonly moment: Moment;
  /** False where it came to its end before. */
  readonly wasKilled: boolean;
  /** The state that it left: `cut short` is one that Terraform refuses to read. */
  readonly left: "whole" | "empty" | "cut short";
  /** Objects that it had made and saved. */
  readonly saved: number;
  /** Objects that it said to have made, and that no state has. */
  readonly unsaved: number;
  /** Its lock was still there. */
  readonly wasLocked: boolean;
  /** The next apply stopped at a fingerprint of the code, with what it said. */
  readonly refusal: string | undefined;
  /** A backup was put back. */
  readonly wasRestored: boolean;
  /** Where the state was lost: whether Terraform's own backup had all of it, until the next apply. */
  readonly ownBackup: boolean | undefined;
  readonly faults: readonly string[];
}

const COMPLETE = /^(\S+?)(?: \(deposed object \w+\))?: (Creation|Destruction) complete/;
const PAGE = readFileSync(path.join(__dirname, "../../docs/rotation.md"), "utf8");
const APPLY = ["apply", "-auto-approve", "-no-color", "-input=false"];
/** Restored, unlocked, restored again: more than this is no recovery. */
const ATTEMPTS = 6;

/** A cluster's PKI in one kind of backend, whose rotation one engine applies. */
export class Stand {
  public static async create(folder: string, engine: EngineName, backend: BackendName): Promise<Stand> {
    const env = { ...process.env, TERRAFORM_BINARY_NAME: engine };
    const { terraform } = await findTools(["terraform"], { env });
    const providers = await providerEnvironment({ terraform, env });
    mkdirSync(folder, { recursive: true });
    const server = backend === "http" ? await StateServer.start() : undefined;
    return new Stand(folder, terraform, server, {
      ...env,
      ...providers.env,
      TERRAFORM_BINARY_NAME: terraform,
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      // Remote states are saved every 20 seconds by default, which is longer than an apply lasts here. OpenTofu takes no less.
      ...(engine === "terraform" ? { TF_STATE_PERSIST_INTERVAL: "1" } : {}),
    });
  }

  private pins: Pins = {};
  private readonly courses = new Map<Step, Undisturbed>();

  private constructor(
    private readonly folder: string,
    private readonly program: string,
    private readonly server: StateServer | undefined,
    public readonly env: NodeJS.ProcessEnv,
  ) {}

  public async stop(): Promise<void> {
    await this.server?.stop();
  }

  /** The folder of the synthesized stack. */
  public get stack(): string {
    return path.join(this.folder, "cdktf.out", "stacks", STACK);
  }

  /** The state file of a local backend. */
  public get stateFile(): string {
    return path.join(this.folder, `${STACK}.tfstate`);
  }

  /** The whole rotation, when nobody kills anything; the fingerprints are written into the code after each step that makes keys. */
  public async undisturbed(): Promise<void> {
    this.synthesize("first");
    await this.must("init", "-no-color", "-input=false");
    await this.must(...APPLY);
    await this.pin();
    for (const step of STEPS) {
      this.synthesize(step);
      const before = this.state;
      const touched = await this.planned();
      const start = Date.now();
      const printed = await this.must(...APPLY);
      const milliseconds = Date.now() - start;
      const lines = printed.split("\n").filter((line) => COMPLETE.test(line)).length;
      this.courses.set(step, { before, after: this.state, touched, milliseconds, lines });
      await this.pin();
    }
  }

  /** The same as another stand: its states, and what it saw happen to them. */
  public async like(other: Stand): Promise<void> {
    other.courses.forEach((course, step) => this.courses.set(step, course));
    this.pins = other.pins;
    this.reset(this.course("introduce").before);
    this.synthesize("first");
    await this.must("init", "-no-color", "-input=false");
  }

  /** Writes the code of a step. Where it makes keys, their fingerprints are not in the code yet. */
  public synthesize(step: Step, pins = this.pins): void {
    const known =
      step === "introduce" ? Object.entries(pins).filter(([title]) => title.endsWith("g1")) : Object.entries(pins);
    synthesize(this.folder, step, { pins: Object.fromEntries(known), http: this.server?.address });
  }

  /** The same with all fingerprints that there are. */
  public synthesizePinned(step: Step): void {
    synthesize(this.folder, step, { pins: this.pins, http: this.server?.address });
  }

  /** What a step does when nobody kills it. */
  public course(step: Step): Undisturbed {
    return this.courses.get(step)!;
  }

  /** The state as it is saved. */
  public get state(): string {
    if (this.server) {
      return this.server.versions.at(-1) ?? "";
    }
    return existsSync(this.stateFile) ? readFileSync(this.stateFile, "utf8") : "";
  }

  /** Puts a state in its place as if nothing had ever happened to it. */
  public reset(state: string): void {
    if (this.server) {
      this.server.reset(state);
    } else {
      for (const suffix of [".backup", ".lock.info"]) {
        rmSync(`${this.stateFile}${suffix}`, { force: true });
      }
      writeFileSync(this.stateFile, state);
    }
  }

  /** Puts a backup back, by the script of docs/rotation.md. */
  public async restore(backup: string): Promise<void> {
    if (heldIn(this.state) === undefined && this.state !== "") {
      // Half of a state is none that Terraform would replace.
      rmSync(this.stateFile);
    }
    const file = path.join(this.folder, "backup.tfstate");
    writeFileSync(file, backup);
    const { code, stdout, stderr } = await this.script("restore.sh", this.stack, file);
    if (code !== 0) {
      throw new Error(`restore.sh: ${stdout}${stderr}`);
    }
  }

  /** Runs a script of docs/rotation.md as it stands there. */
  public script(name: string, ...args: string[]): Promise<Ended> {
    const [, text] = new RegExp(`\`\`\`sh\n# ${name} ([^]*?)\`\`\``).exec(PAGE)!;
    return attempt("bash", ["-c", `# ${text}`, name, ...args], { cwd: this.folder, env: this.env });
  }

  public run(...args: string[]): Promise<Ended> {
    return attempt(this.program, args, { cwd: this.stack, env: this.env });
  }

  public apply(): Promise<Ended> {
    return this.run(...APPLY);
  }

  public async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) {
      throw new Error(`${args.join(" ")}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
    }
    return stdout;
  }

  /** Kills the apply of a step at a moment, and goes on as a user would. */
  public async point(step: Step, moment: Moment): Promise<Outcome> {
    const { before, after, touched } = this.course(step);
    const held = heldIn(before)!;
    this.reset(before);
    this.synthesize(step);
    const { code, stdout } = await this.killed(moment);
    const state = this.state;
    const left = heldIn(state);
    const own = left ? undefined : this.hasOwnBackup(held);
    const made = new Set(madeIn(held, left ?? []));
    const said = stdout
      .split("\n")
      .flatMap((line) => (COMPLETE.exec(line)?.[2] === "Creation" ? [COMPLETE.exec(line)![1]!] : []));
    const recovered = await this.recover(before);
    const all = [...(left ? [left] : []), ...recovered.versions];
    const versions = this.server ? this.server.versions.slice(1).map((text) => heldIn(text)!) : all;
    const course = { before: held, touched, undisturbed: heldIn(after)!, versions };
    const restoredAt = recovered.wasRestored ? versions.length - 1 : 0;
    return {
      step,
      moment,
      wasKilled: code === undefined,
      left: left ? "whole" : state.trim() === "" ? "empty" : "cut short",
      saved: made.size,
      unsaved: said.filter((address) => !made.has(address)).length,
      wasLocked: recovered.wasLocked,
      refusal: recovered.refusal,
      wasRestored: recovered.wasRestored,
      ownBackup: own,
      faults: [...recovered.faults, ...faultsOf({ ...course, restoredAt })],
    };
  }

  private async killed({ kind, at, delay }: Moment) {
    const victim = new Victim(tiedTree(this.program, APPLY), { cwd: this.stack, env: this.env });
    let seen = 0;
    let timer: NodeJS.Timeout | undefined;
    const count = () => {
      seen += 1;
      if (seen === at) {
        if (delay === 0) {
          victim.kill();
        } else {
          timer = setTimeout(() => victim.kill(), delay);
        }
      }
    };
    let watcher: FSWatcher | undefined;
    if (kind === "time") {
      timer = setTimeout(() => victim.kill(), at + delay);
    } else if (kind === "line") {
      victim.onLine = (line) => {
        if (COMPLETE.test(line)) {
          count();
        }
      };
    } else if (this.server) {
      this.server.onWrite = count;
    } else {
      watcher = watch(this.stateFile, count);
    }
    const ended = await victim.ended;
    clearTimeout(timer);
    watcher?.close();
    if (this.server) {
      // A body that was complete when its sender was killed is still on its way.
      await sleep(20);
      this.server.onWrite = undefined;
    }
    return ended;
  }

  /** Applies until it is done: unlocks what nobody holds any more, and puts the backup back where the apply says that it has to be. */
  private async recover(backup: string) {
    const versions: Held[][] = [];
    const faults: string[] = [];
    let wasLocked = false;
    let wasRestored = false;
    let refusal: string | undefined;
    for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
      const { code, stdout, stderr } = await this.apply();
      const state = heldIn(this.state);
      if (code === 0) {
        versions.push(state ?? []);
        const second = await this.run("plan", "-detailed-exitcode", "-no-color", "-input=false");
        faults.push(
          ...(second.code === 0 ? [] : [`a second plan ends with ${second.code}: ${second.stdout.slice(-300)}`]),
        );
        return { versions, faults, wasLocked, wasRestored, refusal };
      }
      const text = stderr.replace(/[│╷╵]/g, " ").replace(/\s+/g, " ");
      const lock = /ID: ([0-9a-f-]{36})/.exec(text)?.[1];
      if (/state lock/.test(text) && lock !== undefined) {
        wasLocked = true;
        await this.must("force-unlock", "-force", lock);
      } else if (!wasRestored && (/\[fingerprint\]/.test(text) || /state/i.test(text))) {
        refusal ??= text;
        wasRestored = true;
        await this.restore(backup);
      } else {
        faults.push(`the next apply fails: ${text.slice(0, 500)}${stdout.slice(-200)}`);
        return { versions, faults, wasLocked, wasRestored, refusal };
      }
    }
    return { versions, faults: [...faults, "it does not come to an end"], wasLocked, wasRestored, refusal };
  }

  /** Whether the file that Terraform writes beside a local state has all that was there before. */
  private hasOwnBackup(before: readonly Held[]): boolean {
    const file = `${this.stateFile}.backup`;
    const found = existsSync(file) ? (heldIn(readFileSync(file, "utf8")) ?? []) : [];
    const ids = new Set(found.map(({ address, id }) => `${address} ${id}`));
    return before.every(({ address, id }) => ids.has(`${address} ${id}`));
  }

  private async planned(): Promise<Set<string>> {
    await this.must("plan", "-no-color", "-input=false", "-out=plan");
    const { resource_changes: changes = [] } = JSON.parse(await this.must("show", "-json", "plan")) as {
      resource_changes?: readonly {
        readonly address: string;
        readonly change: { readonly actions: readonly string[] };
      }[];
    };
    return new Set(changes.filter(({ change }) => change.actions.includes("delete")).map(({ address }) => address));
  }

  private async pin(): Promise<void> {
    const { sample_fingerprints: output } = JSON.parse(await this.must("output", "-json")) as {
      sample_fingerprints: { readonly value: Pins };
    };
    this.pins = { ...this.pins, ...output.value };
  }
}

/** Addresses of what is new in a state. */
function madeIn(before: readonly Held[], after: readonly Held[]): string[] {
  const known = new Set(before.map(({ address, id }) => `${address} ${id}`));
  return after.filter(({ address, id }) => !known.has(`${address} ${id}`)).map(({ address }) => address);
}
