import { Problems } from "../../errors";
import {
  apiserver,
  CertificateAndKey,
  controllerManager,
  curl,
  etcd,
  etcdctl,
  kubectl,
  kubelet,
  kubeProxy,
  KUBERNETES,
  requestHeaders,
  scheduler,
} from "../components";
import type {
  AuthorityRow,
  CertificateRow,
  Consumer,
  DistributionNames,
  DistributionTable,
  FileRow,
  HolderKind,
} from "../table";
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
  withFlags,
  WORKER,
  SIGNING_DURATION,
} from "./rows";
import { KeyUsage } from "../../x509/key-usage";

/** The sets of certificates of a single-CA installation: what one kind of verifier is shown. */
const SETS = {
  "etcd-server": "etcd's server certificates, for the API servers",
  "etcd-peer": "etcd's members among themselves",
  "etcd-client": "clients of etcd: API servers, etcdctl",
  apiserver: "the API server's server certificate",
  "apiserver-client": "clients of the API server: administrators, controller-manager, scheduler, kube-proxy",
  "apiserver-kubelet-client": "the API server as a client of kubelets",
  "front-proxy-client": "the API server as a proxy before aggregated API servers",
  "kubelet-server": "kubelets' server certificates, for the API server",
  "kubelet-client": "kubelets as clients of the API server",
} as const;

/** A set of certificates of a single-CA installation, which may have an authority of its own. */
export type SingleCaSet = keyof typeof SETS;

/** What may be chosen for a single-CA installation. Choose before the first deploy: another choice replaces certificates. */
export interface SingleCaOptions<Sets extends SingleCaSet = SingleCaSet, OneServer extends boolean = boolean> {
  /**
   * Sets that have an authority of their own, with the set's name, instead of the one CA's. What verifies such a set reads that
   * authority's bundle. Service accounts have none: they have a key pair.
   * @default - none
   */
  readonly ownAuthorities?: readonly Sets[];
  /**
   * One certificate on each machine for its API server, its etcd server and its etcd peer, as in the guide. Then one key is all three,
   * and a client of etcd's members as well: a warning says so.
   * @default false
   */
  readonly oneServerCertificate?: OneServer;
  /**
   * Folder of the API server's, controller-manager's and scheduler's files, and of the CA on workers: an absolute path without a last slash.
   * Guides have `/etc/kubernetes/ssl` or `/opt/kubernetes/ssl`, too.
   * @default /var/lib/kubernetes
   */
  readonly folder?: string;
  /**
   * Control planes run a kubelet and kube-proxy, too, and have the same certificates for them as named workers. Their kubeconfigs point at the
   * machine's own API server.
   * @default false
   */
  readonly kubeletOnControlPlanes?: boolean;
  /**
   * As whom kube-proxy comes on workers that join by token, which have no certificate for it. The access stack binds it to
   * `system:node-proxier`: the ServiceAccount `kube-proxy` of `kube-system`, for one that runs in a Pod, or the group `system:nodes`, for one
   * that is given the kubelet's kubeconfig.
   * @default - as nobody: only named workers have a kube-proxy that is let in
   * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles
   */
  readonly kubeProxyOfJoined?: keyof typeof KUBE_PROXIES;
}

/** Whom kube-proxy may come as without a certificate of its own. */
const KUBE_PROXIES = {
  "service-account": { serviceAccount: "kube-proxy", namespace: "kube-system" },
  nodes: { group: "system:nodes" },
} as const;

/** Names of the authorities of a single-CA installation: the one, and those of sets that have their own. */
export type SingleCaAuthority<Sets extends SingleCaSet = never> = "kubernetes" | Sets;

/** Names of the certificates of a single-CA installation; one server certificate is `apiserver`. */
export type SingleCaCertificate<OneServer extends boolean = false> =
  | "apiserver"
  | "apiserver-etcd-client"
  | "etcd-healthcheck-client"
  | "admin"
  | "super-admin"
  | "controller-manager"
  | "scheduler"
  | "kube-proxy"
  | "apiserver-kubelet-client"
  | "front-proxy-client"
  | "kubelet-server"
  | "kubelet"
  | (OneServer extends false ? "etcd-server" | "etcd-peer" : never);

