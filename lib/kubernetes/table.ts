import type { KeyUsage } from "../x509/key-usage";

/**
 * Who holds something: each control plane, each etcd member (the control planes, when etcd is stacked), each worker with a name,
 * any worker whether named or not, the operator, whose files are on no machine, or the cluster as a whole, whose files are on no
 * machine either: what it has stands in Secrets of a management cluster.
 */
export type HolderKind = "control-plane" | "etcd-member" | "named-worker" | "worker" | "operator" | "cluster";

/** Where etcd runs, as {@link Etcd} says. */
export type EtcdTopology = "stacked" | "members" | "external";

/** Where a distribution breaks a rule of this library. It stands in the inventory, and is a warning where Terraform issues the row. */
export interface RowException {
  /** The rule, e.g. `system-masters`. */
  readonly code: string;
  /** Why the distribution needs it. */
  readonly reason: string;
}

/** What a file holds. */
export type FileKind =
  /** The certificate alone. */
  | "certificate"
  /** The certificate, then that of its authority and of those above it. */
  | "chain"
  /** All trusted generations of an authority, the active first, each followed by those above it. */
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

/** A port of a component, whose TLS handshake shows what it read. */
export interface ServedPort {
  /** The usual one. */
  readonly number: number;
  /** The flag or field that sets another, e.g. `--secure-port`. */
  readonly setBy: string;
  /**
   * The field of a control plane's description that says another.
   * @default - the description says nothing of it
   */
  readonly describedBy?: "bindPort";
}

/** A component that reads a file, and the flag or field that names it. */
export interface Consumer {
  /** E.g. `kube-apiserver`. */
  readonly component: string;
  /** Command-line flag or field of the component's configuration file that takes the path, e.g. `--client-ca-file`. */
  readonly via:
    | {
        /** The flag. */
        readonly flag: string;
      }
    | {
        /** The field, with dots for what is nested. */
        readonly configField: string;
      }
    | {
        /** What somebody does with the file, in words. */
        readonly use: string;
      };
  /**
   * Flags that go with it.
   * @default - none
   */
  readonly with?: Readonly<Record<string, string>>;
  /**
   * On which of the file's holders it runs.
   * @default - on all
   */
  readonly on?: readonly HolderKind[];
  /** Whether a changed file is noticed by itself, the component must be restarted, or it only runs when somebody uses it. */
  readonly onChange: "reload" | "restart" | "next-use";
  /**
   * A file of its own that it has made of this one and uses rather than this one, as long as it is there.
   * @default - none
   */
  readonly prefers?: string;
  /**
   * The component's version on which that was measured; without it, it is what the documentation says.
   * @default - not measured
   */
  readonly measured?: string;
  /**
   * On which port whoever connects sees it: the certificate that the component serves, or the authorities whose clients it lets in.
   * @default - on none
   */
  readonly port?: ServedPort;
}

/** What a distribution reads before its first start alone: one that is newer than what it keeps in its datastore stops it afterwards. */
export interface FirstStartOnly {
  /** The command that takes other files after the first start, `k3s certificate rotate-ca`; the folder with them is its `--path`. */
  readonly command: string;
  /** The folder that the command's `--path` stands for: what is below it has the same place there. Absolute, without a last slash. */
  readonly folder: string;
  /** What the distribution makes at its first start, in every topology: an absolute path. */
  readonly madeAtStart: string;
}

