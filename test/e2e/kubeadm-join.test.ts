import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { attempt, type Ended, run } from "../sandbox/command";
import { hollowFlags } from "../sandbox/components";
import { Daemon } from "../sandbox/daemon";
import { ACCESS_STACK, PKI_STACK, type SandboxDescription } from "../sandbox/description";
import { freePorts } from "../sandbox/ports";
import { Sandbox } from "../sandbox/sandbox";
import { findTools } from "../sandbox/tools";
import { CA, certificatesIn, requestCertificate, whoAmI } from "./nodes";
import { until } from "./tokens";

// `kubeadm join` over what is delivered, at a live API server that the real `kubeadm init` has told of the cluster.

jest.setTimeout(600_000);

const ENDPOINT = "api.example.com";
const ETC = "etc/kubernetes";
const JOIN = `/${ETC}/join-configuration.yaml`;
const GROUP = "system:bootstrappers:edge";
const DISCOVERY = "kubeadm:bootstrap-signer-clusterinfo";
const KUBEADM_GROUP = "system:bootstrappers:kubeadm:default-node-token";

/** Phases that are run here. */
const RUN = ["preflight", "control-plane-prepare", "kubelet-start"];

/** Phases that cannot be: they want a kubelet that starts pods, and an etcd and an API server that are such pods. */
const NOT_RUN = ["etcd-join", "kubelet-wait-bootstrap", "control-plane-join", "wait-control-plane"];

/** What preflight wants of a machine, and a folder that stands for one has not: no file from here is among it. */
const OF_THE_MACHINE =
  /^(CRI|ContainerRuntimeVersion|ImagePull|FileExisting-.*|SystemVerification|KubeletVersion|FileContent--proc-.*|IsPrivilegedUser|NumCPU|Mem|Swap|Port-\d+)$/;

const folder = mkdtempSync(path.join(tmpdir(), "kubeadm-join-"));
const kubelets: Daemon[] = [];
let sandbox: Sandbox;
let kubeadm: string;
let ownGroup: SandboxDescription;

beforeAll(async () => {
  kubeadm = (await findTools(["kubeadm"])).kubeadm;
  sandbox = await Sandbox.start({
    folder: path.join(folder, "sandbox"),
    nodes: [],
    workers: ["worker-1", "worker-2"],
    extraSans: [ENDPOINT],
    progress: () => undefined,
  });
  await sandbox.export(["--worker"], machine("node-1"), [PKI_STACK, ACCESS_STACK]);
  await sandbox.export(["--machine", "worker-1"], machine("worker-1"), [PKI_STACK]);

  // Control planes are in a network: kubeadm lets no API server advertise loopback.
  await sandbox.deploy(PKI_STACK, sandbox.description.with({ elsewhere: ENDPOINT }));
  await sandbox.export(["--machine", "cp-2"], machine("cp-2"), [PKI_STACK]);
  appendFileSync(path.join(machine("cp-2"), "etc/hosts"), `127.0.0.1 ${ENDPOINT}\n`);

  await initPhases("cp-2", ["upload-config", "all"], ["bootstrap-token"], ["addon", "kube-proxy"]);

  ownGroup = sandbox.description.with({ access: { tokens: { workers: { groups: [GROUP] } } } });
  await sandbox.deploy(ACCESS_STACK, ownGroup);
  await sandbox.export(["--worker"], machine("node-2"), [PKI_STACK, ACCESS_STACK]);
});

