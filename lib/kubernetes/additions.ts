import { clusterSubject } from "./cluster-subject";
import { Problems } from "../errors";
import { checkNamePart } from "../terraform/names";
import type { Reference } from "../terraform/reference";
import { AUTHORITY, type ICertificateAuthority, issuersOf } from "../x509/certificate-authority";
import { CERTIFICATE_OPTIONS, checkCertificateOptions, type CertificateOptions } from "../x509/certificate";
import { KEY_USAGE, type KeyUsage } from "../x509/key-usage";
import { ALT_NAMES } from "../x509/alt-name-shape";
import { CONTENT } from "./checks/content-shape";
import { either, fields, Fields, list, name, oneOf, optional, type Shape, text } from "../terraform/shape";
import { type AltName, checkAltNames } from "../x509/subject-alt-names";
import { type ClusterFile, ANY_WORKER, CLUSTER, accessOf, OPERATOR, PUBLIC_MODE, SECRET_MODE } from "./cluster-file";
import type { ClusterParts } from "./cluster-parts";
import type { ClusterPkiProps } from "./cluster-pki-props";
import type { Content } from "./content";
import { referencesIn } from "./content-readers";
import type { Distribution, NamesOf } from "./distribution";
import { fillNames, fillText, type Holder, holds, TEMPLATES } from "./holders";
import type { CertificateRow, Consumer, FileKind } from "./table";
import { checkPath, filesByRow } from "./checks/table-checks";

/** What a file of one's own is, and who reads it. */
interface AddedProps {
  /**
   * Octal mode, e.g. `0640`. Nobody but owner and group may read a file with a key.
   * @default - `0600` for what holds a key or another secret, else `0644`
   */
  readonly mode?: string;
  /**
   * Owner and group, `user:group`.
   * @default root:root
   */
  readonly owner?: string;
  /**
   * Components that read it: the inventory and the plan report name them, and what has to happen when it changed.
   * @default - none is known
   */
  readonly consumers?: readonly Consumer[];
}

/** Any text, where an editor is to offer some of it. */
type AnyText = string & Record<never, never>;

/** A machine by its name, the operator, or all machines of a kind. */
export type HolderOfOne = "control-plane" | "etcd-member" | "named-worker" | "operator" | AnyText;

/** A file of one's own beside those of the distribution. */
export interface AddedFileProps extends AddedProps {
  /** Absolute path, which may hold `{machine}`; the operator's starts at the folder of the operator's choice. */
  readonly path: string;
  /** What stands in it: text, a value of the stack's own state, or what `content` makes of both. */
  readonly content: Content;
}

/** A file of a certificate of one's own. */
export interface AddedCertificateFile extends AddedProps {
  /** Absolute path, which may hold `{machine}`; the operator's starts at the folder of the operator's choice. */
  readonly path: string;
  /** What it holds; a bundle is that of the authority that signs the certificate. */
  readonly kind: Extract<FileKind, "certificate" | "chain" | "bundle" | "private key" | "kubeconfig">;
}

/** A certificate of one's own beside those of the distribution. */
export interface AddedCertificateProps<Of extends Distribution = Distribution> extends CertificateOptions {
  /** Who signs it: an authority of the cluster by its name, or one of one's own, of the same stack. */
  readonly authority: NamesOf<Of>["authority"] | ICertificateAuthority;
  /** CN. May hold `{machine}`, `{address}`, which is the machine's first, and `{clusterName}`. */
  readonly commonName: string;
  /**
   * O: for a client of Kubernetes its group.
   * @default - none
   */
  readonly organization?: string;
  /** Whether its holder may be a server, a client or both. */
  readonly usage: KeyUsage;
  /**
   * DNS names and IP addresses that it is valid for. Text may be a template of the distribution's tables: `{machine}`, `{addresses}`,
   * `{endpoint}`, or hold `{clusterDomain}`.
   * @default - none
   */
  readonly sans?: readonly AltName[];
  /**
   * Who has one, each with a key of its own: machines by name, `operator`, or all `control-plane`, `etcd-member` or `named-worker`.
   */
  readonly holders: readonly HolderOfOne[];
  /** Files that hold it, of each holder. */
  readonly files: readonly AddedCertificateFile[];
  /**
   * What it is for, as the inventory says it.
   * @default - its name
   */
  readonly purpose?: string;
}

