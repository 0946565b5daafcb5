import { AnnotationMetadataEntryType, TerraformVariable } from "cdktf";
import { parse } from "yaml";
import {
  Cluster,
  ClusterFile,
  ClusterPki,
  ClusterPkiProps,
  Distribution,
  evaluate,
  FileRow,
  Generation,
  Generations,
  PkiError,
  Validity,
} from "../../../../lib";
import {
  ETCD_CA_CERTIFICATE,
  OTHER_KEY,
  PATH_1_CERTIFICATE,
  SAME_NAME_CERTIFICATE,
} from "../../../support/authorities";
import { EXTERNAL, MEMBERS, pkiOf, terraformOfPki, THREE } from "../../../support/cluster";
import { CLUSTER_ADMINS } from "../../../support/cluster-admins";
import { resourcesOf } from "../../../support/graph";
import { CA_CERTIFICATE, CA_KEY } from "../../../support/pem";
import { newStack, problemsOf, terraformOf } from "../../../support/synth";
import { referencesIn } from "../../../../lib/kubernetes/content-readers";

// What k0s does is restated here from its sources at v1.36.3+k0s.2: cmd/controller/certificates.go, pkg/certificate/manager.go,
// pkg/component/controller/{apiserver,controllermanager,etcd}.go.

const K0S: Partial<ClusterPkiProps> = { distribution: Distribution.K0S };
const BY_HAND: Partial<ClusterPkiProps> = { ...K0S, issueLeaves: true };
const WORKED: Partial<Cluster> = { workers: [{ name: "node-1" }] };
const { table } = Distribution.K0S;

const line = ({ path, mode, owner, kind }: ClusterFile) => `${mode} ${owner} ${path}: ${kind}`;

const warningsOf = ({ node }: ClusterPki) =>
  node.metadata.filter(({ type }) => type === AnnotationMetadataEntryType.WARN).map(({ data }) => String(data));

const filesOf = (props: Partial<ClusterPkiProps>, holder: string, cluster: Partial<Cluster> = {}) =>
  pkiOf(cluster, props).pki.files(holder);

const PKI = "/var/lib/k0s/pki";

/** What k0s takes in place of its own, and the bundles beside it. */
const CUSTOM_CA = [
  "0644 root:root /etc/k0s/cluster-config.yaml: configuration",
  `0644 root:root ${PKI}/ca-bundle.crt: bundle`,
  `0644 root:root ${PKI}/ca.crt: signer`,
  `0640 kube-apiserver:root ${PKI}/ca.key: private key`,
  `0644 etcd:root ${PKI}/etcd/ca-bundle.crt: bundle`,
  `0644 etcd:root ${PKI}/etcd/ca.crt: signer`,
  `0640 etcd:root ${PKI}/etcd/ca.key: private key`,
  `0644 root:root ${PKI}/front-proxy-ca-bundle.crt: bundle`,
  `0644 root:root ${PKI}/front-proxy-ca.crt: signer`,
  `0640 root:root ${PKI}/front-proxy-ca.key: private key`,
  `0640 kube-apiserver:root ${PKI}/sa.key: private key`,
  `0644 root:root ${PKI}/sa.pub: public keys`,
];

