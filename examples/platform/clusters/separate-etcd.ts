import { Distribution } from "cdktf-kubernetes-pki";

const RACKS = ["r1", "r2", "r3"];

/** etcd on machines of its own. They register with whole host names: a dot of a name is `_` in its Terraform addresses. */
export const separateEtcd = {
  distribution: Distribution.KUBEADM,
  cluster: {
    name: "data",
    endpoint: "api.data.example.com:6443",
    serviceCidrs: ["10.112.0.0/16"],
    controlPlanes: [
      { name: "cp-1.data.example.com", addresses: ["10.2.0.11"] },
      { name: "cp-2.data.example.com", addresses: ["10.2.0.12"] },
    ],
    etcd: {
      topology: "members" as const,
      members: RACKS.map((rack, i) => ({ name: `etcd-1.${rack}.data.example.com`, addresses: [`10.2.1.1${i + 1}`] })),
    },
  },
};
