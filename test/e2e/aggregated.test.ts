import { createPublicKey, JsonWebKey, KeyObject, verify as verifySignature } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CONTROL_PLANE, PKI_STACK, RotationStep } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { AggregatedServer, Authentication, GROUP, PROBE, registration, TOLD } from "./aggregated-server";
import { Answer, ask, Asking, Identity } from "../sandbox/ask";
import { choicesOf, verify } from "../sandbox/verification";
import { generationIn } from "./nodes";

// The front proxy's authority and the service accounts' key pair are rotated together while somebody calls an aggregated API server, more
// than 20 times a second, with a certificate and with a service account's token. No call may fail for who somebody is, or for whom
// somebody trusts. Counted apart is what the one API server refuses while it starts.

jest.setTimeout(180_000);

const PKI = "/etc/kubernetes/pki";
const ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default";
const LEGACY = "/api/v1/namespaces/default/secrets/legacy";

const folder = mkdtempSync(path.join(tmpdir(), "aggregated-"));
let sandbox: Sandbox;
let aggregated: AggregatedServer;
let load: Load;
/** The front proxy's certificate before anything was rotated. */
let old: Identity;
/** Tokens that the API server and kube-controller-manager issued, each with the moment. */
const tokens: { readonly name: string; readonly token: string; readonly generation: Id }[] = [];

type Id = "g1" | "g2";

beforeAll(async () => {
  sandbox = await Sandbox.start({ folder: path.join(folder, "sandbox"), nodes: [], progress: () => undefined });
  old = frontProxy();
  await eventually("a service account", async () => (await admin(ACCOUNT)).status === 200);
  await create("/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings", {
    metadata: { name: "extension" },
    roleRef: {
      ...{ apiGroup: "rbac.authorization.k8s.io", kind: "Role" },
      name: "extension-apiserver-authentication-reader",
    },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace: "default" }],
  });
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  await create(`${rbac}/clusterroles`, {
    metadata: { name: "probe" },
    rules: [{ apiGroups: [GROUP], resources: ["probes"], verbs: ["list"] }],
  });
  await create(`${rbac}/clusterrolebindings`, {
    metadata: { name: "probe" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "probe" },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace: "default" }],
  });
  mkdirSync(path.join(folder, "extension"));
  aggregated = await AggregatedServer.start(path.join(folder, "extension"), asPod());
  await eventually("what it is told", async () => aggregated.frontProxies.length > 0);
  for (const [at, body] of registration(aggregated)) {
    await create(at, body);
  }
  await eventually("the aggregated API", async () => (await admin(PROBE)).status === 200);
  await create(path.dirname(LEGACY), {
    metadata: { name: "legacy", annotations: { "kubernetes.io/service-account.name": "default" } },
    type: "kubernetes.io/service-account-token",
  });
  load = new Load(await issue("before"));
});

