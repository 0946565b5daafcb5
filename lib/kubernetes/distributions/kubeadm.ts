import type { Consumer, DistributionTable, FileRow, HolderKind } from "../table";
import { reloads, restarts, uses } from "./rows";
import { KeyUsage } from "../../x509/key-usage";

const PKI = "/etc/kubernetes/pki";

/** What was measured was measured on these. */
const KUBERNETES = "1.36.3";
const ETCD = "3.6.14";

const CONTROL_PLANE: readonly HolderKind[] = ["control-plane"];
const ETCD_MEMBER: readonly HolderKind[] = ["etcd-member"];

/** `<base>.crt` and `<base>.key`, as kubeadm pairs them. */
function pair(
  base: string,
  on: readonly HolderKind[],
  certificate: readonly Consumer[],
  key: readonly Consumer[],
): FileRow[] {
  return [
    { path: `${PKI}/${base}.crt`, kind: "certificate", on, consumers: certificate },
    { path: `${PKI}/${base}.key`, kind: "private key", on, consumers: key },
  ];
}

const KUBEADM_SIGNS = uses("kubeadm", "kubeadm certs renew, kubeadm join --control-plane");
const KUBECTL = uses("kubectl", "--kubeconfig");

/**
 * kubeadm, as of 1.29 and later: administrators are in `kubeadm:cluster-admins`, and no client of etcd has an O.
 *
 * @see https://kubernetes.io/docs/setup/best-practices/certificates/
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/certs/certlist.go
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go
 */