/** What a component is, is looked at where tables are. */
const CONSUMER: Shape = fields({ component: name("prometheus") }, "any");

const ADDED = {
  mode: optional(name("0640")),
  owner: optional(name("root:root")),
  consumers: optional(list(CONSUMER)),
} satisfies Fields<AddedProps>;

const AT = name("/etc/prometheus/etcd.crt");

/** A file of one's own, where one is expected. */
export const ADDED_FILE = fields({ ...ADDED, path: AT, content: CONTENT } satisfies Fields<AddedFileProps>);

const KINDS: readonly AddedCertificateFile["kind"][] = ["certificate", "chain", "bundle", "private key", "kubeconfig"];

/** A certificate of one's own, where one is expected. */
export const ADDED_CERTIFICATE = fields({
  ...CERTIFICATE_OPTIONS,
  authority: either("the name of an authority, or an authority", '"kubernetes"', (value) =>
    typeof value === "string" ? name("kubernetes") : AUTHORITY,
  ),
  commonName: text('"prometheus"'),
  organization: optional(text('"monitoring"')),
  usage: KEY_USAGE,
  sans: optional(ALT_NAMES),
  holders: list(name("operator")),
  files: list(fields({ ...ADDED, path: AT, kind: oneOf(KINDS) } satisfies Fields<AddedCertificateFile>)),
  purpose: optional(name("client of etcd for Prometheus")),
} satisfies Fields<AddedCertificateProps>);

/** Kinds of holders of which each is one machine, or the operator. */
const OF_ONE = ["control-plane", "etcd-member", "named-worker", OPERATOR];

function isOne({ kinds }: Holder): boolean {
  return kinds.some((kind) => OF_ONE.includes(kind));
}

/** The row that a table of this holder alone would have for a certificate of one's own. */
export function rowOf(name: string, props: AddedCertificateProps, { kinds }: Holder): CertificateRow {
  const { commonName, organization, usage, purpose = name } = props;
  const authority = typeof props.authority === "string" ? props.authority : props.authority.node.id;
  const files = props.files.map((file) => ({ ...file, on: kinds, consumers: file.consumers ?? [] }));
  return { authority, commonName, organization, usage, purpose, holders: kinds, issuedBy: "terraform", files };
}

/** The holders that a word means: one by its name, or all of a kind; none where there is no such holder. */
export function holdersNamed(word: string, holders: readonly Holder[]): Holder[] {
  return holders.filter(
    ({ name, kinds }) => name !== CLUSTER && (name === word || kinds.some((kind) => kind === word)),
  );
}

/** The names in a certificate of one's own, of one of its holders. */
export function namesOfAdded(
  { sans = [] }: AddedCertificateProps,
  { cluster }: ClusterParts,
  holder: Holder,
): AltName[] {
  return sans.flatMap((name) => (typeof name === "string" ? fillNames([name], cluster, holder) : [name]));
}

/** Who holds what already: what is added may not take its place, nor give away its keys. */
export interface Held {
  readonly parts: ClusterParts;
  readonly holders: readonly Holder[];
  readonly filesOf: (holder: Holder) => readonly ClusterFile[];
}

