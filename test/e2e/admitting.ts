import { documented } from "../matrix/document";
import { type Cell, matrixOf, NAMED_WORKER } from "../matrix/matrix";
import { markdownOf } from "../matrix/table";
import { TRUST } from "../matrix/upstream";
import { PKI_STACK } from "../sandbox/description";
import type { KubeletPort, Sandbox } from "../sandbox/sandbox";
import { verify } from "../sandbox/verification";
import { logsOn } from "./nodes";

/** Who is let in where, at a running sandbox that has everybody's files: as upstream says, and as docs/identities.md shows. */
export function describeMatrix(distribution: string, sandbox: () => Sandbox): void {
  const trust = TRUST[distribution]!;
  describe("everybody who holds a key, at every port", () => {
    let cells: readonly Cell[];
    let kubelet: KubeletPort | undefined;

    beforeAll(async () => {
      kubelet = trust.kubelet === undefined ? undefined : await sandbox().startKubelet(NAMED_WORKER);
      cells = await matrixOf(sandbox(), trust, kubelet);
    });

    test("gets in as who they are where upstream says so, and nowhere else", () => {
      expect(cells.filter(({ seen, expected }) => seen !== expected)).toEqual([]);
    });

    test("is in the documents", () => {
      expect(markdownOf(cells)).toBe(documented(distribution));
    });

    if (trust.kubelet !== undefined) {
      test("verify sees at a kubelet's port whom it lets in, and that it serves what it was given", async () => {
        const { port, own } = kubelet!;
        const where = ["--machine", NAMED_WORKER, "--port", `kubelet=${port}`];
        const { code, report } = await verify(sandbox(), [sandbox().stack(PKI_STACK), ...where]);
        expect([code, report.verdict]).toEqual([0, "as-issued"]);
        const seen = report.ports.map(({ component, trusted, served }) => [component, trusted.verdict, served.verdict]);
        // Of what a kubelet made for itself there is nothing to say.
        expect(seen).toEqual([["kubelet", "as-issued", own === undefined ? "as-issued" : undefined]]);
      });

      test("the API server comes to a kubelet as itself, and goes on where that is who it should be", async () => {
        // So says the kubelet alone. What goes wrong before is an error of TLS, or Unauthorized, or Forbidden.
        expect(await logsOn(sandbox(), NAMED_WORKER)).toContain("is waiting to start");
      });
    }
  });
}
