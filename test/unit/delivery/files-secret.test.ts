import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { TerraformStack } from "cdktf";
import { FilesSecret, FilesSecretProps } from "../../../lib";
import { pkiOf } from "../../support/cluster";
import { newApp, problemsOf, terraformOf, validationsOf } from "../../support/synth";
import { deliveryStack } from "./fixture";

function secretOf(props: Partial<FilesSecretProps> = {}, stack: TerraformStack = deliveryStack()): FilesSecret {
  const files = [{ path: "/etc/kubernetes/pki/etcd/ca.crt", content: "PEM" }];
  return new FilesSecret(stack, "etcd-backup", { name: "etcd-client", namespace: "backup", files, ...props });
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look anywhere into it
function resourceOf(stack: TerraformStack): any {
  return terraformOf(stack).resource.kubernetes_secret_v1["etcd-backup"];
}

test("a file's key is its path as kubeadm writes it", () => {
  const { stack, pki } = pkiOf({}, {}, deliveryStack());
  const files = pki.files("cp-1").filter(({ path }) => path.includes("/etcd/healthcheck-client."));
  const { keys } = secretOf({ files }, stack);
  expect(keys).toEqual({
    "/etc/kubernetes/pki/etcd/healthcheck-client.crt": "etc-kubernetes-pki-etcd-healthcheck-client.crt",
    "/etc/kubernetes/pki/etcd/healthcheck-client.key": "etc-kubernetes-pki-etcd-healthcheck-client.key",
  });
  expect(resourceOf(stack)).toEqual({
    metadata: { name: "etcd-client", namespace: "backup" },
    type: "Opaque",
    data: {
      "etc-kubernetes-pki-etcd-healthcheck-client.crt":
        "${tls_locally_signed_cert.pki__cp-1__etcd-healthcheck-client.cert_pem}",
      "etc-kubernetes-pki-etcd-healthcheck-client.key":
        "${tls_private_key.pki__cp-1__etcd-healthcheck-client.private_key_pem}",
    },
  });
});

test("all files of a control plane have keys", () => {
  const { stack, pki } = pkiOf({}, {}, deliveryStack());
  const { keys } = secretOf({ files: pki.files("cp-1") }, stack);
  expect(new Set(Object.values(keys)).size).toBe(pki.files("cp-1").length);
});

test("labels, annotations, provider and what comes first are those given", () => {
  const stack = deliveryStack();
  const provider = new KubernetesProvider(stack, "management", { alias: "management" });
  const first = new FilesSecret(stack, "first", { name: "first", namespace: "backup", files: [] }).resource;
  secretOf(
    { labels: { team: "data" }, annotations: { "example.com/why": "backup" }, provider, dependsOn: [first] },
    stack,
  );
  expect(resourceOf(stack)).toMatchObject({
    metadata: { labels: { team: "data" }, annotations: { "example.com/why": "backup" } },
    provider: "kubernetes.management",
    depends_on: ["kubernetes_secret_v1.first"],
  });
});

test("two paths with one key are refused, and so is a path without one", () => {
  const files = ["/etc/a-b", "/etc-a/b", "/etc/a b", "/..", ""].map((path) => ({ path, content: "" }));
  expect(problemsOf(() => secretOf({ files })).map(({ code, given }) => [code, given])).toEqual([
    ["secret-key-twice", '"/etc-a/b"'],
    ["secret-key", '"/etc/a b"'],
    ["secret-key", '"/.."'],
    ["secret-key", '""'],
  ]);
});

test("names that the API server would refuse are refused", () => {
  const problems = problemsOf(() => secretOf({ name: "Etcd_Client", namespace: "team.backup" }));
  expect(problems.map(({ code, at }) => [code, at])).toEqual([
    ["secret-name", "name"],
    ["namespace", "namespace"],
  ]);
});

test("files of another stack are refused, since their keys would have to go through an output", () => {
  const app = newApp();
  const { pki } = pkiOf({}, {}, deliveryStack("prod-pki", app));
  const other = deliveryStack("prod-backup", app);
  secretOf({ files: pki.files("cp-1").filter(({ path }) => path.endsWith("/etcd/healthcheck-client.key")) }, other);
  expect(validationsOf(other)).toEqual([
    '[other-stack] prod-backup/etcd-backup: given "tls_private_key.pki__cp-1__etcd-healthcheck-client"; ' +
      "allowed: what stack prod-backup has; fix: make it in the stack of the files, since no private key goes through an output",
  ]);
});

test("files of the same stack pass", () => {
  const { stack, pki } = pkiOf({}, {}, deliveryStack());
  secretOf({ files: pki.files("cp-1") }, stack);
  expect(validationsOf(stack)).toEqual([]);
});
