import { createPublicKey, generateKeyPairSync, KeyObject, sign, verify, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { CertificateRow, HolderKind } from "../../lib";
import { fillText } from "../../lib/kubernetes/holders";
import { CONTROL_PLANE, PKI_STACK } from "../sandbox/description";
import { bootstrapToken, distributionNamed } from "../sandbox/distribution";
import { Sandbox } from "../sandbox/sandbox";
import { fromKubeconfig, identityIn, TableReader } from "../sandbox/table-reader";
import { Answer, ask } from "../sandbox/ask";
import { NAMED_WORKER } from "../matrix/matrix";
import { describeMatrix } from "./admitting";

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
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = sandboxOf();
    await sandbox.export(["--machine", NAMED_WORKER], sandbox.machine(NAMED_WORKER), [PKI_STACK]);
  });

  const first = () => fromKubeconfig(readFileSync(sandbox.first, "utf8"));
  /** Who the API server says that a token is of. */
  const review = (token: string): Promise<Answer> => {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const url = `${sandbox.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
    return ask(url, { token, ca: first().ca, method: "POST", body });
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

    test("shares its key with no other", () => {
      const keys = held.map((one) =>
        new X509Certificate(identityIn(sandbox, one).cert).publicKey.export({ format: "jwk" }),
      );
      expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(held.length);
    });
  });

  describeMatrix(distribution, sandboxOf);

  test("a service account's token is made and accepted", async () => {
    const { stdout, stderr } = await sandbox.kubectl(sandbox.first, "create", "token", "default");
    expect(stderr).toBe("");
    const { body } = await review(stdout.trim());
    expect(userIn(body).username).toBe("system:serviceaccount:default:default");
  });

  test("whoever has the public key verifies a service account's token without asking, and nobody else's key makes one", async () => {
    const { stdout } = await sandbox.kubectl(sandbox.first, "create", "token", "default");
    const [header, claims, signature] = stdout.trim().split(".") as [string, string, string];
    const said = `${header}.${claims}`;
    const at = sandbox.file(CONTROL_PLANE, reader.fileOf("kube-apiserver", "--service-account-key-file"));
    const keys = (readFileSync(at, "utf8").match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []).map((pem) =>
      createPublicKey(pem),
    );
    const isSignedBy = (key: KeyObject) =>
      verify("sha256", Buffer.from(said), key, Buffer.from(signature, "base64url"));
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toMatchObject({ alg: "RS256" });
    expect(keys.filter(isSignedBy)).toHaveLength(1);

    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const forged = `${said}.${sign("sha256", Buffer.from(said), privateKey).toString("base64url")}`;
    expect((await review(forged)).status).toBe(401);
    expect((await review(stdout.trim())).status).toBe(201);
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
