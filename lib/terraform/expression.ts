// Nothing in here needs cdktf: the command line reads the same data.

/** How cdktf writes a value into a string that it fills in at synth: a hint, and a number. */
const TOKEN = /\$\{TfToken\[[a-zA-Z0-9:._-]+\.[0-9]+\]\}/g;

/** The same after its first two characters, and what cdktf would also look up, and not find. */
const AFTER_BRACE = /TfToken\[([a-zA-Z0-9:._-]+)\]\}/y;

/**
 * Characters that Terraform reads as themselves in an expression alone: before a carriage return without a newline it takes a template for
 * plain text, and of a byte order mark it makes nothing at the start.
 */
const IN_EXPRESSIONS = /(\r(?!\n)|\ufeff)/;

/** Text as a template that says the same: what Terraform would take for a part of it is escaped, but for the tokens of cdktf, which become one. */
export function escapeTemplate(text: string): string {
  const parts = text.split(IN_EXPRESSIONS);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) {
        return `\${"${part === "\r" ? "\\r" : "\\ufeff"}"}`;
      }
      const escaped = escapeMarks(part);
      return index < parts.length - 1 ? closed(escaped) : escaped;
    })
    .join("");
}

function escapeMarks(text: string): string {
  return text.replace(/([$%]+)(\{?)/g, (whole, marks: string, brace: string, at: number) => {
    if (brace === "") {
      return whole;
    }
    const [before, last] = [marks.slice(0, -1), marks.slice(-1)];
    AFTER_BRACE.lastIndex = at + whole.length;
    const key = last === "$" ? AFTER_BRACE.exec(text)?.[1] : undefined;
    if (key === undefined) {
      return `${before}${last}${last}{`;
    }
    return /\.[0-9]+$/.test(key) ? `${closed(before)}\${` : `${closed(marks)}{`;
  });
}

/** A `$` or `%` at the end of a text would make one thing with the brace or expression after it: `$${` is no expression. */
export function closed(text: string): string {
  return text.replace(/[$%]+$/, (end) => `\${"${end}"}`);
}

/** Text as an operand inside an expression: quoted, with its tokens as templates. cdktf alone would write a token there bare. */
export function quoted(text: string): string {
  const inner = escapeTemplate(
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/\\([^])(?:(?<=u)[0-9a-f]{4})?/g, escapeOf),
  );
  return `"${inner.replace(TOKEN, (token) => `\${${token}}`)}"`;
}

/** Escapes of JSON that Terraform does not have. */
const ESCAPES: Readonly<Record<string, string>> = { b: "\\u0008", f: "\\u000c" };

function escapeOf(whole: string, character: string): string {
  return ESCAPES[character] ?? whole;
}

/**
 * Text as Terraform keeps it: composed, as Unicode's NFC, and without halves of characters, which nobody can write as UTF-8.
 *
 * @see https://developer.hashicorp.com/terraform/language/expressions/types#string
 */
export function normalised(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8").normalize("NFC");
}
