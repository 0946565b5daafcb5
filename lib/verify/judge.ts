import type { Expectation } from "./expectation";
import type { Facts, Generation, Port, Unseen } from "./facts";
import { expectationReport } from "./gate";
import { placeOf } from "./names";
import {
  gravest,
  type Look,
  type PortReport,
  type UnseenReport,
  VERIFY_SCHEMA_VERSION,
  type VerifyReport,
} from "./report";
import { servedReport } from "./served";
import { trustedReport } from "./trusted";

/** What is compared. */
export interface Case {
  readonly facts: Facts;
  readonly looks: readonly Look[];
  /** None: all has to be as issued. */
  readonly expectations: readonly Expectation[];
  /** Ports that were left out. */
  readonly skipped: readonly Port[];
  /** Ports of workers of which nobody said a name. */
  readonly unnamed: readonly Port[];
}

/** Compares what was seen with what was issued. */
export function judge({ facts, looks, expectations, skipped, unnamed }: Case, now: Date): VerifyReport {
  const ports = looks.map((look) => ({ look, report: portReport(look, facts.generations, now) }));
  const gates = expectations.map((expectation) => expectationReport(expectation, ports, facts.generations));
  const sides = ports.flatMap(({ report: { served, trusted } }) => [served.verdict, trusted.verdict]);
  const verdicts = expectations.length > 0 ? gates.map(({ verdict }) => verdict) : sides;
  const isExpected = ({ authority }: UnseenReport) =>
    expectations.length === 0 || expectations.some((expectation) => expectation.authority === authority);
  return {
    schemaVersion: VERIFY_SCHEMA_VERSION,
    verdict: gravest(verdicts.filter((verdict) => verdict !== undefined)),
    ports: ports.map(({ report }) => report),
    expectations: gates,
    skipped: skipped.map(placeOf),
    unseen: [...unnamed.flatMap(unnamedReports), ...facts.unseen.map(unseenReport)].filter(isExpected),
  };
}

function unnamedReports({ cluster, machine, component, number, trusted }: Port): UnseenReport[] {
  const lookAt = "their ports: give --worker NAME=ADDRESS for each, or --kubeconfig";
  return trusted.map(({ authority }) => {
    return { cluster, authority, component, via: [`port ${number}`], machines: [machine], lookAt };
  });
}

function unseenReport({ cluster, authority, component, via, machines, path, onChange }: Unseen): UnseenReport {
  return { cluster, authority, component, via, machines, lookAt: LOOK_AT[onChange](path) };
}

/** What tells that a file is in use, where no port does. */
const LOOK_AT: Readonly<Record<"reload" | "restart", (path: string) => string>> = {
  reload: (path) => `${path}, by kubernetes-pki export: it is read again by itself`,
  restart: (path) => `${path}, by kubernetes-pki export, and whether the process is younger (ps -o lstart)`,
};

function portReport({ port, asked, seen }: Look, all: readonly Generation[], now: Date): PortReport {
  const generations = all.filter(({ cluster }) => cluster === port.cluster);
  const { cluster, machine, component, number } = port;
  return {
    ...{ cluster, machine, component, ...(number === undefined ? {} : { port: number }) },
    ...(asked === undefined ? {} : { asked }),
    unreachable: seen.kind === "nothing",
    served: servedReport(port.issued, seen, generations, now),
    trusted: trustedReport(port.trusted, seen, generations),
  };
}
