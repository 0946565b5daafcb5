import { AnnotationMetadataEntryType, TerraformVariable, Token } from "cdktf";
import {
  AltName,
  Certificate,
  CertificateAuthority,
  Cluster,
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  KeyAlgorithm,
  KeyUsage,
  Subject,
  Validity,
} from "../../../lib";
import { EXTERNAL, MEMBERS, ONE, pkiOf, THREE } from "../../support/cluster";
import { errorOf, newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";

const problems = (cluster: Partial<Cluster>, props: Partial<ClusterPkiProps> = {}) =>
  problemsOf(() => pkiOf(cluster, props));
const accepted = (cluster: Partial<Cluster>, props: Partial<ClusterPkiProps> = {}) =>
  expect(() => terraformOf(pkiOf(cluster, props).stack)).not.toThrow();
const variable = (name = "value") => new TerraformVariable(newStack(), name, { type: "any" });
const warnings = ({ node }: ClusterPki) =>
  node.metadata
    .filter(({ type }) => type === (AnnotationMetadataEntryType.WARN as string))
    .map(({ data }) => data as string)
    .filter((text) => text.startsWith("[without-effect]"));

describe("a subject for a whole cluster", () => {
  const given = (subject: object) => problems({}, { subject: subject as ClusterPkiProps["subject"] });

  test("has four fields, and neither CN nor O, which say who somebody is", () => {
    expect(given({ country: "DE", commonName: "me", organization: "system:masters" })).toEqual(
      ["commonName", "organization"].map((field) => ({
        code: "subject-field",
        at: `subject.${field}`,
        given: JSON.stringify(field),
        allowed: "organizationalUnit, country, province, locality",
        fix: "leave it out: CN and O say who somebody is, and are the distribution's; a certificate of your own has its own subject",
      })),
    );
  });

  test("is no unresolved object, whose fields nobody sees", () => {
    expect(given(variable().value as unknown as object)).toMatchObject([{ code: "unresolved-kind", at: "subject" }]);
    expect(given({ country: variable().value })).toMatchObject([{ code: "unresolved-kind", at: "subject.country" }]);
  });

  test("never changes CN and O, whatever stands in it by then", () => {
    const subject: Record<string, string> = { country: "DE" };
    const { pki, stack } = pkiOf({}, { subject });
    subject.commonName = "me";
    const { resource } = terraformOf(stack);
    expect(resource.tls_cert_request["pki__cp-1__apiserver"].subject).toEqual([
      { common_name: "kube-apiserver", country: "DE" },
    ]);
    expect(pki.authority("kubernetes")).toBeDefined();
  });

  test("may be filled in by Terraform, which checks it by the same rules", () => {
    const { stack } = pkiOf({}, { subject: { locality: variable("place").stringValue } });
    const { resource } = terraformOf(stack);
    for (const made of [
      resource.tls_self_signed_cert.pki__ca__kubernetes__g1,
      resource.tls_cert_request["pki__cp-1__admin"],
    ]) {
      expect(made.lifecycle.precondition).toMatchObject([
        { error_message: expect.stringContaining("[subject] subject.locality") },
        { error_message: expect.stringContaining("[subject] subject.locality") },
      ]);
    }
  });
});

describe("choices for what the distribution issues", () => {
  test.each([Distribution.K3S, Distribution.RKE2, Distribution.K0S])("are refused (%#)", (distribution) => {
    const props = {
      distribution,
      validity: Validity.days(90),
      keyAlgorithm: KeyAlgorithm.RSA_2048,
      certificates: { apiserver: { extraSans: ["a.example.com"] }, scheduler: {} },
    };
    expect(problems({ controlPlanes: [{ ...ONE.controlPlanes![0]!, bindPort: 7443 }] }, props)).toMatchObject([
      { code: "without-effect", at: "validity" },
      { code: "without-effect", at: "keyAlgorithm" },
      { code: "without-effect", at: "certificates.apiserver" },
    ]);
    accepted({}, { ...props, issueLeaves: true });
  });

  test("are refused where kubeadm is let issue them", () => {
    expect(problems({}, { issueLeaves: false, validity: Validity.days(90) })).toEqual([
      {
        code: "without-effect",
        at: "validity",
        given: "a choice that changes nothing",
        allowed: "choices for what Terraform issues: kubeadm issues every certificate that is no authority itself",
        fix: "leave it out and choose it in the distribution's own configuration, or set issueLeaves: true where you run the components by hand",
      },
    ]);
  });

  test("are refused where no certificate has such names", () => {
    const capi = { distribution: Distribution.CLUSTER_API };
    expect(problems({ extraSans: ["a.example.com"] }, capi)).toMatchObject([
      { code: "without-effect", at: "cluster.extraSans" },
    ]);
  });

  test("of names and ports go into the configuration of a kubeadm that issues its own", () => {
    const controlPlanes = [{ ...ONE.controlPlanes![0]!, bindPort: 7443 }];
    const { pki } = pkiOf({ extraSans: ["b.example.com", "10.0.0.9"], controlPlanes }, { issueLeaves: false });
    expect(warnings(pki)).toEqual([]);
    const { content } = pki.files("cp-1").find(({ path }) => path.endsWith("/cluster-configuration.yaml"))!;
    expect(content).toContain('certSANs: ["b.example.com", "10.0.0.9"]\n');
    expect(content).toContain("bindPort: 7443\n");
  });

  test("of names that Terraform knows stand in that configuration in one order, each once", () => {
    const codeOf = (...names: readonly string[]) => {
      const stack = newStack();
      const variables = new Map(
        ["b", "a"].map((name) => [name, new TerraformVariable(stack, name, { type: "string" })]),
      );
      // Every reading of a variable is another token.
      const extraSans = names.map((name) => ({ dns: [variables.get(name)!.stringValue] }));
      new ClusterPki(stack, "pki", {
        distribution: Distribution.KUBEADM,
        cluster: { ...ONE, extraSans },
        issueLeaves: false,
      });
      return JSON.stringify(terraformOf(stack));
    };
    const code = codeOf("a", "b");
    expect(code).toMatch(/certSANs: \[[^\]]*var\.a\b[^\]]*var\.b\b/);
    expect(codeOf("b", "a", "b")).toBe(code);
  });

  test("of where etcd is come with a warning where no file says it", () => {
    expect(warnings(pkiOf(EXTERNAL).pki)).toEqual([]);
    expect(warnings(pkiOf(EXTERNAL, { distribution: Distribution.SINGLE_CA }).pki)).toEqual([
      "[without-effect] cluster.etcd.endpoints: no file from here tells single-ca of them; say the same in its own configuration, or leave them out",
    ]);
  });

  test("that the inventory alone shows come with a warning", () => {
    const untold = { ...Distribution.K3S.table, configuration: [] };
    const cluster = { ...THREE, extraSans: ["a.example.com"] };
    const k3s = { distribution: new Distribution(untold) };
    expect(warnings(pkiOf(cluster, k3s).pki)).toEqual([
      "[without-effect] cluster.extraSans: k3s issues the certificates that it is about itself; say the same in its own configuration, or leave it out",
      "[without-effect] cluster.workers: Terraform issues nothing for these machines, and they have no files of their own; leave them out, or keep them for the inventory",
    ]);
    expect(warnings(pkiOf(cluster, { ...k3s, issueLeaves: true }).pki)).toEqual([]);
    expect(warnings(pkiOf(cluster, { distribution: Distribution.K3S }).pki)).toEqual([]);
    expect(warnings(pkiOf(cluster).pki)).toEqual([]);
    expect(warnings(pkiOf(MEMBERS).pki)).toEqual([]);
  });
});

