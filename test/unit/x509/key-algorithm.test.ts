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

test("lists usages in the order that the provider compares", () => {
  expect(KeyUsage.AUTHORITY.allowedUses).toEqual(["digital_signature", "key_encipherment", "cert_signing"]);
  expect(KeyUsage.SERVER.allowedUses).toEqual(["digital_signature", "key_encipherment", "server_auth"]);
  expect(KeyUsage.CLIENT.allowedUses).toEqual(["digital_signature", "key_encipherment", "client_auth"]);
  expect(KeyUsage.SERVER_AND_CLIENT.allowedUses).toEqual([
    "digital_signature",
    "key_encipherment",
    "server_auth",
    "client_auth",
  ]);
});
