import {
  type CertificateAuthorityFile,
  content,
  type Content,
  type CredentialFile,
  type Credentials,
  type ExecCredentials,
  type KubeconfigContent,
  type KubeconfigProps,
} from "./content";
import { scalar } from "./yaml";

/**
 * A kubeconfig with everything inline, but for what is given as a file or a program; field by field as client-go writes it. It is data: it names keys and tokens and holds none.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function kubeconfig(props: KubeconfigProps): Content {
  const credentials = credentialsOf(props.credentials);
  const certificateAuthority = asScalar(props.certificateAuthority);
  const [cluster, server, user] = [props.clusterName, props.server, props.user].map(scalar) as [string, string, string];
  const context = scalar(props.context ?? `${props.user}@${props.clusterName}`);
  const named = context === contextOf({ cluster, user }) ? {} : { context };
  return { kubeconfig: { cluster, server, user, ...named, certificateAuthority, credentials } };
}

/** The name of a file as a YAML scalar; PEM as it is. */
function asScalar<F extends CredentialFile>(pem: Content | F): Content | CredentialFile {
  return isFile(pem) ? { file: scalar(pem.file) } : pem;
}

function credentialsOf(credentials: Credentials): KubeconfigContent["credentials"] {
  if ("exec" in credentials) {
    return { exec: execJson(credentials.exec) };
  }
  return "token" in credentials
    ? credentials
    : { certificate: asScalar(credentials.certificate), privateKey: asScalar(credentials.privateKey) };
}

/** JSON is YAML to every reader, whatever stands in its texts. */
function execJson({
  command,
  args = [],
  env = {},
  installHint,
  interactiveMode = "IfAvailable",
}: ExecCredentials): string {
  return JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    ...(args.length > 0 ? { args } : {}),
    command,
    ...(Object.keys(env).length > 0
      ? {
          env: Object.keys(env)
            .sort()
            .map((name) => ({ name, value: env[name] })),
        }
      : {}),
    ...(installHint === undefined ? {} : { installHint }),
    interactiveMode,
  });
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
    ...pemLine("certificate-authority", certificateAuthority),
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

/** True for PEM that stands in a file of its own. */
export function isFile<F extends CredentialFile | CertificateAuthorityFile>(pem: Content | F): pem is F {
  return typeof pem !== "string" && "file" in pem;
}

function credentialLines(credentials: KubeconfigContent["credentials"]): readonly Content[] {
  if ("exec" in credentials) {
    return [`    exec: ${credentials.exec}`];
  }
  if ("token" in credentials) {
    return ["    token: ", credentials.token];
  }
  const { certificate, privateKey } = credentials;
  return [...pemLine("client-certificate", certificate), "\n", ...pemLine("client-key", privateKey)];
}

function pemLine(field: string, pem: Content | CredentialFile): readonly Content[] {
  return isFile(pem) ? [`    ${field}: ${pem.file}`] : [`    ${field}-data: `, { base64: pem }];
}