/** Finds everything that is wrong with a certificate of one's own. */
export function checkAddedCertificate(
  name: string,
  props: AddedCertificateProps,
  { validity, subject }: ClusterPkiProps,
  held: Held,
  problems: Problems,
): void {
  const { table, authorities, leaves, cluster } = held.parts;
  checkNamePart("certificate-name", "name", name, problems);
  if (Object.hasOwn(table.certificates, name) || leaves.some((leaf) => leaf.name === name)) {
    const allowed = "a name that no certificate of the cluster has";
    problems.add({ code: "name-twice", at: "name", given: name, allowed, fix: "give it a name of its own" });
  }
  const authority = typeof props.authority === "string" ? authorities.get(props.authority) : props.authority;
  if (authority === undefined) {
    const allowed = [...authorities.keys()].join(", ");
    const fix = "use one of the distribution's names";
    problems.add({ code: "unknown-authority", at: "authority", given: props.authority, allowed, fix });
  } else {
    checkCertificateOptions(props, issuersOf(authority), "", problems, validity);
  }
  props.holders.forEach((word, index) => {
    const at = `holders[${index}]`;
    const found = checkHolder(word, held.holders, at, problems);
    if (!found.every(isOne)) {
      const fix = "name the holder named-worker; a worker without a name joins by TLS bootstrap";
      problems.add({ code: "shared-key", at, given: word, allowed: "holders of which each is one machine", fix });
    }
  });
  if (props.holders.length === 0) {
    const fix = "name a machine, or a kind of them";
    problems.add({ code: "unknown-holder", at: "holders", given: "none", allowed: OF_ONE.join(", "), fix });
  }
  checkTemplates(props.commonName, "commonName", TEMPLATES, problems);
  for (const holder of holdersOfAdded(props, held.holders)) {
    const commonName = fillText(props.commonName, cluster, holder.name, holder.addresses[0]);
    clusterSubject({ commonName, organization: props.organization }, subject).check("subject", problems);
    checkAltNames(namesOfAdded(props, held.parts, holder), "sans", problems);
  }
  props.files.forEach((file, index) => {
    const at = `files[${index}]`;
    const isSecret = accessOf({ kind: file.kind }).mode === SECRET_MODE;
    checkFile(file, isSecret, holdersOfAdded(props, held.holders), props.files.slice(0, index), held, at, problems);
  });
}

/** Everybody who holds a certificate of one's own, once, in the order of the machines. */
export function holdersOfAdded({ holders: words }: AddedCertificateProps, holders: readonly Holder[]): Holder[] {
  return holders.filter((holder) => words.some((word) => holdersNamed(word, [holder]).length > 0));
}

/** A file of one's own, as its holder has it. */
export function addedFile(props: AddedFileProps, { cluster }: ClusterParts, holder: Holder): ClusterFile {
  const { content, consumers = [], mode = isSecret(content) ? SECRET_MODE : PUBLIC_MODE } = props;
  const path = fillText(props.path, cluster, holder.name);
  const { owner } = accessOf({ ...props, kind: "configuration" });
  return { path, kind: "configuration", mode, owner, content, consumers };
}

/** Finds everything that is wrong with a file of one's own. */
export function checkAddedFile(word: string, props: AddedFileProps, held: Held, problems: Problems): void {
  const found = checkHolder(word, held.holders, "holder", problems);
  checkFile(props, isSecret(props.content), found, [], held, "file", problems);
  for (const key of referencesIn(props.content).filter(isPrivateKey)) {
    checkKey(key, found, held, problems);
  }
}

function checkHolder(word: string, holders: readonly Holder[], at: string, problems: Problems): Holder[] {
  const found = holdersNamed(word, holders);
  if (found.length === 0) {
    const machines = holders.filter(({ isMachine }) => isMachine);
    const kinds = [...new Set(machines.flatMap((machine) => machine.kinds))];
    const allowed = [...new Set([...machines.map(({ name }) => name), ...kinds, ANY_WORKER, OPERATOR])].join(", ");
    problems.add({ code: "unknown-holder", at, given: word, allowed, fix: "use one of these names" });
  }
  return found;
}

