import { ClusterAccess, ClusterAccessProps, Distribution, Group, User } from "../../../lib";
import { CA_CERTIFICATE } from "../../support/pem";
import { dealt, Deck, Front, Round, Setting } from "../campaign";
import { objectsAsState, Root } from "../engine";
import type { Edit } from "../hand-pki-edits";
import type { Edited } from "../judged";
import { accessWorldOf, Json, resourcesOf, written } from "../ours";
import { Random } from "../random";
import { changedLines, flattened } from "../snippet";
import type { World } from "../world";

const COPIES = 4;

interface Description {
  readonly distribution: Distribution;
  readonly name: string;
  readonly tokens?: ClusterAccessProps["tokens"];
  readonly clusterAdmins?: ClusterAccessProps["clusterAdmins"];
  readonly labels?: ClusterAccessProps["labels"];
  readonly byHand: readonly ((code: Json) => void)[];
}

type AccessEdit = Edit<Description, Json>;

const BINDINGS = /^kubernetes_(cluster_)?role_binding/;

function binding(
  kind: string,
  name: string,
  change: (block: Json, random: Random) => void,
  isFit: (block: Json) => boolean = () => true,
): AccessEdit {
  return {
    kind,
    name,
    apply: (description, code, random) => {
      const types = Object.keys(code.resource).filter((type) => BINDINGS.test(type));
      const all = types.flatMap((type) =>
        resourcesOf(code, type, description.name)
          .filter(([, block]) => isFit(block))
          .map(([own]) => ({ type, own })),
      );
      if (all.length === 0) {
        return undefined;
      }
      const { type, own } = random.of(all);
      const seed = new Random(random.below(1000));
      const byHand = (made: Json) => change(made.resource[type][own], seed);
      return { ...description, byHand: [...description.byHand, byHand] };
    },
  };
}

function subject(kind: string, name: string): Json {
  return { api_group: "rbac.authorization.k8s.io", kind, name, namespace: "" };
}

function roleOf({ role_ref: role }: Json): string {
  return (Array.isArray(role) ? role[0] : role).name as string;
}

function token(
  kind: string,
  name: string,
  options: object,
  isFit: (description: Description) => boolean = () => true,
): AccessEdit {
  return {
    kind,
    name,
    apply: (description) => (isFit(description) ? { ...description, tokens: { workers: { ...options } } } : undefined),
  };
}

const APPROVES = /^system:certificates\.k8s\.io:/;

const EDITS: readonly AccessEdit[] = [
  {
    kind: "cluster-admin",
    name: "one more administrator",
    apply: (description, _, random) => ({
      ...description,
      clusterAdmins: [
        random.coin() ? Group.named(`${description.name}-platform`) : User.named(`${description.name}-jane`),
      ],
    }),
  },
  binding(
    "cluster-admin",
    "a binding becomes that of cluster-admin",
    (block) => {
      const role = Array.isArray(block.role_ref) ? block.role_ref[0] : block.role_ref;
      role.name = "cluster-admin";
    },
    (block) => roleOf(block) !== "cluster-admin",
  ),
  binding("open-binding", "everybody is bound", (block, random) => {
    const name = random.of(["system:unauthenticated", "system:authenticated", "system:serviceaccounts"]);
    block.subject = [...[block.subject].flat(), subject("Group", name)];
  }),
  binding(
    "csr-approver",
    "somebody else approves",
    (block) => {
      block.subject = [
        ...[block.subject].flat(),
        subject("User", `approver-of-${block.metadata.name ?? block.metadata[0].name}`),
      ];
    },
    (block) => APPROVES.test(roleOf(block)),
  ),
  token("token-widened", "one more group", { groups: ["system:bootstrappers:others", "system:bootstrappers:more"] }),
  token("token-widened", "a longer life", { expireAfterHours: 500 }),
  token("harmless", "a shorter time", { rotateAfterHours: 12, expireAfterHours: 60, pipelineIntervalHours: 12 }),
  token("harmless", "another description", { description: "other words" }),
  {
    kind: "harmless",
    name: "one more token",
    apply: (description) => ({ ...description, tokens: { workers: {}, more: {} } }),
  },
  { kind: "harmless", name: "no token", apply: (description) => ({ ...description, tokens: {} }) },
  { kind: "harmless", name: "labels", apply: (description) => ({ ...description, labels: { team: "platform" } }) },
];

/** Access as this library writes it, for each distribution that knows any. */
export const OURS_ACCESS: Front = { name: "ours-access", share: 1, prepare: rounds };

