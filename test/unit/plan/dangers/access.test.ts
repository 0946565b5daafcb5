import { ACCESS_DANGERS } from "../../../../lib/plan/judge/dangers/access";
import { planReport } from "../../../../lib/plan/judge/report";
import { PlanModel } from "../../../../lib/plan/model/model";
import { undecidedOf } from "../../../../lib/plan/model/undecided";
import { readPlan } from "../../../../lib/terraform-json/plan";
import { ADDRESS, Change, deployed, plan, REPLACE, resource, STATE, MADE, SIGNED_AGAIN } from "../plans";
import { requestOf } from "../../../support/requests";
import { codes, found, inventoryOf, seen } from "./found";

// Members of system:masters stand in dangers.test.ts.
afterAll(() => expect([...seen, "system-masters"]).toEqual(expect.arrayContaining(Object.keys(ACCESS_DANGERS))));

const CREATE: Change = { actions: ["create"], before: null };
const GONE: Change = { actions: ["delete"], after: null };

describe("a certificate's user and group", () => {
  const named = (subject: object): Change => ({
    ...MADE.request,
    after: { ...MADE.request.after, subject: [subject] },
  });
  const issued = (subject: object) => deployed({ request: named(subject), leaf: MADE.leaf });
  const proxy = { common_name: "system:kube-proxy", organization: "system:node-proxier" };

  test.each([
    { common_name: "system:kube-controller-manager" },
    { common_name: "x", organization: "system:nodes" },
    { common_name: "x", organization: "kubeadm:cluster-admins" },
    proxy,
  ])("of the system are a danger: %j", (subject) => {
    expect(codes(issued(subject))).toEqual([["system-identity", "cp-1/apiserver"]]);
  });

  test("that become those of the system are one", () => {
    const request: Change = { ...named({ common_name: "system:node:cp-9" }), actions: REPLACE, before: STATE.request };
    expect(codes(deployed({ request, leaf: SIGNED_AGAIN }))).toEqual([["system-identity", "cp-1/apiserver"]]);
  });

  test("that stay are none, and neither are a user's own", () => {
    const same = { ...STATE.request, subject: [proxy] };
    const renewed: Change = { actions: REPLACE, replace_paths: [["ready_for_renewal"]] };
    expect(codes(deployed({ request: { before: same, after: same }, leaf: renewed }))).toEqual([]);
    expect(codes(issued({ common_name: "jane", organization: "developers" }))).toEqual([]);
  });

  test("that a request from elsewhere asks for are found in it, before anything is issued", () => {
    const asking = (subject: string) => {
      const after = { ...MADE.leaf.after, cert_request_pem: requestOf({ subject }).csr };
      return codes(plan([resource(ADDRESS.leaf, { ...CREATE, after })])).map(([code]) => code);
    };
    expect(asking("/O=developers/O=system:masters/CN=jane")).toEqual(["system-masters"]);
    expect(asking("/O=developers/CN=system:admin")).toEqual(["system-identity"]);
    expect(asking("/O=developers/O=on-call/CN=jane")).toEqual([]);
  });

  const entry = { kind: "certificate", name: "kube-proxy", addresses: [ADDRESS.leaf], usage: "server" };

  test("that the distribution's table gives it are none, and only exactly these", () => {
    const subject = "CN=system:kube-proxy, O=system:node-proxier";
    expect(codes(issued(proxy), inventoryOf({ ...entry, subject, asInTable: true }))).toEqual([]);
    expect(codes(issued(proxy), inventoryOf({ ...entry, subject })).map(([code]) => code)).toEqual(["system-identity"]);
    const other = { ...proxy, organization: "system:kube-scheduler" };
    expect(() => codes(issued(other), inventoryOf({ ...entry, subject, asInTable: true }))).toThrow("has the subject");
  });

  test("that the table gives somebody else are a danger, whatever they are called", () => {
    const admin = {
      ...entry,
      name: "admin",
      addresses: [],
      usage: "client",
      subject: "CN=admin, O=cluster-admins",
      asInTable: true,
    };
    const options = inventoryOf(admin);
    expect(codes(issued({ common_name: "x", organization: "cluster-admins" }), options)).toHaveLength(1);
    expect(codes(issued({ common_name: "admin" }), options)).toHaveLength(1);
    expect(codes(issued({ common_name: "x", organization: "cluster-admins" }))).toEqual([]);
  });
});

interface Bound {
  readonly role?: string;
  readonly kind?: string;
  readonly namespace?: string;
}

