import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { type Changes, Readers } from "../export/changes";
import { firstStartGuard, isRestricted, rotationFolder, rotationGuard } from "../export/first-start";
import { type Exported, type ExportedFile, filesOfHolder, RequestedHolder } from "../export/published-files";
import { MACHINE_RECORDS, OPERATOR_RECORDS } from "../export/record";
import { tarOf } from "../export/tar";
import { Done, writeFiles } from "../export/write-files";
import { ANY_WORKER, OPERATOR, REQUESTS } from "../kubernetes/cluster-file";
import { INVENTORY_FILE } from "../inventory-schema";
import { parseInventory } from "../terraform-json/inventory";
import { readStates } from "../terraform-json/sources";
import { reason, UnusableError } from "../terraform-json/unusable";
import type { Io } from "./io";
import { collect } from "./options";

interface Options {
  readonly machine?: readonly string[];
  readonly worker?: true;
  readonly operator?: true;
  readonly requests?: true;
  readonly root?: string;
  readonly tar?: true;
  readonly prune?: true;
  readonly prefix?: readonly string[];
  readonly changes?: "json";
  readonly changesFile?: string;
  readonly inventory?: readonly string[];
  readonly firstStart?: true;
  readonly rotateCa?: true;
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

--changes json prints, instead of the list, what became of each file, who reads
it, and which components have to be restarted, after removing what they would use
rather than it, or reload by themselves. Who reads
a file is in pki-inventory.json beside a stack's cdk.tf.json: for a STATE that is
no folder, --inventory names it. --changes-file writes it to a file: with --tar,
where every file counts as written, it has to. What a killed run wrote is told by
the next one with --changes.

--requests is for an authority that signs elsewhere: into a folder for each, for
each certificate <name>.csr, and <name>.ext with its uses, for openssl x509 -req
-copy_extensions copy -extfile. Who needs a certificate that is not back yet gets
no files at all, and the error names it.

K3s and RKE2 read their authorities before the first start alone, and do not
start with files that changed later. Such a file is written where no other one
stands, and where nothing says that the server was started; --first-start says
that it never was. --tar leaves these files out unless --first-start is given.
After the first start: --rotate-ca writes, into an empty --root or --tar, the
folder that k3s (rke2) certificate rotate-ca --path takes.

Examples:
  kubernetes-pki export --machine cp-1 --root out/cp-1 cdktf.out/stacks/prod-pki
  kubernetes-pki export --worker --root out/worker \\
    cdktf.out/stacks/prod-pki cdktf.out/stacks/prod-access
  terraform show -json | kubernetes-pki export --operator --root ~/prod -
  kubernetes-pki export --machine cp-1 --tar | ssh root@cp-1 tar -x -C /
  kubernetes-pki export --machine cp-1 --root / --changes json \\
    cdktf.out/stacks/prod-pki
  kubernetes-pki export --machine cp-1 --rotate-ca --root out/rotate-ca \\
    cdktf.out/stacks/prod-pki`;

/** Adds the command that writes the files of a machine, of any worker or of the operator. */
export function addExport(program: Command, io: Io): void {
  program
    .command("export")
    .description("Write the files of a machine, of any worker or of the operator, or requests, into a folder.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--machine <name>", "the files of this machine", collect)
    .option("--worker", "the files of any worker, whether named or not")
    .option("--operator", "the files that belong on no machine")
    .option(
      "--requests",
      "the requests for certificates that are signed elsewhere: <name>.csr, and <name>.ext for openssl",
    )
    .option("--root <dir>", "folder that stands for / of the machine; made when missing")
    .option("--tar", "write a tar archive of the files to stdout, instead")
    .option("--prune", "delete files that were exported here once and are in the map no more")
    .option("--prefix <prefix>", "addressPrefix to export, where a stack has several; may be repeated", collect)
    .addOption(
      new Option("--changes <format>", "tell what changed and which components have to notice").choices(["json"]),
    )
    .option("--changes-file <file>", "write --changes there instead of to stdout")
    .option("--inventory <file>", "who reads the files, for --changes; may be repeated", collect)
    .option("--first-start", "the machine's K3s or RKE2 was never started: replace what only a first start reads")
    .option("--rotate-ca", "the folder for K3s' or RKE2's certificate rotate-ca --path, instead of all files")
    .addHelpText("after", NOTES)
    .action((sources: string[], options: Options) => exportFiles(sources, options, io));
}

async function exportFiles(sources: readonly string[], options: Options, io: Io): Promise<void> {
  const holder = requestedHolder(options);
  const root = requestedRoot(options, io);
  checkCombinations(options);
  const named = sources.length > 0 ? sources : ["."];
  const all = filesOfHolder(holder, await readStates(named, io), options.prefix ?? []);
  const exported = options.rotateCa ? rotationFolder(all, holder.name) : all;
  if (options.firstStart && !exported.files.some(isRestricted)) {
    throw new UnusableError(`no file of ${holder.name} is for a first start alone: leave out --first-start`);
  }
  const readers = options.changes && new Readers(holder.name, exported.files, inventoriesOf(named, options, io));
  if (root === undefined) {
    exportTar(exported, holder, readers, options, io);
  } else {
    exportFolder(exported, holder, readers, options, { ...io, root: resolve(io.cwd, root) });
  }
}

function exportTar(
  { files }: Exported,
  { name }: RequestedHolder,
  readers: Readers | undefined,
  options: Options,
  io: Io,
): void {
  const leftOut = options.firstStart || options.rotateCa ? [] : files.filter(isRestricted);
  const kept = files.filter((file) => !leftOut.some((other) => other === file));
  if (leftOut.length > 0) {
    io.stderr.write(`kubernetes-pki: ${leftOutNote(leftOut)}\n`);
  }
  if (readers) {
    tellChanges(readers.archived(kept, leftOut), options, io);
  }
  const isOwn = !isOfMachine(name) || options.rotateCa;
  io.stdout.write(tarOf(kept, isOwn ? OPERATOR_FOLDER_MODE : undefined));
}

/** False for what stands on no machine. */
function isOfMachine(holder: string): boolean {
  return holder !== OPERATOR && holder !== REQUESTS;
}

function leftOutNote(files: readonly ExportedFile[]): string {
  const { command } = files[0]!.firstStartOnly!;
  return (
    `left out ${counted(files.length, "file")} that a first start alone reads (${files[0]!.path}, …): ` +
    `give --first-start before that, or --rotate-ca for ${command}`
  );
}

function exportFolder(
  exported: Exported,
  { name }: RequestedHolder,
  readers: Readers | undefined,
  options: Options,
  io: Io & { readonly root: string },
): void {
  const { files } = exported;
  const isElsewhere = !isOfMachine(name);
  const isOwn = isElsewhere || options.rotateCa === true;
  writeFiles({
    ...exported,
    root: io.root,
    directoryMode: isOwn ? OPERATOR_FOLDER_MODE : 0o755,
    records: isOwn ? OPERATOR_RECORDS : MACHINE_RECORDS,
    prune: options.prune === true,
    guard: options.rotateCa ? rotationGuard : firstStartGuard(options.firstStart === true),
    tell: (done) => {
      if (readers) {
        tellChanges(readers.changes(files, done), options, io);
      }
      if (!readers || options.changesFile !== undefined) {
        io.stdout.write(listOf(files, done));
      }
      notesOn(done, isElsewhere).forEach((note) => io.stderr.write(`kubernetes-pki: ${note}\n`));
    },
    tellsEarlier: readers !== undefined,
  });
}

function listOf(files: readonly ExportedFile[], { outcomes, obsolete }: Done): string {
  const lines = [
    ...files.map(({ mode, owner, path }, index) => `${mode} ${owner} ${path} ${outcomes[index]}`),
    ...obsolete.map(({ path, outcome }) => `- - ${path} ${outcome}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function tellChanges(changes: Changes, { changesFile }: Options, io: Io): void {
  const text = `${JSON.stringify(changes, undefined, 2)}\n`;
  if (changesFile === undefined) {
    io.stdout.write(text);
  } else {
    attempt(`write ${changesFile}`, () => writeFileSync(resolve(io.cwd, changesFile), text));
  }
}

/** Those that are named, and those that lie beside what was deployed. */
function inventoriesOf(sources: readonly string[], { inventory = [] }: Options, { cwd }: Io) {
  const beside = sources
    .filter((source) => source !== "-")
    .map((source) => join(source, INVENTORY_FILE))
    .filter((file) => existsSync(resolve(cwd, file)));
  return [...inventory, ...beside].map((file) =>
    parseInventory(
      attempt(`read ${file}`, () => readFileSync(resolve(cwd, file), "utf8")),
      file,
    ),
  );
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UnusableError(`cannot ${what}: ${reason(error)}`);
  }
}

