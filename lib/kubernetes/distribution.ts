import { Problems } from "../errors";
import { kubeadm } from "./distributions/kubeadm";
import type { DistributionTable } from "./table";
import { checkTable } from "./table-checks";

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

  public constructor(
    /** Everything that is particular to it. */
    public readonly table: DistributionTable,
  ) {
    const problems = new Problems();
    checkTable(table, problems);
    problems.throwIfAny(`distribution ${table.name}`);
  }
}
