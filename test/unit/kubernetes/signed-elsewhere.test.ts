import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  CertificateAuthority,
  ClusterPki,
  type ClusterPkiProps,
  content,
  Distribution,
  type DistributionTable,
  evaluate,
  Generation,
  KeyUsage,
  signedCertificatesIn,
  Subject,
  TlsSecret,
  toTerraform,
  Validity,
} from "../../../lib";
import { published, readPublished, unsignedIn } from "../../../lib/kubernetes/content-readers";
import { PATH_1_CERTIFICATE } from "../../support/authorities";
import { leavesOf, ONE, pkiOf } from "../../support/cluster";
import {
  CA_CERTIFICATE,
  INTERMEDIATE_CERTIFICATE,
  INTERMEDIATE_KEY,
  ROOT_CERTIFICATE,
  SHA256_CERTIFICATE,
} from "../../support/pem";
import { requestOf } from "../../support/requests";
import { PLAIN, signedOf } from "../../support/signed";
import { newStack, problemsOf, terraformOf, validationsOf } from "../../support/synth";

/** Authorities by certificates alone, each another one. */
const CERTIFICATES = [CA_CERTIFICATE, ROOT_CERTIFICATE, SHA256_CERTIFICATE, PATH_1_CERTIFICATE];

function alone(...names: readonly string[]): ClusterPkiProps["authorities"] {
  return Object.fromEntries(
    names.map((name, index) => {
      const g1 = Generation.fromPem("active", { certificatePem: CERTIFICATES[index]! });
      return [name, { generations: { g1 } }];
    }),
  ) as ClusterPkiProps["authorities"];
}

const KUBEADM = { authorities: alone("kubernetes", "front-proxy", "etcd"), authorityKeysOnMachines: false } as const;

describe("an authority by its certificate alone", () => {
  test("is refused where a machine needs its key, with who reads which file", () => {
    const found = problemsOf(() => pkiOf({}, { authorities: alone("kubernetes") }));
    expect(found).toMatchObject([{ code: "authority-key", at: "authorities.kubernetes.generations.g1" }]);
    expect(found[0]!.allowed).toContain("/etc/kubernetes/pki/ca.key");
    expect(found[0]!.allowed).toContain("kube-controller-manager: --cluster-signing-key-file");
    expect(found[0]!.fix).toContain("authorityKeysOnMachines: false");
  });

  test.each([
    ["K3s", Distribution.K3S, /ca\.key/],
    ["RKE2", Distribution.RKE2, /ca\.key/],
    ["k0s", Distribution.K0S, /ca\.key/],
    ["Cluster API", Distribution.CLUSTER_API, /Secret \{clusterName\}-ca/],
  ])("is refused by %s, which signs by itself, without a way around", (_, distribution, where) => {
    const authority = distribution.table.apiServerAuthority;
    const found = problemsOf(() => pkiOf({}, { distribution, authorities: alone(authority) as never }));
    expect(found.map(({ code }) => code)).toEqual(["authority-key"]);
    expect(found[0]!.allowed).toMatch(where);
    expect(found[0]!.fix).toBe("give privateKeyPem");
    expect(problemsOf(() => pkiOf({}, { distribution, authorityKeysOnMachines: false }))).toMatchObject([
      { code: "authority-key", at: "authorityKeysOnMachines" },
    ]);
  });

  test("needs no option where no machine has its key: etcd's own of single-CA", () => {
    const distribution = Distribution.singleCa({
      ownAuthorities: ["etcd-server", "etcd-peer", "etcd-client"],
    });
    const own = Object.keys(distribution.table.authorities).find((name) => name !== "ca" && name !== "kubernetes")!;
    const { pki } = pkiOf({}, { distribution, authorities: alone(own) as never });
    const asked = leavesOf(pki).filter(([, certificate]) => certificate.isSignedElsewhere);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.every(([, certificate]) => certificate.issuer.literal !== undefined)).toBe(true);
  });

  test("signs every row of any table that is its own", () => {
    const { table } = Distribution.KUBEADM;
    const distribution = new Distribution({
      ...table,
      name: "of-my-own",
      authorities: Object.fromEntries(
        Object.entries(table.authorities).map(([name, row]) => [
          name,
          { ...row, files: row.files.filter(({ kind }) => kind !== "private key" && kind !== "signer") },
        ]),
      ),
      configuration: [],
    } as DistributionTable);
    const { pki, stack } = pkiOf({}, { distribution, authorities: alone("kubernetes", "etcd") as never });
    for (const [name, certificate] of leavesOf(pki)) {
      const isOfFrontProxy = name.includes("front-proxy");
      expect([name, certificate.isSignedElsewhere]).toEqual([name, !isOfFrontProxy]);
    }
    expect(Object.keys(terraformOf(stack).resource.tls_locally_signed_cert)).toEqual(["pki__cp-1__front-proxy-client"]);
  });

  test("is given the wrong way where kubeadm issues the certificates itself", () => {
    expect(problemsOf(() => pkiOf({}, { authorityKeysOnMachines: false, issueLeaves: false }))).toMatchObject([
      { code: "authority-key", allowed: expect.stringContaining("issues certificates itself") },
    ]);
  });
});

