import { Problems } from "../errors";
import { checkShape, instanceOf, name } from "../terraform/shape";

/** Arguments of a `tls_private_key` that choose the algorithm. */
export interface KeyAlgorithmArguments {
  /** `RSA`, `ECDSA` or whatever name was given. */
  readonly algorithm: string;
  /**
   * Bits of an RSA key.
   * @default - none for another algorithm
   */
  readonly rsaBits?: number;
  /**
   * Curve of an ECDSA key: `P256`, `P384` or `P521`.
   * @default - none for another algorithm
   */
  readonly ecdsaCurve?: string;
}

/**
 * Algorithm and size of a private key, by the names of kubeadm's `encryptionAlgorithm`.
 *
 * Ed25519 and P-224 are refused: kubeadm, the service-account signer and Go's TLS each reject at least one of them.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/#kubeadm-k8s-io-v1beta4-EncryptionAlgorithmType
 */
export class KeyAlgorithm {
  /** RSA, 2048 bits. The widest support among verifiers of service-account tokens. */
  public static readonly RSA_2048 = new KeyAlgorithm("RSA-2048", { algorithm: "RSA", rsaBits: 2048 });
  /** RSA, 3072 bits. */
  public static readonly RSA_3072 = new KeyAlgorithm("RSA-3072", { algorithm: "RSA", rsaBits: 3072 });
  /** RSA, 4096 bits. Over a second per key on a common machine. */
  public static readonly RSA_4096 = new KeyAlgorithm("RSA-4096", { algorithm: "RSA", rsaBits: 4096 });
  /** ECDSA on P-256. A key costs microseconds and a quarter of the state of RSA-2048. */
  public static readonly ECDSA_P256 = new KeyAlgorithm("ECDSA-P256", { algorithm: "ECDSA", ecdsaCurve: "P256" });
  /** ECDSA on P-384. */
  public static readonly ECDSA_P384 = new KeyAlgorithm("ECDSA-P384", { algorithm: "ECDSA", ecdsaCurve: "P384" });
  /** ECDSA on P-521. */
  public static readonly ECDSA_P521 = new KeyAlgorithm("ECDSA-P521", { algorithm: "ECDSA", ecdsaCurve: "P521" });

  private static readonly ALL = [
    KeyAlgorithm.RSA_2048,
    KeyAlgorithm.RSA_3072,
    KeyAlgorithm.RSA_4096,
    KeyAlgorithm.ECDSA_P256,
    KeyAlgorithm.ECDSA_P384,
    KeyAlgorithm.ECDSA_P521,
  ];

  /** The algorithm with a name that comes from a configuration file. An unknown name is refused where it is used. */
  public static of(algorithm: string): KeyAlgorithm {
    checkShape("KeyAlgorithm.of", algorithm, name("ECDSA-P256"), "name");
    const known = KeyAlgorithm.ALL.find(({ name }) => name === algorithm);
    return known ?? new KeyAlgorithm(algorithm, { algorithm });
  }

  private constructor(
    /** kubeadm's name: `RSA-2048`, `ECDSA-P256`, … */
    public readonly name: string,
    /** What the tls provider is asked for. */
    public readonly tls: KeyAlgorithmArguments,
  ) {}

  /** Finds whether Kubernetes could use such a key. */
  public check(at: string, problems: Problems): void {
    if (!KeyAlgorithm.ALL.includes(this)) {
      problems.add({
        code: "key-algorithm",
        at,
        given: this.name,
        allowed: KeyAlgorithm.ALL.map((known) => known.name).join(", "),
        fix: "use KeyAlgorithm.ECDSA_P256; Kubernetes and kubeadm read neither Ed25519 nor P-224 nor RSA under 2048 bits",
      });
    }
  }
}

/** A {@link KeyAlgorithm}, where one is expected. */
export const KEY_ALGORITHM = instanceOf(KeyAlgorithm, "KeyAlgorithm.ECDSA_P256");
