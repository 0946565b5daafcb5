import { X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import {
  ClusterPki,
  type ClusterPkiProps,
  Distribution,
  Generation,
  inventoryOf,
  KeyUsage,
  PkiError,
  signedCertificatesIn,
  Validity,
} from "../../lib";
import { attempt, Ended, run } from "../sandbox/command";
import { findTools } from "../sandbox/tools";
import { Workspace } from "./workspace";

// A company's authority, which is openssl here, signs what Terraform asks for, and Terraform never sees its key.

jest.setTimeout(600_000);

const AUTHORITIES = { kubernetes: "kubernetes", "front-proxy": "front-proxy-ca", etcd: "etcd-ca" } as const;
type Authority = keyof typeof AUTHORITIES;
const NAMES = Object.keys(AUTHORITIES) as Authority[];

/** Who has which certificates, by hand from kubeadm's documentation, and what the description adds. */
const EXPECTED: Readonly<Record<Authority, readonly string[]>> = {
  kubernetes: [
    "cp-1__admin",
    "cp-1__apiserver",
    "cp-1__apiserver-kubelet-client",
    "cp-1__controller-manager",
    "cp-1__kubelet",
    "cp-1__scheduler",
    "node-1__kubelet",
    "operator__admin",
    "operator__jane",
    "operator__super-admin",
  ],
  "front-proxy": ["cp-1__front-proxy-client"],
  etcd: [
    "cp-1__apiserver-etcd-client",
    "cp-1__etcd-healthcheck-client",
    "cp-1__etcd-peer",
    "cp-1__etcd-server",
    "cp-1__prometheus",
  ],
};
const ALL = NAMES.flatMap((name) => EXPECTED[name].map((leaf) => `prod__${leaf}`)).sort();

const ROOT = path.join(__dirname, "../..");

let workspace: Workspace;
/** The company's folder: its authorities, their keys, and what came in and goes out. */
let company: string;
let signed: string;

beforeAll(async () => {
  workspace = await Workspace.create();
  company = path.join(workspace.folder, "company");
  signed = path.join(workspace.folder, "signed");
  mkdirSync(company);
  mkdirSync(signed);
  for (const name of NAMES) {
    await makeAuthority(name, AUTHORITIES[name]);
  }
  await makeAuthority("stranger", AUTHORITIES.kubernetes);
});

afterAll(() => workspace?.remove());

async function makeAuthority(name: string, commonName: string): Promise<void> {
  const own = path.join(company, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  const uses = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const out = ["-keyout", `${own}.key`, "-out", `${own}.pem`, "-days", "3650", "-subj", `/CN=${commonName}`];
  await run("openssl", ["req", "-x509", "-new", ...key, ...uses, ...out]);
}

function certificateOf(name: string): string {
  return readFileSync(path.join(company, `${name}.pem`), "utf8");
}

function build(more: Partial<ClusterPkiProps> = {}): void {
  workspace.synth("prod", (stack) => {
    const authorities = Object.fromEntries(
      NAMES.map((name) => {
        const g1 = Generation.fromPem("active", { certificatePem: certificateOf(name) });
        return [name, { generations: { g1 } }];
      }),
    );
    const pki = new ClusterPki(stack, "pki", {
      distribution: Distribution.KUBEADM,
      cluster: {
        name: "prod",
        endpoint: "api.prod.example.com:6443",
        serviceCidrs: ["10.96.0.0/12"],
        controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
        workers: [{ name: "node-1" }],
      },
      authorities,
      authorityKeysOnMachines: false,
      signedCertificates: signedCertificatesIn(signed),
      users: { jane: { group: "engineers", validity: Validity.days(300), grants: [{ clusterRole: "view" }] } },
      ...more,
    } as ClusterPkiProps);
    pki.addCertificate("prometheus", {
      authority: "etcd",
      commonName: "prometheus",
      usage: KeyUsage.CLIENT,
      holders: ["control-plane"],
      files: [
        { path: "/etc/prometheus/etcd.crt", kind: "certificate" },
        { path: "/etc/prometheus/etcd.key", kind: "private key" },
      ],
    });
    inventory = () => inventoryOf(stack);
  });
}

/** What the report says of a plan: verbs by name, and dangers. */
async function reported(): Promise<{ verbs: Record<string, string>; dangers: string[] }> {
  await workspace.must("prod", "plan", "-no-color", "-out=plan");
  const [plan, entries] = ["plan.json", "inventory.json"].map((file) => path.join(workspace.folder, file));
  writeFileSync(plan!, await workspace.must("prod", "show", "-json", "plan"));
  writeFileSync(entries!, JSON.stringify(inventory()));
  const args = ["plan", plan!, "--inventory", entries!, "--format", "json"];
  const { code, stdout, stderr } = await workspace.kubernetesPki(...args);
  expect({ code, stderr }).toEqual({ code: expect.any(Number), stderr: "" });
  const report = JSON.parse(stdout) as {
    changes: { kind: string; name: string; verbs: string[] }[];
    dangers: { code: string; name: string }[];
  };
  const certificates = report.changes.filter(({ kind }) => kind === "certificate");
  return {
    verbs: Object.fromEntries(certificates.map(({ name, verbs }) => [name, verbs.join()])),
    dangers: report.dangers.map((danger) => `${danger.code} ${danger.name}`),
  };
}

/** The name in a report of a certificate by its Terraform name. */
function titleOf(name: string): string {
  return name.split("__").slice(1).join("/");
}

let inventory: () => ReturnType<typeof inventoryOf>;

/** What is wrong with a description, by code. */
function problemsOf(act: () => void): readonly string[] {
  try {
    act();
  } catch (error) {
    return error instanceof PkiError ? error.problems.map(({ code }) => code) : [String(error)];
  }
  return [];
}

function requestsFolder(): string {
  return path.join(workspace.folder, "requests");
}

function filesBelow(folder: string, ending: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith(ending) && !file.startsWith("."))
    .sort();
}

function request(leaf: string): string {
  return path.join(
    requestsFolder(),
    filesBelow(requestsFolder(), ".csr").find((file) => path.basename(file, ".csr") === `prod__${leaf}`)!,
  );
}

/** Signs a request as it came. */
async function sign(csr: string, out: string, by = path.basename(path.dirname(csr)), ...more: string[]): Promise<void> {
  const own = path.join(company, by);
  await run("openssl", [
    ...["x509", "-req", "-in", csr, "-out", out, "-CA", `${own}.pem`, "-CAkey", `${own}.key`, "-CAcreateserial"],
    ...["-copy_extensions", "copy", "-extfile", csr.replace(/csr$/, "ext")],
    ...(more.length > 0 ? more : ["-days", "300"]),
  ]);
}

/** The same with an authority that keeps books, and orders subjects by its policy. */
async function signByBooks(csr: string, out: string, by: string, ...more: string[]): Promise<void> {
  const own = path.join(company, by);
  const config = `${own}.cnf`;
  if (!existsSync(config)) {
    writeFileSync(`${own}.txt`, "");
    mkdirSync(`${own}-new`);
    writeFileSync(
      config,
      `[ca]
default_ca = own
[own]
certificate = ${own}.pem
private_key = ${own}.key
database = ${own}.txt
new_certs_dir = ${own}-new
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 300
copy_extensions = copy
policy = any
[any]
organizationName = optional
commonName = supplied
`,
    );
  }
  await run("openssl", [
    ...["ca", "-batch", "-notext", "-config", config, "-in", csr, "-out", out],
    ...["-extfile", csr.replace(/csr$/, "ext"), ...more],
  ]);
}

describe("an authority that signs elsewhere", () => {
  test("first, Terraform makes keys and requests, and a second plan is empty", async () => {
    build();
    await workspace.must("prod", "init", "-no-color");
    const { verbs } = await reported();
    expect(verbs).toEqual(Object.fromEntries(ALL.map((name) => [titleOf(name), "request"])));
    await workspace.apply("prod");
    expect(await workspace.plan("prod")).toEqual([]);
    const state = await workspace.show("prod");
    const resources = (JSON.parse(state) as { values: { root_module: { resources: { type: string }[] } } }).values
      .root_module.resources;
    const count = (type: string) => resources.filter((resource) => resource.type === type).length;
    // One key more: that of service accounts.
    expect([count("tls_private_key"), count("tls_cert_request")]).toEqual([ALL.length + 1, ALL.length]);
    expect(resources.some(({ type }) => type === "tls_locally_signed_cert")).toBe(false);
    for (const name of NAMES) {
      const [, key] = readFileSync(path.join(company, `${name}.key`), "utf8").split("\n");
      expect(state).not.toContain(key);
    }
  });

  test.each([
    ["--machine", "cp-1"],
    ["--machine", "node-1"],
    ["--operator", "operator"],
  ])("no files go to %s %s, and all that is missing is named", async (option, holder) => {
    const root = path.join(workspace.folder, "early");
    const who = option === "--operator" ? [option] : [option, holder];
    const { code, stderr } = await workspace.kubernetesPki("export", ...who, "--root", root, workspace.stack("prod"));
    expect(code).toBe(1);
    expect(stderr.match(/prod__[\w-]+/g)).toEqual(ALL.filter((name) => name.startsWith(`prod__${holder}__`)));
    expect(existsSync(root)).toBe(false);
  });

  test("export --requests writes one request each, by authority, which ask for what kubeadm's certificates have", async () => {
    await workspace.export(["--requests"], "requests", "prod");
    const found = filesBelow(requestsFolder(), ".csr");
    expect(found).toEqual(NAMES.flatMap((name) => EXPECTED[name].map((leaf) => `${name}/prod__${leaf}.csr`)).sort());
    expect(filesBelow(requestsFolder(), ".ext")).toEqual(found.map((file) => file.replace(/csr$/, "ext")));
    for (const file of found) {
      const { stderr } = await attempt("openssl", [
        "req",
        "-verify",
        "-noout",
        "-in",
        path.join(requestsFolder(), file),
      ]);
      expect(stderr).toContain("verify OK");
    }
    const text = await run("openssl", ["req", "-noout", "-text", "-in", request("cp-1__apiserver")]);
    expect(text).toMatch(/Subject: CN = kube-apiserver/);
    expect(text).toContain("IP Address:10.0.0.11");
    expect(filesBelow(requestsFolder(), ".key")).toEqual([]);
  });

  test("what comes back is kept, exported and verified, and a second plan is empty", async () => {
    mkdirSync(path.join(signed, "etcd"));
    for (const file of filesBelow(requestsFolder(), ".csr")) {
      const csr = path.join(requestsFolder(), file);
      const by = path.dirname(file);
      const name = path.basename(file, ".csr");
      await (by === "etcd"
        ? signByBooks(csr, path.join(signed, "etcd", `${name}.crt`), by)
        : sign(csr, path.join(signed, `${name}.${by === "kubernetes" ? "crt" : "pem"}`)));
    }
    build();
    const plan = await workspace.plan("prod");
    expect(plan.map(({ address, change }) => [address, change.actions.join()])).toEqual(
      ALL.map((name) => [`terraform_data.${name}`, "update"]),
    );
    const { verbs, dangers } = await reported();
    expect(verbs).toEqual(Object.fromEntries(ALL.map((name) => [titleOf(name), "issue"])));
    expect(dangers).toEqual([]);
    await workspace.apply("prod");
    expect(await workspace.plan("prod")).toEqual([]);

    const root = await workspace.export(["--machine", "cp-1"], "cp-1", "prod");
    const node = await workspace.export(["--machine", "node-1"], "node-1", "prod");
    const operator = await workspace.export(["--operator"], "operator", "prod");
    const pki = path.join(root, "etc/kubernetes/pki");
    const purposes: Readonly<Record<string, readonly string[]>> = {
      apiserver: ["sslserver"],
      "apiserver-kubelet-client": ["sslclient"],
      "front-proxy-client": ["sslclient"],
      "etcd/server": ["sslserver", "sslclient"],
      "etcd/peer": ["sslserver", "sslclient"],
      "etcd/healthcheck-client": ["sslclient"],
      "apiserver-etcd-client": ["sslclient"],
    };
    for (const [file, wanted] of Object.entries(purposes)) {
      const authority = /etcd/.test(file) ? "etcd/ca" : /front/.test(file) ? "front-proxy-ca" : "ca";
      for (const purpose of wanted) {
        const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", path.join(pki, `${authority}.crt`)];
        expect(await run("openssl", [...args, path.join(pki, `${file}.crt`)])).toMatch(/: OK$/m);
      }
      const [key, certificate] = ["key", "crt"].map((ending) => path.join(pki, `${file}.${ending}`));
      const publicKeys = [
        await run("openssl", ["pkey", "-pubout", "-in", key!]),
        await run("openssl", ["x509", "-noout", "-pubkey", "-in", certificate!]),
      ];
      expect(publicKeys[0]).toBe(publicKeys[1]);
    }
    const authority = path.join(pki, "ca.crt");
    const users = {
      [path.join(root, "etc/kubernetes/kubelet.conf")]: ["system:node:cp-1", "system:nodes"],
      [path.join(root, "etc/kubernetes/admin.conf")]: ["kubernetes-admin", "kubeadm:cluster-admins"],
      [path.join(root, "etc/kubernetes/scheduler.conf")]: ["system:kube-scheduler"],
      [path.join(root, "etc/kubernetes/controller-manager.conf")]: ["system:kube-controller-manager"],
      [path.join(node, "etc/kubernetes/kubelet.conf")]: ["system:node:node-1", "system:nodes"],
      [path.join(operator, "super-admin.conf")]: ["kubernetes-super-admin", "system:masters"],
      [path.join(operator, "admin.conf")]: ["kubernetes-admin", "kubeadm:cluster-admins"],
      [path.join(operator, "users/jane.conf")]: ["jane", "engineers"],
    };
    for (const [file, [user, group]] of Object.entries(users)) {
      const { users: found } = parse(readFileSync(file, "utf8")) as { users: { user: Record<string, string> }[] };
      const data = (field: string) => Buffer.from(found[0]!.user[field]!, "base64").toString();
      const pem = path.join(workspace.folder, "user.pem");
      writeFileSync(pem, data("client-certificate-data"));
      expect(await run("openssl", ["verify", "-purpose", "sslclient", "-CAfile", authority, pem])).toMatch(/: OK$/m);
      const { subject } = new X509Certificate(readFileSync(pem));
      expect(subject.split("\n").sort()).toEqual([`CN=${user}`, ...(group ? [`O=${group}`] : [])].sort());
      expect(data("client-key-data")).toContain("PRIVATE KEY");
    }
  });

  test("status finds nothing wrong in the state and in the files", async () => {
    for (const where of [[workspace.stack("prod")], ["--root", path.join(workspace.folder, "cp-1")]]) {
      const { code, stdout, stderr } = await workspace.kubernetesPki("status", ...where);
      expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    }
  });

  test("the inventory has them like any other, and says who signs", () => {
    const entries = inventory().entries.filter((entry) => entry.kind === "certificate");
    expect(entries.map((entry) => `prod__${entry.holder}__${entry.name}`).sort()).toEqual(ALL);
    expect(new Set(entries.map(({ issuedBy }) => issuedBy))).toEqual(new Set(["elsewhere"]));
    expect(entries.find(({ name }) => name === "apiserver")).toMatchObject({
      subject: "CN=kube-apiserver",
      usage: "server",
      issuer: { authority: "kubernetes", generation: "g1" },
      keyAlgorithm: "ECDSA-P256",
      asInTable: true,
    });
  });
});

describe("what is not what was asked for", () => {
  const leaf = "prod__cp-1__apiserver";
  const place = () => path.join(signed, `${leaf}.crt`);
  let right: string;

  beforeAll(() => {
    right = readFileSync(place(), "utf8");
  });

  afterEach(() => writeFileSync(place(), right));

  const own = () => request("cp-1__apiserver");
  const withExtensions = async (name: string, edit: (text: string) => string): Promise<string> => {
    const csr = path.join(workspace.folder, `${name}.csr`);
    writeFileSync(csr, readFileSync(own()));
    writeFileSync(csr.replace(/csr$/, "ext"), edit(readFileSync(own().replace(/csr$/, "ext"), "utf8")));
    return csr;
  };
  const none = "-copy_extensions none";

  test.each<[string, readonly string[], () => Promise<void>]>([
    ["another authority", ["signed-issuer"], () => sign(own(), place(), "stranger")],
    ["another common name", ["signed-subject"], () => sign(own(), place(), "kubernetes", "-subj", "/CN=kube-api")],
    [
      "a group that nobody asked for",
      ["signed-subject"],
      () => sign(own(), place(), "kubernetes", "-subj", "/O=system:masters/CN=kube-apiserver"),
    ],
    ["no names", ["signed-names"], () => sign(own(), place(), "kubernetes", ...none.split(" "))],
    [
      "one name more",
      ["signed-names"],
      async () => {
        const names = "subjectAltName = DNS:cp-1, DNS:more.example.com\n";
        await sign(await withExtensions("more", (text) => text + names), place(), "kubernetes", ...none.split(" "));
      },
    ],
    [
      "another use",
      ["signed-usage"],
      async () =>
        sign(await withExtensions("use", (text) => text.replace("serverAuth", "clientAuth")), place(), "kubernetes"),
    ],
    [
      "any use",
      ["signed-usage"],
      async () => sign(await withExtensions("any", (text) => text.replace(/extended.*\n/, "")), place(), "kubernetes"),
    ],
    [
      "an authority",
      ["signed-authority"],
      async () =>
        sign(await withExtensions("ca", (text) => text.replace("CA:FALSE", "CA:TRUE")), place(), "kubernetes"),
    ],
    ["too long a validity", ["signed-validity"], () => sign(own(), place(), "kubernetes", "-days", "500")],
    [
      "the authority's certificate behind it",
      ["signed-pem"],
      () => Promise.resolve(writeFileSync(place(), right + certificateOf("kubernetes"))),
    ],
    ["the request itself", ["signed-pem"], () => Promise.resolve(writeFileSync(place(), readFileSync(own())))],
  ])("%s is refused at synth", async (_, codes, make) => {
    await make();
    expect(problemsOf(() => build())).toEqual(codes);
  });

  test("one that has expired is refused at synth", async () => {
    await signByBooks(own(), place(), "kubernetes", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z");
    expect(() => build()).toThrow(/\[signed-expired\].*one that ended 2020-02-01/);
  });

  test("one of another key is refused in the plan, by Terraform, which alone knows the right one", async () => {
    const key = path.join(workspace.folder, "other.key");
    await run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key]);
    const csr = await withExtensions("key", (text) => text);
    const names = (await run("openssl", ["req", "-noout", "-text", "-in", own()])).match(/DNS:.*/)![0];
    const asked = names.replaceAll("IP Address:", "IP:");
    await run("openssl", [
      ...["req", "-new", "-key", key, "-out", csr, "-subj", "/CN=kube-apiserver"],
      ...["-addext", `subjectAltName=${asked}`],
    ]);
    await sign(csr, place(), "kubernetes");
    build();
    const { code, stderr } = await workspace.terraform("prod", "plan", "-no-color");
    expect(code).toBe(1);
    expect(stderr.replace(/[\s│]+/g, " ")).toMatch(
      /\[signed-key\] prod__cp-1__apiserver: given "a certificate of another key"/,
    );
  });

  test("a certificate that nobody asked for is refused at synth", () => {
    const stray = path.join(signed, "prod__cp-2__apiserver.crt");
    writeFileSync(stray, right);
    expect(() => build()).toThrow(/\[signed-unknown\].*prod__cp-2__apiserver/);
    rmSync(stray);
  });

  test("the right ones again, and nothing is planned", async () => {
    writeFileSync(place(), right);
    build();
    expect(await workspace.plan("prod")).toEqual([]);
  });
});