/** A file that holds part of an identity. */
export interface FileRow {
  /** Absolute path, which may hold `{machine}`; the operator's start at the folder of the operator's choice. */
  readonly path: string;
  /** What it holds. */
  readonly kind: FileKind;
  /**
   * More authorities of the table whose bundles follow in a bundle, for a reader that verifies what any of them signs.
   * @default - none
   */
  readonly alsoOf?: readonly string[];
  /** Who holds it. */
  readonly on: readonly HolderKind[];
  /**
   * Octal mode.
   * @default - `0600` for what holds a key, else `0644`
   */
  readonly mode?: string;
  /**
   * Owner and group, `user:group`.
   * @default root:root
   */
  readonly owner?: string;
  /**
   * Which API server a kubeconfig points at: the cluster's endpoint, or the one on the same machine where there is one.
   * @default endpoint
   */
  readonly server?: "endpoint" | "local";
  /**
   * What a kubeconfig calls its entries.
   * @default - the cluster's name, the certificate's user, and `<user>@<cluster>`
   */
  readonly kubeconfigNames?: {
    /** The cluster. */
    readonly cluster: string;
    /** The context. */
    readonly context: string;
    /** The user; the API server knows it by the certificate. */
    readonly user: string;
  };
  /**
   * Who writes it. What the distribution makes of the other files by itself is delivered only with `issueLeaves`, when nobody runs it.
   * @default terraform
   */
  readonly writtenBy?: "terraform" | "distribution";
  /**
   * Set where nothing may write it once the distribution runs. Without effect with `issueLeaves`, when nobody runs it.
   * @default - it may be written at any time
   */
  readonly firstStartOnly?: FirstStartOnly;
  /** Components that read it. */
  readonly consumers: readonly Consumer[];
}

/** A Secret that holds part of an identity, in the namespace of the cluster's own object. */
export interface SecretRow {
  /** May hold `{clusterName}`. */
  readonly name: string;
  /** Type of the Secret. */
  readonly type: string;
  /** Values may hold `{clusterName}`. */
  readonly labels: Readonly<Record<string, string>>;
  /** What stands under each key. */
  readonly data: Readonly<Record<string, FileKind>>;
  /**
   * Where etcd has to run for the Secret to exist.
   * @default - anywhere its row exists
   */
  readonly etcd?: readonly EtcdTopology[];
}

/** What every row may say. */
interface Row {
  /** What it is for, as kubeadm says it: `certificate for serving the Kubernetes API`. */
  readonly purpose: string;
  /**
   * Where etcd has to run for the row to exist; without an authority, what it signs does not exist either.
   * @default - anywhere
   */
  readonly etcd?: readonly EtcdTopology[];
  /** Files that hold its certificate or keys. */
  readonly files: readonly FileRow[];
  /**
   * Secrets that hold its certificate or keys.
   * @default - none
   */
  readonly secrets?: readonly SecretRow[];
  /**
   * Rules of this library that it breaks.
   * @default - none
   */
  readonly exceptions?: readonly RowException[];
}

/** A certificate authority of a distribution. */
export interface AuthorityRow extends Row {
  /** CN of every generation. */
  readonly commonName: string;
  /**
   * O of every generation.
   * @default - none
   */
  readonly organization?: string;
  /**
   * Names in its own certificate.
   * @default - none
   */
  readonly sans?: readonly string[];
  /**
   * The authority that signs it, which stands before it in the table.
   * @default - itself
   */
  readonly issuer?: string;
  /**
   * Hours that certificates of nodes are valid which the cluster itself signs with this authority; `clusterSigningDuration` where the
   * table passes on what the description says. While one of the last generation is valid, that must not be retired.
   * @default - the cluster signs nothing with it
   * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
   */
  readonly signsNodesFor?: number | "clusterSigningDuration";
  /**
   * What one from outside has to be called, where the distribution renews only certificates whose issuer has a name that it knows.
   * @default - anything
   */
  readonly renewedAs?: {
    /** CNs that it knows. */
    readonly commonNames: readonly string[];
    /**
     * An authority of the table whose CN it knows, whatever that is.
     * @default - none
     */
    readonly orAs?: string;
  };
}

/** A key pair of a distribution. */
export type KeyPairRow = Row;