describe("the custom-CA set", () => {
  test("is on each controller, and nobody else has any of it", () => {
    const { pki } = pkiOf(THREE, K0S);
    for (const machine of ["cp-1", "cp-2", "cp-3"]) {
      expect(pki.files(machine).map(line)).toEqual(CUSTOM_CA);
    }
    for (const holder of ["node-1", "worker", "operator"]) {
      expect(pki.files(holder)).toEqual([]);
    }
  });

  test("is all that Terraform makes: k0s issues its own certificates", () => {
    expect([...resourcesOf(terraformOfPki(THREE, K0S)).keys()].sort()).toEqual([
      "tls_private_key.pki__ca__etcd__g1",
      "tls_private_key.pki__ca__front-proxy__g1",
      "tls_private_key.pki__ca__kubernetes__g1",
      "tls_private_key.pki__keys__service-account__g1",
      "tls_self_signed_cert.pki__ca__etcd__g1",
      "tls_self_signed_cert.pki__ca__front-proxy__g1",
      "tls_self_signed_cert.pki__ca__kubernetes__g1",
    ]);
  });

  test("has nothing for an etcd that others run", () => {
    const paths = filesOf(K0S, "cp-1", EXTERNAL).map(({ path }) => path);
    expect(paths).toEqual(CUSTOM_CA.map((text) => text.split(/[ :]/)[3]).filter((path) => !path!.includes("/etcd/")));
  });

  test("has k0s' own names, by which k0s sees that it may renew what they signed", () => {
    const commonNames = Object.values(table.authorities).map(({ commonName }) => commonName);
    expect(commonNames).toEqual(["kubernetes-ca", "kubernetes-front-proxy-ca", "etcd-ca"]);
  });

  test.each(["kubernetes", "front-proxy", "etcd"])(
    "during a rotation of %s the file that signs has one certificate and its bundle two",
    (name) => {
      const generations = { g1: Generation.trusted(), g2: Generation.active() };
      const files = filesOf({ ...K0S, authorities: { [name]: { generations } } }, "cp-1");
      const base = { kubernetes: "ca", "front-proxy": "front-proxy-ca", etcd: "etcd/ca" }[name]!;
      const addressesIn = (file: string) =>
        referencesIn(files.find(({ path }) => path === `${PKI}/${file}`)!.content).map(({ address }) => address);
      const g1 = `tls_self_signed_cert.pki__ca__${name}__g1`;
      const g2 = `tls_self_signed_cert.pki__ca__${name}__g2`;
      expect(addressesIn(`${base}.crt`)).toEqual([g2]);
      expect(addressesIn(`${base}.key`)).toEqual([`tls_private_key.pki__ca__${name}__g2`]);
      expect(addressesIn(`${base}-bundle.crt`)).toEqual([g2, g1]);
    },
  );

  test("stands under another data directory when told so", () => {
    const distribution = Distribution.k0s({ dataDir: "/srv/k0s" });
    const moved = CUSTOM_CA.map((text) => text.replace("/var/lib/k0s", "/srv/k0s")).sort();
    expect(filesOf({ distribution }, "cp-1").map(line).sort()).toEqual(moved);
    expect(JSON.stringify(distribution.table)).not.toContain("/var/lib/k0s");
  });

  test("is told of an odd one as it is", () => {
    const dataDir = "/srv/k0s: #1";
    const distribution = Distribution.k0s({ dataDir });
    const file = filesOf({ distribution }, "cp-1").find(({ path }) => path === "/etc/k0s/cluster-config.yaml")!;
    expect(
      parse(
        evaluate(file.content, () => "")!,
        { version: "1.1" },
      ),
    ).toMatchObject({
      spec: { controllerManager: { extraArgs: { "root-ca-file": `${dataDir}/pki/ca-bundle.crt` } } },
    });
  });
});

