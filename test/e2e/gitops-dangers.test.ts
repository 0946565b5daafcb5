import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { DangerCode } from "../../lib/plan/judge/danger";
import { DANGER_CODES } from "../../lib/plan/judge/dangers";
import { Project, runGithub, runGitlab, State, yamlOf } from "./pipelines";

// What is dangerous was merged and waits for approval, and a certificate is due: whatever it is, the nightly pipelines of the documentation
// apply nothing. A row of the table is one such change.

jest.setTimeout(600_000);

const FILES = yamlOf("docs/gitops.md");
const DISTRIBUTION = "distribution: Distribution.KUBEADM,";
/** Of the cluster that is deployed: a second key pair to rotate to. */
const KEY_PAIRS = "serviceAccount: { generations: { g1: Generation.active(), g2: Generation.trusted() } },";
const PKI = 'this.pki = new ClusterPki(this, "pki", pkiProps);';
const DUE = "sample__cp-1__apiserver";

/** A change that is pending; what it leaves out is as it is deployed. */
interface Pending {
  /** The cluster's distribution. */
  readonly distribution?: string;
  /** Its service-account keys. */
  readonly keyPairs?: string;
  /** More of the cluster's description. */
  readonly more?: string;
  /** What follows the cluster in its stack. */
  readonly then?: string;
  /** What somebody did to the state. */
  readonly state?: (state: State) => State;
  /**
   * What the log says.
   * @default - the danger
   */
  readonly log?: string;
}

const keyPairs = (generations: string): Pending => ({ keyPairs: `serviceAccount: { generations: ${generations} },` });
const authority = (generations: string): Pending => ({
  more: `authorities: { kubernetes: { generations: ${generations} } },`,
});
const UNPROTECTED = "deletionProtection: false,";
const ANOTHER_KEY = authority("{ g1: Generation.active({ keyAlgorithm: KeyAlgorithm.RSA_2048 }) }");

/** Another row of the distribution's table: `row` is the one that is there. */
const table = (kind: string, name: string, fields: string): Pending => ({
  distribution: `distribution: ((table, row) => new Distribution({ ...table, ${kind}: { ...table.${kind}, "${name}": { ...row, ${fields} } } }))(
    Distribution.KUBEADM.table, Distribution.KUBEADM.table.${kind}["${name}"]!),`,
});

const apiserver = (then: string): Pending => ({
  then: `const { resource, request, key } = this.pki.certificate("apiserver", "cp-1"); ${then}`,
});
const scheduler = (then: string): Pending => ({
  then: `const { request } = this.pki.certificate("scheduler", "cp-1"); ${then}`,
});

/** An object inside the cluster's API server. The newest provider that can be had without a registry has no _v1 at the end of its types. */
const object = (type: string, fields: object): Pending => ({
  then: `new KubernetesProvider(this, "kubernetes");
    this.addOverride("terraform.required_providers.kubernetes.version", "1.13.4");
    this.addOverride("resource.${type}.x", ${JSON.stringify({ metadata: [{ name: "x" }], ...fields })});`,
});
const bound = (role: string, name: string): Pending =>
  object("kubernetes_cluster_role_binding", {
    role_ref: [{ api_group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role }],
    subject: [{ api_group: "rbac.authorization.k8s.io", kind: "User", name, namespace: "" }],
  });

