import type { Edit } from "./hand-pki-edits";
import { block, hcl, hclList, hiddenIn, known, LATER, secretly, text, Value } from "./hcl";
import type { Random } from "./random";
import type { Rule, Thing, World } from "./world";

// Roles, bindings and tokens as people write them by hand.

interface Subject {
  readonly kind: "User" | "Group" | "ServiceAccount";
  readonly name: Value;
  readonly namespace?: string;
}

interface HandBinding {
  /** Its name in the code, and the end of that of the object. */
  readonly label: string;
  readonly namespace?: string;
  readonly roleKind: "ClusterRole" | "Role";
  readonly role: Value;
  readonly subjects: readonly Subject[];
}

interface HandRole {
  readonly namespace?: string;
  readonly rules: readonly { readonly [field in keyof Rule]: readonly Value[] }[];
}

/** All that is edited of one copy. */
export interface Access {
  readonly tag: string;
  readonly bindings: Readonly<Record<string, HandBinding>>;
  readonly roles: Readonly<Record<string, HandRole>>;
  readonly token?: { readonly groups: readonly Value[]; readonly ends?: string; readonly description: string };
  /** Namespaces with a Secret that holds the key. */
  readonly keyIn: readonly string[];
  readonly note: string;
  readonly more: readonly string[];
  readonly moved?: readonly string[];
}

/** A way to write bindings. */
export interface AccessStyle {
  readonly name: string;
  readonly isModule: boolean;
  /** The key of an instance; missing where each has a resource of its own. */
  readonly instance?: (label: string, index: number) => string;
}

/** Ways that are seen in public code. */
export const ACCESS_STYLES: readonly AccessStyle[] = [
  { name: "bound", isModule: true },
  { name: "rooted", isModule: false },
  { name: "boundeach", isModule: true, instance: (label) => text(label) },
];

/** Roles and bindings to begin with. */
export function firstAccess(tag: string): Access {
  const group = (name: string): Subject => ({ kind: "Group", name });
  return {
    tag,
    bindings: {
      viewers: { label: "viewers", roleKind: "ClusterRole", role: "view", subjects: [group(`${tag}-viewers`)] },
      ops: {
        label: "ops",
        roleKind: "ClusterRole",
        role: `${tag}-ops`,
        subjects: [{ kind: "User", name: `${tag}-op` }],
      },
      admins: { label: "admins", roleKind: "ClusterRole", role: "cluster-admin", subjects: [group(`${tag}-admins`)] },
      approve: {
        label: "approve",
        roleKind: "ClusterRole",
        role: NODE_CLIENT,
        subjects: [group(`system:bootstrappers:${tag}`)],
      },
      devs: {
        label: "devs",
        namespace: `${tag}-dev`,
        roleKind: "ClusterRole",
        role: "edit",
        subjects: [group(`${tag}-devs`), { kind: "ServiceAccount", name: "ci", namespace: `${tag}-ci` }],
      },
    },
    roles: {
      ops: { rules: [{ groups: ["", "apps"], resources: ["pods", "deployments"], verbs: ["get", "list", "watch"] }] },
      local: {
        namespace: `${tag}-dev`,
        rules: [{ groups: [""], resources: ["configmaps"], verbs: ["get", "update"] }],
      },
    },
    token: { groups: [`system:bootstrappers:${tag}`], ends: "2030-01-01T00:00:00Z", description: "workers" },
    keyIn: [`${tag}-web`],
    note: "a",
    more: [],
  };
}

const NODE_CLIENT = "system:certificates.k8s.io:certificatesigningrequests:nodeclient";
const SELF_CLIENT = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient";

// Code ----------------------------------------------------------------------------------------------------------------

function own({ tag }: Access, { isModule }: AccessStyle, name: string): string {
  return isModule ? name : `${tag}_${name}`;
}

