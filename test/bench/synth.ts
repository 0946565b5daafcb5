import { Programs, Run } from "./program";
import { alternate } from "./statistics";

/** How often each number of clusters is measured: the shorter it takes, the more a single one may be off. */
const ROUNDS: readonly (readonly [clusters: number, rounds: number])[] = [
  [1, 15],
  [10, 9],
  [100, 7],
  [1000, 3],
];

/** What both sides took for a number of clusters. */
export interface SynthResult {
  readonly clusters: number;
  readonly library: readonly Run[];
  readonly handWritten: readonly Run[];
}

/** Construct + synth of one app, a stack for each cluster. */
export async function measureSynth(
  programs: Programs,
  quick: boolean,
  progress: (line: string) => void,
): Promise<SynthResult[]> {
  const results: SynthResult[] = [];
  for (const [clusters, rounds] of quick ? [[1, 1] as const, [10, 1] as const] : ROUNDS) {
    progress(`construct + synth of ${clusters} clusters, ${rounds} times each`);
    const [library, handWritten] = await alternate(["library", "hand-written"] as const, rounds, (side) =>
      programs.measure({ side, clusters, controlPlanes: 1, workers: 0 }),
    );
    results.push({ clusters, library, handWritten });
  }
  return results;
}
