import type {
  AuthorityRow,
  CertificateRow,
  Consumer,
  DistributionTable,
  FileRow,
  HolderKind,
  RowException,
} from "../table";
import { reloads, restarts, uses } from "./rows";
import { KeyUsage } from "../../x509/key-usage";

/** What may be chosen for K3s or RKE2. */
export interface K3sOptions {
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
  readonly chained?: "root" | "intermediate";
}

/** What was measured was measured on these from upstream, with the flags that K3s passes. */
const KUBERNETES = "1.36.3";
const ETCD = "3.6.14";

const CONTROL_PLANE: readonly HolderKind[] = ["control-plane"];
const ETCD_MEMBER: readonly HolderKind[] = ["etcd-member"];

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

const KUBECTL = uses("kubectl", "--kubeconfig");

/** What a chain costs, in K3s' own set of custom authorities as well. */
const SHARED_ROOT: readonly RowException[] = [
  {
    code: "shared-root",
    reason:
      "every bundle ends with the one chain above it, so each verifier accepts what any of the authorities below it signed: " +
      "a client of the API server is one of etcd, too",
  },
];

function inMasters(reason: string): readonly RowException[] {
  return [{ code: "system-masters", reason }];
}

/** Flags of a component that takes one kubeconfig for all three. */
function kubeconfigFlags(component: string, more: Partial<Consumer> = {}): Consumer[] {
  return ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"].map((flag) =>
    restarts(component, flag, more),
  );
}

/** The same files, which the program itself writes from those that it was given. */
function derived(file: Omit<FileRow, "writtenBy">): FileRow {
  return { ...file, writtenBy: "distribution" };
}

/**
 * K3s and RKE2, which is K3s under another name as far as certificates go: both name files and users after their program.
 *
 * They issue their leaves themselves, at every start and for every agent that joins, from the authorities that they find in
 * `server/tls`. Terraform makes those, exactly the 11 files of a custom CA; they must lie there before the first start, and on every
 * server. With `issueLeaves` Terraform issues the leaves as well, for components that are run by hand. Kubeconfigs then hold what
 * K3s' name by path, certificate and key inline, and point at the API server itself instead of the program's own load balancer.
 *
 * Since 1.30.12 each agent makes its keys itself; before, all kubelets and kube-proxies of a cluster had one.
 *
 * @see https://docs.k3s.io/cli/certificate#using-custom-ca-certificates
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/deps/deps.go for files, subjects, usages and names
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/server.go for flags
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/agent/config/config.go for the agent's files
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/server/handlers/handlers.go for what it issues to agents
 * @see https://github.com/rancher/rke2/blob/master/scripts/version.sh for the program's name
 */
