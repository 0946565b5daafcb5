import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { PkiError } from "../errors";
import { title } from "../terraform/names";
import { checkShape, name } from "../terraform/shape";
import { accessOf, type ClusterFile } from "./cluster-file";
import type { ClusterLeaf } from "./cluster-parts";
import type { Content } from "./content";
import { byPath, pemOf } from "./cluster-files";
import { holds } from "./holders";
import { kubeconfigRows } from "./table-for";

/** OpenSSL's words for the provider's. */
const USES: Readonly<Record<string, string>> = {
  digital_signature: "digitalSignature",
  key_encipherment: "keyEncipherment",
  server_auth: "serverAuth",
  client_auth: "clientAuth",
};

const PURPOSE = /_auth$/;

/**
 * The requests for who signs elsewhere, in a folder for each authority, and beside each the extensions that no request of the tls provider
 * can ask for, in OpenSSL's words.
 */
export function requestFiles(leaves: readonly ClusterLeaf[]): ClusterFile[] {
  return leaves
    .filter(({ certificate }) => certificate.isSignedElsewhere)
    .flatMap((leaf) => {
      const path = `/${leaf.row.authority}/${leaf.certificate.name}`;
      return [
        requestFile(`${path}.csr`, "certificate request", leaf.certificate.requestPem),
        requestFile(`${path}.ext`, "configuration", extensionsOf(leaf)),
      ];
    })
    .sort(byPath);
}

function requestFile(path: string, kind: ClusterFile["kind"], content: Content): ClusterFile {
  return { path, kind, ...accessOf({ kind }), content, consumers: [] };
}

/** What `openssl x509 -req -extfile` takes. */
function extensionsOf({ certificate, row, holder, name: leaf }: ClusterLeaf): string {
  const words = (isPurpose: boolean) =>
    certificate.allowedUses.filter((use) => PURPOSE.test(use) === isPurpose).map((use) => USES[use] ?? use);
  return `# ${title({ holder: holder.name, name: leaf })}, signed by ${title({ name: row.authority, generation: certificate.issuer.id })}
basicConstraints = critical, CA:FALSE
keyUsage = critical, ${words(false).join(", ")}
extendedKeyUsage = ${words(true).join(", ")}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;
}

/** A certificate whose key its holder made, and keeps: no file of it is written, and a kubeconfig names one beside itself. */
export function withoutKey(leaf: ClusterLeaf): ClusterLeaf {
  const { row, certificate } = leaf;
  const [kubeconfig] = kubeconfigRows(row).filter(({ on }) => holds(leaf.holder, on));
  const privateKey = kubeconfig && { file: `${posix.basename(kubeconfig.path, ".conf")}.key` };
  return {
    ...leaf,
    row: { ...row, files: row.files.filter(({ kind }) => kind !== "private key") },
    ...(privateKey ? { credentials: { certificate: pemOf(certificate), privateKey } } : {}),
  };
}

/** Endings of files that hold certificates. */
const ENDING = /\.(crt|pem)$/;

/**
 * The certificates in a folder and below it, for `signedCertificates`: the PEM of each `<name>.crt` or `<name>.pem`, by its name. Other
 * files, such as the requests, are left alone.
 *
 * @throws PkiError when there is no such folder, or it has two certificates of one name
 */
export function signedCertificatesIn(folder: string): Readonly<Record<string, string>> {
  checkShape("signedCertificatesIn", folder, name("signed"), "folder");
  const refuse = (given: string, allowed: string, fix: string): never => {
    throw new PkiError("signedCertificatesIn", [{ code: "signed-folder", at: "folder", given, allowed, fix }]);
  };
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return refuse(JSON.stringify(folder), "a folder that is there", "make it, though nothing was signed yet: mkdir");
  }
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => ENDING.test(file) && statSync(join(folder, file)).isFile(),
  );
  const names = files.map((file) => basename(file).replace(ENDING, ""));
  const twice = names.find((each, index) => names.indexOf(each) < index);
  if (twice !== undefined) {
    return refuse(twice, "one file for a certificate", "remove those that are not meant");
  }
  return Object.fromEntries(files.map((file, index) => [names[index]!, readFileSync(join(folder, file), "utf8")]));
}
