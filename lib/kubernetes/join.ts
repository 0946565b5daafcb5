import { Token } from "cdktf";
import { createHash, X509Certificate } from "node:crypto";
import { Problems } from "../errors";
import { CERTIFICATE, certificatesOf, DER } from "../x509/pem";
import { derOf } from "../x509/pem-expression";
import { Cluster, hostAndPort, hostPort } from "./cluster";
import { content, Content } from "./content";
import { kubeconfig } from "./kubeconfig";
import type { JoinFormat } from "./table";
import { quoted } from "../terraform/expression";
import type { AuthorityGeneration } from "../x509/certificate-authority";

/** What a machine needs to join a cluster. */
export interface JoinProps {
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** PEM of the authorities the API server may be signed by: the whole bundle. */
  readonly certificateAuthority: Content;
  /**
   * PEM of the root above the API server's authority, where others signed that: a secure token holds its hash.
   * @default - looked for in certificateAuthority where that is literal text; else the API server's authority is self-signed
   */
  readonly root?: string;
  /** What it shows: a bootstrap token, or `<user>:<password>`. */
  readonly token: Content;
}

/** What a machine joins with, as the distribution writes it. It is data: it names the token and does not hold it. */
export function joinWith(format: JoinFormat, { cluster, certificateAuthority, root, token }: JoinProps): Content {
  if (format === "secure token") {
    return content`K10${authorityHash(certificateAuthority, root)}::${token}`;
  }
  const { user, context, cluster: clusterName = cluster.name, port } = format.kubeconfig;
  const endpoint = hostAndPort(cluster.endpoint);
  const text = kubeconfig({
    clusterName,
    server: `https://${hostPort({ ...endpoint, port: port ?? endpoint.port })}`,
    certificateAuthority,
    user,
    context,
    credentials: { token },
  });
  return format.encoding === "base64gzip" ? { base64gzip: text } : text;
}

/**
 * The hash in a secure token, by which a machine knows the cluster before it trusts it. K3s makes it of the root's DER where its
 * file of the API server's authority starts with a chain to a root, and of the file's text otherwise: for one certificate, and for
 * self-signed ones in a row during a rotation. So it changes with every generation of a self-signed authority, and with none of
 * those below a root.
 *
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/clientaccess/token.go hashCA
 */
function authorityHash(certificateAuthority: Content, root?: string): Content {
  const found =
    root === undefined ? rootIn(certificateAuthority) : [new X509Certificate(root)].find((above) => isRoot(above));
  return found ? createHash("sha256").update(found.raw).digest("hex") : { sha256: certificateAuthority };
}

/** The root above the first certificate of literal text. */
function rootIn(pem: Content): X509Certificate | undefined {
  if (typeof pem !== "string" || Token.isUnresolved(pem)) {
    return undefined;
  }
  const [first, ...above] = certificatesOf(pem);
  return first && rootAbove(first, above);
}

function rootAbove(certificate: X509Certificate, above: readonly X509Certificate[]): X509Certificate | undefined {
  const issuers = above.filter((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  const others = (issuer: X509Certificate) => above.filter((other) => other !== issuer);
  return (
    issuers.find(isRoot) ??
    issuers.map((issuer) => rootAbove(issuer, others(issuer))).find((root) => root !== undefined)
  );
}

/** What K3s takes for a root: a certificate that no other key signed, by its key identifiers. */
function isRoot(certificate: X509Certificate): boolean {
  const der = certificate.raw.toString("hex");
  const signer = new RegExp(DER.AUTHORITY_KEY).exec(der)?.[1];
  return signer === undefined || der.includes(DER.SUBJECT_KEY + signer);
}

/** What is wrong where the hash of a root is wanted that synth does not know. */
const UNKNOWN_ROOT = {
  code: "secure-token-root",
  given: "an authority below a root that is no literal text",
  allowed:
    "a self-signed authority, or literal PEM up to the root: the token holds the SHA-256 of the root's DER, which Terraform cannot make",
} as const;

/** Finds an authority whose hash Terraform cannot make. */
export function checkSecureToken(active: AuthorityGeneration, at: string, problems: Problems): void {
  if (active.chain.length > 0 && active.literalRoot === undefined) {
    const { code, given, allowed } = UNKNOWN_ROOT;
    const fix =
      "give the root as Generation.fromPem with certificatePem as literal text, which is public, or let the authority be self-signed";
    problems.add({ code, at, given, allowed, fix });
  }
}

/** The same for Terraform, where the PEM is unresolved: it can read whether the first certificate signed itself. */
export function secureTokenPrecondition(certificateAuthority: string): { condition: string; error_message: string } {
  const first = `regexall("${CERTIFICATE}", ${quoted(certificateAuthority)})[0]`;
  const signer = `regexall("${DER.AUTHORITY_KEY}", der)`;
  const itself = `alltrue([for id in ${signer} : strcontains(der, join("", ["${DER.SUBJECT_KEY}", id[0]]))])`;
  const { code, allowed } = UNKNOWN_ROOT;
  const fix =
    "give certificateAuthority as literal text, which is public; below one root every generation gives the same hash";
  return {
    condition: `\${try(alltrue([for der in [${derOf(first)}] : ${itself}]), false)}`,
    error_message: `[${code}] certificateAuthority: allowed: ${allowed}; fix: ${fix}.`,
  };
}
