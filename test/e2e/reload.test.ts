import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, Server } from "node:https";
import { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, TLSSocket } from "node:tls";
import { Distribution, DistributionTable } from "../../lib";
import { writeFiles } from "../../lib/export/write-files";
import { run } from "../sandbox/command";
import { Component } from "../sandbox/components";
import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import { type KubeletPort, Sandbox } from "../sandbox/sandbox";
import { describeHandshakes } from "./handshakes";
import { CATALOGUE, nameOf, readersIn, TABLES } from "../support/catalogue";

// The facts of the component catalogue, on running components: files of a control plane are replaced by those of a second
// generation, by rename as `kubernetes-pki export` does it. On kubeadm's files it is a whole rotation, whose tests build
// on one another, in an order in which the components can go on working; on K3s' files it is what kubeadm does not use.

jest.setTimeout(120_000);

const PKI = "/etc/kubernetes/pki";
const K3S = "/var/lib/rancher/k3s/server/tls";
const AGENT = "/var/lib/rancher/k3s/agent";
const COMPONENTS: readonly Component[] = ["etcd", "kube-apiserver", "kube-controller-manager"];
/** A reload has to be seen within this. */
const RELOAD_SECONDS = 15;
/** How long a file that needs a restart is left unnoticed. By hand it was 75: some files are resynced each minute. */
const UNNOTICED_SECONDS = 5;

const folder = mkdtempSync(path.join(tmpdir(), "reload-"));
/** The files of the second generation. */
let rotated: string;
let sandbox: Sandbox;
let backend: Backend;
let kubelet: KubeletPort;

