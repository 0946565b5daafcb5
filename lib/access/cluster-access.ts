import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { Problems, Words } from "../errors";
import { checkNameAndEndpoint } from "../kubernetes/checks/cluster-checks";
import { checkWithoutKeys } from "../kubernetes/checks/signer-checks";
import { bundlePem, checkPkiOrParts, type IClusterPki, PKI, PKI_FIELDS } from "../kubernetes/cluster-identity";
import { checkSecureToken, embedsAuthority, joinWith, rootOf } from "../kubernetes/join";
import { checkBesidePki } from "./beside-pki";
import { claimBindings } from "./claimed-bindings";
import { AccessPipeline } from "./access-pipeline";
import { ApiServerToKubelet } from "./api-server-to-kubelet";
import {
  BOOTSTRAP_TOKEN_OPTIONS,
  BootstrapToken,
  BootstrapTokenOptions,
  checkBootstrapToken,
  rowOf,
} from "./bootstrap-token";
import { ClusterAdmins } from "./cluster-admins";
import { ClusterInfo } from "./cluster-info";
import type { ClusterRoleBinding } from "./cluster-role-binding";
import { bind } from "./distribution-bindings";
import { KubernetesObjectProps, OBJECT_FIELDS, objectProps } from "./kubernetes-object";
import { NodeBootstrapping } from "./node-bootstrapping";
import { PublishedAuthority } from "./published-authority";
import { checkSubjects, CLUSTER_ADMIN, Group, IRbacSubject, ServiceAccountRef, SUBJECTS, User } from "./rbac-subject";
import { bindUser, type UserBinding } from "./user-bindings";
import { claimPrefix } from "../terraform/registry";
import { type Condition, condition, conditionBlocks } from "../terraform/condition";
import { checkConstructId, constructId } from "../terraform/construct-id";
import { quoted } from "../terraform/expression";
import { checkShape, fields, Fields, flag, name as nameShape, optional, record } from "../terraform/shape";
import { addFault, certificatesOf, checkBundle, type Fault, isLiteral, literalCertificates, nameOf } from "../x509/pem";
import type { TrustBundle } from "../x509/trust-bundle";
import { movedFrom } from "../terraform/moves";
import { checkAddressPrefix, checkMovedFrom, checkNamePart, tokenName } from "../terraform/names";
import { AccessRow } from "../kubernetes/table";
import { Cluster } from "../kubernetes/cluster";
import { Content } from "../kubernetes/content";
import { Distribution } from "../kubernetes/distribution";
import { accessOf, type ClusterFile } from "../kubernetes/cluster-file";
import { publishFiles } from "../kubernetes/outputs";
import { checkUsers, userName, type Users, usersOf } from "../kubernetes/users";
import { endpointConditions } from "../kubernetes/checks/unresolved-hosts";

/** What the PKI says, or its parts. */
interface Described extends Omit<IClusterPki, "certificateAuthority" | "authorityKeysOnMachines"> {
  readonly certificateAuthority?: IClusterPki["certificateAuthority"];
  readonly authorityKeysOnMachines: boolean;
}

/** What may be chosen for a {@link ClusterAccess}. */
export interface ClusterAccessOptions extends KubernetesObjectProps {
  /**
   * First part of the Terraform name of everything in here, `[a-z][a-z0-9-]*`, and of each binding's own. It never changes once it
   * was deployed.
   * @default - the cluster's name
   */
  readonly addressPrefix?: string;
  /**
   * The `addressPrefix` that everything had before: tokens are moved, not replaced. Bindings are named after the prefix, and replaced.
   * @default - it had this one
   */
  readonly movedFrom?: string;
  /**
   * Bootstrap tokens by name, `[a-z][a-z0-9-]*`. The first by name of each kind is in the file that such a machine joins with; `{}` makes none.
   * Where no machine has an authority's key (`authorityKeysOnMachines: false`), nobody signs what is asked for with one, and it is refused.
   * @default - one, `workers`; none where nothing joins the distribution with a bootstrap token, or nobody signs
   */
  readonly tokens?: Readonly<Record<string, BootstrapTokenOptions>>;
  /**
   * Administrators beside the distribution's group, e.g. the pipeline's own identity.
   * @default - none
   */
  readonly clusterAdmins?: readonly IRbacSubject[];
  /**
   * Publishes endpoint and authorities in the ConfigMap `cluster-info`, by which `kubeadm join` finds the cluster with a token alone
   * (`--discovery-token`). Everybody may read it, without a name too, so the API server has to let in who has none (`--anonymous-auth`).
   * @default false
   */
  readonly clusterInfo?: boolean;
  /**
   * Who may apply this stack, and nothing else, beside the users with `appliesAccess`: a service account, say, or a user of an identity
   * provider. Its roles are made from what stands in here; see {@link AccessPipeline}.
   * @default - none
   */
  readonly pipelines?: readonly IRbacSubject[];
  /**
   * Takes over the bindings that the distribution makes itself instead of making more under names of its own, and its `cluster-info`
   * where `clusterInfo` is set. They must exist, and destroying the stack deletes them. Choose before the first apply. kubeadm makes all of
   * them as of 1.36 and the patch releases of May 2026; with an earlier one, `kubeadm:apiserver-kubelet-client` is missing. Where nobody signs
   * (`authorityKeysOnMachines: false`), those of nodes that join stay the distribution's.
   * @default false
   */
  readonly adopt?: boolean;
}