afterAll(async () => {
  for (const kubelet of kubelets) {
    await kubelet.stop();
  }
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The folder that stands for the disk of a machine. */
function machine(name: string): string {
  return path.join(folder, "machines", name);
}

/** `--rootfs` is a chroot. */
function inRoot(root: string, ...args: readonly string[]): Promise<Ended> {
  mkdirSync(path.join(root, "etc"), { recursive: true });
  appendFileSync(path.join(root, "etc/hosts"), "");
  const command = [kubeadm, ...args, "--rootfs", root];
  const all = process.getuid?.() === 0 ? command : ["unshare", "--map-root-user", ...command];
  return attempt(all[0]!, all.slice(1), { env: { PATH: process.env["PATH"] } });
}

/** What `kubeadm init` tells the cluster, with the configuration of a machine. */
async function initPhases(name: string, ...phases: readonly (readonly string[])[]): Promise<void> {
  const init = path.join(folder, "init");
  mkdirSync(path.join(init, ETC), { recursive: true });
  const configuration = `${ETC}/cluster-configuration.yaml`;
  copyFileSync(file(name, configuration), path.join(init, configuration));
  const version = (await run(kubeadm, ["version", "-o", "short"])).trim();
  appendFileSync(path.join(init, configuration), `kubernetesVersion: ${version}\n`);
  copyFileSync(sandbox.first, path.join(init, "first.conf"));
  for (const phase of phases) {
    const args = ["--config", `/${configuration}`, "--kubeconfig", "/first.conf"];
    expect(await inRoot(init, "init", "phase", ...phase, ...args)).toMatchObject({ code: 0 });
  }
}

function join(name: string, ...phase: readonly string[]): Promise<Ended> {
  return inRoot(machine(name), "join", "phase", ...phase, "--config", JOIN);
}

function file(name: string, at: string): string {
  return path.join(machine(name), at);
}

function hashes(name: string): Record<string, string> {
  const files = readdirSync(machine(name), { recursive: true }) as string[];
  const digest = (at: string) =>
    createHash("sha256")
      .update(readFileSync(file(name, at)))
      .digest("hex");
  return Object.fromEntries(files.filter((at) => statSync(file(name, at)).isFile()).map((at) => [at, digest(at)]));
}

interface Cluster {
  readonly server: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Cluster }[];
  readonly users: readonly { readonly name: string }[];
}

function kubeconfig(name: string, at: string): { readonly cluster: Cluster; readonly user: string } {
  const { clusters, users } = parse(readFileSync(file(name, at), "utf8")) as Kubeconfig;
  return { cluster: clusters[0]!.cluster, user: users[0]!.name };
}

/** Runs the preflight until nothing is left but what it is told to ignore, which no file from here is among. */
async function preflight(name: string): Promise<Ended & { readonly flags: readonly string[] }> {
  const ignored: string[] = [];
  for (;;) {
    const flags = ignored.map((kind) => `--ignore-preflight-errors=${kind}`);
    const ended = await join(name, "preflight", ...flags);
    const kinds = [...ended.stderr.matchAll(/^\t\[ERROR ([^\]]+)\]/gm)].map(([, kind]) => kind!);
    expect(kinds.filter((kind) => !OF_THE_MACHINE.test(kind) || ignored.includes(kind))).toEqual([]);
    if (kinds.length === 0) {
      return { ...ended, flags };
    }
    ignored.push(...new Set(kinds));
  }
}

/** All of `kubeadm join` that can be, in one command. */
async function joinsWhole(name: string, ...more: readonly string[]): Promise<Ended> {
  const { flags } = await preflight(name);
  const all = [...flags, ...more, "--skip-phases=kubelet-wait-bootstrap"];
  return inRoot(machine(name), "join", "--config", JOIN, ...all);
}

/** Starts a kubelet without containers with the kubeconfigs of kubeadm's unit, and waits for its node. */
async function becomesReady(root: string): Promise<void> {
  const name = path.basename(root);
  const [port] = await freePorts(1);
  const args = [
    ...hollowFlags(name, port!, file(root, "var/lib/kubelet/pki")),
    `--bootstrap-kubeconfig=${file(root, `${ETC}/bootstrap-kubelet.conf`)}`,
    `--kubeconfig=${file(root, `${ETC}/kubelet.conf`)}`,
  ];
  mkdirSync(file(root, "tmp"), { recursive: true });
  const env = { ...process.env, TMPDIR: file(root, "tmp") };
  const kubelet = await Daemon.start({ name, command: sandbox.tools.kubemark, args, folder, env });
  kubelets.push(kubelet);
  await kubelet.until("Ready", async () => {
    const args = ["get", "node", name, '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}'];
    return (await sandbox.kubectl(sandbox.first, ...args)).stdout === "True";
  });
}

