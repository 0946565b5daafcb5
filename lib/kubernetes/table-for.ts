import { perObject } from "../terraform/memo";
import { Cluster, etcdTopology } from "./cluster";
import type {
  AuthorityRow,
  CertificateRow,
  ConfigurationRow,
  DistributionTable,
  EtcdTopology,
  FileKind,
  FileRow,
  KeyPairRow,
} from "./table";

/** The tables that were made of one so far, by what they depend on. */
const tablesOf = perObject<DistributionTable, Map<string, DistributionTable>>(() => new Map());

/** The rows of a distribution's table that apply to one cluster: the rest of the library sees no others. Clusters alike have one table. */
export function tableFor(
  cluster: Cluster,
  issueLeaves: boolean | undefined,
  table: DistributionTable,
  authorityKeys = true,
): DistributionTable {
  const topology = etcdTopology(cluster);
  const tables = tablesOf(table);
  const key = `${topology} ${issueLeaves} ${authorityKeys}`;
  const known = tables.get(key) ?? applicable(table, topology, issueLeaves, authorityKeys);
  tables.set(key, known);
  return known;
}

function applicable(
  table: DistributionTable,
  topology: EtcdTopology,
  issueLeaves: boolean | undefined,
  authorityKeys: boolean,
): DistributionTable {
  const exists = ({ etcd }: { readonly etcd?: readonly EtcdTopology[] }) => etcd?.includes(topology) ?? true;
  // Where the distribution runs, it makes some files of the others itself.
  const isDelivered = ({ writtenBy }: FileRow) => issueLeaves || writtenBy !== "distribution";
  // Nothing is started that would refuse a file.
  const delivered = ({ firstStartOnly, ...row }: FileRow): FileRow =>
    issueLeaves || firstStartOnly === undefined ? row : { ...row, firstStartOnly };
  const rowsOf = <R extends KeyPairRow>(rows: Readonly<Record<string, R>>): Record<string, R> =>
    Object.fromEntries(
      Object.entries(rows)
        .filter(([, row]) => exists(row))
        .map(([name, row]): [string, R] => [
          name,
          { ...row, files: row.files.filter(isDelivered).map(delivered), secrets: row.secrets?.filter(exists) },
        ]),
    );
  const isIssued = (name: string) =>
    Object.hasOwn(table.certificates, name) && (issueLeaves ?? table.certificates[name]!.issuedBy === "terraform");
  const names = ({ certificate }: ConfigurationRow) => certificate === undefined || isIssued(certificate);
  const fits = (row: ConfigurationRow) => (row.authorityKeys ?? authorityKeys) === authorityKeys;
  const authorities = authorityKeys ? rowsOf(table.authorities) : withoutKeys(rowsOf(table.authorities));
  const certificates = Object.entries(rowsOf(table.certificates)).filter(([, row]) => row.authority in authorities);
  return {
    ...table,
    authorities,
    keyPairs: rowsOf(table.keyPairs),
    certificates: Object.fromEntries(certificates),
    configuration: table.configuration.filter((row) => exists(row) && names(row) && fits(row)),
  };
}

/** What is for who signs: the key, and the one certificate that goes with it. */
const FOR_SIGNERS: readonly FileKind[] = ["private key", "signer"];

/** Authorities of which machines have what verifies, and nothing that signs. */
function withoutKeys(rows: Readonly<Record<string, AuthorityRow>>): Record<string, AuthorityRow> {
  const without = ({ signsNodesFor: _, ...row }: AuthorityRow): AuthorityRow => ({
    ...row,
    files: row.files.filter(({ kind }) => !FOR_SIGNERS.includes(kind)),
  });
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, without(row)]));
}

/** The kubeconfigs of a certificate. */
export function kubeconfigRows({ files }: CertificateRow): FileRow[] {
  return files.filter(({ kind }) => kind === "kubeconfig");
}
