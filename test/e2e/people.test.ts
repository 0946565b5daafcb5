import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ACCESS_STACK, PKI_STACK } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { requestOf } from "../support/requests";

// Who people and pipelines are to a real API server, what they may do there, and what a pipeline may that applies the access stack alone.

jest.setTimeout(600_000);

const USERS = ["ci", "jane", "joe", "kim", "login", "max"];
const WORKERS = "time_rotating.sandbox__token__workers";

const folder = mkdtempSync(path.join(tmpdir(), "people-"));
const kim = requestOf({ subject: "/O=engineers/O=on-call/CN=kim" });
let sandbox: Sandbox;

beforeAll(async () => {
  // The first apply is that of the break-glass identity.
  sandbox = await Sandbox.start({
    folder: path.join(folder, "sandbox"),
    nodes: [],
    users: USERS,
    requests: { kim: kim.csr },
    progress: () => undefined,
  });
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const conf = (name: string) => path.join(sandbox.machine("operator"), "users", `${name}.conf`);
const as = (name: string, ...args: string[]) => sandbox.kubectl(conf(name), ...args);

/** 200 or 403, as kubectl tells it; anything else as it is. */
async function answer(name: string, ...args: string[]): Promise<number | string> {
  const { code, stderr } = await as(name, ...args);
  return code === 0 ? 200 : /\(Forbidden\)| is forbidden: /.test(stderr) ? 403 : stderr;
}

const list = (name: string, ...where: string[]) => answer(name, "get", "configmaps", ...where);

async function whoAmI(name: string): Promise<{ readonly username: string; readonly groups: readonly string[] }> {
  const { stdout, stderr } = await as(name, "auth", "whoami", "--output=json");
  if (stdout === "") {
    throw new Error(stderr);
  }
  const { username, groups } = (JSON.parse(stdout) as { status: { userInfo: never } }).status.userInfo as {
    username: string;
    groups: string[];
  };
  return { username, groups };
}

describe("a certificate", () => {
  test.each([
    ["jane", "jane@example.com", ["engineers"]],
    ["joe", "joe", []],
    ["max", "max", ["strangers"]],
    ["ci", "ci", []],
  ])("says who %s is: CN is the user, O the group", async (name, username, groups) => {
    expect(await whoAmI(name)).toEqual({ username, groups: [...groups, "system:authenticated"] });
  });

  test("lets somebody in whom a program names", async () => {
    const read = (file: string) => readFileSync(path.join(path.dirname(conf("joe")), file), "utf8");
    const status = { clientCertificateData: read("joe.crt"), clientKeyData: read("joe.key") };
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status };
    const login = path.join(path.dirname(conf("login")), "login");
    writeFileSync(login, `#!/bin/sh\n[ "$1" = joe ] && cat <<'END'\n${JSON.stringify(credential)}\nEND\n`);
    chmodSync(login, 0o755);
    expect(await whoAmI("login")).toEqual({ username: "joe", groups: ["system:authenticated"] });
  });
});

describe("a certificate of a request", () => {
  test("has several groups, and its kubeconfig lets in who has the key beside it", async () => {
    expect((await as("kim", "auth", "whoami")).code).not.toBe(0);
    writeFileSync(path.join(path.dirname(conf("kim")), "kim.key"), kim.key, { mode: 0o600 });
    const { username, groups } = await whoAmI("kim");
    // DER sorts the values of a set.
    expect([username, ...[...groups].sort()]).toEqual(["kim", "engineers", "on-call", "system:authenticated"]);
  });

  test("leaves no key in the state, and is renewed without one: a second plan is empty", async () => {
    const { stdout } = await sandbox.terraform(PKI_STACK, "show", "-json");
    const [secret] = kim.key.match(/\n[A-Za-z0-9+/=]{40,}/)!;
    expect(stdout).not.toContain(secret.trim());
    expect(stdout).not.toContain("tls_private_key.sandbox__operator__kim");
    expect((await sandbox.terraform(PKI_STACK, "plan", "-detailed-exitcode", "-no-color")).code).toBe(0);
  });
});

describe("what somebody may do", () => {
  test("is what is bound to it, and where", async () => {
    expect(await list("jane", "--all-namespaces")).toBe(200);
    expect(await answer("jane", "create", "configmap", "jane", "--namespace=default")).toBe(200);
    expect(await answer("jane", "create", "configmap", "jane", "--namespace=kube-system")).toBe(403);
    expect(await list("joe", "--namespace=default")).toBe(200);
    expect(await list("joe", "--namespace=kube-system")).toBe(403);
  });

  test("is nothing without a binding", async () => {
    expect(await list("max", "--namespace=default")).toBe(403);
  });
});

describe("a pipeline's own identity", () => {
  const plan = (...args: string[]) =>
    sandbox.terraformAs(conf("ci"), ACCESS_STACK, "plan", "-detailed-exitcode", "-no-color", ...args);

  test("plans what an administrator applied, and has nothing to change", async () => {
    const { code, stdout, stderr } = await plan();
    expect(`${stdout}${stderr}`).toContain("No changes.");
    expect(code).toBe(0);
  });

  const RULE = '[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["pods"],"verbs":["create"]}}]';
  const PIPELINE = "sandbox:pipeline";

  test.each([
    ["read a Secret of another namespace", ["get", "secrets", "--namespace=default"]],
    ["create a pod", ["run", "x", "--image=x", "--namespace=kube-system"]],
    ["list bindings", ["get", "clusterrolebindings"]],
    ["read a binding of somebody else", ["get", "clusterrolebinding", "cluster-admin"]],
    ["delete the administrators' binding", ["delete", "clusterrolebinding", "sandbox:cluster-admins"]],
    ["change the binding of itself", ["label", "clusterrolebinding", PIPELINE, "a=b"]],
    ["make an administrator", ["create", "clusterrolebinding", "x", "--clusterrole=cluster-admin", "--user=ci"]],
    ["bind a role of another namespace's", ["create", "clusterrolebinding", "x", "--clusterrole=edit", "--user=ci"]],
    ["give itself a right", ["patch", "clusterrole", PIPELINE, "--type=json", `--patch=${RULE}`]],
    ["read another ConfigMap", ["get", "configmap", "extension-apiserver-authentication", "--namespace=kube-system"]],
  ])("may not %s", async (_, args) => {
    expect(await answer("ci", ...args)).toBe(403);
  });

  test("applies a change of the code: a user is removed, a token added, another one rotated", async () => {
    const users = USERS.filter((name) => name !== "jane");
    await sandbox.synth(sandbox.description.with({ users, tokens: ["more", "workers"] }));
    const apply = ["apply", "-auto-approve", "-no-color", `-replace=${WORKERS}`];
    const { code, stdout, stderr } = await sandbox.terraformAs(conf("ci"), ACCESS_STACK, ...apply);
    expect(`${stdout}${stderr}`).toContain("Apply complete!");
    expect(code).toBe(0);
    expect((await plan()).code).toBe(0);
    const { items } = await sandbox.get<{ items: { metadata: { name: string } }[] }>(
      ...["get", "secrets", "--namespace=kube-system"],
    );
    expect(items.filter(({ metadata }) => metadata.name.startsWith("bootstrap-token-"))).toHaveLength(2);
  });

  test("and so who was removed may do nothing any more, with a certificate that is still valid", async () => {
    expect((await whoAmI("jane")).username).toBe("jane@example.com");
    expect(await list("jane", "--all-namespaces")).toBe(403);
    expect(await answer("jane", "create", "configmap", "jane-again", "--namespace=default")).toBe(403);
    expect(await list("joe", "--namespace=default")).toBe(200);
  });

  test("lost the right to what was removed, with it", async () => {
    const rules = await sandbox.get<{ rules: object[] }>("get", "clusterrole", PIPELINE);
    expect(JSON.stringify(rules)).not.toContain("jane");
    expect(await answer("ci", "create", "clusterrolebinding", "x", "--clusterrole=view", "--user=ci")).toBe(403);
  });
});
