import { TerraformVariable } from "cdktf";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { Generation, Generations, KeyAlgorithm, Problem, Validity } from "../../../lib";
import { Problems } from "../../../lib/errors";
import { checkGenerations, FIRST_GENERATION, inBundleOrder } from "../../../lib/x509/generation";
import {
  CA_CERTIFICATE,
  CA_KEY,
  CA_KEY_ALONE,
  ED25519_CERTIFICATE,
  INTERMEDIATE_CERTIFICATE,
  INTERMEDIATE_KEY,
  LEAF_CERTIFICATE,
  LEAF_KEY,
  NO_SIGNING_CERTIFICATE,
  P224_CERTIFICATE,
  ROOT_CERTIFICATE,
  RSA_1024_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../../support/pem";
import {
  ANY_USE_CERTIFICATE,
  BELOW_PATH_0_CERTIFICATE,
  BOTH_USES_CERTIFICATE,
  CLIENT_ONLY_CERTIFICATE,
  CRITICAL_EXTENSION_CERTIFICATE,
  FULL_CERTIFICATE,
  NAME_CONSTRAINTS_CERTIFICATE,
  NAMELESS_CERTIFICATE,
  PATH_0_CERTIFICATE,
  PATH_1_CERTIFICATE,
  POLICY_CONSTRAINTS_CERTIFICATE,
  SHORT_CERTIFICATE,
} from "../../support/authorities";
import { newStack, problemsOf } from "../../support/synth";

const PUBLIC_KEY = new X509Certificate(CA_CERTIFICATE).publicKey.export({ type: "spki", format: "pem" }) as string;

function check(
  generations: Generations,
  kind: "authority" | "key pair" = "authority",
  issuers?: Generations,
): readonly Problem[] {
  const problems = new Problems();
  checkGenerations(generations, kind, "generations", problems, issuers);
  return problems.none ? [] : problemsOf(() => problems.throwIfAny("x"));
}

const fromPem = (certificatePem: string, privateKeyPem: string) =>
  check({ g1: Generation.fromPem("active", { certificatePem, privateKeyPem }) });

test("one active generation is what there is at first", () => {
  expect(check(FIRST_GENERATION)).toEqual([]);
  expect(Object.entries(FIRST_GENERATION)).toMatchObject([["g1", { state: "active" }]]);
});

test("an authority is valid for ten years when nothing else is said", () => {
  expect(Generation.active().validityHours).toBe(87600);
  expect(Generation.trusted({ validity: Validity.years(5) }).validityHours).toBe(43800);
});

test("takes any number of trusted and retired ones beside the active", () => {
  const generations = {
    g1: Generation.retired(),
    g2: Generation.active(),
    g3: Generation.trusted(),
    g4: Generation.trusted(),
  };
  expect(check(generations)).toEqual([]);
});

test("refuses a set without an active one", () => {
  expect(check({ g1: Generation.trusted(), g2: Generation.retired() })).toEqual([
    {
      code: "generations-active",
      at: "generations",
      given: '"no active generation"',
      allowed: "exactly one active generation",
      fix: "mark one active and the others trusted or retired",
    },
  ]);
  expect(check({})).toMatchObject([{ code: "generations-active", given: '"no active generation"' }]);
});

test("refuses two active ones", () => {
  expect(check({ g1: Generation.active(), g2: Generation.active() })).toMatchObject([
    { code: "generations-active", given: '"active generations g1, g2"' },
  ]);
});

test.each(["G1", "1", "g-1", "g_1", "g.1", ""])("refuses the id %j", (id) => {
  expect(check({ [id]: Generation.active() })).toEqual([
    {
      code: "generation-id",
      at: `generations.${id}`,
      given: JSON.stringify(id),
      allowed: "lower-case letters and digits, a letter first",
      fix: "call it g1, g2, …",
    },
  ]);
});

test("refuses algorithm and validity where they stand", () => {
  const bad = { keyAlgorithm: KeyAlgorithm.of("Ed25519"), validity: Validity.hours(0) };
  expect(check({ g1: Generation.active(), g2: Generation.trusted(bad) })).toMatchObject([
    { code: "key-algorithm", at: "generations.g2.keyAlgorithm", given: '"Ed25519"' },
    { code: "validity", at: "generations.g2.validity", given: "0" },
  ]);
});

test("refuses early renewal of an authority", () => {
  const validity = Validity.years(10, { earlyRenewalHours: 720 });
  expect(check({ g1: Generation.active({ validity }) })).toMatchObject([
    { code: "authority-early-renewal", at: "generations.g1.validity.earlyRenewalHours", given: "720" },
  ]);
});

describe("bundle order", () => {
  const entry = (id: string, state: "active" | "trusted" | "retired") => ({ id, state });

  test("is the active one, then by id, without the retired", () => {
    const generations = [entry("g4", "trusted"), entry("g1", "trusted"), entry("g3", "active"), entry("g2", "retired")];
    expect(inBundleOrder(generations).map(({ id }) => id)).toEqual(["g3", "g1", "g4"]);
  });

  test("does not depend on the order in the code", () => {
    const generations = [entry("g1", "trusted"), entry("g2", "active"), entry("g3", "trusted")];
    expect(inBundleOrder([...generations].reverse())).toEqual(inBundleOrder(generations));
  });

  test("leaves what it was given alone", () => {
    const generations = [entry("g1", "trusted"), entry("g2", "active")];
    inBundleOrder(generations);
    expect(generations.map(({ id }) => id)).toEqual(["g1", "g2"]);
  });
});

describe("from outside", () => {
  test("takes a certificate authority and its key", () => {
    expect(fromPem(CA_CERTIFICATE, CA_KEY)).toEqual([]);
    expect(fromPem(CA_CERTIFICATE, CA_KEY_ALONE)).toEqual([]);
  });

  test("says nothing of how long it is valid", () => {
    const generation = Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY });
    expect(generation).toMatchObject({ state: "trusted", validityHours: undefined });
  });

  test("takes a chain that begins with the authority, with or without its root", () => {
    expect(fromPem(SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE, CA_KEY)).toEqual([]);
    expect(fromPem(SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE, CA_KEY)).toEqual([]);
    expect(fromPem(SIGNED_CA_CERTIFICATE, CA_KEY)).toEqual([]);
  });

  test("takes text around the PEM, indentation and the line ends of Windows", () => {
    const edited = (pem: string) =>
      `Certificate:\r\n  Data: CN=test-ca\r\n${pem.replace(/^/gm, "  ")}`.replace(/\n/g, " \r\n");
    expect(fromPem(edited(SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE), edited(CA_KEY))).toEqual([]);
  });

  test("needs no private key unless it signs", () => {
    const pem = { certificatePem: CA_CERTIFICATE };
    const generations = { g1: Generation.fromPem("trusted", pem), g2: Generation.fromPem("retired", pem) };
    expect(check({ ...generations, g3: Generation.active() })).toEqual([]);
    // It signs elsewhere; what it signed is compared with literal text of its certificate.
    expect(check({ g1: Generation.fromPem("active", pem) })).toEqual([]);
    const unresolved = { certificatePem: new TerraformVariable(newStack(), "certificate", {}).stringValue };
    expect(check({ g1: Generation.fromPem("active", unresolved) })).toMatchObject([
      { code: "pem-key-missing", at: "generations.g1.privateKeyPem", given: '"nothing"' },
    ]);
  });

  const pkcs8 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const locked = (type: "pkcs8" | "sec1") =>
    pkcs8.export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "x" }) as string;

  test.each([
    ["no certificate", "garbage", CA_KEY, "pem-certificate", "text that is no certificate"],
    ["a key in its place", "", CA_KEY, "pem-certificate", "text that is no certificate"],
    [
      "a block that lacks its end",
      CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE.slice(0, 200),
      CA_KEY,
      "pem-certificate",
      "2 certificates, of which 1 can be read",
    ],
    [
      "a private key among the certificates",
      CA_CERTIFICATE + CA_KEY,
      CA_KEY,
      "pem-key-in-certificate",
      "a private key beside a certificate",
    ],
    ["no authority", LEAF_CERTIFICATE, LEAF_KEY, "pem-not-ca", "CN=leaf"],
    ["an authority that may not sign", NO_SIGNING_CERTIFICATE, CA_KEY, "pem-not-ca", "CN=no-signing"],
    [
      "a chain in the wrong order",
      SIGNED_CA_CERTIFICATE + ROOT_CERTIFICATE,
      CA_KEY,
      "pem-chain-order",
      "CN=test-ca before CN=test-root, which did not issue it",
    ],
    [
      "two authorities that have nothing to do with each other",
      CA_CERTIFICATE + ROOT_CERTIFICATE,
      CA_KEY,
      "pem-chain-order",
      "CN=test-ca before CN=test-root, which did not issue it",
    ],
    ["no key", CA_CERTIFICATE, "secret garbage", "pem-key", "text that is no private key"],
    ["a certificate in place of the key", CA_CERTIFICATE, CA_CERTIFICATE, "pem-key", "text that is no private key"],
    ["two keys", CA_CERTIFICATE, CA_KEY + LEAF_KEY, "pem-key", "2 private keys"],
    ["an encrypted key", CA_CERTIFICATE, locked("pkcs8"), "pem-key-encrypted", "an encrypted private key"],
    [
      "an encrypted key of the old format",
      CA_CERTIFICATE,
      locked("sec1"),
      "pem-key-encrypted",
      "an encrypted private key",
    ],
    ["the key of another certificate", CA_CERTIFICATE, LEAF_KEY, "pem-mismatch", "the key of another certificate"],
    [
      "the key of the authority above",
      SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE,
      INTERMEDIATE_KEY,
      "pem-mismatch",
      "the key of CN=test-intermediate, which does not come first",
    ],
  ])("refuses %s, and shows no PEM", (_, certificatePem, privateKeyPem, code, given) => {
    const problems = fromPem(certificatePem, privateKeyPem);
    expect(problems).toMatchObject([{ code, given: JSON.stringify(given) }]);
    expect(JSON.stringify(problems)).not.toMatch(/BEGIN|[A-Za-z0-9+/]{40}|garbage/);
  });

  test.each([
    ["RSA-1024", RSA_1024_CERTIFICATE, "CN=rsa-1024 with rsa 1024"],
    ["P-224", P224_CERTIFICATE, "CN=p-224 with ec secp224r1"],
    ["Ed25519", ED25519_CERTIFICATE, "CN=ed25519 with ed25519"],
  ])("refuses %s", (_, certificatePem, given) => {
    const generations = { g1: Generation.fromPem("trusted", { certificatePem }), g2: Generation.active() };
    expect(check(generations)).toEqual([
      {
        code: "pem-key-algorithm",
        at: "generations.g1.certificatePem",
        given: JSON.stringify(given),
        allowed: "RSA from 2048 bits on, ECDSA on P-256, P-384 or P-521",
        fix: "make a new authority or key",
      },
    ]);
  });

  test.each([
    ["another issuer than the one that signed it", BELOW_PATH_0_CERTIFICATE + PATH_1_CERTIFICATE, "pem-chain-order"],
    ["name constraints", NAME_CONSTRAINTS_CERTIFICATE, "pem-constraints"],
    ["policy constraints", POLICY_CONSTRAINTS_CERTIFICATE, "pem-constraints"],
    ["a critical extension that nobody knows", CRITICAL_EXTENSION_CERTIFICATE, "pem-critical-extension"],
    ["no subject", NAMELESS_CERTIFICATE, "pem-subject"],
    ["the same certificate twice", CA_CERTIFICATE + CA_CERTIFICATE, "pem-certificate"],
    ["a public key beside the certificate", `${CA_CERTIFICATE}${PUBLIC_KEY}`, "pem-certificate"],
  ])("refuses an authority with %s", (_, certificatePem, code) => {
    const generations = { g1: Generation.fromPem("trusted", { certificatePem }), g2: Generation.active() };
    expect(check(generations)).toMatchObject([{ code, at: "generations.g1.certificatePem" }]);
  });

  test("refuses an authority of the text that is above more than its path length lets it", () => {
    const certificatePem = BELOW_PATH_0_CERTIFICATE + PATH_0_CERTIFICATE;
    const generations = { g1: Generation.fromPem("trusted", { certificatePem }), g2: Generation.active() };
    expect(check(generations)).toEqual([
      {
        code: "pem-path-length",
        at: "generations.g1.certificatePem",
        given: '"CN=path-0 with the path length 0 above an authority"',
        allowed: "an authority whose path length leaves room for every authority below it",
        fix: "have it signed again with a longer path length, or without one",
      },
    ]);
  });

  test("takes any path length, and any usage, of one that stands alone", () => {
    for (const pem of [PATH_0_CERTIFICATE, CLIENT_ONLY_CERTIFICATE, ANY_USE_CERTIFICATE, BOTH_USES_CERTIFICATE]) {
      expect(fromPem(pem, CA_KEY)).toEqual([]);
    }
  });

  test("says what a literal certificate, and those above it, let it sign", () => {
    const limits = (certificatePem: string) => Generation.fromPem("trusted", { certificatePem }).limits;
    const years = (from: number, to: string) => Math.floor((Date.parse(to) - Date.UTC(from)) / 3_600_000);
    const usual = { end: new Date("2126-10-29T04:12:01Z"), validityHours: years(2020, "2126-10-29T04:12:01Z") };
    expect(limits(CA_CERTIFICATE)).toEqual(usual);
    expect(limits(PATH_1_CERTIFICATE)).toEqual({ ...usual, pathLength: 1 });
    expect(limits(CLIENT_ONLY_CERTIFICATE)).toEqual({ ...usual, purposes: ["client_auth"] });
    expect(limits(BOTH_USES_CERTIFICATE)).toEqual({ ...usual, purposes: ["server_auth", "client_auth"] });
    expect(limits(ANY_USE_CERTIFICATE)).toEqual(usual);
    expect(limits(`${FULL_CERTIFICATE}${INTERMEDIATE_CERTIFICATE}`)).toMatchObject({ pathLength: 3 });
    expect(limits(SHORT_CERTIFICATE)).toMatchObject({ validityHours: 30 * 24 });
    expect(Generation.active().limits).toBeUndefined();
  });

  test("takes empty lines, and text that is no PEM, between certificates", () => {
    const text = `\ufeff# authority\n\n${CA_CERTIFICATE.replace("\n", "\n\n")}\nBag Attributes\n    friendlyName: ca\n`;
    expect(fromPem(text, CA_KEY)).toEqual([]);
  });

  test("tells of everything at once", () => {
    const chain = NO_SIGNING_CERTIFICATE + LEAF_CERTIFICATE + RSA_1024_CERTIFICATE;
    expect(fromPem(chain, locked("pkcs8")).map(({ code }) => code)).toEqual([
      "pem-not-ca",
      "pem-chain-order",
      "pem-not-ca",
      "pem-chain-order",
      "pem-key-algorithm",
      "pem-key-encrypted",
    ]);
  });

  test("checks what is literal beside what is not", () => {
    const token = new TerraformVariable(newStack(), "pem", { type: "string", sensitive: true }).stringValue;
    expect(fromPem(token, token)).toEqual([]);
    expect(fromPem(LEAF_CERTIFICATE, token)).toMatchObject([{ code: "pem-not-ca" }]);
    expect(fromPem(token, "garbage")).toMatchObject([{ code: "pem-key" }]);
  });

  test("refuses to be a key pair", () => {
    const generation = Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY });
    expect(check({ g1: generation }, "key pair")).toEqual([
      {
        code: "generation-pem",
        at: "generations.g1",
        given: '"Generation.fromPem"',
        allowed: "a key pair",
        fix: "use Generation.fromKeyPem",
      },
    ]);
  });
});

