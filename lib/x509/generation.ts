import { Token } from "cdktf";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { Problems } from "../errors";
import { KeyAlgorithm } from "./key-algorithm";
import { Validity } from "./validity";

/**
 * Where a generation stands in its life: `active` signs, `trusted` is in every bundle, `retired` is in no bundle and no file
 * while its key is kept in the state, the way back.
 */
export type GenerationState = "active" | "trusted" | "retired";

const DEFAULT_VALIDITY = Validity.years(10);

/** What a generation is made with. Belongs to the generation and never changes after it was issued. */
export interface GenerationOptions {
  /** @default - ECDSA P-256 for an authority, RSA-2048 for a service account */
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
}

/** An authority from outside. */
export interface GenerationPem {
  /** Certificate, PEM. May be unresolved, e.g. a variable. */
  readonly certificatePem: string;
  /**
   * Private key, PEM, unencrypted. Give a sensitive variable: a literal would stand in the synthesized JSON. Either way it lands in
   * the Terraform state.
   */
  readonly privateKeyPem: string;
}

/**
 * One generation of an authority or of a key pair.
 *
 * A rotation introduces the next one as trusted, delivers, promotes it to active, delivers, retires the old one, delivers, and
 * removes it from the code.
 */
export class Generation {
  /** The one that signs. */
  public static active(options: GenerationOptions = {}): Generation {
    return new Generation("active", options);
  }

  /** One that is trusted and does not sign: introduced and not yet promoted, or no longer active. */
  public static trusted(options: GenerationOptions = {}): Generation {
    return new Generation("trusted", options);
  }

  /** One that is trusted by nobody; its key is kept and no longer protected from being destroyed. */
  public static retired(options: GenerationOptions = {}): Generation {
    return new Generation("retired", options);
  }

  /** An authority that was made elsewhere. CRLF and an `EC PARAMETERS` block are normalised. */
  public static fromPem(state: GenerationState, pem: GenerationPem): Generation {
    const { certificatePem, privateKeyPem } = pem;
    return new Generation(
      state,
      {},
      { certificatePem: normalised(certificatePem), privateKeyPem: normalised(privateKeyPem) },
    );
  }

  private constructor(
    public readonly state: GenerationState,
    public readonly options: GenerationOptions,
    /** Where the generation is from outside: its normalised PEM. */
    public readonly pem?: GenerationPem,
  ) {}

  /** Hours that an authority of this generation is valid; undefined for one from outside. */
  public get validityHours(): number | undefined {
    return this.pem ? undefined : (this.options.validity ?? DEFAULT_VALIDITY).validityHours;
  }
}

/** Generations by id, `[a-z][a-z0-9]*`, e.g. `g1`. */
export type Generations = Readonly<Record<string, Generation>>;

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

/** Finds what is wrong with a set of generations. */
export function checkGenerations(
  generations: Generations,
  kind: "authority" | "key pair",
  at: string,
  problems: Problems,
): void {
  const entries = Object.entries(generations);
  const active = entries.filter(([, generation]) => generation.state === "active").map(([id]) => id);
  if (active.length !== 1) {
    const given = active.length === 0 ? "no active generation" : `active generations ${active.join(", ")}`;
    problems.add(
      "generations-active",
      at,
      given,
      "exactly one active generation",
      "mark one active and the others trusted or retired",
    );
  }
  for (const [id, generation] of entries) {
    const here = `${at}.${id}`;
    if (!/^[a-z][a-z0-9]*$/.test(id)) {
      problems.add("generation-id", here, id, "lower-case letters and digits, a letter first", "call it g1, g2, …");
    }
    generation.options.keyAlgorithm?.check(`${here}.keyAlgorithm`, problems);
    checkFingerprint(generation.options.fingerprint, `${here}.fingerprint`, problems);
    generation.options.validity?.checkAuthority(`${here}.validity`, problems);
    if (generation.pem && kind === "key pair") {
      problems.add(
        "generation-pem",
        here,
        "Generation.fromPem",
        "a generated key pair",
        "use Generation.active or .trusted",
      );
    } else if (generation.pem) {
      checkPem(generation.pem, here, problems);
    }
  }
}

/** A fingerprint of another kind would be taken for a lost state, by the next apply. */
function checkFingerprint(fingerprint: string | undefined, at: string, problems: Problems): void {
  if (fingerprint !== undefined && !/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint)) {
    const fix = "copy it from the output <prefix>_fingerprints";
    problems.add("fingerprint-format", at, fingerprint, "SHA256: and 43 characters of base64", fix);
  }
}

function checkPem(pem: GenerationPem, at: string, problems: Problems): void {
  if (Token.isUnresolved(pem.certificatePem) || Token.isUnresolved(pem.privateKeyPem)) {
    return;
  }
  const certificate = parsed(() => new X509Certificate(pem.certificatePem));
  const key = parsed(() => createPrivateKey(pem.privateKeyPem));
  if (!certificate) {
    problems.add(
      "pem-certificate",
      `${at}.certificatePem`,
      "text that is no certificate",
      "one PEM certificate",
      "give its PEM",
    );
  } else if (!certificate.ca) {
    problems.add(
      "pem-not-ca",
      `${at}.certificatePem`,
      certificate.subject,
      "a certificate authority",
      "give the authority's certificate",
    );
  }
  if (!key) {
    problems.add(
      "pem-key",
      `${at}.privateKeyPem`,
      "text that is no private key",
      "an unencrypted PEM key",
      "decrypt it first",
    );
  } else if (certificate && !certificate.checkPrivateKey(key)) {
    problems.add(
      "pem-mismatch",
      `${at}.privateKeyPem`,
      "the key of another certificate",
      "the certificate's own key",
      "pair them",
    );
  }
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** Blocks as the tls provider recognises them: it keeps the old certificate, silently, when its authority's PEM has another shape. */
function normalised(pem: string): string {
  if (Token.isUnresolved(pem)) {
    return pem;
  }
  const withoutParameters = pem.replace(/-----BEGIN EC PARAMETERS-----[^-]*-----END EC PARAMETERS-----\s*/g, "");
  return `${withoutParameters.replace(/\r/g, "").trim()}\n`;
}
