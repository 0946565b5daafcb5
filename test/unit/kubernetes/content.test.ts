import { TerraformVariable } from "cdktf";
import fc from "fast-check";
import { content, Content, evaluate, Reference, toTerraform } from "../../../lib";
import { concat } from "../../../lib/kubernetes/content";
import { newStack, resolved } from "../../support/synth";

const KEY: Reference = { address: "tls_private_key.a", attribute: "private_key_pem" };
const CERT: Reference = { address: "tls_locally_signed_cert.a", attribute: "cert_pem" };

/** A state of two values. */
const lookup = ({ address, attribute }: Reference) => `<${address}.${attribute}>\n`;

describe("the same data", () => {
  test.each<[string, Content, string, string]>([
    ["text", "plain", "plain", "plain"],
    ["a reference", KEY, "${tls_private_key.a.private_key_pem}", "<tls_private_key.a.private_key_pem>\n"],
    [
      "several in a row",
      { concat: ["a", KEY, "b"] },
      "a${tls_private_key.a.private_key_pem}b",
      "a<tls_private_key.a.private_key_pem>\nb",
    ],
    [
      "base64 of a reference",
      { base64: CERT },
      "${base64encode(tls_locally_signed_cert.a.cert_pem)}",
      "PHRsc19sb2NhbGx5X3NpZ25lZF9jZXJ0LmEuY2VydF9wZW0+Cg==",
    ],
    ["base64 of text", { base64: 'say "hi"\n' }, '${base64encode("say \\"hi\\"\\n")}', "c2F5ICJoaSIK"],
    [
      "base64 of several",
      { base64: { concat: [CERT, "\n", CERT] } },
      '${base64encode("${tls_locally_signed_cert.a.cert_pem}\\n${tls_locally_signed_cert.a.cert_pem}")}',
      Buffer.from(`${lookup(CERT)}\n${lookup(CERT)}`).toString("base64"),
    ],
    [
      "base64 in base64",
      { base64: { concat: ["x: ", { base64: "y" }] } },
      '${base64encode("x: ${base64encode("y")}")}',
      Buffer.from("x: eQ==").toString("base64"),
    ],
    ["what looks like a template", "${a} %{b} $${c}", "$${a} %%{b} $$${c}", "${a} %{b} $${c}"],
    [
      "what looks like a template, in base64",
      { base64: "${a} %{b}" },
      '${base64encode("$${a} %%{b}")}',
      Buffer.from("${a} %{b}").toString("base64"),
    ],
    ["quotes and backslashes outside an expression", 'a "b" \\n', 'a "b" \\n', 'a "b" \\n'],
  ])("%s, is a Terraform template and text", (_, data, template, text) => {
    expect(toTerraform(data)).toBe(template);
    expect(evaluate(data, lookup)).toBe(text);
  });

  test("base64 is of UTF-8", () => {
    expect(evaluate({ base64: "ä" }, lookup)).toBe("w6Q=");
  });
});

test("an unresolved value in a text stays a template, outside and inside base64", () => {
  const stack = newStack();
  const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
  const data = content`server: https://${host}:6443 \${x}\n`;
  expect(resolved(stack, toTerraform(data))).toBe("server: https://${var.host}:6443 $${x}\n");
  expect(resolved(stack, toTerraform({ base64: data }))).toBe(
    '${base64encode("server: https://${var.host}:6443 $${x}\\n")}',
  );
});

test("text is composed and has no half characters, as Terraform keeps it, wherever it stands", () => {
  const decomposed: Content = { concat: ["e", { concat: ["\u0301", "\ud800"] }] };
  expect(evaluate(decomposed, lookup)).toBe("\u00e9\ufffd");
  expect(evaluate({ base64: decomposed }, lookup)).toBe(Buffer.from("\u00e9\ufffd").toString("base64"));
  expect(evaluate({ concat: ["e", KEY] }, () => "\u0301")).toBe("\u00e9");
  expect(toTerraform("\u2126\udc00")).toBe("\u03a9\ufffd");
});

test("a reference that is not in the state is the lookup's to refuse", () => {
  const act = () =>
    evaluate({ base64: { concat: ["a", KEY] } }, ({ address }) => {
      throw new Error(`no ${address}`);
    });
  expect(act).toThrow("no tls_private_key.a");
});

describe("a row", () => {
  test("joins neighbouring texts, leaves out empty ones and rows in rows", () => {
    expect(concat(["a", "", "b", { concat: ["c", KEY, "d"] }, "e", ""])).toEqual({ concat: ["abc", KEY, "de"] });
  });

  test("of one is that one", () => {
    expect(concat(["a", "b"])).toBe("ab");
    expect(concat([KEY])).toBe(KEY);
  });

  test("of none is empty", () => {
    expect(evaluate(concat([]), lookup)).toBe("");
    expect(toTerraform(concat([]))).toBe("");
  });

  test("is written as a template literal", () => {
    expect(content`a ${KEY} b ${"c"}`).toEqual({ concat: ["a ", KEY, " b c"] });
  });

  test("keeps a dollar or a per cent sign that stands before a value or a brace", () => {
    const value = toTerraform(KEY);
    expect(toTerraform(concat(["costs $", KEY]))).toBe(`costs \${"$"}${value}`);
    expect(toTerraform(concat(["$$", { concat: ["%", KEY] }]))).toBe(`\${"$$%"}${value}`);
    expect(toTerraform({ concat: ["$", "{"] })).toBe('${"$"}{');
    expect(toTerraform(concat(["$", "{"]))).toBe("$${");
  });

  test("says the same however it is grouped", () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.constant(KEY),
      fc.string().map((text): Content => ({ base64: text })),
    );
    const tree = fc.letrec<{ node: Content }>((tie) => ({
      node: fc.oneof(
        leaf as fc.Arbitrary<Content>,
        fc.array(tie("node"), { maxLength: 4 }).map((list): Content => ({ concat: list })),
      ),
    })).node;
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 5 }), (list) => {
        expect(evaluate(concat(list), lookup)).toBe(evaluate({ concat: list }, lookup));
      }),
    );
  });
});
