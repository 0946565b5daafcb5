export { ApiServerToKubelet, type ApiServerToKubeletProps } from "./api-server-to-kubelet";
export { BootstrapToken, type BootstrapTokenOptions, type BootstrapTokenProps } from "./bootstrap-token";
export { ClusterAccess, type ClusterAccessProps } from "./cluster-access";
export { ClusterAdmins, type ClusterAdminsProps } from "./cluster-admins";
export { ClusterRoleBinding, type ClusterRoleBindingProps } from "./cluster-role-binding";
export { type DistributionBindingsProps } from "./distribution-bindings";
export { type KubernetesObjectProps } from "./kubernetes-object";
export { NodeBootstrapping, type NodeBootstrappingProps } from "./node-bootstrapping";
export { Group, ServiceAccountRef, User, type IRbacSubject, type RbacSubject } from "./rbac-subject";
