import { Construct } from "constructs";
import { AnnotationMetadataEntryType, TerraformStack } from "cdktf";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import {
  Certificate,
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  Generation,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { EXTERNAL, MEMBERS, ONE, pkiOf, terraformOfPki, THREE } from "../../support/cluster";
import { filesIn, differences, resourcesOf } from "../../support/graph";
import { CA_CERTIFICATE, CA_KEY } from "../../support/pem";
import { errorOf, newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";

const problems = (props: Partial<ClusterPkiProps>) => problemsOf(() => pkiOf({}, props));

describe("accessors", () => {
  const { pki } = pkiOf(THREE);

  test("name the machines, control planes first", () => {
    expect(pki.machines).toEqual(["cp-1", "cp-2", "cp-3", "node-1"]);
  });

  test("find an authority and a bundle", () => {
    expect(pki.authority("etcd").active.certificate.address).toBe("tls_self_signed_cert.pki__ca__etcd__g1");
    expect(pki.bundle("front-proxy").references).toEqual([pki.authority("front-proxy").active.certificate]);
    expect(pki.bundle()).toBe(pki.authority("kubernetes").bundle);
  });

  test("find a certificate by machine, or without one where there is only one", () => {
    expect(pki.certificate("apiserver", "cp-2").certificate.address).toBe(
      "tls_locally_signed_cert.pki__cp-2__apiserver",
    );
    expect(pki.certificate("super-admin").certificate.address).toBe(
      "tls_locally_signed_cert.pki__operator__super-admin",
    );
    expect(pki.certificate("kubelet", "node-1").subject.fields.commonName).toBe("system:node:node-1");
  });

  test("find a kubeconfig, which is the content of its file", () => {
    const file = pki.files("cp-3").find(({ path }) => path === "/etc/kubernetes/scheduler.conf");
    expect(pki.kubeconfig("scheduler", "cp-3")).toBe(file!.content);
    expect(pki.kubeconfig("admin", "operator")).toBe(
      pki.files("operator").find(({ path }) => path === "/admin.conf")!.content,
    );
  });

  test("let a user issue a certificate of their own", () => {
    const { stack, pki } = pkiOf();
    new Certificate(stack, "mine", {
      authority: pki.authority("kubernetes"),
      subject: new Subject({ commonName: "pipeline", organization: "deployers" }),
      usage: KeyUsage.CLIENT,
    });
    expect(terraformOf(stack).resource.tls_locally_signed_cert.mine.ca_cert_pem).toBe(
      "${tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem}",
    );
  });

  const unknown = (kind: string, given: string, allowed: string) => ({
    path: "prod-pki/pki",
    problems: [{ code: `unknown-${kind}`, at: kind, given: `"${given}"`, allowed, fix: "use one of these names" }],
  });

  test("tell which authorities there are", () => {
    const expected = unknown("authority", "ca", "kubernetes, front-proxy, etcd");
    expect(errorOf(() => pki.authority("ca"))).toMatchObject(expected);
    expect(errorOf(() => pki.bundle("ca"))).toMatchObject(expected);
  });

  test("tell which key pairs there are", () => {
    expect(pki.keyPair("service-account")).toBe(pki.parts.keyPairs.get("service-account"));
    expect(errorOf(() => pki.keyPair("sa"))).toMatchObject(unknown("key-pair", "sa", "service-account"));
  });

  test("tell which holders there are", () => {
    const allowed = "cp-1, cp-2, cp-3, node-1, worker, operator";
    expect(errorOf(() => pki.files("cp-9"))).toMatchObject(unknown("holder", "cp-9", allowed));
  });

  test("tell which certificates there are, also when the machine was left out", () => {
    const one = pkiOf().pki;
    const allowed =
      "apiserver, apiserver-kubelet-client, front-proxy-client, etcd-server, etcd-peer, etcd-healthcheck-client, " +
      "apiserver-etcd-client, admin, controller-manager, scheduler, kubelet, super-admin";
    expect(errorOf(() => one.certificate("api", "cp-1"))).toMatchObject(unknown("certificate", "api", allowed));
    expect(errorOf(() => one.certificate("admin", "cp-9"))).toMatchObject(unknown("holder", "cp-9", "cp-1, operator"));
    expect(problemsOf(() => one.certificate("admin"))).toEqual([
      {
        code: "holder-needed",
        at: "holder",
        given: "none",
        allowed: "cp-1, operator",
        fix: 'each of these has one of its own: say whose is meant, ("admin", "cp-1")',
      },
    ]);
    expect(errorOf(() => one.kubeconfig("nobody"))).toMatchObject(unknown("certificate", "nobody", allowed));
  });

  test("tell which kubeconfigs there are", () => {
    const allowed = "admin, super-admin, controller-manager, scheduler, kubelet";
    expect(errorOf(() => pki.kubeconfig("apiserver", "cp-1"))).toMatchObject(
      unknown("kubeconfig", "apiserver", allowed),
    );
  });

  test("tell when there is no certificate at all", () => {
    const { pki } = pkiOf({}, { issueLeaves: false });
    const allowed = "none: there is no such thing here";
    expect(errorOf(() => pki.certificate("admin"))).toMatchObject(unknown("certificate", "admin", allowed));
  });
});

test("renaming or wrapping the construct changes no address", () => {
  const props = { distribution: Distribution.KUBEADM, cluster: ONE };
  const [before, after] = [newStack(), newStack()];
  new ClusterPki(before, "pki", props);
  new ClusterPki(new Construct(after, "platform"), "identity", props);
  expect(differences(terraformOf(before), terraformOf(after))).toEqual([]);
  expect([...resourcesOf(terraformOf(after)).keys()].filter((address) => !/\.prod__/.test(address))).toEqual([]);
});

describe("who has which certificates", () => {
  const certificatesOf = (cluster: Parameters<typeof terraformOfPki>[0], holder: string) =>
    Object.keys(terraformOfPki(cluster).resource.tls_locally_signed_cert)
      .filter((name) => name.startsWith(`pki__${holder}__`))
      .map((name) => name.split("__")[2]);

  const WITHOUT_ETCD = [
    "apiserver",
    "apiserver-kubelet-client",
    "front-proxy-client",
    "apiserver-etcd-client",
    "admin",
    "controller-manager",
    "scheduler",
    "kubelet",
  ];
  const ETCD = ["etcd-server", "etcd-peer", "etcd-healthcheck-client"];

  test("a control plane with stacked etcd has those of etcd, too", () => {
    expect(certificatesOf(THREE, "cp-2").sort()).toEqual([...WITHOUT_ETCD, ...ETCD].sort());
  });

  test("a control plane beside etcd members has a client of etcd and nothing else of it", () => {
    expect(certificatesOf(MEMBERS, "cp-2")).toEqual(WITHOUT_ETCD);
    expect(certificatesOf(MEMBERS, "etcd-2")).toEqual(ETCD);
  });

  test("with external etcd nothing of etcd is issued", () => {
    expect(certificatesOf(EXTERNAL, "cp-1")).toEqual(WITHOUT_ETCD.filter((name) => !name.includes("etcd")));
    const { resource } = terraformOfPki(EXTERNAL);
    expect(Object.keys(resource.tls_self_signed_cert)).toEqual(["pki__ca__kubernetes__g1", "pki__ca__front-proxy__g1"]);
  });

  test("a named worker has its kubelet's, other workers have none", () => {
    expect(certificatesOf(THREE, "node-1")).toEqual(["kubelet"]);
    expect(certificatesOf(THREE, "worker")).toEqual([]);
  });

  test("the operator has the administrator's and the break-glass identity", () => {
    expect(certificatesOf(MEMBERS, "operator")).toEqual(["admin", "super-admin"]);
  });
});

describe("what certificates say", () => {
  const { resource } = terraformOfPki({ ...THREE, extraSans: ["api.example.org"] });

  test("subjects, as kubeadm has them", () => {
    const subjects = Object.entries<{ subject: Record<string, string>[] }>(resource.tls_cert_request)
      .filter(([name]) => /__(cp-1|node-1|operator)__/.test(name))
      .map(([name, { subject }]) => [name.slice(5), ...Object.values(subject[0]!)].join(" | "));
    expect(subjects).toEqual([
      "cp-1__apiserver | kube-apiserver",
      "cp-1__apiserver-kubelet-client | kube-apiserver-kubelet-client",
      "cp-1__front-proxy-client | front-proxy-client",
      "cp-1__etcd-server | cp-1",
      "cp-1__etcd-peer | cp-1",
      "cp-1__etcd-healthcheck-client | kube-etcd-healthcheck-client",
      "cp-1__apiserver-etcd-client | kube-apiserver-etcd-client",
      "cp-1__admin | kubernetes-admin | kubeadm:cluster-admins",
      "cp-1__controller-manager | system:kube-controller-manager",
      "cp-1__scheduler | system:kube-scheduler",
      "cp-1__kubelet | system:node:cp-1 | system:nodes",
      "node-1__kubelet | system:node:node-1 | system:nodes",
      "operator__admin | kubernetes-admin | kubeadm:cluster-admins",
      "operator__super-admin | kubernetes-super-admin | system:masters",
    ]);
  });

  test("the API server's names, those of its own machine among them", () => {
    expect(resource.tls_cert_request["pki__cp-2__apiserver"]).toMatchObject({
      dns_names: [
        "api.example.org",
        "api.prod.example.com",
        "cp-2",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
      ],
      ip_addresses: ["10.0.0.12", "10.96.0.1"],
    });
  });

  test.each(["etcd-server", "etcd-peer"])("names of %s", (name) => {
    expect(resource.tls_cert_request[`pki__cp-2__${name}`]).toMatchObject({
      dns_names: ["cp-2", "localhost"],
      ip_addresses: ["10.0.0.12", "127.0.0.1", "::1"],
    });
  });

  test("clients have no names", () => {
    for (const [name, request] of Object.entries<object>(resource.tls_cert_request)) {
      if (!/__(apiserver|etcd-server|etcd-peer)$/.test(name)) {
        expect({ name, request }).not.toHaveProperty("request.dns_names");
        expect({ name, request }).not.toHaveProperty("request.ip_addresses");
      }
    }
  });

  test("usages", () => {
    const usages = Object.entries<{ allowed_uses: string[] }>(resource.tls_locally_signed_cert)
      .filter(([name]) => name.includes("__cp-1__"))
      .map(([name, { allowed_uses }]) => `${name.split("__")[2]}: ${allowed_uses.slice(1).join(", ")}`);
    expect(usages).toEqual([
      "apiserver: server_auth",
      "apiserver-kubelet-client: client_auth",
      "front-proxy-client: client_auth",
      "etcd-server: server_auth, client_auth",
      "etcd-peer: server_auth, client_auth",
      "etcd-healthcheck-client: client_auth",
      "apiserver-etcd-client: client_auth",
      "admin: client_auth",
      "controller-manager: client_auth",
      "scheduler: client_auth",
      "kubelet: client_auth",
    ]);
  });

  test("signers: etcd's by etcd, the front proxy's by its own, the rest by the cluster's", () => {
    const signers = Object.entries<{ ca_cert_pem: string }>(resource.tls_locally_signed_cert)
      .filter(([name]) => /__(cp-1|operator)__/.test(name))
      .map(([name, { ca_cert_pem }]) => `${name.split("__")[2]} ${ca_cert_pem.split("__")[2]}`);
    const by = (authority: string) =>
      signers.filter((line) => line.endsWith(` ${authority}`)).map((line) => line.split(" ")[0]);
    expect(by("front-proxy")).toEqual(["front-proxy-client"]);
    expect(by("etcd")).toEqual(["etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client"]);
    expect(by("kubernetes")).toHaveLength(signers.length - 5);
  });

  test("authorities carry kubeadm's names", () => {
    const authorities = Object.entries<{ subject: object[]; dns_names: string[] }>(resource.tls_self_signed_cert);
    expect(authorities.map(([name, { subject, dns_names }]) => [name, subject, dns_names])).toEqual([
      ["pki__ca__kubernetes__g1", [{ common_name: "kubernetes" }], ["kubernetes"]],
      ["pki__ca__front-proxy__g1", [{ common_name: "front-proxy-ca" }], ["front-proxy-ca"]],
      ["pki__ca__etcd__g1", [{ common_name: "etcd-ca" }], ["etcd-ca"]],
    ]);
  });
});

describe("choices", () => {
  test("validity and algorithm of all leaves, and of one", () => {
    const { resource } = terraformOfPki(
      {},
      {
        validity: Validity.days(90),
        keyAlgorithm: KeyAlgorithm.ECDSA_P384,
        certificates: { apiserver: { validity: Validity.days(30), keyAlgorithm: KeyAlgorithm.RSA_2048 } },
      },
    );
    const of = (name: string) => [
      resource.tls_locally_signed_cert[name].validity_period_hours,
      resource.tls_private_key[name].ecdsa_curve ?? resource.tls_private_key[name].rsa_bits,
    ];
    expect(of("pki__cp-1__scheduler")).toEqual([2160, "P384"]);
    expect(of("pki__cp-1__apiserver")).toEqual([720, 2048]);
    expect(resource.tls_private_key["pki__ca__kubernetes__g1"].ecdsa_curve).toBe("P256");
    expect(resource.tls_self_signed_cert["pki__ca__kubernetes__g1"].validity_period_hours).toBe(87600);
  });

  test("more names of one certificate", () => {
    const after = terraformOfPki(
      {},
      { certificates: { "etcd-server": { extraSans: ["etcd.example.com", "10.0.0.99"] } } },
    );
    expect(differences(terraformOfPki(), after)).toEqual([
      "~ tls_cert_request.pki__cp-1__etcd-server: dns_names",
      "~ tls_cert_request.pki__cp-1__etcd-server: ip_addresses",
    ]);
  });

  test("another first part of every address", () => {
    const terraform = terraformOfPki({}, { addressPrefix: "prod-eu" });
    expect([...resourcesOf(terraform).keys()].filter((address) => !address.includes(".prod-eu__"))).toEqual([]);
    expect(Object.keys(terraform.output).sort()).toEqual([
      "prod-eu_certificates",
      "prod-eu_files",
      "prod-eu_fingerprints",
    ]);
    expect(Object.keys(terraform.check)).toEqual([
      "prod-eu__ca__kubernetes",
      "prod-eu__ca__front-proxy",
      "prod-eu__ca__etcd",
    ]);
  });

  test("addresses do not depend on where the construct stands", () => {
    const stack = newStack();
    const platform = new PrivateKey(stack, "platform", { algorithm: "RSA" });
    new ClusterPki(platform, "somewhere", { distribution: Distribution.KUBEADM, cluster: ONE, addressPrefix: "pki" });
    const { resource } = terraformOf(stack);
    delete resource.tls_private_key.platform;
    expect({ resource }).toEqual({ resource: terraformOfPki().resource });
  });

  test("a provider of its own for all", () => {
    const stack = newStack();
    const provider = new TlsProvider(stack, "other", { alias: "other" });
    pkiOf({}, { provider }, stack);
    const without = [...resourcesOf(terraformOf(stack))].filter(([, resource]) => resource.provider !== "tls.other");
    expect(without).toEqual([]);
  });

  test("no leaves, for those who let kubeadm issue them", () => {
    const { stack, pki } = pkiOf(THREE, { issueLeaves: false });
    const terraform = terraformOf(stack);
    expect([...resourcesOf(terraform).keys()]).toEqual([
      "tls_private_key.pki__ca__kubernetes__g1",
      "tls_private_key.pki__ca__front-proxy__g1",
      "tls_private_key.pki__ca__etcd__g1",
      "tls_private_key.pki__keys__service-account__g1",
      "tls_self_signed_cert.pki__ca__kubernetes__g1",
      "tls_self_signed_cert.pki__ca__front-proxy__g1",
      "tls_self_signed_cert.pki__ca__etcd__g1",
    ]);
    expect(terraform).not.toHaveProperty("check");
    expect(pki.files("operator")).toEqual([]);
    expect(pki.files("node-1").map(({ path }) => path)).toEqual(["/etc/kubernetes/pki/ca.crt"]);
    expect(pki.files("cp-1").map(({ path }) => path)).toEqual([
      "/etc/kubernetes/cluster-configuration.yaml",
      "/etc/kubernetes/join-configuration.yaml",
      "/etc/kubernetes/pki/ca-signing.crt",
      "/etc/kubernetes/pki/ca.crt",
      "/etc/kubernetes/pki/ca.key",
      "/etc/kubernetes/pki/etcd/ca.crt",
      "/etc/kubernetes/pki/etcd/ca.key",
      "/etc/kubernetes/pki/front-proxy-ca.crt",
      "/etc/kubernetes/pki/front-proxy-ca.key",
      "/etc/kubernetes/pki/sa.key",
      "/etc/kubernetes/pki/sa.pub",
    ]);
  });

  test("all leaves is kubeadm's default", () => {
    expect(terraformOfPki(THREE, { issueLeaves: true })).toEqual(terraformOfPki(THREE));
  });

  test("no protection, with a warning", () => {
    const { stack, pki } = pkiOf({}, { deletionProtection: false });
    expect(JSON.stringify(terraformOf(stack))).not.toContain("prevent_destroy");
    expect(pki.node.metadata).toMatchObject([
      {
        type: AnnotationMetadataEntryType.WARN,
        data: "deletionProtection is off: a plan may destroy authorities and service-account keys",
      },
    ]);
  });

  test("protection of authorities and service-account keys and of nothing else, without a warning", () => {
    const { stack, pki } = pkiOf(THREE);
    const protectedOnes = [...resourcesOf(terraformOf(stack))].filter(
      ([, { lifecycle }]) => lifecycle?.prevent_destroy,
    );
    expect(protectedOnes.map(([address]) => address)).toEqual([
      "tls_private_key.pki__ca__kubernetes__g1",
      "tls_private_key.pki__ca__front-proxy__g1",
      "tls_private_key.pki__ca__etcd__g1",
      "tls_private_key.pki__keys__service-account__g1",
      "tls_self_signed_cert.pki__ca__kubernetes__g1",
      "tls_self_signed_cert.pki__ca__front-proxy__g1",
      "tls_self_signed_cert.pki__ca__etcd__g1",
    ]);
    expect(pki.node.metadata).toEqual([]);
  });

  test("an authority from outside", () => {
    const generations = { g1: Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY }) };
    const { resource, output } = terraformOfPki({}, { authorities: { kubernetes: { generations } } });
    expect(Object.keys(resource.terraform_data)).toEqual(["pki__ca__kubernetes__g1"]);
    expect(filesIn({ output })["cp-1"]["/etc/kubernetes/pki/ca.key"].content).toEqual({
      address: "terraform_data.pki__ca__kubernetes__g1",
      attribute: "output.private_key_pem",
    });
    expect(Object.keys(output.pki_fingerprints.value)).toEqual(["front-proxy g1", "etcd g1", "service-account g1"]);
  });
});

