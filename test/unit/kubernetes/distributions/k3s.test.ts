import { AnnotationMetadataEntryType, TerraformVariable } from "cdktf";
import { createHash, X509Certificate } from "node:crypto";
import { parse } from "yaml";
import {
  Cluster,
  ClusterAccess,
  ClusterPki,
  ClusterPkiProps,
  Content,
  Distribution,
  evaluate,
  Generation,
  ClusterFile,
  JoinPassword,
  TrustBundle,
  Validity,
} from "../../../../lib";
import { leavesOf, EXTERNAL, MEMBERS, pkiOf, terraformOfPki, THREE } from "../../../support/cluster";
import { CLUSTER_ADMINS } from "../../../support/cluster-admins";
import { filesIn, resourcesOf } from "../../../support/graph";
import { AGENT_FLAGS, SERVER_FLAGS } from "../../../support/k3s-flags";
import { CA_CERTIFICATE } from "../../../support/pem";
import { newApp, newStack, problemsOf, terraformOf } from "../../../support/synth";
import { accessStack } from "../../access/fixture";
import { referencesIn } from "../../../../lib/kubernetes/content-readers";

// What K3s does is restated here from its sources: pkg/daemons/control/deps/deps.go, pkg/daemons/control/server.go,
// pkg/agent/config/config.go, pkg/server/handlers/handlers.go.

const K3S: Partial<ClusterPkiProps> = { distribution: Distribution.K3S };
const BY_HAND: Partial<ClusterPkiProps> = { ...K3S, issueLeaves: true };
const CHAINED: Partial<ClusterPkiProps> = { distribution: Distribution.k3s({ chained: "root" }) };
const WORKED: Partial<Cluster> = { workers: [{ name: "node-1", addresses: ["10.0.0.21"] }] };
const TLS = "/var/lib/rancher/k3s/server/tls";
const AGENT = "/var/lib/rancher/k3s/agent";
const PROGRAMS = ["k3s", "rke2"] as const;

const { table } = Distribution.K3S;
const tables = { k3s: table, rke2: Distribution.RKE2.table };
const line = ({ path, mode, kind }: ClusterFile) => `${mode} ${path}: ${kind}`;
const pathsOf = (files: readonly ClusterFile[]) => files.map(({ path }) => path);
const addressesIn = ({ content }: ClusterFile) => referencesIn(content).map(({ address }) => address);

function fileOf(pki: ClusterPki, machine: string, path: string): ClusterFile {
  return pki.files(machine).find((file) => file.path === path)!;
}

/** @see https://docs.k3s.io/cli/certificate#using-custom-ca-certificates */
const CUSTOM_CA = [
  `0644 ${TLS}/client-ca.crt: bundle`,
  `0600 ${TLS}/client-ca.key: private key`,
  `0644 ${TLS}/etcd/peer-ca.crt: bundle`,
  `0600 ${TLS}/etcd/peer-ca.key: private key`,
  `0644 ${TLS}/etcd/server-ca.crt: bundle`,
  `0600 ${TLS}/etcd/server-ca.key: private key`,
  `0644 ${TLS}/request-header-ca.crt: bundle`,
  `0600 ${TLS}/request-header-ca.key: private key`,
  `0644 ${TLS}/server-ca.crt: bundle`,
  `0600 ${TLS}/server-ca.key: private key`,
  `0600 ${TLS}/service.key: private keys`,
];

/** Without what the program is told beside it. */
const ofCustomCa = (files: readonly ClusterFile[]) => files.filter(({ path }) => !path.includes("/config.yaml.d/"));

