import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TlsOptions } from "node:tls";
import type { VerifyReport } from "../../../lib/verify/report";
import { jsonTexts } from "../../support/json-texts";
import { expectOneLine, kubernetesPki, put, putStack, Result } from "./command";

// Real servers of TLS, on certificates that openssl made: what `verify` says of them, by a state and an inventory that are written by hand.

const SERVER_CERTIFICATES = {
  /** What the state has. */
  issued: ["g1", "/CN=kube-apiserver", "20300101000000Z", "20400101000000Z"],
  /** As it was before it was renewed. */
  old: ["g1", "/CN=kube-apiserver", "20290101000000Z", "20300701000000Z"],
  newer: ["g1", "/CN=kube-apiserver", "20300201000000Z", "20410101000000Z"],
  promoted: ["g2", "/CN=kube-apiserver", "20300301000000Z", "20400101000000Z"],
  expired: ["g1", "/CN=kube-apiserver", "20290101000000Z", "20300501000000Z"],
  early: ["g1", "/CN=kube-apiserver", "20310101000000Z", "20400101000000Z"],
  else: ["g1", "/CN=cp-2", "20300101000000Z", "20400101000000Z"],
  elsewhere: ["etcd", "/CN=kube-apiserver", "20300101000000Z", "20400101000000Z"],
  stranger: ["impostor", "/CN=kube-apiserver", "20300101000000Z", "20400101000000Z"],
  /** What the cluster signs for nodes. */
  node1: ["g1", "/O=system:nodes/CN=system:node:node-1", "20300515000000Z", "20300614000000Z"],
  renewed1: ["g2", "/O=system:nodes/CN=system:node:node-1", "20300531000000Z", "20300630000000Z"],
  node2: ["g2", "/O=system:nodes/CN=system:node:node-2", "20300520000000Z", "20300619000000Z"],
  strange1: ["impostor", "/O=system:nodes/CN=system:node:node-1", "20300531000000Z", "20300630000000Z"],
} as const;

const AUTHORITIES = {
  g1: "/CN=kubernetes",
  g2: "/CN=kubernetes/OU=g2",
  g3: "/CN=kubernetes/OU=g3",
  etcd: "/CN=etcd-ca",
  /** Says that it is the first generation, and has another key. */
  impostor: "/CN=kubernetes",
  other: "/CN=other\u001b[31m",
} as const;

type Authority = keyof typeof AUTHORITIES;
type Served = keyof typeof SERVER_CERTIFICATES;

const NOW = () => new Date("2030-06-01T00:00:00Z");
const certificates = mkdtempSync(join(tmpdir(), "verify-"));
const servers: Server[] = [];

const pem = (name: string) => readFileSync(join(certificates, name), "utf8");

