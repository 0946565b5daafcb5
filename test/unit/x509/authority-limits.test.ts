import {
  Certificate,
  CertificateAuthority,
  Generation,
  Generations,
  KeyPairRing,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import {
  CLIENT_ONLY_CERTIFICATE,
  PATH_0_CERTIFICATE,
  PATH_1_CERTIFICATE,
  SAME_NAME_CERTIFICATE,
  SHORT_CERTIFICATE,
} from "../../support/authorities";
import { CA_CERTIFICATE, CA_KEY, EXPIRED_CERTIFICATE } from "../../support/pem";
import { newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";
import { X509Certificate } from "node:crypto";

const subject = new Subject({ commonName: "ca" });

const adopted = (certificatePem: string): Generations => ({
  g1: Generation.fromPem("active", { certificatePem, privateKeyPem: CA_KEY }),
});

function below(certificatePem: string, names: readonly string[]): CertificateAuthority {
  const stack = newStack();
  const root = new CertificateAuthority(stack, "root", { subject, generations: adopted(certificatePem) });
  return names.reduce(
    (issuer, name) => new CertificateAuthority(stack, name, { subject: new Subject({ commonName: name }), issuer }),
    root,
  );
}

describe("an authority from outside", () => {
  test("has as many below it as its path length lets it", () => {
    const refused = [
      { code: "pem-path-length", at: "generations.g1", given: expect.stringContaining("generation g1") },
    ];
    expect(() => below(PATH_0_CERTIFICATE, [])).not.toThrow();
    expect(problemsOf(() => below(PATH_0_CERTIFICATE, ["one"]))).toMatchObject(refused);
    expect(() => below(PATH_1_CERTIFICATE, ["one"])).not.toThrow();
    expect(problemsOf(() => below(PATH_1_CERTIFICATE, ["one", "two"]))).toMatchObject(refused);
    expect(() => below(CA_CERTIFICATE, ["one", "two", "three"])).not.toThrow();
  });

  test("has no authority below it that is valid for longer", () => {
    expect(problemsOf(() => below(SHORT_CERTIFICATE, ["one"]))).toMatchObject([
      { code: "authority-outlives-issuer", given: '"87600 hours"', allowed: expect.stringContaining("720 hours") },
    ]);
  });

  test("signs for no use that its certificate leaves out, nor does one below it", () => {
    const leaf = (authority: CertificateAuthority, usage: KeyUsage) =>
      new Certificate(authority, "leaf", { authority, subject: new Subject({ commonName: "leaf" }), usage });
    expect(() => leaf(below(CLIENT_ONLY_CERTIFICATE, []), KeyUsage.CLIENT)).not.toThrow();
    for (const names of [[], ["one"]]) {
      expect(problemsOf(() => leaf(below(CLIENT_ONLY_CERTIFICATE, names), KeyUsage.SERVER_AND_CLIENT))).toMatchObject([
        { code: "pem-extended-key-usage", at: "usage", given: expect.stringContaining("server_auth, which") },
      ]);
    }
  });

  test("may not share its subject or its PEM with another generation", () => {
    const make = (id: string, g2: Generation) => {
      const generations = { ...adopted(CA_CERTIFICATE), g2 };
      return new CertificateAuthority(newStack(), id, { subject, generations });
    };
    const twice = Generation.fromPem("retired", { certificatePem: CA_CERTIFICATE });
    expect(problemsOf(() => make("a", twice))).toMatchObject([{ code: "pem-twice", at: "generations.g2" }]);
    const namesake = Generation.fromPem("trusted", { certificatePem: SAME_NAME_CERTIFICATE });
    expect(problemsOf(() => make("b", namesake))).toMatchObject([{ code: "subject-twice", at: "generations.g2" }]);
  });
});

test("a key pair may not be two generations", () => {
  const publicKeyPem = new X509Certificate(CA_CERTIFICATE).publicKey.export({ type: "spki", format: "pem" }) as string;
  const generations = {
    g1: Generation.fromKeyPem("active", { publicKeyPem, privateKeyPem: CA_KEY }),
    g2: Generation.fromKeyPem("retired", { publicKeyPem }),
  };
  expect(problemsOf(() => new KeyPairRing(newStack(), "sa", { generations }))).toMatchObject([
    { code: "pem-twice", at: "generations.g2" },
  ]);
});

describe("a leaf that is issued late in an authority's life", () => {
  beforeEach(() => void jest.useFakeTimers({ now: Date.parse("2126-04-29T04:12:01Z") }));
  afterEach(() => void jest.useRealTimers());

  function validations(names: readonly string[], validity: Validity, certificatePem = CA_CERTIFICATE): string[] {
    const authority = below(certificatePem, names);
    const props = { authority, subject: new Subject({ commonName: "leaf" }), usage: KeyUsage.CLIENT, validity };
    new Certificate(authority, "leaf", props);
    return validationsOf(authority.node.root.node.children[0] as never);
  }

  test("is refused at synth where it would outlive it, or one above it", () => {
    const refused = [
      expect.stringMatching(
        /^\[leaf-outlives-authority\] .*leaf.*: given "8760 hours"; allowed: less than the 4392 hours until .*2126-10-29T04:12:01\.000Z; fix: shorten it/,
      ),
    ];
    expect(validations([], Validity.years(1))).toEqual(refused);
    expect(validations(["one"], Validity.years(1))).toEqual(refused);
    expect(validations([], Validity.days(183))).toEqual([]);
    expect(validations([], Validity.days(184))).toHaveLength(1);
  });

  test("is told of once where the authority has ended", () => {
    jest.setSystemTime(Date.parse("2126-12-01T00:00:00Z"));
    expect(validations([], Validity.hours(1))).toEqual([expect.stringContaining("[pem-expired]")]);
    expect(validations([], Validity.hours(1), EXPIRED_CERTIFICATE)).toHaveLength(1);
  });

  test("changes nothing of what is synthesized", () => {
    const texts = ["2026-01-01", "2126-04-29"].map((today) => {
      jest.setSystemTime(Date.parse(today));
      const authority = below(CA_CERTIFICATE, []);
      return JSON.stringify(terraformOf(authority.node.root.node.children[0] as never));
    });
    expect(texts[0]).toBe(texts[1]);
  });
});
