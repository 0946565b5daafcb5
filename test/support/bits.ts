/** PEM of one block, with lines as OpenSSL writes them. */
export function pemOf(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}

/**
 * The PEM with one bit of its DER flipped, another one each time: from the first to the last, and always the same.
 *
 * @param count how many, at most as many as there are bits
 */
export function flipped(pem: string, count: number): string[] {
  const [, label, base64] = /-----BEGIN ((?:[A-Z]+ )*(?:KEY|CERTIFICATE))-----\n([^-]+)-----END/.exec(pem)!;
  const der = Buffer.from(base64!, "base64");
  return Array.from({ length: count }, (_, index) => {
    const bit = Math.floor((index * der.length * 8) / count);
    const damaged = Buffer.from(der);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    return pemOf(label!, damaged);
  });
}
