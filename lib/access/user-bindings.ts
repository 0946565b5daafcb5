import { Construct } from "constructs";
import { bindingName } from "../terraform/names";
import { grantKey, type UserAccess, type UserGrant, userName } from "../kubernetes/users";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { type KubernetesObjectProps, objectProps } from "./kubernetes-object";
import { User } from "./rbac-subject";
import { RoleBinding } from "./role-binding";

/** A binding of a user, everywhere or in a namespace. */
export type UserBinding = ClusterRoleBinding | RoleBinding;

/**
 * Binds a user to each role that it is granted: `<prefix>:<user>:<role>`, and `<prefix>__binding__<user>_<namespace>_<role>` in Terraform.
 * Each binding is the user's alone, so that what one may do ends without touching what others may.
 */
export function bindUser(
  scope: Construct,
  name: string,
  user: UserAccess,
  prefix: string,
  props: KubernetesObjectProps,
): UserBinding[] {
  const own = new Construct(scope, name);
  const subjects = [User.named(userName(name, user))];
  return (user.grants ?? []).map((grant): UserBinding => {
    const { namespace, role, clusterRole } = grant;
    const named = {
      name: `${prefix}:${name}:${clusterRole ?? role}`,
      address: bindingName(prefix, [name, ...terraformName(grant)].join("_")),
      subjects,
      ...objectProps(props),
    };
    return namespace === undefined
      ? new ClusterRoleBinding(own, clusterRole!, { ...named, clusterRole: clusterRole! })
      : new RoleBinding(own, grantKey(grant).replace("/", ":"), { ...named, namespace, role, clusterRole });
  });
}

/** Names of roles may have signs that none of Terraform's has. Where two become one, the second is refused. */
function terraformName({ namespace, clusterRole, role }: UserGrant): string[] {
  return [namespace, clusterRole ?? role].flatMap((part) => part?.replace(/[^A-Za-z0-9-]/g, "_") ?? []);
}
