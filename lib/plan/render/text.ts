import { plain } from "../../terraform-json/escape";
import { Block, fitted } from "./limit";
import type { IdentityChange, PlanReport } from "../judge/report";
import {
  actionText,
  details,
  differenceDetails,
  few,
  filesByHolder,
  generationsText,
  headline,
  notes,
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
    ...report.dangers.map((danger) => {
      const name = danger.name === undefined ? "" : ` ${plain(danger.name)}`;
      const reaches = danger.reaches.length > 0 ? `  reaches: ${few(danger.reaches, plain)}\n` : "";
      const head = `\n${paint("red", `DANGER ${danger.code}`)}${paint("bold", name)}\n`;
      return { text: `${head}  ${plain(danger.message)}\n  instead: ${plain(danger.fix)}\n${reaches}` };
    }),
    ...section("Generations", report.generations, (set) => `  ${plain(`${set.name}: ${generationsText(set)}`)}\n`),
    ...section("Changes", report.changes, (change) => changeText(change, paint)),
    ...section("Components", report.components, (effect) => {
      const where = effect.holders.map(plain).join(", ");
      const head = paint(
        effect.action === "restart" ? "yellow" : "green",
        `${plain(effect.component)}: ${actionText(effect)}`,
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

function changeText(change: IdentityChange, paint: (style: Style, text: string) => string): string {
  const { kind, name, reasons, files } = change;
  const head = `  ${paint("bold", verbsText(change))} ${plain(name)} ${paint("dim", `(${kind})`)}\n`;
  const lines = [
    ...(reasons.length > 0 ? [line("why", [reasons.map(({ text }) => text).join("; ")])] : []),
    ...details(change).map(({ what, values }) => line(what, values)),
    ...filesByHolder(files).map(([holder, paths]) => line(holder, paths)),
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
