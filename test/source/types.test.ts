import { join } from "node:path";
import ts from "typescript";

// What an editor says before anything runs: names that are not there do not compile, those that are compile and are offered.

const ROOT = join(__dirname, "../..");
const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
  config: object;
};
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT, { noEmit: true, noUnusedLocals: false });

/** What every snippet may use. */
const BEFORE = `
import type { Construct } from "constructs";
import {
  type Cluster, ClusterAccess, ClusterPki, type ClusterPkiProps, Distribution, type DistributionTable, type IClusterPki, JoinPassword, joinWith,
  kubeconfig, KeyUsage, type NamesOf,
} from "../lib";
declare const scope: Construct;
declare const cluster: Cluster;
declare const table: DistributionTable;
declare const isEdge: boolean;
declare const text: string;
const pki = new ClusterPki(scope, "pki", { distribution: Distribution.KUBEADM, cluster });
const make = <Of extends Distribution>(distribution: Of, more: Omit<ClusterPkiProps<Of>, "distribution" | "cluster">) =>
  new ClusterPki(scope, "made", { distribution, cluster, ...more });
const client = { commonName: "prometheus", usage: KeyUsage.CLIENT, holders: ["cp-1"], files: [] };
`;

/** What does not compile, and what the editor says then. */
const REFUSED: Readonly<Record<string, string>> = {
  'new ClusterPki(scope, "x", { distribution: Distribution.KUBEADM, cluster, certificates: { apiserer: {} } });':
    "Object literal may only specify known properties, but 'apiserer' does not exist in type 'Readonly<Partial<Record<KubeadmCertificate<false>, ClusterCertificateOptions>>>'. Did you mean to write 'apiserver'?",
  'new ClusterPki(scope, "x", { distribution: Distribution.KUBEADM, cluster, authorities: { kubernets: {} } });':
    "Object literal may only specify known properties, but 'kubernets' does not exist in type 'Readonly<Partial<Record<KubeadmAuthority, AuthorityOptions>>>'. Did you mean to write 'kubernetes'?",
  'make(Distribution.K0S, { authorities: { "front-prox": {} } });': "K0sAuthority",
  'make(Distribution.K3S, { certificates: { "rke2-controller": {} } });': "K3sCertificate",
  'make(Distribution.RKE2, { certificates: { "k3s-controller": {} } });': 'K3sCertificate<"rke2", false>',
  "make(Distribution.K3S, { authorities: { intermediate: {} } });": "K3sAuthority",
  'make(Distribution.k3s({ chained: "intermediate" }), { authorities: { root: {} } });': "K3sAuthority",
  'make(Distribution.SINGLE_CA, { authorities: { "etcd-peer": {} } });': 'Record<"kubernetes", AuthorityOptions>',
  'make(Distribution.singleCa({ ownAuthorities: ["etcd-peer"] }), { authorities: { "etcd-server": {} } });':
    'SingleCaAuthority<"etcd-peer">',
  'make(Distribution.singleCa({ oneServerCertificate: true }), { certificates: { "etcd-server": {} } });':
    "SingleCaCertificate<true>",
  "make(Distribution.CLUSTER_API, { certificates: { apiserver: {} } });": "ClusterApiCertificate",
  "make(isEdge ? Distribution.K3S : Distribution.KUBEADM, { authorities: { kubernets: {} } });": "KubeadmAuthority",
  'pki.authority("kubernets");':
    "Argument of type '\"kubernets\"' is not assignable to parameter of type 'KubeadmAuthority'.",
  'pki.bundle("kubernets");': "KubeadmAuthority",
  'pki.keyPair("service-acount");': '"service-account"',
  'pki.certificate("apiserer", "cp-1");':
    "Argument of type '\"apiserer\"' is not assignable to parameter of type 'KubeadmCertificate<false>'.",
  'pki.kubeconfig("apiserver", "cp-1");':
    "Argument of type '\"apiserver\"' is not assignable to parameter of type 'KubeadmKubeconfig'.",
  'pki.addCertificate("prometheus", { ...client, authority: "etc" });':
    "'KubeadmAuthority | ICertificateAuthority'. Did you mean '\"etcd\"'?",
  'pki.addCertificate("prometheus", { ...client, authority: "etcd", files: [{ path: "/a", kind: "signer" }] });':
    "Type '\"signer\"' is not assignable to type",
  'pki.certificate("kubelet-server", "cp-1");': "is not assignable to parameter of type 'KubeadmCertificate<false>'",
  'pki.addFile("cp-1", { path: "/etc/motd" });': "Property 'content' is missing",
  'new JoinPassword(scope, "x", { pki: make(Distribution.K3S, {}), joins: "sever" });':
    "Type '\"sever\"' is not assignable to type 'K3sJoinPassword | undefined'. Did you mean '\"server\"'?",
  'new JoinPassword(scope, "x", { pki, joins: "server" });': "is not assignable to type 'undefined'",
  'new ClusterAccess(scope, "x", { pki, cluster });': "is not assignable to type 'undefined'",
  'new ClusterAccess(scope, "x", {});': "is not assignable",
  "ClusterPki.fromAttributes({ distribution: Distribution.K0S, cluster });": "certificateAuthority",
  "const names: NamesOf<typeof Distribution.KUBEADM> = { ...Distribution.K3S.names };": "is not assignable",
  'const own: Distribution<{ authority: "root"; keyPair: "sa"; certificate: "c"; kubeconfig: "c"; joinPassword: "j" }> = Distribution.K3S;':
    "is not assignable",
};

