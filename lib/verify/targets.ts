import { isIP } from "node:net";
import { ANY_WORKER } from "../kubernetes/cluster-file";
import { plain } from "../terraform-json/escape";
import { UnusableError } from "../terraform-json/unusable";
import type { ListeningPort, Port } from "./facts";
import { placeOf } from "./names";
import type { Place } from "./probe";
import type { Node } from "./published";

/** How users say whom to ask, and whom not; each as it was given. */
export interface Choice {
  /** `cp-1=10.0.0.11`, instead of the addresses of the description. */
  readonly address: readonly string[];
  /** `worker-7=10.0.0.27`: a worker that has no name in the description. */
  readonly worker: readonly string[];
  /** `kube-apiserver=16443`, `etcd:2380=12380`, `cp-1/kube-apiserver=16443`. */
  readonly port: readonly string[];
  /** Machines to which it is limited. */
  readonly machine: readonly string[];
  /** `kube-controller-manager`, `cp-1/etcd:2380`: left out, because somebody else looks at it. */
  readonly skip: readonly string[];
}

/** A port, and where it is asked: at the first of these places that answers. */
export interface Target {
  readonly port: ListeningPort;
  readonly places: readonly Place[];
}

/** Whom to ask, and whom not. */
export interface Targets {
  readonly asked: readonly Target[];
  /** Nodes whose client certificates are looked at. */
  readonly clients: readonly Port[];
  /** What was left out, as was asked for. */
  readonly skipped: readonly Port[];
  /** Ports of workers of which nobody said a name. */
  readonly unnamed: readonly ListeningPort[];
}

/** The component that tells the cluster its port. */
const KUBELET = "kubelet";

/**
 * Finds where every port is.
 *
 * @param nodes what the cluster says of its machines; undefined where it was not asked
 * @param clients nodes whose client certificates could be looked at
 * @throws UnusableError when a choice cannot be read, or is about nothing that is there
 */
export function targetsOf(
  described: readonly ListeningPort[],
  choice: Choice,
  nodes?: readonly Node[],
  clients: readonly Port[] = [],
): Targets {
  const given = addressesIn("--worker", choice.worker);
  const unnamed = described.filter(({ machine }) => machine === ANY_WORKER);
  if (given.size > 0 && unnamed.length === 0) {
    throw new UnusableError("--worker: no port of a worker without a name shows a file that comes from here");
  }
  const names = new Set(described.map(({ machine }) => machine));
  const others = (nodes ?? []).filter(({ name }) => !names.has(name));
  const workers = new Map([...others.map(({ name, addresses }) => [name, addresses] as const), ...given]);
  const all = described.flatMap((port) => (port.machine === ANY_WORKER ? ofWorkers(port, workers) : [port]));
  const addresses = addressesIn("--address", choice.address);
  checkMachines("--address", [...addresses.keys()], all);
  checkMachines("--machine", choice.machine, [...all, ...clients]);
  const skips = choice.skip.map((text) => selectorOf("--skip", text, [...all, ...clients]));
  const numbers = choice.port.map((text) => portChoice(text, all));
  const isChosen = ({ machine }: Port) => choice.machine.length === 0 || choice.machine.includes(machine);
  const chosen = all.filter(isChosen);
  const isSkipped = (port: Port) => skips.some((fits) => fits(port));
  const targetOf = (port: ListeningPort): Target => {
    const node = nodes?.find(({ name }) => name === port.machine);
    const told = port.component === KUBELET ? node?.kubeletPort : undefined;
    const number = numbers.findLast(({ fits }) => fits(port))?.number ?? told ?? port.number;
    const known = port.addresses.length > 0 ? port.addresses : (node?.addresses ?? []);
    return { port, places: (addresses.get(port.machine) ?? known).map((host) => ({ host, port: number })) };
  };
  return {
    asked: chosen.filter((port) => !isSkipped(port)).map(targetOf),
    clients: clients.filter((client) => isChosen(client) && !isSkipped(client)),
    skipped: [...chosen, ...clients.filter(isChosen)].filter(isSkipped),
    // Who limits it to some machines knows that it is not about others.
    unnamed: nodes === undefined && workers.size === 0 && choice.machine.length === 0 ? unnamed : [],
  };
}

function checkMachines(option: string, names: readonly string[], ports: readonly Port[]): void {
  const machines = new Set(ports.map(({ machine }) => machine));
  for (const name of names) {
    if (!machines.has(name)) {
      throw new UnusableError(`${option} ${plain(name)}: there is no such machine here, but ${listed(machines)}`);
    }
  }
}

function ofWorkers(port: ListeningPort, workers: ReadonlyMap<string, readonly string[]>): ListeningPort[] {
  return [...workers].map(([machine, addresses]) => ({ ...port, machine, addresses }));
}

/** Addresses by machine; one may have several, of which the first that answers counts. */
function addressesIn(option: string, texts: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const text of texts) {
    const [, name, host] = /^([^=\s]+)=\[?([^\s=/[\]]+)\]?$/.exec(text) ?? [];
    if (name === undefined || host === undefined || (host.includes(":") && isIP(host) === 0)) {
      throw new UnusableError(
        `${option} ${JSON.stringify(text)} is no MACHINE=ADDRESS, e.g. cp-1=10.0.0.11; a port is given with --port`,
      );
    }
    found.set(name, [...(found.get(name) ?? []), host]);
  }
  return found;
}

type Fits = (port: Port) => boolean;

/** `component`, `component:2380`, each with `machine/` before it. */
function selectorOf(option: string, text: string, ports: readonly Port[]): Fits {
  const [, machine, component, number] = /^(?:([^/\s]+)\/)?([\w.-]+)(?::(\d+))?$/.exec(text) ?? [];
  const fits: Fits = (port) =>
    port.component === component &&
    (machine === undefined || port.machine === machine) &&
    (number === undefined || port.number === Number(number));
  if (!ports.some(fits)) {
    const known = listed(new Set(ports.map((port) => placeOf(port).replace(" ", "/"))));
    throw new UnusableError(`${option} ${JSON.stringify(text)} fits nothing here: write one of ${known}`);
  }
  return fits;
}

function portChoice(text: string, ports: readonly ListeningPort[]): { readonly fits: Fits; readonly number: number } {
  const [, selector, digits] = /^([^=]+)=(\d{1,5})$/.exec(text) ?? [];
  const number = Number(digits);
  if (selector === undefined || number < 1 || number > 65_535) {
    throw new UnusableError(
      `--port ${JSON.stringify(text)} is no COMPONENT=NUMBER, e.g. kube-apiserver=16443, etcd:2380=12380`,
    );
  }
  const fits = selectorOf("--port", selector, ports);
  const usual = new Set(ports.filter(fits).map((port) => `${port.component}:${port.number}`));
  if (usual.size > 1) {
    throw new UnusableError(
      `--port ${plain(text)}: that component has several ports; write ${listed(usual)} before the =`,
    );
  }
  return { fits, number };
}

function listed(names: ReadonlySet<string>): string {
  return plain([...names].join(", ")) || "nothing";
}
