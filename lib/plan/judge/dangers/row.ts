import type { GenerationChange } from "../../model/generations";
import type { Identity } from "../../model/identity";
import type { PlanModel } from "../../model/model";
import type { Danger } from "../danger";

/** What is looked at: the model, and what the caller knows of the pipeline. */
export interface Judged {
  readonly model: PlanModel;
  /** Hours until the plan is made again; undefined where nobody said. */
  readonly nextRunHours?: number;
}

/** What the rules go by: what is looked at, and what of it several rules need. */
export interface Evidence extends Judged {
  /** Keys of all grants that somebody has before. */
  readonly grantedBefore: ReadonlySet<string>;
  /** Roles of the plan by which certificates are approved or signed: `ClusterRole/approver`. */
  readonly approverRoles: ReadonlySet<string>;
  /** Users and groups that a distribution's table gives rights to. */
  readonly tableNames: ReadonlySet<string>;
}

/** A kind of danger that things of one sort may be in. */
export interface Rule<T> {
  /**
   * What `--help` says of it, for all of them.
   * @default - another rule of the row says it
   */
  readonly help?: string;
  /** True where the thing is in danger. */
  readonly when: (thing: T, evidence: Evidence) => boolean;
  readonly message: string | ((thing: T, evidence: Evidence) => string);
  readonly fix: string | ((thing: T, evidence: Evidence) => string);
  /**
   * Titles of what it reaches.
   * @default - nothing else
   */
  readonly reaches?: (thing: T, evidence: Evidence) => readonly string[];
  /**
   * What of it cannot be read.
   * @default - that is not what is wrong
   */
  readonly attributes?: (thing: T, evidence: Evidence) => readonly string[];
}

/** A row of the table of dangers. */
export interface Row {
  readonly help: string;
  readonly find: (evidence: Evidence) => readonly Omit<Danger, "code">[];
}

/** A generation of an authority or a key pair. */
export interface Generation extends Pick<GenerationChange, "identity" | "before" | "after"> {
  /** Of the same set. */
  readonly others: () => readonly GenerationChange[];
}

/** A danger of generations of authorities and key pairs. */
export function ofGenerations(rule: Rule<Generation>): Row {
  return row(
    rule,
    ({ sets }) =>
      sets.flatMap((set) =>
        set.generations.map((change) => {
          const { identity, before, after } = change;
          // Only where somebody asks: of many generations, each would have a list of all others.
          const others = () => set.generations.filter((other) => other !== change);
          return { identity, before, after, others };
        }),
      ),
    ({ identity }, model) => model.title(identity),
  );
}

/** A danger of whatever the plan has. */
export function ofIdentities(rule: Rule<Identity>): Row {
  return row(
    rule,
    ({ identities }) => identities,
    (identity, model) => model.title(identity),
  );
}

/** A row of a distribution's table, in a cluster of the plan. */
export interface TableRow {
  readonly cluster: string;
  readonly name: string;
}

/** A danger of what the tables of the plan's clusters are allowed. */
export function ofTableRows(rule: Rule<TableRow>): Row {
  return row(
    rule,
    (model) =>
      model.published.clusters.flatMap((cluster) => exceptionalRows(cluster, model).map((name) => ({ cluster, name }))),
    ({ cluster, name }, { published }) => (published.clusters.length > 1 ? `${cluster}: ${name}` : name),
  );
}

/** Rows that may break a rule, by the plan or by what is known at synth. */
function exceptionalRows(cluster: string, { published, entries }: PlanModel): string[] {
  const inventoried = entries.inventories
    .flatMap((inventory) => inventory.entries)
    .filter((entry) => entry.cluster === cluster && entry.exceptions);
  const names = Object.keys(published.guardsOf("after", cluster)?.exceptions ?? {});
  return [...new Set([...names, ...inventoried.map(({ name }) => name)])];
}

/** A danger of the plan as a whole. */
export function ofThePlan(rule: Rule<PlanModel>): Row {
  return row(
    rule,
    (model) => [model],
    () => undefined,
  );
}

/** A danger that things of several sorts may be in. */
export function either(first: Row, ...more: readonly Row[]): Row {
  return { help: first.help, find: (evidence) => [first, ...more].flatMap(({ find }) => find(evidence)) };
}

/**
 * @param things what the rule is asked of
 * @param titleOf what the danger is about
 */
function row<T>(
  { help = "", when, message, fix, reaches, attributes }: Rule<T>,
  things: (model: PlanModel) => readonly T[],
  titleOf: (thing: T, model: PlanModel) => string | undefined,
): Row {
  const find = (evidence: Evidence) =>
    things(evidence.model)
      .filter((thing) => when(thing, evidence))
      .map((thing) => {
        const name = titleOf(thing, evidence.model);
        return {
          ...(name === undefined ? {} : { name }),
          message: typeof message === "string" ? message : message(thing, evidence),
          fix: typeof fix === "string" ? fix : fix(thing, evidence),
          reaches: reaches?.(thing, evidence) ?? [],
          ...(attributes ? { attributes: attributes(thing, evidence) } : {}),
        };
      });
  return { help, find };
}
