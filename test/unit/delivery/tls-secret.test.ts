import { TerraformStack } from "cdktf";
import { Generation, inventoryOf, TlsSecret, TlsSecretProps } from "../../../lib";
import { pkiOf } from "../../support/cluster";
import { newApp, problemsOf, terraformOf, validationsOf } from "../../support/synth";
import { deliveryStack } from "./fixture";

type Pki = ReturnType<typeof pkiOf>["pki"];

function secretOf({ stack, pki }: { stack: TerraformStack; pki: Pki }, props: Partial<TlsSecretProps> = {}): TlsSecret {
  const certificate = pki.certificate("apiserver", "cp-1");
  return new TlsSecret(stack, "metrics", { name: "metrics-tls", namespace: "kube-system", certificate, ...props });
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look anywhere into it
function resourceOf(stack: TerraformStack): any {
  return terraformOf(stack).resource.kubernetes_secret_v1.metrics;
}

// https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
test("a certificate with those above it, and its key, are a Secret of type kubernetes.io/tls", () => {
  const made = pkiOf({}, {}, deliveryStack());
  secretOf(made);
  expect(resourceOf(made.stack)).toEqual({
    metadata: { name: "metrics-tls", namespace: "kube-system" },
    type: "kubernetes.io/tls",
    data: {
      "tls.crt":
        "${tls_locally_signed_cert.pki__cp-1__apiserver.cert_pem}${tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem}",
      "tls.key": "${tls_private_key.pki__cp-1__apiserver.private_key_pem}",
    },
  });
});

test("ca.crt is the whole bundle, where one is given", () => {
  const generations = { g1: Generation.active(), g2: Generation.trusted() };
  const made = pkiOf({}, { authorities: { "front-proxy": { generations } } }, deliveryStack());
  const certificateAuthority = made.pki.bundle("front-proxy");
  secretOf(made, { certificateAuthority, labels: { team: "data" } });
  expect(resourceOf(made.stack)).toMatchObject({
    metadata: { labels: { team: "data" } },
    data: {
      "ca.crt":
        "${tls_self_signed_cert.pki__ca__front-proxy__g1.cert_pem}${tls_self_signed_cert.pki__ca__front-proxy__g2.cert_pem}",
    },
  });
});

test("the inventory lists its keys beside the certificate's files", () => {
  const made = pkiOf({}, {}, deliveryStack());
  secretOf(made);
  terraformOf(made.stack);
  const apiserver = inventoryOf(made.stack).entries.find(({ name }) => name === "apiserver");
  const files = ["tls.crt", "tls.key"].map((key) =>
    expect.objectContaining({ path: `Secret/kube-system/metrics-tls#${key}`, kind: "secret" }),
  );
  expect(apiserver).toMatchObject({ files: expect.arrayContaining(files) });
});

test("names that the API server would refuse are refused at synth, both at once", () => {
  const made = pkiOf({}, {}, deliveryStack());
  const problems = problemsOf(() => secretOf(made, { name: "Metrics", namespace: "kube.system" }));
  expect(problems.map(({ code }) => code)).toEqual(["secret-name", "namespace"]);
});

test("a certificate of another stack is refused: no private key goes through an output", () => {
  const app = newApp();
  const { pki } = pkiOf({}, {}, deliveryStack("prod-pki", app));
  const stack = deliveryStack("prod-platform", app);
  secretOf({ stack, pki });
  expect(validationsOf(stack)).toEqual([
    expect.stringContaining("[other-stack] prod-platform/metrics"),
    expect.stringContaining("[other-stack] prod-platform/metrics"),
    expect.stringContaining("[other-stack] prod-platform/metrics"),
  ]);
});
