import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PkiError } from "../errors";
import { checkShape, name } from "../terraform/shape";
import type { Certificate } from "../x509/certificate";
import { accessOf, type ClusterFile } from "./cluster-file";
import type { ClusterLeaf } from "./cluster-parts";
import type { Content } from "./content";

/** What stands in a file for a certificate: itself, or, while somebody else has it to sign, its name. */
export function pemOf(certificate: Certificate): Content {
  return certificate.isSigned ? certificate.certificate : { unsigned: certificate.name };
}

/** OpenSSL's words for the provider's. */
const USES: Readonly<Record<string, string>> = {
  digital_signature: "digitalSignature",
  key_encipherment: "keyEncipherment",
  server_auth: "serverAuth",
  client_auth: "clientAuth",
};

const PURPOSE = /_auth$/;

/** The requests for who signs elsewhere, and beside each the extensions that no request of the tls provider can ask for, in OpenSSL's words. */
export function requestFiles(leaves: readonly ClusterLeaf[]): ClusterFile[] {
  return leaves
    .filter(({ certificate }) => certificate.isSignedElsewhere)
    .flatMap(({ certificate }): ClusterFile[] => [
      {
        ...{ path: `/${certificate.name}.csr`, kind: "certificate request", consumers: [] },
        ...accessOf({ kind: "certificate request" }),
        content: certificate.requestPem,
      },
      {
        ...{ path: `/${certificate.name}.ext`, kind: "configuration", consumers: [] },
        ...accessOf({ kind: "configuration" }),
        content: extensionsOf(certificate.allowedUses),
      },
    ]);
}

/** What `openssl x509 -req -extfile` takes. */
function extensionsOf(uses: readonly string[]): string {
  const words = (isPurpose: boolean) =>
    uses.filter((use) => PURPOSE.test(use) === isPurpose).map((use) => USES[use] ?? use);
  return `basicConstraints = critical, CA:FALSE
keyUsage = critical, ${words(false).join(", ")}
extendedKeyUsage = ${words(true).join(", ")}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;
}

/** Endings of files that hold certificates. */
const ENDING = /\.(crt|pem)$/;

/**
 * The certificates of a folder, for `signedCertificates`: the PEM of each `<name>.crt` or `<name>.pem`, by its name. Other files, such as
 * the requests, are left alone.
 *
 * @throws PkiError when there is no such folder, or it has two certificates of one name
 */
export function signedCertificatesIn(folder: string): Readonly<Record<string, string>> {
  checkShape("signedCertificatesIn", folder, name("signed"), "folder");
  const refuse = (given: string, allowed: string, fix: string): never => {
    throw new PkiError("signedCertificatesIn", [{ code: "signed-folder", at: "folder", given, allowed, fix }]);
  };
  if (!existsSync(folder)) {
    return refuse(JSON.stringify(folder), "a folder that is there", "make it, though nothing was signed yet: mkdir");
  }
  const files = readdirSync(folder).filter((file) => ENDING.test(file));
  const names = files.map((file) => file.replace(ENDING, ""));
  const twice = names.find((each, index) => names.indexOf(each) < index);
  if (twice !== undefined) {
    return refuse(`${twice}.crt and ${twice}.pem`, "one file for a certificate", "remove the one that is not meant");
  }
  return Object.fromEntries(files.map((file, index) => [names[index]!, readFileSync(join(folder, file), "utf8")]));
}