/** Names of the certificates of a single-CA installation that have a kubeconfig. */
export type SingleCaKubeconfig = Extract<
  SingleCaCertificate,
  "admin" | "super-admin" | "controller-manager" | "scheduler" | "kube-proxy" | "kubelet"
>;

/** What a single-CA installation calls its parts. */
export interface SingleCaNames<
  Sets extends SingleCaSet = never,
  OneServer extends boolean = false,
> extends DistributionNames {
  readonly authority: SingleCaAuthority<Sets>;
  readonly keyPair: "service-account";
  readonly certificate: SingleCaCertificate<OneServer>;
  readonly kubeconfig: SingleCaKubeconfig;
  /** None: machines join with bootstrap tokens. */
  readonly joinPassword: never;
}

const KUBERNETES_FOLDER = "/var/lib/kubernetes";
const ETCD_FOLDER = "/etc/etcd";
const KUBELET_FOLDER = "/var/lib/kubelet";
const KUBE_PROXY_FOLDER = "/var/lib/kube-proxy";
const CONTROLLER_MANAGER = `${KUBERNETES_FOLDER}/kube-controller-manager`;
const SCHEDULER = `${KUBERNETES_FOLDER}/kube-scheduler`;

/** Its name in the table, that of kubeadm's authority, since an access stack or a rotation means the same by it. */
const THE_CA = "kubernetes";
const ALL_SETS = Object.keys(SETS) as SingleCaSet[];
const ETCD_SETS: readonly string[] = ["etcd-server", "etcd-peer", "etcd-client"];
/** Sets that are one certificate by `oneServerCertificate`. */
const SERVER_SETS: readonly SingleCaSet[] = ["apiserver", "etcd-server", "etcd-peer"];

/**
 * Where one CA signs everything, whatever it signed for a client would be a client and a peer of etcd, kubelets included, and could be a
 * front proxy. So each of the three verifiers accepts one name alone, which only the right certificates have.
 */
const ETCD_CLIENT_NAME = "etcd-client";
const FRONT_PROXY_NAME = "aggregator";

const ADMINS = "cluster-admins";
const BOOTSTRAPPERS = "system:bootstrappers:worker";

const ETCD_NAMES: readonly string[] = ["{machine}", "localhost", "{addresses}", "127.0.0.1", "::1"];
/** `kubernetes.svc.<domain>`, which the guide has, is nobody's name: the Service's name has its namespace in it. */
const API_SERVER_NAMES: readonly string[] = [
  "{machine}",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.{clusterDomain}",
  "{serviceIps}",
  "{addresses}",
  "127.0.0.1",
  "{endpoint}",
  "{extraSans}",
];

/** `<base>.pem` and `<base>-key.pem`, as cfssljson names them. */
const pair = pairsOf({ endings: [".pem", "-key.pem"] });

/** A certificate of a set, whatever authority that has. */
type SetRow = Omit<CertificateRow, "authority" | "issuedBy"> & { readonly set: SingleCaSet };

/** A kubeconfig with the pair it is made of beside it, as the guides have them. */
function withPair(base: string, file: FileRow): FileRow[] {
  return [...pair(base, file.on, [kubectl.setCredentials]), file];
}

const ETCD_CLIENT = {
  set: "etcd-client",
  etcd: ETCD_HERE,
  usage: KeyUsage.CLIENT,
  sans: [ETCD_CLIENT_NAME],
} as const;
const API_CLIENT = { set: "apiserver-client", usage: KeyUsage.CLIENT } as const;
const AS_CLIENT = { usage: KeyUsage.CLIENT, holders: CONTROL_PLANE } as const;
/** The same subject twice, since the API server's signer of kubelets' server certificates asks for it, too. */
const NODE = { commonName: "system:node:{machine}", organization: "system:nodes" } as const;

