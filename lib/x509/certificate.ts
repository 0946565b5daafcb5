import { inventoried, type OwnEntry } from "../terraform/inventoried";
import { issued, issuedKeyAlgorithm } from "./issued";
import { outlives, VALIDITY, Validity } from "./validity";
import { leafKeyName } from "../terraform/names";
import { DataResource, TerraformProvider, TerraformStack, Token } from "cdktf";
import { CertRequest } from "@cdktf/provider-tls/lib/cert-request";
import { LocallySignedCert } from "@cdktf/provider-tls/lib/locally-signed-cert";
import { Construct } from "constructs";
import { PkiError, Problems, Words } from "../errors";
import { addressOf } from "../terraform/address";
import {
  AUTHORITY,
  type AuthorityGeneration,
  checkSameStack,
  ICertificateAuthority,
  issuersOf,
} from "./certificate-authority";
import { ALT_NAMES } from "./alt-name-shape";
import { checkPurposes } from "./authority-limits";
import { checkIssuerName, Issuers } from "./generation";
import { KEY_ALGORITHM, KeyAlgorithm } from "./key-algorithm";
import { KEY_USAGE, KeyUsage } from "./key-usage";
import { refuseUnlistedMasters } from "./masters";
import { blocksOf } from "./pem";
import { createKey, Key } from "./private-key";
import { checkRequest, type Described, requestedAlgorithm } from "./request-checks";
import { REQUEST } from "./certificate-request";
import { checkComparable, checkSigned } from "./signed-checks";
import { certificateIn, keepSigned } from "./signed-elsewhere";
import { SUBJECT, Subject } from "./subject";
import { refuseUnsigned } from "./unsigned";
import { AltName, checkAltNames, SubjectAltNames } from "./subject-alt-names";
import { constructId } from "../terraform/construct-id";
import { pin } from "../terraform/pin";
import { Reference, expression } from "../terraform/reference";
import { lifecycle } from "../terraform/lifecycle";
import { checkShape, fields, Fields, list, name, optional, plainText, provider, text } from "../terraform/shape";

/** What may be chosen for one certificate. */
export interface CertificateOptions {
  /**
   * How long it is valid, and how long before its end it is renewed.
   * @default - 8760 hours, renewed 720 hours before the end
   */
  readonly validity?: Validity;
  /**
   * Algorithm and size of its private key.
   * @default KeyAlgorithm.ECDSA_P256
   */
  readonly keyAlgorithm?: KeyAlgorithm;
  /**
   * Names the private key, `[a-z][a-z0-9]*`. Another name makes a new key at the next apply; renewal alone keeps the key.
   * @default - the first key, without a name
   */
  readonly keyGeneration?: string;
  /**
   * Generation of the authority that signs, to keep a certificate on the old one while a rotation is under way.
   * @default - the active one
   */
  readonly issuer?: string;
}

/** Props of a {@link Certificate}. */
export interface CertificateProps extends CertificateOptions {
  /**
   * A request (CSR) as PEM that whoever has the private key made, known at synth: `readFileSync("jane.csr", "utf8")`. It has to ask for exactly what
   * is described here, and is public. Terraform never sees the key.
   * @default - key and request are made here
   */
  readonly request?: string;
  /**
   * What an authority that signs elsewhere made of the request: PEM of one certificate, known at synth. It has to say exactly what is
   * described here, for at most the validity, and is public. Only of an authority without its private key.
   * @default - it is not back yet: Terraform has key and request
   */
  readonly signed?: string;
  /**
   * More O's than the subject's own: the tls provider writes one, and only a request can have several.
   * @default - none
   */
  readonly moreOrganizations?: readonly string[];
  /**
   * Who signs. Must be in the same stack: its private key may not travel through an output. One that was given without its private key
   * signs elsewhere.
   */
  readonly authority: ICertificateAuthority;
  /** Who it is about. */
  readonly subject: Subject;
  /** Whether its holder may be a server, a client or both. */
  readonly usage: KeyUsage;
  /**
   * DNS names and IP addresses that it is valid for.
   * @default - none
   */
  readonly sans?: readonly AltName[];
  /**
   * Terraform name of its key, request and certificate.
   * @default - the construct's id
   */
  readonly address?: string;
  /**
   * The tls provider that makes the resources.
   * @default - the stack's tls provider
   */
  readonly provider?: TerraformProvider;
}

