import { Cluster, ClusterPkiProps, Distribution } from "../lib";
import { Backend, localState } from "./backend";
import { AccessOptions } from "./cluster-access-stack";
import { DeliveryOptions } from "./cluster-pki-stack";

/** One cluster of this app: two stacks, `<name>-pki` and `<name>-access`. */
export interface ClusterConfig extends Omit<ClusterPkiProps, "provider">, DeliveryOptions {
  readonly distribution: Distribution;
  readonly cluster: Cluster;
  readonly backend: Backend;
  /**
   * `false` where nothing is to stand inside its API server from here, and so no second stack: Cluster API makes its own tokens.
   * @default - one bootstrap token, the distribution's administrators, own names of bindings
   */
  readonly access?: AccessOptions | false;
}

/** The clusters that `cdktf deploy` knows. */
export const clusters: readonly ClusterConfig[] = [
  {
    distribution: Distribution.KUBEADM,
    backend: localState("state"),
    cluster: {
      name: "sample",
      endpoint: "api.sample.example.com:6443",
      serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/112"],
      controlPlanes: [
        { name: "cp-1", addresses: ["10.0.0.11"] },
        { name: "cp-2", addresses: ["10.0.0.12"] },
        { name: "cp-3", addresses: ["10.0.0.13"] },
      ],
    },
  },
];
