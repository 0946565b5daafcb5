import { TerraformVariable } from "cdktf";
import {
  Certificate,
  CertificateAuthority,
  CertificateProps,
  Generation,
  Generations,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { errorOf, newApp, newStack, problemsOf, terraformOf } from "../../support/synth";

const subject = new Subject({ commonName: "client", organization: "team" });

function certificateOf(
  props: Partial<CertificateProps> = {},
  generations: Generations = { g1: Generation.active() },
  stack = newStack(),
) {
  const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }), generations });
  const certificate = new Certificate(stack, "leaf", { authority, subject, usage: KeyUsage.CLIENT, ...props });
  return { stack, certificate };
}

const resourceOf = (props: Partial<CertificateProps> = {}) => terraformOf(certificateOf(props).stack).resource;
const TWO = { g1: Generation.trusted(), g2: Generation.active() };

test("is a key, a request and a certificate, the latter two replaced by creating first", () => {
  const lifecycle = { create_before_destroy: true };
  expect(resourceOf()).toMatchObject({
    tls_private_key: { leaf: { algorithm: "ECDSA", ecdsa_curve: "P256" } },
    tls_cert_request: {
      leaf: {
        private_key_pem: "${tls_private_key.leaf.private_key_pem}",
        subject: [{ common_name: "client", organization: "team" }],
        lifecycle,
      },
    },
    tls_locally_signed_cert: {
      leaf: {
        cert_request_pem: "${tls_cert_request.leaf.cert_request_pem}",
        ca_cert_pem: "${tls_self_signed_cert.ca__g1.cert_pem}",
        ca_private_key_pem: "${tls_private_key.ca__g1.private_key_pem}",
        allowed_uses: ["digital_signature", "client_auth"],
        validity_period_hours: 8760,
        early_renewal_hours: 720,
        set_subject_key_id: true,
        lifecycle,
      },
    },
  });
});

test("leaves out names when it has none, since an empty list is not the same", () => {
  const request = resourceOf().tls_cert_request.leaf;
  expect(request).not.toHaveProperty("dns_names");
  expect(request).not.toHaveProperty("ip_addresses");
});

test("is not protected from being destroyed", () => {
  expect(resourceOf().tls_private_key.leaf).not.toHaveProperty("lifecycle");
});

test("takes another algorithm, validity, usage and names", () => {
  const props = {
    keyAlgorithm: KeyAlgorithm.RSA_3072,
    validity: Validity.days(30, { earlyRenewalHours: 100 }),
    usage: KeyUsage.SERVER_AND_CLIENT,
    sans: ["b", "a", "10.0.0.1"],
  };
  expect(resourceOf(props)).toMatchObject({
    tls_private_key: { leaf: { algorithm: "RSA", rsa_bits: 3072 } },
    tls_cert_request: { leaf: { dns_names: ["a", "b"], ip_addresses: ["10.0.0.1"] } },
    tls_locally_signed_cert: {
      leaf: {
        allowed_uses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
        validity_period_hours: 720,
        early_renewal_hours: 100,
      },
    },
  });
});

test("lets Terraform check names that are unresolved", () => {
  const stack = newStack();
  const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
  certificateOf({ sans: [{ dns: [host] }] }, undefined, stack);
  expect(terraformOf(stack).resource.tls_cert_request.leaf).toMatchObject({
    dns_names: ["${lower(var.host)}"],
    lifecycle: {
      create_before_destroy: true,
      precondition: [
        {
          condition: expect.stringContaining('"${var.host}"))'),
          error_message: expect.stringContaining('[host-name] sans: given "${var.host}"; allowed: a DNS name'),
        },
      ],
    },
  });
});

test("says where certificate and key are", () => {
  expect(certificateOf({ address: "prod__cp-1__client" }).certificate).toMatchObject({
    certificate: { address: "tls_locally_signed_cert.prod__cp-1__client", attribute: "cert_pem" },
    privateKey: { address: "tls_private_key.prod__cp-1__client", attribute: "private_key_pem" },
  });
});

