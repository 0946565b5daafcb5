import { Problems } from "../../errors";
import type { AuthorityRow, CertificateRow, Consumer, DistributionTable, FileRow, HolderKind } from "../table";
import { reloads, restarts, uses } from "./rows";
import { KeyUsage } from "../../x509/key-usage";

/** The sets of certificates of a single-CA installation: what one kind of verifier is shown. */
const SETS = [
  /** etcd's server certificates, for the API servers. */
  "etcd-server",
  /** etcd's members among themselves. */
  "etcd-peer",
  /** Clients of etcd: API servers, `etcdctl`. */
  "etcd-client",
  /** The API server's server certificate. */
  "apiserver",
  /** Clients of the API server: administrators, controller-manager, scheduler, kube-proxy. */
  "apiserver-client",
  /** The API server as a client of kubelets. */
  "apiserver-kubelet-client",
  /** The API server as a proxy before aggregated API servers. */
  "front-proxy-client",
  /** Kubelets' server certificates, for the API server. */
  "kubelet-server",
  /** Kubelets as clients of the API server. */
  "kubelet-client",
] as const;

/** A set of certificates of a single-CA installation, which may have an authority of its own. */
export type SingleCaSet = (typeof SETS)[number];

/** What may be chosen for a single-CA installation. Choose before the first deploy: another choice replaces certificates. */
export interface SingleCaOptions {
  /**
   * Sets that have an authority of their own, with the set's name, instead of the one CA's. What verifies such a set reads that
   * authority's bundle. Service accounts have none: they have a key pair.
   * @default - none
   */
  readonly ownAuthorities?: readonly SingleCaSet[];
  /**
   * One certificate on each machine for its API server, its etcd server and its etcd peer, as in the guide. Then one key is all three,
   * and a client of etcd's members as well: a warning says so.
   * @default false
   */
  readonly oneServerCertificate?: boolean;
}

/** What was measured was measured on these. */
const KUBERNETES = "1.36.3";
const ETCD = "3.6.14";

const CONTROL_PLANE: readonly HolderKind[] = ["control-plane"];
const ETCD_MEMBER: readonly HolderKind[] = ["etcd-member"];
const NAMED_WORKER: readonly HolderKind[] = ["named-worker"];
const OPERATOR: readonly HolderKind[] = ["operator"];

const KUBERNETES_FOLDER = "/var/lib/kubernetes";
const ETCD_FOLDER = "/etc/etcd";
const KUBELET_FOLDER = "/var/lib/kubelet";
const KUBE_PROXY_FOLDER = "/var/lib/kube-proxy";

/** Its name in the table, that of kubeadm's authority, since an access stack or a rotation means the same by it. */
const THE_CA = "kubernetes";
const ETCD_SETS: readonly string[] = ["etcd-server", "etcd-peer", "etcd-client"];
/** Sets that are one certificate by `oneServerCertificate`. */
const SERVER_SETS: readonly SingleCaSet[] = ["apiserver", "etcd-server", "etcd-peer"];

/**
 * Where one CA signs everything, whatever it signed for a client would be a client and a peer of etcd, kubelets included, and could be a
 * front proxy. So each of the three verifiers is told a name, which only the right certificates have.
 */
const ETCD_CLIENT_NAME = "etcd-client";
const FRONT_PROXY_NAME = "aggregator";

const ADMINS = "cluster-admins";
const BOOTSTRAPPERS = "system:bootstrappers:worker";