export function k3s(options: K3sOptions & { readonly program: "k3s" | "rke2" }): DistributionTable {
  const { program, dataDir = `/var/lib/rancher/${program}`, chained } = options;
  const tls = `${dataDir}/server/tls`;
  const cred = `${dataDir}/server/cred`;
  const agent = `${dataDir}/agent`;
  const etc = `/etc/rancher/${program}`;

  const SIGNS: Consumer = {
    component: program,
    via: { use: "the server, which issues its leaves at every start and agents' when they join" },
    onChange: "restart",
  };
  const READS = restarts(program, "--data-dir");

  /** `<base>-ca.crt` and `<base>-ca.key`. */
  const authority = (
    commonName: string,
    base: string,
    certificate: readonly Consumer[],
    more: readonly FileRow[] = [],
    key: readonly Consumer[] = [],
  ): AuthorityRow => ({
    commonName,
    ...(chained ? { issuer: "intermediate" } : {}),
    files: [
      { path: `${tls}/${base}-ca.crt`, kind: "bundle", on: SERVERS, consumers: [...certificate, READS] },
      { path: `${tls}/${base}-ca.key`, kind: "private key", on: SERVERS, consumers: [...key, SIGNS] },
      ...more,
    ],
  });

  /** `<base>.crt`, with the certificates above it, and `<base>.key`. */
  const pair = (
    base: string,
    on: readonly HolderKind[],
    certificate: readonly Consumer[],
    key: readonly Consumer[],
  ): FileRow[] => [
    { path: `${base}.crt`, kind: "chain", on, consumers: certificate },
    { path: `${base}.key`, kind: "private key", on, consumers: key },
  ];

  const kubeconfig = (path: string, on: readonly HolderKind[], consumers: readonly Consumer[]): FileRow => ({
    path,
    kind: "kubeconfig",
    server: "local",
    on,
    consumers,
  });

  /** What the program issues itself. */
  const issued = (row: Omit<CertificateRow, "issuedBy">): CertificateRow => ({ issuedBy: "distribution", ...row });

  /** A client of the API server that runs on a control plane. */
  const client = (
    base: string,
    kubeconfigName: string,
    consumers: readonly Consumer[],
    row: Pick<CertificateRow, "commonName"> & Partial<CertificateRow>,
  ): CertificateRow =>
    issued({
      authority: "client",
      usage: KeyUsage.CLIENT,
      holders: CONTROL_PLANE,
      ...row,
      files: [
        ...pair(`${tls}/${base}`, CONTROL_PLANE, [READS], [READS]),
        kubeconfig(`${cred}/${kubeconfigName}.kubeconfig`, CONTROL_PLANE, consumers),
        ...(row.files ?? []),
      ],
    });

  /** A serving certificate of a component that listens on loopback alone. */
  const loopback = (component: string): CertificateRow =>
    issued({
      authority: "server",
      commonName: component,
      usage: KeyUsage.SERVER,
      sans: ["localhost", "127.0.0.1", "::1"],
      holders: CONTROL_PLANE,
      files: pair(
        `${tls}/${component}/${component}`,
        CONTROL_PLANE,
        [reloads(component, "--tls-cert-file")],
        [reloads(component, "--tls-private-key-file")],
      ),
    });

  /** A client of the API server that runs on every agent. */
  const agentClient = (
    base: string,
    kubeconfigName: string,
    consumers: readonly Consumer[],
    row: Pick<CertificateRow, "commonName" | "organization">,
  ): CertificateRow =>
    issued({
      authority: "client",
      usage: KeyUsage.CLIENT,
      holders: AGENTS,
      ...row,
      files: [
        ...pair(`${agent}/${base}`, AGENTS, [READS], [READS]),
        kubeconfig(`${agent}/${kubeconfigName}.kubeconfig`, AGENTS, consumers),
      ],
    });

  return {
    name: program,
    version: "1.33",
    requires: { controlPlanes: true, addresses: true },

    apiServerAuthority: "server",
    authorities: {
      // No machine has a file of these two: their certificates stand in the files of the others, and their keys in the state.
      ...(chained === "root" ? { root: { commonName: `${program}-root-ca`, files: [] } } : {}),
      ...(chained
        ? {
            intermediate: {
              commonName: `${program}-intermediate-ca`,
              ...(chained === "root" ? { issuer: "root" } : {}),
              files: [],
              exceptions: SHARED_ROOT,
            },
          }
        : {}),
      // K3s puts the time after the CN of those that it makes itself; nothing looks at it. A later generation has its id as OU.
      server: authority(
        `${program}-server-ca`,
        "server",
        [
          restarts("kube-apiserver", "--kubelet-certificate-authority"),
          restarts("kube-controller-manager", "--root-ca-file", { measured: KUBERNETES }),
        ],
        [
          derived({
            path: `${tls}/server-ca.nochain.crt`,
            kind: "signer",
            on: SERVERS,
            consumers: [
              reloads("kube-controller-manager", "--cluster-signing-kubelet-serving-cert-file"),
              reloads("kube-controller-manager", "--cluster-signing-legacy-unknown-cert-file"),
            ],
          }),
          derived({
            path: `${agent}/server-ca.crt`,
            kind: "bundle",
            on: [...SERVERS, "worker"],
            consumers: [uses(program, "the agent's kubeconfigs")],
          }),
        ],
        [
          reloads("kube-controller-manager", "--cluster-signing-kubelet-serving-key-file"),
          reloads("kube-controller-manager", "--cluster-signing-legacy-unknown-key-file"),
        ],
      ),
      client: authority(
        `${program}-client-ca`,
        "client",
        [reloads("kube-apiserver", "--client-ca-file", { measured: KUBERNETES })],
        [
          derived({
            path: `${tls}/client-ca.nochain.crt`,
            kind: "signer",
            on: SERVERS,
            consumers: [
              reloads("kube-controller-manager", "--cluster-signing-kube-apiserver-client-cert-file"),
              reloads("kube-controller-manager", "--cluster-signing-kubelet-client-cert-file"),
            ],
          }),
          derived({
            path: `${agent}/client-ca.crt`,
            kind: "bundle",
            on: [...SERVERS, "worker"],
            consumers: [
              { component: "kubelet", via: { configField: "authentication.x509.clientCAFile" }, onChange: "reload" },
            ],
          }),
        ],
        [
          reloads("kube-controller-manager", "--cluster-signing-kube-apiserver-client-key-file"),
          reloads("kube-controller-manager", "--cluster-signing-kubelet-client-key-file"),
        ],
      ),
      "request-header": authority(`${program}-request-header-ca`, "request-header", [
        reloads("kube-apiserver", "--requestheader-client-ca-file", {
          measured: KUBERNETES,
          with: {
            "--requestheader-allowed-names": "system:auth-proxy",
            "--requestheader-username-headers": "X-Remote-User",
            "--requestheader-group-headers": "X-Remote-Group",
            "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
          },
        }),
      ]),
      // K3s refuses to start without these two, wherever etcd runs. It tells etcd by a configuration file what stands here as flags.
      "etcd-server": authority("etcd-server-ca", "etcd/server", [
        restarts("etcd", "--trusted-ca-file", { measured: ETCD, with: { "--client-cert-auth": "true" } }),
        restarts("kube-apiserver", "--etcd-cafile", { measured: KUBERNETES }),
      ]),
      "etcd-peer": authority("etcd-peer-ca", "etcd/peer", [
        restarts("etcd", "--peer-trusted-ca-file", { measured: ETCD, with: { "--peer-client-cert-auth": "true" } }),
      ]),
    },

    keyPairs: {
      "service-account": {
        files: [
          {
            // Private keys: the API server takes the public ones out of them.
            path: `${tls}/service.key`,
            kind: "private keys",
            on: SERVERS,
            consumers: [restarts("kube-apiserver", "--service-account-key-file", { measured: KUBERNETES }), READS],
          },
          derived({
            path: `${tls}/service.current.key`,
            kind: "private key",
            on: SERVERS,
            consumers: [
              restarts("kube-apiserver", "--service-account-signing-key-file", {
                measured: KUBERNETES,
                with: {
                  "--service-account-issuer": "https://kubernetes.default.svc.{clusterDomain}",
                  "--api-audiences": `https://kubernetes.default.svc.{clusterDomain},${program}`,
                },
              }),
              restarts("kube-controller-manager", "--service-account-private-key-file", { measured: KUBERNETES }),
            ],
          }),
        ],
      },
    },

    certificates: {
      apiserver: issued({
        authority: "server",
        commonName: "kube-apiserver",
        usage: KeyUsage.SERVER,
        sans: [
          "kubernetes",
          "kubernetes.default",
          "kubernetes.default.svc",
          "kubernetes.default.svc.{clusterDomain}",
          ...SERVER_NAMES,
        ],
        holders: CONTROL_PLANE,
        files: pair(
          `${tls}/serving-kube-apiserver`,
          CONTROL_PLANE,
          [reloads("kube-apiserver", "--tls-cert-file", { measured: KUBERNETES })],
          [reloads("kube-apiserver", "--tls-private-key-file", { measured: KUBERNETES })],
        ),
      }),
      "apiserver-kubelet-client": issued({
        authority: "client",
        commonName: "system:apiserver",
        organization: "system:masters",
        usage: KeyUsage.CLIENT,
        holders: CONTROL_PLANE,
        exceptions: inMasters(
          `the API server reaches kubelets and ${program} itself with it, and no role is bound to it`,
        ),
        files: [
          ...pair(
            `${tls}/client-kube-apiserver`,
            CONTROL_PLANE,
            // At the next connection; one that is open is closed within five minutes.
            [reloads("kube-apiserver", "--kubelet-client-certificate", { measured: KUBERNETES })],
            [reloads("kube-apiserver", "--kubelet-client-key", { measured: KUBERNETES })],
          ),
          kubeconfig(`${cred}/api-server.kubeconfig`, CONTROL_PLANE, [READS]),
        ],
      }),
      "front-proxy-client": issued({
        authority: "request-header",
        commonName: "system:auth-proxy",
        usage: KeyUsage.CLIENT,
        holders: CONTROL_PLANE,
        files: pair(
          `${tls}/client-auth-proxy`,
          CONTROL_PLANE,
          [reloads("kube-apiserver", "--proxy-client-cert-file", { measured: KUBERNETES })],
          [reloads("kube-apiserver", "--proxy-client-key-file", { measured: KUBERNETES })],
        ),
      }),
      "apiserver-etcd-client": issued({
        authority: "etcd-server",
        etcd: ["stacked", "members"],
        commonName: "etcd-client",
        usage: KeyUsage.CLIENT,
        holders: CONTROL_PLANE,
        files: pair(
          `${tls}/etcd/client`,
          CONTROL_PLANE,
          // At the next connection; one that is open stays open.
          [reloads("kube-apiserver", "--etcd-certfile", { measured: KUBERNETES })],
          [reloads("kube-apiserver", "--etcd-keyfile", { measured: KUBERNETES })],
        ),
      }),
      "etcd-server": issued({
        authority: "etcd-server",
        etcd: ["stacked", "members"],
        commonName: "etcd-server",
        // etcd's gRPC gateway connects to its own server with this certificate as a client.
        usage: KeyUsage.SERVER_AND_CLIENT,
        sans: ["kine.sock", ...SERVER_NAMES],
        holders: ETCD_MEMBER,
        files: pair(
          `${tls}/etcd/server-client`,
          ETCD_MEMBER,
          [reloads("etcd", "--cert-file", { measured: ETCD })],
          [reloads("etcd", "--key-file", { measured: ETCD })],
        ),
      }),
      "etcd-peer": issued({
        authority: "etcd-peer",
        etcd: ["stacked", "members"],
        commonName: "etcd-peer",
        usage: KeyUsage.SERVER_AND_CLIENT,
        sans: ["kine.sock", ...SERVER_NAMES],
        holders: ETCD_MEMBER,
        files: pair(
          `${tls}/etcd/peer-server-client`,
          ETCD_MEMBER,
          [reloads("etcd", "--peer-cert-file", { measured: ETCD })],
          [reloads("etcd", "--peer-key-file", { measured: ETCD })],
        ),
      }),
      "controller-manager-server": loopback("kube-controller-manager"),
      "scheduler-server": loopback("kube-scheduler"),

      admin: client("client-admin", "admin", [KUBECTL], {
        commonName: "system:admin",
        organization: "system:masters",
        holders: [...CONTROL_PLANE, "operator"],
        exceptions: inMasters(`${program} has no other administrator; who has ${etc}/${program}.yaml is this one`),
        files: [
          kubeconfig(`${etc}/${program}.yaml`, CONTROL_PLANE, [KUBECTL]),
          { path: "/admin.conf", kind: "kubeconfig", server: "endpoint", on: ["operator"], consumers: [KUBECTL] },
        ],
      }),
      supervisor: client("client-supervisor", "supervisor", [READS], {
        commonName: `system:${program}-supervisor`,
        organization: "system:masters",
        exceptions: inMasters(`${program} deploys its own roles and manifests with it, before anything is bound`),
      }),
      "controller-manager": client(
        "client-controller",
        "controller",
        kubeconfigFlags("kube-controller-manager", { measured: KUBERNETES }),
        { commonName: "system:kube-controller-manager" },
      ),
      scheduler: client("client-scheduler", "scheduler", kubeconfigFlags("kube-scheduler"), {
        commonName: "system:kube-scheduler",
      }),
      "cloud-controller-manager": client(
        `client-${program}-cloud-controller`,
        "cloud-controller",
        kubeconfigFlags("cloud-controller-manager"),
        { commonName: `${program}-cloud-controller-manager` },
      ),

      kubelet: agentClient("client-kubelet", "kubelet", [restarts("kubelet", "--kubeconfig")], {
        commonName: "system:node:{machine}",
        organization: "system:nodes",
      }),
      "kubelet-server": issued({
        authority: "server",
        commonName: "{machine}",
        usage: KeyUsage.SERVER,
        sans: ["{machine}", "localhost", "127.0.0.1", "{addresses}"],
        holders: AGENTS,
        files: pair(
          `${agent}/serving-kubelet`,
          AGENTS,
          [{ component: "kubelet", via: { configField: "tlsCertFile" }, onChange: "restart" }],
          [{ component: "kubelet", via: { configField: "tlsPrivateKeyFile" }, onChange: "restart" }],
        ),
      }),
      "kube-proxy": agentClient("client-kube-proxy", "kubeproxy", [restarts("kube-proxy", "--kubeconfig")], {
        commonName: "system:kube-proxy",
      }),
      [`${program}-controller`]: agentClient(`client-${program}-controller`, `${program}controller`, [READS], {
        commonName: `system:${program}-controller`,
      }),
    },

    configuration: [],

    // Where these stand is told by the flag: there is no default.
    joinPasswords: {
      server: {
        user: "server",
        format: "secure token",
        files: [{ path: `${etc}/token`, on: SERVERS, consumers: [restarts(program, "--token-file")] }],
      },
      agent: {
        user: "node",
        format: "secure token",
        files: [
          {
            path: `${etc}/agent-token`,
            on: SERVERS,
            // A server takes the whole text for the password.
            format: "password",
            consumers: [restarts(program, "--agent-token-file")],
          },
          { path: `${etc}/token`, on: ["worker"], consumers: [restarts(program, "--token-file")] },
        ],
      },
    },

    // The rest the program does itself: it binds what it needs at every start, and signs for agents without a CSR in the API server.
    access: {
      tokens: {
        worker: {
          usages: ["usage-bootstrap-authentication", "usage-bootstrap-signing"],
          group: `system:bootstrappers:${program}:default-node-token`,
          format: "secure token",
          file: { path: `${etc}/bootstrap-token`, on: "worker", consumers: [restarts(program, "--token-file")] },
        },
      },
    },
  };
}
