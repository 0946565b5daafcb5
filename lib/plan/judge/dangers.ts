import { factsOf } from "../model/facts";
import { exists, Identity } from "../model/identity";
import type { PlanModel } from "../model/model";
import { unreadableOf } from "../model/unreadable";
import type { Danger, DangerCode } from "./danger";
import { ACCESS_DANGERS, accessEvidence } from "./dangers/access";
import { CERTIFICATE_DANGERS } from "./dangers/certificates";
import { GENERATION_DANGERS, isDestroyed } from "./dangers/generations";
import { either, Judged, ofIdentities, ofThePlan, Row } from "./dangers/row";
import { TOKEN_DANGERS } from "./dangers/tokens";

/** All dangers, a row each, in the order of a report. */
export const DANGERS: Readonly<Record<DangerCode, Row>> = {
  "plan-failed": ofThePlan({
    help: "The plan failed: nothing of it can be applied.",
    when: ({ plan }) => plan.errored,
    message: (model) =>
      refusedBy(model).length === 0
        ? "The plan failed: nothing of it can be applied, and what comes after the failure is not in it."
        : `The plan failed, as it should where prevent_destroy protects what would be destroyed: ${refusedBy(model).join(", ")}. ` +
          "Nothing of it can be applied. What comes after is not in Terraform's plan: it is worked out here from the code and the state.",
    fix: (model) =>
      refusedBy(model).length === 0
        ? "see what Terraform printed"
        : "add a generation instead of changing or removing one; to destroy it all, apply deletionProtection: false first",
    reaches: (model) =>
      refusedBy(model).length === 0
        ? model.titles(model.identities.filter(({ parts }) => parts.some(model.isBlocked)))
        : [],
  }),
  unreadable: either(
    ofThePlan({
      help: "What decides who somebody is, or what they may do, cannot be read: known after the apply, sensitive, or of an unknown form.",
      when: ({ published }) => published.unreadable.length > 0,
      message: ({ published }) => `What changes in these outputs cannot be read: ${published.unreadable.join(", ")}.`,
      fix: "publish them as this library does, and not as sensitive",
      attributes: ({ published }) => published.unreadable,
    }),
    ofIdentities({
      when: (identity, { model }) => unreadableOf(identity, model).length > 0,
      message: (identity, { model }) =>
        `It changes, and this of it cannot be read: ${unreadableOf(identity, model).join(", ")}.`,
      fix: "write it in the code, or as a variable that is not sensitive; what comes from another resource, apply that first",
      attributes: (identity, { model }) => unreadableOf(identity, model),
    }),
  ),
  "key-exposed": ofIdentities({
    help: "A private key that exists moves to another file or machine, or more people may read it.",
    when: (identity, { model }) => model.exposuresOf(identity).length > 0,
    message: (identity, { model }) =>
      `A private key that exists will stand where it does not today: ${model.exposuresOf(identity).join("; ")}.`,
    fix: "give what is new a key of its own, and keep mode and owner as they are",
  }),
  ...GENERATION_DANGERS,
  ...CERTIFICATE_DANGERS,
  ...ACCESS_DANGERS,
  ...TOKEN_DANGERS,
  "renewal-window": ofThePlan({
    help: "A certificate's renewal window is shorter than the time to the next run: it may expire before it is renewed.",
    when: (_, judged) => renewedTooLate(judged).length > 0,
    message: (_, { nextRunHours }) =>
      `The next run is in ${nextRunHours} hours, and a certificate is renewed only by a run in its last hours: these may expire before.`,
    fix: "run more often, or give them a longer early renewal",
    // One danger for all of them: they mostly have one window.
    reaches: (model, judged) => model.titles(renewedTooLate(judged)),
  }),
};

/** All codes, in the order of a report. */
export const DANGER_CODES = Object.keys(DANGERS) as readonly DangerCode[];

/** All dangers of a plan, in the order of the codes, then by name. */
export function dangersOf(judged: Judged): Danger[] {
  const evidence = { ...judged, ...accessEvidence(judged) };
  return DANGER_CODES.flatMap((code) =>
    DANGERS[code]
      .find(evidence)
      .map((found): Danger => ({ code, ...found }))
      .sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1)),
  );
}

/** What a failed plan would destroy of what `prevent_destroy` protects. */
function refusedBy(model: PlanModel): string[] {
  return model.titles(
    model.sets.flatMap(({ generations }) => generations.map(({ identity }) => identity)).filter(isDestroyed),
  );
}

/** Certificates whose renewal window is over before the next run. */
function renewedTooLate({ model, nextRunHours = 0 }: Judged): Identity[] {
  return model.identities.filter((identity) => {
    if (nextRunHours === 0 || identity.kind !== "certificate" || !exists(identity, "after")) {
      return false;
    }
    const facts = factsOf(identity, "after", model);
    return facts?.validityHours !== undefined && (facts.earlyRenewalHours ?? 0) < nextRunHours;
  });
}
