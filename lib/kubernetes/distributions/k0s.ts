import {
  apiserver,
  controllerManager,
  etcd,
  k0sCommand,
  konnectivityServer,
  kubectl,
  kubelet,
  KUBERNETES,
  scheduler,
} from "../components";
import type { DistributionNames, DistributionTable, RowException } from "../table";
import {
  AUTHENTICATION,
  CONTROL_PLANE,
  ETCD_MEMBER,
  file,
  kubeconfig,
  NAMED_WORKER,
  OPERATOR,
  pairsOf,
  pathScalar,
  PURPOSES,
  SIGNING_DURATION,
  withFlags,
} from "./rows";
import { bindsClusterAdmins, clusterAdmin } from "./cluster-admin";
import { KeyUsage } from "../../x509/key-usage";

/** What may be chosen for k0s. */
export interface K0sOptions<Admin extends boolean = boolean> {
  /**
   * k0s' `--data-dir`, an absolute path without a last slash.
   * @default /var/lib/k0s
   */
  readonly dataDir?: string;
  /**
   * A kubeconfig for the operator, `/cluster-admin.conf`, whose certificate Terraform issues although k0s issues all others: in the group
   * `cluster-admins`, which a manifest on every controller binds to `cluster-admin`. Without it, the first way in is what
   * `k0s kubeconfig admin` prints on a controller.
   * @default false
   */
  readonly clusterAdmin?: Admin;
}

/** Users that `k0s install` makes; k0s gives them their files again at every start. Without them it runs all as root. */
const ETCD_USER = { owner: "etcd:root" };
const API_SERVER_USER = { owner: "kube-apiserver:root" };
const SCHEDULER_USER = { owner: "kube-scheduler:root" };
const KONNECTIVITY_USER = { owner: "konnectivity-server:root" };

/** k0s' mode of every file with a key that is no kubeconfig, but for konnectivity's: root's group may read it. */
const KEY_MODE = { mode: "0640" };

const pair = pairsOf({ endings: [".crt", ".key"], ...KEY_MODE });

/** Port of the API with which controllers join. */
const JOIN_PORT = 9443;

/** What k0s calls the entries of each kubeconfig that it makes: kubeConfig of cmd/controller/certificates.go, cmd/kubeconfig/admin.go. */
const NAMES = { kubeconfigNames: { cluster: "local", context: "Default", user: "user" } };

/** k0s has one profile for all that it signs. */
const TWO_USAGES: RowException = {
  code: "two-usages",
  reason: "k0s signs everything for servers and clients alike: this key could also be used at the other end",
};

/**
 * Names of the API server. k0s also has `kubernetes.default.svc.<domain>.`, which is no DNS name by RFC 5280 with its last dot and which
 * clients leave out before they compare, and every address of the machine's interfaces: here those that the description has.
 */
const SERVER_NAMES: readonly string[] = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.{clusterDomain}",
  "localhost",
  "127.0.0.1",
  "::1",
  "{endpoint}",
  "{addresses}",
  "{extraSans}",
  "{serviceIps}",
];

function inMasters(reason: string): RowException {
  return { code: "system-masters", reason };
}

/**
 * k0s renews a certificate whose issuer is called as one of its own authorities or as that in `ca.crt`, and keeps any other until it has
 * expired and beyond.
 *
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/certificate/manager.go isManagedByK0s
 */
const RENEWED = {
  renewedAs: { commonNames: ["kubernetes-ca", "kubernetes-front-proxy-ca", "etcd-ca"], orAs: "kubernetes" },
} as const;

/** What k0s issues itself, at every start of a controller. */
const ISSUED = {
  authority: "kubernetes",
  usage: KeyUsage.SERVER_AND_CLIENT,
  holders: CONTROL_PLANE,
  issuedBy: "distribution",
} as const;

/** The same, where k0s has it at one end alone. */
const ONE_END = { ...ISSUED, exceptions: [TWO_USAGES] } as const;

/** What k0s is told, which has no drop-ins: whoever says more has to write that into the same file. */
const TOLD = {
  purpose: "configuration of a controller: its names and networks, and which files verify",
  path: "/etc/k0s/cluster-config.yaml",
  on: CONTROL_PLANE,
  // The rest of the API server's names k0s knows: those of the endpoint, of the `kubernetes` Service and of the machine's interfaces.
  sans: ["{addresses}", "{extraSans}"],
  consumers: [k0sCommand.config],
} as const;

