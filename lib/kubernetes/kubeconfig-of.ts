import { Problems } from "../errors";
import { serverUrl } from "./cluster";
import { bundlePem, checkPkiOrParts, type IClusterPki, PKI } from "./cluster-identity";
import type { Content, KubeconfigProps } from "./content";
import { checkShape, fields, Fields } from "../terraform/shape";
import { KUBECONFIG, KUBECONFIG_USER } from "./checks/content-shape";
import { kubeconfig as inline } from "./kubeconfig";

// Apart from the text of kubeconfigs, which the command line reads without cdktf.

/** A kubeconfig of a cluster of which there is a PKI: that says its name, its endpoint and its bundle. */
export interface KubeconfigOfPkiProps extends Pick<KubeconfigProps, "user" | "context" | "credentials"> {
  /** The cluster's PKI. */
  readonly pki: IClusterPki;
  /**
   * Said by the PKI.
   * @default - the cluster's name
   */
  readonly clusterName?: undefined;
  /**
   * Said by the PKI.
   * @default - the cluster's endpoint
   */
  readonly server?: undefined;
  /**
   * Said by the PKI.
   * @default - the PKI's bundle
   */
  readonly certificateAuthority?: undefined;
}

const KUBECONFIG_OF_PKI = fields({
  ...KUBECONFIG_USER,
  pki: PKI,
} satisfies Fields<Pick<KubeconfigOfPkiProps, "pki" | "user" | "context" | "credentials">>);

/**
 * A kubeconfig with everything inline, field by field as client-go writes it. It is data: it names keys and tokens and holds none.
 *
 * @throws PkiError when a field is missing, unknown or of another type; when neither a PKI nor all of its parts were given, or both
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function kubeconfig(props: KubeconfigProps | KubeconfigOfPkiProps): Content {
  const problems = new Problems();
  checkPkiOrParts(props, ["clusterName", "server", "certificateAuthority"], problems);
  problems.throwIfAny("kubeconfig");
  checkShape("kubeconfig", props, props?.pki === undefined ? KUBECONFIG : KUBECONFIG_OF_PKI);
  if (props.pki === undefined) {
    return inline(props);
  }
  const { pki, user, context, credentials } = props;
  const { cluster, certificateAuthority } = pki;
  const server = serverUrl(cluster.endpoint);
  const ofCluster = { clusterName: cluster.name, server, certificateAuthority: bundlePem(certificateAuthority) };
  return inline({ ...ofCluster, user, context, credentials });
}
