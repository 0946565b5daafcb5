import { AS_ISSUED, type Cell } from "./matrix";

/** What was asked and seen, in numbers. */
export interface Count {
  readonly asked: number;
  readonly letIn: number;
  /** Who came in and should not have, came in as somebody else, or got no answer at all. */
  readonly wronglyLetIn: number;
  readonly wronglyRefused: number;
}

export function countOf(cells: readonly Cell[]): Count {
  return {
    asked: cells.length,
    letIn: cells.filter(({ seen }) => seen !== "").length,
    wronglyLetIn: cells.filter(({ seen, expected }) => seen !== "" && seen !== expected).length,
    wronglyRefused: cells.filter(({ seen, expected }) => seen === "" && expected !== "").length,
  };
}

/** As Markdown: everybody as they were issued; how often somebody was let in who came with something else; and all of it in numbers. */
export function markdownOf(cells: readonly Cell[]): string {
  const places = [...new Set(cells.map(({ place }) => place))];
  const issued = places.map((place) => {
    const row = cells.filter((cell) => cell.place === place && cell.variant === AS_ISSUED);
    return [`\`${place}\``, ...row.map(shown)];
  });
  const ports = [...new Set(cells.map(({ port }) => port))];
  const variants = [...new Set(cells.map(({ variant }) => variant))];
  const numbers = variants.map((variant) => {
    const atPorts = ports.map((port) => {
      const here = cells.filter((cell) => cell.variant === variant && cell.port === port);
      const isRight = here.every((cell) => cell.seen === cell.expected);
      return `${countOf(here).letIn} of ${here.length}${isRight ? "" : ", **wrong**"}`;
    });
    return [variant, ...atPorts];
  });
  const { asked, letIn, wronglyLetIn, wronglyRefused } = countOf(cells);
  return [
    table(["Holder of", ...ports], issued),
    "Let in with it, or with what was made of it:",
    table(["Certificate", ...ports], numbers),
    `Somebody came ${asked} times and was let in ${letIn} times. Wrongly let in: ${wronglyLetIn}. Wrongly refused: ${wronglyRefused}.`,
  ].join("\n\n");
}

function shown({ seen, expected }: Cell): string {
  return seen === expected ? seen || "–" : `${seen || "–"}, **not ${expected || "–"}**`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