/** The API server's and etcd's servers, each with a certificate of its own. */
const SEPARATE_SERVERS: Readonly<Record<string, SetRow>> = {
  apiserver: {
    set: "apiserver",
    purpose: PURPOSES.apiserver,
    commonName: "kubernetes",
    usage: KeyUsage.SERVER,
    sans: API_SERVER_NAMES,
    holders: CONTROL_PLANE,
    files: pair(`${KUBERNETES_FOLDER}/kubernetes`, CONTROL_PLANE, [apiserver.serving]),
  },
  "etcd-server": {
    set: "etcd-server",
    purpose: PURPOSES["etcd-server"],
    etcd: ETCD_HERE,
    commonName: "etcd-server",
    usage: KeyUsage.SERVER,
    sans: ETCD_NAMES,
    holders: ETCD_MEMBER,
    files: pair(`${ETCD_FOLDER}/server`, ETCD_MEMBER, [etcd.serving]),
  },
  "etcd-peer": {
    set: "etcd-peer",
    purpose: PURPOSES["etcd-peer"],
    etcd: ETCD_HERE,
    commonName: "etcd-peer",
    usage: KeyUsage.SERVER_AND_CLIENT,
    sans: ETCD_NAMES,
    holders: ETCD_MEMBER,
    files: pair(`${ETCD_FOLDER}/peer`, ETCD_MEMBER, [etcd.peer]),
  },
};

/** The guide's `kubernetes.pem`, where it is a server. */
const ONE_SERVER: Readonly<Record<string, SetRow>> = {
  apiserver: {
    set: "apiserver",
    purpose: `${PURPOSES.apiserver} and etcd, and for etcd nodes to communicate with each other`,
    commonName: "kubernetes",
    usage: KeyUsage.SERVER_AND_CLIENT,
    sans: [...new Set([...API_SERVER_NAMES, ...ETCD_NAMES])],
    holders: ["control-plane", "etcd-member"],
    exceptions: [
      {
        code: "one-server-certificate",
        reason:
          "one key is the API server, the etcd server and the etcd peer of its machine: who reads it may be any of them; " +
          "leave oneServerCertificate out to have one for each",
      },
    ],
    files: [
      ...pair(`${KUBERNETES_FOLDER}/kubernetes`, CONTROL_PLANE, [apiserver.serving]),
      ...pair(`${ETCD_FOLDER}/kubernetes`, ETCD_MEMBER, [etcd.serving, etcd.peer]),
    ],
  },
};

