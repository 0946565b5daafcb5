import { TerraformVariable, Token } from "cdktf";
import { AltName, Cluster, Distribution, Machine, Problem } from "../../../lib";
import { ONE, pkiOf } from "../../support/cluster";
import { errorOf, newStack, problemsOf, terraformOf } from "../../support/synth";

const problems = (cluster: Partial<Cluster>) => problemsOf(() => pkiOf(cluster));
const accepted = (cluster: Partial<Cluster>) => expect(() => terraformOf(pkiOf(cluster).stack)).not.toThrow();
const controlPlane = (name: string, ...addresses: string[]): Machine => ({ name, addresses });
const token = (name = "value") => new TerraformVariable(newStack(), name, { type: "string" }).stringValue;

function refuses(cluster: Partial<Cluster>, ...expected: readonly Problem[]): void {
  expect(problems(cluster)).toEqual(expected);
}

const problem = (code: string, at: string, given: string, allowed: string, fix: string): Problem => ({
  code,
  at,
  given,
  allowed,
  fix,
});

describe("everything that is wrong is said at once", () => {
  test("in one error that reads like this", () => {
    const act = () =>
      pkiOf({
        endpoint: ":6443",
        serviceCidrs: ["10.96.0.0/30"],
        controlPlanes: [
          controlPlane("CP-1", "192.168.214.1/24"),
          controlPlane("cp-2"),
          controlPlane("cp-2", "10.0.0.2"),
        ],
        extraSans: ["https://api.example.com:6443/"],
      });
    expect(errorOf(act).message).toBe(
      [
        "7 problems at prod-pki/pki",
        '  [endpoint-host] cluster.endpoint: given ":6443"; allowed: host:port, where host is a DNS name or an IP address; ' +
          "fix: put a host before the port",
        '  [no-address] cluster.controlPlanes[1].addresses: given "none"; allowed: at least one IP address; ' +
          "fix: add the address it is reached at",
        '  [machine-name] cluster.controlPlanes[0].name: given "CP-1"; allowed: the node\'s name: an RFC 1123 subdomain in ' +
          'lower case; fix: did you mean "cp-1"?',
        '  [host-cidr] cluster.controlPlanes[0].addresses[0]: given "192.168.214.1/24"; allowed: an IP address; ' +
          'fix: it is a CIDR; did you mean "192.168.214.1"?',
        '  [machine-name-twice] cluster.controlPlanes[2].name: given "cp-2"; allowed: one that ' +
          "cluster.controlPlanes[1].name does not have; fix: no two machines share one",
        '  [host-url] cluster.extraSans[0]: given "https://api.example.com:6443/"; allowed: a DNS name or an IP address; ' +
          'fix: it is a URL; did you mean "api.example.com"?',
        '  [service-cidr-size] cluster.serviceCidrs[0]: given "10.96.0.0/30"; allowed: at least 10 addresses (/28 or larger); ' +
          "fix: the API server takes its first address, DNS its tenth",
      ].join("\n"),
    );
  });

  test("and nothing was made by then", () => {
    const stack = newStack();
    problemsOf(() => pkiOf({ serviceCidrs: [] }, {}, stack));
    expect(terraformOf(stack)).not.toHaveProperty("resource");
  });
});

describe("the cluster's name", () => {
  const allowed = "an RFC 1123 label in lower case, at most 63 bytes";

  test.each([
    ["Prod", 'did you mean "prod"?'],
    ["prod.eu", "use letters, digits and '-'"],
    ["prod_eu", 'did you mean "prod-eu"?'],
    ["-", "use letters, digits and '-'"],
    ["a".repeat(64), "use letters, digits and '-'"],
    ["https://prod", 'it is a URL; did you mean "prod"?'],
    ["prod:6443", 'it has a port; did you mean "prod"?'],
  ])("is refused: %j", (name, fix) => {
    refuses({ name }, problem("cluster-name", "cluster.name", JSON.stringify(name), allowed, fix));
  });

  test("has up to 63 bytes", () => accepted({ name: "a".repeat(63) }));
});

