import { plain } from "../../terraform-json/escape";
import { Block, fitted } from "./limit";
import type { PlanReport } from "../judge/report";
import { DangerRow, dangerRowsOf, Row, rowsOf } from "./rows";
import {
  acknowledgedText,
  actionText,
  details,
  differenceDetails,
  few,
  filesByHolder,
  generationsText,
  headline,
  holderText,
  notes,
  otherFiles,
  setTitle,
  verbsText,
} from "./wording";

/** How a report is written. */
export interface RenderOptions {
  /**
   * Bytes of UTF-8 that it may have: details are left out first, verdict and dangers last.
   * @default - no limit
   */
  readonly maxBytes?: number;
}

/** How text is written. */
export interface TextOptions extends RenderOptions {
  /** @default false */
  readonly colour?: boolean;
}

type Style = "bold" | "red" | "green" | "yellow" | "dim";
const CODES: Readonly<Record<Style, number>> = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 };

/** The report for a terminal. */
export function renderText(report: PlanReport, { maxBytes, colour = false }: TextOptions = {}): string {
  const paint = (style: Style, text: string) => (colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);
  const verdict = paint(report.dangers.length > 0 ? "red" : "bold", plain(headline(report)));
  const blocks: Block[] = [
    {
      text: `${verdict}\n${notes(report)
        .map((note) => `${plain(note)}\n`)
        .join("")}`,
    },
    ...report.refusedPins.map(({ name, cluster, message, fix }) => {
      const whose = cluster === undefined ? "" : ` of ${plain(cluster)}`;
      const head = `\n${paint("red", "REFUSED PIN")} ${paint("bold", plain(name))}${whose}\n`;
      return { text: `${head}  ${plain(message)}\n  instead: ${plain(fix)}\n` };
    }),
    ...dangerRowsOf(report.dangers).map((row) => ({ text: dangerText(row, paint) })),
    ...section("Generations", report.generations, (set) => {
      return `  ${plain(`${setTitle(report, set)}: ${generationsText(set)}`)}\n`;
    }),
    ...section("Changes", rowsOf(report.changes), (row) => rowText(row, paint)),
    ...section("Files", otherFiles(report), ([holder, files]) => line(holder, files)),
    ...section("Components", report.components, (effect) => {
      const where = effect.holders.map((holder) => plain(holderText(report, { ...effect, holder }))).join(", ");
      const head = paint(
        effect.action === "restart" ? "yellow" : "green",
        `${plain(effect.component)}: ${actionText(effect, plain)}`,
      );
      return `  ${head} on ${where} (${effect.files.map(plain).join(", ")})\n`;
    }),
    ...section("Changed outside Terraform", report.drift, ({ name, what, differences }) => {
      const list = differenceDetails(differences);
      return `  ${plain(name)}: ${what}\n${list.map(({ what: label, values }) => line(label, values)).join("")}`;
    }),
  ];
  return fitted(blocks, maxBytes, (left) => `\n… ${left} more parts of this report are left out for its size.\n`);
}

function section<T>(title: string, items: readonly T[], render: (item: T) => string): Block[] {
  return items.map((item, index) => ({ text: `${index === 0 ? `\n${title}\n` : ""}${render(item)}` }));
}

function dangerText({ danger, items, reaches }: DangerRow, paint: (style: Style, text: string) => string): string {
  const names = items.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const [title = ""] = names.length === 1 ? names : [names.length > 1 ? `${names.length} times` : ""];
  const said = acknowledgedText(danger, plain);
  const head = `\n${paint("red", `DANGER ${danger.code}`)}${title === "" ? "" : paint("bold", ` ${plain(title)}`)}\n`;
  const isOneMessage = items.every(({ message }) => message === undefined);
  return [
    head,
    ...(isOneMessage ? [`  ${plain(danger.message)}\n`] : []),
    ...(isOneMessage && names.length > 1 ? [`  of: ${few(names, plain)}\n`] : []),
    ...(isOneMessage ? [] : items.map(({ name = "", message = "" }) => `  ${plain(name)}: ${plain(message)}\n`)),
    ...(said === undefined ? [] : [`  ${said}\n`]),
    `  instead: ${plain(danger.fix)}\n`,
    ...(reaches.length > 0 ? [`  reaches: ${few(reaches, plain)}\n`] : []),
  ].join("");
}

function rowText(row: Row, paint: (style: Style, text: string) => string): string {
  const { change, changes, names, holders } = row;
  const count = changes.length > 1 ? ` ×${changes.length}` : "";
  const where = holders.length > 0 ? ` on ${few(holders, plain)}` : "";
  const head = `  ${paint("bold", `${verbsText(change)}${count}`)} ${few(names, plain)}${where} ${paint("dim", `(${change.kind})`)}\n`;
  const { reasons } = change;
  const isSame = row.essentials.length > 0 || changes.length === 1;
  const lines = [
    ...(reasons.length > 0 ? [line("why", [reasons.map(({ text }) => text).join("; ")])] : []),
    ...(isSame ? details(change).map(({ what, values }) => line(what, values)) : []),
    ...filesByHolder(changes.flatMap(({ files }) => files)).map(([holder, paths]) => line(holder, paths)),
  ];
  return head + lines.join("");
}

/** A label, and one value a line. */
function line(label: string, values: readonly string[]): string {
  const rest = " ".repeat(15);
  return values
    .map((value, index) => `    ${index === 0 ? `${plain(label).padEnd(10)} ` : rest.slice(4)}${plain(value)}\n`)
    .join("");
}
