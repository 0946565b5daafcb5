import { X509Certificate } from "node:crypto";
import { type AuthorityEntry, type CertificateEntry, type Inventory, LATER } from "../inventory-schema";
import { typeOf } from "../terraform-json/address";
import { publishedCertificates } from "../terraform-json/outputs";
import { pemAt, resourceType } from "../terraform-json/resource-types";
import type { State } from "../terraform-json/state";
import { subjectOf } from "./der";
import { signerOf } from "./names";

// What was issued, and where it should be seen: from inventories, and from states where there are some.

/** An inventory, and the states that have what is in it. */
export interface Source {
  readonly inventory: Inventory;
  /** None: names are compared instead of certificates. */
  readonly states: readonly State[];
}

/** A generation of an authority. */
export interface Generation {
  readonly cluster: string;
  readonly authority: string;
  readonly id: string;
  /** Where it stands in its life: in the state, or as it is described. */
  readonly state: AuthorityEntry["state"];
  /** `CN=…, O=…`; missing where nobody knows. */
  readonly subject?: string;
  /** Missing without a state that has it. */
  readonly certificate?: X509Certificate;
}

/** A certificate that a component serves. */
export interface Issued {
  readonly name: string;
  readonly authority: string;
  readonly issuedBy: CertificateEntry["issuedBy"];
  /** `CN=…, O=…` */
  readonly subject: string;
  /** Generation that is to sign it, where no state has it. */
  readonly generation: string;
  /** Missing where the distribution issues it, and without a state that has it. */
  readonly certificate?: X509Certificate;
}

/** What is to be trusted somewhere: all generations that are not retired, or the active one. */
export interface Trusted {
  readonly authority: string;
  readonly generations: "all" | "active";
  /** Flags or fields by which it is read; none of what is no file. */
  readonly via: readonly string[];
}

/** An authority with which a cluster itself signs the certificates that its nodes come with. */
export interface NodeSigner {
  readonly cluster: string;
  readonly authority: string;
  /** The generation that signs. */
  readonly active: string;
  /** How long what it signs is valid. */
  readonly hours: number;
  /** How long what Terraform issues for a node is valid, by its name. */
  readonly ownHours: ReadonlyMap<string, number>;
  /** Since when the active generation has signed at the latest: milliseconds. Missing without a state that tells. */
  readonly since?: number;
}

/** A port of a machine, or another place, and what is to be seen there. */
export interface Port {
  readonly cluster: string;
  readonly machine: string;
  readonly component: string;
  /** The one of the description, by which it is named; missing of a ConfigMap. */
  readonly number?: number;
  /** None where nobody knows any. */
  readonly addresses: readonly string[];
  /** Missing where what is served was not issued here. */
  readonly issued?: Issued;
  /** None where whose clients are let in is not said here. */
  readonly trusted: readonly Trusted[];
}

/** A port that a component listens on. */
export interface ListeningPort extends Port {
  readonly number: number;
}

/** A file whose use no handshake shows. */
export interface Unseen {
  readonly cluster: string;
  readonly authority: string;
  readonly component: string;
  /** Flags or fields by which it is read. */
  readonly via: readonly string[];
  readonly machines: readonly string[];
  /** With `{machine}` for the machine's name. */
  readonly path: string;
  readonly onChange: "reload" | "restart";
}

/** Everything that is compared. */
export interface Facts {
  readonly generations: readonly Generation[];
  readonly ports: readonly ListeningPort[];
  readonly unseen: readonly Unseen[];
  /** None where no authority has more than one generation, or the cluster signs nothing. */
  readonly nodeSigners: readonly NodeSigner[];
}

/** Puts together what inventories and states say. */
export function factsOf(sources: readonly Source[]): Facts {
  return {
    generations: sources.flatMap(generationsOf),
    ports: sources.flatMap(portsOf),
    unseen: sources.flatMap(unseenOf),
    nodeSigners: sources.flatMap(nodeSignersOf),
  };
}

const NO_CLUSTER = "";

