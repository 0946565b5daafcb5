import { ClusterPkiProps, Distribution, Generation, Machine, type Users, Validity } from "../../lib";
import { Backend, localState } from "../../stacks/backend";
import { AccessOptions } from "../../stacks/cluster-access-stack";
import { distributionNamed } from "./distribution";

const STACKS = "sandbox";
export const PKI_STACK = `${STACKS}-pki`;
export const ACCESS_STACK = `${STACKS}-access`;
export const CONTROL_PLANE = "cp-1";

const VARIABLE = "SANDBOX";

/** Steps of a rotation, after each of which everything goes on. */
const STEPS = {
  introduced: () => ({ g1: Generation.active(), g2: Generation.trusted() }),
  promoted: () => ({ g1: Generation.trusted(), g2: Generation.active() }),
  retired: () => ({ g1: Generation.retired(), g2: Generation.active() }),
  removed: () => ({ g2: Generation.active() }),
} as const;

/** The steps of a rotation, in their order. */
export const ROTATION_STEPS = Object.keys(STEPS) as RotationStep[];

/** Who may be described to a sandbox. */
const PEOPLE: Users = {
  jane: {
    user: "jane@example.com",
    group: "engineers",
    validity: Validity.hours(12),
    grants: [{ clusterRole: "view" }, { clusterRole: "edit", namespace: "default" }],
  },
  joe: { validity: Validity.days(1), grants: [{ clusterRole: "view", namespace: "default" }], kubeconfig: "files" },
  max: { validity: Validity.hours(1), group: "strangers" },
  login: {
    user: "joe-by-login",
    grants: [{ clusterRole: "view", namespace: "default" }],
    kubeconfig: { command: "./login", args: ["joe"], interactiveMode: "Never" },
  },
  kim: { validity: Validity.days(1), group: "engineers", moreGroups: ["on-call"] },
  ci: { validity: Validity.days(7), appliesAccess: true },
};

/** How far a rotation has come. */
export type RotationStep = keyof typeof STEPS;

/** What the process that runs the sandbox tells the app that cdktf runs. */
interface Settings {
  readonly port: number;
  /** @default kubeadm */
  readonly distribution?: string;
  /** Workers with a name in the description, and certificates of their own. @default - none */
  readonly workers?: readonly string[];
  readonly kubernetesProvider: "2.38.0" | "1.13.4";
  readonly extraSans?: readonly string[];
  /** Whether everything has a second generation by now, which signs. */
  readonly rotated?: boolean;
  /** How far some of the authorities and key pairs have come in a rotation. @default - nobody rotates any */
  readonly rotation?: { readonly of: readonly string[]; readonly step: RotationStep };
  /** Whether there are two control planes and three machines of etcd. @default - one control plane, with etcd on it */
  readonly highlyAvailable?: boolean;
  /** Name of the endpoint in a network, in which two control planes are that do not run here. @default - everything is on this machine */
  readonly elsewhere?: string;
  /** Whether machines have authorities' keys. @default - as the distribution has it */
  readonly authorityKeysOnMachines?: boolean;
  /** People and pipelines, by their names in {@link PEOPLE}. @default - nobody */
  readonly users?: readonly string[];
  /** Requests (CSRs) of users who have their own key. @default - Terraform makes all keys */
  readonly requests?: Readonly<Record<string, string>>;
  /** Names of bootstrap tokens. @default - the one that every cluster has */
  readonly tokens?: readonly string[];
  /** First part of the stacks' names. @default sandbox */
  readonly stacks?: string;
  /** Name of a token that was made elsewhere. @default - none was */
  readonly tokenFromOutside?: string;
  /** What else stands in the API server. @default - what a distribution has without a word */
  readonly access?: AccessOptions;
}

// All of 127.0.0.0/8 is this machine. No two machines share an address, so they may share the numbers of their ports.
const ONE_MACHINE = { controlPlanes: [{ name: CONTROL_PLANE, addresses: ["127.0.0.1"] }] };
const HIGHLY_AVAILABLE = {
  controlPlanes: machines("cp", "127.0.2", 2),
  etcd: { topology: "members", members: machines("etcd", "127.0.3", 3) },
} as const;
const ELSEWHERE = { controlPlanes: machines("cp", "192.0.2", 2) };