export const kubeadm: DistributionTable = {
  name: "kubeadm",
  version: KUBERNETES,
  requires: { controlPlanes: true, addresses: true },

  apiServerAuthority: "kubernetes",
  authorities: {
    kubernetes: {
      commonName: "kubernetes",
      sans: ["kubernetes"],
      files: [
        {
          path: `${PKI}/ca.crt`,
          kind: "bundle",
          on: ["control-plane", "worker"],
          consumers: [
            reloads("kube-apiserver", "--client-ca-file", { on: CONTROL_PLANE, measured: KUBERNETES }),
            reloads("kube-controller-manager", "--client-ca-file", { on: CONTROL_PLANE, measured: KUBERNETES }),
            restarts("kube-controller-manager", "--root-ca-file", { on: CONTROL_PLANE, measured: KUBERNETES }),
            { component: "kubelet", via: { configField: "authentication.x509.clientCAFile" }, onChange: "reload" },
          ],
        },
        {
          // One file more than kubeadm writes: the controller-manager signs with exactly one certificate, and exits on a bundle of two.
          path: `${PKI}/ca-signing.crt`,
          kind: "signer",
          on: CONTROL_PLANE,
          consumers: [reloads("kube-controller-manager", "--cluster-signing-cert-file", { measured: KUBERNETES })],
        },
        {
          path: `${PKI}/ca.key`,
          kind: "private key",
          on: CONTROL_PLANE,
          consumers: [
            reloads("kube-controller-manager", "--cluster-signing-key-file", { measured: KUBERNETES }),
            KUBEADM_SIGNS,
          ],
        },
      ],
    },
    "front-proxy": {
      commonName: "front-proxy-ca",
      sans: ["front-proxy-ca"],
      files: [
        {
          path: `${PKI}/front-proxy-ca.crt`,
          kind: "bundle",
          on: CONTROL_PLANE,
          consumers: [
            reloads("kube-apiserver", "--requestheader-client-ca-file", {
              measured: KUBERNETES,
              with: {
                "--requestheader-allowed-names": "front-proxy-client",
                "--requestheader-username-headers": "X-Remote-User",
                "--requestheader-group-headers": "X-Remote-Group",
                "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
              },
            }),
            reloads("kube-controller-manager", "--requestheader-client-ca-file", { measured: KUBERNETES }),
          ],
        },
        { path: `${PKI}/front-proxy-ca.key`, kind: "private key", on: CONTROL_PLANE, consumers: [KUBEADM_SIGNS] },
      ],
    },
    etcd: {
      commonName: "etcd-ca",
      sans: ["etcd-ca"],
      etcd: ["stacked", "members"],
      files: [
        {
          path: `${PKI}/etcd/ca.crt`,
          kind: "bundle",
          on: ["control-plane", "etcd-member"],
          consumers: [
            restarts("etcd", "--trusted-ca-file", {
              on: ETCD_MEMBER,
              measured: ETCD,
              with: { "--client-cert-auth": "true" },
            }),
            restarts("etcd", "--peer-trusted-ca-file", {
              on: ETCD_MEMBER,
              measured: ETCD,
              with: { "--peer-client-cert-auth": "true" },
            }),
            restarts("kube-apiserver", "--etcd-cafile", { on: CONTROL_PLANE, measured: KUBERNETES }),
          ],
        },
        { path: `${PKI}/etcd/ca.key`, kind: "private key", on: ETCD_MEMBER, consumers: [KUBEADM_SIGNS] },
      ],
    },
  },

  keyPairs: {
    "service-account": {
      files: [
        {
          path: `${PKI}/sa.pub`,
          kind: "public keys",
          on: CONTROL_PLANE,
          consumers: [restarts("kube-apiserver", "--service-account-key-file", { measured: KUBERNETES })],
        },
        {
          path: `${PKI}/sa.key`,
          kind: "private key",
          on: CONTROL_PLANE,
          consumers: [
            restarts("kube-apiserver", "--service-account-signing-key-file", {
              measured: KUBERNETES,
              with: { "--service-account-issuer": "https://kubernetes.default.svc.{clusterDomain}" },
            }),
            restarts("kube-controller-manager", "--service-account-private-key-file", { measured: KUBERNETES }),
          ],
        },
      ],
    },
  },

  certificates: {
    apiserver: {
      authority: "kubernetes",
      commonName: "kube-apiserver",
      usage: KeyUsage.SERVER,
      sans: [
        "{machine}",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.{clusterDomain}",
        "{serviceIps}",
        "{addresses}",
        "{endpoint}",
        "{extraSans}",
      ],
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: pair(
        "apiserver",
        CONTROL_PLANE,
        [reloads("kube-apiserver", "--tls-cert-file", { measured: KUBERNETES })],
        [reloads("kube-apiserver", "--tls-private-key-file", { measured: KUBERNETES })],
      ),
    },
    "apiserver-kubelet-client": {
      authority: "kubernetes",
      commonName: "kube-apiserver-kubelet-client",
      organization: "kubeadm:cluster-admins",
      usage: KeyUsage.CLIENT,
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: pair(
        "apiserver-kubelet-client",
        CONTROL_PLANE,
        // At the next connection; one that is open is closed within five minutes.
        [reloads("kube-apiserver", "--kubelet-client-certificate", { measured: KUBERNETES })],
        [reloads("kube-apiserver", "--kubelet-client-key", { measured: KUBERNETES })],
      ),
    },
    "front-proxy-client": {
      authority: "front-proxy",
      commonName: "front-proxy-client",
      usage: KeyUsage.CLIENT,
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: pair(
        "front-proxy-client",
        CONTROL_PLANE,
        [reloads("kube-apiserver", "--proxy-client-cert-file", { measured: KUBERNETES })],
        [reloads("kube-apiserver", "--proxy-client-key-file", { measured: KUBERNETES })],
      ),
    },
    "etcd-server": {
      authority: "etcd",
      commonName: "{machine}",
      // etcd's gRPC gateway connects to its own server with this certificate as a client.
      usage: KeyUsage.SERVER_AND_CLIENT,
      sans: ["{machine}", "localhost", "{addresses}", "127.0.0.1", "::1"],
      holders: ETCD_MEMBER,
      issuedBy: "terraform",
      files: pair(
        "etcd/server",
        ETCD_MEMBER,
        [reloads("etcd", "--cert-file", { measured: ETCD })],
        [reloads("etcd", "--key-file", { measured: ETCD })],
      ),
    },
    "etcd-peer": {
      authority: "etcd",
      commonName: "{machine}",
      usage: KeyUsage.SERVER_AND_CLIENT,
      sans: ["{machine}", "localhost", "{addresses}", "127.0.0.1", "::1"],
      holders: ETCD_MEMBER,
      issuedBy: "terraform",
      files: pair(
        "etcd/peer",
        ETCD_MEMBER,
        [reloads("etcd", "--peer-cert-file", { measured: ETCD })],
        [reloads("etcd", "--peer-key-file", { measured: ETCD })],
      ),
    },
    "etcd-healthcheck-client": {
      authority: "etcd",
      commonName: "kube-etcd-healthcheck-client",
      usage: KeyUsage.CLIENT,
      holders: ETCD_MEMBER,
      issuedBy: "terraform",
      files: pair("etcd/healthcheck-client", ETCD_MEMBER, [uses("etcdctl", "--cert")], [uses("etcdctl", "--key")]),
    },
    "apiserver-etcd-client": {
      authority: "etcd",
      commonName: "kube-apiserver-etcd-client",
      usage: KeyUsage.CLIENT,
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: pair(
        "apiserver-etcd-client",
        CONTROL_PLANE,
        // At the next connection; one that is open stays open.
        [reloads("kube-apiserver", "--etcd-certfile", { measured: KUBERNETES })],
        [reloads("kube-apiserver", "--etcd-keyfile", { measured: KUBERNETES })],
      ),
    },

    admin: {
      authority: "kubernetes",
      commonName: "kubernetes-admin",
      organization: "kubeadm:cluster-admins",
      usage: KeyUsage.CLIENT,
      holders: ["control-plane", "operator"],
      issuedBy: "terraform",
      files: [
        {
          path: "/etc/kubernetes/admin.conf",
          kind: "kubeconfig",
          server: "endpoint",
          on: CONTROL_PLANE,
          consumers: [KUBECTL],
        },
        { path: "/admin.conf", kind: "kubeconfig", server: "endpoint", on: ["operator"], consumers: [KUBECTL] },
      ],
    },
    "super-admin": {
      authority: "kubernetes",
      commonName: "kubernetes-super-admin",
      organization: "system:masters",
      usage: KeyUsage.CLIENT,
      holders: ["operator"],
      issuedBy: "terraform",
      breakGlass: "the way in before any binding exists and when bindings are broken; keep it away from machines",
      files: [
        { path: "/super-admin.conf", kind: "kubeconfig", server: "endpoint", on: ["operator"], consumers: [KUBECTL] },
      ],
    },
    "controller-manager": {
      authority: "kubernetes",
      commonName: "system:kube-controller-manager",
      usage: KeyUsage.CLIENT,
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: [
        {
          path: "/etc/kubernetes/controller-manager.conf",
          kind: "kubeconfig",
          server: "local",
          on: CONTROL_PLANE,
          consumers: [
            restarts("kube-controller-manager", "--kubeconfig", { measured: KUBERNETES }),
            restarts("kube-controller-manager", "--authentication-kubeconfig", { measured: KUBERNETES }),
            restarts("kube-controller-manager", "--authorization-kubeconfig", { measured: KUBERNETES }),
          ],
        },
      ],
    },
    scheduler: {
      authority: "kubernetes",
      commonName: "system:kube-scheduler",
      usage: KeyUsage.CLIENT,
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: [
        {
          path: "/etc/kubernetes/scheduler.conf",
          kind: "kubeconfig",
          server: "local",
          on: CONTROL_PLANE,
          consumers: [
            restarts("kube-scheduler", "--kubeconfig"),
            restarts("kube-scheduler", "--authentication-kubeconfig"),
            restarts("kube-scheduler", "--authorization-kubeconfig"),
          ],
        },
      ],
    },
    kubelet: {
      authority: "kubernetes",
      commonName: "system:node:{machine}",
      organization: "system:nodes",
      usage: KeyUsage.CLIENT,
      holders: ["control-plane", "named-worker"],
      issuedBy: "terraform",
      files: [
        {
          // With rotateCertificates, kubeadm's default, a kubelet copies the certificate to kubelet-client-current.pem at its first start,
          // and at later ones uses that as long as it is valid (seen on 1.36.3): for another to be used, that file has to go, too.
          //
          // Since 1.33 a control plane's kubelet talks to its own API server; a worker has none and talks to the endpoint.
          path: "/etc/kubernetes/kubelet.conf",
          kind: "kubeconfig",
          server: "local",
          on: ["control-plane", "named-worker"],
          consumers: [restarts("kubelet", "--kubeconfig")],
        },
      ],
    },
  },

  configuration: [
    {
      path: "/etc/kubernetes/cluster-configuration.yaml",
      on: CONTROL_PLANE,
      text: `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: {clusterName}
controlPlaneEndpoint: "{endpoint}"
networking:
  dnsDomain: {clusterDomain}
  serviceSubnet: {serviceCidrs}
controllerManager:
  extraArgs:
  - name: cluster-signing-cert-file
    value: ${PKI}/ca-signing.crt
`,
      consumers: [uses("kubeadm", "kubeadm init --config, with an InitConfiguration beside it")],
    },
  ],

  access: {
    clusterAdmins: { group: "kubeadm:cluster-admins", binding: "kubeadm:cluster-admins" },
    nodeBootstrapping: {
      group: "system:bootstrappers:kubeadm:default-node-token",
      bindings: {
        createCsrs: "kubeadm:kubelet-bootstrap",
        approveFirst: "kubeadm:node-autoapprove-bootstrap",
        approveRenewals: "kubeadm:node-autoapprove-certificate-rotation",
      },
    },
    apiServerToKubelet: { user: "kube-apiserver-kubelet-client" },
    tokens: {
      worker: {
        usages: ["usage-bootstrap-authentication"],
        group: "system:bootstrappers:kubeadm:default-node-token",
        format: { kubeconfig: { user: "tls-bootstrap-token-user" } },
        file: {
          path: "/etc/kubernetes/bootstrap-kubelet.conf",
          on: "worker",
          consumers: [restarts("kubelet", "--bootstrap-kubeconfig")],
        },
      },
    },
  },
};
