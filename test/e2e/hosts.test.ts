import { TerraformStack, TerraformVariable } from "cdktf";
import {
  Certificate,
  CertificateAuthority,
  ClusterPki,
  Distribution,
  evaluate,
  JoinPassword,
  KeyUsage,
  Subject,
} from "../../lib";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ONE, pkiOf } from "../support/cluster";
import { newStack, problemsOf, validationsOf } from "../support/synth";
import { attempt } from "../sandbox/command";
import { findTools } from "../sandbox/tools";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace.remove());

/** For which values of a variable one of the conditions does not hold, by Terraform's own reading of them. */
async function holdsNot(
  id: string,
  conditions: readonly { readonly condition: string }[],
  variable: string,
  values: readonly string[],
): Promise<boolean[]> {
  const all = conditions.map(({ condition }) => `(${condition.slice(2, -1)})`).join(" && ");
  const expression = all.replaceAll(`"\${var.${variable}}"`, "value");
  const code = `jsonencode([for value in ${JSON.stringify(values)} : !(${expression})])`;
  const { stdout, stderr } = await workspace.console(id, code);
  try {
    return JSON.parse(JSON.parse(stdout) as string) as boolean[];
  } catch {
    throw new Error(stdout + stderr);
  }
}

/** What Terraform says of values that synth does not know; it is asked of all at once, since a plan takes a second. */
describe("known and unresolved hosts obey one rule", () => {
  const ADDRESSES = [
    "10.0.0.1",
    "fd00::1",
    "FD00:0:0:0:0:0:0:0001",
    "::ffff:10.0.0.1",
    "010.0.0.1",
    "10.0.0.1/24",
    "10.0.0.1:6443",
    "10.0.0",
    "api.example.com",
    "",
    "::1.2.3.4",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "169.254.1.1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "10.96.0.1",
    "10.111.255.255",
    "10.112.0.0",
    "fd00:10:96::1",
    "fd00:10:97::1",
  ];
  const NAMES = [
    "api.example.com",
    "API.example.com",
    "api",
    "*.example.com",
    "a_b",
    "api.example.com.",
    "-a",
    "https://api.example.com",
    "api:6443",
    "10.0.0.1",
    "1.2.3",
    "fd00::1",
    "",
    "a".repeat(64),
    `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(9)}`,
    `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(10)}`,
  ];
  const serviceCidrs = ["10.96.0.0/12", "fd00:10:96::/112"];

  const codes = (act: () => unknown): string[] => {
    try {
      act();
      return [];
    } catch {
      return problemsOf(act).map(({ code }) => code);
    }
  };

  /** What Terraform makes of the conditions of the output that has the files, for many values of the one variable. */
  async function refusedByTerraform(id: string, kind: "ip" | "dns", values: readonly string[]): Promise<boolean[]> {
    workspace.synth(id, (stack) => {
      const value = new TerraformVariable(stack, "value", { type: "string" }).stringValue;
      pkiOf({ endpoint: kind === "ip" ? { ip: value } : { dns: value }, serviceCidrs }, {}, stack);
    });
    const json = JSON.parse(readFileSync(path.join(workspace.stack(id), "cdk.tf.json"), "utf8")) as {
      output: { pki_files: { precondition: { condition: string }[] } };
    };
    workspace.setVariables({ value: kind === "ip" ? "10.0.0.1" : "api" });
    await workspace.must(id, "init", "-no-color");
    return holdsNot(id, json.output.pki_files.precondition, "value", values);
  }

  test("addresses", async () => {
    const refused = await refusedByTerraform("addresses", "ip", ADDRESSES);
    const atSynth = ADDRESSES.map((ip) => codes(() => pkiOf({ endpoint: { ip }, serviceCidrs })).length > 0);
    expect(Object.fromEntries(ADDRESSES.map((ip, index) => [ip, refused[index]]))).toEqual(
      Object.fromEntries(ADDRESSES.map((ip, index) => [ip, atSynth[index]])),
    );
    // Neither is the same for all.
    expect(new Set(atSynth).size).toBe(2);
  });

  test("names", async () => {
    const refused = await refusedByTerraform("names", "dns", NAMES);
    const atSynth = NAMES.map((dns) => codes(() => pkiOf({ endpoint: { dns } })).length > 0);
    expect(Object.fromEntries(NAMES.map((dns, index) => [dns, refused[index]]))).toEqual(
      Object.fromEntries(NAMES.map((dns, index) => [dns, atSynth[index]])),
    );
    expect(new Set(atSynth).size).toBe(2);
  });
});

