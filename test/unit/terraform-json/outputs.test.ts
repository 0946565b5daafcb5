import { publishedFiles, publishedCertificates } from "../../../lib/terraform-json/outputs";
import { jsonTexts } from "../../support/json-texts";

const CA = { ref: "tls_self_signed_cert.prod__ca__kubernetes__g1.cert_pem" };
const FILE = { mode: "0644", owner: "etcd:etcd", content: CA };
const of = (file: unknown) => jsonTexts({ "cp-1": { "/ca.crt": file } });

describe("the output <prefix>_files", () => {
  test.each([
    ["prod_files", "prod"],
    ["prod__token__server_files", "prod"],
  ])("%s is read: files by holder and path", (output, prefix) => {
    const content = { address: "tls_self_signed_cert.prod__ca__kubernetes__g1", attribute: "cert_pem" };
    expect(publishedFiles(output, of(FILE))).toEqual({
      prefix,
      value: { "cp-1": { "/ca.crt": { mode: "0644", owner: "etcd:etcd", content } } },
    });
  });

  test("has files of which nothing but their content is said", () => {
    expect(publishedFiles("prod_files", of({ content: "" }))?.value["cp-1"]).toEqual({
      "/ca.crt": { mode: "0600", owner: "root:root", content: "" },
    });
  });

  test("has files of a later version, without what is not known here", () => {
    expect(publishedFiles("prod_files", of({ ...FILE, content: { brotli: CA } }))?.value["cp-1"]).toEqual({
      "/ca.crt": { mode: "0644", owner: "etcd:etcd" },
    });
  });

  test.each([
    ["another name", "prod_records", of(FILE)],
    ["a name of nobody here", "Prod_files", of(FILE)],
    ["a list", "prod_files", [JSON.stringify({})]],
    ["an object in an object, as it was once", "prod_files", { "cp-1": { "/ca.crt": FILE } }],
    ["text that is no JSON", "prod_files", { "cp-1": "{" }],
    ["JSON that is no object", "prod_files", { "cp-1": "[]" }],
    ["a mode that is none", "prod_files", of({ ...FILE, mode: "u=rw" })],
    ["an owner that would end a line", "prod_files", of({ ...FILE, owner: "a:b\nc" })],
    ["a file without content", "prod_files", of({ mode: "0644" })],
    ["one such file among others", "prod_files", jsonTexts({ "cp-1": { "/ca.crt": FILE }, "cp-2": { "/x": 1 } })],
  ])("is none with %s: it is a user's own", (_, output, value) => {
    expect(publishedFiles(output, value)).toBeUndefined();
  });
});

describe("the output <prefix>_certificates", () => {
  const ca = { kubernetes: { g1: "trusted", g2: "active" } };
  const keys = { "service-account": { g1: "active" } };

  test("says where each generation stands, and what certificates are called", () => {
    const leaves = { "cp-1": { apiserver: ["cp-1", 1], later: { sans: [] } } };
    expect(publishedCertificates("prod_certificates", jsonTexts({ ca, keys, ...leaves }))).toEqual({
      prefix: "prod",
      value: { authorities: ca, keyPairs: keys, names: { "cp-1": { apiserver: ["cp-1"], later: [] } } },
    });
  });

  test("of a later version says nothing of a state that is not known here", () => {
    const later = jsonTexts({ ca: { kubernetes: { g1: "resting", g2: "active" } } });
    expect(publishedCertificates("prod_certificates", later)?.value).toEqual({
      authorities: { kubernetes: { g2: "active" } },
      keyPairs: {},
      names: {},
    });
  });

  test.each([["text"], [{ ca: "text" }], [{ ca: '"text"' }], [[jsonTexts({ ca })]], [null]])(
    "is none where it holds something else: %j",
    (value) => expect(publishedCertificates("prod_certificates", value)).toBeUndefined(),
  );
});