describe("service CIDRs", () => {
  // What kubeadm 1.36.3 says: "specified service subnet is too large; for 32-bit addresses, the mask must be >= 12", 108 of 128.
  test.each([
    ["10.0.0.0/11", "/12", "10.0.0.0/12"],
    ["fd00::/107", "/108", "fd00::/108"],
    ["fd00::/64", "/108", "fd00::/108"],
  ])("%s is larger than kubeadm takes", (cidr, least, fix) => {
    for (const distribution of [Distribution.KUBEADM, Distribution.CLUSTER_API]) {
      const controlPlanes = [{ name: "cp-1", addresses: ["192.0.2.1"] }];
      expect(problems({ controlPlanes, serviceCidrs: [cidr] }, { distribution })).toEqual([
        {
          code: "service-cidr-size",
          at: "cluster.serviceCidrs[0]",
          given: JSON.stringify(cidr),
          allowed: `at most 2^20 addresses (${least} or smaller)`,
          fix: `write ${fix}: a larger one is refused when the cluster is made`,
        },
      ]);
    }
  });

  test.each(["10.96.0.0/12", "fd00::/108"])("%s is taken", (cidr) => accepted({ serviceCidrs: [cidr] }));
});

describe("hosts at which nobody would be reached", () => {
  test.each([
    ["0.0.0.0", "the unspecified address"],
    ["::", "the unspecified address"],
    ["127.0.0.1", "a loopback address"],
    ["::1", "a loopback address"],
    ["::ffff:127.0.0.1", "a loopback address"],
    ["224.0.0.1", "a multicast address"],
    ["ff02::1", "a multicast address"],
    ["169.254.1.1", "a link-local address"],
    ["fe80::1", "a link-local address"],
    ["255.255.255.255", "the broadcast address"],
  ])("%s is no machine's and no endpoint's", (address, words) => {
    const found = problems({ controlPlanes: [{ name: "cp-1", addresses: [address] }] });
    expect(found).toMatchObject([{ code: "address-range", at: "cluster.controlPlanes[0].addresses[0]" }]);
    expect(found[0]!.given).toContain(words);
    expect(problems({ endpoint: { ip: address } })).toMatchObject([{ code: "address-range", at: "cluster.endpoint" }]);
  });

  test("localhost is no endpoint of several machines", () => {
    expect(problems({ endpoint: "localhost:6443" })).toMatchObject([{ code: "address-range", at: "cluster.endpoint" }]);
  });

  test("a cluster of one machine may be on loopback as a whole", () => {
    accepted({ endpoint: "localhost:6443", controlPlanes: [{ name: "cp-1", addresses: ["127.0.0.1"] }] });
  });
});

