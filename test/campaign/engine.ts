import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { attempt } from "../sandbox/command";
import { findTools, providerEnvironment } from "../sandbox/tools";

/** The names of the programs. */
export type EngineName = "terraform" | "tofu";

/** A resource in a state file. */
export interface StateResource {
  readonly module?: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly provider: string;
  instances: {
    readonly index_key?: string | number;
    readonly attributes: Record<string, unknown>;
    readonly sensitive_attributes?: readonly unknown[];
  }[];
}

/** What of a state file is looked at. */
export interface State {
  serial: number;
  outputs: object;
  resources: StateResource[];
}

/** What of a plan is looked at. */
export interface PlanDocument {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly mode: string;
    readonly type: string;
    readonly name: string;
    readonly index?: string | number;
    readonly module_address?: string;
    readonly provider_name: string;
    readonly previous_address?: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly after: Record<string, unknown> | null;
      readonly importing?: unknown;
    };
  }[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
  readonly planned_values?: { readonly outputs?: object };
}

/** Code in a folder, and a program that plans it. */
export class Root {
  /** @param folder is made; the state is in it */
  public static async create(folder: string, engine: EngineName): Promise<Root> {
    const env = { ...process.env, TERRAFORM_BINARY_NAME: engine };
    const { terraform } = await findTools(["terraform"], { env });
    const providers = await providerEnvironment({ terraform, env });
    mkdirSync(folder, { recursive: true });
    return new Root(folder, terraform, providers.kubernetesProvider, {
      ...env,
      ...providers.env,
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
    });
  }

  private constructor(
    public readonly folder: string,
    private readonly program: string,
    private readonly kubernetesProvider: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Writes code, by file. */
  public write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(this.folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  /** The provider for Kubernetes is the old one. */
  public get isOld(): boolean {
    return this.kubernetesProvider.startsWith("1.");
  }

  /** What code has to say of its providers: an edit may need one that the base does not. */
  public providers(...names: readonly string[]): string {
    const required = names.map((name) => {
      const version = name === "kubernetes" ? `, version = "${this.kubernetesProvider}"` : "";
      return `    ${name} = { source = "hashicorp/${name}"${version} }`;
    });
    const kubernetes = `provider "kubernetes" {\n  host = "https://127.0.0.1:1"\n${this.isOld ? "  load_config_file = false\n" : ""}}\n`;
    return `terraform {\n  required_providers {\n${required.join("\n")}\n  }\n}\n${names.includes("kubernetes") ? kubernetes : ""}`;
  }

  /** Runs the program, which has to succeed. */
  public async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await attempt(this.program, args, { cwd: this.folder, env: this.env });
    if (code !== 0) {
      throw new Error(`${args.join(" ")} in ${this.folder}: ${stdout.slice(-3000)}${stderr.slice(-3000)}`);
    }
    return stdout;
  }

  public async apply(...targets: string[]): Promise<void> {
    await this.must("init", "-no-color", "-input=false");
    await this.must("apply", "-auto-approve", "-no-color", "-input=false", "-refresh=false", ...targets);
  }

  /**
   * Plans, and writes the plan as JSON.
   *
   * @returns what `terraform plan -detailed-exitcode` ended with
   */
  public async plan(): Promise<{ readonly code: number; readonly file: string; readonly document: PlanDocument }> {
    const args = ["plan", "-no-color", "-input=false", "-refresh=false", "-detailed-exitcode", "-out=plan"];
    const planned = await attempt(this.program, args, { cwd: this.folder, env: this.env });
    if (planned.code === 1 && !planned.stderr.includes("prevent_destroy")) {
      throw new Error(`plan in ${this.folder}: ${planned.stderr.slice(0, 4000)}`);
    }
    const file = path.join(this.folder, "plan.json");
    const shown = await this.must("show", "-json", "plan");
    writeFileSync(file, shown);
    return { code: planned.code, file, document: JSON.parse(shown) as PlanDocument };
  }

  /** The same, as a round has it. */
  public async planned(): Promise<{
    planCode: number;
    planFile: string;
    document: PlanDocument;
    inventories: string[];
  }> {
    const { code, file, document } = await this.plan();
    return { planCode: code, planFile: file, document, inventories: [] };
  }

  public get state(): State {
    return JSON.parse(readFileSync(this.stateFile, "utf8")) as State;
  }

  /** Puts another state in its place. */
  public replaceState(state: State): void {
    writeFileSync(this.stateFile, JSON.stringify({ ...state, serial: this.serial() + 1 }));
  }

  private serial(): number {
    try {
      return this.state.serial;
    } catch {
      return 0;
    }
  }

  private get stateFile(): string {
    return path.join(this.folder, "terraform.tfstate");
  }
}

/** Addresses of the instances of a resource in a state file, in their order. */
export function addressesOf({ module, type, name, instances }: StateResource): string[] {
  const before = module === undefined ? "" : `${module}.`;
  return instances.map(
    ({ index_key: key }) => `${before}${type}.${name}${key === undefined ? "" : `[${JSON.stringify(key)}]`}`,
  );
}

/**
 * A state in which all objects of an API server are that a plan would make.
 *
 * @param secrets what of a Secret's data is made of a key or a password
 */
export function objectsAsState(
  state: State,
  secrets: readonly string[],
  { resource_changes: changes = [], planned_values: planned }: PlanDocument,
): State {
  const made = new Map<string, StateResource>();
  for (const { address, type, name, index, module_address: module, provider_name: provider, change } of changes) {
    if (!type.startsWith("kubernetes_") || change.after === null) {
      continue;
    }
    const key = `${module ?? ""} ${type}.${name}`;
    const resource: StateResource = made.get(key) ?? {
      ...(module === undefined ? {} : { module }),
      mode: "managed",
      type,
      name,
      provider: `provider["${provider}"]`,
      instances: [],
    };
    const [metadata] = change.after.metadata as Record<string, unknown>[];
    const known = { generation: 0, resource_version: "1", self_link: "", uid: address };
    const { namespace, name: object } = metadata as { readonly namespace?: string | null; readonly name: string };
    const id = namespace ? `${namespace}/${object}` : object;
    const attributes = { ...change.after, id, metadata: [{ ...known, ...metadata }] };
    const marks = type.startsWith("kubernetes_secret")
      ? { sensitive_attributes: secretMarks(change.after, secrets) }
      : {};
    resource.instances.push({ ...(index === undefined ? {} : { index_key: index }), attributes, ...marks });
    made.set(key, resource);
  }
  return { ...state, resources: [...state.resources, ...made.values()], outputs: planned?.outputs ?? state.outputs };
}

/** All of it is sensitive to the provider, and a part because of what it is made of. */
function secretMarks({ data }: Record<string, unknown>, secrets: readonly string[]): unknown[] {
  const whole = { type: "get_attr", value: "data" };
  const parts = Object.keys(data ?? {}).filter((name) => secrets.includes(name));
  return [[whole], ...parts.map((value) => [whole, { type: "index", value: { value, type: "string" } }])];
}
