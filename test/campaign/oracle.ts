import type { Binding, Certificate, LoneKey, Place, Role, Rule, Thing, Token, World } from "./world";

/** A danger that a report has to tell: with one of these codes, about one of these things. */
export interface Expected {
  /** The first one is what it is; the others close the gate as well. */
  readonly codes: readonly string[];
  /** By their names in the world. */
  readonly things: readonly string[];
}

/** What a report has to say. */
export interface Judgement {
  readonly dangers: readonly Expected[];
  /** What it may say and need not. */
  readonly tolerated: readonly Expected[];
  /** Verbs by thing; missing where any are right. */
  readonly verbs: ReadonlyMap<string, readonly string[]>;
}

/** A thing on both sides. */
interface Pair<T extends Thing> {
  readonly name: string;
  readonly before?: T;
  readonly after?: T;
}

interface Worlds {
  readonly before: World;
  readonly after: World;
}

/** What a plan from one world to another is, by the words of the documentation alone. */
export function judge(before: World, after: World): Judgement {
  const worlds = { before, after };
  const names = [...new Set([...before.things.keys(), ...after.things.keys()])];
  const all = names.map((name) => ({ name, before: before.things.get(name), after: after.things.get(name) }));
  const of = <K extends Thing["kind"]>(kind: K) =>
    all.filter(({ before, after }) => (before ?? after)!.kind === kind) as Pair<Extract<Thing, { kind: K }>>[];
  const certificates = of("certificate");
  const dangers = [
    ...certificates.flatMap((pair) => certificateDangers(pair, worlds)),
    ...generationDangers([...certificates, ...of("key")], worlds),
    ...of("place").flatMap((pair) => exposures(pair, worlds)),
    ...of("guard").flatMap(({ name, before, after }): Expected[] => {
      const isRemoved = (before?.isProtected && !after?.isProtected) || (before?.isPinned && !after?.isPinned);
      return after && isRemoved ? [expected("protection-removed", name.replace(/^guard /, ""), name)] : [];
    }),
    ...of("row").flatMap(({ name, before, after }): Expected[] =>
      (after?.exceptions ?? []).some((code) => !before?.exceptions.includes(code))
        ? [expected("exception-added", name)]
        : [],
    ),
    ...of("binding").flatMap((pair) => bindingDangers(pair, worlds)),
    ...of("role").flatMap(roleDangers),
    ...of("token").flatMap(tokenDangers),
  ];
  const vague = certificates.filter(({ before, after }) => after?.isRequestVague && !before);
  // What is hidden may be anything.
  const hidden = certificates.filter(({ after }) => after?.hidden?.includes("uses"));
  return {
    dangers: dangers.map((danger) => withUnreadable(danger, after)),
    tolerated: [
      ...vague.map(({ name }) => expected("unreadable", name)),
      ...hidden.map(({ name }) => expected("usages-widened", name)),
    ],
    verbs: new Map([
      ...[...certificates, ...of("key")].flatMap((pair, _, pairs) => {
        const thing = (pair.before ?? pair.after)!;
        const verbs = thing.generation
          ? generationVerbs(pair, pairs as readonly Pair<Certificate | LoneKey>[], worlds)
          : thing.kind === "certificate" && certificateVerbs(pair as Pair<Certificate>, worlds);
        return verbs ? [[pair.name, verbs] as const] : [];
      }),
      ...of("binding").map((pair) => [pair.name, bindingVerbs(pair, worlds)] as const),
    ]),
  };
}

function expected(code: string, ...things: readonly string[]): Expected {
  return { codes: [code], things };
}

/** What a new certificate says, nobody can read where its request cannot be followed: to say so closes the gate. */
function withUnreadable({ codes, things }: Expected, after: World): Expected {
  const isVague = things.some((name) => {
    const thing = after.things.get(name);
    return thing?.kind === "certificate" && (thing.isRequestVague === true || thing.isIssuerVague === true);
  });
  return { codes: isVague ? [...codes, "unreadable"] : codes, things };
}

// Certificates --------------------------------------------------------------------------------------------------------

const TWO_YEARS = 17_544;
const WIDE_USES = ["client_auth", "server_auth", "any_extended", "cert_signing", "crl_signing"];
const SYSTEM = /^(system:.*|kubeadm:cluster-admins)$/;

