import { TerraformOutput, TerraformVariable } from "cdktf";
import {
  Certificate,
  CertificateAuthority,
  CertificateAuthorityProps,
  Generation,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { CA_CERTIFICATE, CA_KEY, CA_KEY_ALONE } from "../../support/pem";
import { errorOf, newStack, terraformOf } from "../../support/synth";

const subject = new Subject({ commonName: "kubernetes" });

function authorityOf(props: Partial<CertificateAuthorityProps> = {}, stack = newStack()) {
  return { stack, authority: new CertificateAuthority(stack, "ca", { subject, ...props }) };
}

const resourcesOf = (props: Partial<CertificateAuthorityProps>) => terraformOf(authorityOf(props).stack).resource;

/** What an authority of ten years looks like, without what keeps it from being destroyed. */
const certificate = (id: string, more: object = {}) => ({
  private_key_pem: `\${tls_private_key.ca__${id}.private_key_pem}`,
  is_ca_certificate: true,
  subject: [{ common_name: "kubernetes" }],
  allowed_uses: ["digital_signature", "key_encipherment", "cert_signing"],
  validity_period_hours: 87600,
  set_subject_key_id: true,
  ...more,
});

describe("one generation", () => {
  test("is a key and a self-signed certificate, ECDSA P-256 for ten years, which no plan may destroy", () => {
    const lifecycle = { prevent_destroy: true };
    expect(resourcesOf({})).toEqual({
      tls_private_key: { ca__g1: { algorithm: "ECDSA", ecdsa_curve: "P256", lifecycle } },
      tls_self_signed_cert: { ca__g1: certificate("g1", { lifecycle }) },
    });
  });

  test("takes another algorithm and validity", () => {
    const options = { keyAlgorithm: KeyAlgorithm.RSA_4096, validity: Validity.years(5) };
    expect(resourcesOf({ generations: { g1: Generation.active(options) } })).toMatchObject({
      tls_private_key: { ca__g1: { algorithm: "RSA", rsa_bits: 4096 } },
      tls_self_signed_cert: { ca__g1: { validity_period_hours: 43800 } },
    });
  });

  test("may be destroyed when deletionProtection is off", () => {
    const { tls_private_key: keys, tls_self_signed_cert: certificates } = resourcesOf({ deletionProtection: false });
    expect(keys.ca__g1).not.toHaveProperty("lifecycle");
    expect(certificates.ca__g1).not.toHaveProperty("lifecycle");
  });

  test("has the names that were given, sorted", () => {
    expect(resourcesOf({ sans: ["kubernetes", "10.0.0.1", "etcd"] }).tls_self_signed_cert.ca__g1).toMatchObject({
      dns_names: ["etcd", "kubernetes"],
      ip_addresses: ["10.0.0.1"],
    });
  });

  test("lets Terraform check a name that is unresolved", () => {
    const stack = newStack();
    const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
    authorityOf({ sans: [{ ips: [host] }], deletionProtection: false }, stack);
    expect(terraformOf(stack).resource.tls_self_signed_cert.ca__g1.lifecycle).toEqual({
      precondition: [
        { condition: '${can(cidrhost("${var.host}/32", 0))}', error_message: expect.stringContaining("[host-ip]") },
      ],
    });
  });

  test("is found by its address, another than the construct's id if wanted", () => {
    const { authority } = authorityOf({ address: "prod__ca__kubernetes" });
    expect(authority.active).toMatchObject({
      id: "g1",
      state: "active",
      validityHours: 87600,
      certificate: { address: "tls_self_signed_cert.prod__ca__kubernetes__g1", attribute: "cert_pem" },
      privateKey: { address: "tls_private_key.prod__ca__kubernetes__g1", attribute: "private_key_pem" },
    });
  });

  test("is the construct's default child", () => {
    const { authority } = authorityOf();
    expect(authority.node.defaultChild?.node.path).toBe("prod-pki/ca/g1");
  });

  test("shows the fingerprint of its public key", () => {
    expect(authorityOf().authority.fingerprints).toEqual({
      g1: "${tls_private_key.ca__g1.public_key_fingerprint_sha256}",
    });
  });

  test("refuses a key that is not the one whose fingerprint the code names", () => {
    const generations = {
      g1: Generation.active({ fingerprint: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
    };
    const { tls_private_key: keys, tls_self_signed_cert: certificates } = resourcesOf({ generations });
    expect(keys.ca__g1.lifecycle).toEqual({
      prevent_destroy: true,
      postcondition: [
        {
          condition: '${self.public_key_fingerprint_sha256 == "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
          error_message:
            "[fingerprint] this is not the key with the fingerprint SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA that the code names. If the state was lost, " +
            "restore it from its backup before you apply again; nothing was signed with the new key.",
        },
      ],
    });
    expect(certificates.ca__g1.lifecycle).toEqual({ prevent_destroy: true });
  });

  test("has the postcondition without deletionProtection, too", () => {
    const generations = {
      g1: Generation.active({ fingerprint: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
    };
    const { lifecycle } = resourcesOf({ generations, deletionProtection: false }).tls_private_key.ca__g1;
    expect(lifecycle).toEqual({
      postcondition: [{ condition: expect.any(String), error_message: expect.any(String) }],
    });
  });
});

describe("several generations", () => {
  const generations = {
    g1: Generation.retired(),
    g2: Generation.trusted(),
    g3: Generation.active(),
    g4: Generation.trusted(),
  };

  test("differ by their organizational unit, g1 having none", () => {
    const { tls_self_signed_cert: certificates } = resourcesOf({ generations });
    expect(Object.entries<{ subject: object[] }>(certificates).map(([name, { subject }]) => [name, subject])).toEqual([
      ["ca__g1", [{ common_name: "kubernetes" }]],
      ["ca__g2", [{ common_name: "kubernetes", organizational_unit: "g2" }]],
      ["ca__g3", [{ common_name: "kubernetes", organizational_unit: "g3" }]],
      ["ca__g4", [{ common_name: "kubernetes", organizational_unit: "g4" }]],
    ]);
  });

  test("are protected unless retired", () => {
    const { tls_private_key: keys, tls_self_signed_cert: certificates } = resourcesOf({ generations });
    const protectedNames = (resources: Record<string, { lifecycle?: { prevent_destroy: boolean } }>) =>
      Object.keys(resources).filter((name) => resources[name]!.lifecycle?.prevent_destroy);
    expect(protectedNames(keys)).toEqual(["ca__g2", "ca__g3", "ca__g4"]);
    expect(protectedNames(certificates)).toEqual(["ca__g2", "ca__g3", "ca__g4"]);
  });

  test("are bundled with the active first, without the retired", () => {
    const { authority } = authorityOf({ generations });
    expect(authority.bundle.references.map(({ address }) => address)).toEqual([
      "tls_self_signed_cert.ca__g3",
      "tls_self_signed_cert.ca__g2",
      "tls_self_signed_cert.ca__g4",
    ]);
    expect(authority.active.id).toBe("g3");
  });

  test("are all there, the retired included", () => {
    const { authority } = authorityOf({ generations });
    expect(Object.values(authority.generations).map(({ id, state }) => [id, state])).toEqual([
      ["g1", "retired"],
      ["g2", "trusted"],
      ["g3", "active"],
      ["g4", "trusted"],
    ]);
    expect(Object.keys(authority.fingerprints)).toEqual(["g1", "g2", "g3", "g4"]);
  });
});

test("tells of everything that is wrong at once, with its path", () => {
  const broken = {
    subject: new Subject({ commonName: "" }),
    sans: ["10.0.0.1/8"],
    generations: { G1: Generation.trusted() },
  };
  expect(errorOf(() => authorityOf(broken)).message).toBe(
    [
      "4 problems at prod-pki/ca",
      '  [subject] subject.commonName: given ""; allowed: 1 to 64 bytes (it has 0); fix: use a shorter name',
      '  [host-cidr] sans[0]: given "10.0.0.1/8"; allowed: a DNS name or an IP address; fix: it is a CIDR; did you mean "10.0.0.1"?',
      '  [generations-active] generations: given "no active generation"; allowed: exactly one active generation; ' +
        "fix: mark one active and the others trusted or retired",
      '  [generation-id] generations.G1: given "G1"; allowed: lower-case letters and digits, a letter first; fix: call it g1, g2, …',
    ].join("\n"),
  );
});

describe("from outside", () => {
  const literal = { g1: Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY }) };
  const inHcl = (pem: string) => JSON.stringify(pem);

  test("is kept in the state, the key marked sensitive, each with one newline at its end", () => {
    expect(resourcesOf({ generations: literal })).toEqual({
      terraform_data: {
        ca__g1: {
          input: {
            certificate_pem: `\${join("", [trimspace(replace(${inHcl(CA_CERTIFICATE)}, "\\r", "")), "\\n"])}`,
            private_key_pem: `\${sensitive(join("", [trimspace(replace(${inHcl(CA_KEY_ALONE)}, "\\r", "")), "\\n"]))}`,
            not_after: "2126-10-29T04:12:01.000Z",
          },
          lifecycle: { prevent_destroy: true },
        },
      },
    });
  });

  test("takes unresolved values as templates inside the expression", () => {
    const stack = newStack();
    const variable = (name: string) => new TerraformVariable(stack, name, { type: "string" }).stringValue;
    const pem = { certificatePem: variable("certificate"), privateKeyPem: variable("key") };
    authorityOf({ generations: { g1: Generation.fromPem("active", pem) } }, stack);
    expect(terraformOf(stack).resource.terraform_data.ca__g1.input).toEqual({
      certificate_pem: '${join("", [trimspace(replace("${var.certificate}", "\\r", "")), "\\n"])}',
      private_key_pem: '${sensitive(join("", [trimspace(replace("${var.key}", "\\r", "")), "\\n"]))}',
    });
  });

  test("is used by its address like any other", () => {
    const { stack, authority } = authorityOf({ generations: literal });
    new Certificate(stack, "leaf", { authority, subject: new Subject({ commonName: "leaf" }), usage: KeyUsage.CLIENT });
    expect(terraformOf(stack).resource.tls_locally_signed_cert.leaf).toMatchObject({
      ca_cert_pem: "${terraform_data.ca__g1.output.certificate_pem}",
      ca_private_key_pem: "${terraform_data.ca__g1.output.private_key_pem}",
    });
  });

  test("has no fingerprint and no validity of its own", () => {
    const { authority } = authorityOf({ generations: literal });
    expect(authority.fingerprints).toEqual({});
    expect(authority.active.validityHours).toBeUndefined();
  });

  test("may be destroyed once it is retired", () => {
    const generations = {
      g1: Generation.fromPem("retired", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY }),
      g2: Generation.active(),
    };
    expect(resourcesOf({ generations }).terraform_data.ca__g1).not.toHaveProperty("lifecycle");
  });

  test("stands in the bundle beside a generated one", () => {
    const { stack, authority } = authorityOf({ generations: { ...literal, g2: Generation.trusted() } });
    new TerraformOutput(stack, "bundle", { value: authority.bundle.pem });
    expect(terraformOf(stack).output.bundle.value).toBe(
      "${terraform_data.ca__g1.output.certificate_pem}${tls_self_signed_cert.ca__g2.cert_pem}",
    );
  });
});

describe("the warning before a leaf would outlive its authority", () => {
  const leaf = (
    stack: ReturnType<typeof newStack>,
    authority: CertificateAuthority,
    id: string,
    hours: number,
    issuer?: string,
  ) =>
    new Certificate(stack, id, {
      authority,
      subject: new Subject({ commonName: id }),
      usage: KeyUsage.CLIENT,
      validity: Validity.hours(hours),
      issuer,
    });

  const assertion = (hours: number, id: string, end = `tls_self_signed_cert.ca__${id}.validity_end_time`) => ({
    condition: `\${timecmp(timeadd(plantimestamp(), "${hours}h"), ${end}) <= 0}`,
    error_message: `A certificate of ${hours} hours that is issued now would outlive ca, generation ${id}: introduce the next generation.`,
  });

  test("is no check where nothing is signed", () => {
    expect(terraformOf(authorityOf().stack)).not.toHaveProperty("check");
  });

  test("is one check for the longest leaf, whatever the order", () => {
    for (const hours of [
      [24, 8760, 48],
      [8760, 24],
      [48, 8760],
    ]) {
      const { stack, authority } = authorityOf();
      hours.forEach((h, i) => leaf(stack, authority, `leaf-${i}`, h));
      expect(terraformOf(stack).check).toEqual({ ca: { assert: [assertion(8760, "g1")] } });
    }
  });

  test("is one assertion for each generation that signs", () => {
    const { stack, authority } = authorityOf({ generations: { g1: Generation.trusted(), g2: Generation.active() } });
    leaf(stack, authority, "a", 24);
    leaf(stack, authority, "b", 48, "g1");
    leaf(stack, authority, "c", 12, "g1");
    expect(terraformOf(stack).check).toEqual({ ca: { assert: [assertion(24, "g2"), assertion(48, "g1")] } });
  });

  test("knows the end of a literal certificate from outside", () => {
    const pem = { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY };
    const { stack, authority } = authorityOf({ generations: { g1: Generation.fromPem("active", pem) } });
    leaf(stack, authority, "a", 24);
    expect(terraformOf(stack).check).toEqual({
      ca: { assert: [assertion(24, "g1", "terraform_data.ca__g1.output.not_after")] },
    });
  });

  test("is not given for an unresolved certificate from outside", () => {
    const stack = newStack();
    const pem = new TerraformVariable(stack, "pem", { type: "string" }).stringValue;
    const generations = { g1: Generation.fromPem("active", { certificatePem: pem, privateKeyPem: pem }) };
    const { authority } = authorityOf({ generations }, stack);
    leaf(stack, authority, "a", 24);
    expect(terraformOf(stack)).not.toHaveProperty("check");
  });
});
