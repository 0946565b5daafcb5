import { type CodeUse, OPEN } from "./problem-codes";

/** What is wrong, and why it matters; with `fix` where the code has none that is the same for everybody. */
type Cause = string | { readonly cause: string; readonly fix: string };

const SEE_WHAT_WAS_MEANT = "the message says which host was probably meant";

/** By code. What is allowed and what to change is said by the code itself. */
export const CAUSES: Readonly<Record<string, Cause>> = {
  address: "The name is not a valid Terraform name.",
  "address-late":
    "A construct's Terraform name was set after one of its attributes had been read. cdktf ignores that, so the address would depend on the construct's place in the tree.",
  "address-prefix": "The prefix is the first part of every Terraform name, and no valid one could start with it.",
  "address-prefix-taken":
    "Two constructs of the same kind in one stack have the same prefix, so their Terraform addresses would collide.",
  "address-range":
    "An address stands where others have to reach a machine or the certificate has to name one, and it is nobody's own: unspecified, broadcast, multicast, link-local or loopback. A cluster of one machine may be on loopback as a whole, and a certificate may name loopback.",
  "address-taken": "Two elements of one stack have the same Terraform address. cdktf would silently merge them.",
  "alt-name-kind":
    "A DNS name stands among the IP addresses, an IP address among the DNS names, or a value that is not known at synth does not say which of the two it is. A certificate keeps them in different fields.",
  "authority-early-renewal":
    "The authority would be renewed in place. That re-issues everything it signed in one apply, with no time in which old and new are both trusted.",
  "authority-key":
    "A machine needs the private key of an authority that was given by its certificate alone, or a distribution that signs certificates itself was to do without.",
  "authority-key-elsewhere":
    "Something asked for the private key of an authority that signs elsewhere. It never was here.",
  "authority-outlives-issuer": "The authority would be valid for longer than the one that signs it.",
  "authority-stack":
    "The signing authority is in another stack. Its private key would have to pass through an output, and end up in both states.",
  "binding-name": "The API server rejects an object of that name, because names are segments of URL paths.",
  "binding-name-reserved": "Names that start with `system:` belong to Kubernetes itself.",
  "binding-subjects": "A binding without subjects grants nothing.",
  "binding-taken":
    "Two access stacks of one app make a binding of the same name in one cluster. The second would fail when it is applied.",
  "broad-cluster-admin":
    "`cluster-admin` would go to a group that includes everybody, every pod, every node or every bootstrap token.",
  "certificate-authority":
    "`certificateAuthority` is not PEM of certificate authorities alone, each once, or contains a private key. It goes into the kubeconfig of every node that joins.",
  "certificate-name": "The name of a certificate is part of a Terraform name, and no valid one could contain it.",
  "cluster-domain": {
    cause: "The cluster domain is not a DNS domain. It is part of a name in the API server's certificate.",
    fix: "write kubelet's `clusterDomain`, such as `cluster.local`",
  },
  "cluster-info":
    "The ConfigMap by which machines find the cluster says something else than this stack: who joins by it would trust another API server.",
  "cluster-name": {
    cause: "The cluster's name is not an RFC 1123 label. Kubeconfigs and Terraform names contain it.",
    fix: "the message says which name was probably meant",
  },
  "cluster-role": "The binding does not name a ClusterRole.",
  "construct-id":
    "No construct can have the id: it is empty, no text, or not known at synth; or every object of JavaScript has a property of that name, and constructs keeps the children of each in an object.",
  "distribution-access": "The distribution makes these bindings itself, or has no group of its own to bind.",
  "early-renewal":
    "Early renewal is as long as the validity or longer: the certificate would be due for renewal as soon as it is issued, and every apply would replace it.",
  "endpoint-ambiguous": {
    cause: "The endpoint is an IPv6 address, and an IPv6 address with a port, depending on who reads it.",
    fix: "write brackets around the address, or { ip: … } where no port is meant",
  },
  "endpoint-host": "The endpoint has no host, or more than one.",
  "endpoint-kind":
    "The endpoint's host is not known at synth, or is not what its field says. Whether it is a DNS name or an IP address decides which field of the certificate names it.",
  "etcd-endpoint":
    "The API server reaches etcd by this URL, in TLS. Without its scheme or its port, or with more behind that, it would not find it.",
  "etcd-topology": "The distribution does not support etcd in that place.",
  "file-holder": "The row puts a file on a holder that has no certificate of that row.",
  "file-mode":
    "The mode is not an octal mode of four digits, or would let everybody on the machine read a private key.",
  "file-owner": "The owner of a file is not a user and a group.",
  "file-path":
    "The path of a file is relative, names a directory, or is not in its shortest form; or it lies outside of the folder that a command takes.",
  "join-authority":
    "A kubeconfig with which machines join names a file that is not there, or that has not the API server's authorities.",
  "file-twice":
    "Two rows, or a row and what was added, write the same file of the same holder, or one writes a file where the other needs a folder.",
  fingerprint: {
    cause:
      "The key in the state is not the one whose fingerprint is in the code, most likely because the state was lost or emptied and Terraform generated a new key. Nothing was signed with it.",
    fix: "restore the state from its backup before the next apply; remove the fingerprint from the code only if you want a new authority",
  },
  "fingerprint-format": "The fingerprint does not have the form of those it is compared with, so it could never match.",
  "front-proxy-authority":
    "One authority signs both clients and front proxies, and `--requestheader-allowed-names` is not set: any client could act as a front proxy and impersonate anybody.",
  "generation-id": "The id of a generation is part of Terraform names, and this one cannot be.",
  "generation-issuer": "A generation names an issuer, but its authority is self-signed.",
  "generation-pem": "A key pair was given for an authority, or an authority for a key pair.",
  "generations-active": "No generation is active, or more than one is. The active one signs.",
  grant: {
    cause: "The grant of a user names no role, or two, or a place that could be none.",
    fix: "the message says what is missing or too much",
  },
  "grant-twice": "A user is granted a role of one name twice in one place: both bindings would have one name.",
  "host-cidr": {
    cause: "The value is a CIDR. A certificate names addresses, not networks.",
    fix: SEE_WHAT_WAS_MEANT,
  },
  "host-ip": {
    cause: "An IP address is needed and the value is not one, or it looks like an IP address and is not valid.",
    fix: "write the address alone; put further names of the API server into `cluster.extraSans`",
  },
  "host-name": {
    cause: "The value is neither a DNS name nor an IP address.",
    fix: "use letters, digits and `-` in labels of at most 63, separated by dots and without a dot at the end",
  },
  "host-port": { cause: "The value has a port. A certificate names hosts without ports.", fix: SEE_WHAT_WAS_MEANT },
  "host-url": { cause: "The value is a URL. A certificate names hosts.", fix: SEE_WHAT_WAS_MEANT },
  "host-wildcard":
    "The distribution does not start with a wildcard among the names that its configuration tells it of.",
  "holder-needed": "Several machines have a certificate of that name, each with a key of its own, and none was chosen.",
  issuer: "The named generation cannot sign: it does not exist, is retired, or its private key is not in this stack.",
  "key-algorithm": "Kubernetes does not support keys of this algorithm or size.",
  "key-generation": "The generation of a key is part of Terraform names, and this one cannot be.",
  "label-key": "The API server rejects a label or an annotation of that name.",
  "label-value": "The API server rejects such a value of a label.",
  "leaf-outlives-authority": "The certificate would outlive its authority, and stop working when that expires.",
  "leaf-usage": "The certificate would sign others, without anything that makes it an authority, or limits it as one.",
  "machine-address-twice": "Two machines have the same address.",
  "machine-name":
    "No node can register under this name. It becomes part of the subject `system:node:<name>` and of certificates' SANs.",
  "machine-name-length":
    "With `system:node:` before it, the name would exceed the 64 bytes of a common name (RFC 5280).",
  "machine-name-file":
    "Two files of the machine have one path, since one of them is called after it: the second would take the first one's place.",
  "machine-name-reserved": "The name is reserved for files that belong to no single machine.",
  "machine-name-twice": "Two machines have the same name: they would share one identity.",
  missing: "A value that is needed is not there.",
  "moved-from": "`movedFrom` is the current prefix: there is nothing to move.",
  "name-twice":
    "A key pair is called like an authority, or an added certificate like another one of the cluster. What is listed by name would hide the other.",
  namespace: "The API server rejects a namespace of that name.",
  "no-address": "The distribution puts the machine's address into its certificates, and the machine has none.",
  "no-control-plane":
    "The distribution needs certificates for each control plane, and the description has no control plane.",
  "no-etcd-endpoint":
    "Etcd runs somewhere else, and the distribution's configuration has to say where. Without that, it would start an etcd of its own.",
  "no-etcd-member": "Etcd runs on machines of its own, and the description has none.",
  "no-secrets": "The distribution is delivered as files and has no Secrets in a management cluster.",
  "one-server-certificate":
    "The servers of a machine share one certificate, and one of them was given an authority of its own. A certificate has one issuer.",
  "other-cluster": {
    cause:
      "The access to a cluster and its `ClusterPki` contradict each other. What joins would be given the files of another distribution, or look for the API server where its certificate is not valid.",
    fix: "give `{ pki }` in place of `distribution`, `cluster` and `certificateAuthority`, or the description that the `ClusterPki` has, its `authorityKeysOnMachines`, and `pki.bundle()`; add the host of another endpoint to the PKI's `extraSans`",
  },
  "other-stack":
    "The keys to deliver are in another stack. They would have to pass through an output, and end up in both states.",
  "password-joins": "The distribution has no join password of that name.",
  "password-stack": "The join password and the PKI are in different stacks. The first server needs both to start.",
  organizations: "A certificate is to have several O's without a request that has them: the tls provider writes one.",
  "pem-certificate":
    "The text is not a PEM certificate, or one of its certificates is damaged, there twice, or not signed with the key that it names, or there is PEM of another kind beside them.",
  "pem-chain-order": "A certificate of the chain was not issued by the one that follows it.",
  "pem-common-name":
    "The distribution renews only certificates whose issuer is called as it expects. What this authority signs would expire, and nothing would say so before.",
  "pem-constraints":
    "The certificate constrains the names or policies of certificates below it, and a verifier rejects those that a cluster needs.",
  "pem-critical-extension":
    "The certificate has a critical extension that verifiers do not know, so they reject everything below it.",
  "pem-expired": "The active generation has expired: nothing accepts what it signs.",
  "pem-extended-key-usage":
    "The certificate has extended key usages, and lacks one that a certificate below it has. A verifier rejects that certificate.",
  "pem-key": "The text is not a PEM private key, or contains more than one.",
  "pem-key-algorithm": "Kubernetes does not support keys of this algorithm or size.",
  "pem-key-encrypted": "The private key is encrypted, and Terraform cannot decrypt it.",
  "pem-key-in-certificate": "The PEM of a certificate contains a private key, which would be published with it.",
  "pem-key-missing": "The active generation has no private key to sign with.",
  "pem-mismatch": "The private key does not belong to the certificate.",
  "pem-not-ca":
    "The certificate is not a certificate authority: its basic constraints do not say `CA:TRUE`, or its key usage does not allow it to sign certificates.",
  "pem-not-yet-valid": "The active generation is not valid yet.",
  "pem-path-length":
    "More authorities are below the certificate than its path length allows. A verifier rejects the chain.",
  "pem-public-key": "The text is not a PEM public key, or contains more than one.",
  "pem-public-mismatch": "The public key does not belong to the private key.",
  "pem-subject": "The certificate has an empty subject, and verifiers find an issuer by its name.",
  "pem-twice":
    "One certificate or key stands for two generations, two authorities, or an authority and service accounts: whoever has it can act as both.",
  "pki-or-parts":
    "A PKI says its distribution, its cluster and its authority. Beside them it could contradict them; without any of these nothing does.",
  "plain-text":
    "The text has a character or a sequence of which Terraform, YAML or a terminal would make something else.",
  port: "The port is not a TCP port.",
  "published-authority":
    "The ConfigMap `kube-root-ca.crt` of `kube-system` is missing, or holds no certificate, or a private key. Terraform says so in a plan. What joins would be given it as the authority of the API server.",
  "protected-name":
    "The certificate would have a name of somebody else: of the API server, of every machine, or one by which a component knows its own clients. Who holds its key could be that one.",
  "secret-key": "The file's path cannot be turned into a key of a Secret.",
  "secret-key-twice": "The paths of two files turn into the same key of the Secret.",
  "secret-name": "The API server rejects a Secret of that name.",
  "secure-token-root":
    "The K3s secure token contains a hash of the root certificate's DER. Terraform cannot hash binary data, so it cannot compute it for a root that is known only in the state, and it does not see in text that it learns when it runs whether there is a root.",
  "server-names":
    "The certificate is for a server and names none. Clients compare the alternative names alone, so nothing could connect to it.",
  "request-elsewhere":
    "The certificate was made of a request that came from elsewhere. Its private key never was in the state.",
  "request-extension":
    "The request asks for more than is described: to be an authority, to sign, for another use, or for what nobody here looks at.",
  "request-key": "The key of the request is of another algorithm than the one that is described.",
  "request-names":
    "The request asks for other names than those that are described. The tls provider copies all names of whatever it is given.",
  "request-pem": "The text is not one certificate request as PEM, or one that cannot be read.",
  "request-secret": "A private key stands beside the request, in code that others read.",
  "request-signature":
    "The request is not signed with its own key, or with an algorithm that can be forged: whoever sent it may not have the key. The tls provider looks at no signature.",
  "request-subject":
    "The request asks for another user or for other groups than those that are described. The tls provider copies the subject of whatever it is given.",
  "request-unknown":
    "A request has a name that no certificate has. It would be left out without a word, and a key made in its place.",
  "role-or-cluster-role": "A binding in a namespace gives one role: a Role of that namespace, or a ClusterRole.",
  "service-cidr": "The value is not a CIDR.",
  "service-cidr-count": "A cluster has one service CIDR, or one per IP family.",
  "service-cidr-family": "Both service CIDRs are of the same IP family.",
  "service-cidr-host-bits": "The address before the `/` is not the first of the network.",
  "service-cidr-overlap":
    "An address of a machine, or the endpoint, is inside the service CIDR: traffic to it would be treated as traffic to a service.",
  "service-cidr-size":
    "The service CIDR is too small for the addresses of the API server and of DNS, or larger than the distribution takes.",
  "shared-key": "The private key of a leaf certificate would be on more than one machine.",
  "stack-id-taken":
    "Two stacks of one app have the same id in different places of the tree. cdktf writes both into the folder of that name, the second over the first, and says nothing: a PKI would be gone from the next deploy.",
  subject:
    "A field of the subject is empty or too long (X.520), or has control characters or blanks around it, which comparisons of names leave out.",
  "subject-field":
    "The subject of a whole cluster has a field that is not one of the four that may be chosen. CN and O are identities: another CN or O would make every certificate somebody else's.",
  "signed-authority": "What came back is an authority: its holder could sign whatever is trusted where it is.",
  "signed-elsewhere": "Something asked for the resource that signs a certificate, and its authority signs elsewhere.",
  "signed-expired": "What came back has ended: whoever reads it would not be let in, or would not be believed.",
  "signed-expiring":
    "A certificate that was signed elsewhere is due for renewal, and Terraform cannot renew it. A warning: it stops no plan.",
  "signed-folder": {
    cause:
      "The folder with signed certificates is not there, or has two of one name. An empty list instead would take out what was signed.",
    fix: "make the folder, though nothing was signed yet; remove the certificate that is not meant",
  },
  "signed-here": "A signed certificate was given for one that Terraform signs itself.",
  "signed-issuer":
    "What came back was signed by another authority than the generation that is to sign it: verifiers would refuse it, or trust somebody else.",
  "signed-key":
    "What came back is of another key than the request: its holder could not use it. The algorithm is seen at synth, the key itself by Terraform, which alone knows it.",
  "signed-names":
    "What came back is valid for other names than were asked for. Many authorities leave names out unless they are told to copy them.",
  "signed-not-yet-valid": "What came back begins in the future: until then nobody believes it.",
  "signed-pem": {
    cause: "What is given as signed is not one certificate that is known at synth, or there is something beside it.",
    fix: "give what was signed alone, as literal text: the certificates above it stand in the authority's `certificatePem`",
  },
  "signed-subject":
    "What came back has another subject than was asked for: its common name is a user, its organization a group.",
  "signed-unknown": "A signed certificate has a name that no request has. It would be left out without a word.",
  "signed-usage":
    "What came back may be used for less, or for more, than its row says. No request of the tls provider can ask for uses: who signs has to be told.",
  "signed-validity":
    "What came back is valid for longer than its validity says, or than its authority: nothing revokes it before its end.",
  "subject-name": "A subject of the binding has no name.",
  "shared-root":
    "Two authorities of the cluster are below one root, and it is in their bundles: each verifier accepts what either of them signed, so a kubelet is a client of etcd.",
  "subject-twice":
    "Two generations that are trusted together have the same subject and different keys. Who looks an issuer up by its name may find the wrong one.",
  "system-masters":
    "`system:masters` may do everything. No authorizer limits it, and it cannot be revoked before the certificate expires.",
  template: "The text holds something in braces that stands for nothing. It would be left as it is.",
  "token-expiry":
    "The bootstrap token could expire before the pipeline replaces it, and nothing could join until then.",
  "token-expires":
    "The end of a bootstrap token is no time that there is, or one that had passed when this library was written: Kubernetes would refuse the Secret's holder from the start.",
  "token-group": "Kubernetes rejects this group of a bootstrap token.",
  "token-groups":
    "The list of groups is empty, or the token does not authenticate anybody, so that groups have no effect.",
  "token-hours": "The value is not a whole number of hours.",
  "token-id":
    "The id of a bootstrap token that was made elsewhere is none: the API server would let nobody in with it.",
  "token-joins": {
    cause: "The distribution has no bootstrap token of that kind.",
    fix: "use one of the names that the message gives, or make no token",
  },
  "token-life":
    "A bootstrap token has an end of its own and hours of a rotation, or was made elsewhere and has no end: exactly one has to say when it ends.",
  "token-name": "The name of a token is part of Terraform names, and this one cannot be.",
  "token-secret":
    "The secret of a bootstrap token stands in the code, where everybody reads it who may read the code; or it does not look like one, and the API server would let nobody in with it.",
  "token-staggered":
    "Of two bootstrap tokens that are replaced in turn, both would be due where one run of the pipeline failed, and the one before would no longer join.",
  "token-unsigned":
    "No machine has an authority's key, so that the cluster signs no requests: whoever came with this bootstrap token would wait for a certificate for ever.",
  "token-text":
    "The text looks like a token of cdktf's and is none: a part of one, one of another run, or a list where text has to be. cdktf would stop without saying where.",
  "two-cores":
    "The stack is CDK Terrain's, and this library and the bindings of providers load cdktf. Synth would end in a TypeError about `_resetResolveDiscoveredProviderFeatureUsage`.",
  "unknown-authority": "There is no authority of that name.",
  "unknown-certificate": "There is no certificate of that name, or its holder is another one.",
  "unknown-holder": "There is no holder of that name, or it does not have that certificate.",
  "unknown-key-pair": "There is no key pair of that name.",
  "unknown-key": {
    cause: "Nothing reads a value of that name. It would be dropped without a word.",
    fix: "the message says which name was probably meant; leave out what has no effect here",
  },
  "unknown-kubeconfig": "There is no kubeconfig of that name, or its holder is another one.",
  "unknown-name": "The distribution's table has no row of that name.",
  "unknown-set": "There is no such set of certificates.",
  "unknown-value": {
    cause: "The text is none of those that are known there.",
    fix: "the message says which one was probably meant",
  },
  unresolved:
    "The value is known only to Terraform, but is needed at synth: Terraform addresses, files or rules depend on it.",
  "unresolved-kind": {
    cause:
      "cdktf types the value as `any`, and what it holds is no text: a resolvable, a number or a list that Terraform fills in. It would be dropped, or be read as something else.",
    fix: "the message says how to write it, such as `Token.asString(value)`",
  },
  "user-credentials":
    "A user whose certificate is issued has no validity, though nothing but its end ends a certificate; or one that a program names has what only a certificate could have.",
  unsigned: "Something needs a certificate that is signed elsewhere, and is not back yet.",
  "user-grants": "The user has neither a role nor a group: whoever may do nothing needs no credentials.",
  "user-key":
    "What a user is called in the description is part of Terraform names and files, and no valid one could contain it.",
  "user-name":
    "The user or its group has a name of Kubernetes, of kubeadm or of the distribution, and would have rights that nobody gave it here; or no certificate could have the name.",
  "user-twice":
    "Two users have one name in Kubernetes. What is bound to one is bound to both, and cannot be taken from one alone.",
  validity: "The validity is not a whole number of hours, or so long that it would overflow.",
  "without-effect": {
    cause:
      "The choice is for certificates that the distribution issues itself, or that nothing has, so that it would change nothing. A warning, where the inventory shows it.",
    fix: "leave it out and choose it in the distribution's own configuration, or set issueLeaves: true where you run the components by hand",
  },
  "wrong-type":
    "The value has another type than the one that is read there. What comes from YAML, JavaScript or a cast is not looked at by the compiler.",
};

