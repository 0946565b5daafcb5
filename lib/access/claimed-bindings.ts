import type { IConstruct } from "constructs";
import { Problems } from "../errors";
import { type Endpoint, hostAndPort } from "../kubernetes/cluster";
import { tokenText } from "../terraform/token-text";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { RoleBinding } from "./role-binding";

const CLAIMED = Symbol.for("cdktf-kubernetes-pki/claimed-bindings");

/**
 * Notes which bindings are made in a cluster, wherever in the app that is said: the API server has one of each name, and the second stack
 * that makes one fails when it is applied.
 *
 * @param access under which the bindings are
 * @throws PkiError when the cluster has a binding of such a name
 */
export function claimBindings(access: IConstruct, endpoint: Endpoint): void {
  const root = access.node.root as IConstruct & { [CLAIMED]?: Map<string, string> };
  const claimed = (root[CLAIMED] ??= new Map());
  const { host, port } = hostAndPort(endpoint);
  const problems = new Problems();
  for (const binding of access.node.findAll().filter(isBinding)) {
    const key = [tokenText(access, host), port, ...placeOf(binding), binding.name].join(" ");
    const owner = claimed.get(key);
    if (owner === undefined) {
      claimed.set(key, binding.node.path);
    } else {
      problems.add({
        code: "binding-taken",
        at: "addressPrefix",
        given: binding.name,
        allowed: `a binding that ${owner} does not make in the same cluster`,
        fix: "set addressPrefix, which the bindings are named after, or make one access for each cluster",
      });
    }
  }
  problems.throwIfAny(access.node.path);
}

function isBinding(node: IConstruct): node is ClusterRoleBinding | RoleBinding {
  return node instanceof ClusterRoleBinding || node instanceof RoleBinding;
}

/** Nothing for what counts everywhere. */
function placeOf(binding: ClusterRoleBinding | RoleBinding): string[] {
  return binding instanceof RoleBinding ? [binding.namespace] : [];
}
