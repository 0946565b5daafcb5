import { Token } from "cdktf";
import { escapeTemplate, quoted } from "./expression";

/**
 * A value as JSON text. Of text, Terraform shows in a plan what changes inside, and it costs a fraction of what the same value costs as
 * an object, whose type stands beside it in the state. Where it holds unresolved tokens, Terraform writes the text.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return Token.isUnresolved(text) ? `\${jsonencode(${operandOf(value)})}` : escapeTemplate(text);
}

function operandOf(value: unknown): string {
  if (typeof value === "string") {
    return quoted(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(operandOf).join(", ")}]`;
  }
  const fields = Object.entries(value as object).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${quoted(key)} = ${operandOf(field)}`).join(", ")}}`;
}
