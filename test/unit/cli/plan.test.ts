import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync } from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../../lib/cli/main";
import { ADDRESS, deployed, plan, REPLACE, resource, STATE } from "../plan/plans";
import { cleanEnvironment, expectOneLine, folder, kubernetesPki, put, Result, SECRET } from "./command";
import type { PlanReport } from "../../../lib/plan/judge/report";
import { DANGERS } from "../../../lib/plan/judge/dangers";

const repository = resolve(__dirname, "../../..");

const report = (document: unknown, ...options: string[]): Promise<Result> =>
  kubernetesPki(["plan", ...options], { stdin: typeof document === "string" ? document : JSON.stringify(document) });

const RENEWED = deployed({ leaf: { actions: REPLACE, replace_paths: [["ready_for_renewal"]] } });
const CA_REPLACED = deployed({ ca: { actions: REPLACE, replace_paths: [["subject"]], after: STATE.ca } });

const OTHER = plan([resource("aws_instance.x", { actions: ["create"], after: {} })]);
const OUTPUT = deployed({}, { output_changes: { x: { actions: ["update"], before: "a", after: "b" } } });
const own = resource("tls_self_signed_cert.own", {
  actions: ["create"],
  after: { private_key_pem: SECRET, subject: [{ common_name: "x" }] },
});
const ISSUED = { ...RENEWED, resource_changes: [...(RENEWED.resource_changes as object[]), own] };

