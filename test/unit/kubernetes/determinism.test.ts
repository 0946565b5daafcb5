import { Generation } from "../../../lib";
import { MEMBERS, ONE, pkiOf, THREE } from "../../support/cluster";
import { synth } from "../../support/synth";

const textOf = (...args: Parameters<typeof pkiOf>) => JSON.stringify(synth(pkiOf(...args).stack));

test.each([
  ["one control plane", ONE],
  ["three control planes", THREE],
  ["etcd members", MEMBERS],
])("the same description gives the same bytes: %s", (_, cluster) => {
  expect(textOf(cluster)).toBe(textOf(cluster));
});

test("the order of generations in the code makes no difference to what is bundled", () => {
  const [g1, g2, g3] = [Generation.trusted(), Generation.active(), Generation.trusted()];
  const filesOf = (generations: object) =>
    synth(pkiOf({}, { authorities: { kubernetes: { generations: generations as never } } }).stack).output.pki_files
      .value;
  expect(filesOf({ g3, g1, g2 })).toEqual(filesOf({ g1, g2, g3 }));
});

test("the environment makes no difference", () => {
  const before = textOf(THREE);
  const { TZ } = process.env;
  process.env.TZ = "Pacific/Kiritimati";
  try {
    expect(textOf(THREE)).toBe(before);
  } finally {
    process.env.TZ = TZ;
  }
});
