import { bindingName } from "../terraform/names";
import { Construct } from "constructs";
import { label } from "../terraform/inventoried";
import { ClusterRoleBinding } from "./cluster-role-binding";
import { RoleBinding } from "./role-binding";
import { Fields, name, optional } from "../terraform/shape";
import { KubernetesObjectProps, OBJECT_FIELDS, objectProps } from "./kubernetes-object";
import { IRbacSubject, subjectText } from "./rbac-subject";
import { Distribution, DISTRIBUTION } from "../kubernetes/distribution";

/** Props of every construct that makes the bindings a distribution needs. */
export interface DistributionBindingsProps extends KubernetesObjectProps {
  /** How the cluster is made: says whom to bind. */
  readonly distribution: Distribution;
  /**
   * First part of all names, `[a-z][a-z0-9-]*`: an object is called `<prefix>:<name>`, and `<prefix>__binding__<name>` in
   * Terraform. It never changes once it was deployed.
   * @default - the construct's id
   */
  readonly addressPrefix?: string;
}

/** The props of every construct that makes such bindings, as they have to look. */
export const BINDINGS_FIELDS = {
  ...OBJECT_FIELDS,
  distribution: DISTRIBUTION,
  addressPrefix: optional(name("prod")),
} satisfies Fields<DistributionBindingsProps>;

/** One of the bindings. */
export interface DistributionBinding {
  /** Last part of its names. */
  readonly name: string;
  /** The ClusterRole, which exists already. */
  readonly clusterRole: string;
  /** Who gets it. */
  readonly subjects: readonly IRbacSubject[];
  /** Those of them to whom the distribution's table gives the role. */
  readonly inTable: readonly IRbacSubject[];
  /** The distribution's own name of it, where that one is taken over. */
  readonly adopt?: string;
}

/** What a binding says beside its role. */
type Named = Omit<DistributionBinding, "clusterRole">;

/** A binding of a Role of one namespace. */
interface DistributionRoleBinding extends Named {
  readonly role: string;
  readonly namespace: string;
}

/** Makes one binding under the names that {@link DistributionBindingsProps} promises. */
export function bind(
  scope: Construct,
  prefix: string,
  binding: DistributionBinding,
  props: KubernetesObjectProps,
): ClusterRoleBinding {
  const { clusterRole } = binding;
  return labelled(
    new ClusterRoleBinding(scope, binding.name, { ...bindingProps(prefix, binding, props), clusterRole }),
    binding,
  );
}

/** The same of a Role. */
export function bindRole(
  scope: Construct,
  prefix: string,
  binding: DistributionRoleBinding,
  props: KubernetesObjectProps,
): RoleBinding {
  const { role, namespace } = binding;
  return labelled(
    new RoleBinding(scope, binding.name, { ...bindingProps(prefix, binding, props), role, namespace }),
    binding,
  );
}

function bindingProps(prefix: string, { name: id, adopt, subjects }: Named, props: KubernetesObjectProps) {
  const name = adopt ?? `${prefix}:${id}`;
  return { name, subjects, address: bindingName(prefix, id), adopt: adopt !== undefined, ...objectProps(props) };
}

function labelled<Made extends ClusterRoleBinding | RoleBinding>(made: Made, { inTable }: Named): Made {
  label(made, { name: made.name, subjectsInTable: inTable.map((subject) => subjectText(subject.toSubject())) });
  return made;
}
