import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { TerraformStack } from "cdktf";
import { ClusterPki, type ClusterPkiProps } from "cdktf-kubernetes-pki";
import { Construct } from "constructs";
import type { Backend } from "./backend";

/** Props of a {@link PlatformCluster}: those of its PKI, and where its states are. */
export interface PlatformClusterProps extends ClusterPkiProps {
  /** Backend of every stack of the cluster. */
  readonly backend: Backend;
}

/**
 * A cluster of the platform: a stack `<name>-pki` with its identity, and what each kind of cluster adds to it.
 *
 * It may stand anywhere in the tree and be moved: no Terraform address depends on where. The stack's id alone names the state.
 */
export abstract class PlatformCluster extends Construct {
  /** The cluster's PKI. */
  public readonly pki: ClusterPki;
  /** The stack of the PKI. Its state holds every private key of the cluster. */
  protected readonly pkiStack: TerraformStack;

  public constructor(scope: Construct, id: string, { backend, ...pkiProps }: PlatformClusterProps) {
    super(scope, id);
    this.pkiStack = this.stack("pki", backend);
    new TlsProvider(this.pkiStack, "tls");
    this.pki = new ClusterPki(this.pkiStack, "pki", pkiProps);
    this.deliver(backend);
  }

  /** Makes what brings the identity to where it is used. It runs before a subclass has fields of its own. */
  protected abstract deliver(backend: Backend): void;

  /**
   * A stack `<cluster's name>-<purpose>`: the id of this construct is the cluster's name, as `Region.cluster` has it.
   *
   * @throws Error where another cluster has that name: cdktf writes two stacks of one id to one folder, and says nothing
   */
  protected stack(purpose: string, backend: Backend): TerraformStack {
    const id = `${this.node.id}-${purpose}`;
    const taken = this.node.root.node.findAll().find((node) => TerraformStack.isStack(node) && node.node.id === id);
    if (taken) {
      throw new Error(`${this.node.path}: there is a stack ${id} at ${taken.node.path}: give one cluster another name`);
    }
    const stack = new TerraformStack(this, id);
    backend(stack);
    return stack;
  }
}
