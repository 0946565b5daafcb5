import type { Outcome } from "./campaign";
import type { EngineName } from "./engine";
import { count, Found } from "./judged";

/** The most false alarms that may be, of all edits. */
export const FALSE_ALARMS = 0.02;

/** The table, and the first findings in detail. */
export function printed(
  outcomes: readonly (Outcome & { readonly engine: EngineName })[],
  show: number,
): { readonly text: string; readonly isGood: boolean } {
  const found = outcomes.flatMap((outcome) => outcome.found);
  const broken = outcomes.flatMap((outcome) => outcome.broken);
  const expected = found.flatMap((one) => one.expected);
  const missed = found.flatMap((one) => one.missed);
  const alarms = found.flatMap((one) => one.falseAlarms);
  const wrong = found.flatMap((one) => one.wrongVerbs);
  const bare = found.flatMap((one) => one.withoutTables);
  const [all, lost] = [expected, missed].map((list) => count(list.map(({ codes }) => codes[0]!)));
  const [ofAlarms] = [count(alarms.map((alarm) => alarm.split(" ")[0]!))];
  const codes = [...new Set([...Object.keys(all!), ...Object.keys(ofAlarms!)])].sort();
  const withAlarm = found.filter((one) => one.falseAlarms.length > 0).length;
  const bases = new Set(found.map(({ edited }) => edited.name.split(":")[0]!));
  const plans = outcomes.reduce((sum, outcome) => sum + outcome.plans, 0);
  const rows = codes.map((code) => `${code.padEnd(26)}${cell(all![code])}${cell(lost![code])}${cell(ofAlarms![code])}`);
  const share = found.length === 0 ? 0 : withAlarm / found.length;
  const text = [
    ...section(
      "Missed",
      found.filter((one) => one.missed.length > 0),
      show,
      ({ missed: list }) => list.map(({ codes: any, things }) => `${any.join(" or ")} ${things.join(" or ")}`),
    ),
    ...section(
      "False alarms",
      found.filter((one) => one.falseAlarms.length > 0),
      show,
      (one) => one.falseAlarms,
    ),
    ...section(
      "Wrong verbs",
      found.filter((one) => one.wrongVerbs.length > 0),
      show,
      (one) => one.wrongVerbs,
    ),
    ...(broken.length > 0 ? ["Not claimed once:", ...broken.slice(0, show).map((line) => `  ${line}`), ""] : []),
    `${"code".padEnd(26)}${["expected", "missed", "false alarms"].map((word) => word.padStart(14)).join("")}`,
    ...rows,
    "",
    `edits ${found.length} (${found.filter((one) => one.expected.length === 0).length} harmless), bases ${bases.size}, plans ${plans}`,
    `dangers expected ${expected.length}, missed ${missed.length}`,
    `false alarms ${alarms.length} in ${withAlarm} edits (${(share * 100).toFixed(1)} %)`,
    ...(bare.length > 0 ? [`and ${bare.length} where an edit contradicts the inventory, and no table is known`] : []),
    `wrong verbs ${wrong.length}, not claimed once ${broken.length}`,
  ].join("\n");
  const isGood = missed.length + broken.length + wrong.length === 0 && share < FALSE_ALARMS;
  return { text, isGood };
}

function cell(value: number | undefined): string {
  return String(value ?? "").padStart(14);
}

function section(
  title: string,
  found: readonly Found[],
  show: number,
  lines: (one: Found) => readonly string[],
): string[] {
  if (found.length === 0) {
    return [];
  }
  const kinds = Object.entries(count(found.map(({ edited }) => edited.name)))
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `  ${times} × ${name}`);
  // One of each kind of edit first.
  const firsts = [...new Map(found.map((one) => [one.edited.name.replace(/^[^:]*/, ""), one])).values()];
  const details = firsts.slice(0, show).flatMap((one) => [
    `  ${one.edited.tag}: ${one.edited.name} [${one.edited.kind}]`,
    ...lines(one).map((line) => `    ${title.toLowerCase()}: ${line}`),
    ...one.edited
      .snippet()
      .split("\n")
      .map((line) => `      ${line}`),
    `    the report: ${one.said.join("; ") || "nothing"}`,
  ]);
  return [`${title} (${found.length} edits):`, ...kinds.slice(0, 40), "", ...details, ""];
}
