import type { Consumer, ServedPort } from "./table";

// The component catalogue: what each component reads, whether it reads it again by itself, and on which port it shows it. These are
// facts about components, so they stand here once; a distribution's table says which of its files goes where, and on which holders.
//
// Where a version is given, `reload` and `restart` are what test/e2e/reload.test.ts saw of running components of that version. Elsewhere
// they are what the component's source or documentation says.

/** The version of Kubernetes whose components the catalogue is about. */
export const KUBERNETES = "1.36.3";
/** The version of etcd. */
export const ETCD = "3.6.14";

/** Two flags, of which one takes a certificate and the other its key: neither is read without the other. */
export interface CertificateAndKey {
  readonly certificate: Consumer;
  readonly key: Consumer;
}

type Flags = Readonly<Record<string, string>>;

/** The flags of a component, by what it does when a file changes. */
function flagsOf(component: string, measured?: string) {
  const known = measured === undefined ? {} : { measured };
  const reads =
    (onChange: Consumer["onChange"]) =>
    (flag: string, more: Partial<Consumer> = {}): Consumer => ({
      component,
      via: { flag },
      onChange,
      ...known,
      ...more,
    });
  const reloads = reads("reload");
  const restarts = reads("restart");
  return {
    reloads,
    restarts,
    /** A certificate and its key, which it reads again. */
    reloadsPair: (certificate: string, key: string, port?: ServedPort): CertificateAndKey => ({
      certificate: reloads(certificate, shownOn(port)),
      key: reloads(key),
    }),
    /** One kubeconfig for its own requests, and for whom it asks about those who come to it. */
    kubeconfigs: ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"].map((flag) =>
      restarts(flag),
    ),
  };
}

/** A field of a component's configuration file. */
function field(component: string, configField: string, onChange: Consumer["onChange"], port?: ServedPort): Consumer {
  return { component, via: { configField }, onChange, ...shownOn(port) };
}

/** Something that somebody does with a file, and from when on it does it with another. */
function use(component: string, text: string, onChange: Consumer["onChange"] = "next-use"): Consumer {
  return { component, via: { use: text }, onChange };
}

function shownOn(port: ServedPort | undefined): Pick<Consumer, "port"> {
  return port === undefined ? {} : { port };
}

/** What tells a server who may come as a front proxy, and in which headers it says for whom. */
export function requestHeaders(allowedName: string): Flags {
  return {
    "--requestheader-allowed-names": allowedName,
    "--requestheader-username-headers": "X-Remote-User",
    "--requestheader-group-headers": "X-Remote-Group",
    "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
  };
}

const etcdFlags = flagsOf("etcd", ETCD);
const ETCD_CLIENTS: ServedPort = { number: 2379, setBy: "--listen-client-urls" };
const ETCD_PEERS: ServedPort = { number: 2380, setBy: "--listen-peer-urls" };

/**
 * Certificates are read at every handshake, authorities at the start.
 *
 * @see https://etcd.io/docs/v3.6/op-guide/security/
 */
export const etcd = {
  serving: etcdFlags.reloadsPair("--cert-file", "--key-file", ETCD_CLIENTS),
  trustedCaFile: etcdFlags.restarts("--trusted-ca-file", {
    with: { "--client-cert-auth": "true" },
    port: ETCD_CLIENTS,
  }),
  peer: etcdFlags.reloadsPair("--peer-cert-file", "--peer-key-file", ETCD_PEERS),
  peerTrustedCaFile: etcdFlags.restarts("--peer-trusted-ca-file", {
    with: { "--peer-client-cert-auth": "true" },
    port: ETCD_PEERS,
  }),
} as const;

/** What somebody, or a liveness probe, asks etcd with. */
export const etcdctl = {
  caCert: use("etcdctl", "--cacert"),
  client: { certificate: use("etcdctl", "--cert"), key: use("etcdctl", "--key") },
} as const;

const apiserverFlags = flagsOf("kube-apiserver", KUBERNETES);
const API_SERVER: ServedPort = { number: 6443, setBy: "--secure-port", describedBy: "bindPort" };

