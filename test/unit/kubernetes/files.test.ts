import { expressionsIn, filesIn, parsedOutput } from "../../support/graph";
import { TerraformResource } from "cdktf";
import { ClusterPkiProps, evaluate, Generation, Reference } from "../../../lib";
import { MEMBERS, pkiOf, terraformOfPki } from "../../support/cluster";
import { terraformOf } from "../../support/synth";

const { pki } = pkiOf(MEMBERS);
const lookup = ({ address, attribute }: Reference) => `<${address}.${attribute}>`;
const contentOf = (holder: string, path: string) =>
  evaluate(pki.files(holder).find((file) => file.path === path)!.content, lookup);

const PKI = "/etc/kubernetes/pki";

test("are sorted by path", () => {
  for (const holder of [...pki.machines, "worker", "operator"]) {
    const paths = pki.files(holder).map(({ path }) => path);
    expect(paths).toEqual([...paths].sort());
    expect(new Set(paths).size).toBe(paths.length);
  }
});

test("belong to root, and to nobody else where they hold a key", () => {
  for (const holder of [...pki.machines, "worker", "operator"]) {
    for (const { path, mode, owner } of pki.files(holder)) {
      expect({ path, owner, mode }).toEqual({
        path,
        owner: "root:root",
        mode: /\.(key|conf)$/.test(path) ? "0600" : "0644",
      });
    }
  }
});

test.each([
  ["cp-1", `${PKI}/apiserver.crt`, "<tls_locally_signed_cert.pki__cp-1__apiserver.cert_pem>"],
  ["cp-1", `${PKI}/apiserver.key`, "<tls_private_key.pki__cp-1__apiserver.private_key_pem>"],
  ["cp-2", `${PKI}/apiserver.key`, "<tls_private_key.pki__cp-2__apiserver.private_key_pem>"],
  ["cp-1", `${PKI}/ca.crt`, "<tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem>"],
  ["cp-1", `${PKI}/ca-signing.crt`, "<tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem>"],
  ["cp-1", `${PKI}/ca.key`, "<tls_private_key.pki__ca__kubernetes__g1.private_key_pem>"],
  ["cp-1", `${PKI}/front-proxy-ca.key`, "<tls_private_key.pki__ca__front-proxy__g1.private_key_pem>"],
  ["cp-1", `${PKI}/etcd/ca.crt`, "<tls_self_signed_cert.pki__ca__etcd__g1.cert_pem>"],
  ["cp-1", `${PKI}/sa.pub`, "<tls_private_key.pki__keys__service-account__g1.public_key_pem>"],
  ["cp-1", `${PKI}/sa.key`, "<tls_private_key.pki__keys__service-account__g1.private_key_pem>"],
  ["etcd-1", `${PKI}/etcd/ca.key`, "<tls_private_key.pki__ca__etcd__g1.private_key_pem>"],
  ["etcd-1", `${PKI}/etcd/peer.crt`, "<tls_locally_signed_cert.pki__etcd-1__etcd-peer.cert_pem>"],
  ["worker", `${PKI}/ca.crt`, "<tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem>"],
])("of %s: %s is %s", (holder, path, text) => {
  expect(contentOf(holder, path)).toBe(text);
});

test("tell kubeadm of the endpoint, the networks and the one signer", () => {
  const { pki } = pkiOf({ serviceCidrs: ["10.96.0.0/12", "fd00::/112"], clusterDomain: "k8s.example.org" });
  const file = pki.files("cp-1").find(({ path }) => path === "/etc/kubernetes/cluster-configuration.yaml")!;
  expect(file.content).toBe(`apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: "10.0.0.11"
  bindPort: 6443
nodeRegistration:
  name: cp-1
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: prod
controlPlaneEndpoint: "api.prod.example.com:6443"
networking:
  dnsDomain: k8s.example.org
  serviceSubnet: 10.96.0.0/12,fd00::/112
apiServer:
  certSANs: ["fd00::1"]
controllerManager:
  extraArgs:
  - name: cluster-signing-cert-file
    value: /etc/kubernetes/pki/ca-signing.crt
  - name: cluster-signing-duration
    value: "720h0m0s"
`);
});