test(`all phases of kubeadm join are run here but ${NOT_RUN.join(", ")}`, async () => {
  const help = await run(kubeadm, ["join", "--help"]);
  const found = [...help.split("```")[1]!.matchAll(/^([a-z-]+) /gm)].map(([, phase]) => phase!);
  expect(found.sort()).toEqual([...RUN, ...NOT_RUN].sort());
});

describe.each([
  { name: "node-1", who: "a worker without a name, by its token" },
  { name: "worker-1", who: "a worker with a name, by its certificate" },
  { name: "cp-2", who: "a further control plane, by the administrator's certificate" },
])("preflight of $who", ({ name }) => {
  test("finds the cluster, reads its configuration, and changes nothing", async () => {
    const delivered = hashes(name);
    const { code, stdout } = await preflight(name);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('"kubeadm-config" ConfigMap') });
    expect(hashes(name)).toMatchObject(delivered);
  });
});

describe("a further control plane", () => {
  test("uses what it finds, and gets the pods' manifests", async () => {
    const delivered = hashes("cp-2");
    const { code, stdout, stderr } = await join("cp-2", "control-plane-prepare", "all");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).not.toMatch(/Generating "/);
    expect(stdout.match(/Using (the )?existing/g)).toHaveLength(11);
    const manifests = ["apiserver", "controller-manager", "scheduler"].map(
      (part) => `${ETC}/manifests/kube-${part}.yaml`,
    );
    const now = hashes("cp-2");
    expect(now).toMatchObject(delivered);
    expect(Object.keys(now).filter((at) => !(at in delivered) && at.startsWith("etc/"))).toEqual(manifests);
    expect(readFileSync(file("cp-2", manifests[0]!), "utf8")).toContain("--advertise-address=192.0.2.2\n");
  });

  test("keeps its kubelet's certificate", async () => {
    const before = hashes("cp-2");
    expect(await join("cp-2", "kubelet-start")).toMatchObject({ code: 0 });
    expect(hashes("cp-2")).toMatchObject(before);
    expect(existsSync(file("cp-2", "var/lib/kubelet/config.yaml"))).toBe(true);
    expect(kubeconfig("cp-2", `${ETC}/kubelet.conf`)).toMatchObject({
      user: "system:node:cp-2",
      cluster: { server: `https://192.0.2.2:${sandbox.ports.apiServer}` },
    });
  });
});

describe("a worker", () => {
  test("with a name keeps its certificate, and is a node", async () => {
    const before = hashes("worker-1");
    expect(await joinsWhole("worker-1")).toMatchObject({ code: 0 });
    expect(hashes("worker-1")).toMatchObject(before);
    await becomesReady("worker-1");
  });

  test("without a name gets one by its token, and trusts the authorities of that day", async () => {
    const bundle = readFileSync(file("node-1", `${ETC}/pki/ca.crt`), "utf8");
    expect(await joinsWhole("node-1", "--node-name=node-1")).toMatchObject({ code: 0 });
    expect(readFileSync(file("node-1", `${ETC}/pki/ca.crt`), "utf8")).toBe(bundle);
    await becomesReady("node-1");
    const [client] = certificatesIn(file("node-1", "var/lib/kubelet/pki/kubelet-client-current.pem"));
    expect(client!.subject).toBe("O=system:nodes\nCN=system:node:node-1");
    const { cluster } = kubeconfig("node-1", `${ETC}/kubelet.conf`);
    expect(cluster["certificate-authority"]).toBeUndefined();
    expect(Buffer.from(cluster["certificate-authority-data"]!, "base64").toString()).toBe(bundle);
  });

  test("hears of a rotation once its kubeconfig names the file", async () => {
    const own = file("node-1", `${ETC}/kubelet.conf`);
    const authority = file("node-1", `${ETC}/pki/ca.crt`);
    const args = ["config", "set-cluster", "default-cluster", `--certificate-authority=${authority}`];
    expect(await sandbox.kubectl(own, ...args)).toMatchObject({ code: 0 });
    const { server } = sandbox;
    // kubectl writes a path from the kubeconfig's folder.
    const read = { server, "certificate-authority": "pki/ca.crt" };
    expect(kubeconfig("node-1", `${ETC}/kubelet.conf`).cluster).toEqual(read);
    expect((await sandbox.kubectl(own, "auth", "whoami")).stdout).toContain("system:node:node-1");
  });
});

