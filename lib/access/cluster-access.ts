import { TerraformOutput, TerraformStack, Token } from "cdktf";
import { Construct } from "constructs";
import { X509Certificate } from "node:crypto";
import { Problems } from "../errors";
import { checkNameAndEndpoint } from "../kubernetes/cluster-checks";
import { secureTokenPrecondition, joinWith } from "../kubernetes/join";
import { ApiServerToKubelet } from "./api-server-to-kubelet";
import { BootstrapToken, BootstrapTokenOptions, checkBootstrapToken } from "./bootstrap-token";
import { ClusterAdmins } from "./cluster-admins";
import { KubernetesObjectProps, objectProps } from "./kubernetes-object";
import { NodeBootstrapping } from "./node-bootstrapping";
import { checkSubjects, CLUSTER_ADMIN, IRbacSubject } from "./rbac-subject";
import { claimPrefix } from "../terraform/registry";
import { quoted } from "../terraform/expression";
import { checkAddressPrefix, checkNamePart, tokenName } from "../terraform/names";
import { AccessRow } from "../kubernetes/table";
import { Cluster } from "../kubernetes/cluster";
import { Content } from "../kubernetes/content";
import { Distribution } from "../kubernetes/distribution";
import { ClusterFile } from "../kubernetes/holders";
import { publishFiles } from "../kubernetes/files";

/** Props of {@link ClusterAccess}. */
export interface ClusterAccessProps extends KubernetesObjectProps {
  /** How the cluster is made: says whom to bind and what joins with which token. */
  readonly distribution: Distribution;
  /** The cluster's name and endpoint; give the description that `ClusterPki` has. */
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** PEM of the authorities the API server may be signed by: the whole bundle. May be unresolved, e.g. from the PKI's stack. */
  readonly certificateAuthority: string;
  /**
   * First part of the Terraform name of everything in here, `[a-z][a-z0-9-]*`, and of each binding's own. It never changes once it
   * was deployed.
   * @default - the construct's id
   */
  readonly addressPrefix?: string;
  /**
   * Bootstrap tokens by name, `[a-z][a-z0-9-]*`. The first one of each kind is in the file that such a machine joins with; `{}` makes none.
   * @default - one, `workers`; none where nothing joins the distribution with a bootstrap token
   */
  readonly tokens?: Readonly<Record<string, BootstrapTokenOptions>>;
  /**
   * Administrators beside the distribution's group, e.g. the pipeline's own identity.
   * @default - none
   */
  readonly clusterAdmins?: readonly IRbacSubject[];
  /**
   * Takes over the bindings that the distribution makes itself instead of making more under names of its own. They must exist,
   * and destroying the stack deletes them. Choose before the first apply.
   * @default false
   */
  readonly adopt?: boolean;
}

