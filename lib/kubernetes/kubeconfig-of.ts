import { serverUrl } from "./cluster";
import { bundlePem, type IClusterPki } from "./cluster-identity";
import type { Content, KubeconfigProps } from "./content";
import { kubeconfig as inline } from "./kubeconfig";

// Apart from the text of kubeconfigs, which the command line reads without cdktf.

/** A kubeconfig of a cluster of which there is a PKI: that says its name, its endpoint and its bundle. */
export interface KubeconfigOfPkiProps extends Pick<KubeconfigProps, "user" | "context" | "credentials"> {
  /** The cluster's PKI. */
  readonly pki: IClusterPki;
}

/**
 * A kubeconfig with everything inline, field by field as client-go writes it. It is data: it names keys and tokens and holds none.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function kubeconfig(props: KubeconfigProps | KubeconfigOfPkiProps): Content {
  if (!("pki" in props)) {
    return inline(props);
  }
  const { pki, ...user } = props;
  const { cluster, certificateAuthority } = pki;
  const server = serverUrl(cluster.endpoint);
  return inline({ clusterName: cluster.name, server, certificateAuthority: bundlePem(certificateAuthority), ...user });
}