describe("resources that had another prefix", () => {
  test("are moved, every one, in one list", () => {
    const terraform = terraformOfPki({}, { movedFrom: "old" });
    const addresses = [...resourcesOf(terraform).keys()];
    expect(terraform.moved).toHaveLength(addresses.length);
    expect(new Set(terraform.moved.map(({ to }: { to: string }) => to))).toEqual(new Set(addresses));
    expect(terraform.moved).toContainEqual({
      from: "tls_self_signed_cert.old__ca__kubernetes__g1",
      to: "tls_self_signed_cert.pki__ca__kubernetes__g1",
    });
    for (const { from, to } of terraform.moved) {
      expect(from).toBe(to.replace(".pki__", ".old__"));
    }
  });

  test("of two clusters stand in the same list", () => {
    const stack = newStack();
    for (const name of ["a", "b"]) {
      const props = { distribution: Distribution.KUBEADM, cluster: ONE, movedFrom: `old-${name}` };
      new ClusterPki(stack, name, { addressPrefix: name, ...props, issueLeaves: false });
    }
    const moved: { from: string }[] = terraformOf(stack).moved;
    expect(moved.filter(({ from }) => from.includes("old-a__"))).toHaveLength(7);
    expect(moved.filter(({ from }) => from.includes("old-b__"))).toHaveLength(7);
  });

  test("are not moved when nothing is said", () => {
    expect(terraformOfPki()).not.toHaveProperty("moved");
  });
});

