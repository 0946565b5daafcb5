import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { PortReport, VerifyReport } from "../../lib/verify/report";
import { Component, Ports } from "../sandbox/components";
import { CONTROL_PLANE, PKI_STACK, RotationStep } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { handshake } from "./handshakes";
import { choicesOf, Verified, verify as verifyIn } from "../sandbox/verification";

// A rotation of two authorities on running components. At each moment, what `verify` says without a credential is compared with what
// clients see that have one of each generation, and servers that are held against each generation; and no gate opens too early.

jest.setTimeout(120_000);

const GENERATIONS = ["g1", "g2"] as const;
type Id = (typeof GENERATIONS)[number];

/** Where each component listens, what `verify` calls that, which authority it is about, and how a client sees that it is let in. */
const PLACES = [
  { place: "etcd:2379", port: "etcdClient", authority: "etcd", path: "/version" },
  { place: "etcd:2380", port: "etcdPeer", authority: "etcd", path: "/version" },
  { place: "kube-apiserver:6443", port: "apiServer", authority: "kubernetes", path: "/api/v1/nodes" },
  { place: "kube-controller-manager:10257", port: "controllerManager", authority: "kubernetes", path: "/metrics" },
] as const satisfies readonly { place: string; port: keyof Ports; authority: string; path: string }[];

/** It makes a certificate of its own, which nobody issued. */
const OF_ITS_OWN = "kube-controller-manager:10257";

const folder = mkdtempSync(path.join(tmpdir(), "verify-"));
let sandbox: Sandbox;
/** What the state holds of an authority's generation. */
let authorities: Readonly<Record<string, Partial<Record<Id, { readonly cert: string; readonly key: string }>>>> = {};
/** A line for each moment and place, printed at the end. */
const lines: string[] = [];

