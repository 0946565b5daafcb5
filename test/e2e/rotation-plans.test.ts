import { X509Certificate } from "node:crypto";
import { ClusterPki, ClusterPkiProps, Distribution, Generations } from "../../lib";
import { evaluate } from "../../lib/kubernetes/content-readers";
import { planReport } from "../../lib/plan/judge/report";
import { publishedFiles } from "../../lib/terraform-json/outputs";
import { readPlan } from "../../lib/terraform-json/plan";
import { parseState } from "../../lib/terraform-json/state";
import { expectGolden, lines } from "../support/golden";
import { dangersOf, generationsOf, type Standing } from "../support/jumps";
import { Workspace } from "./workspace";

// Every authority and every key pair of every distribution goes through a rotation, one at a time, in one real state. What each plan has to
// touch is worked out from the state before it: which certificates were signed by the authority, by their signatures, and in which files it
// stands, by their text. How the library wires them together is not asked. All distributions share one stack, so that a step is one plan.

jest.setTimeout(900_000);

const CLUSTER = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
};

type Props = Partial<ClusterPkiProps> & { readonly distribution: Distribution };

/** By address prefix. */
const EVERY: Readonly<Record<string, Props>> = {
  kubeadm: { distribution: Distribution.KUBEADM },
  k3s: { distribution: Distribution.K3S },
  "k3s-chained": { distribution: Distribution.k3s({ chained: "root" }) },
  rke2: { distribution: Distribution.RKE2 },
  k0s: { distribution: Distribution.K0S, issueLeaves: true },
  "single-ca": { distribution: Distribution.SINGLE_CA },
  "cluster-api": { distribution: Distribution.CLUSTER_API },
};

/** `ROTATION_PLANS=all` takes every distribution and every authority; the suite plays a part of them. */
const ALL = process.env["ROTATION_PLANS"] === "all";
const PKIS: Readonly<Record<string, Props>> = ALL
  ? EVERY
  : { kubeadm: EVERY["kubeadm"]!, "cluster-api": EVERY["cluster-api"]! };
const IN_SUITE = 2;

/** An authority, or the key pair of service accounts. */
interface Ring {
  readonly pki: string;
  readonly name: string;
  readonly isKeyPair: boolean;
}

/** Those that other authorities are below are rotated by new authorities below them: that is another test. */
const ABOVE = ["root", "intermediate"];

function ringsOf(pki: string): Ring[] {
  const { authorities, keyPairs } = EVERY[pki]!.distribution.table;
  const below = Object.keys(authorities).filter((name) => !ABOVE.includes(name));
  return [
    ...Object.keys(keyPairs).map((name) => ({ pki, name, isKeyPair: true })),
    ...below.map((name) => ({ pki, name, isKeyPair: false })),
  ];
}

const ROUNDS = ALL ? Math.max(...Object.keys(PKIS).map((pki) => ringsOf(pki).length)) : IN_SUITE;
const ringsIn = (round: number): Ring[] => Object.keys(PKIS).flatMap((pki) => ringsOf(pki).slice(round, round + 1));

/** How far the rings of a round are; those of earlier rounds have g2 alone by then, those of later ones g1. */
function synth(round: number, standing: Standing): void {
  workspace.synth("pki", (stack) => {
    for (const [prefix, props] of Object.entries(PKIS)) {
      const generations = ringsOf(prefix).map((ring, index): [Ring, Generations] => [
        ring,
        generationsOf(index < round ? "-A" : index > round ? "A-" : standing),
      ]);
      const authorities = generations.filter(([{ isKeyPair }]) => !isKeyPair);
      const keyPair = generations.find(([{ isKeyPair }]) => isKeyPair);
      new ClusterPki(stack, prefix, {
        addressPrefix: prefix,
        cluster: { ...CLUSTER, name: prefix },
        ...props,
        authorities: Object.fromEntries(authorities.map(([{ name }, value]) => [name, { generations: value }])),
        ...(keyPair ? { serviceAccount: { generations: keyPair[1] } } : {}),
      });
    }
  });
}

