import { DataResource, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { condition, conditionBlocks } from "../terraform/condition";
import { quoted } from "../terraform/expression";
import { lifecycle } from "../terraform/lifecycle";
import { pin } from "../terraform/pin";
import { expression, operand, type Reference } from "../terraform/reference";
import { signedInvalidToday } from "./expiry";
import { blocksOf, CERTIFICATE, type LiteralCertificate, literalCertificates, publicPem } from "./pem";
import type { Validity } from "./validity";

/** A certificate of which Terraform has the request, and which somebody else signs. */
export interface SignedElsewhere {
  /** Its Terraform name. */
  readonly name: string;
  /** The request: its text, or an expression for it. */
  readonly request: string;
  /** The certificate of the authority that signs it. */
  readonly issuer: Reference;
  /** What it may be used for, by the tls provider's names. */
  readonly allowedUses: readonly string[];
  readonly validity: Validity;
  /**
   * What came back: one literal certificate, which was looked at.
   * @default - nothing yet
   */
  readonly signed?: string;
  /**
   * The public key of the request, where Terraform made that.
   * @default - synth compared the keys
   */
  readonly publicKey?: Reference;
}

/**
 * Keeps in the state what was asked for, and what came back, so that it is read like any other certificate: by its address. It has its place
 * there from the first apply on, and what was signed comes into it.
 */
export function keepSigned(scope: Construct, id: string, kept: SignedElsewhere): DataResource {
  const { name, request, issuer, allowedUses, signed, publicKey } = kept;
  const [one] = signed === undefined ? [] : literalCertificates(signed);
  const resource = new DataResource(scope, id, {
    input: {
      cert_request_pem: request,
      ca_cert_pem: expression(issuer),
      allowed_uses: allowedUses,
      ...(signed === undefined || !one ? {} : comeBack(signed, one)),
    },
    lifecycle: lifecycle({ precondition: one && publicKey ? [ownKey(name, one, publicKey)] : [] }),
  });
  const address = pin(resource, name);
  if (signed !== undefined && one) {
    scope.node.addValidation({ validate: () => signedInvalidToday(signed, scope.node.path) });
    warnInTime(scope, address, kept, one);
  }
  return resource;
}

function comeBack(signed: string, { fields }: LiteralCertificate): Record<string, string> {
  // A check has to look at something that Terraform keeps.
  return { certificate_pem: blocksOf(CERTIFICATE, signed)[0]!, not_after: fields.notAfter.toISOString() };
}

/** Where the certificate is, once it is back. */
export function certificateIn(address: string): Reference {
  return { address, attribute: "output.certificate_pem" };
}

/** Terraform alone knows the key that it made. */
function ownKey(name: string, { certificate }: LiteralCertificate, publicKey: Reference) {
  const [ours, signed] = [operand(publicKey), quoted(publicPem(certificate.publicKey))].map(
    (pem) => `replace(${pem}, "\\n", "")`,
  );
  return condition(`${ours} == ${signed}`, {
    code: "signed-key",
    at: name,
    given: "a certificate of another key",
    allowed: "one that was signed for the request of this state",
    fix: "export the request again, have it signed, and give what comes back; leave the old one out until then",
  });
}

/** Nobody renews it but who signed it: a `check`, since a precondition would stop every plan. */
function warnInTime(
  scope: Construct,
  address: string,
  { name, validity }: SignedElsewhere,
  { fields }: LiteralCertificate,
): void {
  const due = `timeadd(plantimestamp(), "${validity.earlyRenewalHours}h")`;
  const assertion = condition(`timecmp(${due}, ${address}.input.not_after) < 0`, {
    code: "signed-expiring",
    at: name,
    given: `a certificate that ends ${fields.notAfter.toISOString()}`,
    allowed: "one that has longer to go than its early renewal",
    fix: "have its request signed again, and give what comes back",
  });
  TerraformStack.of(scope).addOverride(`check.${name}.assert`, conditionBlocks([assertion]));
}
