import { Generation, Generations } from "../../../lib";
import { terraformOfPki } from "../../support/cluster";
import { filesIn, differences } from "../../support/graph";

const [active, trusted, retired] = [Generation.active(), Generation.trusted(), Generation.retired()];

/** Leaves of one control plane that the `kubernetes` authority signs. */
const LEAVES = [
  "cp-1__admin",
  "cp-1__apiserver",
  "cp-1__apiserver-kubelet-client",
  "cp-1__controller-manager",
  "cp-1__kubelet",
  "cp-1__scheduler",
  "operator__admin",
  "operator__super-admin",
];

const withAuthority = (generations: Generations) =>
  terraformOfPki({}, { authorities: { kubernetes: { generations } } });
const withServiceAccount = (generations: Generations) => terraformOfPki({}, { serviceAccount: { generations } });

describe("an authority", () => {
  const first = withAuthority({ g1: active });
  const introduced = withAuthority({ g1: active, g2: trusted });
  const promoted = withAuthority({ g1: trusted, g2: active });
  const out = withAuthority({ g1: retired, g2: active });
  const removed = withAuthority({ g2: active });

  const addressesIn = (terraform: typeof first, path: string) =>
    JSON.stringify(filesIn(terraform)["cp-1"][path].content).match(/pki__ca__kubernetes__g\d/g);

  test("is introduced by two new resources, its key and its certificate", () => {
    expect(differences(first, introduced)).toEqual([
      "+ tls_private_key.pki__ca__kubernetes__g2",
      "+ tls_self_signed_cert.pki__ca__kubernetes__g2",
    ]);
  });

  test("is promoted by another signer of exactly its leaves, whose keys and requests stay", () => {
    expect(differences(introduced, promoted)).toEqual(
      LEAVES.flatMap((leaf) => [
        `~ tls_locally_signed_cert.pki__${leaf}: ca_cert_pem`,
        `~ tls_locally_signed_cert.pki__${leaf}: ca_private_key_pem`,
      ]).sort(),
    );
  });

  test("is retired by no longer being protected", () => {
    expect(differences(promoted, out)).toEqual([
      "~ tls_private_key.pki__ca__kubernetes__g1: lifecycle",
      "~ tls_self_signed_cert.pki__ca__kubernetes__g1: lifecycle",
    ]);
  });

  test("is removed with exactly its key and its certificate", () => {
    expect(differences(out, removed)).toEqual([
      "- tls_private_key.pki__ca__kubernetes__g1",
      "- tls_self_signed_cert.pki__ca__kubernetes__g1",
    ]);
  });

  test("is in ca.crt from its introduction until it is retired", () => {
    const bundles = [first, introduced, promoted, out, removed].map((terraform) =>
      addressesIn(terraform, "/etc/kubernetes/pki/ca.crt"),
    );
    expect(bundles).toEqual([
      ["pki__ca__kubernetes__g1"],
      ["pki__ca__kubernetes__g1", "pki__ca__kubernetes__g2"],
      ["pki__ca__kubernetes__g2", "pki__ca__kubernetes__g1"],
      ["pki__ca__kubernetes__g2"],
      ["pki__ca__kubernetes__g2"],
    ]);
  });

  test.each(["/etc/kubernetes/pki/ca.key", "/etc/kubernetes/pki/ca-signing.crt"])(
    "alone is in %s while it is active",
    (path) => {
      const signers = [first, introduced, promoted, out].map((terraform) => addressesIn(terraform, path));
      expect(signers).toEqual([
        ["pki__ca__kubernetes__g1"],
        ["pki__ca__kubernetes__g1"],
        ["pki__ca__kubernetes__g2"],
        ["pki__ca__kubernetes__g2"],
      ]);
    },
  );

  test("is in no file of anybody once it is retired", () => {
    expect(JSON.stringify(out.output.pki_files)).not.toContain("pki__ca__kubernetes__g1");
  });

  test("is trusted by every kubeconfig with the whole bundle", () => {
    for (const path of ["admin", "controller-manager", "scheduler", "kubelet"].map(
      (name) => `/etc/kubernetes/${name}.conf`,
    )) {
      expect(addressesIn(promoted, path)).toEqual(["pki__ca__kubernetes__g2", "pki__ca__kubernetes__g1"]);
    }
  });

  test("still signs a leaf that names it", () => {
    const kept = terraformOfPki(
      {},
      {
        authorities: { kubernetes: { generations: { g1: trusted, g2: active } } },
        certificates: { kubelet: { issuer: "g1" } },
      },
    );
    expect(differences(introduced, kept).filter((line) => line.includes("__kubelet:"))).toEqual([]);
    expect(kept.check.pki__ca__kubernetes.assert.map(({ condition }: { condition: string }) => condition)).toEqual([
      expect.stringContaining("pki__ca__kubernetes__g2.validity_end_time"),
      expect.stringContaining("pki__ca__kubernetes__g1.validity_end_time"),
    ]);
  });
});

