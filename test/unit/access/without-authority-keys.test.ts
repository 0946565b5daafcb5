import { TerraformVariable } from "cdktf";
import {
  BootstrapToken,
  ClusterAccess,
  type ClusterAccessOfPkiProps,
  type ClusterAccessOptions,
  type ClusterAccessProps,
  ClusterPki,
  Distribution,
  NodeBootstrapping,
} from "../../../lib";
import { filesIn } from "../../support/graph";
import { ONE, pkiOf } from "../../support/cluster";
import { newApp, newStack, problemsOf, synth, synthApp } from "../../support/synth";
import { accessStack, CA_PEM } from "./fixture";

// Where no machine has an authority's key, kube-controller-manager signs nothing: a token joins nobody.

const KUBEADM: Distribution = Distribution.KUBEADM;
const KEYLESS = { authorityKeysOnMachines: false };
const PARTS = { distribution: KUBEADM, cluster: ONE };

function made(props: ClusterAccessProps | ClusterAccessOfPkiProps) {
  const stack = accessStack();
  const access = new ClusterAccess(stack, "access", props);
  return { access, json: synth(stack) };
}

/** The access to a PKI in another stack. */
function ofPki(options: ClusterAccessOptions, pkiProps = KEYLESS) {
  const app = newApp();
  const { pki } = pkiOf({}, pkiProps, newStack("prod-pki", app));
  const access = new ClusterAccess(accessStack(app), "access", { pki, ...options });
  return { access, json: synthApp(app)["prod-access"] };
}

const refused = (props: object) => problemsOf(() => made(props as ClusterAccessProps));

const bindings = ({ resource }: { resource: Record<string, Record<string, unknown>> }) =>
  Object.keys(resource).flatMap((type) => Object.keys(resource[type]!).map((name) => `${type}.${name}`));

const LEFT = [
  "kubernetes_cluster_role_binding_v1.prod__binding__cluster-admins",
  "kubernetes_cluster_role_binding_v1.prod__binding__apiserver-to-kubelet",
];

const attributes = { ...PARTS, certificateAuthority: CA_PEM };

describe.each<[string, () => { access: ClusterAccess; json: ReturnType<typeof synth> }]>([
  ["the PKI", () => ofPki({})],
  ["the PKI of another app", () => made({ pki: ClusterPki.fromAttributes({ ...attributes, ...KEYLESS }) })],
  ["its parts", () => made({ ...PARTS, ...KEYLESS })],
])("said by %s", (_, make) => {
  const { access, json } = make();

  test("no token is made, nobody may ask, nothing is approved, and administrators stay", () => {
    expect([access.tokens, access.joinTokens, access.nodeBootstrapping]).toEqual([{}, {}, undefined]);
    expect(bindings(json).sort()).toEqual([...LEFT].sort());
  });

  test("no worker is given a file that names a token", () => {
    expect(filesIn(json, "prod")).toEqual({});
  });
});

test("whoever says nothing, or true, has what everybody has", () => {
  for (const more of [{}, { authorityKeysOnMachines: true }]) {
    expect(Object.keys(made({ ...PARTS, ...more }).access.tokens)).toEqual(["workers"]);
    const pki = ClusterPki.fromAttributes({ ...attributes, ...more });
    expect(made({ pki }).access.nodeBootstrapping).toBeDefined();
  }
});

test("a token is refused, with the reason and a way", () => {
  const problem = {
    code: "token-unsigned",
    given: "a bootstrap token",
    allowed: expect.stringContaining("nobody signs"),
    fix: expect.stringContaining("give each worker a name"),
  };
  expect(refused({ ...PARTS, ...KEYLESS, tokens: { spot: {}, workers: { staggered: true } } })).toEqual([
    { ...problem, at: "tokens.spot" },
    { ...problem, at: "tokens.workers" },
  ]);
  expect(problemsOf(() => ofPki({ tokens: { workers: {} } }))).toMatchObject([{ code: "token-unsigned" }]);
  const { stringValue: secret } = new TerraformVariable(newStack(), "secret", { type: "string" });
  const outside = { token: { id: "abcdef", secret }, expires: "2030-01-01T00:00:00Z" };
  expect(refused({ ...PARTS, ...KEYLESS, tokens: { outside } })).toMatchObject([{ at: "tokens.outside" }]);
  expect(made({ ...PARTS, ...KEYLESS, tokens: {} }).access.tokens).toEqual({});
});

test("the distribution's bindings of nodes that join are not taken over; the others are, and its cluster-info", () => {
  const { json } = ofPki({ adopt: true, clusterInfo: true });
  const imported = (json.import as { id: string }[]).map(({ id }) => id).sort();
  expect(imported).toEqual([
    "kube-public/cluster-info",
    "kube-public/kubeadm:bootstrap-signer-clusterinfo",
    "kube-public/kubeadm:bootstrap-signer-clusterinfo",
    "kubeadm:apiserver-kubelet-client",
    "kubeadm:cluster-admins",
  ]);
});

test.each([
  ["K3s", Distribution.K3S],
  ["k0s", Distribution.K0S],
  ["Cluster API", Distribution.CLUSTER_API],
])("%s does not do without: it is refused as ClusterPki refuses it", (_, distribution: Distribution) => {
  const pki = ClusterPki.fromAttributes({ ...attributes, distribution, ...KEYLESS });
  const problem = { code: "authority-key", at: "authorityKeysOnMachines", fix: "leave it out" };
  expect(refused({ pki })).toMatchObject([problem]);
  expect(problemsOf(() => pkiOf({}, { distribution, ...KEYLESS }))).toMatchObject([problem]);
});

test("it is the PKI that says it, and parts may not contradict one that is known", () => {
  const { pki } = pkiOf({}, KEYLESS);
  expect(refused({ pki, ...KEYLESS })).toMatchObject([{ code: "pki-or-parts", fix: expect.stringMatching(/^leave/) }]);
  const beside = (pkiProps: object, parts: object) => {
    const app = newApp();
    const { pki } = pkiOf({}, pkiProps, newStack("prod-pki", app));
    const props = { ...PARTS, certificateAuthority: pki.bundle(), ...parts };
    return () => new ClusterAccess(accessStack(app), "access", props);
  };
  const problem = { code: "other-cluster", at: "authorityKeysOnMachines" };
  expect(problemsOf(beside(KEYLESS, {}))).toMatchObject([
    { ...problem, given: "true", allowed: "false, as prod-pki/pki has it" },
  ]);
  expect(problemsOf(beside({}, KEYLESS))).toMatchObject([{ ...problem, given: "false" }]);
  expect(beside(KEYLESS, KEYLESS)).not.toThrow();
});

test("whoever runs a signer of their own makes the token and the bindings by themselves", () => {
  const stack = accessStack();
  const distribution = KUBEADM;
  new ClusterAccess(stack, "access", { ...PARTS, ...KEYLESS });
  new BootstrapToken(stack, "workers", { distribution });
  new NodeBootstrapping(stack, "signed-by-others", { distribution });
  expect(bindings(synth(stack))).toEqual(
    expect.arrayContaining([
      "kubernetes_secret_v1.workers",
      "kubernetes_cluster_role_binding_v1.signed-by-others__binding__create-csrs",
    ]),
  );
});
