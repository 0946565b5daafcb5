import { DataResource, TerraformStack } from "cdktf";
import { ConfigMapV1 } from "@cdktf/provider-kubernetes/lib/config-map-v1";
import { RoleV1 } from "@cdktf/provider-kubernetes/lib/role-v1";
import { Construct } from "constructs";
import { type Cluster, hostAndPort, hostPort } from "../kubernetes/cluster";
import type { Content } from "../kubernetes/content";
import { toOperand, toTerraform } from "../kubernetes/content-readers";
import { discoveryKubeconfig } from "../kubernetes/kubeconfig";
import { condition } from "../terraform/condition";
import { inventoried } from "../terraform/inventoried";
import { bindingName, clusterInfoName, roleName } from "../terraform/names";
import { pin } from "../terraform/pin";
import { addBlock } from "../terraform/registry";
import { KubernetesObjectProps, metaArguments, metadata, objectProps } from "./kubernetes-object";
import { User } from "./rbac-subject";
import { RoleBinding } from "./role-binding";

/** The ConfigMap. Clients look for it nowhere else. */
export const CLUSTER_INFO = { name: "cluster-info", namespace: "kube-public" };

/** Props of {@link ClusterInfo}. */
export interface ClusterInfoProps extends KubernetesObjectProps {
  /** First part of the names of its resources, and of the Role and its binding. */
  readonly addressPrefix: string;
  /** Where the API server is. */
  readonly cluster: Pick<Cluster, "endpoint">;
  /** PEM of the authorities the API server may be signed by: the whole bundle. */
  readonly certificateAuthority: Content;
  /**
   * Name of the Role and of its binding where the distribution makes all three objects, and they are taken over.
   * @default - they are made
   */
  readonly adopt?: string;
}

/**
 * What a machine finds a cluster by that has nothing but a token: the ConfigMap `cluster-info` of `kube-public`, with the endpoint and the
 * authorities, which everybody may read. kube-controller-manager signs it with the secret of each token that signs, and who knows that
 * secret sees whether it is the cluster's own. It is what `kubeadm init` makes.
 *
 * The signatures are the signer's, beside what is signed, so that a plan takes the whole as it is. When endpoint or authorities are others,
 * the ConfigMap is made anew, and signed anew within seconds. Where somebody else changed what is signed, Terraform stops. What the
 * distribution made is taken over as it is; OpenTofu 1.12 makes it anew, since what it is compared by is new as well.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#configmap-signing
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/phases/bootstraptoken/clusterinfo/clusterinfo.go
 */
export class ClusterInfo extends Construct {
  /** The L1 of what tells that the ConfigMap has to be another one. */
  public readonly contents: DataResource;
  /** The L1 of the ConfigMap. */
  public readonly resource: ConfigMapV1;
  /** The L1 of the Role by which it may be read. */
  public readonly role: RoleV1;
  /** The binding of that Role to everybody. */
  public readonly binding: RoleBinding;

  public constructor(scope: Construct, id: string, props: ClusterInfoProps) {
    super(scope, id);
    const { addressPrefix, adopt } = props;
    const meta = metaArguments(props);
    const name = clusterInfoName(addressPrefix);
    const server = `https://${hostPort(hostAndPort(props.cluster.endpoint))}`;
    const kubeconfig = discoveryKubeconfig(server, props.certificateAuthority);
    this.contents = new DataResource(this, "Contents", { input: { sha256: toTerraform({ sha256: kubeconfig }) } });
    const contents = pin(this.contents, name);
    const unchanged = condition(`self.data["kubeconfig"] == ${toOperand(kubeconfig)}`, {
      code: "cluster-info",
      at: `ConfigMap ${CLUSTER_INFO.name} of ${CLUSTER_INFO.namespace}`,
      allowed: "the endpoint and the authorities of this stack: somebody else changed them",
      fix: "find out who did, and delete the ConfigMap: the next apply makes it again",
    });
    this.resource = new ConfigMapV1(this, "Resource", {
      metadata: { ...CLUSTER_INFO, ...metadata(props) },
      data: { kubeconfig: toTerraform(kubeconfig) },
      lifecycle: { ignoreChanges: ["data"], replaceTriggeredBy: [contents], postcondition: [unchanged] },
      ...meta,
    });
    const address = pin(this.resource, name);

    const object = { name: adopt ?? `${addressPrefix}:cluster-info`, namespace: CLUSTER_INFO.namespace };
    const rule = { apiGroups: [""], resources: ["configmaps"], resourceNames: [CLUSTER_INFO.name], verbs: ["get"] };
    this.role = new RoleV1(this, "Role", { metadata: { ...object, ...metadata(props) }, rule: [rule], ...meta });
    const role = pin(this.role, roleName(addressPrefix, "cluster-info"));
    const entry = {
      kind: "role",
      ...object,
      addresses: [role],
      rules: [`get configmaps named ${CLUSTER_INFO.name}`],
    } as const;
    inventoried(this, { entries: () => [entry] });
    this.binding = new RoleBinding(this, "binding", {
      ...object,
      role: object.name,
      subjects: [User.named("system:anonymous")],
      address: bindingName(addressPrefix, "cluster-info"),
      adopt: adopt !== undefined,
      ...objectProps(props),
    });
    if (adopt !== undefined) {
      const stack = TerraformStack.of(this);
      addBlock(stack, "import", { to: address, id: `${CLUSTER_INFO.namespace}/${CLUSTER_INFO.name}` });
      addBlock(stack, "import", { to: role, id: `${object.namespace}/${object.name}` });
    }
  }
}
