import { resolve } from "node:path";
import type { Command } from "commander";
import { filesOfHolder, RequestedHolder } from "../export/published-files";
import { ownersLeft, writeFiles } from "../export/write-files";
import { ANY_WORKER, OPERATOR } from "../kubernetes/cluster-file";
import { readStates } from "../terraform-json/sources";
import { UnusableError } from "../terraform-json/unusable";
import type { Io } from "./io";
import { collect } from "./options";

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

async function exportFiles(sources: readonly string[], options: Options, io: Io): Promise<void> {
  const holder = requestedHolder(options);
  if (!options.root) {
    throw new UnusableError("--root is empty: name a folder");
  }
  const states = await readStates(sources.length > 0 ? sources : ["."], io);
  const files = filesOfHolder(holder, states, options.prefix ?? []);
  const isOperator = holder.name === OPERATOR;
  const outcomes = writeFiles(resolve(io.cwd, options.root), files, isOperator ? 0o700 : 0o755);
  files.forEach(({ mode, owner, path }, index) => io.stdout.write(`${mode} ${owner} ${path} ${outcomes[index]}\n`));
  const owners = ownersLeft(files).join(", ");
  if (owners && !isOperator) {
    const why = "not run as root, or unknown on this machine";
    io.stderr.write(`kubernetes-pki: owner ${owners} was not set (${why}): set it where the files go\n`);
  }
}

function requestedHolder({ machine = [], worker, operator }: Options): RequestedHolder {
  const chosen: RequestedHolder[] = [
    ...machine.map((name) => ({ name, isMachine: true })),
    ...(worker ? [{ name: ANY_WORKER, isMachine: false }] : []),
    ...(operator ? [{ name: OPERATOR, isMachine: false }] : []),
  ];
  if (chosen.length !== 1) {
    throw new UnusableError(
      "choose exactly one of --machine <name>, --worker and --operator; see kubernetes-pki export --help",
    );
  }
  return chosen[0]!;
}
