import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { GithubEvent, JobResult, Project, runGithub, runGitlab, State, yamlOf } from "./pipelines";

// The pipelines of the documentation, as they stand there. The tests of a forge build on each other, as the runs of a pipeline do.

jest.setTimeout(600_000);

const FILES = yamlOf("docs/gitops.md");
const MARKER = "<!-- kubernetes-pki plan sample-pki -->\n";
const REPORT = `${MARKER}### `;

const ENDPOINT = 'endpoint: "api.sample.example.com:6443",';
const MORE_SANS = `${ENDPOINT} extraSans: ["more.example.com"],`;
const DISTRIBUTION = "distribution: Distribution.KUBEADM,";

/** With other generations of the authority `kubernetes`. */
function withGenerations(generations: string): string {
  return `${DISTRIBUTION} authorities: { kubernetes: { generations: ${generations} } },`;
}

/** Another key for the generation that signs: `prevent_destroy` forbids it. */
const FORBIDDEN = withGenerations("{ g1: Generation.active({ keyAlgorithm: KeyAlgorithm.RSA_2048 }) }");
/** Possible, and an outage: nobody trusts the generation yet. */
const TOO_FAST = withGenerations("{ g1: Generation.trusted(), g2: Generation.active() }");

let project: Project;
const commits = mkdtempSync(path.join(tmpdir(), "commits-"));

beforeAll(() => {
  expect(Object.keys(FILES)).toEqual([".github/workflows/pki.yml", ".gitlab-ci.yml"]);
});

afterAll(() => rmSync(commits, { recursive: true, force: true }));

afterEach(() => project.calls());

async function newProject(): Promise<Project> {
  const made = await Project.create(commits);
  await made.makePlanKey();
  made.edit("import { Cluster,", "import { Generation, KeyAlgorithm, Cluster,");
  return made;
}

/** Runs a part of a test on a changed description, which is as it was afterwards. */
async function proposed<T>([from, to]: readonly [string, string], action: () => Promise<T>): Promise<T> {
  project.edit(from, to);
  try {
    return await action();
  } finally {
    project.edit(to, from);
  }
}

function state(): State {
  return JSON.parse(readFileSync(project.state, "utf8")) as State;
}

function attributes(type: string, name: string): Record<string, unknown> {
  return state().resources.find((resource) => resource.type === type && resource.name === name)!.instances[0]!
    .attributes;
}

/** Everything that anybody can see holds no key: neither in clear nor in any form that a file or a kubeconfig has. */
function expectNoKeys(...texts: readonly string[]): void {
  const kept = readdirSync(project.artifacts).map((name) => readFileSync(path.join(project.artifacts, name), "latin1"));
  const keys = state()
    .resources.filter(({ type }) => type === "tls_private_key")
    .map(({ instances }) => String(instances[0]!.attributes["private_key_pem"]).split("\n")[1]!);
  expect(keys.length).toBeGreaterThan(30);
  for (const text of [...texts, ...kept]) {
    expect(text).not.toContain("PRIVATE KEY");
    expect(keys.filter((key) => text.includes(key))).toEqual([]);
  }
}

