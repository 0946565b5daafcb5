import type { X509Certificate } from "node:crypto";
import type { Generation, NodeSigner, Port } from "./facts";
import { signerOf } from "./names";
import type { Look, UnseenReport } from "./report";

// With which certificates nodes come. No port shows them: they are in what the cluster keeps of the requests for them.

/** A certificate that the cluster issued for a node, and the request that was for. */
export interface NodeCertificate {
  readonly node: string;
  readonly request: string;
  /** Milliseconds. */
  readonly asked: number;
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
}

/** What a node's client certificate is called, as its file is: `kubelet-client-current.pem`. */
export const KUBELET_CLIENT = "kubelet-client";

const VIA = "client certificate";

/** The nodes of a cluster, each like a port on which its client certificate is shown. */
export function nodeClients({ cluster, authority, active }: NodeSigner, nodes: readonly string[]): Port[] {
  return nodes.map((machine) => ({
    ...{ cluster, machine, component: KUBELET_CLIENT, addresses: [], trusted: [] },
    issued: {
      ...{ name: KUBELET_CLIENT, authority, issuedBy: "distribution", generation: active },
      subject: `CN=system:node:${machine}, O=system:nodes`,
    },
  }));
}

/** What is known of a node's certificate; undefined where it was issued too long ago for the cluster to know. */
export function lookAtNode(port: Port, certificates: readonly NodeCertificate[]): Look | undefined {
  const own = certificates.filter(({ node }) => node === port.machine);
  const [newest] = own.sort((a, b) => startOf(b) - startOf(a) || b.asked - a.asked);
  return newest && { port, asked: `CSR ${newest.request}`, seen: { kind: "presented", chain: newest.chain } };
}

function startOf({ chain: [leaf] }: NodeCertificate): number {
  return Date.parse(leaf.validFrom);
}

/** Whose certificates nobody sees, and until when one of an earlier generation may be valid. */
export interface UnseenNodes {
  readonly signer: NodeSigner;
  readonly names: readonly string[];
  /** How many nodes there are, with those whose certificates are seen. */
  readonly of: number;
  /** Milliseconds; missing where no state tells when the active generation began to sign. */
  readonly end?: number;
}

/** The nodes of whose certificates nothing is seen. What an earlier generation is seen to have signed later, it signed until then. */
export function unseenNodes(
  signer: NodeSigner,
  clients: readonly Port[],
  looks: readonly Look[],
  certificates: readonly NodeCertificate[],
  generations: readonly Generation[],
): UnseenNodes {
  const seen = new Set(looks.map(({ port }) => port.machine));
  const names = clients.map(({ machine }) => machine).filter((name) => !seen.has(name));
  const { since, hours, ownHours, active } = signer;
  const longest = Math.max(hours, ...names.map((name) => ownHours.get(name) ?? 0));
  const earlier = certificates.filter(({ chain: [leaf] }) => signerOf(leaf, generations)?.id !== active);
  const ends = earlier.map(({ chain: [leaf] }) => Date.parse(leaf.validTo));
  const end = since === undefined ? {} : { end: Math.max(since + longest * 3_600_000, ...ends) };
  return { signer, names, of: clients.length, ...end };
}

/** Whether all that an earlier generation signed for nodes has ended. */
export function hasEnded({ end }: UnseenNodes, now: Date): boolean {
  return end !== undefined && now.getTime() >= end;
}

/** What to look at instead. */
export function whereNodesAreSeen({ signer: { hours }, end }: UnseenNodes): string {
  const until =
    end === undefined
      ? `one of the last generation is valid for up to ${hours} h after the promotion, of which a state would tell`
      : `one of the last generation is valid until ${new Date(end).toISOString().replace(/\.\d+/, "")} at the latest`;
  return `the issuer of the certificate that the kubelet's kubeconfig names, on the node; ${until}`;
}

/** They stand among what nobody sees. */
export function unseenNodeReports(nodes: UnseenNodes): UnseenReport[] {
  const { cluster, authority } = nodes.signer;
  return nodes.names.length === 0
    ? []
    : [
        {
          cluster,
          authority,
          component: KUBELET_CLIENT,
          via: [VIA],
          machines: nodes.names,
          lookAt: whereNodesAreSeen(nodes),
        },
      ];
}

/** The same where no cluster was asked. */
export function unaskedNodesReport({ cluster, authority }: NodeSigner): UnseenReport {
  const lookAt = "what the cluster knows of its nodes: give --kubeconfig";
  return { cluster, authority, component: KUBELET_CLIENT, via: [VIA], machines: ["every node"], lookAt };
}
