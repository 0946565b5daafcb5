import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { TerraformStack } from "cdktf";
import { newApp, newStack } from "../../support/synth";

/** A PKI's stack that makes Secrets, too. */
export function deliveryStack(id = "prod-pki", app = newApp()): TerraformStack {
  const stack = newStack(id, app);
  new KubernetesProvider(stack, "kubernetes");
  return stack;
}
