import fc from "fast-check";
import path from "node:path";
import { Cluster, ClusterPkiProps, Distribution, evaluate, ClusterFile, SingleCaOptions } from "../../../../lib";
import { leavesOf, EXTERNAL, MEMBERS, pkiOf, THREE } from "../../../support/cluster";
import { CERTIFICATES, GUIDE, GuideSet, SETS, VERIFIERS, Verifier } from "../../../support/single-ca";
import { errorOf, problemsOf, terraformOf } from "../../../support/synth";
import { referencesIn } from "../../../../lib/kubernetes/content-readers";

/** A named worker with an address, and one control plane: enough to look at every file. */
const SMALL: Partial<Cluster> = { workers: [{ name: "worker-0", addresses: ["10.0.0.30"] }] };
const ALL: SingleCaOptions = { ownAuthorities: SETS };

function singleCa(
  options: SingleCaOptions = {},
  cluster: Partial<Cluster> = SMALL,
  props: Partial<ClusterPkiProps> = {},
) {
  return pkiOf(cluster, { distribution: Distribution.singleCa(options), ...props });
}

type Pki = ReturnType<typeof singleCa>["pki"];

const pathsOf = (pki: Pki, holder: string) => pki.files(holder).map(({ path }) => path);

const has = (component: string, via: string) => (file: ClusterFile) =>
  file.consumers.some((consumer) => consumer.component === component && Object.values(consumer.via).includes(via));

/** The one file that a component on a machine reads by a flag or field. */
function fileOf(pki: Pki, holder: string, component: string, via: string): ClusterFile {
  const files = pki.files(holder).filter(has(component, via));
  expect(files.map(({ path }) => path)).toHaveLength(1);
  return files[0]!;
}

/** Addresses of what stands in a file. */
const addressesIn = (file: ClusterFile) => referencesIn(file.content).map(({ address }) => address);

/** What a component is told beside its files. */
function flagsOf(pki: Pki, holder: string, component: string): Record<string, string> {
  const consumers = pki.files(holder).flatMap((file) => file.consumers);
  return Object.assign(
    {},
    ...consumers.filter((consumer) => consumer.component === component).map((c) => c.with ?? {}),
  );
}

