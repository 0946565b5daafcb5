import {
  Cluster,
  ClusterAccess,
  ClusterPki,
  ClusterPkiProps,
  Content,
  Distribution,
  evaluate,
  Generation,
  Group,
} from "../../../../lib";
import { newStack, problemsOf, terraformOf } from "../../../support/synth";
import { accessStack, CA_PEM } from "../../access/fixture";

/** Nothing of machines: Cluster API makes them. */
const CLUSTER: Cluster = { name: "prod", endpoint: "api.prod.example.com:6443", serviceCidrs: ["10.96.0.0/12"] };
const MEMBERS: Cluster = {
  ...CLUSTER,
  etcd: {
    topology: "members",
    members: [1, 2, 3].map((n) => ({ name: `etcd-${n}`, addresses: [`10.0.0.2${n}`] })),
  },
};

function pkiOf(cluster: Cluster, props: Partial<ClusterPkiProps> = {}, stack = newStack()): ClusterPki {
  return new ClusterPki(stack, "pki", {
    addressPrefix: "pki",
    distribution: Distribution.CLUSTER_API,
    cluster,
    ...props,
  });
}

/** A content, each value of the state by its name without type and prefix. */
function shown(content: Content): string {
  return evaluate(content, ({ address, attribute }) => `<${address.replace(/^.*?\.pki__/, "")} ${attribute}>`);
}

/** Secrets by name: key → content. */
function dataOf({ secrets }: ClusterPki): Record<string, Record<string, string>> {
  return Object.fromEntries(
    secrets.map(({ name, data }) => [
      name,
      Object.fromEntries(Object.entries(data).map(([key, content]) => [key, shown(content)])),
    ]),
  );
}

function typesOf({ secrets }: ClusterPki): Record<string, string> {
  return Object.fromEntries(secrets.map(({ name, type }) => [name, type]));
}

const CA = { "tls.crt": "<ca__kubernetes__g1 cert_pem>", "tls.key": "<ca__kubernetes__g1 private_key_pem>" };
const PROXY = { "tls.crt": "<ca__front-proxy__g1 cert_pem>", "tls.key": "<ca__front-proxy__g1 private_key_pem>" };
const SA = {
  "tls.crt": "<keys__service-account__g1 public_key_pem>",
  "tls.key": "<keys__service-account__g1 private_key_pem>",
};

describe("a cluster without a machine in its description", () => {
  test("has the four Secrets that a user may supply", () => {
    expect(dataOf(pkiOf(CLUSTER))).toEqual({
      "prod-ca": CA,
      "prod-etcd": { "tls.crt": "<ca__etcd__g1 cert_pem>", "tls.key": "<ca__etcd__g1 private_key_pem>" },
      "prod-proxy": PROXY,
      "prod-sa": SA,
    });
  });

  test("has them in the type of the user's own, which Cluster API does not take for its property", () => {
    expect(new Set(Object.values(typesOf(pkiOf(CLUSTER))))).toEqual(new Set(["kubernetes.io/tls"]));
  });

  test("has each labelled with the cluster's name", () => {
    expect(pkiOf(CLUSTER).secrets.map(({ labels }) => labels)).toEqual(
      Array.from({ length: 4 }, () => ({ "cluster.x-k8s.io/cluster-name": "prod" })),
    );
  });

  test("has no machine, no file and no certificate beside the authorities", () => {
    const stack = newStack();
    const pki = pkiOf(CLUSTER, {}, stack);
    expect(pki.machines).toEqual([]);
    expect([pki.files("worker"), pki.files("operator")]).toEqual([[], []]);
    const { resource } = terraformOf(stack);
    expect(resource.tls_locally_signed_cert).toBeUndefined();
    expect(Object.keys(resource.tls_private_key).sort()).toEqual([
      "pki__ca__etcd__g1",
      "pki__ca__front-proxy__g1",
      "pki__ca__kubernetes__g1",
      "pki__keys__service-account__g1",
    ]);
  });

  test("has three authorities of three names", () => {
    const stack = newStack();
    pkiOf(CLUSTER, {}, stack);
    const certificates = Object.values<{ subject: { common_name: string }[] }>(
      terraformOf(stack).resource.tls_self_signed_cert,
    );
    expect(certificates.map(({ subject }) => subject[0]!.common_name).sort()).toEqual([
      "etcd-ca",
      "front-proxy-ca",
      "kubernetes",
    ]);
  });
});