describe("a token of a group of one's own", () => {
  test("lets a machine join", async () => {
    const { code, stderr } = await preflight("node-2");
    expect(code).toBe(0);
    expect(stderr).toMatch(/Continuing without it: configmaps "kube-proxy" is forbidden/);
    expect(await join("node-2", "kubelet-start", "--node-name=node-2")).toMatchObject({ code: 0 });
    await becomesReady("node-2");
  });

  test.each([
    ["clusterrolebinding/sandbox:get-nodes", 'cannot get resource "nodes"'],
    ["rolebinding/sandbox:kubeadm-config", '"kubeadm-config" is forbidden'],
    ["rolebinding/sandbox:kubelet-config", '"kubelet-config" is forbidden'],
  ])("needs %s for that", async (binding, problem) => {
    const name = binding.split(":")[1]!;
    await sandbox.export(["--worker"], machine(name), [PKI_STACK, ACCESS_STACK]);
    // It asks again and again, for a minute.
    appendFileSync(file(name, JOIN), "timeouts:\n  kubernetesAPICall: 1s\n");
    expect(await sandbox.kubectl(sandbox.first, "delete", binding, "--namespace=kube-system")).toMatchObject({
      code: 0,
    });
    const { code, stderr } = await join(name, "kubelet-start");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(problem) });
    await sandbox.apply(ACCESS_STACK, ownGroup);
    expect(await join(name, "kubelet-start")).toMatchObject({ code: 0 });
  });
});

