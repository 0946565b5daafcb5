import { App } from "cdktf";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeInventories } from "../../lib";
import { ClusterAccessStack } from "../../stacks/cluster-access-stack";
import { ClusterPkiStack } from "../../stacks/cluster-pki-stack";
import type { SandboxDescription } from "./description";
import { toKubernetesProvider113 } from "./kubernetes-provider-1.13";

/**
 * Writes the stacks of a sandbox: the same as anybody's.
 *
 * @param outdir @default - that which cdktf names
 */
export function synthesize(description: SandboxDescription, outdir?: string): void {
  const app = new App(outdir === undefined ? {} : { outdir });
  const { props, backend, stacks } = description;
  const { pki } = new ClusterPkiStack(app, `${stacks}-pki`, { ...props, backend });
  const access = new ClusterAccessStack(app, `${stacks}-access`, { ...props, ...description.access, backend, pki });
  app.synth();
  writeInventories(app);

  if (description.kubernetesProvider === "1.13.4") {
    const file = path.join(app.outdir, "stacks", access.node.id, "cdk.tf.json");
    writeFileSync(file, JSON.stringify(toKubernetesProvider113(JSON.parse(readFileSync(file, "utf8"))), null, 2));
  }
}
