import { resolve } from "node:path";
import type { Command } from "commander";
import { ANY_WORKER, OPERATOR } from "../kubernetes/holders";
import { CliError, Io } from "./io";
import { publishedFiles, Recipient } from "../export/published-files";
import { readStates } from "./source";
import { ownersLeft, writeFiles } from "../export/write-files";

interface Options {
  readonly machine?: readonly string[];
  readonly worker?: true;
  readonly operator?: true;
  readonly root: string;
  readonly prefix?: readonly string[];
}

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin, which is read only then. Files of several states are merged: those of the
PKI stack and of the access stack, say.

Files get exactly the mode that is listed, new folders 0755 (--operator: 0700)
less the umask. Run as root, owners are set as well. A file that is right already
is not touched. The list that is printed names files and never shows a value.

Examples:
  kubernetes-pki export --machine cp-1 --root out/cp-1 cdktf.out/stacks/prod-pki
  kubernetes-pki export --worker --root out/worker \\
    cdktf.out/stacks/prod-pki cdktf.out/stacks/prod-access
  terraform show -json | kubernetes-pki export --operator --root ~/prod -`;

/** Adds the command that writes the files of a machine, of any worker or of the operator. */
export function addExport(program: Command, io: Io): void {
  program
    .command("export")
    .description("Write the files of a machine, of any worker or of the operator into a folder.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--machine <name>", "the files of this machine", collect)
    .option("--worker", "the files of any worker, whether named or not")
    .option("--operator", "the files that belong on no machine")
    .requiredOption("--root <dir>", "folder that stands for / of the machine; made when missing")
    .option("--prefix <prefix>", "addressPrefix to export, where a stack has several; may be repeated", collect)
    .addHelpText("after", NOTES)
    .action((sources: string[], options: Options) => exportFiles(sources, options, io));
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

async function exportFiles(sources: readonly string[], options: Options, io: Io): Promise<void> {
  const recipient = recipientOf(options);
  if (!options.root) {
    throw new CliError("--root is empty: name a folder");
  }
  const states = await readStates(sources.length > 0 ? sources : ["."], io);
  const files = publishedFiles(recipient, states, options.prefix ?? []);
  const isOperator = recipient.holder === OPERATOR;
  const outcomes = writeFiles(resolve(io.cwd, options.root), files, isOperator ? 0o700 : 0o755);
  files.forEach(({ mode, owner, path }, index) => io.stdout.write(`${mode} ${owner} ${path} ${outcomes[index]}\n`));
  const owners = ownersLeft(files).join(", ");
  if (owners && !isOperator) {
    const why = "not run as root, or unknown on this machine";
    io.stderr.write(`kubernetes-pki: owner ${owners} was not set (${why}): set it where the files go\n`);
  }
}

function recipientOf({ machine = [], worker, operator }: Options): Recipient {
  const chosen: Recipient[] = [
    ...machine.map((holder) => ({ holder, isMachine: true })),
    ...(worker ? [{ holder: ANY_WORKER, isMachine: false }] : []),
    ...(operator ? [{ holder: OPERATOR, isMachine: false }] : []),
  ];
  if (chosen.length !== 1) {
    throw new CliError(
      "choose exactly one of --machine <name>, --worker and --operator; see kubernetes-pki export --help",
    );
  }
  return chosen[0]!;
}
