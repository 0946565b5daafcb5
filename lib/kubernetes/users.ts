import { Problems } from "../errors";
import { checkConstructId } from "../terraform/construct-id";
import { checkNamePart } from "../terraform/names";
import { either, fields, Fields, flag, list, name, oneOf, optional, plainText, record, text } from "../terraform/shape";
import type { CertificateOptions } from "../x509/certificate";
import { KEY_ALGORITHM } from "../x509/key-algorithm";
import { KeyUsage } from "../x509/key-usage";
import { RFC_1123_LABEL } from "../x509/host";
import { Subject } from "../x509/subject";
import { VALIDITY, type Validity } from "../x509/validity";
import type { AddedCertificateFile, AddedCertificateProps } from "./additions";
import { EXEC_CREDENTIALS } from "./checks/content-shape";
import type { Content, Credentials, ExecCredentials } from "./content";
import { OPERATOR } from "./cluster-file";
import type { DistributionTable } from "./table";
import { kubeconfigRows } from "./table-for";

/** A role that exists, and where somebody has it: a ClusterRole everywhere or in one namespace, a Role in its own. */
export interface UserGrant {
  /**
   * Name of a ClusterRole, such as `view`.
   * @default - a Role is named
   */
  readonly clusterRole?: string;
  /**
   * Name of a Role of the namespace.
   * @default - a ClusterRole is named
   */
  readonly role?: string;
  /**
   * Where it counts.
   * @default - of a ClusterRole, everywhere; a Role has to name its own
   */
  readonly namespace?: string;
}

/**
 * A person or a pipeline that talks to the API server: who it is, and what it may do. One description serves both stacks: the PKI issues the
 * certificate and the kubeconfig, the access binds the user.
 *
 * A certificate cannot be revoked: Kubernetes reads no list of revoked ones. What it may do ends when its binding goes, so bind the user
 * itself, and let the validity be short. What a group of it may do ends with the group's binding, or at the certificate's end.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
export interface UserAccess extends Pick<CertificateOptions, "keyAlgorithm" | "keyGeneration"> {
  /**
   * The user's name in Kubernetes: the CN of its certificate.
   * @default - what it is called in the description
   */
  readonly user?: string;
  /**
   * Its group: the O of its certificate, of which the tls provider writes one. What the group may do is bound elsewhere, and is its until the
   * certificate ends.
   * @default - none
   */
  readonly group?: string;
  /**
   * A request (CSR) as PEM, made by whoever has the key: `readFileSync("jane.csr", "utf8")`. It has to ask for exactly this user and these groups,
   * with the fields that the PKI's `subject` adds. The kubeconfig names the key as a file beside it, `jane.key`.
   * @default - key and request are made by Terraform
   */
  readonly request?: string;
  /**
   * More groups: the tls provider writes one O, and only a request can have several.
   * @default - none
   */
  readonly moreGroups?: readonly string[];
  /**
   * How long its certificate is valid: nothing else ends it. An apply in the last third renews it.
   * @default - none has to be given where a program says who the user is: nothing is issued then
   */
  readonly validity?: Validity;
  /**
   * What it may do, each bound to the user alone.
   * @default - what its group may
   */
  readonly grants?: readonly UserGrant[];
  /**
   * Lets it apply the stack of `ClusterAccess`, and nothing else. See {@link ClusterAccessOptions.pipelines}.
   * @default false
   */
  readonly appliesAccess?: boolean;
  /**
   * How its kubeconfig proves who it is: with certificate and key `inline`; by the names of `files` beside it; or by a program, such as one
   * that logs in at an identity provider. Then nothing is issued, and the user's name is the one that the API server has from there.
   * @default inline
   */
  readonly kubeconfig?: "inline" | "files" | ExecCredentials;
}

/** Users by what they are called, `[a-z][a-z0-9-]*`. */
export type Users = Readonly<Record<string, UserAccess>>;

const USER = fields({
  user: optional(name("jane")),
  group: optional(name("platform-engineers")),
  request: optional(text('readFileSync("jane.csr", "utf8")')),
  moreGroups: optional(list(name("on-call"))),
  validity: optional(VALIDITY),
  grants: optional(
    list(
      fields({
        clusterRole: optional(name("view")),
        role: optional(name("deployer")),
        namespace: optional(name("shop")),
      } satisfies Fields<UserGrant>),
    ),
  ),
  appliesAccess: optional(flag),
  kubeconfig: optional(
    either("inline, files, or { command: … }", '"inline"', (value) =>
      typeof value === "string" ? oneOf(["inline", "files"]) : EXEC_CREDENTIALS,
    ),
  ),
  keyAlgorithm: optional(KEY_ALGORITHM),
  keyGeneration: optional(name("k2")),
} satisfies Fields<UserAccess>);

