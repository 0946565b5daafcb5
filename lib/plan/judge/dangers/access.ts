import type { Side } from "../../../terraform-json/plan";
import { commonNamesOf, factsOf, organizationsOf } from "../../model/facts";
import { Grant, grantsOf } from "../../model/grants";
import { exists, Identity } from "../../model/identity";
import { isChanged, PlanModel } from "../../model/model";
import { AGGREGATED, isAggregated, Rule, rulesOf } from "../../model/rules";
import { holdsPlaceholder, visible } from "../../read/visible";
import type { DangerCode } from "../danger";
import { Evidence, Judged, ofIdentities, Row } from "./row";

/** Dangers of who somebody is, and of what they may do. */
export const ACCESS_DANGERS = {
  "system-masters": ofIdentities({
    help: "A certificate is in system:masters, which no authorizer limits and nothing revokes.",
    when: joinsMasters,
    message: "The certificate is in system:masters: no authorizer limits it, and nothing revokes it before its end.",
    fix: "use a group of its own and bind that; keep system:masters to a break-glass identity",
  }),
  "system-identity": ofIdentities({
    help: "A certificate names a user or a group of the system, or of the distribution, that its table does not give it.",
    when: (identity, evidence) => systemNames(identity, evidence).length > 0,
    message: (identity, evidence) =>
      `Whoever has the certificate is ${systemNames(identity, evidence).join(" and ")}, with all that these may do, and no table says so.`,
    fix: "use a user and a group of its own, and bind what it needs",
  }),
  "cluster-admin": ofIdentities({
    help: "Somebody becomes cluster-admin, everywhere or in a namespace.",
    when: (identity, evidence) => newAdmins(identity, evidence).length > 0,
    message: (identity, evidence) => `Becomes cluster-admin: ${newAdmins(identity, evidence).join(", ")}.`,
    fix: "make sure that these are meant to do everything, or bind a smaller role",
  }),
  "powerful-role": ofIdentities({
    help: "A role gains what leads to everything: *, secrets, nodes/proxy, or escalate, bind, impersonate, approve, sign.",
    when: (identity, { model }) => powersGained(identity, model).length > 0,
    message: (identity, { model }) =>
      `Who has the role can get every right with what it gains: ${few(powersGained(identity, model))}.`,
    fix: "name verbs, resources and objects that are needed, and no more",
  }),
  "open-binding": ofIdentities({
    help: "A role is given to everybody: to who is not authenticated, to all who are, or to all service accounts.",
    when: (identity, evidence) => openGrants(identity, evidence).length > 0,
    message: (identity, evidence) => `Everybody gets a role: ${openGrants(identity, evidence).join(", ")}.`,
    fix: "bind a group or a service account of its own",
  }),
  "csr-approver": ofIdentities({
    help: "Who is no node and no bootstrapper may approve or sign requests for certificates.",
    when: (identity, evidence) => newApprovers(identity, evidence).length > 0,
    message: (identity, evidence) =>
      `May make itself certificates of the cluster: ${newApprovers(identity, evidence).join(", ")}.`,
    fix: "bind these roles to system:nodes and to bootstrappers alone",
  }),
} satisfies Partial<Record<DangerCode, Row>>;

/** What several rules of access need, looked up once. */
export function accessEvidence({ model }: Judged): Omit<Evidence, keyof Judged> {
  return {
    grantedBefore: grantedBefore(model),
    approverRoles: approverRoles(model),
    tableNames: tableNames(model),
  };
}

const MASTERS = "system:masters";

/** Becomes a member: not one that is renewed, and not one whose distribution needs it and says why. */
function joinsMasters(identity: Identity): boolean {
  const isMember = (side: "before" | "after") => organizationsOf(identity, side).includes(MASTERS);
  return (
    identity.kind === "certificate" &&
    isChanged(identity.anchor) &&
    !identity.entry?.exceptions?.some(({ code }) => code === "system-masters") &&
    isMember("after") &&
    !isMember("before")
  );
}

/** Names that mean something to Kubernetes or to kubeadm, whoever made the cluster. */
const SYSTEM_NAME = /^(system:.*|kubeadm:cluster-admins)$/;

