import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import {
  CertificateAuthority,
  ClusterAccess,
  Distribution,
  Generation,
  KeyPairRing,
  PkiError,
  Subject,
} from "../../../lib";
import {
  CA_CERTIFICATE,
  CA_KEY,
  CA_KEY_ALONE,
  INTERMEDIATE_CERTIFICATE,
  ROOT_CERTIFICATE,
  RSA_1024_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../../support/pem";
import { newStack, validationsOf } from "../../support/synth";
import { accessStack } from "../access/fixture";

// Literal PEM in which bits were flipped: a file that was cut, a disk that forgets, a hand that slipped.

/** Numbers below a limit, always the same ones. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const blockOf = (label: string, der: Buffer) =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;

/** The PEM with 1 to 4 bits flipped: those of its text, or of the DER of one of its blocks. */
function damaged(pem: string, seed: number): string {
  const next = numbers(seed);
  const flip = (bytes: Buffer) => {
    for (let times = 1 + next(4); times > 0; times--) {
      bytes[next(bytes.length)]! ^= 1 << next(7);
    }
    return bytes;
  };
  if (seed % 4 === 0) {
    return flip(Buffer.from(pem, "ascii")).toString("latin1");
  }
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z ]+)-----\n([^-]+)-----END/g)];
  const hit = next(blocks.length);
  return blocks
    .map(([, label, base64], index) => {
      const der = Buffer.from(base64!, "base64");
      return blockOf(label!, index === hit ? flip(der) : der);
    })
    .join("");
}

const SEEDS = Array.from({ length: 200 }, (_, index) => 1000 + index * 7919);

/** What comes of it: a refusal, or nothing that is wrong at synth. */
function outcomeOf(act: () => unknown): "refused" | "taken" {
  try {
    act();
    return "taken";
  } catch (error) {
    if (error instanceof PkiError) {
      return "refused";
    }
    throw error;
  }
}

const subject = new Subject({ commonName: "ca" });

/** Makes an authority of each damaged text in one stack, and synthesizes those that were taken. */
function taken(texts: readonly (readonly [certificatePem: string, privateKeyPem: string])[]): number[] {
  const stack = newStack();
  const indices = [...texts.keys()].filter((index) => {
    const [certificatePem, privateKeyPem] = texts[index]!;
    const generations = { g1: Generation.fromPem("active", { certificatePem, privateKeyPem }) };
    return outcomeOf(() => new CertificateAuthority(stack, `ca-${index}`, { subject, generations })) === "taken";
  });
  // Of one that is taken the dates may be damaged, which is told in a validation.
  validationsOf(stack);
  stack.toTerraform();
  return indices;
}

const CHAIN = SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE;

describe.each([
  ["a self-signed authority", CA_CERTIFICATE],
  ["a chain to its root", CHAIN],
  ["an authority of RSA", RSA_1024_CERTIFICATE],
])("%s, damaged", (_, pem) => {
  test("is refused, or is what it was, or looks like one below a root that is not there", () => {
    const lastOf = (text: string) => new X509Certificate(text.slice(text.lastIndexOf("-----BEGIN")));
    const texts = SEEDS.map((seed) => damaged(pem, seed));
    for (const index of taken(texts.map((text) => [text, CA_KEY]))) {
      const last = lastOf(texts[index]!);
      const isSame = last.raw.equals(lastOf(pem).raw);
      expect({ seed: SEEDS[index], taken: isSame || last.issuer !== last.subject }).toEqual({
        seed: SEEDS[index],
        taken: true,
      });
    }
  });

  test("crashes no secure token that is made of it", () => {
    const stack = accessStack();
    const cluster = { name: "prod", endpoint: "api.prod.example.com" };
    const props = { distribution: Distribution.K3S, cluster };
    const outcomes = SEEDS.map((seed) =>
      outcomeOf(
        () =>
          new ClusterAccess(stack, `access-${seed}`, {
            addressPrefix: `access-${seed}`,
            ...props,
            certificateAuthority: damaged(pem, seed),
          }),
      ),
    );
    expect(outcomes).toContain("refused");
  });
});

const pkcs8 = createPrivateKey(CA_KEY_ALONE).export({ type: "pkcs8", format: "pem" }) as string;

test.each([
  ["SEC 1", CA_KEY_ALONE],
  ["PKCS #8", pkcs8],
])("a private key in %s, damaged, is refused or still the certificate's", (_, pem) => {
  const texts = SEEDS.map((seed) => damaged(pem, seed));
  for (const index of taken(texts.map((text) => [CA_CERTIFICATE, text]))) {
    expect(new X509Certificate(CA_CERTIFICATE).checkPrivateKey(createPrivateKey(texts[index]!))).toBe(true);
  }
});

test("a public key, damaged, is refused, or was damaged where nothing stands", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const stack = newStack();
  const rest = SEEDS.filter((seed) => {
    const pem = { publicKeyPem: damaged(publicKey, seed), privateKeyPem: privateKey };
    return (
      outcomeOf(
        () => new KeyPairRing(stack, `sa-${seed}`, { generations: { g1: Generation.fromKeyPem("active", pem) } }),
      ) === "taken"
    );
  });
  expect(rest.length).toBeLessThan(SEEDS.length / 10);
});
