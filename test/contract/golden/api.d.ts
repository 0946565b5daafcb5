import { App } from 'cdktf';
import { CertRequest } from '@cdktf/provider-tls/lib/cert-request';
import { ClusterRoleBindingV1 } from '@cdktf/provider-kubernetes/lib/cluster-role-binding-v1';
import { ClusterRoleV1 } from '@cdktf/provider-kubernetes/lib/cluster-role-v1';
import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1';
import { Construct } from 'constructs';
import { DataResource } from 'cdktf';
import { IConstruct } from 'constructs';
import { ITerraformDependable } from 'cdktf';
import { LocallySignedCert } from '@cdktf/provider-tls/lib/locally-signed-cert';
import { Password } from '@cdktf/provider-random/lib/password';
import { PrivateKey } from '@cdktf/provider-tls/lib/private-key';
import { RoleBindingV1 } from '@cdktf/provider-kubernetes/lib/role-binding-v1';
import { RoleV1 } from '@cdktf/provider-kubernetes/lib/role-v1';
import { Rotating } from '@cdktf/provider-time/lib/rotating';
import { SecretV1 } from '@cdktf/provider-kubernetes/lib/secret-v1';
import { StringResource } from '@cdktf/provider-random/lib/string-resource';
import { TerraformProvider } from 'cdktf';
import { TerraformResource } from 'cdktf';
import { TerraformStack } from 'cdktf';
import { X509Certificate } from 'node:crypto';

export class AccessPipeline extends Construct {
    constructor(scope: Construct, id: string, props: AccessPipelineProps);
    readonly bindings: readonly (ClusterRoleBinding | RoleBinding)[];
    readonly resources: readonly (ClusterRoleV1 | RoleV1)[];
}

export interface AccessPipelineProps extends KubernetesObjectProps {
    readonly addressPrefix?: string;
    readonly of: Construct;
    readonly subjects: readonly IRbacSubject[];
}

export interface AccessRow {
    readonly apiServerToKubelet?: {
        readonly user: string;
        readonly binding?: string;
    };
    readonly clusterAdmins?: {
        readonly group: string;
        readonly binding: string;
    };
    readonly clusterInfo?: {
        readonly role: string;
    };
    readonly kubeProxy?: {
        readonly group: string;
    } | {
        readonly serviceAccount: string;
        readonly namespace: string;
    };
    readonly nodeBootstrapping?: {
        readonly group: string;
        readonly bindings: {
            readonly createCsrs: string;
            readonly approveFirst: string;
            readonly approveRenewals: string;
        };
        readonly reads?: Readonly<Record<string, ReadingRow>>;
    };
    readonly tokens: Readonly<Record<string, TokenRow>>;
}

interface Acknowledged {
    readonly by?: string;
    readonly reason: string;
}

interface Acknowledgement extends Acknowledged {
    readonly code: DangerCode;
    readonly name?: string;
}

export interface AddedCertificateFile extends AddedProps {
    readonly kind: Extract<FileKind, "certificate" | "chain" | "bundle" | "private key" | "kubeconfig">;
    readonly path: string;
}

export interface AddedCertificateProps<Of extends Distribution = Distribution> extends CertificateOptions {
    readonly authority: NamesOf<Of>["authority"] | ICertificateAuthority;
    readonly commonName: string;
    readonly files: readonly AddedCertificateFile[];
    readonly holders: readonly HolderOfOne[];
    readonly organization?: string;
    readonly purpose?: string;
    readonly sans?: readonly AltName[];
    readonly usage: KeyUsage;
}

export interface AddedFileProps extends AddedProps {
    readonly content: Content;
    readonly path: string;
}

interface AddedProps {
    readonly consumers?: readonly Consumer[];
    readonly mode?: string;
    readonly owner?: string;
}

export type AltName = string | TypedNames;

type AnyText = string & Record<never, never>;

export class ApiServerToKubelet extends Construct {
    constructor(scope: Construct, id: string, props: ApiServerToKubeletProps);
    readonly binding: ClusterRoleBinding;
}

export interface ApiServerToKubeletProps extends DistributionBindingsProps {
    readonly adopt?: boolean;
}

export interface AuthorityEntry extends Entry, Guarded {
    readonly files: readonly FileEntry[];
    readonly generation: string;
    readonly issuer?: Issuer;
    readonly keyAlgorithm?: string;
    readonly kind: "authority";
    readonly sans: readonly string[];
    readonly signsNodesForHours?: number;
    readonly state: "active" | "trusted" | "retired";
    readonly subject?: string;
    readonly validityHours?: number;
}

export interface AuthorityGeneration {
    readonly addresses: readonly string[];
    readonly certificate: Reference;
    readonly chain: readonly Reference[];
    readonly end: Reference;
    readonly id: string;
    readonly limits?: AuthorityLimits;
    readonly literal?: string;
    readonly literalRoot?: string;
    readonly privateKey?: Reference;
    readonly state: GenerationState;
    readonly validityHours?: number;
}

export interface AuthorityLimits {
    readonly end: Date;
    readonly pathLength?: number;
    readonly purposes?: readonly string[];
    readonly validityHours: number;
}

export interface AuthorityOptions {
    readonly generations?: Generations;
}

export interface AuthorityRow extends Row {
    readonly commonName: string;
    readonly issuer?: string;
    readonly organization?: string;
    readonly renewedAs?: {
        readonly commonNames: readonly string[];
        readonly orAs?: string;
    };
    readonly sans?: readonly string[];
    readonly signsNodesFor?: number | "clusterSigningDuration";
}

export interface BindingEntry extends Entry {
    readonly asInTable?: readonly string[];
    readonly kind: "binding";
    readonly namespace?: string;
    readonly role: string;
    readonly subjects: readonly string[];
}

export class BootstrapToken extends Construct {
    constructor(scope: Construct, id: string, props: BootstrapTokenProps);
    readonly groups: readonly string[];
    get id(): Reference;
    get resource(): SecretV1;
    get rotation(): Rotating | undefined;
    readonly row: TokenRow;
    readonly slots: readonly [BootstrapTokenSlot] | readonly [BootstrapTokenSlot, BootstrapTokenSlot];
    readonly token: Content;
    get tokenId(): StringResource | undefined;
    get tokenSecret(): Password | undefined;
}

export interface BootstrapTokenOptions extends TokenLifeOptions {
    readonly description?: string;
    readonly groups?: readonly string[];
    readonly joins?: string;
    readonly signing?: boolean;
    readonly token?: BootstrapTokenParts;
}

export interface BootstrapTokenParts {
    readonly id: string;
    readonly secret: string;
}

export interface BootstrapTokenProps extends BootstrapTokenOptions, KubernetesObjectProps {
    readonly address?: string;
    readonly distribution: Distribution;
}

