import { Password } from "@cdktf/provider-random/lib/password";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { StringResource } from "@cdktf/provider-random/lib/string-resource";
import { TerraformOutput, TerraformStack, TerraformVariable } from "cdktf";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  ClusterPki,
  ClusterPkiProps,
  Content,
  Distribution,
  Generation,
  kubeconfig,
  serverUrl,
  toTerraform,
} from "../../lib";
import { run } from "../sandbox/command";
import { Workspace } from "./workspace";
import { pin } from "../../lib/terraform/pin";
import { publishFiles } from "../../lib/kubernetes/outputs";

// What is not known at synth: values of variables stand for those of any other resource.

jest.setTimeout(120_000);

const VALUES = { host: "api.prod.example.com", address: "10.0.0.11", name: "more.example.com", ip: "192.0.2.7" };

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

beforeEach(() => workspace.setVariables(VALUES));

afterAll(() => workspace?.remove());

/** A value that Terraform learns when it runs. */
function later(stack: TerraformStack, name: string, options: { sensitive?: boolean } = {}): string {
  return new TerraformVariable(stack, name, { type: "string", ...options }).stringValue;
}

function pkiOf(stack: TerraformStack, props: Partial<ClusterPkiProps> & Pick<ClusterPkiProps, "cluster">): ClusterPki {
  return new ClusterPki(stack, "pki", { addressPrefix: "pki", distribution: Distribution.KUBEADM, ...props });
}

function unresolvedCluster(stack: TerraformStack): void {
  const pki = pkiOf(stack, {
    cluster: {
      name: "prod",
      endpoint: { dns: later(stack, "host") },
      serviceCidrs: ["10.96.0.0/12"],
      controlPlanes: [{ name: "cp-1", addresses: [later(stack, "address")] }],
      extraSans: [{ dns: [later(stack, "name")], ips: [later(stack, "ip")] }],
    },
  });
  const rendered = Object.fromEntries(pki.files("cp-1").map((file) => [file.path, toTerraform(file.content)]));
  new TerraformOutput(stack, "rendered", { value: rendered, sensitive: true, staticId: true });
}

describe("unresolved values", () => {
  beforeAll(async () => {
    workspace.synth("later", unresolvedCluster);
    await workspace.must("later", "init", "-no-color");
  });

  test.each([
    ["host", "https://api.prod.example.com", '[host-name] sans: given "https://api.prod.example.com"'],
    ["host", "10.0.0.11", '[host-name] sans: given "10.0.0.11"'],
    ["address", "10.0.0.300", '[host-ip] sans: given "10.0.0.300"'],
    ["ip", "192.168.214.1/24", '[host-ip] sans: given "192.168.214.1/24"'],
    ["name", "more.example.com:443", '[host-name] sans: given "more.example.com:443"'],
  ])("stop the plan where %s is %s", async (variable, value, message) => {
    workspace.setVariables({ [variable]: value });
    const { code, stderr } = await workspace.terraform("later", "plan", "-no-color");
    expect(code).toBe(1);
    expect(stderr.replace(/\s+/g, " ")).toContain(message);
  });

  test("end up in certificates and kubeconfigs, and both interpreters agree on them", async () => {
    await workspace.apply("later");
    const root = await workspace.export(["--machine", "cp-1"], "later-cp-1", "later");
    const folder = path.join(root, "etc/kubernetes");
    const names = new X509Certificate(readFileSync(path.join(folder, "pki/apiserver.crt"))).subjectAltName!.split(", ");
    expect(names).toEqual(
      expect.arrayContaining([
        "DNS:api.prod.example.com",
        "DNS:more.example.com",
        "IP Address:10.0.0.11",
        "IP Address:192.0.2.7",
        "IP Address:10.96.0.1",
      ]),
    );
    expect(server(root, "admin.conf")).toBe("https://api.prod.example.com:6443");
    expect(server(root, "scheduler.conf")).toBe("https://10.0.0.11:6443");
    const { rendered } = JSON.parse(await workspace.must("later", "output", "-json")) as {
      rendered: { value: Record<string, string> };
    };
    for (const [file, text] of Object.entries(rendered.value)) {
      expect([file, readFileSync(path.join(root, file), "utf8")]).toEqual([file, text]);
    }
    expect((await workspace.terraform("later", "plan", "-detailed-exitcode")).code).toBe(0);
  });

  test("put an IPv6 endpoint into brackets", async () => {
    workspace.synth("ipv6", (stack) =>
      pkiOf(stack, {
        cluster: {
          name: "prod",
          endpoint: { ip: later(stack, "address"), port: 8443 },
          serviceCidrs: ["fd00:10:96::/112"],
          controlPlanes: [{ name: "cp-1", addresses: ["fd00::11"] }],
        },
      }),
    );
    workspace.setVariables({ address: "fd00::1" });
    await workspace.apply("ipv6");
    const root = await workspace.export(["--machine", "cp-1"], "ipv6-cp-1", "ipv6");
    const folder = path.join(root, "etc/kubernetes");
    expect(server(root, "admin.conf")).toBe("https://[fd00::1]:8443");
    const { subjectAltName } = new X509Certificate(readFileSync(path.join(folder, "pki/apiserver.crt")));
    expect(subjectAltName).toContain("IP Address:FD00:0:0:0:0:0:0:1");
    expect(subjectAltName).toContain("IP Address:FD00:10:96:0:0:0:0:1");
  });
});

