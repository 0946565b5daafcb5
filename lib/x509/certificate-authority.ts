import { deferred } from "../terraform/deferred";
import { addressOf } from "../terraform/address";
import { constructId } from "../terraform/construct-id";
import { inventoried, type OwnEntry } from "../terraform/inventoried";
import { issued, issuedKeyAlgorithm, validityOf } from "./issued";
import { outlives } from "./validity";
import { generationName } from "../terraform/names";
import { TerraformProvider, TerraformResource, TerraformStack } from "cdktf";
import { CertRequest } from "@cdktf/provider-tls/lib/cert-request";
import { LocallySignedCert } from "@cdktf/provider-tls/lib/locally-signed-cert";
import { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import { Construct, IConstruct } from "constructs";
import { PkiError, Problems, problemText } from "../errors";
import { adoptAuthority } from "./adopted";
import { type AuthorityLimits, limitsBelow } from "./authority-limits";
import { checkDistinct, checkSubjects, placed, subjectOf } from "./distinct";
import { ALT_NAMES } from "./alt-name-shape";
import { invalidToday, outlivesToday } from "./expiry";
import {
  byId,
  checkGenerations,
  FIRST_GENERATION,
  FIRST_ISSUER,
  Generation,
  GENERATIONS,
  Generations,
  GenerationState,
  inBundleOrder,
  Issuers,
} from "./generation";
import { KeyAlgorithm } from "./key-algorithm";
import { KeyUsage } from "./key-usage";
import { certificatesOf, isLiteral } from "./pem";
import { createKey, Key } from "./private-key";
import { SUBJECT, Subject } from "./subject";
import { AltName, checkAltNames, SubjectAltNames } from "./subject-alt-names";
import { TrustBundle } from "./trust-bundle";
import { Condition, condition, conditionBlocks } from "../terraform/condition";
import { tokenText } from "../terraform/token-text";
import { pin } from "../terraform/pin";
import { expression, operand, type Reference } from "../terraform/reference";
import { lifecycle } from "../terraform/lifecycle";
import { checkShape, fields, Fields, flag, made, name, optional, provider } from "../terraform/shape";
import { guardsOf } from "./guards";

/** A generation of an authority, as those who use it see it. */
export interface AuthorityGeneration {
  /** `g1`, `g2`, … */
  readonly id: string;
  /** Where it stands in its life. */
  readonly state: GenerationState;
  /** Where its certificate is in the state. */
  readonly certificate: Reference;
  /**
   * Where its private key is in the state; undefined for one from outside whose key stays there.
   * @default - its key is not here
   */
  readonly privateKey?: Reference;
  /**
   * Where the certificates above its own are in the state, nearest first, up to and including the root; none when it is self-signed.
   * For one from outside they are one text, empty where a variable holds one certificate.
   */
  readonly chain: readonly Reference[];
  /**
   * PEM of the last certificate of the chain, its own where there is none above it; undefined unless that was given as literal text.
   * @default - not known at synth
   */
  readonly literalRoot?: string;
  /**
   * PEM of its own certificate; undefined unless that was given as literal text.
   * @default - not known at synth
   */
  readonly literal?: string;
  /** Where the end of its validity is in the state, RFC 3339. */
  readonly end: Reference;
  /**
   * Hours from issue to end; undefined for one from outside.
   * @default - not known at synth
   */
  readonly validityHours?: number;
  /**
   * What it may sign, where it, or one above it, is from outside and literal text.
   * @default - nothing limits it, as far as synth knows
   */
  readonly limits?: AuthorityLimits;
  /** Addresses of its resources, sorted. */
  readonly addresses: readonly string[];
}

/** A generation that can sign. */
export interface SigningGeneration extends AuthorityGeneration {
  /**
   * Where its private key is in the state.
   *
   * @throws PkiError where the authority signs elsewhere: its key never was here
   */
  readonly privateKey: Reference;
}

/** Something that signs certificates. Accepted wherever an authority is needed. */
export interface ICertificateAuthority extends IConstruct {
  /** The generation that signs: here, or, where its private key is elsewhere, there. */
  readonly active: SigningGeneration;
  /** All generations by id, the retired ones included. */
  readonly generations: Readonly<Record<string, AuthorityGeneration>>;
  /** What verifiers trust. */
  readonly bundle: TrustBundle;
  /**
   * Tells the authority of a certificate that it signs, so that Terraform warns in time before one would outlive it.
   *
   * @param certificate the resource; what it says when it is synthesized counts
   * @param generation the one that signs it
   */
  registerLeaf(certificate: TerraformResource, generation: string): void;
}

/** Something that signs, where one is expected. */
export const AUTHORITY = made(
  "an authority",
  'pki.authority("kubernetes"), or a CertificateAuthority',
  (value) => Construct.isConstruct(value) && "generations" in value && "registerLeaf" in value,
);

/** Props of a {@link CertificateAuthority}. */
export interface CertificateAuthorityProps {
  /** The same for every generation; those after `g1` get `OU=<id>`, so that no two authorities share a subject. */
  readonly subject: Subject;
  /**
   * Its generations by id, of which exactly one is active.
   * @default - one active generation, `g1`
   */
  readonly generations?: Generations;
  /**
   * Names in the authority's own certificate.
   * @default - none
   */
  readonly sans?: readonly AltName[];
  /**
   * Authority that signs each generation of this one: `GenerationOptions.issuer` names which of its own. Must be in the same stack.
   * @default - none: it is self-signed
   */
  readonly issuer?: ICertificateAuthority;
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

const AUTHORITY_PROPS = fields({
  subject: SUBJECT,
  generations: optional(GENERATIONS),
  sans: optional(ALT_NAMES),
  issuer: optional(AUTHORITY),
  address: optional(name("kubernetes")),
  deletionProtection: optional(flag),
  provider: optional(provider),
} satisfies Fields<CertificateAuthorityProps>);

/**
 * A certificate authority as a set of generations. Exactly one signs; the others are trusted, or retired. It is a root, or is
 * signed by another authority.
 *
 * In the Terraform state: the private key of every generation, and a copy of the signing key with every leaf.
 *
 * @throws PkiError when the subject or the generations break a rule, or the issuer is in another stack
 * @see https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/
 */
export class CertificateAuthority extends Construct implements ICertificateAuthority {
  public readonly active: SigningGeneration;
  public readonly bundle: TrustBundle;
  /** SHA-256 fingerprint of each generated public key, by generation: a Terraform expression, for {@link Generation}'s `fingerprint`. */
  public readonly fingerprints: Readonly<Record<string, string>>;

  private readonly address: string;
  private readonly made: Readonly<Record<string, MadeGeneration>>;
  private readonly leaves = new Map<string, TerraformResource[]>();
  private readonly assertions: (() => Condition)[] = [];

  public constructor(scope: Construct, id: string, props: CertificateAuthorityProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, AUTHORITY_PROPS);
    this.address = props.address ?? id;
    const generations = props.generations ?? FIRST_GENERATION;
    this.check(generations, props);

    const all = byId(generations).map(([name, generation]) => this.make(name, generation, props));
    this.made = Object.fromEntries(all.map((generation) => [generation.id, generation]));
    this.fingerprints = Object.fromEntries(all.flatMap((g) => (g.fingerprint ? [[g.id, g.fingerprint]] : [])));
    const trusted = inBundleOrder(all);
    this.active = signing(trusted[0]!, this.node.path);
    this.node.defaultChild = trusted[0]!.resource;
    const belowRoot = this.active.chain.length > 0;
    const literalRoot = belowRoot ? this.active.literalRoot : undefined;
    this.bundle = new TrustBundle(bundled(trusted), TerraformStack.of(this), belowRoot, literalRoot);
    this.node.addValidation({ validate: () => this.outliving() });
    inventoried(this, {
      entries: () => all.map((generation) => this.entry(generation)),
      guards: () => all.map(guardsOf),
    });
    const { pem } = generations[this.active.id]!;
    if (isLiteral(pem?.certificatePem)) {
      const certificates = certificatesOf(pem.certificatePem);
      this.node.addValidation({ validate: () => invalidToday(certificates, this.node.path) });
    }
  }

  public get generations(): Readonly<Record<string, AuthorityGeneration>> {
    return this.made;
  }

  /**
   * One `check` per authority: a warning in every plan as soon as its longest leaf, issued now, would outlive it. It is no
   * precondition, because that also runs when nothing changes and would block every plan late in an authority's life.
   */
  public registerLeaf(certificate: TerraformResource, generation: string): void {
    const leaves = this.leaves.get(generation);
    if (leaves) {
      leaves.push(certificate);
      return;
    }
    const signed = [certificate];
    this.leaves.set(generation, signed);
    const { end } = this.made[generation]!;
    this.assert(() => {
      const hours = longestOf(signed);
      return condition(`timecmp(timeadd(plantimestamp(), "${hours}h"), ${operand(end)}) <= 0`, {
        code: "leaf-outlives-authority",
        at: `${this.address}, generation ${generation}`,
        given: `a certificate of ${hours} hours that is issued now`,
        allowed: "one that ends before the authority",
        fix: "introduce the next generation of the authority",
      });
    });
  }

  /** @param assertion asked for at synth, when what Aspects change is final */
  private assert(assertion: () => Condition): void {
    if (this.assertions.length === 0) {
      const assert = deferred(() => conditionBlocks(this.assertions.map((produce) => produce())));
      TerraformStack.of(this).addOverride(`check.${this.address}.assert`, assert);
    }
    this.assertions.push(assertion);
  }

  /** What an Aspect or an escape hatch lets outlive its authority: what was described was checked before anything was made. */
  private outliving(): string[] {
    return [...this.leaves].flatMap(([generation, leaves]) => {
      const { resource, request, limits } = this.made[generation]!;
      const limit = request && validityOf(resource);
      return leaves.flatMap((leaf) => {
        const hours = validityOf(leaf);
        if (typeof hours === "number" && typeof limit === "number" && hours >= limit) {
          return [problemText({ ...outlives(hours, limit), at: leaf.node.path })];
        }
        return typeof hours === "number" && limits ? outlivesToday(hours, limits.end, leaf.node.path) : [];
      });
    });
  }

  private entry(generation: MadeGeneration): OwnEntry {
    const { state, addresses, chain, key, request, resource } = generation;
    const { subject, sans = [], validityHours } = request ? issued(request, resource) : {};
    return {
      kind: "authority",
      name: this.node.id,
      addresses,
      ...guardsOf(generation),
      state,
      ...(subject === undefined ? {} : { subject }),
      sans,
      ...(chain.length > 0 ? { issuerAddress: chain[0]!.address } : {}),
      ...(validityHours === undefined ? {} : { validityHours }),
      ...(key ? { keyAlgorithm: issuedKeyAlgorithm(key.resource) } : {}),
    };
  }

  private check(generations: Generations, props: CertificateAuthorityProps): void {
    const { subject, sans = [], issuer } = props;
    const problems = new Problems();
    subject.check("subject", problems);
    checkAltNames(sans, "sans", problems);
    checkGenerations(generations, "authority", "generations", problems, issuer && issuersOf(issuer));
    const own = placed(generations, "generations", this.node.id, subject);
    checkDistinct(own, problems, (value) => tokenText(this, value));
    checkSubjects(own, problems);
    if (issuer) {
      checkSameStack(this, issuer, "issuer", problems);
    }
    problems.throwIfAny(this.node.path);
  }

  private make(id: string, generation: Generation, props: CertificateAuthorityProps): MadeGeneration {
    return generation.pem ? this.adopt(id, generation, props) : this.issue(id, generation, props);
  }

  private issue(id: string, generation: Generation, props: CertificateAuthorityProps): MadeGeneration {
    const { state, options } = generation;
    const name = generationName(this.address, id);
    const key = createKey(this, `${id}-key`, name, {
      algorithm: keyAlgorithmOf(generation),
      fingerprint: options.fingerprint,
      preventDestroy: isProtected(state, props),
      provider: props.provider,
    });
    const issuer = props.issuer?.generations[options.issuer ?? FIRST_ISSUER];
    const request = issuer && this.request(id, name, key, generation, props);
    const resource = issuer
      ? this.signedBy(issuer, request!, id, generation, props)
      : this.selfSigned(id, generation, key, props);
    const address = pin(resource, name);
    const end = { address, attribute: "validity_end_time" };
    if (issuer && state !== "retired") {
      // An hour, for two of equal validity that one apply issues.
      this.assert(() =>
        condition(`timecmp(${operand(end)}, timeadd(${operand(issuer.end)}, "1h")) <= 0`, {
          code: "authority-outlives-issuer",
          at: `${this.address}, generation ${id}`,
          given: "an authority that ends after the one that signed it",
          allowed: `one that ends with generation ${issuer.id} of ${props.issuer!.node.id}, or before it`,
          fix: "introduce the next generation of both",
        }),
      );
    }
    return {
      id,
      state,
      certificate: { address, attribute: "cert_pem" },
      privateKey: key.privateKey,
      chain: issuer ? [issuer.certificate, ...issuer.chain] : [],
      literalRoot: issuer?.literalRoot,
      end,
      validityHours: generation.validityHours,
      ...(issuer?.limits ? { limits: limitsBelow(issuer.limits) } : {}),
      addresses: [key.privateKey.address, address, ...(request ? [addressOf(request)!] : [])].sort(),
      key,
      request: request ?? resource,
      resource,
      fingerprint: expression(key.fingerprint),
      pinned: options.fingerprint !== undefined,
    };
  }

  private selfSigned(id: string, generation: Generation, key: Key, props: CertificateAuthorityProps): SelfSignedCert {
    const sans = SubjectAltNames.of(...(props.sans ?? []));
    const preventDestroy = isProtected(generation.state, props);
    return new SelfSignedCert(this, id, {
      ...named(id, key, sans, props),
      ...certifying(generation),
      lifecycle: lifecycle({ preventDestroy, precondition: [...sans.preconditions, ...props.subject.preconditions] }),
    });
  }

  private request(
    id: string,
    name: string,
    key: Key,
    generation: Generation,
    props: CertificateAuthorityProps,
  ): CertRequest {
    const sans = SubjectAltNames.of(...(props.sans ?? []));
    const preventDestroy = isProtected(generation.state, props);
    const request = new CertRequest(this, `${id}-request`, {
      ...named(id, key, sans, props),
      lifecycle: lifecycle({ preventDestroy, precondition: [...sans.preconditions, ...props.subject.preconditions] }),
    });
    pin(request, name);
    return request;
  }

  private signedBy(
    issuer: AuthorityGeneration,
    request: CertRequest,
    id: string,
    generation: Generation,
    props: CertificateAuthorityProps,
  ): LocallySignedCert {
    return new LocallySignedCert(this, id, {
      certRequestPem: `\${${addressOf(request)}.cert_request_pem}`,
      caCertPem: expression(issuer.certificate),
      caPrivateKeyPem: expression(issuer.privateKey!),
      ...certifying(generation),
      lifecycle: lifecycle({ preventDestroy: isProtected(generation.state, props) }),
      provider: props.provider,
    });
  }

  private adopt(id: string, { state, pem, limits }: Generation, props: CertificateAuthorityProps): MadeGeneration {
    const { unresolvedEnd, ...adopted } = adoptAuthority(this, id, pem!, {
      name: generationName(this.address, id),
      preventDestroy: isProtected(state, props),
      provider: props.provider,
    });
    if (unresolvedEnd && state === "active") {
      this.assert(() =>
        condition(`timecmp(plantimestamp(), ${unresolvedEnd}) < 0`, {
          code: "pem-expired",
          at: `${this.address}, generation ${id}`,
          given: "an authority that has expired",
          allowed: "certificates that are valid now",
          fix: "make another generation active",
        }),
      );
    }
    const { certificatePem } = pem!;
    const all = isLiteral(certificatePem) ? certificatesOf(certificatePem) : [];
    const [literal, literalRoot] = [all[0]?.toString(), all.at(-1)?.toString()];
    return { id, state, literal, literalRoot, limits, addresses: [adopted.certificate.address], ...adopted };
  }
}

/** What the authority itself knows of a generation. */
interface MadeGeneration extends AuthorityGeneration {
  readonly resource: TerraformResource;
  /** The resource that has its subject and names; undefined for one from outside, as its key is. */
  readonly request?: TerraformResource;
  readonly key?: Key;
  readonly fingerprint?: string;
  /** True where the code names its fingerprint. */
  readonly pinned?: boolean;
}

/** What signs, and refuses to tell where a key is that is not here. */
function signing(generation: MadeGeneration, path: string): SigningGeneration {
  const { privateKey, ...others } = generation;
  if (privateKey !== undefined) {
    return generation as MadeGeneration & SigningGeneration;
  }
  const problem = {
    code: "authority-key-elsewhere",
    at: `generations.${generation.id}`,
    given: "an authority by its certificate alone",
    allowed: "its certificate, and what is above it: it signs elsewhere, where its private key is",
    fix: "give privateKeyPem, or leave out what needs the key",
  };
  // Not to be seen by whoever copies the others.
  return Object.defineProperty(others, "privateKey", {
    get: (): never => {
      throw new PkiError(path, [problem]);
    },
  }) as unknown as SigningGeneration;
}

/** The longest of the validities; one that only Terraform knows is taken for the longest. */
function longestOf(certificates: readonly TerraformResource[]): number | string {
  const hours = certificates.map(validityOf);
  return hours.find((value) => typeof value === "string") ?? Math.max(...(hours as number[]));
}

/** What is checked of an authority's generations by those below it. */
export function issuersOf(authority: ICertificateAuthority): Issuers {
  return Object.fromEntries(
    Object.entries(authority.generations).map(([id, { state, validityHours, privateKey, literal, limits }]) => {
      const hasPrivateKey = privateKey !== undefined;
      return [
        id,
        { state, validityHours, hasPrivateKey, signsElsewhere: !hasPrivateKey && literal !== undefined, limits },
      ];
    }),
  );
}

/** Finds an authority whose private key would have to travel. */
export function checkSameStack(signed: Construct, by: ICertificateAuthority, at: string, problems: Problems): void {
  if (TerraformStack.of(signed) !== TerraformStack.of(by)) {
    const fix = "create the certificate in the authority's stack: a private key never goes through an output";
    problems.add({ code: "authority-stack", at, given: by.node.path, allowed: "an authority of the same stack", fix });
  }
}

/** Where the certificates of generations are, each followed by those above it, each once. */
function bundled(generations: readonly AuthorityGeneration[]): Reference[] {
  const references = generations.flatMap(({ certificate, chain }) => [certificate, ...chain]);
  return [...new Map(references.map((reference) => [operand(reference), reference])).values()];
}

function isProtected(state: GenerationState, props: CertificateAuthorityProps): boolean {
  return state !== "retired" && (props.deletionProtection ?? true);
}

/** Who an authority is. */
function named(id: string, key: Key, sans: SubjectAltNames, props: CertificateAuthorityProps) {
  const subject = subjectOf(id, props.subject);
  return {
    privateKeyPem: expression(key.privateKey),
    subject: [{ ...subject.fields }],
    dnsNames: sans.dnsArgument,
    ipAddresses: sans.ipsArgument,
    provider: props.provider,
  };
}

function keyAlgorithmOf({ options }: Generation): KeyAlgorithm {
  return options.keyAlgorithm ?? KeyAlgorithm.ECDSA_P256;
}

/** What its certificate says that it may do, and for how long. */
function certifying(generation: Generation) {
  return {
    isCaCertificate: true,
    allowedUses: KeyUsage.AUTHORITY.allowedUses(keyAlgorithmOf(generation)),
    validityPeriodHours: generation.validityHours!,
    setSubjectKeyId: true,
  };
}