export interface BootstrapTokenSlot {
    readonly id: Reference;
    readonly resource: SecretV1;
    readonly rotation?: Rotating;
    readonly tokenId?: StringResource;
    readonly tokenSecret?: Password;
}

export class Certificate extends Construct {
    constructor(scope: Construct, id: string, props: CertificateProps);
    readonly addresses: readonly string[];
    get allowedUses(): readonly string[];
    readonly anchor: LocallySignedCert | DataResource;
    get certificate(): Reference;
    readonly chain: readonly Reference[];
    readonly isSigned: boolean;
    readonly isSignedElsewhere: boolean;
    readonly issuer: AuthorityGeneration;
    get key(): Key;
    readonly name: string;
    readonly ownRequest?: CertRequest;
    get privateKey(): Reference;
    get request(): CertRequest;
    readonly requestPem: Reference | string;
    get resource(): LocallySignedCert;
    readonly sans: SubjectAltNames;
    readonly subject: Subject;
    readonly usage: KeyUsage;
    readonly validity: Validity;
}

export class CertificateAuthority extends Construct implements ICertificateAuthority {
    constructor(scope: Construct, id: string, props: CertificateAuthorityProps);
    readonly active: SigningGeneration;
    readonly bundle: TrustBundle;
    readonly fingerprints: Readonly<Record<string, string>>;
    get generations(): Readonly<Record<string, AuthorityGeneration>>;
    registerLeaf(certificate: TerraformResource, generation: string): void;
}

interface CertificateAuthorityFile {
    readonly file: string;
}

export interface CertificateAuthorityProps {
    readonly address?: string;
    readonly deletionProtection?: boolean;
    readonly generations?: Generations;
    readonly issuer?: ICertificateAuthority;
    readonly provider?: TerraformProvider;
    readonly sans?: readonly AltName[];
    readonly subject: Subject;
}

export interface CertificateEntry extends Entry {
    readonly asInTable?: true;
    readonly earlyRenewalHours?: number;
    readonly files: readonly FileEntry[];
    readonly holder?: string;
    readonly issuedBy: "terraform" | "distribution" | "elsewhere";
    readonly issuer: Issuer;
    readonly keyAlgorithm?: string;
    readonly kind: "certificate";
    readonly sans: readonly string[];
    readonly subject: string;
    readonly usage: string;
    readonly validityHours?: number;
}

export interface CertificateOptions {
    readonly issuer?: string;
    readonly keyAlgorithm?: KeyAlgorithm;
    readonly keyGeneration?: string;
    readonly validity?: Validity;
}

export interface CertificateProps extends CertificateOptions {
    readonly address?: string;
    readonly authority: ICertificateAuthority;
    readonly moreOrganizations?: readonly string[];
    readonly provider?: TerraformProvider;
    readonly request?: string;
    readonly sans?: readonly AltName[];
    readonly signed?: string;
    readonly subject: Subject;
    readonly usage: KeyUsage;
}

export interface CertificateRow extends Row {
    readonly authority: string;
    readonly breakGlass?: string;
    readonly byTerraformAlone?: boolean;
    readonly commonName: string;
    readonly holders: readonly HolderKind[];
    readonly issuedBy: "terraform" | "distribution";
    readonly kubeconfigUser?: string;
    readonly needsAddress?: boolean;
    readonly organization?: string;
    readonly sans?: readonly string[];
    readonly usage: KeyUsage;
}

export function cloudInit(files: readonly Pick<ClusterFile, "path" | "mode" | "owner" | "content">[]): Content;

export interface Cluster {
    readonly clusterDomain?: string;
    readonly clusterSigningDuration?: Validity;
    readonly controlPlanes?: readonly ControlPlane[];
    readonly endpoint: Endpoint;
    readonly etcd?: Etcd;
    readonly extraSans?: readonly AltName[];
    readonly name: string;
    readonly serviceCidrs: readonly string[];
    readonly workers?: readonly Machine[];
}

export class ClusterAccess extends Construct {
    constructor(scope: Construct, id: string, props: ClusterAccessProps | ClusterAccessOfPkiProps);
    readonly apiServerToKubelet?: ApiServerToKubelet;
    readonly clusterAdmins?: ClusterAdmins;
    readonly clusterInfo?: ClusterInfo;
    readonly joinTokens: Readonly<Record<string, Content>>;
    readonly kubeProxy?: ClusterRoleBinding;
    readonly nodeBootstrapping?: NodeBootstrapping;
    readonly pipeline?: AccessPipeline;
    readonly tokens: Readonly<Record<string, BootstrapToken>>;
    readonly userBindings: Readonly<Record<string, readonly UserBinding[]>>;
}

export interface ClusterAccessOfPkiProps extends ClusterAccessOptions {
    readonly authorityKeysOnMachines?: undefined;
    readonly certificateAuthority?: undefined;
    readonly cluster?: undefined;
    readonly distribution?: undefined;
    readonly pki: IClusterPki;
    readonly users?: undefined;
}

export interface ClusterAccessOptions extends KubernetesObjectProps {
    readonly addressPrefix?: string;
    readonly adopt?: boolean;
    readonly clusterAdmins?: readonly IRbacSubject[];
    readonly clusterInfo?: boolean;
    readonly movedFrom?: string;
    readonly pipelines?: readonly IRbacSubject[];
    readonly tokens?: Readonly<Record<string, BootstrapTokenOptions>>;
}

export interface ClusterAccessProps extends ClusterAccessOptions {
    readonly authorityKeysOnMachines?: boolean;
    readonly certificateAuthority?: TrustBundle | string;
    readonly cluster: Pick<Cluster, "name" | "endpoint">;
    readonly distribution: Distribution;
    readonly pki?: undefined;
    readonly users?: Users;
}

export class ClusterAdmins extends Construct {
    constructor(scope: Construct, id: string, props: ClusterAdminsProps);
    readonly binding: ClusterRoleBinding;
}

export interface ClusterAdminsProps extends DistributionBindingsProps {
    readonly adopt?: boolean;
    readonly subjects?: readonly IRbacSubject[];
}

export type ClusterApiAuthority = "kubernetes" | "front-proxy" | "etcd";

export type ClusterApiCertificate = "etcd-server" | "etcd-peer" | "etcd-healthcheck-client" | "apiserver-etcd-client" | "admin";

export interface ClusterApiNames extends DistributionNames {
    readonly authority: ClusterApiAuthority;
    readonly certificate: ClusterApiCertificate;
    readonly joinPassword: never;
    readonly keyPair: "service-account";
    readonly kubeconfig: never;
}

export interface ClusterCertificateOptions extends CertificateOptions {
    readonly extraSans?: readonly AltName[];
}