describe("the endpoint", () => {
  const at = "cluster.endpoint";
  const allowed = "host:port, where host is a DNS name or an IP address";

  test.each([":6443", "", "[]:6443"])("without a host is refused: %j", (endpoint) => {
    refuses(
      { endpoint },
      problem("endpoint-host", at, JSON.stringify(endpoint), allowed, "put a host before the port"),
    );
  });

  test.each([{ dns: "" }, { ip: "" }])("without a host whose kind is said is refused: %j", (endpoint) => {
    refuses({ endpoint }, problem("endpoint-host", at, '""', allowed, "put a host before the port"));
  });

  test("that is a wildcard is refused, since nobody could dial it", () => {
    const fix = "name one host: a wildcard belongs into cluster.extraSans";
    refuses({ endpoint: "*.example.com:6443" }, problem("endpoint-host", at, '"*.example.com"', allowed, fix));
  });

  test("that is a URL is refused", () => {
    const endpoint = "https://api.example.com:6443";
    const fix = 'it is a URL; did you mean "api.example.com:6443"?';
    refuses({ endpoint }, problem("host-url", at, JSON.stringify(endpoint), allowed, fix));
  });

  test("that is a CIDR is refused", () => {
    refuses(
      { endpoint: "10.0.0.1/24" },
      problem("host-cidr", at, '"10.0.0.1/24"', allowed, 'it is a CIDR; did you mean "10.0.0.1"?'),
    );
  });

  test("whose host is no name is refused", () => {
    const fix = "use letters, digits and '-' in labels of at most 63, separated by dots";
    refuses({ endpoint: "a_b:6443" }, problem("host-name", at, '"a_b"', allowed, fix));
  });

  test("whose kind is another than was said is refused", () => {
    refuses(
      { endpoint: { dns: "10.0.0.1" } },
      problem("endpoint-kind", at, '"10.0.0.1"', "a host that is dns", 'write { ip: "10.0.0.1" }'),
    );
    refuses(
      { endpoint: { ip: "api" } },
      problem("endpoint-kind", at, '"api"', "a host that is ip", 'write { dns: "api" }'),
    );
  });

  test("that is unresolved is refused when its kind is not said", () => {
    const fix = "write { dns: value, port } or { ip: value, port }";
    refuses(
      { endpoint: token() },
      problem("endpoint-kind", at, '"an unresolved value"', "a host whose kind is said", fix),
    );
  });

  test.each([
    ["api:0", "0"],
    ["api:65536", "65536"],
    [{ dns: "api", port: 1.5 }, "1.5"],
    [{ ip: "10.0.0.1", port: -1 }, "-1"],
  ])("with a port that is none is refused (%#)", (endpoint, given) => {
    refuses({ endpoint }, problem("port", at, given, "a port from 1 to 65535", "the API server's usual one is 6443"));
  });

  test("with an unresolved port is refused", () => {
    expect(problems({ endpoint: { dns: "api", port: Token.asNumber("${var.port}") } })).toMatchObject([
      { code: "unresolved", at: `${at}.port` },
    ]);
  });

  test("in a service CIDR is refused", () => {
    const fix = "use a service CIDR that no machine is in";
    refuses(
      { endpoint: "10.96.0.1:6443" },
      problem("service-cidr-overlap", at, '"10.96.0.1"', "an address outside the service CIDR 10.96.0.0/12", fix),
    );
  });
});

