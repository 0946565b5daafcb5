import {
  apiserver,
  CertificateAndKey,
  cloudControllerManager,
  controllerManager,
  etcd,
  kubectl,
  kubelet,
  kubeProxy,
  rancher,
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
  RowException,
} from "../table";
import {
  AUTHENTICATION,
  certificatesOf,
  CONTROL_PLANE,
  ETCD_HERE,
  ETCD_MEMBER,
  file,
  keysOf,
  kubeconfig,
  onPort,
  OPERATOR,
  pairsOf,
  PURPOSES,
} from "./rows";
import { bindsClusterAdmins, clusterAdmin } from "./cluster-admin";
import { KeyUsage } from "../../x509/key-usage";

/** What the authorities of K3s or RKE2 may hang below. */
export type K3sChain = "root" | "intermediate";

/** What may be chosen for K3s or RKE2. */
export interface K3sOptions<Chained extends K3sChain = K3sChain, Admin extends boolean = boolean> {
  /**
   * The program's `--data-dir`, an absolute path without a last slash.
   * @default - `/var/lib/rancher/k3s`, `/var/lib/rancher/rke2`
   */
  readonly dataDir?: string;
  /**
   * What the five authorities hang below: `root` for an `intermediate` below a `root`, whose keys stay in the Terraform state;
   * `intermediate` for that alone, which then comes from outside, `Generation.fromPem` with the chain above it. A later generation of
   * one of the five is trusted by whoever trusts the root. Choose before the first deploy. A secure token holds a hash that Terraform
   * can only make of a root that was given as literal PEM. Every verifier then accepts what any of the five signed, a client of the API
   * server at etcd, too: a warning says so.
   * @default - nothing: they are self-signed
   */
  readonly chained?: Chained;
  /**
   * A kubeconfig for the operator, `/cluster-admin.conf`, whose certificate Terraform issues although the program issues all others: in the
   * group `cluster-admins`, which a manifest on every server binds to `cluster-admin`. Without it, the first way in is the program's own
   * kubeconfig on a server.
   * @default false
   */
  readonly clusterAdmin?: Admin;
}

/** What may be chosen for RKE2 alone. */
export interface Rke2Options<Chained extends K3sChain = K3sChain, Admin extends boolean = boolean> extends K3sOptions<
  Chained,
  Admin
> {
  /**
   * RKE2's `--profile`. With one, etcd runs as the user `etcd`, to whom RKE2 gives the files that it names to it.
   * @default - none: etcd runs as root
   * @see https://docs.rke2.io/security/hardening_guide
   */
  readonly profile?: "cis" | "etcd";
}

/** K3s, or what is K3s under another name. */
export type K3sProgram = "k3s" | "rke2";

/** Names of the authorities of K3s or RKE2; those above the five exist where they are chosen. */
export type K3sAuthority<Chained extends K3sChain = never> =
  "server" | "client" | "request-header" | "etcd-server" | "etcd-peer" | (Chained extends "root" ? K3sChain : Chained);

/** Names of the certificates of K3s or RKE2; the operator's exists where it is chosen. */
export type K3sCertificate<Program extends K3sProgram = "k3s", Admin extends boolean = false> =
  | "apiserver"
  | "apiserver-kubelet-client"
  | "front-proxy-client"
  | "apiserver-etcd-client"
  | "etcd-server"
  | "etcd-peer"
  | "controller-manager-server"
  | "scheduler-server"
  | "admin"
  | "supervisor"
  | "controller-manager"
  | "scheduler"
  | "cloud-controller-manager"
  | "kubelet"
  | "kubelet-server"
  | "kube-proxy"
  | `${Program}-controller`
  | (Admin extends false ? never : "cluster-admin");

/** Names of the certificates of K3s or RKE2 that have a kubeconfig. */
export type K3sKubeconfig<Program extends K3sProgram = "k3s", Admin extends boolean = false> = Extract<
  K3sCertificate<Program, Admin>,
  | "apiserver-kubelet-client"
  | "admin"
  | "supervisor"
  | "controller-manager"
  | "scheduler"
  | "cloud-controller-manager"
  | "kubelet"
  | "kube-proxy"
  | `${Program}-controller`
  | "cluster-admin"
>;

/** What joins K3s or RKE2 with a password. */
export type K3sJoinPassword = "server" | "agent";

/** What K3s and RKE2 call their parts. */
export interface K3sNames<
  Program extends K3sProgram = "k3s",
  Chained extends K3sChain = never,
  Admin extends boolean = false,
