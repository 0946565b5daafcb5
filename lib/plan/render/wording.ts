import type { Difference } from "../model/differences";
import type { ComponentEffect } from "../../terraform-json/components";
import type { FileEffect } from "../model/effects";
import type { Facts } from "../model/facts";
import type { Verb } from "../model/verbs";
import type { Danger } from "../judge/danger";
import type { GenerationsReport, IdentityChange, PlanReport } from "../judge/report";

/** One line of a change: what, and its value before and after, or what comes and goes. */
export interface Detail {
  readonly what: string;
  readonly values: readonly string[];
}

const LABELS: Readonly<Record<keyof Facts, string>> = {
  subject: "subject",
  sans: "names",
  usages: "usages",
  issuer: "issuer",
  keyAlgorithm: "key",
  notAfter: "until",
  validityHours: "validity",
  earlyRenewalHours: "renewal",
  role: "role",
  subjects: "who",
  rules: "rules",
  groups: "groups",
  expires: "ends",
  object: "object",
};

/** Verdict and counts, in one line. */
export function headline(report: PlanReport): string {
  const { dangers, errored, counts, failedChecks, refusedPins } = report;
  const parts = [
    ...(errored ? ["the plan failed"] : []),
    ...(refusedPins.length > 0 ? [`${plural(refusedPins.length, "pinned key")} refused`] : []),
    ...dangersText(dangers),
    countsText(counts) || "no change of certificates, keys or access",
    ...(failedChecks.length > 0
      ? [`${plural(failedChecks.length, "check")} that ${failedChecks.length === 1 ? "fails" : "fail"}`]
      : []),
  ];
  return parts.join("; ");
}

/** `2 dangers`, and apart from them those that somebody says are meant. */
function dangersText(dangers: readonly Danger[]): string[] {
  const meant = dangers.filter(({ acknowledged }) => acknowledged).length;
  const open = dangers.length - meant;
  return [
    ...(open > 0 ? [plural(open, "danger")] : []),
    ...(meant > 0 ? [`${plural(meant, "acknowledged danger")}`] : []),
  ];
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ");
}

/** Who said that a danger is meant, and why. */
export function acknowledgedText({ acknowledged }: Danger, write: (text: string) => string): string | undefined {
  return (
    acknowledged &&
    `acknowledged${acknowledged.by === undefined ? "" : ` by ${write(acknowledged.by)}`}: ${write(acknowledged.reason)}`
  );
}

const PARTIAL = {
  false: "The plan is partial (-target, -exclude, or deferred actions): what it leaves out is not looked at.",
  unknown: "Nothing tells whether the plan was limited (-target, -exclude): what it would leave out is not looked at.",
};

/** Notes that stand under the headline. */
export function notes(report: PlanReport): string[] {
  const { complete, otherChanges, failedChecks, changes } = report;
  const missing = changes.filter(({ planned }) => !planned).length;
  return [
    ...(missing > 0
      ? [`${plural(missing, "change")} marked "would": not in the failed plan, worked out from code and state.`]
      : []),
    ...((report.notAllowed ?? []).length > 0
      ? [`Besides what it may hold, the plan has: ${few(report.notAllowed!, String)}.`]
      : []),
    ...report.acknowledgedInVain.map(
      ({ code, name }) => `Acknowledged, and not in this plan: ${code}${name === undefined ? "" : ` ${name}`}.`,
    ),
    ...(complete === true ? [] : [PARTIAL[complete === false ? "false" : "unknown"]]),
    ...(failedChecks.length > 0 ? [`Checks that fail: ${few(failedChecks, String)}.`] : []),
    ...(Object.keys(otherChanges).length > 0 ? [`Other changes, not looked at: ${countsText(otherChanges)}.`] : []),
  ];
}

const FEW = 30;

/** The first of many names, and how many more there are; JSON has all of them. */
export function few(names: readonly string[], write: (name: string) => string): string {
  const shown = names.slice(0, FEW).map(write).join(", ");
  return names.length > FEW ? `${shown} and ${names.length - FEW} more` : shown;
}

/** `3 dangers`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** `introduce, promote`; `would re-issue` where a failed plan leaves it out. */
export function verbsText({ verbs, planned }: Pick<IdentityChange, "verbs" | "planned">): string {
  return `${planned ? "" : "would "}${verbs.join(", ")}`;
}

/** `kubernetes: g1 active, g2 new → g1 trusted, g2 active`. */
export function generationsText({ generations }: GenerationsReport): string {
  const side = (name: "before" | "after") =>
    generations
      .flatMap((generation) => (generation[name] ? [`${generation.id} ${generation[name]}`] : []))
      .join(", ") || "none";
  return `${side("before")} → ${side("after")}`;
}

/** What a reader wants to know of a change: what differs; of something new or gone, what it is. */
export function details(change: IdentityChange): Detail[] {
  const purpose = change.purpose === undefined ? [] : [{ what: "purpose", values: [change.purpose] }];
  return [...purpose, ...factDetails(change)];
}

function factDetails({ before, after, differences, verbs }: IdentityChange): Detail[] {
  if (before && after) {
    const lines = differenceDetails(differences.filter(({ what }) => what !== "notAfter"));
    const until = untilText(before, after, verbs);
    return until ? [...lines, { what: LABELS.notAfter, values: [until] }] : lines;
  }
  const facts = after ?? before ?? {}; // A broken document may say of neither side what it is.
  return (Object.keys(LABELS) as (keyof Facts)[]).flatMap((what) => {
    const value = facts[what];
    // An authority is never renewed by itself.
    if (value === undefined || value === 0 || (Array.isArray(value) && value.length === 0)) {
      return [];
    }
    return [
      { what: LABELS[what], values: [Array.isArray(value) ? value.join(", ") : valueText(what, value as string)] },
    ];
  });
}

