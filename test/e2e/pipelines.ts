/**
 * Runs the shell steps of pipelines as the forges' runners do, on this machine: jobs one after the other, each on a fresh checkout, what is
 * kept between them through artifacts alone. No forge is reached: `gh`, `curl` and `npm` are recorded.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import vm from "node:vm";
import { parse } from "yaml";
import { attempt, run } from "../sandbox/command";
import { findTools, providerEnvironment } from "../sandbox/tools";

const ROOT = path.join(__dirname, "..", "..");

/** Every YAML block of a page that begins with the comment of a file's name, parsed. */
export function yamlOf(page: string): Record<string, unknown> {
  const text = fs.readFileSync(path.join(ROOT, page), "utf8");
  const blocks = [...text.matchAll(/```yaml\n# (\S+)\n([^]*?)```/g)];
  return Object.fromEntries(blocks.map(([, file, yaml]) => [file!, parse(yaml!)]));
}

/** How a job ended. */
export interface JobResult {
  readonly failed: boolean;
  /** All that it printed. */
  readonly log: string;
  /** GitHub: outputs of the job. */
  readonly outputs: Readonly<Record<string, string>>;
  /** GitHub: the summary of the job. */
  readonly summary: string;
}

/** Records what it is called with, and gives what the forge would. */
const RECORDER = `#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >> "$FORGE/calls"
for argument in "$@"; do
  case "$argument" in body=@* | body@*) cp "\${argument#body*@}" "$FORGE/comment.md" && exit ;; esac
done
case "$0" in */npm) ;; *) cat "$FORGE/comments.json" ;; esac
`;

/**
 * Synthesizes a commit once, and gives every job that checks it out the same folder: equal input gives byte-equal output.
 * Most of a job's time would be this. The library does not change between commits.
 */
const SYNTH_ONCE = `#!/bin/sh
[ "$*" = synth ] || exit 1
commit="$COMMITS/$(cat cdktf.json stacks/*.ts | sha256sum | cut -d ' ' -f 1)"
if [ -d "$commit" ]; then
  cp -R "$commit" cdktf.out
else
  "$CDKTF" synth && cp -R cdktf.out "$commit"
fi
`;

/** A resource in a state. */
export interface StateResource {
  readonly type: string;
  readonly name: string;
  readonly instances: { attributes: Record<string, unknown> }[];
}

/** What is read of a state. */
export interface State {
  readonly resources: StateResource[];
  readonly serial: number;
}

/** A project made from this repository's stacks, as a checkout of it is on a runner. */
export class Project {
  /** @param commits where synthesized commits are kept, for this project and others */
  public static async create(commits: string): Promise<Project> {
    const { terraform } = await findTools(["terraform"]);
    const { env } = await providerEnvironment({ terraform });
    return new Project(terraform, { ...env, COMMITS: commits, CDKTF: path.join(ROOT, "node_modules/.bin/cdktf") });
  }

  public readonly folder = fs.mkdtempSync(path.join(tmpdir(), "kubernetes-pki-"));
  /** What stays between jobs. */
  public readonly artifacts = path.join(this.folder, "artifacts");
  public readonly checkout = path.join(this.folder, "checkout");
  /** Key pair for plan files. */
  public readonly plans = { certificate: path.join(this.folder, "plan.crt"), key: path.join(this.folder, "plan.key") };

  private readonly forge = path.join(this.folder, "forge");
  private readonly env: NodeJS.ProcessEnv;

