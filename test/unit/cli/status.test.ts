import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { jsonTexts } from "../../support/json-texts";
import { ADMIN, APISERVER, KUBERNETES, KUBERNETES_KEY, LATE, NAMESAKE } from "../../support/chain";
import { data, expectOneLine, folder, kubernetesPki, put, putStack, Result, SECRET, unprivileged } from "./command";

const NOW = () => new Date("2030-07-01T00:00:00Z");

/** What `terraform show -json` prints for these resources. */
function stateOf(resources: Readonly<Record<string, object>>): string {
  const list = Object.entries(resources).map(([address, values]) => ({ address, mode: "managed", values }));
  return JSON.stringify({ format_version: "1.0", values: { root_module: { resources: list } } });
}

const PKI = {
  "tls_private_key.pki__ca__kubernetes__g1": { private_key_pem: KUBERNETES_KEY },
  "tls_self_signed_cert.pki__ca__kubernetes__g1": { cert_pem: KUBERNETES, private_key_pem: KUBERNETES_KEY },
  "tls_locally_signed_cert.pki__cp-1_example_com__apiserver": { cert_pem: APISERVER, ca_private_key_pem: SECRET },
  "tls_locally_signed_cert.prometheus": { cert_pem: ADMIN },
};

function status(argv: readonly string[], stdin = ""): Promise<Result> {
  return kubernetesPki(["status", ...argv], { stdin, now: NOW });
}

/** Names of certificates, then of authorities. */
async function names(argv: readonly string[], stdin = ""): Promise<string[][]> {
  const { out, err } = await status([...argv, "-o", "json"], stdin);
  expect(err).toBe("");
  const { certificates, certificateAuthorities } = JSON.parse(out) as Record<string, { name: string }[]>;
  return [certificates!, certificateAuthorities!].map((rows) => rows.map(({ name }) => name));
}

function link(target: string, path: string): void {
  const place = join(folder, path);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(target, place);
}

function kubeconfig(certificate: string, authority: string): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(authority)}
users:
- user:
    client-certificate-data: "${base64(certificate)}"
    client-key-data: ${base64(`-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`)}
`;
}

describe("status of a state", () => {
  test("names certificates by machine and row, a user's own as it is called", async () => {
    expect(await status(["-"], stateOf(PKI))).toEqual({
      code: 0,
      out: `CERTIFICATE                  EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED
cp-1.example.com/apiserver   Jan 01, 2031 00:00 UTC   184d            kubernetes g1           no
prometheus                   Jan 01, 2031 00:00 UTC   184d            kubernetes g1           no