describe("the configuration of a controller", () => {
  const textOf = (cluster: Partial<Cluster>, machine = "cp-1") => {
    const file = filesOf(K0S, machine, cluster).find(({ path }) => path === "/etc/k0s/cluster-config.yaml")!;
    return evaluate(file.content, () => "")!;
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look anywhere into it
  const specOf = (cluster: Partial<Cluster>, machine?: string): any =>
    (parse(textOf(cluster, machine), { version: "1.1" }) as { spec: object }).spec;

  /**
   * Fields and their types, at v1.36.3+k0s.2: k0s refuses one that it does not know.
   *
   * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/apis/k0s/v1beta1/clusterconfig_types.go
   * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/apis/k0s/v1beta1/api.go
   * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/apis/k0s/v1beta1/network.go
   * @see https://github.com/k0sproject/k0s/blob/v1.36.3%2Bk0s.2/pkg/apis/k0s/v1beta1/storage.go
   */
  const args = expect.objectContaining({}) as object;
  const FIELDS = {
    api: {
      address: "string",
      onlyBindToAddress: "boolean",
      externalAddress: "string",
      extraArgs: args,
      rawArgs: ["string"],
      k0sApiPort: "number",
      port: "number",
      sans: ["string"],
    },
    controllerManager: { extraArgs: args, rawArgs: ["string"] },
    network: {
      dualStack: { enabled: "boolean", IPv6podCIDR: "string", IPv6serviceCIDR: "string" },
      podCIDR: "string",
      provider: "string",
      serviceCIDR: "string",
      clusterDomain: "string",
      primaryAddressFamily: "string",
    },
    storage: {
      type: "string",
      etcd: {
        externalCluster: {
          endpoints: ["string"],
          etcdPrefix: "string",
          caFile: "string",
          clientCertFile: "string",
          clientKeyFile: "string",
        },
        peerAddress: "string",
        extraArgs: args,
        rawArgs: ["string"],
      },
    },
  };

  /** What k0s would not take, by its path. */
  function unknown(value: unknown, known: unknown, at: string): string[] {
    if (known === args) {
      return Object.entries(value as object).flatMap(([name, text]) =>
        typeof text === "string" ? [] : [`${at}.${name}`],
      );
    }
    if (typeof known === "string" || known === undefined) {
      return typeof value === known ? [] : [`${at}: ${typeof value}`];
    }
    if (Array.isArray(known)) {
      return Array.isArray(value) ? value.flatMap((item, i) => unknown(item, known[0], `${at}[${i}]`)) : [at];
    }
    const fields = known as Readonly<Record<string, unknown>>;
    return Object.entries(value as object).flatMap(([name, field]) => unknown(field, fields[name], `${at}.${name}`));
  }

  const DUAL: Partial<Cluster> = {
    serviceCidrs: ["fd00:10:96::/112", "10.96.0.0/16"],
    controlPlanes: [
      { name: "cp-1", addresses: ["10.0.0.11", "fd01::1"], bindPort: 7443, extraSans: ["cp-1.example.com"] },
    ],
    clusterDomain: "prod.local",
    extraSans: ["api.example.com", "192.0.2.1"],
  };

  test.each([
    ["one control plane", {}],
    ["two families", DUAL],
    ["an etcd that others run", EXTERNAL],
  ])("has fields of k0s' alone, of their types, with %s", (_, cluster) => {
    expect(unknown(specOf(cluster), FIELDS, "spec")).toEqual([]);
    expect(parse(textOf(cluster))).toMatchObject({ apiVersion: "k0s.k0sproject.io/v1beta1", kind: "ClusterConfig" });
  });

  test("says where the machine is, where clients find it, and by which names", () => {
    expect(specOf({}).api).toMatchObject({
      address: "10.0.0.11",
      port: 6443,
      k0sApiPort: 9443,
      externalAddress: "api.prod.example.com",
      sans: ["10.0.0.11"],
    });
    expect(specOf(DUAL).api).toMatchObject({
      address: "10.0.0.11",
      port: 7443,
      sans: ["api.example.com", "cp-1.example.com", "10.0.0.11", "192.0.2.1", "fd01::1"],
    });
    expect(specOf(THREE, "cp-2").api).toMatchObject({ address: "10.0.0.12", sans: ["10.0.0.12"] });
  });

  // With a port, k0s writes that into tokens of controllers, too, which join at another: getExternalURIForPort of api.go.
  test("names the endpoint's port where the machine's own is another, and not else", () => {
    const external = (cluster: Partial<Cluster>) => specOf(cluster).api.externalAddress as string;
    expect(external({ endpoint: "api.prod.example.com:443" })).toBe("api.prod.example.com:443");
    expect(external(DUAL)).toBe("api.prod.example.com:6443");
    expect(external({ endpoint: "[2001:db8::1]:6443" })).toBe("2001:db8::1");
    expect(external({ endpoint: "[2001:db8::1]:443" })).toBe("[2001:db8::1]:443");
  });

  test("says which networks services have: with two, that of IPv4 and the other, and which is first", () => {
    expect(specOf({}).network).toEqual({
      clusterDomain: "cluster.local",
      serviceCIDR: "10.96.0.0/12",
      dualStack: { enabled: false, IPv6serviceCIDR: "" },
      primaryAddressFamily: "IPv4",
    });
    expect(specOf(DUAL).network).toEqual({
      clusterDomain: "prod.local",
      serviceCIDR: "10.96.0.0/16",
      dualStack: { enabled: true, IPv6serviceCIDR: "fd00:10:96::/112" },
      primaryAddressFamily: "IPv6",
    });
    expect(specOf({ serviceCidrs: ["FD00::/112"] }).network).toMatchObject({
      serviceCIDR: "fd00::/112",
      dualStack: { enabled: false },
      primaryAddressFamily: "IPv6",
    });
  });

  test("gives etcd the address that is in its certificate", () => {
    expect(specOf(THREE, "cp-3").storage.etcd.peerAddress).toBe("10.0.0.13");
  });

  test("names another etcd's endpoints, and no file that there is none of", () => {
    expect(specOf(EXTERNAL).storage).toEqual({
      type: "etcd",
      etcd: { externalCluster: { endpoints: ["https://etcd.example.com:2379"] } },
    });
    expect(textOf(EXTERNAL)).not.toContain("/pki/etcd");
  });

  test("must be told where another etcd is, as k0s must", () => {
    const etcd = { topology: "external" } as const;
    expect(problemsOf(() => pkiOf({ etcd }, K0S))).toMatchObject([{ at: "cluster.etcd.endpoints" }]);
  });

  // APISpec.Validate of api.go asks govalidator's IsDNSName, in which no star stands.
  test("has no wildcard, with which k0s would not start", () => {
    const controlPlanes = [{ name: "cp-1", addresses: ["10.0.0.11"], extraSans: [{ dns: ["*.b.example.com"] }] }];
    expect(
      problemsOf(() => pkiOf({ extraSans: ["*.a.example.com", "a.example.com"], controlPlanes }, K0S)),
    ).toMatchObject([
      { code: "host-wildcard", at: "cluster.extraSans", given: '"*.a.example.com"' },
      { code: "host-wildcard", at: "cluster.controlPlanes[0].extraSans", given: '"*.b.example.com"' },
    ]);
    expect(() => pkiOf({ extraSans: ["*.a.example.com"] })).not.toThrow();
  });

  test("leaves nothing of the description to be said again", () => {
    expect(warningsOf(pkiOf({ ...DUAL, workers: [] }, K0S).pki)).toEqual([]);
    expect(warningsOf(pkiOf(EXTERNAL, K0S).pki)).toEqual([]);
  });

  test("holds what Terraform alone knows", () => {
    const stack = newStack();
    const value = (name: string) => new TerraformVariable(stack, name, {}).stringValue;
    const controlPlanes = [{ name: "cp-1", addresses: [value("address")] }];
    pkiOf({ endpoint: { dns: value("endpoint") }, controlPlanes, extraSans: [{ dns: [value("san")] }] }, K0S, stack);
    const text = JSON.stringify(terraformOf(stack).output["pki_files"]);
    expect(text).toMatch(/externalAddress: [^:]*var\.endpoint/);
    expect(text).toMatch(/sans: \[[^\]]*var\.san[^\]]*var\.address/);
    expect(text).toMatch(/peerAddress: [^:]*var\.address/);
  });
});

