import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt } from "../sandbox/command";
import { ACCESS_STACK } from "../sandbox/description";
import type { Sandbox } from "../sandbox/sandbox";
import { findTools } from "../sandbox/tools";
import { ask } from "../sandbox/ask";
import { CA, whoAmI } from "./nodes";

/** The token `workers`, by its Terraform name. */
export const FIRST = "sandbox__token__workers";
const SECOND = `${FIRST}__b`;
const PAST = "2026-01-01T00:00:00Z";

/** A token that was made elsewhere: its id stands in test/sandbox/synthesis.ts, its secret comes as a variable. */
const OUTSIDE = "TF_VAR_outside";
const SECRET = "0123456789abcdef";

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly instances: { readonly attributes: Record<string, unknown> }[];
}

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

/** Asks until something is so, for a minute. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await isSo()); await sleep(250)) {
    if (Date.now() > end) {
      throw new Error(`waited in vain until ${what}`);
    }
  }
}

/** Two tokens that are replaced in turn. */
export const IN_TURN = { staggered: true, pipelineIntervalHours: 1 };

/** Bootstrap tokens of a running sandbox of kubeadm: two that are replaced in turn, what they sign, and what becomes of them. */
export function describeTokens(sandboxOf: () => Sandbox): void {
  const { tokenOf, joins, apply, plan } = lookingAt(sandboxOf);
  let sandbox: Sandbox;
  let ca: string;

  beforeAll(async () => {
    sandbox = sandboxOf();
    ca = readFileSync(sandbox.file("cp-1", CA), "utf8");
    process.env[OUTSIDE] = SECRET;
    const tokens = {
      workers: IN_TURN,
      "x-until": { expires: "2099-12-31T23:00:00-01:00" },
      "x-over": { expires: "2026-01-31T00:00:00+13:45" },
    };
    const access = { clusterInfo: true, tokens };
    await sandbox.deploy(ACCESS_STACK, sandbox.description.with({ access, tokenFromOutside: "x-outside" }));
  });

  afterAll(() => {
    delete process.env.TF_VAR_outside;
  });

  const clusterInfo = async () =>
    (await sandbox.get<ConfigMap>("get", "configmap", "cluster-info", "-n", "kube-public")).data;

  describe("who has one", () => {
    test("may request certificates, look at requests, and nothing else", async () => {
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectRulesReview",
        spec: { namespace: "kube-system" },
      };
      const url = `${sandbox.server}/apis/authorization.k8s.io/v1/selfsubjectrulesreviews`;
      const answer = await ask(url, { token: tokenOf(FIRST).whole, ca, method: "POST", body });
      const { status } = JSON.parse(answer.body) as {
        status: { resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[] }[] };
      };
      const rules = status.resourceRules.flatMap(({ verbs, apiGroups, resources }) =>
        resources.map((one) => `${one}.${apiGroups.join()}: ${verbs.join()}`),
      );
      expect([...new Set(rules)].sort()).toEqual([
        "certificatesigningrequests.certificates.k8s.io: create,get,list,watch",
        // By this right kube-controller-manager sees that it may approve the request.
        "certificatesigningrequests/nodeclient.certificates.k8s.io: create",
        // What everybody may who has a name: ask who they are, and what they may.
        "selfsubjectaccessreviews.authorization.k8s.io: create",
        "selfsubjectreviews.authentication.k8s.io: create",
        "selfsubjectrulesreviews.authorization.k8s.io: create",
      ]);
    });
  });

  describe("cluster-info", () => {
    const signed = (id: string) => until("it was signed", async () => `jws-kubeconfig-${id}` in (await clusterInfo()));

    /** The signature that a token makes of a kubeconfig, as RFC 7515 has it: of its header and of what is left out of it. */
    function signature(jws: string, kubeconfig: string, secret: string): boolean {
      const [header, content, mac] = jws.split(".");
      const payload = Buffer.from(kubeconfig).toString("base64url");
      return content === "" && createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url") === mac;
    }

    test("is signed with each token, and a false signature is seen", async () => {
      for (const { id, secret } of [tokenOf(FIRST), tokenOf(SECOND)]) {
        await signed(id);
        const { kubeconfig, ...signatures } = await clusterInfo();
        const jws = signatures[`jws-kubeconfig-${id}`]!;
        expect(signature(jws, kubeconfig!, secret)).toBe(true);
        expect(signature(jws, kubeconfig!.replace("https", "http"), secret)).toBe(false);
        expect(signature(jws, kubeconfig!, "0123456789abcdef")).toBe(false);
      }
    });

    test("is read by who has no name, and no other ConfigMap is", async () => {
      const get = (name: string) => ask(`${sandbox.server}/api/v1/namespaces/${name}`, { ca });
      const { status, body } = await get("kube-public/configmaps/cluster-info");
      expect(status).toBe(200);
      const { kubeconfig } = (JSON.parse(body) as ConfigMap).data;
      const authority = /certificate-authority-data: (.*)/.exec(kubeconfig!)![1]!;
      expect(Buffer.from(authority, "base64").toString()).toBe(ca);
      expect((await get("kube-public/configmaps")).status).toBe(403);
      expect((await get("kube-system/configmaps/kube-root-ca.crt")).status).toBe(403);
    });

    test("is found by kubeadm join with a token alone, and not with a false signature", async () => {
      const { kubeadm } = await findTools(["kubeadm"]);
      const discover = async (token: string) => {
        const config = path.join(sandbox.folder, "join.yaml");
        const apiServerEndpoint = sandbox.server.replace("https://", "");
        const bootstrapToken = { token, apiServerEndpoint, unsafeSkipCAVerification: true };
        const timeouts = { discovery: "3s", tlsBootstrap: "3s", kubernetesAPICall: "3s" };
        const join = { apiVersion: "kubeadm.k8s.io/v1beta4", kind: "JoinConfiguration", timeouts };
        const criSocket = "unix:///nowhere.sock";
        writeFileSync(
          config,
          JSON.stringify({ ...join, nodeRegistration: { criSocket }, discovery: { bootstrapToken } }),
        );
        const args = ["join", "phase", "preflight", `--config=${config}`, "--ignore-preflight-errors=all", "--v=1"];
        const { stdout, stderr } = await attempt(kubeadm, args, { env: process.env });
        return `${stdout}${stderr}`;
      };
      const { id, whole } = tokenOf(FIRST);
      expect(await discover(whole)).toContain("Cluster info signature and contents are valid");
      expect(await discover(`${id}.0123456789abcdef`)).toContain("failed to verify JWS signature");
    });

    test("is what kubeadm makes of the same cluster", async () => {
      const { kubeadm } = await findTools(["kubeadm"]);
      const ours = await clusterInfo();
      const config = path.join(sandbox.folder, "init.yaml");
      const [apiVersion, localAPIEndpoint] = ["kubeadm.k8s.io/v1beta4", { advertiseAddress: "10.0.0.11" }];
      const init = { apiVersion, kind: "InitConfiguration", localAPIEndpoint };
      // Else it asks the internet for the newest version.
      const cluster = { apiVersion, kind: "ClusterConfiguration", kubernetesVersion: "v1.36.3" };
      writeFileSync(config, [init, cluster].map((document) => JSON.stringify(document)).join("\n---\n"));
      const args = ["init", "phase", "bootstrap-token", `--config=${config}`, `--kubeconfig=${sandbox.first}`];
      const { code, stderr } = await attempt(kubeadm, [...args, "--skip-token-print"], { env: process.env });
      expect([code, stderr]).toEqual([0, expect.anything()]);
      expect((await clusterInfo()).kubeconfig).toBe(ours.kubeconfig);
      const rules = async (name: string) => {
        const role = ["get", "role", name, "--namespace=kube-public"];
        const binding = ["get", "rolebinding", name, "--namespace=kube-public"];
        const { subjects, roleRef } = await sandbox.get<{ subjects: object[]; roleRef: object }>(...binding);
        return {
          rules: (await sandbox.get<{ rules: object[] }>(...role)).rules,
          subjects,
          roleRef: { ...roleRef, name: "" },
        };
      };
      expect(await rules("sandbox:cluster-info")).toEqual(await rules("kubeadm:bootstrap-signer-clusterinfo"));
    });

    test("leaves a plan empty, whatever the signer writes, and stops one where somebody else changed it", async () => {
      await signed(tokenOf(FIRST).id);
      expect(await plan()).toEqual([]);
      const patch = JSON.stringify({ data: { kubeconfig: "evil" } });
      const object = ["configmap", "cluster-info", "--namespace=kube-public"];
      expect((await sandbox.kubectl(sandbox.first, "patch", ...object, `--patch=${patch}`)).code).toBe(0);
      const { code, stderr } = await sandbox.terraform(ACCESS_STACK, "plan", "-no-color");
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining("[cluster-info] ConfigMap cluster-info of kube-public"),
      ]);
      expect((await sandbox.kubectl(sandbox.first, "delete", ...object)).code).toBe(0);
      await apply();
      const { id, secret } = tokenOf(FIRST);
      await until("it was signed again", async () => {
        const { kubeconfig, ...signatures } = await clusterInfo();
        return signature(signatures[`jws-kubeconfig-${id}`] ?? ".", kubeconfig!, secret);
      });
    });
  });

  describe("a token that is not rotated", () => {
    const rows = async () => {
      const { code, stdout } = await sandbox.kubernetesPki("tokens", sandbox.stack(ACCESS_STACK));
      expect(stdout).not.toContain(SECRET);
      return {
        code,
        rows: stdout
          .trim()
          .split("\n")
          .map((line) => line.split(/ {3,}/)),
      };
    };

    test("joins until its end, which is kept in UTC; after it, it is not made", async () => {
      expect(await joins(tokenOf("sandbox__token__x-until").whole)).toBe(201);
      expect(await joins(tokenOf("sandbox__token__x-over").whole)).toBe(401);
      const secret = `bootstrap-token-${tokenOf("sandbox__token__x-until").id}`;
      const { data } = await sandbox.get<ConfigMap>("get", "secret", secret, "--namespace=kube-system");
      expect(Buffer.from(data.expiration!, "base64").toString()).toBe("2100-01-01T00:00:00Z");
    });

    test("may be made elsewhere, and Terraform stops where it does not look like one", async () => {
      expect(await joins(`abcdef.${SECRET}`)).toBe(201);
      const wrong = `${SECRET}0`;
      process.env[OUTSIDE] = wrong;
      const { code, stdout, stderr } = await sandbox.terraform(ACCESS_STACK, "plan", "-no-color");
      process.env[OUTSIDE] = SECRET;
      expect([code, stderr]).toEqual([1, expect.stringContaining("[token-secret] token.secret: allowed: sixteen")]);
      expect(`${stdout}${stderr}`).not.toContain(SECRET);
    });

    test("is listed beside the others, as kubeadm lists them, but for the secret", async () => {
      const { kubeadm } = await findTools(["kubeadm"]);
      const args = ["token", "list", `--kubeconfig=${sandbox.first}`];
      const theirs = (await attempt(kubeadm, args, { env: process.env })).stdout.trim().split("\n");
      const cells = theirs.map((line) => line.split(/ {3,}|(?<=\S{23}) /).map((cell) => cell.trim()));
      const ours = await rows();
      expect(ours.code).toBe(0);
      const listed = cells.map(([token, ...more]) => [token!.split(".")[0], ...more]);
      // Kubeadm made one more, above.
      expect(ours.rows.slice(1)).toEqual(listed.filter(([id]) => ours.rows.slice(1).some(([known]) => known === id)));
      expect(ours.rows).toHaveLength(5);
    });
  });

  describe("two tokens in turn", () => describeTwoInTurn(sandboxOf));
}

