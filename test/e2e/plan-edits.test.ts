import { X509Certificate } from "node:crypto";
import {
  Cluster,
  ClusterCertificateOptions,
  ClusterPki,
  Distribution,
  Generation,
  Generations,
  GenerationState,
  Inventory,
  inventoryOf,
  KeyAlgorithm,
  Validity,
} from "../../lib";
import { FilesByHolder, publishedFiles } from "../../lib/terraform-json/outputs";
import { parseState, State } from "../../lib/terraform-json/state";
import { Random } from "../campaign/random";
import { expectClaimedOnce } from "../support/claimed";
import { Workspace } from "./workspace";
import { IdentityChange, planReport } from "../../lib/plan/judge/report";
import { readPlan } from "../../lib/terraform-json/plan";
import { evaluate } from "../../lib/kubernetes/content-readers";

// What the report says of a plan is compared with the certificates themselves, before and after it was applied.

const CLUSTERS = 5;
const ROUNDS = 14;
const EDITS_OF_EACH = 3;

jest.setTimeout(1_200_000);

/** What is edited of a cluster. */
interface Description {
  readonly cluster: Cluster;
  readonly generations: Readonly<Record<string, Readonly<Record<string, GenerationState>>>>;
  readonly certificates: Readonly<Record<string, ClusterCertificateOptions>>;
  readonly edits: number;
}

type Edit = (description: Description, random: Random) => Description;

const AUTHORITIES = ["kubernetes", "front-proxy", "service-account"];
const LEAVES = ["apiserver", "apiserver-kubelet-client", "front-proxy-client", "admin", "scheduler", "kubelet"];

const EDITS: Readonly<Record<string, Edit>> = {
  "a name of the API server": (description, random) => {
    const { cluster } = description;
    const names = (cluster.extraSans ?? []) as string[];
    const extraSans =
      random.coin() && names.length > 0 ? names.slice(1) : [...names, `n${description.edits}.example.com`];
    return { ...description, cluster: { ...cluster, extraSans } };
  },
  "an address": ({ cluster, ...description }, random) => {
    const [first, ...others] = cluster.controlPlanes!;
    const addresses = [`10.0.${random.below(200)}.${random.below(200) + 1}`];
    return { ...description, cluster: { ...cluster, controlPlanes: [{ ...first!, addresses }, ...others] } };
  },
  "a control plane": ({ cluster, ...description }) => {
    const [first, second] = cluster.controlPlanes!;
    const more = { name: "cp-2", addresses: ["10.0.0.12"] };
    return { ...description, cluster: { ...cluster, controlPlanes: second ? [first!] : [first!, more] } };
  },
  "a worker": ({ cluster, ...description }) => {
    const workers = cluster.workers?.length ? [] : [{ name: "worker-1" }];
    return { ...description, cluster: { ...cluster, workers } };
  },
  "the endpoint": ({ cluster, ...description }) => {
    return { ...description, cluster: { ...cluster, endpoint: `api-${description.edits}.example.com:6443` } };
  },
  "the cluster's domain": ({ cluster, ...description }) => {
    const clusterDomain = cluster.clusterDomain ? undefined : "k8s.example.com";
    return { ...description, cluster: { ...cluster, clusterDomain } };
  },
  "a validity": (description, random) =>
    choose(description, random, { validity: Validity.days(30 + random.below(300)) }),
  "an algorithm": (description, random) =>
    choose(description, random, {
      keyAlgorithm: random.coin() ? KeyAlgorithm.ECDSA_P384 : KeyAlgorithm.ECDSA_P256,
    }),
  "a key": (description, random) => choose(description, random, { keyGeneration: `k${description.edits}` }),
  "a rotation's next step": (description, random) => {
    const name = random.of(AUTHORITIES);
    const states = rotated(description.generations[name]!);
    return { ...description, generations: { ...description.generations, [name]: states } };
  },
  "a step back": (description, random) => {
    const name = random.of(AUTHORITIES);
    const states = description.generations[name]!;
    const back = Object.entries(states).map(([id, state]) => [id, state === "retired" ? "trusted" : state] as const);
    return { ...description, generations: { ...description.generations, [name]: Object.fromEntries(back) } };
  },
};

/** A rotation has several steps, and three things rotate. */
const OFTEN = [...Object.keys(EDITS), ...Array<string>(5).fill("a rotation's next step")];