CERTIFICATE AUTHORITY   EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED
kubernetes g1           Jan 01, 2040 00:00 UTC   9y              no
`,
      err: "",
    });
  });

  test("tells JSON with the same names", async () => {
    expect(await names(["-"], stateOf(PKI))).toEqual([["cp-1.example.com/apiserver", "prometheus"], ["kubernetes g1"]]);
  });

  test("leaves out what is retired, which nobody trusts", async () => {
    const { values } = JSON.parse(
      stateOf({ ...PKI, "tls_self_signed_cert.pki__ca__etcd__g1": { cert_pem: NAMESAKE } }),
    );
    const ca = { kubernetes: { g1: "active" }, etcd: { g1: "retired" } };
    const outputs = {
      pki_certificates: { value: jsonTexts({ ca, keys: {}, "cp-1": {} }) },
      others_certificates: { value: "the user's own" },
    };
    const state = JSON.stringify({ format_version: "1.0", values: { ...values, outputs } });
    expect((await names(["-"], state))[1]).toEqual(["kubernetes g1"]);
  });

  test("tells prefixes, states and whole addresses only where names would be alike without them", async () => {
    const two = {
      "tls_self_signed_cert.pki__ca__kubernetes__g1": { cert_pem: KUBERNETES },
      "tls_locally_signed_cert.pki__cp-1__apiserver": { cert_pem: APISERVER },
      "tls_locally_signed_cert.old__cp-1__apiserver": { cert_pem: LATE },
      'module.a.tls_locally_signed_cert.this["x"]': { cert_pem: ADMIN },
    };
    expect(await names(["-"], stateOf(two))).toEqual([
      ['module.a.tls_locally_signed_cert.this["x"]', "old: cp-1/apiserver", "pki: cp-1/apiserver"],
      ["pki: kubernetes g1"],
    ]);
    put("a/one.json", stateOf({ "tls_locally_signed_cert.pki__cp-1__apiserver": { cert_pem: APISERVER } }));
    put("b/two.json", stateOf({ "tls_locally_signed_cert.pki__cp-1__apiserver": { cert_pem: LATE } }));
    put("b/one.json", stateOf({ "tls_locally_signed_cert.pki__cp-1__apiserver": { cert_pem: ADMIN } }));
    expect((await names(["a/one.json", "b/two.json"]))[0]).toEqual([
      "one.json: cp-1/apiserver",
      "two.json: cp-1/apiserver",
    ]);
    expect((await names(["a/one.json", "b/one.json"]))[0]).toEqual([
      "a/one.json tls_locally_signed_cert.pki__cp-1__apiserver",
      "b/one.json tls_locally_signed_cert.pki__cp-1__apiserver",
    ]);
  });

  test("finds authorities from outside, with and without their key", async () => {
    const adopted = (output: object) => stateOf({ "terraform_data.pki__ca__kubernetes__g1": { output } });
    const rows = async (state: string) => {
      const { out } = await status(["-", "-o", "json"], state);
      return (JSON.parse(out) as { certificateAuthorities: object[] }).certificateAuthorities;
    };
    const withKey = adopted({ certificate_pem: KUBERNETES, private_key_pem: KUBERNETES_KEY });
    expect(await rows(withKey)).toMatchObject([{ name: "kubernetes g1", externallyManaged: false }]);
    const without = adopted({ certificate_pem: KUBERNETES });
    expect(await rows(without)).toMatchObject([{ name: "kubernetes g1", externallyManaged: true }]);
  });

  test("ends with 2 when something is expiring and with 3 when something has expired", async () => {
    const state = stateOf(PKI);
    expect(await status(["-", "--expires-in", "184d"], state)).toMatchObject({
      code: 2,
      out: expect.stringContaining("prometheus                   expires within 184d\n"),
    });
    expect(await status(["-", "--expires-in", "40%"], state)).toMatchObject({
      code: 2,
      out: expect.stringContaining("prometheus                   has used 40% of its lifetime\n"),
    });
    const later = { stdin: state, now: () => new Date("2031-07-01T00:00:00Z") };
    expect((await kubernetesPki(["status", "-"], later)).code).toBe(3);
  });

  test("notes a certificate that cannot be read, and tells the others", async () => {
    const broken = { cert_pem: `-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----\n` };
    const { code, out, err } = await status(["-"], stateOf({ ...PKI, "tls_locally_signed_cert.b": broken }));
    expect(code).toBe(0);
    expect(out).toContain("cp-1.example.com/apiserver");
    expect(err).toBe("kubernetes-pki: tls_locally_signed_cert.b of stdin holds a certificate that cannot be read\n");
  });

  test("refuses a state of 0 bytes and names its backup", async () => {
    putStack("prod-pki", { resource: data("a", {}) });
    put("prod-pki.tfstate", "");
    put("prod-pki.tfstate.backup", "{}");
    expectOneLine(await status(["cdktf.out/stacks/prod-pki"]), "cp prod-pki.tfstate.backup prod-pki.tfstate");
  });

  test("reads no certificate out of a state that has none", async () => {
    expectOneLine(await status(["-"], stateOf({ "terraform_data.a": { output: SECRET } })), "no certificates in -");
  });
});

describe("status of files", () => {
  test("finds certificates in PEM files and kubeconfigs, each by its best path", async () => {
    put("root/etc/kubernetes/pki/ca.crt", `${KUBERNETES}${NAMESAKE}`);
    put("root/etc/kubernetes/pki/ca-signing.crt", KUBERNETES);
    put("root/etc/kubernetes/pki/ca.key", KUBERNETES_KEY);
    put("root/etc/kubernetes/pki/apiserver.crt", APISERVER);
    put("root/etc/kubernetes/admin.conf", kubeconfig(ADMIN, KUBERNETES));
    put("root/etc/kubernetes/manifests/etcd.yaml", "kind: Pod\n");
    const { code, out, err } = await status(["--root", "root"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^CERTIFICATE +EXPIRES +RESIDUAL TIME +CERTIFICATE AUTHORITY +EXTERNALLY MANAGED$/),
      expect.stringMatching(
        /^\/etc\/kubernetes\/admin.conf +Jan 01, 2031 00:00 UTC +184d +\/etc\/kubernetes\/pki\/ca.crt +no$/,
      ),
      expect.stringMatching(
        /^\/etc\/kubernetes\/pki\/apiserver.crt +Jan 01, 2031 00:00 UTC +184d +\/etc\/kubernetes\/pki\/ca.crt +no$/,
      ),
      "",
      expect.stringMatching(/^CERTIFICATE AUTHORITY +EXPIRES +RESIDUAL TIME +EXTERNALLY MANAGED$/),
      expect.stringMatching(/^\/etc\/kubernetes\/pki\/ca.crt +Jan 01, 2040 00:00 UTC +9y +no$/),
      expect.stringMatching(/^\/etc\/kubernetes\/pki\/ca.crt#2 +Jan 01, 2031 00:00 UTC +184d +yes$/),
      "",
    ]);
  });

  test("reads a kubeconfig in JSON, and names an authority that is nowhere else", async () => {
    const user = { "client-certificate-data": Buffer.from(ADMIN).toString("base64") };
    const cluster = { "certificate-authority-data": Buffer.from(KUBERNETES).toString("base64") };
    put("root/home/me/.kube/config", { users: [{ user }], clusters: [{ cluster }] });
    expect(await names(["--root", "root"])).toEqual([
      ["/home/me/.kube/config"],
      ["/home/me/.kube/config certificate-authority-data"],
    ]);
  });

  test("looks at the certificate that the kubelet uses, not at those it had before", async () => {
    const pki = "var/lib/kubelet/pki";
    put(`root/${pki}/kubelet-client-2030-01-01-00-00-00.pem`, APISERVER);
    put(`root/${pki}/kubelet-client-2030-05-01-00-00-00.pem`, ADMIN);
    // As in the copy of a machine: the link leads to the machine's own folder.
    link(`/${pki}/kubelet-client-2030-05-01-00-00-00.pem`, `root/${pki}/kubelet-client-current.pem`);
    expect(await names(["--root", "root"])).toEqual([[`/${pki}/kubelet-client-2030-05-01-00-00-00.pem`], []]);
  });

  test("leaves out public trust stores, and what is no file of the machine", async () => {
    put("root/etc/ssl/certs/public.pem", NAMESAKE);
    put("root/usr/share/ca-certificates/public.crt", NAMESAKE);
    put("root/proc/1/root/etc/kubernetes/pki/apiserver.crt", LATE);
    put("root/var/lib/kubelet/pods/1/volumes/ca.crt", NAMESAKE);
    put("root/opt/cacert.pem", NAMESAKE.repeat(33));
    put("root/etc/ssl/etcd/ssl/member.pem", APISERVER);
    const { out, err } = await status(["--root", "root", "-o", "json"]);
    expect(out.match(/"name": .*/g)).toEqual(['"name": "/etc/ssl/etcd/ssl/member.pem",']);
    expect(err).toBe("kubernetes-pki: /opt/cacert.pem: 33 certificates, a trust store, left out\n");
  });

  test("ends with links in circles, and notes those that lead elsewhere", async () => {
    put("root/a/apiserver.crt", APISERVER);
    put("elsewhere/admin.crt", ADMIN);
    link("..", "root/a/up");
    link("round.crt", "root/a/round.crt");
    link("nowhere.crt", "root/a/gone.crt");
    link("apiserver.crt", "root/a/same.crt");
    link(join(folder, "elsewhere"), "root/b");
    const { code, out, err } = await status(["--root", "root", "-o", "json"]);
    expect(code).toBe(0);
    expect(out.match(/"name": .*/g)).toEqual(['"name": "/a/apiserver.crt",']);
    expect(err.split("\n").sort()).toEqual([
      "",
      "kubernetes-pki: /a/gone.crt: a link that leads nowhere",
      "kubernetes-pki: /a/round.crt: a link in a circle",
      "kubernetes-pki: /b: a link that leads out of the folder, not followed",
    ]);
  });

  test("notes files and folders that may not be read, and tells the rest", async () => {
    put("root/apiserver.crt", APISERVER);
    chmodSync(put("root/admin.crt", ADMIN), 0o000);
    chmodSync(dirname(put("root/pki/late.crt", LATE)), 0o000);
    const { code, out, err } = await unprivileged(() => status(["--root", "root", "-o", "json"]));
    expect(code).toBe(0);
    expect(out.match(/"name": .*/g)).toEqual(['"name": "/apiserver.crt",']);
    expect(err.split("\n").sort()).toEqual([
      "",
      "kubernetes-pki: /admin.crt: permission denied",
      "kubernetes-pki: /pki: permission denied",
    ]);
  });

  test("says of a broken certificate whose file it is in", async () => {
    put("root/a.crt", `${APISERVER}-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----\n`);
    const { out, err } = await status(["--root", "root"]);
    expect(out).toContain("/a.crt");
    expect(err).toBe("kubernetes-pki: /a.crt: a certificate in it is broken\n");
  });

  test("keeps a name on its line", async () => {
    put("root/a\n\u001b[31mb.crt", APISERVER);
    expect((await names(["--root", "root"]))[0]).toEqual(["/a??[31mb.crt"]);
  });
});

test.each([
  ["a limit that is none", ["-", "--expires-in", "soon"], '--expires-in "soon" is neither a time'],
  ["another format", ["-", "-o", "yaml"], "Allowed choices are text, json"],
  ["a state and files", ["-", "--root", "root"], "choose STATE or --root, not both"],
  ["an empty --root", ["--root", ""], "--root is empty"],
  ["a folder that is missing", ["--root", "missing"], /cannot read the folder .*missing: there is no such file/],
  ["a file for a folder", ["--root", "file"], /cannot read the folder .*file: a file stands where a folder is needed/],
  ["a folder without certificates", ["--root", "empty"], "no certificates in empty"],
])("refuses %s in one line, with exit code 1", async (_, argv, text) => {
  put("file", "");
  put("empty/README.md", "");
  expectOneLine(await status(argv, stateOf(PKI)), text);
});

test("explains itself within 81 columns", async () => {
  const { code, out } = await status(["--help"]);
  expect(code).toBe(0);
  expect(out).toContain("Usage: kubernetes-pki status [options] [STATE...]");
  expect(out.split("\n").filter((line) => line.length > 81)).toEqual([]);
});