const KUBECTL = uses("kubectl", "--kubeconfig");
const ETCD_HERE = { etcd: ["stacked", "members"] } as const;
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
  const { ownAuthorities = [], oneServerCertificate = false } = options;
  const from: AuthorityOf = (set) => (ownAuthorities.includes(set) ? set : THE_CA);
  return {
    name: "single-ca",
    version: KUBERNETES,
    requires: { controlPlanes: true, addresses: true },
    apiServerAuthority: from("apiserver"),
    authorities: authorities(from, verifiers(oneServerCertificate ? "kubernetes" : "etcd-peer")),
    keyPairs: { "service-account": { files: SERVICE_ACCOUNT_FILES } },
    certificates: {
      ...(oneServerCertificate ? { apiserver: oneServer(from) } : separateServers(from)),
      ...etcdClients(from),
      ...clientsOfApiServer(from),
      ...apiServerAsClient(from),
      ...kubelets(from),
    },
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
      tokens: {
        worker: {
          usages: ["usage-bootstrap-authentication"],
          group: BOOTSTRAPPERS,
          format: { kubeconfig: { user: "kubelet-bootstrap" } },
          file: {
            path: `${KUBELET_FOLDER}/bootstrap-kubeconfig`,
            on: "worker",
            consumers: [restarts("kubelet", "--bootstrap-kubeconfig")],
          },
        },
      },
    },
  };
}

function checkOptions({ ownAuthorities = [], oneServerCertificate = false }: SingleCaOptions): void {
  const problems = new Problems();
  ownAuthorities.forEach((set, index) => {
    const at = `ownAuthorities[${index}]`;
    if (!SETS.includes(set)) {
      problems.add({
        code: "unknown-set",
        at,
        given: set,
        allowed: SETS.join(", "),
        fix: "use one of these; service accounts have a key pair",
      });
    } else if (oneServerCertificate && SERVER_SETS.includes(set)) {
      const allowed = SETS.filter((name) => !SERVER_SETS.includes(name)).join(", ");
      const fix = "leave oneServerCertificate out: one certificate has one authority";
      problems.add({ code: "one-server-certificate", at, given: set, allowed, fix });
    }
  });
  problems.throwIfAny("distribution single-ca");
}

/** Something that verifies certificates, and where its file is. */
interface Verifier {
  readonly sets: readonly SingleCaSet[];
  readonly on: readonly HolderKind[];
  readonly folder: string;
  readonly consumer: Consumer;
}

/** Who verifies what. The API server and etcd are told the names that some certificates must have. */
function verifiers(etcdPeer: string): Verifier[] {
  const etcd = { on: ETCD_MEMBER, folder: ETCD_FOLDER };
  const controlPlane = { on: CONTROL_PLANE, folder: KUBERNETES_FOLDER };
  const frontProxies: Partial<Consumer> = {
    measured: KUBERNETES,
    with: {
      "--requestheader-allowed-names": FRONT_PROXY_NAME,
      "--requestheader-username-headers": "X-Remote-User",
      "--requestheader-group-headers": "X-Remote-Group",
      "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
    },
  };
  const clients = {
    "--client-cert-auth": "true",
    "--client-cert-allowed-hostname": ETCD_CLIENT_NAME,
    "--enable-grpc-gateway": "false",
  };
  const peers = { "--peer-client-cert-auth": "true", "--peer-cert-allowed-cn": etcdPeer };
  const ofApiServer: readonly SingleCaSet[] = ["apiserver-client", "kubelet-client"];
  const kubelet: Consumer = {
    component: "kubelet",
    via: { configField: "authentication.x509.clientCAFile" },
    onChange: "reload",
  };
  const measured = { measured: KUBERNETES };
  return [
    {
      sets: ["etcd-client"],
      ...etcd,
      consumer: restarts("etcd", "--trusted-ca-file", { measured: ETCD, with: clients }),
    },
    {
      sets: ["etcd-peer"],
      ...etcd,
      consumer: restarts("etcd", "--peer-trusted-ca-file", { measured: ETCD, with: peers }),
    },
    { sets: ["etcd-server"], ...etcd, consumer: uses("etcdctl", "--cacert") },
    { sets: ["etcd-server"], ...controlPlane, consumer: restarts("kube-apiserver", "--etcd-cafile", measured) },
    { sets: ofApiServer, ...controlPlane, consumer: reloads("kube-apiserver", "--client-ca-file", measured) },
    {
      sets: ["kubelet-server"],
      ...controlPlane,
      consumer: restarts("kube-apiserver", "--kubelet-certificate-authority"),
    },
    {
      sets: ["front-proxy-client"],
      ...controlPlane,
      consumer: reloads("kube-apiserver", "--requestheader-client-ca-file", frontProxies),
    },
    { sets: ofApiServer, ...controlPlane, consumer: reloads("kube-controller-manager", "--client-ca-file", measured) },
    {
      sets: ["front-proxy-client"],
      ...controlPlane,
      consumer: reloads("kube-controller-manager", "--requestheader-client-ca-file", frontProxies),
    },
    { sets: ["apiserver"], ...controlPlane, consumer: restarts("kube-controller-manager", "--root-ca-file", measured) },
    { sets: ["apiserver-kubelet-client"], on: ["worker"], folder: KUBERNETES_FOLDER, consumer: kubelet },
    { sets: ["apiserver"], on: OPERATOR, folder: "", consumer: uses("curl", "--cacert") },
  ];
}