describe("the custom-CA set", () => {
  test.each([
    ["etcd on the servers", THREE, ["cp-1", "cp-2", "cp-3"]],
    ["servers that only run etcd", MEMBERS, ["cp-1", "etcd-1"]],
    ["an etcd that others run: K3s wants its authorities all the same", EXTERNAL, ["cp-1", "cp-2"]],
  ])("is these 11 files on each server, with %s", (_, cluster, servers) => {
    const { pki } = pkiOf(cluster, K3S);
    for (const server of servers) {
      expect(ofCustomCa(pki.files(server)).map(line)).toEqual(CUSTOM_CA);
    }
  });

  test("is nobody else's", () => {
    const { pki } = pkiOf(THREE, K3S);
    for (const holder of ["node-1", "worker", "operator"]) {
      expect(ofCustomCa(pki.files(holder))).toEqual([]);
    }
  });

  test("is all that Terraform makes: K3s issues its own leaves", () => {
    const types = [...resourcesOf(terraformOfPki(THREE, K3S)).keys()].map((address) => address.split(".")[0]);
    expect(types.sort()).toEqual([
      ...Array<string>(6).fill("tls_private_key"),
      ...Array<string>(5).fill("tls_self_signed_cert"),
    ]);
  });

  test("of RKE2 is the same in its own data directory, which may be another", () => {
    const rke2 = ofCustomCa(pkiOf({}, { distribution: Distribution.RKE2 }).pki.files("cp-1"));
    expect(pathsOf(rke2)).toEqual(CUSTOM_CA.map((text) => text.split(/ |: /)[1]!.replace("k3s", "rke2")));
    const elsewhere = pkiOf({}, { distribution: Distribution.rke2({ dataDir: "/srv/rke2" }) }).pki.files("cp-1");
    expect(pathsOf(ofCustomCa(elsewhere))).toEqual(
      pathsOf(rke2).map((path) => path.replace("/var/lib/rancher/rke2", "/srv/rke2")),
    );
  });

  test("has service.key with every private key, the one that signs first", () => {
    const generations = { g1: Generation.trusted(), g2: Generation.active(), g3: Generation.retired() };
    const { pki } = pkiOf({}, { ...K3S, serviceAccount: { generations } });
    expect(addressesIn(fileOf(pki, "cp-1", `${TLS}/service.key`))).toEqual([
      "tls_private_key.pki__keys__service-account__g2",
      "tls_private_key.pki__keys__service-account__g1",
    ]);
  });
});

describe("what the program reads before its first start alone", () => {
  const startOf = ({ path, firstStartOnly }: ClusterFile) => [path, firstStartOnly];

  test.each(PROGRAMS)("is all of the custom-CA set, for %s", (program) => {
    const server = `/var/lib/rancher/${program}/server`;
    const start = { command: `${program} certificate rotate-ca`, folder: server, madeAtStart: `${server}/cred` };
    const { pki } = pkiOf(MEMBERS, { distribution: program === "k3s" ? Distribution.K3S : Distribution.RKE2 });
    for (const holder of ["cp-1", "etcd-1"]) {
      const files = ofCustomCa(pki.files(holder));
      expect(files).toHaveLength(11);
      expect(files.map(startOf)).toEqual(files.map(({ path }) => [path, start]));
    }
  });

  test("is in its data directory, wherever that is", () => {
    const { pki } = pkiOf({}, { distribution: Distribution.k3s({ dataDir: "/srv/k3s" }) });
    expect(ofCustomCa(pki.files("cp-1"))[0]!.firstStartOnly).toMatchObject({ folder: "/srv/k3s/server" });
  });

  test("is published with each file", () => {
    const published = Object.values<{ firstStartOnly?: object }>(filesIn(terraformOfPki({}, K3S))["cp-1"]);
    expect(published.map(({ firstStartOnly }) => firstStartOnly)).toEqual([
      undefined,
      ...Array<object>(11).fill({
        command: "k3s certificate rotate-ca",
        folder: "/var/lib/rancher/k3s/server",
        madeAtStart: "/var/lib/rancher/k3s/server/cred",
      }),
    ]);
  });

  test("is nothing where nobody runs the program", () => {
    const { pki } = pkiOf(THREE, BY_HAND);
    const files = pki.files("cp-1");
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter(({ firstStartOnly }) => firstStartOnly)).toEqual([]);
  });
});