/** All other certificates but those of machines with a kubelet. */
const CLIENTS: Readonly<Record<string, SetRow>> = {
  "apiserver-etcd-client": {
    ...ETCD_CLIENT,
    purpose: PURPOSES["apiserver-etcd-client"],
    commonName: "kube-apiserver-etcd-client",
    holders: CONTROL_PLANE,
    files: pair(`${KUBERNETES_FOLDER}/apiserver-etcd-client`, CONTROL_PLANE, [apiserver.etcdClient]),
  },
  "etcd-healthcheck-client": {
    ...ETCD_CLIENT,
    purpose: PURPOSES["etcd-healthcheck-client"],
    commonName: "kube-etcd-healthcheck-client",
    holders: ETCD_MEMBER,
    files: pair(`${ETCD_FOLDER}/healthcheck-client`, ETCD_MEMBER, [etcdctl.client]),
  },

  admin: {
    ...API_CLIENT,
    purpose: PURPOSES.admin,
    commonName: "admin",
    organization: ADMINS,
    holders: OPERATOR,
    files: withPair("/admin", kubeconfig("/admin.kubeconfig", "endpoint", OPERATOR, [kubectl.kubeconfig])),
  },
  "super-admin": {
    ...API_CLIENT,
    purpose: PURPOSES["super-admin"],
    commonName: "super-admin",
    organization: "system:masters",
    holders: OPERATOR,
    breakGlass: "the way in before any binding exists and when bindings are broken; keep it away from machines",
    files: [kubeconfig("/super-admin.kubeconfig", "endpoint", OPERATOR, [kubectl.kubeconfig])],
  },
  "controller-manager": {
    ...API_CLIENT,
    purpose: PURPOSES["controller-manager"],
    commonName: "system:kube-controller-manager",
    organization: "system:kube-controller-manager",
    holders: CONTROL_PLANE,
    files: withPair(
      CONTROLLER_MANAGER,
      kubeconfig(`${CONTROLLER_MANAGER}.kubeconfig`, "local", CONTROL_PLANE, controllerManager.kubeconfigs),
    ),
  },
  scheduler: {
    ...API_CLIENT,
    purpose: PURPOSES.scheduler,
    commonName: "system:kube-scheduler",
    organization: "system:kube-scheduler",
    holders: CONTROL_PLANE,
    files: withPair(
      SCHEDULER,
      kubeconfig(`${SCHEDULER}.kubeconfig`, "local", CONTROL_PLANE, [scheduler.clientConnectionKubeconfig]),
    ),
  },

  "apiserver-kubelet-client": {
    ...AS_CLIENT,
    set: "apiserver-kubelet-client",
    purpose: PURPOSES["apiserver-kubelet-client"],
    commonName: "kube-apiserver-kubelet-client",
    files: pair(`${KUBERNETES_FOLDER}/apiserver-kubelet-client`, CONTROL_PLANE, [apiserver.kubeletClient]),
  },
  "front-proxy-client": {
    ...AS_CLIENT,
    set: "front-proxy-client",
    purpose: PURPOSES["front-proxy-client"],
    commonName: FRONT_PROXY_NAME,
    files: pair(`${KUBERNETES_FOLDER}/proxy-client`, CONTROL_PLANE, [apiserver.proxyClient]),
  },
};

/** Certificates of machines with a kubelet. */
const ofNodes = (holders: readonly HolderKind[]): Readonly<Record<string, SetRow>> => ({
  "kube-proxy": {
    ...API_CLIENT,
    purpose: PURPOSES["kube-proxy"],
    commonName: "system:kube-proxy",
    organization: "system:node-proxier",
    holders,
    files: withPair(
      `${KUBE_PROXY_FOLDER}/kube-proxy`,
      kubeconfig(`${KUBE_PROXY_FOLDER}/kubeconfig`, "local", holders, [kubeProxy.clientConnectionKubeconfig]),
    ),
  },

  "kubelet-server": {
    ...NODE,
    holders,
    set: "kubelet-server",
    purpose: PURPOSES["kubelet-server"],
    usage: KeyUsage.SERVER,
    sans: ["{machine}", "{addresses}"],
    files: pair(`${KUBELET_FOLDER}/{machine}`, holders, [kubelet.serving]),
  },
  kubelet: {
    ...NODE,
    holders,
    set: "kubelet-client",
    purpose: PURPOSES.kubelet,
    usage: KeyUsage.CLIENT,
    files: [kubeconfig(`${KUBELET_FOLDER}/kubeconfig`, "local", holders, [kubelet.kubeconfigWithRotation()])],
  },
});

/** Something that verifies sets of certificates, and where its bundle is. */
interface Verifier {
  readonly sets: readonly SingleCaSet[];
  readonly on: readonly HolderKind[];
  readonly folder: string;
  readonly consumer: Consumer;
}

const API_CLIENTS: readonly SingleCaSet[] = ["apiserver-client", "kubelet-client"];

function verifiesOn(folder: string, on: readonly HolderKind[]) {
  return (consumer: Consumer, ...sets: SingleCaSet[]): Verifier => ({ sets, on, folder, consumer });
}
const onEtcd = verifiesOn(ETCD_FOLDER, ETCD_MEMBER);
const onControlPlane = verifiesOn(KUBERNETES_FOLDER, CONTROL_PLANE);
const onWorker = verifiesOn(KUBERNETES_FOLDER, WORKER);
const onOperators = verifiesOn("", OPERATOR);

