import { LATER, type MachineEntry, type PortEntry } from "../inventory-schema";
import { isExpression } from "../terraform/synthesized";
import type { Cluster } from "./cluster";
import type { ClusterParts } from "./cluster-parts";
import { consumerEntry, consumersOf } from "./consumers";
import { fillText, type Holder, holdersOf, holds } from "./holders";
import type { DistributionTable, FileRow } from "./table";

/** Machines of a cluster, and any worker, by the ports on which a handshake shows which files they use. */
export function machinesOf(prefix: string, { table, cluster }: ClusterParts): MachineEntry[] {
  return holdersOf(cluster)
    .map((holder): MachineEntry => ({
      cluster: prefix,
      name: holder.name,
      addresses: holder.addresses.map((address) => (isExpression(address) ? LATER : address)),
      ports: portsOf(filesOf(table, holder), holder, cluster),
    }))
    .filter(({ ports }) => ports.length > 0);
}

/** Rows of certificates, and of the authorities that are trusted, which somebody holds. */
function filesOf({ authorities, certificates }: DistributionTable, holder: Holder): FileRow[] {
  const held = Object.values(certificates).filter((row) => holds(holder, row.holders));
  return [...Object.values(authorities), ...held].flatMap(({ files }) => files).filter((row) => holds(holder, row.on));
}

function portsOf(files: readonly FileRow[], holder: Holder, cluster: Cluster): PortEntry[] {
  const described = cluster.controlPlanes?.find(({ name }) => name === holder.name);
  const ports = new Map<string, PortEntry>();
  for (const row of files) {
    const path = fillText(row.path, cluster, holder.name);
    for (const consumer of consumersOf(row, holder)) {
      const { component, port } = consumer;
      if (port !== undefined) {
        const number = (port.describedBy && described?.[port.describedBy]) ?? port.number;
        const key = `${component} ${number}`;
        const { via } = consumerEntry(consumer);
        const files = [...(ports.get(key)?.files ?? []), { via, path }].sort((a, b) => compare(a.via, b.via));
        ports.set(key, { component, number, setBy: port.setBy, files });
      }
    }
  }
  return [...ports.values()].sort((a, b) => compare(a.component, b.component) || a.number - b.number);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
