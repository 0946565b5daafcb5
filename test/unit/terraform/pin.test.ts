import { TerraformLocal, TerraformOutput } from "cdktf";
import { DataTlsPublicKey } from "@cdktf/provider-tls/lib/data-tls-public-key";
import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { Construct } from "constructs";
import { errorOf, newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";
import { addBlock, claimPrefix } from "../../../lib/terraform/registry";
import { pin } from "../../../lib/terraform/pin";

const key = (scope: Construct, id: string) => new PrivateKey(scope, id, { algorithm: "RSA" });

test("gives a resource its name wherever its construct stands", () => {
  const stack = newStack();
  expect(pin(key(new Construct(stack, "deep"), "key"), "prod__ca")).toBe("tls_private_key.prod__ca");
  expect(terraformOf(stack).resource).toEqual({ tls_private_key: { prod__ca: { algorithm: "RSA" } } });
});

test("gives an output its name", () => {
  const stack = newStack();
  const output = new TerraformOutput(new Construct(stack, "deep"), "Files", { value: "x" });
  expect(pin(output, "prod_files")).toBe("output.prod_files");
  expect(terraformOf(stack).output).toEqual({ prod_files: { value: "x" } });
});

test("gives a local and a data source their names, and finds a stranger with them", () => {
  const stack = newStack();
  const data = (scope: Construct, id: string) => new DataTlsPublicKey(scope, id, { privateKeyPem: "x" });
  expect(pin(new TerraformLocal(stack, "local", "x"), "same")).toBe("local.same");
  expect(pin(data(stack, "data"), "same")).toBe("data.tls_public_key.same");
  expect(validationsOf(stack)).toEqual([]);
  data(stack, "stranger").overrideLogicalId("same");
  new TerraformLocal(stack, "another", "y").overrideLogicalId("same");
  expect(validationsOf(stack)).toEqual([
    expect.stringContaining('[address-taken] prod-pki/stranger: given "data.tls_public_key.same'),
    expect.stringContaining('[address-taken] prod-pki/another: given "local.same'),
  ]);
});

test("lets two types share a name", () => {
  const stack = newStack();
  pin(key(stack, "a"), "same");
  expect(() => pin(new TerraformOutput(stack, "b", { value: "x" }), "same")).not.toThrow();
  expect(validationsOf(stack)).toEqual([]);
});

test("lets two stacks share a name", () => {
  pin(key(newStack("one"), "a"), "same");
  expect(() => pin(key(newStack("two"), "a"), "same")).not.toThrow();
});

test.each(["", "1a", "-a", "a.b", "a b", "a/b", "ä", "a:b"])("refuses the name %j", (name) => {
  expect(errorOf(() => pin(key(newStack(), "a"), name, "addressPrefix"))).toMatchObject({
    path: "prod-pki/a",
    problems: [
      {
        code: "address",
        at: "addressPrefix",
        given: JSON.stringify(name),
        allowed: "letters, digits, '_' and '-', a letter first",
        fix: "choose another addressPrefix",
      },
    ],
  });
});

test("refuses a name that another construct of the stack has", () => {
  const stack = newStack();
  pin(key(stack, "first"), "same");
  expect(problemsOf(() => pin(key(stack, "second"), "same"))).toEqual([
    {
      code: "address-taken",
      at: "address",
      given: '"same"',
      allowed: "a name that prod-pki/first does not have",
      fix: "choose another address",
    },
  ]);
});

test("refuses to come too late, when cdktf would ignore the name", () => {
  const element = key(newStack(), "late");
  expect(element.privateKeyPem).toBeDefined();
  expect(problemsOf(() => pin(element, "wanted"))).toEqual([
    {
      code: "address-late",
      at: "address",
      given: '"late"',
      allowed: "wanted",
      fix: "pin the name before any attribute is read",
    },
  ]);
});

describe("a user's own element under a pinned name, which cdktf would merge", () => {
  const stack = newStack();
  pin(key(new Construct(stack, "pki"), "key"), "prod__ca");
  key(stack, "prod__ca");
  const problem =
    '[address-taken] prod-pki/prod__ca: given "tls_private_key.prod__ca"; ' +
    "allowed: a name that prod-pki/pki/key does not have; fix: rename it";

  test("is told by validation", () => {
    expect(validationsOf(stack)).toEqual([problem]);
  });

  test("stops synth", () => {
    expect(() => terraformOf(stack)).toThrow(problem);
  });
});

test("a user's own output under a pinned name is told by validation", () => {
  const stack = newStack();
  pin(new TerraformOutput(new Construct(stack, "pki"), "Files", { value: "x" }), "prod_files");
  new TerraformOutput(stack, "prod_files", { value: "y" });
  expect(validationsOf(stack)).toEqual([
    '[address-taken] prod-pki/prod_files: given "output.prod_files"; ' +
      "allowed: a name that prod-pki/pki/Files does not have; fix: rename it",
  ]);
});

test("a prefix has one owner in a stack", () => {
  const stack = newStack();
  claimPrefix(stack, "pki", "prod", "prod-pki/a");
  claimPrefix(stack, "pki", "prod-2", "prod-pki/b");
  expect(errorOf(() => claimPrefix(stack, "pki", "prod", "prod-pki/c"))).toMatchObject({
    path: "prod-pki/c",
    problems: [
      {
        code: "address-prefix-taken",
        at: "addressPrefix",
        given: '"prod"',
        allowed: "a prefix that prod-pki/a does not have",
        fix: "set addressPrefix",
      },
    ],
  });
});

test("writes the blocks of a type once, in one list", () => {
  const stack = newStack();
  addBlock(stack, "moved", { from: "a.a", to: "a.b" });
  addBlock(stack, "import", { id: "x", to: "a.c" });
  addBlock(stack, "moved", { from: "a.d", to: "a.e" });
  const { moved, import: imports } = terraformOf(stack);
  expect(moved).toEqual([
    { from: "a.a", to: "a.b" },
    { from: "a.d", to: "a.e" },
  ]);
  expect(imports).toEqual([{ id: "x", to: "a.c" }]);
});
