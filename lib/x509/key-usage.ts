import { instanceOf } from "../terraform/shape";
import type { KeyAlgorithm } from "./key-algorithm";

/**
 * What a certificate may be used for: key usage and extended key usage together, by the tls provider's names.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
 * @see https://www.rfc-editor.org/rfc/rfc8813
 */
export class KeyUsage {
  /** Signs certificates, and lists of those that are revoked. */
  public static readonly AUTHORITY = new KeyUsage("CA", ["cert_signing", "crl_signing"]);
  /** A TLS server. */
  public static readonly SERVER = new KeyUsage("server", ["server_auth"]);
  /** A TLS client. */
  public static readonly CLIENT = new KeyUsage("client", ["client_auth"]);
  /** Both ends, as etcd's peers and its gateway are. */
  public static readonly SERVER_AND_CLIENT = new KeyUsage("server, client", ["server_auth", "client_auth"]);

  private constructor(
    /** The words that the documentation uses: `server`, `client`, `server, client`, `CA`. */
    public readonly name: string,
    /** What it is for: `server_auth`, `client_auth`, or what an authority signs. */
    public readonly purposes: readonly string[],
  ) {}

  /**
   * `allowed_uses` of the tls provider for a certificate with such a key. Every key signs. An RSA key of a server also decrypts the
   * key of a session, in the exchange that TLS 1.3 dropped; an ECDSA key cannot, and must not say so (RFC 8813, 3); with a client's
   * purpose that use is not consistent (RFC 5280, 4.2.1.12).
   *
   * The order is part of the value: the provider compares it as a list, and another order re-issues the certificate.
   */
  public allowedUses(keyAlgorithm: KeyAlgorithm): string[] {
    const decrypts = this.purposes.includes("server_auth") && keyAlgorithm.tls.algorithm === "RSA";
    return ["digital_signature", ...(decrypts ? ["key_encipherment"] : []), ...this.purposes];
  }
}

/** A {@link KeyUsage}, where one is expected. */
export const KEY_USAGE = instanceOf(KeyUsage, "KeyUsage.CLIENT");
