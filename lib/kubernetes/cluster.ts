import { conditional, Fn, Token } from "cdktf";
import { checkShape } from "../terraform/shape";
import { canonicalHost, canonicalIp, isMistake, parseHost } from "../x509/host";
import { canonicalDnsToken, canonicalIpToken } from "../x509/host-conditions";
import { ENDPOINT } from "./checks/cluster-shape";
import type { AuthorityRow, EtcdTopology, HolderKind } from "./table";
import type { AltName } from "../x509/subject-alt-names";
import { Validity } from "../x509/validity";

/** Where clients find the API server: `host:port` (the port is 6443 when left out), or a host whose kind is said when it is unresolved. */
export type Endpoint =
  | string
  | {
      /** The host is a DNS name: this one. */
      readonly dns: string;
      /**
       * Port of the API server.
       * @default 6443
       */
      readonly port?: number;
    }
  | {
      /** The host is an IP address: this one. */
      readonly ip: string;
      /**
       * Port of the API server.
       * @default 6443
       */
      readonly port?: number;
    };

/** A machine of the cluster. */
export interface Machine {
  /** The name it registers with: an RFC 1123 subdomain in lower case, at most 52 bytes. Always concrete. */
  readonly name: string;
  /**
   * Its IP addresses. Each may be an unresolved token.
   * @default - none
   */
  readonly addresses?: readonly string[];
}

/** A machine that runs an API server. */
export interface ControlPlane extends Machine {
  /**
   * Port of its own API server, kubeadm's `localAPIEndpoint.bindPort`.
   * @default 6443
   */
  readonly bindPort?: number;
  /**
   * More names for the certificate of its own API server.
   * @default - none
   */
  readonly extraSans?: readonly AltName[];
}

/** Where etcd runs. */
export type Etcd =
  /** On every control plane. */
  | { readonly topology: "stacked" }
  /** On machines of its own, whose certificates are issued here too. */
  | {
      readonly topology: "members";
      /** The machines of etcd: at least one, usually three or five. */
      readonly members: readonly Machine[];
    }
  /** Somewhere else, with an authority of its own: nothing is issued for it. */
  | {
      readonly topology: "external";
      /**
       * URLs of its members' client ports, `https://etcd-1.example.com:2379`. Each may be an unresolved token.
       * @default - none; whether that is allowed is a fact of the distribution
       */
      readonly endpoints?: readonly string[];
    };

/** A cluster as its certificates see it. Everything but the endpoint's host, addresses and extra SANs is concrete at synth. */
export interface Cluster {
  /** Names the cluster in kubeconfigs: an RFC 1123 label. */
  readonly name: string;
  /** Where clients find the API server. */
  readonly endpoint: Endpoint;
  /** One service CIDR, or one of each family, the primary first. */
  readonly serviceCidrs: readonly string[];
  /**
   * DNS domain of the cluster's services, kubelet's `clusterDomain`: the API server's certificate names `kubernetes.default.svc.<domain>`.
   * @default cluster.local
   */
  readonly clusterDomain?: string;
  /**
   * How long certificates are valid that the cluster signs itself, those of nodes that join by token most of all: kube-controller-manager's
   * `--cluster-signing-duration`, where a distribution can be told. A kubelet renews its own after 70 to 90 % of it. An authority's last
   * generation cannot be retired before all of them have ended, so it is far shorter than Kubernetes' own 8760 hours.
   * @default Validity.days(30)
   * @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
   */
  readonly clusterSigningDuration?: Validity;
  /**
   * Machines that run an API server, each with certificates of its own.
   * @default - none; whether that is allowed is a fact of the distribution
   */
  readonly controlPlanes?: readonly ControlPlane[];
  /**
   * Workers that get an identity of their own before they join. Others join by TLS bootstrap and need not be named.
   * @default - none
   */
  readonly workers?: readonly Machine[];
  /**
   * Where etcd runs, which says who gets its certificates.
   * @default - stacked
   */
  readonly etcd?: Etcd;
  /**
   * More names for the certificate of every API server.
   * @default - none
   */
  readonly extraSans?: readonly AltName[];
}

/** A machine, where it stands in the description, and what it is in the cluster. */
export interface PlacedMachine {
  /** The machine, as it is described. */
  readonly machine: Machine;
  /** Where that is said: `cluster.controlPlanes[0]`. */
  readonly at: string;
  /** What it is a holder as. */
  readonly kinds: readonly HolderKind[];
}

/** Hours that the cluster signs certificates for, see {@link Cluster.clusterSigningDuration}. */
export function clusterSigningHours({ clusterSigningDuration = Validity.days(30) }: Cluster): number {
  return clusterSigningDuration.validityHours;
}

