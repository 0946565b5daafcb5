import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import {
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  Generation,
  Generations,
  inventoryOf,
  JoinPassword,
} from "../../lib";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import type { Changes } from "../../lib/export/changes";
import { attempt, Ended } from "../sandbox/command";
import { findTools } from "../sandbox/tools";
import { Workspace } from "./workspace";

// The scripts of docs/rotation.md, as they stand there. `ssh` runs what it is given in a folder that stands for the machine; what only a
// machine has is recorded.

jest.setTimeout(600_000);

const ROOT = path.join(__dirname, "..", "..");
const PAGE = readFileSync(path.join(ROOT, "docs/rotation.md"), "utf8");

const CLUSTER: ClusterPkiProps["cluster"] = {
  name: "sample",
  endpoint: "api.sample.example.com:6443",
  serviceCidrs: ["10.96.0.0/16"],
  controlPlanes: [
    { name: "cp-1", addresses: ["10.0.0.11"] },
    { name: "cp-2", addresses: ["10.0.0.12"] },
  ],
};
const INTRODUCED: Generations = { g1: Generation.active(), g2: Generation.trusted() };
const PROMOTED: Generations = { g1: Generation.trusted(), g2: Generation.active() };

/** A path that begins a word is one of the machine. */
const SSH = `#!/bin/bash
[ "$1" = -n ] && shift
machine="\${1#root@}"
shift
printf '%s\\n' "$machine: $*" >> "$PLACE/calls"
[ ! -e "$PLACE/down-$machine" ] || exit 255
export MACHINE="$PLACE/$machine" PATH="$PLACE/machine-bin:$PATH"
mkdir -p "$MACHINE/root"
exec bash -ec "$(printf '%s' "$*" | sed "s#\\(^\\|[ '=]\\)/#\\1$MACHINE/#g")"
`;

/** The server of K3s: its command by the rules of its sources, and a start that writes what the datastore has. */
const K3S = `#!/bin/bash
set -e
case "$1 $2" in
  "certificate rotate-ca")
    problems=$(cd "$RULES" && go run . rotate "$MACHINE/var/lib/rancher/k3s/server/tls" "$4/tls")
    [ -z "$problems" ] || { echo "$problems" >&2; exit 1; }
    mkdir -p "$PLACE/datastore"
    cp -r "$4/tls" "$PLACE/datastore"
    ;;
  "etcd-snapshot save" | "kubectl get") ;;
  *) exit 64 ;;
esac
`;
const SYSTEMCTL = `#!/bin/bash
set -e
[ "$*" = "restart k3s" ] || exit 0
mkdir -p "$MACHINE/var/lib/rancher/k3s/server/cred"
[ ! -e "$PLACE/datastore" ] || cp -r "$PLACE/datastore/tls" "$MACHINE/var/lib/rancher/k3s/server"
`;
/** k0s has kubectl in it: the real one. */
const k0s = (kubectl: string) => `#!/bin/bash
[ "$1" = kubectl ] && shift && exec ${kubectl} "$@"
exit 64
`;
/** Of every component one container runs, whose id is its name. */
const CRICTL = `#!/bin/bash
case "$1" in
  ps) printf '%s\\n' "$4" | tr -d '^$' ;;
  stop) printf '%s\\n' "\${MACHINE##*/} stopped \${*: -1}" >> "$PLACE/stopped" ;;
esac
`;

let workspace: Workspace;
let place: string;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

