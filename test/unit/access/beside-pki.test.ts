import { TerraformVariable } from "cdktf";
import { ClusterAccess, ClusterAccessProps, ClusterPki, Distribution, Endpoint } from "../../../lib";
import { ONE, pkiOf } from "../../support/cluster";
import { newApp, newStack, problemsOf } from "../../support/synth";
import { accessStack, CA_PEM } from "./fixture";

/** A PKI and the access to its cluster, in two stacks of one app. */
function both(changes: Partial<ClusterAccessProps> | ((pki: ClusterPki) => Partial<ClusterAccessProps>), cluster = {}) {
  const app = newApp();
  const { pki } = pkiOf({ ...ONE, ...cluster }, {}, newStack("prod-pki", app));
  const props = {
    distribution: Distribution.KUBEADM,
    cluster: pki.parts.cluster,
    certificateAuthority: pki.bundle(),
    ...(typeof changes === "function" ? changes(pki) : changes),
  };
  return () => new ClusterAccess(accessStack(app), "access", props);
}

describe("an access that contradicts the PKI whose bundle it has", () => {
  test.each([
    ["distribution", { distribution: Distribution.SINGLE_CA }, '"kubeadm", as prod-pki/pki has it'],
    ["cluster.name", { cluster: { ...ONE, name: "test" } }, '"prod", as prod-pki/pki has it'],
    [
      "cluster.endpoint",
      { cluster: { ...ONE, endpoint: "other:6443" } },
      "api.prod.example.com:6443, as prod-pki/pki has it",
    ],
    [
      "cluster.endpoint",
      { cluster: { ...ONE, endpoint: "api.prod.example.com:443" } },
      "api.prod.example.com:6443, as prod-pki/pki has it",
    ],
  ])("is refused: %s", (at, changes, allowed) => {
    expect(problemsOf(both(changes))).toMatchObject([{ code: "other-cluster", at, allowed }]);
  });

  test("is refused with the bundle of another authority than the API server's", () => {
    expect(problemsOf(both((pki) => ({ certificateAuthority: pki.bundle("etcd") })))).toEqual([
      {
        code: "other-cluster",
        at: "certificateAuthority",
        given: '"the bundle of another authority"',
        allowed: "that of kubernetes, as prod-pki/pki has it",
        fix: "write pki.bundle(), without a name",
      },
    ]);
  });

  test("may look for the API server under another of its names, however that is spelled", () => {
    expect(both({ cluster: { ...ONE, endpoint: "API.prod.example.com" } })).not.toThrow();
    expect(both({ cluster: { ...ONE, endpoint: "[FD00::0a]:443" } }, { extraSans: ["fd00::a"] })).not.toThrow();
  });

  test("is not found where Terraform alone knows the host", () => {
    const host = new TerraformVariable(newStack(), "host", { type: "string" });
    const at = (port: number): { endpoint: Endpoint } => ({ endpoint: { dns: host.stringValue, port } });
    expect(both({ cluster: { ...ONE, ...at(6443) } })).not.toThrow();
    expect(problemsOf(both({ cluster: { ...ONE, ...at(443) } }, at(6443)))).toMatchObject([{ at: "cluster.endpoint" }]);
  });
});

test("an access with text for its authority is compared with the PKI of that cluster in its stack", () => {
  const stack = accessStack();
  pkiOf({}, {}, stack);
  const access = (name: string) => () =>
    new ClusterAccess(stack, name, {
      distribution: Distribution.K3S,
      cluster: { name, endpoint: "other" },
      certificateAuthority: CA_PEM,
    });
  expect(problemsOf(access("prod"))).toMatchObject([{ at: "distribution" }, { at: "cluster.endpoint" }]);
  expect(access("test")).not.toThrow();
});

describe("two accesses of one cluster", () => {
  const two = (...each: Partial<ClusterAccessProps>[]) => {
    const app = newApp();
    return () =>
      each.forEach((changes, index) => {
        new ClusterAccess(accessStack(app, `access-${index}`), "access", {
          distribution: Distribution.KUBEADM,
          cluster: ONE,
          certificateAuthority: CA_PEM,
          ...changes,
        });
      });
  };

  test("whose bindings have one name are refused, in stacks of their own, too", () => {
    const found = problemsOf(two({}, {}));
    expect(found.map(({ given }) => given)).toEqual([
      '"prod:create-csrs"',
      '"prod:approve-first"',
      '"prod:approve-renewals"',
      '"prod:cluster-admins"',
      '"prod:apiserver-to-kubelet"',
    ]);
    expect(found[0]).toMatchObject({
      code: "binding-taken",
      at: "addressPrefix",
      allowed: "a binding that access-0/access/node-bootstrapping/create-csrs does not make in the same cluster",
    });
  });

  test("are refused where both take over the distribution's", () => {
    expect(problemsOf(two({ adopt: true }, { adopt: true, addressPrefix: "other" }))).toHaveLength(5);
  });

  test("may have bindings of other names", () => {
    expect(two({}, { addressPrefix: "other" })).not.toThrow();
  });

  test("of one name are two clusters where they are found at two places", () => {
    expect(two({}, { cluster: { ...ONE, endpoint: "api.prod.example.org:6443" } })).not.toThrow();
  });

  test("are one cluster where they are found by one variable", () => {
    const app = newApp();
    const host = new TerraformVariable(newStack("variables", app), "host", { type: "string" });
    const cluster = () => ({ name: "prod", endpoint: { dns: host.stringValue } });
    expect(problemsOf(two({ cluster: cluster() }, { cluster: cluster() }))).toHaveLength(5);
  });
});
