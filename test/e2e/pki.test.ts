import { TerraformOutput, TerraformStack } from "cdktf";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ClusterPki, ClusterPkiProps, Distribution, Generation, toTerraform, Validity } from "../../lib";
import { attempt, run } from "../sandbox/command";
import { Workspace } from "./workspace";

const CLUSTER = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [
    { name: "cp-1", addresses: ["10.0.0.11"] },
    { name: "cp-2", addresses: ["10.0.0.12"] },
  ],
  workers: [{ name: "worker-1" }],
};
const HOLDERS = { "cp-1": ["--machine", "cp-1"], "cp-2": ["--machine", "cp-2"], "worker-1": ["--machine", "worker-1"] };

jest.setTimeout(300_000);

let workspace: Workspace;
/** Exported trees by holder. */
const trees: Record<string, string> = {};

function pki(stack: TerraformStack, props: Partial<ClusterPkiProps> = {}): ClusterPki {
  return new ClusterPki(stack, "pki", {
    addressPrefix: "pki",
    distribution: Distribution.KUBEADM,
    cluster: CLUSTER,
    ...props,
  });
}

beforeAll(async () => {
  workspace = await Workspace.create();
  workspace.synth("prod", (stack) => {
    const made = pki(stack);
    // The other interpreter of every file, so that the two can be compared.
    for (const machine of [...made.machines, "worker", "operator"]) {
      const rendered = Object.fromEntries(made.files(machine).map(({ path, content }) => [path, toTerraform(content)]));
      new TerraformOutput(stack, `rendered-${machine}`, { value: rendered, sensitive: true, staticId: true });
    }
  });
  await workspace.apply("prod");
  for (const [name, who] of Object.entries(HOLDERS)) {
    trees[name] = await workspace.export(who, name, "prod");
  }
  trees["worker"] = await workspace.export(["--worker"], "worker", "prod");
  trees["operator"] = await workspace.export(["--operator"], "operator", "prod");
});

afterAll(() => workspace?.remove());

/** Without the records of what was exported. */
function filesIn(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((file) => statSync(path.join(root, file)).isFile() && !/^(var\/lib\/|\.)kubernetes-pki\//.test(file))
    .sort();
}

function read(holder: string, file: string): string {
  return readFileSync(path.join(trees[holder]!, file), "utf8");
}

function certificate(file: string, holder = "cp-1"): X509Certificate {
  return new X509Certificate(read(holder, `etc/kubernetes/pki/${file}.crt`));
}

/** The field of a kubeconfig, decoded where it is data. */
function field(kubeconfig: string, name: string): string {
  const value = new RegExp(`^ *${name}: (.*)$`, "m").exec(kubeconfig)![1]!;
  return name.endsWith("-data") ? Buffer.from(value, "base64").toString() : value;
}

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

describe("certificates", () => {
  const authorities = ["ca", "front-proxy-ca", "etcd/ca"];
  let leaves: string[];

  beforeAll(() => {
    leaves = filesIn(path.join(trees["cp-1"]!, "etc/kubernetes/pki"))
      .flatMap((file) => /^(.*)\.crt$/.exec(file)?.[1] ?? [])
      .filter((name) => ![...authorities, "ca-signing"].includes(name));
    expect(leaves).toHaveLength(7);
  });

  test("verify for their purposes and for no other, with keys of their own", async () => {
    const folder = path.join(trees["cp-1"]!, "etc/kubernetes/pki");
    for (const leaf of leaves) {
      const found = certificate(leaf);
      const authority = authorities.find((name) => found.checkIssued(certificate(name)))!;
      const verifies = async (purpose: string) => {
        const files = ["-CAfile", path.join(folder, `${authority}.crt`), path.join(folder, `${leaf}.crt`)];
        return (await attempt("openssl", ["verify", "-purpose", purpose, "-x509_strict", ...files])).code === 0;
      };
      expect([leaf, await verifies("sslserver"), await verifies("sslclient")]).toEqual([
        leaf,
        found.keyUsage.includes(SERVER_AUTH),
        found.keyUsage.includes(CLIENT_AUTH),
      ]);
      const key = read("cp-1", `etc/kubernetes/pki/${leaf}.key`);
      expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
      expect(found.checkPrivateKey(createPrivateKey(key))).toBe(true);
      const text = await run("openssl", ["x509", "-noout", "-text"], { input: found.toString() });
      expect(text).toContain("X509v3 Authority Key Identifier");
    }
  });

  test.each(authorities)("the authority %s may sign revocation lists, for ten years", async (file) => {
    const found = certificate(file);
    const text = await run("openssl", ["x509", "-noout", "-text"], { input: found.toString() });
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n/);
    expect((Date.parse(found.validTo) - Date.parse(found.validFrom)) / 3_600_000).toBe(87600);
  });

  test("a leaf is valid for a year", () => {
    const { validFrom, validTo } = certificate("apiserver");
    expect((Date.parse(validTo) - Date.parse(validFrom)) / 3_600_000).toBe(8760);
  });

  test("sa.pub is the public key of sa.key", async () => {
    const folder = path.join(trees["cp-1"]!, "etc/kubernetes/pki");
    const derived = await run("openssl", ["pkey", "-pubout", "-in", path.join(folder, "sa.key")]);
    expect(read("cp-1", "etc/kubernetes/pki/sa.pub")).toBe(derived);
  });
});

