import { TerraformStack, TerraformVariable } from "cdktf";
import fc from "fast-check";
import {
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  Generation,
  GenerationState,
  KeyAlgorithm,
  Validity,
} from "../../lib";

/** A value that only Terraform knows: a variable with this value. */
export interface Later {
  readonly later: string;
}

/** A value that is known, or is not yet. */
export type Text = string | Later;

/** A machine as it is drawn. */
export interface DrawnMachine {
  readonly name: string;
  readonly addresses: readonly Text[];
  readonly extraSans?: readonly Names[];
  readonly bindPort?: number;
}

type Names = string | { readonly dns?: readonly Text[]; readonly ips?: readonly Text[] };

/** A description as plain data: what is asked for, in no words of the library but its props'. */
export interface Drawn {
  readonly distribution: string;
  readonly issueLeaves: boolean;
  /** The option by which more machines have certificates for their kubelet. */
  readonly moreForKubelets: boolean;
  readonly name: string;
  readonly endpoint: {
    readonly kind: "dns" | "ip";
    readonly host: Text;
    readonly port: number;
    readonly asText: boolean;
  };
  readonly serviceCidrs: readonly string[];
  readonly clusterDomain?: string;
  readonly controlPlanes: readonly DrawnMachine[];
  readonly workers: readonly DrawnMachine[];
  readonly etcd: "stacked" | "external" | readonly DrawnMachine[];
  readonly extraSans: readonly Names[];
  readonly validityHours?: number;
  readonly keyAlgorithm?: "ECDSA_P256" | "ECDSA_P384" | "RSA_2048";
  readonly subject?: {
    readonly organizationalUnit?: string;
    readonly country?: string;
    readonly province?: string;
    readonly locality?: string;
  };
  /** Where the generations of an authority, or of the service accounts' key, stand. */
  readonly generations: Readonly<Record<string, Readonly<Record<string, GenerationState>>>>;
}

/** Distributions by the name that is drawn. */
export const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = Object.fromEntries(
  Object.values(Distribution)
    .filter((value): value is Distribution => value instanceof Distribution)
    .map((distribution) => [distribution.table.name, distribution]),
);

/** Those that have such an option, with it. */
const WITH_MORE_FOR_KUBELETS: Readonly<Record<string, Distribution>> = {
  kubeadm: Distribution.kubeadm({ kubeletServing: true }),
  "single-ca": Distribution.singleCa({ kubeletOnControlPlanes: true }),
};

/** Where etcd may run, as the documentation of each has it. */
const TOPOLOGIES: Readonly<Record<string, readonly ("stacked" | "members" | "external")[]>> = {
  kubeadm: ["stacked", "members", "external"],
  "single-ca": ["stacked", "members", "external"],
  k3s: ["stacked"],
  rke2: ["stacked"],
  k0s: ["stacked"],
  "cluster-api": ["stacked", "members"],
};

/** Words that stand where a machine's name would in a Terraform address: the README has them. */
const RESERVED = [
  "worker",
  "operator",
  "cluster",
  "ca",
  "keys",
  "token",
  "binding",
  "role",
  "secret",
  "guards",
  "requests",
];

const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,10}[a-z0-9])?$/);
const nodeName = fc.oneof(label, fc.stringMatching(/^[a-z][-a-z0-9]{0,6}[a-z0-9](\.[a-z][a-z0-9]{0,6}){0,2}$/));
const dnsName = fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?\.[a-z][a-z0-9]{0,8}\.[a-z]{2,5}$/);

/** A different number for each address of one description, so that no two are one by chance. */
function ipv4(number: number): string {
  return `10.${20 + ((number >> 16) & 63)}.${(number >> 8) & 255}.${number & 255}`;
}

function ipv6(number: number, isLong: boolean): string {
  const last = (number + 16).toString(16);
  return isLong ? `2001:0DB8:0:0:0:0:1:${last.toUpperCase()}` : `2001:db8::1:${last}`;
}

