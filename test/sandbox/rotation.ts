import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DistributionTable } from "../../lib";
import { exitCodeOf, type PortReport, type VerifyReport } from "../../lib/verify/report";
import { ACCESS_STACK, PKI_STACK, ROTATION_STEPS, RotationStep } from "./description";
import { Caller, callersOf, Load, machinesOf, nodeCallers, podCallers, statusOf, tokenOf } from "./load";
import { Probes } from "./probes";
import type { Delivery, Sandbox } from "./sandbox";
import { choicesOf, placesOf, Verified, verify, withoutKubelets } from "./verification";

/** What has to be seen after a step, and not before it: `kubernetes=g2:trusted`. */
const GATES: Readonly<Record<RotationStep, string | undefined>> = {
  introduced: "g2:trusted",
  promoted: "g2:active",
  retired: "g1:retired",
  removed: undefined,
};

/** Components read some files again by themselves, within seconds. */
const SETTLES_SECONDS = 60;
/** What aggregated API servers are told, and what keeps what is in it until somebody deletes it. */
const TOLD = ["configmap", "extension-apiserver-authentication", "--namespace=kube-system"];
/** A guest calls so often before it goes. */
const GUEST_SECONDS = 2;

/** A port, by what `verify` says of it and by what real clients see. */
export interface Sight {
  readonly machine: string;
  /** `etcd:2379` */
  readonly place: string;
  /** Who signed what it serves, and whose clients it lets in. */
  readonly verify: string;
  readonly probes: string;
}

/** A step, when it was taken everywhere. */
export interface StepReport {
  readonly step: RotationStep;
  readonly seconds: number;
  readonly deliveries: readonly Delivery[];
  /** How it is at the end. */
  readonly sights: readonly Sight[];
  /** How often `verify` and clients were compared, at all ports: before, after each machine, and at the end. */
  readonly compared: number;
  /** Where they did not agree. */
  readonly differences: readonly string[];
  /** Each gate of the step, as ports show it, with its exit code at every moment. The last one is that at the end. */
  readonly gates: Readonly<Record<string, readonly number[]>>;
  /** What `--kubeconfig` finds to be in the way of each gate when all was delivered, and when all has been done that the step asks for. */
  readonly inTheWay: Readonly<
    Record<string, { readonly before: readonly string[]; readonly after: readonly string[] }>
  >;
  /** Nodes that joined again, and one that came and went. */
  readonly joined: readonly string[];
}

/** What a rotation was like. */
export interface RotationReport {
  readonly steps: readonly StepReport[];
  /** Groups of callers. */
  readonly load: Load;
  /** What only the first generation vouches for, and what the API servers and etcd made of it at the end; none is good. */
  readonly stillAccepted: readonly string[];
}

/** Names that can be rotated: authorities and key pairs of the distribution. */
export function rotatable({ authorities, keyPairs }: DistributionTable): string[] {
  return [...Object.keys(authorities), ...Object.keys(keyPairs)];
}

/**
 * Rotates authorities and key pairs on a running sandbox, as `docs/rotation.md` says: each step is deployed, brought to one machine
 * after the other with the restarts that `kubernetes-pki export` names, and looked at with `kubernetes-pki verify`, while many call.
 */
export class Rotation {
  private readonly probes: Probes;
  private readonly state: string;
  private readonly load: Load;
  private pods: Caller[] = [];
  /** Of the first generation. */
  private readonly oldTokens: string[] = [];

  /** @param told called with each step when it is over; the next one waits for it */
  public constructor(
    private readonly sandbox: Sandbox,
    private readonly names: readonly string[],
    private readonly nodes: readonly string[],
    private readonly told: (report: StepReport) => void | Promise<void> = () => undefined,
    more: readonly Caller[] = [],
  ) {
    this.probes = new Probes(sandbox);
    this.state = path.join(mkdtempSync(path.join(sandbox.folder, "rotation-")), "state.json");
    this.load = new Load(sandbox, [...callersOf(sandbox, nodes), ...more]);
  }

