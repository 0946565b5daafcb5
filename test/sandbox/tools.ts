/**
 * Where the sandbox finds the programs it runs: what the machine has is used, the rest is built once from the Go
 * modules in `toolchain/` and cached.
 */
import { execFile, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { tied, tiedTree } from "./tied";

const run = promisify(execFile);

export type ToolName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kubemark"
  | "kubeadm"
  | "kubelet"
  | "kubectl"
  | "fake-runtime"
  | "terraform"
  | "zlint";

/** Told about steps that take long, one line at a time. */
export type Progress = (line: string) => void;

export interface ToolOptions {
  readonly progress?: Progress;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

export interface ProviderEnvironment {
  /** To be merged over the environment of every Terraform command. */
  readonly env: Record<string, string>;
  /** 1.13.4 needs the stacks rewritten: see `kubernetes-provider-1.13.ts`. */
  readonly kubernetesProvider: "2.38.0" | "1.13.4";
}

/**
 * Absolute path of each wanted tool: from the folder that `KUBEBUILDER_ASSETS` names, else from PATH if it is new
 * enough, else built. Terraform: what `TERRAFORM_BINARY_NAME` names, else `terraform` or `tofu` from PATH, else OpenTofu
 * is built.
 */
export async function findTools<T extends ToolName>(
  wanted: readonly T[],
  options: ToolOptions = {},
): Promise<Record<T, string>> {
  const context = contextOf(options);
  const found = new Map<ToolName, string>();
  for (const tool of wanted) {
    const file = await findInstalled(tool, context.env);
    if (file !== undefined) found.set(tool, file);
  }
  const missing = wanted.filter((tool) => !found.has(tool));
  if (missing.length > 0) {
    const built = await build(missing.map(programFor), context);
    for (const tool of missing) found.set(tool, built.get(programFor(tool)) as string);
  }
  return Object.fromEntries(wanted.map((tool) => [tool, found.get(tool)])) as Record<T, string>;
}

const answers = new Map<string, Promise<ProviderEnvironment>>();

/**
 * The Terraform environment in which `terraform init` finds the providers: the caller's own if a registry or a mirror
 * gives them, else one that points at a filesystem mirror of providers built here.
 */
export function providerEnvironment(
  options: ToolOptions & { readonly terraform?: string } = {},
): Promise<ProviderEnvironment> {
  const context = contextOf(options);
  const key = JSON.stringify([options.terraform, context.env]);
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = askTerraformElseBuild(options.terraform, context);
    answers.set(key, answer);
    answer.catch(() => answers.delete(key)); // a failure is not an answer: the next call tries again
  }
  return answer;
}

interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly cache: string;
}

function contextOf({ env = process.env, progress = () => undefined }: ToolOptions): Context {
  const configured = env.XDG_CACHE_HOME ?? "";
  // The XDG specification: a relative path is invalid and to be ignored.
  const base = path.isAbsolute(configured) ? configured : path.join(env.HOME ?? homedir(), ".cache");
  return { env, progress, cache: path.join(base, "cdktf-kubernetes-pki") };
}

// What is installed ---------------------------------------------------------------------------------------------------

interface OldestOnPath {
  readonly args: readonly string[];
  readonly version: readonly [major: number, minor: number];
}

const KUBERNETES_ON_PATH: OldestOnPath = { args: ["--version"], version: [1, 33] };

/** Distributions carry old clients: a tool found on PATH has to say that it is not older than this. */
const ON_PATH: Record<Exclude<ToolName, "terraform" | "fake-runtime">, OldestOnPath> = {
  etcd: { args: ["--version"], version: [3, 5] },
  "kube-apiserver": KUBERNETES_ON_PATH,
  "kube-controller-manager": KUBERNETES_ON_PATH,
  kubelet: KUBERNETES_ON_PATH,
  kubemark: KUBERNETES_ON_PATH,
  kubeadm: { ...KUBERNETES_ON_PATH, args: ["version", "-o", "short"] },
  kubectl: { ...KUBERNETES_ON_PATH, args: ["version", "--client"] },
  zlint: { args: ["-version"], version: [3, 6] },
};

