import { Token } from "cdktf";
import { accessStack, messageOf } from "./fixture";
import { ClusterRoleBinding } from "../../../lib/access/cluster-role-binding";
import { Group, IRbacSubject, ServiceAccountRef, User } from "../../../lib/access/rbac-subject";

const RBAC = "rbac.authorization.k8s.io";

const bindTo = (clusterRole: string, subject: IRbacSubject) =>
  messageOf(() => new ClusterRoleBinding(accessStack(), "b", { name: "prod:b", clusterRole, subjects: [subject] }));

test("a user is in no namespace", () => {
  expect(User.named("jane").toSubject()).toEqual({ kind: "User", name: "jane", namespace: "", apiGroup: RBAC });
});

test("a group is in no namespace", () => {
  expect(Group.named("admins").toSubject()).toEqual({ kind: "Group", name: "admins", namespace: "", apiGroup: RBAC });
});

test("a service account is in a namespace and of the core group", () => {
  expect(ServiceAccountRef.named("ci", "deployer").toSubject()).toEqual({
    kind: "ServiceAccount",
    name: "deployer",
    namespace: "ci",
    apiGroup: "",
  });
});

test.each([
  Group.named("system:authenticated"),
  Group.named("system:unauthenticated"),
  User.named("system:anonymous"),
  Group.named("system:serviceaccounts"),
  Group.named("system:serviceaccounts:kube-system"),
  Group.named("system:nodes"),
  Group.named("system:bootstrappers"),
  Group.named("system:bootstrappers:kubeadm:default-node-token"),
])("refuses cluster-admin for $name", (subject) => {
  expect(bindTo("cluster-admin", subject)).toContain(
    `[broad-cluster-admin] subjects[0]: given ${JSON.stringify(subject.name)}; allowed: for cluster-admin, a subject that holds few`,
  );
});

test("allows a lesser role for everybody", () => {
  expect(bindTo("system:public-info-viewer", Group.named("system:authenticated"))).toBe("nothing was thrown");
});

test("allows cluster-admin for one service account", () => {
  expect(bindTo("cluster-admin", ServiceAccountRef.named("flux-system", "flux"))).toBe("nothing was thrown");
});

test("refuses system:masters for any role", () => {
  expect(bindTo("view", Group.named("system:masters"))).toContain(
    '[system-masters] subjects[0]: given "system:masters"',
  );
});

test("refuses a subject without a name", () => {
  expect(bindTo("view", User.named(""))).toContain('[subject-name] subjects[0]: given "User without one"');
});

test("refuses a service account without a namespace", () => {
  expect(bindTo("view", ServiceAccountRef.named("", "flux"))).toContain("allowed: a namespace and a name");
});

test("refuses a name that is not known at synth, since it could be system:masters", () => {
  const message = bindTo("view", Group.named(Token.asString({ later: "name" })));
  expect(message).toContain('[unresolved] subjects[0]: given "an unresolved value"');
  expect(message).not.toContain("TfToken");
});