test("the program of docs/external-signing.md runs as it stands, and asks for the same", async () => {
  const page = readFileSync(path.join(ROOT, "docs/external-signing.md"), "utf8");
  const [, program] = /```ts\n([\s\S]*?)```/.exec(page)!;
  const folder = path.join(workspace.folder, "program");
  mkdirSync(path.join(folder, "signed"), { recursive: true });
  symlinkSync(company, path.join(folder, "company"));
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const file = path.join(folder, "main.ts");
  writeFileSync(file, program!.replace('"cdktf-kubernetes-pki"', JSON.stringify(path.join(ROOT, "lib"))));
  await run("node", ["--import", "tsx", file], { cwd: folder });
  const synthesized = readFileSync(path.join(folder, "cdktf.out/stacks/prod-pki/cdk.tf.json"), "utf8");
  const { resource } = JSON.parse(synthesized) as { resource: Record<string, object> };
  const more = /__(kubelet|jane|prometheus)$/;
  expect(Object.keys(resource["tls_cert_request"]!).filter((name) => !more.test(name))).toEqual(
    ALL.filter((name) => !more.test(name)),
  );
});

test("one that is signed again is one change, which Terraform makes in place", async () => {
  await sign(request("cp-1__scheduler"), path.join(signed, "prod__cp-1__scheduler.crt"), "kubernetes", "-days", "301");
  build();
  const plan = await workspace.plan("prod");
  expect(plan.map(({ address, change }) => [address, change.actions.join()])).toEqual([
    ["terraform_data.prod__cp-1__scheduler", "update"],
  ]);
  expect(await reported()).toEqual({ verbs: { "cp-1/scheduler": "re-issue" }, dangers: [] });
  await workspace.apply("prod");
});

