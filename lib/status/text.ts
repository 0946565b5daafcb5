import { shortDuration, table } from "../terraform-json/columns";
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
