import { createHash, X509Certificate } from "node:crypto";
import { Problems } from "../errors";
import { checkShape, either, fields, Fields, made, name, number, oneOf, optional } from "../terraform/shape";
import { certificatesOf, isLiteral } from "../x509/pem";
import type { TrustBundle } from "../x509/trust-bundle";
import { bundlePem, checkPkiOrParts, type IClusterPki, PKI } from "./cluster-identity";
import { Cluster, hostAndPort, hostPort } from "./cluster";
import { content, Content } from "./content";
import { NAME_AND_ENDPOINT } from "./checks/cluster-shape";
import { CONTENT } from "./checks/content-shape";
import { kubeconfig } from "./kubeconfig";
import type { JoinFormat } from "./table";

/** What a machine needs to join a cluster. */
export interface JoinProps {
  /** The cluster's name and endpoint, which a kubeconfig names. */
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** PEM of the authorities the API server may be signed by: the whole bundle. Not used where the format names a file that has it. */
  readonly certificateAuthority: Content;
  /**
   * The root above the API server's authority, see {@link rootOf}: a secure token holds its hash.
   * @default - looked for in certificateAuthority where that is literal text; else the API server's authority signed itself
   */
  readonly root?: X509Certificate;
  /** What it shows: a bootstrap token, or `<user>:<password>`. */
  readonly token: Content;
  /**
   * A PKI says cluster and authorities.
   * @default - these two
   */
  readonly pki?: undefined;
}

/** What a machine needs to join a cluster of which there is a PKI. */
export interface JoinOfPkiProps extends Pick<JoinProps, "token"> {
  /** The cluster's PKI. */
  readonly pki: IClusterPki;
  /**
   * Said by the PKI.
   * @default - the PKI's
   */
  readonly cluster?: undefined;
  /**
   * Said by the PKI.
   * @default - the PKI's bundle
   */
  readonly certificateAuthority?: undefined;
}

const JOIN_PROPS = fields({
  cluster: NAME_AND_ENDPOINT,
  certificateAuthority: CONTENT,
  root: optional(made("an X509Certificate of node:crypto", "new X509Certificate(pem)", isCertificate)),
  token: CONTENT,
} satisfies Fields<Omit<JoinProps, "pki">>);

const JOIN_OF_PKI_PROPS = fields({ pki: PKI, token: CONTENT } satisfies Fields<Pick<JoinOfPkiProps, "pki" | "token">>);

/** The format that is a kubeconfig. */
type KubeconfigFormat = Exclude<JoinFormat, string>;

const KUBECONFIG_FORMAT = fields({
  kubeconfig: fields({
    cluster: optional(name("prod")),
    context: optional(name("bootstrap")),
    user: name("tls-bootstrap-token-user"),
    port: optional(number(6443)),
    certificateAuthority: optional(name("pki/ca.crt")),
  } satisfies Fields<KubeconfigFormat["kubeconfig"]>),
  encoding: optional(oneOf(["base64gzip"] satisfies KubeconfigFormat["encoding"][])),
} satisfies Fields<KubeconfigFormat>);

const SECURE_TOKEN = oneOf(["secure token"] satisfies JoinFormat[]);

const FORMAT = either('"secure token" or { kubeconfig: … }', "the format of a row of the distribution", (value) =>
  typeof value === "object" ? KUBECONFIG_FORMAT : SECURE_TOKEN,
);

function isCertificate(value: object): boolean {
  return value instanceof X509Certificate;
}

/**
 * What a machine joins with, as the distribution writes it. It is data: it names the token and does not hold it.
 *
 * @throws PkiError when a field is missing, unknown or of another type; when neither a PKI nor its parts were given, or both; when a
 * secure token would need a hash that cannot be made of the PKI's authority
 */