  /** All steps. */
  public async play(): Promise<RotationReport> {
    try {
      await this.readState();
      await this.issueToken("before");
      const steps: StepReport[] = [];
      for (const step of ROTATION_STEPS) {
        const report = await this.take(step);
        await this.told(report);
        steps.push(report);
      }
      return { steps, load: this.load, stillAccepted: await this.stillAccepted() };
    } finally {
      await this.load.stop();
    }
  }

  private async take(step: RotationStep): Promise<StepReport> {
    const started = Date.now();
    const { sandbox } = this;
    sandbox.progress(`${step}: ${this.names.join(", ")}`);
    const description = sandbox.description.with({ rotation: { of: this.names, step } });
    await sandbox.apply(PKI_STACK, description);
    await this.readState();
    const authorities = this.names.filter((name) => name in sandbox.description.props.distribution.table.authorities);
    const gate = GATES[step];
    const gates: Record<string, number[]> = Object.fromEntries(
      gate === undefined ? [] : authorities.map((name) => [`${name}=${gate}`, []]),
    );
    const deliveries: Delivery[] = [];
    const differences: string[] = [];
    let sights: readonly Sight[] = [];
    let compared = 0;
    const look = async (when: string) => {
      sandbox.progress(`verify ${when}`);
      const moment = await this.look(Object.keys(gates));
      sights = moment.sights;
      compared += sights.length;
      differences.push(...sights.filter(differs).map((sight) => `${when}: ${textOf(sight)}`));
      for (const { expectation, verdict } of moment.report.expectations) {
        gates[expectation]!.push(exitCodeOf({ verdict }));
      }
    };
    await look("before any delivery");
    for (const to of [...sandbox.servers.map(({ machine }) => machine.name), "operator", ...this.nodes]) {
      deliveries.push(await sandbox.deliver(to, this.state));
      if (sandbox.servers.some(({ machine }) => machine.name === to)) {
        await look(`after ${to}`);
      }
    }
    await settled(
      () => this.verify(choicesOf(this.sandbox), []),
      ({ code }) => code === 0,
    );
    await look("at the end");
    if (sandbox.tokensHoldAuthority) {
      // They have it from the cluster, where it is by now what was delivered.
      await sandbox.apply(ACCESS_STACK, description);
    }
    const before = await this.inTheWay(Object.keys(gates));
    const joined = await this.join(step);
    if (step === "retired") {
      await sandbox.kubectl(sandbox.first, "delete", ...TOLD);
    }
    await this.issueToken(step);
    const after = await settled(
      () => this.inTheWay(Object.keys(gates)),
      (reasons) => Object.values(reasons).every((list) => list.length === 0 || isNeverSeen(list)),
    );
    const inTheWay = Object.fromEntries(
      Object.keys(gates).map((gate) => [gate, { before: before[gate]!, after: after[gate]! }]),
    );
    const seconds = (Date.now() - started) / 1000;
    return { step, seconds, deliveries, sights, compared, differences, gates, inTheWay, joined };
  }

  /** Why a gate is shut, of all that ports and the cluster show. */
  private async inTheWay(gates: readonly string[]): Promise<Record<string, readonly string[]>> {
    const { sandbox } = this;
    if (gates.length === 0) {
      return {};
    }
    sandbox.progress(`verify --kubeconfig`);
    const places = [...placesOf(sandbox), ...withoutKubelets(sandbox), "--kubeconfig", sandbox.first];
    const { report } = await this.verify(places, gates);
    return Object.fromEntries(report.expectations.map(({ expectation, reasons }) => [expectation, reasons]));
  }

  /** After the promotion every node asks for a certificate again, and every pod has another token. At each step somebody new comes, and goes. */
  private async join(step: RotationStep): Promise<string[]> {
    const { sandbox } = this;
    if (!sandbox.joinsByRequest) {
      return [];
    }
    const again = step === "promoted" ? this.nodes : [];
    for (const node of again) {
      await sandbox.rejoin(node);
    }
    const guest = `node-${step}`;
    await sandbox.join(guest);
    const callers = nodeCallers(sandbox, guest);
    this.load.add(...callers);
    await sleep(GUEST_SECONDS * 1000);
    this.load.remove(...callers);
    await sandbox.leave(guest);
    return [...again, guest];
  }

