import {
  Cluster,
  ClusterCertificateOptions,
  ClusterPki,
  Distribution,
  Generation,
  GenerationState,
  KeyAlgorithm,
  Validity,
} from "../../lib";
import type { TerraformStack } from "cdktf";
import { tableFor } from "../../lib/kubernetes/table-for";
import type { Edit } from "./hand-pki-edits";
import { Chosen, Json, resourcesOf } from "./ours";
import type { Random } from "./random";

type States = Readonly<Record<string, Readonly<Record<string, GenerationState>>>>;

/** All that is edited of a cluster. */
export interface Description {
  readonly cluster: Cluster;
  readonly distribution: Distribution;
  readonly issueLeaves?: boolean;
  /** Of authorities and, by `service-account`, of key pairs. */
  readonly generations: States;
  readonly certificates: Readonly<Record<string, ClusterCertificateOptions>>;
  /** Of generations, by `<name> <id>`. */
  readonly algorithms: Readonly<Record<string, KeyAlgorithm>>;
  readonly isProtected: boolean;
  readonly pinned?: { readonly generation: string; readonly fingerprint: string };
  readonly exceptions?: Chosen["exceptions"];
  /** What is changed in the written code, by hand. */
  readonly byHand: readonly ((code: Json, prefix: string) => void)[];
}

/** Makes it. */
export function build(stack: TerraformStack, description: Description): void {
  const { cluster, distribution, issueLeaves, generations, certificates, isProtected } = description;
  const made = (name: string) =>
    Object.fromEntries(
      Object.entries(generations[name]!).map(([id, state]) => {
        const title = `${name} ${id}`;
        const { pinned, algorithms } = description;
        const options = {
          ...(algorithms[title] ? { keyAlgorithm: algorithms[title] } : {}),
          ...(pinned?.generation === title ? { fingerprint: pinned.fingerprint } : {}),
        };
        return [id, Generation[state](options)];
      }),
    );
  const { "service-account": pair, ...authorities } = generations;
  new ClusterPki(stack, cluster.name, {
    distribution: withExceptions(distribution, description.exceptions ?? {}),
    cluster,
    certificates,
    ...(issueLeaves === undefined ? {} : { issueLeaves }),
    deletionProtection: isProtected,
    authorities: Object.fromEntries(Object.keys(authorities).map((name) => [name, { generations: made(name) }])),
    ...(pair ? { serviceAccount: { generations: made("service-account") } } : {}),
  });
}

function withExceptions({ table }: Distribution, exceptions: NonNullable<Chosen["exceptions"]>): Distribution {
  const rows = Object.entries(exceptions).map(([name, codes]) => {
    const row = table.certificates[name]!;
    return [
      name,
      { ...row, exceptions: [...(row.exceptions ?? []), ...codes.map((code) => ({ code, reason: "we need it" }))] },
    ];
  });
  return new Distribution({ ...table, certificates: { ...table.certificates, ...Object.fromEntries(rows) } });
}

type OursEdit = Edit<Description, Json>;

/** The second argument of an edit is the code of the base. */
function byHand(
  kind: string,
  name: string,
  choose: (code: Json, prefix: string, random: Random) => ((code: Json) => void) | undefined,
): OursEdit {
  return {
    kind,
    name,
    apply: (description, code, random) => {
      const change = choose(code, description.cluster.name, random);
      return change && { ...description, byHand: [...description.byHand, change] };
    },
  };
}

/** Of a leaf: its certificate, its request and its key. */
function leaf(
  kind: string,
  name: string,
  change: (parts: { certificate: Json; request: Json; key: Json; code: Json; prefix: string }, random: Random) => void,
  isFit: (certificate: Json) => boolean = () => true,
): OursEdit {
  return byHand(kind, name, (code, prefix, random) => {
    const leaves = resourcesOf(code, "tls_locally_signed_cert", prefix).filter(
      ([, block]) => block.is_ca_certificate !== true && isFit(block),
    );
    if (leaves.length === 0) {
      return undefined;
    }
    const [chosen] = random.of(leaves);
    const seed = random.below(1000);
    return (written) => {
      const {
        tls_locally_signed_cert: certificates,
        tls_cert_request: requests,
        tls_private_key: keys,
      } = written.resource;
      const parts = { certificate: certificates[chosen], request: requests[chosen], key: keys[chosen] };
      change({ ...parts, code: written, prefix }, {
        below: (n: number) => seed % n,
        coin: () => seed % 2 === 0,
        of: <T>(list: readonly T[]) => list[seed % list.length]!,
      } as Random);
    };
  });
}

function subjectOf(request: Json): Json {
  return Array.isArray(request.subject) ? request.subject[0] : request.subject;
}

