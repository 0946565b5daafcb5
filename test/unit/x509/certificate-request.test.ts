import { TerraformVariable } from "cdktf";
import {
  Certificate,
  CertificateAuthority,
  type CertificateProps,
  inventoryOf,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { requestsIn } from "../../../lib/x509/certificate-request";
import { isRightToOpenssl, requestOf } from "../../support/requests";
import { newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";

const P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const KIM = requestOf({ subject: "/O=engineers/O=on-call/CN=kim" });

const DESCRIBED = {
  subject: new Subject({ commonName: "kim", organization: "engineers" }),
  moreOrganizations: ["on-call"],
  usage: KeyUsage.CLIENT,
  validity: Validity.days(1),
};

function made(props: Partial<CertificateProps> = {}) {
  const stack = newStack();
  const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }) });
  const certificate = new Certificate(stack, "kim", { ...DESCRIBED, authority, request: KIM.csr, ...props });
  return { stack, certificate };
}

const codes = (props: Partial<CertificateProps>) =>
  problemsOf(() => made(props)).map(({ code, at, given }) => `${code} ${at} ${given}`);

const server = (csr: string, sans: CertificateProps["sans"]) => ({
  request: csr,
  subject: new Subject({ commonName: "s" }),
  moreOrganizations: [],
  usage: KeyUsage.SERVER,
  sans,
});