/** @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ */
export const apiserver = {
  serving: apiserverFlags.reloadsPair("--tls-cert-file", "--tls-private-key-file", API_SERVER),
  /** With the other way in that every distribution offers, for machines that have no certificate yet. */
  clientCaFile: apiserverFlags.reloads("--client-ca-file", {
    with: { "--enable-bootstrap-token-auth": "true" },
    port: API_SERVER,
  }),
  /** Front proxies have to be named, unless the authority signs for nobody else. */
  requestheaderClientCaFile: (allowedName: string): Consumer =>
    apiserverFlags.reloads("--requestheader-client-ca-file", { with: requestHeaders(allowedName), port: API_SERVER }),
  /** At the next connection; one that is open is closed within five minutes. */
  kubeletClient: apiserverFlags.reloadsPair("--kubelet-client-certificate", "--kubelet-client-key"),
  /**
   * Since 1.36 it is read again at a request that comes five minutes after it was read last (`ClientsAllowCARotation`, beta; by hand it
   * was seen on 1.36.3). Before, it is not: a restart is right for every version.
   *
   * @see https://github.com/kubernetes/client-go/blob/v0.36.3/transport/ca_rotation.go
   */
  kubeletCertificateAuthority: flagsOf("kube-apiserver").restarts("--kubelet-certificate-authority"),
  proxyClient: apiserverFlags.reloadsPair("--proxy-client-cert-file", "--proxy-client-key-file"),
  /** At the next connection; one that is open stays open. */
  etcdClient: apiserverFlags.reloadsPair("--etcd-certfile", "--etcd-keyfile"),
  etcdCaFile: apiserverFlags.restarts("--etcd-cafile"),
  serviceAccountKeyFile: apiserverFlags.restarts("--service-account-key-file"),
  /** With the issuer that it writes into tokens, at least. */
  serviceAccountSigningKeyFile: (flags: Flags & { readonly "--service-account-issuer": string }): Consumer =>
    apiserverFlags.restarts("--service-account-signing-key-file", { with: flags }),
} as const;

const controllerManagerFlags = flagsOf("kube-controller-manager", KUBERNETES);
const CONTROLLER_MANAGER: ServedPort = { number: 10257, setBy: "--secure-port" };

/** How long what it signs is valid, in hours, where it is not told: the default of `--cluster-signing-duration`. */
export const HOURS_OF_CONTROLLER_MANAGER = 8760;

/** It signs with exactly one certificate, and exits at its start where it finds two. */
function signing(signer: string, { reloadsPair } = controllerManagerFlags): CertificateAndKey {
  return reloadsPair(`--cluster-signing${signer}-cert-file`, `--cluster-signing${signer}-key-file`);
}

/** @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ */
export const controllerManager = {
  serving: controllerManagerFlags.reloadsPair("--tls-cert-file", "--tls-private-key-file", CONTROLLER_MANAGER),
  clientCaFile: controllerManagerFlags.reloads("--client-ca-file", { port: CONTROLLER_MANAGER }),
  requestheaderClientCaFile: controllerManagerFlags.reloads("--requestheader-client-ca-file", {
    port: CONTROLLER_MANAGER,
  }),
  rootCaFile: controllerManagerFlags.restarts("--root-ca-file"),
  /** For all four signers. Then none of the next four may be set. */
  clusterSigning: signing(""),
  /** `kubernetes.io/kube-apiserver-client` */
  clusterSigningKubeApiserverClient: signing("-kube-apiserver-client"),
  /** `kubernetes.io/kube-apiserver-client-kubelet` */
  clusterSigningKubeletClient: signing("-kubelet-client"),
  /** `kubernetes.io/kubelet-serving` */
  clusterSigningKubeletServing: signing("-kubelet-serving"),
  /** `kubernetes.io/legacy-unknown`, which nobody can ask since 1.22: the one API that is left refuses its name. */
  clusterSigningLegacyUnknown: signing("-legacy-unknown", flagsOf("kube-controller-manager")),
  serviceAccountPrivateKeyFile: controllerManagerFlags.restarts("--service-account-private-key-file"),
  kubeconfigs: controllerManagerFlags.kubeconfigs,
} as const;

const schedulerFlags = flagsOf("kube-scheduler");

/** @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/ */
export const scheduler = {
  serving: schedulerFlags.reloadsPair("--tls-cert-file", "--tls-private-key-file", {
    number: 10259,
    setBy: "--secure-port",
  }),
  kubeconfigs: schedulerFlags.kubeconfigs,
  clientConnectionKubeconfig: field("kube-scheduler", "clientConnection.kubeconfig", "restart"),
} as const;

/** @see https://kubernetes.io/docs/reference/command-line-tools-reference/cloud-controller-manager/ */
export const cloudControllerManager = {
  kubeconfigs: flagsOf("cloud-controller-manager").kubeconfigs,
} as const;

const KUBELET: ServedPort = { number: 10250, setBy: "port" };