function program(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

/** A folder with the scripts of the page, and machines that have nothing yet. */
function prepare(name: string): void {
  place = path.join(workspace.folder, name);
  for (const folder of ["bin", "machine-bin", "cp-1", "cp-2"]) {
    mkdirSync(path.join(place, folder), { recursive: true });
  }
  for (const [, file, text] of PAGE.matchAll(/```sh\n# (\S+\.sh) ([^]*?)```/g)) {
    writeFileSync(path.join(place, file!), `# ${text}`);
  }
  program(path.join(place, "bin/ssh"), SSH);
  const main = path.join(ROOT, "lib/cli/main.ts");
  const tsx = path.join(ROOT, "node_modules/tsx/dist/loader.mjs");
  program(path.join(place, "bin/kubernetes-pki"), `#!/bin/sh\nexec node --import ${tsx} ${main} "$@"\n`);
  program(path.join(place, "machine-bin/k3s"), K3S);
  program(path.join(place, "machine-bin/crictl"), CRICTL);
  program(path.join(place, "machine-bin/systemctl"), SYSTEMCTL);
  program(path.join(place, "machine-bin/curl"), "#!/bin/sh\n");
}

function script(name: string, ...args: string[]): Promise<Ended> {
  const { env } = workspace;
  const more = { PATH: `${place}/bin:${env["PATH"]}`, PLACE: place, RULES: path.join(__dirname, "k3s-rules") };
  return attempt("bash", [name, ...args], { cwd: place, env: { ...env, ...more } });
}

async function mustRun(name: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await script(name, ...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stderr;
}

/** What was recorded since the last time. */
function recorded(name: "calls" | "stopped"): string[] {
  const file = path.join(place, name);
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  rmSync(file, { force: true });
  return lines;
}

async function deploy(id: string, distribution: Distribution, props: Partial<ClusterPkiProps> = {}): Promise<void> {
  synth(id, distribution, props);
  await workspace.apply(id);
}

function synth(id: string, distribution: Distribution, props: Partial<ClusterPkiProps>): void {
  let inventory = "";
  workspace.synth(id, (stack) => {
    const pki = new ClusterPki(stack, "pki", { addressPrefix: "sample", distribution, cluster: CLUSTER, ...props });
    if (distribution.table.joinPasswords) {
      new RandomProvider(stack, "random");
      new JoinPassword(stack, "server", { pki });
    }
    inventory = JSON.stringify(inventoryOf(stack));
  });
  writeFileSync(path.join(workspace.stack(id), "pki-inventory.json"), inventory);
}

/** Files of a machine, without the records of what was exported. */
function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("var/lib/kubernetes-pki/"));
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(path.join(folder, file), "utf8")]));
}

async function expectDelivered(id: string, machine: string): Promise<void> {
  const exported = await workspace.export(["--machine", machine], `expected-${id}-${machine}-${Date.now()}`, id);
  expect(filesOf(path.join(place, machine))).toEqual(filesOf(exported));
}

test("the page has these scripts", () => {
  prepare("scripts");
  const names = readdirSync(place).filter((name) => name.endsWith(".sh"));
  expect(names.sort()).toEqual([
    "backup.sh",
    "deliver-changed.sh",
    "deliver.sh",
    "k0s-worker.sh",
    "restart.sh",
    "restore.sh",
    "rotate-ca.sh",
  ]);
});

