import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { DistributionTable, HolderKind } from "../../lib";
import type { Changes } from "../../lib/export/changes";
import { PlacedMachine, placedMachines } from "../../lib/kubernetes/cluster";
import { fillText } from "../../lib/kubernetes/holders";
import { embedsAuthority } from "../../lib/kubernetes/join";
import { tableFor } from "../../lib/kubernetes/table-for";
import { INVENTORY_FILE } from "../../lib/inventory-schema";
import { isReady } from "./balancer";
import { attempt, CommandOptions, Ended, run, TYPESCRIPT } from "./command";
import {
  addressOf,
  baseFlags,
  Component,
  componentsOf,
  filesReadBy,
  hollowFlags,
  kubeletFlags,
  pkiFields,
  pkiFlags,
  Ports,
  Site,
} from "./components";
import { Daemon } from "./daemon";
import { ACCESS_STACK, CONTROL_PLANE, PKI_STACK, SandboxDescription } from "./description";
import {
  bootstrapKubeconfig,
  bootstrapToken,
  distributionNamed,
  hasEtcdMembers,
  kubeletKubeconfig,
  operatorKubeconfigs,
  unpacked,
} from "./distribution";
import {
  KUBELET_CONFIGURATION,
  kubeletConfiguration,
  onItsDisk,
  RUNTIME_SOCKET,
  SELF_MADE_CERTIFICATE,
} from "./kubelet";
import { kubernetesPki } from "./kubernetes-pki";
import { environmentOfKubeconfig } from "./kubernetes-provider-1.13";
import { accepts, checkFree, freePorts, shakesHands } from "./ports";
import { synthesize } from "./synthesis";
import { TableReader } from "./table-reader";
import { noNamespaces } from "./tied";
import { findTools, Progress, providerEnvironment } from "./tools";

const ROOT = path.join(__dirname, "..", "..");
const BIN = path.join(ROOT, "node_modules", ".bin");
/** What a kubelet uses of what it got. */
const CLIENT_CERTIFICATE = "kubelet-client-current.pem";
/** Whoever restarts a server gives it some time to end by itself; a user's machine gives it more. */
const RESTARTS_WITHIN_SECONDS = 2;
const TOOLS = ["terraform", "etcd", "kube-apiserver", "kube-controller-manager", "kubemark", "kubectl"] as const;

/** How a sandbox is started. */
export interface SandboxOptions {
  /** Everything it writes is in here. It is emptied first. */
  readonly folder: string;
  /** Port of the API server. @default - a free one */
  readonly port?: number;
  /** Whose table everything is made and started from. @default kubeadm */
  readonly distribution?: string;
  /** Nodes that join. */
  readonly nodes: readonly string[];
  /** People and pipelines that the description has. @default - nobody */
  readonly users?: readonly string[];
  /** Requests of those of them who have their own key. @default - Terraform makes all keys */
  readonly requests?: Readonly<Record<string, string>>;
  /** Workers that the description names, beside the nodes where those must have a name before they join. @default - none */
  readonly workers?: readonly string[];
  /** More names of the API server. @default - none */
  readonly extraSans?: readonly string[];
  /** Whether there are two control planes, each with an API server, and three machines of etcd. @default - one machine has it all */
  readonly highlyAvailable?: boolean;
  readonly progress: Progress;
}

/** What somebody was given, and what started again for it. */
export interface Delivery {
  /** A machine or `operator`. */
  readonly to: string;
  /** Files of another content. */
  readonly files: number;
  /** Components that started again, in this order. */
  readonly restarted: readonly string[];
  /** Components that had to, and do not run here. */
  readonly elsewhere: readonly string[];
}

/** Where a kubelet listens. */
export interface KubeletPort {
  readonly address: string;
  readonly port: number;
  /** The certificate that it made itself to serve with, and who signed that: nothing where it was given one. */
  readonly own?: string;
}

