import { ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TYPESCRIPT } from "./command";
import { tied } from "./tied";

/** What is inherited by everything that a run starts. */
const MARK = "SANDBOX_RUN";

/** How a process ended: with an exit code or by a signal. */
export type End = number | NodeJS.Signals;

/** A process of Node in a folder of its own, and what can be seen from outside of it and of all that it starts. */
export class Run {
  /** `npm run sandbox` */
  public static sandbox(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
    return new Run(cwd, [...TYPESCRIPT, path.join(__dirname, "main.ts"), ...args], env);
  }

  /** Everything that it printed until now. */
  public printed = "";
  public readonly ended: Promise<End>;
  private readonly mark = `${MARK}=${randomUUID()}`;
  private readonly child: ChildProcess;

  public constructor(
    public readonly cwd: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ) {
    mkdirSync(cwd, { recursive: true });
    const marked = { ...process.env, ...env, [MARK]: this.mark.slice(MARK.length + 1) };
    this.child = spawn(...tied(process.execPath, args), { cwd, env: marked });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on("data", (text: Buffer) => (this.printed += text.toString()));
    }
    this.ended = new Promise((resolve) => this.child.once("close", (code, signal) => resolve(code ?? signal!)));
  }

  /** Waits until something is true. @throws Error with all that was printed if it ends before */
  public async until(what: string, isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended before ${what}:\n${this.printed}`);
      }
      await sleep(20);
    }
  }

  /** Waits until it has printed a text. */
  public prints(text: string): Promise<void> {
    return this.until(`it printed ${text}`, () => this.printed.includes(text));
  }

  /** Waits until it has started a program whose name, or command line, begins so. */
  public runs(program: string): Promise<void> {
    const names = (line: string) => [line, path.basename(line.split(" ", 1)[0]!)];
    const isIt = ({ line }: Process) => names(line).some((name) => name.startsWith(program));
    return this.until(`${program} ran`, () => this.find().some(isIt));
  }

  public signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The command lines of its processes: those that have its mark in their environment, or its folder in an argument. */
  public processes(): string[] {
    return this.find().map(({ pid, line }) => `${pid} ${line}`);
  }

  /** Waits until none of its processes is there. @returns those that are after ten seconds */
  public async left(): Promise<string[]> {
    for (const end = Date.now() + 10_000; ; await sleep(20)) {
      const processes = this.processes();
      if (processes.length === 0 || Date.now() > end) {
        return processes;
      }
    }
  }

  private find(): Process[] {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const all = pids.map((pid) => ({ pid, line: textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trimEnd() }));
    // One that is over and not buried yet has no command line.
    return all.filter(({ pid, line }) => line !== "" && (this.isMarked(pid) || line.includes(`${this.cwd}/`)));
  }

  private isMarked(pid: string): boolean {
    return textOf(`/proc/${pid}/environ`).split("\0").includes(this.mark);
  }
}

interface Process {
  readonly pid: string;
  readonly line: string;
}

/** Nothing where the process has ended, or is another user's. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
