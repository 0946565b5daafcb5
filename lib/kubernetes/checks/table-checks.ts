import { posix } from "node:path";
import { Problems } from "../../errors";
import { didYouMean } from "../../terraform/closest";
import { checkPlainText } from "../../terraform/shape";
import { SYSTEM_MASTERS } from "../../x509/system-masters";
import type {
  CertificateRow,
  ConfigurationRow,
  Consumer,
  DistributionTable,
  EtcdTopology,
  FileRow,
  FirstStartOnly,
  TokenRow,
} from "../table";

/** Finds where a table contradicts itself, or what every distribution has to keep to. */
export function checkTable(table: DistributionTable, problems: Problems): void {
  checkAuthority(table.apiServerAuthority, "apiServerAuthority", table, problems);
  for (const [name, row] of Object.entries(table.certificates)) {
    checkCertificateRow(row, `certificates.${name}`, table, problems);
  }
  const names = Object.keys(table.authorities);
  for (const [name, row] of Object.entries(table.authorities)) {
    checkFrontProxy(name, table, problems);
    row.files.forEach(({ alsoOf = [] }, index) => {
      alsoOf.forEach((other) => checkAuthority(other, `authorities.${name}.files[${index}].alsoOf`, table, problems));
    });
    if (row.issuer !== undefined) {
      const earlier = names.slice(0, names.indexOf(name));
      checkIssuer(row.issuer, `authorities.${name}.issuer`, earlier, problems);
    }
  }
  for (const name of Object.keys(table.keyPairs).filter((name) => names.includes(name))) {
    const fix = "give the key pair another name: fingerprints of both are listed by name and generation";
    problems.add({
      code: "name-twice",
      at: `keyPairs.${name}`,
      given: name,
      allowed: "a name that no authority has",
      fix,
    });
  }
  checkPaths(table, problems);
  for (const [name, row] of Object.entries(table.access.tokens)) {
    checkJoinAuthority(row, `access.tokens.${name}`, table, problems);
  }
}

/** A kubeconfig that names the file with the API server's authorities is of no use where that file is not. */
function checkJoinAuthority(
  { format, file }: TokenRow,
  at: string,
  { apiServerAuthority, authorities }: DistributionTable,
  problems: Problems,
): void {
  const named = format === "secure token" ? undefined : format.kubeconfig.certificateAuthority;
  if (named === undefined) {
    return;
  }
  const path = posix.resolve("/", posix.dirname(file.path), named);
  const bundles = (authorities[apiServerAuthority]?.files ?? []).filter(
    ({ kind, on }) => kind === "bundle" && on.includes(file.on),
  );
  if (!bundles.some((bundle) => bundle.path === path)) {
    problems.add({
      code: "join-authority",
      at: `${at}.format.kubeconfig.certificateAuthority`,
      given: path,
      allowed: bundles.map((bundle) => bundle.path).join(", ") || `a bundle of ${apiServerAuthority} on ${file.on}`,
      fix: "name the bundle of the API server's authority, by its path or relative to the folder of the kubeconfig",
    });
  }
}

function checkCertificateRow(row: CertificateRow, at: string, table: DistributionTable, problems: Problems): void {
  checkAuthority(row.authority, `${at}.authority`, table, problems);
  const mayBeMaster = row.breakGlass || row.exceptions?.some(({ code }) => code === "system-masters");
  if (row.organization === SYSTEM_MASTERS && !mayBeMaster) {
    const fix = "use a group that RBAC can limit, or say in breakGlass or exceptions why it must be";
    problems.add({
      code: "system-masters",
      at: `${at}.organization`,
      given: SYSTEM_MASTERS,
      allowed: "a group that can be unbound",
      fix,
    });
  }
  if (row.holders.includes("worker")) {
    const fix = "name the holder named-worker; a worker without a name joins by TLS bootstrap";
    problems.add({
      code: "shared-key",
      at: `${at}.holders`,
      given: "worker",
      allowed: "holders of which each is one machine",
      fix,
    });
  }
  row.files.forEach(({ path, on }, index) => {
    const others = on.filter((holder) => !row.holders.includes(holder));
    if (others.length > 0) {
      const fix = "add the holder to the row, or leave it out of the file";
      problems.add({
        code: "file-holder",
        at: `${at}.files[${index}].on`,
        given: `${path} on ${others.join(", ")}`,
        allowed: row.holders.join(", "),
        fix,
      });
    }
  });
}

function checkAuthority(name: string, at: string, table: DistributionTable, problems: Problems): void {
  const known = Object.keys(table.authorities);
  if (!known.includes(name)) {
    problems.add({
      code: "unknown-authority",
      at,
      given: name,
      allowed: known.join(", "),
      fix: didYouMean(name, known) ?? "add its row to authorities",
    });
  }
}

/** An authority that is signed by one after it could never be made. */
function checkIssuer(issuer: string, at: string, earlier: readonly string[], problems: Problems): void {
  if (!earlier.includes(issuer)) {
    const allowed = earlier.join(", ") || "none: it is the first";
    problems.add({
      code: "unknown-authority",
      at,
      given: issuer,
      allowed,
      fix: "add its row to authorities, before this one",
    });
  }
}