/** Props of a {@link ClusterAccess} beside the cluster's PKI: the usual ones. */
export interface ClusterAccessOfPkiProps extends ClusterAccessOptions {
  /**
   * The cluster's PKI, of this stack or another of the app, or of another app by `ClusterPki.fromAttributes`: only what is public of it is
   * read, and nothing of another stack's state: where a token holds the authorities, they are those that the cluster itself publishes.
   */
  readonly pki: IClusterPki;
  /**
   * Said by the PKI.
   * @default - the PKI's
   */
  readonly distribution?: undefined;
  /**
   * Said by the PKI.
   * @default - the PKI's
   */
  readonly cluster?: undefined;
  /**
   * Said by the PKI.
   * @default - the PKI's bundle; of a PKI in another stack, what the cluster itself publishes
   */
  readonly certificateAuthority?: undefined;
  /**
   * Said by the PKI.
   * @default - the PKI's users
   */
  readonly users?: undefined;
  /**
   * Said by the PKI.
   * @default - the PKI's
   */
  readonly authorityKeysOnMachines?: undefined;
}

/** Props of a {@link ClusterAccess} of a cluster whose PKI is not made here. */
export interface ClusterAccessProps extends ClusterAccessOptions {
  /** How the cluster is made: says whom to bind and what joins with which token. */
  readonly distribution: Distribution;
  /** The cluster's name and endpoint; give the description that `ClusterPki` has. */
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /**
   * The authorities that may have signed the API server's certificate: `pki.bundle()`, or the whole bundle as PEM, which may be unresolved,
   * e.g. a variable. A secure token of K3s or RKE2 takes no unresolved text. What joins kubeadm or a single CA finds the authorities in a file
   * of its own disk: there it is looked at, and nothing is made of it. The bundle of a PKI in another stack is read out of that one's state.
   * @default - what the cluster itself publishes, in the ConfigMap `kube-root-ca.crt` of `kube-system`, where a token holds it. A secure
   * token needs more than that: give `pki`
   */
  readonly certificateAuthority?: TrustBundle | string;
  /**
   * People and pipelines, by what they are called: each is bound to what it is granted. Their certificates are issued by a PKI that has the
   * same description.
   * @default - none
   */
  readonly users?: Users;
  /**
   * Whether machines have the private keys of authorities, with which the cluster signs what kubelets ask for. `false` makes no token and
   * binds nobody to joining or renewing: see {@link ClusterPkiProps.authorityKeysOnMachines}.
   * @default true
   */
  readonly authorityKeysOnMachines?: boolean;
  /**
   * A PKI says the others.
   * @default - the others
   */
  readonly pki?: undefined;
}

const OPTIONS = {
  ...OBJECT_FIELDS,
  addressPrefix: optional(nameShape("prod")),
  movedFrom: optional(nameShape("old-prefix")),
  tokens: optional(record("workers", BOOTSTRAP_TOKEN_OPTIONS, checkConstructId)),
  clusterAdmins: optional(SUBJECTS),
  clusterInfo: optional(flag),
  pipelines: optional(SUBJECTS),
  adopt: optional(flag),
} satisfies Fields<ClusterAccessOptions>;

