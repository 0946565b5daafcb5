import { readFileSync } from "node:fs";
import path from "node:path";
import { completenessOf } from "../../../lib/terraform-json/completeness";

interface Known {
  readonly what: string;
  readonly complete: boolean;
  readonly plan: { readonly configuration: { readonly root_module: { readonly resources: object[] } } };
}

/** Plans of OpenTofu 1.12.6 without their values, a line each. Terraform 1.11.4 said the same of its own, where it can do the same. */
const plans = readFileSync(path.join(__dirname, "limited-plans.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Known);

function withoutOutputs({ configuration, ...plan }: Known["plan"]): object {
  const { resources } = configuration.root_module;
  return { ...plan, output_changes: {}, checks: [], prior_state: {}, configuration: { root_module: { resources } } };
}

const plan = (what: string) => plans.find((known) => known.what === what)!.plan;

describe("a plan that does not say whether it is whole", () => {
  test.each(plans.map(({ what, complete, plan }) => [what, complete, plan] as const))("%s: %s", (_, complete, plan) => {
    expect(completenessOf(plan)).toBe(complete);
  });

  test("is what it says where it does, and not whole where it failed", () => {
    expect(completenessOf({ ...plan("plan -target"), complete: true })).toBe(true);
    expect(completenessOf({ complete: false })).toBe(false);
    expect(completenessOf({ ...plan("plan that changes nothing"), errored: true })).toBe(false);
  });

  test.each([
    ["has no configuration", {}],
    [
      "has a resource in the code that is missing: it may have `enabled = false`",
      withoutOutputs(plan("plan -target, of an empty state")),
    ],
    [
      "has instances: others may be missing",
      withoutOutputs(plan("plan of resources with for_each and enabled = false")),
    ],
  ])("is not known where it %s", (_, document) => {
    expect(completenessOf(document)).toBe("unknown");
  });

  const code = (resources: object[]) => ({ configuration: { root_module: { resources } } });
  const create = (address: string) => ({ address, mode: "managed", change: { actions: ["create"] } });

  test.each([
    [true, code([{ address: "x.a" }]), ["x.a"]],
    [true, code([{ address: "x.a", count_expression: { constant_value: 0 } }]), []],
    [true, code([{ address: "x.a", count_expression: { constant_value: 2 } }]), ["x.a[0]", "x.a[1]"]],
    [false, code([{ address: "x.a", count_expression: { constant_value: 2 } }]), ["x.a[0]"]],
    ["unknown", code([{ address: "x.a", count_expression: { references: ["var.n"] } }]), []],
    [true, code([{ address: "data.x.a", mode: "data" }]), []],
  ] as const)("is %s by what is in the code alone: %#", (complete, document, addresses) => {
    expect(completenessOf({ ...document, resource_changes: addresses.map(create) })).toBe(complete);
  });
});