test("another key is asked for anew, and its machine keeps what it has until then", async () => {
  const file = path.join(signed, "prod__cp-1__scheduler.crt");
  const before = readFileSync(file);
  rmSync(file);
  const certificates = { scheduler: { keyGeneration: "k2" } };
  build({ certificates });
  expect(await reported()).toEqual({ verbs: { "cp-1/scheduler": "request" }, dangers: [] });
  await workspace.apply("prod");
  const root = path.join(workspace.folder, "cp-1");
  const args = ["export", "--machine", "cp-1", "--root", root, workspace.stack("prod")];
  const { code, stderr } = await workspace.kubernetesPki(...args);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(": prod__cp-1__scheduler; nothing was written"),
  });
  const status = await workspace.kubernetesPki("status", workspace.stack("prod"));
  expect(status).toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/prod__cp-1__scheduler .* is signed elsewhere, and not back yet/),
  });
  await workspace.export(["--requests"], "requests", "prod");
  writeFileSync(file, before);
  build({ certificates });
  expect((await workspace.terraform("prod", "plan", "-no-color")).stderr).toContain("[signed-key]");
  await sign(request("cp-1__scheduler"), file, "kubernetes");
  build({ certificates });
  expect(await reported()).toEqual({ verbs: { "cp-1/scheduler": "issue" }, dangers: [] });
  await workspace.apply("prod");
  await workspace.export(["--machine", "cp-1"], "cp-1", "prod");
  expect(await workspace.plan("prod")).toEqual([]);
});