/** The CA, as long as anything is left for it to sign, and those of single sets. */
function authorities(from: AuthorityOf, all: readonly Verifier[]): Record<string, AuthorityRow> {
  const row = (name: string): AuthorityRow => ({
    commonName: `${name}-ca`,
    organization: "Kubernetes",
    ...(ETCD_SETS.includes(name) ? ETCD_HERE : {}),
    files: [...bundles(name, from, all), ...signing(name, from)],
  });
  return Object.fromEntries([...new Set(SETS.map(from))].map((name) => [name, row(name)]));
}

/** `ca.pem` is the CA's, and `<set>-ca.pem` a set's own. */
function fileOf(authority: string, ending: string): string {
  return `${authority === THE_CA ? "ca" : `${authority}-ca`}${ending}`;
}

/** The bundles of an authority, each with all that read it. Who verifies two authorities has a file of its own with both. */
function bundles(authority: string, from: AuthorityOf, all: readonly Verifier[]): FileRow[] {
  const rows = new Map<string, FileRow>();
  for (const { sets, on, folder, consumer } of all) {
    const [first, ...alsoOf] = [...new Set(sets.map(from))];
    if (first === authority) {
      const path = `${folder}/${alsoOf.length > 0 ? "client-ca.pem" : fileOf(authority, ".pem")}`;
      const known = rows.get(path);
      rows.set(path, {
        path,
        kind: "bundle",
        ...(alsoOf.length > 0 ? { alsoOf } : {}),
        on: [...new Set([...(known?.on ?? []), ...on])],
        consumers: [...(known?.consumers ?? []), { ...consumer, on }],
      });
    }
  }
  return [...rows.values()];
}

/** The set that each signer of the controller-manager signs for. */
const SIGNERS: readonly (readonly [flags: string, set: SingleCaSet])[] = [
  ["--cluster-signing-kube-apiserver-client", "apiserver-client"],
  ["--cluster-signing-kubelet-client", "kubelet-client"],
  ["--cluster-signing-kubelet-serving", "kubelet-server"],
];

/** What the controller-manager signs with. Keys of other authorities are on no machine: only Terraform signs with them. */
function signing(authority: string, from: AuthorityOf): FileRow[] {
  const signers = SIGNERS.filter(([, set]) => from(set) === authority).map(([flags]) => flags);
  const all = signers.length === SIGNERS.length;
  const consumers = (end: string): Consumer[] =>
    all
      ? [reloads("kube-controller-manager", `--cluster-signing-${end}`, { measured: KUBERNETES })]
      : signers.map((flags) => reloads("kube-controller-manager", `${flags}-${end}`));
  const file = (ending: string, kind: FileRow["kind"], end: string): FileRow => {
    const path = `${KUBERNETES_FOLDER}/${fileOf(authority, ending)}`;
    return { path, kind, on: CONTROL_PLANE, consumers: consumers(end) };
  };
  // One file more than the guides have: the controller-manager signs with exactly one certificate, and exits on a bundle of two.
  return signers.length === 0
    ? []
    : [file("-signing.pem", "signer", "cert-file"), file("-key.pem", "private key", "key-file")];
}