/** Who verifies what. The API server and etcd are given the names that some certificates must have. */
function verifiers(etcdPeer: string, kubeletOnControlPlanes: boolean): readonly Verifier[] {
  const etcdClients = { "--client-cert-allowed-hostname": ETCD_CLIENT_NAME, "--enable-grpc-gateway": "false" };
  const etcdPeers = { "--peer-cert-allowed-cn": etcdPeer };
  const frontProxies = requestHeaders(FRONT_PROXY_NAME);
  return [
    onEtcd(withFlags(etcd.trustedCaFile, etcdClients), "etcd-client"),
    onEtcd(withFlags(etcd.peerTrustedCaFile, etcdPeers), "etcd-peer"),
    onEtcd(etcdctl.caCert, "etcd-server"),
    onControlPlane(apiserver.etcdCaFile, "etcd-server"),
    onControlPlane(apiserver.clientCaFile, ...API_CLIENTS),
    onControlPlane(apiserver.kubeletCertificateAuthority, "kubelet-server"),
    onControlPlane(apiserver.requestheaderClientCaFile(FRONT_PROXY_NAME), "front-proxy-client"),
    onControlPlane(controllerManager.clientCaFile, ...API_CLIENTS),
    onControlPlane(withFlags(controllerManager.requestheaderClientCaFile, frontProxies), "front-proxy-client"),
    onControlPlane(controllerManager.rootCaFile, "apiserver"),
    ...(kubeletOnControlPlanes ? [onControlPlane(kubelet.clientCaFile, "apiserver-kubelet-client")] : []),
    onWorker(kubelet.clientCaFile, "apiserver-kubelet-client"),
    onWorker(kubelet.certificateAuthority, "apiserver"),
    onOperators(curl.caCert, "apiserver"),
  ];
}

/** The set that each signer of the controller-manager signs for. */
const SIGNERS: readonly (readonly [CertificateAndKey, SingleCaSet])[] = [
  [controllerManager.clusterSigningKubeApiserverClient, "apiserver-client"],
  [controllerManager.clusterSigningKubeletClient, "kubelet-client"],
  [controllerManager.clusterSigningKubeletServing, "kubelet-server"],
];

/** The name of the authority of a set. */
type AuthorityOf = (set: SingleCaSet) => string;

