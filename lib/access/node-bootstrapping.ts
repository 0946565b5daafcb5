import { Construct } from "constructs";
import { Problems } from "../errors";
import { checkGroups } from "./bootstrap-token";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { bind, BINDINGS_FIELDS, bindRole, DistributionBindingsProps } from "./distribution-bindings";
import { Group } from "./rbac-subject";
import type { RoleBinding } from "./role-binding";
import { constructId } from "../terraform/construct-id";
import { checkAddressPrefix } from "../terraform/names";
import { checkShape, fields, Fields, flag, list, name, optional } from "../terraform/shape";

/** Props of {@link NodeBootstrapping}. */
export interface NodeBootstrappingProps extends DistributionBindingsProps {
  /**
   * More groups whose tokens may join nodes, beside the distribution's.
   * @default - none
   */
  readonly groups?: readonly string[];
  /**
   * Takes over the bindings that the distribution makes (kubeadm's `kubeadm:kubelet-bootstrap`,
   * `kubeadm:node-autoapprove-bootstrap`, `kubeadm:node-autoapprove-certificate-rotation`, and with `groups` `kubeadm:get-nodes`,
   * `kubeadm:nodes-kubeadm-config`, `kubeadm:kubelet-config`) instead of making more. They must exist,
   * and destroying the stack deletes them. See {@link ClusterRoleBindingProps.adopt}.
   * @default false
   */
  readonly adopt?: boolean;
}

const PROPS = fields({
  ...BINDINGS_FIELDS,
  groups: optional(list(name("system:bootstrappers:workers"))),
  adopt: optional(flag),
} satisfies Fields<NodeBootstrappingProps>);

/**
 * Lets kubelets join by TLS bootstrap: a client with a token may request a node's client certificate, the controller manager
 * approves the request, and later each renewal that the node requests for itself.
 *
 * The objects are `<prefix>:create-csrs`, `<prefix>:approve-first` and `<prefix>:approve-renewals`. Serving certificates are
 * approved by none of them: Kubernetes leaves those to you. Nothing secret lands in the Terraform state.
 *
 * Groups of one's own may read what the distribution's group may: for `kubeadm join`, whether there is a node of that name, and the
 * configurations of kubeadm and kubelets, by the roles that `kubeadm init` makes: `<prefix>:get-nodes`, `<prefix>:kubeadm-config` and
 * `<prefix>:kubelet-config`.
 *
 * @throws PkiError when the prefix is not a valid name, a group is not one of bootstrappers, or there is no group
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export class NodeBootstrapping extends Construct {
  /** The binding that lets a client with a token create certificate signing requests. */
  public readonly createCsrs: ClusterRoleBinding;
  /** The binding by which the first certificate of a node is approved. */
  public readonly approveFirst: ClusterRoleBinding;
  /** The binding by which renewals of nodes' own certificates are approved. */
  public readonly approveRenewals: ClusterRoleBinding;
  /** The bindings by which groups of one's own read what the distribution's group does; none where there are no such groups. */
  public readonly reads: readonly (ClusterRoleBinding | RoleBinding)[];

  public constructor(scope: Construct, id: string, props: NodeBootstrappingProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const prefix = props.addressPrefix ?? id;
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    checkGroups(props.groups ?? [], "groups", problems);
    const { name: distribution, access } = props.distribution.table;
    const own = access.nodeBootstrapping;
    if (!own && !props.groups?.length) {
      const fix = "name groups, or leave it out where nodes do not join by TLS bootstrap";
      problems.add({
        code: "distribution-access",
        at: "groups",
        given: "none",
        allowed: `at least one: ${distribution} has none of its own`,
        fix,
      });
    }
    problems.throwIfAny(this.node.path);

    // Sorted, because Terraform takes another order for a change.
    const more = [...new Set(props.groups)].filter((group) => group !== own?.group).sort();
    const ofTable = own ? [Group.named(own.group)] : [];
    const bootstrappers = [...ofTable, ...more.map((group) => Group.named(group))];
    const bindings = own?.bindings;
    const createCsrs = {
      name: "create-csrs",
      clusterRole: "system:node-bootstrapper",
      subjects: bootstrappers,
      inTable: ofTable,
      adopt: props.adopt ? bindings?.createCsrs : undefined,
    };
    const approveFirst = {
      name: "approve-first",
      clusterRole: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
      subjects: bootstrappers,
      inTable: ofTable,
      adopt: props.adopt ? bindings?.approveFirst : undefined,
    };
    const nodes = [Group.named("system:nodes")];
    const approveRenewals = {
      name: "approve-renewals",
      clusterRole: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
      subjects: nodes,
      inTable: nodes,
      adopt: props.adopt ? bindings?.approveRenewals : undefined,
    };
    this.createCsrs = bind(this, prefix, createCsrs, props);
    this.approveFirst = bind(this, prefix, approveFirst, props);
    this.approveRenewals = bind(this, prefix, approveRenewals, props);
    const reads = more.length > 0 ? Object.entries(own?.reads ?? {}) : [];
    this.reads = reads.map(([name, row]) => {
      const inTable = [own!.group, ...(row.alsoFor === undefined ? [] : [row.alsoFor])];
      const subjects = [...(props.adopt ? inTable : []), ...more].map((group) => Group.named(group));
      const binding = {
        name,
        subjects,
        inTable: inTable.map((group) => Group.named(group)),
        adopt: props.adopt ? row.name : undefined,
      };
      return row.namespace === undefined
        ? bind(this, prefix, { ...binding, clusterRole: row.name }, props)
        : bindRole(this, prefix, { ...binding, role: row.name, namespace: row.namespace }, props);
    });
  }
}
