import { Problems } from "../errors";
import { checkConstructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, instanceOf, name, oneOf, optional, record, text } from "../terraform/shape";
import { AuthorityLimits, checkPathLength, limitsIn } from "./authority-limits";
import { KEY_ALGORITHM, KeyAlgorithm } from "./key-algorithm";
import { checkKeyPem, checkPem, GenerationKeyPem, GenerationPem, isLiteral } from "./pem";
import { VALIDITY, Validity } from "./validity";

/**
 * Where a generation stands in its life: `active` signs, `trusted` is in every bundle, `retired` is in no bundle and no file
 * while its key is kept in the state, the way back.
 */
export type GenerationState = "active" | "trusted" | "retired";

const DEFAULT_VALIDITY = Validity.years(10);

/** What a generation is made with. Belongs to the generation and never changes after it was issued. */
export interface GenerationOptions {
  /**
   * Algorithm and size of its private key.
   * @default - ECDSA P-256 for an authority, RSA-2048 for a service account
   */
  readonly keyAlgorithm?: KeyAlgorithm;
  /**
   * How long an authority is valid; a key pair has no end.
   * @default - 87600 hours
   */
  readonly validity?: Validity;
  /**
   * SHA-256 fingerprint of the public key as the `<prefix>_fingerprints` output shows it (`SHA256:…`). With it, an apply on a
   * lost or emptied state stops before any leaf is signed, instead of making a new PKI.
   * @default - not checked
   */
  readonly fingerprint?: string;
  /**
   * Generation of the authority above that signs this one; only where there is one. It stays when that authority is rotated: the
   * next generation here names the next one there.
   * @default "g1"
   */
  readonly issuer?: string;
}

const GENERATION_OPTIONS = fields({
  keyAlgorithm: optional(KEY_ALGORITHM),
  validity: optional(VALIDITY),
  fingerprint: optional(name("SHA256:…")),
  issuer: optional(name("g1")),
} satisfies Fields<GenerationOptions>);

const STATE = oneOf(["active", "trusted", "retired"] satisfies GenerationState[]);

const PRIVATE_KEY_PEM = optional(text("variable.stringValue", "PEM of a private key"));

const GENERATION_PEM = fields({
  certificatePem: text("variable.stringValue", "PEM of certificates"),
  privateKeyPem: PRIVATE_KEY_PEM,
} satisfies Fields<GenerationPem>);

const GENERATION_KEY_PEM = fields({
  publicKeyPem: text("variable.stringValue", "PEM of a public key"),
  privateKeyPem: PRIVATE_KEY_PEM,
} satisfies Fields<GenerationKeyPem>);

/**
 * One generation of an authority or of a key pair.
 *
 * A rotation introduces the next one as trusted, delivers, promotes it to active, delivers, retires the old one, delivers, and
 * removes it from the code.
 *
 * @throws PkiError when an option has another type, or there is no such option
 */
export class Generation {
  /** The one that signs. */
  public static active(options: GenerationOptions = {}): Generation {
    return Generation.inState("active", options);
  }

  /** One that is trusted and does not sign: introduced and not yet promoted, or no longer active. */
  public static trusted(options: GenerationOptions = {}): Generation {
    return Generation.inState("trusted", options);
  }

  /** One that is trusted by nobody; its key is kept and no longer protected from being destroyed. */
  public static retired(options: GenerationOptions = {}): Generation {
    return Generation.inState("retired", options);
  }

  /**
   * An authority that was made elsewhere. Line ends, text around the PEM and a block of `EC PARAMETERS` do not matter.
   *
   * Literal text is checked whole at synth. Of other text Terraform checks, in every plan, what the tls provider reads: the first
   * certificate is an authority, and Kubernetes can use its key. Whether the two belong together is seen at the first signature,
   * which the provider refuses; nobody looks at its key usage, nor at the certificates above it.
   * Without a private key, and with a literal certificate, it signs elsewhere: of what it signs Terraform makes keys and requests, and
   * signed certificates come back as `signed` of a {@link Certificate} or `signedCertificates` of a `ClusterPki`.
   *
   * An active generation whose literal certificate has expired is refused at synth; for other text Terraform warns, since what stops
   * a plan must not depend on the time.
   *
   * In the Terraform state: the PEM. The public outputs hold none of the private key.
   *
   * @see docs/authorities-from-outside.md
   */
  public static fromPem(state: GenerationState, pem: GenerationPem): Generation {
    checkShape("Generation.fromPem", state, STATE, "state");
    checkShape("Generation.fromPem", pem, GENERATION_PEM, "pem");
    return new Generation(state, {}, pem);
  }