/** What is seen of a running sandbox. */
export interface SandboxReport {
  readonly nodes: readonly { readonly name: string; readonly ready: boolean }[];
  readonly requests: readonly { readonly user: string; readonly signer: string; readonly conditions: string }[];
  readonly identities: readonly {
    readonly kubeconfig: string;
    readonly user: string;
    readonly groups: string;
    /** Whose kubeconfig it is. */
    readonly expectedUser: string;
  }[];
}

/**
 * A control plane on this machine, on certificates that Terraform issued, and nodes that joined it: by TLS bootstrap, or with a
 * kubeconfig of their own where the distribution's nodes do not join so.
 */
export class Sandbox {
  /** From a machine with Node, Go and Terraform to a control plane with its nodes. Leaves nothing running when it fails. */
  public static async start(options: SandboxOptions): Promise<Sandbox> {
    const { table } = distributionNamed(options.distribution);
    if (options.highlyAvailable && !hasEtcdMembers(table)) {
      throw new Error(`--highly-available: etcd has no machines of its own in ${table.name}`);
    }
    // Before anything is deleted: it may be another sandbox in the same folder that has the port.
    if (options.port !== undefined) {
      await checkFree(options.port);
    }
    await empty(options.folder);
    const { progress } = options;
    const complaint = noNamespaces();
    if (complaint) {
      progress(
        `no PID namespace (${complaint}): what Terraform started may outlive this command by seconds if it is killed`,
      );
    }
    const tools = await findTools(TOOLS, { progress });
    const providers = await providerEnvironment({ progress, terraform: tools.terraform });
    const [free, etcdClient, etcdPeer, controllerManager] = (await freePorts(4)) as [number, number, number, number];
    const ports: Ports = { apiServer: options.port ?? free, etcdClient, etcdPeer, controllerManager };
    const { distribution, workers = [], highlyAvailable } = options;
    const settings = {
      highlyAvailable,
      port: ports.apiServer,
      kubernetesProvider: providers.kubernetesProvider,
      distribution,
      extraSans: options.extraSans,
      users: options.users,
      requests: options.requests,
      workers: bootstrapToken(table) ? workers : [...options.nodes, ...workers],
    };
    const sandbox = new Sandbox(options, tools, providers.env, ports, new SandboxDescription(settings));
    try {
      await sandbox.startBalancer();
      await sandbox.startControlPlane();
      await sandbox.deploy(ACCESS_STACK);
      await sandbox.joinNodes(options.nodes);
    } catch (error) {
      await sandbox.stop();
      throw error;
    }
    return sandbox;
  }

  public readonly folder: string;
  public readonly progress: Progress;
  private readonly nodes: readonly string[];
  private readonly daemons: Daemon[] = [];
  private readonly restarting = new Set<string>();

  private constructor(
    options: SandboxOptions,
    public readonly tools: Readonly<Record<(typeof TOOLS)[number], string>>,
    private readonly providers: Readonly<Record<string, string>>,
    public readonly ports: Ports,
    public readonly description: SandboxDescription,
  ) {
    this.folder = options.folder;
    this.progress = options.progress;
    this.nodes = options.nodes;
  }

  /** Ends everything that was started, the last first. */
  public async stop(): Promise<void> {
    for (const daemon of this.daemons.splice(0).reverse()) {
      await daemon.stop();
    }
  }

  /** Ends a component of a machine and starts it again, with the flags of a description, and more if it is given any. */
  public async restart(
    component: Component,
    machine = CONTROL_PLANE,
    description = this.description,
    more: readonly string[] = [],
  ): Promise<void> {
    const name = this.nameOf(component, machine);
    const index = this.daemons.findIndex((daemon) => daemon.name === name);
    this.restarting.add(name);
    await this.daemons[index]!.stop(RESTARTS_WITHIN_SECONDS);
    this.daemons.splice(index, 1);
    await this.ready(machine, component, await this.start(machine, component, description, more));
    this.restarting.delete(name);
    // Back in its place, so that etcd still ends after the API server that waits for it.
    this.daemons.splice(index, 0, this.daemons.pop()!);
  }

