import { ClusterFile, Content, evaluate, ignition, toTerraform } from "../../../lib";
import { pkiOf } from "../../support/cluster";

const KEY = { address: "tls_private_key.pki__cp-1__apiserver", attribute: "private_key_pem" };

function file(path: string, content: Content, mode = "0644", owner = "root:root") {
  return { path, mode, owner, content };
}

function parsed(files: readonly Pick<ClusterFile, "path" | "mode" | "owner" | "content">[]): unknown {
  return JSON.parse(evaluate(ignition(files), ({ address, attribute }) => `${address}.${attribute}\n`));
}

function source(text: string): { readonly source: string } {
  return { source: `data:;base64,${Buffer.from(text).toString("base64")}` };
}

// https://coreos.github.io/ignition/configuration-v3_4/: mode is a decimal number, user and group are by id or by name.
test("a machine's files are a configuration of Ignition 3.4.0, each with its mode and owner", () => {
  const files = [
    file("/etc/kubernetes/pki/apiserver.key", KEY, "0600", "kube-apiserver:root"),
    file('/etc/a "quoted" name', "prod\n", "0644", "1000:1001"),
  ];
  expect(parsed(files)).toEqual({
    ignition: { version: "3.4.0" },
    storage: {
      files: [
        {
          path: "/etc/kubernetes/pki/apiserver.key",
          overwrite: true,
          mode: 384,
          user: { name: "kube-apiserver" },
          group: { name: "root" },
          contents: source("tls_private_key.pki__cp-1__apiserver.private_key_pem\n"),
        },
        {
          path: '/etc/a "quoted" name',
          overwrite: true,
          mode: 420,
          user: { id: 1000 },
          group: { id: 1001 },
          contents: source("prod\n"),
        },
      ],
    },
  });
});

test("no files are an empty list", () => {
  expect(parsed([])).toEqual({ ignition: { version: "3.4.0" }, storage: { files: [] } });
});

test("what Terraform gets names the key and does not hold it, and text stays as it is", () => {
  const text = toTerraform(ignition([file("/key", KEY, "0600"), file("/motd", 'a "${b}" %{c}\n')]));
  expect(text).toContain('"data:;base64,${base64encode(tls_private_key.pki__cp-1__apiserver.private_key_pem)}"');
  expect(text).toContain('"data:;base64,${base64encode("a \\"$${b}\\" %%{c}\\n")}"');
});

test("every file of a machine is in it, in the same order", () => {
  const files = pkiOf().pki.files("cp-1");
  const { storage } = parsed(files) as { storage: { files: { path: string }[] } };
  expect(storage.files.map(({ path }) => path)).toEqual(files.map(({ path }) => path));
});
