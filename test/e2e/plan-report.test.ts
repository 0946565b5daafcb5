import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TimeProvider } from "@cdktf/provider-time/lib/provider";
import type { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import { TerraformStack } from "cdktf";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  ClusterAccess,
  ClusterAccessProps,
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  Generation,
  Group,
} from "../../lib";
import { toKubernetesProvider113 } from "../sandbox/kubernetes-provider-1.13";
import { expectClaimedOnce } from "../support/claimed";
import { expectGolden } from "../support/golden";
import { CA_CERTIFICATE } from "../support/pem";
import { Workspace } from "./workspace";
import { inventoryOf } from "../../lib/inventory/collect";
import type { PlanReport } from "../../lib/plan/judge/report";

// Plans of the real Terraform, as the report tells them. What is printed is committed: see test/contract/golden/plan.

jest.setTimeout(240_000);

const CLUSTER: ClusterPkiProps["cluster"] = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
  etcd: { topology: "external", endpoints: ["https://etcd.example.com:2379"] },
};

/** What a state or a plan file knows and no report may show. */
const SECRETS = /PRIVATE KEY-----|BEGIN CERTIFICATE|"(?:private_key_pem|result|bcrypt_hash|data)"/;

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

interface Planned {
  readonly code: number;
  /** Every secret of the plan and its state. */
  readonly secrets: readonly string[];
}

/** Synthesizes a stack and writes its inventory beside it. */
function synth(id: string, build: (stack: TerraformStack) => void, where = workspace): void {
  let inventory = "";
  where.synth(id, (stack) => {
    build(stack);
    inventory = JSON.stringify(inventoryOf(stack));
  });
  writeFileSync(path.join(where.stack(id), "pki-inventory.json"), inventory);
}

async function plan(id: string, args: readonly string[] = [], where = workspace): Promise<Planned> {
  const { code } = await where.terraform(id, "plan", "-no-color", "-detailed-exitcode", "-out=plan", ...args);
  const shown = await where.must(id, "show", "-json", "plan");
  writeFileSync(path.join(where.stack(id), "plan.json"), shown);
  return { code, secrets: secretsIn(JSON.parse(shown)) };
}

/** Values of attributes that hold secrets, at any depth; parts of a PEM are secret as well. */
function secretsIn(value: unknown, name = ""): string[] {
  if (typeof value === "string") {
    return /private_key|^result$|^bcrypt_hash$|token-secret|token-id/.test(name) && value.length > 4
      ? value.split("\n").filter((line) => line.length > 4 && !line.startsWith("-----") && !line.startsWith("${"))
      : [];
  }
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => secretsIn(inner, Array.isArray(value) ? name : key))
    : [];
}

/** The report in one format, with what differs between two runs replaced. */
async function print(id: string, format: string, where = workspace): Promise<{ code: number; text: string }> {
  const file = (name: string) => path.join(where.stack(id), name);
  const argv = ["plan", file("plan.json"), "--inventory", file("pki-inventory.json"), "--format", format];
  const { code, stdout, stderr } = await where.kubernetesPki(...argv);
  expect(stderr).toBe("");
  const text = stdout
    .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "<time>")
    .replace(/\b20\d\d-\d\d-\d\d\b/g, "<date>")
    .replace(/"terraformVersion": ".*"/, '"terraformVersion": "<version>"');
  return { code, text };
}

/** Compares all formats with what was committed, looks for secrets in them, and gives the report as data. */
async function expectReport(
  name: string,
  id: string,
  planned: Planned,
  where = workspace,
): Promise<PlanReport & { code: number }> {
  let report: PlanReport | undefined;
  let exitCode = 0;
  for (const [format, ending] of [
    ["text", "txt"],
    ["markdown", "md"],
    ["json", "json"],
  ] as const) {
    const { code, text } = await print(id, format, where);
    expect(text).not.toMatch(SECRETS);
    expect(planned.secrets.filter((secret) => text.includes(secret))).toEqual([]);
    expectGolden(`plan/${name}.${ending}`, text);
    report = format === "json" ? (JSON.parse(text) as PlanReport) : report;
    exitCode = code;
  }
  expectClaimedOnce(JSON.parse(readFileSync(path.join(where.stack(id), "plan.json"), "utf8")) as object, report!);
  // The code of Terraform itself: nothing changes.
  expect(exitCode === 0).toBe(planned.code === 0);
  return { ...report!, code: exitCode };
}