function generationsOf({ inventory, states }: Source): Generation[] {
  return authoritiesOf(inventory).flatMap((entry): Generation[] => {
    const { cluster = NO_CLUSTER, name: authority, generation: id } = entry;
    const certificate = certificateAt(entry.addresses, states);
    const inState = states.length === 0 ? entry.state : stateOf(entry, states);
    const subject = certificate ? undefined : entry.subject;
    // What is described and was not applied yet is nowhere to be seen.
    return inState === undefined
      ? []
      : [
          {
            cluster,
            authority,
            id,
            state: inState,
            ...(subject ? { subject } : {}),
            ...(certificate ? { certificate } : {}),
          },
        ];
  });
}

/** Where a generation stood at the last apply. */
function stateOf({ cluster = NO_CLUSTER, name, generation, ...entry }: AuthorityEntry, states: readonly State[]) {
  const published = states
    .flatMap(({ outputs }) => [...outputs].map(([output, value]) => publishedCertificates(output, value)))
    .filter((found) => found?.prefix === cluster);
  const known = published.map((found) => found?.value.authorities[name]?.[generation]).find((state) => state);
  // A user's own authority is in no such output.
  return known ?? (published.length === 0 && certificateAt(entry.addresses, states) ? entry.state : undefined);
}

function portsOf({ inventory, states }: Source): ListeningPort[] {
  return (inventory.machines ?? []).flatMap((machine) =>
    machine.ports.map(({ component, number, files }): ListeningPort => {
      const isHere = (file: { readonly holder: string; readonly path: string }) =>
        file.holder === machine.name && files.some(({ path }) => path === file.path);
      const own = certificatesOf(inventory).filter(({ cluster }) => cluster === machine.cluster);
      const served = own.find(({ files: all }) => all.some((file) => isHere(file) && file.kind !== "private key"));
      // The file of a certificate may have its authority behind it: that is no trust.
      const isServed = (path: string) => served?.files.some((file) => isHere(file) && file.path === path);
      const trusted = authoritiesOf(inventory)
        .filter(({ cluster }) => cluster === machine.cluster)
        .flatMap((entry) =>
          entry.files
            .filter((file) => isHere(file) && !isServed(file.path))
            .map(({ kind, path }) => [entry.name, kind, path] as const),
        )
        .map(([authority, kind, path]): Trusted => {
          const via = files.filter((file) => file.path === path).map((file) => file.via);
          return { authority, generations: kind === "bundle" ? "all" : "active", via };
        });
      return {
        ...{ cluster: machine.cluster, machine: machine.name, component, number },
        addresses: machine.addresses.filter((address) => address !== LATER),
        ...(served ? { issued: issuedOf(served, states) } : {}),
        trusted: [...new Map(trusted.map((one) => [one.authority, withAllVia(one, trusted)])).values()],
      };
    }),
  );
}

/** What is trusted by several files, with all of the flags. */
function withAllVia(one: Trusted, all: readonly Trusted[]): Trusted {
  const own = all.filter(({ authority }) => authority === one.authority);
  return { ...one, via: [...new Set(own.flatMap(({ via }) => via))] };
}

/** Signing began when the oldest certificate was issued that the active generation signed: at its promotion, all were issued anew. */
function nodeSignersOf(source: Source): NodeSigner[] {
  const { inventory, states } = source;
  const generations = generationsOf(source);
  const issued = certificatesOf(inventory);
  return signingEntries(inventory).flatMap(
    ({ cluster = NO_CLUSTER, name: authority, signsNodesForHours: hours = 0 }) => {
      const all = generations.filter((one) => one.cluster === cluster && one.authority === authority);
      const active = all.find(({ state }) => state === "active");
      if (active === undefined || all.length < 2) {
        return [];
      }
      const own = issued.filter((one) => one.cluster === cluster && one.issuer.authority === authority);
      const starts = own
        .flatMap(({ addresses }) => certificateAt(addresses, states) ?? [])
        .filter((certificate) => active.certificate && signerOf(certificate, all) === active)
        .map(({ validFrom }) => Date.parse(validFrom));
      const ownHours = own.flatMap(({ subject, validityHours }) => {
        const node = /\bCN=system:node:([^,]+)/.exec(subject)?.[1];
        return node !== undefined && validityHours !== undefined ? [[node, validityHours] as const] : [];
      });
      return [
        {
          ...{ cluster, authority, active: active.id, hours, ownHours: new Map(ownHours) },
          ...(starts.length > 0 ? { since: Math.min(...starts) } : {}),
        },
      ];
    },
  );
}

