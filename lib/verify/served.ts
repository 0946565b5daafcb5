import type { X509Certificate } from "node:crypto";
import { LATER } from "../inventory-schema";
import type { Generation, Issued } from "./facts";
import { isAbout, isNameless, oneLine, signerOf, titleOf } from "./names";
import type { Seen } from "./probe";
import type { ServedReport, Verdict } from "./report";

/** Compares the certificate that a port serves with the one that was issued for it. */
export function servedReport(
  issued: Issued | undefined,
  seen: Seen,
  generations: readonly Generation[],
  now: Date,
): ServedReport {
  const certificate = issued && { certificate: issued.name };
  if (seen.kind === "nothing") {
    return { ...(issued ? { verdict: "not-yet" } : {}), message: seen.reason, ...certificate };
  }
  if (seen.kind === "bundle") {
    return { message: "" };
  }
  const [leaf] = seen.chain;
  const signer = signerOf(leaf, generations);
  const end = new Date(leaf.validTo).toISOString().replace(".000Z", "Z");
  return {
    ...(issued
      ? judgeServed(issued, leaf, signer ?? nameless(issued, generations), now)
      : { message: "its own, which was not issued here" }),
    ...certificate,
    ...(signer ? { signedBy: titleOf(signer) } : {}),
    expirationDate: end,
  };
}

/** Who may have signed, and nobody here could tell. */
function nameless({ authority }: Issued, generations: readonly Generation[]): "nameless" | undefined {
  return generations.some((one) => one.authority === authority && isNameless(one)) ? "nameless" : undefined;
}

function judgeServed(
  issued: Issued,
  leaf: X509Certificate,
  signer: Generation | "nameless" | undefined,
  now: Date,
): { readonly verdict: Verdict; readonly message: string } {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (now.getTime() > to || now.getTime() < from) {
    const message = now.getTime() > to ? `expired on ${day(to)}` : `is not valid before ${day(from)}`;
    return { verdict: "foreign", message };
  }
  const { certificate, authority, subject } = issued;
  if (certificate?.fingerprint256 === leaf.fingerprint256) {
    return { verdict: "as-issued", message: "as issued" };
  }
  if (!signer) {
    return { verdict: "foreign", message: `a stranger's, signed by ${oneLine(leaf.issuer)}` };
  }
  if (signer === "nameless") {
    return { verdict: "not-yet", message: `signed by ${oneLine(leaf.issuer)}, of which a state has to tell: give one` };
  }
  if (signer.authority !== authority) {
    return { verdict: "foreign", message: `signed by ${titleOf(signer)}, where ${authority} signs` };
  }
  // A subject that Terraform fills in is in no inventory.
  const isKnown = certificate !== undefined || !subject.includes(LATER);
  if (isKnown && !isAbout(leaf, certificate?.subject ?? subject)) {
    return { verdict: "foreign", message: `somebody else's: ${oneLine(leaf.subject)}` };
  }
  if (certificate) {
    const isNewer = from > Date.parse(certificate.validFrom);
    const message = isNewer ? `one that is newer than the state's, of ${day(from)}` : `the old one, until ${day(to)}`;
    return { verdict: "not-yet", message };
  }
  const isDue = signer.state === "active" || (signer.state === "trusted" && signer.id === issued.generation);
  return isDue
    ? { verdict: "as-issued", message: "signed as it should be" }
    : { verdict: "not-yet", message: `still the old one, until ${day(to)}` };
}

/** `2027-01-01`, UTC. */
function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
