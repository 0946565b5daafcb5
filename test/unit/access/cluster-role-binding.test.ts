import { ClusterRoleBindingV1 } from "@cdktf/provider-kubernetes/lib/cluster-role-binding-v1";
import { synth } from "../../support/synth";
import { accessStack, messageOf } from "./fixture";
import { ClusterRoleBinding, ClusterRoleBindingProps } from "../../../lib/access/cluster-role-binding";
import { Group, User } from "../../../lib/access/rbac-subject";

const props: ClusterRoleBindingProps = {
  name: "prod:viewers",
  clusterRole: "view",
  subjects: [Group.named("developers"), User.named("jane")],
};

const refused = (changes: Partial<ClusterRoleBindingProps>) =>
  messageOf(() => new ClusterRoleBinding(accessStack(), "viewers", { ...props, ...changes }));

test("makes exactly one object", () => {
  const stack = accessStack();
  new ClusterRoleBinding(stack, "viewers", props);
  expect(synth(stack).resource).toEqual({
    kubernetes_cluster_role_binding_v1: {
      viewers: {
        "//": expect.anything(),
        metadata: { name: "prod:viewers" },
        role_ref: { api_group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
        subject: [
          { api_group: "rbac.authorization.k8s.io", kind: "Group", name: "developers", namespace: "" },
          { api_group: "rbac.authorization.k8s.io", kind: "User", name: "jane", namespace: "" },
        ],
      },
    },
  });
});

test("keeps its Terraform name wherever it stands in the tree", () => {
  const stack = accessStack();
  const { resource } = new ClusterRoleBinding(stack, "viewers", { ...props, address: "prod__binding__viewers" });
  expect(resource.friendlyUniqueId).toBe("prod__binding__viewers");
});

test("is found as the default child", () => {
  const binding = new ClusterRoleBinding(accessStack(), "viewers", props);
  expect(binding.node.defaultChild).toBeInstanceOf(ClusterRoleBindingV1);
});

test("imports nothing by default", () => {
  const stack = accessStack();
  new ClusterRoleBinding(stack, "viewers", props);
  expect(synth(stack)).not.toHaveProperty("import");
});

test("takes an existing object over", () => {
  const stack = accessStack();
  new ClusterRoleBinding(stack, "viewers", { ...props, adopt: true });
  expect(synth(stack).import).toEqual([{ to: "kubernetes_cluster_role_binding_v1.viewers", id: "prod:viewers" }]);
});

test("takes several objects over in one list", () => {
  const stack = accessStack();
  new ClusterRoleBinding(stack, "first", { ...props, name: "a", adopt: true });
  new ClusterRoleBinding(stack, "second", { ...props, name: "b", adopt: true });
  expect(synth(stack).import.map(({ id }: { id: string }) => id)).toEqual(["a", "b"]);
});

test("refuses a name that the API server resets", () => {
  expect(refused({ name: "system:viewers" })).toContain('[binding-name-reserved] name: given "system:viewers"');
});

test("takes over an object whose name the API server does not reset, though it starts with system:", () => {
  expect(refused({ name: "system:k3s-controller", adopt: true })).toBe("nothing was thrown");
});

test.each(["", ".", "..", "a/b", "a%b"])("refuses the name %j", (name) => {
  expect(refused({ name })).toContain(`[binding-name] name: given ${JSON.stringify(name)}`);
});

test("refuses two bindings with one Terraform name", () => {
  const stack = accessStack();
  new ClusterRoleBinding(stack, "one", { ...props, address: "same" });
  expect(messageOf(() => new ClusterRoleBinding(stack, "two", { ...props, address: "same" }))).toContain(
    "[address-taken]",
  );
});

test("names all problems at once", () => {
  const message = refused({ name: "a/b", clusterRole: "", subjects: [] });
  expect(message).toBe(
    [
      "3 problems at prod-access/viewers",
      `  [binding-name] name: given "a/b"; allowed: a name without '/' and '%'; fix: choose such a name`,
      `  [cluster-role] clusterRole: given ""; allowed: the name of a ClusterRole; fix: name it`,
      `  [binding-subjects] subjects: given "none"; allowed: at least one subject; fix: add one, e.g. Group.named(…)`,
    ].join("\n"),
  );
});
