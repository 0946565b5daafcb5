import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { run } from "../sandbox/command";
import { Program, stackFolder } from "./program";
import { alternate } from "./statistics";

const ROUNDS = 9;
const STATE = "terraform.tfstate";

/** What one `terraform apply` from nothing took and left. */
export interface Apply {
  readonly seconds: number;
  readonly resources: number;
  readonly stateBytes: number;
}

/** A stack that was synthesized into a folder. */
export interface Applied {
  readonly program: Program;
  readonly folder: string;
}

export interface ApplyResult extends Applied {
  readonly applies: readonly Apply[];
}

/** Applies each stack from an empty state, several times. */
export async function measureApply(
  stacks: readonly Applied[],
  terraform: string,
  env: NodeJS.ProcessEnv,
  quick: boolean,
  progress: (line: string) => void,
): Promise<ApplyResult[]> {
  for (const { folder } of stacks) {
    await run(terraform, ["init", "-input=false", "-no-color"], { cwd: stackFolder(folder), env });
  }
  const rounds = quick ? 1 : ROUNDS;
  progress(`terraform apply of ${stacks.length} stacks, ${rounds} times each`);
  const results = await alternate(stacks, rounds, ({ folder }) => apply(stackFolder(folder), terraform, env));
  return stacks.map((stack, index) => ({ ...stack, applies: results[index] }));
}

async function apply(cwd: string, terraform: string, env: NodeJS.ProcessEnv): Promise<Apply> {
  const start = performance.now();
  await run(terraform, ["apply", "-auto-approve", "-input=false", "-no-color"], { cwd, env });
  const seconds = (performance.now() - start) / 1000;
  const state = await readFile(path.join(cwd, STATE));
  await rm(path.join(cwd, STATE));
  const { resources } = JSON.parse(state.toString()) as { resources: unknown[] };
  return { seconds, resources: resources.length, stateBytes: state.length };
}
