import { CLUSTER_PKI_PROPS, type ClusterPkiProps } from "./cluster-pki-props";
import { Annotations, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { conditionBlocks } from "../terraform/condition";
import { constructId } from "../terraform/construct-id";
import { movedFrom } from "../terraform/moves";
import { checkShape, member, name as nameShape } from "../terraform/shape";
import { authorityName, keyPairName, leafName } from "../terraform/names";
import { tokenText } from "../terraform/token-text";
import { claimPrefix } from "../terraform/registry";
import {
  Certificate,
  type CertificateOptions,
  type CertificateProps,
  checkOrigin,
  checkSigner,
  DEFAULT_VALIDITY,
} from "../x509/certificate";
import { CertificateAuthority, type ICertificateAuthority } from "../x509/certificate-authority";
import { KeyPairRing } from "../x509/key-pair-ring";
import type { AltName } from "../x509/subject-alt-names";
import { TrustBundle } from "../x509/trust-bundle";
import { byPath, ClusterSecret, clusterSecrets, filesOf, pemOf } from "./cluster-files";
import {
  ADDED_CERTIFICATE,
  ADDED_FILE,
  addedFile,
  type AddedCertificateProps,
  type AddedFileProps,
  checkAddedCertificate,
  checkAddedFile,
  type Held,
  type HolderOfOne,
  holdersNamed,
  holdersOfAdded,
  namesOfAdded,
  rowOf,
} from "./additions";
import type { Cluster } from "./cluster";
import { type ClusterPkiAttributes, type IClusterPki, PKI_ATTRIBUTES } from "./cluster-identity";
import { labelLeaf, labelParts } from "./cluster-inventory";
import type { ClusterLeaf, ClusterParts } from "./cluster-parts";
import { checkClusterPki } from "./checks/cluster-pki-checks";
import { clusterSubject } from "./cluster-subject";
import { exceptionWarnings, namesOfOthers } from "./checks/cluster-pki-validations";
import type { Content, Credentials } from "./content";
import { kubeconfig } from "./kubeconfig-of";
import { ANY_WORKER, CLUSTER, ClusterFile, OPERATOR, REQUESTS } from "./cluster-file";
import { renewedNameConditions } from "./checks/renewed-names";
import { sharedRootWarnings } from "./checks/outside-checks";
import type { Distribution, NamesOf } from "./distribution";
import { fillNames, fillText, Holder, holdersOf, holds } from "./holders";
import { type FileLists, publishCertificates, publishFiles, publishFingerprints } from "./outputs";
import { referencesElsewhere } from "./own-state";
import { pkisOf } from "./pkis";
import { requestFiles, withoutKey } from "./request-files";
import { keylessWarnings, strayCertificates, unsignedWarnings } from "./checks/signer-checks";
import type { CertificateRow } from "./table";
import { kubeconfigRows, tableFor } from "./table-for";
import { type Named, refuseName, refuseToChoose } from "./checks/unknown-names";
import { hostConditions } from "./checks/unresolved-hosts";
import {
  credentialsOf,
  execOf,
  type UserAccess,
  userCertificate,
  userKubeconfig,
  userName,
  type Users,
  usersOf,
} from "./users";
import { effectWarnings } from "./checks/without-effect";

const NAME = nameShape("prometheus");

/** What may be said of a certificate that nobody else adds. */
interface Issuing extends Pick<CertificateProps, "request" | "moreOrganizations"> {
  /** What its kubeconfigs have in place of certificate and key. */
  readonly credentials?: (certificate: Certificate) => Credentials | undefined;
}

/** What stands under a name, and not what every object has. */
function own(texts: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(texts, name) ? texts[name] : undefined;
}

/** A certificate before it is made. */
interface DraftLeaf extends Omit<ClusterLeaf, "certificate" | "credentials"> {
  readonly props: CertificateProps;
}

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
export class ClusterPki<Of extends Distribution = Distribution> extends Construct implements IClusterPki {
  /**
   * The PKI of another app, for whoever needs what is public of it: `ClusterAccess`, `kubeconfig`. It reads no state: how the bundle gets
   * here is the caller's to choose.
   *
   * @throws PkiError when a field is missing, unknown or of another type
   */
  public static fromAttributes(attributes: ClusterPkiAttributes): IClusterPki {
    checkShape("ClusterPki.fromAttributes", attributes, PKI_ATTRIBUTES, "attributes");
    const { distribution, cluster, certificateAuthority, users, authorityKeysOnMachines } = attributes;
    return {
      distribution,
      cluster,
      certificateAuthority,
      ...(users === undefined ? {} : { users }),
      ...(authorityKeysOnMachines === undefined ? {} : { authorityKeysOnMachines }),
    };
  }

  /** How the cluster is made. */
  public readonly distribution: Of;
  /** The cluster, as it was described. */
  public readonly cluster: Cluster;
  /** Names of the machines of the cluster, control planes first. */
  public readonly machines: readonly string[];
  /** First part of the Terraform name of everything in here. */
  public readonly addressPrefix: string;
  /** The prefix that everything in here had before, for what stands beside it under the same prefix; undefined where it had this one. */
  public readonly movedFrom?: string;
  /** People and pipelines, as they were described. */
  public readonly users: Users;
  /** Whether machines have the private keys of authorities. */
  public readonly authorityKeysOnMachines: boolean;
  /** What the files are made of. */
  public readonly parts: ClusterParts;
  /** Secrets of a management cluster that hold the cluster's identity, as data; none where the distribution wants files. */
  public readonly secrets: readonly ClusterSecret[];

  private readonly props: ClusterPkiProps<Of>;
  private readonly holders: readonly Holder[];
  private readonly leaves: ClusterLeaf[];
  private readonly addedFiles = new Map<Holder, ClusterFile[]>();
  private readonly fileLists = new Map<Holder, readonly ClusterFile[]>();

  public constructor(scope: Construct, id: string, props: ClusterPkiProps<Of>) {
    super(scope, constructId(scope, id));
    checkShape(this, props, CLUSTER_PKI_PROPS);
    this.props = props;
    const { distribution, cluster, addressPrefix: prefix = cluster.name } = props;
    const table = tableFor(cluster, props.issueLeaves, distribution.table, props.authorityKeysOnMachines);
    const problems = new Problems();
    checkClusterPki(props, prefix, table, problems, (value) => tokenText(this, value));
    problems.throwIfAny(this.node.path);
    claimPrefix(TerraformStack.of(this), "pki", prefix, this.node.path);

    const holders = holdersOf(cluster);
    this.distribution = distribution;
    this.cluster = cluster;
    this.holders = holders;
    this.addressPrefix = prefix;
    this.movedFrom = props.movedFrom;
    this.users = props.users ?? {};
    this.authorityKeysOnMachines = props.authorityKeysOnMachines ?? true;
    this.machines = holders.filter((holder) => holder.isMachine).map((holder) => holder.name);
    const authorities = this.makeAuthorities(table.authorities, props);
    const keyPairs = this.makeKeyPairs(Object.keys(table.keyPairs), props);
    const issued = Object.entries(table.certificates).filter(
      ([, row]) => props.issueLeaves ?? row.issuedBy === "terraform",
    );
    const drafts = holders.flatMap((holder) => this.draftLeaves(holder, issued, authorities));
    this.checkSigners(drafts);
    this.leaves = drafts.map((draft) => this.makeLeaf(draft));
    this.parts = { table, cluster, authorities, keyPairs, leaves: this.leaves };
    labelParts(this, prefix, this.parts);
    pkisOf(this).push(this);
    usersOf(this.users).forEach(([name, user]) => this.addUser(name, user));

    this.secrets = clusterSecrets(
      holders.find(({ name }) => name === CLUSTER)!,
      this.parts,
    );
    const files = publishFiles(this, prefix, () => this.allFiles());
    const conditions = [...hostConditions(cluster), ...renewedNameConditions(props, table, prefix)];
    if (conditions.length > 0) {
      files.addOverride("precondition", conditionBlocks(conditions));
    }
    publishCertificates(this, prefix, this.parts);
    publishFingerprints(this, prefix, this.parts);
    if (props.movedFrom !== undefined) {
      movedFrom(this, props.movedFrom, prefix);
    }
    [
      ...exceptionWarnings(this.parts),
      ...sharedRootWarnings(props, table),
      ...effectWarnings(props, table),
      ...keylessWarnings(props, table),
      ...unsignedWarnings(this.leaves),
    ].forEach((warning) => Annotations.of(this).addWarning(warning));
    if (props.deletionProtection === false) {
      Annotations.of(this).addWarning(
        "deletionProtection is off: a plan may destroy authorities and service-account keys",
      );
    }
    this.node.addValidation({ validate: () => namesOfOthers(this) });
    this.node.addValidation({ validate: () => strayCertificates(props, this.leaves, this.node.path) });
  }

  /**
   * An authority, by the distribution's name.
   *
   * @throws PkiError when the distribution has no such authority
   */
  public authority(name: NamesOf<Of>["authority"]): CertificateAuthority {
    const { authorities } = this.parts;
    return authorities.get(name) ?? this.refuse("authority", name, [...authorities.keys()]);
  }

  /**
   * What verifiers of an authority trust.
   *
   * @param name the authority; by default the one that signs the API server's certificate
   * @throws PkiError when the distribution has no such authority
   */
  public bundle(name: NamesOf<Of>["authority"] = this.parts.table.apiServerAuthority): TrustBundle {
    return this.authority(name).bundle;
  }

  /** What verifiers of the API server's certificate trust: `bundle()`. */
  public get certificateAuthority(): TrustBundle {
    return this.bundle();
  }

  /**
   * A key pair, by the distribution's name: `service-account`.
   *
   * @throws PkiError when the distribution has no such key pair
   */
  public keyPair(name: NamesOf<Of>["keyPair"]): KeyPairRing {
    const { keyPairs } = this.parts;
    return keyPairs.get(name) ?? this.refuse("key-pair", name, [...keyPairs.keys()]);
  }

  /**
   * A certificate, by the distribution's name.
   *
   * @param holder who holds it: a machine or the `operator`; may be left out when only one does
   * @throws PkiError when there is no such certificate
   */
  public certificate(name: NamesOf<Of>["certificate"], holder?: string): Certificate {
    return this.leaf(name, holder).certificate;
  }

  /**
   * A kubeconfig, by the name of its certificate. It is data: see {@link toTerraform}.
   *
   * @param holder who holds it: a machine or the `operator`; may be left out when only one does
   * @throws PkiError when there is no such kubeconfig
   */
  public kubeconfig(name: NamesOf<Of>["kubeconfig"], holder?: string): Content {
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
    const found = this.holders.find(({ name }) => name === holder && name !== CLUSTER);
    return found ? this.filesOf(found) : this.refuse("holder", holder, [...this.machines, ANY_WORKER, OPERATOR]);
  }

  /**
   * Adds a certificate of one's own: a client of etcd for monitoring, the server of an aggregated API. It is issued, exported, inventoried
   * and in the plan report as those of the distribution are, with the PKI's `validity`, `keyAlgorithm`, `subject` and `provider`.
   *
   * @param name of the certificate, `[a-z][a-z0-9-]*`: part of its Terraform name, as those of the distribution are
   * @returns the certificates by who holds each
   * @throws PkiError when the name or a path is taken, nobody is such a holder, several would have one key, or a value breaks a rule
   */
  public addCertificate(name: string, props: AddedCertificateProps<Of>): Readonly<Record<string, Certificate>> {
    checkShape(this, name, NAME, "name");
    checkShape(this, props, ADDED_CERTIFICATE);
    const made = this.addLeaves(name, props);
    unsignedWarnings(made).forEach((warning) => Annotations.of(this).addWarning(warning));
    return Object.fromEntries(made.map(({ holder, certificate }) => [holder.name, certificate]));
  }

  private addLeaves(
    name: string,
    props: AddedCertificateProps,
    { credentials, ...origin }: Issuing = {},
  ): readonly ClusterLeaf[] {
    this.check((held, problems) => checkAddedCertificate(name, props, this.props, held, problems));
    const { validity, keyAlgorithm, keyGeneration, issuer } = props;
    const choices = { validity, keyAlgorithm, keyGeneration, issuer };
    const { authority: given } = props;
    const authority = typeof given === "string" ? this.parts.authorities.get(given)! : given;
    const drafts = holdersOfAdded(props, this.holders).map((holder) => {
      const sans = namesOfAdded(props, this.parts, holder);
      return this.draftLeaf(holder, name, rowOf(name, props, holder), authority, sans, { ...choices, ...origin });
    });
    this.checkSigners(drafts);
    const made = drafts.map((draft): ClusterLeaf => {
      const leaf = this.makeLeaf(draft);
      return { ...leaf, credentials: credentials?.(leaf.certificate) ?? leaf.credentials };
    });
    made.forEach((leaf) => labelLeaf(this.addressPrefix, leaf));
    this.leaves.push(...made);
    made.forEach(({ holder }) => this.fileLists.delete(holder));
    return made;
  }

  /**
   * Adds a file of one's own to those of a holder: text, or what the state of this stack holds. It is exported and inventoried as those
   * of the distribution are.
   *
   * @param holder a machine by name, any `worker`, the `operator`, or all `control-plane`, `etcd-member` or `named-worker`
   * @throws PkiError when nobody is such a holder, the path is taken, or a key would be where it does not belong
   */
  public addFile(holder: HolderOfOne | "worker", props: AddedFileProps): void {
    checkShape(this, holder, NAME, "holder");
    checkShape(this, props, ADDED_FILE);
    this.check((held, problems) => checkAddedFile(holder, props, held, problems));
    if (this.addedFiles.size === 0) {
      const added = () => [...this.addedFiles.values()].flat().map(({ content }) => content);
      this.node.addValidation({ validate: () => referencesElsewhere(this, added()) });
    }
    for (const found of holdersNamed(holder, this.holders)) {
      const known = this.addedFiles.get(found) ?? [];
      this.addedFiles.set(found, [...known, addedFile(props, this.parts, found)]);
      this.fileLists.delete(found);
    }
  }

  /** What the operator hands to a user: a certificate and a kubeconfig, or a kubeconfig alone. */
  private addUser(name: string, user: UserAccess): void {
    const exec = execOf(user);
    if (exec) {
      const content = kubeconfig({ pki: this, user: userName(name, user), credentials: { exec } });
      this.addFile(OPERATOR, { path: userKubeconfig(name), content });
      return;
    }
    const { request, moreGroups: moreOrganizations } = user;
    const credentials = (certificate: Certificate) => credentialsOf(name, user, pemOf(certificate));
    const issuing = { credentials, request, moreOrganizations };
    this.addLeaves(name, userCertificate(name, user, this.parts.table), issuing);
  }

  /** The files of everybody. */
  private allFiles(): FileLists {
    const held = this.holders.filter(({ name }) => name !== CLUSTER);
    const requests = requestFiles(this.leaves);
    const own = held.map((holder) => [holder.name, this.filesOf(holder)] as const);
    return Object.fromEntries(requests.length > 0 ? [...own, [REQUESTS, requests]] : own);
  }

  /** The files of a holder: one list for as long as nothing is added to it. */
  private filesOf(holder: Holder): readonly ClusterFile[] {
    const known = this.fileLists.get(holder);
    const files = known ?? [...filesOf(this, holder, this.parts), ...(this.addedFiles.get(holder) ?? [])].sort(byPath);
    this.fileLists.set(holder, files);
    return files;
  }

  private check(find: (held: Held, problems: Problems) => void): void {
    const problems = new Problems();
    find({ parts: this.parts, holders: this.holders, filesOf: (holder) => this.filesOf(holder) }, problems);
    problems.throwIfAny(this.node.path);
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

  private draftLeaves(
    holder: Holder,
    rows: readonly (readonly [string, CertificateRow])[],
    authorities: ReadonlyMap<string, CertificateAuthority>,
  ): DraftLeaf[] {
    const { cluster, certificates = {} }: ClusterPkiProps = this.props;
    const held = rows.filter(([, row]) => holds(holder, row.holders));
    return held.map(([name, row]) => {
      const { extraSans = [], ...choices } = certificates[name] ?? {};
      const sans = [...fillNames(row.sans ?? [], cluster, holder), ...extraSans];
      return this.draftLeaf(holder, name, row, authorities.get(row.authority)!, sans, choices);
    });
  }

  private draftLeaf(
    holder: Holder,
    name: string,
    row: CertificateRow,
    authority: ICertificateAuthority,
    sans: readonly AltName[],
    choices: CertificateOptions & Pick<CertificateProps, "request" | "moreOrganizations">,
  ): DraftLeaf {
    const { cluster, subject, validity, keyAlgorithm, provider } = this.props;
    const { certificateRequests = {}, signedCertificates = {} } = this.props;
    const address = leafName(this.addressPrefix, holder.name, name);
    const request = choices.request ?? own(certificateRequests, address);
    const commonName = fillText(row.commonName, cluster, holder.name, holder.addresses[0]);
    const props: CertificateProps = {
      ...choices,
      request,
      validity: choices.validity ?? validity,
      keyAlgorithm: choices.keyAlgorithm ?? (request === undefined ? keyAlgorithm : undefined),
      authority,
      subject: clusterSubject({ commonName, organization: row.organization }, subject),
      usage: row.usage,
      sans,
      address,
      provider,
      signed: own(signedCertificates, address),
    };
    return { holder, name, row, authority, props };
  }

  private makeLeaf({ props, ...leaf }: DraftLeaf): ClusterLeaf {
    const scope = this.node.tryFindChild(leaf.holder.name) ?? new Construct(this, leaf.holder.name);
    const made = { ...leaf, certificate: new Certificate(scope as Construct, leaf.name, props) };
    return props.request === undefined ? made : withoutKey(made);
  }

  /** What is wrong with one that was requested, or signed, elsewhere is told with all that is wrong with the others. */
  private checkSigners(drafts: readonly DraftLeaf[]): void {
    const problems = new Problems();
    for (const { props } of drafts) {
      const signer = props.authority.generations[props.issuer ?? props.authority.active.id];
      const described = { ...props, validity: props.validity ?? DEFAULT_VALIDITY };
      const names = { before: `${props.address}: `, at: member("signedCertificates", props.address!) };
      checkOrigin(described, problems, { before: names.before, more: "moreOrganizations" });
      if (signer) {
        checkSigner(described, signer, problems, names);
      }
    }
    problems.throwIfAny(this.node.path);
  }

  private leaf(name: string, holder: string | undefined): ClusterLeaf {
    const named = this.parts.leaves.filter((leaf) => leaf.name === name);
    if (named.length === 0) {
      return this.refuse("certificate", name, [...new Set(this.parts.leaves.map((leaf) => leaf.name))]);
    }
    const holders = named.map((leaf) => leaf.holder.name);
    if (holder === undefined && named.length > 1) {
      return refuseToChoose(this.node.path, name, holders);
    }
    const found = named.find((leaf) => (holder ?? leaf.holder.name) === leaf.holder.name);
    return found ?? this.refuse("holder", holder!, holders);
  }

  private refuse(kind: Named, given: string, known: readonly string[]): never {
    return refuseName(this.node.path, kind, given, known);
  }
}
