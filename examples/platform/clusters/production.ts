import { Distribution, Validity } from "cdktf-kubernetes-pki";

/** Three control planes with stacked etcd, and both families: the primary one is first. */
export const production = {
  distribution: Distribution.KUBEADM,
  cluster: {
    name: "production",
    endpoint: "api.production.example.com:6443",
    serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/112"],
    controlPlanes: [1, 2, 3].map((i) => ({
      name: `cp-${i}`,
      addresses: [`10.0.0.1${i}`, `fd00:10::1${i}`],
    })),
  },
  certificates: { apiserver: { validity: Validity.days(90) } },
};
