import { generationName } from "../terraform/names";
import { TerraformProvider } from "cdktf";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { adoptKeyPair } from "./adopted";
import {
  checkGenerations,
  FIRST_GENERATION,
  Generation,
  Generations,
  GenerationState,
  inBundleOrder,
} from "./generation";
import { KeyAlgorithm } from "./key-algorithm";
import { createKey } from "./private-key";
import { Reference, expression } from "../terraform/reference";

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
  /** Every private key that is not retired, the signing one first. One from outside may have left its own there. */
  public readonly privateKeys: readonly Reference[];
  /** Every public key that is not retired, the signing one's first. */
  public readonly publicKeys: readonly Reference[];
  /** SHA-256 fingerprint of each generated public key, by generation: a Terraform expression. */
  public readonly fingerprints: Readonly<Record<string, string>>;
  /** Where each generation stands in its life. */
  public readonly states: Readonly<Record<string, GenerationState>>;

  public constructor(scope: Construct, id: string, props: KeyPairRingProps = {}) {
    super(scope, id);
    const generations = props.generations ?? FIRST_GENERATION;
    const problems = new Problems();
    props.keyAlgorithm?.check("keyAlgorithm", problems);
    checkGenerations(generations, "key pair", "generations", problems);
    problems.throwIfAny(this.node.path);

    const pairs = Object.entries(generations).map(([name, generation]) => this.make(name, generation, props));
    const ring = inBundleOrder(pairs);
    this.states = Object.fromEntries(pairs.map(({ id: name, state }) => [name, state]));
    // An active generation without a key was refused.
    this.privateKey = ring[0]!.privateKey!;
    this.privateKeys = ring.flatMap(({ privateKey }) => privateKey ?? []);
    this.publicKeys = ring.map(({ publicKey }) => publicKey);
    this.fingerprints = Object.fromEntries(
      pairs.flatMap(({ id: name, fingerprint }) => (fingerprint ? [[name, expression(fingerprint)]] : [])),
    );
  }

  private make(id: string, { state, options, keyPem }: Generation, props: KeyPairRingProps): Pair {
    const name = generationName(props.address ?? this.node.id, id);
    const preventDestroy = state !== "retired" && (props.deletionProtection ?? true);
    const { provider } = props;
    if (keyPem) {
      return { id, state, ...adoptKeyPair(this, id, keyPem, { name, preventDestroy, provider }) };
    }
    const key = createKey(this, id, name, {
      algorithm: options.keyAlgorithm ?? props.keyAlgorithm ?? KeyAlgorithm.RSA_2048,
      fingerprint: options.fingerprint,
      preventDestroy,
      provider,
    });
    return { id, state, privateKey: key.privateKey, publicKey: key.publicKey, fingerprint: key.fingerprint };
  }
}

interface Pair {
  readonly id: string;
  readonly state: GenerationState;
  readonly publicKey: Reference;
  readonly privateKey?: Reference;
  readonly fingerprint?: Reference;
}