describe("files are where the guide has them", () => {
  const { pki } = singleCa();

  test("of a control plane with etcd", () => {
    expect(pathsOf(pki, "cp-1")).toEqual([
      "/etc/etcd/ca.pem",
      "/etc/etcd/healthcheck-client-key.pem",
      "/etc/etcd/healthcheck-client.pem",
      "/etc/etcd/peer-key.pem",
      "/etc/etcd/peer.pem",
      "/etc/etcd/server-key.pem",
      "/etc/etcd/server.pem",
      "/var/lib/kubernetes/apiserver-etcd-client-key.pem",
      "/var/lib/kubernetes/apiserver-etcd-client.pem",
      "/var/lib/kubernetes/apiserver-kubelet-client-key.pem",
      "/var/lib/kubernetes/apiserver-kubelet-client.pem",
      "/var/lib/kubernetes/ca-key.pem",
      "/var/lib/kubernetes/ca-signing.pem",
      "/var/lib/kubernetes/ca.pem",
      "/var/lib/kubernetes/kube-controller-manager-key.pem",
      "/var/lib/kubernetes/kube-controller-manager.kubeconfig",
      "/var/lib/kubernetes/kube-controller-manager.pem",
      "/var/lib/kubernetes/kube-scheduler-key.pem",
      "/var/lib/kubernetes/kube-scheduler.kubeconfig",
      "/var/lib/kubernetes/kube-scheduler.pem",
      "/var/lib/kubernetes/kubernetes-key.pem",
      "/var/lib/kubernetes/kubernetes.pem",
      "/var/lib/kubernetes/proxy-client-key.pem",
      "/var/lib/kubernetes/proxy-client.pem",
      "/var/lib/kubernetes/service-account-key.pem",
      "/var/lib/kubernetes/service-account.pem",
    ]);
  });

  test("of a worker with a name, whose kubelet has a certificate to serve with and another to ask with", () => {
    expect(pathsOf(pki, "worker-0")).toEqual([
      "/var/lib/kube-proxy/kube-proxy-key.pem",
      "/var/lib/kube-proxy/kube-proxy.pem",
      "/var/lib/kube-proxy/kubeconfig",
      "/var/lib/kubelet/kubeconfig",
      "/var/lib/kubelet/worker-0-key.pem",
      "/var/lib/kubelet/worker-0.pem",
      "/var/lib/kubernetes/ca.pem",
    ]);
  });

  test("of any other worker, which joins by a token", () => {
    expect(pathsOf(pki, "worker")).toEqual(["/var/lib/kubernetes/ca.pem"]);
    expect(Distribution.SINGLE_CA.table.access.tokens["worker"]!.file.path).toBe(
      "/var/lib/kubelet/bootstrap-kubeconfig",
    );
  });

  test("of the operator", () => {
    expect(pathsOf(pki, "operator")).toEqual([
      "/admin-key.pem",
      "/admin.kubeconfig",
      "/admin.pem",
      "/ca.pem",
      "/super-admin.kubeconfig",
    ]);
  });

  test("of an etcd member on a machine of its own", () => {
    const members = singleCa({}, MEMBERS).pki;
    expect(pathsOf(members, "etcd-1")).toEqual(pathsOf(pki, "cp-1").filter((path) => path.startsWith("/etc/etcd/")));
    expect(pathsOf(members, "cp-1").filter((path) => path.startsWith("/etc/etcd/"))).toEqual([]);
  });

  test("and what holds a key is root's alone", () => {
    for (const holder of ["cp-1", "worker-0", "operator"]) {
      for (const { path, mode, owner, content } of pki.files(holder)) {
        const holdsKey = referencesIn(content).some(({ attribute }) => attribute.startsWith("private_key"));
        expect([path, mode, owner]).toEqual([path, holdsKey ? "0600" : "0644", "root:root"]);
      }
    }
  });

  test("with etcd somewhere else, nothing is issued for it", () => {
    const external = singleCa(ALL, EXTERNAL).pki;
    expect(Object.keys(terraformOf(singleCa(ALL, EXTERNAL).stack).resource.tls_private_key).join()).not.toContain(
      "etcd",
    );
    expect(pathsOf(external, "cp-1").filter((path) => path.includes("etcd"))).toEqual([]);
  });
});

describe("the guide's eight sets, made the guide's way", () => {
  const { pki } = singleCa({ oneServerCertificate: true });
  const issued = Object.fromEntries(leavesOf(pki));
  const paths = [...pki.machines, "operator"].flatMap((holder) => pathsOf(pki, holder));
  const holds = (base: string) => paths.some((path) => path.endsWith(`/${base}-key.pem`));

  test("are eight, of seven names", () => {
    expect(Object.keys(GUIDE)).toHaveLength(8);
    const bases = Object.values(GUIDE)
      .flat()
      .map(({ base }) => base);
    expect([...new Set(bases)].sort()).toEqual(
      "admin kube-controller-manager kube-proxy kube-scheduler kubernetes service-account worker-0".split(" "),
    );
  });

  test.each(Object.entries(GUIDE))("%s", (_, sets) => {
    for (const { row, base, commonName, organization, otherwise } of sets) {
      const wanted = { base, commonName, organization, ...otherwise };
      const key = Object.keys(issued).find((name) => name.endsWith(`/${oneServer(row)}`));
      expect([row, holds(wanted.base) || isInKubeconfig(row)]).toEqual([row, true]);
      if (row === "service-account") {
        expect(key).toBeUndefined();
      } else {
        const fields = issued[key!]!.subject.fields;
        expect([fields.commonName, fields.organization ?? ""]).toEqual([wanted.commonName, wanted.organization]);
      }
    }
  });

  /** Two rows are the one certificate of servers. */
  const oneServer = (row: string) => (/^etcd-(server|peer)$/.test(row) ? "apiserver" : row);
  /** The guide makes the kubelet's kubeconfig of the pair that it serves with. */
  const isInKubeconfig = (row: GuideSet["row"]) => row === "kubelet" && paths.includes("/var/lib/kubelet/kubeconfig");

  test("and what there is besides has no place in the guide", () => {
    const rows = Object.values(GUIDE).flatMap((sets) => sets.map(({ row }) => oneServer(row)));
    const others = Object.keys(issued)
      .map((key) => key.split("/")[1]!)
      .filter((row) => !rows.includes(row));
    expect(others.sort()).toEqual(["etcd-healthcheck-client", "front-proxy-client", "super-admin"]);
  });
});

