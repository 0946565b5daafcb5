import {
  Distribution,
  type AuthorityRow,
  type CertificateRow,
  type Consumer,
  type DistributionTable,
  type FileRow,
  type KeyPairRow,
} from "../../lib";
import { accessOf } from "../../lib/kubernetes/cluster-file";

type AnyRow = AuthorityRow | KeyPairRow | CertificateRow;

/** docs/distributions.md, from the tables. */
export function distributionsMarkdown(distributions: readonly Distribution[]): string {
  return `# Distributions

What each distribution's table says: which identities a cluster has, in which files they stand, who reads those, and what has to
happen when they change. This page is made from the tables (\`npm run golden\`); the control plane
of the sandbox is started from the same rows.

- *Issued by*: \`terraform\` rows have resources. \`distribution\` rows are issued by the distribution itself, from the authorities it is
  given; with \`issueLeaves: true\` Terraform issues them as well, for components that are run by hand.
- *Holds*: a file that is *made of others* is written by the distribution itself; Terraform writes it with \`issueLeaves: true\`.
  One for the *first start only* is never written once the distribution runs: \`kubernetes-pki export --rotate-ca\` has the folder that
  its \`certificate rotate-ca\` takes.
- *When it changes*: \`reload\` is noticed by the component itself, \`restart\` is not. A version says that this was measured on it;
  without one it is what the documentation or the source says.
- *Port*: who connects to it sees what is in the file: the certificate that is served, or the authorities whose clients are let in.
- Placeholders: \`{machine}\` and \`{addresses}\` are those of the machine that holds the certificate, \`{endpoint}\` the API server's
  name, \`{serviceIps}\` the first address of each service CIDR, \`{extraSans}\` what the description adds.

${distributions.map(({ table }) => section(table)).join("\n")}`;
}

function section(table: DistributionTable): string {
  const parts = [
    heading("Authorities", authorities(table)),
    heading("Certificates", certificates(table)),
    heading("Files", files(table)),
    heading("Secrets", secrets(table)),
    heading("What machines join with", joins(table)),
    heading("Exceptions", exceptions(table)),
  ];
  return `## ${table.name}\n\nAs of ${table.version}. ${needs(table)}${withoutKeys(table)}${parts.join("")}`;
}

function needs({ requires }: DistributionTable): string {
  const wanted = [
    ...(requires.controlPlanes ? ["control planes"] : []),
    ...(requires.addresses ? ["addresses of its servers"] : []),
    ...(requires.etcdEndpoints ? ["the endpoints of an external etcd"] : []),
  ];
  const etcd = requires.etcd ? ` Etcd is ${requires.etcd.join(" or ")}.` : "";
  return wanted.length > 0
    ? `The description must name ${listed(wanted)}.${etcd}\n`
    : `The description may leave machines out.${etcd}\n`;
}

function withoutKeys({ withoutAuthorityKeys }: DistributionTable): string {
  return withoutAuthorityKeys === undefined
    ? "\nMachines need the authorities' keys.\n"
    : `\nWith \`authorityKeysOnMachines: false\`, files of authorities that are a private key or a signer are on no machine; then ${withoutAuthorityKeys}.\n`;
}

function listed(words: readonly string[]): string {
  return words.length > 2 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join(" and ");
}

function heading(title: string, text: string): string {
  return text ? `\n### ${title}\n\n${text}` : "";
}

function authorities({ authorities, keyPairs }: DistributionTable): string {
  const rows = Object.entries(authorities).map(([name, row]) => [
    code(name),
    row.purpose,
    row.commonName,
    row.organization ?? "",
    list(row.sans ?? []),
    row.issuer ? code(row.issuer) : "itself",
    where(row),
  ]);
  const pairs = Object.entries(keyPairs).map(([name, row]) => [
    code(name),
    row.purpose,
    "no certificate",
    "",
    "",
    "",
    where(row),
  ]);
  return markdownTable(["Name", "Purpose", "CN", "O", "SANs", "Signed by", "Where etcd is"], [...rows, ...pairs]);
}

function certificates({ certificates }: DistributionTable): string {
  const rows = Object.entries(certificates).map(([name, row]) => [
    code(name),
    row.purpose,
    row.commonName,
    row.organization ?? "",
    row.usage.name,
    list(row.sans ?? []),
    code(row.authority),
    row.issuedBy,
    row.holders.join(", "),
    where(row),
  ]);
  const head = [
    "Name",
    "Purpose",
    "CN",
    "O",
    "Usage",
    "SANs",
    "Authority",
    "Issued by",
    "Each has its own",
    "Where etcd is",
  ];
  return markdownTable(head, rows);
}

