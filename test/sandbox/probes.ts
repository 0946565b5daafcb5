import { X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import path from "node:path";
import { connect } from "node:tls";
import type { Identity } from "./ask";
import type { Place } from "./balancer";
import { run } from "./command";
import { PKI_STACK } from "./description";
import type { Sandbox } from "./sandbox";
import { TableReader } from "./table-reader";

/** An authority's generation. */
export interface Signer {
  readonly authority: string;
  /** `g1` */
  readonly id: string;
  readonly cert: string;
  readonly key: string;
}

interface State {
  readonly values: {
    readonly root_module: {
      readonly resources: readonly { readonly address: string; readonly values: Readonly<Record<string, string>> }[];
    };
  };
}

/** On a busy machine a handshake takes its time. */
const TIMEOUT_MS = 15_000;

/** What a port answers to somebody that it lets in, and that may do everything. */
const PATHS: Readonly<Record<string, string>> = {
  etcd: "/version",
  "kube-apiserver": "/api/v1/nodes?limit=1",
  "kube-controller-manager": "/metrics",
};

/** What a client is called: some listeners look at that as well. */
interface Names {
  readonly commonName: string;
  readonly sans: readonly string[];
}

/** Real clients of every generation of every authority that a state knows, to see what a port accepts, and who accepts that port. */
export class Probes {
  private readonly signers = new Map<string, Signer>();
  private readonly clients = new Map<string, Promise<Identity>>();
  private readonly folder: string;
  /** A front proxy, which may speak for `system:masters`. */
  private readonly proxy: Names;
  private readonly etcdClient: Names;
  private readonly etcdPeer: Names;

  public constructor(private readonly sandbox: Sandbox) {
    const { table } = sandbox.description.props.distribution;
    this.folder = mkdtempSync(path.join(sandbox.folder, "probes-"));
    const reader = new TableReader(table);
    const named = (component: string, flag: string): Names => {
      const { commonName, sans = [] } = reader.row(component, flag);
      return { commonName, sans: sans.filter((name) => !name.includes("{")) };
    };
    this.proxy = named("kube-apiserver", "--proxy-client-cert-file");
    this.etcdClient = named("kube-apiserver", "--etcd-certfile");
    this.etcdPeer = named("etcd", "--peer-cert-file");
  }

  /**
   * Reads which generations there are. Those that are gone from the state stay known: somebody may have kept their key.
   *
   * @returns the state, as `terraform show -json` prints it
   */
  public async readState(): Promise<string> {
    const { stdout } = await this.sandbox.terraform(PKI_STACK, "show", "-json");
    for (const { address, values } of (JSON.parse(stdout) as State).values.root_module.resources) {
      const [, authority, id] = /^tls_self_signed_cert\..*__ca__([\w-]+?)__(\w+)$/.exec(address) ?? [];
      if (authority && id) {
        const [cert, key] = [values["cert_pem"]!, values["private_key_pem"]!];
        this.signers.set(`${authority} ${id}`, { authority, id, cert, key });
      }
    }
    return stdout;
  }

  /** Generations whose clients a port lets in, by authority. */
  public async letIn(component: string, place: Place): Promise<Readonly<Record<string, readonly string[]>>> {
    const found: Record<string, string[]> = {};
    for (const signer of this.signers.values()) {
      if (await this.isLetIn(component, place, await this.clientOf(signer, this.namesAt(place)))) {
        (found[signer.authority] ??= []).push(signer.id);
      }
    }
    return found;
  }

  /** The generations that signed what a port serves: `kubernetes g1`. More than one would be a riddle. */
  public async serves(place: Place): Promise<string[]> {
    const served = await servedAt(place);
    const isSigner = ({ cert }: Signer) => {
      const ca = new X509Certificate(cert);
      return served?.checkIssued(ca) === true && served.verify(ca.publicKey);
    };
    return [...this.signers].filter(([, signer]) => isSigner(signer)).map(([name]) => name);
  }

  /** Of `system:masters` by its certificate, or, as a front proxy, by what it says. */
  private isLetIn(component: string, { host, port }: Place, client: Identity): Promise<boolean> {
    const headers = { "X-Remote-User": "probe", "X-Remote-Group": "system:masters" };
    const options = { ...client, headers, host, port, path: PATHS[component]!, rejectUnauthorized: false };
    return new Promise((resolve) => {
      const asked = request({ ...options, agent: false, timeout: TIMEOUT_MS }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.once("timeout", () => asked.destroy());
      asked.once("error", () => resolve(false));
      asked.end();
    });
  }

  private namesAt({ port }: Place): Names {
    const { etcdClient, etcdPeer } = this.sandbox.ports;
    return port === etcdClient ? this.etcdClient : port === etcdPeer ? this.etcdPeer : this.proxy;
  }

  private clientOf(signer: Signer, names: Names): Promise<Identity> {
    const name = `${signer.authority}-${signer.id}-${names.commonName.replace(/\W/g, "")}`;
    const client = this.clients.get(name) ?? this.issue(name, signer, names);
    this.clients.set(name, client);
    return client;
  }

  private async issue(name: string, { cert, key }: Signer, { commonName, sans }: Names): Promise<Identity> {
    const at = (ending: string) => path.join(this.folder, `${name}${ending}`);
    writeFileSync(at("-ca.crt"), cert);
    writeFileSync(at("-ca.key"), key, { mode: 0o600 });
    const altNames = sans.length > 0 ? [`subjectAltName=${sans.map((san) => `DNS:${san}`).join()}`] : [];
    writeFileSync(at(".cnf"), ["extendedKeyUsage=clientAuth", ...altNames, ""].join("\n"));
    const openssl = (...args: string[]) => run("openssl", args);
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const subject = ["-subj", `/O=system:masters/CN=${commonName}`];
    await openssl("req", "-new", ...ec, ...subject, "-keyout", at(".key"), "-out", at(".csr"));
    const signed = ["-CA", at("-ca.crt"), "-CAkey", at("-ca.key"), "-extfile", at(".cnf"), "-days", "1"];
    await openssl("x509", "-req", "-in", at(".csr"), ...signed, "-out", at(".crt"));
    return { cert: await openssl("x509", "-in", at(".crt")), key: await openssl("pkey", "-in", at(".key")) };
  }
}

function servedAt({ host, port }: Place): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS, rejectUnauthorized: false });
    const end = (served?: X509Certificate) => {
      socket.destroy();
      resolve(served);
    };
    socket.once("secureConnect", () => end(socket.getPeerX509Certificate()));
    socket.once("timeout", () => end());
    socket.once("error", () => end());
  });
}
