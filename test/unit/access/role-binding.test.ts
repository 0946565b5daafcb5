import { Group, inventoryOf, RoleBinding, type RoleBindingProps, User } from "../../../lib";
import { problemsOf, terraformOf } from "../../support/synth";
import { accessStack } from "./fixture";

const PROPS: RoleBindingProps = {
  name: "deployers",
  namespace: "shop",
  role: "deployer",
  subjects: [Group.named("deployers"), User.named("jane")],
};

const codes = (props: Partial<RoleBindingProps>) =>
  problemsOf(() => new RoleBinding(accessStack(), "deployers", { ...PROPS, ...props })).map(
    ({ code, at }) => `${code} ${at}`,
  );

test("gives a Role in its namespace", () => {
  const stack = accessStack();
  const made = new RoleBinding(stack, "deployers", { ...PROPS, labels: { team: "shop" } });
  expect(terraformOf(stack).resource.kubernetes_role_binding_v1.deployers).toEqual({
    metadata: { name: "deployers", namespace: "shop", labels: { team: "shop" } },
    role_ref: { api_group: "rbac.authorization.k8s.io", kind: "Role", name: "deployer" },
    subject: [
      { api_group: "rbac.authorization.k8s.io", kind: "Group", name: "deployers", namespace: "" },
      { api_group: "rbac.authorization.k8s.io", kind: "User", name: "jane", namespace: "" },
    ],
  });
  expect(made).toMatchObject({ name: "deployers", namespace: "shop", role: "Role/deployer" });
  expect(inventoryOf(stack).entries).toMatchObject([
    { kind: "binding", namespace: "shop", role: "Role/deployer", subjects: ["Group/deployers", "User/jane"] },
  ]);
});

test("gives a ClusterRole in a namespace, and takes an object over", () => {
  const stack = accessStack();
  new RoleBinding(stack, "viewers", { ...PROPS, role: undefined, clusterRole: "view", address: "v", adopt: true });
  const { resource, import: imports } = terraformOf(stack);
  expect(resource.kubernetes_role_binding_v1.v.role_ref).toMatchObject({ kind: "ClusterRole", name: "view" });
  expect(imports).toEqual([{ to: "kubernetes_role_binding_v1.v", id: "shop/deployers" }]);
});

test.each<[Partial<RoleBindingProps>, string[]]>([
  [{ role: undefined }, ["role-or-cluster-role role"]],
  [{ clusterRole: "view" }, ["role-or-cluster-role role"]],
  [{ namespace: "a.b" }, ["namespace namespace"]],
  [{ role: "" }, ["cluster-role role"]],
  [{ name: "a/b", subjects: [] }, ["binding-name name", "binding-subjects subjects"]],
  [{ name: "system:x" }, ["binding-name-reserved name"]],
  [{ subjects: [Group.named("system:masters")] }, ["system-masters subjects[0]"]],
  [
    { role: undefined, clusterRole: "cluster-admin", subjects: [Group.named("system:authenticated")] },
    ["broad-cluster-admin subjects[0]"],
  ],
])("refuses %j", (props, problems) => {
  expect(codes(props)).toEqual(problems);
});
