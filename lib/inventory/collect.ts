import { TerraformResource, TerraformStack, Token } from "cdktf";
import { CertRequest } from "@cdktf/provider-tls/lib/cert-request";
import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import type { IConstruct } from "constructs";
import { CLUSTER, ClusterFile } from "../kubernetes/holders";
import { fillNames, fillText, holds, holdersOf, Holder } from "../kubernetes/holdings";
import { consumersOf } from "../kubernetes/machine-files";
import {
  AuthorityEntry,
  BindingEntry,
  CertificateEntry,
  ConsumerEntry,
  FileEntry,
  Inventory,
  INVENTORY_SCHEMA_VERSION,
  InventoryEntry,
  Issuer,
  KeyPairEntry,
  LATER,
  TokenEntry,
} from "./schema";
import { addressOf } from "../terraform/address";
import { BootstrapToken } from "../access/bootstrap-token";
import { ClusterRoleBinding } from "../access/cluster-role-binding";
import { ClusterSecrets } from "../delivery/cluster-secrets";
import { FilesSecret } from "../delivery/files-secret";
import { JoinPassword } from "../delivery/join-password";
import { CertificateRow, Consumer } from "../kubernetes/table";
import { Cluster } from "../kubernetes/cluster";
import { ClusterPki } from "../kubernetes/cluster-pki";
import { Content, referencesIn } from "../kubernetes/content";
import { FilesOutput } from "../kubernetes/files";
import { AuthorityGeneration, CertificateAuthority } from "../x509/certificate-authority";
import { Certificate } from "../x509/certificate";
import { KeyPairRing } from "../x509/key-pair-ring";
import { Subject, SubjectFields } from "../x509/subject";
import { SubjectAltNames } from "../x509/subject-alt-names";

/**
 * Everything that a stack issues and grants, wherever its constructs are nested. Equal stacks have equal inventories. It names
 * secrets and holds none.
 */
export function inventoryOf(stack: TerraformStack): Inventory {
  const entries = new Collector(stack).entries();
  return { schemaVersion: INVENTORY_SCHEMA_VERSION, stack: stack.node.id, entries: entries.sort(byWhatItIs) };
}

/** What a construct is called, and in which cluster. */
interface Named {
  readonly cluster?: string;
  readonly name: string;
}

/** Reads the constructs of one stack. */
class Collector {
  private readonly nodes: readonly IConstruct[];
  private readonly clusters: readonly ClusterPki[];
  /** Names that a cluster's table gives to constructs. */
  private readonly names = new Map<IConstruct, Named & { readonly machine?: string }>();
  /** The row of a cluster's table that a construct stands for. */
  private readonly rows = new Map<IConstruct, ExceptionalRow>();
  /** The authority's generation behind the address of a certificate. */
  private readonly issuers = new Map<string, Issuer>();
  /** Files by the addresses that stand in them. */
  private readonly files = new Map<string, FileEntry[]>();

  public constructor(stack: TerraformStack) {
    this.nodes = stack.node.findAll();
    this.clusters = this.nodes.filter((node) => node instanceof ClusterPki);
    this.clusters.forEach((cluster) => this.nameParts(cluster));
    for (const authority of this.nodes.filter((node) => node instanceof CertificateAuthority)) {
      for (const { id, certificate } of Object.values(authority.generations)) {
        this.issuers.set(certificate.address, { authority: this.named(authority).name, generation: id });
      }
    }
    for (const output of this.nodes.filter((node) => node instanceof FilesOutput)) {
      Object.entries(output.files).forEach(([holder, list]) => list.forEach((file) => this.indexFile(holder, file)));
    }
    for (const { namespace, secrets } of this.nodes.filter((node) => node instanceof ClusterSecrets)) {
      secrets.forEach(({ name, data }) => this.indexSecret(namespace, name, data));
    }
    for (const { namespace, name, data } of this.nodes.filter((node) => node instanceof FilesSecret)) {
      this.indexSecret(namespace, name, data);
    }
  }

  public entries(): InventoryEntry[] {
    return [
      ...this.nodes.flatMap((node): InventoryEntry[] => {
        if (node instanceof CertificateAuthority) {
          return Object.values(node.generations).map((generation) => this.authority(node, generation));
        }
        if (node instanceof KeyPairRing) {
          return this.keyPairs(node);
        }
        if (node instanceof Certificate) {
          return [this.certificate(node)];
        }
        if (node instanceof BootstrapToken) {
          return [this.token(node, node.groups)];
        }
        if (node instanceof JoinPassword) {
          return [this.token(node, [])];
        }
        return node instanceof ClusterRoleBinding ? [this.binding(node)] : [];
      }),
      ...this.clusters.flatMap((cluster) => this.issuedByDistribution(cluster)),
    ];
  }

