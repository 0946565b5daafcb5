import { TerraformStack, TerraformVariable } from "cdktf";
import type { IConstruct } from "constructs";
import {
  AltName,
  Certificate,
  CertificateAuthority,
  ClusterAccess,
  ClusterPki,
  Distribution,
  KeyUsage,
  PkiError,
  Subject,
  Validity,
} from "../../../lib";
import { ONE, pkiOf, THREE } from "../../support/cluster";
import { expectGolden } from "../../support/golden";
import { newApp, newStack, validationsOf } from "../../support/synth";

// Whoever makes one of these mistakes has its message and nothing else. Read test/contract/golden/typical-mistakes.txt with that in mind.

// What comes from YAML, from JavaScript or past a cast. The compiler sees none of it.
/* eslint-disable @typescript-eslint/no-explicit-any */
const untyped = (value: unknown): any => value;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** What cdktf types as `any`, as `resource.output.lookup("ip")` is. */
const anyTyped = () => untyped(new TerraformVariable(newStack(), "ip", { type: "any" }).value);
const listTyped = () => new TerraformVariable(newStack(), "names", { type: "list(string)" }).listValue;

const withProps = (props: object) =>
  new ClusterPki(newStack(), "pki", untyped({ distribution: Distribution.KUBEADM, cluster: THREE, ...props }));
const withCluster = (cluster: object) => withProps({ cluster: { ...THREE, ...cluster } });
const withMachine = (machine: object) =>
  withCluster({ controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"], ...machine }] });
const onK3s = (props: object, cluster: object = {}) =>
  withProps({ distribution: Distribution.K3S, cluster: { ...THREE, ...cluster }, ...props });

/** A server's certificate of one's own, below an authority of one's own. */
const server = (sans: AltName[]) => {
  const stack = newStack();
  const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ingress" }) });
  const subject = new Subject({ commonName: "ingress" });
  return new Certificate(stack, "ingress", { authority, subject, usage: KeyUsage.SERVER, sans });
};

/** Access to a cluster, beside its PKI. */
const access = (props: object) => {
  const app = newApp();
  const { pki } = pkiOf(ONE, {}, newStack("prod-pki", app));
  const usual = { distribution: Distribution.KUBEADM, cluster: ONE, certificateAuthority: pki.bundle() };
  return new ClusterAccess(newStack("prod-access", app), "access", untyped({ ...usual, ...props }));
};

const MISTAKES: readonly (readonly [what: string, act: () => unknown])[] = [
  ["a value that cdktf types as any", () => withCluster({ extraSans: [anyTyped()] })],
  ["the same, as { dns: [value] }", () => withCluster({ extraSans: [{ dns: [anyTyped()] }] })],
  ["the same, as an address", () => withMachine({ addresses: [anyTyped()] })],
  ["a list that Terraform knows", () => withCluster({ extraSans: listTyped() })],
  ["a list that Terraform knows, among names", () => withCluster({ extraSans: ["a.example.com", ...listTyped()] })],
  ["on K3s: a policy of 90 days", () => onK3s({ validity: Validity.days(90) })],
  [
    "on K3s: a choice for one certificate",
    () => onK3s({ certificates: { apiserver: { validity: Validity.days(90) } } }),
  ],
  [
    "on Cluster API: more names",
    () => onK3s({ distribution: Distribution.CLUSTER_API }, { extraSans: ["a.example.com"] }),
  ],
  ["a server without names", () => server([])],
  ["an address that means all", () => withMachine({ addresses: ["0.0.0.0"] })],
  ["an endpoint whose address swallows the port", () => withCluster({ endpoint: "2001:db8::1:6443" })],
  ["an endpoint that is a URL", () => withCluster({ endpoint: "https://api.example.com:443" })],
  ["access with another distribution than the PKI's", () => access({ distribution: Distribution.SINGLE_CA })],
  [
    "access with another endpoint than the PKI's",
    () => access({ cluster: { ...ONE, endpoint: "other.example.com:6443" } }),
  ],
  ["no endpoint", () => withCluster({ endpoint: undefined })],
  ["null for a list", () => withCluster({ controlPlanes: null })],
  ["a number for a name", () => withCluster({ name: 123 })],
  ["text for a list of addresses", () => withMachine({ addresses: "10.0.0.11" })],
  ["a number for a validity", () => withProps({ validity: 90 })],
  ["another spelling of a field", () => withCluster({ extraSANs: ["a.example.com"] })],
  ["another word of a choice", () => withCluster({ etcd: { topology: "member", members: [] } })],
  ["a certificate with a letter missing", () => withProps({ certificates: { apiserer: {} } })],
  ["an authority with a letter missing", () => pkiOf(THREE).pki.authority(untyped("kubernets"))],
  ["a certificate of three machines, without a machine", () => pkiOf(THREE).pki.certificate("apiserver")],
];

/** All that is said of a mistake: by an error, by the validations of its stack, or by its warnings. */
function said(act: () => unknown): string {
  try {
    const { node } = act() as IConstruct;
    const warnings = node.metadata.map(({ data }) => `warning: ${String(data)}`);
    return [...validationsOf(TerraformStack.of(node.root.node.children[0]!)), ...warnings].join("\n");
  } catch (error) {
    if (error instanceof PkiError) {
      return error.message;
    }
    throw error;
  }
}

test.each(MISTAKES)("%s is told", (_what, act) => {
  const text = said(act);
  expect(text).not.toBe("");
  expect(text).not.toMatch(/undefined|\[object|NaN|TfToken/);
});

// Each of these alone says what to write instead.
test("every message, whole", () => {
  expectGolden("typical-mistakes.txt", MISTAKES.map(([what, act]) => `# ${what}\n${said(act)}\n`).join("\n"));
});
