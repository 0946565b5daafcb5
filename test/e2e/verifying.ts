import { readFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import type { Inventory } from "../../lib";
import { run } from "../../lib/cli/main";
import type { VerifyReport } from "../../lib/verify/report";
import type { Component } from "../sandbox/components";
import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import type { Sandbox } from "../sandbox/sandbox";

/** What `kubernetes-pki verify` says. */
export interface Verified {
  readonly code: number;
  readonly report: VerifyReport;
}

const RUNNING: readonly string[] = ["etcd", "kube-apiserver", "kube-controller-manager"] satisfies Component[];

/** Runs `kubernetes-pki verify` in this process, with its report as JSON. */
export async function verify(sandbox: Sandbox, argv: readonly string[]): Promise<Verified> {
  const { terraform, kubectl } = sandbox.tools;
  let [out, err] = ["", ""];
  const code = await run(["verify", ...argv, "-o", "json"], {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    cwd: sandbox.folder,
    env: { ...process.env, TERRAFORM_BINARY_NAME: terraform, KUBECTL_BINARY_NAME: kubectl },
  });
  expect([code, err]).toEqual([expect.any(Number), ""]);
  return { code, report: JSON.parse(out) as VerifyReport };
}

/** Where the inventory of the PKI stack is. */
export function inventoryOf(sandbox: Sandbox): string {
  return path.join(sandbox.stack(PKI_STACK), "pki-inventory.json");
}

/** Says where the components of the control plane are, and leaves out those that do not run here. */
export function choicesOf(sandbox: Sandbox, other: Readonly<Record<string, number>> = {}): string[] {
  const { machines = [] } = JSON.parse(readFileSync(inventoryOf(sandbox), "utf8")) as Inventory;
  const components = machines.find(({ name }) => name === CONTROL_PLANE)!.ports.map(({ component }) => component);
  const { apiServer, etcdClient, etcdPeer, controllerManager } = sandbox.ports;
  const ports: Readonly<Record<string, number>> = {
    ...{ "kube-apiserver": apiServer, "etcd:2379": etcdClient, "etcd:2380": etcdPeer },
    ...{ "kube-controller-manager": controllerManager },
    ...other,
  };
  return [
    ...["--machine", CONTROL_PLANE],
    ...[...new Set(components)].filter((name) => !RUNNING.includes(name)).flatMap((name) => ["--skip", name]),
    ...Object.entries(ports).flatMap(([name, number]) => ["--port", `${CONTROL_PLANE}/${name}=${number}`]),
  ];
}

/** Tests that `verify` says of a control plane that was just started that all is as issued. */
export function describeVerify(sandbox: () => Sandbox): void {
  test("verify says that every component serves and trusts what was issued", async () => {
    const { code, report } = await verify(sandbox(), [sandbox().stack(PKI_STACK), ...choicesOf(sandbox())]);
    const wrong = report.ports.filter(({ served, trusted }) =>
      [served.verdict, trusted.verdict].some((one) => one && one !== "as-issued"),
    );
    expect(wrong).toEqual([]);
    expect([code, report.verdict]).toEqual([0, "as-issued"]);
    expect(report.ports.map(({ component }) => component)).toEqual(["etcd", ...RUNNING]);
  });
}