  /** Whether a component of a machine is about to start again. */
  public isRestarting(component: Component, machine: string): boolean {
    return this.restarting.has(this.nameOf(component, machine));
  }

  /** Ends the kubelet of a node, and starts it again with the files that it has by now. */
  public async restartNode(name: string): Promise<void> {
    await this.endNode(name);
    const [port] = await freePorts(1);
    await this.startNode(name, port!, this.joined(name));
  }

  /** Lets one more node join. */
  public join(name: string): Promise<void> {
    return this.joinNodes([name]);
  }

  /**
   * Starts a real kubelet, with a runtime that runs nothing, or starts it again. A machine of the description has its kubeconfig; any other
   * one joins by token, from the files that are delivered for it.
   *
   * @param renews whether it asks for a certificate of its own, and for the next one in time
   */
  public async startKubelet(name: string, renews = false): Promise<KubeletPort> {
    const { progress } = this;
    const tools = await findTools(["kubelet", "fake-runtime"], { progress });
    const placed = placedMachines(this.description.props.cluster).find(({ machine }) => machine.name === name);
    const root = this.machine(name);
    await (placed
      ? this.export(["--machine", name], root, [PKI_STACK])
      : this.export(["--worker"], root, [PKI_STACK, ACCESS_STACK]));
    const [port] = (await freePorts(1)) as [number];
    const address = placed ? this.address(name) : "127.0.0.1";
    // On its disk files are where the table has them.
    const disk = { ...this.site(name, ...(placed?.kinds ?? ["worker"])), root: "/" };
    const files = pkiFields("kubelet", disk);
    for (const file of [RUNTIME_SOCKET, KUBELET_CONFIGURATION]) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    }
    await writeFile(path.join(root, KUBELET_CONFIGURATION), kubeletConfiguration({ address, port, files, renews }));

