import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import type { TerraformStack } from "cdktf";
import { readFileSync, writeFileSync } from "node:fs";
import {
  CertificateAuthority,
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  DistributionTable,
  Generation,
  inventoryOf,
  Subject,
  Validity,
} from "../../lib";
import type { Danger } from "../../lib/plan/judge/danger";
import { planReport } from "../../lib/plan/judge/report";
import type { Inventory } from "../../lib/plan/read/inventory";
import { parsePlan } from "../../lib/terraform-json/plan";
import { Workspace } from "./workspace";

// What the report takes for dangerous in plans of the real Terraform. Plans that were written by hand stand in test/unit/plan/dangers.

jest.setTimeout(240_000);

const CLUSTER: ClusterPkiProps["cluster"] = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
  etcd: { topology: "external", endpoints: ["https://etcd.example.com:2379"] },
};

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

/** Synthesizes a stack; gives its inventory. */
function synth(id: string, build: (stack: TerraformStack) => void): Inventory {
  let inventory: Inventory | undefined;
  workspace.synth(id, (stack) => {
    build(stack);
    inventory = inventoryOf(stack);
  });
  return inventory!;
}

async function dangersOf(id: string, inventory?: Inventory): Promise<readonly Danger[]> {
  await workspace.must(id, "plan", "-no-color", "-out=plan", "-refresh=false");
  const plan = parsePlan(await workspace.must(id, "show", "-json", "plan"), "the plan");
  return planReport(plan, { inventories: inventory ? [inventory] : [] }).dangers;
}

const names = (dangers: readonly Danger[]) => dangers.map(({ code, name = "" }) => `${code} ${name}`.trim());

const GENERATIONS = { g1: Generation.active(), g2: Generation.trusted() };

function pki(more: (pki: ClusterPki, stack: TerraformStack) => void = () => undefined, props: object = {}) {
  return synth("pki", (stack) =>
    more(
      new ClusterPki(stack, "pki", {
        addressPrefix: "pki",
        distribution: Distribution.KUBEADM,
        cluster: CLUSTER,
        serviceAccount: { generations: GENERATIONS },
        ...props,
      }),
      stack,
    ),
  );
}