function file(
  name: string,
  change: (files: Record<string, Record<string, Json>>, holder: string, path: string) => void,
): OursEdit {
  return byHand("key-exposed", name, (code, prefix, random) => {
    const output = code.output?.[`${prefix}_files`]?.value as Record<string, string> | undefined;
    const all = Object.entries(output ?? {}).flatMap(([holder, text]) =>
      Object.entries(JSON.parse(text) as Record<string, Json>).flatMap(([path, { content }]) =>
        JSON.stringify(content).includes(".private_key_pem") ? [[holder, path] as const] : [],
      ),
    );
    if (all.length === 0) {
      return undefined;
    }
    const [holder, path] = random.of(all);
    return (written) => {
      const value = written.output[`${prefix}_files`].value as Record<string, string>;
      const files = Object.fromEntries(Object.entries(value).map(([one, text]) => [one, JSON.parse(text)]));
      change(files as Record<string, Record<string, Json>>, holder, path);
      written.output[`${prefix}_files`].value = Object.fromEntries(
        Object.entries(files).map(([one, content]) => [one, JSON.stringify(content)]),
      );
    };
  });
}

function generation(
  kind: string,
  name: string,
  change: (states: Readonly<Record<string, GenerationState>>) => Record<string, GenerationState> | undefined,
  isFit: (description: Description) => boolean = () => true,
): OursEdit {
  return {
    kind,
    name,
    apply: (description, _, random) => {
      const of = random.of(Object.keys(description.generations));
      const states = isFit(description) ? change(description.generations[of]!) : undefined;
      return states && { ...description, generations: { ...description.generations, [of]: states } };
    },
  };
}

const entries = (states: Readonly<Record<string, GenerationState>>) => Object.entries(states);
const idOf = (states: Readonly<Record<string, GenerationState>>, state: GenerationState) =>
  entries(states).find(([, one]) => one === state)?.[0];

function cluster(name: string, change: (cluster: Cluster, random: Random) => Partial<Cluster> | undefined): OursEdit {
  return {
    kind: "harmless",
    name,
    apply: (description, _, random) => {
      const changed = change(description.cluster, random);
      return changed && { ...description, cluster: { ...description.cluster, ...changed } };
    },
  };
}

function options(kind: string, name: string, choose: (random: Random) => ClusterCertificateOptions): OursEdit {
  return {
    kind,
    name,
    apply: (description, code, random) => {
      const leaves = resourcesOf(code, "tls_locally_signed_cert", description.cluster.name).filter(
        ([, block]) => block.is_ca_certificate !== true,
      );
      if (leaves.length === 0) {
        return undefined;
      }
      const row = random.of(leaves)[0].split("__").at(-1)!;
      return description.distribution.table.certificates[row]
        ? { ...description, certificates: { ...description.certificates, [row]: choose(random) } }
        : undefined;
    },
  };
}

/** What only the apply tells. */
function later(code: Json, prefix: string): string {
  code.resource.terraform_data = { ...code.resource.terraform_data, [`${prefix}-later`]: { input: "later" } };
  return `\${terraform_data.${prefix}-later.output}`;
}

