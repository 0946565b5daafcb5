import { Cluster, hostAndPort, hostPort } from "./cluster";
import { content, Content } from "./content";
import { kubeconfig } from "./kubeconfig";
import type { JoinFormat } from "./table";

/** What a machine needs to join a cluster. */
export interface JoinProps {
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** PEM of the authorities the API server may be signed by: the whole bundle. */
  readonly certificateAuthority: Content;
  /** What it shows: a bootstrap token, or `<user>:<password>`. */
  readonly token: Content;
}

/** What a machine joins with, as the distribution writes it. It is data: it names the token and does not hold it. */
export function joinWith(format: JoinFormat, { cluster, certificateAuthority, token }: JoinProps): Content {
  if (format === "secure token") {
    return content`K10${{ sha256: certificateAuthority }}::${token}`;
  }
  const { user, context, cluster: clusterName = cluster.name, port } = format.kubeconfig;
  const endpoint = hostAndPort(cluster.endpoint);
  const text = kubeconfig({
    clusterName,
    server: `https://${hostPort({ ...endpoint, port: port ?? endpoint.port })}`,
    certificateAuthority,
    user,
    context,
    credentials: { token },
  });
  return format.encoding === "base64gzip" ? { base64gzip: text } : text;
}
