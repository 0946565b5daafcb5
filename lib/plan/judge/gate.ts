import type { DangerCode } from "./danger";
import { DANGER_CODES } from "./dangers";
import type { PlanReport } from "./report";
import { UnusableError } from "../../terraform-json/unusable";

/** What comes of a report: `failed` where it holds something that was asked for. */
export type Verdict = "nothing" | "changes" | "failed";

/** True where a word is the code of a danger. */
function isDangerCode(word: string): word is DangerCode {
  return (DANGER_CODES as readonly string[]).includes(word);
}

/**
 * Reads `danger`, `change`, codes of dangers and `-<code>`, with commas between, or `none` alone.
 *
 * @returns from a report to what comes of it
 * @throws UnusableError when a word is not known
 */
export function parseGate(list: string): (report: PlanReport) => Verdict {
  const words = list.split(",").map((word) => word.trim());
  const codes = new Set<DangerCode>();
  let failOnChange = false;
  for (const word of words) {
    const code = word.replace(/^-/, "");
    if (word === "danger") {
      DANGER_CODES.forEach((danger) => codes.add(danger));
    } else if (word === "change") {
      failOnChange = true;
    } else if (isDangerCode(code)) {
      codes[word === code ? "add" : "delete"](code);
    } else if (word !== "none" || words.length > 1) {
      throw new UnusableError(
        `--fail-on ${JSON.stringify(word)} is not known: use danger, change or none alone, or ${DANGER_CODES.join(", ")}`,
      );
    }
  }
  return ({ dangers, verdict }) => {
    const failed = dangers.some(({ code }) => codes.has(code)) || (failOnChange && verdict !== "nothing");
    return failed ? "failed" : verdict === "nothing" ? "nothing" : "changes";
  };
}