describe("what is refused", () => {
  test.each(["Prod", "1prod", "a_b", "a.b", ""])("the prefix %j", (addressPrefix) => {
    expect(problems({ addressPrefix })).toEqual([
      {
        code: "address-prefix",
        at: "addressPrefix",
        given: JSON.stringify(addressPrefix),
        allowed: "lower-case letters, digits and '-', a letter first",
        fix: "set addressPrefix to such a name",
      },
    ]);
  });

  test("a cluster's name that is no prefix, where none was given", () => {
    const cluster = { ...ONE, name: "1-prod" };
    const act = () => new ClusterPki(newStack(), "pki", { distribution: Distribution.KUBEADM, cluster });
    expect(problemsOf(act)).toMatchObject([
      { code: "address-prefix", at: "cluster.name", given: '"1-prod"', fix: "set addressPrefix to such a name" },
    ]);
  });

  test("two clusters of one name in a stack", () => {
    const stack = newStack();
    const props = { distribution: Distribution.KUBEADM, cluster: ONE };
    new ClusterPki(stack, "east", props);
    expect(errorOf(() => new ClusterPki(stack, "west", props)).message).toBe(
      "1 problem at prod-pki/west\n" +
        '  [address-prefix-taken] addressPrefix: given "prod"; allowed: a prefix that prod-pki/east does not have; fix: set addressPrefix',
    );
  });

  test("a former prefix that is none", () => {
    expect(problems({ movedFrom: "Old" })).toMatchObject([
      { code: "address-prefix", at: "movedFrom", given: '"Old"', fix: "set movedFrom to such a name" },
    ]);
  });

  test("two clusters of a stack whose prefixes are alike", () => {
    const { stack } = pkiOf({}, { addressPrefix: "prod" });
    const other = { distribution: Distribution.KUBEADM, cluster: ONE, addressPrefix: "prod" };
    expect(errorOf(() => new ClusterPki(stack, "other", other)).message).toBe(
      "1 problem at prod-pki/other\n" +
        '  [address-prefix-taken] addressPrefix: given "prod"; allowed: a prefix that prod-pki/pki does not have; fix: set addressPrefix',
    );
  });

  test("names that the distribution does not have", () => {
    expect(problems({ authorities: { ca: {} }, certificates: { api: {} } })).toEqual([
      {
        code: "unknown-name",
        at: "authorities.ca",
        given: '"ca"',
        allowed: "kubernetes, front-proxy, etcd",
        fix: "use one of the distribution's names",
      },
      {
        code: "unknown-name",
        at: "certificates.api",
        given: '"api"',
        allowed:
          "apiserver, apiserver-kubelet-client, front-proxy-client, etcd-server, etcd-peer, etcd-healthcheck-client, " +
          "apiserver-etcd-client, admin, super-admin, controller-manager, scheduler, kubelet",
        fix: "use one of the distribution's names",
      },
    ]);
  });

  test("certificates of etcd where it is external", () => {
    const act = () => pkiOf(EXTERNAL, { certificates: { "etcd-server": {} }, authorities: { etcd: {} } });
    expect(problemsOf(act)).toMatchObject([
      { code: "unknown-name", at: "authorities.etcd", allowed: "kubernetes, front-proxy" },
      { code: "unknown-name", at: "certificates.etcd-server" },
    ]);
  });

  test("generations of authorities and of the service account, where they stand", () => {
    expect(
      problems({
        authorities: { etcd: { generations: { g1: Generation.trusted() } } },
        serviceAccount: { generations: { g1: Generation.active(), g2: Generation.active() } },
      }),
    ).toMatchObject([
      { code: "generations-active", at: "authorities.etcd.generations", given: '"no active generation"' },
      { code: "generations-active", at: "serviceAccount.generations", given: '"active generations g1, g2"' },
    ]);
  });

  test("choices for all leaves, once and where they stand", () => {
    expect(
      problems({ validity: Validity.hours(24, { earlyRenewalHours: 24 }), keyAlgorithm: KeyAlgorithm.of("Ed25519") }),
    ).toMatchObject([
      { code: "early-renewal", at: "validity.earlyRenewalHours" },
      { code: "key-algorithm", at: "keyAlgorithm" },
    ]);
    expect(problems({ validity: Validity.years(10) })).toMatchObject([
      { code: "leaf-outlives-authority", at: "validity" },
    ]);
  });

  test("choices for one certificate, where they stand", () => {
    const choice = {
      validity: Validity.years(20),
      keyAlgorithm: KeyAlgorithm.of("RSA-1024"),
      keyGeneration: "2",
      extraSans: ["10.0.0.0/8"],
    };
    expect(problems({ certificates: { apiserver: choice, kubelet: { issuer: "g2" } } })).toMatchObject([
      { code: "key-algorithm", at: "certificates.apiserver.keyAlgorithm" },
      { code: "key-generation", at: "certificates.apiserver.keyGeneration" },
      { code: "leaf-outlives-authority", at: "certificates.apiserver.validity" },
      { code: "host-cidr", at: "certificates.apiserver.extraSans[0]" },
      { code: "issuer", at: "certificates.kubelet.issuer", allowed: "g1" },
    ]);
  });

  test("a leaf's usual validity under an authority that is shorter", () => {
    const generations = { g1: Generation.active({ validity: Validity.days(365) }) };
    expect(problems({ authorities: { "front-proxy": { generations } } })).toMatchObject([
      { code: "leaf-outlives-authority", at: "validity", given: '"8760 hours"' },
    ]);
  });
});

