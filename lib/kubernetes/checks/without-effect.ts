import { type Problems, Words } from "../../errors";
import { type Cluster, placedMachines } from "../cluster";
import type { ClusterPkiProps } from "../cluster-pki-props";
import type { CertificateRow, DistributionTable, FileRow, HolderKind } from "../table";

/** A certificate of a table that Terraform issues, or that the distribution does. */
interface Rows {
  readonly issued: readonly CertificateRow[];
  readonly others: readonly CertificateRow[];
}

/** Something of a description, which rows make use of it, and what may stand for it in a configuration. */
interface Option {
  readonly at: string;
  readonly uses: (row: CertificateRow) => boolean;
  readonly templates: readonly string[];
}

/** The rows of a table by who issues them. */
function rowsOf({ certificates }: DistributionTable, issueLeaves: boolean | undefined): Rows {
  const rows = Object.values(certificates);
  const isIssued = ({ issuedBy }: CertificateRow) => issueLeaves ?? issuedBy === "terraform";
  return { issued: rows.filter(isIssued), others: rows.filter((row) => !isIssued(row)) };
}

/** Where the table has the certificate, and somebody else issues it. */
const OR_ISSUE = ", or set issueLeaves: true where you run the components by hand";

/** Finds what was chosen and changes nothing, because the distribution issues the certificates that it is about. */
export function checkEffects(props: ClusterPkiProps, table: DistributionTable, problems: Problems): void {
  const { validity, keyAlgorithm, certificates = {}, issueLeaves } = props;
  const { issued, others } = rowsOf(table, issueLeaves);
  const refuse = (at: string, whose: string, fix = OR_ISSUE) =>
    problems.add({
      code: "without-effect",
      at,
      given: new Words("a choice that changes nothing"),
      allowed: `choices for what Terraform issues: ${table.name} issues ${whose} itself`,
      fix: `leave it out and choose it in the distribution's own configuration${fix}`,
    });
  for (const [name, { byTerraformAlone }] of Object.entries(table.certificates)) {
    if (byTerraformAlone && issueLeaves === false) {
      const allowed = `true, or left out: ${table.name} makes no ${name} itself, and others rely on it`;
      const fix = "leave it out, or leave out the distribution's option that adds this certificate";
      problems.add({ code: "nobody-issues", at: "issueLeaves", given: false, allowed, fix });
    }
  }
  for (const [at, value] of Object.entries({ validity, keyAlgorithm })) {
    if (value !== undefined && issued.length === 0) {
      refuse(at, "every certificate that is no authority");
    }
  }
  for (const [name, choices = {}] of Object.entries(certificates)) {
    const row = Object.hasOwn(table.certificates, name) ? table.certificates[name]! : undefined;
    if (row && others.includes(row) && Object.values(choices).some((choice) => choice !== undefined)) {
      refuse(`certificates.${name}`, "that certificate");
    }
  }
  for (const { at, uses } of untold(props.cluster, table)) {
    if (!issued.some(uses) && !others.some(uses)) {
      refuse(at, "the certificates that it is about", "");
    }
  }
}

/** What is in the inventory alone, since the distribution issues what it is about: it has to be told the same. */
export function effectWarnings({ cluster, issueLeaves }: ClusterPkiProps, table: DistributionTable): string[] {
  const { issued, others } = rowsOf(table, issueLeaves);
  const { etcd } = cluster;
  const endpoints = etcd?.topology === "external" && etcd.endpoints && !isTold("{etcdEndpoints}", table);
  const options = untold(cluster, table).filter(({ uses }) => !issued.some(uses) && others.some(uses));
  return [
    ...options.map(
      ({ at }) =>
        `[without-effect] ${at}: ${table.name} issues the certificates that it is about itself; say the same in its own configuration, or leave it out`,
    ),
    ...(endpoints
      ? [
          `[without-effect] cluster.etcd.endpoints: no file from here tells ${table.name} of them; say the same in its own configuration, or leave them out`,
        ]
      : []),
    ...machineLists(cluster)
      .filter(({ kinds }) => !hasFiles(kinds, table, issued))
      .map(
        ({ at }) =>
          `[without-effect] ${at}: Terraform issues nothing for these machines, and they have no files of their own; leave them out, or keep them for the inventory`,
      ),
  ];
}

const isLocal = ({ server }: FileRow) => server === "local";

/** Choices that are in no configuration from here, by which the distribution would hear of them. */
function untold(cluster: Cluster, table: DistributionTable): Option[] {
  return optionsOf(cluster).filter(({ templates }) => !templates.some((template) => isTold(template, table)));
}

function isTold(template: string, { configuration }: DistributionTable): boolean {
  return configuration.some(({ text, sans = [] }) => text.includes(template) || sans.includes(template));
}

/** Choices of a description that only some certificates take up. */
function optionsOf({ extraSans = [], controlPlanes = [] }: Cluster): Option[] {
  const takesNames = ({ sans = [] }: CertificateRow) => sans.includes("{extraSans}");
  const asksLocally = ({ files }: CertificateRow) => files.some(isLocal);
  return [
    ...(extraSans.length > 0
      ? [{ at: "cluster.extraSans", uses: takesNames, templates: ["{clusterSans}", "{extraSans}"] }]
      : []),
    ...controlPlanes.flatMap((machine, index) => [
      ...(machine.extraSans?.length
        ? [{ at: `cluster.controlPlanes[${index}].extraSans`, uses: takesNames, templates: ["{extraSans}"] }]
        : []),
      ...(machine.bindPort === undefined
        ? []
        : [{ at: `cluster.controlPlanes[${index}].bindPort`, uses: asksLocally, templates: ["{bindPort}"] }]),
    ]),
  ];
}

/** Each list of machines that a description has, with what its machines hold as. */
function machineLists(cluster: Cluster): { readonly at: string; readonly kinds: readonly HolderKind[] }[] {
  const lists = new Map(placedMachines(cluster).map(({ at, kinds }) => [at.replace(/\[[0-9]+\]$/, ""), kinds]));
  return [...lists].map(([at, kinds]) => ({ at, kinds }));
}

/** True where somebody of these kinds gets a file from here. */
function hasFiles(kinds: readonly HolderKind[], table: DistributionTable, issued: readonly CertificateRow[]): boolean {
  const rows = [...Object.values(table.authorities), ...Object.values(table.keyPairs), ...issued];
  const files = [...rows.flatMap(({ files }) => files), ...table.configuration];
  return files.some(({ on }) => on.some((kind) => kinds.includes(kind)));
}
