import {
  apiserver,
  controllerManager,
  etcd,
  etcdctl,
  kubeadmCommand,
  kubectl,
  kubelet,
  KUBERNETES,
  scheduler,
} from "../components";
import type { CertificateRow, ConfigurationRow, DistributionNames, DistributionTable, HolderKind } from "../table";
import {
  AUTHENTICATION,
  CONTROL_PLANE,
  ETCD_HERE,
  ETCD_MEMBER,
  file,
  kubeconfig,
  NAMED_WORKER,
  on,
  OPERATOR,
  pairsOf,
  PURPOSES,
  WORKER,
  withFlags,
  SIGNING_DURATION,
} from "./rows";
import { KeyUsage } from "../../x509/key-usage";

const FOLDER = "/etc/kubernetes";
const PKI = `${FOLDER}/pki`;

const pair = pairsOf({ endings: [".crt", ".key"] });

/**
 * kubeadm's `MaximumBitsForServiceSubnet`: /12 of IPv4, /108 of IPv6. The API server itself takes larger ones since it has ServiceCIDRs.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/apis/kubeadm/validation/validation.go ValidateServiceSubnetSize
 */
export const MAX_SERVICE_CIDR_BITS = 20;

/** A kubeconfig of the operator, on no machine. */
const forOperator = (path: string) => kubeconfig(path, "endpoint", OPERATOR, [kubectl.kubeconfig]);

const ETCD_NAMES = ["{machine}", "localhost", "{addresses}", "127.0.0.1", "::1"];
const NODES: readonly HolderKind[] = ["control-plane", "named-worker"];
const ISSUED = { issuedBy: "terraform" } as const;
const CLIENT = { ...ISSUED, authority: "kubernetes", usage: KeyUsage.CLIENT } as const;

const INIT = {
  purpose: "configuration for kubeadm to start the cluster with",
  path: `${FOLDER}/cluster-configuration.yaml`,
  on: CONTROL_PLANE,
  consumers: [kubeadmCommand.init],
} as const;

/**
 * The machine and the cluster, as `kubeadm init --config` takes them in one file.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
const initAndCluster = (apiServer: string) => `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: {address}
  bindPort: {bindPort}
nodeRegistration:
  name: {machine}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: {clusterName}
controlPlaneEndpoint: "{endpoint}"
networking:
  dnsDomain: {clusterDomain}
  serviceSubnet: {serviceCidrs}
apiServer:
  certSANs: {clusterSans}
${apiServer}`;

/** Whose certificates the API server takes for a kubelet's: without it, anybody's. */
const KUBELETS = `  extraArgs:
  - name: kubelet-certificate-authority
    value: ${PKI}/ca.crt
`;

/** With what the controller-manager signs: where there is no ca.key, kubeadm itself sees to it that it signs nothing. */
const SIGNING = `controllerManager:
  extraArgs:
  - name: cluster-signing-cert-file
    value: ${PKI}/ca-signing.crt
  - name: cluster-signing-duration
    value: {clusterSigningDuration}
`;

const JOIN = {
  purpose: "configuration for kubeadm to join the cluster with",
  path: `${FOLDER}/join-configuration.yaml`,
  consumers: [kubeadmCommand.join],
} as const;

/**
 * How a machine joins by `kubeadm join --config`: it finds the cluster by a kubeconfig that it has, and its preflight does not take what was
 * delivered for what an earlier join left behind.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/preflight/checks.go JoinNodeChecks
 */
function joinsBy(kubeconfig: string, ...delivered: readonly string[]): string {
  return `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  file:
    kubeConfigPath: ${kubeconfig}
nodeRegistration:
  ignorePreflightErrors: [${delivered.map((path) => `FileAvailable-${path.replaceAll("/", "-")}`).join(", ")}]
`;
}

const AUTHORITY = `${PKI}/ca.crt`;
const KUBELET_KUBECONFIG = `${FOLDER}/kubelet.conf`;
const BOOTSTRAP_KUBECONFIG = `${FOLDER}/bootstrap-kubelet.conf`;

/** What may be chosen for kubeadm. */
export interface KubeadmOptions<Serving extends boolean = boolean> {
  /**
   * Control planes and named workers have a certificate that their kubelet serves with, and the API server takes no other: `kubelet-server`. It
   * is where a kubelet makes one for itself otherwise, so that no configuration names it. Each of these machines needs an address. A worker
   * that joins by token has none: its kubelet needs `serverTLSBootstrap: true` in its own configuration, and somebody who approves what it
   * then requests, or the API server reads no logs there.
   * @default false
   * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
   */
  readonly kubeletServing?: Serving;
}