const PROPS = fields({
  ...OPTIONS,
  ...PKI_FIELDS,
  certificateAuthority: optional(PKI_FIELDS.certificateAuthority),
} satisfies Fields<Omit<ClusterAccessProps, "pki">>);

const PROPS_OF_PKI = fields({ ...OPTIONS, pki: PKI } satisfies Fields<
  ClusterAccessOptions & { readonly pki: IClusterPki }
>);
/**
 * What stands inside a cluster's API server so that nodes can join and people can work: bootstrap tokens, the bindings that make
 * them useful, administrators, and the API server's own way to kubelets.
 *
 * It is deployed apart from the PKI, once the API server runs: first with the break-glass kubeconfig, later by a pipeline's own
 * identity. A worker joins with its bootstrap kubeconfig, and needs no Terraform resource of its own.
 *
 * In the Terraform state: the secret of every token, and the authorities that the cluster publishes, where a token holds them. In its
 * outputs: no secret. `<prefix>_files` says what the bootstrap kubeconfig is made of.
 *
 * @throws PkiError with everything that is wrong with the description
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export class ClusterAccess extends Construct {
  /** Bootstrap tokens by name. */
  public readonly tokens: Readonly<Record<string, BootstrapToken>>;
  /** What a machine joins with, by the token's name: data that names the token and does not hold it. */
  public readonly joinTokens: Readonly<Record<string, Content>>;
  /** Undefined where nodes of the distribution do not join by TLS bootstrap, or nobody signs what they ask for. */
  public readonly nodeBootstrapping?: NodeBootstrapping;
  /** Undefined where the distribution has no group of administrators and none was given. */
  public readonly clusterAdmins?: ClusterAdmins;
  /** Undefined where the distribution opens that way itself. */
  public readonly apiServerToKubelet?: ApiServerToKubelet;
  /** The binding of kube-proxy to `system:node-proxier`; undefined where the distribution's table names nobody to bind, or nobody joins. */
  public readonly kubeProxy?: ClusterRoleBinding;
  /** Undefined where it was not asked for. */
  public readonly clusterInfo?: ClusterInfo;
  /** Undefined where nobody is to apply this stack and nothing else. */
  public readonly pipeline?: AccessPipeline;
  /** What each user is bound to, in the order of its grants. */
  public readonly userBindings: Readonly<Record<string, readonly UserBinding[]>>;

  public constructor(scope: Construct, id: string, props: ClusterAccessProps | ClusterAccessOfPkiProps) {
    super(scope, constructId(scope, id));
    const given = new Problems();
    const more = ["certificateAuthority", "users", "authorityKeysOnMachines"] as const;
    checkPkiOrParts(props, ["distribution", "cluster"], given, more);
    given.throwIfAny(this.node.path);
    checkShape(this, props, props?.pki === undefined ? PROPS : PROPS_OF_PKI);
    const {
      distribution,
      cluster,
      certificateAuthority,
      users,
      authorityKeysOnMachines: signs = true,
    } = props.pki ?? props;
    const { adopt } = props;
    const { access } = distribution.table;
    const { tokens = signs && Object.keys(access.tokens).length > 0 ? { workers: {} } : {} } = props;
    const prefix = props.addressPrefix ?? cluster.name;
    const described = { distribution, cluster, certificateAuthority, users, authorityKeysOnMachines: signs };
    this.check(prefix, tokens, described, props);
    claimPrefix(TerraformStack.of(this), "access", prefix, this.node.path);

    const scopeOfTokens = new Construct(this, "token");
    const made = Object.entries(tokens)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, options]) => {
        const address = tokenName(prefix, name);
        const token = new BootstrapToken(scopeOfTokens, name, {
          distribution,
          address,
          signing: props.clusterInfo,
          ...options,
          ...objectProps(props),
        });
        return [name, token] as const;
      });
    this.tokens = Object.fromEntries(made);

    const bindings = { distribution, addressPrefix: prefix, ...objectProps(props) };
    const subjects = props.clusterAdmins;
    if (access.nodeBootstrapping && signs) {
      const groups = made.flatMap(([, token]) => token.groups);
      this.nodeBootstrapping = new NodeBootstrapping(this, "node-bootstrapping", { ...bindings, groups, adopt });
    }
    if (access.clusterAdmins || subjects?.length) {
      this.clusterAdmins = new ClusterAdmins(this, "cluster-admins", { ...bindings, subjects, adopt });
    }
    if (access.apiServerToKubelet) {
      this.apiServerToKubelet = new ApiServerToKubelet(this, "apiserver-to-kubelet", { ...bindings, adopt });
    }
    if (access.kubeProxy && signs) {
      const subjects = [subjectOf(access.kubeProxy)];
      const nodeProxier = { name: "node-proxier", clusterRole: "system:node-proxier", subjects, inTable: subjects };
      this.kubeProxy = bind(this, prefix, nodeProxier, props);
    }

    const scopeOfUsers = new Construct(this, "users");
    const bound = usersOf(users).map(([name, user]) => [name, bindUser(scopeOfUsers, name, user, prefix, props)]);
    this.userBindings = Object.fromEntries(bound) as typeof this.userBindings;

    const isEmbedded = props.clusterInfo || made.some(([, { row }]) => embedsAuthority(row.format));
    const authority = {
      certificateAuthority: isEmbedded ? this.embedded(prefix, certificateAuthority, props) : "",
      root: certificateAuthority === undefined ? undefined : rootOf(certificateAuthority),
    };
    if (props.clusterInfo) {
      this.clusterInfo = new ClusterInfo(this, "cluster-info", {
        addressPrefix: prefix,
        cluster,
        certificateAuthority: authority.certificateAuthority,
        adopt: adopt ? access.clusterInfo?.role : undefined,
        ...objectProps(props),
      });
    }
    const joinToken = ([name, { row, token }]: (typeof made)[number]) =>
      [name, joinWith(row.format, { cluster, ...authority, token })] as const;
    this.joinTokens = Object.fromEntries(made.map(joinToken));
    const pipelines = [...usersApplying(users), ...(props.pipelines ?? [])];
    if (pipelines.length > 0) {
      const pipeline = { of: this, addressPrefix: prefix, subjects: pipelines, ...objectProps(props) };
      this.pipeline = new AccessPipeline(this, "pipeline", pipeline);
    }
    claimBindings(this, cluster.endpoint);
    const files = publishFiles(this, prefix, this.joinFiles(access));
    if (props.movedFrom !== undefined) {
      movedFrom(this, props.movedFrom, prefix);
    }
    const conditions = [
      ...endpointConditions(cluster.endpoint),
      ...(typeof certificateAuthority === "string" && !isLiteral(certificateAuthority)
        ? [authorityCondition(certificateAuthority)]
        : []),
    ];
    if (conditions.length > 0) {
      files.addOverride("precondition", conditionBlocks(conditions));
    }
  }

  /** The authorities that a token holds: of a PKI in another stack they are what the cluster publishes, since nobody has to read that state. */
  private embedded(
    addressPrefix: string,
    given: TrustBundle | string | undefined,
    props: ClusterAccessProps | ClusterAccessOfPkiProps,
  ): Content {
    const isElsewhere = props.pki !== undefined && typeof given === "object" && !given.isIn(TerraformStack.of(this));
    return given === undefined || isElsewhere
      ? new PublishedAuthority(this, "published-authority", { addressPrefix, ...objectProps(props) }).bundle
      : bundlePem(given);
  }

  /** The files of whoever joins, with the first token of its kind. */
  private joinFiles(access: AccessRow): Record<string, ClusterFile[]> {
    const files: Record<string, ClusterFile[]> = {};
    for (const row of Object.values(access.tokens)) {
      const first = Object.keys(this.tokens).find((name) => this.tokens[name]!.row === row);
      if (first !== undefined) {
        const { file, configuration } = row;
        (files[file.on] ??= []).push(
          joinFile(file, "join token", this.joinTokens[first]!),
          ...(configuration ? [joinFile(configuration, "configuration", configuration.text)] : []),
        );
      }
    }
    return files;
  }

  private check(
    prefix: string,
    tokens: Readonly<Record<string, BootstrapTokenOptions>>,
    { distribution, cluster, certificateAuthority, users = {}, authorityKeysOnMachines }: Described,
    { movedFrom: before, clusterAdmins = [], pipelines = [] }: ClusterAccessOptions,
  ): void {
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    checkMovedFrom(before, prefix, problems);
    checkNameAndEndpoint(cluster, problems);
    if (problems.none) {
      checkBesidePki(this, { distribution, cluster, certificateAuthority, authorityKeysOnMachines }, problems);
    }
    if (typeof certificateAuthority === "string" && isLiteral(certificateAuthority)) {
      checkCertificateAuthority(certificateAuthority, problems);
    }
    if (!authorityKeysOnMachines) {
      checkWithoutKeys(distribution.table, problems);
      checkUnsigned(Object.keys(tokens), distribution, problems);
    }
    const rows = distribution.table.access.tokens;
    for (const [token, options] of Object.entries(tokens)) {
      checkNamePart("token-name", `tokens.${token}`, token, problems);
      checkBootstrapToken(options, rows, problems, `tokens.${token}.`);
      if (rowOf(options, rows)?.format === "secure token") {
        checkSecureToken(certificateAuthority, "certificateAuthority", problems);
      }
    }
    checkSubjects(clusterAdmins, CLUSTER_ADMIN, "clusterAdmins", problems);
    checkSubjects(pipelines, CLUSTER_ADMIN, "pipelines", problems);
    checkUsers(users, distribution.table, problems);
    problems.throwIfAny(this.node.path);
  }
}

