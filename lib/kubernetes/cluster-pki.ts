import { Annotations, TerraformOutput, TerraformProvider, TerraformResource, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { PkiError, Problems, problemText } from "../errors";
import { checkCertificateOptions, Certificate, CertificateOptions } from "../x509/certificate";
import { checkGenerations, FIRST_GENERATION, Generations } from "../x509/generation";
import { checkAltNames, AltName } from "../x509/subject-alt-names";
import type { Cluster } from "./cluster";
import { checkCluster } from "./cluster-checks";
import type { Content } from "./content";
import { Distribution } from "./distribution";
import { publishFiles } from "./files";
import { ANY_WORKER, CLUSTER, ClusterFile, OPERATOR } from "./holders";
import { fillNames, fillText, holds, holdersOf, Holder } from "./holdings";
import { ClusterSecret, clusterSecrets, Identities, machineFiles } from "./machine-files";
import { publishInventory } from "./published-inventory";
import type { CertificateRow, DistributionTable, FileRow } from "./table";
import { SYSTEM_MASTERS } from "./table-checks";
import { tableFor } from "./table-for";
import { addBlock, claimPrefix } from "../terraform/registry";
import { pin } from "../terraform/pin";
import { addressOf } from "../terraform/address";
import {
  authorityName,
  checkAddressPrefix,
  fingerprintsOutput,
  keyPairName,
  leafName,
  withPrefix,
} from "../terraform/names";
import { CertificateAuthority } from "../x509/certificate-authority";
import { KeyAlgorithm } from "../x509/key-algorithm";
import { KeyPairRing } from "../x509/key-pair-ring";
import { Subject, SubjectFields } from "../x509/subject";
import { TrustBundle } from "../x509/trust-bundle";
import { Validity } from "../x509/validity";

/** What may be chosen for one certificate of a cluster. */
export interface ClusterCertificateOptions extends CertificateOptions {
  /**
   * More names, beside those of the distribution.
   * @default - none
   */
  readonly extraSans?: readonly AltName[];
}

/** Props of a {@link ClusterPki}. */
export interface ClusterPkiProps {
  readonly distribution: Distribution;
  readonly cluster: Cluster;
  /**
   * First part of the Terraform name of everything in here, `[a-z][a-z0-9-]*`. It never changes once it was deployed.
   * @default - the construct's id
   */
  readonly addressPrefix?: string;
  /**
   * Generations of authorities, by the distribution's names: `kubernetes`, `front-proxy`, `etcd` for kubeadm.
   * @default - one active generation each, `g1`
   */
  readonly authorities?: Readonly<Record<string, { readonly generations?: Generations }>>;
  /**
   * Generations of the key pair that signs service-account tokens.
   * @default - one active generation, `g1`, RSA-2048
   */
  readonly serviceAccount?: { readonly generations?: Generations };
  /**
   * Choices for single certificates, by the distribution's names: `apiserver`, `etcd-server`, `admin`, …
   * @default - the distribution's
   */
  readonly certificates?: Readonly<Record<string, ClusterCertificateOptions>>;
  /**
   * Validity of every certificate that is no authority.
   * @default - 8760 hours, renewed 720 hours before the end
   */
  readonly validity?: Validity;
  /**
   * Key algorithm of every certificate that is no authority. That of authorities and key pairs belongs to their generations.
   * @default KeyAlgorithm.ECDSA_P256
   */
  readonly keyAlgorithm?: KeyAlgorithm;
  /**
   * Fields of every subject beside CN and O, authorities included. Choose them before the first deploy: others replace everything.
   * A later generation of an authority has its id as OU.
   * @default - none
   */
  readonly subject?: Pick<SubjectFields, "organizationalUnit" | "country" | "province" | "locality">;
  /**
   * Whether Terraform issues the certificates that are no authorities. `false` for those who seed authorities and let the
   * distribution issue the rest; `true` for those who run the components by hand.
   * @default - as the distribution does
   */
  readonly issueLeaves?: boolean;
  /**
   * Lets Terraform refuse every plan that would destroy an authority or key pair that is not retired.
   * @default true
   */
  readonly deletionProtection?: boolean;
  /**
   * The `addressPrefix` that the resources had before: they are moved, not replaced.
   * @default - they had this one
   */
  readonly movedFrom?: string;
  /** @default - the stack's tls provider */
  readonly provider?: TerraformProvider;
}

/** The key pair of service accounts, by the name that every distribution's table gives it. */
const SERVICE_ACCOUNT = "service-account";

/**
 * A cluster's whole PKI: its authorities, service-account keys, component certificates and kubeconfigs, as the distribution
 * expects them, and the file of each on each machine.
 *
 * In the Terraform state: every private key. In its outputs: none. `<prefix>_files` says which file is made of what,
 * `<prefix>_fingerprints` holds the fingerprints of the public keys of authorities and key pairs, and `<prefix>_inventory` what
 * stands in each certificate, so that a plan says in clear what it changes.
 *
 * @throws PkiError with everything that is wrong with the description
 * @see https://kubernetes.io/docs/setup/best-practices/certificates/
 */
export class ClusterPki extends Construct {
  /** Names of the machines of the cluster, control planes first. */
  public readonly machines: readonly string[];
  /** First part of the Terraform name of everything in here. */
  public readonly addressPrefix: string;
  /** What the files are made of, by the distribution's names. */
  public readonly identities: Identities;
  /** Secrets of a management cluster that hold the cluster's identity, as data; none where the distribution wants files. */
  public readonly secrets: readonly ClusterSecret[];

  private readonly table: DistributionTable;
  private readonly cluster: Cluster;
  private readonly authorities = new Map<string, CertificateAuthority>();
  private readonly rings = new Map<string, KeyPairRing>();
  private readonly leaves = new Map<string, Certificate>();
  private readonly fileLists: Readonly<Record<string, readonly ClusterFile[]>>;

  public constructor(scope: Construct, id: string, props: ClusterPkiProps) {
    super(scope, id);
    this.table = tableFor(props.cluster, props.issueLeaves, props.distribution.table);
    this.cluster = props.cluster;
    const prefix = props.addressPrefix ?? id;
    this.addressPrefix = prefix;
    this.check(prefix, props);
    claimPrefix(TerraformStack.of(this), "pki", prefix, this.node.path);

    const holders = holdersOf(props.cluster);
    this.machines = holders.filter((holder) => holder.isMachine).map((holder) => holder.name);
    this.makeAuthorities(prefix, props);
    this.makeLeaves(prefix, holders, props);
    const { table, cluster, authorities, rings: keyPairs, leaves: certificates } = this;
    this.identities = { table, cluster, authorities, keyPairs, certificates };
    const [whole, others] = [holders.find(isCluster)!, holders.filter((holder) => !isCluster(holder))];
    this.secrets = clusterSecrets(whole, this.identities);
    this.fileLists = Object.fromEntries(others.map((holder) => [holder.name, machineFiles(holder, this.identities)]));
    publishFiles(this, prefix, this.fileLists);
    this.publishFingerprints(prefix);
    publishInventory(this, prefix, this.identities);
    if (props.movedFrom !== undefined) {
      this.moveFrom(props.movedFrom, prefix);
    }
    if (props.deletionProtection === false) {
      Annotations.of(this).addWarning(
        "deletionProtection is off: a plan may destroy authorities and service-account keys",
      );
    }
    this.warnOfExceptions();
    this.node.addValidation({ validate: () => this.unlistedMasters() });
  }

  /**
   * An authority, by the distribution's name.
   *
   * @throws PkiError when the distribution has no such authority
   */
  public authority(name: string): CertificateAuthority {
    return this.find(this.authorities, name, "authority");
  }

  /**
   * What verifiers of an authority trust.
   *
   * @param name the authority; by default the one that signs the API server's certificate
   * @throws PkiError when the distribution has no such authority
   */
  public bundle(name = this.table.apiServerAuthority): TrustBundle {
    return this.authority(name).bundle;
  }

  /**
   * A certificate, by the distribution's name.
   *
   * @param machine who holds it; may be left out when only one does
   * @throws PkiError when there is no such certificate
   */
  public certificate(name: string, machine?: string): Certificate {
    return this.find(this.leaves, `${machine ?? this.onlyHolder(name)}/${name}`, "certificate");
  }

  /**
   * A kubeconfig, by the name of its certificate. It is data: see {@link toTerraform}.
   *
   * @param machine who holds it; may be left out when only one does
   * @throws PkiError when there is no such kubeconfig
   */
  public kubeconfig(name: string, machine?: string): Content {
    const holder = machine ?? this.onlyHolder(name);
    this.certificate(name, holder);
    const paths = kubeconfigRows(this.table.certificates[name]!).map((row) => fillText(row.path, this.cluster, holder));
    const file = this.files(holder).find(({ path }) => paths.includes(path));
    if (!file) {
      const known = Object.entries(this.table.certificates).filter(([, row]) => kubeconfigRows(row).length > 0);
      throw this.unknown(
        "kubeconfig",
        name,
        known.map(([row]) => row),
      );
    }
    return file.content;
  }

  /**
   * The files of a machine, of any `worker`, or of the `operator`, sorted by path.
   *
   * @throws PkiError when there is no such machine
   */
  public files(machine: string): readonly ClusterFile[] {
    const list = this.fileLists[machine];
    if (!list) {
      throw this.unknown("machine", machine, [...this.machines, ANY_WORKER, OPERATOR]);
    }
    return list;
  }

  private check(prefix: string, props: ClusterPkiProps): void {
    const problems = new Problems();
    checkAddressPrefix(prefix, problems);
    if (props.movedFrom !== undefined) {
      checkAddressPrefix(props.movedFrom, problems, "movedFrom");
    }
    if (props.movedFrom === prefix) {
      problems.add({
        code: "moved-from",
        at: "movedFrom",
        given: prefix,
        allowed: "another prefix than addressPrefix",
        fix: "leave it out",
      });
    }
    checkCluster(props.cluster, this.table, problems);
    this.checkChoices(props, problems);
    problems.throwIfAny(this.node.path);
  }

  private checkChoices(props: ClusterPkiProps, problems: Problems): void {
    const { authorities = {}, certificates = {}, serviceAccount = {} } = props;
    checkNames(authorities, this.table.authorities, "authorities", problems);
    checkNames(certificates, this.table.certificates, "certificates", problems);
    const generationsOf = (name: string) => authorities[name]?.generations ?? FIRST_GENERATION;
    for (const [name, { issuer }] of Object.entries(this.table.authorities)) {
      const above = issuer === undefined ? undefined : generationsOf(issuer);
      checkGenerations(generationsOf(name), "authority", `authorities.${name}.generations`, problems, above);
    }
    checkGenerations(
      serviceAccount.generations ?? FIRST_GENERATION,
      "key pair",
      "serviceAccount.generations",
      problems,
    );
    new Subject({ commonName: "-", ...props.subject }).check("subject", problems);
    props.validity?.checkLeaf("validity", problems);
    props.keyAlgorithm?.check("keyAlgorithm", problems);
    for (const [name, row] of Object.entries(this.table.certificates)) {
      const choices = certificates[name] ?? {};
      const issuers = generationsOf(row.authority);
      checkCertificateOptions(choices, issuers, `certificates.${name}.`, problems, props.validity);
      checkAltNames(choices.extraSans ?? [], `certificates.${name}.extraSans`, problems);
    }
  }

  private makeAuthorities(prefix: string, props: ClusterPkiProps): void {
    const { provider, deletionProtection } = props;
    const authorities = new Construct(this, "ca");
    for (const [name, row] of Object.entries(this.table.authorities)) {
      const authority = new CertificateAuthority(authorities, name, {
        subject: new Subject({ commonName: row.commonName, organization: row.organization, ...props.subject }),
        sans: row.sans,
        issuer: row.issuer === undefined ? undefined : this.authority(row.issuer),
        generations: props.authorities?.[name]?.generations,
        address: authorityName(prefix, name),
        deletionProtection,
        provider,
      });
      this.authorities.set(name, authority);
    }
    const rings = new Construct(this, "keys");
    for (const name of Object.keys(this.table.keyPairs)) {
      const ring = new KeyPairRing(rings, name, {
        generations: name === SERVICE_ACCOUNT ? props.serviceAccount?.generations : undefined,
        address: keyPairName(prefix, name),
        deletionProtection,
        provider,
      });
      this.rings.set(name, ring);
    }
  }

  private makeLeaves(prefix: string, holders: readonly Holder[], props: ClusterPkiProps): void {
    const rows = Object.entries(this.table.certificates);
    const issued = rows.filter(([, row]) => props.issueLeaves ?? row.issuedBy === "terraform");
    for (const holder of holders) {
      const held = issued.filter(([, row]) => holds(holder, row.holders));
      const scope = held.length > 0 ? new Construct(this, holder.name) : undefined;
      for (const [name, row] of held) {
        const { extraSans = [], ...choices } = props.certificates?.[name] ?? {};
        const leaf = new Certificate(scope!, name, {
          validity: props.validity,
          keyAlgorithm: props.keyAlgorithm,
          ...choices,
          authority: this.authority(row.authority),
          subject: new Subject({
            commonName: fillText(row.commonName, this.cluster, holder.name, holder.addresses[0]),
            organization: row.organization,
            ...props.subject,
          }),
          usage: row.usage,
          sans: [...fillNames(row.sans ?? [], this.cluster, holder), ...extraSans],
          address: leafName(prefix, holder.name, name),
          provider: props.provider,
        });
        this.leaves.set(`${holder.name}/${name}`, leaf);
      }
    }
  }

  /** The holder of a certificate that only one holds. */
  private onlyHolder(name: string): string {
    const holders = [...this.leaves.keys()].filter((key) => key.endsWith(`/${name}`)).map((key) => key.split("/")[0]!);
    if (holders.length !== 1) {
      throw holders.length > 1
        ? this.unknown("holder", name, holders)
        : this.unknown("certificate", name, [...this.leaves.keys()]);
    }
    return holders[0]!;
  }

  private publishFingerprints(prefix: string): void {
    const value = {
      authorities: Object.fromEntries([...this.authorities].map(([name, { fingerprints }]) => [name, fingerprints])),
      keyPairs: Object.fromEntries([...this.rings].map(([name, { fingerprints }]) => [name, fingerprints])),
    };
    const description = "Fingerprints of public keys, to be written into the generations that have them";
    pin(new TerraformOutput(this, "Fingerprints", { value, description }), fingerprintsOutput(prefix), "addressPrefix");
  }

  private moveFrom(old: string, prefix: string): void {
    const stack = TerraformStack.of(this);
    for (const address of this.pinned) {
      const [type, name] = address.split(".") as [string, string];
      addBlock(stack, "moved", { from: `${type}.${withPrefix(name, prefix, old)}`, to: address });
    }
  }

  /** Addresses of all resources in here. */
  private get pinned(): string[] {
    return this.node
      .findAll()
      .filter((node) => TerraformResource.isTerraformResource(node))
      .map((resource) => addressOf(resource)!);
  }

  /** What of this the distribution itself would not let be better, and Terraform issues all the same. */
  private warnOfExceptions(): void {
    const issued = new Set([...this.leaves.keys()].map((key) => key.split("/")[1]!));
    const { authorities, keyPairs, certificates } = this.table;
    const rows = [authorities, keyPairs, certificates].flatMap((part) => Object.entries(part));
    for (const [name, { exceptions = [] }] of rows) {
      if (!(name in certificates) || issued.has(name)) {
        exceptions.forEach(({ code, reason }) => Annotations.of(this).addWarning(`[${code}] ${name}: ${reason}`));
      }
    }
  }

  /** Certificates of the user's own that nobody could limit or revoke; the first cluster of a stack tells of all. */
  private unlistedMasters(): string[] {
    const nodes = TerraformStack.of(this).node.findAll();
    const clusters = nodes.filter((node): node is ClusterPki => node instanceof ClusterPki);
    // The table said why, or was refused.
    const allowed = new Set(clusters.flatMap((cluster) => [...cluster.leaves.values()]));
    if (clusters[0] !== this) {
      return [];
    }
    return nodes
      .filter((node): node is Certificate => node instanceof Certificate && !allowed.has(node))
      .filter((leaf) => leaf.subject.fields.organization === SYSTEM_MASTERS)
      .map((leaf) =>
        problemText({
          code: "system-masters",
          at: leaf.node.path,
          given: SYSTEM_MASTERS,
          allowed: "a group that RBAC can limit",
          fix: "use a group of your own and bind it, or the distribution's break-glass identity",
        }),
      );
  }

  private find<T>(things: ReadonlyMap<string, T>, name: string, kind: string): T {
    const found = things.get(name);
    if (!found) {
      throw this.unknown(kind, name, [...things.keys()]);
    }
    return found;
  }

  private unknown(kind: string, name: string, known: readonly string[]): PkiError {
    const given = JSON.stringify(name);
    return new PkiError(this.node.path, [
      {
        code: `unknown-${kind}`,
        at: kind,
        given,
        allowed: known.join(", ") || "none: there is no such thing here",
        fix: "use one of these names",
      },
    ]);
  }
}

function isCluster({ name }: Holder): boolean {
  return name === CLUSTER;
}

function kubeconfigRows(row: CertificateRow): FileRow[] {
  return row.files.filter((file) => file.kind === "kubeconfig");
}

function checkNames(given: object, known: object, at: string, problems: Problems): void {
  for (const name of Object.keys(given).filter((key) => !(key in known))) {
    problems.add({
      code: `unknown-name`,
      at: `${at}.${name}`,
      given: name,
      allowed: Object.keys(known).join(", "),
      fix: "use one of the distribution's names",
    });
  }
}
