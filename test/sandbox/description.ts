import { Cluster, Distribution } from "../../lib";
import { Backend, localState } from "../../stacks/backend";

export const PKI_STACK = "sandbox-pki";
export const ACCESS_STACK = "sandbox-access";
export const CONTROL_PLANE = "cp-1";

const VARIABLE = "SANDBOX";

/** What the process that runs the sandbox tells the app that cdktf runs. */
interface Settings {
  readonly port: number;
  readonly kubernetesProvider: "2.38.0" | "1.13.4";
  readonly extraSans: readonly string[];
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

  /** The same cluster with other names for its API server. */
  public withExtraSans(...extraSans: string[]): SandboxDescription {
    return new SandboxDescription({ ...this.settings, extraSans });
  }
}
