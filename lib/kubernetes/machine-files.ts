import type { Certificate, CertificateAuthority, KeyPairRing } from "../x509";
import { Cluster, serverUrl } from "./cluster";
import { concat, Content } from "./content";
import type { MachineFile } from "./holders";
import { fillText, holds, Party } from "./holdings";
import { kubeconfig } from "./kubeconfig";
import type { DistributionTable, FileKind, FileRow } from "./table";

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

/** The files that somebody holds by the distribution's table, sorted by path. */
export function machineFiles(party: Party, identities: Identities): MachineFile[] {
  const { table, cluster, authorities, keyPairs, certificates } = identities;
  const filesOf = (rows: readonly FileRow[], contentOf: (row: FileRow) => Content) =>
    rows.filter((row) => holds(party, row.on)).map((row) => machineFile(row, contentOf(row)));
  const ofAuthorities = Object.entries(table.authorities).flatMap(([name, { files }]) =>
    filesOf(files, ({ kind }) => authorityContent(authorities.get(name)!, kind)),
  );
  const ofKeyPairs = Object.entries(table.keyPairs).flatMap(([name, { files }]) =>
    filesOf(files, ({ kind }) => keyPairContent(keyPairs.get(name)!, kind)),
  );
  const ofCertificates = Object.entries(table.certificates).flatMap(([name, { files }]) => {
    const certificate = certificates.get(`${party.name}/${name}`);
    return certificate ? filesOf(files, (row) => certificateContent(certificate, row, party, identities)) : [];
  });
  const configuration = table.configuration
    .filter((row) => holds(party, row.on))
    .map(({ path, text }) => machineFile({ path }, fillText(text, cluster, party.name)));
  return [...ofAuthorities, ...ofKeyPairs, ...ofCertificates, ...configuration].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

function authorityContent({ active, bundle }: CertificateAuthority, kind: FileKind): Content {
  if (kind === "private key") {
    return active.privateKey;
  }
  return kind === "bundle" ? concat(bundle.references) : active.certificate;
}

function keyPairContent(ring: KeyPairRing, kind: FileKind): Content {
  if (kind === "private key") {
    return ring.privateKey;
  }
  return concat(kind === "private keys" ? ring.privateKeys : ring.publicKeys);
}

function certificateContent(leaf: Certificate, { kind, server }: FileRow, party: Party, of: Identities): Content {
  if (kind !== "kubeconfig") {
    return kind === "private key" ? leaf.privateKey : leaf.certificate;
  }
  return kubeconfig({
    clusterName: of.cluster.name,
    server: server === "local" ? party.localServer : serverUrl(of.cluster.endpoint),
    certificateAuthority: concat(of.authorities.get(of.table.apiServerAuthority)!.bundle.references),
    user: leaf.subject.fields.commonName,
    credentials: { certificate: leaf.certificate, privateKey: leaf.privateKey },
  });
}

const HOLDS_KEY: readonly (FileKind | undefined)[] = ["private key", "private keys", "kubeconfig"];

function machineFile(row: Pick<FileRow, "path"> & Partial<FileRow>, content: Content): MachineFile {
  const { path, kind, mode = HOLDS_KEY.includes(kind) ? "0600" : "0644", owner = "root:root" } = row;
  return { path, mode, owner, content };
}
