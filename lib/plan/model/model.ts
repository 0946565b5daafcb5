import type { Plan, PlannedResource, Side } from "../../terraform-json/plan";
import { title } from "../../terraform/names";
import { Entries, Inventory } from "../read/inventory";
import { contradictionsOf, refuseContradictions } from "../read/contradictions";
import { Published } from "../read/published";
import { contradictingFacts } from "./contradicting-facts";
import { exposuresIn, keysInNewSecret } from "./exposures";
import { GenerationChange, GenerationSet, generationSets } from "./generations";
import { exists, identitiesOf, Identity } from "./identity";

/** A plan as identities: what belongs together, what it is called, who signs what, and what a failed plan leaves out. */
export class PlanModel {
  public readonly entries: Entries;
  public readonly published: Published;
  public readonly identities: readonly Identity[];
  public readonly sets: readonly GenerationSet[];
  /** What each authority signs, as far as it is there. */
  public readonly signedBy: Readonly<Record<Side, ReadonlyMap<Identity, readonly Identity[]>>>;
  /** True for a resource that a failed plan leaves out although what it depends on changes. */
  public readonly isBlocked: (resource: PlannedResource) => boolean;
  /** Where private keys will stand that did not, or who may read them, by their addresses. */
  private readonly exposures: ReadonlyMap<string, readonly string[]>;
  private readonly changes: ReadonlyMap<Identity, { readonly change: GenerationChange; readonly set: GenerationSet }>;
  private readonly deletedOutside: ReadonlySet<string>;
  private readonly hasSeveralClusters: boolean;

  /**
   * @param inventories what is known at synth of the stacks in the plan
   * @throws UnusableError when they are of another synth
   */
  public constructor(
    public readonly plan: Plan,
    inventories: readonly Inventory[],
  ) {
    this.entries = new Entries(inventories);
    this.published = new Published(plan);
    this.identities = identitiesOf(plan, this.entries);
    this.sets = generationSets(this.identities, this.published);
    this.signedBy = { before: signedBy(this.identities, "before"), after: signedBy(this.identities, "after") };
    this.isBlocked = blockedIn(plan);
    this.exposures = exposuresIn(this.published);
    this.changes = new Map(
      this.sets.flatMap((set) => set.generations.map((change) => [change.identity, { change, set }] as const)),
    );
    this.deletedOutside = new Set(plan.drift.filter(({ change }) => change === "delete").map(({ address }) => address));
    this.hasSeveralClusters = new Set(this.identities.flatMap(({ name }) => name.cluster ?? [])).size > 1;
    if (inventories.length > 0) {
      refuseContradictions([...contradictionsOf(inventories, plan, this.published), ...contradictingFacts(this)]);
    }
  }

  /** True for a resource that was deleted outside. */
  public isGone({ address }: PlannedResource): boolean {
    return this.deletedOutside.has(address);
  }

  /** Files in which the private key of something that exists will stand and did not, or that more people may read. */
  public exposuresOf(identity: Identity): readonly string[] {
    if (identity.kind === "secret") {
      return keysInNewSecret(identity.anchor, this.plan);
    }
    const key = identity.key.after;
    // A key that is new stands nowhere yet.
    return key?.before && key.change !== "replace" ? (this.exposures.get(key.address) ?? []) : [];
  }

  /** The generation that an authority or a key pair is, and the set it is of. */
  public generationOf(identity: Identity): { readonly change: GenerationChange; readonly set: GenerationSet } {
    return this.changes.get(identity)!;
  }

  /** `kubernetes g1`, `cp-1/apiserver`; with its cluster where the plan has several. */
  public title({ name }: Identity): string {
    return title({ ...name, cluster: this.hasSeveralClusters ? name.cluster : undefined });
  }

  /** Titles of several, sorted. */
  public titles(identities: readonly Identity[] = []): string[] {
    return identities.map((identity) => this.title(identity)).sort();
  }
}

/** True where Terraform does something with the resource. */
export function isChanged({ change }: PlannedResource): boolean {
  return change !== "none" && change !== "read";
}

/** What a failed plan leaves out because of what it wanted to do: all that is made, directly or not, of what changes. */
function blockedIn(plan: Plan): PlanModel["isBlocked"] {
  if (!plan.errored) {
    return () => false;
  }
  const changing = new Set(plan.resources.filter(isChanged).map(({ configured }) => configured));
  const known = new Map<string, boolean>();
  const enter = (configured: string) => {
    known.set(configured, false); // Nothing depends on itself; a broken document may say so.
    return { configured, references: plan.references.of(configured), next: 0 };
  };
  // Without recursion: what is made of what may be a long chain.
  const depends = (start: string): boolean => {
    const way = known.has(start) ? [] : [enter(start)];
    for (let step = way.at(-1); step; step = way.at(-1)) {
      const address = step.references[step.next++]?.address;
      if (address === undefined) {
        way.pop();
      } else if (changing.has(address) || known.get(address)) {
        way.forEach(({ configured }) => known.set(configured, true));
        break;
      } else if (!known.has(address)) {
        way.push(enter(address));
      }
    }
    return known.get(start)!;
  };
  return ({ planned, configured }) => !planned && depends(configured);
}

function signedBy(identities: readonly Identity[], side: Side): Map<Identity, Identity[]> {
  const found = new Map<Identity, Identity[]>();
  for (const identity of identities) {
    const issuer = exists(identity, side) ? identity.issuer[side] : undefined;
    if (issuer) {
      const others = found.get(issuer) ?? [];
      others.push(identity);
      found.set(issuer, others);
    }
  }
  return found;
}
