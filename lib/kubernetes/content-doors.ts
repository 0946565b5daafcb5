import { PkiError } from "../errors";
import type { Reference } from "../terraform/reference";
import { checkShape, list, type Shape } from "../terraform/shape";
import type { Content } from "./content";
import { concat } from "./content";
import * as readers from "./content-readers";
import { CONTENT } from "./checks/content-shape";

// What others hand in is looked at here. What is made inside goes past these, and the commands, which need no cdktf, too.

const CONTENTS: Shape = list(CONTENT);

/**
 * Content from a template literal: `` content`server: ${host}\n` ``.
 *
 * @throws PkiError when a value is no content: a number, a list, a token that is no text
 */
export function content(strings: TemplateStringsArray, ...values: Content[]): Content {
  checkShape("content", strings, CONTENTS, "texts");
  checkShape("content", values, CONTENTS, "values");
  return concat(strings.flatMap((text, index) => (index < values.length ? [text, values[index]!] : [text])));
}

/**
 * The content as a Terraform template, valid inside the stack that owns what it refers to. Sensitive where it refers to a key.
 *
 * @throws PkiError when it is no content
 */
export function toTerraform(content: Content): string {
  checkShape("toTerraform", content, CONTENT, "content");
  return readers.toTerraform(content);
}

/**
 * Fills the content in.
 *
 * @param lookup finds the value of a reference; throws when there is none
 * @throws PkiError when it is no content
 */
export function evaluate(content: Content, lookup: (reference: Reference) => string): string {
  checkShape("evaluate", content, CONTENT, "content");
  if (typeof lookup !== "function") {
    const allowed = "a function that finds the value of a reference";
    throw new PkiError("evaluate", [
      { code: "wrong-type", at: "lookup", given: "no function", allowed, fix: "write (reference) => …" },
    ]);
  }
  return readers.evaluate(content, lookup);
}
