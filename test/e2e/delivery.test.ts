import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { TerraformLocal, TerraformOutput, TerraformStack } from "cdktf";
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import {
  cloudInit,
  Cluster,
  ClusterPki,
  ClusterSecrets,
  Distribution,
  evaluate,
  FilesSecret,
  Generation,
  TlsSecret,
  toTerraform,
} from "../../lib";
import { attempt } from "../sandbox/command";
import { environmentOfKubeconfig, toKubernetesProvider113 } from "../sandbox/kubernetes-provider-1.13";
import { Sandbox } from "../sandbox/sandbox";
import { findTools } from "../sandbox/tools";
import { Workspace } from "./workspace";

jest.setTimeout(600_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

async function outputsOf(id: string): Promise<Record<string, { value: unknown; sensitive: boolean }>> {
  return JSON.parse(await workspace.must(id, "output", "-json")) as never;
}

describe("cloud-init", () => {
  interface WriteFile {
    readonly path: string;
    readonly permissions: string;
    readonly owner: string;
    readonly encoding: string;
    readonly content: string;
  }

  let root: string;
  let text: string;
  let evaluated: string;
  let decoded: readonly WriteFile[];
  let gzipped: string;

  beforeAll(async () => {
    let files: ReturnType<ClusterPki["files"]> = [];
    workspace.synth("machines", (stack) => {
      const pki = new ClusterPki(stack, "pki", {
        addressPrefix: "pki",
        distribution: Distribution.KUBEADM,
        cluster: {
          name: "prod",
          endpoint: "api.prod.example.com:6443",
          serviceCidrs: ["10.96.0.0/12"],
          controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
        },
      });
      files = pki.files("cp-1");
      const userData = toTerraform(cloudInit(files));
      const output = (name: string, value: unknown) =>
        new TerraformOutput(stack, name, { value, sensitive: true, staticId: true });
      output("text", userData);
      new TerraformLocal(stack, "user-data", userData).overrideLogicalId("text");
      // A reader of YAML that is not ours.
      output("decoded", "${yamldecode(local.text)}");
      output("gzipped", toTerraform({ base64gzip: cloudInit(files) }));
    });
    await workspace.apply("machines");
    root = await workspace.export(["--machine", "cp-1"], "cp-1", "machines");
    const outputs = await outputsOf("machines");
    text = outputs["text"]!.value as string;
    gzipped = outputs["gzipped"]!.value as string;
    decoded = (outputs["decoded"]!.value as { write_files: readonly WriteFile[] }).write_files;
    evaluated = evaluate(cloudInit(files), valuesIn(JSON.parse(await workspace.show("machines"))));
  });

  test("writes exactly the files that export writes, byte for byte and with their modes", () => {
    expect(decoded.length).toBeGreaterThan(20);
    for (const file of decoded) {
      const exported = path.join(root, file.path);
      expect(Buffer.from(file.content, "base64").equals(readFileSync(exported))).toBe(true);
      expect([file.permissions, file.owner, file.encoding]).toEqual([
        `0${(statSync(exported).mode & 0o777).toString(8)}`,
        "root:root",
        "b64",
      ]);
    }
  });

  test("so does an archive that tar unpacks", async () => {
    const stack = workspace.stack("machines");
    const { code, stdout, stderr } = await workspace.kubernetesPki("export", "--machine", "cp-1", "--tar", stack);
    expect([code, stderr]).toEqual([0, ""]);
    const machine = path.join(workspace.folder, "unpacked");
    mkdirSync(machine);
    execFileSync("tar", ["-x", "-p", "-C", machine], { input: stdout });
    for (const file of decoded) {
      const [unpacked, exported] = [machine, root].map((folder) => path.join(folder, file.path)) as [string, string];
      expect(readFileSync(unpacked).equals(readFileSync(exported))).toBe(true);
      expect(statSync(unpacked).mode).toBe(statSync(exported).mode);
      expect(statSync(unpacked).uid).toBe(statSync(exported).uid);
    }
  });

  test("and export has noted their names, and whose they are by the fingerprints of the cluster's keys", () => {
    const folder = path.join(root, "var/lib/kubernetes-pki");
    const [record] = readdirSync(folder);
    expect(JSON.parse(readFileSync(path.join(folder, record!), "utf8"))).toEqual({
      version: 1,
      prefix: "pki",
      stack: "pki",
      holder: "cp-1",
      fingerprints: expect.arrayContaining([expect.stringMatching(/^SHA256:[\w+/]{43}$/)]) as string[],
      files: decoded.map((file) => file.path).sort(),
    });
  });

  test("is the same text to Terraform and to who reads the state", () => {
    expect(text.startsWith("#cloud-config\n")).toBe(true);
    expect(text).toBe(evaluated);
  });

  test("fits into AWS' user data as gzip alone", () => {
    expect(gunzipSync(Buffer.from(gzipped, "base64")).toString()).toBe(text);
    expect(Buffer.byteLength(text)).toBeGreaterThan(16384);
    expect(Buffer.from(gzipped, "base64").length).toBeLessThan(16384);
  });

  test("is sensitive", async () => {
    const file = path.join(workspace.stack("machines"), "cdk.tf.json");
    const stack = JSON.parse(readFileSync(file, "utf8")) as { output: Record<string, { sensitive?: boolean }> };
    delete stack.output["text"]!.sensitive;
    writeFileSync(file, JSON.stringify(stack));
    const { code, stderr } = await workspace.terraform("machines", "plan", "-no-color");
    expect(code).not.toBe(0);
    expect(stderr).toContain("Output refers to sensitive values");
  });
});

/** Finds a value of a state that `terraform show -json` printed. */
function valuesIn(state: {
  values: { root_module: { resources: { address: string; values: Record<string, string> }[] } };
}) {
  const resources = new Map(state.values.root_module.resources.map(({ address, values }) => [address, values]));
  return ({ address, attribute }: { address: string; attribute: string }) => resources.get(address)![attribute]!;
}

describe("Secrets of a management cluster", () => {
  interface Secret {
    readonly type: string;
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
    readonly data: Readonly<Record<string, string>>;
  }

  const folder = mkdtempSync(path.join(tmpdir(), "delivery-"));
  const NAMESPACE = "clusters";
  const BASE = { endpoint: "api.example.com:6443", serviceCidrs: ["10.96.0.0/12"] };
  const PROD: Cluster = { ...BASE, name: "prod" };
  const EDGE: Cluster = {
    ...BASE,
    name: "edge",
    etcd: { topology: "members", members: [{ name: "etcd-1", addresses: ["10.0.0.21"] }] },
  };

  let sandbox: Sandbox;
  const secrets = new Map<string, Secret>();

  beforeAll(async () => {
    sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), nodes: [], progress: () => undefined });
    const { code, stderr } = await sandbox.kubectl(sandbox.first, "create", "namespace", NAMESPACE);
    expect([code, stderr]).toEqual([0, ""]);
    workspace.synth("management", build);
    onTheProviderThatIsHere();
    await workspace.apply("management");
    const { items } = await sandbox.get<{ items: Secret[] }>("get", "secrets", `--namespace=${NAMESPACE}`);
    items.forEach((secret) => secrets.set(secret.metadata.name, secret));
  });

  afterAll(async () => {
    await sandbox?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function build(stack: TerraformStack): void {
    new KubernetesProvider(stack, "kubernetes");
    const distribution = Distribution.CLUSTER_API;
    const generations = { g1: Generation.active(), g2: Generation.trusted() };
    const prod = new ClusterPki(stack, "prod", {
      addressPrefix: "prod",
      distribution,
      cluster: PROD,
      issueLeaves: true,
      // In the middle of a rotation of all that can be rotated.
      authorities: { "front-proxy": { generations }, etcd: { generations } },
      serviceAccount: { generations },
    });
    const edge = new ClusterPki(stack, "edge", { addressPrefix: "edge", distribution, cluster: EDGE });
    new ClusterSecrets(stack, "prod-secrets", { pki: prod, namespace: NAMESPACE });
    new ClusterSecrets(stack, "edge-secrets", { pki: edge, namespace: NAMESPACE, labels: { team: "edge" } });
    new FilesSecret(stack, "etcd-1", { name: "etcd-1", namespace: NAMESPACE, files: edge.files("etcd-1") });
    const certificate = edge.certificate("etcd-healthcheck-client", "etcd-1");
    const certificateAuthority = edge.bundle("etcd");
    new TlsSecret(stack, "probe", { name: "etcd-probe", namespace: NAMESPACE, certificate, certificateAuthority });
  }

  /** The stack as it is for provider 2.38.0, and rewritten where only 1.13.4 can be had. */
  function onTheProviderThatIsHere(): void {
    Object.assign(workspace.env, { KUBE_CONFIG_PATH: sandbox.first });
    if (sandbox.kubernetesProvider === "1.13.4") {
      const file = path.join(workspace.stack("management"), "cdk.tf.json");
      writeFileSync(file, JSON.stringify(toKubernetesProvider113(JSON.parse(readFileSync(file, "utf8")))));
      Object.assign(workspace.env, environmentOfKubeconfig(readFileSync(sandbox.first, "utf8")));
    }
  }

  function read(secret: string, key: string): string {
    return Buffer.from(secrets.get(secret)!.data[key]!, "base64").toString();
  }

  /** Every PEM block of a text. */
  function blocks(text: string): string[] {
    return text.match(/-----BEGIN [^-]+-----\n[^-]+-----END [^-]+-----\n/g) ?? [];
  }

  /** What Cluster API and kubeadm read of a file that may hold several: its first block. */
  function firstCertificate(secret: string): X509Certificate {
    return new X509Certificate(blocks(read(secret, "tls.crt"))[0]!);
  }

  test("have the type, label and keys that Cluster API asks of a user's own", () => {
    const shapes = [...secrets.values()].map(
      ({ metadata, type, data }) =>
        `${metadata.name} ${type} ${Object.keys(data).sort().join()} ${JSON.stringify(metadata.labels ?? {})}`,
    );
    const label = (name: string) => `"cluster.x-k8s.io/cluster-name":"${name}"`;
    expect(shapes.filter((shape) => !shape.startsWith("etcd-")).sort()).toEqual([
      `edge-apiserver-etcd-client kubernetes.io/tls tls.crt,tls.key {${label("edge")},"team":"edge"}`,
      `edge-ca kubernetes.io/tls tls.crt,tls.key {${label("edge")},"team":"edge"}`,
      `edge-etcd Opaque tls.crt {${label("edge")},"team":"edge"}`,
      `edge-proxy kubernetes.io/tls tls.crt,tls.key {${label("edge")},"team":"edge"}`,
      `edge-sa kubernetes.io/tls tls.crt,tls.key {${label("edge")},"team":"edge"}`,
      `prod-ca kubernetes.io/tls tls.crt,tls.key {${label("prod")}}`,
      `prod-etcd kubernetes.io/tls tls.crt,tls.key {${label("prod")}}`,
      `prod-kubeconfig Opaque value {${label("prod")}}`,
      `prod-proxy kubernetes.io/tls tls.crt,tls.key {${label("prod")}}`,
      `prod-sa kubernetes.io/tls tls.crt,tls.key {${label("prod")}}`,
    ]);
  });

  test.each(["prod-ca", "prod-etcd", "prod-proxy", "edge-ca", "edge-proxy"])(
    "%s is an authority and its key",
    (name) => {
      const certificate = firstCertificate(name);
      expect(certificate.ca).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(read(name, "tls.key")))).toBe(true);
    },
  );

  test("<cluster>-ca has one certificate, with which kube-controller-manager may sign; the others hold the next one, too", () => {
    const count = (name: string) => blocks(read(name, "tls.crt")).length;
    expect([count("prod-ca"), count("prod-proxy"), count("prod-etcd")]).toEqual([1, 2, 2]);
  });

  test("<cluster>-sa has public keys where others have a certificate, the active one first", () => {
    const [active, next] = blocks(read("prod-sa", "tls.crt"));
    const spki = (pem: string) => createPublicKey(pem).export({ type: "spki", format: "pem" });
    expect(spki(active!)).toBe(active);
    expect(spki(read("prod-sa", "tls.key"))).toBe(active);
    expect(next).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    expect(next).not.toBe(active);
  });

  test("the API server's client of etcd is signed by the authority that Cluster API is given without its key", () => {
    const client = firstCertificate("edge-apiserver-etcd-client");
    expect(client.subject).toBe("CN=kube-apiserver-etcd-client");
    expect(client.verify(firstCertificate("edge-etcd").publicKey)).toBe(true);
    expect(client.checkPrivateKey(createPrivateKey(read("edge-apiserver-etcd-client", "tls.key")))).toBe(true);
  });

  test("the kubeconfig authenticates with <cluster>-ca as Cluster API's would", () => {
    const text = read("prod-kubeconfig", "value");
    const field = (name: string) => new RegExp(`^ *${name}: (.*)$`, "m").exec(text)![1]!;
    const data = (name: string) => Buffer.from(field(name), "base64").toString();
    expect(field("current-context")).toBe("prod-admin@prod");
    expect(data("certificate-authority-data")).toBe(read("prod-ca", "tls.crt"));
    const client = new X509Certificate(data("client-certificate-data"));
    expect(client.subject.split("\n").sort()).toEqual(["CN=kubernetes-admin", "O=system:masters"]);
    expect(client.verify(firstCertificate("prod-ca").publicKey)).toBe(true);
    expect(client.checkPrivateKey(createPrivateKey(data("client-key-data")))).toBe(true);
  });

  // As Certificates.AsFiles writes them on the first control plane, and the kubeadm that Cluster API starts there.
  test("kubeadm finds its authorities in them, even in the middle of a rotation, and issues everything else", async () => {
    const root = path.join(folder, "node");
    const pki = path.join(root, "etc/kubernetes/pki");
    const files: Readonly<Record<string, readonly [secret: string, key: string]>> = {
      "ca.crt": ["prod-ca", "tls.crt"],
      "ca.key": ["prod-ca", "tls.key"],
      "etcd/ca.crt": ["prod-etcd", "tls.crt"],
      "etcd/ca.key": ["prod-etcd", "tls.key"],
      "front-proxy-ca.crt": ["prod-proxy", "tls.crt"],
      "front-proxy-ca.key": ["prod-proxy", "tls.key"],
      "sa.pub": ["prod-sa", "tls.crt"],
      "sa.key": ["prod-sa", "tls.key"],
    };
    mkdirSync(path.join(pki, "etcd"), { recursive: true });
    for (const [file, from] of Object.entries(files)) {
      writeFileSync(path.join(pki, file), read(...from), { mode: 0o600 });
    }
    writeFileSync(path.join(root, "etc/kubernetes/init.yaml"), INIT);
    const tools = await findTools(["kubeadm"]);
    const command = [tools.kubeadm, "init", "phase", "certs", "all", "--config=/etc/kubernetes/init.yaml"];
    // --rootfs is a chroot.
    const as = process.getuid?.() === 0 ? [] : ["unshare", "-r"];
    const [program, ...args] = [...as, ...command, `--rootfs=${root}`];
    const { code, stdout, stderr } = await attempt(program!, args, { env: { PATH: process.env["PATH"] } });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("error")]);
    expect(stdout).toContain("Using existing ca certificate authority");
    for (const [file, from] of Object.entries(files)) {
      expect(readFileSync(path.join(pki, file), "utf8")).toBe(read(...from));
    }
    const signers = { apiserver: "prod-ca", "front-proxy-client": "prod-proxy", "etcd/server": "prod-etcd" };
    for (const [leaf, authority] of Object.entries(signers)) {
      const certificate = new X509Certificate(readFileSync(path.join(pki, `${leaf}.crt`)));
      expect(certificate.verify(firstCertificate(authority).publicKey)).toBe(true);
    }
  });

  test("a Secret of files holds what export writes", async () => {
    const root = await workspace.export(["--machine", "etcd-1", "--prefix", "edge"], "etcd-1", "management");
    const { data, type } = secrets.get("etcd-1")!;
    expect(type).toBe("Opaque");
    expect(Object.keys(data)).toHaveLength(7);
    const hash = (content: Buffer) => createHash("sha256").update(content).digest("hex");
    const folderOfEtcd = "etc-kubernetes-pki-etcd-";
    for (const [key, value] of Object.entries(data)) {
      const file = path.join(root, "etc/kubernetes/pki/etcd", key.slice(folderOfEtcd.length));
      expect([key, hash(Buffer.from(value, "base64"))]).toEqual([key, hash(readFileSync(file))]);
    }
  });

  test("a Secret of one certificate is what the API server takes as kubernetes.io/tls", () => {
    const { data, type } = secrets.get("etcd-probe")!;
    expect(type).toBe("kubernetes.io/tls");
    expect(Object.keys(data).sort()).toEqual(["ca.crt", "tls.crt", "tls.key"]);
    const [certificate, above] = blocks(read("etcd-probe", "tls.crt")).map((pem) => new X509Certificate(pem));
    expect(certificate!.subject).toBe("CN=kube-etcd-healthcheck-client");
    expect(certificate!.checkPrivateKey(createPrivateKey(read("etcd-probe", "tls.key")))).toBe(true);
    expect(certificate!.verify(above!.publicKey)).toBe(true);
    expect(read("etcd-probe", "ca.crt")).toBe(read("edge-etcd", "tls.crt"));
  });

  test("a second plan changes nothing", async () => {
    expect(await workspace.plan("management")).toEqual([]);
  });

  test("no plan destroys one of them", async () => {
    const addresses = (await workspace.must("management", "state", "list")).trim().split("\n");
    const address = addresses.find((name) => name.endsWith("__secret__prod-ca"))!;
    const { code, stderr } = await workspace.terraform("management", "plan", "-destroy", `-target=${address}`);
    expect(code).not.toBe(0);
    expect(stderr.replace(/\s+/g, " ")).toContain("prevent_destroy");
  });
});

const INIT = `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: 10.0.0.11 }
nodeRegistration: { name: cp-1 }
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: prod
controlPlaneEndpoint: api.example.com:6443
kubernetesVersion: v1.36.3
`;