const SERVICE_ACCOUNT_FILES: readonly FileRow[] = [
  {
    path: `${KUBERNETES_FOLDER}/service-account.pem`,
    kind: "public keys",
    on: CONTROL_PLANE,
    consumers: [restarts("kube-apiserver", "--service-account-key-file", { measured: KUBERNETES })],
  },
  {
    path: `${KUBERNETES_FOLDER}/service-account-key.pem`,
    kind: "private key",
    on: CONTROL_PLANE,
    consumers: [
      restarts("kube-apiserver", "--service-account-signing-key-file", {
        measured: KUBERNETES,
        with: { "--service-account-issuer": "https://{endpoint}" },
      }),
      restarts("kube-controller-manager", "--service-account-private-key-file", { measured: KUBERNETES }),
    ],
  },
];

/** `<base>.pem` and `<base>-key.pem`, as cfssljson names them. */
function pair(
  base: string,
  on: readonly HolderKind[],
  certificate: readonly Consumer[],
  key: readonly Consumer[],
): FileRow[] {
  return [
    { path: `${base}.pem`, kind: "certificate", on, consumers: certificate },
    { path: `${base}-key.pem`, kind: "private key", on, consumers: key },
  ];
}

/** A pair that one component reads again by itself, by two flags. */
function reloaded(
  base: string,
  on: readonly HolderKind[],
  of: Pick<Consumer, "component" | "measured">,
  flags: string[],
) {
  const [certificate, key] = flags.map((flag) => reloads(of.component, flag, { measured: of.measured }));
  return pair(base, on, [certificate!], [key!]);
}

const API_SERVER = { component: "kube-apiserver", measured: KUBERNETES };
const ETCD_SERVER = { component: "etcd", measured: ETCD };
const API_SERVER_FLAGS = ["--tls-cert-file", "--tls-private-key-file"];
const ETCD_SERVER_FLAGS = ["--cert-file", "--key-file"];
const ETCD_PEER_FLAGS = ["--peer-cert-file", "--peer-key-file"];

function separateServers(from: AuthorityOf): Record<string, CertificateRow> {
  return {
    apiserver: {
      authority: from("apiserver"),
      commonName: "kubernetes",
      usage: KeyUsage.SERVER,
      sans: API_SERVER_NAMES,
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: reloaded(`${KUBERNETES_FOLDER}/kubernetes`, CONTROL_PLANE, API_SERVER, API_SERVER_FLAGS),
    },
    "etcd-server": {
      ...ETCD_HERE,
      authority: from("etcd-server"),
      commonName: "etcd-server",
      usage: KeyUsage.SERVER,
      sans: ETCD_NAMES,
      holders: ETCD_MEMBER,
      issuedBy: "terraform",
      files: reloaded(`${ETCD_FOLDER}/server`, ETCD_MEMBER, ETCD_SERVER, ETCD_SERVER_FLAGS),
    },
    "etcd-peer": {
      ...ETCD_HERE,
      authority: from("etcd-peer"),
      commonName: "etcd-peer",
      usage: KeyUsage.SERVER_AND_CLIENT,
      sans: ETCD_NAMES,
      holders: ETCD_MEMBER,
      issuedBy: "terraform",
      files: reloaded(`${ETCD_FOLDER}/peer`, ETCD_MEMBER, ETCD_SERVER, ETCD_PEER_FLAGS),
    },
  };
}