> extends DistributionNames {
  readonly authority: K3sAuthority<Chained>;
  readonly keyPair: "service-account";
  readonly certificate: K3sCertificate<Program, Admin>;
  readonly kubeconfig: K3sKubeconfig<Program, Admin>;
  readonly joinPassword: K3sJoinPassword;
}

/** How long certificates of agents are valid, in hours: K3s' own are for 365 days, unless CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS says more. */
const HOURS_OF_AGENTS = 8760;

/** Machines that run the server; one that only runs etcd has the same authorities. */
const SERVERS: readonly HolderKind[] = ["control-plane", "etcd-member"];

/** Machines that run the agent: every server does as well. */
const AGENTS: readonly HolderKind[] = [...SERVERS, "named-worker"];

/** What the server's own names are in every serving certificate: `tls-san` and what it finds out about its machine. */
const SERVER_NAMES = [
  "{machine}",
  "localhost",
  "127.0.0.1",
  "::1",
  "{addresses}",
  "{serviceIps}",
  "{endpoint}",
  "{extraSans}",
];
const API_SERVER_NAMES = [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.{clusterDomain}",
  ...SERVER_NAMES,
];
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "::1"];

/** What a chain costs, in K3s' own set of custom authorities as well. */
const SHARED_ROOT: RowException = {
  code: "shared-root",
  reason:
    "every bundle ends with the one chain above it, so each verifier accepts what any of the authorities below it signed: " +
    "a client of the API server is one of etcd, too",
};

function inMasters(reason: string): Pick<CertificateRow, "organization" | "exceptions"> {
  return { organization: "system:masters", exceptions: [{ code: "system-masters", reason }] };
}

/** What K3s calls the entries of each kubeconfig that a component reads: KubeconfigTemplate of pkg/daemons/control/deps/deps.go. */
const NAMES = { kubeconfigNames: { cluster: "local", context: "Default", user: "user" } };
/** And of the one that it writes for people: WriteClientKubeConfig of pkg/clientaccess/kubeconfig.go. */
const NAMES_FOR_PEOPLE = { kubeconfigNames: { cluster: "default", context: "default", user: "default" } };

/** What the program itself writes from the files that it was given. */
const DERIVED = { writtenBy: "distribution" } as const;

/** An agent writes certificates as it does keys: getHostFile and its like in pkg/agent/config/config.go. */
const AGENT_MODE = { mode: "0600" } as const;

/**
 * What the program itself took from the files into its datastore, where it is from then on: it ends at a start that finds a newer file.
 *
 * @see https://docs.k3s.io/cli/certificate#rotating-custom-ca-certificates
 * @see https://docs.rke2.io/security/certificates#rotating-custom-ca-certificates
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/cluster/bootstrap.go for what is compared at a start: ReconcileBootstrapData
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/server.go for `cred`, which it makes with any datastore: prepare
 */
function firstStartOnly(program: string, folder: string): Required<Pick<FileRow, "firstStartOnly">> {
  return { firstStartOnly: { command: `${program} certificate rotate-ca`, folder, madeAtStart: `${folder}/cred` } };
}

/** What the program issues itself, for servers. */
const ISSUED = { issuedBy: "distribution", holders: CONTROL_PLANE } as const;
const CLIENT = { ...ISSUED, authority: "client", usage: KeyUsage.CLIENT } as const;
const SERVER = { ...ISSUED, authority: "server", usage: KeyUsage.SERVER } as const;

/** The certificate with those above it, and its key. */
const pair = pairsOf({ endings: [".crt", ".key"], kind: "chain" });

