#!/usr/bin/env node
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import type { Io, SetExitCode } from "./io";
import { UnusableError } from "../terraform-json/unusable";

const load = createRequire(__filename);

/** What adds each verb. Its code is read where it is asked for, or where all are listed: no verb waits for that of the others. */
const VERBS: Readonly<Record<string, () => (program: Command, io: Io, setExitCode: SetExitCode) => void>> = {
  export: () => (load("./export") as typeof import("./export")).addExport,
  plan: () => (load("./plan") as typeof import("./plan")).addPlan,
  status: () => (load("./status") as typeof import("./status")).addStatus,
  tokens: () => (load("./tokens") as typeof import("./tokens")).addTokens,
  verify: () => (load("./verify") as typeof import("./verify")).addVerify,
};

/**
 * Runs the `kubernetes-pki` command.
 *
 * @param argv arguments after the command's name
 * @returns the exit code: what the command made of it, 0 for most; 1 when one line on stderr says what was wrong
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  try {
    await commands(argv[0], io, (code) => (exitCode = code)).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return 0;
    }
    const line = oneLine(error);
    if (line) {
      io.stderr.write(`kubernetes-pki: ${line.replace(/\s*\n\s*/g, " ")}\n`);
    }
    return 1;
  }
}

function commands(verb: string | undefined, io: Io, setExitCode: SetExitCode): Command {
  const program = new Command("kubernetes-pki")
    .description("A Kubernetes cluster's identity, as cdktf-kubernetes-pki keeps it in Terraform states.")
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined, // Bad usage is told in `run`, in one line like every other error.
    });
  const asked = verb !== undefined && Object.hasOwn(VERBS, verb) ? [VERBS[verb]!] : Object.values(VERBS);
  asked.forEach((add) => add()(program, io, setExitCode));
  return program;
}

function version(): string {
  const { version } = load("cdktf-kubernetes-pki/package.json") as { version: string };
  return version;
}

/** Nothing where help was shown instead. */
function oneLine(error: unknown): string | undefined {
  if (error instanceof UnusableError) {
    return error.message;
  }
  if (error instanceof CommanderError) {
    const text = error.message.replace(/^error: /, "");
    return error.code === "commander.help" ? undefined : `${text}; see kubernetes-pki --help`;
  }
  // The message of an error nobody foresaw may quote what it choked on, and that may be a key: it is not shown.
  const { name, stack } = error as Error;
  return `internal error, please report it: ${name} ${/\n\s*(at .*)/.exec(stack ?? "")?.[1] ?? ""}`;
}

if (require.main === module) {
  // A reader that had enough (`| head -1`) is no reason for a stack trace.
  process.stdout.on("error", () => process.exit(1));
  const { stdin, stdout, stderr, env } = process;
  void run(process.argv.slice(2), { stdin, stdout, stderr, cwd: process.cwd(), env }).then((code) => {
    process.exitCode = code;
  });
}
