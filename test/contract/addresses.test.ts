import { Testing } from "cdktf";
import { Cluster, Distribution } from "../../lib";
import { localState } from "../../stacks/backend";
import { ClusterAccessStack } from "../../stacks/cluster-access-stack";
import { ClusterPkiStack } from "../../stacks/cluster-pki-stack";
import { EXTERNAL, MEMBERS, ONE, terraformOfPki, THREE } from "../support/cluster";
import { expectGolden, lines } from "../support/golden";
import { resourcesOf } from "../support/graph";
import { synthApp } from "../support/synth";

// A difference here replaces an authority or a certificate of everybody who upgrades: it is a breaking change.

const CLUSTERS: Record<string, Cluster> = {
  "kubeadm-one-control-plane": ONE,
  "kubeadm-three-control-planes-and-a-worker": THREE,
  "kubeadm-etcd-members-and-a-worker": MEMBERS,
  "kubeadm-external-etcd": EXTERNAL,
};

/** Addresses of resources, outputs and checks, sorted. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- looks anywhere into it
function addressesOf(terraform: any): string {
  const names = (kind: string) => Object.keys(terraform[kind] ?? {}).map((name) => `${kind}.${name}`);
  return lines([...resourcesOf(terraform).keys(), ...names("output"), ...names("check")].sort());
}

test.each(Object.entries(CLUSTERS))("addresses of resources, outputs and checks: %s", (name, cluster) => {
  expectGolden(`${name}.addresses.txt`, addressesOf(terraformOfPki(cluster)));
});

test("addresses of resources and outputs: the access to a cluster", () => {
  const app = Testing.app();
  const props = { distribution: Distribution.KUBEADM, cluster: ONE, backend: localState("state") };
  const { pki } = new ClusterPkiStack(app, "prod-pki", props);
  new ClusterAccessStack(app, "prod-access", { ...props, pki });
  expectGolden("kubeadm-access.addresses.txt", addressesOf(synthApp(app)["prod-access"]));
});
