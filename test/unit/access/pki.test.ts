import { gunzipSync } from "node:zlib";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { TerraformOutput, TerraformStack, TerraformVariable } from "cdktf";
import { ClusterAccess, ClusterPki, Distribution, evaluate, joinWith, kubeconfig, toTerraform } from "../../../lib";
import { ONE, pkiOf } from "../../support/cluster";
import { filesIn } from "../../support/graph";
import { newApp, newStack, problemsOf, synth, synthApp } from "../../support/synth";
import { accessStack, CA_PEM } from "./fixture";

// What is said once: the PKI knows its distribution, its cluster and its authority.

/** Both stacks of a cluster, the second made in either way. */
function bothStacks(make: (stack: TerraformStack, pki: ClusterPki) => void, distribution = KUBEADM) {
  const app = newApp();
  const { pki } = pkiOf({}, { distribution }, newStack("prod-pki", app));
  make(accessStack(app), pki);
  return synthApp(app);
}

const KUBEADM: Distribution = Distribution.KUBEADM;

test("access of a PKI is what it is of the PKI's parts, where a file on the machine has the authorities", () => {
  const parts = (pki: ClusterPki) => ({
    distribution: KUBEADM,
    cluster: ONE,
    certificateAuthority: pki.bundle(),
  });
  const ofParts = bothStacks((stack, pki) => new ClusterAccess(stack, "access", parts(pki)));
  const ofPki = bothStacks((stack, pki) => new ClusterAccess(stack, "access", { pki }));
  expect(JSON.stringify(ofPki)).toBe(JSON.stringify(ofParts));
  expect(ofPki["prod-access"].data).toBeUndefined();
});

describe.each([
  ["K3s", Distribution.K3S],
  ["k0s", Distribution.K0S],
])("%s, whose token holds the authorities", (_, distribution: Distribution) => {
  const ofPki = bothStacks((stack, pki) => new ClusterAccess(stack, "access", { pki }), distribution);
  const read = (json: { data?: object }) => Object.keys(json.data ?? {});

  test("has them from the cluster itself, and a plan stops where it does not name them", () => {
    const { data, resource, output } = ofPki["prod-access"];
    expect(data).toEqual({
      kubernetes_config_map_v1: {
        "prod__kube-root-ca": { metadata: { name: "kube-root-ca.crt", namespace: "kube-system" } },
      },
    });
    const kept = resource.terraform_data["prod__kube-root-ca"];
    const found = 'try(data.kubernetes_config_map_v1.prod__kube-root-ca.data["ca.crt"], "")';
    expect(kept.input).toEqual({ bundle: `\${${found}}` });
    expect(kept.lifecycle.precondition).toMatchObject([
      {
        condition:
          `\${strcontains(${found}, "-----BEGIN CERTIFICATE-----") && ` + `!strcontains(${found}, "PRIVATE KEY-----")}`,
        error_message: expect.stringContaining("[published-authority] ConfigMap kube-root-ca.crt of kube-system"),
      },
    ]);
    expect(output.prod_files.value.worker).toContain('{"ref":"terraform_data.prod__kube-root-ca.output.bundle"}');
    expect(Object.keys(ofPki["prod-pki"].output).filter((name) => name.startsWith("cross-stack-"))).toEqual([]);
  });

  test("reads the PKI's state where somebody names its bundle, and nothing where that is in the same stack", () => {
    const parts = (pki: ClusterPki) => ({ distribution, cluster: ONE, certificateAuthority: pki.bundle() });
    const ofParts = bothStacks((stack, pki) => new ClusterAccess(stack, "access", parts(pki)), distribution);
    expect(read(ofParts["prod-access"])).toEqual(["terraform_remote_state"]);
    const stack = accessStack();
    new TlsProvider(stack, "tls");
    const { pki } = pkiOf({}, { distribution }, stack);
    new ClusterAccess(stack, "access", { pki, addressPrefix: "access" });
    expect(read(synth(stack))).toEqual([]);
  });
});

test("a cluster whose PKI nobody here knows says itself what a token of k0s holds; a hash would need more", () => {
  const access = (distribution: Distribution) => {
    const stack = accessStack();
    new ClusterAccess(stack, "access", { distribution, cluster: ONE });
    return synth(stack);
  };
  expect(Object.keys(access(Distribution.K0S).data)).toEqual(["kubernetes_config_map_v1"]);
  expect(access(Distribution.KUBEADM).data).toBeUndefined();
  expect(problemsOf(() => access(Distribution.K3S))).toMatchObject([{ code: "secure-token-root" }]);
});