function certificateDangers(pair: Pair<Certificate>, { before: world, after: next }: Worlds): Expected[] {
  const { name, before, after } = pair;
  if (!after || next.forgotten?.has(name)) {
    return [];
  }
  const gained = (list: (certificate: Certificate) => readonly string[]) =>
    list(after).filter((value) => !before || !list(before).includes(value));
  const identities = ({ commonName, organization }: Certificate) => [commonName, organization ?? ""];
  const isLeaf = !after.isAuthority && (before === undefined || !before.isAuthority);
  // That an authority signs is no news beside that it is one.
  const isSigner = after.isAuthority;
  const system = after.isInTable ? [] : gained(identities).filter((identity) => SYSTEM.test(identity));
  const found: Readonly<Record<string, boolean>> = {
    unreadable: (after.hidden ?? []).length > 0,
    "weak-key": isWeak(after) && (before === undefined || before.key.algorithm !== after.key.algorithm),
    "wildcard-name": gained(({ sans }) => sans).some(isWildcard),
    "long-validity": isLeaf && isLonger(before?.hours, after.hours),
    "usages-widened":
      before !== undefined &&
      gained(({ uses }) => uses).some((use) => (isSigner ? WIDE_USES.slice(0, 3) : WIDE_USES).includes(use)),
    "new-signer":
      after.isAuthority &&
      !(before?.isAuthority ?? false) &&
      (before !== undefined || (after.issuer !== undefined && world.things.has(after.issuer) && !after.isInTable)),
    "system-masters": system.includes("system:masters"),
    "system-identity": system.some((identity) => identity !== "system:masters"),
    "stale-certificate":
      after.isKept === true && before !== undefined && contentOf(before, world) !== contentOf(after, next),
  };
  const isFromMade =
    before && after.issuer !== undefined && !world.things.has(after.issuer) && !isPromotedAtOnce(after.issuer, next);
  const isFromLost =
    after.issuer !== undefined && world.things.has(after.issuer) && (next.lost?.has(after.issuer) ?? false);
  return [
    ...Object.entries(found).flatMap(([code, isFound]) => (isFound ? [expected(code, name)] : [])),
    ...(isFromMade || isFromLost ? [expected("issuer-not-delivered", name, after.issuer)] : []),
  ];
}

function isWeak({ key: { algorithm } }: Certificate | LoneKey): boolean {
  const [kind, size] = algorithm.split("-");
  return kind === "RSA" ? Number(size) < 2048 : kind === "ECDSA" && size === "P224";
}

function isWildcard(name: string): boolean {
  // What nobody can read is a danger of its own.
  return !name.startsWith("(") && (name.includes("*") || name === "0.0.0.0" || name === "::");
}

function isLonger(before: number | undefined, after: number): boolean {
  return before === undefined ? after > TWO_YEARS : after > before && (after > 2 * before || after > TWO_YEARS);
}

/** All that makes another certificate of it, its issuer's own included. */
function contentOf(certificate: Certificate, world: World): string {
  const { commonName, organization, sans, uses, hours, isAuthority, issuer, hidden, key } = certificate;
  const above = issuer === undefined ? undefined : world.things.get(issuer);
  const issuedBy = above?.kind === "certificate" ? contentOf(above, world) : "";
  const own = [commonName, organization, [...sans].sort(), [...uses].sort(), hours, isAuthority, key, issuer, hidden];
  return JSON.stringify([...own, issuedBy, issuer !== undefined && (world.lost?.has(issuer) ?? false)]);
}

function certificateVerbs({ name, before, after }: Pair<Certificate>, worlds: Worlds): readonly string[] {
  const moves = worlds.after.moved?.has(name) ? ["move"] : [];
  if (worlds.after.lost?.has(name)) {
    return ["issue"];
  }
  if (!before || !after) {
    return [before ? "remove" : "issue", ...moves];
  }
  if (before.key.id !== after.key.id) {
    return ["re-key", ...moves];
  }
  if (contentOf(before, worlds.before) !== contentOf(after, worlds.after)) {
    return [after.isKept ? "" : "re-issue", ...moves].filter((verb) => verb !== "");
  }
  return after.isDue && !before.isDue ? ["renew", ...moves] : moves;
}

// Generations ---------------------------------------------------------------------------------------------------------

/** What signs nodes' certificates inside the cluster: kube-controller-manager with `kubernetes`, a server of K3s or RKE2 with `client`. */
const SIGNS_NODES = /^ca (kubernetes|client)$/;

function isPromotedAtOnce(name: string, after: World): boolean {
  const thing = after.things.get(name);
  return thing !== undefined && "generation" in thing && thing.generation?.standing === "active";
}

function generationDangers(pairs: readonly Pair<Certificate | LoneKey>[], worlds: Worlds): Expected[] {
  return pairs.flatMap((pair) => {
    const thing = (pair.before ?? pair.after)!;
    if (worlds.after.lost?.has(pair.name)) {
      return [];
    }
    if (thing.generation === undefined) {
      return thing.kind === "certificate" && thing.isAuthority ? authorityDangers(pair, worlds) : [];
    }
    const others = pairs.filter(
      (other) => other !== pair && (other.before ?? other.after)!.generation?.of === thing.generation!.of,
    );
    return inGenerations(pair, others, worlds);
  });
}

