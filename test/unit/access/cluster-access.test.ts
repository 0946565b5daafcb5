import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { Rotating } from "@cdktf/provider-time/lib/rotating";
import { TerraformStack, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { ClusterAccess, ClusterAccessProps, Group } from "../../../lib/access";
import { Distribution, evaluate } from "../../../lib/kubernetes";
import { newApp, synth } from "../../support/synth";
import { accessStack, CA_PEM, LEAF_PEM, messageOf } from "./fixture";

const props: ClusterAccessProps = {
  distribution: Distribution.KUBEADM,
  cluster: { name: "prod", endpoint: "api.prod.example.com:6443" },
  certificateAuthority: CA_PEM,
};

function synthesized(changes: Partial<ClusterAccessProps> = {}, stack = accessStack()) {
  const access = new ClusterAccess(stack, "access", { ...props, ...changes });
  return { access, json: synth(stack) };
}

const refused = (changes: Partial<ClusterAccessProps>) => messageOf(() => synthesized(changes));

type Resources = Record<string, Record<string, unknown>>;

const addresses = (resource: Resources) =>
  Object.entries(resource)
    .flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`))
    .sort();

/** The objects in the API server. */
const objects = (resource: Resources) =>
  Object.entries(resource)
    .filter(([type]) => type.startsWith("kubernetes_"))
    .flatMap(([, named]) => Object.values(named));

// A contract: another address replaces or doubles what clusters run on.
test("has these addresses", () => {
  expect(addresses(synthesized().json.resource)).toEqual([
    "kubernetes_cluster_role_binding_v1.access__binding__apiserver-to-kubelet",
    "kubernetes_cluster_role_binding_v1.access__binding__approve-first",
    "kubernetes_cluster_role_binding_v1.access__binding__approve-renewals",
    "kubernetes_cluster_role_binding_v1.access__binding__cluster-admins",
    "kubernetes_cluster_role_binding_v1.access__binding__create-csrs",
    "kubernetes_secret_v1.access__token__workers",
    "random_password.access__token__workers",
    "random_string.access__token__workers",
    "time_rotating.access__token__workers",
  ]);
});

test("keeps its addresses when it is wrapped in another construct", () => {
  const stack = accessStack();
  const platform = new Construct(stack, "platform");
  new ClusterAccess(platform, "api", { ...props, addressPrefix: "access" });
  expect(addresses(synth(stack).resource)).toEqual(addresses(synthesized().json.resource));
});

test("gives the same JSON for the same description", () => {
  expect(JSON.stringify(synthesized().json)).toBe(JSON.stringify(synthesized().json));
});

test("publishes the workers' bootstrap kubeconfig as references, and no token", () => {
  const { output } = synthesized().json;
  expect(Object.keys(output)).toEqual(["access_files"]);
  expect(output.access_files.value).toEqual({
    worker: {
      "/etc/kubernetes/bootstrap-kubelet.conf": {
        mode: "0600",
        owner: "root:root",
        content: {
          concat: expect.arrayContaining([
            { address: "random_string.access__token__workers", attribute: "result" },
            { address: "random_password.access__token__workers", attribute: "result" },
          ]),
        },
      },
    },
  });
  // As an expression, the secret would be in the output's value.
  expect(JSON.stringify(output)).not.toContain("${");
});

test("offers the same kubeconfig as data", () => {
  const { access } = synthesized();
  const yaml = evaluate(access.joinTokens.workers!, ({ address }) => `<${address}>`);
  expect(yaml).toContain("token: <random_string.access__token__workers>.<random_password.access__token__workers>\n");
});

test("puts the first of several tokens into the kubeconfig", () => {
  const { access, json } = synthesized({ tokens: { gpu: {}, workers: {} } });
  expect(Object.keys(access.tokens)).toEqual(["gpu", "workers"]);
  expect(JSON.stringify(json.output)).toContain("random_password.access__token__gpu");
  expect(JSON.stringify(json.output)).not.toContain("random_password.access__token__workers");
});

test("publishes no kubeconfig where there is no token", () => {
  const { access, json } = synthesized({ tokens: {} });
  expect(access.joinTokens).toEqual({});
  expect(json.output.access_files.value).toEqual({});
  expect(Object.keys(json.resource)).toEqual(["kubernetes_cluster_role_binding_v1"]);
});

test("lets every token's groups join nodes", () => {
  const gpu = "system:bootstrappers:prod:gpu";
  const { resource } = synthesized({ tokens: { workers: {}, gpu: { groups: [gpu] } } }).json;
  const { subject } = resource.kubernetes_cluster_role_binding_v1["access__binding__create-csrs"];
  expect(subject.map(({ name }: { name: string }) => name)).toEqual([
    "system:bootstrappers:kubeadm:default-node-token",
    gpu,
  ]);
});

test("takes all bindings that the distribution makes over, in one list", () => {
  const { json } = synthesized({ adopt: true });
  expect(json.import.map(({ id }: { id: string }) => id)).toEqual([
    "kubeadm:kubelet-bootstrap",
    "kubeadm:node-autoapprove-bootstrap",
    "kubeadm:node-autoapprove-certificate-rotation",
    "kubeadm:cluster-admins",
  ]);
});

test("binds more administrators", () => {
  const { resource } = synthesized({ clusterAdmins: [Group.named("pipelines")] }).json;
  const { subject } = resource.kubernetes_cluster_role_binding_v1["access__binding__cluster-admins"];
  expect(subject.map(({ name }: { name: string }) => name)).toEqual(["kubeadm:cluster-admins", "pipelines"]);
});

test("passes provider, dependencies, labels and annotations on to every object", () => {
  const stack = accessStack();
  const labels = { "app.kubernetes.io/part-of": "prod" };
  const annotations = { "pki.example.com/owner": "platform" };
  const provider = new KubernetesProvider(stack, "other", { alias: "other" });
  const gate = new Rotating(stack, "gate", { rotationDays: 1 });
  gate.overrideLogicalId("gate");
  const { resource } = synthesized({ provider, dependsOn: [gate], labels, annotations }, stack).json;
  expect(objects(resource)).toHaveLength(6);
  for (const object of objects(resource)) {
    expect(object).toMatchObject({
      provider: "kubernetes.other",
      depends_on: ["time_rotating.gate"],
      metadata: { labels, annotations },
    });
  }
});

test("says nothing of labels, annotations and dependencies that were not given", () => {
  for (const object of objects(synthesized().json.resource)) {
    expect(object).not.toHaveProperty("provider");
    expect(object).not.toHaveProperty("depends_on");
    expect(Object.keys((object as { metadata: object }).metadata)).not.toContain("labels");
  }
});

test("lets Terraform look at an authority that is not known at synth", () => {
  const stack = accessStack();
  const pem = new TerraformVariable(stack, "ca", { type: "string" });
  const { access_files } = synthesized({ certificateAuthority: pem.stringValue }, stack).json.output;
  expect(access_files.precondition).toEqual([
    {
      condition:
        '${strcontains("${var.ca}", "-----BEGIN CERTIFICATE-----") && !strcontains("${var.ca}", "PRIVATE KEY-----")}',
      error_message: "[certificate-authority] certificateAuthority must be PEM certificates and no private key.",
    },
  ]);
  expect(JSON.stringify(access_files.value)).toContain('{"base64":"${var.ca}"}');
});

test("takes the authority from another stack", () => {
  const app = newApp();
  const pki = new TerraformStack(app, "prod-pki");
  const standIn = new Rotating(pki, "ca", { rotationDays: 1 });
  const { json } = synthesized({ certificateAuthority: standIn.rfc3339 }, accessStack(app));
  const { value, precondition } = json.output.access_files;
  const remote = /\$\{data\.terraform_remote_state\.[^}]+\}/;
  expect(JSON.stringify(value)).toMatch(remote);
  expect(precondition[0].condition).toMatch(remote);
});

test.each([
  ["text with a private key", `${CA_PEM}-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n`],
  ["text that is no certificate authority", "/etc/kubernetes/pki/ca.crt"],
  ["text that is no certificate authority", ""],
  ["text that is no certificate authority", LEAF_PEM],
])("refuses %s as authority, and does not repeat it", (given, certificateAuthority) => {
  const message = refused({ certificateAuthority });
  expect(message).toContain(`[certificate-authority] certificateAuthority: given "${given}"`);
  expect(message).not.toContain("BEGIN");
});

test("refuses a prefix that another part of the stack has", () => {
  const stack = accessStack();
  new ClusterAccess(stack, "access", props);
  const again = () => new ClusterAccess(stack, "more", { ...props, addressPrefix: "access" });
  expect(messageOf(again)).toContain('[address-prefix-taken] addressPrefix: given "access"');
});

test("names everything that is wrong at once", () => {
  const message = refused({
    addressPrefix: "My.Access",
    cluster: { name: "Prod", endpoint: "https://api.prod.example.com" },
    certificateAuthority: "none",
    tokens: { Workers: { expireAfterHours: 24 }, gpu: { groups: ["gpu"] } },
    clusterAdmins: [Group.named("system:masters")],
  });
  const found = [...message.matchAll(/^ {2}\[([a-z-]+)\] ([^:]+):/gm)].map(([, code, at]) => `${code} ${at}`);
  expect(found).toEqual([
    "address-prefix addressPrefix",
    "cluster-name cluster.name",
    "host-url cluster.endpoint",
    "certificate-authority certificateAuthority",
    "token-name tokens.Workers",
    "token-expiry tokens.Workers.expireAfterHours",
    "token-group tokens.gpu.groups[0]",
    "system-masters clusterAdmins[0]",
  ]);
});