  private nameParts({ addressPrefix: cluster, identities }: ClusterPki): void {
    const { table, authorities, keyPairs, certificates } = identities;
    const add = (part: IConstruct, row: ExceptionalRow, named: Named & { readonly machine?: string }) => {
      this.names.set(part, named);
      this.rows.set(part, row);
    };
    authorities.forEach((part, name) => add(part, table.authorities[name]!, { cluster, name }));
    keyPairs.forEach((part, name) => add(part, table.keyPairs[name]!, { cluster, name }));
    for (const [key, leaf] of certificates) {
      const [machine, name] = key.split("/") as [string, string];
      add(leaf, table.certificates[name]!, { cluster, name, machine });
    }
  }

  private indexFile(machine: string, { path, kind, consumers, content }: ClusterFile): void {
    this.index({ machine, path, kind, consumers: consumers.map(consumerEntry) }, content);
  }

  private indexSecret(namespace: string, name: string, data: Readonly<Record<string, Content>>): void {
    const secret = ["Secret", namespace, name].map((part) => (Token.isUnresolved(part) ? LATER : part)).join("/");
    for (const [key, content] of Object.entries(data)) {
      this.index({ machine: CLUSTER, path: `${secret}#${key}`, kind: "secret", consumers: [] }, content);
    }
  }

  private index(entry: FileEntry, content: Content): void {
    for (const address of new Set(referencesIn(content).map((reference) => reference.address))) {
      this.files.set(address, [...(this.files.get(address) ?? []), entry]);
    }
  }

  private authority(node: CertificateAuthority, generation: AuthorityGeneration): AuthorityEntry {
    const { id, state, certificate, chain, validityHours } = generation;
    const addresses = addressesOf(node, (name) => name.endsWith(`__${id}`));
    return {
      kind: "authority",
      ...this.named(node),
      path: node.node.path,
      addresses,
      ...exceptionsOf(this.rows.get(node)),
      generation: id,
      state,
      ...requestOf(node, addresses),
      ...(chain.length > 0 ? { issuer: this.issuers.get(chain[0]!.address) ?? unknownIssuer(chain[0]!.address) } : {}),
      ...(validityHours === undefined ? {} : { validityHours }),
      ...keyAlgorithmOf(node, addresses),
      files: this.filesOf([...addresses, certificate.address]),
    };
  }

  private keyPairs(node: KeyPairRing): KeyPairEntry[] {
    return Object.entries(node.states).map(([id, state]) => {
      const addresses = addressesOf(node, (name) => name.endsWith(`__${id}`));
      return {
        kind: "key pair",
        ...this.named(node),
        path: node.node.path,
        addresses,
        ...exceptionsOf(this.rows.get(node)),
        generation: id,
        state,
        ...keyAlgorithmOf(node, addresses),
        files: this.filesOf(addresses),
      };
    });
  }

  private certificate(node: Certificate): CertificateEntry {
    const { subject, usage, sans, validity, issuer } = node;
    const addresses = addressesOf(node);
    return {
      kind: "certificate",
      ...this.named(node),
      path: node.node.path,
      addresses,
      ...exceptionsOf(this.rows.get(node)),
      issuedBy: "terraform",
      subject: subject.toString(),
      usage: usage.name,
      sans: namesOf(sans),
      issuer: this.issuers.get(issuer.certificate.address) ?? unknownIssuer(issuer.certificate.address),
      validityHours: validity.validityHours,
      earlyRenewalHours: validity.earlyRenewalHours,
      ...keyAlgorithmOf(node, addresses),
      files: this.filesOf(addresses),
    };
  }

  private token(node: BootstrapToken | JoinPassword, groups: readonly string[]): TokenEntry {
    const addresses = addressesOf(node);
    return {
      kind: "token",
      name: node.resource.friendlyUniqueId,
      path: node.node.path,
      addresses,
      groups,
      files: this.filesOf(addresses),
    };
  }

  private binding(node: ClusterRoleBinding): BindingEntry {
    return {
      kind: "binding",
      name: node.name,
      path: node.node.path,
      addresses: addressesOf(node),
      role: `ClusterRole/${node.clusterRole}`,
      subjects: node.subjects.map(({ kind, namespace, name }) => [kind, namespace, name].filter(Boolean).join("/")),
    };
  }