/** A certificate of a distribution: one for each of its holders, each with a key of its own. */
export interface CertificateRow extends Row {
  /** Name of the authority that signs it. */
  readonly authority: string;
  /** May hold `{machine}` and `{address}`, the machine's first. */
  readonly commonName: string;
  /**
   * O: for a client of Kubernetes its group.
   * @default - none
   */
  readonly organization?: string;
  /** Whether its holder may be a server, a client or both. */
  readonly usage: KeyUsage;
  /**
   * Templates of its names: `{machine}`, `{addresses}`, `{endpoint}`, `{serviceIps}`, `{clusterDomain}`, `{extraSans}`, or text.
   * @default - none
   */
  readonly sans?: readonly string[];
  /** Who has one. */
  readonly holders: readonly HolderKind[];
  /** Who issues it when `issueLeaves` does not say otherwise. */
  readonly issuedBy: "terraform" | "distribution";
  /**
   * Names the user entry of its kubeconfigs. May hold `{clusterName}`.
   * @default - the common name
   */
  readonly kubeconfigUser?: string;
  /**
   * A reason when the row is the way in when nothing else is: it may be in `system:masters`, and no machine may hold it.
   * @default - it is not that
   */
  readonly breakGlass?: string;
}

/** A file of text that tells the distribution about the others. */
export interface ConfigurationRow {
  /** What it is for. */
  readonly purpose: string;
  /**
   * Where etcd has to run for the file to be this one.
   * @default - anywhere
   */
  readonly etcd?: readonly EtcdTopology[];
  /**
   * Whether machines have authorities' keys where the file is this one.
   * @default - either way
   */
  readonly authorityKeys?: boolean;
  /**
   * The certificate whose kubeconfig it names: there is no such file where Terraform does not issue that.
   * @default - it names none, or one that somebody else may make
   */
  readonly certificate?: string;
  /** Absolute path. */
  readonly path: string;
  /** Who holds it. */
  readonly on: readonly HolderKind[];
  /**
   * YAML with `{clusterName}`, `{clusterDomain}`, `{endpoint}`, `{endpointHost}`, `{serviceCidrs}`, `{clusterSigningDuration}`, `{machine}`,
   * `{address}`, each of which becomes a scalar of text, or a part of one where more stands with it in double quotes; `{externalAddress}`,
   * the endpoint without a port that is the machine's own, `{serviceCidr}`, `{secondServiceCidr}` and `{primaryAddressFamily}`, text;
   * `{bindPort}`, a number; `{isDualStack}`, a truth value; `{clusterSans}`, `{sans}`, `{etcdEndpoints}`, lists.
   */
  readonly text: string;
  /**
   * Templates of the names that `{sans}` lists, as those of a {@link CertificateRow}.
   * @default - none
   */
  readonly sans?: readonly string[];
  /** Components that read it. */
  readonly consumers: readonly Consumer[];
}

/** What a joining machine shows, and how it is written. */
export type JoinFormat =
  /** A kubeconfig with the token. */
  | {
      /** The names in it. */
      readonly kubeconfig: {
        /**
         * Names the cluster entry.
         * @default - the cluster's name
         */
        readonly cluster?: string;
        /**
         * Names the context.
         * @default - `<user>@<cluster>`
         */
        readonly context?: string;
        /** Names the user entry; the API server knows the user by the token. */
        readonly user: string;
        /**
         * Port of the API server.
         * @default - the endpoint's
         */
        readonly port?: number;
        /**
         * The file with the API server's authorities on the machine that joins, absolute or relative to the kubeconfig's folder. A kubelet
         * copies this path into the kubeconfig that it writes, and so hears of every rotation that is delivered there.
         * @default - the bundle stands in the kubeconfig
         * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/certificate/bootstrap/bootstrap.go#L181
         */
        readonly certificateAuthority?: string;
      };
      /**
       * What is done with its text.
       * @default - nothing
       */
      readonly encoding?: "base64gzip";
    }
  /** K3s' secure token: `K10`, the hash of the API server's authority in hex, `::` and the token. */
  | "secure token";

