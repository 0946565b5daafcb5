import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TerraformStack, TerraformVariable } from "cdktf";
import { createHash, X509Certificate } from "node:crypto";
import { Cluster, ClusterPki, ClusterPkiProps, Distribution, evaluate, Generation, JoinPassword } from "../../../lib";
import { MEMBERS, ONE, pkiOf, THREE } from "../../support/cluster";
import { CA_CERTIFICATE, INTERMEDIATE_CERTIFICATE, ROOT_CERTIFICATE, SIGNED_CA_CERTIFICATE } from "../../support/pem";
import { newStack, problemsOf, terraformOf } from "../../support/synth";

/** The PKI of a cluster of K3s. */
function pkiOfK3s(cluster: Partial<Cluster> = {}, props: Partial<ClusterPkiProps> = {}) {
  const made = pkiOf(cluster, { distribution: Distribution.K3S, ...props });
  new RandomProvider(made.stack, "random");
  return made;
}

const lookup = ({ address }: { readonly address: string }) => `<${address}>`;
/** SHA-256 of `<tls_self_signed_cert.pki__ca__server__g1>`. */
const HASH = "0aba36d608badc7a39242075c7eb8625bba28b5fe00647e09c6926ea3e62cfd3";

test("makes one password, kept and protected, at an address of the PKI's", () => {
  const { stack, pki } = pkiOfK3s();
  new JoinPassword(stack, "server", { pki });
  expect(terraformOf(stack).resource.random_password).toEqual({
    pki__token__server: { length: 32, special: false, lifecycle: { prevent_destroy: true } },
  });
});

test("may be left unprotected", () => {
  const { stack, pki } = pkiOfK3s();
  new JoinPassword(stack, "agent", { pki, deletionProtection: false });
  expect(terraformOf(stack).resource.random_password.pki__token__agent.lifecycle).toEqual({ prevent_destroy: false });
});

test("keeps its address wherever it stands and whatever it is called", () => {
  const { stack, pki } = pkiOfK3s({}, { addressPrefix: "prod" });
  new JoinPassword(pki, "anything", { pki, joins: "server" });
  const { resource, output } = terraformOf(stack);
  expect(Object.keys(resource.random_password)).toEqual(["prod__token__server"]);
  expect(output).toHaveProperty("prod__token__server_files");
});

test("moves with the PKI to another prefix, since K3s encrypts the authorities' keys with it", () => {
  const { stack, pki } = pkiOfK3s({}, { movedFrom: "old" });
  new JoinPassword(stack, "server", { pki });
  expect(terraformOf(stack).moved).toContainEqual({
    from: "random_password.old__token__server",
    to: "random_password.pki__token__server",
  });
});

test("servers start with a secure token, and are told the password alone with which agents join", () => {
  const { stack, pki } = pkiOfK3s(THREE);
  const [server, agent] = ["server", "agent"].map((id) => new JoinPassword(stack, id, { pki })) as [
    JoinPassword,
    JoinPassword,
  ];
  const shown = (join: JoinPassword, machine: string) =>
    join.files(machine).map(({ path, mode, owner, content }) => [path, mode, owner, evaluate(content, lookup)]);
  /** The drop-in that tells K3s of a file. */
  const named = (file: string) => [
    `/etc/rancher/k3s/config.yaml.d/10-kubernetes-pki-${file}.yaml`,
    "0644",
    "root:root",
    `${file}-file: /etc/rancher/k3s/${file}\n`,
  ];
  for (const machine of ["cp-1", "cp-2", "cp-3"]) {
    expect(shown(server, machine)).toEqual([
      ["/etc/rancher/k3s/token", "0600", "root:root", `K10${HASH}::server:<random_password.pki__token__server>`],
      named("token"),
    ]);
    expect(shown(agent, machine)).toEqual([
      ["/etc/rancher/k3s/agent-token", "0600", "root:root", "<random_password.pki__token__agent>"],
      named("agent-token"),
    ]);
  }
  for (const worker of ["node-1", "worker"]) {
    expect(shown(server, worker)).toEqual([]);
    expect(shown(agent, worker)).toEqual([
      ["/etc/rancher/k3s/token", "0600", "root:root", `K10${HASH}::node:<random_password.pki__token__agent>`],
      named("token"),
    ]);
  }
  expect(shown(server, "operator")).toEqual([]);
});

test("a server that only runs etcd has it, too", () => {
  const { stack, pki } = pkiOfK3s(MEMBERS);
  expect(new JoinPassword(stack, "server", { pki }).files("etcd-1")).toHaveLength(2);
});

test("its output names the password and does not hold it", () => {
  const { stack, pki } = pkiOfK3s();
  new JoinPassword(stack, "server", { pki });
  const { value } = terraformOf(stack).output["pki__token__server_files"];
  expect(Object.keys(value)).toEqual(["cp-1"]);
  expect(JSON.stringify(value)).not.toContain("${");
});

