import { TerraformStack } from "cdktf";
import { Certificate, Cluster, ClusterPki, ClusterPkiProps, Distribution } from "../../lib";
import { newStack, terraformOf } from "./synth";

/** The cluster of the README's first example. */
export const ONE: Cluster = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
};

/** Three control planes with stacked etcd, two workers, one of them named. */
export const THREE: Cluster = {
  ...ONE,
  controlPlanes: [1, 2, 3].map((n) => ({ name: `cp-${n}`, addresses: [`10.0.0.1${n}`] })),
  workers: [{ name: "node-1" }],
};

/** Three control planes, three etcd members of their own, a named worker. */
export const MEMBERS: Cluster = {
  ...THREE,
  etcd: {
    topology: "members",
    members: [1, 2, 3].map((n) => ({ name: `etcd-${n}`, addresses: [`10.0.0.2${n}`] })),
  },
};

/** Two control planes and an etcd that others run. */
export const EXTERNAL: Cluster = {
  ...ONE,
  controlPlanes: [1, 2].map((n) => ({ name: `cp-${n}`, addresses: [`10.0.0.1${n}`] })),
  etcd: { topology: "external", endpoints: ["https://etcd.example.com:2379"] },
};

/** A cluster's PKI, `pki` by its construct and by its addresses, in a stack, `prod-pki`. */
export function pkiOf(
  cluster: Partial<Cluster> = {},
  props: Partial<ClusterPkiProps> = {},
  stack: TerraformStack = newStack(),
): { readonly stack: TerraformStack; readonly pki: ClusterPki } {
  const pki = new ClusterPki(stack, "pki", {
    distribution: Distribution.KUBEADM,
    addressPrefix: "pki",
    ...props,
    cluster: { ...ONE, ...cluster },
  });
  return { stack, pki };
}

/** What {@link pkiOf} synthesizes to. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look anywhere into it
export function terraformOfPki(cluster: Partial<Cluster> = {}, props: Partial<ClusterPkiProps> = {}): any {
  return terraformOf(pkiOf(cluster, props).stack);
}

/** Certificates that are no authorities and that Terraform issues, by `<holder>/<name>`. */
export function leavesOf(pki: ClusterPki): [name: string, certificate: Certificate][] {
  return pki.parts.leaves.map(({ holder, name, certificate }) => [`${holder.name}/${name}`, certificate]);
}
