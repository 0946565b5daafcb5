import type { TerraformProvider } from "cdktf";
import type { CertificateOptions } from "../x509/certificate";
import type { Generations } from "../x509/generation";
import type { KeyAlgorithm } from "../x509/key-algorithm";
import type { SubjectFields } from "../x509/subject";
import type { AltName } from "../x509/subject-alt-names";
import type { Validity } from "../x509/validity";
import type { Cluster } from "./cluster";
import type { Distribution } from "./distribution";

/** What may be chosen for one certificate of a cluster. */
export interface ClusterCertificateOptions extends CertificateOptions {
  /**
   * More names, beside those of the distribution.
   * @default - none
   */
  readonly extraSans?: readonly AltName[];
}

/** Props of a {@link ClusterPki}. */
export interface ClusterPkiProps {
  /** How the cluster is made: which files, names and subjects its components expect. */
  readonly distribution: Distribution;
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
  readonly authorities?: Readonly<
    Record<
      string,
      {
        /**
         * Its generations by id.
         * @default - one active generation, `g1`
         */
        readonly generations?: Generations;
      }
    >
  >;
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
  readonly certificates?: Readonly<Record<string, ClusterCertificateOptions>>;
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
   * The tls provider that makes the resources.
   * @default - the stack's tls provider
   */
  readonly provider?: TerraformProvider;
}
