import type { Expectation } from "./expectation";
import type { Facts, Generation, Port, Unseen } from "./facts";
import { expectationReport, type Obstacle } from "./gate";
import { placeOf } from "./names";
import { hasEnded, unaskedNodesReport, type UnseenNodes, unseenNodeReports, whereNodesAreSeen } from "./nodes";
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
  /** Of each authority with which a cluster signs nodes' certificates; missing where no cluster was asked. */
  readonly nodes?: readonly UnseenNodes[];
}

/** Compares what was seen with what was issued. */
export function judge({ facts, looks, expectations, skipped, unnamed, nodes }: Case, now: Date): VerifyReport {
  const ports = looks.map((look) => ({ look, report: portReport(look, facts.generations, now) }));
  const gates = expectations.map((expectation) => {
    const obstacles = (nodes ?? []).flatMap((unseen) => nodeObstacles(unseen, expectation, now));
    return expectationReport(expectation, ports, facts.generations, obstacles);
  });
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
    unseen: [
      ...unnamed.flatMap(unnamedReports),
      ...(nodes?.flatMap(unseenNodeReports) ?? facts.nodeSigners.map(unaskedNodesReport)),
      ...facts.unseen.map(unseenReport),
    ].filter(isExpected),
  };
}

/** A node of which nobody knows is in the way of a gate that is about what was signed, until all of an earlier generation has ended. */
function nodeObstacles(nodes: UnseenNodes, { authority, generation, state }: Expectation, now: Date): Obstacle[] {
  const { signer, names, of } = nodes;
  const isAbout = signer.authority === authority && state !== "trusted" && names.length > 0;
  // Of the generation that signs, all that it signs anew is valid.
  const isOver = hasEnded(nodes, now) && (generation === signer.active) === (state === "active");
  const message = `their client certificates cannot be seen: ${names.join(", ")}. Look at ${whereNodesAreSeen(nodes)}`;
  return isAbout && !isOver ? [{ place: `${names.length} of ${of} nodes`, verdict: "not-yet", message }] : [];
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