describe("an authority from outside", () => {
  const fromPem = (
    certificatePem: string,
    state: "active" | "trusted" | "retired" = "active",
    privateKeyPem = CA_KEY,
  ) => Generation.fromPem(state, { certificatePem, privateKeyPem: state === "active" ? privateKeyPem : undefined });
  const problems = (byName: Readonly<Record<string, Generations>>, stack = newStack()) => {
    const authorities = Object.fromEntries(
      Object.entries(byName).map(([name, generations]) => [name, { generations }]),
    );
    try {
      pkiOf({}, { ...K0S, authorities }, stack);
      return [];
    } catch (error) {
      return (error as PkiError).problems;
    }
  };

  // isManagedByK0s of pkg/certificate/manager.go: any other certificate stays as it is at every start, expired or not.
  test.each(["etcd", "front-proxy"])("of %s has a name by which k0s renews", (name) => {
    expect(problems({ [name]: { g1: fromPem(CA_CERTIFICATE) } })).toEqual([
      {
        code: "pem-common-name",
        at: `authorities.${name}.generations.g1.certificatePem`,
        given: '"CN=test-ca"',
        allowed:
          "an authority with the CN kubernetes-ca, kubernetes-front-proxy-ca, etcd-ca, or as kubernetes is, which k0s knows by that",
        fix: "have it made with such a CN, or let Terraform make it: what it signs would not be renewed",
      },
    ]);
    expect(problems({ [name]: { g1: fromPem(ETCD_CA_CERTIFICATE, "active", OTHER_KEY) } })).toEqual([]);
  });

  test("of Kubernetes has any name, and others may have the same", () => {
    const kubernetes = { g1: fromPem(CA_CERTIFICATE) };
    expect(problems({ kubernetes })).toEqual([]);
    expect(problems({ kubernetes, etcd: { g1: fromPem(SAME_NAME_CERTIFICATE, "active", OTHER_KEY) } })).toEqual([]);
    expect(problems({ kubernetes, etcd: { g1: fromPem(PATH_1_CERTIFICATE) } })).toContainEqual(
      expect.objectContaining({ code: "pem-common-name", given: '"CN=path-1"' }),
    );
  });

  test("which signed before counts, and which is retired does not", () => {
    const g2 = Generation.active();
    expect(problems({ etcd: { g1: fromPem(CA_CERTIFICATE, "trusted"), g2 } })).toMatchObject([
      { code: "pem-common-name", at: "authorities.etcd.generations.g1.certificatePem" },
    ]);
    expect(problems({ etcd: { g1: fromPem(CA_CERTIFICATE, "retired"), g2 } })).toEqual([]);
  });

  test("that Terraform alone knows is compared by Terraform", () => {
    const stack = newStack();
    const value = (name: string) => new TerraformVariable(stack, name, {}).stringValue;
    expect(problems({ etcd: { g1: fromPem(value("ca"), "active", value("key")) } }, stack)).toEqual([]);
    const [{ condition, error_message: message }] = terraformOf(stack).output["pki_files"].precondition;
    expect(condition).toContain(
      'contains(["kubernetes-ca", "kubernetes-front-proxy-ca", "etcd-ca", "kubernetes-ca"], ',
    );
    expect(condition).toContain("data.tls_certificate.pki__ca__etcd__g1.certificates[0].subject");
    expect(message).toContain("[pem-common-name]");
  });

  test("is no matter to other distributions", () => {
    const authorities = { etcd: { generations: { g1: fromPem(CA_CERTIFICATE) } } };
    expect(() => pkiOf({}, { authorities })).not.toThrow();
  });
});

