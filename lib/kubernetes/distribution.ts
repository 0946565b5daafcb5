import { Problems } from "../errors";
import { clusterApi, type ClusterApiNames } from "./distributions/cluster-api";
import { k0s, type K0sNames, type K0sOptions } from "./distributions/k0s";
import { k3s, type K3sChain, type K3sNames, type K3sOptions, type Rke2Options } from "./distributions/k3s";
import { kubeadm, type KubeadmNames, type KubeadmOptions } from "./distributions/kubeadm";
import { singleCa, type SingleCaNames, type SingleCaOptions, type SingleCaSet } from "./distributions/single-ca";
import type { DistributionNames, DistributionTable } from "./table";
import { checkTable } from "./checks/table-checks";
import { kubeconfigRows } from "./table-for";

/** What the parts of a distribution are called. */
export type NameLists<Names extends DistributionNames> = {
  readonly [Kind in keyof DistributionNames]: readonly Names[Kind][];
};

/** What the authorities, key pairs and certificates of a distribution, or of one of several, are called. */
export type NamesOf<Of extends Distribution> = Of extends Distribution<infer Names> ? Names : never;
import { checkShape, fields, Fields, flag, instanceOf, list, name, oneOf, optional } from "../terraform/shape";
import { TABLE } from "./checks/table-shape";

const KUBEADM_OPTIONS = fields({ kubeletServing: optional(flag) } satisfies Fields<KubeadmOptions>);

const K3S_FIELDS = {
  dataDir: optional(name("/var/lib/rancher/k3s")),
  chained: optional(oneOf(["root", "intermediate"] satisfies K3sOptions["chained"][])),
  clusterAdmin: optional(flag),
} satisfies Fields<K3sOptions>;
const K3S_OPTIONS = fields(K3S_FIELDS);

const RKE2_OPTIONS = fields({
  ...K3S_FIELDS,
  profile: optional(oneOf(["cis", "etcd"] satisfies Rke2Options["profile"][])),
} satisfies Fields<Rke2Options>);

const K0S_OPTIONS = fields({
  dataDir: optional(name("/var/lib/k0s")),
  clusterAdmin: optional(flag),
} satisfies Fields<K0sOptions>);

const SINGLE_CA_OPTIONS = fields({
  ownAuthorities: optional(list(name("etcd-server"))),
  oneServerCertificate: optional(flag),
  folder: optional(name("/etc/kubernetes/ssl")),
  kubeletOnControlPlanes: optional(flag),
  kubeProxyOfJoined: optional(oneOf(["service-account", "nodes"] satisfies SingleCaOptions["kubeProxyOfJoined"][])),
} satisfies Fields<SingleCaOptions>);

/**
 * How a cluster is made: which files, names and subjects its components expect. `Names` says what its authorities, key pairs and
 * certificates are called, so that an editor offers these names and another one does not compile; without it, any text does.
 *
 * @throws PkiError with everything that is wrong with a table: a row without its authority, two rows with one file, a key that
 * several machines would share, `system:masters` without a reason
 * @see DistributionTable for one of your own
 */
export class Distribution<Names extends DistributionNames = DistributionNames> {
  /** kubeadm 1.29 and later, as it is by itself, see {@link Distribution.kubeadm}. */
  public static readonly KUBEADM: Distribution<KubeadmNames> = Distribution.kubeadm();
  /** K3s with its usual data directory and self-signed authorities, see {@link Distribution.k3s}. */
  public static readonly K3S: Distribution<K3sNames> = Distribution.k3s();
  /** RKE2 with its usual data directory and self-signed authorities, see {@link Distribution.rke2}. */
  public static readonly RKE2: Distribution<K3sNames<"rke2">> = Distribution.rke2();
  /** k0s with its usual data directory, see {@link Distribution.k0s}. */
  public static readonly K0S: Distribution<K0sNames> = Distribution.k0s();
  /** Binaries installed by hand with certificates of one CA, see {@link Distribution.singleCa}. */
  public static readonly SINGLE_CA: Distribution<SingleCaNames> = Distribution.singleCa();
  /** Cluster API with its kubeadm providers: Secrets of a management cluster, see `ClusterSecrets`. */
  public static readonly CLUSTER_API = new Distribution<ClusterApiNames>(clusterApi);

