import { kubeadm } from "./distributions/kubeadm";
import type { DistributionTable } from "./table";

/**
 * How a cluster is made: which files, names and subjects its components expect.
 *
 * @see DistributionTable for one of your own
 */
export class Distribution {
  /** kubeadm 1.29 and later. */
  public static readonly KUBEADM = new Distribution(kubeadm);

  public constructor(
    /** Everything that is particular to it. */
    public readonly table: DistributionTable,
  ) {}
}