async function start(distribution: string, besides = () => Promise.resolve()): Promise<void> {
  rotated = path.join(folder, distribution, "rotated");
  mkdirSync(rotated, { recursive: true });
  sandbox = await Sandbox.start({
    distribution,
    folder: path.join(folder, distribution, "sandbox"),
    nodes: [],
    progress: () => undefined,
  });
  await besides();
  await sandbox.deploy(PKI_STACK, sandbox.description.with({ rotated: true }));
  await sandbox.export(["--machine", CONTROL_PLANE], rotated, [PKI_STACK]);
  await sandbox.export(["--operator"], rotated, [PKI_STACK]);
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ETCD_CA = "kube-apiserver --etcd-cafile";

type Probe = () => Promise<boolean>;

/** By entry of the catalogue: whether the running component uses the new file. */
const PROBES_ON_KUBEADM: Readonly<Record<string, Probe>> = {
  "etcd --trusted-ca-file": () => etcdLetsIn("etcdClient", "apiserver-etcd-client"),
  "etcd --peer-trusted-ca-file": () => etcdLetsIn("etcdPeer", "etcd/peer"),
  // A handshake is signed with the key, and the key is another one too: one probe tells of both files.
  ...ofBoth("etcd", "--cert-file", "--key-file", () => servesNew("etcdClient", `${PKI}/etcd/ca.crt`)),
  ...ofBoth("etcd", "--peer-cert-file", "--peer-key-file", () => servesNew("etcdPeer", `${PKI}/etcd/ca.crt`)),

  "kube-apiserver --client-ca-file": async () => (await api("/api/v1/nodes", { as: superAdmin() })).status === 200,
  "kube-apiserver --requestheader-client-ca-file": async () => {
    return (await api("/api/v1/nodes", asFrontProxy())).status === 200;
  },
  ...ofBoth("kube-apiserver", "--tls-cert-file", "--tls-private-key-file", () =>
    servesNew("apiServer", `${PKI}/ca.crt`),
  ),
  ...ofBoth("kube-apiserver", "--kubelet-client-certificate", "--kubelet-client-key", async () => {
    await api("/api/v1/namespaces/default/pods/probe/log");
    return isSecond(backend.cameAs("/containerLogs"), `${PKI}/ca.crt`);
  }),
  ...ofBoth("kube-apiserver", "--proxy-client-cert-file", "--proxy-client-key-file", async () => {
    await api("/apis/probe.example.com/v1");
    return isSecond(backend.cameAs("/apis/probe.example.com"), `${PKI}/front-proxy-ca.crt`);
  }),
  // Once etcd trusts the new authority alone.
  ...ofBoth("kube-apiserver", "--etcd-certfile", "--etcd-keyfile", async () => {
    return !(await etcdLetsIn("etcdClient", "etcd/healthcheck-client", machine())) && (await reachesEtcd());
  }),
  // Once etcd serves the new certificate, and was restarted: connections that were open stay open.
  [ETCD_CA]: async () => (await servesNew("etcdClient", `${PKI}/etcd/ca.crt`)) && (await reachesEtcd()),
  "kube-apiserver --service-account-key-file": async () => {
    return (await api("/api/v1/nodes", { token: await ownToken() })).status === 403;
  },
  "kube-apiserver --service-account-signing-key-file": async () => isSignedByNewKey(await requestedToken()),

  "kube-controller-manager --client-ca-file": async () => (await metrics({ as: superAdmin() })) === 200,
  "kube-controller-manager --requestheader-client-ca-file": async () => (await metrics(asFrontProxy())) === 200,
  "kube-controller-manager --root-ca-file": async () => (await publishedBundle()) === read(`${PKI}/ca.crt`),
  ...ofBoth("kube-controller-manager", "--cluster-signing-cert-file", "--cluster-signing-key-file", async () => {
    return isSecond(await issuedCertificate(ASKED.client), `${PKI}/ca.crt`);
  }),
  "kube-controller-manager --service-account-private-key-file": async () => isSignedByNewKey(await legacyToken()),
  // The next three: once the API server serves a certificate of the new authority, and was restarted. The old
  // kubeconfig trusts the old authority alone.
  "kube-controller-manager --kubeconfig": async () => (await legacyToken()) !== undefined,
  // Whoever is authenticated may not read metrics; who is not, is told so.
  "kube-controller-manager --authentication-kubeconfig": async () => {
    return (await metrics({ token: await requestedToken() })) === 403;
  },
  "kube-controller-manager --authorization-kubeconfig": async () => (await metrics({ as: admin() })) === 200,
};

/** Probes that mean something only when the rotation has come so far. */
const LATER = /^kube-apiserver --etcd-cafile$|^kube-controller-manager --.*kubeconfig$/;

/** The same of what kubeadm does not use. */
const PROBES_ON_K3S: Readonly<Record<string, Probe>> = {
  ...ofBoth("kube-controller-manager", "--tls-cert-file", "--tls-private-key-file", () => {
    return servesNew("controllerManager", `${K3S}/server-ca.crt`);
  }),
  ...ofSigner("--cluster-signing-kube-apiserver-client", "client", `${K3S}/client-ca.crt`),
  ...ofSigner("--cluster-signing-kubelet-client", "kubeletClient", `${K3S}/client-ca.crt`),
  ...ofSigner("--cluster-signing-kubelet-serving", "kubeletServing", `${K3S}/server-ca.crt`),

  ...ofBoth("kubelet", "tlsCertFile", "tlsPrivateKeyFile", () => servesNew(kubelet.port, `${K3S}/server-ca.crt`)),
  "kubelet authentication.x509.clientCAFile": async () => {
    const as = identity(`${K3S}/client-kube-apiserver`);
    return (await ask(`https://127.0.0.1:${kubelet.port}/runningpods/`, { as })).status === 200;
  },
};

const PROBES = { ...PROBES_ON_KUBEADM, ...PROBES_ON_K3S };

/** Which file of a table each probe is about, and what the table says of it. */
function claimsOf({ authorities, keyPairs, certificates }: DistributionTable, probes: Readonly<Record<string, Probe>>) {
  const rows = [authorities, keyPairs, certificates].flatMap((part) => Object.values(part));
  const readers = rows.flatMap(({ files }) =>
    files.flatMap((file) => file.consumers.map((reader) => ({ ...reader, file: file.path, probe: nameOf(reader) }))),
  );
  return readers.filter(({ probe }) => probe in probes);
}

const claims = [
  ...claimsOf(Distribution.KUBEADM.table, PROBES_ON_KUBEADM),
  ...claimsOf(Distribution.K3S.table, PROBES_ON_K3S),
];

/** Of the components that run here, what cannot be shown on them. */
const NOT_SHOWN = [
  // Read again after five minutes, since 1.36.
  "kube-apiserver --kubelet-certificate-authority",
  // Nobody can ask for a certificate of this signer.
  "kube-controller-manager --cluster-signing-legacy-unknown-cert-file",
  "kube-controller-manager --cluster-signing-legacy-unknown-key-file",
];

/** Files that may be replaced at any time, those together that hold one pair. */
const HOT_ON_KUBEADM: readonly (readonly string[])[] = [
  [`${PKI}/ca.crt`],
  [`${PKI}/front-proxy-ca.crt`],
  [`${PKI}/ca-signing.crt`, `${PKI}/ca.key`],
  ofPair("apiserver-kubelet-client"),
  ofPair("front-proxy-client"),
  ofPair("etcd/peer"),
];
const HOT_ON_K3S: readonly (readonly string[])[] = [
  ofPair("kube-controller-manager/kube-controller-manager", K3S),
  [`${K3S}/client-ca.nochain.crt`, `${K3S}/client-ca.key`],
  [`${K3S}/server-ca.nochain.crt`, `${K3S}/server-ca.key`],
  ofPair("serving-kubelet", AGENT),
  [`${AGENT}/client-ca.crt`],
];

function usedByTheRunning(hot: readonly (readonly string[])[]): void {
  const named = hot.map((files) => [files.map((file) => path.basename(file)).join(" and "), files] as const);
  test.each(named)("%s: used by the running component", async (_, files) => {
    await replace(files);
    await expectUsed(reloading(files), "reload");
  });
}

test("what the catalogue calls measured is proven here, whichever table uses it", () => {
  const used = new Map(TABLES.flatMap(readersIn).map((reader) => [nameOf(reader), reader] as const));
  const measured = [...used].filter(([, reader]) => reader.measured !== undefined).map(([name]) => name);
  expect(Object.keys(PROBES).sort()).toEqual(measured.sort());
  expect([...new Set(claims.map(({ probe }) => probe))].sort()).toEqual(measured);
  const others = [...used].filter(
    ([name, { component }]) => COMPONENTS.some((one) => one === component) && !(name in PROBES),
  );
  expect(others.map(([name]) => name).sort()).toEqual(NOT_SHOWN);
});

describe("on kubeadm's files", () => {
  beforeAll(async () => {
    await start("kubeadm");
    backend = await Backend.start(identity(`${PKI}/apiserver`));
    await createObjects();
  });

  afterAll(async () => {
    await sandbox?.stop();
    await backend?.stop();
  });

  describeHandshakes(
    () => Distribution.KUBEADM.table,
    () => sandbox,
  );

  test("files that need a restart are replaced first, so that there is time to notice them", async () => {
    // The new authority alone: it tells at once who still comes with the old one.
    await replace([`${PKI}/etcd/ca.crt`], second(`${PKI}/etcd/ca.crt`).toString());
    await replace([`${PKI}/sa.pub`]);
    await replace([`${PKI}/sa.key`]);
  });

  usedByTheRunning(HOT_ON_KUBEADM);

  test("what needs a restart goes on with the old files", async () => {
    await expectUnnoticed(COMPONENTS.flatMap(needingRestart).filter((probe) => !LATER.test(probe)));
  });

  test("etcd uses a bundle after a restart, the API server its client certificate when it connects again", async () => {
    const files = ofPair("apiserver-etcd-client");
    await replace(files);
    await sandbox.restart("etcd");
    await expectUsed(needingRestart("etcd"), "restart");
    await expectUsed(probesOf(files), "reload");
  });

  test("the API server uses its own certificate at once, and the rest after a restart", async () => {
    await sandbox.export(["--operator"], sandbox.machine("operator"), [PKI_STACK]);
    await replace(ofPair("apiserver"));
    await expectUsed(reloading(ofPair("apiserver")), "reload");
    await replace(ofPair("etcd/server"));
    await expectUsed(reloading(ofPair("etcd/server")), "reload");
    await sandbox.restart("etcd");
    await expectUnnoticed([ETCD_CA]);
    await sandbox.restart("kube-apiserver");
    await expectUsed(needingRestart("kube-apiserver"), "restart");
  });

  test("the controller-manager uses the rest after a restart", async () => {
    await replace(["/etc/kubernetes/controller-manager.conf"]);
    await expectUnnoticed(needingRestart("kube-controller-manager").filter((probe) => LATER.test(probe)));
    await sandbox.restart("kube-controller-manager");
    await expectUsed(needingRestart("kube-controller-manager"), "restart");
  });
});

describe("on K3s' files", () => {
  beforeAll(() =>
    start("k3s", async () => {
      kubelet = await sandbox.startKubelet(CONTROL_PLANE);
    }),
  );

  afterAll(() => sandbox?.stop());

  usedByTheRunning(HOT_ON_K3S);
});

test("the catalogue says of each what was seen", () => {
  const told = CATALOGUE.filter(({ measured }) => measured).map((entry) => [nameOf(entry), entry.onChange] as const);
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(told));
});

