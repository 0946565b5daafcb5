import type { ClusterPkiProps } from "./cluster-pki-props";
import { Annotations, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { PkiError, Problems } from "../errors";
import { conditionBlocks } from "../terraform/condition";
import { movedFrom } from "../terraform/moves";
import { authorityName, keyPairName, leafName } from "../terraform/names";
import { claimPrefix } from "../terraform/registry";
import { tokenText } from "../terraform/token-text";
import { Certificate } from "../x509/certificate";
import { CertificateAuthority } from "../x509/certificate-authority";
import { KeyPairRing } from "../x509/key-pair-ring";
import { TrustBundle } from "../x509/trust-bundle";
import { ClusterSecret, clusterSecrets, filesOf } from "./cluster-files";
import { labelParts } from "./cluster-inventory";
import type { ClusterLeaf, ClusterParts } from "./cluster-parts";
import { checkClusterPki } from "./cluster-pki-checks";
import { clusterSubject } from "./cluster-subject";
import { exceptionWarnings, namesOfOthers } from "./cluster-pki-validations";
import type { Content } from "./content";
import { ANY_WORKER, CLUSTER, ClusterFile, OPERATOR } from "./cluster-file";
import { fillNames, fillText, Holder, holdersOf, holds } from "./holders";
import { publishCertificates, publishFiles, publishFingerprints } from "./outputs";
import type { CertificateRow, FileRow } from "./table";
import { tableFor } from "./table-for";
import { pkisOf } from "./pkis";
import { hostConditions } from "./unresolved-hosts";
import { effectWarnings } from "./without-effect";

/** The key pair of service accounts, by the name that every distribution's table gives it. */
const SERVICE_ACCOUNT = "service-account";

/**
 * A cluster's whole PKI: its authorities, service-account keys, component certificates and kubeconfigs, as the distribution
 * expects them, and the files of each holder.
 *
 * In the Terraform state: every private key. In its outputs: none. `<prefix>_files` says which file is made of what,
 * `<prefix>_certificates` where each generation stands and which names are in each certificate, so that a plan shows in clear what it
 * changes, and `<prefix>_fingerprints` holds the fingerprints of the public keys of authorities and key pairs.
 *
 * @throws PkiError with everything that is wrong with the description; when another cluster of the stack has the prefix
 * @see https://kubernetes.io/docs/setup/best-practices/certificates/
 */
export class ClusterPki extends Construct {
  /** Names of the machines of the cluster, control planes first. */
  public readonly machines: readonly string[];
  /** First part of the Terraform name of everything in here. */
  public readonly addressPrefix: string;
  /** The prefix that everything in here had before, for what stands beside it under the same prefix; undefined where it had this one. */
  public readonly movedFrom?: string;
  /** What the files are made of. */
  public readonly parts: ClusterParts;
  /** Secrets of a management cluster that hold the cluster's identity, as data; none where the distribution wants files. */
  public readonly secrets: readonly ClusterSecret[];

  private readonly fileLists: ReadonlyMap<string, readonly ClusterFile[]>;

  public constructor(scope: Construct, id: string, props: ClusterPkiProps) {
    super(scope, id);
    const { distribution, cluster, addressPrefix: prefix = cluster.name } = props;
    const table = tableFor(cluster, props.issueLeaves, distribution.table);
    const problems = new Problems();
    checkClusterPki(props, prefix, table, problems, (value) => tokenText(this, value));
    problems.throwIfAny(this.node.path);
    claimPrefix(TerraformStack.of(this), "pki", prefix, this.node.path);

    const holders = holdersOf(cluster);
    this.addressPrefix = prefix;
    this.movedFrom = props.movedFrom;
    this.machines = holders.filter((holder) => holder.isMachine).map((holder) => holder.name);
    const authorities = this.makeAuthorities(table.authorities, props);
    const keyPairs = this.makeKeyPairs(Object.keys(table.keyPairs), props);
    const issued = Object.entries(table.certificates).filter(
      ([, row]) => props.issueLeaves ?? row.issuedBy === "terraform",
    );
    const leaves = holders.flatMap((holder) => this.makeLeaves(holder, issued, authorities, props));
    this.parts = { table, cluster, authorities, keyPairs, leaves };
    labelParts(this, prefix, this.parts);
    pkisOf(this).push(this);

    this.secrets = clusterSecrets(
      holders.find(({ name }) => name === CLUSTER)!,
      this.parts,
    );
    const withFiles = holders.filter(({ name }) => name !== CLUSTER);
    this.fileLists = new Map(withFiles.map((holder) => [holder.name, filesOf(holder, this.parts)]));
    const files = publishFiles(this, prefix, Object.fromEntries(this.fileLists));
    const conditions = hostConditions(cluster);
    if (conditions.length > 0) {
      files.addOverride("precondition", conditionBlocks(conditions));
    }
    publishCertificates(this, prefix, this.parts);
    publishFingerprints(this, prefix, this.parts);
    if (props.movedFrom !== undefined) {
      movedFrom(this, props.movedFrom, prefix);
    }
    [...exceptionWarnings(this.parts), ...effectWarnings(props, table)].forEach((warning) =>
      Annotations.of(this).addWarning(warning),
    );
    if (props.deletionProtection === false) {
      Annotations.of(this).addWarning(
        "deletionProtection is off: a plan may destroy authorities and service-account keys",
      );
    }
    this.node.addValidation({ validate: () => namesOfOthers(this) });
  }

  /**
   * An authority, by the distribution's name.
   *
   * @throws PkiError when the distribution has no such authority
   */
  public authority(name: string): CertificateAuthority {
    const { authorities } = this.parts;
    return authorities.get(name) ?? this.refuse("authority", name, [...authorities.keys()]);
  }

  /**
   * What verifiers of an authority trust.
   *
   * @param name the authority; by default the one that signs the API server's certificate
   * @throws PkiError when the distribution has no such authority
   */
  public bundle(name = this.parts.table.apiServerAuthority): TrustBundle {
    return this.authority(name).bundle;
  }

  /**
   * A certificate, by the distribution's name.
   *
   * @param holder who holds it: a machine or the `operator`; may be left out when only one does
   * @throws PkiError when there is no such certificate
   */
  public certificate(name: string, holder?: string): Certificate {
    return this.leaf(name, holder).certificate;
  }

  /**
   * A kubeconfig, by the name of its certificate. It is data: see {@link toTerraform}.
   *
   * @param holder who holds it: a machine or the `operator`; may be left out when only one does
   * @throws PkiError when there is no such kubeconfig
   */
  public kubeconfig(name: string, holder?: string): Content {
    const leaf = this.leaf(name, holder);
    const { cluster, table } = this.parts;
    const paths = kubeconfigRows(leaf.row).map((row) => fillText(row.path, cluster, leaf.holder.name));
    const file = this.files(leaf.holder.name).find(({ path }) => paths.includes(path));
    const known = Object.entries(table.certificates).filter(([, row]) => kubeconfigRows(row).length > 0);
    return file
      ? file.content
      : this.refuse(
          "kubeconfig",
          name,
          known.map(([row]) => row),
        );
  }

  /**
   * The files of a machine, of any `worker`, or of the `operator`, sorted by path.
   *
   * @throws PkiError when there is no such holder
   */
  public files(holder: string): readonly ClusterFile[] {
    return this.fileLists.get(holder) ?? this.refuse("holder", holder, [...this.machines, ANY_WORKER, OPERATOR]);
  }

  private makeAuthorities(
    rows: ClusterParts["table"]["authorities"],
    { authorities: choices = {}, subject, deletionProtection, provider }: ClusterPkiProps,
  ): Map<string, CertificateAuthority> {
    const scope = new Construct(this, "ca");
    const made = new Map<string, CertificateAuthority>();
    for (const [name, { commonName, organization, sans, issuer }] of Object.entries(rows)) {
      const authority = new CertificateAuthority(scope, name, {
        subject: clusterSubject({ commonName, organization }, subject),
        sans,
        issuer: issuer === undefined ? undefined : made.get(issuer),
        generations: choices[name]?.generations,
        address: authorityName(this.addressPrefix, name),
        deletionProtection,
        provider,
      });
      made.set(name, authority);
    }
    return made;
  }

  private makeKeyPairs(
    names: readonly string[],
    { serviceAccount, deletionProtection, provider }: ClusterPkiProps,
  ): Map<string, KeyPairRing> {
    const scope = new Construct(this, "keys");
    return new Map(
      names.map((name) => [
        name,
        new KeyPairRing(scope, name, {
          generations: name === SERVICE_ACCOUNT ? serviceAccount?.generations : undefined,
          address: keyPairName(this.addressPrefix, name),
          deletionProtection,
          provider,
        }),
      ]),
    );
  }

  private makeLeaves(
    holder: Holder,
    rows: readonly (readonly [string, CertificateRow])[],
    authorities: ReadonlyMap<string, CertificateAuthority>,
    { cluster, certificates = {}, subject, ...props }: ClusterPkiProps,
  ): ClusterLeaf[] {
    const held = rows.filter(([, row]) => holds(holder, row.holders));
    const scope = held.length > 0 ? new Construct(this, holder.name) : undefined;
    return held.map(([name, row]) => {
      const { extraSans = [], ...choices } = certificates[name] ?? {};
      const commonName = fillText(row.commonName, cluster, holder.name, holder.addresses[0]);
      const certificate = new Certificate(scope!, name, {
        validity: props.validity,
        keyAlgorithm: props.keyAlgorithm,
        ...choices,
        authority: authorities.get(row.authority)!,
        subject: clusterSubject({ commonName, organization: row.organization }, subject),
        usage: row.usage,
        sans: [...fillNames(row.sans ?? [], cluster, holder), ...extraSans],
        address: leafName(this.addressPrefix, holder.name, name),
        provider: props.provider,
      });
      return { holder, name, row, certificate };
    });
  }

  private leaf(name: string, holder: string | undefined): ClusterLeaf {
    const named = this.parts.leaves.filter((leaf) => leaf.name === name);
    if (named.length === 0) {
      return this.refuse("certificate", name, [...new Set(this.parts.leaves.map((leaf) => leaf.name))]);
    }
    const found = named.filter((leaf) => (holder ?? leaf.holder.name) === leaf.holder.name);
    const holders = named.map((leaf) => leaf.holder.name);
    return found.length === 1 ? found[0]! : this.refuse("holder", holder ?? name, holders);
  }

  private refuse(kind: string, given: string, known: readonly string[]): never {
    throw new PkiError(this.node.path, [
      {
        code: `unknown-${kind}`,
        at: kind,
        given: JSON.stringify(given),
        allowed: known.join(", ") || "none: there is no such thing here",
        fix: "use one of these names",
      },
    ]);
  }
}

function kubeconfigRows(row: CertificateRow): FileRow[] {
  return row.files.filter((file) => file.kind === "kubeconfig");
}
