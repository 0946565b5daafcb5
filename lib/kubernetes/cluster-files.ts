import type { IConstruct } from "constructs";
import { consumersOf } from "./consumers";
import type { ClusterLeaf, ClusterParts } from "./cluster-parts";
import { type Cluster, serverUrl } from "./cluster";
import { concat, Content } from "./content";
import { type ClusterFile, accessOf } from "./cluster-file";
import { fillText, fillYaml, holds, Holder } from "./holders";
import { kubeconfig } from "./kubeconfig";
import type { ConfigurationRow, FileKind, FileRow, SecretRow } from "./table";
import type { Certificate } from "../x509/certificate";
import type { CertificateAuthority } from "../x509/certificate-authority";
import type { KeyPairRing } from "../x509/key-pair-ring";

/** A Secret of a management cluster that holds part of a cluster's identity. */
export interface ClusterSecret {
  /** Name of the Secret. */
  readonly name: string;
  /** Type of the Secret. */
  readonly type: string;
  /** Labels that the distribution expects. */
  readonly labels: Readonly<Record<string, string>>;
  /** Names secrets, never holds one. */
  readonly data: Readonly<Record<string, Content>>;
}

/** The files that somebody holds by the distribution's table, sorted by path. */
export function filesOf(scope: IConstruct, holder: Holder, parts: ClusterParts): ClusterFile[] {
  const { table, cluster } = parts;
  const filesOfRow = ({ files, contentOf }: HeldRow) =>
    files
      .filter((row) => holds(holder, row.on))
      .map((row) => {
        const consumers = consumersOf(row, holder);
        return clusterFile({ ...row, consumers, path: fillText(row.path, cluster, holder.name) }, contentOf(row));
      });
  const configuration = configurationFiles(table.configuration, holder, cluster, scope);
  return [...heldRows(holder, parts).flatMap(filesOfRow), ...configuration].sort(byPath);
}

/** The configuration files that somebody holds. */
export function configurationFiles(
  rows: readonly ConfigurationRow[],
  holder: Holder,
  cluster: Cluster,
  scope: IConstruct,
): ClusterFile[] {
  return rows
    .filter(({ on }) => holds(holder, on))
    .map((row) => clusterFile({ ...row, kind: "configuration" }, fillYaml(row.text, cluster, holder, scope, row.sans)));
}

/** The order of a holder's files. */
export function byPath(a: ClusterFile, b: ClusterFile): number {
  return a.path < b.path ? -1 : 1;
}

/** The Secrets of the cluster as a whole, sorted by name. */
export function clusterSecrets(holder: Holder, parts: ClusterParts): ClusterSecret[] {
  const fill = (text: string) => fillText(text, parts.cluster);
  const secretOf = ({ name, type, labels, data }: SecretRow, contentOf: HeldRow["contentOf"]): ClusterSecret => ({
    name: fill(name),
    type,
    labels: mapValues(labels, fill),
    data: mapValues(data, (kind) => contentOf({ kind })),
  });
  return heldRows(holder, parts)
    .flatMap(({ secrets = [], contentOf }) => secrets.map((row) => secretOf(row, contentOf)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A row of the table, and what stands in its files. */
interface HeldRow {
  readonly files: readonly FileRow[];
  readonly secrets?: readonly SecretRow[];
  readonly contentOf: (file: Pick<FileRow, "kind" | "server" | "kubeconfigNames" | "alsoOf">) => Content;
}

/** The rows of which somebody may hold files: those of authorities and key pairs, and of the certificates that were issued to it. */
function heldRows(holder: Holder, parts: ClusterParts): HeldRow[] {
  const { table, authorities, keyPairs, leaves } = parts;
  return [
    ...Object.entries(table.authorities).map(([name, row]): HeldRow => {
      const contentOf: HeldRow["contentOf"] = ({ kind, alsoOf = [] }) =>
        concat([name, ...alsoOf].map((authority) => authorityContent(authorities.get(authority)!, kind)));
      return { ...row, contentOf };
    }),
    ...Object.entries(table.keyPairs).map(([name, row]): HeldRow => {
      return { ...row, contentOf: ({ kind }) => keyPairContent(keyPairs.get(name)!, kind) };
    }),
    ...leaves
      .filter((leaf) => leaf.holder.name === holder.name)
      .map((leaf): HeldRow => {
        return { ...leaf.row, contentOf: (file) => certificateContent(leaf, file, parts) };
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

/** What stands in a file for a certificate: itself, or, while somebody else has it to sign, its name. */
export function pemOf(certificate: Certificate): Content {
  return certificate.isSigned ? certificate.certificate : { unsigned: certificate.name };
}

function certificateContent(
  { certificate, row, holder, authority, credentials }: ClusterLeaf,
  { kind, server, kubeconfigNames: names }: Pick<FileRow, "kind" | "server" | "kubeconfigNames">,
  { table, cluster, authorities }: ClusterParts,
): Content {
  switch (kind) {
    case "kubeconfig":
      return kubeconfig({
        clusterName: names?.cluster ?? cluster.name,
        context: names?.context,
        server: server === "local" ? holder.localServer : serverUrl(cluster.endpoint),
        certificateAuthority: concat(authorities.get(table.apiServerAuthority)!.bundle.references),
        user: names?.user ?? fillText(row.kubeconfigUser ?? certificate.subject.fields.commonName, cluster),
        credentials: credentials ?? {
          certificate: pemOf(certificate),
          privateKey: certificate.privateKey,
        },
      });
    case "private key":
      return certificate.privateKey;
    case "chain":
      return concat([pemOf(certificate), ...certificate.chain]);
    case "bundle":
      return concat(authority.bundle.references);
    default:
      return pemOf(certificate);
  }
}

function clusterFile(
  row: Pick<ClusterFile, "path" | "kind" | "consumers"> & Partial<ClusterFile>,
  content: Content,
): ClusterFile {
  const { path, kind, consumers, firstStartOnly } = row;
  const start = firstStartOnly === undefined ? {} : { firstStartOnly };
  return { path, kind, ...accessOf(row), ...start, content, consumers };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
