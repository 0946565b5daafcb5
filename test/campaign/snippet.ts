/** Lines that one text has and the other has not, with `-` and `+` before them. */
export function changedLines(before: string, after: string, limit = 30): string {
  const [old, now] = [before, after].map((text) => text.split("\n").filter((line) => line.trim() !== ""));
  const [was, is] = [new Set(old), new Set(now)];
  const lines = [
    ...old!.filter((line) => !is.has(line)).map((line) => `- ${line}`),
    ...now!.filter((line) => !was.has(line)).map((line) => `+ ${line}`),
  ];
  return [...lines.slice(0, limit), ...(lines.length > limit ? [`… ${lines.length - limit} more`] : [])].join("\n");
}

/** Every value of a document on a line of its own, after its path; what is JSON in a text as well. */
export function flattened(value: unknown, path = ""): string {
  if (typeof value === "string" && /^\{"/.test(value)) {
    return flattened(JSON.parse(value), path);
  }
  return typeof value === "object" && value !== null
    ? Object.entries(value)
        .map(([key, inner]) => flattened(inner, `${path} ${key}`))
        .join("\n")
    : `${path} = ${String(value)}`;
}
