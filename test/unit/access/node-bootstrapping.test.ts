import { synth } from "../../support/synth";
import { accessStack, BARE, messageOf } from "./fixture";
import { NodeBootstrapping, NodeBootstrappingProps } from "../../../lib/access/node-bootstrapping";
import { Distribution } from "../../../lib/kubernetes/distribution";

const RBAC = "rbac.authorization.k8s.io";
const GROUP = "system:bootstrappers:kubeadm:default-node-token";

function synthesized(options: Partial<NodeBootstrappingProps> = {}) {
  const stack = accessStack();
  new NodeBootstrapping(stack, "joining", { distribution: Distribution.KUBEADM, addressPrefix: "access", ...options });
  return synth(stack);
}

function binding(name: string, role: string, group: string) {
  return {
    "//": expect.anything(),
    metadata: { name },
    role_ref: { api_group: RBAC, kind: "ClusterRole", name: role },
    subject: [{ api_group: RBAC, kind: "Group", name: group, namespace: "" }],
  };
}

const CREATE = "system:node-bootstrapper";
const APPROVE = "system:certificates.k8s.io:certificatesigningrequests";

test("makes exactly three bindings, under names of its own", () => {
  expect(synthesized().resource).toEqual({
    kubernetes_cluster_role_binding_v1: {
      "access__binding__create-csrs": binding("access:create-csrs", CREATE, GROUP),
      "access__binding__approve-first": binding("access:approve-first", `${APPROVE}:nodeclient`, GROUP),
      "access__binding__approve-renewals": binding(
        "access:approve-renewals",
        `${APPROVE}:selfnodeclient`,
        "system:nodes",
      ),
    },
  });
});

test("takes the distribution's three bindings over", () => {
  const { resource, import: imports } = synthesized({ adopt: true });
  expect(resource).toEqual({
    kubernetes_cluster_role_binding_v1: {
      "access__binding__create-csrs": binding("kubeadm:kubelet-bootstrap", CREATE, GROUP),
      "access__binding__approve-first": binding("kubeadm:node-autoapprove-bootstrap", `${APPROVE}:nodeclient`, GROUP),
      "access__binding__approve-renewals": binding(
        "kubeadm:node-autoapprove-certificate-rotation",
        `${APPROVE}:selfnodeclient`,
        "system:nodes",
      ),
    },
  });
  const type = "kubernetes_cluster_role_binding_v1";
  expect(imports).toEqual([
    { to: `${type}.access__binding__create-csrs`, id: "kubeadm:kubelet-bootstrap" },
    { to: `${type}.access__binding__approve-first`, id: "kubeadm:node-autoapprove-bootstrap" },
    { to: `${type}.access__binding__approve-renewals`, id: "kubeadm:node-autoapprove-certificate-rotation" },
  ]);
});

test("lets more groups join, each once and in an order that does not depend on the code", () => {
  const gpu = "system:bootstrappers:gpu";
  const arm = "system:bootstrappers:arm";
  const bindings = synthesized({ groups: [gpu, GROUP, arm, gpu] }).resource.kubernetes_cluster_role_binding_v1;
  const groups = (name: string) => bindings[`access__binding__${name}`].subject.map((s: { name: string }) => s.name);
  expect(groups("create-csrs")).toEqual([GROUP, arm, gpu]);
  expect(groups("approve-first")).toEqual([GROUP, arm, gpu]);
  expect(groups("approve-renewals")).toEqual(["system:nodes"]);
});

// https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases: bootstraptoken/node/tlsbootstrap.go, uploadconfig, kubelet/config.go
const READS = [
  ["get-nodes", "kubernetes_cluster_role_binding_v1", "ClusterRole", "kubeadm:get-nodes", []],
  ["kubeadm-config", "kubernetes_role_binding_v1", "Role", "kubeadm:nodes-kubeadm-config", ["system:nodes"]],
  ["kubelet-config", "kubernetes_role_binding_v1", "Role", "kubeadm:kubelet-config", ["system:nodes"]],
] as const;
const EDGE = "system:bootstrappers:edge";

test.each(READS)("binds groups of one's own to what kubeadm's group reads: %s", (name, type, kind, role) => {
  const { resource } = synthesized({ groups: [GROUP, EDGE] });
  const namespace = kind === "Role" ? { namespace: "kube-system" } : {};
  expect(resource[type][`access__binding__${name}`]).toEqual({
    ...binding(`access:${name}`, role, EDGE),
    metadata: { name: `access:${name}`, ...namespace },
    role_ref: { api_group: RBAC, kind, name: role },
  });
});

test.each(READS)(
  "takes kubeadm's binding over, and leaves to others what they have: %s",
  (name, type, kind, role, more) => {
    const { resource, import: imports } = synthesized({ groups: [EDGE], adopt: true });
    const { metadata, subject } = resource[type][`access__binding__${name}`];
    expect(metadata.name).toBe(role);
    expect(subject.map((one: { name: string }) => one.name)).toEqual([GROUP, ...more, EDGE]);
    const id = kind === "Role" ? `kube-system/${role}` : role;
    expect(imports).toContainEqual({ to: `${type}.access__binding__${name}`, id });
  },
);

test("is called after the construct's id by default", () => {
  const { resource } = synthesized({ addressPrefix: undefined });
  expect(resource.kubernetes_cluster_role_binding_v1["joining__binding__create-csrs"].metadata.name).toBe(
    "joining:create-csrs",
  );
});

test("refuses a prefix that is no name and a group that is none of bootstrappers, at once", () => {
  const message = messageOf(() => synthesized({ addressPrefix: "My_Access", groups: ["system:nodes"] }));
  expect(message).toContain("2 problems at prod-access/joining");
  expect(message).toContain('[address-prefix] addressPrefix: given "My_Access"');
  expect(message).toContain('[token-group] groups[0]: given "system:nodes"');
});

test("lets everybody with a token of k0s join, and knows k0s' own bindings", () => {
  const { resource, import: imports } = synthesized({ distribution: Distribution.K0S, adopt: true });
  expect(resource.kubernetes_cluster_role_binding_v1).toEqual({
    "access__binding__create-csrs": binding("kubelet-bootstrap", CREATE, "system:bootstrappers"),
    "access__binding__approve-first": binding(
      "node-autoapprove-bootstrap",
      `${APPROVE}:nodeclient`,
      "system:bootstrappers",
    ),
    "access__binding__approve-renewals": binding(
      "node-autoapprove-certificate-rotation",
      `${APPROVE}:selfnodeclient`,
      "system:nodes",
    ),
  });
  expect(imports.map(({ id }: { id: string }) => id)).toEqual([
    "kubelet-bootstrap",
    "node-autoapprove-bootstrap",
    "node-autoapprove-certificate-rotation",
  ]);
});

test("lets groups of one's own join where the distribution has none", () => {
  const { resource } = synthesized({ distribution: BARE, groups: ["system:bootstrappers:edge"] });
  expect(resource.kubernetes_cluster_role_binding_v1["access__binding__create-csrs"]).toEqual(
    binding("access:create-csrs", CREATE, "system:bootstrappers:edge"),
  );
});

test.each([{}, { groups: [] }])("is refused where the distribution has no group and %j names none", (groups) => {
  expect(messageOf(() => synthesized({ distribution: BARE, ...groups }))).toContain(
    '[distribution-access] groups: given "none"; allowed: at least one: bare has none of its own',
  );
});
