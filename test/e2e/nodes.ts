import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../sandbox/command";
import type { Sandbox } from "../sandbox/sandbox";
import { ask, Identity } from "../sandbox/ask";

/** The bundle of the cluster's authority on a machine of kubeadm. */
export const CA = "/etc/kubernetes/pki/ca.crt";
/** What a kubelet shows to the API server. */
export const CLIENT = "/var/lib/kubelet/pki/kubelet-client-current.pem";
/** A kubelet tells every 10 seconds that it is alive. */
const HEARTBEAT_SECONDS = 25;

/** Certificates in a file. */
export function certificatesIn(file: string): X509Certificate[] {
  const pems = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/g) ?? [];
  return pems.map((pem) => new X509Certificate(pem));
}

/** Of which generation a name is: one without OU is of the first. */
export function generationIn(name: string): string {
  return /OU=(g\d+)/.exec(name)?.[1] ?? "g1";
}

/** What a kubelet shows to the API server now. */
export function clientOf(sandbox: Sandbox, node: string): Identity {
  const text = readFileSync(sandbox.file(node, CLIENT), "utf8");
  return { cert: text, key: text };
}

/** Who signed what a kubelet shows. */
export function issuerOf(sandbox: Sandbox, node: string): string {
  return generationIn(certificatesIn(sandbox.file(node, CLIENT))[0]!.issuer);
}

/** The identity and the bundle that a kubeconfig embeds. */
export function identityIn(kubeconfig: string): { readonly as: Identity; readonly ca: string } {
  const text = readFileSync(kubeconfig, "utf8");
  const decoded = (name: string) => Buffer.from(new RegExp(`${name}: (.*)`).exec(text)![1]!, "base64").toString();
  const as = { cert: decoded("client-certificate-data"), key: decoded("client-key-data") };
  return { as, ca: decoded("certificate-authority-data") };
}

/** 201 for somebody, 401 for nobody who is known; what went wrong where no connection came about. */
export async function whoAmI(
  sandbox: Sandbox,
  asking: { readonly as?: Identity; readonly token?: string; readonly ca: string },
): Promise<number | string> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const url = `${sandbox.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
  const answer = await ask(url, { ...asking, method: "POST", body });
  return answer.status ?? answer.body;
}

/** Asks for the client certificate of a node, as a kubelet does, with a kubeconfig. */
export async function requestCertificate(
  sandbox: Sandbox,
  kubeconfig: string,
  { name, node }: { readonly name: string; readonly node: string },
): Promise<{ readonly key: string; readonly stderr: string }> {
  const at = (ending: string) => path.join(sandbox.folder, `${name}${ending}`);
  await run("openssl", [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", `/O=system:nodes/CN=system:node:${node}`, "-keyout", at(".key"), "-out", at(".csr")],
  ]);
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    // As pkg/kubelet/certificate/kubelet.go has it for a key that is no RSA.
    spec: {
      request: readFileSync(at(".csr")).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages: ["digital signature", "client auth"],
    },
  };
  writeFileSync(at(".json"), JSON.stringify(request));
  const { stderr } = await sandbox.kubectl(kubeconfig, "create", "-f", at(".json"));
  return { key: readFileSync(at(".key"), "utf8"), stderr };
}

/** Whether the node renews its lease, again. */
export async function isAlive(sandbox: Sandbox, node: string): Promise<boolean> {
  const renewed = async () => {
    const args = ["get", "lease", node, "--namespace=kube-node-lease", "--output=jsonpath={.spec.renewTime}"];
    return (await sandbox.kubectl(sandbox.first, ...args)).stdout;
  };
  const start = await renewed();
  const end = Date.now() + HEARTBEAT_SECONDS * 1000;
  while ((await renewed()) === start) {
    if (Date.now() > end) {
      return false;
    }
    await sleep(500);
  }
  return true;
}

/** What the API server says of the logs of a container on a node that never starts: it has to ask the kubelet. */
export async function logsOn(sandbox: Sandbox, node: string): Promise<string> {
  const name = `on-${node}`;
  const container = { name, image: name, imagePullPolicy: "Never" };
  const spec = { nodeName: node, automountServiceAccountToken: false, containers: [container] };
  const file = path.join(sandbox.folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec }));
  expect((await sandbox.kubectl(sandbox.first, "create", `--filename=${file}`)).stderr).toBe("");
  const { stderr } = await sandbox.kubectl(sandbox.first, "logs", name);
  await sandbox.kubectl(sandbox.first, "delete", "pod", name, "--force", "--grace-period=0");
  return stderr;
}
