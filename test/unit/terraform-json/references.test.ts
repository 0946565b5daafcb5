import { References } from "../../../lib/terraform-json/references";
import { ModuleChain } from "../../bench/module-chain";

// What Terraform prints of each form of reference is shown by test/e2e/references.test.ts.

const KEY = "tls_private_key.key";
const PEM = { address: KEY, attribute: "private_key_pem" };
const names = (...references: string[]) => ({ references });

interface Parts {
  readonly variables?: object;
  readonly outputs?: object;
  readonly module_calls?: object;
}

/** A request with these expressions of its key, in the root module. */
function request(key: unknown, more: object = {}, parts: Parts = {}): References {
  const resources = [
    { address: "tls_cert_request.r", mode: "managed", expressions: { private_key_pem: key }, ...more },
  ];
  return new References({ resources, ...parts });
}

const followed = (references: References) => ({
  of: references.of("tls_cert_request.r", "private_key_pem"),
  unresolved: references.unresolved("tls_cert_request.r", "private_key_pem"),
});

test("a chain of modules is followed in no time, and what it leads to is there once", () => {
  const chain = new ModuleChain(200, 8);
  const { configuration } = JSON.parse(chain.plan()) as { configuration: { root_module: unknown } };
  const start = performance.now();
  const references = new References(configuration.root_module);
  const found = references.of(chain.address, "private_key_pem");
  expect(found.map(({ address }) => address)).toEqual(chain.keys);
  expect(references.unresolved(chain.address)).toEqual([]);
  expect(performance.now() - start).toBeLessThan(1000);
});

test("a cycle of variables, which no valid configuration has, is named", () => {
  const outputs = { out: { expression: names("module.m.out", "module.m") } };
  const inner = { outputs: { out: { expression: names("var.in") } } };
  const call = { expressions: { in: names("module.m.out", `${KEY}.private_key_pem`) }, module: inner };
  const references = request(names("module.m.out", "module.m"), {}, { outputs, module_calls: { m: call } });
  expect(followed(references)).toEqual({ of: [PEM], unresolved: ["module.m.out"] });
});

test.each([
  "local.keys",
  "data.tls_public_key.x",
  "ephemeral.tls_private_key.x",
  "self.id",
  "each.value",
  "module.none.out",
])("%s cannot be followed", (name) => {
  expect(followed(request(names(`${name}.more`, name)))).toEqual({ of: [], unresolved: [name] });
});

test.each(["each.key", "count.index", "path.module", "terraform.workspace", "var.pem"])(
  "%s holds nothing of a resource",
  (name) => {
    expect(followed(request(names(`${KEY}.private_key_pem`, KEY, name)))).toEqual({ of: [PEM], unresolved: [] });
  },
);

test("each.value is what the resource is repeated for", () => {
  const each = names("each.value.private_key_pem", "each.value");
  expect(followed(request(each, { for_each_expression: names(KEY) }))).toEqual({ of: [PEM], unresolved: [] });
  expect(followed(request(each, { for_each_expression: names("local.keys") }))).toEqual({
    of: [],
    unresolved: ["local.keys"],
  });
  expect(followed(request(each, { for_each_expression: names(KEY, "tls_private_key.other") }))).toMatchObject({
    of: [PEM, { ...PEM, address: "tls_private_key.other" }],
    unresolved: ["each.value"],
  });
});

test("a name holds keys of any form, and is never looked at twice", () => {
  const keyed = names(`tls_private_key.key["a.b[\\"0\\"]"].private_key_pem`, `tls_private_key.key["a.b[\\"0\\"]"]`);
  expect(followed(request(keyed)).of).toEqual([{ ...PEM, keys: `["a.b[\\"0\\"]"]` }]);
  // What looked at a name again for each of its parts took minutes.
  const hostile = ["[", '["', '["\\"', "a.", '[0]["a'].map((part) => part.repeat(300_000));
  hostile.forEach((name) => followed(request(names(name, `${name}x`))));
  followed(request(names(...Array.from({ length: 100_000 }, (_, index) => `tls_private_key.k${index}.id`))));
}, 30_000);
