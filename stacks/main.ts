import { App } from "cdktf";
import { PkiError, writeInventories } from "../lib";
import { ClusterAccessStack } from "./cluster-access-stack";
import { ClusterPkiStack } from "./cluster-pki-stack";
import { clusters } from "./clusters";

try {
  const app = new App();
  for (const { access, ...config } of clusters) {
    const { backend, cluster } = config;
    const { pki } = new ClusterPkiStack(app, `${cluster.name}-pki`, config);
    if (access !== false) {
      new ClusterAccessStack(app, `${cluster.name}-access`, { ...access, pki, backend });
    }
  }
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
