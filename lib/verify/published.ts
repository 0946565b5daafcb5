import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { plain } from "../terraform-json/escape";
import { at, type Json, list, object, parseJson, text } from "../terraform-json/json";
import { UnusableError } from "../terraform-json/unusable";
import { subjectOf } from "./der";
import type { Port, Trusted } from "./facts";
import type { NodeCertificate } from "./nodes";
import type { Look } from "./report";

// What a cluster tells its clients to trust, and what it keeps of its nodes: kubectl reads that with whatever the kubeconfig logs in with.

/** A node of a cluster, and where its kubelet listens. */
export interface Node {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Missing where it does not say. */
  readonly kubeletPort?: number;
}

/** What runs kubectl. */
export interface Kubectl {
  readonly kubeconfig: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that a request may take. */
  readonly timeout: number;
}

const MOST_BYTES = 64 * 1024 * 1024;

/** The ConfigMaps, each like a port that trusts what stands in it. Those that are equal are one. */
export async function publishedBundles(kubectl: Kubectl, cluster: string, authority: string): Promise<Look[]> {
  const roots = await configMaps(kubectl, ["--all-namespaces", "--field-selector=metadata.name=kube-root-ca.crt"]);
  const info = await configMaps(kubectl, ["--namespace=kube-public", "--field-selector=metadata.name=cluster-info"]);
  const trusted: readonly Trusted[] = [{ authority, generations: "all", via: [] }];
  const found = [
    ...roots.map(({ namespace, data }) => ({ name: "kube-root-ca.crt", namespace, pem: text(data["ca.crt"]) })),
    // What joins by a token looks at it; where nothing does, it is not there.
    ...info.map(({ namespace, data }) => ({ name: "cluster-info", namespace, pem: bundleIn(text(data.kubeconfig)) })),
  ];
  if (roots.length === 0) {
    throw new UnusableError(
      "kubectl finds no ConfigMap kube-root-ca.crt in any namespace: does the kubeconfig allow it?",
    );
  }
  const bundles = new Map<
    string,
    { readonly name: string; readonly pem: string | undefined; readonly namespaces: string[] }
  >();
  for (const { name, namespace, pem } of found) {
    const key = `${name}\n${pem ?? ""}`;
    const known = bundles.get(key)?.namespaces ?? [];
    bundles.set(key, { name, pem, namespaces: [...known, namespace] });
  }
  return [...bundles.values()].map(({ name, pem, namespaces }) => {
    const [first = "", ...others] = namespaces;
    const where = others.length > 0 ? `${first} and ${others.length} more` : first;
    const port: Port = { cluster, machine: where, component: name, addresses: [], trusted };
    return { port, asked: "ConfigMap", seen: seenIn(pem) };
  });
}

/** The ConfigMap from which aggregated API servers take whose clients they let in: an API server adds to it, and takes nothing away. */
const AGGREGATED = "extension-apiserver-authentication";

/** Its keys, and the flags of the API server from whose files they are filled. */
const KEYS_OF_AGGREGATED: Readonly<Record<string, string>> = {
  "client-ca-file": "--client-ca-file",
  "requestheader-client-ca-file": "--requestheader-client-ca-file",
};

/** What aggregated API servers are told, by what an API server is to trust. */
export async function aggregatedBundles(kubectl: Kubectl, { cluster, trusted }: Port): Promise<Look[]> {
  const [found] = await configMaps(kubectl, [
    "--namespace=kube-system",
    `--field-selector=metadata.name=${AGGREGATED}`,
  ]);
  return Object.entries(KEYS_OF_AGGREGATED).flatMap(([key, flag]): Look[] => {
    const due = trusted.filter(({ via }) => via.includes(flag));
    const port: Port = {
      ...{ cluster, machine: "kube-system", component: `${AGGREGATED} ${key}`, addresses: [] },
      trusted: due,
    };
    return due.length === 0 ? [] : [{ port, asked: "ConfigMap", seen: seenIn(text(found?.data[key])) }];
  });
}

function seenIn(pem: string | undefined): Look["seen"] {
  try {
    const certificates = certificatesIn(pem);
    return certificates.length > 0 && certificates.every(({ raw, publicKey }) => publicKey && subjectOf(raw))
      ? { kind: "bundle", certificates }
      : { kind: "nothing", reason: "no certificate stands in it" };
  } catch {
    return { kind: "nothing", reason: "what stands in it cannot be read" };
  }
}

