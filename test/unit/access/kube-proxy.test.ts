import { synth } from "../../support/synth";
import { accessStack } from "./fixture";
import { problemsOf } from "../../support/synth";
import { pkiOf } from "../../support/cluster";
import { ClusterAccess } from "../../../lib/access/cluster-access";
import { ClusterPki } from "../../../lib/kubernetes/cluster-pki";
import { Distribution } from "../../../lib/kubernetes/distribution";
import { CA_PEM } from "./fixture";

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

const NODES = Distribution.singleCa({ kubeProxyOfJoined: "nodes" });
const PARTS = { cluster: { name: "prod", endpoint: "api.example.com" }, authorityKeysOnMachines: false };

test("nobody is bound where nobody joins", () => {
  const access = new ClusterAccess(accessStack(), "access", { distribution: NODES, ...PARTS });
  expect(access.kubeProxy).toBeUndefined();
});

test("an access of other options than its PKI's is refused", () => {
  const { stack, pki } = pkiOf({}, { distribution: NODES });
  const { cluster } = pki;
  const parts = { cluster, certificateAuthority: pki.certificateAuthority };
  const make = () => new ClusterAccess(stack, "access", { distribution: Distribution.SINGLE_CA, ...parts });
  expect(problemsOf(make)).toMatchObject([
    {
      code: "other-cluster",
      at: "distribution",
      allowed: expect.stringMatching(/^the options, as .* has it$/) as string,
    },
  ]);
});

test("a key of another app's PKI that nobody would read is refused", () => {
  const attributes = { distribution: NODES, ...PARTS, certificateAuthority: CA_PEM, authorityKeyOnMachines: false };
  expect(problemsOf(() => ClusterPki.fromAttributes(attributes as never))).toMatchObject([
    { code: "unknown-key", at: "attributes.authorityKeyOnMachines" },
  ]);
});

// A table of one's own.
test.each([
  ["nodes", "access.kubeProxy"],
  [{ group: "system:nodes", namespace: "kube-system" }, "access.kubeProxy.namespace"],
  [{ serviceAccount: "kube-proxy" }, "access.kubeProxy.namespace"],
])("a row of kube-proxy that is none is refused: %j", (kubeProxy, at) => {
  const { table } = Distribution.SINGLE_CA;
  const make = () => new Distribution({ ...table, access: { ...table.access, kubeProxy: kubeProxy as never } });
  expect(problemsOf(make).map((problem) => problem.at)).toEqual([`table.${at}`]);
});

test.each(["", "/", "kubelet.pem", "/a\nb", 1, null])(
  "a file that is preferred to another has a place: %j",
  (prefers) => {
    const { table } = Distribution.SINGLE_CA;
    const { kubelet, ...others } = table.certificates;
    const files = kubelet!.files.map((file) => ({
      ...file,
      consumers: file.consumers.map((consumer) => ({ ...consumer, prefers: prefers as never })),
    }));
    const make = () => new Distribution({ ...table, certificates: { ...others, kubelet: { ...kubelet!, files } } });
    expect(problemsOf(make).length).toBeGreaterThan(0);
  },
);
