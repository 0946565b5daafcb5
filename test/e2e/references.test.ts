import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { planReport } from "../../lib/plan/judge/report";
import { readPlan } from "../../lib/terraform-json/plan";
import { ModuleChain } from "../bench/module-chain";
import { Workspace } from "./workspace";

// The forms of references are those that Terraform prints, and each is followed as Terraform itself does it.

jest.setTimeout(300_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace.remove());

/** What Terraform prints of a plan of the code, by folder and file. */
async function planned(id: string, code: ReadonlyMap<string, string>): Promise<Record<string, unknown>> {
  for (const [file, content] of code) {
    const target = path.join(workspace.stack(id), file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  await workspace.must(id, "init", "-no-color");
  await workspace.must(id, "plan", "-no-color", "-out=plan");
  return JSON.parse(await workspace.must(id, "show", "-json", "plan")) as Record<string, unknown>;
}

test("a chain of modules is what the benchmark takes for one", async () => {
  const chain = new ModuleChain(3, 2);
  const code = new Map([...chain.code()].map(([folder, json]) => [`${folder}main.tf.json`, JSON.stringify(json)]));
  const document = await planned("chain", code);
  const made = JSON.parse(chain.plan()) as { configuration: object };
  expect(document).toMatchObject({ configuration: made.configuration });
  const { references } = readPlan(document);
  expect(references.of(chain.address, "private_key_pem").map(({ address }) => address)).toEqual(chain.keys);
  const names = (plan: unknown) => planReport(readPlan(plan)).changes.map(({ kind, name }) => `${kind} ${name}`);
  expect(names(made)).toEqual(names(document));
});

const MAIN = `
locals {
  nodes = toset(["a", "b"])
  keys  = { for name, key in tls_private_key.node : name => key.private_key_pem }
}
resource "tls_private_key" "ca" { algorithm = "ECDSA" }
resource "tls_private_key" "node" {
  for_each  = local.nodes
  algorithm = "ECDSA"
}
resource "terraform_data" "key" { input = tls_private_key.ca.private_key_pem }
data "tls_public_key" "ca" { private_key_pem = tls_private_key.ca.private_key_pem }

resource "tls_cert_request" "each" {
  for_each        = tls_private_key.node
  private_key_pem = each.value.private_key_pem
  subject { common_name = each.key }
}
resource "tls_cert_request" "key" {
  for_each        = local.nodes
  private_key_pem = tls_private_key.node[each.key].private_key_pem
  subject { common_name = each.key }
}
resource "tls_cert_request" "count" {
  count           = length(tls_private_key.node)
  private_key_pem = values(tls_private_key.node)[count.index].private_key_pem
  subject { common_name = "\${path.module} \${terraform.workspace}" }
}
resource "tls_cert_request" "local" {
  for_each        = local.keys
  private_key_pem = each.value
  subject { common_name = data.tls_public_key.ca.id }
}
resource "tls_cert_request" "two" {
  for_each        = { a = tls_private_key.ca, b = tls_private_key.node["b"] }
  private_key_pem = each.value.private_key_pem
  subject { common_name = each.key }
}
resource "tls_cert_request" "data" {
  private_key_pem = terraform_data.key.output
  subject { common_name = module.each["a"].request.id }
}
module "each" {
  for_each = tls_private_key.node
  source   = "./module"
  key      = each.value
}
resource "tls_cert_request" "module" {
  private_key_pem = values(module.each)[0].key
  subject { common_name = "module" }
}
`;

const MODULE = `
variable "key" {}
variable "name" { default = "leaf" }
locals { name = var.name }
resource "tls_cert_request" "leaf" {
  private_key_pem = var.key.private_key_pem
  dns_names       = [local.name]
  subject { common_name = var.name }
}
output "key" {
  value     = tls_cert_request.leaf.private_key_pem
  sensitive = true
}
output "request" { value = tls_cert_request.leaf }
`;

const NODE = "tls_private_key.node.private_key_pem";
const CA = "tls_private_key.ca.private_key_pem";
const LEAF = "module.each.tls_cert_request.leaf";

test("each form of reference is followed, or said not to be", async () => {
  const code = new Map([
    ["main.tf", MAIN],
    ["module/main.tf", MODULE],
  ]);
  const { references } = readPlan(await planned("forms", code));
  const followed = (resource: string, attribute: string) => [
    references.of(resource, attribute).map((found) => Object.values(found).filter(Boolean).join(".")),
    references.unresolved(resource, attribute),
  ];
  const keys = ["each", "key", "count", "local", "two", "data", "module"].map((name) => {
    return [name, ...followed(`tls_cert_request.${name}`, "private_key_pem")];
  });
  expect(keys).toEqual([
    ["each", [NODE], []],
    ["key", ["tls_private_key.node"], []],
    ["count", ["tls_private_key.node"], []],
    ["local", [], ["local.keys"]],
    ["two", [CA, `${NODE}.["b"]`], ["each.value"]],
    ["data", ["terraform_data.key.output", CA], []],
    ["module", [`${LEAF}.private_key_pem`, LEAF], ["module.each"]],
  ]);
  expect(followed(LEAF, "private_key_pem")).toEqual([[NODE], []]);
  expect(followed(LEAF, "dns_names")).toEqual([[], ["module.each.local.name"]]);
  expect(followed("tls_cert_request.local", "subject")).toEqual([[], ["data.tls_public_key.ca"]]);
  expect(followed("tls_cert_request.count", "subject")).toEqual([[], []]);
});
