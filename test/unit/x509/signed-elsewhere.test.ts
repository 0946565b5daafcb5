import { TerraformVariable } from "cdktf";
import {
  Certificate,
  CertificateAuthority,
  type CertificateProps,
  Generation,
  inventoryOf,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { CA_CERTIFICATE, CA_KEY, INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY } from "../../support/pem";
import { requestOf } from "../../support/requests";
import { PLAIN, signedOf } from "../../support/signed";
import { newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";

const SERVER = [...PLAIN, "extendedKeyUsage=serverAuth"];
const NAMES = ["api.example.com", "10.0.0.11"];
const ALT_NAMES = ["subjectAltName=DNS:api.example.com,IP:10.0.0.11"];
const REQUEST = requestOf({ subject: "/O=servers/CN=api", extensions: ALT_NAMES });
const SIGNED = signedOf({ csr: REQUEST.csr, extensions: SERVER });

const DESCRIBED = {
  subject: new Subject({ commonName: "api", organization: "servers" }),
  usage: KeyUsage.SERVER,
  sans: NAMES,
};

function made(props: Partial<CertificateProps> = {}, privateKeyPem?: string) {
  const stack = newStack();
  const authority = new CertificateAuthority(stack, "ca", {
    subject: new Subject({ commonName: "ca" }),
    generations: { g1: Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem }) },
  });
  const certificate = new Certificate(stack, "api", { ...DESCRIBED, authority, ...props });
  return { stack, authority, certificate };
}

const problems = (props: Partial<CertificateProps>) =>
  problemsOf(() => made(props)).map(({ code, at, given }) => [code, at, given] as const);
const codes = (props: Partial<CertificateProps>) => problems(props).map(([code]) => code);

