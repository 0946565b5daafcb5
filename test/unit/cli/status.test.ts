import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { jsonTexts } from "../../support/json-texts";
import { ADMIN, APISERVER, KUBERNETES, KUBERNETES_KEY, LATE, NAMESAKE } from "../../support/chain";
import { CA_CERTIFICATE, CA_KEY, LEAF_CERTIFICATE, LEAF_KEY } from "../../support/pem";
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

function kubeconfig(certificate: string, authority: string, key: string): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(authority)}
users:
- user:
    client-certificate-data: "${base64(certificate)}"
    ${key ? `client-key-data: ${base64(key)}` : "client-key: /etc/kubernetes/pki/admin.key"}
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

  test("tells of a certificate that cannot be read, and of the others", async () => {
    const broken = { cert_pem: `-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----\n` };
    const state = stateOf({ ...PKI, "tls_locally_signed_cert.b": broken });
    const { code, out, err } = await status(["-"], state);
    expect({ code, err }).toEqual({ code: 4, err: "" });
    expect(out).toContain("cp-1.example.com/apiserver");
    expect(out).toMatch(/^tls_locally_signed_cert.b of stdin +a certificate in it is broken or cut off$/m);
    expect(await status(["-", "--lenient"], state)).toMatchObject({
      code: 0,
      out: expect.not.stringContaining("PROBLEM"),
      err: "kubernetes-pki: tls_locally_signed_cert.b of stdin: a certificate in it is broken or cut off\n",
    });
  });

  const adopted = (certificate: string, key: string) => {
    return { output: { certificate_pem: certificate, private_key_pem: key } };
  };

  test.each<[string, Record<string, object>, string[]]>([
    ["nothing where the pair is one", { "terraform_data.pki__ca__etcd__g1": adopted(CA_CERTIFICATE, CA_KEY) }, []],
    [
      "another key in the same resource",
      { "terraform_data.pki__ca__etcd__g1": adopted(CA_CERTIFICATE, LEAF_KEY) },
      ["etcd g1: key-mismatch"],
    ],
    [
      "a key that was made anew without its certificate",
      {
        "tls_locally_signed_cert.pki__cp-1__kubelet": { cert_pem: LEAF_CERTIFICATE },
        "tls_private_key.pki__cp-1__kubelet": { private_key_pem: CA_KEY },
      },
      ["cp-1/kubelet: key-mismatch"],
    ],
    [
      "nothing where the key is a later generation",
      {
        "tls_locally_signed_cert.pki__cp-1__kubelet": { cert_pem: LEAF_CERTIFICATE },
        "tls_private_key.pki__cp-1__kubelet": { private_key_pem: CA_KEY },
        "tls_private_key.pki__cp-1__kubelet__k2": { private_key_pem: LEAF_KEY },
      },
      [],
    ],
    [
      "nothing where a user's own resource has the name of another's key",
      {
        "tls_locally_signed_cert.etcd": { cert_pem: LEAF_CERTIFICATE },
        "tls_private_key.etcd": { private_key_pem: CA_KEY },
      },
      [],
    ],
    [
      "nothing in a certificate or a key",
      { "tls_locally_signed_cert.a": { cert_pem: "" }, "tls_private_key.b": { private_key_pem: null } },
      ["tls_locally_signed_cert.a of stdin: empty", "tls_private_key.b of stdin: empty"],
    ],
    ["no PEM in what was adopted", { "terraform_data.c": adopted("later", "") }, ["terraform_data.c of stdin: empty"]],
    ["nothing in data that is no certificate", { "terraform_data.d": { output: { colour: "blue" } } }, []],
    [
      "an authority of that name that did not sign",
      { "tls_locally_signed_cert.e": { cert_pem: LATE } },
      ["e: chain-mismatch"],
    ],
  ])("says of a state: %s", async (_, resources, expected) => {
    const { code, out, err } = await status(["-", "-o", "json"], stateOf({ ...PKI, ...resources }));
    const { problems } = JSON.parse(out) as { problems: { name: string; kind: string }[] };
    expect(problems.map(({ name, kind }) => `${name}: ${kind}`)).toEqual(expected);
    expect({ code, err }).toEqual({ code: expected.length > 0 ? 4 : 0, err: "" });
  });

  test("says who signed a certificate, when that is retired", async () => {
    const resources = { ...PKI, "tls_locally_signed_cert.pki__cp-1__etcd-peer": { cert_pem: LATE } };
    const retired = { "tls_self_signed_cert.pki__ca__etcd__g1": { cert_pem: NAMESAKE } };
    const { values } = JSON.parse(stateOf({ ...resources, ...retired }));
    const ca = { kubernetes: { g1: "active" }, etcd: { g1: "retired" } };
    const outputs = { pki_certificates: { value: jsonTexts({ ca, keys: {}, "cp-1": {} }) } };
    const { code, out } = await status(
      ["-"],
      JSON.stringify({ format_version: "1.0", values: { ...values, outputs } }),
    );
    expect(code).toBe(4);
    expect(out).toMatch(/^cp-1\/etcd-peer +is signed by etcd g1, which is retired: nobody trusts it$/m);
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
    put("root/etc/kubernetes/admin.conf", kubeconfig(ADMIN, KUBERNETES, ""));
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
    const user = { "client-certificate-data": Buffer.from(ADMIN).toString("base64"), "client-key": "admin.key" };
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
    put("root/etc/ssl/etcd/ssl/ca.pem", KUBERNETES);
    const { code, out, err } = await status(["--root", "root", "-o", "json"]);
    expect(code).toBe(0);
    expect(out.match(/"name": .*/g)).toEqual([
      '"name": "/etc/ssl/etcd/ssl/member.pem",',
      '"name": "/etc/ssl/etcd/ssl/ca.pem",',
    ]);
    expect(err).toBe("kubernetes-pki: /opt/cacert.pem: 33 certificates, a trust store, left out\n");
  });

  test("ends with links in circles, and tells of those that lead elsewhere", async () => {
    put("root/a/apiserver.crt", APISERVER);
    put("root/a/ca.crt", KUBERNETES);
    put("elsewhere/admin.crt", ADMIN);
    link("..", "root/a/up");
    link("round.crt", "root/a/round.crt");
    link("nowhere.crt", "root/a/gone.crt");
    link("apiserver.crt", "root/a/same.crt");
    link(join(folder, "elsewhere"), "root/b");
    expect(await problems(["--root", "root"])).toEqual([
      "/a/gone.crt: unreadable: a link that leads nowhere",
      "/a/round.crt: unreadable: a link in a circle",
      "/b: unreadable: a link that leads out of the folder, not followed",
    ]);
    expect(await status(["--root", "root", "--lenient"])).toMatchObject({
      code: 0,
      err: expect.stringContaining("kubernetes-pki: /a/gone.crt: a link that leads nowhere\n"),
    });
  });

  test("tells of files and folders that may not be read, and of the rest", async () => {
    put("root/apiserver.crt", APISERVER);
    put("root/ca.crt", KUBERNETES);
    chmodSync(put("root/admin.crt", ADMIN), 0o000);
    chmodSync(dirname(put("root/pki/late.crt", LATE)), 0o000);
    expect(await unprivileged(() => problems(["--root", "root"]))).toEqual([
      "/admin.crt: unreadable: permission denied",
      "/pki: unreadable: permission denied",
    ]);
    const { out } = await unprivileged(() => status(["--root", "root"]));
    expect(out).toMatch(/^\/apiserver.crt /m);
  });

  test("shows a name as plan does: on its line, and with nothing that moves a cursor", async () => {
    put("root/a\n\u001b[31m\u202eb.crt", APISERVER);
    put("root/ca.crt", KUBERNETES);
    put("root/\u009bempty.crt", "");
    const { out } = await status(["--root", "root"]);
    expect(out).toContain("\n/a\\u{a}\\u{1b}[31m\\u{202e}b.crt ");
    expect(out).toContain("\n/\\u{9b}empty.crt ");
    expect((await status(["--root", "root", "--lenient"])).err).toBe(
      "kubernetes-pki: /\\u{9b}empty.crt: the file is empty\n",
    );
    const json = (await status(["--root", "root", "-o", "json"])).out;
    expect(json).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(json)).toMatchObject({
      certificates: [{ name: "/a\n\u001b[31m\u202eb.crt" }],
      problems: [{ name: "/\u009bempty.crt" }],
    });
  });

  test("tells problems alone, where no certificate can be read", async () => {
    put("root/ca.crt", KUBERNETES.slice(0, 200));
    expect(await problems(["--root", "root"])).toEqual(["/ca.crt: broken: a certificate in it is broken or cut off"]);
    expect(await status(["--root", "root", "--lenient"])).toMatchObject({ code: 1, out: "" });
  });
});

