import { LATER, secretly } from "./hcl";
import { Algorithm, Authority, authorityAddresses, fromRoot, Leaf, own, Pki, Style } from "./hand-pki";
import type { Random } from "./random";

/** One change of a description. */
export interface Edit<T, S> {
  /** The code of what it is, or `harmless`. */
  readonly kind: string;
  readonly name: string;
  /** Undefined where it cannot be made. */
  readonly apply: (description: T, style: S, random: Random) => T | undefined;
}

type PkiEdit = Edit<Pki, Style>;

const RSA_1024: Algorithm = { algorithm: "RSA", bits: 1024 };
const P224: Algorithm = { algorithm: "ECDSA", curve: "P224" };
const P384: Algorithm = { algorithm: "ECDSA", curve: "P384" };
const RSA_3072: Algorithm = { algorithm: "RSA", bits: 3072 };
const RSA_2048: Algorithm = { algorithm: "RSA", bits: 2048 };

function withLeaf(pki: Pki, name: string, change: Partial<Leaf>): Pki {
  return { ...pki, leaves: { ...pki.leaves, [name]: { ...pki.leaves[name]!, ...change } } };
}

function leafEdit(
  kind: string,
  name: string,
  change: (leaf: Leaf, random: Random, pki: Pki) => Partial<Leaf> | undefined,
  of: readonly string[] = ["server", "client", "peer"],
): PkiEdit {
  return {
    kind,
    name,
    apply: (pki, style, random) => {
      const leaf = random.of(of.filter((one) => pki.leaves[one] !== undefined));
      const changed = leaf === undefined ? undefined : change(pki.leaves[leaf]!, random, pki);
      if (!changed) {
        return undefined;
      }
      if (changed.isKept && !(style.hasOwnResources || style.name === "index")) {
        return undefined;
      }
      // All with one key have it changed.
      const names = style.sharesKey && changed.key ? Object.keys(pki.leaves) : [leaf];
      return names.reduce((edited, one) => withLeaf(edited, one, one === leaf ? changed : { key: changed.key }), pki);
    },
  };
}

/** Another leaf, which the base has not. */
function newLeafEdit(kind: string, name: string, change: (pki: Pki, random: Random) => Partial<Leaf>): PkiEdit {
  return {
    kind,
    name: `a new certificate: ${name}`,
    apply: (pki, { sharesKey }, random) => {
      const leaf: Leaf = {
        label: "newly",
        commonName: `${pki.tag}-new`,
        dns: [`new.${pki.tag}.example.com`],
        ips: [],
        uses: ["digital_signature", "client_auth"],
        hours: 4000,
        early: 100,
        issuer: Object.values(pki.leaves)[0]!.issuer,
        key: Object.values(pki.leaves)[0]!.key,
        ...change(pki, random),
      };
      return sharesKey && kind === "weak-key" ? undefined : { ...pki, leaves: { ...pki.leaves, newly: leaf } };
    },
  };
}

function authorityEdit(
  kind: string,
  name: string,
  change: (authority: Authority, random: Random) => Partial<Authority>,
): PkiEdit {
  return {
    kind,
    name,
    apply: (pki, _, random) => {
      const of = random.of(["ca", "front"]);
      const authority = pki.authorities[of];
      return (
        authority && {
          ...pki,
          authorities: { ...pki.authorities, [of]: { ...authority, ...change(authority, random) } },
        }
      );
    },
  };
}

/** All leaves of a copy, or one where each has its own. */
function reissued(pki: Pki, { hasOneIssuer }: Style, random: Random, change: Partial<Leaf>): Pki {
  const names = Object.keys(pki.leaves);
  const chosen = hasOneIssuer || random.coin() ? names : [random.of(names)];
  return chosen.reduce((edited, name) => withLeaf(edited, name, change), pki);
}

const NEXT: Authority = { commonName: "next ca", hours: 87_600, key: { algorithm: "ECDSA", curve: "P256" } };
const withNext = (pki: Pki): Pki => ({ ...pki, authorities: { ...pki.authorities, next: NEXT } });