describe("an endpoint", () => {
  test("that could be an address, or an address and a port, is refused", () => {
    expect(problems({ endpoint: "2001:db8::1:6443" })).toEqual([
      {
        code: "endpoint-ambiguous",
        at: "cluster.endpoint",
        given: '"2001:db8::1:6443"',
        allowed: "an IPv6 address in brackets where a port follows",
        fix: 'write "[2001:db8::1]:6443", or { ip: "2001:db8::1:6443" } for the address',
      },
    ]);
    accepted({ endpoint: "[2001:db8::1]:6443" });
    accepted({ endpoint: { ip: "2001:db8::1:6443" } });
    accepted({ endpoint: "2001:db8::1" });
    accepted({ endpoint: "2001:db8:0:0:0:0:0:6443" });
  });

  test.each([
    ["https://api.example.com:443", 'it is a URL; did you mean "api.example.com:443"?'],
    ["https://api.example.com", 'it is a URL; did you mean "api.example.com:443"?'],
    ["https://[fd00::1]:6443/path", 'it is a URL; did you mean "[fd00::1]:6443"?'],
    ["tcp://10.0.0.1", 'it is a URL; did you mean "10.0.0.1:6443"?'],
    [{ dns: "https://api.example.com:8443" }, 'it is a URL; did you mean { dns: "api.example.com", port: 8443 }?'],
    [{ dns: "api.example.com:443" }, 'it has a port; did you mean { dns: "api.example.com", port: 443 }?'],
  ])("whose port was said keeps it in the advice (%#)", (endpoint, fix) => {
    expect(problems({ endpoint })).toMatchObject([{ at: "cluster.endpoint", fix }]);
  });

  test.each([
    "a".repeat(30_000),
    "a.".repeat(15_000),
    ".".repeat(30_000),
    "-".repeat(30_000) + "a",
    "1".repeat(30_000) + "a",
    "::".repeat(15_000),
    "https://" + "a:".repeat(15_000),
  ])("of 30 000 characters takes no time, and is not printed (%#)", (endpoint) => {
    const start = performance.now();
    const { message } = errorOf(() => pkiOf({ endpoint, name: endpoint, clusterDomain: endpoint }));
    expect(performance.now() - start).toBeLessThan(500);
    expect(message.length).toBeLessThan(5_000);
  });
});