/** Hours that the cluster's own signatures for nodes are valid; undefined where it signs none with that authority. */
export function hoursForNodes(
  { signsNodesFor }: Pick<AuthorityRow, "signsNodesFor">,
  cluster: Cluster,
): number | undefined {
  return signsNodesFor === "clusterSigningDuration" ? clusterSigningHours(cluster) : signsNodesFor;
}

/** Where etcd runs. */
export function etcdTopology({ etcd }: Cluster): EtcdTopology {
  return etcd?.topology ?? "stacked";
}

/** URLs of etcd's client ports where it does not run on control planes. */
export function etcdEndpoints(etcd: Etcd | undefined): readonly string[] {
  if (etcd?.topology === "members") {
    // By name, so that another order in the description is no other file.
    const members = [...etcd.members].sort((a, b) => (a.name < b.name ? -1 : 1));
    return members.flatMap(({ addresses = [] }) =>
      addresses
        .slice(0, 1)
        .map((ip) => `https://${hostPort({ host: canonicalHost(ip), kind: "ip", port: ETCD_PORT })}`),
    );
  }
  return etcd?.topology === "external" ? (etcd.endpoints ?? []) : [];
}

/** Every machine of a description, control planes first. */
export function placedMachines(cluster: Cluster): PlacedMachine[] {
  const { controlPlanes = [], workers = [], etcd } = cluster;
  const place = (machines: readonly Machine[], at: string, kinds: readonly HolderKind[]) =>
    machines.map((machine, i) => ({ machine, at: `cluster.${at}[${i}]`, kinds }));
  const isStacked = etcdTopology(cluster) === "stacked";
  return [
    ...place(controlPlanes, "controlPlanes", isStacked ? ["control-plane", "etcd-member"] : ["control-plane"]),
    ...place(etcd?.topology === "members" ? etcd.members : [], "etcd.members", ["etcd-member"]),
    ...place(workers, "workers", ["named-worker", "worker"]),
  ];
}

/** The API server's port, and kubeadm's default of `bindPort`. */
export const API_SERVER_PORT = 6443;

/** etcd's `--listen-client-urls`, as everybody has it. */
const ETCD_PORT = 2379;

/** A host and a port. The host is a token, or concrete; `kind` is missing where nobody said and nobody can tell. */
export interface HostAndPort {
  readonly host: string;
  readonly kind?: "dns" | "ip";
  readonly port: number;
}

/** Takes an endpoint apart. What {@link checkCluster} finds wrong with it comes out as it went in. */
export function hostAndPort(endpoint: Endpoint): HostAndPort {
  if (typeof endpoint !== "string") {
    const kind = "dns" in endpoint ? "dns" : "ip";
    const host = canonicalHost("dns" in endpoint ? endpoint.dns : endpoint.ip);
    return { host, kind, port: endpoint.port ?? API_SERVER_PORT };
  }
  if (Token.isUnresolved(endpoint)) {
    return { host: endpoint, port: API_SERVER_PORT };
  }
  const bare = canonicalIp(endpoint);
  const [, bracketed, plain, port] = bare ? [] : (/^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(endpoint) ?? []);
  const text = bare ?? bracketed ?? plain ?? endpoint;
  const host = parseHost(text);
  return isMistake(host)
    ? { host: text, port: Number(port ?? API_SERVER_PORT) }
    : { host: host.value, kind: host.kind, port: Number(port ?? API_SERVER_PORT) };
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort({ port, ...host }: HostAndPort): string {
  return `${urlHost(host)}:${port}`;
}

/** A host as it stands in a URL: an IPv6 address in brackets. */
export function urlHost({ host, kind }: Omit<HostAndPort, "port">): string {
  // A token may turn out to be IPv6, which Terraform can tell by its colon.
  if (kind === "ip" && Token.isUnresolved(host)) {
    const ip = canonicalIpToken(host);
    return `${conditional(Fn.strcontains(ip, ":"), `[${ip}]`, ip)}`;
  }
  if (kind === "dns" && Token.isUnresolved(host)) {
    return canonicalDnsToken(host);
  }
  return host.includes(":") && !Token.isUnresolved(host) ? `[${host}]` : host;
}

/**
 * URL of the API server at an endpoint.
 *
 * @throws PkiError when it is no endpoint
 */
export function serverUrl(endpoint: Endpoint): string {
  checkShape("serverUrl", endpoint, ENDPOINT, "endpoint");
  return `https://${hostPort(hostAndPort(endpoint))}`;
}
