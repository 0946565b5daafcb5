import { TerraformStack } from "cdktf";

/** The stack's `cdk.tf.json`, parsed. As `app.synth()` does and `Testing.synth` does not, it runs all validations. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look anywhere into it
export function synth(stack: TerraformStack): any {
  stack.prepareStack();
  stack.runAllValidations();
  return JSON.parse(JSON.stringify(stack.toTerraform()));
}
