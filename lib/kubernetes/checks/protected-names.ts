import { type Problems, problemText } from "../../errors";
import { LATER } from "../../inventory-schema";
import type { Certificate } from "../../x509/certificate";
import { perObject } from "../../terraform/memo";
import { rangeOf } from "../../x509/address-range";
import { canonicalHost } from "../../x509/host";
import { issued } from "../../x509/issued";
import { SubjectAltNames } from "../../x509/subject-alt-names";
import { LOOPBACK_NAMES } from "./address-checks";
import { type Cluster, type PlacedMachine, placedMachines } from "../cluster";
import type { ClusterParts } from "../cluster-parts";
import type { ClusterPkiProps } from "../cluster-pki-props";
import { fillNames, holdersOf } from "../holders";
import type { CertificateRow, DistributionTable } from "../table";

/** How clients find the API server, whatever the distribution. */
const API_SERVER_NAMES = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.{clusterDomain}",
  "{endpoint}",
  "{serviceIps}",
  "{extraSans}",
];

/**
 * Flags by which a component lets nobody in but who has a name of these, although an authority signed more: by common name, or by an
 * alternative name.
 *
 * @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
 * @see https://etcd.io/docs/v3.6/op-guide/configuration/
 */
const NAME_FLAGS = ["--requestheader-allowed-names", "--client-cert-allowed-hostname", "--peer-cert-allowed-cn"];

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Finds machines that are called, or reached, like somebody else: their certificates would be valid for that one, too.
 *
 * Whoever runs an API server may have its names. A name that a component checks is nobody's but the row's that has it.
 */
export function checkProtectedNames(cluster: Cluster, table: DistributionTable, problems: Problems): void {
  const machines = placedMachines(cluster);
  const isServer = ({ kinds }: PlacedMachine) => kinds.includes("control-plane");
  const ofApiServer = machines.every(isServer) ? NO_NAMES : apiServerNames(cluster);
  const checked = checkedMachineNames(table);
  for (const placed of machines) {
    const { machine, at } = placed;
    const isApiServer = isServer(placed);
    const found = (where: string, given: string, whose: string) =>
      problems.add({
        code: "protected-name",
        at: where,
        given,
        allowed: `one that is not ${whose}: its certificates would be valid for that, too`,
        fix: "give it one of its own",
      });
    if (LOOPBACK_NAMES.includes(machine.name)) {
      found(`${at}.name`, machine.name, "every machine's own");
    } else if (!isApiServer && ofApiServer.has(machine.name)) {
      found(`${at}.name`, machine.name, "the API server's");
    } else if (checked.has(machine.name)) {
      found(`${at}.name`, machine.name, "a name by which a component knows its clients");
    }
    (machine.addresses ?? []).map(canonicalHost).forEach((address, index) => {
      if (!isApiServer && ofApiServer.has(address)) {
        found(`${at}.addresses[${index}]`, address, "the API server's");
      }
    });
  }
}

/**
 * Finds names that were added to certificates of others than those whose names they are: a row that is no API server's, and one that is
 * not the client which a component knows by that name.
 */
export function checkAddedNames(
  { cluster, certificates = {} }: Pick<ClusterPkiProps, "cluster" | "certificates">,
  table: DistributionTable,
  problems: Problems,
): void {
  const added = Object.entries(certificates).map(([name, choices]) => ({ name, extraSans: choices?.extraSans ?? [] }));
  if (added.every(({ extraSans }) => extraSans.length === 0)) {
    return;
  }
  const ofApiServer = namesOfNoMachine(cluster);
  const checked = checkedNames(table);
  for (const { name, extraSans } of added) {
    const row = Object.hasOwn(table.certificates, name) ? table.certificates[name]! : undefined;
    if (row === undefined) {
      continue;
    }
    const own = [row.commonName, ...(row.sans ?? [])];
    const isApiServer = own.includes("{endpoint}") || row.authority !== table.apiServerAuthority;
    const { dns, ips } = SubjectAltNames.of(...extraSans);
    const taken = [...dns, ...ips].filter(
      (added) =>
        (!isApiServer && row.usage.purposes.includes("server_auth") && ofApiServer.has(added)) ||
        (checked.get(row.authority)?.has(added) && !own.includes(added)),
    );
    for (const given of taken) {
      problems.add({
        code: "protected-name",
        at: `certificates.${name}.extraSans`,
        given,
        allowed: "names that are not those of another of the cluster's servers or clients",
        fix: "leave it out; more names of the API server belong into cluster.extraSans",
      });
    }
  }
}

