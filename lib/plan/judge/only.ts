import type { Facts } from "../model/facts";
import type { PlanModel } from "../model/model";
import type { Verb } from "../model/verbs";
import { renewedSecrets } from "./renewed-secrets";
import type { IdentityChange, PlanReport } from "./report";

/**
 * What a plan holds besides what it may: `1 issue`, `output pki_files`, `2 aws_instance`. A Secret that only gets the renewed content of what
 * it is made of belongs to the renewal; a renewal that changes more than the end is more than a renewal.
 */
export function besides(allowed: readonly Verb[], report: PlanReport, model: PlanModel): string[] {
  const { changes, otherChanges, outputs, drift, failedChecks, refusedPins, complete, errored } = report;
  const isPartOfRenewal = allowed.includes("renew") ? renewedSecrets(model) : () => false;
  const verbs = changes
    .filter(({ kind, addresses }) => kind !== "secret" || !addresses.every(isPartOfRenewal))
    .flatMap((change) => change.verbs)
    .filter((verb) => !allowed.includes(verb));
  const { output: _, ...types } = otherChanges;
  return [
    ...[...new Set(verbs)].map((verb) => `${verbs.filter((other) => other === verb).length} ${verb}`),
    ...changes.filter(() => !allowed.includes("re-issue")).flatMap(unlikeRenewal),
    ...Object.entries(types).map(([type, count]) => `${count} ${type}`),
    ...outputs.map((name) => `output ${name}`),
    ...drift.map(({ name, what }) => `${name} ${what} outside Terraform`),
    ...failedChecks.map((check) => `check ${check}`),
    ...refusedPins.map(({ name }) => `pinned key of ${name} refused`),
    ...(complete === true && !errored ? [] : ["what the plan leaves out"]),
  ];
}

/** What a renewed certificate, or token, has besides another end. */
function unlikeRenewal({ verbs, differences, name }: IdentityChange): string[] {
  const others = verbs.includes("renew") ? differences.filter(({ what }) => !ENDS.has(what)) : [];
  return others.map(({ what }) => `other ${what} of ${name}`);
}

const ENDS: ReadonlySet<string> = new Set<keyof Facts>(["notAfter", "expires"]);
