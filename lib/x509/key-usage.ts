/**
 * What a certificate may be used for: key usage and extended key usage together, by the tls provider's names.
 *
 * The order is part of the value: the provider compares `allowed_uses` as a list, and another order re-issues the certificate.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
 */
export class KeyUsage {
  /** Signs certificates, as kubeadm's authorities do. */
  public static readonly AUTHORITY = new KeyUsage("CA", ["digital_signature", "key_encipherment", "cert_signing"]);
  /** A TLS server. */
  public static readonly SERVER = new KeyUsage("server", ["digital_signature", "key_encipherment", "server_auth"]);
  /** A TLS client. */
  public static readonly CLIENT = new KeyUsage("client", ["digital_signature", "key_encipherment", "client_auth"]);
  /** Both ends, as etcd's peers and its gateway are. */
  public static readonly SERVER_AND_CLIENT = new KeyUsage("server, client", [
    "digital_signature",
    "key_encipherment",
    "server_auth",
    "client_auth",
  ]);

  private constructor(
    /** The words that the documentation uses: `server`, `client`, `server, client`, `CA`. */
    public readonly name: string,
    /** `allowed_uses` of the tls provider, in the order they are emitted. */
    public readonly allowedUses: readonly string[],
  ) {}
}
