import { Facts, roleOf, subjectsOf } from "./facts";
import type { GenerationChange, GenerationSet } from "./generations";
import { certificatePem, exists, Identity, publicKeyPem } from "./identity";
import type { PlannedResource } from "../terraform-json/plan";

/** What happens to a thing, in the words of PKI and RBAC. */
export type Verb =
  /** Made where there was none: a certificate, the first generation of an authority, a token. */
  | "issue"
  /** The same certificate with a later end, or a token whose time has come; a certificate keeps its key. */
  | "renew"
  /** A new private key, or a new token before its time. */
  | "re-key"
  /** The same key, another certificate: other names, usages, validity or issuer. */
  | "re-issue"
  /** Another generation of an authority or key pair that exists; or one that comes back from retirement. */
  | "introduce"
  /** The generation signs from now on. */
  | "promote"
  /** The generation leaves every bundle and file; its key is kept. */
  | "retire"
  /** Gone, with its key. */
  | "remove"
  /** A token that stops working. */
  | "revoke"
  | "grant"
  | "ungrant"
  /** Another Terraform address, nothing else. */
  | "move"
  /** Taken over from what exists. */
  | "import"
  /** Changed in place, with the same key and certificate. */
  | "update";

/** Why something changes. */
export interface Reason {
  /** Stable, e.g. `renewal-due`. */
  readonly code: string;
  readonly text: string;
}

/** What else the classification has to know. */
export interface Context {
  /** True for a resource that a failed plan leaves out although what it depends on changes. */
  readonly isBlocked: (resource: PlannedResource) => boolean;
  /** True for a resource that was deleted outside. */
  readonly isGone: (resource: PlannedResource) => boolean;
  readonly generationOf: (
    identity: Identity,
  ) => { readonly change: GenerationChange; readonly set: GenerationSet } | undefined;
  readonly title: (identity: Identity) => string;
}

/** Verbs of an identity in the order of the report; none where nothing happens to it. */
export function verbsOf(identity: Identity, context: Context): Verb[] {
  const { parts } = identity;
  const verbs = VERBS[identity.kind](identity, context);
  if (parts.some(({ previousAddress }) => previousAddress !== undefined)) {
    verbs.push("move");
  }
  if (parts.some(({ imported }) => imported)) {
    verbs.push("import");
  }
  return [...new Set(verbs)];
}

const VERBS: Readonly<Record<Identity["kind"], (identity: Identity, context: Context) => Verb[]>> = {
  authority: generationVerbs,
  "key pair": generationVerbs,
  certificate: certificateVerbs,
  token: tokenVerbs,
  binding: bindingVerbs,
  secret: secretVerbs,
};

/** True where the private key after the plan is not the one before. */
export function isKeyReplaced({ key, request, anchor }: Identity): boolean {
  const { before, after } = key;
  if (before && after && before !== after) {
    return true;
  }
  const made = after?.change === "replace" || (after?.change === "create" && anchor.before !== undefined);
  return made || (request.after?.change === "replace" && request.after.replacePaths.includes("private_key_pem"));
}

/** True for a certificate that keeps its content although what it is made from changes: Terraform would not make it again. */
export function isStale({ anchor, request }: Identity): boolean {
  const { change, before, after } = anchor;
  if (anchor.type === "terraform_data") {
    return false;
  }
  if (change === "update") {
    const made = anchor.unknown as Record<string, unknown> | undefined;
    return made?.cert_pem !== true && SOURCES.some((name) => made?.[name] === true || before?.[name] !== after?.[name]);
  }
  const renamed = request.after !== anchor && request.after?.change === "replace";
  return change === "none" && anchor.planned && renamed;
}

const SOURCES = ["ca_cert_pem", "ca_private_key_pem", "cert_request_pem", "private_key_pem"];

const SIDES = ["before", "after"] as const;

/** True for an authority whose certificate or key is another one afterwards, at the same address. */
export function isReplacedInPlace(identity: Identity): boolean {
  const { anchor } = identity;
  if (anchor.type === "terraform_data" && anchor.change === "update") {
    const [before, after] = SIDES.map((side) => certificatePem(anchor, side) ?? publicKeyPem(anchor, side));
    return before !== undefined && before !== after;
  }
  return (
    anchor.change === "replace" || (exists(identity, "before") && exists(identity, "after") && isKeyReplaced(identity))
  );
}

