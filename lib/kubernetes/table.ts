import type { KeyUsage } from "../x509";

/**
 * Who holds something: each control plane, each etcd member (the control planes, when etcd is stacked), each worker with a name,
 * any worker whether named or not, or the operator, whose files are on no machine.
 */
export type Holder = "control-plane" | "etcd-member" | "named-worker" | "worker" | "operator";

/** What a file holds. */
export type FileKind =
  /** The certificate alone. */
  | "certificate"
  /** All trusted generations of an authority. */
  | "bundle"
  /** Exactly the active certificate of an authority. */
  | "signer"
  /** The private key; of an authority or key pair, the active one. */
  | "private key"
  /** All private keys of a key pair that are not retired, the active first. */
  | "private keys"
  /** All public keys of a key pair that are not retired, the active first. */
  | "public keys"
  /** A kubeconfig with certificate and key inline. */
  | "kubeconfig";

/** A component that reads a file, and how it is told to. */
export interface Consumer {
  /** E.g. `kube-apiserver`. */
  readonly component: string;
  /** Command-line flag or field of the component's configuration file that takes the path, e.g. `--client-ca-file`. */
  readonly via: { readonly flag: string } | { readonly configField: string } | { readonly use: string };
  /** Flags that go with it. */
  readonly with?: Readonly<Record<string, string>>;
  /** Whether a changed file is noticed by itself, or the component must be restarted. */
  readonly onChange: "reload" | "restart";
  /** The component's version on which that was measured; without it, it is what the documentation says. */
  readonly measured?: string;
}

/** A file that holds part of an identity. */
export interface FileRow {
  /** Absolute path; the operator's start at the folder of the operator's choice. */
  readonly path: string;
  readonly kind: FileKind;
  readonly on: readonly Holder[];
  /** @default - `0600` for what holds a key, else `0644` */
  readonly mode?: string;
  /** @default root:root */
  readonly owner?: string;
  /** Which API server a kubeconfig points at: the cluster's endpoint, or the one on the same machine where there is one. */
  readonly server?: "endpoint" | "local";
  readonly consumers: readonly Consumer[];
}

/** A certificate authority of a distribution. */
export interface AuthorityRow {
  readonly commonName: string;
  /**
   * Names in its own certificate.
   * @default - none
   */
  readonly sans?: readonly string[];
  /** True when it does not exist where etcd is external, and with it all it signs. */
  readonly ofEtcd?: boolean;
  readonly files: readonly FileRow[];
}

/** A key pair of a distribution. */
export interface KeyPairRow {
  readonly files: readonly FileRow[];
}

/** A certificate of a distribution: one for each of its holders, each with a key of its own. */
export interface CertificateRow {
  readonly authority: string;
  /** May hold `{machine}`. */
  readonly commonName: string;
  readonly organization?: string;
  readonly usage: KeyUsage;
  /**
   * Templates of its names: `{machine}`, `{addresses}`, `{endpoint}`, `{serviceIps}`, `{clusterDomain}`, `{extraSans}`, or text.
   * @default - none
   */
  readonly sans?: readonly string[];
  /** Who has one. */
  readonly holders: readonly Holder[];
  /** Who issues it when `issueLeaves` does not say otherwise. */
  readonly issuedBy: "terraform" | "distribution";
  /** A reason when the row may be in `system:masters`, which no authorizer can limit and nothing can revoke. */
  readonly breakGlass?: string;
  readonly files: readonly FileRow[];
}

/** A file of text that tells the distribution about the others. */
export interface ConfigurationRow {
  readonly path: string;
  readonly on: readonly Holder[];
  /** Text with `{clusterName}`, `{endpoint}`, `{serviceCidrs}`, `{clusterDomain}`. */
  readonly text: string;
  readonly consumers: readonly Consumer[];
}

/** What stands inside the API server. */
export interface AccessRow {
  /** Group of the administrators, and the distribution's own name of its binding to cluster-admin. */
  readonly clusterAdmins: { readonly group: string; readonly binding: string };
  /** Group of joining nodes, and the distribution's own names of the three bindings. */
  readonly nodeBootstrapping: {
    readonly group: string;
    readonly bindings: { readonly createCsrs: string; readonly approveFirst: string; readonly approveRenewals: string };
  };
  /** The user as whom the API server talks to kubelets. */
  readonly apiServerToKubelet: { readonly user: string };
  /** Where a joining worker expects its token. */
  readonly bootstrapKubeconfig: { readonly path: string; readonly consumers: readonly Consumer[] };
}

/** Everything that is particular to a distribution. Where one does not fit, the table lacks a column. */
export interface DistributionTable {
  readonly name: string;
  /** The version whose behaviour the table states. */
  readonly version: string;
  /** What the cluster description must name. */
  readonly requires: { readonly controlPlanes: boolean; readonly addresses: boolean };
  /** The authority that signs the API server's serving certificate: what every kubeconfig trusts. */
  readonly apiServerAuthority: string;
  readonly authorities: Readonly<Record<string, AuthorityRow>>;
  readonly keyPairs: Readonly<Record<string, KeyPairRow>>;
  readonly certificates: Readonly<Record<string, CertificateRow>>;
  readonly configuration: readonly ConfigurationRow[];
  readonly access: AccessRow;
}
