import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TimeProvider } from "@cdktf/provider-time/lib/provider";
import { TerraformOutput, TerraformStack, TerraformVariable } from "cdktf";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ClusterAccess, ClusterPki, Distribution, Generation, toTerraform } from "../../lib";
import { ETCD_CA_CERTIFICATE, OTHER_KEY } from "../support/authorities";
import { CA_CERTIFICATE, CA_KEY_ALONE } from "../support/pem";
import { Workspace } from "./workspace";

// Tokens of k0s without a cluster: everything of the access construct but the objects in the API server, which alone need one.

jest.setTimeout(120_000);

const distribution = Distribution.K0S;
const cluster = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
};

let workspace: Workspace;
/** What Terraform made of the tokens' expressions. */
let rendered: Record<string, string>;
/** What was exported for whom. */
let exported: Record<"worker" | "operator" | "cp-1", string>;

function build(stack: TerraformStack): void {
  new RandomProvider(stack, "random");
  new TimeProvider(stack, "time");
  const generations = { g1: Generation.trusted(), g2: Generation.active() };
  const pki = new ClusterPki(stack, "pki", {
    addressPrefix: "pki",
    distribution,
    cluster,
    authorities: { kubernetes: { generations } },
  });
  const access = new ClusterAccess(stack, "access", {
    addressPrefix: "access",
    distribution,
    cluster,
    certificateAuthority: pki.bundle(),
    tokens: { workers: {}, controllers: { joins: "controller" }, "in-plain": { joins: "worker-in-plain" } },
  });
  access.node.tryRemoveChild("node-bootstrapping");
  Object.values(access.tokens).forEach(({ node }) => node.tryRemoveChild("Resource"));
  for (const [name, token] of Object.entries(access.joinTokens)) {
    new TerraformOutput(stack, name, { value: toTerraform(token), sensitive: true, staticId: true });
  }
}

/** As k0s' documentation reads a token. */
function decode(token: string): string {
  return execFileSync("sh", ["-c", "base64 -d | gunzip"], { input: token, encoding: "utf8" });
}

const read = (folder: string, file: string) => readFileSync(path.join(folder, file), "utf8");

beforeAll(async () => {
  workspace = await Workspace.create();
  workspace.synth("k0s", build);
  await workspace.apply("k0s");
  const outputs = JSON.parse(await workspace.must("k0s", "output", "-json")) as Record<string, { value: string }>;
  rendered = Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
  exported = {
    worker: await workspace.export(["--worker", "--prefix", "access"], "worker", "k0s"),
    operator: await workspace.export(["--operator", "--prefix", "access"], "operator", "k0s"),
    "cp-1": await workspace.export(["--machine", "cp-1", "--prefix", "pki"], "cp-1", "k0s"),
  };
});

afterAll(() => workspace?.remove());

const inPlain = (text: string) => text;

describe.each([
  {
    name: "workers",
    user: "kubelet-bootstrap",
    port: 6443,
    holder: "worker",
    file: "/etc/k0s/k0stoken",
    unpack: decode,
  },
  {
    name: "in-plain",
    user: "kubelet-bootstrap",
    port: 6443,
    holder: "worker",
    file: "/var/lib/k0s/kubelet-bootstrap.conf",
    unpack: inPlain,
  },
  {
    name: "controllers",
    user: "controller-bootstrap",
    port: 9443,
    holder: "operator",
    file: "/controller-token",
    unpack: decode,
  },
] as const)("the token of $name", ({ name, user, port, holder, file, unpack }) => {
  test("is k0s' kubeconfig, from Terraform and from the export alike", async () => {
    const text = unpack(rendered[name]!);
    expect(unpack(read(exported[holder], file))).toBe(text);

    const { values } = JSON.parse(await workspace.show("k0s")) as {
      values: { root_module: { resources: { address: string; values: { result: string } }[] } };
    };
    const half = (type: string) =>
      values.root_module.resources.find(({ address }) => address === `${type}.access__token__${name}`)!.values.result;
    const bundle = Buffer.from(read(exported["cp-1"], "/var/lib/k0s/pki/ca-bundle.crt")).toString("base64");
    expect(half("random_string")).toMatch(/^[a-z0-9]{6}$/);
    expect(half("random_password")).toMatch(/^[a-z0-9]{16}$/);
    expect(text).toBe(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${bundle}
    server: https://api.prod.example.com:${port}
  name: k0s
contexts:
- context:
    cluster: k0s
    user: ${user}
  name: k0s
current-context: k0s
kind: Config
users:
- name: ${user}
  user:
    token: ${half("random_string")}.${half("random_password")}
`);
  });

  test("is read by nobody else than who carries it", () => {
    const others = Object.entries(exported).filter(([name]) => name !== holder);
    expect(others.length).toBe(2);
    for (const [, folder] of others) {
      expect(() => read(folder, file)).toThrow(/ENOENT/);
    }
  });
});

test("k0s' reader finds one certificate where it signs, and verifiers find both", () => {
  const certificates = (file: string) =>
    read(exported["cp-1"], `/var/lib/k0s/pki/${file}`).match(/-----BEGIN CERTIFICATE-----/g);
  expect(certificates("ca.crt")).toHaveLength(1);
  expect(certificates("ca-bundle.crt")).toHaveLength(2);
});

describe("an authority of etcd that Terraform alone knows", () => {
  const given = (certificate: string, key: string) => workspace.setVariables({ etcd_ca: certificate, etcd_key: key });

  beforeAll(() => {
    workspace.synth("outside", (stack) => {
      const value = (name: string) =>
        new TerraformVariable(stack, name, { type: "string", sensitive: true }).stringValue;
      const pem = { certificatePem: value("etcd_ca"), privateKeyPem: value("etcd_key") };
      const etcd = { generations: { g1: Generation.fromPem("active", pem) } };
      new ClusterPki(stack, "pki", { addressPrefix: "pki", distribution, cluster, authorities: { etcd } });
    });
  });

  test("is refused where k0s would not renew what it signs", async () => {
    given(CA_CERTIFICATE, CA_KEY_ALONE);
    await workspace.must("outside", "init", "-no-color");
    const { code, stderr } = await workspace.terraform("outside", "plan", "-no-color");
    expect(code).toBe(1);
    expect(stderr).toContain("[pem-common-name]");
    expect(stderr.replace(/\s*│\s*/g, " ")).toContain("CN=test-ca");
  });

  test("is taken by its CN, whatever else is in its name", async () => {
    given(ETCD_CA_CERTIFICATE, OTHER_KEY);
    const { code, stderr } = await workspace.terraform("outside", "plan", "-no-color");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

test("nothing changes with another apply", async () => {
  expect(await workspace.plan("k0s")).toEqual([]);
});
