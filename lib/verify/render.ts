import { code, plain, prose } from "../terraform-json/escape";
import { portName } from "./names";
import type { PortReport, VerifyReport } from "./report";

/** What a column is called, and what stands in it. */
type Column<Row> = readonly [title: string, cell: (row: Row) => string];

/** A part of the report: nothing of it is shown where it has no rows. */
interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const PORT_COLUMNS: readonly Column<PortReport>[] = [
  ["MACHINE", ({ machine }) => machine],
  ["COMPONENT", ({ component, port }) => portName({ component, number: port })],
  ["ASKED", ({ asked }) => asked ?? "nobody"],
  [
    "SERVES",
    ({ served, unreachable }) =>
      unreachable ? "-" : [served.message, served.signedBy && `(${served.signedBy})`].filter(Boolean).join(" "),
  ],
  ["TRUSTS", ({ trusted, unreachable }) => (unreachable ? "-" : trustText(trusted))],
  ["SO IT IS", verdictText],
];

function trustText({ generations, strangers, message }: PortReport["trusted"]): string {
  const known = Object.entries(generations).map(([authority, ids]) => `${authority} ${ids.join("+")}`);
  return [...known, ...strangers.map(() => "a stranger")].join(", ") || message;
}

function verdictText({ unreachable, served, trusted }: PortReport): string {
  if (unreachable) {
    return `not reachable: ${trusted.message}`;
  }
  const problems = [served, trusted].filter(({ verdict }) => verdict === "not-yet" || verdict === "foreign");
  return problems.map(({ message }) => message).join("; ") || "as issued";
}

/** The parts of a report, in their order. */
function tablesOf({ ports, expectations, skipped, unseen }: VerifyReport): Table[] {
  const severalClusters = new Set(ports.map(({ cluster }) => cluster)).size > 1;
  const cluster: Column<PortReport> = ["CLUSTER", (row) => row.cluster];
  const columns = severalClusters ? [cluster, ...PORT_COLUMNS] : PORT_COLUMNS;
  const gates = expectations.flatMap(({ expectation, verdict, reasons }) =>
    reasons.length === 0
      ? [[expectation, "yes", ""]]
      : reasons.map((reason) => [expectation, VERDICTS[verdict], reason]),
  );
  return [
    { header: columns.map(([title]) => title), rows: ports.map((row) => columns.map(([, cell]) => cell(row))) },
    { header: ["EXPECTED", "IS IT", "BECAUSE"], rows: gates },
    { header: ["LEFT OUT"], rows: skipped.map((place) => [place]) },
    {
      header: ["NOBODY SEES", "WHAT IT READS", "ON", "LOOK AT"],
      rows: unseen.map(({ component, via, authority, machines, lookAt }) => {
        return [component, `${via.join(", ")} (${authority})`, machines.join(", "), lookAt];
      }),
    },
  ].filter(({ rows }) => rows.length > 0);
}

const VERDICTS = { "as-issued": "yes", "not-yet": "not yet", foreign: "no" } as const;

const CONCLUSIONS = {
  "as-issued": "All that was looked at is as it should be.",
  "not-yet": "Not yet: do not go on.",
  foreign: "Something is a stranger's, or has expired: do not go on.",
} as const;

/** The report for a terminal. */
export function verifyText(report: VerifyReport): string {
  return [...tablesOf(report).map(tableText), `${CONCLUSIONS[report.verdict]}\n`].join("\n");
}

function tableText({ header, rows }: Table): string {
  const lines = [header, ...rows].map((cells) => cells.map(plain));
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)) + 3);
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}

/** The report for a comment on a pull request. */
export function verifyMarkdown(report: VerifyReport): string {
  const parts = tablesOf(report).map(({ header, rows }) => {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
    const cell = (text: string) => (text === "" ? "" : code(text));
    return [line(header.map(prose)), line(header.map(() => "---")), ...rows.map((cells) => line(cells.map(cell)))].join(
      "",
    );
  });
  return [`**${CONCLUSIONS[report.verdict]}**\n`, ...parts].join("\n");
}
