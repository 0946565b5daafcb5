import type { Random } from "../campaign/random";
import { STEPS } from "./rotation";
import type { BackendName, Moment, Outcome, Stand } from "./stand";

/** How often a step is taken: those that make something, most of the time. */
const WEIGHTED = [...STEPS, "introduce", "promote", "promote", "promote"] as const;

/** Where none of the last ones was killed in time, something is wrong with the moments. */
const TRIES = 10;

/** Kills applies at random moments until so many of them did not come to their end. */
export async function campaign(
  stand: Stand,
  backend: BackendName,
  { points, random, seen }: { points: number; random: Random; seen?: (outcome: Outcome) => void },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let tries = 0; outcomes.length < points && tries < points * TRIES; tries += 1) {
    const step = random.of(WEIGHTED);
    const outcome = await stand.point(step, momentOf(random, backend, stand.course(step)));
    if (outcome.wasKilled || outcome.faults.length > 0) {
      outcomes.push(outcome);
      seen?.(outcome);
    }
  }
  return outcomes;
}

function momentOf(
  random: Random,
  backend: BackendName,
  { milliseconds, lines }: { readonly milliseconds: number; readonly lines: number },
): Moment {
  const kind = random.of(lines > 0 ? (["time", "line", "write"] as const) : (["time", "write"] as const));
  switch (kind) {
    case "time":
      return { kind, at: 1 + random.below(milliseconds), delay: 0 };
    case "line":
      return { kind, at: 1 + random.below(lines), delay: random.below(15) };
    case "write":
      // A local state is written for each resource, another one once or twice.
      return {
        kind,
        at: 1 + random.below(backend === "local" ? lines + 2 : 3),
        delay: random.coin() ? 0 : random.below(4),
      };
  }
}