/** Of an authority that nobody wrote in generations. */
function authorityDangers({ name, before, after }: Pair<Certificate | LoneKey>, worlds: Worlds): Expected[] {
  if (before && !after) {
    return worlds.after.forgotten?.has(name) ? [] : [expected("key-destroyed", name)];
  }
  return isReplaced(before, after, worlds) ? [expected("authority-replaced", name)] : [];
}

function isReplaced(
  before: Certificate | LoneKey | undefined,
  after: Certificate | LoneKey | undefined,
  worlds: Worlds,
): boolean {
  if (before?.kind !== "certificate" || after?.kind !== "certificate") {
    return before !== undefined && after !== undefined && before.key.id !== after.key.id;
  }
  return contentOf(before, worlds.before) !== contentOf(after, worlds.after);
}

function inGenerations(
  { name, before, after }: Pair<Certificate | LoneKey>,
  others: readonly Pair<Certificate | LoneKey>[],
  worlds: Worlds,
): Expected[] {
  const [was, is] = [before?.generation?.standing, after?.generation?.standing];
  const isPromoted = is === "active" && others.some((other) => other.before?.generation?.standing === "active");
  const signs = [...worlds.before.things.values()].some(
    (thing) => thing.kind === "certificate" && thing.issuer === name,
  );
  const isNext = others.some((other) => other.after?.generation?.standing === "active");
  const wasNext = others.some((other) => other.before?.generation?.standing === "active");
  const isAuthority = (before ?? after)!.kind === "certificate";
  const found: Readonly<Record<string, boolean>> = {
    "generation-not-retired": before !== undefined && !after && was !== "retired" && !worlds.after.forgotten?.has(name),
    "introduced-and-promoted": (was === undefined || was === "retired") && isPromoted,
    "trust-removed": is === "retired" && ((was === "active" && isNext) || (was === "trusted" && signs)),
    // Whatever was promoted here was promoted minutes ago, and no node's certificate ends so soon.
    "retired-too-soon": is === "retired" && was === "trusted" && wasNext && SIGNS_NODES.test(before!.generation!.of),
    [isAuthority ? "authority-replaced" : "key-destroyed"]: isReplaced(before, after, worlds),
    "weak-key":
      !isAuthority &&
      after !== undefined &&
      isWeak(after) &&
      (before === undefined || before.key.algorithm !== after.key.algorithm),
  };
  return Object.entries(found).flatMap(([code, isFound]) => (isFound ? [expected(code, name)] : []));
}

function generationVerbs(
  pair: Pair<Certificate | LoneKey>,
  pairs: readonly Pair<Certificate | LoneKey>[],
  worlds: Worlds,
): readonly string[] {
  const { before, after } = pair;
  if (before && !after) {
    return ["remove"];
  }
  const { of, standing } = after!.generation!;
  const others = pairs.filter((other) => other !== pair && other.before?.generation?.of === of);
  const was = before?.generation?.standing;
  const isMade = before === undefined || worlds.after.lost?.has(pair.name);
  const isBack = was === "retired" && standing !== "retired";
  const isPromoted =
    standing === "active" &&
    was !== "active" &&
    others.some((other) => other.before?.generation?.standing === "active");
  const made = isMade
    ? [others.length > 0 ? "introduce" : "issue"]
    : isReplaced(before, after, worlds)
      ? [before!.key.id === after!.key.id ? "re-issue" : "re-key"]
      : isBack
        ? ["introduce"]
        : [];
  const isRetired = standing === "retired" && was !== undefined && was !== "retired";
  return [...made, ...(isPromoted ? ["promote"] : []), ...(isRetired ? ["retire"] : [])];
}

/** A generation that is promoted takes the place of the last, and a machine that comes has what its likes have. */
function exposures({ name, before, after }: Pair<Place>, worlds: Worlds): Expected[] {
  if (!after) {
    return [];
  }
  const ring = (key: string) => {
    const thing = worlds.before.things.get(key) ?? worlds.after.things.get(key);
    return (thing && "generation" in thing && thing.generation?.of) || key;
  };
  const places = [...worlds.before.things.values()].filter((thing): thing is Place => thing.kind === "place");
  const isKnownHolder = places.some(({ holder }) => holder === after.holder);
  return after.keys.flatMap((key): Expected[] => {
    const wasHere = before?.keys.some((other) => ring(other) === ring(key));
    const likes = places.filter(
      (place) => place.path === after.path && place.keys.some((other) => ring(other) === ring(key)),
    );
    const models = wasHere ? [before!] : isKnownHolder ? [] : likes;
    const isNew = !worlds.before.things.has(key);
    const isExposed = models.length > 0 ? models.every((model) => isMoreOpen(model, after)) : !isNew;
    return isExposed ? [expected("key-exposed", key, name)] : [];
  });
}