/**
 * What stands inside a cluster's API server so that nodes can join and people can work: bootstrap tokens, the bindings that make
 * them useful, administrators, and the API server's own way to kubelets.
 *
 * It is deployed apart from the PKI, once the API server runs: first with the break-glass kubeconfig, later by a pipeline's own
 * identity. A worker joins with its bootstrap kubeconfig, and needs no Terraform resource of its own.
 *
 * In the Terraform state: the secret of every token. In its outputs: none. `<prefix>_files` says what the bootstrap kubeconfig is
 * made of.
 *
 * @throws PkiError with everything that is wrong with the description
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export class ClusterAccess extends Construct {
  /** Bootstrap tokens by name. */
  public readonly tokens: Readonly<Record<string, BootstrapToken>>;
  /** What a machine joins with, by the token's name: data that names the token and does not hold it. */
  public readonly joinTokens: Readonly<Record<string, Content>>;
  /** Undefined where nodes of the distribution do not join by TLS bootstrap. */
  public readonly nodeBootstrapping?: NodeBootstrapping;
  /** Undefined where the distribution has no group of administrators and none was given. */
  public readonly clusterAdmins?: ClusterAdmins;
  /** Undefined where the distribution opens that way itself. */
  public readonly apiServerToKubelet?: ApiServerToKubelet;

  public constructor(scope: Construct, id: string, props: ClusterAccessProps) {
    super(scope, id);
    const { distribution, cluster, certificateAuthority, adopt } = props;
    const { access } = distribution.table;
    const { tokens = Object.keys(access.tokens).length > 0 ? { workers: {} } : {} } = props;
    const prefix = props.addressPrefix ?? id;
    this.check(prefix, tokens, props);
    claimPrefix(TerraformStack.of(this), "access", prefix, this.node.path);

    const scopeOfTokens = new Construct(this, "token");
    const made = Object.entries(tokens).map(([name, options]) => {
      const address = tokenName(prefix, name);
      const token = new BootstrapToken(scopeOfTokens, name, {
        distribution,
        address,
        ...options,
        ...objectProps(props),
      });
      return [name, token] as const;
    });
    this.tokens = Object.fromEntries(made);

    const bindings = { distribution, addressPrefix: prefix, ...objectProps(props) };
    const subjects = props.clusterAdmins;
    if (access.nodeBootstrapping) {
      const groups = made.flatMap(([, token]) => token.groups);
      this.nodeBootstrapping = new NodeBootstrapping(this, "node-bootstrapping", { ...bindings, groups, adopt });
    }
    if (access.clusterAdmins || subjects?.length) {
      this.clusterAdmins = new ClusterAdmins(this, "cluster-admins", { ...bindings, subjects, adopt });
    }
    if (access.apiServerToKubelet) {
      this.apiServerToKubelet = new ApiServerToKubelet(this, "apiserver-to-kubelet", bindings);
    }

    const joinToken = ([name, { row, token }]: (typeof made)[number]) =>
      [name, joinWith(row.format, { cluster, certificateAuthority, token })] as const;
    this.joinTokens = Object.fromEntries(made.map(joinToken));
    const isHashed = made.some(([, { row }]) => row.format === "secure token");
    checkLater(publishFiles(this, prefix, this.joinFiles(access)), certificateAuthority, isHashed);
  }

  /** The file of whoever joins, with the first token of its kind. */
  private joinFiles(access: AccessRow): Record<string, ClusterFile[]> {
    const files: Record<string, ClusterFile[]> = {};
    for (const row of Object.values(access.tokens)) {
      const first = Object.keys(this.tokens).find((name) => this.tokens[name]!.row === row);
      if (first !== undefined) {
        const { path, on, consumers } = row.file;
        const content = this.joinTokens[first]!;
        (files[on] ??= []).push({ path, kind: "join token", mode: "0600", owner: "root:root", content, consumers });
      }
    }
    return files;
  }

  private check(
    prefix: string,
    tokens: Readonly<Record<string, BootstrapTokenOptions>>,
    props: ClusterAccessProps,
  ): void {
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    checkNameAndEndpoint(props.cluster, problems);
    checkCertificateAuthority(props.certificateAuthority, problems);
    for (const [token, options] of Object.entries(tokens)) {
      checkNamePart("token-name", `tokens.${token}`, token, problems);
      checkBootstrapToken(options, props.distribution.table.access.tokens, problems, `tokens.${token}.`);
    }
    checkSubjects(props.clusterAdmins ?? [], CLUSTER_ADMIN, "clusterAdmins", problems);
    problems.throwIfAny(this.node.path);
  }
}

/** What was unresolved at synth is checked by Terraform, before the files could be exported. */
function checkLater(files: TerraformOutput, certificateAuthority: string, isHashed: boolean): void {
  if (Token.isUnresolved(certificateAuthority)) {
    const has = (text: string) => `strcontains(${quoted(certificateAuthority)}, "${text}")`;
    const precondition = {
      condition: `\${${has("-----BEGIN CERTIFICATE-----")} && !${has("PRIVATE KEY-----")}}`,
      error_message: "[certificate-authority] certificateAuthority must be PEM certificates and no private key.",
    };
    const hashable = isHashed ? [secureTokenPrecondition(certificateAuthority)] : [];
    files.addOverride("precondition", [precondition, ...hashable]);
  }
}

/** Never shows what was given: it could be a key. */
function checkCertificateAuthority(pem: string, problems: Problems): void {
  if (Token.isUnresolved(pem)) {
    return;
  }
  const allowed = "PEM certificates, each the API server's authority";
  if (pem.includes("PRIVATE KEY-----")) {
    const fix = "give the bundle's certificates alone, and make new keys: these may have been seen";
    problems.add({
      code: "certificate-authority",
      at: "certificateAuthority",
      given: "text with a private key",
      allowed,
      fix,
    });
  } else if (!isCertificate(pem)) {
    const fix = "give the bundle of the authority that signs the API server's certificate";
    problems.add({
      code: "certificate-authority",
      at: "certificateAuthority",
      given: "text that is no certificate authority",
      allowed,
      fix,
    });
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
