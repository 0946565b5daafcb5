import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CertificateRow, DistributionTable, HolderKind } from "../../lib";
import { fillText } from "../../lib/kubernetes/holders";
import { run } from "../sandbox/command";
import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import { bootstrapToken, distributionNamed, operatorKubeconfigs } from "../sandbox/distribution";
import { Sandbox } from "../sandbox/sandbox";
import { fromKubeconfig, Held, identityIn, TableReader } from "../sandbox/table-reader";
import { Answer, ask, Identity } from "../sandbox/ask";

/** A worker that the description names, and that never starts. */
export const NAMED_WORKER = "worker-1";

const HOLDERS: Readonly<Record<string, readonly HolderKind[]>> = {
  [CONTROL_PLANE]: ["control-plane", "etcd-member"],
  [NAMED_WORKER]: ["named-worker"],
  operator: ["operator"],
};

/** The identities of a distribution, at a running sandbox that has {@link NAMED_WORKER}. */
export function describeIdentities(distribution: string, node: string, sandboxOf: () => Sandbox): void {
  const { table } = distributionNamed(distribution);
  const reader = new TableReader(table, HOLDERS);
  const held = reader.clients();
  const token = bootstrapToken(table);
  const authorities = Object.keys(table.authorities);
  let sandbox: Sandbox;
  let forger: Forger;

  beforeAll(async () => {
    sandbox = sandboxOf();
    await sandbox.export(["--machine", NAMED_WORKER], sandbox.machine(NAMED_WORKER), [PKI_STACK]);
    forger = await Forger.create(table, sandbox);
  });

  const read = (machine: string, file: string) => readFileSync(sandbox.file(machine, file), "utf8");
  const identityOf = (held: Held): Identity => identityIn(sandbox, held);
  const first = () => fromKubeconfig(readFileSync(sandbox.first, "utf8"));
  const master = operatorKubeconfigs(table).first.row;
  const forge = (authority: string, row: CertificateRow, { cert }: Identity) =>
    forger.issue(authority, { row, certificate: cert });

  /** Who the API server says that one is. */
  const review = (asking: { as?: Identity; token?: string; headers?: Record<string, string> }): Promise<Answer> => {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const url = `${sandbox.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
    return ask(url, { ...asking, ca: first().ca, method: "POST", body });
  };
  const etcd = (as: Identity): Promise<Answer> => {
    const ca = read(CONTROL_PLANE, reader.fileOf("kube-apiserver", "--etcd-cafile"));
    return ask(`https://127.0.0.1:${sandbox.ports.etcdClient}/health`, { as, ca });
  };

  describe("a client", () => {
    test("is in the table for each component that needs one", () => {
      expect(held.length).toBeGreaterThan(4);
    });

    test.each(held.flatMap((one) => one.kubeconfigs.map((file) => ({ ...one, file }))))(
      "$name authenticates with $file of $machine",
      async ({ row, machine, file }) => {
        const { stdout, stderr } = await sandbox.kubectl(
          sandbox.file(machine, file),
          "auth",
          "whoami",
          "--output=json",
        );
        expect(stderr).toBe("");
        expectUser(stdout, row, machine);
      },
    );

    test.each(held.flatMap((one) => (one.pair ? [{ ...one, file: one.pair.certificate }] : [])))(
      "$name authenticates with $file of $machine",
      async (one) => {
        const { status, body } = await review({ as: identityOf(one) });
        expect([status, body]).toEqual([201, expect.anything()]);
        expectUser(body, one.row, one.machine);
      },
    );

    test("shares its key with no other", () => {
      const keys = held.map((one) => new X509Certificate(identityOf(one).cert).publicKey.export({ format: "jwk" }));
      expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(held.length);
    });

    test.each([...authorities.filter((name) => !reader.isClientAuthority(name)), UNKNOWN])(
      "signed by %s is nobody to the API server",
      async (authority) => {
        const { status } = await review({ as: await forge(authority, master, first().identity) });
        expect(status).toBe(401);
      },
    );

    test("signed by the right authority, in the same way, is somebody", async () => {
      const authority = authorities.find((name) => reader.isClientAuthority(name))!;
      const { body } = await review({ as: await forge(authority, master, first().identity) });
      expectUser(body, master, "operator");
    });
  });

  describe("a front proxy", () => {
    const headers = { "X-Remote-User": "somebody", "X-Remote-Group": "some-group" };
    const proxy = reader.certificate("kube-apiserver", "--proxy-client-cert-file");

    test("may speak for others", async () => {
      const { body } = await review({ as: identityOf(proxy), headers });
      expect(userIn(body)).toMatchObject({
        username: "somebody",
        groups: expect.arrayContaining(["some-group"]) as unknown,
      });
    });

    test("is not any client, which stays who it is", async () => {
      for (const one of held.filter(({ name, machine }) => name !== proxy.name && machine === CONTROL_PLANE)) {
        const { body } = await review({ as: identityOf(one), headers });
        expectUser(body, one.row, one.machine);
      }
    });
  });

  describe("etcd", () => {
    const client = reader.certificate("kube-apiserver", "--etcd-certfile");

    test("lets the API server in", async () => {
      expect(await etcd(identityOf(client))).toEqual({
        status: 200,
        body: expect.stringContaining('"true"') as string,
      });
    });

    test("lets in whom its authority signs", async () => {
      expect((await etcd(await forge(client.row.authority, client.row, identityOf(client)))).status).toBe(200);
    });

    test.each([...authorities.filter((name) => !reader.isTrustedWith("etcd", "--trusted-ca-file", name)), UNKNOWN])(
      "lets nobody in whom %s signed",
      async (authority) => {
        expect((await etcd(await forge(authority, client.row, identityOf(client)))).status).toBeUndefined();
      },
    );
  });

  test("etcd lets no other client of the API server in", async () => {
    for (const one of held.filter(({ row }) => !reader.isClientOfEtcd(row))) {
      expect([one.name, (await etcd(identityOf(one))).status]).toEqual([one.name, undefined]);
    }
  });

  test("a service account's token is made and accepted", async () => {
    const { stdout, stderr } = await sandbox.kubectl(sandbox.first, "create", "token", "default");
    expect(stderr).toBe("");
    const { body } = await review({ token: stdout.trim() });
    expect(userIn(body).username).toBe("system:serviceaccount:default:default");
  });

  if (token) {
    test("what a worker joins with authenticates as its bootstrap token", async () => {
      const kubeconfig = sandbox.bootstrapKubeconfig(node)!;
      const { stdout, stderr } = await sandbox.kubectl(kubeconfig, "auth", "whoami", "--output=json");
      expect(stderr).toBe("");
      const { username, groups } = userIn(stdout);
      expect(username).toMatch(/^system:bootstrap:[a-z0-9]{6}$/);
      expect(groups).toEqual(expect.arrayContaining(["system:bootstrappers", ...(token.group ? [token.group] : [])]));
    });
  }

  function expectUser(review: string, { commonName, organization }: CertificateRow, machine: string): void {
    const { username, groups } = userIn(review);
    expect(username).toBe(fillText(commonName, sandbox.description.props.cluster, machine));
    expect(groups).toEqual(expect.arrayContaining(["system:authenticated", ...(organization ? [organization] : [])]));
  }
}

