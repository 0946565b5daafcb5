import { TerraformVariable } from "cdktf";
import { jsonText } from "../../../lib/terraform/json-text";
import { newStack, resolved } from "../../support/synth";

test("is the JSON of a value, with what Terraform would take for a template left to itself", () => {
  expect(jsonText({ a: ["x", { b: 'say "y"\n' }] })).toBe('{"a":["x",{"b":"say \\"y\\"\\n"}]}');
  expect(jsonText({ a: "${b} %{c}" })).toBe('{"a":"$${b} %%{c}"}');
});

test("is written by Terraform where only Terraform knows a value", () => {
  const stack = newStack();
  const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
  expect(resolved(stack, jsonText({ hosts: [host, "${x}"], url: `https://${host}/`, none: undefined }))).toBe(
    '${jsonencode({"hosts" = ["${var.host}", "$${x}"], "url" = "https://${var.host}/"})}',
  );
});
