import type { Port } from "./facts";
import type { Seen } from "./probe";

// What `kubernetes-pki verify` tells, as data.

/** Rises when a reader of the last version would misread the JSON. */
export const VERIFY_SCHEMA_VERSION = 1;

/** How it is: all as issued, something is not there yet or cannot be seen, or something is a stranger's or has expired. */
export type Verdict = "as-issued" | "not-yet" | "foreign";

/** By how grave they are, and the exit code of each. */
const EXIT_CODES: Readonly<Record<Verdict, number>> = { "as-issued": 0, "not-yet": 2, foreign: 3 };

/** The exit code for a verdict. */
export function exitCodeOf({ verdict }: Pick<VerifyReport, "verdict">): number {
  return EXIT_CODES[verdict];
}

/** The gravest of several; as issued where there are none. */
export function gravest(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce((worst, one) => (EXIT_CODES[one] > EXIT_CODES[worst] ? one : worst), "as-issued");
}

/** What a port serves. */
export interface ServedReport {
  /** Missing where nothing was issued for it, which is not judged. */
  readonly verdict?: Verdict;
  /** One line. */
  readonly message: string;
  /** Its name in the cluster; missing where nothing was issued. */
  readonly certificate?: string;
  /** `kubernetes g1`; missing where nobody of the cluster signed it. */
  readonly signedBy?: string;
  /** RFC 3339, UTC; missing where nothing was seen. */
  readonly expirationDate?: string;
}

/** Whose clients a port lets in. */
export interface TrustedReport {
  /** Missing where nothing is expected. */
  readonly verdict?: Verdict;
  /** One line. */
  readonly message: string;
  /** Ids of the generations that were seen, by authority. Of two with one name both are here. */
  readonly generations: Readonly<Record<string, readonly string[]>>;
  /** Names of authorities that are none of the cluster's, or have no place here. */
  readonly strangers: readonly string[];
}

/** A port of a machine, or another place where an authority is trusted. */
export interface PortReport {
  readonly cluster: string;
  readonly machine: string;
  readonly component: string;
  /** Its number in the description, by which it is named; missing of a ConfigMap. */
  readonly port?: number;
  /** Who was asked: `10.0.0.11:6443`; missing where nobody was. */
  readonly asked?: string;
  /** True where it was asked and gave no answer, or could not be asked. */
  readonly unreachable: boolean;
  readonly served: ServedReport;
  readonly trusted: TrustedReport;
}

/** A gate, and why it is shut. */
export interface ExpectationReport {
  /** As it was given. */
  readonly expectation: string;
  readonly verdict: Verdict;
  /** Where it is not so: a line each, `cp-1 etcd:2379: …`. */
  readonly reasons: readonly string[];
}

/** A file whose use nobody sees from outside. */
export interface UnseenReport {
  readonly cluster: string;
  /** The authority that it is about. */
  readonly authority: string;
  readonly component: string;
  /** Flags or fields by which it reads it. */
  readonly via: readonly string[];
  readonly machines: readonly string[];
  /** What to look at instead. */
  readonly lookAt: string;
}

/** The document that `-o json` prints. */
export interface VerifyReport {
  readonly schemaVersion: typeof VERIFY_SCHEMA_VERSION;
  readonly verdict: Verdict;
  readonly ports: readonly PortReport[];
  readonly expectations: readonly ExpectationReport[];
  /** Ports that were left out, as was asked for: `cp-1 kube-controller-manager:10257`. */
  readonly skipped: readonly string[];
  readonly unseen: readonly UnseenReport[];
}

/** A port, and what was seen there. */
export interface Look {
  readonly port: Port;
  /** `10.0.0.11:6443`; missing where nobody could be asked. */
  readonly asked?: string;
  readonly seen: Seen;
}
