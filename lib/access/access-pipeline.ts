import { TerraformResource } from "cdktf";
import { ClusterRoleV1 } from "@cdktf/provider-kubernetes/lib/cluster-role-v1";
import { RoleV1 } from "@cdktf/provider-kubernetes/lib/role-v1";
import { Construct, type IConstruct } from "constructs";
import { Problems } from "../errors";
import { addressOf } from "../terraform/address";
import { constructId } from "../terraform/construct-id";
import { inventoried } from "../terraform/inventoried";
import { bindingName, checkAddressPrefix, roleName } from "../terraform/names";
import { pin } from "../terraform/pin";
import { checkShape, fields, Fields, made, name as nameShape, optional } from "../terraform/shape";
import { BootstrapToken, TOKEN_NAMESPACE } from "./bootstrap-token";
import { CLUSTER_INFO, ClusterInfo } from "./cluster-info";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { KubernetesObjectProps, metaArguments, metadata, OBJECT_FIELDS, objectProps } from "./kubernetes-object";
import { PUBLISHED_AUTHORITY, PublishedAuthority } from "./published-authority";
import { checkSubjects, CLUSTER_ADMIN, type IRbacSubject, RBAC_API_GROUP, SUBJECTS } from "./rbac-subject";
import { RoleBinding } from "./role-binding";

/** Props of an {@link AccessPipeline}. */
export interface AccessPipelineProps extends KubernetesObjectProps {
  /** What it may apply: all tokens and bindings of this library below a construct, which are made before. */
  readonly of: Construct;
  /** Who it is: at least one. */
  readonly subjects: readonly IRbacSubject[];
  /**
   * First part of all names, `[a-z][a-z0-9-]*`: an object is called `<prefix>:pipeline`, and `<prefix>__role__pipeline` in Terraform.
   * @default - the construct's id
   */
  readonly addressPrefix?: string;
}

const CONSTRUCT = made("a construct", "the ClusterAccess", (value) => Construct.isConstruct(value));

const PROPS = fields({
  ...OBJECT_FIELDS,
  of: CONSTRUCT,
  subjects: SUBJECTS,
  addressPrefix: optional(nameShape("prod")),
} satisfies Fields<AccessPipelineProps>);

/** A rule of a role, as RBAC has it. */
interface Rule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly verbs: string[];
  readonly resourceNames?: string[];
}

/** What an object is that Terraform keeps as the code has it, beside making it. */
const KEEP = ["delete", "get", "patch"];

/**
 * Lets a pipeline apply what stands below a construct, and nothing else: a ClusterRole, and a Role in each namespace in which something stands,
 * are made from the tokens and bindings that are there.
 *
 * - Bindings are those that are there, by name. It may bind the roles that they bind, and no others. Bindings to `cluster-admin`, and its own,
 *   it may read: who may make one of these is an administrator.
 * - Its own roles it may change, as far as the API server lets it: who has no right gives itself none. So it takes away what is removed from the
 *   code. What is new in the code is applied by an administrator first.
 * - With a bootstrap token it may read and write all Secrets of `kube-system`, since a token's name is another one after each rotation, and
 *   RBAC knows no part of a name. Whoever has such a right may get at the token of a service account there: keep it as you keep an
 *   administrator's.
 *
 * Nothing secret lands in the Terraform state.
 *
 * @throws PkiError when the prefix is not a valid name, there is nobody, or a subject is too broad
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export class AccessPipeline extends Construct {
  /** Bindings of its roles to who it is: everywhere first, then by namespace. */
  public readonly bindings: readonly (ClusterRoleBinding | RoleBinding)[];
  /** The L1s of its roles, in the same order. */
  public readonly resources: readonly (ClusterRoleV1 | RoleV1)[];

  public constructor(scope: Construct, id: string, props: AccessPipelineProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const prefix = props.addressPrefix ?? id;
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    // As powerful as an administrator, where there are tokens.
    checkSubjects(props.subjects, CLUSTER_ADMIN, "subjects", problems);
    problems.throwIfAny(this.node.path);

    const objects = props.of.node.findAll().filter((node) => node !== this);
    const name = `${prefix}:pipeline`;
    const bindings: (ClusterRoleBinding | RoleBinding)[] = [];
    const resources: (ClusterRoleV1 | RoleV1)[] = [];
    for (const namespace of placesOf(objects)) {
      const own = new Construct(this, namespace ?? "cluster");
      const address = namespace === undefined ? "pipeline" : `pipeline_${namespace}`;
      const rules = rulesOf(objects, namespace, name);
      const config = { rule: rules.map((rule) => ({ ...rule })), ...metaArguments(props) };
      const resource =
        namespace === undefined
          ? new ClusterRoleV1(own, "Role", { metadata: { name, ...metadata(props) }, ...config })
          : new RoleV1(own, "Role", { metadata: { name, namespace, ...metadata(props) }, ...config });
      const addresses = [pin(resource, roleName(prefix, address))];
      const entry = { kind: "role", name, ...(namespace === undefined ? {} : { namespace }), addresses } as const;
      inventoried(own, { entries: () => [{ ...entry, rules: rules.map(ruleText).sort() }] });
      const named = { name, subjects: props.subjects, address: bindingName(prefix, address), ...objectProps(props) };
      bindings.push(
        namespace === undefined
          ? new ClusterRoleBinding(own, "binding", { ...named, clusterRole: name })
          : new RoleBinding(own, "binding", { ...named, namespace, role: name }),
      );
      resources.push(resource);
    }
    this.bindings = bindings;
    this.resources = resources;
    this.loseLast(objects);
  }

  /** Terraform changes a role after it has destroyed what depends on it: until then the pipeline still needs the right to do so. */
  private loseLast(objects: readonly IConstruct[]): void {
    const roles = this.resources.map((resource) => addressOf(resource)!);
    for (const resource of [...objects, ...this.bindings].flatMap(resourcesOf)) {
      resource.dependsOn = [...(resource.dependsOn ?? []), ...roles];
    }
  }
}

