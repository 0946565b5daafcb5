import { App, Token } from "cdktf";
import {
  ApiServerToKubelet,
  BootstrapToken,
  Certificate,
  CertificateAuthority,
  cloudInit,
  ClusterAccess,
  ClusterAdmins,
  ClusterPki,
  ClusterRoleBinding,
  ClusterSecrets,
  content,
  Distribution,
  evaluate,
  FilesSecret,
  Generation,
  Group,
  inventoryOf,
  JoinPassword,
  joinWith,
  KeyAlgorithm,
  KeyPairRing,
  KeyUsage,
  kubeconfig,
  NodeBootstrapping,
  serverUrl,
  ServiceAccountRef,
  Subject,
  SubjectAltNames,
  toTerraform,
  User,
  Validity,
  writeInventories,
} from "../../../lib";
import { MEMBERS, pkiOf, THREE } from "../../support/cluster";
import { newStack, problemsOf } from "../../support/synth";

// What comes from YAML, from JavaScript or past a cast. The compiler sees none of it.
/* eslint-disable @typescript-eslint/no-explicit-any */
const untyped = (value: unknown): any => value;

const SECRET = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49hunter2\n-----END PRIVATE KEY-----\n";
const TOKEN = "abcdef.0123456789abcdef";

const pki = (props: unknown) => new ClusterPki(newStack(), "pki", untyped(props));
const inPki = (props: object) => pki({ distribution: Distribution.KUBEADM, cluster: THREE, ...props });
const inCluster = (cluster: object) => inPki({ cluster: { ...THREE, ...cluster } });
const without = (key: keyof typeof THREE) => inCluster({ [key]: undefined });
const access = (props: object) =>
  new ClusterAccess(
    newStack(),
    "access",
    untyped({ distribution: Distribution.KUBEADM, cluster: THREE, certificateAuthority: "${var.ca}", ...props }),
  );
const token = (props: object) =>
  new BootstrapToken(newStack(), "workers", untyped({ distribution: Distribution.KUBEADM, ...props }));
const certificate = (props: object) => {
  const { stack, pki } = pkiOf();
  const usual = { authority: pki.authority("etcd"), subject: new Subject({ commonName: "x" }), usage: KeyUsage.CLIENT };
  return new Certificate(stack, "prometheus", untyped({ ...usual, ...props }));
};
const authority = (props: object) =>
  new CertificateAuthority(newStack(), "ca", untyped({ subject: new Subject({ commonName: "ca" }), ...props }));
const ring = (props: unknown) => new KeyPairRing(newStack(), "keys", untyped(props));
const binding = (props: object) =>
  new ClusterRoleBinding(
    newStack(),
    "admins",
    untyped({ name: "admins", clusterRole: "view", subjects: [Group.named("a")], ...props }),
  );
const bindings = { distribution: Distribution.KUBEADM };
const kubeconfigOf = (props: object) =>
  kubeconfig(
    untyped({
      clusterName: "prod",
      server: "https://api:6443",
      certificateAuthority: "",
      user: "me",
      credentials: { token: "" },
      ...props,
    }),
  );
const secretOf = (props: object) =>
  new FilesSecret(newStack(), "files", untyped({ name: "files", namespace: "kube-system", files: [], ...props }));
const generations = (value: unknown) => inPki({ authorities: { kubernetes: { generations: value } } });

type Mistake = readonly [what: string, act: () => unknown, code: string, at: string];

