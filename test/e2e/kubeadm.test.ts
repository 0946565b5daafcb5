import { X509Certificate, createHash, createPrivateKey, createPublicKey } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { Cluster, ClusterPki, ClusterPkiProps, Distribution, Generation, KeyAlgorithm } from "../../lib";
import { attempt, Ended, run } from "../sandbox/command";
import { findTools } from "../sandbox/tools";
import { Workspace } from "./workspace";

// What kubeadm itself writes, told of the same cluster by hand, and what it makes of the files that are delivered.

jest.setTimeout(600_000);

const TOPOLOGIES = ["stacked", "members", "external"] as const;
const FAMILIES = {
  IPv4: { addresses: ["10.0.0.11"], etcd: ["10.0.0.21"], services: ["10.96.0.0/16"], endpoint: "api.example.com:6443" },
  IPv6: { addresses: ["fd00::11"], etcd: ["fd00::21"], services: ["fd00:10:96::/112"], endpoint: "[fd00::100]:6443" },
  both: {
    addresses: ["10.0.0.11", "fd00::11"],
    etcd: ["10.0.0.21", "fd00::21"],
    services: ["10.96.0.0/16", "fd00:10:96::/112"],
    endpoint: "api.example.com:6443",
  },
} as const;

type Family = keyof typeof FAMILIES;
type Topology = (typeof TOPOLOGIES)[number];

interface Case {
  readonly topology: Topology;
  readonly family: Family;
  /** The cluster's name. */
  readonly name: string;
}

const CASES: readonly Case[] = TOPOLOGIES.flatMap((topology) =>
  (Object.keys(FAMILIES) as Family[]).map((family) => ({
    topology,
    family,
    name: `${topology}-${family.toLowerCase()}`,
  })),
);

/** Whose keys are RSA. */
const RSA = "stacked-ipv4";

const MORE_NAMES = ["more.example.com", "192.0.2.9"];
const BIND_PORT = 6444;
const DOMAIN = "k8s.example.com";
const JOIN = "etc/kubernetes/join-configuration.yaml";
const ETCD_ELSEWHERE = "https://etcd.example.com:2379";
/** What a person adds for the second family, which kubeadm does not name by itself: of the machine, and of the `kubernetes` Service. */
const OTHER_FAMILY = { addresses: ["fd00::11"], service: "fd00:10:96::1" };

let workspace: Workspace;
let kubeadm: string;

beforeAll(async () => {
  workspace = await Workspace.create();
  kubeadm = (await findTools(["kubeadm"])).kubeadm;
  workspace.synth("all", (stack) => {
    for (const each of CASES) {
      new ClusterPki(stack, each.name, propsOf(each));
    }
    new ClusterPki(stack, "seeded", {
      ...propsOf({ topology: "stacked", family: "both", name: "seeded" }),
      issueLeaves: false,
    });
    new ClusterPki(stack, "serving", {
      ...propsOf({ topology: "stacked", family: "both", name: "serving" }),
      distribution: Distribution.kubeadm({ kubeletServing: true }),
    });
  });
  await workspace.apply("all");
  writeFileSync(stateFile(), await workspace.show("all"));
});

afterAll(() => workspace?.remove());

function propsOf({ topology, family, name }: Case): ClusterPkiProps {
  const { addresses, etcd, services, endpoint } = FAMILIES[family];
  const topologies: Record<Topology, Cluster["etcd"]> = {
    stacked: { topology: "stacked" },
    members: { topology: "members", members: [{ name: "etcd-1", addresses: etcd }] },
    external: { topology: "external", endpoints: [ETCD_ELSEWHERE] },
  };
  const keyAlgorithm = KeyAlgorithm.RSA_2048;
  const generations = { g1: Generation.active({ keyAlgorithm }) };
  return {
    distribution: Distribution.KUBEADM,
    cluster: {
      name,
      endpoint,
      serviceCidrs: services,
      clusterDomain: DOMAIN,
      controlPlanes: [{ name: "cp-1", addresses, bindPort: BIND_PORT }],
      workers: [{ name: "worker-1" }],
      etcd: topologies[topology],
      extraSans: MORE_NAMES,
    },
    ...(name === RSA
      ? {
          keyAlgorithm,
          authorities: { kubernetes: { generations }, "front-proxy": { generations }, etcd: { generations } },
        }
      : {}),
  };
}