describe("keys", () => {
  test("no leaf key has two identities or is on two machines", () => {
    const owners = new Map<string, string[]>();
    for (const holder of Object.keys(trees)) {
      for (const file of filesIn(trees[holder]!)) {
        const text = read(holder, file);
        const key = text.includes("client-key-data") ? field(text, "client-key-data") : text;
        if (key.includes("PRIVATE KEY")) {
          owners.set(key, [...(owners.get(key) ?? []), `${holder} ${file}`]);
        }
      }
    }
    const shared = [...owners.values()].filter((files) => files.length > 1);
    const authorities = ["ca", "etcd/ca", "front-proxy-ca", "sa"].map((name) => `etc/kubernetes/pki/${name}.key`);
    expect(shared.sort()).toEqual(authorities.map((file) => [`cp-1 ${file}`, `cp-2 ${file}`]).sort());
  });

  test("the list of shared files is exact", () => {
    const same = filesIn(trees["cp-1"]!).filter(
      (file) => existsSync(path.join(trees["cp-2"]!, file)) && read("cp-1", file) === read("cp-2", file),
    );
    expect(same).toEqual([
      "etc/kubernetes/pki/ca-signing.crt",
      "etc/kubernetes/pki/ca.crt",
      "etc/kubernetes/pki/ca.key",
      "etc/kubernetes/pki/etcd/ca.crt",
      "etc/kubernetes/pki/etcd/ca.key",
      "etc/kubernetes/pki/front-proxy-ca.crt",
      "etc/kubernetes/pki/front-proxy-ca.key",
      "etc/kubernetes/pki/sa.key",
      "etc/kubernetes/pki/sa.pub",
    ]);
    expect(filesIn(trees["worker"]!)).toEqual(["etc/kubernetes/pki/ca.crt"]);
    expect(filesIn(trees["worker-1"]!)).toEqual([
      "etc/kubernetes/join-configuration.yaml",
      "etc/kubernetes/kubelet.conf",
      "etc/kubernetes/pki/ca.crt",
    ]);
    expect(filesIn(trees["operator"]!)).toEqual(["admin.conf", "super-admin.conf"]);
  });

  test("only the owner reads what holds a key", () => {
    for (const holder of Object.keys(trees)) {
      for (const file of filesIn(trees[holder]!)) {
        const secret = /PRIVATE KEY|client-key-data/.test(read(holder, file));
        const mode = (statSync(path.join(trees[holder]!, file)).mode & 0o777).toString(8);
        expect(`${file} ${mode}`).toBe(`${file} ${secret ? "600" : "644"}`);
      }
    }
  });

  test("nobody in system:masters is on a machine", () => {
    for (const holder of ["cp-1", "cp-2", "worker-1", "worker"]) {
      for (const file of filesIn(trees[holder]!).filter((name) => name.endsWith(".conf"))) {
        const { subject } = new X509Certificate(field(read(holder, file), "client-certificate-data"));
        expect(subject).not.toContain("system:masters");
      }
    }
  });

  test("no output holds a secret", async () => {
    const { values } = JSON.parse(await workspace.show("prod")) as {
      values: { outputs: Record<string, { value: unknown; sensitive: boolean }> };
    };
    const ours = Object.entries(values.outputs).filter(([name]) => !name.startsWith("rendered-"));
    expect(ours.map(([name]) => name).sort()).toEqual(["pki_certificates", "pki_files", "pki_fingerprints"]);
    expect(JSON.stringify(Object.fromEntries(ours))).not.toContain("PRIVATE KEY-----");
    expect(ours.every(([, output]) => !output.sensitive)).toBe(true);
  });

  test("both interpreters of every file agree byte for byte", async () => {
    const { values } = JSON.parse(await workspace.show("prod")) as {
      values: { outputs: Record<string, { value: Record<string, string> }> };
    };
    for (const [holder, root] of Object.entries(trees)) {
      const exported = Object.fromEntries(filesIn(root).map((file) => [`/${file}`, read(holder, file)]));
      expect(exported).toEqual(values.outputs[`rendered-${holder}`]!.value);
    }
  });
});

