import { createHash, X509Certificate } from "node:crypto";
import { gunzipSync } from "node:zlib";
import {
  CA_CERTIFICATE as CA_PEM,
  INTERMEDIATE_CERTIFICATE,
  ROOT_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../../support/pem";
import { Content } from "../../../lib/kubernetes/content";
import { Distribution } from "../../../lib/kubernetes/distribution";
import { joinWith } from "../../../lib/kubernetes/join";
import { evaluate, toTerraform } from "../../../lib/kubernetes/content-readers";

const token: Content = {
  concat: [
    { address: "random_string.workers", attribute: "result" },
    ".",
    { address: "random_password.workers", attribute: "result" },
  ],
};
const { format } = Distribution.KUBEADM.table.access.tokens.worker!;
const halves: Record<string, string> = {
  "random_string.workers": "abcdef",
  "random_password.workers": "0123456789abcdef",
};
const lookup = ({ address }: { readonly address: string }) => halves[address]!;

test("a worker of kubeadm joins with what kubeadm writes, but for the authority, which is the file that a rotation reaches", () => {
  const cluster = { name: "prod", endpoint: "api.prod.example.com:6443" };
  const content = joinWith(format, { cluster, certificateAuthority: CA_PEM, token });
  expect(evaluate(content, lookup)).toBe(`apiVersion: v1
clusters:
- cluster:
    certificate-authority: "/etc/kubernetes/pki/ca.crt"
    server: https://api.prod.example.com:6443
  name: prod
contexts:
- context:
    cluster: prod
    user: tls-bootstrap-token-user
  name: tls-bootstrap-token-user@prod
current-context: tls-bootstrap-token-user@prod
kind: Config
users:
- name: tls-bootstrap-token-user
  user:
    token: abcdef.0123456789abcdef
`);
});

test("where the format names no file, the bundle stands in the kubeconfig", () => {
  const cluster = { name: "prod", endpoint: "api.prod.example.com:6443" };
  const content = joinWith({ kubeconfig: { user: "u" } }, { cluster, certificateAuthority: CA_PEM, token });
  const data = Buffer.from(CA_PEM).toString("base64");
  expect(evaluate(content, lookup)).toContain(`    certificate-authority-data: ${data}\n    server: https`);
});

test("an IPv6 endpoint stands in brackets", () => {
  const cluster = { name: "prod", endpoint: "[fd00::10]:6443" };
  const content = joinWith(format, { cluster, certificateAuthority: CA_PEM, token });
  expect(toTerraform(content)).toContain("https://[fd00::10]:6443");
});

test("names, port and encoding are those of the format", () => {
  const cluster = { name: "prod", endpoint: "api.prod.example.com:6443" };
  const text = joinWith(
    {
      kubeconfig: { cluster: "k0s", context: "k0s", user: "controller-bootstrap", port: 9443 },
      encoding: "base64gzip",
    },
    { cluster, certificateAuthority: CA_PEM, token },
  );
  const yaml = gunzipSync(Buffer.from(evaluate(text, lookup), "base64")).toString();
  expect(yaml).toContain("    server: https://api.prod.example.com:9443\n  name: k0s\n");
  expect(yaml).toContain("    cluster: k0s\n    user: controller-bootstrap\n  name: k0s\ncurrent-context: k0s\n");
});

test("a secure token is K10, the SHA-256 of the authority's text, and the token", () => {
  const text = joinWith("secure token", {
    cluster: { name: "prod", endpoint: "api.prod.example.com" },
    certificateAuthority: "authority\n",
    token: "server:secret",
  });
  const digest = "17d31c37a2fd6589d7f6807e6e0743b6ab777440f416ab49880c0de1456d97e3";
  expect(evaluate(text, lookup)).toBe(`K10${digest}::server:secret`);
});

describe("the hash in a secure token, where the authority is literal text", () => {
  const hash = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");
  const der = hash(new X509Certificate(ROOT_CERTIFICATE).raw);

  test.each([
    ["of one certificate: its text", CA_PEM, hash(CA_PEM)],
    ["of a chain: the root's DER", SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE, der],
    ["of a chain in another order", SIGNED_CA_CERTIFICATE + ROOT_CERTIFICATE + INTERMEDIATE_CERTIFICATE, der],
    [
      "of a chain before another authority",
      SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE + CA_PEM,
      der,
    ],
    ["of self-signed ones in a row: their text", CA_PEM + ROOT_CERTIFICATE, hash(CA_PEM + ROOT_CERTIFICATE)],
    [
      "of a chain without its root: its text",
      SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE,
      hash(SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE),
    ],
  ])("is, %s", (_, certificateAuthority, expected) => {
    const cluster = { name: "prod", endpoint: "api.prod.example.com" };
    const text = joinWith("secure token", { cluster, certificateAuthority, token: "node:secret" });
    expect(evaluate(text, lookup)).toBe(`K10${expected}::node:secret`);
  });
});
