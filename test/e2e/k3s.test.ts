import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TerraformStack, TerraformVariable } from "cdktf";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  Cluster,
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  evaluate,
  Generation,
  Generations,
  inventoryOf,
  JoinPassword,
} from "../../lib";
import type { Changes } from "../../lib/export/changes";
import { attempt, Ended, run } from "../sandbox/command";
import { joinWith, rootOf } from "../../lib/kubernetes/join";
import {
  CA_CERTIFICATE,
  CA_KEY_ALONE,
  INTERMEDIATE_CERTIFICATE,
  ROOT_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../support/pem";
import { CA_PEM } from "../unit/access/fixture";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const CLUSTER: Cluster = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.43.0.0/16"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
  workers: [{ name: "node-1", addresses: ["10.0.0.21"] }],
};
const TLS = "var/lib/rancher/k3s/server/tls";
const DROP_INS = "etc/rancher/k3s/config.yaml.d";
const AUTHORITIES = ["server", "client", "request-header", "etcd/server", "etcd/peer"];

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

/** A cluster of K3s without passwords. */
function pkiAlone(stack: TerraformStack, props: Partial<ClusterPkiProps> = {}): ClusterPki {
  const { K3S } = Distribution;
  return new ClusterPki(stack, "pki", { addressPrefix: "pki", distribution: K3S, cluster: CLUSTER, ...props });
}

/** One with both. */
function k3s(stack: TerraformStack, props: Partial<ClusterPkiProps> = {}): ClusterPki {
  const pki = pkiAlone(stack, props);
  new RandomProvider(stack, "random");
  new JoinPassword(stack, "server", { pki });
  new JoinPassword(stack, "agent", { pki });
  return pki;
}

/** What K3s itself would say, restated in Go: see there. */
function rules(...args: string[]): Promise<string> {
  return run("go", ["run", ".", ...args], { cwd: path.join(__dirname, "k3s-rules") });
}

const read = (...names: string[]) => readFileSync(path.join(...names), "utf8");

