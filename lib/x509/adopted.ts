import { DataResource, TerraformLocal, TerraformProvider } from "cdktf";
import { DataTlsCertificate } from "@cdktf/provider-tls/lib/data-tls-certificate";
import { DataTlsPublicKey } from "@cdktf/provider-tls/lib/data-tls-public-key";
import { Construct } from "constructs";
import { createPublicKey } from "node:crypto";
import { limitsIn } from "./authority-limits";
import {
  blocksOf,
  CERTIFICATE,
  certificatesOf,
  Fault,
  FAULTS,
  GenerationKeyPem,
  GenerationPem,
  isLiteral,
  PRIVATE_KEY,
  PUBLIC_KEY,
  publicKeyOf,
  publicPem,
} from "./pem";
import { Condition, condition } from "../terraform/condition";
import { quoted } from "../terraform/expression";
import { lifecycle } from "../terraform/lifecycle";
import { pin } from "../terraform/pin";
import { Reference } from "../terraform/reference";

// Literal text was checked at synth, before anything here is made. Of other text Terraform checks what its functions see in PEM and
// what the tls provider reads in it. Nobody looks into the DER: what that leaves open stands in docs/authorities-from-outside.md.

/** Where it is kept. */
export interface AdoptOptions {
  /** Its Terraform name. */
  readonly name: string;
  /** Whether Terraform refuses a plan that would destroy it. */
  readonly preventDestroy: boolean;
  /**
   * What reads unresolved text.
   * @default - the stack's tls provider
   */
  readonly provider?: TerraformProvider;
}

/** An authority from outside, in the state. */
export interface AdoptedAuthority {
  /** What keeps it. */
  readonly resource: DataResource;
  /** Its own certificate. */
  readonly certificate: Reference;
  /** Those above it, as one text; none for one literal certificate. */
  readonly chain: readonly Reference[];
  /**
   * Its private key.
   * @default - none: it stays where it is
   */
  readonly privateKey?: Reference;
  /** The end of its validity, RFC 3339. */
  readonly end: Reference;
  /**
   * Operand of its end, known in a plan.
   * @default - none: synth looked at it
   */
  readonly unresolvedEnd?: string;
}

/** Keeps the PEM in the state, so that an authority from outside is read like any other: by its address. */
export function adoptAuthority(
  scope: Construct,
  id: string,
  pem: GenerationPem,
  options: AdoptOptions,
): AdoptedAuthority {
  const { certificatePem } = pem;
  const certificate = isLiteral(certificatePem)
    ? literalCertificate(certificatePem)
    : unresolvedCertificate(scope, id, certificatePem, options);
  const key = keyOf(scope, id, pem.privateKeyPem, options);
  const resource = new DataResource(scope, id, {
    input: {
      // The tls provider reads the first block alone, and looks at the whole text.
      certificate_pem: certificate.first,
      ...(certificate.rest === undefined ? {} : { chain_pem: certificate.rest }),
      ...(key ? { private_key_pem: key.kept } : {}),
      // A check has to look at something that Terraform keeps.
      not_after: certificate.end,
    },
    lifecycle: lifecycle({
      preventDestroy: options.preventDestroy,
      precondition: [...certificate.conditions, ...(key?.data ? ownKey(certificate.publicKey, key.data) : [])],
    }),
  });
  const kept = keptIn(pin(resource, options.name));
  return {
    resource,
    certificate: kept("certificate_pem"),
    chain: certificate.rest === undefined ? [] : [kept("chain_pem")],
    privateKey: key && kept("private_key_pem"),
    end: kept("not_after"),
    unresolvedEnd: certificate.unresolvedEnd,
  };
}

/** A key pair from outside, in the state. */
export interface AdoptedKeyPair {
  /** What keeps it. */
  readonly resource: DataResource;
  /** PKIX `PUBLIC KEY`. */
  readonly publicKey: Reference;
  /**
   * Its private key.
   * @default - none: it stays where it is
   */
  readonly privateKey?: Reference;
}