async function findInstalled(tool: ToolName, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (tool === "terraform") return findTerraform(env);
  if (tool === "fake-runtime") return undefined; // nobody installs it: it is ours
  if (env.KUBEBUILDER_ASSETS) {
    const asset = path.resolve(env.KUBEBUILDER_ASSETS, tool);
    if (await isExecutable(asset)) return asset; // whatever its version: it was named on purpose
  }
  const file = await findOnPath(tool, env);
  return file !== undefined && (await isNewEnough(file, ON_PATH[tool], env)) ? file : undefined;
}

async function findTerraform(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = env.TERRAFORM_BINARY_NAME;
  if (!named) return (await findOnPath("terraform", env)) ?? (await findOnPath("tofu", env));
  const file = path.basename(named) === named ? await findOnPath(named, env) : path.resolve(named);
  if (file !== undefined && (await isExecutable(file))) return file;
  if (named === "tofu") return undefined; // asked for and not installed: it can be built
  throw new Error(`TERRAFORM_BINARY_NAME names "${named}", which is not an executable file: unset it or correct it`);
}

async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? "").split(path.delimiter)) {
    if (path.isAbsolute(folder) && (await isExecutable(path.join(folder, name)))) return path.join(folder, name);
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function isNewEnough(file: string, oldest: OldestOnPath, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    const { stdout } = await run(...tied(file, oldest.args), { env, timeout: 10_000 });
    const [, major, minor] = /(\d+)\.(\d+)\.\d/.exec(stdout) ?? [];
    const [oldestMajor, oldestMinor] = oldest.version;
    return Number(major) > oldestMajor || (Number(major) === oldestMajor && Number(minor) >= oldestMinor);
  } catch {
    return false; // it cannot even say its version
  }
}

// What is built -------------------------------------------------------------------------------------------------------

interface GoModule {
  /** Package of each program, by the name under which it is installed. */
  readonly programs: Readonly<Record<string, string>>;
  readonly variables?: (goMod: string) => Record<string, string>;
}

/** By folder under `toolchain/`. The versions stand in its go.mod, and only there. */
const MODULES: Readonly<Record<string, GoModule>> = {
  kubernetes: {
    programs: {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      kubeadm: "k8s.io/kubernetes/cmd/kubeadm",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
      kubelet: "k8s.io/kubernetes/cmd/kubelet",
      kubemark: "k8s.io/kubernetes/cmd/kubemark",
    },
    variables: kubernetesVersion,
  },
  "fake-runtime": { programs: { "fake-runtime": "sandbox/fake-runtime" } },
  etcd: { programs: { etcd: "go.etcd.io/etcd/server/v3" } },
  zlint: {
    programs: { zlint: "github.com/zmap/zlint/v3/cmd/zlint" },
    variables: (goMod) => ({ "main.version": /zlint\/v3 (v\S+)/.exec(goMod)![1]! }),
  },
  opentofu: {
    programs: { tofu: "github.com/opentofu/opentofu/cmd/tofu" },
    // Otherwise it calls itself a pre-release, which no `required_version` matches.
    variables: () => ({ "github.com/opentofu/opentofu/version.dev": "no" }),
  },
  "terraform-provider-tls": { programs: { "terraform-provider-tls": "github.com/hashicorp/terraform-provider-tls" } },
  "terraform-provider-random": {
    programs: { "terraform-provider-random": "github.com/terraform-providers/terraform-provider-random" },
  },
  "terraform-provider-time": {
    programs: { "terraform-provider-time": "github.com/hashicorp/terraform-provider-time" },
  },
  "terraform-provider-kubernetes": {
    programs: { "terraform-provider-kubernetes": "github.com/hashicorp/terraform-provider-kubernetes" },
  },
};