test("one that is due for renewal is a warning in every plan", async () => {
  const file = path.join(signed, "prod__cp-1__scheduler.crt");
  const before = readFileSync(file);
  await sign(request("cp-1__scheduler"), file, "kubernetes", "-days", "10");
  build({ certificates: { scheduler: { keyGeneration: "k2" } } });
  const { code, stdout, stderr } = await workspace.terraform("prod", "plan", "-no-color");
  expect(code).toBe(0);
  expect(`${stdout}${stderr}`.replace(/[\s│]+/g, " ")).toMatch(
    /Warning: Check block assertion failed.*\[signed-expiring\] prod__cp-1__scheduler/,
  );
  writeFileSync(file, before);
  build({ certificates: { scheduler: { keyGeneration: "k2" } } });
});

test("a node keeps the key that it made, and its kubeconfig names it", async () => {
  const file = (name: string) => path.join(workspace.folder, name);
  await run("openssl", [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"],
    ...["-subj", "/O=system:nodes/CN=system:node:node-1", "-keyout", file("kubelet.key"), "-out", file("node-1.csr")],
  ]);
  workspace.synth("nodes", (stack) => {
    new ClusterPki(stack, "pki", {
      distribution: Distribution.KUBEADM,
      cluster: {
        name: "nodes",
        endpoint: "api.prod.example.com:6443",
        serviceCidrs: ["10.96.0.0/12"],
        controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
        workers: [{ name: "node-1" }],
      },
      certificateRequests: { "nodes__node-1__kubelet": readFileSync(file("node-1.csr"), "utf8") },
    });
  });
  await workspace.apply("nodes");
  expect(await workspace.plan("nodes")).toEqual([]);
  const root = await workspace.export(["--machine", "node-1"], "nodes", "nodes");
  const text = readFileSync(path.join(root, "etc/kubernetes/kubelet.conf"), "utf8");
  const { users } = parse(text) as { users: { user: Record<string, string> }[] };
  expect(users[0]!.user).toEqual({ "client-certificate-data": expect.any(String), "client-key": "kubelet.key" });
  writeFileSync(file("kubelet.pem"), Buffer.from(users[0]!.user["client-certificate-data"]!, "base64"));
  const authority = path.join(root, "etc/kubernetes/pki/ca.crt");
  expect(await run("openssl", ["verify", "-purpose", "sslclient", "-CAfile", authority, file("kubelet.pem")])).toMatch(
    /OK/,
  );
  expect(await run("openssl", ["x509", "-noout", "-pubkey", "-in", file("kubelet.pem")])).toBe(
    await run("openssl", ["pkey", "-pubout", "-in", file("kubelet.key")]),
  );
  const [, key] = readFileSync(file("kubelet.key"), "utf8").split("\n");
  expect(await workspace.show("nodes")).not.toContain(key);
});

