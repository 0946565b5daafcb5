import { App } from "cdktf";
import { PkiError, writeInventories } from "cdktf-kubernetes-pki";
import { Platform } from "./clusters/platform";
import { localState } from "./lib/backend";

try {
  const app = new App();
  new Platform(app, "platform", { backend: localState("state") });
  app.synth();
  writeInventories(app);
} catch (error) {
  if (!(error instanceof PkiError)) {
    throw error;
  }
  // What is wrong with a description is said by the message; where in the library it was found is of no use.
  console.error(error.message);
  process.exitCode = 1;
}
