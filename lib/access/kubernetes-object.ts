import { ITerraformDependable, TerraformProvider } from "cdktf";

/** Props of every construct that makes objects in the API server. */
export interface KubernetesObjectProps {
  /**
   * The kubernetes provider for the API server that the objects go to.
   * @default - the stack's kubernetes provider
   */
  readonly provider?: TerraformProvider;
  /**
   * Terraform elements that are applied before. Give them here: cdktf ignores `node.addDependency`.
   * @default - none
   */
  readonly dependsOn?: readonly ITerraformDependable[];
  /**
   * Labels of each object.
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Annotations of each object.
   * @default - none
   */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The props that are passed on from a construct to those in it. */
export function objectProps({
  provider,
  dependsOn,
  labels,
  annotations,
}: KubernetesObjectProps): KubernetesObjectProps {
  return { provider, dependsOn, labels, annotations };
}

/** The props that are Terraform's, not the object's. */
export function metaArguments({ provider, dependsOn }: KubernetesObjectProps) {
  return { provider, dependsOn: dependsOn && [...dependsOn] };
}

/** The props that are part of the object's metadata. */
export function metadata({ labels, annotations }: KubernetesObjectProps) {
  return { labels: labels && { ...labels }, annotations: annotations && { ...annotations } };
}
