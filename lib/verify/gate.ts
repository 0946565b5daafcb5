import type { Expectation } from "./expectation";
import type { Generation, Port } from "./facts";
import { named, placeOf } from "./names";
import { type ExpectationReport, gravest, type Look, type PortReport, type Verdict } from "./report";
import { namesSeen } from "./trusted";

/** A port, what was seen there, and what that is worth. */
export interface JudgedPort {
  readonly look: Look;
  readonly report: PortReport;
}

/** Judges a gate by the ports that show something of its authority. */
export function expectationReport(
  expectation: Expectation,
  ports: readonly JudgedPort[],
  generations: readonly Generation[],
  nodes: readonly Obstacle[],
): ExpectationReport {
  const { text, authority, state } = expectation;
  const concerned = ports.filter(
    ({ look: { port }, report }) =>
      serves(port, authority) || trusts(port, authority) || isSignedByAny(report, authority),
  );
  const { shows, otherwise } = PROOFS[state];
  // Nothing that speaks against it is no proof.
  if (!concerned.some(({ look: { port } }) => shows(port, authority))) {
    return { expectation: text, verdict: "not-yet", reasons: [otherwise] };
  }
  const found = [...concerned.flatMap((one) => reasonsAt(one, expectation, generations)), ...nodes];
  return {
    expectation: text,
    verdict: gravest(found.map(({ verdict }) => verdict)),
    reasons: found.map(({ place, message }) => `${place}: ${message}`),
  };
}

/** What at least one port has to show, and what is said where none does. */
const PROOFS: Readonly<
  Record<Expectation["state"], { shows(port: Port, authority: string): boolean; readonly otherwise: string }>
> = {
  trusted: { shows: trusts, otherwise: "no port that was looked at shows who trusts it" },
  active: { shows: serves, otherwise: "no port that was looked at shows what it signed" },
  retired: {
    shows: (port, authority) => serves(port, authority) || trusts(port, authority),
    otherwise: "no port that was looked at shows anything of it",
  },
};

/** Whether what a port serves was issued by an authority. */
function serves({ issued }: Port, authority: string): boolean {
  return issued?.authority === authority;
}

/** Whether a port is to trust an authority. */
function trusts({ trusted }: Port, authority: string): boolean {
  return trusted.some((one) => one.authority === authority);
}

/** Whether what is served there was signed by an authority, though it was not issued here: by the cluster, for its kubelets. */
function isSignedByAny({ served: { signedBy } }: PortReport, authority: string): boolean {
  return signedBy?.startsWith(`${authority} `) ?? false;
}

/** What is in the way of a gate. */
export interface Obstacle {
  readonly place: string;
  readonly verdict: Verdict;
  readonly message: string;
}

/** Why an expectation is not met at a port. What is a stranger's or expired is one, whatever is expected. */
function reasonsAt({ look, report }: JudgedPort, expectation: Expectation, all: readonly Generation[]): Obstacle[] {
  const { port, seen } = look;
  const { authority, generation } = expectation;
  const place = placeOf(port);
  const { served, trusted } = report;
  const isServed = serves(port, authority) || isSignedByAny(report, authority);
  const isTrusted = trusts(port, authority);
  const does = seen.kind === "presented" ? "comes with" : "serves";
  if (seen.kind === "nothing") {
    return [{ place, verdict: "not-yet", message: seen.reason }];
  }
  const grave: Obstacle[] = [
    ...(isServed && served.verdict === "foreign"
      ? [{ place, verdict: served.verdict, message: `${does} ${served.message}` }]
      : []),
    ...(isTrusted && trusted.verdict === "foreign"
      ? [{ place, verdict: trusted.verdict, message: trusted.message }]
      : []),
  ];
  const names = namesSeen(seen);
  const own = all.filter(({ cluster, authority: name }) => cluster === port.cluster && name === authority);
  const title = `${authority} ${generation}`;
  const isSigned = served.signedBy === title;
  const trust = () => {
    if (typeof names === "string") {
      return [names];
    }
    const matches = names.map((name) => named(name, own).map(({ id }) => id)).filter((ids) => ids.includes(generation));
    if (expectation.state === "retired") {
      return matches.length > 0 ? [`still trusts ${title}`] : [];
    }
    if (matches.length === 0) {
      return [`does not trust ${title} yet`];
    }
    return matches.every((ids) => ids.length > 1)
      ? [`${title} has the name of ${matches[0]!.join(" and ")}: nobody can tell which`]
      : [];
  };
  const signature = () => {
    const until = `until ${(served.expirationDate ?? "").slice(0, 10)}`;
    return {
      trusted: [],
      active: isSigned ? [] : [`${does} what ${served.signedBy ?? "nobody here"} signed, ${until}`],
      retired: isSigned ? [`still ${does} what ${title} signed, ${until}`] : [],
    }[expectation.state];
  };
  const messages = [...(isTrusted ? trust() : []), ...(isServed ? signature() : [])];
  return [...grave, ...messages.map((message): Obstacle => ({ place, verdict: "not-yet", message }))];
}
