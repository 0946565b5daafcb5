import { own } from "../../terraform-json/json";
import { type PlannedResource, SIDES } from "../../terraform-json/plan";
import { certificatePem, type Identity, isSignedElsewhere, issuerPem } from "./identity";
import type { PlanModel } from "./model";
import { isRotated } from "./verbs";

/** Why something changes. */
export interface Reason {
  /** Stable, e.g. `renewal-due`. */
  readonly code: string;
  /** The same in words. */
  readonly text: string;
}

/** Why an identity changes, each reason once. */
export function reasonsOf(identity: Identity, model: PlanModel): Reason[] {
  const renamed = renamedFrom(identity);
  const reasons = renamed ? [] : identity.parts.flatMap((part) => resourceReasons(part, identity, model));
  const moved = [identity.anchor, ...identity.parts].find(({ previousAddress }) => previousAddress);
  const previous = moved?.previousAddress ?? renamed;
  if (previous !== undefined) {
    reasons.push({ code: "moved", text: `its address was ${previous}` });
  }
  if (identity.kind === "token" && identity.anchor.before && isRotated(identity.parts)) {
    reasons.unshift({ code: "rotation-due", text: "its time to be rotated has come" });
  }
  if (identity.kind !== "token" && model.isBlocked(identity.anchor)) {
    reasons.push(blockedReason(identity, model));
  }
  const order = (reason: Reason) => Object.keys(WORDS).indexOf(reason.code);
  const once = new Map(reasons.map((reason) => [`${reason.code} ${reason.text}`, reason]));
  return [...once.values()].sort((a, b) => order(a) - order(b));
}

/** The address of what a binding was before it got another name. */
function renamedFrom({ kind, anchor, parts }: Identity): string | undefined {
  return kind === "binding" ? parts.find((part) => part !== anchor)?.address : undefined;
}

function blockedReason(identity: Identity, model: PlanModel): Reason {
  const issuer = identity.issuer.after;
  return issuer
    ? { code: "issuer-replaced", text: `its authority ${model.title(issuer)} would be another one` }
    : { code: "dependency-replaced", text: "what it is made of would be another one" };
}

const WORDS: Readonly<Record<string, string>> = {
  "renewal-due": "its renewal window is reached",
  "rotation-due": "",
  "issuer-changed": "",
  "issuer-replaced": "",
  "key-changed": "it gets a new private key",
  "names-changed": "its names change",
  "subject-changed": "its subject changes",
  "usages-changed": "its usages change",
  "validity-changed": "its validity changes",
  "algorithm-changed": "its key algorithm changes",
  tainted: "it is tainted: an earlier apply failed, or somebody tainted it",
  "came-back": "it comes back from who signs it elsewhere",
  "taken-out": "what was signed elsewhere is taken out of the code",
  requested: "the plan was asked to replace it (-replace)",
  triggered: "something that triggers its replacement changes",
  "marks-changed": "only what Terraform takes for sensitive changes",
  gone: "it was deleted outside Terraform",
  "not-in-code": "it is no longer in the code",
  destroyed: "the plan destroys it",
  forgotten: "Terraform lets go of it without deleting it",
};

const PATHS: Readonly<Record<string, string>> = {
  ready_for_renewal: "renewal-due",
  dns_names: "names-changed",
  ip_addresses: "names-changed",
  uris: "names-changed",
  subject: "subject-changed",
  allowed_uses: "usages-changed",
  validity_period_hours: "validity-changed",
  algorithm: "algorithm-changed",
  rsa_bits: "algorithm-changed",
  ecdsa_curve: "algorithm-changed",
  private_key_pem: "key-changed",
};

const REASONS: Readonly<Record<string, string>> = {
  replace_because_tainted: "tainted",
  replace_by_request: "requested",
  replace_by_triggers: "triggered",
};

function resourceReasons(resource: PlannedResource, identity: Identity, model: PlanModel): Reason[] {
  switch (resource.change) {
    case "replace":
      return [
        ...reason(own(REASONS, resource.reason ?? "")),
        ...resource.replacePaths.flatMap((path) => pathReasons(path, identity, model)),
      ];
    case "create":
      return model.isGone(resource) && resource.row.role !== "rotation" ? reason("gone") : [];
    case "delete":
      return resource === identity.key.before && resource !== identity.key.after && identity.anchor.after
        ? [] // The old key of a certificate that has a new one.
        : reason(resource.reason?.startsWith("delete_because") ? "not-in-code" : "destroyed");
    case "forget":
      return reason("forgotten");
    case "update":
      return isSignedElsewhere(resource) ? reasonsElsewhere(resource, identity, model) : updatedReasons(resource);
    default:
      return [];
  }
}

function pathReasons(path: string, identity: Identity, model: PlanModel): Reason[] {
  if (path === "ca_cert_pem" || path === "ca_private_key_pem") {
    return [issuerReason(identity, model)];
  }
  if (path === "cert_request_pem" || identity.kind === "token") {
    return []; // What it is made of tells why.
  }
  const code = own(PATHS, path);
  return code === undefined ? changedAttribute(path) : reason(code);
}

function issuerReason({ issuer: { before, after } }: Identity, model: PlanModel): Reason {
  if (before && after && before !== after) {
    return { code: "issuer-changed", text: `${model.title(after)} signs it instead of ${model.title(before)}` };
  }
  const name = after ?? before;
  return { code: "issuer-replaced", text: `its authority ${name ? `${model.title(name)} ` : ""}becomes another one` };
}

/** What it is made of tells for itself why that changes. */
function reasonsElsewhere(resource: PlannedResource, identity: Identity, model: PlanModel): Reason[] {
  const [before, after] = SIDES.map((side) => certificatePem(resource, side));
  const [old, now] = SIDES.map((side) => issuerPem(resource, side));
  return [
    ...(before === after ? [] : reason(after === undefined ? "taken-out" : "came-back")),
    ...(old === now ? [] : [issuerReason(identity, model)]),
  ];
}

function updatedReasons({ before = {}, after = {}, unknown }: PlannedResource): Reason[] {
  const later = (unknown ?? {}) as Record<string, unknown>;
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const all = [...names, ...Object.keys(later).filter((name) => later[name] === true && !(name in after))];
  return all.length === 0 ? reason("marks-changed") : all.filter((name) => name !== "id").flatMap(changedAttribute);
}

function changedAttribute(name: string): Reason[] {
  return /^[a-z_]{1,60}$/.test(name) ? [{ code: "attribute-changed", text: `${name} changes` }] : [];
}

function reason(code: string | undefined): Reason[] {
  return code === undefined ? [] : [{ code, text: WORDS[code]! }];
}
