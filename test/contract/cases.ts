import { Cluster, ClusterPkiProps, Distribution } from "../../lib";
import { EXTERNAL, MEMBERS, ONE, THREE } from "../support/cluster";

/** Every distribution of the library. */
export const DISTRIBUTIONS: readonly Distribution[] = Object.values(Distribution).filter(
  (value): value is Distribution => value instanceof Distribution,
);

/** A cluster whose addresses and files are a contract. */
export interface Case {
  readonly cluster: Cluster;
  readonly props: Partial<ClusterPkiProps> & { readonly distribution: Distribution };
}

const CLUSTERS = {
  "one-control-plane": ONE,
  "three-control-planes-and-a-worker": THREE,
  "etcd-members-and-a-worker": MEMBERS,
  "external-etcd": EXTERNAL,
};

/** By the name of their golden files. */
export const CASES: Readonly<Record<string, Case>> = Object.fromEntries([
  ...casesOf(Distribution.KUBEADM, {}, CLUSTERS),
  ...casesOf(Distribution.k3s({ chained: "root" }), {}, { chained: ONE }),
  ...casesOf(Distribution.CLUSTER_API, {}, { "etcd-members": { ...MEMBERS, controlPlanes: [] } }),
  ...DISTRIBUTIONS.filter((distribution) => distribution !== Distribution.KUBEADM).flatMap((distribution) => {
    const issues = Object.values(distribution.table.certificates).every(({ issuedBy }) => issuedBy === "terraform");
    const { "one-control-plane": one, "three-control-planes-and-a-worker": three } = CLUSTERS;
    return [
      ...casesOf(distribution, {}, { "three-control-planes-and-a-worker": three }),
      ...(issues
        ? []
        : casesOf(distribution, { issueLeaves: true }, { "issued-leaves": { ...one, workers: three.workers } })),
    ];
  }),
]);

function casesOf(
  distribution: Distribution,
  props: Partial<ClusterPkiProps>,
  clusters: Readonly<Record<string, Cluster>>,
): [string, Case][] {
  return Object.entries(clusters).map(([name, cluster]) => [
    `${distribution.table.name}-${name}`,
    { cluster, props: { ...props, distribution } },
  ]);
}
