import type { Consumer, DistributionTable, FileRow, HolderKind, RowException } from "../table";
import { reloads, restarts, uses } from "./rows";
import { KeyUsage } from "../../x509/key-usage";

/** What may be chosen for k0s. */
export interface K0sOptions {
  /**
   * k0s' `--data-dir`, an absolute path without a last slash.
   * @default /var/lib/k0s
   */
  readonly dataDir?: string;
}

/** k0s 1.36.3+k0s.2 runs these; what was measured was measured on the same versions from upstream, with the flags that k0s passes. */
const KUBERNETES = "1.36.3";
const ETCD = "3.6.14";

const CONTROL_PLANE: readonly HolderKind[] = ["control-plane"];
const ETCD_MEMBER: readonly HolderKind[] = ["etcd-member"];

/** Users that `k0s install` makes; k0s gives them their files again at every start. Without them it runs all as root. */
const ETCD_USER = "etcd:root";
const API_SERVER_USER = "kube-apiserver:root";
const SCHEDULER_USER = "kube-scheduler:root";
const KONNECTIVITY_USER = "konnectivity-server:root";

/** k0s' mode of every file with a key that is no kubeconfig: root's group may read it. */
const KEY_MODE = "0640";

const KUBECTL = uses("kubectl", "--kubeconfig");
const K0S_ISSUES: Consumer = {
  component: "k0s",
  via: { use: "k0s controller, which issues its certificates at every start" },
  onChange: "restart",
};

/** The API with which controllers join, on port 9443. */
const K0S_API: Consumer = {
  component: "k0s",
  via: { use: "k0s api, which each controller runs" },
  onChange: "restart",
};
const K0S_ADMINISTERS = uses("k0s", "k0s controller, k0s kubectl, k0s token");

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

