import { Distribution } from "cdktf-kubernetes-pki";

/** The cluster in which Cluster API runs. */
export const management = {
  distribution: Distribution.KUBEADM,
  cluster: {
    name: "management",
    endpoint: "api.management.example.com:6443",
    serviceCidrs: ["10.128.0.0/16"],
    controlPlanes: [1, 2, 3].map((i) => ({ name: `mgmt-cp-${i}`, addresses: [`10.3.0.1${i}`] })),
  },
};

/** Names of the clusters that it makes. */
export const WORKLOADS = ["team-a", "team-b", "team-c"];

/** A cluster that it makes: Cluster API knows the machines. */
export function workload(name: string) {
  return {
    distribution: Distribution.CLUSTER_API,
    cluster: { name, endpoint: `api.${name}.example.com:6443`, serviceCidrs: ["10.96.0.0/12"] },
  };
}
