import { Consumer, Distribution, DistributionTable, SingleCaSet } from "../../lib";
import * as components from "../../lib/kubernetes/components";
import { SETS } from "./single-ca";

/** Every entry of the component catalogue; those with a parameter once for each of two programs. */
export const CATALOGUE: readonly Consumer[] = entriesIn(components);

function entriesIn(value: unknown): Consumer[] {
  if (typeof value === "function") {
    return ["k3s", "rke2"].flatMap((program) => entriesIn((value as (parameter: string) => unknown)(program)));
  }
  if (typeof value !== "object" || value === null) {
    return [];
  }
  return "component" in value && "via" in value ? [value as Consumer] : Object.values(value).flatMap(entriesIn);
}

/** Every table of the library, with each option of which it depends who reads what. */
export const TABLES: readonly DistributionTable[] = [
  ...Object.values(Distribution).filter((value): value is Distribution => value instanceof Distribution),
  Distribution.k3s({ chained: "root", clusterAdmin: true }),
  Distribution.rke2({ clusterAdmin: true, profile: "cis" }),
  Distribution.k0s({ clusterAdmin: true }),
  Distribution.kubeadm({ kubeletServing: true }),
  Distribution.singleCa({ oneServerCertificate: true }),
  Distribution.singleCa({ kubeletOnControlPlanes: true }),
  Distribution.singleCa({ ownAuthorities: SETS }),
  ...SETS.map((set: SingleCaSet) => Distribution.singleCa({ ownAuthorities: [set] })),
].map(({ table }) => table);

/** Everybody who reads a file of a table. */
export function readersIn({ authorities, keyPairs, certificates, ...rest }: DistributionTable): Consumer[] {
  const rows = [authorities, keyPairs, certificates, rest.joinPasswords ?? {}].flatMap((part) =>
    Object.values<{ readonly files: readonly { readonly consumers: readonly Consumer[] }[] }>(part),
  );
  const tokens = Object.values(rest.access.tokens).flatMap(({ file, configuration }) =>
    configuration ? [file, configuration] : [file],
  );
  const ofPasswords = Object.values(rest.joinPasswords ?? {}).flatMap(({ configuration = [] }) => configuration);
  return [...rows.flatMap(({ files }) => files), ...rest.configuration, ...ofPasswords, ...tokens].flatMap(
    ({ consumers }) => consumers,
  );
}

/** What a reader is called: its component and the flag, field or use. */
export function nameOf({ component, via }: Consumer): string {
  return `${component} ${Object.values(via)[0] as string}`;
}
