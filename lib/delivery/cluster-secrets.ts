import { inventoried } from "../terraform/inventoried";
import { secretFiles } from "./secret-files";
import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1";
import { Annotations, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { constructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, flag, instanceOf, name as nameShape, optional, text } from "../terraform/shape";
import {
  checkNamespace,
  metaArguments,
  metadata,
  KubernetesObjectProps,
  OBJECT_FIELDS,
} from "../access/kubernetes-object";
import { Problems } from "../errors";
import { claimPrefix } from "../terraform/registry";
import { movedFrom } from "../terraform/moves";
import { pin } from "../terraform/pin";
import { checkAddressPrefix, checkMovedFrom, secretName } from "../terraform/names";
import { ClusterPki } from "../kubernetes/cluster-pki";
import { ClusterSecret } from "../kubernetes/cluster-files";
import { toTerraform } from "../kubernetes/content-readers";

/** Props of {@link ClusterSecrets}. */
export interface ClusterSecretsProps extends KubernetesObjectProps {
  /** The PKI that is delivered: of the same stack, and of a distribution that is delivered as Secrets. */
  readonly pki: ClusterPki;
  /** Namespace of the Secrets: that of the Cluster object. It exists. */
  readonly namespace: string;
  /**
   * First part of the Terraform name of every Secret, `[a-z][a-z0-9-]*`: `<addressPrefix>__secret__<name>`. It never changes once it
   * was deployed.
   * @default - the PKI's
   */
  readonly addressPrefix?: string;
  /**
   * The `addressPrefix` that the Secrets had before: they are moved, not replaced.
   * @default - the PKI's `movedFrom`, where the Secrets have the PKI's prefix
   */
  readonly movedFrom?: string;
  /**
   * Makes Terraform refuse every plan that would destroy one of the Secrets, such as that of `terraform destroy`: machines that are made
   * afterwards would get another identity than the existing ones.
   * @default true
   */
  readonly deletionProtection?: boolean;
}

const PROPS = fields({
  ...OBJECT_FIELDS,
  pki: instanceOf(ClusterPki, "the ClusterPki"),
  namespace: text('"default"'),
  addressPrefix: optional(nameShape("prod")),
  movedFrom: optional(nameShape("old-prefix")),
  deletionProtection: optional(flag),
} satisfies Fields<ClusterSecretsProps>);

/**
 * The Secrets of a management cluster from which Cluster API makes a cluster, with the names, types, labels and keys that it expects. Apply
 * them before the Cluster object exists: otherwise Cluster API generates authorities of its own.
 *
 * The stack needs a kubernetes provider for the management cluster. `labels` are added to those of the distribution, which stay.
 *
 * In the Terraform state: what is in the Secrets, in clear, private keys of authorities included, beside those of the PKI. It must be in
 * the PKI's stack: no private key goes through an output.
 *
 * @throws PkiError when the PKI is in another stack, or its distribution has no Secrets
 * @see https://cluster-api.sigs.k8s.io/tasks/certs/using-custom-certificates
 */
export class ClusterSecrets extends Construct {
  /** Namespace of the Secrets. */
  public readonly namespace: string;
  /** The Secrets, as data. */
  public readonly secrets: readonly ClusterSecret[];
  /** The L1s, by name of the Secret. */
  public readonly resources: Readonly<Record<string, SecretV1>>;

  public constructor(scope: Construct, id: string, props: ClusterSecretsProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const { pki, namespace, deletionProtection = true } = props;
    const prefix = props.addressPrefix ?? pki.addressPrefix;
    this.check(prefix, props);
    claimPrefix(TerraformStack.of(this), "secrets", prefix, this.node.path);

    this.namespace = namespace;
    this.secrets = pki.secrets;
    const made = pki.secrets.map(({ name, type, labels, data }) => {
      const resource = new SecretV1(this, name, {
        metadata: { name, namespace, ...metadata({ ...props, labels: { ...props.labels, ...labels } }) },
        type,
        data: Object.fromEntries(Object.entries(data).map(([key, content]) => [key, toTerraform(content)])),
        lifecycle: deletionProtection ? { preventDestroy: true } : undefined,
        ...metaArguments(props),
      });
      pin(resource, secretName(prefix, name), "addressPrefix");
      return [name, resource] as const;
    });
    this.resources = Object.fromEntries(made);
    const before = beforeOf(prefix, props);
    if (before !== undefined) {
      movedFrom(this, before, prefix);
    }
    inventoried(this, { files: () => this.secrets.flatMap(({ name, data }) => secretFiles(namespace, name, data)) });
    if (!deletionProtection) {
      Annotations.of(this).addWarning(
        "deletionProtection is off: a plan may destroy the Secrets a cluster is made from",
      );
    }
  }

  private check(prefix: string, { pki, namespace, movedFrom: before }: ClusterSecretsProps): void {
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    checkMovedFrom(before, prefix, problems);
    checkNamespace(namespace, problems);
    const [own, others] = [TerraformStack.of(this), TerraformStack.of(pki)];
    if (own !== others) {
      const fix = `make the Secrets in stack ${others.node.id}: no private key goes through an output`;
      problems.add({
        code: "other-stack",
        at: "pki",
        given: `one of stack ${others.node.id}`,
        allowed: `one of stack ${own.node.id}`,
        fix,
      });
    }
    if (pki.secrets.length === 0) {
      const fix = "use files, or Distribution.CLUSTER_API";
      problems.add({
        code: "no-secrets",
        at: "pki",
        given: "one whose distribution has no Secrets",
        allowed: "one that has",
        fix,
      });
    }
    problems.throwIfAny(this.node.path);
  }
}

/** The prefix that the Secrets had before; undefined where they had this one. */
function beforeOf(prefix: string, { pki, movedFrom: before }: ClusterSecretsProps): string | undefined {
  return before ?? (prefix === pki.addressPrefix ? pki.movedFrom : undefined);
}
