import { documented } from "../matrix/document";
import { type Cell, matrixOf } from "../matrix/matrix";
import { markdownOf } from "../matrix/table";
import { TRUST } from "../matrix/upstream";
import type { Sandbox } from "../sandbox/sandbox";

/** Who is let in where, at a running sandbox that has everybody's files: as upstream says, and as docs/identities.md shows. */
export function describeMatrix(distribution: string, sandbox: () => Sandbox): void {
  const trust = TRUST[distribution]!;
  describe("everybody who holds a key, at every port", () => {
    let cells: readonly Cell[];

    beforeAll(async () => {
      cells = await matrixOf(sandbox(), trust);
    });

    test("gets in as who they are where upstream says so, and nowhere else", () => {
      expect(cells.filter(({ seen, expected }) => seen !== expected)).toEqual([]);
    });

    test("is in the documents", () => {
      expect(markdownOf(cells)).toBe(documented(distribution));
    });
  });
}
