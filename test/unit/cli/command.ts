import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../../lib/cli/main";
import { jsonTexts } from "../../support/json-texts";

/** Stands in every value that is secret here, and may stand in nothing that is printed. */
export const SECRET = "S3CRET";
export const CA_CERT = "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n";
export const CA_KEY = `-----BEGIN PRIVATE KEY-----\n${SECRET}-ca\n-----END PRIVATE KEY-----\n`;
export const PASSWORD = `${SECRET}-password`;

/** A folder of its own for every test, gone afterwards. */
export let folder: string;
let printed = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubernetes-pki-"));
  printed = "";
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  expect(printed).not.toContain(SECRET);
});

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where a command runs. */
interface Place {
  readonly stdin?: string | readonly Buffer[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
  /** Takes what goes to stdout, where that is no text. */
  readonly stdout?: (output: string | Uint8Array) => void;
}

/** Runs the command in this process, in the test's folder. */
export async function kubernetesPki(
  argv: readonly string[],
  { stdin = "", cwd = folder, env = {}, now, stdout }: Place = {},
): Promise<Result> {
  let out = "";
  let err = "";
  const code = await run(argv, {
    stdin: Readable.from(typeof stdin === "string" ? [Buffer.from(stdin)] : stdin, { objectMode: false }),
    stdout: { write: stdout ?? ((text: string) => (out += text)) },
    stderr: { write: (text: string) => (err += text) },
    cwd,
    env: { ...cleanEnvironment(), ...env },
    now,
  });
  printed += out + err;
  return { code, out, err };
}

/** Exports the machine cp-1 of a state on stdin. */
export function exportState(state: unknown, ...more: string[]): Promise<Result> {
  return kubernetesPki(["export", "--machine", "cp-1", "--root", "root", "-", ...more], {
    stdin: JSON.stringify(state),
  });
}

/** Expects a failure that is told in one line, and told without a value of the state. */
export function expectOneLine(result: Result, text: string | RegExp): void {
  expect(result).toMatchObject({ code: 1, out: "" });
  expect(result.err).toMatch(/^kubernetes-pki: [^\n]+\n$/);
  expect(result.err).toMatch(text);
  expect(result.err).not.toContain(SECRET);
}

/** One file of a map. */
export function file(content: unknown, mode = "0644", owner = "root:root"): object {
  return { mode, owner, content };
}

export const CA_KEY_REFERENCE = { ref: "tls_private_key.pki__ca.private_key_pem" };
export const CA_CERT_REFERENCE = { ref: "tls_self_signed_cert.pki__ca.cert_pem" };

/** What `terraform show -json` prints for a PKI stack with these files. */
export function pkiState(files: object, prefix = "pki"): Record<string, unknown> {
  return {
    format_version: "1.0",
    terraform_version: "1.11.4",
    values: {
      outputs: { [`${prefix}_files`]: { sensitive: false, value: jsonTexts(files), type: ["object", {}] } },
      root_module: {
        resources: [
          {
            address: "tls_private_key.pki__ca",
            mode: "managed",
            values: { private_key_pem: CA_KEY },
            sensitive_values: {},
          },
          {
            address: "tls_self_signed_cert.pki__ca",
            mode: "managed",
            values: { cert_pem: CA_CERT },
            sensitive_values: {},
          },
        ],
      },
    },
  };
}

/** Two files of the machine cp-1. */
export const CP_1 = {
  "/etc/kubernetes/pki/ca.crt": file(CA_CERT_REFERENCE),
  "/etc/kubernetes/pki/ca.key": file(CA_KEY_REFERENCE, "0600"),
};

/** Writes a file below the test's folder. */
export function put(path: string, content: unknown): string {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, typeof content === "string" ? content : JSON.stringify(content));
  return target;
}

/** A stack's folder as `cdktf synth` leaves it, whose state is `<name>.tfstate` in the test's folder. */
export function putStack(name: string, configuration: object): string {
  const backend = { local: { path: `../../../${name}.tfstate` } };
  return dirname(put(`cdktf.out/stacks/${name}/cdk.tf.json`, { terraform: { backend }, ...configuration }));
}

/** A resource of Terraform itself: no provider is needed, and its `output` is the value it was given. */
export function data(name: string, input: object): object {
  return { terraform_data: { [name]: { input } } };
}

export function terraform(cwd: string, ...args: string[]): void {
  execFileSync(process.env["TERRAFORM_BINARY_NAME"] || "terraform", args, {
    cwd,
    env: cleanEnvironment(),
    stdio: "pipe",
  });
}

/** A developer's own settings of terraform are none of the test's. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "TF_CLI_CONFIG_FILE"));
}

/** Every file below a folder, hidden ones too, but for the records of what was exported. */
export function filesBelow(path: string): string[] {
  return allBelow(path).filter((file) => !isRecord(file));
}

/** The records of what was exported, as paths below a folder. */
export function recordsBelow(path: string): string[] {
  return allBelow(path).filter(isRecord);
}

function isRecord(file: string): boolean {
  return /\/(var\/lib\/|\.)kubernetes-pki\/[^.][^/]*\.json$/.test(file);
}

function allBelow(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name).slice(path.length)] : []))
    .sort();
}

/** Runs a part of a test as a user who may not do everything, the test's folder being that user's. */
export async function unprivileged<T>(action: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) {
    return action();
  }
  const nobody = 65534;
  chownSync(folder, nobody, nobody);
  process.seteuid?.(nobody);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}
