import { Testing } from "cdktf";
import { Distribution } from "../../lib";
import { localState } from "../../stacks/backend";
import { ClusterAccessStack } from "../../stacks/cluster-access-stack";
import { ClusterPkiStack } from "../../stacks/cluster-pki-stack";
import { ONE, terraformOfPki } from "../support/cluster";
import { expectGolden, lines } from "../support/golden";
import { resourcesOf } from "../support/graph";
import { synthApp } from "../support/synth";
import { CASES, DISTRIBUTIONS } from "./cases";

// A difference here replaces an authority or a certificate of everybody who upgrades: it is a breaking change.

/** Addresses of resources, outputs and checks, sorted. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- looks anywhere into it
function addressesOf(terraform: any): string {
  const names = (kind: string) => Object.keys(terraform[kind] ?? {}).map((name) => `${kind}.${name}`);
  return lines([...resourcesOf(terraform).keys(), ...names("output"), ...names("check")].sort());
}

test.each(Object.entries(CASES))("addresses of resources, outputs and checks: %s", (name, { cluster, props }) => {
  expectGolden(`${name}.addresses.txt`, addressesOf(terraformOfPki(cluster, props)));
});

test.each(DISTRIBUTIONS.map((distribution) => [distribution.table.name, distribution] as const))(
  "addresses of resources and outputs: the access to a cluster of %s",
  (name, distribution) => {
    const app = Testing.app();
    const kinds = Object.keys(distribution.table.access.tokens);
    const tokens = Object.fromEntries(kinds.map((kind) => [`${kind}s`, { joins: kind }]));
    const props = { distribution, cluster: ONE, backend: localState("state") };
    const { pki } = new ClusterPkiStack(app, "prod-pki", props);
    new ClusterAccessStack(app, "prod-access", { ...props, pki, tokens });
    expectGolden(`${name}-access.addresses.txt`, addressesOf(synthApp(app)["prod-access"]));
  },
);

test("addresses of resources and outputs: the access to a cluster of kubeadm, with all that is optional", () => {
  const app = Testing.app();
  const props = { distribution: Distribution.KUBEADM, cluster: ONE, backend: localState("state") };
  const { pki } = new ClusterPkiStack(app, "prod-pki", props);
  new ClusterAccessStack(app, "prod-access", {
    ...props,
    pki,
    clusterInfo: true,
    tokens: { workers: { staggered: true }, until: { expires: "2031-01-31T17:00:00Z" } },
  });
  expectGolden("kubeadm-access-optional.addresses.txt", addressesOf(synthApp(app)["prod-access"]));
});
