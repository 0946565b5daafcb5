import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, Server } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Identity } from "../sandbox/ask";
import { askEndpoint } from "../sandbox/load";
import type { Sandbox } from "../sandbox/sandbox";

/** What an API server tells aggregated ones: the ConfigMap `extension-apiserver-authentication`. */
export type Authentication = Readonly<Record<string, string>>;

export const GROUP = "probe.example.com";
const VERSION = "v1";
/** What it answers to somebody whom a front proxy names. */
export const PROBE = `/apis/${GROUP}/${VERSION}/probes`;
/** Where it is told whom to let in. */
export const TOLD = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Who somebody is, or that nobody knows. */
interface Caller {
  readonly user?: string;
  readonly client?: X509Certificate;
}

/**
 * An aggregated API server. It lets a front proxy speak for others as k8s.io/apiserver does: the client's certificate is verified for each
 * request, by what the ConfigMap says at that moment, then its name is looked up among those that are allowed; headers are believed after
 * that alone. What it was told last holds while nobody tells it anything.
 *
 * @see https://github.com/kubernetes/apiserver/blob/v0.36.3/pkg/authentication/request/headerrequest/requestheader_controller.go
 * @see https://github.com/kubernetes/apiserver/blob/v0.36.3/pkg/authentication/request/x509/x509.go
 */
export class AggregatedServer {
  /** @param read reads the ConfigMap; undefined where it is not there, or the API server does not answer */
  public static async start(
    folder: string,
    read: () => Promise<Authentication | undefined>,
  ): Promise<AggregatedServer> {
    const server = new AggregatedServer(servingIdentity(folder), read);
    await new Promise<void>((resolve) => server.server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** One behind all API servers of a sandbox, told by them and known to them. */
  public static async behind(sandbox: Sandbox, folder: string): Promise<AggregatedServer> {
    const server = await AggregatedServer.start(folder, async () => {
      const { status, body } = await askEndpoint(sandbox, TOLD);
      return status === 200 ? (JSON.parse(body) as { data: Authentication }).data : undefined;
    });
    for (const [at, body] of registration(server)) {
      const { status, body: answer } = await askEndpoint(sandbox, at, { method: "POST", body });
      if (status !== 201) {
        throw new Error(`POST ${at}: ${status ?? ""} ${answer}`);
      }
    }
    return server;
  }

  /** Certificates of front proxies that were let in, by fingerprint. */
  public readonly letIn = new Map<string, X509Certificate>();
  private readonly server: Server;
  private readonly reading: Promise<void>;
  private told: Authentication = {};
  private isOver = false;

  private constructor(
    private readonly identity: Identity & { readonly ca: string },
    read: () => Promise<Authentication | undefined>,
  ) {
    const options = { ...identity, ca: undefined, requestCert: true, rejectUnauthorized: false };
    this.server = createServer(options, (request, response) => this.answer(request, response));
    // A connection that the client takes for open is not closed under it.
    this.server.keepAliveTimeout = 0;
    this.reading = this.keepReading(read);
  }

  public get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** PEM of the authority that signed what it serves. */
  public get caBundle(): string {
    return this.identity.ca;
  }

  /** The authorities whose front proxies it lets in. */
  public get frontProxies(): X509Certificate[] {
    return certificatesIn(this.told["requestheader-client-ca-file"] ?? "");
  }

  public async stop(): Promise<void> {
    this.isOver = true;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await this.reading;
  }

  private async keepReading(read: () => Promise<Authentication | undefined>): Promise<void> {
    while (!this.isOver) {
      const told = await read();
      this.told = told ?? this.told;
      await sleep(200);
    }
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { user, client } = this.authenticate(request);
    const say = (status: number, body: object) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (user === undefined) {
      const issuer = client?.issuer.replaceAll("\n", ", ") ?? "no certificate";
      say(401, { kind: "Status", apiVersion: "v1", status: "Failure", code: 401, message: `Unauthorized: ${issuer}` });
    } else if (request.url === `/apis/${GROUP}/${VERSION}`) {
      say(200, { kind: "APIResourceList", apiVersion: "v1", groupVersion: `${GROUP}/${VERSION}`, resources: [] });
    } else if (request.url?.startsWith(`/apis/${GROUP}/${VERSION}/`)) {
      say(200, { kind: "Probe", apiVersion: `${GROUP}/${VERSION}`, user });
    } else {
      say(404, { kind: "Status", apiVersion: "v1", status: "Failure", code: 404 });
    }
  }

  private authenticate({ socket, headers }: IncomingMessage): Caller {
    const client = (socket as TLSSocket).getPeerX509Certificate();
    if (!client || !this.isFrontProxy(client)) {
      return { client };
    }
    this.letIn.set(client.fingerprint256, client);
    const name = this.list("requestheader-username-headers").map((header) => headers[header.toLowerCase()]);
    return { client, user: name.find((value): value is string => typeof value === "string" && value !== "") };
  }

  private isFrontProxy(client: X509Certificate): boolean {
    const now = Date.now();
    const isValid = Date.parse(client.validFrom) <= now && now <= Date.parse(client.validTo);
    const isSigned = this.frontProxies.some((ca) => client.checkIssued(ca) && client.verify(ca.publicKey));
    const names = this.list("requestheader-allowed-names");
    const isAllowed = names.length === 0 || names.includes(/^CN=(.*)$/m.exec(client.subject)?.[1] ?? "");
    return isValid && isSigned && isAllowed && (client.keyUsage ?? []).includes(CLIENT_AUTH);
  }

  private list(key: string): string[] {
    return JSON.parse(this.told[key] ?? "[]") as string[];
  }
}

/** The object that registers it: the API server asks for a service's name, and finds it here on loopback. */
export function registration({ port, caBundle }: AggregatedServer): readonly [at: string, body: object][] {
  const metadata = { name: "extension", namespace: "default" };
  const service = { metadata, spec: { type: "ExternalName", externalName: "localhost" } };
  const spec = {
    ...{ group: GROUP, version: VERSION, groupPriorityMinimum: 1, versionPriority: 1 },
    service: { ...metadata, port },
    caBundle: Buffer.from(caBundle).toString("base64"),
  };
  return [
    ["/api/v1/namespaces/default/services", service],
    ["/apis/apiregistration.k8s.io/v1/apiservices", { metadata: { name: `${VERSION}.${GROUP}` }, spec }],
  ];
}

function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/g) ?? [];
  return blocks.map((pem) => new X509Certificate(pem));
}

/** A certificate for the service's name, of an authority that signs nothing else. */
function servingIdentity(folder: string): Identity & { readonly ca: string } {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (name: string) => readFileSync(path.join(folder, name), "utf8");
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...ec, "-days", "1", "-subj", "/CN=extension-ca", "-keyout", "ca.key", "-out", "ca.crt");
  writeFileSync(path.join(folder, "names"), "subjectAltName=DNS:extension.default.svc\nextendedKeyUsage=serverAuth\n");
  openssl("req", "-new", ...ec, "-subj", "/CN=extension", "-keyout", "tls.key", "-out", "tls.csr");
  const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-extfile", "names", "-days", "1"];
  openssl("x509", "-req", "-in", "tls.csr", ...signer, "-out", "tls.crt");
  return { cert: read("tls.crt"), key: read("tls.key"), ca: read("ca.crt") };
}
