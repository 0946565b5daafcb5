import { TerraformResource, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { addressOf } from "./address";
import { withPrefix } from "./names";
import { addBlock } from "./registry";

/** Tells Terraform that every resource below a construct had its name with another prefix before. */
export function movedFrom(scope: Construct, before: string, prefix: string): void {
  const stack = TerraformStack.of(scope);
  const resources = scope.node.findAll().filter((node) => TerraformResource.isTerraformResource(node));
  for (const to of resources.map((resource) => addressOf(resource)!)) {
    const [type, name] = to.split(".") as [string, string];
    addBlock(stack, "moved", { from: `${type}.${withPrefix(name, prefix, before)}`, to });
  }
}