  private constructor(terraform: string, providers: NodeJS.ProcessEnv) {
    for (const folder of [this.artifacts, this.forge, path.join(this.checkout, "node_modules", ".bin")]) {
      fs.mkdirSync(folder, { recursive: true });
    }
    this.copySources();
    const bin = path.join(this.folder, "bin");
    fs.mkdirSync(bin);
    ["gh", "curl", "npm"].forEach((name) => script(path.join(bin, name), RECORDER));
    fs.symlinkSync(terraform, path.join(bin, "terraform"));
    this.setComments([]);
    // TF_IN_AUTOMATION and the like are the runner's; what the test runs in is not.
    const { PATH, HOME, XDG_CACHE_HOME } = process.env;
    const settings = { CHECKPOINT_DISABLE: "1", CI: "true", FORGE: this.forge };
    this.env = {
      PATH: `${bin}:${PATH}`,
      HOME,
      XDG_CACHE_HOME,
      TERRAFORM_BINARY_NAME: terraform,
      ...providers,
      ...settings,
    };
  }

  /** Deletes everything. */
  public remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  public get state(): string {
    return path.join(this.checkout, "state", "sample-pki.tfstate");
  }

  public async makePlanKey(): Promise<void> {
    const readme = fs.readFileSync(path.join(ROOT, "docs/gitops.md"), "utf8");
    const command = /```sh\n(openssl req [^\n]+)\n```/.exec(readme)![1]!;
    await run("bash", ["-ec", command], { cwd: this.folder, env: this.env });
  }

  /** Replaces text in the description of the sample cluster, or in another file of its stacks. */
  public edit(from: string, to: string, name = "clusters.ts"): void {
    const file = path.join(this.checkout, "stacks", name);
    const text = fs.readFileSync(file, "utf8");
    expect(text).toContain(from);
    fs.writeFileSync(
      file,
      text.replace(from, () => to),
    );
  }

  /** Lets a certificate's end come near, as the tls provider sees it. */
  public makeDue(name: string): void {
    const changed = JSON.parse(fs.readFileSync(this.state, "utf8")) as State;
    const isMeant = (resource: StateResource) => resource.type === "tls_locally_signed_cert" && resource.name === name;
    const { attributes } = changed.resources.find(isMeant)!.instances[0]!;
    attributes["validity_end_time"] = new Date(Date.now() + 86_400_000).toISOString();
    fs.writeFileSync(this.state, JSON.stringify(changed));
  }

  /** The comments that stand at the forge. */
  public setComments(comments: readonly object[]): void {
    fs.writeFileSync(path.join(this.forge, "comments.json"), JSON.stringify(comments));
  }

  /** What the forge, or the registry, was asked since the last time. */
  public calls(): string[] {
    const file = path.join(this.forge, "calls");
    const calls = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
    fs.rmSync(file, { force: true });
    return calls;
  }

  /** The comment that was written last. */
  public get comment(): string {
    return fs.readFileSync(path.join(this.forge, "comment.md"), "utf8");
  }

  /** What `git clean` leaves. The state stands for the backend. */
  public clean(): void {
    for (const name of ["cdktf.out", "report.md", "plan.cms"]) {
      fs.rmSync(path.join(this.checkout, name), { recursive: true, force: true });
    }
  }

  /** Octal permissions of the plan files that lie around. */
  public planModes(): string[] {
    const runners = fs.readdirSync(this.folder).filter((name) => name.startsWith("runner-"));
    const folders = [...runners, "checkout/cdktf.out/stacks/sample-pki"].map((name) => path.join(this.folder, name));
    const files = folders.map((folder) => path.join(folder, "plan")).filter((file) => fs.existsSync(file));
    return files.map((file) => (fs.statSync(file).mode & 0o777).toString(8));
  }

  /** Runs a script with `bash`, as runners do. */
  public async bash(
    text: string,
    env: NodeJS.ProcessEnv,
    cwd = this.checkout,
  ): Promise<{ failed: boolean; log: string }> {
    const file = path.join(this.folder, "step.sh");
    fs.writeFileSync(file, text);
    const options = { cwd, env: { ...this.env, ...env } };
    const { code, stdout, stderr } = await attempt("bash", ["--noprofile", "--norc", "-eo", "pipefail", file], options);
    return { failed: code !== 0, log: stdout + stderr };
  }