afterAll(async () => {
  await load?.stop();
  await aggregated?.stop();
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("before: it lets the front proxy of the cluster in, and no other client", async () => {
  await issueLegacy("legacy, before");
  await expectFrontProxies("g1");
  expect(await asFrontProxy(old)).toEqual([200, 200]);
  // The authority signs it, and its name is none that is allowed; the name would do, and another authority signed it.
  expect((await atAggregated(pairOf("apiserver-kubelet-client"))).status).toBe(401);
  expect(
    (await ask(`${extension()}${PROBE}`, { ca: aggregated.caBundle, headers: HEADERS, servername: NAME })).status,
  ).toBe(401);
  await expectTokens("before", ["g1"]);
});

test("introduced: it is told both, and nobody restarted", async () => {
  await deliver("introduced");
  await expectFrontProxies("g1", "g2");
  await expectGate("g2:trusted");
  await restart();
  await issue("introduced");
  await expectTokens("introduced", ["g1", "g2"]);
});

test("promoted: the front proxy comes with the next certificate, and new tokens are signed with the next key", async () => {
  await deliver("promoted");
  await eventually("the next front proxy", async () => lastLetIn().includes("g2"));
  await restart();
  load.token = await issue("promoted");
  expect(tokens.at(-1)!.generation).toBe("g2");
  await expectTokens("promoted", ["g1", "g2"]);
});

test("a Secret keeps the token that it has, until that is taken out", async () => {
  await issueLegacy("legacy, promoted");
  expect(tokens.at(-1)!.generation).toBe("g1");
  const patch = ["patch", "secret", "legacy", "--type=json", '--patch=[{"op":"remove","path":"/data/token"}]'];
  expect((await sandbox.kubectl(sandbox.first, ...patch)).code).toBe(0);
  await issueLegacy("legacy, made anew");
  expect(tokens.at(-1)!.generation).toBe("g2");
});

test("retired: the API server lets the last front proxy in no more, and it refuses tokens of the last key", async () => {
  await deliver("retired");
  await eventually("no last front proxy", async () => (await asFrontProxy(old))[0] === 401);
  await restart();
  await issue("retired");
  await expectTokens("retired", ["g2"]);
});

test("an aggregated API server is told of the last authority until somebody deletes what it is told", async () => {
  expect(await asFrontProxy(old)).toEqual([401, 200]);
  await expectFrontProxies("g1", "g2");
  const still =
    "kube-system extension-apiserver-authentication requestheader-client-ca-file: still trusts front-proxy g1";
  await expectGate("g1:retired", still);
  expect((await admin(TOLD, { method: "DELETE" })).status).toBe(200);
  await expectFrontProxies("g2");
  expect(await asFrontProxy(old)).toEqual([401, 401]);
  expect(await asFrontProxy(frontProxy())).toEqual([200, 200]);
  await expectGate("g1:retired");
});

test("no call failed for who somebody is, or for whom somebody trusts", async () => {
  await load.stop();
  const { made, unreachable, failures, seconds } = load;
  process.stdout.write(
    `calls ${made} in ${Math.round(seconds)} s, refused while the API server started ${unreachable}, failed ${failures.length}\n`,
  );
  expect(failures).toEqual([]);
  expect(made).toBeGreaterThan(1000);
});

// Steps ---------------------------------------------------------------------------------------------------------------

async function deliver(step: RotationStep): Promise<void> {
  const rotation = { of: ["front-proxy", "service-account"], step };
  await sandbox.deploy(PKI_STACK, sandbox.description.with({ rotation }));
  await sandbox.export(["--machine", CONTROL_PLANE], sandbox.machine(CONTROL_PLANE), [PKI_STACK]);
}

/** Of these files, the service accounts' alone are read at the start. */
async function restart(): Promise<void> {
  load.isStarting = true;
  await sandbox.restart("kube-apiserver");
  await sandbox.restart("kube-controller-manager");
  await eventually("the aggregated API", async () => (await admin(PROBE)).status === 200);
  load.isStarting = false;
}

/** What `verify` says is in the way of a gate, once files are read again. */
async function expectGate(expectation: string, ...reasons: string[]): Promise<void> {
  const asked = ["--kubeconfig", sandbox.first, "--expect", `front-proxy=${expectation}`];
  const gate = async () => {
    const { code, report } = await verify(sandbox, [sandbox.stack(PKI_STACK), ...choicesOf(sandbox), ...asked]);
    return { code, reasons: report.expectations[0]!.reasons };
  };
  await eventually(expectation, async () => (await gate()).reasons.length === reasons.length);
  expect(await gate()).toEqual({ code: reasons.length > 0 ? 2 : 0, reasons });
}

async function eventually(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await look())) {
    if (Date.now() > end) {
      throw new Error(`${what} is not there`);
    }
    await sleep(100);
  }
}

// Front proxies -------------------------------------------------------------------------------------------------------

const HEADERS = { "X-Remote-User": "somebody", "X-Remote-Group": "system:masters" };

function extension(): string {
  return `https://localhost:${aggregated.port}`;
}