test("another key generation changes the address of the key and of nothing else", () => {
  const [before, after] = [resourceOf(), resourceOf({ keyGeneration: "k2" })];
  expect(Object.keys(after.tls_private_key)).toEqual(["ca__g1", "leaf__k2"]);
  expect(after.tls_cert_request.leaf.private_key_pem).toBe("${tls_private_key.leaf__k2.private_key_pem}");
  expect({ ...after.tls_cert_request.leaf, private_key_pem: before.tls_cert_request.leaf.private_key_pem }).toEqual(
    before.tls_cert_request.leaf,
  );
  expect(after.tls_locally_signed_cert).toEqual(before.tls_locally_signed_cert);
});

test("is signed by the active generation, or by the one that is named", () => {
  const issuer = (props: Partial<CertificateProps>) => {
    const { ca_cert_pem: certificate } = terraformOf(certificateOf(props, TWO).stack).resource.tls_locally_signed_cert
      .leaf;
    return certificate;
  };
  expect(issuer({})).toBe("${tls_self_signed_cert.ca__g2.cert_pem}");
  expect(issuer({ issuer: "g1" })).toBe("${tls_self_signed_cert.ca__g1.cert_pem}");
});

describe("what is refused", () => {
  test.each(["g9", "g1"])("an issuer that is unknown or retired: %s", (issuer) => {
    const generations = { g1: Generation.retired(), g2: Generation.active(), g3: Generation.trusted() };
    expect(problemsOf(() => certificateOf({ issuer }, generations))).toEqual([
      {
        code: "issuer",
        at: "issuer",
        given: JSON.stringify(issuer),
        allowed: "g2, g3",
        fix: "name a generation that is active or trusted",
      },
    ]);
  });

  test.each([
    [Validity.years(10), "87600"],
    [Validity.years(11), "96360"],
  ])("a validity that is not shorter than the authority's (%#)", (validity, hours) => {
    expect(problemsOf(() => certificateOf({ validity }))).toEqual([
      {
        code: "leaf-outlives-authority",
        at: "validity",
        given: `"${hours} hours"`,
        allowed: "less than the authority's 87600 hours",
        fix: "shorten it, or give the next generation of the authority a longer validity",
      },
    ]);
  });

  test("the usual validity under an authority of a month", () => {
    const generations = { g1: Generation.active({ validity: Validity.days(30) }) };
    expect(problemsOf(() => certificateOf({}, generations))).toMatchObject([
      {
        code: "leaf-outlives-authority",
        at: "validity",
        given: '"8760 hours"',
        allowed: "less than the authority's 720 hours",
      },
    ]);
  });

  test("a validity that only another generation would outlive", () => {
    const generations = { g1: Generation.trusted({ validity: Validity.days(30) }), g2: Generation.active() };
    expect(() => certificateOf({}, generations)).not.toThrow();
    expect(problemsOf(() => certificateOf({ issuer: "g1" }, generations))).toMatchObject([
      { code: "leaf-outlives-authority", allowed: "less than the authority's 720 hours" },
    ]);
  });

  test.each(["K2", "2", "k-2", ""])("the key generation %j", (keyGeneration) => {
    expect(problemsOf(() => certificateOf({ keyGeneration }))).toEqual([
      {
        code: "key-generation",
        at: "keyGeneration",
        given: JSON.stringify(keyGeneration),
        allowed: "lower-case letters and digits, a letter first",
        fix: "call it k2, k3, …",
      },
    ]);
  });

  test("an authority of another stack, whose key would have to travel", () => {
    const app = newApp();
    const authority = new CertificateAuthority(newStack("one", app), "ca", { subject });
    const act = () => new Certificate(newStack("two", app), "leaf", { authority, subject, usage: KeyUsage.CLIENT });
    expect(errorOf(act)).toMatchObject({
      path: "two/leaf",
      problems: [
        {
          code: "authority-stack",
          at: "authority",
          given: '"one/ca"',
          allowed: "an authority of the same stack",
          fix: "create the certificate in the authority's stack: a private key never goes through an output",
        },
      ],
    });
  });

  test("everything at once", () => {
    const bad = {
      subject: new Subject({ commonName: "" }),
      sans: ["a:1"],
      keyAlgorithm: KeyAlgorithm.of("ECDSA-P224"),
      validity: Validity.hours(4, { earlyRenewalHours: 4 }),
      keyGeneration: "K",
      issuer: "g7",
    };
    const codes = problemsOf(() => certificateOf(bad)).map(({ code }) => code);
    expect(codes.sort()).toEqual([
      "early-renewal",
      "host-port",
      "issuer",
      "key-algorithm",
      "key-generation",
      "subject",
    ]);
  });
});
