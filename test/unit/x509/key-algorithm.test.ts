import { KeyAlgorithm, KeyUsage } from "../../../lib";
import { Problems } from "../../../lib/errors";
import { problemsOf } from "../../support/synth";

test.each([
  ["RSA-2048", { algorithm: "RSA", rsaBits: 2048 }],
  ["RSA-3072", { algorithm: "RSA", rsaBits: 3072 }],
  ["RSA-4096", { algorithm: "RSA", rsaBits: 4096 }],
  ["ECDSA-P256", { algorithm: "ECDSA", ecdsaCurve: "P256" }],
  ["ECDSA-P384", { algorithm: "ECDSA", ecdsaCurve: "P384" }],
  ["ECDSA-P521", { algorithm: "ECDSA", ecdsaCurve: "P521" }],
])("knows %s by kubeadm's name", (name, tls) => {
  const problems = new Problems();
  const algorithm = KeyAlgorithm.of(name);
  algorithm.check("keyAlgorithm", problems);
  expect(problems.none).toBe(true);
  expect(algorithm).toMatchObject({ name, tls });
});

test("gives the constant for its name", () => {
  expect(KeyAlgorithm.of("ECDSA-P256")).toBe(KeyAlgorithm.ECDSA_P256);
});

test.each(["ED25519", "Ed25519", "ECDSA-P224", "RSA-1024", "rsa-2048", ""])("refuses %j", (name) => {
  const problems = new Problems();
  KeyAlgorithm.of(name).check("keyAlgorithm", problems);
  expect(problemsOf(() => problems.throwIfAny("x"))).toEqual([
    {
      code: "key-algorithm",
      at: "keyAlgorithm",
      given: JSON.stringify(name),
      allowed: "RSA-2048, RSA-3072, RSA-4096, ECDSA-P256, ECDSA-P384, ECDSA-P521",
      fix: "use KeyAlgorithm.ECDSA_P256; Kubernetes and kubeadm read neither Ed25519 nor P-224 nor RSA under 2048 bits",
    },
  ]);
});

describe("usages, in the order that the provider compares", () => {
  const { ECDSA_P256, ECDSA_P384, ECDSA_P521, RSA_2048, RSA_3072, RSA_4096 } = KeyAlgorithm;

  // RFC 8813, 3: with an ECDSA key neither keyEncipherment nor dataEncipherment may be present.
  test.each([ECDSA_P256, ECDSA_P384, ECDSA_P521])("$name signs", (algorithm) => {
    expect(KeyUsage.SERVER.allowedUses(algorithm)).toEqual(["digital_signature", "server_auth"]);
    expect(KeyUsage.CLIENT.allowedUses(algorithm)).toEqual(["digital_signature", "client_auth"]);
    const both = ["digital_signature", "server_auth", "client_auth"];
    expect(KeyUsage.SERVER_AND_CLIENT.allowedUses(algorithm)).toEqual(both);
  });

  test.each([RSA_2048, RSA_3072, RSA_4096])("$name of a server also decrypts the key of a session", (algorithm) => {
    expect(KeyUsage.SERVER.allowedUses(algorithm)).toEqual(["digital_signature", "key_encipherment", "server_auth"]);
    expect(KeyUsage.SERVER_AND_CLIENT.allowedUses(algorithm)).toContain("key_encipherment");
    // RFC 5280, 4.2.1.12: consistent with a client's purpose are digitalSignature and keyAgreement.
    expect(KeyUsage.CLIENT.allowedUses(algorithm)).toEqual(["digital_signature", "client_auth"]);
  });

  test.each([ECDSA_P256, RSA_2048])("an authority of $name signs certificates and revocation lists", (algorithm) => {
    const uses = ["digital_signature", "cert_signing", "crl_signing"];
    expect(KeyUsage.AUTHORITY.allowedUses(algorithm)).toEqual(uses);
  });
});