/** The address in its module. */
function bindingAddress(access: Access, style: AccessStyle, binding: HandBinding, index: number): string {
  const { label, namespace } = binding;
  const type = namespace === undefined ? "kubernetes_cluster_role_binding" : "kubernetes_role_binding";
  return style.instance && namespace === undefined
    ? `${type}.this[${style.instance(label, index)}]`
    : `${type}.${own(access, style, label)}`;
}

function metadata(name: string, namespace?: string): string {
  const place = namespace === undefined ? "" : `    namespace = ${text(namespace)}\n`;
  return `  metadata {\n    name = ${text(name)}\n${place}  }`;
}

function bindingCode(access: Access, style: AccessStyle, binding: HandBinding): string {
  const { label, namespace, roleKind, role, subjects } = binding;
  const type = namespace === undefined ? "kubernetes_cluster_role_binding" : "kubernetes_role_binding";
  const inner = [
    metadata(`${access.tag}-${label}`, namespace),
    `  role_ref {\n    api_group = "rbac.authorization.k8s.io"\n    kind = ${text(roleKind)}\n    name = ${hcl(role)}\n  }`,
    ...subjects.map(
      ({ kind, name, namespace: of }) =>
        `  subject {\n    kind = ${text(kind)}\n    name = ${hcl(name)}\n` +
        (kind === "ServiceAccount"
          ? `    namespace = ${text(of ?? "default")}\n  }`
          : `    api_group = "rbac.authorization.k8s.io"\n  }`),
    ),
  ];
  return block(`resource "${type}" "${own(access, style, label)}"`, {}, inner.join("\n"));
}

/** All bindings of the cluster in one resource, with a table. */
function bindingsInTable(access: Access, bindings: readonly HandBinding[]): string {
  const rows = bindings.map(({ label, role, roleKind, subjects }) => {
    const list = subjects.map(
      ({ kind, name, namespace }) =>
        `{ kind = ${text(kind)}, name = ${hcl(name)}, namespace = ${namespace === undefined ? "null" : text(namespace)} }`,
    );
    return `    ${text(label)} = { kind = ${text(roleKind)}, role = ${hcl(role)}, subjects = [${list.join(", ")}] }`;
  });
  return `locals {
  bindings = {
${rows.join("\n")}
  }
}
resource "kubernetes_cluster_role_binding" "this" {
  for_each = toset(${hclList(bindings.map(({ label }) => label))})
  metadata {
    name = "${access.tag}-\${each.key}"
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = local.bindings[each.key].kind
    name      = local.bindings[each.key].role
  }
  dynamic "subject" {
    for_each = local.bindings[each.key].subjects
    content {
      kind      = subject.value.kind
      name      = subject.value.name
      namespace = subject.value.kind == "ServiceAccount" ? subject.value.namespace : ""
      api_group = subject.value.kind == "ServiceAccount" ? "" : "rbac.authorization.k8s.io"
    }
  }
}
`;
}

/** All code of a copy. */
export function accessCode(access: Access, style: AccessStyle): string {
  const { tag, bindings, roles, token, keyIn, note, more } = access;
  const name = (of: string) => own(access, style, of);
  const all = Object.values(bindings);
  const inTable = style.instance ? all.filter(({ namespace }) => namespace === undefined) : [];
  const code = [
    ...(inTable.length > 0 ? [bindingsInTable(access, inTable)] : []),
    ...all.filter((one) => !inTable.includes(one)).map((one) => bindingCode(access, style, one)),
    ...Object.entries(roles).map(([label, { namespace, rules }]) =>
      block(
        `resource "${namespace === undefined ? "kubernetes_cluster_role" : "kubernetes_role"}" "${name(label)}"`,
        {},
        [
          metadata(`${tag}-${label}`, namespace),
          ...rules.map(
            ({ groups, resources, verbs }) =>
              `  rule {\n    api_groups = ${hclList(groups)}\n    resources = ${hclList(resources)}\n    verbs = ${hclList(verbs)}\n  }`,
          ),
        ].join("\n"),
      ),
    ),
    token ? tokenCode(access, style, token) : "",
    block(`resource "tls_private_key" "${name("web")}"`, { algorithm: '"ECDSA"', ecdsa_curve: '"P256"' }),
    ...keyIn.map((namespace) =>
      block(
        `resource "kubernetes_secret" "${name(namespace.replace(`${tag}-`, "key-"))}"`,
        {
          type: '"Opaque"',
          data: `{ "tls.key" = tls_private_key.${name("web")}.private_key_pem }`,
        },
        metadata(`${tag}-key`, namespace),
      ),
    ),
    block(`resource "terraform_data" "${name("note")}"`, { input: text(note) }),
    ...more,
  ].join("\n");
  const named = style.isModule ? code : code.replaceAll("terraform_data.later.", `terraform_data.${name("later")}.`);
  return code.includes("terraform_data.later.output")
    ? `${named}\n${block(`resource "terraform_data" "${name("later")}"`, { input: '"later"' })}`
    : named;
}

