import { resolve } from "node:path";
import type { Command } from "commander";
import { authoritiesIn, certificatesInFiles } from "../status/certificates-in-files";
import { certificatesInStates } from "../status/certificates-in-states";
import type { CertificateSource } from "../status/source";
import { ExpiresIn, exitCodeOf, parseExpiresIn, statusOf, withoutChecks } from "../status/status";
import { statusText } from "../status/text";
import { plain, printableJson } from "../terraform-json/escape";
import { readStates } from "../terraform-json/sources";
import { UnusableError } from "../terraform-json/unusable";
import type { Io, SetExitCode } from "./io";
import { collect, formatOption } from "./options";

interface Options {
  readonly root?: string;
  readonly expiresIn?: string;
  readonly authority?: readonly string[];
  readonly lenient?: boolean;
  readonly format: "text" | "wide" | "json";
}

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin. --root is a folder that \`kubernetes-pki export\` wrote, or / of a machine.
Certificates are looked for in PEM files and in kubeconfigs. Nothing of a private
key is ever printed. Generations that are retired are left out: nobody trusts
them any more.

What could not be checked stands among the problems, as does what does not fit:
  unreadable      a file or folder that may not be read, a link to nowhere
  broken          a certificate, key or kubeconfig that is damaged or cut off
  empty           nothing where a certificate or its key is expected
  key-mismatch    a key beside a certificate that is not its own
  chain-mismatch  an authority that has the name, but has not signed
  issuer-missing  an authority that is not there, or is retired
  unsigned        a certificate that is signed elsewhere, and not back yet
An authority that is itself trusted needs none above it; a client's certificate
none beside it, unless another generation of it is there. What is signed by one
that is kept elsewhere on purpose has it with --authority. --lenient notes all of
these problems on stderr instead, and counts none of them.

EXTERNALLY MANAGED means that the key of the authority is not there: what it has
signed cannot be renewed from here.

--expires-in takes the time that is left (30d, 720h, 1h30m), or the part of the
lifetime that has passed, as step certificate needs-renewal does (66%).

-o json is --format json, as kubeadm has it: its fields, and more. -o wide shows
usages and alternative names as well, as openssl x509 and cfssl certinfo do.

Exit codes:
  0  all certificates are valid, and all could be checked
  2  one is expiring, as --expires-in says
  3  one has expired, or is not valid yet
  4  something could not be checked, or does not fit; 3 comes before it, 2 after
  1  an error: no certificates, or no folder or state that can be read

Examples:
  kubernetes-pki status cdktf.out/stacks/prod-pki --expires-in 30d
  sudo kubernetes-pki status --root / --expires-in 66%
  sudo kubernetes-pki status --root /etc/kubernetes -o wide
  terraform show -json | kubernetes-pki status - -o json`;

/** Adds the command that tells how long certificates still last. */
export function addStatus(program: Command, io: Io, setExitCode: SetExitCode): void {
  program
    .command("status")
    .description("Tell how long the certificates of states, or of a machine, still last.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--root <dir>", "look at the files below this folder, instead of a state")
    .option("--expires-in <limit>", "call certificates expiring that reach it: 30d, 720h, 66%")
    .addOption(formatOption("text", "wide", "json"))
    .option("--authority <file>", "PEM of authorities that are elsewhere; may be repeated", collect)
    .option("--lenient", "only note on stderr what could not be checked, or does not fit")
    .addHelpText("after", NOTES)
    .action(async (sources: string[], options: Options) => {
      setExitCode(await showStatus(sources, options, io));
    });
}

async function showStatus(sources: readonly string[], options: Options, io: Io): Promise<number> {
  const expiresIn = limitOf(options.expiresIn);
  const source = await sourceOf(sources, options.root, io);
  const elsewhere = (options.authority ?? []).flatMap((file) => authoritiesIn(file, resolve(io.cwd, file)));
  const all = statusOf({ ...source, elsewhere }, io.now?.() ?? new Date(), expiresIn);
  const { status, notes } = options.lenient ? withoutChecks(all) : { status: all, notes: [] };
  [...source.notes, ...notes].forEach((note) => io.stderr.write(`kubernetes-pki: ${plain(note)}\n`));
  if (source.found.length === 0 && status.problems.length === 0) {
    const where = options.root ?? (sources.join(", ") || "the current folder");
    throw new UnusableError(`no certificates in ${where}: name another folder or stack`);
  }
  const isJson = options.format === "json";
  io.stdout.write(isJson ? printableJson(status) : statusText(status, options.format === "wide"));
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