export function joinWith(format: JoinFormat, props: JoinProps | JoinOfPkiProps): Content {
  checkShape("joinWith", format, FORMAT, "format");
  const problems = new Problems();
  checkPkiOrParts(props, ["cluster", "certificateAuthority"], problems);
  problems.throwIfAny("joinWith");
  checkShape("joinWith", props, props?.pki === undefined ? JOIN_PROPS : JOIN_OF_PKI_PROPS);
  if (props.pki !== undefined && format === "secure token") {
    checkSecureToken(props.pki.certificateAuthority, "pki", problems);
  }
  problems.throwIfAny("joinWith");
  const { cluster, certificateAuthority, root, token } = props.pki === undefined ? props : partsOf(props);
  if (format === "secure token") {
    return content`K10${authorityHash(certificateAuthority, root)}::${token}`;
  }
  const { user, context, cluster: clusterName = cluster.name, port, certificateAuthority: file } = format.kubeconfig;
  const endpoint = hostAndPort(cluster.endpoint);
  const text = kubeconfig({
    clusterName,
    server: `https://${hostPort({ ...endpoint, port: port ?? endpoint.port })}`,
    certificateAuthority: file === undefined ? certificateAuthority : { file },
    user,
    context,
    credentials: { token },
  });
  return format.encoding === "base64gzip" ? { base64gzip: text } : text;
}

function partsOf({ pki: { cluster, certificateAuthority }, token }: JoinOfPkiProps): JoinProps {
  const root = rootOf(certificateAuthority);
  return { cluster, certificateAuthority: bundlePem(certificateAuthority), root, token };
}

/**
 * The hash in a secure token, by which a machine knows the cluster before it trusts it. K3s makes it of the root's DER where its
 * file of the API server's authority starts with a chain to a root, and of the file's text otherwise: for one certificate, and for
 * self-signed ones in a row during a rotation. So it changes with every generation of a self-signed authority, and with none of
 * those below a root.
 *
 * @see https://github.com/k3s-io/k3s/blob/master/pkg/clientaccess/token.go hashCA
 */
function authorityHash(certificateAuthority: Content, given?: X509Certificate): Content {
  const root = given ?? (typeof certificateAuthority === "string" ? rootOf(certificateAuthority) : undefined);
  return root ? createHash("sha256").update(root.raw).digest("hex") : { sha256: certificateAuthority };
}

/** False where the machine that joins finds the authorities in a file of its own. */
export function embedsAuthority(format: JoinFormat): boolean {
  return format === "secure token" || format.kubeconfig.certificateAuthority === undefined;
}

/** The root above the API server's authority, for {@link joinWith}; none where that signed itself, or text ends below its root. */
export function rootOf(authority: TrustBundle | string): X509Certificate | undefined {
  if (typeof authority === "string") {
    const [first, ...above] = isLiteral(authority) ? certificatesOf(authority) : [];
    return first && rootAbove(first, above);
  }
  return certificatesOf(authority.literalRoot ?? "").find(isRoot);
}

function rootAbove(certificate: X509Certificate, above: readonly X509Certificate[]): X509Certificate | undefined {
  const issuers = above.filter((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  const others = (issuer: X509Certificate) => above.filter((other) => other !== issuer);
  return (
    issuers.find(isRoot) ??
    issuers.map((issuer) => rootAbove(issuer, others(issuer))).find((root) => root !== undefined)
  );
}

/** The extension's object identifier, 2.5.29.35, as it stands in a certificate. */
const AUTHORITY_KEY_IDENTIFIER = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x23]);

/** What K3s takes for a root: a certificate that names no key as its signer's, or its own. OpenSSL compares the identifiers. */
function isRoot(certificate: X509Certificate): boolean {
  return !certificate.raw.includes(AUTHORITY_KEY_IDENTIFIER) || certificate.checkIssued(certificate);
}

/**
 * Finds an authority whose hash cannot be made: Terraform hashes text and no DER, and of unresolved text it does not see whether its
 * first certificate signed itself. A wrong hash would stop every machine that joins, so it is refused.
 */
export function checkSecureToken(authority: TrustBundle | string | undefined, at: string, problems: Problems): void {
  const allowed =
    "a self-signed authority, or literal PEM up to the root: the token holds the SHA-256 of the root's DER, which Terraform cannot make";
  if (authority === undefined || (typeof authority === "string" && !isLiteral(authority))) {
    const fix = "give the ClusterPki or its bundle, or the PEM as literal text, which is public";
    problems.add({ code: "secure-token-root", at, given: "PEM that is known to Terraform alone", allowed, fix });
  } else if (typeof authority !== "string" && authority.belowRoot && authority.literalRoot === undefined) {
    const given = "an authority below a root that is no literal text";
    const fix =
      "give the root as Generation.fromPem with certificatePem as literal text, which is public, or let the authority be self-signed";
    problems.add({ code: "secure-token-root", at, given, allowed, fix });
  }
}
