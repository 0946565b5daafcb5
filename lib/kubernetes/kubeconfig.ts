import {
  type CertificateAuthorityFile,
  content,
  type Content,
  type Credentials,
  type KubeconfigContent,
  type KubeconfigProps,
} from "./content";
import { scalar } from "./yaml";

/**
 * A kubeconfig with everything inline, but for an authority that is given as a file; field by field as client-go writes it. It is data: it names keys and tokens and holds none.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function kubeconfig(props: KubeconfigProps): Content {
  const { credentials } = props;
  const certificateAuthority = isFile(props.certificateAuthority)
    ? { file: scalar(props.certificateAuthority.file) }
    : props.certificateAuthority;
  const [cluster, server, user] = [props.clusterName, props.server, props.user].map(scalar) as [string, string, string];
  const context = scalar(props.context ?? `${props.user}@${props.clusterName}`);
  const named = context === contextOf({ cluster, user }) ? {} : { context };
  return { kubeconfig: { cluster, server, user, ...named, certificateAuthority, credentials } };
}

function contextOf({ cluster, user, context }: Pick<KubeconfigContent, "cluster" | "user" | "context">): string {
  return context ?? `${user}@${cluster}`;
}

/**
 * What a cluster is found by, byte for byte as `kubeadm init` writes it: a kubeconfig with a cluster without a name, and nobody in it.
 *
 * @param server URL of the API server
 * @param certificateAuthority PEM of the authorities it may be signed by
 */
export function discoveryKubeconfig(server: string, certificateAuthority: Content): Content {
  return content`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${{ base64: certificateAuthority }}
    server: ${scalar(server)}
  name: ""
contexts: null
current-context: ""
kind: Config
users: null
`;
}

/** Its text. */
export function kubeconfigText(content: KubeconfigContent): readonly Content[] {
  const { cluster, server, user, certificateAuthority, credentials } = content;
  const context = contextOf(content);
  return [
    "apiVersion: v1\nclusters:\n- cluster:\n",
    ...(isFile(certificateAuthority)
      ? [`    certificate-authority: ${certificateAuthority.file}`]
      : ["    certificate-authority-data: ", { base64: certificateAuthority }]),
    `
    server: ${server}
  name: ${cluster}
contexts:
- context:
    cluster: ${cluster}
    user: ${user}
  name: ${context}
current-context: ${context}
kind: Config
users:
- name: ${user}
  user:
`,
    ...credentialLines(credentials),
    "\n",
  ];
}

/** True for an authority that stands in a file of its own. */
export function isFile(authority: Content | CertificateAuthorityFile): authority is CertificateAuthorityFile {
  return typeof authority !== "string" && "file" in authority;
}

function credentialLines(credentials: Credentials): readonly Content[] {
  return "token" in credentials
    ? ["    token: ", credentials.token]
    : [
        "    client-certificate-data: ",
        { base64: credentials.certificate },
        "\n    client-key-data: ",
        { base64: credentials.privateKey },
      ];
}
