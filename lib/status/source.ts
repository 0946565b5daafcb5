import type { X509Certificate } from "node:crypto";

/** A certificate, and what it is called where it was found. */
export interface NamedCertificate {
  readonly name: string;
  readonly certificate: X509Certificate;
  /**
   * Where it stands: among what is trusted, behind or instead of a certificate of one's own, or as a kubeconfig's user, whose
   * authority the server knows and the client need not.
   * @default "own"
   */
  readonly standing?: "trusted" | "own" | "kubeconfig's user";
}

/** What is wrong with a certificate, or soon will be; or what could not be checked. */
export interface StatusProblem {
  /** Name of the certificate, or of the file or resource that it should be in. */
  readonly name: string;
  readonly kind: keyof typeof EXIT_CODES;
  readonly message: string;
}

/** The exit code where something could not be checked, or does not belong together. */
export const UNCHECKED = 4;

/** The exit code for each kind of problem, and with it how grave it is: the first one here that is there counts. */
export const EXIT_CODES = {
  expired: 3,
  "not-yet-valid": 3,
  unreadable: UNCHECKED,
  broken: UNCHECKED,
  empty: UNCHECKED,
  "key-mismatch": UNCHECKED,
  "chain-mismatch": UNCHECKED,
  "issuer-missing": UNCHECKED,
  unsigned: UNCHECKED,
  expiring: 2,
  "outlives-authority": 0,
} as const;

/** What certificates are read from: files of a machine, or states. */
export interface CertificateSource {
  /** The best name of a certificate first, where it is there several times. */
  readonly found: readonly NamedCertificate[];
  /** The public part of each private key. */
  readonly keys: ReadonlySet<string>;
  /**
   * Authorities that nobody trusts any more.
   * @default - none
   */
  readonly retired?: readonly NamedCertificate[];
  /**
   * Authorities that are elsewhere, and sign what is here.
   * @default - none
   */
  readonly elsewhere?: readonly NamedCertificate[];
  /** What could not be looked at, and what does not belong together where it stands. */
  readonly problems: readonly StatusProblem[];
  /** What was left out on purpose, and why. */
  readonly notes: readonly string[];
}
