import type { PlannedResource } from "../../terraform-json/plan";
import { isObject } from "../../terraform-json/json";
import type { PlanModel } from "../model/model";
import type { Verb } from "../model/verbs";
import type { PlanReport } from "./report";

/**
 * What a plan holds besides what it may: `1 issue`, `output pki_files`, `2 aws_instance`. A Secret that only gets the renewed content of what
 * it is made of belongs to the renewal.
 */
export function besides(allowed: readonly Verb[], report: PlanReport, model: PlanModel): string[] {
  const { changes, otherChanges, outputs, drift, failedChecks, refusedPins, complete, errored } = report;
  const resources = new Map(model.plan.resources.map((resource) => [resource.address, resource]));
  const verbs = changes
    .filter(({ kind, addresses }) => !(kind === "secret" && addresses.every((at) => isContentAlone(resources.get(at)))))
    .flatMap((change) => change.verbs)
    .filter((verb) => !allowed.includes(verb));
  const { output: _, ...types } = otherChanges;
  return [
    ...[...new Set(verbs)].map((verb) => `${verbs.filter((other) => other === verb).length} ${verb}`),
    ...Object.entries(types).map(([type, count]) => `${count} ${type}`),
    ...outputs.map((name) => `output ${name}`),
    ...drift.map(({ name, what }) => `${name} ${what} outside Terraform`),
    ...failedChecks.map((check) => `check ${check}`),
    ...refusedPins.map(({ name }) => `pinned key of ${name} refused`),
    ...(complete === true && !errored ? [] : ["what the plan leaves out"]),
  ];
}

/** True where nothing of a Secret changes but values that other resources have, and these are still to come. */
function isContentAlone(resource: PlannedResource | undefined): boolean {
  if (resource?.change !== "update" || resource.previousAddress !== undefined || resource.imported) {
    return false;
  }
  const { before = {}, after = {}, unknown } = resource;
  const later = isObject(unknown) ? unknown : {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(later)])];
  const [data, ...others] = names
    .filter((name) => hasAny(later[name]) || JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .sort();
  if (data !== "data" || others.length > 0 || !isObject(before.data) || !isObject(later.data)) {
    return false;
  }
  const [old, now, open] = [before.data, isObject(after.data) ? after.data : {}, later.data];
  return [...new Set([...Object.keys(old), ...Object.keys(now), ...Object.keys(open)])].every(
    (key) => key in old && (open[key] === true || old[key] === now[key]),
  );
}

/** True where a mask covers something. */
function hasAny(mask: unknown): boolean {
  return mask === true || (typeof mask === "object" && mask !== null && Object.values(mask).some(hasAny));
}