/** What k0s issues itself, at every start of a controller. */
const ISSUED = { usage: KeyUsage.SERVER_AND_CLIENT, holders: CONTROL_PLANE, issuedBy: "distribution" } as const;

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
export function k0s({ dataDir = "/var/lib/k0s" }: K0sOptions = {}): DistributionTable {
  const pki = `${dataDir}/pki`;

  /** `<base>.crt` and `<base>.key`, both of the user that reads them. */
  const pair = (
    base: string,
    owner: string,
    certificate: readonly Consumer[],
    key: readonly Consumer[],
    on: readonly HolderKind[] = CONTROL_PLANE,
  ): FileRow[] => [
    { path: `${pki}/${base}.crt`, kind: "certificate", on, owner, consumers: certificate },
    { path: `${pki}/${base}.key`, kind: "private key", on, owner, mode: KEY_MODE, consumers: key },
  ];

  return {
    name: "k0s",
    version: `${KUBERNETES}+k0s.2`,
    requires: { controlPlanes: true, addresses: true, etcd: ["stacked", "external"] },

    apiServerAuthority: "kubernetes",
    authorities: {
      kubernetes: {
        commonName: "kubernetes-ca",
        files: [
          {
            // Exactly one certificate: the reader with which k0s signs, cfssl's, refuses a file of two. The next two authorities alike.
            path: `${pki}/ca.crt`,
            kind: "signer",
            on: CONTROL_PLANE,
            consumers: [
              reloads("kube-controller-manager", "--cluster-signing-cert-file", { measured: KUBERNETES }),
              K0S_ISSUES,
            ],
          },
          {
            // One file more than k0s has, for those who only verify: the configuration below points them at it.
            path: `${pki}/ca-bundle.crt`,
            kind: "bundle",
            on: CONTROL_PLANE,
            consumers: [
              reloads("kube-apiserver", "--client-ca-file", { measured: KUBERNETES }),
              restarts("kube-apiserver", "--kubelet-certificate-authority"),
              reloads("kube-controller-manager", "--client-ca-file", { measured: KUBERNETES }),
              restarts("kube-controller-manager", "--root-ca-file", { measured: KUBERNETES }),
            ],
          },
          {
            path: `${pki}/ca.key`,
            kind: "private key",
            on: CONTROL_PLANE,
            mode: KEY_MODE,
            owner: API_SERVER_USER,
            consumers: [
              reloads("kube-controller-manager", "--cluster-signing-key-file", { measured: KUBERNETES }),
              K0S_ISSUES,
            ],
          },
        ],
      },
      "front-proxy": {
        commonName: "kubernetes-front-proxy-ca",
        files: [
          { path: `${pki}/front-proxy-ca.crt`, kind: "signer", on: CONTROL_PLANE, consumers: [K0S_ISSUES] },
          {
            path: `${pki}/front-proxy-ca-bundle.crt`,
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
          {
            path: `${pki}/front-proxy-ca.key`,
            kind: "private key",
            on: CONTROL_PLANE,
            mode: KEY_MODE,
            consumers: [K0S_ISSUES],
          },
        ],
      },
      etcd: {
        commonName: "etcd-ca",
        etcd: ["stacked"],
        files: [
          {
            path: `${pki}/etcd/ca.crt`,
            kind: "signer",
            on: CONTROL_PLANE,
            owner: ETCD_USER,
            consumers: [
              // The one flag that k0s lets nobody change. The etcd that it trusts runs beside it and has its certificate of the same file.
              restarts("kube-apiserver", "--etcd-cafile", { measured: KUBERNETES }),
              K0S_ISSUES,
            ],
          },
          {
            path: `${pki}/etcd/ca-bundle.crt`,
            kind: "bundle",
            on: ETCD_MEMBER,
            owner: ETCD_USER,
            consumers: [
              restarts("etcd", "--trusted-ca-file", { measured: ETCD, with: { "--client-cert-auth": "true" } }),
              restarts("etcd", "--peer-trusted-ca-file", {
                measured: ETCD,
                with: { "--peer-client-cert-auth": "true" },
              }),
            ],
          },
          {
            path: `${pki}/etcd/ca.key`,
            kind: "private key",
            on: ETCD_MEMBER,
            mode: KEY_MODE,
            owner: ETCD_USER,
            consumers: [K0S_ISSUES],
          },
        ],
      },
    },

    keyPairs: {
      "service-account": {
        files: [
          {
            path: `${pki}/sa.pub`,
            kind: "public keys",
            on: CONTROL_PLANE,
            consumers: [restarts("kube-apiserver", "--service-account-key-file", { measured: KUBERNETES })],
          },
          {
            path: `${pki}/sa.key`,
            kind: "private key",
            on: CONTROL_PLANE,
            mode: KEY_MODE,
            owner: API_SERVER_USER,
            consumers: [
              restarts("kube-apiserver", "--service-account-signing-key-file", {
                measured: KUBERNETES,
                with: {
                  "--service-account-issuer": "https://kubernetes.default.svc",
                  "--service-account-jwks-uri": "https://kubernetes.default.svc/openid/v1/jwks",
                  "--api-audiences": "https://kubernetes.default.svc",
                },
              }),
              restarts("kube-controller-manager", "--service-account-private-key-file", { measured: KUBERNETES }),
            ],
          },
        ],
      },
    },

    certificates: {
      apiserver: {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "kubernetes",
        organization: "kubernetes",
        sans: SERVER_NAMES,
        exceptions: [TWO_USAGES],
        files: pair(
          "server",
          API_SERVER_USER,
          [
            reloads("kube-apiserver", "--tls-cert-file", { measured: KUBERNETES }),
            restarts("konnectivity-server", "--cluster-cert"),
          ],
          [
            reloads("kube-apiserver", "--tls-private-key-file", { measured: KUBERNETES }),
            restarts("konnectivity-server", "--cluster-key"),
          ],
        ),
      },
      "k0s-api": {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "k0s-api",
        organization: "kubernetes",
        sans: SERVER_NAMES,
        exceptions: [TWO_USAGES],
        files: pair("k0s-api", API_SERVER_USER, [K0S_API], [K0S_API]),
      },
      "apiserver-kubelet-client": {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "apiserver-kubelet-client",
        organization: "system:masters",
        exceptions: [TWO_USAGES, inMasters("k0s binds no role that would let the API server talk to kubelets")],
        files: pair(
          "apiserver-kubelet-client",
          API_SERVER_USER,
          [reloads("kube-apiserver", "--kubelet-client-certificate", { measured: KUBERNETES })],
          [reloads("kube-apiserver", "--kubelet-client-key", { measured: KUBERNETES })],
        ),
      },
      "front-proxy-client": {
        ...ISSUED,
        authority: "front-proxy",
        commonName: "front-proxy-client",
        organization: "front-proxy-client",
        exceptions: [TWO_USAGES],
        files: pair(
          "front-proxy-client",
          API_SERVER_USER,
          [reloads("kube-apiserver", "--proxy-client-cert-file", { measured: KUBERNETES })],
          [reloads("kube-apiserver", "--proxy-client-key-file", { measured: KUBERNETES })],
        ),
      },
      konnectivity: {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "kubernetes-konnectivity",
        organization: "system:masters",
        exceptions: [
          TWO_USAGES,
          inMasters("k0s has not found out yet what less would do for it, as a note in its source says"),
        ],
        files: [
          ...pair("konnectivity", KONNECTIVITY_USER, [], []),
          {
            path: `${pki}/konnectivity.conf`,
            kind: "kubeconfig",
            server: "local",
            on: CONTROL_PLANE,
            mode: KEY_MODE,
            owner: KONNECTIVITY_USER,
            consumers: [restarts("konnectivity-server", "--kubeconfig")],
          },
        ],
      },
      "etcd-server": {
        ...ISSUED,
        authority: "etcd",
        commonName: "etcd-server",
        organization: "etcd-server",
        sans: ["127.0.0.1", "localhost"],
        holders: ETCD_MEMBER,
        files: pair(
          "etcd/server",
          ETCD_USER,
          [reloads("etcd", "--cert-file", { measured: ETCD })],
          [reloads("etcd", "--key-file", { measured: ETCD })],
          ETCD_MEMBER,
        ),
      },
      "etcd-peer": {
        ...ISSUED,
        authority: "etcd",
        commonName: "{address}",
        organization: "etcd-peer",
        sans: ["{addresses}"],
        holders: ETCD_MEMBER,
        files: pair(
          "etcd/peer",
          ETCD_USER,
          [reloads("etcd", "--peer-cert-file", { measured: ETCD })],
          [reloads("etcd", "--peer-key-file", { measured: ETCD })],
          ETCD_MEMBER,
        ),
      },
      "apiserver-etcd-client": {
        ...ISSUED,
        authority: "etcd",
        commonName: "apiserver-etcd-client",
        organization: "apiserver-etcd-client",
        sans: ["127.0.0.1", "localhost"],
        exceptions: [TWO_USAGES],
        files: pair(
          "apiserver-etcd-client",
          API_SERVER_USER,
          [reloads("kube-apiserver", "--etcd-certfile", { measured: KUBERNETES })],
          [reloads("kube-apiserver", "--etcd-keyfile", { measured: KUBERNETES })],
        ),
      },

      admin: {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "kubernetes-admin",
        organization: "system:masters",
        holders: ["control-plane", "operator"],
        exceptions: [
          TWO_USAGES,
          inMasters("k0s itself works in the cluster with it on every controller, and binds no other role"),
        ],
        files: [
          ...pair("admin", "root:root", [K0S_ADMINISTERS], [K0S_ADMINISTERS]),
          {
            path: `${pki}/admin.conf`,
            kind: "kubeconfig",
            server: "local",
            on: CONTROL_PLANE,
            consumers: [K0S_ADMINISTERS],
          },
          // What `k0s kubeconfig admin` prints.
          { path: "/admin.conf", kind: "kubeconfig", server: "endpoint", on: ["operator"], consumers: [KUBECTL] },
        ],
      },
      "controller-manager": {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "system:kube-controller-manager",
        organization: "system:kube-controller-manager",
        exceptions: [TWO_USAGES],
        files: [
          ...pair("ccm", API_SERVER_USER, [], []),
          {
            path: `${pki}/ccm.conf`,
            kind: "kubeconfig",
            server: "local",
            on: CONTROL_PLANE,
            owner: API_SERVER_USER,
            consumers: [
              restarts("kube-controller-manager", "--kubeconfig", { measured: KUBERNETES }),
              restarts("kube-controller-manager", "--authentication-kubeconfig", { measured: KUBERNETES }),
              restarts("kube-controller-manager", "--authorization-kubeconfig", { measured: KUBERNETES }),
            ],
          },
        ],
      },
      scheduler: {
        ...ISSUED,
        authority: "kubernetes",
        commonName: "system:kube-scheduler",
        organization: "system:kube-scheduler",
        exceptions: [TWO_USAGES],
        files: [
          ...pair("scheduler", SCHEDULER_USER, [], []),
          {
            path: `${pki}/scheduler.conf`,
            kind: "kubeconfig",
            server: "local",
            on: CONTROL_PLANE,
            owner: SCHEDULER_USER,
            consumers: [
              restarts("kube-scheduler", "--kubeconfig"),
              restarts("kube-scheduler", "--authentication-kubeconfig"),
              restarts("kube-scheduler", "--authorization-kubeconfig"),
            ],
          },
        ],
      },
      // The controller-manager signs it when the kubelet joins. A controller runs a kubelet only with --enable-worker, which joins alike.
      kubelet: {
        authority: "kubernetes",
        commonName: "system:node:{machine}",
        organization: "system:nodes",
        usage: KeyUsage.CLIENT,
        holders: ["named-worker"],
        issuedBy: "distribution",
        files: [
          {
            path: `${dataDir}/kubelet.conf`,
            kind: "kubeconfig",
            server: "endpoint",
            on: ["named-worker"],
            consumers: [restarts("kubelet", "--kubeconfig")],
          },
        ],
      },
    },

    configuration: [
      {
        path: "/etc/k0s/cluster-config.yaml",
        on: CONTROL_PLANE,
        text: `apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
metadata:
  name: k0s
spec:
  api:
    extraArgs:
      client-ca-file: ${pki}/ca-bundle.crt
      kubelet-certificate-authority: ${pki}/ca-bundle.crt
      requestheader-client-ca-file: ${pki}/front-proxy-ca-bundle.crt
  controllerManager:
    extraArgs:
      client-ca-file: ${pki}/ca-bundle.crt
      root-ca-file: ${pki}/ca-bundle.crt
      requestheader-client-ca-file: ${pki}/front-proxy-ca-bundle.crt
  # Where k0s runs etcd itself.
  storage:
    type: etcd
    etcd:
      extraArgs:
        trusted-ca-file: ${pki}/etcd/ca-bundle.crt
        peer-trusted-ca-file: ${pki}/etcd/ca-bundle.crt
`,
        consumers: [uses("k0s", "k0s controller --config, once it is part of the configuration that you have")],
      },
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
          usages: ["usage-bootstrap-authentication"],
          description: "Worker bootstrap token generated by k0s",
          format: { kubeconfig: { cluster: "k0s", context: "k0s", user: "kubelet-bootstrap" }, encoding: "base64gzip" },
          // k0s takes any path; this is the one that k0sctl uses.
          file: { path: "/etc/k0s/k0stoken", on: "worker", consumers: [uses("k0s", "k0s worker --token-file")] },
        },
        controller: {
          // k0s' own join API asks for it, not the API server. The second is what it was called before 1.32.1.
          usages: ["usage-bootstrap-controller-join", "usage-controller-join"],
          description: "Controller bootstrap token generated by k0s",
          format: {
            kubeconfig: { cluster: "k0s", context: "k0s", user: "controller-bootstrap", port: 9443 },
            encoding: "base64gzip",
          },
          file: {
            path: "/controller-token",
            on: "operator",
            consumers: [uses("k0s", "k0s controller --token-file, on a controller that joins")],
          },
        },
      },
    },
  };
}