describe("a key pair from outside", () => {
  const pair = (bits = 2048) =>
    generateKeyPairSync("rsa", {
      modulusLength: bits,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
  const mine = pair();
  const keys = (publicKeyPem: string, privateKeyPem: string) =>
    check({ g1: Generation.fromKeyPem("active", { publicKeyPem, privateKeyPem }) }, "key pair");

  test("takes RSA and ECDSA, PKCS#1 and PKCS#8", () => {
    const other = createPrivateKey(mine.privateKey).export({ type: "pkcs8", format: "pem" }) as string;
    expect(keys(mine.publicKey, mine.privateKey)).toEqual([]);
    expect(keys(mine.publicKey, other)).toEqual([]);
    const ec = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const publicKey = ec.publicKey.export({ type: "spki", format: "pem" }) as string;
    expect(keys(publicKey, ec.privateKey.export({ type: "sec1", format: "pem" }) as string)).toEqual([]);
  });

  test.each([
    [
      "another pair's public key",
      pair().publicKey,
      mine.privateKey,
      "pem-public-mismatch",
      "the public key of another key",
    ],
    ["no public key", mine.privateKey, mine.privateKey, "pem-public-key", "text that is no public key"],
    ["two public keys", mine.publicKey + mine.publicKey, mine.privateKey, "pem-public-key", "2 public keys"],
    ["no private key", mine.publicKey, mine.publicKey, "pem-key", "text that is no private key"],
  ])("refuses %s", (_, publicKeyPem, privateKeyPem, code, given) => {
    expect(keys(publicKeyPem, privateKeyPem)).toMatchObject([{ code, given: JSON.stringify(given) }]);
  });

  test("refuses RSA-1024", () => {
    const weak = pair(1024);
    expect(keys(weak.publicKey, weak.privateKey)).toMatchObject([
      { code: "pem-key-algorithm", at: "generations.g1.publicKeyPem", given: '"a key with rsa 1024"' },
    ]);
  });

  test("needs a private key only where it signs", () => {
    const { publicKey: publicKeyPem } = mine;
    const trusted = { g1: Generation.fromKeyPem("trusted", { publicKeyPem }), g2: Generation.active() };
    expect(check(trusted, "key pair")).toEqual([]);
    expect(check({ g1: Generation.fromKeyPem("active", { publicKeyPem }) }, "key pair")).toMatchObject([
      { code: "pem-key-missing", at: "generations.g1.privateKeyPem" },
    ]);
  });

  test("refuses to be an authority", () => {
    const { publicKey: publicKeyPem, privateKey: privateKeyPem } = mine;
    expect(check({ g1: Generation.fromKeyPem("active", { publicKeyPem, privateKeyPem }) })).toMatchObject([
      { code: "generation-pem", given: '"Generation.fromKeyPem"', fix: "use Generation.fromPem" },
    ]);
  });
});

describe("below another authority", () => {
  const roots = {
    g1: Generation.trusted({ validity: Validity.years(5) }),
    g2: Generation.active({ validity: Validity.years(20) }),
    g3: Generation.retired(),
    g4: Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE }),
    g5: Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY }),
  };
  const below = (generation: Generation) => check({ g1: generation }, "authority", roots);

  test("names the generation that signs, g1 unless it says another", () => {
    expect(below(Generation.active({ validity: Validity.years(5) }))).toEqual([]);
    expect(below(Generation.active({ issuer: "g2" }))).toEqual([]);
    expect(below(Generation.active({ issuer: "g5", validity: Validity.years(50) }))).toEqual([]);
  });

  test.each(["g3", "g4", "g9"])("refuses one that is retired, has no key or is unknown: %s", (issuer) => {
    expect(below(Generation.active({ issuer }))).toEqual([
      {
        code: "issuer",
        at: "generations.g1.issuer",
        given: JSON.stringify(issuer),
        allowed: "g1, g2, g5",
        fix: "name a generation that is active or trusted",
      },
    ]);
  });

  test("may stay below a retired one when it is retired itself", () => {
    const generations = { g1: Generation.retired({ issuer: "g3" }), g2: Generation.active({ issuer: "g2" }) };
    expect(check(generations, "authority", roots)).toEqual([]);
  });

  test("may be valid as long as its issuer and no longer", () => {
    expect(below(Generation.active({ issuer: "g2", validity: Validity.years(20) }))).toEqual([]);
    expect(below(Generation.active())).toEqual([
      {
        code: "authority-outlives-issuer",
        at: "generations.g1.validity",
        given: '"87600 hours"',
        allowed: "at most the 43800 hours of its issuer, generation g1",
        fix: "shorten it, or name a generation of the issuer with a longer validity",
      },
    ]);
  });

  test("needs no issuer when it is from outside: its chain says it", () => {
    expect(below(Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY }))).toEqual([]);
  });

  test.each(["authority", "key pair"] as const)("is refused where no authority is above: %s", (kind) => {
    expect(check({ g1: Generation.active({ issuer: "g1" }) }, kind)).toEqual([
      {
        code: "generation-issuer",
        at: "generations.g1.issuer",
        given: '"g1"',
        allowed: "nothing: no authority is above this one",
        fix: "leave it out, or give the authority an issuer",
      },
    ]);
  });
});

test("refuses a fingerprint of another kind, which the next apply would take for a lost state", () => {
  expect(check({ g1: Generation.active({ fingerprint: "2c:5a:1e" }) })).toEqual([
    {
      code: "fingerprint-format",
      at: "generations.g1.fingerprint",
      given: '"2c:5a:1e"',
      allowed: "SHA256: and 43 characters of base64",
      fix: "copy it from the output <prefix>_fingerprints",
    },
  ]);
});