function tokenCode(access: Access, style: AccessStyle, token: NonNullable<Access["token"]>): string {
  const id = tokenId(access);
  const groups = token.groups.length === 1 ? hcl(token.groups[0]!) : `join(",", ${hclList(token.groups)})`;
  const data = {
    "token-id": text(id),
    "token-secret": text("0123456789abcdef"),
    "usage-bootstrap-authentication": text("true"),
    "auth-extra-groups": groups,
    description: text(token.description),
    ...(token.ends === undefined ? {} : { expiration: text(token.ends) }),
  };
  const lines = Object.entries(data).map(([key, value]) => `    ${text(key)} = ${value}`);
  return block(
    `resource "kubernetes_secret" "${own(access, style, "token")}"`,
    { type: '"bootstrap.kubernetes.io/token"' },
    `${metadata(`bootstrap-token-${id}`, "kube-system")}\n  data = {\n${lines.join("\n")}\n  }`,
  );
}

function tokenId({ tag }: Access): string {
  const letters = [...tag].map((letter) => letter.charCodeAt(0)).reduce((sum, code) => sum * 31 + code, 7);
  return (letters >>> 0).toString(36).padStart(6, "0").slice(-6);
}

// What it is ----------------------------------------------------------------------------------------------------------

/** What the code of a copy says that there is. */
export function accessWorld(access: Access, style: AccessStyle): World {
  const { tag, bindings, roles, token, keyIn, moved = [] } = access;
  const place = (name: string) => `${tag} ${name}`;
  const at = (address: string) => (style.isModule ? `module.${tag}.${address}` : address);
  const name = (of: string) => own(access, style, of);
  const things = new Map<string, Thing>();
  Object.entries(bindings).forEach(([key, binding], index) => {
    const { namespace, roleKind, role, subjects } = binding;
    const hidden = hiddenIn({ role, subjects: subjects.map((subject) => subject.name) });
    things.set(place(`binding ${key}`), {
      kind: "binding",
      addresses: [at(bindingAddress(access, style, binding, index))],
      ...(namespace === undefined ? {} : { namespace }),
      role: `${roleKind}/${known(role)}`,
      subjects: subjects.map(({ kind, name: of, namespace: from }) =>
        kind === "ServiceAccount" ? `${kind}/${from ?? "default"}/${known(of)}` : `${kind}/${known(of)}`,
      ),
      ...(hidden.length > 0 ? { hidden } : {}),
    });
  });
  for (const [key, { namespace, rules }] of Object.entries(roles)) {
    const type = namespace === undefined ? "kubernetes_cluster_role" : "kubernetes_role";
    things.set(place(`role ${key}`), {
      kind: "role",
      addresses: [at(`${type}.${name(key)}`)],
      rules: rules.map(({ groups, resources, verbs }) => ({
        groups: groups.map(known),
        resources: resources.map(known),
        verbs: verbs.map(known),
      })),
      hidden: rules.flatMap((rule) => hiddenIn(rule)),
    });
  }
  if (token) {
    things.set(place("token"), {
      kind: "token",
      addresses: [at(`kubernetes_secret.${name("token")}`)],
      groups: token.groups.map(known),
      ends: token.ends === undefined ? undefined : Date.parse(token.ends),
      hidden: hiddenIn({ groups: token.groups }),
    });
  }
  const key = { id: "web", algorithm: "ECDSA-P256" };
  things.set(place("key"), { kind: "key", key, addresses: [at(`tls_private_key.${name("web")}`)] });
  for (const namespace of keyIn) {
    things.set(place(`Secret/${namespace}/${tag}-key`), {
      kind: "place",
      addresses: [at(`kubernetes_secret.${name(namespace.replace(`${tag}-`, "key-"))}`)],
      names: [`${namespace}/${tag}-key`],
      holder: "cluster",
      path: `Secret/${namespace}/${tag}-key`,
      keys: [place("key")],
      mode: "0600",
      owner: "root:root",
    });
  }
  return { things, moved: new Set(moved.map((one) => place(`binding ${one}`))) };
}