/** Without the records of what was exported. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("var/lib/kubernetes-pki/"))
    .sort();
}

function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? []).map(
    (block) => new X509Certificate(block),
  );
}

describe("what K3s is given before its first start", () => {
  let root: string;

  beforeAll(async () => {
    workspace.synth("plain", (stack) => k3s(stack));
    await workspace.apply("plain");
    root = await workspace.export(["--machine", "cp-1"], "plain", "plain");
  });

  test("one export of a server has the 11 files of a custom CA, its tokens and what K3s is told", () => {
    expect(filesBelow(root)).toEqual([
      "etc/rancher/k3s/agent-token",
      `${DROP_INS}/10-kubernetes-pki-agent-token.yaml`,
      `${DROP_INS}/10-kubernetes-pki-token.yaml`,
      `${DROP_INS}/10-kubernetes-pki.yaml`,
      "etc/rancher/k3s/token",
      `${TLS}/client-ca.crt`,
      `${TLS}/client-ca.key`,
      `${TLS}/etcd/peer-ca.crt`,
      `${TLS}/etcd/peer-ca.key`,
      `${TLS}/etcd/server-ca.crt`,
      `${TLS}/etcd/server-ca.key`,
      `${TLS}/request-header-ca.crt`,
      `${TLS}/request-header-ca.key`,
      `${TLS}/server-ca.crt`,
      `${TLS}/server-ca.key`,
      `${TLS}/service.key`,
    ]);
  });

  test("each authority is self-signed, with its own key", () => {
    for (const name of AUTHORITIES) {
      const certificates = certificatesIn(read(root, TLS, `${name}-ca.crt`));
      expect(certificates).toHaveLength(1);
      const [certificate] = certificates as [X509Certificate];
      expect(certificate.ca).toBe(true);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(read(root, TLS, `${name}-ca.key`)))).toBe(true);
    }
  });

  test("service.key is one RSA key in PKCS#1, which K3s' own script writes with -traditional", () => {
    expect(read(root, TLS, "service.key")).toMatch(
      /^-----BEGIN RSA PRIVATE KEY-----[^-]+-----END RSA PRIVATE KEY-----\n$/,
    );
  });

  test("the tokens hold the hash of server-ca.crt as K3s computes it, and a password that a server reads alone", async () => {
    const hash = await rules("hash", path.join(root, TLS, "server-ca.crt"));
    expect(hash).toBe(
      createHash("sha256")
        .update(read(root, TLS, "server-ca.crt"))
        .digest("hex"),
    );
    expect(read(root, "etc/rancher/k3s/token")).toMatch(new RegExp(`^K10${hash}::server:[A-Za-z0-9]{32}$`));
    const worker = await workspace.export(["--worker"], "plain-worker", "plain");
    expect(filesBelow(worker)).toEqual([
      `${DROP_INS}/10-kubernetes-pki-token.yaml`,
      `${DROP_INS}/10-kubernetes-pki.yaml`,
      "etc/rancher/k3s/token",
    ]);
    const password = read(root, "etc/rancher/k3s/agent-token");
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(read(worker, "etc/rancher/k3s/token")).toBe(`K10${hash}::node:${password}`);
  });

  test("K3s starts with the flags of its own configuration and ours, of which none takes another away", async () => {
    const worker = await workspace.export(["--worker"], "plain-worker", "plain");
    const flags = async (root: string) =>
      (await rules("config", path.join(root, "etc/rancher/k3s/config.yaml"))).trim().split("\n");
    expect(await flags(worker)).toEqual([
      "--token-file=/etc/rancher/k3s/token",
      "--server=https://api.prod.example.com:6443",
    ]);
    const ours = [
      "--agent-token-file=/etc/rancher/k3s/agent-token",
      "--token-file=/etc/rancher/k3s/token",
      ...["api.prod.example.com", "10.0.0.11", "10.43.0.1"].map((name) => `--tls-san=${name}`),
      "--service-cidr=10.43.0.0/16",
      "--cluster-domain=cluster.local",
    ];
    expect(await flags(root)).toEqual(ours);
    const copy = path.join(workspace.folder, "with-their-own");
    cpSync(root, copy, { recursive: true });
    writeFileSync(
      path.join(copy, "etc/rancher/k3s/config.yaml"),
      "cluster-init: true\ntls-san:\n- their.example.com\n",
    );
    expect((await flags(copy)).sort()).toEqual(["--cluster-init=true", "--tls-san=their.example.com", ...ours].sort());
    for (const flag of ours.filter((text) => /token-file/.test(text))) {
      expect(read(root, flag.split("=")[1]!)).not.toBe("");
    }
  });

  test("no output holds a password, and a second plan is empty", async () => {
    const outputs = await workspace.must("plain", "output", "-json");
    expect(outputs).not.toContain(read(root, "etc/rancher/k3s/agent-token"));
    expect(await workspace.plan("plain")).toEqual([]);
  });

  test("a plan that would destroy a password fails", async () => {
    const { code, stderr } = await workspace.terraform("plain", "plan", "-destroy", "-no-color");
    expect(code).not.toBe(0);
    expect(stderr).toContain("random_password.pki__token__server");
  });
});

describe("leaves for components that are run by hand", () => {
  let server: string;
  let agent: string;

  beforeAll(async () => {
    workspace.synth("leaves", (stack) => k3s(stack, { issueLeaves: true }));
    await workspace.apply("leaves");
    server = await workspace.export(["--machine", "cp-1"], "leaves-cp-1", "leaves");
    agent = await workspace.export(["--machine", "node-1"], "leaves-node-1", "leaves");
  });

  test("an agent's kubelet and kube-proxy have two keys, on a server as well, and no machine has another's", () => {
    const keys = [server, agent].flatMap((root) => [
      read(root, "var/lib/rancher/k3s/agent/client-kubelet.key"),
      read(root, "var/lib/rancher/k3s/agent/client-kube-proxy.key"),
      read(root, "var/lib/rancher/k3s/agent/client-k3s-controller.key"),
      read(root, "var/lib/rancher/k3s/agent/serving-kubelet.key"),
    ]);
    expect(new Set(keys).size).toBe(8);
  });

  test("diff says that client-kubelet.key and client-kube-proxy.key differ", async () => {
    const cwd = path.join(agent, "var/lib/rancher/k3s/agent");
    expect(await attempt("diff", ["-q", "client-kubelet.key", "client-kube-proxy.key"], { cwd })).toMatchObject({
      code: 1,
    });
  });

  test("each leaf is followed by its authority, and openssl verifies it", async () => {
    const cases = [
      [server, `${TLS}/serving-kube-apiserver.crt`, "server", "sslserver"],
      [server, `${TLS}/client-admin.crt`, "client", "sslclient"],
      [server, `${TLS}/client-auth-proxy.crt`, "request-header", "sslclient"],
      [server, `${TLS}/etcd/server-client.crt`, "etcd/server", "sslserver"],
      [server, `${TLS}/etcd/peer-server-client.crt`, "etcd/peer", "sslclient"],
      [agent, "var/lib/rancher/k3s/agent/client-kubelet.crt", "client", "sslclient"],
      [agent, "var/lib/rancher/k3s/agent/serving-kubelet.crt", "server", "sslserver"],
    ] as const;
    for (const [root, file, authority, purpose] of cases) {
      const [leaf, above] = certificatesIn(read(root, file));
      expect(above!.toString()).toBe(read(server, TLS, `${authority}-ca.crt`));
      expect(leaf!.checkPrivateKey(createPrivateKey(read(root, file.replace(/crt$/, "key"))))).toBe(true);
      const ca = path.join(server, TLS, `${authority}-ca.crt`);
      await run("openssl", ["verify", "-purpose", purpose, "-CAfile", ca, path.join(root, file)]);
    }
  });

  test("the files that K3s makes of the others are those it would make", () => {
    expect(read(server, TLS, "server-ca.nochain.crt")).toBe(read(server, TLS, "server-ca.crt"));
    expect(read(server, TLS, "service.current.key")).toBe(read(server, TLS, "service.key"));
    expect(read(agent, "var/lib/rancher/k3s/agent/client-ca.crt")).toBe(read(server, TLS, "client-ca.crt"));
  });
});

/** Every authority of K3s in these generations. */
function everyAuthority(generations: Generations): ClusterPkiProps["authorities"] {
  const names = ["server", "client", "request-header", "etcd-server", "etcd-peer"];
  return Object.fromEntries(names.map((name) => [name, { generations }]));
}