describe("no authority's key on a machine", () => {
  test.each([
    ["kubeadm", Distribution.KUBEADM],
    ["single-CA", Distribution.SINGLE_CA],
  ])("%s: neither key nor signer, nor a word of them, and a warning", (_, distribution) => {
    const keysOf = (props: Partial<ClusterPkiProps>) => {
      const { pki, stack } = pkiOf({ workers: [{ name: "node-1" }] }, { distribution, ...props });
      const own = [...pki.parts.authorities.values()].flatMap(({ generations }) =>
        Object.values(generations).map(({ privateKey }) => JSON.stringify(privateKey)),
      );
      const files = [...pki.machines, "worker", "operator"].flatMap((holder) => pki.files(holder));
      const warned = JSON.stringify(stack.node.findAll().flatMap(({ node }) => node.metadata));
      return {
        keys: files.filter(({ content }) => own.includes(JSON.stringify(content))).length,
        signers: files.filter(({ kind }) => kind === "signer").length,
        words: files.filter(({ content }) => JSON.stringify(content).includes("cluster-signing")).length,
        warned: warned.includes("[authority-key] no machine has an authority's key"),
      };
    };
    const before = keysOf({});
    expect(before.keys).toBeGreaterThan(0);
    expect(before.signers).toBeGreaterThan(0);
    expect(keysOf({ authorityKeysOnMachines: false })).toEqual({ keys: 0, signers: 0, words: 0, warned: true });
  });

  test("everything else stays as it is", () => {
    const files = (props: Partial<ClusterPkiProps>) =>
      pkiOf({}, props)
        .pki.files("cp-1")
        .map(({ path }) => path);
    const kept = new Set(files({ authorityKeysOnMachines: false }));
    expect(files({}).filter((file) => !kept.has(file))).toEqual([
      "/etc/kubernetes/pki/ca-signing.crt",
      "/etc/kubernetes/pki/ca.key",
      "/etc/kubernetes/pki/etcd/ca.key",
      "/etc/kubernetes/pki/front-proxy-ca.key",
    ]);
    const { stack } = pkiOf({}, { authorityKeysOnMachines: false });
    expect(terraformOf(stack).output["pki_certificates"].value.guards ?? "").not.toContain("signsNodesFor");
  });
});