/** By consumer, what it took. */
const seen = new Map<string, "reload" | "restart">();

/** Puts the new files in place, after it was seen that the old ones are used. */
async function replace(files: readonly string[], text?: string): Promise<void> {
  for (const probe of probesOf(files).filter((probe) => !LATER.test(probe))) {
    expect([probe, await PROBES[probe]!()]).toEqual([probe, false]);
  }
  const finished = files.map((file) => ({ path: file, text: text ?? read(file), mode: "0600", owner: "root:root" }));
  const order = {
    root: machine(),
    files: finished,
    origins: [],
    directoryMode: 0o755,
    records: "/records",
    prune: false,
  };
  expect(writeFiles(order).outcomes).toEqual(files.map(() => "written"));
}

function probesOf(files: readonly string[]): string[] {
  return claims.filter(({ file }) => files.includes(file)).map(({ probe }) => probe);
}

function reloading(files: readonly string[]): string[] {
  const found = claims.filter(({ file, onChange }) => files.includes(file) && onChange === "reload");
  return found.map(({ probe }) => probe);
}

function needingRestart(component: Component): string[] {
  const onKubeadm = claims.filter(({ probe }) => probe in PROBES_ON_KUBEADM);
  const found = onKubeadm.filter((claim) => claim.component === component && claim.onChange === "restart");
  return found.map(({ probe }) => probe);
}