function stateFile(): string {
  return path.join(workspace.folder, "state.json");
}

/** The files of somebody, in a folder of their own. */
async function exported(cluster: string, who: readonly string[], purpose: string): Promise<string> {
  const root = path.join(workspace.folder, purpose, cluster, who.at(-1)!);
  const { code, stderr } = await workspace.kubernetesPki(
    "export",
    ...who,
    "--prefix",
    cluster,
    "--root",
    root,
    stateFile(),
  );
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return root;
}

/** Files below a folder, without the records of what was exported. */
function filesIn(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((file) => statSync(path.join(root, file)).isFile() && !/^(var\/lib\/|\.)kubernetes-pki\//.test(file))
    .sort();
}

// kubeadm, told by hand ------------------------------------------------------------------------------------------------

function configurations(documents: readonly object[]): string {
  return documents
    .map((document) => JSON.stringify({ apiVersion: "kubeadm.k8s.io/v1beta4", ...document }))
    .join("\n---\n");
}

function initConfiguration(name: string, advertiseAddress: string): object {
  return {
    kind: "InitConfiguration",
    localAPIEndpoint: { advertiseAddress, bindPort: BIND_PORT },
    nodeRegistration: { name },
  };
}

/** Runs phases of `kubeadm init`, none of which may fail. */
async function phases(configuration: string, folder: string, ...wanted: (readonly string[])[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(workspace.folder, "by-hand.yaml");
  writeFileSync(file, configuration);
  for (const phase of wanted) {
    const where = phase[0] === "kubeconfig" ? ["--kubeconfig-dir", folder] : [];
    await run(kubeadm, ["init", "phase", ...phase, "--config", file, ...where]);
  }
}

/** What kubeadm writes for a control plane and, where that is another machine, for a member of etcd. */
async function byKubeadm({ topology, family, name }: Case): Promise<{ cp: string; member?: string }> {
  const { addresses, etcd, services, endpoint } = FAMILIES[family];
  const isBoth = family === "both";
  const cp = path.join(workspace.folder, "kubeadm", name, "cp-1", "etc/kubernetes");
  const memberFolder = path.join(workspace.folder, "kubeadm", name, "etcd-1");
  const common = {
    kind: "ClusterConfiguration",
    kubernetesVersion: await version(),
    encryptionAlgorithm: name === RSA ? "RSA-2048" : "ECDSA-P256",
  };
  // https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/setup-ha-etcd-with-kubeadm/
  if (topology === "members") {
    const others = isBoth ? etcd.slice(1) : [];
    const member = {
      ...common,
      certificatesDir: path.join(memberFolder, "pki"),
      etcd: { local: { serverCertSANs: others, peerCertSANs: others } },
    };
    const certificates = ["etcd-ca", "etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client"];
    const documents = [initConfiguration("etcd-1", etcd[0]), member];
    await phases(configurations(documents), memberFolder, ...certificates.map((phase) => ["certs", phase]));
    mkdirSync(path.join(cp, "pki/etcd"), { recursive: true });
    for (const file of ["etcd/ca.crt", "apiserver-etcd-client.crt", "apiserver-etcd-client.key"]) {
      copyFileSync(path.join(memberFolder, "pki", file), path.join(cp, "pki", file));
    }
    for (const ending of ["crt", "key"]) {
      rmSync(path.join(memberFolder, `pki/apiserver-etcd-client.${ending}`));
    }
  }
  const pki = "/etc/kubernetes/pki";
  const others = isBoth ? OTHER_FAMILY.addresses : [];
  const cluster = {
    ...common,
    clusterName: name,
    controlPlaneEndpoint: endpoint,
    certificatesDir: path.join(cp, "pki"),
    networking: { dnsDomain: DOMAIN, serviceSubnet: services.join() },
    apiServer: { certSANs: [...MORE_NAMES, ...(isBoth ? [...others, OTHER_FAMILY.service] : [])] },
    etcd:
      topology === "stacked"
        ? { local: { serverCertSANs: others, peerCertSANs: others } }
        : {
            external: {
              endpoints: [ETCD_ELSEWHERE],
              caFile: `${pki}/etcd/ca.crt`,
              certFile: `${pki}/apiserver-etcd-client.crt`,
              keyFile: `${pki}/apiserver-etcd-client.key`,
            },
          },
  };
  const documents = [initConfiguration("cp-1", addresses[0]), cluster];
  await phases(configurations(documents), cp, ["certs", "all"], ["kubeconfig", "all"]);
  return topology === "members" ? { cp, member: memberFolder } : { cp };
}

async function version(): Promise<string> {
  return (await run(kubeadm, ["version", "-o", "short"])).trim();
}

// What files say, read by others than the code under test ---------------------------------------------------------------

type Said = Readonly<Record<string, unknown>>;

/** What each file says, by its path below /etc/kubernetes. Configurations are read by kubeadm, below. */
async function said(root: string): Promise<Record<string, Said>> {
  const files = filesIn(root).filter((file) => !file.endsWith(".yaml"));
  const facts = await Promise.all(files.map(async (file) => [file, await fileSays(root, file)] as const));
  return Object.fromEntries(facts);
}

async function fileSays(root: string, file: string): Promise<Said> {
  const text = readFileSync(path.join(root, file), "utf8");
  if (file.endsWith(".crt")) {
    return certificateSays(text, root);
  }
  if (file.endsWith(".conf")) {
    return kubeconfigSays(text, root);
  }
  if (file.endsWith(".pub")) {
    const pair = createPublicKey(readFileSync(path.join(root, file.replace(/pub$/, "key"))));
    return { publicKeyOfPair: pair.equals(createPublicKey(text)) };
  }
  const certificate = path.join(root, file.replace(/key$/, "crt"));
  return {
    privateKey: createPrivateKey(text).type,
    ...(existsSync(certificate) ? { ofCertificate: isKeyOf(text, readFileSync(certificate, "utf8")) } : {}),
  };
}

function isKeyOf(key: string, certificate: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

async function certificateSays(pem: string, root: string): Promise<Said> {
  const found = new X509Certificate(pem);
  const text = await run("openssl", ["x509", "-noout", "-ext", "keyUsage"], { input: pem });
  const { asymmetricKeyType, asymmetricKeyDetails } = found.publicKey;
  const authorities = ["ca", "front-proxy-ca", "etcd/ca"].filter((name) => {
    const file = path.join(root, `pki/${name}.crt`);
    if (!existsSync(file)) {
      return false;
    }
    const authority = new X509Certificate(readFileSync(file));
    return found.checkIssued(authority) && found.verify(authority.publicKey);
  });
  return {
    certificates: pem.match(/BEGIN CERTIFICATE/g)!.length,
    subject: found.subject,
    issuer: found.issuer,
    authorities,
    isAuthority: found.ca,
    names: (found.subjectAltName ?? "").split(", ").sort(),
    extendedUsages: [...(found.keyUsage ?? [])].sort(),
    usages: text.trim().split("\n").slice(1).join().trim().split(", ").sort(),
    isCritical: /Key Usage: critical/.test(text),
    key: [asymmetricKeyType, asymmetricKeyDetails],
  };
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, string>> }[];
  readonly contexts: readonly unknown[];
  readonly "current-context": string;
}

async function kubeconfigSays(text: string, root: string): Promise<Said> {
  const { clusters, users, contexts, "current-context": current } = parse(text) as Kubeconfig;
  const [{ name, cluster }] = clusters as [Kubeconfig["clusters"][number]];
  const [{ name: user, user: credentials }] = users as [Kubeconfig["users"][number]];
  const data = (value: string | undefined) => Buffer.from(value ?? "", "base64").toString();
  const certificate = data(credentials["client-certificate-data"]);
  const authority = readFileSync(path.join(root, "pki/ca.crt"), "utf8");
  return {
    names: [name, user, clusters.length, users.length],
    contexts,
    current,
    server: cluster["server"],
    fields: [Object.keys(cluster).sort(), Object.keys(credentials).sort()],
    trustsAuthority: data(cluster["certificate-authority-data"]).trim() === authority.trim(),
    hasKey: isKeyOf(data(credentials["client-key-data"]), certificate),
    client: await certificateSays(certificate, root),
  };
}

/**
 * kubeadm's, but for what RFC 8813 and RFC 5280, 4.2.1.12, say of key encipherment: it is for RSA, and for servers. Authorities here may
 * sign revocation lists in its place.
 */
function withUsagesOfHere(facts: Record<string, Said>): Record<string, Said> {
  return Object.fromEntries(Object.entries(facts).map(([file, fact]) => [file, usagesOfHere(fact)]));
}

function usagesOfHere({ client, ...fact }: Said): Said {
  const { usages, extendedUsages, isAuthority, key } = fact as Record<string, string[] | undefined>;
  if (client) {
    return { ...fact, client: usagesOfHere(client as Said) };
  }
  const isRsaServer = key?.[0] === "rsa" && extendedUsages?.includes("1.3.6.1.5.5.7.3.1");
  const without = usages?.filter((usage) => usage !== "Key Encipherment" || isRsaServer);
  return { ...fact, ...(without ? { usages: isAuthority ? [...without, "CRL Sign"].sort() : without } : {}) };
}

describe.each(CASES)("etcd $topology, $family", (each) => {
  let theirs: { cp: string; member?: string };
  let ours: string;

  beforeAll(async () => {
    theirs = await byKubeadm(each);
    ours = path.join(await exported(each.name, ["--machine", "cp-1"], "ours"), "etc/kubernetes");
    const operator = await exported(each.name, ["--operator"], "ours");
    copyFileSync(path.join(operator, "super-admin.conf"), path.join(ours, "super-admin.conf"));
  });

  test("a control plane has the files that kubeadm writes, and three more", () => {
    const more = ["cluster-configuration.yaml", "join-configuration.yaml", "pki/ca-signing.crt"];
    expect(filesIn(ours)).toEqual([...filesIn(theirs.cp), ...more].sort());
  });

  test("they say what kubeadm's say", async () => {
    const { "pki/ca-signing.crt": signer, ...facts } = await said(ours);
    expect(facts).toEqual(withUsagesOfHere(await said(theirs.cp)));
    expect(signer).toEqual(facts["pki/ca.crt"]);
  });

  const testOfMember = each.topology === "members" ? test : test.skip;
  test("kubeadm finds all that expire, and none missing", async () => {
    const listed = async (root: string) => {
      const config = ["--config", "/etc/kubernetes/cluster-configuration.yaml"];
      const args = ["certs", "check-expiration", ...config, "--rootfs", path.join(root, "../..")];
      const { stdout, stderr, code } = await inRoot(args);
      expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.not.stringContaining("MISSING") });
      return stdout.split("\n").flatMap((line) => /^(\S+) +\w{3} \d{2}, \d{4} \d{2}:\d{2} UTC/.exec(line)?.[1] ?? []);
    };
    const found = await listed(ours);
    const configuration = path.join(theirs.cp, "cluster-configuration.yaml");
    copyFileSync(path.join(ours, "cluster-configuration.yaml"), configuration);
    expect(found).toEqual(await listed(theirs.cp));
    rmSync(configuration);
    expect(found.length).toBeGreaterThan(8);
  });

  testOfMember("a member of etcd has the files that kubeadm writes there, which say the same", async () => {
    const member = path.join(await exported(each.name, ["--machine", "etcd-1"], "ours"), "etc/kubernetes");
    expect(filesIn(member)).toEqual(filesIn(theirs.member!));
    expect(await said(member)).toEqual(withUsagesOfHere(await said(theirs.member!)));
  });
});