/** Users and groups that a certificate names from now on, that have rights, and that no table gives it. */
function systemNames(identity: Identity, { model, tableNames }: Evidence): string[] {
  if (identity.kind !== "certificate" || !exists(identity, "after")) {
    return [];
  }
  const risky = namesOf(identity, "after").filter(
    // What is in system:masters is a danger of its own.
    (name) => name !== MASTERS && (SYSTEM_NAME.test(name) || tableNames.has(name)),
  );
  if (risky.length === 0 || isOfTable(identity, model)) {
    return [];
  }
  const before = namesOf(identity, "before");
  return [...new Set(risky)].filter((name) => !before.includes(name));
}

/** CN and O: the user and the groups of who shows a certificate. */
function namesOf(identity: Identity, side: Side): string[] {
  return [...commonNamesOf(identity, side), ...organizationsOf(identity, side)];
}

/** The plan has exactly what the table says, by an inventory that says the same. */
function isOfTable(identity: Identity, model: PlanModel): boolean {
  const { entry } = identity;
  return (
    entry?.kind === "certificate" &&
    entry.asInTable === true &&
    entry.subject === factsOf(identity, "after", model)?.subject
  );
}

/** Who has rights by a distribution's table: groups, and users of clients that are not called as their machines. */
function tableNames({ entries }: PlanModel): Set<string> {
  const names = new Set<string>();
  for (const entry of entries.inventories.flatMap((inventory) => inventory.entries)) {
    if (entry.kind === "certificate" && entry.asInTable && entry.usage.includes("client")) {
      const [, user, , group] = /^CN=(.*?)(, O=(.*?))?(, (OU|C|ST|L)=.*)?$/.exec(entry.subject) ?? [];
      [...(user === entry.holder ? [] : [user]), group].forEach((name) => name !== undefined && names.add(name));
    }
  }
  return names;
}

/** Keys of all grants before. Of several API servers, nobody can tell which has which. */
function grantedBefore({ plan, identities }: PlanModel): Set<string> {
  const bindings = plan.hasSeveralServers ? [] : identities.filter(({ kind }) => kind === "binding");
  const grants = bindings.flatMap(({ parts }) => parts.flatMap((part) => grantsOf(part, "before")));
  return new Set(grants.map(({ key }) => key).filter((key) => !holdsPlaceholder(key)));
}

/** What a binding gives that nobody had. */
function newGrants({ kind, anchor }: Identity, { grantedBefore: known }: Evidence): Grant[] {
  if (kind !== "binding" || !isChanged(anchor)) {
    return [];
  }
  const before = new Set(grantsOf(anchor, "before").map(({ key }) => key));
  return grantsOf(anchor, "after").filter(({ key }) => !known.has(key) && !before.has(key));
}

/** True where the distribution's table gives the role to the subject. */
function isInTable({ role, subject }: Grant, { entry }: Identity): boolean {
  return entry?.kind === "binding" && entry.role === role && (entry.asInTable ?? []).includes(subject);
}

function granted(grants: readonly Grant[]): string[] {
  return grants.map(({ role, subject }) => `${role} to ${subject}`);
}

const CLUSTER_ADMIN = "ClusterRole/cluster-admin";

function newAdmins(identity: Identity, evidence: Evidence): string[] {
  const place = visible(identity.anchor, "after", "metadata.namespace");
  return newGrants(identity, evidence)
    .filter((grant) => grant.role === CLUSTER_ADMIN && !isInTable(grant, identity))
    .map(({ subject }) => (place === undefined ? subject : `${subject} in the namespace ${place}`));
}

/** Everybody, by the names that Kubernetes has for them. */
const EVERYBODY = /^\w+\/(system:unauthenticated|system:anonymous|system:authenticated|system:serviceaccounts)$/;

function openGrants(identity: Identity, evidence: Evidence): string[] {
  return granted(newGrants(identity, evidence).filter(({ subject }) => EVERYBODY.test(subject)));
}

/** Roles of Kubernetes by which requests for certificates are approved and signed. */
const APPROVER = /^ClusterRole\/system:(certificates\.k8s\.io:.*|controller:certificate-controller)$/;
/** Those of them by which a node's own are. */
const OF_NODES = /:certificatesigningrequests:(nodeclient|selfnodeclient|selfnodeserver)$/;
const NODES = /^(Group\/system:(nodes|bootstrappers(:.*)?)|User\/system:node:.+)$/;

function newApprovers(identity: Identity, evidence: Evidence): string[] {
  const grants = newGrants(identity, evidence).filter(
    (grant) =>
      (APPROVER.test(grant.role) || evidence.approverRoles.has(grant.role)) &&
      !(OF_NODES.test(grant.role) && NODES.test(grant.subject)) &&
      !isInTable(grant, identity),
  );
  return granted(grants);
}

