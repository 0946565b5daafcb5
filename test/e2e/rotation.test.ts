import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Identity } from "../sandbox/ask";
import { PKI_STACK, ROTATION_STEPS, RotationStep } from "../sandbox/description";
import { kubernetesPki } from "../sandbox/kubernetes-pki";
import { askEndpoint, persistent } from "../sandbox/load";
import { rotatable, Rotation, RotationReport, StepReport } from "../sandbox/rotation";
import { Sandbox } from "../sandbox/sandbox";
import { placesOf, verify } from "../sandbox/verification";
import { AggregatedServer, PROBE } from "./aggregated-server";
import { CA, certificatesIn, CLIENT, clientOf, generationIn, issuerOf, whoAmI } from "./nodes";

// All authorities and the service accounts' key pair are rotated at once, on two control planes and three machines of etcd, while every
// identity of the table calls, and nodes that joined by token go on. `npm run sandbox -- --rotate <name>` does the same with one of them.
// Counted apart is what a server refuses while it starts again, of callers that ask no other.

jest.setTimeout(900_000);

const NODES = ["node-1", "node-2"];
const MACHINES = ["etcd-1", "etcd-2", "etcd-3", "cp-1", "cp-2"];
/** Before the first delivery, and after each machine but the last that shows the authority, its gate is shut. */
const SHUT_FOR: Readonly<Record<string, number>> = { etcd: 3, kubernetes: 5, "front-proxy": 5 };

const folder = mkdtempSync(path.join(tmpdir(), "rotation-"));
let sandbox: Sandbox;
let aggregated: AggregatedServer;
/** What a node came with before anything was rotated. */
let old: Identity;
let rotation: RotationReport;
/** What was seen when a step was over. */
const seen: Partial<Record<RotationStep, Awaited<ReturnType<typeof look>>>> = {};

beforeAll(async () => {
  const options = { highlyAvailable: true, nodes: NODES, progress: () => undefined };
  sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), ...options });
  old = clientOf(sandbox, NODES[0]!);
  mkdirSync(path.join(folder, "extension"));
  aggregated = await AggregatedServer.behind(sandbox, path.join(folder, "extension"));
  for (let times = 0; (await askEndpoint(sandbox, PROBE)).status !== 200; times++) {
    expect(times).toBeLessThan(300);
    await sleep(100);
  }
  const names = rotatable(sandbox.description.props.distribution.table);
  const told = async (report: StepReport) => void (seen[report.step] = await look(names, report.step));
  const more = [persistent(sandbox, "an aggregated API", PROBE)];
  rotation = await new Rotation(sandbox, names, NODES, told, more).play();
});

