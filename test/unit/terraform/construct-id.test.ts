import { Token } from "cdktf";
import { Construct } from "constructs";
import { constructId } from "../../../lib/terraform/construct-id";
import { errorOf, newStack } from "../../support/synth";

test("an id is what it was", () => {
  expect(constructId(newStack(), "pki")).toBe("pki");
});

// constructs takes the last of these for a child that is there already, or loses it.
test.each(["", Token.asString({ a: 1 }), "constructor", "toString", "__proto__"])("%j is refused", (id) => {
  const error = errorOf(() => constructId(newStack(), id));
  expect(error).toMatchObject({ path: "prod-pki", problems: [{ code: "construct-id", at: "id" }] });
});

test("a scope that is none is refused, and the id with it", () => {
  expect(errorOf(() => constructId({} as Construct, "")).problems).toMatchObject([
    { code: "wrong-type", at: "scope", given: "an object" },
    { code: "construct-id", at: "id" },
  ]);
});