describe("a user's own element under one of the names", () => {
  test("is found by validation", () => {
    const { stack } = pkiOf();
    new PrivateKey(stack, "pki__ca__kubernetes__g1", { algorithm: "RSA" });
    expect(validationsOf(stack)).toEqual([
      '[address-taken] prod-pki/pki__ca__kubernetes__g1: given "tls_private_key.pki__ca__kubernetes__g1"; ' +
        "allowed: a name that prod-pki/pki/ca/kubernetes/g1-key does not have; fix: rename it",
    ]);
  });
});

describe("system:masters", () => {
  const inMasters = (stack: TerraformStack, pki: ClusterPki) =>
    new Certificate(stack, "me", {
      authority: pki.authority("kubernetes"),
      subject: new Subject({ commonName: "me", organization: "system:masters" }),
      usage: KeyUsage.CLIENT,
    });

  const PROBLEM =
    '[system-masters] prod-pki/me: given "system:masters"; allowed: a group that RBAC can limit; ' +
    "fix: use a group of your own and bind it, or the distribution's break-glass identity";

  test("is for the break-glass identity", () => {
    expect(validationsOf(pkiOf().stack)).toEqual([]);
  });

  test("is for no certificate of a user's own", () => {
    const { stack, pki } = pkiOf();
    inMasters(stack, pki);
    expect(validationsOf(stack)).toEqual([PROBLEM]);
    expect(() => terraformOf(stack)).toThrow(PROBLEM);
  });

  test("is for the break-glass identity of each cluster of a stack", () => {
    const { stack, pki } = pkiOf();
    new ClusterPki(stack, "other", { addressPrefix: "other", distribution: Distribution.KUBEADM, cluster: ONE });
    expect(validationsOf(stack)).toEqual([]);
    inMasters(stack, pki);
    expect(validationsOf(stack)).toEqual([PROBLEM]);
  });
});

test("refuses to be moved from where it is", () => {
  expect(problemsOf(() => pkiOf({}, { movedFrom: "pki" }))).toEqual([
    {
      code: "moved-from",
      at: "movedFrom",
      given: '"pki"',
      allowed: "another prefix than addressPrefix",
      fix: "leave it out",
    },
  ]);
});
