export { serverUrl, type Cluster, type ControlPlane, type Endpoint, type Etcd, type Machine } from "./cluster";
export { ClusterPki, type ClusterCertificateOptions, type ClusterPkiProps } from "./cluster-pki";
export { content, evaluate, toTerraform, type Content } from "./content";
export { Distribution } from "./distribution";
export { publishFiles } from "./files";
export { ANY_WORKER, OPERATOR, type FileMap, type MachineFile } from "./holders";
export { kubeconfig, type Credentials, type KubeconfigProps } from "./kubeconfig";
export type * from "./table";