function pairOf(base: string): Identity {
  const read = (end: string) => readFileSync(sandbox.file(CONTROL_PLANE, `${PKI}/${base}.${end}`), "utf8");
  return { cert: read("crt"), key: read("key") };
}

function frontProxy(): Identity {
  return pairOf("front-proxy-client");
}

async function expectFrontProxies(...generations: Id[]): Promise<void> {
  const told = () => aggregated.frontProxies.map(({ subject }) => generationIn(subject)).sort();
  await eventually(generations.join(), async () => told().join() === generations.join());
}

/** Generations of front proxies that were let in, the last first. */
function lastLetIn(): string[] {
  return [...aggregated.letIn.values()].map(({ issuer }) => generationIn(issuer)).reverse();
}

/** Its certificate is for the name of a service. */
function atAggregated(as: Identity): Promise<Answer> {
  return ask(`${extension()}${PROBE}`, { as, ca: aggregated.caBundle, headers: HEADERS, servername: NAME });
}

const NAME = "extension.default.svc";

/** What the API server, and the aggregated one, say to a front proxy. */
async function asFrontProxy(as: Identity): Promise<(number | undefined)[]> {
  const { status } = await ask(`${sandbox.server}/api/v1/nodes`, { as, ca: authority(), headers: HEADERS });
  return [status, (await atAggregated(as)).status];
}

// Service accounts ----------------------------------------------------------------------------------------------------

async function requested(): Promise<string> {
  const { status } = await create<{ status: { token: string } }>(`${ACCOUNT}/token`, { spec: {} });
  return status.token;
}

async function issue(name: string): Promise<string> {
  const token = await requested();
  tokens.push({ name, token, generation: signerOf(token) });
  return token;
}

/** The token that kube-controller-manager wrote into a Secret. */
async function issueLegacy(name: string): Promise<void> {
  let token = "";
  await eventually("the Secret's token", async () => {
    const { data } = JSON.parse((await admin(LEGACY)).body) as { data?: { token?: string } };
    token = Buffer.from(data?.token ?? "", "base64").toString();
    return token !== "";
  });
  tokens.push({ name, token, generation: signerOf(token) });
}

/** Keys of sa.pub, in the order in which they were seen first: the second is that of the next generation. */
const known: string[] = [];

function publicKeys(): KeyObject[] {
  const text = readFileSync(sandbox.file(CONTROL_PLANE, `${PKI}/sa.pub`), "utf8");
  const keys = text.match(/-----BEGIN PUBLIC KEY-----[^]*?-----END PUBLIC KEY-----\n/g)!;
  known.push(...keys.filter((key) => !known.includes(key)));
  return keys.map((key) => createPublicKey(key));
}

/** Whose key verifies a token, by sa.pub alone. */
function signerOf(token: string): Id {
  const [header, claims, signature] = token.split(".") as [string, string, string];
  const keys = publicKeys();
  const all = known.map((pem) => createPublicKey(pem));
  const index = all.findIndex((key) =>
    verifySignature("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url")),
  );
  expect(keys.length).toBeGreaterThan(0);
  expect(index).toBeGreaterThan(-1);
  return index === 0 ? "g1" : "g2";
}

/** Tokens of these generations are accepted, directly and in a review, and no others; the API server publishes exactly their keys. */
async function expectTokens(moment: string, generations: readonly Id[]): Promise<void> {
  for (const { name, token, generation } of tokens) {
    const isAccepted = generations.includes(generation);
    const { status } = await whoAmI({ token });
    const review = await create<{ status: { authenticated?: boolean; user?: { username?: string } } }>(
      "/apis/authentication.k8s.io/v1/tokenreviews",
      { spec: { token } },
    );
    expect([moment, name, status, review.status.authenticated ?? false, review.status.user?.username]).toEqual([
      ...[moment, name, isAccepted ? 201 : 401, isAccepted],
      isAccepted ? "system:serviceaccount:default:default" : undefined,
    ]);
  }
  const { keys } = JSON.parse((await admin("/openid/v1/jwks")).body) as { keys: (JsonWebKey & { kid: string })[] };
  const spki = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
  const published = keys.map((key) => spki(createPublicKey({ key, format: "jwk" })));
  expect(published.sort()).toEqual(publicKeys().map(spki).sort());
  expect(published).toHaveLength(generations.length);
  const kid = (token: string) =>
    (JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString()) as { kid: string }).kid;
  const accepted = tokens.filter(({ generation }) => generations.includes(generation));
  expect(keys.map((key) => key.kid)).toEqual(expect.arrayContaining(accepted.map(({ token }) => kid(token))));
}

