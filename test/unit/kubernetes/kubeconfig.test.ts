import { evaluate, kubeconfig, Reference } from "../../../lib";
import { pkiOf } from "../../support/cluster";

const CERTIFICATE: Reference = { address: "tls_locally_signed_cert.a", attribute: "cert_pem" };
const KEY: Reference = { address: "tls_private_key.a", attribute: "private_key_pem" };

/** `cert_pem` of a in base64, and so on. */
const base64 = (text: string) => Buffer.from(text).toString("base64");
const lookup = ({ address, attribute }: Reference) => `${address} ${attribute}`;

const COMMON = {
  clusterName: "prod",
  server: "https://api.prod.example.com:6443",
  certificateAuthority: "ca",
  user: "system:kube-scheduler",
};

test("with a certificate is, field by field, as client-go writes it", () => {
  const data = kubeconfig({ ...COMMON, credentials: { certificate: CERTIFICATE, privateKey: KEY } });
  expect(evaluate(data, lookup)).toBe(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Y2E=
    server: https://api.prod.example.com:6443
  name: prod
contexts:
- context:
    cluster: prod
    user: system:kube-scheduler
  name: system:kube-scheduler@prod
current-context: system:kube-scheduler@prod
kind: Config
users:
- name: system:kube-scheduler
  user:
    client-certificate-data: ${base64("tls_locally_signed_cert.a cert_pem")}
    client-key-data: ${base64("tls_private_key.a private_key_pem")}
`);
});

test("with a token has it instead of a certificate", () => {
  const data = kubeconfig({ ...COMMON, credentials: { token: KEY } });
  const text = evaluate(data, lookup);
  expect(text.slice(text.indexOf("users:"))).toBe(`users:
- name: system:kube-scheduler
  user:
    token: tls_private_key.a private_key_pem
`);
});

test("names files, and holds what is not in one", () => {
  const credentials = { certificate: CERTIFICATE, privateKey: { file: "a key.pem" } };
  const text = evaluate(kubeconfig({ ...COMMON, credentials }), lookup);
  expect(text.slice(text.indexOf("  user:\n"))).toBe(`  user:
    client-certificate-data: ${base64("tls_locally_signed_cert.a cert_pem")}
    client-key: "a key.pem"
`);
});

test("names a program, in JSON, whatever stands in its texts", () => {
  const exec = { command: "login: now", args: ["--x=${y}", "é"], interactiveMode: "Never" } as const;
  const text = evaluate(kubeconfig({ ...COMMON, credentials: { exec: { ...exec, args: ["a: b", "é"] } } }), lookup);
  expect(text.slice(text.indexOf("    exec:"))).toBe(
    `    exec: {"apiVersion":"client.authentication.k8s.io/v1","args":["a: b","é"],"command":"login: now","interactiveMode":"Never"}\n`,
  );
  // What Terraform would fill in is no text.
  expect(() => kubeconfig({ ...COMMON, credentials: { exec } })).toThrow("[plain-text] credentials.exec.args[0]");
});

test.each([
  ["prod", "name: prod"],
  ["prod-2", "name: prod-2"],
  ["a", 'name: "a"'],
  ["1", 'name: "1"'],
  ["1e3", 'name: "1e3"'],
  ["true", 'name: "true"'],
  ["no", 'name: "no"'],
  ["on", 'name: "on"'],
  ["null", 'name: "null"'],
])("the cluster's name %j is text to every reader of YAML", (clusterName, line) => {
  const text = evaluate(kubeconfig({ ...COMMON, clusterName, credentials: { token: "t" } }), lookup);
  expect(text.split("\n")).toContain(`  ${line}`);
});

test("a user with a colon and a space is quoted", () => {
  const text = evaluate(kubeconfig({ ...COMMON, user: "a: b", credentials: { token: "t" } }), lookup);
  expect(text).toContain('- name: "a: b"\n');
});

test("an IPv6 server is plain", () => {
  const text = evaluate(
    kubeconfig({ ...COMMON, server: "https://[fd00::1]:6443", credentials: { token: "t" } }),
    lookup,
  );
  expect(text).toContain("    server: https://[fd00::1]:6443\n");
});

test("of a cluster trusts the API server's authority and holds its own leaf", () => {
  const { pki } = pkiOf();
  const text = evaluate(pki.kubeconfig("kubelet", "cp-1"), lookup);
  expect(text).toContain(
    `certificate-authority-data: ${base64("tls_self_signed_cert.pki__ca__kubernetes__g1 cert_pem")}\n`,
  );
  expect(text).toContain(`client-certificate-data: ${base64("tls_locally_signed_cert.pki__cp-1__kubelet cert_pem")}\n`);
  expect(text).toContain(`client-key-data: ${base64("tls_private_key.pki__cp-1__kubelet private_key_pem")}\n`);
  expect(text).toContain("- name: system:node:cp-1\n");
});
