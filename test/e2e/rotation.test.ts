import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Writable } from "node:stream";
import { run } from "../../lib/cli/main";
import { CONTROL_PLANE, PKI_STACK, RotationStep } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { ask, Identity } from "./ask";
import { choicesOf, verify } from "./verifying";

// The authority of the API server and of its clients is rotated while nodes that joined by token go on, others join, and people call at
// about 20 times a second. Each step is applied, exported and delivered as a user does it. No call may fail for who somebody is, or for
// whom somebody trusts. Counted apart is what the one API server refuses while it starts: connections, and what it authorizes nobody for
// before it has read its roles.

jest.setTimeout(300_000);

const CA = "/etc/kubernetes/pki/ca.crt";
const CLIENT = "/var/lib/kubelet/pki/kubelet-client-current.pem";
/** A kubelet tells every 10 seconds that it is alive. */
const HEARTBEAT_SECONDS = 25;

const folder = mkdtempSync(path.join(tmpdir(), "rotation-"));
let sandbox: Sandbox;
let load: Load;
/** What the first node had before anything was rotated. */
let old: Identity;

beforeAll(async () => {
  sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), nodes: ["node-1"], progress: () => undefined });
  old = clientOf("node-1");
  load = new Load();
});

afterAll(async () => {
  await load?.stop();
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("introduced: who joined by token is given both, by a file", async () => {
  await step("introduced");
  expect(readFileSync(sandbox.kubelet("node-1"), "utf8")).toContain(
    `certificate-authority: ${sandbox.file("node-1", CA)}`,
  );
  expect(authoritiesOf("node-1")).toEqual(["g1", "g2"]);
  // The inventory says of kubelets that they have to start again for that file.
  await sandbox.restartNode("node-1");
  await expectAlive("node-1");
});

test("promoted: it goes on with an API server of the next generation, and one more joins", async () => {
  await step("promoted");
  await expectAlive("node-1");
  await sandbox.join("node-2");
  expect([issuerOf("node-1"), issuerOf("node-2")]).toEqual(["g1", "g2"]);
  // What the description says of it by default, and the five minutes by which the controller-manager dates back.
  const { validFrom, validTo } = new X509Certificate(clientOf("node-2").cert);
  expect(Math.floor((Date.parse(validTo) - Date.parse(validFrom)) / 3_600_000)).toBe(30 * 24);
});

test("to retire now is refused: a node's certificate is of the last generation", async () => {
  const { code, codes } = await planned("retired");
  expect(codes).toEqual(["retired-too-soon"]);
  expect(code).toBe(3);
});

test("verify names the node with a certificate of the last generation, and nobody else", async () => {
  const { code, reasons } = await gate();
  expect([code, reasons]).toEqual([
    2,
    [expect.stringMatching(/^node-1 kubelet-client: comes with what kubernetes g1 signed/)],
  ]);
});

test("a node joins again, on purpose: its certificate is of the next generation", async () => {
  rmSync(sandbox.kubelet("node-1"));
  rmSync(sandbox.file("node-1", CLIENT));
  await sandbox.restartNode("node-1");
  await expectAlive("node-1");
  expect(issuerOf("node-1")).toBe("g2");
  expect(await gate()).toEqual({ code: 0, reasons: [] });
});

test("verify says of nodes whose requests are deleted that nobody sees what they have", async () => {
  await sandbox.kubectl(sandbox.first, "delete", "certificatesigningrequests", "--all");
  const { code, reasons } = await gate();
  expect([code, reasons]).toEqual([
    2,
    [expect.stringMatching(/^2 of 2 nodes: their client certificates cannot be seen: node-1, node-2\. /)],
  ]);
  expect((await gate("--skip", "kubelet-client")).code).toBe(0);
});

test("retired: nothing that the last generation signed is accepted, and all nodes go on", async () => {
  const before = await whoAmI(old);
  await step("retired");
  await sandbox.restartNode("node-1");
  await sandbox.restartNode("node-2");
  await expectAlive("node-1");
  await expectAlive("node-2");
  expect([before, await whoAmI(old), await whoAmI(clientOf("node-1"))]).toEqual([201, 401, 201]);
});

test("no call failed for who somebody is, or for whom somebody trusts", async () => {
  await load.stop();
  process.stdout.write(
    `calls ${load.made}, refused while the API server started ${load.unreachable}, failed ${load.failures.length}\n`,
  );
  expect(load.failures).toEqual([]);
  expect(load.made).toBeGreaterThan(500);
});

/** A pull request, and all that follows it: apply, export, deliver, restart what the catalogue says. */
async function step(name: RotationStep): Promise<void> {
  await sandbox.deploy(PKI_STACK, descriptionOf(name));
  for (const machine of [CONTROL_PLANE, "operator", "node-1", "node-2"]) {
    const who = { [CONTROL_PLANE]: ["--machine", CONTROL_PLANE], operator: ["--operator"] }[machine] ?? ["--worker"];
    await sandbox.export(who, sandbox.machine(machine), [PKI_STACK]);
  }
  await sandbox.restart("kube-controller-manager");
  await sandbox.restart("kube-apiserver");
}

function descriptionOf(name: RotationStep) {
  return sandbox.description.with({ rotation: { authorities: ["kubernetes"], step: name } });
}

/** What the gate says of a step that is planned and not applied. */
async function planned(name: RotationStep): Promise<{ readonly code: number; readonly codes: readonly string[] }> {
  await sandbox.synth(descriptionOf(name));
  await sandbox.terraform(PKI_STACK, "plan", "-out=plan");
  const { stdout } = await sandbox.terraform(PKI_STACK, "show", "-json", "plan");
  let printed = "";
  const stream = new Writable({ write: (chunk, _, done) => done(void (printed += String(chunk))) });
  const source = { stdin: [Buffer.from(stdout)], stdout: stream, stderr: stream, cwd: folder, env: {} };
  const code = await run(["plan", "--format", "json", "-"], source as never);
  const { dangers } = JSON.parse(printed) as { readonly dangers: readonly { readonly code: string }[] };
  return { code, codes: dangers.map((danger) => danger.code) };
}

/** The gate before the first generation may be retired, of all that does not stand for a machine of its own here. */
async function gate(...more: string[]): Promise<{ readonly code: number; readonly reasons: readonly string[] }> {
  const [machine, , ...choices] = choicesOf(sandbox);
  expect(machine).toBe("--machine");
  const asked = ["--kubeconfig", sandbox.first, "--expect", "kubernetes=g2:active"];
  const { code, report } = await verify(sandbox, [sandbox.stack(PKI_STACK), ...choices, ...asked, ...more]);
  return { code, reasons: report.expectations[0]!.reasons };
}

function pemsIn(file: string): string[] {
  return readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/g) ?? [];
}

/** A subject without OU is that of the first generation. */
function generationIn(name: string): string {
  return /OU=(g\d+)/.exec(name)?.[1] ?? "g1";
}

function authoritiesOf(machine: string): string[] {
  return pemsIn(sandbox.file(machine, CA)).map((pem) => generationIn(new X509Certificate(pem).subject));
}

function issuerOf(node: string): string {
  return generationIn(new X509Certificate(pemsIn(sandbox.file(node, CLIENT))[0]!).issuer);
}

function clientOf(node: string): Identity {
  const text = readFileSync(sandbox.file(node, CLIENT), "utf8");
  return { cert: text, key: text };
}

/** 201 for somebody, 401 for nobody who is known. */
async function whoAmI(as: Identity): Promise<number | undefined> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const url = `${sandbox.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
  const ca = readFileSync(sandbox.file("node-1", CA), "utf8");
  return (await ask(url, { as, ca, method: "POST", body })).status;
}

/** The node renews its lease, again. */
async function expectAlive(node: string): Promise<void> {
  const renewed = async () => {
    const args = ["get", "lease", node, "--namespace=kube-node-lease", "--output=jsonpath={.spec.renewTime}"];
    return (await sandbox.kubectl(sandbox.first, ...args)).stdout;
  };
  const start = await renewed();
  const end = Date.now() + HEARTBEAT_SECONDS * 1000;
  while ((await renewed()) === start) {
    if (Date.now() > end) {
      throw new Error(`${node} gives no sign of life`);
    }
    await sleep(500);
  }
}

/** Calls of a node and of an administrator, each with what is on its own disk at that moment. */
class Load {
  public made = 0;
  public unreachable = 0;
  public readonly failures: string[] = [];
  private readonly workers: readonly Promise<void>[];
  private isOver = false;

  public constructor() {
    this.workers = ["node-1", "operator"].map((who) => this.work(who));
  }

  public async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.workers);
  }

  private async work(who: string): Promise<void> {
    while (!this.isOver) {
      await Promise.all([this.call(who), sleep(90)]);
    }
  }

  private async call(who: string): Promise<void> {
    const asking =
      who === "operator" ? adminOf() : { as: clientOfDisk(), ca: readFileSync(sandbox.file(who, CA), "utf8") };
    if (!asking.as) {
      return; // It is about to ask for another one.
    }
    const { status, body } = await ask(`${sandbox.server}/api`, asking as Parameters<typeof ask>[1]);
    this.made += 1;
    if (
      status === 403 ||
      (status === undefined && /ECONNREFUSED|ECONNRESET|socket hang up|no answer|EPIPE/.test(body))
    ) {
      this.unreachable += 1;
    } else if (status !== 200) {
      this.failures.push(`${who}: ${status ?? ""} ${body.slice(0, 200)}`);
    }
  }
}

function clientOfDisk(): Identity | undefined {
  try {
    return clientOf("node-1");
  } catch {
    return undefined;
  }
}

function adminOf() {
  const text = readFileSync(sandbox.first, "utf8");
  const decoded = (name: string) => Buffer.from(new RegExp(`${name}: (.*)`).exec(text)![1]!, "base64").toString();
  const as = { cert: decoded("client-certificate-data"), key: decoded("client-key-data") };
  return { as, ca: decoded("certificate-authority-data") };
}
