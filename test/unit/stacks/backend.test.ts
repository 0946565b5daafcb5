import { TerraformStack } from "cdktf";
import { localState, s3State } from "../../../stacks/backend";
import { newApp, terraformOf } from "../../support/synth";

function backendOf(backend: (stack: TerraformStack) => void) {
  const stack = new TerraformStack(newApp(), "prod-pki");
  backend(stack);
  return terraformOf(stack).terraform.backend;
}

test("a local state is beside the output folder, which cdktf empties", () => {
  expect(backendOf(localState("state"))).toEqual({ local: { path: "../../../state/prod-pki.tfstate" } });
});

test("a state in S3 is encrypted, locked there, and named after its stack", () => {
  expect(backendOf(s3State({ bucket: "states", region: "eu-central-1" }))).toEqual({
    s3: { bucket: "states", region: "eu-central-1", key: "prod-pki.tfstate", encrypt: true, use_lockfile: true },
  });
});

test("a state in S3 may be unencrypted by us when the bucket says so itself", () => {
  expect(backendOf(s3State({ bucket: "states", encrypt: false })).s3).toMatchObject({ encrypt: false });
});
