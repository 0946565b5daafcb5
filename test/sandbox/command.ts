import { execFile } from "node:child_process";
import { tiedTree } from "./tied";

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** How long it may take: then it is killed. @default 600 */
  readonly seconds?: number;
}

/** Runs a command to its end, whatever that is, or to the end of this process. */
export function attempt(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const { input, seconds = 600, ...rest } = options;
  const [program, all] = tiedTree(command, args);
  const limits = { maxBuffer: 256 * 2 ** 20, killSignal: "SIGKILL", timeout: seconds * 1000 } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, all, { ...limits, ...rest }, (error, stdout, stderr) => {
      if (error?.killed && !error.code) {
        reject(new Error(`${[command, ...args].join(" ")} did not end within ${seconds} s:\n${endOf(stdout, stderr)}`));
      } else if (error && typeof error.code !== "number") {
        reject(error);
      } else {
        resolve({ code: Number(error?.code ?? 0), stdout, stderr });
      }
    });
    child.stdin?.end(input);
  });
}

/**
 * Runs a command that must succeed.
 *
 * @returns what it printed
 * @throws Error with the end of what it printed
 */
export async function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, args, options);
  if (code !== 0) {
    throw new Error(`${[command, ...args].join(" ")} ended with exit code ${code}:\n${endOf(stdout, stderr)}`);
  }
  return stdout;
}

function endOf(stdout: string, stderr: string): string {
  return `${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n");
}

/** What Node runs a TypeScript file with, itself: the `tsx` command would stand between as a parent, and answer signals in its own way. */
export const TYPESCRIPT = ["--import", require.resolve("tsx")];