// kubeadm, over what is delivered ---------------------------------------------------------------------------------------

/** Phases that are run here over delivered files, with the configuration that is delivered. */
const RUN = ["preflight", "certs", "kubeconfig", "etcd", "control-plane"];

/** Phases that cannot be: they want a kubelet that starts pods, or the API server that those are. */
const NOT_RUN = [
  "kubelet-start",
  "wait-control-plane",
  "upload-config",
  "upload-certs",
  "mark-control-plane",
  "bootstrap-token",
  "kubelet-finalize",
  "addon",
  "show-join-command",
];

test(`all phases of kubeadm init are run here but ${NOT_RUN.join(", ")}`, async () => {
  const help = await run(kubeadm, ["init", "--help"]);
  const found = [...help.split("```")[1]!.matchAll(/^([a-z-]+) /gm)].map(([, phase]) => phase!);
  expect(found.sort()).toEqual([...RUN, ...NOT_RUN].sort());
});

/** What preflight wants of a machine, and a folder that stands for one has not: no file from here is among it. */
const OF_THE_MACHINE =
  /^(CRI|ContainerRuntimeVersion|FileExisting-.*|SystemVerification|KubeletVersion|FileContent--proc-.*|ExternalEtcdVersion|IsPrivilegedUser|NumCPU|Mem|Swap|Port-\d+)$/;

