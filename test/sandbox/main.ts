import path from "node:path";
import { parseArgs } from "node:util";
import { distributionNames } from "./distribution";
import { Sandbox, SandboxReport } from "./sandbox";
import { table } from "./table";

const USAGE = `npm run sandbox -- [--once] [--port PORT] [--distribution NAME]

  --once                end when everything was seen to work, instead of at Ctrl-C
  --port PORT           port of the API server (default: 16443)
  --distribution NAME   whose files and flags: ${distributionNames.join(", ")} (default: kubeadm)`;
const NODES = ["node-1", "node-2"];

/** `npm run sandbox`: a control plane on this machine until Ctrl-C, or, with `--once`, until it was seen to work. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: "boolean" },
      port: { type: "string" },
      distribution: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const started = Date.now();
  const progress = (line: string) =>
    console.error(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const folder = path.resolve(".sandbox");
  const options = { folder, port: portOf(values.port), distribution: values.distribution, nodes: NODES, progress };
  const sandbox = await Sandbox.start(options);
  try {
    const report = await sandbox.report();
    print(report, sandbox);
    if (!values.once) {
      console.log(
        `\nIt stays up until Ctrl-C. Try: kubectl --kubeconfig ${path.relative("", sandbox.everyday)} get nodes`,
      );
      await interruption();
    }
    return isFine(report, sandbox) ? 0 : 1;
  } finally {
    await sandbox.stop();
  }
}

/** Everything that a run must end with. */
function isFine({ nodes, requests, identities }: SandboxReport, { joinsByRequest }: Sandbox): boolean {
  const issued = requests.filter((request) => request.conditions === "Approved,Issued");
  return (
    nodes.length === NODES.length &&
    nodes.every((node) => node.ready) &&
    issued.length >= (joinsByRequest ? NODES.length : 0) &&
    identities.every(({ user, expectedUser }) => user === expectedUser)
  );
}

function print({ nodes, requests, identities }: SandboxReport, { kubernetesProvider }: Sandbox): void {
  const readiness = nodes.map(({ name, ready }) => [name, ready ? "Ready" : "NotReady"]);
  const signing = requests.map(({ user, signer, conditions }) => [user, signer, conditions]);
  const known = identities.map(({ kubeconfig, user, groups }) => [kubeconfig, user, groups]);
  console.log(table(["NODE", "STATUS"], readiness));
  if (signing.length > 0) {
    console.log(table(["CERTIFICATE REQUEST OF", "SIGNER", "CONDITION"], signing));
  }
  console.log(table(["KUBECONFIG", "WHO AM I", "GROUPS"], known));
  console.log(`The access stack was proven on provider kubernetes ${kubernetesProvider}.`);
}

function portOf(text = "16443"): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Error(`--port: given ${text}; allowed: a port from 1 to 65535`);
  }
  return port;
}

let interrupt: (() => void) | undefined;

/** Settles at Ctrl-C. Until somebody waits for it, Ctrl-C ends this process at once, and with it all that it started. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    interrupt = () => {
      interrupt = undefined;
      resolve();
    };
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => (interrupt ? interrupt() : process.exit(130)));
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
