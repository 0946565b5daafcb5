import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { INVENTORY_FILE, type Inventory } from "../inventory-schema";
import { parseInventory } from "../terraform-json/inventory";
import { parseDuration } from "../status/duration";
import { plain, printableJson } from "../terraform-json/escape";
import { readStates } from "../terraform-json/sources";
import { reason, UnusableError } from "../terraform-json/unusable";
import { parseExpectation } from "../verify/expectation";
import { type Facts, factsOf, type Source } from "../verify/facts";
import { judge } from "../verify/judge";
import { look, lookAll, type Seen } from "../verify/probe";
import { lookAtNode, nodeClients, type NodeCertificate, unseenNodes } from "../verify/nodes";
import { aggregatedBundles, type Node, nodeCertificatesOf, nodesOf, publishedBundles } from "../verify/published";
import { verifyMarkdown, verifyText } from "../verify/render";
import { exitCodeOf, type Look } from "../verify/report";
import { type Target, targetsOf } from "../verify/targets";
import type { Io, SetExitCode } from "./io";
import { collect, formatOption } from "./options";

interface Options {
  readonly inventory?: readonly string[];
  readonly prefix?: readonly string[];
  readonly machine?: readonly string[];
  readonly address?: readonly string[];
  readonly worker?: readonly string[];
  readonly port?: readonly string[];
  readonly skip?: readonly string[];
  readonly expect?: readonly string[];
  readonly kubeconfig?: string;
  readonly timeout: string;
  readonly format: keyof typeof FORMATS;
}

const FORMATS = { text: verifyText, json: printableJson, markdown: verifyMarkdown } as const;

/** Ports that are asked at the same time. */
const AT_ONCE = 16;
const LONGEST_TIMEOUT = 600_000;

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin. What is where says pki-inventory.json: the one in the stack's folder, or
--inventory. With --inventory and no STATE, names are compared and certificates
are not: that is enough for --expect, and needs no right on any state.

A TLS server tells everybody, before any credential, which certificate it serves
and whose clients it lets in. So nothing secret is used, and nothing is changed.
Who stands between may change what is said: run it in a network that you trust.

What cannot be reached or seen is not yet as it should be. A component that
listens on loopback alone is seen on its machine (--address cp-1=127.0.0.1
--machine cp-1), or left out by --skip, when somebody else has looked at it.
What no port shows is listed below, with what to look at instead.

--expect AUTHORITY=GENERATION:STATE is the gate between two steps of a rotation,
and judges what shows that authority, and nothing else:
  trusted  every server lets clients of that generation in
  active   so it is, and every server's certificate is signed by it (with
           --kubeconfig: every node's, too)
  retired  no server lets its clients in, and none serves what it signed (with
           --kubeconfig: and no node comes with it)

--kubeconfig has kubectl (or what KUBECTL_BINARY_NAME says) read the ConfigMaps
kube-root-ca.crt of all namespaces, cluster-info and
extension-apiserver-authentication, which clients and aggregated API servers
trust; the nodes, so that workers that have no name in the description are looked
at, too; and their CertificateSigningRequests, which have the certificate that
each node comes with for an hour or two. A node of which there is none keeps the gates
active and retired shut until all that an earlier generation signed has ended, or
until somebody has looked at it: --skip node-1/kubelet-client.

Exit codes:
  0  all is as issued, or as expected
  2  something is not yet, or could not be seen
  3  something is a stranger's, or has expired
  1  an error