describe("etcd on machines of its own", () => {
  test("adds its client, and keeps the key of its authority away from Cluster API", () => {
    const pki = pkiOf(MEMBERS);
    expect(dataOf(pki)).toEqual({
      "prod-apiserver-etcd-client": {
        "tls.crt": "<cluster__apiserver-etcd-client cert_pem>",
        "tls.key": "<cluster__apiserver-etcd-client private_key_pem>",
      },
      "prod-ca": CA,
      "prod-etcd": { "tls.crt": "<ca__etcd__g1 cert_pem>" },
      "prod-proxy": PROXY,
      "prod-sa": SA,
    });
    // kubernetes.io/tls would demand a key.
    expect(typesOf(pki)).toMatchObject({ "prod-etcd": "Opaque", "prod-apiserver-etcd-client": "kubernetes.io/tls" });
  });

  test("gives each member kubeadm's files of etcd, and the authority's key to nobody", () => {
    const pki = pkiOf(MEMBERS);
    expect(pki.machines).toEqual(["etcd-1", "etcd-2", "etcd-3"]);
    for (const machine of pki.machines) {
      expect(pki.files(machine).map(({ path, mode, content }) => `${mode} ${path} ${shown(content)}`)).toEqual([
        "0644 /etc/kubernetes/pki/etcd/ca.crt <ca__etcd__g1 cert_pem>",
        `0644 /etc/kubernetes/pki/etcd/healthcheck-client.crt <${machine}__etcd-healthcheck-client cert_pem>`,
        `0600 /etc/kubernetes/pki/etcd/healthcheck-client.key <${machine}__etcd-healthcheck-client private_key_pem>`,
        `0644 /etc/kubernetes/pki/etcd/peer.crt <${machine}__etcd-peer cert_pem>`,
        `0600 /etc/kubernetes/pki/etcd/peer.key <${machine}__etcd-peer private_key_pem>`,
        `0644 /etc/kubernetes/pki/etcd/server.crt <${machine}__etcd-server cert_pem>`,
        `0600 /etc/kubernetes/pki/etcd/server.key <${machine}__etcd-server private_key_pem>`,
      ]);
    }
  });

  test("issues the client without a group and the members' certificates with their names", () => {
    const stack = newStack();
    pkiOf(MEMBERS, {}, stack);
    const { resource } = terraformOf(stack);
    expect(resource.tls_cert_request["pki__cluster__apiserver-etcd-client"].subject).toEqual([
      { common_name: "kube-apiserver-etcd-client" },
    ]);
    expect(resource.tls_locally_signed_cert["pki__cluster__apiserver-etcd-client"].allowed_uses).toContain(
      "client_auth",
    );
    expect(resource.tls_cert_request["pki__etcd-2__etcd-peer"]).toMatchObject({
      subject: [{ common_name: "etcd-2" }],
      dns_names: ["etcd-2", "localhost"],
      ip_addresses: ["10.0.0.22", "127.0.0.1", "::1"],
    });
  });

  test("needs no address of a member that is known by name", () => {
    const etcd = { topology: "members", members: [{ name: "etcd-1" }] } as const;
    expect(pkiOf({ ...CLUSTER, etcd }).machines).toEqual(["etcd-1"]);
  });

  test("warns that control planes share one key, as Cluster API has it", () => {
    expect(warningsOf(pkiOf(MEMBERS))).toEqual([
      "[shared-key] apiserver-etcd-client: Cluster API gives every control plane the one Secret, and so the one private key",
    ]);
    expect(warningsOf(pkiOf(CLUSTER))).toEqual([]);
  });

  test("that others run is theirs to supply", () => {
    expect(Object.keys(dataOf(pkiOf({ ...CLUSTER, etcd: { topology: "external" } })))).toEqual([
      "prod-ca",
      "prod-proxy",
      "prod-sa",
    ]);
  });
});

