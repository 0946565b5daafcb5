import { Cluster, Content, kubeconfig, serverUrl } from "../kubernetes";
import { BootstrapToken } from "./bootstrap-token";

/** What a bootstrap kubeconfig says. */
export interface BootstrapKubeconfigProps {
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** PEM of the authorities the API server may be signed by: the whole bundle. */
  readonly certificateAuthority: Content;
  readonly token: BootstrapToken;
}

/**
 * The kubeconfig with which a kubelet asks for its first certificate, as data: it names the token and does not hold it.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#kubelet-configuration
 */
export function bootstrapKubeconfig({ cluster, certificateAuthority, token }: BootstrapKubeconfigProps): Content {
  return kubeconfig({
    clusterName: cluster.name,
    server: serverUrl(cluster.endpoint),
    certificateAuthority,
    // Names an entry of the file, as kubeadm does; the API server knows the user by the token.
    user: "tls-bootstrap-token-user",
    credentials: { token: token.token },
  });
}