describe("where no machine has an authority's key", () => {
  const CP = "keyless/cp-2";
  const WORKER = "keyless/worker-2";
  let keyless: SandboxDescription;

  beforeAll(async () => {
    keyless = sandbox.description.with({ elsewhere: ENDPOINT, authorityKeysOnMachines: false });
    await sandbox.apply(PKI_STACK, keyless);
    for (const name of [CP, WORKER]) {
      await sandbox.export(["--machine", path.basename(name)], machine(name), [PKI_STACK]);
      appendFileSync(path.join(machine(name), "etc/hosts"), `127.0.0.1 ${ENDPOINT}\n`);
    }
    await initPhases(CP, ["upload-config", "all"]);
  });

  const clusterInfo = (verb: string) =>
    sandbox.kubectl(sandbox.first, verb, "configmap", "cluster-info", "--namespace=kube-public");

  const bootstrap = () => file("node-2", `${ETC}/bootstrap-kubelet.conf`);

  test("what a kubelet asks for with a token is approved, and nobody signs it", async () => {
    await sandbox.restart("kube-controller-manager", undefined, keyless);
    expect((await requestCertificate(sandbox, bootstrap(), { name: "late", node: "late" })).stderr).toBe("");
    const args = ["get", "csr", "late", "--no-headers"];
    const shown = async () => (await sandbox.kubectl(sandbox.first, ...args)).stdout;
    await until("it was approved", async () => (await shown()).includes("Approved"));
    const log = readFileSync(path.join(sandbox.folder, "logs/kube-controller-manager.log"), "utf8");
    expect(log).toContain("Skipping CSR signer controller because no csr cert/key was specified");
    expect(await shown()).toMatch(/ Approved\n$/);
  });

  test("nobody joins by a token: what made it useful is taken away, and nothing is planned", async () => {
    const [, token] = /token: (.*)/.exec(readFileSync(bootstrap(), "utf8"))!;
    const ca = readFileSync(sandbox.file("cp-1", CA), "utf8");
    expect(await whoAmI(sandbox, { token, ca })).toBe(201);
    await sandbox.apply(ACCESS_STACK, keyless);
    const bindings = ["get", "clusterrolebindings,rolebindings", "--all-namespaces", "--output=name"];
    const { stdout } = await sandbox.kubectl(sandbox.first, ...bindings);
    expect(stdout.match(/(?<=\/)sandbox:.*/g)).toEqual(["sandbox:apiserver-to-kubelet", "sandbox:cluster-admins"]);
    await until("it ended", async () => (await whoAmI(sandbox, { token, ca })) === 401);
    expect(await sandbox.terraform(ACCESS_STACK, "plan", "-detailed-exitcode")).toMatchObject({ code: 0 });
  });

  test("a control plane needs cluster-info to find the cluster, a worker does not; clusterInfo makes it", async () => {
    expect(await clusterInfo("delete")).toMatchObject({ code: 0 });
    appendFileSync(file(CP, JOIN), "timeouts:\n  discovery: 1s\n");
    expect(await preflight(WORKER)).toMatchObject({ code: 0 });
    const failed = await preflight(CP);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('configmaps "cluster-info" not found') });
    await sandbox.apply(ACCESS_STACK, keyless.with({ access: { clusterInfo: true } }));
    expect(await preflight(CP)).toMatchObject({ code: 0 });
  });

  test("a further control plane joins with what is delivered, and signs nothing", async () => {
    const delivered = hashes(CP);
    expect(Object.keys(delivered).filter((at) => /(^|\/)ca\.key$|ca-signing/.test(at))).toEqual([]);
    const { code, stdout, stderr } = await join(CP, "control-plane-prepare", "all");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout.match(/External CA mode: Using user provided .*/g)).toHaveLength(3);
    expect(await join(CP, "kubelet-start")).toMatchObject({ code: 0 });
    expect(hashes(CP)).toMatchObject(delivered);
    const manifest = readFileSync(file(CP, `${ETC}/manifests/kube-controller-manager.yaml`), "utf8");
    const none = ["--cluster-signing-cert-file=", "--cluster-signing-key-file="];
    expect(manifest.match(/--cluster-signing-.*/g)).toEqual(none);
  });

  test("a worker with a name joins with its certificate, and is a node", async () => {
    const delivered = hashes(WORKER);
    expect(await joinsWhole(WORKER)).toMatchObject({ code: 0 });
    expect(hashes(WORKER)).toMatchObject(delivered);
    // Outside of the folder nobody knows the name.
    const kubelet = file(WORKER, `${ETC}/kubelet.conf`);
    writeFileSync(kubelet, readFileSync(kubelet, "utf8").replace(`//${ENDPOINT}:`, "//127.0.0.1:"));
    await becomesReady(WORKER);
  });
});