test("addresses that Terraform fills in come out in one spelling, in certificates and kubeconfigs", async () => {
  workspace.setVariables({ endpoint: "FD00:0:0:0:0:0:0:000A", machine: "::ffff:10.0.0.11", name: "API.example.com" });
  workspace.synth("spelled", (stack) => {
    const [endpoint, machine, name] = ["endpoint", "machine", "name"].map(
      (id) => new TerraformVariable(stack, id, { type: "string" }).stringValue,
    ) as [string, string, string];
    const controlPlanes = [{ name: "cp-1", addresses: [machine] }];
    pkiOf({ endpoint: { ip: endpoint }, controlPlanes, extraSans: [{ dns: [name] }] }, {}, stack);
  });
  await workspace.apply("spelled");
  const root = await workspace.export(["--machine", "cp-1"], "spelled-root", "spelled");
  const read = (file: string) => readFileSync(path.join(root, "etc/kubernetes", file), "utf8");
  const { subjectAltName } = new X509Certificate(read("pki/apiserver.crt"));
  expect(subjectAltName!.split(", ").sort()).toEqual([
    "DNS:api.example.com",
    "DNS:cp-1",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:kubernetes.default.svc.cluster.local",
    "IP Address:10.0.0.11",
    "IP Address:10.96.0.1",
    "IP Address:FD00:0:0:0:0:0:0:A",
  ]);
  expect(read("admin.conf")).toContain("https://[fd00::a]:6443");
  expect(read("scheduler.conf")).toContain("https://10.0.0.11:6443");
});

test("what is refused for one value is refused before anything is made", async () => {
  workspace.setVariables({ first: "010.0.0.11", second: "10.0.0.12" });
  workspace.synth("refused", (stack) => {
    const [first, second] = ["first", "second"].map(
      (id) => new TerraformVariable(stack, id, { type: "string" }).stringValue,
    ) as [string, string];
    const controlPlanes = [
      { name: "cp-1", addresses: [first] },
      { name: "cp-2", addresses: [second] },
    ];
    pkiOf({ controlPlanes }, {}, stack);
  });
  await workspace.must("refused", "init", "-no-color");
  const plan = () => workspace.terraform("refused", "plan", "-no-color");
  expect((await plan()).stderr.replaceAll(/\n[│ ]*/g, " ")).toContain(
    '[host-ip] cluster.controlPlanes[0].addresses[0]: given "010.0.0.11"',
  );
  workspace.setVariables({ first: "::ffff:10.0.0.12" });
  expect((await plan()).stderr).toContain("[machine-address-twice]");
  workspace.setVariables({ first: "10.0.0.11" });
  expect((await plan()).code).toBe(0);
});

test("a join password keeps its value when the PKI gets another prefix", async () => {
  const make = (addressPrefix: string, movedFrom?: string) =>
    workspace.synth("password", (stack) => {
      new RandomProvider(stack, "random");
      const pki = new ClusterPki(stack, "pki", {
        distribution: Distribution.K3S,
        cluster: ONE,
        addressPrefix,
        movedFrom,
      });
      new JoinPassword(stack, "server", { pki });
    });
  const password = async () => /random_password[^}]*"result":"(\w+)"/.exec(await workspace.show("password"))![1];
  make("old");
  await workspace.apply("password");
  const before = await password();
  make("new", "old");
  await workspace.apply("password");
  expect(await password()).toBe(before);
});

test("known and unresolved groups obey one rule", async () => {
  const GROUPS = [
    "developers",
    "system:masters",
    " system:masters",
    "system:masters ",
    "",
    " ",
    "a\tb",
    "a b",
    "a".repeat(64),
    "a".repeat(65),
    "a".repeat(63),
    "ä".repeat(32),
    "ä".repeat(33),
    "名前",
  ];
  workspace.setVariables({ group: "developers" });
  const own = (stack: TerraformStack, organization: string) => {
    const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }) });
    const subject = new Subject({ commonName: "me", organization });
    new Certificate(stack, "own", { authority, subject, usage: KeyUsage.CLIENT });
  };
  workspace.synth("groups", (stack) =>
    own(stack, new TerraformVariable(stack, "group", { type: "string" }).stringValue),
  );
  const json = JSON.parse(readFileSync(path.join(workspace.stack("groups"), "cdk.tf.json"), "utf8")) as {
    resource: { tls_cert_request: { own: { lifecycle: { precondition: { condition: string }[] } } } };
  };
  const { precondition } = json.resource.tls_cert_request.own.lifecycle;
  await workspace.must("groups", "init", "-no-color");
  const refused = await holdsNot("groups", precondition, "group", GROUPS);
  const atSynth = GROUPS.map((group) => {
    const stack = newStack();
    try {
      own(stack, group);
      return validationsOf(stack).length > 0;
    } catch {
      return true;
    }
  });
  expect(Object.fromEntries(GROUPS.map((group, index) => [group, refused[index]]))).toEqual(
    Object.fromEntries(GROUPS.map((group, index) => [group, atSynth[index]])),
  );
});

test.each(["123", "true", "null", "1e3", "0x1f", "2001-01-01", "prod"])(
  "kubeadm takes a cluster called %s, with the largest networks that are taken here",
  async (name) => {
    const { kubeadm } = await findTools(["kubeadm"]);
    const { pki } = pkiOf({ name, serviceCidrs: ["10.96.0.0/12", "fd00::/108"] });
    const { content } = pki.files("cp-1").find(({ path: file }) => file.endsWith("/cluster-configuration.yaml"))!;
    const file = path.join(workspace.folder, `${name}.yaml`);
    writeFileSync(file, `${evaluate(content, () => "")}kubernetesVersion: v1.36.3\n`);
    expect(await attempt(kubeadm, ["config", "validate", "--config", file])).toMatchObject({ code: 0 });
  },
);
