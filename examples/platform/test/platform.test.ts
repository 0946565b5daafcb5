import { App } from "cdktf";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { shop } from "../clusters/edge";
import { Platform } from "../clusters/platform";
import { localState } from "../lib/backend";
import { EdgeCluster } from "../lib/kinds";
import { Region } from "../lib/region";

interface Synthesized {
  readonly resource: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly output?: Readonly<Record<string, { readonly value: unknown }>>;
  readonly terraform: { readonly backend: { readonly local: { readonly path: string } } };
}

/** Attributes that hold secrets. */
const SECRET = /\.(private_key_\w+|result|bcrypt_hash)\b/;

const folders: string[] = [];

/** The platform as Terraform gets it, by stack. */
function synth(shops?: readonly number[]): Record<string, Synthesized> {
  const outdir = mkdtempSync(path.join(tmpdir(), "platform-"));
  folders.push(outdir);
  const app = new App({ outdir });
  new Platform(app, "platform", { backend: localState("state"), shops });
  app.synth();
  const read = (stack: string) => readFileSync(path.join(outdir, "stacks", stack, "cdk.tf.json"), "utf8");
  const ids = readdirSync(path.join(outdir, "stacks")).sort();
  return Object.fromEntries(ids.map((id) => [id, JSON.parse(read(id)) as Synthesized]));
}

/** Names of the resources of a type. */
function names(stack: Synthesized, type: string): string[] {
  return Object.keys(stack.resource[type] ?? {}).sort();
}

let stacks: Record<string, Synthesized>;

beforeAll(() => {
  stacks = synth();
});

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

test("every cluster is there", () => {
  const machines = ["data", "ipv6", "lab", "management", "production"];
  const shops = Array.from({ length: 20 }, (_, i) => `shop-${String(i + 1).padStart(2, "0")}-pki`);
  const expected = [
    ...machines.flatMap((name) => [`${name}-access`, `${name}-pki`]),
    ...shops,
    ...["team-a-pki", "team-b-pki", "team-c-pki"],
  ];
  expect(Object.keys(stacks)).toEqual(expected.sort());
});

// Terraform replaces what changes its address. This list is the contract of this repository: it only grows.
test("addresses say what a thing is, not where its construct stands", () => {
  expect(names(stacks["production-pki"]!, "tls_self_signed_cert")).toEqual([
    "production__ca__etcd__g1",
    "production__ca__front-proxy__g1",
    "production__ca__kubernetes__g1",
  ]);
  expect(names(stacks["production-pki"]!, "tls_locally_signed_cert")).toEqual(
    expect.arrayContaining([
      "production__cp-1__apiserver",
      "production__cp-3__etcd-peer",
      "production__operator__admin",
    ]),
  );
  expect(names(stacks["data-pki"]!, "tls_locally_signed_cert")).toEqual(
    expect.arrayContaining([
      "data__etcd-1_r1_data_example_com__etcd-server",
      "data__etcd-1_r3_data_example_com__prometheus",
    ]),
  );
  expect(names(stacks["lab-pki"]!, "tls_self_signed_cert")).toEqual(["lab__ca__kubernetes__g1"]);
  expect(names(stacks["shop-07-pki"]!, "random_password")).toEqual(["shop-07__token__agent", "shop-07__token__server"]);
  expect(names(stacks["team-b-pki"]!, "kubernetes_secret_v1")).toEqual([
    "team-b__secret__team-b-ca",
    "team-b__secret__team-b-etcd",
    "team-b__secret__team-b-proxy",
    "team-b__secret__team-b-sa",
  ]);
});

test("the API server answers by the first service address of each family", () => {
  const addresses = (id: string, request: string) =>
    stacks[id]!.resource["tls_cert_request"]![request]!["ip_addresses"] as string[];
  expect(addresses("production-pki", "production__cp-1__apiserver")).toEqual(
    expect.arrayContaining(["10.96.0.1", "fd00:10:96::1", "10.0.0.11", "fd00:10::11"]),
  );
  const onlyIpv6 = addresses("ipv6-pki", "ipv6__v6-cp-1__apiserver");
  expect(onlyIpv6).toEqual(expect.arrayContaining(["fd00:6:96::1", "fd00:6::10", "fd00:6::11"]));
});

test("one more shop changes nothing of the others", () => {
  const { "shop-20-pki": added, ...before } = stacks;
  expect(synth(Array.from({ length: 19 }, (_, i) => i + 1))).toEqual(before);
  expect(added).toBeDefined();
});

test("two clusters of one name are refused, wherever they stand", () => {
  const app = new App();
  const props = { ...shop(7), backend: localState("state") };
  new Region(app, "north").cluster(EdgeCluster, props);
  expect(() => new Region(app, "south").cluster(EdgeCluster, props)).toThrow(
    "south/shop-07: there is a stack shop-07-pki at north/shop-07/shop-07-pki",
  );
});

test("no output gives a secret away", () => {
  const outputs = Object.values(stacks).flatMap(({ output = {} }) => Object.values(output));
  expect(outputs.length).toBeGreaterThan(50);
  // Text may name a key; only what is between `${` and `}` is looked up.
  const lookedUp = outputs.flatMap(({ value }) => JSON.stringify(value).match(/\$\{[^}]*\}/g) ?? []);
  expect(lookedUp.length).toBeGreaterThan(50);
  expect(lookedUp.filter((text) => SECRET.test(text))).toEqual([]);
});

test("every stack has a state of its own, outside the output folder", () => {
  const paths = Object.entries(stacks).map(([id, { terraform }]) => [id, terraform.backend.local.path]);
  expect(paths).toEqual(Object.keys(stacks).map((id) => [id, `../../../state/${id}.tfstate`]));
});
