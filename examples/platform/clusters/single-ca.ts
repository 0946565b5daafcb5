import { Distribution } from "cdktf-kubernetes-pki";

/** One authority for everything, in the folders of "Kubernetes the hard way". */
export const singleCa = {
  distribution: Distribution.SINGLE_CA,
  cluster: {
    name: "lab",
    endpoint: "server.lab.example.com:6443",
    serviceCidrs: ["10.32.0.0/24"],
    controlPlanes: [{ name: "server", addresses: ["10.240.0.10"] }],
    workers: [
      { name: "node-0", addresses: ["10.240.0.20"] },
      { name: "node-1", addresses: ["10.240.0.21"] },
    ],
  },
};
