import { DataResource, TerraformProvider } from "cdktf";
import { DataTlsCertificate } from "@cdktf/provider-tls/lib/data-tls-certificate";
import { DataTlsPublicKey } from "@cdktf/provider-tls/lib/data-tls-public-key";
import { Construct } from "constructs";
import { X509Certificate } from "node:crypto";
import {
  CERTIFICATE,
  certificatesOf,
  GenerationKeyPem,
  GenerationPem,
  isLiteral,
  PRIVATE_KEY,
  PUBLIC_KEY,
  publicKeyOf,
} from "./pem";
import {
  authorityConditions,
  certificateText,
  derOf,
  keyPairConditions,
  keyText,
  PemOperand,
  refuseUnless,
} from "./pem-expression";
import { pin } from "../terraform/pin";
import { Reference } from "../terraform/reference";
import { quoted } from "../terraform/expression";
import { lifecycle } from "../terraform/lifecycle";

/** Where it is kept. */
export interface AdoptOptions {
  /** Its Terraform name. */
  readonly name: string;
  readonly preventDestroy: boolean;
  readonly provider?: TerraformProvider;
}

/** An authority from outside, in the state. */
export interface AdoptedAuthority {
  readonly resource: DataResource;
  readonly certificate: Reference;
  readonly chain: readonly Reference[];
  readonly privateKey?: Reference;
  readonly end: Reference;
  /** Operand of its end, known in a plan, where synth could not look at it. */
  readonly unresolvedEnd?: string;
}

/** Keeps the PEM in the state, so that an authority from outside is read like any other: by its address. */
export function adoptAuthority(
  scope: Construct,
  id: string,
  pem: GenerationPem,
  options: AdoptOptions,
): AdoptedAuthority {
  const { certificatePem, privateKeyPem } = pem;
  const certificate = new PemOperand(scope, CERTIFICATE, certificatePem, `${options.name}__certificate`);
  const [first, ...above] = isLiteral(certificatePem) ? certificatesOf(certificatePem) : [];
  const unresolvedEnd = first ? undefined : endOf(scope, id, certificate, options);
  const key = keyOf(scope, id, privateKeyPem, options);
  const hasChain = !certificate.literal || above.length > 0;
  const resource = new DataResource(scope, id, {
    input: {
      // The tls provider reads the first block alone, and looks at the whole text.
      certificate_pem: certificate.firstText,
      ...(hasChain ? { chain_pem: certificate.restText } : {}),
      ...(key ? { private_key_pem: key.kept } : {}),
      // A check has to look at something that Terraform keeps.
      not_after: first ? new Date(first.validTo).toISOString() : `\${${unresolvedEnd}}`,
    },
    lifecycle: lifecycle({
      preventDestroy: options.preventDestroy,
      precondition: [...(first ? [] : authorityConditions(certificate)), ...pairCondition(first, certificate, key)],
    }),
  });
  const address = pin(resource, options.name);
  const kept = (attribute: string): Reference => ({ address, attribute: `output.${attribute}` });
  return {
    resource,
    certificate: kept("certificate_pem"),
    chain: hasChain ? [kept("chain_pem")] : [],
    privateKey: key && kept("private_key_pem"),
    end: kept("not_after"),
    unresolvedEnd,
  };
}

/** A key pair from outside, in the state. */
export interface AdoptedKeyPair {
  readonly publicKey: Reference;
  readonly privateKey?: Reference;
}

/** Keeps a key pair in the state. */
export function adoptKeyPair(
  scope: Construct,
  id: string,
  pem: GenerationKeyPem,
  options: AdoptOptions,
): AdoptedKeyPair {
  const publicKey = new PemOperand(scope, PUBLIC_KEY, pem.publicKeyPem, `${options.name}__public-key`);
  const key = keyOf(scope, id, pem.privateKeyPem, options);
  const resource = new DataResource(scope, id, {
    input: { public_key_pem: publicKey.firstText, ...(key ? { private_key_pem: key.kept } : {}) },
    lifecycle: lifecycle({
      preventDestroy: options.preventDestroy,
      precondition: [
        ...(publicKey.literal ? [] : keyPairConditions(publicKey)),
        ...(key && !(publicKey.literal && key.literal)
          ? [refuseUnless("pem-public-mismatch", `${derOf(publicKey.first)} == ${key.publicDer}`, "publicKeyPem")]
          : []),
      ],
    }),
  });
  const address = pin(resource, options.name);
  const kept = (attribute: string): Reference => ({ address, attribute: `output.${attribute}` });
  return { publicKey: kept("public_key_pem"), privateKey: key && kept("private_key_pem") };
}

/** Lets the tls provider read the end of a certificate that synth does not know. */
function endOf(scope: Construct, id: string, certificate: PemOperand, options: AdoptOptions): string {
  const data = new DataTlsCertificate(scope, `${id}-certificate`, {
    content: certificate.firstText,
    lifecycle: { precondition: certificateText(certificate) },
    provider: options.provider,
  });
  return `${pin(data, options.name)}.certificates[0].not_after`;
}

interface AdoptedKey {
  readonly literal: boolean;
  /** Expression of its PEM. */
  readonly kept: string;
  /** Operand of the DER of its public key, as hex. */
  readonly publicDer: string;
}

function keyOf(scope: Construct, id: string, pem: string | undefined, options: AdoptOptions): AdoptedKey | undefined {
  if (pem === undefined) {
    return undefined;
  }
  const key = new PemOperand(scope, PRIVATE_KEY, pem, `${options.name}__private-key`);
  const kept = `\${sensitive(${key.first})}`;
  if (key.literal) {
    return { literal: true, kept, publicDer: quoted(publicKeyOf(pem).toString("hex")) };
  }
  const data = new DataTlsPublicKey(scope, `${id}-key`, {
    privateKeyPem: `\${${key.first}}`,
    lifecycle: { precondition: keyText(key) },
    provider: options.provider,
  });
  return { literal: false, kept, publicDer: derOf(`${pin(data, options.name)}.public_key_pem`) };
}

/** A certificate holds its public key, byte for byte. Without this, the first leaf would show it, where Terraform signs any. */
function pairCondition(first: X509Certificate | undefined, certificate: PemOperand, key: AdoptedKey | undefined) {
  if (!key || (first && key.literal)) {
    return [];
  }
  const der = first ? quoted(first.raw.toString("hex")) : derOf(certificate.first);
  return [refuseUnless("pem-mismatch", `strcontains(${der}, ${key.publicDer})`, "privateKeyPem")];
}
