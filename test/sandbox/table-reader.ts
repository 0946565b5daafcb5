import { readFileSync } from "node:fs";
import type { CertificateRow, Consumer, DistributionTable, FileKind, FileRow, HolderKind } from "../../lib";
import type { Identity } from "./ask";
import { CONTROL_PLANE } from "./description";
import type { Sandbox } from "./sandbox";

/** A client's certificate on a machine. */
export interface Held {
  readonly name: string;
  readonly row: CertificateRow;
  readonly machine: string;
  readonly kubeconfigs: readonly string[];
  /** Where it is written as files of its own. */
  readonly pair?: { readonly certificate: string; readonly key: string };
}

/** Finds rows and files in a table. */
export class TableReader {
  /** @param machines the names of those that have files, and what each is; a control plane where nobody says */
  public constructor(
    private readonly table: DistributionTable,
    private readonly machines: Readonly<Record<string, readonly HolderKind[]>> = { [CONTROL_PLANE]: ["control-plane"] },
  ) {}

  /** Certificates with which somebody may come to the API server, on each machine that has one. */
  public clients(): Held[] {
    return this.held().filter(
      ({ row }) => row.usage.purposes.includes("client_auth") && this.isClientAuthority(row.authority),
    );
  }

  public isClientAuthority(name: string): boolean {
    return this.isTrustedWith("kube-apiserver", "--client-ca-file", name);
  }

  public isClientOfEtcd({ files }: CertificateRow): boolean {
    return files.some((file) => {
      return (
        isReadBy(file, "kube-apiserver", "--etcd-certfile") ||
        file.consumers.some(({ component }) => component === "etcdctl")
      );
    });
  }

  /** Whether a component lets in whom an authority signed, by the file that it reads with a flag. */
  public isTrustedWith(component: string, flag: string, authority: string): boolean {
    return Object.entries(this.table.authorities).some(([name, { files }]) =>
      files.some(
        (file) => isReadBy(file, component, flag) && (name === authority || (file.alsoOf ?? []).includes(authority)),
      ),
    );
  }

  /** Certificates that a component reads with a flag, on each machine that has one. */
  public certificates(component: string, flag: string): Held[] {
    return this.held().filter(({ row }) => row.files.some((file) => isReadBy(file, component, flag)));
  }

  /** The row of the certificate that a component reads with a flag, whoever holds it. */
  public row(component: string, flag: string): CertificateRow {
    return Object.values(this.table.certificates).find(({ files }) =>
      files.some((file) => isReadBy(file, component, flag)),
    )!;
  }

  /** The first control plane's certificate that a component reads with a flag. */
  public certificate(component: string, flag: string): Held {
    return this.certificates(component, flag).find(({ machine }) => machine === CONTROL_PLANE)!;
  }

  /** Certificates with which somebody may come to etcd's client port, on each machine that has one. */
  public clientsOfEtcd(): Held[] {
    return this.held().filter(({ row }) => this.isClientOfEtcd(row));
  }

  /** The file that a component reads with a flag. */
  public fileOf(component: string, flag: string): string {
    const { authorities, certificates, keyPairs } = this.table;
    const parts: readonly Readonly<Record<string, { readonly files: readonly FileRow[] }>>[] = [
      ...[authorities, certificates, keyPairs],
    ];
    const files = parts.flatMap((part) => Object.values(part).flatMap((row) => row.files));
    return files.find((file) => isReadBy(file, component, flag))!.path;
  }

  /** The file of a machine in which an authority is; that of the API servers where nobody says. */
  public authorityOn(machine: string, authority = this.table.apiServerAuthority): string {
    const holders = this.machines[machine]!;
    return this.table.authorities[authority]!.files.find(
      ({ kind, on }) => kind === "bundle" && on.some((holder) => holders.includes(holder)),
    )!.path;
  }

  private held(): Held[] {
    return Object.entries(this.table.certificates).flatMap(([name, row]) =>
      Object.entries(this.machines)
        .map(([machine, holders]) => heldBy(machine, holders, name, row))
        .filter(({ kubeconfigs, pair }) => kubeconfigs.length > 0 || pair !== undefined),
    );
  }
}

function heldBy(machine: string, holders: readonly HolderKind[], name: string, row: CertificateRow): Held {
  const files = row.files.filter(({ on }) => on.some((holder) => holders.includes(holder)));
  const pathOf = (...kinds: FileKind[]) => files.find(({ kind }) => kinds.includes(kind))?.path;
  const [certificate, key] = [pathOf("certificate", "chain"), pathOf("private key")];
  const kubeconfigs = files.filter(({ kind }) => kind === "kubeconfig").map((file) => file.path);
  return { name, row, machine, kubeconfigs, pair: certificate && key ? { certificate, key } : undefined };
}

function isReadBy(
  { consumers }: { readonly consumers: readonly Consumer[] },
  component: string,
  flag: string,
): boolean {
  return consumers.some((consumer) => {
    return consumer.component === component && "flag" in consumer.via && consumer.via.flag === flag;
  });
}

/** What one comes with, as it is on the disk by now. */
export function identityIn(sandbox: Sandbox, { machine, kubeconfigs, pair }: Held): Identity {
  const read = (file: string) => readFileSync(sandbox.file(machine, file), "utf8");
  return pair ? { cert: read(pair.certificate), key: read(pair.key) } : fromKubeconfig(read(kubeconfigs[0]!)).identity;
}

/** Takes a kubeconfig apart that holds everything itself. */
export function fromKubeconfig(text: string): { readonly identity: Identity; readonly ca: string } {
  const decoded = (name: string) => Buffer.from(new RegExp(`${name}: (.*)`).exec(text)![1]!, "base64").toString();
  return {
    identity: { cert: decoded("client-certificate-data"), key: decoded("client-key-data") },
    ca: decoded("certificate-authority-data"),
  };
}
