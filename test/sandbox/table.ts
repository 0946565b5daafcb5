import Table from "cli-table3";

const NO_LINES = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((name) => [name, ""]),
);

/** Columns as kubectl prints them. */
export function table(head: string[], rows: string[][]): string {
  const printed = new Table({
    head,
    chars: { ...NO_LINES, middle: "   " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  printed.push(...rows);
  return `${printed.toString()}\n`;
}