/**
 * Pods' networks are nobody's here. With one of IPv6, k0s wants that of pods as well, `podCIDR` or `dualStack.IPv6podCIDR`, and refuses the
 * file until it is there.
 *
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/apis/k0s/v1beta1 for fields: api.go, network.go, storage.go
 */
const apiAndNetwork = (pki: string) => `apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
metadata:
  name: k0s
spec:
  api:
    address: {address}
    port: {bindPort}
    k0sApiPort: ${JOIN_PORT}
    externalAddress: {externalAddress}
    sans: {sans}
    extraArgs:
      client-ca-file: ${pathScalar(`${pki}/ca-bundle.crt`)}
      kubelet-certificate-authority: ${pathScalar(`${pki}/ca-bundle.crt`)}
      requestheader-client-ca-file: ${pathScalar(`${pki}/front-proxy-ca-bundle.crt`)}
  controllerManager:
    extraArgs:
      client-ca-file: ${pathScalar(`${pki}/ca-bundle.crt`)}
      root-ca-file: ${pathScalar(`${pki}/ca-bundle.crt`)}
      requestheader-client-ca-file: ${pathScalar(`${pki}/front-proxy-ca-bundle.crt`)}
      cluster-signing-duration: {clusterSigningDuration}
  network:
    clusterDomain: {clusterDomain}
    serviceCIDR: {serviceCidr}
    dualStack:
      enabled: {isDualStack}
      IPv6serviceCIDR: {secondServiceCidr}
    primaryAddressFamily: {primaryAddressFamily}
`;

/** Names of k0s' authorities. */
export type K0sAuthority = "kubernetes" | "front-proxy" | "etcd";

/** Names of k0s' certificates; the operator's exists where it is chosen. */
export type K0sCertificate<Admin extends boolean = false> =
  | "apiserver"
  | "k0s-api"
  | "apiserver-kubelet-client"
  | "front-proxy-client"
  | "konnectivity"
  | "etcd-server"
  | "etcd-peer"
  | "apiserver-etcd-client"
  | "admin"
  | "controller-manager"
  | "scheduler"
  | "kubelet"
  | (Admin extends false ? never : "cluster-admin");

/** Names of k0s' certificates that have a kubeconfig. */
export type K0sKubeconfig<Admin extends boolean = false> = Extract<
  K0sCertificate<Admin>,
  "konnectivity" | "admin" | "controller-manager" | "scheduler" | "kubelet" | "cluster-admin"
>;

/** What k0s calls its parts. */
export interface K0sNames<Admin extends boolean = false> extends DistributionNames {
  readonly authority: K0sAuthority;
  readonly keyPair: "service-account";
  readonly certificate: K0sCertificate<Admin>;
  readonly kubeconfig: K0sKubeconfig<Admin>;
  /** None: machines join with bootstrap tokens. */
  readonly joinPassword: never;
}

/**
 * k0s 1.32.1 and later, with etcd on its controllers, or an external one.
 *
 * k0s issues its own certificates, at every start of a controller, from the authorities that it finds in `<data-dir>/pki`; Terraform
 * makes those, the service-account key pair and the tokens with which machines join. Drop them in before the first start, on each
 * controller: a controller that joins is given the Kubernetes and etcd authorities by the first one, but makes a front-proxy authority
 * of its own if there is none.
 *
 * etcd's pair of JWT keys, `etcd/jwt.key` and `.pub`, is no row: k0s makes one where there is none, and etcd uses it for users of its
 * own alone, which k0s does not switch on.
 *
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/cmd/controller/certificates.go
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/certificate/manager.go
 * @see https://github.com/k0sproject/k0s/tree/v1.36.3%2Bk0s.2/pkg/component/controller for flags: apiserver.go, controllermanager.go, etcd.go
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/token
 * @see https://docs.k0sproject.io/stable/custom-ca/
 */