describe("a certificate of an authority that signs elsewhere", () => {
  test("is a key and a request until it is back", () => {
    const { stack, certificate } = made();
    const { resource, check } = terraformOf(stack);
    expect(Object.keys(resource.tls_private_key)).toEqual(["api"]);
    expect(resource.tls_cert_request.api).toMatchObject({
      subject: [{ common_name: "api", organization: "servers" }],
      dns_names: ["api.example.com"],
      ip_addresses: ["10.0.0.11"],
    });
    expect(resource.tls_locally_signed_cert).toBeUndefined();
    expect(resource.terraform_data.api).toEqual({
      input: {
        cert_request_pem: "${tls_cert_request.api.cert_request_pem}",
        ca_cert_pem: "${terraform_data.ca__g1.output.certificate_pem}",
        allowed_uses: ["digital_signature", "server_auth"],
      },
    });
    expect(check).toBeUndefined();
    expect(certificate).toMatchObject({ isSignedElsewhere: true, isSigned: false, name: "api" });
    expect(certificate.addresses).toEqual(["terraform_data.api", "tls_cert_request.api", "tls_private_key.api"]);
    expect(problemsOf(() => certificate.certificate)).toMatchObject([{ code: "unsigned", at: "api" }]);
  });

  test("is kept where it comes back, if it is one of the key that Terraform made", () => {
    const { stack, certificate } = made({ signed: `words around it\r\n${SIGNED.replaceAll("\n", "\r\n")}` });
    const { resource, check } = terraformOf(stack);
    const { input, lifecycle } = resource.terraform_data.api;
    expect(input).toMatchObject({ certificate_pem: SIGNED, allowed_uses: ["digital_signature", "server_auth"] });
    expect(lifecycle.precondition).toEqual([
      {
        condition: expect.stringMatching(
          /^\$\{replace\(tls_private_key\.api\.public_key_pem, .* == replace\(".*BEGIN PUBLIC KEY/,
        ),
        error_message: expect.stringContaining("[signed-key] api"),
      },
    ]);
    // Nobody renews it but who signed it.
    expect(check.api.assert).toMatchObject([{ error_message: expect.stringContaining("[signed-expiring] api") }]);
    expect(check.api.assert[0].condition).toContain(
      'timeadd(plantimestamp(), "720h"), terraform_data.api.input.not_after',
    );
    expect(certificate.certificate).toEqual({ address: "terraform_data.api", attribute: "output.certificate_pem" });
    expect(validationsOf(stack)).toEqual([]);
  });

  test("has neither a key of the authority nor a resource that signs", () => {
    const { authority, certificate } = made();
    expect(problemsOf(() => authority.active.privateKey)).toMatchObject([{ code: "authority-key-elsewhere" }]);
    expect(authority.generations["g1"]!.privateKey).toBeUndefined();
    expect(problemsOf(() => certificate.resource)).toMatchObject([{ code: "signed-elsewhere" }]);
    expect({ ...authority.active }).not.toHaveProperty("privateKey");
  });

  test("is inventoried as it was described", () => {
    for (const signed of [undefined, SIGNED]) {
      const { stack } = made({ signed });
      const entry = inventoryOf(stack).entries.find(({ kind }) => kind === "certificate");
      expect(entry).toMatchObject({
        issuedBy: "elsewhere",
        subject: "CN=api, O=servers",
        usage: "server",
        sans: NAMES,
        issuer: { authority: "ca", generation: "g1" },
        keyAlgorithm: "ECDSA-P256",
      });
      expect(entry).not.toHaveProperty("validityHours");
    }
  });

  test("may be of a request that comes from elsewhere, too: Terraform has neither key", () => {
    const { stack } = made({ request: REQUEST.csr, signed: SIGNED });
    const { resource } = terraformOf(stack);
    expect(resource.tls_private_key).toBeUndefined();
    expect(resource.tls_cert_request).toBeUndefined();
    expect(resource.terraform_data.api.input).toMatchObject({ cert_request_pem: REQUEST.csr, certificate_pem: SIGNED });
    const other = requestOf({ subject: "/O=servers/CN=api", extensions: ALT_NAMES });
    expect(codes({ request: other.csr, signed: SIGNED })).toEqual(["signed-key"]);
  });
});

describe("what comes back and is not what was asked for", () => {
  const signed = (subject: string, names = ALT_NAMES, extensions = SERVER, more: object = {}) =>
    signedOf({ csr: requestOf({ subject, extensions: names }).csr, extensions, ...more });

  test.each([
    ["another subject", "signed-subject", () => signed("/O=servers/CN=api2")],
    ["a group more", "signed-subject", () => signed("/O=servers/O=system:masters/CN=api")],
    ["a field more", "signed-subject", () => signed("/C=DE/O=servers/CN=api")],
    ["no names", "signed-names", () => signed("/O=servers/CN=api", [])],
    ["a name more", "signed-names", () => signed("/O=servers/CN=api", [`${ALT_NAMES[0]},DNS:more.example.com`])],
    ["a name of another kind", "signed-names", () => signed("/O=servers/CN=api", [`${ALT_NAMES[0]},email:a@b.c`])],
    [
      "a use more",
      "signed-usage",
      () => signed("/O=servers/CN=api", ALT_NAMES, [...PLAIN, "extendedKeyUsage=serverAuth,clientAuth"]),
    ],
    ["any use", "signed-usage", () => signed("/O=servers/CN=api", ALT_NAMES, PLAIN)],
    [
      "a key usage that signs nothing",
      "signed-usage",
      () => signed("/O=servers/CN=api", ALT_NAMES, [PLAIN[0]!, "keyUsage=keyEncipherment", SERVER[2]!]),
    ],
    [
      "a key usage that signs certificates",
      "signed-usage",
      () => signed("/O=servers/CN=api", ALT_NAMES, [PLAIN[0]!, "keyUsage=digitalSignature,keyCertSign", SERVER[2]!]),
    ],
    [
      "an authority",
      "signed-authority",
      () => signed("/O=servers/CN=api", ALT_NAMES, ["basicConstraints=critical,CA:TRUE", ...SERVER.slice(1)]),
    ],
    [
      "another authority's",
      "signed-issuer",
      () =>
        signed("/O=servers/CN=api", ALT_NAMES, SERVER, {
          authority: { certificate: INTERMEDIATE_CERTIFICATE, key: INTERMEDIATE_KEY },
        }),
    ],
    ["too long a validity", "signed-validity", () => signed("/O=servers/CN=api", ALT_NAMES, SERVER, { days: 366 })],
    [
      "an extension that nobody knows",
      "pem-critical-extension",
      () => signed("/O=servers/CN=api", ALT_NAMES, [...SERVER, "1.2.3.4=critical,ASN1:NULL"]),
    ],
  ])("%s", (_, code, make) => {
    expect(codes({ signed: make() })).toEqual([code]);
  });

  test("another algorithm of the key", () => {
    const csr = requestOf({ subject: "/O=servers/CN=api", extensions: ALT_NAMES, key: ["rsa:2048"] }).csr;
    const rsa = signedOf({ csr, extensions: SERVER });
    expect(problems({ signed: rsa })).toEqual([["signed-key", "signed", '"RSA-2048"']]);
    expect(made({ signed: rsa, keyAlgorithm: KeyAlgorithm.RSA_2048 }).certificate.isSigned).toBe(true);
  });

  test("no certificate, two, or a key beside it", () => {
    expect(codes({ signed: "words" })).toEqual(["signed-pem"]);
    expect(codes({ signed: REQUEST.csr })).toEqual(["signed-pem"]);
    expect(codes({ signed: SIGNED + CA_CERTIFICATE })).toEqual(["signed-pem"]);
    const withKey = problems({ signed: SIGNED + REQUEST.key });
    expect(withKey).toEqual([["signed-pem", "signed", "text with a private key"]]);
    expect(JSON.stringify(withKey)).not.toContain(REQUEST.key.split("\n")[1]);
  });

  test("a longer validity is right where it is described", () => {
    const long = signed("/O=servers/CN=api", ALT_NAMES, SERVER, { days: 366 });
    expect(made({ signed: long, validity: Validity.days(366) }).certificate.isSigned).toBe(true);
  });

  test("what Terraform alone knows", () => {
    const stack = newStack();
    const variable = new TerraformVariable(stack, "x", { type: "string" }).stringValue;
    expect(problems({ signed: variable })).toMatchObject([["signed-pem", "signed", "an unresolved value"]]);
    expect(problems({ sans: [{ dns: [variable] }] })).toMatchObject([["unresolved", "sans", expect.anything()]]);
    const subject = new Subject({ commonName: variable });
    expect(problems({ subject })).toMatchObject([["unresolved", "subject", expect.anything()]]);
  });

  test("anything, of an authority whose key is here", () => {
    expect(problemsOf(() => made({ signed: SIGNED }, CA_KEY))).toMatchObject([{ code: "signed-here", at: "signed" }]);
  });
});
