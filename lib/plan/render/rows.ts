import type { Danger } from "../judge/danger";
import type { IdentityChange } from "../judge/report";
import { essentials } from "./wording";

/** Changes that a reader takes in as one: the same happens to things of one name on several machines. */
export interface Row {
  /** The first of them stands for all. */
  readonly change: IdentityChange;
  /** All of them. */
  readonly changes: readonly IdentityChange[];
  /** What they are called: one name, or the names of all. */
  readonly names: readonly string[];
  /** Machines, where they have one name. */
  readonly holders: readonly string[];
  /** What differs, or what is new: the same for all; empty where it is not. */
  readonly essentials: readonly string[];
}

/** More rows than these are no page that somebody reads: what happens for one reason is one row then. */
const PAGE = 40;

/** A change, and what of it is the same for every machine. */
interface Worded {
  readonly change: IdentityChange;
  readonly bareName: string;
  readonly essentials: readonly string[];
}

/** Equal changes as one row, in the order of the first of each. */
export function rowsOf(changes: readonly IdentityChange[]): Row[] {
  const own = ({ bareName, essentials }: Worded) => [bareName, ...essentials];
  const seen = new Set<string>();
  // Of very many, the first few tell that they are no page.
  const isLong = changes.some((change) => seen.add(JSON.stringify(own(worded(change)))).size > PAGE);
  const fine = isLong ? [] : grouped(changes.map(worded), own);
  return !isLong && fine.length <= PAGE
    ? fine
    : grouped(changes.map(unworded), () => []).map((row) => ({ ...row, essentials: [] }));
}

function worded(change: IdentityChange): Worded {
  return { change, bareName: bareName(change), essentials: essentials(change).map(withoutHolder(change)) };
}

/** Where nothing but the change is looked at. */
function unworded(change: IdentityChange): Worded {
  return { change, bareName: bareName(change), essentials: [] };
}

function grouped(worded: readonly Worded[], also: (one: Worded) => readonly string[]): Row[] {
  const rows = new Map<string, Worded[]>();
  for (const one of worded) {
    const { kind, cluster, verbs, planned, reasons } = one.change;
    const texts = reasons.map(({ text }) => withoutHolder(one.change)(text));
    const key = JSON.stringify([kind, cluster, verbs, planned, texts, also(one)]);
    const row = rows.get(key);
    if (row) {
      row.push(one);
    } else {
      rows.set(key, [one]);
    }
  }
  return [...rows.values()].map((all) => {
    const { change, bareName, essentials: ofAll } = all[0]!;
    const changes = all.map((one) => one.change);
    const isOneName = all.every((other) => other.change.holder !== undefined && other.bareName === bareName);
    const many = all.length > 1;
    return {
      change,
      changes,
      names: many && isOneName ? [bareName] : changes.map(({ name }) => name),
      holders: many && isOneName ? changes.map(({ holder }) => holder!) : [],
      essentials: many ? ofAll : essentials(change),
    };
  });
}

/** `prod: apiserver` of `prod: cp-1/apiserver`. */
function bareName({ name, holder }: IdentityChange): string {
  return holder === undefined ? name : name.replace(`${holder}/`, "");
}

/** The same text for every machine, where only its name differs. */
function withoutHolder({ holder }: IdentityChange): (text: string) => string {
  return (text) => (holder === undefined || holder === "" ? text : text.replaceAll(holder, "…"));
}

/** Dangers of one kind of which a reader needs to be told once what they are. */
export interface DangerRow {
  /** The first of them stands for all. */
  readonly danger: Danger;
  /** Names and, where they differ, what is said of each. */
  readonly items: readonly { readonly name?: string; readonly message?: string }[];
  /** What all of them reach. */
  readonly reaches: readonly string[];
}

/** Dangers with one code, one fix and one acknowledgement as one, in the order of the first of each. */
export function dangerRowsOf(dangers: readonly Danger[]): DangerRow[] {
  const rows = new Map<string, Danger[]>();
  for (const danger of dangers) {
    const key = JSON.stringify([danger.code, danger.acknowledged, danger.fix]);
    const row = rows.get(key) ?? [];
    row.push(danger);
    rows.set(key, row);
  }
  return [...rows.values()].map((all) => {
    const danger = all[0]!;
    const isOneMessage = all.every(({ message }) => message === danger.message);
    return {
      danger,
      items: all.map(({ name, message }) => ({
        ...(name === undefined ? {} : { name }),
        ...(isOneMessage ? {} : { message }),
      })),
      reaches: [...new Set(all.flatMap(({ reaches }) => reaches))].sort(),
    };
  });
}
