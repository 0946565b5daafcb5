import type { Drawn, DrawnMachine } from "./descriptions";
import { canonical, firstAddress, namesIn, plain } from "./values";

// Which certificates a cluster has, by the programs that make them otherwise and by their documentation: nothing here reads a table of
// the library. Where the library departs from a program on purpose, a comment says so, and where its documentation does.

/** Which end of a connection a certificate is for. */
export type End = "server" | "client";

/** A certificate that somebody has to have. */
export interface Expected {
  /** A machine, the `operator`, or the `cluster` as a whole. */
  readonly holder: string;
  /** Its name in the documentation. */
  readonly name: string;
  /** The authority that signs it, likewise. */
  readonly authority: string;
  readonly commonName: string;
  readonly organization?: string;
  readonly ends: readonly End[];
  /** Alternative names, as they are described. */
  readonly names: readonly string[];
  /** Names that it may have as well. */
  readonly mayHave?: readonly string[];
}

/** Common names, and the O that one has, of the authorities of each distribution. */
export const AUTHORITIES: Readonly<Record<string, Readonly<Record<string, readonly [cn: string, o?: string]>>>> = {
  // https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/certs/certlist.go
  kubeadm: { kubernetes: ["kubernetes"], "front-proxy": ["front-proxy-ca"], etcd: ["etcd-ca"] },
  // https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/deps/deps.go: the program puts the time after them.
  k3s: ofRancher("k3s"),
  rke2: ofRancher("rke2"),
  // https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/cmd/controller/certificates.go, pkg/component/controller/etcd.go
  k0s: { kubernetes: ["kubernetes-ca"], "front-proxy": ["kubernetes-front-proxy-ca"], etcd: ["etcd-ca"] },
  // The guide's is "Kubernetes" in both. Here CN differs from every other name in more than upper case.
  "single-ca": { kubernetes: ["kubernetes-ca", "Kubernetes"] },
  // https://github.com/kubernetes-sigs/cluster-api/blob/v1.14.0/util/secret/certificates.go calls all of them "kubernetes". These are kubeadm's.
  "cluster-api": { kubernetes: ["kubernetes"], "front-proxy": ["front-proxy-ca"], etcd: ["etcd-ca"] },
};

function ofRancher(program: string) {
  return {
    server: [`${program}-server-ca`],
    client: [`${program}-client-ca`],
    "request-header": [`${program}-request-header-ca`],
    "etcd-server": ["etcd-server-ca"],
    "etcd-peer": ["etcd-peer-ca"],
  } as const;
}

/** Every certificate of a cluster that is no authority, where Terraform issues them. */
export function expectedOf(drawn: Drawn): Expected[] {
  return RULES[drawn.distribution]!(drawn);
}

const RULES: Readonly<Record<string, (drawn: Drawn) => Expected[]>> = {
  kubeadm,
  "single-ca": singleCa,
  k3s: (drawn) => rancher("k3s", drawn),
  rke2: (drawn) => rancher("rke2", drawn),
  k0s,
  "cluster-api": clusterApi,
};

const BOTH: readonly End[] = ["server", "client"];

type More = Partial<Pick<Expected, "organization" | "names" | "mayHave">>;

/** Certificates of one holder from one authority. */
function of(holder: string, authority: string) {
  const one =
    (ends: readonly End[]) =>
    (name: string, commonName: string, more: More = {}): Expected => ({
      ...{ holder, name, authority, commonName, ends, names: [] },
      ...more,
    });
  return { server: one(["server"]), client: one(["client"]), both: one(BOTH) };
}

function addressesOf({ addresses }: DrawnMachine): string[] {
  return addresses.map((address) => canonical(plain(address)));
}

/** Machines with etcd on them. */
function membersOf({ etcd, controlPlanes }: Drawn): readonly DrawnMachine[] {
  return etcd === "stacked" ? controlPlanes : etcd === "external" ? [] : etcd;
}

/** Names by which clients in the cluster find the API server: those of the Service, and its addresses. */
function serviceNames({ clusterDomain = "cluster.local", serviceCidrs }: Drawn): string[] {
  const names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  return [...names, `kubernetes.default.svc.${clusterDomain}`, ...serviceCidrs.map(firstAddress)];
}

/** What a user asks for beside them. */
function askedFor({ endpoint, extraSans }: Drawn, machine: DrawnMachine): string[] {
  return [plain(endpoint.host), ...addressesOf(machine), ...namesIn(extraSans), ...namesIn(machine.extraSans)];
}

/** The two certificates of a member and its probe's, as kubeadm has them. */
function kubeadmEtcd(machine: DrawnMachine): Expected[] {
  const { name: host } = machine;
  const { both, client } = of(host, "etcd");
  // GetEtcdAltNames: the machine, localhost, its address, and both loopback addresses.
  const names = [host, "localhost", ...addressesOf(machine), "127.0.0.1", "::1"];
  return [
    both("etcd-server", host, { names }),
    both("etcd-peer", host, { names }),
    client("etcd-healthcheck-client", "kube-etcd-healthcheck-client"),
  ];
}