describe("the cluster domain", () => {
  const allowed = "an RFC 1123 subdomain in lower case, without a last dot";

  test.each([
    ["cluster.local.", 'did you mean "cluster.local"?'],
    ["Cluster.Local", 'did you mean "cluster.local"?'],
    ["", "use letters, digits and '-'"],
    ["cluster.1", "use letters, digits and '-'"],
    [`${"a.".repeat(120)}a`, "use letters, digits and '-'"],
  ])("is refused: %j", (clusterDomain, fix) => {
    refuses(
      { clusterDomain },
      problem("cluster-domain", "cluster.clusterDomain", JSON.stringify(clusterDomain), allowed, fix),
    );
  });

  test("is in the API server's names", () => {
    const { resource } = terraformOf(pkiOf({ clusterDomain: "k8s.example.org" }).stack);
    expect(resource.tls_cert_request["pki__cp-1__apiserver"].dns_names).toContain(
      "kubernetes.default.svc.k8s.example.org",
    );
  });
});

describe("machines", () => {
  const at = "cluster.controlPlanes[0].name";

  test("none is a control plane", () => {
    const given = problem(
      "no-control-plane",
      "cluster.controlPlanes",
      '"none"',
      "at least one control plane, for kubeadm",
      'add one: { name: "cp-1", addresses: ["10.0.0.11"] }',
    );
    refuses({ controlPlanes: [] }, given);
    refuses({ controlPlanes: undefined }, given);
  });

  test.each([
    ["CP-1", 'did you mean "cp-1"?'],
    ["cp_1", 'did you mean "cp-1"?'],
    ["cp-1.", 'did you mean "cp-1"?'],
    ["", "use letters, digits and '-'"],
    ["10.0.0.11", "use letters, digits and '-'"],
    ["cp-1:22", 'it has a port; did you mean "cp-1"?'],
    ["https://cp-1/", 'it is a URL; did you mean "cp-1"?'],
  ])("have names, %j is none", (name, fix) => {
    const allowed = "the node's name: an RFC 1123 subdomain in lower case";
    refuses(
      { controlPlanes: [controlPlane(name, "10.0.0.1")] },
      problem("machine-name", at, JSON.stringify(name), allowed, fix),
    );
  });

  test.each([
    ["1", 'did you mean "n1"?'],
    ["node.12", 'did you mean "node.n12"?'],
  ])("have names that no certificate takes for an address: %j", (name, fix) => {
    const allowed = "a name that does not end in a label of digits, which in a certificate would be an IPv4 address";
    refuses(
      { controlPlanes: [controlPlane(name, "10.0.0.1")] },
      problem("machine-name", at, JSON.stringify(name), allowed, fix),
    );
  });

  test("have names of at most 52 bytes", () => {
    accepted({ controlPlanes: [controlPlane("a".repeat(52), "10.0.0.1")] });
    const name = "a".repeat(53);
    const allowed = 'at most 52 bytes (it has 53), for "system:node:" and a name fit in 64';
    refuses(
      { controlPlanes: [controlPlane(name, "10.0.0.1")] },
      problem("machine-name-length", at, JSON.stringify(name), allowed, "use a shorter host name"),
    );
  });

  test("of 60 bytes are refused among workers, too", () => {
    expect(problems({ workers: [{ name: "w".repeat(60) }] })).toMatchObject([
      { code: "machine-name-length", at: "cluster.workers[0].name" },
    ]);
  });

  test.each([
    "worker",
    "operator",
    "requests",
    "cluster",
    "ca",
    "keys",
    "token",
    "binding",
    "role",
    "secret",
    "guards",
  ])("do not have the reserved name %s", (name) => {
    refuses(
      { workers: [{ name }] },
      problem(
        "machine-name-reserved",
        "cluster.workers[0].name",
        JSON.stringify(name),
        "a name other than worker, operator, requests, cluster, ca, keys, token, binding, role, secret, guards",
        `call it ${name}-1`,
      ),
    );
  });

  test("have names with dots, which an address has as underscores", () => {
    const { resource } = terraformOf(pkiOf({ controlPlanes: [controlPlane("cp-1.example.com", "10.0.0.1")] }).stack);
    expect(resource.tls_cert_request["pki__cp-1_example_com__apiserver"].dns_names).toContain("cp-1.example.com");
  });

  test("share no name, whatever they are", () => {
    refuses(
      { etcd: { topology: "members", members: [controlPlane("cp-1", "10.0.0.21")] }, workers: [{ name: "cp-1" }] },
      ...["cluster.etcd.members[0].name", "cluster.workers[0].name"].map((place) =>
        problem(
          "machine-name-twice",
          place,
          '"cp-1"',
          "one that cluster.controlPlanes[0].name does not have",
          "no two machines share one",
        ),
      ),
    );
  });

  test("share no address, however it is written", () => {
    const allowed = "one that cluster.controlPlanes[0].addresses[0] does not have";
    refuses(
      { controlPlanes: [controlPlane("a", "fd00::1"), controlPlane("b", "FD00:0::1")] },
      problem(
        "machine-address-twice",
        "cluster.controlPlanes[1].addresses[0]",
        '"fd00::1"',
        allowed,
        "no two machines share one",
      ),
    );
  });

  test("share no unresolved address", () => {
    const address = token();
    expect(problems({ controlPlanes: [controlPlane("a", address), controlPlane("b", address)] })).toMatchObject([
      { code: "machine-address-twice", given: '"the same unresolved value"' },
    ]);
  });

  test("have addresses that are addresses", () => {
    const allowed = "an IP address";
    refuses(
      { controlPlanes: [controlPlane("cp-1", "cp-1.example.com", "10.0.0.1:6443")] },
      problem(
        "host-ip",
        "cluster.controlPlanes[0].addresses[0]",
        '"cp-1.example.com"',
        allowed,
        "put names into cluster.extraSans",
      ),
      problem(
        "host-port",
        "cluster.controlPlanes[0].addresses[1]",
        '"10.0.0.1:6443"',
        allowed,
        'it has a port; did you mean "10.0.0.1"?',
      ),
    );
  });

  test("that serve have an address; workers need none", () => {
    const [allowed, fix] = ["at least one IP address", "add the address it is reached at"];
    refuses(
      {
        controlPlanes: [{ name: "cp-1" }],
        etcd: { topology: "members", members: [controlPlane("etcd-1")] },
        workers: [{ name: "node-1" }],
      },
      problem("no-address", "cluster.controlPlanes[0].addresses", '"none"', allowed, fix),
      problem("no-address", "cluster.etcd.members[0].addresses", '"none"', allowed, fix),
    );
  });

  test("bind to ports that are ports", () => {
    refuses(
      { controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.1"], bindPort: 70000 }] },
      problem(
        "port",
        "cluster.controlPlanes[0].bindPort",
        "70000",
        "a port from 1 to 65535",
        "the API server's usual one is 6443",
      ),
    );
  });

  test("of etcd are some", () => {
    refuses(
      { etcd: { topology: "members", members: [] } },
      problem(
        "no-etcd-member",
        "cluster.etcd.members",
        '"none"',
        "at least one member",
        "add one, or use the stacked topology",
      ),
    );
  });
});

describe("places of an etcd that others run", () => {
  const at = "cluster.etcd.endpoints";
  const external = (...endpoints: string[]): Partial<Cluster> => ({ etcd: { topology: "external", endpoints } });

  test("are named, for kubeadm to be told of them", () => {
    const allowed = "at least one, for kubeadm: its configuration names them";
    const missing = problem("no-etcd-endpoint", at, '"none"', allowed, 'add one: "https://etcd-1.example.com:2379"');
    refuses(external(), missing);
    refuses({ etcd: { topology: "external" } }, missing);
    expect(() => pkiOf({ etcd: { topology: "external" } }, { distribution: Distribution.SINGLE_CA })).not.toThrow();
  });

  test.each([
    "etcd.example.com:2379",
    "http://etcd.example.com:2379",
    "https://etcd.example.com",
    "https://etcd.example.com:0",
    "https://etcd.example.com:65536",
    "https://etcd.example.com:2379/",
    "https://etcd_1.example.com:2379",
    "https://10.0.0.0/8:2379",
    "https://fd00::1:2379",
    "https://etcd.example.com:2379,https://etcd-2.example.com:2379",
    "",
  ])("are URLs with a port: not %j", (endpoint) => {
    const allowed = "https://host:port, of each member's client port";
    const fix = "write it with its scheme and port, and nothing after that";
    const found = problem("etcd-endpoint", `${at}[1]`, JSON.stringify(endpoint), allowed, fix);
    refuses(external("https://etcd-1.example.com:2379", endpoint), found);
  });

  test("are not repeated where a password may be in them", () => {
    const { message } = errorOf(() => pkiOf(external("https://me:hunter2@etcd.example.com:2379")));
    expect(message).toContain(`[etcd-endpoint] ${at}[0]: given text with an @;`);
    expect(message).not.toContain("hunter2");
  });

  test.each(["https://etcd.example.com:2379", "https://10.0.0.1:12379", "https://[fd00::1]:2379"])(
    "may be %s",
    (endpoint) => accepted(external(endpoint)),
  );

  test("may be known to Terraform alone", () => accepted(external(token())));
});

describe("more names of a control plane's own API server", () => {
  const withSans = (...extraSans: AltName[]) => ({
    controlPlanes: [{ ...controlPlane("cp-1", "10.0.0.1"), extraSans }, controlPlane("cp-2", "10.0.0.2")],
  });

  test("are in its certificate alone", () => {
    const { resource } = terraformOf(pkiOf(withSans("cp-1.example.com")).stack);
    expect(resource.tls_cert_request["pki__cp-1__apiserver"].dns_names).toContain("cp-1.example.com");
    expect(resource.tls_cert_request["pki__cp-2__apiserver"].dns_names).not.toContain("cp-1.example.com");
  });

  test("are names", () => {
    const at = "cluster.controlPlanes[0].extraSans[1]";
    const fix = 'it is a CIDR; did you mean "10.0.0.9"?';
    refuses(withSans("ok", "10.0.0.9/8"), problem("host-cidr", at, '"10.0.0.9/8"', "a DNS name or an IP address", fix));
  });
});

describe("service CIDRs", () => {
  const at = "cluster.serviceCidrs";

  test.each([
    [[], "0 CIDRs"],
    [["10.96.0.0/12", "fd00:1::/112", "fd00:2::/112"], "3 CIDRs"],
  ])("are one or two: %j", (serviceCidrs, given) => {
    expect(problems({ serviceCidrs })[0]).toEqual(
      problem(
        "service-cidr-count",
        at,
        JSON.stringify(given),
        "one, or one of each IP family",
        'kubeadm\'s default is ["10.96.0.0/12"]',
      ),
    );
  });

  test.each([
    "10.96.0.0",
    "10.96.0.0/33",
    "10.96.0.0/-1",
    "10.96.0.0/",
    "/12",
    "fd00::/129",
    "svc/12",
    "010.96.0.0/12",
    "10.96.0.0/12/12",
    "::ffff:10.96.0.0/12",
  ])("are CIDRs, %j is none", (cidr) => {
    refuses(
      { serviceCidrs: [cidr] },
      problem("service-cidr", `${at}[0]`, JSON.stringify(cidr), "an IPv4 or IPv6 CIDR", 'write it as "10.96.0.0/12"'),
    );
  });

  test.each([
    ["10.96.0.1/12", "10.96.0.0/12"],
    ["10.100.0.0/12", "10.96.0.0/12"],
    ["fd00::1/112", "fd00::/112"],
  ])("start at their own first address: %s", (cidr, meant) => {
    const allowed = "the CIDR's own first address";
    refuses(
      { serviceCidrs: [cidr] },
      problem("service-cidr-host-bits", `${at}[0]`, JSON.stringify(cidr), allowed, `did you mean "${meant}"?`),
    );
  });

  test.each([
    ["10.96.0.0/29", "/28"],
    ["fd00::/125", "/124"],
  ])("hold ten addresses at least, %s does not", (cidr, enough) => {
    refuses(
      { serviceCidrs: [cidr] },
      problem(
        "service-cidr-size",
        `${at}[0]`,
        JSON.stringify(cidr),
        `at least 10 addresses (${enough} or larger)`,
        "the API server takes its first address, DNS its tenth",
      ),
    );
  });

  test.each(["10.96.0.0/28", "fd00::/124"])("may be as small as %s", (cidr) => accepted({ serviceCidrs: [cidr] }));

  test("are of different families when there are two", () => {
    const fix = "give one IPv4 and one IPv6 CIDR";
    const allowed = "two CIDRs of different IP families";
    refuses(
      { serviceCidrs: ["10.96.0.0/12", "10.112.0.0/12"] },
      problem("service-cidr-family", at, '"10.96.0.0/12, 10.112.0.0/12"', allowed, fix),
    );
  });

  test("hold no address of a machine", () => {
    const fix = "use a service CIDR that no machine is in";
    refuses(
      {
        serviceCidrs: ["10.0.0.0/16", "fd00::/112"],
        controlPlanes: [controlPlane("cp-1", "192.168.0.1", "10.0.0.11")],
        workers: [controlPlane("node-1", "fd00::21")],
      },
      problem(
        "service-cidr-overlap",
        "cluster.controlPlanes[0].addresses[1]",
        '"10.0.0.11"',
        "an address outside the service CIDR 10.0.0.0/16",
        fix,
      ),
      problem(
        "service-cidr-overlap",
        "cluster.workers[0].addresses[0]",
        '"fd00::21"',
        "an address outside the service CIDR fd00::/112",
        fix,
      ),
    );
  });

  test("give the API server their first addresses, of each family", () => {
    const { resource } = terraformOf(pkiOf({ serviceCidrs: ["fd00:10:96::/112", "10.96.0.0/12"] }).stack);
    expect(resource.tls_cert_request["pki__cp-1__apiserver"].ip_addresses).toEqual([
      "10.0.0.11",
      "10.96.0.1",
      "fd00:10:96::1",
    ]);
  });
});

describe("unresolved values", () => {
  test("are refused where a name or arithmetic needs them, each at its place", () => {
    const [allowed, fix] = ["a value that is known at synth", "write it in the code"];
    const given = '"an unresolved value"';
    const found = problems({
      name: token("a"),
      clusterDomain: token("b"),
      serviceCidrs: [token("c"), "10.96.0.1/12"],
      controlPlanes: [controlPlane(token("d"), "10.0.0.1")],
    });
    expect(found).toEqual([
      problem("unresolved", "cluster.clusterDomain", given, allowed, fix),
      problem("unresolved", "cluster.serviceCidrs[0]", given, allowed, fix),
      problem("unresolved", "cluster.controlPlanes[0].name", given, allowed, fix),
      problem("unresolved", "cluster.name", given, allowed, fix),
      problem(
        "service-cidr-host-bits",
        "cluster.serviceCidrs[1]",
        '"10.96.0.1/12"',
        "the CIDR's own first address",
        'did you mean "10.96.0.0/12"?',
      ),
    ]);
  });

  test("are taken for the endpoint's host, addresses and names whose kind is said", () => {
    const stack = newStack();
    const value = new TerraformVariable(stack, "value", { type: "string" }).stringValue;
    const cluster: Partial<Cluster> = {
      endpoint: { dns: value },
      controlPlanes: [controlPlane("cp-1", value)],
      extraSans: [{ dns: [value], ips: [value] }],
    };
    expect(() => terraformOf(pkiOf(cluster, {}, stack).stack)).not.toThrow();
  });

  test("are refused among names whose kind is not said", () => {
    expect(problems({ extraSans: [token()] })).toMatchObject([{ code: "alt-name-kind", at: "cluster.extraSans[0]" }]);
  });
});

test("the first example is accepted as it stands", () => accepted(ONE));