/**
 * Where one authority signs clients and front proxies, any client could come as a front proxy and be anybody, unless the names of
 * front proxies are given.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#ca-reusage-and-conflicts
 */
function checkFrontProxy(name: string, { authorities }: DistributionTable, problems: Problems): void {
  const bundles = Object.entries(authorities).flatMap(([of, { files }]) =>
    files.filter(({ alsoOf = [] }) => of === name || alsoOf.includes(name)),
  );
  const consumers = bundles.flatMap((file) => file.consumers);
  const takes = (flag: string) => consumers.filter(({ via }) => "flag" in via && via.flag === flag);
  const names = ({ with: flags = {} }: Consumer) => flags["--requestheader-allowed-names"];
  const open = takes("--requestheader-client-ca-file").filter((consumer) => !names(consumer));
  if (open.length > 0 && takes("--client-ca-file").length > 0) {
    const given = "one authority for clients and front proxies";
    const fix = "set --requestheader-allowed-names with --requestheader-client-ca-file, or use two authorities";
    problems.add({
      code: "front-proxy-authority",
      at: `authorities.${name}.files`,
      given,
      allowed: "the names of front proxies given",
      fix,
    });
  }
}

/** Files of nowhere, and two rows that write one file of one holder. */
function checkPaths(table: DistributionTable, problems: Problems): void {
  const writers = new Map<string, string>();
  for (const [row, files] of filesByRow(table)) {
    for (const { path, on, etcd, authorityKeys, firstStartOnly, consumers } of files) {
      checkPath(path, row, problems);
      for (const { prefers } of consumers ?? []) {
        if (prefers !== undefined) {
          checkPath(String(prefers), `${row}: ${path}: prefers`, problems);
        }
      }
      if (firstStartOnly) {
        checkFirstStart(path, firstStartOnly, row, problems);
      }
      for (const holder of on) {
        const keys = authorityKeys === undefined ? [true, false] : [authorityKeys];
        const places = (etcd ?? TOPOLOGIES).flatMap((topology) =>
          keys.map((key) => `${holder} ${topology} ${key} ${path}`),
        );
        const writer = places.map((place) => writers.get(place)).find((found) => found !== undefined);
        if (writer !== undefined) {
          const allowed = `a file of ${holder} that ${writer} does not write`;
          problems.add({ code: "file-twice", at: row, given: path, allowed, fix: "choose another path" });
        }
        places.forEach((place) => writers.set(place, row));
      }
    }
  }
}

/** Finds a file of nowhere, and one whose path is more than one line. */
export function checkPath(given: string, at: string, problems: Problems): void {
  checkPlainText(given, at, problems);
  if (!given.startsWith("/") || given.endsWith("/") || posix.normalize(given) !== given) {
    const fix = "write it like that; a folder it is made of ends without a slash";
    const allowed = "an absolute path without '.', '..' and double slashes";
    problems.add({ code: "file-path", at, given, allowed, fix });
  }
}

/** The command takes a folder, in which the file has to have a place. */
function checkFirstStart(path: string, start: FirstStartOnly, at: string, problems: Problems): void {
  const { folder, madeAtStart } = start;
  if (!path.startsWith(`${folder}/`)) {
    const fix = "name a folder above it in firstStartOnly";
    problems.add({ code: "file-path", at, given: path, allowed: `a path below ${folder}`, fix });
  }
  checkPath(madeAtStart, at, problems);
}

/** Everywhere etcd may run: a file that says nothing of it is written wherever that is. */
const TOPOLOGIES: readonly EtcdTopology[] = ["stacked", "members", "external"];

/** What is checked of a file. */
type CheckedFile = Pick<FileRow, "path" | "on" | "firstStartOnly"> &
  Partial<Pick<FileRow, "consumers">> &
  Pick<ConfigurationRow, "etcd" | "authorityKeys">;

/** All files of a table, by the row that has them. */
export function filesByRow(table: DistributionTable): [row: string, files: readonly CheckedFile[]][] {
  const { configuration, joinPasswords = {}, access } = table;
  const parts = { authorities: table.authorities, keyPairs: table.keyPairs, certificates: table.certificates };
  const rows = Object.entries({ ...parts, joinPasswords }).flatMap(([part, named]) =>
    Object.entries<{ readonly files: readonly CheckedFile[]; readonly configuration?: readonly CheckedFile[] }>(
      named,
    ).map(([name, { files, configuration = [] }]): [string, readonly CheckedFile[]] => [
      `${part}.${name}`,
      [...files, ...configuration],
    ]),
  );
  const tokens = Object.entries(access.tokens).map(
    ([name, { file, configuration }]): [string, readonly CheckedFile[]] => [
      `access.tokens.${name}`,
      [file, ...(configuration ? [configuration] : [])].map(({ path }) => ({ path, on: [file.on] })),
    ],
  );
  return [...rows, ["configuration", configuration], ...tokens];
}