/** Applies a state of a rotation, and exports what a server has then. */
async function step(id: string, name: string, props: Partial<ClusterPkiProps>): Promise<string> {
  workspace.synth(id, (stack) => void new ClusterPki(stack, "pki", { addressPrefix: "pki", ...ROTATED, ...props }));
  await workspace.apply(id);
  return path.join(await workspace.export(["--machine", "cp-1"], `${id}-${name}`, id), TLS);
}

const ROTATED: ClusterPkiProps = { distribution: Distribution.K3S, cluster: CLUSTER };
const INTRODUCED: Generations = { g1: Generation.active(), g2: Generation.trusted() };
const PROMOTED: Generations = { g1: Generation.trusted(), g2: Generation.active() };
const RETIRED: Generations = { g1: Generation.retired(), g2: Generation.active() };

describe("rotate-ca, its rules restated from pkg/server/cert.go", () => {
  test("takes every step of a rotation below one root, and the hash of the token stays", async () => {
    const distribution = Distribution.k3s({ chained: "root" });
    const first = await step("chained", "first", { distribution });
    const introduced = await step("chained", "introduced", { distribution, authorities: everyAuthority(INTRODUCED) });
    const promoted = await step("chained", "promoted", {
      distribution,
      authorities: everyAuthority(PROMOTED),
      serviceAccount: { generations: PROMOTED },
    });
    const retired = await step("chained", "retired", {
      distribution,
      authorities: everyAuthority(RETIRED),
      serviceAccount: { generations: PROMOTED },
    });

    expect(certificatesIn(read(first, "server-ca.crt")).map(({ subject }) => subject)).toEqual([
      "CN=k3s-server-ca",
      "CN=k3s-intermediate-ca",
      "CN=k3s-root-ca",
    ]);
    expect(certificatesIn(read(promoted, "server-ca.crt")).map(({ subject }) => subject)).toEqual([
      "OU=g2\nCN=k3s-server-ca",
      "CN=k3s-intermediate-ca",
      "CN=k3s-root-ca",
      "CN=k3s-server-ca",
    ]);
    expect(await rules("rotate", first, introduced)).toBe("");
    expect(await rules("rotate", introduced, promoted)).toBe("");
    expect(await rules("rotate", promoted, retired)).toBe("");
    // Below a root nobody has to be told before.
    expect(await rules("rotate", first, promoted)).toBe("");

    const [, , root] = certificatesIn(read(first, "server-ca.crt"));
    const hash = createHash("sha256").update(root!.raw).digest("hex");
    for (const folder of [first, introduced, promoted, retired]) {
      expect(await rules("hash", path.join(folder, "server-ca.crt"))).toBe(hash);
    }
  });

  test("takes a self-signed authority once it is trusted, and not when it stands alone", async () => {
    const first = await step("self-signed", "first", {});
    const introduced = await step("self-signed", "introduced", { authorities: everyAuthority(INTRODUCED) });
    const promoted = await step("self-signed", "promoted", { authorities: everyAuthority(PROMOTED) });
    const retired = await step("self-signed", "retired", { authorities: everyAuthority(RETIRED) });

    expect(await rules("rotate", first, introduced)).toBe("");
    expect(await rules("rotate", introduced, promoted)).toBe("");
    expect(await rules("rotate", first, promoted)).toContain("server: not verified by the authorities in use");
    expect(await rules("rotate", promoted, retired)).toContain("server: one certificate alone");
  });

  test("refuses service-account keys without the one that signed", async () => {
    const first = await step("keys", "first", {});
    const others = await step("other-keys", "first", {});
    expect(await rules("rotate", first, others)).toContain(
      "service.key: the key that signed is not among the new ones",
    );
  });
});

