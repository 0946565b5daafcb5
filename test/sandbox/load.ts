import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { HolderKind } from "../../lib";
import { fillText } from "../../lib/kubernetes/holders";
import { Answer, ask, Asking, Identity } from "./ask";
import type { Component } from "./components";
import type { Sandbox } from "./sandbox";
import { fromKubeconfig, Held, identityIn, TableReader } from "./table-reader";

/** How long between two calls, of whomever. 25 calls a second are made so. */
const EVERY_MS = 40;
/** Calls that wait for an answer at the same time, at the most. */
const AT_ONCE = 50;
/** How long somebody waits for an answer. On a busy machine that may be long, and nobody who has to wait was refused. */
const PATIENCE_SECONDS = 30;
/** A node that did not renew its lease for so long is not ready: kube-controller-manager's `--node-monitor-grace-period`. */
const HEARTBEAT_SECONDS = 50;
const AGAIN_MS = 200;

/** How a call ended. */
export interface Outcome {
  /** Missing where all was well. */
  readonly problem?: string;
  /** Whether it is about who somebody is, or whom somebody trusts. */
  readonly isTrust?: boolean;
}

/** Somebody who calls again and again. */
export interface Caller {
  /** Callers are counted by it. */
  readonly group: string;
  readonly name: string;
  /** Whom it calls, and nobody else: while that starts again, it may be refused. */
  readonly server?: { readonly component: Component; readonly machine: string };
  /** Nothing where it has nothing to call with at the moment. */
  call(): Promise<Outcome | undefined>;
}

/** What was counted of a group. */
export interface Count {
  made: number;
  /** By the machine that was starting again. Never of a caller that may ask another. */
  refused: number;
  readonly failures: string[];
}

/** Calls at a steady rate, of one caller after the other. Each comes with what is on its own disk at that moment. */
export class Load {
  public readonly counts = new Map<string, Count>();
  private readonly running = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private readonly started = Date.now();
  private seconds?: number;
  private turn = 0;

  public constructor(
    private readonly sandbox: Sandbox,
    private callers: readonly Caller[],
  ) {
    this.timer = setInterval(() => this.next(), EVERY_MS);
  }

  public add(...callers: readonly Caller[]): void {
    this.callers = [...this.callers, ...callers];
  }

  public remove(...callers: readonly Caller[]): void {
    this.callers = this.callers.filter((caller) => !callers.includes(caller));
  }

  public async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.running);
    this.seconds ??= (Date.now() - this.started) / 1000;
  }

  /** Of all groups. */
  public get total(): Count & { readonly perSecond: number } {
    const all = [...this.counts.values()];
    const sum = (of: (count: Count) => number) => all.reduce((before, count) => before + of(count), 0);
    const made = sum((count) => count.made);
    const seconds = this.seconds ?? (Date.now() - this.started) / 1000;
    const failures = all.flatMap((count) => count.failures);
    return { made, refused: sum((count) => count.refused), failures, perSecond: made / seconds };
  }

  /** Makes the calls that are due, those of moments in which this process was busy, too. */
  private next(): void {
    for (; this.turn < (Date.now() - this.started) / EVERY_MS && this.running.size < AT_ONCE; this.turn++) {
      const call = this.count(this.callers[this.turn % this.callers.length]!).finally(() => this.running.delete(call));
      this.running.add(call);
    }
  }

  private async count({ group, name, server, call }: Caller): Promise<void> {
    const isRestarting = () => server !== undefined && this.sandbox.isRestarting(server.component, server.machine);
    const before = isRestarting();
    const outcome = await call().catch((error: Error): Outcome => ({ problem: error.message }));
    if (!outcome) {
      return;
    }
    const count = this.counts.get(group) ?? { made: 0, refused: 0, failures: [] };
    this.counts.set(group, count);
    count.made += 1;
    // Before an API server is ready it knows no roles and no service accounts; whom it trusts it knows from its first moment on.
    if (outcome.problem && (before || isRestarting()) && !outcome.isTrust) {
      count.refused += 1;
    } else if (outcome.problem) {
      count.failures.push(`${new Date().toISOString().slice(11, 19)} ${name}: ${outcome.problem}`);
    }
  }
}

/**
 * Everybody who calls: clients of the table at every API server, front proxies among them, clients of etcd at every member, nodes, and one
 * who asks at the endpoint, and once more where a server ends the connection or says that it cannot at the moment.
 */