const summaryOf = ({ code, dangers, counts }: PlanReport & { code: number }) => ({
  code,
  dangers: dangers.map((danger) => `${danger.code} ${danger.name ?? ""}`.trim()),
  counts,
});

function pki(props: Partial<ClusterPkiProps> = {}, more: (pki: ClusterPki) => void = () => undefined) {
  return (stack: TerraformStack) =>
    more(
      new ClusterPki(stack, "pki", {
        addressPrefix: "pki",
        distribution: Distribution.KUBEADM,
        cluster: CLUSTER,
        ...props,
      }),
    );
}

function rotation(g1: Generation | undefined, g2: Generation): Partial<ClusterPkiProps> {
  return { authorities: { kubernetes: { generations: { ...(g1 ? { g1 } : {}), g2 } } } };
}

/** Another subject of the authority, as somebody might change it who knows no better. */
function otherSubject(made: ClusterPki): void {
  const certificate = made.authority("kubernetes").node.defaultChild as SelfSignedCert;
  certificate.putSubject([{ commonName: "kubernetes", organization: "Example" }]);
}

describe("the PKI of a cluster", () => {
  test("is deployed for the first time", async () => {
    synth("pki", pki());
    await workspace.must("pki", "init", "-no-color");
    const planned = await plan("pki");
    expect(summaryOf(await expectReport("first-deploy", "pki", planned))).toEqual({
      code: 2,
      dangers: [],
      counts: { issue: 12 },
    });
    await workspace.must("pki", "apply", "-no-color", "plan");
    await plan("pki");
    expect(await print("pki", "text")).toEqual({ code: 0, text: "no change of certificates, keys or access\n" });
  });

  test("gets one more name", async () => {
    synth("pki", pki({ cluster: { ...CLUSTER, extraSans: ["new.example.com"] } }));
    const report = await expectReport("san-added", "pki", await plan("pki"));
    expect(summaryOf(report)).toEqual({ code: 2, dangers: [], counts: { "re-issue": 1 } });
    expect(report.changes[0]).toMatchObject({
      name: "cp-1/apiserver",
      differences: [{ what: "sans", added: ["new.example.com"], removed: [] }, { what: "notAfter" }],
      files: [{ holder: "cp-1", path: "/etc/kubernetes/pki/apiserver.crt" }],
    });
    expect(report.components).toMatchObject([{ component: "kube-apiserver", action: "reload" }]);
  });

  test("gets a new key, and a certificate less", async () => {
    synth("pki", pki({ certificates: { apiserver: { keyGeneration: "k2" } } }));
    expect(summaryOf(await expectReport("new-key", "pki", await plan("pki")))).toEqual({
      code: 2,
      dangers: [],
      counts: { "re-key": 1 },
    });
  });

  test.each([
    ["with a refresh", []],
    ["without one", ["-refresh=false"]],
  ])("is renewed %s", async (_, args) => {
    synth("pki", pki());
    await withState("pki", endsTomorrow("pki__cp-1__scheduler"), async () => {
      const report = await expectReport("renewal-due", "pki", await plan("pki", args));
      expect(summaryOf(report)).toEqual({ code: 2, dangers: [], counts: { renew: 1 } });
    });
  });

  test("has a protected authority whose subject somebody changes: the plan fails, and the report tells what it would have done", async () => {
    synth("pki", pki({}, otherSubject));
    const planned = await plan("pki");
    expect(planned.code).toBe(1);
    const report = await expectReport("authority-changed-protected", "pki", planned);
    expect(summaryOf(report)).toEqual({
      code: 3,
      dangers: ["plan-failed", "authority-replaced kubernetes g1"],
      counts: { "re-issue": 9 },
    });
    expect(report.changes.filter((change) => change.planned).map(({ name }) => name)).toEqual(["kubernetes g1"]);
  });

  test("has an authority whose subject somebody changes, and nothing protects it: the same, as a plan", async () => {
    synth("pki", pki({ deletionProtection: false }, otherSubject));
    const report = await expectReport("authority-changed-unprotected", "pki", await plan("pki"));
    const unprotected = ["front-proxy g1", "kubernetes g1", "service-account g1"];
    expect(summaryOf(report)).toEqual({
      code: 3,
      dangers: ["authority-replaced kubernetes g1", ...unprotected.map((name) => `protection-removed ${name}`)],
      counts: { "re-issue": 9 },
    });
    const failed = JSON.parse(golden("authority-changed-protected.json")) as PlanReport;
    const reached = ({ files, components, changes }: PlanReport) => ({
      files,
      components,
      names: changes.map(({ name }) => name),
    });
    expect(reached(failed)).toEqual(reached(report));
  });

  test("is destroyed, which protection stops", async () => {
    synth("pki", pki());
    const planned = await plan("pki", ["-destroy"]);
    expect(planned.code).toBe(1);
    expect(summaryOf(await expectReport("destroyed-protected", "pki", planned)).dangers).toContain("plan-failed");
  });

  test("is destroyed", async () => {
    synth("pki", pki({ deletionProtection: false }));
    const report = await expectReport("destroyed", "pki", await plan("pki", ["-destroy"]));
    expect(summaryOf(report)).toEqual({
      code: 3,
      dangers: ["front-proxy g1", "kubernetes g1", "service-account g1"].map(
        (name) => `generation-not-retired ${name}`,
      ),
      counts: { remove: 12 },
    });
  });

  describe("is rotated", () => {
    const { active, trusted, retired } = {
      active: Generation.active(),
      trusted: Generation.trusted(),
      retired: Generation.retired(),
    };

    test.each([
      ["introduced and promoted at once", rotation(trusted, active), ["introduced-and-promoted kubernetes g2"]],
      [
        "replaced by the next one",
        rotation(undefined, active),
        ["generation-not-retired kubernetes g1", "introduced-and-promoted kubernetes g2"],
      ],
    ])("in too few steps: %s", async (_, props, dangers) => {
      synth("pki", pki(props));
      await plan("pki");
      const { code, text } = await print("pki", "json");
      expect(summaryOf({ ...(JSON.parse(text) as PlanReport), code })).toMatchObject({ code: 3, dangers });
    });

    test.each([
      ["introduced", rotation(active, trusted), { introduce: 1 }, []],
      ["promoted and the old one retired at once", rotation(retired, active), undefined, ["trust-removed"]],
      ["promoted", rotation(trusted, active), { promote: 1, "re-issue": 8 }, []],
      ["removed too early", rotation(undefined, active), undefined, ["generation-not-retired"]],
      // It was promoted a moment ago, and a node's certificate is valid for a month.
      ["retired", rotation(retired, active), { retire: 1 }, ["retired-too-soon"]],
      ["removed", rotation(undefined, active), { remove: 1 }, []],
    ])("step by step: %s", async (step, props, counts, codes) => {
      synth("pki", pki(props));
      const planned = await plan("pki");
      const report = await expectReport(`rotation-${step.replaceAll(" ", "-")}`, "pki", planned);
      const dangers = codes.map((code) => `${code} kubernetes g1`);
      expect(summaryOf(report)).toMatchObject({ code: codes.length > 0 ? 3 : 2, dangers });
      if (counts) {
        expect(summaryOf(report).counts).toEqual(counts);
        await workspace.must("pki", "apply", "-no-color", "plan");
      }
    });
  });

  test("moves to another prefix", async () => {
    const props = rotation(undefined, Generation.active());
    synth("pki", (stack) => {
      new ClusterPki(stack, "prod", {
        addressPrefix: "prod",
        distribution: Distribution.KUBEADM,
        cluster: CLUSTER,
        movedFrom: "pki",
        ...props,
      });
    });
    const report = await expectReport("moved", "pki", await plan("pki"));
    expect(summaryOf(report)).toEqual({ code: 2, dangers: [], counts: { move: 12 } });
  });
});