/** What compiles. */
const TAKEN: readonly string[] = [
  'make(Distribution.KUBEADM, { certificates: { apiserver: {} }, authorities: { "front-proxy": {} } });',
  'make(Distribution.K3S, { certificates: { "k3s-controller": {} }, authorities: { "request-header": {} } });',
  'make(Distribution.k3s({ dataDir: "/srv/k3s" }), { authorities: { server: {} } });',
  'make(Distribution.kubeadm({ kubeletServing: true }), {}).certificate("kubelet-server", "cp-1");',
  'make(Distribution.rke2({ chained: "root" }), { authorities: { root: {}, intermediate: {}, server: {} } });',
  'make(Distribution.singleCa({ ownAuthorities: ["etcd-peer"] }), { authorities: { kubernetes: {}, "etcd-peer": {} } });',
  'make(Distribution.singleCa({ ownAuthorities: [] as SingleCaSet[] }), {}); import type { SingleCaSet } from "../lib";',
  "make(isEdge ? Distribution.K3S : Distribution.KUBEADM, { authorities: { server: {}, kubernetes: {} } });",
  'new JoinPassword(scope, "x", { pki: make(Distribution.RKE2, {}), joins: "agent" });',
  'new JoinPassword(scope, "x", { pki: make(new Distribution(table), {}), joins: text });',
  // A table of one's own takes any text, or its own names.
  "make(new Distribution(table), { authorities: { anything: {} }, certificates: { [text]: {} } });",
  "make(new Distribution(table), {}).authority(text);",
  `type Own = { authority: "root"; keyPair: "sa"; certificate: "web"; kubeconfig: never; joinPassword: never };
   make(new Distribution<Own>(table), { authorities: { root: {} } }).certificate("web");`,
  // Without parameters the types stay usable.
  "const any: ClusterPki = pki; any.authority(text); any.certificate(text, text); any.kubeconfig(text);",
  "const any: Distribution = Distribution.KUBEADM; make(any, { authorities: { [text]: {} } });",
  'const props: ClusterPkiProps = { distribution: Distribution.KUBEADM, cluster }; new ClusterPki(scope, "x", props);',
  'interface Mine extends ClusterPkiProps { readonly mine: string } const f = (mine: Mine) => new ClusterPki(scope, "x", mine);',
  "const change = (props: Partial<ClusterPkiProps>) => make(Distribution.KUBEADM as Distribution, props);",
  "const row = Distribution.KUBEADM.table.certificates[text];",
  'const name: (typeof Distribution.KUBEADM.names.authority)[number] = "etcd";',
  // What takes a PKI takes any.
  "const identity: IClusterPki = pki;",
  'new ClusterAccess(scope, "x", { pki });',
  'new ClusterAccess(scope, "x", { distribution: Distribution.K0S, cluster });',
  'new ClusterAccess(scope, "x", { pki: ClusterPki.fromAttributes({ distribution: Distribution.K0S, cluster, certificateAuthority: text }) });',
  'new ClusterAccess(scope, "x", { distribution: Distribution.K0S, cluster, certificateAuthority: pki.bundle() });',
  'kubeconfig({ pki, user: "jane", credentials: { token: "x" } });',
  'joinWith("secure token", { pki, token: "x" });',
  'pki.addCertificate("prometheus", { ...client, authority: "etcd" })["cp-1"]!.certificate;',
];

