import { ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../sandbox/ports";

jest.setTimeout(300_000);

const ROOT = path.join(__dirname, "..", "..");
const folder = mkdtempSync(path.join(tmpdir(), "sandbox-command-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `npm run sandbox`, in a folder of its own. */
class Command {
  public static async start(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Command> {
    const cwd = path.resolve(folder, name);
    mkdirSync(cwd, { recursive: true });
    const [port] = await freePorts(1);
    return new Command(cwd, args.includes("--port") ? args : ["--port", String(port), ...args], env);
  }

  public printed = "";
  public readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  private constructor(
    public readonly cwd: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ) {
    const script = path.join(ROOT, "test", "sandbox", "main.ts");
    const tsx = require.resolve("tsx/cli");
    this.child = spawn(process.execPath, [tsx, script, ...args], { cwd, env: { ...process.env, ...env } });
    this.child.stdout!.on("data", (text: Buffer) => (this.printed += text.toString()));
    this.child.stderr!.on("data", (text: Buffer) => (this.printed += text.toString()));
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
  }

  public async prints(text: string): Promise<void> {
    while (!this.printed.includes(text)) {
      if (this.child.exitCode !== null) {
        throw new Error(`ended without printing ${text}:\n${this.printed}`);
      }
      await sleep(50);
    }
  }

  public signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Processes that were started in its folder and still run. */
  public async left(): Promise<string[]> {
    // The kernel needs a moment to bury what was killed.
    for (let tries = 0; ; tries++) {
      const all = execFileSync("ps", ["-A", "-ww", "-o", "pid=,args="], { encoding: "utf8" }).split("\n");
      const left = all.filter((line) => line.includes(this.cwd));
      if (left.length === 0 || tries === 20) {
        return left;
      }
      await sleep(100);
    }
  }
}

test("Ctrl-C ends a running sandbox and everything that it started", async () => {
  const command = await Command.start("running");
  await command.prints("until Ctrl-C");
  expect((await command.left()).length).toBeGreaterThan(4);
  command.signal("SIGINT");
  expect(await command.ended).toBe(0);
  expect(await command.left()).toEqual([]);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s while it starts ends everything at once", async (signal) => {
  const command = await Command.start(signal);
  await command.prints("start kube-apiserver");
  command.signal(signal);
  expect(await command.ended).toBe(130);
  expect(await command.left()).toEqual([]);
});

test("a component that fails shows the end of its log, and nothing is left", async () => {
  const assets = path.join(folder, "assets");
  mkdirSync(assets);
  const broken = path.join(assets, "kube-apiserver");
  writeFileSync(broken, "#!/bin/sh\necho 'Error: the reason why it broke'\nexit 3\n");
  chmodSync(broken, 0o755);
  const command = await Command.start("failing", ["--once"], { KUBEBUILDER_ASSETS: assets });
  expect(await command.ended).toBe(1);
  expect(command.printed).toContain("kube-apiserver ended with exit code 3; the end of ");
  expect(command.printed).toContain("  Error: the reason why it broke");
  expect(command.printed).not.toContain("    at ");
  expect(await command.left()).toEqual([]);
});

test("a port in use is one line that says what to do", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  // Of the sandbox that has the port, say.
  const kept = path.join(folder, "port", ".sandbox", "kept");
  mkdirSync(kept, { recursive: true });
  const command = await Command.start("port", ["--port", String(port)]);
  expect(await command.ended).toBe(1);
  expect(command.printed).toBe(`port ${port} is in use: end what listens on it, or choose another with --port\n`);
  expect(existsSync(kept)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});

test("a port that is none is one line", async () => {
  const command = await Command.start("no-port", ["--port", "http"]);
  expect(await command.ended).toBe(1);
  expect(command.printed).toBe("--port: given http; allowed: a port from 1 to 65535\n");
});

test("a distribution that is none, or that runs nothing, is one line with those that there are", async () => {
  for (const name of ["openshift", "cluster-api"]) {
    const command = await Command.start("no-distribution", ["--distribution", name]);
    expect(await command.ended).toBe(1);
    expect(command.printed).toMatch(
      new RegExp(`^--distribution: given ${name}; allowed: kubeadm, [a-z0-9, -]*k0s.*\n$`),
    );
  }
});

test("--help says which distributions there are", async () => {
  const command = await Command.start("help", ["--help"]);
  expect(await command.ended).toBe(0);
  expect(command.printed).toMatch(/^ {2}--distribution NAME .*\bkubeadm\b.*\bk0s\b.*\(default: kubeadm\)$/m);
});

test("a missing tool that cannot be built is one line that says what to do", async () => {
  const env = { PATH: path.dirname(process.execPath), XDG_CACHE_HOME: path.join(folder, "empty-cache") };
  const command = await Command.start("no-go", ["--once"], env);
  expect(await command.ended).toBe(1);
  const lines = command.printed.trimEnd().split("\n");
  expect(lines.at(-1)).toMatch(/\bgo\b/i);
  expect(command.printed).not.toContain("    at ");
});

test("a folder that cannot be written is one line", async () => {
  // Not even root makes a folder there.
  const command = await Command.start("/proc", ["--once"]);
  expect(await command.ended).toBe(1);
  expect(command.printed).toMatch(/^cannot write \/proc\/\.sandbox \(\w+\): start it in a folder of yours\n$/);
});