export function k0s(options: K0sOptions = {}): DistributionTable {
  const { dataDir = "/var/lib/k0s", clusterAdmin: withAdmin } = options;
  const pki = `${dataDir}/pki`;

  return {
    name: "k0s",
    version: `${KUBERNETES}+k0s.2`,
    // k0s asks govalidator's IsDNSName of each name that it is told.
    requires: {
      controlPlanes: true,
      addresses: true,
      etcd: ["stacked", "external"],
      etcdEndpoints: true,
      singleHosts: true,
    },

    apiServerAuthority: "kubernetes",
    authorities: {
      kubernetes: {
        purpose: PURPOSES.kubernetes,
        commonName: "kubernetes-ca",
        signsNodesFor: "clusterSigningDuration",
        files: [
          // Exactly one certificate: the reader with which k0s signs, cfssl's, refuses a file of two. The next two authorities alike.
          file(`${pki}/ca.crt`, "signer", CONTROL_PLANE, [
            withFlags(controllerManager.clusterSigning.certificate, SIGNING_DURATION),
            k0sCommand.issues,
          ]),
          // One file more than k0s has, for those who only verify: the configuration below points them at it.
          file(`${pki}/ca-bundle.crt`, "bundle", CONTROL_PLANE, [
            apiserver.clientCaFile,
            apiserver.kubeletCertificateAuthority,
            controllerManager.clientCaFile,
            controllerManager.rootCaFile,
          ]),
          file(
            `${pki}/ca.key`,
            "private key",
            CONTROL_PLANE,
            [controllerManager.clusterSigning.key, k0sCommand.issues],
            { ...KEY_MODE, ...API_SERVER_USER },
          ),
        ],
      },
      "front-proxy": {
        purpose: PURPOSES["front-proxy"],
        commonName: "kubernetes-front-proxy-ca",
        ...RENEWED,
        files: [
          file(`${pki}/front-proxy-ca.crt`, "signer", CONTROL_PLANE, [k0sCommand.issues]),
          file(`${pki}/front-proxy-ca-bundle.crt`, "bundle", CONTROL_PLANE, [
            apiserver.requestheaderClientCaFile("front-proxy-client"),
            controllerManager.requestheaderClientCaFile,
          ]),
          file(`${pki}/front-proxy-ca.key`, "private key", CONTROL_PLANE, [k0sCommand.issues], KEY_MODE),
        ],
      },
      etcd: {
        purpose: PURPOSES.etcd,
        commonName: "etcd-ca",
        ...RENEWED,
        etcd: ["stacked"],
        files: [
          // The one flag that k0s lets nobody change. The etcd that it trusts runs beside it and has its certificate of the same file.
          file(`${pki}/etcd/ca.crt`, "signer", CONTROL_PLANE, [apiserver.etcdCaFile, k0sCommand.issues], ETCD_USER),
          file(
            `${pki}/etcd/ca-bundle.crt`,
            "bundle",
            ETCD_MEMBER,
            [etcd.trustedCaFile, etcd.peerTrustedCaFile],
            ETCD_USER,
          ),
          file(`${pki}/etcd/ca.key`, "private key", ETCD_MEMBER, [k0sCommand.issues], { ...KEY_MODE, ...ETCD_USER }),
        ],
      },
    },

    keyPairs: {
      "service-account": {
        purpose: PURPOSES["service-account"],
        files: [
          file(`${pki}/sa.pub`, "public keys", CONTROL_PLANE, [apiserver.serviceAccountKeyFile]),
          file(
            `${pki}/sa.key`,
            "private key",
            CONTROL_PLANE,
            [
              apiserver.serviceAccountSigningKeyFile({
                "--service-account-issuer": "https://kubernetes.default.svc",
                "--service-account-jwks-uri": "https://kubernetes.default.svc/openid/v1/jwks",
                // The second is konnectivity's, whose agents show its server a token; k0s leaves it out where that is disabled.
                "--api-audiences": "https://kubernetes.default.svc,system:konnectivity-server",
              }),
              controllerManager.serviceAccountPrivateKeyFile,
            ],
            { ...KEY_MODE, ...API_SERVER_USER },
          ),
        ],
      },
    },

    certificates: {
      apiserver: {
        ...ONE_END,
        purpose: `${PURPOSES.apiserver}, and for konnectivity's server to its agents`,
        commonName: "kubernetes",
        organization: "kubernetes",
        sans: SERVER_NAMES,
        files: pair(`${pki}/server`, CONTROL_PLANE, [apiserver.serving, konnectivityServer.cluster], API_SERVER_USER),
      },
      "k0s-api": {
        ...ONE_END,
        purpose: "certificate for serving the API with which controllers join",
        commonName: "k0s-api",
        organization: "kubernetes",
        sans: SERVER_NAMES,
        files: pair(`${pki}/k0s-api`, CONTROL_PLANE, [k0sCommand.api], API_SERVER_USER),
      },
      "apiserver-kubelet-client": {
        ...ISSUED,
        purpose: PURPOSES["apiserver-kubelet-client"],
        commonName: "apiserver-kubelet-client",
        organization: "system:masters",
        exceptions: [TWO_USAGES, inMasters("k0s binds no role that would let the API server talk to kubelets")],
        files: pair(`${pki}/apiserver-kubelet-client`, CONTROL_PLANE, [apiserver.kubeletClient], API_SERVER_USER),
      },
      "front-proxy-client": {
        ...ONE_END,
        purpose: PURPOSES["front-proxy-client"],
        authority: "front-proxy",
        commonName: "front-proxy-client",
        organization: "front-proxy-client",
        files: pair(`${pki}/front-proxy-client`, CONTROL_PLANE, [apiserver.proxyClient], API_SERVER_USER),
      },
      konnectivity: {
        ...ISSUED,
        purpose: "certificate for konnectivity's server to connect to the API server",
        commonName: "kubernetes-konnectivity",
        organization: "system:masters",
        exceptions: [
          TWO_USAGES,
          inMasters("k0s has not found out yet what less would do for it, as a note in its source says"),
        ],
        files: [
          ...pair(`${pki}/konnectivity`, CONTROL_PLANE, [], KONNECTIVITY_USER),
          kubeconfig(`${pki}/konnectivity.conf`, "local", CONTROL_PLANE, [konnectivityServer.kubeconfig], {
            ...KEY_MODE,
            ...KONNECTIVITY_USER,
            ...NAMES,
          }),
        ],
      },
      "etcd-server": {
        ...ISSUED,
        purpose: PURPOSES["etcd-server"],
        authority: "etcd",
        commonName: "etcd-server",
        organization: "etcd-server",
        sans: ["127.0.0.1", "localhost"],
        holders: ETCD_MEMBER,
        files: pair(`${pki}/etcd/server`, ETCD_MEMBER, [etcd.serving], ETCD_USER),
      },
      "etcd-peer": {
        ...ISSUED,
        purpose: PURPOSES["etcd-peer"],
        authority: "etcd",
        commonName: "{address}",
        organization: "etcd-peer",
        sans: ["{addresses}"],
        holders: ETCD_MEMBER,
        files: pair(`${pki}/etcd/peer`, ETCD_MEMBER, [etcd.peer], ETCD_USER),
      },
      "apiserver-etcd-client": {
        ...ONE_END,
        purpose: PURPOSES["apiserver-etcd-client"],
        authority: "etcd",
        commonName: "apiserver-etcd-client",
        organization: "apiserver-etcd-client",
        sans: ["127.0.0.1", "localhost"],
        files: pair(`${pki}/apiserver-etcd-client`, CONTROL_PLANE, [apiserver.etcdClient], API_SERVER_USER),
      },

      admin: {
        ...ISSUED,
        purpose: "certificate for the admin, and for k0s itself, to connect to the API server",
        commonName: "kubernetes-admin",
        organization: "system:masters",
        holders: ["control-plane", "operator"],
        exceptions: [
          TWO_USAGES,
          inMasters("k0s itself works in the cluster with it on every controller, and binds no other role"),
        ],
        files: [
          ...pair(`${pki}/admin`, CONTROL_PLANE, [
            { certificate: k0sCommand.administers, key: k0sCommand.administers },
          ]),
          kubeconfig(`${pki}/admin.conf`, "local", CONTROL_PLANE, [k0sCommand.administers], NAMES),
          // What `k0s kubeconfig admin` prints.
          kubeconfig("/admin.conf", "endpoint", OPERATOR, [kubectl.kubeconfig], NAMES),
        ],
      },
      "controller-manager": {
        ...ONE_END,
        purpose: PURPOSES["controller-manager"],
        commonName: "system:kube-controller-manager",
        organization: "system:kube-controller-manager",
        files: [
          ...pair(`${pki}/ccm`, CONTROL_PLANE, [], API_SERVER_USER),
          kubeconfig(`${pki}/ccm.conf`, "local", CONTROL_PLANE, controllerManager.kubeconfigs, {
            ...API_SERVER_USER,
            ...NAMES,
          }),
        ],
      },
      scheduler: {
        ...ONE_END,
        purpose: PURPOSES.scheduler,
        commonName: "system:kube-scheduler",
        organization: "system:kube-scheduler",
        files: [
          ...pair(`${pki}/scheduler`, CONTROL_PLANE, [], SCHEDULER_USER),
          kubeconfig(`${pki}/scheduler.conf`, "local", CONTROL_PLANE, scheduler.kubeconfigs, {
            ...SCHEDULER_USER,
            ...NAMES,
          }),
        ],
      },
      // The controller-manager signs it when the kubelet joins. A controller runs a kubelet only with --enable-worker, which joins alike.
      kubelet: {
        ...ISSUED,
        purpose: PURPOSES.kubelet,
        commonName: "system:node:{machine}",
        organization: "system:nodes",
        usage: KeyUsage.CLIENT,
        holders: NAMED_WORKER,
        files: [
          kubeconfig(`${dataDir}/kubelet.conf`, "endpoint", NAMED_WORKER, [
            kubelet.kubeconfigWithRotation(`${dataDir}/kubelet/pki`),
          ]),
        ],
      },
      ...(withAdmin ? { "cluster-admin": clusterAdmin("kubernetes") } : {}),
    },

    // k0s reads one file. It knows neither the machine's names behind an address translation nor what is before its API server, and takes the
    // first public address that it finds where it is told none.
    configuration: [
      {
        ...TOLD,
        etcd: ["stacked"],
        text: `${apiAndNetwork(pki)}  storage:
    type: etcd
    etcd:
      peerAddress: {address}
      extraArgs:
        trusted-ca-file: ${pathScalar(`${pki}/etcd/ca-bundle.crt`)}
        peer-trusted-ca-file: ${pathScalar(`${pki}/etcd/ca-bundle.crt`)}
`,
      },
      {
        ...TOLD,
        etcd: ["external"],
        // Until that is added, k0s refuses the file: with less it would start an etcd of its own.
        text: `${apiAndNetwork(pki)}  storage:
    type: etcd
    etcd:
      externalCluster:
        endpoints: {etcdEndpoints}
        # Add etcdPrefix, and caFile, clientCertFile and clientKeyFile of your etcd.
`,
      },
      ...(withAdmin
        ? [bindsClusterAdmins(`${dataDir}/manifests/kubernetes-pki/cluster-admins.yaml`, k0sCommand.applies)]
        : []),
    ],

    // Administrators are in system:masters, and so is the API server when it talks to kubelets: k0s leaves nothing of that to bind.
    access: {
      nodeBootstrapping: {
        group: "system:bootstrappers",
        bindings: {
          createCsrs: "kubelet-bootstrap",
          approveFirst: "node-autoapprove-bootstrap",
          approveRenewals: "node-autoapprove-certificate-rotation",
        },
      },
      tokens: {
        worker: {
          purpose: PURPOSES.worker,
          usages: [AUTHENTICATION],
          description: "Worker bootstrap token generated by k0s",
          format: { kubeconfig: { cluster: "k0s", context: "k0s", user: "kubelet-bootstrap" }, encoding: "base64gzip" },
          // k0s takes any path; this is the one that k0sctl uses.
          file: { path: "/etc/k0s/k0stoken", on: "worker", consumers: [k0sCommand.workerTokenFile] },
        },
        "worker-in-plain": {
          purpose: `${PURPOSES.worker}, as k0s unpacks it`,
          usages: [AUTHENTICATION],
          description: "Worker bootstrap token generated by k0s",
          format: { kubeconfig: { cluster: "k0s", context: "k0s", user: "kubelet-bootstrap" } },
          // Where k0s puts what it unpacks, and looks before it asks for a token.
          file: { path: `${dataDir}/kubelet-bootstrap.conf`, on: "worker", consumers: [kubelet.bootstrapKubeconfig] },
        },
        controller: {
          purpose: "bootstrap token for a controller to join",
          // k0s' own join API asks for it, not the API server. The second is what it was called before 1.32.1.
          usages: ["usage-bootstrap-controller-join", "usage-controller-join"],
          description: "Controller bootstrap token generated by k0s",
          format: {
            kubeconfig: { cluster: "k0s", context: "k0s", user: "controller-bootstrap", port: JOIN_PORT },
            encoding: "base64gzip",
          },
          file: { path: "/controller-token", on: "operator", consumers: [k0sCommand.controllerTokenFile] },
        },
      },
    },
  };
}