interface Resource {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What Terraform has, and what stands in everybody's files by then: `<prefix> <holder> <path>`. */
interface Now {
  readonly resources: readonly Resource[];
  readonly files: ReadonlyMap<string, string>;
}

interface Planned {
  /** `create tls_private_key.…`, sorted. */
  readonly changes: readonly string[];
  /** Names of outputs that change, sorted. */
  readonly outputs: readonly string[];
  /** What the report says of it: `code ring generation`, by prefix. */
  readonly dangers: Readonly<Record<string, string[]>>;
}

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
  synth(0, "A-");
  await workspace.apply("pki");
});

afterAll(() => workspace?.remove());

async function now(): Promise<Now> {
  const text = await workspace.show("pki");
  const { values } = JSON.parse(text) as { values: { root_module: { resources: Resource[] } } };
  const state = parseState(text, "test");
  const files = new Map<string, string>();
  for (const [name, value] of state.outputs) {
    const { prefix = "", value: holders = {} } = publishedFiles(name, value) ?? {};
    for (const [holder, list] of Object.entries(holders)) {
      for (const [file, { content }] of Object.entries(list)) {
        files.set(`${prefix} ${holder} ${file}`, clear(evaluate(content!, (reference) => state.value(reference)!)));
      }
    }
  }
  return { resources: values.root_module.resources, files };
}

/** Text with what is base64 in it in clear as well. */
function clear(text: string): string {
  return (
    text + [...text.matchAll(/[A-Za-z0-9+/=]{200,}/g)].map(([part]) => Buffer.from(part, "base64").toString()).join("")
  );
}

async function plan(): Promise<Planned> {
  await workspace.must("pki", "plan", "-no-color", "-refresh=false", "-out=plan");
  const document = JSON.parse(await workspace.must("pki", "show", "-json", "plan")) as {
    resource_changes: { address: string; change: { actions: string[] } }[];
    output_changes: Record<string, { actions: string[] }>;
  };
  const isChange = ({ actions }: { actions: string[] }) => actions.join() !== "no-op";
  const dangers: Record<string, string[]> = {};
  for (const { code, name = "" } of planReport(readPlan(document)).dangers) {
    const [, prefix = "", title = ""] = /^([\w-]+): (.*)$/.exec(name) ?? [];
    (dangers[prefix] ??= []).push(`${code} ${title}`);
  }
  return {
    changes: document.resource_changes
      .filter(({ change }) => isChange(change))
      .map(({ address, change }) => `${change.actions.join()} ${address}`)
      .sort(),
    outputs: Object.keys(document.output_changes)
      .filter((name) => isChange(document.output_changes[name]!))
      .sort(),
    dangers,
  };
}

const apply = () => workspace.must("pki", "apply", "-no-color", "plan");

/** Resources that are a generation of a ring, by its address, which is a contract. */
function generation({ resources }: Now, { pki, name, isKeyPair }: Ring, id: string): Resource[] {
  const address = `.${pki}__${isKeyPair ? "keys" : "ca"}__${name}__${id}`;
  return resources.filter((resource) => resource.address.endsWith(address));
}

function pemOf(resources: readonly Resource[], attribute: string): string[] {
  return resources.flatMap(({ values }) => (typeof values[attribute] === "string" ? [values[attribute]] : []));
}

