import { copyFile, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { run } from "../sandbox/command";
import { Fleet, stackId } from "./clusters";
import type { Sample } from "./sample";
import type { Side } from "./sides";

const ROOT = path.resolve(__dirname, "../..");

/** What is synthesized in one process. */
export interface Program extends Fleet {
  readonly side: Side;
}

/** True for the program with the same clusters, written without the library. */
export function isHandWritten({ side, ...size }: Program, library: Program): boolean {
  return side === "hand-written" && size.controlPlanes === library.controlPlanes && size.workers === library.workers;
}

/** What one process took, seen from inside and from outside. */
export interface Run extends Sample {
  readonly processSeconds: number;
}

/** Runs programs as JavaScript, which is how users run the library: no compiler is in what is measured. */
export class Programs {
  /** @param folder of its own */
  public static async compile(folder: string): Promise<Programs> {
    await compile(folder, ["test/bench/sample.ts"]);
    return new Programs(path.join(folder, "test/bench/sample.js"), path.join(folder, "out"));
  }

  private constructor(
    private readonly script: string,
    private readonly scratch: string,
  ) {}

  /** Synthesizes and throws the result away. */
  public async measure(program: Program): Promise<Run> {
    const start = performance.now();
    const sample = await this.synthesize(program, this.scratch);
    const processSeconds = (performance.now() - start) / 1000;
    await rm(this.scratch, { recursive: true });
    return { ...sample, processSeconds };
  }

  /** Synthesizes into a folder. */
  public async synthesize({ side, ...fleet }: Program, folder: string): Promise<Sample> {
    const args = [this.script, side, JSON.stringify(fleet), folder];
    return JSON.parse(await run(process.execPath, args)) as Sample;
  }
}

/**
 * Compiles files of this repository, and what they import, into a folder in which they run.
 *
 * @returns the folder
 */
export async function compile(folder: string, files: readonly string[]): Promise<string> {
  const configuration = {
    extends: path.join(ROOT, "tsconfig.json"),
    compilerOptions: { outDir: folder, rootDir: ROOT, noCheck: true, declaration: false, types: [] },
    files: files.map((file) => path.join(ROOT, file)),
    include: [],
  };
  const project = path.join(folder, "tsconfig.json");
  await writeFile(project, JSON.stringify(configuration));
  await run(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", project]);
  await symlink(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"), "junction");
  // The command finds its version there.
  await copyFile(path.join(ROOT, "package.json"), path.join(folder, "package.json"));
  return folder;
}

/** Where Terraform runs for the first cluster of what was synthesized into a folder. */
export function stackFolder(folder: string): string {
  return path.join(folder, "stacks", stackId("fleet-1"));
}

/** What Terraform reads in there. */
export async function readConfiguration(folder: string): Promise<unknown> {
  return JSON.parse(await readFile(path.join(stackFolder(folder), "cdk.tf.json"), "utf8"));
}