describe("the kubeconfig", () => {
  test("is Cluster API's own work, unless it is asked for", () => {
    expect(Object.keys(dataOf(pkiOf(CLUSTER)))).not.toContain("prod-kubeconfig");
    expect(Object.keys(dataOf(pkiOf(CLUSTER, { issueLeaves: true })))).toContain("prod-kubeconfig");
  });

  test("is the one that Cluster API would make, and renewed by Terraform", () => {
    const stack = newStack();
    const pki = pkiOf(CLUSTER, { issueLeaves: true }, stack);
    expect(typesOf(pki)["prod-kubeconfig"]).toBe("Opaque");
    expect(Object.keys(dataOf(pki)["prod-kubeconfig"]!)).toEqual(["value"]);
    const text = dataOf(pki)["prod-kubeconfig"]!["value"]!;
    expect(text).toContain("server: https://api.prod.example.com:6443\n  name: prod\n");
    expect(text).toContain("cluster: prod\n    user: prod-admin\n  name: prod-admin@prod\n");
    expect(text).toContain("users:\n- name: prod-admin\n");
    expect(terraformOf(stack).resource.tls_cert_request["pki__cluster__admin"].subject).toEqual([
      { common_name: "kubernetes-admin", organization: "system:masters" },
    ]);
  });

  test("in system:masters is a warning with its reason", () => {
    expect(warningsOf(pkiOf(CLUSTER, { issueLeaves: true }))).toEqual([
      "[system-masters] admin: Cluster API's controllers use it, and there is no binding in a cluster that they are still making",
    ]);
  });
});

describe("a rotation", () => {
  const generations = { g1: Generation.active(), g2: Generation.trusted() };
  const authorities = { kubernetes: { generations }, "front-proxy": { generations }, etcd: { generations } };

  test("leaves one certificate in <cluster>-ca, since kube-controller-manager signs with that file", () => {
    expect(dataOf(pkiOf(CLUSTER, { authorities }))["prod-ca"]).toEqual(CA);
  });

  test("introduces the next authority of front proxies and of etcd beside the active one", () => {
    for (const cluster of [CLUSTER, MEMBERS]) {
      const data = dataOf(pkiOf(cluster, { authorities }));
      const both = (name: string) => `<ca__${name}__g1 cert_pem><ca__${name}__g2 cert_pem>`;
      expect(data["prod-proxy"]).toEqual({ ...PROXY, "tls.crt": both("front-proxy") });
      expect(data["prod-etcd"]!["tls.crt"]).toBe(both("etcd"));
    }
  });

  test("publishes all public keys of service accounts, and the active private key", () => {
    const data = dataOf(pkiOf(CLUSTER, { serviceAccount: { generations } }));
    expect(data["prod-sa"]).toEqual({
      ...SA,
      "tls.crt": "<keys__service-account__g1 public_key_pem><keys__service-account__g2 public_key_pem>",
    });
  });
});

describe("access to the cluster", () => {
  const accessOf = (props: object) =>
    new ClusterAccess(accessStack(), "access", {
      distribution: Distribution.CLUSTER_API,
      cluster: CLUSTER,
      certificateAuthority: CA_PEM,
      ...props,
    });

  test("has no bootstrap token: Cluster API makes one for each machine", () => {
    expect(accessOf({}).tokens).toEqual({});
    expect(problemsOf(() => accessOf({ tokens: { workers: {} } })).map(({ code }) => code)).toEqual(["token-joins"]);
  });

  test("has administrators of the user's own", () => {
    const { clusterAdmins, nodeBootstrapping } = accessOf({ clusterAdmins: [Group.named("platform")] });
    expect(clusterAdmins).toBeDefined();
    expect(nodeBootstrapping).toBeUndefined();
  });
});

function warningsOf(pki: ClusterPki): string[] {
  return pki.node.metadata.map(({ data }) => String(data));
}
