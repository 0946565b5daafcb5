import { Construct } from "constructs";
import { Problems } from "../errors";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { bind, BINDINGS_FIELDS, DistributionBindingsProps } from "./distribution-bindings";
import { checkSubjects, CLUSTER_ADMIN, Group, IRbacSubject, SUBJECTS } from "./rbac-subject";
import { constructId } from "../terraform/construct-id";
import { checkAddressPrefix } from "../terraform/names";
import { checkShape, fields, Fields, flag, optional } from "../terraform/shape";

/** Props of {@link ClusterAdmins}. */
export interface ClusterAdminsProps extends DistributionBindingsProps {
  /**
   * More administrators, beside the distribution's group; at least one where it has no such group, as with K3s and k0s.
   * @default - none
   */
  readonly subjects?: readonly IRbacSubject[];
  /**
   * Takes over the binding that the distribution makes (kubeadm's `kubeadm:cluster-admins`) instead of making one more. It must
   * exist, and destroying the stack deletes it. See {@link ClusterRoleBindingProps.adopt}.
   * @default false
   */
  readonly adopt?: boolean;
}

const PROPS = fields({
  ...BINDINGS_FIELDS,
  subjects: optional(SUBJECTS),
  adopt: optional(flag),
} satisfies Fields<ClusterAdminsProps>);

/**
 * Binds the distribution's administrators to `cluster-admin`: clients whose certificate has its group as O, such as `admin.conf`.
 *
 * The object is `<prefix>:cluster-admins`. Who is in `system:masters` needs no binding: that is the break-glass kubeconfig,
 * with which the first apply is made. Nothing secret lands in the Terraform state.
 *
 * @throws PkiError when the prefix is not a valid name, there is nobody to bind, or a subject is `system:masters` or a group that
 * nearly everybody is in
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
 */
export class ClusterAdmins extends Construct {
  /** The binding of the administrators to `cluster-admin`. */
  public readonly binding: ClusterRoleBinding;

  public constructor(scope: Construct, id: string, props: ClusterAdminsProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const prefix = props.addressPrefix ?? id;
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    checkSubjects(props.subjects ?? [], CLUSTER_ADMIN, "subjects", problems);
    const { name: distribution, access } = props.distribution.table;
    const own = access.clusterAdmins;
    if (!own && !props.subjects?.length) {
      const fix = "name administrators, or leave it out: its own are in system:masters, which needs no binding";
      problems.add({
        code: "distribution-access",
        at: "subjects",
        given: "none",
        allowed: `at least one: ${distribution} has no group of them`,
        fix,
      });
    }
    problems.throwIfAny(this.node.path);

    const inTable = own ? [Group.named(own.group)] : [];
    const clusterAdmins = {
      name: "cluster-admins",
      clusterRole: CLUSTER_ADMIN,
      subjects: [...inTable, ...(props.subjects ?? [])],
      inTable,
      adopt: props.adopt ? own?.binding : undefined,
    };
    this.binding = bind(this, prefix, clusterAdmins, props);
  }
}