const MISTAKES: readonly Mistake[] = [
  ["no props of a PKI", () => pki(undefined), "missing", "props"],
  ["null for the props of a PKI", () => pki(null), "wrong-type", "props"],
  ["text for the props of a PKI", () => pki("prod"), "wrong-type", "props"],
  ["a list for the props of a PKI", () => pki([]), "wrong-type", "props"],
  ["no distribution", () => pki({ cluster: THREE }), "missing", "distribution"],
  ["a distribution by name", () => inPki({ distribution: "kubeadm" }), "wrong-type", "distribution"],
  ["the class for a distribution", () => inPki({ distribution: Distribution }), "wrong-type", "distribution"],
  ["a table for a distribution", () => inPki({ distribution: Distribution.K0S.table }), "wrong-type", "distribution"],
  ["no cluster", () => inPki({ cluster: undefined }), "missing", "cluster"],
  ["null for a cluster", () => inPki({ cluster: null }), "wrong-type", "cluster"],
  ["no name of a cluster", () => without("name"), "missing", "cluster.name"],
  ["a number for a cluster's name", () => inCluster({ name: 123 }), "wrong-type", "cluster.name"],
  ["true for a cluster's name", () => inCluster({ name: true }), "wrong-type", "cluster.name"],
  ["a key for a cluster's name", () => inCluster({ name: SECRET }), "wrong-type", "cluster.name"],
  ["no endpoint", () => without("endpoint"), "missing", "cluster.endpoint"],
  ["a number for the endpoint", () => inCluster({ endpoint: 6443 }), "wrong-type", "cluster.endpoint"],
  ["a list for the endpoint", () => inCluster({ endpoint: ["api"] }), "wrong-type", "cluster.endpoint"],
  ["an endpoint without host", () => inCluster({ endpoint: { port: 6443 } }), "missing", "cluster.endpoint.dns"],
  [
    "an endpoint of both kinds",
    () => inCluster({ endpoint: { dns: "a", ip: "b" } }),
    "unknown-key",
    "cluster.endpoint.dns",
  ],
  [
    "a host by another name",
    () => inCluster({ endpoint: { dns: "a", host: "a" } }),
    "unknown-key",
    "cluster.endpoint.host",
  ],
  [
    "a port that is text",
    () => inCluster({ endpoint: { dns: "a", port: "6443" } }),
    "wrong-type",
    "cluster.endpoint.port",
  ],
  [
    "a port that is none",
    () => inCluster({ endpoint: { dns: "a", port: NaN } }),
    "wrong-type",
    "cluster.endpoint.port",
  ],
  [
    "a port without end",
    () => inCluster({ endpoint: { dns: "a", port: Infinity } }),
    "wrong-type",
    "cluster.endpoint.port",
  ],
  ["a port of 1e300", () => inCluster({ endpoint: { dns: "a", port: 1e300 } }), "port", "cluster.endpoint"],
  ["no service CIDRs", () => without("serviceCidrs"), "missing", "cluster.serviceCidrs"],
  ["one CIDR without a list", () => inCluster({ serviceCidrs: "10.96.0.0/12" }), "wrong-type", "cluster.serviceCidrs"],
  ["a CIDR that is a number", () => inCluster({ serviceCidrs: [10] }), "wrong-type", "cluster.serviceCidrs[0]"],
  ["a hole in a list", () => inCluster({ serviceCidrs: untyped(new Array(1)) }), "missing", "cluster.serviceCidrs[0]"],
  ["machines by name", () => inCluster({ controlPlanes: { "cp-1": {} } }), "wrong-type", "cluster.controlPlanes"],
  ["machines that are text", () => inCluster({ controlPlanes: ["cp-1"] }), "wrong-type", "cluster.controlPlanes[0]"],
  ["a machine without name", () => inCluster({ workers: [{}] }), "missing", "cluster.workers[0].name"],
  [
    "null for a machine's name",
    () => inCluster({ workers: [{ name: null }] }),
    "wrong-type",
    "cluster.workers[0].name",
  ],
  [
    "a machine called constructor",
    () => inCluster({ workers: [{ name: "constructor" }] }),
    "construct-id",
    "cluster.workers[0].name",
  ],
  [
    "one address without a list",
    () => inCluster({ workers: [{ name: "w", addresses: "10.0.0.1" }] }),
    "wrong-type",
    "cluster.workers[0].addresses",
  ],
  [
    "an address by another name",
    () => inCluster({ workers: [{ name: "w", address: "10.0.0.1" }] }),
    "unknown-key",
    "cluster.workers[0].address",
  ],
  [
    "a bind port of a worker",
    () => inCluster({ workers: [{ name: "w", bindPort: 1 }] }),
    "unknown-key",
    "cluster.workers[0].bindPort",
  ],
  ["topology: member", () => inCluster({ etcd: { topology: "member" } }), "unknown-value", "cluster.etcd.topology"],
  [
    "topology: constructor",
    () => inCluster({ etcd: { topology: "constructor" } }),
    "unknown-value",
    "cluster.etcd.topology",
  ],
  ["a topology without an object", () => inCluster({ etcd: "stacked" }), "wrong-type", "cluster.etcd"],
  ["no topology", () => inCluster({ etcd: {} }), "missing", "cluster.etcd.topology"],
  ["no etcd members", () => inCluster({ etcd: { topology: "members" } }), "missing", "cluster.etcd.members"],
  [
    "members of a stacked etcd",
    () => inCluster({ etcd: { ...MEMBERS.etcd, topology: "stacked" } }),
    "unknown-key",
    "cluster.etcd.members",
  ],
  ["extraSANs", () => inCluster({ extraSANs: ["a"] }), "unknown-key", "cluster.extraSANs"],
  ["one extra name without a list", () => inCluster({ extraSans: "api" }), "wrong-type", "cluster.extraSans"],
  ["a number for an extra name", () => inCluster({ extraSans: [1] }), "wrong-type", "cluster.extraSans[0]"],
  ["ip for ips", () => inCluster({ extraSans: [{ ip: ["10.0.0.1"] }] }), "unknown-key", "cluster.extraSans[0].ip"],
  [
    "one typed name without a list",
    () => inCluster({ extraSans: [{ dns: "a" }] }),
    "wrong-type",
    "cluster.extraSans[0].dns",
  ],
  ["a list of lists of names", () => inCluster({ extraSans: [["a"]] }), "wrong-type", "cluster.extraSans[0]"],
  [
    "a token of another run",
    () => inCluster({ extraSans: ["${TfToken[TOKEN.987654]}"] }),
    "token-text",
    "cluster.extraSans[0]",
  ],
  [
    "a part of a list that Terraform knows",
    () => inCluster({ serviceCidrs: ["10.96.0.0/12", ...Token.asList({ a: 1 })] }),
    "token-text",
    "cluster.serviceCidrs[1]",
  ],
  [
    "a list of CIDRs that Terraform knows",
    () => inCluster({ serviceCidrs: Token.asList({ a: 1 }) }),
    "unresolved",
    "cluster.serviceCidrs",
  ],
  ["a value of any type for a name", () => inCluster({ name: Token.asAny({ a: 1 }) }), "unresolved", "cluster.name"],
  [
    "a value of any type for PEM",
    () => Generation.fromPem("active", untyped({ certificatePem: Token.asAny({ a: 1 }) })),
    "unresolved-kind",
    "pem.certificatePem",
  ],
  [
    "one unresolved address without a list",
    () => inCluster({ workers: [{ name: "w", addresses: Token.asString({ a: 1 }) }] }),
    "unresolved-kind",
    "cluster.workers[0].addresses",
  ],
  ["an unknown prop", () => inPki({ validty: Validity.days(1) }), "unknown-key", "validty"],
  ["validity: 90", () => inPki({ validity: 90 }), "wrong-type", "validity"],
  ["a validity that is an object", () => inPki({ validity: { hours: 90 } }), "wrong-type", "validity"],
  ["a key algorithm by name", () => inPki({ keyAlgorithm: "RSA-2048" }), "wrong-type", "keyAlgorithm"],
  ["text for a flag", () => inPki({ issueLeaves: "false" }), "wrong-type", "issueLeaves"],
  ["null for a flag", () => inPki({ deletionProtection: null }), "wrong-type", "deletionProtection"],
  [
    "a subject's field by another name",
    () => inPki({ subject: { organisationalUnit: "x" } }),
    "unknown-key",
    "subject.organisationalUnit",
  ],
  ["a template in a subject", () => inPki({ subject: { locality: "%{ if true }" } }), "plain-text", "subject.locality"],
  ["a provider by name", () => inPki({ provider: "tls.east" }), "wrong-type", "provider"],
  ["a number for a prefix", () => inPki({ addressPrefix: 1 }), "wrong-type", "addressPrefix"],
  ["an unresolved prefix", () => inPki({ addressPrefix: Token.asString({}) }), "unresolved", "addressPrefix"],
  ["a list of authorities", () => inPki({ authorities: [] }), "wrong-type", "authorities"],
  [
    "generations without their word",
    () => inPki({ authorities: { etcd: { g1: Generation.active() } } }),
    "unknown-key",
    "authorities.etcd.g1",
  ],
  [
    "a generation that is text",
    () => generations({ g1: "active" }),
    "wrong-type",
    "authorities.kubernetes.generations.g1",
  ],
  [
    "a list of generations",
    () => generations([Generation.active()]),
    "wrong-type",
    "authorities.kubernetes.generations",
  ],
  [
    "a generation called constructor",
    () => generations({ constructor: Generation.active() }),
    "construct-id",
    "authorities.kubernetes.generations.constructor",
  ],
  [
    "a generation called __proto__",
    () => generations({ ["__proto__"]: Generation.active() }),
    "construct-id",
    "authorities.kubernetes.generations.__proto__",
  ],
  [
    "generations of service accounts without their word",
    () => inPki({ serviceAccount: { g1: Generation.active() } }),
    "unknown-key",
    "serviceAccount.g1",
  ],
  [
    "certificates: { apiserer }",
    () => inPki({ certificates: { apiserer: {} } }),
    "unknown-name",
    "certificates.apiserer",
  ],
  [
    "certificates: { constructor }",
    () => inPki({ certificates: { constructor: {} } }),
    "unknown-name",
    "certificates.constructor",
  ],
  [
    "certificates: { toString }",
    () => inPki({ certificates: { toString: {} } }),
    "unknown-name",
    "certificates.toString",
  ],
  [
    "authorities: { __proto__ }",
    () => inPki({ authorities: { ["__proto__"]: {} } }),
    "unknown-name",
    "authorities.__proto__",
  ],
  ["a name with a line break", () => inPki({ certificates: { "a\nb": {} } }), "unknown-name", 'certificates["a\\nb"]'],
  [
    "sans of a certificate of the table",
    () => inPki({ certificates: { apiserver: { sans: [] } } }),
    "unknown-key",
    "certificates.apiserver.sans",
  ],
  [
    "null for a certificate's choices",
    () => inPki({ certificates: { apiserver: null } }),
    "wrong-type",
    "certificates.apiserver",
  ],
  ["an empty id", () => new ClusterPki(newStack(), "", untyped({})), "construct-id", "id"],
  ["no id", () => new ClusterPki(newStack(), untyped(undefined), untyped({})), "construct-id", "id"],
  ["an id called constructor", () => new ClusterPki(newStack(), "constructor", untyped({})), "construct-id", "id"],
  ["no scope", () => new ClusterPki(untyped(undefined), "pki", untyped({})), "wrong-type", "scope"],
  ["an authority with a letter missing", () => pkiOf().pki.authority("kubernets"), "unknown-authority", "authority"],
  ["an authority called toString", () => pkiOf().pki.authority("toString"), "unknown-authority", "authority"],
  ["an authority by number", () => pkiOf().pki.authority(untyped(1)), "wrong-type", "authority"],
  ["one certificate of three", () => pkiOf(THREE).pki.certificate("apiserver"), "holder-needed", "holder"],
  ["a certificate of nobody", () => pkiOf().pki.certificate(untyped(undefined)), "missing", "certificate"],
  ["files of toString", () => pkiOf().pki.files("toString"), "unknown-holder", "holder"],
  ["files of nobody", () => pkiOf().pki.files(untyped(undefined)), "missing", "holder"],
  [
    "a kubeconfig called constructor",
    () => pkiOf().pki.kubeconfig("constructor"),
    "unknown-certificate",
    "certificate",
  ],
  ["access without props", () => new ClusterAccess(newStack(), "access", untyped(undefined)), "missing", "props"],
  [
    "an authority for its bundle",
    () => access({ certificateAuthority: pkiOf().pki.authority("kubernetes") }),
    "wrong-type",
    "certificateAuthority",
  ],
  ["a list of PEM", () => access({ certificateAuthority: ["pem"] }), "wrong-type", "certificateAuthority"],
  ["a list of tokens", () => access({ tokens: ["workers"] }), "wrong-type", "tokens"],
  ["null for a token", () => access({ tokens: { workers: null } }), "wrong-type", "tokens.workers"],
  ["a token called constructor", () => access({ tokens: { constructor: {} } }), "construct-id", "tokens.constructor"],
  [
    "a token's hours by another name",
    () => access({ tokens: { workers: { rotateAfter: 1 } } }),
    "unknown-key",
    "tokens.workers.rotateAfter",
  ],
  ["an administrator that is text", () => access({ clusterAdmins: ["me"] }), "wrong-type", "clusterAdmins[0]"],
  [
    "one administrator without a list",
    () => access({ clusterAdmins: Group.named("a") }),
    "wrong-type",
    "clusterAdmins",
  ],
  [
    "a subject that says nothing",
    () => access({ clusterAdmins: [{ toSubject: () => undefined }] }),
    "wrong-type",
    "clusterAdmins[0]",
  ],
  ["a label that is none", () => access({ labels: { team: "a b" } }), "label-value", "labels.team"],
  ["a label's name that is none", () => access({ labels: { "a b": "c" } }), "label-key", 'labels["a b"]'],
  ["a label that is a number", () => access({ labels: { team: 1 } }), "wrong-type", "labels.team"],
  ["a label called __proto__", () => access({ labels: { ["__proto__"]: "a" } }), "label-key", "labels.__proto__"],
  ["a template in an annotation", () => access({ annotations: { note: "${x}" } }), "plain-text", "annotations.note"],
  ["a dependency by its address", () => access({ dependsOn: ["null_resource.a"] }), "wrong-type", "dependsOn[0]"],
  ["hours of a token that are text", () => token({ rotateAfterHours: "24" }), "wrong-type", "rotateAfterHours"],
  ["hours of a token that are none", () => token({ rotateAfterHours: NaN }), "wrong-type", "rotateAfterHours"],
  ["three million hours of a token", () => token({ expireAfterHours: 3e6 }), "token-hours", "expireAfterHours"],
  ["1e300 hours of a token", () => token({ pipelineIntervalHours: 1e300 }), "token-hours", "pipelineIntervalHours"],
  ["a token that joins wokers", () => token({ joins: "wroker" }), "token-joins", "joins"],
  ["a token that joins constructor", () => token({ joins: "constructor" }), "token-joins", "joins"],
  ["an end of a token as a Date", () => token({ expires: new Date(0) }), "wrong-type", "expires"],
  ["an end of a token that is no time", () => token({ expires: "soon" }), "token-expires", "expires"],
  ["one group without a list", () => token({ groups: "system:bootstrappers:a" }), "wrong-type", "groups"],
  ["a bell in a description", () => token({ description: "a\u0007b" }), "plain-text", "description"],
  [
    "groups of nodes as a number",
    () => new NodeBootstrapping(newStack(), "n", untyped({ ...bindings, groups: 1 })),
    "wrong-type",
    "groups",
  ],
  ["administrators of nothing", () => new ClusterAdmins(newStack(), "n", untyped(undefined)), "missing", "props"],
  [
    "a way to kubelets of nothing",
    () => new ApiServerToKubelet(newStack(), "n", untyped({})),
    "missing",
    "distribution",
  ],
  ["a binding without role", () => binding({ clusterRole: undefined }), "missing", "clusterRole"],
  ["a binding with a role by its other name", () => binding({ role: "view" }), "unknown-key", "role"],
  ["one subject without a list", () => binding({ subjects: Group.named("a") }), "wrong-type", "subjects"],
  ["a template in a group", () => binding({ subjects: [Group.named("%{x}")] }), "plain-text", "subjects[0]"],
  ["a bell in a user", () => binding({ subjects: [User.named("a\u0007")] }), "plain-text", "subjects[0]"],
  [
    "half a character in a service account",
    () => binding({ subjects: [ServiceAccountRef.named("ns", "\ud800")] }),
    "plain-text",
    "subjects[0]",
  ],
  ["a template in a binding's name", () => binding({ name: "a${b}" }), "plain-text", "name"],
  ["a group without name", () => Group.named(untyped(undefined)), "missing", "name"],
  ["a user that is a number", () => User.named(untyped(1)), "wrong-type", "name"],
  ["a certificate by an authority's name", () => certificate({ authority: "etcd" }), "wrong-type", "authority"],
  ["a certificate of fields", () => certificate({ subject: { commonName: "x" } }), "wrong-type", "subject"],
  ["a certificate with usages", () => certificate({ usage: ["client_auth"] }), "wrong-type", "usage"],
  ["a certificate without usage", () => certificate({ usage: undefined }), "missing", "usage"],
  ["an issuer called constructor", () => certificate({ issuer: "constructor" }), "issuer", "issuer"],
  ["an authority without subject", () => authority({ subject: undefined }), "missing", "subject"],
  ["an authority with null for generations", () => authority({ generations: null }), "wrong-type", "generations"],
  ["null for the props of key pairs", () => ring(null), "wrong-type", "props"],
  ["key pairs with a word of authorities", () => ring({ subject: 1 }), "unknown-key", "subject"],
  ["a subject without fields", () => new Subject(untyped(undefined)), "missing", "fields"],
  ["a subject without common name", () => new Subject(untyped({ organization: "a" })), "missing", "fields.commonName"],
  ["a subject by X.509's letters", () => new Subject(untyped({ commonName: "a", O: "b" })), "unknown-key", "fields.O"],
  [
    "a list of organizations",
    () => new Subject(untyped({ commonName: "a", organization: ["b"] })),
    "wrong-type",
    "fields.organization",
  ],
  ["a bell in a common name", () => new Subject({ commonName: "a\u0007" }), "plain-text", "fields.commonName"],
  ["text for days", () => Validity.days(untyped("90")), "wrong-type", "days"],
  ["no hours", () => Validity.hours(untyped(undefined)), "missing", "hours"],
  ["a number for a validity's options", () => Validity.years(1, untyped(720)), "wrong-type", "options"],
  [
    "renewal in days",
    () => Validity.years(1, untyped({ earlyRenewalDays: 30 })),
    "unknown-key",
    "options.earlyRenewalDays",
  ],
  ["three million hours", () => inPki({ validity: Validity.hours(3e6) }), "validity", "validity"],
  ["1e300 hours", () => inPki({ validity: Validity.hours(1e300) }), "validity", "validity"],
  ["1e308 years", () => inPki({ validity: Validity.years(1e308) }), "validity", "validity"],
  ["an algorithm that is a number", () => KeyAlgorithm.of(untyped(2048)), "wrong-type", "name"],
  [
    "text for a generation's validity",
    () => Generation.active(untyped({ validity: "10y" })),
    "wrong-type",
    "options.validity",
  ],
  ["an unknown option of a generation", () => Generation.trusted(untyped({ key: 1 })), "unknown-key", "options.key"],
  ["null for a generation's options", () => Generation.retired(untyped(null)), "wrong-type", "options"],
  ["a state of no generation", () => Generation.fromPem(untyped("actve"), untyped({})), "unknown-value", "state"],
  ["a key for a generation's PEM", () => Generation.fromPem("active", untyped(SECRET)), "wrong-type", "pem"],
  [
    "PEM by another name",
    () => Generation.fromPem("active", untyped({ certificatePem: "", keyPem: SECRET })),
    "unknown-key",
    "pem.keyPem",
  ],
  [
    "a Buffer of PEM",
    () => Generation.fromPem("active", untyped({ certificatePem: Buffer.from(SECRET) })),
    "wrong-type",
    "pem.certificatePem",
  ],
  [
    "a key pair without public key",
    () => Generation.fromKeyPem("active", untyped({ privateKeyPem: SECRET })),
    "missing",
    "keyPem.publicKeyPem",
  ],
  ["a number among names", () => SubjectAltNames.of(untyped(1)), "wrong-type", "names[0]"],
  ["a distribution without table", () => new Distribution(untyped(undefined)), "missing", "table"],
  ["a table of a distribution by name", () => new Distribution(untyped("kubeadm")), "wrong-type", "table"],
  [
    "a table without certificates",
    () => new Distribution(untyped({ ...Distribution.K3S.table, certificates: undefined })),
    "missing",
    "table.certificates",
  ],
  [
    "a row of a table called constructor",
    () =>
      new Distribution({
        ...Distribution.K3S.table,
        keyPairs: { constructor: Distribution.K3S.table.keyPairs["service-account"]! },
      }),
    "construct-id",
    "table.keyPairs.constructor",
  ],
  [
    "a row of a table without files",
    () => new Distribution(untyped({ ...Distribution.K3S.table, keyPairs: { sa: { purpose: "x" } } })),
    "missing",
    "table.keyPairs.sa.files",
  ],
  ["a folder that is a number", () => Distribution.k3s(untyped({ dataDir: 1 })), "wrong-type", "options.dataDir"],
  [
    "a folder by another name",
    () => Distribution.k0s(untyped({ dataDirectory: "/a" })),
    "unknown-key",
    "options.dataDirectory",
  ],
  [
    "an unknown chain",
    () => Distribution.rke2(untyped({ chained: "intermediat" })),
    "unknown-value",
    "options.chained",
  ],
  [
    "one set without a list",
    () => Distribution.singleCa(untyped({ ownAuthorities: "etcd-peer" })),
    "wrong-type",
    "options.ownAuthorities",
  ],
  ["a kubeconfig without props", () => kubeconfig(untyped(undefined)), "missing", "props"],
  ["a kubeconfig of the wrong words", () => kubeconfigOf({ cluster: "prod" }), "unknown-key", "cluster"],
  ["a kubeconfig without credentials", () => kubeconfigOf({ credentials: {} }), "missing", "credentials.certificate"],
  ["a kubeconfig with a number for a user", () => kubeconfigOf({ user: 1 }), "wrong-type", "user"],
  ["a number in content", () => content`port: ${untyped(6443)}`, "wrong-type", "values[0]"],
  ["nothing in content", () => content`a${untyped(undefined)}`, "missing", "values[0]"],
  ["a list in content", () => content`a${untyped(["b"])}`, "wrong-type", "values[0]"],
  ["half a reference", () => toTerraform(untyped({ address: "a.b" })), "missing", "content.attribute"],
  ["an empty object for content", () => toTerraform(untyped({})), "missing", "content.address"],
  ["content that is no list", () => toTerraform(untyped({ concat: "a" })), "wrong-type", "content.concat"],
  ["content of two kinds", () => toTerraform(untyped({ base64: "a", sha256: "b" })), "unknown-key", "content.sha256"],
  ["a lookup that is none", () => evaluate("a", untyped({})), "wrong-type", "lookup"],
  ["a join without format", () => joinWith(untyped(undefined), untyped({})), "missing", "format"],
  ["a join in another format", () => joinWith(untyped("token"), untyped({})), "unknown-value", "format"],
  [
    "a join without cluster",
    () => joinWith("secure token", untyped({ certificateAuthority: "", token: TOKEN })),
    "pki-or-parts",
    "pki",
  ],
  ["an endpoint of nothing", () => serverUrl(untyped(undefined)), "missing", "endpoint"],
  ["an endpoint that is null", () => serverUrl(untyped(null)), "wrong-type", "endpoint"],
  ["files by path for cloud-init", () => cloudInit(untyped({ "/a": "b" })), "wrong-type", "files"],
  [
    "a mode that is a number",
    () => cloudInit([untyped({ path: "/a", mode: 600, owner: "root:root", content: "" })]),
    "wrong-type",
    "files[0].mode",
  ],
  ["a Secret without files", () => secretOf({ files: undefined }), "missing", "files"],
  [
    "a Secret with content that is none",
    () => secretOf({ files: [{ path: "/a", content: 1 }] }),
    "wrong-type",
    "files[0].content",
  ],
  [
    "a Secret's key called __proto__",
    () => secretOf({ files: [{ path: "__proto__", content: "a" }] }),
    "secret-key",
    "files",
  ],
  ["Secrets without a PKI", () => new ClusterSecrets(newStack(), "s", untyped({ namespace: "a" })), "missing", "pki"],
  [
    "Secrets of a name",
    () => new ClusterSecrets(newStack(), "s", untyped({ pki: "prod", namespace: "a" })),
    "wrong-type",
    "pki",
  ],
  [
    "a join password without props",
    () => new JoinPassword(newStack(), "server", untyped(undefined)),
    "missing",
    "props",
  ],
  ["an inventory of nothing", () => inventoryOf(untyped(undefined)), "missing", "stack"],
  ["an inventory of an app", () => inventoryOf(untyped(new App({ outdir: "/tmp/none" }))), "wrong-type", "stack"],
  ["inventories of a stack's name", () => writeInventories(untyped("prod")), "wrong-type", "app"],
];

/** What no message may hold: how JavaScript writes what has no text, how cdktf writes what is unresolved, and secrets. */
const NEVER = /undefined|\[object|NaN|TfToken|hunter2|0123456789abcdef|MIGHAg/;

test.each(MISTAKES)("%s", (_, act, code, at) => {
  const problems = problemsOf(act);
  expect(problems).toContainEqual(expect.objectContaining({ code, at }));
  for (const { given, allowed, fix } of problems) {
    expect([given, allowed, fix].filter((text) => text === "")).toEqual([]);
    expect([given, allowed, fix].join(" ")).not.toMatch(NEVER);
  }
});

test("there are mistakes of every kind at every door", () => {
  expect(MISTAKES.length).toBeGreaterThan(60);
  expect(new Set(MISTAKES.map(([what]) => what)).size).toBe(MISTAKES.length);
});
