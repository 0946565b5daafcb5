import { createPrivateKey, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { type Answer, ask, type Asking } from "../sandbox/ask";
import { attempt } from "../sandbox/command";
import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import type { KubeletPort, Sandbox } from "../sandbox/sandbox";
import { Forger, type Forgery, type Signer } from "./forger";
import { type Holding, holdingsIn, namesOf } from "./holdings";
import { rightsOf, type Trust } from "./upstream";

/** Who came, how, where to, and what came of it. */
export interface Cell {
  /** File of what they hold, `cp-1/etc/kubernetes/pki/apiserver.crt`. */
  readonly place: string;
  /** Name in it. */
  readonly user: string;
  /** Groups in it. */
  readonly groups: readonly string[];
  /** How they came: `as issued`, or with what was made of it. */
  readonly variant: string;
  readonly port: PortName;
  /** What upstream says: nothing where they are not let in. */
  readonly expected: string;
  readonly seen: string;
}

/** Where somebody comes to. */
export type PortName =
  "API server" | "API server, as a front proxy" | "etcd, client port" | "etcd, peer port" | "kubelet";

export const AS_ISSUED = "as issued";

/** A worker that the description names, and a node that joins, for {@link matrixOf}. */
export const NAMED_WORKER = "worker-1";
export const NODE = "node-1";

const MACHINES = [CONTROL_PLANE, NAMED_WORKER, NODE, "operator"];

/**
 * What everybody is let in to at a running sandbox: all who hold a key on one of its machines, as they are and as they should not be.
 *
 * The sandbox has {@link NODE} and {@link NAMED_WORKER}, and everybody's files.
 *
 * @param kubelet of {@link NAMED_WORKER}, where upstream names a file for it
 */
export async function matrixOf(sandbox: Sandbox, trust: Trust, kubelet?: KubeletPort): Promise<Cell[]> {
  const forger = new Forger(sandbox.folder);
  const authorities = await authoritiesOf(sandbox);
  const holdings = MACHINES.flatMap((machine) => holdingsIn(sandbox.machine(machine), machine));
  const comers = (await eachOf(holdings, 4, (holding) => comersOf(holding, authorities, forger))).flat();
  const doors = new Doors(sandbox, trust, authorities, kubelet);
  const known = await doors.known(comers);
  return (await eachOf(comers, 8, (comer) => doors.cells(comer, known))).flat();
}

/** Somebody with a certificate. */
interface Comer {
  readonly holding: Holding;
  readonly variant: string;
  readonly with: Signer;
}

/** What can be made of one certificate by whom the authorities' keys are known to, or are not. */
async function comersOf(holding: Holding, authorities: readonly Signer[], forger: Forger): Promise<Comer[]> {
  const own = authorities.find(({ cert }) => isIssuedBy(holding.certificate, cert));
  const issued = { cert: holding.cert, key: holding.key };
  if (!own) {
    // What somebody made for themselves, as a kubelet does that was given nothing to serve with.
    return [{ holding, variant: AS_ISSUED, with: issued }];
  }
  const others = authorities.filter((authority) => authority !== own);
  const made: Readonly<Record<string, Forgery>> = {
    "signed again": { by: own },
    expired: { by: own, from: -2 * DAY, to: -DAY },
    "not yet valid": { by: own, from: DAY, to: 2 * DAY },
    "for servers alone": { by: own, usage: "serverAuth" },
    ...Object.fromEntries(others.map((by) => [`signed by ${nameOf(by)}`, { by }])),
    "signed by a stranger of its authority's name": { by: await forger.stranger(own) },
    "signed by a leaf": { by: issued },
  };
  const forged = await eachOf(Object.entries(made), 1, async ([variant, forgery]): Promise<Comer> => {
    const { cert, key } = await forger.issue(holding, forgery);
    // Whoever comes brings the certificate that signed theirs.
    return { holding, variant, with: { cert: forgery.by === issued ? `${cert}${holding.cert}` : cert, key } };
  });
  return [{ holding, variant: AS_ISSUED, with: issued }, ...forged];
}

const DAY = 24 * 3600;

/** Listeners of a sandbox, and whom they let in by what upstream says of them. */
class Doors {
  private readonly ca: string;

  public constructor(
    private readonly sandbox: Sandbox,
    private readonly trust: Trust,
    authorities: readonly Signer[],
    private readonly kubelet: KubeletPort | undefined,
  ) {
    // Who serves is not the question here: any of the cluster's authorities, or the kubelet's own.
    this.ca = [...authorities.map(({ cert }) => cert), kubelet?.own ?? ""].join("\n");
  }

  /** Who comes with a certificate that OpenSSL finds good for a client, by the file of those who may have signed it. */
  public async known(comers: readonly Comer[]): Promise<Map<string, ReadonlySet<Comer>>> {
    const place = path.join(this.sandbox.folder, "comers");
    const names = comers.map((comer, index) => {
      const name = `${place}-${index}.pem`;
      writeFileSync(name, comer.with.cert);
      return name;
    });
    const leaves = `${place}.pem`;
    writeFileSync(leaves, comers.map((comer) => comer.with.cert).join("\n"));
    const known = new Map<string, ReadonlySet<Comer>>();
    for (const file of new Set(files(this.sandbox, this.trust))) {
      const trusted = ["-no-CApath", "-no-CAstore", "-CAfile", file];
      const purpose = ["-purpose", "sslclient", "-untrusted", leaves];
      const { stdout } = await attempt("openssl", ["verify", ...trusted, ...purpose, ...names]);
      const good = new Set([...stdout.matchAll(/^(.*): OK$/gm)].map(([, name]) => name!));
      known.set(file, new Set(comers.filter((_, index) => good.has(names[index]!))));
    }
    return known;
  }

  /** What each listener should make of somebody, and what it makes of them. */
  public async cells(comer: Comer, known: ReadonlyMap<string, ReadonlySet<Comer>>): Promise<Cell[]> {
    const { certificate, place } = comer.holding;
    const [user = ""] = namesOf(certificate, "CN");
    const groups = namesOf(certificate, "O");
    const { apiServer, frontProxy, etcdClient, etcdPeer, kubelet } = this.trust;
    const isKnown = (file: string, machine = CONTROL_PLANE) => known.get(this.sandbox.file(machine, file))!.has(comer);
    const themselves = isKnown(apiServer) ? userText(user, [...groups, AUTHENTICATED]) : "";
    const rights = rightsOf([user, ...groups], this.trust);
    const may = themselves && `, nodes ${status(rights.nodes)}, secrets ${status(rights.secrets)}`;
    const isProxy = isKnown(frontProxy.file) && frontProxy.allowedNames.includes(user);
    const comesTo = (door: Trust["etcdPeer"], names: readonly string[]) =>
      isKnown(door.file) && (door.allowedName === undefined || names.includes(door.allowedName)) ? "let in" : "";
    const hosts = (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^DNS:/, ""));
    const { etcdClient: client, etcdPeer: peer } = this.sandbox.ports;
    const cell = (port: PortName, expected: string, seen: string): Cell => {
      return { place, user, groups, variant: comer.variant, port, expected, seen };
    };
    return [
      cell("API server", `${themselves}${comer.variant === AS_ISSUED ? may : ""}`, await this.atApiServer(comer)),
      cell(
        "API server, as a front proxy",
        isProxy ? userText("somebody", ["some-group", AUTHENTICATED]) : themselves,
        await this.review(comer, { "X-Remote-User": "somebody", "X-Remote-Group": "some-group" }),
      ),
      cell("etcd, client port", comesTo(etcdClient, hosts), await this.atEtcd(comer, client)),
      cell("etcd, peer port", comesTo(etcdPeer, [user]), await this.atEtcd(comer, peer)),
      ...(kubelet === undefined
        ? []
        : [
            cell(
              "kubelet",
              isKnown(kubelet, NAMED_WORKER) ? podsText(user, rights.kubelet) : "",
              await this.atKubelet(comer),
            ),
          ]),
    ];
  }

  private async atApiServer(comer: Comer): Promise<string> {
    const user = await this.review(comer);
    if (user === "" || comer.variant !== AS_ISSUED) {
      return user;
    }
    const [nodes, secrets] = await Promise.all(
      ["/api/v1/nodes?limit=1", "/api/v1/namespaces/kube-system/secrets?limit=1"].map((url) => this.ask(comer, url)),
    );
    return `${user}, nodes ${nodes!.status}, secrets ${secrets!.status}`;
  }

  /** Who the API server says that somebody is. */
  private async review(comer: Comer, headers?: Asking["headers"]): Promise<string> {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const url = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const answer = await this.ask(comer, url, { headers, method: "POST", body });
    if (answer.status === 401) {
      return "";
    }
    if (answer.status !== 201) {
      return `${answer.status ?? "no"} answer: ${answer.body}`;
    }
    const { userInfo } = (JSON.parse(answer.body) as { status: { userInfo: { username: string; groups: string[] } } })
      .status;
    return userText(userInfo.username, userInfo.groups);
  }

  /** etcd ends the connection of whom it does not let in. */
  private async atEtcd({ with: { cert, key } }: Comer, port: number): Promise<string> {
    const answer = await ask(`https://127.0.0.1:${port}/version`, { as: { cert, key }, ca: this.ca });
    const isRefused = answer.status === undefined && /alert|ECONNRESET|EPIPE|socket hang up/.test(answer.body);
    return answer.status === 200 ? "let in" : isRefused ? "" : `${answer.status ?? "no"} answer: ${answer.body}`;
  }

  /** A kubelet says whom it refuses what, once it knows who that is. */
  private async atKubelet({ with: as }: Comer): Promise<string> {
    const { address, port } = this.kubelet!;
    const url = `https://${address}:${port}/runningpods/`;
    const answer = await ask(url, { as, ca: this.ca, servername: NAMED_WORKER });
    const forbidden = /^Forbidden \(user=(.*), verb=get, resource=nodes, subresource\(s\)=\[pods proxy\]\)/;
    const [, user] = forbidden.exec(answer.body) ?? [];
    if (answer.status === 200 || (answer.status === 403 && user !== undefined)) {
      return podsText(user ?? "", answer.status === 200);
    }
    return answer.status === 401 ? "" : `${answer.status ?? "no"} answer: ${answer.body}`;
  }

  private ask({ with: as }: Comer, url: string, asking: Partial<Asking> = {}): Promise<Answer> {
    return ask(`${this.sandbox.server}${url}`, { as, ca: this.ca, ...asking });
  }
}

