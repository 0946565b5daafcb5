import { Readable } from "node:stream";
import { run } from "../../lib/cli/main";
import type { CommandOptions, Ended } from "./command";

/** Runs `kubernetes-pki` in this process. */
export async function kubernetesPki(
  argv: readonly string[],
  { cwd = ".", env, input }: CommandOptions,
): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const code = await run(argv, {
    stdin: Readable.from(input === undefined ? [] : [Buffer.from(input)]),
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    cwd,
    env: env ?? process.env,
  });
  return { code, stdout, stderr };
}
