import { App, ref, Token } from "cdktf";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeInventories } from "../../lib";
import { AccessOptions, ClusterAccessStack } from "../../stacks/cluster-access-stack";
import { ClusterPkiStack } from "../../stacks/cluster-pki-stack";
import { SandboxDescription } from "./description";
import { toKubernetesProvider113 } from "./kubernetes-provider-1.13";

// The app that `cdktf deploy` runs for the sandbox: the same stacks as anybody's, from a description in the environment.
const description = SandboxDescription.fromEnvironment();
const app = new App();
const { props, backend, stacks } = description;
const { pki } = new ClusterPkiStack(app, `${stacks}-pki`, { ...props, backend });
const access = new ClusterAccessStack(app, `${stacks}-access`, { ...props, ...accessOptions(), backend, pki });
if (description.tokenFromOutside !== undefined) {
  access.addOverride("variable.outside", { type: "string", sensitive: true });
}
app.synth();
writeInventories(app);

if (description.kubernetesProvider === "1.13.4") {
  const file = path.join(app.outdir, "stacks", access.node.id, "cdk.tf.json");
  writeFileSync(file, JSON.stringify(toKubernetesProvider113(JSON.parse(readFileSync(file, "utf8"))), null, 2));
}

/** Its secret is a variable of the stack, which is not there yet. */
function accessOptions(): AccessOptions {
  const { access, tokenFromOutside } = description;
  if (tokenFromOutside === undefined) {
    return access;
  }
  const token = { id: "abcdef", secret: Token.asString(ref("var.outside")) };
  return { ...access, tokens: { ...access.tokens, [tokenFromOutside]: { token, expires: "never" } } };
}