function userIn(review: string): { readonly username: string; readonly groups: readonly string[] } {
  const { status } = JSON.parse(review) as { status: { userInfo: { username: string; groups: string[] } } };
  return status.userInfo;
}

const UNKNOWN = "an unknown authority of the same name";

/** Issues certificates that nobody should have issued, with the authorities' keys out of the Terraform state. */
class Forger {
  public static async create(table: DistributionTable, sandbox: Sandbox): Promise<Forger> {
    const { stdout } = await sandbox.terraform(PKI_STACK, "show", "-json");
    const { resources } = (JSON.parse(stdout) as State).values.root_module;
    return new Forger(table, resources, mkdtempSync(path.join(sandbox.folder, "forged-")));
  }

  private count = 0;

  private constructor(
    private readonly table: DistributionTable,
    private readonly resources: State["values"]["root_module"]["resources"],
    private readonly folder: string,
  ) {}

  /** What somebody holds, as another authority would have issued it: with a key of its own, and all names. */
  public async issue(
    authority: string,
    { row, certificate }: { readonly row: CertificateRow; readonly certificate: string },
  ): Promise<Identity> {
    const signer = authority === UNKNOWN ? await this.stranger(row.authority) : this.authority(authority);
    const [key, request, issued] = ["key", "csr", "crt"].map((type) => this.file(type)) as [string, string, string];
    const subject = `${row.organization ? `/O=${row.organization}` : ""}/CN=${row.commonName}`;
    await run("openssl", ["req", "-new", ...NEW_KEY, "-subj", subject, "-keyout", key, "-out", request]);
    const names = new X509Certificate(certificate).subjectAltName?.replaceAll("IP Address", "IP");
    const extensions = ["extendedKeyUsage=clientAuth", ...(names ? [`subjectAltName=${names}`] : [])].join("\n");
    const signing = ["-CA", signer.certificate, "-CAkey", signer.key, "-set_serial", "1"];
    const extending = ["-extfile", this.file("ext", extensions)];
    await run("openssl", ["x509", "-req", "-in", request, ...signing, ...extending, "-out", issued]);
    return { cert: readFileSync(issued, "utf8"), key: readFileSync(key, "utf8") };
  }

  private authority(name: string): Signer {
    const value = (end: string, attribute: string) =>
      this.resources.find(({ address }) => address.endsWith(`${end}.sandbox__ca__${name}__g1`))!.values[attribute]!;
    const certificate = this.file("crt", value("_cert", "cert_pem"));
    return { certificate, key: this.file("key", value("_private_key", "private_key_pem")) };
  }

  /** An authority that has the name of another and is not it. */
  private async stranger(name: string): Promise<Signer> {
    const { commonName } = this.table.authorities[name]!;
    const [certificate, key] = [this.file("crt"), this.file("key")];
    const args = ["-x509", ...NEW_KEY, "-subj", `/CN=${commonName}`, "-keyout", key, "-out", certificate];
    await run("openssl", ["req", ...args]);
    return { certificate, key };
  }

  private file(type: string, text?: string): string {
    const file = path.join(this.folder, `${this.count++}.${type}`);
    if (text !== undefined) {
      writeFileSync(file, text, { mode: 0o600 });
    }
    return file;
  }
}

/** Files of an authority. */
interface Signer {
  readonly certificate: string;
  readonly key: string;
}

interface State {
  readonly values: {
    readonly root_module: {
      readonly resources: readonly { readonly address: string; readonly values: Readonly<Record<string, string>> }[];
    };
  };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
