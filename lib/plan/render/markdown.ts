import { code, plain, prose } from "../../terraform-json/escape";
import { Block, fitted } from "./limit";
import type { IdentityChange, PlanReport } from "../judge/report";
import type { RenderOptions } from "./text";
import {
  actionText,
  details,
  differenceDetails,
  few,
  filesByHolder,
  generationsText,
  headline,
  notes,
  plural,
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
  const icon = { nothing: "✅", changes: "🔑", danger: "⛔" }[report.verdict];
  const title = stacks.length > 0 ? ` of ${stacks.map(code).join(", ")}` : "";
  const blocks: Block[] = [
    {
      text: `${marker(stacks)}\n### ${icon} PKI plan${title}: ${prose(headline(report))}\n${notes(report)
        .map((note) => `\n${prose(note)}\n`)
        .join("")}`,
    },
    ...dangers.map(({ code: danger, name, message, fix, reaches }, index) => {
      const about = name === undefined ? "" : ` ${code(name)}`;
      const reached = reaches.length > 0 ? `>   reaches ${few(reaches, code)}\n` : "";
      const head = index === 0 ? "\n> [!CAUTION]\n" : "";
      return { text: `${head}> - **${danger}**${about}: ${prose(message)}\n>   *Instead:* ${prose(fix)}.\n${reached}` };
    }),
    ...table(["Authority or key pair", "Generations"], generations, (set) => [
      code(set.name),
      prose(generationsText(set)),
    ]),
    ...table(["Change", "What", "Name", "Why"], changes, (change) => [
      verbsText(change),
      change.kind,
      code(change.name),
      change.reasons.map(({ text }) => prose(text)).join("; "),
    ]),
    ...table(["Component", "Has to", "On", "For"], components, (effect) => [
      code(effect.component),
      effect.action === "restart" ? `**${actionText(effect)}**` : actionText(effect),
      effect.holders.map(code).join(", "),
      effect.files.map(code).join(", "),
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
