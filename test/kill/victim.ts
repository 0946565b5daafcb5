import { ChildProcess, spawn } from "node:child_process";
import type { CommandLine } from "../sandbox/tied";

/** How a program ended that could be killed. */
export interface VictimEnded {
  /** Undefined where it was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program in a process group of its own, which can be killed with all that it started. It should be tied to this process. */
export class Victim {
  public readonly ended: Promise<VictimEnded>;
  /** Told of each line that it prints to stdout. */
  public onLine?: (line: string) => void;
  private readonly child: ChildProcess;
  private stdout = "";
  private stderr = "";
  private unread = "";

  public constructor(command: CommandLine, options: { cwd?: string; env: NodeJS.ProcessEnv }) {
    const child = spawn(...command, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.read(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      // Its pipes are closed when nobody holds them any more, plugins included.
      child.once("close", (code) => {
        resolve({ code: code ?? undefined, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** SIGKILL, to the whole group. */
  public kill(): void {
    try {
      process.kill(-this.child.pid!, "SIGKILL");
    } catch {
      // It is over already.
    }
  }

  private read(text: string): void {
    this.stdout += text;
    const lines = (this.unread + text).split("\n");
    this.unread = lines.pop()!;
    lines.forEach((line) => this.onLine?.(line));
  }
}