  /** From the promotion on, tokens of the first generation are let go, as pods do when they get another. */
  private async issueToken(when: string): Promise<void> {
    if (when === "promoted") {
      this.load.remove(...this.pods);
      this.pods = [];
    } else if (when === "before" || when === "introduced") {
      this.oldTokens.push(await tokenOf(this.sandbox));
    }
    const callers = await podCallers(this.sandbox, when);
    this.pods.push(...callers);
    this.load.add(...callers);
  }

  private async readState(): Promise<void> {
    writeFileSync(this.state, await this.probes.readState(), { mode: 0o600 });
  }

  private verify(choices: readonly string[], gates: readonly string[]): Promise<Verified> {
    const expecting = gates.flatMap((gate) => ["--expect", gate]);
    const argv = [this.state, "--inventory", this.sandbox.inventory, "--timeout", "15s", ...choices, ...expecting];
    return verify(this.sandbox, argv);
  }

  /** Every port as `verify` and clients see it. While a component reads a file again, they may see different things: they look again. */
  private async look(gates: readonly string[] = []): Promise<{ sights: readonly Sight[]; report: VerifyReport }> {
    const see = async () => {
      const { report } = await this.verify(choicesOf(this.sandbox), gates);
      return { report, sights: await Promise.all(report.ports.map((port) => this.sight(port))) };
    };
    return settled(see, ({ sights }) => !sights.some(differs));
  }

  private async sight({ machine, component, port, asked, served, trusted }: PortReport): Promise<Sight> {
    const [, host, number] = /^(.*):(\d+)$/.exec(asked!)!;
    const place = { host: host!, port: Number(number) };
    const [signers, letIn] = [await this.probes.serves(place), await this.probes.letIn(component, place)];
    return {
      machine,
      place: `${component}:${port ?? ""}`,
      verify: sightText(served.signedBy ? [served.signedBy] : [], trusted.generations),
      probes: sightText(signers, letIn),
    };
  }

  private async stillAccepted(): Promise<string[]> {
    const found = (await this.look()).sights
      .map(({ machine, place, probes }) => `${machine} ${place}: ${probes}`)
      .filter((line) => this.names.some((name) => line.includes(`${name} g1`)));
    if (this.names.some((name) => !(name in this.sandbox.description.props.distribution.table.authorities))) {
      for (const machine of machinesOf(this.sandbox, "control-plane")) {
        for (const token of this.oldTokens) {
          const status = await statusOf(this.sandbox, machine, { token });
          found.push(...(status === 401 ? [] : [`${machine}: a token of the first generation: ${status}`]));
        }
      }
    }
    return found;
  }
}

/** Looks until it is right, or as long as that may take: then the last look is what there is. */
async function settled<T>(see: () => Promise<T>, isRight: (seen: T) => boolean): Promise<T> {
  const end = Date.now() + SETTLES_SECONDS * 1000;
  for (let seen = await see(); ; seen = await see()) {
    if (isRight(seen) || Date.now() > end) {
      return seen;
    }
    await sleep(500);
  }
}

function differs({ verify, probes }: Sight): boolean {
  return verify !== probes;
}

function textOf({ machine, place, verify, probes }: Sight): string {
  return `${machine} ${place}: verify says ${verify}; clients see ${probes}`;
}

function sightText(signers: readonly string[], letIn: Readonly<Record<string, readonly string[]>>): string {
  const trusts = Object.entries(letIn)
    .filter(([, ids]) => ids.length > 0)
    .map(([name, ids]) => `${name} ${[...ids].sort().join("+")}`)
    .sort();
  return `by ${signers.join(" or ") || "itself"}, for ${trusts.join(", ") || "nobody"}`;
}

/** Nobody serves what this authority signed, so that no gate for it opens. */
function isNeverSeen(reasons: readonly string[]): boolean {
  return reasons.join() === "no port that was looked at shows what it signed";
}
