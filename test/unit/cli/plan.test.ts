import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync } from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../../lib/cli/main";
import { ADDRESS, deployed, plan, REPLACE, resource, STATE } from "../plan/plans";
import { cleanEnvironment, expectOneLine, folder, kubernetesPki, put, Result, SECRET } from "./command";
import { DANGERS } from "../../../lib/plan/judge/dangers";

const repository = resolve(__dirname, "../../..");

const report = (document: unknown, ...options: string[]): Promise<Result> =>
  kubernetesPki(["plan", ...options], { stdin: typeof document === "string" ? document : JSON.stringify(document) });

const RENEWED = deployed({ leaf: { actions: REPLACE, replace_paths: [["ready_for_renewal"]] } });
const CA_REPLACED = deployed({ ca: { actions: REPLACE, replace_paths: [["subject"]], after: STATE.ca } });

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
      schemaVersion: 2,
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
    ["there is another danger than was asked for", CA_REPLACED, ["--fail-on", "system-masters"], 2],
    ["there is a danger that is left out", CA_REPLACED, ["--fail-on", "danger,-authority-replaced"], 2],
    ["every change counts", RENEWED, ["--fail-on", "change"], 3],
    ["every change counts and there is none", deployed(), ["--fail-on", "change"], 0],
    ["the next run is too late", deployed(), ["--next-run", "31d"], 3],
    ["the next run is in time", deployed(), ["--next-run", "30d"], 0],
    ["the next run is in minutes", deployed(), ["--next-run", "90m"], 0],
  ])("where %s: %#", async (_, document, options, code) => {
    expect((await report(document, ...options)).code).toBe(code);
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
    ["--fail-on", "everything", '--fail-on "everything" is not known: use danger, change or none alone'],
    ["--fail-on", "none,change", '--fail-on "none" is not known'],
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