/** Certificates that the generation's key has signed, by their signatures, and that are no authorities. */
function signedBy({ resources }: Now, authority: readonly Resource[]): Resource[] {
  const issuers = pemOf(authority, "cert_pem").map((pem) => new X509Certificate(pem));
  return resources.filter(({ type, values }) => {
    if (type !== "tls_locally_signed_cert" || values.is_ca_certificate === true) {
      return false;
    }
    const certificate = new X509Certificate(values.cert_pem as string);
    return issuers.some((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  });
}

/** Files in which one of the texts stands. */
function holding({ files }: Now, texts: readonly string[]): string[] {
  return [...files.keys()].filter((key) => texts.some((text) => files.get(key)!.includes(text.trim()))).sort();
}

function changedFiles(before: Now, after: Now): string[] {
  const keys = new Set([...before.files.keys(), ...after.files.keys()]);
  return [...keys].filter((key) => before.files.get(key) !== after.files.get(key)).sort();
}

/** All that is public of a generation. */
const publicOf = (parts: readonly Resource[], { isKeyPair }: Ring) =>
  pemOf(parts, isKeyPair ? "public_key_pem" : "cert_pem");
const keysOf = (parts: readonly Resource[]) => pemOf(parts, "private_key_pem");

const replaced = (parts: readonly Resource[]) => parts.map(({ address }) => `create,delete ${address}`);
const deleted = (parts: readonly Resource[]) => parts.map(({ address }) => `delete ${address}`);
const sorted = (list: readonly string[]) => [...list].sort();

const outputsOf = (rings: readonly Ring[], ...names: string[]) =>
  rings.flatMap(({ pki }) => names.map((name) => `${pki}_${name}`)).sort();

/** Outputs that change, but for lists of files: those change where a file is made of other references. */
const besidesFiles = ({ outputs }: Planned) => outputs.filter((name) => !name.endsWith("_files"));

/** Dangers by prefix without the one that goes by the day, which has a test of its own. */
function withoutDates(dangers: Planned["dangers"]): Planned["dangers"] {
  const rest = Object.entries(dangers).map(([prefix, list]) => [
    prefix,
    list.filter((danger) => !danger.startsWith("retired-too-soon ")).sort(),
  ]);
  return Object.fromEntries(rest.filter(([, list]) => list!.length > 0)) as Planned["dangers"];
}

function expectedDangers(rings: readonly Ring[], from: Standing, to: Standing): Planned["dangers"] {
  const found = dangersOf(from, to);
  const of = ({ name }: Ring) => found.map((danger) => danger.replace(" ", ` ${name} `)).sort();
  return found.length === 0 ? {} : Object.fromEntries(rings.map((ring) => [ring.pki, of(ring)]));
}

/** What is written down of kubeadm, of its key pair and of one authority, and read by a reviewer. */
const story: string[] = [];

function tell(ring: Ring | undefined, step: string, { changes }: Planned): void {
  if (ring) {
    const own = changes.filter((change) => /\.kubeadm__/.test(change)).map((change) => `  ${change}`);
    story.push(`${ring.name}: ${step}`, ...(own.length > 0 ? own : ["  (no resource)"]));
  }
}

describe.each([...Array(ROUNDS).keys()])("round %i", (round) => {
  const rings = ringsIn(round);
  const kubeadm = rings.find(({ pki }) => pki === "kubeadm");

  /** A plan that is not applied: it goes back from where the state is. */
  async function planned(to: Standing, step: string): Promise<Planned> {
    synth(round, to);
    const found = await plan();
    tell(round < 2 ? kubeadm : undefined, step, found);
    return found;
  }

  /** In the first two rounds, that of the key pairs and one of authorities: what is no step is a danger, from where the state is. */
  async function expectJumps(from: Standing, ...to: Standing[]): Promise<void> {
    for (const standing of round < 2 ? to : []) {
      synth(round, standing);
      const dangers = withoutDates((await plan()).dangers);
      expect({ from, standing, dangers }).toEqual({ from, standing, dangers: expectedDangers(rings, from, standing) });
    }
  }

  let before: Now;
  let after: Now;

  beforeAll(async () => {
    before = await now();
    expect(rings.flatMap((ring) => generation(before, ring, "g2"))).toEqual([]);
  });

  test("introduce makes what there is of g1 once more, and nothing else", async () => {
    await expectJumps("A-", "TA");
    const found = await planned("AT", "introduce");
    const made = rings.flatMap((ring) =>
      generation(before, ring, "g1").map(({ address }) => address.replace(/g1$/, "g2")),
    );
    expect(made.length).toBeGreaterThanOrEqual(rings.length);
    expect(found.changes).toEqual(sorted(made.map((address) => `create ${address}`)));
    expect(besidesFiles(found)).toEqual(outputsOf(rings, "certificates", "fingerprints"));
    expect(found.dangers).toEqual({});
    await apply();
    after = await now();
    // Who verifies is given it, and nobody who signs.
    const g2 = rings.map((ring) => [ring, generation(after, ring, "g2")] as const);
    const trusting = g2.flatMap(([ring, parts]) =>
      holding(after, ring.isKeyPair ? [...publicOf(parts, ring), ...keysOf(parts)] : publicOf(parts, ring)),
    );
    expect(changedFiles(before, after)).toEqual(sorted([...new Set(trusting)]));
    const keys = g2.filter(([{ isKeyPair }]) => !isKeyPair).flatMap(([, parts]) => keysOf(parts));
    expect(holding(after, keys)).toEqual([]);
  });

  test("and back: what was made is deleted", async () => {
    const found = await planned("A-", "back from introduce");
    expect(found.changes).toEqual(sorted(rings.flatMap((ring) => deleted(generation(after, ring, "g2")))));
    await expectJumps("AT", "RA");
  });

  test("promote replaces what g1 signed, and no key", async () => {
    before = after;
    const found = await planned("TA", "promote");
    const g1 = rings.map((ring) => [ring, generation(before, ring, "g1")] as const);
    const leaves = g1.flatMap(([, parts]) => signedBy(before, parts));
    expect(found.changes).toEqual(sorted(replaced(leaves)));
    expect(besidesFiles(found)).toEqual(outputsOf(rings, "certificates"));
    expect(found.dangers).toEqual({});
    await apply();
    after = await now();
    // Bundles begin with the active one from now on; what signs, and what was signed, is another one.
    const held = g1.flatMap(([ring, parts]) => [...publicOf(parts, ring), ...keysOf(parts)]);
    expect(changedFiles(before, after)).toEqual(holding(before, [...held, ...pemOf(leaves, "cert_pem")]));
  });

  test("and back: the same certificates again, and no key is lost", async () => {
    const found = await planned("AT", "back from promote");
    const leaves = rings.flatMap((ring) => signedBy(after, generation(after, ring, "g2")));
    expect(found.changes).toEqual(sorted(replaced(leaves)));
    expect(found.dangers).toEqual({});
    await expectJumps("TA", "-A");
  });

  test("retire touches no resource, and takes g1 out of every file", async () => {
    before = after;
    const found = await planned("RA", "retire");
    expect(found.changes).toEqual([]);
    expect(besidesFiles(found)).toEqual(outputsOf(rings, "certificates"));
    expect(withoutDates(found.dangers)).toEqual({});
    await apply();
    after = await now();
    const held = rings.flatMap((ring) => {
      const parts = generation(before, ring, "g1");
      return [...publicOf(parts, ring), ...keysOf(parts)];
    });
    expect(held.length).toBeGreaterThanOrEqual(rings.length);
    expect(changedFiles(before, after)).toEqual(holding(before, held));
    expect(holding(after, held)).toEqual([]);
  });

  test("and back: no resource either", async () => {
    const found = await planned("TA", "back from retire");
    expect(found.changes).toEqual([]);
    expect(found.dangers).toEqual({});
    await expectJumps("RA", "AT");
  });

  test("remove deletes g1, and nothing else", async () => {
    before = after;
    const found = await planned("-A", "remove");
    expect(found.changes).toEqual(sorted(rings.flatMap((ring) => deleted(generation(before, ring, "g1")))));
    expect(found.outputs).toEqual(outputsOf(rings, "certificates", "fingerprints"));
    expect(found.dangers).toEqual({});
    await apply();
    after = await now();
    expect(changedFiles(before, after)).toEqual([]);
  });
});

test("of kubeadm, what each step touches is what is written down", () => {
  expectGolden("rotation-kubeadm.txt", lines(story));
});
