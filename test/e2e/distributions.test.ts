import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Distribution } from "../../lib";
import { ACCESS_STACK, CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import { distributionNamed, distributionNames } from "../sandbox/distribution";
import { NAMED_WORKER, NODE } from "../matrix/matrix";
import { Sandbox } from "../sandbox/sandbox";
import { describeHandshakes } from "./handshakes";
import { describeIdentities } from "./identities";
import { describeVerify } from "./verifying";

// Distributions that cannot be had here: a control plane of upstream components, on each one's own files and with the flags that it
// passes. kubeadm's is in sandbox.test.ts.

jest.setTimeout(300_000);

/** What kube-controller-manager publishes: k0s' `extraArgs` of the exported configuration, and `runtime.ServerCA` of K3s. */
const ROOT_CA_FILES: Readonly<Record<string, string>> = {
  k0s: "var/lib/k0s/pki/ca-bundle.crt",
  k3s: "var/lib/rancher/k3s/server/tls/server-ca.crt",
  rke2: "var/lib/rancher/rke2/server/tls/server-ca.crt",
};

/** Those that issue their administrators' certificates themselves, with one of ours. */
const WITH_CLUSTER_ADMIN: Readonly<Record<string, Distribution>> = {
  k0s: Distribution.k0s({ clusterAdmin: true }),
  k3s: Distribution.k3s({ clusterAdmin: true }),
  rke2: Distribution.rke2({ clusterAdmin: true }),
};

interface Kept {
  readonly type: string;
  readonly values: { readonly output: { readonly bundle: string } };
}

/** Distributions whose tokens hold the authorities, or their hash. */
function embeds({ table }: Distribution): boolean {
  return table.name in ROOT_CA_FILES;
}

/** Files below a folder with exactly this text. */
function filesWith(folder: string, text: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((file) => {
    const whole = path.join(folder, file);
    return statSync(whole).isFile() && readFileSync(whole, "utf8") === text;
  });
}

describe.each(distributionNames.filter((name) => !name.startsWith("kubeadm")))("%s", (distribution) => {
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

  if (embeds(distributionNamed(distribution))) {
    test("has what a token holds from the cluster: byte for byte what was delivered, and no right on the PKI's state", async () => {
      const pki = path.join(sandbox.folder, "state", `${PKI_STACK}.tfstate`);
      renameSync(pki, `${pki}.away`);
      try {
        const { code, stdout, stderr } = await sandbox.terraform(
          ACCESS_STACK,
          "plan",
          "-detailed-exitcode",
          "-no-color",
        );
        expect({ code, text: `${stdout}${stderr}` }).toEqual({ code: 0, text: expect.stringContaining("No changes.") });
      } finally {
        renameSync(`${pki}.away`, pki);
      }
      const { stdout: state } = await sandbox.terraform(ACCESS_STACK, "show", "-json");
      const { values } = JSON.parse(state) as { values: { root_module: { resources: Kept[] } } };
      const kept = values.root_module.resources.find(({ type }) => type === "terraform_data")!;
      const { stdout: published } = await sandbox.kubectl(
        sandbox.first,
        ...["get", "configmap", "kube-root-ca.crt", "--namespace=kube-system", "--output=json"],
      );
      expect(kept.values.output.bundle).toBe(
        (JSON.parse(published) as { data: Record<string, string> }).data["ca.crt"],
      );
      // The file that the controller-manager was told to publish.
      const delivered = filesWith(sandbox.machine(CONTROL_PLANE), kept.values.output.bundle);
      expect(delivered).toContain(ROOT_CA_FILES[distribution]);
      expect(state).not.toContain("PRIVATE KEY");
    });
  }

  const ours = WITH_CLUSTER_ADMIN[distribution]?.table;
  if (ours !== undefined) {
    test("lets the operator of the option clusterAdmin do everything once it applied the manifest, and nothing before", async () => {
      const { commonName, organization } = ours.certificates["cluster-admin"]!;
      const mayDoEverything = async () => {
        const asked = await sandbox.kubectl(
          sandbox.first,
          ...["auth", "can-i", "*", "*", "--all-namespaces", `--as=${commonName}`, `--as-group=${organization}`],
        );
        return asked.stdout.trim();
      };
      expect(await mayDoEverything()).toBe("no");
      const manifest = path.join(folder, "cluster-admins.yaml");
      writeFileSync(manifest, ours.configuration.find(({ path: file }) => file.includes("/manifests/"))!.text);
      const { code } = await sandbox.kubectl(sandbox.first, "apply", "--filename", manifest);
      expect(code).toBe(0);
      expect(await mayDoEverything()).toBe("yes");
      await sandbox.kubectl(sandbox.first, "delete", "--filename", manifest);
      expect(await mayDoEverything()).toBe("no");
    });
  }

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