/** The choices for one certificate. */
export const CERTIFICATE_OPTIONS = {
  validity: optional(VALIDITY),
  keyAlgorithm: optional(KEY_ALGORITHM),
  keyGeneration: optional(name("k2")),
  issuer: optional(name("g1")),
} satisfies Fields<CertificateOptions>;

const CERTIFICATE_PROPS = fields({
  ...CERTIFICATE_OPTIONS,
  request: optional(text('readFileSync("jane.csr", "utf8")')),
  signed: optional(text('readFileSync("signed/jane.crt", "utf8")')),
  moreOrganizations: optional(list(plainText("on-call"))),
  authority: AUTHORITY,
  subject: SUBJECT,
  usage: KEY_USAGE,
  sans: optional(ALT_NAMES),
  address: optional(name("prometheus")),
  provider: optional(provider),
} satisfies Fields<CertificateProps>);

/** How long a certificate is valid for which nobody chose. */
export const DEFAULT_VALIDITY = Validity.years(1);

/**
 * A certificate with a private key of its own, signed by an authority.
 *
 * Request and certificate are replaced by creating the new one first, so a failed apply never leaves a machine without one.
 * In the Terraform state: the private key (twice) and the authority's signing key; for a request from elsewhere the latter alone, and
 * none of an authority that signs elsewhere.
 *
 * @throws PkiError when a value breaks a rule, the authority is in another stack, or a request or a signed certificate says something else
 * @see https://www.rfc-editor.org/rfc/rfc5280
 */
export class Certificate extends Construct {
  /** Who it is about. */
  public readonly subject: Subject;
  /** DNS names and IP addresses that it is valid for. */
  public readonly sans: SubjectAltNames;
  /** Whether its holder may be a server, a client or both. */
  public readonly usage: KeyUsage;
  /** How long it is valid. */
  public readonly validity: Validity;
  /** The generation that signs it. */
  public readonly issuer: AuthorityGeneration;
  /** The L1 of the request; undefined where that comes from elsewhere. */
  public readonly ownRequest?: CertRequest;
  /** The L1 that makes the certificate, or that keeps one which is signed elsewhere. */
  public readonly anchor: LocallySignedCert | DataResource;
  /** Its Terraform name, and that of its request. */
  public readonly name: string;
  /** Whether its authority signs elsewhere, because its private key is there. */
  public readonly isSignedElsewhere: boolean;
  /** False while it is signed elsewhere, and not back yet. */
  public readonly isSigned: boolean;
  /** The request: where it is in the state, or its text where that comes from elsewhere. */
  public readonly requestPem: Reference | string;
  /** Where the certificates above it are in the state: the authority's that signed it, and those above that, up to and including the root. */
  public readonly chain: readonly Reference[];

  /** Addresses of its resources, sorted. */
  public readonly addresses: readonly string[];

  private readonly place: Reference;
  private readonly ownKey?: Key;
  private readonly algorithm: KeyAlgorithm;

  public constructor(scope: Construct, id: string, props: CertificateProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, CERTIFICATE_PROPS);
    this.subject = props.subject;
    this.usage = props.usage;
    this.validity = props.validity ?? DEFAULT_VALIDITY;
    const problems = new Problems();
    props.subject.check("subject", problems);
    checkAltNames(props.sans ?? [], "sans", problems);
    checkCertificateOptions(props, issuersOf(props.authority), "", problems);
    checkSameStack(this, props.authority, "authority", problems);
    const generation = props.issuer ?? props.authority.active.id;
    checkPurposes(
      props.usage.purposes,
      { limits: props.authority.generations[generation]?.limits, generation },
      "usage",
      problems,
    );
    checkUse(props, problems);
    checkOrigin(props, problems);
    const signer = props.authority.generations[generation];
    if (signer) {
      checkSigner({ ...props, validity: this.validity }, signer, problems);
    }
    problems.throwIfAny(this.node.path);