const subjectOf = (text: string) => {
  const [kind, ...name] = text.split("/");
  return { kind, name: name.at(-1), ...(name.length > 1 ? { namespace: name[0] } : {}) };
};
const bindingOf = ({ role = "cluster-admin", kind = "ClusterRole", namespace }: Bound, ...subjects: string[]) => ({
  metadata: [{ name: "x", ...(namespace === undefined ? {} : { namespace }) }],
  role_ref: [{ kind, name: role }],
  subject: subjects.map(subjectOf),
});
const BINDING = "kubernetes_cluster_role_binding_v1.x";
const given = (bound: Bound, ...subjects: string[]) =>
  plan([resource(BINDING, { ...CREATE, after: bindingOf(bound, ...subjects) })]);

describe("a binding", () => {
  test("of everybody is a danger, whatever the role", () => {
    for (const subject of [
      "Group/system:unauthenticated",
      "User/system:anonymous",
      "Group/system:authenticated",
      "Group/system:serviceaccounts",
    ]) {
      expect(codes(given({ role: "view" }, subject, "User/jane"))).toEqual([["open-binding", "x"]]);
    }
    expect(codes(given({ role: "view" }, "Group/system:serviceaccounts:dev"))).toEqual([]);
  });

  test("in a namespace to cluster-admin is one, too", () => {
    const [danger] = found(given({ namespace: "dev" }, "User/jane"));
    expect(danger).toMatchObject({
      code: "cluster-admin",
      message: "Becomes cluster-admin: User/jane in the namespace dev.",
    });
    expect(codes(given({ kind: "Role", namespace: "dev" }, "User/jane"))).toEqual([]);
  });

  const SIGNERS = "system:certificates.k8s.io";

  test.each([
    [`${SIGNERS}:certificatesigningrequests:nodeclient`, "User/jane", 1],
    [`${SIGNERS}:certificatesigningrequests:nodeclient`, "Group/system:bootstrappers:kubeadm:default-node-token", 0],
    [`${SIGNERS}:certificatesigningrequests:selfnodeclient`, "Group/system:nodes", 0],
    [`${SIGNERS}:kube-apiserver-client-approver`, "Group/system:nodes", 1],
    [`${SIGNERS}:kubelet-serving-approver`, "ServiceAccount/kube-system/approver", 1],
    ["system:controller:certificate-controller", "User/jane", 1],
    ["system:node-bootstrapper", "Group/system:bootstrappers", 0],
  ])("of %s to %s: %p", (role, subject, count) => {
    expect(codes(given({ role }, subject))).toEqual(Array(count).fill(["csr-approver", "x"]));
  });

  test("to a role of the plan that approves is one", () => {
    const document = given({ role: "approver" }, "User/jane");
    const rule = [{ api_groups: ["certificates.k8s.io"], resources: ["signers"], verbs: ["approve"] }];
    const role = { metadata: [{ name: "approver" }], rule };
    (document.resource_changes as object[]).push(
      resource("kubernetes_cluster_role.approver", { before: role, after: role }),
    );
    expect(codes(document)).toEqual([["csr-approver", "x"]]);
  });

  test("of the distribution is expected, and of nobody beside its own", () => {
    const entry = { kind: "binding", name: "admins", addresses: [BINDING], role: "ClusterRole/cluster-admin" };
    const inventory = (...subjects: string[]) => inventoryOf({ ...entry, subjects, asInTable: ["Group/admins"] });
    expect(codes(given({}, "Group/admins"), inventory("Group/admins"))).toEqual([]);
    const both = ["Group/admins", "User/jane"];
    expect(found(given({}, ...both), inventory(...both))[0]!.message).toBe("Becomes cluster-admin: User/jane.");
  });
});