describe("plan", () => {
  test("reads a file, or stdin with - or without anything", async () => {
    put("plan.json", RENEWED);
    const expected = "1 renew\n\nChanges\n  renew cp-1/apiserver (certificate)\n";
    for (const result of [
      await kubernetesPki(["plan", "plan.json"]),
      await report(RENEWED, "-"),
      await report(RENEWED),
      await report(`\ufeff\n ${JSON.stringify(RENEWED)}`),
    ]) {
      expect(result).toMatchObject({ code: 2, err: "" });
      expect(result.out.slice(0, expected.length)).toBe(expected);
    }
  });

  test("writes the format that was asked for, to a file if that was asked for, too", async () => {
    expect(JSON.parse((await report(RENEWED, "--format", "json")).out)).toMatchObject({
      schemaVersion: 3,
      counts: { renew: 1 },
    });
    expect((await report(RENEWED, "-o", "markdown")).out).toMatch(/^<!-- kubernetes-pki plan -->\n### 🔑/);
    expect(await report(RENEWED, "--format", "json", "--out", "report.json")).toEqual({ code: 2, out: "", err: "" });
    expect(JSON.parse(readFileSync(join(folder, "report.json"), "utf8"))).toMatchObject({ verdict: "changes" });
  });

  test("keeps to --max-bytes", async () => {
    const { out } = await report(CA_REPLACED, "--format", "markdown", "--max-bytes", "1000");
    expect(Buffer.byteLength(out)).toBeLessThanOrEqual(1000);
    expect(out).toContain("**authority-replaced**");
  });

  test("joins inventories", async () => {
    const entry = {
      kind: "certificate",
      cluster: "pki",
      name: "serving",
      holder: "cp-1",
      addresses: [ADDRESS.leaf],
      files: [],
    };
    put("pki-inventory.json", { schemaVersion: 2, stack: "prod-pki", entries: [entry] });
    put("other.json", { schemaVersion: 2, stack: "prod-access", entries: [] });
    const { out } = await report(
      RENEWED,
      "--inventory",
      "pki-inventory.json",
      "--inventory",
      "other.json",
      "--format",
      "json",
    );
    expect(JSON.parse(out)).toMatchObject({ stacks: ["prod-access", "prod-pki"], changes: [{ name: "cp-1/serving" }] });
  });

  test("is in colour on a terminal alone, and not with NO_COLOR", async () => {
    const print = async (isTTY: boolean, env: Record<string, string>) => {
      let out = "";
      const stdout = { isTTY, write: (text: string) => (out += text) };
      const stdin = Readable.from([Buffer.from(JSON.stringify(RENEWED))], { objectMode: false });
      await run(["plan"], { stdin, stdout, stderr: { write: () => undefined }, cwd: folder, env });
      return out.includes("\u001b[");
    };
    expect([await print(true, {}), await print(true, { NO_COLOR: "1" }), await print(false, {})]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("the exit code", () => {
  test.each([
    ["nothing changes", deployed(), [], 0],
    ["something changes", RENEWED, [], 2],
    ["there is a danger", CA_REPLACED, [], 3],
    ["there is a danger and none counts", CA_REPLACED, ["--fail-on", "none"], 2],
    ["there is a danger that is asked for", CA_REPLACED, ["--fail-on", "system-masters,authority-replaced"], 3],
    ["there is another danger than was added", CA_REPLACED, ["--fail-on", "system-masters"], 3],
    ["there is another danger than is left", CA_REPLACED, ["--fail-on", "none,system-masters"], 2],
    ["there is a danger that is left out", CA_REPLACED, ["--fail-on", "-authority-replaced"], 2],
    ["a list is given twice", CA_REPLACED, ["--fail-on", "-authority-replaced", "--fail-on", "authority-replaced"], 3],
    ["a change counted and does not any more", RENEWED, ["--fail-on", "change,-change"], 2],
    ["the danger is acknowledged", CA_REPLACED, ["--acknowledge", "authority-replaced=drill"], 2],
    ["it is acknowledged by name", CA_REPLACED, ["--acknowledge", "authority-replaced=kubernetes g1=a=b"], 2],
    ["another one is acknowledged", CA_REPLACED, ["--acknowledge", "authority-replaced=etcd g1=drill"], 3],
    ["nothing but renewals is allowed, and there is one", RENEWED, ["--only", "renew"], 2],
    ["nothing but renewals is allowed, and there is nothing", deployed(), ["--only", "renew"], 0],
    ["nothing but renewals is allowed, and there is more", ISSUED, ["--only", "renew"], 3],
    ["both are allowed", ISSUED, ["--only", "renew,issue"], 2],
    ["an output changes, and renewals are allowed", OUTPUT, ["--only", "renew"], 3],
    ["an output changes", OUTPUT, [], 2],
    ["something else changes, and renewals are allowed", OTHER, ["--only", "renew"], 3],
    ["something else changes", OTHER, [], 2],
    ["every change counts", RENEWED, ["--fail-on", "change"], 3],
    ["every change counts and there is none", deployed(), ["--fail-on", "change"], 0],
    ["the next run is too late", deployed(), ["--next-run", "31d"], 3],
    ["the next run is in time", deployed(), ["--next-run", "30d"], 0],
    ["the next run is in minutes", deployed(), ["--next-run", "90m"], 0],
  ])("where %s: %#", async (_, document, options, code) => {
    expect((await report(document, ...options)).code).toBe(code);
  });
});

describe("an acknowledged danger", () => {
  const acknowledged = async (env: Record<string, string>, ...options: string[]) => {
    const stdin = JSON.stringify(CA_REPLACED);
    const { out } = await kubernetesPki(["plan", "-o", "json", ...options], { stdin, env });
    return JSON.parse(out) as PlanReport;
  };
  const SAID = ["--acknowledge", "authority-replaced=drill of November"];

  test("stays in the report, with the reason and with who said so", async () => {
    const { verdict, dangers } = await acknowledged({ GITHUB_ACTOR: "jane" }, ...SAID);
    expect({ verdict, dangers }).toMatchObject({
      verdict: "changes",
      dangers: [{ code: "authority-replaced", acknowledged: { reason: "drill of November", by: "jane" } }],
    });
    expect((await acknowledged({ GITLAB_USER_LOGIN: "joe" }, ...SAID)).dangers[0]!.acknowledged!.by).toBe("joe");
    expect(
      (await acknowledged({ GITHUB_ACTOR: "x" }, ...SAID, "--acknowledged-by", "ann")).dangers[0]!.acknowledged!.by,
    ).toBe("ann");
    expect((await acknowledged({}, ...SAID)).dangers[0]!.acknowledged).toEqual({ reason: "drill of November" });
  });

  test("that is not there is told, too", async () => {
    const { acknowledgedInVain } = await acknowledged({}, "--acknowledge", "key-destroyed=sa=why not");
    expect(acknowledgedInVain).toEqual([{ code: "key-destroyed", name: "sa", reason: "why not" }]);
  });

  test("is shown as such to readers", async () => {
    for (const format of ["text", "markdown"]) {
      const options = [...SAID, "--acknowledge", "key-destroyed=so", "--acknowledged-by", "ann"];
      const { out } = await kubernetesPki(["plan", "-o", format, ...options], { stdin: JSON.stringify(CA_REPLACED) });
      expect(out).toMatch(/authority-replaced/);
      expect(out).toMatch(/acknowledged by `?ann`?: `?drill of November/);
      expect(out).toMatch(/Acknowledged, and not in this plan: key-destroyed/);
    }
  });
});

test("what --only does not allow is told", async () => {
  const { out } = await report(ISSUED, "--only", "renew");
  expect(out).toContain("Besides what it may hold, the plan has: 1 issue.");
});

describe("an inventory of another synth", () => {
  const authority = {
    kind: "authority",
    cluster: "pki",
    name: "kubernetes",
    generation: "g1",
    state: "active",
    sans: [],
    addresses: [ADDRESS.ca, ADDRESS.caKey],
    files: [],
  };
  const certificate = {
    kind: "certificate",
    cluster: "pki",
    name: "apiserver",
    holder: "cp-1",
    issuedBy: "terraform",
    sans: ["cp-1", "10.0.0.1"],
    addresses: [ADDRESS.leaf],
    files: [],
  };
  const value = {
    ca: JSON.stringify({ kubernetes: { g1: "active" } }),
    keys: "{}",
    "cp-1": JSON.stringify({ apiserver: ["10.0.0.1", "cp-1"] }),
  };
  const document = deployed(
    {},
    { output_changes: { pki_certificates: { actions: ["no-op"], before: value, after: value } } },
  );
  const given = (...entries: object[]) => {
    put("pki-inventory.json", { schemaVersion: 2, stack: "prod-pki", entries });
    return report(document, "--inventory", "pki-inventory.json");
  };

  test("is none that says what the plan says", async () => {
    expect(await given(authority, certificate)).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    [
      "state",
      [{ ...authority, state: "retired" }],
      "prod-pki: pki: kubernetes g1 is retired there, and active in the plan",
    ],
    [
      "names",
      [authority, { ...certificate, sans: ["cp-2"] }],
      "prod-pki: pki: cp-1/apiserver has the names cp-2 there, and 10.0.0.1, cp-1 in the plan",
    ],
    [
      "address",
      [authority, { ...certificate, addresses: ["tls_locally_signed_cert.x__cp-1__apiserver"] }],
      "it has tls_locally_signed_cert.x__cp-1__apiserver, and the plan's code has no such resource",
    ],
    [
      "generation too many",
      [authority, { ...authority, generation: "g2" }],
      "kubernetes g2 is active there, and missing in the plan",
    ],
    ["generation too few", [certificate], "kubernetes g1 is missing there, and active in the plan"],
    ["cluster", [{ ...certificate, cluster: "other" }], "it has nothing of pki, which the plan publishes"],
  ])("is refused for its %s, with both values", async (_, entries, text) => {
    expectOneLine(await given(...entries), text);
  });
});

describe("what is no plan", () => {
  const zeros = () => {
    const path = put("zeros", "");
    truncateSync(path, 2 ** 30);
    return path;
  };

  test.each([
    [
      "nothing",
      "",
      "stdin is empty: give the output of `terraform show -json <plan>`, and see whether that command failed",
    ],
    ["space", " \n ", "stdin is empty"],
    ["text", `-----BEGIN PRIVATE KEY-----${SECRET}`, "stdin is not JSON of a plan"],
    ["half of it", JSON.stringify(RENEWED).slice(0, -10), "stdin is not JSON, or was cut short"],
    ["a list", `["${SECRET}"]`, "stdin is not JSON of a plan"],
    ["other JSON", `{"x":"${SECRET}"}`, "stdin is no plan"],
    ["a raw state", `{"version":4,"lineage":"${SECRET}"}`, "stdin is a raw state file"],
    ["a state", `{"format_version":"1.0","values":{"outputs":{"x":"${SECRET}"}}}`, "stdin is a state: give the plan"],
    ["the log of a plan", `{"@level":"info","@message":"${SECRET}"}`, "stdin is the log of `terraform plan -json`"],
    [
      "another major version",
      '{"format_version":"2.0","resource_changes":[]}',
      'stdin has a format_version "2.0", and only 1.x is known here',
    ],
    [
      "a version of another kind",
      `{"format_version":"${SECRET} key","resource_changes":[]}`,
      "a format_version of another kind",
    ],
    ["Helm's", '{"apiVersion":"v1","kind":"List","items":[]}', "stdin is no plan"],
  ])("is %s, told in one line", async (_, document, text) => expectOneLine(await report(document), text));

  test("is a saved plan, binary data or UTF-16", async () => {
    const bytes = (...chunk: number[]) => kubernetesPki(["plan"], { stdin: [Buffer.from(chunk)] });
    expectOneLine(
      await bytes(0x50, 0x4b, 3, 4),
      "stdin is a saved plan: give the output of `terraform show -json` with its name",
    );
    expectOneLine(await bytes(0, 255, 254, 1), "stdin is not JSON of a plan");
    expectOneLine(await bytes(0xff, 0xfe, 0x7b, 0), "stdin is not JSON of a plan");
  });

  test("is a gigabyte of zeros, which is not read", async () => {
    expectOneLine(await kubernetesPki(["plan", zeros()]), "is not JSON of a plan");
  });

  test("is endless", async () => {
    const chunk = Buffer.alloc(2 ** 20, " ");
    let read = 0;
    const endless = Readable.from(
      (function* () {
        yield Buffer.from("{");
        for (;;) {
          read++;
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    let err = "";
    const io = {
      stdin: endless,
      stdout: { write: () => undefined },
      stderr: { write: (text: string) => (err += text) },
      cwd: folder,
      env: {},
    };
    expect(await run(["plan"], io)).toBe(1);
    expect(err).toBe("kubernetes-pki: stdin has more than 256 MB: give the plan of one stack\n");
    expect(read).toBeLessThan(300);
  });

  test("is a folder, or is not there", async () => {
    expectOneLine(await kubernetesPki(["plan", "."]), "cannot read .: a folder stands where a file is needed");
    expectOneLine(await kubernetesPki(["plan", "gone.json"]), "cannot read gone.json: there is no such file or folder");
  });

  test.each([
    ["--format", "html", "Allowed choices are text, markdown, json"],
    ["--fail-on", "everything", '--fail-on "everything" is not known: use change, danger, none, or plan-failed'],
    ["--fail-on", "-everything", '--fail-on "-everything" is not known'],
    ["--fail-on", "", '--fail-on "" is not known'],
    ["--fail-on", "-none", '--fail-on "-none" is not known'],
    ["--only", "renewal", '--only "renewal" is not known: use request, issue, renew'],
    ["--only", "", '--only "" is not known'],
    ["--acknowledge", "everything=so", '--acknowledge "everything" is not known: use CODE=REASON or CODE=NAME=REASON'],
    ["--acknowledge", "plan-failed=so", '--acknowledge "plan-failed" is not known'],
    ["--acknowledge", "key-destroyed", "--acknowledge key-destroyed has no reason"],
    ["--acknowledge", "key-destroyed= ", "--acknowledge key-destroyed has no reason"],
    ["--acknowledge", "key-destroyed=sa=", "--acknowledge key-destroyed has no reason"],
    ["--acknowledge", "key-destroyed==so", "--acknowledge key-destroyed has no reason"],
    ["--max-bytes", "999", "--max-bytes 999 is not possible: give a whole number, at least 1000"],
    ["--max-bytes", "1e5", "--max-bytes 1e5 is not possible"],
    ["--next-run", "soon", `--next-run "soon" is no time`],
    ["--inventory", "gone.json", "cannot read gone.json: there is no such file or folder"],
    ["--out", "no/folder/x", "cannot write no/folder/x: there is no such file or folder"],
  ])("is told apart from %s %s", async (option, value, text) => {
    expectOneLine(await report(RENEWED, option, value), text);
  });

  test("an inventory is none of another version, or none at all", async () => {
    put("next.json", { schemaVersion: 3, entries: [] });
    put("other.json", `{"password":"${SECRET}"}`);
    put("broken.json", `{"${SECRET}`);
    put("entries.json", { schemaVersion: 2, entries: [null, "x"] });
    expectOneLine(await report(RENEWED, "--inventory", "next.json"), "next.json has another schemaVersion than 2");
    for (const name of ["other.json", "broken.json", "entries.json"]) {
      expectOneLine(await report(RENEWED, "--inventory", name), `${name} is no inventory`);
    }
  });

  test.each([
    [{}],
    [{ resource_changes: "x" }],
    [{ resource_changes: [null, 1, {}, { type: "tls_private_key" }] }],
    [
      {
        resource_changes: [
          {
            address: "tls_locally_signed_cert.x",
            type: "tls_locally_signed_cert",
            change: { actions: "create", before: [], after: "x", after_unknown: [true] },
          },
        ],
      },
    ],
    [{ output_changes: [], configuration: [], prior_state: 1, checks: {}, resource_drift: { x: 1 } }],
    [
      {
        output_changes: {
          x_certificates: { before: "x", after: { ca: "[]", keys: 1 } },
          y_certificates: { after: [] },
        },
      },
    ],
    [{ output_changes: { x_files: null, y_files: { before: { m: { "/x": null } } } } }],
    [{ configuration: { root_module: { resources: [null, { address: 1 }], module_calls: { m: null } } } }],
    [{ unknown_field: { of: "a later version" } }],
  ])("fields of another shape, and fields nobody knows yet, are let be: %#", async (more) => {
    const { code, err } = await report({ ...plan([]), ...more });
    expect({ code: code === 1 ? 1 : 0, err }).toEqual({ code: 0, err: "" });
  });
});

test("help names every danger, in lines that fit", async () => {
  const { code, out } = await kubernetesPki(["plan", "--help"]);
  expect(code).toBe(0);
  expect(out.split("\n").filter((line) => line.length > 81)).toEqual([]);
  Object.keys(DANGERS).forEach((danger) => expect(out).toContain(`  ${danger} `));
});

test("runs as a program, without loading cdktf, and ends with its code", () => {
  put(
    "plan.json",
    plan([resource("tls_private_key.sa", { actions: ["delete"], before: { private_key_pem: SECRET } })]),
  );
  const report = join(folder, "modules");
  const names = `Object.keys(require.cache).join("\\n")`;
  const probe = put(
    "probe.cjs",
    `process.on("exit", () => require("fs").writeFileSync(${JSON.stringify(report)}, ${names}));`,
  );
  const argv = [
    "--require",
    probe,
    "--import",
    "tsx",
    join(repository, "lib/cli/main.ts"),
    "plan",
    join(folder, "plan.json"),
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: repository,
    env: cleanEnvironment(),
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 3, stderr: "" });
  expect(stdout).toMatch(/^1 danger; 1 remove\n\nDANGER key-destroyed sa\n/);
  const modules = readFileSync(report, "utf8").split("\n");
  expect(modules.filter((name) => /node_modules\/(cdktf|cdktn|constructs|@cdktf)\//.test(name))).toEqual([]);
});