/**
 * An installation of binaries whose certificates come from one CA, as the guides with cfssl make it: their layout, file names, users and
 * groups. Where etcd runs on machines of its own, they have `/etc/etcd` alone.
 *
 * What the guides have wrong is not so here:
 * - an administrator is in a group of its own, `cluster-admins`, which can be unbound, and not in `system:masters`; the way in before any
 *   binding exists is `super-admin`, which is on no machine;
 * - `kubernetes.default.svc.<domain>` is among the API server's names, not `kubernetes.svc.<domain>`, and no CIDR is;
 * - etcd's servers, peers and clients, the API server and its two roles as a client each have a certificate and a key of their own, and
 *   kubelets have two, one for each purpose; `oneServerCertificate` offers the guide's way, with a warning;
 * - service accounts have a key pair: what is in `service-account.pem` never expires;
 * - no O that is no group, and the scheduler's is `system:kube-scheduler`, where the guide now has `system:system:kube-scheduler`;
 * - the CA's name differs from all others in more than upper case, which comparisons of names leave out;
 * - since all certificates may come from one CA, etcd's members accept only peers, and clients with the name `etcd-client` among their
 *   alternative names, and front proxies have to be called `aggregator`. etcd's JSON gateway, itself a client of etcd without one, is off.
 *
 * A kubelet that joins by a token signs its own server certificate, which `--kubelet-certificate-authority` refuses, unless it has
 * `serverTLSBootstrap: true` and somebody approves what it asks for. Where sets that the controller-manager signs for have an authority of
 * their own, it signs for the three signers that somebody trusts, and not for `kubernetes.io/legacy-unknown`.
 *
 * @throws PkiError when a set is not known, or has to have an authority of its own and the one server certificate at once
 * @see https://github.com/kelseyhightower/kubernetes-the-hard-way/blob/79a3f79b/docs/04-certificate-authority.md
 * @see https://github.com/opsnull/follow-me-install-kubernetes-cluster
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export function singleCa(options: SingleCaOptions = {}): DistributionTable {
  checkOptions(options);
  const { ownAuthorities = [], oneServerCertificate = false, folder = KUBERNETES_FOLDER } = options;
  const { kubeletOnControlPlanes = false, kubeProxyOfJoined } = options;
  const placed = placedIn(folder);
  const from: AuthorityOf = (set) => (ownAuthorities.includes(set) ? set : THE_CA);
  const servers = oneServerCertificate ? ONE_SERVER : SEPARATE_SERVERS;
  const nodes = ofNodes(kubeletOnControlPlanes ? ["control-plane", "named-worker"] : NAMED_WORKER);
  const { commonName: etcdPeer } = servers["etcd-peer"] ?? servers.apiserver!;
  return {
    name: "single-ca",
    version: KUBERNETES,
    requires: { controlPlanes: true, addresses: true },
    withoutAuthorityKeys:
      "kube-controller-manager signs no requests, so that no kubelet joins by a token or renews its certificate",
    apiServerAuthority: from("apiserver"),
    authorities: placed(authorities(from, verifiers(etcdPeer, kubeletOnControlPlanes))),
    keyPairs: placed({
      "service-account": {
        purpose: PURPOSES["service-account"],
        files: [
          file(`${KUBERNETES_FOLDER}/service-account.pem`, "public keys", CONTROL_PLANE, [
            apiserver.serviceAccountKeyFile,
          ]),
          file(`${KUBERNETES_FOLDER}/service-account-key.pem`, "private key", CONTROL_PLANE, [
            apiserver.serviceAccountSigningKeyFile({ "--service-account-issuer": "https://{endpoint}" }),
            controllerManager.serviceAccountPrivateKeyFile,
          ]),
        ],
      },
    }),
    certificates: placed(
      Object.fromEntries(
        Object.entries({ ...servers, ...CLIENTS, ...nodes }).map(
          ([name, { set, ...row }]): [string, CertificateRow] => [
            name,
            { ...row, authority: from(set), issuedBy: "terraform" },
          ],
        ),
      ),
    ),
    configuration: [],
    access: {
      clusterAdmins: { group: ADMINS, binding: ADMINS },
      nodeBootstrapping: {
        group: BOOTSTRAPPERS,
        bindings: {
          createCsrs: "create-csrs-for-bootstrapping",
          approveFirst: "auto-approve-csrs-for-group",
          approveRenewals: "auto-approve-renewals-for-nodes",
        },
      },
      apiServerToKubelet: { user: "kube-apiserver-kubelet-client" },
      ...(kubeProxyOfJoined ? { kubeProxy: KUBE_PROXIES[kubeProxyOfJoined] } : {}),
      tokens: {
        worker: {
          purpose: PURPOSES.worker,
          usages: [AUTHENTICATION],
          group: BOOTSTRAPPERS,
          format: {
            kubeconfig: {
              user: "kubelet-bootstrap",
              certificateAuthority: `${relativeTo(KUBELET_FOLDER, folder)}/${baseOf(from("apiserver"))}.pem`,
            },
          },
          file: {
            path: `${KUBELET_FOLDER}/bootstrap-kubeconfig`,
            on: "worker",
            consumers: [kubelet.bootstrapKubeconfig],
          },
        },
      },
    },
  };
}

/** The way from one folder to another. */
function relativeTo(from: string, to: string): string {
  const [here, there] = [from.split("/"), to.split("/")];
  const fork = here.findIndex((part, index) => part !== there[index]);
  const shared = fork < 0 ? here.length : fork;
  return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/") || ".";
}

