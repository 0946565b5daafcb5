import { App, TerraformStack } from "cdktf";
import { ClusterAccessStack } from "../../../stacks/cluster-access-stack";
import { Distribution } from "../../../lib";
import { warningsOf } from "../../../lib/inventory/warnings";
import { localState } from "../../../stacks/backend";
import { ClusterPkiStack, ClusterPkiStackProps } from "../../../stacks/cluster-pki-stack";
import { clusters } from "../../../stacks/clusters";
import { expressionsIn, resourcesOf } from "../../support/graph";
import { newApp, synthApp, validationsOf } from "../../support/synth";

/* eslint-disable @typescript-eslint/no-explicit-any -- looks anywhere into the JSON */

/** The app of `stacks/main.ts`. */
function sampleApp(): App {
  const app = newApp();
  for (const { access, ...config } of clusters) {
    const { pki } = new ClusterPkiStack(app, `${config.cluster.name}-pki`, config);
    if (access !== false) {
      new ClusterAccessStack(app, `${config.cluster.name}-access`, { ...config, ...access, pki });
    }
  }
  return app;
}

const app = sampleApp();
const stacks = synthApp(app);
const { "sample-pki": pki, "sample-access": access } = stacks;

test("every cluster has a stack for its PKI and one for access", () => {
  expect(Object.keys(stacks)).toEqual(
    clusters.flatMap(({ cluster }) => [`${cluster.name}-pki`, `${cluster.name}-access`]),
  );
});

test("every stack is valid", () => {
  const found = app.node.children.flatMap((stack) => validationsOf(stack as TerraformStack));
  expect(found).toEqual([]);
});

test("the same app gives the same bytes", () => {
  const withMetadata = (one: App) =>
    one.node.children.map((stack) => JSON.stringify((stack as TerraformStack).toTerraform())).join("\n");
  const other = sampleApp();
  synthApp(other);
  expect(withMetadata(other)).toBe(withMetadata(app));
});

test.each(["/home", "/root", "/tmp", "/Users", process.cwd()])("nothing names %s", (path) => {
  const text = app.node.children.map((stack) => JSON.stringify((stack as TerraformStack).toTerraform())).join("\n");
  expect(text.includes(`"${path}`) || text.includes(`${path}/`)).toBe(false);
});

test("every stack names its backend: cdktf's own default is an absolute path", () => {
  const backends = Object.values<any>(stacks).map(({ terraform }) => terraform.backend);
  expect(backends).toEqual([
    { local: { path: "../../../state/sample-pki.tfstate" } },
    { local: { path: "../../../state/sample-access.tfstate" } },
  ]);
});

test("the PKI's stack knows of no cluster that runs, the other of no key", () => {
  expect(Object.keys(pki.provider)).toEqual(["tls"]);
  expect(Object.keys(access.provider).sort()).toEqual(["kubernetes", "random", "time"]);
  expect([...resourcesOf(access).keys()].filter((address) => address.startsWith("tls_"))).toEqual([]);
});

test("the kubernetes provider is configured by the environment alone", () => {
  expect(access.provider.kubernetes).toEqual([{}]);
});

test("access needs no right on the PKI's state, of which a snapshot has every private key", () => {
  expect(access.data).toBeUndefined();
  expect(expressionsIn(access).filter((text) => text.includes("terraform_remote_state"))).toEqual([]);
  expect(Object.keys(pki.output).filter((name) => name.startsWith("cross-stack-output-"))).toEqual([]);
});

test.each([Distribution.K3S, Distribution.RKE2, Distribution.K0S, Distribution.SINGLE_CA])(
  "nor of any other distribution: what a token holds is what the cluster itself publishes",
  (distribution) => {
    const app = newApp();
    const cluster = { ...clusters[0]!.cluster, serviceCidrs: ["10.43.0.0/16"] };
    const props = { distribution, cluster, backend: localState("state") };
    const { pki } = new ClusterPkiStack(app, "pki", props);
    new ClusterAccessStack(app, "access", { ...props, pki });
    const { pki: ofPki, access } = synthApp(app);
    expect(Object.keys(access.data ?? {}).filter((type) => type !== "kubernetes_config_map_v1")).toEqual([]);
    expect(expressionsIn(access).filter((text) => text.includes("terraform_remote_state"))).toEqual([]);
    expect(Object.keys(ofPki.output).filter((name) => name.startsWith("cross-stack-output-"))).toEqual([]);
  },
);

test("no output of any stack refers to a private key or secret", () => {
  const secret = /private_key_pem|random_password|random_string/;
  for (const { output } of Object.values<any>(stacks)) {
    expect(expressionsIn(output).filter((text) => secret.test(text))).toEqual([]);
  }
});

test("only what crosses stacks is marked sensitive, by cdktf", () => {
  const sensitive = Object.values<any>(stacks).flatMap(({ output }) =>
    Object.keys(output).filter((name) => output[name].sensitive),
  );
  expect(sensitive.filter((name) => !name.startsWith("cross-stack-output-"))).toEqual([]);
});

test("the sample has no warnings", () => {
  expect(warningsOf(app)).toEqual([]);
});

describe("a cluster of another distribution", () => {
  const one = { name: "edge", endpoint: "edge.example.com:6443", serviceCidrs: ["10.43.0.0/16"] };
  const backend = localState("state");
  const stackOf = (props: Omit<ClusterPkiStackProps, "backend">) => {
    const stacks = newApp();
    new ClusterPkiStack(stacks, "edge-pki", { ...props, backend });
    return synthApp(stacks)["edge-pki"];
  };

  test("K3s has its join passwords beside its PKI, since the first server starts with them", () => {
    const cluster = { ...one, controlPlanes: [{ name: "server-1", addresses: ["10.0.1.11"] }] };
    const json = stackOf({ distribution: Distribution.K3S, cluster });
    expect(Object.keys(json.resource.random_password)).toEqual(["edge__token__server", "edge__token__agent"]);
    expect(json.output).toHaveProperty("edge__token__server_files");
    expect(stackOf({ distribution: Distribution.K3S, cluster, joinPasswords: [] }).provider).not.toHaveProperty(
      "random",
    );
  });

  test("Cluster API has its Secrets where a namespace says so", () => {
    const json = stackOf({ distribution: Distribution.CLUSTER_API, cluster: one, secretsNamespace: "fleet" });
    const names = Object.values<any>(json.resource.kubernetes_secret_v1).map(({ metadata }) => metadata.name);
    expect(names.sort()).toEqual(["edge-ca", "edge-etcd", "edge-proxy", "edge-sa"]);
  });
});
