import { TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import { resolvedOnce } from "./files";
import type { Identities } from "./machine-files";
import { expression, Reference } from "../terraform/reference";
import { pin } from "../terraform/pin";
import { Certificate } from "../x509/certificate";
import { CertificateAuthority } from "../x509/certificate-authority";

/**
 * Publishes what stands in every certificate as the output `<prefix>_inventory`, so that a plain plan says in clear what it changes:
 * `authorities` by name and generation, `certificates` by holder and name. It holds no secret.
 */
export function publishInventory(
  scope: Construct,
  prefix: string,
  { table, authorities, certificates }: Identities,
): void {
  const leaves: Record<string, Record<string, unknown>> = {};
  for (const [key, leaf] of certificates) {
    const [holder, name] = key.split("/") as [string, string];
    (leaves[holder] ??= {})[name] = leafFacts(leaf, table.certificates[name]!.authority);
  }
  const value = {
    authorities: Object.fromEntries([...authorities].map(([name, authority]) => [name, authorityFacts(authority)])),
    certificates: leaves,
  };
  const description = "What stands in each certificate, and until when it is valid";
  const output = new TerraformOutput(scope, "Inventory", { value: resolvedOnce(value), description });
  pin(output, `${prefix}_inventory`, "addressPrefix");
}

function authorityFacts({ generations }: CertificateAuthority) {
  return Object.fromEntries(
    Object.values(generations).map(({ id, state, certificate, end }) => [
      id,
      { state, not_after: expression(end), pem_sha256: sha256(certificate) },
    ]),
  );
}

function leafFacts(leaf: Certificate, authority: string) {
  const { address } = leaf.certificate;
  return {
    sans: [...leaf.sans.dns, ...leaf.sans.ips],
    issuer: `${authority}/${leaf.issuer.id}`,
    not_after: `\${${address}.validity_end_time}`,
    serial: `\${${address}.id}`,
    pem_sha256: sha256(leaf.certificate),
  };
}

/** Of the PEM text: what Terraform can hash, and `sha256sum` of the file gives. */
function sha256({ address, attribute }: Reference): string {
  return `\${sha256(${address}.${attribute})}`;
}