/** Puts the files of rows that are in the usual folder into another one. */
function placedIn(folder: string) {
  const place = (file: FileRow): FileRow =>
    file.path.startsWith(`${KUBERNETES_FOLDER}/`)
      ? { ...file, path: `${folder}${file.path.slice(KUBERNETES_FOLDER.length)}` }
      : file;
  return <R extends { readonly files: readonly FileRow[] }>(rows: Readonly<Record<string, R>>): Record<string, R> =>
    Object.fromEntries(
      Object.entries(rows).map(([name, row]): [string, R] => [name, { ...row, files: row.files.map(place) }]),
    );
}

function checkOptions({ ownAuthorities = [], oneServerCertificate = false }: SingleCaOptions): void {
  const problems = new Problems();
  ownAuthorities.forEach((set, index) => {
    const at = `ownAuthorities[${index}]`;
    if (!ALL_SETS.includes(set)) {
      problems.add({
        code: "unknown-set",
        at,
        given: set,
        allowed: ALL_SETS.join(", "),
        fix: "use one of these; service accounts have a key pair",
      });
    } else if (oneServerCertificate && SERVER_SETS.includes(set)) {
      const allowed = ALL_SETS.filter((name) => !SERVER_SETS.includes(name)).join(", ");
      const fix = "leave oneServerCertificate out: one certificate has one authority";
      problems.add({ code: "one-server-certificate", at, given: set, allowed, fix });
    }
  });
  problems.throwIfAny("distribution single-ca");
}

/** The CA, as long as anything is left for it to sign, and those of single sets. */
function authorities(from: AuthorityOf, all: readonly Verifier[]): Record<string, AuthorityRow> {
  const row = (name: string): AuthorityRow => ({
    purpose: name in SETS ? `CA for ${SETS[name as SingleCaSet]}` : PURPOSES.kubernetes,
    commonName: `${name}-ca`,
    organization: "Kubernetes",
    ...(ETCD_SETS.includes(name) ? { etcd: ETCD_HERE } : {}),
    ...(SIGNERS.some(([, set]) => from(set) === name) ? { signsNodesFor: "clusterSigningDuration" } : {}),
    files: [...bundles(name, from, all), ...signing(name, from)],
  });
  return Object.fromEntries([...new Set(ALL_SETS.map(from))].map((name) => [name, row(name)]));
}

/** `ca` is the CA's, and `<set>-ca` a set's own. */
function baseOf(authority: string): string {
  return authority === THE_CA ? "ca" : `${authority}-ca`;
}

/** The bundles of an authority, each with all that read it. Who verifies two authorities has a file of its own with both. */
function bundles(authority: string, from: AuthorityOf, all: readonly Verifier[]): FileRow[] {
  const rows = new Map<string, FileRow>();
  for (const { sets, on: holders, folder, consumer } of all) {
    const [first, ...alsoOf] = [...new Set(sets.map(from))];
    if (first === authority) {
      const path = `${folder}/${alsoOf.length > 0 ? "client-ca" : baseOf(authority)}.pem`;
      const known = rows.get(path);
      rows.set(path, {
        path,
        kind: "bundle",
        ...(alsoOf.length > 0 ? { alsoOf } : {}),
        on: [...new Set([...(known?.on ?? []), ...holders])],
        consumers: [...(known?.consumers ?? []), ...on(holders, consumer)],
      });
    }
  }
  return [...rows.values()];
}

const signerAndKey = pairsOf({ endings: ["-signing.pem", "-key.pem"], kind: "signer" });

/**
 * What the controller-manager signs with: one file more than the guides have, since it signs with exactly one certificate, and exits on a
 * bundle of two. Keys of other authorities are on no machine: only Terraform signs with them.
 */
function signing(authority: string, from: AuthorityOf): FileRow[] {
  const signers = SIGNERS.filter(([, set]) => from(set) === authority).map(([reader]) => reader);
  const pairs = signers.length === SIGNERS.length ? [controllerManager.clusterSigning] : signers;
  const readers = pairs.map(({ certificate, key }) => ({ certificate: withFlags(certificate, SIGNING_DURATION), key }));
  return readers.length > 0 ? signerAndKey(`${KUBERNETES_FOLDER}/${baseOf(authority)}`, CONTROL_PLANE, readers) : [];
}