/** Of a sandbox whose token `workers` is {@link IN_TURN}. */
export function describeTwoInTurn(sandboxOf: () => Sandbox): void {
  const { tokenOf, makeDue, joins, ended, apply, plan, exported } = lookingAt(sandboxOf);

  test("both join, and files name the one that was made later", async () => {
    expect(await Promise.all([FIRST, SECOND].map((name) => joins(tokenOf(name).whole)))).toEqual([201, 201]);
    expect(await exported()).toContain(tokenOf(SECOND).whole);
  });

  test("the one whose time has come is another one, and the other is not touched", async () => {
    const [first, second] = [tokenOf(FIRST), tokenOf(SECOND)];
    makeDue(FIRST);
    await apply();
    const next = tokenOf(FIRST);
    expect(next.whole).not.toBe(first.whole);
    expect(tokenOf(SECOND)).toEqual(second);
    await ended(first.whole);
    expect(await Promise.all([next, second].map(({ whole }) => joins(whole)))).toEqual([201, 201]);
    makeDue(SECOND);
    await apply();
    expect(tokenOf(FIRST)).toEqual(next);
    expect(tokenOf(SECOND).whole).not.toBe(second.whole);
    await ended(second.whole);
    expect(await Promise.all([next, tokenOf(SECOND)].map(({ whole }) => joins(whole)))).toEqual([201, 201]);
  });

  test("the one before joins until it ends; then it gets 401, the token cleaner removes it, and an apply makes a fresh one", async () => {
    const sandbox = sandboxOf();
    const before = tokenOf(FIRST);
    expect(await exported()).not.toContain(before.whole);
    expect(await joins(before.whole)).toBe(201);
    const secret = `bootstrap-token-${before.id}`;
    const expiration = Buffer.from(new Date(Date.now() + 2000).toISOString().replace(/\.\d+/, "")).toString("base64");
    const patch = `--patch=${JSON.stringify({ data: { expiration } })}`;
    const patched = await sandbox.kubectl(sandbox.first, "patch", "secret", secret, "--namespace=kube-system", patch);
    expect(patched.code).toBe(0);
    await ended(before.whole);
    await until("it was removed", async () => {
      const { stderr } = await sandbox.kubectl(sandbox.first, "get", "secret", secret, "--namespace=kube-system");
      return stderr.includes("NotFound");
    });
    makeDue(FIRST);
    await apply();
    const fresh = tokenOf(FIRST);
    expect(fresh.id).not.toBe(before.id);
    expect(await joins(fresh.whole)).toBe(201);
    expect(await plan()).toEqual([]);
  });
}

