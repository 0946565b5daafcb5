import { ClusterAccess, ClusterAccessProps, Distribution, evaluate, User } from "../../../lib";
import { inventoryOf } from "../../../lib/inventory/collect";
import { discoveryKubeconfig } from "../../../lib/kubernetes/kubeconfig";
import { ONE } from "../../support/cluster";
import { synth } from "../../support/synth";
import { accessStack, CA_PEM } from "./fixture";

const [RBAC, ROLE] = ["rbac.authorization.k8s.io", "prod:cluster-info"];

function made(options: Partial<ClusterAccessProps> = {}) {
  const stack = accessStack();
  const props = { distribution: Distribution.KUBEADM, cluster: ONE, certificateAuthority: CA_PEM, clusterInfo: true };
  const access = new ClusterAccess(stack, "access", { ...props, ...options } as ClusterAccessProps);
  return { stack, access, json: synth(stack) };
}

/** cmd/kubeadm/app/phases/bootstraptoken/clusterinfo/clusterinfo.go writes this; test/e2e/tokens.ts compares it with what kubeadm wrote. */
const KUBECONFIG = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(CA_PEM).toString("base64")}
    server: https://api.prod.example.com:6443
  name: ""
contexts: null
current-context: ""
kind: Config
users: null
`;

test("is kubeadm's kubeconfig of a cluster without a name", () => {
  expect(evaluate(discoveryKubeconfig("https://api.prod.example.com:6443", CA_PEM), () => "")).toBe(KUBECONFIG);
});

test("is a ConfigMap whose signatures are not Terraform's, made anew when its kubeconfig is another one", () => {
  const { resource } = made().json;
  const { data, metadata, lifecycle } = resource.kubernetes_config_map_v1["prod__cluster-info"];
  expect(metadata).toEqual({ name: "cluster-info", namespace: "kube-public" });
  expect(Object.keys(data as object)).toEqual(["kubeconfig"]);
  expect(lifecycle).toMatchObject({
    ignore_changes: ["data"],
    replace_triggered_by: ["terraform_data.prod__cluster-info"],
    postcondition: [
      {
        condition: expect.stringMatching(/^\$\{self\.data\["kubeconfig"\] == ".*"\}$/s),
        error_message: expect.stringContaining("[cluster-info] ConfigMap cluster-info of kube-public: allowed: "),
      },
    ],
  });
  const input = (more: object) => made(more).json.resource.terraform_data["prod__cluster-info"].input;
  expect(input({})).toEqual(input({}));
  expect(input({})).not.toEqual(input({ cluster: { ...ONE, endpoint: "other.example.com:6443" } }));
});

test("has the authorities that the cluster publishes where none are given", () => {
  const { resource } = made({ certificateAuthority: undefined }).json;
  expect(resource.kubernetes_config_map_v1["prod__cluster-info"].data.kubeconfig).toContain(
    "${base64encode(terraform_data.prod__kube-root-ca.output.bundle)}",
  );
});

test("may be read by everybody, and nothing else may", () => {
  const { stack, json } = made();
  const object = { name: "prod:cluster-info", namespace: "kube-public" };
  const { rule, metadata } = json.resource.kubernetes_role_v1["prod__role__cluster-info"];
  expect(metadata).toEqual(object);
  expect(rule).toEqual([
    { api_groups: [""], resource_names: ["cluster-info"], resources: ["configmaps"], verbs: ["get"] },
  ]);
  expect(json.resource.kubernetes_role_binding_v1["prod__binding__cluster-info"]).toMatchObject({
    metadata: object,
    role_ref: { kind: "Role", name: object.name },
    subject: [{ kind: "User", name: "system:anonymous", namespace: "" }],
  });
  expect(inventoryOf(stack).entries.find(({ kind, name }) => kind === "binding" && name === object.name)).toMatchObject(
    {
      kind: "binding",
      role: "Role/prod:cluster-info",
      subjects: ["User/system:anonymous"],
      addresses: ["kubernetes_role_binding_v1.prod__binding__cluster-info"],
    },
  );
});

test("is signed by every token, but for one that says otherwise", () => {
  const usage = (more: Partial<ClusterAccessProps>) =>
    Object.entries(made(more).json.resource.kubernetes_secret_v1 as Record<string, { data: object }>)
      .filter(([, { data }]) => "usage-bootstrap-signing" in data)
      .map(([name]) => name);
  expect(usage({ tokens: { a: {}, b: { signing: false } } })).toEqual(["prod__token__a"]);
  expect(usage({ tokens: { a: {}, b: { signing: true } }, clusterInfo: false })).toEqual(["prod__token__b"]);
});

test("may be made by a pipeline, which may write no other ConfigMap", () => {
  const { resource } = made({ pipelines: [User.named("ci")] }).json;
  expect(resource.kubernetes_role_v1["prod__role__pipeline_kube-public"].rule).toEqual([
    { api_groups: [""], resources: ["configmaps"], verbs: ["create"] },
    {
      api_groups: [""],
      resources: ["configmaps"],
      verbs: ["delete", "get", "patch"],
      resource_names: ["cluster-info"],
    },
    { api_groups: [RBAC], resources: ["roles"], verbs: ["create"] },
    { api_groups: [RBAC], resources: ["roles"], verbs: ["delete", "get", "patch"], resource_names: [ROLE] },
    { api_groups: [RBAC], resources: ["rolebindings"], verbs: ["create"] },
    { api_groups: [RBAC], resources: ["rolebindings"], verbs: ["delete", "get", "patch"], resource_names: [ROLE] },
    { api_groups: [RBAC], resources: ["rolebindings"], verbs: ["get"], resource_names: ["prod:pipeline"] },
    { api_groups: [RBAC], resources: ["roles"], verbs: ["bind"], resource_names: [ROLE] },
    { api_groups: [RBAC], resources: ["roles"], verbs: ["get", "patch"], resource_names: ["prod:pipeline"] },
  ]);
  const role = "kubernetes_role_v1.prod__role__pipeline_kube-public";
  expect(resource.kubernetes_config_map_v1["prod__cluster-info"].depends_on).toContain(role);
  expect(resource.kubernetes_role_v1["prod__role__cluster-info"].depends_on).toContain(role);
});

test("takes over what kubeadm made", () => {
  const { json } = made({ adopt: true });
  const name = "kubeadm:bootstrap-signer-clusterinfo";
  expect(json.import).toEqual(
    expect.arrayContaining([
      { to: "kubernetes_config_map_v1.prod__cluster-info", id: "kube-public/cluster-info" },
      { to: "kubernetes_role_v1.prod__role__cluster-info", id: `kube-public/${name}` },
      { to: "kubernetes_role_binding_v1.prod__binding__cluster-info", id: `kube-public/${name}` },
    ]),
  );
  expect(json.resource.kubernetes_role_v1["prod__role__cluster-info"].metadata.name).toBe(name);
});

test("takes over nothing where the distribution makes none", () => {
  const { json } = made({ adopt: true, distribution: Distribution.SINGLE_CA });
  const imported = (json.import as { to: string }[] | undefined) ?? [];
  expect(imported.filter(({ to }) => to.includes("cluster-info"))).toEqual([]);
});

test("is not there unless it is asked for", () => {
  const { access, json } = made({ clusterInfo: undefined });
  expect(access.clusterInfo).toBeUndefined();
  expect(json.resource).not.toHaveProperty("kubernetes_config_map_v1");
});
