import { applied } from "../fuzz/applied";
import { fuzz } from "../fuzz/fuzz";

// A fixed part of `npm run fuzz`: descriptions that are right, and the same with mistakes in them, judged by the description alone.

jest.setTimeout(300_000);

const { accepted, refused, findings } = fuzz(60, 7);

test("what is right is made as described, and every mistake is named in one error", () => {
  expect(findings.map(({ what, planted, drawn }) => ({ what, planted, drawn }))).toEqual([]);
  expect(accepted).toHaveLength(60);
  expect(refused).toBeGreaterThan(40);
});

test("what Terraform makes of it is what was described", async () => {
  const { certificates, files, kubeconfigs, faults } = await applied(accepted.slice(0, 4));
  expect(faults).toEqual([]);
  expect(certificates).toBeGreaterThan(20);
  expect(files).toBeGreaterThan(50);
  expect(kubeconfigs).toBeGreaterThan(5);
});