function joinFile(
  { path, consumers }: Pick<ClusterFile, "path" | "consumers">,
  kind: ClusterFile["kind"],
  content: Content,
): ClusterFile {
  return { path, kind, ...accessOf({ kind }), content, consumers };
}

/** Finds tokens with which nobody would get a certificate. */
function checkUnsigned(tokens: readonly string[], { table }: Distribution, problems: Problems): void {
  for (const token of table.withoutAuthorityKeys === undefined ? [] : tokens) {
    problems.add({
      code: "token-unsigned",
      at: `tokens.${token}`,
      given: new Words("a bootstrap token"),
      allowed: "none: no machine has an authority's key, and nobody signs what is asked for with a token",
      fix: "leave it out, and give each worker a name in the cluster of ClusterPki, which issues its certificate",
    });
  }
}

function subjectOf(row: NonNullable<AccessRow["kubeProxy"]>): IRbacSubject {
  return "group" in row ? Group.named(row.group) : ServiceAccountRef.named(row.namespace, row.serviceAccount);
}

function usersApplying(users: Users = {}): User[] {
  const applying = usersOf(users).filter(([, { appliesAccess }]) => appliesAccess);
  return applying.map(([name, user]) => User.named(userName(name, user)));
}

/** What was unresolved at synth is checked by Terraform, before the files could be exported. */
function authorityCondition(certificateAuthority: string): Condition {
  const has = (text: string) => `strcontains(${quoted(certificateAuthority)}, "${text}")`;
  const problem = {
    code: "certificate-authority",
    at: "certificateAuthority",
    allowed: "PEM certificates and no private key",
    fix: "give the bundle of the authority that signs the API server's certificate",
  };
  return condition(`${has("-----BEGIN CERTIFICATE-----")} && !${has("PRIVATE KEY-----")}`, problem);
}