  /**
   * A key pair that was made elsewhere, such as the service-account key of a cluster that is there already. Literal text is checked at
   * synth; of other text Terraform checks whether the two belong together, and the algorithm where the private key is given.
   *
   * In the Terraform state: the PEM.
   */
  public static fromKeyPem(state: GenerationState, keyPem: GenerationKeyPem): Generation {
    checkShape("Generation.fromKeyPem", state, STATE, "state");
    checkShape("Generation.fromKeyPem", keyPem, GENERATION_KEY_PEM, "keyPem");
    return new Generation(state, {}, undefined, keyPem);
  }

  private static inState(state: GenerationState, options: GenerationOptions): Generation {
    checkShape(`Generation.${state}`, options, GENERATION_OPTIONS, "options");
    return new Generation(state, options);
  }

  private constructor(
    /** Where it stands in its life. */
    public readonly state: GenerationState,
    /** What it is made with; nothing for one from outside. */
    public readonly options: GenerationOptions,
    /** Where the generation is an authority from outside: its PEM, as it was given. */
    public readonly pem?: GenerationPem,
    /** Where the generation is a key pair from outside: its PEM, as it was given. */
    public readonly keyPem?: GenerationKeyPem,
  ) {}

  /** Hours that an authority of this generation is valid; undefined for one from outside. */
  public get validityHours(): number | undefined {
    return this.pem ? undefined : (this.options.validity ?? DEFAULT_VALIDITY).validityHours;
  }

  /** What it may sign, where that is an authority from outside whose certificate is literal text; undefined where nothing limits it. */
  public get limits(): AuthorityLimits | undefined {
    return isLiteral(this.pem?.certificatePem) ? limitsIn(this.pem.certificatePem) : undefined;
  }

  /** True for an authority from outside that signs there, and whose literal certificate tells synth what it signed. */
  public get signsElsewhere(): boolean {
    return this.pem !== undefined && !this.hasPrivateKey && isLiteral(this.pem.certificatePem);
  }

  /** False for one from outside whose private key stays there. */
  public get hasPrivateKey(): boolean {
    const pem = this.pem ?? this.keyPem;
    return pem === undefined || pem.privateKeyPem !== undefined;
  }
}

/** Generations by id, `[a-z][a-z0-9]*`, e.g. `g1`. */
export type Generations = Readonly<Record<string, Generation>>;

/** Generations by id, where they are expected. */
export const GENERATIONS = record("g1", instanceOf(Generation, "Generation.active()"), checkConstructId);