afterAll(async () => {
  await aggregated?.stop();
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

test("no call failed, of anybody", () => {
  const { failures, made } = rotation.load.total;
  expect(failures).toEqual([]);
  expect(made).toBeGreaterThan(1500);
  expect([...rotation.load.counts.keys()].sort()).toEqual([
    "an aggregated API",
    "clients of etcd",
    "clients of the table",
    "front proxies",
    "heartbeats",
    "nodes",
    "one who asks again",
    "service accounts",
  ]);
});

test("at the end nothing of the first generation is accepted anywhere", () => {
  expect(rotation.stillAccepted).toEqual([]);
  expect(ROTATION_STEPS.map((step) => [step, seen[step]!.old])).toEqual([
    ["introduced", 201],
    ["promoted", 201],
    ["retired", 401],
    ["removed", 401],
  ]);
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

test("whoever asks the cluster as well hears of nodes that come with the last generation, and of what aggregated APIs are told", () => {
  const inTheWay = Object.fromEntries(rotation.steps.map((step) => [step.step, step.inTheWay]));
  const open = { before: [], after: [] };
  const unseen = ["no port that was looked at shows what it signed"];
  const node = (name: string): unknown =>
    expect.stringMatching(`^${name} kubelet-client: comes with what kubernetes g1 signed, until `);
  const told = (key: string, authority: string) =>
    `kube-system extension-apiserver-authentication ${key}: still trusts ${authority} g1`;
  expect(inTheWay).toEqual({
    introduced: { "kubernetes=g2:trusted": open, "front-proxy=g2:trusted": open, "etcd=g2:trusted": open },
    promoted: {
      "kubernetes=g2:active": { before: NODES.map(node), after: [] },
      "front-proxy=g2:active": { before: unseen, after: unseen },
      "etcd=g2:active": open,
    },
    retired: {
      "kubernetes=g1:retired": { before: [told("client-ca-file", "kubernetes")], after: [] },
      "front-proxy=g1:retired": { before: [told("requestheader-client-ca-file", "front-proxy")], after: [] },
      "etcd=g1:retired": open,
    },
    removed: {},
  });
});

test("of nodes whose requests are deleted verify says that nobody sees what they have", () => {
  const { unseen, skipped } = seen.retired!;
  const reason = /^2 of 2 nodes: their client certificates cannot be seen: node-1, node-2\. /;
  expect(unseen).toEqual({ code: 2, reasons: [expect.stringMatching(reason)] });
  expect(skipped).toEqual({ code: 0, reasons: [] });
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

test("who joined by token is given the authorities by a file, and joins again after the promotion", () => {
  expect(rotation.steps.map(({ joined }) => joined)).toEqual([
    ["node-introduced"],
    [...NODES, "node-promoted"],
    ["node-retired"],
    ["node-removed"],
  ]);
  const nodes = (trusted: readonly string[], signer: string) =>
    NODES.map((name) => ({ reads: sandbox.file(name, CA), trusted, signer, hours: 30 * 24 }));
  expect(ROTATION_STEPS.map((step) => [step, seen[step]!.nodes])).toEqual([
    ["introduced", nodes(["g1", "g2"], "g1")],
    ["promoted", nodes(["g2", "g1"], "g2")],
    ["retired", nodes(["g2"], "g2")],
    ["removed", nodes(["g2"], "g2")],
  ]);
});

test("the plan of the next step stops where it only knows that nodes may have what the last generation signed", () => {
  expect(ROTATION_STEPS.map((step) => [step, seen[step]!.next])).toEqual([
    ["introduced", { code: 2, dangers: [] }],
    ["promoted", { code: 3, dangers: ["retired-too-soon"] }],
    ["retired", { code: 2, dangers: [] }],
    ["removed", undefined],
  ]);
});

async function look(names: readonly string[], step: RotationStep) {
  if (step === "retired") {
    await sandbox.kubectl(sandbox.first, "delete", "certificatesigningrequests", "--all");
  }
  const asked = { as: old, ca: readFileSync(sandbox.file(NODES[0]!, CA), "utf8") };
  const gates =
    step === "retired"
      ? { unseen: await gate("kubernetes=g1:retired"), skipped: await gate("kubernetes=g1:retired", "kubelet-client") }
      : {};
  // The plan of the next step comes last: its stack is then what is found in the folder.
  const now = { old: await whoAmI(sandbox, asked), nodes: NODES.map(nodeNow), ...gates };
  return { ...now, next: await planAfter(names, step) };
}

/** What a node reads, whom it trusts, who signed its certificate, and for how long: the default, and what the controller-manager dates back. */
function nodeNow(node: string) {
  const [certificate] = certificatesIn(sandbox.file(node, CLIENT)) as [X509Certificate];
  return {
    reads: /certificate-authority: (.*)/.exec(readFileSync(sandbox.kubelet(node), "utf8"))?.[1],
    trusted: certificatesIn(sandbox.file(node, CA)).map(({ subject }) => generationIn(subject)),
    signer: issuerOf(sandbox, node),
    hours: Math.floor((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 3_600_000),
  };
}

/** What the report says of the plan of the next step. */
async function planAfter(names: readonly string[], step: RotationStep) {
  const next = ROTATION_STEPS[ROTATION_STEPS.indexOf(step) + 1];
  if (!next) {
    return undefined;
  }
  const plan = await sandbox.plan(PKI_STACK, sandbox.description.with({ rotation: { of: names, step: next } }));
  const { code, stdout } = await kubernetesPki(["plan", "--format", "json", "-"], { cwd: folder, input: plan });
  const { dangers } = JSON.parse(stdout) as { readonly dangers: readonly { readonly code: string }[] };
  return { code, dangers: [...new Set(dangers.map((danger) => danger.code))] };
}

/** A gate by the ports and by the cluster, of all that does not stand for a machine of its own here. */
async function gate(expectation: string, ...skipped: readonly string[]) {
  const asked = ["--kubeconfig", sandbox.first, "--expect", expectation, "--timeout", "15s"];
  const skips = ["kubelet", ...skipped].flatMap((name) => ["--skip", name]);
  const { code, report } = await verify(sandbox, [sandbox.stack(PKI_STACK), ...placesOf(sandbox), ...skips, ...asked]);
  return { code, reasons: report.expectations[0]!.reasons };
}