/** Kubernetes learns its version from the linker; without it nodes and clients report v0.0.0. */
function kubernetesVersion(goMod: string): Record<string, string> {
  const [, version, major, minor] = /\sk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(goMod) ?? [];
  if (version === undefined) throw new Error("toolchain/kubernetes/go.mod does not require k8s.io/kubernetes");
  const prefix = "k8s.io/component-base/version";
  return { [`${prefix}.gitVersion`]: version, [`${prefix}.gitMajor`]: major, [`${prefix}.gitMinor`]: minor };
}

function programFor(tool: ToolName): string {
  return tool === "terraform" ? "tofu" : tool;
}

interface Recipe {
  readonly name: string;
  readonly source: string;
  readonly programs: Readonly<Record<string, string>>;
  readonly linkerFlags: string;
  /** Of this recipe and this Go: a changed pin or compiler makes another folder, and never a stale program. */
  readonly cache: string;
}

/** The path of each program, by name; only those that are not in the cache are compiled. */
async function build(names: readonly string[], context: Context): Promise<Map<string, string>> {
  const go = await goVersion(names, context);
  const installed = new Map<string, string>();
  // One module at a time: go itself keeps every core busy.
  for (const [name, { programs }] of Object.entries(MODULES)) {
    const wanted = names.filter((program) => program in programs);
    if (wanted.length === 0) continue;
    const recipe = await recipeOf(name, go, context);
    await install(recipe, wanted, context);
    for (const program of wanted) installed.set(program, path.join(recipe.cache, "bin", program));
  }
  return installed;
}

async function goVersion(needed: readonly string[], { env }: Context): Promise<string> {
  try {
    return (await run("go", ["version"], { env: goEnvironment(env) })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(
      `${needed.join(", ")}: not found, and not to be built without Go: install Go 1.26.6 or later, or provide them ` +
        "(programs on PATH or in the folder that KUBEBUILDER_ASSETS names, providers by a Terraform registry or mirror)",
    );
  }
}

async function recipeOf(name: string, go: string, { cache }: Context): Promise<Recipe> {
  const source = path.join(__dirname, "toolchain", name);
  const goMod = await readFile(path.join(source, "go.mod"), "utf8");
  const goSum = await readFile(path.join(source, "go.sum"), "utf8");
  const { programs, variables = () => ({}) } = MODULES[name];
  const settings = Object.entries(variables(goMod)).map(([variable, value]) => `-X ${variable}=${value}`);
  const linkerFlags = ["-s", "-w", ...settings].join(" ");
  const parts = [goMod, goSum, linkerFlags, go, ...(await ownSource(source))];
  const hash = createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);
  return { name, source, programs, linkerFlags, cache: path.join(cache, "tools", `${name}-${hash}`) };
}

/** Most modules have none: they only say which programs of others to build. */
async function ownSource(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".go")).sort();
  return Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")));
}

async function install(recipe: Recipe, wanted: readonly string[], context: Context): Promise<void> {
  const missing = () =>
    filterAsync(wanted, async (name) => !(await isExecutable(path.join(recipe.cache, "bin", name))));
  if ((await missing()).length === 0) return;
  const waiting = `another process builds ${recipe.name}: waiting for it`;
  await withLock(`${recipe.cache}.lock`, waiting, context, async (scratch) => {
    const still = await missing(); // without those that another process built while this one waited
    if (still.length > 0) await compile(recipe, still, scratch, context);
  });
}

async function filterAsync<T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_, index) => kept[index]);
}

const GO_NAMES: Readonly<Record<string, string>> = { win32: "windows", x64: "amd64", ia32: "386" };
const GO_PLATFORM = {
  os: GO_NAMES[process.platform] ?? process.platform,
  arch: GO_NAMES[process.arch] ?? process.arch,
};

function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...env,
    CGO_ENABLED: "0",
    GOARCH: GO_PLATFORM.arch,
    // Set rather than emptied: an empty variable makes go use what the user saved with `go env -w`.
    GOFLAGS: "-trimpath -buildvcs=false -mod=readonly",
    GOOS: GO_PLATFORM.os,
    GOTOOLCHAIN: "local",
    GOWORK: "off",
  };
}