export interface ClusterFile extends PublishedFile {
    readonly consumers: readonly Consumer[];
    readonly kind: FileKind | "configuration" | "join token" | "certificate request";
    readonly path: string;
}

export class ClusterInfo extends Construct {
    constructor(scope: Construct, id: string, props: ClusterInfoProps);
    readonly binding: RoleBinding;
    readonly contents: DataResource;
    readonly resource: ConfigMapV1;
    readonly role: RoleV1;
}

export interface ClusterInfoProps extends KubernetesObjectProps {
    readonly addressPrefix: string;
    readonly adopt?: string;
    readonly certificateAuthority: Content;
    readonly cluster: Pick<Cluster, "endpoint">;
}

export interface ClusterLeaf {
    readonly authority: ICertificateAuthority;
    readonly certificate: Certificate;
    readonly credentials?: Credentials;
    readonly holder: Holder;
    readonly name: string;
    readonly row: CertificateRow;
}

export interface ClusterParts {
    readonly authorities: ReadonlyMap<string, CertificateAuthority>;
    readonly cluster: Cluster;
    readonly keyPairs: ReadonlyMap<string, KeyPairRing>;
    readonly leaves: readonly ClusterLeaf[];
    readonly table: DistributionTable;
}

export class ClusterPki<Of extends Distribution = Distribution> extends Construct implements IClusterPki {
    constructor(scope: Construct, id: string, props: ClusterPkiProps<Of>);
    addCertificate(name: string, props: AddedCertificateProps<Of>): Readonly<Record<string, Certificate>>;
    addFile(holder: HolderOfOne | "worker", props: AddedFileProps): void;
    readonly addressPrefix: string;
    authority(name: NamesOf<Of>["authority"]): CertificateAuthority;
    readonly authorityKeysOnMachines: boolean;
    bundle(name?: NamesOf<Of>["authority"]): TrustBundle;
    certificate(name: NamesOf<Of>["certificate"], holder?: string): Certificate;
    get certificateAuthority(): TrustBundle;
    readonly cluster: Cluster;
    readonly distribution: Of;
    files(holder: string): readonly ClusterFile[];
    static fromAttributes(attributes: ClusterPkiAttributes): IClusterPki;
    keyPair(name: NamesOf<Of>["keyPair"]): KeyPairRing;
    kubeconfig(name: NamesOf<Of>["kubeconfig"], holder?: string): Content;
    readonly machines: readonly string[];
    readonly movedFrom?: string;
    readonly parts: ClusterParts;
    readonly secrets: readonly ClusterSecret[];
    readonly users: Users;
}

export interface ClusterPkiAttributes extends IClusterPki {
    readonly certificateAuthority: string;
}

export interface ClusterPkiProps<Of extends Distribution = Distribution> {
    readonly addressPrefix?: string;
    readonly authorities?: Readonly<Partial<Record<NamesOf<Of>["authority"], AuthorityOptions>>>;
    readonly authorityKeysOnMachines?: boolean;
    readonly certificateRequests?: Readonly<Record<string, string>>;
    readonly certificates?: Readonly<Partial<Record<NamesOf<Of>["certificate"], ClusterCertificateOptions>>>;
    readonly cluster: Cluster;
    readonly deletionProtection?: boolean;
    readonly distribution: Of;
    readonly issueLeaves?: boolean;
    readonly keyAlgorithm?: KeyAlgorithm;
    readonly movedFrom?: string;
    readonly provider?: TerraformProvider;
    readonly serviceAccount?: {
        readonly generations?: Generations;
    };
    readonly signedCertificates?: Readonly<Record<string, string>>;
    readonly subject?: Pick<SubjectFields, "organizationalUnit" | "country" | "province" | "locality">;
    readonly users?: Users;
    readonly validity?: Validity;
}

export class ClusterRoleBinding extends Construct {
    constructor(scope: Construct, id: string, props: ClusterRoleBindingProps);
    readonly clusterRole: string;
    readonly name: string;
    readonly resource: ClusterRoleBindingV1;
    readonly subjects: readonly RbacSubject[];
}

export interface ClusterRoleBindingProps extends KubernetesObjectProps {
    readonly address?: string;
    readonly adopt?: boolean;
    readonly clusterRole: string;
    readonly name: string;
    readonly subjects: readonly IRbacSubject[];
}

export interface ClusterSecret {
    readonly data: Readonly<Record<string, Content>>;
    readonly labels: Readonly<Record<string, string>>;
    readonly name: string;
    readonly type: string;
}

export class ClusterSecrets extends Construct {
    constructor(scope: Construct, id: string, props: ClusterSecretsProps);
    readonly namespace: string;
    readonly resources: Readonly<Record<string, SecretV1>>;
    readonly secrets: readonly ClusterSecret[];
}

export interface ClusterSecretsProps extends KubernetesObjectProps {
    readonly addressPrefix?: string;
    readonly deletionProtection?: boolean;
    readonly movedFrom?: string;
    readonly namespace: string;
    readonly pki: ClusterPki;
}

export interface ComponentEffect {
    readonly action: "reload" | "restart";
    readonly cluster?: string;
    readonly component: string;
    readonly files: readonly string[];
    readonly holders: readonly string[];
    readonly remove?: readonly string[];
}

interface Condition {
    readonly condition: string;
    readonly errorMessage: string;
}

export interface ConfigurationRow {
    readonly authorityKeys?: boolean;
    readonly certificate?: string;
    readonly consumers: readonly Consumer[];
    readonly etcd?: readonly EtcdTopology[];
    readonly on: readonly HolderKind[];
    readonly path: string;
    readonly purpose: string;
    readonly sans?: readonly string[];
    readonly text: string;
}

export interface Consumer {
    readonly component: string;
    readonly measured?: string;
    readonly on?: readonly HolderKind[];
    readonly onChange: "reload" | "restart" | "next-use";
    readonly port?: ServedPort;
    readonly prefers?: string;
    readonly via: {
        readonly flag: string;
    } | {
        readonly configField: string;
    } | {
        readonly use: string;
    };
    readonly with?: Readonly<Record<string, string>>;
}

export interface ConsumerEntry {
    readonly component: string;
    readonly onChange: "reload" | "restart" | "next-use";
    readonly prefers?: string;
    readonly via: string;
}

export type Content = string | Reference | {
    readonly concat: readonly Content[];
} | {
    readonly kubeconfig: KubeconfigContent;
} | {
    readonly base64: Content;
} | {
    readonly base64gzip: Content;
} | {
    readonly sha256: Content;
} | {
    readonly unsigned: string;
} | {
    readonly later: readonly [DatedContent, DatedContent];
};

