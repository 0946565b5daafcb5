import { synth } from "../../support/synth";
import { accessStack, messageOf } from "./fixture";
import { ClusterAdmins, ClusterAdminsProps } from "../../../lib/access/cluster-admins";
import { Group, ServiceAccountRef } from "../../../lib/access/rbac-subject";
import { Distribution } from "../../../lib/kubernetes/distribution";

const RBAC = "rbac.authorization.k8s.io";

function synthesized(options: Partial<ClusterAdminsProps> = {}) {
  const stack = accessStack();
  new ClusterAdmins(stack, "access", { distribution: Distribution.KUBEADM, ...options });
  return synth(stack);
}

const ADDRESS = "access__binding__cluster-admins";

test("binds the distribution's administrators to cluster-admin", () => {
  expect(synthesized().resource.kubernetes_cluster_role_binding_v1).toEqual({
    [ADDRESS]: {
      "//": expect.anything(),
      metadata: { name: "access:cluster-admins" },
      role_ref: { api_group: RBAC, kind: "ClusterRole", name: "cluster-admin" },
      subject: [{ api_group: RBAC, kind: "Group", name: "kubeadm:cluster-admins", namespace: "" }],
    },
  });
});

test("binds more subjects beside them", () => {
  const { resource } = synthesized({ subjects: [Group.named("sre"), ServiceAccountRef.named("ci", "deployer")] });
  expect(resource.kubernetes_cluster_role_binding_v1[ADDRESS].subject).toEqual([
    { api_group: RBAC, kind: "Group", name: "kubeadm:cluster-admins", namespace: "" },
    { api_group: RBAC, kind: "Group", name: "sre", namespace: "" },
    { api_group: "", kind: "ServiceAccount", name: "deployer", namespace: "ci" },
  ]);
});

test("takes the distribution's binding over", () => {
  const { resource, import: imports } = synthesized({ adopt: true });
  expect(resource.kubernetes_cluster_role_binding_v1[ADDRESS].metadata).toEqual({ name: "kubeadm:cluster-admins" });
  expect(imports).toEqual([{ to: `kubernetes_cluster_role_binding_v1.${ADDRESS}`, id: "kubeadm:cluster-admins" }]);
});

test("refuses system:masters, which needs no binding and cannot be revoked", () => {
  expect(messageOf(() => synthesized({ subjects: [Group.named("system:masters")] }))).toBe(
    "1 problem at prod-access/access\n" +
      '  [system-masters] subjects[0]: given "system:masters"; allowed: a subject that RBAC can limit; ' +
      "fix: bind a group of your own: system:masters needs no binding, and nothing can revoke or limit it",
  );
});

test("refuses everybody", () => {
  const subjects = [Group.named("sre"), Group.named("system:authenticated")];
  expect(messageOf(() => synthesized({ subjects }))).toContain("[broad-cluster-admin] subjects[1]");
});

test("binds those that are named where the distribution has no group of administrators", () => {
  const subjects = [Group.named("platform-pipeline")];
  const { resource, import: imports } = synthesized({ distribution: Distribution.K0S, subjects, adopt: true });
  expect(resource.kubernetes_cluster_role_binding_v1[ADDRESS]).toMatchObject({
    metadata: { name: "access:cluster-admins" },
    subject: [{ name: "platform-pipeline" }],
  });
  expect(imports).toBeUndefined();
});

test("is refused where there is nobody to bind", () => {
  expect(messageOf(() => synthesized({ distribution: Distribution.K0S }))).toBe(
    "1 problem at prod-access/access\n" +
      '  [distribution-access] subjects: given "none"; allowed: at least one: k0s has no group of them; ' +
      "fix: name administrators, or leave it out: its own are in system:masters, which needs no binding",
  );
});
