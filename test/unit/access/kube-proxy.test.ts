import { synth } from "../../support/synth";
import { accessStack } from "./fixture";
import { ClusterAccess } from "../../../lib/access/cluster-access";
import { Distribution } from "../../../lib/kubernetes/distribution";

const RBAC = "rbac.authorization.k8s.io";

function bindingOf(distribution: Distribution) {
  const stack = accessStack();
  const cluster = { name: "prod", endpoint: "api.example.com" };
  const access = new ClusterAccess(stack, "access", { distribution, cluster });
  return { access, made: synth(stack).resource.kubernetes_cluster_role_binding_v1["prod__binding__node-proxier"] };
}

// What the API server itself binds to this role is the user system:kube-proxy, whose certificate only named workers have.
test.each([
  ["service-account", { api_group: "", kind: "ServiceAccount", name: "kube-proxy", namespace: "kube-system" }],
  ["nodes", { api_group: RBAC, kind: "Group", name: "system:nodes", namespace: "" }],
] as const)("kube-proxy without a certificate comes as %s", (kubeProxyOfJoined, subject) => {
  const { access, made } = bindingOf(Distribution.singleCa({ kubeProxyOfJoined }));
  expect(made).toMatchObject({
    metadata: { name: "prod:node-proxier" },
    role_ref: { api_group: RBAC, kind: "ClusterRole", name: "system:node-proxier" },
    subject: [subject],
  });
  expect(access.kubeProxy?.name).toBe("prod:node-proxier");
});

test.each([Distribution.SINGLE_CA, Distribution.KUBEADM, Distribution.K0S])(
  "nobody is bound where the table names nobody",
  (distribution) => {
    const { access, made } = bindingOf(distribution);
    expect([access.kubeProxy, made]).toEqual([undefined, undefined]);
  },
);
