import { LATER } from "../inventory-schema";
import type { PlannedResource } from "../terraform-json/plan";

/** Before or after the plan is applied. */
export type Side = "before" | "after";

/** What stands for a value that Terraform marks as sensitive. */
export const SENSITIVE = "(sensitive value)";
/** What stands for a value that is not what its attribute should hold. */
export const NOT_SHOWN = "(not shown)";

const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,253}$/u;
/** X.520 ends a name at 64 characters. */
const SUBJECT = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u;
const USAGE = /^[a-z_]{1,40}$/;
const NUMBER = /^\d{1,12}$/;
const BOOLEAN = /^(true|false)$/;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]{8,24}(Z|[+-]\d\d:\d\d)$/;

const NAMES = {
  "subject.common_name": SUBJECT,
  "subject.organization": SUBJECT,
  "subject.organizational_unit": SUBJECT,
  "subject.country": SUBJECT,
  "subject.province": SUBJECT,
  "subject.locality": SUBJECT,
  dns_names: /^[\w.*-]{1,253}$/,
  ip_addresses: /^[0-9a-fA-F:.]{2,45}$/,
  uris: /^[a-z][a-z0-9+.-]*:[\w/.:~%-]{1,253}$/i,
};
const VALIDITY = {
  allowed_uses: USAGE,
  validity_period_hours: NUMBER,
  early_renewal_hours: NUMBER,
  is_ca_certificate: BOOLEAN,
  validity_start_time: TIME,
  validity_end_time: TIME,
};
const OBJECT = { "metadata.name": NAME, "metadata.namespace": NAME };
const SECRET = { ...OBJECT, type: NAME };
const BINDING = {
  ...OBJECT,
  "role_ref.kind": NAME,
  "role_ref.name": NAME,
  "subject.kind": NAME,
  "subject.name": NAME,
  "subject.namespace": NAME,
};

/**
 * All that may ever be shown of a plan's values, and the form that each must have: what is not in here, or has another form, is not
 * shown. PEM is in no form. Masks of Terraform come on top.
 */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  tls_private_key: { algorithm: /^[A-Z0-9-]{1,20}$/, rsa_bits: NUMBER, ecdsa_curve: /^P\d{3}$/ },
  tls_cert_request: NAMES,
  tls_self_signed_cert: { ...NAMES, ...VALIDITY },
  tls_locally_signed_cert: VALIDITY,
  time_rotating: { rotation_hours: NUMBER, rotation_days: NUMBER },
  kubernetes_secret: SECRET,
  kubernetes_secret_v1: SECRET,
  kubernetes_cluster_role_binding: BINDING,
  kubernetes_cluster_role_binding_v1: BINDING,
  kubernetes_role_binding: BINDING,
  kubernetes_role_binding_v1: BINDING,
};

/** A row of {@link ALLOWED}, taken apart. */
interface Rule {
  readonly attribute: string;
  /** Of the blocks in the attribute. */
  readonly field?: string;
  readonly form: RegExp;
}

const RULES: ReadonlyMap<string, ReadonlyMap<string, Rule>> = new Map(
  Object.entries(ALLOWED).map(([type, forms]) => [
    type,
    new Map(
      Object.entries(forms).map(([path, form]) => {
        const [attribute, field] = path.split(".") as [string, string?];
        return [path, { attribute, field, form }];
      }),
    ),
  ]),
);

/**
 * One value as it may be shown.
 *
 * @param path an attribute, or `<block>.<attribute>` of a block's first occurrence
 * @returns undefined where it is not set or may not be shown
 */
export function visible(resource: PlannedResource, side: Side, path: string): string | undefined {
  return visibleList(resource, side, path)[0];
}

/** The values of a list, or of an attribute in every occurrence of a block; a single one as a list of one. */
export function visibleList(resource: PlannedResource, side: Side, path: string): string[] {
  return shownAt(resource, side, path);
}

/** How often a block is there. */
export function occurrences(resource: PlannedResource, side: Side, block: string): number {
  const value = resource[side]?.[block];
  return Array.isArray(value) ? value.length : 0;
}

/** The field of one occurrence of a block. */
export function visibleField(resource: PlannedResource, side: Side, path: string, index: number): string | undefined {
  return shownAt(resource, side, path, index)[0];
}

function shownAt(resource: PlannedResource, side: Side, path: string, index?: number): string[] {
  const rule = RULES.get(resource.type)?.get(path);
  const values = resource[side];
  if (!rule || !values) {
    return [];
  }
  const { attribute } = rule;
  let value = values[attribute];
  let unknown = side === "after" && resource.change !== "none" ? step(resource.unknown, attribute) : false;
  let sensitive = step(side === "before" ? resource.beforeSensitive : resource.afterSensitive, attribute);
  if (index !== undefined) {
    value = step(value, index);
    unknown = step(unknown, index);
    sensitive = step(sensitive, index);
  }
  const shown: string[] = [];
  show(value, unknown, sensitive, rule, shown);
  return shown;
}

/** Adds what may be shown of a value and of all in it. */
function show(
  value: unknown,
  unknown: unknown,
  sensitive: unknown,
  rule: Rule,
  shown: string[],
  inField = false,
): void {
  const { field, form } = rule;
  if (sensitive === true) {
    shown.push(SENSITIVE);
  } else if (unknown === true) {
    shown.push(LATER);
  } else if (Array.isArray(value)) {
    value.forEach((element, index) =>
      show(element, step(unknown, index), step(sensitive, index), rule, shown, inField),
    );
  } else if (typeof value === "object" && value !== null) {
    if (field === undefined || inField) {
      shown.push(NOT_SHOWN);
    } else {
      show(step(value, field), step(unknown, field), step(sensitive, field), rule, shown, true);
    }
  } else if (value !== null && value !== undefined && value !== "") {
    const text = String(value);
    shown.push(form.test(text) ? text : NOT_SHOWN);
  }
}

/** What is below a value, or below a mask: one that is `true` covers all below it. */
function step(value: unknown, key: string | number): unknown {
  if (value === true) {
    return true;
  }
  return typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}
