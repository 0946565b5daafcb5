import { TerraformProvider } from "cdktf";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { Reference } from "./address";
import { checkGenerations, FIRST_GENERATION, Generations, GenerationState, inBundleOrder } from "./generation";
import { expression } from "./expression";
import { KeyAlgorithm } from "./key-algorithm";
import { createKey } from "./private-key";

/** Props of a {@link KeyPairRing}. */
export interface KeyPairRingProps {
  /** @default - one active generation, `g1` */
  readonly generations?: Generations;
  /** @default KeyAlgorithm.RSA_2048 */
  readonly keyAlgorithm?: KeyAlgorithm;
  /**
   * Terraform name of its resources; a generation's is `<address>__<generation>`.
   * @default - the construct's id
   */
  readonly address?: string;
  /**
   * Lets Terraform refuse every plan that would destroy a generation that is not retired.
   * @default true
   */
  readonly deletionProtection?: boolean;
  /** @default - the stack's tls provider */
  readonly provider?: TerraformProvider;
}

/**
 * Key pairs of which one signs and all verify: what service-account tokens are signed with. They are keys, not certificates,
 * and have no end.
 *
 * In the Terraform state: the private key of every generation.
 *
 * @throws PkiError when the generations break a rule
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export class KeyPairRing extends Construct {
  /** The private key that signs. */
  public readonly privateKey: Reference;
  /** Every private key that is not retired, the signing one first. */
  public readonly privateKeys: readonly Reference[];
  /** Every public key that is not retired, the signing one's first. */
  public readonly publicKeys: readonly Reference[];
  /** SHA-256 fingerprint of each public key, by generation: a Terraform expression. */
  public readonly fingerprints: Readonly<Record<string, string>>;

  public constructor(scope: Construct, id: string, props: KeyPairRingProps = {}) {
    super(scope, id);
    const generations = props.generations ?? FIRST_GENERATION;
    const problems = new Problems();
    props.keyAlgorithm?.check("keyAlgorithm", problems);
    checkGenerations(generations, "key pair", "generations", problems);
    problems.throwIfAny(this.node.path);

    const pairs = Object.entries(generations).map(([name, { state, options }]) => ({
      id: name,
      state: state as GenerationState,
      key: createKey(this, name, `${props.address ?? id}__${name}`, {
        algorithm: options.keyAlgorithm ?? props.keyAlgorithm ?? KeyAlgorithm.RSA_2048,
        fingerprint: options.fingerprint,
        preventDestroy: state !== "retired" && (props.deletionProtection ?? true),
        provider: props.provider,
      }),
    }));
    const ring = inBundleOrder(pairs);
    this.privateKey = ring[0]!.key.privateKey;
    this.privateKeys = ring.map(({ key }) => key.privateKey);
    this.publicKeys = ring.map(({ key }) => key.publicKey);
    this.fingerprints = Object.fromEntries(pairs.map((pair) => [pair.id, expression(pair.key.fingerprint)]));
  }
}
