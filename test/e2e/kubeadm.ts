/**
 * What kubeadm 1.36 itself would issue for a control plane named cp-1 at 10.0.0.11 of a cluster at api.prod.example.com with the service
 * CIDR 10.96.0.0/12: read from its sources, not from the table under test.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/certs/certlist.go
 */
export interface Expected {
  readonly authority: "ca" | "front-proxy-ca" | "etcd/ca";
  readonly subject: string;
  readonly server: boolean;
  readonly client: boolean;
  readonly names: readonly string[];
}

const client = { server: false, client: true, names: [] };
const etcdNames = [
  "DNS:cp-1",
  "DNS:localhost",
  "IP Address:10.0.0.11",
  "IP Address:127.0.0.1",
  "IP Address:0:0:0:0:0:0:0:1",
];

/** By file, under /etc/kubernetes/pki and without `.crt`. */
export const CERTIFICATES: Readonly<Record<string, Expected>> = {
  apiserver: {
    authority: "ca",
    subject: "CN=kube-apiserver",
    server: true,
    client: false,
    names: [
      "DNS:api.prod.example.com",
      "DNS:cp-1",
      "DNS:kubernetes",
      "DNS:kubernetes.default",
      "DNS:kubernetes.default.svc",
      "DNS:kubernetes.default.svc.cluster.local",
      "IP Address:10.0.0.11",
      "IP Address:10.96.0.1",
    ],
  },
  "apiserver-kubelet-client": {
    authority: "ca",
    subject: "O=kubeadm:cluster-admins\nCN=kube-apiserver-kubelet-client",
    ...client,
  },
  "front-proxy-client": { authority: "front-proxy-ca", subject: "CN=front-proxy-client", ...client },
  "etcd/server": { authority: "etcd/ca", subject: "CN=cp-1", server: true, client: true, names: etcdNames },
  "etcd/peer": { authority: "etcd/ca", subject: "CN=cp-1", server: true, client: true, names: etcdNames },
  "etcd/healthcheck-client": { authority: "etcd/ca", subject: "CN=kube-etcd-healthcheck-client", ...client },
  "apiserver-etcd-client": { authority: "etcd/ca", subject: "CN=kube-apiserver-etcd-client", ...client },
};

/** By file, under /etc/kubernetes: subject and server. */
export const KUBECONFIGS: Readonly<Record<string, { readonly subject: string; readonly server: string }>> = {
  "admin.conf": {
    subject: "O=kubeadm:cluster-admins\nCN=kubernetes-admin",
    server: "https://api.prod.example.com:6443",
  },
  "super-admin.conf": {
    subject: "O=system:masters\nCN=kubernetes-super-admin",
    server: "https://api.prod.example.com:6443",
  },
  "controller-manager.conf": { subject: "CN=system:kube-controller-manager", server: "https://10.0.0.11:6443" },
  "scheduler.conf": { subject: "CN=system:kube-scheduler", server: "https://10.0.0.11:6443" },
  "kubelet.conf": { subject: "O=system:nodes\nCN=system:node:cp-1", server: "https://10.0.0.11:6443" },
};

/** By file: the subject of each authority. */
export const AUTHORITIES: Readonly<Record<string, string>> = {
  ca: "CN=kubernetes",
  "front-proxy-ca": "CN=front-proxy-ca",
  "etcd/ca": "CN=etcd-ca",
};

/** What kubeadm's `certs check-expiration` lists. */
export const EXPIRING = [
  "admin.conf",
  "apiserver",
  "apiserver-etcd-client",
  "apiserver-kubelet-client",
  "controller-manager.conf",
  "etcd-healthcheck-client",
  "etcd-peer",
  "etcd-server",
  "front-proxy-client",
  "scheduler.conf",
  "super-admin.conf",
  "ca",
  "etcd-ca",
  "front-proxy-ca",
];
