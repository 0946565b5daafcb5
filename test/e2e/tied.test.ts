import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { attempt, TYPESCRIPT } from "../sandbox/command";
import { Run } from "../sandbox/run";
import { noNamespaces, tied } from "../sandbox/tied";

jest.setTimeout(60_000);

const SANDBOX = path.join(__dirname, "..", "sandbox");
const folder = mkdtempSync(path.join(tmpdir(), "tied-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process that runs a server, and a command that is `sh` with a script, as a worker of jest does. */
function start(name: string, script: string, env: NodeJS.ProcessEnv = {}): Run {
  const code = `
    const { Daemon } = require(${JSON.stringify(path.join(SANDBOX, "daemon"))});
    const { attempt } = require(${JSON.stringify(path.join(SANDBOX, "command"))});
    const { noNamespaces } = require(${JSON.stringify(path.join(SANDBOX, "tied"))});
    void Daemon.start({ name: "server", command: "sleep", args: ["1001"], folder: process.cwd() });
    void attempt("sh", ["-c", ${JSON.stringify(script)}]);
    console.log(noNamespaces());`;
  const file = path.join(folder, `${name}.ts`);
  writeFileSync(file, code);
  return new Run(path.join(folder, name), [...TYPESCRIPT, file], env);
}

test.each(["SIGTERM", "SIGKILL"] as const)("%s of a process ends its servers and its commands", async (signal) => {
  const run = start(signal, "sleep 1002; true");
  await run.runs("sleep 1001");
  await run.runs("sleep 1002");
  run.signal(signal);
  expect(await run.ended).toBe(signal);
  expect(await run.left()).toEqual([]);
});

// Where there are no namespaces, this is what the sandbox says it cannot promise.
(noNamespaces() === undefined ? test : test.skip)("what a command left in the background ends as well", async () => {
  // In a session of its own, and with another parent by the time.
  const run = start("background", "(setsid sleep 1002 &) ; sleep 1003; true");
  await run.runs("sleep 1002");
  await run.runs("sleep 1003");
  run.signal("SIGKILL");
  await run.ended;
  expect(await run.left()).toEqual([]);
});

test("without PID namespaces there is a reason, and servers and commands end all the same", async () => {
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "unshare"), "#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n");
  chmodSync(path.join(bin, "unshare"), 0o755);
  const run = start("no-namespaces", "exec sleep 1002", { PATH: `${bin}:${process.env["PATH"]}` });
  await run.prints("unshare failed: Operation not permitted");
  await run.runs("sleep 1001");
  await run.runs("sleep 1002");
  run.signal("SIGKILL");
  await run.ended;
  expect(await run.left()).toEqual([]);
});

test("a command is run in whatever environment is asked for", async () => {
  const env = { PATH: "/nowhere" };
  expect(await attempt("/bin/sh", ["-c", "echo $PATH"], { env })).toEqual({
    code: 0,
    stdout: "/nowhere\n",
    stderr: "",
  });
});

test("without setpriv one line says what to install", async () => {
  const run = start("no-setpriv", "true", { PATH: "/nowhere" });
  expect(await run.ended).toBe(1);
  expect(run.printed).toContain("but setpriv is not found: install util-linux");
});

test("nothing is started for a process that is gone", () => {
  const file = path.join(folder, "started");
  // What starts it here is not this process but a shell.
  const start = (prefix: readonly string[]) => {
    const [program, args] = tied("touch", [file]);
    spawnSync(prefix[0] ?? program, [...prefix.slice(1), ...(prefix.length > 0 ? [program] : []), ...args]);
    return existsSync(file);
  };
  expect(start(["sh", "-c", '"$@"; true', "sh"])).toBe(false);
  expect(start([])).toBe(true);
});

test("a command reads, prints and ends as it does by itself", async () => {
  const script = 'cat; echo "$0 $1" >&2; exit 7';
  expect(await attempt("sh", ["-c", script, "two words", "$HOME"], { input: "given" })).toEqual({
    code: 7,
    stdout: "given",
    stderr: "two words $HOME\n",
  });
});
