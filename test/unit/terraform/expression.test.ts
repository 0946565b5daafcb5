import { TerraformVariable } from "cdktf";
import { newStack, resolved } from "../../support/synth";
import { expression } from "../../../lib/terraform/reference";
import { quoted, escapeTemplate } from "../../../lib/terraform/expression";

const stack = newStack();
const token = new TerraformVariable(stack, "host", { type: "string" }).stringValue;

test("a reference becomes its expression", () => {
  expect(expression({ address: "tls_private_key.a", attribute: "private_key_pem" })).toBe(
    "${tls_private_key.a.private_key_pem}",
  );
});

test.each([
  ["plain", "plain"],
  ["${x}", "$${x}"],
  ["%{ if x }", "%%{ if x }"],
  // Terraform reads the first dollar as itself.
  ["$${x}", "$$${x}"],
  ["100% of $5", "100% of $5"],
  ["${a}${b}", "$${a}$${b}"],
])("%j is no template when written as %j", (text, written) => {
  expect(escapeTemplate(text)).toBe(written);
});

test("an unresolved value in a text stays one", () => {
  expect(resolved(stack, escapeTemplate(`\${x} ${token}`))).toBe("$${x} ${var.host}");
});

test.each([
  ["plain", '"plain"'],
  ['say "hi"', '"say \\"hi\\""'],
  ["a\r\nb\tc", '"a\\r\\nb\\tc"'],
  ["back\\slash", '"back\\\\slash"'],
  ["${x} %{y}", '"$${x} %%{y}"'],
])("%j is %s as an operand", (text, operand) => {
  expect(quoted(text)).toBe(operand);
});

test("an unresolved value is a template inside the quotes of an operand", () => {
  expect(resolved(stack, `\${f(${quoted(`[${token}] "x"`)})}`)).toBe('${f("[${var.host}] \\"x\\"")}');
});

test("a dollar before a token stays a dollar, and the token an expression", () => {
  const stack = newStack();
  const host = new TerraformVariable(stack, "host", {}).stringValue;
  expect(resolved(stack, escapeTemplate(`costs $${host}`))).toBe('costs ${"$"}${var.host}');
  expect(resolved(stack, `\${upper(${quoted(`costs $${host}`)})}`)).toBe('${upper("costs ${"$"}${var.host}")}');
});
