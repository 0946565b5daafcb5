import { resolve } from "node:path";
import type { Command } from "commander";
import { certificatesInFiles } from "../status/certificates-in-files";
import { certificatesInStates } from "../status/certificates-in-states";
import { CertificateSource, ExpiresIn, exitCodeOf, parseExpiresIn, statusOf, statusText } from "../status/status";
import { readStates } from "../terraform-json/sources";
import { UnusableError } from "../terraform-json/unusable";
import type { Io, SetExitCode } from "./io";
import { formatOption } from "./options";

interface Options {
  readonly root?: string;
  readonly expiresIn?: string;
  readonly format: "text" | "json";
}

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin. --root is a folder that \`kubernetes-pki export\` wrote, or / of a machine.
Certificates are looked for in PEM files and in kubeconfigs. What cannot be read
is noted on stderr. Nothing of a private key is ever printed. Generations that
are retired are left out: nobody trusts them any more.

EXTERNALLY MANAGED means that the key of the authority is not there: what it has
signed cannot be renewed from here.

--expires-in takes the time that is left (30d, 720h, 1h30m), or the part of the
lifetime that has passed, as step certificate needs-renewal does (66%).

-o json is --format json, as kubeadm has it: its fields, too.

Exit codes:
  0  all certificates are valid
  2  one is expiring, as --expires-in says
  3  one has expired, or is not valid yet
  1  an error: no certificates, or nothing that can be read

Examples:
  kubernetes-pki status cdktf.out/stacks/prod-pki --expires-in 30d
  sudo kubernetes-pki status --root / --expires-in 66%
  terraform show -json | kubernetes-pki status - -o json`;

/** Adds the command that tells how long certificates still last. */
export function addStatus(program: Command, io: Io, setExitCode: SetExitCode): void {
  program
    .command("status")
    .description("Tell how long the certificates of states, or of a machine, still last.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--root <dir>", "look at the files below this folder, instead of a state")
    .option("--expires-in <limit>", "call certificates expiring that reach it: 30d, 720h, 66%")
    .addOption(formatOption("text", "json"))
    .addHelpText("after", NOTES)
    .action(async (sources: string[], options: Options) => {
      setExitCode(await showStatus(sources, options, io));
    });
}

async function showStatus(sources: readonly string[], options: Options, io: Io): Promise<number> {
  const expiresIn = limitOf(options.expiresIn);
  const { found, keys, notes } = await sourceOf(sources, options.root, io);
  notes.forEach((note) => io.stderr.write(`kubernetes-pki: ${note}\n`));
  if (found.length === 0) {
    const where = options.root ?? (sources.join(", ") || "the current folder");
    throw new UnusableError(`no certificates in ${where}: name another folder or stack`);
  }
  const status = statusOf(found, keys, io.now?.() ?? new Date(), expiresIn);
  io.stdout.write(options.format === "json" ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
  return exitCodeOf(status);
}

function limitOf(text: string | undefined): ExpiresIn | undefined {
  const limit = text === undefined ? undefined : parseExpiresIn(text);
  if (text !== undefined && !limit) {
    throw new UnusableError(`--expires-in ${JSON.stringify(text)} is neither a time (30d, 720h) nor 0% to 100%`);
  }
  return limit;
}

async function sourceOf(sources: readonly string[], root: string | undefined, io: Io): Promise<CertificateSource> {
  if (root === undefined) {
    return certificatesInStates(await readStates(sources.length > 0 ? sources : ["."], io));
  }
  if (sources.length > 0) {
    throw new UnusableError("choose STATE or --root, not both");
  }
  if (!root) {
    throw new UnusableError("--root is empty: name a folder");
  }
  return certificatesInFiles(resolve(io.cwd, root));
}
