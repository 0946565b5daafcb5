import { PlanReport, planReport, ReportOptions } from "../../../lib/plan/judge/report";
import { readPlan } from "../../../lib/terraform-json/plan";
import { expectClaimedOnce } from "../../support/claimed";
import { jsonTexts } from "../../support/json-texts";

/** Plans as `terraform show -json` prints them, written by hand: what real ones look like is shown by test/e2e/plan-report.test.ts. */

/** Stands in every value that is secret here, and may stand in nothing that is shown. */
export const SECRET = "S3CRET";

/** The report of a plan: that every change is claimed once is asserted for each of them. */
export function report(document: object, options?: ReportOptions): PlanReport {
  const found = planReport(readPlan(document), options);
  expectClaimedOnce(document, found);
  return found;
}

export interface Change {
  readonly actions?: readonly string[];
  readonly before?: object | null;
  readonly after?: object | null;
  readonly after_unknown?: unknown;
  readonly before_sensitive?: unknown;
  readonly after_sensitive?: unknown;
  readonly replace_paths?: readonly unknown[];
  readonly importing?: object;
}

/** One entry of `resource_changes`; the action is `no-op` where none is given. */
export function resource(address: string, change: Change, more: object = {}): Record<string, unknown> {
  const [type, name] = address
    .replace(/\[.*?\]$/, "")
    .split(".")
    .slice(-2) as [string, string];
  const actions = change.actions ?? ["no-op"];
  return {
    address,
    mode: "managed",
    type,
    name,
    change: { before: null, after: null, after_unknown: {}, ...change, actions },
    ...more,
  };
}

/** `attribute` of `from` refers to `to`, an address with an attribute. */
export type Link = readonly [from: string, attribute: string, to: string];

/** What the configuration refers to. */
export function configuration(links: readonly Link[]): { readonly root_module: { readonly resources: object[] } } {
  const addresses = [...new Set(links.map(([from]) => from))];
  const resources = addresses.map((address) => ({
    address,
    mode: "managed",
    expressions: Object.fromEntries(
      links
        .filter(([from]) => from === address)
        .map(([, attribute, to]) => [attribute, { references: [to, to.split(".").slice(0, 2).join(".")] }]),
    ),
  }));
  return { root_module: { resources } };
}

export function plan(changes: readonly object[], more: object = {}): Record<string, unknown> {
  return { format_version: "1.2", terraform_version: "1.11.4", complete: true, resource_changes: changes, ...more };
}

export const REPLACE = ["create", "delete"] as const;

/** What a state holds of an authority and of a leaf that it signed, by the names of this library. */
export const STATE = {
  caKey: { algorithm: "ECDSA", ecdsa_curve: "P256", rsa_bits: 2048, private_key_pem: `${SECRET} ca key` },
  ca: {
    cert_pem: "ca g1",
    private_key_pem: `${SECRET} ca key`,
    is_ca_certificate: true,
    subject: [{ common_name: "kubernetes" }],
    allowed_uses: ["cert_signing"],
    validity_period_hours: 87600,
    validity_end_time: "2036-01-01T01:00:00.5+01:00",
  },
  key: { algorithm: "ECDSA", ecdsa_curve: "P256", rsa_bits: 2048, private_key_pem: `${SECRET} leaf key` },
  request: {
    cert_request_pem: "request",
    private_key_pem: `${SECRET} leaf key`,
    subject: [{ common_name: "kube-apiserver" }],
    dns_names: ["cp-1", "kubernetes"],
    ip_addresses: ["10.0.0.11"],
  },
  leaf: {
    cert_pem: "leaf",
    ca_cert_pem: "ca g1",
    ca_private_key_pem: `${SECRET} ca key`,
    cert_request_pem: "request",
    allowed_uses: ["server_auth"],
    validity_period_hours: 8760,
    early_renewal_hours: 720,
    validity_end_time: "2027-01-01T00:00:00Z",
  },
};