export function content(strings: TemplateStringsArray, ...values: Content[]): Content;

export interface ControlPlane extends Machine {
    readonly bindPort?: number;
    readonly extraSans?: readonly AltName[];
}

export interface CredentialFile {
    readonly file: string;
}

export type Credentials = {
    readonly certificate: Content | CredentialFile;
    readonly privateKey: Content | CredentialFile;
} | {
    readonly token: Content;
} | {
    readonly exec: ExecCredentials;
};

export interface Danger {
    readonly acknowledged?: Acknowledged;
    readonly attributes?: readonly string[];
    readonly code: DangerCode;
    readonly fix: string;
    readonly message: string;
    readonly name?: string;
    readonly reaches: readonly string[];
}

export type DangerCode = "plan-failed" | "unreadable" | "authority-replaced" | "generation-not-retired" | "introduced-and-promoted" | "issuer-not-delivered" | "trust-removed" | "retired-too-soon" | "key-destroyed" | "key-exposed" | "protection-removed" | "exception-added" | "stale-certificate" | "usages-widened" | "new-signer" | "wildcard-name" | "long-validity" | "weak-key" | "system-masters" | "system-identity" | "cluster-admin" | "powerful-role" | "open-binding" | "csr-approver" | "token-widened" | "renewal-window";

export interface DatedContent {
    readonly content: Content;
    readonly madeAt: Reference;
}

export interface Difference {
    readonly added?: readonly string[];
    readonly after?: string;
    readonly before?: string;
    readonly removed?: readonly string[];
    readonly what: keyof Facts;
}

export class Distribution<Names extends DistributionNames = DistributionNames> {
    constructor(table: DistributionTable);
    static readonly CLUSTER_API: Distribution<ClusterApiNames>;
    static readonly K0S: Distribution<K0sNames>;
    static k0s<Admin extends boolean = false>(options?: K0sOptions<Admin>): Distribution<K0sNames<Admin>>;
    static readonly K3S: Distribution<K3sNames>;
    static k3s<Chained extends K3sChain = never, Admin extends boolean = false>(options?: K3sOptions<Chained, Admin>): Distribution<K3sNames<"k3s", Chained, Admin>>;
    static readonly KUBEADM: Distribution<KubeadmNames>;
    static kubeadm<Serving extends boolean = false>(options?: KubeadmOptions<Serving>): Distribution<KubeadmNames<Serving>>;
    readonly names: NameLists<Names>;
    static readonly RKE2: Distribution<K3sNames<"rke2">>;
    static rke2<Chained extends K3sChain = never, Admin extends boolean = false>(options?: Rke2Options<Chained, Admin>): Distribution<K3sNames<"rke2", Chained, Admin>>;
    static readonly SINGLE_CA: Distribution<SingleCaNames>;
    static singleCa<Sets extends SingleCaSet = never, OneServer extends boolean = false>(options?: SingleCaOptions<Sets, OneServer>): Distribution<SingleCaNames<Sets, OneServer>>;
    readonly table: DistributionTable;
}

export interface DistributionBindingsProps extends KubernetesObjectProps {
    readonly addressPrefix?: string;
    readonly distribution: Distribution;
}

export interface DistributionNames {
    readonly authority: string;
    readonly certificate: string;
    readonly joinPassword: string;
    readonly keyPair: string;
    readonly kubeconfig: string;
}

export interface DistributionTable<Names extends DistributionNames = DistributionNames> {
    readonly access: AccessRow;
    readonly apiServerAuthority: Names["authority"];
    readonly authorities: Readonly<Record<Names["authority"], AuthorityRow>>;
    readonly certificates: Readonly<Record<Names["certificate"], CertificateRow>>;
    readonly configuration: readonly ConfigurationRow[];
    readonly joinPasswords?: Readonly<Record<string, JoinPasswordRow>>;
    readonly keyPairs: Readonly<Record<Names["keyPair"], KeyPairRow>>;
    readonly name: string;
    readonly requires: {
        readonly controlPlanes: boolean;
        readonly addresses: boolean;
        readonly etcd?: readonly EtcdTopology[];
        readonly etcdEndpoints?: boolean;
        readonly maxServiceCidrBits?: number;
        readonly singleHosts?: boolean;
    };
    readonly sharedRoot?: string;
    readonly version: string;
    readonly withoutAuthorityKeys?: string;
}

export interface DriftReport {
    readonly differences: readonly Difference[];
    readonly name: string;
    readonly what: "changed" | "deleted";
}

export type Endpoint = string | {
    readonly dns: string;
    readonly port?: number;
} | {
    readonly ip: string;
    readonly port?: number;
};

interface Entry {
    readonly addresses: readonly string[];
    readonly cluster?: string;
    readonly exceptions?: readonly {
        readonly code: string;
        readonly reason: string;
    }[];
    readonly name: string;
    readonly path: string;
    readonly purpose?: string;
}

export type Etcd = {
    readonly topology: "stacked";
} | {
    readonly topology: "members";
    readonly members: readonly Machine[];
} | {
    readonly topology: "external";
    readonly endpoints?: readonly string[];
};

export type EtcdTopology = "stacked" | "members" | "external";

export function evaluate(content: Content, lookup: (reference: Reference) => string): string;

export interface ExecCredentials {
    readonly args?: readonly string[];
    readonly command: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly installHint?: string;
    readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
}

export interface Facts {
    readonly earlyRenewalHours?: number;
    readonly expires?: string;
    readonly groups?: readonly string[];
    readonly issuer?: string;
    readonly keyAlgorithm?: string;
    readonly notAfter?: string;
    readonly object?: string;
    readonly role?: string;
    readonly rules?: readonly string[];
    readonly sans?: readonly string[];
    readonly subject?: string;
    readonly subjects?: readonly string[];
    readonly usages?: readonly string[];
    readonly validityHours?: number;
}

type FileDifference = "added" | "removed" | "moved" | "content" | "mode" | "owner";

export interface FileEffect {
    readonly cluster?: string;
    readonly consumers: readonly ConsumerEntry[];
    readonly from?: string;
    readonly holder: string;
    readonly kind?: string;
    readonly path: string;
    readonly what: readonly FileDifference[];
}

export interface FileEntry {
    readonly consumers: readonly ConsumerEntry[];
    readonly holder: string;
    readonly kind: string;
    readonly path: string;
}

export type FileKind = "certificate" | "chain" | "bundle" | "signer" | "private key" | "private keys" | "public keys" | "kubeconfig";

export type FileMap = Readonly<Record<string, Readonly<Record<string, PublishedFile>>>>;

