import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Reference, expression } from "../terraform/reference";
import { escapeTemplate, quoted } from "../terraform/expression";

/**
 * What stands in a file, as data: text, a value of the Terraform state, several of them in a row, or what is made of one: its
 * base64, its gzip in base64, its SHA-256 in hex.
 *
 * It has two readers that agree byte for byte: {@link toTerraform} makes an expression of it, for Secrets and cloud-init;
 * {@link evaluate} fills it in from a state that was read. Only gzip is not the same bytes, since it may be written in several
 * ways: it unpacks to the same. The data itself is public: it names secrets and never holds one. Text may hold unresolved tokens
 * of public values.
 */
export type Content =
  | string
  | Reference
  | {
      /** Several in a row, with nothing between them. */
      readonly concat: readonly Content[];
    }
  | {
      /** The base64 of this, on one line. */
      readonly base64: Content;
    }
  | {
      /** The base64 of the gzip of this, on one line. */
      readonly base64gzip: Content;
    }
  | {
      /** The SHA-256 of this, in hex. */
      readonly sha256: Content;
    };

/** What is made of one content: Terraform's function, and the same here. */
const FUNCTIONS = {
  base64: { terraform: "base64encode", make: (text: string) => Buffer.from(text).toString("base64") },
  base64gzip: { terraform: "base64gzip", make: (text: string) => gzipSync(text).toString("base64") },
  sha256: { terraform: "sha256", make: (text: string) => createHash("sha256").update(text).digest("hex") },
} as const;

type FunctionName = keyof typeof FUNCTIONS;

/** The function of a content that is made of another, and that other. */
function madeOf(content: Exclude<Content, string>): [FunctionName, Content] | undefined {
  const name = (Object.keys(FUNCTIONS) as FunctionName[]).find((key) => key in content);
  return name && [name, (content as Record<FunctionName, Content>)[name]];
}

/** Content from a template literal: `` content`server: ${host}\n` ``. */
export function content(strings: TemplateStringsArray, ...values: Content[]): Content {
  return concat(strings.flatMap((text, index) => (index < values.length ? [text, values[index]!] : [text])));
}

/** Several in a row, as short as it can be said: neighbouring texts become one, and a row of one is that one. */
export function concat(contents: readonly Content[]): Content {
  const row: Content[] = [];
  for (const part of contents.flatMap((item) =>
    typeof item !== "string" && "concat" in item ? item.concat : [item],
  )) {
    const last = row.at(-1);
    if (typeof part === "string" && typeof last === "string") {
      row[row.length - 1] = last + part;
    } else if (part !== "") {
      row.push(part);
    }
  }
  return row.length === 1 ? row[0]! : { concat: row };
}

/** The content as a Terraform template, valid inside the stack that owns what it refers to. Sensitive where it refers to a key. */
export function toTerraform(content: Content): string {
  return template(content, escapeTemplate);
}

/** The same data with its text written so that Terraform leaves it alone: what goes into an output. */
export function escaped(content: Content): Content {
  if (typeof content === "string") {
    return escapeTemplate(content);
  }
  if ("concat" in content) {
    return { concat: content.concat.map(escaped) };
  }
  const made = madeOf(content);
  return made ? ({ [made[0]]: escaped(made[1]) } as Content) : content;
}

/**
 * Fills the content in.
 *
 * @param lookup finds the value of a reference; throws when there is none
 */
export function evaluate(content: Content, lookup: (reference: Reference) => string): string {
  if (typeof content === "string") {
    return content;
  }
  if ("concat" in content) {
    return content.concat.map((part) => evaluate(part, lookup)).join("");
  }
  const made = madeOf(content);
  return made ? FUNCTIONS[made[0]].make(evaluate(made[1], lookup)) : lookup(content as Reference);
}

/** Every value of the state that stands in the content, in order. */
export function referencesIn(content: Content): Reference[] {
  if (typeof content === "string") {
    return [];
  }
  if ("concat" in content) {
    return content.concat.flatMap(referencesIn);
  }
  const made = madeOf(content);
  return made ? referencesIn(made[1]) : [content as Reference];
}

function template(content: Content, text: (literal: string) => string): string {
  if (typeof content === "string") {
    return text(content);
  }
  if ("concat" in content) {
    return content.concat.map((part) => template(part, text)).join("");
  }
  const made = madeOf(content);
  return made ? `\${${FUNCTIONS[made[0]].terraform}(${operand(made[1])})}` : expression(content as Reference);
}

/** The content where an expression stands already, e.g. as an argument. */
function operand(content: Content): string {
  if (typeof content !== "string" && "address" in content) {
    return `${content.address}.${content.attribute}`;
  }
  return `"${template(content, (text) => quoted(text).slice(1, -1))}"`;
}
