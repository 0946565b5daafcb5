// Nothing in here needs cdktf: the command line reads the same data.

/** A value that stands in the Terraform state: an attribute of a resource with a pinned name. */
export interface Reference {
  /** `<type>.<name>`, e.g. `tls_private_key.prod__ca__kubernetes__g1`. */
  readonly address: string;
  /** Attribute, with dots for what is nested in it: `cert_pem`, `output.private_key_pem`. */
  readonly attribute: string;
}

/** A reference where an expression stands already, e.g. as an argument of a function. */
export function operand({ address, attribute }: Reference): string {
  return `${address}.${attribute}`;
}

/** The Terraform expression of a reference, valid only inside the stack that owns the resource. */
export function expression(reference: Reference): string {
  return `\${${operand(reference)}}`;
}