/**
 * K3s and RKE2, which is K3s under another name as far as certificates go: both name files and users after their program.
 *
 * They issue their leaves themselves, for every agent that joins, and for a server at a start that finds one missing, of an authority
 * before, without a name that it has by now, or within 120 days of its end, from the authorities that they find in `server/tls`. Terraform
 * makes those, exactly the 11 files of a custom CA; they must lie there before the first start, and on every server; after it, `certificate rotate-ca` takes others from another folder. With `issueLeaves` Terraform issues the leaves as well, for
 * components that are run by hand. Kubeconfigs then hold what K3s' name by path, certificate and key inline, and point at the API server
 * itself instead of the program's own load balancer.
 *
 * Each agent makes its keys itself. Before k3s#11471, a server handed out one key to all kubelets of a cluster and one to all kube-proxies;
 * after it, and until 1.30.12, 1.31.8 and 1.32.4, one to an agent of before for both, in the path that is there for such agents
 * (k3s#12012).
 *
 * @see https://github.com/k3s-io/k3s/pull/11471
 * @see https://github.com/k3s-io/k3s/issues/12012
 * @see https://docs.k3s.io/cli/certificate#using-custom-ca-certificates
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/deps/deps.go for files, subjects, usages and names
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/server.go for flags
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/agent/config/config.go for the agent's files
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/server/handlers/handlers.go for what it issues to agents
 * @see https://github.com/k3s-io/k3s/blob/4ca29faac89e/pkg/configfilearg/parser.go for drop-ins: readConfigFile
 * @see https://github.com/k3s-io/k3s/blob/4ca29faac89e/pkg/cli/cmds for what stands in them, as flags: server.go, agent.go
 * @see https://github.com/rancher/rke2/blob/master/scripts/version.sh for the program's name
 */