  /** kubeadm 1.29 and later, with more than it makes by itself. */
  public static kubeadm<Serving extends boolean = false>(
    options: KubeadmOptions<Serving> = {},
  ): Distribution<KubeadmNames<Serving>> {
    checkShape("Distribution.kubeadm", options, KUBEADM_OPTIONS, "options");
    return new Distribution(kubeadm(options));
  }

  /** K3s 1.33 and later: the 11 files of a custom CA and join passwords; it issues its own certificates from them. */
  public static k3s<Chained extends K3sChain = never, Admin extends boolean = false>(
    options: K3sOptions<Chained, Admin> = {},
  ): Distribution<K3sNames<"k3s", Chained, Admin>> {
    checkShape("Distribution.k3s", options, K3S_OPTIONS, "options");
    return new Distribution(k3s({ program: "k3s", ...options }));
  }

  /** RKE2 1.33 and later: the same files as K3s, under its own name. */
  public static rke2<Chained extends K3sChain = never, Admin extends boolean = false>(
    options: Rke2Options<Chained, Admin> = {},
  ): Distribution<K3sNames<"rke2", Chained, Admin>> {
    checkShape("Distribution.rke2", options, RKE2_OPTIONS, "options");
    return new Distribution(k3s({ program: "rke2", ...options }));
  }

  /** k0s 1.32.1 and later: authorities, service-account keys and join tokens; it issues its own certificates from them. */
  public static k0s<Admin extends boolean = false>(options: K0sOptions<Admin> = {}): Distribution<K0sNames<Admin>> {
    checkShape("Distribution.k0s", options, K0S_OPTIONS, "options");
    return new Distribution(k0s(options));
  }

  /**
   * Binaries installed by hand with certificates of one CA, as guides with cfssl make them, or with authorities of their own for sets.
   *
   * @throws PkiError when a set is unknown, or cannot have an authority of its own and the one server certificate at once
   */
  public static singleCa<Sets extends SingleCaSet = never, OneServer extends boolean = false>(
    options: SingleCaOptions<Sets, OneServer> = {},
  ): Distribution<SingleCaNames<Sets, OneServer>> {
    checkShape("Distribution.singleCa", options, SINGLE_CA_OPTIONS, "options");
    return new Distribution(singleCa(options));
  }

  /** What its parts are called, in the order of the table. */
  public readonly names: NameLists<Names>;

  public constructor(
    /** Everything that is particular to it. */
    public readonly table: DistributionTable,
  ) {
    checkShape("distribution", table, TABLE, "table");
    const problems = new Problems();
    checkTable(table, problems);
    problems.throwIfAny(`distribution ${table.name}`);
    this.names = namesIn(table) as NameLists<Names>;
  }
}

/** The union of literals of a built-in table is written beside it; what it has to say is in the table alone. */
function namesIn({
  authorities,
  keyPairs,
  certificates,
  joinPasswords = {},
}: DistributionTable): NameLists<DistributionNames> {
  const kubeconfigs = Object.entries(certificates).filter(([, row]) => kubeconfigRows(row).length > 0);
  return {
    authority: Object.keys(authorities),
    keyPair: Object.keys(keyPairs),
    certificate: Object.keys(certificates),
    kubeconfig: kubeconfigs.map(([name]) => name),
    joinPassword: Object.keys(joinPasswords),
  };
}
/** A {@link Distribution}, where one is expected. */
export const DISTRIBUTION = instanceOf(Distribution, "Distribution.KUBEADM");