/** The guide's `kubernetes.pem`, where it is a server. */
function oneServer(from: AuthorityOf): CertificateRow {
  const etcd = (end: string) => reloads("etcd", `--${end}`, { measured: ETCD });
  return {
    authority: from("apiserver"),
    commonName: "kubernetes",
    usage: KeyUsage.SERVER_AND_CLIENT,
    sans: [...new Set([...API_SERVER_NAMES, ...ETCD_NAMES])],
    holders: ["control-plane", "etcd-member"],
    issuedBy: "terraform",
    exceptions: [
      {
        code: "one-server-certificate",
        reason:
          "one key is the API server, the etcd server and the etcd peer of its machine: who reads it may be any of them; " +
          "leave oneServerCertificate out to have one for each",
      },
    ],
    files: [
      ...reloaded(`${KUBERNETES_FOLDER}/kubernetes`, CONTROL_PLANE, API_SERVER, API_SERVER_FLAGS),
      ...pair(
        `${ETCD_FOLDER}/kubernetes`,
        ETCD_MEMBER,
        [etcd("cert-file"), etcd("peer-cert-file")],
        [etcd("key-file"), etcd("peer-key-file")],
      ),
    ],
  };
}

function etcdClients(from: AuthorityOf): Record<string, CertificateRow> {
  const client = { ...ETCD_HERE, authority: from("etcd-client"), usage: KeyUsage.CLIENT, sans: [ETCD_CLIENT_NAME] };
  return {
    "apiserver-etcd-client": {
      ...client,
      commonName: "kube-apiserver-etcd-client",
      holders: CONTROL_PLANE,
      issuedBy: "terraform",
      files: pair(
        `${KUBERNETES_FOLDER}/apiserver-etcd-client`,
        CONTROL_PLANE,
        [reloads("kube-apiserver", "--etcd-certfile", { measured: KUBERNETES })],
        [reloads("kube-apiserver", "--etcd-keyfile", { measured: KUBERNETES })],
      ),
    },
    "etcd-healthcheck-client": {
      ...client,
      commonName: "kube-etcd-healthcheck-client",
      holders: ETCD_MEMBER,
      issuedBy: "terraform",
      files: pair(
        `${ETCD_FOLDER}/healthcheck-client`,
        ETCD_MEMBER,
        [uses("etcdctl", "--cert")],
        [uses("etcdctl", "--key")],
      ),
    },
  };
}

/** A kubeconfig with the pair it is made of beside it, as the guides have them. */
function client(base: string, kubeconfig: Pick<FileRow, "path" | "server" | "consumers">, on: readonly HolderKind[]) {
  const makes = (option: string) => uses("kubectl", `config set-credentials ${option}`);
  return [
    ...pair(base, on, [makes("--client-certificate")], [makes("--client-key")]),
    { ...kubeconfig, kind: "kubeconfig" as const, on },
  ];
}