export const ADDRESS = {
  caKey: "tls_private_key.pki__ca__kubernetes__g1",
  ca: "tls_self_signed_cert.pki__ca__kubernetes__g1",
  key: "tls_private_key.pki__cp-1__apiserver",
  request: "tls_cert_request.pki__cp-1__apiserver",
  leaf: "tls_locally_signed_cert.pki__cp-1__apiserver",
};

type Part = keyof typeof ADDRESS;

/** Each part made by the plan: Terraform leaves out what is still to come. */
export const MADE: Readonly<Record<Part, Change>> = {
  caKey: made(STATE.caKey, "private_key_pem"),
  ca: made(STATE.ca, "cert_pem", "private_key_pem", "validity_end_time"),
  key: made(STATE.key, "private_key_pem"),
  request: made(STATE.request, "cert_request_pem", "private_key_pem"),
  leaf: made(STATE.leaf, "cert_pem", "ca_cert_pem", "ca_private_key_pem", "cert_request_pem", "validity_end_time"),
};

function made(state: object, ...later: readonly string[]): Change {
  const known = Object.entries(state).filter(([name]) => !later.includes(name));
  return { actions: ["create"], before: null, after: Object.fromEntries(known) };
}

/** A leaf that another authority signs, or one that is another one. */
export const SIGNED_AGAIN: Change = {
  actions: REPLACE,
  replace_paths: [["ca_cert_pem"], ["ca_private_key_pem"]],
  after: MADE.leaf.after,
};

export const LINKS: readonly Link[] = [
  [ADDRESS.ca, "private_key_pem", `${ADDRESS.caKey}.private_key_pem`],
  [ADDRESS.request, "private_key_pem", `${ADDRESS.key}.private_key_pem`],
  [ADDRESS.leaf, "cert_request_pem", `${ADDRESS.request}.cert_request_pem`],
  [ADDRESS.leaf, "ca_cert_pem", `${ADDRESS.ca}.cert_pem`],
  [ADDRESS.leaf, "ca_private_key_pem", `${ADDRESS.caKey}.private_key_pem`],
];

/** An authority and a leaf, all of it deployed and with nothing to do but what is given; `null` leaves a part out. */
export function deployed(
  changes: Partial<Record<Part, Change | null>> = {},
  more: object = {},
): Record<string, unknown> {
  const parts = (Object.keys(ADDRESS) as Part[]).filter((part) => changes[part] !== null);
  return plan(
    parts.map((part) => resource(ADDRESS[part], { before: STATE[part], after: STATE[part], ...changes[part] })),
    { configuration: configuration(LINKS), ...more },
  );
}

/** What a cluster publishes: files by holder and path, and the states of generations of its authorities and key pairs. */
export interface PublishedParts {
  readonly files?: object;
  readonly ca?: object;
  readonly keys?: object;
  readonly guards?: object;
}

/** The outputs of the prefix `pki` before and after. */
export function outputChanges(before: PublishedParts, after: PublishedParts): object {
  const texts = ({ files = {}, ca = {}, keys = {}, guards }: PublishedParts) => ({
    files: jsonTexts(files),
    certificates: jsonTexts({ ca, keys, ...(guards ? { guards } : {}) }),
  });
  const [old, now] = [texts(before), texts(after)];
  return {
    output_changes: {
      pki_files: { ...action(old.files, now.files), before: old.files, after: now.files },
      pki_certificates: {
        ...action(old.certificates, now.certificates),
        before: old.certificates,
        after: now.certificates,
      },
    },
  };
}

function action(before: object, after: object): { readonly actions: readonly string[] } {
  return { actions: [JSON.stringify(before) === JSON.stringify(after) ? "no-op" : "update"] };
}

/** One file of a map. */
export function file(...content: unknown[]): object {
  return { mode: "0644", owner: "root:root", content: { concat: content } };
}

export const CERTIFICATE = (address: string) => ({ ref: `${address}.cert_pem` });
export const PRIVATE_KEY = (address: string) => ({ ref: `${address}.private_key_pem` });