export function callersOf(sandbox: Sandbox, nodes: readonly string[]): Caller[] {
  const { distribution, cluster } = sandbox.description.props;
  const holders = Object.fromEntries<readonly HolderKind[]>([
    ...sandbox.servers.map(({ machine, kinds }) => [machine.name, kinds] as const),
    ["operator", ["operator"]],
  ]);
  const reader = new TableReader(distribution.table, holders);
  const apiServers = machinesOf(sandbox, "control-plane");
  const members = machinesOf(sandbox, "etcd-member");
  const caOf = (held: Held) =>
    held.pair
      ? readFileSync(sandbox.file(held.machine, reader.authorityOn(held.machine)), "utf8")
      : fromKubeconfig(readFileSync(sandbox.file(held.machine, held.kubeconfigs[0]!), "utf8")).ca;
  const nameOf = ({ name, machine }: Held, server: string) => `${name} of ${machine} at ${server}`;
  const users = reader.clients().flatMap((held) =>
    apiServers.map((machine): Caller => {
      const user = fillText(held.row.commonName, cluster, held.machine);
      const call = () => review(sandbox, machine, { as: identityOf(sandbox, held), ca: caOf(held) }, user);
      return { group: "clients of the table", name: nameOf(held, machine), server: apiServer(machine), call };
    }),
  );
  const proxies = reader.certificates("kube-apiserver", "--proxy-client-cert-file").flatMap((held) =>
    apiServers.map((machine): Caller => {
      const headers = { "X-Remote-User": "somebody" };
      const call = () => {
        return review(sandbox, machine, { as: identityOf(sandbox, held), ca: caOf(held), headers }, "somebody");
      };
      return { group: "front proxies", name: nameOf(held, machine), server: apiServer(machine), call };
    }),
  );
  const etcdAuthority = reader.row("etcd", "--cert-file").authority;
  const ofEtcd = reader.clientsOfEtcd().flatMap((held) =>
    members.map((machine): Caller => {
      const ca = () =>
        readFileSync(sandbox.file(held.machine, reader.authorityOn(held.machine, etcdAuthority)), "utf8");
      const url = `https://${sandbox.address(machine)}:${sandbox.ports.etcdClient}/health?serializable=true`;
      const call = () => health(url, { as: identityOf(sandbox, held), ca: ca() }, 200);
      return { group: "clients of etcd", name: nameOf(held, machine), server: { component: "etcd", machine }, call };
    }),
  );
  return [
    ...users,
    ...proxies,
    ...ofEtcd,
    ...nodes.flatMap((node) => nodeCallers(sandbox, node)),
    // Others come in between, so that it is asked more often.
    ...Array.from({ length: 10 }, () => persistent(sandbox, "one who asks again", "/api/v1/namespaces/default")),
  ];
}

function apiServer(machine: string): Caller["server"] {
  return { component: "kube-apiserver", machine };
}

/** Where there is one API server, nobody has another one to ask. */
function onlyServer(sandbox: Sandbox): Caller["server"] {
  const [first, ...others] = machinesOf(sandbox, "control-plane");
  return others.length === 0 ? apiServer(first!) : undefined;
}

/** A node, with the certificate that it got, and its signs of life. */
export function nodeCallers(sandbox: Sandbox, node: string): Caller[] {
  const user = `system:node:${node}`;
  const calls = machinesOf(sandbox, "control-plane").map((machine): Caller => {
    const call = async () => {
      const [as, ca] = [certificateOf(sandbox, node), trustedBy(sandbox, node)];
      return as && ca ? review(sandbox, machine, { as, ca }, user) : undefined;
    };
    return { group: "nodes", name: `${node} at ${machine}`, server: apiServer(machine), call };
  });
  const started = Date.now();
  const heartbeat = async (): Promise<Outcome> => {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}`;
    const answer = await askEndpoint(sandbox, lease);
    // It gives its first sign of life some seconds after it was ready.
    const outcome = judged(answer, 200, 404);
    if (outcome.problem) {
      return outcome;
    }
    const { spec } = JSON.parse(answer.body) as { spec?: { renewTime: string } };
    const age = (Date.now() - (spec ? Date.parse(spec.renewTime) : started)) / 1000;
    return age > HEARTBEAT_SECONDS ? { problem: `gave no sign of life for ${Math.round(age)} s` } : {};
  };
  return [...calls, { group: "heartbeats", name: node, server: onlyServer(sandbox), call: heartbeat }];
}

/** A pod: a token of a service account, and the authorities that the cluster publishes. */
export async function podCallers(sandbox: Sandbox, name: string): Promise<Caller[]> {
  const token = await tokenOf(sandbox);
  const call = async (machine: string) => {
    const answer = await askEndpoint(sandbox, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt");
    const outcome = judged(answer, 200);
    if (outcome.problem) {
      return outcome;
    }
    const { data } = JSON.parse(answer.body) as { data: { "ca.crt": string } };
    return review(sandbox, machine, { token, ca: data["ca.crt"] }, "system:serviceaccount:default:default");
  };
  return machinesOf(sandbox, "control-plane").map((machine) => ({
    group: "service accounts",
    name: `token ${name} at ${machine}`,
    server: apiServer(machine),
    call: () => call(machine),
  }));
}

/** What a node trusts: the file that its kubeconfig names, or what stands in there. Nothing where it has none, before it joins again. */
function trustedBy(sandbox: Sandbox, node: string): string | undefined {
  const kubeconfig = sandbox.kubelet(node);
  const text = existsSync(kubeconfig) ? readFileSync(kubeconfig, "utf8") : "";
  const [, file] = /certificate-authority: (.*)/.exec(text) ?? [];
  const [, data] = /certificate-authority-data: (.*)/.exec(text) ?? [];
  return file
    ? readFileSync(path.resolve(path.dirname(kubeconfig), file), "utf8")
    : data && Buffer.from(data, "base64").toString();
}

/** A token of the default service account, for an hour, as pods get one. */
export async function tokenOf(sandbox: Sandbox): Promise<string> {
  const { stdout, stderr } = await sandbox.kubectl(sandbox.first, "create", "token", "default");
  if (!stdout) {
    throw new Error(stderr);
  }
  return stdout.trim();
}

/** Whether an API server knows somebody: 201, or 401. */
export async function statusOf(
  sandbox: Sandbox,
  machine: string,
  asking: Omit<Asking, "ca">,
): Promise<number | undefined> {
  const ca = fromKubeconfig(readFileSync(sandbox.first, "utf8")).ca;
  return (await ask(reviewUrl(sandbox, machine), { ...asking, ca, ...REVIEW })).status;
}

/** The machines that are of a kind. */
export function machinesOf(sandbox: Sandbox, kind: HolderKind): string[] {
  return sandbox.servers.filter(({ kinds }) => kinds.includes(kind)).map(({ machine }) => machine.name);
}

/** The operator, at the endpoint, who asks again where nobody was there to answer. */
export function persistent(sandbox: Sandbox, group: string, at: string): Caller {
  const call = async () => judged(await askEndpoint(sandbox, at), 200);
  return { group, name: at, server: onlyServer(sandbox), call };
}

/** Asks at the endpoint as the operator, and again where nobody was there to answer, as clients do. */
export async function askEndpoint(
  sandbox: Sandbox,
  at: string,
  asking: Pick<Asking, "method" | "body"> = {},
): Promise<Answer> {
  for (let times = 1; ; times++) {
    const { identity: as, ca } = fromKubeconfig(readFileSync(sandbox.first, "utf8"));
    const answer = await ask(`${sandbox.server}${at}`, { as, ca, seconds: PATIENCE_SECONDS, ...asking });
    const isAway = answer.status === undefined || answer.status >= 500 || answer.status === 429;
    if (!isAway || isTrustProblem(answer) || times === 3) {
      return answer;
    }
    await sleep(AGAIN_MS);
  }
}

const REVIEW = {
  method: "POST",
  body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
} as const;

function reviewUrl(sandbox: Sandbox, machine: string): string {
  return `https://${sandbox.address(machine)}:${sandbox.ports.apiServer}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
}