/** What a preflight finds. */
function kindsIn(stderr: string): string[] {
  return [...stderr.matchAll(/^\t\[ERROR ([^\]]+)\]/gm)].map(([, kind]) => kind!);
}

/** kubeadm asks members that are not there again and again, for 15 s: once is enough. */
const PREFLIGHT = CASES.filter(({ topology, family }) => topology !== "members" || family === "both");

test.each(PREFLIGHT)(
  "over what is delivered, preflight misses the machine alone, and none of the files: etcd $topology, $family",
  async ({ name, topology }) => {
    const root = await exported(name, ["--machine", "cp-1"], "preflight");
    await nameVersion(root);
    const delivered = hashes(root);
    const { stderr } = await init(root, "preflight");
    const kinds = kindsIn(stderr);
    expect(kinds).toContain("CRI");
    // The client of an etcd that others run is theirs to deliver.
    const missing = topology === "external" ? Array<string>(3).fill("ExternalEtcdClientCertificates") : [];
    expect(kinds.filter((kind) => !OF_THE_MACHINE.test(kind))).toEqual(missing);
    expect(hashes(root)).toEqual(delivered);
  },
);

describe.each(CASES)("kubeadm init over what is delivered, etcd $topology, $family", ({ name, topology, family }) => {
  let root: string;
  let delivered: Record<string, string>;

  beforeAll(async () => {
    root = await exported(name, ["--machine", "cp-1"], "init");
    await nameVersion(root);
    delivered = hashes(root);
  });

  test("certs all uses what it finds, and writes nothing", async () => {
    const { code, stdout, stderr } = await init(root, "certs", "all");
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/^E/m) });
    expect(stdout).not.toMatch(/Generating/);
    const skipped = topology === "stacked" ? [] : stdout.match(/External etcd mode: Skipping/g)!;
    expect(skipped).toHaveLength(topology === "stacked" ? 0 : 5);
    expect(stdout.match(/Using (the )?existing/g)).toHaveLength(11 - skipped.length);
    expect(hashes(root)).toEqual(delivered);
  });

  test("kubeconfig all uses what it finds, and writes super-admin.conf, which nobody delivers", async () => {
    const { code, stdout } = await init(root, "kubeconfig", "all");
    expect(code).toBe(0);
    expect(stdout.match(/Using existing kubeconfig file/g)).toHaveLength(4);
    const { "etc/kubernetes/super-admin.conf": added, ...rest } = hashes(root);
    expect(added).toBeDefined();
    expect(rest).toEqual(delivered);
    rmSync(path.join(root, "etc/kubernetes/super-admin.conf"));
  });

  test("the pods that it would start read files that are there, and know where etcd is", async () => {
    expect(await init(root, "control-plane", "all")).toMatchObject({ code: 0 });
    expect(await init(root, "etcd", "local")).toMatchObject({ code: 0 });
    const manifests = path.join(root, "etc/kubernetes/manifests");
    const pods = topology === "stacked" ? ["etcd"] : [];
    expect(readdirSync(manifests).sort()).toEqual(
      [...pods, ...["apiserver", "controller-manager", "scheduler"].map((part) => `kube-${part}`)].map(
        (pod) => `${pod}.yaml`,
      ),
    );
    const flags = readdirSync(manifests).flatMap((file) => commandOf(path.join(manifests, file)));
    const read = new Set(flags.flatMap((flag) => /=(\/etc\/kubernetes\/.*)$/.exec(flag)?.[1] ?? []));
    const missing = [...read].filter((file) => !existsSync(path.join(root, file))).sort();
    const pki = "/etc/kubernetes/pki";
    expect(missing).toEqual(
      topology === "external"
        ? [`${pki}/apiserver-etcd-client.crt`, `${pki}/apiserver-etcd-client.key`, `${pki}/etcd/ca.crt`]
        : [],
    );
    const [address, member] = [FAMILIES[family].addresses[0], FAMILIES[family].etcd[0]];
    const bracketed = (host: string) => (host.includes(":") ? `[${host}]` : host);
    const servers: Record<Topology, string> = {
      stacked: "https://127.0.0.1:2379",
      members: `https://${bracketed(member)}:2379`,
      external: ETCD_ELSEWHERE,
    };
    const local = family === "IPv6" ? "https://[::1]:2379" : servers.stacked;
    for (const flag of [
      `--etcd-servers=${topology === "stacked" ? local : servers[topology]}`,
      `--advertise-address=${address}`,
      `--secure-port=${BIND_PORT}`,
      `--cluster-signing-cert-file=${pki}/ca-signing.crt`,
      "--cluster-signing-duration=720h0m0s",
      `--service-cluster-ip-range=${FAMILIES[family].services.join()}`,
    ]) {
      expect(flags).toContain(flag);
    }
    rmSync(manifests, { recursive: true });
    expect(Object.fromEntries(Object.entries(hashes(root)).filter(([file]) => !/^(var|tmp)\//.test(file)))).toEqual(
      delivered,
    );
  });
});

