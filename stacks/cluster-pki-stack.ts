import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { ClusterPki, ClusterPkiProps, ClusterSecrets, JoinPassword } from "../lib";
import { Backend } from "./backend";

/** What may be chosen for how a cluster's identity is delivered. */
export interface DeliveryOptions {
  /**
   * Passwords with which machines join, by the distribution's names.
   * @default - all that the distribution has: `server` and `agent` for K3s and RKE2
   */
  readonly joinPasswords?: readonly string[];
  /**
   * Namespace of the cluster's own object in a management cluster, where the distribution keeps its identity in Secrets. Terraform
   * finds that cluster through `KUBE_CONFIG_PATH`.
   * @default - no Secrets
   */
  readonly secretsNamespace?: string;
}

/** Props of a {@link ClusterPkiStack}. */
export interface ClusterPkiStackProps extends ClusterPkiProps, DeliveryOptions {
  readonly backend: Backend;
}

/** A cluster's PKI, and what it is delivered with. Its state holds every private key: only who may read those may read it. */
export class ClusterPkiStack extends TerraformStack {
  public readonly pki: ClusterPki;

  public constructor(scope: Construct, id: string, props: ClusterPkiStackProps) {
    super(scope, id);
    const { backend, secretsNamespace, joinPasswords, ...pkiProps } = props;
    backend(this);
    new TlsProvider(this, "tls");
    this.pki = new ClusterPki(this, "pki", pkiProps);
    const passwords = joinPasswords ?? Object.keys(props.distribution.table.joinPasswords ?? {});
    if (passwords.length > 0) {
      new RandomProvider(this, "random");
      passwords.forEach((joins) => new JoinPassword(this, joins, { pki: this.pki }));
    }
    if (secretsNamespace !== undefined) {
      new KubernetesProvider(this, "kubernetes");
      new ClusterSecrets(this, "secrets", { pki: this.pki, namespace: secretsNamespace });
    }
  }
}
