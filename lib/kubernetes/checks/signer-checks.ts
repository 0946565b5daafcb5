import { type Problems, problemText, Words } from "../../errors";
import { didYouMean } from "../../terraform/closest";
import { member } from "../../terraform/shape";
import { FIRST_GENERATION } from "../../x509/generation";
import type { ClusterPkiProps } from "../cluster-pki-props";
import type { ClusterLeaf } from "../cluster-parts";
import type { AuthorityRow, CertificateRow, Consumer, DistributionTable } from "../table";

/**
 * Finds an authority whose private key a machine needs and nobody gave, and a distribution that cannot do without.
 *
 * @param table with the rows that apply
 */
export function checkAuthorityKeys(props: ClusterPkiProps, table: DistributionTable, problems: Problems): void {
  if (props.authorityKeysOnMachines === false) {
    const issues = ({ issuedBy }: CertificateRow) => !(props.issueLeaves ?? issuedBy === "terraform");
    checkWithoutKeys(table, problems, Object.values(table.certificates).some(issues));
    return;
  }
  for (const [name, row] of Object.entries(table.authorities)) {
    const generations = props.authorities?.[name]?.generations ?? FIRST_GENERATION;
    const needs = placesOfKey(row);
    for (const [id, { state, pem, hasPrivateKey }] of Object.entries(generations)) {
      if (state === "active" && pem && !hasPrivateKey && needs.length > 0) {
        const alone = "give privateKeyPem, or set authorityKeysOnMachines: false, and let it sign elsewhere";
        problems.add({
          code: "authority-key",
          at: `authorities.${name}.generations.${id}`,
          given: new Words("an authority by its certificate alone"),
          allowed: `its private key, too: ${table.name} needs it in ${needs.join(", ")}`,
          fix: table.withoutAuthorityKeys === undefined ? "give privateKeyPem" : alone,
        });
      }
    }
  }
}

/**
 * Finds a distribution that cannot do without the keys of authorities.
 *
 * @param issues whether it issues certificates itself
 */
export function checkWithoutKeys(table: DistributionTable, problems: Problems, issues = false): void {
  if (table.withoutAuthorityKeys === undefined || issues) {
    const why = issues ? "issues certificates itself" : "does not start without them";
    problems.add({
      code: "authority-key",
      at: "authorityKeysOnMachines",
      given: false,
      allowed: `true, of ${table.name}, which ${why}`,
      fix: "leave it out",
    });
  }
}

/** Files and Secrets that hold the key of an authority, and what reads them. */
function placesOfKey({ files, secrets = [] }: AuthorityRow): string[] {
  return [
    ...files
      .filter(({ kind }) => kind === "private key")
      .map(({ path, consumers }) => [path, readersOf(consumers)].filter(Boolean).join(" ")),
    ...secrets.filter(({ data }) => Object.values(data).includes("private key")).map(({ name }) => `Secret ${name}`),
  ];
}

function readersOf(consumers: readonly Consumer[]): string {
  const readers = consumers.map(({ component, via }) => `${component}: ${Object.values(via).join(" ")}`);
  return readers.length > 0 ? `(${readers.join("; ")})` : "";
}

/** What to tell where no machine has an authority's key. */
export function keylessWarnings({ authorityKeysOnMachines }: ClusterPkiProps, table: DistributionTable): string[] {
  return authorityKeysOnMachines === false && table.withoutAuthorityKeys !== undefined
    ? [`[authority-key] no machine has an authority's key: ${table.withoutAuthorityKeys}`]
    : [];
}

/** What to tell of certificates that somebody else has to sign. */
export function unsignedWarnings(leaves: readonly ClusterLeaf[]): string[] {
  const names = leaves.filter(({ certificate }) => !certificate.isSigned).map(({ certificate }) => certificate.name);
  return names.length === 0
    ? []
    : [
        `[unsigned] signed elsewhere, and not back yet: ${names.sort().join(", ")}; ` +
          "kubernetes-pki export --requests writes the requests, and no files of who needs one of these",
      ];
}

/** Requests, and signed certificates, that no certificate here is asked for by. */
export function strayCertificates(
  { certificateRequests = {}, signedCertificates = {} }: ClusterPkiProps,
  leaves: readonly ClusterLeaf[],
  path: string,
): string[] {
  const certificates = leaves.map(({ certificate }) => certificate);
  const asked = certificates.filter(({ isSignedElsewhere }) => isSignedElsewhere);
  const stray = (at: string, given: object, known: readonly string[], code: "request-unknown" | "signed-unknown") =>
    Object.keys(given)
      .filter((name) => !known.includes(name))
      .map((name) =>
        problemText({
          code,
          at: `${path}, ${member(at, name)}`,
          given: name,
          allowed: known.join(", ") || "none: no authority here signs elsewhere",
          fix: didYouMean(name, known) ?? "call it what its certificate is called, or remove it",
        }),
      );
  const names = (of: typeof certificates) => of.map(({ name }) => name);
  return [
    ...stray("certificateRequests", certificateRequests, names(certificates), "request-unknown"),
    ...stray("signedCertificates", signedCertificates, names(asked), "signed-unknown"),
  ];
}
