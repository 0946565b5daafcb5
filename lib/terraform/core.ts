import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { PkiError } from "../errors";

/** The method of CDK Terrain's stack that calls on each element what cdktf's has not. */
const OF_CDK_TERRAIN = "_runPreparingResolve";

/**
 * Refuses a stack of CDK Terrain in a program where this library and the bindings of providers load cdktf: the stack would call what
 * their elements do not have, and end in a TypeError at synth.
 *
 * @throws PkiError in such a program
 */
export function checkCore(construct: Construct): void {
  const stack = construct.node.scopes.find((scope) => TerraformStack.isStack(scope));
  if (stack && OF_CDK_TERRAIN in stack && !(OF_CDK_TERRAIN in TerraformStack.prototype)) {
    throw new PkiError(construct.node.path, [
      {
        code: "two-cores",
        at: "scope",
        given: "a stack of CDK Terrain, where cdktf is another package",
        allowed: "a stack of the package that is installed as cdktf",
        fix: 'write "cdktf": "npm:cdktn@…" into both the dependencies and the overrides of package.json, and import from "cdktf" alone',
      },
    ]);
  }
}
