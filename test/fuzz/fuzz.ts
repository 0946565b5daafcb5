import fc from "fast-check";
import { PkiError } from "../../lib";
import { newApp, newStack, terraformOf } from "../support/synth";
import { build, drawn, Drawn, propsOf } from "./descriptions";
import { ClusterPki } from "../../lib";
import { Fault, FAULTS, NEVER_SAID } from "./faults";
import { faultsOf, filled } from "./oracle";

/**
 * Seconds of CPU time that the synth of one description may take, garbage collection and compilation included. Of CPU time, since
 * whatever else a machine does makes a clock go on.
 */
const HANGS_AFTER = 2;

/** What was found wrong, with what is needed to see it again. */
export interface Finding {
  readonly what: string;
  readonly seed: number;
  readonly drawn: Drawn;
  readonly planted: readonly string[];
}

/** How many of what were tried, and what was wrong. */
export interface Fuzzed {
  readonly accepted: readonly Drawn[];
  readonly refused: number;
  readonly byDistribution: Readonly<Record<string, number>>;
  /** Seconds of CPU time that the longest synth took. */
  readonly longest: number;
  readonly findings: readonly Finding[];
}

/** Synthesizes so many descriptions that are right, and for each one with mistakes in it. */
export function fuzz(runs: number, seed: number): Fuzzed {
  const accepted: Drawn[] = [];
  const findings: Finding[] = [];
  const byDistribution: Record<string, number> = {};
  let refused = 0;
  let longest = 0;
  const samples = fc.sample(
    fc.tuple(drawn, fc.integer({ min: 0 }), fc.shuffledSubarray([...FAULTS], { minLength: 1, maxLength: 3 })),
    {
      numRuns: runs,
      seed,
    },
  );
  for (const [one, number, faults] of samples) {
    byDistribution[one.distribution] = (byDistribution[one.distribution] ?? 0) + 1;
    const report: Report = {
      fault: (what, planted = []) => findings.push({ what, seed, drawn: one, planted }),
      took: (seconds, planted = []) => {
        longest = Math.max(longest, seconds);
        if (seconds > HANGS_AFTER) {
          report.fault(`it takes ${seconds} s`, planted);
        }
      },
    };
    if (right(one, number, report)) {
      accepted.push(one);
    }
    refused += wrong(one, faults, report) ? 1 : 0;
  }
  return { accepted, refused, byDistribution, longest, findings };
}

interface Report {
  /** What is wrong, and what was planted. */
  readonly fault: (what: string, planted?: readonly string[]) => void;
  /** How long a synth took. */
  readonly took: (seconds: number, planted?: readonly string[]) => void;
}

/** Does something, and tells how much CPU time it took, however it ends. */
function measured<T>(act: () => T, { took }: Report, planted?: readonly string[]): T {
  const before = process.cpuUsage();
  try {
    return act();
  } finally {
    const { user, system } = process.cpuUsage(before);
    took((user + system) / 1_000_000, planted);
  }
}

/** What is right is made, exactly as described, and the same from a shuffled description; one more worker moves nobody. */
function right(one: Drawn, number: number, report: Report): boolean {
  const code = attempt(() => synthesized(one), report);
  if (code === undefined) {
    return false;
  }
  faultsOf(filled(code), one).forEach((line) => report.fault(line));
  const shuffled = attempt(() => synthesized(one, number), report);
  if (JSON.stringify(sorted(shuffled)) !== JSON.stringify(sorted(code))) {
    report.fault("a shuffled description gives another output");
  }
  if (one.workers.length > 0) {
    const more = attempt(
      () => synthesized({ ...one, workers: [...one.workers, { name: "one-more", addresses: ["192.0.2.77"] }] }),
      report,
    );
    const lost = addresses(code).filter((address) => !addresses(more).includes(address));
    lost.forEach((address) => report.fault(`${address} goes when a worker comes`));
  }
  return true;
}

/** What is wrong is refused, and every mistake is named. */
function wrong(one: Drawn, faults: readonly Fault[], report: Report): boolean {
  const places = new Set<string>();
  const apart = faults.filter(({ place }) => !places.has(place) && places.add(place));
  const alone = apart.flatMap((fault) => {
    const codes = refusal(one, [fault], report);
    return codes ? [{ fault, isShape: codes.every((code) => SHAPES.has(code)) }] : [];
  });
  if (alone.length < 2) {
    return alone.length > 0;
  }
  // What a description means is looked at when it has its shape: until then, mistakes of the second kind are not seen.
  const shapes = alone.filter(({ isShape }) => isShape);
  const seen = (shapes.length > 0 ? shapes : alone).map(({ fault }) => fault);
  return (
    refusal(
      one,
      alone.map(({ fault }) => fault),
      report,
      seen,
    ) !== undefined
  );
}

/** Codes of mistakes by which a description has another shape than it should. */
const SHAPES = new Set([
  ...["missing", "wrong-type", "unknown-key", "unknown-value", "unresolved", "unresolved-kind", "token-text"],
  "plain-text",
]);

/**
 * Plants mistakes, and looks at the error.
 *
 * @param named those that have to be named
 * @returns codes of the error; undefined where there is no such place, or no error as it should be
 */
function refusal(
  one: Drawn,
  faults: readonly Fault[],
  report: Report,
  named: readonly Fault[] = faults,
): string[] | undefined {
  const stack = newStack(one.name);
  const props = propsOf(stack, one);
  // What a mistake takes away has no place for another one.
  const planted = [...faults].sort((a, b) => a.depth - b.depth).filter(({ plant }) => plant(props));
  const names = planted.map(({ name }) => name);
  if (planted.length === 0) {
    return undefined;
  }
  try {
    measured(() => new ClusterPki(stack, "pki", props), report, names);
    report.fault("it is accepted", names);
    return undefined;
  } catch (error) {
    if (!(error instanceof PkiError)) {
      report.fault(`it ends in ${String(error).slice(0, 200)}`, names);
      return undefined;
    }
    if (NEVER_SAID.test(error.message)) {
      report.fault(`the message says what nobody understands: ${error.message}`, names);
    }
    const said = error.problems.map(({ at }) => at).join("\n");
    planted
      .filter((fault) => named.includes(fault) && !fault.at.test(said))
      .forEach(({ name }) => report.fault(`${name} is not named in ${error.message}`, names));
    return error.problems.map(({ code }) => code);
  }
}

function attempt<T>(act: () => T, report: Report): T | undefined {
  try {
    return measured(act, report);
  } catch (error) {
    report.fault(`what is right ends in ${String(error).slice(0, 400)}`);
    return undefined;
  }
}

function synthesized(one: Drawn, number?: number): unknown {
  const stack = newStack(one.name, newApp());
  build(stack, one, number === undefined ? undefined : shuffle(number));
  return terraformOf(stack);
}

/** Another order for each list, always the same for one number. */
function shuffle(number: number) {
  let turn = 0;
  return <T>(list: readonly T[]): T[] => {
    turn += 1;
    return list
      .map((value, index) => ({ value, rank: Math.imul(index + 1, 2654435761 ^ (number + turn)) >>> 0 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ value }) => value);
  };
}

/** With sorted keys: Terraform does not see their order, but for lists. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function addresses(code: unknown): string[] {
  const { resource = {} } = (code ?? {}) as {
    readonly resource?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return Object.entries(resource).flatMap(([type, names]) => Object.keys(names).map((name) => `${type}.${name}`));
}