/** Never shows what was given: it could be a key. */
function checkCertificateAuthority(pem: string, problems: Problems): void {
  const at = "certificateAuthority";
  const found = (given: string, fix: string) => {
    const allowed = "PEM certificates, each the API server's authority";
    problems.add({ code: "certificate-authority", at, given, allowed, fix });
  };
  if (pem.includes("PRIVATE KEY-----")) {
    const fix = "give the bundle's certificates alone, and make new keys: these may have been seen";
    found("text with a private key", fix);
    return;
  }
  const fix = "give the bundle of the authority that signs the API server's certificate";
  if (!certificatesOf(pem)[0]?.ca) {
    found("text that is no certificate authority", fix);
    return;
  }
  checkBundle(pem, (fault, given) =>
    IN_A_BUNDLE.includes(fault) ? found(given, fix) : addFault(fault, at, given, problems),
  );
  for (const { certificate, fields } of literalCertificates(pem)) {
    const usages = fields.extendedKeyUsages;
    if (usages && !usages.some((usage) => SERVES.includes(usage))) {
      addFault("pem-extended-key-usage", at, `${nameOf(certificate)}, which may sign for no server`, problems);
    }
  }
}

/** What is wrong with the text, and not with an authority. */
const IN_A_BUNDLE: readonly Fault[] = ["pem-certificate", "pem-not-ca"];

/** Object identifiers of the usages of a server: its own, and any. */
const SERVES = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];