beforeAll(() => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: certificates, stdio: "pipe" });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const end = ["-days", "36500"];
  for (const [name, subject] of Object.entries(AUTHORITIES)) {
    openssl("req", "-x509", ...ec, ...end, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.crt`);
  }
  writeFileSync(join(certificates, "index"), "");
  writeFileSync(
    join(certificates, "ca.cnf"),
    "[ca]\ndefault_ca=own\n[own]\ndatabase=index\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\norganizationName=optional\n",
  );
  for (const [name, [authority, subject, from, to]] of Object.entries(SERVER_CERTIFICATES)) {
    openssl("req", "-new", ...ec, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signer = ["-cert", `${authority}.crt`, "-keyfile", `${authority}.key`];
    const made = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-outdir", ".", "-md", "sha256", "-notext", "-batch"];
    const times = ["-startdate", from, "-enddate", to];
    openssl("ca", "-config", "ca.cnf", ...signer, ...made, ...times);
    writeFileSync(join(certificates, "index"), "");
  }
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

afterAll(() => rmSync(certificates, { recursive: true }));

/** A server on a port of its own. */
async function serve(served: Served, trusted: readonly Authority[], more: TlsOptions = {}): Promise<number> {
  const clients = trusted.length > 0 ? { requestCert: true, ca: trusted.map((name) => pem(`${name}.crt`)) } : {};
  const server = createServer({ cert: pem(`${served}.crt`), key: pem(`${served}.key`), ...clients, ...more });
  server.on("tlsClientError", () => undefined);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

type States = Readonly<Record<string, string>>;

const shown = (via: string, path: string) => ({ via, path });

function inventory(states: States, more: object = {}): object {
  const consumer = { component: "kube-apiserver", via: "--client-ca-file", onChange: "reload" };
  const serving = { ...consumer, via: "--tls-cert-file" };
  const others = { component: "kube-apiserver", via: "--kubelet-certificate-authority", onChange: "restart" };
  const bundle = { holder: "cp-1", path: "/ca.crt", kind: "bundle", consumers: [consumer] };
  const ofWorkers = {
    ...bundle,
    holder: "worker",
    consumers: [{ ...consumer, component: "kubelet", via: "clientCAFile" }],
  };
  const kubelets = { ...bundle, path: "/kubelets.crt", consumers: [others] };
  const generation = (name: string, id: string, state: string, files: readonly object[]) => ({
    ...{ kind: "authority", cluster: "pki", name, generation: id, state, files },
    subject: AUTHORITIES[(name === "kubernetes" ? id : name) as Authority].slice(1).replace("/", ", "),
    ...{ sans: [], path: "stack/pki", addresses: [`tls_self_signed_cert.pki__ca__${name}__${id}`] },
  });
  return {
    schemaVersion: 2,
    stack: "stack",
    entries: [
      generation("etcd", "g1", "active", []),
      ...Object.entries(states).map(([id, state]) =>
        generation("kubernetes", id, state, [bundle, kubelets, ofWorkers]),
      ),
      {
        ...{ kind: "certificate", cluster: "pki", name: "apiserver", holder: "cp-1", issuedBy: "terraform" },
        ...{ subject: "CN=kube-apiserver", usage: "server", sans: [], path: "stack/pki" },
        addresses: ["tls_locally_signed_cert.pki__cp-1__apiserver"],
        issuer: { authority: "kubernetes", generation: "g1" },
        files: [{ ...bundle, path: "/apiserver.crt", kind: "certificate", consumers: [serving] }],
      },
    ],
    machines: [
      {
        ...{ cluster: "pki", name: "cp-1", addresses: ["127.0.0.1"] },
        ports: [
          {
            component: "kube-apiserver",
            number: 6443,
            setBy: "--secure-port",
            files: [shown("--tls-cert-file", "/apiserver.crt"), shown("--client-ca-file", "/ca.crt")],
          },
        ],
      },
      {
        ...{ cluster: "pki", name: "worker", addresses: [] },
        ports: [{ component: "kubelet", number: 10250, setBy: "port", files: [shown("clientCAFile", "/ca.crt")] }],
      },
    ],
    ...more,
  };
}

function state(states: States): object {
  const ca = { kubernetes: states, etcd: { g1: "active" } };
  const cert = (address: string, file: string) => ({ address, mode: "managed", values: { cert_pem: pem(file) } });
  return {
    format_version: "1.0",
    values: {
      outputs: { pki_certificates: { value: jsonTexts({ ca, keys: {}, "cp-1": {} }) } },
      root_module: {
        resources: [
          ...Object.keys(states).map((id) => cert(`tls_self_signed_cert.pki__ca__kubernetes__${id}`, `${id}.crt`)),
          cert("tls_self_signed_cert.pki__ca__etcd__g1", "etcd.crt"),
          cert("tls_locally_signed_cert.pki__cp-1__apiserver", "issued.crt"),
        ],
      },
    },
  };
}

const ONE: States = { g1: "active" };
const INTRODUCED: States = { g1: "active", g2: "trusted" };
const RETIRED: States = { g1: "retired", g2: "active" };

/** Runs the command on a server, with a state on stdin. */
async function verify(
  port: number,
  states: States = ONE,
  ...more: string[]
): Promise<Result & { report: VerifyReport }> {
  put("inventory.json", inventory(states));
  return reported(["-", "--inventory", "inventory.json", "--port", `kube-apiserver=${port}`, ...more], state(states));
}

async function reported(
  argv: readonly string[],
  stdin: object | string = "",
): Promise<Result & { report: VerifyReport }> {
  const text = typeof stdin === "string" ? stdin : JSON.stringify(stdin);
  const result = await kubernetesPki(["verify", ...argv, "-o", "json"], { stdin: text, now: NOW });
  return { ...result, report: (result.out ? JSON.parse(result.out) : undefined) as VerifyReport };
}

test.each<[Served, number, string]>([
  ["issued", 0, "as issued"],
  ["old", 2, "the old one, until 2030-07-01"],
  ["newer", 2, "one that is newer than the state's, of 2030-02-01"],
  ["expired", 3, "expired on 2030-05-01"],
  ["early", 3, "is not valid before 2031-01-01"],
  ["else", 3, "somebody else's: CN=cp-2"],
  ["elsewhere", 3, "signed by etcd g1, where kubernetes signs"],
  ["stranger", 3, "a stranger's, signed by CN=kubernetes"],
])("a server with the certificate %s: exit code %i, %s", async (served, code, message) => {
  const result = await verify(await serve(served, ["g1"]));
  expect([result.code, result.err]).toEqual([code, ""]);
  expect(result.report.ports[0]!.served.message).toBe(message);
  expect(result.report.ports[0]!.trusted.verdict).toBe("as-issued");
});

test.each<[string, readonly Authority[], States, number, string]>([
  ["what it should", ["g1"], ONE, 0, "kubernetes g1"],
  ["both, once there are two", ["g2", "g1"], INTRODUCED, 0, "kubernetes g1+g2"],
  ["one of two", ["g1"], INTRODUCED, 2, "does not trust kubernetes g2 yet"],
  ["one that is retired", ["g1", "g2"], RETIRED, 2, "still trusts kubernetes g1"],
  ["one that is not there any more", ["g3", "g1"], ONE, 3, "trusts a stranger: CN=kubernetes, OU=g3"],
  ["another authority of the cluster", ["g1", "etcd"], ONE, 3, "trusts a stranger: etcd g1"],
  ["nobody", [], ONE, 2, "it asks for no client certificate"],
])("a server that trusts %s", async (_, trusted, states, code, message) => {
  const result = await verify(await serve("issued", trusted), states);
  expect([result.code, result.err]).toEqual([code, ""]);
  expect(result.report.ports[0]!.trusted.message).toBe(message);
});

test.each<[string, Served, readonly Authority[], States, readonly string[]]>([
  ["before anything", "issued", ["g1"], INTRODUCED, []],
  ["once it is trusted", "issued", ["g1", "g2"], INTRODUCED, ["g2:trusted"]],
  ["once it signs", "promoted", ["g1", "g2"], { g1: "trusted", g2: "active" }, ["g2:trusted", "g2:active"]],
  ["once the first is not trusted", "promoted", ["g2"], RETIRED, ["g2:trusted", "g2:active", "g1:retired"]],
  ["while the first still signs", "old", ["g2"], RETIRED, ["g2:trusted"]],
])("gates, %s", async (_, served, trusted, states, open) => {
  const port = await serve(served, trusted);
  const opened: string[] = [];
  for (const gate of ["g2:trusted", "g2:active", "g1:retired"]) {
    const withState = await verify(port, states, "--expect", `kubernetes=${gate}`);
    // Names are enough for a gate.
    const argv = [
      "--inventory",
      "inventory.json",
      "--port",
      `kube-apiserver=${port}`,
      "--expect",
      `kubernetes=${gate}`,
    ];
    expect((await reported(argv)).code).toBe(withState.code);
    expect([0, 2]).toContain(withState.code);
    opened.push(...(withState.code === 0 ? [gate] : []));
  }
  expect(opened).toEqual(open);
});

test("a gate is shut for what cannot be reached, seen or told apart, and for strangers", async () => {
  const expectation = ["--expect", "kubernetes=g1:trusted"];
  const silent = await verify(1, ONE, ...expectation);
  expect([silent.code, silent.report.expectations[0]!.reasons]).toEqual([
    2,
    ["cp-1 kube-apiserver:6443: nobody listens there, or on loopback alone"],
  ]);
  expect((await verify(await serve("issued", []), ONE, ...expectation)).code).toBe(2);
  expect((await verify(await serve("issued", ["g1", "other"]), ONE, ...expectation)).code).toBe(3);
  expect((await verify(await serve("expired", ["g1"]), ONE, ...expectation)).code).toBe(3);
  expect((await verify(await serve("issued", ["g1"]), ONE, ...expectation)).code).toBe(0);
  // No port shows anything of it.
  expect((await verify(await serve("issued", ["g1"]), ONE, "--expect", "etcd=g1:trusted")).code).toBe(2);
});

test("what TLS 1.3 hides is not seen, and a gate that needs it is shut", async () => {
  const port = await serve("issued", ["g1"], { minVersion: "TLSv1.3" });
  const { code, report } = await verify(port, ONE);
  expect([code, report.ports[0]!.served.verdict, report.ports[0]!.trusted]).toEqual([
    ...[2, "as-issued"],
    {
      verdict: "not-yet",
      message: expect.stringMatching(/^cannot be seen: .*TLS 1.3/),
      generations: {},
      strangers: [],
    },
  ]);
  for (const gate of ["g1:trusted", "g1:active", "g1:retired"]) {
    expect((await verify(port, ONE, "--expect", `kubernetes=${gate}`)).code).toBe(2);
  }
});

test("of several clusters each has its own, and --prefix chooses", async () => {
  const [port, text] = [await serve("issued", ["g1"]), JSON.stringify(inventory(ONE))];
  put("inventory.json", text);
  put("other.json", text.replaceAll('"cluster":"pki"', '"cluster":"other"').replaceAll('"cp-1"', '"cp-9"'));
  const argv = ["--inventory", "inventory.json", "--inventory", "other.json", "--port", `kube-apiserver=${port}`];
  const { code, report } = await reported(argv);
  expect([code, report.ports.map(({ cluster, machine }) => `${cluster} ${machine}`)]).toEqual([
    0,
    ["pki cp-1", "other cp-9"],
  ]);
  expect((await kubernetesPki(["verify", ...argv], { now: NOW })).out).toMatch(/^CLUSTER +MACHINE/);
  expect((await reported([...argv, "--prefix", "other"])).report.ports.map(({ machine }) => machine)).toEqual(["cp-9"]);
});

test("a gate is shut where nothing speaks against it, and nothing for it", async () => {
  const port = await serve("issued", ["g1"]);
  const reasons = async (text: string, ...gate: string[]) => {
    put("inventory.json", text);
    const argv = ["--inventory", "inventory.json", "--port", `kube-apiserver=${port}`];
    const { code, report } = await reported([...argv, ...gate]);
    return [code, ...report.expectations[0]!.reasons];
  };
  // An authority of which only certificates are seen, one of which only trust is, and one of which nothing is.
  const without = (via: string, path: string) =>
    JSON.stringify(inventory(ONE)).replace(JSON.stringify(shown(via, path)), JSON.stringify(shown(via, "/elsewhere")));
  const [served, trusted] = [without("--client-ca-file", "/ca.crt"), without("--tls-cert-file", "/apiserver.crt")];
  expect(await reasons(served, "--expect", "kubernetes=g1:active")).toEqual([0]);
  expect(await reasons(served, "--expect", "kubernetes=g1:trusted")).toEqual([
    2,
    "no port that was looked at shows who trusts it",
  ]);
  expect(await reasons(trusted, "--expect", "kubernetes=g1:trusted")).toEqual([0]);
  expect(await reasons(trusted, "--expect", "kubernetes=g1:active")).toEqual([
    2,
    "no port that was looked at shows what it signed",
  ]);
  expect(await reasons(trusted, "--expect", "etcd=g1:retired")).toEqual([
    2,
    "no port that was looked at shows anything of it",
  ]);
});

test("two generations with one name are none that a gate could tell apart", async () => {
  const port = await serve("issued", ["g1"]);
  const alike = JSON.stringify(inventory(INTRODUCED)).replaceAll("CN=kubernetes, OU=g2", "CN=kubernetes");
  put("inventory.json", alike);
  const argv = ["--inventory", "inventory.json", "--port", `kube-apiserver=${port}`];
  const { code, report } = await reported([...argv, "--expect", "kubernetes=g2:trusted"]);
  expect(code).toBe(2);
  expect(report.expectations[0]!.reasons[0]).toContain("has the name of g1 and g2: nobody can tell which");
});

test("an authority from outside, whose name is not known, is no stranger: a state has to tell", async () => {
  const { entries, ...rest } = inventory(ONE) as { entries: { subject?: string; name: string }[] };
  put("inventory.json", {
    ...rest,
    entries: entries.map((entry) => (entry.name === "kubernetes" ? { ...entry, subject: undefined } : entry)),
  });
  const argv = ["--inventory", "inventory.json", "--port", `kube-apiserver=${await serve("issued", ["g1"])}`];
  const { code, report } = await reported(argv);
  expect([code, report.ports[0]!.served.verdict, report.ports[0]!.trusted.verdict]).toEqual([2, "not-yet", "not-yet"]);
  expect(report.ports[0]!.trusted.message).toContain(
    "nobody knows the name of kubernetes g1: give a state that has it",
  );
  expect((await reported(["-", ...argv], state(ONE))).code).toBe(0);
  expect((await reported([...argv, "--expect", "kubernetes=g1:trusted"])).code).toBe(2);
});

test("an authority that stands behind the certificate of a server is not trusted by it", async () => {
  const text = JSON.stringify(inventory(ONE))
    .replaceAll('"/ca.crt"', '"/apiserver.crt"')
    .replaceAll('"bundle"', '"chain"');
  put("inventory.json", text);
  const argv = ["-", "--inventory", "inventory.json", "--port", `kube-apiserver=${await serve("issued", [])}`];
  const { code, report } = await reported(argv, state(ONE));
  expect([code, report.ports[0]!.trusted]).toEqual([
    0,
    { message: "it asks for no client certificate", generations: {}, strangers: [] },
  ]);
});

test("a generation that is described and was not applied yet is nowhere to be expected", async () => {
  put("inventory.json", inventory(INTRODUCED));
  const port = await serve("issued", ["g1"]);
  const argv = ["-", "--inventory", "inventory.json", "--port", `kube-apiserver=${port}`];
  expect((await reported(argv, state(ONE))).code).toBe(0);
  expectOneLine(
    await reported([...argv, "--expect", "kubernetes=g2:trusted"], state(ONE)),
    "there is no kubernetes g2 here, but etcd g1, kubernetes g1",
  );
});

test("a worker without a name is looked at where somebody says that it is", async () => {
  const [port, kubelet] = [await serve("issued", ["g1"]), await serve("stranger", ["g1"])];
  const worker = ["--worker", "worker-7=127.0.0.1", "--port", `worker-7/kubelet=${kubelet}`];
  const { code, report } = await verify(port, ONE, ...worker);
  // What the kubelet serves was not issued here, and is not judged.
  expect([code, report.ports[1]]).toEqual([
    0,
    {
      ...{ cluster: "pki", machine: "worker-7", component: "kubelet", port: 10250, asked: `127.0.0.1:${kubelet}` },
      unreachable: false,
      served: { message: "its own, which was not issued here", expirationDate: "2040-01-01T00:00:00Z" },
      trusted: { verdict: "as-issued", message: "kubernetes g1", generations: { kubernetes: ["g1"] }, strangers: [] },
    },
  ]);
});

test("what the cluster signed for a kubelet to serve keeps a gate shut, though it was not issued here", async () => {
  const states: States = { g1: "trusted", g2: "active" };
  const [port, kubelet] = [await serve("promoted", ["g1", "g2"]), await serve("node1", ["g1", "g2"])];
  const worker = ["--worker", "worker-7=127.0.0.1", "--port", `worker-7/kubelet=${kubelet}`];
  for (const [gate, still] of [
    ["g2:active", ""],
    ["g1:retired", "still "],
  ]) {
    const { code, report } = await verify(port, states, ...worker, "--expect", `kubernetes=${gate}`);
    expect([code, report.expectations[0]!.reasons]).toEqual([
      2,
      expect.arrayContaining([`worker-7 kubelet:10250: ${still}serves what kubernetes g1 signed, until 2030-06-14`]),
    ]);
  }
});

test("the first address that answers counts, and what is left out is said", async () => {
  const port = await serve("issued", ["g1"]);
  const addresses = ["--address", "cp-1=127.0.0.2", "--address", "cp-1=127.0.0.1"];
  expect((await verify(port, ONE, ...addresses)).report.ports[0]!.asked).toBe(`127.0.0.1:${port}`);
  const more = ["--worker", "worker-7=127.0.0.1", "--skip", "worker-7/kubelet", "--machine", "worker-7"];
  expectOneLine(await verify(port, ONE, ...more), "there is nothing to look at");
  const { code, report } = await verify(port, ONE, ...more.slice(0, 4));
  expect([code, report.skipped]).toEqual([0, ["worker-7 kubelet:10250"]]);
});

test("a machine that is nowhere is not as issued", async () => {
  put("inventory.json", JSON.stringify(inventory(ONE)).replace('["127.0.0.1"]', '["(known after apply)"]'));
  const { code, report } = await reported(["--inventory", "inventory.json"]);
  expect([code, report.ports[0]!.served.message]).toEqual([2, "nobody said where it is: give --address cp-1=ADDRESS"]);
});

test("text and Markdown tell the same, and nothing of others reaches the terminal as it is", async () => {
  const port = await serve("old", ["g1", "other"]);
  put("inventory.json", inventory(ONE));
  const argv = ["verify", "-", "--inventory", "inventory.json", "--port", `kube-apiserver=${port}`];
  const options = { stdin: JSON.stringify(state(ONE)), now: NOW };
  const { code, out } = await kubernetesPki([...argv, "--expect", "kubernetes=g1:active"], options);
  expect(code).toBe(3);
  const at = `127.0.0.1:${port}`;
  expect(out.replaceAll(at, "127.0.0.1:16443").replace(/ +$/gm, "").replace(/ {3,}/g, "   ")).toBe(
    `MACHINE   COMPONENT   ASKED   SERVES   TRUSTS   SO IT IS
cp-1   kube-apiserver:6443   127.0.0.1:16443   the old one, until 2030-07-01 (kubernetes g1)   kubernetes g1, a stranger   \
the old one, until 2030-07-01; trusts a stranger: CN=other\\u{1b}[31m

EXPECTED   IS IT   BECAUSE
kubernetes=g1:active   no   cp-1 kube-apiserver:6443: trusts a stranger: CN=other\\u{1b}[31m

NOBODY SEES   WHAT IT READS   ON   LOOK AT
kubelet   port 10250 (kubernetes)   worker   their ports: give --worker NAME=ADDRESS for each, or --kubeconfig
kube-apiserver   --kubelet-certificate-authority (kubernetes)   cp-1   /kubelets.crt, by kubernetes-pki export, and whether the process is younger (ps -o lstart)

Something is a stranger's, or has expired: do not go on.
`,
  );
  const markdown = (await kubernetesPki([...argv, "-o", "markdown"], options)).out;
  expect(markdown).toContain("**Something is a stranger's, or has expired: do not go on.**");
  expect(markdown).toContain("| `kube-apiserver:6443` |");
  expect(markdown).not.toContain("\u001b");
});

test("a stack's folder has an inventory beside its state", async () => {
  const stack = putStack("pki", {});
  put("cdktf.out/stacks/pki/pki-inventory.json", inventory(ONE));
  put("state.json", state(ONE));
  const shown = put("terraform", `#!/bin/sh\ncat ../../../state.json\n`);
  chmodSync(shown, 0o755);
  const port = await serve("issued", ["g1"]);
  const argv = ["verify", stack, "--port", `kube-apiserver=${port}`];
  expect((await kubernetesPki(argv, { env: { TERRAFORM_BINARY_NAME: shown }, now: NOW })).code).toBe(0);
});

/** A kubectl that knows these ConfigMaps and nodes. */
function kubectl(
  roots: readonly (readonly Authority[])[],
  info: readonly Authority[] = [],
  nodes: readonly object[] = [],
  {
    aggregated = roots[0] ?? [],
    requests = [],
  }: { readonly aggregated?: readonly Authority[]; readonly requests?: readonly object[] } = {},
): string {
  put("nodes.json", { items: nodes });
  put("requests.json", { items: requests });
  const bundle = (names: readonly Authority[]) => names.map((name) => pem(`${name}.crt`)).join("");
  const map = (namespace: string, data: object) => ({ metadata: { namespace }, data });
  const base64 = Buffer.from(bundle(info)).toString("base64");
  const kubeconfig = `clusters:\n- cluster:\n    certificate-authority-data: ${base64}\n`;
  put("roots.json", { items: roots.map((names, index) => map(`ns-${index}`, { "ca.crt": bundle(names) })) });
  put("aggregated.json", { items: [map("kube-system", { "client-ca-file": bundle(aggregated) })] });
  put("info.json", { items: info.length > 0 ? [map("kube-public", { kubeconfig })] : [] });
  const file = put(
    "kubectl",
    `#!/bin/sh
case "$*" in
  *cluster-info*) cat info.json ;;
  *"metadata.name=extension-apiserver-authentication"*) cat aggregated.json ;;
  *"spec.signerName=kubernetes.io/kube-apiserver-client-kubelet"*) cat requests.json ;;
  *"get nodes"*) cat nodes.json ;;
  *kube-root-ca.crt*) cat roots.json ;;
esac
`,
  );
  chmodSync(file, 0o755);
  return file;
}

describe("with a kubeconfig", () => {
  async function published(
    binary: string,
    states: States,
    ...more: string[]
  ): Promise<Result & { report: VerifyReport }> {
    put("inventory.json", inventory(states));
    const port = await serve("issued", ["g1", "g2"]);
    const argv = [
      "-",
      "--inventory",
      "inventory.json",
      "--port",
      `kube-apiserver=${port}`,
      "--kubeconfig",
      "admin.conf",
    ];
    const result = await kubernetesPki(["verify", ...argv, ...more, "-o", "json"], {
      stdin: JSON.stringify(state(states)),
      env: { KUBECTL_BINARY_NAME: binary },
      now: NOW,
    });
    return { ...result, report: (result.out ? JSON.parse(result.out) : undefined) as VerifyReport };
  }

  test("what clients are told to trust is compared, too", async () => {
    const { code, report } = await published(kubectl([["g1", "g2"], ["g1", "g2"], ["g1"]], ["g1", "g2"]), INTRODUCED);
    const maps = report.ports.slice(1).map(({ machine, component, trusted }) => [machine, component, trusted.message]);
    expect([code, maps]).toEqual([
      2,
      [
        ["ns-0 and 1 more", "kube-root-ca.crt", "kubernetes g1+g2"],
        ["ns-2", "kube-root-ca.crt", "does not trust kubernetes g2 yet"],
        ["kube-public", "cluster-info", "kubernetes g1+g2"],
        ["kube-system", "extension-apiserver-authentication client-ca-file", "kubernetes g1+g2"],
      ],
    ]);
    const gate = ["--expect", "kubernetes=g2:trusted"];
    expect((await published(kubectl([["g1", "g2"], ["g1"]]), INTRODUCED, ...gate)).code).toBe(2);
    expect((await published(kubectl([["g1", "g2"]]), INTRODUCED, ...gate)).code).toBe(0);
    expect((await published(kubectl([["g2"]], ["g1", "g2", "impostor"]), INTRODUCED, ...gate)).code).toBe(3);
  });

  test("nodes without a name in the description are looked at where the cluster says that they are", async () => {
    const kubelet = await serve("issued", ["g1"]);
    const addresses = [
      { type: "Hostname", address: "worker-3" },
      { type: "InternalIP", address: "127.0.0.1" },
    ];
    const daemonEndpoints = { kubeletEndpoint: { Port: kubelet } };
    const nodes = ["cp-1", "worker-3"].map((name) => ({ metadata: { name }, status: { addresses, daemonEndpoints } }));
    const { code, report } = await published(kubectl([["g1", "g2"]], [], nodes), INTRODUCED);
    expect(code).toBe(2);
    expect(report.ports.map(({ machine, asked, trusted }) => [machine, asked, trusted.verdict])).toEqual([
      ["cp-1", expect.any(String), "as-issued"],
      ["worker-3", `127.0.0.1:${kubelet}`, "not-yet"],
      ["ns-0", "ConfigMap", "as-issued"],
      ["kube-system", "ConfigMap", "as-issued"],
    ]);
    expect(report.unseen.map(({ component }) => component)).toEqual(["kube-apiserver"]);
  });

  test("an API server leaves a retired authority in what it tells aggregated ones", async () => {
    const left = kubectl([["g2"]], [], [], { aggregated: ["g1", "g2"] });
    const { code, report } = await published(left, RETIRED, "--expect", "kubernetes=g1:retired");
    expect([code, report.expectations[0]!.reasons]).toEqual([
      2,
      expect.arrayContaining([
        "kube-system extension-apiserver-authentication client-ca-file: still trusts kubernetes g1",
      ]),
    ]);
    // None where there is nothing in it.
    const empty = await published(kubectl([["g1", "g2"]], [], [], { aggregated: [] }), INTRODUCED);
    expect([empty.code, empty.report.ports.at(-1)!.trusted.message]).toEqual([2, "no certificate stands in it"]);
  });

  describe("of nodes that have a certificate which the cluster signed", () => {
    const PROMOTED: States = { g1: "trusted", g2: "active" };
    const HOURS = 720;
    const NODES = ["node-1", "node-2"].map((name) => ({ metadata: { name }, status: {} }));
    const request = (served: Served, creationTimestamp = "2030-05-31T00:00:00Z") => ({
      metadata: { name: `csr-${served}`, creationTimestamp },
      status: { certificate: Buffer.from(pem(`${served}.crt`)).toString("base64") },
    });

    /** With an API server whose certificate g2 has signed since 2030-03-01. */
    async function nodes(requests: readonly object[], ...more: string[]) {
      const text = JSON.stringify(inventory(PROMOTED)).replaceAll(
        '"name":"kubernetes"',
        `"name":"kubernetes","signsNodesForHours":${HOURS}`,
      );
      put("inventory.json", text.replaceAll('"worker"', '"cp-1"'));
      const port = await serve("promoted", ["g1", "g2"]);
      const binary = kubectl([["g1", "g2"]], [], NODES, { requests });
      const place = ["--port", `kube-apiserver=${port}`, "--kubeconfig", "admin.conf", "--skip", "kubelet"];
      const result = await kubernetesPki(
        ["verify", "-", "--inventory", "inventory.json", ...place, ...more, "-o", "json"],
        {
          stdin: JSON.stringify(state(PROMOTED)).replace(
            JSON.stringify(pem("issued.crt")),
            JSON.stringify(pem("promoted.crt")),
          ),
          env: { KUBECTL_BINARY_NAME: binary },
          now: () => new Date(time),
        },
      );
      expect(result.err).toBe("");
      const report = JSON.parse(result.out) as VerifyReport;
      return { code: result.code, report, reasons: report.expectations[0]?.reasons };
    }

    /** Before all that g1 can have signed has ended. */
    const EARLY = "2030-03-20T00:00:00Z";
    let time: string;
    beforeEach(() => (time = EARLY));

    test.each(["g2:active", "g1:retired"])(
      "the gate %s wants each of them to be of the next generation",
      async (gate) => {
        const expectation = ["--expect", `kubernetes=${gate}`];
        time = "2030-06-01T00:00:00Z";
        const old = await nodes([request("node1"), request("node2")], ...expectation);
        expect(old.code).toBe(2);
        expect(old.reasons).toContainEqual(
          expect.stringMatching(
            /^node-1 kubelet-client: (still )?comes with what kubernetes g1 signed, until 2030-06-14$/,
          ),
        );
        expect(old.reasons!.join()).not.toContain("node-2");
        const renewed = await nodes([request("node1"), request("renewed1"), request("node2")], ...expectation);
        expect(renewed.reasons!.join()).not.toContain("node");
        expect((await nodes([request("strange1"), request("node2")], ...expectation)).code).toBe(3);
      },
    );

    test("one of which nothing is seen is named, and keeps the gate shut until all of the last generation has ended", async () => {
      const gate = ["--expect", "kubernetes=g2:active"];
      const unseen = await nodes([], ...gate);
      // Its oldest certificate is of 2030-03-01, and ${HOURS} hours are 30 days.
      const where =
        "the issuer of the certificate that the kubelet's kubeconfig names, on the node; " +
        "one of the last generation is valid until 2030-03-31T00:00:00Z at the latest";
      expect([unseen.code, unseen.reasons]).toEqual([
        2,
        [`2 of 2 nodes: their client certificates cannot be seen: node-1, node-2. Look at ${where}`],
      ]);
      expect(unseen.report.unseen[0]).toEqual({
        ...{ cluster: "pki", authority: "kubernetes", component: "kubelet-client", via: ["client certificate"] },
        ...{ machines: ["node-1", "node-2"], lookAt: where },
      });
      time = "2030-03-30T23:59:59Z";
      expect((await nodes([], ...gate)).code).toBe(2);
      time = "2030-03-31T00:00:00Z";
      expect((await nodes([], ...gate)).code).toBe(0);
      // It signed later than that.
      expect((await nodes([request("node1")], ...gate)).reasons!.join()).toContain("until 2030-06-14");
    });

    test("somebody may have looked at one, or look at one alone", async () => {
      const gate = ["--expect", "kubernetes=g2:active", "--skip", "node-1/kubelet-client"];
      const one = await nodes([], ...gate);
      expect([one.code, one.reasons!.join(), one.report.skipped.at(-1)]).toEqual([
        2,
        expect.stringContaining("1 of 1 nodes: their client certificates cannot be seen: node-2."),
        "node-1 kubelet-client",
      ]);
      expect((await nodes([], ...gate, "--skip", "kubelet-client")).code).toBe(0);
      expect((await nodes([], "--expect", "kubernetes=g2:active", "--machine", "cp-1")).code).toBe(0);
    });

    test("no other gate, and no report without one, depends on what is not seen", async () => {
      expect((await nodes([], "--expect", "kubernetes=g2:trusted")).code).toBe(0);
      expect((await nodes([])).code).toBe(0);
      time = "2030-06-01T00:00:00Z";
      const { code, report } = await nodes([request("node1")]);
      expect([code, report.ports.find(({ machine }) => machine === "node-1")]).toEqual([
        2,
        expect.objectContaining({
          ...{ component: "kubelet-client", asked: "CSR csr-node1" },
          served: expect.objectContaining({
            verdict: "not-yet",
            message: "still the old one, until 2030-06-14",
          }) as unknown,
        }),
      ]);
    });
  });

  test("a kubectl that is not there, or may not, is an error", async () => {
    expectOneLine(await published("no-such-kubectl", ONE), "cannot run no-such-kubectl");
    expectOneLine(await published(kubectl([]), ONE), "finds no ConfigMap kube-root-ca.crt");
    const refused = put("refused", "#!/bin/sh\necho 'error: You must be logged in' >&2\nexit 1\n");
    chmodSync(refused, 0o755);
    expectOneLine(await published(refused, ONE), "cannot read what the cluster has: error: You must be logged in");
  });
});

test.each<[readonly string[], string]>([
  [["--expect", "kubernetes=g2"], '--expect "kubernetes=g2" is none: write AUTHORITY=GENERATION:STATE'],
  [["--expect", "kubernetes=g9:trusted"], "there is no kubernetes g9 here, but etcd g1, kubernetes g1"],
  [["--address", "cp-9=10.0.0.1"], "--address cp-9: there is no such machine here, but cp-1"],
  [["--address", "cp-1=10.0.0.1:6443"], '"cp-1=10.0.0.1:6443" is no MACHINE=ADDRESS'],
  [["--machine", "cp-9"], "--machine cp-9: there is no such machine here"],
  [["--port", "etcd=1"], '--port "etcd" fits nothing here: write one of cp-1/kube-apiserver:6443'],
  [["--port", "kube-apiserver=0"], "is no COMPONENT=NUMBER"],
  [["--skip", "etcd"], '--skip "etcd" fits nothing here'],
  [["--skip", "kube-apiserver"], "there is nothing to look at"],
  [["--timeout", "1h"], '--timeout "1h" is no time of up to 10m'],
  [["--prefix", "prod"], "--prefix prod: there is no such cluster here, but pki"],
  [["--inventory", "none.json"], "cannot read none.json: there is no such file or folder"],
])("%s is refused in one line", async (more, text) => {
  put("inventory.json", inventory(ONE));
  expectOneLine(await kubernetesPki(["verify", "--inventory", "inventory.json", ...more]), text);
});

test("an inventory that knows of no machines is of another version, or of no PKI", async () => {
  put("inventory.json", inventory(ONE, { machines: undefined }));
  expectOneLine(
    await kubernetesPki(["verify", "--inventory", "inventory.json"]),
    "the inventory has no machine with a port",
  );
  put("inventory.json", inventory(ONE, { machines: [{ name: "cp-1" }] }));
  expectOneLine(await kubernetesPki(["verify", "--inventory", "inventory.json"]), "inventory.json is no inventory");
});

test("a state without an inventory does not say where anything is", async () => {
  const result = await kubernetesPki(["verify", "-"], { stdin: JSON.stringify(state(ONE)) });
  expectOneLine(result, "there is no pki-inventory.json for -: call writeInventories(app)");
});
