import {
  AccessPipeline,
  ClusterAccess,
  type ClusterAccessProps,
  Distribution,
  Group,
  inventoryOf,
  User,
} from "../../../lib";
import { ONE } from "../../support/cluster";
import { problemsOf, terraformOf } from "../../support/synth";
import { accessStack } from "./fixture";

const RBAC = "rbac.authorization.k8s.io";

function synthesized(props: Partial<ClusterAccessProps> = {}) {
  const stack = accessStack();
  const pipelines = [User.named("ci")];
  new ClusterAccess(stack, "access", { distribution: Distribution.KUBEADM, cluster: ONE, pipelines, ...props });
  return { stack, resource: terraformOf(stack).resource };
}

const rule = (group: string, resource: string, verbs: string[], names?: string[]) => ({
  api_groups: [group],
  resources: [resource],
  verbs,
  ...(names ? { resource_names: names } : {}),
});

const KEEP = ["delete", "get", "patch"];
const BINDINGS = ["apiserver-to-kubelet", "approve-first", "approve-renewals", "create-csrs"].map((n) => `prod:${n}`);
const CSR = "system:certificates.k8s.io:certificatesigningrequests";

describe("a pipeline's roles", () => {
  test("are what keeping the tokens and bindings takes, by their names", () => {
    const { resource } = synthesized();
    expect(resource.kubernetes_cluster_role_v1.prod__role__pipeline).toEqual({
      metadata: { name: "prod:pipeline" },
      rule: [
        rule(RBAC, "clusterrolebindings", ["create"]),
        rule(RBAC, "clusterrolebindings", KEEP, BINDINGS),
        rule(RBAC, "clusterrolebindings", ["get"], ["prod:cluster-admins", "prod:pipeline"]),
        rule(
          RBAC,
          "clusterroles",
          ["bind"],
          [`${CSR}:nodeclient`, `${CSR}:selfnodeclient`, "system:kubelet-api-admin", "system:node-bootstrapper"],
        ),
        rule(RBAC, "clusterroles", ["get", "patch"], ["prod:pipeline"]),
      ],
    });
    expect(resource.kubernetes_role_v1["prod__role__pipeline_kube-system"]).toEqual({
      metadata: { name: "prod:pipeline", namespace: "kube-system" },
      rule: [
        rule("", "secrets", ["create", ...KEEP]),
        rule(RBAC, "rolebindings", ["get"], ["prod:pipeline"]),
        rule(RBAC, "roles", ["get", "patch"], ["prod:pipeline"]),
      ],
    });
  });

  test("are bound to whom it is given, in each place", () => {
    const { resource } = synthesized({
      pipelines: [Group.named("pipelines")],
      users: { ci: { appliesAccess: true, kubeconfig: { command: "login" } } },
    });
    const subject = ["User/ci", "Group/pipelines"].map((text) => {
      const [kind, name] = text.split("/");
      return { api_group: RBAC, kind, name, namespace: "" };
    });
    expect(resource.kubernetes_cluster_role_binding_v1.prod__binding__pipeline).toMatchObject({
      metadata: { name: "prod:pipeline" },
      role_ref: { kind: "ClusterRole", name: "prod:pipeline" },
      subject,
    });
    expect(resource.kubernetes_role_binding_v1["prod__binding__pipeline_kube-system"]).toMatchObject({
      metadata: { name: "prod:pipeline", namespace: "kube-system" },
      role_ref: { kind: "Role", name: "prod:pipeline" },
      subject,
    });
  });

  test("have a Role in each namespace in which somebody is bound", () => {
    const grants = [
      { role: "deployer", namespace: "shop" },
      { clusterRole: "view", namespace: "shop" },
      { clusterRole: "cluster-admin", namespace: "shop" },
    ];
    const users = { jane: { grants, kubeconfig: { command: "login" } } };
    const { resource } = synthesized({ users, tokens: {} });
    expect(Object.keys(resource.kubernetes_role_v1)).toEqual(["prod__role__pipeline_shop"]);
    expect(resource.kubernetes_role_v1.prod__role__pipeline_shop.rule).toEqual([
      rule(RBAC, "rolebindings", ["create"]),
      rule(RBAC, "rolebindings", KEEP, ["prod:jane:deployer", "prod:jane:view"]),
      rule(RBAC, "rolebindings", ["get"], ["prod:jane:cluster-admin", "prod:pipeline"]),
      rule(RBAC, "clusterroles", ["bind"], ["view"]),
      rule(RBAC, "roles", ["bind"], ["deployer"]),
      rule(RBAC, "roles", ["get", "patch"], ["prod:pipeline"]),
    ]);
  });

  test("let it read the authorities that the cluster publishes, where a token holds them", () => {
    const { resource } = synthesized({ distribution: Distribution.K0S });
    expect(resource.kubernetes_role_v1["prod__role__pipeline_kube-system"].rule).toContainEqual(
      rule("", "configmaps", ["get"], ["kube-root-ca.crt"]),
    );
  });

  test("are made before what they are for, and changed after it was destroyed", () => {
    const { resource } = synthesized();
    const roles = [
      "kubernetes_cluster_role_v1.prod__role__pipeline",
      "kubernetes_role_v1.prod__role__pipeline_kube-system",
    ];
    const objects = [
      ...Object.values<{ depends_on: string[] }>(resource.kubernetes_cluster_role_binding_v1),
      ...Object.values<{ depends_on: string[] }>(resource.kubernetes_role_binding_v1),
      ...Object.values<{ depends_on: string[] }>(resource.kubernetes_secret_v1),
    ];
    expect(objects.map(({ depends_on }) => depends_on)).toEqual(objects.map(() => roles));
  });

  test("are in the inventory, with what they let it do", () => {
    const roles = inventoryOf(synthesized().stack).entries.filter(({ kind }) => kind === "role");
    expect(roles).toMatchObject([
      {
        name: "prod:pipeline",
        addresses: ["kubernetes_cluster_role_v1.prod__role__pipeline"],
        rules: expect.arrayContaining(["create clusterrolebindings.rbac.authorization.k8s.io"]),
      },
      { namespace: "kube-system", rules: expect.arrayContaining(["create,delete,get,patch secrets"]) },
    ]);
  });

  test("are of what stands below a construct, wherever that is", () => {
    const stack = accessStack();
    const access = new ClusterAccess(stack, "access", { distribution: Distribution.KUBEADM, cluster: ONE });
    const made = new AccessPipeline(stack, "ours", { of: access, subjects: [User.named("ci")] });
    expect(made.bindings.map(({ name }) => name)).toEqual(["ours:pipeline", "ours:pipeline"]);
    expect(terraformOf(stack).resource.kubernetes_cluster_role_v1.ours__role__pipeline.rule).toHaveLength(5);
  });
});

test("nothing of it is there where nobody is named", () => {
  const { resource } = synthesized({ pipelines: [] });
  expect(Object.keys(resource).filter((type) => /role_v1|role_binding_v1/.test(type))).toEqual([
    "kubernetes_cluster_role_binding_v1",
  ]);
  expect(JSON.stringify(resource)).not.toContain("depends_on");
});

test.each([
  [[Group.named("system:masters")], "system-masters pipelines[0]"],
  [[User.named("ci"), Group.named("system:authenticated")], "broad-cluster-admin pipelines[1]"],
])("refuses whom nobody could mean", (pipelines, problem) => {
  expect(problemsOf(() => synthesized({ pipelines })).map(({ code, at }) => `${code} ${at}`)).toEqual([problem]);
});
