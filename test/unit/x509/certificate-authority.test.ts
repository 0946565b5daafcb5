import { TerraformOutput, TerraformVariable } from "cdktf";
import { X509Certificate } from "node:crypto";
import {
  Certificate,
  CertificateAuthority,
  CertificateAuthorityProps,
  Generation,
  Generations,
  KeyAlgorithm,
  KeyUsage,
  Reference,
  Subject,
  Validity,
} from "../../../lib";
import {
  CA_CERTIFICATE,
  CA_KEY,
  CA_KEY_ALONE,
  EXPIRED_CERTIFICATE,
  FUTURE_CERTIFICATE,
  INTERMEDIATE_CERTIFICATE,
  ROOT_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../../support/pem";
import { errorOf, newApp, newStack, problemsOf, synthApp, terraformOf, validationsOf } from "../../support/synth";

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
  allowed_uses: ["digital_signature", "cert_signing", "crl_signing"],
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
        { condition: expect.stringContaining('"${var.host}"'), error_message: expect.stringContaining("[host-ip]") },
        { condition: expect.any(String), error_message: expect.stringContaining("[address-range]") },
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
            '[fingerprint] fingerprint: given "another key than the one that the code names"; allowed: the key with the fingerprint ' +
            "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; fix: if the state was lost, restore it from its backup before you " +
            "apply again; nothing was signed with the new key.",
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

describe("below another authority", () => {
  const long = { g1: Generation.trusted(), g2: Generation.active({ validity: Validity.years(20) }) };

  function hierarchy(generations?: Generations, props: Partial<CertificateAuthorityProps> = {}) {
    const stack = newStack();
    const root = new CertificateAuthority(stack, "root", { subject, generations: long });
    const { authority } = authorityOf({ generations, issuer: root, ...props }, stack);
    return { stack, root, authority };
  }

  test("is a key, a request and a certificate that the first generation above signs, which no plan may destroy", () => {
    const lifecycle = { prevent_destroy: true };
    const { resource } = terraformOf(hierarchy(undefined, { sans: ["etcd"] }).stack);
    expect(resource.tls_private_key.ca__g1).toEqual({ algorithm: "ECDSA", ecdsa_curve: "P256", lifecycle });
    expect(resource.tls_cert_request.ca__g1).toEqual({
      private_key_pem: "${tls_private_key.ca__g1.private_key_pem}",
      subject: [{ common_name: "kubernetes" }],
      dns_names: ["etcd"],
      lifecycle,
    });
    expect(resource.tls_locally_signed_cert.ca__g1).toEqual({
      cert_request_pem: "${tls_cert_request.ca__g1.cert_request_pem}",
      ca_cert_pem: "${tls_self_signed_cert.root__g1.cert_pem}",
      ca_private_key_pem: "${tls_private_key.root__g1.private_key_pem}",
      is_ca_certificate: true,
      set_subject_key_id: true,
      allowed_uses: ["digital_signature", "cert_signing", "crl_signing"],
      validity_period_hours: 87600,
      lifecycle,
    });
  });

  test("is signed by the generation that its own names, and has the same names otherwise", () => {
    const { stack, authority } = hierarchy({ g1: Generation.trusted(), g2: Generation.active({ issuer: "g2" }) });
    const { tls_locally_signed_cert: certificates, tls_cert_request: requests } = terraformOf(stack).resource;
    expect(certificates.ca__g1.ca_cert_pem).toBe("${tls_self_signed_cert.root__g1.cert_pem}");
    expect(certificates.ca__g2.ca_cert_pem).toBe("${tls_self_signed_cert.root__g2.cert_pem}");
    expect(requests.ca__g2.subject).toEqual([{ common_name: "kubernetes", organizational_unit: "g2" }]);
    expect(Object.keys(authority.fingerprints)).toEqual(["g1", "g2"]);
  });

  test("may be destroyed when it is retired or deletionProtection is off", () => {
    for (const { stack } of [
      hierarchy({ g1: Generation.retired(), g2: Generation.active() }),
      hierarchy(undefined, { deletionProtection: false }),
    ]) {
      const { tls_locally_signed_cert: certificates, tls_cert_request: requests } = terraformOf(stack).resource;
      expect(certificates.ca__g1).not.toHaveProperty("lifecycle");
      expect(requests.ca__g1).not.toHaveProperty("lifecycle");
    }
  });

  test("has the certificates above it as its chain, down to its leaves", () => {
    const { stack, root, authority } = hierarchy();
    const below = new CertificateAuthority(stack, "below", { subject, issuer: authority });
    const leaf = new Certificate(stack, "leaf", {
      authority: below,
      subject: new Subject({ commonName: "leaf" }),
      usage: KeyUsage.CLIENT,
    });
    const addresses = (references: readonly Reference[]) => references.map(({ address }) => address);
    expect(root.active.chain).toEqual([]);
    expect(addresses(below.active.chain)).toEqual(["tls_locally_signed_cert.ca__g1", "tls_self_signed_cert.root__g1"]);
    expect(addresses(leaf.chain)).toEqual(["tls_locally_signed_cert.below__g1", ...addresses(below.active.chain)]);
  });

  test("is bundled as the active with its chain, then the others with theirs, each certificate once", () => {
    const generations = {
      g1: Generation.trusted(),
      g2: Generation.active({ issuer: "g2" }),
      g3: Generation.trusted({ issuer: "g2" }),
      g4: Generation.retired(),
    };
    expect(hierarchy(generations).authority.bundle.references.map(({ address }) => address)).toEqual([
      "tls_locally_signed_cert.ca__g2",
      "tls_self_signed_cert.root__g2",
      "tls_locally_signed_cert.ca__g1",
      "tls_self_signed_cert.root__g1",
      "tls_locally_signed_cert.ca__g3",
    ]);
  });

  test("is warned of when it ends after its issuer, an hour aside, unless it is retired", () => {
    const { stack } = hierarchy({ g1: Generation.retired(), g2: Generation.active() });
    expect(terraformOf(stack).check).toEqual({
      ca: {
        assert: [
          {
            condition:
              '${timecmp(tls_locally_signed_cert.ca__g2.validity_end_time, timeadd(tls_self_signed_cert.root__g1.validity_end_time, "1h")) <= 0}',
            error_message:
              '[authority-outlives-issuer] ca, generation g2: given "an authority that ends after the one that signed it"; ' +
              "allowed: one that ends with generation g1 of root, or before it; fix: introduce the next generation of both.",
          },
        ],
      },
    });
  });

  test("refuses an issuer of another stack, and one that cannot sign, at once", () => {
    const root = new CertificateAuthority(newStack("other"), "root", { subject });
    const act = () => authorityOf({ issuer: root, generations: { g1: Generation.active({ issuer: "g2" }) } });
    expect(problemsOf(act)).toMatchObject([
      { code: "issuer", at: "generations.g1.issuer", given: '"g2"', allowed: "g1" },
      { code: "authority-stack", at: "issuer", given: '"other/root"', allowed: "an authority of the same stack" },
    ]);
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
  const chained = SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE;

  test("is kept in the state, the key marked sensitive, each with one newline at its end", () => {
    expect(resourcesOf({ generations: literal })).toEqual({
      terraform_data: {
        ca__g1: {
          input: {
            certificate_pem: CA_CERTIFICATE,
            private_key_pem: `\${sensitive(${JSON.stringify(CA_KEY_ALONE)})}`,
            not_after: "2126-10-29T04:12:01.000Z",
          },
          lifecycle: { prevent_destroy: true },
        },
      },
    });
  });

  test("is kept the same whatever the line ends and the text around it", () => {
    const windows = (pem: string) => `Certificate:\r\n\r\n${pem.replaceAll("\n", "\r\n")}\r\n`;
    const pem = { certificatePem: windows(CA_CERTIFICATE), privateKeyPem: windows(CA_KEY) };
    expect(resourcesOf({ generations: { g1: Generation.fromPem("active", pem) } })).toEqual(
      resourcesOf({ generations: literal }),
    );
  });

  test("keeps the certificates above it apart: the tls provider reads the first", () => {
    const pem = { certificatePem: chained, privateKeyPem: CA_KEY };
    const { stack, authority } = authorityOf({ generations: { g1: Generation.fromPem("active", pem) } });
    expect(terraformOf(stack).resource.terraform_data.ca__g1.input).toMatchObject({
      certificate_pem: SIGNED_CA_CERTIFICATE,
      chain_pem: INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE,
    });
    const chain = { address: "terraform_data.ca__g1", attribute: "output.chain_pem" };
    expect(authority.active.chain).toEqual([chain]);
    expect(authority.bundle.references).toEqual([authority.active.certificate, chain]);
    expect(authority.active.literalRoot).toBe(ROOT_CERTIFICATE);
  });

  test("is the root of what is below it where its text is literal", () => {
    const { stack, authority } = authorityOf({ generations: literal });
    const below = new CertificateAuthority(stack, "below", { subject, issuer: authority });
    expect(below.active.literalRoot).toBe(CA_CERTIFICATE);
    expect(authorityOf().authority.active.literalRoot).toBeUndefined();
  });

  test("has no chain where a literal holds one certificate", () => {
    expect(authorityOf({ generations: literal }).authority.active.chain).toEqual([]);
  });

  test("signs nothing here where its key stays there, and no authority", () => {
    const generations = {
      g1: Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE }),
      g2: Generation.active(),
    };
    const { stack, authority } = authorityOf({ generations });
    expect(authority.generations.g1!.privateKey).toBeUndefined();
    expect(terraformOf(stack).resource.terraform_data.ca__g1.input).not.toHaveProperty("private_key_pem");
    const leaf = { authority, subject: new Subject({ commonName: "leaf" }), usage: KeyUsage.CLIENT, issuer: "g1" };
    expect(new Certificate(stack, "leaf", leaf).isSignedElsewhere).toBe(true);
    const below = () => new CertificateAuthority(stack, "below", { subject: leaf.subject, issuer: authority });
    expect(problemsOf(below)).toMatchObject([{ code: "issuer", allowed: "g2" }]);
  });

  describe("unresolved", () => {
    const stack = newStack();
    const variable = (name: string) => new TerraformVariable(stack, name, { type: "string" }).stringValue;
    const pem = { certificatePem: variable("certificate"), privateKeyPem: variable("key") };
    const { authority } = authorityOf({ generations: { g1: Generation.fromPem("active", pem) } }, stack);
    const terraform = terraformOf(stack);

    test("reads variables once, into sensitive locals: Terraform shows what a failed condition names", () => {
      const text = (name: string) => `\${sensitive(replace("\${var.${name}}", "/[ \\t\\r]*\\n[ \\t]*/", "\\n"))}`;
      expect(terraform.locals).toEqual({
        ca__g1__certificate: text("certificate"),
        "ca__g1__private-key": text("key"),
      });
      expect(JSON.stringify({ ...terraform, locals: {} })).not.toContain("var.");
    });

    test("says with a code of its own what is refused", () => {
      const conditions = [
        terraform.data.tls_certificate.ca__g1,
        terraform.data.tls_public_key.ca__g1,
        terraform.resource.terraform_data.ca__g1,
      ].flatMap(({ lifecycle }) => lifecycle.precondition as { error_message: string }[]);
      expect(conditions.map(({ error_message: message }) => /^\[([a-z-]+)\] /.exec(message)![1])).toEqual([
        "pem-certificate",
        "pem-key-in-certificate",
        "pem-key-encrypted",
        "pem-key",
        "pem-not-ca",
        // Of the certificate, and of the key.
        "pem-key-algorithm",
        "pem-key-algorithm",
      ]);
    });

    test("may have a chain", () => {
      expect(authority.active.chain).toEqual([{ address: "terraform_data.ca__g1", attribute: "output.chain_pem" }]);
    });

    test("is warned of when it has expired", () => {
      expect(terraform.check.ca.assert).toEqual([
        {
          condition: "${timecmp(plantimestamp(), data.tls_certificate.ca__g1.certificates[0].not_after) < 0}",
          error_message:
            '[pem-expired] ca, generation g1: given "an authority that has expired"; allowed: certificates that are valid now; ' +
            "fix: make another generation active.",
        },
      ]);
    });
  });

  test("asks the provider for the public key alone where the certificate is literal", () => {
    const stack = newStack();
    const privateKeyPem = new TerraformVariable(stack, "key", { type: "string" }).stringValue;
    const generations = { g1: Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem }) };
    authorityOf({ generations }, stack);
    const { data, resource } = terraformOf(stack);
    expect(Object.keys(data)).toEqual(["tls_public_key"]);
    const publicKey = new X509Certificate(CA_CERTIFICATE).publicKey.export({ type: "spki", format: "pem" });
    expect(resource.terraform_data.ca__g1.lifecycle.precondition).toEqual([
      {
        condition: `\${data.tls_public_key.ca__g1.public_key_pem == ${JSON.stringify(publicKey)}}`,
        error_message: "[pem-mismatch] privateKeyPem: allowed: the certificate's own key; fix: pair them.",
      },
    ]);
  });

  test("reaches another stack as certificates alone", () => {
    const app = newApp();
    const producer = newStack("producer", app);
    const pem = { certificatePem: chained, privateKeyPem: CA_KEY };
    const { authority } = authorityOf({ generations: { g1: Generation.fromPem("active", pem) } }, producer);
    new TerraformOutput(newStack("consumer", app), "bundle", { value: authority.bundle.pem });
    const values = Object.values<{ value: string }>(synthApp(app).producer.output).map(({ value }) => value);
    expect(values.sort()).toEqual([
      "${terraform_data.ca__g1.output.certificate_pem}",
      "${terraform_data.ca__g1.output.chain_pem}",
    ]);
  });

  test.each([
    ["pem-expired", EXPIRED_CERTIFICATE, "CN=expired, which ended 2002-01-01T00:00:00.000Z"],
    ["pem-not-yet-valid", FUTURE_CERTIFICATE, "CN=not-yet, which begins 2120-01-01T00:00:00.000Z"],
  ])("is refused at synth where it signs and is not valid: %s", (code, certificatePem, given) => {
    const pem = { certificatePem, privateKeyPem: CA_KEY };
    const found = (generations: Generations) => validationsOf(authorityOf({ generations }).stack);
    expect(found({ g1: Generation.fromPem("active", pem) })).toEqual([
      `[${code}] prod-pki/ca: given ${JSON.stringify(given)}; allowed: certificates that are valid now; ` +
        "fix: make another generation active",
    ]);
    expect(found({ g1: Generation.fromPem("trusted", pem), g2: Generation.active() })).toEqual([]);
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
    error_message:
      `[leaf-outlives-authority] ca, generation ${id}: given "a certificate of ${hours} hours that is issued now"; ` +
      "allowed: one that ends before the authority; fix: introduce the next generation of the authority.",
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

  test("lets the tls provider find the end of an unresolved certificate from outside", () => {
    const stack = newStack();
    const pem = new TerraformVariable(stack, "pem", { type: "string" }).stringValue;
    const generations = { g1: Generation.fromPem("active", { certificatePem: pem, privateKeyPem: pem }) };
    const { authority } = authorityOf({ generations }, stack);
    leaf(stack, authority, "a", 24);
    const { check, resource } = terraformOf(stack);
    expect(check.ca.assert).toContainEqual(assertion(24, "g1", "terraform_data.ca__g1.output.not_after"));
    expect(resource.terraform_data.ca__g1.input.not_after).toBe(
      "${data.tls_certificate.ca__g1.certificates[0].not_after}",
    );
  });
});
