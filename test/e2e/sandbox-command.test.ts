import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { freePorts } from "../sandbox/ports";
import { End, Run } from "../sandbox/run";

jest.setTimeout(300_000);

const folder = mkdtempSync(path.join(tmpdir(), "sandbox-command-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `npm run sandbox`, in a folder of its own. */
async function start(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const [port] = await freePorts(1);
  return Run.sandbox(
    path.resolve(folder, name),
    args.includes("--port") ? args : ["--port", String(port), ...args],
    env,
  );
}

test("Ctrl-C ends a running sandbox and everything that it started, and no cache of providers is shared", async () => {
  const home = path.join(folder, "home");
  mkdirSync(home);
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
  const command = await start("running", [], { HOME: home, XDG_CACHE_HOME: cache });
  await command.prints("until Ctrl-C");
  expect(command.processes().length).toBeGreaterThan(4);
  command.signal("SIGINT");
  expect(await command.ended).toBe(0);
  expect(await command.left()).toEqual([]);
  expect(readdirSync(home)).not.toContain(".terraform.d");
});

// All at once: a busy machine is part of it. `npm run sandbox:interrupt` does this at fifty moments.
test("a start that is interrupted ends at once and leaves nothing, whatever the moment and the signal", async () => {
  const moments: [(command: Run) => Promise<void>, NodeJS.Signals, End][] = [
    [(command) => command.runs("terraform-provider-tls"), "SIGINT", 130],
    [(command) => command.prints("start etcd"), "SIGTERM", 130],
    [(command) => command.prints("start kube-apiserver"), "SIGKILL", "SIGKILL"],
    [(command) => command.prints("start kube-controller-manager"), "SIGINT", 130],
    [(command) => command.runs("terraform-provider-kubernetes"), "SIGKILL", "SIGKILL"],
    [(command) => command.prints("start node-2"), "SIGTERM", 130],
  ];
  const ends = moments.map(async ([moment, signal], index) => {
    const command = await start(`interrupted-${index}`);
    await moment(command);
    // Between two phases it is itself alone.
    expect(command.processes()).not.toEqual([]);
    command.signal(signal);
    return { end: await command.ended, left: await command.left() };
  });
  expect(await Promise.all(ends)).toEqual(moments.map(([, , end]) => ({ end, left: [] })));
});

test("a component that fails shows the end of its log, and nothing is left", async () => {
  const assets = path.join(folder, "assets");
  mkdirSync(assets);
  const broken = path.join(assets, "kube-apiserver");
  writeFileSync(broken, "#!/bin/sh\necho 'Error: the reason why it broke'\nexit 3\n");
  chmodSync(broken, 0o755);
  const command = await start("failing", ["--once"], { KUBEBUILDER_ASSETS: assets });
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
  const command = await start("port", ["--port", String(port)]);
  expect(await command.ended).toBe(1);
  expect(command.printed).toBe(`port ${port} is in use: end what listens on it, or choose another with --port\n`);
  expect(existsSync(kept)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});

test("a port that is none is one line", async () => {
  const command = await start("no-port", ["--port", "http"]);
  expect(await command.ended).toBe(1);
  expect(command.printed).toBe("--port: given http; allowed: a port from 1 to 65535\n");
});

test("a distribution that is none, or that runs nothing, is one line with those that there are", async () => {
  for (const name of ["openshift", "cluster-api"]) {
    const command = await start("no-distribution", ["--distribution", name]);
    expect(await command.ended).toBe(1);
    expect(command.printed).toMatch(
      new RegExp(`^--distribution: given ${name}; allowed: kubeadm, [a-z0-9, -]*k0s.*\n$`),
    );
  }
});

test("a rotation of what there is not, and machines of etcd where it has none of its own, are one line each", async () => {
  const unknown = await start("no-authority", ["--rotate", "ca"]);
  expect(await unknown.ended).toBe(1);
  expect(unknown.printed).toBe("--rotate: given ca; allowed: kubernetes, front-proxy, etcd, service-account, all\n");
  const k0s = await start("no-members", ["--highly-available", "--distribution", "k0s"]);
  expect(await k0s.ended).toBe(1);
  expect(k0s.printed).toBe("--highly-available: etcd has no machines of its own in k0s\n");
});

test("--help says which distributions there are", async () => {
  const command = await start("help", ["--help"]);
  expect(await command.ended).toBe(0);
  expect(command.printed).toMatch(/^ {2}--distribution NAME .*\bkubeadm\b.*\bk0s\b.*\(default: kubeadm\)$/m);
});

test("a missing tool that cannot be built is one line that says what to do", async () => {
  const env = { PATH: path.dirname(process.execPath), XDG_CACHE_HOME: path.join(folder, "empty-cache") };
  const command = await start("no-go", ["--once"], env);
  expect(await command.ended).toBe(1);
  const lines = command.printed.trimEnd().split("\n");
  expect(lines.at(-1)).toMatch(/\bgo\b/i);
  expect(command.printed).not.toContain("    at ");
});

test("a folder that cannot be written is one line", async () => {
  // Not even root makes a folder there.
  const command = await start("/proc", ["--once"]);
  expect(await command.ended).toBe(1);
  expect(command.printed).toMatch(/^cannot write \/proc\/\.sandbox \(\w+\): start it in a folder of yours\n$/);
});