function checkFile(
  { path, mode, owner }: AddedProps & { readonly path: string },
  isSecret: boolean,
  holders: readonly Holder[],
  before: readonly { readonly path: string }[],
  held: Held,
  at: string,
  problems: Problems,
): void {
  checkPath(path, `${at}.path`, problems);
  checkTemplates(path, `${at}.path`, IN_PATHS, problems);
  for (const holder of holders) {
    const fill = (text: string) => fillText(text, held.parts.cluster, holder.name);
    const taken = [...pathsOf(holder, held), ...before.map((file) => file.path)].map(fill);
    const other = taken.find((known) => isBeside(known, fill(path)));
    if (other !== undefined) {
      const allowed = `a path beside ${other}, which ${holder.name} has already`;
      problems.add({ code: "file-twice", at: `${at}.path`, given: path, allowed, fix: "choose another path" });
    }
  }
  if (mode !== undefined && !/^0[0-7]{3}$/.test(mode)) {
    const fix = "write 0600 or 0644";
    problems.add({ code: "file-mode", at: `${at}.mode`, given: mode, allowed: "an octal mode of four digits", fix });
  } else if (mode !== undefined && isSecret && !mode.endsWith("0")) {
    const allowed = "a mode by which only owner and group read a key, such as 0600 or 0640";
    problems.add({ code: "file-mode", at: `${at}.mode`, given: mode, allowed, fix: "give its reader the group" });
  }
  if (owner !== undefined && !/^[^:\s]+:[^:\s]+$/.test(owner)) {
    const allowed = "user:group, by name or number";
    problems.add({ code: "file-owner", at: `${at}.owner`, given: owner, allowed, fix: "the usual one is root:root" });
  }
}

/** A machine may have several addresses, and a file one name. */
const IN_PATHS = TEMPLATES.filter((template) => template !== "{address}");

/** Finds what looks like a template and would be left as it is. */
function checkTemplates(text: string, at: string, known: readonly string[], problems: Problems): void {
  const unknown = (text.match(/\{\w+\}/g) ?? []).filter((template) => !known.includes(template));
  if (unknown.length > 0) {
    const fix = "use one of these, or text without braces";
    problems.add({ code: "template", at, given: unknown.join(", "), allowed: known.join(", "), fix });
  }
}

/** One of them is the other, or a folder that the other is in. */
function isBeside(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

/** Every path of a holder: those that it has, and those that tokens and passwords of the distribution have when they are made. */
function pathsOf(holder: Holder, { parts, filesOf }: Held): string[] {
  const rows = filesByRow(parts.table).flatMap(([, files]) => files);
  return [...filesOf(holder), ...rows.filter(({ on }) => holds(holder, on))].map(({ path }) => path);
}

/**
 * The key of a certificate stands with its holder alone. That of an authority, or of a key pair, may stand with the operator, and where
 * the distribution has it.
 */
function checkKey(
  key: Reference,
  holders: readonly Holder[],
  { parts, filesOf, holders: all }: Held,
  problems: Problems,
) {
  const isKey = (other: Reference) => other.address === key.address && other.attribute === key.attribute;
  const has = (holder: Holder) => filesOf(holder).some(({ content }) => referencesIn(content).some(isKey));
  const leaf = parts.leaves.find(({ certificate }) => certificate.ownRequest && isKey(certificate.privateKey));
  const owners = leaf ? [leaf.holder] : all.filter((holder) => holder.name !== CLUSTER && has(holder));
  const isShared = !leaf && isOfCluster(key, parts);
  const isRight = isShared
    ? holders.every((holder) => holder.name === OPERATOR || owners.includes(holder))
    : new Set([...owners, ...holders]).size <= 1 && holders.every(isOne);
  if (!isRight) {
    const names = (list: readonly Holder[]) => list.map(({ name }) => name).join(", ");
    problems.add({
      code: "shared-key",
      at: "file.content",
      given: `the private key of ${key.address} on ${names(holders)}`,
      allowed: owners.length > 0 ? `that key on ${names(owners)}` : "a key on one machine",
      fix: isShared ? "leave it there, or give it to the operator" : "let pki.addCertificate make one for each of them",
    });
  }
}

function isOfCluster({ address }: Reference, { authorities, keyPairs }: ClusterParts): boolean {
  return [...authorities.values(), ...keyPairs.values()].some(({ generations }) =>
    Object.values(generations).some(({ privateKey }) => privateKey?.address === address),
  );
}

/** Attributes of the state that are public: certificates, and public keys. */
const PUBLIC = /(^|\.)(cert_pem|certificate_pem|chain_pem|public_key_\w+|validity_end_time|not_after)$/;

function isSecret(content: Content): boolean {
  return referencesIn(content).some(({ attribute }) => !PUBLIC.test(attribute));
}

function isPrivateKey({ attribute }: Reference): boolean {
  return attribute.includes("private_key");
}
