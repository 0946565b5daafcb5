import { ClusterPkiProps, Distribution, Generation } from "../../lib";
import { Backend, localState } from "../../stacks/backend";

const STACKS = "sandbox";
export const PKI_STACK = `${STACKS}-pki`;
export const ACCESS_STACK = `${STACKS}-access`;
export const CONTROL_PLANE = "cp-1";

const VARIABLE = "SANDBOX";

/** What the process that runs the sandbox tells the app that cdktf runs. */
interface Settings {
  readonly port: number;
  readonly kubernetesProvider: "2.38.0" | "1.13.4";
  readonly extraSans?: readonly string[];
  /** Whether everything has a second generation by now, which signs. */
  readonly rotated?: boolean;
  /** First part of the stacks' names. @default sandbox */
  readonly stacks?: string;
}

/** The cluster of a sandbox. */
export class SandboxDescription {
  public static fromEnvironment(): SandboxDescription {
    return new SandboxDescription(JSON.parse(process.env[VARIABLE] ?? "{}") as Settings);
  }

  public readonly props: ClusterPkiProps;
  public readonly backend: Backend = localState("state");

  public constructor(private readonly settings: Settings) {
    const { port, extraSans, rotated } = settings;
    this.props = {
      distribution: Distribution.KUBEADM,
      cluster: {
        name: "sandbox",
        endpoint: `127.0.0.1:${port}`,
        serviceCidrs: ["10.96.0.0/12"],
        controlPlanes: [{ name: CONTROL_PLANE, addresses: ["127.0.0.1"], bindPort: port }],
        extraSans,
      },
      ...(rotated ? secondGeneration(Distribution.KUBEADM) : {}),
    };
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
  public with(settings: Partial<Pick<Settings, "extraSans" | "stacks" | "rotated">>): SandboxDescription {
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
