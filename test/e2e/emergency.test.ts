import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Writable } from "node:stream";
import { run } from "../../lib/cli/main";
import type { PlanReport } from "../../lib/plan/judge/report";
import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import type { Identity } from "../sandbox/ask";
import { CA, CLIENT, clientOf, identityIn, isAlive, issuerOf, whoAmI } from "./nodes";

// docs/rotation.md, "Emergency": an authority is replaced at once. What the page says of what stops, and in which order it comes back, is
// played on real components.

jest.setTimeout(300_000);

const PAGE = readFileSync(path.join(__dirname, "../../docs/rotation.md"), "utf8");
const [, EMERGENCY = ""] = /^## Emergency[^\n]*\n([^]*?)(?=^## |$(?![^]))/m.exec(PAGE) ?? [];

const folder = mkdtempSync(path.join(tmpdir(), "emergency-"));
let sandbox: Sandbox;
/** What people and nodes had before. */
let operator: ReturnType<typeof identityIn>;
let node: Identity;
let token: string;
/** The bundle of before. */
let old: string;

beforeAll(async () => {
  sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), nodes: ["node-1"], progress: () => undefined });
  operator = identityIn(sandbox.first);
  node = clientOf(sandbox, "node-1");
  old = readFileSync(sandbox.file("node-1", CA), "utf8");
  const issued = await sandbox.kubectl(sandbox.first, "create", "token", "default");
  token = issued.stdout.trim();
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const replaced = (...of: string[]) => sandbox.description.with({ rotation: { of, step: "retired" } });

const bundle = () => readFileSync(sandbox.file(CONTROL_PLANE, CA), "utf8");

test("the plan is stopped by the dangers that the page names, and passes with the flags that it gives", async () => {
  await sandbox.synth(replaced("kubernetes"));
  const plan = await shownPlan();
  const stopped = await report(plan);
  expect(stopped.code).toBe(3);
  expect(stopped.report.dangers.map(({ code, name }) => `${code}=${name}`).sort()).toEqual(
    flagsOfThePage()
      .map((flag) => flag.split("=").slice(0, 2).join("="))
      .sort(),
  );
  const meant = flagsOfThePage().flatMap((flag) => ["--acknowledge", flag]);
  expect((await report(plan, ...meant)).code).toBe(2);
});

test("an apply alone changes nothing: what is refused is refused from the delivery on", async () => {
  await sandbox.deploy(PKI_STACK, replaced("kubernetes"));
  expect(await whoAmI(sandbox, operator)).toBe(201);
  expect(await isAlive(sandbox, "node-1")).toBe(true);
});

test("delivered, and the API server restarted: what the leaked authority signed is refused", async () => {
  await deliver(CONTROL_PLANE, "--machine", CONTROL_PLANE);
  await deliver("operator", "--operator");
  await sandbox.restart("kube-apiserver");
  const ca = bundle();
  expect(await whoAmI(sandbox, { ...operator, ca })).toBe(401);
  expect(await whoAmI(sandbox, { as: node, ca })).toBe(401);
  // Who still trusts the leaked authority alone does not get so far.
  expect(await whoAmI(sandbox, operator)).toMatch(/certificate|signature/);
  // The new ones work, and so do tokens of service accounts: another key signs those.
  expect(await whoAmI(sandbox, identityIn(sandbox.first))).toBe(201);
  expect(await whoAmI(sandbox, { token, ca })).toBe(201);
  expect(await whoAmI(sandbox, { token, ca: old })).toMatch(/certificate|signature/);
});

test("nodes are cut off, and a new bundle does not help them alone", async () => {
  expect(await isAlive(sandbox, "node-1")).toBe(false);
  await deliver("node-1", "--worker");
  await sandbox.restartNode("node-1");
  expect(await isAlive(sandbox, "node-1")).toBe(false);
});

test("pods are told of the new authority when kube-controller-manager was restarted", async () => {
  await sandbox.restart("kube-controller-manager");
  const published = async () =>
    (await sandbox.get<{ data: Record<string, string> }>("get", "configmap", "kube-root-ca.crt")).data["ca.crt"];
  for (let tries = 0; tries < 50 && (await published()) !== bundle(); tries += 1) {
    await sleep(200);
  }
  expect(await published()).toBe(bundle());
  expect(bundle()).not.toContain(old.trim());
});

test("a node joins again with its bootstrap token, which no authority signs", async () => {
  rmSync(sandbox.kubelet("node-1"));
  rmSync(sandbox.file("node-1", CLIENT));
  await sandbox.restartNode("node-1");
  expect(await isAlive(sandbox, "node-1")).toBe(true);
  expect(issuerOf(sandbox, "node-1")).toBe("g2");
  expect(await whoAmI(sandbox, { as: clientOf(sandbox, "node-1"), ca: bundle() })).toBe(201);
  expect(await whoAmI(sandbox, { as: node, ca: bundle() })).toBe(401);
});

test("etcd's and the front proxy's are replaced the same way: etcd first, then the API server", async () => {
  const isReady = async () => (await sandbox.kubectl(sandbox.first, "get", "--raw=/readyz")).code === 0;
  const all = ["kubernetes", "etcd", "front-proxy"];
  await sandbox.deploy(PKI_STACK, replaced(...all));
  await deliver(CONTROL_PLANE, "--machine", CONTROL_PLANE);
  expect(await isReady()).toBe(true);
  await sandbox.restart("etcd");
  // It was not restarted and trusts the authority of before: nothing is stored or read until it is.
  expect((await sandbox.kubectl(sandbox.first, "get", "namespace", "default", "--request-timeout=5s")).code).not.toBe(
    0,
  );
  await sandbox.restart("kube-apiserver");
  expect((await sandbox.kubectl(sandbox.first, "get", "namespace", "default")).code).toBe(0);
  expect(await isAlive(sandbox, "node-1")).toBe(true);
});

/** The values of `--acknowledge` in the section. */
function flagsOfThePage(): string[] {
  return [...EMERGENCY.matchAll(/--acknowledge "([^"]+)"/g)].map(([, flag]) => flag!);
}

async function deliver(machine: string, ...who: string[]): Promise<void> {
  await sandbox.export(who, sandbox.machine(machine), [PKI_STACK]);
}

async function shownPlan(): Promise<string> {
  await sandbox.terraform(PKI_STACK, "plan", "-out=plan");
  const file = path.join(folder, "plan.json");
  writeFileSync(file, (await sandbox.terraform(PKI_STACK, "show", "-json", "plan")).stdout);
  return file;
}

async function report(plan: string, ...more: string[]): Promise<{ code: number; report: PlanReport }> {
  let printed = "";
  const stream = new Writable({ write: (chunk, _, done) => done(void (printed += String(chunk))) });
  const io = { stdin: process.stdin, stdout: stream, stderr: stream, cwd: folder, env: {} };
  const code = await run(["plan", "--format", "json", ...more, plan], io as never);
  return { code, report: JSON.parse(printed) as PlanReport };
}
