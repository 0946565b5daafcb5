import { TerraformProvider } from "cdktf";
import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { Construct } from "constructs";
import { KeyAlgorithm } from "./key-algorithm";
import { Condition, condition } from "../terraform/condition";
import { pin } from "../terraform/pin";
import { Reference } from "../terraform/reference";
import { quoted } from "../terraform/expression";
import { lifecycle } from "../terraform/lifecycle";

/** How a private key is made. */
export interface KeyOptions {
  /** Algorithm and size. */
  readonly algorithm: KeyAlgorithm;
  /**
   * Expected `public_key_fingerprint_sha256`.
   * @default - not checked
   */
  readonly fingerprint?: string;
  /**
   * Lets Terraform refuse every plan that would destroy it.
   * @default false
   */
  readonly preventDestroy?: boolean;
  /**
   * What makes it.
   * @default - the stack's tls provider
   */
  readonly provider?: TerraformProvider;
}

/** A private key in the state, PKCS#1 for RSA and SEC 1 for ECDSA, and what is derived from it. */
export interface Key {
  /** The L1 of the key. */
  readonly resource: PrivateKey;
  /** Where the private key is in the state. */
  readonly privateKey: Reference;
  /** PKIX `PUBLIC KEY`, the form that `sa.pub` needs. */
  readonly publicKey: Reference;
  /** Where the SHA-256 fingerprint of the public key is in the state: `SHA256:…`. */
  readonly fingerprint: Reference;
}

/**
 * Makes one private key under a pinned name. Every key of this library is made here.
 *
 * @see https://registry.terraform.io/providers/hashicorp/tls/latest/docs/resources/private_key
 */
export function createKey(scope: Construct, id: string, name: string, options: KeyOptions): Key {
  const { fingerprint, preventDestroy } = options;
  const { algorithm, rsaBits, ecdsaCurve } = options.algorithm.tls;
  const resource = new PrivateKey(scope, id, {
    algorithm,
    rsaBits,
    ecdsaCurve,
    lifecycle: lifecycle({ preventDestroy, postcondition: fingerprint ? [fingerprintCondition(fingerprint)] : [] }),
    provider: options.provider,
  });
  const address = pin(resource, name);
  return {
    resource,
    privateKey: { address, attribute: "private_key_pem" },
    publicKey: { address, attribute: "public_key_pem" },
    fingerprint: { address, attribute: "public_key_fingerprint_sha256" },
  };
}

function fingerprintCondition(fingerprint: string): Condition {
  return condition(`self.public_key_fingerprint_sha256 == ${quoted(fingerprint)}`, {
    code: "fingerprint",
    at: "fingerprint",
    given: "another key than the one that the code names",
    allowed: `the key with the fingerprint ${fingerprint}`,
    fix: "if the state was lost, restore it from its backup before you apply again; nothing was signed with the new key",
  });
}
