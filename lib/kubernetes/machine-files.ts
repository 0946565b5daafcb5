import { Cluster, serverUrl } from "./cluster";
import { concat, Content } from "./content";
import type { ClusterFile } from "./holders";
import { fillText, holds, Holder } from "./holdings";
import { kubeconfig } from "./kubeconfig";
import { accessOf } from "./modes";
import type { CertificateRow, Consumer, DistributionTable, FileKind, FileRow, SecretRow } from "./table";
import type { Certificate } from "../x509/certificate";
import type { CertificateAuthority } from "../x509/certificate-authority";
import type { KeyPairRing } from "../x509/key-pair-ring";

/** What a cluster's files are made of. */
export interface Identities {
  readonly table: DistributionTable;
  readonly cluster: Cluster;
  /** By the distribution's names. */
  readonly authorities: ReadonlyMap<string, CertificateAuthority>;
  /** By the distribution's names. */
  readonly keyPairs: ReadonlyMap<string, KeyPairRing>;
  /** Those that Terraform issues, by `<holder>/<name>`. */
  readonly certificates: ReadonlyMap<string, Certificate>;
}

/** A Secret of a management cluster that holds part of a cluster's identity. */
export interface ClusterSecret {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names secrets, never holds one. */
  readonly data: Readonly<Record<string, Content>>;
}

/** The files that somebody holds by the distribution's table, sorted by path. */
export function machineFiles(holder: Holder, identities: Identities): ClusterFile[] {
  const { table, cluster } = identities;
  const filesOf = ({ files, contentOf }: HeldRow) =>
    files
      .filter((row) => holds(holder, row.on))
      .map((row) => {
        const consumers = consumersOf(row, holder);
        return machineFile({ ...row, consumers, path: fillText(row.path, cluster, holder.name) }, contentOf(row));
      });
  const configuration = table.configuration
    .filter((row) => holds(holder, row.on))
    .map((row) => machineFile({ ...row, kind: "configuration" }, fillText(row.text, cluster, holder.name)));
  return [...heldRows(holder, identities).flatMap(filesOf), ...configuration].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

/** Who reads a file where somebody holds it: not everything runs on every holder. */
export function consumersOf({ consumers }: Pick<FileRow, "consumers">, holder: Holder): Consumer[] {
  return consumers.filter(({ on }) => on === undefined || holds(holder, on));
}

/** The Secrets of the cluster as a whole, sorted by name. */
export function clusterSecrets(holder: Holder, identities: Identities): ClusterSecret[] {
  const fill = (text: string) => fillText(text, identities.cluster);
  const secretOf = ({ name, type, labels, data }: SecretRow, contentOf: HeldRow["contentOf"]): ClusterSecret => ({
    name: fill(name),
    type,
    labels: mapValues(labels, fill),
    data: mapValues(data, (kind) => contentOf({ kind })),
  });
  return heldRows(holder, identities)
    .flatMap(({ secrets = [], contentOf }) => secrets.map((row) => secretOf(row, contentOf)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A row of the table, and what stands in its files. */
interface HeldRow {
  readonly files: readonly FileRow[];
  readonly secrets?: readonly SecretRow[];
  readonly contentOf: (file: Pick<FileRow, "kind" | "server" | "alsoOf">) => Content;
}

/** The rows of which somebody may hold files: those of authorities and key pairs, and of the certificates that were issued to it. */
function heldRows(holder: Holder, identities: Identities): HeldRow[] {
  const { table, authorities, keyPairs, certificates } = identities;
  return [
    ...Object.entries(table.authorities).map(([name, row]): HeldRow => {
      const contentOf: HeldRow["contentOf"] = ({ kind, alsoOf = [] }) =>
        concat([name, ...alsoOf].map((authority) => authorityContent(authorities.get(authority)!, kind)));
      return { ...row, contentOf };
    }),
    ...Object.entries(table.keyPairs).map(([name, row]): HeldRow => {
      return { ...row, contentOf: ({ kind }) => keyPairContent(keyPairs.get(name)!, kind) };
    }),
    ...Object.entries(table.certificates).flatMap(([name, row]): HeldRow[] => {
      const leaf = certificates.get(`${holder.name}/${name}`);
      const contentOf: HeldRow["contentOf"] = ({ kind, server }) =>
        certificateContent({ leaf: leaf!, row }, kind, server, holder, identities);
      return leaf ? [{ ...row, contentOf }] : [];
    }),
  ];
}

function authorityContent({ active, bundle }: CertificateAuthority, kind: FileKind): Content {
  switch (kind) {
    case "private key":
      return active.privateKey;
    case "bundle":
      return concat(bundle.references);
    case "chain":
      return concat([active.certificate, ...active.chain]);
    default:
      return active.certificate;
  }
}

function keyPairContent(ring: KeyPairRing, kind: FileKind): Content {
  if (kind === "private key") {
    return ring.privateKey;
  }
  return concat(kind === "private keys" ? ring.privateKeys : ring.publicKeys);
}

function certificateContent(
  { leaf, row }: { readonly leaf: Certificate; readonly row: CertificateRow },
  kind: FileKind,
  server: FileRow["server"],
  holder: Holder,
  of: Identities,
): Content {
  switch (kind) {
    case "kubeconfig":
      return kubeconfig({
        clusterName: of.cluster.name,
        server: server === "local" ? holder.localServer : serverUrl(of.cluster.endpoint),
        certificateAuthority: concat(of.authorities.get(of.table.apiServerAuthority)!.bundle.references),
        user: fillText(row.kubeconfigUser ?? leaf.subject.fields.commonName, of.cluster),
        credentials: { certificate: leaf.certificate, privateKey: leaf.privateKey },
      });
    case "private key":
      return leaf.privateKey;
    case "chain":
      return concat([leaf.certificate, ...leaf.chain]);
    default:
      return leaf.certificate;
  }
}

function machineFile(
  row: Pick<ClusterFile, "path" | "kind" | "consumers"> & Partial<ClusterFile>,
  content: Content,
): ClusterFile {
  const { path, kind, consumers } = row;
  return { path, kind, ...accessOf(row), content, consumers };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