const AUTHENTICATED = "system:authenticated";

function userText(user: string, groups: readonly string[]): string {
  return `${user} [${[...groups].sort().join(" ")}]`;
}

/** What somebody gets who asks for a node's pods. Whom it tells, a kubelet does not say; whom it does not, it does. */
function podsText(user: string, isAllowed: boolean): string {
  return isAllowed ? "pods 200" : `${user}, pods 403`;
}

function status(isAllowed: boolean): 200 | 403 {
  return isAllowed ? 200 : 403;
}

/** Where listeners have those from who may have signed what their clients come with. */
function files(sandbox: Sandbox, { apiServer, frontProxy, etcdClient, etcdPeer, kubelet }: Trust): string[] {
  const onControlPlane = [apiServer, frontProxy.file, etcdClient.file, etcdPeer.file];
  return [
    ...onControlPlane.map((file) => sandbox.file(CONTROL_PLANE, file)),
    ...(kubelet === undefined ? [] : [sandbox.file(NAMED_WORKER, kubelet)]),
  ];
}

/** Every authority of the state, with its key. */
async function authoritiesOf(sandbox: Sandbox): Promise<Signer[]> {
  const { stdout } = await sandbox.terraform(PKI_STACK, "show", "-json");
  const { resources } = (JSON.parse(stdout) as State).values.root_module;
  const texts = (attribute: string) =>
    resources.flatMap(({ values }) => (typeof values[attribute] === "string" ? [values[attribute]] : []));
  const keys = [...new Set(texts("private_key_pem"))];
  const certificates = [...new Set(texts("cert_pem"))].filter((pem) => new X509Certificate(pem).ca);
  return certificates.map((cert) => {
    const key = keys.find((pem) => new X509Certificate(cert).checkPrivateKey(createPrivateKey(pem)))!;
    return { cert, key };
  });
}

interface State {
  readonly values: {
    readonly root_module: { readonly resources: readonly { readonly values: Readonly<Record<string, unknown>> }[] };
  };
}

function isIssuedBy(certificate: X509Certificate, authority: string): boolean {
  const { publicKey } = new X509Certificate(authority);
  return certificate.checkIssued(new X509Certificate(authority)) && certificate.verify(publicKey);
}

function nameOf({ cert }: Signer): string {
  return new X509Certificate(cert).subject.replaceAll("\n", ", ");
}

/** Does something with each, so many at once; results are in order. */
async function eachOf<T, R>(all: readonly T[], atOnce: number, action: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < all.length; index = next++) {
      results[index] = await action(all[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker));
  return results;
}
