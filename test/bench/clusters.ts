import type { Cluster } from "../../lib";

/** Clusters that are alike in shape, each with names of its own. */
export function fleet({ clusters, ...size }: Fleet): Cluster[] {
  return Array.from({ length: clusters }, (_, index) => cluster(`fleet-${index + 1}`, size));
}

/** How many clusters, and how large each is. */
export interface Fleet {
  readonly clusters: number;
  readonly controlPlanes: number;
  /** Workers with a name, and so with a certificate of their own. */
  readonly workers: number;
}

/** Id of a cluster's stack, the same whoever wrote it. */
export function stackId(clusterName: string): string {
  return `${clusterName}-pki`;
}

function cluster(name: string, { controlPlanes, workers }: Omit<Fleet, "clusters">): Cluster {
  return {
    name,
    endpoint: `api.${name}.example.com:6443`,
    serviceCidrs: ["10.96.0.0/12"],
    controlPlanes: Array.from({ length: controlPlanes }, (_, index) => ({
      name: `cp-${index + 1}`,
      addresses: [`10.0.0.${index + 11}`],
    })),
    ...(workers > 0
      ? { workers: Array.from({ length: workers }, (_, index) => ({ name: `worker-${index + 1}` })) }
      : {}),
  };
}
