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