// Calls ---------------------------------------------------------------------------------------------------------------

function authority(): string {
  return readFileSync(sandbox.file(CONTROL_PLANE, `${PKI}/ca.crt`), "utf8");
}

let administrator: Identity | undefined;

/** The break-glass identity, whose authority does not change here. */
function admin(at: string, asking: Omit<Asking, "ca" | "as"> = {}): Promise<Answer> {
  const text = administrator ? "" : readFileSync(sandbox.first, "utf8");
  const decoded = (name: string) => Buffer.from(new RegExp(`${name}: (.*)`).exec(text)![1]!, "base64").toString();
  administrator ??= { cert: decoded("client-certificate-data"), key: decoded("client-key-data") };
  return ask(`${sandbox.server}${at}`, { as: administrator, ca: authority(), ...asking });
}

async function create<T>(at: string, body: object): Promise<T> {
  const { status, body: text } = await admin(at, { method: "POST", body });
  if (status !== 201) {
    throw new Error(`POST ${at}: ${status} ${text}`);
  }
  return JSON.parse(text) as T;
}

function whoAmI(asking: { readonly token: string }): Promise<Answer> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const url = `${sandbox.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
  return ask(url, { ...asking, ca: authority(), method: "POST", body });
}

/** Reads what the API server tells, with a service account's token, as a pod does: one that is refused is renewed. */
function asPod(): () => Promise<Authentication | undefined> {
  let token: string | undefined;
  return async () => {
    try {
      token ??= await requested();
      const { status, body } = await ask(`${sandbox.server}${TOLD}`, { token, ca: authority() });
      token = status === 401 ? undefined : token;
      return status === 200 ? (JSON.parse(body) as { data: Authentication }).data : undefined;
    } catch {
      return undefined;
    }
  };
}

/** 25 calls a second, whether or not those before were answered: half of them with a certificate, half with a token. */
class Load {
  public made = 0;
  public unreachable = 0;
  public isStarting = false;
  public readonly failures: string[] = [];
  private readonly started = Date.now();
  private ended: number | undefined;
  private readonly open = new Set<Promise<void>>();
  private readonly timer = setInterval(() => this.startWhatIsDue(), 20);

  /** @param token as a kubelet has it: renewed while the key that signed it is still trusted */
  public constructor(public token: string) {}

  public get seconds(): number {
    return ((this.ended ?? Date.now()) - this.started) / 1000;
  }

  public async stop(): Promise<void> {
    clearInterval(this.timer);
    this.ended ??= Date.now();
    await Promise.all(this.open);
  }

  private startWhatIsDue(): void {
    while (this.made < this.seconds * 25) {
      const one: Promise<void> = this.call(this.made++ % 2 === 0).finally(() => this.open.delete(one));
      this.open.add(one);
    }
  }

  private async call(isPod: boolean): Promise<void> {
    const [wasStarting, token] = [this.isStarting, this.token];
    const { status, body } = isPod
      ? await ask(`${sandbox.server}${PROBE}`, { token, ca: authority() })
      : await admin(PROBE);
    // Until it has read its objects it knows no role and no aggregated API; whom it trusts it knows from the first call on.
    const isTrust = status === 401 || /x509|certificate|tls:/i.test(body);
    if (status !== 200 && !isTrust && (wasStarting || this.isStarting)) {
      this.unreachable += 1;
    } else if (status !== 200) {
      this.failures.push(`${isPod ? "pod" : "admin"}: ${status ?? ""} ${body.slice(0, 200)}`);
    }
  }
}