/** By the danger's code. */
const PENDING: Readonly<Partial<Record<DangerCode, Pending>>> = {
  "plan-failed": { ...ANOTHER_KEY, log: "Instance cannot be destroyed" },
  unreadable: scheduler(`this.addOverride("resource.terraform_data.x.input", "somebody");
    request.addOverride("subject.0.common_name", "\${terraform_data.x.output}");`),
  "authority-replaced": { more: `${ANOTHER_KEY.more} ${UNPROTECTED}` },
  "generation-not-retired": keyPairs("{ g1: Generation.active() }"),
  "introduced-and-promoted": authority("{ g1: Generation.trusted(), g2: Generation.active() }"),
  "issuer-not-delivered": {
    state: (state) => ({
      ...state,
      resources: state.resources.filter(({ name }) => name !== "sample__ca__kubernetes__g1"),
    }),
  },
  "trust-removed": keyPairs("{ g1: Generation.retired(), g2: Generation.active() }"),
  "key-destroyed": {
    ...keyPairs("{ g1: Generation.active(), g2: Generation.trusted({ keyAlgorithm: KeyAlgorithm.ECDSA_P384 }) }"),
    more: UNPROTECTED,
  },
  "key-exposed": table(
    "keyPairs",
    "service-account",
    'files: row.files.map((file) => (file.kind === "private key" ? { ...file, owner: "nobody:nogroup" } : file))',
  ),
  "protection-removed": { more: UNPROTECTED },
  "exception-added": table("certificates", "scheduler", 'exceptions: [{ code: "two-usages", reason: "so" }]'),
  // Not the one that is due: that one is made anew.
  "stale-certificate": {
    then: `const { resource, request } = this.pki.certificate("apiserver", "cp-2");
      request.addOverride("dns_names", ["more.example.com"]);
      resource.addOverride("lifecycle.ignore_changes", ["cert_request_pem"]);`,
  },
  "usages-widened": apiserver('resource.allowedUses = ["digital_signature", "server_auth", "client_auth"];'),
  "new-signer": apiserver("resource.isCaCertificate = true;"),
  "wildcard-name": apiserver('request.dnsNames = ["*.example.com"];'),
  "long-validity": { more: "certificates: { apiserver: { validity: Validity.years(3) } }," },
  "weak-key": apiserver('key.resource.ecdsaCurve = "P224";'),
  // Nobody comes as far as to a plan.
  "system-masters": {
    ...scheduler('request.addOverride("subject.0.organization", "system:masters");'),
    log: "[system-masters] sample-pki/pki/cp-1/scheduler",
  },
  "system-identity": scheduler('request.putSubject([{ commonName: "system:kube-proxy" }]);'),
  "cluster-admin": bound("cluster-admin", "jane"),
  "powerful-role": object("kubernetes_cluster_role", {
    rule: [{ api_groups: [""], resources: ["secrets"], verbs: ["get"] }],
  }),
  "open-binding": bound("view", "system:anonymous"),
  "csr-approver": bound("system:certificates.k8s.io:kube-apiserver-client-approver", "jane"),
  "renewal-window": apiserver("resource.earlyRenewalHours = 12;"),
};

/**
 * A stack's token is in an API server, which is not here: test/unit/plan/dangers/tokens.test.ts has its plan. What is retired too soon was
 * promoted in an apply before: test/e2e/rotation.test.ts comes to that on running components, and asks the command.
 */
const NOT_HERE: readonly DangerCode[] = ["token-widened", "retired-too-soon"];

/** Not dangerous, and no renewal: what the log says of it. */
const MORE: Readonly<Record<string, Pending>> = {
  "output more": { then: 'this.addOverride("output.more.value", "x");' },
  "1 terraform_data": { then: 'this.addOverride("resource.terraform_data.x.input", "x");' },
  // A request that is ignored, of a certificate that is due.
  "other sans of cp-1/apiserver": apiserver(`request.addOverride("dns_names", ["more.example.com"]);
    resource.addOverride("lifecycle.ignore_changes", ["cert_request_pem"]);`),
  "other earlyRenewalHours of cp-1/apiserver": apiserver("resource.earlyRenewalHours = 1000;"),
};

const commits = mkdtempSync(path.join(tmpdir(), "commits-"));
let project: Project;

const github = () => runGithub(project, FILES[".github/workflows/pki.yml"] as never, { event_name: "schedule" });
const gitlab = () => runGitlab(project, FILES[".gitlab-ci.yml"] as never, "renew");