beforeAll(async () => {
  sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), nodes: [], progress: () => undefined });
  await readState();
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${lines.join("\n")}\n`);
});

/** Gates of the rotation, all of which are asked at every moment. */
const GATES = ["trusted", "active"].map((state) => `g2:${state}`).concat("g1:retired");

/** What is to be seen at a moment: who is trusted by etcd and by those that read their authorities again, and who signed what is served. */
interface Moment {
  readonly etcd: readonly Id[];
  readonly others: readonly Id[];
  readonly signer: Id;
  /** Gates that are open, of each authority. */
  readonly open: Readonly<Record<"etcd" | "kubernetes", readonly string[]>>;
  /** Whether all is as issued. */
  readonly code: 0 | 2;
}

const BOTH = ["g1", "g2"] as const;
const BEFORE: Omit<Moment, "code"> = { etcd: ["g1"], others: ["g1"], signer: "g1", open: { etcd: [], kubernetes: [] } };

test("as it was started", () => expectMoment("started", { ...BEFORE, code: 0 }));

describe("introduce", () => {
  test("applied, and not delivered", async () => {
    await apply("introduced");
    await expectMoment("introduced, not delivered", { ...BEFORE, code: 2 });
  });

  test("delivered: etcd reads its authorities at its start alone", async () => {
    await deliver();
    await expectMoment("introduced, delivered", {
      ...{ etcd: ["g1"], others: BOTH, signer: "g1" },
      ...{ open: { etcd: [], kubernetes: ["g2:trusted"] }, code: 2 },
    });
  });

  test("restarted", async () => {
    await restart();
    await expectMoment("introduced, restarted", {
      ...{ etcd: BOTH, others: BOTH, signer: "g1" },
      ...{ open: { etcd: ["g2:trusted"], kubernetes: ["g2:trusted"] }, code: 0 },
    });
  });
});

describe("promote", () => {
  const trusted = { etcd: BOTH, others: BOTH } as const;

  test("applied, and not delivered", async () => {
    await apply("promoted");
    const open = { etcd: ["g2:trusted"], kubernetes: ["g2:trusted"] };
    await expectMoment("promoted, not delivered", { ...trusted, signer: "g1", open, code: 2 });
  });

  test("delivered: certificates are read at every handshake", async () => {
    await deliver();
    const open = { etcd: ["g2:trusted", "g2:active"], kubernetes: ["g2:trusted", "g2:active"] };
    await expectMoment("promoted, delivered", { ...trusted, signer: "g2", open, code: 0 });
    await restart();
    await expectMoment("promoted, restarted", { ...trusted, signer: "g2", open, code: 0 });
  });
});

describe("retire", () => {
  const all = ["g2:trusted", "g2:active", "g1:retired"];
  const most = ["g2:trusted", "g2:active"];

  test("applied, and not delivered", async () => {
    await apply("retired");
    const open = { etcd: most, kubernetes: most };
    await expectMoment("retired, not delivered", { etcd: BOTH, others: BOTH, signer: "g2", open, code: 2 });
  });

  test("delivered", async () => {
    await deliver();
    const open = { etcd: most, kubernetes: all };
    await expectMoment("retired, delivered", { etcd: BOTH, others: ["g2"], signer: "g2", open, code: 2 });
  });

  test("restarted: nothing of the first generation is seen anywhere", async () => {
    await restart();
    const open = { etcd: all, kubernetes: all };
    await expectMoment("retired, restarted", { etcd: ["g2"], others: ["g2"], signer: "g2", open, code: 0 });
  });
});

describe("what does not answer as it should", () => {
  test("a component that is not there, and one without an address, are not as issued", async () => {
    const { code, report } = await verify([], { "kube-apiserver": 1 });
    expect([code, report.verdict]).toEqual([2, "not-yet"]);
    expect(report.ports.find(({ component }) => component === "kube-apiserver")).toMatchObject({ unreachable: true });
  });

  test("a port of another cluster's component is a stranger's", async () => {
    const { code, report } = await verify([], { "kube-apiserver": sandbox.ports.etcdClient });
    expect([code, report.verdict]).toEqual([3, "foreign"]);
    const apiserver = report.ports.find(({ component }) => component === "kube-apiserver")!;
    expect(apiserver.served.message).toBe("signed by etcd g2, where kubernetes signs");
    expect(apiserver.trusted.strangers).toEqual(["etcd g2"]);
  });

  test("an inventory without a state is enough for the gates", async () => {
    const gates = ["kubernetes=g2:active", "etcd=g1:retired"].flatMap((gate) => ["--expect", gate]);
    expect((await verify(gates, {}, ["--inventory", sandbox.inventory])).code).toBe(0);
    expect((await verify(["--expect", "kubernetes=g1:active"], {}, ["--inventory", sandbox.inventory])).code).toBe(2);
  });

  test("a stack's folder has the state and the inventory", async () => {
    expect((await verify([], {}, [sandbox.stack(PKI_STACK)])).code).toBe(0);
  });

  test("what no port shows is told, with what to look at instead", async () => {
    const { unseen } = (await verify()).report;
    const told = unseen.flatMap(({ component, via }) => via.map((flag) => `${component} ${flag}`));
    expect(told).toEqual(
      expect.arrayContaining([
        "kube-apiserver --etcd-cafile",
        "kube-controller-manager --root-ca-file",
        "kube-controller-manager --authentication-kubeconfig",
      ]),
    );
    expect(told).not.toContain("kube-apiserver --client-ca-file");
  });

  test("what the cluster publishes is compared, too", async () => {
    const kubeconfig = ["--kubeconfig", sandbox.first];
    // The API server adds to what it tells aggregated ones, and takes nothing away: somebody has to.
    const { report: before } = await verify([...kubeconfig, "--expect", "kubernetes=g1:retired"]);
    expect(before.expectations[0]!.reasons).toContain(
      "kube-system extension-apiserver-authentication client-ca-file: still trusts kubernetes g1",
    );
    const [map, namespace] = ["extension-apiserver-authentication", "--namespace=kube-system"];
    expect((await sandbox.kubectl(sandbox.first, "delete", "configmap", map, namespace)).code).toBe(0);
    await eventually(async () => (await verify(kubeconfig)).code === 0);
    const { report } = await verify(kubeconfig);
    const maps = report.ports.filter(({ component }) => component === "kube-root-ca.crt");
    expect(maps.map(({ trusted }) => [trusted.verdict, trusted.generations])).toEqual([
      ["as-issued", { kubernetes: ["g2"] }],
    ]);
    const aggregated = report.ports.filter(({ component }) => component.startsWith("extension-apiserver-"));
    expect(aggregated.map(({ component, trusted }) => [component.split(" ")[1], trusted.generations])).toEqual([
      ["client-ca-file", { kubernetes: ["g2"] }],
      ["requestheader-client-ca-file", { "front-proxy": ["g1"] }],
    ]);
  });
});

/** Expects what `verify` says, waits for those that read files again, and compares it with what clients see. */
async function expectMoment(name: string, moment: Moment): Promise<void> {
  const isThere = async () => seenBy((await verify()).report) === expected(moment);
  await eventually(isThere);
  const { code, report } = await verify();
  expect(seenBy(report)).toBe(expected(moment));
  for (const { place, port, authority, path } of PLACES) {
    const letIn: Id[] = [];
    for (const id of GENERATIONS.filter((id) => authorities[authority]?.[id])) {
      if (await isLetIn(sandbox.ports[port], path, authority, id)) {
        letIn.push(id);
      }
    }
    const one = report.ports.find((port) => placeOf(port) === place)!;
    expect([name, place, one.trusted.generations[authority]]).toEqual([name, place, letIn]);
    const { authorities: shown } = await handshake(sandbox.ports[port]);
    expect(shown).toEqual(subjectsOf(one.trusted.generations));
    const accepted = place === OF_ITS_OWN ? [] : await accepting(sandbox.ports[port], authority);
    expect([name, place, one.served.signedBy]).toEqual([name, place, accepted[0] && `${authority} ${accepted[0]}`]);
    lines.push(`${name}: ${place} lets in ${letIn.join("+")}, is accepted by ${accepted.join("+") || "-"}`);
  }
  expect([name, code]).toEqual([name, moment.code]);
  await expectGates(name, moment);
}

async function expectGates(name: string, { open }: Moment): Promise<void> {
  for (const authority of ["etcd", "kubernetes"] as const) {
    const opened: string[] = [];
    // A generation that was not applied is no gate: it is nowhere yet.
    for (const gate of authorities[authority]?.g2 ? GATES : []) {
      const { code } = await verify(["--expect", `${authority}=${gate}`]);
      expect([0, 2]).toContain(code);
      opened.push(...(code === 0 ? [gate] : []));
    }
    expect([name, authority, opened]).toEqual([name, authority, open[authority]]);
    lines.push(`${name}: open for ${authority}: ${opened.join(", ") || "nothing"}`);
  }
}

function expected({ etcd, others, signer }: Moment): string {
  const line = ({ place, authority }: (typeof PLACES)[number]) =>
    `${place} ${(authority === "etcd" ? etcd : others).join("+")} ${place === OF_ITS_OWN ? "its own" : signer}`;
  return PLACES.map(line).join("\n");
}

/** The description says which port the API server has, so that it is named by that. */
function placeOf({ component, port }: PortReport): string {
  return `${component}:${port === sandbox.ports.apiServer ? 6443 : port}`;
}

function seenBy({ ports }: VerifyReport): string {
  return PLACES.map(({ place, authority }) => {
    const { trusted, served } = ports.find((port) => placeOf(port) === place)!;
    return `${place} ${(trusted.generations[authority] ?? []).join("+")} ${served.signedBy?.replace(/.* /, "") ?? "its own"}`;
  }).join("\n");
}

/** By default with a state in a file, so that nobody waits for Terraform. */
async function verify(
  more: readonly string[] = [],
  other: Readonly<Record<string, number>> = {},
  sources: readonly string[] = [path.join(folder, "state.json"), "--inventory", sandbox.inventory],
): Promise<Verified> {
  return verifyIn(sandbox, [...sources, ...choicesOf(sandbox, other), ...more]);
}

async function apply(step: RotationStep): Promise<void> {
  await sandbox.deploy(PKI_STACK, sandbox.description.with({ rotation: { of: ["kubernetes", "etcd"], step } }));
  await readState();
}

async function deliver(): Promise<void> {
  await sandbox.export(["--machine", CONTROL_PLANE], sandbox.machine(CONTROL_PLANE), [PKI_STACK]);
  await sandbox.export(["--operator"], sandbox.machine("operator"), [PKI_STACK]);
}

async function restart(): Promise<void> {
  for (const component of ["etcd", "kube-apiserver", "kube-controller-manager"] satisfies Component[]) {
    await sandbox.restart(component);
  }
}

interface Values {
  readonly address: string;
  readonly values: Readonly<Record<string, string>>;
}

async function readState(): Promise<void> {
  const { stdout } = await sandbox.terraform(PKI_STACK, "show", "-json");
  writeFileSync(path.join(folder, "state.json"), stdout, { mode: 0o600 });
  const { values } = JSON.parse(stdout) as { values: { root_module: { resources: readonly Values[] } } };
  const at = (address: RegExp) => values.root_module.resources.find((one) => address.test(one.address))?.values;
  authorities = Object.fromEntries(
    ["kubernetes", "etcd", "front-proxy"].map((authority) => [
      authority,
      Object.fromEntries(
        GENERATIONS.flatMap((id) => {
          const found = at(new RegExp(`^tls_self_signed_cert\\..*__ca__${authority}__${id}$`));
          return found ? [[id, { cert: found["cert_pem"]!, key: found["private_key_pem"]! }]] : [];
        }),
      ),
    ]),
  );
}

/** In openssl's words, as RFC 4514 writes them. */
function subjectsOf(generations: Readonly<Record<string, readonly string[]>>): string[] {
  const subjects = Object.entries(generations).flatMap(([authority, ids]) =>
    ids.map((id) => new X509Certificate(authorities[authority]![id as Id]!.cert).subject),
  );
  return subjects.map((subject) => subject.split("\n").reverse().join(",")).sort();
}

const clients = new Map<string, { readonly cert: string; readonly key: string }>();

/** Somebody who may do everything, by a certificate of this generation. */
function clientOf(authority: string, id: Id): { readonly cert: string; readonly key: string } {
  const name = `${authority}-${id}`;
  const known = clients.get(name);
  if (known) {
    return known;
  }
  const at = (ending: string) => path.join(folder, `${name}${ending}`);
  const { cert, key } = authorities[authority]![id]!;
  writeFileSync(at("-ca.crt"), cert);
  writeFileSync(at("-ca.key"), key);
  writeFileSync(at(".cnf"), "extendedKeyUsage=clientAuth\n");
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe", encoding: "utf8" });
  const subject = ["-subj", "/O=system:masters/CN=probe"];
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  openssl("req", "-new", ...ec, "-nodes", ...subject, "-keyout", at(".key"), "-out", at(".csr"));
  const signed = ["-CA", at("-ca.crt"), "-CAkey", at("-ca.key"), "-extfile", at(".cnf"), "-days", "1"];
  openssl("x509", "-req", "-in", at(".csr"), ...signed, "-out", at(".crt"));
  const client = { cert: openssl("x509", "-in", at(".crt")), key: openssl("pkey", "-in", at(".key")) };
  clients.set(name, client);
  return client;
}

/** Whether a real client with a certificate of a generation gets what it asks for. */
function isLetIn(port: number, at: string, authority: string, id: Id): Promise<boolean> {
  const options = { ...clientOf(authority, id), rejectUnauthorized: false, agent: false, timeout: 5000 };
  return new Promise((resolve) => {
    const asked = request(`https://127.0.0.1:${port}${at}`, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.end();
  });
}

/** Generations with which a client accepts a server. */
async function accepting(port: number, authority: string): Promise<Id[]> {
  const found: Id[] = [];
  for (const id of GENERATIONS) {
    const ca = authorities[authority]?.[id]?.cert;
    if (ca && (await isAccepted(port, ca))) {
      found.push(id);
    }
  }
  return found;
}

function isAccepted(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca }, () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
  });
}

async function eventually(look: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await look()) && Date.now() < end) {
    await sleep(300);
  }
}