function madeAgain(identity: Identity): Verb {
  if (isKeyReplaced(identity)) {
    return "re-key";
  }
  return identity.anchor.replacePaths.join() === "ready_for_renewal" ? "renew" : "re-issue";
}

function certificateVerbs(identity: Identity, { isBlocked }: Context): Verb[] {
  const { anchor, parts } = identity;
  switch (anchor.change) {
    case "create":
      return ["issue"];
    case "delete":
    case "forget":
      return ["remove"];
    case "replace":
      return [madeAgain(identity)];
    default:
      if (isBlocked(anchor)) {
        return [madeAgain(identity)];
      }
      return parts.some(isChanged) ? ["update"] : [];
  }
}

function generationVerbs(identity: Identity, context: Context): Verb[] {
  const { change, set } = context.generationOf(identity)!;
  const others = set.generations.filter((other) => other !== change && other.before !== undefined);
  const verbs: Verb[] = [];
  if (change.before === undefined && change.after !== undefined) {
    verbs.push(others.length > 0 ? "introduce" : "issue");
  } else if (change.after === undefined) {
    verbs.push(...(identity.parts.some(isChanged) ? (["remove"] as const) : []));
  } else if (isReplacedInPlace(identity)) {
    verbs.push(identity.kind === "key pair" ? "re-key" : madeAgain(identity));
  } else if (change.before === "retired" && change.after !== "retired") {
    verbs.push("introduce");
  } else if (context.isBlocked(identity.anchor)) {
    verbs.push(madeAgain(identity));
  } else if (identity.parts.some(isChanged)) {
    verbs.push("update");
  }
  if (isPromoted(change, others)) {
    verbs.push("promote");
  }
  if (change.after === "retired" && change.before !== undefined && change.before !== "retired") {
    verbs.push("retire");
  }
  return verbs;
}

/** True where the generation signs afterwards instead of another one. */
export function isPromoted(change: GenerationChange, others: readonly GenerationChange[]): boolean {
  return change.after === "active" && change.before !== "active" && others.some(({ before }) => before === "active");
}

function tokenVerbs({ anchor, parts }: Identity): Verb[] {
  if (anchor.before === undefined) {
    return anchor.after === undefined ? [] : ["issue"];
  }
  if (anchor.change === "delete" || anchor.change === "forget") {
    return ["revoke"];
  }
  const halves = parts.filter(({ type }) => type.startsWith("random_"));
  if (halves.some(({ change }) => change === "replace" || change === "create")) {
    return [isRotated(parts) ? "renew" : "re-key"];
  }
  return parts.some(isChanged) ? ["update"] : [];
}

/** A rotation whose time has come is gone from the state, and made anew. */
function isRotated(parts: readonly PlannedResource[]): boolean {
  return parts.some(({ type, change }) => type === "time_rotating" && (change === "create" || change === "replace"));
}

function bindingVerbs({ anchor }: Identity): Verb[] {
  if (anchor.change === "none") {
    return [];
  }
  const [before, after] = [grantsOf(anchor, "before"), grantsOf(anchor, "after")];
  const verbs: Verb[] = [
    ...(after.some((grant) => !before.includes(grant)) ? (["grant"] as const) : []),
    ...(before.some((grant) => !after.includes(grant)) ? (["ungrant"] as const) : []),
  ];
  return verbs.length > 0 || anchor.imported ? verbs : ["update"];
}

/** Role and subject, for each subject of a binding. */
export function grantsOf(binding: PlannedResource, side: "before" | "after"): string[] {
  const gone = side === "after" && binding.change === "forget";
  return gone || !binding[side]
    ? []
    : subjectsOf(binding, side).map((subject) => `${roleOf(binding, side)} ${subject}`);
}

function secretVerbs({ anchor }: Identity, { isBlocked }: Context): Verb[] {
  switch (anchor.change) {
    case "create":
      return ["issue"];
    case "delete":
    case "forget":
      return ["remove"];
    case "none":
      return isBlocked(anchor) ? ["update"] : [];
    default:
      return ["update"];
  }
}