describe("plans", () => {
  test("a second plan is empty", async () => {
    const { code } = await workspace.terraform("prod", "plan", "-detailed-exitcode");
    expect(code).toBe(0);
  });

  test("one more name of cp-1 plans one request and one certificate", async () => {
    await applied("san", {});
    const [first, second] = CLUSTER.controlPlanes;
    const controlPlanes = [{ ...first!, extraSans: ["cp-1.internal.example.com"] }, second!];
    workspace.synth("san", (stack) => void pki(stack, { cluster: { ...CLUSTER, controlPlanes } }));
    const changes = await workspace.plan("san");
    expect(changes.map(({ address, change }) => `${address} ${change.actions.join()}`).sort()).toEqual([
      "tls_cert_request.pki__cp-1__apiserver create,delete",
      "tls_locally_signed_cert.pki__cp-1__apiserver create,delete",
    ]);
  });

  test("what would replace or destroy an authority is refused", async () => {
    await applied("protected", {});
    const longer = { kubernetes: { generations: { g1: Generation.active({ validity: Validity.years(20) }) } } };
    workspace.synth("protected", (stack) => void pki(stack, { authorities: longer }));
    for (const command of [["plan"], ["destroy", "-auto-approve"]]) {
      const { code, stderr } = await workspace.terraform("protected", ...command, "-no-color");
      expect(code).toBe(1);
      // Terraform's words and OpenTofu's.
      expect(stderr).toMatch(/(Instance|Resource instance) cannot be destroyed/);
      expect(stderr).toContain("tls_self_signed_cert.pki__ca__kubernetes__g1");
    }
  });

  test("a retired generation may be removed from the code, and takes nothing else with it", async () => {
    const generations = (g1: Generation) => ({
      authorities: { etcd: { generations: { g1, g2: Generation.active() } } },
    });
    await applied("retired", generations(Generation.retired()));
    const only = { authorities: { etcd: { generations: { g2: Generation.active() } } } };
    workspace.synth("retired", (stack) => void pki(stack, only));
    const changes = await workspace.plan("retired");
    expect(changes.map(({ address, change }) => `${address} ${change.actions.join()}`).sort()).toEqual([
      "tls_private_key.pki__ca__etcd__g1 delete",
      "tls_self_signed_cert.pki__ca__etcd__g1 delete",
    ]);
  });

  test("moving to another prefix changes nothing", async () => {
    await applied("moved", {});
    workspace.synth("moved", (stack) => pki(stack, { addressPrefix: "prod", movedFrom: "pki" }));
    const { stdout } = await workspace.terraform("moved", "plan", "-no-color");
    expect(stdout).toContain("Plan: 0 to add, 0 to change, 0 to destroy.");
  });

  async function applied(id: string, props: Partial<ClusterPkiProps>): Promise<void> {
    workspace.synth(id, (stack) => void pki(stack, props));
    await workspace.apply(id);
  }
});

