import { clusterSubject } from "../cluster-subject";
import type { Problems } from "../../errors";
import { checkDistinct, checkSubjects, placed, type PlacedGeneration } from "../../x509/distinct";
import { checkPurposes } from "../../x509/authority-limits";
import { FIRST_GENERATION, type Generation } from "../../x509/generation";
import { addFault, authoritiesText, isIssuedBy, isLiteral, literalCertificates, nameOf } from "../../x509/pem";
import type { ClusterPkiProps } from "../cluster-pki-props";
import type { DistributionTable, RowException } from "../table";

/** What stands in no generation alone: authorities from outside beside each other, and beside what the distribution lets them sign. */
export function checkTogether(
  props: ClusterPkiProps,
  table: DistributionTable,
  problems: Problems,
  textOf?: (token: string) => string,
): void {
  const authorities = Object.keys(table.authorities).map((name) => placedAuthority(name, props, table));
  const { generations = FIRST_GENERATION } = props.serviceAccount ?? {};
  const keyPair = placed(generations, "serviceAccount.generations", "serviceAccount");
  checkDistinct([...authorities.flat(), ...keyPair], problems, textOf);
  bundlesOf(table).forEach((names) => {
    const together = authorities.flat().filter(({ owner }) => names.includes(owner));
    checkSubjects(together, problems);
  });
  authorities.flat().forEach((generation) => checkLimits(generation, table, problems));
  if (table.sharedRoot === undefined) {
    sharedRoots(props, table).forEach(({ at, above, trustedBy }) =>
      problems.add({
        code: "shared-root",
        at,
        given: `an authority below ${above}, which ${trustedBy} trusts, too`,
        allowed: "an authority that no bundle of another authority of the cluster vouches for",
        fix: "leave the certificates above it out of certificatePem, here and there; where one authority signed the other, make a new one",
      }),
    );
  }
}

/** A warning where the distribution lets authorities be below one root, and these are. */
export function sharedRootWarnings(props: ClusterPkiProps, table: DistributionTable): string[] {
  const owners = sharedRoots(props, table).flatMap(({ owner, trustedBy }) => [owner, trustedBy.split(".")[1]!]);
  const names = Object.keys(table.authorities).filter((name) => owners.includes(name));
  return table.sharedRoot === undefined || names.length === 0
    ? []
    : [warning(names, { code: "shared-root", reason: table.sharedRoot })];
}

function warning(names: readonly string[], { code, reason }: RowException): string {
  return `[${code}] ${names.join(", ")}: ${reason}`;
}

function placedAuthority(
  name: string,
  { authorities = {}, subject }: ClusterPkiProps,
  table: DistributionTable,
): PlacedGeneration[] {
  const { commonName, organization } = table.authorities[name]!;
  return placed(
    authorities[name]?.generations ?? FIRST_GENERATION,
    `authorities.${name}.generations`,
    name,
    clusterSubject({ commonName, organization }, subject),
  );
}

/** Names of the authorities that verifiers trust together: each alone, and those of one file. */
function bundlesOf({ authorities }: DistributionTable): string[][] {
  const rows = Object.entries(authorities);
  return [
    ...rows.map(([name]) => [name]),
    ...rows.flatMap(([name, { files }]) => files.flatMap(({ alsoOf }) => (alsoOf ? [[name, ...alsoOf]] : []))),
  ];
}

/** Finds a certificate from outside that cannot stand above what the distribution lets it sign. */
function checkLimits(
  { owner, id, at, generation }: PlacedGeneration,
  table: DistributionTable,
  problems: Problems,
): void {
  const { limits, state } = generation;
  if (!limits || state === "retired") {
    return;
  }
  const here = `${at}.certificatePem`;
  const purposes = new Set(purposesBelow(owner, table));
  checkPurposes([...purposes], { limits, generation: id }, here, problems);
  const levels = levelsBelow(owner, table);
  // Where it may have none below it, that was told by the authority below.
  if (limits.pathLength !== undefined && limits.pathLength > 0 && limits.pathLength < levels) {
    addFault(
      "pem-path-length",
      here,
      `the path length ${limits.pathLength} above ${authoritiesText(levels)}`,
      problems,
    );
  }
}

function authoritiesBelow(name: string, { authorities }: DistributionTable): string[] {
  return Object.keys(authorities).filter((other) => authorities[other]!.issuer === name);
}

function purposesBelow(name: string, table: DistributionTable): string[] {
  const own = Object.values(table.certificates).filter(({ authority }) => authority === name);
  return [
    ...own.flatMap(({ usage }) => usage.purposes),
    ...authoritiesBelow(name, table).flatMap((other) => purposesBelow(other, table)),
  ];
}

function levelsBelow(name: string, table: DistributionTable): number {
  return Math.max(0, ...authoritiesBelow(name, table).map((other) => 1 + levelsBelow(other, table)));
}

interface SharedRoot {
  readonly owner: string;
  readonly at: string;
  /** The subject of what is above both. */
  readonly above: string;
  /** Where the other authority stands. */
  readonly trustedBy: string;
}

/** Authorities of the cluster of which one's bundle verifies what the other signed. */
function sharedRoots({ authorities = {} }: ClusterPkiProps, table: DistributionTable): SharedRoot[] {
  const given = Object.keys(table.authorities).flatMap((owner) =>
    Object.entries(authorities[owner]?.generations ?? {}).flatMap(([id, generation]) => {
      const chain = chainOf(generation);
      return chain.length > 0 ? [{ owner, at: `authorities.${owner}.generations.${id}`, chain }] : [];
    }),
  );
  return given.flatMap(({ owner, at, chain }, index) =>
    given.slice(0, index).flatMap((other): SharedRoot[] => {
      if (owner === other.owner || isOneTree(owner, other.owner, table)) {
        return [];
      }
      const shared = vouching(other.chain, chain) ?? vouching(chain, other.chain);
      return shared
        ? [{ owner, at: `${at}.certificatePem`, above: nameOf(shared.certificate), trustedBy: other.at }]
        : [];
    }),
  );
}

type Chain = ReturnType<typeof literalCertificates>;

/** What stands in a bundle. */
function chainOf({ pem, state }: Generation): Chain {
  return isLiteral(pem?.certificatePem) && state !== "retired" ? literalCertificates(pem.certificatePem) : [];
}

/** The certificate of a bundle that is above an authority. One PEM for both is another problem. */
function vouching(bundle: Chain, [own, ...above]: Chain): Chain[number] | undefined {
  return bundle.find(
    (trusted) =>
      above.some(({ certificate }) => certificate.raw.equals(trusted.certificate.raw)) ||
      (!trusted.fields.subject.equals(own!.fields.subject) &&
        [own!, ...above].some((certificate) => isIssuedBy(certificate, trusted))),
  );
}

/** Whether the table itself has both below one authority, or one below the other: then it says why. */
function isOneTree(one: string, other: string, { authorities }: DistributionTable): boolean {
  const line = (name: string): string[] => {
    const { issuer } = authorities[name]!;
    return issuer === undefined ? [name] : [name, ...line(issuer)];
  };
  return line(one).some((name) => line(other).includes(name));
}
