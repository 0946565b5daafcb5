import { Construct } from "constructs";
import type { PlatformCluster, PlatformClusterProps } from "./platform-cluster";

/** A kind of cluster. */
export type Kind<Made extends PlatformCluster> = new (
  scope: Construct,
  id: string,
  props: PlatformClusterProps,
) => Made;

/** Clusters that belong together. It groups them in the tree, and is seen nowhere in Terraform. */
export class Region extends Construct {
  /** Adds a cluster, named as it is described. */
  public cluster<Made extends PlatformCluster>(kind: Kind<Made>, props: PlatformClusterProps): Made {
    return new kind(this, props.cluster.name, props);
  }
}