function choose({ certificates, ...description }: Description, random: Random, options: ClusterCertificateOptions) {
  const name = random.of(LEAVES);
  return { ...description, certificates: { ...certificates, [name]: { ...certificates[name], ...options } } };
}

/** Introduce, promote, retire, remove. */
function rotated(states: Readonly<Record<string, GenerationState>>): Record<string, GenerationState> {
  const ids = Object.keys(states);
  const [first, last] = [ids[0]!, ids.at(-1)!];
  if (ids.length === 1) {
    return { ...states, [`g${Number(first.slice(1)) + 1}`]: "trusted" };
  }
  if (states[last] === "trusted") {
    return { [first]: "trusted", [last]: "active" };
  }
  return states[first] === "trusted" ? { ...states, [first]: "retired" } : { [last]: "active" };
}

function first(index: number): Description {
  return {
    cluster: {
      name: `c${index}`,
      endpoint: `c${index}.example.com:6443`,
      serviceCidrs: ["10.96.0.0/12"],
      controlPlanes: [{ name: "cp-1", addresses: [`10.0.0.${index + 1}`] }],
      etcd: { topology: "external", endpoints: ["https://etcd.example.com:2379"] },
    },
    generations: Object.fromEntries(AUTHORITIES.map((name) => [name, { g1: "active" as const }])),
    certificates: {},
    edits: 0,
  };
}

function generationsOf(states: Readonly<Record<string, GenerationState>>): Generations {
  return Object.fromEntries(Object.entries(states).map(([id, state]) => [id, Generation[state]()]));
}

let workspace: Workspace;
let inventory: Inventory;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

function synth(descriptions: readonly Description[]): void {
  workspace.synth("platform", (stack) => {
    for (const { cluster, generations, certificates } of descriptions) {
      const { "service-account": pairs, ...authorities } = generations;
      new ClusterPki(stack, cluster.name, {
        distribution: Distribution.KUBEADM,
        cluster,
        certificates,
        authorities: Object.fromEntries(
          Object.entries(authorities).map(([name, states]) => [name, { generations: generationsOf(states) }]),
        ),
        serviceAccount: { generations: generationsOf(pairs!) },
      });
    }
    inventory = inventoryOf(stack);
  });
}

/** A thing that an apply may change, as it really is. */
type Truth = Certificate | { readonly kind: "generation"; readonly key: string; readonly standing: GenerationState };

interface Certificate {
  readonly kind: "certificate";
  readonly key: string;
  /** All that is no new end, number or key. */
  readonly rest: string;
  readonly pem: string;
}

/** Everything in a state by the name that the report gives it. */
function truthOf(state: State): Map<string, Truth> {
  const truth = new Map<string, Truth>();
  for (const [output, value] of state.outputs) {
    const cluster = /^(c[0-9]+)_files$/.exec(output)?.[1];
    const files = publishedFiles(output, value)?.value;
    if (cluster !== undefined) {
      generationsIn(cluster, files!, state).forEach(([name, generation]) => truth.set(name, generation));
    }
  }
  for (const address of state.addresses) {
    const [, cluster, holder, name] = /^tls_locally_signed_cert\.(c[0-9]+)__([^_]+)__([^_]+)$/.exec(address) ?? [];
    if (name !== undefined) {
      const pem = state.value({ address, attribute: "cert_pem" })!;
      const certificate = new X509Certificate(pem);
      const { subject, subjectAltName, keyUsage, issuer, publicKey, validFrom, validTo } = certificate;
      const lifetime = Date.parse(validTo) - Date.parse(validFrom);
      const rest = JSON.stringify([subject, subjectAltName, keyUsage, issuer, lifetime]);
      const key = publicKey.export({ type: "spki", format: "pem" }) as string;
      truth.set(`${cluster}: ${holder}/${name}`, { kind: "certificate", key, rest, pem });
    }
  }
  return truth;
}