/**
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/certs/certlist.go
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/util/pkiutil/pki_helpers.go GetAPIServerAltNames
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go getKubeConfigSpecs
 */
function kubeadm(drawn: Drawn): Expected[] {
  const admins = { organization: "kubeadm:cluster-admins" };
  const kubelet = (host: string) =>
    of(host, "kubernetes").client("kubelet", `system:node:${host}`, { organization: "system:nodes" });
  const serving = (machine: DrawnMachine) => (drawn.moreForKubelets ? [kubeletServing(machine)] : []);
  return [
    ...drawn.controlPlanes.flatMap((machine) => {
      const { name: host } = machine;
      const { server, client } = of(host, "kubernetes");
      const names = [host, ...serviceNames(drawn), ...askedFor(drawn, machine)];
      return [
        server("apiserver", "kube-apiserver", { names }),
        // In this group from 1.29 to 1.35. Since 1.36 it has none, and a binding of its own.
        client("apiserver-kubelet-client", "kube-apiserver-kubelet-client"),
        of(host, "front-proxy").client("front-proxy-client", "front-proxy-client"),
        // GetCertsWithoutEtcd
        ...(drawn.etcd === "external"
          ? []
          : [of(host, "etcd").client("apiserver-etcd-client", "kube-apiserver-etcd-client")]),
        client("admin", "kubernetes-admin", admins),
        client("controller-manager", "system:kube-controller-manager"),
        client("scheduler", "system:kube-scheduler"),
        kubelet(host),
        ...serving(machine),
      ];
    }),
    ...membersOf(drawn).flatMap(kubeadmEtcd),
    ...drawn.workers.flatMap((machine) => [kubelet(machine.name), ...serving(machine)]),
    of("operator", "kubernetes").client("admin", "kubernetes-admin", admins),
    of("operator", "kubernetes").client("super-admin", "kubernetes-super-admin", { organization: "system:masters" }),
  ];
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers kubernetes.io/kubelet-serving */
function kubeletServing(machine: DrawnMachine): Expected {
  const names = [machine.name, ...addressesOf(machine)];
  return of(machine.name, "kubernetes").server("kubelet-server", `system:node:${machine.name}`, {
    organization: "system:nodes",
    names,
  });
}

/** Cluster API's kubeadm issues the rest. @see https://github.com/kubernetes-sigs/cluster-api/blob/v1.14.0/docs/book/src/tasks/external-etcd.md */
function clusterApi(drawn: Drawn): Expected[] {
  return typeof drawn.etcd === "string"
    ? []
    : [
        ...drawn.etcd.flatMap(kubeadmEtcd),
        of("cluster", "etcd").client("apiserver-etcd-client", "kube-apiserver-etcd-client"),
      ];
}

/**
 * The guide has CN, O and files, the documentation of Kubernetes which names and ends a certificate has.
 *
 * @see https://github.com/kelseyhightower/kubernetes-the-hard-way/blob/79a3f79b/docs/04-certificate-authority.md
 * @see https://kubernetes.io/docs/setup/best-practices/certificates/
 */
function singleCa(drawn: Drawn): Expected[] {
  const ca = (host: string) => of(host, "kubernetes");
  const system = (name: string) => [`system:${name}`, { organization: `system:${name}` }] as const;
  const isEtcdHere = drawn.etcd !== "external";
  // The name by which etcd tells its clients from all others that the one CA signed: docs/distributions.md.
  const etcdClient = { names: ["etcd-client"] };
  return [
    ...drawn.controlPlanes.flatMap((machine) => {
      const { server, client } = ca(machine.name);
      const names = [machine.name, "127.0.0.1", ...serviceNames(drawn), ...askedFor(drawn, machine)];
      return [
        server("apiserver", "kubernetes", { names }),
        client("apiserver-kubelet-client", "kube-apiserver-kubelet-client"),
        client("front-proxy-client", "aggregator"),
        client("controller-manager", ...system("kube-controller-manager")),
        client("scheduler", ...system("kube-scheduler")),
        ...(isEtcdHere ? [client("apiserver-etcd-client", "kube-apiserver-etcd-client", etcdClient)] : []),
      ];
    }),
    ...membersOf(drawn).flatMap((machine) => {
      const { server, client, both } = ca(machine.name);
      const names = [machine.name, "localhost", ...addressesOf(machine), "127.0.0.1", "::1"];
      return [
        // A server alone: the gateway, which is a client of etcd with it, is off.
        server("etcd-server", "etcd-server", { names }),
        both("etcd-peer", "etcd-peer", { names }),
        client("etcd-healthcheck-client", "kube-etcd-healthcheck-client", etcdClient),
      ];
    }),
    ...[...drawn.workers, ...(drawn.moreForKubelets ? drawn.controlPlanes : [])].flatMap((machine) => {
      const { client } = ca(machine.name);
      return [
        client("kubelet", `system:node:${machine.name}`, { organization: "system:nodes" }),
        kubeletServing(machine),
        client("kube-proxy", "system:kube-proxy", { organization: "system:node-proxier" }),
      ];
    }),
    // The guide's admin is in system:masters.
    ca("operator").client("admin", "admin", { organization: "cluster-admins" }),
    ca("operator").client("super-admin", "super-admin", { organization: "system:masters" }),
  ];
}

/**
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/daemons/control/deps/deps.go
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/cli/server/server.go for the names of every server's certificates
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/server/handlers/handlers.go for agents
 */
function rancher(program: string, drawn: Drawn): Expected[] {
  const masters = { organization: "system:masters" };
  const agent = (machine: DrawnMachine): Expected[] => {
    const { name: host } = machine;
    const { client } = of(host, "client");
    const names = [host, "localhost", "127.0.0.1", ...addressesOf(machine)];
    return [
      client("kubelet", `system:node:${host}`, { organization: "system:nodes" }),
      of(host, "server").server("kubelet-server", host, { names }),
      client("kube-proxy", "system:kube-proxy"),
      client(`${program}-controller`, `system:${program}-controller`),
    ];
  };
  return [
    ...drawn.controlPlanes.flatMap((machine) => {
      const { name: host } = machine;
      const { server } = of(host, "server");
      const { client } = of(host, "client");
      const loopback = ["localhost", "127.0.0.1", "::1"];
      const own = [host, ...loopback, ...drawn.serviceCidrs.map(firstAddress), ...askedFor(drawn, machine)];
      const etcd = { names: ["kine.sock", ...own] };
      return [
        server("apiserver", "kube-apiserver", { names: [...serviceNames(drawn), ...own] }),
        server("controller-manager-server", "kube-controller-manager", { names: loopback }),
        server("scheduler-server", "kube-scheduler", { names: loopback }),
        client("admin", "system:admin", masters),
        client("supervisor", `system:${program}-supervisor`, masters),
        client("apiserver-kubelet-client", "system:apiserver", masters),
        client("controller-manager", "system:kube-controller-manager"),
        client("scheduler", "system:kube-scheduler"),
        client("cloud-controller-manager", `${program}-cloud-controller-manager`),
        of(host, "request-header").client("front-proxy-client", "system:auth-proxy"),
        of(host, "etcd-server").client("apiserver-etcd-client", "etcd-client"),
        of(host, "etcd-server").both("etcd-server", "etcd-server", etcd),
        of(host, "etcd-peer").both("etcd-peer", "etcd-peer", etcd),
      ];
    }),
    ...[...drawn.controlPlanes, ...drawn.workers].flatMap(agent),
    of("operator", "client").client("admin", "system:admin", masters),
  ];
}

/**
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/cmd/controller/certificates.go
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/component/controller/etcd.go setupCerts
 * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/certificate/manager.go for its one profile: server and client
 */
function k0s(drawn: Drawn): Expected[] {
  const masters = { organization: "system:masters" };
  const self = (name: string) => [name, { organization: name }] as const;
  return [
    ...drawn.controlPlanes.flatMap((machine) => {
      const { name: host } = machine;
      const { both } = of(host, "kubernetes");
      // generateSANList; detectLocalIPs finds ::1 as well. No name ends with a dot here: docs/distributions.md.
      const local = ["localhost", "127.0.0.1", "::1"];
      const names = [...serviceNames(drawn), ...local, ...askedFor(drawn, machine)];
      const etcd = of(host, "etcd").both;
      const loopback = { names: ["127.0.0.1", "localhost"] };
      const [peer, ...others] = addressesOf(machine);
      return [
        both("apiserver", "kubernetes", { organization: "kubernetes", names }),
        both("k0s-api", "k0s-api", { organization: "kubernetes", names }),
        both("apiserver-kubelet-client", "apiserver-kubelet-client", masters),
        of(host, "front-proxy").both("front-proxy-client", ...self("front-proxy-client")),
        both("konnectivity", "kubernetes-konnectivity", masters),
        both("admin", "kubernetes-admin", masters),
        both("controller-manager", ...self("system:kube-controller-manager")),
        both("scheduler", ...self("system:kube-scheduler")),
        ...(drawn.etcd === "external"
          ? []
          : [
              etcd("etcd-server", "etcd-server", { organization: "etcd-server", ...loopback }),
              // k0s has one peer address.
              etcd("etcd-peer", peer!, { organization: "etcd-peer", names: [peer!], mayHave: others }),
              etcd("apiserver-etcd-client", "apiserver-etcd-client", {
                organization: "apiserver-etcd-client",
                ...loopback,
              }),
            ]),
      ];
    }),
    // The controller-manager signs it.
    ...drawn.workers.map(({ name }) =>
      of(name, "kubernetes").client("kubelet", `system:node:${name}`, { organization: "system:nodes" }),
    ),
    of("operator", "kubernetes").both("admin", "kubernetes-admin", masters),
  ];
}
