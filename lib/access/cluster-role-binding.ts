import { inventoried, type OwnEntry } from "../terraform/inventoried";
import { TerraformStack } from "cdktf";
import { ClusterRoleBindingV1 } from "@cdktf/provider-kubernetes/lib/cluster-role-binding-v1";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { constructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, flag, name as nameShape, optional } from "../terraform/shape";
import { KubernetesObjectProps, metaArguments, metadata, OBJECT_FIELDS } from "./kubernetes-object";
import { checkBinding } from "./binding-checks";
import { IRbacSubject, RBAC_API_GROUP, RbacSubject, SUBJECTS, subjectText } from "./rbac-subject";
import { addBlock } from "../terraform/registry";
import { pin } from "../terraform/pin";

/** Props of a {@link ClusterRoleBinding}. */
export interface ClusterRoleBindingProps extends KubernetesObjectProps {
  /** Name of the object. Another name is another object. */
  readonly name: string;
  /** Name of the ClusterRole, which exists already. Another role replaces the object: Kubernetes does not let it change. */
  readonly clusterRole: string;
  /** Who gets the role: at least one. */
  readonly subjects: readonly IRbacSubject[];
  /**
   * Terraform name of the object.
   * @default - the construct's id
   */
  readonly address?: string;
  /**
   * Takes over an object of that name that exists already, instead of creating one; the plan fails when there is none. Choose
   * before the first apply: switched on later, the first apply deletes the object that was made and stops at the name that is
   * taken, and only the next one takes it over.
   * @default false
   */
  readonly adopt?: boolean;
}

const PROPS = fields({
  ...OBJECT_FIELDS,
  name: nameShape("platform-engineers"),
  clusterRole: nameShape("view"),
  subjects: SUBJECTS,
  address: optional(nameShape("platform-engineers")),
  adopt: optional(flag),
} satisfies Fields<ClusterRoleBindingProps>);

/**
 * Gives a ClusterRole to users, groups and service accounts, in all namespaces.
 *
 * Nothing secret lands in the Terraform state.
 *
 * @throws PkiError when there is no subject, a subject is too broad for the role, or the name is reserved by Kubernetes
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding
 */
export class ClusterRoleBinding extends Construct {
  /** Name of the object. */
  public readonly name: string;
  /** Name of the ClusterRole. */
  public readonly clusterRole: string;
  /** Who gets it. */
  public readonly subjects: readonly RbacSubject[];
  /** The L1 of the object. */
  public readonly resource: ClusterRoleBindingV1;

  public constructor(scope: Construct, id: string, props: ClusterRoleBindingProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const problems = new Problems();
    checkBinding(props, "clusterRole", props.clusterRole, problems);
    problems.throwIfAny(this.node.path);

    this.name = props.name;
    this.clusterRole = props.clusterRole;
    this.subjects = props.subjects.map((subject) => subject.toSubject());
    this.resource = new ClusterRoleBindingV1(this, "Resource", {
      metadata: { name: props.name, ...metadata(props) },
      roleRef: { apiGroup: RBAC_API_GROUP, kind: "ClusterRole", name: props.clusterRole },
      subject: this.subjects.map((subject) => ({ ...subject })),
      ...metaArguments(props),
    });
    const to = pin(this.resource, props.address ?? id);
    inventoried(this, { entries: () => [this.entry(to)] });
    if (props.adopt) {
      addBlock(TerraformStack.of(this), "import", { to, id: props.name });
    }
  }

  private entry(address: string): OwnEntry {
    return {
      kind: "binding",
      name: this.name,
      addresses: [address],
      role: `ClusterRole/${this.clusterRole}`,
      subjects: this.subjects.map(subjectText),
    };
  }
}
