import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { claimPrefix } from "../../../lib/terraform/registry";
import { newApp, newStack, validationsOf } from "../../support/synth";

/** Stacks with an id, each in a region of its own; `ours` has something of this library in it. */
function stacksOf(...regions: readonly (readonly [region: string, id: string, whose: "ours" | "theirs"])[]) {
  const app = newApp();
  return regions.map(([region, id, whose]) => {
    const stack = new TerraformStack(new Construct(app, region), id);
    if (whose === "ours") {
      claimPrefix(stack, "pki", "prod", stack.node.path);
    }
    return stack;
  });
}

const PROBLEM =
  '[stack-id-taken] west/pki: given "pki"; allowed: an id that east/pki does not have: cdktf writes both stacks into one folder, ' +
  "the second over the first; fix: give it another id";

test.each([
  ["ours", "ours"],
  ["ours", "theirs"],
  ["theirs", "ours"],
] as const)("a stack (%s) that another one (%s) would be written over is refused", (first, second) => {
  const stacks = stacksOf(["east", "pki", first], ["west", "pki", second]);
  expect(stacks.flatMap(validationsOf)).toEqual([expect.stringContaining(PROBLEM)]);
});

test("nothing is said where ids differ, or where neither is ours", () => {
  const different = stacksOf(["east", "east-pki", "ours"], ["west", "west-pki", "ours"]);
  const others = stacksOf(["east", "network", "theirs"], ["west", "network", "theirs"], ["north", "pki", "ours"]);
  expect([...different, ...others].flatMap(validationsOf)).toEqual([]);
});

test("what it is for: cdktf alone says nothing, and keeps one of the two", () => {
  const app = newApp();
  const [east, west] = ["east", "west"].map((region) => newStack("same", new Construct(app, region) as never));
  expect(app.manifest.forStack(east!)).toBe(app.manifest.forStack(west!));
});
