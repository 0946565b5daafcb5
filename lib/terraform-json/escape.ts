/** What moves a cursor, hides text or turns its direction around, in a terminal or in a comment. */
const CONTROL = /[\p{C}\p{Zl}\p{Zp}]/gu;
const ASCII = /^[\x20-\x7e]*$/;

/** Other people's text, for one line of a terminal: what is no printable character is written as its number. */
export function plain(text: string): string {
  // Nearly all of it is, and need not be looked up in Unicode's tables.
  return ASCII.test(text)
    ? text
    : text.replace(CONTROL, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** A document in JSON, indented, that a terminal may show: what is no printable character is written as JSON can, and reads as itself. */
export function printableJson(value: unknown): string {
  const units = (text: string) => [...text].flatMap((character) => character.split(""));
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const text = JSON.stringify(value, undefined, 2);
  return `${text.replace(CONTROL, (character) => (character === "\n" ? character : units(character).map(escaped).join("")))}\n`;
}

/** Text of a plan in Markdown, as code: no mention, link or markup comes of it, in a table cell either. */
export function code(text: string): string {
  // A pipe ends a cell even in code, and a backslash before it shows there. No HTML: `&` and `<` mean themselves in code.
  const inner = plain(text).replace(/\|/g, "\\|");
  const longest = (inner.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = "`".repeat(longest + 1);
  return longest > 0 ? `${fence} ${inner} ${fence}` : `${fence}${inner}${fence}`;
}

const MARKUP = /[\\`*[\]<>|~&$]|(?<!\w)_|_(?!\w)/;
/** Mentions, issues, links that no markup is needed for. */
const LINKS = /[@#](?=\w)|:(?=\/\/)|(?<=\bwww)\./;
const EITHER = new RegExp(`(${MARKUP.source})|${LINKS.source}`, "gi");

/** Our own words around text of a plan, where code would break the sentence: markup means itself, and nobody is mentioned or linked. */
export function prose(text: string): string {
  return plain(text).replace(EITHER, (character, isMarkup?: string) =>
    // An entity does not stop a mention or a link, which are found after it was read; a space of no width does.
    isMarkup === undefined ? `${character}&#8203;` : `&#${character.codePointAt(0)};`,
  );
}
