import { plain } from "../terraform-json/escape";
import { dateText } from "./date-text";
import type { CertificateStatus, Status } from "./status";

/** What stands in a column, of each row. */
type Column = readonly [title: string, cell: (row: CertificateStatus) => string];

const TIMES: readonly Column[] = [
  ["EXPIRES", (row) => dateText(row.expirationDate)],
  ["RESIDUAL TIME", (row) => shortDuration(row.residualTime)],
];
const AUTHORITY: Column = ["CERTIFICATE AUTHORITY", (row) => row.caName ?? ""];
const MANAGED: Column = ["EXTERNALLY MANAGED", (row) => (row.externallyManaged ? "yes" : "no")];
const MORE: readonly Column[] = [
  ["USAGES", (row) => row.usages.join(",")],
  ["ALTERNATIVE NAMES", (row) => row.alternativeNames.join(",")],
];

/**
 * The two tables of `kubeadm certs check-expiration`, and what is wrong below them.
 *
 * @param isWide with what each certificate may be used for, and its alternative names
 */
export function statusText(status: Status, isWide = false): string {
  const { certificates, certificateAuthorities, problems } = status;
  const more = isWide ? MORE : [];
  const wrong = problems.map(({ name, message }) => [name, message]);
  return [
    tableOf(certificates, [["CERTIFICATE", (row) => row.name], ...TIMES, AUTHORITY, MANAGED, ...more]),
    tableOf(certificateAuthorities, [["CERTIFICATE AUTHORITY", (row) => row.name], ...TIMES, MANAGED, ...more]),
    ...(wrong.length > 0 ? [table(["PROBLEM WITH", "WHAT"], wrong)] : []),
  ].join("\n");
}

function tableOf(rows: readonly CertificateStatus[], columns: readonly Column[]): string {
  return table(
    columns.map(([title]) => title),
    rows.map((row) => columns.map(([, cell]) => cell(row))),
  );
}

/** Columns as Go's text/tabwriter makes them for kubeadm: at least 10 wide, 3 apart. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map((cells) => cells.map(plain));
  const widths = header.map((_, column) => Math.max(7, ...lines.map((cells) => cells[column]!.length)) + 3);
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join("");
  return lines.map((cells) => `${line(cells).trimEnd()}\n`).join("");
}

/**
 * One unit, the largest, as kubeadm rounds.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/util/duration/duration.go
 */
function shortDuration(seconds: number): string {
  const [hours, days] = [Math.trunc(seconds / 3600), Math.trunc(seconds / 86_400)];
  if (seconds < -1) {
    return "<invalid>";
  }
  if (seconds < 60) {
    return `${Math.max(seconds, 0)}s`;
  }
  if (seconds < 3600) {
    return `${Math.trunc(seconds / 60)}m`;
  }
  if (hours < 24) {
    return `${hours}h`;
  }
  return days < 365 ? `${days}d` : `${Math.trunc(days / 365)}y`;
}