/** The generations in the order of their ids: what is made of them does not depend on the order in which they were written. */
export function byId(generations: Generations): [id: string, generation: Generation][] {
  return Object.entries(generations).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What those below an authority need to know of its generations. */
export type Issuers = Readonly<
  Record<string, Pick<Generation, "state" | "validityHours" | "hasPrivateKey" | "signsElsewhere" | "limits">>
>;

/** The generation that signs an authority's own, where none is named. */
export const FIRST_ISSUER = "g1";

/** What an authority has that is not rotated yet. */
export const FIRST_GENERATION: Generations = { g1: Generation.active() };

/** Entries in the order of every bundle: the active one, then by id, without the retired. */
export function inBundleOrder<T extends { readonly id: string; readonly state: GenerationState }>(
  generations: readonly T[],
): T[] {
  const rank = (generation: T) => (generation.state === "active" ? 0 : 1);
  return generations
    .filter((generation) => generation.state !== "retired")
    .sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
}

/**
 * Finds a generation that could not sign.
 *
 * @param also whether one that is retired may be named, and one that signs elsewhere
 * @returns true when it may sign
 */
export function checkIssuerName(
  issuer: string,
  issuers: Issuers,
  at: string,
  problems: Problems,
  also: { readonly retired?: boolean; readonly elsewhere?: boolean } = {},
): boolean {
  const usable = Object.entries(issuers)
    .filter(([, { state, hasPrivateKey, signsElsewhere }]) => {
      return (hasPrivateKey || (also.elsewhere && signsElsewhere)) && (also.retired || state !== "retired");
    })
    .map(([id]) => id);
  if (!usable.includes(issuer)) {
    const allowed = usable.join(", ") || "none: no generation is trusted and has its private key";
    problems.add({ code: "issuer", at, given: issuer, allowed, fix: "name a generation that is active or trusted" });
  }
  return usable.includes(issuer);
}

/**
 * Finds what is wrong with a set of generations.
 *
 * @param issuers generations of the authority above; none for what is self-signed or a key pair
 */
export function checkGenerations(
  generations: Generations,
  kind: "authority" | "key pair",
  at: string,
  problems: Problems,
  issuers?: Issuers,
): void {
  const entries = byId(generations);
  const active = entries.filter(([, generation]) => generation.state === "active").map(([id]) => id);
  if (active.length !== 1) {
    const given = active.length === 0 ? "no active generation" : `active generations ${active.join(", ")}`;
    problems.add({
      code: "generations-active",
      at,
      given,
      allowed: "exactly one active generation",
      fix: "mark one active and the others trusted or retired",
    });
  }
  for (const [id, generation] of entries) {
    const here = `${at}.${id}`;
    if (!/^[a-z][a-z0-9]*$/.test(id)) {
      problems.add({
        code: "generation-id",
        at: here,
        given: id,
        allowed: "lower-case letters and digits, a letter first",
        fix: "call it g1, g2, …",
      });
    }
    generation.options.keyAlgorithm?.check(`${here}.keyAlgorithm`, problems);
    checkFingerprint(generation.options.fingerprint, `${here}.fingerprint`, problems);
    generation.options.validity?.checkAuthority(`${here}.validity`, problems);
    checkFromOutside(generation, kind, here, problems);
    checkIssuer(generation, issuers, here, problems);
  }
}

function checkFromOutside(
  generation: Generation,
  kind: "authority" | "key pair",
  at: string,
  problems: Problems,
): void {
  const { pem, keyPem, state } = generation;
  const signs = state === "active";
  if (pem && kind === "key pair") {
    problems.add({
      code: "generation-pem",
      at,
      given: "Generation.fromPem",
      allowed: "a key pair",
      fix: "use Generation.fromKeyPem",
    });
  } else if (keyPem && kind === "authority") {
    problems.add({
      code: "generation-pem",
      at,
      given: "Generation.fromKeyPem",
      allowed: "an authority",
      fix: "use Generation.fromPem",
    });
  } else if (pem) {
    checkPem(pem, signs, at, problems);
  } else if (keyPem) {
    checkKeyPem(keyPem, signs, at, problems);
  }
}

function checkIssuer(generation: Generation, issuers: Issuers | undefined, at: string, problems: Problems): void {
  const { issuer = FIRST_ISSUER } = generation.options;
  if (!issuers) {
    if (generation.options.issuer !== undefined) {
      const fix = "leave it out, or give the authority an issuer";
      problems.add({
        code: "generation-issuer",
        at: `${at}.issuer`,
        given: issuer,
        allowed: "nothing: no authority is above this one",
        fix,
      });
    }
    return;
  }
  if (generation.pem) {
    return;
  }
  // One that nobody trusts any more keeps its certificate, and that names its issuer.
  if (!checkIssuerName(issuer, issuers, `${at}.issuer`, problems, { retired: generation.state === "retired" })) {
    return;
  }
  const { limits, validityHours } = issuers[issuer]!;
  checkPathLength({ limits, generation: issuer }, at, problems);
  const [hours, limit] = [generation.validityHours!, validityHours ?? limits?.validityHours];
  if (limit !== undefined && hours > limit) {
    problems.add({
      code: "authority-outlives-issuer",
      at: `${at}.validity`,
      given: `${hours} hours`,
      allowed: `at most the ${limit} hours of its issuer, generation ${issuer}`,
      fix: "shorten it, or name a generation of the issuer with a longer validity",
    });
  }
}

/** A fingerprint of another kind would be taken for a lost state, by the next apply. */
function checkFingerprint(fingerprint: string | undefined, at: string, problems: Problems): void {
  if (fingerprint !== undefined && !/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint)) {
    const fix = "copy it from the output <prefix>_fingerprints";
    problems.add({
      code: "fingerprint-format",
      at,
      given: fingerprint,
      allowed: "SHA256: and 43 characters of base64",
      fix,
    });
  }
}