describe("certificates that are not back", () => {
  const { pki, stack } = pkiOf({}, KUBEADM);

  test("are named in a warning", () => {
    const warnings = stack.node.findAll().flatMap(({ node }) => node.metadata.map(({ data }) => String(data)));
    const [warning] = warnings.filter((text) => text.startsWith("[unsigned]"));
    for (const [, certificate] of leavesOf(pki)) {
      expect(warning).toContain(certificate.name);
    }
  });

  test("stand in files as what is missing, which neither reader makes anything of", () => {
    const file = pki.files("cp-1").find(({ path }) => path.endsWith("/apiserver.crt"))!;
    expect(file.content).toEqual({ unsigned: "pki__cp-1__apiserver" });
    expect(unsignedIn(pki.kubeconfig("admin", "operator"))).toEqual(["pki__operator__admin"]);
    const unsigned = [{ code: "unsigned", at: "pki__cp-1__apiserver" }];
    const more = content`before ${file.content} after`;
    expect(problemsOf(() => toTerraform(more))).toMatchObject(unsigned);
    expect(problemsOf(() => evaluate(more, () => "x"))).toMatchObject(unsigned);
    expect(readPublished(published(more))).toEqual(more);
    expect(readPublished({ unsigned: 1 })).toBeUndefined();
  });

  test("go into no Secret", () => {
    const certificate = pki.certificate("apiserver");
    const secret = { name: "api", namespace: "kube-system" };
    expect(problemsOf(() => new TlsSecret(stack, "secret", { certificate, ...secret } as never))).toMatchObject([
      { code: "unsigned" },
    ]);
  });

  test("have requests in the published files, by authority, those of users and of one's own, too", () => {
    const { pki, stack } = pkiOf(
      {},
      { ...KUBEADM, users: { jane: { validity: Validity.days(1), grants: [{ clusterRole: "view" }] } } },
    );
    const other = new CertificateAuthority(stack, "other", {
      subject: new Subject({ commonName: "other" }),
      generations: { g1: Generation.fromPem("active", { certificatePem: PATH_1_CERTIFICATE }) },
    });
    const added = {
      commonName: "x",
      usage: KeyUsage.CLIENT,
      holders: ["operator"],
      files: [{ path: "/x.crt", kind: "certificate" }],
    } as const;
    pki.addCertificate("x", { ...added, authority: other });
    const files = JSON.parse(terraformOf(stack).output["pki_files"].value.requests) as Record<string, unknown>;
    expect(Object.keys(files).filter((file) => /jane|__x/.test(file))).toEqual([
      "/kubernetes/pki__operator__jane.csr",
      "/kubernetes/pki__operator__jane.ext",
      "/other/pki__operator__x.csr",
      "/other/pki__operator__x.ext",
    ]);
    expect(files["/other/pki__operator__x.csr"]).toEqual({
      mode: "0644",
      content: { ref: "tls_cert_request.pki__operator__x.cert_request_pem" },
    });
    expect(files["/other/pki__operator__x.ext"]).toEqual({
      mode: "0644",
      content: `# operator/x, signed by other g1
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`,
    });
  });

  test("nobody publishes requests where nothing is signed elsewhere", () => {
    expect(terraformOf(pkiOf().stack).output["pki_files"].value).not.toHaveProperty("requests");
  });

  test("no machine is called as they are", () => {
    expect(problemsOf(() => pkiOf({ workers: [{ name: "requests" }] }))).toMatchObject([{ given: '"requests"' }]);
  });
});