// docs/rotation.md, "Light".
describe("authorities below a kept root, in one change", () => {
  const distribution = Distribution.k3s({ chained: "root" });
  const LEAVES = [
    [`${TLS}/serving-kube-apiserver.crt`, "server", "sslserver"],
    [`${TLS}/client-admin.crt`, "client", "sslclient"],
    [`${TLS}/client-auth-proxy.crt`, "request-header", "sslclient"],
    [`${TLS}/etcd/server-client.crt`, "etcd/server", "sslserver"],
    [`${TLS}/etcd/peer-server-client.crt`, "etcd/peer", "sslclient"],
  ] as const;
  let inventory: string;
  let first: string;

  function synth(generations?: Generations): void {
    workspace.synth("light", (stack) => {
      const authorities = generations && everyAuthority(generations);
      new ClusterPki(stack, "pki", {
        addressPrefix: "pki",
        cluster: CLUSTER,
        distribution,
        issueLeaves: true,
        authorities,
      });
      inventory = path.join(workspace.folder, "light.json");
      writeFileSync(inventory, JSON.stringify(inventoryOf(stack)));
    });
  }

  const exported = (name: string) => workspace.export(["--machine", "cp-1"], `light-${name}`, "light");

  /** Whoever has the root of the one folder verifies every leaf of the other, which comes with its chain. */
  async function expectVerified(leavesOf: string, trustOf: string): Promise<void> {
    for (const [file, authority, purpose] of LEAVES) {
      const root = path.join(workspace.folder, "kept-root.pem");
      writeFileSync(
        root,
        certificatesIn(read(trustOf, TLS, `${authority}-ca.crt`))
          .find(isSelfSigned)!
          .toString(),
      );
      const leaf = path.join(leavesOf, file);
      await run("openssl", ["verify", "-purpose", purpose, "-CAfile", root, "-untrusted", leaf, leaf]);
    }
  }

  const isSelfSigned = (certificate: X509Certificate) => certificate.verify(certificate.publicKey);

  async function report(...args: string[]): Promise<{ code: number | undefined; dangers: string[] }> {
    await workspace.plan("light");
    const file = path.join(workspace.folder, "light-plan.json");
    writeFileSync(file, await workspace.must("light", "show", "-json", "plan"));
    const { code, stdout } = await workspace.kubernetesPki(
      ...["plan", "--format", "json", "--inventory", inventory, file, ...args],
    );
    const { dangers } = JSON.parse(stdout) as { dangers: { code: string; name: string }[] };
    return { code, dangers: dangers.map((danger) => `${danger.code} ${danger.name}`).sort() };
  }

  beforeAll(async () => {
    synth();
    await workspace.apply("light");
    first = await exported("first");
  });

  test("the report stops the change with one danger alone, and passes when it is said why", async () => {
    synth(PROMOTED);
    const names = ["client", "etcd-peer", "etcd-server", "request-header", "server"];
    const expected = names.map((name) => `introduced-and-promoted ${name} g2`);
    expect(await report()).toEqual({ code: 3, dangers: expected });
    const { code } = await report("--acknowledge", "introduced-and-promoted=below the kept root");
    expect(code).not.toBe(3);
  });

  test("who has the root of before verifies everybody, and who has the new files everybody of before", async () => {
    await workspace.apply("light");
    const promoted = await exported("promoted");
    await expectVerified(promoted, first);
    await expectVerified(first, promoted);
    for (const [file] of LEAVES) {
      const [now, before] = [promoted, first].map((root) => certificatesIn(read(root, file))[0]!.issuer);
      expect([now, before!.includes("OU=g2")]).toEqual([expect.stringContaining("OU=g2"), false]);
    }
  });

  test("what g1 signed is accepted after it was retired and removed: the root vouches for it", async () => {
    synth(RETIRED);
    expect((await report()).dangers.filter((danger) => !danger.startsWith("retired-too-soon"))).toEqual([]);
    await workspace.apply("light");
    synth({ g2: Generation.active() });
    await workspace.apply("light");
    const removed = await exported("removed");
    await expectVerified(first, removed);
    await expectVerified(removed, first);
  });
});

