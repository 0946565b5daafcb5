import type { X509Certificate } from "node:crypto";
import { nameText, subjectOf } from "./der";
import type { Generation, Port } from "./facts";

// Which generation a name or a signature is of.

/** `kubernetes g1` */
export function titleOf({ authority, id }: Pick<Generation, "authority" | "id">): string {
  return `${authority} ${id}`;
}

/** `etcd:2380` */
export function portName({ component, number }: Pick<Port, "component" | "number">): string {
  return number === undefined ? component : `${component}:${number}`;
}

/** `cp-1 etcd:2380` */
export function placeOf(port: Pick<Port, "machine" | "component" | "number">): string {
  return `${port.machine} ${portName(port)}`;
}

/** An authority that is trusted somewhere. */
export interface TrustedName {
  /** DER of its subject. */
  readonly name: Buffer;
  /** Missing where the name alone is shown. */
  readonly certificate?: X509Certificate;
}

/**
 * The generations that an authority may be: several where a name is all that is known, and nothing in it tells them apart. Bytes are
 * what a client compares; a text is compared where nothing else is there.
 */
export function named(trusted: TrustedName, generations: readonly Generation[]): Generation[] {
  const text = sorted(nameText(trusted.name) ?? "");
  return generations.filter(({ certificate, subject }) =>
    certificate
      ? subjectOf(certificate.raw)?.equals(trusted.name) && hasKeyOf(trusted, certificate)
      : subject !== undefined && sorted(subject) === text,
  );
}

function hasKeyOf({ certificate }: TrustedName, { publicKey }: X509Certificate): boolean {
  return certificate === undefined || certificate.publicKey.equals(publicKey);
}

/** The generation that signed a certificate; by the issuer's name alone where its own certificate is not there. */
export function signerOf(certificate: X509Certificate, generations: readonly Generation[]): Generation | undefined {
  return (
    generations.find((generation) => generation.certificate && isSignedBy(certificate, generation.certificate)) ??
    generations.find(({ certificate: known, subject }) => {
      return !known && subject !== undefined && sorted(subject) === sorted(certificate.issuer);
    })
  );
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  try {
    return certificate.issuer === authority.subject && certificate.verify(authority.publicKey);
  } catch {
    return false;
  }
}

/** Whether nothing is known by which a generation could be recognised: it is from outside, and no state has it. */
export function isNameless({ certificate, subject }: Generation): boolean {
  return certificate === undefined && subject === undefined;
}

/** Whether a certificate is about somebody, `CN=…, O=…`, in whatever order. */
export function isAbout(certificate: X509Certificate, subject: string): boolean {
  return sorted(certificate.subject) === sorted(subject);
}

/** The parts of a name, in an order that does not depend on who wrote it: Node.js gives each a line, and escapes as RFC 4514 does. */
function sorted(name: string): string {
  const text = name.replaceAll("\n", ", ").replace(/\\(.)/g, "$1");
  return text.split(", ").sort().join("\n");
}

/** A subject or issuer of a certificate in one line. */
export function oneLine(subject: string): string {
  return subject.replaceAll("\n", ", ");
}