/** So many values of a list stand in a row; the details have all. */
const IN_A_ROW = 6;

/** What a reader has to see at once of a change: what differs; of something new or gone, what it is. */
export function essentials({ before, after, differences }: IdentityChange): string[] {
  if (before && after) {
    return differences.filter(({ what }) => what !== "notAfter").map(differenceInARow);
  }
  // A change that has neither side is no valid one.
  const facts = after ?? before ?? {};
  return ESSENTIAL.flatMap((what) => {
    const value = facts[what];
    const isSet = value !== undefined && value !== 0 && !(Array.isArray(value) && value.length === 0);
    return isSet ? [`${LABELS[what]} ${valuesInARow(what, value)}`] : [];
  });
}

/** Of what is new or gone. */
const ESSENTIAL: readonly (keyof Facts)[] = [
  "subject",
  "sans",
  "usages",
  "validityHours",
  "role",
  "subjects",
  "rules",
  "groups",
  "expires",
];

function differenceInARow(difference: Difference): string {
  const { what, added = [], removed = [] } = difference;
  if (added.length + removed.length === 0) {
    return `${LABELS[what]} ${differenceText(difference).join(", ")}`;
  }
  const signed = [...removed.map((value) => `− ${value}`), ...added.map((value) => `+ ${value}`)];
  return `${LABELS[what]} ${valuesInARow(what, signed)}`;
}

function valuesInARow(what: keyof Facts, value: Facts[keyof Facts]): string {
  if (!Array.isArray(value)) {
    return valueText(what, value as string | number);
  }
  const more = value.length - IN_A_ROW;
  return `${value.slice(0, IN_A_ROW).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Differences alone. */
export function differenceDetails(differences: readonly Difference[]): Detail[] {
  return differences.map((difference) => ({ what: LABELS[difference.what], values: differenceText(difference) }));
}

function differenceText({ what, before, after, added = [], removed = [] }: Difference): string[] {
  if (added.length + removed.length > 0) {
    return [...removed.map((value) => `- ${value}`), ...added.map((value) => `+ ${value}`)];
  }
  return [
    `${before === undefined ? "none" : valueText(what, before)} → ${after === undefined ? "none" : valueText(what, after)}`,
  ];
}

function valueText(what: keyof Facts, value: string | number): string {
  switch (what) {
    case "validityHours":
      return `${value} hours`;
    case "earlyRenewalHours":
      return `in the last ${value} hours`;
    default:
      return String(value);
  }
}

const MAKES_ANEW: readonly Verb[] = ["renew", "re-key", "re-issue"];

function untilText(before: Facts, after: Facts, verbs: readonly Verb[]): string | undefined {
  if (before.notAfter === undefined || !verbs.some((verb) => MAKES_ANEW.includes(verb))) {
    return undefined;
  }
  return `${before.notAfter} → ${after.validityHours === undefined ? "later" : `${after.validityHours} hours after the apply`}`;
}

/** Files by who has them: `cp-1` → paths. */
export function filesByHolder(files: readonly FileEffect[]): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const { holder, path } of files) {
    const paths = found.get(holder) ?? [];
    paths.push(path);
    found.set(holder, paths);
  }
  return [...found];
}

/** Files that are other ones although no certificate, key or token changes with them: what is different, and of whom. */
export function otherFiles(report: PlanReport): [string, string[]][] {
  const known = new Set(report.changes.flatMap(({ files }) => files.map(keyOfFile)));
  const found = new Map<string, string[]>();
  for (const file of report.files.filter((file) => !known.has(keyOfFile(file)))) {
    const from = file.from === undefined ? "" : ` from ${file.from}`;
    const where = holderText(report, file);
    const files = found.get(where) ?? [];
    files.push(`${file.path} (${file.what.join(", ")}${from})`);
    found.set(where, files);
  }
  return [...found];
}

function keyOfFile({ cluster = "", holder, path }: FileEffect): string {
  return `${cluster}\n${holder}\n${path}`;
}

/** A machine, with its cluster where the report has several. */
export function holderText(report: PlanReport, { cluster, holder }: Pick<FileEffect, "cluster" | "holder">): string {
  return cluster !== undefined && hasSeveralClusters(report) ? `${cluster}: ${holder}` : holder;
}

/** True where the name of a machine does not tell which one it is. */
export function hasSeveralClusters(report: PlanReport): boolean {
  let known = severalClusters.get(report);
  if (known === undefined) {
    const { changes, files, generations } = report;
    known = new Set([...changes, ...files, ...generations].flatMap(({ cluster }) => cluster ?? [])).size > 1;
    severalClusters.set(report, known);
  }
  return known;
}

/** Each line asks. */
const severalClusters = new WeakMap<PlanReport, boolean>();

/** `kubernetes`, with its cluster where the report has several. */
export function setTitle(report: PlanReport, { cluster, name }: GenerationsReport): string {
  return cluster !== undefined && hasSeveralClusters(report) ? `${cluster}: ${name}` : name;
}

/** What to do for a component: `restart`, after what is to be removed, or that it reads again by itself. */
export function actionText(
  { action, remove = [] }: Pick<ComponentEffect, "action" | "remove">,
  quote: (path: string) => string,
): string {
  const does = action === "restart" ? "restart" : "reloads by itself";
  return remove.length > 0 ? `${does} after removing ${remove.map(quote).join(", ")}` : does;
}
