import type { Problems } from "../../errors";
import { type Condition, condition } from "../../terraform/condition";
import { quoted } from "../../terraform/expression";
import { authorityName, generationName } from "../../terraform/names";
import { attributesIn } from "../../x509/certificate-fields";
import { byId, FIRST_GENERATION, type Generation } from "../../x509/generation";
import { isLiteral, literalCertificates } from "../../x509/pem";
import type { ClusterPkiProps } from "../cluster-pki-props";
import type { DistributionTable } from "../table";

/** What a generation is called: known at synth, or an operand by which Terraform knows it, out of the subject that it shows. */
type CommonName = { readonly text: string } | { readonly operand: string; readonly subject: string };

/** A generation from outside whose name decides whether the distribution renews what it signed. */
interface Renewed {
  readonly at: string;
  readonly commonName: CommonName;
  /** Names that do. */
  readonly known: readonly CommonName[];
  readonly allowed: string;
}

const FIX = "have it made with such a CN, or let Terraform make it: what it signs would not be renewed";

/** Finds authorities from outside by whose name the distribution would never renew what they sign. */
export function checkRenewedNames(props: ClusterPkiProps, table: DistributionTable, problems: Problems): void {
  for (const renewed of renewedOf(props, table, "")) {
    const { at, allowed, commonName } = renewed;
    if ("text" in commonName && isDecided(renewed) && !textsOf(renewed).includes(commonName.text)) {
      problems.add({ code: "pem-common-name", at, given: shown(commonName), allowed, fix: FIX });
    }
  }
}

/** The same of those that Terraform alone knows, or has to compare with one that it alone knows. */
export function renewedNameConditions(
  props: ClusterPkiProps,
  table: DistributionTable,
  prefix: string,
): readonly Condition[] {
  return renewedOf(props, table, prefix)
    .filter((renewed) => !isDecided(renewed))
    .map((renewed) => {
      const { at, allowed, commonName, known } = renewed;
      const operand = `contains([${known.map(operandOf).join(", ")}], ${operandOf(commonName)})`;
      return condition(operand, { code: "pem-common-name", at, given: shown(commonName), allowed, fix: FIX });
    });
}

function shown(commonName: CommonName): string {
  return "text" in commonName ? `CN=${commonName.text}` : commonName.subject;
}

/** True where Terraform has nothing to add. */
function isDecided(renewed: Renewed): boolean {
  const { commonName, known } = renewed;
  return "text" in commonName && (known.every((name) => "text" in name) || textsOf(renewed).includes(commonName.text));
}

function textsOf({ known }: Renewed): string[] {
  return known.flatMap((name) => ("text" in name ? [name.text] : []));
}

function operandOf(name: CommonName): string {
  return "text" in name ? quoted(name.text) : name.operand;
}

function renewedOf(props: ClusterPkiProps, table: DistributionTable, prefix: string): Renewed[] {
  const nameOf = (authority: string, id: string, generation: Generation): CommonName => {
    const address = generationName(authorityName(prefix, authority), id);
    return commonNameOf(generation, table.authorities[authority]!.commonName, address);
  };
  const generationsOf = (authority: string) => byId(props.authorities?.[authority]?.generations ?? FIRST_GENERATION);
  return Object.entries(table.authorities).flatMap(([authority, { renewedAs }]) => {
    if (renewedAs === undefined) {
      return [];
    }
    const { commonNames, orAs } = renewedAs;
    // What that trusts beside the one that signs is not in its file.
    const others = orAs === undefined ? [] : generationsOf(orAs).filter(([, { state }]) => state === "active");
    const known = [
      ...commonNames.map((text) => ({ text })),
      ...others.map(([id, generation]) => nameOf(orAs!, id, generation)),
    ];
    const as = orAs === undefined ? "" : `, or as ${orAs} is`;
    const allowed = `an authority with the CN ${commonNames.join(", ")}${as}, which ${table.name} knows by that`;
    return generationsOf(authority)
      .filter(([, { pem, state }]) => pem !== undefined && state !== "retired")
      .map(([id, generation]): Renewed => {
        const at = `authorities.${authority}.generations.${id}.certificatePem`;
        return { at, commonName: nameOf(authority, id, generation), known, allowed };
      });
  });
}

/** Object identifier of a CN. */
const COMMON_NAME = "2.5.4.3";

/** A CN in a subject as the tls provider shows it, with backslashes before what would end it. */
const IN_SUBJECT = "(?:^|[^\\\\][,+])CN=((?:[^\\\\,+]|\\\\.)*)";

function commonNameOf({ pem }: Generation, ofTable: string, name: string): CommonName {
  if (pem === undefined) {
    return { text: ofTable };
  }
  if (!isLiteral(pem.certificatePem)) {
    const subject = `data.tls_certificate.${name}.certificates[0].subject`;
    return { operand: `try(regex("${IN_SUBJECT}", ${subject})[0], "")`, subject: `\${${subject}}` };
  }
  // One that cannot be read has another problem.
  const [own] = literalCertificates(pem.certificatePem);
  const found = own && attributesIn(own.fields.subject).find(({ type }) => type === COMMON_NAME);
  return { text: own === undefined ? ofTable : (found?.text ?? "") };
}