describe("what kubeadm made, taken over", () => {
  let adopting: SandboxDescription;

  beforeAll(async () => {
    // What `kubeadm init` does first, with the admin.conf that it makes.
    const admins = "--group=kubeadm:cluster-admins";
    const first = ["create", "clusterrolebinding", "kubeadm:cluster-admins", "--clusterrole=cluster-admin", admins];
    expect(await sandbox.kubectl(sandbox.first, ...first)).toMatchObject({ code: 0 });
    await initPhases("cp-2", ["bootstrap-token"]);
    const access = { ...ownGroup.access, adopt: true, clusterInfo: true };
    adopting = ownGroup.with({ stacks: "adopting", access });
  });

  interface Taken {
    readonly metadata: { readonly uid: string };
    readonly subjects?: readonly { readonly name: string }[];
    readonly rules?: readonly object[];
    readonly data?: Readonly<Record<string, string>>;
  }

  const objects = (namespace: string, names: readonly string[]) =>
    Promise.all(names.map((name) => sandbox.get<Taken>("get", name, `--namespace=${namespace}`)));
  const clusterInfo = () =>
    objects("kube-public", ["configmap/cluster-info", `role/${DISCOVERY}`, `rolebinding/${DISCOVERY}`]);
  const bindings = async () => {
    const reading = ["nodes-kubeadm-config", "kubelet-config"].map((name) => `rolebinding/kubeadm:${name}`);
    const found = await objects("kube-system", ["clusterrolebinding/kubeadm:get-nodes", ...reading]);
    return found.map(({ metadata, subjects = [] }) => ({
      uid: metadata.uid,
      subjects: subjects.map(({ name }) => name).sort(),
    }));
  };
  const isPlannedEmpty = async () => {
    const ended = await sandbox.terraform("adopting-access", "plan", "-detailed-exitcode", "-no-color");
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("No changes.") });
  };

  test("the bindings bind kubeadm's own group still, cluster-info says the same, and a second plan is empty", async () => {
    const before = await bindings();
    const [info, ...rights] = await clusterInfo();
    await sandbox.deploy("adopting-access", adopting);
    const expected = before.map(({ uid, subjects }) => ({ uid, subjects: [...subjects, GROUP].sort() }));
    expect(await bindings()).toEqual(expected);
    expect(before.map(({ subjects }) => subjects)).toEqual([
      [KUBEADM_GROUP],
      [KUBEADM_GROUP, "system:nodes"],
      [KUBEADM_GROUP, "system:nodes"],
    ]);
    const [infoNow, ...rightsNow] = await clusterInfo();
    const told = ({ metadata, subjects, rules }: Taken) => ({ uid: metadata.uid, subjects, rules });
    expect(rightsNow.map(told)).toEqual(rights.map(told));
    expect(infoNow!.data!.kubeconfig).toBe(info!.data!.kubeconfig);
    // To OpenTofu, 1.12 and later, what is made for the first time triggers a replacement: https://github.com/opentofu/opentofu/pull/3848
    const { stdout } = await sandbox.terraform("adopting-access", "version");
    const isSame = infoNow!.metadata.uid === info!.metadata.uid;
    expect(isSame).toBe(!stdout.startsWith("OpenTofu"));
    await isPlannedEmpty();
  });

  test("where nobody signs any more, those of nodes that join are deleted; kubeadm makes again what nodes read by", async () => {
    const [info] = await clusterInfo();
    const keyless = adopting.with({ authorityKeysOnMachines: false, access: { adopt: true, clusterInfo: true } });
    await sandbox.apply("adopting-access", keyless);
    const left = async () => {
      const args = ["get", "clusterrolebindings,rolebindings", "--namespace=kube-system", "--output=name"];
      return (await sandbox.kubectl(sandbox.first, ...args)).stdout.match(/(?<=\/)kubeadm:.*/g);
    };
    const stay = ["kubeadm:apiserver-kubelet-client", "kubeadm:cluster-admins", "kubeadm:node-proxier"];
    expect(await left()).toEqual(stay);
    await initPhases("cp-2", ["upload-config", "all"]);
    expect(await left()).toEqual([...stay, "kubeadm:kubelet-config", "kubeadm:nodes-kubeadm-config"]);
    expect((await clusterInfo())[0]!.metadata.uid).toBe(info!.metadata.uid);
    await isPlannedEmpty();
  });
});
