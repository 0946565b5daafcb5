import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CONTROL_PLANE, PKI_STACK, RotationStep } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { CA, certificatesIn, CLIENT, generationIn, identityIn, isAlive, issuerOf, whoAmI } from "./nodes";

// A delivery that reached some machines and stopped: a control plane and nodes that are a step apart, either way round, and a machine on
// which some components were restarted and others not. Everything was broken off once, so that no open connection hides anything.

jest.setTimeout(300_000);

const AUTHORITIES = ["kubernetes", "etcd", "front-proxy"];
const folder = mkdtempSync(path.join(tmpdir(), "mixed-"));
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await Sandbox.start({
    folder: path.join(folder, "sandbox"),
    nodes: ["node-1", "node-2"],
    progress: () => undefined,
  });
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `MIXED_MACHINES=all` plays the promotion as well, after it. */
const STEPS: readonly RotationStep[] =
  process.env["MIXED_MACHINES"] === "all" ? ["introduced", "promoted"] : ["introduced"];

describe.each(STEPS)("%s", (step) => {
  /** The operator's kubeconfig of the step before. */
  let before: ReturnType<typeof identityIn>;

  beforeAll(async () => {
    before = identityIn(sandbox.first);
    const rotation = { of: AUTHORITIES, step };
    await sandbox.deploy(PKI_STACK, sandbox.description.with({ rotation }));
  });

  test("on one node alone: both nodes go on with the control plane of the step before", async () => {
    await deliver("node-1");
    await expectAllWork();
  });

  test("on the control plane as well: both nodes go on, one of them with the files of the step before", async () => {
    await deliver(CONTROL_PLANE);
    // A delivery that stopped between two restarts.
    await sandbox.restart("etcd");
    await expectAllWork();
    await sandbox.restart("kube-apiserver");
    await expectAllWork();
    await sandbox.restart("kube-controller-manager");
    await sandbox.restart("etcd");
    await expectAllWork();
    expect(bundleOf("node-2")).not.toEqual(bundleOf("node-1"));
  });

  test("machines join with the files of either step", async () => {
    await sandbox.join(`${step}-node`);
    rmSync(sandbox.kubelet("node-2"));
    rmSync(sandbox.file("node-2", CLIENT));
    await sandbox.restartNode("node-2");
    expect(await isAlive(sandbox, "node-2")).toBe(true);
    const signer = { introduced: "g1", promoted: "g2" }[step as string];
    expect([issuerOf(sandbox, `${step}-node`), issuerOf(sandbox, "node-2")]).toEqual([signer, signer]);
  });

  test("delivered again, to all: nobody is a step behind", async () => {
    await deliver(CONTROL_PLANE);
    await deliver("operator");
    await deliver("node-1");
    await deliver("node-2");
    await expectAllWork();
    expect(bundleOf("node-1")).toEqual(bundleOf(CONTROL_PLANE));
    expect(bundleOf("node-2")).toEqual(bundleOf(CONTROL_PLANE));
  });

  /** Nodes that were restarted renew their leases; operators come in with the kubeconfig of this step and of the one before. */
  async function expectAllWork(): Promise<void> {
    await Promise.all(["node-1", "node-2"].map((node) => sandbox.restartNode(node)));
    const alive = await Promise.all(["node-1", "node-2"].map((node) => isAlive(sandbox, node)));
    const operators = [identityIn(sandbox.first), before].map((asking) => whoAmI(sandbox, asking));
    expect([alive, await Promise.all(operators)]).toEqual([
      [true, true],
      [201, 201],
    ]);
  }
});

async function deliver(machine: string): Promise<void> {
  const who = { [CONTROL_PLANE]: ["--machine", CONTROL_PLANE], operator: ["--operator"] }[machine] ?? ["--worker"];
  await sandbox.export(who, sandbox.machine(machine), [PKI_STACK]);
}

/** Generations in the order of the file. */
function bundleOf(machine: string): string[] {
  return certificatesIn(sandbox.file(machine, CA)).map(({ subject }) => generationIn(subject));
}
