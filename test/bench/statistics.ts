/** The middle of what was measured, and how far it spreads. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summary(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

/**
 * Measures each in turn, again and again, so that what else the machine does falls on all of them alike.
 *
 * @returns what was measured of each, in their order
 */
export async function alternate<T, R>(
  things: readonly T[],
  rounds: number,
  measure: (thing: T) => Promise<R>,
): Promise<R[][]> {
  const results: R[][] = things.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, thing] of things.entries()) results[index].push(await measure(thing));
  }
  return results;
}