/** Names and addresses at which clients find the API server, but for those of single machines. */
function apiServerNames(cluster: Cluster): Set<string> {
  const nobody = holdersOf({ ...cluster, controlPlanes: [] })[0]!;
  const { dns, ips } = SubjectAltNames.of(...fillNames(API_SERVER_NAMES, cluster, { ...nobody, extraSans: [] }));
  return new Set([...dns, ...ips]);
}

/** Names that components check, by the authority of those who come with them. */
const checkedNames = perObject(({ authorities }: DistributionTable): ReadonlyMap<string, ReadonlySet<string>> => {
  const names = new Map<string, Set<string>>();
  for (const [authority, { files }] of Object.entries(authorities)) {
    for (const { consumers, alsoOf = [] } of files) {
      const checked = consumers.flatMap(({ with: flags = {} }) =>
        NAME_FLAGS.flatMap((flag) => flags[flag]?.split(",") ?? []),
      );
      for (const of of checked.length > 0 ? [authority, ...alsoOf] : []) {
        names.set(of, new Set([...(names.get(of) ?? []), ...checked]));
      }
    }
  }
  return names;
});

/** Checked names that would come from an authority which also signs certificates with the names of machines. */
const checkedMachineNames = perObject((table: DistributionTable): ReadonlySet<string> => {
  const checked = checkedNames(table);
  const isOfMachine = ({ commonName, sans = [] }: CertificateRow) => [commonName, ...sans].includes("{machine}");
  const rows = Object.values(table.certificates).filter(isOfMachine);
  return new Set(rows.flatMap(({ authority }) => [...(checked.get(authority) ?? [])]));
});

/** What is wrong with certificates of a user that an authority of the cluster signs: the names in them are somebody else's. */
export function protectedNamesIn(certificates: readonly Certificate[], parts: ClusterParts): string[] {
  const { table, cluster, authorities, leaves } = parts;
  const ours = new Set(leaves.map(({ certificate }) => certificate));
  const others = certificates.filter((certificate) => !ours.has(certificate));
  if (others.length === 0) {
    return [];
  }
  const checked = checkedNames(table);
  const ofApiServer = namesOfNoMachine(cluster);
  return others.flatMap((certificate) => {
    const authority = [...authorities].find(([, { generations }]) =>
      Object.values(generations).some(
        ({ certificate: { address } }) => address === certificate.issuer.certificate.address,
      ),
    )?.[0];
    return authority === undefined
      ? []
      : namesTaken(
          certificate,
          checked.get(authority) ?? NO_NAMES,
          authority === table.apiServerAuthority ? ofApiServer : NO_NAMES,
        );
  });
}

/**
 * The API server's names that no machine has: a user may well issue a certificate for a kubelet, from the authority that signs the API
 * server's.
 */
function namesOfNoMachine(cluster: Cluster): Set<string> {
  const machines = placedMachines(cluster).flatMap(({ machine: { name, addresses = [] } }) => [
    name,
    ...addresses.map(canonicalHost),
  ]);
  const names = [...apiServerNames(cluster)].filter((name) => !machines.includes(name) && !isEveryMachines(name));
  return new Set(names);
}

function isEveryMachines(name: string): boolean {
  return LOOPBACK_NAMES.includes(name) || rangeOf(name) === "loopback";
}

function namesTaken(certificate: Certificate, checked: ReadonlySet<string>, servers: ReadonlySet<string>): string[] {
  const { subject, sans, usage } = issued(certificate.ownRequest, certificate.anchor);
  const [, commonName = ""] = /^CN=(.*?)(?:, [A-Z]+=|$)/.exec(subject) ?? [];
  const isOf = (end: string) => usage.split(", ").includes(end);
  const names = [commonName, ...sans];
  const taken = [
    ...(isOf("client") ? names.filter((name) => checked.has(name) || (checked.size > 0 && name === LATER)) : []),
    ...(isOf("server") ? sans.filter((name) => servers.has(name)) : []),
  ];
  return [...new Set(taken)].map((given) =>
    problemText({
      code: "protected-name",
      at: certificate.node.path,
      given,
      allowed: "names that are not those of the cluster's own servers, or by which a component knows its own clients",
      fix: "use a name of its own, or another authority",
    }),
  );
}
