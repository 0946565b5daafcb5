import type { TerraformStack } from "cdktf";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ClusterPki, ClusterPkiProps, Distribution, Generation, inventoryOf, KeyAlgorithm, Validity } from "../../lib";
import { Workspace } from "./workspace";

// Inventories beside plans of the real Terraform: that of the same synth is never refused, whatever the plan leaves out; that of another one
// is, with both values.

jest.setTimeout(240_000);

const MACHINES = ["cp-1", "cp-2"].map((name, index) => ({ name, addresses: [`10.0.0.1${index + 1}`] }));
const CLUSTER: ClusterPkiProps["cluster"] = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: MACHINES,
  etcd: { topology: "external", endpoints: ["https://etcd.example.com:2379"] },
};
const AUTHORITIES = { kubernetes: { generations: { g1: Generation.active(), g2: Generation.trusted() } } };

type Props = Partial<ClusterPkiProps>;
type Edit = (pki: ClusterPki, stack: TerraformStack) => void;

let workspace: Workspace;

/** Synthesizes the cluster; its inventory lies in the file of that name. */
function synth(inventory: string, props: Props = {}, edit: Edit = () => undefined): void {
  workspace.synth("pki", (stack) => {
    const pki = new ClusterPki(stack, "pki", {
      addressPrefix: "pki",
      distribution: Distribution.KUBEADM,
      cluster: CLUSTER,
      authorities: AUTHORITIES,
      ...props,
    });
    edit(pki, stack);
    writeFileSync(path.join(workspace.folder, inventory), JSON.stringify(inventoryOf(stack)));
  });
}

/** Plans what was synthesized last; gives the report beside an inventory. */
async function reported(inventory: string, ...options: string[]) {
  await workspace.terraform("pki", "plan", "-no-color", "-out=plan", "-refresh=false", ...options);
  writeFileSync(path.join(workspace.folder, "plan.json"), await workspace.must("pki", "show", "-json", "plan"));
  const { code, stderr } = await workspace.kubernetesPki(
    "plan",
    "--fail-on",
    "none",
    "--inventory",
    inventory,
    "plan.json",
  );
  return { code, stderr };
}

/** Another description, and what is said to an inventory of the one that is deployed. */
const OTHERS: Readonly<Record<string, readonly [Props, Edit | undefined, string]>> = {
  "a generation that is promoted": [
    { authorities: { kubernetes: { generations: { g1: Generation.trusted(), g2: Generation.active() } } } },
    undefined,
    "pki: kubernetes g1 is active there, and trusted in the plan",
  ],
  "a generation that is new": [
    {
      authorities: { kubernetes: { generations: { ...AUTHORITIES.kubernetes.generations, g3: Generation.trusted() } } },
    },
    undefined,
    "kubernetes g3 is missing there, and trusted in the plan",
  ],
  "another name": [
    { cluster: { ...CLUSTER, extraSans: ["more.example.com"] } },
    undefined,
    "cp-1/apiserver has the names",
  ],
  "another subject": [
    {},
    (pki) => pki.certificate("scheduler", "cp-1").request.putSubject([{ commonName: "somebody" }]),
    "cp-1/scheduler has the subject CN=system:kube-scheduler there, and CN=somebody in the plan",
  ],
  "other usages": [
    {},
    (pki) => (pki.certificate("apiserver", "cp-1").resource.allowedUses = ["digital_signature", "client_auth"]),
    "cp-1/apiserver has the usages server there, and client in the plan",
  ],
  "another validity": [
    { certificates: { apiserver: { validity: Validity.years(2) } } },
    undefined,
    "cp-1/apiserver has the hours 8760 there, and 17520 in the plan",
  ],
  "a machine that is new": [
    { cluster: { ...CLUSTER, controlPlanes: [...MACHINES, { name: "cp-3", addresses: ["10.0.0.13"] }] } },
    undefined,
    "cp-3/apiserver is missing there, and in the plan",
  ],
  "a machine that is gone": [
    { cluster: { ...CLUSTER, controlPlanes: MACHINES.slice(0, 1) } },
    undefined,
    "__cp-2__admin, and the plan's code has no such resource",
  ],
  "another prefix": [{ addressPrefix: "other" }, undefined, "it has nothing of other, which the plan publishes"],
};

beforeAll(async () => {
  workspace = await Workspace.create();
  synth("deployed.json");
  await workspace.apply("pki");
});

afterAll(() => workspace?.remove());

describe("the inventory of the same synth is read beside", () => {
  const ONE = "-target=tls_locally_signed_cert.pki__cp-1__apiserver";

  test.each([
    ["a plan without changes", []],
    ["a plan that destroys", ["-destroy"]],
    ["a plan that refreshes alone", ["-refresh-only"]],
    ["a plan of one certificate", [ONE]],
  ])("%s", async (_, options) => {
    synth("same.json");
    expect((await reported("same.json", ...options)).stderr).toBe("");
  });

  test.each(Object.keys(OTHERS))("a plan of one certificate, and of all, that has %s", async (name) => {
    const [props, edit] = OTHERS[name]!;
    synth("same.json", props, edit);
    for (const options of [[ONE], []]) {
      expect({ options, ...(await reported("same.json", ...options)) }).toMatchObject({ stderr: "" });
    }
  });

  test("a plan that failed", async () => {
    const g1 = Generation.active({ keyAlgorithm: KeyAlgorithm.RSA_2048 });
    synth("same.json", { authorities: { kubernetes: { generations: { ...AUTHORITIES.kubernetes.generations, g1 } } } });
    expect(await reported("same.json")).toEqual({ code: 2, stderr: "" });
  });
});

describe("the inventory of another synth is refused beside", () => {
  test.each(Object.entries(OTHERS))("a plan that has %s", async (_, [props, edit, text]) => {
    synth("new.json", props, edit);
    const { code, stderr } = await reported("deployed.json");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(text) });
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
