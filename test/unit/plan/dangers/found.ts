import type { Inventory } from "../../../../lib/inventory-schema";
import type { Danger } from "../../../../lib/plan/judge/danger";
import { ReportOptions, planReport } from "../../../../lib/plan/judge/report";
import { readPlan } from "../../../../lib/terraform-json/plan";

/** Dangers that tests found, so that each of a table has one. */
export const seen = new Set<string>();

/** The dangers of a plan that was written by hand, but for what cannot be read: that is asked of `undecidedOf`. */
export function found(document: object, options?: ReportOptions): readonly Danger[] {
  const dangers = planReport(readPlan(document), options).dangers.filter(({ code }) => String(code) !== "unreadable");
  dangers.forEach(({ code }) => seen.add(code));
  return dangers;
}

/** The same as codes, names and what they reach. */
export function codes(document: object, options?: ReportOptions): string[][] {
  return found(document, options).map(({ code, name = "", reaches }) => [code, name, ...reaches]);
}

/** The inventory that says this of one thing. */
export function inventoryOf(...entries: object[]): ReportOptions {
  const whole = entries.map((entry) => ({ files: [], ...entry }));
  return { inventories: [{ schemaVersion: 2, stack: "prod", entries: whole } as unknown as Inventory] };
}