describe("GitHub Actions", () => {
  const workflow = FILES[".github/workflows/pki.yml"] as never;
  const PATCH = "gh api --silent --method PATCH repos/me/it/issues/comments/12 --field body=@";

  beforeAll(async () => {
    project = await newProject();
  });

  afterAll(() => project.remove());

  function github(event: GithubEvent): Promise<Record<string, JobResult>> {
    return runGithub(project, workflow, event);
  }

  async function pullRequest(...labels: string[]): Promise<JobResult & { readonly calls: string[] }> {
    const results = await github({ event_name: "pull_request", labels });
    expect(Object.keys(results)).toEqual(["plan"]);
    return { ...results["plan"]!, calls: project.calls() };
  }

  test("reports the first plan as a new comment", async () => {
    const { failed, summary, calls, log } = await pullRequest("pki-danger-accepted");
    expect({ failed, log }).toMatchObject({ failed: false });
    expect(calls).toEqual([
      "npm ci",
      "gh api --paginate repos/me/it/issues/7/comments?per_page=100",
      expect.stringMatching(/^gh api --silent --method POST repos\/me\/it\/issues\/7\/comments --field body=@/),
    ]);
    expect(project.comment).toContain(REPORT);
    expect(project.comment).toContain("cp-1/apiserver");
    expect(summary).toBe(project.comment);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(60_000);
    expect(project.planModes()).toEqual(["600"]);
    expect(readdirSync(project.artifacts)).toEqual([]);
  });

  test("applies after the merge what was planned, and keeps nothing in clear between the jobs", async () => {
    const { plan, apply, renew } = await github({ event_name: "push" });
    expect({ plan, apply, renew }).toMatchObject({ plan: { failed: false }, apply: { failed: false } });
    expect(renew).toBeUndefined();
    expect(plan!.outputs).toEqual({ code: "2" });
    expect(apply!.log).toContain("Apply complete!");
    expect(new Set(project.planModes())).toEqual(new Set(["600"]));
    expect(readdirSync(project.artifacts)).toEqual(["plan.cms"]);
    expectNoKeys(plan!.log, plan!.summary, apply!.log);
    expect(attributes("tls_locally_signed_cert", "sample__cp-1__apiserver")["cert_pem"]).toContain("CERTIFICATE");
  });

  test("a push without changes asks nobody", async () => {
    const { plan, apply } = await github({ event_name: "push" });
    expect(plan).toMatchObject({ failed: false, outputs: { code: "0" } });
    expect(apply).toBeUndefined();
  });

  describe("a pull request that has a comment already", () => {
    beforeAll(() =>
      project.setComments([
        { id: 11, user: { login: "somebody" }, body: `${MARKER}look here` },
        { id: 12, user: { login: "github-actions[bot]" }, body: `${MARKER}the report before` },
        { id: 13, user: { login: "github-actions[bot]" }, body: `${MARKER}a second one` },
      ]),
    );

    test("has it updated in place", async () => {
      const { failed, calls, log } = await proposed([ENDPOINT, MORE_SANS], () => pullRequest());
      expect({ failed, log }).toMatchObject({ failed: false });
      expect(calls.at(-1)).toContain(PATCH);
      expect(project.comment).toContain(REPORT);
      expect(project.comment).toContain("more.example.com");
      expectNoKeys(project.comment, log);
    });

    test("fails when the plan is dangerous, and passes when that was accepted", async () => {
      await proposed([DISTRIBUTION, TOO_FAST], async () => {
        expect(await pullRequest()).toMatchObject({
          failed: true,
          log: expect.stringContaining("The plan is dangerous"),
        });
        expect(project.comment).toContain("introduced-and-promoted");
        expect(await pullRequest("pki-danger-accepted")).toMatchObject({ failed: false });
      });
    });

    test("is told what a plan that failed would have reached", async () => {
      await proposed([DISTRIBUTION, FORBIDDEN], async () => {
        const { failed, calls, log } = await pullRequest("pki-danger-accepted");
        expect(failed).toBe(true);
        expect(calls.at(-1)).toContain(PATCH);
        expect(project.comment).toContain(REPORT);
        expect(project.comment).toContain("plan-failed");
        expect(project.comment).toContain("authority-replaced");
        expect(project.comment).toContain("cp-1/apiserver");
        expectNoKeys(project.comment, log);
      });
    });

    test("is told when there is no plan at all", async () => {
      const { failed, calls } = await proposed([ENDPOINT, 'endpoint: "https://api",'], () => pullRequest());
      expect(failed).toBe(true);
      expect(calls.at(-1)).toContain(PATCH);
      expect(project.comment).toBe(`${MARKER}### ⛔ No report of \`sample-pki\`: see the log\n`);
    });
  });

  test("nightly, renews what is due and nothing else", async () => {
    project.makeDue("sample__cp-1__apiserver");
    const before = attributes("tls_locally_signed_cert", "sample__cp-1__apiserver");
    const { serial } = state();
    const pending = await proposed([ENDPOINT, MORE_SANS], () => github({ event_name: "schedule" }));
    expect(pending).toMatchObject({
      renew: { failed: true, log: expect.stringContaining("More than renewals is due") },
    });
    expect(state().serial).toBe(serial);

    const { plan, renew } = await github({ event_name: "schedule" });
    expect(plan).toBeUndefined();
    expect(renew).toMatchObject({
      failed: false,
      log: expect.stringMatching(/Apply complete!.*\nCERTIFICATE +EXPIRES/s),
    });
    expect(attributes("tls_locally_signed_cert", "sample__cp-1__apiserver")["cert_pem"]).not.toBe(before["cert_pem"]);
    expectNoKeys(renew!.log);
  });
});

