/**
 * What upstream says of its listeners: whose clients they let in, and what those may do. Written down from the sources that are named,
 * not read from the library's tables, which are what is examined. A single CA has no upstream that says it: the names that etcd and the
 * API server ask for there are this library's choice, written down a second time.
 */

/** Whose clients a distribution's control plane and its kubelets let in. Files are those of the machine. */
export interface Trust {
  /** `--client-ca-file` of the API server. */
  readonly apiServer: string;
  /** `--requestheader-client-ca-file`, and `--requestheader-allowed-names`. */
  readonly frontProxy: { readonly file: string; readonly allowedNames: readonly string[] };
  /** `--trusted-ca-file` of etcd, and `--client-cert-allowed-hostname` where everybody has the same authority. */
  readonly etcdClient: { readonly file: string; readonly allowedName?: string };
  /** `--peer-trusted-ca-file` of etcd, and `--peer-cert-allowed-cn`. */
  readonly etcdPeer: { readonly file: string; readonly allowedName?: string };
  /** `authentication.x509.clientCAFile` of a worker's kubelet. @default - no file that is delivered: the distribution makes it there */
  readonly kubelet?: string;
  /** Whom the distribution binds beside those that Kubernetes does, by user or group. */
  readonly bound: Readonly<Record<string, Rights>>;
}

/** Whether somebody may list nodes, and the Secrets of kube-system, and ask a kubelet for its pods: `get` of `nodes/proxy`. */
export interface Rights {
  readonly nodes: boolean;
  readonly secrets: boolean;
  readonly kubelet: boolean;
}

const ALL: Rights = { nodes: true, secrets: true, kubelet: true };
const LISTS: Rights = { nodes: true, secrets: true, kubelet: false };
const NODES: Rights = { nodes: true, secrets: false, kubelet: false };
const KUBELETS: Rights = { nodes: true, secrets: false, kubelet: true };
const NONE: Rights = { nodes: false, secrets: false, kubelet: false };

const FRONT_PROXY_CLIENT = ["front-proxy-client"];

function rancher(name: string): Trust {
  const tls = `/var/lib/rancher/${name}/server/tls`;
  return {
    apiServer: `${tls}/client-ca.crt`,
    frontProxy: { file: `${tls}/request-header-ca.crt`, allowedNames: ["system:auth-proxy"] },
    etcdClient: { file: `${tls}/etcd/server-ca.crt` },
    etcdPeer: { file: `${tls}/etcd/peer-ca.crt` },
    kubelet: `/var/lib/rancher/${name}/agent/client-ca.crt`,
    bound: {},
  };
}

/** By the name of the distribution. */
export const TRUST: Readonly<Record<string, Trust>> = {
  /** @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/controlplane/manifests.go getAPIServerCommand, and ../etcd/local.go */
  kubeadm: {
    apiServer: "/etc/kubernetes/pki/ca.crt",
    frontProxy: { file: "/etc/kubernetes/pki/front-proxy-ca.crt", allowedNames: FRONT_PROXY_CLIENT },
    etcdClient: { file: "/etc/kubernetes/pki/etcd/ca.crt" },
    etcdPeer: { file: "/etc/kubernetes/pki/etcd/ca.crt" },
    kubelet: "/etc/kubernetes/pki/ca.crt",
    // tlsbootstrap.go beside it binds the user to system:kubelet-api-admin.
    bound: { "kubeadm:cluster-admins": ALL, "kube-apiserver-kubelet-client": KUBELETS },
  },
  /** @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/server.go for flags, and deps/deps.go beside it for files */
  k3s: rancher("k3s"),
  rke2: rancher("rke2"),
  /** @see https://github.com/k0sproject/k0s/tree/v1.36.3%2Bk0s.2/pkg/component/controller for flags: apiserver.go, etcd.go */
  k0s: {
    apiServer: "/var/lib/k0s/pki/ca.crt",
    frontProxy: { file: "/var/lib/k0s/pki/front-proxy-ca.crt", allowedNames: FRONT_PROXY_CLIENT },
    etcdClient: { file: "/var/lib/k0s/pki/etcd/ca.crt" },
    etcdPeer: { file: "/var/lib/k0s/pki/etcd/ca.crt" },
    bound: {},
  },
  /**
   * One authority for everybody, so that names have to tell who may come.
   *
   * @see https://etcd.io/docs/v3.6/op-guide/security/
   * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#other-component-roles system:kubelet-api-admin, for which the guide has a role of its own
   */
  "single-ca": {
    apiServer: "/var/lib/kubernetes/ca.pem",
    frontProxy: { file: "/var/lib/kubernetes/ca.pem", allowedNames: ["aggregator"] },
    etcdClient: { file: "/etc/etcd/ca.pem", allowedName: "etcd-client" },
    etcdPeer: { file: "/etc/etcd/ca.pem", allowedName: "etcd-peer" },
    kubelet: "/var/lib/kubernetes/ca.pem",
    bound: { "cluster-admins": ALL, "kube-apiserver-kubelet-client": KUBELETS },
  },
  /** As with one authority, but each set of certificates has one of its own; those of the API server's clients are in one file. */
  "single-ca-own-authorities": {
    apiServer: "/var/lib/kubernetes/client-ca.pem",
    frontProxy: { file: "/var/lib/kubernetes/front-proxy-client-ca.pem", allowedNames: ["aggregator"] },
    etcdClient: { file: "/etc/etcd/etcd-client-ca.pem", allowedName: "etcd-client" },
    etcdPeer: { file: "/etc/etcd/etcd-peer-ca.pem", allowedName: "etcd-peer" },
    kubelet: "/var/lib/kubernetes/apiserver-kubelet-client-ca.pem",
    bound: { "cluster-admins": ALL, "kube-apiserver-kubelet-client": KUBELETS },
  },
};

/**
 * Rights of groups and users that Kubernetes binds at its start. Everybody else has none; a node gets itself alone, and lists none without a
 * field selector.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
 * @see https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
const RIGHTS: Readonly<Record<string, Rights>> = {
  "system:masters": ALL,
  "system:kube-controller-manager": LISTS,
  "system:kube-scheduler": NODES,
  "system:kube-proxy": NODES,
};

/** What a user of these groups may do. */
export function rightsOf(names: readonly string[], { bound }: Trust): Rights {
  const all = names.map((name) => bound[name] ?? RIGHTS[name] ?? NONE);
  const may = (right: keyof Rights) => all.some((rights) => rights[right]);
  return { nodes: may("nodes"), secrets: may("secrets"), kubelet: may("kubelet") };
}