/** Descriptions that are right. */
export const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    distribution: fc.constantFrom(...Object.keys(TOPOLOGIES)),
    issueLeaves: fc.boolean(),
    moreForKubelets: fc.boolean(),
    name: label,
    names: fc.uniqueArray(
      nodeName.filter((name) => !RESERVED.includes(name)),
      { minLength: 10, maxLength: 10 },
    ),
    sans: fc.uniqueArray(dnsName, { minLength: 8, maxLength: 8 }),
    numbers: fc.uniqueArray(fc.integer({ min: 1, max: 60_000 }), { minLength: 24, maxLength: 24 }),
    isLater: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
    hasLater: fc.boolean(),
    counts: fc.record({
      controlPlanes: fc.integer({ min: 1, max: 3 }),
      workers: fc.integer({ min: 0, max: 2 }),
      members: fc.integer({ min: 1, max: 3 }),
      sans: fc.integer({ min: 0, max: 3 }),
    }),
    families: fc.constantFrom("4", "6", "46", "64"),
    isLong: fc.boolean(),
    endpoint: fc.record({
      kind: fc.constantFrom("dns", "ip"),
      port: fc.oneof(fc.constant(6443), fc.integer({ min: 1, max: 65_535 })),
      asText: fc.boolean(),
    }),
    etcd: fc.integer({ min: 0, max: 2 }),
    ownNames: fc.boolean(),
    bindPort: fc.option(fc.integer({ min: 1024, max: 65_535 }), { nil: undefined }),
    clusterDomain: fc.option(dnsName, { nil: undefined }),
    validityHours: fc.option(fc.integer({ min: 24, max: 17_000 }), { nil: undefined }),
    keyAlgorithm: fc.option(fc.constantFrom("ECDSA_P256", "ECDSA_P384", "RSA_2048"), { nil: undefined }),
    subject: fc.option(
      fc.record(
        {
          organizationalUnit: fc.constantFrom("Platform", 'Größe, 1 + "x"', "a=b"),
          country: fc.constantFrom("DE", "US"),
          locality: fc.constantFrom("Köln", "Oslo; #2"),
          province: fc.constantFrom("Nordrhein-Westfalen", "Île-de-France"),
        },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    ),
    standings: fc.array(
      fc.constantFrom<Readonly<Record<string, GenerationState>>>(
        { g1: "active" },
        { g1: "active", g2: "trusted" },
        { g2: "active", g1: "retired" },
        { g3: "trusted", g2: "active", g1: "trusted" },
      ),
      { minLength: 8, maxLength: 8 },
    ),
  })
  .map((seed): Drawn => {
    const topologies = TOPOLOGIES[seed.distribution]!;
    let next = 0;
    const address = (family: string): Text => {
      const index = next++;
      const number = seed.numbers[index]!;
      const text = family === "4" ? ipv4(number) : ipv6(number, seed.isLong);
      // Terraform writes an address as it is given: only the canonical spelling is one.
      return seed.hasLater && seed.isLater[index]! ? { later: family === "4" ? text : ipv6(number, false) } : text;
    };
    const families = [...seed.families];
    const names = [...seed.names];
    const machine = (): DrawnMachine => ({ name: names.shift()!, addresses: families.map(address) });
    const machines = (count: number) => Array.from({ length: count }, machine);
    const sans = [...seed.sans];
    const host = (): Text => {
      const name = sans.shift()!;
      return seed.hasLater && seed.isLater[next]! ? { later: name } : name;
    };
    const endpointHost = seed.endpoint.kind === "dns" ? host() : address(families[0]!);
    const topology = topologies[seed.etcd % topologies.length]!;
    const table = DISTRIBUTIONS[seed.distribution]!.table;
    const issuesItself = Object.values(table.certificates).every(({ issuedBy }) => issuedBy === "terraform");
    const issueLeaves = issuesItself || (seed.issueLeaves && seed.distribution !== "cluster-api");
    const named = Object.entries(table.authorities).filter(([, { etcd }]) => etcd?.includes(topology) ?? true);
    const authorities = [...named.map(([name]) => name), "service-account"];
    // What only a certificate or a kubeconfig of a control plane takes up.
    const controlPlane = (): DrawnMachine => ({
      ...machine(),
      ...(issueLeaves && seed.ownNames ? { extraSans: [sans.shift()!] } : {}),
      ...(issueLeaves && seed.bindPort !== undefined ? { bindPort: seed.bindPort } : {}),
    });
    const isChained = Object.values(table.authorities).some(({ issuer }) => issuer !== undefined);
    return {
      distribution: seed.distribution,
      issueLeaves,
      moreForKubelets: seed.moreForKubelets && seed.distribution in WITH_MORE_FOR_KUBELETS,
      name: seed.name,
      endpoint: {
        ...seed.endpoint,
        kind: seed.endpoint.kind as "dns" | "ip",
        host: endpointHost,
        asText: seed.endpoint.asText && typeof endpointHost === "string",
      },
      serviceCidrs: families.map((family) => (family === "4" ? "172.16.0.0/16" : "fd00:10:96::/112")),
      ...(seed.clusterDomain === undefined ? {} : { clusterDomain: seed.clusterDomain }),
      controlPlanes:
        seed.distribution === "cluster-api" ? [] : Array.from({ length: seed.counts.controlPlanes }, controlPlane),
      workers: issueLeaves && seed.distribution !== "cluster-api" ? machines(seed.counts.workers) : [],
      etcd: topology === "members" ? machines(seed.counts.members) : topology,
      extraSans:
        issueLeaves && seed.distribution !== "cluster-api"
          ? Array.from({ length: seed.counts.sans }, (_, index): Names => {
              const name = host();
              return typeof name !== "string" || index % 2 === 1 ? { dns: [name], ips: [address(families[0]!)] } : name;
            })
          : [],
      ...(issueLeaves && seed.validityHours !== undefined ? { validityHours: seed.validityHours } : {}),
      ...(issueLeaves && seed.keyAlgorithm !== undefined ? { keyAlgorithm: seed.keyAlgorithm } : {}),
      ...(seed.subject === undefined ? {} : { subject: seed.subject }),
      generations: isChained
        ? {}
        : Object.fromEntries(authorities.map((name, index) => [name, seed.standings[index % seed.standings.length]!])),
    };
  });

