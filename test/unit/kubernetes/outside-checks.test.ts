import { TerraformVariable } from "cdktf";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { ClusterPkiProps, Distribution, Generation, Generations, Problem } from "../../../lib";
import {
  CLIENT_ONLY_CERTIFICATE,
  ETCD_CERTIFICATE,
  OTHER_KEY,
  PATH_0_CERTIFICATE,
  PATH_1_CERTIFICATE,
  RENEWED_CERTIFICATE,
  SAME_NAME_CERTIFICATE,
  SHORT_CERTIFICATE,
} from "../../support/authorities";
import { pkiOf } from "../../support/cluster";
import {
  CA_CERTIFICATE,
  CA_KEY,
  INTERMEDIATE_CERTIFICATE,
  INTERMEDIATE_KEY,
  ROOT_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../../support/pem";
import { newStack, problemsOf } from "../../support/synth";

const CHAIN = INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE;

const active = (certificatePem: string, privateKeyPem = CA_KEY): Generations => ({
  g1: Generation.fromPem("active", { certificatePem, privateKeyPem }),
});

function authorities(byName: Readonly<Record<string, Generations>>): ClusterPkiProps["authorities"] {
  return Object.fromEntries(Object.entries(byName).map(([name, generations]) => [name, { generations }]));
}

const problems = (props: Partial<ClusterPkiProps>): readonly Problem[] => problemsOf(() => pkiOf({}, props));

/** Warnings of a PKI that is taken. */
function warnings(props: Partial<ClusterPkiProps>): string[] {
  const { pki } = pkiOf({}, props);
  return pki.node.metadata.filter(({ type }) => type.endsWith("warn")).map(({ data }) => String(data));
}

describe("one that stands for two", () => {
  test("is refused as the PEM of two authorities", () => {
    const byName = { kubernetes: active(CA_CERTIFICATE), etcd: active(CA_CERTIFICATE) };
    expect(problems({ authorities: authorities(byName) })).toEqual([
      {
        code: "pem-twice",
        at: "authorities.etcd.generations.g1",
        given: '"the key of authorities.kubernetes.generations.g1"',
        allowed: "a key for each authority and key pair, and a certificate or key for each of their generations",
        fix: "give each its own: whoever has a key is everybody that it stands for",
      },
    ]);
  });

  test("is refused as the key of two authorities with certificates of their own", () => {
    const byName = { kubernetes: active(CA_CERTIFICATE), etcd: active(RENEWED_CERTIFICATE) };
    expect(problems({ authorities: authorities(byName) })).toMatchObject([{ code: "pem-twice" }]);
  });

  test("is refused as the PEM of two generations", () => {
    const g2 = Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE });
    const kubernetes = { ...active(CA_CERTIFICATE), g2 };
    expect(problems({ authorities: authorities({ kubernetes }) })).toMatchObject([
      { code: "pem-twice", at: "authorities.kubernetes.generations.g2" },
    ]);
  });

  test("is not a certificate that was renewed with its key", () => {
    const g2 = Generation.fromPem("trusted", { certificatePem: RENEWED_CERTIFICATE });
    expect(() =>
      pkiOf({}, { authorities: authorities({ kubernetes: { ...active(CA_CERTIFICATE), g2 } }) }),
    ).not.toThrow();
  });

  test("is refused as the key of an authority and of service accounts", () => {
    const publicKeyPem = new X509Certificate(CA_CERTIFICATE).publicKey.export({
      type: "spki",
      format: "pem",
    }) as string;
    const serviceAccount = {
      generations: { g1: Generation.fromKeyPem("active", { publicKeyPem, privateKeyPem: CA_KEY }) },
    };
    expect(
      problems({ authorities: authorities({ kubernetes: active(CA_CERTIFICATE) }), serviceAccount }),
    ).toMatchObject([
      {
        code: "pem-twice",
        at: "serviceAccount.generations.g1",
        given: '"the key of authorities.kubernetes.generations.g1"',
      },
    ]);
  });

  test("is refused as two readings of one variable, of which no text is known", () => {
    const stack = newStack();
    const variable = (id: string) => new TerraformVariable(stack, id, { sensitive: true });
    const [certificate, key, other] = ["certificate", "key", "other"].map(variable) as [
      TerraformVariable,
      TerraformVariable,
      TerraformVariable,
    ];
    const byName = {
      kubernetes: active(certificate.stringValue, key.stringValue),
      etcd: active(other.stringValue, key.stringValue),
    };
    expect(problemsOf(() => pkiOf({}, { authorities: authorities(byName) }, stack))).toMatchObject([
      { code: "pem-twice", at: "authorities.etcd.generations.g1" },
    ]);
  });
});

describe("two of one subject that are trusted together", () => {
  test("are refused where an organizational unit is a generation's id", () => {
    const generations = { g1: Generation.active(), g2: Generation.trusted() };
    const given = { subject: { organizationalUnit: "g2" }, authorities: authorities({ kubernetes: generations }) };
    expect(problems(given)).toEqual([
      {
        code: "subject-twice",
        at: "authorities.kubernetes.generations.g2",
        given: '"the subject of authorities.kubernetes.generations.g1, with another key"',
        allowed: "a subject of its own for each generation that is trusted",
        fix: "choose another organizationalUnit: later generations of an authority have their ids there",
      },
    ]);
  });

  test("are taken with any other organizational unit, and with one that is retired", () => {
    const of = (organizationalUnit: string, g2: Generation) =>
      pkiOf(
        {},
        {
          subject: { organizationalUnit },
          authorities: authorities({ kubernetes: { g1: Generation.active(), g2 } }),
        },
      );
    expect(() => of("platform", Generation.trusted())).not.toThrow();
    expect(() => of("g2", Generation.retired())).not.toThrow();
  });

  test("are refused as certificates with different keys", () => {
    const g2 = Generation.fromPem("trusted", { certificatePem: SAME_NAME_CERTIFICATE });
    expect(problems({ authorities: authorities({ kubernetes: { ...active(CA_CERTIFICATE), g2 } }) })).toMatchObject([
      {
        code: "subject-twice",
        at: "authorities.kubernetes.generations.g2",
        fix: expect.stringContaining("another subject"),
      },
    ]);
  });

  test("are taken where nobody trusts both", () => {
    const byName = { kubernetes: active(CA_CERTIFICATE), etcd: active(SAME_NAME_CERTIFICATE, OTHER_KEY) };
    expect(() => pkiOf({}, { authorities: authorities(byName) })).not.toThrow();
  });
});