describe("GitLab CI", () => {
  const file = FILES[".gitlab-ci.yml"] as never;
  const NOTES = "https://gitlab.example.com/api/v4/projects/42/merge_requests/7/notes";
  const FORGE = "curl --fail --silent --show-error --header PRIVATE-TOKEN: notes-token";

  beforeAll(async () => {
    project = await newProject();
  });

  afterAll(() => project.remove());

  function job(name: string, variables: Readonly<Record<string, string>> = {}) {
    return runGitlab(project, file, name, variables);
  }

  function mergeRequest(labels = "") {
    return job("plan", { CI_MERGE_REQUEST_IID: "7", ...(labels ? { CI_MERGE_REQUEST_LABELS: labels } : {}) });
  }

  test("reports the first plan as a new note", async () => {
    const { failed, log } = await mergeRequest("new,pki-danger-accepted");
    expect({ failed, log }).toMatchObject({ failed: false });
    expect(project.calls()).toEqual([
      "npm ci",
      `${FORGE} ${NOTES}?sort=asc&per_page=100`,
      expect.stringContaining(`${FORGE} --output /dev/null --request POST --data-urlencode body@`),
    ]);
    expect(project.comment).toContain(REPORT);
    expect(project.comment).toContain("cp-1/apiserver");
    expect(project.planModes()).toEqual(["600"]);
  });

  test("applies after the merge what was planned, and keeps nothing in clear between the jobs", async () => {
    const plan = await job("plan");
    expect(plan).toMatchObject({ failed: false });
    expect(project.calls()).toEqual(["npm ci"]);
    expect(readdirSync(project.artifacts).sort()).toEqual(["plan.cms", "report.md"]);
    const apply = await job("apply");
    expect(apply).toMatchObject({ failed: false, log: expect.stringContaining("Apply complete!") });
    expect(project.planModes()).toEqual(["600"]);
    expectNoKeys(plan.log, apply.log);
  });

  test("a plan that is older than the state is not applied", async () => {
    const { failed, log } = await job("apply");
    expect(failed).toBe(true);
    expect(log).toContain("Saved plan is stale");
  });

  test("tells in the same note what a plan that failed would have reached", async () => {
    project.setComments([
      { id: 1, body: "looks good" },
      { id: 12, body: `${MARKER}the report before` },
    ]);
    await proposed([DISTRIBUTION, FORBIDDEN], async () => {
      const { failed, log } = await mergeRequest("pki-danger-accepted");
      expect(failed).toBe(true);
      expect(project.calls().at(-1)).toMatch(/--request PUT .*\/notes\/12$/);
      expect(project.comment).toContain(REPORT);
      expect(project.comment).toContain("authority-replaced");
      expectNoKeys(project.comment, log);
    });
  });

  test("fails when the plan is dangerous, and passes when that was accepted", async () => {
    await proposed([DISTRIBUTION, TOO_FAST], async () => {
      expect(await mergeRequest("other")).toMatchObject({
        failed: true,
        log: expect.stringContaining("The plan is dangerous"),
      });
      expect(await mergeRequest("pki-danger-accepted,other")).toMatchObject({ failed: false });
    });
  });

  test("nightly, renews what is due and nothing else, and tells how long all lasts", async () => {
    project.makeDue("sample__cp-1__apiserver");
    const before = attributes("tls_locally_signed_cert", "sample__cp-1__apiserver");
    const { serial } = state();
    expect(await proposed([ENDPOINT, MORE_SANS], () => job("renew"))).toMatchObject({
      failed: true,
      log: expect.stringContaining("More than renewals is due"),
    });
    expect(state().serial).toBe(serial);
    const { failed, log } = await job("renew");
    expect({ failed, log }).toMatchObject({ failed: false, log: expect.stringContaining("Apply complete!") });
    expect(attributes("tls_locally_signed_cert", "sample__cp-1__apiserver")["cert_pem"]).not.toBe(before["cert_pem"]);
    expectNoKeys(log);
    expect(await job("status")).toMatchObject({ failed: false, log: expect.stringMatching(/^CERTIFICATE +EXPIRES/m) });
  });
});
