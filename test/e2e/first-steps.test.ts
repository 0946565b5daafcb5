import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { attempt, type Ended } from "../sandbox/command";
import { ACCESS_STACK, PKI_STACK } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { CLIENT, isAlive } from "./nodes";
import { describeTwoInTurn, FIRST, IN_TURN, lookingAt, until } from "./tokens";

// What somebody types who looks at a new cluster for the first time: openssl, curl and kubectl on the files that were exported. OpenTofu made
// all of it, as Terraform does in test/e2e/sandbox.test.ts. That an agent's keys of K3s differ says `diff` in test/e2e/k3s.test.ts.

jest.setTimeout(600_000);

const folder = mkdtempSync(path.join(tmpdir(), "first-steps-"));
let sandbox: Sandbox;

beforeAll(async () => {
  const named = process.env.TERRAFORM_BINARY_NAME;
  process.env.TERRAFORM_BINARY_NAME = "tofu";
  try {
    sandbox = await Sandbox.start({
      folder: path.join(folder, "sandbox"),
      nodes: ["node-1"],
      users: ["joe"],
      progress: () => undefined,
    });
  } finally {
    if (named === undefined) {
      delete process.env.TERRAFORM_BINARY_NAME;
    } else {
      process.env.TERRAFORM_BINARY_NAME = named;
    }
  }
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a line does in a shell on a machine, or where the operator has the files. */
function typed(line: string, machine = "cp-1"): Promise<Ended> {
  const env = {
    HOME: sandbox.folder,
    PATH: `${path.dirname(sandbox.tools.kubectl)}:${process.env.PATH}`,
    SERVER: sandbox.server,
    ETCD: `https://127.0.0.1:${sandbox.ports.etcdClient}`,
  };
  return attempt("sh", ["-c", line], { cwd: sandbox.machine(machine), env, seconds: 60 });
}

test("OpenTofu is what made it", async () => {
  expect((await sandbox.terraform(PKI_STACK, "version")).stdout).toMatch(/^OpenTofu v/);
});

test("openssl verifies each certificate below its authority, and below no other", async () => {
  const verify = "cd etc/kubernetes/pki && openssl verify -CAfile";
  const names = (authority: string) =>
    ({
      "ca.crt": ["apiserver.crt", "apiserver-kubelet-client.crt"],
      "front-proxy-ca.crt": ["front-proxy-client.crt"],
      "etcd/ca.crt": ["etcd/server.crt", "etcd/peer.crt", "etcd/healthcheck-client.crt", "apiserver-etcd-client.crt"],
    })[authority]!;
  const authorities = ["ca.crt", "front-proxy-ca.crt", "etcd/ca.crt"];
  const all = authorities.flatMap(names);
  const found = readdirSync(sandbox.file("cp-1", "/etc/kubernetes/pki"), { recursive: true }) as string[];
  const leaves = found.filter((file) => file.endsWith(".crt") && !/ca(-signing)?\.crt$/.test(file));
  expect(leaves.sort()).toEqual([...all].sort());
  for (const authority of authorities) {
    const { stdout } = await typed(`${verify} ${authority} ${names(authority).join(" ")}`);
    expect(stdout.trim().split("\n")).toEqual(names(authority).map((name) => `${name}: OK`));
    const others = all.filter((name) => !names(authority).includes(name));
    const wrong = await typed(`${verify} ${authority} ${others.join(" ")}`);
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  }
});

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

describe(hasCurl ? "curl" : "curl, which this machine has not", () => {
  const testOfCurl = hasCurl ? test : test.skip;
  const CODE = "curl --silent --output /dev/null --write-out '%{http_code}'";
  const AUTHORITY = "--cacert etc/kubernetes/pki/ca.crt";
  /** What the operator has of the cluster: the authority is the same as the machines'. */
  const OPERATOR = "--cacert ../cp-1/etc/kubernetes/pki/ca.crt";
  const JOE = "--cert users/joe.crt --key users/joe.key";
  const pair = (name: string) => `--cert etc/kubernetes/pki/${name}.crt --key etc/kubernetes/pki/${name}.key`;
  const code = async (line: string, machine?: string) => (await typed(`${CODE} ${line}`, machine)).stdout;

  describe("asks the API server", () => {
    testOfCurl("with a certificate: 200 where its user is bound to a role, and 403 where not", async () => {
      expect(await code(`${OPERATOR} ${JOE} $SERVER/api/v1/namespaces/default/pods`, "operator")).toBe("200");
      expect(await code(`${OPERATOR} ${JOE} $SERVER/api/v1/namespaces/kube-system/pods`, "operator")).toBe("403");
      const { stdout } = await typed(`curl --silent ${OPERATOR} ${JOE} $SERVER/api/v1/nodes`, "operator");
      expect(stdout).toContain('User \\"joe\\" cannot list resource \\"nodes\\"');
    });

    testOfCurl("as the node that has joined, with the one file that its kubelet keeps", async () => {
      const as = `--cacert etc/kubernetes/pki/ca.crt --cert .${CLIENT}`;
      expect(await code(`${as} $SERVER/api/v1/nodes/node-1`, "node-1")).toBe("200");
      expect(await code(`${as} $SERVER/api/v1/nodes/node-2`, "node-1")).toBe("403");
      expect(await code(`${as} $SERVER/api/v1/namespaces/kube-system/secrets`, "node-1")).toBe("403");
    });

    testOfCurl("with a certificate of another authority: 401", async () => {
      for (const name of ["front-proxy-client", "etcd/healthcheck-client", "apiserver-etcd-client"]) {
        expect([name, await code(`${AUTHORITY} ${pair(name)} $SERVER/api/v1/nodes`)]).toEqual([name, "401"]);
      }
    });

    testOfCurl("without one: 403, as who has no name", async () => {
      const { stdout } = await typed(`curl --silent ${AUTHORITY} $SERVER/api/v1/nodes`);
      expect(JSON.parse(stdout)).toMatchObject({ code: 403, message: expect.stringContaining("system:anonymous") });
    });

    testOfCurl("and does not talk to it where it trusts another authority", async () => {
      const { code, stderr } = await typed(
        "curl --silent --show-error --cacert etc/kubernetes/pki/etcd/ca.crt $SERVER/readyz",
      );
      expect({ code, stderr }).toEqual({ code: 60, stderr: expect.stringContaining("SSL certificate problem") });
    });
  });

  describe("asks etcd", () => {
    const BELOW = "--cacert etc/kubernetes/pki/etcd/ca.crt";

    testOfCurl("with the API server's certificate: it is healthy, and has the cluster in it", async () => {
      const as = `curl --silent ${BELOW} ${pair("apiserver-etcd-client")}`;
      expect(JSON.parse((await typed(`${as} $ETCD/health`)).stdout)).toMatchObject({ health: "true" });
      const key = Buffer.from("/registry/namespaces/default").toString("base64");
      const { stdout } = await typed(`${as} --data '{"key":"${key}","count_only":true}' $ETCD/v3/kv/range`);
      expect(JSON.parse(stdout)).toMatchObject({ count: "1" });
    });

    testOfCurl.each([
      ["with no certificate", "", "client didn't provide a certificate"],
      ["with one of another authority", pair("apiserver-kubelet-client"), "certificate signed by unknown authority"],
    ])("%s: it ends the connection, and its log says why", async (_, as, reason) => {
      expect(await code(`${BELOW} ${as} $ETCD/health`)).toBe("000");
      const log = path.join(sandbox.folder, "logs/etcd.log");
      await until("etcd said so", () => Promise.resolve(readFileSync(log, "utf8").includes(reason)));
    });
  });
});

describe("a node", () => {
  test("asked for its certificate, which kubectl shows as approved and issued", async () => {
    const { stdout } = await typed("kubectl --kubeconfig admin.conf get csr", "operator");
    const [head, ...rows] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/\s{2,}/));
    expect(head).toEqual(["NAME", "AGE", "SIGNERNAME", "REQUESTOR", "REQUESTEDDURATION", "CONDITION"]);
    expect(rows.length).toBeGreaterThan(0);
    for (const [, , ...row] of rows) {
      const signer = "kubernetes.io/kube-apiserver-client-kubelet";
      const requestor = expect.stringMatching(/^system:bootstrap:[a-z0-9]{6}$/);
      expect(row).toEqual([signer, requestor, "<none>", "Approved,Issued"]);
    }
  });

  test("came with bootstrap-kubelet.conf, and made kubelet.conf of it, which names its own key and no token", async () => {
    const root = path.join(folder, "another");
    await sandbox.export(["--worker"], root, [PKI_STACK, ACCESS_STACK]);
    expect(existsSync(path.join(root, "etc/kubernetes/kubelet.conf"))).toBe(false);
    const read = (name: string) => readFileSync(sandbox.file("node-1", `/etc/kubernetes/${name}`), "utf8");
    expect(read("bootstrap-kubelet.conf")).toContain("token: ");
    const own = read("kubelet.conf");
    expect(own).not.toContain("token");
    const pem = sandbox.file("node-1", CLIENT);
    expect(own).toContain(`client-certificate: ${pem}\n`);
    expect(own).toContain(`client-key: ${pem}\n`);
    const { stdout } = await typed(`openssl x509 -noout -subject -issuer -in .${CLIENT}`, "node-1");
    // OpenSSL 3.2 and later leave the blanks out.
    expect(stdout.replace(/ = /g, "=")).toBe("subject=O=system:nodes, CN=system:node:node-1\nissuer=CN=kubernetes\n");
    const verified = await typed(`openssl verify -CAfile etc/kubernetes/pki/ca.crt .${CLIENT}`, "node-1");
    expect(verified.stdout).toBe(`.${CLIENT}: OK\n`);
    const who = await typed("kubectl --kubeconfig etc/kubernetes/kubelet.conf auth whoami", "node-1");
    expect(who.stdout).toContain("system:node:node-1");
  });
});