function synthesized(descriptions: readonly Description[], isOld: boolean) {
  const made = written("campaign", isOld, (stack) => {
    for (const { distribution, name, tokens, clusterAdmins, labels } of descriptions) {
      new ClusterAccess(stack, name, {
        distribution,
        cluster: { name, endpoint: `api.${name}.example.com:6443` },
        certificateAuthority: CA_CERTIFICATE,
        ...(tokens ? { tokens } : {}),
        ...(clusterAdmins ? { clusterAdmins } : {}),
        ...(labels ? { labels } : {}),
      });
    }
  });
  const code = structuredClone(made.code);
  descriptions.forEach(({ byHand }) => byHand.forEach((change) => change(code)));
  return { ...made, code };
}

function worldOf(code: Json, { name, tokens = {} }: Description, table: Json): World {
  const lives = Object.entries(tokens).flatMap(([of, { expireAfterHours }]) =>
    expireAfterHours === undefined ? [] : [[of, expireAfterHours] as const],
  );
  return accessWorldOf(code, name, Object.fromEntries(lives), table);
}

async function* rounds({ engine, seed, edits, only, folder }: Setting): AsyncGenerator<Round> {
  const random = new Random(seed);
  const root = await Root.create(folder, engine);
  const distributions = Object.values(Distribution).filter(
    (value): value is Distribution => value instanceof Distribution && value !== Distribution.CLUSTER_API,
  );
  const number = Math.max(1, Math.min(COPIES, Math.ceil(edits / distributions.length)));
  const bases = distributions
    .flatMap((distribution) =>
      Array.from({ length: number }, (_, index): Description => {
        return { distribution, name: `${distribution.table.name}${index}`, byHand: [] };
      }),
    )
    .filter((description) => isPossible(description, root.isOld));
  const use = ({ code, inventory }: ReturnType<typeof synthesized>) =>
    root.write({ "cdk.tf.json": JSON.stringify(code), "pki-inventory.json": inventory });
  const planned = async () => ({ ...(await root.planned()), inventories: [`${root.folder}/pki-inventory.json`] });
  const base = synthesized(bases, root.isOld);
  use(base);
  await root.must("init", "-no-color", "-input=false");
  const before = bases.map((description) => worldOf(base.code, description, base.code));
  const first = await planned();
  const empty: World = { things: new Map() };
  yield {
    ...first,
    edits: before.map((after, index) =>
      editedOf(bases[index]!, "first deploy", "harmless", empty, after, () => "all of it"),
    ),
  };
  // There is no API server: what the provider would have kept of its objects is written into the state.
  const targets = (first.document.resource_changes ?? []).filter(({ type }) => !type.startsWith("kubernetes_"));
  await root.apply(...targets.map(({ address }) => `-target=${address}`));
  root.replaceState(objectsAsState(root.state, ["token-secret"], (await root.plan()).document));
  yield { ...(await planned()), edits: [] };

  const pool = EDITS.filter(({ kind }) => only === undefined || kind === only);
  const decks = new Map(distributions.map((distribution) => [distribution, new Deck(() => dealt(pool, random))]));
  for (let done = 0; done < edits;) {
    const made = bases.map((description) =>
      decks.get(description.distribution)!.deal((edit) => {
        const after = edit.apply(description, base.code, random);
        return after && isPossible(after, root.isOld) ? { after, edit } : undefined;
      }),
    );
    const edited = bases.map((description, index) => made[index]?.after ?? description);
    const next = synthesized(edited, root.isOld);
    use(next);
    const list = made.flatMap((one, index) => {
      const code = (of: Json) => flattened(ownOf(of, bases[index]!.name));
      const snippet = () => changedLines(code(base.code), code(next.code));
      const after = worldOf(next.code, edited[index]!, base.code);
      return one ? [editedOf(bases[index]!, one.edit.name, one.edit.kind, before[index]!, after, snippet)] : [];
    });
    if (list.length === 0) {
      return;
    }
    done += list.length;
    yield { ...(await planned()), edits: list };
  }
}

function ownOf(code: Json, prefix: string): Json {
  return Object.keys(code.resource).map((type) => ({ [type]: Object.fromEntries(resourcesOf(code, type, prefix)) }));
}

function editedOf(
  { name: tag, distribution }: Description,
  name: string,
  kind: string,
  before: World,
  after: World,
  snippet: () => string,
): Edited {
  return { tag, name: `${distribution.table.name} access: ${name}`, kind, before, after, snippet };
}

/** False where the library refuses it. */
function isPossible(description: Description, isOld: boolean): boolean {
  try {
    const { code } = synthesized([description], isOld);
    return Object.keys(code.resource ?? {}).some((type) => type.startsWith("kubernetes_"));
  } catch {
    return false;
  }
}