/** Keeps a key pair in the state. */
export function adoptKeyPair(
  scope: Construct,
  id: string,
  pem: GenerationKeyPem,
  options: AdoptOptions,
): AdoptedKeyPair {
  const publicKey = publicKeyOperands(scope, pem.publicKeyPem, options);
  const key = keyOf(scope, id, pem.privateKeyPem, options);
  const isChecked = publicKey.isLiteral && !key?.data;
  const resource = new DataResource(scope, id, {
    input: { public_key_pem: publicKey.kept, ...(key ? { private_key_pem: key.kept } : {}) },
    lifecycle: lifecycle({
      preventDestroy: options.preventDestroy,
      precondition: [
        ...publicKey.conditions,
        ...(key?.data && !publicKey.isLiteral ? [usableKey(key.data)] : []),
        ...(key && !isChecked ? [samePublicKey(publicKey.operand, key.publicKey)] : []),
      ],
    }),
  });
  const kept = keptIn(pin(resource, options.name));
  return { resource, publicKey: kept("public_key_pem"), privateKey: key && kept("private_key_pem") };
}

interface AdoptedCertificate {
  /** Values of arguments: its PEM, and that of those above it. */
  readonly first: string;
  readonly rest?: string;
  readonly end: string;
  readonly unresolvedEnd?: string;
  /** PEM of its public key, where synth read it. */
  readonly publicKey?: string;
  readonly conditions: readonly Condition[];
}

function literalCertificate(pem: string): AdoptedCertificate {
  const [first, ...above] = blocksOf(CERTIFICATE, pem);
  const { publicKey } = certificatesOf(first!)[0]!;
  return {
    first: first!,
    rest: above.length > 0 ? above.join("") : undefined,
    // What is below it ends with the first of those above it, too.
    end: limitsIn(pem)!.end.toISOString(),
    publicKey: publicPem(publicKey),
    conditions: [],
  };
}

/** The tls provider reads the first certificate of a text, and no other. */
function unresolvedCertificate(scope: Construct, id: string, pem: string, options: AdoptOptions): AdoptedCertificate {
  const prop = "certificatePem";
  const text = normalised(scope, `${options.name}__certificate`, pem);
  const blocks = `regexall("${CERTIFICATE}", ${text})`;
  const data = new DataTlsCertificate(scope, `${id}-certificate`, {
    content: `\${nonsensitive(${joined(blocks)})}`,
    lifecycle: {
      precondition: [
        refuseUnless("pem-certificate", `length(${blocks}) > 0`, prop),
        refuseUnless("pem-key-in-certificate", `!strcontains(${text}, "PRIVATE KEY-----")`, prop),
      ],
    },
    provider: options.provider,
  });
  const read = `${pin(data, options.name)}.certificates[0]`;
  const rest = joined(`[for i, block in ${blocks} : block if i > 0]`);
  return {
    first: `\${${read}.cert_pem}`,
    rest: `\${nonsensitive(${rest})}`,
    end: `\${${read}.not_after}`,
    unresolvedEnd: `${read}.not_after`,
    conditions: [
      refuseUnless("pem-not-ca", `${read}.is_ca`, prop),
      refuseUnless("pem-key-algorithm", `contains(["RSA", "ECDSA"], ${read}.public_key_algorithm)`, prop),
    ],
  };
}

interface AdoptedPublicKey {
  /** Whether synth read it. */
  readonly isLiteral: boolean;
  /** Value of an argument. */
  readonly kept: string;
  /** Operand of its PEM. */
  readonly operand: string;
  readonly conditions: readonly Condition[];
}

function publicKeyOperands(scope: Construct, pem: string, { name }: AdoptOptions): AdoptedPublicKey {
  if (isLiteral(pem)) {
    const [kept] = blocksOf(PUBLIC_KEY, pem);
    return { isLiteral: true, kept: kept!, operand: quoted(publicPem(createPublicKey(kept!))), conditions: [] };
  }
  const blocks = `regexall("${PUBLIC_KEY}", ${normalised(scope, `${name}__public-key`, pem)})`;
  const operand = joined(blocks);
  return {
    isLiteral: false,
    kept: `\${nonsensitive(${operand})}`,
    operand,
    conditions: [refuseUnless("pem-public-key", `length(${blocks}) == 1`, "publicKeyPem")],
  };
}

interface AdoptedKey {
  /** Value of an argument: its PEM. */
  readonly kept: string;
  /** Operand of the PEM of its public key. */
  readonly publicKey: string;
  /** Address of what reads it, where synth could not. */
  readonly data?: string;
}