const folder = join(ROOT, "test");
const files = new Map<string, string>();
const fileOf = (snippet: string) => {
  const file = join(folder, `snippet-${files.size}.ts`);
  files.set(file, `${BEFORE}${snippet}\n`);
  return file;
};
const refused = Object.entries(REFUSED).map(([snippet, says]) => [snippet, says, fileOf(snippet)] as const);
const taken = TAKEN.map((snippet) => [snippet, fileOf(snippet)] as const);

/** A snippet in which somebody is about to choose a name, and the names that are offered there. */
const OFFERED: readonly (readonly [snippet: string, names: readonly string[]])[] = [
  ['pki.authority("|");', ["etcd", "front-proxy", "kubernetes"]],
  [
    'new ClusterPki(scope, "x", { distribution: Distribution.CLUSTER_API, cluster, certificates: { | } });',
    ["admin", "apiserver-etcd-client", "etcd-healthcheck-client", "etcd-peer", "etcd-server"],
  ],
  ['pki.kubeconfig("|");', ["admin", "controller-manager", "kubelet", "scheduler", "super-admin"]],
  ['pki.addCertificate("prometheus", { ...client, authority: "|" });', ["etcd", "front-proxy", "kubernetes"]],
  [
    'pki.addFile("|", { path: "/x", content: "" });',
    ["control-plane", "etcd-member", "named-worker", "operator", "worker"],
  ],
];
const offered = OFFERED.map(([snippet, names]) => {
  const before = BEFORE.length + snippet.indexOf("|");
  return [snippet, names, fileOf(snippet.replace("|", "")), before] as const;
});

const service = ts.createLanguageService({
  getCompilationSettings: () => options,
  getScriptFileNames: () => [...files.keys()],
  getScriptVersion: () => "1",
  getScriptSnapshot: (file) => {
    const text = files.get(file) ?? ts.sys.readFile(file);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => ROOT,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (file) => files.has(file) || ts.sys.fileExists(file),
  readFile: (file) => files.get(file) ?? ts.sys.readFile(file),
  directoryExists: ts.sys.directoryExists,
  getDirectories: ts.sys.getDirectories,
});

function problemsIn(file: string): string[] {
  return [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)].map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, "\n"),
  );
}

test.each(refused)("does not compile: %s", (_, says, file) => {
  expect(problemsIn(file)).toEqual([expect.stringContaining(says)]);
});

test.each(taken)("compiles: %s", (_, file) => {
  expect(problemsIn(file)).toEqual([]);
});

test.each(offered)("an editor offers the names in: %s", (_, names, file, position) => {
  const entries = service.getCompletionsAtPosition(file, position, undefined)?.entries ?? [];
  expect(entries.map(({ name }) => name.replace(/^"|"$/g, "")).sort()).toEqual(names);
});
