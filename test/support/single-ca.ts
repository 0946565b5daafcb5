import type { SingleCaSet } from "../../lib";

/** Certificates by set. Whoever has oneServerCertificate lacks etcd's two servers. */
export const CERTIFICATES: Readonly<Record<SingleCaSet, readonly string[]>> = {
  "etcd-server": ["etcd-server"],
  "etcd-peer": ["etcd-peer"],
  "etcd-client": ["apiserver-etcd-client", "etcd-healthcheck-client"],
  apiserver: ["apiserver"],
  "apiserver-client": ["admin", "super-admin", "controller-manager", "scheduler", "kube-proxy"],
  "apiserver-kubelet-client": ["apiserver-kubelet-client"],
  "front-proxy-client": ["front-proxy-client"],
  "kubelet-server": ["kubelet-server"],
  "kubelet-client": ["kubelet"],
};

/** What a guide with cfssl has of a set. */
export interface GuideSet {
  /** What `cfssljson -bare` is given: `<base>.pem` and `<base>-key.pem`. */
  readonly base: string;
  readonly commonName: string;
  readonly organization?: string;
  /** Which row of the table it is. */
  readonly row: string;
  /** What is otherwise in the table, and why. */
  readonly otherwise?: Partial<Record<"base" | "commonName" | "organization", string>>;
}

/**
 * The eight sets of the guide, as its text has them, for a worker called worker-0. One certificate is five of them there.
 *
 * @see https://github.com/kelseyhightower/kubernetes-the-hard-way/blob/79a3f79b/docs/04-certificate-authority.md
 */
export const GUIDE: Readonly<Record<string, readonly GuideSet[]>> = {
  "etcd's servers": [server("etcd-server")],
  "etcd's peers": [server("etcd-peer")],
  // The guide shows the server's certificate, which would let a server of etcd pose as an API server.
  "clients of etcd": [client("apiserver-etcd-client", "kube-apiserver-etcd-client")],
  "the API server": [server("apiserver")],
  "clients of the API server": [
    // The guide's O is system:masters, which nothing unbinds.
    {
      ...guide("admin", "admin", "system:masters", "admin"),
      otherwise: { organization: "cluster-admins" },
    },
    guide(
      "kube-controller-manager",
      "system:kube-controller-manager",
      "system:kube-controller-manager",
      "controller-manager",
    ),
    guide("kube-scheduler", "system:kube-scheduler", "system:kube-scheduler", "scheduler"),
    guide("kube-proxy", "system:kube-proxy", "system:node-proxier", "kube-proxy"),
  ],
  // A certificate in the guide, whose end means nothing. A key pair here.
  "service accounts": [guide("service-account", "service-accounts", "Kubernetes", "service-account")],
  // One certificate for both in the guide; each in a row of its own here.
  kubelets: [
    guide("worker-0", "system:node:worker-0", "system:nodes", "kubelet-server"),
    guide("worker-0", "system:node:worker-0", "system:nodes", "kubelet"),
  ],
  "the API server as a client of kubelets": [client("apiserver-kubelet-client", "kube-apiserver-kubelet-client")],
};

function guide(base: string, commonName: string, organization: string, row: string): GuideSet {
  return { base, commonName, organization, row };
}

/** The guide's certificate of all servers, whose O is nobody's group, and so is left out. */
function server(row: string): GuideSet {
  return { ...guide("kubernetes", "kubernetes", "Kubernetes", row), otherwise: { organization: "" } };
}

/** The same where it is shown to servers: a certificate of its own here, for one purpose. */
function client(row: string, commonName: string): GuideSet {
  return { ...server(row), otherwise: { base: row, commonName, organization: "" } };
}

export const SETS = Object.keys(CERTIFICATES) as SingleCaSet[];

/** A verifier of certificates: who it is, and by what flag or field it gets its file. */
export interface Verifier {
  readonly on: "control plane" | "etcd member" | "worker" | "operator";
  readonly component: string;
  readonly via: string;
  /** What it has to accept, and nothing else. */
  readonly accepts: readonly SingleCaSet[];
}

/** Every verifier, as the components' references describe their flags: not read from the table under test. */
export const VERIFIERS: readonly Verifier[] = [
  { on: "etcd member", component: "etcd", via: "--trusted-ca-file", accepts: ["etcd-client"] },
  { on: "etcd member", component: "etcd", via: "--peer-trusted-ca-file", accepts: ["etcd-peer"] },
  { on: "etcd member", component: "etcdctl", via: "--cacert", accepts: ["etcd-server"] },
  { on: "control plane", component: "kube-apiserver", via: "--etcd-cafile", accepts: ["etcd-server"] },
  {
    on: "control plane",
    component: "kube-apiserver",
    via: "--client-ca-file",
    accepts: ["apiserver-client", "kubelet-client"],
  },
  {
    on: "control plane",
    component: "kube-apiserver",
    via: "--kubelet-certificate-authority",
    accepts: ["kubelet-server"],
  },
  {
    on: "control plane",
    component: "kube-apiserver",
    via: "--requestheader-client-ca-file",
    accepts: ["front-proxy-client"],
  },
  {
    on: "control plane",
    component: "kube-controller-manager",
    via: "--client-ca-file",
    accepts: ["apiserver-client", "kubelet-client"],
  },
  {
    on: "control plane",
    component: "kube-controller-manager",
    via: "--requestheader-client-ca-file",
    accepts: ["front-proxy-client"],
  },
  { on: "control plane", component: "kube-controller-manager", via: "--root-ca-file", accepts: ["apiserver"] },
  {
    on: "worker",
    component: "kubelet",
    via: "authentication.x509.clientCAFile",
    accepts: ["apiserver-kubelet-client"],
  },
  { on: "operator", component: "curl", via: "--cacert", accepts: ["apiserver"] },
];