/** The server of a kubeconfig: quoted, as YAML may be, where it was not known at synth. */
function server(root: string, kubeconfig: string): string | undefined {
  const text = readFileSync(path.join(root, "etc/kubernetes", kubeconfig), "utf8");
  return /^ {4}server: "?([^"\n]*)"?$/m.exec(text)?.[1];
}

test("both interpreters agree on a kubeconfig with a token, and on base64 of what is not known at synth", async () => {
  workspace.setVariables({ ca: '-----BEGIN CERTIFICATE-----\nnot a secret, "quoted" and ${kept}\n' });
  workspace.synth("token", (stack) => {
    new RandomProvider(stack, "random");
    const id = { address: pin(new StringResource(stack, "id", { length: 6 }), "token"), attribute: "result" };
    const secret = { address: pin(new Password(stack, "secret", { length: 16 }), "token"), attribute: "result" };
    const config = kubeconfig({
      clusterName: "prod",
      server: serverUrl({ dns: later(stack, "host") }),
      certificateAuthority: later(stack, "ca"),
      user: "kubelet-bootstrap",
      credentials: { token: { concat: [id, ".", secret] } },
    });
    const nested = { base64: { concat: ['%{ if } ${none} "', later(stack, "name"), "\n", { base64: config }] } };
    const rest = { kind: "configuration", mode: "0600", owner: "root:root", consumers: [] } as const;
    const file = (path: string, content: Content) => ({ path, content, ...rest });
    publishFiles(stack, "access", { worker: [file("/bootstrap.conf", config), file("/nested", nested)] });
    const value = { "bootstrap.conf": toTerraform(config), nested: toTerraform(nested) };
    new TerraformOutput(stack, "rendered", { value, sensitive: true, staticId: true });
  });
  await workspace.apply("token");
  const root = await workspace.export(["--worker"], "token-worker", "token");
  const { rendered } = JSON.parse(await workspace.must("token", "output", "-json")) as {
    rendered: { value: Record<string, string> };
  };
  for (const [name, text] of Object.entries(rendered.value)) {
    expect([name, readFileSync(path.join(root, name), "utf8")]).toEqual([name, text]);
  }
  expect(readFileSync(path.join(root, "bootstrap.conf"), "utf8")).toMatch(/^ {4}token: .{6}\..{16}$/m);
});

describe("an authority from outside", () => {
  const CLUSTER = {
    name: "prod",
    endpoint: "api.prod.example.com",
    serviceCidrs: ["10.96.0.0/12"],
    controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
  };
  const at = (name: string) => path.join(workspace.folder, "outside", name);

  test("signs from a variable, is delivered as it came, and shows its key in no plan and no output", async () => {
    mkdirSync(at(""));
    const subject = ["-subj", "/CN=kubernetes", "-days", "3650", "-keyout", at("ca.key"), "-out", at("ca.crt")];
    const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    await run("openssl", ["req", "-x509", ...algorithm, ...subject]);
    const certificatePem = readFileSync(at("ca.crt"), "utf8");
    const privateKeyPem = readFileSync(at("ca.key"), "utf8");
    workspace.synth("outside", (stack) => {
      const pem = { certificatePem: later(stack, "ca"), privateKeyPem: later(stack, "key", { sensitive: true }) };
      pkiOf(stack, {
        cluster: CLUSTER,
        authorities: { kubernetes: { generations: { g1: Generation.fromPem("active", pem) } } },
      });
    });
    // As an editor on Windows would save it.
    workspace.setVariables({ ca: certificatePem.replace(/\n/g, "\r\n"), key: privateKeyPem });
    await workspace.must("outside", "init", "-no-color");
    const planned = await workspace.must("outside", "plan", "-no-color");
    await workspace.apply("outside");
    const root = await workspace.export(["--machine", "cp-1"], "outside-cp-1", "outside");
    const file = (name: string) => path.join(root, "etc/kubernetes/pki", name);
    expect(readFileSync(file("ca.crt"), "utf8")).toBe(certificatePem);
    expect(readFileSync(file("ca.key"), "utf8")).toBe(privateKeyPem);
    const verified = await run("openssl", ["verify", "-CAfile", at("ca.crt"), file("apiserver.crt")]);
    expect(verified).toContain("OK");
    const secret = privateKeyPem.split("\n")[1]!;
    expect(planned).not.toContain(secret);
    expect(await workspace.must("outside", "output", "-json")).not.toContain(secret);
    expect((await workspace.terraform("outside", "plan", "-detailed-exitcode")).code).toBe(0);
  });

  test("signs from text in the code", async () => {
    const certificatePem = readFileSync(at("ca.crt"), "utf8");
    const privateKeyPem = readFileSync(at("ca.key"), "utf8");
    workspace.synth("literal", (stack) => {
      const pem = { certificatePem, privateKeyPem };
      pkiOf(stack, {
        cluster: CLUSTER,
        authorities: { kubernetes: { generations: { g1: Generation.fromPem("active", pem) } } },
      });
    });
    await workspace.apply("literal");
    const root = await workspace.export(["--machine", "cp-1"], "literal-cp-1", "literal");
    expect(readFileSync(path.join(root, "etc/kubernetes/pki/ca.crt"), "utf8")).toBe(certificatePem);
  });
});
