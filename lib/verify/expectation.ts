import type { AuthorityEntry } from "../inventory-schema";
import { plain } from "../terraform-json/escape";
import { UnusableError } from "../terraform-json/unusable";
import type { Facts } from "./facts";

/** What has to be seen before the next step of a rotation. */
export interface Expectation {
  /** As it was given: `kubernetes=g2:trusted`. */
  readonly text: string;
  readonly authority: string;
  readonly generation: string;
  /** Trusted at least, signing as well, or nowhere any more. */
  readonly state: AuthorityEntry["state"];
}

/**
 * Reads `kubernetes=g2:trusted`.
 *
 * @throws UnusableError when it is something else, or of a generation that nobody knows
 */
export function parseExpectation(text: string, { generations }: Facts): Expectation {
  const [, authority, generation, state] = /^([\w-]+)=([\w.-]+):(active|trusted|retired)$/.exec(text) ?? [];
  if (authority === undefined || generation === undefined || state === undefined) {
    throw new UnusableError(
      `--expect ${JSON.stringify(text)} is none: write AUTHORITY=GENERATION:STATE, e.g. kubernetes=g2:trusted; ` +
        "a state is active, trusted or retired",
    );
  }
  if (!generations.some((one) => one.authority === authority && one.id === generation)) {
    const known = [...new Set(generations.map((one) => `${one.authority} ${one.id}`))].join(", ");
    throw new UnusableError(
      `--expect ${text}: there is no ${authority} ${generation} here, but ${plain(known) || "nothing"}`,
    );
  }
  return { text, authority, generation, state: state as AuthorityEntry["state"] };
}