describe("what cdktf lets stand where text is wanted", () => {
  const any = variable();
  const values: [string, unknown][] = [
    ["a resolvable", any.value],
    ["a number", any.numberValue],
    ["a list", any.listValue],
  ];

  test.each(values)("%s as an address is refused, with the way to write it", (_, value) => {
    const addresses = (Array.isArray(value) ? value : [value]) as string[];
    const { message } = errorOf(() => pkiOf({ controlPlanes: [{ name: "cp-1", addresses }] }));
    expect(message).toContain("[unresolved-kind] cluster.controlPlanes[0].addresses");
    expect(message).toContain("Token.asString(");
    expect(message).not.toContain("TfToken");
    accepted({ controlPlanes: [{ name: "cp-1", addresses: [Token.asString(any.value)] }] });
  });

  test.each(values)("%s as the endpoint, or its host, is refused, with the way to write it", (_, value) => {
    for (const endpoint of [value, { dns: value }, { ip: value, port: 6443 }] as Cluster["endpoint"][]) {
      const { message } = errorOf(() => pkiOf({ endpoint }));
      expect(message).toContain("[unresolved-kind] cluster.endpoint");
      expect(message).toContain("Token.asString(");
      expect(message).not.toContain("TfToken");
    }
    accepted({ endpoint: { ip: Token.asString(any.value) } });
  });

  test.each(values)("%s among more names is refused, wherever these stand", (_, value) => {
    const extraSans = [value] as string[];
    const { message } = errorOf(() =>
      pkiOf(
        { extraSans, controlPlanes: [{ ...ONE.controlPlanes![0]!, extraSans: [{ dns: extraSans }] }] },
        { certificates: { "etcd-server": { extraSans: [{ ips: extraSans }] } } },
      ),
    );
    for (const at of [
      "cluster.extraSans",
      "cluster.controlPlanes[0].extraSans[0].dns",
      "certificates.etcd-server.extraSans[0].ips",
    ]) {
      expect(message).toContain(`[unresolved-kind] ${at}`);
    }
    expect(message).not.toContain("TfToken");
  });

  test.each(values)("%s among the names of one certificate alone is refused", (_, value) => {
    const extraSans = [value, { dns: [value] }, { ips: value }] as AltName[];
    const { message } = errorOf(() => pkiOf({}, { certificates: { apiserver: { extraSans } } }));
    for (const at of ["[0]", "[1].dns", "[2].ips"]) {
      expect(message).toContain(`[unresolved-kind] certificates.apiserver.extraSans${at}`);
    }
    expect(message).not.toContain("TfToken");
    const whole = value as AltName[];
    expect(problems({ extraSans: whole, controlPlanes: [{ name: "cp-1", addresses: whole as string[] }] })).not.toEqual(
      [],
    );
    const certificate = () => {
      const stack = newStack();
      const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }) });
      const subject = new Subject({ commonName: "own" });
      return new Certificate(stack, "own", { authority, subject, usage: KeyUsage.SERVER, sans: whole });
    };
    expect(problemsOf(certificate)).toMatchObject([{ code: "unresolved-kind", at: "sans" }]);
  });

  test("a switch, a prefix or a list of networks is refused", () => {
    const value = any.value as unknown;
    const props = { issueLeaves: value, deletionProtection: value, addressPrefix: value, movedFrom: value };
    const { message } = errorOf(() =>
      pkiOf({ serviceCidrs: value as string[] }, props as unknown as Partial<ClusterPkiProps>),
    );
    for (const at of ["issueLeaves", "deletionProtection", "addressPrefix", "movedFrom"]) {
      expect(message).toContain(`[unresolved] ${at}`);
    }
    expect(message).toContain("[unresolved-kind] cluster.serviceCidrs");
    expect(message).not.toContain("TfToken");
  });

  test("a name with an unresolved part is told of without cdktf's text for it", () => {
    const name = `cp-${any.stringValue}`;
    const { message } = errorOf(() => pkiOf({ name, controlPlanes: [{ name, addresses: ["10.0.0.1"] }] }));
    expect(message).not.toContain("TfToken");
  });
});

test("one address has one spelling, in certificates, files and kubeconfigs", () => {
  const { pki, stack } = pkiOf({
    endpoint: { ip: "2001:DB8:0:0:0:0:0:0001" },
    controlPlanes: [{ name: "cp-1", addresses: ["::ffff:10.0.0.11", "FD00::000A"] }],
    extraSans: ["::FFFF:10.0.0.12", "10.0.0.12"],
  });
  const { resource, output } = terraformOf(stack);
  expect(resource.tls_cert_request["pki__cp-1__apiserver"].ip_addresses).toEqual([
    "10.0.0.11",
    "10.0.0.12",
    "10.96.0.1",
    "2001:db8::1",
    "fd00::a",
  ]);
  const files = JSON.stringify(output.pki_files.value);
  expect(files).toContain("https://10.0.0.11:6443");
  expect(files).toContain("https://[2001:db8::1]:6443");
  expect(files).not.toMatch(/ffff|FFFF|DB8|FD00/);
  expect(pki.machines).toEqual(["cp-1"]);
});