describe("two clusters of three machines each", () => {
  const clusters =
    (extraSans: readonly string[] = []) =>
    (stack: TerraformStack) => {
      for (const name of ["blue", "green"]) {
        new ClusterPki(stack, name, {
          addressPrefix: name,
          distribution: Distribution.KUBEADM,
          cluster: {
            ...CLUSTER,
            name,
            endpoint: `api.${name}.example.com:6443`,
            controlPlanes: [11, 12, 13].map((host, index) => ({
              name: `cp-${index + 1}`,
              addresses: [`10.0.0.${host}`],
            })),
            extraSans: [...extraSans],
          },
        });
      }
    };

  /** Lines that everybody sees. */
  const visible = (markdown: string) => markdown.replace(/<details>.*?<\/details>/gs, "").split("\n");

  test("are told apart in every line, and equal changes of their machines are one", async () => {
    synth("two", clusters());
    await workspace.must("two", "init", "-no-color");
    await plan("two");
    const { text: first } = await print("two", "markdown");
    expectGolden("plan/two-clusters.md", first);
    const rows = visible(first).filter(
      (line) => line.startsWith("| ") && !/^\| (---|Authority|Change|Component|On \|)/.test(line),
    );
    rows.forEach((row) => expect(row).toMatch(/`(blue|green): /));
    expect(rows.filter((row) => row.startsWith("| issue certificate ×3 | `blue: scheduler` on"))).toHaveLength(1);
    expect(visible(first).length).toBeLessThanOrEqual(70);

    await workspace.must("two", "apply", "-no-color", "plan");
    synth("two", clusters(["new.example.com"]));
    await plan("two");
    expectGolden("plan/two-clusters-san-added.md", (await print("two", "markdown")).text);
    expectGolden("plan/two-clusters-san-added.txt", (await print("two", "text")).text);
    const { files, components, changes } = JSON.parse((await print("two", "json")).text) as PlanReport;
    expect(changes).toHaveLength(6);
    const perMachine = ["cluster-configuration.yaml", "pki/apiserver.crt"];
    expect(files.map(({ cluster, holder, path }) => `${cluster} ${holder} ${path}`)).toEqual(
      ["blue", "green"].flatMap((cluster) =>
        [1, 2, 3].flatMap((number) => perMachine.map((file) => `${cluster} cp-${number} /etc/kubernetes/${file}`)),
      ),
    );
    expect(components.map(({ cluster, component }) => `${cluster} ${component}`)).toEqual([
      "blue kube-apiserver",
      "green kube-apiserver",
    ]);
  });
});

describe("a pinned key that was lost", () => {
  test("is named with its cluster, before the apply that it stops, and after it", async () => {
    synth("lost", pki());
    await workspace.must("lost", "init", "-no-color");
    await workspace.must("lost", "apply", "-auto-approve", "-no-color");
    const { pki_fingerprints: outputs } = JSON.parse(await workspace.must("lost", "output", "-json")) as {
      pki_fingerprints: { value: Record<string, string> };
    };
    const g1 = Generation.active({ fingerprint: outputs.value["kubernetes g1"]! });
    synth("lost", pki({ authorities: { kubernetes: { generations: { g1 } } } }));
    await plan("lost");
    // What is pinned is published.
    expect((await print("lost", "text")).code).toBe(2);

    // A state without anything.
    writeFileSync(workspace.state("lost"), "");
    expect((await plan("lost")).code).toBe(2);
    const { text: before } = await print("lost", "text");
    expect(before).toContain("REFUSED PIN kubernetes g1 of pki\n  Its key is not in the state.");
    expect((await workspace.terraform("lost", "apply", "-auto-approve", "-no-color")).code).toBe(1);

    expect((await plan("lost")).code).toBe(1);
    for (const [format, ending] of Object.entries({ text: "txt", markdown: "md" })) {
      expectGolden(`plan/pin-refused.${ending}`, (await print("lost", format)).text);
    }
    const { text: json } = await print("lost", "json");
    const { refusedPins, failedChecks } = JSON.parse(json) as PlanReport;
    const address = "tls_private_key.pki__ca__kubernetes__g1";
    expect({ refusedPins, failedChecks }).toMatchObject({
      refusedPins: [{ name: "kubernetes g1", cluster: "pki", address }],
      failedChecks: [address],
    });
    expect(json).not.toContain("SHA256:");
  });
});

/** How plans are limited, and what the report says of them. */
const LIMITS: readonly (readonly [args: readonly string[], complete: boolean])[] = [
  [[], true],
  [["-target=tls_private_key.pki__keys__service-account__g1"], false],
  [["-target=tls_locally_signed_cert.pki__cp-1__apiserver"], false],
];

async function expectLimits(id: string, limits: typeof LIMITS, where: Workspace): Promise<void> {
  for (const [args, complete] of limits) {
    await plan(id, args, where);
    const report = JSON.parse((await print(id, "json", where)).text) as PlanReport;
    expect({ args, complete: report.complete }).toEqual({ args, complete });
  }
}

describe("OpenTofu", () => {
  test("writes plans that give the same report, those that failed included", async () => {
    const named = process.env.TERRAFORM_BINARY_NAME;
    process.env.TERRAFORM_BINARY_NAME = "tofu";
    const tofu = await Workspace.create();
    try {
      synth("pki", pki(), tofu);
      await tofu.must("pki", "init", "-no-color");
      const limits = [
        ...LIMITS,
        [["-exclude=tls_locally_signed_cert.pki__cp-1__apiserver"], false],
        [["-exclude=tls_private_key.pki__ca__front-proxy__g1"], false],
      ] as const;
      // Its plans do not say that they are limited.
      await expectLimits("pki", limits, tofu);
      await expectReport("first-deploy", "pki", await plan("pki", [], tofu), tofu);
      await tofu.must("pki", "apply", "-no-color", "plan");
      await expectLimits(
        "pki",
        [...limits, [["-destroy", "-target=tls_locally_signed_cert.pki__cp-1__apiserver"], false]],
        tofu,
      );
      synth("pki", pki({}, otherSubject), tofu);
      const planned = await plan("pki", [], tofu);
      expect(planned.code).toBe(1);
      await expectReport("authority-changed-protected", "pki", planned, tofu);
      synth("pki", pki(rotation(Generation.active(), Generation.trusted())), tofu);
      await expectReport("rotation-introduced", "pki", await plan("pki", [], tofu), tofu);
    } finally {
      tofu.remove();
      if (named === undefined) {
        delete process.env.TERRAFORM_BINARY_NAME;
      } else {
        process.env.TERRAFORM_BINARY_NAME = named;
      }
    }
  });
});

describe("access to a cluster", () => {
  const NAME = "access__token__workers";
  const GROUP = "system:bootstrappers:platform";
  const certificateAuthority = CA_CERTIFICATE;

  beforeAll(async () => {
    accessStack();
    await workspace.must("access", "init", "-no-color");
  });

  /** There is no API server: what the provider would have kept of its objects is written into the state. */
  async function deployObjects(): Promise<void> {
    const targets = ["time_rotating", "random_string", "random_password"].map((type) => `-target=${type}.${NAME}`);
    await workspace.must("access", "apply", "-auto-approve", "-no-color", ...targets);
    await plan("access", ["-refresh=false"]);
    const shown = readFileSync(path.join(workspace.stack("access"), "plan.json"), "utf8");
    const { resource_changes: changes, planned_values: planned } = JSON.parse(shown) as ShownPlan;
    const state = JSON.parse(readFileSync(workspace.state("access"), "utf8")) as State;
    state.resources.push(...changes.filter(({ type }) => type.startsWith("kubernetes_")).map(stateResource));
    state.outputs = planned.outputs;
    writeFileSync(workspace.state("access"), JSON.stringify({ ...state, serial: state.serial + 1 }));
  }

  function accessStack(props: Partial<ClusterAccessProps> = {}): void {
    synth("access", (stack) => {
      new KubernetesProvider(stack, "kubernetes");
      new RandomProvider(stack, "random");
      new TimeProvider(stack, "time");
      const { name, endpoint } = CLUSTER;
      new ClusterAccess(stack, "access", {
        addressPrefix: "access",
        distribution: Distribution.KUBEADM,
        cluster: { name, endpoint },
        certificateAuthority,
        ...props,
      });
    });
    // The newest that can be had without a registry. Its types have no _v1 at their end.
    for (const name of ["cdk.tf.json", "pki-inventory.json"]) {
      const file = path.join(workspace.stack("access"), name);
      const text = readFileSync(file, "utf8");
      const rewritten =
        name === "cdk.tf.json"
          ? JSON.stringify(toKubernetesProvider113(JSON.parse(text)))
          : text.replace(/(kubernetes_\w+)_v1\./g, "$1.");
      writeFileSync(file, rewritten);
    }
  }

  test("is given for the first time", async () => {
    const report = await expectReport("access-first-deploy", "access", await plan("access"));
    expect(summaryOf(report)).toEqual({ code: 2, dangers: [], counts: { grant: 5, issue: 1 } });
  });

  test("gets another token when its time has come, and keeps its bindings", async () => {
    await deployObjects();
    expect(summaryOf(await silent()).counts).toEqual({});
    await withState("access", withoutRotation, async () => {
      const report = await expectReport("token-rotated", "access", await plan("access", ["-refresh=false"]));
      expect(summaryOf(report)).toEqual({ code: 2, dangers: [], counts: { renew: 1 } });
      expect(report.files).toMatchObject([{ holder: "worker", path: "/etc/kubernetes/bootstrap-kubelet.conf" }]);
    });
  });

  test("gets a token that lives longer, and for more groups", async () => {
    const longer = { expireAfterHours: 96, groups: ["system:bootstrappers:kubeadm:default-node-token", GROUP] };
    accessStack({ tokens: { workers: longer } });
    const report = await expectReport("token-widened", "access", await plan("access", ["-refresh=false"]));
    expect(summaryOf(report)).toMatchObject({ code: 3, dangers: ["token-widened workers"] });
    expect(report.dangers[0]!.message).toContain(`the group ${GROUP}; it lives 96 hours instead of 72.`);
    // When its time has come, its end is not known before the apply, and neither is anything else of it.
    await withState("access", withoutRotation, async () => {
      await plan("access", ["-refresh=false"]);
      const { dangers } = JSON.parse((await print("access", "json")).text) as PlanReport;
      expect(dangers.map(({ message }) => message)).toEqual(report.dangers.map(({ message }) => message));
    });
    accessStack();
  });

  test("makes one more group cluster-admin", async () => {
    accessStack({ clusterAdmins: [Group.named("platform-pipeline")] });
    const report = await expectReport("cluster-admin-added", "access", await plan("access", ["-refresh=false"]));
    expect(summaryOf(report)).toEqual({ code: 3, dangers: ["cluster-admin cluster-admins"], counts: { grant: 1 } });
    expect(report.changes[0]!.differences).toEqual([
      { what: "subjects", added: ["Group/platform-pipeline"], removed: [] },
    ]);
  });

  test("was changed by somebody else in the meantime", async () => {
    accessStack();
    const planned = await plan("access", ["-refresh=false"]);
    drift();
    const report = await expectReport("drift", "access", { ...planned, code: 2 });
    expect(summaryOf(report)).toEqual({ code: 2, dangers: [], counts: { ungrant: 1 } });
    expect(report.drift).toMatchObject([{ name: "cluster-admins", what: "changed" }]);
  });

  /** What a refresh finds where there is an API server, in which somebody has bound himself. */
  function drift(): void {
    const file = path.join(workspace.stack("access"), "plan.json");
    const shown = JSON.parse(readFileSync(file, "utf8")) as {
      resource_changes: ObjectChange[];
      resource_drift?: unknown;
      applyable?: boolean;
    };
    const binding = shown.resource_changes.find(({ name }) => name === "access__binding__cluster-admins")!;
    const asInCode = binding.change.after as { subject: object[] };
    const found = { ...asInCode, subject: [...asInCode.subject, { kind: "User", name: "mallory", namespace: "" }] };
    shown.applyable = true;
    shown.resource_drift = [
      { ...binding, change: { ...binding.change, actions: ["update"], before: asInCode, after: found } },
    ];
    Object.assign(binding.change, { actions: ["update"], before: found });
    writeFileSync(file, JSON.stringify(shown));
  }

  async function silent(): Promise<PlanReport & { code: number }> {
    await plan("access", ["-refresh=false"]);
    const { code, text } = await print("access", "json");
    return { ...(JSON.parse(text) as PlanReport), code };
  }

  function withoutRotation(state: State): void {
    state.resources = state.resources.filter(({ type }) => type !== "time_rotating");
  }
});

interface ObjectChange {
  readonly type: string;
  readonly name: string;
  readonly provider_name: string;
  readonly change: { readonly after: Record<string, unknown> };
}

interface ShownPlan {
  readonly resource_changes: readonly ObjectChange[];
  readonly planned_values: { readonly outputs: object };
}

interface StateResource {
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly provider: string;
  readonly instances: { attributes: Record<string, unknown> }[];
}

interface State {
  serial: number;
  outputs: object;
  resources: StateResource[];
}

/** An object as the provider keeps it after it was made. */
function stateResource({ type, name, provider_name: provider, change }: ObjectChange): StateResource {
  const [metadata] = change.after.metadata as Record<string, unknown>[];
  const known = { generation: 0, resource_version: "1", self_link: "", uid: name };
  const attributes = { ...change.after, id: name, metadata: [{ ...known, ...metadata }] };
  const data = { type: "get_attr", value: "data" };
  // All of it is sensitive to the provider, and a part because it is made of a password.
  const sensitive = [[data], [data, { type: "index", value: { value: "token-secret", type: "string" } }]];
  const marks = type === "kubernetes_secret" ? { sensitive_attributes: sensitive } : {};
  return { mode: "managed", type, name, provider: `provider["${provider}"]`, instances: [{ attributes, ...marks }] };
}

/** Runs with another state, and puts the old one back. */
async function withState(id: string, change: (state: State) => void, action: () => Promise<void>): Promise<void> {
  const file = workspace.state(id);
  const before = readFileSync(file, "utf8");
  const state = JSON.parse(before) as State;
  change(state);
  writeFileSync(file, JSON.stringify({ ...state, serial: state.serial + 1 }));
  try {
    await action();
  } finally {
    writeFileSync(file, before);
  }
}

function endsTomorrow(name: string): (state: State) => void {
  return ({ resources }) => {
    const certificate = resources.find((entry) => entry.name === name && entry.type === "tls_locally_signed_cert")!;
    certificate.instances[0]!.attributes.validity_end_time = new Date(Date.now() + 86_400_000).toISOString();
  };
}

function golden(name: string): string {
  return readFileSync(path.join(__dirname, "../contract/golden/plan", name), "utf8");
}
