import { Token } from "cdktf";
import * as fc from "fast-check";
import {
  ClusterAccess,
  ClusterPki,
  Distribution,
  Generation,
  Group,
  KeyAlgorithm,
  PkiError,
  User,
  Validity,
} from "../../../lib";
import { accessStack, CA_PEM } from "../access/fixture";
import { EXTERNAL, MEMBERS, ONE, THREE } from "../../support/cluster";
import { newStack, synth } from "../../support/synth";

// A description of each distribution with something wrong at random places: what comes of it is one clear error, or what Terraform takes.

const K3S = { ...THREE, workers: undefined };

/** Descriptions that use every prop, each a tree of objects, lists and texts, and what only a class can make. */
const VALID: Readonly<Record<string, () => Node>> = {
  kubeadm: () =>
    description(Distribution.KUBEADM, { ...THREE, extraSans: ["kube.example.com", { ips: ["192.0.2.1"] }] }),
  "kubeadm with etcd members": () => description(Distribution.KUBEADM, MEMBERS),
  "kubeadm with external etcd": () =>
    description(Distribution.KUBEADM, { ...EXTERNAL, clusterDomain: "example.local" }),
  k3s: () => description(Distribution.K3S, K3S),
  rke2: () => description(Distribution.RKE2, K3S),
  k0s: () => description(Distribution.K0S, K3S),
  "single CA": () => description(Distribution.SINGLE_CA, THREE),
  "Cluster API": () => description(Distribution.CLUSTER_API, { ...ONE, controlPlanes: undefined }),
};

type Node = Record<string, unknown> | unknown[];

const copied = (value: object) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

function description(distribution: Distribution, cluster: object): Node {
  const { table } = distribution;
  const generations = { g1: Generation.active({ validity: Validity.years(10) }), g2: Generation.trusted() };
  const written = { distribution, cluster: copied(cluster), addressPrefix: "prod" };
  return {
    pki: {
      ...written,
      authorities: { [table.apiServerAuthority]: { generations } },
      serviceAccount: { generations: { g1: Generation.active({ keyAlgorithm: KeyAlgorithm.RSA_3072 }) } },
      subject: { organizationalUnit: "Platform", country: "DE" },
      deletionProtection: true,
    },
    access: {
      ...copied({ cluster, addressPrefix: "prod" }),
      distribution,
      certificateAuthority: CA_PEM,
      clusterAdmins: [Group.named("platform-engineers"), User.named("pipeline")],
      labels: { team: "platform" },
      annotations: { "example.com/note": "text" },
      adopt: false,
      ...(Object.keys(table.access.tokens).length > 0
        ? { tokens: { workers: { rotateAfterHours: 12, groups: undefined, description: "workers" } } }
        : {}),
    },
  };
}

/** One thing that is done to one place of a description. */
interface Mutation {
  /** Which place, of as many as there are. */
  readonly place: number;
  readonly change: (parent: Node, key: string) => void;
}

const isNode = (value: unknown): value is Node =>
  Array.isArray(value) ||
  (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);

function placesOf(node: Node): [Node, string][] {
  return Object.keys(node).flatMap((key): [Node, string][] => {
    const inner = (node as Record<string, unknown>)[key];
    return [[node, key], ...(isNode(inner) ? placesOf(inner) : [])];
  });
}

const set = (parent: Node, key: string, value: unknown) =>
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });

const VALUES: readonly unknown[] = [
  null,
  undefined,
  true,
  0,
  -1,
  90,
  1e300,
  NaN,
  Infinity,
  10n,
  Symbol("a"),
  "",
  " ",
  "text",
  "10.0.0.1",
  "constructor",
  "__proto__",
  "a\u0000b",
  "\ud800",
  "${x}",
  "%{ if true }",
  [],
  [null],
  [[]],
  {},
  { constructor: 1 },
  { length: 1 },
  new Date(0),
  new Map([["a", 1]]),
  () => "a",
  Distribution,
  Validity.days(90),
  Generation.active(),
  Token.asString({ a: 1 }),
  Token.asNumber({ a: 1 }),
];

const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty", "", "a b", "a\nb", "${x}"];

const change: fc.Arbitrary<Mutation["change"]> = fc.oneof(
  fc.constant((parent: Node, key: string) => {
    Reflect.deleteProperty(parent, key);
  }),
  fc.constantFrom(...VALUES).map((value) => (parent: Node, key: string) => {
    set(parent, key, value);
  }),
  fc
    .constantFrom<(key: string) => string>(
      (key) => key.toUpperCase(),
      (key) => key.slice(0, -1),
      (key) => `${key}s`,
      ...NAMES.map((name) => () => name),
    )
    .map((rename) => (parent: Node, key: string) => {
      const value = (parent as Record<string, unknown>)[key];
      Reflect.deleteProperty(parent, key);
      set(parent, rename(key), value);
    }),
);

const mutations = fc.array(fc.record({ place: fc.nat(), change }), { minLength: 1, maxLength: 3 });

function mutated(node: Node, changes: readonly Mutation[]): Record<string, unknown> {
  for (const { place, change } of changes) {
    const places = placesOf(node);
    const [parent, key] = places[place % places.length]!;
    change(parent, key);
  }
  return node as Record<string, unknown>;
}

const NEVER = /undefined|\[object|NaN|TfToken/;

/** What is thrown, but for what a user is to be told. */
function outcome(act: () => unknown): "made" | "refused" {
  try {
    act();
    return "made";
  } catch (error) {
    if (!(error instanceof PkiError)) {
      throw error;
    }
    expect(error.message).not.toMatch(NEVER);
    return "refused";
  }
}

test.each(Object.entries(VALID))("%s, as it is, is taken", (_, valid) => {
  const { pki, access } = valid() as Record<string, never>;
  const stack = newStack();
  new ClusterPki(stack, "pki", pki);
  const inside = accessStack();
  new ClusterAccess(inside, "access", access);
  expect(Object.keys({ ...synth(stack), ...synth(inside) })).toContain("resource");
});

test.each(Object.entries(VALID))("%s with mistakes ends in a PkiError, or is what Terraform takes", (_, valid) => {
  const found = { made: 0, refused: 0 };
  fc.assert(
    fc.property(mutations, (changes) => {
      const { pki, access } = mutated(valid(), changes) as Record<string, never>;
      const [stack, inside] = [newStack(), accessStack()];
      const outcomes = [
        outcome(() => new ClusterPki(stack, "pki", pki)),
        outcome(() => new ClusterAccess(inside, "access", access)),
      ];
      outcomes.forEach((of) => (found[of] += 1));
      synth(stack);
      synth(inside);
    }),
    { seed: 11, numRuns: 60 },
  );
  expect(found.refused).toBeGreaterThan(20);
  expect(found.made).toBeGreaterThan(20);
});
