import { UnusableError } from "../../terraform-json/unusable";
import type { DangerCode } from "./danger";
import { DANGER_CODES } from "./dangers";
import type { Acknowledgement } from "./acknowledge";
import { changesNothing, PlanReport } from "./report";
import { Verb, VERBS } from "../model/verbs";

/** What comes of a report: `failed` where it holds something that was asked for. */
export type Verdict = "nothing" | "changes" | "failed";

/** What a pipeline stops at. */
export interface Gate {
  /** Dangers that it stops at; not where they are acknowledged. */
  readonly codes: ReadonlySet<DangerCode>;
  /** True where it stops at any change. */
  readonly stopsAtChange: boolean;
}

/** What a report is for a pipeline. */
export function verdictOf(report: PlanReport, { codes, stopsAtChange }: Gate): Verdict {
  const isNothing = changesNothing(report);
  const isStopped =
    report.dangers.some(({ code, acknowledged }) => codes.has(code) && !acknowledged) ||
    (report.notAllowed ?? []).length > 0 ||
    (stopsAtChange && !isNothing);
  return isStopped ? "failed" : isNothing ? "nothing" : "changes";
}

/**
 * Reads lists that change what leads to a failure; by default every danger does. A code adds it, `-<code>` takes it away, `change` adds
 * any change, `danger` all dangers, and `none` takes everything away that stands before it.
 *
 * @throws UnusableError when a word is not known
 */
export function parseGate(lists: readonly string[]): Gate {
  const codes = new Set(DANGER_CODES);
  let stopsAtChange = false;
  for (const word of wordsOf(lists)) {
    const code = word.replace(/^-/, "");
    if (word === "none") {
      codes.clear();
      stopsAtChange = false;
    } else if (code === "change") {
      stopsAtChange = word === code;
    } else if (word === "danger") {
      DANGER_CODES.forEach((danger) => codes.add(danger));
    } else if (isDangerCode(code)) {
      codes[word === code ? "add" : "delete"](code);
    } else {
      throw new UnusableError(
        `--fail-on ${JSON.stringify(word)} is not known: use change, danger, none, or ${DANGER_CODES.join(", ")}, each with - before it to leave it out`,
      );
    }
  }
  return { codes, stopsAtChange };
}

/**
 * Reads the verbs that a plan may hold, and nothing else.
 *
 * @throws UnusableError when a word is no verb
 */
export function parseOnly(lists: readonly string[]): readonly Verb[] {
  return wordsOf(lists).map((word) => {
    const verb = VERBS.find((known) => known === word);
    if (!verb) {
      throw new UnusableError(`--only ${JSON.stringify(word)} is not known: use ${VERBS.join(", ")}`);
    }
    return verb;
  });
}

/**
 * Reads `CODE=REASON` and `CODE=NAME=REASON`.
 *
 * @param by who says so
 * @throws UnusableError when the code is not known or the reason is missing
 */
export function parseAcknowledgement(text: string, by: string | undefined): Acknowledgement {
  const [code = "", ...rest] = text.split("=");
  const [name, reason] = rest.length > 1 ? [rest[0], rest.slice(1).join("=")] : [undefined, rest[0]];
  if (!isDangerCode(code) || code === "plan-failed") {
    throw new UnusableError(
      `--acknowledge ${JSON.stringify(code)} is not known: use CODE=REASON or CODE=NAME=REASON, with a code of ${DANGER_CODES.filter((known) => known !== "plan-failed").join(", ")}`,
    );
  }
  if (!reason?.trim() || name === "") {
    throw new UnusableError(`--acknowledge ${code} has no reason: write CODE=REASON or CODE=NAME=REASON`);
  }
  return { code, ...(name === undefined ? {} : { name }), reason: reason.trim(), ...(by ? { by } : {}) };
}

function wordsOf(lists: readonly string[]): string[] {
  return lists.flatMap((list) => list.split(",")).map((word) => word.trim());
}

function isDangerCode(word: string): word is DangerCode {
  return (DANGER_CODES as readonly string[]).includes(word);
}
