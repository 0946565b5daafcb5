import type { Construct } from "constructs";
import { LATER, type CertificateEntry, type FileEntry } from "../inventory-schema";
import { inventoried, label, type Label, type OwnEntry } from "../terraform/inventoried";
import { isExpression } from "../terraform/synthesized";
import { Subject } from "../x509/subject";
import { SubjectAltNames } from "../x509/subject-alt-names";
import { type Cluster, hoursForNodes } from "./cluster";
import type { ClusterLeaf, ClusterParts } from "./cluster-parts";
import { consumerEntry, consumersOf } from "./consumers";
import { fillNames, fillText, Holder, holdersOf, holds } from "./holders";
import { machinesOf } from "./served-ports";
import type { CertificateRow, RowException } from "./table";

/** Says of a cluster's parts what its table calls them, and of the cluster what its distribution issues itself. */
export function labelParts(pki: Construct, cluster: string, parts: ClusterParts): void {
  const { table, authorities, keyPairs, leaves } = parts;
  const said = (name: string, row: LabelledRow): Label => ({ cluster, name, ...aboutRow(row) });
  authorities.forEach((authority, name) => {
    const row = table.authorities[name]!;
    const signsNodesForHours = hoursForNodes(row, parts.cluster);
    label(authority, { ...said(name, row), ...(signsNodesForHours === undefined ? {} : { signsNodesForHours }) });
  });
  keyPairs.forEach((keyPair, name) => label(keyPair, said(name, table.keyPairs[name]!)));
  leaves.forEach((leaf) => labelLeaf(cluster, leaf, subjectOf(leaf.row, leaf.holder, parts.cluster)));
  inventoried(pki, { entries: () => issuedByDistribution(cluster, parts), machines: () => machinesOf(cluster, parts) });
}

/** Says of a certificate what it is called, and the subject that its distribution's table gives it, where it is of that table. */
export function labelLeaf(
  cluster: string,
  { certificate, name, row, holder }: ClusterLeaf,
  subjectInTable?: string,
): void {
  label(certificate, { cluster, name, ...aboutRow(row), holder: holder.name, subjectInTable });
}

/** `CN=…, O=…`, by the table alone. */
function subjectOf({ commonName, organization }: CertificateRow, holder: Holder, cluster: Cluster): string {
  const name = fillText(commonName, cluster, holder.name, holder.addresses[0]);
  return new Subject({ commonName: isExpression(name) ? LATER : name, organization }).toString();
}

/** The columns of a row that the inventory has. */
type LabelledRow = ExceptionalRow & Pick<CertificateRow, "purpose">;

/** A row that may break a rule of this library. */
export type ExceptionalRow = Pick<CertificateRow, "exceptions" | "breakGlass">;

/** What a row breaks of the rules of this library, and why. A break-glass identity is in system:masters, and its table says why. */
export function exceptionsOf({ exceptions = [], breakGlass }: ExceptionalRow): readonly RowException[] {
  return breakGlass === undefined ? exceptions : [...exceptions, { code: "system-masters", reason: breakGlass }];
}

function aboutRow({ purpose, ...row }: LabelledRow): Pick<Label, "purpose" | "exceptions"> {
  const all = exceptionsOf(row);
  return { ...(purpose === undefined ? {} : { purpose }), ...(all.length > 0 ? { exceptions: all } : {}) };
}

/** Certificates that the distribution issues itself: they have no resource, and stand here so that nothing is missing. */
function issuedByDistribution(prefix: string, parts: ClusterParts): OwnEntry[] {
  const { table, cluster, leaves } = parts;
  const issued = new Set(leaves.map(({ holder, name }) => `${holder.name}/${name}`));
  return holdersOf(cluster).flatMap((holder) =>
    Object.entries(table.certificates)
      .filter(([name, row]) => holds(holder, row.holders) && !issued.has(`${holder.name}/${name}`))
      .map(([name, row]) => ({ cluster: prefix, name, holder: holder.name, ...distributionEntry(row, holder, parts) })),
  );
}

function distributionEntry(
  row: CertificateRow,
  holder: Holder,
  { cluster, authorities }: ClusterParts,
): Omit<CertificateEntry, "cluster" | "name" | "path"> {
  const { authority } = row;
  const { dns, ips } = SubjectAltNames.of(...fillNames(row.sans ?? [], cluster, holder));
  return {
    kind: "certificate",
    addresses: [],
    ...aboutRow(row),
    issuedBy: "distribution",
    subject: subjectOf(row, holder, cluster),
    asInTable: true,
    usage: row.usage.name,
    sans: [...dns, ...ips].map((name) => (isExpression(name) ? LATER : name)),
    issuer: { authority, generation: authorities.get(authority)!.active.id },
    files: row.files
      .filter(({ on }) => holds(holder, on))
      .map((file): FileEntry => ({
        holder: holder.name,
        path: fillText(file.path, cluster, holder.name),
        kind: file.kind,
        consumers: consumersOf(file, holder).map(consumerEntry),
      })),
  };
}
