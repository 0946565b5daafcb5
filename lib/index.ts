// The public names, and the one index: inside, every import names the file that has a thing.
export { PkiError, type Problem } from "./errors";
export type * from "./kubernetes/table";
export { type Reference } from "./terraform/reference";
export { Certificate, type CertificateOptions, type CertificateProps } from "./x509/certificate";
export {
  type AuthorityGeneration,
  CertificateAuthority,
  type CertificateAuthorityProps,
  type ICertificateAuthority,
  type SigningGeneration,
} from "./x509/certificate-authority";
export { Generation, type GenerationOptions, type GenerationState, type Generations } from "./x509/generation";
export { KeyAlgorithm, type KeyAlgorithmArguments } from "./x509/key-algorithm";
export { type KeyPairGeneration, KeyPairRing, type KeyPairRingProps } from "./x509/key-pair-ring";
export { KeyUsage } from "./x509/key-usage";
export { Subject, type SubjectFields } from "./x509/subject";
export { type AltName, SubjectAltNames, type TypedNames } from "./x509/subject-alt-names";
export { TrustBundle } from "./x509/trust-bundle";
export { Validity, type ValidityOptions } from "./x509/validity";
export type { AuthorityLimits } from "./x509/authority-limits";
export type { GenerationKeyPem, GenerationPem } from "./x509/pem";
export type { Key } from "./x509/private-key";
export type { AddedCertificateFile, AddedCertificateProps, AddedFileProps, HolderOfOne } from "./kubernetes/additions";
export type { ClusterPkiAttributes, IClusterPki } from "./kubernetes/cluster-identity";
export { ClusterPki } from "./kubernetes/cluster-pki";
export type {
  Content,
  CredentialFile,
  Credentials,
  DatedContent,
  ExecCredentials,
  KubeconfigContent,
  KubeconfigProps,
} from "./kubernetes/content";
export type { UserAccess, UserGrant, Users } from "./kubernetes/users";
export { content, evaluate, toTerraform } from "./kubernetes/content-doors";
export { Distribution, type NameLists, type NamesOf } from "./kubernetes/distribution";
export { type JoinOfPkiProps, type JoinProps, joinWith } from "./kubernetes/join";
export { kubeconfig, type KubeconfigOfPkiProps } from "./kubernetes/kubeconfig-of";
export { signedCertificatesIn } from "./kubernetes/request-files";
export {
  type Cluster,
  type ControlPlane,
  type Endpoint,
  type Etcd,
  type Machine,
  serverUrl,
} from "./kubernetes/cluster";
export type { ClusterSecret } from "./kubernetes/cluster-files";
export type { ClusterLeaf, ClusterParts } from "./kubernetes/cluster-parts";
export type { ClusterFile, FileMap, PublishedFile } from "./kubernetes/cluster-file";
export type {
  ClusterApiAuthority,
  ClusterApiCertificate,
  ClusterApiNames,
} from "./kubernetes/distributions/cluster-api";
export type { K0sAuthority, K0sCertificate, K0sKubeconfig, K0sNames, K0sOptions } from "./kubernetes/distributions/k0s";
export type {
  K3sAuthority,
  K3sCertificate,
  K3sChain,
  K3sJoinPassword,
  K3sKubeconfig,
  K3sNames,
  K3sOptions,
  K3sProgram,
  Rke2Options,
} from "./kubernetes/distributions/k3s";
export type {
  KubeadmAuthority,
  KubeadmCertificate,
  KubeadmKubeconfig,
  KubeadmNames,
  KubeadmOptions,
} from "./kubernetes/distributions/kubeadm";
export type {
  SingleCaAuthority,
  SingleCaCertificate,
  SingleCaKubeconfig,
  SingleCaNames,
  SingleCaOptions,
  SingleCaSet,
} from "./kubernetes/distributions/single-ca";
export { AccessPipeline, type AccessPipelineProps } from "./access/access-pipeline";
export { ApiServerToKubelet, type ApiServerToKubeletProps } from "./access/api-server-to-kubelet";
export {
  BootstrapToken,
  type BootstrapTokenOptions,
  type BootstrapTokenParts,
  type BootstrapTokenProps,
  type BootstrapTokenSlot,
} from "./access/bootstrap-token";
export type { ClusterInfo, ClusterInfoProps } from "./access/cluster-info";
export type { TokenLifeOptions } from "./access/token-life";
export {
  ClusterAccess,
  type ClusterAccessOfPkiProps,
  type ClusterAccessOptions,
  type ClusterAccessProps,
} from "./access/cluster-access";
export { ClusterAdmins, type ClusterAdminsProps } from "./access/cluster-admins";
export { ClusterRoleBinding, type ClusterRoleBindingProps } from "./access/cluster-role-binding";
export type { DistributionBindingsProps } from "./access/distribution-bindings";
export type { KubernetesObjectProps } from "./access/kubernetes-object";
export { NodeBootstrapping, type NodeBootstrappingProps } from "./access/node-bootstrapping";
export { RoleBinding, type RoleBindingProps } from "./access/role-binding";
export type { UserBinding } from "./access/user-bindings";
export { Group, type IRbacSubject, type RbacSubject, ServiceAccountRef, User } from "./access/rbac-subject";
export { cloudInit } from "./delivery/cloud-init";
export { ClusterSecrets, type ClusterSecretsProps } from "./delivery/cluster-secrets";
export { FilesSecret, type FilesSecretProps } from "./delivery/files-secret";
export { ignition } from "./delivery/ignition";
export { JoinPassword, type JoinPasswordProps } from "./delivery/join-password";
export { TlsSecret, type TlsSecretProps } from "./delivery/tls-secret";
export { inventoryOf } from "./inventory/collect";
export { writeInventories } from "./inventory/write";
export type * from "./inventory-schema";
export type { ComponentEffect } from "./terraform-json/components";
export type { FileEffect } from "./plan/model/effects";
export type { Danger, DangerCode } from "./plan/judge/danger";
export type { Difference } from "./plan/model/differences";
export type { Reason } from "./plan/model/reasons";
export type { Verb } from "./plan/model/verbs";
export type { DriftReport, GenerationsReport, IdentityChange, PlanReport } from "./plan/judge/report";
export type { Facts } from "./plan/model/facts";
export type { AuthorityOptions, ClusterCertificateOptions, ClusterPkiProps } from "./kubernetes/cluster-pki-props";