/** A bootstrap token of a distribution: a Secret in the API server, and what a machine joins with. */
export interface TokenRow {
  /** What it is for. */
  readonly purpose: string;
  /** Keys of the Secret that are `"true"`: `usage-bootstrap-authentication`, … */
  readonly usages: readonly string[];
  /**
   * Group of whoever uses it, beside `system:bootstrappers`.
   * @default - none
   */
  readonly group?: string;
  /**
   * What `kubeadm token list` shows of it.
   * @default - the token's Terraform name
   */
  readonly description?: string;
  /** How a joining machine is given it. */
  readonly format: JoinFormat;
  /** Where a joining machine expects it; the operator's, where it is carried to the machine by hand. */
  readonly file: {
    /** Absolute path; the operator's starts at the folder of the operator's choice. */
    readonly path: string;
    /** Who holds it. */
    readonly on: "worker" | "operator";
    /** Components that read it. */
    readonly consumers: readonly Consumer[];
  };
  /**
   * What tells the distribution of the file: text without placeholders, beside it.
   * @default - nothing has to
   */
  readonly configuration?: Pick<ConfigurationRow, "purpose" | "path" | "text" | "consumers">;
}

/** A password with which machines join before anything stands in the API server. */
export interface JoinPasswordRow {
  /** What it is for. */
  readonly purpose: string;
  /** What stands before the password: `server` makes `server:<password>`. */
  readonly user: string;
  /** How a joining machine is given it. */
  readonly format: JoinFormat;
  /** Files that hold it. */
  readonly files: readonly JoinPasswordFileRow[];
  /**
   * Configuration files that name those, for the distribution to find them.
   * @default - none
   */
  readonly configuration?: readonly ConfigurationRow[];
}

/** Where a password is expected. */
export interface JoinPasswordFileRow extends Pick<FileRow, "path" | "on" | "consumers"> {
  /**
   * The password alone, for the file of the server that lets others join.
   * @default - the password's format
   */
  readonly format?: "password";
}

/** A role by which joining machines read something, and the distribution's binding of it. */
export interface ReadingRow {
  /** Name of the ClusterRole or Role, and of its binding. */
  readonly name: string;
  /**
   * Where they stand.
   * @default - a ClusterRole, which counts everywhere
   */
  readonly namespace?: string;
  /**
   * The group that the distribution binds beside that of its bootstrap tokens.
   * @default - none
   */
  readonly alsoFor?: string;
}

/** What stands inside the API server. A distribution that makes a part itself, and lets nobody else, lacks it. */
export interface AccessRow {
  /**
   * Group of the administrators, and the distribution's own name of its binding to cluster-admin.
   * @default - administrators are in `system:masters`
   */
  readonly clusterAdmins?: {
    /** The O of their certificates. */
    readonly group: string;
    /** Name of the ClusterRoleBinding that the distribution makes. */
    readonly binding: string;
  };
  /**
   * Groups of joining nodes, and the distribution's own names of the three bindings.
   * @default - nodes do not join by TLS bootstrap
   */
  readonly nodeBootstrapping?: {
    /** The group of its bootstrap tokens. */
    readonly group: string;
    /** Names of the ClusterRoleBindings that the distribution makes. */
    readonly bindings: {
      /** That which lets them create certificate signing requests. */
      readonly createCsrs: string;
      /** That by which the first certificate of a node is approved. */
      readonly approveFirst: string;
      /** That by which renewals are approved. */
      readonly approveRenewals: string;
    };
    /**
     * What a machine reads beside, by what the binding is called. The distribution binds its own group and makes the roles, so that groups of
     * one's own alone have to be bound.
     * @default - nothing
     */
    readonly reads?: Readonly<Record<string, ReadingRow>>;
  };
  /**
   * How the API server talks to kubelets, where the distribution does not see to that by itself.
   * @default - it does, and lets nobody else
   */
  readonly apiServerToKubelet?: {
    /** The CN of its client certificate. */
    readonly user: string;
    /**
     * Name of the ClusterRoleBinding that the distribution's own command makes.
     * @default - it makes none
     */
    readonly binding?: string;
  };
  /**
   * As whom kube-proxy comes where it has no certificate for it: a group, or a ServiceAccount.
   * @default - the distribution sees to that by itself, or kube-proxy has a certificate everywhere
   */
  readonly kubeProxy?:
    | {
        /** The group. */
        readonly group: string;
      }
    | {
        /** The ServiceAccount. */
        readonly serviceAccount: string;
        /** Its namespace. */
        readonly namespace: string;
      };
  /**
   * What machines find the cluster by, the ConfigMap `cluster-info` of `kube-public`.
   * @default - the distribution does not make it
   */
  readonly clusterInfo?: {
    /** Name of the Role by which everybody may read it, and of that Role's binding. */
    readonly role: string;
  };
  /** Bootstrap tokens by what joins with them; the first is what a token is for that does not say. */
  readonly tokens: Readonly<Record<string, TokenRow>>;
}

