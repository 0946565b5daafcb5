import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TimeProvider } from "@cdktf/provider-time/lib/provider";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { ClusterAccess, ClusterAccessOptions, ClusterPki } from "../lib";
import { Backend } from "./backend";

/** What may be chosen for the access to a cluster. */
export type AccessOptions = Pick<
  ClusterAccessOptions,
  "tokens" | "clusterAdmins" | "clusterInfo" | "adopt" | "labels" | "annotations" | "movedFrom"
>;

/** Props of a {@link ClusterAccessStack}. */
export interface ClusterAccessStackProps extends AccessOptions {
  /** The cluster's PKI, of which this stack reads what is public. */
  readonly pki: ClusterPki;
  readonly backend: Backend;
}

/**
 * What stands inside a cluster's API server. A stack of its own, since the API server needs its certificates before anything can
 * stand in it. Terraform finds the cluster through `KUBE_CONFIG_PATH`: credentials never come from the same apply.
 */
export class ClusterAccessStack extends TerraformStack {
  public readonly access: ClusterAccess;

  public constructor(scope: Construct, id: string, props: ClusterAccessStackProps) {
    super(scope, id);
    const { pki, backend, tokens, clusterAdmins, clusterInfo, adopt, labels, annotations, movedFrom } = props;
    backend(this);
    new KubernetesProvider(this, "kubernetes");
    new RandomProvider(this, "random");
    new TimeProvider(this, "time");
    const options = { tokens, clusterAdmins, clusterInfo, adopt, labels, annotations, movedFrom };
    this.access = new ClusterAccess(this, "access", { pki, ...options });
  }
}