describe("certificates that are back", () => {
  const signed = (subject: string, use = "clientAuth") =>
    signedOf({ csr: requestOf({ subject }).csr, extensions: [...PLAIN, `extendedKeyUsage=${use}`] });
  const [ADMIN, SCHEDULER] = [
    signed("/O=kubeadm:cluster-admins/CN=kubernetes-admin"),
    signed("/CN=system:kube-scheduler"),
  ];

  test("stand where those of Terraform would, and are missed no more", () => {
    const { pki } = pkiOf({}, { ...KUBEADM, signedCertificates: { pki__operator__admin: ADMIN } });
    expect(unsignedIn(pki.kubeconfig("admin", "operator"))).toEqual([]);
    expect(pki.certificate("admin", "operator").isSigned).toBe(true);
    expect(pki.certificate("admin", "cp-1").isSigned).toBe(false);
  });

  test("are all looked at before one is refused", () => {
    const signedCertificates = {
      pki__operator__admin: SCHEDULER,
      "pki__cp-1__scheduler": signed("/CN=system:kube-scheduler", "serverAuth"),
    };
    const found = problemsOf(() => pkiOf({}, { ...KUBEADM, signedCertificates }));
    expect(found.map(({ code, at }) => `${code} ${at}`)).toEqual([
      "signed-usage signedCertificates.pki__cp-1__scheduler",
      "signed-subject signedCertificates.pki__operator__admin",
    ]);
  });

  test("are those of certificates that were asked for", () => {
    const { stack } = pkiOf({}, { ...KUBEADM, signedCertificates: { pki__operator__admn: ADMIN } });
    expect(validationsOf(stack)).toEqual([
      expect.stringMatching(/\[signed-unknown\].*signedCertificates\.pki__operator__admn.*pki__operator__admin/),
    ]);
    const here = problemsOf(() => pkiOf({}, { signedCertificates: { pki__operator__admin: ADMIN } }));
    expect(here).toMatchObject([{ code: "signed-here", at: "signedCertificates.pki__operator__admin" }]);
  });

  test("the next generation of the authority signs what the last one did, for the same requests", () => {
    const generations = {
      g1: Generation.fromPem("trusted", { certificatePem: CA_CERTIFICATE }),
      g2: Generation.fromPem("active", { certificatePem: INTERMEDIATE_CERTIFICATE }),
    };
    const authorities = { kubernetes: { generations } };
    const build = (pem: string, issuer?: string) =>
      pkiOf(
        {},
        {
          ...KUBEADM,
          authorities,
          ...(issuer === undefined ? {} : { certificates: { scheduler: { issuer } } }),
          signedCertificates: { "pki__cp-1__scheduler": pem },
        },
      );
    expect(problemsOf(() => build(SCHEDULER))).toMatchObject([{ code: "signed-issuer" }]);
    expect(build(SCHEDULER, "g1").pki.certificate("scheduler").isSigned).toBe(true);
    const authority = { certificate: INTERMEDIATE_CERTIFICATE, key: INTERMEDIATE_KEY };
    const csr = requestOf({ subject: "/CN=system:kube-scheduler" }).csr;
    const next = signedOf({ csr, extensions: [...PLAIN, "extendedKeyUsage=clientAuth"], authority });
    expect(build(next).pki.certificate("scheduler").issuer.id).toBe("g2");
  });

  test("expired ones are refused when the stack is synthesized", () => {
    const { stack } = pkiOf({}, { ...KUBEADM, signedCertificates: { pki__operator__admin: ADMIN } });
    expect(validationsOf(stack)).toEqual([]);
    jest.useFakeTimers({ now: Date.now() + 400 * 86_400_000 });
    try {
      expect(validationsOf(stack).filter((text) => text.includes("[signed-expired]"))).toHaveLength(1);
      jest.setSystemTime(Date.now() - 800 * 86_400_000);
      expect(validationsOf(stack).filter((text) => text.includes("[signed-not-yet-valid]"))).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe("requests of holders who made their keys themselves", () => {
  const csr = (subject: string, extensions: readonly string[] = []) => requestOf({ subject, extensions }).csr;
  const KUBELET = csr("/O=system:nodes/CN=system:node:node-1");
  const PROXY = csr("/CN=front-proxy-client");
  const cluster = { workers: [{ name: "node-1" }] };
  const certificateRequests = { "pki__node-1__kubelet": KUBELET, "pki__cp-1__front-proxy-client": PROXY };

  test("are issued for, and no key is made or written", () => {
    const { pki, stack } = pkiOf(cluster, { certificateRequests });
    const { resource } = terraformOf(stack);
    for (const name of Object.keys(certificateRequests)) {
      expect(resource.tls_private_key).not.toHaveProperty(name);
      expect(resource.tls_cert_request).not.toHaveProperty(name);
      expect(resource.tls_locally_signed_cert).toHaveProperty(name);
    }
    const paths = pki.files("cp-1").map(({ path }) => path);
    expect(paths).toContain("/etc/kubernetes/pki/front-proxy-client.crt");
    expect(paths).not.toContain("/etc/kubernetes/pki/front-proxy-client.key");
    expect(pki.kubeconfig("kubelet", "node-1")).toMatchObject({
      kubeconfig: {
        credentials: {
          certificate: { address: "tls_locally_signed_cert.pki__node-1__kubelet", attribute: "cert_pem" },
          privateKey: { file: "kubelet.key" },
        },
      },
    });
  });

  test("go to an authority that signs elsewhere as they came, of a certificate of one's own, too", () => {
    const mine = csr("/CN=prometheus");
    const { pki, stack } = pkiOf(cluster, {
      ...KUBEADM,
      certificateRequests: { ...certificateRequests, pki__operator__prometheus: mine },
    });
    pki.addCertificate("prometheus", {
      authority: "etcd",
      commonName: "prometheus",
      usage: KeyUsage.CLIENT,
      holders: ["operator"],
      files: [
        { path: "/prometheus.crt", kind: "certificate" },
        { path: "/prometheus.key", kind: "private key" },
      ],
    });
    const files = JSON.parse(terraformOf(stack).output["pki_files"].value.requests) as Record<string, unknown>;
    expect(files["/kubernetes/pki__node-1__kubelet.csr"]).toEqual({ mode: "0644", content: KUBELET });
    expect(files["/etcd/pki__operator__prometheus.csr"]).toEqual({ mode: "0644", content: mine });
    expect(pki.files("operator").map(({ path }) => path)).not.toContain("/prometheus.key");
  });

  test("have to ask for what is described, all at once", () => {
    const wrong = {
      "pki__node-1__kubelet": csr("/O=system:masters/CN=system:node:node-1"),
      "pki__cp-1__front-proxy-client": csr("/CN=front-proxy-client", ["subjectAltName=DNS:more"]),
    };
    expect(
      problemsOf(() => pkiOf(cluster, { certificateRequests: wrong }))
        .map(({ code }) => code)
        .sort(),
    ).toEqual(["request-names", "request-subject"]);
  });

  test("are those of certificates that are there", () => {
    const { stack } = pkiOf(cluster, { certificateRequests: { "pki__node-2__kubelet": KUBELET } });
    expect(validationsOf(stack)).toEqual([
      expect.stringMatching(/\[request-unknown\].*certificateRequests\.pki__node-2__kubelet.*pki__node-1__kubelet/),
    ]);
  });
});

describe("signedCertificatesIn", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "signed-in-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("reads a folder and those below it, and leaves everything else alone", () => {
    mkdirSync(path.join(folder, "etcd"));
    writeFileSync(path.join(folder, "pki__cp-1__apiserver.crt"), "a");
    writeFileSync(path.join(folder, "etcd/pki__cp-1__etcd-peer.pem"), "b");
    writeFileSync(path.join(folder, "etcd/pki__cp-1__etcd-peer.csr"), "c");
    expect(signedCertificatesIn(folder)).toEqual({ "pki__cp-1__apiserver": "a", "pki__cp-1__etcd-peer": "b" });
  });

  test("refuses a folder that is not there, and two certificates of one name", () => {
    expect(problemsOf(() => signedCertificatesIn(path.join(folder, "typo")))).toMatchObject([
      { code: "signed-folder" },
    ]);
    writeFileSync(path.join(folder, "x.crt"), "a");
    expect(problemsOf(() => signedCertificatesIn(path.join(folder, "x.crt")))).toMatchObject([
      { code: "signed-folder" },
    ]);
    mkdirSync(path.join(folder, "no-file.crt"));
    expect(signedCertificatesIn(folder)).toMatchObject({ x: "a" });
    expect(signedCertificatesIn(folder)).not.toHaveProperty("no-file");
    writeFileSync(path.join(folder, "x.pem"), "b");
    expect(problemsOf(() => signedCertificatesIn(folder))).toMatchObject([{ code: "signed-folder", given: "x" }]);
  });
});

test("a PKI whose names Terraform alone knows cannot be compared, and is refused before anything is signed", () => {
  const stack = newStack();
  const build = (host: string) =>
    new ClusterPki(stack, "pki", {
      distribution: Distribution.KUBEADM,
      cluster: { ...ONE, extraSans: [{ dns: [host] }] },
      ...KUBEADM,
    });
  expect(problemsOf(() => build("${var.host}"))).toMatchObject([{ code: expect.stringMatching(/unresolved|host/) }]);
});