describe("a PKI that is deployed", () => {
  beforeAll(async () => {
    pki();
    await workspace.apply("pki");
  });

  test("and stays as it is has none", async () => {
    expect(names(await dangersOf("pki", pki()))).toEqual([]);
  });

  const apiserver = (made: ClusterPki) => made.certificate("apiserver", "cp-1");

  const EDITS: Readonly<
    Record<string, [edit: (pki: ClusterPki, stack: TerraformStack) => void, ...expected: string[]]>
  > = {
    "usages of a server": [
      (made) => (apiserver(made).resource.allowedUses = ["digital_signature", "server_auth", "client_auth"]),
      "usages-widened cp-1/apiserver",
    ],
    "names of a server": [
      (made) => (apiserver(made).request.dnsNames = ["*.example.com"]),
      "wildcard-name cp-1/apiserver",
    ],
    "the key of a server": [(made) => (apiserver(made).key.resource.ecdsaCurve = "P224"), "weak-key cp-1/apiserver"],
    "a leaf that may sign": [(made) => (apiserver(made).resource.isCaCertificate = true), "new-signer cp-1/apiserver"],
    "the subject of a client": [
      (made) => made.certificate("scheduler", "cp-1").request.putSubject([{ commonName: "system:kube-proxy" }]),
      "system-identity cp-1/scheduler",
    ],
    "an authority below another": [
      (made, stack) =>
        new CertificateAuthority(stack, "below", {
          subject: new Subject({ commonName: "below" }),
          issuer: made.authority("kubernetes"),
          generations: { g1: Generation.active({ validity: Validity.years(5) }) },
        }),
      "new-signer below g1",
    ],
  };

  test.each(Object.entries(EDITS))("%s", async (_, [edit, ...expected]) => {
    expect(
      names(
        await dangersOf(
          "pki",
          pki((made, stack) => void edit(made, stack)),
        ),
      ),
    ).toEqual(expected);
  });

  const table: DistributionTable = {
    ...Distribution.KUBEADM.table,
    certificates: {
      ...Distribution.KUBEADM.table.certificates,
      scheduler: {
        ...Distribution.KUBEADM.table.certificates["scheduler"]!,
        exceptions: [{ code: "two-usages", reason: "to see what happens" }],
      },
    },
  };

  test.each([
    [
      "a long validity",
      { certificates: { apiserver: { validity: Validity.years(3) } } },
      "long-validity cp-1/apiserver",
    ],
    [
      "a key pair promoted and another retired",
      { serviceAccount: { generations: { g1: Generation.retired(), g2: Generation.active() } } },
      "trust-removed service-account g1",
    ],
    [
      "no protection",
      { deletionProtection: false },
      ...["front-proxy g1", "kubernetes g1", "service-account g1", "service-account g2"].map(
        (name) => `protection-removed ${name}`,
      ),
    ],
    ["an exception of a table", { distribution: new Distribution(table) }, "exception-added scheduler"],
  ])("%s", async (_, props, ...expected) => {
    expect(names(await dangersOf("pki", pki(undefined, props)))).toEqual(expected);
  });

  test.each([
    ["pki__ca__kubernetes__g1", "kubernetes g1", ["cp-1/apiserver"]],
    ["pki__keys__service-account__g1", "service-account g1", []],
  ])("and %s is no longer in the state", async (name, title, reached) => {
    const inventory = pki();
    const file = workspace.state("pki");
    const before = readFileSync(file, "utf8");
    const state = JSON.parse(before) as { serial: number; resources: { name: string }[] };
    const resources = state.resources.filter((resource) => resource.name !== name);
    writeFileSync(file, JSON.stringify({ ...state, resources, serial: state.serial + 1 }));
    try {
      const [danger, ...others] = await dangersOf("pki", inventory);
      expect(danger).toMatchObject({ code: "issuer-not-delivered", name: title });
      expect(danger!.reaches).toEqual(expect.arrayContaining(reached));
      expect(others).toEqual([]);
    } finally {
      writeFileSync(file, before);
    }
  });
});

describe("roles and bindings of a user's own", () => {
  const role = (...rule: object[]) => ({ metadata: [{ name: "role" }], rule });
  const bound = (name: string, kind: string, subject: string) => ({
    metadata: [{ name: "bound" }],
    role_ref: [{ api_group: "rbac.authorization.k8s.io", kind: "ClusterRole", name }],
    subject: [{ api_group: "rbac.authorization.k8s.io", kind, name: subject, namespace: "" }],
  });
  const secrets = { api_groups: [""], resources: ["secrets"], verbs: ["get", "list"] };
  const pods = { api_groups: ["", "apps"], resources: ["pods", "deployments"], verbs: ["get"] };
  const APPROVER = "system:certificates.k8s.io:kube-apiserver-client-approver";
  const RESOURCES = {
    kubernetes_cluster_role: { plain: role(pods), secrets: role(pods, secrets) },
    kubernetes_cluster_role_binding: {
      anonymous: bound("view", "User", "system:anonymous"),
      approver: bound(APPROVER, "User", "jane"),
      plain: bound("view", "User", "jane"),
    },
    kubernetes_role_binding: {
      admin: { ...bound("cluster-admin", "User", "jane"), metadata: [{ name: "admin", namespace: "dev" }] },
    },
  };

  test("are judged as the provider plans them", async () => {
    synth("rbac", (stack) => {
      new KubernetesProvider(stack, "kubernetes");
      // The newest that can be had without a registry. Its types have no _v1 at their end.
      stack.addOverride("terraform.required_providers.kubernetes.version", "1.13.4");
      Object.entries(RESOURCES).forEach(([type, resources]) => stack.addOverride(`resource.${type}`, resources));
    });
    await workspace.must("rbac", "init", "-no-color");
    const dangers = await dangersOf("rbac");
    expect(names(dangers)).toEqual([
      "cluster-admin admin",
      "powerful-role secrets",
      "open-binding anonymous",
      "csr-approver approver",
    ]);
    expect(dangers[0]!.message).toContain("User/jane in the namespace dev");
    expect(dangers[1]!.message).toContain("get secrets, list secrets");
  });
});
