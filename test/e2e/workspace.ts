import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { App, LocalBackend, TerraformStack } from "cdktf";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { run as kubernetesPki } from "../../lib/cli/main";
import { attempt, Ended } from "../sandbox/command";
import { findTools, providerEnvironment } from "../sandbox/tools";

/** What a plan would do with a resource. */
export interface PlannedChange {
  readonly address: string;
  readonly change: { readonly actions: readonly string[] };
}

/** A folder in which stacks are synthesized and applied by the real Terraform. */
export class Workspace {
  public static async create(): Promise<Workspace> {
    const { terraform } = await findTools(["terraform"]);
    const { env } = await providerEnvironment({ terraform });
    return new Workspace(terraform, { ...process.env, ...env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" });
  }

  public readonly folder = mkdtempSync(path.join(tmpdir(), "kubernetes-pki-"));

  private constructor(
    private readonly binary: string,
    public readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Deletes everything. */
  public remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Synthesizes one stack with a tls provider and a local state beside the output folder. */
  public synth(id: string, build: (stack: TerraformStack) => void): void {
    const app = new App({ outdir: path.join(this.folder, "cdktf.out") });
    const stack = new TerraformStack(app, id);
    new LocalBackend(stack, { path: `../../../${id}.tfstate` });
    new TlsProvider(stack, "tls");
    build(stack);
    app.synth();
  }

  /** The folder of a synthesized stack. */
  public stack(id: string): string {
    return path.join(this.folder, "cdktf.out", "stacks", id);
  }

  /** Its state. */
  public state(id: string): string {
    return path.join(this.folder, `${id}.tfstate`);
  }

  /** Runs Terraform in the folder of a stack. */
  public terraform(id: string, ...args: string[]): Promise<Ended> {
    return attempt(this.binary, args, { cwd: this.stack(id), env: this.env });
  }

  /** What an expression is in the stack, as `terraform console` prints it. */
  public console(id: string, expression: string): Promise<Ended> {
    return attempt(this.binary, ["console", "-no-color"], { cwd: this.stack(id), env: this.env, input: expression });
  }

  /** Gives variables to every Terraform command that follows. */
  public setVariables(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      this.env[`TF_VAR_${name}`] = value;
    }
  }

  /** Runs Terraform and expects it to succeed. */
  public async must(id: string, ...args: string[]): Promise<string> {
    const ended = await this.terraform(id, ...args);
    if (ended.code !== 0) {
      throw new Error(`terraform ${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
    }
    return ended.stdout;
  }

  public async apply(id: string): Promise<void> {
    await this.must(id, "init", "-no-color");
    await this.must(id, "apply", "-auto-approve", "-no-color");
  }

  /** What a plan would change, without what stays. */
  public async plan(id: string): Promise<PlannedChange[]> {
    await this.must(id, "plan", "-no-color", "-out=plan");
    const plan = JSON.parse(await this.must(id, "show", "-json", "plan")) as { resource_changes?: PlannedChange[] };
    return (plan.resource_changes ?? []).filter(({ change }) => change.actions.join() !== "no-op");
  }

  /** The whole state, as `terraform show -json` prints it. */
  public show(id: string): Promise<string> {
    return this.must(id, "show", "-json");
  }

  /** Runs `kubernetes-pki` in this process. */
  public async kubernetesPki(...args: string[]): Promise<Ended> {
    const printed = { stdout: "", stderr: "" };
    const into = (name: "stdout" | "stderr") =>
      new Writable({ write: (chunk, _, done) => done(void (printed[name] += String(chunk))) });
    const io = {
      stdin: process.stdin,
      stdout: into("stdout"),
      stderr: into("stderr"),
      cwd: this.folder,
      env: this.env,
    };
    const code = await kubernetesPki(args, io as never);
    return { code, ...printed };
  }

  /** Exports files of somebody under a folder named `root`. */
  public async export(who: readonly string[], root: string, ...ids: string[]): Promise<string> {
    const folder = path.join(this.folder, root);
    const stacks = ids.map((id) => this.stack(id));
    const { code, stderr } = await this.kubernetesPki("export", ...who, "--root", folder, ...stacks);
    if (code !== 0) {
      throw new Error(stderr);
    }
    return folder;
  }
}