describe("kubelets that serve with a certificate", () => {
  test("have it where a kubelet makes one otherwise, for its machine's names", async () => {
    for (const [machine, names] of Object.entries({
      "cp-1": ["cp-1", "10.0.0.11", "fd00::11"],
      "worker-1": ["worker-1"],
    })) {
      const root = await exported("serving", ["--machine", machine], "kubelet");
      const [ca, certificate] = ["etc/kubernetes/pki/ca.crt", "var/lib/kubelet/pki/kubelet.crt"];
      const verified = await run("openssl", ["verify", "-purpose", "sslserver", "-CAfile", ca, certificate], {
        cwd: root,
      });
      expect(verified).toBe(`${certificate}: OK\n`);
      const made = new X509Certificate(readFileSync(path.join(root, certificate)));
      expect(
        made.checkPrivateKey(createPrivateKey(readFileSync(path.join(root, "var/lib/kubelet/pki/kubelet.key")))),
      ).toBe(true);
      names.forEach((name) =>
        expect(name.includes(".") || name.includes(":") ? made.checkIP(name) : made.checkHost(name)).toBe(name),
      );
    }
  });

  test("and the API server that kubeadm makes takes no other", async () => {
    const root = await exported("serving", ["--machine", "cp-1"], "serving");
    await nameVersion(root);
    expect(await init(root, "control-plane", "apiserver")).toMatchObject({ code: 0 });
    const flags = commandOf(path.join(root, "etc/kubernetes/manifests/kube-apiserver.yaml"));
    expect(flags).toContain("--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt");
  });
});