describe("delivery over ssh", () => {
  let stack: string;
  /** What reads files of a control plane at its start: of every one of them a container is stopped but for the kubelet's. */
  const ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

  beforeAll(async () => {
    await deploy("kubeadm", Distribution.KUBEADM);
    stack = workspace.stack("kubeadm");
  });

  test("of an archive: one machine after the other, and all that reads at its start", async () => {
    prepare("archive");
    await mustRun("deliver.sh", stack, "cp-1", "cp-2");
    await expectDelivered("kubeadm", "cp-1");
    await expectDelivered("kubeadm", "cp-2");
    expect(recorded("stopped")).toEqual(
      ["cp-1", "cp-2"].flatMap((machine) => ALL.map((component) => `${machine} stopped ${component}`)),
    );
    const calls = recorded("calls");
    expect(calls.filter((call) => call.includes("kubelet"))).toEqual(
      ["cp-1", "cp-2"].flatMap((machine) => [
        `${machine}: rm -f -- '/var/lib/kubelet/pki/kubelet-client-current.pem'`,
        `${machine}: systemctl restart kubelet`,
      ]),
    );
    // The second machine is not touched before the first one's API server answers.
    const answered = calls.findIndex((call) => call.startsWith("cp-1: ") && call.includes("/readyz"));
    expect(answered).toBeGreaterThan(ALL.length);
    expect(calls.findIndex((call) => call.startsWith("cp-2: "))).toBe(answered + 1);
  });

  test("of an archive stops at a machine that fails, and sends nothing of what cannot be exported", async () => {
    prepare("archive-down");
    writeFileSync(path.join(place, "down-cp-1"), "");
    expect((await script("deliver.sh", stack, "cp-1", "cp-2")).code).not.toBe(0);
    expect(recorded("calls")).toEqual(["cp-1: tar -x -p -C /"]);
    expect((await script("deliver.sh", stack, "cp-9", "cp-2")).code).not.toBe(0);
    expect(recorded("calls")).toEqual(["cp-9: tar -x -p -C /"]);
    expect(recorded("stopped")).toEqual([]);
  });

  describe("from a folder", () => {
    beforeAll(async () => {
      prepare("folder");
      await mustRun("deliver-changed.sh", stack, "cp-1", "cp-2");
      recorded("calls");
    });

    test("delivers all the first time", async () => {
      await expectDelivered("kubeadm", "cp-1");
      expect(recorded("stopped")).toEqual(
        ["cp-1", "cp-2"].flatMap((machine) => ALL.map((component) => `${machine} stopped ${component}`)),
      );
    });

    test("restarts nothing where nothing changed", async () => {
      await mustRun("deliver-changed.sh", stack, "cp-1", "cp-2");
      expect(recorded("stopped")).toEqual([]);
      expect(recorded("calls")).toEqual(["cp-1: tar -x -p -C /", "cp-2: tar -x -p -C /"]);
    });

    // etcd and the API servers read this bundle at their start alone: test/e2e/reload.test.ts.
    test("restarts what reads a new bundle of etcd, after a machine was down as well, and what the plan said", async () => {
      synth("kubeadm", Distribution.KUBEADM, { authorities: { etcd: { generations: INTRODUCED } } });
      const planned = await plannedRestarts("kubeadm");
      await workspace.apply("kubeadm");
      expect(await changesBeside("cp-1")).toEqual(JSON.parse(/```json\n([^]*?)```/.exec(PAGE)![1]!));
      writeFileSync(path.join(place, "down-cp-1"), "");
      expect((await script("deliver-changed.sh", stack, "cp-1", "cp-2")).code).not.toBe(0);
      expect(recorded("stopped")).toEqual([]);
      expect(recorded("calls")).toEqual(["cp-1: tar -x -p -C /"]);

      rmSync(path.join(place, "down-cp-1"));
      await mustRun("deliver-changed.sh", stack, "cp-1", "cp-2");
      const expected = ["cp-1", "cp-2"].flatMap((machine) =>
        ["etcd", "kube-apiserver"].map((component) => `${machine} stopped ${component}`),
      );
      expect(recorded("stopped")).toEqual(expected);
      expect(planned).toEqual(expected);
      await expectDelivered("kubeadm", "cp-1");
      await expectDelivered("kubeadm", "cp-2");
    });

    test.each([
      ["introduced", INTRODUCED],
      ["promoted", PROMOTED],
    ])("restarts what the report of the plan names: kubernetes %s", async (_, generations) => {
      const etcd = { generations: INTRODUCED };
      synth("kubeadm", Distribution.KUBEADM, { authorities: { etcd, kubernetes: { generations } } });
      const planned = await plannedRestarts("kubeadm");
      await workspace.apply("kubeadm");
      recorded("calls");
      await mustRun("deliver-changed.sh", stack, "cp-1", "cp-2");
      const kubelets = recorded("calls").filter((call) => call.endsWith(": systemctl restart kubelet"));
      const restarted = [...recorded("stopped"), ...kubelets.map((call) => `${call.slice(0, 4)} stopped kubelet`)];
      expect(restarted.sort()).toEqual(planned);
      expect(planned).toContain("cp-1 stopped kube-controller-manager");
      await expectDelivered("kubeadm", "cp-2");
    });
  });

  /** What export says of its changes, in a copy of the machine's folder. */
  async function changesBeside(machine: string): Promise<unknown> {
    const copy = path.join(place, "out", `${machine}-copy`);
    cpSync(path.join(place, "out", machine), copy, { recursive: true });
    const argv = ["export", "--machine", machine, "--root", copy, "--changes", "json", stack];
    return JSON.parse((await workspace.kubernetesPki(...argv)).stdout) as unknown;
  }

  /** What the report of the plan has restarted, on the control planes. */
  async function plannedRestarts(id: string): Promise<string[]> {
    await workspace.plan(id);
    const file = path.join(workspace.folder, "plan.json");
    writeFileSync(file, await workspace.must(id, "show", "-json", "plan"));
    const inventory = path.join(workspace.stack(id), "pki-inventory.json");
    const argv = ["plan", "--format", "json", "--inventory", inventory, file];
    const { stdout } = await workspace.kubernetesPki(...argv);
    const { components } = JSON.parse(stdout) as Pick<Changes, "components">;
    return components
      .filter(({ action }) => action === "restart")
      .flatMap(({ component, holders }) => holders.map((holder) => `${holder} stopped ${component}`))
      .filter((line) => line.startsWith("cp-"))
      .sort();
  }
});

