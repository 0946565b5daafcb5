import { basename, resolve } from "node:path";
import { Command, Option } from "commander";
import {
  ExpiresIn,
  exitCodeOf,
  NamedCertificate,
  parseExpiresIn,
  readPem,
  statusOf,
  statusText,
} from "../status/status";
import { certificateFiles } from "../status/certificate-files";
import { CliError, Io, Outcome } from "./io";
import { readStates } from "./source";
import { fields, State } from "../terraform-json/state";

interface Options {
  readonly root?: string;
  readonly expiresIn?: string;
  readonly output: "text" | "json";
}

/** What certificates are read from. */
interface Source {
  readonly found: readonly NamedCertificate[];
  readonly keys: ReadonlySet<string>;
  readonly notes: readonly string[];
}

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin. --root is a folder that \`kubernetes-pki export\` wrote, or / of a machine.
Certificates are looked for in PEM files and in kubeconfigs. What cannot be read
is told on stderr. Nothing of a private key is ever printed. Generations that are
retired are left out: nobody trusts them any more.

EXTERNALLY MANAGED means that the key of the authority is not there: what it has
signed cannot be renewed from here.

--expires-in takes the time that is left (30d, 720h, 1h30m), or the part of the
lifetime that has passed, as step certificate needs-renewal does (66%).

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
export function addStatus(program: Command, io: Io, outcome: Outcome): void {
  program
    .command("status")
    .description("Tell how long the certificates of states, or of a machine, still last.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--root <dir>", "look at the files below this folder, instead of a state")
    .option("--expires-in <limit>", "call certificates expiring that reach it: 30d, 720h, 66%")
    .addOption(new Option("-o, --output <format>", "text or json").choices(["text", "json"]).default("text"))
    .addHelpText("after", NOTES)
    .action(async (sources: string[], options: Options) => {
      outcome.exitCode = await showStatus(sources, options, io);
    });
}

async function showStatus(sources: readonly string[], options: Options, io: Io): Promise<number> {
  const expiresIn = limitOf(options.expiresIn);
  const { found, keys, notes } = await sourceOf(sources, options.root, io);
  notes.forEach((note) => io.stderr.write(`kubernetes-pki: ${note}\n`));
  if (found.length === 0) {
    const where = options.root ?? (sources.join(", ") || "the current folder");
    throw new CliError(`no certificates in ${where}: name another folder or stack`);
  }
  const status = statusOf(found, keys, io.now?.() ?? new Date(), expiresIn);
  io.stdout.write(options.output === "json" ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
  return exitCodeOf(status);
}

function limitOf(text: string | undefined): ExpiresIn | undefined {
  const limit = text === undefined ? undefined : parseExpiresIn(text);
  if (text !== undefined && !limit) {
    throw new CliError(`--expires-in ${JSON.stringify(text)} is neither a time (30d, 720h) nor 0% to 100%`);
  }
  return limit;
}

async function sourceOf(sources: readonly string[], root: string | undefined, io: Io): Promise<Source> {
  if (root === undefined) {
    return inStates(await readStates(sources.length > 0 ? sources : ["."], io));
  }
  if (sources.length > 0) {
    throw new CliError("choose STATE or --root, not both");
  }
  if (!root) {
    throw new CliError("--root is empty: name a folder");
  }
  return certificateFiles(resolve(io.cwd, root));
}

/** Attributes that hold a certificate, and those that hold a private key: of the tls provider, and of authorities from outside. */
const CERTIFICATES = ["cert_pem", "output.certificate_pem"];
const KEYS = ["private_key_pem", "output.private_key_pem"];

interface InState {
  readonly origin: string;
  readonly address: string;
}

function inStates(states: readonly State[]): Source {
  const addresses = states.flatMap((state) => {
    const retired = retiredIn(state);
    const inUse = state.addresses.filter((address) => !retired.has(address.slice(address.indexOf(".") + 1)));
    return inUse.map((address) => ({ state, address }));
  });
  const read = addresses.map(({ state, address }) => {
    const texts = (attributes: readonly string[]) =>
      attributes.map((attribute) => state.value({ address, attribute }) ?? "").join("\n");
    return { origin: state.origin, address, pem: readPem(texts(CERTIFICATES)), keys: readPem(texts(KEYS)).keys };
  });
  const withCertificate = read.filter(({ pem }) => pem.certificates.length > 0);
  const names = namesOf(withCertificate);
  return {
    found: withCertificate.flatMap(({ pem }, at) =>
      pem.certificates.map((certificate, index) => {
        return { name: index === 0 ? names[at]! : `${names[at]}#${index + 1}`, certificate };
      }),
    ),
    keys: new Set(read.flatMap(({ keys }) => keys)),
    notes: read
      .filter(({ pem }) => pem.broken > 0)
      .map(({ origin, address }) => `${address} of ${origin} holds a certificate that cannot be read`),
  };
}

/**
 * Terraform names of generations that are retired: they stand in no file and nobody trusts them, so that one which has ended is no news.
 * The output `<prefix>_inventory` says so.
 */
function retiredIn({ outputs }: State): Set<string> {
  const names = [...outputs].flatMap(([output, value]) => {
    const prefix = /^([a-z][a-z0-9-]*)_inventory$/.exec(output)?.[1];
    return [...fields(prefix && fields(value).get("authorities"))].flatMap(([authority, generations]) =>
      [...fields(generations)]
        .filter(([, generation]) => fields(generation).get("state") === "retired")
        .map(([id]) => `${prefix}__ca__${authority}__${id}`),
    );
  });
  return new Set(names);
}

/** `cp-1/apiserver`, `kubernetes/g1`; with its prefix and its state, where there are several; or else the address. */
function namesOf(entries: readonly InState[]): string[] {
  const parts = entries.map(({ origin, address }) => ({ origin: basename(origin), ...partsOf(address) }));
  const isSeveral = (values: readonly (string | undefined)[]) => new Set(values.filter(Boolean)).size > 1;
  const severalOrigins = isSeveral(entries.map(({ origin }) => origin));
  const severalPrefixes = isSeveral(parts.map(({ prefix }) => prefix));
  const names = parts.map(({ origin, prefix, name }) =>
    [severalOrigins && origin, severalPrefixes && prefix, name].filter(Boolean).join("/"),
  );
  const count = new Map<string, number>();
  names.forEach((name) => count.set(name, (count.get(name) ?? 0) + 1));
  return names.map((name, at) => (count.get(name) === 1 ? name : `${entries[at]!.origin} ${entries[at]!.address}`));
}

/** Takes apart what `<prefix>__<machine>__<certificate>` and `<prefix>__ca__<authority>__<generation>` are made of. */
function partsOf(address: string): { readonly prefix?: string; readonly name: string } {
  const parts = /^[a-z_]+\.([\w-]+)$/.exec(address)?.[1]?.split("__");
  if (!parts || parts.length === 1) {
    return { name: parts?.[0] ?? address };
  }
  const prefix = parts.length > 2 ? parts.shift() : undefined;
  if (parts.length > 2 && parts[0] === "ca") {
    parts.shift();
  }
  // A part has no "_" but what stands for its dots.
  return { prefix, name: parts.map((part) => part.replaceAll("_", ".")).join("/") };
}