describe("two tokens in turn, by OpenTofu", () => {
  const { plan } = lookingAt(() => sandbox);

  beforeAll(() => sandbox.apply(ACCESS_STACK, sandbox.description.with({ access: { tokens: { workers: IN_TURN } } })));

  test("are planned once", async () => {
    expect(await plan()).toEqual([]);
  });

  describeTwoInTurn(() => sandbox);
});

// The last: nobody joins any more.
describe("a token that is deleted once the node has joined", () => {
  const { tokenOf, joins, ended, plan } = lookingAt(() => sandbox);

  test("lets nobody in; the node goes on, and there is nothing to plan once the code has no token either", async () => {
    const { id, whole } = tokenOf(FIRST);
    expect(await joins(whole)).toBe(201);
    const object = `secret bootstrap-token-${id} --namespace kube-system`;
    expect(await typed(`kubectl --kubeconfig super-admin.conf delete ${object}`, "operator")).toMatchObject({
      code: 0,
    });
    await ended(whole);
    await sandbox.apply(ACCESS_STACK, sandbox.description.with({ access: { tokens: {} } }));
    expect(await plan()).toEqual([]);
    expect(await isAlive(sandbox, "node-1")).toBe(true);
    const whoami = "kubectl --kubeconfig etc/kubernetes/kubelet.conf auth whoami";
    expect((await typed(whoami, "node-1")).stdout).toContain("system:node:node-1");
  });
});