describe("a rotation", () => {
  const generations = (g1: Generation, g2: Generation) => ({
    authorities: { kubernetes: { generations: { g1, g2 } } },
  });

  test("never leaves a leaf without a bundle that it verifies against", async () => {
    workspace.synth("rotation", (stack) => void pki(stack));
    await workspace.apply("rotation");
    const introduced = generations(Generation.active(), Generation.trusted());
    const promoted = generations(Generation.trusted(), Generation.active());
    const retired = generations(Generation.retired(), Generation.active());
    const before = await delivered("r0");
    const [atIntroduction, atPromotion, atRetirement] = [
      await step(introduced, "r1"),
      await step(promoted, "r2"),
      await step(retired, "r3"),
    ];

    // Introducing creates the new authority's two resources; promoting replaces certificates only; retiring changes no resource.
    expect(atIntroduction.changes).toEqual([
      "tls_private_key.pki__ca__kubernetes__g2 create",
      "tls_self_signed_cert.pki__ca__kubernetes__g2 create",
    ]);
    expect(atPromotion.changes.every((change) => /^tls_locally_signed_cert\..* create,delete$/.test(change))).toBe(
      true,
    );
    expect(atPromotion.changes.length).toBeGreaterThan(5);
    expect(atRetirement.changes).toEqual([]);

    await expectVerifies(before.leaf, atIntroduction.bundle);
    await expectVerifies(atIntroduction.leaf, atPromotion.bundle);
    await expectVerifies(atPromotion.leaf, atIntroduction.bundle);
    await expectVerifies(atPromotion.leaf, atRetirement.bundle);
    expect((await attempt("openssl", ["verify", "-CAfile", atRetirement.bundle, before.leaf])).code).not.toBe(0);
    expect(new X509Certificate(readFileSync(atPromotion.signer)).subject).toBe("OU=g2\nCN=kubernetes");
    expect(readFileSync(atPromotion.signer, "utf8").match(/BEGIN/g)).toHaveLength(1);
    expect(readFileSync(atPromotion.bundle, "utf8").match(/BEGIN/g)).toHaveLength(2);
  });

  async function step(props: Partial<ClusterPkiProps>, root: string) {
    workspace.synth("rotation", (stack) => void pki(stack, props));
    const changes = (await workspace.plan("rotation")).map(
      ({ address, change }) => `${address} ${change.actions.join()}`,
    );
    await workspace.apply("rotation");
    return { changes: changes.sort(), ...(await delivered(root)) };
  }

  async function delivered(root: string) {
    const folder = path.join(await workspace.export(["--machine", "cp-1"], root, "rotation"), "etc/kubernetes/pki");
    return {
      leaf: path.join(folder, "apiserver.crt"),
      bundle: path.join(folder, "ca.crt"),
      signer: path.join(folder, "ca-signing.crt"),
    };
  }

  async function expectVerifies(leaf: string, bundle: string): Promise<void> {
    expect(await run("openssl", ["verify", "-purpose", "sslserver", "-CAfile", bundle, leaf])).toContain("OK");
  }
});

describe("a lost state", () => {
  test("stops the apply before any leaf is signed, where fingerprints are in the code", async () => {
    workspace.synth("lost", (stack) => void pki(stack));
    await workspace.apply("lost");
    const state = workspace.state("lost");
    const outputs = JSON.parse(await workspace.must("lost", "output", "-json")) as {
      pki_fingerprints: { value: Record<string, string> };
    };
    const of = (name: string) => Generation.active({ fingerprint: outputs.pki_fingerprints.value[`${name} g1`] });
    const authorities = Object.fromEntries(
      ["kubernetes", "front-proxy", "etcd"].map((name) => [name, { generations: { g1: of(name) } }]),
    );
    workspace.synth("lost", (stack) => void pki(stack, { authorities }));
    expect(await workspace.plan("lost")).toEqual([]);

    writeFileSync(state, "");
    const { code, stderr } = await workspace.terraform("lost", "apply", "-auto-approve", "-no-color");
    expect(code).toBe(1);
    expect(stderr.replace(/\s+/g, " ")).toContain("[fingerprint] fingerprint: given");
    const resources = (await workspace.must("lost", "state", "list")).split("\n");
    expect(resources.filter((address) => address.startsWith("tls_locally_signed_cert."))).toEqual([]);
    expect(resources.filter((address) => address.startsWith("tls_self_signed_cert."))).toEqual([]);
  });

  test("is refused by the command, which names the backup", async () => {
    workspace.synth("emptied", (stack) => void pki(stack));
    await workspace.apply("emptied");
    const state = workspace.state("emptied");
    copyFileSync(state, `${state}.backup`);
    writeFileSync(state, "");
    const root = path.join(workspace.folder, "emptied-root");
    mkdirSync(root);
    const stack = workspace.stack("emptied");
    const { code, stderr } = await workspace.kubernetesPki("export", "--machine", "cp-1", "--root", root, stack);
    expect(code).toBe(1);
    expect(stderr).toContain("emptied.tfstate.backup");
    expect(filesIn(root)).toEqual([]);
  });
});
