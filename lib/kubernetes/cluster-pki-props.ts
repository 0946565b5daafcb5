import type { TerraformProvider } from "cdktf";
import { fields, Fields, flag, name, optional, provider, record, text } from "../terraform/shape";
import { ALT_NAMES } from "../x509/alt-name-shape";
import { CERTIFICATE_OPTIONS, type CertificateOptions } from "../x509/certificate";
import { GENERATIONS, type Generations } from "../x509/generation";
import { KEY_ALGORITHM, type KeyAlgorithm } from "../x509/key-algorithm";
import { MORE_SUBJECT_FIELDS, type SubjectFields } from "../x509/subject";
import type { AltName } from "../x509/subject-alt-names";
import { VALIDITY, type Validity } from "../x509/validity";
import type { Cluster } from "./cluster";
import { CLUSTER_SHAPE } from "./checks/cluster-shape";
import { DISTRIBUTION, type Distribution, type NamesOf } from "./distribution";
import { type Users, USERS } from "./users";

/** What may be chosen for one certificate of a cluster. */
export interface ClusterCertificateOptions extends CertificateOptions {
  /**
   * More names, beside those of the distribution.
   * @default - none
   */
  readonly extraSans?: readonly AltName[];
}

/** What may be chosen for one authority of a cluster. */
export interface AuthorityOptions {
  /**
   * Its generations by id.
   * @default - one active generation, `g1`
   */
  readonly generations?: Generations;
}

/** Props of a {@link ClusterPki}. `Of` follows from the distribution, and says which names there are. */
export interface ClusterPkiProps<Of extends Distribution = Distribution> {
  /** How the cluster is made: which files, names and subjects its components expect. */
  readonly distribution: Of;
  /** The cluster as its certificates see it. */
  readonly cluster: Cluster;
  /**
   * First part of the Terraform name of everything in here, `[a-z][a-z0-9-]*`. It never changes once it was deployed, and no two
   * clusters of a stack have one.
   * @default - the cluster's name: what a thing is, not where it stands in the code
   */
  readonly addressPrefix?: string;
  /**
   * Generations of authorities, by the distribution's names: `kubernetes`, `front-proxy`, `etcd` for kubeadm.
   * @default - one active generation each, `g1`
   */
  readonly authorities?: Readonly<Partial<Record<NamesOf<Of>["authority"], AuthorityOptions>>>;
  /**
   * Generations of the key pair that signs service-account tokens.
   * @default - one active generation, `g1`, RSA-2048
   */
  readonly serviceAccount?: {
    /**
     * Its generations by id.
     * @default - one active generation, `g1`
     */
    readonly generations?: Generations;
  };
  /**
   * Choices for single certificates, by the distribution's names: `apiserver`, `etcd-server`, `admin`, …
   * @default - the distribution's
   */
  readonly certificates?: Readonly<Partial<Record<NamesOf<Of>["certificate"], ClusterCertificateOptions>>>;
  /**
   * Validity of every certificate that is no authority.
   * @default - 8760 hours, renewed 720 hours before the end
   */
  readonly validity?: Validity;
  /**
   * Key algorithm of every certificate that is no authority. That of authorities and key pairs belongs to their generations.
   * @default KeyAlgorithm.ECDSA_P256
   */
  readonly keyAlgorithm?: KeyAlgorithm;
  /**
   * Fields of every subject beside CN and O, authorities included. Choose them before the first deploy: others replace everything.
   * A later generation of an authority has its id as OU.
   * @default - none
   */
  readonly subject?: Pick<SubjectFields, "organizationalUnit" | "country" | "province" | "locality">;
  /**
   * Whether Terraform issues the certificates that are no authorities. `false` for those who seed authorities and let the
   * distribution issue the rest; `true` for those who run the components by hand.
   * @default - as the distribution does
   */
  readonly issueLeaves?: boolean;
  /**
   * Requests (CSR) of holders who made their keys themselves, as PEM, by the name of the certificate: `prod__node-1__kubelet`. Each has to
   * ask for exactly what is described. Terraform never sees the key: it stays where the table, or the kubeconfig, names it.
   * @default - keys and requests are made here
   */
  readonly certificateRequests?: Readonly<Record<string, string>>;
  /**
   * What authorities that sign elsewhere made of the requests: PEM of one certificate each, by the name of its request,
   * `prod__cp-1__apiserver`. `signedCertificatesIn("signed")` reads a folder. Each has to say exactly what is described.
   * @default - none is back yet
   */
  readonly signedCertificates?: Readonly<Record<string, string>>;
  /**
   * Whether machines have the private keys of authorities, with which the distribution signs. `false` keeps them off every machine: the
   * cluster signs nothing itself then, so that a kubelet needs a certificate of Terraform's, and the operator has all that is issued.
   * @default true
   */
  readonly authorityKeysOnMachines?: boolean;
  /**
   * Lets Terraform refuse every plan that would destroy an authority or key pair that is not retired.
   * @default true
   */
  readonly deletionProtection?: boolean;
  /**
   * The `addressPrefix` that the resources had before: they are moved, not replaced, and join passwords and Secrets that have the PKI's
   * prefix with them.
   * @default - they had this one
   */
  readonly movedFrom?: string;
  /**
   * People and pipelines, by what they are called: each gets a certificate and a kubeconfig among the operator's files. `ClusterAccess` with
   * this PKI binds them.
   * @default - none
   */
  readonly users?: Users;
  /**
   * The tls provider that makes the resources.
   * @default - the stack's tls provider
   */
  readonly provider?: TerraformProvider;
}

const CERTIFICATE = fields({
  ...CERTIFICATE_OPTIONS,
  extraSans: optional(ALT_NAMES),
} satisfies Fields<ClusterCertificateOptions>);

const GENERATED = fields({ generations: optional(GENERATIONS) });

// CN and O have a check of their own, which says whose they are.
const SUBJECT = fields(MORE_SUBJECT_FIELDS, ["commonName", "organization"]);

/** The props of a {@link ClusterPki}, as they have to look. */
export const CLUSTER_PKI_PROPS = fields({
  distribution: DISTRIBUTION,
  cluster: CLUSTER_SHAPE,
  addressPrefix: optional(name("prod")),
  authorities: optional(record("kubernetes", GENERATED)),
  serviceAccount: optional(GENERATED),
  certificates: optional(record("apiserver", CERTIFICATE)),
  validity: optional(VALIDITY),
  keyAlgorithm: optional(KEY_ALGORITHM),
  subject: optional(SUBJECT),
  issueLeaves: optional(flag),
  certificateRequests: optional(record("prod__node-1__kubelet", text('readFileSync("node-1.csr", "utf8")'))),
  signedCertificates: optional(record("prod__cp-1__apiserver", text('readFileSync("signed/name.crt", "utf8")'))),
  authorityKeysOnMachines: optional(flag),
  deletionProtection: optional(flag),
  movedFrom: optional(name("old-prefix")),
  users: optional(USERS),
  provider: optional(provider),
} satisfies Fields<ClusterPkiProps>);
