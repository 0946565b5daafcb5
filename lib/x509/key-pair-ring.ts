import { inventoried, type OwnEntry } from "../terraform/inventoried";
import { constructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, flag, name, optional, provider } from "../terraform/shape";
import { issuedKeyAlgorithm } from "./issued";
import { generationName } from "../terraform/names";
import { TerraformProvider, TerraformResource } from "cdktf";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { adoptKeyPair } from "./adopted";
import { checkDistinct, placed } from "./distinct";
import {
  byId,
  checkGenerations,
  FIRST_GENERATION,
  Generation,
  GENERATIONS,
  Generations,
  GenerationState,
  inBundleOrder,
} from "./generation";
import { guardsOf } from "./guards";
import { KEY_ALGORITHM, KeyAlgorithm } from "./key-algorithm";
import { createKey, Key } from "./private-key";
import { tokenText } from "../terraform/token-text";
import { Reference, expression } from "../terraform/reference";

/** Props of a {@link KeyPairRing}. */
export interface KeyPairRingProps {
  /**
   * Its generations by id, of which exactly one is active.
   * @default - one active generation, `g1`
   */
  readonly generations?: Generations;
  /**
   * Algorithm and size of the keys of generations that do not choose their own.
   * @default KeyAlgorithm.RSA_2048
   */
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
  /**
   * The tls provider that makes the resources.
   * @default - the stack's tls provider
   */
  readonly provider?: TerraformProvider;
}

const RING_PROPS = fields({
  generations: optional(GENERATIONS),
  keyAlgorithm: optional(KEY_ALGORITHM),
  address: optional(name("service-account")),
  deletionProtection: optional(flag),
  provider: optional(provider),
} satisfies Fields<KeyPairRingProps>);

/** A generation of a key pair, as those who use it see it. */
export interface KeyPairGeneration {
  /** `g1`, `g2`, … */
  readonly id: string;
  /** Where it stands in its life. */
  readonly state: GenerationState;
  /** Where its public key is in the state. */
  readonly publicKey: Reference;
  /** Where its private key is in the state; undefined for one from outside whose key stays there. */
  readonly privateKey?: Reference;
  /** Addresses of its resources, sorted. */
  readonly addresses: readonly string[];
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
  /** All generations by id, the retired ones included. */
  public readonly generations: Readonly<Record<string, KeyPairGeneration>>;

  public constructor(scope: Construct, id: string, props: KeyPairRingProps = {}) {
    super(scope, constructId(scope, id));
    checkShape(this, props, RING_PROPS);
    const generations = props.generations ?? FIRST_GENERATION;
    const problems = new Problems();
    props.keyAlgorithm?.check("keyAlgorithm", problems);
    checkGenerations(generations, "key pair", "generations", problems);
    checkDistinct(placed(generations, "generations", id), problems, (value) => tokenText(this, value));
    problems.throwIfAny(this.node.path);

    const pairs = byId(generations).map(([name, generation]) => this.make(name, generation, props));
    const ring = inBundleOrder(pairs);
    this.generations = Object.fromEntries(pairs.map((pair) => [pair.id, pair]));
    // An active generation without a key was refused.
    this.privateKey = ring[0]!.privateKey!;
    this.privateKeys = ring.flatMap(({ privateKey }) => privateKey ?? []);
    this.publicKeys = ring.map(({ publicKey }) => publicKey);
    this.fingerprints = Object.fromEntries(
      pairs.flatMap(({ id: name, key }) => (key ? [[name, expression(key.fingerprint)]] : [])),
    );
    inventoried(this, { entries: () => pairs.map((pair) => this.entry(pair)), guards: () => pairs.map(guardsOf) });
  }

  private entry(generation: MadeGeneration): OwnEntry {
    const { state, addresses, key } = generation;
    return {
      kind: "key pair",
      name: this.node.id,
      addresses,
      ...guardsOf(generation),
      state,
      ...(key ? { keyAlgorithm: issuedKeyAlgorithm(key.resource) } : {}),
    };
  }

  private make(id: string, { state, options, keyPem }: Generation, props: KeyPairRingProps): MadeGeneration {
    const name = generationName(props.address ?? this.node.id, id);
    const preventDestroy = state !== "retired" && (props.deletionProtection ?? true);
    const { provider } = props;
    if (keyPem) {
      const adopted = adoptKeyPair(this, id, keyPem, { name, preventDestroy, provider });
      return { id, state, ...adopted, addresses: [adopted.publicKey.address] };
    }
    const key = createKey(this, id, name, {
      algorithm: options.keyAlgorithm ?? props.keyAlgorithm ?? KeyAlgorithm.RSA_2048,
      fingerprint: options.fingerprint,
      preventDestroy,
      provider,
    });
    const { privateKey, publicKey } = key;
    const pinned = options.fingerprint !== undefined;
    return { id, state, privateKey, publicKey, addresses: [privateKey.address], key, resource: key.resource, pinned };
  }
}

/** What the ring itself knows of a generation. */
interface MadeGeneration extends KeyPairGeneration {
  readonly key?: Key;
  readonly resource: TerraformResource;
  /** True where the code names its fingerprint. */
  readonly pinned?: boolean;
}
