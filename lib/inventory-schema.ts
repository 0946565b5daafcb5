// Nothing in here needs cdktf: the plan report reads the same data.

/** Name of the file beside a stack's `cdk.tf.json`. */
export const INVENTORY_FILE = "pki-inventory.json";

/** Rises when a reader of the last version would misread the file. */
export const INVENTORY_SCHEMA_VERSION = 2;

/** What stands for a value that is not known before the apply. */
export const LATER = "(known after apply)";

/** Everything that a stack issues and grants, as it was described at synth. Public: it names secrets and never holds one. */
export interface Inventory {
  /** Version of this schema. */
  readonly schemaVersion: typeof INVENTORY_SCHEMA_VERSION;
  /** Name of the stack. */
  readonly stack: string;
  /** Sorted by kind, cluster, name, generation and holder. */
  readonly entries: readonly InventoryEntry[];
  /** Machines of the stack's clusters, as `kubernetes-pki verify` asks them; missing where there are none. */
  readonly machines?: readonly MachineEntry[];
}

/** A machine, and where whoever connects to it sees which of its files are in use. */
export interface MachineEntry {
  /** The cluster, by its `addressPrefix`. */
  readonly cluster: string;
  /** Its name; `worker` stands for any worker. */
  readonly name: string;
  /** Its IP addresses; `(known after apply)` for those that are not known at synth. */
  readonly addresses: readonly string[];
  /** Sorted by component and number. */
  readonly ports: readonly PortEntry[];
}

/** A port on which a component serves TLS. */
export interface PortEntry {
  /** `kube-apiserver`, `etcd`, … */
  readonly component: string;
  /** The one of the description, or the usual one. */
  readonly number: number;
  /** Flag or field that sets another. */
  readonly setBy: string;
  /** The certificate that it serves there, and the authorities whose clients it lets in; sorted by flag. */
  readonly files: readonly ShownFile[];
}

/** A file whose use whoever connects to a port sees. */
export interface ShownFile {
  /** Flag or field by which the component reads it. */
  readonly via: string;
  /** Where it is on the machine. */
  readonly path: string;
}

/** One thing of the inventory. */
export type InventoryEntry = AuthorityEntry | KeyPairEntry | CertificateEntry | TokenEntry | BindingEntry | RoleEntry;

interface Entry {
  /** The cluster, by its `addressPrefix`; missing for what a user made outside a cluster. */
  readonly cluster?: string;
  /** The distribution's name of it, or its Terraform name. */
  readonly name: string;
  /** What it is for, in kubeadm's manner; missing for what is of no distribution's table. */
  readonly purpose?: string;
  /** Path of the construct. */
  readonly path: string;
  /** Addresses of its Terraform resources, sorted; none where the distribution makes it itself. */
  readonly addresses: readonly string[];
  /** What it breaks of the rules of this library, and why that has to be. Missing when nothing. */
  readonly exceptions?: readonly {
    /** The rule: a code of this library's errors. */
    readonly code: string;
    /** Why the distribution needs it. */
    readonly reason: string;
  }[];
}

/** What keeps a generation from being lost. */
interface Guarded {
  /** True where nothing keeps Terraform from destroying it although it is not retired. Missing where something does. */
  readonly unprotected?: true;
  /** True where the code names the fingerprint of its public key. Missing where it does not. */
  readonly pinned?: true;
}

/** A generation of an authority. */
export interface AuthorityEntry extends Entry, Guarded {
  readonly kind: "authority";
  /** Id of the generation. */
  readonly generation: string;
  /** Where the generation stands in its life. */
  readonly state: "active" | "trusted" | "retired";
  /** `CN=kubernetes, O=…`; missing for one from outside whose text is not known at synth. */
  readonly subject?: string;
  /** Names in its own certificate, sorted. */
  readonly sans: readonly string[];
  /** What it is signed by; missing when by itself. */
  readonly issuer?: Issuer;
  /** Missing for one from outside. */
  readonly validityHours?: number;
  /** `ECDSA-P256`, `RSA-2048`, …; missing for one from outside. */
  readonly keyAlgorithm?: string;
  /** Hours that nodes' certificates are valid which the cluster itself signs with this authority; missing where it signs none with it. */
  readonly signsNodesForHours?: number;
  /** Files that hold its certificate or key. */
  readonly files: readonly FileEntry[];
}

/** Who signs something. */
export interface Issuer {
  /** Name of the authority. */
  readonly authority: string;
  /** Id of the generation that signs. */
  readonly generation: string;
}

