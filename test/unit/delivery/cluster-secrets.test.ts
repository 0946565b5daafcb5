import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { AnnotationMetadataEntryType, TerraformStack } from "cdktf";
import { ClusterPki, ClusterSecrets, ClusterSecretsProps, Distribution, DistributionTable } from "../../../lib";
import { ONE, pkiOf } from "../../support/cluster";
import { newApp, problemsOf, terraformOf } from "../../support/synth";
import { deliveryStack } from "./fixture";

const CLUSTER = { name: "prod", endpoint: ONE.endpoint, serviceCidrs: ONE.serviceCidrs };

function clusterOf(stack: TerraformStack, distribution = Distribution.CLUSTER_API, movedFrom?: string): ClusterPki {
  return new ClusterPki(stack, "pki", { addressPrefix: "pki", distribution, cluster: CLUSTER, movedFrom });
}

function secretsOf(
  stack: TerraformStack,
  props: Partial<ClusterSecretsProps> = {},
  pki = props.pki ?? clusterOf(stack),
): ClusterSecrets {
  return new ClusterSecrets(stack, "capi", { namespace: "clusters", addressPrefix: "capi", ...props, pki });
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look anywhere into it
function resourcesOf(stack: TerraformStack): any {
  return terraformOf(stack).resource.kubernetes_secret_v1;
}

test("every Secret of the cluster is made under a name that stays", () => {
  const stack = deliveryStack();
  const { resources } = secretsOf(stack);
  expect(Object.keys(resources)).toEqual(["prod-ca", "prod-etcd", "prod-proxy", "prod-sa"]);
  const made = resourcesOf(stack);
  expect(Object.keys(made)).toEqual([
    "capi__secret__prod-ca",
    "capi__secret__prod-etcd",
    "capi__secret__prod-proxy",
    "capi__secret__prod-sa",
  ]);
  expect(made["capi__secret__prod-sa"]).toEqual({
    metadata: { name: "prod-sa", namespace: "clusters", labels: { "cluster.x-k8s.io/cluster-name": "prod" } },
    type: "kubernetes.io/tls",
    data: {
      "tls.crt": "${tls_private_key.pki__keys__service-account__g1.public_key_pem}",
      "tls.key": "${tls_private_key.pki__keys__service-account__g1.private_key_pem}",
    },
    lifecycle: { prevent_destroy: true },
  });
});

test("addressPrefix is the names' first part, wherever the construct stands", () => {
  const stack = deliveryStack();
  secretsOf(stack, { addressPrefix: "prod" });
  expect(Object.keys(resourcesOf(stack))).toContain("prod__secret__prod-ca");
});

test("Secrets move with the PKI whose prefix they have, and with their own", () => {
  const moved = (props: Partial<ClusterSecretsProps>, movedFrom?: string) => {
    const stack = deliveryStack();
    secretsOf(stack, { addressPrefix: undefined, ...props }, clusterOf(stack, Distribution.CLUSTER_API, movedFrom));
    const { moved = [] } = terraformOf(stack) as { moved?: { from: string }[] };
    return moved.map(({ from }) => from).filter((from) => from.endsWith("__secret__prod-ca"));
  };
  expect(moved({}, "old")).toEqual(["kubernetes_secret_v1.old__secret__prod-ca"]);
  expect(moved({ addressPrefix: "capi" }, "old")).toEqual([]);
  expect(moved({ addressPrefix: "capi", movedFrom: "before" })).toEqual([
    "kubernetes_secret_v1.before__secret__prod-ca",
  ]);
});

test("a former prefix that is the present one is refused", () => {
  expect(problemsOf(() => secretsOf(deliveryStack(), { movedFrom: "capi" }))).toMatchObject([{ code: "moved-from" }]);
});

test("more labels are added, and none of Cluster API's is lost", () => {
  const stack = deliveryStack();
  secretsOf(stack, {
    labels: { team: "platform", "cluster.x-k8s.io/cluster-name": "other" },
    annotations: { "example.com/owner": "platform" },
    provider: new KubernetesProvider(stack, "management", { alias: "management" }),
  });
  expect(resourcesOf(stack)["capi__secret__prod-ca"]).toMatchObject({
    metadata: {
      labels: { team: "platform", "cluster.x-k8s.io/cluster-name": "prod" },
      annotations: { "example.com/owner": "platform" },
    },
    provider: "kubernetes.management",
  });
});

test("no protection is a choice, with a warning", () => {
  const stack = deliveryStack();
  const secrets = secretsOf(stack, { deletionProtection: false });
  expect(JSON.stringify(resourcesOf(stack))).not.toContain("prevent_destroy");
  expect(secrets.node.metadata).toMatchObject([
    { type: AnnotationMetadataEntryType.WARN, data: expect.stringContaining("deletionProtection is off") },
  ]);
});

test("no output holds what is in them", () => {
  const stack = deliveryStack();
  secretsOf(stack);
  expect(JSON.stringify(terraformOf(stack).output)).not.toContain("private_key_pem");
});

test("a PKI of another stack is refused, since its keys would have to go through an output", () => {
  const app = newApp();
  const pki = clusterOf(deliveryStack("prod-pki", app));
  expect(problemsOf(() => secretsOf(deliveryStack("management", app), { pki }))).toMatchObject([
    { code: "other-stack", at: "pki", given: '"one of stack prod-pki"', allowed: "one of stack management" },
  ]);
});

test("a distribution that keeps its identity in files is refused", () => {
  const { stack, pki } = pkiOf();
  expect(problemsOf(() => secretsOf(stack, { pki })).map(({ code }) => code)).toEqual(["no-secrets"]);
});

test("a namespace that is none and a prefix that is none are refused together", () => {
  const stack = deliveryStack();
  const problems = problemsOf(() => secretsOf(stack, { namespace: "Clusters", addressPrefix: "a__b" }));
  expect(problems.map(({ code }) => code)).toEqual(["address-prefix", "namespace"]);
});

test("two of them in a stack need two prefixes", () => {
  const stack = deliveryStack();
  const pki = clusterOf(stack);
  secretsOf(stack, { pki });
  const second = () => new ClusterSecrets(stack, "second", { pki, namespace: "other", addressPrefix: "capi" });
  expect(problemsOf(second).map(({ code }) => code)).toEqual(["address-prefix-taken"]);
});

test("a distribution of one's own that has Secrets gets them, too", () => {
  const own: DistributionTable = {
    name: "own",
    version: "1",
    requires: { controlPlanes: false, addresses: false },
    apiServerAuthority: "root",
    authorities: {
      root: {
        purpose: "CA of everything",
        commonName: "root",
        files: [],
        secrets: [{ name: "own.{clusterName}", type: "Opaque", labels: {}, data: { "ca.pem": "bundle" } }],
      },
    },
    keyPairs: {},
    certificates: {},
    configuration: [],
    access: { tokens: {} },
  };
  const stack = deliveryStack();
  secretsOf(stack, {}, clusterOf(stack, new Distribution(own)));
  expect(resourcesOf(stack)).toMatchObject({
    capi__secret__own_prod: {
      metadata: { name: "own.prod", namespace: "clusters" },
      data: { "ca.pem": "${tls_self_signed_cert.pki__ca__root__g1.cert_pem}" },
    },
  });
});