describe("refuses", () => {
  test("what nothing joins with, and a PKI of another stack, at once", () => {
    const { pki } = pkiOfK3s();
    expect(problemsOf(() => new JoinPassword(newStack("other"), "worker", { pki }))).toMatchObject([
      { code: "password-joins", given: '"worker"', allowed: "server, agent" },
      { code: "password-stack", given: '"prod-pki/pki"' },
    ]);
  });

  test("a distribution without passwords", () => {
    const { stack, pki } = pkiOf();
    const [problem] = problemsOf(() => new JoinPassword(stack, "server", { pki }));
    expect(problem).toMatchObject({ allowed: "none: nothing joins kubeadm with a password" });
  });

  test("a second one for the same", () => {
    const { stack, pki } = pkiOfK3s();
    new JoinPassword(stack, "server", { pki });
    expect(problemsOf(() => new JoinPassword(stack, "again", { pki, joins: "server" }))).toMatchObject([
      { code: "address-taken" },
    ]);
  });
});

describe("where the API server's authority is below a root", () => {
  const chained = Distribution.k3s({ chained: "root" });
  const root = (stack: TerraformStack, certificatePem: string) => {
    const privateKeyPem = new TerraformVariable(stack, "root_key", { sensitive: true }).stringValue;
    return { root: { generations: { g1: Generation.fromPem("active", { certificatePem, privateKeyPem }) } } };
  };
  const pkiBelow = (certificatePem: (stack: TerraformStack) => string) => {
    const stack = newStack();
    const authorities = root(stack, certificatePem(stack));
    return {
      stack,
      pki: new ClusterPki(stack, "pki", { addressPrefix: "pki", distribution: chained, cluster: ONE, authorities }),
    };
  };

  test("a root that Terraform makes is refused, with the reason", () => {
    const { stack, pki } = pkiOfK3s({}, { distribution: chained });
    const [problem] = problemsOf(() => new JoinPassword(stack, "server", { pki }));
    expect(problem).toMatchObject({
      code: "secure-token-root",
      at: "pki",
      allowed: expect.stringContaining("the SHA-256 of the root's DER, which Terraform cannot make"),
      fix: expect.stringContaining("Generation.fromPem"),
    });
  });

  test("so is one that is known to Terraform alone", () => {
    const { stack, pki } = pkiBelow((scope) => new TerraformVariable(scope, "root", {}).stringValue);
    expect(problemsOf(() => new JoinPassword(stack, "server", { pki }))).toMatchObject([{ code: "secure-token-root" }]);
  });

  test("the token holds the hash of a literal root's DER", () => {
    const { stack, pki } = pkiBelow(() => CA_CERTIFICATE);
    const { token } = new JoinPassword(stack, "server", { pki });
    expect(evaluate(token, lookup)).toBe(
      "K10f0ca82817dda00f315e52f89d856877cf8bf54cb771213c57ca2ee2afa93500e::server:<random_password.pki__token__server>",
    );
  });

  test("a company's intermediate brings the root along in its chain, and no other is made", () => {
    const stack = newStack();
    new RandomProvider(stack, "random");
    const generations = {
      g1: Generation.fromPem("active", {
        certificatePem: INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE,
        privateKeyPem: new TerraformVariable(stack, "key", { sensitive: true }).stringValue,
      }),
    };
    const pki = new ClusterPki(stack, "pki", {
      addressPrefix: "pki",
      distribution: Distribution.k3s({ chained: "intermediate" }),
      cluster: ONE,
      authorities: { intermediate: { generations } },
    });
    const { token } = new JoinPassword(stack, "server", { pki });
    const hash = createHash("sha256").update(new X509Certificate(ROOT_CERTIFICATE).raw).digest("hex");
    expect(evaluate(token, lookup)).toBe(`K10${hash}::server:<random_password.pki__token__server>`);
    expect(terraformOf(stack).resource).not.toHaveProperty("tls_self_signed_cert");
  });

  test("text that ends below its root is hashed as it stands in the file, since K3s finds no root there", () => {
    const stack = newStack();
    const generations = {
      g1: Generation.fromPem("active", {
        certificatePem: SIGNED_CA_CERTIFICATE,
        privateKeyPem: new TerraformVariable(stack, "key", {}).stringValue,
      }),
    };
    const pki = new ClusterPki(stack, "pki", {
      addressPrefix: "pki",
      distribution: Distribution.K3S,
      cluster: ONE,
      authorities: { server: { generations } },
    });
    const { token } = new JoinPassword(stack, "server", { pki });
    expect(token).toMatchObject({
      concat: ["K10", { sha256: { address: "terraform_data.pki__ca__server__g1" } }, "::server:", {}],
    });
  });
});
