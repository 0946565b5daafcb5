import { ChildProcess, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tied } from "./tied";

/** What a daemon is started with. */
export interface DaemonOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
}

const LOG_LINES_SHOWN = 15;

/** A server that runs in the background of this process and ends with it at the latest, its output in `<folder>/logs/<name>.log`. */
export class Daemon {
  /** Starts one. */
  public static async start(options: DaemonOptions): Promise<Daemon> {
    const logs = path.join(options.folder, "logs");
    await mkdir(logs, { recursive: true });
    const log = path.join(logs, `${options.name}.log`);
    const output = openSync(log, "a");
    const child = spawn(...tied(options.command, options.args), {
      // A group of its own: Ctrl-C in a terminal reaches us alone, and we end the servers in order.
      detached: true,
      stdio: ["ignore", output, output],
      env: options.env ?? process.env,
    });
    closeSync(output);
    return new Daemon(options.name, log, child);
  }

  private readonly ended: Promise<void>;
  private failure?: string;

  private constructor(
    public readonly name: string,
    public readonly log: string,
    private readonly child: ChildProcess,
  ) {
    this.ended = new Promise((resolve) => {
      const end = (reason: string) => {
        this.failure ??= reason;
        resolve();
      };
      child.once("error", (error) => end(error.message));
      child.once("exit", (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  /**
   * Waits until a probe succeeds.
   *
   * @throws Error with the last lines of the log when the daemon ends, or the time is over
   */
  public async until(what: string, probe: () => Promise<boolean>, seconds = 120): Promise<void> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      if (this.failure === undefined && (await probe())) {
        return;
      }
      if (this.failure !== undefined || Date.now() > end) {
        const reason = this.failure ?? `is not ${what} after ${seconds} s`;
        throw new Error(`${this.name} ${reason}; the end of ${this.log}:\n${await this.tail()}`);
      }
      await sleep(100);
    }
  }

  /** Ends it: politely, then not. */
  public async stop(seconds = 5): Promise<void> {
    this.signal("SIGTERM");
    if (!(await this.endsWithin(seconds * 1000))) {
      this.signal("SIGKILL");
      await this.ended;
    }
  }

  private async tail(): Promise<string> {
    const lines = (await readFile(this.log, "utf8")).trimEnd().split("\n");
    return lines
      .slice(-LOG_LINES_SHOWN)
      .map((line) => `  ${line}`)
      .join("\n");
  }

  private async endsWithin(milliseconds: number): Promise<boolean> {
    const timer = new AbortController();
    const late = sleep(milliseconds, false, { signal: timer.signal }).catch(() => false);
    const inTime = await Promise.race([this.ended.then(() => true), late]);
    timer.abort();
    return inTime;
  }

  private signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.child.pid!, signal);
    } catch {
      // It is gone already.
    }
  }
}