test("a kubeadm that issues its own names what the description does, of both families", async () => {
  const root = await exported("seeded", ["--machine", "cp-1"], "init");
  await nameVersion(root);
  const delivered = hashes(root);
  expect(await init(root, "certs", "all")).toMatchObject({ code: 0 });
  expect(hashes(root)).toMatchObject(delivered);
  const { subjectAltName } = new X509Certificate(readFileSync(path.join(root, "etc/kubernetes/pki/apiserver.crt")));
  expect(subjectAltName!.split(", ").sort()).toEqual(
    [
      ...["api.example.com", "cp-1", "more.example.com"].map((dns) => `DNS:${dns}`),
      ...["kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${DOMAIN}`].map(
        (dns) => `DNS:${dns}`,
      ),
      ...["10.0.0.11", "10.96.0.1", "192.0.2.9", "FD00:10:96:0:0:0:0:1"].map((ip) => `IP Address:${ip}`),
    ].sort(),
  );
});

describe("the preflight of kubeadm join, with the configuration that is delivered", () => {
  const etc = "etc/kubernetes";

  /** What it refuses of the files of a machine that joins. */
  async function refused(root: string): Promise<string[]> {
    const before = hashes(root);
    const { stderr } = await inRoot(["join", "phase", "preflight", "--config", `/${JOIN}`, "--rootfs", root]);
    expect(stderr).toContain("preflight checks failed");
    expect(hashes(root)).toEqual(before);
    return kindsIn(stderr).filter((kind) => !OF_THE_MACHINE.test(kind));
  }

  /** The same where it is told of nothing that was delivered. */
  function refusedUntold(root: string): Promise<string[]> {
    const file = path.join(root, JOIN);
    writeFileSync(file, readFileSync(file, "utf8").replace(/^ *ignorePreflightErrors: .*\n/m, ""));
    return refused(root);
  }

  test.each(CASES)("takes a further control plane's files: etcd $topology, $family", async ({ name }) => {
    const root = await exported(name, ["--machine", "cp-1"], "join");
    expect(await refused(root)).toEqual([]);
    expect(await refusedUntold(root)).toEqual(["FileAvailable--etc-kubernetes-kubelet.conf"]);
  });

  test("takes the files of a worker with a name", async () => {
    const root = await exported("stacked-ipv4", ["--machine", "worker-1"], "join");
    expect(await refused(root)).toEqual([]);
    const files = ["kubelet.conf", "pki-ca.crt"];
    expect(await refusedUntold(root)).toEqual(files.map((file) => `FileAvailable--etc-kubernetes-${file}`));
  });

  test("takes a further control plane for which kubeadm issues, once that has made an admin.conf", async () => {
    const root = await exported("seeded", ["--machine", "cp-1"], "join");
    const args = ["join", "phase", "preflight", "--config", `/${JOIN}`, "--rootfs", root];
    expect((await inRoot(args)).stderr).toContain(`"/${etc}/admin.conf": not a valid HTTPS URL or a file on disk`);
    await nameVersion(root);
    expect(await init(root, "kubeconfig", "admin")).toMatchObject({ code: 0 });
    expect(await refused(root)).toEqual([]);
  });

  test("is not for a worker with a name for which kubeadm issues", async () => {
    const root = await exported("seeded", ["--machine", "worker-1"], "join");
    expect(filesIn(root)).toEqual([`${etc}/pki/ca.crt`]);
  });
});

/** Without a version kubeadm asks the internet for the newest. */
async function nameVersion(root: string): Promise<void> {
  const file = path.join(root, "etc/kubernetes/cluster-configuration.yaml");
  writeFileSync(file, `${readFileSync(file, "utf8")}kubernetesVersion: ${await version()}\n`);
}

function hashes(root: string): Record<string, string> {
  return Object.fromEntries(
    filesIn(root).map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(path.join(root, file)))
        .digest("hex"),
    ]),
  );
}

function commandOf(manifest: string): readonly string[] {
  const pod = parse(readFileSync(manifest, "utf8")) as { spec: { containers: { command: string[] }[] } };
  return pod.spec.containers[0]!.command;
}

function init(root: string, ...phase: readonly string[]): Promise<Ended> {
  const config = ["--config", "/etc/kubernetes/cluster-configuration.yaml"];
  return inRoot(["init", "phase", ...phase, ...config, "--rootfs", root]);
}

/** `--rootfs` is a chroot. There is no network around it, in which somebody could answer, or nobody only after a while. */
function inRoot(args: readonly string[]): Promise<Ended> {
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  return attempt("unshare", [...user, "--net", kubeadm, ...args], { env: { PATH: process.env["PATH"] } });
}
