import { Token } from "cdktf";
import { Problems } from "../errors";
import { checkShape, fields, Fields, instanceOf, optional, plainText } from "../terraform/shape";
import { type Condition, condition } from "../terraform/condition";
import { quoted } from "../terraform/expression";
import { SYSTEM_MASTERS } from "./system-masters";
import { checkText } from "../terraform/text-values";

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

/** Without a blank at either end, which comparisons of names leave out, and without control characters. */
const PLAIN = /^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$/u;
/** The same for Terraform, without a backslash. */
const TERRAFORM_PLAIN = "^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$";

/** Base64 of 1 to 64 bytes: Terraform counts characters. */
const TERRAFORM_BYTES = "^(.{4,84}|.{86}==)$";

const NOT_PLAIN = {
  code: "subject",
  allowed: "text without control characters, and without blanks at its beginning and end",
  fix: "leave them out: whoever compares names may leave them out, too",
} as const;

function conditionsOf(field: string, value: string): Condition[] {
  const at = `subject.${field}`;
  const text = quoted(value);
  return [
    condition(`can(regex("${TERRAFORM_BYTES}", base64encode(${text})))`, {
      code: "subject",
      at,
      given: value,
      allowed: `1 to ${MAX_BYTES} bytes`,
      fix: "use a shorter name",
    }),
    condition(`can(regex("${TERRAFORM_PLAIN}", ${text}))`, { ...NOT_PLAIN, at, given: value }),
    ...(field === "organization"
      ? [
          condition(`${text} != "${SYSTEM_MASTERS}"`, {
            code: "system-masters",
            at,
            given: value,
            allowed: "a group that RBAC can limit",
            fix: "use a group of your own and bind it, or the distribution's break-glass identity",
          }),
        ]
      : []),
  ];
}

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

  /** What Terraform must check because the values are not known at synth: the same, and that nobody becomes what no table says. */
  public get preconditions(): Condition[] {
    return Object.entries(this.fields as unknown as Record<string, string | undefined>).flatMap(([field, value]) =>
      value === undefined || !Token.isUnresolved(value) ? [] : conditionsOf(field, value),
    );
  }

  /** Finds fields that are empty or too long, or that begin or end with a blank. */
  public check(at: string, problems: Problems): void {
    for (const [field, value] of Object.entries(this.fields) as [string, string | undefined][]) {
      const wanted = { allowed: "text" };
      if (value === undefined || !checkText(value, `${at}.${field}`, problems, wanted) || Token.isUnresolved(value)) {
        continue;
      }
      if (!PLAIN.test(value) && value !== "") {
        problems.add({ ...NOT_PLAIN, at: `${at}.${field}`, given: value });
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