type Comes = Omit<Asking, "as"> & { readonly as?: Identity | undefined };

/** Who an API server says that one is. */
async function review(sandbox: Sandbox, machine: string, comes: Comes, user: string): Promise<Outcome | undefined> {
  if (!comes.token && !comes.as) {
    return undefined;
  }
  const answer = await ask(reviewUrl(sandbox, machine), { ...(comes as Asking), ...REVIEW, seconds: PATIENCE_SECONDS });
  const outcome = judged(answer, 201);
  if (outcome.problem) {
    // Of a token it knows nothing before it knows the service accounts.
    return comes.token && sandbox.isRestarting("kube-apiserver", machine) ? { ...outcome, isTrust: false } : outcome;
  }
  const { username } = (JSON.parse(answer.body) as { status: { userInfo: { username: string } } }).status.userInfo;
  return username === user ? {} : { problem: `is ${username}, and not ${user}`, isTrust: true };
}

async function health(url: string, comes: Comes, status: number): Promise<Outcome | undefined> {
  return comes.as ? judged(await ask(url, { ...(comes as Asking), seconds: PATIENCE_SECONDS }), status) : undefined;
}

function judged(answer: Answer, ...statuses: readonly number[]): Outcome {
  if (answer.status !== undefined && statuses.includes(answer.status)) {
    return {};
  }
  return { problem: `${answer.status ?? ""} ${answer.body.slice(0, 200)}`, isTrust: isTrustProblem(answer) };
}

/** Nobody who is known, or a handshake that one of the two ended. */
function isTrustProblem({ status, body }: Answer): boolean {
  return status === 401 || (status === undefined && /certificate|self-signed|issuer|alert|verif|altname/i.test(body));
}

/** Nothing in the moment between a certificate and its key. */
function identityOf(sandbox: Sandbox, held: Held): Identity | undefined {
  return fitting(() => identityIn(sandbox, held));
}

/** Nothing where a node is about to ask for another one. */
function certificateOf(sandbox: Sandbox, node: string): Identity | undefined {
  return fitting(() => {
    const read = (file: string) => readFileSync(file, "utf8");
    if (!sandbox.joinsByRequest) {
      return fromKubeconfig(read(sandbox.kubelet(node))).identity;
    }
    const text = read(path.join(sandbox.machine(node), "var/lib/kubelet/pki/kubelet-client-current.pem"));
    return { cert: text, key: text };
  });
}

function fitting(read: () => Identity): Identity | undefined {
  try {
    const identity = read();
    return fits(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/** Pairs that were found to fit. Reading keys takes longer than a call. */
const known = new Set<string>();

function fits({ cert, key }: Identity): boolean {
  const pair = `${cert}\0${key}`;
  if (!known.has(pair) && new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    known.add(pair);
  }
  return known.has(pair);
}
