import { Construct } from "constructs";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { CertificateAuthority, Generation, KeyPairRing, PkiError, Subject } from "../../../lib";
import { FULL_CERTIFICATE, P384_CERTIFICATE, P384_KEY, RSA_CERTIFICATE, RSA_KEY } from "../../support/authorities";
import { Problems } from "../../../lib/errors";
import { checkGenerations } from "../../../lib/x509/generation";
import { flipped } from "../../support/bits";
import { CA_CERTIFICATE, CA_KEY, CA_KEY_ALONE } from "../../support/pem";
import { newStack, validationsOf } from "../../support/synth";

// One bit after the other: each is found, or what came of it is a certificate that others read, too. What Terraform says of those is in
// test/e2e/flipped-bits.test.ts.

const subject = new Subject({ commonName: "ca" });

/** Makes a construct of each damaged text, and synthesizes what was taken: those texts. */
function taken(texts: readonly string[], make: (scope: Construct, text: string) => unknown): string[] {
  const stack = newStack();
  const rest = texts.filter((text, index) => {
    try {
      make(new Construct(stack, `n${index}`), text);
      return true;
    } catch (error) {
      // Whatever else is thrown fails the test, with all that it says.
      if (!(error instanceof PkiError)) {
        throw error;
      }
      expect(error.message).not.toMatch(/undefined|\[object|NaN|TfToken|[A-Za-z0-9+/]{40}/);
      return false;
    }
  });
  validationsOf(stack);
  stack.toTerraform();
  return rest;
}

describe.each([
  ["RSA", RSA_CERTIFICATE, RSA_KEY, 401],
  ["P-256", CA_CERTIFICATE, CA_KEY, 499],
  ["P-384", P384_CERTIFICATE, P384_KEY, 449],
])("a self-signed authority with %s", (_, certificatePem, privateKeyPem, count) => {
  test("whose certificate is damaged is refused, unless it looks like one below a root that is not there", () => {
    const rest = taken(flipped(certificatePem, count), (scope, text) => {
      const generation = Generation.fromPem("active", { certificatePem: text, privateKeyPem });
      return new CertificateAuthority(scope, scope.node.id, { subject, generations: { g1: generation } });
    });
    for (const text of rest) {
      const { issuer, subject } = new X509Certificate(text);
      expect(issuer).not.toBe(subject);
    }
    expect(rest.length).toBeLessThan(count / 4);
  });

  test.each(["pkcs8", "traditional"] as const)("whose key is damaged, in %s form, is refused", (form) => {
    const key = createPrivateKey(privateKeyPem);
    const type = form === "pkcs8" ? "pkcs8" : key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1";
    const pem = key.export({ format: "pem", type: type as "pkcs8" }) as string;
    const rest = taken(flipped(pem, 149), (scope, text) => {
      const generation = Generation.fromPem("active", { certificatePem, privateKeyPem: text });
      return new CertificateAuthority(scope, scope.node.id, { subject, generations: { g1: generation } });
    });
    expect(rest).toEqual([]);
  });
});

test("an authority of many extensions whose certificate is damaged is refused, or is read by OpenSSL, too", () => {
  const given = (certificatePem: string) => ({
    g1: Generation.fromPem("active", { certificatePem, privateKeyPem: CA_KEY }),
  });
  const rest = flipped(FULL_CERTIFICATE, 701).filter((text) => {
    const problems = new Problems();
    checkGenerations(given(text), "authority", "generations", problems);
    return problems.none;
  });
  for (const text of rest) {
    expect(new X509Certificate(text).ca).toBe(true);
  }
  // Its root is not there to verify what is signed: serial numbers, names and times may be anything.
  expect(rest.length).toBeGreaterThan(100);
  // A construct is made of what is left, too. Each costs as much as twenty of the texts.
  const some = rest.filter((_, index) => index % 20 === 0);
  const made = taken(
    some,
    (scope, text) => new CertificateAuthority(scope, scope.node.id, { subject, generations: given(text) }),
  );
  expect(made).toEqual(some);
});

test("a key pair of which one half is damaged is refused", () => {
  const key = createPrivateKey(CA_KEY_ALONE);
  const publicKeyPem = new X509Certificate(CA_CERTIFICATE).publicKey.export({ format: "pem", type: "spki" }) as string;
  const privateKeyPem = key.export({ format: "pem", type: "pkcs8" }) as string;
  const ring = (scope: Construct, pem: { publicKeyPem: string; privateKeyPem: string }) =>
    new KeyPairRing(scope, scope.node.id, { generations: { g1: Generation.fromKeyPem("active", pem) } });
  const halves = [
    taken(flipped(publicKeyPem, 101), (scope, text) => ring(scope, { publicKeyPem: text, privateKeyPem })),
    taken(flipped(privateKeyPem, 101), (scope, text) => ring(scope, { publicKeyPem, privateKeyPem: text })),
  ];
  expect(halves).toEqual([[], []]);
});
