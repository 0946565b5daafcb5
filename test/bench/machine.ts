import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { run } from "../sandbox/command";

/** What was measured on, in one line. It names neither the machine nor its folders. */
export async function describeMachine(terraform: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cores = availableParallelism();
  const memory = Math.round(totalmem() / 2 ** 30);
  const [version] = (await run(terraform, ["version"], { env })).split("\n");
  return [
    `${cpus()[0].model.trim()}, ${cores} cores, ${memory} GiB of memory`,
    `${platform()} ${arch()}`,
    `Node.js ${process.version}`,
    version,
  ].join(", ");
}
