import { leavesOf } from "../support/cluster";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ClusterPki, Distribution, SingleCaOptions, SingleCaSet } from "../../lib";
import { CERTIFICATES, SETS, Verifier, VERIFIERS } from "../support/single-ca";
import { attempt, run } from "../sandbox/command";
import { Workspace } from "./workspace";
import { referencesIn } from "../../lib/kubernetes/content-readers";

const CLUSTER = {
  name: "kubernetes-the-hard-way",
  endpoint: "api.example.com:6443",
  serviceCidrs: ["10.32.0.0/24"],
  controlPlanes: [{ name: "controller-0", addresses: ["10.240.0.10"] }],
  workers: [{ name: "worker-0", addresses: ["10.240.0.20"] }],
};
const SUBJECT = {
  country: "US",
  province: "Oregon",
  locality: "Portland",
  organizationalUnit: "Kubernetes The Hard Way",
};
/** Who of the cluster has a verifier's files. */
const HOLDER = {
  "control plane": "controller-0",
  "etcd member": "controller-0",
  worker: "worker-0",
  operator: "operator",
} as const;
/** What a set's certificates are shown for. */
const PURPOSES: Readonly<Record<SingleCaSet, readonly string[]>> = {
  "etcd-server": ["sslserver"],
  "etcd-peer": ["sslserver", "sslclient"],
  "etcd-client": ["sslclient"],
  apiserver: ["sslserver"],
  "apiserver-client": ["sslclient"],
  "apiserver-kubelet-client": ["sslclient"],
  "front-proxy-client": ["sslclient"],
  "kubelet-server": ["sslserver"],
  "kubelet-client": ["sslclient"],
};

jest.setTimeout(300_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

describe.each<[string, SingleCaOptions]>([
  ["one", {}],
  ["each-its-own", { ownAuthorities: SETS }],
])("with authorities: %s", (stack, options) => {
  let pki: ClusterPki;
  /** Exported trees by holder. */
  const trees: Record<string, string> = {};

  beforeAll(async () => {
    workspace.synth(stack, (scope) => {
      const distribution = Distribution.singleCa(options);
      pki = new ClusterPki(scope, "pki", { addressPrefix: "pki", distribution, cluster: CLUSTER, subject: SUBJECT });
    });
    await workspace.apply(stack);
    const who = {
      operator: ["--operator"],
      ...Object.fromEntries(pki.machines.map((name) => [name, ["--machine", name]])),
    };
    for (const [holder, args] of Object.entries(who)) {
      trees[holder] = await workspace.export(args, path.join(stack, holder), stack);
    }
  });

  /** The certificates of a set as their holders have them, in a file or in a kubeconfig, each in a file of its own. */
  function certificatesOf(set: SingleCaSet): string[] {
    const folder = mkdtempSync(path.join(workspace.folder, "certificates-"));
    const leaves = leavesOf(pki).filter(([key]) => CERTIFICATES[set].includes(key.split("/")[1]!));
    expect(leaves.length).toBeGreaterThan(0);
    return leaves.map(([key, leaf]) => {
      const holder = key.split("/")[0]!;
      const file = pki
        .files(holder)
        .find(({ content }) => referencesIn(content).some(({ address }) => address === leaf.certificate.address))!;
      const text = readFileSync(path.join(trees[holder]!, file.path), "utf8");
      const data = /client-certificate-data: (.*)/.exec(text)?.[1];
      const written = path.join(folder, `${key.replace("/", "-")}.pem`);
      writeFileSync(written, data ? Buffer.from(data, "base64") : text);
      return written;
    });
  }

  function bundleOf({ on, component, via }: Verifier): string {
    const holder = HOLDER[on];
    const reads = pki
      .files(holder)
      .find(({ consumers }) =>
        consumers.some((consumer) => consumer.component === component && Object.values(consumer.via).includes(via)),
      )!;
    return path.join(trees[holder]!, reads.path);
  }

  test.each(VERIFIERS)("$component accepts by $via what it has to: $accepts", async (verifier) => {
    const bundle = bundleOf(verifier);
    for (const set of verifier.accepts) {
      for (const certificate of certificatesOf(set)) {
        for (const purpose of PURPOSES[set]) {
          const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", bundle, certificate];
          expect(await attempt("openssl", args)).toMatchObject({ code: 0 });
        }
      }
    }
  });

  test.each(VERIFIERS)("$component knows by $via only who signed $accepts", (verifier) => {
    const blocks = readFileSync(bundleOf(verifier), "utf8").match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/g)!;
    const authorities = blocks.map((block) => new X509Certificate(block));
    const signed = (certificate: string) => {
      const leaf = new X509Certificate(readFileSync(certificate));
      return authorities.some((authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
    };
    const accepted = SETS.filter((set) => certificatesOf(set).every(signed));
    const others = SETS.filter((set) => certificatesOf(set).some(signed)).filter((set) => !accepted.includes(set));
    expect(others).toEqual([]);
    expect(accepted).toEqual(options.ownAuthorities ? SETS.filter((set) => verifier.accepts.includes(set)) : SETS);
  });

  test("subjects have the given fields", async () => {
    const [worker] = certificatesOf("kubelet-server");
    const subject = await run("openssl", ["x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", worker!]);
    const fields = subject.trim().replace("subject=", "").split(",").sort();
    expect(fields).toEqual([
      "C=US",
      "CN=system:node:worker-0",
      "L=Portland",
      "O=system:nodes",
      "OU=Kubernetes The Hard Way",
      "ST=Oregon",
    ]);
  });

  test("the API server's name in the cluster is one that clients ask for", async () => {
    const [apiServer] = certificatesOf("apiserver");
    const asks = async (name: string) =>
      (await attempt("openssl", ["x509", "-noout", "-checkhost", name, "-in", apiServer!])).stdout;
    expect(await asks("kubernetes.default.svc.cluster.local")).toMatch(/does match/);
    expect(await asks("kubernetes.svc.cluster.local")).toMatch(/does NOT match/);
  });

  test("a second plan is empty", async () => {
    expect(await workspace.plan(stack)).toEqual([]);
  });
});
