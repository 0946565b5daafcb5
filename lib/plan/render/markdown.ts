import { code, plain, prose } from "../../terraform-json/escape";
import { Block, fitted } from "./limit";
import type { RefusedPin } from "../judge/pins";
import type { IdentityChange, PlanReport } from "../judge/report";
import { DangerRow, dangerRowsOf, rowsOf } from "./rows";
import type { RenderOptions } from "./text";
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
  plural,
  setTitle,
  verbsText,
} from "./wording";

/** The first line of a report in Markdown: the same for every run on the same stacks, so that a comment is found again. */
export function marker(stacks: readonly string[]): string {
  // What ends a comment of HTML cannot stand in a stack's name as cdktf takes it.
  const names = stacks.map((name) => ` ${name.replace(/[^\w.]+/g, "-")}`).join("");
  return `<!-- kubernetes-pki plan${names} -->`;
}

/** The report for a pull request's comment or a job's summary. */
export function renderMarkdown(report: PlanReport, { maxBytes }: RenderOptions = {}): string {
  const { dangers, changes, generations, components, drift, stacks } = report;
  const isWhole =
    report.complete === true && report.failedChecks.length + report.refusedPins.length + drift.length === 0;
  const icon = report.verdict === "danger" ? "⛔" : !isWhole ? "⚠️" : report.verdict === "changes" ? "🔑" : "✅";
  const title = stacks.length > 0 ? ` of ${stacks.map(code).join(", ")}` : "";
  const blocks: Block[] = [
    {
      text: `${marker(stacks)}\n### ${icon} PKI plan${title}: ${prose(headline(report))}\n${notes(report)
        .map((note) => `\n${prose(note)}\n`)
        .join("")}`,
    },
    ...[...report.refusedPins.map(pinText), ...dangerRowsOf(dangers).map(dangerText)].map((text, index) => {
      return { text: `${index === 0 ? "\n> [!CAUTION]\n" : ""}${text}` };
    }),
    ...table(["Authority or key pair", "Generations"], generations, (set) => [
      code(setTitle(report, set)),
      prose(generationsText(set)),
    ]),
    ...table(["Change", "Name", "What", "Why"], rowsOf(changes), (row) => [
      `${verbsText(row.change)} ${row.change.kind}${row.changes.length > 1 ? ` ×${row.changes.length}` : ""}`,
      `${few(row.names, code)}${row.holders.length > 0 ? ` on ${few(row.holders, code)}` : ""}`,
      row.essentials.map(prose).join("; "),
      row.change.reasons.map(({ text }) => prose(text)).join("; "),
    ]),
    ...table(["On", "Files"], otherFiles(report), ([holder, files]) => [code(holder), few(files, code)]),
    ...table(["Component", "Has to", "On", "For"], components, (effect) => [
      code(effect.component),
      effect.action === "restart" ? `**${actionText(effect, code)}**` : actionText(effect, code),
      few(
        effect.holders.map((holder) => holderText(report, { ...effect, holder })),
        code,
      ),
      few(effect.files, code),
    ]),
    ...table(["Changed outside Terraform", "What"], drift, ({ name, what, differences }) => [
      code(name),
      [what, ...differenceDetails(differences).map(detailText)].join("; "),
    ]),
    ...detailBlocks(changes),
  ];
  return fitted(blocks, maxBytes, (left) => `\n… ${left} more parts of this report are left out for its size.\n`);
}

/** Each row is a block of its own: a table that is cut stays a table. */
function table<T>(head: readonly string[], items: readonly T[], cells: (item: T) => readonly string[]): Block[] {
  const row = (values: readonly string[]) => `| ${values.join(" | ")} |\n`;
  const start = `\n${row(head)}${row(head.map(() => "---"))}`;
  return items.map((item, index) => ({ text: `${index === 0 ? start : ""}${row(cells(item))}` }));
}

function pinText({ name, cluster, message, fix }: RefusedPin): string {
  const whose = cluster === undefined ? "" : ` of ${code(cluster)}`;
  return `> - **refused pin** ${code(name)}${whose}: ${prose(message)}\n>   *Instead:* ${prose(fix)}.\n`;
}

function dangerText({ danger, items, reaches }: DangerRow): string {
  const names = items.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const isOneMessage = items.every(({ message }) => message === undefined);
  const said = acknowledgedText(danger, code);
  const about = names.length === 0 || !isOneMessage ? "" : ` ${few(names, code)}`;
  return [
    `> - **${danger.code}**${about}${isOneMessage ? `: ${prose(danger.message)}` : ""}\n`,
    ...(isOneMessage
      ? []
      : items.map(({ name = "", message = "" }) => `>   - ${name === "" ? "" : `${code(name)}: `}${prose(message)}\n`)),
    ...(said === undefined ? [] : [`>   ${said}\n`]),
    `>   *Instead:* ${prose(danger.fix)}.\n`,
    ...(reaches.length > 0 ? [`>   reaches ${few(reaches, code)}\n`] : []),
  ].join("");
}

function detailBlocks(changes: readonly IdentityChange[]): Block[] {
  if (changes.length === 0) {
    return [];
  }
  const end = "\n</details>\n";
  const blocks = changes.map((change) => ({ text: changeDetails(change), end }));
  const start = { text: `\n<details><summary>Details of ${plural(changes.length, "change")}</summary>\n`, end };
  return [start, ...blocks, { text: end }];
}

function changeDetails(change: IdentityChange): string {
  const lines = [
    ...details(change).map(detailText),
    ...filesByHolder(change.files).map(([holder, paths]) => `${code(holder)}: ${paths.map(code).join(", ")}`),
    `Terraform: ${change.addresses.map(code).join(", ") || "no resource"}`,
  ];
  return `\n**${verbsText(change)}** ${code(change.name)}\n\n${lines.map((line) => `- ${line}\n`).join("")}`;
}

function detailText({ what, values }: { readonly what: string; readonly values: readonly string[] }): string {
  return `${plain(what)}: ${values.map(code).join(", ")}`;
}
