import { Annotations, App, TerraformResource, TerraformStack, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AuthorityEntry,
  Certificate,
  CertificateEntry,
  Cluster,
  ClusterAccess,
  ClusterPki,
  ClusterPkiProps,
  ClusterSecrets,
  Distribution,
  Generation,
  InventoryEntry,
  inventoryOf,
  JoinPassword,
  KeyPairEntry,
  KeyUsage,
  Subject,
  TokenEntry,
  User,
  writeInventories,
} from "../../../lib";
import { MEMBERS, ONE, pkiOf, THREE } from "../../support/cluster";
import { newStack } from "../../support/synth";
import { accessStack, CA_PEM } from "../access/fixture";

function entriesOf(props: Partial<ClusterPkiProps> = {}, cluster = ONE): readonly InventoryEntry[] {
  return inventoryOf(pkiOf(cluster, props).stack).entries;
}

function authority(entries: readonly InventoryEntry[], name: string, generation = "g1"): AuthorityEntry {
  return entries.find(
    (entry): entry is AuthorityEntry =>
      entry.kind === "authority" && entry.name === name && entry.generation === generation,
  )!;
}

function certificate(entries: readonly InventoryEntry[], name: string, holder?: string): CertificateEntry {
  return entries.find(
    (entry): entry is CertificateEntry =>
      entry.kind === "certificate" && entry.name === name && (holder === undefined || entry.holder === holder),
  )!;
}

const pathsOf = (entry: { readonly files: readonly { readonly holder: string; readonly path: string }[] }) =>
  entry.files.map(({ holder, path }) => `${holder}:${path}`);

test("every resource of a stack is in exactly one entry, wherever its construct is nested", () => {
  const stack = newStack();
  const platform = new Construct(new Construct(stack, "platform"), "cluster");
  const pki = new ClusterPki(platform, "pki", {
    addressPrefix: "pki",
    distribution: Distribution.KUBEADM,
    cluster: MEMBERS,
  });
  new Certificate(platform, "metrics-server", {
    authority: pki.authority("front-proxy"),
    subject: new Subject({ commonName: "metrics-server" }),
    usage: KeyUsage.SERVER,
    sans: ["metrics-server.kube-system.svc"],
    address: "metrics-server",
  });
  const resources = stack.node.findAll().filter((node) => TerraformResource.isTerraformResource(node));
  const addresses = resources.map((resource) => `${resource.terraformResourceType}.${resource.friendlyUniqueId}`);
  const listed = inventoryOf(stack).entries.flatMap((entry) => entry.addresses);
  expect([...listed].sort()).toEqual(addresses.sort());
});

test("a certificate says who it is for, who signs it, and who has to look when it changes", () => {
  expect(certificate(entriesOf(), "apiserver")).toEqual({
    kind: "certificate",
    cluster: "pki",
    name: "apiserver",
    purpose: "certificate for serving the Kubernetes API",
    holder: "cp-1",
    path: "prod-pki/pki/cp-1/apiserver",
    addresses: [
      "tls_cert_request.pki__cp-1__apiserver",
      "tls_locally_signed_cert.pki__cp-1__apiserver",
      "tls_private_key.pki__cp-1__apiserver",
    ],
    issuedBy: "terraform",
    subject: "CN=kube-apiserver",
    asInTable: true,
    usage: "server",
    sans: [
      "api.prod.example.com",
      "cp-1",
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
      "10.0.0.11",
      "10.96.0.1",
    ],
    issuer: { authority: "kubernetes", generation: "g1" },
    validityHours: 8760,
    earlyRenewalHours: 720,
    keyAlgorithm: "ECDSA-P256",
    files: [
      {
        holder: "cp-1",
        path: "/etc/kubernetes/pki/apiserver.crt",
        kind: "certificate",
        consumers: [{ component: "kube-apiserver", via: "--tls-cert-file", onChange: "reload" }],
      },
      {
        holder: "cp-1",
        path: "/etc/kubernetes/pki/apiserver.key",
        kind: "private key",
        consumers: [{ component: "kube-apiserver", via: "--tls-private-key-file", onChange: "reload" }],
      },
    ],
  });
});