/** Names of kubeadm's authorities. */
export type KubeadmAuthority = "kubernetes" | "front-proxy" | "etcd";

/** Names of kubeadm's certificates; those of kubelets' servers where they were chosen. */
export type KubeadmCertificate<Serving extends boolean = false> =
  | "apiserver"
  | "apiserver-kubelet-client"
  | "front-proxy-client"
  | "etcd-server"
  | "etcd-peer"
  | "etcd-healthcheck-client"
  | "apiserver-etcd-client"
  | "admin"
  | "super-admin"
  | "controller-manager"
  | "scheduler"
  | "kubelet"
  | (Serving extends false ? never : "kubelet-server");

/** Names of kubeadm's certificates that have a kubeconfig. */
export type KubeadmKubeconfig = Extract<
  KubeadmCertificate,
  "admin" | "super-admin" | "controller-manager" | "scheduler" | "kubelet"
>;

/** What kubeadm calls its parts. */
export interface KubeadmNames<Serving extends boolean = false> extends DistributionNames {
  readonly authority: KubeadmAuthority;
  readonly keyPair: "service-account";
  readonly certificate: KubeadmCertificate<Serving>;
  readonly kubeconfig: KubeadmKubeconfig;
  /** None: machines join with bootstrap tokens. */
  readonly joinPassword: never;
}

/** The subject is the one that the API server's own signer of such certificates asks for. */
const KUBELET_SERVER: CertificateRow = {
  ...ISSUED,
  byTerraformAlone: true,
  // --kubelet-preferred-address-types of the API server that kubeadm makes starts with InternalIP.
  needsAddress: true,
  purpose: PURPOSES["kubelet-server"],
  authority: "kubernetes",
  commonName: "system:node:{machine}",
  organization: "system:nodes",
  usage: KeyUsage.SERVER,
  sans: ["{machine}", "{addresses}"],
  holders: NODES,
  files: pair("/var/lib/kubelet/pki/kubelet", NODES, [kubelet.servingByDefault]),
};

/**
 * kubeadm, as of 1.29 and later: administrators are in `kubeadm:cluster-admins`, and no client of etcd has an O.
 *
 * @see https://kubernetes.io/docs/setup/best-practices/certificates/
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/certs/certlist.go
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go
 */