export function k3s(options: Rke2Options & { readonly program: K3sProgram }): DistributionTable {
  const { profile, program, dataDir = `/var/lib/rancher/${program}`, chained, clusterAdmin: withAdmin } = options;
  const server = `${dataDir}/server`;
  const tls = `${server}/tls`;
  const cred = `${server}/cred`;
  const agent = `${dataDir}/agent`;
  const etc = `/etc/rancher/${program}`;
  const { signs, dataDir: reads, agentKubeconfigs, tokenFile, agentTokenFile, config, applies } = rancher(program);
  const readsBoth: CertificateAndKey = { certificate: reads, key: reads };

  /** K3s itself listens on 6443, with a certificate that it keeps in a Secret, and hands on to an API server on loopback. */
  const ofApiServer = (consumer: Consumer) => (program === "k3s" ? onPort(consumer, 6444) : consumer);

  /**
   * Where machines join: RKE2's supervisor has a port of its own, and K3s' that of the API server.
   *
   * @see https://github.com/rancher/rke2/blob/v1.36.3%2Brke2r1/pkg/cli/defaults/defaults.go
   */
  const joinUrl = program === "k3s" ? "https://{endpoint}" : "https://{endpointHost}:9345";

  /** Some of what the program is told, beside the configuration of who runs it. */
  const told = (name: string, on: readonly HolderKind[], text: string) => ({
    path: `${etc}/config.yaml.d/10-kubernetes-pki${name}.yaml`,
    on,
    text,
    consumers: [config],
  });

  /**
   * RKE2 gives them away at every start of etcd, see podSpec.Files there. Authorities' keys stay root's.
   *
   * @see https://github.com/rancher/rke2/blob/v1.36.3%2Brke2r1/pkg/executor/staticpod/staticpod.go
   */
  const ofEtcd = profile === undefined ? {} : { owner: "etcd:etcd" };

  const atFirst = firstStartOnly(program, server);
  const below: Pick<AuthorityRow, "issuer"> = chained ? { issuer: "intermediate" } : {};

  /** `<base>-ca.crt` and `<base>-ca.key`, with what reads them beside the program. */
  const authority = (
    base: string,
    certificate: readonly Consumer[],
    key: readonly Consumer[] = [],
    more: Partial<FileRow> = {},
  ): FileRow[] => [
    file(`${tls}/${base}-ca.crt`, "bundle", SERVERS, [...certificate, reads], { ...atFirst, ...more }),
    file(`${tls}/${base}-ca.key`, "private key", SERVERS, [...key, signs], atFirst),
  ];

  /** What the controller-manager signs with, and what agents verify with. */
  const made = (name: string, signers: readonly CertificateAndKey[], verifier: Consumer): FileRow[] => [
    file(`${tls}/${name}-ca.nochain.crt`, "signer", SERVERS, certificatesOf(signers), DERIVED),
    file(`${agent}/${name}-ca.crt`, "bundle", [...SERVERS, "worker"], [verifier], { ...DERIVED, ...AGENT_MODE }),
  ];
  const serverSigners = [controllerManager.clusterSigningKubeletServing, controllerManager.clusterSigningLegacyUnknown];
  const clientSigners = [
    controllerManager.clusterSigningKubeApiserverClient,
    controllerManager.clusterSigningKubeletClient,
  ];

  /** A client of the API server on a server, or on every agent: the pair, and a kubeconfig that K3s makes of it. */
  const serverClient = (base: string, name: string, consumers: readonly Consumer[]): FileRow[] => [
    ...pair(`${tls}/${base}`, CONTROL_PLANE, [readsBoth]),
    kubeconfig(`${cred}/${name}.kubeconfig`, "local", CONTROL_PLANE, consumers, NAMES),
  ];
  const agentClient = (base: string, name: string, consumers: readonly Consumer[]): FileRow[] => [
    ...pair(`${agent}/${base}`, AGENTS, [readsBoth], AGENT_MODE),
    kubeconfig(`${agent}/${name}.kubeconfig`, "local", AGENTS, consumers, NAMES),
  ];

  return {
    name: program,
    version: "1.33",
    requires: { controlPlanes: true, addresses: true },

    // K3s' own script makes such a set, and each of its files ends with the root: a token holds the hash of that.
    sharedRoot: SHARED_ROOT.reason,
    apiServerAuthority: "server",
    authorities: {
      // No machine has a file of these two: their certificates stand in the files of the others, and their keys in the state.
      ...(chained === "root"
        ? { root: { purpose: "CA above the intermediate", commonName: `${program}-root-ca`, files: [] } }
        : {}),
      ...(chained
        ? {
            intermediate: {
              purpose: "CA above the five that the program signs with",
              commonName: `${program}-intermediate-ca`,
              ...(chained === "root" ? { issuer: "root" } : {}),
              files: [],
              exceptions: [SHARED_ROOT],
            },
          }
        : {}),
      // K3s puts the time after the CN of those that it makes itself; nothing looks at it. A later generation has its id as OU.
      server: {
        ...below,
        purpose: "CA to provision identities for the servers of the Kubernetes API and of kubelets",
        commonName: `${program}-server-ca`,
        files: [
          ...authority(
            "server",
            [apiserver.kubeletCertificateAuthority, controllerManager.rootCaFile],
            keysOf(serverSigners),
          ),
          ...made("server", serverSigners, agentKubeconfigs),
        ],
      },
      client: {
        ...below,
        purpose: "CA to provision identities for clients of the Kubernetes API and of kubelets",
        commonName: `${program}-client-ca`,
        signsNodesFor: HOURS_OF_AGENTS,
        files: [
          ...authority("client", [ofApiServer(apiserver.clientCaFile)], keysOf(clientSigners)),
          ...made("client", clientSigners, kubelet.clientCaFile),
        ],
      },
      "request-header": {
        ...below,
        purpose: PURPOSES["front-proxy"],
        commonName: `${program}-request-header-ca`,
        files: authority("request-header", [ofApiServer(apiserver.requestheaderClientCaFile("system:auth-proxy"))]),
      },
      // K3s refuses to start without these two, wherever etcd runs. It tells etcd by a configuration file what stands here as flags.
      "etcd-server": {
        ...below,
        purpose: "CA to provision identities for etcd's servers and their clients",
        commonName: "etcd-server-ca",
        files: authority("etcd/server", [etcd.trustedCaFile, apiserver.etcdCaFile], [], ofEtcd),
      },
      "etcd-peer": {
        ...below,
        purpose: "CA to provision identities for etcd nodes among themselves",
        commonName: "etcd-peer-ca",
        files: authority("etcd/peer", [etcd.peerTrustedCaFile], [], ofEtcd),
      },
    },

    keyPairs: {
      "service-account": {
        purpose: PURPOSES["service-account"],
        files: [
          // Private keys: the API server takes the public ones out of them.
          file(`${tls}/service.key`, "private keys", SERVERS, [apiserver.serviceAccountKeyFile, reads], atFirst),
          file(
            `${tls}/service.current.key`,
            "private key",
            SERVERS,
            [
              apiserver.serviceAccountSigningKeyFile({
                "--service-account-issuer": "https://kubernetes.default.svc.{clusterDomain}",
                "--api-audiences": `https://kubernetes.default.svc.{clusterDomain},${program}`,
              }),
              controllerManager.serviceAccountPrivateKeyFile,
            ],
            DERIVED,
          ),
        ],
      },
    },

    certificates: {
      apiserver: {
        ...SERVER,
        purpose: PURPOSES.apiserver,
        commonName: "kube-apiserver",
        sans: API_SERVER_NAMES,
        files: pair(`${tls}/serving-kube-apiserver`, CONTROL_PLANE, [
          { certificate: ofApiServer(apiserver.serving.certificate), key: apiserver.serving.key },
        ]),
      },
      "apiserver-kubelet-client": {
        ...CLIENT,
        ...inMasters(`the API server reaches kubelets and ${program} itself with it, and no role is bound to it`),
        purpose: `${PURPOSES["apiserver-kubelet-client"]}, and to ${program} itself`,
        commonName: "system:apiserver",
        files: [
          ...pair(`${tls}/client-kube-apiserver`, CONTROL_PLANE, [apiserver.kubeletClient]),
          kubeconfig(`${cred}/api-server.kubeconfig`, "local", CONTROL_PLANE, [reads], NAMES),
        ],
      },
      "front-proxy-client": {
        ...CLIENT,
        purpose: PURPOSES["front-proxy-client"],
        authority: "request-header",
        commonName: "system:auth-proxy",
        files: pair(`${tls}/client-auth-proxy`, CONTROL_PLANE, [apiserver.proxyClient]),
      },
      "apiserver-etcd-client": {
        ...CLIENT,
        purpose: PURPOSES["apiserver-etcd-client"],
        authority: "etcd-server",
        etcd: ETCD_HERE,
        commonName: "etcd-client",
        files: pair(`${tls}/etcd/client`, CONTROL_PLANE, [apiserver.etcdClient]),
      },
      "etcd-server": {
        ...ISSUED,
        purpose: PURPOSES["etcd-server"],
        authority: "etcd-server",
        etcd: ETCD_HERE,
        commonName: "etcd-server",
        // etcd's gRPC gateway connects to its own server with this certificate as a client.
        usage: KeyUsage.SERVER_AND_CLIENT,
        sans: ["kine.sock", ...SERVER_NAMES],
        holders: ETCD_MEMBER,
        files: pair(`${tls}/etcd/server-client`, ETCD_MEMBER, [etcd.serving], ofEtcd),
      },
      "etcd-peer": {
        ...ISSUED,
        purpose: PURPOSES["etcd-peer"],
        authority: "etcd-peer",
        etcd: ETCD_HERE,
        commonName: "etcd-peer",
        usage: KeyUsage.SERVER_AND_CLIENT,
        sans: ["kine.sock", ...SERVER_NAMES],
        holders: ETCD_MEMBER,
        files: pair(`${tls}/etcd/peer-server-client`, ETCD_MEMBER, [etcd.peer], ofEtcd),
      },
      "controller-manager-server": {
        ...SERVER,
        purpose: "certificate for serving the controller manager's metrics",
        commonName: "kube-controller-manager",
        sans: LOOPBACK_NAMES,
        files: pair(`${tls}/kube-controller-manager/kube-controller-manager`, CONTROL_PLANE, [
          controllerManager.serving,
        ]),
      },
      "scheduler-server": {
        ...SERVER,
        purpose: "certificate for serving the scheduler's metrics",
        commonName: "kube-scheduler",
        sans: LOOPBACK_NAMES,
        files: pair(`${tls}/kube-scheduler/kube-scheduler`, CONTROL_PLANE, [scheduler.serving]),
      },

      admin: {
        ...CLIENT,
        ...inMasters(`${program} has no other administrator; who has ${etc}/${program}.yaml is this one`),
        purpose: PURPOSES.admin,
        commonName: "system:admin",
        holders: ["control-plane", "operator"],
        files: [
          ...serverClient("client-admin", "admin", [kubectl.kubeconfig]),
          kubeconfig(`${etc}/${program}.yaml`, "local", CONTROL_PLANE, [kubectl.kubeconfig], NAMES_FOR_PEOPLE),
          kubeconfig("/admin.conf", "endpoint", OPERATOR, [kubectl.kubeconfig]),
        ],
      },
      supervisor: {
        ...CLIENT,
        ...inMasters(`${program} deploys its own roles and manifests with it, before anything is bound`),
        purpose: `certificate for ${program}'s supervisor to connect to the API server`,
        commonName: `system:${program}-supervisor`,
        files: serverClient("client-supervisor", "supervisor", [reads]),
      },
      "controller-manager": {
        ...CLIENT,
        purpose: PURPOSES["controller-manager"],
        commonName: "system:kube-controller-manager",
        files: serverClient("client-controller", "controller", controllerManager.kubeconfigs),
      },
      scheduler: {
        ...CLIENT,
        purpose: PURPOSES.scheduler,
        commonName: "system:kube-scheduler",
        files: serverClient("client-scheduler", "scheduler", scheduler.kubeconfigs),
      },
      "cloud-controller-manager": {
        ...CLIENT,
        purpose: "certificate for the cloud controller manager to connect to the API server",
        commonName: `${program}-cloud-controller-manager`,
        files: serverClient(
          `client-${program}-cloud-controller`,
          "cloud-controller",
          cloudControllerManager.kubeconfigs,
        ),
      },

      kubelet: {
        ...CLIENT,
        purpose: PURPOSES.kubelet,
        commonName: "system:node:{machine}",
        organization: "system:nodes",
        holders: AGENTS,
        files: agentClient("client-kubelet", "kubelet", [kubelet.kubeconfig]),
      },
      "kubelet-server": {
        ...SERVER,
        purpose: PURPOSES["kubelet-server"],
        commonName: "{machine}",
        sans: ["{machine}", "localhost", "127.0.0.1", "{addresses}"],
        holders: AGENTS,
        files: pair(`${agent}/serving-kubelet`, AGENTS, [kubelet.serving], AGENT_MODE),
      },
      "kube-proxy": {
        ...CLIENT,
        purpose: PURPOSES["kube-proxy"],
        commonName: "system:kube-proxy",
        holders: AGENTS,
        files: agentClient("client-kube-proxy", "kubeproxy", [kubeProxy.kubeconfig]),
      },
      [`${program}-controller`]: {
        ...CLIENT,
        purpose: `certificate for ${program}'s agent to connect to the API server`,
        commonName: `system:${program}-controller`,
        holders: AGENTS,
        files: agentClient(`client-${program}-controller`, `${program}controller`, [reads]),
      },
      ...(withAdmin ? { "cluster-admin": clusterAdmin("client") } : {}),
    },

    // Drop-ins, which the program reads after `config.yaml`, in the order of their names: that stays who runs the program's own. A value
    // here is instead of one there, but names are added to those there. A later drop-in has the last word.
    configuration: [
      {
        ...told(
          "",
          SERVERS,
          `tls-san+: {sans}
service-cidr: {serviceCidrs}
cluster-domain: {clusterDomain}
`,
        ),
        purpose: "configuration of a server: its names and the networks of services",
        sans: ["{endpoint}", "{addresses}", "{serviceIps}", "{extraSans}"],
      },
      { ...told("", ["worker"], `server: "${joinUrl}"\n`), purpose: "configuration of an agent: where it joins" },
      ...(withAdmin ? [bindsClusterAdmins(`${server}/manifests/kubernetes-pki-cluster-admins.yaml`, applies)] : []),
    ],

    // There is no default place: the flag names the file. So a drop-in does that comes and goes with the password.
    joinPasswords: {
      server: {
        purpose: "password with which servers join",
        user: "server",
        format: "secure token",
        files: [{ path: `${etc}/token`, on: SERVERS, consumers: [tokenFile] }],
        configuration: [
          {
            ...told("-token", SERVERS, `token-file: ${etc}/token\n`),
            purpose: "configuration that names the password of servers, where there is one",
          },
        ],
      },
      agent: {
        purpose: "password with which agents join",
        user: "node",
        format: "secure token",
        files: [
          // A server takes the whole text for the password.
          { path: `${etc}/agent-token`, on: SERVERS, format: "password", consumers: [agentTokenFile] },
          { path: `${etc}/token`, on: ["worker"], consumers: [tokenFile] },
        ],
        configuration: [
          {
            ...told("-agent-token", SERVERS, `agent-token-file: ${etc}/agent-token\n`),
            purpose: "configuration that names the password of agents, where there is one",
          },
          {
            ...told("-token", ["worker"], `token-file: ${etc}/token\n`),
            purpose: "configuration that names the password of agents, where there is one",
          },
        ],
      },
    },

    // The rest the program does itself: it binds what it needs at every start, and signs for agents without a CSR in the API server.
    access: {
      tokens: {
        worker: {
          purpose: "bootstrap token for an agent to join",
          usages: [AUTHENTICATION, "usage-bootstrap-signing"],
          group: `system:bootstrappers:${program}:default-node-token`,
          format: "secure token",
          file: { path: `${etc}/bootstrap-token`, on: "worker", consumers: [tokenFile] },
          // Where there is a password, too, its drop-in comes later.
          configuration: {
            ...told("-bootstrap-token", ["worker"], `token-file: ${etc}/bootstrap-token\n`),
            purpose: "configuration that names the bootstrap token",
          },
        },
      },
    },
  };
}
