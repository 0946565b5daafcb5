import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ClusterPki, ClusterPkiProps, Distribution, Generation, Generations } from "../../lib";
import { SETS } from "../support/single-ca";
import { Workspace } from "./workspace";

// A gate that cries for nothing is switched off: what was just made has no problem, in the states and on every machine.

const CLUSTER = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
  workers: [{ name: "node-1", addresses: ["10.0.0.21"] }],
};

const DISTRIBUTIONS: Readonly<Record<string, Partial<ClusterPkiProps> & { readonly distribution: Distribution }>> = {
  kubeadm: { distribution: Distribution.KUBEADM },
  k3s: { distribution: Distribution.K3S },
  "k3s-leaves": { distribution: Distribution.K3S, issueLeaves: true },
  "k3s-chained": { distribution: Distribution.k3s({ chained: "root" }), issueLeaves: true },
  rke2: { distribution: Distribution.RKE2, issueLeaves: true },
  k0s: { distribution: Distribution.K0S },
  "k0s-leaves": { distribution: Distribution.K0S, issueLeaves: true },
  "single-ca": { distribution: Distribution.SINGLE_CA },
  "single-ca-own": { distribution: Distribution.singleCa({ ownAuthorities: SETS }) },
  "cluster-api": { distribution: Distribution.CLUSTER_API },
};

/** What a rotation goes through, of the authority of the API server. */
const STEPS: Readonly<Record<string, Generations>> = {
  introduced: { g1: Generation.active(), g2: Generation.trusted() },
  promoted: { g1: Generation.trusted(), g2: Generation.active() },
  retired: { g1: Generation.retired(), g2: Generation.active() },
};

jest.setTimeout(600_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

async function apply(id: string, generations: Generations): Promise<void> {
  const props = DISTRIBUTIONS[id]!;
  workspace.synth(id, (stack) => {
    const authorities = { [props.distribution.table.apiServerAuthority]: { generations } };
    new ClusterPki(stack, "pki", { addressPrefix: "pki", cluster: CLUSTER, ...props, authorities });
  });
  await workspace.apply(id);
}

/** What status says in JSON, and how it ends. */
async function status(...args: string[]): Promise<{ code: number; stderr: string; problems: unknown[] }> {
  const { code, stdout, stderr } = await workspace.kubernetesPki("status", ...args, "-o", "json");
  const { problems = [] } = (stdout ? JSON.parse(stdout) : {}) as { problems?: { kind: string }[] };
  // What was made a second after its authority lasts a second longer, which is no reason to fail.
  return { code, stderr, problems: problems.filter(({ kind }) => kind !== "outlives-authority") };
}

const FINE = { code: 0, stderr: "", problems: [] };

/** Folders with the files of everybody who has some. */
async function exportAll(id: string, step: string): Promise<string[]> {
  const holders = [["--machine", "cp-1"], ["--machine", "node-1"], ["--worker"], ["--operator"]];
  const folders: string[] = [];
  for (const who of holders) {
    const name = path.join("out", id, step, who.at(-1)!);
    try {
      folders.push(await workspace.export(who, name, id));
    } catch (error) {
      expect(String(error)).toMatch(/no (such )?files|nobody|no machine|no files/i);
    }
  }
  return folders;
}

/** Whether there is anything to tell of: the files of a join, and keys of service accounts, are no certificates. */
function hasCertificates(folder: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) =>
      /BEGIN CERT|certificate-authority-data/.test(readFileSync(path.join(entry.parentPath, entry.name), "utf8")),
    );
}

/** Where each kind of certificate has an authority of its own, that is where it is verified, and not where it is shown. */
const VERIFIED_ELSEWHERE: readonly string[] = ["single-ca-own"];

/** Bundles of authorities in folders, as options. */
function authoritiesOf(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /(^|[/-])ca\.pem$/.test(file))
      .flatMap((file) => ["--authority", path.join(folder, file)]),
  );
}

test.each(Object.keys(DISTRIBUTIONS))("%s has no problem, in any step of a rotation", async (id) => {
  for (const [step, generations] of Object.entries(STEPS)) {
    await apply(id, generations);
    expect({ step, ...(await status(workspace.stack(id))) }).toEqual({ step, ...FINE });
    const folders = (await exportAll(id, step)).filter(hasCertificates);
    expect(folders).not.toEqual([]);
    const authorities = VERIFIED_ELSEWHERE.includes(id) ? authoritiesOf(folders) : [];
    for (const folder of folders) {
      expect({ folder, ...(await status("--root", folder, ...authorities)) }).toEqual({ folder, ...FINE });
    }
  }
});
