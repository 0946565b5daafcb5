import { Problems } from "../errors";
import { checkShape, fields, Fields, flag, instanceOf, list, name, oneOf, optional } from "../terraform/shape";
import { clusterApi } from "./distributions/cluster-api";
import { k0s, K0sOptions } from "./distributions/k0s";
import { k3s, K3sOptions } from "./distributions/k3s";
import { kubeadm } from "./distributions/kubeadm";
import { singleCa, SingleCaOptions } from "./distributions/single-ca";
import type { DistributionTable } from "./table";
import { checkTable } from "./table-checks";
import { TABLE } from "./table-shape";

const K3S_OPTIONS = fields({
  dataDir: optional(name("/var/lib/rancher/k3s")),
  chained: optional(oneOf(["root", "intermediate"] satisfies K3sOptions["chained"][])),
} satisfies Fields<K3sOptions>);

const K0S_OPTIONS = fields({ dataDir: optional(name("/var/lib/k0s")) } satisfies Fields<K0sOptions>);

const SINGLE_CA_OPTIONS = fields({
  ownAuthorities: optional(list(name("etcd-server"))),
  oneServerCertificate: optional(flag),
} satisfies Fields<SingleCaOptions>);

/**
 * How a cluster is made: which files, names and subjects its components expect.
 *
 * @throws PkiError with everything that is wrong with a table: a row without its authority, two rows with one file, a key that
 * several machines would share, `system:masters` without a reason
 * @see DistributionTable for one of your own
 */
export class Distribution {
  /** kubeadm 1.29 and later. */
  public static readonly KUBEADM = new Distribution(kubeadm);
  /** K3s with its usual data directory and self-signed authorities, see {@link Distribution.k3s}. */
  public static readonly K3S = Distribution.k3s();
  /** RKE2 with its usual data directory and self-signed authorities, see {@link Distribution.rke2}. */
  public static readonly RKE2 = Distribution.rke2();
  /** k0s with its usual data directory, see {@link Distribution.k0s}. */
  public static readonly K0S = Distribution.k0s();
  /** Binaries installed by hand with certificates of one CA, see {@link Distribution.singleCa}. */
  public static readonly SINGLE_CA = Distribution.singleCa();
  /** Cluster API with its kubeadm providers: Secrets of a management cluster, see `ClusterSecrets`. */
  public static readonly CLUSTER_API = new Distribution(clusterApi);

  /** K3s 1.33 and later: the 11 files of a custom CA and join passwords; it issues its own certificates from them. */
  public static k3s(options: K3sOptions = {}): Distribution {
    checkShape("Distribution.k3s", options, K3S_OPTIONS, "options");
    return new Distribution(k3s({ program: "k3s", ...options }));
  }

  /** RKE2 1.33 and later: the same files as K3s, under its own name. */
  public static rke2(options: K3sOptions = {}): Distribution {
    checkShape("Distribution.rke2", options, K3S_OPTIONS, "options");
    return new Distribution(k3s({ program: "rke2", ...options }));
  }

  /** k0s 1.32.1 and later: authorities, service-account keys and join tokens; it issues its own certificates from them. */
  public static k0s(options: K0sOptions = {}): Distribution {
    checkShape("Distribution.k0s", options, K0S_OPTIONS, "options");
    return new Distribution(k0s(options));
  }

  /**
   * Binaries installed by hand with certificates of one CA, as guides with cfssl make them, or with authorities of their own for sets.
   *
   * @throws PkiError when a set is unknown, or cannot have an authority of its own and the one server certificate at once
   */
  public static singleCa(options: SingleCaOptions = {}): Distribution {
    checkShape("Distribution.singleCa", options, SINGLE_CA_OPTIONS, "options");
    return new Distribution(singleCa(options));
  }

  public constructor(
    /** Everything that is particular to it. */
    public readonly table: DistributionTable,
  ) {
    checkShape("distribution", table, TABLE, "table");
    const problems = new Problems();
    checkTable(table, problems);
    problems.throwIfAny(`distribution ${table.name}`);
  }
}

/** A {@link Distribution}, where one is expected. */
export const DISTRIBUTION = instanceOf(Distribution, "Distribution.KUBEADM");