/** All edits of what this library writes. */
export const OURS_EDITS: readonly OursEdit[] = [
  leaf("weak-key", "a weaker key", ({ key }, random) => {
    const weak = random.coin()
      ? { algorithm: "RSA", rsa_bits: 1024, ecdsa_curve: undefined }
      : { algorithm: "ECDSA", ecdsa_curve: "P224", rsa_bits: undefined };
    Object.assign(key, weak);
  }),
  leaf("wildcard-name", "a wildcard", ({ request }, random) => {
    request.dns_names = [...(request.dns_names ?? []), random.of(["*", "*.example.com", "*.com"])];
  }),
  leaf("wildcard-name", "any address", ({ request }, random) => {
    request.ip_addresses = [...(request.ip_addresses ?? []), random.of(["0.0.0.0", "::"])];
  }),
  options("long-validity", "above two years", (random) => ({
    validity: Validity.hours(random.of([17_545, 26_280, 43_800])),
  })),
  leaf("usages-widened", "a wider use", ({ certificate }, random) => {
    const wide = ["client_auth", "server_auth", "any_extended", "cert_signing"];
    const more = wide.filter((use) => !certificate.allowed_uses.includes(use));
    certificate.allowed_uses = [...certificate.allowed_uses, random.of(more)];
  }),
  leaf("new-signer", "it becomes an authority", ({ certificate }) => {
    certificate.is_ca_certificate = true;
  }),
  byHand("new-signer", "a new authority below one that exists", (code, prefix, random) => {
    const [name] = random.of(resourcesOf(code, "tls_self_signed_cert", prefix));
    return (written) => {
      const { tls_private_key: keys } = written.resource;
      const inter = `${prefix}__inter`;
      keys[inter] = { algorithm: "ECDSA", ecdsa_curve: "P256" };
      written.resource.tls_cert_request = {
        ...written.resource.tls_cert_request,
        [inter]: {
          private_key_pem: `\${tls_private_key.${inter}.private_key_pem}`,
          subject: [{ common_name: "inter" }],
        },
      };
      written.resource.tls_locally_signed_cert = {
        ...written.resource.tls_locally_signed_cert,
        [inter]: {
          cert_request_pem: `\${tls_cert_request.${inter}.cert_request_pem}`,
          ca_cert_pem: `\${tls_self_signed_cert.${name}.cert_pem}`,
          ca_private_key_pem: `\${tls_private_key.${name}.private_key_pem}`,
          allowed_uses: ["cert_signing"],
          validity_period_hours: 8760,
          is_ca_certificate: true,
        },
      };
    };
  }),
  leaf("system-masters", "in system:masters", ({ request }) => {
    subjectOf(request).organization = "system:masters";
  }),
  leaf("system-identity", "a user or group of the system", ({ request }, random) => {
    Object.assign(
      subjectOf(request),
      random.of([
        { common_name: "system:kube-controller-manager-2" },
        { common_name: "system:node:other" },
        { organization: "system:kube-scheduler" },
        { organization: "system:nodes:others" },
      ]),
    );
  }),
  byHand("issuer-not-delivered", "signed by an authority that is made in the same plan", (code, prefix, random) => {
    const leaves = resourcesOf(code, "tls_locally_signed_cert", prefix);
    const chosen = leaves.length > 0 ? random.of(leaves)[0] : undefined;
    return chosen === undefined
      ? undefined
      : (written) => {
          const next = `${prefix}__next`;
          written.resource.tls_private_key[next] = { algorithm: "ECDSA", ecdsa_curve: "P256" };
          written.resource.tls_self_signed_cert[next] = {
            private_key_pem: `\${tls_private_key.${next}.private_key_pem}`,
            subject: [{ common_name: "next" }],
            allowed_uses: ["cert_signing"],
            validity_period_hours: 87_600,
            is_ca_certificate: true,
          };
          const certificate = written.resource.tls_locally_signed_cert[chosen];
          certificate.ca_cert_pem = `\${tls_self_signed_cert.${next}.cert_pem}`;
          certificate.ca_private_key_pem = `\${tls_private_key.${next}.private_key_pem}`;
        };
  }),
  leaf("unreadable", "a user that only the apply tells", ({ request, code, prefix }) => {
    subjectOf(request).common_name = later(code, prefix);
  }),
  leaf("unreadable", "a group that nobody may see", ({ request }) => {
    subjectOf(request).organization = '${sensitive("campaign")}';
  }),
  leaf("unreadable", "a name that nobody may see", ({ request }) => {
    request.dns_names = [...(request.dns_names ?? []), '${sensitive("*.example.com")}'];
  }),
  leaf("unreadable", "a use that nobody may see", ({ certificate }) => {
    certificate.allowed_uses = [...certificate.allowed_uses, '${sensitive("any_extended")}'];
  }),
  leaf("stale-certificate", "its request changes and it is kept", ({ certificate, request }) => {
    request.dns_names = [...(request.dns_names ?? []), "more.example.com"];
    certificate.lifecycle = { ...certificate.lifecycle, ignore_changes: ["cert_request_pem"] };
  }),
  file("a file with a key that others may read", (files, holder, path) => {
    files[holder]![path]!.mode = "0644";
  }),
  file("a file with a key of somebody else", (files, holder, path) => {
    files[holder]![path]!.owner = "nobody:nogroup";
  }),
  file("a key in another file", (files, holder, path) => {
    files[holder]![`${path}.bak`] = files[holder]![path]!;
  }),
  file("a key that moves to another file", (files, holder, path) => {
    files[holder]!["/srv/keys/key.pem"] = files[holder]![path]!;
    files[holder] = Object.fromEntries(Object.entries(files[holder]!).filter(([one]) => one !== path));
  }),
  file("a key at another machine", (files, holder, path) => {
    files["another"] = { ...files["another"], [`/etc/other${path}`]: files[holder]![path]! };
  }),
  generation("introduced-and-promoted", "introduced and promoted at once", (states) => {
    const active = idOf(states, "active")!;
    return Object.keys(states).length === 1 ? { [active]: "trusted", g9: "active" } : undefined;
  }),
  generation(
    "generation-not-retired",
    "replaced by the next one",
    (states) => (Object.keys(states).length === 1 ? { g9: "active" } : undefined),
    ({ isProtected }) => !isProtected,
  ),
  generation("introduced-and-promoted", "a retired one is active again", (states) => {
    const [retired, active] = [idOf(states, "retired"), idOf(states, "active")!];
    return retired === undefined ? undefined : { [retired]: "active", [active]: "trusted" };
  }),
  generation("trust-removed", "promoted, and the last one retired, at once", (states) => {
    const [trusted, active] = [idOf(states, "trusted"), idOf(states, "active")!];
    return trusted === undefined ? undefined : { [active]: "retired", [trusted]: "active" };
  }),
  generation("retired-too-soon", "the last one is retired", (states) => {
    const [trusted, active] = [idOf(states, "trusted"), idOf(states, "active")!];
    return trusted === undefined || trusted > active ? undefined : { [trusted]: "retired", [active]: "active" };
  }),
  generation(
    "generation-not-retired",
    "a trusted one is removed",
    (states) => {
      const [trusted, active] = [idOf(states, "trusted"), idOf(states, "active")!];
      return trusted === undefined ? undefined : { [active]: "active" };
    },
    ({ isProtected }) => !isProtected,
  ),
  {
    kind: "authority-replaced",
    name: "another key of a generation",
    apply: (description, _, random) => {
      const of = random.of(Object.keys(description.generations));
      const title = `${of} ${idOf(description.generations[of]!, "active")!}`;
      const { isProtected, pinned } = description;
      return isProtected || pinned ? undefined : { ...description, algorithms: { [title]: KeyAlgorithm.ECDSA_P384 } };
    },
  },
  {
    kind: "protection-removed",
    name: "no protection any more",
    apply: (description) => (description.isProtected ? { ...description, isProtected: false } : undefined),
  },
  {
    kind: "protection-removed",
    name: "no fingerprint any more",
    apply: (description) => (description.pinned ? { ...description, pinned: undefined } : undefined),
  },
  {
    kind: "exception-added",
    name: "a row of the table has an exception",
    apply: (description, _, random) => {
      // A row for another topology of etcd is none of this cluster's.
      const { certificates } = tableFor(description.cluster, description.issueLeaves, description.distribution.table);
      const rows = Object.entries(certificates).flatMap(([name, row]) =>
        row.exceptions?.some(({ code }) => code === "system-masters") || row.breakGlass ? [] : [name],
      );
      return rows.length === 0 ? undefined : { ...description, exceptions: { [random.of(rows)]: ["system-masters"] } };
    },
  },

  cluster("one more name", ({ extraSans = [] }, random) => ({
    extraSans: [...extraSans, `n${random.below(99)}.example.com`],
  })),
  cluster("another address", ({ controlPlanes = [] }, random) => {
    const [first, ...others] = controlPlanes;
    return first && { controlPlanes: [{ ...first, addresses: [`10.1.${random.below(200)}.1`] }, ...others] };
  }),
  cluster("one more control plane", ({ controlPlanes = [] }) =>
    controlPlanes.length === 0
      ? undefined
      : { controlPlanes: [...controlPlanes, { name: "cp-2", addresses: ["10.0.0.12"] }] },
  ),
  cluster("one more worker", ({ workers = [] }) => ({ workers: [...workers, { name: "worker-2" }] })),
  cluster("a worker less", ({ workers = [] }) => (workers.length > 0 ? { workers: workers.slice(1) } : undefined)),
  cluster("another endpoint", ({ name }) => ({ endpoint: `other.${name}.example.com:6443` })),
  cluster("another domain", () => ({ clusterDomain: "k8s.example.com" })),
  options("harmless", "a shorter life", () => ({ validity: Validity.days(60) })),
  options("harmless", "another algorithm", () => ({ keyAlgorithm: KeyAlgorithm.ECDSA_P384 })),
  options("harmless", "another key", () => ({ keyGeneration: "k2" })),
  generation("harmless", "introduced", (states) =>
    Object.keys(states).length === 1 ? { ...states, g9: "trusted" } : undefined,
  ),
  generation("harmless", "promoted", (states) => {
    const [trusted, active] = [idOf(states, "trusted"), idOf(states, "active")!];
    return trusted === undefined ? undefined : { [active]: "trusted", [trusted]: "active" };
  }),
  generation("harmless", "a retired one is removed", (states) => {
    const retired = idOf(states, "retired");
    return retired === undefined ? undefined : { [idOf(states, "active")!]: "active" };
  }),
  generation("harmless", "a retired one is trusted again", (states) => {
    const retired = idOf(states, "retired");
    return retired === undefined ? undefined : { ...states, [retired]: "trusted" };
  }),
  {
    kind: "harmless",
    name: "protected from now on",
    apply: (description) => (description.isProtected ? undefined : { ...description, isProtected: true }),
  },
];