/** True where Terraform does something with the resource. */
export function isChanged({ change }: PlannedResource): boolean {
  return change !== "none" && change !== "read";
}

/** Why an identity changes, each reason once. */
export function reasonsOf(identity: Identity, context: Context): Reason[] {
  const reasons = identity.parts.flatMap((part) => resourceReasons(part, identity, context));
  const moved = [identity.anchor, ...identity.parts].find(({ previousAddress }) => previousAddress);
  const previous = moved?.previousAddress;
  if (previous !== undefined) {
    reasons.push({ code: "moved", text: `its address was ${previous}` });
  }
  if (identity.kind === "token" && identity.anchor.before && isRotated(identity.parts)) {
    reasons.unshift({ code: "rotation-due", text: "its time to be rotated has come" });
  }
  if (identity.kind !== "token" && context.isBlocked(identity.anchor)) {
    reasons.push(blockedReason(identity, context));
  }
  const order = (reason: Reason) => Object.keys(WORDS).indexOf(reason.code);
  const once = new Map(reasons.map((reason) => [`${reason.code} ${reason.text}`, reason]));
  return [...once.values()].sort((a, b) => order(a) - order(b));
}

function blockedReason(identity: Identity, { title }: Context): Reason {
  const issuer = identity.issuer.after;
  return issuer
    ? { code: "issuer-replaced", text: `its authority ${title(issuer)} would be another one` }
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

function resourceReasons(resource: PlannedResource, identity: Identity, context: Context): Reason[] {
  switch (resource.change) {
    case "replace":
      return [
        ...reason(REASONS[resource.reason ?? ""]),
        ...resource.replacePaths.flatMap((path) => pathReasons(path, identity, context)),
      ];
    case "create":
      return context.isGone(resource) && resource.type !== "time_rotating" ? reason("gone") : [];
    case "delete":
      return resource === identity.key.before && resource !== identity.key.after && identity.anchor.after
        ? [] // The old key of a certificate that has a new one.
        : reason(resource.reason?.startsWith("delete_because") ? "not-in-code" : "destroyed");
    case "forget":
      return reason("forgotten");
    case "update":
      return updatedReasons(resource);
    default:
      return [];
  }
}

function pathReasons(path: string, identity: Identity, context: Context): Reason[] {
  if (path === "ca_cert_pem" || path === "ca_private_key_pem") {
    return [issuerReason(identity, context)];
  }
  if (path === "cert_request_pem" || identity.kind === "token") {
    return []; // What it is made of tells why.
  }
  return PATHS[path] ? reason(PATHS[path]) : changedAttribute(path);
}

function issuerReason({ issuer: { before, after } }: Identity, { title }: Context): Reason {
  if (before && after && before !== after) {
    return { code: "issuer-changed", text: `${title(after)} signs it instead of ${title(before)}` };
  }
  const name = after ?? before;
  return { code: "issuer-replaced", text: `its authority ${name ? `${title(name)} ` : ""}becomes another one` };
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

/** What is different, as far as it may be shown. */
export interface Difference {
  readonly what: keyof Facts;
  readonly before?: string;
  readonly after?: string;
  /** Of lists. */
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
}

/** Differences between both sides of a thing that is on both. */
export function differences(before: Facts | undefined, after: Facts | undefined): Difference[] {
  if (!before || !after) {
    return [];
  }
  const names = Object.keys({ ...before, ...after }) as (keyof Facts)[];
  return names.flatMap((what) => difference(what, before[what], after[what]) ?? []);
}

function difference(what: keyof Facts, before: Facts[keyof Facts], after: Facts[keyof Facts]): Difference | undefined {
  if (typeof before === "object" || typeof after === "object") {
    const [old, now] = [(before ?? []) as readonly string[], (after ?? []) as readonly string[]];
    const added = now.filter((value) => !old.includes(value));
    const removed = old.filter((value) => !now.includes(value));
    return added.length + removed.length > 0 ? { what, added, removed } : undefined;
  }
  return before === after
    ? undefined
    : {
        what,
        ...(before === undefined ? {} : { before: String(before) }),
        ...(after === undefined ? {} : { after: String(after) }),
      };
}