export interface FileRow {
    readonly alsoOf?: readonly string[];
    readonly consumers: readonly Consumer[];
    readonly firstStartOnly?: FirstStartOnly;
    readonly kind: FileKind;
    readonly kubeconfigNames?: {
        readonly cluster: string;
        readonly context: string;
        readonly user: string;
    };
    readonly mode?: string;
    readonly on: readonly HolderKind[];
    readonly owner?: string;
    readonly path: string;
    readonly server?: "endpoint" | "local";
    readonly writtenBy?: "terraform" | "distribution";
}

export class FilesSecret extends Construct {
    constructor(scope: Construct, id: string, props: FilesSecretProps);
    readonly data: Readonly<Record<string, Content>>;
    readonly keys: Readonly<Record<string, string>>;
    readonly name: string;
    readonly namespace: string;
    readonly resource: SecretV1;
}

export interface FilesSecretProps extends KubernetesObjectProps {
    readonly address?: string;
    readonly files: readonly Pick<ClusterFile, "path" | "content">[];
    readonly name: string;
    readonly namespace: string;
}

export interface FirstStartOnly {
    readonly command: string;
    readonly folder: string;
    readonly madeAtStart: string;
}

export class Generation {
    static active(options?: GenerationOptions): Generation;
    static fromKeyPem(state: GenerationState, keyPem: GenerationKeyPem): Generation;
    static fromPem(state: GenerationState, pem: GenerationPem): Generation;
    get hasPrivateKey(): boolean;
    readonly keyPem?: GenerationKeyPem | undefined;
    get limits(): AuthorityLimits | undefined;
    readonly options: GenerationOptions;
    readonly pem?: GenerationPem | undefined;
    static retired(options?: GenerationOptions): Generation;
    get signsElsewhere(): boolean;
    readonly state: GenerationState;
    static trusted(options?: GenerationOptions): Generation;
    get validityHours(): number | undefined;
}

export interface GenerationKeyPem {
    readonly privateKeyPem?: string;
    readonly publicKeyPem: string;
}

export interface GenerationOptions {
    readonly fingerprint?: string;
    readonly issuer?: string;
    readonly keyAlgorithm?: KeyAlgorithm;
    readonly validity?: Validity;
}

export interface GenerationPem {
    readonly certificatePem: string;
    readonly privateKeyPem?: string;
}

export type Generations = Readonly<Record<string, Generation>>;

export interface GenerationsReport {
    readonly cluster?: string;
    readonly generations: readonly {
        readonly id: string;
        readonly before?: GenerationStanding;
        readonly after?: GenerationStanding;
    }[];
    readonly kind: "authority" | "key pair";
    readonly name: string;
}

type GenerationStanding = GenerationState_2 | "present";

export type GenerationState = "active" | "trusted" | "retired";

type GenerationState_2 = "active" | "trusted" | "retired";

export class Group implements IRbacSubject {
    readonly name: string;
    static named(name: string): Group;
    toSubject(): RbacSubject;
}

interface Guarded {
    readonly pinned?: true;
    readonly unprotected?: true;
}

interface Holder {
    readonly addresses: readonly string[];
    readonly bindPort: number;
    readonly extraSans: readonly AltName[];
    readonly isMachine: boolean;
    readonly kinds: readonly HolderKind[];
    readonly localServer: string;
    readonly name: string;
}

export type HolderKind = "control-plane" | "etcd-member" | "named-worker" | "worker" | "operator" | "cluster";

export type HolderOfOne = "control-plane" | "etcd-member" | "named-worker" | "operator" | AnyText;

export interface ICertificateAuthority extends IConstruct {
    readonly active: SigningGeneration;
    readonly bundle: TrustBundle;
    readonly generations: Readonly<Record<string, AuthorityGeneration>>;
    registerLeaf(certificate: TerraformResource, generation: string): void;
}

export interface IClusterPki {
    readonly authorityKeysOnMachines?: boolean;
    readonly certificateAuthority: TrustBundle | string;
    readonly cluster: Pick<Cluster, "name" | "endpoint">;
    readonly distribution: Distribution;
    readonly users?: Users;
}

export interface IdentityChange {
    readonly addresses: readonly string[];
    readonly after?: Facts;
    readonly before?: Facts;
    readonly cluster?: string;
    readonly differences: readonly Difference[];
    readonly files: readonly FileEffect[];
    readonly generation?: string;
    readonly holder?: string;
    readonly kind: IdentityKind;
    readonly name: string;
    readonly planned: boolean;
    readonly purpose?: string;
    readonly reasons: readonly Reason[];
    readonly verbs: readonly Verb[];
}

type IdentityKind = "authority" | "key pair" | "certificate" | "token" | "binding" | "role" | "secret";

export function ignition(files: readonly Pick<ClusterFile, "path" | "mode" | "owner" | "content">[]): Content;

export interface Inventory {
    readonly entries: readonly InventoryEntry[];
    readonly machines?: readonly MachineEntry[];
    readonly schemaVersion: typeof INVENTORY_SCHEMA_VERSION;
    readonly stack: string;
}

export const INVENTORY_FILE = "pki-inventory.json";

export const INVENTORY_SCHEMA_VERSION = 2;

export type InventoryEntry = AuthorityEntry | KeyPairEntry | CertificateEntry | TokenEntry | BindingEntry | RoleEntry;

export function inventoryOf(stack: TerraformStack): Inventory;

export interface IRbacSubject {
    toSubject(): RbacSubject;
}

export interface Issuer {
    readonly authority: string;
    readonly generation: string;
}

export type JoinFormat = {
    readonly kubeconfig: {
        readonly cluster?: string;
        readonly context?: string;
        readonly user: string;
        readonly port?: number;
        readonly certificateAuthority?: string;
    };
    readonly encoding?: "base64gzip";
} | "secure token";

export interface JoinOfPkiProps extends Pick<JoinProps, "token"> {
    readonly certificateAuthority?: undefined;
    readonly cluster?: undefined;
    readonly pki: IClusterPki;
}

export class JoinPassword<Of extends Distribution = Distribution> extends Construct {
    constructor(scope: Construct, id: string, props: JoinPasswordProps<Of>);
    files(machine: string): readonly ClusterFile[];
    readonly password: Reference;
    readonly resource: Password;
    readonly token: Content;
}

export interface JoinPasswordFileRow extends Pick<FileRow, "path" | "on" | "consumers"> {
    readonly format?: "password";
}

export interface JoinPasswordProps<Of extends Distribution = Distribution> {
    readonly deletionProtection?: boolean;
    readonly joins?: NamesOf<Of>["joinPassword"];
    readonly pki: ClusterPki<Of>;
}

export interface JoinPasswordRow {
    readonly configuration?: readonly ConfigurationRow[];
    readonly files: readonly JoinPasswordFileRow[];
    readonly format: JoinFormat;
    readonly purpose: string;
    readonly user: string;
}

