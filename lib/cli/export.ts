import { resolve } from "node:path";
import type { Command } from "commander";
import { filesOfHolder, RequestedHolder } from "../export/published-files";
import { MACHINE_RECORDS, OPERATOR_RECORDS } from "../export/record";
import { tarOf } from "../export/tar";
import { Done, writeFiles } from "../export/write-files";
import { ANY_WORKER, OPERATOR } from "../kubernetes/cluster-file";
import { readStates } from "../terraform-json/sources";
import { UnusableError } from "../terraform-json/unusable";
import type { Io } from "./io";
import { collect } from "./options";

interface Options {
  readonly machine?: readonly string[];
  readonly worker?: true;
  readonly operator?: true;
  readonly root?: string;
  readonly tar?: true;
  readonly prune?: true;
  readonly prefix?: readonly string[];
}

/** Nobody but the operator looks into the operator's folders. */
const OPERATOR_FOLDER_MODE = 0o700;

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin, which is read only then. Files of several states are merged: those of the
PKI stack and of the access stack, say.

Files get exactly the mode that is listed, new folders 0755 (--operator: 0700)
less the umask. Run as root, owners are set as well. A file that is right already
is not touched. The list that is printed names files and never shows a value.
Owners are looked up in etc/passwd and etc/group below --root, where they are.

--root itself may be a link. Below it none is followed: one on the way to a file
is an error, one in a file's own place is replaced. Where a machine keeps such a
folder on another disk, mount it there (mount --bind) instead of a link.

What was written is noted below --root, names only: in var/lib/kubernetes-pki,
for --operator in .kubernetes-pki. A file that was written once and is in the map
no more is listed as obsolete; --prune deletes it, if it is still a file. What is
another cluster's, stack's or holder's stays, though it is in the same folder.

--tar gives owners by name; tar looks them up where it unpacks. A folder that is
missing there gets tar's own mode (--operator: 0700); nothing is noted or pruned.

Examples:
  kubernetes-pki export --machine cp-1 --root out/cp-1 cdktf.out/stacks/prod-pki
  kubernetes-pki export --worker --root out/worker \\
    cdktf.out/stacks/prod-pki cdktf.out/stacks/prod-access
  terraform show -json | kubernetes-pki export --operator --root ~/prod -
  kubernetes-pki export --machine cp-1 --tar | ssh root@cp-1 tar -x -C /`;

/** Adds the command that writes the files of a machine, of any worker or of the operator. */
export function addExport(program: Command, io: Io): void {
  program
    .command("export")
    .description("Write the files of a machine, of any worker or of the operator into a folder.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--machine <name>", "the files of this machine", collect)
    .option("--worker", "the files of any worker, whether named or not")
    .option("--operator", "the files that belong on no machine")
    .option("--root <dir>", "folder that stands for / of the machine; made when missing")
    .option("--tar", "write a tar archive of the files to stdout, instead")
    .option("--prune", "delete files that were exported here once and are in the map no more")
    .option("--prefix <prefix>", "addressPrefix to export, where a stack has several; may be repeated", collect)
    .addHelpText("after", NOTES)
    .action((sources: string[], options: Options) => exportFiles(sources, options, io));
}

async function exportFiles(sources: readonly string[], options: Options, io: Io): Promise<void> {
  const holder = requestedHolder(options);
  const root = requestedRoot(options, io);
  const states = await readStates(sources.length > 0 ? sources : ["."], io);
  const exported = filesOfHolder(holder, states, options.prefix ?? []);
  const isOperator = holder.name === OPERATOR;
  if (root === undefined) {
    io.stdout.write(tarOf(exported.files, isOperator ? OPERATOR_FOLDER_MODE : undefined));
    return;
  }
  const done = writeFiles({
    ...exported,
    root: resolve(io.cwd, root),
    directoryMode: isOperator ? OPERATOR_FOLDER_MODE : 0o755,
    records: isOperator ? OPERATOR_RECORDS : MACHINE_RECORDS,
    prune: options.prune === true,
  });
  exported.files.forEach(({ mode, owner, path }, index) =>
    io.stdout.write(`${mode} ${owner} ${path} ${done.outcomes[index]}\n`),
  );
  done.obsolete.forEach(({ path, outcome }) => io.stdout.write(`- - ${path} ${outcome}\n`));
  notesOn(done, isOperator).forEach((note) => io.stderr.write(`kubernetes-pki: ${note}\n`));
}

/** The folder to write into; undefined for an archive. */
function requestedRoot({ root, tar, prune }: Options, { stdout }: Io): string | undefined {
  if (!tar) {
    if (root === undefined) {
      throw new UnusableError("choose --root <dir> or --tar; see kubernetes-pki export --help");
    }
    if (!root) {
      throw new UnusableError("--root is empty: name a folder");
    }
    return root;
  }
  if (root !== undefined || prune) {
    const other = root !== undefined ? "--root" : "--prune";
    throw new UnusableError(
      `--tar writes to stdout and knows nothing of what a machine has: leave out --tar or ${other}`,
    );
  }
  if (stdout.isTTY) {
    throw new UnusableError("--tar writes keys to stdout, which is a terminal: give it a pipe or a file (> files.tar)");
  }
  return undefined;
}

/** What a user should know beside the list. */
function notesOn({ obsolete, ownersLeft, leftovers }: Done, isOperator: boolean): string[] {
  const left = obsolete.filter(({ outcome }) => outcome === "obsolete").length;
  const owners = isOperator ? "" : ownersLeft.join(", ");
  return [
    ...(leftovers > 0 ? [`removed ${counted(leftovers, "temporary file")} of a run that did not end`] : []),
    ...(left > 0
      ? [`${counted(left, "file")} written once, in the map no more: --prune deletes what is obsolete`]
      : []),
    ...obsolete.flatMap(({ obstacle }) =>
      obstacle === undefined ? [] : [`kept what --prune may not delete: ${obstacle}`],
    ),
    ...(owners
      ? [
          `owner ${owners} was not set (not run as root, or unknown in etc/passwd or etc/group): set it where the files go`,
        ]
      : []),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
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