/** A generation of a key pair. */
export interface KeyPairEntry extends Entry, Guarded {
  readonly kind: "key pair";
  /** Id of the generation. */
  readonly generation: string;
  /** Where the generation stands in its life. */
  readonly state: "active" | "trusted" | "retired";
  /** Missing for one from outside. */
  readonly keyAlgorithm?: string;
  /** Files that hold one of its keys. */
  readonly files: readonly FileEntry[];
}

/** A certificate that is no authority. */
export interface CertificateEntry extends Entry {
  readonly kind: "certificate";
  /** Who holds it: a machine, `operator`, `cluster`; missing for a user's own. */
  readonly holder?: string;
  /**
   * Who issues it: Terraform has resources for it, a distribution issues it by itself, or Terraform has key and request, and its authority
   * signs elsewhere.
   */
  readonly issuedBy: "terraform" | "distribution" | "elsewhere";
  /** `CN=…, O=…`; `(known after apply)` where Terraform fills a field in. */
  readonly subject: string;
  /** True where CN and O are exactly what the distribution's table says of this holder. Missing where they are not, or there is no table. */
  readonly asInTable?: true;
  /** `server`, `client`, `server, client`. */
  readonly usage: string;
  /** Sorted; unresolved ones as `(known after apply)`. */
  readonly sans: readonly string[];
  /** The authority that signs it. */
  readonly issuer: Issuer;
  /** Missing where the distribution, or an authority elsewhere, decides. */
  readonly validityHours?: number;
  /** Hours before its end from which on an apply renews it; missing where somebody else decides. */
  readonly earlyRenewalHours?: number;
  /** `ECDSA-P256`, `RSA-2048`, …; missing where the distribution decides. */
  readonly keyAlgorithm?: string;
  /** Files that hold its certificate or key. */
  readonly files: readonly FileEntry[];
}

/** A bootstrap token, or another secret with which machines join. */
export interface TokenEntry extends Entry {
  readonly kind: "token";
  /** Groups of a client that authenticates with it; none of a join password. */
  readonly groups: readonly string[];
  /** What it may be used for: `bootstrap-authentication`. Missing of a join password. Sorted. */
  readonly usages?: readonly string[];
  /** Hours after which an apply makes another one; missing of a join password, and of one that is not rotated. */
  readonly rotateAfterHours?: number;
  /** Hours from when it is made until it ends; missing of a join password, which has no end, and of one that is not rotated. */
  readonly expireAfterHours?: number;
  /** The end of one that is not rotated: RFC 3339, UTC, or `never`. */
  readonly expires?: string;
  /** Files that hold it. */
  readonly files: readonly FileEntry[];
}

/** A binding of a role to subjects. */
export interface BindingEntry extends Entry {
  readonly kind: "binding";
  /** The namespace that it counts in; missing where it counts everywhere. */
  readonly namespace?: string;
  /** `ClusterRole/cluster-admin`. */
  readonly role: string;
  /** `Group/system:nodes`, `User/jane`, `ServiceAccount/ns/name`. */
  readonly subjects: readonly string[];
  /** Those of the subjects to whom the distribution's table gives this role. Missing where it gives it to none. */
  readonly asInTable?: readonly string[];
}

/** A role that is made here. */
export interface RoleEntry extends Entry {
  readonly kind: "role";
  /** The namespace that it is of; missing of a ClusterRole. */
  readonly namespace?: string;
  /** What it lets somebody do: `get configmaps named kube-root-ca.crt`. Sorted. */
  readonly rules: readonly string[];
}

/** A file, or the key of a Secret, that changes with an entry. */
export interface FileEntry {
  /** A machine, `worker`, `operator` or `cluster`. */
  readonly holder: string;
  /** Absolute path; for a Secret `Secret/<namespace>/<name>#<key>`. */
  readonly path: string;
  /** The kind of the distribution's table: certificate, chain, bundle, signer, private key, kubeconfig, …; `secret` for a Secret's key. */
  readonly kind: string;
  /** Components that read it. */
  readonly consumers: readonly ConsumerEntry[];
}

/** Who reads a file, and what has to happen when it changed. */
export interface ConsumerEntry {
  /** `kube-apiserver`, `etcd`, … */
  readonly component: string;
  /** Flag, field or use, as the table names it: `--client-ca-file`. */
  readonly via: string;
  /** What has to happen when the file changed: nothing, a restart, or nothing until somebody uses the file. */
  readonly onChange: "reload" | "restart" | "next-use";
  /** A file of its own that it uses rather than this one, as long as it is there. Missing where there is none. */
  readonly prefers?: string;
}
