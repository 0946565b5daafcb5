import { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { TerraformStack } from "cdktf";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { Cluster, ClusterPki, ClusterPkiProps, Distribution, Generation, KeyAlgorithm } from "../../lib";
import { DISTRIBUTIONS } from "../contract/cases";
import { run } from "../sandbox/command";
import { findTools } from "../sandbox/tools";
import { ONE } from "../support/cluster";
import { Workspace } from "./workspace";

// What the RFCs ask of certificates, as zlint reads them.

jest.setTimeout(180_000);

const RFCS = ["RFC3279", "RFC5280", "RFC5480", "RFC5891", "RFC6960", "RFC6962", "RFC8813"];

/** What browsers, mail programs and the European Union ask of public authorities, which a cluster's are not. */
const LEFT_OUT = ["Apple", "CABF_BR", "CABF_CS_BR", "CABF_EV", "CABF_SMIME_BR", "Community", "ETSI_ESI", "Mozilla"];

const cluster: Cluster = { ...ONE, workers: [{ name: "node-1" }] };
const etcdAlone: Partial<Cluster> = {
  controlPlanes: [],
  workers: [],
  etcd: { topology: "members", members: [{ name: "etcd-1", addresses: ["10.0.0.21"] }] },
};
const rotated = { kubernetes: { generations: { g1: Generation.trusted(), g2: Generation.active() } } };

/** A cluster of every distribution with all the certificates that Terraform can issue, and others of kubeadm. */
const STACKS: Readonly<Record<string, Partial<ClusterPkiProps> & Pick<ClusterPkiProps, "distribution">>> = {
  ...Object.fromEntries(DISTRIBUTIONS.map((distribution) => [distribution.table.name, { distribution }])),
  [Distribution.CLUSTER_API.table.name]: {
    distribution: Distribution.CLUSTER_API,
    cluster: { ...cluster, ...etcdAlone },
  },
  "k3s-below-a-root": { distribution: Distribution.k3s({ chained: "root" }) },
  rsa: { distribution: Distribution.KUBEADM, keyAlgorithm: KeyAlgorithm.RSA_2048, authorities: rsaAuthorities() },
  rotated: { distribution: Distribution.KUBEADM, authorities: rotated },
};

function rsaAuthorities(): ClusterPkiProps["authorities"] {
  const generations = { g1: Generation.active({ keyAlgorithm: KeyAlgorithm.RSA_2048 }) };
  return Object.fromEntries(Object.keys(Distribution.KUBEADM.table.authorities).map((name) => [name, { generations }]));
}

let workspace: Workspace;
let zlint: string;

beforeAll(async () => {
  ({ zlint } = await findTools(["zlint"]));
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

interface Resource {
  readonly address: string;
  readonly values: { readonly cert_pem?: string };
}

/** What zlint finds wrong with the certificates of a stack, `lint: addresses`, and how many certificates it looked at. */
async function lint(
  id: string,
  build: (stack: TerraformStack) => void,
): Promise<{ found: Record<string, string[]>; looked: number }> {
  workspace.synth(id, build);
  await workspace.apply(id);
  const state = JSON.parse(await workspace.show(id)) as { values: { root_module: { resources: Resource[] } } };
  const issued = state.values.root_module.resources.filter(({ values }) => values.cert_pem !== undefined);
  const files = issued.map(({ values }, index) => {
    const file = path.join(workspace.folder, `${id}-${index}.crt`);
    writeFileSync(file, values.cert_pem!);
    return file;
  });
  const printed = (await run(zlint, ["-excludeSources", LEFT_OUT.join(), ...files])).trim().split("\n");
  const found: Record<string, string[]> = {};
  printed.forEach((line, index) => {
    for (const [name, { result }] of Object.entries(JSON.parse(line) as Record<string, { result: string }>)) {
      // NA: it is about another kind of certificate; NE: it came later.
      if (!["pass", "NA", "NE"].includes(result)) {
        (found[name] ??= []).push(issued[index]!.address);
      }
    }
  });
  return { found, looked: printed.length };
}

test("whose lints count is said for every source that zlint has", async () => {
  const sources = (await run(zlint, ["-list-lints-source"])).split("\n").map((line) => line.trim());
  expect(sources.filter((source) => source !== "").sort()).toEqual([...LEFT_OUT, ...RFCS].sort());
});

test("it finds what is wrong, e.g. an ECDSA key that says it could encrypt", async () => {
  const { found } = await lint("wrong", (stack) => {
    const key = new PrivateKey(stack, "key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
    new SelfSignedCert(stack, "certificate", {
      privateKeyPem: key.privateKeyPem,
      subject: [{ commonName: "server" }],
      dnsNames: ["server.example.com"],
      allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
      validityPeriodHours: 1,
    });
  });
  expect(Object.keys(found)).toContain("e_ecdsa_allowed_ku");
});

test.each(Object.entries(STACKS))("no certificate of %s fails a lint of an RFC", async (name, props) => {
  const { found, looked } = await lint(
    name,
    (stack) => new ClusterPki(stack, "pki", { cluster, issueLeaves: true, ...props }),
  );
  expect(looked).toBeGreaterThan(3);
  expect(found).toEqual({});
});