describe("a certificate from a request", () => {
  test("is issued for what came, and no key is made", () => {
    const { stack } = made({ request: `some words\r\n${KIM.csr.replaceAll("\n", "\r\n")}` });
    const { resource } = terraformOf(stack);
    expect(resource.tls_locally_signed_cert.kim).toMatchObject({
      cert_request_pem: KIM.csr,
      allowed_uses: ["digital_signature", "client_auth"],
      validity_period_hours: 24,
    });
    expect(resource.tls_cert_request).toBeUndefined();
    expect(Object.keys(resource.tls_private_key)).toEqual(["ca__g1"]);
  });

  test("is inventoried as what it will be", () => {
    const { stack, certificate } = made();
    const entry = inventoryOf(stack).entries.find(({ kind }) => kind === "certificate");
    expect(entry).toMatchObject({
      subject: "CN=kim, O=engineers, O=on-call",
      keyAlgorithm: "ECDSA-P256",
      addresses: ["tls_locally_signed_cert.kim"],
      usage: "client",
      sans: [],
    });
    expect(certificate.addresses).toEqual(["tls_locally_signed_cert.kim"]);
  });

  test("has no key to give away", () => {
    const { certificate } = made();
    for (const get of [() => certificate.privateKey, () => certificate.key, () => certificate.request]) {
      expect(problemsOf(get).map(({ code }) => code)).toEqual(["request-elsewhere"]);
    }
  });

  test.each([
    [["rsa:2048"], KeyAlgorithm.RSA_2048, ["digital_signature", "key_encipherment", "server_auth"]],
    [["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], KeyAlgorithm.ECDSA_P384, ["digital_signature", "server_auth"]],
  ])("may be used as its key %s can be, for its names", (key, keyAlgorithm, uses) => {
    const extensions = [
      "subjectAltName=DNS:b.example.com,IP:fd00::1,DNS:a.example.com,IP:10.0.0.1",
      "keyUsage=digitalSignature",
      "extendedKeyUsage=serverAuth",
      "basicConstraints=CA:FALSE",
    ];
    const { csr } = requestOf({ subject: "/CN=s", key, extensions });
    const sans = ["a.example.com", "b.example.com", "10.0.0.1", "FD00:0::1"];
    const { stack } = made({ ...server(csr, sans), keyAlgorithm });
    expect(terraformOf(stack).resource.tls_locally_signed_cert.kim.allowed_uses).toEqual(uses);
    expect(inventoryOf(stack).entries.find(({ kind }) => kind === "certificate")).toMatchObject({
      sans: ["10.0.0.1", "a.example.com", "b.example.com", "fd00::1"],
    });
  });

  test("is refused where an escape hatch puts another one in its place that makes a member of system:masters of it", () => {
    const { stack, certificate } = made();
    certificate.resource.certRequestPem = requestOf({ subject: "/O=system:masters/CN=kim" }).csr;
    expect(validationsOf(stack).join()).toContain("[system-masters]");
  });
});

describe("a request is refused", () => {
  const other = (subject: string, extensions: readonly string[] = []) => requestOf({ subject, extensions }).csr;

  test.each<[string, () => Partial<CertificateProps>, string]>([
    [
      "another user",
      () => ({ request: other("/O=engineers/O=on-call/CN=joe") }),
      'request-subject request "CN=joe, O=engineers, O=on-call"',
    ],
    [
      "another group",
      () => ({ request: other("/O=engineers/O=system:masters/CN=kim") }),
      'request-subject request "CN=kim, O=engineers, O=system:masters"',
    ],
    [
      "a group too few",
      () => ({ request: other("/O=engineers/CN=kim") }),
      'request-subject request "CN=kim, O=engineers"',
    ],
    [
      "a group twice",
      () => ({ request: other("/O=engineers/O=on-call/O=on-call/CN=kim") }),
      'request-subject request "CN=kim, O=engineers, O=on-call, O=on-call"',
    ],
    [
      "two users",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim/CN=system:admin") }),
      'request-subject request "CN=kim, CN=system:admin, O=engineers, O=on-call"',
    ],
    [
      "a field that nobody describes",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim/emailAddress=a@b.c") }),
      'request-subject request "CN=kim, O=engineers, O=on-call, 1.2.840.113549.1.9.1=…"',
    ],
    [
      "names",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim", ["subjectAltName=DNS:kubernetes"]) }),
      'request-names request "kubernetes"',
    ],
    [
      "a URI",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim", ["subjectAltName=URI:spiffe://a/b"]) }),
      'request-names request "a name of another kind"',
    ],
    [
      "an authority",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim", ["basicConstraints=critical,CA:TRUE"]) }),
      'request-extension request "2.5.29.19"',
    ],
    [
      "signing certificates",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim", ["keyUsage=keyCertSign"]) }),
      'request-extension request "2.5.29.15"',
    ],
    [
      "a server",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim", ["extendedKeyUsage=serverAuth"]) }),
      'request-extension request "2.5.29.37"',
    ],
    [
      "constraints",
      () => ({ request: other("/O=engineers/O=on-call/CN=kim", ["nameConstraints=permitted;DNS:a"]) }),
      'request-extension request "2.5.29.30"',
    ],
    [
      "names that are missing",
      () => server(other("/CN=s", ["subjectAltName=DNS:a.example.com"]), ["a.example.com", "10.0.0.1"]),
      'request-names request "a.example.com"',
    ],
    ["another key than described", () => ({ keyAlgorithm: KeyAlgorithm.RSA_4096 }), 'request-key request "ECDSA-P256"'],
    [
      "a weak key",
      () => ({ request: requestOf({ subject: "/O=engineers/O=on-call/CN=kim", key: ["rsa:1024"] }).csr }),
      'key-algorithm request "RSA-1024"',
    ],
    [
      "Ed25519",
      () => ({ request: requestOf({ subject: "/O=engineers/O=on-call/CN=kim", key: ["ed25519"] }).csr }),
      'key-algorithm request "ED25519"',
    ],
    [
      "SHA-1",
      () => ({
        request: requestOf({ subject: "/O=engineers/O=on-call/CN=kim", key: ["rsa:2048"], more: ["-sha1"] }).csr,
      }),
      "request-signature request the algorithm 1.2.840.113549.1.1.5",
    ],
    ["the private key", () => ({ request: KIM.csr + KIM.key }), "request-secret request text with a private key"],
    ["two requests", () => ({ request: KIM.csr + KIM.csr }), "request-pem request 2 requests"],
    [
      "a certificate",
      () => ({ request: KIM.csr.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE") }),
      "request-pem request text that is no request",
    ],
    ["nothing", () => ({ request: "" }), "request-pem request text that is no request"],
    ["a generation of the key", () => ({ keyGeneration: "k2" }), 'key-generation keyGeneration "k2"'],
  ])("for %s", (_, props, problem) => {
    expect(codes(props()).filter((text) => !text.startsWith("request-signature request the algorithm 1.3"))).toEqual([
      problem,
    ]);
  });

  test("for whatever one bit of it is another one, as openssl has it", () => {
    const der = Buffer.from(KIM.csr.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
    const flipped = [...der.keys()].map((index) => {
      const bytes = Buffer.from(der);
      bytes[index]! ^= 1 << (index % 8);
      return `-----BEGIN CERTIFICATE REQUEST-----\n${bytes
        .toString("base64")
        .match(/.{1,64}/g)!
        .join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
    });
    for (const request of flipped) {
      expect(codes({ request }).length).toBeGreaterThan(0);
    }
    expect(isRightToOpenssl(KIM.csr)).toBe(true);
    expect(flipped.slice(-8).some(isRightToOpenssl)).toBe(false);
  });

  test("where Terraform alone knows it: that cannot read it", () => {
    const stack = newStack();
    const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }) });
    const request = new TerraformVariable(stack, "csr", { type: "string" }).stringValue;
    const act = () => new Certificate(stack, "kim", { ...DESCRIBED, authority, request });
    expect(problemsOf(act).map(({ code, at }) => `${code} ${at}`)).toEqual(["unresolved request"]);
  });

  test("where nobody gave it, and only one could have several O's", () => {
    expect(codes({ request: undefined })).toEqual(['organizations moreOrganizations "on-call"']);
  });
});

test("what openssl says of a request is what is read", () => {
  const { csr } = requestOf({ subject: "/C=DE/ST=Bayern/L=München/O=a/OU=b/CN=c d", key: P256, more: ["-utf8"] });
  expect(requestsIn(csr)[0]!.subject).toEqual([
    { type: "2.5.4.6", text: "DE" },
    { type: "2.5.4.8", text: "Bayern" },
    { type: "2.5.4.7", text: "München" },
    { type: "2.5.4.10", text: "a" },
    { type: "2.5.4.11", text: "b" },
    { type: "2.5.4.3", text: "c d" },
  ]);
});
