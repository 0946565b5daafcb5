import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { ACCESS_STACK, PKI_STACK } from "../sandbox/description";
import { ask } from "../sandbox/ask";
import { NAMED_WORKER } from "../matrix/matrix";
import { Sandbox, SandboxReport } from "../sandbox/sandbox";
import { describeIdentities } from "./identities";
import { identityIn, requestCertificate } from "./nodes";
import { describeTokens } from "./tokens";

jest.setTimeout(600_000);

const NODES = ["node-1", "node-2"];
const folder = mkdtempSync(path.join(tmpdir(), "sandbox-"));
let sandbox: Sandbox;
let report: SandboxReport;

beforeAll(async () => {
  sandbox = await Sandbox.start({
    folder: path.join(folder, "sandbox"),
    nodes: NODES,
    workers: [NAMED_WORKER],
    progress: () => undefined,
  });
  report = await sandbox.report();
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Output {
  readonly value: unknown;
  readonly sensitive: boolean;
}

interface State {
  readonly values: {
    readonly outputs: Readonly<Record<string, Output>>;
    readonly root_module: {
      readonly resources: readonly { readonly type: string; readonly address: string; readonly values: object }[];
    };
  };
}

async function state(stack: string): Promise<State> {
  return JSON.parse((await sandbox.terraform(stack, "show", "-json")).stdout) as State;
}

describe("joining by TLS bootstrap", () => {
  test("makes every node Ready", () => {
    expect(report.nodes).toEqual(NODES.map((name) => ({ name, ready: true })));
  });

  test("approves and issues every request", () => {
    expect(report.requests.length).toBeGreaterThanOrEqual(NODES.length);
    for (const request of report.requests) {
      expect(request.user).toMatch(/^system:bootstrap:[a-z0-9]{6}$/);
      expect(request.signer).toBe("kubernetes.io/kube-apiserver-client-kubelet");
      expect(request.conditions).toBe("Approved,Issued");
    }
  });

  test("gives each node an identity of its own", () => {
    expect(report.identities.map(({ user, groups }) => `${user} ${groups}`)).toEqual([
      "kubernetes-admin kubeadm:cluster-admins,system:authenticated",
      "system:node:node-1 system:nodes,system:authenticated",
      "system:node:node-2 system:nodes,system:authenticated",
    ]);
  });

  test("gives a worker no more than the bundle, the token and what names it to kubeadm", () => {
    const tree = (readdirSync(sandbox.machine("node-1"), { recursive: true }) as string[]).filter((file) =>
      file.startsWith("etc/"),
    );
    const files = tree.filter((file) => statSync(path.join(sandbox.machine("node-1"), file)).isFile());
    // kubelet.conf is the kubelet's own work.
    expect(files.filter((file) => file !== "etc/kubernetes/kubelet.conf").sort()).toEqual([
      "etc/kubernetes/bootstrap-kubelet.conf",
      "etc/kubernetes/join-configuration.yaml",
      "etc/kubernetes/pki/ca.crt",
    ]);
  });
});

describe("identities", () => {
  describeIdentities("kubeadm", "node-1", () => sandbox);

  const may = async (kubeconfig: string, ...what: string[]) =>
    (await sandbox.kubectl(kubeconfig, "auth", "can-i", ...what)).stdout.trim();

  test("the admin may list nodes", async () => {
    expect(await may(sandbox.everyday, "list", "nodes")).toBe("yes");
    expect((await sandbox.kubectl(sandbox.everyday, "get", "nodes")).code).toBe(0);
  });

  test("the scheduler may not delete nodes, nor list secrets", async () => {
    const scheduler = path.join(sandbox.machine("cp-1"), "etc/kubernetes/scheduler.conf");
    expect(await may(scheduler, "delete", "nodes")).toBe("no");
    expect(await may(scheduler, "list", "secrets", "--all-namespaces")).toBe("no");
    expect(await may(scheduler, "list", "certificatesigningrequests")).toBe("no");
  });

  test("the API server's kubelet client may reach kubelets", async () => {
    const subject = "kube-apiserver-kubelet-client";
    const { stdout } = await sandbox.kubectl(
      sandbox.first,
      ...["auth", "can-i", "get", "nodes/proxy", "--as", subject, "--as-group", "system:authenticated"],
    );
    expect(stdout.trim()).toBe("yes");
  });
});

// Hollow kubelets ask once, and never again.
describe("a real kubelet", () => {
  const REAL = "real-1";

  interface Requests {
    readonly items: readonly {
      readonly spec: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
      readonly status: { readonly conditions?: readonly { readonly type: string }[]; readonly certificate?: string };
    }[];
  }

  /** What was issued for a node: who asked for it, with which certificate, and what they got. */
  async function issuedFor(node: string) {
    const { items } = await sandbox.get<Requests>("get", "csr");
    return items
      .filter(({ status }) => status.certificate !== undefined)
      .map(({ spec, status }) => ({
        by: spec.username,
        // The API server's word for the certificate that somebody came with.
        with: spec.extra?.["authentication.kubernetes.io/credential-id"]?.[0],
        conditions: (status.conditions ?? []).map(({ type }) => type),
        certificate: new X509Certificate(Buffer.from(status.certificate!, "base64")),
      }))
      .filter(({ certificate }) => certificate.subject === `O=system:nodes\nCN=system:node:${node}`);
  }

  type Issued = Awaited<ReturnType<typeof issuedFor>>;

  async function untilIssued(node: string, enough: (issued: Issued) => boolean): Promise<Issued> {
    const end = Date.now() + 120_000;
    for (;;) {
      const issued = await issuedFor(node);
      if (enough(issued) || Date.now() > end) {
        return issued;
      }
      await sleep(500);
    }
  }

  function credential({ fingerprint256 }: X509Certificate): string {
    return `X509SHA256=${fingerprint256.replaceAll(":", "").toLowerCase()}`;
  }

  /** What a kubelet would change on a machine of its own, as it is on this one. */
  function machine(): unknown {
    const settings = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"];
    const folders = ["/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/usr/libexec/kubernetes"];
    return {
      settings: settings.map((name) => readFileSync(path.join("/proc/sys", name), "utf8")),
      folders: folders.filter((name) => existsSync(name)),
      mounts: readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .filter((line) => line.includes(folder)),
      cgroups: readdirSync("/sys/fs/cgroup", { recursive: true }).filter((name) =>
        /kubepods|kubelet/.test(String(name)),
      ),
    };
  }

  let before: unknown;

  beforeAll(async () => {
    before = machine();
    // It renews what it has after 70 to 90 % of the time, of which five minutes are over when it gets it.
    await sandbox.restart("kube-controller-manager", "cp-1", sandbox.description, ["--cluster-signing-duration=60s"]);
    await sandbox.startKubelet(REAL, true);
  });

  afterAll(async () => {
    for (const name of [REAL, NAMED_WORKER]) {
      await sandbox.leave(name);
    }
  });

  test("joins with what is delivered, renews its certificate by itself, and comes with that from then on", async () => {
    const node = `system:node:${REAL}`;
    const renewedIn = (issued: Issued) => issued.filter(({ by }) => by === node);
    const isRenewed = (issued: Issued) => renewedIn(issued).length > 0;
    const credentials = (issued: Issued) => issued.map(({ certificate }) => credential(certificate));
    const [first, ...others] = (await untilIssued(REAL, isRenewed)).filter(({ by }) => by !== node);
    expect([first?.by, others]).toEqual([expect.stringMatching(/^system:bootstrap:[a-z0-9]{6}$/), []]);

    // It keeps connections open, for which the certificate of before is good until it ends.
    await sandbox.startKubelet(REAL, true);
    const issued = await untilIssued(REAL, (all) => {
      const renewed = credentials(renewedIn(all));
      return renewedIn(all).some((one) => renewed.includes(one.with!));
    });
    const comesWith = [...new Set(renewedIn(issued).map((one) => one.with!))];
    expect(comesWith).toContain(credential(first!.certificate));
    expect(comesWith.length).toBeGreaterThan(1);
    expect(credentials(issued)).toEqual(expect.arrayContaining(comesWith));
    expect(issued.filter(({ by }) => by !== node)).toHaveLength(1);
    expect(new Set(issued.flatMap(({ conditions }) => conditions))).toEqual(new Set(["Approved"]));
  });

  test("is approved by the binding that the access stack made, and by no other", async () => {
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      // As pkg/controller/certificates/approver/sarapprove.go asks.
      spec: {
        user: `system:node:${REAL}`,
        groups: ["system:nodes", "system:authenticated"],
        resourceAttributes: {
          group: "certificates.k8s.io",
          resource: "certificatesigningrequests",
          verb: "create",
          subresource: "selfnodeclient",
        },
      },
    };
    const { as, ca } = identityIn(sandbox.first);
    const url = `${sandbox.server}/apis/authorization.k8s.io/v1/subjectaccessreviews`;
    const { body } = await ask(url, { as, ca, method: "POST", body: review });
    const { status } = JSON.parse(body) as { status: { allowed: boolean; reason: string } };
    const binding = "sandbox:approve-renewals";
    const role = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient";
    expect(status).toEqual({
      allowed: true,
      reason: `RBAC: allowed by ClusterRoleBinding "${binding}" of ClusterRole "${role}" to Group "system:nodes"`,
    });
    const made = (await state(ACCESS_STACK)).values.root_module.resources;
    expect(JSON.stringify(made)).toContain(`"${binding}"`);
  });

  test("asks for a certificate of its own with the one that was delivered, on a worker with a name", async () => {
    await sandbox.startKubelet(NAMED_WORKER, true);
    const delivered = identityIn(sandbox.file(NAMED_WORKER, "/etc/kubernetes/kubelet.conf")).as.cert;
    const issued = await untilIssued(NAMED_WORKER, (all) => all.length > 0);
    expect(issued.map((one) => one.with)).toContain(credential(new X509Certificate(delivered)));
    expect(new Set(issued.map(({ by }) => by))).toEqual(new Set([`system:node:${NAMED_WORKER}`]));
  });

  test("changes nothing of the machine that it runs on", () => {
    expect(machine()).toEqual(before);
  });
});

describe("the stacks", () => {
  test.each([PKI_STACK, ACCESS_STACK])("a second plan of %s is empty", async (stack) => {
    const { code, stdout, stderr } = await sandbox.terraform(stack, "plan", "-detailed-exitcode", "-no-color");
    expect(`${stdout}${stderr}`).toContain("No changes.");
    expect(code).toBe(0);
  });

  test("no output of any stack holds a key or the token", async () => {
    const secrets = [...(await secretsOf(PKI_STACK)), ...(await secretsOf(ACCESS_STACK))];
    expect(secrets.length).toBeGreaterThan(15);
    for (const stack of [PKI_STACK, ACCESS_STACK]) {
      const outputs = JSON.stringify((await state(stack)).values.outputs);
      expect(outputs).not.toContain("PRIVATE KEY-----");
      expect(secrets.filter((secret) => outputs.includes(JSON.stringify(secret).slice(1, -1)))).toEqual([]);
    }
  });

  test("the access stack's state holds the token where it must be and no other secret", async () => {
    const { values } = await state(ACCESS_STACK);
    const [token] = await secretsOf(ACCESS_STACK);
    const holders = values.root_module.resources.filter((resource) => JSON.stringify(resource.values).includes(token!));
    expect(holders.map(({ address }) => address.replace("_v1", "")).sort()).toEqual([
      "kubernetes_secret.sandbox__token__workers",
      "random_password.sandbox__token__workers",
    ]);
    expect(JSON.stringify(values)).not.toContain("PRIVATE KEY");
  });

  test("one more name of the API server is one request and one certificate, and its file is picked up live", async () => {
    const more = sandbox.description.with({ extraSans: ["more.example.com"] });
    await sandbox.synth(more);
    await sandbox.terraform(PKI_STACK, "plan", "-out=plan");
    const plan = JSON.parse((await sandbox.terraform(PKI_STACK, "show", "-json", "plan")).stdout) as {
      resource_changes: { address: string; change: { actions: string[] } }[];
    };
    const changed = plan.resource_changes.filter(({ change }) => change.actions.join() !== "no-op");
    expect(changed.map(({ address, change }) => `${address} ${change.actions.join()}`).sort()).toEqual([
      "tls_cert_request.sandbox__cp-1__apiserver create,delete",
      "tls_locally_signed_cert.sandbox__cp-1__apiserver create,delete",
    ]);
    await sandbox.deploy(PKI_STACK, more);
    const printed = await sandbox.export(["--machine", "cp-1"], sandbox.machine("cp-1"), [PKI_STACK]);
    expect(printed.split("\n").filter((line) => line.endsWith(" written"))).toEqual([
      // Where a kubeadm that issues the certificate itself has the name from.
      "0644 root:root /etc/kubernetes/cluster-configuration.yaml written",
      "0644 root:root /etc/kubernetes/pki/apiserver.crt written",
    ]);
    await expect(servedNames()).resolves.toContain("DNS:more.example.com");
  });

  test("a renamed stack leaves the old state in place", async () => {
    const before = path.join(sandbox.folder, "state", `${PKI_STACK}.tfstate`);
    const hash = () => createHash("sha256").update(readFileSync(before)).digest("hex");
    const was = hash();
    await sandbox.synth(sandbox.description.with({ stacks: "other" }));
    expect(existsSync(sandbox.stack(PKI_STACK))).toBe(false);
    expect(existsSync(sandbox.stack("other-pki"))).toBe(true);
    expect(hash()).toBe(was);
    await sandbox.synth();
  });

  /** The secret values of a stack: private keys and tokens. */
  async function secretsOf(stack: string): Promise<string[]> {
    const { resources } = (await state(stack)).values.root_module;
    return resources.flatMap(({ type, values }) => {
      const { private_key_pem, result } = values as { private_key_pem?: string; result?: string };
      return type === "tls_private_key" ? [private_key_pem!] : type === "random_password" ? [result!] : [];
    });
  }

  /** The names in the certificate that the API server serves, once it noticed a new one. */
  async function servedNames(): Promise<string | undefined> {
    const end = Date.now() + 30_000;
    for (;;) {
      const names = await servedCertificate();
      if (names?.includes("more.example.com") || Date.now() > end) {
        return names;
      }
      await sleep(250);
    }
  }

  function servedCertificate(): Promise<string | undefined> {
    const { hostname: host, port } = new URL(sandbox.server);
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.subjectAltName);
        socket.end();
      });
      socket.once("error", reject);
    });
  }
});

// The last: it changes what stands in the API server.
describe("bootstrap tokens", () => describeTokens(() => sandbox));

describe("a node", () => {
  test("gets no certificate of another node", async () => {
    const { stderr } = await requestCertificate(sandbox, sandbox.kubelet("node-1"), {
      name: "somebody-else",
      node: "node-2",
    });
    expect(stderr).toContain("can only create a node CSR with CN=system:node:node-1");
  });
});
