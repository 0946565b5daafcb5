import path from "node:path";
import { parseArgs } from "node:util";
import { distributionNamed, distributionNames, hasEtcdMembers } from "./distribution";
import { rotatable, Rotation, RotationReport, StepReport } from "./rotation";
import { Sandbox, SandboxReport } from "./sandbox";
import { table } from "./table";

const USAGE = `npm run sandbox -- [--once] [--port PORT] [--distribution NAME] [--highly-available] [--rotate NAME]

  --once                end when everything was seen to work, instead of at Ctrl-C
  --port PORT           port of the API server (default: 16443)
  --distribution NAME   whose files and flags: ${distributionNames.join(", ")} (default: kubeadm)
  --highly-available    two control planes behind one name, and three machines of etcd
  --rotate NAME         on those, rotate an authority or key pair of the distribution, or all, while many call; on one machine where
                        etcd has none of its own`;
const NODES = ["node-1", "node-2"];

/** `npm run sandbox`: a control plane on this machine until Ctrl-C, or, with `--once`, until it was seen to work. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: "boolean" },
      port: { type: "string" },
      distribution: { type: "string" },
      "highly-available": { type: "boolean" },
      rotate: { type: "string" },
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
  const { distribution, rotate } = values;
  const names = rotate === undefined ? [] : namesOf(rotate, distribution);
  const isRotation = names.length > 0 && hasEtcdMembers(distributionNamed(distribution).table);
  const highlyAvailable = values["highly-available"] === true || isRotation;
  const options = { folder, port: portOf(values.port), distribution, highlyAvailable, nodes: NODES, progress };
  const sandbox = await Sandbox.start(options);
  try {
    const report = await sandbox.report();
    print(report, sandbox);
    const isRotated = names.length === 0 || printRotation(await new Rotation(sandbox, names, NODES, printStep).play());
    if (!values.once) {
      console.log(
        `\nIt stays up until Ctrl-C. Try: kubectl --kubeconfig ${path.relative("", sandbox.everyday)} get nodes`,
      );
      await interruption();
    }
    return isFine(report, sandbox) && isRotated ? 0 : 1;
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

/** @throws Error when it is none of the distribution's */
function namesOf(name: string, distribution?: string): string[] {
  const known = rotatable(distributionNamed(distribution).table);
  if (name !== "all" && !known.includes(name)) {
    throw new Error(`--rotate: given ${name}; allowed: ${known.join(", ")}, all`);
  }
  return name === "all" ? known : [name];
}

function printStep({
  step,
  seconds,
  deliveries,
  sights,
  compared,
  differences,
  gates,
  inTheWay,
  joined,
}: StepReport): void {
  const given = deliveries.map(({ to, files, restarted, elsewhere }) => [
    to,
    String(files),
    restarted.join(", "),
    elsewhere.join(", "),
  ]);
  const seen = sights.map(({ machine, place, verify, probes }) => [machine, place, verify, probes]);
  console.log(`\n${step}, in ${seconds.toFixed(0)} s; joined: ${joined.join(", ")}\n`);
  console.log(table(["MACHINE", "FILES", "RESTARTED", "NOT RUN HERE"], given));
  console.log(table(["MACHINE", "PORT", "VERIFY SAYS: SERVES WHAT IS SIGNED", "CLIENTS SEE"], seen));
  console.log(`verify and clients were compared ${compared} times, and differed ${differences.length} times`);
  differences.forEach((line) => console.log(`  ${line}`));
  for (const [gate, codes] of Object.entries(gates)) {
    console.log(`verify --expect ${gate}: exit codes ${codes.join(" ")} before the first machine, and after each`);
    const { before, after } = inTheWay[gate]!;
    const print = (when: string, reasons: readonly string[]) =>
      console.log(`  with --kubeconfig, ${when}: ${reasons.join("; ") || "nothing is in the way"}`);
    print("delivered", before);
    print("at the end", after);
  }
}

/** @returns whether nothing failed */
function printRotation({ load, stillAccepted, steps }: RotationReport): boolean {
  const rows = [...load.counts].map(([group, { made, refused, failures }]) => [
    group,
    ...[made, refused, failures.length].map(String),
  ]);
  const { made, perSecond, failures } = load.total;
  console.log("");
  console.log(table(["CALLS OF", "MADE", "REFUSED BY A SERVER THAT STARTED", "FAILED"], rows));
  console.log(`${made} calls, ${perSecond.toFixed(1)} a second, ${failures.length} failed`);
  failures.slice(0, 20).forEach((line) => console.log(`  ${line}`));
  console.log(`of the first generation, accepted at the end: ${stillAccepted.join("; ") || "nothing"}`);
  return [...failures, ...stillAccepted, ...steps.flatMap(({ differences }) => differences)].length === 0;
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