export interface JoinProps {
    readonly certificateAuthority: Content;
    readonly cluster: Pick<Cluster, "name" | "endpoint">;
    readonly pki?: undefined;
    readonly root?: X509Certificate;
    readonly token: Content;
}

export function joinWith(format: JoinFormat, props: JoinProps | JoinOfPkiProps): Content;

export type K0sAuthority = "kubernetes" | "front-proxy" | "etcd";

export type K0sCertificate<Admin extends boolean = false> = "apiserver" | "k0s-api" | "apiserver-kubelet-client" | "front-proxy-client" | "konnectivity" | "etcd-server" | "etcd-peer" | "apiserver-etcd-client" | "admin" | "controller-manager" | "scheduler" | "kubelet" | (Admin extends false ? never : "cluster-admin");

export type K0sKubeconfig<Admin extends boolean = false> = Extract<K0sCertificate<Admin>, "konnectivity" | "admin" | "controller-manager" | "scheduler" | "kubelet" | "cluster-admin">;

export interface K0sNames<Admin extends boolean = false> extends DistributionNames {
    readonly authority: K0sAuthority;
    readonly certificate: K0sCertificate<Admin>;
    readonly joinPassword: never;
    readonly keyPair: "service-account";
    readonly kubeconfig: K0sKubeconfig<Admin>;
}

export interface K0sOptions<Admin extends boolean = boolean> {
    readonly clusterAdmin?: Admin;
    readonly dataDir?: string;
}

export type K3sAuthority<Chained extends K3sChain = never> = "server" | "client" | "request-header" | "etcd-server" | "etcd-peer" | (Chained extends "root" ? K3sChain : Chained);

export type K3sCertificate<Program extends K3sProgram = "k3s", Admin extends boolean = false> = "apiserver" | "apiserver-kubelet-client" | "front-proxy-client" | "apiserver-etcd-client" | "etcd-server" | "etcd-peer" | "controller-manager-server" | "scheduler-server" | "admin" | "supervisor" | "controller-manager" | "scheduler" | "cloud-controller-manager" | "kubelet" | "kubelet-server" | "kube-proxy" | `${Program}-controller` | (Admin extends false ? never : "cluster-admin");

export type K3sChain = "root" | "intermediate";

export type K3sJoinPassword = "server" | "agent";

export type K3sKubeconfig<Program extends K3sProgram = "k3s", Admin extends boolean = false> = Extract<K3sCertificate<Program, Admin>, "apiserver-kubelet-client" | "admin" | "supervisor" | "controller-manager" | "scheduler" | "cloud-controller-manager" | "kubelet" | "kube-proxy" | `${Program}-controller` | "cluster-admin">;

export interface K3sNames<Program extends K3sProgram = "k3s", Chained extends K3sChain = never, Admin extends boolean = false> extends DistributionNames {
    readonly authority: K3sAuthority<Chained>;
    readonly certificate: K3sCertificate<Program, Admin>;
    readonly joinPassword: K3sJoinPassword;
    readonly keyPair: "service-account";
    readonly kubeconfig: K3sKubeconfig<Program, Admin>;
}

export interface K3sOptions<Chained extends K3sChain = K3sChain, Admin extends boolean = boolean> {
    readonly chained?: Chained;
    readonly clusterAdmin?: Admin;
    readonly dataDir?: string;
}

export type K3sProgram = "k3s" | "rke2";

export interface Key {
    readonly fingerprint: Reference;
    readonly privateKey: Reference;
    readonly publicKey: Reference;
    readonly resource: PrivateKey;
}

export class KeyAlgorithm {
    check(at: string, problems: Problems): void;
    static readonly ECDSA_P256: KeyAlgorithm;
    static readonly ECDSA_P384: KeyAlgorithm;
    static readonly ECDSA_P521: KeyAlgorithm;
    readonly name: string;
    static of(algorithm: string): KeyAlgorithm;
    static readonly RSA_2048: KeyAlgorithm;
    static readonly RSA_3072: KeyAlgorithm;
    static readonly RSA_4096: KeyAlgorithm;
    readonly tls: KeyAlgorithmArguments;
}

export interface KeyAlgorithmArguments {
    readonly algorithm: string;
    readonly ecdsaCurve?: string;
    readonly rsaBits?: number;
}

export interface KeyPairEntry extends Entry, Guarded {
    readonly files: readonly FileEntry[];
    readonly generation: string;
    readonly keyAlgorithm?: string;
    readonly kind: "key pair";
    readonly state: "active" | "trusted" | "retired";
}

export interface KeyPairGeneration {
    readonly addresses: readonly string[];
    readonly id: string;
    readonly privateKey?: Reference;
    readonly publicKey: Reference;
    readonly state: GenerationState;
}

export class KeyPairRing extends Construct {
    constructor(scope: Construct, id: string, props?: KeyPairRingProps);
    readonly fingerprints: Readonly<Record<string, string>>;
    readonly generations: Readonly<Record<string, KeyPairGeneration>>;
    readonly privateKey: Reference;
    readonly privateKeys: readonly Reference[];
    readonly publicKeys: readonly Reference[];
}

export interface KeyPairRingProps {
    readonly address?: string;
    readonly deletionProtection?: boolean;
    readonly generations?: Generations;
    readonly keyAlgorithm?: KeyAlgorithm;
    readonly provider?: TerraformProvider;
}

export type KeyPairRow = Row;

export class KeyUsage {
    allowedUses(keyAlgorithm: KeyAlgorithm): string[];
    static readonly AUTHORITY: KeyUsage;
    static readonly CLIENT: KeyUsage;
    readonly name: string;
    readonly purposes: readonly string[];
    static readonly SERVER: KeyUsage;
    static readonly SERVER_AND_CLIENT: KeyUsage;
}

export type KubeadmAuthority = "kubernetes" | "front-proxy" | "etcd";

export type KubeadmCertificate<Serving extends boolean = false> = "apiserver" | "apiserver-kubelet-client" | "front-proxy-client" | "etcd-server" | "etcd-peer" | "etcd-healthcheck-client" | "apiserver-etcd-client" | "admin" | "super-admin" | "controller-manager" | "scheduler" | "kubelet" | (Serving extends false ? never : "kubelet-server");

export type KubeadmKubeconfig = Extract<KubeadmCertificate, "admin" | "super-admin" | "controller-manager" | "scheduler" | "kubelet">;

export interface KubeadmNames<Serving extends boolean = false> extends DistributionNames {
    readonly authority: KubeadmAuthority;
    readonly certificate: KubeadmCertificate<Serving>;
    readonly joinPassword: never;
    readonly keyPair: "service-account";
    readonly kubeconfig: KubeadmKubeconfig;
}

