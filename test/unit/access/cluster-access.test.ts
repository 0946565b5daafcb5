import { filesIn } from "../../support/graph";
import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { Rotating } from "@cdktf/provider-time/lib/rotating";
import { TerraformStack, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { gunzipSync } from "node:zlib";
import { pkiOf } from "../../support/cluster";
import {
  CLIENT_ONLY_CERTIFICATE,
  CRITICAL_EXTENSION_CERTIFICATE,
  NAME_CONSTRAINTS_CERTIFICATE,
  NAMELESS_CERTIFICATE,
} from "../../support/authorities";
import { CA_CERTIFICATE, INTERMEDIATE_CERTIFICATE, P224_CERTIFICATE, ROOT_CERTIFICATE } from "../../support/pem";
import { newApp, newStack, synth } from "../../support/synth";
import { accessStack, BARE, CA_PEM, LEAF_PEM, messageOf } from "./fixture";
import { ClusterAccess, ClusterAccessProps } from "../../../lib/access/cluster-access";
import { Group } from "../../../lib/access/rbac-subject";
import { Distribution } from "../../../lib/kubernetes/distribution";
import { evaluate } from "../../../lib/kubernetes/content-readers";

const props: ClusterAccessProps = {
  distribution: Distribution.KUBEADM,
  cluster: { name: "prod", endpoint: "api.prod.example.com:6443" },
  certificateAuthority: CA_PEM,
};

/** A distribution whose tokens hold the authorities themselves. */
const EMBEDS = { distribution: Distribution.K0S };

function synthesized(changes: Partial<ClusterAccessProps> = {}, stack = accessStack()) {
  const access = new ClusterAccess(stack, "access", { addressPrefix: "access", ...props, ...changes });
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

test("moves everything that had another prefix, so that no token is made anew", () => {
  const { moved } = synthesized({ movedFrom: "old" }).json as { moved: { from: string; to: string }[] };
  expect(moved.map(({ to }) => to).sort()).toEqual(addresses(synthesized().json.resource));
  expect(moved.map(({ from }) => from)).toEqual(moved.map(({ to }) => to.replace(".access__", ".old__")));
});

test("gives the same JSON for the same description", () => {
  expect(JSON.stringify(synthesized().json)).toBe(JSON.stringify(synthesized().json));
});

test("publishes the workers' bootstrap kubeconfig as references, and no token; and what names it to kubeadm", () => {
  const { output } = synthesized().json;
  expect(Object.keys(output)).toEqual(["access_files"]);
  expect(filesIn({ output }, "access")).toEqual({
    worker: {
      "/etc/kubernetes/bootstrap-kubelet.conf": {
        mode: "0600",
        owner: "root:root",
        content: {
          kubeconfig: expect.objectContaining({
            credentials: {
              token: {
                concat: [
                  { address: "random_string.access__token__workers", attribute: "result" },
                  ".",
                  { address: "random_password.access__token__workers", attribute: "result" },
                ],
              },
            },
          }),
        },
      },
      "/etc/kubernetes/join-configuration.yaml": {
        mode: "0644",
        owner: "root:root",
        content: `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  file:
    kubeConfigPath: /etc/kubernetes/bootstrap-kubelet.conf
nodeRegistration:
  ignorePreflightErrors: [FileAvailable--etc-kubernetes-bootstrap-kubelet.conf, FileAvailable--etc-kubernetes-pki-ca.crt]
`,
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
    "kubeadm:apiserver-kubelet-client",
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
  const { access_files } = synthesized({ ...EMBEDS, certificateAuthority: pem.stringValue }, stack).json.output;
  expect(access_files.precondition).toEqual([
    {
      condition:
        '${strcontains("${var.ca}", "-----BEGIN CERTIFICATE-----") && !strcontains("${var.ca}", "PRIVATE KEY-----")}',
      error_message:
        "[certificate-authority] certificateAuthority: allowed: PEM certificates and no private key; " +
        "fix: give the bundle of the authority that signs the API server's certificate.",
    },
  ]);
  expect(access_files.value.worker).toMatch(/^\$\{jsonencode\(\{.*"ca" = "\$\{var\.ca\}"/);
});

test("takes the authority from another stack", () => {
  const app = newApp();
  const pki = new TerraformStack(app, "prod-pki");
  const standIn = new Rotating(pki, "ca", { rotationDays: 1 });
  const { json } = synthesized({ ...EMBEDS, certificateAuthority: standIn.rfc3339 }, accessStack(app));
  const { value, precondition } = json.output.access_files;
  const remote = /\$\{data\.terraform_remote_state\.[^}]+\}/;
  expect(JSON.stringify(value)).toMatch(remote);
  expect(precondition[0].condition).toMatch(remote);
});

test("takes the bundle of a PKI in another stack, in which there is nothing that Terraform would have to check", () => {
  const app = newApp();
  const { pki } = pkiOf({}, EMBEDS, newStack("prod-pki", app));
  const { json } = synthesized({ ...EMBEDS, certificateAuthority: pki.bundle() }, accessStack(app));
  const [files] = Object.values<{ value: unknown }>(json.output);
  expect(JSON.stringify(files!.value)).toMatch(/\$\{data\.terraform_remote_state\.[^}]+\}/);
  expect(files).not.toHaveProperty("precondition");
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

test.each([
  ["CN=test-root more than once", CA_CERTIFICATE + ROOT_CERTIFICATE + ROOT_CERTIFICATE],
  ["2 certificates, of which 1 can be read", CA_CERTIFICATE + ROOT_CERTIFICATE.replace(/^(M.{20})./m, "$1*")],
  ["CN=leaf", CA_CERTIFICATE + LEAF_PEM],
  [
    "a certificate beside 1 PEM of another kind",
    `${CA_CERTIFICATE}-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n`,
  ],
])("refuses a bundle with %s", (given, certificateAuthority) => {
  expect(refused({ certificateAuthority })).toContain(`[certificate-authority] certificateAuthority: given "${given}"`);
});

test.each([
  ["pem-extended-key-usage", CLIENT_ONLY_CERTIFICATE],
  ["pem-constraints", NAME_CONSTRAINTS_CERTIFICATE],
  ["pem-critical-extension", CRITICAL_EXTENSION_CERTIFICATE],
  ["pem-subject", NAMELESS_CERTIFICATE],
  ["pem-key-algorithm", P224_CERTIFICATE],
])("refuses an authority of which a generation is refused: %s", (code, certificate) => {
  expect(refused({ certificateAuthority: CA_CERTIFICATE + certificate })).toContain(`[${code}] certificateAuthority: `);
});

test("takes authorities in any order, and writes what a PKI's own file holds: neither comments nor line ends of Windows", () => {
  const bundle = ROOT_CERTIFICATE + CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE;
  const edited = `# bundle\n\n${bundle.replaceAll("-----END", "  -----END")}`.replaceAll("\n", "\r\n");
  const [plain, other] = [bundle, edited].map(
    (certificateAuthority) => synthesized({ ...EMBEDS, certificateAuthority }).json.output.access_files,
  );
  expect(other).toEqual(plain);
  expect(JSON.stringify(plain)).toContain(JSON.stringify(JSON.stringify(bundle).slice(1, -1)).slice(1, -1));
});

describe("k0s", () => {
  const both = { distribution: Distribution.K0S, tokens: { workers: {}, controllers: { joins: "controller" } } };

  test("has two kinds of tokens, and its three bindings: the rest it leaves to nobody", () => {
    const { access, json } = synthesized(both);
    expect(addresses(json.resource).filter((address) => address.startsWith("kubernetes_"))).toEqual([
      "kubernetes_cluster_role_binding_v1.access__binding__approve-first",
      "kubernetes_cluster_role_binding_v1.access__binding__approve-renewals",
      "kubernetes_cluster_role_binding_v1.access__binding__create-csrs",
      "kubernetes_secret_v1.access__token__controllers",
      "kubernetes_secret_v1.access__token__workers",
    ]);
    expect(access.clusterAdmins).toBeUndefined();
    expect(access.apiServerToKubelet).toBeUndefined();
  });

  test("joins a worker at the API server and a controller at k0s' own API", () => {
    const { joinTokens } = synthesized(both).access;
    const kubeconfig = (name: string) => {
      const token = evaluate(joinTokens[name]!, ({ address }) => `<${address}>`);
      return gunzipSync(Buffer.from(token, "base64")).toString();
    };
    // pkg/token/kubeconfig.go, GenerateKubeconfig
    const expected = (name: string, user: string, port: number) => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(CA_PEM).toString("base64")}
    server: https://api.prod.example.com:${port}
  name: k0s
contexts:
- context:
    cluster: k0s
    user: ${user}
  name: k0s
current-context: k0s
kind: Config
users:
- name: ${user}
  user:
    token: <random_string.access__token__${name}>.<random_password.access__token__${name}>
`;
    expect(kubeconfig("workers")).toBe(expected("workers", "kubelet-bootstrap", 6443));
    expect(kubeconfig("controllers")).toBe(expected("controllers", "controller-bootstrap", 9443));
  });

  test("puts the worker's token where k0s' tools look for it, and the controller's into the operator's hands", () => {
    const value = filesIn(synthesized(both).json, "access");
    const names = Object.entries<object>(value).map(([holder, files]) => [holder, Object.keys(files)]);
    expect(names).toEqual([
      ["worker", ["/etc/k0s/k0stoken"]],
      ["operator", ["/controller-token"]],
    ]);
    expect(JSON.stringify(value.worker)).not.toContain("controllers");
    expect(JSON.stringify(value.operator)).not.toContain("workers");
    expect(value.operator!["/controller-token"].mode).toBe("0600");
  });

  test("lets workers' groups join nodes, and has none of controllers", () => {
    const gpu = "system:bootstrappers:prod:gpu";
    const { resource } = synthesized({ ...both, tokens: { ...both.tokens, gpu: { groups: [gpu] } } }).json;
    const { subject } = resource.kubernetes_cluster_role_binding_v1["access__binding__create-csrs"];
    expect(subject.map(({ name }: { name: string }) => name)).toEqual(["system:bootstrappers", gpu]);
    expect(resource.kubernetes_secret_v1.access__token__controllers.data).not.toHaveProperty("auth-extra-groups");
  });

  test("binds administrators once they are named", () => {
    const { resource } = synthesized({ ...both, clusterAdmins: [Group.named("pipelines")] }).json;
    const { subject } = resource.kubernetes_cluster_role_binding_v1["access__binding__cluster-admins"];
    expect(subject.map(({ name }: { name: string }) => name)).toEqual(["pipelines"]);
  });
});

test("makes nothing where the distribution leaves nothing to make", () => {
  const { access, json } = synthesized({ distribution: BARE });
  expect(json.resource).toBeUndefined();
  expect(json.output.access_files.value).toEqual({});
  expect(access.tokens).toEqual({});
  expect(access.nodeBootstrapping).toBeUndefined();
});

test("refuses a token where nothing joins with one", () => {
  expect(refused({ distribution: BARE, tokens: { workers: {} } })).toContain("[token-joins] tokens.workers.joins");
});

test("refuses a prefix that another part of the stack has", () => {
  const stack = accessStack();
  new ClusterAccess(stack, "access", { ...props, addressPrefix: "access" });
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