describe("what the program is told", () => {
  const JOIN = { k3s: "https://api.prod.example.com:6443", rke2: "https://api.prod.example.com:9345" };
  const of = { k3s: Distribution.K3S, rke2: Distribution.RKE2 };

  /** Everything in the drop-ins of a machine, by flag. */
  const toldTo = (machine: string, cluster: Partial<Cluster>, program: (typeof PROGRAMS)[number] = "k3s") => {
    const { stack, pki } = pkiOf(cluster, { distribution: of[program] });
    const passwords = ["server", "agent"].map((id) => new JoinPassword(stack, id, { pki }));
    const files = [pki, ...passwords]
      .flatMap((part) => part.files(machine))
      .filter(({ kind }) => kind === "configuration");
    expect(pathsOf(files).every((path) => path.startsWith(`/etc/rancher/${program}/config.yaml.d/`))).toBe(true);
    expect(new Set(pathsOf(files)).size).toBe(files.length);
    const read = files.map(
      ({ content }) =>
        parse(
          evaluate(content, () => ""),
          { version: "1.1" },
        ) as object,
    );
    return { flags: Object.assign({}, ...read) as Record<string, unknown>, held: files };
  };

  test.each(PROGRAMS)("%s reads beside its own configuration, which stays as it is", (program) => {
    for (const [machine, known] of [
      ["cp-1", SERVER_FLAGS],
      ["worker", AGENT_FLAGS],
    ] as const) {
      const { flags } = toldTo(machine, {}, program);
      const names = Object.keys(flags).map((name) => name.replace(/\+$/, ""));
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
    }
  });

  test.each(PROGRAMS)("is a server's names, networks and passwords, of %s", (program) => {
    const etc = `/etc/rancher/${program}`;
    const cluster: Partial<Cluster> = {
      controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11", "192.0.2.11"], extraSans: ["cp-1.example.com"] }],
      extraSans: ["api.example.com"],
      serviceCidrs: ["10.43.0.0/16", "fd00:43::/112"],
      clusterDomain: "prod.local",
    };
    expect(toldTo("cp-1", cluster, program).flags).toEqual({
      "tls-san+": [
        "api.example.com",
        "api.prod.example.com",
        "cp-1.example.com",
        "10.0.0.11",
        "10.43.0.1",
        "192.0.2.11",
        "fd00:43::1",
      ],
      "service-cidr": "10.43.0.0/16,fd00:43::/112",
      "cluster-domain": "prod.local",
      "token-file": `${etc}/token`,
      "agent-token-file": `${etc}/agent-token`,
    });
  });

  test.each(PROGRAMS)("is where an agent of %s joins, and with what", (program) => {
    const expected = { server: JOIN[program], "token-file": `/etc/rancher/${program}/token` };
    expect(toldTo("worker", {}, program).flags).toEqual(expected);
    expect(toldTo("node-1", WORKED, program).flags).toEqual(expected);
  });

  test("has an IPv6 endpoint in brackets, and a value of Terraform's where that stands", () => {
    const server = (endpoint: Cluster["endpoint"], program: (typeof PROGRAMS)[number]) =>
      toldTo("worker", { endpoint }, program).flags["server"];
    expect(server("[2001:db8::1]:443", "k3s")).toBe("https://[2001:db8::1]:443");
    expect(server("[2001:db8::1]:443", "rke2")).toBe("https://[2001:db8::1]:9345");
    const stack = newStack();
    const dns = new TerraformVariable(stack, "endpoint", {}).stringValue;
    pkiOf({ endpoint: { dns } }, { distribution: Distribution.RKE2 }, stack);
    expect(JSON.stringify(terraformOf(stack).output["pki_files"])).toMatch(
      /server: [^"]*"https:..[^"]*var\.endpoint[^"]*:9345/,
    );
  });

  test("names a password's file where there is one, and else not: the program would wait for the file", () => {
    const names = (machine: string) =>
      pathsOf(pkiOf(THREE, K3S).pki.files(machine)).filter((path) => path.includes("token"));
    expect(["cp-1", "worker"].flatMap(names)).toEqual([]);
  });

  test.each(PROGRAMS)("names a bootstrap token of %s' access, and a password after it", (program) => {
    const { file, configuration } = tables[program].access.tokens["worker"]!;
    expect(configuration!.text).toBe(`token-file: ${file.path}\n`);
    const names = toldTo("worker", {}, program).held.map(({ path }) => path);
    expect([configuration!.path, ...names].sort()[0]).toBe(configuration!.path);
  });

  test("is for a restart of the program", () => {
    const consumer = { component: "k3s", via: { flag: "--config" }, onChange: "restart" };
    expect(toldTo("cp-1", {}).held.map(({ consumers }) => consumers)).toEqual([[consumer], [consumer], [consumer]]);
  });
});

describe("root, intermediate and leaf authorities", () => {
  test("stand in each file nearest first, and the root's key in none", () => {
    const { pki } = pkiOf(WORKED, CHAINED);
    expect(ofCustomCa(pki.files("cp-1")).map(line)).toEqual(CUSTOM_CA);
    expect(addressesIn(fileOf(pki, "cp-1", `${TLS}/etcd/peer-ca.crt`))).toEqual([
      "tls_locally_signed_cert.pki__ca__etcd-peer__g1",
      "tls_locally_signed_cert.pki__ca__intermediate__g1",
      "tls_self_signed_cert.pki__ca__root__g1",
    ]);
    const held = pki.machines.flatMap((machine) => pki.files(machine).flatMap(addressesIn));
    expect(held.filter((address) => /^tls_private_key\.pki__ca__(root|intermediate)/.test(address))).toEqual([]);
  });

  test("follow each leaf that Terraform issues", () => {
    const { pki } = pkiOf(WORKED, { ...CHAINED, issueLeaves: true });
    expect(addressesIn(fileOf(pki, "node-1", `${AGENT}/client-kubelet.crt`))).toEqual([
      "tls_locally_signed_cert.pki__node-1__kubelet",
      "tls_locally_signed_cert.pki__ca__client__g1",
      "tls_locally_signed_cert.pki__ca__intermediate__g1",
      "tls_self_signed_cert.pki__ca__root__g1",
    ]);
    const signer = fileOf(pki, "cp-1", `${TLS}/server-ca.nochain.crt`);
    expect(addressesIn(signer)).toEqual(["tls_locally_signed_cert.pki__ca__server__g1"]);
  });
});

describe("leaves", () => {
  test("are the distribution's, each of them", () => {
    for (const program of PROGRAMS) {
      expect(new Set(Object.values(tables[program].certificates).map(({ issuedBy }) => issuedBy))).toEqual(
        new Set(["distribution"]),
      );
    }
  });

  test.each([
    ["apiserver", "server", "kube-apiserver", undefined, "server"],
    ["apiserver-kubelet-client", "client", "system:apiserver", "system:masters", "client"],
    ["front-proxy-client", "request-header", "system:auth-proxy", undefined, "client"],
    ["apiserver-etcd-client", "etcd-server", "etcd-client", undefined, "client"],
    ["etcd-server", "etcd-server", "etcd-server", undefined, "server, client"],
    ["etcd-peer", "etcd-peer", "etcd-peer", undefined, "server, client"],
    ["controller-manager-server", "server", "kube-controller-manager", undefined, "server"],
    ["scheduler-server", "server", "kube-scheduler", undefined, "server"],
    ["admin", "client", "system:admin", "system:masters", "client"],
    ["supervisor", "client", "system:k3s-supervisor", "system:masters", "client"],
    ["controller-manager", "client", "system:kube-controller-manager", undefined, "client"],
    ["scheduler", "client", "system:kube-scheduler", undefined, "client"],
    ["cloud-controller-manager", "client", "k3s-cloud-controller-manager", undefined, "client"],
    ["kubelet", "client", "system:node:{machine}", "system:nodes", "client"],
    ["kubelet-server", "server", "{machine}", undefined, "server"],
    ["kube-proxy", "client", "system:kube-proxy", undefined, "client"],
    ["k3s-controller", "client", "system:k3s-controller", undefined, "client"],
  ])("%s is of %s: CN=%s, O=%s, for %s", (name, authority, commonName, organization, usage) => {
    const row = table.certificates[name]!;
    expect([row.authority, row.commonName, row.organization, row.usage.name]).toEqual([
      authority,
      commonName,
      organization,
      usage,
    ]);
  });

  test("are no others, and RKE2's users and files have its name", () => {
    expect(Object.keys(table.certificates)).toHaveLength(17);
    // And its API server has the description's port to itself, where K3s stands before its own; who joins has another.
    const renamed = JSON.stringify(tables.k3s)
      .replaceAll("k3s", "rke2")
      .replaceAll("K3s", "rke2")
      .replaceAll(
        '"number":6444,"setBy":"--secure-port"',
        '"number":6443,"setBy":"--secure-port","describedBy":"bindPort"',
      )
      .replaceAll("https://{endpoint}\\", "https://{endpointHost}:9345\\");
    expect(JSON.parse(JSON.stringify(tables.rke2))).toEqual(JSON.parse(renamed));
    expect(tables.rke2.certificates["supervisor"]!.commonName).toBe("system:rke2-supervisor");
    expect(pathsOf(pkiOf({}, { ...BY_HAND, distribution: Distribution.RKE2 }).pki.files("cp-1"))).toEqual(
      expect.arrayContaining([
        "/etc/rancher/rke2/rke2.yaml",
        "/var/lib/rancher/rke2/agent/client-rke2-controller.crt",
        "/var/lib/rancher/rke2/agent/rke2controller.kubeconfig",
        "/var/lib/rancher/rke2/server/tls/client-rke2-cloud-controller.key",
      ]),
    );
  });

  test("stand where K3s writes them on a server", () => {
    const paths = pathsOf(ofCustomCa(pkiOf({}, BY_HAND).pki.files("cp-1")));
    const pairs = (folder: string, names: readonly string[]) =>
      names.flatMap((name) => [`${folder}/${name}.crt`, `${folder}/${name}.key`]);
    const expected = [
      "/etc/rancher/k3s/k3s.yaml",
      `${AGENT}/client-ca.crt`,
      `${AGENT}/server-ca.crt`,
      ...pairs(AGENT, ["client-k3s-controller", "client-kube-proxy", "client-kubelet", "serving-kubelet"]),
      ...["k3scontroller", "kubelet", "kubeproxy"].map((name) => `${AGENT}/${name}.kubeconfig`),
      ...["admin", "api-server", "cloud-controller", "controller", "scheduler", "supervisor"].map(
        (name) => `/var/lib/rancher/k3s/server/cred/${name}.kubeconfig`,
      ),
      ...CUSTOM_CA.map((text) => text.split(/ |: /)[1]!),
      `${TLS}/client-ca.nochain.crt`,
      `${TLS}/server-ca.nochain.crt`,
      `${TLS}/service.current.key`,
      ...pairs(TLS, [
        ...["admin", "auth-proxy", "controller", "k3s-cloud-controller", "kube-apiserver", "scheduler"].map(
          (name) => `client-${name}`,
        ),
        "client-supervisor",
        "serving-kube-apiserver",
        "kube-controller-manager/kube-controller-manager",
        "kube-scheduler/kube-scheduler",
      ]),
      ...pairs(`${TLS}/etcd`, ["client", "peer-server-client", "server-client"]),
    ];
    expect(paths).toEqual(expected.sort());
  });

  test("on an agent are the kubelet's two, kube-proxy's and the program's own", () => {
    const { pki } = pkiOf(WORKED, BY_HAND);
    expect(pathsOf(ofCustomCa(pki.files("node-1")))).toEqual([
      `${AGENT}/client-ca.crt`,
      `${AGENT}/client-k3s-controller.crt`,
      `${AGENT}/client-k3s-controller.key`,
      `${AGENT}/client-kube-proxy.crt`,
      `${AGENT}/client-kube-proxy.key`,
      `${AGENT}/client-kubelet.crt`,
      `${AGENT}/client-kubelet.key`,
      `${AGENT}/k3scontroller.kubeconfig`,
      `${AGENT}/kubelet.kubeconfig`,
      `${AGENT}/kubeproxy.kubeconfig`,
      `${AGENT}/server-ca.crt`,
      `${AGENT}/serving-kubelet.crt`,
      `${AGENT}/serving-kubelet.key`,
    ]);
    expect(pathsOf(pki.files("operator"))).toEqual(["/admin.conf"]);
  });

  // os.WriteFile(filename, fileBytes, 0600), whatever it is: pkg/agent/config/config.go.
  test("and authorities on an agent are root's alone to read", () => {
    const { pki } = pkiOf(WORKED, BY_HAND);
    const files = ["cp-1", "node-1"]
      .flatMap((machine) => pki.files(machine))
      .filter(({ path }) => path.startsWith(AGENT));
    expect(files.length).toBeGreaterThan(20);
    expect(new Set(files.map(({ mode }) => mode))).toEqual(new Set(["0600"]));
  });

  // podSpec.Files of pkg/executor/staticpod/staticpod.go, which chownr gives to etcd's user with any profile.
  test.each(["cis", "etcd"] as const)(
    "of etcd, and what it trusts, are its user's with RKE2's profile %s",
    (profile) => {
      const owned = (distribution: Distribution) =>
        pkiOf({}, { ...BY_HAND, distribution })
          .pki.files("cp-1")
          .filter(({ owner }) => owner !== "root:root")
          .map(({ path, owner }) => `${owner} ${path.split("/tls/etcd/")[1]}`);
      expect(owned(Distribution.rke2({ profile }))).toEqual(
        ["peer-ca.crt", "peer-server-client.crt", "peer-server-client.key", "server-ca.crt"]
          .concat("server-client.crt", "server-client.key")
          .map((file) => `etcd:etcd ${file}`),
      );
      expect(owned(Distribution.RKE2)).toEqual([]);
    },
  );

  test("share no key, neither with another row nor with another machine", () => {
    const { pki } = pkiOf(MEMBERS, BY_HAND);
    const leaves = leavesOf(pki);
    const keys = leaves.map(([, leaf]) => leaf.privateKey.address);
    expect(new Set(keys).size).toBe(leaves.length);
    for (const machine of pki.machines) {
      const key = (name: string) => addressesIn(fileOf(pki, machine, `${AGENT}/${name}.key`));
      expect(key("client-kubelet")).not.toEqual(key("client-kube-proxy"));
    }
  });

  test("of a server have every name by which K3s is reached", () => {
    const { pki } = pkiOf(WORKED, BY_HAND);
    const { dns, ips } = pki.certificate("apiserver", "cp-1").sans;
    expect(dns).toEqual([
      "api.prod.example.com",
      "cp-1",
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
      "localhost",
    ]);
    expect(ips).toEqual(expect.arrayContaining(["10.0.0.11", "10.96.0.1", "127.0.0.1", "::1"]));
    expect(pki.certificate("etcd-peer", "cp-1").sans.dns).toContain("kine.sock");
    expect(pki.certificate("kubelet-server", "node-1").sans).toMatchObject({
      dns: ["localhost", "node-1"],
      ips: ["10.0.0.21", "127.0.0.1"],
    });
  });

  test("that K3s puts into system:masters are exceptions with K3s' reason, and a warning where Terraform issues them", () => {
    const masters = Object.entries(table.certificates).filter(([, row]) => row.organization === "system:masters");
    expect(masters.map(([name]) => name)).toEqual(["apiserver-kubelet-client", "admin", "supervisor"]);
    const warnings = ({ node }: ClusterPki) =>
      node.metadata.filter(({ type }) => type === AnnotationMetadataEntryType.WARN).map(({ data }) => String(data));
    expect(warnings(pkiOf({}, K3S).pki)).toEqual([]);
    expect(warnings(pkiOf({}, BY_HAND).pki).map((text) => text.split(":")[0])).toEqual([
      "[system-masters] apiserver-kubelet-client",
      "[system-masters] admin",
      "[system-masters] supervisor",
    ]);
  });
});

describe("the option clusterAdmin", () => {
  const made = { k3s: Distribution.k3s({ clusterAdmin: true }), rke2: Distribution.rke2({ clusterAdmin: true }) };

  test.each(PROGRAMS)("issues one certificate for the operator of %s, and no other", (program) => {
    const { pki } = pkiOf(THREE, { distribution: made[program] });
    expect(leavesOf(pki).map(([name]) => name)).toEqual(["operator/cluster-admin"]);
    const certificate = pki.certificate("cluster-admin");
    // No system:masters: what nobody can unbind.
    expect(certificate.subject.toString()).toBe("CN=cluster-admin, O=cluster-admins");
    expect(certificate.usage.name).toBe("client");
    const { ca_cert_pem: signer } = resourcesOf(terraformOfPki(THREE, { distribution: made[program] })).get(
      "tls_locally_signed_cert.pki__operator__cluster-admin",
    );
    expect(signer).toBe("${tls_self_signed_cert.pki__ca__client__g1.cert_pem}");
    expect(pki.files("operator").map(line)).toEqual(["0600 /cluster-admin.conf: kubeconfig"]);
  });

  test.each(PROGRAMS)(
    "gives its group to a manifest in the folder that %s applies, on servers with an API server",
    (program) => {
      const { pki } = pkiOf(MEMBERS, { distribution: made[program] });
      const path = `/var/lib/rancher/${program}/server/manifests/kubernetes-pki-cluster-admins.yaml`;
      expect(parse(evaluate(fileOf(pki, "cp-1", path).content, () => ""))).toEqual(CLUSTER_ADMINS);
      expect(pathsOf(pki.files("etcd-1"))).not.toContain(path);
    },
  );

  test("is off by default", () => {
    expect(Object.keys(table.certificates)).not.toContain("cluster-admin");
    expect(pathsOf(pkiOf({}, K3S).pki.files("cp-1")).filter((path) => path.includes("manifests"))).toEqual([]);
  });

  test("may be given a validity, which changes nothing without it", () => {
    const validity = Validity.days(7);
    expect(problemsOf(() => pkiOf({}, { ...K3S, validity }))).toMatchObject([{ code: "without-effect" }]);
    const { pki } = pkiOf({}, { distribution: made.k3s, validity });
    expect(pki.certificate("cluster-admin").validity.validityHours).toBe(168);
  });
});

describe("joining", () => {
  const access = (certificateAuthority: TrustBundle | string, stack = accessStack()) => {
    const cluster = { name: "prod", endpoint: "api.prod.example.com:6443" };
    const props = { distribution: Distribution.K3S, cluster, certificateAuthority };
    return { stack, access: new ClusterAccess(stack, "access", { addressPrefix: "access", ...props }) };
  };
  const hashIn = (token: Content | undefined) => /^K10([0-9a-f]{64})::/.exec(evaluate(token!, () => "")!)?.[1];
  const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

  test("leaves nothing to bind: K3s does that itself", () => {
    const { stack } = access(CA_CERTIFICATE);
    const types = new Set([...resourcesOf(terraformOf(stack)).keys()].map((address) => address.split(".")[0]));
    expect([...types].sort()).toEqual(["kubernetes_secret_v1", "random_password", "random_string", "time_rotating"]);
  });

  test("takes bootstrap tokens as k3s token create makes them", () => {
    const { stack } = access(CA_CERTIFICATE);
    const { data } = terraformOf(stack).resource.kubernetes_secret_v1.access__token__workers;
    expect(data).toMatchObject({
      "usage-bootstrap-authentication": "true",
      "usage-bootstrap-signing": "true",
      "auth-extra-groups": "system:bootstrappers:k3s:default-node-token",
    });
  });

  test("refuses an authority that Terraform alone knows: it does not see whether that is below a root", () => {
    const stack = accessStack();
    const { stringValue } = new TerraformVariable(stack, "ca", {});
    expect(problemsOf(() => access(stringValue, stack))).toMatchObject([
      {
        code: "secure-token-root",
        at: "certificateAuthority",
        fix: expect.stringContaining("the ClusterPki or its bundle"),
      },
    ]);
  });

  describe("with the bundle of a PKI in another stack", () => {
    const below = (certificatePem: string, distribution = CHAINED.distribution, authority = "root") => {
      const app = newApp();
      const stack = newStack("pki", app);
      const privateKeyPem = new TerraformVariable(stack, "key", { sensitive: true }).stringValue;
      const generations = { g1: Generation.fromPem("active", { certificatePem, privateKeyPem }) };
      const { pki } = pkiOf({}, { distribution, authorities: { [authority]: { generations } } }, stack);
      return access(pki.bundle(), accessStack(app));
    };

    test("makes the hash of a generated authority, which signed itself, from its text", () => {
      const app = newApp();
      const { pki } = pkiOf({}, K3S, newStack("pki", app));
      const { joinTokens } = access(pki.bundle(), accessStack(app)).access;
      expect(joinTokens.workers).toMatchObject({ concat: ["K10", { sha256: expect.anything() }, "::", {}, ".", {}] });
    });

    test("makes the hash of a literal root from its DER", () => {
      const root = new X509Certificate(CA_CERTIFICATE);
      expect(hashIn(below(CA_CERTIFICATE).access.joinTokens.workers)).toBe(sha256(root.raw));
    });

    test("makes the hash of a literal authority that signed itself from its text, as for any single certificate", () => {
      const { joinTokens } = below(CA_CERTIFICATE, Distribution.K3S, "server").access;
      expect(joinTokens.workers).toMatchObject({ concat: ["K10", { sha256: expect.anything() }, "::", {}, ".", {}] });
    });

    test("refuses an authority below a root that Terraform makes", () => {
      const app = newApp();
      const { pki } = pkiOf({}, CHAINED, newStack("pki", app));
      expect(problemsOf(() => access(pki.bundle(), accessStack(app)))).toMatchObject([{ code: "secure-token-root" }]);
    });
  });
});

test("a chain warns that every verifier accepts what any of its authorities signed", () => {
  const { node } = pkiOf({}, CHAINED).pki;
  const warnings = node.metadata.filter(({ type }) => type === "@cdktf/warn").map(({ data }) => String(data));
  expect(warnings).toEqual([expect.stringMatching(/^\[shared-root\] intermediate: /)]);
});

// KubeconfigTemplate of pkg/daemons/control/deps/deps.go, and WriteClientKubeConfig of pkg/clientaccess/kubeconfig.go.
test("kubeconfigs have the entries that K3s' own have", () => {
  const { pki } = pkiOf(WORKED, BY_HAND);
  const entries = (machine: string) =>
    pki
      .files(machine)
      .filter(({ kind }) => kind === "kubeconfig")
      .map(({ path, content }) => {
        const { clusters, contexts, users, ...rest } = parse(evaluate(content, () => "-")) as {
          clusters: { name: string }[];
          contexts: { name: string }[];
          users: { name: string }[];
          "current-context": string;
        };
        return [path, clusters[0]!.name, contexts[0]!.name, users[0]!.name, rest["current-context"]].join(" ");
      });
  const all = [...entries("cp-1"), ...entries("node-1")];
  const own = all.filter((line) => line.startsWith("/etc/rancher/k3s/k3s.yaml"));
  expect(own).toEqual(["/etc/rancher/k3s/k3s.yaml default default default default"]);
  const others = all.filter((line) => !own.includes(line));
  expect(others.length).toBeGreaterThan(8);
  others.forEach((line) => expect(line).toMatch(/^\/var\/lib\/rancher\/k3s\/\S+ local Default user Default$/));
});
