import { DISTRIBUTIONS } from "../../../contract/cases";
import { MEMBERS, pkiOf, THREE } from "../../../support/cluster";
import { resourcesOf } from "../../../support/graph";
import { terraformOf } from "../../../support/synth";
import { Cluster } from "../../../../lib/kubernetes/cluster";
import { Distribution } from "../../../../lib/kubernetes/distribution";
import { referencesIn } from "../../../../lib/kubernetes/content-readers";

// What K3s had before k3s#11471 and, for older agents, until k3s#12012: all agents of a cluster with one key, a kubelet and its kube-proxy, too.

const ALL: readonly (readonly [string, Distribution])[] = [
  ...DISTRIBUTIONS.map((distribution) => [distribution.table.name, distribution] as const),
  ["k3s below a root", Distribution.k3s({ chained: "root" })],
  ["one server certificate", Distribution.singleCa({ oneServerCertificate: true })],
];
const CLUSTERS: readonly Cluster[] = [THREE, MEMBERS];
const topologyOf = ({ etcd }: Cluster) => etcd?.topology ?? "stacked";

describe.each(ALL)("%s", (_, distribution) => {
  const { etcd } = distribution.table.requires;
  const possible = CLUSTERS.filter((cluster) => etcd?.includes(topologyOf(cluster)) ?? true);
  const named = possible.map((cluster) => [topologyOf(cluster), cluster] as const);
  test.each(named)("no two rows, machines or generations share a key: etcd %s", (_name, cluster) => {
    const { stack, pki } = pkiOf(cluster, { distribution, issueLeaves: true });
    const resources = [...resourcesOf(terraformOf(stack))];
    const ofType = (type: string) => resources.filter(([address]) => address.startsWith(`${type}.`));
    const users = [...ofType("tls_cert_request"), ...ofType("tls_self_signed_cert")].map(
      ([, { private_key_pem }]) => private_key_pem as string,
    );
    const keys = ofType("tls_private_key").map(([address]) => `\${${address}.private_key_pem}`);
    const pairs = keys.filter((key) => key.includes("__keys__"));
    expect([...users, ...pairs].sort()).toEqual(keys.sort());

    const holders = new Map<string, Set<string>>();
    for (const holder of [...pki.machines, "worker", "operator"]) {
      const references = pki.files(holder).flatMap(({ content }) => referencesIn(content));
      const leaves = references.filter(
        ({ address, attribute }) => attribute === "private_key_pem" && !/__(ca|keys)__/.test(address),
      );
      leaves.forEach(({ address }) => holders.set(address, (holders.get(address) ?? new Set()).add(holder)));
    }
    expect([...holders].filter(([, set]) => set.size > 1).map(([address]) => address)).toEqual([]);
  });
});
