import type { PlanReport } from "../../lib/plan/judge/report";

// What a report says of a plan, against the plan's own JSON: nothing of `lib/` reads it here.

interface Entry {
  readonly address: string;
  readonly mode?: string;
  readonly type: string;
  readonly previous_address?: string;
  readonly change: { readonly actions: readonly string[]; readonly importing?: unknown };
}

/** Every change of a plan is claimed once, by an identity or by its type; what comes without a change is claimed by none. */
export function expectClaimedOnce(document: object, report: PlanReport): void {
  const {
    resource_changes: resources = [],
    output_changes: outputs = {},
    applyable,
    errored,
  } = document as {
    readonly resource_changes?: readonly Entry[];
    readonly output_changes?: Readonly<Record<string, { readonly actions?: readonly string[] }>>;
    readonly applyable?: boolean;
    readonly errored?: boolean;
  };
  const changed = resources
    .filter(
      ({ mode, previous_address, change: { actions, importing } }) =>
        (actions.join() !== "no-op" || previous_address !== undefined || importing !== undefined) &&
        !(mode === "data" && applyable === false),
    )
    .map(({ address }) => address);
  const claimed = report.changes
    .flatMap(({ addresses }) => addresses)
    // A failed plan leaves out what the report works out.
    .filter((address) => errored !== true || changed.includes(address));
  const { output = 0, "(unknown)": _, ...types } = report.otherChanges;
  const others = Object.values(types).reduce((sum, count) => sum + count, 0);
  const names = Object.keys(outputs).filter((name) => outputs[name]!.actions?.join() !== "no-op");
  expect(new Set(claimed).size).toBe(claimed.length);
  expect(changed).toEqual(expect.arrayContaining(claimed));
  expect({ resources: claimed.length + others, outputs: report.outputs }).toEqual({
    resources: changed.length,
    outputs: names.sort(),
  });
  expect(output).toBeLessThanOrEqual(names.length);
  if (errored !== true) {
    expect(report.verdict === "nothing").toBe(
      changed.length + names.length + report.dangers.length === 0 && applyable !== true,
    );
  }
  if (applyable !== undefined && errored !== true) {
    expect(report.verdict !== "nothing").toBe(applyable || report.dangers.length > 0);
  }
}