function without<T>(record: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

/** Terraform lets go of these resources of the root or of the module: the block stands beside them. */
function removedBlocks(addresses: readonly string[]): string[] {
  return addresses.map((from) => `removed {\n  from = ${from}\n  lifecycle {\n    destroy = false\n  }\n}\n`);
}

const WILDCARDS = ["*", "*.example.com", "*.com", "*.svc.cluster.local", "*.nodes.prod.example.com"];
const SYSTEM_GROUPS = ["system:nodes", "kubeadm:cluster-admins", "system:kube-scheduler", "system:bootstrappers"];
const SYSTEM_USERS = ["system:kube-controller-manager", "system:node:cp-1", "system:admin", "system:kube-proxy"];

/** All edits of PKIs that were written by hand. */
export const PKI_EDITS: readonly PkiEdit[] = [
  leafEdit("weak-key", "a weaker key", (_, random) => ({ key: random.of([RSA_1024, P224]) })),
  newLeafEdit("weak-key", "a weak key", (_, random) => ({ key: random.of([RSA_1024, P224]) })),
  leafEdit("wildcard-name", "a name that is a wildcard", ({ dns }, random) => ({
    dns: [...dns, random.of(WILDCARDS)],
  })),
  leafEdit("wildcard-name", "any address", ({ ips }, random) => ({ ips: [...ips, random.of(["0.0.0.0", "::"])] })),
  newLeafEdit("wildcard-name", "a wildcard", (_, random) => ({ dns: [random.of(WILDCARDS)] })),
  leafEdit("long-validity", "more than twice as long", ({ hours }) => ({ hours: hours * 2 + 100 })),
  leafEdit("long-validity", "above two years", (_, random) => ({ hours: random.of([17_545, 26_280, 87_600]) })),
  newLeafEdit("long-validity", "above two years", (_, random) => ({ hours: random.of([17_545, 87_600]) })),
  leafEdit("usages-widened", "a wider use", ({ uses }, random) => {
    const wide = ["client_auth", "server_auth", "any_extended", "cert_signing"].filter((use) => !uses.includes(use));
    return { uses: [...uses, random.of(wide)] };
  }),
  leafEdit("new-signer", "it becomes an authority", () => ({ isAuthority: true })),
  leafEdit("new-signer", "it becomes an authority that signs", ({ uses }) => ({
    isAuthority: true,
    uses: [...uses, "cert_signing"],
  })),
  {
    kind: "new-signer",
    name: "a new authority below one that exists",
    apply: (pki, _, random) => {
      const inter: Authority = { ...NEXT, commonName: "intermediate", hours: 8760, issuer: random.of(["ca", "front"]) };
      return pki.authorities[inter.issuer!] && { ...pki, authorities: { ...pki.authorities, inter } };
    },
  },
  leafEdit("system-masters", "the group system:masters", () => ({ organization: "system:masters" })),
  newLeafEdit("system-masters", "in system:masters", () => ({ organization: "system:masters" })),
  leafEdit("system-identity", "a group of the system", (_, random) => ({ organization: random.of(SYSTEM_GROUPS) })),
  leafEdit("system-identity", "a user of the system", (_, random) => ({ commonName: random.of(SYSTEM_USERS) })),
  newLeafEdit("system-identity", "of the system", (_, random) =>
    random.coin() ? { commonName: random.of(SYSTEM_USERS) } : { organization: random.of(SYSTEM_GROUPS) },
  ),
  {
    kind: "issuer-not-delivered",
    name: "signed by an authority that is made in the same plan",
    apply: (pki, style, random) => reissued(withNext(pki), style, random, { issuer: "next" }),
  },
  {
    kind: "issuer-not-delivered",
    name: "signed by a new one, and the old one is removed",
    apply: (pki) => {
      const moved = Object.keys(pki.leaves).reduce((edited, name) => withLeaf(edited, name, { issuer: "next" }), pki);
      return { ...moved, authorities: { ...without(pki.authorities, "ca"), next: NEXT } };
    },
  },
  {
    kind: "issuer-not-delivered",
    name: "an authority is lost from the state, and made anew",
    apply: (pki, style) => ({ ...pki, lost: { ca: authorityAddresses(pki, style, "ca") } }),
  },
  {
    kind: "issuer-not-delivered",
    name: "a condition chooses an authority of the same plan",
    apply: (pki, style, random) =>
      style.isIssuerVague
        ? undefined
        : reissued(withNext(pki), style, random, { issuer: "next", otherIssuer: "front" }),
  },
  authorityEdit("authority-replaced", "another key of an authority", (_, random) => ({
    key: random.of([P384, RSA_2048]),
  })),
  authorityEdit("authority-replaced", "another subject of an authority", ({ commonName }, random) =>
    random.coin() ? { commonName: `${commonName} 2` } : { organization: "Example" },
  ),
  authorityEdit("authority-replaced", "another life of an authority", () => ({ hours: 43_800 })),
  {
    kind: "key-destroyed",
    name: "an authority that signs nothing is removed",
    apply: (pki) => ({ ...pki, authorities: without(pki.authorities, "front") }),
  },
  {
    kind: "key-destroyed",
    name: "an authority is removed, and another that exists signs",
    apply: (pki) => {
      const moved = Object.keys(pki.leaves).reduce((edited, name) => withLeaf(edited, name, { issuer: "front" }), pki);
      return { ...moved, authorities: without(pki.authorities, "ca") };
    },
  },
  leafEdit("unreadable", "a user that only the apply tells", () => ({ commonName: LATER })),
  leafEdit("unreadable", "a user that nobody may see", ({ label }) => ({ commonName: secretly(`someone-${label}`) })),
  leafEdit("unreadable", "a group that only the apply tells", () => ({ organization: LATER })),
  leafEdit("unreadable", "a group that nobody may see", () => ({ organization: secretly("system:masters") })),
  leafEdit("unreadable", "a name that only the apply tells", ({ dns }) => ({ dns: [...dns, LATER] })),
  leafEdit("unreadable", "a name that nobody may see", ({ dns }) => ({ dns: [...dns, secretly("*.example.com")] })),
  leafEdit("unreadable", "a use that nobody may see", ({ uses }) => ({ uses: [...uses, secretly("any_extended")] })),
  newLeafEdit("unreadable", "a group that nobody may see", () => ({ organization: secretly("system:masters") })),
  newLeafEdit("unreadable", "a user that only the apply tells", () => ({ commonName: LATER })),
  leafEdit("stale-certificate", "its request changes and it is kept", ({ dns }) => ({
    dns: [...dns, "more.example.com"],
    isKept: true,
  })),

  leafEdit("harmless", "one more name", ({ dns }, random) => ({ dns: [...dns, `n${random.below(99)}.example.com`] })),
  leafEdit("harmless", "a name less", () => ({ dns: [] }), ["server", "peer"]),
  leafEdit("harmless", "another address", (_, random) => ({ ips: [`10.1.${random.below(200)}.1`] })),
  leafEdit("harmless", "a shorter life", (_, random) => ({ hours: 1000 + random.below(900) })),
  leafEdit("harmless", "a little longer", ({ hours }) => ({ hours: Math.floor(hours * 1.9) })),
  leafEdit("harmless", "another time of renewal", () => ({ early: 500 })),
  leafEdit("harmless", "a stronger key", (_, random) => ({ key: random.of([P384, RSA_3072, RSA_2048]) })),
  leafEdit("harmless", "a plain use more", ({ uses }) => ({ uses: [...uses, "key_encipherment"] })),
  leafEdit("harmless", "a use less", ({ uses }) => ({ uses: uses.slice(0, -1) })),
  leafEdit("harmless", "another user of its own", ({ commonName }) => ({ commonName: `${commonName as string}-2` })),
  leafEdit("harmless", "another group of its own", (_, random, { tag }) => ({
    organization: `${tag}-team-${random.below(9)}`,
  })),
  newLeafEdit("harmless", "as the others", () => ({})),
  {
    kind: "harmless",
    name: "a certificate less",
    apply: (pki) => ({ ...pki, leaves: without(pki.leaves, Object.keys(pki.leaves).at(-1)!) }),
  },
  { kind: "harmless", name: "a new authority that signs nothing", apply: withNext },
  {
    kind: "harmless",
    name: "signed by another authority that exists",
    apply: (pki, style, random) => reissued(pki, style, random, { issuer: "front" }),
  },
  { kind: "harmless", name: "no key for SSH", apply: (pki) => ({ ...pki, ssh: undefined }) },
  { kind: "harmless", name: "another key for SSH", apply: (pki) => ({ ...pki, ssh: RSA_2048 }) },
  { kind: "harmless", name: "a resource of others", apply: (pki) => ({ ...pki, note: "b" }) },
  {
    kind: "harmless",
    name: "a local value and a password",
    apply: (pki, style) => ({
      ...pki,
      more: [`resource "random_password" "${own(pki, style, "database")}" {\n  length = 20\n}\n`],
    }),
  },
  { kind: "harmless", name: "formatting", apply: (pki) => ({ ...pki, isFormatted: true }) },
  {
    kind: "harmless",
    name: "a certificate's resources have another name",
    apply: (pki, style, random) => {
      const names = Object.keys(pki.leaves);
      const name = random.of(names);
      const after = withLeaf(pki, name, { label: `${name}-moved` });
      const index = names.indexOf(name);
      const [old, now] = [pki, after].map((one) => style.leafOf(one, one.leaves[name]!, index));
      const pairs = (["key", "request", "certificate"] as const).map((part) => [old![part], now![part]] as const);
      const changed = pairs.filter(([from, to]) => from !== to);
      // The key of a module's instance moves with it.
      const inModules = changed.filter(([from]) => from.startsWith("module."));
      const blocks = [
        ...changed.filter((pair) => !inModules.includes(pair)),
        ...inModules.slice(0, 1).map((pair) => pair.map((address) => address.split(".tls_")[0]!)),
      ].map(([from, to]) => `moved {\n  from = ${from}\n  to   = ${to}\n}\n`);
      const kept =
        style.name === "data"
          ? [`moved {\n  from = terraform_data.request_${name}\n  to   = terraform_data.request_${name}-moved\n}\n`]
          : [];
      return changed.length === 0 ? undefined : { ...after, more: [...blocks, ...kept], moved: [name] };
    },
  },
  {
    kind: "harmless",
    name: "a certificate and its key are let go of",
    apply: (pki, style) => {
      const name = Object.keys(pki.leaves).at(-1)!;
      if (!style.hasOwnResources || style.sharesKey) {
        return undefined;
      }
      const { key, request, certificate } = style.leafOf(pki, pki.leaves[name]!, 0);
      const more = removedBlocks([key, request, certificate]);
      return { ...pki, leaves: without(pki.leaves, name), more, forgotten: [name] };
    },
  },
  {
    kind: "harmless",
    name: "an authority is let go of",
    apply: (pki, style) => {
      const more = removedBlocks(authorityAddresses(pki, style, "front"));
      return { ...pki, authorities: without(pki.authorities, "front"), more, forgotten: ["front"] };
    },
  },
  {
    kind: "harmless",
    name: "its life is nearly over",
    apply: (pki, _, random) => ({ ...pki, due: [random.of(Object.keys(pki.leaves))] }),
  },
];

/** Addresses of what is nearly over, from the root. */
export function dueAddresses(pki: Pki, style: Style): string[] {
  return Object.entries(pki.leaves).flatMap(([name, leaf], index) =>
    pki.due?.includes(name) ? [fromRoot(pki, style, style.leafOf(pki, leaf, index).certificate)] : [],
  );
}