/** `name: kind: message` of what a folder's status tells; the exit code has to be that of the first of them. */
async function problems(argv: readonly string[]): Promise<string[]> {
  const { code, out, err } = await status([...argv, "-o", "json"]);
  const found = (JSON.parse(out) as { problems: { name: string; kind: string; message: string }[] }).problems;
  expect({ code, err }).toEqual({ code: found.length > 0 ? 4 : 0, err: "" });
  return found.map(({ name, kind, message }) => `${name}: ${kind}: ${message}`);
}

describe("a file", () => {
  const pair = kubeconfig(LEAF_CERTIFICATE, CA_CERTIFICATE, LEAF_KEY);

  test.each<[string, Record<string, string>, string[]]>([
    [
      "that is cut off",
      { "ca.crt": CA_CERTIFICATE.slice(0, 300) },
      ["/ca.crt: broken: a certificate in it is broken or cut off"],
    ],
    [
      "whose second certificate is broken",
      { "a.crt": `${CA_CERTIFICATE}-----BEGIN CERTIFICATE-----\n${SECRET}\n` },
      ["/a.crt: broken: a certificate in it is broken or cut off"],
    ],
    [
      "that is empty",
      { "a.crt": "", "b.pem": "\n" },
      ["/a.crt: empty: the file is empty", "/b.pem: empty: the file is empty"],
    ],
    [
      "full of zeros, as after a power failure",
      { "a.crt": "\0".repeat(1000) },
      ["/a.crt: empty: holds no certificate"],
    ],
    ["with a key instead of a certificate", { "a.crt": LEAF_KEY }, ["/a.crt: empty: holds no certificate"]],
    [
      "beside another's key",
      { "server.crt": LEAF_CERTIFICATE, "server.key": CA_KEY },
      ["/server.crt: key-mismatch: the key in /server.key is not its own"],
    ],
    [
      "beside another's key, as cfssl names it",
      { "server.pem": LEAF_CERTIFICATE, "server-key.pem": CA_KEY },
      ["/server.pem: key-mismatch: the key in /server-key.pem is not its own"],
    ],
    [
      "beside its own key",
      { "a.crt": LEAF_CERTIFICATE, "a.key": LEAF_KEY, "ca.crt": CA_CERTIFICATE, "ca.key": CA_KEY },
      [],
    ],
    ["whose key is that of a later generation", { "ca.crt": `${KUBERNETES}${CA_CERTIFICATE}`, "ca.key": CA_KEY }, []],
    [
      "whose key is that of the authority behind it",
      { "a.crt": `${LEAF_CERTIFICATE}${CA_CERTIFICATE}`, "a.key": CA_KEY },
      ["/a.crt: key-mismatch: the key in /a.key is not its own"],
    ],
    [
      "with another's key in it",
      { "kubelet-client-current.pem": `${LEAF_CERTIFICATE}${CA_KEY}` },
      ["/kubelet-client-current.pem: key-mismatch: the key in the same file is not its own"],
    ],
    [
      "beside a key that is broken",
      { "a.crt": LEAF_CERTIFICATE, "a.key": LEAF_KEY.slice(0, 100) },
      ["/a.key: broken: a private key in it is broken or cut off"],
    ],
    ["beside a key that is empty", { "a.crt": LEAF_CERTIFICATE, "a.key": "" }, ["/a.key: empty: the file is empty"]],
    [
      "beside a key with a password",
      { "a.crt": LEAF_CERTIFICATE, "a.key": LEAF_KEY.replaceAll("PRIVATE", "ENCRYPTED PRIVATE") },
      ["/a.crt: unreadable: the key in /a.key needs a password, and was not compared"],
    ],
    [
      "that is no certificate's key",
      {
        "ca.crt": CA_CERTIFICATE,
        "rndc.key": "key {}",
        "sa.key": "",
        "dh.pem": "-----BEGIN DH PARAMETERS-----\nMA==\n-----END DH PARAMETERS-----",
      },
      [],
    ],
    [
      "of a server whose authority is not there",
      { "a.crt": APISERVER },
      ["/a.crt: issuer-missing: its authority is not there: CN=kubernetes"],
    ],
    [
      "whose authority has the name of another",
      { "a.crt": APISERVER, "ca.crt": NAMESAKE },
      ["/a.crt: chain-mismatch: names /ca.crt as its authority, which did not sign it"],
    ],
    ["of a user, with the key", { "admin.conf": pair }, []],
    [
      "of a user, with another key",
      { "admin.conf": kubeconfig(LEAF_CERTIFICATE, CA_CERTIFICATE, CA_KEY) },
      ["/admin.conf: key-mismatch: the key in client-key-data is not its own"],
    ],
    [
      "of a user, whose base64 is garbage",
      { "admin.conf": pair.replace(/(certificate-authority-data: ).*/, "$1%%%"), "ca.crt": CA_CERTIFICATE },
      ["/admin.conf: broken: certificate-authority-data is no base64 of PEM"],
    ],
    [
      "of a user, whose base64 is of something else",
      { "admin.conf": pair.replace(/(client-key-data: ).*/, "$1aGVsbG8=") },
      ["/admin.conf: broken: client-key-data is no base64 of PEM"],
    ],
    [
      "of a user, whose base64 is cut off",
      { "admin.conf": pair.replace(/(certificate-authority-data: .{200}).*/, "$1"), "ca.crt": CA_CERTIFICATE },
      ["/admin.conf: broken: a certificate in it is broken or cut off in certificate-authority-data"],
    ],
    [
      "of a user, cut off before the key",
      { "admin.conf": pair.slice(0, pair.indexOf("    client-key-data")) },
      ["/admin.conf: broken: a user's certificate has no key"],
    ],
    [
      "of a user, cut off before the user",
      { "admin.conf": pair.slice(0, pair.indexOf("users:")) },
      ["/admin.conf: broken: a kubeconfig without users"],
    ],
    ["of a user, empty", { "kubelet.conf": "", "ca.crt": CA_CERTIFICATE }, ["/kubelet.conf: empty: the file is empty"]],
    [
      "of a user, in compact JSON",
      {
        kubeconfig: JSON.stringify({
          users: [
            {
              user: {
                "client-certificate-data": Buffer.from(LEAF_CERTIFICATE).toString("base64"),
                "client-key-data": Buffer.from(CA_KEY).toString("base64"),
              },
            },
          ],
        }),
      },
      ["/kubeconfig: key-mismatch: the key in client-key-data is not its own"],
    ],
    [
      "of a template",
      {
        "ca.crt": CA_CERTIFICATE,
        "a.yaml":
          "certificate-authority-data: ${CA}\nclient-certificate-data: {{ .Certificate }}\n# client-key-data: none\n",
        "a.conf": "",
      },
      [],
    ],
  ])("%s", async (_, files, expected) => {
    Object.entries(files).forEach(([path, text]) => put(`root/${path}`, text));
    expect(await problems(["--root", "root"])).toEqual(expected);
  });

  test("of two users is compared user by user", async () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const user = (certificate: string, key: string) => {
      return { user: { "client-key-data": base64(key), "client-certificate-data": base64(certificate) } };
    };
    const config = (...keys: string[]) =>
      JSON.stringify({ users: [user(LEAF_CERTIFICATE, keys[0]!), user(CA_CERTIFICATE, keys[1]!)] });
    put("root/config", config(LEAF_KEY, CA_KEY));
    expect(await problems(["--root", "root"])).toEqual([]);
    put("root/config", config(LEAF_KEY, LEAF_KEY));
    expect(await problems(["--root", "root"])).toEqual([
      "/config: key-mismatch: the key in client-key-data is not its own",
    ]);
  });

  test("that is a folder, as a container's mount leaves it", async () => {
    put("root/ca.crt", CA_CERTIFICATE);
    mkdirSync(join(folder, "root/apiserver.crt"));
    expect(await problems(["--root", "root"])).toEqual([
      "/apiserver.crt: unreadable: a folder stands where a file is needed",
    ]);
  });

  test("is compared under the name of a link, too, and read where nothing else leads to it", async () => {
    put("root/ca.crt", CA_CERTIFICATE);
    put("root/pki/server-2.crt", LEAF_CERTIFICATE);
    put("root/pki/server-1.key", CA_KEY);
    link("server-2.crt", "root/pki/server.crt");
    // As in the copy of a machine.
    link("/pki/server-1.key", "root/pki/server.key");
    put("root/run/late.crt", LATE);
    link("../run/late.crt", "root/pki/late.crt");
    expect(await problems(["--root", "root"])).toEqual([
      "/pki/late.crt: issuer-missing: its authority is not there: CN=kubernetes",
      "/pki/server.crt: key-mismatch: the key in /pki/server.key is not its own",
    ]);
  });

  test("is not looked for where a folder of certificates leads to what is left out: that is said", async () => {
    put("root/ca.crt", CA_CERTIFICATE);
    put("root/usr/local/pki/late.crt", LATE);
    link("../../usr/local/pki", "root/etc/kubernetes/pki");
    link("/usr/share/zoneinfo/UTC", "root/etc/localtime");
    link("/dev/null", "root/etc/empty.conf");
    expect(await problems(["--root", "root"])).toEqual([
      "/etc/kubernetes/pki: unreadable: a link to /usr/local/pki, where nothing is looked at: use --root for it",
    ]);
  });

  test("that would never end, or is far too large, is not read, and is told of", async () => {
    put("root/ca.crt", CA_CERTIFICATE);
    put("root/large.pem", `${" ".repeat(1024 * 1024)}${LATE}`);
    put("root/large.json", " ".repeat(1024 * 1024 + 1));
    execFileSync("mkfifo", [join(folder, "root/pipe")]);
    link("pipe", "root/server.crt");
    expect(await problems(["--root", "root"])).toEqual([
      "/large.pem: unreadable: it is larger than 1 MiB, and was not looked at",
      "/server.crt: empty: the file is empty",
    ]);
  });

  test("in DER is a certificate as well", async () => {
    put("root/a.cer", "");
    writeFileSync(join(folder, "root/a.cer"), new X509Certificate(CA_CERTIFICATE).raw);
    expect(await names(["--root", "root"])).toEqual([[], ["/a.cer"]]);
  });
});

test("the gravest problem decides: not valid, not checked, expiring", async () => {
  const broken = { "tls_locally_signed_cert.b": { cert_pem: "" } };
  const at = async (now: string, resources: Record<string, object>) => {
    const argv = ["status", "-", "--expires-in", "50%"];
    return (await kubernetesPki(argv, { stdin: stateOf(resources), now: () => new Date(now) })).code;
  };
  expect(await at("2030-12-01T00:00:00Z", PKI)).toBe(2);
  expect(await at("2030-12-01T00:00:00Z", { ...PKI, ...broken })).toBe(4);
  expect(await at("2031-12-01T00:00:00Z", { ...PKI, ...broken })).toBe(3);
});

test.each([
  ["a limit that is none", ["-", "--expires-in", "soon"], '--expires-in "soon" is neither a time'],
  ["another format", ["-", "-o", "yaml"], "Allowed choices are text, wide, json"],
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