/** K3s and RKE2 as a server that was started: what it makes then, and the files that it writes from its datastore at every start. */
class Server {
  public readonly root: string;
  public readonly folder: string;
  public readonly tls: string;

  public constructor(
    private readonly id: string,
    private readonly distribution: Distribution,
  ) {
    this.root = path.join(workspace.folder, `${id}-server`);
    this.folder = path.join(this.root, `var/lib/rancher/${distribution.table.name}/server`);
    this.tls = path.join(this.folder, "tls");
  }

  /** Applies a state of a rotation. */
  public async deploy(props: Partial<ClusterPkiProps>): Promise<void> {
    const { distribution } = this;
    let inventory = "";
    workspace.synth(this.id, (stack) => {
      // Nobody knows the hash of a root that Terraform makes.
      const make = "root" in distribution.table.authorities ? pkiAlone : k3s;
      make(stack, { distribution, ...props });
      inventory = JSON.stringify(inventoryOf(stack));
    });
    writeFileSync(path.join(workspace.stack(this.id), "pki-inventory.json"), inventory);
    await workspace.apply(this.id);
  }

  public export(...args: string[]): Promise<Ended> {
    return workspace.kubernetesPki("export", "--machine", "cp-1", ...args, workspace.stack(this.id));
  }

  public async changes(...args: string[]): Promise<Changes> {
    const { code, stdout, stderr } = await this.export("--root", this.root, "--changes", "json", ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as Changes;
  }

  /** The first start: `cred` is made with any datastore. */
  public start(): void {
    mkdirSync(path.join(this.folder, "cred"));
  }

  /** What a rotation lays out; the folder that its command takes. */
  public async rotationFolder(name: string): Promise<string> {
    const folder = path.join(workspace.folder, `${this.id}-${name}`);
    expect(await this.export("--rotate-ca", "--root", folder)).toMatchObject({ code: 0, stderr: "" });
    return folder;
  }

  /** `rotate-ca --path`, without its answer: the next start writes what was taken. */
  public take(folder: string): void {
    cpSync(path.join(folder, "tls"), this.tls, { recursive: true });
  }

  /** Everything below the root, so that nothing is written in silence. */
  public texts(): Record<string, string> {
    return Object.fromEntries(filesBelow(this.root).map((file) => [file, read(this.root, file)]));
  }
}

describe.each([
  ["k3s, its authorities below a root", Distribution.k3s({ chained: "root" }), 12],
  ["k3s", Distribution.K3S, 16],
  ["rke2", Distribution.RKE2, 16],
] as const)("a server of %s", (name, distribution, count) => {
  let server: Server;
  const program = distribution.table.name;
  const command = `${program} certificate rotate-ca`;

  beforeAll(async () => {
    server = new Server(`started-${name.replace(/\W+/g, "-")}`, distribution);
    await server.deploy({});
  });

  test("is given all files before its first start, and nothing after it", async () => {
    const first = await server.changes();
    expect(first.files).toHaveLength(count);
    expect(first.files.every(({ change }) => change === "written")).toBe(true);
    expect(first.components.map(({ component, action }) => `${action} ${component}`)).toContain(`restart ${program}`);
    server.start();
    expect(await server.changes()).toMatchObject({ unchanged: count, files: [], components: [] });
  });

  test.each([
    ["introduced", INTRODUCED],
    ["promoted", PROMOTED],
  ] as const)("gets %s authorities by rotate-ca alone", async (name, generations) => {
    await server.deploy({ authorities: everyAuthority(generations), serviceAccount: { generations } });
    const before = server.texts();
    const refused = await server.export("--root", server.root);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(`run ${command} --path`);
    expect(server.texts()).toEqual(before);

    const folder = await server.rotationFolder(name);
    expect(filesBelow(folder).filter((file) => !file.startsWith(".kubernetes-pki/"))).toEqual(
      filesBelow(server.folder),
    );
    expect(await rules("rotate", server.tls, path.join(folder, "tls"))).toBe("");

    // Once the server took them, they are right, and what may change at any time follows: the token of a new hash.
    server.take(folder);
    const after = await server.changes();
    expect(after.files.every(({ path: file }) => file.startsWith("/etc/"))).toBe(true);
    expect(after.unchanged + after.files.length).toBe(count);
  });

  test("is offered an archive without them, and with them before its first start", async () => {
    const archive = await server.export("--tar");
    expect(archive.stderr).toContain("left out 11 files that a first start alone reads");
    expect(archive.stderr).toContain(`--rotate-ca for ${command}`);
    expect(archive.stdout).not.toContain("server-ca.crt");
    const first = await server.export("--tar", "--first-start");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("server-ca.crt");
  });
});

test("a self-signed authority that stands alone again is taken with --force alone, and export still lays it out", async () => {
  const server = new Server("alone", Distribution.K3S);
  await server.deploy({ authorities: everyAuthority(PROMOTED) });
  await server.changes();
  server.start();
  await server.deploy({ authorities: everyAuthority(RETIRED) });
  const folder = await server.rotationFolder("retired");
  expect(await rules("rotate", server.tls, path.join(folder, "tls"))).toContain("server: one certificate alone");
});

describe("the hash of a secure token", () => {
  /** The hash in the token of a server, and what K3s makes of its file. */
  async function hashes(id: string): Promise<{ readonly given: string; readonly computed: string }> {
    await workspace.apply(id);
    const root = await workspace.export(["--machine", "cp-1"], id, id);
    const given = /^K10([0-9a-f]{64})::/.exec(read(root, "etc/rancher/k3s/token"))![1]!;
    return { given, computed: await rules("hash", path.join(root, TLS, "server-ca.crt")) };
  }

  test("is of the whole file while two self-signed authorities are in it", async () => {
    workspace.synth("two", (stack) => k3s(stack, { authorities: { server: { generations: PROMOTED } } }));
    const { given, computed } = await hashes("two");
    expect(given).toBe(computed);
  });

  test("is of the DER of a root that was given as literal text", async () => {
    workspace.setVariables({ root_key: CA_KEY_ALONE });
    workspace.synth("literal", (stack) => {
      const key = new TerraformVariable(stack, "root_key", { type: "string", sensitive: true });
      const pem = { certificatePem: CA_CERTIFICATE, privateKeyPem: key.stringValue };
      k3s(stack, {
        distribution: Distribution.k3s({ chained: "root" }),
        authorities: { root: { generations: { g1: Generation.fromPem("active", pem) } } },
      });
    });
    const { given, computed } = await hashes("literal");
    expect(given).toBe(computed);
    expect(given).toBe(createHash("sha256").update(new X509Certificate(CA_CERTIFICATE).raw).digest("hex"));
  });

  test("is of the text of a literal authority that signed itself", async () => {
    workspace.setVariables({ root_key: CA_KEY_ALONE });
    workspace.synth("itself", (stack) => {
      const key = new TerraformVariable(stack, "root_key", { type: "string", sensitive: true });
      const pem = { certificatePem: CA_CERTIFICATE, privateKeyPem: key.stringValue };
      k3s(stack, { authorities: { server: { generations: { g1: Generation.fromPem("active", pem) } } } });
    });
    const { given, computed } = await hashes("itself");
    expect(given).toBe(computed);
    expect(given).toBe(createHash("sha256").update(CA_CERTIFICATE).digest("hex"));
  });

  test.each([
    ["one self-signed authority", CA_CERTIFICATE],
    ["one whose own key identifier names itself", CA_PEM],
    ["two self-signed authorities", CA_CERTIFICATE + ROOT_CERTIFICATE],
    ["an authority below a root", SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE],
    ["one in another order", SIGNED_CA_CERTIFICATE + ROOT_CERTIFICATE + INTERMEDIATE_CERTIFICATE],
    ["one whose root is left out", SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE],
    ["one that stands before another", SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE + CA_PEM],
  ])("is that of K3s where literal text holds %s", async (_, text) => {
    expect(tokenOf(text)).toBe(`K10${await hashOf(text)}::secret`);
  });

  test("is that of K3s where an authority above names nobody's key, which K3s takes for a root", async () => {
    const made = (name: string, ...args: string[]) => {
      const files = [
        "-keyout",
        path.join(workspace.folder, `${name}.key`),
        "-out",
        path.join(workspace.folder, `${name}.crt`),
      ];
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      return run("openssl", ["req", "-x509", ...key, "-days", "3650", "-subj", `/CN=${name}`, ...files, ...args]);
    };
    const by = (name: string) =>
      ["-CA", `${name}.crt`, "-CAkey", `${name}.key`].map((arg, i) => (i % 2 ? path.join(workspace.folder, arg) : arg));
    await made("root");
    await made("unnamed", ...by("root"), "-addext", "authorityKeyIdentifier=none");
    await made("below", ...by("unnamed"));
    const [below, unnamed, root] = ["below", "unnamed", "root"].map((name) => read(workspace.folder, `${name}.crt`));
    const text = below! + unnamed! + root!;
    expect(tokenOf(text)).toBe(`K10${await hashOf(text)}::secret`);
    expect(rootOf(text)!.subject).toBe("CN=unnamed");
  });

  function tokenOf(certificateAuthority: string): string {
    const cluster = { name: "prod", endpoint: "api.prod.example.com" };
    const root = rootOf(certificateAuthority);
    return evaluate(joinWith("secure token", { cluster, certificateAuthority, root, token: "secret" }), () => "");
  }

  function hashOf(certificateAuthority: string): Promise<string> {
    const file = path.join(workspace.folder, "authority.pem");
    writeFileSync(file, certificateAuthority);
    return rules("hash", file);
  }
});