describe("kubelets on control planes", () => {
  const usual = singleCa();
  const { pki, stack } = singleCa({ kubeletOnControlPlanes: true });

  test("have what a named worker's have, and no more", () => {
    const more = pathsOf(pki, "cp-1").filter((path) => !pathsOf(usual.pki, "cp-1").includes(path));
    const wanted = pathsOf(pki, "worker-0").filter((path) => !path.startsWith("/var/lib/kubernetes/"));
    expect(more).toEqual(wanted.map((path) => path.replace("worker-0", "cp-1")).sort());
  });

  test("are named after their machine", () => {
    const { subject, sans } = pki.certificate("kubelet-server", "cp-1");
    expect(subject.fields).toMatchObject({ commonName: "system:node:cp-1", organization: "system:nodes" });
    expect([sans.dns, sans.ips]).toEqual([["cp-1"], ["10.0.0.11"]]);
    expect(pki.certificate("kubelet", "cp-1").subject.fields.commonName).toBe("system:node:cp-1");
  });

  test("talk to the API server of their machine, and a worker's to the endpoint", () => {
    const server = (certificate: "kubelet" | "kube-proxy", holder: string) =>
      /server: (.*)/.exec(evaluate(pki.kubeconfig(certificate, holder), () => "-"))![1];
    for (const certificate of ["kubelet", "kube-proxy"] as const) {
      expect(server(certificate, "cp-1")).toBe("https://10.0.0.11:6443");
      expect(server(certificate, "worker-0")).toBe("https://api.prod.example.com:6443");
    }
  });

  test.each([[], ["apiserver-kubelet-client"], ["apiserver"], SETS] as const)(
    "let in the API server alone, with authorities of their own for %j",
    (...ownAuthorities) => {
      const made = singleCa({ kubeletOnControlPlanes: true, ownAuthorities }).pki;
      const file = fileOf(made, "cp-1", "kubelet", "authentication.x509.clientCAFile");
      expect(addressesIn(file).sort()).toEqual(issuersOf(made, ["apiserver-kubelet-client"]));
    },
  );

  test.each([
    ["kubernetes", "/var/lib/kubelet/kubernetes.pem", "/var/lib/kubelet/kubernetes-key.pem"],
    ["service-account", "/var/lib/kubelet/service-account.pem", "/var/lib/kubelet/service-account-key.pem"],
  ])("have no name that makes two files one: %s", (name, ...paths) => {
    const make = () =>
      singleCa(
        { kubeletOnControlPlanes: true, folder: "/var/lib/kubelet" },
        { controlPlanes: [{ name, addresses: ["10.0.0.11"] }] },
      );
    expect(problemsOf(make)).toEqual(
      paths.map((path) => ({
        code: "machine-name-file",
        at: "cluster.controlPlanes[0].name",
        given: JSON.stringify(name),
        allowed: `a name by which no two of its files are ${path}`,
        fix: `call it ${name}-1`,
      })),
    );
    expect(() =>
      singleCa({ kubeletOnControlPlanes: true }, { controlPlanes: [{ name, addresses: ["10.0.0.11"] }] }),
    ).not.toThrow();
  });

  test("a worker may be called as a file is that control planes alone have", () => {
    const workers = [{ name: "service-account", addresses: ["10.0.0.30"] }];
    expect(() => singleCa({ kubeletOnControlPlanes: true, folder: "/var/lib/kubelet" }, { workers })).not.toThrow();
  });

  test("change nothing of the other machines, and replace nothing", () => {
    const requests = (of: typeof stack) => terraformOf(of).resource.tls_cert_request as Record<string, object>;
    expect(requests(stack)).toMatchObject(requests(usual.stack));
    expect(pathsOf(pki, "worker-0")).toEqual(pathsOf(usual.pki, "worker-0"));
  });
});

