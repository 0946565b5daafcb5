import { Construct } from "constructs";
import { Problems } from "../errors";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { bind, BINDINGS_FIELDS, DistributionBindingsProps } from "./distribution-bindings";
import { User } from "./rbac-subject";
import { constructId } from "../terraform/construct-id";
import { checkAddressPrefix } from "../terraform/names";
import { checkShape, fields, Fields, flag, optional } from "../terraform/shape";

/** Props of {@link ApiServerToKubelet}. */
export interface ApiServerToKubeletProps extends DistributionBindingsProps {
  /**
   * Takes over the binding that the distribution makes (kubeadm's `kubeadm:apiserver-kubelet-client`, of 1.36) instead of making one more.
   * It must exist, and destroying the stack deletes it. See {@link ClusterRoleBindingProps.adopt}.
   * @default false
   */
  readonly adopt?: boolean;
}

const PROPS = fields({ ...BINDINGS_FIELDS, adopt: optional(flag) } satisfies Fields<ApiServerToKubeletProps>);

/**
 * Lets the API server talk to kubelets, for `kubectl logs`, `exec`, `attach` and `port-forward`, with no more rights than that:
 * the user of its kubelet client certificate is bound to `system:kubelet-api-admin`.
 *
 * The object is `<prefix>:apiserver-to-kubelet`. Nothing secret lands in the Terraform state.
 *
 * @throws PkiError when the prefix is not a valid name, or the distribution makes this binding itself
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/#kubelet-authorization
 */
export class ApiServerToKubelet extends Construct {
  /** The binding of the API server's user to `system:kubelet-api-admin`. */
  public readonly binding: ClusterRoleBinding;

  public constructor(scope: Construct, id: string, props: ApiServerToKubeletProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const prefix = props.addressPrefix ?? id;
    const { name: distribution, access } = props.distribution.table;
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    if (!access.apiServerToKubelet) {
      const allowed = "a distribution that does not make this binding itself";
      problems.add({
        code: "distribution-access",
        at: "distribution",
        given: distribution,
        allowed,
        fix: "leave it out",
      });
    }
    problems.throwIfAny(this.node.path);

    const apiServer = User.named(access.apiServerToKubelet!.user);
    const apiServerToKubelet = {
      name: "apiserver-to-kubelet",
      clusterRole: "system:kubelet-api-admin",
      subjects: [apiServer],
      inTable: [apiServer],
      adopt: props.adopt ? access.apiServerToKubelet!.binding : undefined,
    };
    this.binding = bind(this, prefix, apiServerToKubelet, props);
  }
}
