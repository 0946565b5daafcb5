import { inventoried, type OwnEntry } from "../terraform/inventoried";
import { TerraformStack } from "cdktf";
import { RoleBindingV1 } from "@cdktf/provider-kubernetes/lib/role-binding-v1";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { constructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, flag, name as nameShape, optional } from "../terraform/shape";
import { pin } from "../terraform/pin";
import { addBlock } from "../terraform/registry";
import { checkBinding } from "./binding-checks";
import { checkNamespace, KubernetesObjectProps, metaArguments, metadata, OBJECT_FIELDS } from "./kubernetes-object";
import { IRbacSubject, RBAC_API_GROUP, RbacSubject, SUBJECTS, subjectText } from "./rbac-subject";

/** Props of a {@link RoleBinding}: it has a `role`, or a `clusterRole`. */
export interface RoleBindingProps extends KubernetesObjectProps {
  /** Name of the object. Another name is another object. */
  readonly name: string;
  /** Where the role is given, and the object stands: a namespace that exists. */
  readonly namespace: string;
  /**
   * Name of a Role of that namespace. Another one replaces the object: Kubernetes does not let it change.
   * @default - a ClusterRole is named
   */
  readonly role?: string;
  /**
   * Name of a ClusterRole, of which what concerns the namespace is given. Another one replaces the object.
   * @default - a Role is named
   */
  readonly clusterRole?: string;
  /** Who gets the role: at least one. */
  readonly subjects: readonly IRbacSubject[];
  /**
   * Terraform name of the object.
   * @default - the construct's id
   */
  readonly address?: string;
  /**
   * Takes over an object of that name that exists already. See {@link ClusterRoleBindingProps.adopt}.
   * @default false
   */
  readonly adopt?: boolean;
}

const PROPS = fields({
  ...OBJECT_FIELDS,
  name: nameShape("deployers"),
  namespace: nameShape("shop"),
  role: optional(nameShape("deployer")),
  clusterRole: optional(nameShape("view")),
  subjects: SUBJECTS,
  address: optional(nameShape("deployers")),
  adopt: optional(flag),
} satisfies Fields<RoleBindingProps>);

/**
 * Gives a Role, or what a ClusterRole says of a namespace, to users, groups and service accounts in that namespace alone.
 *
 * Nothing secret lands in the Terraform state.
 *
 * @throws PkiError when there is no subject, no role or two, no such namespace could be, or a subject is too broad for the role
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding
 */
export class RoleBinding extends Construct {
  /** Name of the object. */
  public readonly name: string;
  /** Where it stands. */
  public readonly namespace: string;
  /** What is given: `Role/deployer`, or `ClusterRole/view`. */
  public readonly role: string;
  /** Who gets it. */
  public readonly subjects: readonly RbacSubject[];
  /** The L1 of the object. */
  public readonly resource: RoleBindingV1;

  public constructor(scope: Construct, id: string, props: RoleBindingProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const problems = new Problems();
    checkRoleBinding(props, problems);
    problems.throwIfAny(this.node.path);

    this.name = props.name;
    this.namespace = props.namespace;
    const role =
      props.role === undefined ? { kind: "ClusterRole", name: props.clusterRole! } : { kind: "Role", name: props.role };
    this.role = `${role.kind}/${role.name}`;
    this.subjects = props.subjects.map((subject) => subject.toSubject());
    this.resource = new RoleBindingV1(this, "Resource", {
      metadata: { name: props.name, namespace: props.namespace, ...metadata(props) },
      roleRef: { apiGroup: RBAC_API_GROUP, ...role },
      subject: this.subjects.map((subject) => ({ ...subject })),
      ...metaArguments(props),
    });
    const to = pin(this.resource, props.address ?? id);
    inventoried(this, { entries: () => [this.entry(to)] });
    if (props.adopt) {
      addBlock(TerraformStack.of(this), "import", { to, id: `${props.namespace}/${props.name}` });
    }
  }

  private entry(address: string): OwnEntry {
    return {
      kind: "binding",
      name: this.name,
      namespace: this.namespace,
      addresses: [address],
      role: this.role,
      subjects: this.subjects.map(subjectText),
    };
  }
}

function checkRoleBinding(props: RoleBindingProps, problems: Problems): void {
  const { role, clusterRole, namespace } = props;
  if ((role === undefined) === (clusterRole === undefined)) {
    const given = role === undefined ? "neither" : "both";
    const fix = "name the one that is meant";
    problems.add({ code: "role-or-cluster-role", at: "role", given, allowed: "role or clusterRole, one of them", fix });
  }
  checkNamespace(namespace, problems);
  if (role !== undefined) {
    checkBinding(props, "role", role, problems);
  } else {
    checkBinding(props, "clusterRole", clusterRole ?? "-", problems);
  }
}