/** Who a verifier is in a cluster. */
function holdersOf(pki: Pki, { on }: Verifier, cluster: Partial<Cluster>): string[] {
  const etcd =
    cluster.etcd?.topology === "members" ? pki.machines.filter((name) => name.startsWith("etcd-")) : ["cp-1"];
  const workers = [...(cluster.workers ?? []).map(({ name }) => name), "worker"];
  return { "control plane": ["cp-1"], "etcd member": etcd, worker: workers, operator: ["operator"] }[on];
}

/** Addresses of the authorities that signed the certificates of sets. */
function issuersOf(pki: Pki, sets: readonly (keyof typeof CERTIFICATES)[], oneServer = false): string[] {
  const names = sets.flatMap((set) =>
    oneServer && /^etcd-(server|peer)$/.test(set) ? ["apiserver"] : CERTIFICATES[set],
  );
  const leaves = leavesOf(pki).filter(([key]) => names.includes(key.split("/")[1]!));
  expect(leaves.length).toBeGreaterThan(0);
  return [...new Set(leaves.map(([, leaf]) => leaf.issuer.certificate.address))].sort();
}

function expectEveryVerifierToAcceptItsSetsAlone(options: SingleCaOptions, cluster: Partial<Cluster>): void {
  const { pki } = singleCa(options, cluster);
  for (const verifier of VERIFIERS) {
    for (const holder of holdersOf(pki, verifier, cluster)) {
      const found = addressesIn(fileOf(pki, holder, verifier.component, verifier.via)).sort();
      const wanted = issuersOf(pki, verifier.accepts, options.oneServerCertificate);
      expect({ ...verifier, found }).toEqual({ ...verifier, found: wanted });
    }
  }
  const [apiServer] = issuersOf(pki, ["apiserver"]);
  const kubeconfigs = [...pki.machines, "operator"].flatMap((holder) =>
    pki.files(holder).filter(({ kind }) => kind === "kubeconfig"),
  );
  expect(kubeconfigs.length).toBeGreaterThan(4);
  kubeconfigs.forEach((file) => expect(addressesIn(file)).toContain(apiServer));
}

const FOLDERS = ["/etc/kubernetes/ssl", "/opt/kubernetes/ssl", "/var/lib/kubelet/pki", "/var/lib/kubelet"];

