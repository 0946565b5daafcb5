import { Generation, type Generations } from "../../lib";

// Every change of two generations of an authority or of a key pair, and what is wrong with it. It is written down from what whoever
// verifies has: who trusts the bundle of the state before refuses what a generation signs that was not in it, whatever is delivered
// first; who is given the bundle of the state after refuses what was signed by one that is not in it; and a key that was not put aside
// before cannot be brought back.

/** `AT`: g1 is active, g2 is trusted; `R` is retired, `-` is not there. */
export type Standing = (typeof STANDINGS)[number];

/** All that two generations may be, of which exactly one is active. */
export const STANDINGS = ["A-", "AT", "TA", "RA", "-A", "AR"] as const;

const MADE = { A: "active", T: "trusted", R: "retired" } as const;

/** The generations of a standing. */
export function generationsOf(standing: Standing): Generations {
  const entries = [...standing].flatMap((state, index) =>
    state === "-" ? [] : [[`g${index + 1}`, Generation[MADE[state as keyof typeof MADE]]()] as const],
  );
  return Object.fromEntries(entries);
}

/** The same in words, as it is published. */
export function statesOf(standing: Standing): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(generationsOf(standing)).map(([id, { state }]) => [id, state]));
}

const OK = "";
const [IP1, IP2] = ["introduced-and-promoted g1", "introduced-and-promoted g2"];
const [TR1, TR2] = ["trust-removed g1", "trust-removed g2"];
const [NR1, NR2] = ["generation-not-retired g1", "generation-not-retired g2"];

/** Dangers from one standing to another. */
const JUMPS: Readonly<Record<Standing, readonly string[]>> = {
  //   to  A-                  AT   TA   RA                  -A                  AR
  "A-": [OK, OK, IP2, `${IP2}, ${TR1}`, `${IP2}, ${NR1}`, OK],
  AT: [NR2, OK, OK, TR1, NR1, OK],
  TA: [NR2, OK, OK, OK, NR1, TR2],
  RA: [`${IP1}, ${NR2}`, IP1, OK, OK, OK, `${IP1}, ${TR2}`],
  "-A": [`${IP1}, ${NR2}`, IP1, OK, OK, OK, `${IP1}, ${TR2}`],
  AR: [OK, OK, IP2, `${IP2}, ${TR1}`, `${IP2}, ${NR1}`, OK],
};

/** Dangers of a change, sorted: `introduced-and-promoted g2`. */
export function dangersOf(from: Standing, to: Standing): string[] {
  return JUMPS[from][STANDINGS.indexOf(to)]!.split(", ")
    .filter((danger) => danger !== OK)
    .sort();
}

/** Every change. */
export const EVERY_JUMP: readonly (readonly [from: Standing, to: Standing])[] = STANDINGS.flatMap((from) =>
  STANDINGS.map((to) => [from, to] as const),
);