/** One compiler run for all of them, because they share most packages. Installed by rename: whole or not at all. */
async function compile(recipe: Recipe, names: readonly string[], scratch: string, context: Context): Promise<void> {
  await goBuild(recipe, names, scratch, context);
  const bin = path.join(recipe.cache, "bin");
  await mkdir(bin, { recursive: true });
  for (const name of names) {
    await rename(path.join(scratch, nameGivenByGo(recipe.programs[name])), path.join(bin, name));
  }
}

/** The last part of a package's path that is not a major version. */
function nameGivenByGo(goPackage: string): string {
  return path.posix.basename(goPackage.replace(/\/v\d+$/, ""));
}

async function goBuild(
  recipe: Recipe,
  names: readonly string[],
  output: string,
  { env, progress }: Context,
): Promise<void> {
  const packages = names.map((name) => recipe.programs[name]);
  const title = `building ${names.join(", ")} with Go, this once`;
  const started = Date.now();
  let downloads = 0;
  let compiled = 0;
  const said: string[] = [];
  const report = () => {
    const seconds = Math.round((Date.now() - started) / 1000);
    progress(`${title}: ${downloads} modules downloaded, ${compiled} packages compiled, ${seconds} s`);
  };
  const args = ["build", "-v", "-ldflags", recipe.linkerFlags, "-o", output + path.sep, ...packages];
  const options = { cwd: recipe.source, env: goEnvironment(env) };
  const child = spawn(...tiedTree("go", args), { ...options, stdio: ["ignore", "ignore", "pipe"] });
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.startsWith("go: downloading ")) downloads++;
    else if (/^[\w.~/-]+$/.test(line)) compiled++;
    else said.push(line);
  });
  progress(title);
  const timer = setInterval(report, 10_000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`go build ${packages.join(" ")} failed:\n${said.slice(-20).join("\n")}`);
    report();
  } finally {
    clearInterval(timer);
  }
}

const LOCK_TOUCHED_EVERY = 2_000;
const LOCK_ABANDONED_AFTER = 20_000;

/**
 * One process at a time, because two builds of the same module would share the cores to do the same work. It guards
 * time, not correctness (programs are installed by rename), so a folder will do: `mkdir` is atomic, its owner touches it
 * as long as it lives, and an untouched one is removed. The folder is also the owner's scratch space, which no lock
 * library offers: what a killed build leaves goes away with its lock.
 */
async function withLock(
  lock: string,
  waiting: string,
  { progress }: Context,
  work: (scratch: string) => Promise<void>,
): Promise<void> {
  await mkdir(path.dirname(lock), { recursive: true });
  for (let attempt = 0; !(await makeFolder(lock)); attempt++) {
    if (attempt % 20 === 0) progress(waiting);
    await removeIfAbandoned(lock);
    await sleep(500);
  }
  const touch = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => undefined), LOCK_TOUCHED_EVERY);
  try {
    await work(lock);
  } finally {
    clearInterval(touch);
    await rm(lock, { recursive: true, force: true });
  }
}

