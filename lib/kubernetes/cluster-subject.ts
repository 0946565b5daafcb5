import type { Problems } from "../errors";
import { Subject, type SubjectFields } from "../x509/subject";
import { checkText } from "../terraform/text-values";
import type { ClusterPkiProps } from "./cluster-pki-props";

/** The fields of every subject that may be chosen for a whole cluster. */
const CHOSEN: readonly (keyof ClusterSubject)[] = ["organizationalUnit", "country", "province", "locality"];

/** What may be chosen of every subject of a cluster: CN and O are the distribution's, and say who somebody is. */
type ClusterSubject = NonNullable<ClusterPkiProps["subject"]>;

/** The subject of a row, with the fields that were chosen and no others, whatever stands beside them. */
export function clusterSubject(
  ofRow: Pick<SubjectFields, "commonName" | "organization">,
  { organizationalUnit, country, province, locality }: ClusterSubject = {},
): Subject {
  return new Subject({ ...ofRow, organizationalUnit, country, province, locality });
}

/** Finds fields that are none of a cluster's to choose, or that no subject could have. */
export function checkSubjectFields(given: ClusterSubject | undefined, problems: Problems): void {
  if (
    given === undefined ||
    !checkText(given, "subject", problems, {
      allowed: "an object with fields of text",
      written: () => "each field as text",
    })
  ) {
    return;
  }
  const known: readonly string[] = CHOSEN;
  for (const field of Object.keys(given).filter((name) => !known.includes(name))) {
    problems.add({
      code: "subject-field",
      at: `subject.${field}`,
      given: field,
      allowed: CHOSEN.join(", "),
      fix: "leave it out: CN and O say who somebody is, and are the distribution's; a certificate of your own has its own subject",
    });
  }
  const texts = CHOSEN.filter(
    (field) => given[field] === undefined || checkText(given[field], `subject.${field}`, problems, { allowed: "text" }),
  );
  clusterSubject({ commonName: "-" }, Object.fromEntries(texts.map((field) => [field, given[field]]))).check(
    "subject",
    problems,
  );
}
