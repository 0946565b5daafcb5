import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../../lib/cli/main";
import { CA_KEY, CP_1, cleanEnvironment, expectOneLine, folder, kubernetesPki, pkiState, put, SECRET } from "./command";

const repository = resolve(__dirname, "../../..");
const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string };

describe("kubernetes-pki", () => {
  test("prints the version of the package", async () => {
    expect(await kubernetesPki(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  test("explains export, with the default of STATE", async () => {
    const { code, out, err } = await kubernetesPki(["export", "--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Usage: kubernetes-pki export [options] [STATE...]");
    expect(out).toContain("(default: the current folder)");
    expect(out.split("\n").filter((line) => line.length > 81)).toEqual([]);
  });

  test("shows its commands on stderr when it is given none", async () => {
    const { code, out, err } = await kubernetesPki([]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^Usage: kubernetes-pki \[options\] \[command\]\n/);
    expect(err).toContain("export [options] [STATE...]");
    expect(err).not.toContain("outputHelp");
  });

  test.each([
    ["an unknown command", ["exprt"], "unknown command 'exprt'"],
    ["an unknown option", ["export", "--machine", "cp-1", "--root", "r", "--rott", "x"], "unknown option '--rott'"],
    ["no --root", ["export", "--machine", "cp-1"], "choose --root <dir> or --tar"],
    ["--tar with --root", ["export", "--machine", "cp-1", "--tar", "--root", "r"], "leave out --tar or --root"],
    ["--tar with --prune", ["export", "--machine", "cp-1", "--tar", "--prune"], "leave out --tar or --prune"],
    ["an empty --root", ["export", "--machine", "cp-1", "--root", ""], "--root is empty"],
    [
      "nobody to export for",
      ["export", "--root", "r"],
      "choose exactly one of --machine <name>, --worker, --operator and --requests",
    ],
    ["a machine and a worker", ["export", "--machine", "cp-1", "--worker", "--root", "r"], "choose exactly one"],
    ["a worker and the operator", ["export", "--worker", "--operator", "--root", "r"], "choose exactly one"],
    ["two machines", ["export", "--machine", "cp-1", "--machine", "cp-2", "--root", "r"], "choose exactly one"],
    ["stdin twice", ["export", "--worker", "--root", "r", "-", "-"], "stdin (-) can be read only once"],
  ])("refuses %s in one line, with exit code 1", async (_, argv, text) => {
    expectOneLine(await kubernetesPki(argv), text);
  });

  test("does not show the message of an error that nobody foresaw", async () => {
    const err: string[] = [];
    const broken = {
      write: (): never => {
        throw new TypeError(SECRET);
      },
    };
    const io = {
      stdin: Readable.from([]),
      stdout: broken,
      stderr: { write: (text: string) => err.push(text) },
      cwd: folder,
      env: {},
    };
    expect(await run(["--version"], io)).toBe(1);
    expect(err).toEqual([
      expect.stringMatching(/^kubernetes-pki: internal error, please report it: TypeError at [^\n]+\n$/),
    ]);
    expect(err.join()).not.toContain(SECRET);
  });

  test("runs as a program, without loading cdktf", () => {
    put("show.json", pkiState({ "cp-1": CP_1 }));
    const report = join(folder, "modules");
    const names = `Object.keys(require.cache).join("\\n")`;
    const probe = put(
      "probe.cjs",
      `process.on("exit", () => require("fs").writeFileSync(${JSON.stringify(report)}, ${names}));`,
    );
    const argv = ["--require", probe, "--import", "tsx", join(repository, "lib/cli/main.ts")];
    const options = ["export", "--machine", "cp-1", "--root", join(folder, "root"), join(folder, "show.json")];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...argv, ...options], {
      cwd: repository,
      env: cleanEnvironment(),
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "0644 root:root /etc/kubernetes/pki/ca.crt written\n0600 root:root /etc/kubernetes/pki/ca.key written\n",
    });
    expect(stdout + stderr).not.toContain(SECRET);
    expect(readFileSync(join(folder, "root/etc/kubernetes/pki/ca.key"), "utf8")).toBe(CA_KEY);
    const modules = readFileSync(report, "utf8").split("\n");
    expect(modules).toContain(join(repository, "lib/kubernetes/content-readers.ts"));
    expect(modules.filter((name) => /node_modules\/(cdktf|cdktn|constructs|@cdktf)\//.test(name))).toEqual([]);
  });
});
