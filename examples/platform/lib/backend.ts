import { LocalBackend, type TerraformStack } from "cdktf";

/** Gives a stack its backend. Every stack names one: cdktf's default is a local state at an absolute path. */
export type Backend = (stack: TerraformStack) => void;

/**
 * State in `<folder>/<stack>.tfstate`, beside the output folder. Good for a first look: such a file holds every private key in clear.
 * A platform takes an encrypted backend with few readers, such as `S3Backend` with KMS, one key for each stack.
 */
export function localState(folder: string): Backend {
  return (stack) => {
    // Terraform runs in <output folder>/stacks/<stack>.
    new LocalBackend(stack, { path: `../../../${folder}/${stack.node.id}.tfstate` });
  };
}