// Edits ---------------------------------------------------------------------------------------------------------------

type AccessEdit = Edit<Access, AccessStyle>;

function bindingEdit(
  kind: string,
  name: string,
  of: readonly string[],
  change: (binding: HandBinding, random: Random, access: Access) => Partial<HandBinding>,
): AccessEdit {
  return {
    kind,
    name,
    apply: (access, _, random) => {
      const key = random.of(of);
      const binding = { ...access.bindings[key]!, ...change(access.bindings[key]!, random, access) };
      return { ...access, bindings: { ...access.bindings, [key]: binding } };
    },
  };
}

function newBinding(
  kind: string,
  name: string,
  make: (access: Access, random: Random) => Omit<HandBinding, "label">,
): AccessEdit {
  return {
    kind,
    name: `a new binding: ${name}`,
    apply: (access, _, random) => ({
      ...access,
      bindings: { ...access.bindings, newly: { label: "newly", ...make(access, random) } },
    }),
  };
}

function roleEdit(
  kind: string,
  name: string,
  of: readonly string[],
  change: (role: HandRole, random: Random) => HandRole,
): AccessEdit {
  return {
    kind,
    name,
    apply: (access, _, random) => {
      const key = random.of(of);
      return { ...access, roles: { ...access.roles, [key]: change(access.roles[key]!, random) } };
    },
  };
}

function withRule(
  role: HandRole,
  groups: readonly Value[],
  resources: readonly Value[],
  verbs: readonly Value[],
): HandRole {
  return { ...role, rules: [...role.rules, { groups, resources, verbs }] };
}

function tokenEdit(
  kind: string,
  name: string,
  change: (token: NonNullable<Access["token"]>, access: Access) => Partial<NonNullable<Access["token"]>>,
): AccessEdit {
  return {
    kind,
    name,
    apply: (access) => ({ ...access, token: { ...access.token!, ...change(access.token!, access) } }),
  };
}

const EVERYBODY: readonly Subject[] = [
  { kind: "Group", name: "system:unauthenticated" },
  { kind: "User", name: "system:anonymous" },
  { kind: "Group", name: "system:authenticated" },
  { kind: "Group", name: "system:serviceaccounts" },
];
const APPROVERS = [
  NODE_CLIENT,
  SELF_CLIENT,
  "system:certificates.k8s.io:kube-apiserver-client-approver",
  "system:certificates.k8s.io:legacy-unknown-approver",
  "system:certificates.k8s.io:kubelet-serving-approver",
];

function someone({ tag }: Access, random: Random): Subject {
  return random.of<Subject>([
    { kind: "Group", name: `${tag}-others` },
    { kind: "User", name: `${tag}-other` },
    { kind: "ServiceAccount", name: "robot", namespace: `${tag}-ci` },
  ]);
}