describe("kubeadm, in its mode for an external authority", () => {
  let kubeadm: string;
  let root: string;
  const etc = () => path.join(root, "etc/kubernetes");

  beforeAll(async () => {
    kubeadm = (await findTools(["kubeadm"])).kubeadm;
    root = await workspace.export(["--machine", "cp-1"], "kubeadm", "prod");
    // Without a version kubeadm asks the internet for the newest.
    const file = path.join(etc(), "cluster-configuration.yaml");
    const version = (await run(kubeadm, ["version", "-o", "short"])).trim();
    writeFileSync(file, `${readFileSync(file, "utf8")}kubernetesVersion: ${version}\n`);
  });

  /** `--rootfs` is a chroot. There is no network around it. */
  function init(...phase: readonly string[]): Promise<Ended> {
    const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const args = [
      "init",
      "phase",
      ...phase,
      "--config",
      "/etc/kubernetes/cluster-configuration.yaml",
      "--rootfs",
      root,
    ];
    return attempt("unshare", [...user, "--net", kubeadm, ...args], { env: { PATH: process.env["PATH"] } });
  }

  function files(): Record<string, string> {
    const all = (readdirSync(root, { recursive: true }) as string[]).filter((file) =>
      statSync(path.join(root, file)).isFile(),
    );
    return Object.fromEntries(all.map((file) => [file, readFileSync(path.join(root, file), "utf8")]));
  }

  test("no machine has an authority's key", () => {
    const keys = filesBelow(path.join(etc(), "pki"), ".key");
    expect(keys).toEqual([
      "apiserver-etcd-client.key",
      "apiserver-kubelet-client.key",
      "apiserver.key",
      "etcd/healthcheck-client.key",
      "etcd/peer.key",
      "etcd/server.key",
      "front-proxy-client.key",
      "sa.key",
    ]);
    expect(existsSync(path.join(etc(), "pki/ca-signing.crt"))).toBe(false);
  });

  test("it wants the operator's super-admin.conf beside the others, for as long as kubeadm init takes", async () => {
    const { code, stderr } = await init("certs", "all");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("the super-admin.conf file does not exist"),
    });
    const operator = path.join(workspace.folder, "operator/super-admin.conf");
    writeFileSync(path.join(etc(), "super-admin.conf"), readFileSync(operator), { mode: 0o600 });
  });

  test("then it takes certificates and kubeconfigs as they are", async () => {
    const before = files();
    for (const [phase, word] of [
      ["certs", /keyless certificate authority/],
      ["kubeconfig", /External CA mode: Using user provided/],
    ] as const) {
      const { code, stdout, stderr } = await init(phase, "all");
      expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/^E/m) });
      expect(stdout).toMatch(word);
      expect(stdout).not.toMatch(/Generating/);
    }
    expect(files()).toEqual(before);
  });

  test("its controller-manager signs nothing", async () => {
    expect(await init("control-plane", "all")).toMatchObject({ code: 0 });
    const manifest = path.join(etc(), "manifests/kube-controller-manager.yaml");
    const pod = parse(readFileSync(manifest, "utf8")) as { spec: { containers: { command: string[] }[] } };
    const signing = pod.spec.containers[0]!.command.filter((flag) => flag.startsWith("--cluster-signing"));
    expect(signing.sort()).toEqual(["--cluster-signing-cert-file=", "--cluster-signing-key-file="]);
  });
});