test("a machine whose address is a variable that is read twice is found", () => {
  const stack = newStack();
  const value = new TerraformVariable(stack, "ip", { type: "string" });
  const controlPlanes = ["cp-1", "cp-2"].map((name) => ({ name, addresses: [value.stringValue] }));
  expect(problemsOf(() => pkiOf({ controlPlanes }, {}, stack))).toMatchObject([
    { code: "machine-address-twice", given: '"the same unresolved value"' },
  ]);
});

describe("a name that is somebody else's", () => {
  const named = (name: string) => problems({ workers: [{ name }] });

  test.each([
    "api.prod.example.com",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
  ])("%s is no worker's and no etcd member's", (name) => {
    expect(named(name)).toMatchObject([{ code: "protected-name", at: "cluster.workers[0].name" }]);
    const etcd = { topology: "members", members: [{ name, addresses: ["10.0.0.21"] }] } as const;
    expect(problems({ etcd })).toMatchObject([{ code: "protected-name", at: "cluster.etcd.members[0].name" }]);
  });

  test("the API server's other names are no worker's, either, nor is its address", () => {
    expect(
      problems({
        endpoint: "10.0.0.100:6443",
        extraSans: ["vip.example.com"],
        workers: [{ name: "vip.example.com", addresses: ["::ffff:10.0.0.100"] }],
      }),
    ).toMatchObject([
      { code: "protected-name", at: "cluster.workers[0].name" },
      { code: "protected-name", at: "cluster.workers[0].addresses[0]" },
    ]);
  });

  test("a control plane may be the endpoint", () => {
    accepted({ endpoint: "cp-1:6443", controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.1"] }] });
    accepted({ endpoint: "10.0.0.1:6443", controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.1"] }] });
  });

  test("a machine is not called like a client that a component knows by name, where one authority signs both", () => {
    const single = { distribution: Distribution.SINGLE_CA };
    for (const name of ["etcd-client", "aggregator", "etcd-peer"]) {
      expect(problems({ workers: [{ name, addresses: ["10.0.0.21"] }] }, single)).toMatchObject([
        { code: "protected-name", at: "cluster.workers[0].name" },
      ]);
    }
    accepted({ workers: [{ name: "etcd-client" }] });
  });

  test("is not added to the certificate of another", () => {
    const added = (distribution: Distribution, name: string, ...extraSans: string[]) =>
      problems(
        { workers: [{ name: "node-1", addresses: ["10.0.0.21"] }] },
        { distribution, certificates: { [name]: { extraSans } } },
      );
    expect(
      added(Distribution.SINGLE_CA, "kubelet-server", "kubernetes.default.svc", "10.96.0.1", "etcd-client"),
    ).toMatchObject([
      { code: "protected-name", at: "certificates.kubelet-server.extraSans", given: '"etcd-client"' },
      { code: "protected-name", given: '"kubernetes.default.svc"' },
      { code: "protected-name", given: '"10.96.0.1"' },
    ]);
    expect(added(Distribution.KUBEADM, "front-proxy-client", "front-proxy-client", "x", "a_b")).toMatchObject([
      { code: "host-name" },
    ]);
    accepted({}, { certificates: { apiserver: { extraSans: ["api.prod.example.com", "10.96.0.1"] } } });
  });

  test("is found by Terraform where it is not known before", () => {
    const stack = newStack();
    const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
    const messages = (endpoint: Cluster["endpoint"], address: string) => {
      const { stack: made } = pkiOf({ endpoint, workers: [{ name: "node-1", addresses: [address] }] }, {}, newStack());
      const { precondition = [] } = terraformOf(made).output.pki_files as {
        precondition?: { error_message: string }[];
      };
      return precondition.map(({ error_message: text }) => text).filter((text) => text.includes("[protected-name]"));
    };
    expect(messages({ dns: host }, "10.0.0.21")).toEqual([expect.stringContaining("cluster.endpoint")]);
    expect(messages({ ip: host }, "10.0.0.21")).toEqual([expect.stringContaining("cluster.workers[0].addresses[0]")]);
    expect(messages("10.0.0.100:6443", host)).toEqual([expect.stringContaining("cluster.workers[0].addresses[0]")]);
    expect(messages("10.0.0.100:6443", "10.0.0.21")).toEqual([]);
  });

  describe("is refused in a user's certificate", () => {
    const own = (
      distribution: Distribution,
      authority: string,
      commonName: string,
      sans: readonly string[] = [],
      usage = KeyUsage.CLIENT,
    ) => {
      const { pki, stack } = pkiOf({}, { distribution });
      new Certificate(stack, "own", {
        authority: pki.authority(authority),
        subject: new Subject({ commonName }),
        usage,
        sans,
      });
      return validationsOf(stack);
    };

    test.each([
      ["aggregator", []],
      ["me", ["etcd-client"]],
      ["etcd-peer", []],
    ])("where a component checks it: CN=%s, SANs %j", (commonName, sans) => {
      expect(own(Distribution.SINGLE_CA, "kubernetes", commonName, sans)).toEqual([
        expect.stringContaining("[protected-name] prod-pki/own"),
      ]);
      // There it says nothing.
      expect(own(Distribution.KUBEADM, "kubernetes", commonName, sans)).toEqual([]);
    });

    test("of a front proxy", () => {
      expect(own(Distribution.KUBEADM, "front-proxy", "front-proxy-client")).toEqual([
        expect.stringContaining('given "front-proxy-client"'),
      ]);
      expect(own(Distribution.KUBEADM, "front-proxy", "metrics")).toEqual([]);
    });

    test("of the API server, from the authority that its clients trust", () => {
      const server = (name: string, authority = "kubernetes") =>
        own(Distribution.KUBEADM, authority, "me", [name], KeyUsage.SERVER);
      for (const name of ["api.prod.example.com", "kubernetes.default.svc", "10.96.0.1"]) {
        expect(server(name)).toEqual([expect.stringContaining("[protected-name]")]);
        expect(server(name, "etcd")).toEqual([]);
      }
      for (const name of ["metrics.kube-system.svc", "cp-1", "10.0.0.11", "localhost"]) {
        expect(server(name)).toEqual([]);
      }
    });

    test("where nobody can tell what it will be", () => {
      const { pki, stack } = pkiOf({}, { distribution: Distribution.SINGLE_CA });
      const commonName = new TerraformVariable(stack, "name", { type: "string" }).stringValue;
      const authority = pki.authority("kubernetes");
      new Certificate(stack, "own", { authority, subject: new Subject({ commonName }), usage: KeyUsage.CLIENT });
      expect(validationsOf(stack)).toEqual([expect.stringContaining('given "(known after apply)"')]);
    });
  });
});

describe("system:masters", () => {
  const own = (organization: string, stack = newStack()) => {
    const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }) });
    const subject = new Subject({ commonName: "me", organization });
    new Certificate(stack, "own", { authority, subject, usage: KeyUsage.CLIENT });
    return stack;
  };

  test("is refused under an authority that stands alone", () => {
    expect(validationsOf(own("system:masters"))).toEqual([expect.stringContaining("[system-masters] prod-pki/own")]);
    expect(validationsOf(own("developers"))).toEqual([]);
  });

  test.each([" system:masters", "system:masters ", "system:masters\t", "a\u0000b"])(
    "and %j, which is somebody's mistake or trick",
    (organization) => {
      const [problem, ...more] = problemsOf(() => own(organization));
      expect(more).toEqual([]);
      expect(["subject subject.organization", "plain-text fields.organization"]).toContain(
        `${problem!.code} ${problem!.at}`,
      );
    },
  );

  test("is found by Terraform where it fills the group in", () => {
    const stack = newStack();
    const organization = new TerraformVariable(stack, "group", { type: "string" }).stringValue;
    const { lifecycle } = terraformOf(own(organization, stack)).resource.tls_cert_request.own;
    expect(lifecycle.precondition.at(-1)).toEqual({
      condition: '${"${var.group}" != "system:masters"}',
      error_message: expect.stringContaining('[system-masters] subject.organization: given "${var.group}"'),
    });
  });
});

describe("a certificate", () => {
  const made = (usage: KeyUsage, sans: readonly string[] = []) => {
    const stack = newStack();
    const authority = new CertificateAuthority(stack, "ca", { subject: new Subject({ commonName: "ca" }) });
    return () => new Certificate(stack, "own", { authority, subject: new Subject({ commonName: "me" }), usage, sans });
  };

  test("is no authority", () => {
    expect(problemsOf(made(KeyUsage.AUTHORITY))).toMatchObject([
      { code: "leaf-usage", at: "usage", given: '"KeyUsage.AUTHORITY (CA)"' },
    ]);
  });

  test("of a server has a name", () => {
    expect(problemsOf(made(KeyUsage.SERVER))).toMatchObject([{ code: "server-names", at: "sans", given: '"none"' }]);
    expect(made(KeyUsage.SERVER, ["a.example.com"])).not.toThrow();
    expect(made(KeyUsage.CLIENT)).not.toThrow();
  });
});
