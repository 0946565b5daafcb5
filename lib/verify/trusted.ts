import { nameText, subjectOf } from "./der";
import type { Generation, Trusted } from "./facts";
import { isNameless, named, titleOf, type TrustedName } from "./names";
import type { Seen } from "./probe";
import type { TrustedReport } from "./report";

/** Compares the authorities whose clients a port lets in with those that it should. */
export function trustedReport(
  trusted: readonly Trusted[],
  seen: Seen,
  generations: readonly Generation[],
): TrustedReport {
  const names = namesSeen(seen);
  if (typeof names === "string") {
    const verdict = trusted.length > 0 ? { verdict: "not-yet" as const } : {};
    return { ...verdict, message: names, generations: {}, strangers: [] };
  }
  const known = names.flatMap((name) => named(name, generations));
  const isDue = ({ authority }: Generation) => trusted.some((one) => one.authority === authority);
  const strangers = [
    ...names.filter((name) => named(name, generations).length === 0).map(({ name }) => nameText(name)!),
    ...(trusted.length > 0 ? known.filter((one) => !isDue(one)).map(titleOf) : []),
  ];
  const found = byAuthority(known.filter((one) => trusted.length === 0 || isDue(one)));
  const message = Object.entries(found).map(([authority, ids]) => `${authority} ${ids.join("+")}`);
  const shown = { generations: found, strangers };
  if (trusted.length === 0) {
    return { message: message.join(", ") || "nobody of this cluster", ...shown };
  }
  const expected = generations.filter((one) => trusted.some((part) => isExpected(one, part)));
  const nameless = expected.filter(isNameless);
  const missing = expected.filter((one) => !known.includes(one) && !nameless.includes(one));
  const left = known.filter((one) => isDue(one) && !expected.includes(one) && !isNamesake(one, expected, names));
  const problems = [
    ...nameless.map((one) => `nobody knows the name of ${titleOf(one)}: give a state that has it`),
    ...strangers.map((name) => `trusts a stranger: ${name}`),
    ...missing.map((one) => `does not trust ${titleOf(one)} yet`),
    ...left.map((one) => `still trusts ${titleOf(one)}`),
  ];
  const verdict =
    strangers.length > 0 && nameless.length === 0 ? "foreign" : problems.length > 0 ? "not-yet" : "as-issued";
  return { verdict, message: problems.join("; ") || message.join(", "), ...shown };
}

/** The authorities that are trusted somewhere, or why nobody knows. */
export function namesSeen(seen: Seen): readonly TrustedName[] | string {
  switch (seen.kind) {
    case "nothing":
      return seen.reason;
    case "hidden":
      return "cannot be seen: it speaks TLS 1.3 alone, which hides them; look at the file, and whether the process is younger";
    case "presented":
      return "";
    case "shown":
      return seen.authorities === undefined
        ? "it asks for no client certificate"
        : seen.authorities.length === 0
          ? "cannot be seen: it asks for a client certificate and names no authority"
          : seen.authorities.map((name) => ({ name }));
    case "bundle":
      return seen.certificates.map((certificate) => ({ name: subjectOf(certificate.raw)!, certificate }));
  }
}

function isExpected({ authority, state }: Generation, part: Trusted): boolean {
  return authority === part.authority && (state === "active" || (part.generations === "all" && state === "trusted"));
}

/** Whether the name that was seen may be that of another generation, which is expected. */
function isNamesake(one: Generation, expected: readonly Generation[], names: readonly TrustedName[]): boolean {
  return names.some((name) => {
    const those = named(name, [one, ...expected]);
    return those.includes(one) && those.length > 1;
  });
}

function byAuthority(generations: readonly Generation[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { authority, id } of generations) {
    found[authority] = [...new Set([...(found[authority] ?? []), id])].sort();
  }
  return found;
}
