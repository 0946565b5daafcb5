import { PemContent, publicPart } from "./pem";
import type { StatusProblem } from "./source";

/** What could not be read of PEM. */
export function problemsOfPem(name: string, pem: PemContent, where = ""): StatusProblem[] {
  const counts: readonly (readonly [number, string])[] = [
    [pem.brokenCertificates, "certificate"],
    [pem.brokenKeys, "private key"],
  ];
  return counts
    .filter(([count]) => count > 0)
    .map(([count, what]) => {
      const subject = count === 1 ? `a ${what} in it is` : `${count} ${what}s in it are`;
      return { name, kind: "broken", message: `${subject} broken or cut off${where}` };
    });
}

/**
 * Compares certificates with the key that belongs to them. Of authorities, one is enough: the others are earlier and later generations.
 * A server or a client shows the first.
 *
 * @param where where the key is
 */
export function pairProblem(
  name: string,
  { certificates }: PemContent,
  where: string,
  { keys, encryptedKeys }: PemContent,
): StatusProblem[] {
  const [first] = certificates;
  const candidates = first?.ca ? certificates : certificates.slice(0, 1);
  if (candidates.length === 0 || candidates.some(({ publicKey }) => keys.includes(publicPart(publicKey)))) {
    return [];
  }
  if (keys.length > 0) {
    return [{ name, kind: "key-mismatch", message: `the key in ${where} is not its own` }];
  }
  const message = `the key in ${where} needs a password, and was not compared`;
  return encryptedKeys > 0 ? [{ name, kind: "unreadable", message }] : [];
}
