// Nothing in here needs cdktf: the command line reads the same data.

/** How cdktf writes a value into a string that it fills in at synth. */
const TOKEN = /\$\{TfToken\[[^\]]+\]\}/g;

/** Doubles what Terraform would take for a template, but for the tokens of cdktf, which become one. */
export function escapeTemplate(text: string): string {
  const escaped = text.replace(/\$\{(?!TfToken\[)/g, () => "$${").replace(/%\{/g, "%%{");
  return escaped.replace(/[$%]+(?=\$\{TfToken\[)/g, closed);
}

/** A `$` or `%` at the end of a text would make one thing with the brace or expression after it: `$${` is no expression. */
export function closed(text: string): string {
  return text.replace(/[$%]+$/, (end) => `\${"${end}"}`);
}

/** Text as an operand inside an expression: quoted, with its tokens as templates. cdktf alone would write a token there bare. */
export function quoted(text: string): string {
  const inner = escapeTemplate(JSON.stringify(text).slice(1, -1));
  return `"${inner.replace(TOKEN, (token) => `\${${token}}`)}"`;
}