/** What a distribution calls its parts, as unions of literals: what a misspelt name is compared with before anything runs. */
export interface DistributionNames {
  /** Names of its authorities. */
  readonly authority: string;
  /** Names of its key pairs. */
  readonly keyPair: string;
  /** Names of its certificates. */
  readonly certificate: string;
  /** Names of those of its certificates that have a kubeconfig. */
  readonly kubeconfig: string;
  /** What joins with a password. */
  readonly joinPassword: string;
}

/**
 * Everything that is particular to a distribution. Where one does not fit, the table lacks a column. `Names` says what its rows are called;
 * without it, that is any text.
 */
export interface DistributionTable<Names extends DistributionNames = DistributionNames> {
  /** Its name in messages, the inventory and the documentation. */
  readonly name: string;
  /** The version whose behaviour the table states. */
  readonly version: string;
  /** What the cluster description must name, and where etcd may run: by default anywhere. */
  readonly requires: {
    /** At least one control plane. */
    readonly controlPlanes: boolean;
    /** An address of every machine that serves. */
    readonly addresses: boolean;
    /**
     * Where etcd may run.
     * @default - anywhere
     */
    readonly etcd?: readonly EtcdTopology[];
    /**
     * Where an etcd that is somewhere else is reached: its configuration names it.
     * @default false
     */
    readonly etcdEndpoints?: boolean;
    /**
     * The largest service CIDR that it takes, as the bits of an address in it.
     * @default - any
     */
    readonly maxServiceCidrBits?: number;
    /**
     * Whether names of the API server have to be those of one host each: its configuration takes no wildcard.
     * @default false
     */
    readonly singleHosts?: boolean;
  };
  /**
   * Why authorities from outside may be below one root although each verifier then accepts what any of them signed. Where they are, it
   * is a warning.
   * @default - they may not
   */
  readonly sharedRoot?: string;
  /**
   * What the cluster does not do where no machine has an authority's key, and Terraform issues all certificates.
   * @default - the distribution does not start without them
   */
  readonly withoutAuthorityKeys?: string;
  /** The authority that signs the API server's serving certificate: what every kubeconfig trusts. */
  readonly apiServerAuthority: Names["authority"];
  /** Certificate authorities by name; one that signs another stands before it. */
  readonly authorities: Readonly<Record<Names["authority"], AuthorityRow>>;
  /** Key pairs by name. */
  readonly keyPairs: Readonly<Record<Names["keyPair"], KeyPairRow>>;
  /** Certificates that are no authorities, by name. */
  readonly certificates: Readonly<Record<Names["certificate"], CertificateRow>>;
  /** Configuration files that name the others. */
  readonly configuration: readonly ConfigurationRow[];
  /**
   * Passwords with which machines join, by what joins.
   * @default - none
   */
  readonly joinPasswords?: Readonly<Record<string, JoinPasswordRow>>;
  /** What is in the API server. */
  readonly access: AccessRow;
}
