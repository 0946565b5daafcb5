import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TimeProvider } from "@cdktf/provider-time/lib/provider";
import { ClusterAccess, ClusterSecrets, Group, JoinPassword } from "cdktf-kubernetes-pki";
import type { Backend } from "./backend";
import { PlatformCluster } from "./platform-cluster";

/**
 * A cluster of machines that take files: its second stack, `<name>-access`, stands inside the API server and is applied when that runs.
 * `KUBE_CONFIG_PATH` says where it is.
 */
export class MachineCluster extends PlatformCluster {
  protected override deliver(backend: Backend): void {
    const stack = this.stack("access", backend);
    new KubernetesProvider(stack, "kubernetes");
    new RandomProvider(stack, "random");
    new TimeProvider(stack, "time");
    new ClusterAccess(stack, "access", { pki: this.pki, clusterAdmins: [Group.named("platform-pipeline")] });
  }
}

/** A K3s cluster: its machines join with passwords that are made beside the PKI, before there is an API server. */
export class EdgeCluster extends PlatformCluster {
  protected override deliver(): void {
    new RandomProvider(this.pkiStack, "random");
    new JoinPassword(this.pkiStack, "server", { pki: this.pki });
    new JoinPassword(this.pkiStack, "agent", { pki: this.pki });
  }
}

/**
 * A cluster that Cluster API makes: its identity is Secrets of the management cluster, in the namespace of the Cluster object. They are in
 * the PKI's stack, since no private key goes through an output. `KUBE_CONFIG_PATH` is the management cluster's.
 */
export class WorkloadCluster extends PlatformCluster {
  protected override deliver(): void {
    new KubernetesProvider(this.pkiStack, "kubernetes");
    new ClusterSecrets(this.pkiStack, "secrets", { pki: this.pki, namespace: this.node.id });
  }
}
