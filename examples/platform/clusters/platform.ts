import { KeyUsage } from "cdktf-kubernetes-pki";
import { Construct } from "constructs";
import type { Backend } from "../lib/backend";
import { EdgeCluster, MachineCluster, WorkloadCluster } from "../lib/kinds";
import type { PlatformCluster } from "../lib/platform-cluster";
import { Region } from "../lib/region";
import { shop, SHOPS } from "./edge";
import { ipv6 } from "./ipv6";
import { management, workload, WORKLOADS } from "./management";
import { production } from "./production";
import { separateEtcd } from "./separate-etcd";
import { singleCa } from "./single-ca";

/** Props of the {@link Platform}. */
export interface PlatformProps {
  /** Backend of every stack. */
  readonly backend: Backend;
  /**
   * Numbers of the shops that have a cluster.
   * @default - all
   */
  readonly shops?: readonly number[];
}

/** Every cluster there is. */
export class Platform extends Construct {
  public constructor(scope: Construct, id: string, { backend, shops = SHOPS }: PlatformProps) {
    super(scope, id);
    const datacenters = new Construct(this, "datacenters");
    const europe = new Region(datacenters, "europe");
    europe.cluster(MachineCluster, { backend, ...production });
    europe.cluster(MachineCluster, { backend, ...ipv6 });
    europe.cluster(MachineCluster, { backend, ...singleCa });
    watchEtcd(europe.cluster(MachineCluster, { backend, ...separateEtcd }));

    const clouds = new Region(this, "clouds");
    clouds.cluster(MachineCluster, { backend, ...management });
    WORKLOADS.forEach((name) => clouds.cluster(WorkloadCluster, { backend, ...workload(name) }));

    const edge = new Region(this, "edge");
    shops.forEach((number) => edge.cluster(EdgeCluster, { backend, ...shop(number) }));
  }
}

/** A certificate of the platform's own: Prometheus as a client of etcd, on each member with a key of its own. */
function watchEtcd({ pki }: PlatformCluster): void {
  pki.addCertificate("prometheus", {
    authority: "etcd",
    commonName: "prometheus",
    usage: KeyUsage.CLIENT,
    holders: ["etcd-member"],
    files: [
      { path: "/etc/prometheus/etcd/ca.crt", kind: "bundle" },
      { path: "/etc/prometheus/etcd/client.crt", kind: "certificate" },
      { path: "/etc/prometheus/etcd/client.key", kind: "private key", owner: "prometheus:prometheus" },
    ],
  });
}