Examples:
  kubernetes-pki verify cdktf.out/stacks/prod-pki
  kubernetes-pki verify --inventory pki-inventory.json --expect kubernetes=g2:trusted
  kubernetes-pki verify cdktf.out/stacks/prod-pki --machine cp-1 --address cp-1=127.0.0.1
  kubernetes-pki verify cdktf.out/stacks/prod-pki --skip kube-controller-manager \\
    --worker worker-7=10.0.0.27 --port etcd:2380=12380 -o json`;

/** Adds the command that asks running components what they use. */
export function addVerify(program: Command, io: Io, setExitCode: SetExitCode): void {
  program
    .command("verify")
    .description("Ask running components which certificates they serve and whom they trust, and compare.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .option("--inventory <file>", "what is where; may be repeated", collect)
    .option("--prefix <prefix>", "addressPrefix to look at, where a stack has several; may be repeated", collect)
    .option("--expect <expectation>", "what has to be seen, e.g. kubernetes=g2:trusted; may be repeated", collect)
    .option("--machine <name>", "look at this machine alone; may be repeated", collect)
    .option("--address <machine=address>", "where a machine is, e.g. cp-1=10.0.0.11; may be repeated", collect)
    .option("--worker <machine=address>", "a worker that has no name in the description; may be repeated", collect)
    .option("--port <component=number>", "another port, e.g. kube-apiserver=16443; may be repeated", collect)
    .option("--skip <component>", "what is not looked at, e.g. cp-1/etcd:2380; may be repeated", collect)
    .option("--kubeconfig <file>", "look at what the cluster tells its clients to trust, too")
    .option("--timeout <time>", "how long one port may take", "3s")
    .addOption(formatOption("text", "json", "markdown"))
    .addHelpText("after", NOTES)
    .action(async (sources: string[], options: Options) => {
      setExitCode(await verify(sources, options, io));
    });
}

async function verify(sources: readonly string[], options: Options, io: Io): Promise<number> {
  const timeout = timeoutOf(options.timeout);
  const facts = limited(factsOf(await sourcesOf(sources, options.inventory ?? [], io)), options.prefix);
  if (facts.ports.length === 0) {
    throw new UnusableError(
      "the inventory has no machine with a port: make it with this version (cdktf synth), of a PKI",
    );
  }
  const expectations = (options.expect ?? []).map((text) => parseExpectation(text, facts));
  const cluster =
    options.kubeconfig === undefined ? undefined : await clusterOf(options.kubeconfig, facts, timeout, io);
  const { address = [], worker = [], port = [], machine = [], skip = [] } = options;
  const nodes = (cluster?.nodes ?? []).map(({ name }) => name);
  const clients = facts.nodeSigners.flatMap((signer) => nodeClients(signer, nodes));
  const choice = { address, worker, port, machine, skip };
  const targets = targetsOf(facts.ports, choice, cluster?.nodes, clients);
  if (targets.asked.length === 0) {
    throw new UnusableError("there is nothing to look at: no port of the description is left");
  }
  const certificates = cluster?.certificates ?? [];
  const shown = targets.clients.flatMap((client) => lookAtNode(client, certificates) ?? []);
  const unseen =
    cluster &&
    facts.nodeSigners.map((signer) => unseenNodes(signer, targets.clients, shown, certificates, facts.generations));
  const looks = [...(await lookAt(targets.asked, timeout)), ...shown, ...(cluster?.bundles ?? [])];
  const report = judge(
    { facts, looks, expectations, ...targets, ...(unseen ? { nodes: unseen } : {}) },
    io.now?.() ?? new Date(),
  );
  io.stdout.write(FORMATS[options.format](report));
  return exitCodeOf(report);
}

/** Asks each port at the first of its places that answers. */
async function lookAt(targets: readonly Target[], timeout: number): Promise<Look[]> {
  return lookAll(targets, AT_ONCE, async ({ port, places }): Promise<Look> => {
    let first: Look | undefined;
    for (const place of places) {
      const { host } = place;
      const asked = `${host.includes(":") ? `[${host}]` : host}:${place.port}`;
      const one = { port, asked, seen: await look(place, timeout) };
      if (one.seen.kind !== "nothing") {
        return one;
      }
      first ??= one;
    }
    return first ?? { port, seen: nowhere(port.machine) };
  });
}

function nowhere(machine: string): Seen {
  return { kind: "nothing", reason: `nobody said where it is: give --address ${machine}=ADDRESS` };
}

/** What a cluster says of itself. */
async function clusterOf(
  kubeconfig: string,
  { ports, nodeSigners }: Facts,
  timeout: number,
  { cwd, env }: Io,
): Promise<{
  readonly bundles: readonly Look[];
  readonly nodes: readonly Node[];
  readonly certificates: readonly NodeCertificate[];
}> {
  const server = ports.find(({ component, issued }) => component === "kube-apiserver" && issued);
  if (!server?.issued || ports.some(({ cluster }) => cluster !== server.cluster)) {
    throw new UnusableError("--kubeconfig is of one cluster: choose one that has an API server with --prefix");
  }
  const kubectl = { kubeconfig: resolve(cwd, kubeconfig), cwd, env, timeout };
  const published = await publishedBundles(kubectl, server.cluster, server.issued.authority);
  return {
    bundles: [...published, ...(await aggregatedBundles(kubectl, server))],
    nodes: await nodesOf(kubectl),
    // One generation alone has nothing to tell of.
    certificates: nodeSigners.length > 0 ? await nodeCertificatesOf(kubectl) : [],
  };
}

function limited({ generations, ports, unseen, nodeSigners }: Facts, prefixes: readonly string[] | undefined): Facts {
  if (prefixes === undefined) {
    return { generations, ports, unseen, nodeSigners };
  }
  const known = new Set(ports.map(({ cluster }) => cluster));
  const stranger = prefixes.find((prefix) => !known.has(prefix));
  if (stranger !== undefined) {
    throw new UnusableError(
      `--prefix ${plain(stranger)}: there is no such cluster here, but ${plain([...known].join(", ")) || "none"}`,
    );
  }
  const isChosen = ({ cluster }: { readonly cluster: string }) => prefixes.includes(cluster);
  return {
    ...{ generations: generations.filter(isChosen), ports: ports.filter(isChosen) },
    ...{ unseen: unseen.filter(isChosen), nodeSigners: nodeSigners.filter(isChosen) },
  };
}

/** An inventory in a stack's folder is that of its state; one that is named may be of any. */
async function sourcesOf(sources: readonly string[], inventories: readonly string[], io: Io): Promise<Source[]> {
  const named = sources.length > 0 || inventories.length > 0 ? sources : ["."];
  const states = await readStates(named, io);
  const own = named.map((source) => inventoryBeside(source, io));
  const given = inventories.map((file) => readInventory(file, resolve(io.cwd, file)));
  const all: Source[] = [
    ...own.flatMap((inventory, index) => (inventory ? [{ inventory, states: [states[index]!] }] : [])),
    ...given.map((inventory) => ({ inventory, states: states.filter((_, index) => !own[index]) })),
  ];
  const missing = named.find((_, index) => !own[index]);
  if (missing !== undefined && given.length === 0) {
    throw new UnusableError(
      `there is no ${INVENTORY_FILE} for ${plain(missing)}: call writeInventories(app) after app.synth(), or give --inventory`,
    );
  }
  return all;
}

function inventoryBeside(source: string, { cwd }: Io): Inventory | undefined {
  const folder = resolve(cwd, source);
  const file = join(folder, INVENTORY_FILE);
  const isFolder = source !== "-" && existsSync(folder) && statSync(folder).isDirectory();
  return isFolder && existsSync(file) ? readInventory(join(source, INVENTORY_FILE), file) : undefined;
}

function readInventory(name: string, file: string): Inventory {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UnusableError(`cannot read ${name}: ${reason(error)}`);
  }
  return parseInventory(text, name);
}

function timeoutOf(text: string): number {
  const timeout = parseDuration(text) ?? 0;
  if (timeout < 1 || timeout > LONGEST_TIMEOUT) {
    throw new UnusableError(`--timeout ${JSON.stringify(text)} is no time of up to 10m: 3s, 90s, 2m`);
  }
  return timeout;
}
