import { LocalBackend, S3Backend, S3BackendConfig, TerraformStack } from "cdktf";

/** Gives a stack its backend. Every stack names one: cdktf's default is a local state at an absolute path. */
export type Backend = (stack: TerraformStack) => void;

/**
 * State in `<folder>/<stack>.tfstate`, beside the output folder: `cdktf synth` deletes the folders of stacks that are no longer in
 * the app, and with them a state that is inside.
 *
 * Such a file holds every private key in clear: keep it on one encrypted disk, or use another backend.
 *
 * @param folder relative to the folder that holds the output folder
 */
export function localState(folder: string): Backend {
  return (stack) => {
    // Terraform runs in <output folder>/stacks/<stack>.
    new LocalBackend(stack, { path: `../../../${folder}/${stack.node.id}.tfstate` });
  };
}

/** State in an S3 bucket, encrypted and locked there; `key` is `<stack>.tfstate`. */
export function s3State(bucket: Omit<S3BackendConfig, "key">): Backend {
  return (stack) => {
    const backend = new S3Backend(stack, { encrypt: true, ...bucket, key: `${stack.node.id}.tfstate` });
    // cdktf 0.21 knows of no lock but DynamoDB's.
    backend.addOverride("use_lockfile", true);
  };
}
