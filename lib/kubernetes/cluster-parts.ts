import type { Certificate } from "../x509/certificate";
import type { CertificateAuthority, ICertificateAuthority } from "../x509/certificate-authority";
import type { KeyPairRing } from "../x509/key-pair-ring";
import type { Cluster } from "./cluster";
import type { Credentials } from "./content";
import type { Holder } from "./holders";
import type { CertificateRow, DistributionTable } from "./table";

/** What a cluster's files are made of. */
export interface ClusterParts {
  /** The distribution's table, with the rows that apply to this cluster. */
  readonly table: DistributionTable;
  /** The description. */
  readonly cluster: Cluster;
  /** By the distribution's names. */
  readonly authorities: ReadonlyMap<string, CertificateAuthority>;
  /** By the distribution's names. */
  readonly keyPairs: ReadonlyMap<string, KeyPairRing>;
  /** Certificates that are no authorities and that Terraform issues. */
  readonly leaves: readonly ClusterLeaf[];
}

/** A certificate of a cluster that is no authority. */
export interface ClusterLeaf {
  /** Who holds it. */
  readonly holder: Holder;
  /** The distribution's name of it. */
  readonly name: string;
  /** What the distribution says of it. */
  readonly row: CertificateRow;
  /** Who signs it. */
  readonly authority: ICertificateAuthority;
  /** The certificate itself. */
  readonly certificate: Certificate;
  /**
   * What its kubeconfigs have in place of certificate and key.
   * @default - these two, inline
   */
  readonly credentials?: Credentials;
}
