/** Codes of dangers. They are stable: pipelines name them in `--fail-on`. What each means is a row of `DANGERS`. */
export type DangerCode =
  | "plan-failed"
  | "unreadable"
  | "authority-replaced"
  | "generation-not-retired"
  | "introduced-and-promoted"
  | "issuer-not-delivered"
  | "trust-removed"
  | "retired-too-soon"
  | "key-destroyed"
  | "key-exposed"
  | "protection-removed"
  | "exception-added"
  | "stale-certificate"
  | "usages-widened"
  | "new-signer"
  | "wildcard-name"
  | "long-validity"
  | "weak-key"
  | "system-masters"
  | "system-identity"
  | "cluster-admin"
  | "powerful-role"
  | "open-binding"
  | "csr-approver"
  | "token-widened"
  | "renewal-window";

/** One danger: what a reviewer must not miss, and a pipeline can stop. */
export interface Danger {
  /** Which danger it is. */
  readonly code: DangerCode;
  /** What it is about; missing where it is the plan. */
  readonly name?: string;
  /** What would happen, in a sentence or two. */
  readonly message: string;
  /** What to do instead. */
  readonly fix: string;
  /** Names of what it reaches: certificates that chain to an authority, say. Sorted. */
  readonly reaches: readonly string[];
  /** Who said that it is meant, and why; missing where nobody did. */
  readonly acknowledged?: Acknowledged;
  /** What of it cannot be read; only where that is the danger. */
  readonly attributes?: readonly string[];
}

/** What was said of a danger that is meant. */
export interface Acknowledged {
  /** Why it is meant. */
  readonly reason: string;
  /**
   * Who says so.
   * @default - nobody knows
   */
  readonly by?: string;
}
