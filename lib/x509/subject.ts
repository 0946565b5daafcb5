import { Problems } from "../errors";
import { checkShape, fields, Fields, instanceOf, optional, plainText } from "../terraform/shape";

/** Fields of a {@link Subject}. Each holds one value: the tls provider cannot write two O's. */
export interface SubjectFields {
  /** CN, at most 64 bytes. For a Kubernetes client it is the user's name. */
  readonly commonName: string;
  /**
   * O. For a Kubernetes client it is the user's group.
   * @default - none
   */
  readonly organization?: string;
  /**
   * OU. Kubernetes reads nothing from it; an authority's second and later generations are told apart by it.
   * @default - none
   */
  readonly organizationalUnit?: string;
  /**
   * C, a country's two letters of ISO 3166.
   * @default - none
   */
  readonly country?: string;
  /**
   * ST, a state or province.
   * @default - none
   */
  readonly province?: string;
  /**
   * L, a place.
   * @default - none
   */
  readonly locality?: string;
}

/** The fields beside CN and O. */
export const MORE_SUBJECT_FIELDS = {
  organizationalUnit: optional(plainText("Platform")),
  country: optional(plainText("DE")),
  province: optional(plainText("Bavaria")),
  locality: optional(plainText("Munich")),
} satisfies Fields<Omit<SubjectFields, "commonName" | "organization">>;

const SUBJECT_FIELDS = fields({
  commonName: plainText("prometheus"),
  organization: optional(plainText("monitoring")),
  ...MORE_SUBJECT_FIELDS,
} satisfies Fields<SubjectFields>);

/** X.520's upper bound of a common name; openssl refuses a longer one, Go and the tls provider would not. */
const MAX_BYTES = 64;

/**
 * Who a certificate is about.
 *
 * @throws PkiError when a field is no text, or there is no such field
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.6
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
export class Subject {
  public constructor(
    /** Its fields, as they were given. */
    public readonly fields: SubjectFields,
  ) {
    checkShape("Subject", fields, SUBJECT_FIELDS, "fields");
  }

  /** The same subject with another organizational unit. */
  public withOrganizationalUnit(organizationalUnit: string): Subject {
    return new Subject({ ...this.fields, organizationalUnit });
  }

  /** `CN=…, O=…`, in the order of the fields above. */
  public toString(): string {
    const { commonName, organization, organizationalUnit, country, province, locality } = this.fields;
    return Object.entries({
      CN: commonName,
      O: organization,
      OU: organizationalUnit,
      C: country,
      ST: province,
      L: locality,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`)
      .join(", ");
  }

  /** Finds fields that are empty or too long. */
  public check(at: string, problems: Problems): void {
    for (const [field, value] of Object.entries(this.fields) as [string, string | undefined][]) {
      if (value === undefined) {
        continue;
      }
      const bytes = Buffer.byteLength(value);
      if (bytes === 0 || bytes > MAX_BYTES) {
        problems.add({
          code: "subject",
          at: `${at}.${field}`,
          given: value,
          allowed: `1 to ${MAX_BYTES} bytes (it has ${bytes})`,
          fix: "use a shorter name",
        });
      }
    }
  }
}

/** A {@link Subject}, where one is expected. */
export const SUBJECT = instanceOf(Subject, 'new Subject({ commonName: "prometheus" })');
