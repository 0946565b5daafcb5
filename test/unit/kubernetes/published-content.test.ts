import * as fc from "fast-check";
import { type Content, evaluate } from "../../../lib";
import { publishedFile, readPublishedFile } from "../../../lib/kubernetes/cluster-file";
import { published, readPublished } from "../../../lib/kubernetes/content-readers";

const reference = fc.record({
  address: fc.constantFrom("tls_private_key.prod__cp-1__apiserver", "terraform_data.prod__ca__etcd__g1"),
  attribute: fc.constantFrom("private_key_pem", "output.certificate_pem"),
});
const pem = fc.oneof(reference, fc.record({ file: fc.string() }));
const credentials = fc.oneof(
  fc.record({ token: reference }),
  fc.record({ exec: fc.string() }),
  fc.record({ certificate: pem, privateKey: pem }),
);
const { content } = fc.letrec<{ content: Content }>((tie) => ({
  content: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "grapheme" }),
    reference,
    fc.array(tie("content"), { maxLength: 3 }).map((concat) => ({ concat })),
    fc
      .constantFrom("base64", "base64gzip", "sha256")
      .chain((by) => tie("content").map((of) => ({ [by]: of }) as Content)),
    fc.tuple(tie("content"), tie("content"), reference, reference).map(([a, b, madeA, madeB]): Content => ({
      later: [
        { madeAt: madeA, content: a },
        { madeAt: madeB, content: b },
      ],
    })),
    fc
      .record({ cluster: fc.string(), server: fc.string(), user: fc.string(), ca: pem, credentials })
      .map(({ ca, ...texts }) => ({ kubeconfig: { ...texts, certificateAuthority: ca } })),
  ),
}));
const lookup = ({ address, attribute }: { address: string; attribute: string }) => `<${address} ${attribute}>`;

test("what is published is read as what it was", () => {
  fc.assert(
    fc.property(content, (made) => {
      const read = readPublished(JSON.parse(JSON.stringify(published(made))));
      expect(read).toEqual(made);
      expect(evaluate(read!, lookup)).toBe(evaluate(made, lookup));
    }),
  );
});

test("a file of which nothing is said is for root alone", () => {
  const file = { mode: "0600", owner: "root:root", content: "x" };
  expect(publishedFile(file)).toEqual({ content: "x" });
  expect(readPublishedFile({ content: "x" })).toEqual(file);
  expect(publishedFile({ ...file, mode: "0644" })).toEqual({ mode: "0644", content: "x" });
  expect(readPublishedFile({ mode: "0640", owner: "etcd:root", content: "x" })).toMatchObject({ owner: "etcd:root" });
});

test.each([
  undefined,
  null,
  1,
  [],
  {},
  { ref: "tls_private_key" },
  { ref: "module.x.tls_private_key.y[0].z" },
  { ref: 1 },
  { concat: "x" },
  { later: "x" },
  { later: [] },
  { later: [{ madeAt: "a.b.c", content: "x" }] },
  {
    later: [
      { madeAt: "a.b.c", content: "x" },
      { madeAt: 1, content: "x" },
    ],
  },
  { later: [{ madeAt: "a.b.c", content: "x" }, null] },
  {
    later: [
      { madeAt: "a.b.c", content: "x" },
      { madeAt: "a.b.c", content: "x", more: 1 },
    ],
  },
  { concat: [{}] },
  { base64: 1 },
  { md5: "x" },
  { base64: "x", sha256: "y" },
  { address: "tls_private_key.x", attribute: "private_key_pem" },
  { kubeconfig: {} },
  { kubeconfig: { cluster: "a", server: "b", user: "c", ca: "d" } },
  { kubeconfig: { cluster: "a", server: "b", user: "c", ca: "d", certificate: "e" } },
  JSON.parse(`${'{"base64":'.repeat(40)}"x"${"}".repeat(40)}`),
])("nothing is guessed of %j", (value) => {
  expect(readPublished(value)).toBeUndefined();
  expect(readPublishedFile({ mode: "0600", content: value })).toBeUndefined();
});

test.each([{ mode: "u=rw", content: "x" }, { mode: "0600", owner: 0, content: "x" }, { mode: "0600" }, null])(
  "%j is no file",
  (value) => {
    expect(readPublishedFile(value)).toBeUndefined();
  },
);
