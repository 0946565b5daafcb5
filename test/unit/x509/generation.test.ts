import { TerraformVariable } from "cdktf";
import { Generation, Generations, KeyAlgorithm, Problem, Validity } from "../../../lib";
import { Problems } from "../../../lib/errors";
import { checkGenerations, FIRST_GENERATION, inBundleOrder } from "../../../lib/x509/generation";
import { CA_CERTIFICATE, CA_KEY, CA_KEY_ALONE, LEAF_CERTIFICATE, LEAF_KEY } from "../../support/pem";
import { newStack, problemsOf } from "../../support/synth";

function check(generations: Generations, kind: "authority" | "key pair" = "authority"): readonly Problem[] {
  const problems = new Problems();
  checkGenerations(generations, kind, "generations", problems);
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

  test("normalises CRLF, blank ends and a block of EC parameters", () => {
    const windows = (pem: string) => `\r\n${pem.replaceAll("\n", "\r\n")}\r\n`;
    const { pem } = Generation.fromPem("active", {
      certificatePem: windows(CA_CERTIFICATE),
      privateKeyPem: windows(CA_KEY),
    });
    expect(pem).toEqual({ certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY_ALONE });
  });

  test("says nothing of how long it is valid", () => {
    const generation = Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY });
    expect(generation).toMatchObject({ state: "trusted", validityHours: undefined });
  });

  test("refuses text that is neither certificate nor key, and does not show it", () => {
    expect(fromPem("garbage", "secret garbage")).toEqual([
      {
        code: "pem-certificate",
        at: "generations.g1.certificatePem",
        given: '"text that is no certificate"',
        allowed: "one PEM certificate",
        fix: "give its PEM",
      },
      {
        code: "pem-key",
        at: "generations.g1.privateKeyPem",
        given: '"text that is no private key"',
        allowed: "an unencrypted PEM key",
        fix: "decrypt it first",
      },
    ]);
  });

  test("refuses a certificate that is no authority", () => {
    expect(fromPem(LEAF_CERTIFICATE, LEAF_KEY)).toEqual([
      {
        code: "pem-not-ca",
        at: "generations.g1.certificatePem",
        given: '"CN=leaf"',
        allowed: "a certificate authority",
        fix: "give the authority's certificate",
      },
    ]);
  });

  test("refuses the key of another certificate", () => {
    expect(fromPem(CA_CERTIFICATE, LEAF_KEY)).toEqual([
      {
        code: "pem-mismatch",
        at: "generations.g1.privateKeyPem",
        given: '"the key of another certificate"',
        allowed: "the certificate's own key",
        fix: "pair them",
      },
    ]);
  });

  test("refuses a key in place of the certificate", () => {
    expect(fromPem(CA_KEY, CA_KEY)).toMatchObject([{ code: "pem-certificate" }]);
  });

  test("takes unresolved values as they are", () => {
    const token = new TerraformVariable(newStack(), "pem", { type: "string", sensitive: true }).stringValue;
    expect(fromPem(token, token)).toEqual([]);
    expect(Generation.fromPem("active", { certificatePem: token, privateKeyPem: token }).pem).toEqual({
      certificatePem: token,
      privateKeyPem: token,
    });
  });

  test("refuses to be a key pair", () => {
    const generation = Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY });
    expect(check({ g1: generation }, "key pair")).toEqual([
      {
        code: "generation-pem",
        at: "generations.g1",
        given: '"Generation.fromPem"',
        allowed: "a generated key pair",
        fix: "use Generation.active or .trusted",
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
