import { factsOf } from "../../model/facts";
import { exists, Identity } from "../../model/identity";
import type { PlanModel } from "../../model/model";
import { LATER } from "../../read/inventory";
import { endOf, lifeOf } from "../../model/tokens";
import type { DangerCode } from "../danger";
import { ofIdentities, Row } from "./row";

/** Dangers of bootstrap tokens. */
export const TOKEN_DANGERS = {
  "token-widened": ofIdentities({
    help: "A bootstrap token lets its holder do more, or lives longer.",
    when: (identity, { model }) => widened(identity, model).length > 0,
    message: (identity, { model }) =>
      `From now on the token has more than before: ${widened(identity, model).join("; ")}.`,
    fix: "make another token for another purpose, with its own group, and let it live no longer than joining takes",
  }),
} satisfies Partial<Record<DangerCode, Row>>;

/** What a token gains, in words. */
function widened(identity: Identity, model: PlanModel): string[] {
  if (identity.kind !== "token" || !exists(identity, "before") || !exists(identity, "after")) {
    return [];
  }
  const [before, after] = [factsOf(identity, "before", model), factsOf(identity, "after", model)];
  const gained = (what: "groups" | "usages") =>
    // What is still to come cannot be read: that is another danger.
    (after?.[what] ?? []).filter((value) => value !== LATER && !before?.[what]?.includes(value));
  return [
    ...gained("groups").map((group) => `the group ${group}`),
    ...gained("usages").map((usage) => `its use for ${usage}`),
    ...longer(identity, before?.expires, after?.expires),
  ];
}

/** A minute: times are written in seconds. */
const TOLERANCE = 1 / 60;

function longer(identity: Identity, before: string | undefined, after: string | undefined): string[] {
  if (before === undefined || before === after) {
    return []; // It never ended, or ends as before.
  }
  if (after === undefined) {
    return ["it never ends"];
  }
  const [hours, next] = [lifeOf(identity, "before"), lifeOf(identity, "after")];
  if (hours !== undefined && next !== undefined) {
    return next > hours + TOLERANCE ? [`it lives ${Math.round(next)} hours instead of ${Math.round(hours)}`] : [];
  }
  // When it was made is not known: a later end is a longer life.
  const [end, later] = [endOf(identity, "before"), endOf(identity, "after")];
  return end !== undefined && later !== undefined && later > end ? [`it ends ${after} instead of ${before}`] : [];
}
