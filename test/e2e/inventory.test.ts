import { X509Certificate } from "node:crypto";
import { CertificateEntry, ClusterPki, ClusterPkiProps, Distribution, inventoryOf, InventoryEntry } from "../../lib";
import { THREE } from "../support/cluster";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

let workspace: Workspace;
let entries: readonly InventoryEntry[];

beforeAll(async () => {
  workspace = await Workspace.create();
  synth();
  await workspace.apply("prod");
});

afterAll(() => workspace?.remove());

function synth(cluster: Partial<ClusterPkiProps["cluster"]> = {}): void {
  workspace.synth("prod", (stack) => {
    new ClusterPki(stack, "pki", {
      addressPrefix: "pki",
      distribution: Distribution.KUBEADM,
      cluster: { ...THREE, ...cluster },
    });
    entries = inventoryOf(stack).entries;
  });
}

interface State {
  readonly values: {
    readonly outputs: { readonly pki_certificates: { readonly value: Readonly<Record<string, string>> } };
    readonly root_module: {
      readonly resources: readonly { readonly address: string; readonly values: { readonly cert_pem: string } }[];
    };
  };
}

const certificates = () =>
  entries.filter((entry): entry is CertificateEntry => entry.kind === "certificate" && entry.issuedBy === "terraform");

const USAGES: Readonly<Record<string, string>> = { "1.3.6.1.5.5.7.3.1": "server", "1.3.6.1.5.5.7.3.2": "client" };

test("says of every certificate what the certificate says of itself", async () => {
  const { values } = JSON.parse(await workspace.show("prod")) as State;
  const pemOf = (address: string) =>
    values.root_module.resources.find((one) => one.address === address)!.values.cert_pem;
  expect(certificates().length).toBeGreaterThan(30);
  for (const entry of certificates()) {
    const address = entry.addresses.find((one) => one.startsWith("tls_locally_signed_cert."))!;
    const real = new X509Certificate(pemOf(address));
    const names = (real.subjectAltName ?? "")
      .split(", ")
      .filter(Boolean)
      .map((name) => name.replace(/^(DNS|IP Address):/, ""));
    expect({
      subject: real.subject.split("\n").sort().join(", "),
      sans: names.filter((name) => !name.includes(":")),
      usage: real.keyUsage.map((oid) => USAGES[oid]).join(", "),
      hours: (Date.parse(real.validTo) - Date.parse(real.validFrom)) / 3_600_000,
    }).toEqual({
      subject: entry.subject,
      sans: entry.sans.filter((name) => !name.includes(":")),
      usage: entry.usage,
      hours: entry.validityHours,
    });
  }
});

test("the output <prefix>_certificates has the names of every certificate that has any", async () => {
  const { values } = JSON.parse(await workspace.show("prod")) as State;
  const published = values.outputs.pki_certificates.value;
  const named = certificates().filter(({ sans }) => sans.length > 0);
  expect(named.length).toBeGreaterThan(8);
  expect(Object.keys(published).sort()).toEqual(
    [...new Set(["ca", "guards", "keys", ...named.map(({ holder }) => holder!)])].sort(),
  );
  for (const { name, holder, sans } of named) {
    expect(JSON.parse(published[holder!]!)[name]).toEqual(sans);
  }
});

test("a plan alone shows a new name of the API server, and nothing of others, in clear", async () => {
  synth({ extraSans: ["api.internal.example.com"] });
  const plan = await workspace.must("prod", "plan", "-no-color");
  const outputs = plan.slice(plan.indexOf("Changes to Outputs:"));
  expect(outputs.match(/\+ "api\.internal\.example\.com"/g)).toHaveLength(3);
  expect(outputs).not.toMatch(/sensitive|known after apply|_fingerprints/);
  // Where a kubeadm that issues the certificate itself has the name from.
  const files = [...outputs.matchAll(/[~+-] "(\/[^"]*)"/g)].map(([, file]) => file);
  expect(files).toEqual(Array(3).fill("/etc/kubernetes/cluster-configuration.yaml"));
});
