import { Distribution } from "cdktf-kubernetes-pki";

/** IPv6 and nothing else. An endpoint that is an address is written in brackets, as in a URL. */
export const ipv6 = {
  distribution: Distribution.KUBEADM,
  cluster: {
    name: "ipv6",
    endpoint: "[fd00:6::10]:6443",
    serviceCidrs: ["fd00:6:96::/112"],
    controlPlanes: [1, 2, 3].map((i) => ({ name: `v6-cp-${i}`, addresses: [`fd00:6::1${i}`] })),
  },
};