async function expectUnnoticed(probes: readonly string[]): Promise<void> {
  await sleep(UNNOTICED_SECONDS * 1000);
  for (const probe of probes) {
    expect([probe, await PROBES[probe]!()]).toEqual([probe, false]);
  }
}

async function expectUsed(probes: readonly string[], after: "reload" | "restart"): Promise<void> {
  for (const probe of probes) {
    const end = Date.now() + RELOAD_SECONDS * 1000;
    while (!(await PROBES[probe]!())) {
      if (Date.now() > end) {
        throw new Error(`${probe}: the new file is not used within ${RELOAD_SECONDS} s`);
      }
      await sleep(100);
    }
    if (!seen.has(probe)) {
      seen.set(probe, after);
    }
  }
}

// Files ---------------------------------------------------------------------------------------------------------------

function machine(): string {
  return sandbox.machine(CONTROL_PLANE);
}

function read(file: string, root = rotated): string {
  return readFileSync(path.join(root, file), "utf8");
}

function ofPair(base: string, root: string = PKI): string[] {
  return [`${root}/${base}.crt`, `${root}/${base}.key`];
}

function ofSigner(flags: string, asked: keyof typeof ASKED, bundle: string): Record<string, Probe> {
  return ofBoth("kube-controller-manager", `${flags}-cert-file`, `${flags}-key-file`, async () => {
    return isSecond(await issuedCertificate(ASKED[asked]), bundle);
  });
}

function ofBoth(component: string, certificate: string, key: string, probe: Probe): Record<string, Probe> {
  return { [`${component} ${certificate}`]: probe, [`${component} ${key}`]: probe };
}

interface Identity {
  readonly cert: string;
  readonly key: string;
}

function identity(base: string, root = rotated): Identity {
  return { cert: read(`${base}.crt`, root), key: read(`${base}.key`, root) };
}

function identityIn(kubeconfig: string): Identity {
  const text = readFileSync(kubeconfig, "utf8");
  const decoded = (name: string) => Buffer.from(new RegExp(`${name}: (.*)`).exec(text)![1]!, "base64").toString();
  return { cert: decoded("client-certificate-data"), key: decoded("client-key-data") };
}

function superAdmin(): Identity {
  return identityIn(path.join(rotated, "super-admin.conf"));
}

function admin(): Identity {
  return identityIn(path.join(rotated, "admin.conf"));
}

/** The second generation of an authority. */
function second(bundle: string): X509Certificate {
  const certificates = read(bundle).match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/g)!;
  return certificates.map((pem) => new X509Certificate(pem)).find(({ subject }) => subject.includes("OU=g2"))!;
}

function isSecond(certificate: X509Certificate | undefined, bundle: string): boolean {
  return certificate?.verify(second(bundle).publicKey) ?? false;
}

// Requests ------------------------------------------------------------------------------------------------------------

interface Answer {
  readonly status?: number;
  readonly body: string;
}

