import { cloudInit, Content, evaluate, ClusterFile, toTerraform } from "../../../lib";
import { pkiOf } from "../../support/cluster";

const KEY = { address: "tls_private_key.pki__cp-1__apiserver", attribute: "private_key_pem" };

function file(path: string, content: Content, mode = "0644"): Pick<ClusterFile, "path" | "mode" | "owner" | "content"> {
  return { path, mode, owner: "root:root", content };
}

function evaluated(content: Content): string {
  return evaluate(content, ({ address, attribute }) => `${address}.${attribute}\n`);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

test("a machine's files are user data of cloud-init, each with its mode and owner", () => {
  const files = [file("/etc/kubernetes/pki/apiserver.key", KEY, "0600"), file("/etc/kubernetes/name", "prod\n")];
  expect(evaluated(cloudInit(files))).toBe(`#cloud-config
write_files:
- path: "/etc/kubernetes/pki/apiserver.key"
  owner: "root:root"
  permissions: "0600"
  encoding: b64
  content: ${base64("tls_private_key.pki__cp-1__apiserver.private_key_pem\n")}
- path: "/etc/kubernetes/name"
  owner: "root:root"
  permissions: "0644"
  encoding: b64
  content: ${base64("prod\n")}
`);
});

test("no files are an empty list, which cloud-init takes", () => {
  expect(evaluated(cloudInit([]))).toBe("#cloud-config\nwrite_files: []\n");
});

test("what Terraform gets names the key and does not hold it", () => {
  expect(toTerraform(cloudInit([file("/key", KEY, "0600")]))).toBe(`#cloud-config
write_files:
- path: "/key"
  owner: "root:root"
  permissions: "0600"
  encoding: b64
  content: \${base64encode(tls_private_key.pki__cp-1__apiserver.private_key_pem)}
`);
});

test("text that Terraform would take for a template is left as it is", () => {
  const text = toTerraform(cloudInit([file("/etc/motd", 'a "${b}" %{c}\n')]));
  expect(text).toContain('content: ${base64encode("a \\"$${b}\\" %%{c}\\n")}');
});

test("all of it can be gzip for user data that is too long", () => {
  const files = pkiOf().pki.files("cp-1");
  expect(toTerraform({ base64gzip: cloudInit(files) })).toMatch(
    /^\$\{base64gzip\("#cloud-config\\nwrite_files:\\n- path: /,
  );
});

test("every file of a machine is in it, in the same order", () => {
  const files = pkiOf().pki.files("cp-1");
  const text = evaluated(cloudInit(files));
  expect([...text.matchAll(/^- path: "(.*)"$/gm)].map(([, path]) => path)).toEqual(files.map(({ path }) => path));
});
