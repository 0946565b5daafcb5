import { Side, SIDES } from "../../terraform-json/plan";
import type { GenerationState } from "../../terraform-json/outputs";
import type { Published } from "../read/published";
import { exists, Identity } from "./identity";

/**
 * Where a generation stands: `present` where nothing tells more than that it is there; undefined where it is not there.
 *
 * The words are those of the library: an active one signs, a trusted one is in every bundle, a retired one in no bundle and no file.
 */
export type GenerationStanding = GenerationState | "present";

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
  /** Where any of them stands before the plan; empty where all are new. */
  readonly before: ReadonlySet<GenerationStanding>;
}

/** Sets of generations, and where each stands. */
export function generationSets(identities: readonly Identity[], published: Published): GenerationSet[] {
  const signers = {
    before: signersOf(identities, "before"),
    after: signersOf(identities, "after"),
  };
  return groups(identities).map(({ kind, name, members }) => {
    const standing = (identity: Identity, side: Side): GenerationStanding | undefined => {
      if (!exists(identity, side)) {
        return undefined;
      }
      const said = published.stateOf(side, kind, identity.name);
      const signs = signers[side].has(identity) ? "active" : undefined;
      // What is in no cluster has no output: who signs tells one, and the inventory what the code says.
      return said ?? (side === "after" ? (inCode(identity) ?? signs) : (signs ?? inCode(identity))) ?? "present";
    };
    const generations = members.map((identity): GenerationChange => {
      const [before, after] = SIDES.map((side) => standing(identity, side));
      return { identity, id: identity.name.generation ?? identity.name.name, before, after };
    });
    const { cluster } = members[0]!.name;
    const before = new Set(generations.flatMap((generation) => generation.before ?? []));
    return { kind, cluster, name, generations: generations.sort((a, b) => (a.id < b.id ? -1 : 1)), before };
  });
}

function inCode({ entry }: Identity): GenerationState | undefined {
  return entry && "state" in entry ? entry.state : undefined;
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