test("an authority's files are those that hold it: its bundle, its signer, its key and every kubeconfig", () => {
  expect(pathsOf(authority(entriesOf(), "kubernetes"))).toEqual([
    "cp-1:/etc/kubernetes/admin.conf",
    "cp-1:/etc/kubernetes/controller-manager.conf",
    "cp-1:/etc/kubernetes/kubelet.conf",
    "cp-1:/etc/kubernetes/pki/ca-signing.crt",
    "cp-1:/etc/kubernetes/pki/ca.crt",
    "cp-1:/etc/kubernetes/pki/ca.key",
    "cp-1:/etc/kubernetes/scheduler.conf",
    "operator:/admin.conf",
    "operator:/super-admin.conf",
    "worker:/etc/kubernetes/pki/ca.crt",
  ]);
});

test("who reads a file is said for each holder: no API server runs on a worker", () => {
  const { files } = authority(entriesOf(), "kubernetes");
  const readers = (holder: string) =>
    files
      .find((file) => file.holder === holder && file.path.endsWith("/ca.crt"))!
      .consumers.map(({ component }) => component);
  expect(new Set(readers("worker"))).toEqual(new Set(["kubelet"]));
  expect(readers("cp-1")).toContain("kube-apiserver");
});

test("a trusted generation is in bundles only, a retired one in no file", () => {
  const generations = { g1: Generation.retired(), g2: Generation.active(), g3: Generation.trusted() };
  const entries = entriesOf({ authorities: { etcd: { generations } } });
  expect(authority(entries, "etcd", "g1")).toMatchObject({ state: "retired", files: [] });
  expect(pathsOf(authority(entries, "etcd", "g2"))).toEqual([
    "cp-1:/etc/kubernetes/pki/etcd/ca.crt",
    "cp-1:/etc/kubernetes/pki/etcd/ca.key",
  ]);
  expect(authority(entries, "etcd", "g3")).toMatchObject({ state: "trusted", subject: "CN=etcd-ca, OU=g3" });
  expect(pathsOf(authority(entries, "etcd", "g3"))).toEqual(["cp-1:/etc/kubernetes/pki/etcd/ca.crt"]);
  expect(certificate(entries, "etcd-server").issuer).toEqual({ authority: "etcd", generation: "g2" });
});

test("the key pair of service accounts is there by generation", () => {
  const generations = { g1: Generation.trusted(), g2: Generation.active() };
  const pairs = entriesOf({ serviceAccount: { generations } }).filter(
    (entry): entry is KeyPairEntry => entry.kind === "key pair",
  );
  expect(pairs).toMatchObject([
    { name: "service-account", generation: "g1", state: "trusted", keyAlgorithm: "RSA-2048" },
    { name: "service-account", generation: "g2", state: "active", keyAlgorithm: "RSA-2048" },
  ]);
  expect(pathsOf(pairs[0]!)).toEqual(["cp-1:/etc/kubernetes/pki/sa.pub"]);
});

test("what the distribution issues itself is there, without resources", () => {
  const entries = entriesOf({ issueLeaves: false }, THREE);
  const apiServers = entries.filter((entry) => entry.name === "apiserver");
  expect(apiServers.map((entry) => (entry as CertificateEntry).holder)).toEqual(["cp-1", "cp-2", "cp-3"]);
  expect(apiServers[1]).toMatchObject({ issuedBy: "distribution", addresses: [], subject: "CN=kube-apiserver" });
  expect((apiServers[1] as CertificateEntry).sans).toContain("10.0.0.12");
  expect(pathsOf(apiServers[1] as CertificateEntry)).toEqual([
    "cp-2:/etc/kubernetes/pki/apiserver.crt",
    "cp-2:/etc/kubernetes/pki/apiserver.key",
  ]);
});

test.each([true, false])("who is in system:masters says why, whoever issues it: issueLeaves %s", (issueLeaves) => {
  expect(certificate(entriesOf({ issueLeaves }), "super-admin").exceptions).toMatchObject([{ code: "system-masters" }]);
});

test("tokens and bindings are there, with the file that a worker joins with", () => {
  const stack = accessStack();
  new ClusterAccess(stack, "access", {
    addressPrefix: "access",
    distribution: Distribution.KUBEADM,
    cluster: ONE,
    certificateAuthority: CA_PEM,
    clusterAdmins: [User.named("jane")],
  });
  const { entries } = inventoryOf(stack);
  expect(entries.find(({ kind }) => kind === "token")).toMatchObject({
    name: "access__token__workers",
    groups: ["system:bootstrappers:kubeadm:default-node-token"],
    files: [{ holder: "worker", path: "/etc/kubernetes/bootstrap-kubelet.conf", kind: "join token" }],
  });
  expect(entries.find(({ name }) => name === "access:cluster-admins")).toMatchObject({
    kind: "binding",
    role: "ClusterRole/cluster-admin",
    subjects: ["Group/kubeadm:cluster-admins", "User/jane"],
    addresses: ["kubernetes_cluster_role_binding_v1.access__binding__cluster-admins"],
  });
});