type Binding = ClusterRoleBinding | RoleBinding;

function isBinding(node: IConstruct): node is Binding {
  return node instanceof ClusterRoleBinding || node instanceof RoleBinding;
}

/** What Terraform makes in the API server. */
function resourcesOf(node: IConstruct): TerraformResource[] {
  if (node instanceof BootstrapToken) {
    return node.slots.map(({ resource }) => resource);
  }
  return node instanceof ClusterInfo ? [node.resource, node.role] : isBinding(node) ? [node.resource] : [];
}

/** Undefined for what counts everywhere. */
function namespaceOf(node: IConstruct): string | undefined {
  if (node instanceof RoleBinding) {
    return node.namespace;
  }
  if (node instanceof ClusterInfo) {
    return CLUSTER_INFO.namespace;
  }
  return node instanceof BootstrapToken
    ? TOKEN_NAMESPACE
    : node instanceof PublishedAuthority
      ? PUBLISHED_AUTHORITY.namespace
      : undefined;
}

/** The cluster as a whole, then namespaces in the order of the alphabet. */
function placesOf(objects: readonly IConstruct[]): (string | undefined)[] {
  const namespaces = objects.flatMap((node) => namespaceOf(node) ?? []);
  return [undefined, ...[...new Set(namespaces)].sort()];
}

function rulesOf(objects: readonly IConstruct[], namespace: string | undefined, own: string): Rule[] {
  const here = objects.filter((node) => namespaceOf(node) === namespace);
  const core = (resource: string, verbs: string[], names?: string[]) => rule("", resource, verbs, names);
  const rbac = (resource: string, verbs: string[], names?: string[]) => rule(RBAC_API_GROUP, resource, verbs, names);
  const bindings = here.filter(isBinding);
  const kept = bindings.filter((binding) => !isOfAdmins(binding));
  const read = bindings.filter(isOfAdmins);
  const kind = namespace === undefined ? "clusterrole" : "role";
  const bound = (of: string) => kept.map(roleOf).flatMap(([type, role]) => (type === of ? [role!] : []));
  return [
    ...(here.some((node) => node instanceof BootstrapToken) ? [core("secrets", ["create", ...KEEP])] : []),
    ...(here.some((node) => node instanceof PublishedAuthority)
      ? [core("configmaps", ["get"], [PUBLISHED_AUTHORITY.name])]
      : []),
    // Whoever makes a Role has to have what it gives: to read that ConfigMap.
    ...here
      .filter((node) => node instanceof ClusterInfo)
      .flatMap(({ binding }) => [
        core("configmaps", ["create"]),
        core("configmaps", KEEP, [CLUSTER_INFO.name]),
        rbac("roles", ["create"]),
        rbac("roles", KEEP, [binding.name]),
      ]),
    ...(kept.length > 0 ? [rbac(`${kind}bindings`, ["create"])] : []),
    ...named(
      rbac,
      `${kind}bindings`,
      KEEP,
      kept.map(({ name }) => name),
    ),
    ...named(rbac, `${kind}bindings`, ["get"], [...read.map(({ name }) => name), own]),
    ...named(rbac, "clusterroles", ["bind"], bound("ClusterRole")),
    ...named(rbac, "roles", ["bind"], bound("Role")),
    ...named(rbac, `${kind}s`, ["get", "patch"], [own]),
  ];
}

type Maker = (resource: string, verbs: string[], names?: string[]) => Rule;

/** A rule without names would be one of all objects. */
function named(make: Maker, resource: string, verbs: string[], names: readonly string[]): Rule[] {
  return names.length > 0 ? [make(resource, verbs, [...new Set(names)].sort())] : [];
}

function rule(group: string, resource: string, verbs: string[], names?: string[]): Rule {
  return { apiGroups: [group], resources: [resource], verbs, ...(names ? { resourceNames: names } : {}) };
}

/** `ClusterRole` or `Role`, and its name. */
function roleOf(binding: Binding): [kind: string, name: string] {
  return binding instanceof ClusterRoleBinding
    ? ["ClusterRole", binding.clusterRole]
    : (binding.role.split(/\/(.*)/, 2) as [string, string]);
}

function isOfAdmins(binding: Binding): boolean {
  const [kind, name] = roleOf(binding);
  return kind === "ClusterRole" && name === CLUSTER_ADMIN;
}

/** `get,patch clusterroles.rbac.authorization.k8s.io named prod:pipeline`, as a plan report has it. */
function ruleText({ apiGroups, resources, verbs, resourceNames }: Rule): string {
  const of = resources.map((resource) => [resource, ...apiGroups].filter(Boolean).join("."));
  return `${[...verbs].sort().join(",")} ${of.join(",")}${resourceNames ? ` named ${resourceNames.join(",")}` : ""}`;
}