function machines(name: string, network: string, count: number): Machine[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${name}-${index + 1}`,
    addresses: [`${network}.${index + 1}`],
  }));
}

/** The cluster of a sandbox. */
export class SandboxDescription {
  public static fromEnvironment(): SandboxDescription {
    return new SandboxDescription(JSON.parse(process.env[VARIABLE] ?? "{}") as Settings);
  }

  public readonly props: ClusterPkiProps;
  public readonly access: AccessOptions;
  public readonly backend: Backend = localState("state");

  public constructor(private readonly settings: Settings) {
    const { port, workers, extraSans, rotated, rotation, highlyAvailable, users, requests = {}, tokens } = settings;
    const { elsewhere, authorityKeysOnMachines } = settings;
    const here = highlyAvailable ? HIGHLY_AVAILABLE : ONE_MACHINE;
    const { controlPlanes, ...etcd } = elsewhere === undefined ? here : ELSEWHERE;
    const distribution = distributionNamed(settings.distribution);
    this.props = {
      distribution,
      // Nobody but Terraform is there to issue them.
      issueLeaves: true,
      ...(authorityKeysOnMachines === undefined ? {} : { authorityKeysOnMachines }),
      cluster: {
        name: "sandbox",
        endpoint: `${elsewhere ?? "127.0.0.1"}:${port}`,
        serviceCidrs: ["10.96.0.0/12"],
        controlPlanes: controlPlanes.map((machine) => ({ ...machine, bindPort: port })),
        ...etcd,
        workers: workers?.map((worker, index) => ({
          name: worker,
          addresses: elsewhere === undefined ? [`127.0.1.${index + 1}`] : undefined,
        })),
        extraSans,
      },
      ...(rotated ? secondGeneration(distribution) : {}),
      ...(rotation ? rotationOf(distribution, rotation) : {}),
      ...(users
        ? { users: Object.fromEntries(users.map((name) => [name, { ...PEOPLE[name]!, request: requests[name] }])) }
        : {}),
    };
    const named = tokens && { tokens: Object.fromEntries(tokens.map((name) => [name, {}])) };
    const usual = "worker" in distribution.table.access.tokens ? { ...named } : { tokens: {} };
    this.access = settings.access ?? usual;
  }

  /** Name of a token that was made elsewhere. */
  public get tokenFromOutside(): string | undefined {
    return this.settings.tokenFromOutside;
  }

  /** Which kubernetes provider Terraform finds. */
  public get kubernetesProvider(): Settings["kubernetesProvider"] {
    return this.settings.kubernetesProvider;
  }

  /** The environment from which {@link fromEnvironment} makes the same. */
  public get environment(): Record<string, string> {
    return { [VARIABLE]: JSON.stringify(this.settings) };
  }

  /** First part of the names of the stacks. */
  public get stacks(): string {
    return this.settings.stacks ?? STACKS;
  }

  /** The same cluster with something else about it. */
  public with(
    settings: Partial<Omit<Settings, "port" | "distribution" | "workers" | "kubernetesProvider">>,
  ): SandboxDescription {
    return new SandboxDescription({ ...this.settings, ...settings });
  }
}

/** A rotation of all authorities and keys at once, when the new ones sign and the old ones are still trusted. */
function secondGeneration({ table }: Distribution): Partial<ClusterPkiProps> {
  const generations = { g1: Generation.trusted(), g2: Generation.active() };
  const every = <T>(rows: object, value: T) => Object.fromEntries(Object.keys(rows).map((name) => [name, value]));
  return {
    authorities: every(table.authorities, { generations }),
    serviceAccount: { generations },
    certificates: every(table.certificates, { keyGeneration: "k2" }),
  };
}

function rotationOf(
  { table }: Distribution,
  { of, step }: NonNullable<Settings["rotation"]>,
): Partial<ClusterPkiProps> {
  const generations = STEPS[step]();
  const authorities = of.filter((name) => Object.hasOwn(table.authorities, name));
  return {
    authorities: Object.fromEntries(authorities.map((name) => [name, { generations }])),
    // No distribution has more than this one key pair.
    ...(authorities.length < of.length ? { serviceAccount: { generations } } : {}),
  };
}