/** Options that would have no effect, or two. */
function checkCombinations(options: Options): void {
  const { changes, changesFile, inventory, tar, firstStart, rotateCa } = options;
  if (!changes && (changesFile !== undefined || inventory)) {
    const other = inventory ? "--inventory" : "--changes-file";
    throw new UnusableError(`${other} is for --changes json: give that, or leave out ${other}`);
  }
  if (changesFile === "") {
    throw new UnusableError("--changes-file is empty: name a file");
  }
  if (changes && tar && changesFile === undefined) {
    throw new UnusableError("--tar writes to stdout: give --changes a file with --changes-file");
  }
  if (firstStart && rotateCa) {
    throw new UnusableError(
      "--rotate-ca is for a server that was started, --first-start for one that never was: leave out one of them",
    );
  }
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
function notesOn({ obsolete, ownersLeft, leftovers }: Done, isElsewhere: boolean): string[] {
  const left = obsolete.filter(({ outcome }) => outcome === "obsolete").length;
  const owners = isElsewhere ? "" : ownersLeft.join(", ");
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

function requestedHolder({ machine = [], worker, operator, requests }: Options): RequestedHolder {
  const chosen: RequestedHolder[] = [
    ...machine.map((name) => ({ name, isMachine: true })),
    ...(worker ? [{ name: ANY_WORKER, isMachine: false }] : []),
    ...(operator ? [{ name: OPERATOR, isMachine: false }] : []),
    ...(requests ? [{ name: REQUESTS, isMachine: false }] : []),
  ];
  if (chosen.length !== 1) {
    throw new UnusableError(
      "choose exactly one of --machine <name>, --worker, --operator and --requests; see kubernetes-pki export --help",
    );
  }
  return chosen[0]!;
}
