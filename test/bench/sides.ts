import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { App, LocalBackend, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { Cluster, Distribution } from "../../lib";
import { ClusterPkiStack } from "../../stacks/cluster-pki-stack";
import { stackId } from "./clusters";
import { HandWrittenStack } from "./hand-written";

/** The library, what is written without it, and the least that Terraform can be asked for. */
export type Side = "library" | "hand-written" | "one key";

const BUILDERS: Readonly<Record<Side, (app: App, id: string, cluster: Cluster) => void>> = {
  library: (app, id, cluster) =>
    new ClusterPkiStack(app, id, {
      distribution: Distribution.KUBEADM,
      cluster,
      backend: (stack) => new LocalBackend(stack, { path: "terraform.tfstate" }),
    }),
  "hand-written": (app, id, cluster) => new HandWrittenStack(app, id, cluster),
  "one key": (app, id) => new OneKeyStack(app, id),
};

class OneKeyStack extends TerraformStack {
  public constructor(scope: Construct, id: string) {
    super(scope, id);
    new LocalBackend(this, { path: "terraform.tfstate" });
    new TlsProvider(this, "tls");
    new PrivateKey(this, "key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
  }
}

/** One app with one stack for each cluster, not synthesized yet. */
export function appOf(side: Side, clusters: readonly Cluster[], outdir: string): App {
  const app = new App({ outdir });
  clusters.forEach((cluster) => BUILDERS[side](app, stackId(cluster.name), cluster));
  return app;
}