  private copySources(): void {
    for (const name of ["lib", "stacks", "cdktf.json", "package.json", "tsconfig.json"]) {
      fs.cpSync(path.join(ROOT, name), path.join(this.checkout, name), { recursive: true });
    }
    // What `npm ci` would install: the packages of this repository, and this package's command.
    for (const folder of ["node_modules", "node_modules/.bin"]) {
      const names = fs.readdirSync(path.join(ROOT, folder)).filter((name) => name !== ".bin");
      names.forEach((name) => fs.symlinkSync(path.join(ROOT, folder, name), path.join(this.checkout, folder, name)));
    }
    const bin = path.join(this.checkout, "node_modules/.bin");
    const command = 'exec node --import tsx "$(dirname "$0")/../../lib/cli/main.ts" "$@"\n';
    script(path.join(bin, "kubernetes-pki"), `#!/bin/sh\n${command}`);
    fs.rmSync(path.join(bin, "cdktf"));
    script(path.join(bin, "cdktf"), SYNTH_ONCE);
  }
}

function script(file: string, text: string): void {
  fs.writeFileSync(file, text);
  fs.chmodSync(file, 0o755);
}

/** Keeps files under their names. */
function keep(files: readonly string[], store: string): void {
  files.filter((file) => fs.existsSync(file)).forEach((file) => fs.cpSync(file, path.join(store, path.basename(file))));
}

// GitHub Actions ------------------------------------------------------------------------------------------------------

/** What a workflow is started by. */
export interface GithubEvent {
  readonly event_name: "pull_request" | "push" | "schedule";
  /** Labels of the pull request. */
  readonly labels?: readonly string[];
}

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
  readonly "working-directory"?: string;
}

interface Workflow {
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly if?: string; readonly outputs?: Record<string, string>; readonly steps: readonly Step[] }>
  >;
}

/** Actions that need nothing here: the checkout is there, and so are Node.js and Terraform. */
const SETUP = /^(actions\/(checkout|setup-node)|hashicorp\/setup-terraform)@v\d+$/;

/** Runs a workflow's jobs that the event starts, those that fail and those that need them included. */
export async function runGithub(
  project: Project,
  workflow: Workflow,
  { event_name, labels = [] }: GithubEvent,
): Promise<Record<string, JobResult>> {
  const pull_request =
    event_name === "pull_request" ? { number: 7, labels: labels.map((name) => ({ name })) } : undefined;
  const needs: Record<string, { outputs: Readonly<Record<string, string>> }> = {};
  const results: Record<string, JobResult> = {};
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const context = {
      github: { event_name, token: "token", event: { pull_request } },
      env: workflow.env,
      needs,
      steps: {} as Record<string, { outputs: Record<string, string> }>,
      vars: { PLAN_CERTIFICATE: fs.readFileSync(project.plans.certificate, "utf8").trim() },
      secrets: { PLAN_KEY: fs.readFileSync(project.plans.key, "utf8").trim() },
      runner: { temp: fs.mkdtempSync(path.join(project.folder, "runner-")) },
      cancelled: () => false,
      contains: (list: readonly string[], item: string) => list.includes(item),
    };
    const failedBefore = Object.values(results).some(({ failed }) => failed);
    if (failedBefore || !evaluate(job.if ?? "true", context)) {
      continue;
    }
    project.clean();
    const ended = await runSteps(project, job.steps, context);
    const outputs = Object.fromEntries(
      Object.entries(job.outputs ?? {}).map(([key, value]) => [key, filled(value, context)]),
    );
    needs[name] = { outputs };
    results[name] = { ...ended, outputs };
  }
  return results;
}

type Context = Readonly<Record<string, unknown>> & {
  readonly steps: Record<string, { outputs: Record<string, string> }>;
  readonly env: Readonly<Record<string, string>>;
  readonly runner: { readonly temp: string };
};