/** @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
export const kubelet = {
  /** Since 1.31 (`ReloadKubeletServerCertificateFile`, beta and on); not read with `serverTLSBootstrap`. */
  serving: {
    certificate: { ...field("kubelet", "tlsCertFile", "reload", KUBELET), measured: KUBERNETES },
    key: { ...field("kubelet", "tlsPrivateKeyFile", "reload"), measured: KUBERNETES },
  },
  /** Where no field names a certificate: the kubelet uses the two files if it finds them, and makes them if not. */
  servingByDefault: {
    certificate: { ...use("kubelet", "kubelet.crt of --cert-dir", "reload"), ...shownOn(KUBELET) },
    key: use("kubelet", "kubelet.key of --cert-dir", "reload"),
  },
  /**
   * What it accepts changes with it at once. What it shows in handshakes does since 1.36 (`ReloadKubeletClientCAFile`), and up to a minute
   * later: it looks once a minute whether that is another one.
   */
  clientCaFile: {
    ...field("kubelet", "authentication.x509.clientCAFile", "reload", KUBELET),
    measured: KUBERNETES,
  },
  /**
   * Of a kubelet that joined by token: its bootstrap kubeconfig names the file, and so does the kubeconfig that it writes. What is said
   * of `--kubelet-certificate-authority` is true of it, too: a restart is right for every version.
   */
  certificateAuthority: use(
    "kubelet",
    "the certificate-authority of its kubeconfig, where it joined by token",
    "restart",
  ),
  kubeconfig: flagsOf("kubelet").restarts("--kubeconfig"),
  /**
   * With `rotateCertificates` it copies the client certificate at its first start, renews the copy, and looks at the kubeconfig's no more as
   * long as the copy is valid (seen on 1.36.3).
   */
  kubeconfigWithRotation: (certDir = "/var/lib/kubelet/pki"): Consumer =>
    flagsOf("kubelet").restarts("--kubeconfig", { prefers: `${certDir}/kubelet-client-current.pem` }),
  bootstrapKubeconfig: flagsOf("kubelet").restarts("--bootstrap-kubeconfig"),
} as const;

/** @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/ */
export const kubeProxy = {
  kubeconfig: flagsOf("kube-proxy").restarts("--kubeconfig"),
  clientConnectionKubeconfig: field("kube-proxy", "clientConnection.kubeconfig", "restart"),
} as const;

const konnectivityFlags = flagsOf("konnectivity-server");

/** @see https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/ */
export const konnectivityServer = {
  /** What it shows to its agents. */
  cluster: {
    certificate: konnectivityFlags.restarts("--cluster-cert", { port: { number: 8132, setBy: "--agent-port" } }),
    key: konnectivityFlags.restarts("--cluster-key"),
  },
  kubeconfig: konnectivityFlags.restarts("--kubeconfig"),
} as const;

/** An administrator at the command line, who also makes kubeconfigs. */
export const kubectl = {
  kubeconfig: use("kubectl", "--kubeconfig"),
  setCredentials: {
    certificate: use("kubectl", "config set-credentials --client-certificate"),
    key: use("kubectl", "config set-credentials --client-key"),
  },
} as const;

/** Whoever asks the API server for its version, as guides do. */
export const curl = { caCert: use("curl", "--cacert") } as const;

/** @see https://kubernetes.io/docs/reference/setup-tools/kubeadm/ */
export const kubeadmCommand = {
  signs: use("kubeadm", "kubeadm certs renew, kubeadm join --control-plane"),
  init: use("kubeadm", "kubeadm init --config"),
  join: use("kubeadm", "kubeadm join --config"),
} as const;

const k0sApi = use("k0s", "k0s api, which each controller runs", "restart");

/** @see https://docs.k0sproject.io/stable/cli/ */
export const k0sCommand = {
  issues: use("k0s", "k0s controller, which issues its certificates at every start", "restart"),
  /** The API with which controllers join. */
  api: { certificate: { ...k0sApi, port: { number: 9443, setBy: "spec.api.k0sApiPort" } }, key: k0sApi },
  administers: use("k0s", "k0s controller, k0s kubectl, k0s token"),
  config: use("k0s", "k0s controller --config", "restart"),
  /** @see https://docs.k0sproject.io/stable/manifests/ */
  applies: use("k0s", "k0s controller, which applies manifests of its folder", "reload"),
  workerBootstrap: use("k0s", "k0s worker, where there is no kubelet.conf"),
  workerTokenFile: use("k0s", "k0s worker --token-file"),
  controllerTokenFile: use("k0s", "k0s controller --token-file, on a controller that joins"),
} as const;

/**
 * K3s and RKE2 as readers of their own files.
 *
 * @see https://docs.k3s.io/cli/server
 */
export function rancher(program: "k3s" | "rke2") {
  const { restarts } = flagsOf(program);
  return {
    signs: use(
      program,
      "the server, which issues its leaves at a start that finds them due or changed, and agents' when they join",
      "restart",
    ),
    dataDir: restarts("--data-dir"),
    agentKubeconfigs: use(program, "the agent's kubeconfigs"),
    tokenFile: restarts("--token-file"),
    agentTokenFile: restarts("--agent-token-file"),
    /** The file or one of the folder beside it, `<file>.d`. */
    config: restarts("--config"),
    /** @see https://github.com/k3s-io/k3s/blob/0301210fa15f/pkg/deploy/controller.go */
    applies: use(program, "the server, which applies manifests of its folder", "reload"),
  } as const;
}