    this.sans = SubjectAltNames.of(...(props.sans ?? [])).distinctIn(this);
    this.issuer = props.authority.generations[generation]!;

    this.name = props.address ?? id;
    const origin = props.request === undefined ? this.makeRequest(props) : givenRequest(props.request);
    const { ownKey, ownRequest, requestPem, algorithm } = origin;
    this.ownKey = ownKey;
    this.ownRequest = ownRequest;
    this.requestPem = requestPem;
    this.algorithm = algorithm;
    this.isSignedElsewhere = this.issuer.privateKey === undefined;
    this.isSigned = !this.isSignedElsewhere || props.signed !== undefined;
    if (this.issuer.privateKey === undefined) {
      this.anchor = this.keep(origin, props.signed);
      this.place = certificateIn(addressOf(this.anchor)!);
    } else {
      this.anchor = this.sign(origin, this.issuer.privateKey, props.provider);
      this.place = { address: pin(this.anchor, this.name), attribute: "cert_pem" };
      props.authority.registerLeaf(this.anchor, this.issuer.id);
    }
    this.chain = [this.issuer.certificate, ...this.issuer.chain];
    const made = [ownKey?.privateKey.address, ownRequest && addressOf(ownRequest), this.place.address];
    this.addresses = made.filter((address) => address !== undefined).sort();
    inventoried(this, { entries: () => [this.entry()] });
    refuseUnlistedMasters(TerraformStack.of(this), (node) => node instanceof Certificate);
  }

  /**
   * The L1 of the certificate.
   *
   * @throws PkiError when its authority signs elsewhere
   */
  public get resource(): LocallySignedCert {
    return this.anchor instanceof LocallySignedCert ? this.anchor : refuseResource(this.node.path);
  }

  /**
   * Where the certificate is in the state.
   *
   * @throws PkiError while it is signed elsewhere, and not back yet
   */
  public get certificate(): Reference {
    return this.isSigned ? this.place : refuseUnsigned(this.node.path, this.name);
  }

  /**
   * The private key; its L1 is `key.resource`.
   *
   * @throws PkiError when the request comes from elsewhere: the key never was here
   */
  public get key(): Key {
    return this.ownKey ?? refuseKey(this);
  }

  /**
   * The L1 of the request.
   *
   * @throws PkiError when the request comes from elsewhere
   */
  public get request(): CertRequest {
    return this.ownRequest ?? refuseKey(this);
  }

  /**
   * Where the private key is in the state.
   *
   * @throws PkiError when the request comes from elsewhere: the key never was here
   */
  public get privateKey(): Reference {
    return this.key.privateKey;
  }

  private sign(origin: Origin, privateKey: Reference, provider: TerraformProvider | undefined): LocallySignedCert {
    return new LocallySignedCert(this, "Resource", {
      certRequestPem: textOf(origin.requestPem),
      caCertPem: expression(this.issuer.certificate),
      caPrivateKeyPem: expression(privateKey),
      allowedUses: this.usage.allowedUses(origin.algorithm),
      validityPeriodHours: this.validity.validityHours,
      earlyRenewalHours: this.validity.earlyRenewalHours,
      setSubjectKeyId: true,
      lifecycle: { createBeforeDestroy: true },
      provider,
    });
  }

  private keep({ requestPem, algorithm, ownKey }: Origin, signed: string | undefined): DataResource {
    return keepSigned(this, "Resource", {
      name: this.name,
      request: textOf(requestPem),
      issuer: this.issuer.certificate,
      allowedUses: this.usage.allowedUses(algorithm),
      validity: this.validity,
      signed,
      publicKey: ownKey?.publicKey,
    });
  }

  /** What it may be used for, by the tls provider's names. */
  public get allowedUses(): readonly string[] {
    return this.usage.allowedUses(this.algorithm);
  }

  private makeRequest({ keyAlgorithm, keyGeneration, provider }: CertificateProps): Origin {
    const algorithm = keyAlgorithm ?? KeyAlgorithm.ECDSA_P256;
    const ownKey = createKey(this, "Key", leafKeyName(this.name, keyGeneration), { algorithm, provider });
    const ownRequest = new CertRequest(this, "Request", {
      privateKeyPem: expression(ownKey.privateKey),
      subject: [{ ...this.subject.fields }],
      dnsNames: this.sans.dnsArgument,
      ipAddresses: this.sans.ipsArgument,
      lifecycle: lifecycle({
        createBeforeDestroy: true,
        precondition: [...this.sans.preconditions, ...this.subject.preconditions],
      }),
      provider,
    });
    const requestPem = { address: pin(ownRequest, this.name), attribute: "cert_request_pem" };
    return { algorithm, ownKey, ownRequest, requestPem };
  }

  private entry(): OwnEntry {
    return {
      kind: "certificate",
      name: this.node.id,
      addresses: this.addresses,
      issuedBy: this.isSignedElsewhere ? "elsewhere" : "terraform",
      ...issued(this.ownRequest, this.anchor),
      issuerAddress: this.issuer.certificate.address,
      keyAlgorithm: this.ownKey ? issuedKeyAlgorithm(this.ownKey.resource) : this.algorithm.name,
    };
  }
}

