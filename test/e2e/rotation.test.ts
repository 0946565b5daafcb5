import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PKI_STACK, ROTATION_STEPS, RotationStep } from "../sandbox/description";
import { kubernetesPki } from "../sandbox/kubernetes-pki";
import { rotatable, Rotation, RotationReport, StepReport } from "../sandbox/rotation";
import { Sandbox } from "../sandbox/sandbox";

// All authorities and the service accounts' key pair are rotated at once, on two control planes and three machines of etcd, while every
// identity of the table calls, and nodes that joined by token go on. `npm run sandbox -- --rotate <name>` does the same with one of them.

jest.setTimeout(600_000);

const NODES = ["node-1", "node-2"];
const MACHINES = ["etcd-1", "etcd-2", "etcd-3", "cp-1", "cp-2"];
/** Before the first delivery, and after each machine but the last that shows the authority, its gate is shut. */
const SHUT_FOR: Readonly<Record<string, number>> = { etcd: 3, kubernetes: 5, "front-proxy": 5 };

const folder = mkdtempSync(path.join(tmpdir(), "rotation-"));
let sandbox: Sandbox;
let rotation: RotationReport;
/** What was seen after each step. */
const seen: Partial<Record<RotationStep, unknown>> = {};

beforeAll(async () => {
  const options = { highlyAvailable: true, nodes: NODES, progress: () => undefined };
  sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), ...options });
  const names = rotatable(sandbox.description.props.distribution.table);
  const look = async ({ step }: StepReport) => {
    seen[step] = { nodes: NODES.map(signerOf), gate: await gateBefore(names, step) };
  };
  rotation = await new Rotation(sandbox, names, NODES, look).play();
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
  for (const { step, seconds, compared } of rotation?.steps ?? []) {
    process.stdout.write(`${step} in ${seconds.toFixed(0)} s, verify and clients compared at ${compared} ports\n`);
  }
  for (const [group, { made, refused, failures }] of rotation?.load.counts ?? []) {
    process.stdout.write(
      `${group}: ${made} calls, ${refused} refused by a server that started, ${failures.length} failed\n`,
    );
  }
});

test("no call failed, of at least 20 a second", () => {
  const { failures, perSecond } = rotation.load.total;
  expect(failures).toEqual([]);
  expect(perSecond).toBeGreaterThanOrEqual(20);
  const groups = [
    "clients of the table",
    "front proxies",
    "clients of etcd",
    "nodes that joined by token",
    "heartbeats",
  ];
  expect([...rotation.load.counts.keys()]).toEqual(
    expect.arrayContaining([...groups, "service accounts", "one who asks again"]),
  );
});

test("at the end nothing of the first generation is accepted anywhere", () => {
  expect(rotation.stillAccepted).toEqual([]);
});

test("what verify says is what clients see, at every port, before, between and after", () => {
  expect(rotation.steps.map(({ step, differences }) => [step, differences])).toEqual(
    ROTATION_STEPS.map((step) => [step, []]),
  );
  // Six ports of etcd, four of the control planes: once before, after each of five machines, and at the end.
  expect(rotation.steps.map(({ compared }) => compared)).toEqual([70, 70, 70, 70]);
});

test("no gate opens before the last machine, and each does then", () => {
  for (const { step, gates } of rotation.steps) {
    for (const [gate, codes] of Object.entries(gates)) {
      // Nobody serves what the front proxies' authority signs, so nobody can see it.
      const never = gate === "front-proxy=g2:active";
      const shut = never ? MACHINES.length + 2 : SHUT_FOR[gate.split("=")[0]!]!;
      expect([step, gate, codes.slice(0, shut)]).toEqual([step, gate, Array.from({ length: shut }, () => 2)]);
      expect([step, gate, codes.at(-1)]).toEqual([step, gate, never ? 2 : 0]);
    }
  }
});

test("what starts again is what the export names: once on each machine, in each step that changes its files", () => {
  const restarted = rotation.steps.map(({ step, deliveries }) => [
    step,
    Object.fromEntries(deliveries.map(({ to, restarted }) => [to, restarted.join(" ")])),
  ]);
  const etcd = Object.fromEntries(["etcd-1", "etcd-2", "etcd-3"].map((name) => [name, "etcd"]));
  const servers = Object.fromEntries(["cp-1", "cp-2"].map((name) => [name, "kube-apiserver kube-controller-manager"]));
  const all = { ...etcd, ...servers, operator: "", "node-1": "kubelet", "node-2": "kubelet" };
  const none = Object.fromEntries(Object.keys(all).map((name) => [name, ""]));
  expect(restarted).toEqual([
    ["introduced", all],
    ["promoted", all],
    ["retired", all],
    ["removed", none],
  ]);
});

test("nodes join at every step, and again after the promotion: then their certificates are of the next generation", () => {
  expect(rotation.steps.map(({ joined }) => joined)).toEqual([
    ["node-introduced"],
    [...NODES, "node-promoted"],
    ["node-retired"],
    ["node-removed"],
  ]);
  const nodes = (id: string) => NODES.map(() => ({ id, hours: 30 * 24 }));
  expect(seen).toEqual({
    introduced: { nodes: nodes("g1"), gate: expect.anything() as unknown },
    // The plan knows of no certificate that a node has.
    promoted: { nodes: nodes("g2"), gate: { code: 3, dangers: ["retired-too-soon"] } },
    retired: { nodes: nodes("g2"), gate: { code: 2, dangers: [] } },
    removed: { nodes: nodes("g2"), gate: undefined },
  });
});

/** What the report says of the plan of the next step. */
async function gateBefore(names: readonly string[], step: RotationStep) {
  const next = ROTATION_STEPS[ROTATION_STEPS.indexOf(step) + 1];
  if (!next) {
    return undefined;
  }
  await sandbox.synth(sandbox.description.with({ rotation: { of: names, step: next } }));
  await sandbox.terraform(PKI_STACK, "plan", "-out=plan");
  const { stdout } = await sandbox.terraform(PKI_STACK, "show", "-json", "plan");
  const { code, stdout: report } = await kubernetesPki(["plan", "--format", "json", "-"], {
    cwd: folder,
    input: stdout,
  });
  const { dangers } = JSON.parse(report) as { readonly dangers: readonly { readonly code: string }[] };
  return { code, dangers: [...new Set(dangers.map((danger) => danger.code))] };
}

/** Which generation signed a node's certificate, and for how long: the description's default, and what the controller-manager dates back. */
function signerOf(node: string): { readonly id: string; readonly hours: number } {
  const pem = readFileSync(sandbox.file(node, "/var/lib/kubelet/pki/kubelet-client-current.pem"), "utf8");
  const { issuer, validFrom, validTo } = new X509Certificate(pem);
  const hours = Math.floor((Date.parse(validTo) - Date.parse(validFrom)) / 3_600_000);
  // A subject without OU is that of the first generation.
  return { id: /OU=(g\d+)/.exec(issuer)?.[1] ?? "g1", hours };
}
