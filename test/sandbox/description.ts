import { Cluster, Distribution } from "../../lib";
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
  /** First part of the stacks' names. @default sandbox */
  readonly stacks?: string;
}

/** The cluster of a sandbox. */
export class SandboxDescription {
  public static fromEnvironment(): SandboxDescription {
    return new SandboxDescription(JSON.parse(process.env[VARIABLE] ?? "{}") as Settings);
  }

  public readonly props: { readonly distribution: Distribution; readonly cluster: Cluster };
  public readonly backend: Backend = localState("state");

  public constructor(private readonly settings: Settings) {
    const { port, extraSans } = settings;
    this.props = {
      distribution: Distribution.KUBEADM,
      cluster: {
        name: "sandbox",
        endpoint: `127.0.0.1:${port}`,
        serviceCidrs: ["10.96.0.0/12"],
        controlPlanes: [{ name: CONTROL_PLANE, addresses: ["127.0.0.1"], bindPort: port }],
        extraSans,
      },
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
  public with(settings: Partial<Pick<Settings, "extraSans" | "stacks">>): SandboxDescription {
    return new SandboxDescription({ ...this.settings, ...settings });
  }
}
