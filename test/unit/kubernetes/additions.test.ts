import {
  AddedCertificateProps,
  Certificate,
  ClusterPki,
  content,
  Distribution,
  evaluate,
  Generation,
  inventoryOf,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { EXTERNAL, MEMBERS, pkiOf, THREE } from "../../support/cluster";
import { filesIn } from "../../support/graph";
import { newApp, newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";

const SCRAPER = {
  authority: "etcd",
  commonName: "prometheus",
  usage: KeyUsage.CLIENT,
  holders: ["etcd-member"],
  files: [
    { path: "/etc/prometheus/etcd/ca.crt", kind: "bundle" },
    { path: "/etc/prometheus/etcd/client.crt", kind: "certificate" },
    {
      path: "/etc/prometheus/etcd/client.key",
      kind: "private key",
      owner: "prometheus:prometheus",
      consumers: [{ component: "prometheus", via: { configField: "tls_config.key_file" }, onChange: "reload" }],
    },
  ],
} as const satisfies AddedCertificateProps;

const added = (props: Partial<AddedCertificateProps> = {}, name = "prometheus", pki = pkiOf(THREE).pki) =>
  problemsOf(() => pki.addCertificate(name, { ...SCRAPER, ...props }));

describe("a certificate of one's own", () => {
  test("is issued for each of its holders, with a key of its own", () => {
    const { stack, pki } = pkiOf(MEMBERS);
    const made = pki.addCertificate("prometheus", SCRAPER);
    expect(Object.keys(made)).toEqual(["etcd-1", "etcd-2", "etcd-3"]);
    expect(made["etcd-1"]!.node.path).toBe("prod-pki/pki/etcd-1/prometheus");
    const {
      tls_locally_signed_cert: certificates,
      tls_private_key: keys,
      tls_cert_request: requests,
    } = terraformOf(stack).resource;
    for (const member of Object.keys(made)) {
      const name = `pki__${member}__prometheus`;
      expect(certificates[name]).toMatchObject({
        ca_cert_pem: "${tls_self_signed_cert.pki__ca__etcd__g1.cert_pem}",
        allowed_uses: ["digital_signature", "client_auth"],
        validity_period_hours: 8760,
      });
      expect(requests[name].subject).toEqual([{ common_name: "prometheus" }]);
      expect(keys[name]).toMatchObject({ algorithm: "ECDSA", ecdsa_curve: "P256" });
    }
  });

  test("stands in the public file map, though it was added after the PKI was made", () => {
    const { stack, pki } = pkiOf(THREE);
    pki.addCertificate("prometheus", SCRAPER);
    const files = filesIn(terraformOf(stack), "pki");
    expect(files["cp-2"]).toMatchObject({
      "/etc/prometheus/etcd/ca.crt": {
        mode: "0644",
        owner: "root:root",
        content: { address: "tls_self_signed_cert.pki__ca__etcd__g1", attribute: "cert_pem" },
      },
      "/etc/prometheus/etcd/client.crt": {
        mode: "0644",
        content: { address: "tls_locally_signed_cert.pki__cp-2__prometheus", attribute: "cert_pem" },
      },
      "/etc/prometheus/etcd/client.key": {
        mode: "0600",
        owner: "prometheus:prometheus",
        content: { address: "tls_private_key.pki__cp-2__prometheus", attribute: "private_key_pem" },
      },
    });
    expect(Object.keys(files["node-1"]!).filter((path) => path.includes("prometheus"))).toEqual([]);
    expect(Object.keys(files["cp-2"]!)).toEqual(Object.keys(files["cp-2"]!).sort());
  });

  test("has the names of its machine, filled into templates, beside its own", () => {
    const { stack, pki } = pkiOf(THREE);
    pki.addCertificate("metrics", {
      authority: "kubernetes",
      commonName: "metrics-{machine}",
      usage: KeyUsage.SERVER,
      sans: ["{machine}", "{addresses}", "metrics.{clusterDomain}", { dns: ["metrics.example.com"] }],
      holders: ["cp-1", "node-1"],
      files: [],
    });
    const { resource, output } = terraformOf(stack);
    expect(resource.tls_cert_request["pki__cp-1__metrics"]).toMatchObject({
      subject: [{ common_name: "metrics-cp-1" }],
      dns_names: ["cp-1", "metrics.cluster.local", "metrics.example.com"],
      ip_addresses: ["10.0.0.11"],
    });
    expect(resource.tls_cert_request["pki__node-1__metrics"].ip_addresses).toBeUndefined();
    expect(JSON.parse(output.pki_certificates.value["node-1"])).toEqual({
      metrics: ["metrics.cluster.local", "metrics.example.com", "node-1"],
    });
  });

  test("has what the PKI has chosen for all, unless it chooses", () => {
    const of = (choices: Partial<AddedCertificateProps>) => {
      const { stack, pki } = pkiOf(
        {},
        { validity: Validity.days(90), keyAlgorithm: KeyAlgorithm.RSA_2048, subject: { country: "DE" } },
      );
      pki.addCertificate("prometheus", { ...SCRAPER, ...choices });
      const { resource } = terraformOf(stack);
      const name = "pki__cp-1__prometheus";
      return {
        ...resource.tls_private_key[choices.keyGeneration ? `${name}__${choices.keyGeneration}` : name],
        ...resource.tls_locally_signed_cert[name],
        ...resource.tls_cert_request[name].subject[0],
      };
    };
    expect(of({})).toMatchObject({ algorithm: "RSA", validity_period_hours: 2160, country: "DE" });
    const own = { validity: Validity.days(1), keyAlgorithm: KeyAlgorithm.ECDSA_P384, keyGeneration: "k2" };
    expect(of(own)).toMatchObject({ algorithm: "ECDSA", ecdsa_curve: "P384", validity_period_hours: 24 });
  });

  test("may be a kubeconfig, and may be the operator's", () => {
    const { pki } = pkiOf();
    pki.addCertificate("jane", {
      authority: "kubernetes",
      commonName: "jane",
      organization: "developers",
      usage: KeyUsage.CLIENT,
      holders: ["operator"],
      files: [{ path: "/jane.conf", kind: "kubeconfig" }],
    });
    const file = pki.files("operator").find(({ path }) => path === "/jane.conf")!;
    expect(file.mode).toBe("0600");
    const text = evaluate(file.content, ({ address }) => address);
    expect(text).toContain("server: https://api.prod.example.com:6443\n");
    expect(text).toContain("\n- name: jane\n");
    const key = Buffer.from("tls_private_key.pki__operator__jane").toString("base64");
    expect(text).toContain(`client-key-data: ${key}\n`);
  });

  test("is in the inventory like any other, with who reads it, and is not said to be of the table", () => {
    const stack = newStack();
    const pki = new ClusterPki(stack, "pki", { distribution: Distribution.KUBEADM, cluster: THREE });
    pki.addCertificate("prometheus", { ...SCRAPER, purpose: "certificate for Prometheus to scrape etcd" });
    terraformOf(stack);
    const entries = inventoryOf(stack).entries.filter(({ name }) => name === "prometheus");
    expect(entries).toHaveLength(3);
    expect(entries[0]).toMatchObject({
      kind: "certificate",
      cluster: "prod",
      holder: "cp-1",
      purpose: "certificate for Prometheus to scrape etcd",
      issuer: { authority: "etcd", generation: "g1" },
      subject: "CN=prometheus",
      files: [
        { holder: "cp-1", path: "/etc/prometheus/etcd/client.crt", kind: "certificate", consumers: [] },
        {
          holder: "cp-1",
          path: "/etc/prometheus/etcd/client.key",
          kind: "private key",
          consumers: [{ component: "prometheus", via: "tls_config.key_file", onChange: "reload" }],
        },
      ],
    });
    expect(entries[0]).not.toHaveProperty("asInTable");
    const authority = inventoryOf(stack).entries.find(({ kind, name }) => kind === "authority" && name === "etcd");
    expect(authority).toMatchObject({
      files: expect.arrayContaining([expect.objectContaining({ path: "/etc/prometheus/etcd/ca.crt" })]),
    });
  });

  test("follows its authority through a rotation", () => {
    const generations = { g1: Generation.trusted(), g2: Generation.active() };
    const { stack, pki } = pkiOf({}, { authorities: { etcd: { generations } } });
    pki.addCertificate("prometheus", SCRAPER);
    const { resource } = terraformOf(stack);
    expect(resource.tls_locally_signed_cert["pki__cp-1__prometheus"].ca_cert_pem).toContain("__etcd__g2");
    const bundle = pki.files("cp-1").find(({ path }) => path === "/etc/prometheus/etcd/ca.crt")!;
    expect(evaluate(bundle.content, ({ address }) => `${address} `)).toMatch(/g2 .*g1 $/);
  });

  test("is the same from the same description", () => {
    const [one, other] = [pkiOf(), pkiOf()];
    [one, other].forEach(({ pki }) => pki.addCertificate("prometheus", SCRAPER));
    expect(JSON.stringify(terraformOf(one.stack))).toBe(JSON.stringify(terraformOf(other.stack)));
  });

  test("adds its resources and files, and changes no others", () => {
    const before = terraformOf(pkiOf(THREE).stack);
    const { stack, pki } = pkiOf(THREE);
    pki.addCertificate("prometheus", SCRAPER);
    const after = terraformOf(stack);
    for (const [type, named] of Object.entries<Record<string, unknown>>(before.resource)) {
      expect(after.resource[type]).toMatchObject(named);
    }
    const [was, is] = [before, after].map((json) => filesIn(json, "pki"));
    for (const [holder, files] of Object.entries(was!)) {
      expect(is![holder]).toMatchObject(files);
    }
  });

  test("is refused with everything that is wrong with it", () => {
    const problems = added(
      {
        authority: "etc",
        holders: ["cp-9", "worker"],
        commonName: "",
        files: [{ path: "etc/client.crt", kind: "certificate", mode: "600", owner: "root" }],
      },
      "Prometheus",
    );
    expect(problems.map(({ code, at }) => `${code} ${at}`)).toEqual([
      "certificate-name name",
      "unknown-authority authority",
      "unknown-holder holders[0]",
      "shared-key holders[1]",
      "subject subject.commonName",
      "file-path files[0].path",
      "file-mode files[0].mode",
      "file-owner files[0].owner",
    ]);
    expect(problems[2]).toMatchObject({
      given: '"cp-9"',
      allowed: "cp-1, cp-2, cp-3, node-1, control-plane, etcd-member, named-worker, worker, operator",
    });
  });

  test.each([["apiserver"], ["prometheus"]])("is refused where %s is a certificate already", (name) => {
    const { pki } = pkiOf();
    pki.addCertificate("prometheus", SCRAPER);
    expect(added({ files: [] }, name, pki)).toMatchObject([{ code: "name-twice", at: "name", given: `"${name}"` }]);
  });

  test("is refused where nobody would hold it", () => {
    expect(added({ holders: [] })).toMatchObject([{ code: "unknown-holder", given: '"none"' }]);
    expect(added({ authority: "kubernetes" }, "x", pkiOf(EXTERNAL).pki)).toMatchObject([
      { code: "unknown-holder", given: '"etcd-member"' },
    ]);
  });

  test("is refused where it would outlive its authority, or names a generation that is not there", () => {
    expect(added({ validity: Validity.years(10) })).toMatchObject([{ at: "validity" }]);
    expect(added({ issuer: "g9" })).toMatchObject([{ at: "issuer" }]);
  });

  test("is refused where it takes a file's place", () => {
    const file = (path: string) => ({ files: [{ path, kind: "certificate" as const }] });
    const taken = (path: string) => added(file(path)).map(({ code, allowed }) => [code, allowed]);
    const beside = (path: string) =>
      ["cp-1", "cp-2", "cp-3"].map((cp) => ["file-twice", `a path beside ${path}, which ${cp} has already`]);
    expect(taken("/etc/kubernetes/pki/ca.crt")).toEqual(beside("/etc/kubernetes/pki/ca.crt"));
    expect(taken("/etc/kubernetes/pki/ca.crt/x")).toEqual(beside("/etc/kubernetes/pki/ca.crt"));
    expect(taken("/etc/kubernetes/pki/etcd")).toEqual(beside("/etc/kubernetes/pki/etcd/ca.crt"));
    const twice = { files: [...SCRAPER.files, { path: "/etc/prometheus/etcd/client.crt", kind: "chain" as const }] };
    expect(added(twice).map(({ code, at }) => [code, at])[0]).toEqual(["file-twice", "files[3].path"]);
  });

  test("is refused in the place of a token that comes later, and of one that was added before", () => {
    const { pki } = pkiOf(THREE, { distribution: Distribution.K3S });
    const props = {
      ...SCRAPER,
      authority: "etcd-server",
      files: [{ path: "/etc/rancher/k3s/token", kind: "chain" as const }],
    };
    expect(problemsOf(() => pki.addCertificate("x", props))[0]).toMatchObject({ code: "file-twice" });
    pki.addFile("cp-2", { path: "/etc/prometheus/etcd/client.crt", content: "text" });
    expect(added({ authority: "etcd-server" }, "y", pki)).toMatchObject([{ code: "file-twice", at: "files[1].path" }]);
  });

  test("leaves no braces that stand for nothing", () => {
    const files = [{ path: "/etc/{address}/{machine}.crt", kind: "certificate" as const }];
    const templates =
      "{clusterName}, {clusterDomain}, {endpoint}, {endpointHost}, {serviceCidrs}, {clusterSigningDuration}";
    expect(added({ commonName: "{machin}", sans: ["{addreses}"], files })).toMatchObject([
      { code: "template", at: "commonName", given: '"{machin}"', allowed: `{machine}, {address}, ${templates}` },
      { at: "sans[0]", given: '"{addreses}"' },
      { code: "template", at: "files[0].path", given: '"{address}"', allowed: `{machine}, ${templates}` },
    ]);
  });

  test("lets nobody but owner and group read its key", () => {
    const key = (mode: string) => ({ files: [{ path: "/etc/x.key", kind: "private key" as const, mode }] });
    expect(added(key("0644"))).toMatchObject([{ code: "file-mode", at: "files[0].mode", given: '"0644"' }]);
    const { pki } = pkiOf();
    pki.addCertificate("x", { ...SCRAPER, ...key("0640") });
    expect(pki.files("cp-1").find(({ path }) => path === "/etc/x.key")).toMatchObject({ mode: "0640" });
  });

  test("is not in system:masters without a word", () => {
    const { stack, pki } = pkiOf();
    pki.addCertificate("boss", { ...SCRAPER, authority: "kubernetes", organization: "system:masters" });
    expect(validationsOf(stack)).toEqual([expect.stringContaining("[system-masters] prod-pki/pki/cp-1/boss")]);
  });
});

describe("a file of one's own", () => {
  const fileOf = (pki: ClusterPki, holder: string, path: string) =>
    pki.files(holder).find((file) => file.path === path);

  test("is its holders', with the strictest mode that its content needs", () => {
    const { pki } = pkiOf(THREE);
    const { cert, key } = {
      cert: pki.certificate("apiserver", "cp-1"),
      key: pki.certificate("apiserver", "cp-1").privateKey,
    };
    pki.addFile("control-plane", { path: "/etc/motd-{machine}", content: "{machine} is no template here\n" });
    pki.addFile("cp-1", {
      path: "/srv/server.pem",
      content: content`${cert.certificate}${key}`,
      owner: "haproxy:haproxy",
    });
    pki.addFile("worker", { path: "/etc/ssl/kubernetes.crt", content: pki.bundle().references[0]! });
    expect(fileOf(pki, "cp-2", "/etc/motd-cp-2")).toEqual({
      path: "/etc/motd-cp-2",
      kind: "configuration",
      mode: "0644",
      owner: "root:root",
      content: "{machine} is no template here\n",
      consumers: [],
    });
    expect(fileOf(pki, "cp-1", "/srv/server.pem")).toMatchObject({ mode: "0600", owner: "haproxy:haproxy" });
    expect(fileOf(pki, "worker", "/etc/ssl/kubernetes.crt")).toMatchObject({ mode: "0644" });
    expect(fileOf(pki, "node-1", "/etc/ssl/kubernetes.crt")).toMatchObject({ mode: "0644" });
    expect(fileOf(pki, "cp-1", "/etc/ssl/kubernetes.crt")).toBeUndefined();
  });

  test("is in the file map and the inventory", () => {
    const { stack, pki } = pkiOf();
    const { privateKey } = pki.certificate("apiserver");
    pki.addFile("cp-1", { path: "/srv/server.key", content: privateKey });
    expect(filesIn(terraformOf(stack), "pki")["cp-1"]).toMatchObject({
      "/srv/server.key": { mode: "0600", content: { attribute: "private_key_pem" } },
    });
    const apiserver = inventoryOf(stack).entries.find(({ name }) => name === "apiserver");
    expect(apiserver).toMatchObject({
      files: expect.arrayContaining([expect.objectContaining({ path: "/srv/server.key" })]),
    });
  });

  test("gives no key of a certificate to another holder", () => {
    const { stack, pki } = pkiOf(THREE);
    const refused = (holder: string, content: { address: string; attribute: string }) =>
      problemsOf(() => pki.addFile(holder, { path: "/srv/key", content }))[0];
    const { privateKey } = pki.certificate("apiserver", "cp-1");
    expect(refused("cp-2", privateKey)).toMatchObject({ code: "shared-key", allowed: "that key on cp-1" });
    expect(refused("operator", privateKey)).toMatchObject({ code: "shared-key" });
    expect(refused("control-plane", privateKey)).toMatchObject({ code: "shared-key" });

    // One that the PKI does not know of stands where it was put first.
    const own = new Certificate(stack, "own", {
      authority: pki.authority("kubernetes"),
      subject: new Subject({ commonName: "own" }),
      usage: KeyUsage.CLIENT,
    }).privateKey;
    expect(refused("worker", own)).toMatchObject({ code: "shared-key", allowed: "a key on one machine" });
    expect(refused("control-plane", own)).toMatchObject({ code: "shared-key" });
    pki.addFile("cp-3", { path: "/srv/own.key", content: own });
    pki.addFile("cp-3", { path: "/srv/again.key", content: own });
    expect(refused("cp-2", own)).toMatchObject({ code: "shared-key", allowed: "that key on cp-3" });
  });

  test("gives the key of an authority or key pair to the operator, and to nobody who does not have it", () => {
    const { pki } = pkiOf(THREE);
    for (const { privateKey } of [pki.authority("kubernetes").active, pki.keyPair("service-account")]) {
      const props = { path: `/backup/${privateKey.address}`, content: privateKey };
      pki.addFile("operator", props);
      pki.addFile("control-plane", props);
      expect(problemsOf(() => pki.addFile("node-1", { ...props, path: "/x" }))).toMatchObject([
        {
          code: "shared-key",
          allowed: "that key on cp-1, cp-2, cp-3, operator",
          fix: "leave it there, or give it to the operator",
        },
      ]);
      expect(problemsOf(() => pki.addFile("worker", { ...props, path: "/x" }))).toHaveLength(1);
    }
  });

  test("is refused with everything that is wrong with it", () => {
    const { pki } = pkiOf();
    const problems = problemsOf(() =>
      pki.addFile("cp-1", {
        path: "/etc/kubernetes/admin.conf/",
        content: pki.certificate("apiserver").privateKey,
        mode: "0604",
        owner: ":",
      }),
    );
    expect(problems.map(({ code, at }) => `${code} ${at}`)).toEqual([
      "file-path file.path",
      "file-twice file.path",
      "file-mode file.mode",
      "file-owner file.owner",
    ]);
    expect(problemsOf(() => pki.addFile("cluster", { path: "/x", content: "" }))).toMatchObject([
      { code: "unknown-holder" },
    ]);
  });

  test("is refused where another stack has what it is made of", () => {
    const app = newApp();
    const { pki } = pkiOf({}, {}, newStack("other-pki", app));
    const { stack, pki: own } = pkiOf({}, { addressPrefix: "own" }, newStack("own-pki", app));
    own.addFile("cp-1", { path: "/etc/ssl/other.crt", content: pki.bundle().references[0]! });
    expect(validationsOf(stack)).toEqual([expect.stringContaining("[other-stack] own-pki/pki")]);
  });
});

test("what an Aspect adds, after the stack was prepared, is in the file map, too", () => {
  const { stack, pki } = pkiOf();
  stack.prepareStack();
  pki.addFile("cp-1", { path: "/etc/motd", content: "hello\n" });
  expect(Object.keys(filesIn(stack.toTerraform(), "pki")["cp-1"]!)).toContain("/etc/motd");
});
