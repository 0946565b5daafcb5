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
  "address-taken": "Two elements of one stack have the same Terraform address. cdktf would silently merge them.",
  "alt-name-kind":
    "A DNS name stands among the IP addresses, an IP address among the DNS names, or a value that is not known at synth does not say which of the two it is. A certificate keeps them in different fields.",
  "authority-early-renewal":
    "The authority would be renewed in place. That re-issues everything it signed in one apply, with no time in which old and new are both trusted.",
  "authority-outlives-issuer": "The authority would be valid for longer than the one that signs it.",
  "authority-stack":
    "The signing authority is in another stack. Its private key would have to pass through an output, and end up in both states.",
  "binding-name": "The API server rejects an object of that name, because names are segments of URL paths.",
  "binding-name-reserved": "Names that start with `system:` belong to Kubernetes itself.",
  "binding-subjects": "A binding without subjects grants nothing.",
  "broad-cluster-admin":
    "`cluster-admin` would go to a group that includes everybody, every pod, every node or every bootstrap token.",
  "certificate-authority":
    "`certificateAuthority` is not PEM of certificate authorities, or contains a private key. It goes into the kubeconfig of every node that joins.",
  "cluster-domain": {
    cause: "The cluster domain is not a DNS domain. It is part of a name in the API server's certificate.",
    fix: "write kubelet's `clusterDomain`, such as `cluster.local`",
  },
  "cluster-name": {
    cause: "The cluster's name is not an RFC 1123 label. Kubeconfigs and Terraform names contain it.",
    fix: "the message says which name was probably meant",
  },
  "cluster-role": "The binding does not name a ClusterRole.",
  "distribution-access": "The distribution makes these bindings itself, or has no group of its own to bind.",
  "early-renewal":
    "Early renewal is as long as the validity or longer: the certificate would be due for renewal as soon as it is issued, and every apply would replace it.",
  "endpoint-host": "The endpoint has no host, or more than one.",
  "endpoint-kind":
    "The endpoint's host is not known at synth, or is not what its field says. Whether it is a DNS name or an IP address decides which field of the certificate names it.",
  "etcd-topology": "The distribution does not support etcd in that place.",
  "file-holder": "The row puts a file on a holder that has no certificate of that row.",
  "file-path":
    "The path of a file is relative, names a directory, or is not in its shortest form; or it lies outside of the folder that a command takes.",
  "file-twice": "Two rows write the same file of the same holder.",
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
  issuer: "The named generation cannot sign: it does not exist, is retired, or its private key is not in this stack.",
  "key-algorithm": "Kubernetes does not support keys of this algorithm or size.",
  "key-generation": "The generation of a key is part of Terraform names, and this one cannot be.",
  "leaf-outlives-authority": "The certificate would outlive its authority, and stop working when that expires.",
  "machine-address-twice": "Two machines have the same address.",
  "machine-name":
    "No node can register under this name. It becomes part of the subject `system:node:<name>` and of certificates' SANs.",
  "machine-name-length":
    "With `system:node:` before it, the name would exceed the 64 bytes of a common name (RFC 5280).",
  "machine-name-reserved": "The name is reserved for files that belong to no single machine.",
  "machine-name-twice": "Two machines have the same name: they would share one identity.",
  "moved-from": "`movedFrom` is the current prefix: there is nothing to move.",
  "name-twice":
    "A key pair is called like an authority. Fingerprints of both are listed by name and generation, so one would hide the other.",
  namespace: "The API server rejects a namespace of that name.",
  "no-address": "The distribution puts the machine's address into its certificates, and the machine has none.",
  "no-control-plane":
    "The distribution needs certificates for each control plane, and the description has no control plane.",
  "no-etcd-member": "Etcd runs on machines of its own, and the description has none.",
  "no-secrets": "The distribution is delivered as files and has no Secrets in a management cluster.",
  "one-server-certificate":
    "The servers of a machine share one certificate, and one of them was given an authority of its own. A certificate has one issuer.",
  "other-stack":
    "The keys to deliver are in another stack. They would have to pass through an output, and end up in both states.",
  "password-joins": "The distribution has no join password of that name.",
  "password-stack": "The join password and the PKI are in different stacks. The first server needs both to start.",
  "pem-certificate": "The text is not a PEM certificate, or one of its blocks cannot be parsed.",
  "pem-chain-order": "A certificate of the chain was not issued by the one that follows it.",
  "pem-expired": "The active generation has expired: nothing accepts what it signs.",
  "pem-key": "The text is not a PEM private key, or contains more than one.",
  "pem-key-algorithm": "Kubernetes does not support keys of this algorithm or size.",
  "pem-key-encrypted": "The private key is encrypted, and Terraform cannot decrypt it.",
  "pem-key-in-certificate": "The PEM of a certificate contains a private key, which would be published with it.",
  "pem-key-missing": "The active generation has no private key to sign with.",
  "pem-mismatch": "The private key does not belong to the certificate.",
  "pem-not-ca":
    "The certificate is not a certificate authority: its basic constraints do not say `CA:TRUE`, or its key usage does not allow it to sign certificates.",
  "pem-not-yet-valid": "The active generation is not valid yet.",
  "pem-public-key": "The text is not a PEM public key, or contains more than one.",
  "pem-public-mismatch": "The public key does not belong to the private key.",
  port: "The port is not a TCP port.",
  "secret-key": "The file's path cannot be turned into a key of a Secret.",
  "secret-key-twice": "The paths of two files turn into the same key of the Secret.",
  "secret-name": "The API server rejects a Secret of that name.",
  "secure-token-root":
    "The K3s secure token contains a hash of the root certificate's DER. Terraform cannot hash binary data, so it cannot compute it for a root that is known only in the state, and it does not see in text that it learns when it runs whether there is a root.",
  "service-cidr": "The value is not a CIDR.",
  "service-cidr-count": "A cluster has one service CIDR, or one per IP family.",
  "service-cidr-family": "Both service CIDRs are of the same IP family.",
  "service-cidr-host-bits": "The address before the `/` is not the first of the network.",
  "service-cidr-overlap":
    "An address of a machine, or the endpoint, is inside the service CIDR: traffic to it would be treated as traffic to a service.",
  "service-cidr-size": "The service CIDR is too small for the addresses of the API server and of DNS.",
  "shared-key": "The private key of a leaf certificate would be on more than one machine.",
  subject: "A field of the subject is empty or too long (X.520).",
  "subject-name": "A subject of the binding has no name.",
  "system-masters":
    "`system:masters` may do everything. No authorizer limits it, and it cannot be revoked before the certificate expires.",
  "token-expiry":
    "The bootstrap token could expire before the pipeline replaces it, and nothing could join until then.",
  "token-group": "Kubernetes rejects this group of a bootstrap token.",
  "token-groups":
    "The list of groups is empty, or the token does not authenticate anybody, so that groups have no effect.",
  "token-hours": "The value is not a whole number of hours.",
  "token-joins": {
    cause: "The distribution has no bootstrap token of that kind.",
    fix: "use one of the names that the message gives, or make no token",
  },
  "token-name": "The name of a token is part of Terraform names, and this one cannot be.",
  "unknown-authority": "There is no authority of that name.",
  "unknown-certificate": "There is no certificate of that name, or its holder is another one.",
  "unknown-holder": "There is no holder of that name; or several have a certificate of the name, and none was chosen.",
  "unknown-kubeconfig": "There is no kubeconfig of that name, or its holder is another one.",
  "unknown-name": "The distribution's table has no row of that name.",
  "unknown-set": "There is no such set of certificates.",
  unresolved:
    "The value is known only to Terraform, but is needed at synth: Terraform addresses, files or rules depend on it.",
  validity: "The validity is not a whole number of hours, or so long that it would overflow.",
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
