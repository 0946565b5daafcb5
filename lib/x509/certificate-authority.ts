import { DataResource, propertyAccess, TerraformProvider, TerraformResource, TerraformStack } from "cdktf";
import { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import { Construct, IConstruct } from "constructs";
import { X509Certificate } from "node:crypto";
import { Problems } from "../errors";
import { pin, Reference } from "./address";
import { expression, quoted } from "./expression";
import {
  checkGenerations,
  FIRST_GENERATION,
  Generation,
  Generations,
  GenerationState,
  inBundleOrder,
} from "./generation";
import { KeyAlgorithm } from "./key-algorithm";
import { KeyUsage } from "./key-usage";
import { lifecycle } from "./lifecycle";
import { createKey } from "./private-key";
import { Subject } from "./subject";
import { AltName, checkAltNames, SubjectAltNames } from "./subject-alt-names";
import { TrustBundle } from "./trust-bundle";

/** A generation of an authority, as those who use it see it. */
export interface AuthorityGeneration {
  /** `g1`, `g2`, … */
  readonly id: string;
  readonly state: GenerationState;
  /** Where its certificate is in the state. */
  readonly certificate: Reference;
  /** Where its private key is in the state. */
  readonly privateKey: Reference;
  /** Hours from issue to end; undefined for one from outside. */
  readonly validityHours?: number;
}

/** Something that signs certificates. Accepted wherever an authority is needed. */
export interface ICertificateAuthority extends IConstruct {
  /** The generation that signs. */
  readonly active: AuthorityGeneration;
  /** All generations by id, the retired ones included. */
  readonly generations: Readonly<Record<string, AuthorityGeneration>>;
  /** What verifiers trust. */
  readonly bundle: TrustBundle;
  /** Tells the authority that it signs a leaf of so many hours, so that Terraform warns in time before it would outlive the authority. */
  noteLeaf(validityHours: number, generation?: string): void;
}

/** Props of a {@link CertificateAuthority}. */
export interface CertificateAuthorityProps {
  /** The same for every generation; those after `g1` get `OU=<id>`, so that no two authorities share a subject. */
  readonly subject: Subject;
  /** @default - one active generation, `g1` */
  readonly generations?: Generations;
  /**
   * Names in the authority's own certificate.
   * @default - none
   */
  readonly sans?: readonly AltName[];
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
 * A self-signed certificate authority as a set of generations. Exactly one signs; the others are trusted, or retired.
 *
 * In the Terraform state: the private key of every generation, and a copy of the signing key with every leaf.
 *
 * @throws PkiError when the subject or the generations break a rule
 * @see https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/
 */
export class CertificateAuthority extends Construct implements ICertificateAuthority {
  public readonly active: AuthorityGeneration;
  public readonly bundle: TrustBundle;
  /** SHA-256 fingerprint of each generated public key, by generation: a Terraform expression, for {@link Generation}'s `fingerprint`. */
  public readonly fingerprints: Readonly<Record<string, string>>;

  private readonly address: string;
  private readonly made: Readonly<Record<string, MadeGeneration>>;
  private readonly assertions = new Map<
    string,
    { hours: number; assertion: { condition: string; error_message: string } }
  >();

  public constructor(scope: Construct, id: string, props: CertificateAuthorityProps) {
    super(scope, id);
    this.address = props.address ?? id;
    const generations = props.generations ?? FIRST_GENERATION;
    const problems = new Problems();
    props.subject.check("subject", problems);
    checkAltNames(props.sans ?? [], "sans", problems);
    checkGenerations(generations, "authority", "generations", problems);
    problems.throwIfAny(this.node.path);

    const made = Object.entries(generations).map(([name, generation]) => this.make(name, generation, props));
    this.made = Object.fromEntries(made.map((generation) => [generation.id, generation]));
    this.fingerprints = Object.fromEntries(made.flatMap((g) => (g.fingerprint ? [[g.id, g.fingerprint]] : [])));
    const trusted = inBundleOrder(made);
    this.active = trusted[0]!;
    this.node.defaultChild = trusted[0]!.resource;
    this.bundle = new TrustBundle(
      trusted.map((generation) => generation.certificate),
      trusted.map((generation) => generation.token),
    );
  }

  public get generations(): Readonly<Record<string, AuthorityGeneration>> {
    return this.made;
  }

  /**
   * One `check` per authority: a warning in every plan as soon as its longest leaf, issued now, would outlive it. It is no
   * precondition, because that also runs when nothing changes and would block every plan late in an authority's life.
   */
  public noteLeaf(validityHours: number, generation = this.active.id): void {
    const noted = this.assertions.get(generation);
    if (noted && noted.hours >= validityHours) {
      return;
    }
    const end = this.made[generation]?.end;
    if (end === undefined) {
      return;
    }
    const assertion = {
      condition: `\${timecmp(timeadd(plantimestamp(), "${validityHours}h"), ${end}) <= 0}`,
      error_message: `A certificate of ${validityHours} hours that is issued now would outlive ${this.address}, generation ${generation}: introduce the next generation.`,
    };
    this.assertions.set(generation, { hours: validityHours, assertion });
    const assert = [...this.assertions.values()].map((entry) => entry.assertion);
    TerraformStack.of(this).addOverride(`check.${this.address}`, { assert });
  }

  private make(id: string, generation: Generation, props: CertificateAuthorityProps): MadeGeneration {
    return generation.pem ? this.adopt(id, generation, props) : this.issue(id, generation, props);
  }

  private issue(id: string, generation: Generation, props: CertificateAuthorityProps): MadeGeneration {
    const { state, options, validityHours } = generation;
    const name = `${this.address}__${id}`;
    const preventDestroy = isProtected(state, props);
    const key = createKey(this, `${id}-key`, name, {
      algorithm: options.keyAlgorithm ?? KeyAlgorithm.ECDSA_P256,
      fingerprint: options.fingerprint,
      preventDestroy,
      provider: props.provider,
    });
    const subject = id === "g1" ? props.subject : props.subject.withOrganizationalUnit(id);
    const sans = SubjectAltNames.of(...(props.sans ?? []));
    const certificate = new SelfSignedCert(this, id, {
      privateKeyPem: expression(key.privateKey),
      isCaCertificate: true,
      subject: [{ ...subject.fields }],
      dnsNames: sans.dns.length > 0 ? [...sans.dns] : undefined,
      ipAddresses: sans.ips.length > 0 ? [...sans.ips] : undefined,
      allowedUses: [...KeyUsage.AUTHORITY.allowedUses],
      validityPeriodHours: validityHours!,
      setSubjectKeyId: true,
      lifecycle: lifecycle({ preventDestroy, precondition: sans.preconditions }),
      provider: props.provider,
    });
    const address = pin(certificate, name);
    return {
      id,
      state,
      certificate: { address, attribute: "cert_pem" },
      privateKey: key.privateKey,
      validityHours,
      resource: certificate,
      token: () => certificate.certPem,
      end: `${address}.validity_end_time`,
      fingerprint: expression(key.fingerprint),
    };
  }

  /** Keeps the PEM in the state, so that an authority from outside is read like any other: by its address. */
  private adopt(id: string, { state, pem }: Generation, props: CertificateAuthorityProps): MadeGeneration {
    const preventDestroy = isProtected(state, props);
    const { certificatePem, privateKeyPem } = pem!;
    const end = endOf(certificatePem);
    const data = new DataResource(this, id, {
      input: {
        certificate_pem: terraformPem(certificatePem),
        private_key_pem: terraformPem(privateKeyPem, "sensitive"),
        // A check has to look at something that Terraform keeps.
        ...(end ? { not_after: end } : {}),
      },
      lifecycle: lifecycle({ preventDestroy }),
    });
    const address = pin(data, `${this.address}__${id}`);
    return {
      id,
      state,
      certificate: { address, attribute: "output.certificate_pem" },
      privateKey: { address, attribute: "output.private_key_pem" },
      resource: data,
      token: () => propertyAccess(data.output, ["certificate_pem"]) as unknown as string,
      end: end && `${address}.output.not_after`,
    };
  }
}

/** What the authority itself knows of a generation. */
interface MadeGeneration extends AuthorityGeneration {
  readonly resource: TerraformResource;
  /** The certificate as a token that may cross stacks. Made on demand: every read of an attribute makes a new one. */
  readonly token: () => string;
  /** Terraform operand of the end of its validity. */
  readonly end?: string;
  readonly fingerprint?: string;
}

function isProtected(state: GenerationState, props: CertificateAuthorityProps): boolean {
  return state !== "retired" && (props.deletionProtection ?? true);
}

/** In Terraform, one newline after the block whatever a variable holds: the tls provider looks at the whole text. */
function terraformPem(pem: string, wrap?: "sensitive"): string {
  // Not by Fn: it would write a carriage return bare into the expression, and a token inside rawString without its braces.
  const text = `join("", [trimspace(replace(${quoted(pem)}, "\\r", "")), "\\n"])`;
  return wrap ? `\${sensitive(${text})}` : `\${${text}}`;
}

/** The end of a certificate's validity, RFC 3339; undefined where its text is not known at synth. */
function endOf(certificatePem: string): string | undefined {
  try {
    return new Date(new X509Certificate(certificatePem).validTo).toISOString();
  } catch {
    return undefined;
  }
}