const APPROVING: ReadonlySet<string> = new Set(["approve", "sign"]);
const REQUESTS = /^certificatesigningrequests\/(approval|status)$/;

function approverRoles({ identities }: PlanModel): Set<string> {
  const roles = identities.filter(({ kind, anchor }) => kind === "role" && rulesOf(anchor, "after").some(isApproving));
  return new Set(
    roles.map(({ anchor }) => {
      const isNamespaced = visible(anchor, "after", "metadata.namespace") !== undefined;
      return `${isNamespaced ? "Role" : "ClusterRole"}/${visible(anchor, "after", "metadata.name")}`;
    }),
  );
}

function isApproving({ verbs, resources }: Rule): boolean {
  return verbs.some((verb) => APPROVING.has(verb)) || resources.some((resource) => REQUESTS.test(resource));
}

/** Verbs with which whoever has them gets any right. */
const POWERFUL_VERBS: ReadonlySet<string> = new Set(["*", "escalate", "bind", "impersonate", "approve", "sign"]);
/** Beyond this many combinations, a rule is taken as a whole. */
const MOST_COMBINATIONS = 5000;

/** What a role may do from now on that leads to everything, in words. */
function powersGained(identity: Identity, model: PlanModel): string[] {
  const { kind, anchor } = identity;
  if (kind !== "role" || !isChanged(anchor)) {
    return [];
  }
  const before = [...rulesOf(anchor, "before"), ...rulesOfRemoved(identity, model)];
  const powers = rulesOf(anchor, "after").flatMap(powersIn);
  const gained = powers.filter((power) => !before.some((rule) => covers(rule, power))).map(powerText);
  const aggregates = isAggregated(anchor, "after") && !isAggregated(anchor, "before");
  return [...new Set([...gained, ...(aggregates ? [AGGREGATED] : [])])].sort();
}

/** A role that has another name is removed and made anew: its rules are no more than before. */
function rulesOfRemoved({ anchor }: Identity, { plan, identities }: PlanModel): Rule[] {
  const place = visible(anchor, "after", "metadata.namespace");
  const removed = identities.filter(
    (other) =>
      other.kind === "role" &&
      other.anchor.change === "delete" &&
      visible(other.anchor, "before", "metadata.namespace") === place,
  );
  return plan.hasSeveralServers || anchor.before !== undefined
    ? []
    : removed.flatMap((other) => rulesOf(other.anchor, "before"));
}

/** One verb on one resource, or on one path. */
interface Power {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly names: readonly string[];
}

function powersIn({ verbs, groups, resources, names, urls }: Rule): Power[] {
  const paths = verbs.flatMap((verb) =>
    urls
      .filter((url) => url === "*" || url === "/*")
      .map((resource): Power => ({ verb, group: "", resource, names: [] })),
  );
  if (verbs.length * groups.length * resources.length > MOST_COMBINATIONS) {
    return [...paths, { verb: "*", group: "*", resource: "(very many resources)", names }];
  }
  const powers = verbs.flatMap((verb) =>
    groups.flatMap((group) => resources.map((resource): Power => ({ verb, group, resource, names }))),
  );
  return [...paths, ...powers.filter(isPowerful)];
}

function isPowerful({ verb, group, resource }: Power): boolean {
  const isCore = group === "" || group === "*";
  return (
    POWERFUL_VERBS.has(verb) ||
    group === "*" ||
    resource.includes("*") ||
    (isCore && (resource === "secrets" || resource === "nodes/proxy"))
  );
}

function covers({ verbs, groups, resources, names, urls }: Rule, power: Power): boolean {
  const has = (list: readonly string[], word: string) => list.includes(word) || list.includes("*");
  if (!has(verbs, power.verb)) {
    return false;
  }
  const isNamed = names.length === 0 || (power.names.length > 0 && power.names.every((name) => names.includes(name)));
  return (has(groups, power.group) && has(resources, power.resource) && isNamed) || urls.includes(power.resource);
}

function powerText({ verb, group, resource, names }: Power): string {
  const only = names.length > 0 ? ` named ${names.join(",")}` : "";
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${only}`;
}

/** The first of many. */
function few(words: readonly string[]): string {
  return words.length > 8 ? `${words.slice(0, 8).join(", ")} and ${words.length - 8} more` : words.join(", ");
}