/** docs/errors.md: every code that lib has, with its cause. */
export function errorsMarkdown(codes: ReadonlyMap<string, CodeUse>): string {
  const entries = [...codes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, use]) => entry(code, use));
  return `# Errors

Every problem is reported on one line, with a code that stays the same between versions:

\`\`\`
[host-cidr] cluster.extraSans[0]: given "192.168.214.1/24"; allowed: a DNS name or an IP address; fix: it is a CIDR; did you mean "192.168.214.1"?
\`\`\`

Synth reports all problems of a construct at once, in one \`PkiError\` whose \`problems\` have \`code\`, \`at\`, \`given\`, \`allowed\` and
\`fix\` as fields. Values that are not known at synth are checked by Terraform, before anything is issued. No message contains a key, a
token or a password.

This page is generated from the code (\`npm run golden\`); \`…\` stands for what depends on the description.

${entries.join("\n")}`;
}

function entry(code: string, { by, allowed, fixes }: CodeUse): string {
  const known = CAUSES[code];
  const { cause, fix } = typeof known === "object" ? known : { cause: known ?? "", fix: undefined };
  const lines = [
    item("Allowed", [...allowed].map(escape)),
    item("Fix", fix ? [fix] : [...fixes].map(escape)),
    item("Found by", [[...by].sort().reverse().join(", and by ")]),
  ];
  return `## \`${code}\`\n\n${cause}\n\n${lines.join("")}`;
}

/** What is said at one place, or at several. */
function item(what: string, texts: readonly string[]): string {
  const list = texts.length > 1 ? texts.map((text) => `\n  - ${text}`).join("") : ` ${texts.join("")}`;
  return texts.length === 0 ? "" : `- ${what}:${list}\n`;
}

/** Text of the code as text of Markdown. */
function escape(text: string): string {
  return text === OPEN ? "what the message lists" : text.replace(/[<*]/g, "\\$&");
}
