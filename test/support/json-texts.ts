/** Every value as JSON text, as the outputs of a stack hold what they publish. */
export function jsonTexts(values: object): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]));
}