/** All edits of access that was written by hand. */
export const ACCESS_EDITS: readonly AccessEdit[] = [
  bindingEdit("cluster-admin", "one more cluster-admin", ["admins"], ({ subjects }, random, access) => ({
    subjects: [...subjects, someone(access, random)],
  })),
  bindingEdit("cluster-admin", "a binding becomes that of cluster-admin", ["viewers", "ops", "devs"], () => ({
    role: "cluster-admin",
    roleKind: "ClusterRole",
  })),
  newBinding("cluster-admin", "to cluster-admin", (access, random) => ({
    roleKind: "ClusterRole",
    role: "cluster-admin",
    subjects: [someone(access, random)],
  })),
  newBinding("cluster-admin", "to cluster-admin in a namespace", (access, random) => ({
    namespace: `${access.tag}-dev`,
    roleKind: "ClusterRole",
    role: "cluster-admin",
    subjects: [someone(access, random)],
  })),
  bindingEdit("open-binding", "everybody gets a role", ["ops"], ({ subjects }, random) => ({
    subjects: [...subjects, random.of(EVERYBODY)],
  })),
  bindingEdit("open-binding", "everybody gets a role in a namespace", ["devs"], ({ subjects }, random) => ({
    subjects: [...subjects, random.of(EVERYBODY)],
  })),
  newBinding("open-binding", "everybody", ({ tag }, random) => ({
    roleKind: "ClusterRole",
    role: `${tag}-ops`,
    subjects: [random.of(EVERYBODY)],
  })),
  bindingEdit("csr-approver", "one more approver", ["approve"], ({ subjects }, random, access) => ({
    subjects: [...subjects, someone(access, random)],
  })),
  newBinding("csr-approver", "to approve requests", (access, random) => ({
    roleKind: "ClusterRole",
    role: random.of(APPROVERS),
    subjects: [someone(access, random)],
  })),
  roleEdit("powerful-role", "everything", ["ops", "local"], (role, random) =>
    random.coin() ? withRule(role, ["*"], ["*"], ["*"]) : withRule(role, ["apps"], ["*"], ["get"]),
  ),
  roleEdit("powerful-role", "all verbs", ["ops"], (role) => withRule(role, ["apps"], ["daemonsets"], ["*"])),
  roleEdit("powerful-role", "secrets", ["ops", "local"], (role, random) =>
    withRule(role, [""], ["secrets"], [random.of(["get", "list", "create"])]),
  ),
  roleEdit("powerful-role", "nodes/proxy", ["ops"], (role) => withRule(role, [""], ["nodes/proxy"], ["get"])),
  roleEdit("powerful-role", "escalate or bind", ["ops", "local"], (role, random) =>
    withRule(role, ["rbac.authorization.k8s.io"], ["roles"], [random.of(["escalate", "bind"])]),
  ),
  roleEdit("powerful-role", "impersonate", ["ops"], (role) =>
    withRule(role, [""], ["users", "groups"], ["impersonate"]),
  ),
  {
    kind: "powerful-role",
    name: "a new role with secrets",
    apply: (access) => ({
      ...access,
      roles: { ...access.roles, newly: withRule({ rules: [] }, [""], ["secrets"], ["get", "list"]) },
    }),
  },
  {
    kind: "powerful-role",
    name: "a role is removed, and a new one has everything",
    apply: (access) => {
      const { local: _, ...roles } = access.roles;
      return {
        ...access,
        roles: { ...roles, newly: withRule({ rules: [], namespace: `${access.tag}-dev` }, ["*"], ["*"], ["*"]) },
      };
    },
  },
  bindingEdit("unreadable", "a subject that only the apply tells", ["viewers", "devs"], ({ subjects }) => ({
    subjects: [...subjects, { kind: "Group", name: LATER }],
  })),
  bindingEdit("unreadable", "a subject that nobody may see", ["viewers", "admins"], ({ subjects }) => ({
    subjects: [...subjects, { kind: "Group", name: secretly("system:authenticated") }],
  })),
  bindingEdit("unreadable", "a role that only the apply tells", ["viewers", "ops"], () => ({ role: LATER })),
  newBinding("unreadable", "with a role that nobody may see", (access, random) => ({
    roleKind: "ClusterRole",
    role: secretly("cluster-admin"),
    subjects: [someone(access, random)],
  })),
  roleEdit("unreadable", "a verb that only the apply tells", ["ops", "local"], (role) =>
    withRule(role, ["apps"], ["deployments"], ["get", LATER]),
  ),
  roleEdit("unreadable", "a resource that nobody may see", ["ops"], (role) =>
    withRule(role, [""], [secretly("secrets")], ["get"]),
  ),
  tokenEdit("unreadable", "groups of a token that only the apply tells", () => ({ groups: [LATER] })),
  tokenEdit("token-widened", "one more group of a token", ({ groups }) => ({
    groups: [...groups, "system:bootstrappers:others"],
  })),
  tokenEdit("token-widened", "a token ends later", () => ({ ends: "2031-01-01T00:00:00Z" })),
  tokenEdit("token-widened", "a token never ends", () => ({ ends: undefined })),
  {
    kind: "key-exposed",
    name: "a key goes to a Secret of another namespace",
    apply: (access) => ({ ...access, keyIn: [`${access.tag}-other`] }),
  },
  {
    kind: "key-exposed",
    name: "a key is in one more Secret",
    apply: (access) => ({ ...access, keyIn: [...access.keyIn, `${access.tag}-more`] }),
  },

  bindingEdit("harmless", "one more subject", ["viewers", "ops", "devs"], ({ subjects }, random, access) => ({
    subjects: [...subjects, someone(access, random)],
  })),
  bindingEdit("harmless", "another subject", ["viewers"], (_, random, access) => ({
    subjects: [someone(access, random)],
  })),
  bindingEdit("harmless", "a smaller role", ["admins"], () => ({ role: "view" })),
  bindingEdit("harmless", "nodes approve", ["approve"], ({ subjects }, random) => ({
    subjects: [
      ...subjects,
      random.of<Subject>([
        { kind: "Group", name: "system:nodes" },
        { kind: "Group", name: "system:bootstrappers" },
      ]),
    ],
  })),
  newBinding("harmless", "a plain role", (access, random) => ({
    roleKind: "ClusterRole",
    role: random.of(["view", "edit", `${access.tag}-ops`]),
    subjects: [someone(access, random)],
  })),
  ...["viewers", "admins", "devs", "approve"].map((key): AccessEdit => ({
    kind: "harmless",
    name: "a binding has another name and the same grants",
    apply: (access) => ({
      ...access,
      bindings: { ...access.bindings, [key]: { ...access.bindings[key]!, label: `${key}-renamed` } },
      moved: [key],
    }),
  })),
  {
    kind: "harmless",
    name: "a binding less",
    apply: (access, _, random) => {
      const gone = random.of(Object.keys(access.bindings));
      return {
        ...access,
        bindings: Object.fromEntries(Object.entries(access.bindings).filter(([key]) => key !== gone)),
      };
    },
  },
  roleEdit("harmless", "a role reads more", ["ops"], (role) =>
    withRule(role, ["apps"], ["statefulsets"], ["get", "list"]),
  ),
  roleEdit("harmless", "a role may do less", ["ops"], ({ rules }) => ({
    rules: rules.map((rule) => ({ ...rule, verbs: ["get"] })),
  })),
  tokenEdit("harmless", "a token ends earlier", () => ({ ends: "2029-01-01T00:00:00Z" })),
  tokenEdit("harmless", "another description of a token", () => ({ description: "other words" })),
  { kind: "harmless", name: "no token", apply: (access) => ({ ...access, token: undefined }) },
  { kind: "harmless", name: "a resource of others", apply: (access) => ({ ...access, note: "b" }) },
];
