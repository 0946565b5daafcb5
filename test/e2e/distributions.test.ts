import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { distributionNamed, distributionNames } from "../sandbox/distribution";
import { Sandbox } from "../sandbox/sandbox";
import { describeHandshakes } from "./handshakes";
import { describeIdentities, NAMED_WORKER } from "./identities";
import { describeVerify } from "./verifying";

// Distributions that cannot be had here: a control plane of upstream components, on each one's own files and with the flags that it
// passes. kubeadm's is in sandbox.test.ts.

jest.setTimeout(300_000);

const NODE = "node-1";

describe.each(distributionNames.filter((name) => name !== "kubeadm"))("%s", (distribution) => {
  let folder: string;
  let sandbox: Sandbox;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), `sandbox-${distribution}-`));
    sandbox = await Sandbox.start({
      distribution,
      folder: path.join(folder, "sandbox"),
      nodes: [NODE],
      workers: [NAMED_WORKER],
      progress: () => undefined,
    });
  });

  afterAll(async () => {
    await sandbox?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("boots from its own files, and the API server is ready", async () => {
    const { stdout } = await sandbox.kubectl(sandbox.first, "get", "--raw=/readyz");
    expect(stdout).toBe("ok");
  });

  test("is joined by a node, as itself", async () => {
    const { nodes, identities } = await sandbox.report();
    expect(nodes).toEqual([{ name: NODE, ready: true }]);
    expect(identities.map(({ user }) => user)).toEqual(identities.map(({ expectedUser }) => expectedUser));
  });

  describeHandshakes(
    () => distributionNamed(distribution).table,
    () => sandbox,
  );

  describeVerify(() => sandbox);

  describeIdentities(distribution, NODE, () => sandbox);
});