function keyOf(scope: Construct, id: string, pem: string | undefined, options: AdoptOptions): AdoptedKey | undefined {
  if (pem === undefined) {
    return undefined;
  }
  if (isLiteral(pem)) {
    const [key] = blocksOf(PRIVATE_KEY, pem);
    return { kept: `\${sensitive(${quoted(key!)})}`, publicKey: quoted(publicKeyOf(pem)) };
  }
  const prop = "privateKeyPem";
  const text = normalised(scope, `${options.name}__private-key`, pem);
  const blocks = `regexall("${PRIVATE_KEY}", ${text})`;
  const key = joined(blocks);
  const isEncrypted = `strcontains(${text}, "ENCRYPTED")`;
  const data = new DataTlsPublicKey(scope, `${id}-key`, {
    privateKeyPem: `\${${key}}`,
    lifecycle: {
      precondition: [
        refuseUnless("pem-key-encrypted", `!${isEncrypted}`, prop),
        // Encrypted is none; it has its own message.
        refuseUnless("pem-key", `length(${blocks}) == 1 || ${isEncrypted}`, prop),
      ],
    },
    provider: options.provider,
  });
  const address = pin(data, options.name);
  return { kept: `\${${key}}`, publicKey: `${address}.public_key_pem`, data: address };
}

/**
 * That an unresolved key belongs to the certificate. Of an unresolved certificate nobody here knows the key: the tls provider refuses
 * to sign with another, so what is left is whether Kubernetes could use this one.
 */
function ownKey(publicKey: string | undefined, data: string): Condition[] {
  return publicKey === undefined
    ? [usableKey(data)]
    : [refuseUnless("pem-mismatch", `${data}.public_key_pem == ${quoted(publicKey)}`, "privateKeyPem")];
}

/** Characters of the PEM of an RSA public key of 2048 bits; that of a shorter key is shorter. */
const RSA_2048_PEM = 451;

/** An unresolved key that Kubernetes can use. Of P-224 the provider makes no key in OpenSSH's format, which lacks that curve. */
function usableKey(data: string): Condition {
  const isRsa = `${data}.algorithm == "RSA" && length(${data}.public_key_pem) >= ${RSA_2048_PEM}`;
  const isEcdsa = `${data}.algorithm == "ECDSA" && ${data}.public_key_openssh != ""`;
  return refuseUnless("pem-key-algorithm", `(${isRsa}) || (${isEcdsa})`, "privateKeyPem");
}

/**
 * Text that Terraform learns when it runs, in a local: an operand. Line ends and indentation are as synth makes those of literal
 * text. It is sensitive, because Terraform shows the values that a failed condition names.
 */
function normalised(scope: Construct, name: string, pem: string): string {
  const text = `replace(${quoted(pem)}, "/[ \\t\\r]*\\n[ \\t]*/", "\\n")`;
  return pin(new TerraformLocal(scope, name, `\${sensitive(${text})}`), name);
}

/** Operand: blocks one after the other, each with its newline. */
function joined(blocks: string): string {
  return `join("\\n", concat(${blocks}, [""]))`;
}

/** Line ends need not be those of the provider. */
function samePublicKey(one: string, other: string): Condition {
  const [left, right] = [one, other].map((operand) => `replace(${operand}, "\\n", "")`);
  return refuseUnless("pem-public-mismatch", `${left} == ${right}`, "publicKeyPem");
}

function keptIn(address: string): (attribute: string) => Reference {
  return (attribute) => ({ address, attribute: `output.${attribute}` });
}

/** What stands in the DER alone, or in no text, is seen by synth alone. */
type SeenByTerraform = Exclude<
  Fault,
  | "pem-chain-order"
  | "pem-constraints"
  | "pem-critical-extension"
  | "pem-extended-key-usage"
  | "pem-key-missing"
  | "pem-path-length"
  | "pem-subject"
>;

/** What Terraform refuses, in the words of synth. */
function refuseUnless(fault: SeenByTerraform, operand: string, at: string): Condition {
  const [allowed, fix] = FAULTS[fault];
  return condition(operand, { code: fault, at, allowed, fix });
}