test("a PKI of another app needs no right on its state", () => {
  const stack = accessStack();
  const pki = ClusterPki.fromAttributes({
    distribution: Distribution.K0S,
    cluster: { name: "prod", endpoint: "api.prod.example.com:6443" },
    certificateAuthority: CA_PEM,
  });
  const access = new ClusterAccess(stack, "access", { pki });
  const json = synthApp(stack.node.root as ReturnType<typeof newApp>)["prod-access"];
  expect(json.data).toBeUndefined();
  expect(Object.keys(filesIn(json, "prod").worker!)).toHaveLength(1);
  const packed = evaluate(access.joinTokens.workers!, ({ attribute }) => attribute);
  const text = gunzipSync(Buffer.from(packed, "base64")).toString();
  expect(text).toContain(`certificate-authority-data: ${Buffer.from(CA_PEM).toString("base64")}\n`);
});

test("its bundle may be a variable, which Terraform checks", () => {
  const stack = accessStack();
  const { stringValue } = new TerraformVariable(stack, "ca", { type: "string" });
  const { distribution, cluster } = { distribution: Distribution.K0S, cluster: ONE };
  const pki = ClusterPki.fromAttributes({ distribution, cluster, certificateAuthority: stringValue });
  new ClusterAccess(stack, "access", { pki });
  const { output } = synthApp(stack.node.root as ReturnType<typeof newApp>)["prod-access"];
  expect(output.prod_files.precondition[0].condition).toContain("${var.ca}");
});

test("a PKI and its parts are one too many, and a part alone is too few", () => {
  const refused = (props: object) =>
    problemsOf(() => new ClusterAccess(accessStack(), "access", props as { pki: ClusterPki }));
  const { pki } = pkiOf();
  expect(refused({ pki, cluster: ONE })).toMatchObject([
    { code: "pki-or-parts", at: "pki", given: '"pki and cluster"', fix: "leave cluster out: pki says that" },
  ]);
  expect(refused({ pki, certificateAuthority: CA_PEM })).toMatchObject([{ given: '"pki and certificateAuthority"' }]);
  const allowed = "pki, or all of distribution, cluster";
  expect(refused({ cluster: ONE })).toMatchObject([{ given: '"no distribution"', allowed }]);
  expect(refused({})).toMatchObject([{ given: '"no distribution, cluster"', allowed }]);
});

test("a kubeconfig and what a machine joins with are of a PKI, too", () => {
  const cluster = { name: "prod", endpoint: "[fd00::1]:7443" };
  const pki = ClusterPki.fromAttributes({ distribution: Distribution.K0S, cluster, certificateAuthority: CA_PEM });
  const user = { user: "jane", context: "prod", credentials: { token: "t.secret" } };
  const parts = { clusterName: "prod", server: "https://[fd00::1]:7443", certificateAuthority: CA_PEM };
  expect(kubeconfig({ pki, ...user })).toEqual(kubeconfig({ ...parts, ...user }));
  for (const format of [Distribution.K0S.table.access.tokens.controller!.format, "secure token"] as const) {
    const token = "t.secret";
    expect(joinWith(format, { pki, token })).toEqual(
      joinWith(format, { cluster, certificateAuthority: CA_PEM, token }),
    );
  }
});

test("so they take no parts beside it, and make no hash of a root that nobody knows", () => {
  const { pki } = pkiOf({}, { distribution: Distribution.k3s({ chained: "root" }) });
  const token = "server:secret";
  const untyped = (props: object) => props as { pki: ClusterPki; token: string };
  const user = { user: "jane", credentials: { token } };
  expect(problemsOf(() => joinWith("secure token", untyped({ token, cluster: ONE })))).toMatchObject([
    { code: "pki-or-parts", given: '"no certificateAuthority"' },
  ]);
  expect(problemsOf(() => kubeconfig({ ...user, ...untyped({ pki, server: "https://x" }) }))).toMatchObject([
    { code: "pki-or-parts", given: '"pki and server"' },
  ]);
  expect(problemsOf(() => joinWith("secure token", { pki, token }))).toMatchObject([
    { code: "secure-token-root", at: "pki" },
  ]);
});

test("what is made of a PKI in another stack reads its bundle there", () => {
  const app = newApp();
  const { pki } = pkiOf({}, {}, newStack("prod-pki", app));
  const stack = newStack("prod-platform", app);
  new TerraformOutput(stack, "jane", {
    value: toTerraform(kubeconfig({ pki, user: "jane", credentials: { token: "t" } })),
  });
  const { value } = synthApp(app)["prod-platform"].output.jane;
  expect(value).toContain("${base64encode(");
  expect(value).toContain("data.terraform_remote_state.");
});
