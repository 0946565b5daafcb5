// What there is before and after an edit, as the code and the real certificates have it. Nothing of `lib/plan` is used here.

/** Something that a plan may change. */
interface Part {
  /** Of its resources, as Terraform writes them. */
  readonly addresses: readonly string[];
  /**
   * What the contract of names calls it, beside its addresses.
   * @default - nothing else
   */
  readonly names?: readonly string[];
  /**
   * What of it only an apply, or nobody, can tell.
   * @default - nothing
   */
  readonly hidden?: readonly string[];
}

/** A private key: another `id` is another key. */
export interface Key {
  readonly id: string;
  /** `ECDSA-P256`, `RSA-2048`. */
  readonly algorithm: string;
}

/** Where a generation stands. */
export type Standing = "active" | "trusted" | "retired";

/** A certificate, an authority's included. */
export interface Certificate extends Part {
  readonly kind: "certificate";
  readonly commonName: string;
  readonly organization?: string;
  readonly sans: readonly string[];
  readonly uses: readonly string[];
  readonly hours: number;
  readonly isAuthority: boolean;
  readonly key: Key;
  /** Who signs it, by its place in the world; missing where it is signed with its own key. */
  readonly issuer?: string;
  /** Of an authority in generations. */
  readonly generation?: { readonly of: string; readonly standing: Standing };
  /** The subject is that of a row of the distribution's table. */
  readonly isInTable?: boolean;
  /** It keeps its content whatever its request says. */
  readonly isKept?: boolean;
  /** Its life is nearly over. */
  readonly isDue?: boolean;
  /** Nothing names who signs it in a way that could be followed before the apply. */
  readonly isIssuerVague?: boolean;
  /** Likewise what it is made of. */
  readonly isRequestVague?: boolean;
}

/** A key that is no certificate's: a key pair for service accounts in generations, or one that has nothing to do with a PKI. */
export interface LoneKey extends Part {
  readonly kind: "key";
  readonly key: Key;
  readonly generation?: { readonly of: string; readonly standing: Standing };
}

/** Where private keys lie: a file, or a Secret. */
export interface Place extends Part {
  readonly kind: "place";
  /** A machine, `operator`, `cluster`. */
  readonly holder: string;
  readonly path: string;
  /** Whose keys are there, by their names in the world. */
  readonly keys: readonly string[];
  readonly mode: string;
  readonly owner: string;
}

/** What a generation has that keeps it from being lost. */
export interface Guard extends Part {
  readonly kind: "guard";
  readonly isProtected: boolean;
  readonly isPinned: boolean;
}

/** A row of a distribution's table. */
export interface TableRow extends Part {
  readonly kind: "row";
  readonly exceptions: readonly string[];
}

/** A ClusterRoleBinding, or a RoleBinding in its namespace. */
export interface Binding extends Part {
  readonly kind: "binding";
  readonly namespace?: string;
  /** `ClusterRole/view`. */
  readonly role: string;
  /** `Group/system:nodes`. */
  readonly subjects: readonly string[];
  /** The distribution's table gives that. */
  readonly isInTable?: boolean;
}

/** What a role allows. */
export interface Rule {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** A ClusterRole, or a Role in its namespace. */
export interface Role extends Part {
  readonly kind: "role";
  readonly namespace?: string;
  readonly rules: readonly Rule[];
}

/** A bootstrap token. */
export interface Token extends Part {
  readonly kind: "token";
  readonly groups: readonly string[];
  /** Milliseconds; missing where it never ends. */
  readonly ends?: number;
  /** Hours from when it is made; missing where the code says when it ends. */
  readonly lifeHours?: number;
}

/** One of them. */
export type Thing = Certificate | LoneKey | Place | Guard | TableRow | Binding | Role | Token;

/** All that there is, by names that stay the same over an edit. */
export interface World {
  readonly things: ReadonlyMap<string, Thing>;
  /**
   * What Terraform lets go of and does not destroy.
   * @default - nothing
   */
  readonly forgotten?: ReadonlySet<string>;
  /**
   * What was lost from the state, and is made anew.
   * @default - nothing
   */
  readonly lost?: ReadonlySet<string>;
  /**
   * What has another address.
   * @default - nothing
   */
  readonly moved?: ReadonlySet<string>;
}