function isMoreOpen(before: Place, after: Place): boolean {
  return before.owner !== after.owner || (parseInt(after.mode, 8) & ~parseInt(before.mode, 8)) !== 0;
}

// Access --------------------------------------------------------------------------------------------------------------

const EVERYBODY = ["system:unauthenticated", "system:anonymous", "system:authenticated", "system:serviceaccounts"];
const APPROVERS = /^ClusterRole\/system:certificates\.k8s\.io:/;
const NODES = /^(Group\/system:(nodes|bootstrappers(:.*)?)|User\/system:node:.*)$/;

function grantsOf({ namespace = "", role, subjects }: Binding): string[] {
  return subjects.map((subject) => JSON.stringify([namespace, role, subject]));
}

function grantsIn({ things }: World): Set<string> {
  return new Set([...things.values()].flatMap((thing) => (thing.kind === "binding" ? grantsOf(thing) : [])));
}

function bindingDangers({ name, before, after }: Pair<Binding>, worlds: Worlds): Expected[] {
  if (!after) {
    return [];
  }
  const known = grantsIn(worlds.before);
  const gained = grantsOf(after).filter((grant) => !known.has(grant));
  const subjects = gained.map((grant) => (JSON.parse(grant) as string[])[2]!);
  const found: Readonly<Record<string, boolean>> = {
    unreadable: (after.hidden ?? []).length > 0 && before?.hidden === undefined,
    "cluster-admin": subjects.length > 0 && after.role === "ClusterRole/cluster-admin" && !after.isInTable,
    "open-binding": subjects.some((subject) => EVERYBODY.includes(subject.replace(/^\w+\//, ""))),
    "csr-approver": APPROVERS.test(after.role) && subjects.some((subject) => !NODES.test(subject)),
  };
  return Object.entries(found).flatMap(([code, isFound]) => (isFound ? [expected(code, name)] : []));
}

function bindingVerbs({ name, before, after }: Pair<Binding>, worlds: Worlds): readonly string[] {
  if (worlds.after.moved?.has(name)) {
    return ["move"];
  }
  const [old, now] = [before ? grantsOf(before) : [], after ? grantsOf(after) : []];
  return [
    ...(now.some((grant) => !old.includes(grant)) ? ["grant"] : []),
    ...(old.some((grant) => !now.includes(grant)) ? ["ungrant"] : []),
  ];
}

const POWERS = ["*", "escalate", "bind", "impersonate"];

function powersOf({ rules }: Role): string[] {
  return rules.flatMap(({ groups, resources, verbs }) =>
    groups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs
          .filter((verb) => POWERS.includes(verb) || [group, resource].includes("*") || isSecret(group, resource))
          .map((verb) => JSON.stringify([group, resource, verb])),
      ),
    ),
  );
}

function isSecret(group: string, resource: string): boolean {
  return group === "" && (resource === "secrets" || resource === "nodes/proxy");
}

function roleDangers({ name, before, after }: Pair<Role>): Expected[] {
  if (!after) {
    return [];
  }
  const had = before?.rules ?? [];
  const gains = powersOf(after).some((power) => !had.some((rule) => allows(rule, power)));
  return [
    ...((after.hidden ?? []).length > 0 ? [expected("unreadable", name)] : []),
    ...(gains ? [expected("powerful-role", name)] : []),
  ];
}

function allows({ groups, resources, verbs }: Rule, power: string): boolean {
  const words = JSON.parse(power) as string[];
  return [groups, resources, verbs].every((list, index) => list.includes(words[index]!) || list.includes("*"));
}

function tokenDangers({ name, before, after }: Pair<Token>): Expected[] {
  if (!after) {
    return [];
  }
  const isHidden = (group: string) => group.startsWith("(");
  const isWider =
    before !== undefined && after.groups.some((group) => !isHidden(group) && !before.groups.includes(group));
  const lives = (token: Token) => token.lifeHours ?? token.ends ?? Infinity;
  const isLonger = before !== undefined && lives(after) > lives(before);
  return [
    ...((after.hidden ?? []).length > 0 ? [expected("unreadable", name)] : []),
    ...(isWider || isLonger ? [expected("token-widened", name)] : []),
  ];
}