/** Subject, usage and names of everything that k0s issues on a controller, by file under its pki folder. */
const LEAVES: Record<string, { readonly subject: string; readonly names: readonly string[] }> = {
  admin: { subject: "system:masters/kubernetes-admin", names: [] },
  "apiserver-etcd-client": {
    subject: "apiserver-etcd-client/apiserver-etcd-client",
    names: ["localhost", "127.0.0.1"],
  },
  "apiserver-kubelet-client": { subject: "system:masters/apiserver-kubelet-client", names: [] },
  ccm: { subject: "system:kube-controller-manager/system:kube-controller-manager", names: [] },
  "etcd/peer": { subject: "etcd-peer/10.0.0.11", names: ["10.0.0.11"] },
  "etcd/server": { subject: "etcd-server/etcd-server", names: ["localhost", "127.0.0.1"] },
  "front-proxy-client": { subject: "front-proxy-client/front-proxy-client", names: [] },
  "k0s-api": { subject: "kubernetes/k0s-api", names: apiServerNames() },
  konnectivity: { subject: "system:masters/kubernetes-konnectivity", names: [] },
  scheduler: { subject: "system:kube-scheduler/system:kube-scheduler", names: [] },
  server: { subject: "kubernetes/kubernetes", names: apiServerNames() },
};

function apiServerNames(): readonly string[] {
  return [
    "api.prod.example.com",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "10.0.0.11",
    "10.96.0.1",
    "127.0.0.1",
    "::1",
  ];
}