interface Asking {
  /** @default - whoever the token is of, else the break-glass identity */
  readonly as?: Identity;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: object;
}

/** An answer on a connection of its own; without a status when there is none. */
function ask(url: string, { as, token, headers, method, body }: Asking): Promise<Answer> {
  const authorization = token && { Authorization: `Bearer ${token}` };
  const type = body && { "Content-Type": "application/json" };
  const options = { ...as, method, agent: false, rejectUnauthorized: false, timeout: 5000 };
  return new Promise((resolve) => {
    const asked = request(url, { ...options, headers: { ...headers, ...authorization, ...type } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.once("close", () => resolve({ status: response.statusCode, body: text }));
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve({ body: "" }));
    asked.end(body && JSON.stringify(body));
  });
}

function api(at: string, asking: Asking = {}): Promise<Answer> {
  const as = asking.token ? undefined : identityIn(sandbox.first);
  return ask(`${sandbox.server}${at}`, { as, ...asking });
}

async function create<T>(at: string, body: object): Promise<T> {
  const { status, body: text } = await api(at, { method: "POST", body });
  if (status !== 201) {
    throw new Error(`POST ${at}: ${status} ${text}`);
  }
  return JSON.parse(text) as T;
}

async function metrics(asking: Asking): Promise<number | undefined> {
  return (await ask(`https://127.0.0.1:${sandbox.ports.controllerManager}/metrics`, asking)).status;
}

function asFrontProxy(): Asking {
  const headers = { "X-Remote-User": "probe", "X-Remote-Group": "system:masters" };
  return { as: identity(`${PKI}/front-proxy-client`), headers };
}

async function etcdLetsIn(port: "etcdClient" | "etcdPeer", base: string, root = rotated): Promise<boolean> {
  const url = `https://127.0.0.1:${sandbox.ports[port]}/version`;
  return (await ask(url, { as: identity(`${PKI}/${base}`, root) })).status === 200;
}

async function reachesEtcd(): Promise<boolean> {
  return (await api("/api/v1/namespaces/default")).status === 200;
}

function servesNew(at: keyof Sandbox["ports"] | number, bundle: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const port = typeof at === "number" ? at : sandbox.ports[at];
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(isSecond(socket.getPeerX509Certificate(), bundle));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** What `look` finds, once it finds something. */
async function found<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = Date.now() + 5000;
  for (;;) {
    const value = await look();
    if (value !== undefined || Date.now() > end) {
      return value;
    }
    await sleep(100);
  }
}

interface Named {
  readonly metadata: { readonly name: string; readonly uid: string };
}

/** The root certificates that a new namespace is given. */
async function publishedBundle(): Promise<string | undefined> {
  const { metadata } = await create<Named>("/api/v1/namespaces", { metadata: { generateName: "probe-" } });
  return found(async () => {
    const { status, body } = await api(`/api/v1/namespaces/${metadata.name}/configmaps/kube-root-ca.crt`);
    return status === 200 ? (JSON.parse(body) as { data: Record<string, string> }).data["ca.crt"] : undefined;
  });
}

/** What may be asked of the controller-manager's signers: each looks at subject, names and usages. */
const ASKED = {
  client: { signer: "kubernetes.io/kube-apiserver-client", subject: "/CN=probe", usages: ["client auth"] },
  kubeletClient: {
    signer: "kubernetes.io/kube-apiserver-client-kubelet",
    subject: "/O=system:nodes/CN=system:node:probe",
    usages: ["digital signature", "client auth"],
  },
  kubeletServing: {
    signer: "kubernetes.io/kubelet-serving",
    subject: "/O=system:nodes/CN=system:node:probe",
    san: "DNS:probe",
    usages: ["digital signature", "server auth"],
  },
} as const;

interface Asked {
  readonly signer: string;
  readonly subject: string;
  readonly san?: string;
  readonly usages: readonly string[];
}

/** A certificate that is issued now. */
async function issuedCertificate({ signer, subject, san, usages }: Asked): Promise<X509Certificate | undefined> {
  const at = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const names = san ? ["-addext", `subjectAltName=${san}`] : [];
  const args = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject];
  const pem = await run("openssl", [...args, ...names, "-keyout", path.join(folder, "probe.key")]);
  const made = await create<Named>(at, {
    metadata: { generateName: "probe-" },
    spec: { request: Buffer.from(pem).toString("base64"), signerName: signer, usages },
  });
  const one = `${at}/${made.metadata.name}`;
  const approved = { ...made, status: { conditions: [{ type: "Approved", status: "True", reason: "Probe" }] } };
  await api(`${one}/approval`, { method: "PUT", body: approved });
  return found(async () => {
    const { status } = JSON.parse((await api(one)).body) as { status: { certificate?: string } };
    return status.certificate === undefined
      ? undefined
      : new X509Certificate(Buffer.from(status.certificate, "base64"));
  });
}