beforeAll(async () => {
  project = await Project.create(commits);
  await project.makePlanKey();
  project.edit("import { Cluster,", "import { Generation, KeyAlgorithm, Validity, Cluster,");
  project.edit(DISTRIBUTION, `${DISTRIBUTION} ${KEY_PAIRS}`);
  const { plan, apply } = await runGithub(project, FILES[".github/workflows/pki.yml"] as never, { event_name: "push" });
  expect({ plan, apply }).toMatchObject({ plan: { failed: false }, apply: { failed: false } });
  project.makeDue(DUE);
});

afterAll(() => {
  project?.remove();
  rmSync(commits, { recursive: true, force: true });
});

/** Runs a part of a test while a change is pending. */
async function pending<T>(
  { distribution, keyPairs, more, then, state }: Pending,
  action: () => Promise<T>,
): Promise<T> {
  const description = [distribution ?? DISTRIBUTION, keyPairs ?? KEY_PAIRS, ...(more ? [more] : [])].join(" ");
  const deployed = `${DISTRIBUTION} ${KEY_PAIRS}`;
  const stack = `${PKI}${then ? `\n${then}` : ""}`;
  const before = readFileSync(project.state);
  project.edit(deployed, description);
  project.edit(PKI, stack, "cluster-pki-stack.ts");
  if (state) {
    const changed = state(JSON.parse(before.toString()) as State);
    writeFileSync(project.state, JSON.stringify({ ...changed, serial: changed.serial + 1 }));
  }
  try {
    return await action();
  } finally {
    project.edit(description, deployed);
    project.edit(stack, PKI, "cluster-pki-stack.ts");
    writeFileSync(project.state, before);
  }
}

/**
 * In the suite: one of each way in which a change comes to the gate. A synth that is refused, a plan that fails, a state, attributes, files,
 * objects of another provider. Every danger, and what --only lets through, is in test/unit/plan. EVERY_PIPELINE=1 runs all.
 */
const IN_SUITE: readonly DangerCode[] = [
  "system-masters",
  "plan-failed",
  "unreadable",
  "issuer-not-delivered",
  "trust-removed",
  "key-exposed",
  "stale-certificate",
  "usages-widened",
  "cluster-admin",
];

/** By turns: both run the same steps, and each run has a synth of its own. EVERY_PIPELINE=1 runs both for each. */
const PIPELINES = [async () => (await github())["renew"]!, gitlab];
let turn = 0;

async function expectNothingApplied(change: Pending, text: string): Promise<void> {
  await pending(change, async () => {
    const before = readFileSync(project.state, "utf8");
    for (const run of process.env["EVERY_PIPELINE"] ? PIPELINES : [PIPELINES[turn++ % PIPELINES.length]!]) {
      const { failed, log } = await run();
      expect({ failed, log }).toEqual({ failed: true, log: expect.stringContaining(text) });
      expect(log).not.toContain("Apply complete!");
      expect(readFileSync(project.state, "utf8")).toBe(before);
    }
  });
}

test("there is a row for every danger", () => {
  expect([...Object.keys(PENDING), ...NOT_HERE].sort()).toEqual([...DANGER_CODES].sort());
});

describe("nothing is applied at night while there is", () => {
  const rows = Object.entries(PENDING) as [DangerCode, Pending][];
  test.each(rows.filter(([code]) => process.env["EVERY_PIPELINE"] ?? IN_SUITE.includes(code)))(
    "%s",
    async (code, change) => {
      await expectNothingApplied(change, change.log ?? `DANGER ${code}`);
    },
  );

  test.each(Object.entries(MORE))("%s", async (text, change) => {
    await expectNothingApplied(change, text);
  });
});

test("what is due is renewed when nothing else is pending", async () => {
  const { renew } = await github();
  expect(renew).toMatchObject({ failed: false, log: expect.stringContaining("Apply complete!") });
});