describe("a binding with another name", () => {
  const other = "kubernetes_cluster_role_binding_v1.other";
  const renamed = (after: object, more: object = {}, before: object = bindingOf({}, "User/jane", "Group/admins")) =>
    plan([resource(BINDING, { ...GONE, before }), resource(other, { ...CREATE, after })], more);

  test("and the same grant is moved: nobody can do more than before", () => {
    const document = renamed(bindingOf({}, "Group/admins", "User/jane"));
    expect(codes(document)).toEqual([]);
    expect(planReport(readPlan(document)).changes).toMatchObject([
      {
        name: "other",
        verbs: ["move"],
        reasons: [{ code: "moved", text: `its address was ${BINDING}` }],
        addresses: [other, BINDING].sort(),
      },
    ]);
  });

  test("and more in it is no move, and a danger for who is new", () => {
    const document = renamed(bindingOf({}, "Group/admins", "User/jane", "User/joe"));
    expect(found(document)[0]!.message).toBe("Becomes cluster-admin: User/joe.");
    expect(planReport(readPlan(document)).changes.map(({ verbs }) => verbs)).toEqual([["grant"], ["ungrant"]]);
  });

  test("in another place is no move", () => {
    const inNamespace = bindingOf({ namespace: "dev" }, "User/jane", "Group/admins");
    expect(codes(renamed(bindingOf({}, "User/jane", "Group/admins"), {}, inNamespace))).toEqual([
      ["cluster-admin", "other"],
    ]);
  });

  test("where there are several API servers is no move: it may be in another one", () => {
    const same = bindingOf({}, "User/jane", "Group/admins");
    const provider_config = {
      kubernetes: { name: "kubernetes" },
      "kubernetes.b": { name: "kubernetes", alias: "b" },
    };
    expect(codes(renamed(same, { configuration: { provider_config } }))).toEqual([["cluster-admin", "other"]]);
  });

  test("of which a subject cannot be read is no move", () => {
    const hidden = bindingOf({}, "User/jane");
    const sensitive = { subject: [{ name: true }] };
    const document = plan([
      resource(BINDING, { ...GONE, before: hidden, before_sensitive: sensitive }),
      resource(other, { ...CREATE, after: hidden, after_sensitive: sensitive }),
    ]);
    expect(codes(document)).toEqual([["cluster-admin", "other"]]);
  });
});

describe("a role", () => {
  const ROLE = "kubernetes_cluster_role_v1.x";
  const ruleOf = (verbs: string[], resources: string[], api_groups = [""], more: object = {}) => ({
    verbs,
    resources,
    api_groups,
    resource_names: null,
    non_resource_urls: null,
    ...more,
  });
  const roleOf = (...rule: object[]) => ({ metadata: [{ name: "x" }], rule });
  const made = (...rules: object[]) => plan([resource(ROLE, { ...CREATE, after: roleOf(...rules) })]);
  const changed = (before: object, after: object) => plan([resource(ROLE, { actions: ["update"], before, after })]);

  test.each([
    ruleOf(["*"], ["pods"]),
    ruleOf(["get"], ["*"]),
    ruleOf(["get"], ["pods"], ["*"]),
    ruleOf(["get"], ["secrets"]),
    ruleOf(["list"], ["secrets"], [""], { resource_names: ["one"] }),
    ruleOf(["get"], ["nodes/proxy"]),
    ruleOf(["escalate"], ["clusterroles"], ["rbac.authorization.k8s.io"]),
    ruleOf(["bind"], ["clusterroles"], ["rbac.authorization.k8s.io"]),
    ruleOf(["impersonate"], ["users"]),
    ruleOf(["approve"], ["signers"], ["certificates.k8s.io"]),
    { verbs: ["get"], non_resource_urls: ["*"] },
  ])("that gains %j is a danger", (rule) => {
    expect(codes(made(ruleOf(["get", "list"], ["pods"]), rule))).toEqual([["powerful-role", "x"]]);
    expect(codes(changed(roleOf(ruleOf(["get"], ["pods"])), roleOf(ruleOf(["get"], ["pods"]), rule)))).toHaveLength(1);
  });

  test("with plain rules is none", () => {
    const rules = [
      ruleOf(["get", "list"], ["pods", "configmaps"]),
      ruleOf(["create"], ["secrets"], ["apps.example.com"]),
    ];
    expect(codes(made(...rules, { verbs: ["get"], non_resource_urls: ["/healthz"] }))).toEqual([]);
  });

  test("that could do it before is none, however it is written", () => {
    const split = roleOf(ruleOf(["get"], ["secrets"]), ruleOf(["list"], ["secrets"]));
    expect(codes(changed(split, roleOf(ruleOf(["get", "list"], ["secrets"]))))).toEqual([]);
    expect(codes(changed(roleOf(ruleOf(["*"], ["*"], ["*"])), split))).toEqual([]);
    expect(codes(changed(split, roleOf(ruleOf(["get", "list", "watch"], ["secrets"]))))).toHaveLength(1);
    const one = roleOf(ruleOf(["get"], ["secrets"], [""], { resource_names: ["one"] }));
    expect(codes(changed(one, roleOf(ruleOf(["get"], ["secrets"]))))).toHaveLength(1);
    expect(codes(changed(roleOf(ruleOf(["get"], ["secrets"])), one))).toEqual([]);
  });

  test("that takes the rules of others is one", () => {
    const after = { ...roleOf(), aggregation_rule: [{ cluster_role_selectors: [{ match_labels: { a: "b" } }] }] };
    expect(codes(changed(roleOf(), after))).toEqual([["powerful-role", "x"]]);
  });

  test("with another name and the same rules is none", () => {
    const secrets = roleOf(ruleOf(["get"], ["secrets"]));
    const other = "kubernetes_cluster_role_v1.other";
    const document = plan([
      resource(ROLE, { ...GONE, before: secrets }),
      resource(other, { ...CREATE, after: secrets }),
    ]);
    expect(codes(document)).toEqual([]);
  });

  test("is told in rules, with what it grants and no more", () => {
    const after = roleOf(
      ruleOf(["list", "get"], ["pods"]),
      ruleOf(["get"], ["deployments"], ["apps"], { resource_names: ["a"] }),
    );
    const [change] = planReport(readPlan(changed(roleOf(ruleOf(["get", "list"], ["pods"])), after))).changes;
    expect(change).toMatchObject({
      kind: "role",
      verbs: ["grant"],
      before: { rules: ["get,list pods"] },
      after: { rules: ["get deployments.apps named a", "get,list pods"] },
      differences: [{ what: "rules", added: ["get deployments.apps named a"], removed: [] }],
    });
    const gone = planReport(readPlan(plan([resource(ROLE, { ...GONE, before: after })]))).changes;
    expect(gone.map(({ verbs }) => verbs)).toEqual([["ungrant"]]);
  });

  test("of very many combinations is one: nobody reads them", () => {
    const many = (word: string) => Array.from({ length: 30 }, (_, index) => `${word}${index}`);
    expect(codes(made(ruleOf(many("verb"), many("resource"), many("group"))))).toEqual([["powerful-role", "x"]]);
  });

  test("whose rules cannot be read is not taken for a plain one", () => {
    const undecided = (change: Change) =>
      new PlanModel(readPlan(plan([resource(ROLE, change)])), []).identities.flatMap(undecidedOf);
    const after = roleOf(ruleOf(["get"], ["pods"]));
    expect(undecided({ ...CREATE, after, after_unknown: { rule: [{ verbs: [true] }] } })).toEqual(["rules"]);
    expect(undecided({ ...CREATE, after: { ...after, rule: undefined }, after_unknown: { rule: true } })).toEqual([
      "rules",
    ]);
    expect(undecided({ ...CREATE, after, after_sensitive: { rule: true } })).toEqual(["rules"]);
    expect(undecided({ ...CREATE, after })).toEqual([]);
  });
});

