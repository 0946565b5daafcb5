import { PublishedFiles } from "./files";
import { exists, Identity } from "./identity";
import type { Side } from "./visible";

/**
 * Where a generation stands: `present` where nothing tells more than that it is there; undefined where it is not there.
 *
 * The words are those of the library: an active one signs, a trusted one is in every bundle, a retired one in no bundle and no file.
 */
export type GenerationStanding = "active" | "trusted" | "retired" | "present";

/** A generation of an authority or of a key pair, on both sides of the plan. */
export interface GenerationChange {
  readonly identity: Identity;
  /** `g1`; the name of the resource where there are no generations. */
  readonly id: string;
  readonly before?: GenerationStanding;
  readonly after?: GenerationStanding;
}

/** All generations of an authority or of a key pair. */
export interface GenerationSet {
  readonly kind: "authority" | "key pair";
  readonly cluster?: string;
  readonly name: string;
  /** Sorted by id. */
  readonly generations: readonly GenerationChange[];
}

/** Sets of generations, and where each stands: from the published files, from who signs, and after the plan from the inventory. */
export function generationSets(identities: readonly Identity[], files: PublishedFiles): GenerationSet[] {
  const known = {
    before: { ...marksOf(files, "before"), signers: signersOf(identities, "before") },
    after: { ...marksOf(files, "after"), signers: signersOf(identities, "after") },
  };
  const standing = (identity: Identity, members: readonly Identity[], side: Side): GenerationStanding | undefined => {
    const { entry, name } = identity;
    const { active, trusted, signers } = known[side];
    if (!exists(identity, side)) {
      return undefined;
    }
    if (side === "after" && entry && "state" in entry) {
      return entry.state;
    }
    // Who still signs a single certificate (`issuer` of a certificate) is not the active one where another's key is in files.
    const signs = signers.has(identity) && !members.some((member) => isAmong(active, member));
    if (signs || isAmong(active, identity)) {
      return "active";
    }
    if (isAmong(trusted, identity)) {
      return "trusted";
    }
    return name.generation !== undefined && files.clusters[side].has(name.cluster ?? "") ? "retired" : "present";
  };
  return groups(identities).map(({ kind, name, members }) => {
    const generations = members.map((identity) => ({
      identity,
      id: identity.name.generation ?? identity.name.name,
      before: standing(identity, members, "before"),
      after: standing(identity, members, "after"),
    }));
    const { cluster } = members[0]!.name;
    return { kind, cluster, name, generations: generations.sort((a, b) => (a.id < b.id ? -1 : 1)) };
  });
}

function isAmong(addresses: ReadonlySet<string>, { parts }: Identity): boolean {
  return parts.some(({ address }) => addresses.has(address));
}

interface Marks {
  /** Resources whose private key stands first in a file of private keys. */
  readonly active: ReadonlySet<string>;
  readonly trusted: ReadonlySet<string>;
}

/** Who signs has its key in a file; a file of several private keys (K3s) has the active one first. */
function marksOf(files: PublishedFiles, side: Side): Marks {
  const active = new Set<string>();
  const trusted = new Set<string>();
  for (const { references } of files.of(side)) {
    let first = true;
    for (const { address, attribute } of references) {
      const isKey = attribute.includes("private_key");
      (isKey && first ? active : trusted).add(address);
      first &&= !isKey;
    }
  }
  return { active, trusted };
}

function signersOf(identities: readonly Identity[], side: Side): Set<Identity> {
  const signed = identities.filter((identity) => exists(identity, side));
  return new Set(signed.flatMap(({ issuer }) => issuer[side] ?? []));
}

interface Group {
  readonly kind: GenerationSet["kind"];
  readonly name: string;
  readonly members: readonly Identity[];
}

function groups(identities: readonly Identity[]): Group[] {
  const found = new Map<string, { kind: GenerationSet["kind"]; name: string; members: Identity[] }>();
  for (const identity of identities) {
    const { kind, name, anchor } = identity;
    if (kind !== "authority" && kind !== "key pair") {
      continue;
    }
    const key = name.generation === undefined ? anchor.address : [kind, name.cluster, name.name].join("\n");
    const group = found.get(key) ?? { kind, name: name.name, members: [] };
    group.members.push(identity);
    found.set(key, group);
  }
  return [...found.values()];
}
