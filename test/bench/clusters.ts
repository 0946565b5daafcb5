import type { Cluster } from "../../lib";

/** Clusters that are alike in shape, each with names of its own. */
export function fleet(count: number, controlPlanes: number): Cluster[] {
  return Array.from({ length: count }, (_, index) => cluster(`fleet-${index + 1}`, controlPlanes));
}

/** Id of a cluster's stack, the same whoever wrote it. */
export function stackId(clusterName: string): string {
  return `${clusterName}-pki`;
}

function cluster(name: string, controlPlanes: number): Cluster {
  return {
    name,
    endpoint: `api.${name}.example.com:6443`,
    serviceCidrs: ["10.96.0.0/12"],
    controlPlanes: Array.from({ length: controlPlanes }, (_, index) => ({
      name: `cp-${index + 1}`,
      addresses: [`10.0.0.${index + 11}`],
    })),
  };
}