async function runSteps(
  project: Project,
  steps: readonly Step[],
  context: Context,
): Promise<Omit<JobResult, "outputs">> {
  const { temp } = context.runner;
  const [output, summary] = [path.join(temp, "output"), path.join(temp, "summary")];
  const runner = { RUNNER_TEMP: temp, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, GITHUB_REPOSITORY: "me/it" };
  // What was skipped has no outputs.
  steps.forEach(({ id, name }) => (context.steps[id ?? name ?? ""] = { outputs: {} }));
  let failed = false;
  let log = "";
  for (const step of steps) {
    const condition = step.if ?? "success()";
    const starts = condition.includes("cancelled()") || !failed;
    if (!starts || !evaluate(condition.replace("success()", "true"), context)) {
      continue;
    }
    fs.writeFileSync(output, "");
    const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([key, value]) => [key, filled(value, context)]));
    if (step.run === undefined) {
      runAction(project, step, context);
      continue;
    }
    const folder = path.join(project.checkout, filled(step["working-directory"] ?? ".", context));
    if (!fs.existsSync(folder)) {
      failed = true;
      continue;
    }
    const ended = await project.bash(step.run, { ...runner, ...context.env, ...env }, folder);
    failed ||= ended.failed;
    log += ended.log;
    const lines = fs.readFileSync(output, "utf8").split("\n").filter(Boolean);
    context.steps[step.id ?? step.name!] = { outputs: Object.fromEntries(lines.map((line) => line.split("=", 2))) };
  }
  return { failed, log, summary: fs.existsSync(summary) ? fs.readFileSync(summary, "utf8") : "" };
}

function runAction(project: Project, { uses = "", with: options = {} }: Step, context: Context): void {
  const file = filled(options["path"] ?? "", context);
  if (uses.startsWith("actions/upload-artifact@")) {
    keep([file], project.artifacts);
  } else if (uses.startsWith("actions/download-artifact@")) {
    keep(
      fs.readdirSync(project.artifacts).map((name) => path.join(project.artifacts, name)),
      file,
    );
  } else {
    expect(uses).toMatch(SETUP);
  }
}

/** A text with its expressions. */
function filled(text: string, context: Context): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, inner: string) => String(evaluate(inner, context) ?? ""));
}

/** What GitHub's expressions have that JavaScript has not is `.*`. */
function evaluate(text: string, context: Context): unknown {
  const inner = /^\$\{\{(.*)\}\}$/.exec(text.trim())?.[1] ?? text;
  return vm.runInNewContext(inner.replaceAll(".*.name", ".map(({ name }) => name)"), { ...context });
}

// GitLab CI -----------------------------------------------------------------------------------------------------------

interface GitlabJob {
  readonly script: readonly string[];
  readonly artifacts?: { readonly when?: string; readonly paths: readonly string[] };
}

interface GitlabFile extends Readonly<Record<string, unknown>> {
  readonly variables: Readonly<Record<string, string>>;
  readonly default: { readonly before_script: readonly string[] };
}

/** Runs one job with the artifacts of those before it. */
export async function runGitlab(
  project: Project,
  file: GitlabFile,
  name: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ readonly failed: boolean; readonly log: string }> {
  const { script: lines, artifacts } = file[name] as GitlabJob;
  project.clean();
  fs.readdirSync(project.artifacts).forEach((kept) =>
    fs.cpSync(path.join(project.artifacts, kept), path.join(project.checkout, kept)),
  );
  const env = {
    ...file.variables,
    CI_PROJECT_DIR: project.checkout,
    CI_PROJECT_ID: "42",
    CI_API_V4_URL: "https://gitlab.example.com/api/v4",
    NOTES_TOKEN: "notes-token",
    PLAN_CERTIFICATE: project.plans.certificate,
    PLAN_KEY: project.plans.key,
    ...variables,
  };
  const ended = await project.bash([...file.default.before_script, ...lines].join("\n"), env);
  if (artifacts && (!ended.failed || artifacts.when === "always")) {
    keep(
      artifacts.paths.map((kept) => path.join(project.checkout, kept)),
      project.artifacts,
    );
  }
  return ended;
}
