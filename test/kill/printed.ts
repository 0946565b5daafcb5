import Table from "cli-table3";
import type { EngineName } from "../campaign/engine";
import type { BackendName, Outcome } from "./stand";

/** What came of the applies of one engine with one backend. */
export interface Row {
  readonly engine: EngineName;
  readonly backend: BackendName;
  readonly outcomes: readonly Outcome[];
}

/** A table of what was counted, and all faults. */
export function printed(rows: readonly Row[]): string {
  const head = [
    "",
    "killed",
    "state lost",
    "own backup whole",
    "stopped at a pin",
    "restored",
    "lock left",
    "saved",
    "not saved",
    "faults",
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { engine, backend, outcomes } of rows) {
    const count = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length;
    const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + of(one), 0);
    table.push([
      `${engine}, ${backend}`,
      count(({ wasKilled }) => wasKilled),
      count(({ left }) => left !== "whole"),
      count(({ ownBackup }) => ownBackup === true),
      count(({ refusal }) => refusal?.includes("[fingerprint]") === true),
      count(({ wasRestored }) => wasRestored),
      count(({ wasLocked }) => wasLocked),
      sum(({ saved }) => saved),
      sum(({ unsaved }) => unsaved),
      sum(({ faults }) => faults.length),
    ]);
  }
  const faults = rows.flatMap(({ engine, backend, outcomes }) =>
    outcomes.flatMap(({ step, moment, faults: found }) =>
      found.map((fault) => `${engine}, ${backend}, ${step} at ${moment.kind} ${moment.at}+${moment.delay}: ${fault}`),
    ),
  );
  return [table.toString(), ...faults].join("\n");
}
