import { TerraformLocal } from "cdktf";
import { Construct } from "constructs";
import { blocksOf, DER, Fault, FAULTS, isLiteral } from "./pem";
import { pin } from "../terraform/pin";
import { quoted } from "../terraform/expression";

/** A condition of a lifecycle. */
export interface PemCondition {
  readonly condition: string;
  readonly errorMessage: string;
}

/** PEM of a prop for Terraform: literal text as it was normalised at synth, other text with what normalises it there. */
export class PemOperand {
  /** Whether the text was checked at synth. */
  public readonly literal: boolean;
  private readonly texts: readonly string[];
  /** A local that holds the text, sensitive: Terraform shows the values that a failed condition names. */
  private readonly local: string;

  /**
   * @param kind one of the patterns of blocks
   * @param name Terraform name of the local
   */
  public constructor(
    scope: Construct,
    private readonly kind: string,
    pem: string,
    name: string,
  ) {
    this.literal = isLiteral(pem);
    this.texts = this.literal ? blocksOf(kind, pem) : [];
    const text = `replace(${quoted(pem)}, "/[ \\t\\r]*\\n[ \\t]*/", "\\n")`;
    this.local = this.literal ? "" : pin(new TerraformLocal(scope, name, `\${sensitive(${text})}`), name);
  }

  /** Operand: a list of all blocks of the kind, without the newline at the end; for text that is not literal, and sensitive. */
  public get blocks(): string {
    return `regexall("${this.kind}", ${this.local})`;
  }

  /** Operand: the first block; sensitive where the text is not literal. */
  public get first(): string {
    return this.literal ? quoted(this.texts[0]!) : this.row("i == 0");
  }

  /** Value of an argument: the first block, which is public. */
  public get firstText(): string {
    return this.literal ? this.texts[0]! : `\${nonsensitive(${this.first})}`;
  }

  /** Value of an argument: those after the first, one after the other, which are public. */
  public get restText(): string {
    return this.literal ? this.texts.slice(1).join("") : `\${nonsensitive(${this.row("i > 0")})}`;
  }

  /** Operand: a list of the DER of all blocks, as hex; for text that is not literal. */
  public get der(): string {
    return `[for block in ${this.blocks} : ${derOf("block")}]`;
  }

  /** Operand: whether the text as it was given has such a part; for text that is not literal. */
  public contains(part: string): string {
    return `strcontains(${this.local}, "${part}")`;
  }

  private row(condition: string): string {
    return `join("", [for i, block in ${this.blocks} : join("", [block, "\\n"]) if ${condition}])`;
  }
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * DER of a block as hex. Terraform cannot decode base64 that is no text: each character is written as its six bits, and these are
 * read in bytes; the bits that only fill up the last character make none.
 */
export function derOf(block: string): string {
  const body = `replace(${block}, "/-----[^-]+-----/", "")`;
  const bits = `[for c in regexall("[A-Za-z0-9+/]", ${body}) : format("%06b", index(split("", "${BASE64}"), c))]`;
  return `join("", [for byte in regexall("[01]{8}", join("", ${bits})) : format("%02x", parseint(byte, 2))])`;
}

/** What Terraform refuses, in the words of synth. */
export function refuseUnless(fault: Fault, operand: string, prop: string): PemCondition {
  const [allowed, fix] = FAULTS[fault];
  return { condition: `\${${operand}}`, errorMessage: `[${fault}] ${prop}: allowed: ${allowed}; fix: ${fix}.` };
}

/** What has to hold before a certificate is read. */
export function certificateText(certificate: PemOperand): PemCondition[] {
  const prop = "certificatePem";
  return [
    refuseUnless("pem-certificate", `length(${certificate.blocks}) > 0`, prop),
    refuseUnless("pem-key-in-certificate", `!${certificate.contains("PRIVATE KEY-----")}`, prop),
  ];
}

/** What has to hold before a private key is read. */
export function keyText(key: PemOperand): PemCondition[] {
  const prop = "privateKeyPem";
  return [
    refuseUnless("pem-key-encrypted", `!${key.contains("ENCRYPTED")}`, prop),
    // Encrypted is none; it has its own message.
    refuseUnless("pem-key", `length(${key.blocks}) == 1 || ${key.contains("ENCRYPTED")}`, prop),
  ];
}

/** What has to hold for an authority and those above it. */
export function authorityConditions(certificate: PemOperand): PemCondition[] {
  const prop = "certificatePem";
  const every = (test: string) => `alltrue([for der in ${certificate.der} : ${test}])`;
  const signers = `regexall("${DER.AUTHORITY_KEY}", ders[i])`;
  const named = `alltrue([for id in ${signers} : strcontains(ders[i + 1], join("", ["${DER.SUBJECT_KEY}", id[0]]))])`;
  const ordered = `alltrue([for ders in [${certificate.der}] : alltrue([for i in range(length(ders) - 1) : ${named}])])`;
  return [
    refuseUnless("pem-not-ca", every(`can(regex("${DER.CA}", der))`), prop),
    refuseUnless("pem-key-usage", every(`!can(regex("${DER.NO_CERT_SIGN}", der))`), prop),
    refuseUnless("pem-key-algorithm", every(`can(regex("${DER.USABLE_KEY}", der))`), prop),
    refuseUnless("pem-chain-order", ordered, prop),
  ];
}

/** What has to hold for a public key. */
export function keyPairConditions(publicKey: PemOperand): PemCondition[] {
  const prop = "publicKeyPem";
  const usable = `can(regex("${DER.USABLE_KEY}", ${derOf(publicKey.first)}))`;
  return [
    refuseUnless("pem-public-key", `length(${publicKey.blocks}) == 1`, prop),
    refuseUnless("pem-key-algorithm", `${usable} || length(${publicKey.blocks}) == 0`, prop),
  ];
}
