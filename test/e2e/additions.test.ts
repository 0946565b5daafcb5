import { TerraformStack } from "cdktf";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  CertificateAuthority,
  ClusterPki,
  content,
  Distribution,
  Generation,
  type Generations,
  inventoryOf,
  KeyUsage,
  Subject,
} from "../../lib";
import type { PlanReport } from "../../lib/plan/judge/report";
import { attempt } from "../sandbox/command";
import { Workspace } from "./workspace";

// Certificates and files of one's own: issued, exported and reported by the same commands as those of the distribution.

jest.setTimeout(240_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

interface Choices {
  readonly etcd: Generations;
  readonly names: readonly string[];
}

/** A monitored cluster with an aggregated API server and an ingress, and its inventory beside it. */
function synth({ etcd, names }: Choices): void {
  let inventory = "";
  workspace.synth("prod-pki", (stack: TerraformStack) => {
    const pki = new ClusterPki(stack, "pki", {
      distribution: Distribution.KUBEADM,
      cluster: {
        name: "prod",
        endpoint: "api.prod.example.com:6443",
        serviceCidrs: ["10.96.0.0/12"],
        controlPlanes: [1, 2].map((n) => ({ name: `cp-${n}`, addresses: [`10.0.0.1${n}`] })),
        workers: [{ name: "edge-1", addresses: ["10.0.0.21"] }],
      },
      authorities: { etcd: { generations: etcd } },
    });
    const prometheus = { component: "prometheus", via: { configField: "tls_config" }, onChange: "reload" } as const;
    pki.addCertificate("prometheus", {
      authority: "etcd",
      commonName: "prometheus",
      usage: KeyUsage.CLIENT,
      holders: ["etcd-member"],
      files: [
        { path: "/etc/prometheus/etcd/ca.crt", kind: "bundle", consumers: [prometheus] },
        { path: "/etc/prometheus/etcd/client.crt", kind: "certificate", consumers: [prometheus] },
        { path: "/etc/prometheus/etcd/client.key", kind: "private key", mode: "0640", consumers: [prometheus] },
      ],
    });
    pki.addCertificate("metrics", {
      authority: "kubernetes",
      commonName: "metrics.{machine}",
      usage: KeyUsage.SERVER,
      sans: ["{machine}", "{addresses}", ...names],
      holders: ["cp-1"],
      files: [
        { path: "/etc/metrics/tls.crt", kind: "chain" },
        { path: "/etc/metrics/tls.key", kind: "private key" },
      ],
    });
    const ingress = new CertificateAuthority(stack, "ingress", { subject: new Subject({ commonName: "ingress-ca" }) });
    pki.addCertificate("ingress", {
      authority: ingress,
      commonName: "shop.example.com",
      usage: KeyUsage.SERVER,
      sans: ["shop.example.com"],
      holders: ["edge-1"],
      files: [
        { path: "/etc/ingress/tls.crt", kind: "certificate" },
        { path: "/etc/ingress/tls.key", kind: "private key" },
      ],
    });
    pki.addFile("operator", { path: "/ingress-ca.crt", content: content`${{ concat: ingress.bundle.references }}` });
    pki.addFile("control-plane", { path: "/etc/metrics/{machine}.yaml", content: "clientCA: ${/etc/x} %{y}\n" });
    inventory = JSON.stringify(inventoryOf(stack));
  });
  writeFileSync(path.join(workspace.stack("prod-pki"), "pki-inventory.json"), inventory);
}

async function report(): Promise<PlanReport> {
  await workspace.must("prod-pki", "plan", "-no-color", "-out=plan");
  const shown = await workspace.must("prod-pki", "show", "-json", "plan");
  const file = (name: string) => path.join(workspace.stack("prod-pki"), name);
  writeFileSync(file("plan.json"), shown);
  const argv = ["plan", file("plan.json"), "--inventory", file("pki-inventory.json"), "--format", "json"];
  const { stdout, stderr } = await workspace.kubernetesPki(...argv);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as PlanReport;
}

const FIRST: Choices = { etcd: { g1: Generation.active() }, names: ["metrics.kube-system.svc"] };

let roots: Readonly<Record<"cp-1" | "cp-2" | "edge-1" | "operator", string>>;
const textOf = (who: keyof typeof roots, file: string) => readFileSync(path.join(roots[who], file), "utf8");
const certificateIn = (who: keyof typeof roots, file: string) => new X509Certificate(textOf(who, file));

beforeAll(async () => {
  synth(FIRST);
  await workspace.apply("prod-pki");
  const machine = (name: string) => workspace.export(["--machine", name], name, "prod-pki");
  roots = {
    "cp-1": await machine("cp-1"),
    "cp-2": await machine("cp-2"),
    "edge-1": await machine("edge-1"),
    operator: await workspace.export(["--operator"], "operator", "prod-pki"),
  };
});

test("each holder has a certificate of its own, with its key beside it", () => {
  const pairs = (
    [
      ["cp-1", "etc/prometheus/etcd/client.crt", "etc/prometheus/etcd/client.key"],
      ["cp-2", "etc/prometheus/etcd/client.crt", "etc/prometheus/etcd/client.key"],
      ["cp-1", "etc/metrics/tls.crt", "etc/metrics/tls.key"],
      ["edge-1", "etc/ingress/tls.crt", "etc/ingress/tls.key"],
    ] as const
  ).map(([who, certificate, key]) => {
    const publicKey = createPublicKey(createPrivateKey(textOf(who, key))).export({ type: "spki", format: "pem" });
    const { publicKey: certified, fingerprint256 } = certificateIn(who, certificate);
    expect(certified.export({ type: "spki", format: "pem" })).toBe(publicKey);
    return fingerprint256;
  });
  expect(new Set(pairs).size).toBe(4);
  expect(statSync(path.join(roots["cp-1"], "etc/prometheus/etcd/client.key")).mode & 0o777).toBe(0o640);
  expect(statSync(path.join(roots["edge-1"], "etc/ingress/tls.key")).mode & 0o777).toBe(0o600);
});

test.each([
  ["cp-2", "etc/kubernetes/pki/etcd/ca.crt", "etc/prometheus/etcd/client.crt", "sslclient"],
  ["cp-2", "etc/prometheus/etcd/ca.crt", "etc/kubernetes/pki/etcd/server.crt", "sslserver"],
  ["cp-1", "etc/kubernetes/pki/ca.crt", "etc/metrics/tls.crt", "sslserver"],
] as const)("openssl: on %s, who trusts %s takes %s as %s", async (who, bundle, certificate, purpose) => {
  const file = (name: string) => path.join(roots[who], name);
  const argv = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", file(bundle), file(certificate)];
  expect(await attempt("openssl", argv, {})).toMatchObject({ code: 0 });
});

test("names are those of the description and of the machine", () => {
  const { subject, subjectAltName } = certificateIn("cp-1", "etc/metrics/tls.crt");
  expect(subject).toBe("CN=metrics.cp-1");
  expect(subjectAltName).toBe("DNS:cp-1, DNS:metrics.kube-system.svc, IP Address:10.0.0.11");
});

test("an authority of one's own signs as well, and its bundle is a file like any other", () => {
  const authority = certificateIn("operator", "ingress-ca.crt");
  expect(authority.subject).toBe("CN=ingress-ca");
  expect(certificateIn("edge-1", "etc/ingress/tls.crt").verify(authority.publicKey)).toBe(true);
});

test("text is written as it stands in the code, whatever Terraform would read in it", () => {
  expect(textOf("cp-2", "etc/metrics/cp-2.yaml")).toBe("clientCA: ${/etc/x} %{y}\n");
});

test("nothing changes without a change", async () => {
  const { code } = await workspace.terraform("prod-pki", "plan", "-detailed-exitcode");
  expect(code).toBe(0);
});

test("the report tells of another name, by the certificate's own name and with its files", async () => {
  synth({ ...FIRST, names: ["metrics.kube-system.svc", "metrics.example.com"] });
  const { changes, dangers } = await report();
  expect(changes).toMatchObject([
    {
      kind: "certificate",
      name: "cp-1/metrics",
      cluster: "prod",
      holder: "cp-1",
      differences: [{ what: "sans", added: ["metrics.example.com"], removed: [] }, { what: "notAfter" }],
      files: [{ path: "/etc/metrics/tls.crt" }],
    },
  ]);
  expect(dangers).toEqual([]);
});

test("a rotation reaches it: the report names its reader, and export writes the bundle of both", async () => {
  synth({ ...FIRST, etcd: { g1: Generation.active(), g2: Generation.trusted() } });
  const { components } = await report();
  expect(components.find(({ component }) => component === "prometheus")).toMatchObject({
    action: "reload",
    files: ["/etc/prometheus/etcd/ca.crt"],
    holders: ["cp-1", "cp-2"],
  });
  await workspace.must("prod-pki", "apply", "-auto-approve", "-no-color");
  await workspace.export(["--machine", "cp-1"], "cp-1", "prod-pki");
  expect(textOf("cp-1", "etc/prometheus/etcd/ca.crt")).toBe(textOf("cp-1", "etc/kubernetes/pki/etcd/ca.crt"));
  expect(textOf("cp-1", "etc/prometheus/etcd/ca.crt").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});

test("status knows it by its file", async () => {
  const { stdout } = await workspace.kubernetesPki("status", "--root", roots["cp-1"]);
  expect(stdout).toContain("etc/prometheus/etcd/client.crt");
  const { stdout: ofState } = await workspace.kubernetesPki("status", workspace.stack("prod-pki"));
  expect(ofState).toContain("cp-2/prometheus");
});
