import { readFileSync } from "node:fs";
import type { Inventory } from "../../lib";
import type { VerifyReport } from "../../lib/verify/report";
import { componentsOf } from "./components";
import { kubernetesPki } from "./kubernetes-pki";
import type { Sandbox } from "./sandbox";

/** What `kubernetes-pki verify` says. */
export interface Verified {
  readonly code: number;
  readonly report: VerifyReport;
}

/** Runs `kubernetes-pki verify` in this process, with its report as JSON. */
export async function verify(sandbox: Sandbox, argv: readonly string[]): Promise<Verified> {
  const { terraform, kubectl } = sandbox.tools;
  const env = { ...process.env, TERRAFORM_BINARY_NAME: terraform, KUBECTL_BINARY_NAME: kubectl };
  const { code, stdout, stderr } = await kubernetesPki(["verify", ...argv, "-o", "json"], { cwd: sandbox.folder, env });
  if (stderr) {
    throw new Error(stderr);
  }
  return { code, report: JSON.parse(stdout) as VerifyReport };
}

/** Says where the components of the control plane are, and leaves out those that do not run here. */
export function choicesOf(sandbox: Sandbox, other: Readonly<Record<string, number>> = {}): string[] {
  return [...sandbox.servers.flatMap(({ machine }) => ["--machine", machine.name]), ...placesOf(sandbox, other)];
}

/** Leaves kubelets out, where the inventory says of any what it serves: those without containers do not serve what they are given. */
export function withoutKubelets(sandbox: Sandbox): string[] {
  const { machines = [] } = inventoryOf(sandbox);
  const served = machines.flatMap(({ ports }) => ports.map(({ component }) => component));
  return served.includes("kubelet") ? ["--skip", "kubelet"] : [];
}

function inventoryOf(sandbox: Sandbox): Inventory {
  return JSON.parse(readFileSync(sandbox.inventory, "utf8")) as Inventory;
}

/** Says where they are, and nothing of which machines are looked at. */
export function placesOf(sandbox: Sandbox, other: Readonly<Record<string, number>> = {}): string[] {
  const { machines = [] } = inventoryOf(sandbox);
  const { apiServer, etcdClient, etcdPeer, controllerManager } = sandbox.ports;
  const ports: Readonly<Record<string, number>> = {
    ...{ "kube-apiserver": apiServer, "etcd:2379": etcdClient, "etcd:2380": etcdPeer },
    ...{ "kube-controller-manager": controllerManager },
    ...other,
  };
  const skipped = sandbox.servers.flatMap((server) => {
    const running: readonly string[] = componentsOf(server);
    const { name } = server.machine;
    const described = machines.find((machine) => machine.name === name)!.ports.map(({ component }) => component);
    return [...new Set(described)].filter((component) => !running.includes(component)).map((one) => `${name}/${one}`);
  });
  return [
    ...skipped.flatMap((name) => ["--skip", name]),
    ...Object.entries(ports).flatMap(([name, number]) => ["--port", `${name}=${number}`]),
  ];
}
