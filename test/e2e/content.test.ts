import { DataResource, TerraformOutput } from "cdktf";
import type { Content } from "../../lib";
import { evaluate, toTerraform } from "../../lib/kubernetes/content-readers";
import { kubeconfig } from "../../lib/kubernetes/kubeconfig";
import { pin } from "../../lib/terraform/pin";
import { Workspace } from "./workspace";

// Text that somebody may write, in every place of a content: both readers say the same.

jest.setTimeout(300_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace.remove());

const TEXTS: Readonly<Record<string, string>> = {
  plain: "plain",
  "control characters": "\u0000\u0001\u0007\b\t\v\f\u001b\u007f\u0085\u009f",
  "line ends": "\n\na\r\nb\rc\u2028\u2029\r",
  "a byte order mark": "\ufeffx\ufeff",
  "halves of characters": "a\ud800b\udc00",
  "characters of two halves": "\u{1f600}",
  "what has another form in NFC": "e\u0301 \u1112\u1161\u11ab \u2126 \u0301",
  "no characters": "\ufffe\uffff\ufffd",
  templates: "${a} %{b} $${c} %%{d} ${ 1 + 1 }%{ endif }",
  marks: "$ % $$ %%% $\r%\r\n$",
  "what looks like tokens": "${TfToken[ ${TfToken[x]} $$${TfToken[a.b]} %{TfToken[x.1]}",
  escapes: "\\n \\u0041 \\b \\",
  quotes: "\"q\" 'x' `y` <b>&amp;</b>",
  "a heredoc": "<<EOT\nx\nEOT\n",
};

const REFERENCE = { address: "terraform_data.value", attribute: "output.text" };
const VALUE = { text: "\u0301value$", early: "2026-11-30T08:06:12Z", late: "2026-11-30T08:09:40Z" };
const value = ({ attribute }: { readonly attribute: string }) =>
  VALUE[attribute.replace("output.", "") as keyof typeof VALUE];

const places = (text: string): Readonly<Record<string, Content>> => ({
  text,
  base64: { base64: text },
  sha256: { sha256: text },
  row: { concat: [text, REFERENCE, text] },
  "row in base64": { base64: { concat: ["e", text, REFERENCE, text] } },
  nested: { sha256: { concat: ["x", { base64: text }, text] } },
  "the later of two": {
    concat: [later(text, "early", "late"), later(text, "late", "early"), later(text, "early", "early")],
  },
  kubeconfig: kubeconfig({
    clusterName: text,
    server: "https://api.prod.example.com",
    certificateAuthority: text,
    user: text,
    credentials: { token: text },
  }),
});

const later = (text: string, first: string, second: string): Content => ({
  later: [
    { madeAt: { address: "terraform_data.value", attribute: `output.${first}` }, content: text },
    { madeAt: { address: "terraform_data.value", attribute: `output.${second}` }, content: { concat: ["2", text] } },
  ],
});

test("Terraform makes of every text what evaluate makes of it", async () => {
  const contents = Object.entries(TEXTS).flatMap(([kind, text]) =>
    Object.entries(places(text)).map(([place, content]) => [`${kind}, ${place}`, content] as const),
  );
  workspace.synth("content", (stack) => {
    pin(new DataResource(stack, "value", { input: VALUE }), "value");
    contents.forEach(([, content], index) => new TerraformOutput(stack, `c${index}`, { value: toTerraform(content) }));
  });
  await workspace.apply("content");
  const outputs = JSON.parse(await workspace.must("content", "output", "-json")) as Record<string, { value: unknown }>;
  const made = Object.fromEntries(contents.map(([name], index) => [name, outputs[`c${index}`]?.value]));
  expect(made).toEqual(Object.fromEntries(contents.map(([name, content]) => [name, evaluate(content, value)])));
});
