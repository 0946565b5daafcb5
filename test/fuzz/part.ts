import { fuzz } from "./fuzz";

// A part of the campaign: how many, and from which seed.

const [count, seed] = process.argv.slice(2).map(Number);
process.send!(fuzz(count!, seed!));