export function kubeadm({ kubeletServing = false }: KubeadmOptions = {}): DistributionTable {
  const text = initAndCluster(kubeletServing ? KUBELETS : "");
  return {
    name: "kubeadm",
    version: KUBERNETES,
    requires: { controlPlanes: true, addresses: true, etcdEndpoints: true, maxServiceCidrBits: MAX_SERVICE_CIDR_BITS },

    withoutAuthorityKeys:
      "kube-controller-manager signs no requests, so that no kubelet joins by a token or renews its certificate; kubeadm renews no certificate, " +
      "issues none for further control planes, and refuses --upload-certs",
    apiServerAuthority: "kubernetes",
    authorities: {
      kubernetes: {
        purpose: PURPOSES.kubernetes,
        commonName: "kubernetes",
        sans: ["kubernetes"],
        signsNodesFor: "clusterSigningDuration",
        files: [
          file(
            AUTHORITY,
            "bundle",
            ["control-plane", "worker"],
            [
              ...on(
                CONTROL_PLANE,
                apiserver.clientCaFile,
                controllerManager.clientCaFile,
                controllerManager.rootCaFile,
              ),
              ...(kubeletServing ? on(CONTROL_PLANE, apiserver.kubeletCertificateAuthority) : []),
              kubelet.clientCaFile,
              ...on(WORKER, kubelet.certificateAuthority),
            ],
          ),
          // One file more than kubeadm writes: the controller-manager signs with exactly one certificate, and exits on a bundle of two.
          file(`${PKI}/ca-signing.crt`, "signer", CONTROL_PLANE, [
            withFlags(controllerManager.clusterSigning.certificate, SIGNING_DURATION),
          ]),
          file(`${PKI}/ca.key`, "private key", CONTROL_PLANE, [
            controllerManager.clusterSigning.key,
            kubeadmCommand.signs,
          ]),
        ],
      },
      "front-proxy": {
        purpose: PURPOSES["front-proxy"],
        commonName: "front-proxy-ca",
        sans: ["front-proxy-ca"],
        files: [
          file(`${PKI}/front-proxy-ca.crt`, "bundle", CONTROL_PLANE, [
            apiserver.requestheaderClientCaFile("front-proxy-client"),
            controllerManager.requestheaderClientCaFile,
          ]),
          file(`${PKI}/front-proxy-ca.key`, "private key", CONTROL_PLANE, [kubeadmCommand.signs]),
        ],
      },
      etcd: {
        purpose: PURPOSES.etcd,
        commonName: "etcd-ca",
        sans: ["etcd-ca"],
        etcd: ETCD_HERE,
        files: [
          file(
            `${PKI}/etcd/ca.crt`,
            "bundle",
            ["control-plane", "etcd-member"],
            [
              ...on(ETCD_MEMBER, etcd.trustedCaFile, etcd.peerTrustedCaFile),
              ...on(CONTROL_PLANE, apiserver.etcdCaFile),
            ],
          ),
          file(`${PKI}/etcd/ca.key`, "private key", ETCD_MEMBER, [kubeadmCommand.signs]),
        ],
      },
    },

    keyPairs: {
      "service-account": {
        purpose: PURPOSES["service-account"],
        files: [
          file(`${PKI}/sa.pub`, "public keys", CONTROL_PLANE, [apiserver.serviceAccountKeyFile]),
          file(`${PKI}/sa.key`, "private key", CONTROL_PLANE, [
            apiserver.serviceAccountSigningKeyFile({
              "--service-account-issuer": "https://kubernetes.default.svc.{clusterDomain}",
            }),
            controllerManager.serviceAccountPrivateKeyFile,
          ]),
        ],
      },
    },

    certificates: {
      apiserver: {
        ...ISSUED,
        purpose: PURPOSES.apiserver,
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
        files: pair(`${PKI}/apiserver`, CONTROL_PLANE, [apiserver.serving]),
      },
      "apiserver-kubelet-client": {
        ...CLIENT,
        purpose: PURPOSES["apiserver-kubelet-client"],
        // No O, as of 1.36.1 and the patch releases of May 2026 (kubernetes/kubernetes#138957): its user is bound by name to the right to
        // talk to kubelets, and to nothing else.
        commonName: "kube-apiserver-kubelet-client",
        holders: CONTROL_PLANE,
        files: pair(`${PKI}/apiserver-kubelet-client`, CONTROL_PLANE, [apiserver.kubeletClient]),
      },
      "front-proxy-client": {
        ...CLIENT,
        purpose: PURPOSES["front-proxy-client"],
        authority: "front-proxy",
        commonName: "front-proxy-client",
        holders: CONTROL_PLANE,
        files: pair(`${PKI}/front-proxy-client`, CONTROL_PLANE, [apiserver.proxyClient]),
      },
      "etcd-server": {
        ...ISSUED,
        purpose: PURPOSES["etcd-server"],
        authority: "etcd",
        commonName: "{machine}",
        // etcd's gRPC gateway connects to its own server with this certificate as a client.
        usage: KeyUsage.SERVER_AND_CLIENT,
        sans: ETCD_NAMES,
        holders: ETCD_MEMBER,
        files: pair(`${PKI}/etcd/server`, ETCD_MEMBER, [etcd.serving]),
      },
      "etcd-peer": {
        ...ISSUED,
        purpose: PURPOSES["etcd-peer"],
        authority: "etcd",
        commonName: "{machine}",
        usage: KeyUsage.SERVER_AND_CLIENT,
        sans: ETCD_NAMES,
        holders: ETCD_MEMBER,
        files: pair(`${PKI}/etcd/peer`, ETCD_MEMBER, [etcd.peer]),
      },
      "etcd-healthcheck-client": {
        ...CLIENT,
        purpose: PURPOSES["etcd-healthcheck-client"],
        authority: "etcd",
        commonName: "kube-etcd-healthcheck-client",
        holders: ETCD_MEMBER,
        files: pair(`${PKI}/etcd/healthcheck-client`, ETCD_MEMBER, [etcdctl.client]),
      },
      "apiserver-etcd-client": {
        ...CLIENT,
        purpose: PURPOSES["apiserver-etcd-client"],
        authority: "etcd",
        commonName: "kube-apiserver-etcd-client",
        holders: CONTROL_PLANE,
        files: pair(`${PKI}/apiserver-etcd-client`, CONTROL_PLANE, [apiserver.etcdClient]),
      },

      admin: {
        ...CLIENT,
        purpose: PURPOSES.admin,
        commonName: "kubernetes-admin",
        organization: "kubeadm:cluster-admins",
        holders: ["control-plane", "operator"],
        files: [
          kubeconfig(`${FOLDER}/admin.conf`, "endpoint", CONTROL_PLANE, [kubectl.kubeconfig]),
          forOperator("/admin.conf"),
        ],
      },
      "super-admin": {
        ...CLIENT,
        purpose: PURPOSES["super-admin"],
        commonName: "kubernetes-super-admin",
        organization: "system:masters",
        holders: OPERATOR,
        breakGlass: "the way in before any binding exists and when bindings are broken; keep it away from machines",
        files: [forOperator("/super-admin.conf")],
      },
      "controller-manager": {
        ...CLIENT,
        purpose: PURPOSES["controller-manager"],
        commonName: "system:kube-controller-manager",
        holders: CONTROL_PLANE,
        files: [kubeconfig(`${FOLDER}/controller-manager.conf`, "local", CONTROL_PLANE, controllerManager.kubeconfigs)],
      },
      scheduler: {
        ...CLIENT,
        purpose: PURPOSES.scheduler,
        commonName: "system:kube-scheduler",
        holders: CONTROL_PLANE,
        files: [kubeconfig(`${FOLDER}/scheduler.conf`, "local", CONTROL_PLANE, scheduler.kubeconfigs)],
      },
      kubelet: {
        ...CLIENT,
        purpose: PURPOSES.kubelet,
        commonName: "system:node:{machine}",
        organization: "system:nodes",
        holders: NODES,
        files: [
          // Since 1.33 a control plane's kubelet talks to its own API server; a worker has none and talks to the endpoint.
          kubeconfig(KUBELET_KUBECONFIG, "local", NODES, [kubelet.kubeconfigWithRotation()]),
        ],
      },
      ...(kubeletServing ? { "kubelet-server": KUBELET_SERVER } : {}),
    },

    configuration: [
      ...[true, false].flatMap((authorityKeys): ConfigurationRow[] => [
        { ...INIT, authorityKeys, etcd: ["stacked"], text: `${text}${authorityKeys ? SIGNING : ""}` },
        {
          ...INIT,
          authorityKeys,
          etcd: ["members", "external"],
          text: `${text}${authorityKeys ? SIGNING : ""}etcd:
  external:
    endpoints: {etcdEndpoints}
    caFile: ${PKI}/etcd/ca.crt
    certFile: ${PKI}/apiserver-etcd-client.crt
    keyFile: ${PKI}/apiserver-etcd-client.key
`,
        },
      ]),
      {
        ...JOIN,
        on: CONTROL_PLANE,
        // The administrator may all that a token may, so that no control plane has to be brought one. It is there with `issueLeaves: false`, too:
        // whoever has the authority's key can make an admin.conf, by `kubeadm init phase kubeconfig admin`.
        text: `${joinsBy(`${FOLDER}/admin.conf`, KUBELET_KUBECONFIG)}  name: {machine}
controlPlane:
  localAPIEndpoint:
    advertiseAddress: {address}
    bindPort: {bindPort}
`,
      },
      {
        ...JOIN,
        on: NAMED_WORKER,
        certificate: "kubelet",
        text: `${joinsBy(KUBELET_KUBECONFIG, KUBELET_KUBECONFIG, AUTHORITY)}  name: {machine}
`,
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
        // Made by `kubeadm init`, which binds its own group and the nodes: what `kubeadm join` reads before there is a node.
        reads: {
          "get-nodes": { name: "kubeadm:get-nodes" },
          "kubeadm-config": { name: "kubeadm:nodes-kubeadm-config", namespace: "kube-system", alsoFor: "system:nodes" },
          "kubelet-config": { name: "kubeadm:kubelet-config", namespace: "kube-system", alsoFor: "system:nodes" },
        },
      },
      apiServerToKubelet: { user: "kube-apiserver-kubelet-client", binding: "kubeadm:apiserver-kubelet-client" },
      clusterInfo: { role: "kubeadm:bootstrap-signer-clusterinfo" },
      tokens: {
        worker: {
          purpose: PURPOSES.worker,
          usages: [AUTHENTICATION],
          group: "system:bootstrappers:kubeadm:default-node-token",
          // kubeadm takes a relative path from the folder in which it is run.
          format: { kubeconfig: { user: "tls-bootstrap-token-user", certificateAuthority: AUTHORITY } },
          file: {
            path: BOOTSTRAP_KUBECONFIG,
            on: "worker",
            consumers: [kubelet.bootstrapKubeconfig, kubeadmCommand.join],
          },
          configuration: { ...JOIN, text: joinsBy(BOOTSTRAP_KUBECONFIG, BOOTSTRAP_KUBECONFIG, AUTHORITY) },
        },
      },
    },
  };
}