    progress(`start ${name}`);
    const isRunning = (as: string) => this.daemons.some((daemon) => daemon.name === as);
    const start = (as: string, program: string, args: readonly string[]) =>
      this.daemon(as, ...onItsDisk(root, program, args), { ...process.env, TMPDIR: "/tmp" });
    if (!isRunning(`${name}.runtime`)) {
      const runtime = await start(`${name}.runtime`, tools["fake-runtime"], [`unix://${RUNTIME_SOCKET}`]);
      await runtime.until("listening", () => Promise.resolve(existsSync(path.join(root, RUNTIME_SOCKET))));
    }
    if (isRunning(name)) {
      await this.endNode(name);
    }
    const flags = [
      `--config=${KUBELET_CONFIGURATION}`,
      `--hostname-override=${name}`,
      // Who says its addresses: by itself it takes none that is on loopback.
      "--cloud-provider=external",
      ...(placed ? [] : [`--kubeconfig=${kubeletKubeconfig(this.table)}`]),
      // Who has a kubeconfig has no token.
      ...kubeletFlags(disk).filter((flag) => !placed || !flag.startsWith("--bootstrap-kubeconfig=")),
    ];
    const kubelet = await start(name, tools.kubelet, flags);
    await kubelet.until("serving", () => shakesHands(port, address));
    await kubelet.until("Ready", () => this.isReady(name));
    const status = JSON.stringify({ status: { addresses: [{ type: "InternalIP", address }] } });
    await this.kubectl(this.first, "patch", "node", name, "--subresource=status", "--type=merge", `--patch=${status}`);
    const isGiven = "tlsCertFile" in files || filesReadBy("kubelet", disk).includes(SELF_MADE_CERTIFICATE);
    return { address, port, own: isGiven ? undefined : await readFile(path.join(root, SELF_MADE_CERTIFICATE), "utf8") };
  }

  /** Lets a node join again, by a token: it asks for a certificate, whatever it had. */
  public async rejoin(name: string): Promise<void> {
    this.progress(`${name} joins again`);
    await this.endNode(name);
    if (this.tokensHoldAuthority) {
      await this.joinFlags(name);
    }
    await rm(this.kubelet(name));
    const certificate = path.join(this.certificates(name), CLIENT_CERTIFICATE);
    await rm(certificate);
    const [port] = await freePorts(1);
    const node = await this.startNode(name, port!);
    // Its object says Ready all the time.
    await node.until("certified", () => Promise.resolve(existsSync(certificate)));
  }

  /** Ends a node, and takes it out of the cluster. */
  public async leave(name: string): Promise<void> {
    this.progress(`${name} leaves`);
    await this.endNode(name);
    await this.kubectl(this.first, "delete", "node", name);
  }

  private async endNode(name: string): Promise<void> {
    const index = this.daemons.findIndex((daemon) => daemon.name === name);
    await this.daemons.splice(index, 1)[0]!.stop();
  }

  /** Machines that run the control plane and etcd, those first that have to be there first. */
  public get servers(): readonly PlacedMachine[] {
    const placed = placedMachines(this.description.props.cluster).filter((one) => componentsOf(one).length > 0);
    const isFirst = ({ kinds }: PlacedMachine) => Number(kinds.includes("etcd-member"));
    return [...placed].sort((a, b) => isFirst(b) - isFirst(a));
  }

  /** Where a machine is. */
  public address(machine: string): string {
    return addressOf(this.description.props.cluster, machine);
  }

  /**
   * Brings somebody the files of the PKI stack as it was deployed last, and restarts there what `kubernetes-pki export` says has to be.
   *
   * @param to a machine, a node that joined by token, or `operator`
   * @param state a file with the state, as `terraform show -json` prints it. @default - Terraform is asked again
   */
  public async deliver(to: string, state?: string): Promise<Delivery> {
    this.progress(`deliver to ${to}`);
    const machines = placedMachines(this.description.props.cluster).map(({ machine }) => machine.name);
    const who = to === "operator" ? ["--operator"] : machines.includes(to) ? ["--machine", to] : ["--worker"];
    const source = state === undefined ? [this.stack(PKI_STACK)] : [state, "--inventory", this.inventory];
    if (who[0] === "--worker" && this.tokensHoldAuthority) {
      const isOther = await this.giveBundle(to);
      await this.restartNode(to);
      return { to, files: isOther ? 1 : 0, restarted: ["kubelet"], elsewhere: [] };
    }
    const argv = ["export", ...who, "--root", this.machine(to), "--changes", "json", ...source];
    const changes = JSON.parse(await this.exported(argv)) as Changes;
    const here: readonly string[] = this.servers.flatMap((one) => (one.machine.name === to ? componentsOf(one) : []));
    const [restarted, elsewhere]: [string[], string[]] = [[], []];
    for (const { component } of changes.components.filter(({ action }) => action === "restart")) {
      const isNode = component === "kubelet" && this.daemons.some(({ name }) => name === to);
      if (isNode) {
        await this.restartNode(to);
      } else if (here.includes(component)) {
        await this.restart(component as Component, to);
      }
      (isNode || here.includes(component) ? restarted : elsewhere).push(component);
    }
    const files = changes.files.filter(({ change }) => change === "written").length;
    return { to, files, restarted, elsewhere };
  }

  /** Where the files of a machine are, as if it were the root of its disk. */
  public machine(name: string): string {
    return path.join(this.folder, "machines", name);
  }

  /** Where a file of the table is that a machine has. */
  public file(machine: string, at: string): string {
    return path.join(this.machine(machine), fillText(at, this.description.props.cluster, machine));
  }

  /** The operator's kubeconfig of everyday. */
  public get everyday(): string {
    return this.file("operator", operatorKubeconfigs(this.table).everyday.path);
  }

  /** The operator's kubeconfig that needs no binding: the first apply is done with it. */
  public get first(): string {
    return this.file("operator", operatorKubeconfigs(this.table).first.path);
  }

  /** The kubeconfig with a token with which a node joined by TLS bootstrap; nothing where it had a certificate before. */
  public bootstrapKubeconfig(node: string): string | undefined {
    const token = bootstrapToken(this.table);
    return token && this.file(node, bootstrapKubeconfig(token));
  }

  /** The synthesized stack. */
  public stack(name: string): string {
    return path.join(this.output, "stacks", name);
  }

  private get output(): string {
    return path.join(this.folder, "cdktf.out");
  }

  /** The URL at which clients find an API server. */
  public get server(): string {
    return `https://127.0.0.1:${this.ports.apiServer}`;
  }

  /** What the PKI stack's inventory says of who is where. */
  public get inventory(): string {
    return path.join(this.stack(PKI_STACK), INVENTORY_FILE);
  }

  /** Runs kubectl with a kubeconfig. */
  public kubectl(kubeconfig: string, ...args: string[]): Promise<Ended> {
    // Its own cache folder, so that the user's stays as it is.
    const env = { ...process.env, HOME: this.folder, KUBECONFIG: undefined };
    return attempt(this.tools.kubectl, [`--kubeconfig=${kubeconfig}`, ...args], { env, seconds: 60 });
  }

  /** What kubectl answers, parsed. */
  public async get<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.kubectl(this.first, ...args, "--output=json");
    if (code !== 0) {
      throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    }
    return JSON.parse(stdout) as T;
  }

  /** Runs Terraform in the folder of a stack. */
  public terraform(stack: string, ...args: string[]): Promise<Ended> {
    return this.terraformAs(this.first, stack, ...args);
  }

  /** The same as somebody else in the API server, and as nobody else. */
  public terraformAs(kubeconfig: string, stack: string, ...args: string[]): Promise<Ended> {
    return attempt(this.tools.terraform, args, { cwd: this.stack(stack), env: this.environmentOf(kubeconfig) });
  }

  /** Synthesizes and deploys one stack with `cdktf deploy`. */
  public async deploy(stack: string, description = this.description): Promise<void> {
    this.progress(`cdktf deploy ${stack}`);
    const args = ["deploy", stack, "--auto-approve", "--skip-provider-lock", "--ignore-missing-stack-dependencies"];
    await this.cdktf(args, description);
  }

  /** Deploys once more one stack that was deployed, and does not start `cdktf` for it. */
  public async apply(stack: string, description: SandboxDescription): Promise<void> {
    this.progress(`terraform apply ${stack}`);
    synthesize(description, this.output);
    await this.must(stack, "apply", "-auto-approve", "-no-color");
  }

  /** @returns what Terraform plans of a stack that was deployed, as `terraform show -json` prints it */
  public async plan(stack: string, description: SandboxDescription): Promise<string> {
    synthesize(description, this.output);
    await this.must(stack, "plan", "-out=plan", "-no-color");
    return this.must(stack, "show", "-json", "plan");
  }

  private async must(stack: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.terraform(stack, ...args);
    if (code !== 0) {
      throw new Error(`terraform ${args.join(" ")} of ${stack}: ${stdout}${stderr}`);
    }
    return stdout;
  }

  /** Synthesizes all stacks with `cdktf synth`. */
  public async synth(description = this.description): Promise<void> {
    await this.cdktf(["synth"], description);
  }

  /** Writes files with `kubernetes-pki export`. */
  public export(who: readonly string[], root: string, stacks: readonly string[]): Promise<string> {
    return this.exported(["export", ...who, "--root", root, ...stacks.map((stack) => this.stack(stack))]);
  }

  /** Runs `kubernetes-pki`. */
  public kubernetesPki(...argv: string[]): Promise<Ended> {
    return kubernetesPki(argv, this.inRoot);
  }

  private async exported(argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.kubernetesPki(...argv);
    if (code !== 0) {
      throw new Error(`kubernetes-pki ${argv.join(" ")}: ${stderr}`);
    }
    return stdout;
  }

  /** What stands at the end of a run. */
  public async report(): Promise<SandboxReport> {
    const nodes = await this.get<List<Conditions & Named>>("get", "nodes");
    const requests = await this.get<List<Conditions & CertificateRequest>>("get", "csr");
    const { everyday } = operatorKubeconfigs(this.table);
    return {
      nodes: nodes.items.map((node) => ({ name: node.metadata.name, ready: hasCondition(node, "Ready") })),
      requests: requests.items.map(({ spec, status }) => ({
        user: spec.username,
        signer: spec.signerName,
        conditions: [
          ...(status.conditions ?? []).map(({ type }) => type),
          ...(status.certificate ? ["Issued"] : []),
        ].join(","),
      })),
      identities: await Promise.all([
        this.whoAmI(this.everyday, everyday.row.commonName),
        ...this.nodes.map((node) => this.whoAmI(this.kubelet(node), `system:node:${node}`)),
      ]),
    };
  }

  /** Whether nodes ask for their certificate; else they have it before they join. */
  public get joinsByRequest(): boolean {
    return bootstrapToken(this.table) !== undefined;
  }

  /** Which kubernetes provider the access stack was proven on. */
  public get kubernetesProvider(): string {
    return this.description.kubernetesProvider;
  }

  /** Several API servers are behind one name. */
  private async startBalancer(): Promise<void> {
    const { controlPlanes = [] } = this.description.props.cluster;
    const port = this.ports.apiServer;
    if (controlPlanes.length > 1) {
      const places = controlPlanes.map(({ name }) => JSON.stringify({ host: this.address(name), port }));
      const args = [...TYPESCRIPT, path.join(__dirname, "balancer-process.ts"), String(port), ...places];
      const balancer = await this.daemon("balancer", process.execPath, args, process.env);
      await balancer.until("listening", () => accepts(port));
    }
  }

  private async startControlPlane(): Promise<void> {
    await this.deploy(PKI_STACK);
    this.progress("kubernetes-pki export");
    for (const { machine } of this.servers) {
      await this.export(["--machine", machine.name], this.machine(machine.name), [PKI_STACK]);
    }
    await this.export(["--operator"], this.machine("operator"), [PKI_STACK]);

    for (const component of ["etcd", "kube-apiserver", "kube-controller-manager"] as const) {
      const machines = this.servers.filter((one) => componentsOf(one).includes(component));
      // Members of etcd wait for each other.
      const started = machines.map(async ({ machine: { name } }) => [name, await this.start(name, component)] as const);
      for (const [name, daemon] of await Promise.all(started)) {
        await this.ready(name, component, daemon);
      }
    }
  }

  private async joinNodes(names: readonly string[]): Promise<void> {
    const ports = await freePorts(names.length);
    const nodes = await Promise.all(names.map((name, index) => this.startNode(name, ports[index]!)));
    for (const [index, node] of nodes.entries()) {
      await node.until("Ready", () => this.isReady(names[index]!));
    }
  }

  private async startNode(name: string, port: number, joined?: readonly string[]): Promise<Daemon> {
    const root = this.machine(name);
    const files = joined ?? (await this.joinFlags(name));
    const flags = [...hollowFlags(name, port, this.certificates(name)), ...files];
    const temporary = path.join(root, "tmp");
    await mkdir(temporary, { recursive: true });
    this.progress(`start ${name}`);
    return this.daemon(name, this.tools.kubemark, flags, { ...process.env, TMPDIR: temporary });
  }

  /** Brings a node the files that it joins with. */
  private async joinFlags(name: string): Promise<string[]> {
    const root = this.machine(name);
    const token = bootstrapToken(this.table);
    if (!token) {
      await this.export(["--machine", name], root, [PKI_STACK]);
      return this.joined(name);
    }
    await this.export(["--worker"], root, [PKI_STACK, ACCESS_STACK]);
    const source = this.file(name, token.file.path);
    const bootstrap = this.bootstrapKubeconfig(name)!;
    await mkdir(path.dirname(bootstrap), { recursive: true });
    // What is absolute on a machine is below a folder here.
    const text = unpacked(token.format, await readFile(source, "utf8"));
    const here = text.replace(/(certificate-authority: "?)(?=\/)/, `$1${root}`);
    await writeFile(bootstrap, here, { mode: 0o600 });
    return this.joined(name);
  }

  /** The flags of a node with the files that it has. */
  private joined(name: string): string[] {
    if (!this.joinsByRequest) {
      return kubeletFlags(this.site(name, "named-worker", "worker"));
    }
    return [`--kubeconfig=${this.kubelet(name)}`, `--bootstrap-kubeconfig=${this.bootstrapKubeconfig(name)!}`];
  }

  /** The kubeconfig that a node uses. */
  public kubelet(node: string): string {
    return this.file(node, kubeletKubeconfig(this.table));
  }

  /** Whether a token holds the API servers' authority: nodes have it from there, and from nobody else. */
  public get tokensHoldAuthority(): boolean {
    const token = bootstrapToken(this.table);
    return token !== undefined && embedsAuthority(token.format);
  }

  /**
   * Gives a node the authority of the API servers as a file, and once a kubeconfig that names it: what docs/rotation.md has in
   * `k0s-worker.sh`.
   *
   * @returns whether it had another one, or none
   */
  private async giveBundle(node: string): Promise<boolean> {
    const file = this.file(node, "/etc/k0s/ca-bundle.crt");
    await mkdir(path.dirname(file), { recursive: true });
    const bundle = new TableReader(this.table).fileOf("kube-controller-manager", "--root-ca-file");
    const delivered = await readFile(this.file(CONTROL_PLANE, bundle), "utf8");
    const isOther = !existsSync(file) || (await readFile(file, "utf8")) !== delivered;
    await writeFile(file, delivered);
    const { code, stderr } = await this.kubectl(
      ...[this.kubelet(node), "config", "set-cluster", "default-cluster", `--certificate-authority=${file}`],
    );
    if (code !== 0) {
      throw new Error(stderr);
    }
    return isOther;
  }

  /** Where a kubelet keeps the certificates that it got. */
  private certificates(node: string): string {
    return path.join(this.machine(node), "var/lib/kubelet/pki");
  }

  private async start(
    machine: string,
    component: Component,
    { props } = this.description,
    more: readonly string[] = [],
  ): Promise<Daemon> {
    const name = this.nameOf(component, machine);
    this.progress(`start ${name}`);
    const { cluster } = this.description.props;
    const table = tableFor(cluster, props.issueLeaves, this.table, props.authorityKeysOnMachines);
    const data = path.join(this.folder, this.nameOf("etcd", machine));
    const flags = [
      ...baseFlags(component, { cluster, machine, ports: this.ports, data }),
      ...pkiFlags(component, { ...this.site(machine, ...this.kindsOf(machine)), table }),
      ...more,
    ];
    return this.daemon(name, this.tools[component], flags, process.env);
  }

  /** A component's name among all that runs here. */
  private nameOf(component: Component, machine: string): string {
    return this.servers.length > 1 ? `${machine}.${component}` : component;
  }

  private kindsOf(machine: string): readonly HolderKind[] {
    return this.servers.find((one) => one.machine.name === machine)!.kinds;
  }

  /** Waits until a component has started. */
  private ready(machine: string, component: Component, daemon: Daemon): Promise<void> {
    const host = this.address(machine);
    switch (component) {
      case "etcd":
        // It listens before it is a member, and answers then.
        return daemon.until("a member", () => shakesHands(this.ports.etcdClient, host));
      case "kube-apiserver":
        return daemon.until("ready", () => isReady({ host, port: this.ports.apiServer }));
      case "kube-controller-manager":
        return daemon.until("listening", () => accepts(this.ports.controllerManager, host));
    }
  }

  private async daemon(
    name: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<Daemon> {
    const daemon = await Daemon.start({ name, command, args, folder: this.folder, env });
    this.daemons.push(daemon);
    return daemon;
  }

  private get table(): DistributionTable {
    return this.description.props.distribution.table;
  }

  private site(machine: string, ...holders: readonly HolderKind[]): Site {
    const { cluster } = this.description.props;
    return { table: this.table, cluster, machine, root: this.machine(machine), holders };
  }

  private async isReady(node: string): Promise<boolean> {
    const { code, stdout } = await this.kubectl(this.first, "get", "node", node, "--output=json");
    return code === 0 && hasCondition(JSON.parse(stdout) as Conditions, "Ready");
  }

  private async whoAmI(kubeconfig: string, expectedUser: string): Promise<SandboxReport["identities"][number]> {
    const { code, stdout, stderr } = await this.kubectl(kubeconfig, "auth", "whoami", "--output=json");
    const name = path.relative(path.join(this.folder, "machines"), kubeconfig);
    if (code !== 0) {
      return { kubeconfig: name, user: stderr.trim(), groups: "", expectedUser };
    }
    const { userInfo } = (JSON.parse(stdout) as { status: { userInfo: { username: string; groups: string[] } } })
      .status;
    return { kubeconfig: name, user: userInfo.username, groups: userInfo.groups.join(","), expectedUser };
  }

  /** Terraform's environment, with an identity once it is there: the break-glass one, where no other is named. */
  private get environment(): NodeJS.ProcessEnv {
    return this.environmentOf(this.first);
  }

  private environmentOf(kubeconfig: string): NodeJS.ProcessEnv {
    const access = existsSync(kubeconfig)
      ? { KUBE_CONFIG_PATH: kubeconfig, ...this.oldProviderAccess(kubeconfig) }
      : {};
    const terraform = { TERRAFORM_BINARY_NAME: this.tools.terraform, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
    // cdktf's cache of providers is in the user's home and shared: of two `terraform init` at once, one can break the other.
    const cdktf = { CDKTF_DISABLE_PLUGIN_CACHE_ENV: "1" };
    return { ...process.env, CI: "true", ...terraform, ...cdktf, ...this.providers, ...access };
  }

  private oldProviderAccess(kubeconfig: string): Record<string, string> {
    return this.kubernetesProvider === "1.13.4" ? environmentOfKubeconfig(readFileSync(kubeconfig, "utf8")) : {};
  }

  private get inRoot(): CommandOptions {
    return { cwd: ROOT, env: this.environment };
  }

  private async cdktf(args: readonly string[], description: SandboxDescription): Promise<void> {
    const app = [process.execPath, ...TYPESCRIPT, path.join(__dirname, "app.ts")].map((part) => `"${part}"`).join(" ");
    const env = { ...this.environment, ...description.environment };
    await run(path.join(BIN, "cdktf"), [...args, "--app", app, "--output", this.output], { cwd: ROOT, env });
  }
}

async function empty(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
  } catch (error) {
    throw new Error(`cannot write ${folder} (${(error as NodeJS.ErrnoException).code}): start it in a folder of yours`);
  }
}

interface Named {
  readonly metadata: { readonly name: string };
}

interface Conditions {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface CertificateRequest {
  readonly spec: { readonly username: string; readonly signerName: string };
  readonly status: { readonly certificate?: string };
}

interface List<T> {
  readonly items: readonly T[];
}

function hasCondition({ status }: Conditions, type: string): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}
