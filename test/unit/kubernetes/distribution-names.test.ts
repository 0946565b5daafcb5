import {
  type ClusterApiNames,
  Distribution,
  type DistributionNames,
  type K0sNames,
  type K3sNames,
  type KubeadmNames,
  type SingleCaNames,
} from "../../../lib";

/** Each name of a union once: another one, or one too few, does not compile. */
type EachOf<Names extends DistributionNames> = {
  readonly [Kind in keyof DistributionNames]: Readonly<Record<Names[Kind], true>>;
};

const yes = <Name extends string>(...names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, true])) as Record<Name, true>;

const keyPair = yes("service-account");
const kubeadm: EachOf<KubeadmNames> = {
  authority: yes("kubernetes", "front-proxy", "etcd"),
  keyPair,
  certificate: yes(
    "apiserver",
    "apiserver-kubelet-client",
    "front-proxy-client",
    "etcd-server",
    "etcd-peer",
    "etcd-healthcheck-client",
    "apiserver-etcd-client",
    "admin",
    "super-admin",
    "controller-manager",
    "scheduler",
    "kubelet",
  ),
  kubeconfig: yes("admin", "super-admin", "controller-manager", "scheduler", "kubelet"),
  joinPassword: {},
};
const k0s: EachOf<K0sNames> = {
  authority: yes("kubernetes", "front-proxy", "etcd"),
  keyPair,
  certificate: yes(
    "apiserver",
    "k0s-api",
    "apiserver-kubelet-client",
    "front-proxy-client",
    "konnectivity",
    "etcd-server",
    "etcd-peer",
    "apiserver-etcd-client",
    "admin",
    "controller-manager",
    "scheduler",
    "kubelet",
  ),
  kubeconfig: yes("konnectivity", "admin", "controller-manager", "scheduler", "kubelet"),
  joinPassword: {},
};
const clusterApi: EachOf<ClusterApiNames> = {
  authority: yes("kubernetes", "front-proxy", "etcd"),
  keyPair,
  certificate: yes("etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client", "admin"),
  kubeconfig: {},
  joinPassword: {},
};
const ofBoth = [
  "apiserver-kubelet-client",
  "admin",
  "supervisor",
  "controller-manager",
  "scheduler",
  "cloud-controller-manager",
  "kubelet",
  "kube-proxy",
] as const;
const rancher = yes(
  ...ofBoth,
  "apiserver",
  "front-proxy-client",
  "apiserver-etcd-client",
  "etcd-server",
  "etcd-peer",
  "controller-manager-server",
  "scheduler-server",
  "kubelet-server",
);
const five = yes("server", "client", "request-header", "etcd-server", "etcd-peer");
const k3s: EachOf<K3sNames> = {
  authority: five,
  keyPair,
  certificate: { ...rancher, ...yes("k3s-controller") },
  kubeconfig: yes(...ofBoth, "k3s-controller"),
  joinPassword: yes("server", "agent"),
};
const rke2: EachOf<K3sNames<"rke2", "root">> = {
  authority: { ...five, ...yes("root", "intermediate") },
  keyPair,
  certificate: { ...rancher, ...yes("rke2-controller") },
  kubeconfig: yes(...ofBoth, "rke2-controller"),
  joinPassword: yes("server", "agent"),
};
const below: EachOf<K3sNames<"k3s", "intermediate">> = {
  ...k3s,
  authority: { ...five, ...yes("intermediate") },
};
const k3sAdmin: EachOf<K3sNames<"k3s", never, true>> = {
  ...k3s,
  certificate: { ...k3s.certificate, ...yes("cluster-admin") },
  kubeconfig: { ...k3s.kubeconfig, ...yes("cluster-admin") },
};
const k0sAdmin: EachOf<K0sNames<true>> = {
  ...k0s,
  certificate: { ...k0s.certificate, ...yes("cluster-admin") },
  kubeconfig: { ...k0s.kubeconfig, ...yes("cluster-admin") },
};
const clients = [
  "apiserver",
  "apiserver-etcd-client",
  "etcd-healthcheck-client",
  "admin",
  "super-admin",
  "controller-manager",
  "scheduler",
  "kube-proxy",
  "apiserver-kubelet-client",
  "front-proxy-client",
  "kubelet-server",
  "kubelet",
] as const;
const oneServer: EachOf<SingleCaNames<never, true>> = {
  authority: yes("kubernetes"),
  keyPair,
  certificate: yes(...clients),
  kubeconfig: yes("admin", "super-admin", "controller-manager", "scheduler", "kube-proxy", "kubelet"),
  joinPassword: {},
};
const singleCa: EachOf<SingleCaNames<"etcd-peer">> = {
  ...oneServer,
  authority: yes("kubernetes", "etcd-peer"),
  certificate: yes(...clients, "etcd-server", "etcd-peer"),
};

test.each<[string, Distribution, EachOf<DistributionNames>]>([
  ["kubeadm", Distribution.KUBEADM, kubeadm],
  ["k0s", Distribution.K0S, k0s],
  ["k0s with an operator", Distribution.k0s({ clusterAdmin: true }), k0sAdmin],
  ["Cluster API", Distribution.CLUSTER_API, clusterApi],
  ["K3s", Distribution.K3S, k3s],
  ["K3s with an operator", Distribution.k3s({ clusterAdmin: true }), k3sAdmin],
  ["K3s below an intermediate", Distribution.k3s({ chained: "intermediate" }), below],
  ["RKE2 below a root", Distribution.rke2({ chained: "root" }), rke2],
  ["a single CA with one server certificate", Distribution.singleCa({ oneServerCertificate: true }), oneServer],
  ["a single CA beside another", Distribution.singleCa({ ownAuthorities: ["etcd-peer"] }), singleCa],
])("the names that compile for %s are those of its table", (_, { names }, each) => {
  const sorted = (list: readonly string[]) => [...list].sort();
  for (const kind of ["authority", "keyPair", "certificate", "kubeconfig", "joinPassword"] as const) {
    expect([kind, ...sorted(names[kind])]).toEqual([kind, ...sorted(Object.keys(each[kind]))]);
  }
});

test("names of a table of one's own are those of its rows", () => {
  const { table } = Distribution.KUBEADM;
  const { admin } = table.certificates;
  const own = new Distribution({ ...table, name: "own", certificates: { operator: admin! } });
  expect(own.names).toMatchObject({ certificate: ["operator"], kubeconfig: ["operator"] });
});
