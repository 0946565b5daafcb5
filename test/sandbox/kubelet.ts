/**
 * What a real kubelet needs to run where there are no containers, and to leave nothing behind. Its runtime runs nothing. The folder of its
 * machine is its disk, in namespaces of its own: it has every right there and none outside, and can write no setting of the kernel.
 */
import type { CommandLine } from "./tied";

/** What a kubelet is told of where it runs, and of its files. */
export interface KubeletOptions {
  readonly address: string;
  readonly port: number;
  /** Paths by fields of its configuration, with dots for what is nested. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether it asks for a certificate of its own, and for the next one in time. */
  readonly renews: boolean;
}

/** Where it finds the runtime, its configuration and, if nobody gave it one, the certificate that it made to serve with. */
export const RUNTIME_SOCKET = "/run/fake-runtime.sock";
export const KUBELET_CONFIGURATION = "/var/lib/kubelet/config.yaml";
export const SELF_MADE_CERTIFICATE = "/var/lib/kubelet/pki/kubelet.crt";

/**
 * The configuration of a kubelet, as YAML. What is said of cgroups and of the kernel is for machines where it may change neither.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export function kubeletConfiguration({ address, port, files, renews }: KubeletOptions): string {
  const configuration = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address,
    port,
    healthzPort: 0,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: "Webhook" },
    rotateCertificates: renews,
    containerRuntimeEndpoint: `unix://${RUNTIME_SOCKET}`,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    resolvConf: "",
    // It goes on where it may not write the kernel's settings.
    featureGates: { KubeletInUserNamespace: true },
  };
  for (const [field, file] of Object.entries(files)) {
    const names = field.split(".");
    const last = names.pop()!;
    let inner: Record<string, unknown> = configuration;
    for (const name of names) {
      inner = (inner[name] ??= {}) as Record<string, unknown>;
    }
    inner[last] = file;
  }
  return JSON.stringify(configuration, undefined, 2);
}

/** Whoever is no root outside may remount nothing with fewer restrictions than it has. */
const READ_ONLY = "remount,bind,ro,nosuid,nodev,noexec";

/** A kubelet looks whether its disk is a shared mount, and whether there is a user `kubelet`. */
const ON_ITS_DISK = `
set -e
root=$0 program=$1 name=bin/$(basename "$1")
shift
mount --bind "$root" "$root"
cd "$root"
mount --make-shared .
mkdir -p bin dev etc proc sys tmp
touch "$name" etc/passwd
mount --bind "$program" "$name"
for folder in dev proc sys; do mount --rbind "/$folder" "$folder"; done
mount --bind proc/sys proc/sys
mount -o ${READ_ONLY} proc/sys
exec chroot . "/$name" "$@"`;

/** The command line that runs a program on the disk that a folder is. Paths in its arguments are those of its machine. */
export function onItsDisk(root: string, program: string, args: readonly string[]): CommandLine {
  const namespaces = ["--user", "--map-root-user", "--mount"];
  return ["unshare", [...namespaces, "/bin/sh", "-c", ON_ITS_DISK, root, program, ...args]];
}