/** Flags by which kube-controller-manager reads what it signs the certificates with that kubelets come with. */
const SIGNS_CLIENTS: readonly string[] = ["--cluster-signing-cert-file", "--cluster-signing-kubelet-client-cert-file"];

/** The authority of each cluster with which that signs what its nodes come with; of several, the one that is read for it. */
function signingEntries(inventory: Inventory): AuthorityEntry[] {
  const candidates = authoritiesOf(inventory).filter(({ signsNodesForHours }) => signsNodesForHours !== undefined);
  const isRead = ({ files }: AuthorityEntry) =>
    files.some(({ consumers }) => consumers.some(({ via }) => SIGNS_CLIENTS.includes(via)));
  const found = new Map<string, AuthorityEntry>();
  for (const entry of [...candidates.filter(isRead), ...candidates]) {
    const cluster = entry.cluster ?? NO_CLUSTER;
    found.set(cluster, found.get(cluster) ?? entry);
  }
  return [...found.values()];
}

function issuedOf({ name, issuer, issuedBy, subject, addresses }: CertificateEntry, states: readonly State[]): Issued {
  const certificate = certificateAt(addresses, states);
  const { authority, generation } = issuer;
  return { name, authority, generation, issuedBy, subject, ...(certificate ? { certificate } : {}) };
}

/** Files with trust in an authority, or a certificate of it, that a running component reads and shows nobody. */
function unseenOf({ inventory }: Source): Unseen[] {
  const shown = new Set(
    (inventory.machines ?? []).flatMap(({ cluster, name, ports }) =>
      ports.flatMap(({ component, files }) => files.map(({ via }) => [cluster, name, component, via].join("\n"))),
    ),
  );
  const found = new Map<string, Unseen>();
  for (const entry of inventory.entries) {
    if (entry.kind !== "authority" && entry.kind !== "certificate") {
      continue;
    }
    const { cluster = NO_CLUSTER } = entry;
    const authority = entry.kind === "authority" ? entry.name : entry.issuer.authority;
    for (const file of entry.files.filter(({ kind }) => SHOWS.includes(kind))) {
      const path = file.path.replaceAll(file.holder, "{machine}");
      for (const { component, via, onChange } of file.consumers) {
        if (onChange !== "next-use" && !shown.has([cluster, file.holder, component, via].join("\n"))) {
          const key = [cluster, authority, component, path, onChange].join("\n");
          const known = found.get(key);
          const vias = [...new Set([...(known?.via ?? []), via])];
          const machines = [...new Set([...(known?.machines ?? []), file.holder])];
          found.set(key, { cluster, authority, component, via: vias, machines, path, onChange });
        }
      }
    }
  }
  return [...found.values()];
}

/** Kinds of files that hold trust or an identity; a private key comes with its certificate. */
const SHOWS: readonly string[] = ["certificate", "chain", "bundle", "signer", "kubeconfig"];

function authoritiesOf({ entries }: Inventory): AuthorityEntry[] {
  return entries.filter((entry) => entry.kind === "authority");
}

function certificatesOf({ entries }: Inventory): CertificateEntry[] {
  return entries.filter((entry) => entry.kind === "certificate");
}

/** The certificate among resources; undefined where none of them is in a state, or holds one that can be read. */
function certificateAt(addresses: readonly string[], states: readonly State[]): X509Certificate | undefined {
  for (const state of states) {
    for (const address of addresses) {
      const pem = pemAt(resourceType(typeOf(address)), state.values(address), "certificate");
      const certificate = pem === undefined ? undefined : readCertificate(pem);
      if (certificate) {
        return certificate;
      }
    }
  }
  return undefined;
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem);
    return certificate.publicKey && subjectOf(certificate.raw) ? certificate : undefined;
  } catch {
    return undefined;
  }
}