test("a name that is known only later is said to be so", () => {
  const stack = newStack();
  const host = new TerraformVariable(stack, "host", { type: "string" });
  pkiOf({ extraSans: [{ dns: [host.stringValue] }] }, {}, stack);
  const { sans } = certificate(inventoryOf(stack).entries, "apiserver");
  expect(sans.filter((name) => !/^[\w.:-]+$/.test(name))).toEqual(["(known after apply)"]);
});

test("equal descriptions have equal inventories, in whatever order they are written", () => {
  const [a, b] = [THREE, { ...THREE, controlPlanes: [...THREE.controlPlanes!].reverse() }];
  expect(entriesOf({}, b)).toEqual(entriesOf({}, a));
});

test("it is written beside the cdk.tf.json of each stack that has one", () => {
  const outdir = mkdtempSync(join(tmpdir(), "inventory-"));
  try {
    const app = new App({ outdir });
    pkiOf({}, {}, newStack("prod-pki", app));
    new TerraformStack(app, "other");
    app.synth();
    const file = join(outdir, "stacks/prod-pki/pki-inventory.json");
    expect(writeInventories(app)).toEqual([file]);
    expect(existsSync(join(outdir, "stacks/prod-pki/cdk.tf.json"))).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ schemaVersion: 2, stack: "prod-pki" });
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

test("warnings of every construct are printed with what is written, each with its path", () => {
  const outdir = mkdtempSync(join(tmpdir(), "inventory-"));
  const error = jest.spyOn(console, "error").mockImplementation(() => undefined);
  try {
    const app = new App({ outdir });
    pkiOf({}, { deletionProtection: false }, newStack("prod-pki", app));
    const theirs = new Construct(new TerraformStack(app, "other"), "nested");
    Annotations.of(theirs).addInfo("nothing to do");
    Annotations.of(theirs).addWarning("look here");
    Annotations.of(theirs).addWarning("look here");
    app.synth();
    expect(error).not.toHaveBeenCalled();
    writeInventories(app);
    expect(error.mock.calls).toEqual([
      ["warning: prod-pki/pki: deletionProtection is off: a plan may destroy authorities and service-account keys"],
      ["warning: other/nested: look here"],
    ]);
  } finally {
    error.mockRestore();
    rmSync(outdir, { recursive: true });
  }
});

test("Secrets stand among the files of what they hold", () => {
  const { stack, pki } = pkiOf({ controlPlanes: [] }, { distribution: Distribution.CLUSTER_API });
  new ClusterSecrets(stack, "secrets", { pki, namespace: "fleet" });
  const { entries } = inventoryOf(stack);
  expect(pathsOf(authority(entries, "etcd"))).toEqual([
    "cluster:Secret/fleet/prod-etcd#tls.crt",
    "cluster:Secret/fleet/prod-etcd#tls.key",
  ]);
});

test("a join password is a token with the files of machines that join with it", () => {
  const { stack, pki } = pkiOf(THREE, { distribution: Distribution.K3S });
  new JoinPassword(stack, "agent", { pki });
  const token = inventoryOf(stack).entries.find(({ kind }) => kind === "token")!;
  expect(token).toMatchObject({ addresses: ["random_password.pki__token__agent"], groups: [] });
  expect(pathsOf(token as TokenEntry)).toContain("worker:/etc/rancher/k3s/token");
});

test("what keeps a generation from being lost is said where it is not as usual", () => {
  const pinned = Generation.active({ fingerprint: `SHA256:${"A".repeat(43)}` });
  const guarded = (props: Partial<ClusterPkiProps>) =>
    entriesOf(props)
      .filter((entry): entry is AuthorityEntry | KeyPairEntry => "state" in entry)
      .filter(({ unprotected, pinned: isPinned }) => unprotected ?? isPinned)
      .map(({ name, unprotected = false, pinned: isPinned = false }) => ({ name, unprotected, isPinned }));
  expect(guarded({})).toEqual([]);
  expect(guarded({ serviceAccount: { generations: { g1: pinned } } })).toEqual([
    { name: "service-account", unprotected: false, isPinned: true },
  ]);
  expect(guarded({ deletionProtection: false }).map(({ name }) => name)).toEqual([
    "etcd",
    "front-proxy",
    "kubernetes",
    "service-account",
  ]);
  const retired = { g1: Generation.active(), g2: Generation.retired() };
  expect(guarded({ authorities: { etcd: { generations: retired } } })).toEqual([]);
});

test("a certificate says whether its subject is that of the table, and fields beside it are the user's", () => {
  const { stack, pki } = pkiOf({}, { subject: { country: "DE" } });
  pki
    .certificate("scheduler", "cp-1")
    .request.putSubject([{ commonName: "system:kube-scheduler", organization: "system:masters" }]);
  const { entries } = inventoryOf(stack);
  expect(certificate(entries, "controller-manager")).toMatchObject({
    subject: "CN=system:kube-controller-manager, C=DE",
    asInTable: true,
  });
  expect(certificate(entries, "scheduler")).not.toHaveProperty("asInTable");
});

test("a binding says to whom the table gives its role, and a token for how long it lives", () => {
  const stack = accessStack();
  const { name, endpoint } = ONE;
  new ClusterAccess(stack, "access", {
    distribution: Distribution.KUBEADM,
    cluster: { name, endpoint },
    certificateAuthority: CA_PEM,
    clusterAdmins: [User.named("jane")],
    tokens: { workers: { rotateAfterHours: 12, pipelineIntervalHours: 6, signing: true } },
  });
  const { entries } = inventoryOf(stack);
  expect(entries.find((entry) => entry.kind === "binding" && entry.name === "prod:cluster-admins")).toMatchObject({
    subjects: ["Group/kubeadm:cluster-admins", "User/jane"],
    asInTable: ["Group/kubeadm:cluster-admins"],
  });
  expect(entries.find(({ kind }) => kind === "token")).toMatchObject({
    groups: ["system:bootstrappers:kubeadm:default-node-token"],
    usages: ["bootstrap-authentication", "bootstrap-signing"],
    rotateAfterHours: 12,
    expireAfterHours: 24,
  });
});

describe("machines", () => {
  const portsOf = (cluster: Cluster, distribution: Distribution = Distribution.KUBEADM) =>
    inventoryOf(pkiOf(cluster, { distribution }).stack).machines!.map(({ name, addresses, ports }) => ({
      name,
      addresses,
      ports: ports.map(
        ({ component, number, files }) =>
          `${component}:${number} ${files.map(({ via, path }) => `${via}=${path}`).join(" ")}`,
      ),
    }));

  test("say on which ports a handshake shows which files are in use, those of workers without a name, too", () => {
    const machines = portsOf({ ...ONE, controlPlanes: [{ ...ONE.controlPlanes![0]!, bindPort: 7443 }] });
    const [pki, x509] = ["/etc/kubernetes/pki", "authentication.x509.clientCAFile"];
    expect(machines).toEqual([
      {
        name: "cp-1",
        addresses: ONE.controlPlanes![0]!.addresses,
        ports: [
          `etcd:2379 --cert-file=${pki}/etcd/server.crt --trusted-ca-file=${pki}/etcd/ca.crt`,
          `etcd:2380 --peer-cert-file=${pki}/etcd/peer.crt --peer-trusted-ca-file=${pki}/etcd/ca.crt`,
          `kube-apiserver:7443 --client-ca-file=${pki}/ca.crt --requestheader-client-ca-file=${pki}/front-proxy-ca.crt --tls-cert-file=${pki}/apiserver.crt`,
          `kube-controller-manager:10257 --client-ca-file=${pki}/ca.crt --requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
          `kubelet:10250 ${x509}=${pki}/ca.crt`,
        ],
      },
      { name: "worker", addresses: [], ports: [`kubelet:10250 ${x509}=${pki}/ca.crt`] },
    ]);
  });

  test("have the port that a distribution has, whatever bindPort says", () => {
    const [machine] = portsOf(
      { ...ONE, controlPlanes: [{ ...ONE.controlPlanes![0]!, bindPort: 7443 }] },
      Distribution.K3S,
    );
    expect(machine!.ports.filter((port) => port.startsWith("kube-apiserver"))).toEqual([
      expect.stringMatching(/^kube-apiserver:6444 /),
    ]);
  });

  test("have no address that only Terraform knows", () => {
    const stack = newStack();
    const address = new TerraformVariable(stack, "address", { type: "string" }).stringValue;
    const cluster = { ...ONE, controlPlanes: [{ name: "cp-1", addresses: [address] }] };
    new ClusterPki(stack, "pki", { distribution: Distribution.KUBEADM, cluster });
    expect(inventoryOf(stack).machines![0]!.addresses).toEqual(["(known after apply)"]);
  });
});
