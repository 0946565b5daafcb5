/** Words that are no text to readers of YAML 1.1. */
const YAML_WORDS = /^(true|false|yes|no|on|off|null)$/i;

/** Text that begins with a letter, and networks, which have a slash and so are no numbers. */
const PLAIN = /^([A-Za-z][\w:@./[\]-]*[\w]|[0-9a-f][0-9a-f.:]*\/[0-9a-f.:,/]*[0-9])$/;

/** A YAML scalar that every reader takes for text: plain where that is safe, as client-go does, else quoted. */
export function scalar(text: string): string {
  return PLAIN.test(text) && !YAML_WORDS.test(text) ? text : JSON.stringify(text);
}