/** Puts keys, and lists whose order means nothing, into another order. */
export type Order = <T>(list: readonly T[]) => T[];

/** The props that a hand would write. */
export function propsOf(stack: TerraformStack, drawn: Drawn, order: Order = (list) => [...list]): ClusterPkiProps {
  const variables = new Map<string, string>();
  const text = (value: Text): string => {
    if (typeof value === "string") {
      return value;
    }
    const known = variables.get(value.later);
    if (known !== undefined) {
      return known;
    }
    // Named after what it holds: a variable stays the same one wherever it stands.
    const name = `v-${drawn.name}-${value.later.replace(/[^a-z0-9]/g, "_")}`;
    const token = new TerraformVariable(stack, name, { type: "string", default: value.later }).stringValue;
    variables.set(value.later, token);
    return token;
  };
  const names = (list: readonly Names[] | undefined) =>
    list?.map((name) =>
      typeof name === "string"
        ? name
        : { ...(name.dns ? { dns: name.dns.map(text) } : {}), ...(name.ips ? { ips: name.ips.map(text) } : {}) },
    );
  const machine = ({ name, addresses, extraSans, bindPort }: DrawnMachine) =>
    ordered(
      {
        name,
        addresses: addresses.map(text),
        ...(extraSans ? { extraSans: names(extraSans) } : {}),
        ...(bindPort === undefined ? {} : { bindPort }),
      },
      order,
    );
  const { kind, host, port, asText } = drawn.endpoint;
  const endpoint = asText
    ? `${String(host).includes(":") ? `[${String(host)}]` : String(host)}:${port}`
    : { [kind]: text(host), port };
  const { "service-account": serviceAccount, ...authorities } = drawn.generations;
  const generations = (states: Readonly<Record<string, GenerationState>>) =>
    ordered(Object.fromEntries(Object.entries(states).map(([id, state]) => [id, Generation[state]()])), order);
  const cluster = {
    name: drawn.name,
    endpoint,
    serviceCidrs: drawn.serviceCidrs,
    ...(drawn.clusterDomain === undefined ? {} : { clusterDomain: drawn.clusterDomain }),
    ...(drawn.controlPlanes.length > 0 ? { controlPlanes: drawn.controlPlanes.map(machine) } : {}),
    ...(drawn.workers.length > 0 ? { workers: drawn.workers.map(machine) } : {}),
    ...(drawn.etcd === "stacked"
      ? {}
      : {
          etcd:
            drawn.etcd === "external"
              ? { topology: "external", endpoints: ["https://etcd.example.com:2379"] }
              : { topology: "members", members: drawn.etcd.map(machine) },
        }),
    ...(drawn.extraSans.length > 0 ? { extraSans: order(names(drawn.extraSans)!) } : {}),
  };
  const table = DISTRIBUTIONS[drawn.distribution]!.table;
  const issuesItself = Object.values(table.certificates).every(({ issuedBy }) => issuedBy === "terraform");
  return ordered(
    {
      distribution: (drawn.moreForKubelets ? WITH_MORE_FOR_KUBELETS : DISTRIBUTIONS)[drawn.distribution]!,
      cluster: ordered(cluster, order),
      ...(drawn.issueLeaves && !issuesItself ? { issueLeaves: true } : {}),
      ...(drawn.validityHours === undefined ? {} : { validity: Validity.hours(drawn.validityHours) }),
      ...(drawn.keyAlgorithm === undefined ? {} : { keyAlgorithm: KeyAlgorithm[drawn.keyAlgorithm] }),
      ...(drawn.subject === undefined ? {} : { subject: drawn.subject }),
      ...(Object.keys(authorities).length > 0
        ? {
            authorities: ordered(
              Object.fromEntries(
                Object.entries(authorities).map(([name, states]) => [name, { generations: generations(states) }]),
              ),
              order,
            ),
          }
        : {}),
      ...(serviceAccount ? { serviceAccount: { generations: generations(serviceAccount) } } : {}),
    },
    order,
  ) as unknown as ClusterPkiProps;
}

/** Makes the cluster. */
export function build(stack: TerraformStack, drawn: Drawn, order?: Order): ClusterPki {
  return new ClusterPki(stack, drawn.name, propsOf(stack, drawn, order));
}

function ordered<T extends object>(value: T, order: Order): T {
  return Object.fromEntries(order(Object.entries(value))) as T;
}
