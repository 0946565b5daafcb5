import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { run } from "../sandbox/command";
import { Program, stackFolder } from "./program";
import { alternate } from "./statistics";

/** How often a stack is applied; a large one, which takes long, less often. */
const ROUNDS = { small: 9, large: 3 };
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
  const results: ApplyResult[] = [];
  for (const [size, isOfSize] of [
    ["small", ({ workers }: Program) => workers === 0],
    ["large", ({ workers }: Program) => workers > 0],
  ] as const) {
    const some = stacks.filter(({ program }) => isOfSize(program));
    const rounds = quick ? 1 : ROUNDS[size];
    progress(`terraform apply of ${some.length} ${size} stacks, ${rounds} times each`);
    const applies = await alternate(some, rounds, ({ folder }) => apply(stackFolder(folder), terraform, env));
    results.push(...some.map((stack, index) => ({ ...stack, applies: applies[index] })));
  }
  return results;
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
