export { cloudInit } from "./cloud-init";
export { ClusterSecrets, type ClusterSecretsProps } from "./cluster-secrets";
export { FilesSecret, type FilesSecretProps } from "./files-secret";
export { JoinPassword, type JoinPasswordProps } from "./join-password";
