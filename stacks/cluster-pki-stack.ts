import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { ClusterPki, ClusterPkiProps } from "../lib";
import { Backend } from "./backend";

/** Props of a {@link ClusterPkiStack}. */
export interface ClusterPkiStackProps extends ClusterPkiProps {
  readonly backend: Backend;
}

/** A cluster's PKI and nothing else. Its state holds every private key: only who may read those may read it. */
export class ClusterPkiStack extends TerraformStack {
  public readonly pki: ClusterPki;

  public constructor(scope: Construct, id: string, { backend, ...props }: ClusterPkiStackProps) {
    super(scope, id);
    backend(this);
    new TlsProvider(this, "tls");
    this.pki = new ClusterPki(this, "pki", props);
  }
}
