import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import type { Sandbox } from "../sandbox/sandbox";
import { choicesOf, verify } from "../sandbox/verification";

/** Tests that `verify` says of a control plane that was just started that all is as issued. */
export function describeVerify(sandbox: () => Sandbox): void {
  test("verify says that every component serves and trusts what was issued", async () => {
    const { code, report } = await verify(sandbox(), [sandbox().stack(PKI_STACK), ...choicesOf(sandbox())]);
    const wrong = report.ports.filter(({ served, trusted }) =>
      [served.verdict, trusted.verdict].some((one) => one && one !== "as-issued"),
    );
    expect(wrong).toEqual([]);
    expect([code, report.verdict]).toEqual([0, "as-issued"]);
    expect(report.ports.map(({ machine, component }) => `${machine} ${component}`)).toEqual(
      ["etcd", "etcd", "kube-apiserver", "kube-controller-manager"].map((name) => `${CONTROL_PLANE} ${name}`),
    );
  });
}