/** Where a certificate's key and names come from. */
interface Origin {
  readonly algorithm: KeyAlgorithm;
  /** The request: where it is, or its text. */
  readonly requestPem: Reference | string;
  readonly ownKey?: Key;
  readonly ownRequest?: CertRequest;
}

function givenRequest(pem: string): Origin {
  // One newline at its end: the provider looks at the text, and would issue again for another.
  return { algorithm: requestedAlgorithm(pem)!, requestPem: blocksOf(REQUEST, pem)[0]! };
}

function textOf(pem: Reference | string): string {
  return typeof pem === "string" ? pem : expression(pem);
}

function refuseResource(path: string): never {
  const problem = {
    code: "signed-elsewhere",
    at: "resource",
    given: "a certificate that Terraform does not sign",
    allowed: "anchor, which keeps it",
    fix: "use anchor: what whoever signs makes of the request is theirs",
  };
  throw new PkiError(path, [problem]);
}

function refuseKey(certificate: Certificate): never {
  const problem = {
    code: "request-elsewhere",
    at: "request",
    given: "a request from elsewhere",
    allowed: "the certificate, and what is above it: the key is with whoever made the request",
    fix: "use certificate and chain, and let a kubeconfig name the file of the key",
  };
  throw new PkiError(certificate.node.path, [problem]);
}

/** What a certificate, or a row of a table, is to be, as far as it is compared with what is signed elsewhere. */
export type DescribedLeaf = Described & Pick<CertificateProps, "request" | "signed"> & { readonly validity: Validity };

/**
 * Finds what is wrong with a certificate of an authority that signs elsewhere: what was signed, and what could not be compared with it.
 *
 * @param at where the signed certificate stands
 */
export function checkSigner(
  { signed, ...described }: DescribedLeaf,
  { privateKey, literal: issuer, limits }: Pick<AuthorityGeneration, "privateKey" | "literal" | "limits">,
  problems: Problems,
  { before, at } = { before: "", at: "signed" },
): void {
  if (privateKey === undefined && issuer !== undefined) {
    checkComparable(described, before, problems);
    if (signed !== undefined) {
      checkSigned(signed, { ...described, issuer, end: limits?.end }, at, problems);
    }
  } else if (signed !== undefined) {
    problems.add({
      code: "signed-here",
      at,
      given: new Words("a signed certificate"),
      allowed: "nothing: the authority's private key is here, and Terraform signs with it",
      fix: "leave it out, or leave out the authority's privateKeyPem",
    });
  }
}