function certificatesIn(pem: string | undefined): X509Certificate[] {
  const blocks = pem?.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Of a kubeconfig that is published: kubeadm writes it, as YAML with one cluster and nobody's credentials. */
function bundleIn(kubeconfig: string | undefined): string | undefined {
  const base64 = /\bcertificate-authority-data["']?:\s*["']?([A-Za-z0-9+/=]+)/.exec(kubeconfig ?? "")?.[1];
  return base64 && Buffer.from(base64, "base64").toString("latin1");
}

interface ConfigMap {
  readonly namespace: string;
  readonly data: Json;
}

async function configMaps(kubectl: Kubectl, args: readonly string[]): Promise<ConfigMap[]> {
  return (await get(kubectl, ["configmaps", ...args])).map(({ metadata, data }) => {
    return { namespace: text(object(metadata).namespace) ?? "no namespace", data: object(data) };
  });
}

/** The nodes that a cluster has. */
export async function nodesOf(kubectl: Kubectl): Promise<Node[]> {
  return (await get(kubectl, ["nodes"])).flatMap(({ metadata, status }): Node[] => {
    const name = text(object(metadata).name);
    const addresses = list(object(status).addresses)
      .map(object)
      .filter(({ type }) => type === "InternalIP")
      .flatMap(({ address }) => text(address) ?? []);
    const port = at(status, "daemonEndpoints.kubeletEndpoint.Port");
    const kubeletPort = typeof port === "number" && port > 0 ? { kubeletPort: port } : {};
    return name === undefined ? [] : [{ name, addresses, ...kubeletPort }];
  });
}

/** The signer that kubelets ask for the certificates with which they come. */
const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";

/** The certificates that the cluster issued for nodes, as long as kube-controller-manager keeps the requests: one to two hours. */
export async function nodeCertificatesOf(kubectl: Kubectl): Promise<NodeCertificate[]> {
  const resource = "certificatesigningrequests.certificates.k8s.io";
  const requests = await get(kubectl, [resource, `--field-selector=spec.signerName=${SIGNER}`]);
  return requests.flatMap(({ metadata, status }): NodeCertificate[] => {
    const { name, creationTimestamp } = object(metadata);
    const [leaf, ...others] = issuedIn(text(object(status).certificate));
    const node = leaf && /^CN=system:node:(.+)$/m.exec(leaf.subject)?.[1];
    const asked = Date.parse(text(creationTimestamp) ?? "") || 0;
    return leaf && node !== undefined ? [{ node, request: text(name) ?? "", asked, chain: [leaf, ...others] }] : [];
  });
}

/** None where nothing was issued yet, or something that nobody can read. */
function issuedIn(base64: string | undefined): X509Certificate[] {
  try {
    return certificatesIn(Buffer.from(base64 ?? "", "base64").toString("latin1"));
  } catch {
    return [];
  }
}

async function get({ kubeconfig, cwd, env, timeout }: Kubectl, args: readonly string[]): Promise<readonly Json[]> {
  const binary = env["KUBECTL_BINARY_NAME"] || "kubectl";
  const seconds = `${Math.max(Math.ceil(timeout / 1000), 1)}s`;
  const all = [`--kubeconfig=${kubeconfig}`, `--request-timeout=${seconds}`, "get", ...args, "--output=json"];
  const running = promisify(execFile)(binary, all, {
    cwd,
    env: { ...env },
    maxBuffer: MOST_BYTES,
    timeout: timeout * 10,
  });
  running.child.stdin?.end();
  try {
    const { stdout } = await running;
    return list(object(parseJson(stdout)).items).map(object);
  } catch (error) {
    throw failed(error as { code?: unknown; stderr?: string }, binary);
  }
}

function failed({ code, stderr = "" }: { code?: unknown; stderr?: string }, binary: string): UnusableError {
  if (code === "ENOENT" || code === "EACCES") {
    return new UnusableError(`cannot run ${binary}: put it on the PATH, or its name into KUBECTL_BINARY_NAME`);
  }
  const line = stderr.trim().split("\n").at(-1) || `exit code ${String(code)}`;
  return new UnusableError(`${binary} cannot read what the cluster has: ${plain(line)}`);
}