describe("the certificates that k0s issues, made for components that are run by hand", () => {
  const { pki } = pkiOf(WORKED, BY_HAND);
  const resources = resourcesOf(terraformOfPki(WORKED, BY_HAND));

  test("are k0s' own files, with its modes and owners", () => {
    const more = pki.files("cp-1").map(line);
    expect(more.filter((text) => !CUSTOM_CA.includes(text))).toEqual([
      `0600 root:root ${PKI}/admin.conf: kubeconfig`,
      `0644 root:root ${PKI}/admin.crt: certificate`,
      `0640 root:root ${PKI}/admin.key: private key`,
      `0644 kube-apiserver:root ${PKI}/apiserver-etcd-client.crt: certificate`,
      `0640 kube-apiserver:root ${PKI}/apiserver-etcd-client.key: private key`,
      `0644 kube-apiserver:root ${PKI}/apiserver-kubelet-client.crt: certificate`,
      `0640 kube-apiserver:root ${PKI}/apiserver-kubelet-client.key: private key`,
      `0600 kube-apiserver:root ${PKI}/ccm.conf: kubeconfig`,
      `0644 kube-apiserver:root ${PKI}/ccm.crt: certificate`,
      `0640 kube-apiserver:root ${PKI}/ccm.key: private key`,
      `0644 etcd:root ${PKI}/etcd/peer.crt: certificate`,
      `0640 etcd:root ${PKI}/etcd/peer.key: private key`,
      `0644 etcd:root ${PKI}/etcd/server.crt: certificate`,
      `0640 etcd:root ${PKI}/etcd/server.key: private key`,
      `0644 kube-apiserver:root ${PKI}/front-proxy-client.crt: certificate`,
      `0640 kube-apiserver:root ${PKI}/front-proxy-client.key: private key`,
      `0644 kube-apiserver:root ${PKI}/k0s-api.crt: certificate`,
      `0640 kube-apiserver:root ${PKI}/k0s-api.key: private key`,
      `0640 konnectivity-server:root ${PKI}/konnectivity.conf: kubeconfig`,
      `0644 konnectivity-server:root ${PKI}/konnectivity.crt: certificate`,
      `0640 konnectivity-server:root ${PKI}/konnectivity.key: private key`,
      `0600 kube-scheduler:root ${PKI}/scheduler.conf: kubeconfig`,
      `0644 kube-scheduler:root ${PKI}/scheduler.crt: certificate`,
      `0640 kube-scheduler:root ${PKI}/scheduler.key: private key`,
      `0644 kube-apiserver:root ${PKI}/server.crt: certificate`,
      `0640 kube-apiserver:root ${PKI}/server.key: private key`,
    ]);
  });

  test.each(Object.entries(LEAVES))("%s has k0s' subject, names and usages", (base, { subject, names }) => {
    const file = pki.files("cp-1").find(({ path }) => path === `${PKI}/${base}.crt`)!;
    const { address } = referencesIn(file.content)[0]!;
    const certificate = resources.get(address);
    const request = resources.get(address.replace("tls_locally_signed_cert", "tls_cert_request"));
    expect(`${request.subject[0].organization}/${request.subject[0].common_name}`).toBe(subject);
    expect([...(request.dns_names ?? []), ...(request.ip_addresses ?? [])]).toEqual(names);
    expect(certificate.allowed_uses).toEqual(["digital_signature", "server_auth", "client_auth"]);
    const authority = base.includes("etcd") ? "etcd" : base.startsWith("front-proxy") ? "front-proxy" : "kubernetes";
    expect(certificate.ca_cert_pem).toBe(`\${tls_self_signed_cert.pki__ca__${authority}__g1.cert_pem}`);
  });

  test("leave out the name with a dot at its end, which is none in a certificate", () => {
    const { dns_names: names } = resources.get("tls_cert_request.pki__cp-1__apiserver");
    expect(names.filter((name: string) => name.endsWith("."))).toEqual([]);
  });

  test("are two for the operator and a worker with a name: a way in, and a kubelet's identity", () => {
    expect(pki.files("operator").map(line)).toEqual(["0600 root:root /admin.conf: kubeconfig"]);
    expect(pki.files("node-1").map(line)).toEqual(["0600 root:root /var/lib/k0s/kubelet.conf: kubeconfig"]);
    expect(pki.certificate("kubelet", "node-1").subject.toString()).toBe("CN=system:node:node-1, O=system:nodes");
    expect(pki.certificate("kubelet", "node-1").usage.name).toBe("client");
    expect(pki.certificate("admin", "operator").subject.toString()).toBe("CN=kubernetes-admin, O=system:masters");
  });

  // kubeConfig of cmd/controller/certificates.go, and what cmd/kubeconfig/admin.go prints.
  test("have k0s' names in its kubeconfigs", () => {
    const files = ["cp-1", "operator"]
      .flatMap((holder) => pki.files(holder))
      .filter(({ kind }) => kind === "kubeconfig");
    expect(files.map(({ path }) => path.replace(`${PKI}/`, ""))).toEqual([
      "admin.conf",
      "ccm.conf",
      "konnectivity.conf",
      "scheduler.conf",
      "/admin.conf",
    ]);
    for (const { content } of files) {
      expect(parse(evaluate(content, () => "pem")!)).toMatchObject({
        "current-context": "Default",
        clusters: [{ name: "local" }],
        contexts: [{ name: "Default", context: { cluster: "local", user: "user" } }],
        users: [{ name: "user" }],
      });
    }
  });

  test("have a key of their own on each machine", () => {
    const { pki: several } = pkiOf(THREE, BY_HAND);
    const holders = [...several.machines, "operator"];
    const keys = holders.flatMap((holder) => [
      ...new Set(
        several
          .files(holder)
          .flatMap(({ content }) => referencesIn(content))
          .filter(({ attribute }) => attribute.startsWith("private_key"))
          .map(({ address }) => address)
          .filter((address) => !/__(ca|keys)__/.test(address)),
      ),
    ]);
    expect(keys).toHaveLength(3 * Object.keys(LEAVES).length + 2);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("warn at synth of each rule that k0s breaks", () => {
    const rules = warningsOf(pki).map((text) => text.split(":")[0]!);
    expect(rules.filter((text) => text.startsWith("[system-masters]"))).toEqual([
      "[system-masters] apiserver-kubelet-client",
      "[system-masters] konnectivity",
      "[system-masters] admin",
    ]);
    expect(rules.filter((text) => text.startsWith("[two-usages]"))).toHaveLength(9);
  });
});

test("the option clusterAdmin issues one certificate for the operator, and a manifest for k0s binds its group", () => {
  const { pki } = pkiOf(THREE, { distribution: Distribution.k0s({ clusterAdmin: true }) });
  expect(pki.parts.leaves.map(({ holder, name }) => `${holder.name}/${name}`)).toEqual(["operator/cluster-admin"]);
  // No system:masters: what nobody can unbind.
  expect(pki.certificate("cluster-admin").subject.toString()).toBe("CN=cluster-admin, O=cluster-admins");
  expect(pki.certificate("cluster-admin").usage.name).toBe("client");
  expect(pki.files("operator").map(line)).toEqual(["0600 root:root /cluster-admin.conf: kubeconfig"]);
  // Direct descendants of the folder are what k0s applies, each as a stack of its own.
  const manifest = pki.files("cp-2").find(({ path }) => path.startsWith("/var/lib/k0s/manifests/"))!;
  expect(manifest.path).toBe("/var/lib/k0s/manifests/kubernetes-pki/cluster-admins.yaml");
  expect(parse(evaluate(manifest.content, () => "")!)).toEqual(CLUSTER_ADMINS);
});

test("nothing is warned of while k0s issues its own", () => {
  expect(warningsOf(pkiOf({}, K0S).pki)).toEqual([]);
});

test("says of every row why it is in system:masters or has two usages", () => {
  const codes = Object.entries(table.certificates).map(
    ([name, { exceptions = [] }]) => `${name}: ${exceptions.map(({ code }) => code).join(", ")}`,
  );
  expect(codes).toEqual([
    "apiserver: two-usages",
    "k0s-api: two-usages",
    "apiserver-kubelet-client: two-usages, system-masters",
    "front-proxy-client: two-usages",
    "konnectivity: two-usages, system-masters",
    "etcd-server: ",
    "etcd-peer: ",
    "apiserver-etcd-client: two-usages",
    "admin: two-usages, system-masters",
    "controller-manager: two-usages",
    "scheduler: two-usages",
    "kubelet: ",
  ]);
});

describe("flags", () => {
  const rows = [table.authorities, table.keyPairs, table.certificates].flatMap((part) => Object.values(part));
  const files: FileRow[] = rows.flatMap((row) => row.files);
  const flagsOf = (component: string) =>
    Object.fromEntries(
      files.flatMap(({ path, consumers }) =>
        consumers
          .filter((consumer) => consumer.component === component)
          .flatMap(({ via }) => ("flag" in via ? [[via.flag.slice(2), path.replace(`${PKI}/`, "")]] : [])),
      ),
    );

  /** What k0s passes where its configuration does not say otherwise. */
  const OWN = {
    "kube-apiserver": {
      "client-ca-file": "ca.crt",
      "etcd-cafile": "etcd/ca.crt",
      "etcd-certfile": "apiserver-etcd-client.crt",
      "etcd-keyfile": "apiserver-etcd-client.key",
      "kubelet-certificate-authority": "ca.crt",
      "kubelet-client-certificate": "apiserver-kubelet-client.crt",
      "kubelet-client-key": "apiserver-kubelet-client.key",
      "proxy-client-cert-file": "front-proxy-client.crt",
      "proxy-client-key-file": "front-proxy-client.key",
      "requestheader-client-ca-file": "front-proxy-ca.crt",
      "service-account-key-file": "sa.pub",
      "service-account-signing-key-file": "sa.key",
      "tls-cert-file": "server.crt",
      "tls-private-key-file": "server.key",
    },
    "kube-controller-manager": {
      "authentication-kubeconfig": "ccm.conf",
      "authorization-kubeconfig": "ccm.conf",
      "client-ca-file": "ca.crt",
      "cluster-signing-cert-file": "ca.crt",
      "cluster-signing-key-file": "ca.key",
      kubeconfig: "ccm.conf",
      "requestheader-client-ca-file": "front-proxy-ca.crt",
      "root-ca-file": "ca.crt",
      "service-account-private-key-file": "sa.key",
    },
    etcd: {
      "cert-file": "etcd/server.crt",
      "key-file": "etcd/server.key",
      "peer-cert-file": "etcd/peer.crt",
      "peer-key-file": "etcd/peer.key",
      "peer-trusted-ca-file": "etcd/ca.crt",
      "trusted-ca-file": "etcd/ca.crt",
    },
  };

  /** `extraArgs` of the configuration, by the key that stands above them. */
  const [configuration] = filesOf(K0S, "cp-1");
  const extraArgs = (key: "api" | "controllerManager" | "etcd") => {
    const { spec } = parse(String(configuration!.content)) as {
      spec: Record<string, { extraArgs: object }> & { storage: Record<string, { extraArgs: object }> };
    };
    const all = Object.entries<string>({ ...(key === "etcd" ? spec.storage[key] : spec[key])!.extraArgs });
    const files = all.flatMap(([flag, value]) => {
      const file = /^\S+\/pki\/(\S+)$/.exec(value)?.[1];
      return file === undefined ? [] : [[flag, file] as const];
    });
    return Object.fromEntries(files);
  };

  test.each([
    ["kube-apiserver", "api"],
    ["kube-controller-manager", "controllerManager"],
    ["etcd", "etcd"],
  ] as const)("of %s are those of k0s, and its configuration changes those of bundles", (component, key) => {
    expect(flagsOf(component)).toEqual({ ...OWN[component], ...extraArgs(key) });
    const bundles = Object.entries(flagsOf(component)).filter(([, file]) => file.endsWith("-bundle.crt"));
    expect(Object.fromEntries(bundles)).toEqual(extraArgs(key));
    expect(bundles).not.toEqual([]);
  });

  test("say how long certificates of nodes are valid, which k0s leaves at Kubernetes' own year", () => {
    const [text] = filesOf(K0S, "cp-1", { clusterSigningDuration: Validity.days(7) });
    expect(text!.content).toContain('      cluster-signing-duration: "168h0m0s"\n');
    expect(configuration!.content).toContain('      cluster-signing-duration: "720h0m0s"\n');
  });

  test("name the front proxy, the issuer of service-account tokens and etcd's clients as k0s does", () => {
    const others = Object.assign({}, ...files.flatMap(({ consumers }) => consumers.map((consumer) => consumer.with)));
    expect(others).toEqual({
      "--requestheader-allowed-names": "front-proxy-client",
      "--requestheader-username-headers": "X-Remote-User",
      "--requestheader-group-headers": "X-Remote-Group",
      "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
      "--enable-bootstrap-token-auth": "true",
      "--client-cert-auth": "true",
      "--peer-client-cert-auth": "true",
      // Ours.
      "--cluster-signing-duration": "{clusterSigningDuration}",
      "--service-account-issuer": "https://kubernetes.default.svc",
      "--service-account-jwks-uri": "https://kubernetes.default.svc/openid/v1/jwks",
      "--api-audiences": "https://kubernetes.default.svc,system:konnectivity-server",
    });
  });
});

test("etcd on machines of its own is refused: k0s runs it on its controllers", () => {
  expect(problemsOf(() => pkiOf(MEMBERS, K0S))).toMatchObject([
    { code: "etcd-topology", at: "cluster.etcd.topology", given: '"members"', allowed: "stacked or external, for k0s" },
  ]);
});