async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function removeIfAbandoned(lock: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  try {
    if (!(await isAbandoned(lock))) return;
    await rename(lock, aside);
    // Between the two lines above another process may have removed the old lock and taken it: give it back.
    if (await isAbandoned(aside)) await rm(aside, { recursive: true, force: true });
    else await rename(aside, lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // its owner has finished
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  return Date.now() - (await stat(lock)).mtimeMs > LOCK_ABANDONED_AFTER;
}

// Providers -----------------------------------------------------------------------------------------------------------

/** What the stacks are written for: the versions that the bindings were generated from. */
const PROVIDERS = { tls: "4.1.0", random: "3.7.2", time: "0.13.1", kubernetes: "2.38.0" } as const;

/** The newest of the kubernetes provider that Go can fetch: later tags lack the major version in the module's path. */
const BUILT_PROVIDERS = { ...PROVIDERS, kubernetes: "1.13.4" } as const;

type ProviderType = keyof typeof BUILT_PROVIDERS;

/** Terraform and OpenTofu read the same `hashicorp/tls` as an address at their own registry. */
const REGISTRIES = ["registry.terraform.io", "registry.opentofu.org"];

async function askTerraformElseBuild(terraform: string | undefined, context: Context): Promise<ProviderEnvironment> {
  const command = terraform ?? (await findTools(["terraform"], context)).terraform;
  const own = await usableCliConfig(context.env);
  const complaint = await initComplaint(command, { ...context.env, ...own });
  if (complaint === undefined) return { env: own, kubernetesProvider: PROVIDERS.kubernetes };
  context.progress(`terraform init finds no providers by itself (${complaint}): they come from Go modules`);
  const env = { TF_CLI_CONFIG_FILE: await buildMirror(context) };
  return { env, kubernetesProvider: BUILT_PROVIDERS.kubernetes };
}

/** With a TF_CLI_CONFIG_FILE that does not exist Terraform warns and reads no other; empty counts as not set. */
async function usableCliConfig(env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  if (!env.TF_CLI_CONFIG_FILE) return {};
  return access(env.TF_CLI_CONFIG_FILE).then(
    () => ({}),
    () => ({ TF_CLI_CONFIG_FILE: "" }),
  );
}

/** Why `terraform init` fails with the providers of the stacks; nothing if it does not. */
async function initComplaint(terraform: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), "providers-"));
  try {
    const required = Object.entries(PROVIDERS).map(([type, version]) => [
      type,
      { source: `hashicorp/${type}`, version },
    ]);
    const configuration = { terraform: { required_providers: Object.fromEntries(required) } };
    await writeFile(path.join(folder, "main.tf.json"), JSON.stringify(configuration));
    await run(...tiedTree(terraform, ["init", "-backend=false", "-input=false", "-no-color"]), {
      cwd: folder,
      // A data folder or workspace of the caller's belongs to the caller's own configuration.
      env: { ...env, CHECKPOINT_DISABLE: "1", TF_DATA_DIR: "", TF_WORKSPACE: "" },
      timeout: 300_000,
      killSignal: "SIGKILL",
    });
    return undefined;
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    return /Error: (.*)/.exec(stderr)?.[1] ?? message.split("\n")[0];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The path of a CLI configuration with which Terraform installs from the mirror, and from nowhere else. */
async function buildMirror(context: Context): Promise<string> {
  const types = Object.keys(BUILT_PROVIDERS) as ProviderType[];
  const nameOf = (type: ProviderType) => `terraform-provider-${type}`;
  const programs = await build(types.map(nameOf), context);
  const hash = createHash("sha256")
    .update([...programs.values()].join("\0"))
    .digest("hex")
    .slice(0, 16);
  const mirror = path.join(context.cache, "providers", hash);
  const config = path.join(mirror, "cli.tfrc");
  if (await exists(config)) return config;

  await mkdir(path.dirname(mirror), { recursive: true });
  const scratch = await mkdtemp(`${mirror}-`);
  try {
    for (const type of types) await placeInMirror(scratch, type, programs.get(nameOf(type)) as string);
    const installation = `filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }`;
    await writeFile(path.join(scratch, "cli.tfrc"), `provider_installation {\n  ${installation}\n}\n`);
    await rename(scratch, mirror);
  } catch (error) {
    // Another process was faster; what it made is the same.
    if (!(await exists(config))) throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return config;
}

/** Hard links: the programs are large, and Terraform does not follow a linked folder in a filesystem mirror. */
async function placeInMirror(mirror: string, type: ProviderType, program: string): Promise<void> {
  const platform = `${GO_PLATFORM.os}_${GO_PLATFORM.arch}`;
  for (const registry of REGISTRIES) {
    const folder = path.join(mirror, registry, "hashicorp", type, BUILT_PROVIDERS[type], platform);
    await mkdir(folder, { recursive: true });
    await link(program, path.join(folder, path.basename(program)));
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