/** Finds a request that asks for something else, and what only a request can have. */
export function checkOrigin(
  described: Described & Pick<CertificateProps, "request" | "keyGeneration">,
  problems: Problems,
  { before, more } = { before: "", more: "moreOrganizations" },
): void {
  const { request, moreOrganizations = [], keyGeneration } = described;
  if (request === undefined) {
    if (moreOrganizations.length > 0) {
      const allowed = "one O, the subject's: the tls provider writes no more";
      const fix = "give a request that has them";
      problems.add({
        code: "organizations",
        at: `${before}${more}`,
        given: moreOrganizations.join(", "),
        allowed,
        fix,
      });
    }
    return;
  }
  if (keyGeneration !== undefined) {
    const allowed = "nothing: another request has another key";
    problems.add({
      code: "key-generation",
      at: `${before}keyGeneration`,
      given: keyGeneration,
      allowed,
      fix: "leave it out",
    });
  }
  checkRequest(request, described, problems, before);
}

/**
 * Finds what is wrong with the choices made for a certificate, before it is made. `at` is empty or ends with a dot; `otherwise` is
 * the validity of a certificate for which none was chosen.
 */
export function checkCertificateOptions(
  options: CertificateOptions,
  issuers: Issuers,
  at: string,
  problems: Problems,
  otherwise = DEFAULT_VALIDITY,
): void {
  options.validity?.checkLeaf(`${at}validity`, problems);
  options.keyAlgorithm?.check(`${at}keyAlgorithm`, problems);
  if (options.keyGeneration !== undefined && !/^[a-z][a-z0-9]*$/.test(options.keyGeneration)) {
    const allowed = "lower-case letters and digits, a letter first";
    problems.add({
      code: "key-generation",
      at: `${at}keyGeneration`,
      given: options.keyGeneration,
      allowed,
      fix: "call it k2, k3, …",
    });
  }
  if (
    options.issuer !== undefined &&
    !checkIssuerName(options.issuer, issuers, `${at}issuer`, problems, { elsewhere: true })
  ) {
    return;
  }
  const issuer = options.issuer ?? Object.keys(issuers).find((id) => issuers[id]!.state === "active");
  if (issuer !== undefined) {
    const { validity } = options;
    const where = validity ? `${at}validity` : "validity";
    const { validityHours } = validity ?? otherwise;
    const limit = issuers[issuer]!.validityHours ?? issuers[issuer]!.limits?.validityHours;
    if (limit !== undefined && validityHours >= limit) {
      problems.add({ ...outlives(validityHours, limit), at: where });
    }
  }
}

/** Finds a certificate that would be an authority without limits of one, and a server that nobody could connect to. */
function checkUse({ usage, sans = [] }: CertificateProps, problems: Problems): void {
  if (usage.purposes.includes("cert_signing")) {
    problems.add({
      code: "leaf-usage",
      at: "usage",
      given: `KeyUsage.AUTHORITY (${usage.name})`,
      allowed: "KeyUsage.SERVER, KeyUsage.CLIENT or KeyUsage.SERVER_AND_CLIENT",
      fix: "make a CertificateAuthority with this one as its issuer: a certificate that is no authority signs nothing",
    });
  }
  // What is no list was told of.
  const hasName =
    Token.isUnresolved(sans) ||
    sans.some((name) => typeof name === "string" || [name.dns, name.ips].some((names) => names?.length));
  // What is both ends may well be the other one alone: k0s signs clients so.
  if (usage.purposes.every((purpose) => purpose === "server_auth") && !hasName) {
    problems.add({
      code: "server-names",
      at: "sans",
      given: "none",
      allowed: "at least one DNS name or IP address: clients compare no common name",
      fix: "add the names at which clients reach the server",
    });
  }
}
