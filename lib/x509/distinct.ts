import type { Problems } from "../errors";
import { namePartsIn } from "./certificate-fields";
import type { Generation, Generations } from "./generation";
import { isLiteral, literalCertificates, literalPublicKey } from "./pem";
import type { Subject } from "./subject";

/** A generation, and where it stands. */
export interface PlacedGeneration {
  /** Its id. */
  readonly id: string;
  /** Where that is said: `authorities.etcd.generations.g1`. */
  readonly at: string;
  /** Names its authority, or its key pair. */
  readonly owner: string;
  readonly generation: Generation;
  /**
   * What the authority's generations are about.
   * @default - it is a key pair
   */
  readonly subject?: Subject;
}

/** The generations of one authority or key pair, with their places. */
export function placed(generations: Generations, at: string, owner: string, subject?: Subject): PlacedGeneration[] {
  return Object.entries(generations).map(([id, generation]) => ({
    id,
    at: `${at}.${id}`,
    owner,
    generation,
    subject,
  }));
}

/**
 * Finds what was made once and stands for two: whoever holds one key would be both. A certificate that was renewed with its key is
 * another one of the same authority.
 *
 * @param textOf what an unresolved text is to Terraform: two tokens of one variable are one
 */
export function checkDistinct(
  generations: readonly PlacedGeneration[],
  problems: Problems,
  textOf: (token: string) => string = (token) => token,
): void {
  const before: { readonly of: PlacedGeneration; readonly made: Made }[] = [];
  for (const of of generations) {
    const made = madeOf(of.generation, textOf);
    const same = before.find(({ of: other, made: theirs }) => {
      const isRenewable = other.owner === of.owner && of.generation.pem !== undefined;
      return isRenewable ? isOneOf(theirs.wholes, made.wholes) : isOneOf(theirs.keys, made.keys);
    });
    if (same) {
      problems.add({
        code: "pem-twice",
        at: of.at,
        given: `the key of ${same.of.at}`,
        allowed: "a key for each authority and key pair, and a certificate or key for each of their generations",
        fix: "give each its own: whoever has a key is everybody that it stands for",
      });
    }
    before.push({ of, made });
  }
}

/**
 * Finds two that are trusted together under one name with different keys: who looks an issuer up by its name may take the wrong one.
 *
 * @param generations of one authority, or of all whose bundles stand in one file
 */
export function checkSubjects(generations: readonly PlacedGeneration[], problems: Problems): void {
  const before: { readonly at: string; readonly name: string; readonly keys: readonly string[] }[] = [];
  for (const { id, at, generation, subject } of generations) {
    const name = generation.state === "retired" ? undefined : nameOf(id, generation, subject);
    if (name === undefined) {
      continue;
    }
    const { keys } = madeOf(generation, (token) => token);
    const same = before.find((other) => other.name === name && !isOneOf(other.keys, keys));
    if (same) {
      problems.add({
        code: "subject-twice",
        at,
        given: `the subject of ${same.at}, with another key`,
        allowed: "a subject of its own for each generation that is trusted",
        fix: generation.pem
          ? "have it signed with another subject, e.g. another OU, or retire the other one"
          : "choose another organizationalUnit: later generations of an authority have their ids there",
      });
    }
    before.push({ at, name, keys });
  }
}

/** What tells generations apart. */
interface Made {
  /** Its key, by each text that it is known by. */
  readonly keys: readonly string[];
  /** Its certificate, likewise. */
  readonly wholes: readonly string[];
}

/** Nothing, where Terraform makes it. */
function madeOf({ pem, keyPem }: Generation, textOf: (token: string) => string): Made {
  const certificatePem = pem?.certificatePem;
  const [own] = isLiteral(certificatePem) ? literalCertificates(certificatePem) : [];
  const texts = [certificatePem, keyPem?.publicKeyPem, pem?.privateKeyPem, keyPem?.privateKeyPem].flatMap((text) =>
    text === undefined || isLiteral(text) ? [] : [textOf(text)],
  );
  const publicKey = own
    ? own.fields.publicKey
    : [keyPem?.publicKeyPem, pem?.privateKeyPem, keyPem?.privateKeyPem].map(literalPublicKey).find(Boolean);
  return {
    keys: [...(publicKey ? [publicKey.toString("base64")] : []), ...texts],
    wholes: own
      ? [own.certificate.raw.toString("base64")]
      : certificatePem === undefined || isLiteral(certificatePem)
        ? []
        : [textOf(certificatePem)],
  };
}

function isOneOf(some: readonly string[], others: readonly string[]): boolean {
  return some.some((text) => others.includes(text));
}

/** Object identifiers of the fields of a subject. */
const FIELDS: Readonly<Record<string, string>> = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  organizationalUnit: "2.5.4.11",
  country: "2.5.4.6",
  province: "2.5.4.8",
  locality: "2.5.4.7",
};

/** The subject of a generation as text in which order does not matter; undefined where nobody can tell. */
function nameOf(id: string, { pem, keyPem }: Generation, subject: Subject | undefined): string | undefined {
  if (pem) {
    const [own] = isLiteral(pem.certificatePem) ? literalCertificates(pem.certificatePem) : [];
    return own && namePartsIn(own.fields.subject).sort().join("\n");
  }
  if (keyPem || !subject) {
    return undefined;
  }
  const { fields } = subjectOf(id, subject);
  return Object.entries(fields)
    .flatMap(([field, value]) => (value === undefined ? [] : [`${FIELDS[field] ?? field}=${value}`]))
    .sort()
    .join("\n");
}

/** The subject of a generation that Terraform makes. */
export function subjectOf(id: string, subject: Subject): Subject {
  return id === "g1" ? subject : subject.withOrganizationalUnit(id);
}