function files(table: DistributionTable): string {
  const rows = allRows(table).flatMap(([name, row]) => row.files.map((file) => fileCells(name, file)));
  const ofTokens = Object.values(table.access.tokens).flatMap(({ file, configuration }) =>
    configuration ? [{ ...configuration, on: [file.on], etcd: undefined, authorityKeys: undefined }] : [],
  );
  const ofPasswords = Object.values(table.joinPasswords ?? {}).flatMap(({ configuration = [] }) => configuration);
  const beside = [...table.configuration, ...ofPasswords, ...ofTokens];
  const configuration = beside.map(({ path, purpose, on, etcd, authorityKeys, consumers }) => [
    code(path),
    `${purpose}${etcd ? `, where etcd is ${etcd.join(" or ")}` : ""}${authorityKeys === false ? ", and no machine has an authority's key" : ""}`,
    on.join(", "),
    modeAndOwner({ kind: "configuration" }),
    consumers.map(reader).join("<br>"),
  ]);
  const sorted = [...rows, ...configuration].sort(([a], [b]) => (a! < b! ? -1 : 1));
  return markdownTable(["File", "Holds", "On", "Mode", "Read by, when it changes"], sorted);
}

function fileCells(name: string, row: FileRow): string[] {
  return [
    code(row.path),
    `${name}: ${row.kind}${row.writtenBy === "distribution" ? " (made of others)" : ""}${row.firstStartOnly ? " (first start only)" : ""}`,
    row.on.join(", "),
    modeAndOwner(row),
    row.consumers.map(reader).join("<br>"),
  ];
}

function modeAndOwner(row: Parameters<typeof accessOf>[0]): string {
  const { mode, owner } = accessOf(row);
  return `${mode} ${owner}`;
}

function secrets(table: DistributionTable): string {
  const rows = allRows(table).flatMap(([name, { secrets = [] }]) =>
    secrets.map((secret) => [
      code(secret.name),
      code(secret.type),
      list(Object.entries(secret.labels).map(([key, value]) => `${key}=${value}`)),
      list(Object.entries(secret.data).map(([key, kind]) => `${key}: ${kind}`)),
      name,
    ]),
  );
  return markdownTable(["Secret", "Type", "Labels", "Keys", "Of"], rows);
}

function joins({ access, joinPasswords = {} }: DistributionTable): string {
  const tokens = Object.entries(access.tokens).map(([name, { purpose, usages, group, file, format }]) => [
    code(name),
    purpose,
    formatOf(format),
    list(usages),
    group ?? "",
    code(file.path),
    file.on,
  ]);
  const passwords = Object.entries(joinPasswords).flatMap(([name, { purpose, user, format, files }]) =>
    files.map(({ path, on, format: alone }) => [
      code(name),
      `${purpose}: that of ${code(user)}`,
      alone ? "the password alone" : formatOf(format),
      "",
      "",
      code(path),
      on.join(", "),
    ]),
  );
  return markdownTable(["Name", "Purpose", "Written as", "Usages", "Group", "File", "On"], [...tokens, ...passwords]);
}

function formatOf(format: DistributionTable["access"]["tokens"][string]["format"]): string {
  if (format === "secure token") {
    return "`K10<hash>::<token>`";
  }
  const { certificateAuthority } = format.kubeconfig;
  const kubeconfig =
    certificateAuthority === undefined ? "kubeconfig" : `kubeconfig that names ${code(certificateAuthority)}`;
  return format.encoding === "base64gzip" ? "base64(gzip(kubeconfig))" : kubeconfig;
}

function exceptions(table: DistributionTable): string {
  const rows = allRows(table).flatMap(([name, row]) => [
    ...(row.exceptions ?? []).map(({ code: rule, reason }) => [code(name), code(rule), reason]),
    ...("breakGlass" in row && row.breakGlass ? [[code(name), "break glass", row.breakGlass]] : []),
  ]);
  return markdownTable(["Row", "Rule", "Why"], rows);
}

function allRows({ authorities, keyPairs, certificates }: DistributionTable): [string, AnyRow][] {
  return [authorities, keyPairs, certificates].flatMap((part) => Object.entries<AnyRow>(part));
}

function where({ etcd }: AnyRow): string {
  return etcd ? etcd.join(", ") : "";
}

function reader({ component, via, with: others = {}, on, onChange, measured, port, prefers }: Consumer): string {
  const [kind, name] = Object.entries(via)[0] as [string, string];
  const how = kind === "use" ? `(${name})` : code(name);
  const more = Object.entries(others).map(([flag, value]) => code(`${flag}=${value}`));
  const change = `${onChange === "next-use" ? "next use" : onChange}${measured ? ` (${measured})` : ""}`;
  const where = on ? ` on ${on.join(", ")}` : "";
  const shown = port ? `, port ${port.number}` : "";
  const instead = prefers ? `, but ${code(prefers)} while that is there` : "";
  return `${component}${where} ${[how, ...more].join(" ")}: ${change}${shown}${instead}`;
}

function list(values: readonly string[]): string {
  return values.map(code).join(" ");
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A table without the columns that would be empty; nothing when it has no rows. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) {
    return "";
  }
  const filled = head.map((_, index) => rows.some((row) => row[index] !== ""));
  const line = (cells: readonly string[]) =>
    `| ${cells
      .filter((_, index) => filled[index])
      .map((cell) => cell.replaceAll("|", "\\|"))
      .join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}