describe("a service-account key", () => {
  const first = withServiceAccount({ g1: active });
  const introduced = withServiceAccount({ g1: active, g2: trusted });
  const promoted = withServiceAccount({ g1: trusted, g2: active });
  const out = withServiceAccount({ g1: retired, g2: active });

  const keysIn = (terraform: typeof first, file: string) =>
    JSON.stringify(filesIn(terraform)["cp-1"][`/etc/kubernetes/pki/${file}`].content).match(/__g\d/g);

  test("is introduced by one new resource", () => {
    expect(differences(first, introduced)).toEqual(["+ tls_private_key.pki__keys__service-account__g2"]);
  });

  test("is promoted without a change to any resource", () => {
    expect(differences(introduced, promoted)).toEqual([]);
  });

  test("is retired by no longer being protected", () => {
    expect(differences(promoted, out)).toEqual(["~ tls_private_key.pki__keys__service-account__g1: lifecycle"]);
  });

  test("verifies from its introduction until it is retired, and signs while it is active", () => {
    const states = [first, introduced, promoted, out];
    expect(states.map((terraform) => keysIn(terraform, "sa.pub"))).toEqual([
      ["__g1"],
      ["__g1", "__g2"],
      ["__g2", "__g1"],
      ["__g2"],
    ]);
    expect(states.map((terraform) => keysIn(terraform, "sa.key"))).toEqual([["__g1"], ["__g1"], ["__g2"], ["__g2"]]);
  });
});

describe("a leaf", () => {
  const before = terraformOfPki();

  test("gets another name by another request, and nothing else changes", () => {
    const after = terraformOfPki({ extraSans: ["api.example.org"] });
    expect(differences(before, after)).toEqual(["~ tls_cert_request.pki__cp-1__apiserver: dns_names"]);
  });

  test("does not change when its names are given in another order, case or twice", () => {
    const one = terraformOfPki({ extraSans: ["a.example.org", "fd00::1", "b.example.org"] });
    const other = terraformOfPki({ extraSans: ["B.example.org", "a.example.org", "b.example.org", "FD00:0::1"] });
    expect(other).toEqual(one);
  });

  test("gets another key under another address", () => {
    const after = terraformOfPki({}, { certificates: { scheduler: { keyGeneration: "k2" } } });
    expect(differences(before, after)).toEqual([
      "+ tls_private_key.pki__cp-1__scheduler__k2",
      "- tls_private_key.pki__cp-1__scheduler",
      "~ tls_cert_request.pki__cp-1__scheduler: private_key_pem",
    ]);
    expect(JSON.stringify(filesIn(after)["cp-1"]["/etc/kubernetes/scheduler.conf"])).toContain(
      '{"address":"tls_private_key.pki__cp-1__scheduler__k2","attribute":"private_key_pem"}',
    );
  });

  test("comes with its machine and leaves the others alone", () => {
    const after = terraformOfPki({
      controlPlanes: [
        { name: "cp-1", addresses: ["10.0.0.11"] },
        { name: "cp-2", addresses: ["10.0.0.12"] },
      ],
    });
    const lines = differences(before, after);
    expect(lines.length).toBe(11 * 3);
    expect(lines.filter((line) => !line.startsWith("+ tls_") || !line.includes(".pki__cp-2__"))).toEqual([]);
  });
});