describe("a manifest", () => {
  const MANIFEST = "kubernetes_manifest.x";
  const manifest = (kind: string, more: object) => ({
    manifest: { apiVersion: "rbac.authorization.k8s.io/v1", kind, metadata: { name: "x" }, ...more },
    object: null,
  });
  const admin = manifest("ClusterRoleBinding", {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", namespace: "dev", name: "builder" }],
  });

  test("of a binding is one", () => {
    const document = plan([resource(MANIFEST, { ...CREATE, after: admin })]);
    expect(found(document)[0]).toMatchObject({
      code: "cluster-admin",
      message: "Becomes cluster-admin: ServiceAccount/dev/builder.",
    });
    expect(planReport(readPlan(document)).changes).toMatchObject([{ kind: "binding", name: "x", verbs: ["grant"] }]);
    const state = {
      resources: [{ address: MANIFEST, mode: "managed", type: "kubernetes_manifest", name: "x", values: admin }],
    };
    const failed = plan([], { errored: true, prior_state: { values: { root_module: state } } });
    expect(readPlan(failed).resources[0]).toMatchObject({ row: { role: "binding" } });
  });

  test("of a role is one", () => {
    const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }];
    const document = plan([resource(MANIFEST, { ...CREATE, after: manifest("Role", { rules }) })]);
    expect(codes(document)).toEqual([["powerful-role", "x"]]);
  });

  test("is hidden where Terraform hides it", () => {
    const sensitive = { ...CREATE, after: admin, after_sensitive: { manifest: { subjects: true } } };
    const [change] = planReport(readPlan(plan([resource(MANIFEST, sensitive)]))).changes;
    expect(JSON.stringify(change)).not.toContain("builder");
  });

  test("of anything else is another change", () => {
    const report = planReport(readPlan(plan([resource(MANIFEST, { ...CREATE, after: manifest("ConfigMap", {}) })])));
    expect(report).toMatchObject({ changes: [], dangers: [] });
    expect(JSON.stringify(report.otherChanges)).toContain("1");
  });
});