export interface KubeadmOptions<Serving extends boolean = boolean> {
    readonly kubeletServing?: Serving;
}

export function kubeconfig(props: KubeconfigProps | KubeconfigOfPkiProps): Content;

export interface KubeconfigContent extends Pick<KubeconfigProps, "certificateAuthority"> {
    readonly cluster: string;
    readonly context?: string;
    readonly credentials: Exclude<Credentials, Record<"exec", unknown>> | {
        readonly exec: string;
    };
    readonly server: string;
    readonly user: string;
}

export interface KubeconfigOfPkiProps extends Pick<KubeconfigProps, "user" | "context" | "credentials"> {
    readonly certificateAuthority?: undefined;
    readonly clusterName?: undefined;
    readonly pki: IClusterPki;
    readonly server?: undefined;
}

export interface KubeconfigProps {
    readonly certificateAuthority: Content | CertificateAuthorityFile;
    readonly clusterName: string;
    readonly context?: string;
    readonly credentials: Credentials;
    readonly pki?: undefined;
    readonly server: string;
    readonly user: string;
}

export interface KubernetesObjectProps {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly dependsOn?: readonly ITerraformDependable[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly provider?: TerraformProvider;
}

export const LATER = "(known after apply)";

export interface Machine {
    readonly addresses?: readonly string[];
    readonly name: string;
}

export interface MachineEntry {
    readonly addresses: readonly string[];
    readonly cluster: string;
    readonly name: string;
    readonly ports: readonly PortEntry[];
}

export type NameLists<Names extends DistributionNames> = {
    readonly [Kind in keyof DistributionNames]: readonly Names[Kind][];
};

export type NamesOf<Of extends Distribution> = Of extends Distribution<infer Names> ? Names : never;

export class NodeBootstrapping extends Construct {
    constructor(scope: Construct, id: string, props: NodeBootstrappingProps);
    readonly approveFirst: ClusterRoleBinding;
    readonly approveRenewals: ClusterRoleBinding;
    readonly createCsrs: ClusterRoleBinding;
    readonly reads: readonly (ClusterRoleBinding | RoleBinding)[];
}

export interface NodeBootstrappingProps extends DistributionBindingsProps {
    readonly adopt?: boolean;
    readonly groups?: readonly string[];
}

export class PkiError extends Error {
    constructor(path: string, problems: readonly Problem[]);
    readonly path: string;
    readonly problems: readonly Problem[];
}

export interface PlanReport {
    readonly acknowledgedInVain: readonly Acknowledgement[];
    readonly changes: readonly IdentityChange[];
    readonly complete: boolean | "unknown";
    readonly components: readonly ComponentEffect[];
    readonly counts: Readonly<Partial<Record<Verb, number>>>;
    readonly dangers: readonly Danger[];
    readonly drift: readonly DriftReport[];
    readonly errored: boolean;
    readonly failedChecks: readonly string[];
    readonly files: readonly FileEffect[];
    readonly generations: readonly GenerationsReport[];
    readonly notAllowed?: readonly string[];
    readonly otherChanges: Readonly<Record<string, number>>;
    readonly outputs: readonly string[];
    readonly refusedPins: readonly RefusedPin[];
    readonly schemaVersion: typeof REPORT_SCHEMA_VERSION;
    readonly stacks: readonly string[];
    readonly terraformVersion?: string;
    readonly truncated?: true;
    readonly verdict: "nothing" | "changes" | "danger";
}

export interface PortEntry {
    readonly component: string;
    readonly files: readonly ShownFile[];
    readonly number: number;
    readonly setBy: string;
}

export interface Problem {
    readonly allowed: string;
    readonly at: string;
    readonly code: string;
    readonly fix: string;
    readonly given: string;
}

class Problems {
    add(found: Omit<Problem, "given"> & {
        readonly given: unknown;
    }): void;
    addAll(input: Problems): void;
    get none(): boolean;
    throwIfAny(path: string): void;
}

export interface PublishedFile {
    readonly content: Content;
    readonly firstStartOnly?: FirstStartOnly;
    readonly mode: string;
    readonly owner: string;
}

export interface RbacSubject {
    readonly apiGroup: string;
    readonly kind: "User" | "Group" | "ServiceAccount";
    readonly name: string;
    readonly namespace: string;
}

export interface ReadingRow {
    readonly alsoFor?: string;
    readonly name: string;
    readonly namespace?: string;
}

export interface Reason {
    readonly code: string;
    readonly text: string;
}

export interface Reference {
    readonly address: string;
    readonly attribute: string;
}

interface RefusedPin {
    readonly address: string;
    readonly cluster?: string;
    readonly fix: string;
    readonly message: string;
    readonly name: string;
}

const REPORT_SCHEMA_VERSION = 3;

export interface Rke2Options<Chained extends K3sChain = K3sChain, Admin extends boolean = boolean> extends K3sOptions<Chained, Admin> {
    readonly profile?: "cis" | "etcd";
}

export class RoleBinding extends Construct {
    constructor(scope: Construct, id: string, props: RoleBindingProps);
    readonly name: string;
    readonly namespace: string;
    readonly resource: RoleBindingV1;
    readonly role: string;
    readonly subjects: readonly RbacSubject[];
}

export interface RoleBindingProps extends KubernetesObjectProps {
    readonly address?: string;
    readonly adopt?: boolean;
    readonly clusterRole?: string;
    readonly name: string;
    readonly namespace: string;
    readonly role?: string;
    readonly subjects: readonly IRbacSubject[];
}

export interface RoleEntry extends Entry {
    readonly kind: "role";
    readonly namespace?: string;
    readonly rules: readonly string[];
}

interface Row {
    readonly etcd?: readonly EtcdTopology[];
    readonly exceptions?: readonly RowException[];
    readonly files: readonly FileRow[];
    readonly purpose: string;
    readonly secrets?: readonly SecretRow[];
}

export interface RowException {
    readonly code: string;
    readonly reason: string;
}

export interface SecretRow {
    readonly data: Readonly<Record<string, FileKind>>;
    readonly etcd?: readonly EtcdTopology[];
    readonly labels: Readonly<Record<string, string>>;
    readonly name: string;
    readonly type: string;
}

export interface ServedPort {
    readonly describedBy?: "bindPort";
    readonly number: number;
    readonly setBy: string;
}

export function serverUrl(endpoint: Endpoint): string;

export class ServiceAccountRef implements IRbacSubject {
    readonly name: string;
    static named(namespace: string, name: string): ServiceAccountRef;
    readonly namespace: string;
    toSubject(): RbacSubject;
}

const SETS: {
    readonly "etcd-server": "etcd's server certificates, for the API servers";
    readonly "etcd-peer": "etcd's members among themselves";
    readonly "etcd-client": "clients of etcd: API servers, etcdctl";
    readonly apiserver: "the API server's server certificate";
    readonly "apiserver-client": "clients of the API server: administrators, controller-manager, scheduler, kube-proxy";
    readonly "apiserver-kubelet-client": "the API server as a client of kubelets";
    readonly "front-proxy-client": "the API server as a proxy before aggregated API servers";
    readonly "kubelet-server": "kubelets' server certificates, for the API server";
    readonly "kubelet-client": "kubelets as clients of the API server";
};

export interface ShownFile {
    readonly path: string;
    readonly via: string;
}

export function signedCertificatesIn(folder: string): Readonly<Record<string, string>>;

export interface SigningGeneration extends AuthorityGeneration {
    readonly privateKey: Reference;
}

export type SingleCaAuthority<Sets extends SingleCaSet = never> = "kubernetes" | Sets;

export type SingleCaCertificate<OneServer extends boolean = false> = "apiserver" | "apiserver-etcd-client" | "etcd-healthcheck-client" | "admin" | "super-admin" | "controller-manager" | "scheduler" | "kube-proxy" | "apiserver-kubelet-client" | "front-proxy-client" | "kubelet-server" | "kubelet" | (OneServer extends false ? "etcd-server" | "etcd-peer" : never);

export type SingleCaKubeconfig = Extract<SingleCaCertificate, "admin" | "super-admin" | "controller-manager" | "scheduler" | "kube-proxy" | "kubelet">;

export interface SingleCaNames<Sets extends SingleCaSet = never, OneServer extends boolean = false> extends DistributionNames {
    readonly authority: SingleCaAuthority<Sets>;
    readonly certificate: SingleCaCertificate<OneServer>;
    readonly joinPassword: never;
    readonly keyPair: "service-account";
    readonly kubeconfig: SingleCaKubeconfig;
}

export interface SingleCaOptions<Sets extends SingleCaSet = SingleCaSet, OneServer extends boolean = boolean> {
    readonly folder?: string;
    readonly kubeletOnControlPlanes?: boolean;
    readonly kubeProxyOfJoined?: "service-account" | "nodes";
    readonly oneServerCertificate?: OneServer;
    readonly ownAuthorities?: readonly Sets[];
}

export type SingleCaSet = keyof typeof SETS;

export class Subject {
    constructor(fields: SubjectFields);
    check(at: string, problems: Problems): void;
    readonly fields: SubjectFields;
    get preconditions(): Condition[];
    toString(): string;
    withOrganizationalUnit(organizationalUnit: string): Subject;
}

export class SubjectAltNames {
    distinctIn(scope: IConstruct): SubjectAltNames;
    readonly dns: readonly string[];
    get dnsArgument(): string[] | undefined;
    readonly ips: readonly string[];
    get ipsArgument(): string[] | undefined;
    static readonly NONE: SubjectAltNames;
    static of(...names: readonly AltName[]): SubjectAltNames;
    get preconditions(): Condition[];
}

export interface SubjectFields {
    readonly commonName: string;
    readonly country?: string;
    readonly locality?: string;
    readonly organization?: string;
    readonly organizationalUnit?: string;
    readonly province?: string;
}

export class TlsSecret extends Construct {
    constructor(scope: Construct, id: string, props: TlsSecretProps);
    readonly data: Readonly<Record<string, Content>>;
    readonly name: string;
    readonly namespace: string;
    readonly resource: SecretV1;
}

export interface TlsSecretProps extends KubernetesObjectProps {
    readonly address?: string;
    readonly certificate: Certificate;
    readonly certificateAuthority?: TrustBundle;
    readonly name: string;
    readonly namespace: string;
}

export interface TokenEntry extends Entry {
    readonly expireAfterHours?: number;
    readonly expires?: string;
    readonly files: readonly FileEntry[];
    readonly groups: readonly string[];
    readonly kind: "token";
    readonly rotateAfterHours?: number;
    readonly usages?: readonly string[];
}

export interface TokenLifeOptions {
    readonly expireAfterHours?: number;
    readonly expires?: string;
    readonly pipelineIntervalHours?: number;
    readonly rotateAfterHours?: number;
    readonly staggered?: boolean;
}

export interface TokenRow {
    readonly configuration?: Pick<ConfigurationRow, "purpose" | "path" | "text" | "consumers">;
    readonly description?: string;
    readonly file: {
        readonly path: string;
        readonly on: "worker" | "operator";
        readonly consumers: readonly Consumer[];
    };
    readonly format: JoinFormat;
    readonly group?: string;
    readonly purpose: string;
    readonly usages: readonly string[];
}

export function toTerraform(content: Content): string;

export class TrustBundle {
    constructor(references: readonly Reference[], stack: TerraformStack, belowRoot: boolean, literalRoot?: string | undefined);
    readonly belowRoot: boolean;
    isIn(stack: TerraformStack): boolean;
    readonly literalRoot?: string | undefined;
    get pem(): string;
    readonly references: readonly Reference[];
}

export interface TypedNames {
    readonly dns?: readonly string[];
    readonly ips?: readonly string[];
}

export class User implements IRbacSubject {
    readonly name: string;
    static named(name: string): User;
    toSubject(): RbacSubject;
}

export interface UserAccess extends Pick<CertificateOptions, "keyAlgorithm" | "keyGeneration"> {
    readonly appliesAccess?: boolean;
    readonly grants?: readonly UserGrant[];
    readonly group?: string;
    readonly kubeconfig?: "inline" | "files" | ExecCredentials;
    readonly moreGroups?: readonly string[];
    readonly request?: string;
    readonly user?: string;
    readonly validity?: Validity;
}

export type UserBinding = ClusterRoleBinding | RoleBinding;

export interface UserGrant {
    readonly clusterRole?: string;
    readonly namespace?: string;
    readonly role?: string;
}

export type Users = Readonly<Record<string, UserAccess>>;

export class Validity {
    checkAuthority(at: string, problems: Problems): void;
    checkLeaf(at: string, problems: Problems): void;
    static days(days: number, options?: ValidityOptions): Validity;
    get earlyRenewalHours(): number;
    static hours(hours: number, options?: ValidityOptions): Validity;
    readonly validityHours: number;
    static years(years: number, options?: ValidityOptions): Validity;
}

export interface ValidityOptions {
    readonly earlyRenewalHours?: number;
}

export type Verb = (typeof VERBS)[number];

const VERBS: readonly ["request", "issue", "renew", "re-key", "re-issue", "introduce", "promote", "retire", "remove", "revoke", "grant", "ungrant", "move", "import", "update"];

export function writeInventories(app: App): string[];