/** What is asked and done in all of these tests. */
export function lookingAt(sandboxOf: () => Sandbox) {
  const file = () => path.join(sandboxOf().folder, "state", `${ACCESS_STACK}.tfstate`);
  const state = () => JSON.parse(readFileSync(file(), "utf8")) as { serial: number; resources: Resource[] };
  const resource = (from: Resource[], type: string, name: string) =>
    from.find((one) => one.type.replace(/_v1$/, "") === type && one.name === name)!.instances[0]!.attributes;

  /** A token as it is in the state. */
  function tokenOf(name: string) {
    const { resources } = state();
    const [id, secret] = ["random_string", "random_password"].map((type) => resource(resources, type, name).result);
    return { id: String(id), secret: String(secret), whole: `${String(id)}.${String(secret)}` };
  }

  /** Lets the time of a rotation pass. */
  function makeDue(name: string): void {
    const edited = state();
    resource(edited.resources, "time_rotating", name).rotation_rfc3339 = PAST;
    writeFileSync(file(), JSON.stringify({ ...edited, serial: edited.serial + 1 }));
  }

  const joins = (token: string) =>
    whoAmI(sandboxOf(), { token, ca: readFileSync(sandboxOf().file("cp-1", CA), "utf8") });
  const apply = async () => {
    const { code, stdout, stderr } = await sandboxOf().terraform(ACCESS_STACK, "apply", "-auto-approve", "-no-color");
    expect([code, stderr]).toEqual([0, ""]);
    return /Resources: (.*)\./.exec(stdout)?.[1];
  };
  const plan = async () => {
    const { code, stdout } = await sandboxOf().terraform(ACCESS_STACK, "plan", "-detailed-exitcode", "-no-color");
    return code === 0
      ? []
      : [...stdout.matchAll(/# (\S+) (?:will|must) be (.*)/g)].map(([, at, what]) => `${at} ${what}`);
  };
  const exported = async () => {
    const root = mkdtempSync(path.join(sandboxOf().folder, "worker-"));
    await sandboxOf().export(["--worker"], root, [ACCESS_STACK]);
    return readFileSync(path.join(root, "etc/kubernetes/bootstrap-kubelet.conf"), "utf8");
  };

  /** The API server hears of a Secret that is gone, or has ended, a moment later. */
  const ended = (token: string) => until("it ended", async () => (await joins(token)) === 401);

  return { tokenOf, makeDue, joins, ended, apply, plan, exported };
}
