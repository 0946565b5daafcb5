import type { PlanDocument } from "./engine";
import { Expected, judge } from "./oracle";
import type { World } from "./world";

/** What of a report as JSON is looked at. */
export interface Report {
  readonly verdict: string;
  readonly dangers: readonly {
    readonly code: string;
    readonly name?: string;
    readonly message: string;
    readonly attributes?: readonly string[];
  }[];
  readonly changes: readonly {
    readonly kind: string;
    readonly name: string;
    readonly verbs: readonly string[];
    readonly addresses: readonly string[];
  }[];
  readonly otherChanges: number | Readonly<Record<string, number>>;
}

/** One edit of one copy. */
export interface Edited {
  readonly tag: string;
  /** In words: the style or distribution, and what was done. */
  readonly name: string;
  /** The code of what was meant. */
  readonly kind: string;
  readonly before: World;
  readonly after: World;
  /**
   * Things that Terraform refuses to destroy: the plan fails.
   * @default - none
   */
  readonly refused?: readonly string[];
  /** What of the code is another. */
  readonly snippet: () => string;
}

/** What was found of one edit. */
export interface Found {
  readonly edited: Edited;
  readonly expected: readonly Expected[];
  readonly missed: readonly Expected[];
  readonly falseAlarms: readonly string[];
  readonly wrongVerbs: readonly string[];
  /** All that the report said of it. */
  readonly said: readonly string[];
  /** Alarms that the report gives because it has no table to go by: not false, and not counted as missed or expected. */
  readonly withoutTables: readonly string[];
}

/** What is alarming where no table says otherwise. */
const SAID_BY_TABLES = ["system-identity"];

/** Compares a report with what the oracle says of each edit. */
export function findings(
  report: Report,
  edits: readonly Edited[],
  { hasVerbs, hasTables }: { readonly hasVerbs: boolean; readonly hasTables: boolean },
): Found[] {
  const owners = new Map<string, Set<string>>();
  const own = (name: string, owner: string) => owners.set(name, (owners.get(name) ?? new Set()).add(owner));
  for (const { tag, before, after } of edits) {
    for (const [thing, { addresses, names = [] }] of [...before.things, ...after.things]) {
      const stripped = addresses.map((address) => address.replace(/(?<=^|\.)(tls|kubernetes|random|time)_\w+\./, ""));
      [...addresses, ...names, ...stripped].forEach((name) => own(name, `${tag}\n${thing}`));
    }
  }
  const ownersOf = (names: readonly string[]) => new Set(names.flatMap((name) => [...(owners.get(name) ?? [])]));
  const said = report.dangers.map((danger) => {
    const { code, name = "", message, attributes = [] } = danger;
    const addresses = report.changes.filter((change) => change.name === name).flatMap((change) => change.addresses);
    const text = [name, message, ...attributes].join(" ");
    return { code, name, text, things: ownersOf([name, ...addresses]) };
  });
  return edits.map((edited): Found => {
    const { tag, before, after } = edited;
    const { dangers: ofWorlds, tolerated, verbs } = judge(before, after);
    const dangers = [...ofWorlds, ...(edited.refused ? [{ codes: ["plan-failed"], things: edited.refused }] : [])];
    const isOf = (owner: string) => owner.startsWith(`${tag}\n`);
    const about = said.filter(({ things, text }) =>
      things.size > 0 ? [...things].some(isOf) : new RegExp(`(^|[^a-z0-9])${tag}(?![a-z0-9])`).test(text),
    );
    const matches = (one: Expected, { code, things }: (typeof said)[number]) =>
      one.codes.includes(code) && (things.size === 0 || one.things.some((thing) => things.has(`${tag}\n${thing}`)));
    const alarms = about.filter((danger) => ![...dangers, ...tolerated].some((one) => matches(one, danger)));
    const isOfTable = ({ code }: (typeof said)[number]) => !hasTables && SAID_BY_TABLES.includes(code);
    const titles = (list: typeof said) => list.map(({ code, name }) => `${code} ${name}`);
    return {
      edited,
      expected: dangers,
      missed: dangers.filter((one) => !about.some((danger) => matches(one, danger))),
      falseAlarms: titles(alarms.filter((danger) => !isOfTable(danger))),
      withoutTables: titles(alarms.filter(isOfTable)),
      wrongVerbs: hasVerbs ? wrongVerbs(report, edited, verbs) : [],
      said: [
        ...about.map(({ code, name }) => `${code} ${name}`),
        ...report.changes
          .filter(({ addresses, name }) => [...ownersOf([...addresses, name])].some(isOf))
          .map(({ kind, name, verbs: listed }) => `(${kind} ${name}: ${listed.join()})`),
      ],
    };
  });
}

function wrongVerbs(
  { changes }: Report,
  { before, after }: Edited,
  expected: ReadonlyMap<string, readonly string[]>,
): string[] {
  return [...expected].flatMap(([name, verbs]) => {
    const main = [before.things.get(name), after.things.get(name)].flatMap((thing) => thing?.addresses[0] ?? []);
    const names = [before.things.get(name), after.things.get(name)].flatMap((thing) => thing?.names ?? []);
    const found = changes.filter(
      (change) => main.some((address) => change.addresses.includes(address)) || names.includes(change.name),
    );
    // A new time of renewal makes no other certificate.
    const told = found.flatMap((change) => change.verbs).filter((verb) => verb !== "update");
    const [want, have] = [[...verbs].sort().join(), [...new Set(told)].sort().join()];
    return want === have ? [] : [`${name}: ${have || "nothing"} instead of ${want || "nothing"}`];
  });
}

/**
 * The rule that everything is claimed once.
 *
 * @returns a line for each way in which it is broken
 */
export function unclaimed(report: Report, document: PlanDocument, planCode: number, code: number): string[] {
  const changed = (document.resource_changes ?? []).filter(
    ({ mode, change: { actions, importing }, previous_address: from }) =>
      mode === "managed" && (actions.join() !== "no-op" || from !== undefined || importing !== undefined),
  );
  const claimed = report.changes.flatMap(({ addresses }) => addresses);
  const twice = claimed.filter((address, index) => claimed.indexOf(address) !== index);
  const isClaimed = new Set(claimed);
  const rest = changed.filter(({ address }) => !isClaimed.has(address));
  const types = count(rest.map(({ type }) => type));
  const { output: _, ...others } = typeof report.otherChanges === "number" ? {} : report.otherChanges;
  const total = typeof report.otherChanges === "number" ? report.otherChanges : sum(Object.values(others));
  return [
    ...twice.map((address) => `claimed twice: ${address}`),
    ...(total === rest.length ? [] : [`${rest.length} changes are claimed by nothing, and ${total} are counted`]),
    ...Object.keys(types).flatMap((type) =>
      typeof report.otherChanges === "number" || others[type] === types[type]
        ? []
        : [`${types[type]} of ${type}, and ${others[type] ?? 0} are counted`],
    ),
    ...(planCode !== 1 && (code === 0) !== (planCode === 0) ? [`exit code ${code} for a plan with ${planCode}`] : []),
  ];
}

/** How often each word is there. */
export function count(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) {
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}
