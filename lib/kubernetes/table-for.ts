import type { Cluster } from "./cluster";
import type { DistributionTable, EtcdTopology, FileRow } from "./table";

/** What of a distribution's table is true for one cluster. */
export function tableFor(
  cluster: Cluster,
  issueLeaves: boolean | undefined,
  table: DistributionTable,
): DistributionTable {
  const rows = whereEtcdIs(cluster.etcd?.topology ?? "stacked", table);
  return issueLeaves ? rows : withoutDerivedFiles(rows);
}

/** The rows of a table that exist where etcd runs like this. */
function whereEtcdIs(topology: EtcdTopology, table: DistributionTable): DistributionTable {
  const keep = <R extends { readonly etcd?: readonly EtcdTopology[] }>(
    rows: Readonly<Record<string, R>>,
    test: (row: R) => boolean = () => true,
  ) =>
    Object.fromEntries(Object.entries(rows).filter(([, row]) => (row.etcd?.includes(topology) ?? true) && test(row)));
  const authorities = keep(table.authorities);
  return {
    ...table,
    authorities,
    keyPairs: keep(table.keyPairs),
    certificates: keep(table.certificates, (row) => row.authority in authorities),
  };
}

/** The table without the files that the distribution writes itself where it runs. */
function withoutDerivedFiles(table: DistributionTable): DistributionTable {
  const keep = <R extends { readonly files: readonly FileRow[] }>(rows: Readonly<Record<string, R>>) =>
    Object.fromEntries(
      Object.entries(rows).map(([name, row]): [string, R] => [
        name,
        { ...row, files: row.files.filter(({ writtenBy }) => writtenBy !== "distribution") },
      ]),
    );
  return { ...table, authorities: keep(table.authorities), keyPairs: keep(table.keyPairs) };
}