/** Where each generation stands, by the files of the first control plane: who signs is whose private key is there. */
function generationsIn(cluster: string, map: FilesByHolder, state: State): [string, Truth][] {
  const text = (path: string) =>
    evaluate(map["cp-1"]![`/etc/kubernetes/pki/${path}`]!.content!, (reference) => state.value(reference)!);
  const files: Readonly<Record<string, [bundle: string, signer: string]>> = {
    kubernetes: [text("ca.crt"), text("ca.key")],
    "front-proxy": [text("front-proxy-ca.crt"), text("front-proxy-ca.key")],
    "service-account": [text("sa.pub"), text("sa.key")],
  };
  return state.addresses.flatMap((address): [string, Truth][] => {
    const [, part, name, id] =
      new RegExp(`^tls_private_key\\.${cluster}__(ca|keys)__(.+)__(g[0-9]+)$`).exec(address) ?? [];
    if (name === undefined) {
      return [];
    }
    const key = state.value({ address, attribute: "private_key_pem" })!;
    const certificate = { address: address.replace("tls_private_key", "tls_self_signed_cert"), attribute: "cert_pem" };
    const trusted = state.value(part === "ca" ? certificate : { address, attribute: "public_key_pem" })!;
    const [bundle, signer] = files[name]!;
    const standing = signer === key ? "active" : bundle.includes(trusted) ? "trusted" : "retired";
    return [[`${cluster}: ${name} ${id}`, { kind: "generation", key, standing }]];
  });
}

/** What an apply did, in the words of the report. */
function happened(before: ReadonlyMap<string, Truth>, after: ReadonlyMap<string, Truth>): Record<string, string[]> {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const verbs = names.map((name) => [name, verbsOf(before.get(name), after.get(name))] as const);
  return Object.fromEntries(verbs.filter(([, list]) => list.length > 0));
}

function verbsOf(before: Truth | undefined, after: Truth | undefined): string[] {
  if (!before) {
    return after!.kind === "certificate" ? ["issue"] : standingVerbs("retired", after!.standing);
  }
  if (!after) {
    return ["remove"];
  }
  if (before.kind === "certificate" && after.kind === "certificate") {
    const made = before.rest === after.rest ? "renew" : "re-issue";
    return before.pem === after.pem ? [] : [before.key === after.key ? made : "re-key"];
  }
  return before.kind === "generation" && after.kind === "generation"
    ? standingVerbs(before.standing, after.standing)
    : [];
}

function standingVerbs(before: GenerationState, after: GenerationState): string[] {
  if (before === after) {
    return [];
  }
  if (after === "retired") {
    return ["retire"];
  }
  return [...(before === "retired" ? ["introduce"] : []), ...(after === "active" ? ["promote"] : [])];
}

/** The same of a report. What changes neither certificate nor key, such as the time of renewal, is nothing here. */
function reported(changes: readonly IdentityChange[]): Record<string, string[]> {
  const verbs = changes.map(({ name, verbs }) => [name, verbs.filter((verb) => verb !== "update")] as const);
  return Object.fromEntries(verbs.filter(([, list]) => list.length > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

test("over two hundred edits, the report says what then happens to the certificates", async () => {
  const random = new Random(20);
  let descriptions = Array.from({ length: CLUSTERS }, (_, index) => first(index));
  synth(descriptions);
  await workspace.apply("platform");
  let before = truthOf(parseState(await workspace.show("platform"), "state"));
  let edits = 0;
  const seen = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const names: string[][] = descriptions.map(() => []);
    descriptions = descriptions.map((description, index) => {
      for (let edit = 0; edit < EDITS_OF_EACH; edit++) {
        const name = random.of(OFTEN);
        names[index]!.push(name);
        description = EDITS[name]!({ ...description, edits: description.edits + 1 }, random);
      }
      return description;
    });
    edits += CLUSTERS * EDITS_OF_EACH;
    synth(descriptions);
    await workspace.must("platform", "plan", "-out=plan", "-refresh=false");
    const document = await workspace.must("platform", "show", "-json", "plan");
    await workspace.must("platform", "apply", "plan");
    const after = truthOf(parseState(await workspace.show("platform"), "state"));

    const truth = happened(before, after);
    for (const inventories of [[inventory], []]) {
      const report = planReport(readPlan(JSON.parse(document)), { inventories });
      expectClaimedOnce(JSON.parse(document) as object, report);
      const { changes } = report;
      expect({ names, changes: reported(changes) }).toEqual({ names, changes: truth });
    }
    Object.values(truth)
      .flat()
      .forEach((verb) => seen.add(verb));
    before = after;
  }
  expect(edits).toBeGreaterThanOrEqual(200);
  expect([...seen].sort()).toEqual(["introduce", "issue", "promote", "re-issue", "re-key", "remove", "retire"]);
});