describe.each(FOLDERS)("files in %s, as other guides have them", (folder) => {
  const usual = singleCa().pki;
  const { pki } = singleCa({ folder });

  test.each(["cp-1", "worker-0", "worker", "operator"])("of %s are the usual ones, in that folder", (holder) => {
    const moved = pathsOf(usual, holder).map((path) => path.replace(/^\/var\/lib\/kubernetes\//, `${folder}/`));
    expect(pathsOf(pki, holder)).toEqual(moved.sort());
    expect(moved.filter((path) => path.startsWith(folder)).length).toBeGreaterThan(holder === "operator" ? -1 : 0);
  });

  test("are named to a kubelet that joins, from where its kubeconfig is", () => {
    const { format, file } = Distribution.singleCa({ folder }).table.access.tokens.worker!;
    const named = (format as { kubeconfig: { certificateAuthority: string } }).kubeconfig.certificateAuthority;
    expect(path.isAbsolute(named)).toBe(false);
    expect(path.resolve(path.dirname(file.path), named)).toBe(`${folder}/ca.pem`);
  });

  test("hold what they held, and nothing has another address", () => {
    const addresses = ({ stack }: ReturnType<typeof singleCa>) => JSON.stringify(terraformOf(stack).resource);
    expect(addresses(singleCa({ folder }))).toBe(addresses(singleCa()));
  });
});

describe("whoever verifies a set reads the bundle of its authority, and of no other", () => {
  test("when all come from the one CA", () => expectEveryVerifierToAcceptItsSetsAlone({}, SMALL));

  test.each(SETS)("when %s has its own", (set) => {
    expectEveryVerifierToAcceptItsSetsAlone({ ownAuthorities: [set] }, SMALL);
  });

  test("when each has its own, and then the one CA is gone", () => {
    expectEveryVerifierToAcceptItsSetsAlone(ALL, SMALL);
    expect(Object.keys(Distribution.singleCa(ALL).table.authorities).sort()).toEqual([...SETS].sort());
  });

  test("whichever have their own, wherever etcd is, with one server certificate or several", () => {
    const clusters = fc.constantFrom(SMALL, THREE, MEMBERS);
    const property = fc.property(fc.subarray(SETS), clusters, fc.boolean(), (sets, cluster, oneServerCertificate) => {
      const servers = /^(apiserver|etcd-server|etcd-peer)$/;
      const ownAuthorities = sets.filter((set) => !(oneServerCertificate && servers.test(set)));
      expectEveryVerifierToAcceptItsSetsAlone({ ownAuthorities, oneServerCertificate }, cluster);
    });
    fc.assert(property, { numRuns: 25 });
  });

  test("and a set's authority is the set's in addresses and file names", () => {
    const { pki, stack } = singleCa({ ownAuthorities: ["etcd-client"] });
    expect(pathsOf(pki, "cp-1").filter((path) => path.endsWith("ca.pem"))).toEqual([
      "/etc/etcd/ca.pem",
      "/etc/etcd/etcd-client-ca.pem",
      "/var/lib/kubernetes/ca.pem",
    ]);
    expect(terraformOf(stack).resource.tls_self_signed_cert["pki__ca__etcd-client__g1"].subject).toEqual([
      { common_name: "etcd-client-ca", organization: "Kubernetes" },
    ]);
  });
});

describe("the controller-manager", () => {
  const KCM = "kube-controller-manager";
  /** By signer: the verifier of what it signs. */
  const SIGNERS = {
    "kube-apiserver-client": "--client-ca-file",
    "kubelet-client": "--client-ca-file",
    "kubelet-serving": "--kubelet-certificate-authority",
  };

  /** The certificate and the key that it signs with. */
  const signing = (pki: Pki, flags: string) =>
    ["cert-file", "key-file"].map((end) => addressesIn(fileOf(pki, "cp-1", KCM, `${flags}-${end}`)));

  test("signs everything with the one CA, by the flag that excludes all others", () => {
    const { pki } = singleCa();
    expect(signing(pki, "--cluster-signing")).toEqual([
      ["tls_self_signed_cert.pki__ca__kubernetes__g1"],
      ["tls_private_key.pki__ca__kubernetes__g1"],
    ]);
    expect(pki.files("cp-1").filter(has(KCM, "--cluster-signing-kubelet-client-cert-file"))).toEqual([]);
  });

  test.each([["apiserver-client"], ["kubelet-client"], ["kubelet-server"], SETS] as const)(
    "signs what its verifiers accept when %s and others have their own",
    (...ownAuthorities) => {
      const { pki } = singleCa({ ownAuthorities });
      for (const [signer, verifier] of Object.entries(SIGNERS)) {
        const [certificate, key] = signing(pki, `--cluster-signing-${signer}`);
        expect(addressesIn(fileOf(pki, "cp-1", "kube-apiserver", verifier))).toContain(certificate![0]);
        expect(key).toEqual([certificate![0]!.replace("tls_self_signed_cert", "tls_private_key")]);
      }
      expect(pki.files("cp-1").filter(has(KCM, "--cluster-signing-cert-file"))).toEqual([]);
    },
  );

  test("is the only one with a key of an authority, and has no other", () => {
    const { pki } = singleCa(ALL, MEMBERS);
    const keys = [...pki.machines, "worker", "operator"].flatMap((holder) =>
      pki.files(holder).flatMap((file) =>
        referencesIn(file.content)
          .filter(({ address, attribute }) => address.includes("__ca__") && attribute.startsWith("private_key"))
          .map(() => `${holder} ${file.path}`),
      ),
    );
    expect(keys).toEqual(
      ["cp-1", "cp-2", "cp-3"].flatMap((name) =>
        ["apiserver-client", "kubelet-client", "kubelet-server"].map(
          (set) => `${name} /var/lib/kubernetes/${set}-ca-key.pem`,
        ),
      ),
    );
  });
});

describe("since the CAs are one", () => {
  const { pki } = singleCa();
  const common = (name: string, holder = "cp-1") => pki.certificate(name, holder).subject.fields.commonName;

  test("only the front proxy's name is one, for all who believe front proxies", () => {
    for (const component of ["kube-apiserver", "kube-controller-manager"]) {
      expect(flagsOf(pki, "cp-1", component)["--requestheader-allowed-names"]).toBe(common("front-proxy-client"));
    }
    expect(
      leavesOf(pki)
        .map(([, leaf]) => leaf)
        .filter((leaf) => leaf.subject.fields.commonName === "aggregator"),
    ).toHaveLength(1);
  });

  test("etcd lets in only clients and peers of its own, and not all that the CA signed", () => {
    const flags = flagsOf(pki, "cp-1", "etcd");
    expect(flags).toMatchObject({
      "--client-cert-auth": "true",
      "--peer-client-cert-auth": "true",
      "--peer-cert-allowed-cn": common("etcd-peer"),
    });
    const name = flags["--client-cert-allowed-hostname"]!;
    const named = leavesOf(pki)
      .filter(([, leaf]) => leaf.sans.dns.includes(name))
      .map(([key]) => key);
    expect(named).toEqual(["cp-1/apiserver-etcd-client", "cp-1/etcd-healthcheck-client"]);
    // etcd's gateway is a client of etcd that shows the server's certificate, which is no client's.
    expect(flags["--enable-grpc-gateway"]).toBe("false");
  });
});

describe("subjects", () => {
  const subject = {
    country: "US",
    province: "Oregon",
    locality: "Portland",
    organizationalUnit: "Kubernetes The Hard Way",
  };
  const { pki, stack } = singleCa({}, SMALL, { subject });
  const { resource } = terraformOf(stack);

  test("have C, ST, L and OU where they are given", () => {
    const all = [...Object.values(resource.tls_cert_request), ...Object.values(resource.tls_self_signed_cert)] as {
      subject: object[];
    }[];
    expect(all).toHaveLength(15);
    const { organizationalUnit: organizational_unit, ...rest } = subject;
    all.forEach((made) => expect(made.subject).toMatchObject([{ ...rest, organizational_unit }]));
  });

  test("are the guide's users and groups", () => {
    const written = Object.fromEntries(
      leavesOf(pki).map(([key, leaf]) => {
        const { commonName, organization } = leaf.subject.fields;
        return [key, organization ? `${commonName} in ${organization}` : commonName];
      }),
    );
    expect(written).toEqual({
      "cp-1/apiserver": "kubernetes",
      "cp-1/etcd-server": "etcd-server",
      "cp-1/etcd-peer": "etcd-peer",
      "cp-1/apiserver-etcd-client": "kube-apiserver-etcd-client",
      "cp-1/etcd-healthcheck-client": "kube-etcd-healthcheck-client",
      "cp-1/controller-manager": "system:kube-controller-manager in system:kube-controller-manager",
      "cp-1/scheduler": "system:kube-scheduler in system:kube-scheduler",
      "cp-1/apiserver-kubelet-client": "kube-apiserver-kubelet-client",
      "cp-1/front-proxy-client": "aggregator",
      "worker-0/kube-proxy": "system:kube-proxy in system:node-proxier",
      "worker-0/kubelet-server": "system:node:worker-0 in system:nodes",
      "worker-0/kubelet": "system:node:worker-0 in system:nodes",
      "operator/admin": "admin in cluster-admins",
      "operator/super-admin": "super-admin in system:masters",
    });
  });

  test("an authority's is nobody else's, in any case: comparisons leave upper case out", () => {
    const canonical = (made: { subject: object[] }) => JSON.stringify(made.subject).toLowerCase();
    const authorities = Object.values<{ subject: object[] }>(resource.tls_self_signed_cert).map(canonical);
    const leaves = Object.values<{ subject: object[] }>(resource.tls_cert_request).map(canonical);
    expect(leaves.filter((leaf) => authorities.includes(leaf))).toEqual([]);
  });
});

describe("usages", () => {
  const { pki } = singleCa();
  const of = (usage: "server" | "client") =>
    leavesOf(pki)
      .filter(([, leaf]) => leaf.usage.purposes.includes(`${usage}_auth`))
      .map(([key]) => key.split("/")[1])
      .sort();

  test("are one purpose each; etcd's peers call each other", () => {
    const servers = ["apiserver", "etcd-peer", "etcd-server", "kubelet-server"];
    expect(of("server")).toEqual(servers);
    const all = Object.values(CERTIFICATES).flat();
    expect(of("client")).toEqual([...all.filter((name) => !servers.includes(name)), "etcd-peer"].sort());
  });
});

describe("what the guide has wrong", () => {
  const { pki, stack } = singleCa();
  const names = (name: string) => pki.certificate(name).sans;

  test("the Service's name has its namespace in it", () => {
    expect(names("apiserver").dns).toContain("kubernetes.default.svc.cluster.local");
    expect(names("apiserver").dns).not.toContain("kubernetes.svc.cluster.local");
    expect(names("apiserver").ips).toEqual(["10.0.0.11", "10.96.0.1", "127.0.0.1"]);
  });

  test("a CIDR is no name: the error says which address was probably meant", () => {
    const problems = problemsOf(() => singleCa({}, { ...SMALL, extraSans: ["10.0.0.9/24"] }));
    expect(problems).toMatchObject([{ code: "host-cidr", at: "cluster.extraSans[0]", given: '"10.0.0.9/24"' }]);
    expect(problems[0]!.fix).toBe('it is a CIDR; did you mean "10.0.0.9"?');
  });

  test("whoever is in system:masters is on no machine; administrators are in a group that can be unbound", () => {
    const masters = leavesOf(pki).filter(([, leaf]) => leaf.subject.fields.organization === "system:masters");
    expect(masters.map(([key]) => key)).toEqual(["operator/super-admin"]);
    const { access } = Distribution.SINGLE_CA.table;
    expect(access.clusterAdmins!.group).toBe(pki.certificate("admin").subject.fields.organization);
  });

  test("service accounts have a key pair and no certificate", () => {
    const file = fileOf(pki, "cp-1", "kube-apiserver", "--service-account-key-file");
    expect(referencesIn(file.content)).toEqual([
      { address: "tls_private_key.pki__keys__service-account__g1", attribute: "public_key_pem" },
    ]);
    expect(Object.keys(terraformOf(stack).resource.tls_locally_signed_cert).join()).not.toContain("service-account");
  });

  test("the API server talks to kubelets as the user that is bound for it", () => {
    const { apiServerToKubelet } = Distribution.SINGLE_CA.table.access;
    expect(pki.certificate("apiserver-kubelet-client").subject.fields.commonName).toBe(apiServerToKubelet!.user);
  });

  test("by default there is nothing to be warned of", () => {
    expect(pki.node.metadata).toEqual([]);
  });
});

describe("one server certificate", () => {
  const { pki } = singleCa({ oneServerCertificate: true }, MEMBERS);

  test("is each machine's own, for the API server and for etcd", () => {
    const key = (holder: string, component: string, flag: string) => addressesIn(fileOf(pki, holder, component, flag));
    expect(key("cp-1", "kube-apiserver", "--tls-private-key-file")).toEqual(["tls_private_key.pki__cp-1__apiserver"]);
    for (const flag of ["--key-file", "--peer-key-file"]) {
      expect(key("etcd-1", "etcd", flag)).toEqual(["tls_private_key.pki__etcd-1__apiserver"]);
    }
    expect(pathsOf(pki, "etcd-1")).toContain("/etc/etcd/kubernetes.pem");
  });

  test("is a peer by its name", () => {
    const { commonName } = pki.certificate("apiserver", "etcd-1").subject.fields;
    expect(flagsOf(pki, "etcd-1", "etcd")["--peer-cert-allowed-cn"]).toBe(commonName);
  });

  test("makes a warning that says what to do", () => {
    expect(pki.node.metadata.map(({ data }) => data as string)).toEqual([
      expect.stringMatching(/^\[one-server-certificate\] apiserver: one key is .*leave oneServerCertificate out/),
    ]);
  });

  test("has one authority", () => {
    const options: SingleCaOptions = {
      ownAuthorities: ["kubelet-server", "etcd-peer", "apiserver"],
      oneServerCertificate: true,
    };
    expect(problemsOf(() => Distribution.singleCa(options))).toMatchObject([
      { code: "one-server-certificate", at: "ownAuthorities[1]", given: '"etcd-peer"' },
      { code: "one-server-certificate", at: "ownAuthorities[2]", given: '"apiserver"' },
    ]);
  });
});

test("an unknown set is refused, with all that are known", () => {
  const error = errorOf(() =>
    Distribution.singleCa({ ownAuthorities: ["etcd-server", "service-account" as "apiserver"] }),
  );
  expect(error.path).toBe("distribution single-ca");
  expect(error.problems).toEqual([
    {
      code: "unknown-set",
      at: "ownAuthorities[1]",
      given: '"service-account"',
      allowed: expect.stringContaining("etcd-server, etcd-peer, etcd-client, apiserver, "),
      fix: "use one of these; service accounts have a key pair",
    },
  ]);
});

test("a worker's name stands in the names of its files, and a kubeconfig says who reads it", () => {
  const { pki } = singleCa();
  const text = evaluate(pki.kubeconfig("kubelet", "worker-0"), () => "-");
  expect(text).toContain("name: system:node:worker-0@prod");
  expect(text).toContain("server: https://api.prod.example.com:6443");
});

describe("a bundle of several authorities", () => {
  const { table } = Distribution.singleCa({ ownAuthorities: ["apiserver-client"] });
  const row = table.authorities["apiserver-client"]!;
  const withFiles = (files: typeof row.files) =>
    new Distribution({ ...table, authorities: { ...table.authorities, "apiserver-client": { ...row, files } } });

  test("names authorities of the table", () => {
    const files = row.files.map((file) => (file.alsoOf ? { ...file, alsoOf: ["nobody"] } : file));
    expect(problemsOf(() => withFiles(files))).toMatchObject([
      { code: "unknown-authority", at: "authorities.apiserver-client.files[0].alsoOf", given: '"nobody"' },
    ]);
  });

  test("makes each of them one of clients, beside which front proxies must have a name", () => {
    const kubernetes = table.authorities["kubernetes"]!;
    const nameless = kubernetes.files.map((file) => ({
      ...file,
      consumers: file.consumers.map((consumer) => ({ ...consumer, with: {} })),
    }));
    const authorities = { ...table.authorities, kubernetes: { ...kubernetes, files: nameless } };
    expect(problemsOf(() => new Distribution({ ...table, authorities }))).toMatchObject([
      { code: "front-proxy-authority", at: "authorities.kubernetes.files" },
    ]);
  });
});
