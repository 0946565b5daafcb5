import { synth } from "../../support/synth";
import { accessStack, messageOf } from "./fixture";
import { ApiServerToKubelet } from "../../../lib/access/api-server-to-kubelet";
import { Distribution } from "../../../lib/kubernetes/distribution";

const RBAC = "rbac.authorization.k8s.io";

test("binds the user of the API server's kubelet client certificate to system:kubelet-api-admin", () => {
  const stack = accessStack();
  new ApiServerToKubelet(stack, "access", { distribution: Distribution.KUBEADM });
  expect(synth(stack).resource.kubernetes_cluster_role_binding_v1).toEqual({
    "access__binding__apiserver-to-kubelet": {
      "//": expect.anything(),
      metadata: { name: "access:apiserver-to-kubelet" },
      role_ref: { api_group: RBAC, kind: "ClusterRole", name: "system:kubelet-api-admin" },
      subject: [{ api_group: RBAC, kind: "User", name: "kube-apiserver-kubelet-client", namespace: "" }],
    },
  });
});

test("names the same user as the certificate does", () => {
  const { access, certificates } = Distribution.KUBEADM.table;
  expect(access.apiServerToKubelet!.user).toBe(certificates["apiserver-kubelet-client"]!.commonName);
});

test("is refused where the distribution opens that way itself", () => {
  const make = () => new ApiServerToKubelet(accessStack(), "access", { distribution: Distribution.K0S });
  expect(messageOf(make)).toBe(
    "1 problem at prod-access/access\n" +
      '  [distribution-access] distribution: given "k0s"; allowed: a distribution that does not make this binding itself; ' +
      "fix: leave it out",
  );
});

test("refuses a prefix that is no name", () => {
  const make = () => new ApiServerToKubelet(accessStack(), "Access", { distribution: Distribution.KUBEADM });
  expect(messageOf(make)).toContain('[address-prefix] addressPrefix: given "Access"');
});