  /** Certificates that the distribution issues itself: they have no resource, and stand here so that nothing is missing. */
  private issuedByDistribution({ addressPrefix, identities, node }: ClusterPki): CertificateEntry[] {
    const { table, cluster, authorities, certificates } = identities;
    return holdersOf(cluster).flatMap((holder) =>
      Object.entries(table.certificates)
        .filter(([name, row]) => holds(holder, row.holders) && !certificates.has(`${holder.name}/${name}`))
        .map(([name, row]): CertificateEntry => {
          const { commonName, organization } = row;
          return {
            kind: "certificate",
            cluster: addressPrefix,
            name,
            machine: holder.name,
            path: node.path,
            addresses: [],
            ...exceptionsOf(row),
            issuedBy: "distribution",
            subject: new Subject({
              commonName: fillText(commonName, cluster, holder.name, holder.addresses[0]),
              organization,
            }).toString(),
            usage: row.usage.name,
            sans: namesOf(SubjectAltNames.of(...fillNames(row.sans ?? [], cluster, holder))),
            issuer: { authority: row.authority, generation: authorities.get(row.authority)!.active.id },
            files: filesOfRow(row, holder, cluster),
          };
        }),
    );
  }

  private named(node: IConstruct): Named & { readonly machine?: string } {
    return this.names.get(node) ?? { name: node.node.id };
  }

  private filesOf(addresses: readonly string[]): FileEntry[] {
    const found = new Set(addresses.flatMap((address) => this.files.get(address) ?? []));
    return [...found].sort((a, b) => compare(a.machine, b.machine) || compare(a.path, b.path));
  }
}

/** What of a row the inventory tells as exceptions. */
type ExceptionalRow = Pick<CertificateRow, "exceptions" | "breakGlass">;

function exceptionsOf({ exceptions = [], breakGlass }: ExceptionalRow = {}): Pick<InventoryEntry, "exceptions"> {
  // A break-glass identity is in system:masters, and its table says why.
  const all = [...exceptions, ...(breakGlass === undefined ? [] : [{ code: "system-masters", reason: breakGlass }])];
  return all.length > 0 ? { exceptions: all } : {};
}

/** Addresses of the resources below a construct, sorted. */
function addressesOf(node: IConstruct, test: (name: string) => boolean = () => true): string[] {
  return resourcesOf(node)
    .filter((resource) => test(resource.friendlyUniqueId))
    .map((resource) => addressOf(resource)!)
    .sort();
}

function resourcesOf(node: IConstruct): TerraformResource[] {
  return node.node
    .findAll()
    .filter((child): child is TerraformResource => TerraformResource.isTerraformResource(child));
}

/** The algorithm of the key among the addresses; missing where the key came from outside. */
function keyAlgorithmOf(node: IConstruct, addresses: readonly string[]): { readonly keyAlgorithm?: string } {
  const key = resourcesOf(node).find(
    (resource): resource is PrivateKey => resource instanceof PrivateKey && addresses.includes(addressOf(resource)!),
  );
  return key ? { keyAlgorithm: `${key.algorithmInput}-${key.rsaBitsInput ?? key.ecdsaCurveInput}` } : {};
}

/** What a generation of an authority says of itself; no subject where its text came from outside. */
function requestOf(node: IConstruct, addresses: readonly string[]): Pick<AuthorityEntry, "subject" | "sans"> {
  const made = resourcesOf(node).find(
    (resource): resource is SelfSignedCert | CertRequest =>
      (resource instanceof SelfSignedCert || resource instanceof CertRequest) &&
      addresses.includes(addressOf(resource)!),
  );
  const [fields] = (made?.subjectInput ?? []) as SubjectFields[];
  const sans = [...(made?.dnsNamesInput ?? []), ...(made?.ipAddressesInput ?? [])];
  return { ...(fields ? { subject: new Subject(fields).toString() } : {}), sans };
}

function namesOf({ dns, ips }: SubjectAltNames): string[] {
  return [...dns, ...ips].map((name) => (Token.isUnresolved(name) ? LATER : name));
}

/** An authority that is not made in this stack. */
function unknownIssuer(address: string): Issuer {
  return { authority: address, generation: "" };
}

function filesOfRow({ files }: CertificateRow, holder: Holder, cluster: Cluster): FileEntry[] {
  return files
    .filter(({ on }) => holds(holder, on))
    .map((row) => ({
      machine: holder.name,
      path: fillText(row.path, cluster, holder.name),
      kind: row.kind,
      consumers: consumersOf(row, holder).map(consumerEntry),
    }))
    .sort((a, b) => compare(a.path, b.path));
}

function consumerEntry({ component, via, onChange }: Consumer): ConsumerEntry {
  return { component, via: Object.values(via)[0] as string, onChange };
}

function byWhatItIs(a: InventoryEntry, b: InventoryEntry): number {
  const keys = (entry: InventoryEntry) => [
    entry.kind,
    entry.cluster ?? "",
    entry.name,
    "generation" in entry ? entry.generation : "",
    ("machine" in entry ? entry.machine : "") ?? "",
    entry.path,
  ];
  const [left, right] = [keys(a), keys(b)];
  return left.map((key, index) => compare(key, right[index]!)).find((order) => order !== 0) ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
