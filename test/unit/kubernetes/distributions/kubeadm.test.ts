import { ClusterPkiProps, Distribution } from "../../../../lib";
import { leavesOf, pkiOf } from "../../../support/cluster";
import { problemsOf } from "../../../support/synth";

const WORKER = { name: "worker-1", addresses: ["10.0.0.31"] };

function serving(props: Partial<ClusterPkiProps> = {}, workers = [WORKER]) {
  return pkiOf({ workers }, { distribution: Distribution.kubeadm({ kubeletServing: true }), ...props }).pki;
}

describe("kubelets that serve with a certificate", () => {
  const pki = serving();
  const read = (holder: string, component: string) =>
    pki
      .files(holder)
      .flatMap(({ path, consumers }) => consumers.map((consumer) => ({ path, ...consumer })))
      .filter((consumer) => consumer.component === component);

  // cmd/kubelet/app/server.go of 1.36.3, InitializeTLS: kubelet.crt and kubelet.key of --cert-dir, /var/lib/kubelet/pki by default.
  test("find it where they would make one", () => {
    for (const holder of ["cp-1", "worker-1"]) {
      const paths = read(holder, "kubelet").map(({ path }) => path);
      expect(paths).toEqual(
        expect.arrayContaining(["/var/lib/kubelet/pki/kubelet.crt", "/var/lib/kubelet/pki/kubelet.key"]),
      );
    }
  });

  // pkg/apis/certificates/helpers.go of 1.36.3: what the API server's own signer asks for.
  test("are servers alone, by the name and the addresses of the machine", () => {
    const made = leavesOf(pki).filter(([key]) => key.endsWith("/kubelet-server"));
    expect(
      made.map(([key, { subject, sans, usage }]) => [key, subject.fields, sans.dns, sans.ips, usage.purposes]),
    ).toEqual([
      [
        "cp-1/kubelet-server",
        { commonName: "system:node:cp-1", organization: "system:nodes" },
        ["cp-1"],
        ["10.0.0.11"],
        expect.not.arrayContaining(["client_auth"]),
      ],
      [
        "worker-1/kubelet-server",
        { commonName: "system:node:worker-1", organization: "system:nodes" },
        ["worker-1"],
        ["10.0.0.31"],
        expect.not.arrayContaining(["client_auth"]),
      ],
    ]);
  });

  test("are verified by the API server, which has to be restarted for another bundle", () => {
    const flag = "--kubelet-certificate-authority";
    expect(read("cp-1", "kube-apiserver").filter(({ via }) => "flag" in via && via.flag === flag)).toMatchObject([
      { path: "/etc/kubernetes/pki/ca.crt", onChange: "restart" },
    ]);
  });

  // manifests.go of 1.36.3: --kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname
  test("need an address, by which the API server comes to them", () => {
    expect(problemsOf(() => serving({}, [{ ...WORKER, addresses: [] }]))).toMatchObject([
      { code: "no-address", at: "cluster.workers[0].addresses" },
    ]);
    expect(() => pkiOf({ workers: [{ name: "worker-1" }] }, { distribution: Distribution.KUBEADM })).not.toThrow();
  });

  test("are nobody's where kubeadm issues, and then it is refused", () => {
    expect(problemsOf(() => serving({ issueLeaves: false }))).toMatchObject([
      { code: "nobody-issues", at: "issueLeaves", given: "false" },
    ]);
  });
});
