import { ClusterAccess, inventoryOf, type Inventory } from "../../lib";
import { Readers } from "../../lib/export/changes";
import { referencesIn } from "../../lib/kubernetes/content-readers";
import { ONE, pkiOf } from "../support/cluster";
import { filesIn } from "../support/graph";
import { terraformOf } from "../support/synth";
import { accessStack, CA_PEM } from "../unit/access/fixture";
import { CASES, DISTRIBUTIONS } from "./cases";

/**
 * What export reads of a stack: every file of every holder, and the inventory beside it. Returns how many files there were.
 *
 * @throws UnusableError where the inventory does not say who reads one
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- looks anywhere into it
function readAll(terraform: any, inventory: Inventory): number {
  const prefixes = Object.keys(terraform.output).flatMap((name) => /^(.*)_files$/.exec(name)?.[1] ?? []);
  const maps = prefixes.flatMap((prefix) =>
    Object.entries(filesIn(terraform, prefix)).map(([holder, files]) => ({ prefix, holder, files })),
  );
  return maps
    .map(({ prefix, holder, files }) => {
      const exported = Object.entries(files).map(([path, { content, mode, owner }]) => {
        const isLiteral = referencesIn(content).length === 0;
        return { path, mode, owner, text: "", cluster: prefix.split("__")[0]!, isLiteral };
      });
      expect(new Readers(holder, exported, [inventory]).archived(exported, []).files).toHaveLength(exported.length);
      return exported.length;
    })
    .reduce((sum, count) => sum + count, 0);
}

test.each(Object.entries(CASES))(
  "the inventory says who reads every file that is published: %s",
  (_, { cluster, props }) => {
    const { stack } = pkiOf(cluster, props);
    const terraform = terraformOf(stack);
    expect(readAll(terraform, inventoryOf(stack))).toBeGreaterThanOrEqual(
      props.distribution.table.name === "cluster-api" ? 0 : 8,
    );
  },
);

test.each(DISTRIBUTIONS.map((distribution) => [distribution.table.name, distribution] as const))(
  "the inventory says who reads every file that is published: the access to a cluster of %s",
  (_, distribution) => {
    const rows = distribution.table.access.tokens;
    const kinds = Object.keys(rows);
    const told = Object.values(rows).filter(({ configuration }) => configuration !== undefined);
    const tokens = Object.fromEntries(kinds.map((kind) => [`${kind}s`, { joins: kind }]));
    const stack = accessStack();
    new ClusterAccess(stack, "access", { distribution, cluster: ONE, certificateAuthority: CA_PEM, tokens });
    expect(readAll(terraformOf(stack), inventoryOf(stack))).toBe(kinds.length + told.length);
  },
);