test.each([
  [
    "cp-2",
    `    kubeConfigPath: /etc/kubernetes/admin.conf
nodeRegistration:
  ignorePreflightErrors: [FileAvailable--etc-kubernetes-kubelet.conf]
  name: cp-2
controlPlane:
  localAPIEndpoint:
    advertiseAddress: "10.0.0.12"
    bindPort: 6443
`,
  ],
  [
    "node-1",
    `    kubeConfigPath: /etc/kubernetes/kubelet.conf
nodeRegistration:
  ignorePreflightErrors: [FileAvailable--etc-kubernetes-kubelet.conf, FileAvailable--etc-kubernetes-pki-ca.crt]
  name: node-1
`,
  ],
])("tell kubeadm how %s joins", (machine, text) => {
  expect(contentOf(machine, "/etc/kubernetes/join-configuration.yaml")).toBe(
    `apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  file:\n${text}`,
  );
});

test("are published by holder and path, with the content as data", () => {
  const { output } = terraformOfPki(MEMBERS);
  expect(Object.keys(filesIn({ output }))).toEqual([...pki.machines, "worker", "operator"]);
  expect(output.pki_files.description).toBe("Files of each holder, as references into this state");
  expect(filesIn({ output })["etcd-2"][`${PKI}/etcd/server.key`]).toEqual({
    mode: "0600",
    owner: "root:root",
    content: { address: "tls_private_key.pki__etcd-2__etcd-server", attribute: "private_key_pem" },
  });
});

test("are published whole", () => {
  const { output } = terraformOfPki(MEMBERS);
  for (const holder of [...pki.machines, "worker", "operator"]) {
    const published = Object.entries<{ mode: string; owner: string; content: unknown }>(filesIn({ output })[holder]);
    const files = pki.files(holder).map(({ path, mode, owner, content }) => ({ path, mode, owner, content }));
    expect(published.map(([path, file]) => ({ path, ...file }))).toEqual(JSON.parse(JSON.stringify(files)));
  }
});

test("fingerprints are published by what a reader calls the generation", () => {
  const { output } = terraformOfPki();
  const fingerprint = (name: string) => `\${tls_private_key.pki__${name}__g1.public_key_fingerprint_sha256}`;
  expect(output.pki_fingerprints).toEqual({
    description: "Fingerprints of public keys, to be written into the generations that have them",
    value: {
      "kubernetes g1": fingerprint("ca__kubernetes"),
      "front-proxy g1": fingerprint("ca__front-proxy"),
      "etcd g1": fingerprint("ca__etcd"),
      "service-account g1": fingerprint("keys__service-account"),
    },
  });
});

test("what is known at plan of generations and certificates is published as JSON text", () => {
  const generations = { g1: Generation.trusted(), g2: Generation.active(), g3: Generation.retired() };
  const terraform = terraformOfPki({}, { authorities: { etcd: { generations } } });
  expect(expressionsIn(terraform.output.pki_certificates)).toEqual([]);
  const published = parsedOutput(terraform, "pki_certificates");
  expect(Object.keys(published)).toEqual(["ca", "keys", "guards", "cp-1"]);
  expect(published.ca).toEqual({
    kubernetes: { g1: "active" },
    "front-proxy": { g1: "active" },
    etcd: { g1: "trusted", g2: "active", g3: "retired" },
  });
  expect(published.keys).toEqual({ "service-account": { g1: "active" } });
  expect(published.guards).toEqual({
    exceptions: { "super-admin": ["system-masters"] },
    signsNodesFor: { kubernetes: 720 },
  });
  expect(published["cp-1"]!["etcd-peer"]).toEqual(["cp-1", "localhost", "10.0.0.11", "127.0.0.1", "::1"]);
  expect(Object.keys(published["cp-1"]!)).toEqual(["apiserver", "etcd-server", "etcd-peer"]);
});

test("what keeps generations from being lost is published, so that a later plan tells that it is gone", () => {
  const pinned = Generation.active({ fingerprint: `SHA256:${"A".repeat(43)}` });
  const guards = (props: Partial<ClusterPkiProps>) =>
    parsedOutput(terraformOfPki({}, props), "pki_certificates").guards;
  expect(guards({ authorities: { etcd: { generations: { g1: pinned } } } })).toMatchObject({ pinned: ["etcd g1"] });
  expect(guards({ deletionProtection: false }).unprotected).toEqual([
    "kubernetes g1",
    "front-proxy g1",
    "etcd g1",
    "service-account g1",
  ]);
  const { stack, pki } = pkiOf({}, { serviceAccount: { generations: { g1: pinned } } });
  const certificate = pki.authority("etcd").node.defaultChild as TerraformResource;
  certificate.addOverride("lifecycle.prevent_destroy", false);
  expect(parsedOutput(terraformOf(stack), "pki_certificates").guards).toMatchObject({
    unprotected: ["etcd g1"],
    pinned: ["service-account g1"],
  });
});