// Tokens --------------------------------------------------------------------------------------------------------------

const DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default";

/** One that the API server signs. */
async function requestedToken(): Promise<string> {
  const made = await create<{ status: { token: string } }>(`${DEFAULT_ACCOUNT}/token`, { spec: {} });
  return made.status.token;
}

/** One that the controller-manager signs. */
async function legacyToken(): Promise<string | undefined> {
  const { metadata } = await create<Named>("/api/v1/namespaces/default/secrets", {
    metadata: { generateName: "probe-", annotations: { "kubernetes.io/service-account.name": "default" } },
    type: "kubernetes.io/service-account-token",
  });
  const token = await found(async () => {
    const { body } = await api(`/api/v1/namespaces/default/secrets/${metadata.name}`);
    return (JSON.parse(body) as { data?: { token?: string } }).data?.token;
  });
  return token && Buffer.from(token, "base64").toString();
}

/** One that is signed here, with the new key. */
async function ownToken(): Promise<string> {
  const { metadata } = JSON.parse((await api(DEFAULT_ACCOUNT)).body) as Named;
  const issuer = "https://kubernetes.default.svc.cluster.local";
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{
      iss: issuer,
      aud: [issuer],
      sub: "system:serviceaccount:default:default",
      iat: now,
      nbf: now,
      exp: now + 3600,
    },
    "kubernetes.io": { namespace: "default", serviceaccount: { name: "default", uid: metadata.uid } },
  };
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encoded({ alg: "RS256" })}.${encoded(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), createPrivateKey(read(`${PKI}/sa.key`)));
  return `${signed}.${signature.toString("base64url")}`;
}

function isSignedByNewKey(token: string | undefined): boolean {
  const [header, claims, signature] = (token ?? "").split(".");
  const key = createPublicKey(read(`${PKI}/sa.key`));
  return verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature ?? "", "base64url"));
}

// What the API server connects to -------------------------------------------------------------------------------------

/** A kubelet and an aggregated API server that remember with which certificate the API server came. */
class Backend {
  public static async start(identity: Identity): Promise<Backend> {
    const backend = new Backend();
    const options = { ...identity, requestCert: true, rejectUnauthorized: false };
    backend.server = createServer(options, (incoming, response) => {
      backend.seen.push([incoming.url!, (incoming.socket as TLSSocket).getPeerX509Certificate()]);
      // A connection that stays open keeps the certificate it was made with.
      response.writeHead(200, { "Content-Type": "application/json", Connection: "close" });
      response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: "probe.example.com/v1", resources: [] }));
    });
    await new Promise<void>((resolve) => backend.server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  private server!: Server;
  private readonly seen: [url: string, certificate: X509Certificate | undefined][] = [];

  public get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The certificate that came last. */
  public cameAs(prefix: string): X509Certificate | undefined {
    return this.seen.findLast(([url]) => url.startsWith(prefix))?.[1];
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What makes the API server connect to the backend as a kubelet, and as an aggregated API server. */
async function createObjects(): Promise<void> {
  await create("/api/v1/nodes", {
    metadata: { name: "probe" },
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: backend.port } },
    },
  });
  await found(async () => ((await api(DEFAULT_ACCOUNT)).status === 200 ? true : undefined));
  await create("/api/v1/namespaces/default/pods", {
    metadata: { name: "probe" },
    spec: { nodeName: "probe", containers: [{ name: "probe", image: "probe" }] },
  });
  await create("/api/v1/namespaces/default/services", {
    metadata: { name: "probe" },
    // The one kind of service whose backend may be on loopback.
    spec: { type: "ExternalName", externalName: "localhost" },
  });
  await create("/apis/apiregistration.k8s.io/v1/apiservices", {
    metadata: { name: "v1.probe.example.com" },
    spec: {
      ...{ group: "probe.example.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 },
      service: { namespace: "default", name: "probe", port: backend.port },
      insecureSkipTLSVerify: true,
    },
  });
}
