import { TerraformVariable } from "cdktf";
import { generateKeyPairSync } from "node:crypto";
import { Generation, KeyAlgorithm, KeyPairRing, KeyPairRingProps } from "../../../lib";
import { errorOf, newStack, problemsOf, terraformOf } from "../../support/synth";

function ringOf(props: KeyPairRingProps = {}) {
  const stack = newStack();
  return { stack, ring: new KeyPairRing(stack, "sa", props) };
}

const GENERATIONS = { g1: Generation.retired(), g2: Generation.trusted(), g3: Generation.active() };

test("is one RSA-2048 key at first, which no plan may destroy", () => {
  expect(terraformOf(ringOf().stack).resource).toEqual({
    tls_private_key: { sa__g1: { algorithm: "RSA", rsa_bits: 2048, lifecycle: { prevent_destroy: true } } },
  });
});

test("takes an algorithm for all and one for a generation", () => {
  const generations = { g1: Generation.trusted({ keyAlgorithm: KeyAlgorithm.RSA_4096 }), g2: Generation.active() };
  const props = {
    address: "prod__keys__sa",
    keyAlgorithm: KeyAlgorithm.ECDSA_P256,
    generations,
    deletionProtection: false,
  };
  expect(terraformOf(ringOf(props).stack).resource.tls_private_key).toEqual({
    prod__keys__sa__g1: { algorithm: "RSA", rsa_bits: 4096 },
    prod__keys__sa__g2: { algorithm: "ECDSA", ecdsa_curve: "P256" },
  });
});

test("signs with the active key and verifies with all that are not retired, the active first", () => {
  const { ring } = ringOf({ generations: GENERATIONS });
  expect(ring.privateKey).toEqual({ address: "tls_private_key.sa__g3", attribute: "private_key_pem" });
  expect(ring.privateKeys).toEqual([
    { address: "tls_private_key.sa__g3", attribute: "private_key_pem" },
    { address: "tls_private_key.sa__g2", attribute: "private_key_pem" },
  ]);
  expect(ring.publicKeys).toEqual([
    { address: "tls_private_key.sa__g3", attribute: "public_key_pem" },
    { address: "tls_private_key.sa__g2", attribute: "public_key_pem" },
  ]);
});

test("keeps a retired key without protecting it", () => {
  const { tls_private_key: keys } = terraformOf(ringOf({ generations: GENERATIONS }).stack).resource;
  expect(Object.keys(keys)).toEqual(["sa__g1", "sa__g2", "sa__g3"]);
  expect(keys.sa__g1).not.toHaveProperty("lifecycle");
});

test("shows the fingerprint of each key", () => {
  expect(ringOf({ generations: GENERATIONS }).ring.fingerprints).toEqual({
    g1: "${tls_private_key.sa__g1.public_key_fingerprint_sha256}",
    g2: "${tls_private_key.sa__g2.public_key_fingerprint_sha256}",
    g3: "${tls_private_key.sa__g3.public_key_fingerprint_sha256}",
  });
});

test("refuses a key that is not the one whose fingerprint the code names", () => {
  const generations = { g1: Generation.active({ fingerprint: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }) };
  expect(
    terraformOf(ringOf({ generations }).stack).resource.tls_private_key.sa__g1.lifecycle.postcondition,
  ).toMatchObject([
    { condition: '${self.public_key_fingerprint_sha256 == "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}' },
  ]);
});

test("refuses an algorithm and a set of generations that break a rule, at once", () => {
  const act = () => ringOf({ keyAlgorithm: KeyAlgorithm.of("Ed25519"), generations: { g1: Generation.trusted() } });
  expect(errorOf(act).path).toBe("prod-pki/sa");
  expect(problemsOf(act)).toMatchObject([
    { code: "key-algorithm", at: "keyAlgorithm", given: '"Ed25519"' },
    { code: "generations-active", at: "generations", given: '"no active generation"' },
  ]);
});

describe("from outside", () => {
  const pair = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "sec1", format: "pem" },
  });
  const pem = { publicKeyPem: pair.publicKey, privateKeyPem: pair.privateKey };

  test("is kept in the state, the private key marked sensitive", () => {
    const { stack, ring } = ringOf({ generations: { g1: Generation.fromKeyPem("active", pem) } });
    expect(terraformOf(stack).resource).toEqual({
      terraform_data: {
        sa__g1: {
          input: {
            public_key_pem: pair.publicKey,
            private_key_pem: `\${sensitive(${JSON.stringify(pair.privateKey)})}`,
          },
          lifecycle: { prevent_destroy: true },
        },
      },
    });
    expect(ring.privateKey).toEqual({ address: "terraform_data.sa__g1", attribute: "output.private_key_pem" });
    expect(ring.publicKeys).toEqual([{ address: "terraform_data.sa__g1", attribute: "output.public_key_pem" }]);
    expect(ring.fingerprints).toEqual({});
  });

  test("verifies without its private key beside one that signs", () => {
    const generations = {
      g1: Generation.fromKeyPem("trusted", { publicKeyPem: pair.publicKey }),
      g2: Generation.active(),
    };
    const { ring } = ringOf({ generations });
    expect(ring.publicKeys.map(({ address }) => address)).toEqual(["tls_private_key.sa__g2", "terraform_data.sa__g1"]);
    expect(ring.privateKeys.map(({ address }) => address)).toEqual(["tls_private_key.sa__g2"]);
  });

  test("lets Terraform check what is unresolved", () => {
    const stack = newStack();
    const variable = (name: string) => new TerraformVariable(stack, name, { type: "string" }).stringValue;
    const unresolved = { publicKeyPem: variable("public"), privateKeyPem: variable("private") };
    new KeyPairRing(stack, "sa", { generations: { g1: Generation.fromKeyPem("active", unresolved) } });
    const { data, resource } = terraformOf(stack);
    const conditions = [data.tls_public_key.sa__g1, resource.terraform_data.sa__g1].flatMap(
      ({ lifecycle }) => lifecycle.precondition as { error_message: string }[],
    );
    expect(conditions.map(({ error_message: message }) => /^\[([a-z-]+)\] /.exec(message)![1])).toEqual([
      "pem-key-encrypted",
      "pem-key",
      "pem-public-key",
      "pem-key-algorithm",
      "pem-public-mismatch",
    ]);
  });
});