describe("rotate-ca of K3s", () => {
  const AUTHORITIES = ["server", "client", "request-header", "etcd-server", "etcd-peer"];
  const everyAuthority = (generations: Generations) =>
    Object.fromEntries(AUTHORITIES.map((name) => [name, { generations }]));
  const TLS = "var/lib/rancher/k3s/server/tls";
  let stack: string;

  beforeAll(async () => {
    prepare("k3s");
    await deploy("k3s", Distribution.K3S);
    stack = workspace.stack("k3s");
    for (const machine of ["cp-1", "cp-2"]) {
      cpSync(await workspace.export(["--machine", machine], `first-${machine}`, "k3s"), path.join(place, machine), {
        recursive: true,
      });
    }
    await mustRun("bin/ssh", "root@cp-1", "systemctl restart k3s");
    await mustRun("bin/ssh", "root@cp-2", "systemctl restart k3s");
    recorded("calls");
  });

  test.each([
    ["introduced", INTRODUCED],
    ["promoted", PROMOTED],
  ])("the script takes the step to %s authorities to every server", async (_, generations) => {
    await deploy("k3s", Distribution.K3S, {
      authorities: everyAuthority(generations),
      serviceAccount: { generations },
    });
    const before = readFileSync(path.join(place, "cp-1", TLS, "server-ca.crt"), "utf8");
    const stderr = await mustRun("rotate-ca.sh", stack, "cp-1", "cp-2");
    expect(stderr).toContain("left out 11 files that a first start alone reads");
    expect(readFileSync(path.join(place, "cp-1", TLS, "server-ca.crt"), "utf8")).not.toBe(before);
    await expectDelivered("k3s", "cp-1");
    await expectDelivered("k3s", "cp-2");
    const calls = recorded("calls").map((call) => call.replace(/"umask.*|'umask.*/, "umask …"));
    expect(calls.map((call) => call.split(" ").slice(0, 4).join(" "))).toEqual([
      "cp-1: k3s etcd-snapshot save",
      "cp-1: umask 077 &&",
      "cp-1: k3s certificate rotate-ca",
      "cp-1: rm -rf /root/rotate-ca",
      "cp-1: tar -x -p",
      "cp-2: tar -x -p",
      "cp-1: systemctl restart k3s",
      "cp-1: timeout 300 sh",
      "cp-2: systemctl restart k3s",
      "cp-2: timeout 300 sh",
    ]);
    expect(existsSync(path.join(place, "cp-1/root/rotate-ca"))).toBe(false);
  });

  test("a step that the command refuses restarts nobody", async () => {
    const generations = { g1: Generation.retired(), g2: Generation.trusted(), g3: Generation.active() };
    await deploy("k3s", Distribution.K3S, { authorities: everyAuthority(generations) });
    const before = filesOf(path.join(place, "cp-1"));
    const { code, stderr } = await script("rotate-ca.sh", stack, "cp-1", "cp-2");
    expect(code).not.toBe(0);
    expect(stderr).toContain("server: not verified by the authorities in use");
    expect(recorded("calls").filter((call) => call.includes("restart"))).toEqual([]);
    expect(Object.entries(filesOf(path.join(place, "cp-1"))).filter(([file]) => !file.startsWith("root/"))).toEqual(
      Object.entries(before),
    );
  });
});

describe("workers of k0s", () => {
  const CONF = "var/lib/k0s/kubelet.conf";
  const FILE = "etc/k0s/ca-bundle.crt";
  let g1: string;

  /** Gives the controller what a step delivers to it. */
  async function controllerHas(generations: Generations): Promise<string> {
    await deploy("k0s", Distribution.K0S, { authorities: { kubernetes: { generations } } });
    const exported = await workspace.export(["--machine", "cp-1"], `k0s-${Date.now()}`, "k0s");
    cpSync(exported, path.join(place, "cp-1"), { recursive: true });
    return readFileSync(path.join(exported, "var/lib/k0s/pki/ca-bundle.crt"), "utf8");
  }

  beforeAll(async () => {
    prepare("k0s");
    const { kubectl } = await findTools(["kubectl"], {});
    program(path.join(place, "machine-bin/k0s"), k0s(kubectl));
    g1 = await controllerHas({ g1: Generation.active() });
    for (const worker of ["worker-1", "worker-2"]) {
      for (const file of [CONF, FILE]) {
        mkdirSync(path.dirname(path.join(place, worker, file)), { recursive: true });
      }
      // As a kubelet writes it that joined with a token: pkg/kubelet/certificate/bootstrap, bootstrapKubeconfig.
      const [cluster, user] = ["default-cluster", "default-auth"];
      const text = JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          {
            name: cluster,
            cluster: {
              server: "https://api.sample.example.com:6443",
              "certificate-authority-data": Buffer.from(g1).toString("base64"),
            },
          },
        ],
        contexts: [{ name: "default-context", context: { cluster, user, namespace: "default" } }],
        "current-context": "default-context",
        users: [{ name: user, user: { "client-certificate": "/var/lib/kubelet/pki/kubelet-client-current.pem" } }],
      });
      writeFileSync(path.join(place, worker, CONF), text);
    }
  });

  test.each([
    ["introduce", INTRODUCED],
    ["retire", { g1: Generation.retired(), g2: Generation.active() }],
  ])("have the bundle of the controllers in a file that their kubeconfig names, after %s", async (_, generations) => {
    const bundle = await controllerHas(generations);
    expect(bundle).not.toBe(g1);
    await mustRun("k0s-worker.sh", "cp-1", "worker-1", "worker-2");
    for (const worker of ["worker-1", "worker-2"]) {
      expect(readFileSync(path.join(place, worker, FILE), "utf8")).toBe(bundle);
      expect(parse(readFileSync(path.join(place, worker, CONF), "utf8"))).toMatchObject({
        // The file, and nothing that it would stand behind.
        clusters: [
          {
            name: "default-cluster",
            cluster: {
              server: "https://api.sample.example.com:6443",
              "certificate-authority": path.join(place, worker, FILE),
            },
          },
        ],
        contexts: [{ context: { cluster: "default-cluster", user: "default-auth", namespace: "default" } }],
        "current-context": "default-context",
        users: [{ user: { "client-certificate": expect.stringContaining("kubelet-client-current.pem") as string } }],
      });
      expect(readFileSync(path.join(place, worker, CONF), "utf8")).not.toContain("certificate-authority-data");
    }
    // One after the other, and each is restarted when it has both.
    const calls = recorded("calls").map((call) => call.split(" ").slice(0, 3).join(" "));
    const ofWorker = (worker: string) => [`${worker}: cat >`, `${worker}: k0s kubectl`, `${worker}: systemctl restart`];
    expect(calls).toEqual([
      "cp-1: cat /var/lib/k0s/pki/ca-bundle.crt",
      ...ofWorker("worker-1"),
      ...ofWorker("worker-2"),
    ]);
  });

  test("of which one is down are left as they are, and the script says so", async () => {
    const before = readFileSync(path.join(place, "worker-1", CONF), "utf8");
    writeFileSync(path.join(place, "down-cp-1"), "");
    expect((await script("k0s-worker.sh", "cp-1", "worker-1")).code).not.toBe(0);
    expect(readFileSync(path.join(place, "worker-1", CONF), "utf8")).toBe(before);
    expect(readFileSync(path.join(place, "worker-1", FILE), "utf8")).toContain("BEGIN CERTIFICATE");
    expect(recorded("calls").filter((call) => call.includes("restart"))).toEqual([]);
  });
});