describe("two authorities below one root", () => {
  const byName = {
    kubernetes: active(SIGNED_CA_CERTIFICATE + CHAIN),
    etcd: active(ETCD_CERTIFICATE + CHAIN, OTHER_KEY),
  };

  test("are refused where the bundle of each vouches for the other", () => {
    expect(problems({ authorities: authorities(byName) })).toEqual([
      {
        code: "shared-root",
        at: "authorities.etcd.generations.g1.certificatePem",
        given: '"an authority below CN=test-intermediate, which authorities.kubernetes.generations.g1 trusts, too"',
        allowed: "an authority that no bundle of another authority of the cluster vouches for",
        fix: expect.stringContaining("leave the certificates above it out of certificatePem"),
      },
    ]);
  });

  test("are refused where only one of them has it in its text", () => {
    const etcd = active(ETCD_CERTIFICATE, OTHER_KEY);
    expect(problems({ authorities: authorities({ ...byName, etcd }) })).toMatchObject([{ code: "shared-root" }]);
  });

  test("are refused where one signed the other", () => {
    const given = {
      kubernetes: active(INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY),
      etcd: active(ETCD_CERTIFICATE, OTHER_KEY),
    };
    expect(problems({ authorities: authorities(given) })).toMatchObject([{ code: "shared-root" }]);
  });

  test("are taken where it stands in none of their texts", () => {
    const given = { kubernetes: active(SIGNED_CA_CERTIFICATE), etcd: active(ETCD_CERTIFICATE, OTHER_KEY) };
    expect(() => pkiOf({}, { authorities: authorities(given) })).not.toThrow();
  });

  test("are taken with a warning where the distribution's own set is below one root", () => {
    const given = { server: byName.kubernetes, client: byName.etcd };
    expect(warnings({ distribution: Distribution.K3S, authorities: authorities(given) })).toEqual([
      expect.stringMatching(/^\[shared-root\] server, client: every bundle ends with the one chain above it/),
    ]);
    expect(warnings({ distribution: Distribution.K3S })).toEqual([]);
  });
});

describe("what the distribution lets an authority sign", () => {
  test("is refused where its extended key usages leave it out", () => {
    expect(problems({ authorities: authorities({ kubernetes: active(CLIENT_ONLY_CERTIFICATE) }) })).toEqual([
      {
        code: "pem-extended-key-usage",
        at: "authorities.kubernetes.generations.g1.certificatePem",
        given: '"server_auth, which the extended key usages of generation g1 leave out"',
        allowed: "an authority without extended key usages, or with those of every certificate below it",
        fix: expect.stringContaining("without extended key usages"),
      },
    ]);
    // Terraform issues none of K3s' leaves.
    const server = active(CLIENT_ONLY_CERTIFICATE);
    expect(problems({ distribution: Distribution.K3S, authorities: authorities({ server }) })).toMatchObject([
      { code: "pem-extended-key-usage" },
    ]);
  });

  test("is taken where they are those that are needed", () => {
    const given = { "front-proxy": active(CLIENT_ONLY_CERTIFICATE) };
    expect(() => pkiOf({}, { authorities: authorities(given) })).not.toThrow();
  });

  test("is refused where a path length leaves no room for the authorities below", () => {
    const root = (certificatePem: string) => ({
      distribution: Distribution.k3s({ chained: "root" }),
      authorities: authorities({ root: active(certificatePem) }),
    });
    expect(problems(root(PATH_0_CERTIFICATE))).toMatchObject([
      { code: "pem-path-length", at: "authorities.intermediate.generations.g1" },
    ]);
    expect(problems(root(PATH_1_CERTIFICATE))).toMatchObject([
      {
        code: "pem-path-length",
        at: "authorities.root.generations.g1.certificatePem",
        given: '"the path length 1 above 2 authorities"',
      },
    ]);
    expect(() => pkiOf({}, root(CA_CERTIFICATE))).not.toThrow();
  });

  test("is refused where it would be valid for longer", () => {
    expect(problems({ authorities: authorities({ etcd: active(SHORT_CERTIFICATE) }) })).toMatchObject([
      { code: "leaf-outlives-authority", given: '"8760 hours"', allowed: "less than the authority's 720 hours" },
    ]);
  });
});

test("a key pair of its own is nobody else's", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const g1 = Generation.fromKeyPem("active", { publicKeyPem: publicKey, privateKeyPem: privateKey });
  const g2 = Generation.fromKeyPem("trusted", { publicKeyPem: publicKey });
  expect(() => pkiOf({}, { serviceAccount: { generations: { g1 } } })).not.toThrow();
  expect(problems({ serviceAccount: { generations: { g1, g2 } } })).toMatchObject([
    { code: "pem-twice", at: "serviceAccount.generations.g2" },
  ]);
});
