/** A value as it stands in code: known text, or an expression of which nobody can tell the value before the apply. */
export type Value = string | { readonly hidden: string };

/** An expression whose value only the apply tells: the code has to make `terraform_data.later`. */
export const LATER: Value = { hidden: "terraform_data.later.output" };

/** An expression that Terraform shows to nobody. */
export function secretly(value: string): Value {
  return { hidden: `sensitive(${text(value)})` };
}

/** A quoted text. */
export function text(value: string): string {
  return JSON.stringify(value).replaceAll("${", "$${");
}

/** A value as an expression. */
export function hcl(value: Value): string {
  return typeof value === "string" ? text(value) : value.hidden;
}

/** The same of a list. */
export function hclList(values: readonly Value[]): string {
  return `[${values.map(hcl).join(", ")}]`;
}

/** What is known of a value: its text, or what stands for it. */
export function known(value: Value): string {
  return typeof value === "string" ? value : `(${value.hidden})`;
}

/** Names of fields that hold something hidden. */
export function hiddenIn(fields: Readonly<Record<string, Value | readonly Value[] | undefined>>): string[] {
  const holds = (value: Value | readonly Value[] | undefined) =>
    [value].flat().some((one) => typeof one === "object" && "hidden" in one);
  return Object.keys(fields).filter((name) => holds(fields[name]));
}

/** A block with attributes, and text that stands at its end. */
export function block(head: string, attributes: Readonly<Record<string, string | undefined>>, more = ""): string {
  const lines = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name} = ${value}`],
  );
  return `${head} {\n${[...lines, ...(more === "" ? [] : [more])].join("\n")}\n}\n`;
}