function clientsOfApiServer(from: AuthorityOf): Record<string, CertificateRow> {
  const row = { authority: from("apiserver-client"), usage: KeyUsage.CLIENT, issuedBy: "terraform" } as const;
  const controllerManager = `${KUBERNETES_FOLDER}/kube-controller-manager`;
  const scheduler = `${KUBERNETES_FOLDER}/kube-scheduler`;
  const clientConnection = (component: string): Consumer[] => [
    { component, via: { configField: "clientConnection.kubeconfig" }, onChange: "restart" },
  ];
  return {
    admin: {
      ...row,
      commonName: "admin",
      organization: ADMINS,
      holders: OPERATOR,
      files: client("/admin", { path: "/admin.kubeconfig", server: "endpoint", consumers: [KUBECTL] }, OPERATOR),
    },
    "super-admin": {
      ...row,
      commonName: "super-admin",
      organization: "system:masters",
      holders: OPERATOR,
      breakGlass: "the way in before any binding exists and when bindings are broken; keep it away from machines",
      files: [
        {
          path: "/super-admin.kubeconfig",
          kind: "kubeconfig",
          server: "endpoint",
          on: OPERATOR,
          consumers: [KUBECTL],
        },
      ],
    },
    "controller-manager": {
      ...row,
      commonName: "system:kube-controller-manager",
      organization: "system:kube-controller-manager",
      holders: CONTROL_PLANE,
      files: client(
        controllerManager,
        {
          path: `${controllerManager}.kubeconfig`,
          server: "local",
          consumers: [
            restarts("kube-controller-manager", "--kubeconfig", { measured: KUBERNETES }),
            restarts("kube-controller-manager", "--authentication-kubeconfig", { measured: KUBERNETES }),
            restarts("kube-controller-manager", "--authorization-kubeconfig", { measured: KUBERNETES }),
          ],
        },
        CONTROL_PLANE,
      ),
    },
    scheduler: {
      ...row,
      commonName: "system:kube-scheduler",
      organization: "system:kube-scheduler",
      holders: CONTROL_PLANE,
      files: client(
        scheduler,
        { path: `${scheduler}.kubeconfig`, server: "local", consumers: clientConnection("kube-scheduler") },
        CONTROL_PLANE,
      ),
    },
    "kube-proxy": {
      ...row,
      commonName: "system:kube-proxy",
      organization: "system:node-proxier",
      holders: NAMED_WORKER,
      files: client(
        `${KUBE_PROXY_FOLDER}/kube-proxy`,
        {
          path: `${KUBE_PROXY_FOLDER}/kubeconfig`,
          server: "endpoint",
          consumers: clientConnection("kube-proxy"),
        },
        NAMED_WORKER,
      ),
    },
  };
}

function apiServerAsClient(from: AuthorityOf): Record<string, CertificateRow> {
  const row = { usage: KeyUsage.CLIENT, holders: CONTROL_PLANE, issuedBy: "terraform" } as const;
  return {
    "apiserver-kubelet-client": {
      ...row,
      authority: from("apiserver-kubelet-client"),
      commonName: "kube-apiserver-kubelet-client",
      files: reloaded(`${KUBERNETES_FOLDER}/apiserver-kubelet-client`, CONTROL_PLANE, API_SERVER, [
        "--kubelet-client-certificate",
        "--kubelet-client-key",
      ]),
    },
    "front-proxy-client": {
      ...row,
      authority: from("front-proxy-client"),
      commonName: FRONT_PROXY_NAME,
      files: reloaded(`${KUBERNETES_FOLDER}/proxy-client`, CONTROL_PLANE, API_SERVER, [
        "--proxy-client-cert-file",
        "--proxy-client-key-file",
      ]),
    },
  };
}

/** The same subject twice, since the API server's signer of kubelets' server certificates asks for it, too. */
function kubelets(from: AuthorityOf): Record<string, CertificateRow> {
  const row = {
    commonName: "system:node:{machine}",
    organization: "system:nodes",
    holders: NAMED_WORKER,
    issuedBy: "terraform",
  } as const;
  const serves = (configField: string): Consumer[] => [
    { component: "kubelet", via: { configField }, onChange: "reload" },
  ];
  return {
    "kubelet-server": {
      ...row,
      authority: from("kubelet-server"),
      usage: KeyUsage.SERVER,
      sans: ["{machine}", "{addresses}"],
      files: pair(`${KUBELET_FOLDER}/{machine}`, NAMED_WORKER, serves("tlsCertFile"), serves("tlsPrivateKeyFile")),
    },
    kubelet: {
      ...row,
      authority: from("kubelet-client"),
      usage: KeyUsage.CLIENT,
      files: [
        {
          path: `${KUBELET_FOLDER}/kubeconfig`,
          kind: "kubeconfig",
          server: "endpoint",
          on: NAMED_WORKER,
          consumers: [restarts("kubelet", "--kubeconfig")],
        },
      ],
    },
  };
}
