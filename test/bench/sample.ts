/**
 * One construct + synth in a process of its own: `node sample.js <side> <fleet as JSON> <folder>`. What it took
 * stands on standard output, as JSON.
 */
import { Fleet, fleet } from "./clusters";
import { appOf, Side } from "./sides";

/** What one process took. */
export interface Sample {
  readonly constructSeconds: number;
  readonly synthSeconds: number;
  /** The most memory that the process had at any time. */
  readonly megabytes: number;
}

if (require.main === module) {
  const [side, size, folder] = process.argv.slice(2) as [Side, string, string];
  const descriptions = fleet(JSON.parse(size) as Fleet);
  const start = performance.now();
  const app = appOf(side, descriptions, folder);
  const constructed = performance.now();
  app.synth();
  const end = performance.now();
  const sample: Sample = {
    constructSeconds: (constructed - start) / 1000,
    synthSeconds: (end - constructed) / 1000,
    megabytes: (process.resourceUsage().maxRSS * 1024) / 1e6,
  };
  console.log(JSON.stringify(sample));
}