/** Users, where some are expected. */
export const USERS = record("jane", USER, checkConstructId);

/** Users in the order of what they are called, so that equal descriptions have equal output. */
export function usersOf(users: Users = {}): [name: string, user: UserAccess][] {
  return Object.entries(users).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The name by which the API server knows a user. */
export function userName(name: string, { user = name }: UserAccess): string {
  return user;
}

/** The program that says who a user is; undefined where a certificate does. */
export function execOf({ kubeconfig }: UserAccess): ExecCredentials | undefined {
  return typeof kubeconfig === "object" ? kubeconfig : undefined;
}

/** The folder of users' files, in that of the operator's choice. */
const FOLDER = "/users";

/** Where a user's kubeconfig is among the operator's files. */
export function userKubeconfig(name: string): string {
  return `${FOLDER}/${name}.conf`;
}

/** What a user's kubeconfig has in place of certificate and key: files beside it, of which the key's is the user's own where a request came. */
export function credentialsOf(
  name: string,
  { kubeconfig, request }: UserAccess,
  certificate: Content,
): Credentials | undefined {
  const files = userFiles(name);
  if (kubeconfig !== "files" && request === undefined) {
    return undefined;
  }
  return {
    certificate: kubeconfig === "files" ? { file: files.certificate } : certificate,
    privateKey: { file: files.privateKey },
  };
}

/** The files beside its kubeconfig that a user's certificate and key are in, as the kubeconfig names them. */
function userFiles(name: string): { readonly certificate: string; readonly privateKey: string } {
  return { certificate: `${name}.crt`, privateKey: `${name}.key` };
}

/** The certificate of a user, as one that is added to those of the distribution. */
export function userCertificate(name: string, user: UserAccess, table: DistributionTable): AddedCertificateProps {
  const { certificate, privateKey } = userFiles(name);
  const inFiles: readonly AddedCertificateFile[] =
    user.kubeconfig === "files"
      ? [
          { path: `${FOLDER}/${certificate}`, kind: "certificate" },
          ...(user.request === undefined ? [{ path: `${FOLDER}/${privateKey}`, kind: "private key" } as const] : []),
        ]
      : [];
  return {
    authority: clientAuthority(table),
    commonName: userName(name, user),
    organization: user.group,
    usage: KeyUsage.CLIENT,
    validity: user.validity,
    keyAlgorithm: user.keyAlgorithm,
    keyGeneration: user.keyGeneration,
    holders: [OPERATOR],
    files: [...inFiles, { path: userKubeconfig(name), kind: "kubeconfig" }],
    purpose: "client of the API server for a user",
  };
}

/** The authority whose clients the API server lets in: that of every kubeconfig. */
export function clientAuthority({ certificates, apiServerAuthority }: DistributionTable): string {
  const row = Object.values(certificates).find((each) => kubeconfigRows(each).length > 0);
  return row?.authority ?? apiServerAuthority;
}

/** Names of Kubernetes and of kubeadm: they have rights that nobody gave them here. */
const OF_THE_SYSTEM = /^(system|kubeadm):/;

/** Finds everything that is wrong with users, whoever has to make something of them. */
export function checkUsers(users: Users, table: DistributionTable, problems: Problems): void {
  const names = usersOf(users).map(([key, user]) => userName(key, user));
  const taken = namesInTable(table);
  for (const [key, user] of usersOf(users)) {
    const at = `users.${key}`;
    checkNamePart("user-key", at, key, problems, "choose such a name, and give the user's own as user");
    const named: [string, string | undefined][] = [
      [user.user === undefined ? at : `${at}.user`, userName(key, user)],
      [`${at}.group`, user.group],
      ...(user.moreGroups ?? []).map((group, index): [string, string] => [`${at}.moreGroups[${index}]`, group]),
    ];
    for (const [where, given] of named) {
      if (given !== undefined) {
        checkUserName(given, where, execOf(user) === undefined, taken, problems);
      }
    }
    if (names.filter((given) => given === userName(key, user)).length > 1) {
      const given = userName(key, user);
      const fix = "give each a name of its own: what is bound to one would be bound to all";
      problems.add({ code: "user-twice", at, given, allowed: "a user that is described once", fix });
    }
    checkCredentials(user, at, problems);
    checkGrants(user, at, problems);
  }
}

function checkUserName(
  given: string,
  at: string,
  isIssued: boolean,
  taken: ReadonlySet<string>,
  problems: Problems,
): void {
  const isSystem = OF_THE_SYSTEM.test(given);
  const text = new Problems();
  plainText("jane").find(given, at, text);
  problems.addAll(text);
  if (isSystem || taken.has(given)) {
    const allowed = isSystem
      ? "a name that starts with neither system: nor kubeadm:"
      : "a name that is not one of the distribution's own";
    const fix = "use a name of its own, and grant what it needs";
    problems.add({ code: "user-name", at, given, allowed, fix });
  } else if (text.none && !isUserName(given, isIssued)) {
    const allowed = `a name without blanks at its ends${isIssued ? ", of at most 64 bytes, as a certificate has it" : ""}`;
    problems.add({ code: "user-name", at, given, allowed, fix: "use such a name" });
  }
}

function isUserName(given: string, isIssued: boolean): boolean {
  const problems = new Problems();
  if (isIssued) {
    new Subject({ commonName: given }).check("subject", problems);
  }
  return given.trim() === given && given !== "" && problems.none;
}

/** Users and groups of clients by the table: a template is another name in each cluster, and starts as a name of the system does. */
function namesInTable({ certificates, access }: DistributionTable): Set<string> {
  const clients = Object.values(certificates).filter(({ usage }) => usage.purposes.includes("client_auth"));
  const names = clients.flatMap(({ commonName, organization }) => [commonName, organization]);
  return new Set([...names, access.clusterAdmins?.group, access.apiServerToKubelet?.user].filter(isName));
}

function isName(name: string | undefined): name is string {
  return name !== undefined && !name.startsWith("{");
}

/** What a program says needs no certificate, and what is issued needs an end. */
function checkCredentials(user: UserAccess, at: string, problems: Problems): void {
  const issuing = (["group", "moreGroups", "request", "validity", "keyAlgorithm", "keyGeneration"] as const).filter(
    (prop) => user[prop] !== undefined,
  );
  if (execOf(user) && issuing.length > 0) {
    const allowed = "user, grants and kubeconfig, where a program says who the user is";
    const fix = "leave them out: no certificate is issued, and groups are those that the program logs in with";
    problems.add({ code: "user-credentials", at, given: issuing.join(", "), allowed, fix });
  } else if (!execOf(user) && user.validity === undefined) {
    const allowed = "a validity, after which the certificate ends: nothing revokes it before";
    const fix = "write validity: Validity.hours(12)";
    problems.add({ code: "user-credentials", at: `${at}.validity`, given: "none", allowed, fix });
  }
}

/** Whoever may do nothing needs no certificate. */
function checkGrants(user: UserAccess, at: string, problems: Problems): void {
  const { grants = [], group, moreGroups = [], appliesAccess } = user;
  if (grants.length === 0 && group === undefined && moreGroups.length === 0 && !appliesAccess) {
    const fix = 'write grants: [{ clusterRole: "view" }], or name a group that you bind';
    const allowed = "at least one role, a group, or appliesAccess";
    problems.add({ code: "user-grants", at: `${at}.grants`, given: "none", allowed, fix });
  }
  grants.forEach((grant, index) => {
    const here = `${at}.grants[${index}]`;
    const found = checkGrant(grant, here, problems);
    if (found && grants.slice(0, index).some((other) => grantKey(other) === grantKey(grant))) {
      const fix = "write it once";
      problems.add({
        code: "grant-twice",
        at: here,
        given: grantKey(grant),
        allowed: "each name once in a place",
        fix,
      });
    }
  });
}

/** A role's name, in its namespace. */
export function grantKey({ clusterRole, role, namespace }: UserGrant): string {
  return [namespace, clusterRole ?? role].filter(Boolean).join("/");
}

function checkGrant({ clusterRole, role, namespace }: UserGrant, at: string, problems: Problems): boolean {
  const allowed = "{ clusterRole }, { clusterRole, namespace } or { role, namespace }";
  const refuse = (given: string, fix: string) => {
    problems.add({ code: "grant", at, given, allowed, fix });
    return false;
  };
  if (clusterRole !== undefined && role !== undefined) {
    return refuse("clusterRole and role", "write two grants");
  }
  if (!clusterRole && !role) {
    return refuse("no role", 'name it: { clusterRole: "view" }');
  }
  if (role !== undefined && !namespace) {
    return refuse("a Role without its namespace", "add its namespace");
  }
  const name = clusterRole ?? role!;
  if (/[/%]|^\.\.?$/.test(name)) {
    return refuse(JSON.stringify(name), "write the role's own name");
  }
  if (namespace !== undefined && !RFC_1123_LABEL.test(namespace)) {
    return refuse(`the namespace ${JSON.stringify(namespace)}`, "write its name, or leave it out");
  }
  return true;
}
